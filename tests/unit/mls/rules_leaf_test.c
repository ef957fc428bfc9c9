/* RFC 9420, 12.4.2 and 7.3: the leaf of a commit's path. Rules that a member can break:
 *
 * - its source; its signature, also for another leaf or group
 * - the same encryption key as before; a key that is none; a key that some other node has
 * - an extension or credential that its capabilities lack
 * - what the group asks for; a credential type that somebody lacks
 */
#include "unit/mls/bends.h"

static void signed_by_dave(struct evil_leaf *leaf)
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

static void path_leaf(void **state)
{
    struct evil *e = *state;
    const struct {
        void (*bend)(struct evil_leaf *leaf);
        enum hs_err want;
    } all[] = {
        {source_is_update, HS_ERR_MLS_LEAF},       {source_is_key_package, HS_ERR_MLS_LEAF},
        {for_another_leaf, HS_ERR_MLS_LEAF},       {for_another_group, HS_ERR_MLS_LEAF},
        {signed_by_dave, HS_ERR_MLS_LEAF},         {same_encryption_key, HS_ERR_MLS_COMMIT},
        {daves_encryption_key, HS_ERR_MLS_COMMIT}, {a_parents_key, HS_ERR_MLS_COMMIT},
        {daves_signature_key, HS_ERR_MLS_COMMIT},  {no_encryption_key, HS_ERR_MLS_LEAF},
        {unlisted_extension, HS_ERR_MLS_LEAF},     {unlisted_credential, HS_ERR_MLS_LEAF},
        {forgotten_extension, HS_ERR_MLS_LEAF},    {strange_credential, HS_ERR_MLS_LEAF},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .bend_leaf = all[i].bend, .context = e},
                            all[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {EVIL_TEST(path_leaf)};
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
