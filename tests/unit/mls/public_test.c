/* The hub's public group: it follows without a secret, and judges GroupInfos. */
#include "unit/mls/cast.h"

#include "mls/leaf.h"
#include "mls/member.h"

static struct mls_store *hub_store;

static int setup(void **state)
{
    cast_found_watched(state, 1);
    hub_store = mls_store_new();
    return 0;
}

static int teardown(void **state)
{
    mls_store_free_at(&hub_store);
    return cast_teardown(state);
}

/* Goes on with what was stored; what was just loaded has nothing to store. */
static void hub_restart(struct cast *c)
{
    assert_ok(hs_mls_public_save(c->hub, &hub_store->store));
    hs_mls_public_free_at(&c->hub);
    assert_ok(hs_mls_public_load(&hub_store->store, &c->hub));
    mls_store_count_from_here(hub_store);
    assert_ok(hs_mls_public_save(c->hub, &hub_store->store));
    assert_int_equal(hub_store->counts.puts + hub_store->counts.dels, 0);
}

/* MLS-35 */
static void follows(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT other = sent_new();
    struct hs_bytes add = hs_writer_bytes(&c->bob.key_package);
    const struct hs_mls_commit_request request = {.adds = &add, .add_count = 1, .force_path = true};
    assert_ok(person_try_commit(&c->alice, &request, &s));
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&s.commit), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_COMMIT);
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_bytes(change->added[0].member.identity, hs_bytes_str("bob"));
    assert_bytes(change->added[0].member.signature_key, HS_MLS_VIEW(c->bob.signer.pub));
    /* the GroupInfo that belongs to it, and others */
    assert_ok(hs_mls_staged_matches(event->staged, hs_writer_bytes(&s.group_info)));
    struct hs_writer HS_WRITER now = hs_writer(CAP);
    assert_ok(hs_mls_group_info(c->alice.group, true, &now));
    assert_err(hs_mls_staged_matches(event->staged, hs_writer_bytes(&now)), HS_ERR_MLS_COMMIT);
    hs_mls_group_drop(c->alice.group);
    assert_ok(person_try_commit(&c->alice, &request, &other));
    assert_err(hs_mls_staged_matches(event->staged, hs_writer_bytes(&other.group_info)), HS_ERR_MLS_COMMIT);
    assert_err(hs_mls_staged_matches(event->staged, hs_writer_bytes(&s.commit)), HS_ERR_MLS_COMMIT);
    for (size_t i = 0; i < s.group_info.len; i++) {
        s.group_info.data[i] ^= 1;
        assert_err(hs_mls_staged_matches(event->staged, hs_writer_bytes(&s.group_info)), HS_ERR_MLS_COMMIT);
        s.group_info.data[i] ^= 1;
    }
    assert_int_equal(hs_mls_public_epoch(c->hub), 0);
    assert_ok(hs_mls_public_merge(c->hub, event->staged));
    assert_err(hs_mls_public_merge(c->hub, event->staged), HS_ERR_INVALID_STATE);
    assert_int_equal(hs_mls_public_epoch(c->hub), 1);
    assert_int_equal(hs_mls_public_member_count(c->hub), 2);
}

/* MLS-33: a GroupInfo without the tree is checked as the other is, and the tree comes from who has it. */
static void bare_group_info(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER tree = hs_writer(CAP), HS_WRITER merged = hs_writer(CAP);
    struct hs_bytes add = hs_writer_bytes(&c->bob.key_package);
    const struct hs_mls_commit_request request = {.adds = &add, .add_count = 1, .bare_group_info = true};
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(person_try_commit(&c->alice, &request, &s));
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&s.commit), &event));
    assert_false(hs_mls_group_info_has_tree(hs_writer_bytes(&s.group_info)));
    assert_ok(hs_mls_staged_matches(event->staged, hs_writer_bytes(&s.group_info)));
    for (size_t i = 0; i < s.group_info.len; i++) {
        s.group_info.data[i] ^= 1;
        assert_err(hs_mls_staged_matches(event->staged, hs_writer_bytes(&s.group_info)), HS_ERR_MLS_COMMIT);
        s.group_info.data[i] ^= 1;
    }
    assert_ok(hs_mls_staged_tree(event->staged, &tree));
    assert_ok(hs_mls_public_merge(c->hub, event->staged));
    assert_ok(hs_mls_public_tree(c->hub, &merged));
    assert_bytes(hs_writer_bytes(&tree), hs_writer_bytes(&merged));
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_err(person_try_join(&c->bob, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}), HS_ERR_MLS_TREE);
    assert_ok(person_try_join(&c->bob, hs_writer_bytes(&s.welcome), hs_writer_bytes(&tree)));
    /* ... and one with it is told apart */
    struct hs_writer HS_WRITER whole = hs_writer(CAP);
    assert_ok(hs_mls_group_info(c->alice.group, true, &whole));
    assert_true(hs_mls_group_info_has_tree(hs_writer_bytes(&whole)));
    assert_false(hs_mls_group_info_has_tree(hs_writer_bytes(&s.commit)));
    assert_false(hs_mls_group_info_has_tree(hs_bytes(whole.data, whole.len - 1)));
    assert_false(hs_mls_group_info_has_tree((struct hs_bytes){0}));
}

/* The same context and tree as the members', through restarts, with proposals that wait. MLS-34 */
static void same_as_members(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_bytes adds[] = {hs_writer_bytes(&c->bob.key_package), hs_writer_bytes(&c->carol.key_package)};
    const struct hs_mls_commit_request request = {.adds = adds, .add_count = 2, .tree_in_welcome = true};
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(person_try_commit(&c->alice, &request, &s));
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&s.commit), &event));
    assert_ok(hs_mls_public_merge(c->hub, event->staged));
    hs_mls_event_free_at(&event);
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_ok(person_try_join(&c->bob, hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    assert_bytes(hs_mls_public_context(c->hub), hs_mls_public_context(hs_mls_group_public(c->bob.group)));
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    assert_ok(propose_remove(&c->bob, 1, &w));
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event));
    assert_int_equal(event->proposal.type, HS_MLS_REMOVE);
    hs_mls_event_free_at(&event);
    hub_restart(c);
    assert_int_equal(hs_mls_public_proposal_count(c->hub), 1);
    person_hear(&c->alice, hs_writer_bytes(&w));
    assert_ok(person_try_commit(&c->alice, &empty, &t));
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&t.commit), &event));
    assert_int_equal(hs_mls_staged_change(event->staged)->removed_count, 1);
    assert_int_equal(hs_mls_staged_change(event->staged)->removed[0].by.index, 1);
    assert_ok(hs_mls_staged_matches(event->staged, hs_writer_bytes(&t.group_info)));
    assert_ok(hs_mls_public_merge(c->hub, event->staged));
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_bytes(hs_mls_public_context(c->hub), hs_mls_public_context(hs_mls_group_public(c->alice.group)));
    struct hs_mls_member member;
    assert_err(hs_mls_public_member_by_key(c->hub, HS_MLS_VIEW(c->bob.signer.pub), &member),
               HS_ERR_NOT_FOUND);
    assert_ok(hs_mls_public_member_by_key(c->hub, HS_MLS_VIEW(c->carol.signer.pub), &member));
}

/* Walking over members passes blank leaves. */
static void iterates(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_bytes adds[] = {hs_writer_bytes(&c->bob.key_package), hs_writer_bytes(&c->carol.key_package)};
    assert_ok(
        person_try_commit(&c->alice, &(struct hs_mls_commit_request){.adds = adds, .add_count = 2}, &s));
    assert_ok(hs_mls_group_accept(c->alice.group));
    const uint32_t bob = 1;
    person_commit(&c->alice, &(struct hs_mls_commit_request){.removes = &bob, .remove_count = 1}, &t);
    const struct hs_mls_public *pub = hs_mls_group_public(c->alice.group);
    struct hs_mls_member member;
    uint32_t at = 0;
    assert_true(hs_mls_public_member_next(pub, &at, &member));
    assert_int_equal(member.leaf, 0);
    assert_true(hs_mls_public_member_next(pub, &at, &member));
    assert_int_equal(member.leaf, 2);
    assert_false(hs_mls_public_member_next(pub, &at, &member));
    assert_int_equal(hs_mls_public_width(pub), 4);
    assert_int_equal(hs_mls_public_member_count(pub), 2);
}

/* Posts aren't for the hub, and a GroupInfo needs its tree. MLS-30 */
static void refuses(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP), HS_WRITER info = hs_writer(CAP),
                               HS_WRITER tree = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    struct hs_mls_public *pub = NULL;
    const struct hs_bytes none = {0};
    assert_ok(hs_mls_group_protect(c->alice.group, none, none, 0, &w));
    assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event), HS_ERR_UNEXPECTED);
    assert_ok(hs_mls_group_info(c->alice.group, false, &info));
    assert_err(hs_mls_public_new(hs_writer_bytes(&info), none, &pub), HS_ERR_MLS_TREE);
    assert_ok(hs_mls_public_tree(c->hub, &tree));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), hs_writer_bytes(&tree), &pub));
    hs_mls_public_free(pub);
    assert_err(hs_mls_public_new(hs_writer_bytes(&w), none, &pub), HS_ERR_UNEXPECTED);
    assert_err(hs_mls_public_load(&hub_store->store, &pub), HS_ERR_NOT_FOUND);
}

/* What a message is, from outside. */
static void peek(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_mls_peek p;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_bytes add = hs_writer_bytes(&c->bob.key_package);
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .authenticated_data = hs_bytes_str("head")};
    assert_ok(person_try_commit(&c->alice, &request, &s));
    assert_ok(hs_mls_message_peek(hs_writer_bytes(&s.commit), &p));
    assert_int_equal(p.wire_format, HS_MLS_PUBLIC_MESSAGE);
    assert_int_equal(p.content_type, HS_MLS_COMMIT);
    assert_int_equal(p.epoch, 0);
    assert_true(p.sender_known);
    assert_bytes(p.group_id, hs_bytes_str("room"));
    assert_bytes(p.authenticated_data, hs_bytes_str("head"));
    assert_ok(hs_mls_message_peek(hs_writer_bytes(&s.group_info), &p));
    assert_int_equal(p.wire_format, HS_MLS_GROUP_INFO);
    assert_int_equal(p.epoch, 1);
    assert_bytes(p.group_id, hs_bytes_str("room"));
    assert_ok(hs_mls_message_peek(hs_writer_bytes(&s.welcome), &p));
    assert_int_equal(p.wire_format, HS_MLS_WELCOME);
    assert_ok(hs_mls_message_peek(hs_writer_bytes(&c->bob.key_package), &p));
    assert_int_equal(p.wire_format, HS_MLS_KEY_PACKAGE);
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("x"), hs_bytes_str("ad"), 0, &w));
    assert_ok(hs_mls_message_peek(hs_writer_bytes(&w), &p));
    assert_int_equal(p.wire_format, HS_MLS_PRIVATE_MESSAGE);
    assert_int_equal(p.content_type, HS_MLS_APPLICATION);
    assert_false(p.sender_known);
    assert_bytes(p.authenticated_data, hs_bytes_str("ad"));
    assert_err(hs_mls_message_peek(hs_bytes_str("\0\1"), &p), HS_ERR_MALFORMED);
    assert_err(hs_mls_message_peek(hs_bytes("\0\2\0\1", 4), &p), HS_ERR_MLS_VERSION);
    assert_err(hs_mls_message_peek(hs_bytes("\0\1\0\6", 4), &p), HS_ERR_MALFORMED);
}

/* A Welcome for two, cut into one for each: each joins with its own part and finds no other's in it. MLS-31,
 * MLS-32 */
static void cuts_welcome(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_bytes adds[] = {hs_writer_bytes(&c->bob.key_package), hs_writer_bytes(&c->carol.key_package)};
    const struct hs_mls_commit_request request = {
        .adds = adds, .add_count = 2, .tree_in_welcome = true, .force_path = true};
    person_commit(&c->alice, &request, &s);
    struct person *joiners[] = {&c->bob, &c->carol};
    for (size_t i = 0; i < 2; i++) {
        struct hs_writer HS_WRITER part = hs_writer(CAP);
        struct hs_bytes ref, first;
        struct hs_mls_key_package_facts facts;
        assert_ok(hs_mls_key_package_check(adds[i], NOW, &facts));
        assert_ok(hs_mls_welcome_ref(hs_writer_bytes(&s.welcome), i, &ref));
        assert_bytes(ref, HS_MLS_VIEW(facts.ref));
        assert_ok(hs_mls_welcome_cut(hs_writer_bytes(&s.welcome), HS_MLS_VIEW(facts.ref), &part));
        assert_true(part.len < s.welcome.len);
        assert_ok(hs_mls_welcome_ref(hs_writer_bytes(&part), 0, &first));
        assert_bytes(first, HS_MLS_VIEW(facts.ref));
        assert_err(hs_mls_welcome_ref(hs_writer_bytes(&part), 1, &first), HS_ERR_NOT_FOUND);
        assert_err(person_try_join(joiners[1 - i], hs_writer_bytes(&part), (struct hs_bytes){0}),
                   HS_ERR_MLS_WELCOME);
    }
    for (size_t i = 0; i < 2; i++) {
        struct hs_writer HS_WRITER part = hs_writer(CAP);
        struct hs_mls_key_package_facts facts;
        assert_ok(hs_mls_key_package_check(adds[i], NOW, &facts));
        assert_ok(hs_mls_welcome_cut(hs_writer_bytes(&s.welcome), HS_MLS_VIEW(facts.ref), &part));
        assert_ok(person_try_join(joiners[i], hs_writer_bytes(&part), (struct hs_bytes){0}));
        assert_same_epoch(&c->alice, joiners[i]);
        assert_int_equal(hs_mls_group_inviter(joiners[i]->group), 0);
    }
    struct hs_writer HS_WRITER part = hs_writer(CAP);
    assert_err(hs_mls_welcome_cut(hs_writer_bytes(&s.welcome), hs_bytes_str("unknown"), &part),
               HS_ERR_NOT_FOUND);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(follows), TEST(same_as_members), TEST(iterates),        TEST(refuses),
        TEST(peek),    TEST(cuts_welcome),    TEST(bare_group_info),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
