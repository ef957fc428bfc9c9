/* What is due, and in which turn: a record costs its room one mark, and the readers of a marked room are
 * looked at once a round. Sessions that can be served stand in one of two lists. In the first are those to
 * whom something new came; in the second those who are behind: who just attached, or was given its share and
 * wants more. So thousands who return don't hold up those who are there, and neither those nor one another
 * are ever passed over. */
#ifndef HS_CORE_DUE_H
#define HS_CORE_DUE_H

#include "core/session.h"

/* Something new is in room. */
void hs_due_room(struct hs_sessions *sessions, const struct hs_id *room);

/* There may be something in the room that the session hasn't had: behind what else it waits for. */
void hs_due_position(struct hs_sessions *sessions, struct hs_session *session, struct hs_position *position,
                     enum hs_due_list list);

/* There may be something in its inbox. */
void hs_due_inbox(struct hs_sessions *sessions, struct hs_session *session, enum hs_due_list list);

/* The session takes so many bytes from now on. */
void hs_due_budget(struct hs_sessions *sessions, struct hs_session *session, size_t budget);

/* Marks the positions of all who read a room in which something new is. */
void hs_due_spread(struct hs_sessions *sessions);

/* The room that the session waits for first, which then is due no more; NULL where there is none. */
struct hs_position *hs_due_take(struct hs_session *session);

/* Takes the session off its list; puts it at the end of that one where it can be served, and has something
 * due. */
void hs_due_leave(struct hs_sessions *sessions, struct hs_session *session);
void hs_due_enter(struct hs_sessions *sessions, struct hs_session *session, enum hs_due_list list);

#endif
