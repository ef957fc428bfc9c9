/* Messages in and out; proposals, also from outside; PSKs; what is forgotten with time. */
#include "mls_api/api.h"

enum hanse_err hanse_mls_group_process(struct hanse_mls_group *group, struct hanse_mls_bytes message,
                                       struct hanse_mls_event **out)
{
    *out = NULL;
    return hs_mls_api_err(
        hs_mls_group_process(group->inner, hs_mls_api_in(message), (struct hs_mls_event **)out));
}

static enum hs_err protect(struct hs_mls_group *group, struct hs_bytes plaintext, struct hs_bytes data,
                           uint32_t padding, struct hanse_mls_buf *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_group_protect(group, plaintext, data, padding, &w));
    return hs_mls_api_give(&w, out);
}

enum hanse_err hanse_mls_group_protect(struct hanse_mls_group *group, struct hanse_mls_bytes plaintext,
                                       struct hanse_mls_bytes authenticated_data, uint32_t padding,
                                       struct hanse_mls_buf *out)
{
    struct hs_bytes in = hs_mls_api_in(plaintext), data = hs_mls_api_in(authenticated_data);
    *out = (struct hanse_mls_buf){0};
    return hs_mls_api_err(protect(group->inner, in, data, padding, out));
}

static enum hs_err propose(struct hs_mls_group *group, const struct hanse_mls_propose *from,
                           struct hanse_mls_buf *out)
{
    struct hs_mls_proposal_request request;
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_api_propose(from, &request));
    HS_TRY(hs_mls_group_propose(group, &request, &w));
    return hs_mls_api_give(&w, out);
}

enum hanse_err hanse_mls_group_propose(struct hanse_mls_group *group, const struct hanse_mls_propose *request,
                                       struct hanse_mls_buf *out)
{
    *out = (struct hanse_mls_buf){0};
    return hs_mls_api_err(propose(group->inner, request, out));
}

static enum hs_err propose_outside(const struct hanse_mls_outsider *from,
                                   const struct hanse_mls_propose *proposal, struct hanse_mls_buf *out)
{
    struct hanse_mls_outsider given;
    struct hs_mls_proposal_request request;
    struct hs_writer HS_WRITER w = hs_writer(HS_MLS_MAX_MESSAGE);
    HS_TRY(hs_mls_api_take(&given, sizeof given, from));
    HS_REQUIRE(given.signer != NULL, HS_ERR_INVALID_ARG);
    HS_TRY(hs_mls_api_propose(proposal, &request));
    struct hs_mls_outsider outsider = {
        .signer = hs_mls_api_signer(given.signer),
        .newcomer = given.newcomer,
        .index = given.index,
        .group_id = hs_mls_api_in(given.group_id),
        .epoch = given.epoch,
    };
    HS_TRY(hs_mls_outsider_propose(&outsider, &request, &w));
    return hs_mls_api_give(&w, out);
}

enum hanse_err hanse_mls_outsider_propose(const struct hanse_mls_outsider *outsider,
                                          const struct hanse_mls_propose *request, struct hanse_mls_buf *out)
{
    *out = (struct hanse_mls_buf){0};
    return hs_mls_api_err(propose_outside(outsider, request, out));
}

enum hanse_err hanse_mls_group_drop_proposal(struct hanse_mls_group *group, struct hanse_mls_bytes ref)
{
    return hs_mls_api_err(hs_mls_group_drop_proposal(group->inner, hs_mls_api_in(ref)));
}

enum hanse_err hanse_mls_group_set_psks(struct hanse_mls_group *group, const struct hanse_mls_psk *psks,
                                        size_t count)
{
    return hs_mls_api_err(hs_mls_group_set_psks(group->inner, (const struct hs_mls_psk *)psks, count));
}

void hanse_mls_group_drop_past(struct hanse_mls_group *group)
{
    hs_mls_group_drop_past(group->inner);
}

void hanse_mls_group_expire(struct hanse_mls_group *group, uint64_t now)
{
    hs_mls_group_expire(group->inner, now);
}
