/* The public group, of a hub and inside a member's; messages looked at from outside. */
#include "unit/mls_api/cast.h"

static struct hanse_mls_public *hub;
static struct shelf *hub_shelf;

static int setup(void **state)
{
    BUF info = {0};
    cast_of_one(state);
    struct cast *c = *state;
    hub_shelf = calloc(1, sizeof *hub_shelf);
    assert_non_null(hub_shelf);
    assert_good(hanse_mls_group_info(c->anna.group, true, &info));
    assert_good(hanse_mls_public_new(hanse_mls_view(&info), nothing, &hub));
    return 0;
}

static int teardown(void **state)
{
    hanse_mls_public_free(hub);
    shelf_free(hub_shelf);
    return cast_teardown(state);
}

static struct hanse_mls_event *hub_gets(const struct hanse_mls_buf *message)
{
    struct hanse_mls_event *event;
    assert_good(hanse_mls_public_process(hub, hanse_mls_view(message), &event));
    return event;
}

static void hub_restarts(void)
{
    struct hanse_mls_store store = shelf_store(hub_shelf);
    assert_good(hanse_mls_public_save(hub, &store));
    hanse_mls_public_free(hub);
    assert_good(hanse_mls_public_load(&store, &hub));
    assert_good(hanse_mls_public_read_from(hub, &store));
}

static void assert_hub_agrees(const struct cast *c)
{
    const struct hanse_mls_public *own = hanse_mls_group_public(c->anna.group);
    assert_same(hanse_mls_public_context(hub), hanse_mls_public_context(own));
    assert_same(hanse_mls_public_tree_hash(hub), hanse_mls_public_tree_hash(own));
    assert_same(hanse_mls_public_extensions(hub), hanse_mls_public_extensions(own));
    assert_int_equal(hanse_mls_public_epoch(hub), hanse_mls_group_epoch(c->anna.group));
    assert_int_equal(hanse_mls_public_width(hub), hanse_mls_public_width(own));
}

static void follows_and_restarts(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_bytes adds[] = {hanse_mls_view(&c->ben.package), hanse_mls_view(&c->cleo.package)};
    const struct hanse_mls_commit request = {
        .size = sizeof request, .adds = adds, .add_count = 2, .force_path = true};
    BUF commit = {0}, info = {0}, old = {0};
    assert_good(hanse_mls_group_info(c->anna.group, true, &old));
    assert_good(hanse_mls_group_commit(c->anna.group, &request, &commit, NULL, &info));
    EVENT *event = hub_gets(&commit);
    assert_int_equal(event->kind, HANSE_MLS_EVENT_COMMIT);
    assert_int_equal(hanse_mls_staged_change(event->staged)->added_count, 2);
    assert_good(hanse_mls_staged_matches(event->staged, hanse_mls_view(&info)));
    assert_fault(hanse_mls_staged_matches(event->staged, hanse_mls_view(&old)), HANSE_ERR_MLS_COMMIT);
    assert_good(hanse_mls_public_merge(hub, event->staged));
    assert_fault(hanse_mls_public_merge(hub, event->staged), HANSE_ERR_INVALID_STATE);
    assert_good(hanse_mls_group_accept(c->anna.group));
    assert_hub_agrees(c);
    hub_restarts();
    assert_hub_agrees(c);
    assert_int_equal(hanse_mls_public_suite(hub), SUITE);
    assert_text(hanse_mls_public_id(hub), "club");
}

static void who_is_there(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_member member;
    assert_good(hanse_mls_public_member(hub, 0, &member));
    assert_text(member.identity, "Anna");
    assert_fault(hanse_mls_public_member(hub, 1, &member), HANSE_ERR_NOT_FOUND);
    assert_null(member.identity.data);
    assert_good(hanse_mls_public_member_by_key(hub, hanse_mls_signer_public(c->anna.signer), &member));
    assert_int_equal(member.leaf, 0);
    assert_fault(hanse_mls_public_member_by_key(hub, hanse_mls_signer_public(c->ben.signer), &member),
                 HANSE_ERR_NOT_FOUND);
}

static void proposals_wait(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_propose wish = {
        .size = sizeof wish, .type = HANSE_MLS_ADD, .key_package = hanse_mls_view(&c->ben.package)};
    BUF message = {0};
    assert_good(hanse_mls_group_propose(c->anna.group, &wish, &message));
    EVENT *event = hub_gets(&message);
    assert_int_equal(event->kind, HANSE_MLS_EVENT_PROPOSAL);
    assert_int_equal(hanse_mls_public_waiting(hub), 1);
    hub_restarts();
    assert_int_equal(hanse_mls_public_waiting(hub), 1);
    struct hanse_mls_bytes ref = hanse_mls_hash_view(&event->proposal.ref);
    assert_good(hanse_mls_public_drop_proposal(hub, ref));
    assert_fault(hanse_mls_public_drop_proposal(hub, ref), HANSE_ERR_NOT_FOUND);
    assert_int_equal(hanse_mls_public_waiting(hub), 0);
}

static void what_is_not_for_it(void **state)
{
    struct cast *c = *state;
    struct hanse_mls_event *event;
    struct hanse_mls_public *pub;
    BUF post = {0};
    assert_good(hanse_mls_group_protect(c->anna.group, hanse_mls_text("x"), hanse_mls_text("ad"), 0, &post));
    assert_fault(hanse_mls_public_process(hub, hanse_mls_view(&post), &event), HANSE_ERR_UNEXPECTED);
    assert_null(event);
    assert_fault(hanse_mls_public_new(hanse_mls_view(&post), nothing, &pub), HANSE_ERR_UNEXPECTED);
    assert_null(pub);

    struct hanse_mls_peek peek;
    assert_good(hanse_mls_message_peek(hanse_mls_view(&post), &peek));
    assert_int_equal(peek.wire_format, HANSE_MLS_PRIVATE_MESSAGE);
    assert_int_equal(peek.content_type, HANSE_MLS_APPLICATION);
    assert_text(peek.group_id, "club");
    assert_text(peek.authenticated_data, "ad");
    assert_false(peek.sender_known);
    assert_fault(hanse_mls_message_peek(hanse_mls_bytes(post.data, 3), &peek), HANSE_ERR_MALFORMED);
}

static void welcomes_are_cut(void **state)
{
    struct cast *c = *state;
    const struct hanse_mls_bytes adds[] = {hanse_mls_view(&c->ben.package), hanse_mls_view(&c->cleo.package)};
    const struct hanse_mls_commit request = {
        .size = sizeof request, .adds = adds, .add_count = 2, .tree_in_welcome = true};
    struct hanse_mls_key_package cleo;
    struct hanse_mls_bytes ref;
    BUF welcome = {0}, part = {0};
    person_commits(&c->anna, &request, NULL, &welcome);
    assert_good(hanse_mls_key_package_check(hanse_mls_view(&c->cleo.package), NOW, &cleo));
    assert_good(hanse_mls_welcome_cut(hanse_mls_view(&welcome), hanse_mls_hash_view(&cleo.ref), &part));
    assert_true(part.len < welcome.len);
    assert_good(hanse_mls_welcome_ref(hanse_mls_view(&part), 0, &ref));
    assert_same(ref, hanse_mls_hash_view(&cleo.ref));
    assert_fault(hanse_mls_welcome_ref(hanse_mls_view(&part), 1, &ref), HANSE_ERR_NOT_FOUND);
    struct hanse_mls_join join = person_join(&c->cleo, &part);
    assert_good(hanse_mls_group_join(&join, &c->cleo.group));
    assert_agree(&c->anna, &c->cleo);
    join = person_join(&c->ben, &part);
    assert_fault(hanse_mls_group_join(&join, &c->ben.group), HANSE_ERR_MLS_WELCOME);
    BUF none = {0};
    assert_fault(hanse_mls_welcome_cut(hanse_mls_view(&part), hanse_mls_text("nobody"), &none),
                 HANSE_ERR_NOT_FOUND);
    assert_null(none.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(follows_and_restarts, setup, teardown),
        cmocka_unit_test_setup_teardown(who_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(proposals_wait, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_for_it, setup, teardown),
        cmocka_unit_test_setup_teardown(welcomes_are_cut, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
