/* What a node's store holds, read with the node's own code while its daemon is dead. Looking checks what must
 * hold of any store at any moment: it opens, records are chained without gaps from their first one on, each
 * body is there once and is found by its hash, and the head that a follower holds is the hub's and fits. */
#ifndef TESTS_FAULTS_LOOK_H
#define TESTS_FAULTS_LOOK_H

#include "base/bytes.h"

#include "core/hash.h"

/* One record of a room's log. */
struct look_record {
    uint64_t seq;
    struct hs_id hash, body;
    UT_hash_handle hh;
};

/* A body hash alone. */
struct look_body {
    struct hs_id body;
    UT_hash_handle hh;
};

struct look {
    bool there, hub; /* the room; this node orders it */
    uint64_t first, next;
    struct look_record *records; /* first..next-1 */
    struct look_record *by_body;
    struct look_body *queued;  /* wait in the outbox */
    struct look_body *refused; /* outcomes that wait in inboxes */
};

/* hub_key: the signing key of the room's hub. Ends the process where something doesn't hold. */
void look_at(const char *store, const struct hs_id *room, const struct hs_key *hub_key, struct look *out);
void look_free(struct look *look);

/* The store is whole: logs, bodies, heads, and every view is what the records make. beside: a folder for a
 * store that is made anew. */
void look_check(const char *store, const struct hs_key *root, const char *beside);

bool look_has(const struct look *look, const struct hs_id *body);
bool look_queued(const struct look *look, const struct hs_id *body);
bool look_refused(const struct look *look, const struct hs_id *body);

/* Byte for byte the same, wherever both have something; returns how many records that is. */
uint64_t look_same(const struct look *a, const struct look *b);

/* The root and the signing key of the descriptor in this file. */
struct hs_key look_signing_key(const char *descriptor_file, struct hs_key *root);

#endif
