/* The public group as its callers see it; public_process.c judges what comes in. */
#include "mls/staged.h"

#include <stdlib.h>

void hs_mls_public_free(struct hs_mls_public *pub)
{
    if (pub == NULL)
        return;
    hs_mls_public_forget_proposals(pub);
    hs_mls_state_free(&pub->now);
    hs_mls_keys_free(&pub->keys);
    hs_mls_tree_free(&pub->saved_tree);
    free(pub);
}

void hs_mls_public_free_at(struct hs_mls_public **pub)
{
    hs_mls_public_free(*pub);
    *pub = NULL;
}

enum hs_err hs_mls_public_adopt(struct hs_mls_state *state, struct hs_mls_public **out)
{
    struct hs_mls_public HS_MLS_PUBLIC *pub = calloc(1, sizeof *pub);
    if (pub == NULL) {
        hs_mls_state_free(state);
        return HS_ERR_NOMEM;
    }
    pub->now = *state;
    *state = (struct hs_mls_state){0};
    hs_mls_keys_init(&pub->keys);
    HS_TRY(hs_mls_keys_claim_tree(&pub->keys, &pub->now.tree));
    *out = pub;
    pub = NULL;
    return HS_OK;
}

enum hs_err hs_mls_public_adopt_loaded(struct hs_mls_state *state, struct hs_mls_public **out)
{
    struct hs_mls_public *pub = calloc(1, sizeof *pub);
    if (pub == NULL) {
        hs_mls_state_free(state);
        return HS_ERR_NOMEM;
    }
    pub->now = *state;
    *state = (struct hs_mls_state){0};
    hs_mls_keys_init_stored(&pub->keys);
    *out = pub;
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

struct hs_bytes hs_mls_public_tree_hash(const struct hs_mls_public *pub)
{
    return pub->now.parsed.tree_hash;
}

const struct hs_mls_suite *hs_mls_public_suite(const struct hs_mls_public *pub)
{
    return pub->now.suite;
}

bool hs_mls_public_reinit(const struct hs_mls_public *pub, struct hs_mls_reinit *reinit)
{
    struct hs_mls_proposal proposal;
    if (pub->now.reinit == NULL)
        return false;
    struct hs_reader r = hs_reader(hs_mls_blob_bytes(pub->now.reinit));
    hs_mls_read_proposal(&r, &proposal);
    *reinit = proposal.reinit;
    return true;
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
    HS_REQUIRE(leaf != NULL, hs_mls_state_error(&pub->now, HS_ERR_NOT_FOUND));
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

enum hs_err hs_mls_public_error(const struct hs_mls_public *pub)
{
    return hs_mls_state_error(&pub->now, HS_OK);
}

enum hs_err hs_mls_public_member_by_key(const struct hs_mls_public *pub, struct hs_bytes signature_key,
                                        struct hs_mls_member *member)
{
    uint32_t node;
    bool found = hs_mls_keys_find(&pub->keys, &pub->now.tree, HS_MLS_KEY_SIGNATURE, signature_key,
                                  HS_MLS_NO_NODE, &node);
    HS_REQUIRE(found, hs_mls_state_error(&pub->now, HS_ERR_NOT_FOUND));
    return hs_mls_public_member(pub, node / 2, member);
}

enum hs_err hs_mls_public_tree(const struct hs_mls_public *pub, struct hs_writer *out)
{
    hs_mls_tree_write(&pub->now.tree, out);
    return hs_mls_state_error(&pub->now, out->err);
}
