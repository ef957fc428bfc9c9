/* hansed resume and hansed evidence: a restored node's rooms go on; what proves that hubs told two stories.
 */
#include "core/admin/admin.h"
#include "core/federation/evidence.h"
#include "core/internal.h"
#include "core/records/layout.h"
#include "core/recovery/proof.h"
#include "core/recovery/recover.h"
#include "wire/limits.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX, EVIDENCE_ROWS = 200 };

Hanse__State__AdminProofs *hs_admin_proofs(struct hs_turn *turn)
{
    struct hs_proofs count;
    Hanse__State__AdminProofs *proofs = HS_NEW(turn, Hanse__State__AdminProofs, hanse__state__admin_proofs);
    if (proofs == NULL)
        return NULL;
    hs_proofs_count(turn, &count);
    proofs->taken = count.taken;
    proofs->against = count.against;
    proofs->from = count.from;
    proofs->tills = count.tills;
    proofs->tills_done = count.tills_done;
    return proofs;
}

enum hs_err hs_admin_resume(struct hs_turn *turn, const Hanse__State__AdminRequest *request,
                            Hanse__State__AdminAnswer *answer)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes key, value;
    struct hs_id room;
    answer->resumed = HS_NEW(turn, Hanse__State__AdminResumed, hanse__state__admin_resumed);
    HS_REQUIRE(answer->resumed != NULL, HS_ERR_NOMEM);
    answer->body_case = HANSE__STATE__ADMIN_ANSWER__BODY_RESUMED;
    if (request->resume->room != NULL) {
        HS_TRY(hs_admin_find_room(turn, request->resume->room, &scratch, &key, &value));
        HS_REQUIRE(HS_FIXED(key, &room), HS_ERR_STORE);
        enum hs_err err = hs_recover_resume(turn, &room);
        answer->resumed->moved = err == HS_ERR_HUB_MOVED;
        HS_REQUIRE(err == HS_OK || err == HS_ERR_HUB_MOVED, err);
    } else if (request->resume->all) {
        HS_TRY(hs_recover_resume(turn, NULL));
    }
    answer->resumed->frozen = hs_recover_count(turn);
    answer->resumed->ledger = hs_recover_ledger_is_frozen(turn);
    if (hs_restored_since(turn) == 0)
        return HS_OK;
    answer->resumed->proofs = hs_admin_proofs(turn);
    return answer->resumed->proofs != NULL ? HS_OK : HS_ERR_NOMEM;
}

static Hanse__State__AdminProof *proof_of(struct hs_turn *turn, const struct hs_core_evidence *e, bool whole)
{
    Hanse__State__AdminProof *row = HS_NEW(turn, Hanse__State__AdminProof, hanse__state__admin_proof);
    if (row == NULL)
        return NULL;
    row->room = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(e->room)));
    row->hub_root = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(e->hub_root)));
    row->domain = (char *)(uintptr_t)e->domain;
    row->seq = e->seq;
    row->at_ms = e->at.ms;
    if (whole)
        row->content = hs_pb_data(e->content);
    return row;
}

enum hs_err hs_admin_evidence(struct hs_turn *turn, const Hanse__State__AdminRequest *request,
                              Hanse__State__AdminAnswer *answer)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key cursor = {0};
    struct hs_bytes key, value;
    struct hs_core_evidence e;
    struct hs_id room;
    bool one = request->evidence->room != NULL;
    answer->evidence = HS_NEW(turn, Hanse__State__AdminEvidence, hanse__state__admin_evidence);
    HS_REQUIRE(answer->evidence != NULL, HS_ERR_NOMEM);
    answer->body_case = HANSE__STATE__ADMIN_ANSWER__BODY_EVIDENCE;
    answer->evidence->proofs = hs_arena_alloc(turn->arena, EVIDENCE_ROWS * sizeof *answer->evidence->proofs);
    HS_REQUIRE(answer->evidence->proofs != NULL, HS_ERR_NOMEM);
    if (one)
        HS_TRY(hs_admin_find_room(turn, request->evidence->room, &scratch, &key, &value));
    HS_REQUIRE(!one || HS_FIXED(key, &room), HS_ERR_STORE);
    while (answer->evidence->n_proofs < EVIDENCE_ROWS &&
           hs_core_evidence_next(turn->kv, &cursor, turn->arena, &e)) {
        if (one && !hs_id_equal(&room, &e.room))
            continue;
        Hanse__State__AdminProof *row = proof_of(turn, &e, one);
        HS_REQUIRE(row != NULL, HS_ERR_NOMEM);
        answer->evidence->proofs[answer->evidence->n_proofs++] = row;
    }
    return HS_OK;
}
