/* Every byte of every message, altered: refused, and the group stays what it was. */
#include "unit/mls/cast.h"

#include "mls/member.h"

#include <stdlib.h>

/* Flips bits of each byte in turn, and cuts the message at each length; process must refuse all. */
static void refuse_all(struct person *p, struct hs_bytes message)
{
    struct hs_mls_event *event = NULL;
    uint8_t *bytes = malloc(message.len);
    memcpy(bytes, message.data, message.len);
    const struct hs_id before = person_state(p);
    for (size_t i = 0; i < message.len; i++) {
        bytes[i] ^= (uint8_t)(1 << (i % 8));
        assert_true(hs_mls_group_process(p->group, hs_bytes(bytes, message.len), &event) != HS_OK);
        assert_true(hs_mls_group_process(p->group, hs_bytes(message.data, i), &event) != HS_OK);
        assert_null(event);
        assert_same_state(p, before);
        bytes[i] ^= (uint8_t)(1 << (i % 8));
    }
    free(bytes);
    assert_ok(hs_mls_group_process(p->group, message, &event));
    hs_mls_event_free(event);
}

static void post(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("text"), hs_bytes_str("ad"), 0, &w));
    refuse_all(&c->bob, hs_writer_bytes(&w));
}

static void proposal(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    assert_ok(propose_remove(&c->alice, 0, &w));
    refuse_all(&c->bob, hs_writer_bytes(&w));
}

static void commit(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_bytes add = hs_writer_bytes(&c->carol.key_package);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .force_path = true, .tree_in_welcome = true};
    assert_ok(person_try_commit(&c->alice, &request, &s));
    refuse_all(&c->bob, hs_writer_bytes(&s.commit));
    struct hs_bytes welcome = hs_writer_bytes(&s.welcome);
    for (size_t i = 0; i < welcome.len; i++) {
        s.welcome.data[i] ^= (uint8_t)(1 << (i % 8));
        assert_true(person_try_join(&c->carol, welcome, (struct hs_bytes){0}) != HS_OK);
        assert_null(c->carol.group);
        assert_true(person_try_join(&c->carol, hs_bytes(welcome.data, i), (struct hs_bytes){0}) != HS_OK);
        s.welcome.data[i] ^= (uint8_t)(1 << (i % 8));
    }
    assert_ok(person_try_join(&c->carol, welcome, (struct hs_bytes){0}));
}

static void group_info(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_public *pub = NULL;
    assert_ok(hs_mls_group_info(c->alice.group, true, &w));
    struct hs_bytes info = hs_writer_bytes(&w);
    for (size_t i = 0; i < info.len; i++) {
        w.data[i] ^= (uint8_t)(1 << (i % 8));
        assert_true(hs_mls_public_new(info, (struct hs_bytes){0}, &pub) != HS_OK);
        assert_true(hs_mls_public_new(hs_bytes(info.data, i), (struct hs_bytes){0}, &pub) != HS_OK);
        w.data[i] ^= (uint8_t)(1 << (i % 8));
    }
    assert_ok(hs_mls_public_new(info, (struct hs_bytes){0}, &pub));
    hs_mls_public_free(pub);
}

static void key_package(void **state)
{
    struct cast *c = *state;
    struct hs_mls_key_package_facts facts;
    struct hs_bytes message = hs_writer_bytes(&c->carol.key_package);
    for (size_t i = 0; i < message.len; i++) {
        c->carol.key_package.data[i] ^= (uint8_t)(1 << (i % 8));
        assert_true(hs_mls_key_package_check(message, NOW, &facts) != HS_OK);
        c->carol.key_package.data[i] ^= (uint8_t)(1 << (i % 8));
    }
    assert_ok(hs_mls_key_package_check(message, NOW, &facts));
}

/* One of two kinds of groups, from a store. */
static enum hs_err load(const struct mls_store *store, const struct person *p)
{
    struct hs_mls_public HS_MLS_PUBLIC *pub = NULL;
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    if (p == NULL)
        HS_TRY(hs_mls_public_load(&store->store, &pub));
    else
        HS_TRY(hs_mls_group_load(&store->store, &p->signer, 1, &group));
    struct hs_writer HS_WRITER tree = hs_writer(CAP);
    return hs_mls_public_tree(p == NULL ? pub : hs_mls_group_public(group), &tree); /* reads all of it */
}

/* Loads with each record cut at each length, and with each of its bytes altered: an error or a group, never a
 * crash. */
static void load_damaged(struct mls_store *store, const struct person *p)
{
    struct hs_bytes key;
    size_t *len;
    assert_ok(load(store, p));
    for (size_t record = 0;; record++) {
        uint8_t *value = mls_store_value(store, record, &key, &len);
        if (value == NULL)
            break;
        const size_t whole = *len;
        for (size_t i = 0; i < whole; i++) {
            *len = i;
            (void)!load(store, p);
            *len = whole;
            value[i] ^= 0x80;
            (void)!load(store, p);
            value[i] ^= 0x80;
        }
    }
    assert_ok(load(store, p));
}

static void saved(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_group *group = NULL;
    person_save(&c->alice);
    load_damaged(c->alice.store, &c->alice);
    assert_ok(person_try_commit(&c->alice, &empty, &s));
    person_save(&c->alice);
    load_damaged(c->alice.store, &c->alice);
    assert_err(hs_mls_group_load(&c->alice.store->store, &c->bob.signer, 1, &group), HS_ERR_INVALID_ARG);
}

/* A hub with a proposal that waits. */
static void saved_hub(void **state)
{
    struct cast *c = *state;
    struct hs_bytes key;
    size_t *len;
    struct hs_mls_public HS_MLS_PUBLIC *hub = NULL;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct mls_store MLS_STORE *store = mls_store_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP), HS_WRITER w = hs_writer(CAP);
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &hub));
    assert_ok(propose_update(&c->bob, "", &w));
    assert_ok(hs_mls_public_process(hub, hs_writer_bytes(&w), &event));
    assert_ok(hs_mls_public_save(hub, &store->store));
    load_damaged(store, NULL);
    for (size_t record = 0;; record++) {
        uint8_t *value = mls_store_value(store, record, &key, &len);
        assert_non_null(value);
        if (key.data[0] != HS_MLS_RECORD_HEAD)
            continue;
        value[0] = 99; /* another version */
        break;
    }
    assert_err(load(store, NULL), HS_ERR_UNSUPPORTED);
}

/* Tags of another length never match, be they empty or cut. MLS-7 */
static void short_tags(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    assert_ok(propose_remove(&c->alice, 0, &w));
    struct hs_mls_public_message m;
    struct hs_reader r = hs_reader(hs_writer_bytes(&w));
    (void)hs_mls_read_head(&r);
    hs_mls_read_public_message(&r, &m);
    assert_ok(hs_reader_finish(&r));
    for (size_t len = 0; len < 32; len++) {
        struct hs_mls_public_message cut = m;
        struct hs_writer HS_WRITER out = hs_writer(CAP);
        cut.membership_tag.len = len;
        hs_mls_write_head(&out, HS_MLS_PUBLIC_MESSAGE);
        hs_mls_write_public_message(&out, &cut);
        assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&out), &event), HS_ERR_MLS_MEMBERSHIP);
    }
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_two)
    const struct CMUnitTest tests[] = {
        TEST(post),        TEST(proposal), TEST(commit),    TEST(group_info),
        TEST(key_package), TEST(saved),    TEST(saved_hub), TEST(short_tags),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
