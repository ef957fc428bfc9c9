/* The hub's side: a public group gets messages from members that may be malicious, from an external sender
 * and from outside. What it refuses changes nothing, to the byte of its store; what it merges leaves a sound
 * group. Input: choice, message. Choice: bits 0-1 how far the message is made good again (mls_repair.h), bits
 * 2-3 which world (mls_world.h). */
#include "fuzz/fuzz.h"

#include "fuzz/mls_repair.h"
#include "fuzz/random.h"
#include "mls/state.h"

/* Saved, loaded, and the same; its tree still holds what RFC 9420, 7.9.2 asks of it. */
static void check_sound(struct mls_live_hub *hub)
{
    struct hs_mls_member member;
    uint32_t members = 0;
    struct hs_id saved = mls_live_hub_save(hub);
    struct mls_live_hub MLS_LIVE_HUB again = {.store = mls_store_copy(hub->store)};
    FUZZ_OK(hs_mls_public_load(&again.store->store, &again.pub));
    struct hs_id loaded = mls_live_hub_save(&again);
    HS_ASSERT(hs_id_equal(&saved, &loaded));
    FUZZ_OK(hs_mls_tree_check(&again.pub->now.tree));
    for (uint32_t leaf = 0; hs_mls_public_member_next(again.pub, &leaf, &member); members++) {
        struct hs_mls_member found;
        FUZZ_OK(hs_mls_public_member_by_key(hub->pub, member.signature_key, &found));
        HS_ASSERT(found.leaf == member.leaf);
    }
    HS_ASSERT(members == hs_mls_public_member_count(hub->pub));
}

static void check_change(const struct hs_mls_public *pub, const struct hs_mls_change *change)
{
    uint32_t members = hs_mls_public_member_count(pub);
    HS_ASSERT(change->epoch == hs_mls_public_epoch(pub) + 1);
    HS_ASSERT(change->removed_count < members + change->external && !change->removes_self);
    HS_ASSERT(!change->resync || change->external);
    for (size_t i = 0; i < change->removed_count && !change->external; i++)
        HS_ASSERT(change->removed[i].member.leaf != change->committer.leaf);
}

static void check_merge(struct mls_live_hub *hub, struct hs_mls_staged *staged)
{
    const struct hs_mls_change *change = hs_mls_staged_change(staged);
    check_change(hub->pub, change);
    size_t expected =
        hs_mls_public_member_count(hub->pub) + change->added_count + change->external - change->removed_count;
    FUZZ_OK(hs_mls_public_merge(hub->pub, staged));
    HS_ASSERT(hs_mls_public_member_count(hub->pub) == expected);
    HS_ASSERT(hs_mls_public_merge(hub->pub, staged) == HS_ERR_INVALID_STATE);
    struct hs_mls_reinit reinit;
    HS_ASSERT(hs_mls_public_reinit(hub->pub, &reinit) == change->reinit_proposed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena HS_ARENA arena = hs_arena(16 << 20);
    struct hs_bytes in = hs_bytes(data, size);
    unsigned choice = fuzz_choice(&in);
    const struct mls_world *w = mls_world(choice >> 2 & 3);
    fuzz_random_branch(2);
    in = mls_repair(w, (enum mls_repair)(choice & 3), in, &arena);
    struct mls_live_hub MLS_LIVE_HUB hub = mls_world_hub(w);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_id before = mls_live_hub_save(&hub);
    enum hs_err err = hs_mls_public_process(hub.pub, in, &event);
    struct hs_id after = mls_live_hub_save(&hub);
    HS_ASSERT(hs_id_equal(&after, &before) || (err == HS_OK && event->kind == HS_MLS_EVENT_PROPOSAL));
    HS_ASSERT(err == HS_OK || event == NULL);
    if (err != HS_OK)
        return 0;
    fuzz_accepted++;
    if (event->kind == HS_MLS_EVENT_COMMIT)
        check_merge(&hub, event->staged);
    check_sound(&hub);
    return 0;
}
