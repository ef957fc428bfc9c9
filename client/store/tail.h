/* The end of each room's log as it came, and what its hub signed: for comparing with what others were told,
 * and for a hub that has lost its newest records. */
#ifndef HS_STORE_TAIL_H
#define HS_STORE_TAIL_H

#include "schema/room.pb-c.h"
#include "store/row.h"

enum { HS_TAIL_RECORDS = 256 /* of each room: more than a hub writes between two syncs of its disk */ };

/* With the blobs that are hinted at beside it, where these make sense. */
void hs_tail_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, const Hanse__Record *record);

/* The first record at seq >= *from, in the arena; moves *from behind it. */
bool hs_tail_record_next(struct hs_kv *kv, const struct hs_id *room, uint64_t *from, struct hs_arena *arena,
                         Hanse__Record **record);
bool hs_tail_next(struct hs_kv *kv, const struct hs_id *room, uint64_t *from, struct hs_arena *arena,
                  struct hs_bytes *header, struct hs_bytes *body);

/* Heads, as SignedObjects: the newest one that agreed with the log, the promise (rooms.h), and the newest one
 * that covers no more than is here. */
enum hs_head_place { HS_HEAD_HELD, HS_HEAD_PROMISE, HS_HEAD_NEWEST };
void hs_tail_head_put(struct hs_kv *kv, const struct hs_id *room, enum hs_head_place place,
                      struct hs_bytes head);
bool hs_tail_head_get(struct hs_kv *kv, const struct hs_id *room, enum hs_head_place place,
                      struct hs_arena *arena, struct hs_bytes *head);

/* What proves that the room's hub told two stories. */
void hs_evidence_put(struct hs_kv *kv, const struct hs_id *room, struct hs_bytes evidence);
bool hs_evidence_get(struct hs_kv *kv, const struct hs_id *room, struct hs_arena *arena,
                     struct hs_bytes *evidence);

#endif
