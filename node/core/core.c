#include "core/core.h"

#include "core/admin/admin.h"
#include "core/blobs/blob.h"
#include "core/delivery/cursor.h"
#include "core/delivery/due.h"
#include "core/delivery/inbox_age.h"
#include "core/dispatch.h"
#include "core/federation/discover.h"
#include "core/federation/follow.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/takeover.h"
#include "core/office/way.h"
#include "core/records/retention.h"
#include "core/records/thin.h"
#include "core/recovery/recover.h"
#include "core/recovery/recovery.h"
#include "core/rooms/settle.h"
#include "core/rooms/wanted.h"
#include "core/standing/kept.h"
#include "core/standing/standing.h"
#include "object/object.h"
#include "wire/unpack.h"

#include <stdlib.h>

/* The memory of one turn: a frame of 64 KiB unpacked, its objects unpacked again, a public group of some
 * thousand members and its answer. */
enum { TURN_ARENA_CAP = 64 * 1024 * 1024, CORE_ARENA_CAP = 64 * 1024 };

enum hs_err hs_core_new(const struct hs_core_config *config, struct hs_core **out)
{
    struct hs_core *core = calloc(1, sizeof *core);
    HS_REQUIRE(core != NULL, HS_ERR_NOMEM);
    core->root = config->root;
    core->signer = config->node_signer;
    core->incarnation = config->incarnation;
    core->recover_ms = config->recover_ms > 0 ? config->recover_ms : HS_RECOVER_MS;
    core->inbox_ms = config->inbox_ms > 0 ? config->inbox_ms : HS_INBOX_AGE_DAYS * HS_INBOX_DAY_MS;
    core->arena = hs_arena(CORE_ARENA_CAP);
    TAILQ_INIT(&core->sessions.strangers);
    core->wake_http = config->wake_http;
    enum hs_err err = hs_rules_parse(config->peer_rules, &core->rules);
    if (err == HS_OK)
        err = hs_object_unpack(config->descriptor, &core->arena, &core->descriptor_object);
    if (err == HS_OK)
        err = hs_descriptor_open(core->descriptor_object, &core->root, &core->descriptor);
    if (err == HS_OK && !hs_key_equal(&core->descriptor.signing_key, &core->signer.pub))
        err = HS_ERR_BAD_CHAIN;
    if (err != HS_OK) {
        hs_core_free(core);
        return err;
    }
    *out = core;
    return HS_OK;
}

void hs_core_free(struct hs_core *core)
{
    if (core == NULL)
        return;
    hs_sessions_free(&core->sessions);
    hs_recoveries_free(core);
    hs_ways_free(core);
    hs_peers_free(&core->peers);
    hs_moves_free(core);
    hs_meters_free(&core->meters);
    hs_wakers_free(&core->wakers);
    hs_rules_free(&core->rules);
    hs_settlings_free(core);
    hs_wanted_free(core);
    hs_wants_free(core);
    hs_arena_free(&core->arena);
    hs_signer_wipe(&core->signer);
    free(core);
}

const struct hs_key *hs_turn_root(const struct hs_turn *turn)
{
    return &turn->core->root;
}

const struct hs_key *hs_turn_sender_node(const struct hs_turn *turn)
{
    return turn->session->state == HS_SESSION_NODE ? &turn->session->subscriber : hs_turn_root(turn);
}

static void session_opened(struct hs_turn *turn, const struct hs_core_input *input)
{
    struct hs_session *session = turn->session; /* there already where the input is carried out again */
    if (session == NULL)
        session = hs_session_add(&turn->core->sessions, input->session);
    if (session == NULL) {
        turn->kv->err = HS_ERR_NOMEM;
        return;
    }
    session->remote_static = input->remote_static;
    memcpy(session->handshake_hash, input->handshake_hash, sizeof session->handshake_hash);
    session->outbound = input->outbound;
    turn->session = session;
    if (input->outbound)
        hs_peer_opened(turn, &input->dialled_root, input->dialled_descriptor);
}

static void session_closed(struct hs_turn *turn)
{
    if (turn->session == NULL)
        return;
    if (turn->session->outbound)
        hs_peer_closed(turn);
    hs_cursors_flush(turn, turn->session);
    hs_peers_forget_origin(&turn->core->peers, turn->session->id);
    hs_wake_left(turn);
    hs_session_remove(&turn->core->sessions, turn->session);
    turn->session = NULL;
}

/* The new one has the higher number and is for the same keys; else all stays as it was. In an arena of its
 * own, so that renewals don't pile up. */
static enum hs_err take_descriptor(struct hs_core *core, struct hs_bytes bytes)
{
    struct hs_arena arena = hs_arena(CORE_ARENA_CAP);
    struct hs_descriptor d;
    Hanse__SignedObject *object = NULL;
    enum hs_err err = hs_object_unpack(bytes, &arena, &object);
    if (err == HS_OK)
        err = hs_descriptor_open(object, &core->root, &d);
    if (err == HS_OK && !hs_key_equal(&d.signing_key, &core->signer.pub))
        err = HS_ERR_BAD_CHAIN;
    if (err == HS_OK && d.sequence < core->descriptor.sequence)
        err = HS_ERR_REPLAY;
    if (err != HS_OK) {
        hs_arena_free(&arena);
        return err;
    }
    hs_arena_free(&core->arena);
    core->arena = arena;
    core->descriptor = d;
    core->descriptor_object = object;
    return HS_OK;
}

static void renew(struct hs_turn *turn, struct hs_bytes bytes)
{
    enum hs_err err = take_descriptor(turn->core, bytes);
    if (err != HS_OK)
        hs_turn_log(turn, "event=descriptor-refused error=%s", hs_err_name(err));
    else
        turn->core->described = false;
}

static void step(struct hs_turn *turn, const struct hs_core_input *input)
{
    switch (input->kind) {
    case HS_INPUT_OPEN:
        session_opened(turn, input);
        break;
    case HS_INPUT_FRAME:
        if (turn->session != NULL)
            hs_dispatch(turn, input->bytes);
        break;
    case HS_INPUT_CLOSED:
        session_closed(turn);
        break;
    case HS_INPUT_ROOM:
        if (turn->session != NULL)
            hs_due_budget(&turn->core->sessions, turn->session, input->budget);
        break;
    case HS_INPUT_DIAL_FAILED:
        hs_peer_failed(turn, &input->dialled_root);
        break;
    case HS_INPUT_PEER_RULES:
        hs_standing_reload(turn, input->bytes);
        hs_peers_tick(turn);
        break;
    case HS_INPUT_DESCRIPTOR:
        renew(turn, input->bytes);
        break;
    case HS_INPUT_WOKEN:
        hs_wake_done(turn, input->bytes);
        break;
    case HS_INPUT_DISCOVERED:
        hs_discover_found(turn, input->bytes);
        break;
    case HS_INPUT_TICK:
        hs_standing_tick(turn);
        hs_kept_tick(turn);
        hs_wake_tick(turn);
        hs_peers_tick(turn);
        hs_settle_tick(turn);
        hs_cursors_tick(turn);
        hs_retention_tick(turn);
        hs_inbox_age_tick(turn);
        hs_thin_tick(turn);
        hs_admin_gauge(turn);
        hs_blobs_tick(turn);
        hs_recover_tick(turn);
        hs_office_tick(turn);
        hs_wanted_tick(turn);
        hs_way_tick(turn);
        hs_takeover_tick(turn);
        hs_tell_tick(turn);
        break;
    case HS_INPUT_STOP:
        hs_cursors_flush_all(turn);
        break;
    case HS_INPUT_BLOB:
        hs_blob_done(turn, input);
        break;
    case HS_INPUT_ADMIN:
        hs_admin_asked(turn, input->session, input->bytes);
        break;
    }
}

/* This node's own keys are in its stream before anybody can come. What the operator asks changes nothing. */
static void describe(struct hs_turn *turn, enum hs_core_input_kind kind)
{
    bool now = kind == HS_INPUT_TICK || kind == HS_INPUT_OPEN || kind == HS_INPUT_DESCRIPTOR;
    if (turn->core->described || turn->full || !now)
        return;
    hs_node_key_own(turn);
    turn->core->described = turn->kv->err == HS_OK;
}

enum hs_err hs_core_step(struct hs_core *core, struct hs_kv *txn, const struct hs_core_input *input,
                         struct hs_time now, bool full, struct hs_effects *effects)
{
    struct hs_arena HS_ARENA arena = hs_arena(TURN_ARENA_CAP);
    struct hs_turn turn = {
        .core = core,
        .kv = txn,
        .now = now,
        .full = full,
        .session = input->kind != HS_INPUT_ADMIN ? hs_session_find(&core->sessions, input->session) : NULL,
        .arena = &arena,
        .effects = effects,
    };
    effects->incomplete = false; /* what was so before is dropped by now */
    if (!core->started) {
        hs_peers_load(&turn);
        hs_wakers_load(&turn);
        hs_settle_load(&turn);
        core->started = hs_turn_end(&turn) == HS_OK;
    }
    HS_TRY(txn->err);
    if (full != core->full) {
        core->full = full;
        hs_turn_log(
            &turn, full
                       ? "event=store-full text=\"new data is refused; deletions and acknowledgements go on\""
                       : "event=store-has-space");
    }
    step(&turn, input);
    describe(&turn, input->kind);
    return hs_turn_end(&turn);
}

void hs_core_undone(struct hs_core *core)
{
    hs_peers_undone(&core->peers);
    hs_recoveries_undone(core);
    hs_ways_undone(core);
    core->described = false;
}

struct hs_time hs_core_deadline(const struct hs_core *core)
{
    if (!core->started)
        return (struct hs_time){0};
    const struct hs_time all[] = {hs_peers_deadline(&core->peers), hs_standing_deadline(core),
                                  hs_settlings_deadline(core), hs_office_deadline(core)};
    struct hs_time first = all[0];
    for (size_t i = 1; i < sizeof all / sizeof all[0]; i++)
        first = all[i].ms < first.ms ? all[i] : first;
    return first;
}

struct hs_core_stats hs_core_stats(const struct hs_core *core)
{
    struct hs_core_stats stats = core->stats;
    stats.sessions = HASH_COUNT(core->sessions.by_id);
    return stats;
}
