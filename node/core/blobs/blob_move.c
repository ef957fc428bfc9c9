/* Blobs between a follower and the hub of a room: fetched when somebody here asks for one, brought when
 * somebody here has put one. What is under way is in memory alone: the file says how far one has come, the
 * hub how far the other, and who asked asks again. */
#include "core/blobs/blob_move.h"
#include "core/blobs/upload.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/rooms/room.h"

#include <stdlib.h>

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

void hs_blob_at_hub_put(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_kv_key key = at_hub_key(hash, room);
    hs_kv_put(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key), (struct hs_bytes){0});
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

struct hs_move *hs_move_find(const struct hs_core *core, const struct hs_id *hash, const struct hs_id *room,
                             bool push, const struct hs_key *persona)
{
    struct hs_move *move = core->moves;
    while (move != NULL && (move->push != push || !hs_id_equal(&move->blob, hash) ||
                            !hs_id_equal(&move->room, room) || !hs_key_equal(&move->persona, persona)))
        move = move->next;
    return move;
}

void hs_move_end(struct hs_core *core, struct hs_move *wanted)
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
            hs_move_end(turn->core, m);
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
        hs_move_end(turn->core, gone);
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

enum hs_err hs_move_fetch(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room)
{
    struct hs_move *move = hs_move_find(turn->core, hash, room, false, &nobody);
    if (move != NULL && move->err == HS_OK)
        return HS_OK;
    if (move != NULL) {
        enum hs_err err = move->err;
        hs_move_end(turn->core, move);
        return err;
    }
    const struct hs_upload part = {.blob = *hash, .room = *room};
    HS_REQUIRE(!hs_upload_is_going(turn, &part), HS_ERR_BUSY);
    HS_TRY(move_begin(turn, hash, room, false, &move));
    hs_move_go_on(turn, move);
    return HS_OK;
}

enum hs_err hs_move_push(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         const struct hs_key *persona, uint64_t size, bool *there)
{
    struct hs_move *move = hs_move_find(turn->core, hash, room, true, persona);
    *there = hs_blob_is_at_hub(turn, hash, room);
    if (*there || (move != NULL && move->err == HS_OK))
        return HS_OK;
    if (move != NULL) {
        enum hs_err err = move->err;
        hs_move_end(turn->core, move);
        return err;
    }
    HS_TRY(move_begin(turn, hash, room, true, &move));
    move->persona = *persona;
    move->size = size;
    hs_move_go_on(turn, move);
    return HS_OK;
}

enum hs_err hs_move_back(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         uint64_t size)
{
    struct hs_kv_key key = at_hub_key(hash, room);
    struct hs_move *move = hs_move_find(turn->core, hash, room, true, &nobody);
    hs_kv_del(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&key));
    if (move != NULL)
        return HS_OK;
    HS_TRY(move_begin(turn, hash, room, true, &move));
    move->back = true;
    move->size = size;
    hs_move_go_on(turn, move);
    return HS_OK;
}
