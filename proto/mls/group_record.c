#include "mls/group_record.h"

#include <stdlib.h>

enum { RECORD_VERSION = 1 };

static void write_bool(struct hs_writer *w, bool value)
{
    hs_write_u8(w, value ? 1 : 0);
}

static bool read_bool(struct hs_reader *r)
{
    uint8_t value = hs_read_u8(r);
    if (value > 1)
        hs_reader_fail(r, HS_ERR_MALFORMED);
    return value == 1;
}

static void read_secret(struct hs_reader *r, struct hs_mls_secret *secret)
{
    if (!HS_MLS_SET(hs_read_mls_vec(r), secret))
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

static void read_pub(struct hs_reader *r, struct hs_mls_pub *pub)
{
    if (!HS_MLS_SET(hs_read_mls_vec(r), pub))
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

/* The head. */

static void write_settings(struct hs_writer *w, const struct hs_mls_settings *settings)
{
    hs_write_u32(w, settings->out_of_order);
    hs_write_u32(w, settings->forward);
    hs_write_u32(w, settings->past_epochs);
    hs_write_u32(w, settings->past_seconds);
    write_bool(w, settings->private_handshakes);
    hs_write_u32(w, settings->padding);
    write_bool(w, settings->settling);
}

static void read_settings(struct hs_reader *r, struct hs_mls_settings *settings)
{
    settings->out_of_order = hs_read_u32(r);
    settings->forward = hs_read_u32(r);
    settings->past_epochs = hs_read_u32(r);
    settings->past_seconds = hs_read_u32(r);
    settings->private_handshakes = read_bool(r);
    settings->padding = hs_read_u32(r);
    settings->settling = read_bool(r);
}

void hs_mls_head_write(const struct hs_mls_group *group, struct hs_writer *w)
{
    hs_write_u8(w, RECORD_VERSION);
    write_settings(w, &group->settings);
    hs_write_u16(w, group->suite->id);
    hs_write_u32(w, group->own);
    hs_write_u32(w, group->inviter);
    write_bool(w, group->removed);
    hs_write_u64(w, hs_mls_group_epoch(group));
    write_bool(w, group->unsettled != NULL);
    write_bool(w, group->pending != NULL);
    write_bool(w, group->unsettled != NULL && group->unsettled->pending != NULL);
    hs_write_u8(w, (uint8_t)group->past_count);
    for (size_t i = 0; i < group->past_count; i++) {
        hs_write_u64(w, group->past[i].epoch);
        hs_write_u64(w, group->past[i].ended);
    }
    hs_write_u8(w, (uint8_t)group->voided_count);
    for (size_t i = 0; i < group->voided_count; i++)
        hs_write_mls_vec(w, HS_MLS_VIEW(group->voided[i]));
}

static enum hs_err read_voided(struct hs_reader *r, struct hs_mls_group *group)
{
    size_t count = hs_read_u8(r);
    HS_REQUIRE(count <= HS_MLS_MAX_VOIDED, HS_ERR_MALFORMED);
    for (; group->voided_count < count; group->voided_count++)
        HS_REQUIRE(HS_MLS_SET(hs_read_mls_vec(r), &group->voided[group->voided_count]), HS_ERR_MALFORMED);
    return r->err;
}

static enum hs_err begin_head(struct hs_reader *r, struct hs_mls_settings *settings)
{
    uint8_t version = hs_read_u8(r);
    HS_TRY(r->err);
    HS_REQUIRE(version == RECORD_VERSION, HS_ERR_UNSUPPORTED);
    read_settings(r, settings);
    return r->err;
}

enum hs_err hs_mls_head_settings(struct hs_bytes record, struct hs_mls_settings *settings)
{
    struct hs_reader r = hs_reader(record);
    return begin_head(&r, settings);
}

enum hs_err hs_mls_head_read(struct hs_bytes record, struct hs_mls_group *group, struct hs_mls_head *head)
{
    struct hs_mls_settings settings;
    struct hs_reader r = hs_reader(record);
    HS_TRY(begin_head(&r, &settings));
    head->suite = hs_read_u16(&r);
    group->own = hs_read_u32(&r);
    group->inviter = hs_read_u32(&r);
    group->removed = read_bool(&r);
    head->epoch = hs_read_u64(&r);
    head->unsettled = read_bool(&r);
    head->pending = read_bool(&r);
    head->pending_before = read_bool(&r);
    size_t count = hs_read_u8(&r), least = head->unsettled ? 1 : 0;
    HS_TRY(r.err);
    HS_REQUIRE(count >= least && count <= (settings.past_epochs > least ? settings.past_epochs : least),
               HS_ERR_MALFORMED);
    uint64_t newer = head->epoch;
    for (; group->past_count < count; group->past_count++) {
        struct hs_mls_epoch_keys *past = &group->past[group->past_count];
        *past = (struct hs_mls_epoch_keys){.epoch = hs_read_u64(&r)};
        past->ended = hs_read_u64(&r);
        HS_REQUIRE(past->epoch < newer, HS_ERR_MALFORMED);
        newer = past->epoch;
    }
    HS_TRY(read_voided(&r, group));
    return hs_reader_finish(&r);
}

/* One epoch, whole. */

static void write_path(struct hs_writer *w, const struct hs_mls_path_keys *path)
{
    for (size_t level = 0; level < HS_MLS_MAX_DEPTH; level++) {
        write_bool(w, path->have[level]);
        if (path->have[level])
            hs_write_mls_vec(w, HS_MLS_VIEW(path->priv[level]));
    }
}

static void read_path(struct hs_reader *r, struct hs_mls_path_keys *path)
{
    for (size_t level = 0; level < HS_MLS_MAX_DEPTH; level++) {
        path->have[level] = read_bool(r);
        if (path->have[level])
            read_secret(r, &path->priv[level]);
    }
}

static void write_updates(struct hs_writer *w, const struct hs_mls_whole *whole)
{
    hs_write_u8(w, (uint8_t)whole->update_count);
    for (size_t i = 0; i < whole->update_count; i++) {
        hs_write_mls_vec(w, HS_MLS_VIEW(whole->updates[i].pub));
        hs_write_mls_vec(w, HS_MLS_VIEW(whole->updates[i].priv));
        hs_write_mls_vec(w, HS_MLS_VIEW(whole->updates[i].signer.pub));
    }
}

static void read_updates(struct hs_reader *r, struct hs_mls_whole *whole)
{
    size_t count = hs_read_u8(r);
    if (count > HS_MLS_MAX_OWN_UPDATES)
        hs_reader_fail(r, HS_ERR_MALFORMED);
    for (; r->err == HS_OK && whole->update_count < count; whole->update_count++) {
        struct hs_mls_own_update *update = &whole->updates[whole->update_count];
        read_pub(r, &update->pub);
        read_secret(r, &update->priv);
        read_pub(r, &update->signer.pub);
    }
}

static void write_waiting(struct hs_writer *w, const struct hs_mls_whole *whole)
{
    hs_write_u16(w, (uint16_t)whole->waiting_count);
    for (size_t i = 0; i < whole->waiting_count; i++) {
        hs_write_mls_vec(w, HS_MLS_VIEW(whole->waiting[i].ref));
        hs_write_u8(w, (uint8_t)whole->waiting[i].sender.type);
        hs_write_u32(w, whole->waiting[i].sender.index);
        hs_write_mls_vec(w, hs_mls_blob_bytes(whole->waiting[i].raw));
    }
}

static enum hs_err read_waiting_one(struct hs_reader *r, const struct hs_mls_suite *suite,
                                    struct hs_mls_cached *cached)
{
    bool fits = HS_MLS_SET(hs_read_mls_vec(r), &cached->ref);
    cached->sender.type = hs_read_u8(r);
    cached->sender.index = hs_read_u32(r);
    cached->raw = hs_mls_blob_new(hs_read_mls_vec(r));
    HS_REQUIRE(cached->raw != NULL, HS_ERR_NOMEM);
    HS_TRY(r->err);
    struct hs_reader inner = hs_reader(hs_mls_blob_bytes(cached->raw));
    hs_mls_read_proposal(&inner, &cached->proposal);
    HS_REQUIRE(fits && hs_reader_finish(&inner) == HS_OK, HS_ERR_MALFORMED);
    if (cached->proposal.type == HS_MLS_ADD)
        return hs_mls_leaf_new(suite, &cached->proposal.add.leaf, &cached->leaf);
    if (cached->proposal.type == HS_MLS_UPDATE)
        return hs_mls_leaf_new(suite, &cached->proposal.update, &cached->leaf);
    return HS_OK;
}

static enum hs_err read_waiting(struct hs_reader *r, struct hs_mls_whole *whole)
{
    size_t count = hs_read_u16(r);
    HS_TRY(r->err);
    HS_REQUIRE(count <= HS_MLS_MAX_CACHED_PROPOSALS, HS_ERR_MALFORMED);
    if (count == 0)
        return HS_OK;
    whole->waiting = calloc(count, sizeof *whole->waiting);
    HS_REQUIRE(whole->waiting != NULL, HS_ERR_NOMEM);
    while (whole->waiting_count < count)
        HS_TRY(read_waiting_one(r, whole->state.suite, &whole->waiting[whole->waiting_count++]));
    return HS_OK;
}

void hs_mls_whole_write(const struct hs_mls_whole *whole, struct hs_writer *w)
{
    hs_write_u8(w, HS_MLS_SAVED_WHOLE);
    hs_mls_state_write(w, &whole->state);
    hs_write_mls_vec(w, HS_MLS_VIEW(whole->signer.pub));
    hs_mls_epoch_secrets_write(w, &whole->epoch);
    write_path(w, &whole->path);
    write_updates(w, whole);
    write_waiting(w, whole);
}

enum hs_err hs_mls_whole_read(struct hs_bytes record, struct hs_mls_whole **out)
{
    struct hs_mls_whole HS_MLS_WHOLE *whole = calloc(1, sizeof *whole);
    HS_REQUIRE(whole != NULL, HS_ERR_NOMEM);
    struct hs_reader r = hs_reader(record);
    HS_REQUIRE(hs_read_u8(&r) == HS_MLS_SAVED_WHOLE, HS_ERR_MALFORMED);
    HS_TRY(hs_mls_state_read(&r, &whole->state));
    read_pub(&r, &whole->signer.pub);
    hs_mls_epoch_secrets_read(&r, &whole->epoch);
    read_path(&r, &whole->path);
    read_updates(&r, whole);
    HS_TRY(read_waiting(&r, whole));
    HS_TRY(hs_reader_finish(&r));
    *out = whole;
    whole = NULL;
    return HS_OK;
}

/* A past epoch. */

void hs_mls_past_write(const struct hs_mls_epoch_keys *past, struct hs_writer *w)
{
    hs_write_u8(w, HS_MLS_SAVED_PAST);
    hs_write_mls_vec(w, hs_mls_blob_bytes(past->context));
    hs_write_mls_vec(w, HS_MLS_VIEW(past->sender_data));
    hs_write_mls_vec(w, HS_MLS_VIEW(past->resumption));
}

static enum hs_err past_from_whole(struct hs_bytes record, struct hs_mls_epoch_keys *past)
{
    struct hs_mls_whole HS_MLS_WHOLE *whole = NULL;
    HS_TRY(hs_mls_whole_read(record, &whole));
    past->context = hs_mls_blob_ref(whole->state.context);
    past->sender_data = whole->epoch.sender_data;
    past->resumption = whole->epoch.resumption;
    return HS_OK;
}

enum hs_err hs_mls_past_read(struct hs_bytes record, struct hs_mls_epoch_keys *past)
{
    struct hs_mls_secret HS_MLS_SECRET sender_data = {0}, HS_MLS_SECRET resumption = {0};
    struct hs_reader r = hs_reader(record);
    uint8_t form = hs_read_u8(&r);
    if (form == HS_MLS_SAVED_WHOLE)
        return past_from_whole(record, past);
    HS_REQUIRE(form == HS_MLS_SAVED_PAST, HS_ERR_MALFORMED);
    struct hs_bytes context = hs_read_mls_vec(&r);
    read_secret(&r, &sender_data);
    read_secret(&r, &resumption);
    HS_TRY(hs_reader_finish(&r));
    past->context = hs_mls_blob_new(context);
    HS_REQUIRE(past->context != NULL, HS_ERR_NOMEM);
    past->sender_data = sender_data;
    past->resumption = resumption;
    return HS_OK;
}

/* The pending commit. */

void hs_mls_pending_write(const struct hs_mls_pending *pending, struct hs_writer *w)
{
    hs_write_u8(w, RECORD_VERSION);
    hs_write_mls_vec(w, hs_mls_blob_bytes(pending->message));
    hs_write_mls_vec(w, hs_mls_blob_bytes(pending->authed));
    write_bool(w, pending->has_path);
    hs_write_mls_vec(w, HS_MLS_VIEW(pending->start));
    hs_write_mls_vec(w, HS_MLS_VIEW(pending->leaf));
    hs_write_mls_vec(w, HS_MLS_VIEW(pending->psk));
    hs_write_mls_vec(w, HS_MLS_VIEW(pending->signer.pub));
}

static enum hs_err pending_read(struct hs_reader *r, struct hs_mls_pending *pending)
{
    uint8_t version = hs_read_u8(r);
    HS_TRY(r->err);
    HS_REQUIRE(version == RECORD_VERSION, HS_ERR_UNSUPPORTED);
    struct hs_bytes message = hs_read_mls_vec(r), authed = hs_read_mls_vec(r);
    pending->has_path = read_bool(r);
    read_secret(r, &pending->start);
    read_secret(r, &pending->leaf);
    read_secret(r, &pending->psk);
    read_pub(r, &pending->signer.pub);
    HS_TRY(hs_reader_finish(r));
    pending->message = hs_mls_blob_new(message);
    if (authed.len > 0)
        pending->authed = hs_mls_blob_new(authed);
    return pending->message != NULL && (authed.len == 0 || pending->authed != NULL) ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_mls_pending_load(struct hs_bytes record, struct hs_mls_pending **out)
{
    struct hs_mls_pending *pending = calloc(1, sizeof *pending);
    HS_REQUIRE(pending != NULL, HS_ERR_NOMEM);
    struct hs_reader r = hs_reader(record);
    enum hs_err err = pending_read(&r, pending);
    if (err == HS_OK)
        *out = pending;
    else
        hs_mls_pending_free(pending);
    return err;
}
