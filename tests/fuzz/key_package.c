/* Key packages from strangers. Input: choice (odd: leaf and package signed anew), MLSMessage. */
#include "fuzz/fuzz.h"

#include "fuzz/mls_world.h"
#include "mls/codec.h"
#include "mls/key_package_check.h"

static struct hs_bytes resign(struct hs_bytes message, struct hs_arena *arena)
{
    struct hs_mls_key_package kp;
    struct hs_writer HS_WRITER w = hs_writer(2 * FUZZ_INPUT_MAX);
    if (hs_mls_key_package_read(message, &kp) != HS_OK)
        return message;
    mls_world_resign_key_package(&kp, arena);
    hs_mls_write_head(&w, HS_MLS_KEY_PACKAGE);
    hs_mls_write_key_package(&w, &kp);
    FUZZ_OK(w.err);
    return hs_arena_copy(arena, hs_writer_bytes(&w));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)mls_world();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_bytes in = hs_bytes(data, size);
    if (size > FUZZ_INPUT_MAX / 2)
        return 0;
    if ((fuzz_choice(&in) & 1) != 0)
        in = resign(in, &arena);
    struct hs_mls_key_package_facts facts;
    if (hs_mls_key_package_check(in, MLS_WORLD_NOW, &facts) != HS_OK)
        return 0;
    HS_ASSERT(facts.not_before <= MLS_WORLD_NOW && facts.not_after >= MLS_WORLD_NOW);
    HS_ASSERT(facts.identity.len <= HS_MLS_MAX_IDENTITY);
    FUZZ_OK(hs_sign_key_check(&facts.signature_key));
    /* What is good can be added, or is refused for what the group asks of its members. */
    struct hs_mls_group HS_MLS_GROUP *group = mls_world_member(0);
    struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
    enum hs_err err = hs_mls_group_propose_add(group, in, (struct hs_bytes){0}, &w);
    HS_ASSERT(err == HS_OK || w.len == 0);
    fuzz_accepted++;
    return 0;
}
