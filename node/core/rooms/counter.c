/* OpenCounter: a customer asks the brand for a counter room; a till will make it. */
#include "core/accounts/account.h"
#include "core/delivery/inbox.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/office/told.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/standing/guest.h"
#include "core/standing/standing.h"
#include "room/package.h"

enum { WISH_MS = 10000 }; /* between two wishes of one customer */

enum { TILLS_ASKED = 16 }; /* a brand's tills; those behind are asked once these have no account any more */

/* The brand's till: the first that is connected, else the first of all, which will find the wish in its
 * inbox. */
static bool find_till(struct hs_turn *turn, struct hs_key *device)
{
    uint8_t sub = HS_MISC_TILL;
    struct hs_bytes key, value, prefix = hs_bytes(&sub, 1);
    struct hs_kv_key from = hs_key1(prefix);
    bool found = false;
    for (size_t i = 0; i < TILLS_ASKED; i++) {
        struct hs_key till;
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, hs_kv_key_bytes(&from), turn->arena, &key, &value) ||
            !HS_FIXED(value, &till))
            break;
        bool here = hs_session_of(&turn->core->sessions, &till) != NULL;
        if (!found || here)
            *device = till;
        found = true;
        if (here)
            break;
        from = hs_kv_after(key);
    }
    return found;
}

/* The same key package again is the same wish; another one must wait, or one customer could fill the till's
 * inbox. */
static enum hs_err check_wish(struct hs_turn *turn, const struct hs_key *persona, const struct hs_id *ref,
                              bool *known)
{
    struct hs_kv_key key = hs_key_sub(HS_MISC_COUNTER, HS_VIEW(*persona), (struct hs_bytes){0});
    Hanse__State__CounterView *view =
        (Hanse__State__CounterView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__counter_view);
    *known = view != NULL && hs_bytes_equal(hs_pb_bytes(view->key_package_ref), HS_VIEW(*ref));
    bool soon = view != NULL && turn->now.ms >= view->asked_ms && turn->now.ms - view->asked_ms < WISH_MS;
    return soon && !*known ? HS_ERR_RATE_LIMITED : HS_OK;
}

void hs_counter_asked_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                            const Hanse__State__StreamRecord *record)
{
    const Hanse__State__CounterAsked *asked = record->counter_asked;
    Hanse__State__CounterView view = HANSE__STATE__COUNTER_VIEW__INIT;
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__CounterItem counter = HANSE__COUNTER_ITEM__INIT;
    struct hs_key till;
    struct hs_kv_key key = hs_key_sub(HS_MISC_COUNTER, hs_pb_bytes(asked->persona), (struct hs_bytes){0});
    view.home_root = asked->home_root;
    view.key_package_ref = asked->key_package_ref;
    view.device = asked->device;
    view.asked_ms = record->time_ms;
    hs_view_put(turn, HS_T_MISC, &key, &view.base);
    counter.persona = asked->persona;
    counter.home_root = asked->home_root;
    counter.key_package = asked->key_package;
    item.counter = &counter;
    item.body_case = HANSE__INBOX_ITEM__BODY_COUNTER;
    if (HS_FIXED(hs_pb_bytes(asked->till), &till))
        hs_inbox_put_from(turn, &till, &item, at);
}

/* Of a room that has moved this node knows the members by itself, or from the hub in office. */
static enum hs_err check_member(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona)
{
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_key home;
    if (view == NULL || view->hub || !view->was_hub) {
        HS_TRY(hs_room_hubbed(turn, room, &view));
        return hs_room_speaker(turn, room, persona);
    }
    HS_TRY(hs_brand_member(turn, room, persona, &home));
    bool acts = turn->session->state == HS_SESSION_DEVICE ? hs_session_acts_for(turn, NULL, persona)
                                                          : hs_key_equal(&home, &turn->session->subscriber);
    return acts ? HS_OK : HS_ERR_WRONG_SENDER;
}

enum hs_err hs_handle_open_counter(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                   uint64_t *detail)
{
    (void)detail;
    const Hanse__OpenCounter *open = request->open_counter;
    struct hs_id room;
    struct hs_key persona, till;
    struct hs_room_package package;
    bool known;
    Hanse__State__CounterAsked asked = HANSE__STATE__COUNTER_ASKED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    HS_TAKE32(open->room, &room);
    HS_TAKE32(open->persona, &persona);
    HS_REQUIRE(open->key_package.len <= HS_BLOB_THRESHOLD, HS_ERR_TOO_LARGE);
    HS_TRY(check_member(turn, &room, &persona));
    HS_TRY(hs_room_package_check(hs_pb_bytes(open->key_package), hs_turn_root(turn), turn->now, &package));
    HS_REQUIRE(hs_key_equal(&package.member.persona, &persona), HS_ERR_WRONG_SENDER);
    HS_TRY(check_wish(turn, &persona, &package.ref, &known));
    hs_reply_ack(turn, reply);
    if (known) {
        hs_standing_joined(turn);
        return HS_OK;
    }
    if (turn->session->state == HS_SESSION_NODE)
        HS_TRY(hs_guest_check(turn, &turn->session->subscriber, &persona, NULL,
                              hs_quota_of(turn->session->standing)));
    HS_REQUIRE(find_till(turn, &till), HS_ERR_NOT_FOUND);
    HS_REQUIRE(!hs_inbox_is_full(turn, &till), HS_ERR_BUSY);
    asked.persona = open->persona;
    asked.home_root = hs_pb_data(turn->session->state == HS_SESSION_NODE ? HS_VIEW(turn->session->subscriber)
                                                                         : HS_VIEW(*hs_turn_root(turn)));
    asked.key_package = open->key_package;
    asked.key_package_ref = hs_pb_data(HS_VIEW(package.ref));
    asked.device = hs_pb_data(HS_VIEW(package.member.device));
    asked.till = hs_pb_data(HS_VIEW(till));
    record.counter_asked = &asked;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_COUNTER_ASKED;
    hs_stream_record(turn, HS_STREAM_ACCOUNT, HS_VIEW(persona), &record);
    hs_standing_joined(turn);
    return HS_OK;
}
