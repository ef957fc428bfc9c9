/* A commit that the hub asks this device for: who comes back into the room needs one behind which it can, or
 * somebody has left and nobody is there whose affair it is. */
#include "sync/log/gap.h"
#include "sync/log/rejoin.h"

enum { WANTED_AGAIN_MS = 60000 /* a hub may ask for nothing, too: each commit takes everybody's time */ };

static bool may_commit(struct hs_step *s, const struct hs_live_room *room, const Hanse__WantCommit *want)
{
    int64_t since = s->now.ms - room->row.wanted_at.ms;
    return !hs_room_is_lost(room) && room->group != NULL && !room->newest.unsettled &&
           (room->caught_up || s->sync->caught_up) && hs_mls_group_epoch(room->group) == want->epoch &&
           !hs_mls_group_has_pending(room->group) &&
           (room->row.wanted_at.ms == 0 || since < 0 || since >= WANTED_AGAIN_MS);
}

/* What this device has to commit anyway will do; else an empty one, with everybody in it who has left. What
 * the rules forbid (it is barred, say) is another's to make: the hub asks on. */
enum hs_err hs_commit_wanted(struct hs_step *s, const Hanse__WantCommit *want)
{
    struct hs_id id;
    struct hs_live_room *room;
    const struct hs_commit_wish nothing = {0};
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(want->room), &id), HS_ERR_MALFORMED);
    enum hs_err err = hs_live_member(s, &id, &room);
    if (err != HS_OK)
        return hs_sync_is_own_trouble(err) ? err : HS_OK;
    if (!may_commit(s, room, want))
        return s->kv->err;
    room->row.wanted_at = s->now; /* kept with the commit: neither an end nor a fault makes it forgotten */
    room->row_dirty = true;
    HS_TRY(hs_commit_next(s, room));
    if (hs_mls_group_has_pending(room->group))
        return HS_OK;
    err = hs_commit_submit(s, room, &nothing);
    return hs_sync_is_fault(err) ? HS_OK : err;
}
