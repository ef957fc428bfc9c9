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
bool hs_mls_census_is_sound(const struct hs_mls_census *census);
struct hs_mls_census hs_mls_census_of(const struct hs_mls_tree *tree);

struct hs_mls_state {
    struct hs_mls_tree tree;
    struct hs_mls_blob *context;        /* the encoded GroupContext */
    struct hs_mls_group_context parsed; /* views into it */
    struct hs_id interim;               /* interim_transcript_hash */
    struct hs_id confirmation_tag;
    struct hs_mls_census census;
};

/* Shares all parts. */
struct hs_mls_state hs_mls_state_share(const struct hs_mls_state *state);
void hs_mls_state_free(struct hs_mls_state *state);
#define HS_MLS_STATE HS_AUTO(hs_mls_state_free)

/* Replaces the context by the encoding of this one, whose views may point into the old. NOMEM. */
enum hs_err hs_mls_state_set_context(struct hs_mls_state *state, const struct hs_mls_group_context *context);

/* A proposal that came by itself and was verified; it may be committed by reference in its epoch. */
struct hs_mls_cached {
    struct hs_id ref;
    uint32_t sender;
    struct hs_mls_blob *raw;
    struct hs_mls_proposal proposal; /* views into raw */
    struct hs_mls_leaf *leaf;        /* ADD, UPDATE: verified */
};

struct hs_mls_public {
    struct hs_mls_state now;
    struct hs_mls_keys keys;
    struct hs_mls_cached *cached;
    size_t cached_count, cached_size;
};

/* From a state whose parts it takes over, also on failure. MLS_TREE where a key occurs twice; NOMEM. */
enum hs_err hs_mls_public_adopt(struct hs_mls_state *state, struct hs_mls_public **out);

/* All that RFC 9420, 12.4.3.1 asks of the state that a GroupInfo tells of; its context is the state's
 * already. MLS_TREE, MLS_LEAF, BAD_SIGNATURE. */
enum hs_err hs_mls_state_check(struct hs_mls_state *state);

/* Reads a GroupInfo with its tree, inside (extension) or out of band, checks signature and state. */
enum hs_err hs_mls_state_from_info(const struct hs_mls_group_info *info, struct hs_bytes tree,
                                   struct hs_mls_state *out);

const struct hs_mls_cached *hs_mls_public_cached(const struct hs_mls_public *pub, struct hs_bytes ref);
void hs_mls_public_forget_proposals(struct hs_mls_public *pub);

#endif
