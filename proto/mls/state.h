/* What all of one epoch's members and its hub know alike: the public state, and proposals that wait. */
#ifndef HS_MLS_STATE_H
#define HS_MLS_STATE_H

#include "mls/framing.h"
#include "mls/keys.h"
#include "mls/public.h"
#include "mls/tree.h"

/* Shared, immutable bytes. */
struct hs_mls_blob {
    uint32_t refs;
    size_t len;
    uint8_t data[];
};

/* NULL without memory. */
struct hs_mls_blob *hs_mls_blob_new(struct hs_bytes bytes);
struct hs_mls_blob *hs_mls_blob_ref(struct hs_mls_blob *blob);
void hs_mls_blob_unref(struct hs_mls_blob *blob);
struct hs_bytes hs_mls_blob_bytes(const struct hs_mls_blob *blob);

/* How many members use, and how many support, each credential type (RFC 9420, 7.3: a type in use must be
 * supported by all). Counted along, so that an Add costs the same in a room of any size. */
struct hs_mls_census {
    uint32_t members, uses[2], supports[2];
};

void hs_mls_census_count(struct hs_mls_census *census, const struct hs_mls_leaf *leaf, bool enters);
void hs_mls_census_count_node(struct hs_mls_census *census, const struct hs_mls_leaf_node *node, bool enters);
bool hs_mls_census_is_sound(const struct hs_mls_census *census);

/* Counts the leaf, in the place of another (or NULL), where the census is sound then; else false. */
bool hs_mls_census_admit(struct hs_mls_census *census, const struct hs_mls_leaf *old,
                         const struct hs_mls_leaf *leaf);
struct hs_mls_census hs_mls_census_of(const struct hs_mls_tree *tree);

struct hs_mls_state {
    const struct hs_mls_suite *suite;
    struct hs_mls_tree tree;
    struct hs_mls_blob *context;        /* the encoded GroupContext */
    struct hs_mls_group_context parsed; /* views into it */
    struct hs_mls_hash interim;         /* interim_transcript_hash */
    struct hs_mls_hash confirmation_tag;
    struct hs_mls_census census;
    struct hs_mls_blob *reinit; /* the encoded ReInit proposal that ended the group, or NULL */
};

/* Shares all parts. */
struct hs_mls_state hs_mls_state_share(const struct hs_mls_state *state);
void hs_mls_state_free(struct hs_mls_state *state);

/* The store's error, where a node of the tree couldn't be read: then whatever was judged by it doesn't count.
 * Else err. */
enum hs_err hs_mls_state_error(const struct hs_mls_state *state, enum hs_err err);
#define HS_MLS_STATE HS_AUTO(hs_mls_state_free)

/* Replaces the context by the encoding of this one, whose views may point into the old. NOMEM. */
enum hs_err hs_mls_state_set_context(struct hs_mls_state *state, const struct hs_mls_group_context *context);

/* All that RFC 9420, 12.4.3.1 asks of the state that a GroupInfo tells of; its context is the state's
 * already. MLS_VERSION, MALFORMED, MLS_TREE, MLS_LEAF. */
enum hs_err hs_mls_state_check(struct hs_mls_state *state);

/* Do all members support what these GroupContext extensions ask for? MLS_LEAF; MALFORMED; the store's errors.
 * Linear in their number. */
enum hs_err hs_mls_tree_supports(const struct hs_mls_tree *tree, struct hs_bytes extensions);

/* Reads a GroupInfo with its tree, inside (extension) or out of band, checks signature and state. As above,
 * and BAD_SIGNATURE, MLS_CONFIRMATION (a tag of another length). */
enum hs_err hs_mls_state_from_info(const struct hs_mls_group_info *info, struct hs_bytes tree,
                                   struct hs_mls_state *out);

/* A proposal that came by itself and was verified; it may be committed by reference in its epoch. */
struct hs_mls_cached {
    struct hs_mls_hash ref;
    struct hs_mls_author sender;
    struct hs_mls_blob *raw;
    struct hs_mls_proposal proposal; /* views into raw */
    struct hs_mls_leaf *leaf;        /* ADD, UPDATE: verified */
    bool saved;                      /* the store has it */
};

struct hs_mls_public {
    struct hs_mls_state now;
    struct hs_mls_keys keys;
    struct hs_mls_cached *cached; /* as they came */
    uint16_t *by_ref;             /* the places of the same, sorted by ref */
    size_t cached_count, cached_size;
    bool cached_stale; /* the store has some that aren't here any more */
    bool is_saved;
    uint64_t saved_epoch; /* the epoch that the store has, and its tree */
    struct hs_mls_tree saved_tree;
};

_Static_assert(HS_MLS_MAX_CACHED_PROPOSALS <= UINT16_MAX, "by_ref holds places in 16 bits");

/* From a state whose parts it takes over, also on failure. MLS_TREE where a key occurs twice; NOMEM. */
enum hs_err hs_mls_public_adopt(struct hs_mls_state *state, struct hs_mls_public **out);

/* The same for a state whose tree was loaded: its keys are looked up in the store. NOMEM. */
enum hs_err hs_mls_public_adopt_loaded(struct hs_mls_state *state, struct hs_mls_public **out);

/* The waiting proposal with that reference, or NULL. */
const struct hs_mls_cached *hs_mls_public_cached(const struct hs_mls_public *pub, struct hs_bytes ref);

/* Keeps one more. leaf: of an Add or Update, verified, or NULL. TOO_LARGE past HS_MLS_MAX_CACHED_PROPOSALS
 * or HS_MLS_MAX_CACHED_BYTES, NOMEM. */
enum hs_err hs_mls_public_cache(struct hs_mls_public *pub, const struct hs_mls_author *sender,
                                const struct hs_mls_hash *ref, struct hs_bytes raw, struct hs_mls_leaf *leaf);
void hs_mls_public_forget_proposals(struct hs_mls_public *pub);

/* Storage. The public part of a record HS_MLS_RECORD_STATE: everything but the tree, which
 * hs_mls_tree_save() and hs_mls_tree_load() keep in pieces. A member's group writes what it knows beside it
 * into the same record. read: NOMEM; MALFORMED; MLS_VERSION for a suite that this build lacks. */
void hs_mls_state_write(struct hs_writer *w, const struct hs_mls_state *state);
enum hs_err hs_mls_state_read(struct hs_reader *r, struct hs_mls_state *state);

/* The waiting proposals as records HS_MLS_RECORD_PROPOSAL, numbered from 0: only new ones are written, and
 * after a merge those of the old epoch are deleted. load: into a public group without any. */
enum hs_err hs_mls_proposals_save(struct hs_mls_public *pub, const struct hs_mls_store *store);
enum hs_err hs_mls_proposals_load(struct hs_mls_public *pub, const struct hs_mls_store *store);

#endif
