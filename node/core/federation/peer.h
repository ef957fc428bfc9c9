/* Other brands' nodes, as this one reaches them: one session each, dialled when there is something to say,
 * kept while rooms of theirs are followed. What was asked of them and not answered yet is kept here; posts
 * that wait for them are kept in the store (outbox). */
#ifndef HS_CORE_PEER_H
#define HS_CORE_PEER_H

#include "core/core.h"
#include "schema/link.pb-c.h"

struct hs_turn;

enum hs_peer_state {
    HS_PEER_DOWN, /* nothing under way; dialled again at retry_at where it is wanted */
    HS_PEER_DIALLING,
    HS_PEER_GREETING, /* Authenticate was sent */
    HS_PEER_UP,
};

enum {
    HS_FORWARDS_MAX = 256,       /* requests of devices that wait for one node: bounds their memory */
    HS_FORWARD_MS = 15000,       /* a device is told UNREACHABLE after this */
    HS_DIAL_MS = 60000,          /* whoever dials for this node has given up long before */
    HS_POST_MS = 60000,          /* a hub that has not answered a post by then is dialled anew */
    HS_FORWARDS_SESSION = 32,    /* of them for one device: it can't take the place of all others */
    HS_OUTBOX_WINDOW_FIRST = 64, /* posts under way to one hub at once, to begin with; one more after each
                                    that it took, half as many after one that it couldn't take now, ... */
    HS_OUTBOX_WINDOW_MAX = 1024, /* ... at most: what a hub takes while they go there and back */
    HS_OUTBOX_WINDOW_BYTES =
        512 * 1024,        /* of them, where there is more than one: half of a session's queue */
    HS_OUTBOX_MAX = 10000, /* posts that wait for one hub: half a gigabyte of the largest at most */
    HS_RETRY_FIRST_MS = 200,
    HS_RETRY_MAX_MS = 60000,
    HS_PEERS_MAX = 1024, /* nodes that this one has to do with: bounds what devices can make it dial */
};

/* A post of the outbox that is under way. */
struct hs_post_sent {
    uint64_t id, seq; /* of the frame to the hub; in the outbox */
    size_t len;
    struct hs_time deadline;
    struct hs_post_sent *next;
};

/* One question that waits for its answer: for a device (session and its frame's id), unless it is the node's
 * own. */
struct hs_asked {
    uint64_t id;   /* of the frame to the peer; 0 while it hasn't been sent */
    bool is_fetch; /* of this node's own: the piece of blob at seq */
    bool is_push;  /* of this node's own: a piece of blob for the hub */
    bool is_log;   /* of this node's own: what room needs that comes here, or is to come */
    struct hs_id blob, room;
    struct hs_key persona; /* of a push: for whom it is brought; zeros: the hub has asked for it */
    bool is_join;          /* its success makes the peer a hub that is followed */
    uint64_t seq;
    uint64_t session, session_id;
    uint64_t inner_id;
    struct hs_time deadline;
    uint8_t *frame; /* the inner frame, until it is sent */
    size_t frame_len;
    struct hs_asked *next;
};

struct hs_peer {
    struct hs_key root;
    enum hs_peer_state state;
    uint64_t session;
    char addresses[HS_DIAL_ADDRESSES][HS_ADDRESS_SIZE];
    size_t address_count;
    struct hs_bytes descriptor;        /* its own, as far as it was seen; in memory of its own */
    struct hs_id domain;               /* that it claims; zeros while no descriptor was seen */
    char domain_name[HS_ADDRESS_SIZE]; /* by which it is found: its own, the operator's, or one that a user
                                          named */
    uint64_t sequence;                 /* of the descriptor */
    struct hs_time not_after;          /* of the descriptor; 0 = no end */
    struct hs_time discover_at, renewal_at; /* its domain isn't asked before */
    bool claims;       /* its domain is to be asked whether this is its root, when it may be */
    bool root_changed; /* its domain is another root's: */
    struct hs_key other_root;
    bool blocked;                /* by the operator: never dialled */
    bool attached;               /* in this session */
    uint64_t attach_id;          /* of the last Attach */
    struct hs_time attach_at;    /* it was refused: again then; else 0 */
    struct hs_time attach_tried; /* the last time that this was done */
    int64_t attach_wait_ms;      /* and how long it waits the next time */
    bool known;                  /* the addresses are those of its own descriptor */
    bool followed;               /* rooms of it are followed: the session is kept up */
    struct hs_time call_until;   /* it is told something, and dialled for that; else 0 */
    unsigned failures;
    struct hs_time retry_at;
    struct hs_time not_before;   /* it isn't dialled before, whoever waits: it has sent more than it may */
    struct hs_time up_at;        /* UP: since when */
    struct hs_time answer_by;    /* DIALLING, GREETING: until when the outcome must be there */
    struct hs_time outbox_at;    /* posts aren't sent before, where the hub asked for a moment; else 0 */
    struct hs_time heads_at;     /* UP: heads are exchanged again */
    struct hs_kv_key heads_from; /* and with this room first */
    uint64_t last_id;
    uint64_t outbox_next;                   /* the next post to send in this session */
    struct hs_post_sent *posts, *last_post; /* under way, in their order */
    size_t post_count, post_bytes, window;
    uint64_t kept, kept_so_far; /* bytes here that came from it, and in the lap that counts (kept.h) */
    int64_t spent_day; /* of that day: the bytes of its records that are whole still though a newer one says
                          it anew */
    uint64_t spent_bytes;
    bool kept_whole; /* it was followed when that lap began, or when one before it did */
    bool kept_known; /* and that one is over, or nothing was here of it when it was met */
    struct hs_asked *asked;
    size_t asked_count;
    struct hs_peer *next;
};

struct hs_peers {
    struct hs_peer *list;
    size_t count;
};

void hs_peers_free(struct hs_peers *peers);

/* Posts that were under way may never have left: all that wait are sent again from the first on, for none may
 * overtake another. */
void hs_peers_undone(struct hs_peers *peers);

/* The peers of the store, at the start. */
void hs_peers_load(struct hs_turn *turn);

struct hs_peer *hs_peer_find(const struct hs_peers *peers, const struct hs_key *root);

/* Finds or makes. The addresses are tried first, but behind those of its own descriptor: what one device says
 * must not keep the others from a node. NULL without memory, or past HS_PEERS_MAX where all are needed. */
struct hs_peer *hs_peer_get(struct hs_turn *turn, const struct hs_key *root, char *const *addresses,
                            size_t count);

/* From now on its rooms are followed: stored, and dialled again whenever the session ends. */
void hs_peer_follow(struct hs_turn *turn, struct hs_peer *peer);

/* Asks the peer on behalf of the turn's session, whose request has this id. BUSY. */
enum hs_err hs_peer_ask(struct hs_turn *turn, struct hs_peer *peer, uint64_t session_id,
                        const Hanse__Frame *inner, struct hs_bytes frame);

/* Posts wait in the outbox: dial if need be, send as far as the window reaches. */
void hs_peer_work(struct hs_turn *turn, struct hs_peer *peer);

/* The peer of a session that this node dialled. */
struct hs_peer *hs_peer_of_session(const struct hs_peers *peers, uint64_t session);

/* It may be at these addresses too, as its domain says; they are tried first, until it tells its own. */
void hs_peer_found(struct hs_turn *turn, struct hs_peer *peer, char *const *addresses, size_t count);

/* Which of them the operator has blocked now: what waits for those is told. */
void hs_peers_judge(struct hs_turn *turn);

/* Its own addresses, from the descriptor that its session was opened with. */
void hs_peer_learn(struct hs_turn *turn, struct hs_peer *peer, struct hs_bytes descriptor);

/* Questions (peer_ask.c). A taken one is out of the list, and freed by the caller. */
struct hs_asked *hs_asked_add(struct hs_peer *peer);
/* This node's own question about room's log, number seq on, is sent; its answer is waited for so long. False
 * where it can't be now: peer NULL or not UP, one about this room under way, no memory. */
bool hs_asked_log(struct hs_turn *turn, struct hs_peer *peer, const struct hs_id *room, uint64_t seq,
                  int64_t wait_ms, Hanse__Frame *frame);
struct hs_asked *hs_asked_take(struct hs_peer *peer, struct hs_asked *wanted);
void hs_asked_free(struct hs_asked *asked);
void hs_asked_send(struct hs_turn *turn, struct hs_peer *peer, struct hs_asked *asked);
void hs_asked_expire(struct hs_turn *turn, struct hs_peer *peer);
/* The devices that wait for it are told UNREACHABLE; posts wait on. */
void hs_asked_give_up(struct hs_turn *turn, struct hs_peer *peer);
void hs_asked_unreachable(struct hs_turn *turn, const struct hs_asked *asked);
void hs_asked_hand_back(struct hs_turn *turn, const struct hs_asked *asked, const Hanse__Frame *answer);

/* What happens to sessions and time. */
void hs_peer_opened(struct hs_turn *turn, const struct hs_key *root, struct hs_bytes descriptor);
void hs_peer_closed(struct hs_turn *turn);
void hs_peer_failed(struct hs_turn *turn, const struct hs_key *root);
void hs_peers_tick(struct hs_turn *turn);
struct hs_time hs_peers_deadline(const struct hs_peers *peers);

/* A device's session is gone: nobody waits for its answers. */
void hs_peers_forget_origin(struct hs_peers *peers, uint64_t session);

/* A frame from the peer: true where it was an answer and has been dealt with. */
bool hs_peer_answered(struct hs_turn *turn, const Hanse__Frame *frame);

#endif
