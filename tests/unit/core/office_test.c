/* A room's hub changes: who may say so, what each of the nodes makes of it, and that nothing is lost or
 * doubled whatever is on its way meanwhile. That every node's views follow from its records is checked when
 * each world ends. */
#include "office_scene.h"

#include "core/blobs/blob.h"
#include "core/federation/peer.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "room/head.h"
#include "room/home_move.h"
#include "room/hub_move.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdio.h>

/* ROOM-84: the owner's client lets the policy follow. */
static void the_policy_follows(struct scene *s)
{
    struct hs_policy_role role;
    struct world_commit commit;
    struct hs_policy policy = world_policy(s->rosa, "launch", &role);
    policy.hub_root = s->old->root.pub;
    policy = hs_policy_set_office(&policy, &(struct hs_hub_office){s->new->root.pub, 2});
    world_commit_policy(s->room, &policy, &commit);
    assert_ok(world_ask_hub(s->rosa, s->room->hub, world_commit_frame(s->room, &commit), NULL));
    world_settle(s->w);
    scene_pass(s, 1);
}

static void sees(const struct world_room *room, const char *text)
{
    size_t count = 0;
    for (size_t i = 0; i < room->post_count; i++)
        count += strcmp(room->posts[i], text) == 0 ? 1 : 0;
    if (count != 1)
        fail_msg("%s has \"%s\" %zu times", room->device->name, text, count);
}

static void all_see(const struct scene *s, const char *text)
{
    sees(s->room, text);
    sees(s->alices, text);
    sees(s->bobs, text);
    sees(s->carols, text);
}

/* ROOM-82, FED-45, FED-46, FED-47 */
static void the_hub_moves(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint8_t bytes[HS_BLOB_CHUNK + 1000];
    randombytes_buf(bytes, sizeof bytes);
    struct hs_id blob = world_put_all(s.bobs, hs_bytes(bytes, sizeof bytes));
    assert_ok(world_post_blobs(s.bobs, &blob, 1));
    world_settle(w);
    scene_rosa_moves(&s);
    uint64_t at = s.room->tip.next_seq;
    scene_room_moves(&s);
    assert_int_equal(s.room->tip.next_seq, at + 1);
    assert_true(s.room->hub == s.new &&s.alices->hub == s.new &&s.bobs->hub == s.new &&s.carols->hub ==
                s.new);
    assert_ok(world_post(s.room, "from rosa", NULL));
    assert_ok(world_post(s.alices, "from alice", NULL));
    assert_ok(world_post(s.bobs, "from bob", NULL));
    assert_ok(world_post(s.carols, "from carol", NULL));
    world_settle(w);
    scene_pass(&s, 1);
    all_see(&s, "from rosa");
    all_see(&s, "from alice");
    all_see(&s, "from bob");
    all_see(&s, "from carol");
    /* ROOM-84: nobody comes in before the policy says where */
    struct world_invite invite = world_invite_new(s.room, 5, WORLD_DAY_MS);
    invite.hub = s.new;
    invite.brand = s.old;
    assert_ok(world_put_invite(s.room, &invite));
    world_settle(w);
    struct world_device *dave = world_customer(s.third, "dave");
    assert_ok(world_bind(dave, s.old));
    struct world_room *daves = world_room_join(dave, &invite);
    assert_ok(world_forward(dave, s.new, world_join_frame(daves, world_join_body(daves, &invite)), NULL));
    world_settle(w);
    assert_err(world_admit(s.room), HS_ERR_HUB_MOVED);
    hs_mls_group_drop(s.room->group);
    the_policy_follows(&s);
    assert_ok(world_admit(s.room));
    world_settle(w);
    assert_true(daves->joined);
    assert_ok(world_post(daves, "from dave", NULL));
    world_settle(w);
    all_see(&s, "from dave");
    assert_ok(world_remove(s.room, daves)); /* and the new hub does all that a hub does */
    world_settle(w);
    assert_ok(world_post(s.room, "not for dave", NULL));
    world_settle(w);
    for (size_t i = 0; i < daves->post_count; i++)
        assert_string_not_equal(daves->posts[i], "not for dave");
    /* FED-49: what only the old hub has */
    struct hs_bytes got = {0};
    enum hs_err err = HS_OK;
    for (int i = 0; i < 5 && got.len == 0; i++) {
        got = world_get_all(s.alices, &blob, &err);
        scene_pass(&s, 1);
    }
    assert_bytes(got, hs_bytes(bytes, sizeof bytes));
    /* it goes on without the old one */
    s.old->down = true;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && (w->links[i].node[0] == s.old || w->links[i].node[1] == s.old))
            world_close(w, w->links[i].id[0]);
    world_run(w);
    assert_ok(world_post(s.alices, "without it", NULL));
    world_settle(w);
    sees(s.room, "without it");
    sees(s.carols, "without it");
    s.old->down = false;
    scene_pass(&s, 70);
    assert_ok(world_connect(s.bob, NULL));
    world_attach(s.bob);
    sees(s.bobs, "without it");
}

/* Does the hub in office have what a member that has lost its state comes back by? */
static enum hs_err ask_info(struct world_room *room)
{
    Hanse__Frame *frame = world_frame(room->device->world), *answer = NULL;
    frame->get_group_info = WORLD_NEW(room->device->world, Hanse__GetGroupInfo, hanse__get_group_info);
    frame->body_case = HANSE__FRAME__BODY_GET_GROUP_INFO;
    frame->get_group_info->room = hs_pb_data(HS_VIEW(room->id));
    frame->get_group_info->persona = hs_pb_data(HS_VIEW(room->persona->signer.pub));
    HS_TRY(world_ask_hub(room->device, room->hub, frame, &answer));
    assert_true(answer->group_info->group_info.len > 0);
    return HS_OK;
}

/* ROOM-91: the former hub's GroupInfo stays with it; the commit by which the policy follows brings one. */
static void the_group_info_comes_with_a_commit(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(ask_info(s.alices));
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    assert_err(ask_info(s.alices), HS_ERR_RECOVERING);
    the_policy_follows(&s);
    assert_ok(ask_info(s.alices));
}

/* What shows a copy's readers the end of a term: the head is by the key that the descriptor names. */
static void shows_the_move(struct scene *s, struct world_node *node, uint64_t seq)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = node->core, .kv = node->kv, .now = s->w->now, .arena = &arena};
    Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s->room->id, seq);
    Hanse__SignedObject *descriptor, *head;
    struct hs_descriptor d;
    struct hs_head facts;
    assert_non_null(entry);
    assert_ok(hs_object_unpack(hs_pb_bytes(entry->descriptor), &arena, &descriptor));
    assert_ok(hs_object_unpack(hs_pb_bytes(entry->head), &arena, &head));
    assert_ok(hs_descriptor_open(descriptor, &s->old->root.pub, &d));
    assert_ok(hs_head_verify(head, &d.signing_key, &s->room->id, &facts));
    assert_int_equal(facts.seq, seq);
}

/* FED-51, ROOM-82: a hub that has changed its keys gives its office on as any other. */
static void keys_changed_before(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_node_rotate(s.old);
    scene_pass(&s, 3);
    struct world_device *back[] = {s.rosa, s.bob};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(world_connect(back[i], NULL));
        world_attach(back[i]);
    }
    scene_rosa_moves(&s);
    uint64_t at = s.room->tip.next_seq;
    scene_room_moves(&s);
    assert_true(s.room->hub == s.new &&s.alices->hub == s.new &&s.bobs->hub == s.new);
    for (size_t i = 0; i < 3; i++)
        shows_the_move(&s, (struct world_node *[]){s.old, s.new, s.third}[i], at);
    assert_ok(world_post(s.alices, "all the same", NULL));
    world_settle(w);
    scene_pass(&s, 1);
    all_see(&s, "all the same");
}

static bool drop_posts;

static enum world_verdict no_posts(void *ctx, struct world_node *from, struct world_node *to,
                                   struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    (void)from;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    return drop_posts && to == s->old && f->body_case == HANSE__FRAME__BODY_SUBMIT_MESSAGE ? WORLD_DROP
                                                                                           : WORLD_PASS;
}

/* FED-48: what waits for the old hub goes to the new one, in its order and once. */
static void posts_wait_meanwhile(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    static const char *const texts[] = {"a1", "a2", "a3", "c1", "c2", "c3"};
    scene_rosa_moves(&s);
    w->hook = no_posts;
    w->hook_ctx = &s;
    drop_posts = true;
    for (size_t i = 0; i < 6; i++)
        assert_ok(world_post(i < 3 ? s.alices : s.carols, texts[i], NULL));
    world_settle(w);
    scene_room_moves(&s);
    drop_posts = false;
    scene_pass(&s, 3);
    for (size_t i = 0; i < 6; i++)
        all_see(&s, texts[i]);
    for (size_t i = 0; i < 2; i++) {
        size_t first = 0, second = 0;
        for (size_t n = 0; n < s.bobs->post_count; n++) {
            first = strcmp(s.bobs->posts[n], texts[3 * i]) == 0 ? n : first;
            second = strcmp(s.bobs->posts[n], texts[3 * i + 2]) == 0 ? n : second;
        }
        assert_true(first < second);
    }
}

/* FED-46: the new hub dies at every point of its way into office, and so does the old one. */
static void nodes_die(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        scene_rosa_moves(&s);
        for (int i = 0; i < 30; i++) { /* more than one turn's worth of records */
            char text[16];
            (void)snprintf(text, sizeof text, "more %d", i);
            assert_ok(world_post(s.bobs, text, NULL));
        }
        world_settle(w);
        s.new->redo = WORLD_REDO_ALL;
        s.old->redo = WORLD_REDO(HS_INPUT_FRAME);
        enum hs_err err = world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.new, 2), NULL);
        assert_true(err == HS_OK || err == HS_ERR_TIMEOUT); /* what is undone may lose an answer */
        s.old->redo = 0;
        world_node_restart(which == 0 ? s.new : s.old);
        scene_pass(&s, 140); /* a dial that was undone is tried again after a minute */
        struct world_device *devices[] = {s.rosa, s.carol, s.bob};
        for (size_t i = 0; i < 3; i++)
            if (devices[i]->session == 0) {
                assert_ok(world_connect(devices[i], NULL));
                world_attach(devices[i]);
            }
        scene_pass(&s, 3);
        assert_true(s.alices->hub == s.new &&s.bobs->hub == s.new);
        assert_ok(world_post(s.alices, "after all", NULL));
        world_settle(w);
        scene_pass(&s, 2);
        all_see(&s, "after all");
    }
}

/* ROOM-82, FED-45: who may not, and when not. */
static void what_is_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    /* from her old home, which can't ask for the new node */
    assert_err(world_ask(s.rosa, scene_move_frame(&s, s.room, s.new, 2), NULL), HS_ERR_WRONG_PEER);
    scene_rosa_moves(&s);
    assert_err(world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.third, 2), NULL),
               HS_ERR_WRONG_PEER);
    assert_err(world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.new, 3), NULL), HS_ERR_POLICY);
    assert_err(world_forward(s.carol, s.old, scene_move_frame(&s, s.carols, s.new, 2), NULL), HS_ERR_DENIED);
    Hanse__Frame *frame = scene_move_frame(&s, s.room, s.new, 2);
    frame->move_hub->move = hs_pb_data(world_copy(w, hs_pb_bytes(frame->move_hub->move)));
    frame->move_hub->move.data[frame->move_hub->move.len / 2] ^= 1;
    assert_true(world_forward(s.rosa, s.old, frame, NULL) != HS_OK);
    /* at the old hub itself: a node that brings what isn't its to bring */
    frame = scene_move_frame(&s, s.room, s.new, 2);
    frame->id = 77;
    size_t refused = s.old->refused;
    world_inject(s.third, s.old, frame);
    assert_int_equal(s.old->refused, refused + 1);
    scene_room_moves(&s);
    /* the same again is answered as before; the old hub's time is over */
    frame = world_post_frame(s.alices, world_protect(s.alices, "to the old hub"));
    frame->id = 78;
    refused = s.old->refused;
    world_inject(s.third, s.old, frame);
    assert_int_equal(s.old->refused, refused + 1);
    struct world_invite invite = world_invite_new(s.room, 5, WORLD_DAY_MS);
    invite.hub = s.old;
    struct world_room at_old = *s.room;
    at_old.hub = s.old;
    assert_err(world_put_invite(&at_old, &invite), HS_ERR_HUB_MOVED);
}

static Hanse__Frame *home_frame(struct scene *s, const struct world_persona *who)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_HOME_MOVE_MAX);
    Hanse__Frame *frame = world_frame(s->w);
    struct hs_home_move move = {
        .room = s->room->id, .home_root = s->new->root.pub, .number = 1, .next_seq = s->carols->tip.next_seq};
    assert_ok(hs_home_move_build(&who->signer, &move, s->w->now, &w));
    frame->move_home = WORLD_NEW(s->w, Hanse__MoveHome, hanse__move_home);
    frame->move_home->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->move_home->move = hs_pb_data(world_take(s->w, &w));
    frame->body_case = HANSE__FRAME__BODY_MOVE_HOME;
    return frame;
}

/* FED-42: a former hub shows its members the way, and nobody else. */
static void way_to_the_hub_in_office(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    Hanse__Frame *answer = NULL;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_key brand;
    struct hs_hub_office office;
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    assert_ok(world_forward(s.carol, s.old, home_frame(&s, s.carols->persona), &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_MOVED);
    assert_ok(hs_hub_moved_verify(answer->moved->moves, answer->moved->n_moves, &s.room->id, &arena, &brand,
                                  &office, NULL));
    assert_true(hs_key_equal(&brand, &s.old->root.pub) && hs_key_equal(&office.root, &s.new->root.pub));
    struct world_device *dave = world_customer(s.new, "dave");
    assert_ok(world_bind(dave, s.old));
    assert_err(world_forward(dave, s.old, home_frame(&s, world_persona(dave, &s.old->root.pub)), NULL),
               HS_ERR_HUB_MOVED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(way_to_the_hub_in_office),
        cmocka_unit_test(the_hub_moves),
        cmocka_unit_test(the_group_info_comes_with_a_commit),
        cmocka_unit_test(keys_changed_before),
        cmocka_unit_test(posts_wait_meanwhile),
        cmocka_unit_test(nodes_die),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
