/* Everything that a commit does is told before it is merged, with whoever proposed it. */
#include "unit/mls_api/cast.h"

/* A proposal of Ben's, delivered to both. Gives what Anna sees. */
static struct hanse_mls_event *ben_proposes(struct cast *c, struct hanse_mls_propose *proposal)
{
    BUF message = {0};
    proposal->size = sizeof *proposal;
    assert_good(hanse_mls_group_propose(c->ben.group, proposal, &message));
    hanse_mls_event_free(person_gets(&c->ben, &message));
    struct hanse_mls_event *event = person_gets(&c->anna, &message);
    assert_int_equal(event->kind, HANSE_MLS_EVENT_PROPOSAL);
    assert_text(event->sender.identity, "Ben");
    assert_int_equal(event->proposal.type, proposal->type);
    return event;
}

static void adds_and_authors(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_propose wish = {.type = HANSE_MLS_ADD, .key_package = hanse_mls_view(&c->cleo.package)};
    EVENT *proposed = ben_proposes(c, &wish);
    assert_text(proposed->proposal.target.identity, "Cleo");
    assert_int_equal(hanse_mls_public_waiting(hanse_mls_group_public(c->anna.group)), 1);

    struct hanse_mls_bytes add = hanse_mls_view(&c->dora.package);
    const struct hanse_mls_commit request = {
        .size = sizeof request, .adds = &add, .add_count = 1, .authenticated_data = hanse_mls_text("why")};
    struct hanse_mls_key_package kp;
    BUF commit = {0}, welcome = {0};
    assert_good(hanse_mls_key_package_check(hanse_mls_view(&c->cleo.package), NOW, &kp));
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, &welcome, NULL));
    EVENT *event = person_gets(&c->ben, &commit);
    const struct hanse_mls_change *change = hanse_mls_staged_change(event->staged);
    assert_text(event->authenticated_data, "why");
    assert_int_equal(change->epoch, 2);
    assert_text(change->committer.identity, "Anna");
    assert_false(change->has_path);
    assert_int_equal(change->added_count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct hanse_mls_added *added = &change->added[i];
        bool is_cleo = hanse_mls_bytes_equal(added->member.identity, hanse_mls_text("Cleo"));
        assert_int_equal(added->by.type, HANSE_MLS_SENDER_MEMBER);
        assert_int_equal(added->by.index, is_cleo ? 1 : 0);
        assert_int_equal(added->key_package_ref.len, 32);
        if (is_cleo)
            assert_same(hanse_mls_hash_view(&added->key_package_ref), hanse_mls_hash_view(&kp.ref));
    }
    /* the state before it is the group's, until it is merged */
    assert_int_equal(hanse_mls_public_member_count(hanse_mls_group_public(c->ben.group)), 2);
    assert_good(hanse_mls_group_merge(c->ben.group, event->staged));
    assert_int_equal(hanse_mls_public_member_count(hanse_mls_group_public(c->ben.group)), 4);
    assert_int_equal(change->added_count, 2);
}

static void updates(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_propose wish = {
        .type = HANSE_MLS_UPDATE, .identity = hanse_mls_text("Benjamin"), .signer = c->dora.signer};
    EVENT *proposed = ben_proposes(c, &wish);
    assert_text(proposed->proposal.target.identity, "Benjamin");
    const struct hanse_mls_commit request = {.size = sizeof request};
    BUF commit = {0};
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, NULL));
    EVENT *event = person_gets(&c->ben, &commit);
    const struct hanse_mls_change *change = hanse_mls_staged_change(event->staged);
    assert_int_equal(change->updated_count, 2);
    for (size_t i = 0; i < 2; i++)
        if (change->updated[i].before.leaf == 1) {
            assert_text(change->updated[i].before.identity, "Ben");
            assert_text(change->updated[i].after.identity, "Benjamin");
            assert_same(change->updated[i].after.signature_key, hanse_mls_signer_public(c->dora.signer));
        }
    assert_good(hanse_mls_group_merge(c->ben.group, event->staged));
    assert_good(hanse_mls_group_accept(c->anna.group));
    assert_agree(&c->anna, &c->ben);
}

static void removals_and_extensions(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_propose wish = {.type = HANSE_MLS_REMOVE, .leaf = 1};
    const struct hanse_mls_extension rules = {CLUB_RULES, hanse_mls_text("be kinder")};
    struct hanse_mls_bytes data;
    EVENT *proposed = ben_proposes(c, &wish);
    assert_text(proposed->proposal.target.identity, "Ben");
    const struct hanse_mls_commit request = {
        .size = sizeof request, .set_extensions = true, .extensions = &rules, .extension_count = 1};
    BUF commit = {0};
    assert_fault(hanse_mls_group_commit(c->ben.group, &request, NULL, NULL, NULL), HANSE_ERR_INVALID_STATE);
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, NULL));
    EVENT *event = person_gets(&c->ben, &commit);
    const struct hanse_mls_change *change = hanse_mls_staged_change(event->staged);
    assert_int_equal(change->removed_count, 1);
    assert_text(change->removed[0].member.identity, "Ben");
    assert_int_equal(change->removed[0].by.index, 1);
    assert_true(change->extensions_proposed);
    assert_int_equal(change->extensions_by.index, 0);
    assert_true(hanse_mls_extension_find(change->old_extensions, CLUB_RULES, &data));
    assert_text(data, "be kind");
    assert_true(hanse_mls_extension_find(change->new_extensions, CLUB_RULES, &data));
    assert_text(data, "be kinder");
    assert_false(change->reinit_proposed);
}

/* What the rules forbid is dropped, and the commit goes without it. */
static void dropped_proposals(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_propose wish = {.type = HANSE_MLS_REMOVE, .leaf = 0};
    EVENT *proposed = ben_proposes(c, &wish);
    struct hanse_mls_bytes ref = hanse_mls_hash_view(&proposed->proposal.ref);
    assert_good(hanse_mls_group_drop_proposal(c->anna.group, ref));
    assert_fault(hanse_mls_group_drop_proposal(c->anna.group, ref), HANSE_ERR_NOT_FOUND);
    const struct hanse_mls_commit request = {.size = sizeof request};
    assert_good(hanse_mls_group_commit(c->anna.group, &request, NULL, NULL, NULL));
    assert_int_equal(hanse_mls_group_pending_change(c->anna.group)->removed_count, 0);
}

static void pre_shared_keys(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_psk psk = {
        .id = {.type = HANSE_MLS_PSK_EXTERNAL, .id = hanse_mls_text("contract")},
        .secret = hanse_mls_text("nobody else knows this")};
    const struct hanse_mls_commit request = {.size = sizeof request, .psks = &psk.id, .psk_count = 1};
    BUF commit = {0};
    struct hanse_mls_event *refused;
    assert_fault(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, NULL), HANSE_ERR_NOT_FOUND);
    assert_good(hanse_mls_group_set_psks(c->anna.group, &psk, 1));
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, NULL));
    assert_fault(hanse_mls_group_process(c->ben.group, hanse_mls_view(&commit), &refused),
                 HANSE_ERR_NOT_FOUND);
    assert_good(hanse_mls_group_set_psks(c->ben.group, &psk, 1));
    EVENT *event = person_gets(&c->ben, &commit);
    const struct hanse_mls_change *change = hanse_mls_staged_change(event->staged);
    assert_int_equal(change->psk_count, 1);
    assert_text(change->psks[0].id.id, "contract");
    assert_int_equal(change->psks[0].id.nonce.len, 32);
    assert_good(hanse_mls_group_merge(c->ben.group, event->staged));
    assert_good(hanse_mls_group_accept(c->anna.group));
    assert_agree(&c->anna, &c->ben);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAST_TEST(adds_and_authors, cast_of_two),        CAST_TEST(updates, cast_of_two),
        CAST_TEST(removals_and_extensions, cast_of_two), CAST_TEST(dropped_proposals, cast_of_two),
        CAST_TEST(pre_shared_keys, cast_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
