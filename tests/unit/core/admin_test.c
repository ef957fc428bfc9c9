/* What the core tells its operator. NODE-57 */
#include "pair_scene.h"

#include "core/admin/admin.h"
#include "core/federation/peer.h"
#include "wire/unpack.h"

#include <stdio.h>

/* One question; the answer lives in the world. The store stays as it is. */
static enum hs_err ask_bytes(struct world_node *node, struct hs_bytes bytes,
                             Hanse__State__AdminAnswer **answer)
{
    struct hs_core_input input = {.kind = HS_INPUT_ADMIN, .session = 77, .bytes = bytes};
    struct hs_effects effects = hs_effects();
    struct hs_id before = world_store_hash(node);
    assert_ok(hs_core_step(node->core, node->kv, &input, node->world->now, node->full, &effects));
    struct hs_id after = world_store_hash(node);
    assert_true(hs_id_equal(&before, &after));
    assert_true(effects.len > 0);
    struct hs_effect told = effects.list[effects.len - 1];
    assert_int_equal(told.kind, HS_EFFECT_ADMIN);
    assert_int_equal(told.session, 77);
    enum hs_err err = told.err;
    if (err == HS_OK)
        assert_ok(HS_UNPACK(hanse__state__admin_answer, told.bytes, HS_LENIENT, &node->world->arena, answer));
    hs_effects_free(&effects);
    return err;
}

static enum hs_err ask(struct world_node *node, const Hanse__State__AdminRequest *request,
                       Hanse__State__AdminAnswer **answer)
{
    return ask_bytes(node, world_pack(node->world, &request->base), answer);
}

static const Hanse__State__AdminStatus *ask_status(struct world_node *node)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskStatus status = HANSE__STATE__ADMIN_ASK_STATUS__INIT;
    Hanse__State__AdminAnswer *answer = NULL;
    request.status = &status;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_STATUS;
    assert_ok(ask(node, &request, &answer));
    assert_int_equal(answer->body_case, HANSE__STATE__ADMIN_ANSWER__BODY_STATUS);
    return answer->status;
}

static const Hanse__State__AdminPeers *ask_peers(struct world_node *node)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskPeers peers = HANSE__STATE__ADMIN_ASK_PEERS__INIT;
    Hanse__State__AdminAnswer *answer = NULL;
    request.peers = &peers;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_PEERS;
    assert_ok(ask(node, &request, &answer));
    assert_int_equal(answer->body_case, HANSE__STATE__ADMIN_ANSWER__BODY_PEERS);
    return answer->peers;
}

static enum hs_err ask_rooms(struct world_node *node, struct hs_bytes after,
                             const Hanse__State__AdminRooms **out)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskRooms rooms = HANSE__STATE__ADMIN_ASK_ROOMS__INIT;
    Hanse__State__AdminAnswer *answer = NULL;
    rooms.after = hs_pb_data(after);
    request.rooms = &rooms;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOMS;
    HS_TRY(ask(node, &request, &answer));
    assert_int_equal(answer->body_case, HANSE__STATE__ADMIN_ANSWER__BODY_ROOMS);
    *out = answer->rooms;
    return HS_OK;
}

static enum hs_err ask_room(struct world_node *node, struct hs_bytes prefix, bool nibble,
                            const Hanse__State__AdminRoom **out)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskRoom room = HANSE__STATE__ADMIN_ASK_ROOM__INIT;
    Hanse__State__AdminAnswer *answer = NULL;
    room.prefix = hs_pb_data(prefix);
    room.nibble = nibble;
    request.room = &room;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOM;
    HS_TRY(ask(node, &request, &answer));
    assert_int_equal(answer->rooms->n_rooms, 1);
    *out = answer->rooms->rooms[0];
    return HS_OK;
}

static void status_counts_sessions(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const Hanse__State__AdminStatus *status = ask_status(s.hub);
    assert_string_equal(status->domain, "hub.example");
    assert_bytes(hs_pb_bytes(status->root), HS_VIEW(s.hub->root.pub));
    assert_int_equal(status->incarnation, 1);
    assert_int_equal(status->devices, 1); /* rosa */
    assert_int_equal(status->nodes, 1);   /* alice's home */
    assert_int_equal(status->strangers, 0);
    assert_false(status->full);
    s.hub->full = true;
    assert_true(ask_status(s.hub)->full);
    world_disconnect(s.owner);
    assert_int_equal(ask_status(s.hub)->devices, 0);
    assert_int_equal(ask_status(s.home)->peers, 1);
}

static void peers_are_told_from_both_sides(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const Hanse__State__AdminPeers *peers = ask_peers(s.home);
    assert_int_equal(peers->n_peers, 1);
    assert_bytes(hs_pb_bytes(peers->peers[0]->root), HS_VIEW(s.hub->root.pub));
    assert_string_equal(peers->peers[0]->state, "up");
    assert_string_equal(peers->peers[0]->address, s.hub->address);
    assert_int_equal(peers->peers[0]->since_ms, w->now.ms);
    assert_true(peers->peers[0]->followed);
    assert_false(peers->peers[0]->connected);
    assert_int_equal(peers->peers[0]->outbox, 0);
    peers = ask_peers(s.hub);
    assert_int_equal(peers->n_peers, 1);
    assert_bytes(hs_pb_bytes(peers->peers[0]->root), HS_VIEW(s.home->root.pub));
    assert_string_equal(peers->peers[0]->state, "none");
    assert_true(peers->peers[0]->connected);
    assert_int_equal(peers->peers[0]->rooms, 1);
}

static enum world_verdict cut(void *ctx, struct world_node *from, struct world_node *to,
                              struct hs_bytes *frame)
{
    (void)ctx, (void)from, (void)to, (void)frame;
    return WORLD_CUT;
}

/* What waits for a hub that is away, and when it is tried again. */
static void a_peer_that_is_away_is_told(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    s.hub->down = true;
    w->hook = cut;
    for (int i = 0; i < 3; i++) {
        char text[8];
        (void)snprintf(text, sizeof text, "%d", i);
        assert_ok(world_post(s.alices, text, NULL));
    }
    world_settle(w);
    const Hanse__State__AdminPeers *peers = ask_peers(s.home);
    assert_int_equal(peers->n_peers, 1);
    assert_string_equal(peers->peers[0]->state, "down");
    assert_int_equal(peers->peers[0]->outbox, 3);
    assert_int_equal(peers->peers[0]->since_ms, 0);
    assert_true(peers->peers[0]->failures > 0);
    assert_true(peers->peers[0]->retry_ms > w->now.ms);
    assert_int_equal(ask_peers(s.hub)->n_peers, 0);
}

static void rooms_are_listed(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const Hanse__State__AdminRooms *rooms;
    assert_ok(ask_rooms(s.hub, (struct hs_bytes){0}, &rooms));
    assert_int_equal(rooms->n_rooms, 1);
    assert_false(rooms->more);
    const Hanse__State__AdminRoom *room = rooms->rooms[0];
    assert_bytes(hs_pb_bytes(room->id), HS_VIEW(s.room->id));
    assert_string_equal(room->name, "launch");
    assert_true(room->hub);
    assert_int_equal(room->members, 2);
    assert_int_equal(room->next_seq, s.room->tip.next_seq);
    assert_int_equal(room->last_ms, w->now.ms);
    assert_int_equal(room->devices, 1);
    assert_int_equal(room->followers, 1);
    assert_int_equal(room->n_homes, 0);
    assert_ok(ask_rooms(s.home, (struct hs_bytes){0}, &rooms));
    assert_int_equal(rooms->n_rooms, 1);
    assert_false(rooms->rooms[0]->hub);
    assert_string_equal(rooms->rooms[0]->name, "");
    assert_bytes(hs_pb_bytes(rooms->rooms[0]->hub_root), HS_VIEW(s.hub->root.pub));
    assert_int_equal(rooms->rooms[0]->devices, 1);
    assert_err(ask_rooms(s.hub, hs_bytes_str("short"), &rooms), HS_ERR_MALFORMED);
}

/* Pages end at their limit, and one more room is a page of its own. */
static void rooms_come_in_pages(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    w->forged = true;
    struct world_node *node = world_node_new(w, "hub.example");
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_room *room = world_room_new(owner, "launch");
    const Hanse__State__AdminRooms *rooms;
    struct hs_bytes view;
    enum { ROOM_TABLE = 3 };
    assert_true(hs_kv_get(node->kv, ROOM_TABLE, HS_VIEW(room->id), &w->arena, &view));
    for (unsigned i = 1; i < HS_ADMIN_ROOMS; i++) {
        struct hs_id id = room->id;
        id.b[31] ^= (uint8_t)i;
        hs_kv_put(node->kv, ROOM_TABLE, HS_VIEW(id), view);
    }
    assert_ok(ask_rooms(node, (struct hs_bytes){0}, &rooms));
    assert_int_equal(rooms->n_rooms, HS_ADMIN_ROOMS);
    assert_false(rooms->more);
    struct hs_id one_more = room->id;
    one_more.b[30] ^= 1;
    hs_kv_put(node->kv, ROOM_TABLE, HS_VIEW(one_more), view);
    assert_ok(ask_rooms(node, (struct hs_bytes){0}, &rooms));
    assert_int_equal(rooms->n_rooms, HS_ADMIN_ROOMS);
    assert_true(rooms->more);
    assert_ok(ask_rooms(node, hs_pb_bytes(rooms->rooms[HS_ADMIN_ROOMS - 1]->id), &rooms));
    assert_int_equal(rooms->n_rooms, 1);
    assert_false(rooms->more);
}

static void one_room_is_found_by_the_beginning_of_its_id(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const Hanse__State__AdminRoom *room;
    struct hs_id id = s.room->id, other = id;
    for (size_t len = 1; len <= HS_HASH_LEN; len++)
        assert_ok(ask_room(s.hub, hs_bytes(id.b, len), false, &room));
    assert_ok(ask_room(s.hub, hs_bytes(id.b, 1), true, &room));
    assert_int_equal(room->n_homes, 2);
    assert_int_equal(room->homes[0]->members, 1);
    assert_int_equal(room->homes[1]->members, 1);
    other.b[0] ^= 0x10;
    assert_err(ask_room(s.hub, hs_bytes(other.b, 1), true, &room), HS_ERR_NOT_FOUND);
    other.b[0] = id.b[0] ^ 0x01;
    assert_err(ask_room(s.hub, hs_bytes(other.b, 1), false, &room), HS_ERR_NOT_FOUND);
    assert_ok(ask_room(s.hub, hs_bytes(other.b, 1), true, &room));
    assert_err(ask_room(s.hub, hs_bytes(id.b, 0), false, &room), HS_ERR_MALFORMED);
    uint8_t longer[HS_HASH_LEN + 1] = {0};
    assert_err(ask_room(s.hub, hs_bytes(longer, sizeof longer), false, &room), HS_ERR_MALFORMED);
    world_room_new(s.owner, "second");
    const Hanse__State__AdminRooms *rooms;
    assert_ok(ask_rooms(s.hub, (struct hs_bytes){0}, &rooms));
    assert_int_equal(rooms->n_rooms, 2);
    const uint8_t *a = rooms->rooms[0]->id.data, *b = rooms->rooms[1]->id.data;
    bool same = a[0] >> 4 == b[0] >> 4;
    assert_err(ask_room(s.hub, hs_bytes(a, 1), true, &room), same ? HS_ERR_CONFLICT : HS_OK);
}

static void other_questions_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "hub.example");
    Hanse__State__AdminAnswer *answer;
    assert_err(ask_bytes(node, (struct hs_bytes){0}, &answer), HS_ERR_UNSUPPORTED);
    assert_int_not_equal(ask_bytes(node, hs_bytes_str("nonsense"), &answer), HS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_counts_sessions),
        cmocka_unit_test(peers_are_told_from_both_sides),
        cmocka_unit_test(a_peer_that_is_away_is_told),
        cmocka_unit_test(rooms_are_listed),
        cmocka_unit_test(rooms_come_in_pages),
        cmocka_unit_test(one_room_is_found_by_the_beginning_of_its_id),
        cmocka_unit_test(other_questions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
