/* What the records of a tree look like (store.h).
 *
 * NODE, leaf:   the LeafNode as it was encoded.
 * NODE, parent: filled(1), and where it is, key<V>, parent_hash<V>, unmerged_leaves<V>; then two children.
 * child, ROOT:  kind(1): blank, or stored, or stored and filled; where it isn't blank made(8), members(4);
 *               tree hash. ROOT begins with level(1).
 * REPLACED:     node(4), made(8) for each.
 * INDEX:        node(4). */
#ifndef HS_MLS_TREE_RECORD_H
#define HS_MLS_TREE_RECORD_H

#include "mls/keys.h"
#include "mls/store.h"
#include "mls/tree_node.h"

struct hs_mls_store_key hs_mls_node_record_key(uint32_t node, uint64_t made);
struct hs_mls_store_key hs_mls_index_record_key(const struct hs_mls_suite *suite, enum hs_mls_key_kind kind,
                                                struct hs_bytes key);

/* The content of a node whose children have their hashes and, where they are stored, their epochs. */
void hs_mls_node_record_write(const struct hs_mls_suite *suite, const struct hs_mls_node *node,
                              struct hs_writer *w);

/* Fills in the content of a stub whose place is known; its children become stubs. MALFORMED, NOMEM. */
enum hs_err hs_mls_node_record_read(const struct hs_mls_suite *suite, struct hs_bytes record,
                                    struct hs_mls_node *node);

void hs_mls_root_record_write(const struct hs_mls_suite *suite, const struct hs_mls_node *root,
                              struct hs_writer *w);
enum hs_err hs_mls_root_record_read(const struct hs_mls_suite *suite, struct hs_bytes record,
                                    struct hs_mls_node **root);

#endif
