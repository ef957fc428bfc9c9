/* A member's own commit (RFC 9420, 12.4.1): made, then kept until the orderer has decided. */
#include "mls/group_make.h"

#include <stdlib.h>

static enum hs_err make(const struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                        struct hs_mls_making *making)
{
    making->pub = group->pub;
    making->suite = group->suite;
    making->content = hs_mls_group_content(group, HS_MLS_COMMIT, request->authenticated_data);
    making->format = hs_mls_group_format(group);
    making->signer = &group->signer;
    making->after = request->signer != NULL ? request->signer : &group->signer;
    making->psks =
        (struct hs_mls_psk_source){.group = group, .list = group->psks.list, .count = group->psks.count};
    making->keys = group->path;
    making->bare_group_info = request->bare_group_info;
    making->inputs.init = group->epoch.init;
    HS_TRY(hs_mls_group_compose(group, request, &making->list));
    HS_TRY(hs_mls_make_proposals(making));
    if (request->force_path || request->identity.len > 0 || request->signer != NULL ||
        making->staged->path_required)
        HS_TRY(hs_mls_make_path(making, hs_mls_tree_leaf(&making->staged->before.tree, group->own),
                                request->identity));
    else
        hs_mls_path_keys_prune(&making->staged->next.tree, group->own, &making->keys);
    return hs_mls_make_commit(making);
}

/* The framed message, and what goes with it. */
struct framed {
    struct hs_writer message, authed;
    struct hs_mls_ratchet *turned; /* of a PrivateMessage */
};

static void framed_free(struct framed *framed)
{
    hs_writer_free(&framed->message);
    hs_writer_free(&framed->authed);
    hs_mls_ratchet_free(framed->turned);
}

static enum hs_err frame(const struct hs_mls_group *group, const struct hs_mls_making *making,
                         struct framed *framed)
{
    if (making->format == HS_MLS_PUBLIC_MESSAGE)
        return hs_mls_group_frame(group, &making->authed, &framed->message);
    HS_TRY(hs_mls_group_seal(group, &making->authed, group->settings.padding, &framed->turned,
                             &framed->message));
    hs_mls_write_authed(&framed->authed, &making->authed);
    return framed->authed.err;
}

static enum hs_err copy(const struct hs_writer *from, struct hs_mls_blob **out)
{
    if (from->len == 0)
        return HS_OK;
    *out = hs_mls_blob_new(hs_writer_bytes(from));
    return *out != NULL ? HS_OK : HS_ERR_NOMEM;
}

/* What has to be copied, and the ratchet's place: the last things that can fail. */
static enum hs_err reserve(struct hs_mls_group *group, struct framed *framed, struct hs_mls_pending *pending)
{
    struct hs_mls_ratchet *turned = framed->turned;
    HS_TRY(copy(&framed->message, &pending->message));
    HS_TRY(copy(&framed->authed, &pending->authed));
    framed->turned = NULL;
    return turned != NULL ? hs_mls_ratchet_put(group->now.secrets, turned) : HS_OK;
}

static enum hs_err keep(struct hs_mls_group *group, struct hs_mls_making *making, struct framed *framed)
{
    struct hs_mls_pending *pending = calloc(1, sizeof *pending);
    HS_REQUIRE(pending != NULL, HS_ERR_NOMEM);
    enum hs_err err = reserve(group, framed, pending);
    if (err != HS_OK) {
        hs_mls_pending_free(pending);
        return err;
    }
    pending->psk = making->inputs.psk;
    pending->has_path = making->has_path;
    pending->start = making->secrets.start;
    if (making->has_path)
        pending->leaf = making->keys.priv[0];
    if (making->after != making->signer)
        pending->signer = *making->after;
    pending->staged = making->staged;
    making->staged = NULL;
    hs_mls_secret_wipe(&pending->staged->secrets->joiner);
    group->pending = pending;
    group->saved.pending = false;
    return HS_OK;
}

enum hs_err hs_mls_group_commit(struct hs_mls_group *group, const struct hs_mls_commit_request *request,
                                const struct hs_mls_commit_result *result)
{
    struct hs_mls_making HS_MLS_MAKING making = hs_mls_making();
    struct framed HS_AUTO(framed_free)
        framed = {.message = hs_writer(HS_MLS_MAX_MESSAGE), .authed = hs_writer(HS_MLS_MAX_MESSAGE)};
    HS_TRY(hs_mls_group_can_send(group));
    HS_REQUIRE(!hs_mls_group_has_pending(group), HS_ERR_INVALID_STATE);
    HS_REQUIRE(request->signer == NULL || request->signer->suite == group->suite, HS_ERR_INVALID_ARG);
    HS_TRY(make(group, request, &making));
    HS_TRY(frame(group, &making, &framed));
    HS_TRY(framed.message.err);
    if (result->commit != NULL) {
        hs_write_bytes(result->commit, hs_writer_bytes(&framed.message));
        HS_TRY(result->commit->err);
    }
    HS_TRY(hs_mls_make_results(&making, request->tree_in_welcome, result));
    return keep(group, &making, &framed);
}
