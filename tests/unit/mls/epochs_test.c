/* How long past epochs are kept: by count and by time; what a joiner keeps of its KeyPackage; exporter and
 * authenticator. */
#include "unit/mls/cast.h"

/* Bob joins with these settings. */
static void join(struct cast *c, uint32_t epochs, uint32_t seconds)
{
    c->bob.settings.past_epochs = epochs;
    c->bob.settings.past_seconds = seconds;
    world_add(&c->alice, &c->bob, NULL, 0);
}

enum { MOST = HS_MLS_MAX_PAST_EPOCHS + 2 };

/* Epoch after epoch; a post of each is kept. */
static void epochs(struct cast *c, struct hs_writer *posts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct sent SENT s = sent_new();
        posts[i] = hs_writer(CAP);
        assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("post"), hs_bytes_str(""), 0, &posts[i]));
        person_commit(&c->alice, &empty, &s);
        person_follow(&c->bob, hs_writer_bytes(&s.commit));
    }
}

static enum hs_err reads(struct person *p, const struct hs_writer *post)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    return hs_mls_group_process(p->group, hs_writer_bytes(post), &event);
}

/* The newest count of them can be read; what is older is gone, also after a restart. MLS-28 */
static void keeps(void **state, uint32_t kept)
{
    struct cast *c = *state;
    struct hs_writer posts[MOST];
    join(c, kept, 0);
    person_save(&c->bob);
    epochs(c, posts, kept + 1);
    person_restart(&c->bob);
    const uint8_t record = HS_MLS_RECORD_STATE;
    assert_int_equal(mls_store_records(c->bob.store, hs_bytes(&record, 1), NULL), kept + 1);
    assert_err(reads(&c->bob, &posts[0]), HS_ERR_MLS_EPOCH);
    for (uint32_t i = 1; i <= kept; i++)
        assert_ok(reads(&c->bob, &posts[i]));
    for (uint32_t i = 0; i <= kept; i++)
        hs_writer_free(&posts[i]);
}

static void keeps_none(void **state)
{
    keeps(state, 0);
}

static void keeps_one(void **state)
{
    keeps(state, 1);
}

static void keeps_most(void **state)
{
    keeps(state, HS_MLS_MAX_PAST_EPOCHS);
}

static void too_many(void **state)
{
    struct cast *c = *state;
    const struct hs_mls_create bad = {.leaf = person_params(&c->bob),
                                      .group_id = hs_bytes_str("room"),
                                      .settings = {.past_epochs = HS_MLS_MAX_PAST_EPOCHS + 1}};
    const struct hs_mls_create wide = {.leaf = person_params(&c->bob),
                                       .group_id = hs_bytes_str("room"),
                                       .settings = {.padding = HS_MLS_MAX_PADDING + 1}};
    assert_err(hs_mls_group_create(&bad, &c->bob.group), HS_ERR_INVALID_ARG);
    assert_err(hs_mls_group_create(&wide, &c->bob.group), HS_ERR_INVALID_ARG);
}

/* An epoch's end is noted by the first call after it; to the second, and not one more. MLS-28 */
static void expires(void **state)
{
    struct cast *c = *state;
    struct hs_writer posts[3];
    join(c, 5, 30);
    epochs(c, posts, 1);
    hs_mls_group_expire(c->bob.group, 1000);
    struct hs_writer more[1];
    epochs(c, more, 1);
    hs_mls_group_expire(c->bob.group, 1010);
    person_restart(&c->bob);
    hs_mls_group_expire(c->bob.group, 1030);
    assert_int_equal(c->bob.group->past_count, 2);
    const struct hs_id before = person_state(&c->bob);
    hs_mls_group_expire(c->bob.group, 1030);
    assert_same_state(&c->bob, before);
    assert_ok(reads(&c->bob, &posts[0]));
    hs_mls_group_expire(c->bob.group, 1031);
    person_restart(&c->bob);
    assert_err(reads(&c->bob, &posts[0]), HS_ERR_MLS_EPOCH);
    hs_mls_group_expire(c->bob.group, 1040);
    assert_ok(reads(&c->bob, &more[0]));
    hs_mls_group_expire(c->bob.group, UINT64_MAX);
    assert_int_equal(c->bob.group->past_count, 0);
    hs_writer_free(&posts[0]);
    hs_writer_free(&more[0]);
}

/* A clock that jumps: nothing goes early, and what is older never outlives what is newer. */
static void clock_jumps(void **state)
{
    struct cast *c = *state;
    struct hs_writer first[1], second[1];
    join(c, 5, 30);
    epochs(c, first, 1);
    hs_mls_group_expire(c->bob.group, 5000);
    epochs(c, second, 1);
    hs_mls_group_expire(c->bob.group, 1000); /* back */
    assert_int_equal(c->bob.group->past_count, 2);
    hs_mls_group_expire(c->bob.group, 1031); /* the newer one's time is up, so the older one's too */
    assert_int_equal(c->bob.group->past_count, 0);
    hs_writer_free(&first[0]);
    hs_writer_free(&second[0]);
}

static void not_by_time(void **state)
{
    struct cast *c = *state;
    struct hs_writer posts[1];
    join(c, 5, 0);
    epochs(c, posts, 1);
    hs_mls_group_expire(c->bob.group, 1);
    hs_mls_group_expire(c->bob.group, UINT64_MAX);
    assert_ok(reads(&c->bob, &posts[0]));
    hs_writer_free(&posts[0]);
}

/* What is dropped takes its secrets along. MLS-27 */
static void dropped_is_gone(void **state)
{
    struct cast *c = *state;
    struct hs_writer posts[2];
    join(c, 5, 0);
    const struct hs_mls_secret sender_data = c->bob.group->now.sender_data,
                               resumption = hs_mls_group_resumption(c->bob.group);
    epochs(c, posts, 2);
    person_restart(&c->bob);
    assert_true(mls_store_holds(c->bob.store, HS_MLS_VIEW(sender_data)));
    assert_true(mls_store_holds(c->bob.store, HS_MLS_VIEW(resumption)));
    hs_mls_group_drop_past(c->bob.group);
    person_save(&c->bob);
    assert_false(mls_store_holds(c->bob.store, HS_MLS_VIEW(sender_data)));
    assert_false(mls_store_holds(c->bob.store, HS_MLS_VIEW(resumption)));
    for (size_t i = 0; i < 2; i++)
        assert_err(reads(&c->bob, &posts[i]), HS_ERR_MLS_EPOCH);
    for (size_t i = 0; i < 2; i++)
        hs_writer_free(&posts[i]);
}

/* A last-resort KeyPackage adds the same client to one group after another. MLS-13 */
static void last_resort(void **state)
{
    struct cast *c = *state;
    struct person carol;
    struct hs_mls_leaf_params params = person_params(&c->bob);
    struct hs_mls_key_package_facts facts;
    person_key_package_with(&c->bob, &params, true);
    assert_ok(hs_mls_key_package_check(hs_writer_bytes(&c->bob.key_package), NOW, &facts));
    assert_true(facts.last_resort);
    join(c, 5, 0);
    assert_talks(&c->bob, &c->alice, "once");
    person_init(&carol, "carol");
    person_create(&carol, "policy");
    world_add(&carol, &c->bob, NULL, 0);
    assert_talks(&c->bob, &carol, "twice");
    person_free(&carol);
}

/* Each epoch has its own; labels, contexts and lengths tell exports apart; the longest is 255 hashes. */
static void exports(void **state)
{
    struct cast *c = *state;
    static uint8_t a[255 * 32 + 1], b[255 * 32 + 1];
    struct hs_writer posts[1];
    join(c, 5, 0);
    const struct hs_bytes context = hs_bytes_str("context");
    const struct hs_mls_secret before = hs_mls_group_authenticator(c->bob.group);
    assert_ok(hs_mls_group_export(c->alice.group, "label", context, a, 32));
    assert_ok(hs_mls_group_export(c->bob.group, "label", context, b, 32));
    assert_memory_equal(a, b, 32);
    assert_ok(hs_mls_group_export(c->bob.group, "other", context, b, 32));
    assert_memory_not_equal(a, b, 32);
    assert_ok(hs_mls_group_export(c->bob.group, "label", context, b, 33));
    assert_memory_not_equal(a, b, 32);
    assert_ok(hs_mls_group_export(c->bob.group, "label", context, b, 255 * 32));
    assert_err(hs_mls_group_export(c->bob.group, "label", context, b, 255 * 32 + 1), HS_ERR_INVALID_ARG);
    epochs(c, posts, 1);
    assert_ok(hs_mls_group_export(c->bob.group, "label", context, b, 32));
    assert_memory_not_equal(a, b, 32);
    const struct hs_mls_secret after = hs_mls_group_authenticator(c->bob.group);
    assert_memory_not_equal(before.v, after.v, after.len);
    hs_writer_free(&posts[0]);
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_one)
    const struct CMUnitTest tests[] = {
        TEST(keeps_none),  TEST(keeps_one),   TEST(keeps_most),      TEST(too_many),    TEST(expires),
        TEST(clock_jumps), TEST(not_by_time), TEST(dropped_is_gone), TEST(last_resort), TEST(exports),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
