/* What a save of the hub's group overwrote comes back byte for byte, and costs what the save wrote. */
#include "unit/room/group_fixture.h"

#include "room/group_undo.h"
#include "support/kv_count.h"
#include "support/rng.h"

enum { TABLE = 3, CAP = 1 << 20, CROWD = 48 };

/* All that the store has, one behind the other. */
static struct hs_bytes dump(struct hs_kv *kv)
{
    struct hs_writer HS_WRITER w = hs_writer(64 << 20);
    struct hs_bytes key, value;
    struct hs_kv_key from = {0};
    while (hs_kv_next(kv, TABLE, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena, &key, &value)) {
        hs_write_mls_vec(&w, key);
        hs_write_mls_vec(&w, value);
        from = hs_kv_after(key);
    }
    assert_ok(kv->err);
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

struct scene {
    struct room room;
    struct hs_kv *kv;
    struct hs_group_store store;
    struct hs_mls_public *hub; /* as it is loaded from the store */
    struct rng rng;
    size_t joined;
};

static void reload(struct scene *s)
{
    hs_mls_public_free_at(&s->hub);
    hs_group_store_init(&s->store, s->kv, TABLE, &s->room.id);
    assert_ok(hs_mls_public_load(&s->store.store, &s->hub));
}

static void begin(struct scene *s)
{
    *s = (struct scene){.kv = hs_kv_memory_new(), .rng = rng_new()};
    room_make(&s->room, HS_ROOM_GROUP);
    hs_group_store_init(&s->store, s->kv, TABLE, &s->room.id);
    assert_ok(hs_mls_public_save(s->room.hub, &s->store.store));
    reload(s);
}

static void end(struct scene *s)
{
    hs_mls_public_free_at(&s->hub);
    room_free(&s->room);
    hs_kv_memory_free(s->kv);
}

/* Some commit of the owner's: somebody new, somebody less, or nothing but new keys. */
static struct hs_bytes some_commit(struct scene *s)
{
    struct hs_bytes adds[3];
    uint32_t leaf = 0;
    char name[32];
    struct hs_mls_commit_request request = {.adds = adds, .force_path = true};
    switch (rng_below(&s->rng, 3)) {
    case 0:
        for (size_t i = 1 + rng_below(&s->rng, 3); i > 0; i--) {
            (void)snprintf(name, sizeof name, "guest %zu", s->joined++);
            adds[request.add_count++] = person_make(name, NULL).key_package;
        }
        break;
    case 1:
        if (hs_mls_public_width(s->hub) > 1) {
            leaf = 1 + (uint32_t)rng_below(&s->rng, hs_mls_public_width(s->hub) - 1);
            struct hs_mls_member member;
            request.removes = &leaf;
            request.remove_count = hs_mls_public_member(s->hub, leaf, &member) == HS_OK;
        }
        break;
    default:
        break;
    }
    return commit_make(s->room.owner, &request, NULL);
}

static void some_proposal(struct scene *s)
{
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    char name[32];
    (void)snprintf(name, sizeof name, "guest %zu", s->joined++);
    struct person guest = person_make(name, NULL);
    struct hs_mls_proposal_request add = {.type = HS_MLS_ADD, .key_package = guest.key_package};
    assert_ok(hs_mls_group_propose(s->room.owner, &add, &w));
    assert_ok(hs_mls_public_process(s->hub, hs_writer_bytes(&w), &event));
    hs_mls_event_free(event);
    event = NULL;
    assert_ok(hs_mls_group_process(s->room.owner, hs_writer_bytes(&w), &event));
    hs_mls_event_free(event);
    assert_ok(hs_mls_public_save(s->hub, &s->store.store));
}

/* At the hub alone; the owner's stays pending. */
static void let_in(struct scene *s, struct hs_bytes commit)
{
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_public_process(s->hub, commit, &event));
    assert_ok(hs_mls_public_merge(s->hub, event->staged));
    hs_mls_event_free(event);
    assert_ok(hs_mls_public_save(s->hub, &s->store.store));
}

/* Any history of commits that stay and commits that go, with proposals that wait: the store is that of the
 * commits that stayed, and a group that is loaded from it goes on with the owner's. ROOM-62 */
static void test_any_history(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    for (int round = 0; round < 60; round++) {
        if (rng_below(&s.rng, 3) == 0)
            some_proposal(&s);
        struct hs_bytes before = dump(s.kv), commit = some_commit(&s);
        bool stays = rng_below(&s.rng, 2) == 0;
        hs_group_undo_begin(&s.store);
        let_in(&s, commit);
        assert_false(hs_bytes_equal(dump(s.kv), before));
        if (stays) {
            hs_group_undo_forget(&s.store);
            assert_ok(hs_mls_group_accept(s.room.owner));
            reload(&s);
        } else {
            if (rng_below(&s.rng, 2) == 0)
                reload(&s); /* by another process */
            hs_group_undo_apply(&s.store);
            assert_bytes(dump(s.kv), before);
            hs_mls_group_drop(s.room.owner);
            reload(&s);
        }
        assert_bytes(hs_mls_public_context(s.hub), hs_mls_public_context(hs_mls_group_public(s.room.owner)));
    }
    end(&s);
}

/* A commit in a crowd: so many records are kept as the tree is deep. ROOM-62 */
static void test_cost(void **state)
{
    (void)state;
    struct scene s;
    struct hs_bytes adds[CROWD];
    begin(&s);
    for (size_t i = 0; i < CROWD; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "guest %zu", i);
        adds[i] = person_make(name, NULL).key_package;
    }
    struct hs_mls_commit_request crowd = {.adds = adds, .add_count = CROWD}, path = {.force_path = true};
    let_in(&s, commit_make(s.room.owner, &crowd, NULL));
    assert_ok(hs_mls_group_accept(s.room.owner));
    struct kv_count count = kv_count(s.kv);
    s.store.kv = &count.kv;
    hs_group_undo_begin(&s.store);
    let_in(&s, commit_make(s.room.owner, &path, NULL));
    size_t depth = 6; /* 49 leaves */
    /* per node: the record, its old form, the index of its key, twice; and what each is kept as */
    assert_in_range(count.table[TABLE].puts, depth, 12 * (depth + 1) + 12);
    s.store.kv = s.kv;
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_history),
        cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
