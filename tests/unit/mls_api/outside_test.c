/* Proposals from outside, groups that follow each other, epochs that are taken back. */
#include "unit/mls_api/cast.h"

/* The hub may propose: Cleo is its key here. */
static void an_external_sender(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_external_sender hub = {hanse_mls_signer_public(c->cleo.signer), HANSE_MLS_BASIC,
                                                  hanse_mls_text("hub")};
    BUF senders = {0}, commit = {0}, proposal = {0};
    person_create(&c->anna, NULL);
    person_adds(&c->anna, &c->ben);
    assert_good(hanse_mls_external_senders_write(&hub, 1, &senders));
    const struct hanse_mls_extension list[] = {{HANSE_MLS_EXT_EXTERNAL_SENDERS, hanse_mls_view(&senders)}};
    const struct hanse_mls_commit request = {
        .size = sizeof request, .set_extensions = true, .extensions = list, .extension_count = 1};
    person_commits(&c->anna, &request, &commit, NULL);
    person_merges(&c->ben, &commit);

    const struct hanse_mls_outsider outsider = {
        .size = sizeof outsider, .signer = c->cleo.signer, .group_id = hanse_mls_text("club"), .epoch = 2};
    const struct hanse_mls_propose wish = {.size = sizeof wish, .type = HANSE_MLS_REMOVE, .leaf = 1};
    const struct hanse_mls_propose update = {.size = sizeof update, .type = HANSE_MLS_UPDATE};
    assert_fault(hanse_mls_outsider_propose(&outsider, &update, &proposal), HANSE_ERR_INVALID_ARG);
    assert_good(hanse_mls_outsider_propose(&outsider, &wish, &proposal));
    EVENT *event = person_gets(&c->anna, &proposal);
    assert_int_equal(event->author.type, HANSE_MLS_SENDER_EXTERNAL);
    assert_int_equal(event->author.index, 0);
    assert_text(event->proposal.target.identity, "Ben");
    const struct hanse_mls_commit plain = {.size = sizeof plain};
    assert_good(hanse_mls_group_commit(c->anna.group, &plain, NULL, NULL, NULL));
    const struct hanse_mls_change *change = hanse_mls_group_pending_change(c->anna.group);
    assert_int_equal(change->removed_count, 1);
    assert_int_equal(change->removed[0].by.type, HANSE_MLS_SENDER_EXTERNAL);
}

static void a_newcomer_asks(void **state)
{
    struct cast *c = *state;
    person_create(&c->anna, NULL);
    const struct hanse_mls_outsider outsider = {.size = sizeof outsider,
                                                .signer = c->ben.signer,
                                                .newcomer = true,
                                                .group_id = hanse_mls_text("club")};
    const struct hanse_mls_propose wish = {
        .size = sizeof wish, .type = HANSE_MLS_ADD, .key_package = hanse_mls_view(&c->ben.package)};
    BUF proposal = {0}, welcome = {0};
    assert_good(hanse_mls_outsider_propose(&outsider, &wish, &proposal));
    EVENT *event = person_gets(&c->anna, &proposal);
    assert_int_equal(event->author.type, HANSE_MLS_SENDER_NEW_MEMBER_PROPOSAL);
    assert_text(event->sender.identity, "Ben");
    const struct hanse_mls_commit request = {.size = sizeof request, .tree_in_welcome = true};
    person_commits(&c->anna, &request, NULL, &welcome);
    struct hanse_mls_join join = person_join(&c->ben, &welcome);
    assert_good(hanse_mls_group_join(&join, &c->ben.group));
    assert_agree(&c->anna, &c->ben);
}

static void a_reinit(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_reinit reinit = {.group_id = hanse_mls_text("club 2"), .suite = SUITE};
    const struct hanse_mls_commit request = {.size = sizeof request, .reinit = &reinit};
    BUF commit = {0}, welcome = {0};
    person_create(&c->anna, NULL);
    person_adds(&c->anna, &c->ben);
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, NULL));
    EVENT *event = person_gets(&c->ben, &commit);
    const struct hanse_mls_change *change = hanse_mls_staged_change(event->staged);
    assert_true(change->reinit_proposed);
    assert_text(change->reinit.group_id, "club 2");
    assert_int_equal(change->reinit.version, 1);
    assert_good(hanse_mls_group_merge(c->ben.group, event->staged));
    assert_good(hanse_mls_group_accept(c->anna.group));
    struct hanse_mls_reinit said;
    assert_true(hanse_mls_public_reinit(hanse_mls_group_public(c->ben.group), &said));
    assert_int_equal(said.suite, SUITE);

    struct hanse_mls_leaf leaf = person_leaf(&c->anna);
    struct hanse_mls_bytes add = hanse_mls_view(&c->ben.package);
    const struct hanse_mls_successor successor = {.size = sizeof successor,
                                                  .from = c->anna.group,
                                                  .usage = HANSE_MLS_PSK_REINIT,
                                                  .leaf = &leaf,
                                                  .adds = &add,
                                                  .add_count = 1,
                                                  .tree_in_welcome = true};
    struct hanse_mls_group *a, *b;
    assert_good(hanse_mls_group_succeed(&successor, &welcome, &a));
    struct hanse_mls_join join = person_join(&c->ben, &welcome);
    assert_fault(hanse_mls_group_join(&join, &b), HANSE_ERR_NOT_FOUND);
    join.from = c->ben.group;
    assert_good(hanse_mls_group_join(&join, &b));
    hanse_mls_group_free(c->anna.group);
    hanse_mls_group_free(c->ben.group);
    c->anna.group = a;
    c->ben.group = b;
    assert_text(hanse_mls_group_id(b), "club 2");
    assert_agree(&c->anna, &c->ben);
}

/* A second group that only members of the first can have made: its key comes in as a PSK. */
static void a_resumption_psk(void **state)
{
    struct cast *c = *state;
    BUF secret = {0}, same = {0}, commit = {0};
    person_create(&c->anna, NULL);
    person_adds(&c->anna, &c->ben);
    assert_good(hanse_mls_group_resumption(c->anna.group, &secret));
    assert_good(hanse_mls_group_resumption(c->ben.group, &same));
    assert_same(hanse_mls_view(&secret), hanse_mls_view(&same));
    assert_int_equal(secret.len, 32);
    const struct hanse_mls_psk psk = {.id = {.type = HANSE_MLS_PSK_RESUMPTION,
                                             .usage = HANSE_MLS_PSK_APPLICATION,
                                             .group_id = hanse_mls_text("club before"),
                                             .epoch = 1},
                                      .secret = hanse_mls_view(&secret)};
    const struct hanse_mls_commit request = {.size = sizeof request, .psks = &psk.id, .psk_count = 1};
    assert_good(hanse_mls_group_set_psks(c->anna.group, &psk, 1));
    assert_good(hanse_mls_group_set_psks(c->ben.group, &psk, 1));
    person_commits(&c->anna, &request, &commit, NULL);
    EVENT *event = person_gets(&c->ben, &commit);
    const struct hanse_mls_psk_id *used = &hanse_mls_staged_change(event->staged)->psks[0].id;
    assert_int_equal(used->type, HANSE_MLS_PSK_RESUMPTION);
    assert_text(used->group_id, "club before");
    assert_good(hanse_mls_group_merge(c->ben.group, event->staged));
    assert_agree(&c->anna, &c->ben);
}

static void a_branch(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_leaf leaf = person_leaf(&c->anna);
    struct hanse_mls_bytes add = hanse_mls_view(&c->ben.package), stranger = hanse_mls_view(&c->cleo.package);
    struct hanse_mls_successor successor = {.size = sizeof successor,
                                            .usage = HANSE_MLS_PSK_BRANCH,
                                            .leaf = &leaf,
                                            .adds = &stranger,
                                            .add_count = 1,
                                            .group_id = hanse_mls_text("club's club"),
                                            .tree_in_welcome = true};
    struct hanse_mls_group *a, *b;
    BUF welcome = {0};
    person_create(&c->anna, NULL);
    person_adds(&c->anna, &c->ben);
    assert_fault(hanse_mls_group_succeed(&successor, &welcome, &a), HANSE_ERR_INVALID_ARG);
    successor.from = c->anna.group;
    assert_fault(hanse_mls_group_succeed(&successor, &welcome, &a), HANSE_ERR_INVALID_ARG);
    successor.adds = &add;
    assert_good(hanse_mls_group_succeed(&successor, &welcome, &a));
    struct hanse_mls_join join = person_join(&c->ben, &welcome);
    join.from = c->ben.group;
    assert_good(hanse_mls_group_join(&join, &b));
    assert_text(hanse_mls_group_id(b), "club's club");
    struct hanse_mls_hash x = hanse_mls_group_authenticator(a), y = hanse_mls_group_authenticator(b);
    assert_same(hanse_mls_hash_view(&x), hanse_mls_hash_view(&y));
    hanse_mls_group_free(a);
    hanse_mls_group_free(b);
}

static void taken_back(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_settings settings;
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF commit = {0}, other = {0};
    hanse_mls_settings_init(&settings);
    settings.settling = true;
    person_create(&c->anna, &settings);
    person_adds(&c->anna, &c->ben);
    assert_true(hanse_mls_group_is_unsettled(c->anna.group));
    assert_good(hanse_mls_group_settle(c->anna.group));
    assert_false(hanse_mls_group_is_unsettled(c->anna.group));
    assert_fault(hanse_mls_group_settle(c->anna.group), HANSE_ERR_INVALID_STATE);

    assert_good(hanse_mls_group_commit(c->ben.group, &request, &commit, NULL, NULL));
    person_merges(&c->anna, &commit);
    assert_int_equal(hanse_mls_group_epoch(c->anna.group), 2);
    assert_good(hanse_mls_group_revert(c->anna.group));
    assert_int_equal(hanse_mls_group_epoch(c->anna.group), 1);
    assert_agree(&c->anna, &c->ben);
    assert_fault(hanse_mls_group_revert(c->anna.group), HANSE_ERR_INVALID_STATE);
    /* the view of its public side is the one that counts again */
    assert_int_equal(hanse_mls_public_epoch(hanse_mls_group_public(c->anna.group)), 1);
    hanse_mls_group_drop(c->ben.group);
    person_commits(&c->ben, &request, &other, NULL);
    person_merges(&c->anna, &other);
    assert_agree(&c->anna, &c->ben);
}

static void private_handshakes(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_settings settings;
    struct hanse_mls_peek peek;
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF commit = {0};
    hanse_mls_settings_init(&settings);
    settings.private_handshakes = true;
    settings.padding = 256;
    person_create(&c->anna, &settings);
    person_adds(&c->anna, &c->ben);
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, NULL));
    assert_good(hanse_mls_message_peek(hanse_mls_view(&commit), &peek));
    assert_int_equal(peek.wire_format, HANSE_MLS_PRIVATE_MESSAGE);
    assert_int_equal(peek.content_type, HANSE_MLS_COMMIT);
    assert_good(hanse_mls_group_accept(c->anna.group));
    person_merges(&c->ben, &commit);
    assert_agree(&c->anna, &c->ben);
}

/* An epoch's end is noted by the first expire() after it; then the clock runs. */
static void old_epochs_expire(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_settings settings;
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF first = {0}, second = {0};
    struct hanse_mls_event *late;
    hanse_mls_settings_init(&settings);
    settings.past_seconds = 30;
    person_create(&c->anna, &settings);
    person_adds(&c->anna, &c->ben);
    assert_good(hanse_mls_group_protect(c->ben.group, hanse_mls_text("1"), nothing, 0, &first));
    assert_good(hanse_mls_group_protect(c->ben.group, hanse_mls_text("2"), nothing, 0, &second));
    person_commits(&c->anna, &request, NULL, NULL);
    hanse_mls_group_expire(c->anna.group, NOW);
    hanse_mls_group_expire(c->anna.group, NOW + 30);
    hanse_mls_event_free(person_gets(&c->anna, &first));
    hanse_mls_group_expire(c->anna.group, NOW + 31);
    assert_fault(hanse_mls_group_process(c->anna.group, hanse_mls_view(&second), &late), HANSE_ERR_MLS_EPOCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAST_TEST(an_external_sender, cast_of_strangers), CAST_TEST(a_newcomer_asks, cast_of_strangers),
        CAST_TEST(a_reinit, cast_of_strangers),           CAST_TEST(a_resumption_psk, cast_of_strangers),
        CAST_TEST(a_branch, cast_of_strangers),           CAST_TEST(taken_back, cast_of_strangers),
        CAST_TEST(private_handshakes, cast_of_strangers), CAST_TEST(old_epochs_expire, cast_of_strangers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
