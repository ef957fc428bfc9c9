/* A domain that shows another root than the pinned one: nothing follows but by the operator's word. */
#include "domain_root_scene.h"

/* FED-70, FED-71: the page is asked when somebody comes with another root; what it shows then waits, in the
 * store; the operator approves the root that was compared, and the domain goes on under it. */
static void a_changed_root_needs_the_operator(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    pin_by_page(&s);
    decides(&s, FRIEND, &s.second.root.pub, true, HS_ROOT_UNSEEN);
    size_t searches = s.home->searches;
    w->now.ms += HS_DISCOVER_MS;
    raw_node_connect(&s.second, NULL);
    assert_int_equal(s.home->searches, searches + 1);
    assert_memory_equal(&s.home->searched_root, &s.second.root.pub, 32);
    shows(&s, FRIEND, NULL, NULL, false); /* a claim is no change */
    assert_int_equal(waiting(&s), 0);
    page(&s, &s.second, &s.second);
    is_allowed(&s, &s.second, false);
    is_allowed(&s, &s.first, true);
    shows(&s, FRIEND, &s.first.root.pub, &s.second.root.pub, false);
    assert_int_equal(waiting(&s), 1);
    world_node_restart(s.home);
    raw_rules_set(s.home, &s.rules);
    raw_node_connect(&s.first, NULL);
    raw_node_connect(&s.second, NULL);
    shows(&s, FRIEND, &s.first.root.pub, &s.second.root.pub, false);
    decides(&s, FRIEND, &s.third.root.pub, true, HS_ROOT_ANOTHER);
    is_allowed(&s, &s.second, false);
    decides(&s, FRIEND, &s.second.root.pub, true, HS_ROOT_DONE);
    is_allowed(&s, &s.second, true); /* in the same sessions */
    is_allowed(&s, &s.first, false);
    shows(&s, FRIEND, NULL, NULL, false);
    assert_int_equal(waiting(&s), 0);
    decides(&s, FRIEND, &s.second.root.pub, true, HS_ROOT_DONE); /* once more changes nothing */
    decides(&s, FRIEND, &s.first.root.pub, true, HS_ROOT_UNSEEN);
    world_node_restart(s.home);
    raw_rules_set(s.home, &s.rules);
    raw_node_connect(&s.second, NULL);
    is_allowed(&s, &s.second, true);
    raw_node_connect(&s.first, NULL);
    is_allowed(&s, &s.first, false);
    page(&s, &s.first, &s.first); /* and the way back is a change like any other */
    shows(&s, FRIEND, &s.second.root.pub, &s.first.root.pub, false);
    is_allowed(&s, &s.first, false);
}

/* FED-70, FED-72: a hub that is followed has pinned its root; its domain shows another one, and the rooms go
 * on. A refused root isn't told again, a third one is, and nothing is left when the page shows the first one.
 */
static void a_hub_goes_on_under_its_root(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const char *domain = "hub.example";
    const struct hs_key *pinned = &s.hub->root.pub;
    struct raw_node other = raw_node_new(s.first.mouth, domain), third = raw_node_new(s.first.mouth, domain);
    raw_discovered(s.home, pinned, domain, other.descriptor, NULL);
    shows(&s, domain, pinned, &other.root.pub, false);
    assert_bytes(hs_pb_bytes(ask_peers(s.home)->peers[0]->other_root), HS_VIEW(other.root.pub));
    assert_ok(world_post(s.room, "still here", NULL));
    world_settle(w);
    assert_int_equal(s.alices->post_count, 1);
    decides(&s, domain, &third.root.pub, false, HS_ROOT_ANOTHER);
    decides(&s, domain, NULL, false, HS_ROOT_DONE);
    shows(&s, domain, pinned, &other.root.pub, true);
    assert_int_equal(ask_peers(s.home)->peers[0]->other_root.len, 0);
    assert_int_equal(waiting(&s), 0);
    w->now.ms += HS_ROOT_PAUSE_MS;
    raw_discovered(s.home, pinned, domain, other.descriptor, NULL);
    shows(&s, domain, pinned, &other.root.pub, true);
    raw_discovered(s.home, pinned, domain, third.descriptor, NULL);
    shows(&s, domain, pinned, &third.root.pub, false);
    assert_int_equal(waiting(&s), 1);
    raw_discovered(s.home, pinned, domain, s.hub->descriptor, NULL);
    shows(&s, domain, NULL, NULL, false);
    assert_int_equal(waiting(&s), 0);
    raw_discovered(s.home, pinned, domain, other.descriptor, NULL);
    shows(&s, domain, NULL, NULL, false); /* to and fro: once an hour */
    w->now.ms += HS_ROOT_PAUSE_MS;
    raw_discovered(s.home, pinned, domain, other.descriptor, NULL);
    shows(&s, domain, pinned, &other.root.pub, false);
    decides(&s, domain, &other.root.pub, true, HS_ROOT_DONE);
    assert_ok(world_post(s.room, "whose rooms are those of its own root", NULL));
    world_settle(w);
    assert_int_equal(s.alices->post_count, 2);
}

/* FED-73: a block stays one, whatever was approved. */
static void a_block_stays(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    enum hs_err err;
    pin_by_page(&s);
    w->now.ms += HS_DISCOVER_MS;
    raw_node_connect(&s.second, NULL);
    page(&s, &s.second, &s.second);
    raw_rule(w, &s.rules, HS_RULE_BLOCK, NULL, FRIEND);
    raw_rules_set(s.home, &s.rules);
    assert_true(ask_peers(s.home)->roots[0]->blocked);
    assert_true(decide(s.home, FRIEND, &s.second.root.pub, true)->blocked);
    raw_node_connect(&s.second, &err);
    assert_int_equal(err, HS_ERR_DENIED);
    raw_node_connect(&s.first, &err);
    assert_int_equal(err, HS_ERR_DENIED);
}

/* FED-71: the operator's own row is stronger than a command, and it is a word, too. */
static void a_row_is_the_operators_word(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    raw_rule(w, &s.rules, HS_RULE_NODE, &s.first.root.pub, FRIEND);
    raw_rules_set(s.home, &s.rules);
    raw_node_connect(&s.second, NULL);
    assert_int_equal(s.home->searches, 1);
    page(&s, &s.second, &s.second);
    shows(&s, FRIEND, &s.first.root.pub, &s.second.root.pub, false);
    decides(&s, FRIEND, &s.second.root.pub, true, HS_ROOT_ROW);
    shows(&s, FRIEND, &s.first.root.pub, &s.second.root.pub, false);
    s.rules.len = 0;
    raw_rule(w, &s.rules, HS_RULE_NODE, &s.second.root.pub, FRIEND);
    raw_rule(w, &s.rules, HS_RULE_ALLOW, NULL, FRIEND);
    raw_rules_set(s.home, &s.rules);
    shows(&s, FRIEND, NULL, NULL, false);
    assert_int_equal(waiting(&s), 0);
    is_allowed(&s, &s.second, true);
}

/* FED-71: a row that names another root than the page did takes the page's word away. */
static void a_row_is_stronger_than_the_page(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    pin_by_page(&s);
    raw_rule(w, &s.rules, HS_RULE_NODE, &s.second.root.pub, FRIEND);
    raw_rules_set(s.home, &s.rules);
    is_allowed(&s, &s.first, false);
}

/* Not every question is one. */
static void nonsense_is_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    static const struct {
        const char *domain;
        size_t len;
        bool approve;
    } bad[] = {{"Friend.example", 32, true},
               {"", 0, false},
               {FRIEND, 0, true},
               {FRIEND, 31, true},
               {FRIEND, 33, false}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint8_t root[33] = {1};
        Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
        Hanse__State__AdminAskRoot body = HANSE__STATE__ADMIN_ASK_ROOT__INIT;
        struct hs_core_input input = {.kind = HS_INPUT_ADMIN, .session = 77};
        struct hs_effects effects = hs_effects();
        body.domain = (char *)(uintptr_t)bad[i].domain;
        body.root = hs_pb_data(hs_bytes(root, bad[i].len));
        body.approve = bad[i].approve;
        request.root = &body;
        request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOT;
        input.bytes = world_pack(w, &request.base);
        assert_ok(hs_core_step(s.home->core, s.home->kv, &input, w->now, false, &effects));
        assert_int_equal(effects.list[effects.len - 1].err, HS_ERR_MALFORMED);
        hs_effects_free(&effects);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_changed_root_needs_the_operator),
        cmocka_unit_test(a_hub_goes_on_under_its_root),
        cmocka_unit_test(a_block_stays),
        cmocka_unit_test(a_row_is_the_operators_word),
        cmocka_unit_test(a_row_is_stronger_than_the_page),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
