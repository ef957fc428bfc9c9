/* Streams. Whatever changes something is one record in one stream, and the journal gives the records of all
 * streams one order. What else is stored are views, and a record's apply is the only thing that writes them:
 * it must be a function of the views before it and the record alone. So the views can be made again from the
 * streams (replay.h), byte for byte.
 *
 * A handler checks everything, fills in the record, and calls hs_stream_record(), which appends and applies.
 * Rooms have a log of their own form (room_record.h). */
#ifndef HS_CORE_STREAM_H
#define HS_CORE_STREAM_H

#include "core/state.pb-c.h"
#include "core/turn.h"

enum hs_stream {
    HS_STREAM_ACCOUNT = 'A',  /* of a persona */
    HS_STREAM_TICKET = 'T',   /* of a ticket's key */
    HS_STREAM_LEDGER = 'L',   /* of a definition of coupons */
    HS_STREAM_OUTBOX = 'O',   /* of a hub: posts that wait for it; one that was answered is gone, and of its
                                 place in the journal nothing stays but of the newest one */
    HS_STREAM_PEER = 'P',     /* of a hub that is followed: what it handed on, where it is */
    HS_STREAM_DEVICE = 'D',   /* of a subscriber: what it is told besides records of rooms */
    HS_STREAM_BLOB = 'B',     /* of a blob */
    HS_STREAM_EVIDENCE = 'E', /* of a room: proofs against its hub */
    HS_STREAM_NODE = 'N',     /* of this node's root: what happened to it */
    HS_STREAM_ROOM = 'R',     /* of a room: RoomEntry instead of StreamRecord, in HS_T_ROOM_LOG */
};

/* Where a record stands. */
struct hs_stream_at {
    enum hs_stream stream;
    struct hs_id id;
    uint64_t seq;
};

/* Makes the views of one record, whose time is also the turn's. */
typedef void hs_stream_apply_fn(struct hs_turn *turn, const struct hs_stream_at *at,
                                const Hanse__State__StreamRecord *record);

/* Appends the record with the turn's time, and applies it. id: 32 bytes. */
void hs_stream_record(struct hs_turn *turn, enum hs_stream stream, struct hs_bytes id,
                      Hanse__State__StreamRecord *record);

/* Applies a record that is in its stream: one row for each kind. False for a kind that this version doesn't
 * know. */
bool hs_stream_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                     const Hanse__State__StreamRecord *record);

/* Where a record lies, and the key of its stream's next number. */
struct hs_kv_key hs_stream_key(const struct hs_stream_at *at);
struct hs_kv_key hs_stream_next_key(enum hs_stream stream, struct hs_bytes id);

/* The next record of its stream and of the journal is this one. */
void hs_stream_enter(struct hs_turn *turn, const struct hs_stream_at *at);

/* The next record of the journal is this one. */
void hs_journal_add(struct hs_turn *turn, const struct hs_stream_at *at);

/* Records of these streams may leave them (thin.h): their numbers have gaps. */
bool hs_stream_may_thin(enum hs_stream stream);

/* The record that the journal has at n leaves it. */
void hs_journal_forget(struct hs_turn *turn, uint64_t n);

/* The record of the outbox is gone, which the journal had at n. */
void hs_journal_drop(struct hs_turn *turn, const struct hs_stream_at *at, uint64_t n);

/* The journal's next number, and its next one where what had those up to it is gone. */
uint64_t hs_journal_next(struct hs_turn *turn);
void hs_journal_pass(struct hs_turn *turn, uint64_t next);

/* The key above again as what it stands for; false where it isn't one. */
bool hs_stream_at_parse(struct hs_bytes key, struct hs_stream_at *at);

/* The first record that the journal has at n or behind it; false where it has none. */
bool hs_journal_at(struct hs_turn *turn, uint64_t *n, struct hs_stream_at *at);

#endif
