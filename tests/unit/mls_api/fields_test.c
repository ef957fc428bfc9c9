/* Every member of a struct that a caller fills in arrives where it counts. */
#include "unit/mls_api/cast.h"

static bool has_bytes(const struct hanse_mls_buf *in, const char *bytes, size_t len)
{
    for (size_t i = 0; i + len <= in->len; i++)
        if (memcmp(in->data + i, bytes, len) == 0)
            return true;
    return false;
}

static void leaves(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_leaf leaf = person_leaf(&c->anna);
    const uint16_t proposals[] = {0xF1A1}, credentials[] = {0xF2A2}, suites[] = {0xF3A3};
    struct hanse_mls_key_package kp;
    BUF message = {0}, private_half = {0};
    leaf.not_before = 7;
    leaf.proposal_types = proposals;
    leaf.credential_types = credentials;
    leaf.suites = suites;
    leaf.proposal_type_count = leaf.credential_type_count = leaf.suite_count = 1;
    assert_good(hanse_mls_key_package_new(&leaf, false, &message, &private_half));
    assert_good(hanse_mls_key_package_check(hanse_mls_view(&message), NOW, &kp));
    assert_int_equal(kp.not_before, 7);
    assert_true(has_bytes(&message, "\x02\xF4\xA1", 3)); /* extensions: the club's, alone in its vector */
    assert_true(has_bytes(&message, "\x02\xF1\xA1", 3)); /* proposals */
    assert_true(has_bytes(&message, "\xF2\xA2", 2));     /* credentials, beside basic */
    assert_true(has_bytes(&message, "\xF3\xA3", 2));     /* suites, beside the signer's */
}

static enum hanse_err create_with(const struct cast *c, const struct hanse_mls_settings *settings)
{
    struct hanse_mls_leaf leaf = person_leaf(&c->anna);
    const struct hanse_mls_create create = {
        .size = sizeof create, .leaf = &leaf, .group_id = hanse_mls_text("another"), .settings = settings};
    struct hanse_mls_group *group;
    enum hanse_err err = hanse_mls_group_create(&create, &group);
    hanse_mls_group_free(group);
    return err;
}

/* Each at its limit and one past it. */
static void settings(void **state)
{
    const struct {
        size_t offset;
        uint32_t max;
    } rows[] = {
        {offsetof(struct hanse_mls_settings, out_of_order), HANSE_MLS_MAX_OUT_OF_ORDER},
        {offsetof(struct hanse_mls_settings, forward), HANSE_MLS_MAX_FORWARD},
        {offsetof(struct hanse_mls_settings, past_epochs), HANSE_MLS_MAX_PAST_EPOCHS},
        {offsetof(struct hanse_mls_settings, padding), HANSE_MLS_MAX_PADDING},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hanse_mls_settings given;
        uint32_t past = rows[i].max + 1;
        hanse_mls_settings_init(&given);
        memcpy((uint8_t *)&given + rows[i].offset, &rows[i].max, sizeof past);
        assert_good(create_with(*state, &given));
        memcpy((uint8_t *)&given + rows[i].offset, &past, sizeof past);
        assert_fault(create_with(*state, &given), HANSE_ERR_INVALID_ARG);
    }
}

static void commits(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_bytes add = hanse_mls_view(&c->cleo.package);
    const struct hanse_mls_commit plain = {.size = sizeof plain, .adds = &add, .add_count = 1};
    struct hanse_mls_commit forced = plain;
    const struct hanse_mls_commit renewed = {
        .size = sizeof renewed, .identity = hanse_mls_text("Annie"), .signer = c->cleo.signer};
    const struct hanse_mls_change *change;
    forced.force_path = true;
    assert_good(hanse_mls_group_commit(c->anna.group, &plain, NULL, NULL, NULL));
    assert_false(hanse_mls_group_pending_change(c->anna.group)->has_path);
    hanse_mls_group_drop(c->anna.group);
    assert_good(hanse_mls_group_commit(c->anna.group, &forced, NULL, NULL, NULL));
    assert_true(hanse_mls_group_pending_change(c->anna.group)->has_path);
    hanse_mls_group_drop(c->anna.group);
    assert_good(hanse_mls_group_commit(c->anna.group, &renewed, NULL, NULL, NULL));
    change = hanse_mls_group_pending_change(c->anna.group);
    assert_int_equal(change->updated_count, 1);
    assert_text(change->updated[0].after.identity, "Annie");
    assert_same(change->updated[0].after.signature_key, hanse_mls_signer_public(c->cleo.signer));
}

/* What Ben proposes, as Anna sees it. */
static struct hanse_mls_event *proposed(struct cast *c, struct hanse_mls_propose wish)
{
    BUF message = {0};
    wish.size = sizeof wish;
    wish.authenticated_data = hanse_mls_text("why");
    assert_good(hanse_mls_group_propose(c->ben.group, &wish, &message));
    struct hanse_mls_event *event = person_gets(&c->anna, &message);
    assert_int_equal(event->proposal.type, wish.type);
    assert_text(event->authenticated_data, "why");
    return event;
}

static void proposals(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_extension rules = {CLUB_RULES, hanse_mls_text("be kinder")};
    const struct hanse_mls_psk psk = {
        .id = {.type = HANSE_MLS_PSK_EXTERNAL, .id = hanse_mls_text("contract")},
        .secret = hanse_mls_text("secret")};
    struct hanse_mls_bytes data;
    BUF list = {0};
    assert_good(hanse_mls_group_set_psks(c->anna.group, &psk, 1));
    assert_good(hanse_mls_group_set_psks(c->ben.group, &psk, 1));
    assert_good(hanse_mls_extensions_write(&rules, 1, &list));
    EVENT *extensions = proposed(c, (struct hanse_mls_propose){.type = HANSE_MLS_GROUP_CONTEXT_EXTENSIONS,
                                                               .extensions = &rules,
                                                               .extension_count = 1});
    assert_true(hanse_mls_extension_find(extensions->proposal.extensions, CLUB_RULES, &data));
    assert_text(data, "be kinder");
    EVENT *key = proposed(c, (struct hanse_mls_propose){.type = HANSE_MLS_PSK, .psk = psk.id});
    assert_text(key->proposal.psk.id, "contract");
    EVENT *reinit = proposed(c, (struct hanse_mls_propose){.type = HANSE_MLS_REINIT,
                                                           .reinit = {.group_id = hanse_mls_text("club 2"),
                                                                      .suite = SUITE,
                                                                      .extensions = hanse_mls_view(&list)}});
    assert_text(reinit->proposal.reinit.group_id, "club 2");
    assert_same(reinit->proposal.reinit.extensions, hanse_mls_view(&list));
}

/* A Welcome that names a PSK, and a join without and with it. */
static void joins(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_psk psk = {
        .id = {.type = HANSE_MLS_PSK_EXTERNAL, .id = hanse_mls_text("contract")},
        .secret = hanse_mls_text("secret")};
    struct hanse_mls_bytes add = hanse_mls_view(&c->cleo.package);
    const struct hanse_mls_commit request = {.size = sizeof request,
                                             .adds = &add,
                                             .add_count = 1,
                                             .psks = &psk.id,
                                             .psk_count = 1,
                                             .tree_in_welcome = true};
    BUF welcome = {0};
    assert_good(hanse_mls_group_set_psks(c->anna.group, &psk, 1));
    person_commits(&c->anna, &request, NULL, &welcome);
    struct hanse_mls_join join = person_join(&c->cleo, &welcome);
    struct hanse_mls_group *group = c->anna.group;
    assert_fault(hanse_mls_group_join(&join, &group), HANSE_ERR_NOT_FOUND);
    assert_null(group);
    join.psks = &psk;
    join.psk_count = 1;
    assert_good(hanse_mls_group_join(&join, &c->cleo.group));
    assert_agree(&c->anna, &c->cleo);
}

/* An external join with the tree by another way, and a PSK. */
static void external_joins(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_psk psk = {
        .id = {.type = HANSE_MLS_PSK_EXTERNAL, .id = hanse_mls_text("contract")},
        .secret = hanse_mls_text("secret")};
    struct hanse_mls_leaf leaf = person_leaf(&c->cleo);
    struct hanse_mls_group *group = c->anna.group;
    BUF info = {0}, tree = {0}, commit = {0};
    assert_good(hanse_mls_group_set_psks(c->anna.group, &psk, 1));
    assert_good(hanse_mls_group_info(c->anna.group, false, &info));
    assert_good(hanse_mls_public_tree(hanse_mls_group_public(c->anna.group), &tree));
    struct hanse_mls_external_join join = {.size = sizeof join,
                                           .leaf = &leaf,
                                           .group_info = hanse_mls_view(&info),
                                           .psk_ids = &psk.id,
                                           .psk_id_count = 1,
                                           .psks = &psk,
                                           .psk_count = 1};
    assert_fault(hanse_mls_group_join_external(&join, &commit, NULL, &group), HANSE_ERR_MLS_TREE);
    assert_null(group);
    join.tree = hanse_mls_view(&tree);
    join.psk_count = 0;
    assert_fault(hanse_mls_group_join_external(&join, &commit, NULL, &group), HANSE_ERR_NOT_FOUND);
    join.psk_count = 1;
    assert_good(hanse_mls_group_join_external(&join, &commit, NULL, &c->cleo.group));
    EVENT *event = person_gets(&c->anna, &commit);
    assert_int_equal(hanse_mls_staged_change(event->staged)->psk_count, 1);
    assert_good(hanse_mls_group_merge(c->anna.group, event->staged));
    assert_agree(&c->anna, &c->cleo);
}

static void successors(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_leaf leaf = person_leaf(&c->anna);
    struct hanse_mls_bytes add = hanse_mls_view(&c->ben.package), data;
    const struct hanse_mls_extension rules = {CLUB_RULES, hanse_mls_text("be quiet")};
    struct hanse_mls_settings given;
    hanse_mls_settings_init(&given);
    given.padding = HANSE_MLS_MAX_PADDING + 1;
    struct hanse_mls_successor successor = {.size = sizeof successor,
                                            .from = c->anna.group,
                                            .usage = HANSE_MLS_PSK_BRANCH,
                                            .leaf = &leaf,
                                            .adds = &add,
                                            .add_count = 1,
                                            .group_id = hanse_mls_text("branch"),
                                            .extensions = &rules,
                                            .extension_count = 1,
                                            .settings = &given};
    struct hanse_mls_group *group = c->anna.group;
    BUF welcome = {0};
    assert_fault(hanse_mls_group_succeed(&successor, &welcome, &group), HANSE_ERR_INVALID_ARG);
    assert_null(group);
    successor.settings = NULL;
    assert_good(hanse_mls_group_succeed(&successor, &welcome, &group));
    assert_true(hanse_mls_public_extension(hanse_mls_group_public(group), CLUB_RULES, &data));
    assert_text(data, "be quiet");
    hanse_mls_group_free(group);
}

/* The second of two senders. */
static void outsiders(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_external_sender senders[] = {
        {hanse_mls_signer_public(c->ben.signer), HANSE_MLS_BASIC, hanse_mls_text("first")},
        {hanse_mls_signer_public(c->cleo.signer), HANSE_MLS_BASIC, hanse_mls_text("second")}};
    struct hanse_mls_outsider outsider = {
        .size = sizeof outsider, .group_id = hanse_mls_text("club"), .index = 1, .epoch = 2};
    const struct hanse_mls_propose wish = {.size = sizeof wish, .type = HANSE_MLS_REMOVE, .leaf = 1};
    BUF data = {0}, proposal = {0};
    assert_good(hanse_mls_external_senders_write(senders, 2, &data));
    const struct hanse_mls_extension list = {HANSE_MLS_EXT_EXTERNAL_SENDERS, hanse_mls_view(&data)};
    const struct hanse_mls_commit request = {
        .size = sizeof request, .set_extensions = true, .extensions = &list, .extension_count = 1};
    person_commits(&c->anna, &request, NULL, NULL);
    assert_fault(hanse_mls_outsider_propose(&outsider, &wish, &proposal), HANSE_ERR_INVALID_ARG);
    outsider.signer = c->cleo.signer;
    assert_good(hanse_mls_outsider_propose(&outsider, &wish, &proposal));
    EVENT *event = person_gets(&c->anna, &proposal);
    assert_int_equal(event->author.index, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAST_TEST(leaves, cast_of_two),     CAST_TEST(settings, cast_of_two),
        CAST_TEST(commits, cast_of_two),    CAST_TEST(proposals, cast_of_two),
        CAST_TEST(joins, cast_of_two),      CAST_TEST(external_joins, cast_of_two),
        CAST_TEST(successors, cast_of_two), CAST_TEST(outsiders, cast_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
