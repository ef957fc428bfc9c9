/* A room that goes from one hub to another, for the tests of that. */
#ifndef TESTS_CORE_OFFICE_SCENE_H
#define TESTS_CORE_OFFICE_SCENE_H

#include "world.h"

/* Rosa owns a room at the old hub; Alice is at home at a third node, Bob at the old hub, Carol at the new
 * one. */
struct scene {
    struct world *w;
    struct world_node *old, *new, *third;
    struct world_device *rosa, *alice, *bob, *carol;
    struct world_room *room, *alices, *bobs, *carols;
    uint64_t homes; /* that Rosa has had since her first one */
    uint32_t moves; /* of the room */
};

struct scene scene_new(struct world *w);

/* Her home is the new node, which reads from the record next_seq on. */
Hanse__Frame *scene_home_frame(struct scene *s, uint64_t next_seq);

/* Rosa has an account at the new node, with a role there, and that is her home. With the new node as the old
 * one, and another as the new, she moves once more, and then the room may. */
void scene_rosa_moves(struct scene *s);

/* What gives the room to a node, as that member's device would say it. */
Hanse__Frame *scene_move_frame(struct scene *s, struct world_room *by, struct world_node *to, uint32_t term);

/* The room goes to the new node, which has some seconds for it. */
void scene_room_moves(struct scene *s);
void scene_pass(struct scene *s, int seconds);

#endif
