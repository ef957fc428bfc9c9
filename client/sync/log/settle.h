/* A commit counts for good when a record settles it, or it never was: what the files of this stage share
 * about that. */
#ifndef HS_SYNC_SETTLE_H
#define HS_SYNC_SETTLE_H

#include "room/log.h"
#include "schema/link.pb-c.h"
#include "store/unsettled.h"

struct hs_live_room;
struct hs_step;
struct hs_sync;

/* How a room in memory stands with its newest commit. */
struct hs_newest_commit {
    bool unsettled;        /* its record hasn't come yet ... */
    bool doubted;          /* ... and this device can't accept it: the group is in the epoch before it */
    bool gone;             /* ... and it removes this device */
    uint64_t epoch;        /* ... and leads to this one */
    struct hs_time say_at; /* when this device says what it made of it; HS_NEVER: it needn't */
};

/* ---- settle.c: a commit counts for good when a record settles it; or it never was ---- */

/* The room is in memory: how it stands with its newest commit. */
void hs_live_unsettled(struct hs_step *s, struct hs_live_room *room);

/* The commit came: from now on it waits for its record. row: what commit.c knows of it; all that the header
 * says is filled in here. */
enum hs_err hs_settle_begin(struct hs_step *s, struct hs_live_room *room,
                            const struct hs_record_header *header, struct hs_unsettled_row *row);

enum hs_err hs_settled_received(struct hs_step *s, struct hs_live_room *room,
                                const struct hs_record_header *header, struct hs_bytes body);
enum hs_err hs_void_received(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_record_header *header, struct hs_bytes body);

/* Which commit that is, and who may speak of it: pointers live in the step's arena. */
enum hs_err hs_settlement_of(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row,
                             struct hs_settlement *out);

/* Is this device barred from committing? */
bool hs_settle_barred(struct hs_step *s, const struct hs_live_room *room, const struct hs_key *device,
                      struct hs_time at);

/* DENIED where a commit's sender is barred, and it does more than an owner may do all the same. */
struct hs_judge_facts;
enum hs_err hs_settle_bar_check(struct hs_step *s, struct hs_live_room *room,
                                const struct hs_judge_facts *facts, struct hs_time at);

/* From when on it isn't; 0: nothing bars it. */
struct hs_time hs_settle_barred_until(struct hs_step *s, const struct hs_live_room *room,
                                      const struct hs_key *device);

/* A record has decided: nothing is unsettled any more. */
void hs_settle_over(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_settle_admitted(struct hs_step *s, struct hs_live_room *room,
                               const struct hs_unsettled_row *row);
void hs_settle_bar(struct hs_step *s, const struct hs_live_room *room, const struct hs_key *device,
                   struct hs_time at);

/* ---- settle_say.c: what this device says of commits ---- */

/* Chooses when: owners and moderators, and whoever can't accept it, at once; others later, for it may not be
 * needed. */
enum hs_err hs_say_plan(struct hs_step *s, struct hs_live_room *room, const struct hs_unsettled_row *row);

/* The room stands at the log's end: says what is due. */
enum hs_err hs_say_due(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_say_tick(struct hs_step *s);
struct hs_time hs_say_deadline(const struct hs_sync *sync);

/* In a new session everything is said again: the hub keeps it in memory only. */
enum hs_err hs_say_all(struct hs_step *s);

/* ---- commit.c, commit_in.c: what follows from commits ---- */

/* One's own that is on its way to the room's hub. False where there is none. */
bool hs_commit_row(struct hs_step *s, const struct hs_id *room, struct hs_outbox_row *out);
enum hs_err hs_commit_rows_drop(struct hs_step *s, const struct hs_id *room);

/* The commit that is settled has done what somebody waited for. */
enum hs_err hs_commit_settled(struct hs_step *s, struct hs_live_room *room,
                              const struct hs_unsettled_row *row);

/* What the rules say of a commit that was processed and isn't merged; joins: body hashes of the JOINs that it
 * admits, in the arena. Errors of hs_judge_change(), WRONG_SENDER, POLICY, DENIED. */
struct hs_judge_facts;
struct hs_mls_change;
enum hs_err hs_commit_check(struct hs_step *s, struct hs_live_room *room,
                            const struct hs_record_header *header, struct hs_bytes body,
                            const struct hs_mls_change *change, struct hs_judge_facts *facts,
                            struct hs_bytes *joins);

/* This device's grants stand in its leaf: whoever waits for that in all rooms is told (grants.c). */
enum hs_err hs_grants_shown(struct hs_step *s);

/* It is void: what it was for, where this device made it, ends with an error. */
enum hs_err hs_commit_voided(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_unsettled_row *row);

/* This device is out of the room for good, and forgets its keys. */
enum hs_err hs_commit_removed(struct hs_step *s, struct hs_live_room *room);

/* Posts of the void epoch, and what waited for its end, are encrypted anew (post.c). */
enum hs_err hs_posts_voided(struct hs_step *s, struct hs_live_room *room, uint64_t epoch);

enum hs_err hs_commit_received(struct hs_step *s, struct hs_live_room *room,
                               const struct hs_record_header *header, struct hs_bytes body);

/* ---- wanted.c ---- */

/* The hub needs somebody's commit, and asks this device. */
enum hs_err hs_commit_wanted(struct hs_step *s, const Hanse__WantCommit *want);

/* ---- typing.c ---- */

enum hs_err hs_ephemeral_received(struct hs_step *s, const Hanse__Ephemeral *ephemeral);

/* ---- leave.c ---- */

/* A PROPOSAL record: somebody leaves, this device perhaps. */
enum hs_err hs_proposal_received(struct hs_step *s, struct hs_live_room *room,
                                 const struct hs_record_header *header, struct hs_bytes body);

/* May this proposal wait, that was processed? Its sender then is somebody who leaves. */
struct hs_mls_event;
enum hs_err hs_proposal_check(struct hs_step *s, struct hs_live_room *room,
                              const struct hs_record_header *header, const struct hs_mls_event *event);

/* Does a commit take out all who wait for it? POLICY. */
struct hs_judge_facts;
enum hs_err hs_leave_check(struct hs_step *s, const struct hs_live_room *room,
                           const struct hs_judge_facts *facts);

/* Tells the judge who has left: leavers lives as long as input. */
struct hs_judge_input;
struct hs_leavers {
    struct hs_kv *kv;
    struct hs_id room;
};
void hs_leavers_known(struct hs_step *s, const struct hs_live_room *room, struct hs_leavers *leavers,
                      struct hs_judge_input *input);

/* The wish removes as well whoever has left in an earlier epoch: that proposal ended with it. NOMEM. */
struct hs_commit_wish;
enum hs_err hs_leavers_removed(struct hs_step *s, struct hs_live_room *room, struct hs_commit_wish *wish);

/* Does somebody wait whom this device should take out? */
bool hs_leave_waits(struct hs_step *s, const struct hs_live_room *room);

/* One's own proposal, of the present epoch, with its frame in the row. */
struct hs_outbox_row;
enum hs_err hs_leave_propose(struct hs_step *s, struct hs_live_room *room, struct hs_outbox_row *row);

/* From now on it is made for each epoch, until it is in the log. unseen: nobody here knows that this device
 * is in the room. number: of its row. */
enum hs_err hs_leave_begin(struct hs_step *s, struct hs_live_room *room, bool unseen, uint64_t *number);

/* This device is out, or the room is frozen: nothing more is said of it, and whoever waits for it is told
 * err. seq: of the record by which it is out; 0: none. */
enum hs_err hs_leave_over(struct hs_step *s, const struct hs_id *room, uint64_t seq, enum hs_err err);

/* Its person wants to be in: it is given up, and whoever waits for it is told CONFLICT. UNSETTLED where the
 * hub may have it: then its end is to be waited for. */
enum hs_err hs_leave_take_back(struct hs_step *s, struct hs_live_room *room);

/* One's own proposal is made anew where the epoch has moved on, or this device has caught up: of that room,
 * of all. */
enum hs_err hs_leave_renew(struct hs_step *s, struct hs_live_room *room);
enum hs_err hs_leaves_renew(struct hs_step *s);
enum hs_err hs_leave_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err);

#endif
