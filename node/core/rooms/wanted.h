/* Commits that somebody has to make, and that nobody makes by himself: the hub has no GroupInfo for who comes
 * back (its commit came back without it, or was another hub's), or somebody has left, and who takes out those
 * is away. The hub asks one member's device after another. What it knows of that is in memory, and found out
 * anew when somebody attaches. */
#ifndef HS_CORE_WANTED_H
#define HS_CORE_WANTED_H

#include "core/state.pb-c.h"
#include "core/turn.h"

struct hs_wanted;

enum {
    HS_WANTED_ROOMS = 10000,    /* that are noted at once; the others when somebody attaches again */
    HS_WANTED_TICK = 64,        /* of them in one tick */
    HS_WANTED_SOON_MS = 2000,   /* an owner's device that follows a move of the room commits by itself */
    HS_WANTED_AGAIN_MS = 5000,  /* then the next one is asked: a commit is there, and settled, long before */
    HS_WANTED_LEAVER_MS = 10000 /* owners and moderators who are there take out by themselves who has left */
};

/* Where the room, which this node is the hub of, needs a commit: somebody is asked for it. view: as it is, or
 * NULL. */
void hs_wanted_note(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view);

void hs_wanted_tick(struct hs_turn *turn);
void hs_wanted_free(struct hs_core *core);

#endif
