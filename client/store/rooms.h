/* Rooms, their MLS state, their joiners and invites. */
#ifndef HS_STORE_ROOMS_H
#define HS_STORE_ROOMS_H

#include "identity/descriptor.h"
#include "room/group_store.h"
#include "room/log.h"
#include "room/policy.h"
#include "store/row.h"

enum hs_room_state {
    HS_ROOM_STATE_CREATING = 1, /* CreateRoom is in the outbox */
    HS_ROOM_STATE_WAITING,      /* a join row waits for its Welcome */
    HS_ROOM_STATE_MEMBER,
    HS_ROOM_STATE_LEFT,
    HS_ROOM_STATE_FROZEN,
};

/* What this device can do with a room's MLS state. */
enum hs_room_keys {
    HS_ROOM_KEYS_GOOD,
    HS_ROOM_KEYS_LOST, /* it has the public side only */
    HS_ROOM_KEYS_NEW,  /* it came back by a commit that isn't settled: the public side is still kept */
};

struct hs_room_row {
    struct hs_id id;
    uint32_t state; /* enum hs_room_state */
    uint32_t kind;  /* enum hs_room_kind */
    uint32_t role;  /* one's own, enum hs_room_role */
    char name[HS_POLICY_NAME_MAX + 1];
    char domain[HS_DOMAIN_MAX + 1];
    struct hs_key hub_root, self; /* of the room's brand; self: the persona that the room knows */
    struct hs_bytes descriptor;   /* of the hub */
    struct hs_log_tip tip;
    bool has_anchor; /* joined by Welcome, in the record with this number */
    uint64_t anchor;
    uint64_t epoch;
    uint64_t epoch_min; /* older posts aren't believed: somebody lost rights since */
    uint32_t members;
    int32_t frozen;   /* enum hs_err; of a member whose keys are lost: why it isn't back yet */
    bool has_promise; /* a head of the hub covers a record that isn't here yet */
    uint64_t promise_seq;
    struct hs_id promise_hash; /* the chain hash that this record must have */
    uint32_t keys;             /* enum hs_room_keys */
    bool rejoins;              /* its person wants this copy in, whichever came back before */
    uint64_t readable_from;    /* the epoch in which it came back: nothing of earlier ones can be read */
    uint64_t erased_in;        /* 1 + the epoch of the last post that came without its body; 0: none */
    uint64_t renew;            /* 1 + the epoch that this device has to end before it may post; 0: none */
    uint32_t recredential;     /* own commits until one's leaf shows all grants; 0: it does */
    bool has_gap; /* the newest line of the history with posts that can't be read stands at gap */
    uint64_t gap;
    bool unmoved;              /* the home node that this device moves to doesn't serve the room yet */
    uint64_t home_number;      /* of the newest move by which a home reads it; 0: that did from the start */
    bool was_unmoved;          /* so it was before its device chose the home that is to be confirmed */
    struct hs_key office_root; /* of the hub in office; zeros: hub_root */
    uint32_t hub_term;         /* its term; 0: the first */
    struct hs_key way_root;    /* unmoved: a hub in office that was shown before its HUB_MOVE came */
    uint32_t way_term;         /* its term; 0: none was */
    struct hs_time wanted_at;  /* when the hub had this device commit last; 0: never */
    struct hs_time forgot_at;  /* when the home said last, and was heard, that it has forgotten the room */
    bool again;                /* WAITING, or FROZEN by its Welcome: it was here before, and its history is */
    bool parting;              /* LEFT on this device; the hub is told of it when it can be */
    uint64_t move_number;      /* the newest of this persona's moves, as far as known; 0: that of the home */
};

/* The root of the hub in office, and its term. */
static inline const struct hs_key *hs_row_hub(const struct hs_room_row *row)
{
    static const struct hs_key none;
    return hs_key_equal(&row->office_root, &none) ? &row->hub_root : &row->office_root;
}
static inline uint32_t hs_row_term(const struct hs_room_row *row)
{
    return row->hub_term > 0 ? row->hub_term : HS_POLICY_HUB_TERM_FIRST;
}

bool hs_room_get(struct hs_kv *kv, const struct hs_id *room, struct hs_arena *arena, struct hs_room_row *out);
bool hs_room_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                  struct hs_room_row *out);
void hs_room_put(struct hs_kv *kv, const struct hs_room_row *row);

/* The room and everything that hangs on it: for a room that the node refused to make. */
void hs_room_delete(struct hs_kv *kv, const struct hs_id *room);

/* The MLS state: hs_group_store_init() over HS_TABLE_GROUP, through this; secret. */
void hs_group_state_open(struct hs_kv *kv, const struct hs_id *room, struct hs_group_store *store);
void hs_group_state_delete(struct hs_kv *kv, const struct hs_id *room);

/* The public state of a room whose keys are lost, in the same way. */
void hs_public_state_open(struct hs_kv *kv, const struct hs_id *room, struct hs_group_store *store);
void hs_public_state_delete(struct hs_kv *kv, const struct hs_id *room);

/* A JOIN record, kept also when it was admitted. */
struct hs_joiner_row {
    struct hs_bytes body;
    struct hs_key invite_key;
    uint64_t seq;
    struct hs_time hub_time;
    uint32_t uses_before;
    bool admitted;
    uint64_t failed_in; /* the epoch behind the one in which it couldn't be let in; 0: none */
};
bool hs_joiner_get(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *body_hash,
                   struct hs_arena *arena, struct hs_joiner_row *out);
bool hs_joiner_next(struct hs_kv *kv, const struct hs_id *room, struct hs_kv_key *cursor,
                    struct hs_arena *arena, struct hs_id *body_hash, struct hs_joiner_row *out);
void hs_joiner_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *body_hash,
                   const struct hs_joiner_row *row);

/* An INVITE record. */
struct hs_invite_row {
    struct hs_bytes body;
    struct hs_time hub_time;
    uint32_t uses; /* JOIN records with it so far */
};
bool hs_invite_get(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *invite_key,
                   struct hs_arena *arena, struct hs_invite_row *out);
void hs_invite_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *invite_key,
                   const struct hs_invite_row *row);

/* Chain hashes of the last records, to compare with what other members saw. */
enum { HS_LOG_HASHES_KEPT = 4096 /* a member that is further behind isn't compared */ };
bool hs_log_hash_get(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_id *out);
void hs_log_hash_put(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, const struct hs_id *hash);

#endif
