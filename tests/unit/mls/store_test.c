/* A group in its store: how much is written and read, what is gone, and what happens when the store fails. */
#include "unit/mls/cast.h"

#include <stdlib.h>

static void post(struct person *by, struct hs_writer *w)
{
    hs_writer_reset(w);
    assert_ok(hs_mls_group_protect(by->group, hs_bytes_str("post"), hs_bytes_str(""), 0, w));
}

static void read_post(struct person *p, const struct hs_writer *w)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(p->group, hs_writer_bytes(w), &event));
}

static void fill_key_packages(struct hs_writer *w, struct hs_bytes *adds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct person p;
        person_init(&p, "somebody");
        w[i] = p.key_package;
        p.key_package = hs_writer(CAP);
        adds[i] = hs_writer_bytes(&w[i]);
        person_free(&p);
    }
}

/* Alice's group of that many, and bob, who is in it too. */
static void large_group(struct person *alice, struct person *bob, size_t size)
{
    struct sent SENT s = sent_new();
    struct hs_writer *w = calloc(size, sizeof *w);
    struct hs_bytes *adds = calloc(size, sizeof *adds);
    assert_non_null(w);
    assert_non_null(adds);
    person_init(alice, "alice");
    person_init(bob, "bob");
    person_create(alice, "policy");
    fill_key_packages(w, adds, size - 2);
    adds[size - 2] = hs_writer_bytes(&bob->key_package);
    const struct hs_mls_commit_request request = {
        .adds = adds, .add_count = size - 1, .force_path = true, .tree_in_welcome = true};
    person_commit(alice, &request, &s);
    assert_ok(person_try_join(bob, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    for (size_t i = 0; i + 2 < size; i++)
        hs_writer_free(&w[i]);
    free(w);
    free(adds);
    person_save(alice);
    person_save(bob);
}

/* What a save wrote since the counting began. */
static struct mls_store_counts saved(struct person *p)
{
    mls_store_count_from_here(p->store);
    person_save(p);
    return p->store->counts;
}

struct costs {
    struct mls_store_counts nothing, first_post, post, read, made, merged, load, loaded_read;
};

static struct costs measure(size_t size)
{
    struct person alice, bob;
    struct costs costs;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    large_group(&alice, &bob, size);
    costs.nothing = saved(&alice);
    post(&alice, &w);
    costs.first_post = saved(&alice);
    read_post(&bob, &w);
    (void)saved(&bob);
    post(&alice, &w);
    costs.post = saved(&alice);
    read_post(&bob, &w);
    costs.read = saved(&bob);
    assert_ok(person_try_commit(&alice, &empty, &s));
    person_follow(&bob, hs_writer_bytes(&s.commit));
    costs.merged = saved(&bob);
    assert_ok(hs_mls_group_accept(alice.group));
    costs.made = saved(&alice);
    post(&alice, &w);
    mls_store_count_from_here(bob.store);
    person_crash(&bob);
    costs.load = bob.store->counts;
    mls_store_count_from_here(bob.store);
    read_post(&bob, &w);
    costs.loaded_read = bob.store->counts;
    assert_same_epoch(&alice, &bob);
    person_free(&alice);
    person_free(&bob);
    return costs;
}

/* Nothing grows with the group but by its depth. MLS-62, MLS-63 */
static void costs_by_size(void **state)
{
    (void)state;
    const struct costs small = measure(32), large = measure(1024); /* 5 and 10 levels */
    assert_int_equal(large.nothing.puts + large.nothing.dels, 0);
    assert_int_equal(large.post.puts, 1);
    assert_int_equal(large.read.puts, 1);
    assert_true(large.post.bytes_written < 256);
    assert_true(large.first_post.puts <= small.first_post.puts + 2 * 5);
    /* a node of the path has a key, a hash and two references; then a state of constant size */
    assert_true(large.merged.bytes_written < small.merged.bytes_written + 5 * 1024);
    assert_true(large.made.bytes_written < small.made.bytes_written + 5 * 1024);
    assert_true(large.merged.bytes_written < 16 << 10);
    assert_true(large.merged.puts <= small.merged.puts + 5 * 8);
    /* lazy: the same few records, whatever the size */
    assert_int_equal(large.load.gets, small.load.gets);
    assert_true(large.load.gets <= 8);
    assert_true(large.load.bytes_read < 8 << 10);
    assert_true(large.loaded_read.gets <= small.loaded_read.gets + 4 * 5);
}

/* After any number of epochs the store holds what the tree and the kept epochs need, and no more. MLS-64 */
static void nothing_piles_up(void **state)
{
    struct cast *c = *state;
    size_t records = 0;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    for (int i = 0; i < 40; i++) {
        struct sent SENT s = sent_new();
        post(&c->alice, &w);
        read_post(&c->bob, &w);
        person_commit(i % 2 == 0 ? &c->alice : &c->bob, &empty, &s);
        person_follow(i % 2 == 0 ? &c->bob : &c->alice, hs_writer_bytes(&s.commit));
        if (i % 3 == 0)
            person_restart(&c->bob);
        else
            person_save(&c->bob);
        if (i == 20)
            records = c->bob.store->records;
    }
    assert_true(c->bob.store->records <= records + 12);
    hs_mls_group_drop_past(c->bob.group);
    person_save(&c->bob);
    const uint8_t state_key = HS_MLS_RECORD_STATE, root = HS_MLS_RECORD_ROOT;
    assert_int_equal(mls_store_records(c->bob.store, hs_bytes(&state_key, 1), NULL), 1);
    assert_int_equal(mls_store_records(c->bob.store, hs_bytes(&root, 1), NULL), 1);
    assert_same_epoch(&c->alice, &c->bob);
    person_crash(&c->bob);
    assert_same_epoch(&c->alice, &c->bob);
}

/* Several epochs, a newcomer and old posts between two saves. MLS-62 */
static void saved_rarely(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER old = hs_writer(CAP), HS_WRITER new = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    person_save(&c->bob);
    for (int round = 0; round < 6; round++) {
        for (int i = 0; i < round; i++) {
            struct sent SENT s = sent_new();
            if (i == 0)
                post(&c->alice, &old);
            if (i == round - 1)
                post(&c->alice, &new);
            person_commit(&c->alice, &empty, &s);
            person_follow(&c->bob, hs_writer_bytes(&s.commit));
        }
        person_restart(&c->bob);
        if (round > 1)
            read_post(&c->bob, &old);
        if (round > 0)
            read_post(&c->bob, &new);
        person_restart(&c->bob);
        assert_same_epoch(&c->alice, &c->bob);
        if (round > 0)
            assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&new), &event),
                       HS_ERR_MLS_GENERATION);
    }
    /* more epochs than are kept, so that those of the store are all gone at once */
    for (uint32_t i = 0; i < 3 * c->bob.group->settings.past_epochs; i++) {
        struct sent SENT s = sent_new();
        person_commit(&c->alice, &empty, &s);
        person_follow(&c->bob, hs_writer_bytes(&s.commit));
    }
    person_restart(&c->bob);
    assert_same_epoch(&c->alice, &c->bob);
    assert_talks(&c->alice, &c->bob, "still");
}

/* A save that fails at any call: what was there before the transaction is loaded again, and goes on. MLS-65
 */
static void saves_fail(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    person_save(&c->bob);
    post(&c->alice, &w);
    person_commit(&c->alice, &empty, &s);
    size_t calls = 0;
    for (bool failed = true; failed; calls++) {
        struct mls_store *before = mls_store_copy(c->bob.store);
        read_post(&c->bob, &w);
        person_follow(&c->bob, hs_writer_bytes(&s.commit));
        c->bob.store->fail_after = calls;
        c->bob.store->fail_with = HS_ERR_STORE_FULL;
        enum hs_err err = hs_mls_group_save(c->bob.group, &c->bob.store->store);
        failed = err != HS_OK;
        c->bob.store->fail_with = HS_OK;
        if (!failed) {
            mls_store_free(before);
            break;
        }
        assert_err(err, HS_ERR_STORE_FULL);
        person_leave(&c->bob);
        c->bob.store = before;
        person_crash(&c->bob);
    }
    assert_true(calls > 5);
    person_crash(&c->bob);
    assert_same_epoch(&c->alice, &c->bob);
}

/* A store that can't be read any more: an error, nothing wrong is made of it. */
static void reads_fail(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    post(&c->alice, &w);
    person_commit(&c->alice, &empty, &s);
    person_save(&c->bob);
    for (size_t gets = 0;; gets++) {
        struct hs_mls_group *group = NULL;
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        c->bob.store->fail_after = gets;
        c->bob.store->fail_with = HS_ERR_IO;
        enum hs_err err = hs_mls_group_load(&c->bob.store->store, &c->bob.signer, 1, &group);
        if (err == HS_OK)
            err = hs_mls_group_process(group, hs_writer_bytes(&w), &event);
        hs_mls_event_free_at(&event);
        if (err == HS_OK)
            err = hs_mls_group_process(group, hs_writer_bytes(&s.commit), &event);
        c->bob.store->fail_with = HS_OK;
        if (err == HS_OK)
            assert_ok(hs_mls_group_merge(group, event->staged));
        else
            assert_err(err, HS_ERR_IO);
        hs_mls_group_free(group);
        if (err == HS_OK)
            break;
        assert_true(gets < 1000);
    }
}

/* Any record cut short or bent: an error, now or later, and never a crash. */
static void damaged(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP), HS_WRITER out = hs_writer(CAP);
    struct sent SENT own = sent_new();
    post(&c->alice, &w);
    assert_ok(propose_update(&c->bob, "", &out));
    person_hear(&c->bob, hs_writer_bytes(&out));
    person_hear(&c->alice, hs_writer_bytes(&out));
    assert_ok(person_try_commit(&c->bob, &empty, &own));
    person_commit(&c->alice, &empty, &s);
    person_save(&c->bob);
    size_t survived = 0, tried = 0, *len;
    struct hs_bytes key;
    for (size_t i = 0; mls_store_value(c->bob.store, i, &key, &len) != NULL; i++)
        for (int way = 0; way < 3; way++, tried++) {
            struct mls_store MLS_STORE *copy = mls_store_copy(c->bob.store);
            struct hs_mls_group HS_MLS_GROUP *group = NULL;
            struct hs_mls_event HS_MLS_EVENT *event = NULL;
            uint8_t *value = mls_store_value(copy, i, &key, &len);
            if (*len > 0 && way == 0)
                --*len;
            else if (*len > 0)
                value[way == 1 ? 0 : *len / 2] ^= 0x21;
            if (hs_mls_group_load(&copy->store, &c->bob.signer, 1, &group) != HS_OK)
                continue;
            (void)!hs_mls_group_process(group, hs_writer_bytes(&w), &event);
            hs_mls_event_free_at(&event);
            if (hs_mls_group_process(group, hs_writer_bytes(&s.commit), &event) == HS_OK)
                (void)!hs_mls_group_merge(group, event->staged);
            (void)!hs_mls_group_accept(group);
            survived += hs_mls_group_save(group, &copy->store) == HS_OK;
        }
    assert_true(survived < tried);
}

/* What load asks for. */
static void load_refuses(void **state)
{
    struct cast *c = *state;
    struct mls_store MLS_STORE *none = mls_store_new();
    struct mls_store MLS_STORE *other = mls_store_new();
    struct hs_mls_group *group = NULL;
    struct sent SENT s = sent_new();
    struct hs_mls_signer HS_MLS_SIGNER next;
    person_save(&c->bob);
    assert_err(hs_mls_group_load(&none->store, &c->bob.signer, 1, &group), HS_ERR_NOT_FOUND);
    assert_err(hs_mls_group_load(&c->bob.store->store, &c->alice.signer, 1, &group), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_group_load(&c->bob.store->store, NULL, 0, &group), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_group_save(c->bob.group, &other->store), HS_ERR_INVALID_ARG);
    assert_int_equal(other->records, 0);
    /* a pending commit with another signature key: its signer is needed too */
    assert_ok(hs_mls_signer_random(c->bob.signer.suite, &next));
    assert_ok(person_try_commit(&c->bob, &(struct hs_mls_commit_request){.signer = &next}, &s));
    person_save(&c->bob);
    const struct hs_mls_signer both[] = {next, c->bob.signer};
    assert_err(hs_mls_group_load(&c->bob.store->store, &c->bob.signer, 1, &group), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_group_load(&c->bob.store->store, &next, 1, &group), HS_ERR_INVALID_ARG);
    hs_mls_group_free_at(&c->bob.group);
    assert_ok(hs_mls_group_load(&c->bob.store->store, both, 2, &c->bob.group));
    assert_ok(hs_mls_group_accept(c->bob.group));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_talks(&c->bob, &c->alice, "signed by another key");
    c->bob.signer = next;
    person_restart(&c->bob);
    /* a version from the future */
    size_t *len;
    struct hs_bytes key;
    for (size_t i = 0; i < c->bob.store->records; i++) {
        uint8_t *value = mls_store_value(c->bob.store, i, &key, &len);
        if (key.len == 1 && key.data[0] == HS_MLS_RECORD_HEAD)
            value[0]++;
    }
    assert_err(hs_mls_group_load(&c->bob.store->store, &next, 1, &group), HS_ERR_UNSUPPORTED);
}

/* All settings come back. */
static void settings(void **state)
{
    struct cast *c = *state;
    const struct hs_mls_settings odd = {.out_of_order = 1,
                                        .forward = 2,
                                        .past_epochs = 3,
                                        .past_seconds = 4,
                                        .private_handshakes = true,
                                        .padding = 5,
                                        .settling = true};
    c->bob.settings = odd;
    person_create(&c->bob, "policy");
    person_restart(&c->bob);
    const struct hs_mls_settings *is = &c->bob.group->settings;
    assert_int_equal(is->out_of_order, 1);
    assert_int_equal(is->forward, 2);
    assert_int_equal(is->past_epochs, 3);
    assert_int_equal(is->past_seconds, 4);
    assert_int_equal(is->padding, 5);
    assert_true(is->private_handshakes && is->settling);
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_three)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_by_size),
        TEST(nothing_piles_up),
        TEST(saved_rarely),
        TEST(saves_fail),
        TEST(reads_fail),
        TEST(damaged),
        TEST(load_refuses),
        TEST(settings),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
