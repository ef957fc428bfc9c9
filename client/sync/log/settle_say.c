/* What this device made of commits, said to the hub: as early as it decides, and as seldom as it can. */
#include "crypto/hash.h"
#include "object/object.h"
#include "room/settlement.h"
#include "sync/state.h"

enum {
    SMALL_ROOM = 8, /* members: so few may all speak at once */
    SPREAD_MS = 4,  /* a member, in larger rooms: 250 verdicts a second come, however large the room is ... */
    SPREAD_MAX_MS = 2000 /* ... or more of them, for the hub waits 5 seconds */
};

static bool has_its_say(const struct hs_unsettled_row *row)
{
    return !row->own && !row->joined && !row->gone;
}

enum hs_err hs_say_plan(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    struct hs_settlement of;
    room->newest.say_at = HS_NEVER;
    if (!has_its_say(row))
        return HS_OK;
    HS_TRY(hs_settlement_of(s, room, row, &of));
    room->newest.say_at = s->now;
    if (row->err != HS_OK || room->row.members <= SMALL_ROOM ||
        hs_settle_alone(&of, &room->row.self, row->time))
        return HS_OK;
    uint32_t spread =
        room->row.members > SPREAD_MAX_MS / SPREAD_MS ? SPREAD_MAX_MS : room->row.members * SPREAD_MS;
    room->newest.say_at.ms += randombytes_uniform(spread);
    return HS_OK;
}

/* Whatever the hub says to it: what counts is the record. */
static enum hs_err answered(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    (void)s;
    (void)request;
    (void)frame;
    return hs_sync_is_own_trouble(err) ? err : HS_OK;
}

static enum hs_err say(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row)
{
    struct hs_self HS_SELF self;
    struct hs_settlement of;
    Hanse__Confirm confirm = HANSE__CONFIRM__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = answered};
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_settlement_of(s, room, row, &of));
    HS_TRY(hs_verdict_build(&of, &self.device.signature, &room->row.self, row->leaf, (enum hs_err)row->err,
                            s->now, s->arena, &confirm.verdict));
    confirm.room = hs_pb_data(HS_VIEW(room->row.id));
    frame.body_case = HANSE__FRAME__BODY_CONFIRM;
    frame.confirm = &confirm;
    return hs_request_send_to(s, hs_row_hub(&room->row), room->row.descriptor, &frame, &request);
}

/* Nothing of the room that is newer is still to come, and it isn't frozen. */
static bool can_say(const struct hs_sync *sync, const struct hs_live_room *room)
{
    return hs_home_is_online(sync) && room->newest.unsettled && room->row.state == HS_ROOM_STATE_MEMBER &&
           room->group != NULL && (room->caught_up || sync->caught_up);
}

enum hs_err hs_say_due(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_unsettled_row row;
    if (!can_say(s->sync, room) || room->newest.say_at.ms > s->now.ms)
        return HS_OK;
    if (hs_requests_are_scarce(s->sync)) {
        room->newest.say_at.ms = s->now.ms + HS_AGAIN_MS;
        return HS_OK;
    }
    room->newest.say_at = HS_NEVER;
    return hs_unsettled_row_get(s->kv, &room->row.id, s->arena, &row) ? say(s, room, &row) : s->kv->err;
}

enum hs_err hs_say_tick(struct hs_step *s)
{
    for (struct hs_live_room *room = s->sync->rooms; room != NULL; room = room->next) {
        room->store.kv = s->kv;
        HS_TRY(hs_say_due(s, room));
    }
    return HS_OK;
}

struct hs_time hs_say_deadline(const struct hs_sync *sync)
{
    struct hs_time first = HS_NEVER;
    for (const struct hs_live_room *room = sync->rooms; room != NULL; room = room->next)
        if (can_say(sync, room) && room->newest.say_at.ms < first.ms)
            first = room->newest.say_at;
    return first;
}

enum hs_err hs_say_all(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_unsettled_row row;
    struct hs_live_room *room;
    struct hs_id id;
    while (hs_unsettled_row_next(s->kv, &cursor, s->arena, &id, &row)) {
        if (!has_its_say(&row))
            continue;
        HS_TRY(hs_live_get(s, &id, &room));
        room->newest.say_at = s->now;
        HS_TRY(hs_say_due(s, room));
    }
    return s->kv->err;
}
