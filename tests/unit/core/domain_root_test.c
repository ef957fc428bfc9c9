/* A domain that shows another root than the pinned one: nothing follows but by the operator's word. */
#include "peer_world.h"

#include "core/admin.pb-c.h"
#include "core/federation/discover.h"
#include "core/federation/domain_root.h"
#include "core/standing/rules.h"
#include "identity/descriptor.h"
#include "identity/successor.h"
#include "wire/unpack.h"

#include <stdio.h>

#define FRIEND "friend.example"

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice;
    struct world_room *room, *alices;
    struct world_invite invite;
    struct raw_node first, second, third; /* three roots that claim FRIEND */
    struct raw_rules rules;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    s.first = raw_node_new(world_device_new(s.home, "first"), FRIEND);
    s.second = raw_node_new(world_device_new(s.home, "second"), FRIEND);
    s.third = raw_node_new(world_device_new(s.home, "third"), FRIEND);
    return s;
}

static const Hanse__State__AdminAnswer *ask(struct world_node *node,
                                            const Hanse__State__AdminRequest *request)
{
    struct hs_core_input input = {
        .kind = HS_INPUT_ADMIN, .session = 77, .bytes = world_pack(node->world, &request->base)};
    struct hs_effects effects = hs_effects();
    Hanse__State__AdminAnswer *answer = NULL;
    assert_ok(hs_core_step(node->core, node->kv, &input, node->world->now, node->full, &effects));
    for (size_t i = 0; i < effects.len; i++) {
        node->searches += effects.list[i].kind == HS_EFFECT_DISCOVER ? 1 : 0;
        if (effects.list[i].kind != HS_EFFECT_ADMIN)
            continue;
        assert_ok(effects.list[i].err);
        assert_ok(HS_UNPACK(hanse__state__admin_answer, effects.list[i].bytes, HS_LENIENT,
                            &node->world->arena, &answer));
    }
    hs_effects_free(&effects);
    assert_non_null(answer);
    return answer;
}

static const Hanse__State__AdminPeers *ask_peers(struct world_node *node)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskPeers peers = HANSE__STATE__ADMIN_ASK_PEERS__INIT;
    request.peers = &peers;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_PEERS;
    return ask(node, &request)->peers;
}

static const Hanse__State__AdminRootDecided *decide(struct world_node *node, const char *domain,
                                                    const struct hs_key *root, bool approve)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskRoot body = HANSE__STATE__ADMIN_ASK_ROOT__INIT;
    body.domain = (char *)(uintptr_t)domain;
    if (root != NULL)
        body.root = hs_pb_data(HS_VIEW(*root));
    body.approve = approve;
    request.root = &body;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOT;
    return ask(node, &request)->root;
}

static void decides(struct scene *s, const char *domain, const struct hs_key *root, bool approve,
                    enum hs_root_outcome outcome)
{
    assert_int_equal(decide(s->home, domain, root, approve)->outcome, outcome);
}

/* The operator's list has this one row; or, without a root, none. */
static void shows(struct scene *s, const char *domain, const struct hs_key *pinned,
                  const struct hs_key *shown, bool refused)
{
    const Hanse__State__AdminPeers *peers = ask_peers(s->home);
    assert_int_equal(peers->n_roots, shown != NULL ? 1 : 0);
    if (shown == NULL)
        return;
    const Hanse__State__AdminRootSeen *row = peers->roots[0];
    assert_string_equal(row->domain, domain);
    assert_bytes(hs_pb_bytes(row->pinned), HS_VIEW(*pinned));
    assert_bytes(hs_pb_bytes(row->shown), HS_VIEW(*shown));
    assert_int_equal(row->refused, refused);
}

static uint64_t waiting(struct scene *s)
{
    world_pass(s->w, 5000);
    return hs_core_stats(s->home->core).roots_waiting;
}

static Hanse__Frame *attach_frame(struct world *w)
{
    Hanse__Frame *frame = world_frame(w);
    frame->attach = WORLD_NEW(w, Hanse__Attach, hanse__attach);
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    return frame;
}

/* What the operator's allow gives, and nobody else has: a stranger may not attach. */
static void is_allowed(struct scene *s, struct raw_node *raw, bool allowed)
{
    enum hs_err err = world_ask(raw->mouth, attach_frame(s->w), NULL);
    assert_int_equal(err, allowed ? HS_OK : HS_ERR_DENIED);
}

static void page(struct scene *s, const struct raw_node *asked, const struct raw_node *shown)
{
    raw_discovered(s->home, &asked->root.pub, FRIEND, shown->descriptor, NULL);
}

/* FRIEND is allowed, and its page has shown the first root. */
static void pin_by_page(struct scene *s)
{
    raw_rule(s->w, &s->rules, HS_RULE_ALLOW, NULL, FRIEND);
    raw_rules_set(s->home, &s->rules);
    raw_node_connect(&s->first, NULL);
    page(s, &s->first, &s->first);
    is_allowed(s, &s->first, true);
}

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
        cmocka_unit_test(an_invite_changes_no_domain),
        cmocka_unit_test(an_invite_and_a_page_disagree),
        cmocka_unit_test(whoever_comes_is_not_the_hub),
        cmocka_unit_test(whom_this_node_dials_claims_its_domain),
        cmocka_unit_test(who_vouches_is_told),
        cmocka_unit_test(only_so_many_are_kept),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
