#include "blob_scene.h"

#include <sodium.h>

struct hs_bytes noise(struct world *w, size_t len)
{
    uint8_t *bytes = hs_arena_alloc(&w->arena, len);
    assert_non_null(bytes);
    randombytes_buf(bytes, len);
    return hs_bytes(bytes, len);
}

struct hs_bytes piece(struct hs_bytes all, size_t n)
{
    size_t at = n * HS_BLOB_CHUNK, left = all.len - at;
    return hs_bytes(all.data + at, left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK);
}

void scene_new(struct world *w, struct scene *s)
{
    *s = (struct scene){.w = w,
                        .hub = world_node_new(w, "hub.example"),
                        .home = world_node_new(w, "home.example"),
                        .other = world_node_new(w, "other.example")};
    w->unchecked = true;
    s->owner = world_staff(s->hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s->room = world_room_new(s->owner, "launch");
    struct world_invite invite = world_invite(s->room, 10);
    s->mallorys = world_join(world_customer(s->hub, "mallory"), s->room, &invite);
    s->alices = world_join(world_customer(s->home, "alice"), s->room, &invite);
    s->eves = world_join(world_customer(s->home, "eve"), s->room, &invite);
    s->bobs = world_join(world_customer(s->other, "bob"), s->room, &invite);
    for (size_t i = 0; i < BLOBS; i++)
        s->bytes[i] = noise(w, LEN - i);
}
