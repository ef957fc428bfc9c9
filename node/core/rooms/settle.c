/* The hub decides by what members have said of a commit (settle_in.c), and writes down what they decide. */
#include "core/rooms/settle.h"

#include "core/internal.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/rooms/electorate.h"
#include "object/object.h"
#include "wire/unpack.h"

enum {
    TRY_AGAIN_MS = 1000, /* where a record couldn't be written */
    TRY_APART_MS = 50,   /* so that a room that can't be decided isn't tried with the same others again */
    ROOM_CAP = 64 << 20, /* to decide one room: as a turn has for its commit */
    VOIDS_OPEN = 16, /* void commits of one epoch, after which only those may commit who may remove: MLS takes
                        32 back, and a crowd of strangers must not use them up */
    SCRATCH_CAP = 1 << 20,
    QUOTES_CAP = 4 << 20 /* as many verdicts as a record may quote, unpacked */
};

/* Verdicts for the record, as many as decide. One that can't be quoted is dropped, as it should have been
 * when it came: UNEXPECTED, and what is left decides. It is never this node's trouble. */
static enum hs_err quote(struct hs_turn *turn, struct hs_settling *settling, bool bad, bool alone,
                         struct hs_arena *arena, Hanse__SignedObject **list, size_t max, size_t *count)
{
    *count = 0;
    for (size_t i = 0; i < settling->count && *count < max; i++) {
        const struct hs_vote *vote = &settling->votes[i];
        if (vote->object == NULL || vote->bad != bad || (alone && !vote->alone))
            continue;
        enum hs_err err = hs_object_unpack(hs_bytes(vote->object, vote->len), arena, &list[*count]);
        HS_REQUIRE(err != HS_ERR_NOMEM, err);
        if (err != HS_OK) {
            hs_turn_log(turn, "event=verdict-dropped error=%s", hs_err_name(err));
            hs_vote_drop(settling, i);
            return HS_ERR_UNEXPECTED;
        }
        ++*count;
    }
    return HS_OK;
}

static enum hs_err write_record(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                                enum hs_record_kind kind, const struct hs_writer *body)
{
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    struct hs_room_record record = {.room = *room, .view = view};
    struct hs_record_spec spec = {
        .kind = kind,
        .epoch = view->epoch,
        .sender_persona = *hs_turn_root(turn),
        .sender_node = *hs_turn_root(turn),
        .body = hs_arena_copy(turn->arena, hs_writer_bytes(body)),
        .hub_time = hs_room_time(turn, view),
    };
    HS_REQUIRE(spec.body.data != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_room_append(turn, &spec, &entry, &record));
    return kind == HS_RECORD_SETTLED ? hs_settled_apply(turn, &record) : hs_void_apply(turn, &record);
}

static enum hs_err settle(struct hs_turn *turn, struct hs_settling *settling, const struct hs_settlement *of,
                          Hanse__State__RoomView *view, size_t connected, bool alone)
{
    Hanse__SignedObject *list[HS_SETTLE_VERDICTS_MAX];
    struct hs_arena HS_ARENA arena = hs_arena(QUOTES_CAP);
    struct hs_writer HS_WRITER body = hs_writer(HS_SETTLE_BODY_MAX);
    bool one = alone && settling->bad == 0;
    size_t count;
    HS_TRY(quote(turn, settling, false, one, &arena, list, one ? 1 : HS_SETTLE_VERDICTS_MAX, &count));
    if (!hs_settle_is_enough(connected, count, settling->bad, one))
        return HS_OK; /* what was dropped is missing */
    HS_TRY(hs_settled_build(of, (uint32_t)connected, (uint32_t)settling->bad, list, count, &body));
    return write_record(turn, &of->room, view, HS_RECORD_SETTLED, &body);
}

static enum hs_err take_back(struct hs_turn *turn, struct hs_settling *settling,
                             const struct hs_settlement *of, Hanse__State__RoomView *view)
{
    Hanse__SignedObject *list[HS_SETTLE_BAD_QUOTED];
    struct hs_arena HS_ARENA arena = hs_arena(QUOTES_CAP);
    struct hs_writer HS_WRITER body = hs_writer(HS_SETTLE_BODY_MAX);
    size_t count;
    HS_TRY(quote(turn, settling, true, false, &arena, list, HS_SETTLE_BAD_QUOTED, &count));
    if (count == 0)
        return HS_OK; /* what was dropped is missing */
    HS_TRY(hs_void_build(of, list, count, &body));
    hs_turn_log(turn, "event=commit-void bad_verdicts=%zu", settling->bad);
    return write_record(turn, &of->room, view, HS_RECORD_VOID, &body);
}

static enum hs_err decide_by(struct hs_turn *turn, struct hs_settling *settling,
                             const struct hs_electorate *e, const struct hs_settlement *of,
                             Hanse__State__RoomView *view, bool due)
{
    bool alone = false;
    for (size_t i = 0; i < settling->count; i++)
        alone = alone || (settling->votes[i].alone && !settling->votes[i].bad);
    size_t connected = due ? settling->count : hs_electorate_connected(e, settling);
    /* Members see no more of the good ones than are quoted. */
    size_t good = settling->good < HS_SETTLE_VERDICTS_MAX ? settling->good : HS_SETTLE_VERDICTS_MAX;
    if (hs_settle_is_enough(connected, good, settling->bad, alone))
        return settle(turn, settling, of, view, connected, alone);
    return due ? take_back(turn, settling, of, view) : HS_OK;
}

static enum hs_err decide(struct hs_turn *turn, const struct hs_id *room, bool due)
{
    struct hs_electorate e = {.turn = turn, .room = room, .was = hs_unsettled_view(turn, room)};
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_settlement of;
    struct hs_policy policy;
    if (e.was == NULL || view == NULL || hs_room_stands_still(turn, view))
        return HS_OK;
    struct hs_settling *settling = hs_settling_of(turn->core, room, e.was, turn->now);
    HS_REQUIRE(settling != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_electorate_settlement(&e, &policy, &of));
    for (;;) {
        size_t count = settling->count;
        enum hs_err err = decide_by(turn, settling, &e, &of, view, due);
        if (settling->count == count)
            return err;
    }
}

static void own_trouble(struct hs_turn *turn, enum hs_err err)
{
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
}

void hs_settle_try(struct hs_turn *turn, const struct hs_id *room, bool due)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    if (view != NULL && hs_room_stands_still(turn, view))
        return; /* the verdict may be in the log already, and come back */
    own_trouble(turn, decide(turn, room, due));
}

/* In a memory of its own, and with its own idea of the time: what one room takes isn't another's to miss, and
 * a record that is later than the clock, which was set back, doesn't move the rest of the tick. */
static bool settle_due(const struct hs_turn *turn, const struct hs_id *room, uint64_t seq)
{
    struct hs_arena HS_ARENA scratch = hs_arena(ROOM_CAP);
    struct hs_turn own = *turn;
    own.arena = &scratch;
    const Hanse__State__UnsettledView *was = hs_unsettled_view(&own, room);
    if (was == NULL || was->seq != seq)
        return false;
    hs_settle_try(&own, room, true);
    return true;
}

void hs_settle_tick(struct hs_turn *turn)
{
    int64_t looked = 0;
    for (struct hs_settling *s = turn->core->settlings, *next; s != NULL && looked < HS_SETTLE_ROOMS;
         s = next) {
        next = s->next;
        if (s->deadline.ms > turn->now.ms)
            continue;
        struct hs_id room = s->room;
        s->deadline.ms = turn->now.ms + TRY_AGAIN_MS + looked * TRY_APART_MS;
        looked++;
        if (!settle_due(turn, &room, s->seq))
            hs_settling_drop(turn->core, &room);
    }
}

void hs_settle_load(struct hs_turn *turn)
{
    struct hs_kv_key from = {0};
    struct hs_bytes key, value;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        Hanse__State__UnsettledView *was = NULL;
        struct hs_id room;
        if (!hs_kv_next(turn->kv, HS_T_UNSETTLED, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &scratch,
                        &key, &value))
            return;
        from = hs_kv_after(key);
        bool fits = HS_FIXED(key, &room) &&
                    HS_UNPACK(hanse__state__unsettled_view, value, HS_LENIENT, &scratch, &was) == HS_OK;
        own_trouble(turn, !fits                                                       ? HS_ERR_STORE
                          : hs_settling_of(turn->core, &room, was, turn->now) != NULL ? HS_OK
                                                                                      : HS_ERR_NOMEM);
    }
}

enum hs_err hs_settle_admits(struct hs_turn *turn, const struct hs_room_commit *c)
{
    struct hs_bars bars;
    struct hs_policy policy;
    HS_TRY(hs_room_policy(turn, c->view, &policy));
    HS_TRY(hs_bars_load(turn, &c->room, &bars));
    bool governs = hs_policy_allows(&policy, &c->persona, c->hub_time, HS_RIGHT_GOVERN);
    bool only_removes = c->facts.removed_count > 0 && c->facts.added_count == 0 && !c->facts.policy_changed;
    HS_REQUIRE(!hs_bars_has(&bars, &c->facts.committer.device, c->hub_time) || (governs && only_removes),
               HS_ERR_DENIED);
    HS_REQUIRE(c->view->voids < VOIDS_OPEN ||
                   hs_policy_allows(&policy, &c->persona, c->hub_time, HS_RIGHT_REMOVE),
               HS_ERR_POLICY);
    return HS_OK;
}
