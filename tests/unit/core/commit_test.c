/* SubmitCommit: one commit an epoch, judged by everything that is public. */
#include "world.h"

#include "wire/unpack.h"

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

static struct world_room *wait_for(struct world_device *d, const struct world_invite *invite)
{
    struct world_room *room = world_room_join(d, invite);
    Hanse__Frame *frame = world_join_frame(room, world_join_body(room, invite));
    assert_ok(world_ask_hub(d, invite->hub, frame, NULL));
    world_settle(d->world);
    return room;
}

static enum hs_err submit(struct world_device *d, Hanse__Frame *frame, Hanse__Frame **answer)
{
    return world_ask(d, frame, answer);
}

static void joins_are_admitted(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *bobs = wait_for(s.bob, &s.invite);
    assert_false(bobs->joined);
    assert_ok(world_admit(s.room));
    assert_true(bobs->joined);
    assert_int_equal(s.room->waiting_count, 0);
    assert_int_equal(s.alices->waiting_count, 0);
    struct hs_mls_secret a = hs_mls_group_authenticator(s.room->group),
                         b = hs_mls_group_authenticator(bobs->group),
                         c = hs_mls_group_authenticator(s.alices->group);
    assert_bytes(HS_MLS_VIEW(a), HS_MLS_VIEW(b));
    assert_bytes(HS_MLS_VIEW(a), HS_MLS_VIEW(c));
}

/* Who has no JOIN isn't let in, whoever asks. */
static void stranger_is_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *bobs = world_room_join(s.bob, &s.invite);
    struct world_commit c;
    s.room->waiting[s.room->waiting_count++] = world_join_body(bobs, &s.invite); /* never sent */
    world_commit_admit(s.room, &c);
    assert_err(submit(s.owner, world_commit_frame(s.room, &c), NULL), HS_ERR_INVITE_UNKNOWN);
    s.room->waiting_count = 0;
}

static void admitting_takes_the_right(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_commit c;
    (void)wait_for(s.bob, &s.invite);
    assert_int_equal(s.alices->waiting_count, 1);
    world_commit_admit(s.alices, &c);
    assert_err(submit(s.alice, world_commit_frame(s.alices, &c), NULL), HS_ERR_POLICY);
    hs_mls_group_drop(s.alices->group);
    /* ... nor may a member remove another */
    world_commit_remove(s.alices, 0, &c);
    assert_err(submit(s.alice, world_commit_frame(s.alices, &c), NULL), HS_ERR_POLICY);
}

/* DELIVERY-4: one commit for each epoch; the loser learns the epoch and tries anew. */
static void one_commit_an_epoch(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_commit mine, hers;
    Hanse__Frame *first, *again;
    world_commit_update(s.room, &mine);
    world_commit_update(s.alices, &hers);
    assert_ok(submit(s.owner, world_commit_frame(s.room, &mine), &first));
    assert_err(submit(s.alice, world_commit_frame(s.alices, &hers), NULL), HS_ERR_WRONG_EPOCH);
    assert_int_equal(s.alice->detail, 2);
    struct hs_id before = world_store_hash(s.node);
    assert_ok(submit(s.owner, world_commit_frame(s.room, &mine), &again));
    struct hs_id after = world_store_hash(s.node);
    assert_memory_equal(before.b, after.b, 32);
    assert_int_equal(first->accepted->seq, again->accepted->seq);
    assert_int_equal(first->accepted->hub_time_ms, again->accepted->hub_time_ms);
    assert_bytes(hs_pb_bytes(first->accepted->hash), hs_pb_bytes(again->accepted->hash));
    world_settle(w);
    assert_int_equal(hs_mls_group_epoch(s.alices->group), 2);
    assert_ok(world_update(s.alices));
    assert_int_equal(hs_mls_group_epoch(s.room->group), 3);
}

static void commit_is_its_makers(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_commit c;
    world_commit_update(s.room, &c);
    struct world_room as_owner = *s.alices;
    as_owner.persona = s.room->persona; /* she names the owner: the session doesn't act for him */
    assert_err(submit(s.alice, world_commit_frame(&as_owner, &c), NULL), HS_ERR_WRONG_SENDER);
    /* she names herself: the commit is his */
    assert_err(submit(s.alice, world_commit_frame(s.alices, &c), NULL), HS_ERR_WRONG_SENDER);
    struct world_room bobs = *s.room;
    bobs.persona = world_persona(s.bob, &s.node->root.pub);
    assert_err(submit(s.bob, world_commit_frame(&bobs, &c), NULL), HS_ERR_NOT_MEMBER);
}

static void welcome_and_group_info_must_fit(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_commit old, c;
    world_commit_update(s.room, &old);
    struct world_device *carol = world_customer(s.node, "carol");
    (void)wait_for(s.bob, &s.invite);
    world_commit_admit(s.room, &old); /* for Bob alone */
    (void)wait_for(carol, &s.invite);
    world_commit_admit(s.room, &c);

    Hanse__Frame *frame = world_commit_frame(s.room, &c);
    frame->submit_commit->welcome = hs_pb_data(old.welcome); /* Carol isn't in it */
    assert_err(submit(s.owner, frame, NULL), HS_ERR_MLS_WELCOME);
    frame->submit_commit->welcome = (ProtobufCBinaryData){0};
    enum hs_err err = submit(s.owner, frame, NULL);
    assert_true(err == HS_ERR_MLS_WELCOME || err == HS_ERR_MALFORMED);
    if (s.owner->session == 0) {
        assert_ok(world_connect(s.owner, NULL));
        world_attach(s.owner);
    }
    frame = world_commit_frame(s.room, &c);
    frame->submit_commit->group_info = hs_pb_data(old.group_info);
    assert_err(submit(s.owner, frame, NULL), HS_ERR_MLS_COMMIT);
    frame->submit_commit->group_info = hs_pb_data(c.group_info);
    assert_ok(submit(s.owner, frame, NULL));
    world_settle(w);
    assert_int_equal(hs_mls_group_epoch(s.alices->group), 2);
}

static void commit_is_a_commit_of_this_room(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *other = world_room_new(s.owner, "other");
    struct world_commit c, theirs;
    world_commit_update(s.room, &c);
    world_commit_update(other, &theirs);
    assert_err(submit(s.owner, world_commit_frame(s.room, &theirs), NULL), HS_ERR_MLS_GROUP);
    struct world_commit post = c;
    post.commit = world_protect(s.alices, "not a commit");
    assert_err(submit(s.owner, world_commit_frame(s.room, &post), NULL), HS_ERR_UNSUPPORTED);
    struct world_commit altered = c;
    altered.commit = world_copy(w, c.commit);
    ((uint8_t *)(uintptr_t)altered.commit.data)[c.commit.len - 40] ^= 1;
    assert_int_not_equal(submit(s.owner, world_commit_frame(s.room, &altered), NULL), HS_OK);
}

/* DELIVERY-30, DELIVERY-31: the hub has the tree; it says it to newcomers and wants it from nobody. */
static void trees_stay_at_the_hub(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *bobs = wait_for(s.bob, &s.invite);
    struct world_commit c, *with_tree = &c;
    struct hs_writer HS_WRITER info = hs_writer(1 << 20), HS_WRITER tree = hs_writer(1 << 20);
    world_commit_admit(s.room, &c);
    assert_false(hs_mls_group_info_has_tree(c.group_info));
    Hanse__Frame *frame = world_commit_frame(s.room, &c);
    assert_ok(submit(s.owner, frame, NULL));
    world_settle(w);
    assert_true(bobs->joined);
    const Hanse__WelcomeItem *item = s.bob->items[s.bob->item_count - 1]->welcome;
    assert_ok(hs_mls_public_tree(hs_mls_group_public(s.room->group), &tree));
    assert_bytes(hs_pb_bytes(item->tree->bytes), hs_writer_bytes(&tree));
    /* a GroupInfo that brings the tree all the same */
    struct hs_mls_commit_request request = {.force_path = true};
    struct hs_writer HS_WRITER commit = hs_writer(1 << 20);
    struct hs_mls_commit_result result = {.commit = &commit, .group_info = &info};
    assert_ok(hs_mls_group_commit(s.room->group, &request, &result));
    *with_tree =
        (struct world_commit){.commit = hs_writer_bytes(&commit), .group_info = hs_writer_bytes(&info)};
    assert_err(submit(s.owner, world_commit_frame(s.room, with_tree), NULL), HS_ERR_MLS_COMMIT);
    hs_mls_group_drop(s.room->group);
}

/* The number of the first record that came to d from there on. */
static uint64_t first_record(struct world *w, const struct world_device *d, size_t from)
{
    for (size_t i = from; i < d->rx_len; i++) {
        Hanse__Frame *frame;
        struct hs_record_header header;
        assert_ok(HS_UNPACK(hanse__frame, d->rx[i], HS_LENIENT, &w->arena, &frame));
        if (frame->body_case != HANSE__FRAME__BODY_RECORDS)
            continue;
        assert_ok(hs_record_header_parse(hs_pb_bytes(frame->records->records[0]->header), &header));
        return header.seq;
    }
    return UINT64_MAX;
}

/* DELIVERY-9: nothing behind the record that settles its removal is for who was removed. */
static void removed_gets_nothing_more(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_room *bobs = world_join(s.bob, s.room, &s.invite);
    size_t records = bobs->records;
    assert_ok(world_remove(s.room, bobs));
    assert_int_equal(bobs->records, records + 2);
    assert_true(hs_mls_group_is_removed(bobs->group));
    assert_ok(world_post(s.room, "without Bob", NULL));
    world_settle(w);
    assert_int_equal(bobs->records, records + 2);
    assert_string_equal(s.alices->posts[0], "without Bob");
    /* a new session doesn't help, nor another number */
    world_disconnect(s.bob);
    assert_ok(world_connect(s.bob, NULL));
    bobs->tip.next_seq++;
    world_attach(s.bob);
    bobs->tip.next_seq--;
    assert_int_equal(bobs->records, records + 2);
    world_node_restart(s.node);
    assert_ok(world_connect(s.bob, NULL));
    world_attach(s.bob);
    assert_int_equal(bobs->records, records + 2);
    assert_err(world_ask(s.bob, world_post_frame(bobs, hs_bytes_str("x")), NULL), HS_ERR_NOT_MEMBER);
    /* a new invite brings a new membership */
    assert_ok(world_connect(s.owner, NULL));
    world_attach(s.owner);
    struct world_room *back = world_join(s.bob, s.room, &s.invite);
    assert_ok(world_post(s.room, "with Bob", NULL));
    world_settle(w);
    assert_string_equal(back->posts[0], "with Bob");
    /* it reads from its own commit on, whatever it asks for: "without Bob" stays without him */
    size_t from = s.bob->rx_len;
    uint64_t anchor = back->anchor;
    back->tip.next_seq = 0;
    world_disconnect(s.bob);
    assert_ok(world_connect(s.bob, NULL));
    s.bob->rx_read = SIZE_MAX; /* looked at here */
    world_attach(s.bob);
    assert_int_equal(first_record(w, s.bob, from), anchor);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_are_admitted),
        cmocka_unit_test(stranger_is_refused),
        cmocka_unit_test(admitting_takes_the_right),
        cmocka_unit_test(one_commit_an_epoch),
        cmocka_unit_test(commit_is_its_makers),
        cmocka_unit_test(welcome_and_group_info_must_fit),
        cmocka_unit_test(commit_is_a_commit_of_this_room),
        cmocka_unit_test(trees_stay_at_the_hub),
        cmocka_unit_test(removed_gets_nothing_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
