/* Files on their way: an operation brings one to the node and posts it, or gets one. */
#ifndef HS_SYNC_FILE_H
#define HS_SYNC_FILE_H

#include "room/attachment.h"
#include "store/files.h"
#include "sync/state.h"

/* What an operation of a file has in memory besides. */
struct hs_transfer {
    hanse_read_fn *read;
    hanse_write_fn *write;
    void *context;
    uint64_t seq;           /* of the post to fetch from */
    struct hs_attachment a; /* to send; name and type in the two fields below */
    char name[HANSE_NAME_SIZE], media_type[HANSE_NAME_SIZE];
    uint64_t have, next; /* of the blob: at the node; sent */
    uint64_t sealed;     /* pieces that went through the state */
    unsigned waits;      /* for the hub: so often it was asked whether that has it */
    crypto_secretstream_xchacha20poly1305_state state;
};

/* A post brought a file. */
void hs_file_received(struct hs_step *s, const struct hs_id *room, uint64_t seq,
                      const struct hs_attachment *attachment);

/* So many bytes are through. */
enum hs_err hs_file_progress(struct hs_step *s, const struct hs_op *op, uint64_t bytes);

/* Pieces that were asked for or sent, and not answered yet; *last: the offset of the last one. */
size_t hs_file_under_way(const struct hs_sync *sync, const struct hs_op *op, uint64_t *last);

#endif
