/* What a member knows: epoch, members, what all must agree on. */
#include "peer.h"

static json_t *json_group_members(const struct hs_mls_public *group)
{
    struct hs_mls_member member;
    json_t *list = json_array();
    for (uint32_t leaf = 0; hs_mls_public_member_next(group, &leaf, &member);) {
        json_t *item = json_object();
        json_object_set_new(item, "leaf", json_integer(member.leaf));
        json_object_set_new(item, "identity", json_bytes(member.identity));
        json_object_set_new(item, "key", json_bytes(member.signature_key));
        json_array_append_new(list, item);
    }
    return list;
}

static void answer_public(struct call *c, const struct hs_mls_public *group)
{
    answer_number(c, "epoch", hs_mls_public_epoch(group));
    answer_bytes(c, "tree_hash", hs_mls_public_tree_hash(group));
    answer_bytes(c, "context", hs_mls_public_context(group));
    json_object_set_new(c->out, "members", json_group_members(group));
}

static enum hs_err run_view(struct call *c)
{
    const struct hs_mls_group *group = c->device->group;
    struct hs_mls_secret HS_MLS_SECRET authenticator = hs_mls_group_authenticator(group);
    answer_public(c, hs_mls_group_public(group));
    answer_bytes(c, "authenticator", HS_MLS_VIEW(authenticator));
    answer_number(c, "own_leaf", hs_mls_group_own_leaf(group));
    answer_flag(c, "unsettled", hs_mls_group_is_unsettled(group));
    answer_flag(c, "removed", hs_mls_group_is_removed(group));
    return HS_OK;
}

static enum hs_err run_export(struct call *c)
{
    uint8_t out[256];
    const char *label = call_text(c, "label");
    struct hs_bytes context = call_bytes(c, "context");
    uint64_t len = call_number(c, "length");
    HS_TRY(c->err);
    HS_REQUIRE(len <= sizeof out, HS_ERR_TOO_LARGE);
    HS_TRY(hs_mls_group_export(c->device->group, label, context, out, (size_t)len));
    answer_bytes(c, "secret", hs_bytes(out, (size_t)len));
    return HS_OK;
}

static enum hs_err run_group_info(struct call *c)
{
    struct hs_writer HS_WRITER out = hs_writer(CAP);
    HS_TRY(hs_mls_group_info(c->device->group, true, &out));
    return answer_written(c, "message", &out);
}

static enum hs_err run_tree(struct call *c)
{
    struct hs_writer HS_WRITER out = hs_writer(CAP);
    HS_TRY(hs_mls_public_tree(hs_mls_group_public(c->device->group), &out));
    return answer_written(c, "tree", &out);
}

/* The data of the external_senders extension that names this device. */
static enum hs_err run_external_senders(struct call *c)
{
    struct hs_writer HS_WRITER out = hs_writer(CAP);
    const struct hs_mls_external_sender sender = {
        .signature_key = HS_MLS_VIEW(c->device->signer.pub),
        .credential_type = HS_MLS_BASIC,
        .identity = hs_bytes_str(c->device->name),
    };
    HS_TRY(hs_mls_external_senders_write(&sender, 1, &out));
    answer_bytes(c, "key", sender.signature_key);
    return answer_written(c, "extension", &out);
}

static enum hs_err run_hub_new(struct call *c)
{
    struct hub *hub = &c->peer->hub;
    struct hs_bytes info = call_bytes(c, "group_info");
    HS_TRY(c->err);
    hs_mls_public_free_at(&hub->group);
    mls_store_free_at(&hub->records);
    return hs_mls_public_new(info, (struct hs_bytes){0}, &hub->group);
}

/* Follows; a commit must lead to what the GroupInfo beside it says. */
static enum hs_err run_hub_process(struct call *c)
{
    struct hs_mls_public *group = c->peer->hub.group;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_bytes message = call_bytes(c, "message"), info = call_bytes_or_none(c, "group_info");
    HS_TRY(c->err);
    HS_REQUIRE(group != NULL, HS_ERR_INVALID_STATE);
    HS_TRY(hs_mls_public_process(group, message, &event));
    if (event->kind != HS_MLS_EVENT_COMMIT)
        return HS_OK;
    if (info.len > 0)
        HS_TRY(hs_mls_staged_matches(event->staged, info));
    return hs_mls_public_merge(group, event->staged);
}

static enum hs_err run_hub_restart(struct call *c)
{
    struct hub *hub = &c->peer->hub;
    HS_REQUIRE(hub->group != NULL, HS_ERR_INVALID_STATE);
    if (hub->records == NULL)
        hub->records = mls_store_new();
    HS_TRY(hs_mls_public_save(hub->group, &hub->records->store));
    hs_mls_public_free_at(&hub->group);
    return hs_mls_public_load(&hub->records->store, &hub->group);
}

static enum hs_err run_hub_view(struct call *c)
{
    HS_REQUIRE(c->peer->hub.group != NULL, HS_ERR_INVALID_STATE);
    answer_public(c, c->peer->hub.group);
    return HS_OK;
}

const struct op ops_view[] = {
    {"view", MEMBER, run_view},
    {"export", MEMBER, run_export},
    {"group_info", MEMBER, run_group_info},
    {"tree", MEMBER, run_tree},
    {"external_senders", DEVICE, run_external_senders},
    {0},
};

const struct op ops_hub[] = {
    {"hub_new", ANY, run_hub_new},
    {"hub_process", ANY, run_hub_process},
    {"hub_restart", ANY, run_hub_restart},
    {"hub_view", ANY, run_hub_view},
    {0},
};
