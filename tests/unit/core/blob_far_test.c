/* Blobs between a follower and the hub, with the way between them cut at every place. DELIVERY-39 */
#include "world.h"

#include "core/blobs/blob.h"
#include "core/blobs/upload.h"
#include "core/federation/peer.h"
#include "core/recovery/recover.h"
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
    struct hs_id other;
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

/* A room of another hub, with a file in it that alice hasn't got. */
static struct hs_id elsewhere(struct scene *s, struct world_room **alices)
{
    struct world_node *other = world_node_new(s->w, "other.example");
    struct world_device *zoe = world_staff(other, "zoe", HANSE__ROLE__ROLE_OWNER);
    struct world_room *room = world_room_new(zoe, "elsewhere");
    struct world_invite invite = world_invite(room, 5);
    *alices = world_join(s->alice, room, &invite);
    struct hs_id hash = world_put_all(room, s->bytes);
    assert_ok(world_post_blobs(room, &hash, 1));
    world_settle(s->w);
    return hash;
}

/* DELIVERY-39: what a hub that is gone doesn't bring keeps nobody from what others have. */
static void from_a_dead_hub(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct world_room *others;
    struct hs_id hashes[HS_MOVES_MAX + 1];
    enum hs_err err;
    scene_new(w, &s);
    struct hs_id far = elsewhere(&s, &others);
    for (size_t i = 0; i <= HS_MOVES_MAX; i++) {
        uint8_t bytes[40] = {(uint8_t)i};
        randombytes_buf(bytes + 1, sizeof bytes - 1);
        hashes[i] = world_put_all(s.room, hs_bytes(bytes, sizeof bytes));
        assert_ok(world_post_blobs(s.room, &hashes[i], 1));
    }
    world_settle(w);
    s.hub->down = true;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].node[0] == s.home && w->links[i].node[1] == s.hub)
            world_close(w, w->links[i].id[0]);
    world_run(w);
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i <= HS_MOVES_MAX; i++)
            assert_err(world_chunk(s.alice, &s.room->id, HS_VIEW(hashes[i]), 0, NULL), HS_ERR_BUSY);
    assert_bytes(world_get_all(others, &far, &err), s.bytes);
    s.hub->down = false;
    world_pass(w, HS_RETRY_MAX_MS);
    world_settle(w);
    for (size_t i = 0; i <= HS_MOVES_MAX; i++) {
        world_pass(w, i == HS_MOVES_HUB ? HS_MOVE_IDLE_MS : 1000);
        assert_int_equal(world_get_all(s.alices, &hashes[i], &err).len, 40);
    }
}

static void restore(struct scene *s, struct hs_kv *backup)
{
    world_node_restore(s->hub, backup);
    assert_ok(world_connect(s->owner, NULL));
    world_attach(s->owner);
    for (int64_t t = 0; t < HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS; t += 1000)
        world_pass(s->w, 1000);
    assert_ok(world_post(s->room, "we go on", NULL));
    world_settle(s->w);
}

/* NODE-72: what a post names that came back is still there, and stays. */
static void named_again_after_a_restoring(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    struct hs_id hash = world_put_all(s.room, s.bytes);
    struct hs_kv *backup = world_store_copy(s.hub);
    assert_ok(world_post_blobs(s.room, &hash, 1));
    world_settle(w);
    restore(&s, backup);
    for (int64_t ms = 0; ms < 3 * (int64_t)HS_BLOB_GRACE_MS; ms += HS_DELETE_AGAIN_MS * 10)
        world_pass(w, HS_DELETE_AGAIN_MS * 10);
    assert_bytes(world_get_all(s.room, &hash, &err), s.bytes);
    assert_bytes(world_get_all(s.alices, &hash, &err), s.bytes);
}

/* A post is lost with its blob; where alice_has_it, her home has fetched that. Nothing of it is left here. */
static struct hs_id lost(struct scene *s, bool alice_has_it)
{
    enum hs_err err;
    struct hs_kv *backup = world_store_copy(s->hub);
    struct hs_id hash = world_put_all(s->room, s->bytes);
    assert_ok(world_post_blobs(s->room, &hash, 1));
    world_settle(s->w);
    if (alice_has_it)
        assert_bytes(world_get_all(s->alices, &hash, &err), s->bytes);
    restore(s, backup);
    world_blobs_free(s->hub);
    s->hub->blobs = NULL; /* another disk */
    s->frames = 0;
    return hash;
}

/* NODE-87: what is gone comes from the follower that has it, wherever the way breaks, and once. */
static void lost_by_a_restoring(void **state)
{
    (void)state;
    struct scene s;
    enum hs_err err;
    for (size_t cut = 0; cut <= PIECES; cut += 4) {
        struct world HS_WORLD *w = world_new();
        scene_new(w, &s);
        struct hs_id hash = lost(&s, true);
        s.cut_at = cut;
        assert_bytes(world_get_all(s.room, &hash, &err), s.bytes);
        assert_in_range(s.frames, PIECES, PIECES + HS_BLOB_WINDOW);
        assert_bytes(world_get_all(s.room, &hash, &err), s.bytes);
        assert_bytes(world_get_all(s.bobs, &hash, &err), s.bytes);
        assert_in_range(s.frames, PIECES, PIECES + HS_BLOB_WINDOW);
    }
}

/* Begins attachments for as long as it may. */
static enum hs_err use_up(struct world_room *room)
{
    enum hs_err err = HS_OK;
    for (uint8_t i = 1; i > 0 && err == HS_OK; i++) {
        struct hs_id name = {{i}};
        err = world_put(room, HS_VIEW(name), HS_ATTACHMENT_MAX, 0, (struct hs_bytes){0}, NULL);
    }
    return err;
}

/* NODE-87: what nobody has is said to be missing, in the end, here and at followers; it may be put again, by
 * who may put anything there. */
static void nobody_has_it(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    struct hs_id hash = lost(&s, false);
    assert_int_equal(world_get_all(s.room, &hash, &err).len, 0);
    assert_err(err, HS_ERR_BLOB_UNKNOWN);
    assert_int_equal(world_get_all(s.alices, &hash, &err).len, 0);
    assert_err(err, HS_ERR_BLOB_UNKNOWN);
    assert_err(use_up(s.room), HS_ERR_QUOTA); /* it counts like any other, as nobody has asked her */
    assert_err(world_put(s.room, HS_VIEW(hash), LEN, 0, hs_bytes(s.bytes.data, HS_BLOB_CHUNK), NULL),
               HS_ERR_QUOTA);
    struct hs_id again = world_put_all(s.alices, s.bytes);
    assert_true(hs_id_equal(&again, &hash));
    assert_bytes(world_get_all(s.room, &hash, &err), s.bytes);
    assert_bytes(world_get_all(s.alices, &hash, &err), s.bytes);
}

/* NODE-72: a reader that brings back a post brings another room's blob into this one by no hint. */
static enum world_verdict hint(void *ctx, struct world_node *from, struct world_node *to,
                               struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    (void)from;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    if (frame->body_case != HANSE__FRAME__BODY_TAIL || frame->tail->headers)
        return WORLD_PASS;
    for (size_t i = 0; i < frame->tail->n_records; i++) {
        Hanse__Record *record = frame->tail->records[i];
        record->blobs = hs_arena_alloc(&s->w->arena, sizeof *record->blobs);
        *record->blobs = hs_pb_data(HS_VIEW(s->other));
        record->n_blobs = 1;
    }
    *bytes = world_pack(s->w, &frame->base);
    return WORLD_PASS;
}

static void another_rooms_blob_stays_there(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    struct world_room *inner = world_room_new(s.owner, "inner");
    s.other = world_put_all(inner, s.bytes);
    assert_ok(world_post_blobs(inner, &s.other, 1));
    struct hs_kv *backup = world_store_copy(s.hub);
    assert_ok(world_post(s.room, "lost", NULL));
    world_settle(w);
    w->hook = hint;
    restore(&s, backup);
    assert_err(world_chunk(s.owner, &s.room->id, HS_VIEW(s.other), 0, NULL), HS_ERR_BLOB_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fetched),
        cmocka_unit_test(brought),
        cmocka_unit_test(restarted),
        cmocka_unit_test(not_before_the_hub_has_it),
        cmocka_unit_test(altered),
        cmocka_unit_test(from_a_dead_hub),
        cmocka_unit_test(named_again_after_a_restoring),
        cmocka_unit_test(lost_by_a_restoring),
        cmocka_unit_test(nobody_has_it),
        cmocka_unit_test(another_rooms_blob_stays_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
