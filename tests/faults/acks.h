/* What nodes have promised: the answers Accepted and Queued as they come out of a session, noted before the
 * client's own code sees them. Whoever links this wraps hs_conn_send and hs_sync_frame. */
#ifndef TESTS_FAULTS_ACKS_H
#define TESTS_FAULTS_ACKS_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

enum { ACKS_ASKED = 256 };

struct ack {
    struct hs_id body;
    size_t node;  /* whose word it is: the client's number of its home */
    bool queued;  /* at a follower; else in the hub's log */
    bool owed;    /* left the follower's outbox: must be in the hub's log */
    bool refused; /* by the hub, and the sender was told */
};

/* The requests of one client that wait for an answer; those of a session that ended are overwritten. */
struct acks_client {
    size_t node;
    struct {
        uint64_t id;
        struct hs_id body;
    } asked[ACKS_ASKED];
    size_t next;
    uint64_t frames;     /* that came */
    unsigned busy;       /* of them refusals by a node that has too much to do */
    unsigned busy_alone; /* of these, without a time to ask again */
};

/* Whose hanse_...() is being called. */
extern struct acks_client *acks_current;

/* Where it isn't NULL: is told of each that is new, and of each that was refused. */
extern void (*acks_told)(const struct ack *ack);

/* All, in their order. */
extern struct ack *acks;
extern size_t acks_count;

#endif
