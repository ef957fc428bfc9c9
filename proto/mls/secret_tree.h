/* The secret tree (RFC 9420, 9): ratchets are made on demand, and what they were derived from is wiped. */
#ifndef HS_MLS_SECRET_TREE_H
#define HS_MLS_SECRET_TREE_H

#include "mls/ratchet.h"

struct hs_mls_secret_tree;

/* depth: levels above the leaves. NULL without memory. */
struct hs_mls_secret_tree *hs_mls_secret_tree_new(const struct hs_secret32 *encryption, unsigned depth);
void hs_mls_secret_tree_free(struct hs_mls_secret_tree *tree);

/* One ratchet, taken out to be turned; it changes the tree only when it is put back. INVALID_ARG for a leaf
 * past the tree, NOMEM. */
enum hs_err hs_mls_ratchet_take(const struct hs_mls_secret_tree *tree, uint32_t leaf,
                                enum hs_mls_ratchet_kind kind, struct hs_mls_ratchet **out);

/* Puts the turned ratchet into the tree, which wipes the secrets that it came from. Takes the ratchet, also
 * where it fails (NOMEM; the tree is then as before). */
enum hs_err hs_mls_ratchet_put(struct hs_mls_secret_tree *tree, struct hs_mls_ratchet *ratchet);

/* The tree as bytes: what is left of the secrets, with the ratchets. */
void hs_mls_secret_tree_write(const struct hs_mls_secret_tree *tree, struct hs_writer *w);
enum hs_err hs_mls_secret_tree_read(struct hs_reader *r, struct hs_mls_secret_tree **out);

#endif
