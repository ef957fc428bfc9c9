/* The office comes here: record after record from number 0 on, those that this node copied as a follower from
 * its own log, those before them from the former hub. Everything is in the store, so it goes on from there
 * after whatever happens. */
#include "core/delivery/due.h"
#include "core/federation/follow.h"
#include "core/federation/outbox.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/office_check.h"
#include "core/office/takeover.h"
#include "core/office/way.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/standing/kept.h"
#include "core/standing/standing.h"
#include "object/object.h"
#include "wire/limits.h"

enum { ROOM_CAP = 64 << 20 /* one record: as a turn has for a commit */ };

/* ---- one record ---- */

static enum hs_err check(struct hs_turn *turn, const struct hs_id *room, Hanse__State__RoomView *view,
                         const Hanse__State__RoomEntry *entry, struct hs_record_header *header)
{
    struct hs_log_tip tip = {.next_seq = view->next_seq, .hub_time = {view->hub_time_ms}};
    if (tip.next_seq > 0)
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(view->hash), &tip.hash), HS_ERR_STORE);
    HS_TRY(hs_log_check_next(&tip, room, hs_pb_bytes(entry->header), hs_pb_bytes(entry->body), header));
    HS_REQUIRE(!header->erased || header->kind == HS_RECORD_POST, HS_ERR_LOG_GAP);
    struct hs_room_record r = {.room = *room, .view = view, .header = *header, .entry = entry};
    return hs_office_check(turn, &r);
}

/* In a memory and a time of its own. An error is the former hub's; this machine's troubles end the turn. */
static enum hs_err take(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomEntry *entry)
{
    struct hs_arena HS_ARENA scratch = hs_arena(ROOM_CAP);
    struct hs_turn own = *turn;
    struct hs_record_header header;
    own.arena = &scratch;
    Hanse__State__RoomView *view = hs_room_view(&own, room);
    HS_REQUIRE(view != NULL, HS_ERR_STORE);
    HS_TRY(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
    own.now = header.hub_time; /* as it was when it came first, and as it will be when it is replayed */
    HS_TRY(check(&own, room, view, entry, &header));
    enum hs_err err = hs_room_apply(&own, room, header.seq, entry);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
    return turn->kv->err;
}

/* ---- when all is here ---- */

/* Other nodes that were turned away while nothing was known of them. */
static void let_in(struct hs_turn *turn)
{
    for (struct hs_session *s = turn->core->sessions.by_id; s != NULL; s = s->hh.next)
        if (s->state == HS_SESSION_NODE && !s->outbound && !s->closed)
            hs_standing_again(turn, s);
}

/* This node was restored, and has just come back to a later term of its own: who reads here says what more
 * there is of that, as when it came. */
static void ask_readers(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_turn own = *turn;
    if (!hs_recover_is_frozen(turn, view))
        return;
    for (struct hs_session *s = turn->core->sessions.by_id; s != NULL; s = s->hh.next) {
        const struct hs_position *position = hs_session_position(s, room);
        own.session = s;
        if (position != NULL && !s->closed)
            hs_recover_attached(&own, room, view, position->next, true);
    }
}

static void arrived(struct hs_turn *turn, const struct hs_id *room)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_key former;
    if (view == NULL || !HS_FIXED(hs_pb_bytes(view->former_root), &former))
        return;
    hs_turn_log(turn, "event=hub-in-office term=%u records=%llu", hs_room_term(view),
                (unsigned long long)view->next_seq);
    turn->core->stats.rooms++;
    hs_outbox_take(turn, &former, room);
    let_in(turn);
    ask_readers(turn, room, view);
    hs_tell_again(turn->core);
    hs_due_room(&turn->core->sessions, room);
}

bool hs_office_rests(const struct hs_turn *turn, const struct hs_id *room)
{
    const struct hs_office_walk *walk = &turn->core->office;
    for (size_t i = 0; i < HS_OFFICE_RESTS; i++)
        if (walk->rests[i].until.ms > turn->now.ms && hs_id_equal(&walk->rests[i].room, room))
            return true;
    return false;
}

void hs_office_rest(struct hs_turn *turn, const struct hs_id *room, int64_t ms)
{
    struct hs_office_walk *walk = &turn->core->office;
    size_t at = 0;
    for (size_t i = 0; i < HS_OFFICE_RESTS; i++)
        at = walk->rests[i].until.ms < walk->rests[at].until.ms ? i : at;
    walk->rests[at].room = *room;
    walk->rests[at].until.ms = turn->now.ms + ms;
}

static void refuse(struct hs_turn *turn, const struct hs_id *room, uint64_t seq, enum hs_err err)
{
    hs_office_rest(turn, room, HS_OFFICE_AGAIN_MS);
    hs_turn_log(turn,
                "event=office-refused record=%llu error=%s text=\"the former hub's log can't be taken over\"",
                (unsigned long long)seq, hs_err_name(err));
}

/* ---- asking the former hub ---- */

static void ask(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_key former;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__WantTail want = HANSE__WANT_TAIL__INIT;
    if (!HS_FIXED(hs_pb_bytes(view->former_root), &former))
        return;
    want.room = hs_pb_data(HS_VIEW(*room));
    want.from = view->next_seq;
    frame.want_tail = &want;
    frame.body_case = HANSE__FRAME__BODY_WANT_TAIL;
    (void)hs_asked_log(turn, hs_peer_find(&turn->core->peers, &former), room, view->next_seq,
                       HS_OFFICE_ASK_MS, &frame);
}

/* ---- work ---- */

/* Some records of one room; true where there is more to do at once. */
static bool work(struct hs_turn *turn, const struct hs_id *room)
{
    for (size_t i = 0; i < HS_OFFICE_RECORDS; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_FRAME_MAX);
        struct hs_turn reading = *turn;
        reading.arena = &scratch;
        const Hanse__State__RoomView *view = hs_room_view(&reading, room);
        if (!hs_office_is_coming(view) || turn->kv->err != HS_OK)
            return false;
        uint64_t seq = view->next_seq, end = view->office_end;
        if (seq < view->copied_from) {
            ask(turn, room, view);
            return false;
        }
        const Hanse__State__RoomEntry *entry = hs_room_entry(&reading, room, seq);
        enum hs_err err = entry != NULL ? take(turn, room, entry) : HS_ERR_LOG_GAP;
        if (err != HS_OK) {
            if (turn->kv->err == HS_OK)
                refuse(turn, room, seq, err);
            return false;
        }
        if (seq + 1 == end) {
            arrived(turn, room);
            return false;
        }
    }
    return true;
}

void hs_office_tick(struct hs_turn *turn)
{
    uint8_t kind = HS_MISC_OFFICE;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    struct hs_office_walk *walk = &turn->core->office;
    if (turn->full) {
        walk->more = false;
        return;
    }
    if (walk->from.len == 0)
        walk->from = hs_key1(prefix);
    for (size_t looks = 0, rooms = 0; looks < HS_OFFICE_LOOKS && rooms < HS_OFFICE_ROOMS; looks++) {
        struct hs_arena HS_ARENA scratch = hs_arena(4096);
        struct hs_id room;
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, hs_kv_key_bytes(&walk->from), &scratch, &key, NULL) ||
            !HS_FIXED(hs_bytes(key.data + 1, key.len - 1), &room)) {
            walk->more = walk->lap_more;
            walk->lap_more = false;
            walk->from.len = 0;
            return;
        }
        walk->from = hs_kv_after(key);
        if (hs_office_rests(turn, &room))
            continue;
        rooms++;
        bool more = work(turn, &room);
        walk->more = more || walk->more;
        walk->lap_more = more || walk->lap_more;
    }
}

struct hs_time hs_office_deadline(const struct hs_core *core)
{
    return (struct hs_time){core->office.more ? 0 : INT64_MAX};
}

/* Records of a room that has been given to this node. */
static void take_tail(struct hs_turn *turn, const struct hs_id *of, const Hanse__State__RoomView *view,
                      const Hanse__Tail *tail)
{
    struct hs_id room = *of;
    uint64_t seq = view->next_seq, end = view->copied_from;
    for (size_t i = 0; i < tail->n_records && seq < end; i++, seq++) {
        Hanse__State__RoomEntry entry;
        struct hs_record_header header;
        enum hs_err err = hs_record_header_parse(hs_pb_bytes(tail->records[i]->header), &header);
        if (err == HS_OK) {
            hs_prefix_entry(tail, i, &header, 0, &entry);
            err = take(turn, &room, &entry);
        }
        if (err != HS_OK) {
            if (turn->kv->err == HS_OK)
                refuse(turn, &room, seq, err);
            return;
        }
    }
    turn->core->office.more = work(turn, &room) || turn->core->office.more;
}

void hs_office_answered(struct hs_turn *turn, const struct hs_peer *peer, const struct hs_asked *asked,
                        const Hanse__Frame *answer)
{
    struct hs_id room;
    const Hanse__Tail *tail = answer->body_case == HANSE__FRAME__BODY_TAIL ? answer->tail : NULL;
    if (tail != NULL && !HS_FIXED(hs_pb_bytes(tail->room), &room))
        return;
    if (tail != NULL && asked != NULL && !hs_id_equal(&room, &asked->room))
        return;
    if (tail == NULL && asked != NULL)
        room = asked->room;
    if (turn->full || (tail == NULL && asked == NULL))
        return; /* asked again at the next tick */
    const Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (view == NULL)
        return;
    bool of_hub = hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(peer->root));
    bool of_former = hs_bytes_equal(hs_pb_bytes(view->former_root), HS_VIEW(peer->root));
    if (!view->hub && of_hub && hs_takeover_is_wanted(turn, &room))
        hs_takeover_answered(turn, &room, answer);
    else if (tail != NULL && !hs_office_is_coming(view))
        hs_way_answered(turn, peer, &room, tail);
    else if (tail != NULL && of_former)
        take_tail(turn, &room, view, tail);
}

void hs_office_moved(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *former)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_key hub;
    if (view == NULL || !HS_FIXED(hs_pb_bytes(view->hub_root), &hub))
        return;
    if (hs_office_is_coming(view)) {
        hs_turn_log(turn, "event=office-comes text=\"this node becomes the hub of a room\"");
        turn->core->office.more = work(turn, room) || turn->core->office.more;
        return;
    }
    struct hs_descriptor d;
    Hanse__SignedObject *object;
    char *addresses[HS_DESCRIPTOR_ADDRESSES];
    if (hs_object_unpack(hs_pb_bytes(view->descriptor), turn->arena, &object) != HS_OK ||
        hs_descriptor_open(object, &hub, &d) != HS_OK)
        return;
    for (size_t i = 0; i < d.address_count; i++)
        addresses[i] = d.addresses[i];
    bool is_met = hs_peer_find(&turn->core->peers, &hub) == NULL;
    struct hs_peer *peer = hs_peer_get(turn, &hub, addresses, d.address_count);
    if (peer == NULL)
        return;
    if (is_met) /* before it is followed; of its rooms this one is copied, which counts below */
        peer->kept_known = hs_kept_is_nothing(turn, &hub, 1);
    hs_peer_learn(turn, peer, hs_pb_bytes(view->descriptor));
    hs_peer_follow(turn, peer);
    hs_kept_count(turn, &hub, view->log_bytes); /* the copy is its own now */
    hs_outbox_move(turn, former, &hub, room);
    if (peer->state == HS_PEER_UP)
        hs_follow_attach_room(turn, peer, room, view->next_seq);
    hs_peer_work(turn, peer);
}
