/* Blobs that several bring at once: a room with members at three nodes, and what they bring. */
#ifndef TESTS_CORE_BLOB_SCENE_H
#define TESTS_CORE_BLOB_SCENE_H

#include "peer_world.h"

#include "core/blobs/blob.h"

enum { PIECES = 3, LEN = PIECES * HS_BLOB_CHUNK - 77, BLOBS = 4 };

/* Mallory is a customer of the hub, eve one of alice's home, bob is at a third node. */
struct scene {
    struct world *w;
    struct world_node *hub, *home, *other;
    struct world_device *owner;
    struct world_room *room, *mallorys, *alices, *eves, *bobs;
    struct hs_bytes bytes[BLOBS]; /* the i-th has LEN - i bytes */
};

void scene_new(struct world *w, struct scene *s);

/* So many random bytes, which live as long as the world; the n-th piece of a blob. */
struct hs_bytes noise(struct world *w, size_t len);
struct hs_bytes piece(struct hs_bytes all, size_t n);

#endif
