/* A member's group: its life, its store, what can be asked of it. */
#include "mls_api/api.h"

#include <stdlib.h>

enum hs_err hs_mls_api_group_new(struct hs_mls_group *inner, struct hanse_mls_group **out)
{
    struct hanse_mls_group *group = calloc(1, sizeof *group);
    if (group == NULL) {
        hs_mls_group_free(inner);
        return HS_ERR_NOMEM;
    }
    group->inner = inner;
    group->pub.group = group;
    *out = group;
    return HS_OK;
}

void hanse_mls_group_free(struct hanse_mls_group *group)
{
    if (group != NULL)
        hs_mls_group_free(group->inner);
    free(group);
}

static enum hs_err save(struct hanse_mls_group *group, const struct hanse_mls_store *store)
{
    HS_TRY(hs_mls_api_store_set(&group->store, store));
    return hs_mls_group_save(group->inner, &group->store.inner);
}

enum hanse_err hanse_mls_group_save(struct hanse_mls_group *group, const struct hanse_mls_store *store)
{
    return hs_mls_api_err(save(group, store));
}

/* The stage wants the signers side by side. */
static enum hs_err copy_signers(const struct hanse_mls_signer *const *from, size_t count,
                                struct hs_mls_signer **out)
{
    struct hs_mls_signer *signers = calloc(count + 1, sizeof *signers);
    HS_REQUIRE(signers != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < count; i++)
        signers[i] = *hs_mls_api_signer(from[i]);
    *out = signers;
    return HS_OK;
}

static enum hs_err load_inner(struct hanse_mls_group *group, const struct hanse_mls_store *store,
                              const struct hanse_mls_signer *const *from, size_t count)
{
    struct hs_mls_signer *signers;
    HS_TRY(hs_mls_api_store_set(&group->store, store));
    HS_TRY(copy_signers(from, count, &signers));
    enum hs_err err = hs_mls_group_load(&group->store.inner, signers, count, &group->inner);
    hs_wipe(signers, count * sizeof *signers);
    free(signers);
    return err;
}

/* The handle comes first: the group reads from the store that is in it. */
static enum hs_err load(const struct hanse_mls_store *store, const struct hanse_mls_signer *const *signers,
                        size_t count, struct hanse_mls_group **out)
{
    struct hanse_mls_group *group;
    HS_TRY(hs_mls_api_ready());
    HS_TRY(hs_mls_api_group_new(NULL, &group));
    enum hs_err err = load_inner(group, store, signers, count);
    if (err != HS_OK) {
        free(group);
        return err;
    }
    *out = group;
    return HS_OK;
}

enum hanse_err hanse_mls_group_load(const struct hanse_mls_store *store,
                                    const struct hanse_mls_signer *const *signers, size_t signer_count,
                                    struct hanse_mls_group **out)
{
    *out = NULL;
    return hs_mls_api_err(load(store, signers, signer_count, out));
}

static enum hs_err read_from(struct hanse_mls_group *group, const struct hanse_mls_store *store)
{
    HS_REQUIRE(hs_mls_api_store_is_set(&group->store), HS_ERR_INVALID_ARG);
    return hs_mls_api_store_set(&group->store, store);
}

enum hanse_err hanse_mls_group_read_from(struct hanse_mls_group *group, const struct hanse_mls_store *store)
{
    return hs_mls_api_err(read_from(group, store));
}

const struct hanse_mls_public *hanse_mls_group_public(const struct hanse_mls_group *group)
{
    return &group->pub;
}

struct hanse_mls_bytes hanse_mls_group_id(const struct hanse_mls_group *group)
{
    return hs_mls_api_out(hs_mls_group_id(group->inner));
}

uint64_t hanse_mls_group_epoch(const struct hanse_mls_group *group)
{
    return hs_mls_group_epoch(group->inner);
}

uint32_t hanse_mls_group_own_leaf(const struct hanse_mls_group *group)
{
    return hs_mls_group_own_leaf(group->inner);
}

uint32_t hanse_mls_group_inviter(const struct hanse_mls_group *group)
{
    return hs_mls_group_inviter(group->inner);
}

bool hanse_mls_group_is_removed(const struct hanse_mls_group *group)
{
    return hs_mls_group_is_removed(group->inner);
}

static enum hs_err write_info(const struct hs_mls_group *group, bool with_tree, struct hanse_mls_buf *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_group_info(group, with_tree, &w));
    return hs_mls_api_give(&w, out);
}

enum hanse_err hanse_mls_group_info(const struct hanse_mls_group *group, bool with_tree,
                                    struct hanse_mls_buf *out)
{
    *out = (struct hanse_mls_buf){0};
    return hs_mls_api_err(write_info(group->inner, with_tree, out));
}

struct hanse_mls_hash hanse_mls_group_authenticator(const struct hanse_mls_group *group)
{
    struct hs_mls_secret HS_MLS_SECRET secret = hs_mls_group_authenticator(group->inner);
    struct hanse_mls_hash out = {0};
    HS_ASSERT(hs_mls_set(HS_MLS_VIEW(secret), &out.len, out.v, sizeof out.v));
    return out;
}

static enum hs_err write_resumption(const struct hs_mls_group *group, struct hanse_mls_buf *out)
{
    struct hs_mls_secret HS_MLS_SECRET secret = hs_mls_group_resumption(group);
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_SECRET);
    HS_REQUIRE(!hs_mls_group_is_removed(group), HS_ERR_MLS_REMOVED);
    hs_write_bytes(&w, HS_MLS_VIEW(secret));
    return hs_mls_api_give(&w, out);
}

enum hanse_err hanse_mls_group_resumption(const struct hanse_mls_group *group, struct hanse_mls_buf *secret)
{
    *secret = (struct hanse_mls_buf){0};
    return hs_mls_api_err(write_resumption(group->inner, secret));
}

enum hanse_err hanse_mls_group_export(const struct hanse_mls_group *group, const char *label,
                                      struct hanse_mls_bytes context, uint8_t *out, size_t len)
{
    return hs_mls_api_err(hs_mls_group_export(group->inner, label, hs_mls_api_in(context), out, len));
}
