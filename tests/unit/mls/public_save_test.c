/* A hub's group in its store: small pieces, only what changed, and what a failing store does to it. MLS-38 */
#include "unit/mls/evil.h"

#include <stdlib.h>

static enum hs_err take(struct hs_mls_public *hub, struct hs_bytes message)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    HS_TRY(hs_mls_public_process(hub, message, &event));
    return event->kind == HS_MLS_EVENT_COMMIT ? hs_mls_public_merge(hub, event->staged) : HS_OK;
}

static void save(struct evil *e)
{
    mls_store_count_from_here(e->hub_store);
    assert_ok(hs_mls_public_save(e->hub, &e->hub_store->store));
}

static void reload(struct evil *e)
{
    hs_mls_public_free_at(&e->hub);
    assert_ok(hs_mls_public_load(&e->hub_store->store, &e->hub));
}

/* Proposes a Remove of dave, told apart by data. */
static void propose(struct evil *e, const char *data, struct hs_writer *out)
{
    const struct hs_mls_proposal_request request = {
        .type = HS_MLS_REMOVE, .leaf = 3, .authenticated_data = hs_bytes_str(data)};
    hs_writer_reset(out);
    assert_ok(hs_mls_group_propose(e->carol.group, &request, out));
}

static size_t proposals_stored(const struct evil *e)
{
    size_t bytes;
    static const uint8_t prefix[] = {HS_MLS_RECORD_PROPOSAL};
    return mls_store_records(e->hub_store, hs_bytes(prefix, 1), &bytes);
}

/* Each proposal is one record, written once; what was dropped is gone; a merge clears all. */
static void proposals(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER a = writer(), HS_WRITER b = writer(), HS_WRITER c = writer();
    save(e);
    propose(e, "a", &a);
    propose(e, "b", &b);
    propose(e, "c", &c);
    assert_ok(take(e->hub, hs_writer_bytes(&a)));
    save(e);
    assert_int_equal(e->hub_store->counts.puts, 1);
    assert_ok(take(e->hub, hs_writer_bytes(&b)));
    struct hs_mls_hash first = e->hub->cached[0].ref, second = e->hub->cached[1].ref;
    save(e);
    assert_int_equal(e->hub_store->counts.puts, 1);
    assert_int_equal(proposals_stored(e), 2);
    /* dropped before it was stored: no trace of it */
    assert_ok(take(e->hub, hs_writer_bytes(&c)));
    assert_ok(hs_mls_public_drop_proposal(e->hub, HS_MLS_VIEW(e->hub->cached[2].ref)));
    save(e);
    assert_int_equal(e->hub_store->counts.puts + e->hub_store->counts.dels, 0);
    reload(e);
    assert_int_equal(hs_mls_public_proposal_count(e->hub), 2);
    assert_ok(hs_mls_public_drop_proposal(e->hub, HS_MLS_VIEW(first)));
    save(e);
    assert_int_equal(proposals_stored(e), 1);
    save(e);
    assert_int_equal(e->hub_store->counts.puts + e->hub_store->counts.dels, 0);
    reload(e);
    assert_int_equal(hs_mls_public_proposal_count(e->hub), 1);
    assert_non_null(hs_mls_public_cached(e->hub, HS_MLS_VIEW(second)));
    assert_null(hs_mls_public_cached(e->hub, HS_MLS_VIEW(first)));
    assert_err(hs_mls_public_drop_proposal(e->hub, HS_MLS_VIEW(first)), HS_ERR_NOT_FOUND);
    struct hs_writer HS_WRITER commit = writer();
    evil_commit(e, &(struct evil_commit){.by = &e->alice}, &commit);
    assert_ok(take(e->hub, hs_writer_bytes(&commit)));
    save(e);
    assert_int_equal(proposals_stored(e), 0);
    reload(e);
    assert_int_equal(hs_mls_public_proposal_count(e->hub), 0);
}

/* An Update and an Add that wait are committed by reference after a restart; several epochs at once are
 * stored as one. */
static void goes_on(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER update = writer(), HS_WRITER add = writer();
    save(e);
    assert_ok(propose_update(&e->carol, "", &update));
    assert_ok(propose_add(&e->carol, hs_writer_bytes(&e->erin.key_package), &add));
    person_hear(&e->alice, hs_writer_bytes(&update));
    person_hear(&e->alice, hs_writer_bytes(&add));
    assert_ok(take(e->hub, hs_writer_bytes(&update)));
    assert_ok(take(e->hub, hs_writer_bytes(&add)));
    save(e);
    reload(e);
    for (int i = 0; i < 3; i++) {
        struct sent SENT s = sent_new();
        assert_ok(person_try_commit(&e->alice, &empty, &s));
        assert_ok(take(e->hub, hs_writer_bytes(&s.commit)));
        assert_ok(hs_mls_group_accept(e->alice.group));
    }
    save(e);
    reload(e);
    assert_bytes(hs_mls_public_context(e->hub), hs_mls_public_context(hs_mls_group_public(e->alice.group)));
    struct hs_writer HS_WRITER mine = writer(), HS_WRITER hers = writer();
    assert_ok(hs_mls_public_tree(e->hub, &mine));
    assert_ok(hs_mls_public_tree(hs_mls_group_public(e->alice.group), &hers));
    assert_bytes(hs_writer_bytes(&mine), hs_writer_bytes(&hers));
    assert_int_equal(hs_mls_public_member_count(e->hub), 5);
    struct hs_mls_member member;
    assert_ok(hs_mls_public_member_by_key(e->hub, HS_MLS_VIEW(e->erin.signer.pub), &member));
    assert_int_equal(member.leaf, 4);
}

/* Nothing of an epoch stays once a later one is stored: the store is as large as that of a new hub. */
static void forgets_old_epochs(void **state)
{
    struct evil *e = *state;
    for (int i = 0; i < 10; i++) {
        struct sent SENT s = sent_new();
        assert_ok(person_try_commit(&e->alice, &empty, &s));
        assert_ok(take(e->hub, hs_writer_bytes(&s.commit)));
        assert_ok(hs_mls_group_accept(e->alice.group));
        save(e);
        if (i == 5)
            reload(e);
    }
    struct hs_mls_public HS_MLS_PUBLIC *fresh = NULL;
    struct mls_store MLS_STORE *other = mls_store_new();
    struct hs_writer HS_WRITER info = writer();
    assert_ok(hs_mls_group_info(e->alice.group, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), nothing, &fresh));
    assert_ok(hs_mls_public_save(fresh, &other->store));
    assert_int_equal(e->hub_store->records, other->records);
}

/* Bytes that one commit in a group of so many costs the hub's store, and the records that it reads. */
static struct mls_store_counts cost_of_commit(uint32_t members)
{
    struct person alice;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_mls_public HS_MLS_PUBLIC *hub = NULL;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_writer *packages = calloc(members, sizeof *packages);
    struct hs_bytes *adds = calloc(members, sizeof *adds);
    person_init(&alice, "alice");
    person_create(&alice, "policy");
    for (uint32_t i = 1; i < members; i++) {
        struct person other;
        person_init(&other, "other");
        packages[i] = other.key_package;
        other.key_package = (struct hs_writer){0};
        adds[i - 1] = hs_writer_bytes(&packages[i]);
        person_free(&other);
    }
    assert_ok(person_try_commit(&alice,
                                &(struct hs_mls_commit_request){.adds = adds, .add_count = members - 1}, &s));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&s.group_info), nothing, &hub));
    assert_ok(hs_mls_group_accept(alice.group));
    assert_ok(hs_mls_public_save(hub, &store->store));
    hs_mls_public_free_at(&hub);
    assert_ok(hs_mls_public_load(&store->store, &hub));
    assert_ok(person_try_commit(&alice, &empty, &t));
    mls_store_count_from_here(store);
    assert_ok(take(hub, hs_writer_bytes(&t.commit)));
    assert_ok(hs_mls_public_save(hub, &store->store));
    struct mls_store_counts counts = store->counts;
    for (uint32_t i = 0; i < members; i++)
        hs_writer_free(&packages[i]);
    free(packages);
    free(adds);
    person_free(&alice);
    return counts;
}

/* Four times the members are two more levels of the tree. */
static void logarithmic(void **state)
{
    (void)state;
    const struct mls_store_counts few = cost_of_commit(64), more = cost_of_commit(256);
    assert_true(few.bytes_written < 8192);
    assert_true(more.bytes_written - few.bytes_written < 2048);
    assert_true(more.puts - few.puts <= 2 * 4);
}

/* The store fails at each of its calls in turn, while a commit is judged, merged and stored: its error comes
 * out, and what was stored before is a whole group to go on with. */
static void failing_store(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER update = writer(), HS_WRITER list = writer(), HS_WRITER commit = writer();
    const struct hs_mls_proposal remove = evil_remove(3),
                                 add = evil_add(hs_writer_bytes(&e->erin.key_package));
    assert_ok(propose_update(&e->carol, "", &update));
    evil_value(&list, &remove);
    evil_value(&list, &add);
    evil_commit(e, &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(&list)}, &commit);
    save(e);
    enum hs_err err = HS_ERR_STORE;
    size_t calls = 0;
    for (; err != HS_OK; calls++) {
        assert_true(calls < 1000);
        struct mls_store MLS_STORE *copy = mls_store_copy(e->hub_store);
        struct hs_mls_public HS_MLS_PUBLIC *hub = NULL;
        copy->fail_after = calls;
        copy->fail_with = HS_ERR_STORE;
        err = hs_mls_public_load(&copy->store, &hub);
        if (err == HS_OK)
            err = take(hub, hs_writer_bytes(&update));
        if (err == HS_OK)
            err = take(hub, hs_writer_bytes(&commit));
        if (err == HS_OK)
            err = hs_mls_public_save(hub, &copy->store);
        assert_true(err == HS_OK || err == HS_ERR_STORE);
    }
    assert_true(calls > 10);
}

/* Members that the store can't give are passed over, and that is told. */
static void unreadable(void **state)
{
    struct evil *e = *state;
    struct hs_mls_member member;
    struct hs_writer HS_WRITER tree = writer();
    uint32_t at = 0, seen = 0;
    save(e);
    reload(e);
    assert_ok(hs_mls_public_member(e->hub, 0, &member));
    assert_ok(hs_mls_public_error(e->hub));
    e->hub_store->fail_after = 0;
    e->hub_store->fail_with = HS_ERR_STORE;
    for (; hs_mls_public_member_next(e->hub, &at, &member); seen++)
        ;
    assert_true(seen >= 1 && seen < 4);
    assert_err(hs_mls_public_error(e->hub), HS_ERR_STORE);
    assert_err(hs_mls_public_member(e->hub, 3, &member), HS_ERR_STORE);
    assert_err(hs_mls_public_member_by_key(e->hub, HS_MLS_VIEW(e->dave.signer.pub), &member), HS_ERR_STORE);
    assert_err(hs_mls_public_tree(e->hub, &tree), HS_ERR_STORE);
    e->hub_store->fail_with = HS_OK;
    hs_writer_reset(&tree);
    reload(e);
    assert_ok(hs_mls_public_member(e->hub, 3, &member));
    assert_ok(hs_mls_public_tree(e->hub, &tree));
}

/* A second store would get a part only. */
static void one_store(void **state)
{
    struct evil *e = *state;
    struct mls_store *other = mls_store_new();
    save(e);
    assert_err(hs_mls_public_save(e->hub, &other->store), HS_ERR_INVALID_ARG);
    reload(e);
    assert_err(hs_mls_public_save(e->hub, &other->store), HS_ERR_INVALID_ARG);
    assert_ok(hs_mls_public_save(e->hub, &e->hub_store->store));
    mls_store_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(proposals),          EVIL_TEST(goes_on),       EVIL_TEST(forgets_old_epochs),
        cmocka_unit_test(logarithmic), EVIL_TEST(failing_store), EVIL_TEST(unreadable),
        EVIL_TEST(one_store),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
