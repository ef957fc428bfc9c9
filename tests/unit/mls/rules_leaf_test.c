/* RFC 9420, 12.4.2 and 7.3: the leaf of a commit's path. Rules that a member can break:
 *
 * - its source; its signature, also for another leaf or group
 * - the same encryption key as before; a key that is none; a key that some other node has
 * - an extension or credential that its capabilities lack
 * - what the group asks for; a credential type that somebody lacks
 */
#include "unit/mls/evil.h"

static const struct hs_bytes nothing = {0};

static struct hs_writer writer(void)
{
    return hs_writer(CAP);
}

static void commit_refused(struct evil *e, const struct evil_commit *plan, enum hs_err want)
{
    struct hs_writer HS_WRITER message = writer();
    evil_commit(e, plan, &message);
    evil_refused(e, hs_writer_bytes(&message), want);
}
static void source_is_update(struct evil_leaf *leaf)
{
    leaf->node.source = HS_MLS_LEAF_UPDATE;
}

static void source_is_key_package(struct evil_leaf *leaf)
{
    leaf->node.source = HS_MLS_LEAF_KEY_PACKAGE;
    leaf->node.not_after = UINT64_MAX;
}

static void for_another_leaf(struct evil_leaf *leaf)
{
    leaf->index = 1;
}

static void for_another_group(struct evil_leaf *leaf)
{
    leaf->group_id = hs_bytes_str("moor");
}

static void signed_by_another(struct evil_leaf *leaf)
{
    const struct evil *e = leaf->context;
    leaf->signer = &e->dave.signer;
}

static struct hs_bytes node_key(const struct evil *e, uint32_t node)
{
    return hs_mls_node_key(hs_mls_tree_node(&e->hub->now.tree, node));
}

static void same_encryption_key(struct evil_leaf *leaf)
{
    leaf->node.encryption_key = node_key(leaf->context, 0);
}

static void daves_encryption_key(struct evil_leaf *leaf)
{
    leaf->node.encryption_key = node_key(leaf->context, 6);
}

/* Of the parent of carol and dave, which isn't on alice's path. */
static void a_parents_key(struct evil_leaf *leaf)
{
    leaf->node.encryption_key = node_key(leaf->context, 5);
}

static void daves_signature_key(struct evil_leaf *leaf)
{
    const struct evil *e = leaf->context;
    leaf->node.signature_key = HS_MLS_VIEW(e->dave.signer.pub);
    leaf->signer = &e->dave.signer;
}

static void no_encryption_key(struct evil_leaf *leaf)
{
    static const uint8_t zeros[32];
    leaf->node.encryption_key = hs_bytes(zeros, sizeof zeros);
}

static void unlisted_extension(struct evil_leaf *leaf)
{
    static const uint8_t list[] = {0xAB, 0xCD, 0};
    leaf->node.extensions = hs_bytes(list, sizeof list);
}

static void unlisted_credential(struct evil_leaf *leaf)
{
    static const uint8_t list[] = {0, HS_MLS_X509};
    leaf->node.capabilities.credentials = hs_bytes(list, sizeof list);
}

/* The group's own extension is one that it doesn't list any more. 7.3 */
static void forgotten_extension(struct evil_leaf *leaf)
{
    leaf->node.capabilities.extensions = nothing;
}

/* A type that nobody else lists. 7.3 */
static void strange_credential(struct evil_leaf *leaf)
{
    static const uint8_t types[] = {0, HS_MLS_BASIC, 0, HS_MLS_X509};
    leaf->node.credential_type = HS_MLS_X509;
    leaf->node.credential = nothing;
    leaf->node.capabilities.credentials = hs_bytes(types, sizeof types);
}

static void path_leaf(void **state)
{
    struct evil *e = *state;
    const struct {
        void (*bend)(struct evil_leaf *leaf);
        enum hs_err want;
    } all[] = {
        {source_is_update, HS_ERR_MLS_LEAF},       {source_is_key_package, HS_ERR_MLS_LEAF},
        {for_another_leaf, HS_ERR_MLS_LEAF},       {for_another_group, HS_ERR_MLS_LEAF},
        {signed_by_another, HS_ERR_MLS_LEAF},      {same_encryption_key, HS_ERR_MLS_COMMIT},
        {daves_encryption_key, HS_ERR_MLS_COMMIT}, {a_parents_key, HS_ERR_MLS_COMMIT},
        {daves_signature_key, HS_ERR_MLS_COMMIT},  {no_encryption_key, HS_ERR_MLS_LEAF},
        {unlisted_extension, HS_ERR_MLS_LEAF},     {unlisted_credential, HS_ERR_MLS_LEAF},
        {forgotten_extension, HS_ERR_MLS_LEAF},    {strange_credential, HS_ERR_MLS_LEAF},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        commit_refused(e, &(struct evil_commit){.by = &e->alice, .bend_leaf = all[i].bend, .context = e},
                       all[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {EVIL_TEST(path_leaf)};
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
