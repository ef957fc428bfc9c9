/* The life of a group under every suite: those of this build, and one in which all sizes are others. */
#include "unit/mls/every_suite.h"
#include "unit/mls/world.h"

#include "mls/external.h"

enum { PEOPLE = 6 };

struct cast {
    const struct hs_mls_suite *suite;
    struct person people[PEOPLE];
    size_t count; /* who is in */
};

static const char *const names[PEOPLE] = {"alice", "bob", "carol", "dave", "erin", "frank"};

static void cast_begin(struct cast *c, const struct hs_mls_suite *suite)
{
    *c = (struct cast){.suite = suite, .count = 1};
    for (size_t i = 0; i < PEOPLE; i++)
        person_init_with(&c->people[i], names[i], suite->id);
    person_create(&c->people[0], "policy");
}

static void cast_end(struct cast *c)
{
    for (size_t i = 0; i < PEOPLE; i++)
        person_free(&c->people[i]);
}

/* One of them commits, all others follow. */
static void cast_commit(struct cast *c, size_t by, const struct hs_mls_commit_request *request,
                        struct sent *s)
{
    person_commit(&c->people[by], request, s);
    for (size_t i = 0; i < c->count; i++)
        if (i != by)
            person_follow(&c->people[i], hs_writer_bytes(&s->commit));
}

static void cast_check(struct cast *c)
{
    struct hs_mls_secret authenticator = hs_mls_group_authenticator(c->people[0].group);
    uint8_t exported[100], again[100];
    assert_int_equal(authenticator.len, c->suite->hash_len);
    assert_ok(hs_mls_group_export(c->people[0].group, "label", hs_bytes_str("x"), exported, sizeof exported));
    for (size_t i = 0; i < c->count; i++) {
        person_restart(&c->people[i]);
        assert_same_epoch(&c->people[0], &c->people[i]);
        assert_ok(hs_mls_group_export(c->people[i].group, "label", hs_bytes_str("x"), again, sizeof again));
        assert_memory_equal(exported, again, sizeof again);
        assert_talks(&c->people[i], &c->people[(i + 1) % c->count], "hello");
    }
}

/* All but the last two come at once, in one commit. */
static void cast_gather(struct cast *c)
{
    struct sent SENT s = sent_new();
    struct hs_bytes adds[PEOPLE - 2];
    for (size_t i = 1; i < PEOPLE - 1; i++)
        adds[i - 1] = hs_writer_bytes(&c->people[i].key_package);
    const struct hs_mls_commit_request request = {
        .adds = adds, .add_count = PEOPLE - 2, .tree_in_welcome = true};
    cast_commit(c, 0, &request, &s);
    for (size_t i = 1; i < PEOPLE - 1; i++)
        assert_ok(person_try_join(&c->people[i], hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    c->count = PEOPLE - 1;
}

static void member_life(struct cast *c)
{
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER update = hs_writer(CAP);
    cast_gather(c);
    cast_check(c);
    for (size_t by = 0; by < c->count; by++) { /* paths by everybody */
        struct sent SENT own = sent_new();
        cast_commit(c, by, &empty, &own);
    }
    cast_check(c);
    assert_ok(propose_update(&c->people[1], "bob", &update));
    for (size_t i = 0; i < c->count; i++)
        person_hear(&c->people[i], hs_writer_bytes(&update));
    person_restart(&c->people[1]); /* its new key is kept */
    cast_commit(c, 2, &empty, &s);
    cast_check(c);
    const uint32_t last = (uint32_t)c->count - 1;
    c->count--;
    cast_commit(c, 0, &(struct hs_mls_commit_request){.removes = &last, .remove_count = 1}, &t);
    cast_check(c);
}

static void external_join(struct cast *c)
{
    struct hs_writer HS_WRITER info = hs_writer(CAP), HS_WRITER commit = hs_writer(CAP);
    struct person *newcomer = &c->people[PEOPLE - 1];
    cast_gather(c);
    assert_ok(hs_mls_group_info(c->people[0].group, true, &info));
    const struct hs_mls_external_join join = {.group_info = hs_writer_bytes(&info),
                                              .leaf = person_params(newcomer),
                                              .settings = newcomer->settings};
    const struct hs_mls_commit_result result = {.commit = &commit};
    assert_ok(hs_mls_group_join_external(&join, &result, &newcomer->group));
    for (size_t i = 0; i < c->count; i++)
        person_follow(&c->people[i], hs_writer_bytes(&commit));
    c->count = PEOPLE;
    cast_check(c);
}

/* Handshakes as PrivateMessages, and a PSK. */
static void private_handshakes(struct cast *c)
{
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER update = hs_writer(CAP);
    const struct hs_mls_psk psk = {.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("psk")},
                                   .secret = hs_bytes_str("a secret of the two")};
    for (size_t i = 0; i < PEOPLE; i++) {
        c->people[i].settings.private_handshakes = true;
        c->people[i].settings.padding = 128;
    }
    person_create(&c->people[0], "policy");
    cast_gather(c);
    for (size_t i = 0; i < c->count; i++)
        assert_ok(hs_mls_group_set_psks(c->people[i].group, &psk, 1));
    assert_ok(propose_update(&c->people[1], "bob", &update));
    for (size_t i = 0; i < c->count; i++)
        if (i != 1)
            person_hear(&c->people[i], hs_writer_bytes(&update));
    cast_commit(c, 0, &(struct hs_mls_commit_request){.psks = &psk.id, .psk_count = 1}, &s);
    cast_check(c);
}

static void with_each(void (*scenario)(struct cast *c))
{
    for (size_t i = 0; i < suite_count; i++) {
        struct cast c;
        cast_begin(&c, suites[i]);
        scenario(&c);
        cast_end(&c);
    }
}

/* MLS-1 */
static void lives(void **state)
{
    (void)state;
    with_each(member_life);
}

static void external_joins(void **state)
{
    (void)state;
    with_each(external_join);
}

static void private_ones(void **state)
{
    (void)state;
    with_each(private_handshakes);
}

/* A KeyPackage of another suite isn't taken, a hub keeps groups of any. */
static void suites_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < suite_count; i++) {
        struct cast c;
        struct person HS_AUTO(person_free) stranger;
        struct sent SENT s = sent_new();
        struct hs_writer HS_WRITER info = hs_writer(CAP);
        struct hs_mls_public HS_MLS_PUBLIC *pub = NULL;
        cast_begin(&c, suites[i]);
        person_init_with(&stranger, "stranger", suites[(i + 1) % suite_count]->id);
        struct hs_bytes add = hs_writer_bytes(&stranger.key_package);
        const struct hs_id before = person_state(&c.people[0]);
        assert_err(person_try_commit(&c.people[0],
                                     &(struct hs_mls_commit_request){.adds = &add, .add_count = 1}, &s),
                   HS_ERR_MLS_VERSION);
        assert_same_state(&c.people[0], before);
        cast_gather(&c);
        assert_ok(hs_mls_group_info(c.people[0].group, true, &info));
        assert_ok(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &pub));
        assert_ptr_equal(hs_mls_public_suite(pub), suites[i]);
        cast_end(&c);
    }
}

/* A group goes on under another suite (RFC 9420, 11.2). */
static void reinit(void **state)
{
    (void)state;
    for (size_t i = 0; i < suite_count; i++) {
        const struct hs_mls_suite *next = suites[(i + 1) % suite_count];
        struct cast c;
        struct person HS_AUTO(person_free) alice, HS_AUTO(person_free) bob;
        struct sent SENT s = sent_new();
        struct hs_writer HS_WRITER welcome = hs_writer(CAP);
        const struct hs_mls_reinit plan = {
            .group_id = hs_bytes_str("room 2"), .version = HS_MLS_VERSION_10, .suite = next->id};
        cast_begin(&c, suites[i]);
        world_add(&c.people[0], &c.people[1], NULL, 0);
        c.count = 2;
        cast_commit(&c, 0, &(struct hs_mls_commit_request){.reinit = &plan}, &s);
        person_init_with(&alice, "alice", next->id);
        person_init_with(&bob, "bob", next->id);
        struct hs_bytes add = hs_writer_bytes(&bob.key_package);
        const struct hs_mls_successor successor = {.from = c.people[0].group,
                                                   .usage = HS_MLS_PSK_REINIT,
                                                   .leaf = person_params(&alice),
                                                   .adds = &add,
                                                   .add_count = 1,
                                                   .tree_in_welcome = true,
                                                   .settings = alice.settings};
        assert_ok(hs_mls_group_succeed(&successor, &welcome, &alice.group));
        const struct hs_mls_join join = {.welcome = hs_writer_bytes(&welcome),
                                         .key_package = add,
                                         .priv = &bob.priv,
                                         .signer = &bob.signer,
                                         .from = c.people[1].group,
                                         .settings = bob.settings};
        assert_ok(hs_mls_group_join(&join, &bob.group));
        assert_same_epoch(&alice, &bob);
        assert_talks(&alice, &bob, "anew");
        assert_ptr_equal(hs_mls_public_suite(hs_mls_group_public(bob.group)), next);
        cast_end(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives),        cmocka_unit_test(external_joins), cmocka_unit_test(private_ones),
        cmocka_unit_test(suites_apart), cmocka_unit_test(reinit),
    };
    return cmocka_run_group_tests(tests, suites_setup, NULL);
}
