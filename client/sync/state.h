/* The inside of struct hs_sync, shared by the files of this stage, one conversation a file. */
#ifndef HS_SYNC_STATE_H
#define HS_SYNC_STATE_H

#include "identity/derive.h"
#include "schema/identity.pb-c.h"
#include "schema/link.pb-c.h"
#include "store/deals.h"
#include "store/me.h"
#include "sync/op.h"
#include "sync/rooms/live_room.h"

enum {
    HS_REQUEST_MS = 30000,   /* an answer that takes longer closes the session */
    HS_RETRY_FIRST_MS = 250, /* reconnecting: doubled each time ... */
    HS_RETRY_MAX_MS = 30000, /* ... up to this, and half of it at random */
    HS_PING_MS = 60000,      /* a silent session is asked whether it lives */
    HS_AGAIN_MIN_MS = 250,   /* whatever a node says: others are asked again then, too */
    HS_AGAIN_MAX_MS = 4000,  /* a node that says later is asked then: it holds order for five seconds */
    HS_AGAIN_MS = 2000,      /* what was refused for the moment is tried again */
    HS_CURSOR_MS = 1000,     /* cursors are told at most so often ... */
    HS_CURSOR_RECORDS = 64,  /* ... or after so many records */
};

enum hs_session_state {
    HS_SESSION_OFF,
    HS_SESSION_DIALLING,
    HS_SESSION_AUTHENTICATING,
    HS_SESSION_STRANGER, /* authenticated, without an account */
    HS_SESSION_SIGNING_UP,
    HS_SESSION_ATTACHING,
    HS_SESSION_ONLINE,
};

struct hs_frame_out {
    struct hs_frame_out *next;
    size_t len;
    uint8_t data[];
};

struct hs_event_out {
    struct hs_event_out *next;
    struct hanse_event event;
    char text[];
};

/* What came out: first of steps that are durable, then of the present one. */
struct hs_frames_out {
    struct hs_frame_out *ready, *fresh;
};
struct hs_events_out {
    struct hs_event_out *ready, *fresh;
};

struct hs_sync {
    bool has_me, me_loaded;
    struct hs_me me;
    struct hs_arena me_arena;
    bool stay_online, till;

    enum hs_session_state session;
    unsigned failures;
    struct hs_time next_try, heard, asked; /* asked: when the last ping went out; 0 = none since heard */
    bool caught_up, hang_up;
    uint64_t traffic; /* deliveries in this session: tells whether the node still has something */
    uint64_t traffic_at_ping;

    uint64_t next_request, requests_durable; /* durable: the last one of the steps before */
    struct hs_request requests[HS_REQUESTS_MAX];
    uint64_t outbox_sent; /* rows up to this number were sent in this session */
    bool outbox_held;     /* more wait for a place among the requests */
    uint64_t next_op;
    struct hs_op *ops, *ops_over; /* over: ended in the present step */
    struct hs_live_room *rooms;

    unsigned cursor_records;   /* not told yet */
    struct hs_time cursor_due; /* INT64_MAX = nothing to tell */
    bool inbox_moved;

    int64_t again_ms;         /* the answer that is being judged says to ask again then; 0: it doesn't */
    struct hs_time again_due; /* INT64_MAX = nothing was refused for the moment */
    struct hs_time
        joins_due; /* who waits to be let in asks whether the room has moved; INT64_MAX: nobody waits */
    struct hs_time rejoin_due; /* when rooms without keys are looked at again; INT64_MAX = needn't be */
    struct hs_late *late;      /* a room that is come into without its Welcome; NULL: none */
    struct hs_time till_due;   /* when a till's order wants to be looked at again */
    struct hs_time proofs_due; /* when another brand's node is shown on what it may have forgotten */
    struct {                   /* as the present step found it */
        struct hs_time now, till_due, rejoin_due, joins_due, proofs_due;
        bool till;
        uint64_t outbox_sent;
    } before;
    size_t waiting; /* joins and outbox rows, as of the last step */

    struct hs_frames_out frames;
    struct hs_events_out events;
    struct hs_frame_out *frame_shown;
    struct hs_event_out *event_shown;
};

#define HS_NEVER ((struct hs_time){INT64_MAX})

/* ---- out.c: what comes out ---- */

enum hs_err hs_out_frame(struct hs_step *s, struct hs_bytes frame);

/* An event; text may be NULL. */
enum hs_err hs_out_event(struct hs_step *s, const struct hanse_event *event, const char *text);

/* Frees all that came out; with_ready: what is durable as well. */
void hs_out_drop(struct hs_sync *sync, bool with_ready);

/* The session is gone, and with it what wasn't sent. */
void hs_out_drop_frames(struct hs_sync *sync);
void hs_out_release(struct hs_sync *sync);

/* ---- self.c: what this device signs with ---- */

struct hs_self {
    struct hs_key root;
    struct hs_key persona;
    struct hs_signer persona_signer;
    struct hs_device_keys device;
    Hanse__SignedObject *certificate; /* in the step's arena */
    Hanse__SignedObject *grants[HS_CREDENTIAL_GRANTS];
    size_t grant_count;
};
#define HS_SELF HS_AUTO(hs_self_wipe)

/* For the brand with this root. INVALID_STATE without an identity. */
enum hs_err hs_self_for(struct hs_step *s, const struct hs_key *root, struct hs_self *out);
void hs_self_wipe(struct hs_self *self);

struct hs_author hs_self_author(const struct hs_step *s, const struct hs_self *self);

/* What proves this device's signatures for the brand: descriptor, grants, certificate. */
enum hs_err hs_self_chain(struct hs_step *s, const struct hs_self *self, Hanse__Chain *out);

/* The MLS credential's identity, in the arena. */
enum hs_err hs_self_credential(struct hs_step *s, const struct hs_self *self, struct hs_bytes *out);

/* A key package for the brand's rooms, MLSMessage in the arena, its ref and the private half as bytes. */
struct hs_own_package {
    struct hs_bytes message, priv;
    struct hs_id ref;
};
enum hs_err hs_self_key_package(struct hs_step *s, const struct hs_self *self, struct hs_own_package *out);

/* Writes sync->me, whose views may lie in the step's arena, and keeps copies of them. */
enum hs_err hs_me_save(struct hs_step *s);
enum hs_err hs_me_load(struct hs_step *s);
bool hs_root_is_home(const struct hs_sync *sync, const struct hs_key *root);

/* Chain <-> bytes in the arena. */
enum hs_err hs_chain_pack(struct hs_step *s, const Hanse__Chain *chain, struct hs_bytes *out);
enum hs_err hs_chain_unpack(struct hs_arena *arena, struct hs_bytes bytes, Hanse__Chain **out);

/* ---- session.c ---- */

/* True for the troubles of this machine, which abort a step: memory, store, disk. */
bool hs_sync_is_own_trouble(enum hs_err err);

/* What foreign bytes are refused for where working on them ended in err: a fault as it is, MALFORMED for what
 * only odd bytes can bring about. Own troubles and OK stay what they are. */
enum hs_err hs_sync_blame(enum hs_err err);

enum hs_err hs_home_attach_room(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_home_sign_up(struct hs_step *s);

/* A link was refused, or given up: where it was the only one that was to make its node the home, there is
 * none again. */
enum hs_err hs_home_unused(struct hs_step *s);

/* From now on records and inbox items come; when that is answered, everything that waits for a session goes
 * on. */
enum hs_err hs_home_attach(struct hs_step *s);
enum hs_err hs_home_resume(struct hs_step *s);
enum hs_err hs_home_ping(struct hs_step *s);
bool hs_home_is_online(const struct hs_sync *sync);
struct hs_time hs_home_deadline(const struct hs_sync *sync);
enum hs_err hs_home_tick(struct hs_step *s);
enum hs_err hs_home_traffic(struct hs_step *s);

/* Something was refused that may go through later. */
void hs_home_try_again(struct hs_step *s);

/* ---- cursor.c ---- */

void hs_cursor_moved(struct hs_step *s, bool inbox, unsigned records);
enum hs_err hs_cursors_tell(struct hs_step *s, bool at_once);

/* ---- outbox.c ---- */

/* Keeps a frame until it has had its effect, and sends it where there is a session. */
enum hs_err hs_outbox_row_add(struct hs_step *s, struct hs_outbox_row *row);
enum hs_err hs_outbox_send_all(struct hs_step *s);
/* Goes on behind what was sent in this session, as far as there are places. */
enum hs_err hs_outbox_send_more(struct hs_step *s);

/* A row's request was refused; what follows depends on its kind. */
enum hs_err hs_outbox_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err);

/* ---- post.c ---- */

/* A content for the room's log; op (may be NULL) ends when it is there. */
enum hs_err hs_post_content(struct hs_step *s, struct hs_live_room *room, struct hs_bytes content,
                            struct hs_op *op);
enum hs_err hs_post_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err);
/* Its row goes, and whoever waits for it is told err; else POST_FAILED is. */
enum hs_err hs_post_end(struct hs_step *s, const struct hs_outbox_row *row, enum hs_err err);

/* What waits in the room is encrypted and sent, as far as it may be by now. */
enum hs_err hs_posts_release(struct hs_step *s, struct hs_live_room *room);

/* The room's epoch moved on: what was refused for its epoch is encrypted anew. */
enum hs_err hs_post_renew(struct hs_step *s, struct hs_live_room *room);
/* This device has caught up: posts that waited for that are encrypted and sent. */
enum hs_err hs_posts_encrypt(struct hs_step *s);

/* A POST record. */
struct hs_record_header;
enum hs_err hs_post_received(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_record_header *header, struct hs_bytes body);

/* ---- records.c, commit.c, admit.c ---- */

enum hs_err hs_records_received(struct hs_step *s, const Hanse__Records *records);

/* The hub accepted what the rules forbid: nothing more of it is believed. */
enum hs_err hs_room_freeze(struct hs_step *s, struct hs_live_room *room, uint64_t seq, enum hs_err why);

/* The hub signed a head over records that aren't here yet: what comes must be what it says. */
struct hs_head;
enum hs_err hs_room_promise(struct hs_step *s, struct hs_live_room *room, const struct hs_head *head,
                            const Hanse__SignedObject *object);

/* Makes the pending commit, keeps it and sends it. */
struct hs_commit_wish {
    const struct hs_bytes *adds;
    size_t add_count;
    const uint32_t *removes;
    size_t remove_count;
    const struct hs_id *joins;
    size_t join_count;
    const struct hs_policy *policy; /* a new one; NULL: as it is */
};
enum hs_err hs_commit_submit(struct hs_step *s, struct hs_live_room *room, const struct hs_commit_wish *wish);
enum hs_err hs_commit_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err);

/* Whatever this member may commit and somebody waits for: joiners, removals, customers. */
enum hs_err hs_commit_next(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_joiners_admit(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_join_record(struct hs_step *s, struct hs_live_room *room,
                           const struct hs_record_header *header, struct hs_bytes body);
enum hs_err hs_invite_record(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_record_header *header, struct hs_bytes body);

/* The JOINs that a commit names, as far as they are held. */
struct hs_judge_join;
enum hs_err hs_joins_named(struct hs_step *s, struct hs_live_room *room, const struct hs_id *hashes,
                           size_t count, struct hs_judge_join **out, size_t *found);
enum hs_err hs_joins_admitted(struct hs_step *s, struct hs_live_room *room, const struct hs_id *hashes,
                              size_t count);

/* ---- create.c ---- */

/* row: number of what is in the outbox then. */
enum hs_err hs_create_room(struct hs_step *s, const struct hanse_room_spec *spec, enum hs_room_kind kind,
                           struct hs_id *room, uint64_t *row);
enum hs_err hs_create_accepted(struct hs_step *s, struct hs_outbox_row *row);
enum hs_err hs_create_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err);

/* ---- join.c, inbox.c ---- */

/* Tells the home node that the persona for that hub is this account's. */
enum hs_err hs_bind_send(struct hs_step *s, const struct hs_key *hub_root, const struct hs_request *request);

enum hs_err hs_joins_resume(struct hs_step *s);
/* Those that wait already, and whose time has come. first: in this session. */
enum hs_err hs_joins_ask_again(struct hs_step *s, bool first);
/* The account that an invite was to bring was refused, and with it every join at the home node. */
enum hs_err hs_joins_refused(struct hs_step *s, enum hs_err err);
enum hs_err hs_join_go_on(struct hs_step *s, const struct hs_join_row *row);
enum hs_err hs_inbox_received(struct hs_step *s, const Hanse__Inbox *inbox);
enum hs_err hs_welcome_received(struct hs_step *s, const Hanse__WelcomeItem *item);

/* The application hears that this device is a member. */
enum hs_err hs_joined_tell(struct hs_step *s, const struct hs_live_room *room);

#include "sync/trade/trade.h" /* deals, counters, orders, tills: the files of this stage know them too */

#endif
