#include "core/recovery/recover.h"

#include "core/accounts/account.h"
#include "core/internal.h"
#include "core/office/way.h"
#include "core/records/apply.h"
#include "core/records/layout.h"
#include "core/records/table.h"
#include "core/recovery/recovery.h"
#include "core/rooms/room_record.h"
#include "core/rooms/settle.h"
#include "core/rooms/wanted.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum {
    SCRATCH_CAP = 4 * HS_FRAME_MAX,
    ROOM_CAP = 8 * 1024 * 1024 /* what one room takes to go on: there may be thousands in a turn */
};

/* ---- what stands still ---- */

static struct hs_kv_key ledger_key(void)
{
    return hs_key_sub(HS_MISC_RESUMED, (struct hs_bytes){0}, (struct hs_bytes){0});
}

bool hs_recover_is_frozen(struct hs_turn *turn, const Hanse__State__RoomView *view)
{
    return view->hub && view->resumed < hs_restored_since(turn);
}

bool hs_recover_ledger_is_frozen(struct hs_turn *turn)
{
    struct hs_kv_key key = ledger_key();
    return hs_number_get(turn, HS_T_MISC, &key, NULL) < hs_restored_since(turn);
}

void hs_resumed_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                      const Hanse__State__StreamRecord *record)
{
    (void)at;
    struct hs_id room;
    struct hs_kv_key ledger = ledger_key();
    if (!HS_FIXED(hs_pb_bytes(record->resumed->room), &room)) {
        hs_number_put(turn, HS_T_MISC, &ledger, record->resumed->incarnation);
        return;
    }
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (view == NULL)
        return;
    view->resumed = record->resumed->incarnation;
    hs_room_store(turn, &room, view);
}

/* room NULL: the ledger. */
static void resume(struct hs_turn *whole, const struct hs_id *room)
{
    struct hs_arena HS_ARENA scratch = hs_arena(ROOM_CAP);
    struct hs_turn own = *whole, *turn = &own;
    own.arena = &scratch;
    Hanse__State__Resumed resumed = HANSE__STATE__RESUMED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    if (room != NULL)
        resumed.room = hs_pb_data(HS_VIEW(*room));
    resumed.incarnation = hs_restored_since(turn);
    record.resumed = &resumed;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_RESUMED;
    hs_stream_record(turn, HS_STREAM_NODE, HS_VIEW(*hs_turn_root(turn)), &record);
    const Hanse__State__UnsettledView *unsettled = room != NULL ? hs_unsettled_view(turn, room) : NULL;
    if (unsettled != NULL)
        (void)hs_settling_of(turn->core, room, unsettled, turn->now);
    if (room != NULL)
        hs_wanted_note(turn, room, hs_room_view(turn, room));
}

/* ---- who comes ---- */

void hs_recover_attached(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         uint64_t next, bool known)
{
    struct hs_recovery *r = hs_recovery_get(turn, room);
    if (r == NULL)
        return;
    hs_recovery_check(turn->core, r, view->next_seq);
    hs_recovery_came(r, &turn->session->subscriber, next, known);
    hs_recovery_go_on(turn, r, view);
}

void hs_recover_ahead(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    Hanse__WantTail want = HANSE__WANT_TAIL__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    want.room = hs_pb_data(HS_VIEW(*room));
    want.from = view->next_seq;
    want.headers = true;
    frame.want_tail = &want;
    frame.body_case = HANSE__FRAME__BODY_WANT_TAIL;
    hs_turn_send(turn, turn->session, &frame);
}

/* ---- going on ---- */

/* Have all other nodes with members come, and at least half of the devices here, and is what they hold back?
 */
static bool enough_came(struct hs_turn *turn, const struct hs_recovery *r, uint64_t next_seq)
{
    struct hs_bytes prefix = HS_VIEW(r->room), key, value;
    struct hs_kv_key from = hs_key1(prefix);
    uint64_t here = 0, came = 0;
    if (HASH_COUNT(r->readers) == 0 || hs_recovery_lacks(r, next_seq))
        return false;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        Hanse__State__MemberView *member;
        struct hs_key home, persona;
        if (!hs_kv_next(turn->kv, HS_T_MEMBER, prefix, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return 2 * came >= here;
        from = hs_kv_after(key);
        if (HS_UNPACK(hanse__state__member_view, value, HS_LENIENT, &scratch, &member) != HS_OK ||
            !HS_FIXED(hs_pb_bytes(member->home_root), &home) ||
            !HS_FIXED(hs_bytes(key.data + prefix.len, key.len - prefix.len), &persona))
            return false;
        bool local = hs_key_equal(&home, hs_turn_root(turn));
        if (!local && !hs_recovery_is_content(r, &home, next_seq))
            return false;
        here += local ? 1 : 0;
        came += local && hs_persona_subscriber(turn, &persona, &home) &&
                        hs_recovery_is_content(r, &home, next_seq)
                    ? 1
                    : 0;
    }
}

/* A room that has moved isn't this node's to let go on, nor one of which it has signed a later term: there
 * would be two hubs. */
static bool has_moved(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    const struct hs_recovery *r = hs_recovery_of(turn->core, room);
    own.arena = &scratch;
    return (r != NULL && r->term > hs_room_term(view)) || hs_way_get(&own, room) != NULL;
}

/* It isn't enough: whoever has come is asked again. Only the operator can know more. */
static void wait_on(struct hs_turn *turn, struct hs_recovery *r, uint64_t next_seq)
{
    if (hs_recovery_lacks(r, next_seq) && !r->told) {
        r->told = true;
        hs_turn_log(turn, "event=recovery a reader shows that this node signed more of a room, and nobody "
                          "brings it; see hansed resume");
    }
    hs_recovery_again(r);
}

void hs_recover_tick(struct hs_turn *turn)
{
    size_t looked = 0;
    for (struct hs_recovery *r = turn->core->recoveries, *next; r != NULL && looked < HS_RECOVER_TICK;
         r = next) {
        next = r->hh.next;
        const Hanse__State__RoomView *view = hs_room_view(turn, &r->room);
        if (view == NULL || !hs_recover_is_frozen(turn, view)) {
            hs_recovery_free(turn->core, r);
            continue;
        }
        hs_recovery_forget(turn->core, r, view->next_seq);
        hs_recovery_go_on(turn, r, view);
        if (r->count > 0 || turn->now.ms - r->since.ms < turn->core->recover_ms)
            continue;
        looked++;
        r->since.ms = turn->now.ms - turn->core->recover_ms / 2; /* and again in half that time */
        if (!has_moved(turn, &r->room, view) && enough_came(turn, r, view->next_seq)) {
            resume(turn, &r->room);
            hs_turn_log(turn, "event=resumed a restored room goes on: all that its readers hold is back");
        } else {
            wait_on(turn, r, view->next_seq);
        }
    }
}

/* Calls resume for every room that stands still, or counts them. */
static uint64_t all_frozen(struct hs_turn *turn, bool resumes)
{
    struct hs_bytes key, value, none = {0};
    struct hs_kv_key from = {0};
    uint64_t count = 0;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        Hanse__State__RoomView *view;
        struct hs_id room;
        if (!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return count;
        from = hs_kv_after(key);
        if (HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &scratch, &view) != HS_OK ||
            !hs_recover_is_frozen(turn, view) || !HS_FIXED(key, &room))
            continue;
        bool moved = has_moved(turn, &room, view);
        count += resumes && moved ? 0 : 1;
        if (resumes && !moved)
            resume(turn, &room);
    }
}

uint64_t hs_recover_count(struct hs_turn *turn)
{
    return hs_restored_since(turn) > 0 ? all_frozen(turn, false) : 0;
}

enum hs_err hs_recover_resume(struct hs_turn *turn, const struct hs_id *room)
{
    if (room == NULL) {
        bool ledger = hs_recover_ledger_is_frozen(turn);
        if (ledger)
            resume(turn, NULL);
        return all_frozen(turn, true) > 0 || ledger ? HS_OK : HS_ERR_NOT_FOUND;
    }
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    HS_REQUIRE(view != NULL && hs_recover_is_frozen(turn, view), HS_ERR_NOT_FOUND);
    HS_REQUIRE(!has_moved(turn, room, view), HS_ERR_HUB_MOVED);
    resume(turn, room);
    return HS_OK;
}
