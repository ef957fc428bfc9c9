/* Records frames straight from what the store holds: at a busy hub most of what is sent are records, and
 * unpacking their entries only to pack them again would cost more than reading them. */
#ifndef HS_CORE_PACK_H
#define HS_CORE_PACK_H

#include "base/writer.h"

/* A Records frame under way. The writer is the caller's, to be used again. */
struct hs_pack {
    struct hs_writer *w;
    size_t records;
};

/* Begins a frame with records of room, in place of what is in the writer. */
struct hs_pack hs_pack_begin(struct hs_writer *w, const struct hs_id *room);

/* Adds the record of an entry, as it is stored (RoomEntry). False, adding nothing, where the frame would grow
 * past fill bytes by it: the first one is always taken. The writer's error is sticky. */
bool hs_pack_add(struct hs_pack *p, struct hs_bytes entry, size_t fill);

/* Ends it with the packed SignedObject of a head, the descriptor that names its key (or nothing, for those
 * who hold it), and how long the room keeps posts: the frame, in the writer. Empty after an error. */
struct hs_bytes hs_pack_end(struct hs_pack *p, struct hs_bytes head, struct hs_bytes descriptor,
                            int64_t retention_ms);

#endif
