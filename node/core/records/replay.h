/* From streams to views: the records of a journal, applied one after another to a store that began empty,
 * give the store that they come from, byte for byte. What is copied are the streams, the journal and the
 * registers; all else is made.
 *
 * It needs no session, no clock and no configuration but the node's root, and goes on in any store from where
 * that store's own journal ends: so it can be cut into transactions of any size, broken off, and gone on
 * with. */
#ifndef HS_CORE_REPLAY_H
#define HS_CORE_REPLAY_H

#include "core/records/stream.h"

struct hs_replay;

/* root: of the node whose streams they are. NOMEM. */
enum hs_err hs_replay_new(const struct hs_key *root, struct hs_replay **out);
void hs_replay_free(struct hs_replay *replay);

/* The next record of the journal, with its bytes as they were stored; without data where its stream doesn't
 * hold it any more. Errors leave the transaction to be aborted. STORE where the record doesn't fit what came
 * before it or isn't one, UNSUPPORTED for a kind that this version doesn't know; else what is wrong with it;
 * NOMEM, and the store's errors. */
enum hs_err hs_replay_record(struct hs_replay *replay, struct hs_kv *to, const struct hs_stream_at *at,
                             struct hs_bytes record);

/* The journal goes on at that number: what had those before it is gone (HS_STREAM_OUTBOX, thin.h). STORE
 * where it is beyond. */
enum hs_err hs_replay_pass(struct hs_replay *replay, struct hs_kv *to, uint64_t next);

/* One register, after all records; in any order, and as often as one likes. */
enum hs_err hs_replay_register(struct hs_replay *replay, struct hs_kv *to, struct hs_bytes key,
                               struct hs_bytes value);

/* Up to max records and registers of from, up to the record end - 1 of its journal and then its registers;
 * done: that was all. The first call for a store in this replay begins with the registers' first, which is
 * harmless. Errors as above; STORE too where from's journal names what isn't there. */
enum hs_err hs_replay_step(struct hs_replay *replay, struct hs_kv *from, struct hs_kv *to, uint64_t end,
                           size_t max, bool *done);

/* The store was made from a backup, and is used from now on by that incarnation: one record (layout.h). */
enum hs_err hs_replay_restored(struct hs_replay *replay, struct hs_kv *to, struct hs_time now,
                               uint64_t incarnation);

/* The record that the last call was about: for messages. */
const struct hs_stream_at *hs_replay_at(const struct hs_replay *replay);

/* The bytes of a record in its stream, in the arena; false where it isn't there. */
bool hs_stream_bytes(struct hs_kv *kv, const struct hs_stream_at *at, struct hs_arena *arena,
                     struct hs_bytes *bytes);

/* Behind the last record of a store's journal: its next number. */
uint64_t hs_journal_count(struct hs_kv *kv);

#endif
