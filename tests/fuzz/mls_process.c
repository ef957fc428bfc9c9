/* A member of a live group gets messages that somebody altered. A message that is refused leaves the group as
 * it was, to the byte; one that is taken leaves a group that can be saved, loaded and used. Input: choice,
 * message. The odd choices make signature and membership tag anew, as a malicious member could. */
#include "fuzz/fuzz.h"

#include "fuzz/mls_world.h"
#include "fuzz/random.h"

enum { RECEIVER = 0 };

static void save(const struct hs_mls_group *group, struct hs_writer *out)
{
    hs_writer_reset(out);
    FUZZ_OK(hs_mls_group_save(group, out));
}

static void check_usable(const struct hs_mls_group *group)
{
    struct hs_mls_group HS_MLS_GROUP *loaded = NULL;
    struct hs_writer HS_WRITER saved = hs_writer(MLS_WORLD_CAP);
    struct hs_writer HS_WRITER again = hs_writer(MLS_WORLD_CAP);
    save(group, &saved);
    FUZZ_OK(hs_mls_group_load(hs_writer_bytes(&saved), &mls_world()->people[RECEIVER].signer, &loaded));
    save(loaded, &again);
    HS_ASSERT(hs_bytes_equal(hs_writer_bytes(&saved), hs_writer_bytes(&again)));
    hs_writer_reset(&again);
    enum hs_err err = hs_mls_group_protect(loaded, hs_bytes_str("hello"), (struct hs_bytes){0}, 0, &again);
    HS_ASSERT(err == (hs_mls_group_is_removed(loaded) ? HS_ERR_MLS_REMOVED : HS_OK));
}

/* Proposals and posts were taken; a commit is merged. The same message again changes nothing more. */
static void check_taken(struct hs_mls_group *group, struct hs_bytes message, struct hs_mls_event *event,
                        const struct hs_writer *before)
{
    struct hs_writer HS_WRITER after = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_event HS_MLS_EVENT *again = NULL;
    uint64_t epoch = hs_mls_group_epoch(group);
    save(group, &after);
    if (event->kind == HS_MLS_EVENT_COMMIT) {
        HS_ASSERT(hs_bytes_equal(hs_writer_bytes(&after), hs_writer_bytes(before)));
        HS_ASSERT(hs_mls_staged_change(event->staged)->epoch == epoch + 1);
        FUZZ_OK(hs_mls_group_merge(group, event->staged));
        HS_ASSERT(hs_mls_group_epoch(group) == epoch + 1 || hs_mls_group_is_removed(group));
        HS_ASSERT(hs_mls_group_merge(group, event->staged) == HS_ERR_INVALID_STATE);
    }
    enum hs_err err = hs_mls_group_process(group, message, &again);
    HS_ASSERT(err != HS_OK || event->kind == HS_MLS_EVENT_PROPOSAL);
    check_usable(group);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    (void)mls_world();
    fuzz_random_restart();
    struct hs_arena HS_ARENA arena = hs_arena(4 << 20);
    struct hs_bytes in = hs_bytes(data, size);
    if ((fuzz_choice(&in) & 1) != 0)
        in = mls_world_resign(in, &arena);
    struct hs_mls_group HS_MLS_GROUP *group = mls_world_member(RECEIVER);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_writer HS_WRITER before = hs_writer(MLS_WORLD_CAP);
    save(group, &before);
    if (hs_mls_group_process(group, in, &event) == HS_OK) {
        fuzz_accepted++;
        check_taken(group, in, event, &before);
        return 0;
    }
    struct hs_writer HS_WRITER after = hs_writer(MLS_WORLD_CAP);
    HS_ASSERT(event == NULL);
    save(group, &after);
    HS_ASSERT(hs_bytes_equal(hs_writer_bytes(&after), hs_writer_bytes(&before)));
    return 0;
}
