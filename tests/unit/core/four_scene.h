/* A room of four people, for the tests of those who come back into it. */
#ifndef TESTS_CORE_FOUR_SCENE_H
#define TESTS_CORE_FOUR_SCENE_H

#include "world.h"

/* Rosa, Alice and Bob have their home at the hub, Cem at another node. */
struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *rosa, *alice, *bob, *cem;
    struct world_room *room, *alices, *bobs, *cems;
};

struct scene scene_new(struct world *w);

#endif
