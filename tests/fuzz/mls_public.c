/* The hub's side: a public group gets messages from members that may be malicious, signed anew where the
 * choice is odd. What it refuses changes nothing; what it merges leaves a sound group. Input: choice,
 * message. */
#include "fuzz/fuzz.h"

#include "fuzz/mls_world.h"
#include "fuzz/random.h"
#include "mls/public.h"
#include "mls/state.h"

static void save(const struct hs_mls_public *pub, struct hs_writer *out)
{
    hs_writer_reset(out);
    FUZZ_OK(hs_mls_public_save(pub, out));
}

/* Saved, loaded, and the same; its tree still holds what RFC 9420, 7.9.2 asks of it. */
static void check_sound(const struct hs_mls_public *pub)
{
    struct hs_mls_public HS_MLS_PUBLIC *loaded = NULL;
    struct hs_writer HS_WRITER saved = hs_writer(MLS_WORLD_CAP);
    struct hs_writer HS_WRITER again = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_member member;
    uint32_t members = 0;
    save(pub, &saved);
    FUZZ_OK(hs_mls_public_load(hs_writer_bytes(&saved), &loaded));
    save(loaded, &again);
    HS_ASSERT(hs_bytes_equal(hs_writer_bytes(&saved), hs_writer_bytes(&again)));
    FUZZ_OK(hs_mls_tree_check(&loaded->now.tree));
    for (uint32_t leaf = 0; hs_mls_public_member_next(pub, &leaf, &member); members++) {
        struct hs_mls_member found;
        FUZZ_OK(hs_mls_public_member_by_key(pub, &member.signature_key, &found));
        HS_ASSERT(found.leaf == member.leaf);
    }
    HS_ASSERT(members == hs_mls_public_member_count(pub));
}

static void check_change(const struct hs_mls_public *pub, const struct hs_mls_change *change)
{
    uint32_t members = hs_mls_public_member_count(pub);
    HS_ASSERT(change->epoch == hs_mls_public_epoch(pub) + 1);
    HS_ASSERT(change->removed_count < members && !change->removes_self);
    for (size_t i = 0; i < change->removed_count; i++)
        HS_ASSERT(change->removed[i].member.leaf != change->committer.leaf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)mls_world();
    fuzz_random_restart();
    struct hs_arena HS_ARENA arena = hs_arena(4 << 20);
    struct hs_bytes in = hs_bytes(data, size);
    if ((fuzz_choice(&in) & 1) != 0)
        in = mls_world_resign(in, &arena);
    struct hs_mls_public HS_MLS_PUBLIC *hub = mls_world_hub();
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_writer HS_WRITER before = hs_writer(MLS_WORLD_CAP);
    struct hs_writer HS_WRITER after = hs_writer(MLS_WORLD_CAP);
    save(hub, &before);
    enum hs_err err = hs_mls_public_process(hub, in, &event);
    save(hub, &after);
    bool changed = !hs_bytes_equal(hs_writer_bytes(&after), hs_writer_bytes(&before));
    HS_ASSERT(!changed || (err == HS_OK && event->kind == HS_MLS_EVENT_PROPOSAL));
    if (err != HS_OK)
        return 0;
    fuzz_accepted++;
    if (event->kind == HS_MLS_EVENT_COMMIT) {
        const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
        check_change(hub, change);
        size_t expected = hs_mls_public_member_count(hub) + change->added_count - change->removed_count;
        FUZZ_OK(hs_mls_public_merge(hub, event->staged));
        HS_ASSERT(hs_mls_public_member_count(hub) == expected);
        HS_ASSERT(hs_mls_public_merge(hub, event->staged) == HS_ERR_INVALID_STATE);
    }
    check_sound(hub);
    return 0;
}
