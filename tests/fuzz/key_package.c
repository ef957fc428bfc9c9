/* Key packages from strangers. Input: choice, MLSMessage. Choice: bit 0 leaf and package are signed anew, bit
 * 1 suite 1. */
#include "fuzz/fuzz.h"

#include "fuzz/mls_repair.h"
#include "mls/key_package_check.h"

static struct hs_bytes resign(const struct mls_world *w, struct hs_bytes message, struct hs_arena *arena)
{
    struct hs_mls_key_package kp;
    struct hs_writer HS_WRITER out = hs_writer(2 * FUZZ_INPUT_MAX);
    if (hs_mls_key_package_read(message, &kp) != HS_OK)
        return message;
    mls_repair_key_package(w, &kp, arena);
    hs_mls_write_head(&out, HS_MLS_KEY_PACKAGE);
    hs_mls_write_key_package(&out, &kp);
    FUZZ_OK(out.err);
    return hs_arena_copy(arena, hs_writer_bytes(&out));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_bytes in = hs_bytes(data, size);
    if (size > FUZZ_INPUT_MAX / 2)
        return 0;
    unsigned choice = fuzz_choice(&in);
    const struct mls_world *w = mls_world((choice & 2) != 0 ? MLS_WORLD_SUITE_1 : 0);
    if ((choice & 1) != 0)
        in = resign(w, in, &arena);
    struct hs_mls_key_package_facts facts;
    if (hs_mls_key_package_check(in, MLS_WORLD_NOW, &facts) != HS_OK)
        return 0;
    HS_ASSERT(facts.not_before <= MLS_WORLD_NOW && facts.not_after >= MLS_WORLD_NOW);
    HS_ASSERT(facts.identity.len <= HS_MLS_MAX_IDENTITY);
    HS_ASSERT(facts.signature_key.len == facts.suite->sign_pub_len);
    /* What is good can be added, or is refused for what the group asks of its members. */
    struct mls_live MLS_LIVE live = mls_world_member(w, 0);
    struct hs_writer HS_WRITER out = hs_writer(MLS_WORLD_CAP);
    const struct hs_mls_proposal_request add = {.type = HS_MLS_ADD, .key_package = in};
    enum hs_err err = hs_mls_group_propose(live.group, &add, &out);
    HS_ASSERT(err == HS_OK || out.len == 0);
    fuzz_accepted++;
    return 0;
}
