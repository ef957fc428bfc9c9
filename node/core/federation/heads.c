#include "core/federation/heads.h"

#include "core/dispatch.h"
#include "core/federation/evidence.h"
#include "core/internal.h"
#include "core/office/way.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/standing/standing.h"
#include "object/object.h"
#include "room/evidence.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX };

static struct hs_kv_key shared_key(const struct hs_key *node, const struct hs_id *room)
{
    return hs_key_sub(HS_MISC_SHARED, HS_VIEW(*node), room != NULL ? HS_VIEW(*room) : (struct hs_bytes){0});
}

static bool is_shared(struct hs_turn *turn, const struct hs_key *node, const struct hs_id *room)
{
    struct hs_kv_key key = shared_key(node, room);
    return hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
}

void hs_heads_share(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *node)
{
    if (hs_key_equal(node, hs_turn_root(turn)) || is_shared(turn, node, room))
        return;
    struct hs_kv_key key = shared_key(node, room);
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), (struct hs_bytes){0});
}

/* Who has, or had, a user in the room: a record of theirs is in the log that is copied here, or this node was
 * the hub that they read it from. */
static bool is_of_room(struct hs_turn *turn, const struct hs_key *node, const struct hs_id *room)
{
    return is_shared(turn, node, room) || hs_subscription_view(turn, node, room) != NULL;
}

/* What is known of the hub of a room beyond what the other side has. */
struct telling {
    Hanse__SignedObject *heads[HS_HEADS_MAX];
    ProtobufCBinaryData evidence[1]; /* one fills a frame */
    size_t head_count, evidence_count;
    bool way; /* of one room, as an answer to the head of a hub that has gone */
    struct hs_id room;
    bool answers; /* what costs the other side a head that nobody need have signed */
};

static void add_head(struct hs_turn *turn, struct telling *t, const struct hs_id *room)
{
    Hanse__SignedObject *head = t->head_count < HS_HEADS_MAX ? hs_room_kept_head(turn, room) : NULL;
    if (head != NULL)
        t->heads[t->head_count++] = head;
}

static void add_evidence(struct hs_turn *turn, struct telling *t, const struct hs_id *room)
{
    struct hs_bytes evidence = hs_evidence_of_room(turn, room);
    if (t->evidence_count == 0 && evidence.len > 0 && (!t->answers || hs_standing_spend_shown(turn)))
        t->evidence[t->evidence_count++] = hs_pb_data(evidence);
}

/* The next one for which there is a place. */
static void add_way(struct hs_turn *turn, struct telling *t, const struct hs_id *room)
{
    if (t->way || !is_of_room(turn, &turn->session->subscriber, room) || !hs_standing_spend_shown(turn))
        return;
    t->way = true;
    t->room = *room;
}

static void tell(struct hs_turn *turn, struct hs_session *session, struct telling *t)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Heads heads = HANSE__HEADS__INIT;
    heads.heads = t->heads;
    heads.n_heads = t->head_count;
    heads.evidence = t->evidence;
    heads.n_evidence = t->evidence_count;
    frame.heads = &heads;
    frame.body_case = HANSE__FRAME__BODY_HEADS;
    if (t->head_count + t->evidence_count > 0)
        hs_turn_send(turn, session, &frame);
    const Hanse__State__RoomView *view = t->way ? hs_room_view(turn, &t->room) : NULL;
    if (view != NULL)
        (void)hs_way_show(turn, session, &t->room, view);
}

/* The next room that is shared with the peer, at or behind where the last telling ended. */
static bool next_shared(struct hs_turn *turn, struct hs_peer *peer, struct hs_id *room)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes key;
    struct hs_kv_key prefix = shared_key(&peer->root, NULL);
    struct hs_bytes p = hs_kv_key_bytes(&prefix);
    if (peer->heads_from.len == 0)
        peer->heads_from = prefix;
    if (!hs_kv_next(turn->kv, HS_T_MISC, p, hs_kv_key_bytes(&peer->heads_from), &scratch, &key, NULL)) {
        peer->heads_from.len = 0;
        return false;
    }
    peer->heads_from = hs_kv_after(key);
    return HS_FIXED(hs_bytes(key.data + p.len, key.len - p.len), room);
}

void hs_heads_tell(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    struct telling t = {0};
    struct hs_id room;
    peer->heads_at.ms = turn->now.ms + HS_HEADS_MS;
    while (session != NULL && t.head_count < HS_HEADS_MAX && t.evidence_count == 0 &&
           next_shared(turn, peer, &room)) {
        Hanse__State__RoomView *view = hs_room_view(turn, &room);
        if (view == NULL || view->hub || hs_bytes_equal(hs_pb_bytes(view->hub_root), HS_VIEW(peer->root)))
            continue;
        if (view->forked)
            add_evidence(turn, &t, &room);
        else
            add_head(turn, &t, &room);
    }
    if (session != NULL)
        tell(turn, session, &t);
}

/* The other side covers more than this copy has: whoever is ahead can compare both, so it is answered with
 * one's own head where that is of a lower number. An answer therefore has a lower number than what it
 * answers, and isn't answered again, however far ahead of their copies the two sides' heads are. */
static void answer_head(struct hs_turn *turn, const struct hs_id *room, const Hanse__Head *head,
                        struct telling *answer)
{
    Hanse__SignedObject *own = hs_room_kept_head(turn, room);
    Hanse__Head *kept;
    if (own != NULL && answer->head_count < HS_HEADS_MAX &&
        HS_UNPACK(hanse__head, hs_pb_bytes(own->payload), HS_STRICT, turn->arena, &kept) == HS_OK &&
        kept->seq < head->seq)
        answer->heads[answer->head_count++] = own;
}

/* The chain hash of the copy's record seq. */
static bool own_hash(struct hs_turn *turn, const struct hs_id *room, uint64_t seq, struct hs_id *hash)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn reading = *turn;
    struct hs_record_header header;
    reading.arena = &scratch;
    Hanse__State__RoomEntry *entry = hs_room_entry(&reading, room, seq);
    if (entry == NULL || hs_record_header_parse(hs_pb_bytes(entry->header), &header) != HS_OK)
        return false;
    *hash = header.hash;
    return true;
}

/* A head that agrees with the log costs a comparison, and only one that doesn't a signature. Who can name a
 * room's id is, or was, one of those who follow it. */
static void compare(struct hs_turn *turn, const Hanse__SignedObject *object, struct telling *answer)
{
    Hanse__Head *head;
    struct hs_id room, own;
    if (HS_UNPACK(hanse__head, hs_pb_bytes(object->payload), HS_STRICT, turn->arena, &head) != HS_OK ||
        !HS_FIXED(hs_pb_bytes(head->room), &room))
        return;
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (view == NULL)
        return;
    if (head->hub_term < hs_room_term(view)) /* its room has gone elsewhere meanwhile */
        add_way(turn, answer, &room);
    if (view->hub)
        return;
    if (view->forked) {
        add_evidence(turn, answer, &room);
        return;
    }
    if (head->seq >= view->next_seq) {
        answer_head(turn, &room, head, answer);
        return;
    }
    if (head->seq < view->first_seq || !own_hash(turn, &room, head->seq, &own) ||
        hs_bytes_equal(hs_pb_bytes(head->hash), HS_VIEW(own)))
        return;
    if (hs_evidence_of_head(turn, &room, view, object))
        add_evidence(turn, answer, &room);
    else if (hs_room_term(view) > HS_POLICY_HUB_TERM_FIRST) /* another hub's, perhaps: the other side can see
                                                               where the ways part */
        add_way(turn, answer, &room);
}

enum hs_err hs_handle_heads(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                            uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Heads *heads = request->heads;
    struct telling answer = {.answers = true};
    size_t first =
        (size_t)(turn->now.ms / HS_HEADS_MS); /* so that each room gets its turn, minute by minute */
    HS_REQUIRE(heads->n_heads <= HS_HEADS_MAX && heads->n_evidence <= 1, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < heads->n_evidence; i++)
        (void)hs_evidence_take(turn, hs_pb_bytes(heads->evidence[i]));
    for (size_t i = 0; i < heads->n_heads; i++)
        compare(turn, heads->heads[(first + i) % heads->n_heads], &answer);
    tell(turn, turn->session, &answer);
    return HS_OK;
}
