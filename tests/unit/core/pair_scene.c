#include "pair_scene.h"

struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}
