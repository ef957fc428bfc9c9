/* What saves of a room's group overwrite, so that they can be taken back: each record's value as it was
 * before the first of them, in the group's own table. It takes as much space as the saves wrote records:
 * O(log n) for a commit. */
#ifndef HS_ROOM_GROUP_UNDO_H
#define HS_ROOM_GROUP_UNDO_H

#include "room/group_store.h"

/* From now on, in this transaction or later ones, until one of the two below. */
void hs_group_undo_begin(struct hs_group_store *store);

/* All records are as they were at the beginning; a group that was loaded meanwhile has to be freed. The
 * store's errors stick in its transaction. */
void hs_group_undo_apply(struct hs_group_store *store);

/* The saves stay. */
void hs_group_undo_forget(struct hs_group_store *store);

/* For group_store.c: the record at key, or those at all keys that begin with it, are about to change. */
void hs_group_undo_note(const struct hs_group_store *store, struct hs_bytes key);
void hs_group_undo_note_all(const struct hs_group_store *store, struct hs_bytes prefix);

#endif
