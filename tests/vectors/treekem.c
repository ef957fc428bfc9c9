/* treekem: every update path opened by every other leaf, then one of our own made and opened by all. */
#include "treekem.h"

#include "mls/codec.h"
#include "mls/suite.h"
#include "mls/tree_math.h"
#include "mls/treekem.h"

static const struct hs_mls_newcomers nobody = {0};

static enum outcome same_pair(const struct hs_mls_suite *suite, const struct hs_mls_secret *priv,
                              struct hs_bytes want)
{
    struct hs_mls_pub pub;
    CHECK_OK(suite->kem_public(priv, &pub));
    CHECK(hs_bytes_equal(HS_MLS_VIEW(pub), want));
    return PASSED;
}

static enum outcome private_keys(const struct hs_mls_tree *tree, const json_t *leaf,
                                 struct hs_mls_path_keys *keys)
{
    const json_t *item;
    size_t at;
    uint32_t index = (uint32_t)vector_number(leaf, "index");
    *keys = (struct hs_mls_path_keys){.have = {true}};
    CHECK(HS_MLS_SET(vector_hex(leaf, "encryption_priv"), &keys->priv[0]));
    CHECK(same_pair(tree->suite, &keys->priv[0], hs_mls_leaf_encryption_key(hs_mls_tree_leaf(tree, index))) ==
          PASSED);
    json_array_foreach(vector_list(leaf, "path_secrets"), at, item)
    {
        struct hs_mls_path_keys derived = {0};
        struct hs_mls_path_secrets secrets = {0};
        struct hs_mls_secret secret;
        uint32_t node = (uint32_t)vector_number(item, "node");
        CHECK(HS_MLS_SET(vector_hex(item, "path_secret"), &secret));
        unsigned level = hs_mls_node_level(node);
        /* only the node's own key is taken: what follows above may have been replaced since */
        enum hs_err err = hs_mls_path_derive(tree, index, level, &secret, &derived, &secrets);
        CHECK(err == HS_OK || err == HS_ERR_MLS_COMMIT);
        CHECK(same_pair(tree->suite, &derived.priv[level], hs_mls_node_key(hs_mls_tree_node(tree, node))) ==
              PASSED);
        keys->have[level] = true;
        keys->priv[level] = derived.priv[level];
    }
    return PASSED;
}

static struct hs_bytes context_for(const json_t *entry, const struct hs_mls_hash *tree_hash,
                                   struct hs_writer *w)
{
    const struct hs_mls_group_context context = {
        .version = HS_MLS_VERSION_10,
        .suite = (uint16_t)vector_number(entry, "cipher_suite"),
        .group_id = vector_hex(entry, "group_id"),
        .epoch = vector_number(entry, "epoch"),
        .tree_hash = HS_MLS_VIEW(*tree_hash),
        .confirmed_transcript_hash = vector_hex(entry, "confirmed_transcript_hash"),
    };
    hs_mls_write_group_context(w, &context);
    return hs_writer_bytes(w);
}

/* All leaves but the sender's open the path and get the commit secret; expected: their path secrets, or NULL.
 */
static enum outcome open_all(const json_t *entry, const struct hs_mls_tree *before,
                             const struct hs_mls_tree *after, uint32_t sender,
                             const struct hs_mls_update_path *path, struct hs_bytes context,
                             struct hs_bytes commit_secret, const json_t *expected)
{
    const json_t *leaf;
    size_t at;
    json_array_foreach(vector_list(entry, "leaves_private"), at, leaf)
    {
        struct hs_mls_path_keys keys;
        struct hs_mls_path_secrets secrets;
        uint32_t own = (uint32_t)vector_number(leaf, "index");
        if (own == sender)
            continue;
        const struct hs_mls_path_open open = {.tree = after,
                                              .own = own,
                                              .sender = sender,
                                              .path = path,
                                              .newcomers = &nobody,
                                              .context = context};
        CHECK(private_keys(before, leaf, &keys) == PASSED);
        CHECK_OK(hs_mls_path_open(&open, &keys, &secrets));
        CHECK(hs_bytes_equal(HS_MLS_VIEW(secrets.commit), commit_secret));
        if (expected == NULL)
            continue;
        unsigned level = hs_mls_common_level(own, sender);
        CHECK(
            hs_bytes_equal(HS_MLS_VIEW(secrets.secret[level]), vector_hex_of(json_array_get(expected, own))));
    }
    return PASSED;
}

static enum outcome given_path(const json_t *entry, const struct hs_mls_tree *before, const json_t *update)
{
    struct hs_mls_tree HS_MLS_TREE after = hs_mls_tree_share(before);
    struct hs_writer HS_WRITER w = hs_writer(1 << 16);
    struct hs_mls_update_path path;
    struct hs_mls_hash hash;
    uint32_t sender = (uint32_t)vector_number(update, "sender");
    struct hs_reader r = hs_reader(vector_hex(update, "update_path"));
    hs_mls_read_update_path(&r, &path);
    CHECK_OK(hs_reader_finish(&r));
    const struct hs_mls_path_apply apply = {
        .sender = sender, .path = &path, .newcomers = &nobody, .group_id = vector_hex(entry, "group_id")};
    CHECK_OK(hs_mls_path_apply(&after, &apply));
    CHECK_OK(hs_mls_tree_check(&after));
    CHECK_OK(hs_mls_tree_hash(&after, &hash));
    CHECK_BYTES(HS_MLS_VIEW(hash), update, "tree_hash_after");
    return open_all(entry, before, &after, sender, &path, context_for(entry, &hash, &w),
                    vector_hex(update, "commit_secret"), vector_list(update, "path_secrets"));
}

static const json_t *private_of(const json_t *entry, uint32_t index)
{
    const json_t *leaf;
    size_t at;
    json_array_foreach(vector_list(entry, "leaves_private"), at,
                       leaf) if (vector_number(leaf, "index") == index) return leaf;
    return NULL;
}

static enum outcome own_path(const json_t *entry, const struct hs_mls_tree *before, uint32_t sender)
{
    struct hs_mls_tree HS_MLS_TREE made = hs_mls_tree_share(before),
                                   HS_MLS_TREE after = hs_mls_tree_share(before);
    struct hs_writer HS_WRITER nodes = hs_writer(1 << 20), HS_WRITER w = hs_writer(1 << 16);
    struct hs_mls_path_keys keys;
    struct hs_mls_path_secrets secrets;
    struct hs_mls_signer HS_MLS_SIGNER signer = {0};
    struct hs_mls_hash hash, hash_after;
    CHECK_OK(hs_mls_signer_import(before->suite, vector_hex(private_of(entry, sender), "signature_priv"),
                                  &signer));
    const struct hs_mls_leaf_renewal renewal = {.old = hs_mls_tree_leaf(before, sender),
                                                .signer = &signer,
                                                .group_id = vector_hex(entry, "group_id"),
                                                .index = sender};
    CHECK_OK(hs_mls_path_make(&made, &renewal, &keys, &secrets));
    CHECK_OK(hs_mls_tree_hash(&made, &hash));
    struct hs_bytes context = context_for(entry, &hash, &w);
    CHECK_OK(hs_mls_path_encrypt(&made, sender, &secrets, &nobody, context, &nodes));
    const struct hs_mls_update_path path = {.leaf = hs_mls_leaf_node(hs_mls_tree_leaf(&made, sender)),
                                            .nodes = hs_writer_bytes(&nodes)};
    const struct hs_mls_path_apply apply = {
        .sender = sender, .path = &path, .newcomers = &nobody, .group_id = vector_hex(entry, "group_id")};
    CHECK_OK(hs_mls_path_apply(&after, &apply));
    CHECK_OK(hs_mls_tree_hash(&after, &hash_after));
    CHECK(hs_bytes_equal(HS_MLS_VIEW(hash), HS_MLS_VIEW(hash_after)));
    return open_all(entry, before, &after, sender, &path, context, HS_MLS_VIEW(secrets.commit), NULL);
}

enum outcome treekem(const json_t *entry)
{
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    const json_t *update;
    size_t at;
    const struct hs_mls_suite *suite = hs_mls_suite_find((uint16_t)vector_number(entry, "cipher_suite"));
    if (suite == NULL)
        return SKIPPED;
    CHECK_OK(hs_mls_tree_read(suite, vector_hex(entry, "ratchet_tree"), &tree));
    CHECK_OK(hs_mls_tree_check(&tree));
    json_array_foreach(vector_list(entry, "update_paths"), at, update)
    {
        CHECK(given_path(entry, &tree, update) == PASSED);
        CHECK(own_path(entry, &tree, (uint32_t)vector_number(update, "sender")) == PASSED);
    }
    return PASSED;
}
