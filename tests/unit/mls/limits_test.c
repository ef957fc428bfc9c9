/* Limits that stand at an entrance: what is at the limit comes in, what is one past it doesn't. MLS-10. The
 * others are tested with what they limit. */
#include "mls/external.h"
#include "mls/key_package_check.h"
#include "unit/mls/world.h"

#include <stdlib.h>

/* Every entrance looks at a message's size before anything else; at the limit it is read, and isn't MLS's. */
static void message_size(void **state)
{
    (void)state;
    struct person alice, bob;
    struct hs_mls_event *event = NULL;
    struct hs_mls_group *group = NULL;
    struct hs_mls_public *pub = NULL;
    uint8_t *zeros = calloc(1, HS_MLS_MAX_MESSAGE + 1);
    assert_non_null(zeros);
    person_init(&alice, "alice");
    person_init(&bob, "bob");
    person_create(&alice, "policy");
    for (size_t past = 0; past < 2; past++) {
        const enum hs_err want = past ? HS_ERR_TOO_LARGE : HS_ERR_MLS_VERSION;
        const struct hs_bytes message = hs_bytes(zeros, HS_MLS_MAX_MESSAGE + past);
        const struct hs_mls_join join = {.welcome = message,
                                         .key_package = hs_writer_bytes(&bob.key_package),
                                         .priv = &bob.priv,
                                         .signer = &bob.signer,
                                         .settings = bob.settings};
        const struct hs_mls_external_join external = {
            .group_info = message, .leaf = person_params(&bob), .settings = bob.settings};
        const struct hs_mls_commit_result result = {0};
        assert_err(hs_mls_group_process(alice.group, message, &event), want);
        assert_err(hs_mls_group_join(&join, &group), want);
        assert_err(hs_mls_group_join_external(&external, &result, &group), want);
        assert_err(hs_mls_public_new(message, hs_bytes(NULL, 0), &pub), want);
    }
    free(zeros);
    person_free(&alice);
    person_free(&bob);
}

/* A leaf of exactly that size is one's own, is added and joins; a byte more is refused by who makes it. */
static void leaf_size(void **state)
{
    (void)state;
    struct person alice, bob;
    uint8_t *data = calloc(1, HS_MLS_MAX_LEAF + 1);
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    assert_non_null(data);
    assert_err(hs_mls_leaf_copy(hs_bytes(data, HS_MLS_MAX_LEAF + 1), &leaf),
               HS_ERR_TOO_LARGE); /* who gets one */
    struct hs_mls_extension extension = {ROOM_POLICY, hs_bytes(data, HS_MLS_MAX_LEAF / 2)};
    person_init(&alice, "alice");
    person_init(&bob, "bob");
    person_create(&alice, "policy");
    struct hs_mls_leaf_params params = person_params(&bob);
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_mls_key_package kp;
    params.extensions = &extension;
    params.extension_count = 1;
    person_key_package_with(&bob, &params, false);
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&bob.key_package), &kp));
    extension.data.len += HS_MLS_MAX_LEAF - kp.leaf.raw.len;
    person_key_package_with(&bob, &params, false);
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&bob.key_package), &kp));
    assert_int_equal(kp.leaf.raw.len, HS_MLS_MAX_LEAF);
    world_add(&alice, &bob, NULL, 0);
    assert_same_epoch(&alice, &bob);
    extension.data.len++;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    assert_err(hs_mls_key_package_new(&params, false, &w, &priv), HS_ERR_TOO_LARGE);
    free(data);
    person_free(&alice);
    person_free(&bob);
}

/* No key of an Update that is out is given up for a newer one: whichever is committed, its proposer follows.
 */
static void own_updates(void **state)
{
    (void)state;
    struct person alice, bob;
    struct hs_mls_event *event = NULL;
    struct hs_writer HS_WRITER first = hs_writer(CAP), HS_WRITER other = hs_writer(CAP);
    struct sent SENT s = sent_new();
    const struct hs_mls_proposal_request update = {.type = HS_MLS_UPDATE};
    person_init(&alice, "alice");
    person_init(&bob, "bob");
    person_create(&alice, "policy");
    world_add(&alice, &bob, NULL, 0);
    assert_ok(hs_mls_group_propose(bob.group, &update, &first));
    for (int i = 1; i < HS_MLS_MAX_OWN_UPDATES; i++)
        assert_ok(hs_mls_group_propose(bob.group, &update, &other));
    assert_err(hs_mls_group_propose(bob.group, &update, &other), HS_ERR_TOO_LARGE);
    struct person *both[] = {&alice, &bob};
    for (int i = 0; i < 2; i++) {
        assert_ok(hs_mls_group_process(both[i]->group, hs_writer_bytes(&first), &event));
        hs_mls_event_free_at(&event);
    }
    person_commit(&alice, &empty, &s);
    person_follow(&bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&alice, &bob);
    static const uint8_t wiped[sizeof bob.group->updates] = {0};
    assert_memory_equal(bob.group->updates, wiped,
                        sizeof wiped); /* MLS-27: no private key of theirs is left */
    hs_writer_reset(&other);
    assert_ok(hs_mls_group_propose(bob.group, &update, &other));
    person_free(&alice);
    person_free(&bob);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_size),
        cmocka_unit_test(leaf_size),
        cmocka_unit_test(own_updates),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
