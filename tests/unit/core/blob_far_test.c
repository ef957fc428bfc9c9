/* Blobs between a follower and the hub, with the way between them cut at every place. DELIVERY-39 */
#include "world.h"

#include "core/blob.h"
#include "room/blob.h"
#include "wire/unpack.h"

#include <sodium.h>

enum { PIECES = 12, LEN = PIECES * HS_BLOB_CHUNK - 77 };

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices, *bobs;
    struct hs_bytes bytes;
    size_t frames, cut_at; /* frames with pieces between the nodes; where the way breaks, 0: nowhere */
};

static enum world_verdict count(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    (void)from;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &arena, &frame));
    bool piece = frame->body_case == HANSE__FRAME__BODY_CHUNK ||
                 (frame->body_case == HANSE__FRAME__BODY_PUT_CHUNK && frame->put_chunk->data.len > 0);
    s->frames += piece ? 1 : 0;
    return piece && s->frames == s->cut_at ? WORLD_CUT : WORLD_PASS;
}

static void scene_new(struct world *w, struct scene *s)
{
    *s = (struct scene){
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    w->unchecked = true;
    s->owner = world_staff(s->hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s->alice = world_customer(s->home, "alice");
    s->bob = world_customer(s->home, "bob");
    s->room = world_room_new(s->owner, "launch");
    struct world_invite invite = world_invite(s->room, 10);
    s->alices = world_join(s->alice, s->room, &invite);
    s->bobs = world_join(s->bob, s->room, &invite);
    uint8_t *bytes = hs_arena_alloc(&w->arena, LEN);
    randombytes_buf(bytes, LEN);
    s->bytes = hs_bytes(bytes, LEN);
    w->hook = count;
    w->hook_ctx = s;
}

static void fetched(void **state)
{
    (void)state;
    static const size_t cuts[] = {0, 1, 2, 5, PIECES - 1, PIECES};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s;
        enum hs_err err;
        scene_new(w, &s);
        struct hs_id hash = world_put_all(s.room, s.bytes);
        assert_ok(world_post_blobs(s.room, &hash, 1));
        world_settle(w);
        assert_int_equal(s.frames, 0); /* nobody asked for it yet */
        s.cut_at = cuts[i];
        assert_err(world_chunk(s.alice, &s.room->id, HS_VIEW(hash), 0, NULL), HS_ERR_BUSY);
        assert_bytes(world_get_all(s.alices, &hash, &err), s.bytes);
        assert_in_range(s.frames, PIECES, PIECES + HS_BLOB_WINDOW);
        /* once is enough for all of its users, and the hub may be gone */
        s.frames = 0;
        s.hub->down = true;
        assert_bytes(world_get_all(s.bobs, &hash, &err), s.bytes);
        assert_int_equal(s.frames, 0);
    }
}

static void brought(void **state)
{
    (void)state;
    static const size_t cuts[] = {0, 1, 2, 5, PIECES - 1, PIECES};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s;
        enum hs_err err;
        scene_new(w, &s);
        s.cut_at = cuts[i];
        struct hs_id hash = world_put_all(s.alices, s.bytes);
        assert_in_range(s.frames, PIECES, PIECES + HS_BLOB_WINDOW);
        assert_ok(world_post_blobs(s.alices, &hash, 1));
        world_settle(w);
        assert_bytes(world_get_all(s.room, &hash, &err), s.bytes);
        assert_bytes(world_get_all(s.bobs, &hash, &err), s.bytes);
    }
}

/* The follower dies in the middle of both ways. */
static void restarted(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    struct hs_id hash = world_put_all(s.room, s.bytes);
    assert_ok(world_post_blobs(s.room, &hash, 1));
    world_settle(w);
    s.cut_at = 6;
    s.hub->down = true;
    assert_err(world_chunk(s.alice, &s.room->id, HS_VIEW(hash), 0, NULL), HS_ERR_BUSY);
    world_node_restart(s.home);
    s.hub->down = false;
    assert_ok(world_connect(s.alice, NULL));
    assert_bytes(world_get_all(s.alices, &hash, &err), s.bytes);
    assert_in_range(s.frames, PIECES, PIECES + HS_BLOB_WINDOW);
}

/* DELIVERY-38: a post that names what isn't at the hub yet isn't taken. */
static void not_before_the_hub_has_it(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    Hanse__BlobStatus *status;
    struct hs_id hash = hs_blob_hash(hs_bytes(s.bytes.data, 10));
    s.hub->down = true;
    world_node_restart(s.hub);
    world_settle(w);
    assert_ok(world_put(s.alices, HS_VIEW(hash), 10, 0, hs_bytes(s.bytes.data, 10), &status));
    assert_int_equal(status->have, 10);
    assert_false(status->complete);
    assert_err(world_post_blobs(s.alices, &hash, 1), HS_ERR_BLOB_UNKNOWN);
    s.hub->down = false;
    world_pass(w, 60000);
    world_pass(w, 60000);
    assert_ok(world_put(s.alices, HS_VIEW(hash), 10, 0, (struct hs_bytes){0}, &status));
    assert_true(status->complete);
    assert_ok(world_post_blobs(s.alices, &hash, 1));
}

/* A hub that tells other bytes than those it named: they aren't kept, and its users may ask again. */
static enum world_verdict alter(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    if (from == s->hub && frame->body_case == HANSE__FRAME__BODY_CHUNK && ++s->frames == 3) {
        frame->chunk->data.data[5] ^= 1;
        *bytes = world_pack(s->w, &frame->base);
    }
    return WORLD_PASS;
}

static void altered(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    w->hook = alter;
    struct hs_id hash = world_put_all(s.room, s.bytes);
    assert_ok(world_post_blobs(s.room, &hash, 1));
    world_settle(w);
    assert_bytes(world_get_all(s.alices, &hash, &err), s.bytes);
    assert_in_range(s.frames, 2 * PIECES, 2 * PIECES + HS_BLOB_WINDOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetched),   cmocka_unit_test(brought),
        cmocka_unit_test(restarted), cmocka_unit_test(not_before_the_hub_has_it),
        cmocka_unit_test(altered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
