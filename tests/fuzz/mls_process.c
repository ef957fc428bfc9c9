/* A member of a live group gets messages that somebody altered. A message that is refused leaves the group as
 * it was, to the byte of its store; one that is taken leaves a group that can be saved, loaded and used; one
 * that is merged can be taken back. Input: choice, message.
 * Choice: bits 0-1 how far the message is made good again (mls_repair.h), bits 2-3 which world (mls_world.h),
 * bit 4 the receiver has a commit pending, bit 5 a merged commit is taken back. */
#include "fuzz/fuzz.h"

#include "fuzz/mls_repair.h"
#include "fuzz/random.h"

enum { RECEIVER = 0, PENDING = 1 << 4, REVERT = 1 << 5 };

static void commit_begin(struct hs_mls_group *group)
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_commit_request request = {.force_path = true};
    struct hs_mls_commit_result result = {.commit = &commit};
    FUZZ_OK(hs_mls_group_commit(group, &request, &result));
}

/* What is in the store is the group: loaded it saves as nothing new, and works. */
static void check_usable(const struct mls_world *w, struct mls_live *live)
{
    struct hs_id saved = mls_live_save(live);
    struct mls_live MLS_LIVE again = {.store = mls_store_copy(live->store)};
    struct hs_writer HS_WRITER out = hs_writer(MLS_WORLD_CAP);
    FUZZ_OK(hs_mls_group_load(&again.store->store, &w->people[RECEIVER].signer, 1, &again.group));
    struct hs_id loaded = mls_live_save(&again);
    HS_ASSERT(hs_id_equal(&saved, &loaded));
    HS_ASSERT(hs_mls_group_epoch(again.group) == hs_mls_group_epoch(live->group));
    enum hs_err err = hs_mls_group_protect(again.group, hs_bytes_str("hello"), (struct hs_bytes){0}, 0, &out);
    struct hs_mls_reinit reinit;
    bool over = hs_mls_public_reinit(hs_mls_group_public(again.group), &reinit);
    enum hs_err want = hs_mls_group_is_removed(again.group) ? HS_ERR_MLS_REMOVED
                       : over                               ? HS_ERR_INVALID_STATE
                                                            : HS_OK;
    HS_ASSERT(err == want);
}

static void check_merged(const struct mls_world *w, struct mls_live *live, struct hs_mls_staged *staged,
                         bool revert)
{
    struct hs_mls_group *group = live->group;
    uint64_t epoch = hs_mls_group_epoch(group);
    struct hs_mls_secret HS_MLS_SECRET before = hs_mls_group_authenticator(group);
    HS_ASSERT(hs_mls_staged_change(staged)->epoch == epoch + 1);
    FUZZ_OK(hs_mls_group_merge(group, staged));
    HS_ASSERT(!hs_mls_group_has_pending(group));
    HS_ASSERT(hs_mls_group_epoch(group) == epoch + 1 || hs_mls_group_is_removed(group));
    HS_ASSERT(hs_mls_group_merge(group, staged) == HS_ERR_INVALID_STATE);
    check_usable(w, live);
    if (!revert || !hs_mls_group_is_unsettled(group))
        return;
    FUZZ_OK(hs_mls_group_revert(group));
    struct hs_mls_secret HS_MLS_SECRET after = hs_mls_group_authenticator(group);
    HS_ASSERT(hs_mls_group_epoch(group) == epoch && !hs_mls_group_is_removed(group));
    HS_ASSERT(hs_secret_equal(HS_MLS_VIEW(before), HS_MLS_VIEW(after)));
    check_usable(w, live);
}

/* Proposals and posts were taken; a commit is merged. The same message again brings nothing more. */
static void check_taken(const struct mls_world *w, struct mls_live *live, struct hs_bytes message,
                        struct hs_mls_event *event, const struct hs_id *before, bool revert)
{
    struct hs_mls_event HS_MLS_EVENT *again = NULL;
    struct hs_id after = mls_live_save(live);
    if (event->kind == HS_MLS_EVENT_COMMIT) {
        HS_ASSERT(hs_id_equal(&after, before));
        check_merged(w, live, event->staged, revert);
    }
    enum hs_err err = hs_mls_group_process(live->group, message, &again);
    HS_ASSERT(err != HS_OK || event->kind == HS_MLS_EVENT_PROPOSAL || revert);
    check_usable(w, live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena HS_ARENA arena = hs_arena(16 << 20);
    struct hs_bytes in = hs_bytes(data, size);
    unsigned choice = fuzz_choice(&in);
    const struct mls_world *w = mls_world(choice >> 2 & 3);
    fuzz_random_branch(2);
    in = mls_repair(w, (enum mls_repair)(choice & 3), in, &arena);
    struct mls_live MLS_LIVE live = mls_world_member(w, RECEIVER);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    if ((choice & PENDING) != 0)
        commit_begin(live.group);
    struct hs_id before = mls_live_save(&live);
    if (hs_mls_group_process(live.group, in, &event) == HS_OK) {
        fuzz_accepted++;
        check_taken(w, &live, in, event, &before, (choice & REVERT) != 0);
        return 0;
    }
    struct hs_id after = mls_live_save(&live);
    HS_ASSERT(event == NULL && hs_id_equal(&after, &before));
    return 0;
}
