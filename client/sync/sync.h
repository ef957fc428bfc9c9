/* What this device has of its rooms, as a state machine: frames, facts of the session and the time go in;
 * frames, events and a deadline come out. No sockets, no clock, no files.
 *
 * Each call with a struct hs_step reads and changes the store through the step's transaction. The caller
 * commits it, and only then takes what came out (hs_sync_release(), then hs_sync_next_frame(),
 * hs_sync_next_event()): nothing is sent or shown that the store doesn't have. Where a call fails or the
 * commit does, the caller aborts and calls hs_sync_rollback(): what came out of that call is dropped. An
 * error is this machine's trouble or the node's fault (hs_sync_is_fault()); after a fault the session is to
 * be closed with it. */
#ifndef HS_SYNC_SYNC_H
#define HS_SYNC_SYNC_H

#include "base/kv.h"
#include "hanse/hanse.h"
#include "identity/descriptor.h"

struct hs_sync;

/* One call from outside. The arena lives as long as the call. */
struct hs_step {
    struct hs_sync *sync;
    struct hs_kv *kv;
    struct hs_arena *arena;
    struct hs_time now;
};

enum { HS_STEP_ARENA = 512 << 20 /* what one step may read of the store: a walk over the largest table */ };

/* NOMEM. */
enum hs_err hs_sync_new(struct hs_sync **out);
void hs_sync_free(struct hs_sync *sync);

/* Around every call with a step: enter() first, settle() last, before the commit. STORE, NOMEM. */
enum hs_err hs_sync_enter(struct hs_step *s);
enum hs_err hs_sync_settle(struct hs_step *s);

/* True for an error that the node is to blame for. */
bool hs_sync_is_fault(enum hs_err err);

/* ---- The session ---- */

/* A session that is wanted now, and with whom. */
struct hs_dial {
    struct hs_key root; /* pinned */
    bool knows_node;    /* node is its transport key; else ask for the descriptor first */
    struct hs_key node;
    struct hs_secret32 own; /* one's own static key; wipe it */
    char addresses[HS_DESCRIPTOR_ADDRESSES][HS_ADDRESS_MAX + 1];
    size_t address_count;
};

/* True where a session should be opened now; it then counts as being opened until hs_sync_opened() or
 * hs_sync_closed(). */
bool hs_sync_dial(struct hs_step *s, struct hs_dial *out);

/* The node showed its descriptor in clear: checked against the pinned root, kept, and its transport key
 * given. WRONG_SIGNER and the like for another's. */
enum hs_err hs_sync_descriptor(struct hs_step *s, struct hs_bytes bytes, struct hs_key *transport);

/* The handshake is done. hash: 64 bytes. */
enum hs_err hs_sync_opened(struct hs_step *s, const uint8_t *hash);
enum hs_err hs_sync_frame(struct hs_step *s, struct hs_bytes frame);
enum hs_err hs_sync_closed(struct hs_step *s, enum hs_err why);

/* The deadline has come, or the session can take more. */
enum hs_err hs_sync_tick(struct hs_step *s);
struct hs_time hs_sync_deadline(const struct hs_sync *sync);

/* True where the session serves nothing more: close it, once what is to be sent is sent. */
bool hs_sync_hangs_up(const struct hs_sync *sync);

/* Whether the larger frame limit holds: after Authenticated. */
bool hs_sync_is_authenticated(const struct hs_sync *sync);

/* ---- What comes out ---- */

void hs_sync_release(struct hs_sync *sync);
void hs_sync_rollback(struct hs_sync *sync);

/* The next frame to send; valid until the next call. False where there is none. */
bool hs_sync_has_frame(const struct hs_sync *sync);
bool hs_sync_next_frame(struct hs_sync *sync, struct hs_bytes *frame);

/* The next event; its text is valid until the next call. Kind NONE where there is none. */
void hs_sync_next_event(struct hs_sync *sync, struct hanse_event *event);
bool hs_sync_has_event(const struct hs_sync *sync);

/* ---- What the user wants: see hanse.h for each ---- */

void hs_sync_stay_online(struct hs_sync *sync, bool on);
bool hs_sync_has_pending(const struct hs_sync *sync);

/* Tells the node of all that is here, before the end. */
enum hs_err hs_sync_flush(struct hs_step *s);

enum hs_err hs_want_identity(struct hs_step *s, const char *name);
enum hs_err hs_want_name(struct hs_step *s, const char *name);
enum hs_err hs_want_sign_up(struct hs_step *s, const char *ticket, uint64_t *op);
enum hs_err hs_want_move_home(struct hs_step *s, const char *ticket, uint64_t *op);
enum hs_err hs_want_home_back(struct hs_step *s);
enum hs_err hs_want_hub_move(struct hs_step *s, const struct hs_id *room, uint64_t *op);
enum hs_err hs_want_grants(struct hs_step *s, const char *text, uint64_t *op);
enum hs_err hs_want_ping(struct hs_step *s, uint64_t *op);

/* The home node posts to this URL when there is something while this device isn't connected; "": no more.
 * INVALID_ARG for another than an https (or http) URL of at most 512 characters. */
enum hs_err hs_want_wake(struct hs_step *s, const char *url, uint64_t *op);
enum hs_err hs_want_room(struct hs_step *s, const struct hanse_room_spec *spec, uint64_t *op);
enum hs_err hs_want_invite(struct hs_step *s, const struct hs_id *room, uint32_t uses, struct hs_time until,
                           uint64_t *op);
enum hs_err hs_want_join(struct hs_step *s, const char *link, uint64_t *op);
enum hs_err hs_want_rejoin(struct hs_step *s, const struct hs_id *room, uint64_t *op);
enum hs_err hs_want_typing(struct hs_step *s, const struct hs_id *room);
enum hs_err hs_want_leave(struct hs_step *s, const struct hs_id *room, uint64_t *number);
enum hs_err hs_want_leave_here(struct hs_step *s, const struct hs_id *room);
enum hs_err hs_want_removal(struct hs_step *s, const struct hs_id *room, const struct hs_key *persona,
                            uint64_t *op);
enum hs_err hs_want_role(struct hs_step *s, const struct hs_id *room, const struct hs_key *persona,
                         enum hanse_role role, uint64_t *op);
enum hs_err hs_want_ban(struct hs_step *s, const struct hs_id *room, const struct hs_key *persona,
                        uint64_t *op);
enum hs_err hs_want_text(struct hs_step *s, const struct hs_id *room, const char *text, uint64_t *op);
enum hs_err hs_want_attach(struct hs_step *s, const struct hs_id *room, const struct hanse_file *file,
                           hanse_read_fn *read, void *context, uint64_t *op);
enum hs_err hs_want_fetch(struct hs_step *s, const struct hs_id *room, uint64_t seq, uint64_t have,
                          hanse_write_fn *write, void *context, uint64_t *op);
enum hs_err hs_sync_file(struct hs_step *s, const struct hs_id *room, uint64_t seq, struct hanse_file *out);
enum hs_err hs_want_offer(struct hs_step *s, const struct hs_id *room, const struct hanse_offer_spec *spec,
                          uint64_t *op);
enum hs_err hs_want_campaign(struct hs_step *s, const struct hs_id *room,
                             const struct hanse_campaign_spec *spec, uint64_t *op);
enum hs_err hs_want_claim(struct hs_step *s, const struct hs_id *campaign, uint64_t *op);
enum hs_err hs_want_order(struct hs_step *s, const struct hs_id *offer, uint64_t quantity,
                          const struct hs_id *coupon, uint64_t *op);
enum hs_err hs_want_till(struct hs_step *s, bool on);

/* ---- What is here ---- */

/* Leaves of a room from *leaf on; moves *leaf behind the one that is given. NOT_FOUND at the end. */
enum hs_err hs_sync_member_next(struct hs_step *s, const struct hs_id *room, uint32_t *leaf,
                                struct hanse_member *out);

/* The file of an order, in the arena. ORDER_STEP before the shop has answered; errors of hs_export_build().
 */
enum hs_err hs_sync_export(struct hs_step *s, const struct hs_id *order, struct hs_arena *arena,
                           struct hs_bytes *out);

/* The persona that the brand with this root knows. INVALID_STATE without an identity. */
enum hs_err hs_sync_persona(struct hs_sync *sync, const struct hs_key *root, struct hs_key *out);

#endif
