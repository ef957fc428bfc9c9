/* Every byte of every message, altered: refused, and the group stays what it was. */
#include "unit/mls/world.h"

#include "mls/member.h"

#include <stdlib.h>

struct cast {
    struct person alice, bob, carol;
};

static int cast_setup(void **state)
{
    static struct cast cast;
    person_init(&cast.alice, "alice");
    person_init(&cast.bob, "bob");
    person_init(&cast.carol, "carol");
    person_create(&cast.alice, "policy");
    world_add(&cast.alice, &cast.bob, NULL, 0);
    *state = &cast;
    return 0;
}

static int cast_teardown(void **state)
{
    struct cast *cast = *state;
    person_free(&cast->alice);
    person_free(&cast->bob);
    person_free(&cast->carol);
    return 0;
}

/* Flips bits of each byte in turn, and cuts the message at each length; process must refuse all. */
static void refuse_all(struct person *p, struct hs_bytes message)
{
    struct hs_writer HS_WRITER before = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    uint8_t *bytes = malloc(message.len);
    memcpy(bytes, message.data, message.len);
    assert_ok(hs_mls_group_save(p->group, &before));
    for (size_t i = 0; i < message.len; i++) {
        bytes[i] ^= (uint8_t)(1 << (i % 8));
        struct hs_writer HS_WRITER after = hs_writer(CAP);
        assert_true(hs_mls_group_process(p->group, hs_bytes(bytes, message.len), &event) != HS_OK);
        assert_true(hs_mls_group_process(p->group, hs_bytes(message.data, i), &event) != HS_OK);
        assert_null(event);
        assert_ok(hs_mls_group_save(p->group, &after));
        assert_bytes(hs_writer_bytes(&after), hs_writer_bytes(&before));
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
    assert_ok(hs_mls_group_propose_remove(c->alice.group, 0, hs_bytes_str("ad"), &w));
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

/* Loads the group's saved bytes cut at each length, and with each byte altered. */
static void load_damaged(struct person *p, struct hs_writer *w)
{
    hs_writer_reset(w);
    assert_ok(hs_mls_group_save(p->group, w));
    for (size_t i = 0; i < w->len; i++) {
        struct hs_mls_group *group = NULL;
        assert_true(hs_mls_group_load(hs_bytes(w->data, i), &p->signer, &group) != HS_OK);
        w->data[i] ^= 0x80;
        if (hs_mls_group_load(hs_writer_bytes(w), &p->signer, &group) == HS_OK)
            hs_mls_group_free(group);
        w->data[i] ^= 0x80;
    }
}

/* Saved bytes that were cut or altered give an error or a group, never a crash. */
static void saved(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct sent SENT s = sent_new();
    struct hs_mls_group *group = NULL;
    load_damaged(&c->alice, &w);
    assert_ok(person_try_commit(&c->alice, &(struct hs_mls_commit_request){0}, &s));
    load_damaged(&c->alice, &w);
    assert_err(hs_mls_group_load(hs_writer_bytes(&w), &c->bob.signer, &group), HS_ERR_INVALID_ARG);
    w.data[0] = 99;
    assert_err(hs_mls_group_load(hs_writer_bytes(&w), &c->alice.signer, &group), HS_ERR_UNSUPPORTED);
}

/* Tags of another length never match, be they empty or cut. MLS-7 */
static void short_tags(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_group_propose_remove(c->alice.group, 0, hs_bytes_str(""), &w));
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, cast_setup, cast_teardown)
    const struct CMUnitTest tests[] = {
        TEST(post),        TEST(proposal), TEST(commit),     TEST(group_info),
        TEST(key_package), TEST(saved),    TEST(short_tags),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
