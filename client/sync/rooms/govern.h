/* Changes of a room's policy. */
#ifndef HS_SYNC_GOVERN_H
#define HS_SYNC_GOVERN_H

#include "sync/state.h"

/* The next change that somebody here wants, as the pending commit. */
enum hs_err hs_policy_next(struct hs_step *s, struct hs_live_room *room);

/* A commit is settled: whoever waited for what it did is told. */
enum hs_err hs_policy_settled(struct hs_step *s, struct hs_live_room *room, uint64_t seq);

#endif
