#include "four_scene.h"

struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.rosa = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.hub, "alice");
    s.bob = world_customer(s.hub, "bob");
    s.cem = world_customer(s.home, "cem");
    s.room = world_room_new(s.rosa, "launch");
    struct world_invite invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &invite);
    s.bobs = world_join(s.bob, s.room, &invite);
    s.cems = world_join(s.cem, s.room, &invite);
    return s;
}
