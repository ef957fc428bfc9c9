/* RFC 9420, 12.2 and 12.4.3.2: commits of those who come in from outside (MLS-37). Rules that a newcomer can
 * break:
 *
 * - no ExternalInit, or two; one that no member could open
 * - two Removes; a Remove of nobody
 * - an Add, an Update, GroupContextExtensions, a ReInit
 * - a proposal by reference
 * - no path
 * - resync: the former leaf's encryption key again; without it: a signature key that a member has
 * - the leaf's source and signature; a leaf that lacks what the group asks for
 * - the commit's signature, by another key than the new leaf's
 * - members only: the confirmation tag
 */
#include "unit/mls/bends.h"

/* What a newcomer's commit begins with. */
struct entry {
    uint8_t kem[HS_MLS_MAX_PUB];
    struct hs_mls_secret init;
    struct hs_writer list, honest;
};

static void entry_free(struct entry *entry)
{
    hs_writer_free(&entry->list);
    hs_writer_free(&entry->honest);
}
#define ENTRY HS_AUTO(entry_free)

/* Both lists have the ExternalInit. */
static void enter(struct evil *e, struct entry *entry)
{
    *entry = (struct entry){.list = writer(), .honest = writer()};
    const struct hs_mls_proposal init = evil_external_init(evil_external(e, entry->kem, &entry->init));
    evil_value(&entry->list, &init);
    evil_value(&entry->honest, &init);
}

static struct evil_commit plan(struct person *by, const struct entry *entry, struct hs_bytes *honest)
{
    *honest = hs_writer_bytes(&entry->honest);
    return (struct evil_commit){
        .by = by,
        .external = true,
        .list = hs_writer_bytes(&entry->list),
        .honest = honest,
        .init = &entry->init,
    };
}

static void refused(struct evil *e, struct person *by, const struct entry *entry, enum hs_err want)
{
    struct hs_bytes honest;
    const struct evil_commit commit = plan(by, entry, &honest);
    evil_commit_refused(e, &commit, want);
}

/* What the kit makes unbent is taken: erin comes in, with a PSK; then carol comes back. */
static void honest(void **state)
{
    struct evil *e = *state;
    static const uint8_t zeros[32];
    struct entry ENTRY first, ENTRY second;
    struct hs_bytes honest_list;
    struct hs_writer HS_WRITER message = writer();
    enter(e, &first);
    struct evil_commit commit = plan(&e->erin, &first, &honest_list);
    evil_commit(e, &commit, &message);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&message), &event));
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_true(change->external);
    assert_false(change->resync);
    assert_int_equal(change->committer.leaf, 4);
    assert_bytes(change->committer.identity, hs_bytes_str("erin"));
    assert_bytes(event->sender.identity, hs_bytes_str("erin"));
    assert_int_equal(event->author.type, HS_MLS_SENDER_NEW_MEMBER_COMMIT);
    assert_int_equal(change->added_count + change->removed_count + change->updated_count, 0);
    assert_true(change->has_path);
    evil_accepted(e, hs_writer_bytes(&message));
    enter(e, &second);
    const struct hs_mls_proposal remove = evil_remove(2), psk = evil_psk("x", hs_bytes(zeros, sizeof zeros));
    evil_value(&second.list, &remove);
    evil_value(&second.honest, &remove);
    struct hs_mls_group *former = e->carol.group;
    e->carol.group = NULL;
    commit = plan(&e->carol, &second, &honest_list);
    evil_commit(e, &commit, &message);
    e->carol.group = former;
    struct hs_mls_event HS_MLS_EVENT *back = NULL;
    assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&message), &back));
    change = hs_mls_staged_change(back->staged);
    assert_true(change->external && change->resync);
    assert_int_equal(change->removed_count, 1);
    assert_int_equal(change->removed[0].by.type, HS_MLS_SENDER_NEW_MEMBER_COMMIT);
    assert_bytes(change->removed[0].member.identity, hs_bytes_str("carol"));
    assert_int_equal(change->committer.leaf, 2);
    evil_accepted(e, hs_writer_bytes(&message));
    (void)psk;
}

static void external_inits(void **state)
{
    struct evil *e = *state;
    struct entry ENTRY none, ENTRY two, ENTRY wrong;
    static const uint8_t zeros[64];
    enter(e, &none);
    hs_writer_reset(&none.list);
    refused(e, &e->erin, &none, HS_ERR_MLS_PROPOSAL);
    enter(e, &two);
    const struct hs_mls_proposal again = evil_external_init(hs_bytes(two.kem, 32));
    evil_value(&two.list, &again);
    refused(e, &e->erin, &two, HS_ERR_MLS_PROPOSAL);
    enter(e, &wrong);
    const size_t lengths[] = {0, 31, 33, 64};
    for (size_t i = 0; i < 4; i++) {
        const struct hs_mls_proposal bad = evil_external_init(hs_bytes(zeros, lengths[i]));
        hs_writer_reset(&wrong.list);
        evil_value(&wrong.list, &bad);
        refused(e, &e->erin, &wrong, HS_ERR_MLS_PROPOSAL);
    }
}

static void removes(void **state)
{
    struct evil *e = *state;
    struct entry ENTRY two, ENTRY nobody;
    const struct hs_mls_proposal carol = evil_remove(2), dave = evil_remove(3), none = evil_remove(4);
    enter(e, &two);
    evil_value(&two.list, &carol);
    evil_value(&two.honest, &carol);
    evil_value(&two.list, &dave);
    refused(e, &e->erin, &two, HS_ERR_MLS_PROPOSAL);
    enter(e, &nobody);
    evil_value(&nobody.list, &none);
    refused(e, &e->erin, &nobody, HS_ERR_MLS_PROPOSAL);
}

static void other_types(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER leaf = writer();
    const struct hs_mls_proposal all[] = {
        evil_add(hs_writer_bytes(&e->frank.key_package)),
        evil_update(&e->carol, NULL, NULL, &leaf),
        evil_extensions(nothing),
        evil_reinit(),
    };
    for (size_t i = 0; i < 4; i++) {
        struct entry ENTRY entry;
        enter(e, &entry);
        evil_value(&entry.list, &all[i]);
        refused(e, &e->erin, &entry, HS_ERR_MLS_PROPOSAL);
    }
}

static void by_reference(void **state)
{
    struct evil *e = *state;
    struct entry ENTRY entry;
    const struct hs_mls_proposal remove = evil_remove(3);
    const struct hs_mls_hash ref = evil_says(e, &e->carol, &remove);
    enter(e, &entry);
    evil_ref(&entry.list, &ref);
    evil_value(&entry.honest, &remove);
    refused(e, &e->erin, &entry, HS_ERR_MLS_PROPOSAL);
}

static void without_path(void **state)
{
    struct evil *e = *state;
    struct entry ENTRY entry;
    struct hs_bytes honest_list;
    enter(e, &entry);
    struct evil_commit commit = plan(&e->erin, &entry, &honest_list);
    commit.no_path = true;
    evil_commit_refused(e, &commit, HS_ERR_MLS_COMMIT);
}

static void former_encryption_key(struct evil_leaf *leaf)
{
    const struct evil *e = leaf->context;
    leaf->node.encryption_key = hs_mls_leaf_encryption_key(hs_mls_tree_leaf(&e->hub->now.tree, 2));
}

static void leaves(void **state)
{
    struct evil *e = *state;
    const struct {
        void (*bend)(struct evil_leaf *leaf);
        enum hs_err want;
    } all[] = {
        {source_is_key_package, HS_ERR_MLS_LEAF}, {for_another_leaf, HS_ERR_MLS_LEAF},
        {signed_by_frank, HS_ERR_MLS_LEAF},       {forgotten_extension, HS_ERR_MLS_LEAF},
        {strange_credential, HS_ERR_MLS_LEAF},    {former_encryption_key, HS_ERR_MLS_COMMIT},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct entry ENTRY entry;
        struct hs_bytes honest_list;
        enter(e, &entry);
        struct evil_commit commit = plan(&e->erin, &entry, &honest_list);
        commit.bend_leaf = all[i].bend;
        commit.context = e;
        evil_commit_refused(e, &commit, all[i].want);
    }
}

static void resync(void **state)
{
    struct evil *e = *state;
    struct entry ENTRY alone, ENTRY back;
    struct hs_bytes honest_list;
    const struct hs_mls_proposal remove = evil_remove(2);
    struct hs_mls_group *former = e->carol.group;
    e->carol.group = NULL;
    enter(e, &alone); /* her former leaf stays */
    refused(e, &e->carol, &alone, HS_ERR_MLS_COMMIT);
    enter(e, &back);
    evil_value(&back.list, &remove);
    evil_value(&back.honest, &remove);
    struct evil_commit commit = plan(&e->carol, &back, &honest_list);
    commit.bend_leaf = former_encryption_key;
    commit.context = e;
    evil_commit_refused(e, &commit, HS_ERR_MLS_COMMIT);
    e->carol.group = former;
}

static void signature_altered(struct hs_mls_authed *authed)
{
    static uint8_t signature[64];
    memcpy(signature, authed->signature.data, sizeof signature);
    signature[5] ^= 1;
    authed->signature = hs_bytes(signature, sizeof signature);
}

static void tag_altered(struct hs_mls_authed *authed)
{
    static uint8_t tag[32];
    memcpy(tag, authed->confirmation_tag.data, sizeof tag);
    tag[0] ^= 1;
    authed->confirmation_tag = hs_bytes(tag, sizeof tag);
}

static void proofs(void **state)
{
    struct evil *e = *state;
    struct entry ENTRY entry;
    struct hs_bytes honest_list;
    enter(e, &entry);
    struct evil_commit commit = plan(&e->erin, &entry, &honest_list);
    commit.bend_authed = signature_altered;
    evil_commit_refused(e, &commit, HS_ERR_BAD_SIGNATURE);
    commit.bend_authed = tag_altered;
    evil_commit_judged(e, &commit, HS_ERR_MLS_CONFIRMATION, HS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(honest),      EVIL_TEST(external_inits), EVIL_TEST(removes),
        EVIL_TEST(other_types), EVIL_TEST(by_reference),   EVIL_TEST(without_path),
        EVIL_TEST(leaves),      EVIL_TEST(resync),         EVIL_TEST(proofs),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
