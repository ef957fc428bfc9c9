/* The secret tree (RFC 9420, 9): ratchets are made on demand, and what they were derived from is wiped. */
#ifndef HS_MLS_SECRET_TREE_H
#define HS_MLS_SECRET_TREE_H

#include "mls/ratchet.h"
#include "mls/store.h"

struct hs_mls_secret_tree;

/* depth: levels above the leaves. NULL without memory. */
struct hs_mls_secret_tree *hs_mls_secret_tree_new(const struct hs_mls_suite *suite,
                                                  const struct hs_mls_secret *encryption, unsigned depth);
void hs_mls_secret_tree_free(struct hs_mls_secret_tree *tree);

/* One ratchet, taken out to be turned; it changes the tree only when it is put back. INVALID_ARG for a leaf
 * past the tree, NOMEM, and what reading a piece may answer: MALFORMED (also for one that is missing), the
 * store's errors. */
enum hs_err hs_mls_ratchet_take(struct hs_mls_secret_tree *tree, uint32_t leaf, enum hs_mls_ratchet_kind kind,
                                struct hs_mls_ratchet **out);

/* Puts the turned ratchet into the tree, which wipes the secrets that it came from. Takes the ratchet, also
 * where it fails (as above; the tree is then as before). */
enum hs_err hs_mls_ratchet_put(struct hs_mls_secret_tree *tree, struct hs_mls_ratchet *ratchet);

/* Writes the pieces that changed since the last save (store.h, HS_MLS_RECORD_SECRET of that epoch), and
 * deletes those whose secret was used up. A post costs its ratchet, the first one of a leaf the way down to
 * it too. The first save of a new tree writes all of it; from then on it reads from that store, too. */
enum hs_err hs_mls_secret_tree_save(struct hs_mls_secret_tree *tree, const struct hs_mls_store *store,
                                    uint64_t epoch);

/* The tree of that epoch; its pieces are read when they are needed, from this store, which must outlive it.
 */
enum hs_err hs_mls_secret_tree_load(const struct hs_mls_suite *suite, const struct hs_mls_store *store,
                                    uint64_t epoch, unsigned depth, struct hs_mls_secret_tree **out);

/* Deletes all records of that epoch's tree. */
enum hs_err hs_mls_secret_tree_erase(const struct hs_mls_store *store, uint64_t epoch);

#endif
