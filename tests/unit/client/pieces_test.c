/* MLS state is stored in pieces: what a commit writes, at the hub and in a member's store, grows with the
 * depth of the tree, not with the number of members. (CLIENT-32, NODE-28) */
#include "town.h"

#include "identity/grant.h"
#include "store/tables.h"
#include "sync/state.h"

#include <stdio.h>

enum { SMALL = 8, LARGE = 48 };

/* HS_T_GROUP: the names of core/records/table.h and of the client's stages don't go together. */
enum { HUB_GROUP = 4 };

/* What one commit wrote. */
struct written {
    size_t hub, hub_group, committer_group, bystander, bystander_group;
    size_t hub_whole, member_whole; /* the group's state altogether */
};

static enum hs_err renew(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish nothing = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &nothing);
}

/* Bytes of all records of one room's group. */
static size_t whole(struct hs_kv *kv, unsigned table)
{
    struct hs_kv_key from = {0};
    size_t bytes = 0;
    for (;;) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        struct hs_bytes key, value;
        if (!hs_kv_next(kv, table, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena, &key, &value))
            return bytes;
        bytes += key.len + value.len;
        from = hs_kv_after(key);
    }
}

/* A room of so many members; each of two neighbours has committed, so the tree is full. */
static void room_fill(struct town *t, struct town_device *owner, const struct hs_id *room,
                      struct town_device **guests, size_t members)
{
    const char *link = town_link(owner, room, (uint32_t)members);
    for (size_t i = 0; i < members - 1; i++) {
        uint64_t op;
        guests[i] = town_device_new(t);
        TOWN_WANT(guests[i], hs_want_identity(&s, "guest"));
        TOWN_WANT(guests[i], hs_want_join(&s, link, &op));
        hs_sync_stay_online(guests[i]->sync, true);
    }
    town_wait(t, 3000);
    for (size_t i = 0; i < members - 1; i += 2) {
        assert_non_null(town_event(guests[i], HANSE_EVENT_JOINED));
        TOWN_WANT(guests[i], renew(&s, room));
        town_wait(t, 1000); /* until it is settled */
    }
    TOWN_WANT(owner, renew(&s, room));
    town_wait(t, 1000);
}

static struct written commit_of(size_t members)
{
    struct town_device *guests[LARGE];
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    struct town_device *owner = town_member_of_staff(node, "mo", hs_role_set(HANSE__ROLE__ROLE_STAFF));
    struct hs_id room = town_room(owner, "VIP");
    room_fill(t, owner, &room, guests, members);
    struct town_device *bystander = guests[members / 2];
    kv_count_reset(&node->kv);
    kv_count_reset(&owner->kv);
    kv_count_reset(&bystander->kv);
    uint64_t traffic = hs_core_stats(node->core).records;
    TOWN_WANT(owner, renew(&s, &room));
    town_wait(t, 1000);
    assert_int_equal(hs_core_stats(node->core).records, traffic + 2); /* what settles it, too */
    struct written w = {.hub = kv_count_bytes(&node->kv),
                        .hub_group = node->kv.table[HUB_GROUP].bytes,
                        .committer_group = owner->kv.table[HS_TABLE_GROUP].bytes,
                        .bystander = kv_count_bytes(&bystander->kv),
                        .bystander_group = bystander->kv.table[HS_TABLE_GROUP].bytes};
    w.hub_whole = whole(&node->kv.kv, HUB_GROUP);
    w.member_whole = whole(town_look(bystander), HS_TABLE_GROUP);
    town_looked(bystander);
    printf("%zu members: hub %zu (group %zu of %zu); committer's group %zu; bystander %zu "
           "(group %zu of %zu)\n",
           members, w.hub, w.hub_group, w.hub_whole, w.committer_group, w.bystander, w.bystander_group,
           w.member_whole);
    town_free(t);
    return w;
}

/* Twice as deep a tree may cost twice as much; six times as many members may not cost six times. */
static void assert_logarithmic(size_t small, size_t large)
{
    assert_true(small > 0);
    assert_in_range(large, 1, 5 * small / 2);
}

static void a_commit_writes_its_path(void **state)
{
    (void)state;
    struct written small = commit_of(SMALL), large = commit_of(LARGE);
    assert_logarithmic(small.hub, large.hub);
    assert_logarithmic(small.hub_group, large.hub_group);
    assert_logarithmic(small.committer_group, large.committer_group);
    assert_logarithmic(small.bystander, large.bystander);
    assert_logarithmic(small.bystander_group, large.bystander_group);
    assert_true(4 * large.hub_group < large.hub_whole);
    assert_true(large.hub_whole > 3 * small.hub_whole); /* the measure sees a group grow */
}

static uint64_t epoch_of(struct town_device *d, const struct hs_id *id)
{
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    struct hs_live_room *room;
    assert_ok(town_open(d, &s, &arena));
    assert_ok(hs_live_member(&s, id, &room));
    uint64_t epoch = hs_mls_group_epoch(room->group);
    assert_false(hs_mls_group_has_pending(room->group));
    assert_ok(town_close(d, &s, HS_OK));
    return epoch;
}

/* Every put of a commit may fail, in its maker's store: nothing of it is left, neither there nor in memory,
 * and the next one goes through. (CLIENT-6) */
static void a_failed_commit_leaves_nothing(void **state)
{
    (void)state;
    struct town_device *guests[SMALL];
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    struct town_device *owner = town_member_of_staff(node, "mo", hs_role_set(HANSE__ROLE__ROLE_STAFF));
    struct hs_id room = town_room(owner, "VIP");
    room_fill(t, owner, &room, guests, SMALL);
    uint64_t before = epoch_of(owner, &room);
    size_t fails = 0;
    for (enum hs_err err = HS_ERR_STORE_FULL; err != HS_OK; fails++) {
        struct hs_step s;
        struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
        assert_true(fails < 200);
        assert_ok(town_open(owner, &s, &arena));
        owner->kv.fail_in = fails + 1;
        err = town_close(owner, &s, renew(&s, &room));
        assert_true(err == HS_OK || err == HS_ERR_STORE_FULL);
        owner->kv.fail_in = 0;
        if (err != HS_OK)
            assert_int_equal(epoch_of(owner, &room), before);
    }
    town_run(t);
    printf("%zu puts failed, one after another\n", fails - 1);
    assert_true(fails > 3);
    assert_int_equal(epoch_of(owner, &room), before + 1);
    assert_int_equal(epoch_of(guests[3], &room), before + 1);
    town_free(t);
}

/* Looks at the members, the store failing from that one on; what came at the end of the list. */
static enum hs_err list(struct town_device *d, const struct hs_id *room, size_t fails_at, size_t *listed)
{
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    struct kv_count kv = kv_count(town_look(d));
    struct hs_step s = {.sync = d->sync, .arena = &arena, .kv = &kv.kv, .now = town_now(d->town)};
    struct hanse_member member;
    uint32_t leaf = 0;
    enum hs_err err;
    *listed = 0;
    do {
        kv.unreadable = *listed >= fails_at;
        err = hs_sync_member_next(&s, room, &leaf, &member);
        *listed += err == HS_OK;
    } while (err == HS_OK);
    town_looked(d);
    return err;
}

/* A list of members that the store couldn't give in full isn't taken for a whole one, and the next look and
 * the next commit are as if nothing had been. */
static void a_failed_look_leaves_nothing(void **state)
{
    (void)state;
    struct town_device *guests[SMALL];
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    struct town_device *owner = town_member_of_staff(node, "mo", hs_role_set(HANSE__ROLE__ROLE_STAFF));
    struct hs_id room = town_room(owner, "VIP");
    size_t listed;
    room_fill(t, owner, &room, guests, SMALL);
    hs_live_drop_all(owner->sync); /* as after a start: nothing of the group is in memory */
    assert_err(list(owner, &room, 1, &listed), HS_ERR_STORE);
    assert_in_range(listed, 1, SMALL - 1);
    assert_err(list(owner, &room, SIZE_MAX, &listed), HS_ERR_NOT_FOUND);
    assert_int_equal(listed, SMALL);
    uint64_t before = epoch_of(owner, &room);
    TOWN_WANT(owner, renew(&s, &room));
    town_wait(t, 1000);
    assert_int_equal(epoch_of(owner, &room), before + 1);
    town_free(t);
}

/* What a member of the room would make of a message now; nothing comes of it. */
static enum hs_err try_message(struct town_device *d, const struct hs_id *id, struct hs_bytes message)
{
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    struct hs_live_room *room;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(town_open(d, &s, &arena));
    assert_ok(hs_live_member(&s, id, &room));
    enum hs_err err = hs_mls_group_process(room->group, message, &event);
    assert_err(town_close(d, &s, HS_ERR_BUSY), HS_ERR_BUSY);
    return err;
}

/* A post that is encrypted and never sent. */
static void protect(struct town_device *d, const struct hs_id *id, struct hs_writer *out)
{
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    struct hs_live_room *room;
    assert_ok(town_open(d, &s, &arena));
    assert_ok(hs_live_member(&s, id, &room));
    assert_ok(hs_mls_group_protect(room->group, hs_bytes_str("old"), (struct hs_bytes){0}, 0, out));
    room->group_dirty = true;
    assert_ok(town_close(d, &s, HS_OK));
}

/* CLIENT-33: by hub time, with the record that comes after it. */
static void an_ended_epoch_is_wiped(void **state)
{
    (void)state;
    struct town_device *guests[SMALL];
    struct hs_writer HS_WRITER post = hs_writer(1 << 16);
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    struct town_device *owner = town_member_of_staff(node, "mo", hs_role_set(HANSE__ROLE__ROLE_STAFF));
    struct hs_id room = town_room(owner, "VIP");
    uint64_t op;
    room_fill(t, owner, &room, guests, 3);
    protect(guests[0], &room, &post);
    TOWN_WANT(owner, renew(&s, &room));
    town_run(t);
    assert_ok(try_message(guests[1], &room, hs_writer_bytes(&post)));
    town_wait(t, 29000);
    TOWN_WANT(owner, hs_want_text(&s, &room, "in time", &op));
    town_run(t);
    assert_ok(try_message(guests[1], &room, hs_writer_bytes(&post)));
    town_wait(t, 3000);
    assert_ok(try_message(guests[1], &room, hs_writer_bytes(&post)));
    TOWN_WANT(owner, hs_want_text(&s, &room, "too late", &op));
    town_run(t);
    assert_err(try_message(guests[1], &room, hs_writer_bytes(&post)), HS_ERR_MLS_EPOCH);
    assert_string_equal(town_history(guests[1], &room), "in time\ntoo late\n");
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_commit_writes_its_path),
        cmocka_unit_test(a_failed_commit_leaves_nothing),
        cmocka_unit_test(a_failed_look_leaves_nothing),
        cmocka_unit_test(an_ended_epoch_is_wiped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
