/* hansed peers approve and refuse: domains that show another root than the pinned one. */
#include "core/admin/admin.h"
#include "core/federation/domain_root.h"
#include "core/internal.h"
#include "core/standing/standing.h"
#include "identity/descriptor.h"

static bool is_blocked(struct hs_turn *turn, const char *domain, struct hs_bytes root)
{
    struct hs_id hash = hs_domain_hash(hs_bytes_str(domain));
    struct hs_key key;
    return HS_FIXED(root, &key) && hs_standing_is_blocked(turn->core, &key, &hash);
}

enum hs_err hs_admin_roots_seen(struct hs_turn *turn, Hanse__State__AdminPeers *list)
{
    struct hs_kv_key from = {0};
    const Hanse__State__RootView *view;
    list->roots = hs_arena_alloc(turn->arena, HS_ROOTS_MAX * sizeof *list->roots);
    HS_REQUIRE(list->roots != NULL, HS_ERR_NOMEM);
    while (list->n_roots < HS_ROOTS_MAX && (view = hs_domain_roots_next(turn, &from, turn->arena)) != NULL) {
        bool waits = hs_domain_root_waits(turn, view);
        if (!waits && !view->refused)
            continue;
        Hanse__State__AdminRootSeen *row =
            HS_NEW(turn, Hanse__State__AdminRootSeen, hanse__state__admin_root_seen);
        HS_REQUIRE(row != NULL, HS_ERR_NOMEM);
        row->domain = view->domain;
        row->pinned = view->pinned;
        row->shown = view->shown;
        row->since_ms = view->since_ms;
        row->refused = view->refused;
        row->invited = view->invited;
        row->vouched = view->vouched;
        row->blocked = is_blocked(turn, view->domain, hs_pb_bytes(view->shown));
        list->roots[list->n_roots++] = row;
        for (size_t i = 0; i < list->n_peers && waits; i++)
            if (hs_bytes_equal(hs_pb_bytes(list->peers[i]->root), hs_pb_bytes(view->pinned)))
                list->peers[i]->other_root = row->shown;
    }
    return turn->kv->err;
}

enum hs_err hs_admin_root(struct hs_turn *turn, const Hanse__State__AdminRequest *request,
                          Hanse__State__AdminAnswer *answer)
{
    const Hanse__State__AdminAskRoot *ask = request->root;
    struct hs_key root, shown = {0}, pinned;
    bool named = ask->root.len > 0;
    HS_REQUIRE(hs_domain_is_valid(hs_bytes_str(ask->domain)), HS_ERR_MALFORMED);
    HS_REQUIRE(named ? HS_FIXED(hs_pb_bytes(ask->root), &root) : !ask->approve, HS_ERR_MALFORMED);
    answer->root = HS_NEW(turn, Hanse__State__AdminRootDecided, hanse__state__admin_root_decided);
    HS_REQUIRE(answer->root != NULL, HS_ERR_NOMEM);
    answer->body_case = HANSE__STATE__ADMIN_ANSWER__BODY_ROOT;
    enum hs_root_outcome outcome =
        hs_domain_root_decide(turn, ask->domain, named ? &root : NULL, ask->approve, &shown);
    struct hs_id hash = hs_domain_hash(hs_bytes_str(ask->domain));
    answer->root->outcome = (uint32_t)outcome;
    answer->root->shown = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(shown)));
    if (hs_domain_root(turn, &hash, &shown, &pinned))
        answer->root->pinned = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(pinned)));
    answer->root->blocked = is_blocked(turn, ask->domain, HS_VIEW(shown));
    return turn->kv->err;
}
