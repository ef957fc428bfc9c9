#include "mls/secret_tree.h"

#include "mls/limits.h"
#include "mls/secret_pieces.h"
#include "mls/tree_math.h"

#include <stdlib.h>

struct hs_mls_secret_tree {
    unsigned depth;
    struct hs_mls_pieces pieces;
};

static struct hs_mls_secret_tree *tree_new(const struct hs_mls_suite *suite, unsigned depth)
{
    struct hs_mls_secret_tree *tree = calloc(1, sizeof *tree);
    if (tree != NULL)
        *tree = (struct hs_mls_secret_tree){.depth = depth, .pieces = {.suite = suite}};
    return tree;
}

struct hs_mls_secret_tree *hs_mls_secret_tree_new(const struct hs_mls_suite *suite,
                                                  const struct hs_mls_secret *encryption, unsigned depth)
{
    HS_ASSERT(depth < HS_MLS_MAX_DEPTH);
    struct hs_mls_secret_tree *tree = tree_new(suite, depth);
    if (tree == NULL)
        return NULL;
    if (hs_mls_pieces_put_secret(&tree->pieces, hs_mls_node_over(0, depth), encryption) == HS_OK)
        return tree;
    hs_mls_secret_tree_free(tree);
    return NULL;
}

void hs_mls_secret_tree_free(struct hs_mls_secret_tree *tree)
{
    if (tree == NULL)
        return;
    hs_mls_pieces_free(&tree->pieces);
    free(tree);
}

/* The lowest node on a leaf's way up that has its secret still. Every leaf that wasn't opened has one:
 * MALFORMED where the store lost it. */
static enum hs_err find_secret(struct hs_mls_secret_tree *tree, uint32_t leaf, unsigned *level,
                               struct hs_mls_piece **out)
{
    *out = NULL;
    for (*level = 0; *level <= tree->depth; ++*level) {
        uint32_t node = hs_mls_node_over(leaf, *level);
        HS_TRY(hs_mls_pieces_find(&tree->pieces, node, HS_MLS_PIECE_SECRET, out));
        if (*out != NULL)
            return HS_OK;
    }
    return HS_ERR_MALFORMED;
}

/* out may be the secret itself. */
static enum hs_err child_secret(const struct hs_mls_suite *suite, const struct hs_mls_secret *secret,
                                unsigned side, struct hs_mls_secret *out)
{
    return hs_mls_expand_secret(suite, HS_MLS_VIEW(*secret), "tree",
                                hs_bytes_str(side == 0 ? "left" : "right"), out);
}

static unsigned side_of(uint32_t leaf, unsigned level)
{
    return leaf >> (level - 1) & 1;
}

enum hs_err hs_mls_ratchet_take(struct hs_mls_secret_tree *tree, uint32_t leaf, enum hs_mls_ratchet_kind kind,
                                struct hs_mls_ratchet **out)
{
    const struct hs_mls_suite *suite = tree->pieces.suite;
    struct hs_mls_secret HS_MLS_SECRET secret = {0};
    struct hs_mls_piece *piece;
    unsigned level;
    HS_REQUIRE(leaf < (uint32_t)1 << tree->depth, HS_ERR_INVALID_ARG);
    HS_TRY(hs_mls_pieces_find(&tree->pieces, 2 * leaf, HS_MLS_PIECE_RATCHET + (unsigned)kind, &piece));
    if (piece != NULL)
        return hs_mls_ratchet_copy(piece->ratchet, out);
    HS_TRY(find_secret(tree, leaf, &level, &piece));
    secret = piece->secret;
    for (; level > 0; level--)
        HS_TRY(child_secret(suite, &secret, side_of(leaf, level), &secret));
    return hs_mls_ratchet_new(suite, &secret, leaf, kind, out);
}

/* A half of a split that didn't come off mustn't stay: it would outlive its use. */
static void undo(struct hs_mls_secret_tree *tree, uint32_t node, unsigned kind)
{
    struct hs_mls_piece *piece;
    if (hs_mls_pieces_find(&tree->pieces, node, kind, &piece) == HS_OK && piece != NULL)
        hs_mls_pieces_remove(&tree->pieces, piece);
}

static enum hs_err put_child(struct hs_mls_secret_tree *tree, const struct hs_mls_secret *secret,
                             unsigned side, uint32_t node)
{
    struct hs_mls_secret HS_MLS_SECRET child = {0};
    HS_TRY(child_secret(tree->pieces.suite, secret, side, &child));
    return hs_mls_pieces_put_secret(&tree->pieces, node, &child);
}

/* Splits the secret of a node over the leaf among its two children. */
static enum hs_err split(struct hs_mls_secret_tree *tree, uint32_t leaf, unsigned level,
                         struct hs_mls_piece *piece)
{
    uint32_t first = leaf >> level << level, half = (uint32_t)1 << (level - 1);
    uint32_t left = hs_mls_node_over(first, level - 1), right = hs_mls_node_over(first + half, level - 1);
    HS_TRY(put_child(tree, &piece->secret, 0, left));
    enum hs_err err = put_child(tree, &piece->secret, 1, right);
    if (err == HS_OK)
        hs_mls_pieces_remove(&tree->pieces, piece);
    else
        undo(tree, left, HS_MLS_PIECE_SECRET);
    return err;
}

static enum hs_err put_ratchet(struct hs_mls_secret_tree *tree, uint32_t leaf, enum hs_mls_ratchet_kind kind,
                               const struct hs_mls_secret *secret)
{
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = NULL;
    HS_TRY(hs_mls_ratchet_new(tree->pieces.suite, secret, leaf, kind, &ratchet));
    HS_TRY(hs_mls_pieces_put_ratchet(&tree->pieces, ratchet));
    ratchet = NULL;
    return HS_OK;
}

/* Makes both ratchets of a leaf from its secret. */
static enum hs_err make_ratchets(struct hs_mls_secret_tree *tree, uint32_t leaf, struct hs_mls_piece *piece)
{
    HS_TRY(put_ratchet(tree, leaf, HS_MLS_RATCHET_HANDSHAKE, &piece->secret));
    enum hs_err err = put_ratchet(tree, leaf, HS_MLS_RATCHET_APPLICATION, &piece->secret);
    if (err == HS_OK)
        hs_mls_pieces_remove(&tree->pieces, piece);
    else
        undo(tree, 2 * leaf, HS_MLS_PIECE_RATCHET + HS_MLS_RATCHET_HANDSHAKE);
    return err;
}

/* Splits the secrets on the way to a leaf, and that one into its two ratchets. Each step leaves a tree that
 * is worth the same, so a failure does no harm. */
static enum hs_err open_leaf(struct hs_mls_secret_tree *tree, uint32_t leaf)
{
    struct hs_mls_piece *piece;
    unsigned level;
    HS_TRY(find_secret(tree, leaf, &level, &piece));
    for (; level > 0; level--) {
        HS_TRY(split(tree, leaf, level, piece));
        HS_TRY(hs_mls_pieces_find(&tree->pieces, hs_mls_node_over(leaf, level - 1), HS_MLS_PIECE_SECRET,
                                  &piece));
    }
    return make_ratchets(tree, leaf, piece);
}

enum hs_err hs_mls_ratchet_put(struct hs_mls_secret_tree *tree, struct hs_mls_ratchet *ratchet)
{
    struct hs_mls_ratchet HS_MLS_RATCHET *turned = ratchet;
    struct hs_mls_piece *piece;
    HS_TRY(hs_mls_pieces_find(&tree->pieces, 2 * turned->leaf, HS_MLS_PIECE_RATCHET + (unsigned)turned->kind,
                              &piece));
    if (piece == NULL)
        HS_TRY(open_leaf(tree, turned->leaf));
    HS_TRY(hs_mls_pieces_put_ratchet(&tree->pieces, turned));
    turned = NULL;
    return HS_OK;
}

enum hs_err hs_mls_secret_tree_save(struct hs_mls_secret_tree *tree, const struct hs_mls_store *store,
                                    uint64_t epoch)
{
    return hs_mls_pieces_save(&tree->pieces, store, epoch);
}

enum hs_err hs_mls_secret_tree_load(const struct hs_mls_suite *suite, const struct hs_mls_store *store,
                                    uint64_t epoch, unsigned depth, struct hs_mls_secret_tree **out)
{
    HS_REQUIRE(depth < HS_MLS_MAX_DEPTH, HS_ERR_MALFORMED);
    struct hs_mls_secret_tree *tree = tree_new(suite, depth);
    HS_REQUIRE(tree != NULL, HS_ERR_NOMEM);
    tree->pieces.store = store;
    tree->pieces.epoch = epoch;
    *out = tree;
    return HS_OK;
}

enum hs_err hs_mls_secret_tree_erase(const struct hs_mls_store *store, uint64_t epoch)
{
    struct hs_mls_store_key key = hs_mls_store_key(HS_MLS_RECORD_SECRET);
    hs_mls_store_key_u64(&key, epoch);
    return hs_mls_store_del(store, &key);
}
