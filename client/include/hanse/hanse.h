/* libhanse: a device in Hanse's rooms. The one header to include; it includes hanse/err.h and
 * hanse/deal.h. C99 and C++.
 *
 * Ownership: struct hanse is opaque: hanse_open() makes it, hanse_close() frees it. Every other struct is a
 * value of the caller's, filled in place. A `const char *` or byte pointer inside a filled struct belongs to
 * the handle and is valid until the next call with that handle; copy what is to be kept. Text is UTF-8 and
 * NUL-terminated. Input is copied, nothing of the caller's is kept.
 *
 * Threads: one handle, one thread at a time. Different handles are independent. No signals, no threads of its
 * own.
 *
 * Loop: the library never waits. It has at most one socket: poll hanse_fd() for hanse_poll_events() for at
 * most hanse_timeout_ms(), call hanse_step(), pull events with hanse_next_event() until there is none, again.
 * hanse_uv_start() does this on a libuv loop, where the library was built with it.
 *
 * Operations: what takes a conversation gives an operation number (never 0) and ends with exactly one
 * HANSE_EVENT_DONE of that number, with its error. An operation that wants the network waits for it. Posts,
 * joins, and orders whose counter is open are stored before anything is sent, and go on after a restart, then
 * without a DONE: operation numbers count within one handle.
 *
 * Errors: enum hanse_err: 0 is success. -1..-99 this machine, -100..-199 the other side's bytes or wishes,
 * from -200 a mistake of the caller's. A call that fails has changed nothing. What every call with a handle
 * may return isn't repeated: HANSE_ERR_NOMEM, HANSE_ERR_STORE, HANSE_ERR_STORE_FULL, HANSE_ERR_SEAL; where it
 * was to change something, the handle can only be closed after one of them. What is to be done in a room
 * wants this device to be a member: HANSE_ERR_ROOM_UNKNOWN, HANSE_ERR_NOT_MEMBER (not yet, or no more),
 * HANSE_ERR_INVALID_STATE (it is being made), HANSE_ERR_STATE_LOST, or why it is frozen. A listing's
 * hanse_x_next() and hanse_x_get(): HANSE_ERR_NOT_FOUND at the end, or where there is none.
 *
 * Units: times are Unix milliseconds UTC, windows half-open [from, until), 0 = no end. Amounts are minor
 * units (cents) of an ISO 4217 currency, rates basis points. Sizes are bytes.
 *
 * Secrets: the store is sealed with the caller's 32-byte key; the library keeps no copy outside the process.
 */
#ifndef HANSE_HANSE_H
#define HANSE_HANSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hanse/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The sentence for err, for people: what happened and what to do next. Static, never NULL. */
HANSE_API const char *hanse_err_text(enum hanse_err err);

/* The name of err without prefix ("COUPON_USED"), for programs. Static, never NULL. */
HANSE_API const char *hanse_err_name(enum hanse_err err);

/* The version of the library, "major.minor.patch". */
HANSE_API const char *hanse_version(void);

enum {
    HANSE_KEY_LEN = 32,
    HANSE_NAME_SIZE = 257,   /* a display name, a room's name, a title; with its NUL */
    HANSE_HANDLE_SIZE = 319, /* name@domain; with its NUL */
    HANSE_DOMAIN_SIZE = 254, /* with its NUL */
    HANSE_LINK_SIZE = 192,   /* an invite link; with its NUL */
    HANSE_CURRENCY_SIZE = 4, /* "EUR"; with its NUL */
    HANSE_TEXT_MAX = 16384   /* bytes of one text message: a post holds it with all that goes along */
};

/* 32 bytes that name something: a room, an object (offer, coupon, order), a public key. */
struct hanse_id {
    uint8_t b[32];
};

/* The 64 hex digits of an id, with NUL. */
HANSE_API void hanse_id_text(const struct hanse_id *id, char out[65]);

/* HANSE_ERR_MALFORMED unless text is 64 hex digits. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_id_parse(const char *text, struct hanse_id *out);

/* Somebody in a room. handle is "name@domain" where that domain's signed grant was checked, else "". name is
 * what they call themselves, and proves nothing: mark it as such. */
struct hanse_person {
    struct hanse_id key;
    char handle[HANSE_HANDLE_SIZE];
    char name[HANSE_NAME_SIZE];
};

/* ---- The handle ---- */

struct hanse;

/* Opens the device's state in directory dir (made, mode 0700, where it is missing), sealed with key; wait_ms:
 * how long to wait for another program that uses it. HANSE_ERR_LOCKED, HANSE_ERR_SEAL (another key),
 * HANSE_ERR_IO, HANSE_ERR_STORE, HANSE_ERR_STORE_FULL, HANSE_ERR_SELFTEST, HANSE_ERR_NOMEM. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_open(const char *dir, const uint8_t key[HANSE_KEY_LEN],
                                                    unsigned wait_ms, struct hanse **out);

/* Tells the node what this device has, as far as that goes without waiting, and frees everything. NULL is
 * fine. */
HANSE_API void hanse_close(struct hanse *h);

/* The socket to poll; -1 where there is none just now. It may change with every hanse_step(). */
HANSE_API int hanse_fd(const struct hanse *h);

enum { HANSE_POLL_IN = 1, HANSE_POLL_OUT = 2 };

/* What to poll the socket for: HANSE_POLL_IN, HANSE_POLL_OUT. */
HANSE_API unsigned hanse_poll_events(const struct hanse *h);

/* After how many milliseconds hanse_step() wants to be called at the latest; -1 = whenever the socket is
 * ready. */
HANSE_API int hanse_timeout_ms(const struct hanse *h);

/* Reads, works, writes, as far as that goes without waiting (a host name that is no address is looked up,
 * which may take a moment). The network's troubles become events; what is returned is this machine's:
 * HANSE_ERR_STORE, HANSE_ERR_STORE_FULL, HANSE_ERR_NOMEM. After one the handle can only be closed. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_step(struct hanse *h);

/* Whether the library shall keep a session with the home node (it doesn't at first). Operations that want one
 * say so themselves, until they are done. */
HANSE_API void hanse_stay_online(struct hanse *h, bool on);

/* True while there is something left that only needs time: operations, posts on their way, joins that wait.
 */
HANSE_API bool hanse_has_pending(const struct hanse *h);

/* The same loop on libuv. HANSE_ERR_UNSUPPORTED where the library was built without it,
 * HANSE_ERR_INVALID_STATE where it runs already, HANSE_ERR_NOMEM. wake is called on the loop when there are
 * events to pull, or with the error of hanse_step(). What is called between two turns of the loop, or
 * before it runs, goes out with its next turn, and keeps uv_run() going until then. Stop before
 * hanse_close(), and let the loop run once more after it. */
struct uv_loop_s;
HANSE_API HANSE_NODISCARD enum hanse_err hanse_uv_start(struct hanse *h, struct uv_loop_s *loop,
                                                        void (*wake)(struct hanse *h, enum hanse_err err,
                                                                     void *context),
                                                        void *context);

/* No effect where it doesn't run. */
HANSE_API void hanse_uv_stop(struct hanse *h);

enum hanse_event_kind {
    HANSE_EVENT_NONE = 0,
    HANSE_EVENT_DONE,      /* op, err; id, seq and text as the operation says */
    HANSE_EVENT_ONLINE,    /* the home node knows this device and is served */
    HANSE_EVENT_OFFLINE,   /* err: why; it is tried again by itself. HANSE_ERR_DEVICE_TWICE: a copy of the
                              store is in use elsewhere, and the two harm each other: show that */
    HANSE_EVENT_CAUGHT_UP, /* everything that the node had for this device is here */
    HANSE_EVENT_WAITING, /* room: the request to join is with the hub, a moderator has to be online; with op:
                          * the node to which the room is to move fetches its log first, or the room's hub
                          * can't be told of the new home: err, text: its domain */
    HANSE_EVENT_JOINED,  /* room: this device is a member now; text: the room's name */
    HANSE_EVENT_MESSAGE, /* room, seq: read it with hanse_message_get() */
    HANSE_EVENT_POST_FAILED, /* room, err, text: a post of this device (or its leaving, without an operation)
                              * was refused for good, or given up by hanse_leave_here() */
    HANSE_EVENT_REMOVED,     /* room: this device was removed from it */
    HANSE_EVENT_FROZEN, /* room, err, seq: the hub accepted what the rules forbid; nothing more is believed */
    HANSE_EVENT_ORDER,  /* id: an order took a step; read it with hanse_order_get() */
    HANSE_EVENT_TILL,   /* id: an order that this till answers took a step; text: which */
    HANSE_EVENT_PROGRESS, /* room: of known records seq are here; a few times a second while many are missing,
                            and once more when none is (seq = known) */
    HANSE_EVENT_TYPING,   /* room, id, text: that person is typing just now; it is kept nowhere */
    HANSE_EVENT_FILE,     /* op: so many bytes of its file are through: seq */
    HANSE_EVENT_GAP, /* room, seq, known: posts from seq to known can't be read any more; it may yet grow, and
                       is told again then; read it with hanse_message_get() */
    HANSE_EVENT_HUB  /* room: another node orders it from here on; text: its domain */
};

struct hanse_event {
    enum hanse_event_kind kind;
    enum hanse_err err;
    uint64_t op;
    uint64_t seq;
    struct hanse_id room;
    struct hanse_id id;
    const char *text; /* never NULL */
    uint64_t known;   /* PROGRESS, GAP */
};

/* The next event; kind NONE where there is none. */
HANSE_API void hanse_next_event(struct hanse *h, struct hanse_event *event);

/* ---- Who I am ---- */

struct hanse_identity {
    bool exists;                  /* keys were made */
    bool has_home;                /* a home node is known */
    bool has_account;             /* and has confirmed the account */
    struct hanse_person self;     /* as the home node's brand knows this person */
    char home[HANSE_DOMAIN_SIZE]; /* domain of the home node */
    struct hanse_id home_root;
    bool moving; /* to that home: it hasn't confirmed the account, or rooms are left that wait */
};

/* Without an identity all of it is empty, which is no error. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_identity(struct hanse *h, struct hanse_identity *out);

/* Makes seed and device keys; display_name may be NULL. Once: HANSE_ERR_INVALID_STATE. HANSE_ERR_INVALID_ARG
 * for a name that is too long or not clean text. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_identity_create(struct hanse *h, const char *display_name);

/* Another display name, for what is joined from now on; NULL or "": none. HANSE_ERR_INVALID_ARG as above,
 * HANSE_ERR_INVALID_STATE without an identity. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_identity_rename(struct hanse *h, const char *display_name);

/* Signs up at the node of the ticket ("hanse:t/..."), which becomes the home node; needs an identity without
 * a home (HANSE_ERR_INVALID_STATE). HANSE_ERR_TICKET_INVALID at once; DONE: the node's answer. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_sign_up(struct hanse *h, const char *ticket, uint64_t *op);

/* Moves to the node of the ticket ("hanse:t/..."), which becomes the home node: an account there, and every
 * room is read through it from then on; rooms of the old home's brand too. Coupons, orders and history stay.
 * It goes on after a restart by itself. DONE: all rooms have moved, or why one didn't (id = the room; it is
 * tried again in the next session), or why the new node has no account for this device: then nothing has
 * changed. A room whose hub can't be asked waits for that (EVENT_WAITING with the op, err, text: its domain),
 * and keeps nobody from moving on to another node; the DONE of the move before is HANSE_ERR_CONFLICT then. A
 * role keeps its grants in rooms of its brand. HANSE_ERR_TICKET_INVALID, HANSE_ERR_INVALID_ARG for the
 * present home's; HANSE_ERR_INVALID_STATE without a home, and while a request to join is under way. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_move_home(struct hanse *h, const char *ticket, uint64_t *op);

/* Stays at the home before, while the new node hasn't confirmed the account (hanse_identity): no hub has
 * heard of the move. Its DONE is HANSE_ERR_CONFLICT. HANSE_ERR_INVALID_STATE otherwise. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_home_back(struct hanse *h);

/* Gives a room to this device's home node, which orders it from then on; its members, invites and history
 * stay. Needs an owner who has moved home there, and who may make rooms there. DONE: the room has moved
 * (EVENT_HUB comes to all members), or why not. Where the new node hasn't got the whole log, EVENT_WAITING
 * with the op comes first: from then on it goes on without this device, too. HANSE_ERR_POLICY for who doesn't
 * own it and for counters, HANSE_ERR_INVALID_ARG where the home node is its hub already,
 * HANSE_ERR_INVALID_STATE until the home is known, and the room's hub knows it. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_room_move(struct hanse *h, const struct hanse_id *room,
                                                         uint64_t *op);

/* Takes roles or a handle that the operator of the home node, or of a room's node, granted to this device's
 * key there ("hanse:g/..."; the key is that of hanse_room.self), and shows them: to the home node, and in
 * that brand's rooms with this device's next commit, which is made at once. DONE: they are kept, and the home
 * node has its own. HANSE_ERR_MALFORMED for another text, HANSE_ERR_WRONG_SIGNER for a brand in none of whose
 * rooms this device is, HANSE_ERR_BAD_CHAIN for another key's, HANSE_ERR_NAME_REFUSED for a second handle,
 * HANSE_ERR_EXPIRED, HANSE_ERR_TOO_LARGE for too many, HANSE_ERR_INVALID_STATE without a home node. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_grants_add(struct hanse *h, const char *text, uint64_t *op);

/* A round trip to the home node. DONE: seq = milliseconds. HANSE_ERR_INVALID_STATE without one. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_ping(struct hanse *h, uint64_t *op);

/* The home node posts an empty request to this URL when there is something new while this device isn't
 * connected, at most once in 30 seconds; "": no more. https, or http where the node's operator allows it; at
 * most 512 characters. The node forgets it where the URL answers 410, and a new home node doesn't know it.
 * DONE: the node has it, HANSE_ERR_UNSUPPORTED for a URL that it doesn't take. HANSE_ERR_INVALID_ARG,
 * HANSE_ERR_INVALID_STATE without a home node. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_set_wake(struct hanse *h, const char *url, uint64_t *op);

/* ---- Rooms ---- */

enum hanse_room_kind {
    HANSE_ROOM_GROUP = 1,
    HANSE_ROOM_COUNTER = 2,
    HANSE_ROOM_CHANNEL = 3,
    HANSE_ROOM_LIVE = 4
};

enum hanse_room_state {
    HANSE_ROOM_CREATING = 1, /* the node hasn't answered yet */
    HANSE_ROOM_WAITING,      /* asked to join */
    HANSE_ROOM_MEMBER,
    HANSE_ROOM_LEFT,  /* removed */
    HANSE_ROOM_FROZEN /* the hub broke the rules */
};

enum hanse_role {
    HANSE_ROLE_MEMBER = 0,
    HANSE_ROLE_OWNER = 1,
    HANSE_ROLE_MODERATOR = 2,
    HANSE_ROLE_HOST = 3,
    HANSE_ROLE_AGENT = 4,
    HANSE_ROLE_LISTENER = 5
};

struct hanse_room {
    struct hanse_id id;
    enum hanse_room_kind kind;
    enum hanse_room_state state;
    char name[HANSE_NAME_SIZE];
    char hub[HANSE_DOMAIN_SIZE]; /* domain of the node that orders the room's log */
    struct hanse_id hub_root;    /* of the brand's node, whichever orders it: personas are made for that */
    struct hanse_id self;        /* the persona that this room knows */
    enum hanse_role role;        /* of this persona */
    uint64_t next_seq;           /* the first record that isn't here yet */
    uint64_t epoch;
    uint32_t members;
    enum hanse_err
        frozen; /* FROZEN: why; MEMBER: what refused this device's way back, which goes on trying */
    bool waits; /* MEMBER: until its hub can be told of this device's home; what is posted waits here */
};

/* The first room behind *after (NULL: the first of all), in the order of their ids. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_room_next(struct hanse *h, const struct hanse_id *after,
                                                         struct hanse_room *out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_room_get(struct hanse *h, const struct hanse_id *room,
                                                        struct hanse_room *out);

struct hanse_member {
    uint32_t leaf;
    struct hanse_person person;
    enum hanse_role role;
    bool self;
};

/* The first member at a leaf >= from. HANSE_ERR_NOT_FOUND at the end, and for a room that isn't here. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_member_next(struct hanse *h, const struct hanse_id *room,
                                                           uint32_t from, struct hanse_member *out);

/* Creates a room at the home node. DONE: id = the room. HANSE_ERR_INVALID_ARG for the name,
 * HANSE_ERR_INVALID_STATE without an identity; DONE with HANSE_ERR_DENIED where the account has no grant to
 * do so. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_room_create(struct hanse *h, const char *name, uint64_t *op);

/* A room to be made. */
struct hanse_room_spec {
    const char *name;
    int64_t keep_ms; /* nodes forget posts that are older than this; 0: they keep them for good */
};

/* The same with more to say. HANSE_ERR_INVALID_ARG for keep_ms below 0 as well. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_room_create_as(struct hanse *h,
                                                              const struct hanse_room_spec *spec,
                                                              uint64_t *op);

/* Makes an invite: for uses people (1 to 100000), until then, which must lie ahead (0 too isn't taken). DONE:
 * text = the link. HANSE_ERR_INVALID_ARG, HANSE_ERR_POLICY where this device may not. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_invite(struct hanse *h, const struct hanse_id *room,
                                                      uint32_t uses, int64_t until_ms, uint64_t *op);

/* Joins by a link. Makes the identity where there is none, and where there is no home node the room's node
 * becomes it. DONE: the hub has the request (or why it won't take it), id = the room; HANSE_EVENT_JOINED
 * follows once a moderator's client has let this device in, maybe much later. HANSE_ERR_INVITE_INVALID for a
 * link that isn't one. DONE with HANSE_ERR_NO_ACCOUNT without a home node where the room has moved away from
 * its brand's: that takes a ticket to some node first. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_join(struct hanse *h, const char *link, uint64_t *op);

/* Brings this device back into a room whose keys it has lost to another copy of itself (FROZEN with
 * HANSE_ERR_STATE_LOST): the other copy is out then. A copy that is only too old comes back without being
 * asked. DONE: it is back; a message of kind GAP says what it can't read; or what the hub refuses it for,
 * which it asks for again later. HANSE_ERR_ROOM_UNKNOWN, HANSE_ERR_INVALID_STATE where nothing is lost, the
 * reason where the room is frozen for another one. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_rejoin(struct hanse *h, const struct hanse_id *room,
                                                      uint64_t *op);

/* Removes a person with all of their devices. DONE: the removal is in the room's log. HANSE_ERR_NOT_MEMBER,
 * also where they aren't, HANSE_ERR_POLICY where this device may not, HANSE_ERR_INVALID_ARG for oneself. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_remove(struct hanse *h, const struct hanse_id *room,
                                                      const struct hanse_id *person, uint64_t *op);

/* Gives a member a role, or takes it with HANSE_ROLE_MEMBER. It counts once the room's node has granted that
 * person a handle or a role (hanse_grants_add()). DONE: it is so. HANSE_ERR_NOT_MEMBER, HANSE_ERR_POLICY
 * where this device may not, HANSE_ERR_INVALID_ARG where the room would have no owner. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_set_role(struct hanse *h, const struct hanse_id *room,
                                                        const struct hanse_id *person, enum hanse_role role,
                                                        uint64_t *op);

/* Removes a person for good, who needn't be in the room: no invite lets them in again. HANSE_ERR_POLICY where
 * this device may not, HANSE_ERR_INVALID_ARG for oneself. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_ban(struct hanse *h, const struct hanse_id *room,
                                                   const struct hanse_id *person, uint64_t *op);

/* Tells whoever is in the room just now that this person is typing. Call it as often as keys are pressed: it
 * is said every three seconds at most, never stored, and lost where nobody is there. HANSE_ERR_NOT_MEMBER. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_typing(struct hanse *h, const struct hanse_id *room);

/* Leaves a room. DONE: it is in the room's log; no message behind it comes, and this device has forgotten the
 * room's keys (HANSE_EVENT_REMOVED comes too). The history stays. DONE is HANSE_ERR_CONFLICT where
 * hanse_join() took it back before it went out. HANSE_ERR_NOT_MEMBER. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_leave(struct hanse *h, const struct hanse_id *room,
                                                     uint64_t *op);

/* Leaves a room on this device, now and without its node: for one that is gone for good or has broken the
 * rules, or a request to join that nobody answers. The room's keys are deleted at once, nothing more goes
 * there, and no move to another home waits for it any more. What never left this device is given up: its DONE
 * (or HANSE_EVENT_POST_FAILED) is HANSE_ERR_NOT_MEMBER, and an order's coupon is free again. What has gone
 * out unanswered can't be taken back: its DONE (or POST_FAILED) is HANSE_ERR_TIMEOUT, and it may still
 * arrive, unseen here, for as long as a home has it that waits for the room's node; an order stays placed
 * until that is heard to have failed (HANSE_EVENT_ORDER).
 * The room is LEFT (HANSE_EVENT_REMOVED comes too), and its history stays. A request to join is seen no more;
 * who is let in by it all the same is a MEMBER for a moment, without EVENT_JOINED, and leaves again
 * (HANSE_EVENT_REMOVED). The node is told when it can be, but only once, for the room's present epoch: a room
 * that has gone on meanwhile, or whose keys this device has lost, goes on listing this device until somebody
 * removes it. hanse_join() takes it back. HANSE_ERR_ROOM_UNKNOWN, HANSE_ERR_NOT_MEMBER where it is LEFT,
 * HANSE_ERR_INVALID_STATE while it is being made. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_leave_here(struct hanse *h, const struct hanse_id *room);

/* ---- Messages ---- */

enum hanse_message_kind {
    HANSE_MESSAGE_TEXT = 1,
    HANSE_MESSAGE_CREATED, /* the room; text: its name */
    HANSE_MESSAGE_JOINED,  /* text: who, as names; those that people chose are quoted */
    HANSE_MESSAGE_LEFT,    /* text: who was removed, as names */
    HANSE_MESSAGE_INVITED, /* an invite was made */
    HANSE_MESSAGE_OFFER,   /* object: hanse_offer_get() */
    HANSE_MESSAGE_COUPON,  /* object: hanse_campaign_get() */
    HANSE_MESSAGE_ORDER,   /* object: hanse_order_get(); an order was placed or took a step */
    HANSE_MESSAGE_OTHER,   /* text: the sender's fallback for what this version doesn't know */
    HANSE_MESSAGE_REFUSED, /* a record that couldn't be believed: err says why; its content isn't shown */
    HANSE_MESSAGE_FILE,    /* text: its name; hanse_file_get(), hanse_fetch() */
    HANSE_MESSAGE_GAP /* missing posts from seq to last can't be read. err: HANSE_OK, the room keeps them no
                         longer; HANSE_ERR_STATE_LOST, this device had lost its keys, and is back behind
                         last; HANSE_ERR_MLS_GENERATION, too many before them are missing */
};

struct hanse_message {
    uint64_t seq;    /* place in the room's log */
    int64_t time_ms; /* the hub's */
    enum hanse_message_kind kind;
    enum hanse_err err;
    bool own;
    struct hanse_person sender;
    struct hanse_id object;
    const char *text;       /* never NULL */
    uint64_t last, missing; /* GAP */
};

/* The first message at seq >= from; the one at seq. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_message_next(struct hanse *h, const struct hanse_id *room,
                                                            uint64_t from, struct hanse_message *out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_message_get(struct hanse *h, const struct hanse_id *room,
                                                           uint64_t seq, struct hanse_message *out);

/* Sends a text. DONE: it is in the room's log; seq = its place. HANSE_ERR_INVALID_ARG for text that is empty,
 * longer than HANSE_TEXT_MAX or not clean UTF-8. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_post(struct hanse *h, const struct hanse_id *room,
                                                    const char *text, uint64_t *op);

/* ---- Files ---- */

/* Fills buffer with length bytes of the file at offset. Called from hanse_attach() and hanse_step(). */
typedef enum hanse_err hanse_read_fn(void *context, uint64_t offset, uint8_t *buffer, size_t length);

/* Takes length bytes of the file at offset, for good: it isn't called for them again, unless the program dies
 * at this very moment. Called from hanse_step(). */
typedef enum hanse_err hanse_write_fn(void *context, uint64_t offset, const uint8_t *data, size_t length);

enum { HANSE_FILE_MAX = 99948116 /* bytes */ };

struct hanse_file {
    char name[HANSE_NAME_SIZE]; /* as its sender chose it: one component of a path, and not a hidden one */
    char media_type[HANSE_NAME_SIZE];
    uint64_t size;
};

/* The file of a message of kind FILE. HANSE_ERR_NOT_FOUND. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_file_get(struct hanse *h, const struct hanse_id *room,
                                                        uint64_t seq, struct hanse_file *out);

/* Sends a file: encrypts it here, brings it to the node and posts it. read is called until DONE (seq: its
 * place in the room's log), first for all of the file before this returns. FILE tells how far it has
 * come. What was under way when the program ended goes on where it was, when the same file is sent to the
 * same room again within a day. HANSE_ERR_TOO_LARGE past HANSE_FILE_MAX, HANSE_ERR_INVALID_ARG for a name
 * with a slash, one that begins with a dot, or none; HANSE_ERR_POLICY where this device may not; read's
 * errors; DONE: HANSE_ERR_BLOB_HASH where the file changes meanwhile. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_attach(struct hanse *h, const struct hanse_id *room,
                                                      const struct hanse_file *file, hanse_read_fn *read,
                                                      void *context, uint64_t *op);

/* Gets the file of a message (HANSE_ERR_NOT_FOUND without one). have: how much of it write has taken before,
 * 0 for none; it goes on there, or before. DONE: all of it was written, and is what its sender sent
 * (HANSE_ERR_BLOB_HASH, HANSE_ERR_DECRYPT otherwise); HANSE_ERR_BLOB_UNKNOWN where the node hasn't got it any
 * more; HANSE_ERR_QUOTA where the home node has no more place for attachments of the room's node, which it
 * has to fetch from there: have its operator give more, or ask again when some have gone; write's errors. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_fetch(struct hanse *h, const struct hanse_id *room,
                                                     uint64_t seq, uint64_t have, hanse_write_fn *write,
                                                     void *context, uint64_t *op);

/* ---- Hubs that lie ---- */

/* What proves that the room's hub told two stories (HANSE_EVENT_FROZEN with HANSE_ERR_LOG_FORK), as a file
 * that anybody can check; bytes belong to the handle. HANSE_ERR_NOT_FOUND where nothing was proved. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_evidence(struct hanse *h, const struct hanse_id *room,
                                                        const uint8_t **bytes, size_t *len);

struct hanse_evidence_report {
    struct hanse_id root; /* of the node that told two stories */
    bool root_pinned;     /* and it is the one that was asked for */
    char domain[HANSE_DOMAIN_SIZE];
    struct hanse_id room;
    uint64_t seq;                /* the record of which it signed two versions */
    int64_t first_ms, second_ms; /* when it signed them, by its own clock */
};

/* Checks such a file: no handle, no network. root: the node's root key, or NULL to take the file's own word
 * for it. HANSE_ERR_UNEXPECTED where it is no such file; HANSE_ERR_NOT_FOUND where it proves nothing;
 * HANSE_ERR_MALFORMED, HANSE_ERR_TOO_LARGE, HANSE_ERR_WRONG_SIGNER (another root), HANSE_ERR_BAD_SIGNATURE,
 * HANSE_ERR_SELFTEST. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_evidence_verify(const uint8_t *bytes, size_t len,
                                                               const struct hanse_id *root,
                                                               struct hanse_evidence_report *out);

#ifdef __cplusplus
}
#endif

#include <hanse/deal.h>

#endif
