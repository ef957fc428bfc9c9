/* Records of a stored group that somebody altered: they are one's own and trusted for their meaning, but
 * whatever stands in them, reading comes back with an error or with a group that can be asked. Input: choice,
 * number of the record, its new value. Choice: bits 0-1 a member's group that is loaded, that processes a
 * message, that commits; or a hub's; bits 2-3 which world (mls_world.h). */
#include "fuzz/fuzz.h"

#include "fuzz/mls_world.h"
#include "fuzz/random.h"

enum { RECEIVER = 0, SENDER = 1 };

/* False where there is no such record. The new value is cut, or filled up with what was there. */
static bool record_alter(struct mls_store *store, size_t number, struct hs_bytes value)
{
    size_t *len;
    struct hs_bytes key;
    uint8_t *old = mls_store_value(store, number, &key, &len);
    if (old == NULL)
        return false;
    struct hs_writer HS_WRITER copy = hs_writer(HS_MLS_STORE_KEY);
    hs_write_bytes(&copy, key);
    FUZZ_OK(store->store.put(store, hs_writer_bytes(&copy), value));
    return true;
}

static void ask(const struct hs_mls_public *pub)
{
    struct hs_mls_member member, found;
    struct hs_writer HS_WRITER tree = hs_writer(MLS_WORLD_CAP);
    uint32_t members = 0;
    for (uint32_t leaf = 0; members < 64 && hs_mls_public_member_next(pub, &leaf, &member); members++) {
        enum hs_err err = hs_mls_public_member_by_key(pub, member.signature_key, &found);
        HS_ASSERT(err != HS_OK || hs_bytes_equal(found.signature_key, member.signature_key));
    }
    enum hs_err err = hs_mls_public_tree(pub, &tree);
    (void)err;
}

/* A message of the world's own epoch, by another member. */
static struct hs_bytes commit_of(const struct mls_world *w, struct hs_writer *out)
{
    struct mls_live MLS_LIVE sender = mls_world_member(w, SENDER);
    struct hs_mls_commit_request request = {.force_path = true};
    struct hs_mls_commit_result result = {.commit = out};
    FUZZ_OK(hs_mls_group_commit(sender.group, &request, &result));
    return hs_writer_bytes(out);
}

static void process(const struct mls_world *w, struct hs_mls_group *group)
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP), HS_WRITER post = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_event HS_MLS_EVENT *event = NULL, HS_MLS_EVENT *staged = NULL;
    struct mls_live MLS_LIVE sender = mls_world_member(w, SENDER);
    FUZZ_OK(hs_mls_group_protect(sender.group, hs_bytes_str("a post"), (struct hs_bytes){0}, 0, &post));
    enum hs_err err = hs_mls_group_process(group, hs_writer_bytes(&post), &event);
    err = hs_mls_group_process(group, commit_of(w, &commit), &staged);
    if (err == HS_OK)
        err = hs_mls_group_merge(group, staged->staged);
    (void)err;
}

static void commit(struct hs_mls_group *group)
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP), HS_WRITER post = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_commit_request request = {.force_path = true};
    struct hs_mls_commit_result result = {.commit = &commit};
    enum hs_err err = hs_mls_group_protect(group, hs_bytes_str("a post"), (struct hs_bytes){0}, 0, &post);
    err = hs_mls_group_commit(group, &request, &result);
    if (err == HS_OK)
        err = hs_mls_group_accept(group);
    (void)err;
}

static void check_member(const struct mls_world *w, unsigned what, size_t number, struct hs_bytes value)
{
    struct mls_live MLS_LIVE live = {.store = mls_store_copy(w->stores[RECEIVER])};
    if (!record_alter(live.store, number, value) ||
        hs_mls_group_load(&live.store->store, &w->people[RECEIVER].signer, 1, &live.group) != HS_OK)
        return;
    fuzz_accepted++;
    ask(hs_mls_group_public(live.group));
    if (what == 1)
        process(w, live.group);
    if (what == 2)
        commit(live.group);
    enum hs_err err = hs_mls_group_save(live.group, &live.store->store);
    (void)err;
}

static void check_hub(const struct mls_world *w, size_t number, struct hs_bytes value)
{
    struct mls_live_hub MLS_LIVE_HUB hub = {.store = mls_store_copy(w->hub)};
    struct hs_writer HS_WRITER message = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    if (!record_alter(hub.store, number, value) || hs_mls_public_load(&hub.store->store, &hub.pub) != HS_OK)
        return;
    fuzz_accepted++;
    ask(hub.pub);
    enum hs_err err = hs_mls_public_process(hub.pub, commit_of(w, &message), &event);
    if (err == HS_OK)
        err = hs_mls_public_merge(hub.pub, event->staged);
    err = hs_mls_public_save(hub.pub, &hub.store->store);
    (void)err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_bytes in = hs_bytes(data, size);
    unsigned choice = fuzz_choice(&in);
    const struct mls_world *w = mls_world(choice >> 2 & 3);
    size_t number = fuzz_choice(&in);
    fuzz_random_branch(2);
    if ((choice & 3) == 3)
        check_hub(w, number, in);
    else
        check_member(w, choice & 3, number, in);
    return 0;
}
