/* Messages that come in, and posts that go out. */
#include "peer.h"

#include <stdlib.h>

static json_t *json_members(const struct hs_mls_change *change, bool added)
{
    json_t *list = json_array();
    for (size_t i = 0; added && i < change->added_count; i++)
        json_array_append_new(list, json_bytes(change->added[i].member.identity));
    for (size_t i = 0; !added && i < change->removed_count; i++)
        json_array_append_new(list, json_bytes(change->removed[i].member.identity));
    return list;
}

/* What the policy of an application gets to see of a commit before it is merged. */
static void answer_change(struct call *c, const struct hs_mls_change *change)
{
    answer_number(c, "epoch", change->epoch);
    answer_bytes(c, "committer", change->committer.identity);
    answer_flag(c, "external", change->external);
    answer_flag(c, "resync", change->resync);
    answer_flag(c, "has_path", change->has_path);
    answer_flag(c, "removed", change->removes_self);
    answer_flag(c, "reinit", change->reinit_proposed);
    answer_number(c, "psks", change->psk_count);
    json_object_set_new(c->out, "added", json_members(change, true));
    json_object_set_new(c->out, "gone", json_members(change, false));
}

static enum hs_err answer_event(struct call *c, struct hs_mls_event *event)
{
    struct hs_mls_group *group = c->device->group;
    answer_number(c, "message_epoch", event->epoch);
    if (event->sender.identity.len > 0)
        answer_bytes(c, "sender", event->sender.identity);
    switch (event->kind) {
    case HS_MLS_EVENT_APPLICATION:
        json_object_set_new(c->out, "kind", json_string("application"));
        answer_bytes(c, "data", event->plaintext);
        return HS_OK;
    case HS_MLS_EVENT_PROPOSAL:
        json_object_set_new(c->out, "kind", json_string("proposal"));
        answer_number(c, "type", event->proposal.type);
        return HS_OK;
    case HS_MLS_EVENT_COMMIT:
        json_object_set_new(c->out, "kind", json_string("commit"));
        answer_change(c, hs_mls_staged_change(event->staged));
        if (call_flag(c, "look"))
            return HS_OK;
        HS_TRY(hs_mls_group_merge(group, event->staged));
        device_adopt_signer(c->device);
        return HS_OK;
    case HS_MLS_EVENT_OWN_COMMIT:
        json_object_set_new(c->out, "kind", json_string("own commit"));
        return HS_OK;
    }
    return HS_ERR_UNSUPPORTED;
}

/* With "look", a commit is checked but not merged. */
static enum hs_err run_process(struct call *c)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_bytes message = call_bytes(c, "message");
    HS_TRY(c->err);
    HS_TRY(hs_mls_group_process(c->device->group, message, &event));
    return answer_event(c, event);
}

static enum hs_err run_protect(struct call *c)
{
    struct hs_writer HS_WRITER out = hs_writer(CAP);
    struct hs_bytes data = call_bytes(c, "data"), ad = call_bytes_or_none(c, "authenticated_data");
    uint32_t padding = call_has(c, "padding") ? (uint32_t)call_number(c, "padding") : 0;
    HS_TRY(c->err);
    HS_TRY(hs_mls_group_protect(c->device->group, data, ad, padding, &out));
    return answer_written(c, "message", &out);
}

static enum hs_err run_settle(struct call *c)
{
    struct hs_mls_group *group = c->device->group;
    return hs_mls_group_is_unsettled(group) ? hs_mls_group_settle(group) : HS_OK;
}

static enum hs_err run_revert(struct call *c)
{
    return hs_mls_group_revert(c->device->group);
}

/* Saves the group, forgets it and loads it again, as after a crash. */
static enum hs_err run_restart(struct call *c)
{
    struct device *d = c->device;
    struct hs_mls_signer signers[] = {d->signer, d->next_signer};
    if (d->records == NULL)
        d->records = mls_store_new();
    HS_TRY(hs_mls_group_save(d->group, &d->records->store));
    answer_number(c, "records", d->records->records);
    hs_mls_group_free_at(&d->group);
    HS_TRY(hs_mls_group_load(&d->records->store, signers, d->next_signer.suite != NULL ? 2 : 1, &d->group));
    const struct hs_mls_psk *psks;
    size_t count = device_psks(c, &psks);
    return hs_mls_group_set_psks(d->group, psks, count);
}

const struct op ops_process[] = {
    {"process", MEMBER, run_process}, {"protect", MEMBER, run_protect}, {"settle", MEMBER, run_settle},
    {"revert", MEMBER, run_revert},   {"restart", MEMBER, run_restart}, {0},
};
