/* What is public of a GroupInfo, judged by a hub (RFC 9420, 12.4.3.1). */
#include "unit/mls/cast.h"

/* What a hub or newcomer says to a GroupInfo by alice over that tree, hash and signature in order. */
static enum hs_err judge_tree(struct cast *c, struct hs_mls_tree *tree)
{
    struct hs_mls_hash hash;
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    struct hs_mls_public HS_MLS_PUBLIC *pub = NULL;
    struct hs_mls_state HS_MLS_STATE state = hs_mls_state_share(&c->alice.group->pub->now);
    hs_mls_tree_free(&state.tree);
    state.tree = hs_mls_tree_share(tree);
    struct hs_mls_group_context context = state.parsed;
    assert_ok(hs_mls_tree_hash(&state.tree, &hash));
    context.tree_hash = HS_MLS_VIEW(hash);
    assert_ok(hs_mls_state_set_context(&state, &context));
    hs_mls_write_head(&info, HS_MLS_GROUP_INFO);
    assert_ok(hs_mls_group_info_write(&state, &c->alice.group->epoch, &c->alice.signer, 0, true, &info));
    return hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &pub);
}

/* What a hub says to a GroupInfo by alice over that context. */
static enum hs_err judge_context(struct cast *c, const struct hs_mls_group_context *context)
{
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    struct hs_mls_public HS_MLS_PUBLIC *pub = NULL;
    struct hs_mls_state HS_MLS_STATE state = hs_mls_state_share(&c->alice.group->pub->now);
    assert_ok(hs_mls_state_set_context(&state, context));
    hs_mls_write_head(&info, HS_MLS_GROUP_INFO);
    assert_ok(hs_mls_group_info_write(&state, &c->alice.group->epoch, &c->alice.signer, 0, true, &info));
    return hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &pub);
}

/* A context that a member vouches for and that no group has. MLS-1, MLS-10 */
static void bent_contexts(void **state)
{
    struct cast *c = *state;
    static const uint8_t id[HS_MLS_MAX_GROUP_ID + 1] = {1}, twice[] = {0xF4, 0xA1, 0, 0xF4, 0xA1, 0},
                                                  senders[] = {0, HS_MLS_EXT_EXTERNAL_SENDERS, 1, 1},
                                                  lacking[] = {0xAB, 0xCD, 0};
    const struct hs_mls_group_context good = c->alice.group->pub->now.parsed;
    struct hs_mls_group_context bent = good;
    bent.group_id = hs_bytes(id, HS_MLS_MAX_GROUP_ID);
    assert_ok(judge_context(c, &bent));
    bent.group_id.len++;
    assert_err(judge_context(c, &bent), HS_ERR_MALFORMED);
    bent = good;
    bent.version = 2;
    assert_err(judge_context(c, &bent), HS_ERR_MLS_VERSION);
    bent = good;
    bent.suite = 0x0A0A;
    assert_err(judge_context(c, &bent), HS_ERR_MLS_VERSION);
    bent = good;
    bent.tree_hash.len--;
    assert_err(judge_context(c, &bent), HS_ERR_MLS_TREE);
    bent = good;
    bent.extensions = hs_bytes(twice, sizeof twice);
    assert_err(judge_context(c, &bent), HS_ERR_MALFORMED);
    bent.extensions = hs_bytes(senders, sizeof senders);
    assert_err(judge_context(c, &bent), HS_ERR_MALFORMED);
    bent.extensions = hs_bytes(lacking, sizeof lacking);
    assert_err(judge_context(c, &bent), HS_ERR_MLS_LEAF);
}

/* A tree that its hash and a member's signature vouch for, but that nobody could have come to. MLS-30 */
static void bent_trees(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_tree_path path;
    struct hs_mls_pub key;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_bytes adds[] = {hs_writer_bytes(&c->bob.key_package), hs_writer_bytes(&c->carol.key_package)};
    assert_ok(person_try_commit(
        &c->alice, &(struct hs_mls_commit_request){.adds = adds, .add_count = 2, .force_path = true}, &s));
    assert_ok(hs_mls_group_accept(c->alice.group));
    const struct hs_mls_tree *good = &c->alice.group->pub->now.tree;
    struct hs_mls_tree HS_MLS_TREE tree = hs_mls_tree_share(good);
    assert_ok(judge_tree(c, &tree));
    assert_ok(hs_mls_tree_path_own(&tree, 0, &path));
    path.on[1]->parent->bytes[0] ^= 1;                 /* of its key */
    assert_err(judge_tree(c, &tree), HS_ERR_MLS_TREE); /* the parent hash doesn't hold */
    hs_mls_tree_free(&tree);
    /* bob's leaf, renewed by carol */
    assert_true(HS_MLS_SET(hs_mls_leaf_encryption_key(hs_mls_tree_leaf(good, 1)), &key));
    key.v[0] ^= 1;
    const struct hs_mls_leaf_renewal renewal = {.old = hs_mls_tree_leaf(good, 1),
                                                .encryption_key = HS_MLS_VIEW(key),
                                                .signer = &c->carol.signer,
                                                .source = HS_MLS_LEAF_UPDATE,
                                                .group_id = hs_bytes_str("moor"),
                                                .index = 1};
    assert_ok(hs_mls_leaf_renew(&renewal, &leaf));
    tree = hs_mls_tree_share(good);
    assert_ok(hs_mls_tree_replace(&tree, 1, leaf));
    assert_err(judge_tree(c, &tree), HS_ERR_MLS_LEAF); /* signed for another group */
    /* carol twice */
    hs_mls_tree_free(&tree);
    tree = hs_mls_tree_share(good);
    assert_ok(hs_mls_tree_replace(&tree, 1, hs_mls_tree_leaf(good, 2)));
    assert_err(judge_tree(c, &tree), HS_ERR_MLS_TREE);
}

static void carries(struct hs_bytes message, bool tree)
{
    struct hs_mls_group_info info;
    struct hs_bytes data;
    struct hs_reader r = hs_reader(message);
    assert_int_equal(hs_mls_read_head(&r), HS_MLS_GROUP_INFO);
    hs_mls_read_group_info(&r, &info);
    assert_ok(hs_reader_finish(&r));
    assert_int_equal(hs_mls_extension_find(info.extensions, HS_MLS_EXT_RATCHET_TREE, &data), tree);
    assert_true(hs_mls_extension_find(info.extensions, HS_MLS_EXT_EXTERNAL_PUB, &data));
    assert_int_equal(data.len, 1 + 32); /* a vector, not the bare key (RFC 9420, 12.4.3.2) */
    assert_int_equal(data.data[0], 32);
}

/* MLS-33: what a hub gets lets it follow the group, and others come in: made with a commit, or asked for. */
static void for_a_hub(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER info = hs_writer(CAP), HS_WRITER apart = hs_writer(CAP),
                               HS_WRITER next = hs_writer(CAP);
    const struct hs_mls_commit_result result = {.group_info = &next};
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    carries(hs_writer_bytes(&info), true);
    assert_ok(hs_mls_group_info(c->alice.group, false, &apart));
    carries(hs_writer_bytes(&apart), false);
    assert_ok(hs_mls_group_commit(c->alice.group, &empty, &result));
    carries(hs_writer_bytes(&next), true);
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_one)
    const struct CMUnitTest tests[] = {TEST(bent_contexts), TEST(bent_trees), TEST(for_a_hub)};
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
