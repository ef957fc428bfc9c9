/* The parts of an export, opened: what building and verifying share. */
#ifndef HS_DEAL_EXPORT_CASE_H
#define HS_DEAL_EXPORT_CASE_H

#include "deal/export.h"

struct hs_export_case {
    struct hs_chain chain;
    struct hs_coupon_def *defs;
    struct hs_order_refs refs;
    struct hs_order_thread thread;
    struct hs_export_signer signers[HS_EXPORT_SIGNERS_MAX];
    size_t signer_count;
};

/* The parts of an export message: borrowed. */
struct hs_export_parts hs_export_parts_of(const Hanse__OrderExport *msg);

/* Opens the chain, every offer, definition and coupon, and applies every event. pinned as in
 * hs_export_verify(). ORDER_INVALID without an event or with too many parts. */
enum hs_err hs_export_case_open(const struct hs_export_parts *parts, const struct hs_key *pinned,
                                struct hs_arena *arena, struct hs_export_case *out);

/* Adds a signer to those that the report will name, unless it is there; drops it where the list is full. */
void hs_export_case_note(struct hs_export_case *c, const char *part, const struct hs_actor *actor);

/* True where the order cites this offer, coupon, or (through a cited coupon) definition. */
bool hs_export_case_cites_offer(const struct hs_export_case *c, const struct hs_id *id);
bool hs_export_case_cites_coupon(const struct hs_export_case *c, const struct hs_id *id);
bool hs_export_case_cites_def(const struct hs_export_case *c, const struct hs_id *id);

/* Everything that people read, from an opened case. AMOUNT, NOMEM. */
enum hs_err hs_export_report_fill(struct hs_export_case *c, struct hs_arena *arena,
                                  struct hs_export_report *report);

#endif
