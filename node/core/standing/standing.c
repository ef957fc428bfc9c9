#include "core/standing/standing.h"

#include "core/federation/domain_root.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/office/way.h"
#include "core/records/table.h"
#include "core/standing/guest.h"

#define MIB (1024.0 * 1024.0)
#define GIB (UINT64_C(1) << 30)

/* A stranger's user looks at one invite and joins once. An invited node is a household's or a friend's: a few
 * hundred people, who write as fast as one room's worth of them can. An allowed one is another brand's, of
 * any size. What a hub sends is its rooms' whole traffic; where it sends more than this, it waits. What
 * of it is kept leaves most of a small machine's disk to others. What is shown for heads, which are told once
 * a minute, is eight rooms' at once, then one's in eight seconds. */
static const struct hs_quota quotas[] = {
    [HS_STANDING_STRANGER] =
        {.flows = {{32, 2}, {0.25 * MIB, 16 * 1024}, {256 * MIB, 8 * MIB}, {5000, 0.06}, {8, 0.125}},
         .users = 200,
         .rooms = 50,
         .memberships = 1000,
         .inbox = 1000,
         .copies = 500,
         .kept = 4 * GIB},
    [HS_STANDING_INVITED] =
        {.flows = {{2000, 500}, {32 * MIB, 8 * MIB}, {256 * MIB, 8 * MIB}, {5000, 0.06}, {8, 0.125}},
         .users = 200,
         .rooms = 50,
         .memberships = 1000,
         .inbox = 1000,
         .copies = 500,
         .kept = 4 * GIB},
    [HS_STANDING_ALLOWED] =
        {.flows = {{20000, 5000}, {256 * MIB, 64 * MIB}, {4096 * MIB, 256 * MIB}, {1000000, 12}, {64, 1}},
         .users = 1000000,
         .rooms = 100000,
         .memberships = 10000000,
         .inbox = 1000000,
         .copies = 100000,
         .kept = 1024 * GIB},
    [HS_STANDING_BLOCKED] = {.users = 0},
};

static const struct hs_quota device_quota = {
    .flows = {{HS_REQUEST_BURST, HS_REQUEST_RATE}, {256 * MIB, 64 * MIB}, {0, 0}, {0, 0}, {0, 0}}};

const struct hs_quota *hs_quota_of(enum hs_peer_standing standing)
{
    return &quotas[standing];
}

bool hs_standing_is_blocked(const struct hs_core *core, const struct hs_key *root, const struct hs_id *domain)
{
    const struct hs_rule *row = hs_rules_node(&core->rules, root);
    return hs_rules_name(&core->rules, HS_RULE_BLOCK, root, domain) ||
           (row != NULL && hs_rules_name(&core->rules, HS_RULE_BLOCK, NULL, &row->domain));
}

enum hs_peer_standing hs_standing_of(struct hs_turn *turn, const struct hs_key *root,
                                     const struct hs_id *domain)
{
    const struct hs_rules *rules = &turn->core->rules;
    const struct hs_rule *row = hs_rules_node(rules, root);
    if (hs_standing_is_blocked(turn->core, root, domain))
        return HS_STANDING_BLOCKED;
    if (hs_rules_name(rules, HS_RULE_ALLOW, root, row != NULL ? &row->domain : NULL))
        return HS_STANDING_ALLOWED;
    struct hs_key pinned; /* a row may name another one than the page did */
    if (domain != NULL && hs_rules_name(rules, HS_RULE_ALLOW, NULL, domain) && row == NULL &&
        hs_domain_is_tied(turn, domain, root) && hs_domain_root(turn, domain, root, &pinned) &&
        hs_key_equal(&pinned, root))
        return HS_STANDING_ALLOWED;
    return hs_guest_is_known(turn, root) ? HS_STANDING_INVITED : HS_STANDING_STRANGER;
}

static void close_oldest_stranger(struct hs_turn *turn)
{
    struct hs_session *oldest = TAILQ_FIRST(&turn->core->sessions.strangers);
    hs_session_stranger(&turn->core->sessions, oldest, (struct hs_time){0});
    hs_turn_close(turn, oldest, HS_ERR_TIMEOUT);
}

enum hs_err hs_standing_enter(struct hs_turn *turn, const struct hs_key *root, const struct hs_id *domain)
{
    struct hs_session *session = turn->session;
    struct hs_sessions *sessions = &turn->core->sessions;
    enum hs_peer_standing standing = hs_standing_of(turn, root, domain);
    HS_REQUIRE(standing != HS_STANDING_BLOCKED, HS_ERR_DENIED);
    session->standing = standing;
    session->domain = *domain;
    if (standing == HS_STANDING_STRANGER && session->stranger_until.ms == 0) {
        if (sessions->stranger_count == HS_STRANGERS_MAX)
            close_oldest_stranger(turn);
        hs_session_stranger(sessions, session, (struct hs_time){turn->now.ms + HS_STRANGER_MS});
    }
    return HS_OK;
}

void hs_standing_joined(struct hs_turn *turn)
{
    struct hs_session *session = turn->session;
    if (session->state != HS_SESSION_NODE)
        return;
    hs_node_key_of_session(turn);
    if (session->standing != HS_STANDING_STRANGER)
        return;
    session->standing = HS_STANDING_INVITED;
    hs_session_stranger(&turn->core->sessions, session, (struct hs_time){0});
}

/* Strangers' use isn't remembered: anybody can make a thousand roots. */
static struct hs_meter *meter_of(struct hs_turn *turn)
{
    struct hs_session *session = turn->session;
    struct hs_meter *shared = NULL;
    if (session->state == HS_SESSION_NODE && (session->outbound || session->standing != HS_STANDING_STRANGER))
        shared = hs_meters_of(&turn->core->meters, &session->subscriber);
    return shared != NULL ? shared : &session->meter;
}

static const struct hs_quota *quota_of(const struct hs_session *session)
{
    return session->state == HS_SESSION_NODE ? &quotas[session->standing] : &device_quota;
}

bool hs_standing_spend(struct hs_turn *turn, size_t len)
{
    struct hs_meter *meter = meter_of(turn);
    const struct hs_quota *quota = quota_of(turn->session);
    return hs_meter_take(meter, quota->flows, HS_FLOW_REQUESTS, 1, turn->now) &&
           hs_meter_take(meter, quota->flows, HS_FLOW_BYTES, (double)len, turn->now);
}

bool hs_standing_spend_shown(struct hs_turn *turn)
{
    return hs_meter_take(meter_of(turn), quota_of(turn->session)->flows, HS_FLOW_SHOWN, 1, turn->now);
}

bool hs_standing_spend_hub(struct hs_turn *turn, enum hs_flow_kind kind, size_t amount)
{
    struct hs_peer *peer = hs_peer_of_session(&turn->core->peers, turn->session->id);
    bool there =
        hs_meter_take(meter_of(turn), quota_of(turn->session)->flows, kind, (double)amount, turn->now);
    if (!there && peer != NULL)
        peer->not_before.ms = turn->now.ms + HS_HUB_PAUSE_MS;
    return there;
}

void hs_standing_again(struct hs_turn *turn, struct hs_session *session)
{
    session->standing = hs_standing_of(turn, &session->subscriber, &session->domain);
    if (session->outbound && session->standing == HS_STANDING_STRANGER)
        session->standing = HS_STANDING_INVITED; /* by the user who named it */
    if (session->standing != HS_STANDING_STRANGER)
        hs_session_stranger(&turn->core->sessions, session, (struct hs_time){0});
    if (session->standing == HS_STANDING_BLOCKED)
        hs_turn_close(turn, session, HS_ERR_DENIED);
}

void hs_standing_reload(struct hs_turn *turn, struct hs_bytes packed)
{
    enum hs_err err = hs_rules_parse(packed, &turn->core->rules);
    if (err != HS_OK) {
        hs_turn_log(turn, "event=peers-refused error=%s", hs_err_name(err));
        return;
    }
    for (struct hs_session *s = turn->core->sessions.by_id; s != NULL; s = s->hh.next)
        if (s->state == HS_SESSION_NODE)
            hs_standing_again(turn, s);
    hs_peers_judge(turn);
    hs_tell_again(turn->core);
    hs_turn_log(turn, "event=peers-read rules=%zu", turn->core->rules.len);
}

void hs_standing_tick(struct hs_turn *turn)
{
    struct hs_session *oldest;
    while ((oldest = TAILQ_FIRST(&turn->core->sessions.strangers)) != NULL &&
           turn->now.ms >= oldest->stranger_until.ms)
        close_oldest_stranger(turn);
}

struct hs_time hs_standing_deadline(const struct hs_core *core)
{
    const struct hs_session *oldest = TAILQ_FIRST(&core->sessions.strangers);
    return oldest != NULL ? oldest->stranger_until : (struct hs_time){INT64_MAX};
}
