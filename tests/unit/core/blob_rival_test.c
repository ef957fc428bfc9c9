/* Whoever brings a blob hinders nobody else who brings the same: neither by another size nor by other bytes,
 * not at the hub and not at a follower. */
#include "blob_scene.h"

#include "core/blobs/upload.h"
#include "room/blob.h"

/* DELIVERY-74: other sizes, and other bytes of the right size, of each kind of rival. */
static void rivals(struct world_room *honest, struct world_room *rival)
{
    struct world *w = honest->device->world;
    enum hs_err err;
    static const struct {
        uint64_t more;
        size_t first; /* the piece that is false, or PIECES */
    } as[] = {{1, PIECES}, {5 * HS_BLOB_CHUNK, 0}, {0, 0}, {0, 1}};
    for (size_t i = 0; i < sizeof as / sizeof *as; i++) {
        struct hs_bytes all = noise(w, LEN), false_one = noise(w, HS_BLOB_CHUNK);
        struct hs_id hash = hs_blob_hash(all);
        uint64_t size = all.len + as[i].more;
        for (size_t n = 0; n < PIECES - 1; n++)
            assert_ok(world_put(rival, HS_VIEW(hash), size, n * HS_BLOB_CHUNK,
                                n == as[i].first ? false_one : piece(all, n), NULL));
        (void)world_put_all(honest, all);
        assert_ok(world_post_blobs(honest, &hash, 1));
        world_settle(w);
        assert_bytes(world_get_all(rival, &hash, &err), all);
    }
}

static void at_the_hub(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    rivals(s.room, s.mallorys);
}

static void at_a_follower(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    rivals(s.alices, s.eves);
}

/* DELIVERY-74: two who bring the same at once are both told that it is whole. */
static void both_at_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    Hanse__BlobStatus *status;
    scene_new(w, &s);
    struct hs_id hash = hs_blob_hash(s.bytes[0]);
    struct world_room *both[] = {s.room, s.mallorys};
    for (size_t n = 0; n < PIECES; n++)
        for (size_t i = 0; i < 2; i++)
            assert_ok(
                world_put(both[i], HS_VIEW(hash), LEN, n * HS_BLOB_CHUNK, piece(s.bytes[0], n), &status));
    assert_true(status->complete);
    assert_ok(world_post_blobs(s.mallorys, &hash, 1));
    world_pass(w, 1000); /* what the other one had brought is gone, and nothing else */
    world_pass(w, 1000);
    enum hs_err err;
    assert_bytes(world_get_all(s.room, &hash, &err), s.bytes[0]);
    assert_ok(world_put(s.room, HS_VIEW(hash), LEN, 0, (struct hs_bytes){0}, &status));
    assert_true(status->complete);
}

/* DELIVERY-74: that a rival has put too much at the hub is nobody else's refusal. */
static void anothers_refusal(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    Hanse__BlobStatus *status;
    scene_new(w, &s);
    struct hs_id hash = hs_blob_hash(s.bytes[0]);
    for (uint8_t i = 1; i < 6; i++) { /* at the hub, by way of the home */
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__PutChunk put = HANSE__PUT_CHUNK__INIT;
        struct hs_id name = {{i}};
        put.hash = hs_pb_data(HS_VIEW(name));
        put.size = HS_ATTACHMENT_MAX;
        put.room = hs_pb_data(HS_VIEW(s.room->id));
        put.persona = hs_pb_data(HS_VIEW(s.eves->persona->signer.pub));
        frame.id = 9000 + i;
        frame.put_chunk = &put;
        frame.body_case = HANSE__FRAME__BODY_PUT_CHUNK;
        world_inject(s.home, s.hub, &frame);
    }
    world_run(w);
    for (size_t n = 0; n < PIECES; n++) {
        assert_ok(world_put(s.eves, HS_VIEW(hash), LEN, n * HS_BLOB_CHUNK, piece(s.bytes[0], n), NULL));
        assert_ok(world_put(s.alices, HS_VIEW(hash), LEN, n * HS_BLOB_CHUNK, piece(s.bytes[0], n), &status));
    }
    for (int i = 0; i < 20 && !status->complete; i++) {
        world_pass(w, 1000);
        assert_ok(world_put(s.alices, HS_VIEW(hash), LEN, 0, (struct hs_bytes){0}, &status));
    }
    assert_true(status->complete);
}

/* DELIVERY-37: the same name for another room, with another size, counts by itself, and for as long as it is
 * under way. */
static void each_room_counts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum { MOST = HS_BLOB_WAITING_BYTES / HS_ATTACHMENT_MAX };
    scene_new(w, &s);
    struct hs_upload of[2 + MOST];
    struct hs_turn *turn = raw_turn_begin(s.hub);
    for (size_t i = 0; i < 2 + MOST; i++)
        of[i] = (struct hs_upload){{{1}}, {{(uint8_t)i}}, s.mallorys->persona->signer.pub};
    assert_ok(hs_upload_begin(turn, &of[0], 4096, false));
    for (size_t i = 1; i < MOST; i++)
        assert_ok(hs_upload_begin(turn, &of[i], HS_ATTACHMENT_MAX, false));
    assert_err(hs_upload_begin(turn, &of[MOST], HS_ATTACHMENT_MAX, false), HS_ERR_QUOTA);
    hs_quota_release_of(turn, &of[0]); /* and that one alone */
    assert_ok(hs_upload_begin(turn, &of[MOST], HS_ATTACHMENT_MAX, false));
    assert_err(hs_upload_begin(turn, &of[MOST + 1], 4096, false), HS_ERR_QUOTA);
    assert_ok(hs_quota_hold(turn, &of[MOST], HS_ATTACHMENT_MAX)); /* it counts already */
    raw_turn_end(turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_hub),       cmocka_unit_test(at_a_follower),
        cmocka_unit_test(both_at_once),     cmocka_unit_test(anothers_refusal),
        cmocka_unit_test(each_room_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
