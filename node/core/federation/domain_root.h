/* The root of a domain: what pins it, which other one was seen there, and what the operator says of that.
 *
 * A domain's root is the one of the operator's row; without a row the one that was approved, or that its own
 * page has shown first; else that of a hub of that domain whose rooms are followed here. Where its page shows
 * another one, that changes nothing by itself: it is kept, the newest of each domain, until the operator
 * approves or refuses it. */
#ifndef HS_CORE_DOMAIN_ROOT_H
#define HS_CORE_DOMAIN_ROOT_H

#include "core/state.pb-c.h"
#include "core/turn.h"

enum {
    HS_ROOTS_MAX = 256,            /* domains of which another root is kept: a screen of them is an attack */
    HS_ROOT_PAUSE_MS = 3600 * 1000 /* between two roots that one domain shows: each is a record for good */
};

/* The page of that domain has shown this root, as far as is remembered, or the operator has approved it. */
bool hs_domain_is_tied(struct hs_turn *turn, const struct hs_id *domain, const struct hs_key *root);
void hs_domain_tie(struct hs_turn *turn, const struct hs_key *root, const char *domain);

/* False where nothing but whoever asks knows a root of the domain. Where rows name several, the wanted one of
 * them. */
bool hs_domain_root(struct hs_turn *turn, const struct hs_id *domain, const struct hs_key *wanted,
                    struct hs_key *out);

/* A domain shows another root than the pinned one: kept for the operator, but for one that was refused
 * already. */
struct hs_root_seen {
    const char *domain;
    struct hs_key pinned, shown;
    bool invited; /* nothing but an invite has pinned the one */
    bool vouched; /* and that has signed that the other takes its place */
};
void hs_domain_root_shown(struct hs_turn *turn, const struct hs_root_seen *seen);

/* It shows the pinned one (again). */
void hs_domain_root_confirmed(struct hs_turn *turn, const char *domain, const struct hs_key *pinned);

enum hs_root_outcome {
    HS_ROOT_DONE,    /* also where it was so before */
    HS_ROOT_UNSEEN,  /* the domain shows no other root */
    HS_ROOT_ANOTHER, /* it shows another one than the operator has named */
    HS_ROOT_ROW,     /* the operator's own row names another one */
};

/* The operator's word. root: NULL for whatever is shown, of a refusal. shown: the one that is shown, where
 * there is one. */
enum hs_root_outcome hs_domain_root_decide(struct hs_turn *turn, const char *domain,
                                           const struct hs_key *root, bool approve, struct hs_key *shown);

/* What is kept, one after another: from is zeroed by the caller first. In the arena; NULL behind the last. */
Hanse__State__RootView *hs_domain_roots_next(struct hs_turn *turn, struct hs_kv_key *from,
                                             struct hs_arena *arena);

/* It waits for the operator, who has neither refused it nor named it in a row. */
bool hs_domain_root_waits(struct hs_turn *turn, const Hanse__State__RootView *view);

/* How many do. */
uint64_t hs_domain_roots_waiting(struct hs_turn *turn);

#endif
