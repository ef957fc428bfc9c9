#include "core/federation/discover.h"

#include "base/text.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "core/standing/standing.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "wire/unpack.h"

static struct hs_kv_key tie_key(const struct hs_id *domain)
{
    return hs_key_sub(HS_MISC_DOMAIN, HS_VIEW(*domain), (struct hs_bytes){0});
}

/* The root that the domain's page has shown first; false where it never did. */
static bool tied_root(struct hs_turn *turn, const struct hs_id *domain, struct hs_key *root)
{
    struct hs_kv_key key = tie_key(domain);
    struct hs_bytes value;
    return hs_kv_get(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), turn->arena, &value) &&
           HS_FIXED(value, root);
}

bool hs_domain_is_tied(struct hs_turn *turn, const struct hs_id *domain, const struct hs_key *root)
{
    struct hs_key known;
    return tied_root(turn, domain, &known) && hs_key_equal(&known, root);
}

void hs_domain_tied_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                          const Hanse__State__StreamRecord *record)
{
    struct hs_id domain = hs_domain_hash(hs_bytes_str(record->domain_tied->domain));
    struct hs_kv_key key = tie_key(&domain);
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), HS_VIEW(at->id));
}

static void tie(struct hs_turn *turn, const struct hs_key *root, char *domain)
{
    Hanse__State__DomainTied tied = HANSE__STATE__DOMAIN_TIED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    tied.domain = domain;
    record.domain_tied = &tied;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_DOMAIN_TIED;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(*root), &record);
}

static void ask(struct hs_turn *turn, const struct hs_key *root, const char *domain)
{
    const char *kept = hs_arena_str(&turn->effects->arena, hs_bytes_str(domain));
    struct hs_effect *effect = kept != NULL ? hs_effect_add(turn->effects, HS_EFFECT_DISCOVER, 0) : NULL;
    if (effect == NULL)
        return;
    effect->root = *root;
    effect->text = kept;
}

void hs_discover_peer(struct hs_turn *turn, struct hs_peer *peer)
{
    if (peer->domain_name[0] == '\0' || peer->blocked || turn->now.ms < peer->discover_at.ms)
        return;
    peer->discover_at.ms = turn->now.ms + HS_DISCOVER_MS;
    ask(turn, &peer->root, peer->domain_name);
}

void hs_discover_renewal(struct hs_turn *turn, struct hs_peer *peer)
{
    bool soon = peer->not_after.ms != 0 && peer->not_after.ms - turn->now.ms < HS_DISCOVER_AHEAD_MS;
    if (!soon || !peer->followed || turn->now.ms < peer->renewal_at.ms)
        return;
    peer->renewal_at.ms = turn->now.ms + HS_DISCOVER_DAILY_MS;
    hs_discover_peer(turn, peer);
}

void hs_discover_claim(struct hs_turn *turn, const struct hs_key *root, const char *domain)
{
    struct hs_id hash = hs_domain_hash(hs_bytes_str(domain));
    struct hs_key known;
    struct hs_rule *rule = hs_rules_find(&turn->core->rules, HS_RULE_ALLOW, &hash);
    if (rule == NULL || turn->now.ms < rule->asked_at.ms || tied_root(turn, &hash, &known))
        return; /* whoever comes, the page is asked once in a while */
    rule->asked_at.ms = turn->now.ms + HS_DISCOVER_MS;
    ask(turn, root, domain);
}

/* What the page shows: a node of that domain, valid now. Its root is in out. */
static enum hs_err read_page(struct hs_turn *turn, const Hanse__State__Discovered *found,
                             struct hs_descriptor *out)
{
    Hanse__SignedObject *object;
    HS_TRY(hs_object_unpack(hs_pb_bytes(found->descriptor), turn->arena, &object));
    HS_TRY(hs_descriptor_verify(object, NULL, turn->now, out));
    return strcmp(out->domain, found->domain) == 0 ? HS_OK : HS_ERR_WRONG_PEER;
}

/* Another root than the pinned one is at that domain: it is refused. Only the operator can say that this is
 * right, by a row of the peers' file. */
static void refuse_root(struct hs_turn *turn, const struct hs_key *pinned, const struct hs_key *shown)
{
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, pinned);
    hs_turn_log(
        turn,
        "event=root-changed pinned=%s shown=%s text=\"refused; a row in the peers' file would allow it\"",
        hs_short(HS_VIEW(*pinned)).text, hs_short(HS_VIEW(*shown)).text);
    if (peer != NULL) {
        peer->other_root = *shown;
        peer->root_changed = true;
    }
}

static void judge_page(struct hs_turn *turn, const Hanse__State__Discovered *found, const struct hs_key *root)
{
    struct hs_descriptor d;
    struct hs_key known;
    enum hs_err err = read_page(turn, found, &d);
    if (err != HS_OK) {
        hs_turn_log(turn, "event=well-known-refused error=%s", hs_err_name(err));
        return;
    }
    struct hs_id domain = hs_domain_hash(hs_bytes_str(d.domain));
    bool tied = tied_root(turn, &domain, &known);
    if (!hs_key_equal(&d.root, root) || (tied && !hs_key_equal(&known, root))) {
        refuse_root(turn, hs_key_equal(&d.root, root) ? &known : root, &d.root);
        return;
    }
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, root);
    if (!tied)
        tie(turn, root, found->domain);
    if (peer == NULL)
        return;
    peer->root_changed = false;
    if (peer->sequence == 0 || d.sequence > peer->sequence)
        hs_peer_learn(turn, peer, hs_pb_bytes(found->descriptor));
}

/* Sessions of that node may have a better standing now. */
static void judge_sessions(struct hs_turn *turn, const struct hs_key *root)
{
    for (struct hs_session *s = turn->core->sessions.by_id; s != NULL; s = s->hh.next)
        if (s->state == HS_SESSION_NODE && hs_key_equal(&s->subscriber, root))
            hs_standing_again(turn, s);
}

void hs_discover_found(struct hs_turn *turn, struct hs_bytes bytes)
{
    Hanse__State__Discovered *found;
    struct hs_key root;
    if (HS_UNPACK(hanse__state__discovered, bytes, HS_LENIENT, turn->arena, &found) != HS_OK ||
        !HS_FIXED(hs_pb_bytes(found->root), &root))
        return;
    if (found->descriptor.len > 0)
        judge_page(turn, found, &root);
    judge_sessions(turn, &root);
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &root);
    if (peer == NULL || peer->state != HS_PEER_DOWN)
        return;
    hs_peer_found(turn, peer, found->addresses, found->n_addresses);
    if (peer->address_count == 0)
        hs_asked_give_up(turn, peer);
    else if (peer->retry_at.ms > turn->now.ms)
        peer->retry_at.ms = peer->not_before.ms;
    hs_peer_work(turn, peer);
}
