/* A domain that may show another root than the pinned one, and the operator who is asked. */
#ifndef TESTS_CORE_DOMAIN_ROOT_SCENE_H
#define TESTS_CORE_DOMAIN_ROOT_SCENE_H

#include "peer_world.h"

#include "core/admin.pb-c.h"
#include "core/federation/discover.h"
#include "core/federation/domain_root.h"
#include "core/standing/rules.h"
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

[[maybe_unused]] static struct scene scene_new(struct world *w)
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

[[maybe_unused]] static const Hanse__State__AdminAnswer *ask(struct world_node *node,
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

[[maybe_unused]] static const Hanse__State__AdminPeers *ask_peers(struct world_node *node)
{
    Hanse__State__AdminRequest request = HANSE__STATE__ADMIN_REQUEST__INIT;
    Hanse__State__AdminAskPeers peers = HANSE__STATE__ADMIN_ASK_PEERS__INIT;
    request.peers = &peers;
    request.body_case = HANSE__STATE__ADMIN_REQUEST__BODY_PEERS;
    return ask(node, &request)->peers;
}

[[maybe_unused]] static const Hanse__State__AdminRootDecided *decide(struct world_node *node,
                                                                     const char *domain,
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

[[maybe_unused]] static void decides(struct scene *s, const char *domain, const struct hs_key *root,
                                     bool approve, enum hs_root_outcome outcome)
{
    assert_int_equal(decide(s->home, domain, root, approve)->outcome, outcome);
}

/* The operator's list has this one row; or, without a root, none. */
[[maybe_unused]] static void shows(struct scene *s, const char *domain, const struct hs_key *pinned,
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

[[maybe_unused]] static uint64_t waiting(struct scene *s)
{
    world_pass(s->w, 5000);
    return hs_core_stats(s->home->core).roots_waiting;
}

[[maybe_unused]] static Hanse__Frame *attach_frame(struct world *w)
{
    Hanse__Frame *frame = world_frame(w);
    frame->attach = WORLD_NEW(w, Hanse__Attach, hanse__attach);
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    return frame;
}

/* What the operator's allow gives, and nobody else has: a stranger may not attach. */
[[maybe_unused]] static void is_allowed(struct scene *s, struct raw_node *raw, bool allowed)
{
    enum hs_err err = world_ask(raw->mouth, attach_frame(s->w), NULL);
    assert_int_equal(err, allowed ? HS_OK : HS_ERR_DENIED);
}

[[maybe_unused]] static void page(struct scene *s, const struct raw_node *asked, const struct raw_node *shown)
{
    raw_discovered(s->home, &asked->root.pub, FRIEND, shown->descriptor, NULL);
}

/* FRIEND is allowed, and its page has shown the first root. */
[[maybe_unused]] static void pin_by_page(struct scene *s)
{
    raw_rule(s->w, &s->rules, HS_RULE_ALLOW, NULL, FRIEND);
    raw_rules_set(s->home, &s->rules);
    raw_node_connect(&s->first, NULL);
    page(s, &s->first, &s->first);
    is_allowed(s, &s->first, true);
}

#endif
