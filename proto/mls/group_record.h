/* The records of a member's group (store.h), as bytes and back. */
#ifndef HS_MLS_GROUP_RECORD_H
#define HS_MLS_GROUP_RECORD_H

#include "mls/member.h"

/* What the head says; of the group: settings, own, inviter, removed, and epoch and end of the past epochs. */
struct hs_mls_head {
    uint16_t suite;
    uint64_t epoch;
    bool unsettled, pending, pending_before; /* a pending commit of this epoch, of the unsettled one */
};

void hs_mls_head_write(const struct hs_mls_group *group, struct hs_writer *w);

/* Reads settings alone, to make a group of them, then all into it. UNSUPPORTED for another version,
 * MALFORMED. */
enum hs_err hs_mls_head_settings(struct hs_bytes record, struct hs_mls_settings *settings);
enum hs_err hs_mls_head_read(struct hs_bytes record, struct hs_mls_group *group, struct hs_mls_head *head);

/* One epoch, whole: HS_MLS_SAVED_WHOLE. read: the tree stays empty, and of the signers only pub is set. */
void hs_mls_whole_write(const struct hs_mls_whole *whole, struct hs_writer *w);
enum hs_err hs_mls_whole_read(struct hs_bytes record, struct hs_mls_whole **out);

/* What it takes to read a past epoch's messages, but for trees: HS_MLS_SAVED_PAST, or out of a whole one. */
void hs_mls_past_write(const struct hs_mls_epoch_keys *past, struct hs_writer *w);
enum hs_err hs_mls_past_read(struct hs_bytes record, struct hs_mls_epoch_keys *past);

/* The pending commit, not staged; of the signer only pub is set. */
void hs_mls_pending_write(const struct hs_mls_pending *pending, struct hs_writer *w);
enum hs_err hs_mls_pending_load(struct hs_bytes record, struct hs_mls_pending **out);

#endif
