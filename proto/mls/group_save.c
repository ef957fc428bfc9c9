/* A member's group as bytes and back. Version 1: the public state, one's own part, the epochs' message keys,
 * one's Updates, the pending commit. Past trees are stored as what differs from the current one's leaves. */
#include "mls/member.h"

#include <stdlib.h>

enum { SAVED_VERSION = 1 };

static void write_path(struct hs_writer *w, const struct hs_mls_path_keys *path)
{
    for (size_t level = 0; level < HS_MLS_MAX_DEPTH; level++) {
        hs_write_u8(w, path->have[level] ? 1 : 0);
        if (path->have[level])
            hs_write_bytes(w, HS_VIEW(path->priv[level]));
    }
}

static void read_path(struct hs_reader *r, struct hs_mls_path_keys *path)
{
    for (size_t level = 0; level < HS_MLS_MAX_DEPTH; level++) {
        path->have[level] = hs_read_u8(r) == 1;
        if (path->have[level])
            hs_read_fixed(r, path->priv[level].b, sizeof path->priv[level].b);
    }
}

/* Leaves of the past tree that aren't today's; subtrees that both share are skipped. */
static void write_difference(struct hs_writer *w, const struct hs_mls_node *past,
                             const struct hs_mls_node *now, uint32_t first, uint32_t *count)
{
    if (past == now)
        return;
    if (past->level > 0) {
        uint32_t half = (uint32_t)1 << (past->level - 1);
        for (unsigned side = 0; side < 2; side++)
            write_difference(w, past->child[side], now != NULL ? now->child[side] : NULL,
                             first + (side == 0 ? 0 : half), count);
        return;
    }
    if (now != NULL && past->leaf == now->leaf)
        return;
    hs_write_u32(w, first);
    hs_write_u8(w, past->leaf != NULL ? 1 : 0);
    if (past->leaf != NULL)
        hs_write_mls_vec(w, hs_bytes(past->leaf->bytes, past->leaf->len));
    ++*count;
}

static enum hs_err write_past(const struct hs_mls_group *group, const struct hs_mls_epoch_keys *past,
                              struct hs_writer *w)
{
    uint32_t count = 0;
    struct hs_writer HS_WRITER leaves = hs_writer(HS_MLS_MAX_SAVED);
    struct hs_mls_tree HS_MLS_TREE today = hs_mls_tree_share(&group->pub->now.tree);
    HS_TRY(hs_mls_tree_resize(&today, hs_mls_tree_width(&past->tree)));
    write_difference(&leaves, past->tree.root, today.root, 0, &count);
    HS_TRY(leaves.err);
    hs_write_u64(w, past->epoch);
    hs_write_mls_vec(w, hs_mls_blob_bytes(past->context));
    hs_write_bytes(w, HS_VIEW(past->sender_data));
    hs_mls_secret_tree_write(past->secrets, w);
    hs_write_u8(w, (uint8_t)hs_mls_tree_depth(&past->tree));
    hs_write_u32(w, count);
    hs_write_bytes(w, hs_writer_bytes(&leaves));
    return w->err;
}

static enum hs_err read_leaf(struct hs_reader *r, struct hs_mls_tree *tree)
{
    struct hs_mls_leaf_node node;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    uint32_t index = hs_read_u32(r);
    bool present = hs_read_u8(r) == 1;
    if (present) {
        struct hs_reader inner = hs_read_mls_sub(r);
        hs_mls_read_leaf_node(&inner, &node);
        HS_TRY(hs_reader_finish(&inner));
        HS_TRY(hs_mls_leaf_new(&node, &leaf));
    }
    HS_TRY(r->err);
    HS_REQUIRE(index < hs_mls_tree_width(tree), HS_ERR_MALFORMED);
    return hs_mls_tree_put(tree, index, leaf);
}

static enum hs_err read_past(const struct hs_mls_group *group, struct hs_reader *r,
                             struct hs_mls_epoch_keys *past)
{
    past->epoch = hs_read_u64(r);
    struct hs_bytes context = hs_read_mls_vec(r);
    hs_read_fixed(r, past->sender_data.b, sizeof past->sender_data.b);
    HS_TRY(r->err);
    past->context = hs_mls_blob_new(context);
    HS_REQUIRE(past->context != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_mls_secret_tree_read(r, &past->secrets));
    uint8_t depth = hs_read_u8(r);
    uint32_t count = hs_read_u32(r);
    HS_TRY(r->err);
    HS_REQUIRE(depth < HS_MLS_MAX_DEPTH && count <= HS_MLS_MAX_LEAVES, HS_ERR_MALFORMED);
    past->tree = hs_mls_tree_share(&group->pub->now.tree);
    HS_TRY(hs_mls_tree_resize(&past->tree, (uint32_t)1 << depth));
    for (uint32_t i = 0; i < count; i++)
        HS_TRY(read_leaf(r, &past->tree));
    return HS_OK;
}

static void write_updates(struct hs_writer *w, const struct hs_mls_group *group)
{
    hs_write_u8(w, (uint8_t)group->update_count);
    for (size_t i = 0; i < group->update_count; i++) {
        hs_write_bytes(w, HS_VIEW(group->updates[i].pub));
        hs_write_bytes(w, HS_VIEW(group->updates[i].priv));
    }
}

static enum hs_err read_updates(struct hs_reader *r, struct hs_mls_group *group)
{
    group->update_count = hs_read_u8(r);
    HS_TRY(r->err);
    if (group->update_count > HS_MLS_MAX_OWN_UPDATES) {
        group->update_count = 0;
        return HS_ERR_MALFORMED;
    }
    for (size_t i = 0; i < group->update_count; i++) {
        hs_read_fixed(r, group->updates[i].pub.b, sizeof group->updates[i].pub.b);
        hs_read_fixed(r, group->updates[i].priv.b, sizeof group->updates[i].priv.b);
    }
    return r->err;
}

static void write_pending(struct hs_writer *w, const struct hs_mls_group *group)
{
    hs_write_u8(w, hs_mls_group_has_pending(group) ? 1 : 0);
    if (!hs_mls_group_has_pending(group))
        return;
    hs_write_mls_vec(w, hs_mls_group_pending_message(group));
    hs_write_u8(w, group->pending.has_path ? 1 : 0);
    hs_write_bytes(w, HS_VIEW(group->pending.start));
    hs_write_bytes(w, HS_VIEW(group->pending.leaf));
}

static enum hs_err read_pending(struct hs_reader *r, struct hs_mls_group *group)
{
    if (hs_read_u8(r) == 0)
        return r->err;
    struct hs_bytes message = hs_read_mls_vec(r);
    group->pending.has_path = hs_read_u8(r) == 1;
    hs_read_fixed(r, group->pending.start.b, sizeof group->pending.start.b);
    hs_read_fixed(r, group->pending.leaf.b, sizeof group->pending.leaf.b);
    HS_TRY(r->err);
    group->pending.message = hs_mls_blob_new(message);
    HS_REQUIRE(group->pending.message != NULL, HS_ERR_NOMEM);
    return hs_mls_group_restage(group);
}

enum hs_err hs_mls_group_save(const struct hs_mls_group *group, struct hs_writer *out)
{
    struct hs_writer HS_WRITER pub = hs_writer(HS_MLS_MAX_SAVED);
    HS_TRY(hs_mls_public_save(group->pub, &pub));
    hs_write_u8(out, SAVED_VERSION);
    hs_write_mls_vec(out, hs_writer_bytes(&pub));
    hs_write_u32(out, group->own);
    hs_write_u32(out, group->inviter);
    hs_write_u8(out, group->removed ? 1 : 0);
    hs_write_u32(out, group->settings.out_of_order);
    hs_write_u32(out, group->settings.forward);
    hs_write_u32(out, group->settings.past_epochs);
    write_path(out, &group->path);
    hs_mls_epoch_secrets_write(out, &group->epoch);
    if (!group->removed)
        hs_mls_secret_tree_write(group->now.secrets, out);
    hs_write_u8(out, (uint8_t)group->past_count);
    for (size_t i = 0; i < group->past_count; i++)
        HS_TRY(write_past(group, &group->past[i], out));
    write_updates(out, group);
    write_pending(out, group);
    return out->err;
}

static enum hs_err read_settings(struct hs_reader *r, struct hs_mls_settings *settings)
{
    settings->out_of_order = hs_read_u32(r);
    settings->forward = hs_read_u32(r);
    settings->past_epochs = hs_read_u32(r);
    return r->err;
}

static enum hs_err read_now(struct hs_reader *r, struct hs_mls_group *group)
{
    const struct hs_mls_state *state = &group->pub->now;
    const struct hs_mls_leaf *leaf = hs_mls_tree_leaf(&state->tree, group->own);
    if (group->removed)
        return HS_OK;
    HS_REQUIRE(leaf != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(hs_key_equal(&leaf->signature_key, &group->signer.pub), HS_ERR_INVALID_ARG);
    group->now = (struct hs_mls_epoch_keys){
        .epoch = state->parsed.epoch,
        .tree = hs_mls_tree_share(&state->tree),
        .context = hs_mls_blob_ref(state->context),
        .sender_data = group->epoch.sender_data,
    };
    return hs_mls_secret_tree_read(r, &group->now.secrets);
}

static enum hs_err read_body(struct hs_reader *r, struct hs_mls_group *group)
{
    read_path(r, &group->path);
    hs_mls_epoch_secrets_read(r, &group->epoch);
    HS_TRY(r->err);
    HS_TRY(read_now(r, group));
    size_t past = hs_read_u8(r);
    HS_TRY(r->err);
    HS_REQUIRE(past <= group->settings.past_epochs, HS_ERR_MALFORMED);
    while (group->past_count < past)
        HS_TRY(read_past(group, r, &group->past[group->past_count++]));
    HS_TRY(read_updates(r, group));
    HS_TRY(read_pending(r, group));
    return hs_reader_finish(r);
}

enum hs_err hs_mls_group_load(struct hs_bytes saved, const struct hs_signer *signer,
                              struct hs_mls_group **out)
{
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    struct hs_mls_settings settings;
    struct hs_reader r = hs_reader(saved);
    uint8_t version = hs_read_u8(&r);
    HS_TRY(r.err);
    HS_REQUIRE(version == SAVED_VERSION, HS_ERR_UNSUPPORTED);
    struct hs_bytes pub = hs_read_mls_vec(&r);
    uint32_t own = hs_read_u32(&r), inviter = hs_read_u32(&r);
    bool removed = hs_read_u8(&r) == 1;
    HS_TRY(read_settings(&r, &settings));
    enum hs_err err = hs_mls_group_new(signer, &settings, &group);
    HS_REQUIRE(err == HS_OK, err == HS_ERR_INVALID_ARG ? HS_ERR_MALFORMED : err);
    HS_TRY(hs_mls_public_load(pub, &group->pub));
    group->own = own;
    group->inviter = inviter;
    group->removed = removed;
    HS_TRY(read_body(&r, group));
    *out = group;
    group = NULL;
    return HS_OK;
}
