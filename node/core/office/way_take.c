/* Reading on to a HUB_MOVE that a chain has shown. The hub that is asked hasn't signed these records, and who
 * has signed them is gone; so their headers come first, from the HUB_MOVE back to where this copy ends, each
 * proving the one before it, and then the records of just these headers. The hashes are in memory only: after
 * a restart they are asked for again. */
#include "core/federation/follow.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/way.h"
#include "core/office/way_place.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "core/rooms/room.h"
#include "object/object.h"
#include "wire/limits.h"
#include "wire/unpack.h"

/* ---- where it leads ---- */

/* The move by which the hub goes that is known; NULL where the chain says nothing of it. */
static const Hanse__HubMoved *next_move(const Hanse__State__RoomView *view, const Hanse__Moved *moved,
                                        struct hs_record_header *header)
{
    size_t known = hs_room_term(view) - HS_POLICY_HUB_TERM_FIRST;
    const Hanse__HubMoved *link = known < moved->n_moves ? moved->moves[known] : NULL;
    if (link == NULL || hs_record_header_parse(hs_pb_bytes(link->header), header) != HS_OK ||
        header->seq < view->next_seq)
        return NULL;
    return link;
}

/* The hub in office, as the chain has it; where that is this node itself, which is to be it again, the one
 * before. */
static bool leads_to(struct hs_turn *turn, const Hanse__Moved *moved, Hanse__HubMoveBody **body,
                     struct hs_descriptor *d)
{
    size_t n = moved->n_moves;
    do {
        if (n-- == 0 ||
            HS_UNPACK(hanse__hub_move_body, hs_pb_bytes(moved->moves[n]->body), HS_STRICT, turn->arena,
                      body) != HS_OK ||
            hs_descriptor_claimed((*body)->descriptor, d) != HS_OK)
            return false;
    } while (hs_key_equal(&d->root, hs_turn_root(turn)));
    return true;
}

/* That hub, dialled for a while; NULL where there is no place for another one. It is followed when the
 * HUB_MOVE is there: what a chain says is the word of a hub that may be anybody's. */
static struct hs_peer *guide(struct hs_turn *turn, const Hanse__Moved *moved)
{
    char *addresses[HS_DESCRIPTOR_ADDRESSES];
    Hanse__HubMoveBody *body;
    struct hs_descriptor d;
    struct hs_bytes bytes;
    if (!leads_to(turn, moved, &body, &d))
        return NULL;
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &d.root);
    if (peer != NULL && peer->followed)
        return peer;
    if (peer == NULL || !peer->known || peer->sequence < d.sequence) {
        for (size_t i = 0; i < d.address_count; i++)
            addresses[i] = d.addresses[i];
        peer = hs_peer_get(turn, &d.root, addresses, d.address_count);
        if (peer == NULL || hs_object_pack(body->descriptor, turn->arena, &bytes) != HS_OK)
            return NULL;
        hs_peer_learn(turn, peer, bytes);
    }
    peer->call_until.ms = turn->now.ms + HS_WAY_REST_MS;
    return peer;
}

/* reader NULL: the peer. */
static void ask(struct hs_turn *turn, struct hs_peer *peer, struct hs_session *reader, struct hs_way *way,
                uint64_t from)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__WantTail want = HANSE__WANT_TAIL__INIT;
    want.room = hs_pb_data(HS_VIEW(way->room));
    want.from = from;
    want.headers = !way->proved;
    want.below = way->proved ? way->end : hs_way_low(way) + 1;
    frame.want_tail = &want;
    frame.body_case = HANSE__FRAME__BODY_WANT_TAIL;
    if (reader != NULL)
        hs_turn_send(turn, reader, &frame);
    else if (!hs_asked_log(turn, peer, &way->room, from, HS_WAY_ASK_MS, &frame))
        return;
    way->asked = reader != NULL ? reader->subscriber : (struct hs_key){0};
    way->waits = true;
    way->ask_at.ms = turn->now.ms + HS_WAY_ASK_MS;
}

/* The copy may have moved on meanwhile, by what the hub that goes still says itself, or begun anew. False
 * where it has become another log than the one that this way leads to. */
static bool meets(struct hs_way *way, const Hanse__State__RoomView *view, const struct hs_record_header *move)
{
    uint64_t next = view->next_seq, low = hs_way_low(way);
    if (way->end != move->seq + 1 || !hs_id_equal(hs_way_hash(way, move->seq), &move->hash))
        return false; /* of before a turn that came to nothing, or of the term before */
    if (low < next)
        way->proved = view->hash.len == 0 ||
                      hs_bytes_equal(HS_VIEW(*hs_way_hash(way, next - 1)), hs_pb_bytes(view->hash));
    else
        way->proved = way->proved && low == next;
    return low >= next || way->proved;
}

/* A room that is read on: what is known of the way from where the copy ends now. */
static struct hs_way *way_of(struct hs_turn *turn, const struct hs_id *room,
                             const Hanse__State__RoomView *view, const struct hs_record_header *move)
{
    struct hs_way *way = hs_way_find(turn->core, room);
    if (way != NULL && !meets(way, view, move)) {
        hs_way_free(turn->core, way);
        way = NULL;
    }
    return way != NULL ? way : hs_way_new(turn, room, view->next_seq, move);
}

static bool may_read_on(const Hanse__State__RoomView *view)
{
    return view != NULL && !view->hub && !view->forked;
}

void hs_way_work(struct hs_turn *turn, const struct hs_id *room)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    const Hanse__Moved *moved = hs_way_get(turn, room);
    struct hs_record_header move;
    if (moved == NULL || !may_read_on(view) || next_move(view, moved, &move) == NULL)
        return;
    struct hs_peer *peer = guide(turn, moved);
    bool up = peer != NULL && peer->state == HS_PEER_UP;
    struct hs_way *way = hs_way_find(turn->core, room);
    if (way != NULL && way->waits && turn->now.ms >= way->ask_at.ms) {
        way->waits = false; /* no answer */
        way->whom++;
    }
    size_t whom = way != NULL ? way->whom : 0;
    struct hs_session *reader =
        !up || whom % 2 > 0 ? hs_way_reader(turn, room, view->next_seq, whom / (up ? 2 : 1)) : NULL;
    way = up || reader != NULL ? way_of(turn, room, view, &move) : NULL;
    if (way != NULL && turn->now.ms >= way->ask_at.ms)
        ask(turn, peer, reader, way, view->next_seq);
    if (peer != NULL && (!up || way == NULL || !way->waits || reader != NULL))
        hs_peer_work(turn, peer);
}

/* What has been reached isn't needed any more; in the turn that reached it, it may have to be once more. */
static void sweep(struct hs_turn *turn)
{
    for (struct hs_way *way = turn->core->ways, *next; way != NULL; way = next) {
        struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_FRAME_MAX);
        struct hs_turn own = *turn;
        next = way->hh.next;
        own.arena = &scratch;
        if (hs_way_get(&own, &way->room) == NULL && turn->kv->err == HS_OK)
            hs_way_free(turn->core, way);
    }
}

void hs_way_tick(struct hs_turn *turn)
{
    uint8_t kind = HS_MISC_WAY;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key;
    struct hs_kv_key *from = &turn->core->way_from;
    sweep(turn);
    if (turn->full)
        return;
    if (from->len == 0)
        *from = hs_key1(prefix);
    for (size_t i = 0; i < HS_WAY_ROOMS; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_FRAME_MAX);
        struct hs_turn own = *turn;
        struct hs_id room;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, hs_kv_key_bytes(from), &scratch, &key, NULL) ||
            !HS_FIXED(hs_bytes(key.data + 1, key.len - 1), &room)) {
            from->len = 0;
            return;
        }
        *from = hs_kv_after(key);
        hs_way_work(&own, &room);
    }
}

/* ---- what comes ---- */

/* Headers from the newest to the oldest. How many were new. */
static size_t take_headers(struct hs_turn *turn, struct hs_way *way, const Hanse__State__RoomView *view,
                           const Hanse__Tail *tail)
{
    struct hs_record_header header;
    size_t taken = 0;
    for (size_t i = tail->n_records; i > 0 && !way->proved; i--) {
        uint64_t low = hs_way_low(way);
        if (hs_record_header_parse(hs_pb_bytes(tail->records[i - 1]->header), &header) != HS_OK ||
            header.seq != low || !hs_id_equal(&header.room, &way->room) ||
            !hs_id_equal(&header.hash, hs_way_hash(way, low)))
            continue;
        if (low > view->next_seq) {
            if (!hs_way_add(turn, way, &header.prev))
                return taken;
            taken++;
            continue;
        }
        way->proved = view->hash.len == 0 || hs_bytes_equal(HS_VIEW(header.prev), hs_pb_bytes(view->hash));
        if (!way->proved)
            hs_turn_log(turn, "event=way-refused error=LOG_FORK text=\"the hub that went ended another log "
                              "than it told\"");
        return way->proved ? taken + 1 : 0;
    }
    return taken;
}

/* The chain's link of that HUB_MOVE: its hub's last head, and what names that one's key. */
static const Hanse__HubMoved *link_of(const Hanse__Moved *moved, struct hs_bytes header)
{
    for (size_t i = 0; i < moved->n_moves; i++)
        if (hs_bytes_equal(hs_pb_bytes(moved->moves[i]->header), header))
            return moved->moves[i];
    return NULL;
}

/* The records of these headers, from the copy's end up to the next HUB_MOVE, which a copy may also have
 * before it of terms that it knows to be over. How many there were. */
static size_t take_records(struct hs_turn *turn, const struct hs_way *way, const Hanse__State__RoomView *view,
                           const Hanse__Moved *moved, const Hanse__HubMoved *link, const Hanse__Tail *tail)
{
    Hanse__Records records = HANSE__RECORDS__INIT;
    uint64_t next = view->next_seq;
    bool ends = false;
    if (tail->headers)
        return 0;
    records.records = hs_arena_alloc(turn->arena, (tail->n_records + 1) * sizeof *records.records);
    for (size_t i = 0; records.records != NULL && i < tail->n_records && next < way->end && !ends; i++) {
        struct hs_record_header header;
        struct hs_bytes bytes = hs_pb_bytes(tail->records[i]->header);
        if (hs_record_header_parse(bytes, &header) != HS_OK || header.seq != next ||
            !hs_id_equal(&header.hash, hs_way_hash(way, next)))
            continue;
        records.records[records.n_records++] = tail->records[i];
        ends = header.kind == HS_RECORD_HUB_MOVE;
        link = ends ? link_of(moved, bytes) : link;
        next++;
    }
    if (records.n_records == 0 || link == NULL)
        return 0;
    records.room = hs_pb_data(HS_VIEW(way->room));
    records.head = link->head;
    records.descriptor = link->descriptor;
    enum hs_err err = hs_follow_shown(turn, &way->room, &records);
    if (err != HS_OK)
        hs_turn_log(turn, "event=way-refused error=%s", hs_err_name(err));
    if (err == HS_ERR_NOMEM && turn->kv->err == HS_OK)
        turn->kv->err = err;
    return err == HS_OK ? records.n_records : 0;
}

/* Each record buys some time: who holds the place of another one by less rests, whatever it says. */
static void note(struct hs_turn *turn, struct hs_way *way, size_t taken)
{
    int64_t now = turn->now.ms, most = now + HS_WAY_REST_MS;
    int64_t until = (way->until.ms > now ? way->until.ms : now) + (int64_t)taken * HS_WAY_PACE_MS;
    way->until.ms = until < most ? until : most;
    way->idle = taken > 0 ? 0 : way->idle + 1;
    way->whom += taken > 0 ? 0 : 1;
    way->waits = false;
    way->ask_at.ms = now;
    if (way->idle < HS_WAY_ANSWERS)
        return;
    way->ask_at.ms = most;
    way->until.ms = now;
    way->idle = 0;
}

static void take(struct hs_turn *turn, const struct hs_id *room, const Hanse__Moved *moved,
                 const Hanse__Tail *tail)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_record_header move;
    const Hanse__HubMoved *link = may_read_on(view) ? next_move(view, moved, &move) : NULL;
    struct hs_way *way = link != NULL ? way_of(turn, room, view, &move) : NULL;
    if (way == NULL || turn->full)
        return;
    size_t taken =
        way->proved ? take_records(turn, way, view, moved, link, tail) : take_headers(turn, way, view, tail);
    note(turn, way, taken);
    if (turn->kv->err == HS_OK)
        hs_way_work(turn, room);
}

void hs_way_answered(struct hs_turn *turn, const struct hs_peer *peer, const struct hs_id *room,
                     const Hanse__Tail *tail)
{
    const Hanse__Moved *moved = hs_way_get(turn, room);
    Hanse__HubMoveBody *body;
    struct hs_descriptor d;
    if (moved != NULL && leads_to(turn, moved, &body, &d) && hs_key_equal(&d.root, &peer->root))
        take(turn, room, moved, tail); /* nobody else was asked */
}

void hs_way_told(struct hs_turn *turn, const struct hs_id *room, const Hanse__Tail *tail)
{
    const struct hs_way *way = hs_way_find(turn->core, room);
    const Hanse__Moved *moved = way != NULL ? hs_way_get(turn, room) : NULL;
    if (moved != NULL && hs_key_equal(&way->asked, &turn->session->subscriber))
        take(turn, room, moved, tail);
}
