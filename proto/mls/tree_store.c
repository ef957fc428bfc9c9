/* The trees of several epochs in a store: each writes what it doesn't share with the one before. */
#include "mls/tree_diff.h"
#include "mls/tree_math.h"
#include "mls/tree_record.h"

enum { REPLACED_LEN = 12 };

enum hs_err hs_mls_node_read(const struct hs_mls_tree *tree, struct hs_mls_node *node)
{
    struct hs_writer HS_WRITER record = hs_writer(HS_MLS_MAX_SAVED);
    struct hs_mls_store_key key = hs_mls_node_record_key(node->index, node->made);
    HS_REQUIRE(tree->store != NULL, HS_ERR_STORE);
    enum hs_err err = hs_mls_store_get(tree->store, &key, &record);
    HS_REQUIRE(err != HS_ERR_NOT_FOUND, HS_ERR_STORE);
    HS_TRY(err);
    return hs_mls_node_record_read(tree->suite, hs_writer_bytes(&record), node);
}

/* One save. */
struct save {
    const struct hs_mls_tree *tree, *before;
    const struct hs_mls_store *store;
    uint64_t epoch;
    struct hs_writer replaced;
};

static enum hs_err put_key(const struct save *save, enum hs_mls_key_kind kind, struct hs_bytes key,
                           uint32_t node)
{
    struct hs_mls_store_key record = hs_mls_index_record_key(save->tree->suite, kind, key);
    struct hs_writer HS_WRITER value = hs_writer(sizeof node);
    hs_write_u32(&value, node);
    return hs_mls_store_put(save->store, &record, &value);
}

static enum hs_err index_key(void *save, enum hs_mls_key_kind kind, struct hs_bytes key, uint32_t node)
{
    return put_key(save, kind, key, node);
}

static enum hs_err unindex_key(void *context, enum hs_mls_key_kind kind, struct hs_bytes key, uint32_t node)
{
    (void)node;
    const struct save *save = context;
    struct hs_mls_store_key record = hs_mls_index_record_key(save->tree->suite, kind, key);
    return hs_mls_store_del(save->store, &record);
}

/* What the tree before has and this one doesn't. */
static enum hs_err drop_old(void *context, struct hs_mls_node *old, struct hs_mls_node *now)
{
    struct save *save = context;
    HS_REQUIRE(old->saved, HS_ERR_INVALID_STATE);
    hs_write_u32(&save->replaced, old->index);
    hs_write_u64(&save->replaced, old->made);
    return hs_mls_node_new_keys(old, now, unindex_key, save);
}

/* What this tree has and the one before doesn't. Without one before that is all, also what another store has.
 */
static enum hs_err put_new(void *context, struct hs_mls_node *node, struct hs_mls_node *old)
{
    struct save *save = context;
    struct hs_writer HS_WRITER record = hs_writer(HS_MLS_MAX_SAVED);
    HS_REQUIRE(!node->saved || save->before == NULL, HS_ERR_INVALID_STATE);
    for (unsigned side = 0; node->level > 0 && side < 2; side++)
        hs_mls_node_strip_all(node->parent->child[side]); /* shared ones weren't visited */
    node->made = node->saved ? node->made : save->epoch;
    hs_mls_node_record_write(save->tree->suite, node, &record);
    struct hs_mls_store_key key = hs_mls_node_record_key(node->index, node->made);
    HS_TRY(hs_mls_store_put(save->store, &key, &record));
    node->saved = true;
    return hs_mls_node_new_keys(node, old, index_key, save);
}

/* Old keys go out of the index before new ones come in, for a key may have moved. */
static enum hs_err save_nodes(struct save *save)
{
    const struct hs_mls_tree_diff gone = {
        .of = save->before, .other = save->tree, .context = save, .visit = drop_old};
    const struct hs_mls_tree_diff added = {
        .of = save->tree, .other = save->before, .context = save, .visit = put_new};
    if (save->before != NULL) {
        struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_REPLACED, save->epoch);
        HS_TRY(hs_mls_tree_diff(&gone));
        HS_TRY(hs_mls_store_put(save->store, &key, &save->replaced));
    }
    return hs_mls_tree_diff(&added);
}

static enum hs_err put_root(const struct save *save)
{
    struct hs_writer HS_WRITER root = hs_writer(HS_MLS_MAX_SAVED);
    struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_ROOT, save->epoch);
    hs_mls_root_record_write(save->tree->suite, save->tree->root, &root);
    return hs_mls_store_put(save->store, &key, &root);
}

enum hs_err hs_mls_tree_save(struct hs_mls_tree *tree, const struct hs_mls_tree *before,
                             const struct hs_mls_store *store, uint64_t epoch)
{
    struct save save = {.tree = tree,
                        .before = before,
                        .store = store,
                        .epoch = epoch,
                        .replaced = hs_writer(HS_MLS_MAX_SAVED)};
    struct hs_mls_hash hash;
    HS_TRY(hs_mls_tree_error(tree));
    HS_TRY(hs_mls_tree_hash(tree, &hash));
    hs_mls_node_strip_all(tree->root);
    enum hs_err err = save_nodes(&save);
    hs_writer_free(&save.replaced);
    HS_TRY(err);
    HS_TRY(put_root(&save));
    tree->store = store;
    return HS_OK;
}

enum hs_err hs_mls_tree_load(const struct hs_mls_suite *suite, const struct hs_mls_store *store,
                             uint64_t epoch, struct hs_mls_tree *out)
{
    struct hs_writer HS_WRITER record = hs_writer(HS_MLS_MAX_SAVED);
    struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_ROOT, epoch);
    struct hs_mls_tree tree = {.suite = suite, .store = store};
    HS_TRY(hs_mls_store_get(store, &key, &record));
    HS_TRY(hs_mls_root_record_read(suite, hs_writer_bytes(&record), &tree.root));
    *out = tree;
    return HS_OK;
}

/* Deletes the records of that epoch alone. */
static enum hs_err delete_epoch(const struct hs_mls_store *store, enum hs_mls_record record, uint64_t epoch)
{
    struct hs_mls_store_key key = hs_mls_store_key_of(record, epoch);
    return hs_mls_store_del(store, &key);
}

static enum hs_err delete_node(const struct hs_mls_store *store, uint32_t node, uint64_t made)
{
    struct hs_mls_store_key key = hs_mls_node_record_key(node, made);
    return hs_mls_store_del(store, &key);
}

static enum hs_err read_replaced(const struct hs_mls_store *store, uint64_t epoch, struct hs_writer *list)
{
    struct hs_mls_store_key key = hs_mls_store_key_of(HS_MLS_RECORD_REPLACED, epoch);
    HS_TRY(hs_mls_store_get(store, &key, list));
    return list->len % REPLACED_LEN == 0 ? HS_OK : HS_ERR_MALFORMED;
}

enum hs_err hs_mls_tree_forget(const struct hs_mls_store *store, uint64_t epoch, uint64_t next)
{
    struct hs_writer HS_WRITER list = hs_writer(HS_MLS_MAX_SAVED);
    HS_TRY(read_replaced(store, next, &list));
    struct hs_reader r = hs_reader(hs_writer_bytes(&list));
    while (hs_reader_left(&r) > 0) {
        uint32_t node = hs_read_u32(&r);
        HS_TRY(delete_node(store, node, hs_read_u64(&r)));
    }
    HS_TRY(delete_epoch(store, HS_MLS_RECORD_REPLACED, next));
    return delete_epoch(store, HS_MLS_RECORD_ROOT, epoch);
}

/* Deletes what the epoch made below that node, index records too. What a node was made of is as old. */
static enum hs_err delete_made(struct save *save, struct hs_mls_node *node)
{
    if (hs_mls_node_is_bare(node) || node->made != save->epoch)
        return HS_OK;
    HS_TRY(hs_mls_node_open(save->tree, node));
    HS_TRY(hs_mls_node_new_keys(node, NULL, unindex_key, save));
    for (unsigned side = 0; node->level > 0 && side < 2; side++)
        HS_TRY(delete_made(save, node->parent->child[side]));
    return delete_node(save->store, node->index, save->epoch);
}

/* Puts the keys of a node that counts again back into the index. */
static enum hs_err restore_index(const struct save *save, uint32_t node, uint64_t made)
{
    struct hs_writer HS_WRITER record = hs_writer(HS_MLS_MAX_SAVED);
    struct hs_mls_store_key key = hs_mls_node_record_key(node, made);
    HS_TRY(hs_mls_store_get(save->store, &key, &record));
    struct hs_reader r = hs_reader(hs_writer_bytes(&record));
    bool leaf = hs_mls_node_level(node) == 0;
    if (!leaf && hs_read_u8(&r) == 0)
        return r.err;
    struct hs_bytes encryption = hs_read_mls_vec(&r), signature = {0};
    if (leaf)
        signature = hs_read_mls_vec(&r);
    HS_TRY(r.err);
    HS_TRY(put_key(save, HS_MLS_KEY_ENCRYPTION, encryption, node));
    return leaf ? put_key(save, HS_MLS_KEY_SIGNATURE, signature, node) : HS_OK;
}

enum hs_err hs_mls_tree_revert(const struct hs_mls_suite *suite, const struct hs_mls_store *store,
                               uint64_t epoch)
{
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    struct hs_writer HS_WRITER list = hs_writer(HS_MLS_MAX_SAVED);
    struct save save = {.tree = &tree, .store = store, .epoch = epoch};
    HS_TRY(read_replaced(store, epoch, &list));
    HS_TRY(hs_mls_tree_load(suite, store, epoch, &tree));
    HS_TRY(delete_made(&save, tree.root));
    struct hs_reader r = hs_reader(hs_writer_bytes(&list));
    while (hs_reader_left(&r) > 0) {
        uint32_t node = hs_read_u32(&r);
        HS_TRY(restore_index(&save, node, hs_read_u64(&r)));
    }
    HS_TRY(delete_epoch(store, HS_MLS_RECORD_REPLACED, epoch));
    return delete_epoch(store, HS_MLS_RECORD_ROOT, epoch);
}
