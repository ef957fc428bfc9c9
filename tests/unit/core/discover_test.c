/* Finding a hub that has moved: what its domain shows counts as far as the pinned root has signed it. */
#include "pair_scene.h"
#include "peer_world.h"

#include "core/federation/discover.h"
#include "core/federation/peer.h"
#include "core/standing/rules.h"
#include "identity/descriptor.h"

#include <stdio.h>

/* A descriptor of the hub's keys for that domain and address, signed by root. */
static Hanse__SignedObject *descriptor(struct scene *s, const struct hs_signer *root, const char *domain,
                                       const char *address, uint64_t sequence, int64_t not_after)
{
    struct hs_descriptor d = {.sequence = sequence, .address_count = 1, .not_after = {not_after}};
    Hanse__SignedObject *object;
    d.signing_key = s->hub->signer.pub;
    d.transport_key = s->hub->transport_pub;
    (void)snprintf(d.domain, sizeof d.domain, "%s", domain);
    (void)snprintf(d.addresses[0], sizeof d.addresses[0], "%s", address);
    assert_ok(hs_descriptor_build(root, &d, s->w->now, &s->w->arena, &object));
    return object;
}

static void tell_home(struct scene *s, const struct hs_key *root, const char *domain,
                      Hanse__SignedObject *page, const char *address)
{
    raw_discovered(s->home, root, domain, page, address);
}

/* The hub is at another address from now on: nobody has told the home. */
static void move_hub(struct scene *s)
{
    (void)snprintf(s->hub->address, sizeof s->hub->address, "new.hub.example:4433");
    world_node_restart(s->hub);
    assert_ok(world_connect(s->owner, NULL));
    world_attach(s->owner);
    world_pass(s->w, 300);
}

static void works_again(struct scene *s)
{
    size_t posts = s->alices->post_count;
    assert_true(world_are_linked(s->home, s->hub));
    assert_ok(world_post(s->room, "here", NULL));
    world_settle(s->w);
    assert_int_equal(s->alices->post_count, posts + 1);
}

/* FED-31: when all addresses have failed, the domain is asked, once a minute at most. */
static void a_hub_that_moved_is_looked_for(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_int_equal(s.home->searches, 0);
    move_hub(&s);
    assert_false(world_are_linked(s.home, s.hub));
    assert_int_equal(s.home->searches, 1);
    assert_string_equal(s.home->searched, "hub.example");
    assert_memory_equal(&s.home->searched_root, &s.hub->root.pub, 32);
    for (int i = 0; i < 20; i++)
        world_pass(w, HS_DISCOVER_MS / 20 - 20);
    assert_int_equal(s.home->searches, 1);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_int_equal(s.home->searches, 2);
}

/* FED-31, FED-33: so it is where there are two reasons: the hub isn't where it was, and claims, where it is
 * found then, a domain that the operator allows. */
static void two_reasons_to_ask(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_rules rules = {0};
    raw_rule(w, &rules, HS_RULE_ALLOW, NULL, "hub.example");
    move_hub(&s);
    raw_rules_set(s.home, &rules);
    assert_int_equal(s.home->searches, 1);
    tell_home(&s, &s.hub->root.pub, "hub.example", NULL, s.hub->address);
    works_again(&s);
    assert_int_equal(s.home->searches, 1);
    world_pass(w, HS_DISCOVER_MS - 1000);
    assert_int_equal(s.home->searches, 1);
    world_pass(w, 1000);
    assert_int_equal(s.home->searches, 2); /* for the claim, which has waited */
    tell_home(&s, &s.hub->root.pub, "hub.example", s.hub->descriptor, NULL);
    for (int i = 0; i < 4; i++)
        world_pass(w, HS_DISCOVER_MS);
    assert_int_equal(s.home->searches, 2);
}

/* FED-32: what the pinned root signed with a higher sequence replaces what was known. */
static void the_page_replaces_what_was_known(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    move_hub(&s);
    s.hub->descriptor = descriptor(&s, &s.hub->root, "hub.example", s.hub->address, 2, 0);
    tell_home(&s, &s.hub->root.pub, "hub.example", s.hub->descriptor, NULL);
    works_again(&s);
    /* and is remembered */
    world_node_restart(s.home);
    world_pass(w, 1000);
    assert_ok(world_connect(s.alice, NULL));
    world_attach(s.alice);
    works_again(&s);
}

/* FED-32: anything else is refused: older, not newer, another domain's, run out, another root's, garbage. */
static void other_pages_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_signer other;
    hs_signer_random(&other);
    move_hub(&s);
    const char *at = s.hub->address, *domain = "hub.example";
    Hanse__SignedObject *bad[] = {
        descriptor(&s, &s.hub->root, domain, at, 1, 0),
        descriptor(&s, &s.hub->root, "evil.example", at, 2, 0),
        descriptor(&s, &other, domain, at, 2, 0),
        descriptor(&s, &s.hub->root, domain, at, 2, w->now.ms + 1),
    };
    w->now.ms += 1;
    size_t dials = s.home->dials;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        tell_home(&s, &s.hub->root.pub, domain, bad[i], NULL);
    struct hs_core_input garbage = {.kind = HS_INPUT_DISCOVERED, .bytes = hs_bytes_str("\xff\xff garbage")};
    world_input(s.home, &garbage);
    tell_home(&s, &other.pub, domain, NULL, "nowhere.example:1");
    world_pass(w, HS_RETRY_MAX_MS);
    assert_true(s.home->dials > dials); /* where it was before, in vain */
    assert_false(world_are_linked(s.home, s.hub));
    Hanse__SignedObject *good = descriptor(&s, &s.hub->root, domain, at, 2, 0);
    tell_home(&s, &s.hub->root.pub, domain, good, NULL);
    world_pass(w, HS_RETRY_MAX_MS);
    works_again(&s);
    tell_home(&s, &s.hub->root.pub, domain, descriptor(&s, &s.hub->root, domain, "old.example:1", 1, 0),
              NULL);
    world_node_restart(s.hub);
    assert_ok(world_connect(s.owner, NULL));
    world_attach(s.owner);
    world_pass(w, HS_RETRY_MAX_MS);
    works_again(&s);
}

/* FED-31: DNS gives addresses; whoever answers there must still be the pinned root's node. */
static void dns_gives_addresses(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    move_hub(&s);
    tell_home(&s, &s.hub->root.pub, "hub.example", NULL, s.hub->address);
    works_again(&s);
}

static Hanse__Frame *get_invite(struct scene *s)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->get_invite = WORLD_NEW(s->w, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(HS_VIEW(s->invite.signer.pub));
    return frame;
}

/* FED-31: a node of which only the domain is known is looked for; whoever waits is told when nothing is
 * found. */
static void a_bare_domain_is_looked_for(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *third = world_node_new(w, "third.example");
    struct world_device *owner = world_staff(third, "owner", HANSE__ROLE__ROLE_OWNER);
    struct world_room *room = world_room_new(owner, "other");
    s.invite = world_invite(room, 10);
    struct world_node named = *third;
    (void)snprintf(named.address, sizeof named.address, "third.example");
    size_t dials = s.home->dials;
    assert_err(world_forward(s.alice, &named, get_invite(&s), NULL), HS_ERR_TIMEOUT); /* it waits */
    assert_int_equal(s.home->searches, 1);
    assert_string_equal(s.home->searched, "third.example");
    assert_int_equal(s.home->dials, dials);
    tell_home(&s, &third->root.pub, "third.example", NULL, NULL);
    world_settle(w);
    assert_err(world_forward(s.alice, &named, get_invite(&s), NULL), HS_ERR_TIMEOUT);
    assert_int_equal(s.home->searches, 1); /* not again within a minute */
    tell_home(&s, &third->root.pub, "third.example", third->descriptor, NULL);
    world_settle(w);
    assert_int_equal(s.home->dials, dials + 1);
    assert_ok(world_forward(s.alice, &named, get_invite(&s), NULL));
}

/* FED-31: two nodes that are looked for by one name, each in its turn. */
static void two_nodes_of_one_domain(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node named[2] = {*world_node_new(w, "third.example"), *world_node_new(w, "fourth.example")};
    size_t of[2] = {0}, before = 1;
    for (int i = 0; i < 2; i++) {
        (void)snprintf(named[i].address, sizeof named[i].address, "both.example");
        assert_err(world_forward(s.alice, &named[i], get_invite(&s), NULL), HS_ERR_TIMEOUT);
    }
    assert_int_equal(s.home->searches, 1);
    for (int i = 0; i < 400; i++) {
        for (int n = 0; n < 2; n++)
            (void)world_forward(s.alice, &named[n], get_invite(&s), NULL);
        world_pass(w, 5000);
        if (s.home->searches > before)
            for (int n = 0; n < 2; n++)
                of[n] += hs_key_equal(&s.home->searched_root, &named[n].root.pub) ? 1 : 0;
        assert_in_range(s.home->searches, before, before + 1);
        before = s.home->searches;
    }
    assert_in_range(of[0] + of[1], 20, 34); /* in 2000 seconds */
    assert_true(of[0] >= 10 && of[1] >= 10);
}

/* FED-31: a descriptor that runs out within a week is asked for, once a day. */
static void a_renewal_is_asked_for_in_time(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    int64_t end = w->now.ms + 30 * (int64_t)WORLD_DAY_MS;
    s.hub->descriptor = descriptor(&s, &s.hub->root, "hub.example", s.hub->address, 2, end);
    world_node_restart(s.hub);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_true(world_are_linked(s.home, s.hub));
    w->now.ms = end - HS_DISCOVER_AHEAD_MS - 1000;
    world_pass(w, 0);
    assert_int_equal(s.home->searches, 0);
    world_pass(w, 1001);
    assert_int_equal(s.home->searches, 1);
    world_pass(w, HS_DISCOVER_DAILY_MS - 1);
    assert_int_equal(s.home->searches, 1);
    world_pass(w, 1);
    assert_int_equal(s.home->searches, 2);
}

static Hanse__Frame *attach_frame(struct world *w)
{
    Hanse__Frame *frame = world_frame(w);
    frame->attach = WORLD_NEW(w, Hanse__Attach, hanse__attach);
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    return frame;
}

/* FED-29, FED-33: a domain that the operator allows is asked whether this is its root: from then on it
 * counts. A page that shows another root afterwards is refused, until the operator has a row for it. */
static void a_domain_says_which_root_it_has(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *mouth = world_device_new(s.home, "mouth");
    struct raw_node raw = raw_node_new(mouth, "friend.example"),
                    later = raw_node_new(mouth, "friend.example");
    struct raw_rules rules = {0};
    raw_rule(w, &rules, HS_RULE_ALLOW, NULL, "friend.example");
    raw_rules_set(s.home, &rules);
    raw_node_connect(&later, NULL);
    assert_int_equal(s.home->searches, 1);
    assert_string_equal(s.home->searched, "friend.example");
    tell_home(&s, &later.root.pub, "friend.example", raw.descriptor, NULL); /* the page shows another root */
    assert_err(world_ask(mouth, attach_frame(w), NULL), HS_ERR_DENIED);
    w->now.ms += HS_DISCOVER_MS - 1;
    raw_node_connect(&raw, NULL);
    assert_int_equal(s.home->searches, 1); /* once a minute, whoever comes */
    w->now.ms += 1;
    raw_node_connect(&raw, NULL);
    assert_int_equal(s.home->searches, 2);
    assert_err(world_ask(mouth, attach_frame(w), NULL), HS_ERR_DENIED);
    tell_home(&s, &raw.root.pub, "friend.example", raw.descriptor, NULL);
    assert_ok(world_ask(mouth, attach_frame(w), NULL)); /* in the same session */
    world_node_restart(s.home);
    raw_rules_set(s.home, &rules);
    raw_node_connect(&raw, NULL);
    assert_ok(world_ask(mouth, attach_frame(w), NULL)); /* it is remembered */
    w->now.ms += HS_DISCOVER_MS;
    raw_node_connect(&later, NULL);
    assert_int_equal(s.home->searches, 3); /* FED-70: another one that claims it; its page knows */
    tell_home(&s, &later.root.pub, "friend.example", later.descriptor, NULL);
    assert_err(world_ask(mouth, attach_frame(w), NULL), HS_ERR_DENIED);
    raw_rule(w, &rules, HS_RULE_NODE, &later.root.pub, "friend.example");
    raw_rules_set(s.home, &rules);
    assert_ok(world_ask(mouth, attach_frame(w), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_reasons_to_ask),
        cmocka_unit_test(two_nodes_of_one_domain),
        cmocka_unit_test(a_hub_that_moved_is_looked_for),
        cmocka_unit_test(the_page_replaces_what_was_known),
        cmocka_unit_test(other_pages_are_refused),
        cmocka_unit_test(dns_gives_addresses),
        cmocka_unit_test(a_bare_domain_is_looked_for),
        cmocka_unit_test(a_renewal_is_asked_for_in_time),
        cmocka_unit_test(a_domain_says_which_root_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
