/* A room in the town that moves to its owner's new home. */
#ifndef TESTS_CLIENT_HUB_SCENE_H
#define TESTS_CLIENT_HUB_SCENE_H

#include "town.h"

/* Rosa's room is at the old node, where she and Ben are at home; Dora is at the third one, Cem at the new. */
struct scene {
    struct town *t;
    struct town_node *old, *new, *third;
    struct town_device *rosa, *ben, *dora, *cem;
    struct hs_id room;
};

struct scene scene_new(void);

/* What the new node's operator prints for Rosa's key. */
void grant(struct scene *c);

/* She gets another home, and gives it the room. */
void rosa_moves(struct scene *c);
void the_room_moves(struct scene *c);

void post(struct town_device *d, const struct hs_id *room, const char *text);
void all_see(struct scene *c, const char *texts);

#endif
