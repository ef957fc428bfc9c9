/* What a record needn't say any more. A Welcome, a refusal or a wish goes into an inbox, and its record keeps
 * it for as long as it waits there: the inbox is a view, and is made anew from the record. Once it doesn't
 * wait any more, the record loses it. The record stays, and makes the same views but for an empty item that
 * the subscriber's cursor has passed. */
#ifndef HS_CORE_SPENT_H
#define HS_CORE_SPENT_H

#include "core/records/stream.h"

enum {
    HS_SPENT_WHOLE = 16 << 20, /* bytes of one hub's records that are whole for a day more, of those that a
                                  day makes so: three hundred of the largest Welcomes */
};

/* The item with that number in the subscriber's inbox is made of that record. about: of the items about the
 * same only the one of the newest record is of use; zeros: it is about nothing that others are about.
 * Returns the number of the one that is of no use from now on; UINT64_MAX where there is none. */
uint64_t hs_spent_hold(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t number,
                       const struct hs_stream_at *from, const struct hs_id *about);

/* The item is gone: taken, or else a newer one is in its place. After the last one that was made of its
 * record, the record is cut. */
void hs_spent_release(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t number, bool taken);

/* Does an item wait in an inbox that was made of that record? */
bool hs_spent_waits(struct hs_turn *turn, const struct hs_stream_at *at);

/* What a record of any stream but a room's says is needed by nobody any more: of a kind that isn't cut
 * nothing changes. passed: the number behind its inbox item, 0 where it made none. A refusal made one: without
 * it nothing changes either. */
void hs_spent_cut(struct hs_turn *turn, const struct hs_stream_at *at, uint64_t passed);

/* The same, because the record that is just applied says it anew: a backup that is being made may have read
 * neither yet, and stops before that one. So it is cut when that is a day old (HS_THIN_AGE_MS); of
 * a hub's at once where the day has made too many so (HS_SPENT_WHOLE). */
void hs_spent_anew(struct hs_turn *turn, const struct hs_stream_at *at);

/* The GroupInfo of a commit that isn't the newest one any more; and with it, of a void commit, the Welcome.
 * The view isn't stored. */
void hs_spent_group_info(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                         uint64_t seq);
void hs_spent_void(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                   uint64_t seq);

#endif
