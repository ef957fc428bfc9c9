/* What a link has to write: frames gather in one open record, which is sealed when it is full or when the
 * stream is ready for more. */
#ifndef HS_LINK_OUTBOX_H
#define HS_LINK_OUTBOX_H

#include "base/writer.h"
#include "link/channel.h"

struct hs_outbox {
    struct hs_writer pending; /* sealed records, then the open one: two bytes for its length, plaintext */
    struct hs_writer flight;  /* being written: stays where it is */
    size_t written;           /* of flight */
    size_t record;            /* where the open record begins in pending */
    bool record_is_open;
};

struct hs_outbox hs_outbox(void);

/* Bytes in clear: openings and handshake messages. NOMEM. */
enum hs_err hs_outbox_add_clear(struct hs_outbox *o, struct hs_bytes bytes);

/* A piece of the sealed stream, in records of at most record_max bytes of plaintext. NOMEM and the errors of
 * hs_channel_seal(): the outbox is then of no use any more. */
enum hs_err hs_outbox_add(struct hs_outbox *o, struct hs_channel *channel, struct hs_bytes bytes,
                          size_t record_max);

/* Finds the memory for so many bytes more, with one record's header and tag, at once: growing step by step
 * copies. Where there is none, the next call says so. */
void hs_outbox_make_room(struct hs_outbox *o, size_t len);

/* The bytes to write next, in *view; seals what gathered where nothing else is under way. Errors as above. */
enum hs_err hs_outbox_next(struct hs_outbox *o, struct hs_channel *channel, struct hs_bytes *view);

void hs_outbox_written(struct hs_outbox *o, size_t len);

/* Bytes not yet written. */
size_t hs_outbox_len(const struct hs_outbox *o);

/* Drops what isn't under way; the rest stays for whoever writes it. */
void hs_outbox_close(struct hs_outbox *o);

void hs_outbox_free(struct hs_outbox *o);

#endif
