/* How much of this node's disk what comes from one hub takes: copies of its rooms, attachments and trees that
 * were fetched from it, parts of them, and what records here say of its items. What a hub that is followed
 * can make a home keep for its users is bounded by its standing, whatever it lets its rooms say. Counted in
 * memory, in laps through the rooms and the blobs: it is no view, and after a start it is known of a hub that
 * was followed before once a lap is over. Until then it has a part of its place alone, and the laps are
 * faster. Of a hub that is met later it is known from the beginning: nothing is here. */
#ifndef HS_CORE_KEPT_H
#define HS_CORE_KEPT_H

#include "core/turn.h"

enum {
    HS_KEPT_ROWS = 32,        /* that one tick looks at */
    HS_KEPT_ROWS_FIRST = 256, /* the same while it isn't known of some hub that is followed what is there: an
                                 hour for a million */
    HS_KEPT_UNKNOWN = 8,      /* and it may bring one of so many parts of its place by then: a start doesn't
                                 give it all of that anew */
    HS_KEPT_SPARE = 4, /* one of so many parts of a hub's place is for records, and trees: what users have
                          fetched of attachments keeps nobody from reading on */
};

/* Has nothing ever been kept of it but so many copies, which the caller counts? One that was never followed,
 * and of which no other room is copied. False where that can't be read now. */
bool hs_kept_is_nothing(struct hs_turn *turn, const struct hs_key *hub, uint64_t copies);

/* So much has come from that hub: it counts until the next lap is over, and where it comes during one, until
 * one more is. */
void hs_kept_count(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes);

/* Is there place for so much more? True for nothing, and where the hub is no peer. */
bool hs_kept_has_place(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes);

/* Both: records, or (file) an attachment, which leaves the spare part. QUOTA. */
enum hs_err hs_kept_take(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes);
enum hs_err hs_kept_take_file(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes);

/* The turn's session is a hub's that brings so much: QUOTA where it has no place for it; it is left for a
 * while then (HS_HUB_PAUSE_MS), and nothing is lost by it. */
enum hs_err hs_kept_check_sent(struct hs_turn *turn, uint64_t bytes);

/* The same for records of a room, which count. QUOTA. */
enum hs_err hs_kept_take_sent(struct hs_turn *turn, const Hanse__Records *records);

/* The bytes of those that count. */
uint64_t hs_kept_size(Hanse__Record *const *records, size_t count);

void hs_kept_tick(struct hs_turn *turn);

#endif
