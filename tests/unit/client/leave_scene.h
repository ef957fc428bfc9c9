/* Rooms that are left on a device alone, while their hubs say nothing. */
#ifndef TESTS_CLIENT_LEAVE_SCENE_H
#define TESTS_CLIENT_LEAVE_SCENE_H

#include "hostile.h"

#include "identity/grant.h"
#include "room/join.h"
#include "store/tables.h"
#include "sync/rooms/leave_here.h"
#include "sync/state.h"

enum { LONG_MS = 700000 };

/* Dora's home is another node than the hub of either room; the far hub goes away. */
struct scene {
    struct town *t;
    struct town_node *hub, *far, *home, *new;
    struct town_device *rosa, *fred, *dora;
    struct hs_id room, fars;
    const char *link;
};

struct scene scene_new(void);

/* It can't be reached any more. */
void goes_away(struct town_node *node);

/* The far hub is there again, and Dora hears all that it has to say. */
void comes_back(struct scene *c);

/* Whether the device's store has a row there. */
bool any(struct town_device *d, enum hs_table table, struct hs_bytes prefix);

/* Posts, and waits a little. */
uint64_t post(struct scene *c, struct town_device *d, const struct hs_id *room, const char *text);
bool fred_sees(struct scene *c, const char *text);

/* Nothing of the far room is on the device that says so any more, but its history. */
void she_is_out_here(struct scene *c, struct town_device *d);

/* Nothing is left of it that would be sent. */
void nothing_is_on_its_way(struct scene *c);

/* Emil has asked to be let into the far room, and nobody is there to do it, until Fred is back. */
struct town_device *emil_waits(struct scene *c);
void fred_is_back(struct scene *c);

#endif
