/* The operator's words on other nodes: a file of rows, and rows from the configuration, made into what the
 * core takes (PeerRules in core/state.proto). One row a line:
 *
 *   block DOMAIN | ROOT              refused and never dialled
 *   allow DOMAIN | ROOT              large quotas; a domain counts once a node row ties it to a root
 *   node DOMAIN ROOT [HOST:PORT]...  the root of that domain, and where its node is: at most four addresses
 *
 * ROOT: 64 hex digits. '#' begins a comment. */
#ifndef HS_ADMIN_PEERS_H
#define HS_ADMIN_PEERS_H

#include "base/arena.h"
#include "core/state.pb-c.h"

enum { HS_PEERS_FILE_MAX = 1024 * 1024, HS_PEERS_WHY = 256 };

/* Adds the rows of text to rules, whose parts live in the arena. CONFIG with a sentence that names the line
 * (from 1) in why; TOO_LARGE past HS_RULES_MAX; NOMEM. name: of the file, for that sentence. */
enum hs_err hs_peers_parse(const char *name, struct hs_bytes text, struct hs_arena *arena,
                           Hanse__State__PeerRules *rules, char why[static HS_PEERS_WHY]);

#endif
