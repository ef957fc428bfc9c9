/* Commits and proposals that a device makes. */
#include "peer.h"

#include <string.h>

/* A new signature key, which counts once it is merged. */
static enum hs_err next_signer(struct call *c, const struct hs_mls_signer **out)
{
    struct device *d = c->device;
    *out = NULL;
    if (!call_flag(c, "new_signature_key"))
        return HS_OK;
    HS_TRY(hs_mls_signer_random(d->signer.suite, &d->next_signer));
    *out = &d->next_signer;
    return HS_OK;
}

/* {"group": "...", "suite": 1} */
static struct hs_mls_reinit reinit_of(struct call *c)
{
    return (struct hs_mls_reinit){
        .group_id = call_bytes(c, "reinit_group"),
        .version = 1,
        .suite = (uint16_t)call_number(c, "reinit_suite"),
    };
}

static enum hs_err run_commit(struct call *c)
{
    struct hs_writer HS_WRITER commit = hs_writer(CAP), HS_WRITER welcome = hs_writer(CAP);
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    struct hs_mls_commit_request request = {
        .set_extensions = call_has(c, "extensions"),
        .authenticated_data = call_bytes_or_none(c, "authenticated_data"),
        .force_path = call_flag(c, "force_path"),
        .tree_in_welcome = call_flag(c, "tree_in_welcome"),
    };
    request.add_count = call_list(c, "adds", &request.adds);
    request.remove_count = call_leaves(c, "removes", &request.removes);
    request.extension_count = call_extensions(c, "extensions", &request.extensions);
    request.psk_count = call_psk_ids(c, "psks", &request.psks);
    struct hs_mls_reinit reinit;
    if (call_has(c, "reinit_group")) {
        reinit = reinit_of(c);
        request.reinit = &reinit;
    }
    HS_TRY(c->err);
    HS_TRY(next_signer(c, &request.signer));
    struct hs_mls_commit_result result = {.commit = &commit, .welcome = &welcome, .group_info = &info};
    HS_TRY(hs_mls_group_commit(c->device->group, &request, &result));
    HS_TRY(answer_written(c, "commit", &commit));
    HS_TRY(answer_written(c, "welcome", &welcome));
    return answer_written(c, "group_info", &info);
}

static enum hs_err run_accept(struct call *c)
{
    HS_TRY(hs_mls_group_accept(c->device->group));
    device_adopt_signer(c->device);
    return HS_OK;
}

static enum hs_err run_drop(struct call *c)
{
    hs_mls_group_drop(c->device->group);
    return HS_OK;
}

static enum hs_mls_proposal_type type_named(const char *name)
{
    static const struct {
        const char *name;
        enum hs_mls_proposal_type type;
    } names[] = {
        {"add", HS_MLS_ADD}, {"update", HS_MLS_UPDATE}, {"remove", HS_MLS_REMOVE},
        {"psk", HS_MLS_PSK}, {"reinit", HS_MLS_REINIT}, {"extensions", HS_MLS_GROUP_CONTEXT_EXTENSIONS},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i].name) == 0)
            return names[i].type;
    return 0;
}

static enum hs_err proposal_of(struct call *c, struct hs_mls_proposal_request *request)
{
    const struct hs_mls_psk_id *psks;
    *request = (struct hs_mls_proposal_request){
        .type = type_named(call_text(c, "type")),
        .key_package = call_bytes_or_none(c, "key_package"),
        .leaf = call_has(c, "leaf") ? (uint32_t)call_number(c, "leaf") : 0,
        .authenticated_data = call_bytes_or_none(c, "authenticated_data"),
    };
    request->extension_count = call_extensions(c, "extensions", &request->extensions);
    if (call_psk_ids(c, "psks", &psks) > 0)
        request->psk = psks[0];
    if (request->type == HS_MLS_REINIT)
        request->reinit = reinit_of(c);
    return c->err;
}

static enum hs_err run_propose(struct call *c)
{
    struct hs_writer HS_WRITER out = hs_writer(CAP);
    struct hs_mls_proposal_request request;
    HS_TRY(proposal_of(c, &request));
    HS_TRY(next_signer(c, &request.signer));
    HS_TRY(hs_mls_group_propose(c->device->group, &request, &out));
    return answer_written(c, "message", &out);
}

/* From outside: as a newcomer with its own KeyPackage, or as an external sender. */
static enum hs_err run_propose_outside(struct call *c)
{
    struct hs_writer HS_WRITER out = hs_writer(CAP);
    struct hs_mls_proposal_request request;
    struct hs_mls_outsider outsider = {
        .signer = &c->device->signer,
        .newcomer = !call_has(c, "index"),
        .index = call_has(c, "index") ? (uint32_t)call_number(c, "index") : 0,
        .group_id = call_bytes(c, "group"),
        .epoch = call_number(c, "epoch"),
    };
    HS_TRY(proposal_of(c, &request));
    if (outsider.newcomer)
        request.key_package = hs_writer_bytes(&c->device->key_package);
    HS_TRY(hs_mls_outsider_propose(&outsider, &request, &out));
    return answer_written(c, "message", &out);
}

const struct op ops_commit[] = {
    {"commit", MEMBER, run_commit},
    {"accept", MEMBER, run_accept},
    {"drop", MEMBER, run_drop},
    {"propose", MEMBER, run_propose},
    {"propose_outside", DEVICE, run_propose_outside},
    {0},
};
