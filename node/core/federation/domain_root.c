#include "core/federation/domain_root.h"

#include "base/text.h"
#include "core/federation/discover.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "core/standing/standing.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 1024 * 1024 }; /* HS_ROOTS_MAX views */

static struct hs_kv_key tie_key(const struct hs_id *domain)
{
    return hs_key_sub(HS_MISC_DOMAIN, HS_VIEW(*domain), (struct hs_bytes){0});
}

static struct hs_kv_key view_key(const char *domain)
{
    struct hs_id hash = hs_domain_hash(hs_bytes_str(domain));
    return hs_key_sub(HS_MISC_ROOT, HS_VIEW(hash), (struct hs_bytes){0});
}

static Hanse__State__RootView *view_of(struct hs_turn *turn, const char *domain)
{
    struct hs_kv_key key = view_key(domain);
    return (Hanse__State__RootView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__root_view);
}

/* ---- what pins a domain's root ---- */

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

static void tie(struct hs_turn *turn, const char *domain, struct hs_bytes root)
{
    struct hs_id hash = hs_domain_hash(hs_bytes_str(domain));
    struct hs_kv_key key = tie_key(&hash);
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key), root);
}

void hs_domain_tied_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                          const Hanse__State__StreamRecord *record)
{
    tie(turn, record->domain_tied->domain, HS_VIEW(at->id));
}

void hs_domain_tie(struct hs_turn *turn, const struct hs_key *root, const char *domain)
{
    Hanse__State__DomainTied tied = HANSE__STATE__DOMAIN_TIED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    tied.domain = (char *)(uintptr_t)domain;
    record.domain_tied = &tied;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_DOMAIN_TIED;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(*root), &record);
}

static bool row_root(const struct hs_rules *rules, const struct hs_id *domain, const struct hs_key *wanted,
                     struct hs_key *out)
{
    bool found = false;
    for (size_t i = 0; i < rules->len; i++) {
        const struct hs_rule *rule = &rules->list[i];
        if (rule->kind != HS_RULE_NODE || !hs_id_equal(&rule->domain, domain))
            continue;
        if (!found || (wanted != NULL && hs_key_equal(&rule->root, wanted)))
            *out = rule->root;
        found = true;
    }
    return found;
}

/* That of a hub which is followed under that domain's name. It is a claim only, and yet no other root may
 * take its place without a word. */
static bool followed_root(const struct hs_peers *peers, const struct hs_id *domain,
                          const struct hs_key *wanted, struct hs_key *out)
{
    bool found = false;
    for (const struct hs_peer *peer = peers->list; peer != NULL; peer = peer->next) {
        if (!peer->followed || !hs_id_equal(&peer->domain, domain))
            continue;
        if (!found || (wanted != NULL && hs_key_equal(&peer->root, wanted)))
            *out = peer->root;
        found = true;
    }
    return found;
}

bool hs_domain_root(struct hs_turn *turn, const struct hs_id *domain, const struct hs_key *wanted,
                    struct hs_key *out)
{
    return row_root(&turn->core->rules, domain, wanted, out) || tied_root(turn, domain, out) ||
           followed_root(&turn->core->peers, domain, wanted, out);
}

/* ---- what else was seen ---- */

Hanse__State__RootView *hs_domain_roots_next(struct hs_turn *turn, struct hs_kv_key *from,
                                             struct hs_arena *arena)
{
    struct hs_kv_key prefix = hs_key_sub(HS_MISC_ROOT, (struct hs_bytes){0}, (struct hs_bytes){0});
    struct hs_bytes key, value;
    Hanse__State__RootView *view = NULL;
    if (from->len == 0)
        *from = prefix;
    if (!hs_kv_next(turn->kv, HS_T_MISC, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(from), arena, &key,
                    &value))
        return NULL;
    *from = hs_kv_after(key);
    enum hs_err err = HS_UNPACK(hanse__state__root_view, value, HS_LENIENT, arena, &view);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
    return err == HS_OK ? view : NULL;
}

bool hs_domain_root_waits(struct hs_turn *turn, const Hanse__State__RootView *view)
{
    struct hs_id domain = hs_domain_hash(hs_bytes_str(view->domain));
    struct hs_key shown, pinned;
    if (view->gone || view->refused || !HS_FIXED(hs_pb_bytes(view->shown), &shown))
        return false;
    return !row_root(&turn->core->rules, &domain, &shown, &pinned) || !hs_key_equal(&pinned, &shown);
}

uint64_t hs_domain_roots_waiting(struct hs_turn *turn)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key from = {0};
    const Hanse__State__RootView *view;
    uint64_t count = 0;
    while ((view = hs_domain_roots_next(turn, &from, &scratch)) != NULL)
        count += hs_domain_root_waits(turn, view) ? 1 : 0;
    return count;
}

/* What gives way first where there are too many. */
static int weight_of(const Hanse__State__RootView *view)
{
    if (view->gone)
        return 0;
    if (view->invited)
        return 1; /* anybody with an account can bring that about */
    return view->refused ? 2 : 3;
}

/* The domain whose view gives way to another one, in scratch: the oldest of the least weight. False where
 * none has to; NULL where none may. */
static bool find_victim(struct hs_turn *turn, int weight, struct hs_arena *scratch, const char **victim)
{
    struct hs_kv_key from = {0};
    const Hanse__State__RootView *view, *least = NULL;
    size_t count = 0;
    while ((view = hs_domain_roots_next(turn, &from, scratch)) != NULL) {
        count++;
        bool less = least == NULL || weight_of(view) < weight_of(least);
        if (less || (weight_of(view) == weight_of(least) && view->since_ms < least->since_ms))
            least = view;
    }
    *victim = least != NULL && weight_of(least) <= weight ? least->domain : NULL;
    return count >= HS_ROOTS_MAX;
}

void hs_root_shown_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                         const Hanse__State__StreamRecord *record)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    Hanse__State__RootView view = HANSE__STATE__ROOT_VIEW__INIT, *before;
    const char *domain = record->root_shown->domain, *victim = NULL;
    struct hs_kv_key key = view_key(domain);
    before = view_of(turn, domain);
    view.domain = record->root_shown->domain;
    view.pinned = hs_pb_data(HS_VIEW(at->id));
    view.shown = record->root_shown->shown;
    view.invited = record->root_shown->invited;
    view.vouched = record->root_shown->vouched;
    view.since_ms = record->time_ms;
    view.gone = view.shown.len == 0;
    if (view.gone && before != NULL && record->time_ms - before->since_ms >= HS_ROOT_PAUSE_MS) {
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
        return;
    }
    if (before == NULL && find_victim(turn, weight_of(&view), &scratch, &victim) && victim != NULL) {
        struct hs_kv_key other = view_key(victim);
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&other));
    }
    hs_view_put(turn, HS_T_MISC, &key, &view.base);
}

static void record_shown(struct hs_turn *turn, const struct hs_root_seen *seen, struct hs_bytes shown)
{
    Hanse__State__RootShown body = HANSE__STATE__ROOT_SHOWN__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    body.domain = (char *)(uintptr_t)seen->domain;
    body.shown = hs_pb_data(shown);
    body.invited = seen->invited;
    body.vouched = seen->vouched;
    record.root_shown = &body;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_ROOT_SHOWN;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(seen->pinned), &record);
}

static bool is_same(const Hanse__State__RootView *view, const struct hs_root_seen *seen)
{
    return !view->gone && view->vouched == seen->vouched &&
           hs_bytes_equal(hs_pb_bytes(view->pinned), HS_VIEW(seen->pinned)) &&
           hs_bytes_equal(hs_pb_bytes(view->shown), HS_VIEW(seen->shown));
}

void hs_domain_root_shown(struct hs_turn *turn, const struct hs_root_seen *seen)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    const Hanse__State__RootView *view = view_of(turn, seen->domain);
    const char *victim;
    bool soon = view != NULL && turn->now.ms - view->since_ms < HS_ROOT_PAUSE_MS &&
                turn->now.ms >= view->since_ms; /* somebody may have set the clock back */
    if (view != NULL && (soon || is_same(view, seen)))
        return;
    Hanse__State__RootView fresh = HANSE__STATE__ROOT_VIEW__INIT;
    fresh.invited = seen->invited;
    bool kept = view != NULL || !find_victim(turn, weight_of(&fresh), &scratch, &victim) || victim != NULL;
    hs_turn_log(turn,
                "event=root-changed pinned=%s shown=%s vouched=%s kept=%s text=\"refused; see hansed peers\"",
                hs_short(HS_VIEW(seen->pinned)).text, hs_short(HS_VIEW(seen->shown)).text,
                seen->vouched ? "yes" : "no", kept ? "yes" : "no");
    if (kept)
        record_shown(turn, seen, HS_VIEW(seen->shown));
}

void hs_domain_root_confirmed(struct hs_turn *turn, const char *domain, const struct hs_key *pinned)
{
    const Hanse__State__RootView *view = view_of(turn, domain);
    if (view == NULL || view->gone)
        return;
    hs_turn_log(turn, "event=root-confirmed pinned=%s", hs_short(HS_VIEW(*pinned)).text);
    record_shown(turn, &(struct hs_root_seen){.domain = domain, .pinned = *pinned}, (struct hs_bytes){0});
}

/* ---- the operator's word ---- */

void hs_root_decided_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                           const Hanse__State__StreamRecord *record)
{
    const char *domain = record->root_decided->domain;
    struct hs_kv_key key = view_key(domain);
    Hanse__State__RootView *view = view_of(turn, domain);
    if (record->root_decided->approved) {
        tie(turn, domain, HS_VIEW(at->id));
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
    } else if (view != NULL) {
        view->refused = true;
        hs_view_put(turn, HS_T_MISC, &key, &view->base);
    }
}

static void record_decided(struct hs_turn *turn, const char *domain, const struct hs_key *root, bool approved)
{
    Hanse__State__RootDecided body = HANSE__STATE__ROOT_DECIDED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    body.domain = (char *)(uintptr_t)domain;
    body.approved = approved;
    record.root_decided = &body;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_ROOT_DECIDED;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(*root), &record);
    hs_turn_log(turn, "event=root-%s root=%s", approved ? "approved" : "refused",
                hs_short(HS_VIEW(*root)).text);
}

/* Sessions that are up have another standing now; who waited for the new root's node is found. */
static void go_on(struct hs_turn *turn, const struct hs_id *domain, const struct hs_key *root)
{
    struct hs_core *core = turn->core;
    for (struct hs_session *s = core->sessions.by_id; s != NULL; s = s->hh.next)
        if (s->state == HS_SESSION_NODE && hs_id_equal(&s->domain, domain))
            hs_standing_again(turn, s);
    struct hs_peer *peer = hs_peer_find(&core->peers, root);
    if (peer == NULL)
        return;
    peer->root_changed = false;
    peer->discover_at.ms = 0;
    hs_discover_at_once(core, domain);
    if (peer->state == HS_PEER_DOWN)
        hs_discover_peer(turn, peer);
}

enum hs_root_outcome hs_domain_root_decide(struct hs_turn *turn, const char *domain,
                                           const struct hs_key *root, bool approve, struct hs_key *shown)
{
    struct hs_id hash = hs_domain_hash(hs_bytes_str(domain));
    const Hanse__State__RootView *view = view_of(turn, domain);
    struct hs_key pinned;
    bool there = view != NULL && !view->gone && HS_FIXED(hs_pb_bytes(view->shown), shown);
    if (approve && root != NULL && hs_domain_is_tied(turn, &hash, root)) {
        *shown = *root;
        return HS_ROOT_DONE;
    }
    if (!there)
        return HS_ROOT_UNSEEN;
    if (root != NULL && !hs_key_equal(root, shown))
        return HS_ROOT_ANOTHER;
    if (approve && row_root(&turn->core->rules, &hash, shown, &pinned) && !hs_key_equal(&pinned, shown))
        return HS_ROOT_ROW;
    if (approve || !view->refused)
        record_decided(turn, domain, shown, approve);
    if (approve)
        go_on(turn, &hash, shown);
    return HS_ROOT_DONE;
}
