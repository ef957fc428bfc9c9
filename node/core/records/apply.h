/* What each kind of record makes of the views: one function each, in the file of its handler. */
#ifndef HS_CORE_APPLY_H
#define HS_CORE_APPLY_H

#include "core/records/stream.h"

hs_stream_apply_fn hs_signed_up_apply;
hs_stream_apply_fn hs_bound_apply;
hs_stream_apply_fn hs_counter_asked_apply;
hs_stream_apply_fn hs_ledger_apply;
hs_stream_apply_fn hs_queued_apply;
hs_stream_apply_fn hs_refused_apply;
hs_stream_apply_fn hs_tree_came_apply;
hs_stream_apply_fn hs_blob_gone_apply;
hs_stream_apply_fn hs_handed_on_apply;
hs_stream_apply_fn hs_followed_apply;
hs_stream_apply_fn hs_evidence_apply;
hs_stream_apply_fn hs_restored_apply;
hs_stream_apply_fn hs_domain_tied_apply;
hs_stream_apply_fn hs_root_shown_apply;
hs_stream_apply_fn hs_root_decided_apply;
hs_stream_apply_fn hs_wake_set_apply;
hs_stream_apply_fn hs_resumed_apply;
hs_stream_apply_fn hs_described_apply;
hs_stream_apply_fn hs_blob_stored_apply;
hs_stream_apply_fn hs_way_shown_apply;
hs_stream_apply_fn hs_takeover_apply;
hs_stream_apply_fn hs_home_told_apply;

#endif
