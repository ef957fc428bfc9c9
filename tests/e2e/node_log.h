/* A node's copy of a room's log, as it is on the disk. */
#ifndef TESTS_E2E_NODE_LOG_H
#define TESTS_E2E_NODE_LOG_H

#include "base/arena.h"
#include "base/bytes.h"

typedef void node_log_body(void *arg, struct hs_bytes body, struct hs_arena *arena);

/* Each record's body in the log's order; empty where it was erased. The node may be running. The errors of
 * hs_lmdb_open(). */
enum hs_err node_log_each(const char *store, const struct hs_id *room, node_log_body *each, void *arg);

#endif
