/* Commits: one's own on their way, everybody's into the group. */
#include "mls_api/api.h"

static enum hs_err make(struct hs_mls_group *group, const struct hanse_mls_commit *from,
                        const struct hs_mls_commit_result *result)
{
    struct hanse_mls_commit given;
    HS_TRY(hs_mls_api_take(&given, sizeof given, from));
    struct hs_mls_commit_request request = {
        .adds = (const struct hs_bytes *)given.adds,
        .add_count = given.add_count,
        .removes = given.removes,
        .remove_count = given.remove_count,
        .set_extensions = given.set_extensions,
        .extensions = (const struct hs_mls_extension *)given.extensions,
        .extension_count = given.extension_count,
        .authenticated_data = hs_mls_api_in(given.authenticated_data),
        .force_path = given.force_path,
        .tree_in_welcome = given.tree_in_welcome,
        .identity = hs_mls_api_in(given.identity),
        .signer = hs_mls_api_signer(given.signer),
        .psks = (const struct hs_mls_psk_id *)given.psks,
        .psk_count = given.psk_count,
    };
    struct hs_mls_reinit reinit;
    if (given.reinit != NULL) {
        reinit = hs_mls_api_reinit(given.reinit);
        request.reinit = &reinit;
    }
    return hs_mls_group_commit(group, &request, result);
}

/* out may be NULL: then nothing is written, and nothing given. */
static enum hs_err make_and_give(struct hs_mls_group *group, const struct hanse_mls_commit *request,
                                 struct hanse_mls_buf *const out[3])
{
    struct hs_writer HS_WRITER commit = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_writer HS_WRITER welcome = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_writer HS_WRITER info = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_writer *writers[3] = {&commit, &welcome, &info};
    struct hs_mls_commit_result result = {.commit = out[0] != NULL ? &commit : NULL,
                                          .welcome = out[1] != NULL ? &welcome : NULL,
                                          .group_info = out[2] != NULL ? &info : NULL};
    HS_TRY(make(group, request, &result));
    for (size_t i = 0; i < 3; i++)
        HS_TRY(writers[i]->err);
    for (size_t i = 0; i < 3; i++)
        if (out[i] != NULL)
            HS_TRY(hs_mls_api_give(writers[i], out[i]));
    return HS_OK;
}

enum hanse_err hanse_mls_group_commit(struct hanse_mls_group *group, const struct hanse_mls_commit *request,
                                      struct hanse_mls_buf *commit, struct hanse_mls_buf *welcome,
                                      struct hanse_mls_buf *group_info)
{
    struct hanse_mls_buf *const out[3] = {commit, welcome, group_info};
    for (size_t i = 0; i < 3; i++)
        if (out[i] != NULL)
            *out[i] = (struct hanse_mls_buf){0};
    return hs_mls_api_err(make_and_give(group->inner, request, out));
}

struct hanse_mls_bytes hanse_mls_group_pending(const struct hanse_mls_group *group)
{
    return hs_mls_api_out(hs_mls_group_pending_message(group->inner));
}

const struct hanse_mls_change *hanse_mls_group_pending_change(const struct hanse_mls_group *group)
{
    return (const struct hanse_mls_change *)hs_mls_group_pending_change(group->inner);
}

enum hanse_err hanse_mls_group_accept(struct hanse_mls_group *group)
{
    return hs_mls_api_err(hs_mls_group_accept(group->inner));
}

void hanse_mls_group_drop(struct hanse_mls_group *group)
{
    hs_mls_group_drop(group->inner);
}

enum hanse_err hanse_mls_group_merge(struct hanse_mls_group *group, struct hanse_mls_staged *staged)
{
    if (staged == NULL)
        return HANSE_ERR_INVALID_ARG;
    return hs_mls_api_err(hs_mls_group_merge(group->inner, (struct hs_mls_staged *)staged));
}

bool hanse_mls_group_is_unsettled(const struct hanse_mls_group *group)
{
    return hs_mls_group_is_unsettled(group->inner);
}

enum hanse_err hanse_mls_group_settle(struct hanse_mls_group *group)
{
    return hs_mls_api_err(hs_mls_group_settle(group->inner));
}

enum hanse_err hanse_mls_group_revert(struct hanse_mls_group *group)
{
    return hs_mls_api_err(hs_mls_group_revert(group->inner));
}
