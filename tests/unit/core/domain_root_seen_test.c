/* How another root of a domain comes to be seen, and what stays of that until the operator decides. */
#include "domain_root_scene.h"

#include "identity/descriptor.h"
#include "identity/successor.h"

static Hanse__Frame *get_invite(struct scene *s, const struct hs_key *invite_key)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->get_invite = WORLD_NEW(s->w, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(HS_VIEW(*invite_key));
    return frame;
}

/* FED-70: an invite names a root at a domain that is another one's. Nobody is dialled where that domain says,
 * neither by its page nor by DNS; once the operator has approved the root, its page is asked at once. */
static void an_invite_changes_no_domain(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *new = world_node_new(w, FRIEND);
    struct world_device *owner = world_staff(new, "owner", HANSE__ROLE__ROLE_OWNER);
    struct world_invite invite = world_invite(world_room_new(owner, "other"), 10);
    struct world_node named = *new;
    (void)snprintf(named.address, sizeof named.address, FRIEND); /* a domain without a port */
    pin_by_page(&s);
    w->now.ms += HS_DISCOVER_MS;
    size_t dials = s.home->dials, searches = s.home->searches;
    const struct hs_key *key = &invite.signer.pub, *root = &new->root.pub;
    assert_err(world_forward(s.alice, &named, get_invite(&s, key), NULL), HS_ERR_TIMEOUT);
    assert_int_equal(s.home->searches, searches + 1);
    raw_discovered(s.home, root, FRIEND, NULL, new->address);
    raw_discovered(s.home, root, FRIEND, new->descriptor, new->address);
    assert_err(world_forward(s.alice, &named, get_invite(&s, key), NULL), HS_ERR_TIMEOUT);
    assert_int_equal(s.home->dials, dials);
    shows(&s, FRIEND, &s.first.root.pub, root, false);
    decides(&s, FRIEND, root, true, HS_ROOT_DONE);
    assert_int_equal(s.home->searches, searches + 2);
    raw_discovered(s.home, root, FRIEND, new->descriptor, NULL);
    world_settle(w);
    assert_int_equal(s.home->dials, dials + 1);
    assert_ok(world_forward(s.alice, &named, get_invite(&s, key), NULL));
}

/* FED-70: an invite names a root, and that domain's page another one: the operator is shown both, as of a
 * root that nothing but an invite has pinned. */
static void an_invite_and_a_page_disagree(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node named = *s.hub;
    named.root = s.second.root;
    (void)snprintf(named.address, sizeof named.address, FRIEND);
    assert_err(world_forward(s.alice, &named, get_invite(&s, &s.invite.signer.pub), NULL), HS_ERR_TIMEOUT);
    page(&s, &s.second, &s.first);
    shows(&s, FRIEND, &s.second.root.pub, &s.first.root.pub, false);
    assert_true(ask_peers(s.home)->roots[0]->invited);
    decides(&s, FRIEND, &s.first.root.pub, true, HS_ROOT_DONE);
    /* Now the invite contradicts what is known: shown beside its node. */
    page(&s, &s.second, &s.first);
    shows(&s, FRIEND, NULL, NULL, false);
    const Hanse__State__AdminPeers *peers = ask_peers(s.home);
    for (size_t i = 0; i < peers->n_peers; i++)
        if (hs_bytes_equal(hs_pb_bytes(peers->peers[i]->root), HS_VIEW(s.second.root.pub)))
            assert_bytes(hs_pb_bytes(peers->peers[i]->other_root), HS_VIEW(s.first.root.pub));
}

/* FED-70: a hub that is followed under a domain's name, and a page that shows another root to whoever comes:
 * neither is taken for the other without a word. */
static void whoever_comes_is_not_the_hub(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_node other = raw_node_new(s.first.mouth, "hub.example");
    raw_node_connect(&other, NULL);
    assert_int_equal(s.home->searches, 1);
    raw_discovered(s.home, &other.root.pub, "hub.example", other.descriptor, NULL);
    shows(&s, "hub.example", &s.hub->root.pub, &other.root.pub, false);
}

/* FED-70: whom this node dials claims its domain, too; the page is asked when it may be. */
static void whom_this_node_dials_claims_its_domain(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *new = world_node_new(w, FRIEND);
    struct world_device *owner = world_staff(new, "owner", HANSE__ROLE__ROLE_OWNER);
    struct world_room *room = world_room_new(owner, "other");
    struct world_invite invite = world_invite(room, 10);
    pin_by_page(&s);
    size_t searches = s.home->searches;
    struct world_device *bob = world_customer(s.home, "bob");
    (void)world_join(bob, room, &invite);
    assert_true(world_are_linked(s.home, new));
    assert_int_equal(s.home->searches, searches);
    world_pass(w, HS_DISCOVER_MS);
    assert_int_equal(s.home->searches, searches + 1);
    raw_discovered(s.home, &new->root.pub, FRIEND, new->descriptor, NULL);
    shows(&s, FRIEND, &s.first.root.pub, &new->root.pub, false);
    world_pass(w, 2 * HS_DISCOVER_MS);
    assert_int_equal(s.home->searches, searches + 1);
    decides(&s, FRIEND, &new->root.pub, true, HS_ROOT_DONE);
    for (size_t i = 0; i < ask_peers(s.home)->n_peers; i++) {
        const Hanse__State__AdminPeer *row = ask_peers(s.home)->peers[i];
        if (hs_bytes_equal(hs_pb_bytes(row->root), HS_VIEW(new->root.pub)))
            assert_string_equal(row->standing, "allowed");
    }
}

/* The second root's descriptor once more, with a statement of that root that it takes its place. */
static Hanse__SignedObject *vouched_by(struct scene *s, const struct hs_signer *old)
{
    struct hs_descriptor d;
    Hanse__SignedObject *statement, *object;
    assert_ok(hs_descriptor_open(s->second.descriptor, NULL, &d));
    assert_ok(hs_successor_build(old, &s->second.root, s->w->now, &s->w->arena, &statement));
    d.succeeds = statement;
    d.sequence++;
    assert_ok(hs_descriptor_build(&s->second.root, &d, s->w->now, &s->w->arena, &object));
    return object;
}

/* FED-74: a new root for which the known one vouches needs the operator all the same, who is told so; another
 * root's word is nothing. */
static void who_vouches_is_told(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    pin_by_page(&s);
    w->now.ms += HS_DISCOVER_MS;
    const struct hs_key *root = &s.second.root.pub;
    raw_node_connect(&s.second, NULL);
    raw_discovered(s.home, root, FRIEND, vouched_by(&s, &s.third.root), NULL);
    shows(&s, FRIEND, &s.first.root.pub, root, false);
    assert_false(ask_peers(s.home)->roots[0]->vouched);
    w->now.ms += HS_ROOT_PAUSE_MS;
    raw_discovered(s.home, root, FRIEND, vouched_by(&s, &s.first.root), NULL);
    shows(&s, FRIEND, &s.first.root.pub, root, false);
    assert_true(ask_peers(s.home)->roots[0]->vouched);
    is_allowed(&s, &s.second, false);
    decides(&s, FRIEND, root, true, HS_ROOT_DONE);
    is_allowed(&s, &s.second, true);
}

static void fill(struct hs_turn *turn, struct scene *s, unsigned from, unsigned to, bool invited)
{
    for (unsigned i = from; i < to; i++) {
        char domain[32];
        (void)snprintf(domain, sizeof domain, "d%u.example", i);
        turn->now.ms++;
        hs_domain_root_shown(turn, &(struct hs_root_seen){.domain = domain,
                                                          .pinned = s->first.root.pub,
                                                          .shown = s->second.root.pub,
                                                          .invited = invited});
    }
}

static bool is_kept(struct hs_turn *turn, const char *domain, size_t *count)
{
    struct hs_kv_key from = {0};
    const Hanse__State__RootView *view;
    bool found = false;
    *count = 0;
    while ((view = hs_domain_roots_next(turn, &from, turn->arena)) != NULL) {
        (*count)++;
        found = found || strcmp(view->domain, domain) == 0;
    }
    return found;
}

/* FED-72: HS_ROOTS_MAX domains; what anybody's invite can bring about pushes nothing else out. */
static void only_so_many_are_kept(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_turn *turn = raw_turn_begin(s.home);
    size_t count;
    fill(turn, &s, 0, 1, true);
    fill(turn, &s, 1, HS_ROOTS_MAX, false);
    assert_true(is_kept(turn, "d0.example", &count));
    assert_int_equal(count, HS_ROOTS_MAX);
    fill(turn, &s, 1000, 1001, true); /* one past: the oldest of the invites' goes */
    assert_false(is_kept(turn, "d0.example", &count));
    assert_true(is_kept(turn, "d1000.example", &count));
    fill(turn, &s, 1001, 1002, false);
    assert_false(is_kept(turn, "d1000.example", &count));
    fill(turn, &s, 1002, 1003, true);
    assert_false(is_kept(turn, "d1002.example", &count));
    fill(turn, &s, 1003, 1004, false); /* the oldest */
    assert_false(is_kept(turn, "d1.example", &count));
    assert_true(is_kept(turn, "d2.example", &count));
    assert_true(is_kept(turn, "d1003.example", &count));
    assert_int_equal(count, HS_ROOTS_MAX);
    assert_int_equal(hs_domain_roots_waiting(turn), HS_ROOTS_MAX);
    raw_turn_end(turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite_changes_no_domain),
        cmocka_unit_test(an_invite_and_a_page_disagree),
        cmocka_unit_test(whoever_comes_is_not_the_hub),
        cmocka_unit_test(whom_this_node_dials_claims_its_domain),
        cmocka_unit_test(who_vouches_is_told),
        cmocka_unit_test(only_so_many_are_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
