/* What is asked for blobs that are on their way, and what comes of it: pieces in a window each, from where
 * the other side holds them for good. */
#include "core/blobs/blob_move.h"
#include "core/blobs/upload.h"
#include "core/internal.h"
#include "wire/limits.h"

static const struct hs_key nobody;

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

void hs_move_go_on(struct hs_turn *turn, const struct hs_move *move)
{
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &move->hub);
    if (peer != NULL)
        hs_moves_work(turn, peer);
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
    struct hs_move *move = hs_move_find(turn->core, &input->blob, &input->blob_room, false, &nobody);
    if (move == NULL)
        return;
    if (input->err != HS_OK) {
        hs_turn_log(turn, "event=blob_from_hub error=%s", hs_err_name(input->err));
        hs_move_end(turn->core, move);
        return;
    }
    if (input->complete) {
        hs_upload_fetched(turn, &(struct hs_upload){.blob = input->blob, .room = input->blob_room});
        hs_blob_record_stored(turn, &input->blob, &input->blob_room, input->size);
        hs_move_end(turn->core, move);
        return;
    }
    came_to(turn, move, input->have);
    hs_move_go_on(turn, move);
}

static void has_read(struct hs_turn *turn, const struct hs_core_input *input)
{
    struct hs_move *move = hs_move_find(turn->core, &input->blob, &input->blob_room, true, &input->blob_from);
    struct hs_peer *peer = move != NULL ? hs_peer_find(&turn->core->peers, &move->hub) : NULL;
    if (peer == NULL || peer->state != HS_PEER_UP || move->session != peer->session)
        return;
    if (input->err != HS_OK && move->back)
        hs_move_end(turn->core, move);
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

/* The hub has said how large it is; or its file begins anew, since what there was of it had its day. */
static bool begins(struct hs_turn *turn, struct hs_move *move, uint64_t size)
{
    const struct hs_upload part = {.blob = move->blob, .room = move->room};
    enum hs_err err = hs_upload_fetch(turn, &part, &move->hub, size);
    if (err == HS_OK)
        return true;
    hs_turn_log(turn, "event=blob_from_hub error=%s", hs_err_name(err));
    if (err == HS_ERR_QUOTA) {
        move->at.ms = turn->now.ms;
        move->err = err; /* who asks next is told */
    } else {
        hs_move_end(turn->core, move);
    }
    return false;
}

void hs_move_chunk(struct hs_turn *turn, const struct hs_asked *asked, const Hanse__Frame *answer)
{
    struct hs_move *move = hs_move_find(turn->core, &asked->blob, &asked->room, false, &nobody);
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
            hs_move_end(turn->core, move); /* who asks for it asks again */
        return;
    }
    const Hanse__Chunk *chunk = answer->chunk;
    uint64_t left = chunk->size > chunk->offset ? chunk->size - chunk->offset : 0;
    if (chunk->offset != move->ahead || !move->known)
        return;
    if (chunk->size > HS_ATTACHMENT_MAX || (move->size > 0 && chunk->size != move->size) ||
        chunk->data.len == 0 || chunk->data.len != (left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK)) {
        hs_turn_log(turn, "event=blob_from_hub error=its sizes don't fit");
        hs_move_end(turn->core, move);
        return;
    }
    if ((move->size == 0 || chunk->offset == 0) && !begins(turn, move, chunk->size))
        return;
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
        hs_move_end(turn->core, move);
    else if (!hs_err_is_transient(err))
        move->err = err;
}

void hs_push_answered(struct hs_turn *turn, struct hs_peer *peer, const struct hs_asked *asked,
                      const Hanse__Frame *answer)
{
    struct hs_move *move = hs_move_find(turn->core, &asked->blob, &asked->room, true, &asked->persona);
    (void)peer;
    if (move == NULL || move->err != HS_OK)
        return;
    if (answer->body_case != HANSE__FRAME__BODY_BLOB_STATUS) {
        refused(turn, move, answer);
    } else if (answer->blob_status->complete) {
        hs_blob_at_hub_put(turn, &move->blob, &move->room);
        hs_move_end(turn->core, move);
    } else {
        came_to(turn, move, answer->blob_status->have);
    }
}
