/* Without memory: each step fails at any of its allocations with NOMEM, changes nothing, and succeeds when it
 * is tried again. */
#include "unit/mls/cast.h"

#include "mls/external.h"

#include <stdlib.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* Allocations that still succeed; SIZE_MAX: all. */
static size_t left = SIZE_MAX;

static bool is_out(void)
{
    if (left == SIZE_MAX)
        return false;
    if (left == 0)
        return true;
    left--;
    return false;
}

void *__wrap_malloc(size_t size)
{
    return is_out() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return is_out() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_out() ? NULL : __real_realloc(old, size);
}

/* Runs call with ever more memory until it works. what is done between two attempts, and is given p's state
 * from before, is to be the same; p: whose group must not change, or NULL. */
#define WITH_ALL_FAILURES(p, call)                                                                           \
    do {                                                                                                     \
        struct person *p_ = (p);                                                                             \
        struct hs_id before_ = p_ != NULL ? person_state(p_) : (struct hs_id){0};                            \
        for (size_t room_ = 0;; room_++) {                                                                   \
            left = room_;                                                                                    \
            enum hs_err err_ = (call);                                                                       \
            left = SIZE_MAX;                                                                                 \
            if (err_ == HS_OK)                                                                               \
                break;                                                                                       \
            assert_err(err_, HS_ERR_NOMEM);                                                                  \
            if (p_ != NULL)                                                                                  \
                assert_same_state(p_, before_);                                                              \
            assert_true(room_ < 10000);                                                                      \
        }                                                                                                    \
    } while (0)

static enum hs_err commit(struct person *by, const struct hs_mls_commit_request *request, struct sent *s)
{
    hs_writer_reset(&s->commit);
    hs_writer_reset(&s->welcome);
    hs_writer_reset(&s->group_info);
    return person_try_commit(by, request, s);
}

static enum hs_err join(struct person *p, struct hs_bytes welcome)
{
    hs_mls_group_free_at(&p->group);
    return person_try_join(p, welcome, (struct hs_bytes){0});
}

/* A commit with all that there is, and what others make of it. */
static void commits(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_event *event = NULL;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_signer HS_MLS_SIGNER next;
    const struct hs_mls_psk psk = {.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("one")},
                                   .secret = hs_bytes_str("secret")};
    const struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    const struct hs_mls_extension policy = {.type = ROOM_POLICY, .data = hs_bytes_str("policy 2")};
    const uint32_t carol = 2;
    assert_ok(hs_mls_signer_random(c->alice.signer.suite, &next));
    const struct hs_mls_commit_request request = {.adds = &add,
                                                  .add_count = 1,
                                                  .removes = &carol,
                                                  .remove_count = 1,
                                                  .set_extensions = true,
                                                  .extensions = &policy,
                                                  .extension_count = 1,
                                                  .psks = &psk.id,
                                                  .psk_count = 1,
                                                  .signer = &next,
                                                  .tree_in_welcome = true};
    WITH_ALL_FAILURES(&c->alice, hs_mls_group_set_psks(c->alice.group, &psk, 1));
    assert_ok(hs_mls_group_set_psks(c->bob.group, &psk, 1));
    assert_ok(propose_update(&c->bob, "", &w));
    WITH_ALL_FAILURES(&c->alice, hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event));
    hs_mls_event_free_at(&event);
    person_hear(&c->bob, hs_writer_bytes(&w));
    WITH_ALL_FAILURES(&c->alice, commit(&c->alice, &request, &s));
    WITH_ALL_FAILURES(&c->bob, hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event));
    WITH_ALL_FAILURES(&c->bob, hs_mls_group_merge(c->bob.group, event->staged));
    hs_mls_event_free_at(&event);
    WITH_ALL_FAILURES(&c->alice, hs_mls_group_accept(c->alice.group));
    assert_same_epoch(&c->alice, &c->bob);
    WITH_ALL_FAILURES(&c->alice, hs_mls_group_revert(c->alice.group));
    WITH_ALL_FAILURES(&c->bob, hs_mls_group_revert(c->bob.group));
    assert_same_epoch(&c->alice, &c->bob);
    assert_same_epoch(&c->alice, &c->carol);
    assert_talks(&c->alice, &c->carol, "all is well");
}

/* The same as PrivateMessages. */
static void private_handshakes(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_event *event = NULL;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    c->alice.group->settings.private_handshakes = true;
    assert_talks(&c->alice, &c->bob, "opens alice's ratchets"); /* so that they stand in the store alike */
    WITH_ALL_FAILURES(&c->alice, (hs_writer_reset(&w), propose_remove(&c->alice, 2, &w)));
    WITH_ALL_FAILURES(&c->bob, hs_mls_group_process(c->bob.group, hs_writer_bytes(&w), &event));
    hs_mls_event_free_at(&event);
    WITH_ALL_FAILURES(&c->alice, commit(&c->alice, &empty, &s));
    WITH_ALL_FAILURES(&c->bob, hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event));
    WITH_ALL_FAILURES(&c->bob, hs_mls_group_merge(c->bob.group, event->staged));
    hs_mls_event_free_at(&event);
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_same_epoch(&c->alice, &c->bob);
}

/* The first post opens its sender's place in the secret tree, step by step; each leaves a tree of the same
 * worth, if not of the same bytes. */
static void posts(void **state)
{
    struct cast *c = *state;
    struct hs_mls_event *event = NULL;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    const struct hs_bytes none = {0}, text = hs_bytes_str("text");
    for (int i = 0; i < 2; i++) {
        struct person *alice = i > 0 ? &c->alice : NULL, *bob = i > 0 ? &c->bob : NULL;
        WITH_ALL_FAILURES(alice,
                          (hs_writer_reset(&w), hs_mls_group_protect(c->alice.group, text, none, 0, &w)));
        WITH_ALL_FAILURES(bob, hs_mls_group_process(c->bob.group, hs_writer_bytes(&w), &event));
        assert_bytes(event->plaintext, text);
        hs_mls_event_free_at(&event);
    }
}

/* Coming in, by Welcome and from outside; starting anew. */
static void entrances(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP), HS_WRITER welcome = hs_writer(CAP);
    const struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .force_path = true, .tree_in_welcome = true};
    person_commit(&c->alice, &request, &s);
    WITH_ALL_FAILURES(NULL, join(&c->dave, hs_writer_bytes(&s.welcome)));
    assert_same_epoch(&c->alice, &c->dave);
    WITH_ALL_FAILURES(&c->alice, (hs_writer_reset(&info), hs_mls_group_info(c->alice.group, true, &info)));
    const struct hs_mls_external_join external = {.group_info = hs_writer_bytes(&info),
                                                  .leaf = person_params(&c->carol),
                                                  .resync = true,
                                                  .settings = c->carol.settings};
    const struct hs_mls_commit_result result = {.commit = &t.commit};
    person_leave(&c->carol);
    WITH_ALL_FAILURES(
        NULL, (hs_writer_reset(&t.commit), hs_mls_group_join_external(&external, &result, &c->carol.group)));
    assert_ok(hs_mls_group_settle(c->alice.group));
    person_follow(&c->alice, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->carol);
    const struct hs_mls_create create = {
        .leaf = person_params(&c->bob), .group_id = hs_bytes_str("room"), .settings = c->bob.settings};
    person_leave(&c->bob);
    WITH_ALL_FAILURES(NULL, hs_mls_group_create(&create, &c->bob.group));
    const struct hs_mls_successor branch = {.from = c->alice.group,
                                            .usage = HS_MLS_PSK_BRANCH,
                                            .leaf = person_params(&c->alice),
                                            .adds = &add,
                                            .add_count = 1,
                                            .group_id = hs_bytes_str("branch"),
                                            .settings = c->alice.settings};
    struct hs_mls_group *group = NULL;
    WITH_ALL_FAILURES(&c->alice,
                      (hs_writer_reset(&welcome), hs_mls_group_succeed(&branch, &welcome, &group)));
    hs_mls_group_free(group);
}

/* A store that has memory of its own. */
static struct mls_store *inner;

static enum hs_err calm_get(void *context, struct hs_bytes key, struct hs_writer *value)
{
    return inner->store.get(context, key, value);
}

static enum hs_err calm_put(void *context, struct hs_bytes key, struct hs_bytes value)
{
    size_t room = left;
    left = SIZE_MAX;
    enum hs_err err = inner->store.put(context, key, value);
    left = room;
    return err;
}

static enum hs_err calm_del(void *context, struct hs_bytes prefix)
{
    size_t room = left;
    left = SIZE_MAX;
    enum hs_err err = inner->store.del(context, prefix);
    left = room;
    return err;
}

static struct hs_mls_store calm = {.get = calm_get, .put = calm_put, .del = calm_del};

static void use(struct mls_store *store)
{
    inner = store;
    calm.context = store->store.context;
}

static enum hs_err load(struct person *p)
{
    struct hs_mls_group *group = NULL;
    HS_TRY(hs_mls_group_load(&calm, &p->signer, 1, &group));
    hs_mls_group_free_at(&p->group);
    p->group = group;
    return HS_OK;
}

/* From what was stored before: a commit, and its save, which a transaction would throw away on failure. */
static enum hs_err commit_and_save(struct person *p, const struct mls_store *before)
{
    size_t room = left;
    left = SIZE_MAX;
    struct sent SENT s = sent_new();
    hs_mls_group_free_at(&p->group);
    mls_store_free(p->store);
    p->store = mls_store_copy(before);
    use(p->store);
    assert_ok(load(p));
    person_commit(p, &empty, &s);
    left = room;
    return hs_mls_group_save(p->group, &calm);
}

static void storage(void **state)
{
    struct cast *c = *state;
    person_save(&c->bob);
    struct mls_store MLS_STORE *before = mls_store_copy(c->bob.store);
    WITH_ALL_FAILURES(NULL, commit_and_save(&c->bob, before));
    WITH_ALL_FAILURES(NULL, load(&c->bob));
    assert_int_equal(hs_mls_group_epoch(c->bob.group), hs_mls_group_epoch(c->alice.group) + 1);
    hs_mls_group_free_at(&c->bob.group);
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_three_settling)
    const struct CMUnitTest tests[] = {
        TEST(commits), TEST(private_handshakes), TEST(posts), TEST(entrances), TEST(storage),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
