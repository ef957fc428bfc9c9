/* tree-math, tree-validation, tree-operations. */
#include "vector.h"

#include "mls/keys.h"
#include "mls/tree.h"
#include "mls/tree_math.h"

#include "treekem.h"

static bool same_node(const json_t *list, size_t index, enum hs_err err, uint32_t got)
{
    const json_t *want = json_array_get(list, index);
    return json_is_null(want) ? err == HS_ERR_INVALID_ARG : err == HS_OK && json_integer_value(want) == got;
}

static enum outcome tree_math(const json_t *entry)
{
    uint32_t width = (uint32_t)vector_number(entry, "n_leaves");
    CHECK(hs_mls_node_width(width) == vector_number(entry, "n_nodes"));
    CHECK(hs_mls_node_root(width) == vector_number(entry, "root"));
    for (uint32_t node = 0; node < hs_mls_node_width(width); node++) {
        uint32_t got = 0;
        enum hs_err err = hs_mls_node_left(node, &got);
        CHECK(same_node(vector_list(entry, "left"), node, err, got));
        err = hs_mls_node_right(node, &got);
        CHECK(same_node(vector_list(entry, "right"), node, err, got));
        err = hs_mls_node_parent(node, width, &got);
        CHECK(same_node(vector_list(entry, "parent"), node, err, got));
        err = hs_mls_node_sibling(node, width, &got);
        CHECK(same_node(vector_list(entry, "sibling"), node, err, got));
    }
    return PASSED;
}

/* Suites that this build lacks have the same hash and key sizes here, and nothing else counts. */
static const struct hs_mls_suite *suite_of(const json_t *entry)
{
    const struct hs_mls_suite *suite = hs_mls_suite_find((uint16_t)vector_number(entry, "cipher_suite"));
    return suite != NULL ? suite : &hs_mls_suite_3;
}

static enum outcome check_node(const json_t *entry, const struct hs_mls_tree *tree, uint32_t index)
{
    const struct hs_mls_node *node = hs_mls_tree_node(tree, index);
    struct hs_mls_resolution HS_MLS_RESOLUTION resolution = {0};
    const json_t *want = json_array_get(vector_list(entry, "resolutions"), index);
    struct hs_mls_tree HS_MLS_TREE own = hs_mls_tree_share(tree);
    struct hs_mls_tree_path path;
    struct hs_mls_hash hash;
    unsigned level = hs_mls_node_level(index);
    uint32_t leaf = (index + 1 - ((uint32_t)1 << level)) / 2;
    hs_mls_tree_path(&own, leaf, &path);
    CHECK(path.on[level] == node);
    CHECK_OK(hs_mls_tree_hash(&own, &hash));
    if (!path.on[level]->hashed) {
        /* what a subtree of blanks hides is hashed when it is asked for */
        CHECK_OK(hs_mls_tree_path_own(&own, leaf, &path));
        CHECK_OK(hs_mls_tree_hash(&own, &hash));
    }
    CHECK(hs_bytes_equal(hs_mls_node_hash(&own, path.on[level]),
                         vector_hex_of(json_array_get(vector_list(entry, "tree_hashes"), index))));
    CHECK_OK(hs_mls_resolve(&own, path.on[level], &resolution));
    CHECK(resolution.count == json_array_size(want));
    for (size_t i = 0; i < resolution.count; i++)
        CHECK(json_integer_value(json_array_get(want, i)) == resolution.list[i].index);
    return PASSED;
}

static enum outcome tree_validation(const json_t *entry)
{
    const struct hs_mls_suite *suite = suite_of(entry);
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    struct hs_mls_keys HS_MLS_KEYS keys;
    struct hs_mls_leaf *leaf;
    struct hs_mls_hash hash;
    struct hs_writer HS_WRITER w = hs_writer(1 << 24);
    hs_mls_keys_init(&keys);
    CHECK_OK(hs_mls_tree_read(suite, vector_hex(entry, "tree"), &tree));
    hs_mls_tree_write(&tree, &w);
    CHECK_BYTES(hs_writer_bytes(&w), entry, "tree");
    CHECK_OK(hs_mls_tree_hash(&tree, &hash));
    uint32_t nodes = hs_mls_node_width(hs_mls_tree_width(&tree));
    CHECK(json_array_size(vector_list(entry, "tree_hashes")) == nodes);
    CHECK(json_array_size(vector_list(entry, "resolutions")) == nodes);
    for (uint32_t node = 0; node < nodes; node++)
        CHECK(check_node(entry, &tree, node) == PASSED);
    CHECK_OK(hs_mls_tree_check(&tree));
    CHECK_OK(hs_mls_keys_claim_tree(&keys, &tree));
    for (uint32_t i = 0; hs_mls_tree_next(&tree, &i, &leaf); i++) {
        CHECK_OK(hs_mls_leaf_check(suite, leaf));
        CHECK_OK(hs_mls_leaf_verify(suite, leaf, vector_hex(entry, "group_id"), i));
    }
    return PASSED;
}

static enum hs_err apply(struct hs_mls_tree *tree, const struct hs_mls_proposal *proposal, uint32_t sender)
{
    uint32_t index;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    if (proposal->type == HS_MLS_REMOVE) {
        HS_TRY(hs_mls_tree_replace(tree, proposal->removed, NULL));
        return hs_mls_tree_truncate(tree);
    }
    bool add = proposal->type == HS_MLS_ADD;
    HS_TRY(hs_mls_leaf_new(tree->suite, add ? &proposal->add.leaf : &proposal->update, &leaf));
    return add ? hs_mls_tree_add(tree, leaf, &index) : hs_mls_tree_replace(tree, sender, leaf);
}

static enum outcome tree_operations(const json_t *entry)
{
    struct hs_mls_tree HS_MLS_TREE tree = {0}, HS_MLS_TREE before = {0};
    struct hs_mls_proposal proposal;
    struct hs_mls_hash hash;
    struct hs_reader r = hs_reader(vector_hex(entry, "proposal"));
    hs_mls_read_proposal(&r, &proposal);
    CHECK_OK(hs_reader_finish(&r));
    CHECK_OK(hs_mls_tree_read(suite_of(entry), vector_hex(entry, "tree_before"), &tree));
    CHECK_OK(hs_mls_tree_hash(&tree, &hash));
    CHECK_BYTES(HS_MLS_VIEW(hash), entry, "tree_hash_before");
    before = hs_mls_tree_share(&tree);
    CHECK_OK(apply(&tree, &proposal, (uint32_t)vector_number(entry, "proposal_sender")));
    struct hs_writer HS_WRITER w = hs_writer(1 << 24), HS_WRITER old = hs_writer(1 << 24);
    hs_mls_tree_write(&tree, &w);
    CHECK_BYTES(hs_writer_bytes(&w), entry, "tree_after");
    CHECK_OK(hs_mls_tree_hash(&tree, &hash));
    CHECK_BYTES(HS_MLS_VIEW(hash), entry, "tree_hash_after");
    /* the shared copy from before stays what it was */
    hs_mls_tree_write(&before, &old);
    CHECK_BYTES(hs_writer_bytes(&old), entry, "tree_before");
    return PASSED;
}

const struct family families_tree[] = {
    {"tree-math", true, tree_math},
    {"tree-validation", false, tree_validation},
    {"tree-operations", true, tree_operations},
    {"treekem", false, treekem},
    {0},
};
