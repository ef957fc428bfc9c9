/* Ways to harm a member that follow no single rule of the RFC: a key package's public keys used by somebody
 * else, a store that stops, a staged commit that is older than what came since, lists that are too large. */
#include "unit/mls/evil.h"

#include "mls/key_package_check.h"
#include "mls/suite.h"

#include <stdlib.h>

static void take_key(struct evil_leaf *leaf)
{
    const struct hs_bytes *key = leaf->context;
    leaf->node.encryption_key = *key;
}

/* Dave proposes a leaf, of a newcomer or of its own, with the encryption key of a key package that bob wants
 * to add. MLS-17 */
static void key_of_a_package(void **state)
{
    struct evil *e = *state;
    const struct hs_bytes add = hs_writer_bytes(&e->erin.key_package);
    struct hs_mls_key_package erin;
    assert_ok(hs_mls_key_package_read(add, &erin));
    struct hs_bytes key = erin.leaf.encryption_key;
    for (int update = 0; update < 2; update++) {
        struct hs_writer HS_WRITER package = writer(), HS_WRITER leaf = writer(),
                                   HS_WRITER message = writer();
        struct sent SENT s = sent_new();
        struct hs_mls_proposal proposal;
        if (update == 1) {
            proposal = evil_update(&e->dave, take_key, &key, &leaf);
        } else {
            evil_key_package(&(struct evil_package){.by = &e->frank, .bend_leaf = take_key, .context = &key},
                             &package);
            proposal = evil_add(hs_writer_bytes(&package));
        }
        evil_propose(e, &(struct evil_sender){.person = &e->dave}, &proposal, &message);
        (void)evil_heard(e, hs_writer_bytes(&message));
        assert_ok(
            person_try_commit(&e->bob, &(struct hs_mls_commit_request){.adds = &add, .add_count = 1}, &s));
        assert_int_equal(hs_mls_group_pending_change(e->bob.group)->added_count, 1);
        hs_mls_group_drop(e->bob.group);
    }
}

/* Proposals that wait take a bounded amount of memory. MLS-10 */
static void waiting_bytes(void **state)
{
    struct evil *e = *state;
    enum { FRAME = 2 + 4 + 2 + 4 }; /* type, list, extension, data */
    const size_t half = HS_MLS_MAX_CACHED_BYTES / 2, sizes[] = {half, half, 64};
    uint8_t *zeros = calloc(1, half);
    assert_non_null(zeros);
    for (size_t i = 0; i < 3; i++) {
        struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        zeros[0] = (uint8_t)i; /* not the same again */
        hs_mls_write_extension(&list, ROOM_POLICY, hs_bytes(zeros, i == 2 ? 1 : sizes[i] - FRAME));
        const struct hs_mls_proposal proposal = evil_extensions(hs_writer_bytes(&list));
        evil_propose(e, &(struct evil_sender){.person = &e->dave}, &proposal, &message);
        if (i < 2)
            (void)evil_heard(e, hs_writer_bytes(&message));
        else
            assert_err(hs_mls_group_process(e->bob.group, hs_writer_bytes(&message), &event),
                       HS_ERR_TOO_LARGE);
    }
    free(zeros);
}

/* An extension that stands twice in the GroupInfo. MLS-5 */
static void group_info_twice(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER info = writer(), HS_WRITER list = writer(), HS_WRITER tbs = writer(),
                               HS_WRITER out = writer();
    struct hs_mls_group_info content;
    struct hs_mls_signature sig;
    struct hs_mls_public *hub = NULL;
    assert_ok(hs_mls_group_info(e->alice.group, true, &info));
    struct hs_reader r = hs_reader(hs_writer_bytes(&info));
    assert_int_equal(hs_mls_read_head(&r), HS_MLS_GROUP_INFO);
    hs_mls_read_group_info(&r, &content);
    assert_ok(hs_reader_finish(&r));
    hs_write_bytes(&list, content.extensions);
    hs_mls_write_extension(&list, HS_MLS_EXT_EXTERNAL_PUB, hs_bytes_str("another"));
    content.extensions = hs_writer_bytes(&list);
    hs_mls_write_group_info_tbs(&tbs, &content);
    assert_ok(hs_mls_sign(&e->alice.signer, "GroupInfoTBS", hs_writer_bytes(&tbs), &sig));
    content.signature = HS_MLS_VIEW(sig);
    hs_mls_write_head(&out, HS_MLS_GROUP_INFO);
    hs_mls_write_group_info(&out, &content);
    assert_err(hs_mls_public_new(hs_writer_bytes(&out), (struct hs_bytes){0}, &hub), HS_ERR_MALFORMED);
}

/* A group isn't made with extensions that nobody could join it with. */
static void create_unsound(void **state)
{
    struct evil *e = *state;
    struct hs_mls_group *group = NULL;
    const struct hs_mls_extension extension = {.type = HS_MLS_EXT_EXTERNAL_SENDERS,
                                               .data = hs_bytes_str("none")};
    const struct hs_mls_create create = {
        .leaf = person_params(&e->erin),
        .group_id = hs_bytes_str("room"),
        .extensions = &extension,
        .extension_count = 1,
        .settings = hs_mls_settings_default(),
    };
    assert_err(hs_mls_group_create(&create, &group), HS_ERR_INVALID_ARG);
}

/* A commit is staged, then another private handshake of its sender comes, then the commit is merged: what was
 * used up stays so. MLS-26 */
static void ratchet_stays(void **state)
{
    struct evil *e = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER proposal = writer();
    struct hs_mls_event HS_MLS_EVENT *commit = NULL, HS_MLS_EVENT *event = NULL;
    e->alice.group->settings.private_handshakes = e->bob.group->settings.settling = true;
    assert_ok(person_try_commit(&e->alice, &empty, &s));
    assert_ok(propose_remove(&e->alice, 3, &proposal));
    assert_ok(hs_mls_group_process(e->bob.group, hs_writer_bytes(&s.commit), &commit));
    person_hear(&e->bob, hs_writer_bytes(&proposal));
    assert_ok(hs_mls_group_merge(e->bob.group, commit->staged));
    assert_ok(hs_mls_group_revert(e->bob.group));
    assert_err(hs_mls_group_process(e->bob.group, hs_writer_bytes(&proposal), &event), HS_ERR_MLS_GENERATION);
    assert_err(hs_mls_group_process(e->bob.group, hs_writer_bytes(&s.commit), &event), HS_ERR_MLS_GENERATION);
}

/* A key of one device may serve more than one suite. */
static void signer_of_another_suite(void **state)
{
    struct evil *e = *state;
    static struct hs_mls_suite other;
    struct hs_mls_signer list[] = {e->bob.signer, e->bob.signer};
    struct hs_mls_group *group = NULL;
    other = *e->bob.signer.suite;
    list[0].suite = &other;
    person_save(&e->bob);
    assert_err(hs_mls_group_load(&e->bob.store->store, list, 1, &group), HS_ERR_INVALID_ARG);
    assert_ok(hs_mls_group_load(&e->bob.store->store, list, 2, &group));
    hs_mls_group_free(group);
}

/* One's own leaf past the tree. */
static void own_leaf_astray(void **state)
{
    struct evil *e = *state;
    struct hs_mls_group *group = NULL;
    e->bob.group->own = 4;
    person_save(&e->bob);
    assert_err(hs_mls_group_load(&e->bob.store->store, &e->bob.signer, 1, &group), HS_ERR_MALFORMED);
    e->bob.group->own = 1;
}

/* A store that stops at any call: its error is the answer, and no message comes out. MLS-25 MLS-38 */
enum act { UPDATE, REMOVE, COMMIT, PROTECT, FOLLOW, OWN, ACTS };

struct messages {
    struct sent theirs, own;
};

static enum hs_err act(const struct messages *m, struct hs_mls_group *group, enum act what)
{
    struct hs_writer HS_WRITER w = writer();
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    const uint32_t dave = 3;
    const struct hs_mls_commit_request remove = {.removes = &dave, .remove_count = 1};
    const struct hs_mls_proposal_request update = {.type = HS_MLS_UPDATE},
                                         leave = {.type = HS_MLS_REMOVE, .leaf = dave};
    const struct hs_bytes sent = hs_writer_bytes(what == FOLLOW ? &m->theirs.commit : &m->own.commit);
    enum hs_err err = HS_OK;
    if (what == UPDATE || what == REMOVE)
        err = hs_mls_group_propose(group, what == UPDATE ? &update : &leave, &w);
    else if (what == PROTECT)
        err = hs_mls_group_protect(group, hs_bytes_str("post"), (struct hs_bytes){0}, 0, &w);
    else if (what != COMMIT)
        return hs_mls_group_process(group, sent, &event);
    else {
        hs_mls_group_drop(group);
        return hs_mls_group_commit(group, &remove, &(struct hs_mls_commit_result){0});
    }
    assert_true(err == HS_OK || w.len == 0);
    return err;
}

static void store_stops(void **state)
{
    struct evil *e = *state;
    struct messages m = {sent_new(), sent_new()};
    assert_ok(person_try_commit(&e->dave, &empty, &m.theirs));
    assert_ok(person_try_commit(&e->bob, &empty, &m.own));
    person_save(&e->bob);
    for (int what = 0; what < ACTS; what++) {
        enum hs_err err = HS_ERR_IO;
        for (size_t calls = 0; err != HS_OK; calls++) {
            struct mls_store MLS_STORE *copy = mls_store_copy(e->bob.store);
            struct hs_mls_group HS_MLS_GROUP *group = NULL;
            copy->fail_after = calls;
            copy->fail_with = HS_ERR_IO;
            err = hs_mls_group_load(&copy->store, &e->bob.signer, 1, &group);
            if (err == HS_OK)
                err = act(&m, group, (enum act)what);
            assert_true(err == HS_OK || err == HS_ERR_IO);
            assert_true(calls < 100);
        }
    }
    sent_free(&m.theirs);
    sent_free(&m.own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(key_of_a_package), EVIL_TEST(waiting_bytes), EVIL_TEST(group_info_twice),
        EVIL_TEST(create_unsound),   EVIL_TEST(ratchet_stays), EVIL_TEST(signer_of_another_suite),
        EVIL_TEST(own_leaf_astray),  EVIL_TEST(store_stops),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
