/* A room in memory: its row, its group, its policy; and who is in it. Part of sync/state.h. */
#ifndef HS_SYNC_LIVE_ROOM_H
#define HS_SYNC_LIVE_ROOM_H

#include "mls/group.h"
#include "room/policy.h"
#include "store/posts.h"
#include "store/rooms.h"
#include "sync/log/settle.h"
#include "sync/sync.h"

struct hs_hub_move;

struct hs_live_room {
    struct hs_live_room *next;
    struct hs_room_row row;
    struct hs_arena row_arena, policy_arena;
    struct hs_mls_group *group;  /* NULL: not loaded, or there is none */
    struct hs_group_store store; /* of the group; of the transaction of the step that got the room last */
    struct hs_mls_public *pub;   /* the public side, where the room's keys are lost: rejoin.h */
    struct hs_group_store pub_store;
    struct hs_policy policy; /* valid where one of them is not NULL */
    bool row_dirty, group_dirty, pub_dirty;
    bool group_fresh;               /* never saved: what the store has is of an older group of that room */
    bool caught_up;                 /* as far as the newest head that the hub showed in this session */
    struct hs_time progress_at;     /* when the application was told last how far it is; 0: it wasn't */
    struct hs_newest_commit newest; /* settle.h */
    struct hs_time rejoin_at;       /* the way back was refused, and isn't tried again before */
    struct hs_time typing_at;       /* when this device said last that somebody types */
    bool posts_counted;             /* what follows is true of the outbox */
    size_t posts_waiting;           /* to be encrypted */
    size_t posts_early;             /* under way, and may yet be refused for their epoch, which is over */
    struct hs_hub_move *hub_move;   /* in the records that come just now; else NULL */
    bool move_told;                 /* in this session: the hub was asked to serve it through the new home */
    bool move_waits;                /* for a hub that is away: that was said */
    bool move_refused;              /* and what it said is shown, and holds up nothing */
    bool move_fresh;                /* its forgetting has a number of its own */
    unsigned move_raised;           /* so often the hub knew a later number of one's moves */
    struct hs_time move_at;         /* it is asked again then; 0: it hasn't answered */
    bool way_told;                  /* and that was the hub in way_root */
    bool gap_grown;                 /* in this step: hs_gap_tell() */
    enum hs_err trouble;            /* of this machine, where somebody of the room couldn't be looked at */
    uint64_t incarnation;           /* of the brand's node, as its heads said last */
    uint64_t head_in;               /* 1 + the epoch in which the hub's signed head was shown last; 0: none */
};

/* ---- live_room.c ---- */

/* NOT_FOUND. */
enum hs_err hs_live_get(struct hs_step *s, const struct hs_id *room, struct hs_live_room **out);

/* The same with its group: STATE_LOST without keys, INVALID_STATE where this device isn't a member (yet, or
 * any more). */
enum hs_err hs_live_member(struct hs_step *s, const struct hs_id *room, struct hs_live_room **out);

/* The same where its keys are lost too, and what is posted waits until they are back. */
enum hs_err hs_live_poster(struct hs_step *s, const struct hs_id *room, struct hs_live_room **out);

/* The public side of the room's group; NULL where there is none. */
const struct hs_mls_public *hs_live_public(const struct hs_live_room *room);

/* A new room of which row is everything that is known; group may be NULL and is taken over. */
enum hs_err hs_live_add(struct hs_step *s, const struct hs_room_row *row, struct hs_mls_group *group,
                        struct hs_live_room **out);

/* How this device's groups are kept: as long as the hub takes posts, they can be read. */
struct hs_mls_settings hs_live_settings(void);

/* It is at: what can't come any more need not be readable. */
void hs_live_expire(struct hs_live_room *room, struct hs_time at);

/* After the group changed its epoch: policy, name, role, members, epoch in the row. */
enum hs_err hs_live_refresh(struct hs_step *s, struct hs_live_room *room);

/* The hub's descriptor, facts being what it says. One whose sequence isn't above that of the present one
 * changes nothing, and facts become the present one's. */
enum hs_err hs_live_set_descriptor(struct hs_step *s, struct hs_live_room *room, struct hs_bytes descriptor,
                                   struct hs_descriptor *facts);

/* That of another hub takes its place. */
enum hs_err hs_live_take_descriptor(struct hs_live_room *room, struct hs_bytes descriptor);

/* Writes what changed. */
enum hs_err hs_live_save_all(struct hs_step *s);
void hs_live_forget(struct hs_sync *sync, const struct hs_id *room);
void hs_live_drop_all(struct hs_sync *sync);

/* The MessageContext of what is sent now. */
enum hs_err hs_live_context(struct hs_step *s, struct hs_live_room *room, const struct hs_id *joins,
                            size_t count, struct hs_bytes *out);

/* ---- people.c ---- */

/* Somebody's name as the room shows it. domain: of the hub; a handle of another domain isn't shown. */
void hs_person_of(struct hs_live_room *room, const struct hs_mls_member *member, struct hs_time at,
                  struct hs_person *out);
/* The same by the persona's key alone, for whoever is in the room now; else only the key is known. */
void hs_person_by_key(struct hs_live_room *room, const struct hs_key *persona, struct hs_time at,
                      struct hs_person *out);

/* Who came or went, for a line of the history: "rosa@rosa.example, "Ben" and 12 more". Names that their
 * bearers chose are quoted; handles are not. In the arena. */
struct hs_bytes hs_people_text(struct hs_step *s, const struct hs_person *people, size_t count);
bool hs_live_find(struct hs_live_room *room, const struct hs_key *persona, struct hs_mls_member *out);
bool hs_live_has_persona(struct hs_live_room *room, const struct hs_key *persona);

#endif
