/* A hub and a follower of it, with one member each. */
#ifndef TESTS_CORE_PAIR_SCENE_H
#define TESTS_CORE_PAIR_SCENE_H

#include "world.h"

/* Rosa owns the room at the hub, Alice is a member from the home node. */
struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice;
    struct world_room *room, *alices;
    struct world_invite invite; /* Alice's, for some more */
};

struct scene scene_new(struct world *w);

#endif
