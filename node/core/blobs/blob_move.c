/* Blobs between a follower and the hub of a room: fetched when somebody here asks for one, brought when
 * somebody here has put one. What is under way is in memory alone: the file says how far one has come, the
 * hub how far the other, and who asked asks again. */
#include "core/blobs/blob.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"

#include <stdlib.h>

struct hs_move {
    struct hs_move *next;
    bool push;
    bool back; /* push: for a hub that has lost it; nobody here waits for the outcome */
    struct hs_key hub;
    struct hs_key persona; /* push: for whom, each by itself; zeros where the hub has asked for it */
    struct hs_id blob, room;
    uint64_t size;        /* fetch: 0 until the hub has said it */
    uint64_t session;     /* of the hub, in which it was begun */
    bool known;           /* how far it has come: have */
    uint64_t have, ahead; /* durable where it goes to; passed on so far */
    enum hs_err err;      /* push: refused for good */
    struct hs_time at;    /* not before */
    struct hs_time moved; /* the last time that it came further, or was begun anew */
    struct hs_time came;  /* that it came further, or was asked for first */
};

enum { AT_HUB = 'A' /* hash 32 | room 32 -> nothing, in HS_T_BLOB_BYTES */ };

static struct hs_kv_key at_hub_key(const struct hs_id *hash, const struct hs_id *room)
{
    uint8_t kind = AT_HUB;
    struct hs_kv_key key = hs_key2(hs_bytes(&kind, 1), HS_VIEW(*hash));
    hs_kv_key_add(&key, HS_VIEW(*room));
    return key;
}

bool hs_blob_is_at_hub(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_kv_key key = at_hub_key(hash, room);
    const Hanse__State__BlobView *view = hs_blob_view(turn, hash);
    return hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key)) ||
           (view != NULL && view->state == HS_BLOB_REMOTE);
}

void hs_moves_free(struct hs_core *core)
{
    while (core->moves != NULL) {
        struct hs_move *next = core->moves->next;
        free(core->moves);
        core->moves = next;
    }
}

static const struct hs_key nobody;

static struct hs_move *move_find(const struct hs_core *core, const struct hs_id *hash,
                                 const struct hs_id *room, bool push, const struct hs_key *persona)
{
    struct hs_move *move = core->moves;
    while (move != NULL && (move->push != push || !hs_id_equal(&move->blob, hash) ||
                            !hs_id_equal(&move->room, room) || !hs_key_equal(&move->persona, persona)))
        move = move->next;
    return move;
}

static void move_end(struct hs_core *core, struct hs_move *wanted)
{
    struct hs_move **at = &core->moves;
    while (*at != wanted)
        at = &(*at)->next;
    *at = wanted->next;
    free(wanted);
}

/* Those of which nobody has asked what became of them. */
static void drop_told(struct hs_turn *turn)
{
    for (struct hs_move *m = turn->core->moves, *after; m != NULL; m = after) {
        after = m->next;
        if (!m->push && m->err != HS_OK && turn->now.ms >= m->at.ms + HS_MOVE_MS)
            move_end(turn->core, m);
    }
}

/* A place for one more with that hub. One that gets nowhere gives its own up: whoever asked for it asks
 * again, and finds that a hub which is gone for good keeps nobody else from what other hubs have. */
static bool make_place(struct hs_turn *turn, const struct hs_key *hub)
{
    struct hs_move *idle[2] = {NULL,
                               NULL}; /* of all, and of that hub's: the one that has been so for longest */
    size_t count[2] = {0, 0};
    drop_told(turn);
    for (struct hs_move *m = turn->core->moves; m != NULL; m = m->next)
        for (size_t of = 0; of < (hs_key_equal(&m->hub, hub) ? 2 : 1); of++) {
            count[of]++;
            if (turn->now.ms - m->came.ms >= HS_MOVE_IDLE_MS &&
                (idle[of] == NULL || m->came.ms < idle[of]->came.ms))
                idle[of] = m;
        }
    bool own = count[1] >= HS_MOVES_HUB;
    if (!own && count[0] < HS_MOVES_MAX)
        return true;
    struct hs_move *gone = idle[own ? 1 : 0];
    if (gone != NULL)
        move_end(turn->core, gone);
    return gone != NULL;
}

static enum hs_err move_begin(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                              bool push, struct hs_move **out)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    struct hs_key hub;
    HS_REQUIRE(view != NULL, HS_ERR_BLOB_UNKNOWN);
    bool fits = HS_FIXED(hs_pb_bytes(view->hub ? view->former_root : view->hub_root), &hub);
    HS_REQUIRE(fits, HS_ERR_BLOB_UNKNOWN);
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &hub);
    HS_REQUIRE(peer != NULL, HS_ERR_UNREACHABLE);
    HS_REQUIRE(make_place(turn, &hub), HS_ERR_BUSY);
    struct hs_move *move = *out = calloc(1, sizeof *move);
    HS_REQUIRE(move != NULL, HS_ERR_NOMEM);
    *move = (struct hs_move){.next = turn->core->moves,
                             .push = push,
                             .hub = hub,
                             .blob = *hash,
                             .room = *room,
                             .moved = turn->now,
                             .came = turn->now};
    turn->core->moves = move;
    return HS_OK;
}

static void work_of(struct hs_turn *turn, const struct hs_move *move)
{
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &move->hub);
    if (peer != NULL)
        hs_moves_work(turn, peer);
}

enum hs_err hs_move_fetch(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_move *move = move_find(turn->core, hash, room, false, &nobody);
    if (move != NULL && move->err == HS_OK)
        return HS_OK;
    if (move != NULL) {
        enum hs_err err = move->err;
        move_end(turn->core, move);
        return err;
    }
    HS_TRY(move_begin(turn, hash, room, false, &move));
    work_of(turn, move);
    return HS_OK;
}

enum hs_err hs_move_push(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         const struct hs_key *persona, uint64_t size, bool *there)
{
    struct hs_move *move = move_find(turn->core, hash, room, true, persona);
    *there = hs_blob_is_at_hub(turn, hash, room);
    if (*there || (move != NULL && move->err == HS_OK))
        return HS_OK;
    if (move != NULL) {
        enum hs_err err = move->err;
        move_end(turn->core, move);
        return err;
    }
    HS_TRY(move_begin(turn, hash, room, true, &move));
    move->persona = *persona;
    move->size = size;
    work_of(turn, move);
    return HS_OK;
}

enum hs_err hs_move_back(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         uint64_t size)
{
    struct hs_kv_key key = at_hub_key(hash, room);
    struct hs_move *move = move_find(turn->core, hash, room, true, &nobody);
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
    if (move != NULL)
        return HS_OK;
    HS_TRY(move_begin(turn, hash, room, true, &move));
    move->back = true;
    move->size = size;
    work_of(turn, move);
    return HS_OK;
}

/* ---- questions ---- */

static bool ask(struct hs_turn *turn, struct hs_peer *peer, const struct hs_move *move, uint64_t offset,
                Hanse__Frame *frame)
{
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    struct hs_asked *asked = session != NULL ? hs_asked_add(peer) : NULL;
    if (asked == NULL)
        return false;
    asked->is_fetch = !move->push;
    asked->is_push = move->push;
    asked->blob = move->blob;
    asked->room = move->room;
    asked->persona = move->persona;
    asked->seq = offset;
    asked->deadline.ms = turn->now.ms + HS_FETCH_MS;
    asked->id = frame->id = ++peer->last_id;
    hs_turn_send(turn, session, frame);
    return true;
}

static bool ask_chunk(struct hs_turn *turn, struct hs_peer *peer, const struct hs_move *move, uint64_t offset)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__GetChunk get = HANSE__GET_CHUNK__INIT;
    get.hash = hs_pb_data(HS_VIEW(move->blob));
    get.offset = offset;
    get.room = hs_pb_data(HS_VIEW(move->room));
    frame.get_chunk = &get;
    frame.body_case = HANSE__FRAME__BODY_GET_CHUNK;
    return ask(turn, peer, move, offset, &frame);
}

/* data empty: how much has the hub? */
static bool put_chunk(struct hs_turn *turn, struct hs_peer *peer, const struct hs_move *move, uint64_t offset,
                      struct hs_bytes data)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__PutChunk put = HANSE__PUT_CHUNK__INIT;
    put.hash = hs_pb_data(HS_VIEW(move->blob));
    put.offset = offset;
    put.size = move->size;
    put.data = hs_pb_data(data);
    put.room = hs_pb_data(HS_VIEW(move->room));
    put.persona = hs_pb_data(HS_VIEW(move->persona));
    frame.put_chunk = &put;
    frame.body_case = HANSE__FRAME__BODY_PUT_CHUNK;
    return ask(turn, peer, move, offset, &frame);
}

/* ---- work ---- */

static void own_effect(struct hs_turn *turn, const struct hs_move *move, enum hs_effect_kind kind,
                       uint64_t offset, struct hs_bytes bytes)
{
    struct hs_effect *effect = hs_blob_effect(turn, kind, &move->blob, &move->room);
    if (effect == NULL)
        return;
    effect->blob_from = move->persona;
    effect->offset = offset;
    effect->size = move->size;
    effect->bytes = hs_arena_copy(&turn->effects->arena, bytes);
}

/* From where on nothing is asked for yet, and how many answers are out. */
static uint64_t asked_upto(const struct hs_peer *peer, const struct hs_move *move, size_t *count)
{
    uint64_t upto = move->ahead;
    for (const struct hs_asked *a = peer->asked; a != NULL; a = a->next)
        if (a->is_fetch && hs_id_equal(&a->blob, &move->blob) && hs_id_equal(&a->room, &move->room)) {
            upto = a->seq + HS_BLOB_CHUNK > upto ? a->seq + HS_BLOB_CHUNK : upto;
            ++*count;
        }
    return upto;
}

static void fetch_more(struct hs_turn *turn, struct hs_peer *peer, const struct hs_move *move)
{
    size_t count = (size_t)((move->ahead - move->have) / HS_BLOB_CHUNK);
    size_t asked = 0, window = move->size > 0 ? HS_BLOB_WINDOW : 1;
    uint64_t at = asked_upto(peer, move, &asked);
    for (count += asked; count < window && (at < move->size || move->size == 0); count++) {
        if (!ask_chunk(turn, peer, move, at))
            return;
        at += HS_BLOB_CHUNK;
    }
}

static void push_more(struct hs_turn *turn, struct hs_move *move)
{
    while (move->ahead < move->size && move->ahead < move->have + HS_BLOB_WINDOW * HS_BLOB_CHUNK) {
        own_effect(turn, move, HS_EFFECT_BLOB_READ, move->ahead, (struct hs_bytes){0});
        move->ahead += HS_BLOB_CHUNK;
    }
}

static void move_work(struct hs_turn *turn, struct hs_peer *peer, struct hs_move *move)
{
    bool stuck = turn->now.ms >= move->moved.ms + HS_MOVE_MS;
    if (move->err != HS_OK || turn->now.ms < move->at.ms)
        return;
    if (move->session != peer->session || stuck) {
        move->session = peer->session;
        move->known = false;
        move->moved = turn->now;
        if (move->push)
            (void)put_chunk(turn, peer, move, 0, (struct hs_bytes){0});
        else
            own_effect(turn, move, HS_EFFECT_BLOB_WRITE, 0, (struct hs_bytes){0});
    }
    if (!move->known)
        return;
    if (move->push)
        push_more(turn, move);
    else
        fetch_more(turn, peer, move);
}

void hs_moves_work(struct hs_turn *turn, struct hs_peer *peer)
{
    for (struct hs_move *move = turn->core->moves; move != NULL; move = move->next)
        if (hs_key_equal(&move->hub, &peer->root) && peer->state == HS_PEER_UP)
            move_work(turn, peer, move);
}

/* ---- outcomes ---- */

static void came_to(struct hs_turn *turn, struct hs_move *move, uint64_t have)
{
    if (move->known && have > move->have)
        move->came = turn->now;
    if (!move->known || have > move->have)
        move->moved = turn->now;
    if (!move->known || have > move->ahead)
        move->ahead = have;
    if (!move->known || have > move->have)
        move->have = have;
    move->known = true;
}

static void wrote(struct hs_turn *turn, const struct hs_core_input *input)
{
    struct hs_move *move = move_find(turn->core, &input->blob, &input->blob_room, false, &nobody);
    if (move == NULL)
        return;
    if (input->err != HS_OK) {
        hs_turn_log(turn, "event=blob_from_hub error=%s", hs_err_name(input->err));
        move_end(turn->core, move);
        return;
    }
    if (input->complete) {
        hs_blob_record_stored(turn, &input->blob, &input->blob_room, input->size);
        move_end(turn->core, move);
        return;
    }
    came_to(turn, move, input->have);
    work_of(turn, move);
}

static void has_read(struct hs_turn *turn, const struct hs_core_input *input)
{
    struct hs_move *move = move_find(turn->core, &input->blob, &input->blob_room, true, &input->blob_from);
    struct hs_peer *peer = move != NULL ? hs_peer_find(&turn->core->peers, &move->hub) : NULL;
    if (peer == NULL || peer->state != HS_PEER_UP || move->session != peer->session)
        return;
    if (input->err != HS_OK && move->back)
        move_end(turn->core, move);
    else if (input->err != HS_OK)
        move->err = input->err;
    else
        (void)put_chunk(turn, peer, move, input->offset, input->bytes);
}

void hs_moves_done(struct hs_turn *turn, const struct hs_core_input *input)
{
    if (input->done == HS_EFFECT_BLOB_WRITE)
        wrote(turn, input);
    else
        has_read(turn, input);
}

void hs_move_chunk(struct hs_turn *turn, const struct hs_asked *asked, const Hanse__Frame *answer)
{
    struct hs_move *move = move_find(turn->core, &asked->blob, &asked->room, false, &nobody);
    if (move == NULL)
        return;
    if (answer->body_case != HANSE__FRAME__BODY_CHUNK) {
        bool passes = answer->body_case == HANSE__FRAME__BODY_ERROR &&
                      hs_err_is_transient(hs_err_from_wire(answer->error->code));
        move->at.ms = turn->now.ms + HS_MOVE_AGAIN_MS;
        if (!passes && answer->body_case == HANSE__FRAME__BODY_ERROR &&
            hs_err_from_wire(answer->error->code) == HS_ERR_BLOB_UNKNOWN)
            move->err = HS_ERR_BLOB_UNKNOWN; /* who asks next is told */
        else if (!passes)
            move_end(turn->core, move); /* who asks for it asks again */
        return;
    }
    const Hanse__Chunk *chunk = answer->chunk;
    uint64_t left = chunk->size > chunk->offset ? chunk->size - chunk->offset : 0;
    if (chunk->offset != move->ahead || !move->known)
        return;
    if (chunk->size > HS_ATTACHMENT_MAX || (move->size > 0 && chunk->size != move->size) ||
        chunk->data.len == 0 || chunk->data.len != (left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK)) {
        hs_turn_log(turn, "event=blob_from_hub error=its sizes don't fit");
        move_end(turn->core, move);
        return;
    }
    move->size = chunk->size;
    own_effect(turn, move, HS_EFFECT_BLOB_WRITE, chunk->offset, hs_pb_bytes(chunk->data));
    move->ahead += chunk->data.len;
}

static void refused(struct hs_turn *turn, struct hs_move *move, const Hanse__Frame *answer)
{
    enum hs_err err = answer->body_case == HANSE__FRAME__BODY_ERROR ? hs_err_from_wire(answer->error->code)
                                                                    : HS_ERR_UNEXPECTED;
    move->session = 0; /* to be asked again how far it has come */
    move->at.ms = turn->now.ms + HS_MOVE_AGAIN_MS;
    if (!hs_err_is_transient(err) && move->back)
        move_end(turn->core, move);
    else if (!hs_err_is_transient(err))
        move->err = err;
}

void hs_push_answered(struct hs_turn *turn, struct hs_peer *peer, const struct hs_asked *asked,
                      const Hanse__Frame *answer)
{
    struct hs_move *move = move_find(turn->core, &asked->blob, &asked->room, true, &asked->persona);
    (void)peer;
    if (move == NULL || move->err != HS_OK)
        return;
    if (answer->body_case != HANSE__FRAME__BODY_BLOB_STATUS) {
        refused(turn, move, answer);
    } else if (answer->blob_status->complete) {
        struct hs_kv_key key = at_hub_key(&move->blob, &move->room);
        hs_kv_put(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key), (struct hs_bytes){0});
        move_end(turn->core, move);
    } else {
        came_to(turn, move, answer->blob_status->have);
    }
}
