/* Where a room's MLS group is kept: its small records (mls/store.h) in one table of a key-value store, each
 * key behind the room's id. The hub's public group and a member's own are kept the same way. */
#ifndef HS_ROOM_GROUP_STORE_H
#define HS_ROOM_GROUP_STORE_H

#include "base/kv.h"
#include "mls/store.h"

/* A group that was loaded from it reads on from it: it must neither move nor go before the group does. */
struct hs_group_store {
    struct hs_mls_store store; /* to be handed out */
    struct hs_kv *kv;          /* of the present transaction, to be exchanged with it; NULL between two:
                                  whatever needs the store then is INVALID_STATE */
    unsigned table;
    struct hs_id room;
    bool undo; /* what is overwritten is kept: group_undo.h */
};

void hs_group_store_init(struct hs_group_store *store, struct hs_kv *kv, unsigned table,
                         const struct hs_id *room);

/* All records of that room's group. */
void hs_group_store_delete(struct hs_kv *kv, unsigned table, const struct hs_id *room);

#endif
