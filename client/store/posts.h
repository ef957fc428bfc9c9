/* What stands in rooms, and what is on its way there. */
#ifndef HS_STORE_POSTS_H
#define HS_STORE_POSTS_H

#include "identity/credential.h"
#include "room/policy.h"
#include "store/row.h"

/* Somebody as a room shows them. */
struct hs_person {
    struct hs_key key;
    char handle[HS_HANDLE_TEXT_SIZE];
    char name[HS_CREDENTIAL_NAME_MAX + 1];
};

/* One line of a room's history. Kinds are those of the public header. */
struct hs_message_row {
    uint64_t seq;
    uint32_t kind;
    int32_t err;
    struct hs_time time;
    bool own;
    struct hs_person sender;
    struct hs_id object;
    struct hs_bytes text;
    uint64_t last, missing; /* GAP: the last record in it, and how many posts */
};
void hs_message_put(struct hs_kv *kv, const struct hs_id *room, const struct hs_message_row *row);

/* The first at seq >= from. */
bool hs_message_next(struct hs_kv *kv, const struct hs_id *room, uint64_t from, struct hs_arena *arena,
                     struct hs_message_row *out);

/* Notes a content; false where it was there before. */
bool hs_content_note(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *content_id);

enum hs_outbox_kind {
    HS_OUTBOX_POST = 1,  /* until its record comes */
    HS_OUTBOX_COMMIT,    /* until its record comes, or another commit's */
    HS_OUTBOX_CREATE,    /* until it is answered */
    HS_OUTBOX_LEAVE,     /* until its record comes */
    HS_OUTBOX_REJOIN,    /* a commit from outside, whose group is in the store: until its record comes */
    HS_OUTBOX_ORDER_OUT, /* a POST of a room that was left here: never sent again, until it is answered */
};

/* A cursor for hs_outbox_row_next() that begins behind that number. */
struct hs_kv_key hs_outbox_cursor(uint64_t after);

/* A request that is sent until it has had its effect, over restarts. */
struct hs_outbox_row {
    uint64_t number;
    uint32_t kind; /* enum hs_outbox_kind */
    struct hs_id room;
    struct hs_bytes frame;   /* Frame without its id */
    struct hs_id body_hash;  /* POST, COMMIT: of the record to come */
    uint64_t epoch;          /* POST, COMMIT: in which it was made */
    struct hs_bytes content; /* POST: to be encrypted anew where the epoch was too old */
    bool stale;              /* POST: refused for its epoch, waits for the next one */
    bool again;              /* POST: members may not be able to read it, when its record comes */
    bool parting;            /* LEAVE: the room is left here already, and nobody waits for the hub */
    bool sent;               /* these bytes may have left this device, in this session or an earlier one */
    bool unseen;             /* LEAVE: of a room that nobody here knows to be in */
};
bool hs_outbox_row_get(struct hs_kv *kv, uint64_t number, struct hs_arena *arena, struct hs_outbox_row *out);
bool hs_outbox_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                        struct hs_outbox_row *out);
/* The row whose record has that body; at a price that doesn't grow with the outbox. */
bool hs_outbox_row_find(struct hs_kv *kv, const struct hs_id *room, const struct hs_id *body_hash,
                        struct hs_arena *arena, struct hs_outbox_row *out);
void hs_outbox_row_put(struct hs_kv *kv, const struct hs_outbox_row *row);
/* Those that somebody waits for. Reads one row at a time. */
size_t hs_outbox_row_count(struct hs_kv *kv);
void hs_outbox_row_delete(struct hs_kv *kv, uint64_t number);

/* A key package on its way: a room that was asked for, by an invite or as a counter. */
struct hs_join_row {
    struct hs_id ref;  /* KeyPackageRef */
    bool counter;      /* asked for with OpenCounter; else with Join */
    struct hs_id room; /* to be joined; counter: the room that entitles to it */
    struct hs_key hub_root, persona;
    struct hs_bytes descriptor;  /* of the hub; counters: empty where home is the hub */
    struct hs_bytes key_package; /* MLSMessage */
    struct hs_bytes priv;        /* secret */
    struct hs_bytes body;        /* JoinBody */
    bool bound;                  /* the home node knows the persona */
    bool asked;                  /* the hub has the request */
    struct hs_time made;
    struct hs_key office_root; /* of the hub; zeros: hub_root, which is the brand's */
    struct hs_time
        joined_at;           /* the hub said that this is a member; 0: it didn't. The Welcome is on its way */
    uint32_t hub_term;       /* of the hub; 0: the first */
    struct hs_time asked_at; /* who waits has asked once more */
    bool soon;               /* and does so again soon */
    struct hs_time looked_at; /* it has asked where the room has gone */
    struct hs_time fetch_at;  /* the room isn't fetched without its Welcome before */
    bool dropped; /* its person wants in no more: it isn't shown, and nobody waits; since asked_at */
};

/* The root of the hub that is asked, and its term. */
static inline const struct hs_key *hs_join_hub(const struct hs_join_row *row)
{
    static const struct hs_key none;
    return hs_key_equal(&row->office_root, &none) ? &row->hub_root : &row->office_root;
}
static inline uint32_t hs_join_term(const struct hs_join_row *row)
{
    return row->hub_term > 0 ? row->hub_term : HS_POLICY_HUB_TERM_FIRST;
}

bool hs_join_row_get(struct hs_kv *kv, const struct hs_id *ref, struct hs_arena *arena,
                     struct hs_join_row *out);
bool hs_join_row_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_arena *arena,
                      struct hs_join_row *out);
void hs_join_row_put(struct hs_kv *kv, const struct hs_join_row *row);
void hs_join_row_delete(struct hs_kv *kv, const struct hs_id *ref);

#endif
