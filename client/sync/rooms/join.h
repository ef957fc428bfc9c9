/* Who waits to be let in: it asks again, each room in its own time, and follows a room that moves. */
#ifndef HS_SYNC_JOIN_H
#define HS_SYNC_JOIN_H

#include "room/invite_link.h"
#include "store/posts.h"
#include "sync/state.h"

enum {
    HS_JOIN_LOOK_MS = 10 * 60 * 1000, /* so often it asks whether the room is still there */
    HS_JOIN_SOON_MS = 30000 /* what a hub says brings no request sooner: it may say the same each time */
};

/* The operation that waits for the answer; NULL: none. */
struct hs_op *hs_join_op(struct hs_sync *sync, const struct hs_id *room);

/* The room's brand, and its hub: the link's root where the room hasn't moved. Else the link names one of the
 * hubs that it had or has, and the chain leads from the brand's node to the present one. domain: the brand's.
 * WRONG_SIGNER; errors of the parts. */
enum hs_err hs_join_place(struct hs_step *s, const struct hs_invite_link *link, const struct hs_id *room,
                          const Hanse__InviteInfo *info, struct hs_key *brand, struct hs_hub_office *office,
                          char *domain);

/* The room has moved since this JOIN was made: the same one goes to the hub in office, which has it in its
 * log if any hub had it, and through whose session the Welcome comes. The row is stored. */
enum hs_err hs_join_moves(struct hs_step *s, struct hs_join_row *row, const struct hs_hub_office *office,
                          const Hanse__InviteInfo *info);

/* The hub has the request: from now on it is asked again. The row is stored. */
enum hs_err hs_join_asked(struct hs_step *s, struct hs_join_row *row);

/* The hub was asked once more, and refused: the wait goes on. The row is stored. */
enum hs_err hs_join_put_off(struct hs_step *s, struct hs_join_row *row, enum hs_err err);

/* The hub says that the room has gone: where is it? The row is stored. */
enum hs_err hs_join_gone(struct hs_step *s, struct hs_join_row *row);

/* Nobody waits for that room any more: it is LEFT again, with its history, or gone where it has none. */
enum hs_err hs_join_shown_no_more(struct hs_step *s, const struct hs_id *room);

/* Its person wants in no more, and has no room to see. The request is kept with its keys: the hub may have
 * it, and takes no other one until its time is over; and a Welcome that comes makes this device a member, who
 * can leave. The row is stored. */
enum hs_err hs_join_drop(struct hs_step *s, struct hs_join_row *row);

/* What the hub answers to one that was dropped meanwhile. */
enum hs_err hs_join_dropped_answered(struct hs_step *s, struct hs_join_row *row, enum hs_err err);

/* One that was dropped goes with its keys where its time is over; by a clock that was ahead when it was, that
 * begins now. */
enum hs_err hs_join_dropped_look(struct hs_step *s, struct hs_join_row *row);

/* The same for each; all: every one, since its Welcome can't come here any more. */
enum hs_err hs_joins_dropped_end(struct hs_step *s, bool all);

/* A first home is chosen: what was dropped of the joins at other nodes named another one. */
enum hs_err hs_joins_dropped_elsewhere(struct hs_step *s, const struct hs_key *home);

/* Does any wait that wasn't dropped? */
enum hs_err hs_joins_wait(struct hs_step *s, bool *waits);

#endif
