#include "mls/tree_record.h"

enum child_kind { CHILD_BLANK = 0, CHILD_STORED = 1, CHILD_FILLED = 2 };

/* Enough to tell keys apart, of a hash that nobody can bend to hit another one. */
enum { INDEX_HASH_LEN = 32 };

struct hs_mls_store_key hs_mls_node_record_key(uint32_t node, uint64_t made)
{
    struct hs_mls_store_key key = hs_mls_store_key(HS_MLS_RECORD_NODE);
    hs_mls_store_key_u32(&key, node);
    hs_mls_store_key_u64(&key, made);
    return key;
}

struct hs_mls_store_key hs_mls_index_record_key(const struct hs_mls_suite *suite, enum hs_mls_key_kind kind,
                                                struct hs_bytes key)
{
    struct hs_mls_store_key out = hs_mls_store_key(HS_MLS_RECORD_INDEX);
    uint8_t hash[HS_MLS_MAX_HASH] = {0};
    suite->hash(&key, 1, hash);
    out.b[out.len++] = (uint8_t)kind;
    memcpy(out.b + out.len, hash, INDEX_HASH_LEN);
    out.len += INDEX_HASH_LEN;
    return out;
}

static void write_child(const struct hs_mls_suite *suite, const struct hs_mls_node *child,
                        struct hs_writer *w)
{
    bool blank = hs_mls_node_is_bare(child);
    HS_ASSERT(child->hashed && (blank || child->saved));
    hs_write_u8(w, blank ? CHILD_BLANK : child->filled ? CHILD_FILLED : CHILD_STORED);
    if (!blank) {
        hs_write_u64(w, child->made);
        hs_write_u32(w, child->members);
    }
    hs_write_bytes(w, hs_bytes(child + 1, suite->hash_len));
}

/* A node that is known by this much: blank, or a stub. */
static void read_child(const struct hs_mls_suite *suite, struct hs_reader *r, struct hs_mls_node *child)
{
    uint8_t kind = hs_read_u8(r);
    if (kind > (child->level == 0 ? CHILD_STORED : CHILD_FILLED))
        hs_reader_fail(r, HS_ERR_MALFORMED);
    child->stub = child->saved = kind != CHILD_BLANK;
    child->filled = kind == CHILD_FILLED;
    if (child->stub) {
        child->made = hs_read_u64(r);
        child->members = hs_read_u32(r);
    }
    hs_read_fixed(r, hs_mls_node_hash_bytes(child), suite->hash_len);
    child->hashed = true;
    if (child->members > hs_mls_node_span(child) || (child->stub && child->level == 0 && child->members != 1))
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

void hs_mls_node_record_write(const struct hs_mls_suite *suite, const struct hs_mls_node *node,
                              struct hs_writer *w)
{
    if (node->level == 0) {
        hs_write_bytes(w, hs_bytes(node->leaf->bytes, node->leaf->len));
        return;
    }
    const struct hs_mls_parent *parent = node->parent;
    hs_write_u8(w, node->filled);
    if (node->filled) {
        hs_write_mls_vec(w, hs_mls_node_key(node));
        hs_write_mls_vec(w, hs_mls_node_parent_hash(node));
        hs_write_mls_vec(w, hs_bytes(parent->unmerged, (size_t)4 * parent->unmerged_count));
    }
    write_child(suite, parent->child[0], w);
    write_child(suite, parent->child[1], w);
}

static enum hs_err read_leaf(const struct hs_mls_suite *suite, struct hs_bytes record,
                             struct hs_mls_node *node)
{
    struct hs_mls_leaf_node leaf;
    struct hs_reader r = hs_reader(record);
    hs_mls_read_leaf_node(&r, &leaf);
    HS_REQUIRE(hs_reader_finish(&r) == HS_OK, HS_ERR_MALFORMED);
    HS_REQUIRE(leaf.encryption_key.len == suite->kem_pub_len, HS_ERR_MALFORMED);
    HS_REQUIRE(leaf.signature_key.len == suite->sign_pub_len, HS_ERR_MALFORMED);
    return hs_mls_leaf_copy(record, &node->leaf);
}

/* Sorted, and below this node. */
static bool unmerged_is_sound(const struct hs_mls_node *node)
{
    uint32_t first = hs_mls_node_first(node);
    for (uint32_t i = 0; i < node->parent->unmerged_count; i++) {
        uint32_t leaf = hs_mls_node_unmerged(node, i);
        if (leaf < first || leaf - first >= hs_mls_node_span(node) ||
            (i > 0 && hs_mls_node_unmerged(node, i - 1) >= leaf))
            return false;
    }
    return true;
}

static enum hs_err read_filled(const struct hs_mls_suite *suite, struct hs_reader *r,
                               struct hs_mls_node *node)
{
    struct hs_mls_parent_node parent;
    hs_mls_read_parent_node(r, &parent);
    HS_TRY(r->err);
    uint32_t count = (uint32_t)(parent.unmerged.len / 4);
    HS_REQUIRE(parent.encryption_key.len == suite->kem_pub_len, HS_ERR_MALFORMED);
    HS_REQUIRE(parent.parent_hash.len == 0 || parent.parent_hash.len == suite->hash_len, HS_ERR_MALFORMED);
    HS_REQUIRE(count <= hs_mls_node_span(node), HS_ERR_MALFORMED);
    hs_mls_node_fill(node, parent.encryption_key);
    hs_mls_node_set_parent_hash(node, parent.parent_hash);
    if (count > 0) {
        HS_TRY(hs_mls_node_reserve_unmerged(node, count));
        memcpy(node->parent->unmerged, parent.unmerged.data, parent.unmerged.len);
        node->parent->unmerged_count = count;
    }
    return unmerged_is_sound(node) ? HS_OK : HS_ERR_MALFORMED;
}

static enum hs_err read_parent(const struct hs_mls_suite *suite, struct hs_bytes record,
                               struct hs_mls_node *node)
{
    struct hs_reader r = hs_reader(record);
    uint8_t filled = hs_read_u8(&r);
    HS_REQUIRE(r.err == HS_OK && filled == node->filled, HS_ERR_MALFORMED);
    if (filled)
        HS_TRY(read_filled(suite, &r, node));
    struct hs_mls_node *left = node->parent->child[0], *right = node->parent->child[1];
    read_child(suite, &r, left);
    read_child(suite, &r, right);
    HS_TRY(hs_reader_finish(&r));
    return left->members + right->members == node->members ? HS_OK : HS_ERR_MALFORMED;
}

enum hs_err hs_mls_node_record_read(const struct hs_mls_suite *suite, struct hs_bytes record,
                                    struct hs_mls_node *node)
{
    if (node->level == 0) {
        HS_TRY(read_leaf(suite, record, node));
        node->stub = false;
        return HS_OK;
    }
    HS_TRY(hs_mls_node_content(suite, node));
    enum hs_err err = read_parent(suite, record, node);
    if (err != HS_OK)
        hs_mls_node_drop_content(node);
    node->stub = err != HS_OK;
    return err;
}

void hs_mls_root_record_write(const struct hs_mls_suite *suite, const struct hs_mls_node *root,
                              struct hs_writer *w)
{
    hs_write_u8(w, root->level);
    write_child(suite, root, w);
}

enum hs_err hs_mls_root_record_read(const struct hs_mls_suite *suite, struct hs_bytes record,
                                    struct hs_mls_node **root)
{
    struct hs_reader r = hs_reader(record);
    uint8_t level = hs_read_u8(&r);
    HS_REQUIRE(r.err == HS_OK && level < HS_MLS_MAX_DEPTH, HS_ERR_MALFORMED);
    struct hs_mls_node *node = hs_mls_node_new(suite, level, ((uint32_t)1 << level) - 1);
    HS_REQUIRE(node != NULL, HS_ERR_NOMEM);
    read_child(suite, &r, node);
    enum hs_err err = hs_reader_finish(&r);
    if (err != HS_OK) {
        node->stub = false;
        hs_mls_node_unref(node);
        return err;
    }
    *root = node;
    return HS_OK;
}
