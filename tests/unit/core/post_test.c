/* SubmitMessage at the hub, and the acceptance window. */
#include "world.h"

#include "wire/limits.h"

#include <stdlib.h>

enum { WINDOW_MS = 30000 };

struct scene {
    struct world *w;
    struct world_node *node;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w, .node = world_node_new(w, "rosa.example")};
    s.owner = world_staff(s.node, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.node, "alice");
    s.bob = world_customer(s.node, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}

static enum hs_err submit(struct world_room *room, struct hs_bytes message, Hanse__Frame **answer)
{
    return world_ask(room->device, world_post_frame(room, message), answer);
}

static void posts_reach_everybody_in_order(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(world_post(s.room, "one", NULL));
    assert_ok(world_post(s.alices, "two", NULL));
    assert_ok(world_post(s.room, "three", NULL));
    world_settle(w);
    struct world_room *rooms[] = {s.room, s.alices};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(rooms[i]->post_count, 3);
        assert_string_equal(rooms[i]->posts[0], "one");
        assert_string_equal(rooms[i]->posts[1], "two");
        assert_string_equal(rooms[i]->posts[2], "three");
    }
}

/* DELIVERY-59 */
static void posts_are_by_members_in_their_own_name(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes message = world_protect(s.alices, "hello");
    struct world_room bobs = *s.alices;
    bobs.device = s.bob;
    bobs.persona = world_persona(s.bob, &s.node->root.pub);
    assert_err(submit(&bobs, message, NULL), HS_ERR_NOT_MEMBER);
    bobs.persona = s.alices->persona; /* Bob's session, Alice's name */
    assert_err(submit(&bobs, message, NULL), HS_ERR_WRONG_SENDER);
    bobs = *s.alices;
    bobs.id.b[9] ^= 1;
    assert_err(submit(&bobs, message, NULL), HS_ERR_ROOM_UNKNOWN);
    bobs = *s.alices;
    bobs.persona = s.room->persona; /* Alice's session, the owner's name */
    assert_err(submit(&bobs, message, NULL), HS_ERR_WRONG_SENDER);
    assert_ok(submit(s.alices, message, NULL));
}

/* DELIVERY-2: the same bytes, the same answer, one record. */
static void same_bytes_same_answer(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes message = world_protect(s.room, "once");
    Hanse__Frame *first, *again;
    assert_ok(submit(s.room, message, &first));
    strcpy(s.room->sent[s.room->sent_count++], "once");
    w->now.ms += 5000;
    world_node_restart(s.node);
    assert_ok(world_connect(s.owner, NULL));
    world_attach(s.owner);
    struct hs_id before = world_store_hash(s.node);
    assert_ok(submit(s.room, message, &again));
    struct hs_id after = world_store_hash(s.node);
    assert_memory_equal(before.b, after.b, 32);
    assert_int_equal(first->accepted->seq, again->accepted->seq);
    assert_int_equal(first->accepted->hub_time_ms, again->accepted->hub_time_ms);
    assert_bytes(hs_pb_bytes(first->accepted->hash), hs_pb_bytes(again->accepted->hash));
    /* also when its epoch is long over */
    assert_ok(world_update(s.room));
    w->now.ms += 10 * WINDOW_MS;
    assert_ok(submit(s.room, message, &again));
    assert_int_equal(first->accepted->seq, again->accepted->seq);
}

/* DELIVERY-5: a past epoch is accepted for 30 s of hub time, and the record says which epoch it was. */
static void past_epoch_in_its_window(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes early = world_protect(s.room, "early"), late = world_protect(s.room, "late");
    struct world_commit c;
    Hanse__Frame *answer;
    world_commit_update(s.alices, &c);
    assert_ok(world_ask(s.alice, world_commit_frame(s.alices, &c), NULL));
    w->now.ms += WINDOW_MS - 1;
    assert_ok(submit(s.room, early, &answer));
    strcpy(s.room->sent[s.room->sent_count++], "early");
    w->now.ms += 1;
    assert_err(submit(s.room, late, NULL), HS_ERR_EPOCH_TOO_OLD);
    assert_int_equal(s.owner->detail, 2);
    world_settle(w);
    assert_string_equal(s.alices->posts[0], "early");
}

static void five_past_epochs_at_most(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes first = world_protect(s.room, "1"), second;
    assert_ok(world_update(s.alices));
    second = world_protect(s.room, "2");
    for (int i = 0; i < 4; i++)
        assert_ok(world_update(s.alices));
    assert_ok(submit(s.room, world_protect(s.room, "now"), NULL));
    strcpy(s.room->sent[s.room->sent_count++], "now");
    assert_ok(world_update(s.alices));
    assert_err(submit(s.room, first, NULL), HS_ERR_EPOCH_TOO_OLD);
    assert_ok(submit(s.room, second, NULL));
}

/* DELIVERY-6: after a removal only the current epoch counts. */
static void no_window_after_a_removal(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *bobs = world_join(s.bob, s.room, &s.invite);
    struct hs_bytes message = world_protect(s.alices, "for Bob's eyes");
    assert_ok(world_remove(s.room, bobs));
    assert_err(submit(s.alices, message, NULL), HS_ERR_EPOCH_TOO_OLD);
    assert_ok(world_post(s.alices, "anew", NULL));
    world_settle(w);
    assert_string_equal(s.room->posts[0], "anew");
}

/* An epoch that isn't there yet; another room's message; handshakes; nonsense. */
static void only_posts_of_this_room(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *other = world_room_new(s.owner, "other");
    struct world_commit c;
    assert_err(submit(s.room, world_protect(other, "x"), NULL), HS_ERR_MLS_GROUP);
    world_commit_update(s.room, &c);
    assert_err(submit(s.room, c.commit, NULL), HS_ERR_UNSUPPORTED);
    assert_err(submit(s.room, c.group_info, NULL), HS_ERR_UNSUPPORTED);
    struct hs_bytes future = world_copy(w, world_protect(s.room, "future"));
    ((uint8_t *)(uintptr_t)future.data)[4 + 1 + 32 + 7] = 9; /* the epoch's last byte */
    assert_err(submit(s.room, future, NULL), HS_ERR_WRONG_EPOCH);
    assert_int_equal(s.owner->detail, 1);
    assert_err(submit(s.room, hs_bytes_str("nonsense"), NULL), HS_ERR_MLS_VERSION);
}

/* WIRE-3: BLOB_THRESHOLD is the largest post, and one past it is refused. */
static void largest_post(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes small = world_protect(s.room, "x");
    uint8_t *big = hs_arena_alloc(&w->arena, HS_BLOB_THRESHOLD + 1);
    memcpy(big, small.data, small.len);
    /* the hub reads only the head of the message */
    assert_err(submit(s.room, hs_bytes(big, HS_BLOB_THRESHOLD + 1), NULL), HS_ERR_TOO_LARGE);
    struct hs_writer HS_WRITER out = hs_writer(1 << 20);
    size_t overhead = small.len, len = HS_BLOB_THRESHOLD - 1024;
    (void)overhead;
    uint8_t *plain = hs_arena_alloc(&w->arena, HS_BLOB_THRESHOLD);
    memset(plain, 'x', HS_BLOB_THRESHOLD);
    struct hs_mls_group *group = s.room->group;
    assert_ok(hs_mls_group_protect(group, hs_bytes(plain, len), (struct hs_bytes){0}, 0, &out));
    size_t grown = len + HS_BLOB_THRESHOLD - hs_writer_bytes(&out).len;
    hs_writer_reset(&out);
    assert_ok(hs_mls_group_protect(group, hs_bytes(plain, grown), (struct hs_bytes){0}, 0, &out));
    assert_int_equal(hs_writer_bytes(&out).len, HS_BLOB_THRESHOLD);
    assert_ok(submit(s.room, hs_writer_bytes(&out), NULL));
    hs_writer_reset(&out);
    assert_ok(hs_mls_group_protect(group, hs_bytes(plain, grown + 1), (struct hs_bytes){0}, 0, &out));
    assert_err(submit(s.room, hs_writer_bytes(&out), NULL), HS_ERR_TOO_LARGE);
}

/* DELIVERY-59: in a channel few talk. */
static void listeners_may_not_post(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_policy_role role;
    struct world_room *channel;
    struct hs_policy policy = world_policy(s.owner, "news", &role);
    policy.kind = HS_ROOM_CHANNEL;
    assert_ok(world_ask(s.owner, world_create_frame(s.owner, &policy, &channel), NULL));
    channel->joined = true;
    world_attach(s.owner);
    struct world_invite invite = world_invite(channel, 1);
    struct world_room *alices = world_join(s.alice, channel, &invite);
    assert_err(submit(alices, world_protect(alices, "me too"), NULL), HS_ERR_POLICY);
    assert_ok(world_post(channel, "news", NULL));
}

/* DELIVERY-3: what was sent later waits behind a post that was refused for the moment, for a while. */
static void none_overtakes_one_that_was_refused_for_the_moment(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes one = world_protect(s.alices, "one"), two = world_protect(s.alices, "two");
    s.node->full = true;
    assert_err(submit(s.alices, one, NULL), HS_ERR_STORE_FULL);
    s.node->full = false;
    assert_err(submit(s.alices, two, NULL), HS_ERR_STORE_FULL);
    assert_ok(world_post(s.room, "hers", NULL)); /* another session's affair */
    strcpy(s.alices->sent[s.alices->sent_count++], "one");
    assert_ok(submit(s.alices, one, NULL));
    strcpy(s.alices->sent[s.alices->sent_count++], "two");
    assert_ok(submit(s.alices, two, NULL));
    struct hs_bytes three = world_protect(s.alices, "three");
    s.node->full = true;
    assert_err(submit(s.alices, three, NULL), HS_ERR_STORE_FULL);
    s.node->full = false;
    world_pass(w, 5000); /* its sender has given it up */
    assert_ok(world_post(s.alices, "four", NULL));
    world_settle(w);
    assert_string_equal(s.room->posts[1], "one");
    assert_string_equal(s.room->posts[2], "two");
    assert_string_equal(s.room->posts[3], "four");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_reach_everybody_in_order),
        cmocka_unit_test(posts_are_by_members_in_their_own_name),
        cmocka_unit_test(same_bytes_same_answer),
        cmocka_unit_test(past_epoch_in_its_window),
        cmocka_unit_test(five_past_epochs_at_most),
        cmocka_unit_test(no_window_after_a_removal),
        cmocka_unit_test(only_posts_of_this_room),
        cmocka_unit_test(largest_post),
        cmocka_unit_test(listeners_may_not_post),
        cmocka_unit_test(none_overtakes_one_that_was_refused_for_the_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
