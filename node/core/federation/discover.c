#include "core/federation/discover.h"

#include "core/federation/domain_root.h"
#include "core/internal.h"
#include "core/standing/standing.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "wire/unpack.h"

static struct hs_page_asked *page_of(struct hs_core *core, const struct hs_id *domain)
{
    struct hs_page_asked *oldest = &core->pages[0];
    for (size_t i = 0; i < HS_DISCOVER_NOTED; i++) {
        if (core->pages[i].at.ms > 0 && hs_id_equal(&core->pages[i].domain, domain))
            return &core->pages[i];
        oldest = core->pages[i].at.ms < oldest->at.ms ? &core->pages[i] : oldest;
    }
    *oldest = (struct hs_page_asked){.domain = *domain};
    return oldest;
}

/* Not twice within a minute, for whatever reasons; and who was asked for comes again after the others. */
static bool may_ask(struct hs_turn *turn, const struct hs_key *root, const char *domain)
{
    struct hs_id hash = hs_domain_hash(hs_bytes_str(domain));
    struct hs_page_asked *page = page_of(turn->core, &hash);
    bool same = hs_key_equal(&page->root, root);
    int64_t pause = page->others && same ? 2 * (int64_t)HS_DISCOVER_MS : HS_DISCOVER_MS;
    if (page->at.ms > 0 && turn->now.ms - page->at.ms < pause) {
        page->others = page->others || !same;
        return false;
    }
    *page = (struct hs_page_asked){.domain = hash, .root = *root, .at = turn->now};
    return true;
}

void hs_discover_at_once(struct hs_core *core, const struct hs_id *domain)
{
    for (size_t i = 0; i < HS_DISCOVER_NOTED; i++)
        if (hs_id_equal(&core->pages[i].domain, domain))
            core->pages[i].at.ms = 0;
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
    if (peer->domain_name[0] == '\0' || peer->blocked || turn->now.ms < peer->discover_at.ms ||
        !may_ask(turn, &peer->root, peer->domain_name))
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

/* Whoever comes, a page is asked once in a while, and only where it matters: the operator allows the domain,
 * or its root is another one as far as is known. NULL where it doesn't. */
static struct hs_time *asked_at(struct hs_turn *turn, const struct hs_id *domain, const struct hs_key *root)
{
    struct hs_core *core = turn->core;
    struct hs_rule *allow = hs_rules_find(&core->rules, HS_RULE_ALLOW, domain);
    struct hs_key pinned;
    if (allow != NULL)
        return &allow->asked_at;
    if (!hs_domain_root(turn, domain, root, &pinned) || hs_key_equal(&pinned, root))
        return NULL;
    struct hs_rule *row = hs_rules_find(&core->rules, HS_RULE_NODE, domain);
    struct hs_peer *peer = row == NULL ? hs_peer_find(&core->peers, &pinned) : NULL;
    return row != NULL ? &row->asked_at : peer != NULL ? &peer->discover_at : NULL;
}

bool hs_discover_claim(struct hs_turn *turn, const struct hs_key *root, const char *domain)
{
    struct hs_id hash = hs_domain_hash(hs_bytes_str(domain));
    struct hs_time *at = hs_domain_is_tied(turn, &hash, root) ? NULL : asked_at(turn, &hash, root);
    if (at == NULL)
        return true;
    if (turn->now.ms < at->ms || !may_ask(turn, root, domain))
        return false;
    at->ms = turn->now.ms + HS_DISCOVER_MS;
    ask(turn, root, domain);
    return true;
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

/* The pinned root has signed that the page's takes its place. It is the operator's to judge all the same. */
static bool is_vouched(struct hs_turn *turn, const Hanse__State__Discovered *found,
                       const struct hs_key *pinned)
{
    Hanse__SignedObject *object;
    struct hs_key old;
    return hs_object_unpack(hs_pb_bytes(found->descriptor), turn->arena, &object) == HS_OK &&
           hs_descriptor_vouched(object, turn->now, &old) && hs_key_equal(&old, pinned);
}

/* Another root than the pinned one is at that domain: nothing follows from that but by the operator's word.
 * Who has only come and claimed the domain has pinned nothing. */
static void root_shown(struct hs_turn *turn, const Hanse__State__Discovered *found, const struct hs_key *root,
                       const struct hs_key *pinned, const struct hs_key *shown)
{
    struct hs_id domain = hs_domain_hash(hs_bytes_str(found->domain));
    const struct hs_peer *peer = hs_peer_find(&turn->core->peers, root);
    struct hs_key known;
    bool is_known = hs_domain_root(turn, &domain, root, &known);
    struct hs_root_seen seen = {.domain = found->domain,
                                .pinned = *pinned,
                                .shown = *shown,
                                .invited = !is_known,
                                .vouched = is_vouched(turn, found, pinned)};
    if (is_known || peer != NULL)
        hs_domain_root_shown(turn, &seen);
    else
        hs_turn_log(turn, "event=well-known-refused error=%s", hs_err_name(HS_ERR_WRONG_PEER));
}

/* False where the domain is another root's than the one that it was asked for: nobody is dialled for its sake
 * then. */
static bool judge_page(struct hs_turn *turn, const Hanse__State__Discovered *found, const struct hs_key *root)
{
    struct hs_descriptor d;
    struct hs_id domain = hs_domain_hash(hs_bytes_str(found->domain));
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, root);
    struct hs_key pinned = *root;
    (void)hs_domain_root(turn, &domain, root, &pinned);
    bool right = hs_key_equal(&pinned, root);
    enum hs_err err = found->descriptor.len > 0 ? read_page(turn, found, &d) : HS_ERR_NOT_FOUND;
    if (err != HS_OK) {
        if (found->descriptor.len > 0)
            hs_turn_log(turn, "event=well-known-refused error=%s", hs_err_name(err));
        return right;
    }
    if (!hs_key_equal(&d.root, &pinned)) {
        root_shown(turn, found, root, &pinned, &d.root);
        return false;
    }
    hs_domain_root_confirmed(turn, found->domain, &pinned);
    if (peer != NULL) { /* an invite, or a hub from before, says another one than everybody else */
        peer->root_changed = !right;
        peer->other_root = pinned;
    }
    if (!right)
        return false;
    if (!hs_domain_is_tied(turn, &domain, root))
        hs_domain_tie(turn, root, found->domain);
    if (peer != NULL && (peer->sequence == 0 || d.sequence > peer->sequence))
        hs_peer_learn(turn, peer, hs_pb_bytes(found->descriptor));
    return true;
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
    bool right = judge_page(turn, found, &root);
    judge_sessions(turn, &root);
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, &root);
    if (peer == NULL || peer->state != HS_PEER_DOWN)
        return;
    if (right)
        hs_peer_found(turn, peer, found->addresses, found->n_addresses);
    if (peer->address_count == 0)
        hs_asked_give_up(turn, peer);
    else if (peer->retry_at.ms > turn->now.ms)
        peer->retry_at.ms = peer->not_before.ms;
    hs_peer_work(turn, peer);
}
