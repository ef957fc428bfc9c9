/* The public group as its callers see it; public_process.c judges what comes in. */
#include "mls/leaf.h"
#include "mls/staged.h"
#include "mls/suite.h"

#include <stdlib.h>

enum { SAVED_VERSION = 1 };

static void cached_free(struct hs_mls_cached *cached)
{
    hs_mls_blob_unref(cached->raw);
    hs_mls_leaf_unref(cached->leaf);
}

void hs_mls_public_forget_proposals(struct hs_mls_public *pub)
{
    for (size_t i = 0; i < pub->cached_count; i++)
        cached_free(&pub->cached[i]);
    free(pub->cached);
    pub->cached = NULL;
    pub->cached_count = pub->cached_size = 0;
}

void hs_mls_public_free(struct hs_mls_public *pub)
{
    if (pub == NULL)
        return;
    hs_mls_public_forget_proposals(pub);
    hs_mls_state_free(&pub->now);
    hs_mls_keys_free(&pub->keys);
    free(pub);
}

void hs_mls_public_free_at(struct hs_mls_public **pub)
{
    hs_mls_public_free(*pub);
    *pub = NULL;
}

enum hs_err hs_mls_public_adopt(struct hs_mls_state *state, struct hs_mls_public **out)
{
    struct hs_mls_state HS_MLS_STATE taken = *state;
    *state = (struct hs_mls_state){0};
    struct hs_mls_public HS_MLS_PUBLIC *pub = calloc(1, sizeof *pub);
    HS_REQUIRE(pub != NULL, HS_ERR_NOMEM);
    hs_mls_keys_init(&pub->keys);
    HS_TRY(hs_mls_keys_claim_tree(&pub->keys, &taken.tree));
    pub->now = hs_mls_state_share(&taken);
    *out = pub;
    pub = NULL;
    return HS_OK;
}

enum hs_err hs_mls_public_new(struct hs_bytes message, struct hs_bytes tree, struct hs_mls_public **out)
{
    struct hs_mls_group_info info;
    struct hs_mls_state HS_MLS_STATE state = {0};
    struct hs_reader r = hs_reader(message);
    HS_REQUIRE(message.len <= HS_MLS_MAX_MESSAGE, HS_ERR_TOO_LARGE);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_TRY(r.err);
    HS_REQUIRE(format == HS_MLS_GROUP_INFO, HS_ERR_UNEXPECTED);
    hs_mls_read_group_info(&r, &info);
    HS_TRY(hs_reader_finish(&r));
    HS_TRY(hs_mls_state_from_info(&info, tree, &state));
    return hs_mls_public_adopt(&state, out);
}

enum hs_err hs_mls_public_save(const struct hs_mls_public *pub, struct hs_writer *out)
{
    hs_write_u8(out, SAVED_VERSION);
    hs_write_mls_vec(out, hs_mls_blob_bytes(pub->now.context));
    hs_write_bytes(out, HS_VIEW(pub->now.interim));
    hs_write_bytes(out, HS_VIEW(pub->now.confirmation_tag));
    hs_mls_tree_write(&pub->now.tree, out);
    hs_write_u32(out, (uint32_t)pub->cached_count);
    for (size_t i = 0; i < pub->cached_count; i++) {
        hs_write_bytes(out, HS_VIEW(pub->cached[i].ref));
        hs_write_u32(out, pub->cached[i].sender);
        hs_write_mls_vec(out, hs_mls_blob_bytes(pub->cached[i].raw));
    }
    return out->err;
}

static enum hs_err load_state(struct hs_reader *r, struct hs_mls_state *state)
{
    struct hs_mls_group_context context;
    struct hs_reader inner = hs_read_mls_sub(r);
    hs_mls_read_group_context(&inner, &context);
    HS_TRY(hs_reader_finish(&inner));
    HS_TRY(hs_mls_state_set_context(state, &context));
    hs_read_fixed(r, state->interim.b, sizeof state->interim.b);
    hs_read_fixed(r, state->confirmation_tag.b, sizeof state->confirmation_tag.b);
    const uint8_t *start = r->pos;
    (void)hs_read_mls_vec(r);
    HS_TRY(r->err);
    HS_TRY(hs_mls_tree_read(hs_mls_between(r, start), &state->tree));
    state->census = hs_mls_census_of(&state->tree);
    return HS_OK;
}

static enum hs_err load_cached(struct hs_reader *r, struct hs_mls_cached *cached)
{
    hs_read_fixed(r, cached->ref.b, sizeof cached->ref.b);
    cached->sender = hs_read_u32(r);
    struct hs_bytes raw = hs_read_mls_vec(r);
    HS_TRY(r->err);
    cached->raw = hs_mls_blob_new(raw);
    HS_REQUIRE(cached->raw != NULL, HS_ERR_NOMEM);
    struct hs_reader inner = hs_reader(hs_mls_blob_bytes(cached->raw));
    hs_mls_read_proposal(&inner, &cached->proposal);
    HS_TRY(hs_reader_finish(&inner));
    if (cached->proposal.type == HS_MLS_ADD)
        return hs_mls_leaf_new(&cached->proposal.add.leaf, &cached->leaf);
    if (cached->proposal.type == HS_MLS_UPDATE)
        return hs_mls_leaf_new(&cached->proposal.update, &cached->leaf);
    return HS_OK;
}

enum hs_err hs_mls_public_load(struct hs_bytes saved, struct hs_mls_public **out)
{
    struct hs_mls_state HS_MLS_STATE state = {0};
    struct hs_mls_public HS_MLS_PUBLIC *pub = NULL;
    struct hs_reader r = hs_reader(saved);
    uint8_t version = hs_read_u8(&r);
    HS_TRY(r.err);
    HS_REQUIRE(version == SAVED_VERSION, HS_ERR_UNSUPPORTED);
    HS_TRY(load_state(&r, &state));
    HS_TRY(hs_mls_public_adopt(&state, &pub));
    uint32_t count = hs_read_u32(&r);
    HS_REQUIRE(count <= HS_MLS_MAX_CACHED_PROPOSALS, HS_ERR_MALFORMED);
    pub->cached = count > 0 ? calloc(count, sizeof *pub->cached) : NULL;
    HS_REQUIRE(count == 0 || pub->cached != NULL, HS_ERR_NOMEM);
    pub->cached_size = count;
    while (pub->cached_count < count)
        HS_TRY(load_cached(&r, &pub->cached[pub->cached_count++]));
    HS_TRY(hs_reader_finish(&r));
    *out = pub;
    pub = NULL;
    return HS_OK;
}

const struct hs_mls_cached *hs_mls_public_cached(const struct hs_mls_public *pub, struct hs_bytes ref)
{
    for (size_t i = 0; i < pub->cached_count; i++)
        if (hs_bytes_equal(HS_VIEW(pub->cached[i].ref), ref))
            return &pub->cached[i];
    return NULL;
}

enum hs_err hs_mls_public_drop_proposal(struct hs_mls_public *pub, const struct hs_id *ref)
{
    const struct hs_mls_cached *found = hs_mls_public_cached(pub, HS_VIEW(*ref));
    HS_REQUIRE(found != NULL, HS_ERR_NOT_FOUND);
    size_t at = (size_t)(found - pub->cached);
    cached_free(&pub->cached[at]);
    pub->cached_count--;
    memmove(pub->cached + at, pub->cached + at + 1, (pub->cached_count - at) * sizeof *pub->cached);
    return HS_OK;
}

size_t hs_mls_public_proposal_count(const struct hs_mls_public *pub)
{
    return pub->cached_count;
}

struct hs_bytes hs_mls_public_id(const struct hs_mls_public *pub)
{
    return pub->now.parsed.group_id;
}

uint64_t hs_mls_public_epoch(const struct hs_mls_public *pub)
{
    return pub->now.parsed.epoch;
}

struct hs_bytes hs_mls_public_context(const struct hs_mls_public *pub)
{
    return hs_mls_blob_bytes(pub->now.context);
}

struct hs_id hs_mls_public_tree_hash(const struct hs_mls_public *pub)
{
    struct hs_id hash;
    bool fits = HS_FIXED(pub->now.parsed.tree_hash, &hash);
    HS_ASSERT(fits);
    return hash;
}

bool hs_mls_public_extension(const struct hs_mls_public *pub, uint16_t type, struct hs_bytes *data)
{
    return hs_mls_extension_find(pub->now.parsed.extensions, type, data);
}

uint32_t hs_mls_public_width(const struct hs_mls_public *pub)
{
    return hs_mls_tree_width(&pub->now.tree);
}

uint32_t hs_mls_public_member_count(const struct hs_mls_public *pub)
{
    return pub->now.census.members;
}

enum hs_err hs_mls_public_member(const struct hs_mls_public *pub, uint32_t index,
                                 struct hs_mls_member *member)
{
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&pub->now.tree, index);
    HS_REQUIRE(leaf != NULL, HS_ERR_NOT_FOUND);
    *member = hs_mls_leaf_member(leaf, index);
    return HS_OK;
}

bool hs_mls_public_member_next(const struct hs_mls_public *pub, uint32_t *index, struct hs_mls_member *member)
{
    struct hs_mls_leaf *leaf;
    if (!hs_mls_tree_next(&pub->now.tree, index, &leaf))
        return false;
    *member = hs_mls_leaf_member(leaf, *index);
    ++*index;
    return true;
}

enum hs_err hs_mls_public_member_by_key(const struct hs_mls_public *pub, const struct hs_key *signature_key,
                                        struct hs_mls_member *member)
{
    uint32_t node;
    bool found = hs_mls_keys_find(&pub->keys, &pub->now.tree, HS_MLS_KEY_SIGNATURE, signature_key,
                                  HS_MLS_NO_NODE, &node);
    return found ? hs_mls_public_member(pub, node / 2, member) : HS_ERR_NOT_FOUND;
}

enum hs_err hs_mls_public_tree(const struct hs_mls_public *pub, struct hs_writer *out)
{
    hs_mls_tree_write(&pub->now.tree, out);
    return out->err;
}
