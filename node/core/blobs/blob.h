/* Blobs at this node: what is larger than a frame, named by its hash. Trees of Welcomes are kept in the
 * store, in pieces, together with the record that needs them. What nothing refers to for a day is deleted.
 *
 * Views say what there is and who refers to it; they are made from records like all others. The bytes, and
 * how far a fetched one has come, are no views: they are what they are, whatever is made anew. */
#ifndef HS_CORE_BLOB_H
#define HS_CORE_BLOB_H

#include "core/federation/peer.h"
#include "core/records/stream.h"
#include "core/state.pb-c.h"
#include "core/turn.h"
#include "wire/limits.h"

enum hs_blob_state {
    HS_BLOB_FETCHED = 1, /* on its way from the hub, into the store */
    HS_BLOB_KEPT = 2,    /* in the store, whole */
    HS_BLOB_FILE = 3,    /* a file, whole and verified */
    HS_BLOB_REMOTE = 4,  /* at the hub: a file once somebody here asks for it */
};

enum {
    HS_BLOB_GRACE_MS =
        24 * 3600 * 1000,        /* between the last reference and the end: who reads slowly is served */
    HS_FETCH_MS = 10000,         /* a piece that hasn't come by then is asked for again */
    HS_BLOBS_A_TICK = 64,        /* looked at in one tick ... */
    HS_BLOBS_GONE = 4,           /* ... and deleted: keeps a round short */
    HS_MOVES_MAX = 32,           /* blobs on their way to or from hubs: each takes a window of memory */
    HS_MOVES_HUB = 16,           /* of them with one hub: it may be slow, or gone, and others aren't */
    HS_MOVE_IDLE_MS = 60 * 1000, /* one of which nothing came for so long makes place for another */
    HS_MOVE_MS = 15 * 1000,      /* one that hasn't moved for so long begins anew from what is durable */
    HS_MOVE_AGAIN_MS = 1000,     /* after a refusal that may pass */
};

/* NULL where this node knows nothing of it. */
Hanse__State__BlobView *hs_blob_view(struct hs_turn *turn, const struct hs_id *hash);

/* The next blob that is a file here, at or behind the cursor, which moves on: for whoever looks into a store
 * without a node. False at the end, or where the store failed, which sticks. */
bool hs_core_blob_next(struct hs_kv *kv, struct hs_kv_key *cursor, struct hs_id *hash, uint64_t *size);

/* The turn's session reads room, and something in room refers to the blob, or did so lately. */
bool hs_blob_may_read(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);

/* The piece of a KEPT blob at offset, in the turn's arena; empty where there is none. */
struct hs_bytes hs_blob_piece(struct hs_turn *turn, const struct hs_id *hash, uint64_t offset);

/* Deletes some of what nobody needs. */
void hs_blobs_tick(struct hs_turn *turn);

/* ---- for apply functions ---- */

/* Keeps the bytes in the store; the same again is fine. Until something refers to them they wait for a day.
 */
void hs_blob_keep(struct hs_turn *turn, const struct hs_id *hash, struct hs_bytes bytes);

/* The next blob that a room has, at or behind from, which moves on; false at the end. */
bool hs_blob_room_next(struct hs_turn *turn, struct hs_kv_key *from, struct hs_id *hash, struct hs_id *room);

/* Something in room refers to it from now on, or does no more. An unknown blob is passed over. */
void hs_blob_ref(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);
void hs_blob_unref(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);

/* The same for what an inbox item refers to: it came in, or is deleted. */
void hs_blob_ref_item(struct hs_turn *turn, const Hanse__InboxItem *item);
void hs_blob_unref_item(struct hs_turn *turn, const Hanse__InboxItem *item);

/* Deletes it, whatever refers to it. */
void hs_blob_forget(struct hs_turn *turn, const struct hs_id *hash);

/* Of blob*.c only. */
void hs_blob_put(struct hs_turn *turn, const struct hs_id *hash, Hanse__State__BlobView *view);

/* ---- blob_fetch.c: a follower gets what its users' Welcomes need ---- */

/* A tree within an item, or one that can be fetched: MALFORMED, TOO_LARGE. */
enum hs_err hs_fetch_check(const Hanse__Tree *tree);

/* Holds the Welcome back until its tree is here; the item's number at that hub names it, and from is its
 * record in the hub's stream. */
void hs_fetch_hold(struct hs_turn *turn, const struct hs_stream_at *from, uint64_t number,
                   const struct hs_key *subscriber, const Hanse__InboxItem *item);

/* The next hub's tree at or behind from that is on its way, and how much of it is here; false at the end. */
bool hs_fetch_next(struct hs_turn *turn, struct hs_kv_key *from, struct hs_key *hub, uint64_t *have);

/* Asks the hub for what is missing, as far as the window reaches, and as it has place here. */
void hs_fetch_work(struct hs_turn *turn, struct hs_peer *peer);

/* The hub's answer to a question of this node's own. */
void hs_fetch_answered(struct hs_turn *turn, struct hs_peer *peer, const struct hs_asked *asked,
                       const Hanse__Frame *answer);

/* ---- blob_put.c: blobs that come as files ---- */

/* What became of a BLOB effect. */
void hs_blob_done(struct hs_turn *turn, const struct hs_core_input *input);

/* May a post in room name these? MALFORMED, TOO_LARGE; BLOB_UNKNOWN where one isn't whole here, for this
 * room; at a follower, there. */
enum hs_err hs_blobs_check(struct hs_turn *turn, const struct hs_id *room, const ProtobufCBinaryData *hashes,
                           size_t count);

/* How many of the hashes that a hub hints at are taken: all or none. */
size_t hs_blobs_hinted(const Hanse__Record *record);

/* What a post's entry refers to: it came in, or was erased. For apply functions. */
void hs_blobs_ref_entry(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomEntry *entry);
void hs_blobs_unref_entry(struct hs_turn *turn, const struct hs_id *room,
                          const Hanse__State__RoomEntry *entry);

/* The blob is a file now, for that room. */
void hs_blob_record_stored(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                           uint64_t size);
bool hs_blob_in_room(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);

/* A BLOB effect; bytes are copied. */
struct hs_effect *hs_blob_effect(struct hs_turn *turn, enum hs_effect_kind kind, const struct hs_id *hash,
                                 const struct hs_id *room);

/* ---- blob_quota.c ---- */

struct hs_upload;

/* One more is begun: QUOTA where the persona has put too much today, or too much that no post names. The same
 * for the same room counts once, where it waits. */
enum hs_err hs_quota_charge(struct hs_turn *turn, const struct hs_upload *upload, uint64_t size);

/* The same for a node that was asked for it: no day counts, BUSY where it has too much under way. */
enum hs_err hs_quota_hold(struct hs_turn *turn, const struct hs_upload *upload, uint64_t size);

/* Has somebody put it for that room, and no post names it yet? */
bool hs_quota_waits(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);

/* A post names it, or it is gone: whoever has put it. What is still under way counts on. */
void hs_quota_release(struct hs_turn *turn, const struct hs_id *hash);

/* What that one had brought of it for that room is gone. */
void hs_quota_release_of(struct hs_turn *turn, const struct hs_upload *upload);

/* What was counted for it by a program of before, which knew one upload of each blob, is gone. */
void hs_quota_release_former(struct hs_turn *turn, const struct hs_id *hash);

/* ---- blob_move.c: between a follower and the hub ---- */

/* Gets the blob from the room's hub; a second call changes nothing. BUSY. */
enum hs_err hs_move_fetch(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);

/* Brings it to the room's hub: true where it is there. An error that is for good is told once. */
enum hs_err hs_move_push(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         const struct hs_key *persona, uint64_t size, bool *there);
bool hs_blob_is_at_hub(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);

void hs_moves_work(struct hs_turn *turn, struct hs_peer *peer);
void hs_moves_done(struct hs_turn *turn, const struct hs_core_input *input);
void hs_move_chunk(struct hs_turn *turn, const struct hs_asked *asked, const Hanse__Frame *answer);
void hs_push_answered(struct hs_turn *turn, struct hs_peer *peer, const struct hs_asked *asked,
                      const Hanse__Frame *answer);
void hs_moves_free(struct hs_core *core);

/* The same for a hub that has lost it, and asks for it; a second call changes nothing. BUSY, ... */
enum hs_err hs_move_back(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         uint64_t size);

/* ---- blob_want.c: a hub that has lost what posts name ---- */

/* Asks those who may have it: BUSY until it is here, BLOB_UNKNOWN where nobody has it. moved_here: the room
 * has. */
enum hs_err hs_blob_want(struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room,
                         bool moved_here);

/* Is the session a follower's that was asked for it, for that room? */
bool hs_blob_was_asked(const struct hs_turn *turn, const struct hs_id *hash, const struct hs_id *room);

/* So much is durable of what that follower brings. Where it is no more than ever before nothing has come. */
void hs_blob_want_moved(struct hs_turn *turn, const struct hs_id *hash, const struct hs_key *from,
                        uint64_t have);
void hs_wants_tick(struct hs_turn *turn);
void hs_wants_free(struct hs_core *core);

/* The room's hub asks this follower for it. MALFORMED. */
enum hs_err hs_blob_wanted(struct hs_turn *turn, const struct hs_id *room, struct hs_bytes hash);

/* ---- bytes ---- */

void hs_blob_piece_put(struct hs_turn *turn, const struct hs_id *hash, uint64_t offset,
                       struct hs_bytes piece);

/* How much of a FETCHED one is here. */
uint64_t hs_blob_have(struct hs_turn *turn, const struct hs_id *hash);
void hs_blob_have_put(struct hs_turn *turn, const struct hs_id *hash, uint64_t have);

#endif
