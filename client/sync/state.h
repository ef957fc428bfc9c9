/* The inside of struct hs_sync, shared by the files of this stage, one conversation a file. */
#ifndef HS_SYNC_STATE_H
#define HS_SYNC_STATE_H

#include "identity/derive.h"
#include "mls/group.h"
#include "room/policy.h"
#include "schema/identity.pb-c.h"
#include "schema/link.pb-c.h"
#include "store/deals.h"
#include "store/me.h"
#include "store/posts.h"
#include "store/rooms.h"
#include "sync/log/settle.h"
#include "sync/sync.h"

enum {
    HS_REQUESTS_MAX = 64,    /* in flight, as the link allows */
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

/* A room in memory: its row, its group, its policy. */
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
    struct hs_time move_at;         /* it is asked again then; 0: it hasn't answered */
    bool way_told;                  /* and that was the hub in way_root */
    bool gap_grown;                 /* in this step: hs_gap_tell() */
    uint64_t head_in;               /* 1 + the epoch in which the hub's signed head was shown last; 0: none */
};

struct hs_op;
struct hs_request;
struct hs_hub_move;

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

/* A request in flight. answer gets the frame, or an error and NULL. */
struct hs_request {
    uint64_t id; /* 0 = free */
    enum hs_err (*answer)(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                          enum hs_err err);
    struct hs_time sent;
    bool forwarded;
    bool moves;      /* is about the move of the room id_a to a new home */
    uint64_t op;     /* 0 = none */
    uint64_t number; /* of an outbox row */
    uint64_t offset; /* of a piece */
    struct hs_id id_a;
    struct hs_key hub; /* moves: of that room */
};

/* What the user waits for. resume starts or goes on with it whenever the session is up and it isn't busy. */
struct hs_op {
    struct hs_op *next;
    uint64_t number;
    enum hs_err (*resume)(struct hs_step *s, struct hs_op *op);
    bool busy;     /* a request is in flight, or something in the log is waited for */
    bool stranger; /* can go on without an account */
    bool fresh;    /* made in the present step */
    enum hs_op_kind {
        HS_OP_OTHER,
        HS_OP_SIGN_UP,
        HS_OP_JOIN,
        HS_OP_REMOVE,
        HS_OP_ORDER,
        HS_OP_MOVE,
        HS_OP_HUB_MOVE,
        HS_OP_REJOIN,
        HS_OP_POLICY,
        HS_OP_GRANT
    } kind;
    uint64_t outbox; /* ends when this row's effect is there; 0 = none */
    struct hs_id room, object, object2;
    struct hs_key key;
    uint64_t amount;
    struct hs_time started;
    char *text;                   /* link, free()d and wiped */
    struct hs_transfer *transfer; /* of a file, free()d and wiped: file.h */
    uint8_t *bytes;               /* a body to send, free()d and wiped */
    size_t bytes_len;
    struct hs_op_kept { /* what the steps before left: where the present one fails, it is so again */
        enum hs_err (*resume)(struct hs_step *s, struct hs_op *op);
        bool busy;
        uint64_t outbox;
        struct hs_id room, object, object2;
    } kept;
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
    struct {                   /* as the present step found it */
        struct hs_time now, till_due, rejoin_due, joins_due;
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

/* ---- request.c: requests and their answers ---- */

/* Sends frame (its id is set here) and remembers whom the answer is for. BUSY with too many in flight. */
enum hs_err hs_request_send(struct hs_step *s, Hanse__Frame *frame, const struct hs_request *request);

/* The same from packed bytes without an id. */
enum hs_err hs_request_send_packed(struct hs_step *s, struct hs_bytes frame,
                                   const struct hs_request *request);

/* To the node of that root: through Forward where it isn't the home node. descriptor: says where it is; may
 * be empty. */
enum hs_err hs_request_send_to(struct hs_step *s, const struct hs_key *root, struct hs_bytes descriptor,
                               Hanse__Frame *frame, const struct hs_request *request);

enum hs_err hs_request_forward(struct hs_step *s, const struct hs_key *root, Hanse__Forward *forward,
                               Hanse__Frame *frame, const struct hs_request *request);

enum hs_err hs_request_answered(struct hs_step *s, const Hanse__Frame *frame);

/* What an Error says of the other side; never OK, and never a trouble of this machine. */
enum hs_err hs_err_of_answer(const Hanse__Error *error);

/* How many requests that are under way are of the outbox. */
size_t hs_requests_numbered(const struct hs_sync *sync);
bool hs_request_has_number(const struct hs_sync *sync, uint64_t number);
/* True where one is under way whose id_a is that. */
bool hs_request_is_about(const struct hs_sync *sync, const struct hs_id *id);
/* True where requests that can wait should: the last places are for answers that others wait for. */
bool hs_requests_are_scarce(const struct hs_sync *sync);
void hs_requests_drop(struct hs_sync *sync);

/* Those of the present step, which never was. */
void hs_requests_drop_fresh(struct hs_sync *sync);
struct hs_time hs_requests_deadline(const struct hs_sync *sync);

/* A notification. */
enum hs_err hs_notify(struct hs_step *s, Hanse__Frame *frame);

/* A Frame without id as bytes in the arena, for the outbox. */
enum hs_err hs_frame_pack(struct hs_step *s, const Hanse__Frame *frame, struct hs_bytes *out);

/* ---- op.c: operations ---- */

enum hs_err hs_op_new(struct hs_step *s, struct hs_op **out, uint64_t *number);
struct hs_op *hs_op_find(struct hs_sync *sync, uint64_t number);
struct hs_op *hs_op_of_outbox(struct hs_sync *sync, uint64_t row);

/* DONE, and the end of it. id, seq, text as the operation says (0, NULL: none). op may be NULL. */
enum hs_err hs_op_done(struct hs_step *s, struct hs_op *op, enum hs_err err, const struct hs_id *id,
                       uint64_t seq, const char *text);

/* Starts it now where the session serves it; else it is started once one does. */
enum hs_err hs_op_begin(struct hs_step *s, struct hs_op *op);

/* Goes on with what isn't busy; only_stranger: with what needs no account. */
enum hs_err hs_ops_resume(struct hs_step *s, bool only_stranger);
void hs_ops_free(struct hs_sync *sync);

/* The present step ended: what it made of operations stays, or they are as they were. */
void hs_ops_settle(struct hs_sync *sync, bool keep);

/* The session is gone: requests in flight are to be made again; what waits for the log goes on waiting. */
void hs_ops_idle(struct hs_sync *sync);
enum hs_err hs_op_take_text(struct hs_op *op, const char *text);
enum hs_err hs_op_take_bytes(struct hs_op *op, struct hs_bytes bytes);

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

/* ---- live_room.c: rooms in memory ---- */

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

/* Somebody's name as the room shows it. domain: of the hub; a handle of another domain isn't shown. */
void hs_person_of(const struct hs_live_room *room, const struct hs_mls_member *member, struct hs_time at,
                  struct hs_person *out);
/* The same by the persona's key alone, for whoever is in the room now; else only the key is known. */
void hs_person_by_key(struct hs_live_room *room, const struct hs_key *persona, struct hs_time at,
                      struct hs_person *out);

/* Who came or went, for a line of the history: "rosa@rosa.example, "Ben" and 12 more". Names that their
 * bearers chose are quoted; handles are not. In the arena. */
struct hs_bytes hs_people_text(struct hs_step *s, const struct hs_person *people, size_t count);
bool hs_live_find(struct hs_live_room *room, const struct hs_key *persona, struct hs_mls_member *out);
bool hs_live_has_persona(struct hs_live_room *room, const struct hs_key *persona);

/* The MessageContext of what is sent now. */
enum hs_err hs_live_context(struct hs_step *s, struct hs_live_room *room, const struct hs_id *joins,
                            size_t count, struct hs_bytes *out);

/* ---- session.c ---- */

/* True for the troubles of this machine, which abort a step: memory, store, disk. */
bool hs_sync_is_own_trouble(enum hs_err err);

/* What foreign bytes are refused for where working on them ended in err: a fault as it is, MALFORMED for what
 * only odd bytes can bring about. Own troubles and OK stay what they are. */
enum hs_err hs_sync_blame(enum hs_err err);

enum hs_err hs_home_attach_room(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_home_sign_up(struct hs_step *s);

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

#include "sync/trade/trade.h" /* deals, counters, orders, tills: the files of this stage know them too */

#endif
