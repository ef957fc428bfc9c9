/* Messages that come in to a member (RFC 9420, 6). */
#include "mls/member.h"

static enum hs_err handle_handshake(struct hs_mls_group *group, const struct hs_mls_authed *authed,
                                    struct hs_mls_event **out)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    HS_TRY(hs_mls_event_new(&group->pub->now.tree, authed, &event));
    if (authed->content.type == HS_MLS_PROPOSAL)
        HS_TRY(hs_mls_public_keep(group->pub, authed, event));
    else
        HS_TRY(hs_mls_group_stage(group, authed, &event->staged));
    *out = event;
    event = NULL;
    return HS_OK;
}

/* One's own pending commit came back. */
static enum hs_err own_commit(const struct hs_mls_group *group, struct hs_mls_event **out)
{
    struct hs_mls_authed authed;
    HS_TRY(hs_mls_pending_read(group, &authed));
    HS_TRY(hs_mls_event_new(&group->pub->now.tree, &authed, out));
    (*out)->kind = HS_MLS_EVENT_OWN_COMMIT;
    return HS_OK;
}

static enum hs_err process_public(struct hs_mls_group *group, struct hs_bytes message,
                                  struct hs_mls_event **out)
{
    struct hs_mls_public_message m;
    HS_REQUIRE(!group->removed, HS_ERR_MLS_REMOVED);
    HS_TRY(hs_mls_public_read(group->pub, message, &m));
    HS_TRY(hs_mls_group_can_send(group));
    if (m.authed.content.sender.type == HS_MLS_SENDER_MEMBER)
        HS_TRY(hs_mls_membership_check(group->suite, &group->epoch.membership, &m,
                                       hs_mls_public_context(group->pub)));
    HS_TRY(hs_mls_public_verify(group->pub, &m.authed));
    return handle_handshake(group, &m.authed, out);
}

bool hs_mls_group_is_own_commit(const struct hs_mls_group *group, struct hs_bytes message)
{
    struct hs_mls_public_message m;
    if (hs_mls_public_read(group->pub, message, &m) != HS_OK)
        return false;
    const struct hs_mls_author *sender = &m.authed.content.sender;
    return m.authed.content.type == HS_MLS_COMMIT && sender->type == HS_MLS_SENDER_MEMBER &&
           sender->index == group->own &&
           hs_mls_membership_check(group->suite, &group->epoch.membership, &m,
                                   hs_mls_public_context(group->pub)) == HS_OK &&
           hs_mls_public_verify(group->pub, &m.authed) == HS_OK;
}

/* A post that nobody may send costs no decryption: its length, padding, signature and tag hide no more. */
static enum hs_err check_size(const struct hs_mls_private_message *m)
{
    const size_t most = (size_t)HS_MLS_MAX_APPLICATION + HS_MLS_MAX_PADDING + HS_MLS_MAX_SIGNATURE +
                        HS_MLS_TAG_LEN + 2 * sizeof(uint32_t);
    return m->type != HS_MLS_APPLICATION || m->ciphertext.len <= most ? HS_OK : HS_ERR_TOO_LARGE;
}

/* The keys of the message's epoch; past ones for application messages only. */
static enum hs_err find_epoch(struct hs_mls_group *group, const struct hs_mls_private_message *m,
                              struct hs_mls_epoch_keys **out)
{
    uint64_t current = hs_mls_group_epoch(group);
    *out = &group->now;
    if (m->epoch == current)
        return hs_mls_group_can_send(group);
    HS_REQUIRE(!group->removed || m->epoch < current, HS_ERR_MLS_REMOVED);
    for (size_t i = 0; i < group->past_count && m->type == HS_MLS_APPLICATION; i++) {
        *out = &group->past[i];
        if (group->past[i].epoch == m->epoch)
            return hs_mls_past_open(group, *out);
    }
    return HS_ERR_MLS_EPOCH;
}

/* Decrypts and verifies with the tree and context of the message's epoch; the turned ratchet isn't put back
 * yet. */
static enum hs_err open_private(const struct hs_mls_group *group, const struct hs_mls_private_message *m,
                                const struct hs_mls_epoch_keys *keys, struct hs_writer *plain,
                                struct hs_mls_authed *authed, struct hs_mls_ratchet **ratchet,
                                uint32_t *generation)
{
    struct hs_mls_sender_data sender;
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key = {0};
    enum hs_mls_ratchet_kind kind =
        m->type == HS_MLS_APPLICATION ? HS_MLS_RATCHET_APPLICATION : HS_MLS_RATCHET_HANDSHAKE;
    HS_TRY(hs_mls_sender_open(group->suite, m, &keys->sender_data, &sender));
    *generation = sender.generation;
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&keys->tree, sender.leaf);
    HS_TRY(hs_mls_tree_error(&keys->tree));
    HS_REQUIRE(leaf != NULL, HS_ERR_NOT_MEMBER);
    /* One's own are read where this group hasn't used their key: it is an old copy of what sent them. */
    HS_REQUIRE(sender.leaf != group->own || m->type == HS_MLS_APPLICATION, HS_ERR_MLS_GENERATION);
    HS_TRY(hs_mls_ratchet_take(keys->secrets, sender.leaf, kind, ratchet));
    HS_TRY(hs_mls_ratchet_find(*ratchet, sender.generation, group->settings.out_of_order,
                               group->settings.forward, &key));
    HS_TRY(hs_mls_private_open(group->suite, m, &sender, &key, plain, authed));
    return hs_mls_content_verify(group->suite, hs_mls_leaf_signature_key(leaf), authed,
                                 hs_mls_blob_bytes(keys->context));
}

static enum hs_err make_event(struct hs_mls_group *group, const struct hs_mls_epoch_keys *keys,
                              const struct hs_mls_authed *authed, struct hs_mls_event **out)
{
    if (authed->content.type != HS_MLS_APPLICATION)
        return handle_handshake(group, authed, out);
    HS_REQUIRE(authed->content.application.len <= HS_MLS_MAX_APPLICATION, HS_ERR_TOO_LARGE);
    HS_TRY(hs_mls_event_new(&keys->tree, authed, out));
    enum hs_err err = hs_mls_event_copy(*out, authed->content.application, &(*out)->plaintext);
    if (err != HS_OK)
        hs_mls_event_free_at(out);
    return err;
}

static enum hs_err process_private(struct hs_mls_group *group, struct hs_reader *r, struct hs_mls_event **out)
{
    struct hs_mls_private_message m;
    struct hs_mls_authed authed;
    struct hs_mls_epoch_keys *keys;
    uint32_t generation;
    struct hs_mls_ratchet HS_MLS_RATCHET *ratchet = NULL;
    struct hs_writer HS_WRITER plain = hs_writer(HS_MLS_MAX_MESSAGE);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    hs_mls_read_private_message(r, &m);
    HS_TRY(hs_reader_finish(r));
    HS_REQUIRE(hs_bytes_equal(m.group_id, hs_mls_group_id(group)), HS_ERR_MLS_GROUP);
    HS_TRY(check_size(&m));
    HS_TRY(find_epoch(group, &m, &keys));
    HS_TRY(open_private(group, &m, keys, &plain, &authed, &ratchet, &generation));
    HS_TRY(make_event(group, keys, &authed, &event));
    struct hs_mls_ratchet *turned = ratchet;
    ratchet = NULL;
    if (event->staged != NULL) { /* until it is merged, it may have to be staged again */
        event->staged->secrets->turned = turned;
        event->staged->secrets->generation = generation;
    } else {
        HS_TRY(hs_mls_ratchet_put(keys->secrets, turned));
    }
    *out = event;
    event = NULL;
    return HS_OK;
}

enum hs_err hs_mls_group_process(struct hs_mls_group *group, struct hs_bytes message,
                                 struct hs_mls_event **out)
{
    struct hs_reader r = hs_reader(message);
    HS_REQUIRE(message.len <= HS_MLS_MAX_MESSAGE, HS_ERR_TOO_LARGE);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_TRY(r.err);
    if (hs_mls_group_has_pending(group) && hs_bytes_equal(message, hs_mls_group_pending_message(group)))
        return own_commit(group, out);
    if (format == HS_MLS_PUBLIC_MESSAGE)
        return process_public(group, message, out);
    HS_REQUIRE(format == HS_MLS_PRIVATE_MESSAGE, HS_ERR_UNEXPECTED);
    return process_private(group, &r, out);
}
