/* The life of a group: create, add, talk, update, remove. */
#include "unit/mls/cast.h"

#include "mls/key_package_check.h"
#include "mls/member.h"
#include "mls/suite.h"

static int setup(void **state)
{
    struct cast *c = cast_meet(state, NULL);
    person_create(&c->alice, "policy 1");
    cast_gather(c, 3);
    return 0;
}

static void all_agree(void **state)
{
    struct cast *c = *state;
    assert_same_epoch(&c->alice, &c->bob);
    assert_same_epoch(&c->alice, &c->carol);
    assert_talks(&c->alice, &c->bob, "hello");
    assert_talks(&c->bob, &c->carol, "hi");
    assert_talks(&c->carol, &c->alice, "");
    const struct hs_mls_public *pub = hs_mls_group_public(c->bob.group);
    assert_int_equal(hs_mls_public_member_count(pub), 3);
    struct hs_bytes policy;
    assert_true(hs_mls_public_extension(pub, ROOM_POLICY, &policy));
    assert_bytes(policy, hs_bytes_str("policy 1"));
    struct hs_mls_member member;
    assert_ok(hs_mls_public_member_by_key(pub, HS_MLS_VIEW(c->carol.signer.pub), &member));
    assert_int_equal(member.leaf, 2);
    assert_bytes(member.identity, hs_bytes_str("carol"));
    assert_err(hs_mls_public_member_by_key(pub, HS_MLS_VIEW(c->dave.signer.pub), &member), HS_ERR_NOT_FOUND);
    assert_err(hs_mls_public_member(pub, 3, &member), HS_ERR_NOT_FOUND);
    assert_err(hs_mls_public_member(pub, UINT32_MAX, &member), HS_ERR_NOT_FOUND);
    uint8_t a[40], b[40];
    assert_ok(hs_mls_group_export(c->alice.group, "label", hs_bytes_str("ctx"), a, sizeof a));
    assert_ok(hs_mls_group_export(c->bob.group, "label", hs_bytes_str("ctx"), b, sizeof b));
    assert_memory_equal(a, b, sizeof a);
    assert_ok(hs_mls_group_export(c->bob.group, "label", hs_bytes_str("other"), b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
}

/* An empty commit has a path; everyone's keys change. MLS-19 */
static void empty_commit(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_commit_request request = {.authenticated_data = hs_bytes_str("head 7")};
    assert_ok(person_try_commit(&c->bob, &request, &s));
    assert_int_equal(s.welcome.len, 0);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&s.commit), &event));
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_bytes(event->authenticated_data, hs_bytes_str("head 7"));
    assert_true(change->has_path);
    assert_int_equal(change->added_count + change->removed_count, 0);
    assert_int_equal(change->updated_count, 1);
    assert_bytes(change->committer.identity, hs_bytes_str("bob"));
    assert_int_equal(change->epoch, 3);
    assert_ok(hs_mls_group_merge(c->alice.group, event->staged));
    assert_err(hs_mls_group_merge(c->alice.group, event->staged), HS_ERR_INVALID_STATE);
    assert_ok(hs_mls_group_accept(c->bob.group));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_same_epoch(&c->carol, &c->bob);
    assert_talks(&c->carol, &c->alice, "after");
}

/* Adds, a remove and new extensions in one commit; what is staged tells all of it. MLS-20 */
static void mixed_commit(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    const uint32_t remove = 1;
    const struct hs_mls_extension policy = {.type = ROOM_POLICY, .data = hs_bytes_str("policy 2")};
    const struct hs_mls_commit_request request = {.adds = &add,
                                                  .add_count = 1,
                                                  .removes = &remove,
                                                  .remove_count = 1,
                                                  .set_extensions = true,
                                                  .extensions = &policy,
                                                  .extension_count = 1};
    person_commit(&c->alice, &request, &s);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->carol.group, hs_writer_bytes(&s.commit), &event));
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_int_equal(change->added_count, 1);
    assert_bytes(change->added[0].member.identity, hs_bytes_str("dave"));
    assert_int_equal(change->added[0].member.leaf, 1);
    assert_int_equal(change->added[0].by.index, 0);
    assert_int_equal(change->removed_count, 1);
    assert_bytes(change->removed[0].member.identity, hs_bytes_str("bob"));
    assert_true(change->extensions_proposed);
    struct hs_bytes before, after;
    assert_true(hs_mls_extension_find(change->old_extensions, ROOM_POLICY, &before));
    assert_true(hs_mls_extension_find(change->new_extensions, ROOM_POLICY, &after));
    assert_bytes(before, hs_bytes_str("policy 1"));
    assert_bytes(after, hs_bytes_str("policy 2"));
    assert_false(change->removes_self);
    assert_ok(hs_mls_group_merge(c->carol.group, event->staged));
    assert_bytes(change->removed[0].member.identity, hs_bytes_str("bob"));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_true(hs_mls_group_is_removed(c->bob.group));
    struct hs_writer HS_WRITER tree = hs_writer(CAP);
    assert_ok(hs_mls_public_tree(hs_mls_group_public(c->alice.group), &tree));
    assert_err(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}), HS_ERR_MLS_TREE);
    assert_ok(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), hs_writer_bytes(&tree)));
    assert_same_epoch(&c->alice, &c->carol);
    assert_same_epoch(&c->alice, &c->dave);
    assert_talks(&c->dave, &c->carol, "new here");
    assert_talks(&c->alice, &c->dave, "welcome");
}

/* A removed member reads neither the next epoch nor anything else, and says so. MLS-29 */
static void removed_is_out(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER post = hs_writer(CAP), HS_WRITER old = hs_writer(CAP);
    const uint32_t remove = 2;
    const struct hs_mls_commit_request request = {.removes = &remove, .remove_count = 1};
    assert_ok(hs_mls_group_protect(c->bob.group, hs_bytes_str("before"), hs_bytes_str(""), 0, &old));
    person_commit(&c->alice, &request, &s);
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("secret"), hs_bytes_str(""), 0, &post));
    struct hs_mls_event *event = NULL;
    /* with the state from before the removal */
    assert_err(hs_mls_group_process(c->carol.group, hs_writer_bytes(&post), &event), HS_ERR_MLS_EPOCH);
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_true(hs_mls_group_is_removed(c->carol.group));
    person_restart(&c->carol);
    assert_true(hs_mls_group_is_removed(c->carol.group));
    assert_err(hs_mls_group_process(c->carol.group, hs_writer_bytes(&post), &event), HS_ERR_MLS_REMOVED);
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    const struct hs_bytes none = {0};
    assert_err(hs_mls_group_protect(c->carol.group, none, none, 0, &w), HS_ERR_MLS_REMOVED);
    assert_err(propose_remove(&c->carol, 0, &w), HS_ERR_MLS_REMOVED);
    assert_err(propose_update(&c->carol, "", &w), HS_ERR_MLS_REMOVED);
    assert_err(hs_mls_group_info(c->carol.group, true, &w), HS_ERR_MLS_REMOVED);
    struct sent SENT t = sent_new();
    assert_err(person_try_commit(&c->carol, &empty, &t), HS_ERR_MLS_REMOVED);
    uint8_t key[32];
    assert_err(hs_mls_group_export(c->carol.group, "x", none, key, sizeof key), HS_ERR_MLS_REMOVED);
    /* what was sent while it was a member can still be read */
    assert_ok(hs_mls_group_process(c->carol.group, hs_writer_bytes(&old), &event));
    assert_bytes(event->plaintext, hs_bytes_str("before"));
    hs_mls_event_free(event);
    assert_talks(&c->alice, &c->bob, "we are two");
}

/* Leaving: a self-Remove stands alone and another member commits it. MLS-18 */
static void leaving(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    const uint32_t self = 1;
    const struct hs_mls_commit_request own = {.removes = &self, .remove_count = 1};
    assert_err(person_try_commit(&c->bob, &own, &s), HS_ERR_INVALID_ARG);
    assert_ok(propose_remove(&c->bob, 1, &w));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event));
    assert_int_equal(event->proposal.type, HS_MLS_REMOVE);
    assert_bytes(event->proposal.target.identity, hs_bytes_str("bob"));
    assert_bytes(event->sender.identity, hs_bytes_str("bob"));
    person_hear(&c->carol, hs_writer_bytes(&w));
    person_hear(&c->bob, hs_writer_bytes(&w));
    /* the one who leaves can't commit */
    assert_err(person_try_commit(&c->bob, &empty, &s), HS_ERR_INVALID_STATE);
    assert_int_equal(hs_mls_public_proposal_count(hs_mls_group_public(c->carol.group)), 1);
    assert_ok(person_try_commit(&c->carol, &empty, &s));
    assert_int_equal(hs_mls_group_pending_change(c->carol.group)->removed_count, 1);
    assert_int_equal(hs_mls_group_pending_change(c->carol.group)->removed[0].by.index, 1);
    assert_ok(hs_mls_group_accept(c->carol.group));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_true(hs_mls_group_is_removed(c->bob.group));
    assert_same_epoch(&c->alice, &c->carol);
    assert_int_equal(hs_mls_public_proposal_count(hs_mls_group_public(c->carol.group)), 0);
}

/* An Update is committed by another member; the proposer goes on with its new key. MLS-14, MLS-16 */
static void update_by_another(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    person_save(&c->bob);
    assert_ok(propose_update(&c->bob, "bobby", &w));
    person_restart(&c->bob);
    person_hear(&c->bob, hs_writer_bytes(&w));
    person_hear(&c->alice, hs_writer_bytes(&w));
    person_hear(&c->carol, hs_writer_bytes(&w));
    person_restart(&c->bob);
    person_restart(&c->carol);
    person_commit(&c->carol, &empty, &s);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&s.commit), &event));
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_int_equal(change->updated_count, 2);
    assert_bytes(change->updated[0].before.identity, hs_bytes_str("bob"));
    assert_bytes(change->updated[0].after.identity, hs_bytes_str("bobby"));
    assert_ok(hs_mls_group_merge(c->alice.group, event->staged));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->bob, &c->carol);
    assert_same_epoch(&c->bob, &c->alice);
    assert_int_equal(c->bob.group->update_count, 0);
    snprintf(c->bob.name, sizeof c->bob.name, "bobby");
    assert_talks(&c->bob, &c->alice, "new key");
    assert_talks(&c->alice, &c->bob, "seen");
}

/* One's own Update stays out of one's own commit. MLS-17 */
static void own_update_not_in_own_commit(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    assert_ok(propose_update(&c->bob, "", &w));
    person_hear(&c->bob, hs_writer_bytes(&w));
    person_hear(&c->alice, hs_writer_bytes(&w));
    assert_ok(person_try_commit(&c->bob, &empty, &s));
    assert_int_equal(hs_mls_group_pending_change(c->bob.group)->updated_count, 1);
    assert_ok(hs_mls_group_accept(c->bob.group));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->bob, &c->alice);
}

/* A new credential for the committer itself, by its path. */
static void new_identity(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    const struct hs_mls_commit_request request = {.identity = hs_bytes_str("alice 2")};
    person_commit(&c->alice, &request, &s);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event));
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_bytes(change->updated[0].before.identity, hs_bytes_str("alice"));
    assert_bytes(change->updated[0].after.identity, hs_bytes_str("alice 2"));
    assert_ok(hs_mls_group_merge(c->bob.group, event->staged));
    assert_same_epoch(&c->alice, &c->bob);
}

/* A tree of another epoch doesn't do, though everybody in it is right. MLS-30 */
static void wrong_tree(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER old = hs_writer(CAP), HS_WRITER now = hs_writer(CAP);
    struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    const struct hs_mls_commit_request request = {.adds = &add, .add_count = 1};
    person_commit(&c->alice, &request, &s);
    assert_ok(hs_mls_public_tree(hs_mls_group_public(c->alice.group), &now));
    struct sent SENT t = sent_new();
    person_commit(&c->alice, &empty, &t);
    assert_ok(hs_mls_public_tree(hs_mls_group_public(c->alice.group), &old));
    assert_err(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), hs_writer_bytes(&old)),
               HS_ERR_MLS_TREE);
    assert_ok(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), hs_writer_bytes(&now)));
}

/* The key package of p with another lifetime: the same keys, other bytes. */
static void other_key_package(struct person *p, struct hs_writer *out)
{
    struct hs_mls_key_package kp;
    struct hs_mls_signature leaf_sig, sig;
    struct hs_writer HS_WRITER leaf = hs_writer(CAP), HS_WRITER tbs = hs_writer(CAP);
    assert_ok(hs_mls_key_package_read(hs_writer_bytes(&p->key_package), &kp));
    kp.leaf.not_after++;
    hs_mls_write_leaf_tbs(&leaf, &kp.leaf, (struct hs_bytes){0}, 0);
    assert_ok(hs_mls_sign(&p->signer, "LeafNodeTBS", hs_writer_bytes(&leaf), &leaf_sig));
    kp.leaf.signature = HS_MLS_VIEW(leaf_sig);
    hs_mls_write_key_package_tbs(&tbs, &kp);
    assert_ok(hs_mls_sign(&p->signer, "KeyPackageTBS", hs_writer_bytes(&tbs), &sig));
    kp.signature = HS_MLS_VIEW(sig);
    hs_mls_write_head(out, HS_MLS_KEY_PACKAGE);
    hs_mls_write_key_package(out, &kp);
}

/* One's leaf in the tree is one's key package, byte by byte: the ref in a Welcome isn't protected. MLS-30 */
static void other_leaf(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER other = hs_writer(CAP);
    struct hs_mls_key_package_facts facts;
    struct hs_bytes ref;
    uint8_t saved[32];
    struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    assert_ok(person_try_commit(
        &c->alice, &(struct hs_mls_commit_request){.adds = &add, .add_count = 1, .tree_in_welcome = true},
        &s));
    other_key_package(&c->dave, &other);
    assert_ok(hs_mls_key_package_check(hs_writer_bytes(&other), NOW, &facts));
    assert_ok(hs_mls_welcome_ref(hs_writer_bytes(&s.welcome), 0, &ref));
    uint8_t *at = s.welcome.data + (ref.data - s.welcome.data);
    assert_int_equal(ref.len, sizeof saved);
    memcpy(saved, at, sizeof saved);
    memcpy(at, facts.ref.v, sizeof saved);
    struct hs_writer mine = c->dave.key_package;
    c->dave.key_package = other;
    assert_err(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}),
               HS_ERR_MLS_WELCOME);
    c->dave.key_package = mine;
    memcpy(at, saved, sizeof saved);
    assert_ok(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
}

/* A key of a node that is blank now isn't kept. MLS-27 */
static void blank_keys_go(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    const uint32_t bob = 1;
    person_commit(&c->bob, &empty, &s);
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_true(c->alice.group->path.have[1]);
    person_commit(&c->carol, &(struct hs_mls_commit_request){.removes = &bob, .remove_count = 1}, &t);
    person_follow(&c->alice, hs_writer_bytes(&t.commit));
    assert_false(c->alice.group->path.have[1]);
    assert_true(c->alice.group->path.have[2]);
    assert_same_epoch(&c->alice, &c->carol);
}

/* The newcomer learns the committer's path from where it meets its own: others encrypt to that node. */
static void path_secret_in_welcome(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    const struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .force_path = true, .tree_in_welcome = true};
    person_commit(&c->carol, &request, &s);
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_ok(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    assert_true(c->dave.group->path.have[1]);
    person_commit(&c->alice, &empty, &t);
    person_follow(&c->dave, hs_writer_bytes(&t.commit));
    assert_same_epoch(&c->alice, &c->dave);
}

int main(void)
{
#define TEST(name) CAST_TEST(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(all_agree),
        TEST(empty_commit),
        TEST(mixed_commit),
        TEST(removed_is_out),
        TEST(leaving),
        TEST(update_by_another),
        TEST(own_update_not_in_own_commit),
        TEST(new_identity),
        TEST(wrong_tree),
        TEST(other_leaf),
        TEST(blank_keys_go),
        TEST(path_secret_in_welcome),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
