/* Ways into a group: created, by Welcome, by an external commit, as the successor of another. */
#include "peer.h"

static enum hs_err enter(struct call *c, struct hs_mls_group *group)
{
    const struct hs_mls_psk *psks;
    size_t count = device_psks(c, &psks);
    mls_store_free_at(&c->device->records);
    c->device->group = group;
    return hs_mls_group_set_psks(group, psks, count);
}

static enum hs_err run_create(struct call *c)
{
    struct hs_mls_group *group = NULL;
    struct hs_mls_create create = {.group_id = call_bytes(c, "group"), .settings = c->device->settings};
    create.extension_count = call_extensions(c, "extensions", &create.extensions);
    HS_TRY(c->err);
    HS_TRY(device_leaf(c, &create.leaf));
    HS_TRY(hs_mls_group_create(&create, &group));
    return enter(c, group);
}

static enum hs_err run_join_welcome(struct call *c)
{
    struct device *d = c->device;
    struct hs_mls_group *group = NULL;
    struct hs_mls_join join = {
        .welcome = call_bytes(c, "welcome"),
        .key_package = hs_writer_bytes(&d->key_package),
        .priv = &d->priv,
        .signer = &d->signer,
        .tree = call_bytes_or_none(c, "tree"),
        .from = d->former,
        .settings = d->settings,
    };
    join.psk_count = device_psks(c, &join.psks);
    HS_TRY(c->err);
    HS_TRY(hs_mls_group_join(&join, &group));
    hs_mls_key_package_private_wipe(&d->priv);
    answer_number(c, "inviter", hs_mls_group_inviter(group));
    return enter(c, group);
}

static enum hs_err run_join_external(struct call *c)
{
    struct device *d = c->device;
    struct hs_writer HS_WRITER commit = hs_writer(CAP), HS_WRITER info = hs_writer(CAP);
    struct hs_mls_external_join join = {
        .group_info = call_bytes(c, "group_info"),
        .tree = call_bytes_or_none(c, "tree"),
        .resync = call_flag(c, "resync"),
        .authenticated_data = call_bytes_or_none(c, "authenticated_data"),
        .settings = d->settings,
    };
    join.psk_count = device_psks(c, &join.psks);
    join.psk_id_count = call_psk_ids(c, "psks", &join.psk_ids);
    HS_TRY(c->err);
    HS_TRY(device_leaf(c, &join.leaf));
    hs_mls_group_free_at(&d->joining);
    struct hs_mls_commit_result result = {.commit = &commit, .group_info = &info};
    HS_TRY(hs_mls_group_join_external(&join, &result, &d->joining));
    HS_TRY(answer_written(c, "commit", &commit));
    return answer_written(c, "group_info", &info);
}

/* The hub has decided about the external commit. */
static enum hs_err run_joined(struct call *c)
{
    struct device *d = c->device;
    HS_REQUIRE(d->joining != NULL, HS_ERR_INVALID_STATE);
    if (!call_flag(c, "accepted")) {
        hs_mls_group_free_at(&d->joining);
        return HS_OK;
    }
    struct hs_mls_group *group = d->joining;
    d->joining = NULL;
    hs_mls_group_free_at(&d->group);
    return enter(c, group);
}

/* A ReInit's new group, or a branch. The old group is kept as the former one. */
static enum hs_err run_succeed(struct call *c)
{
    struct device *d = c->device;
    struct hs_mls_group *group = NULL;
    struct hs_writer HS_WRITER welcome = hs_writer(CAP);
    bool branch = call_flag(c, "branch");
    struct hs_mls_successor successor = {
        .from = d->group,
        .usage = branch ? HS_MLS_PSK_BRANCH : HS_MLS_PSK_REINIT,
        .group_id = call_bytes_or_none(c, "group"),
        .tree_in_welcome = true,
        .settings = d->settings,
    };
    successor.add_count = call_list(c, "adds", &successor.adds);
    successor.extension_count = call_extensions(c, "extensions", &successor.extensions);
    HS_TRY(c->err);
    HS_TRY(device_leaf(c, &successor.leaf));
    HS_TRY(hs_mls_group_succeed(&successor, &welcome, &group));
    device_keep_former(d);
    HS_TRY(enter(c, group));
    return answer_written(c, "welcome", &welcome);
}

const struct op ops_join[] = {
    {"create", DEVICE, run_create},
    {"join_welcome", DEVICE, run_join_welcome},
    {"join_external", DEVICE, run_join_external},
    {"joined", DEVICE, run_joined},
    {"succeed", MEMBER, run_succeed},
    {0},
};
