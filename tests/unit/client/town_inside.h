/* What the town's own files know of each other: town.c (the ground, what is on its way, time), town_node.c,
 * town_device.c. */
#ifndef TESTS_CLIENT_TOWN_INSIDE_H
#define TESTS_CLIENT_TOWN_INSIDE_H

#include "town.h"

enum { TOWN_BUDGET = 1 << 18 };

enum town_what { TOWN_TO_NODE, TOWN_TO_DEVICE, TOWN_NODE_CLOSED, TOWN_DEVICE_CLOSED };

struct town_item {
    struct town_item *next;
    enum town_what what;
    uint64_t session;
    size_t len;
    uint8_t data[];
};

struct town_session {
    struct town_session *next;
    uint64_t id;
    struct town_node *node;
    struct town_device *device; /* or */
    uint64_t peer;              /* the session at the other node */
};

struct town {
    struct hs_time now;
    struct hs_arena arena;
    struct town_node nodes[TOWN_NODES];
    struct town_device *devices[TOWN_DEVICES];
    size_t node_count, device_count;
    struct town_session *sessions;
    struct town_item *items;
    uint64_t next_session;
    char history[65536];
};

/* town.c: what is on its way, and between whom; bytes are copied, a session lives until it is dropped. */
void town_item_add(struct town *t, enum town_what what, uint64_t session, struct hs_bytes bytes);
struct town_session *town_session_find(struct town *t, uint64_t id);
struct town_session *town_session_add(struct town *t, struct town_node *node, struct town_device *device);
void town_session_drop(struct town *t, uint64_t id);

/* town_node.c: NULL where there is none; one input, and what comes of it; a session opens at its node: it
 * came from whoever has that static key, or the node itself has dialled that one. */
struct town_node *town_node_by_root(struct town *t, const struct hs_key *root);
void town_node_input(struct town_node *node, struct hs_core_input input);
void town_node_open(struct town_session *s, const struct hs_key *remote, const uint8_t *hash,
                    const struct town_node *dialled);

/* town_device.c: what it does by itself (true: something moved), and what comes to it. */
bool town_device_dials(struct town_device *d);
bool town_device_ticks(struct town_device *d);
void town_device_frame(struct town_device *d, struct hs_bytes frame);
void town_device_closed(struct town_device *d, enum hs_err why);

#endif
