#include "core/admin/admin.h"

#include "core/federation/domain_root.h"
#include "core/federation/outbox.h"
#include "core/internal.h"
#include "core/recovery/recover.h"
#include "core/standing/standing.h"
#include "wire/unpack.h"

/* One question a row; whoever adds one adds it here, in admin.proto and in node/admin/control.c. */
static const struct {
    Hanse__State__AdminRequest__BodyCase body;
    hs_admin_handler *handler;
} rows[] = {
    {HANSE__STATE__ADMIN_REQUEST__BODY_STATUS, hs_admin_status},
    {HANSE__STATE__ADMIN_REQUEST__BODY_PEERS, hs_admin_peers},
    {HANSE__STATE__ADMIN_REQUEST__BODY_ROOMS, hs_admin_rooms},
    {HANSE__STATE__ADMIN_REQUEST__BODY_ROOM, hs_admin_room},
    {HANSE__STATE__ADMIN_REQUEST__BODY_RESUME, hs_admin_resume},
    {HANSE__STATE__ADMIN_REQUEST__BODY_EVIDENCE, hs_admin_evidence},
    {HANSE__STATE__ADMIN_REQUEST__BODY_ROOT, hs_admin_root},
};

static enum hs_err run(struct hs_turn *turn, struct hs_bytes bytes, Hanse__State__AdminAnswer *answer)
{
    Hanse__State__AdminRequest *request;
    HS_TRY(HS_UNPACK(hanse__state__admin_request, bytes, HS_LENIENT, turn->arena, &request));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].body == request->body_case)
            return rows[i].handler(turn, request, answer);
    return HS_ERR_UNSUPPORTED;
}

void hs_admin_asked(struct hs_turn *turn, uint64_t asker, struct hs_bytes bytes)
{
    Hanse__State__AdminAnswer answer = HANSE__STATE__ADMIN_ANSWER__INIT;
    enum hs_err err = run(turn, bytes, &answer);
    struct hs_effect *effect = hs_effect_add(turn->effects, HS_EFFECT_ADMIN, asker);
    if (effect == NULL)
        return;
    effect->err = err;
    if (err == HS_OK)
        effect->bytes = hs_effects_pack(turn->effects, &answer.base);
    if (err == HS_OK && effect->bytes.data == NULL)
        effect->err = HS_ERR_NOMEM;
}

static uint64_t count_sessions(const struct hs_core *core, enum hs_session_state state)
{
    uint64_t count = 0;
    for (const struct hs_session *s = core->sessions.by_id; s != NULL; s = s->hh.next)
        count += s->state == state;
    return count;
}

/* One that is dialled is invited at least: by the user who named it. */
static enum hs_peer_standing standing_of(struct hs_turn *turn, const struct hs_peer *peer)
{
    enum hs_peer_standing standing = hs_standing_of(turn, &peer->root, &peer->domain);
    return standing == HS_STANDING_STRANGER ? HS_STANDING_INVITED : standing;
}

/* Of the nodes that are dialled, and of those that have come by themselves: each once. */
static void count_standings(struct hs_turn *turn)
{
    struct hs_core *core = turn->core;
    memset(core->stats.standings, 0, sizeof core->stats.standings);
    for (const struct hs_peer *peer = core->peers.list; peer != NULL; peer = peer->next)
        core->stats.standings[standing_of(turn, peer)]++;
    for (const struct hs_session *s = core->sessions.by_id; s != NULL; s = s->hh.next)
        if (s->state == HS_SESSION_NODE && !s->outbound && hs_peer_find(&core->peers, &s->subscriber) == NULL)
            core->stats.standings[s->standing]++;
}

void hs_admin_gauge(struct hs_turn *turn)
{
    struct hs_core *core = turn->core;
    int64_t passed = turn->now.ms - core->gauged_at.ms;
    if (passed >= 0 && passed < HS_ADMIN_GAUGE_MS)
        return;
    core->gauged_at = turn->now;
    core->stats.devices = count_sessions(core, HS_SESSION_DEVICE);
    core->stats.nodes = count_sessions(core, HS_SESSION_NODE);
    memset(core->stats.peers, 0, sizeof core->stats.peers);
    memset(core->stats.outbox, 0, sizeof core->stats.outbox);
    for (const struct hs_peer *peer = core->peers.list; peer != NULL; peer = peer->next) {
        core->stats.peers[peer->state]++;
        core->stats.outbox[peer->state] += hs_outbox_count(turn, &peer->root);
    }
    count_standings(turn);
    core->stats.roots_waiting = hs_domain_roots_waiting(turn);
}

enum hs_err hs_admin_status(struct hs_turn *turn, const Hanse__State__AdminRequest *request,
                            Hanse__State__AdminAnswer *answer)
{
    struct hs_core *core = turn->core;
    Hanse__State__AdminStatus *status = HS_NEW(turn, Hanse__State__AdminStatus, hanse__state__admin_status);
    (void)request;
    HS_REQUIRE(status != NULL, HS_ERR_NOMEM);
    status->domain = core->descriptor.domain;
    status->root = hs_pb_data(HS_VIEW(core->root));
    status->incarnation = core->incarnation;
    status->peers = core->peers.count;
    status->full = turn->full;
    status->devices = count_sessions(core, HS_SESSION_DEVICE);
    status->nodes = count_sessions(core, HS_SESSION_NODE);
    status->strangers = count_sessions(core, HS_SESSION_NEW);
    if (hs_recover_ledger_is_frozen(turn)) {
        status->proofs = hs_admin_proofs(turn);
        HS_REQUIRE(status->proofs != NULL, HS_ERR_NOMEM);
    }
    answer->status = status;
    answer->body_case = HANSE__STATE__ADMIN_ANSWER__BODY_STATUS;
    return HS_OK;
}
