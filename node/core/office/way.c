#include "core/office/way.h"

#include "core/dispatch.h"
#include "core/federation/evidence.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/apply.h"
#include "core/records/layout.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/rooms/room.h"
#include "object/object.h"
#include "wire/unpack.h"

static struct hs_kv_key way_key(const struct hs_id *room)
{
    return hs_key_sub(HS_MISC_WAY, HS_VIEW(*room), (struct hs_bytes){0});
}

Hanse__Moved *hs_way_get(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_kv_key key = way_key(room);
    return (Hanse__Moved *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__moved);
}

bool hs_way_show(struct hs_turn *turn, struct hs_session *session, const struct hs_id *room,
                 const Hanse__State__RoomView *view)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Moved moved = HANSE__MOVED__INIT, *shown = hs_way_get(turn, room);
    frame.body_case = HANSE__FRAME__BODY_WAY;
    frame.way = shown != NULL ? shown : &moved;
    moved.room = hs_pb_data(HS_VIEW(*room));
    if (shown == NULL && (hs_office_is_coming(view) ||
                          hs_office_moves(turn, room, view, &moved.moves, &moved.n_moves) != HS_OK))
        return false;
    hs_turn_send(turn, session, &frame);
    return true;
}

void hs_way_reached(struct hs_turn *turn, const struct hs_id *room, uint32_t term)
{
    const Hanse__Moved *moved = hs_way_get(turn, room);
    struct hs_kv_key key = way_key(room);
    if (moved != NULL && term >= HS_POLICY_HUB_TERM_FIRST + moved->n_moves)
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
}

void hs_way_shown_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                        const Hanse__State__StreamRecord *record)
{
    (void)at;
    struct hs_id room;
    if (!HS_FIXED(hs_pb_bytes(record->way_shown->room), &room))
        return;
    struct hs_kv_key key = way_key(&room);
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), hs_pb_bytes(record->way_shown->moved));
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (view == NULL || !view->hub)
        return;
    view->resumed = 0; /* it was let go on too early: it stands still again */
    hs_room_store(turn, &room, view);
}

/* ---- what is shown ---- */

/* Does it say more than what is known, before anything of it is verified? A hub in office has its own log,
 * unless that came from a backup. */
static bool is_news(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                    const Hanse__Moved *moved)
{
    const Hanse__Moved *known = hs_way_get(turn, room);
    if (view->forked || hs_office_is_coming(view) || (view->hub && hs_restored_since(turn) == 0))
        return false;
    return HS_POLICY_HUB_TERM_FIRST + moved->n_moves > hs_room_term(view) &&
           (known == NULL || moved->n_moves > known->n_moves);
}

/* The oldest of its own keys by which this hub may have given the room away, and not know it: where it orders
 * again, only its present one. */
static uint64_t may_have_forgotten(struct hs_turn *turn, const Hanse__State__RoomView *view)
{
    struct hs_descriptor newest;
    if (hs_recover_is_frozen(turn, view))
        return hs_node_key_forgotten(turn, view->resumed);
    return hs_node_key_newest(turn, hs_turn_root(turn), &newest) != NULL ? newest.sequence : 0;
}

/* A hub's replaced keys may be in anybody's hands: what it signs behind a head is by that head's key, or by a
 * later one. What this node itself has forgotten, it hasn't signed by a key that it had replaced before; and
 * where it orders again, the heads of its present key are out. */
static enum hs_err check_key(struct hs_turn *turn, const struct hs_id *room,
                             const Hanse__State__RoomView *view, const struct hs_key *root,
                             const Hanse__HubMoved *link)
{
    Hanse__SignedObject *kept = view->hub ? NULL : hs_room_kept_head(turn, room);
    struct hs_descriptor known, shown;
    struct hs_key key;
    HS_TRY(hs_descriptor_open(link->descriptor, root, &shown));
    if (view->hub)
        return shown.sequence >= may_have_forgotten(turn, view) ? HS_OK : HS_ERR_REPLAY;
    if (kept == NULL || !hs_object_claimed_signer(kept, 0, &key) ||
        hs_node_key_of(turn, root, &key, &known) == NULL)
        return HS_OK;
    return shown.sequence >= known.sequence ? HS_OK : HS_ERR_REPLAY;
}

/* The hub that is known signed that it went, at a record that this copy hasn't got. */
static enum hs_err check(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         const Hanse__Moved *moved)
{
    struct hs_hub_office known = {.term = hs_room_term(view)}, office;
    struct hs_key brand = hs_room_brand(turn, view);
    struct hs_record_header header;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(view->hub_root), &known.root), HS_ERR_STORE);
    HS_TRY(hs_hub_moved_on(moved->moves, moved->n_moves, room, turn->arena, &brand, &known, &office, NULL));
    const Hanse__HubMoved *link = moved->moves[known.term - HS_POLICY_HUB_TERM_FIRST];
    HS_TRY(check_key(turn, room, view, &known.root, link));
    HS_TRY(hs_record_header_parse(hs_pb_bytes(link->header), &header));
    if (view->hub || header.seq >= view->next_seq)
        return HS_OK; /* this hub itself signed it: whatever it has said since, it is the hub no more */
    (void)hs_evidence_of_head(turn, room, view, link->head);
    return HS_ERR_LOG_FORK;
}

/* The term that a HUB_MOVE of this copy begins, which was verified when it came; 0 where there is none. */
static uint32_t begins(struct hs_turn *turn, const Hanse__State__RoomEntry *entry)
{
    Hanse__HubMoveBody *body;
    Hanse__HubMove *move;
    if (entry == NULL ||
        HS_UNPACK(hanse__hub_move_body, hs_pb_bytes(entry->body), HS_LENIENT, turn->arena, &body) != HS_OK ||
        body->move == NULL ||
        HS_UNPACK(hanse__hub_move, hs_pb_bytes(body->move->payload), HS_LENIENT, turn->arena, &move) != HS_OK)
        return 0;
    return move->hub_term;
}

/* The chain's move to that term, where it is another record than this copy's; NULL where it isn't. */
static const Hanse__HubMoved *another(const Hanse__Moved *moved, uint32_t term,
                                      const Hanse__State__RoomEntry *entry)
{
    size_t i = term - HS_POLICY_HUB_TERM_FIRST - 1;
    if (term <= HS_POLICY_HUB_TERM_FIRST || i >= moved->n_moves)
        return NULL;
    return hs_bytes_equal(hs_pb_bytes(entry->header), hs_pb_bytes(moved->moves[i]->header)) ? NULL
                                                                                            : moved->moves[i];
}

/* One hub gave one term away twice: whoever follows the other one is in another room by now. */
static void look_for_another(struct hs_turn *turn, const struct hs_id *room,
                             const Hanse__State__RoomView *view, const Hanse__Moved *moved)
{
    struct hs_key brand = hs_room_brand(turn, view), root;
    struct hs_hub_office office;
    if (view->hub || view->forked)
        return;
    for (uint64_t seq = 0; hs_office_move_at(turn, room, seq, &seq); seq++) {
        Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, seq);
        uint32_t term = begins(turn, entry);
        const Hanse__HubMoved *theirs = another(moved, term, entry);
        if (theirs == NULL)
            continue;
        if (hs_hub_moved_verify(moved->moves, term - HS_POLICY_HUB_TERM_FIRST, room, turn->arena, &root,
                                &office, NULL) == HS_OK &&
            hs_key_equal(&root, &brand))
            (void)hs_evidence_of_move(turn, room, seq, theirs);
        return;
    }
}

/* What of it is kept: the parts, as this version knows them. */
static void keep(struct hs_turn *turn, const struct hs_id *room, const Hanse__Moved *moved)
{
    Hanse__State__WayShown shown = HANSE__STATE__WAY_SHOWN__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    struct hs_bytes bytes = hs_turn_pack(turn, &moved->base);
    if (bytes.len == 0) {
        turn->kv->err = HS_ERR_NOMEM;
        return;
    }
    shown.room = hs_pb_data(HS_VIEW(*room));
    shown.moved = hs_pb_data(bytes);
    record.way_shown = &shown;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_WAY_SHOWN;
    hs_stream_record(turn, HS_STREAM_NODE, HS_VIEW(*hs_turn_root(turn)), &record);
    hs_turn_log(turn, "event=hub-moved term=%zu text=\"the hub of a room has gone, as it signed\"",
                HS_POLICY_HUB_TERM_FIRST + moved->n_moves);
}

/* Whoever shows a hub that it has gone has its log up to there, or knows of somebody who comes. */
static void asks_for_rest(struct hs_turn *turn, const struct hs_id *room, const Hanse__Moved *moved)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_record_header header;
    if (view == NULL || turn->session->outbound || !hs_recover_is_frozen(turn, view) ||
        hs_record_header_parse(hs_pb_bytes(moved->moves[hs_room_term(view) - 1]->header), &header) != HS_OK)
        return;
    bool known = hs_subscription_view(turn, &turn->session->subscriber, room) != NULL;
    hs_recover_attached(turn, room, view, header.seq + 1, known);
}

/* What is wrong with it is nobody's fault but its maker's: it is passed over, and changes nothing. */
enum hs_err hs_handle_way(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                          uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Moved *moved = request->way;
    struct hs_id room;
    HS_TAKE32(moved->room, &room);
    const Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (view == NULL)
        return HS_OK;
    look_for_another(turn, &room, view, moved);
    if (!is_news(turn, &room, view, moved))
        return turn->kv->err;
    enum hs_err err = check(turn, &room, view, moved);
    HS_REQUIRE(err != HS_ERR_NOMEM && turn->kv->err == HS_OK, err);
    if (err != HS_OK) {
        hs_turn_log(turn, "event=way-refused error=%s", hs_err_name(err));
        return HS_OK;
    }
    keep(turn, &room, moved);
    if (view->hub)
        asks_for_rest(turn, &room, moved);
    hs_way_work(turn, &room);
    return HS_OK;
}
