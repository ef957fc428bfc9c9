/* A member's group: in by Welcome and from outside, posts, commits, out again. */
#include "unit/mls_api/cast.h"

static void what_can_be_asked(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_public *pub = hanse_mls_group_public(c->ben.group);
    struct hanse_mls_member member;
    struct hanse_mls_bytes data;
    uint8_t a[40], b[40];
    uint32_t leaf = 0;
    assert_agree(&c->anna, &c->ben);
    assert_text(hanse_mls_group_id(c->ben.group), "club");
    assert_int_equal(hanse_mls_group_epoch(c->ben.group), 1);
    assert_int_equal(hanse_mls_group_own_leaf(c->ben.group), 1);
    assert_int_equal(hanse_mls_group_inviter(c->ben.group), 0);
    assert_int_equal(hanse_mls_public_member_count(pub), 2);
    assert_true(hanse_mls_public_member_next(pub, &leaf, &member));
    assert_text(member.identity, "Anna");
    assert_true(hanse_mls_public_member_next(pub, &leaf, &member));
    assert_text(member.identity, "Ben");
    assert_int_equal(leaf, 2);
    assert_false(hanse_mls_public_member_next(pub, &leaf, &member));
    assert_true(hanse_mls_public_extension(pub, CLUB_RULES, &data));
    assert_text(data, "be kind");
    assert_good(hanse_mls_group_export(c->anna.group, "label", hanse_mls_text("x"), a, sizeof a));
    assert_good(hanse_mls_group_export(c->ben.group, "label", hanse_mls_text("x"), b, sizeof b));
    assert_memory_equal(a, b, sizeof a);
    assert_good(hanse_mls_group_export(c->ben.group, "label", hanse_mls_text("y"), b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
}

static void posts(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_event *again;
    BUF post = {0}, padded = {0};
    assert_good(hanse_mls_group_protect(c->ben.group, hanse_mls_text("hello"), hanse_mls_text("seen by all"),
                                        0, &post));
    EVENT *event = person_gets(&c->anna, &post);
    assert_int_equal(event->kind, HANSE_MLS_EVENT_APPLICATION);
    assert_int_equal(event->epoch, 1);
    assert_int_equal(event->author.type, HANSE_MLS_SENDER_MEMBER);
    assert_int_equal(event->author.index, 1);
    assert_text(event->sender.identity, "Ben");
    assert_text(event->plaintext, "hello");
    assert_text(event->authenticated_data, "seen by all");
    assert_fault(hanse_mls_group_process(c->anna.group, hanse_mls_view(&post), &again),
                 HANSE_ERR_MLS_GENERATION);
    assert_null(again);
    assert_good(hanse_mls_group_protect(c->ben.group, hanse_mls_text("hello"), nothing, 1024, &padded));
    assert_true(padded.len > post.len + 900);
    hanse_mls_buf_free(&padded);
    assert_fault(hanse_mls_group_protect(c->ben.group, nothing, nothing, HANSE_MLS_MAX_PADDING + 1, &padded),
                 HANSE_ERR_INVALID_ARG);
    assert_null(padded.data);
}

static void a_commit_and_its_echo(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF commit = {0};
    assert_null(hanse_mls_group_pending_change(c->anna.group));
    assert_int_equal(hanse_mls_group_pending(c->anna.group).len, 0);
    assert_fault(hanse_mls_group_accept(c->anna.group), HANSE_ERR_INVALID_STATE);
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, NULL));
    assert_same(hanse_mls_group_pending(c->anna.group), hanse_mls_view(&commit));
    assert_int_equal(hanse_mls_group_pending_change(c->anna.group)->epoch, 2);
    assert_true(hanse_mls_group_pending_change(c->anna.group)->has_path);
    assert_fault(hanse_mls_group_commit(c->anna.group, &request, NULL, NULL, NULL), HANSE_ERR_INVALID_STATE);
    EVENT *echo = person_gets(&c->anna, &commit);
    assert_int_equal(echo->kind, HANSE_MLS_EVENT_OWN_COMMIT);
    assert_good(hanse_mls_group_accept(c->anna.group));
    person_merges(&c->ben, &commit);
    assert_agree(&c->anna, &c->ben);
}

static void another_wins(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF lost = {0}, won = {0};
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &lost, NULL, NULL));
    assert_good(hanse_mls_group_commit(c->ben.group, &request, &won, NULL, NULL));
    person_merges(&c->anna, &won);
    assert_null(hanse_mls_group_pending_change(c->anna.group));
    assert_good(hanse_mls_group_accept(c->ben.group));
    assert_agree(&c->anna, &c->ben);
    assert_good(hanse_mls_group_commit(c->anna.group, &request, NULL, NULL, NULL));
    hanse_mls_group_drop(c->anna.group);
    assert_int_equal(hanse_mls_group_pending(c->anna.group).len, 0);
}

static struct hanse_mls_external_join external(const struct hanse_mls_leaf *leaf,
                                               const struct hanse_mls_buf *info)
{
    return (struct hanse_mls_external_join){
        .size = sizeof(struct hanse_mls_external_join), .leaf = leaf, .group_info = hanse_mls_view(info)};
}

static void from_outside(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_leaf leaf = person_leaf(&c->cleo);
    BUF info = {0}, commit = {0}, next = {0};
    struct hanse_mls_peek peek;
    assert_good(hanse_mls_group_info(c->anna.group, true, &info));
    struct hanse_mls_external_join join = external(&leaf, &info);
    join.authenticated_data = hanse_mls_text("may I?");
    assert_good(hanse_mls_group_join_external(&join, &commit, &next, &c->cleo.group));
    EVENT *event = person_gets(&c->anna, &commit);
    const struct hanse_mls_change *change = hanse_mls_staged_change(event->staged);
    assert_int_equal(event->author.type, HANSE_MLS_SENDER_NEW_MEMBER_COMMIT);
    assert_text(event->authenticated_data, "may I?");
    assert_true(change->external);
    assert_false(change->resync);
    assert_text(change->committer.identity, "Cleo");
    assert_int_equal(change->added_count, 0);
    assert_good(hanse_mls_group_merge(c->anna.group, event->staged));
    assert_fault(hanse_mls_group_merge(c->anna.group, event->staged), HANSE_ERR_INVALID_STATE);
    person_merges(&c->ben, &commit);
    assert_agree(&c->anna, &c->cleo);
    assert_agree(&c->ben, &c->cleo);
    assert_good(hanse_mls_message_peek(hanse_mls_view(&next), &peek));
    assert_int_equal(peek.wire_format, HANSE_MLS_GROUP_INFO);
    assert_int_equal(peek.epoch, 2);
}

/* Ben has lost his state and comes back with a new leaf in place of the old one. */
static void resync(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_leaf leaf = person_leaf(&c->ben);
    BUF info = {0}, commit = {0};
    struct hanse_mls_group *group;
    assert_good(hanse_mls_group_info(c->anna.group, true, &info));
    struct hanse_mls_external_join join = external(&leaf, &info);
    assert_fault(hanse_mls_group_join_external(&join, &commit, NULL, &group), HANSE_ERR_MLS_PROPOSAL);
    assert_null(group);
    assert_null(commit.data);
    join.resync = true;
    assert_good(hanse_mls_group_join_external(&join, &commit, NULL, &group));
    hanse_mls_group_free(c->ben.group);
    c->ben.group = group;
    EVENT *event = person_gets(&c->anna, &commit);
    assert_true(hanse_mls_staged_change(event->staged)->resync);
    assert_good(hanse_mls_group_merge(c->anna.group, event->staged));
    assert_agree(&c->anna, &c->ben);
    assert_int_equal(hanse_mls_public_member_count(hanse_mls_group_public(c->anna.group)), 2);
}

static void removed(void **state)
{
    struct cast *c = *state;
    const uint32_t leaf = 1;
    const struct hanse_mls_commit request = {.size = sizeof request, .removes = &leaf, .remove_count = 1};
    BUF commit = {0}, post = {0};
    uint8_t key[16];
    assert_false(hanse_mls_group_is_removed(c->ben.group));
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, NULL));
    EVENT *event = person_gets(&c->ben, &commit);
    assert_true(hanse_mls_staged_change(event->staged)->removes_self);
    assert_good(hanse_mls_group_merge(c->ben.group, event->staged));
    assert_true(hanse_mls_group_is_removed(c->ben.group));
    assert_fault(hanse_mls_group_protect(c->ben.group, hanse_mls_text("x"), nothing, 0, &post),
                 HANSE_ERR_MLS_REMOVED);
    assert_fault(hanse_mls_group_export(c->ben.group, "x", nothing, key, sizeof key), HANSE_ERR_MLS_REMOVED);
    assert_fault(hanse_mls_group_resumption(c->ben.group, &post), HANSE_ERR_MLS_REMOVED);
    assert_fault(hanse_mls_group_info(c->ben.group, true, &post), HANSE_ERR_MLS_REMOVED);
    assert_int_equal(hanse_mls_group_authenticator(c->ben.group).len, 0);
    const struct hanse_mls_commit nobody = {.size = sizeof nobody, .removes = &leaf, .remove_count = 1};
    assert_good(hanse_mls_group_accept(c->anna.group));
    assert_fault(hanse_mls_group_commit(c->anna.group, &nobody, NULL, NULL, NULL), HANSE_ERR_INVALID_ARG);
}

/* The tree by another way than the Welcome. */
static void tree_out_of_band(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_bytes add = hanse_mls_view(&c->cleo.package);
    const struct hanse_mls_commit request = {.size = sizeof request, .adds = &add, .add_count = 1};
    BUF commit = {0}, welcome = {0}, tree = {0};
    person_commits(&c->anna, &request, &commit, &welcome);
    assert_good(hanse_mls_public_tree(hanse_mls_group_public(c->anna.group), &tree));
    struct hanse_mls_join join = person_join(&c->cleo, &welcome);
    assert_fault(hanse_mls_group_join(&join, &c->cleo.group), HANSE_ERR_MLS_TREE);
    join.tree = hanse_mls_view(&tree);
    assert_good(hanse_mls_group_join(&join, &c->cleo.group));
    person_merges(&c->ben, &commit);
    assert_agree(&c->ben, &c->cleo);
}

/* Old posts can be read for a while, and no longer. */
static void past_epochs(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF commit = {0}, first = {0}, second = {0};
    struct hanse_mls_event *late;
    assert_good(hanse_mls_group_protect(c->ben.group, hanse_mls_text("1"), nothing, 0, &first));
    assert_good(hanse_mls_group_protect(c->ben.group, hanse_mls_text("2"), nothing, 0, &second));
    person_commits(&c->anna, &request, &commit, NULL);
    EVENT *event = person_gets(&c->anna, &first);
    assert_int_equal(event->epoch, 1);
    hanse_mls_group_drop_past(c->anna.group);
    assert_fault(hanse_mls_group_process(c->anna.group, hanse_mls_view(&second), &late), HANSE_ERR_MLS_EPOCH);
}

static void every_suite(void **state)
{
    (void)state;
    uint16_t suites[16];
    size_t count = hanse_mls_suites(suites, 16);
    for (size_t i = 0; i < count; i++) {
        struct person anna, ben;
        BUF post = {0};
        print_message("%s\n", hanse_mls_suite_name(suites[i]));
        person_init_with(&anna, "Anna", suites[i]);
        person_init_with(&ben, "Ben", suites[i]);
        person_create(&anna, NULL);
        person_adds(&anna, &ben);
        assert_good(hanse_mls_group_protect(anna.group, hanse_mls_text("hello"), nothing, 0, &post));
        EVENT *event = person_gets(&ben, &post);
        assert_text(event->plaintext, "hello");
        assert_int_equal(hanse_mls_public_suite(hanse_mls_group_public(ben.group)), suites[i]);
        person_free(&anna);
        person_free(&ben);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAST_TEST(what_can_be_asked, cast_of_two),
        CAST_TEST(posts, cast_of_two),
        CAST_TEST(a_commit_and_its_echo, cast_of_two),
        CAST_TEST(another_wins, cast_of_two),
        CAST_TEST(from_outside, cast_of_two),
        CAST_TEST(resync, cast_of_two),
        CAST_TEST(removed, cast_of_two),
        CAST_TEST(tree_out_of_band, cast_of_two),
        CAST_TEST(past_epochs, cast_of_two),
        cmocka_unit_test(every_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
