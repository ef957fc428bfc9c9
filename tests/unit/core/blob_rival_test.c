/* Whoever brings a blob hinders nobody else who brings the same: neither by another size nor by other bytes,
 * not at the hub, not at a follower, and not where a hub has lost it. */
#include "peer_world.h"

#include "core/blobs/blob.h"
#include "core/blobs/upload.h"
#include "core/federation/peer.h"
#include "core/recovery/recover.h"
#include "room/blob.h"
#include "wire/unpack.h"

#include <sodium.h>

enum { PIECES = 3, LEN = PIECES * HS_BLOB_CHUNK - 77, LOST = 4, DRIPPED = 50000 };

struct scene {
    struct world *w;
    struct world_node *hub, *home, *other;
    struct world_device *owner;
    struct world_room *room, *mallorys, *alices, *eves, *bobs;
    struct hs_bytes bytes[LOST];
    struct world_node *liar; /* who was the first to bring something back */
    struct hs_id dripped;
    bool mute;      /* it brings nothing by itself */
    bool all_mute;  /* nor does anybody else */
    bool busy_once; /* who is asked first has too much to do: it does nothing about it */
    size_t asked;   /* that the hub has asked */
    struct world_node *busy;
    size_t errors; /* that what it dripped was answered with, and the last of them */
    enum hs_err err;
};

static struct hs_bytes noise(struct world *w, size_t len)
{
    uint8_t *bytes = hs_arena_alloc(&w->arena, len);
    assert_non_null(bytes);
    randombytes_buf(bytes, len);
    return hs_bytes(bytes, len);
}

static struct hs_bytes piece(struct hs_bytes all, size_t n)
{
    size_t at = n * HS_BLOB_CHUNK, left = all.len - at;
    return hs_bytes(all.data + at, left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK);
}

/* Mallory is a customer of the hub, eve one of alice's home, bob is at a third node. */
static void scene_new(struct world *w, struct scene *s)
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
    for (size_t i = 0; i < LOST; i++)
        s->bytes[i] = noise(w, LEN - i);
}

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

/* ---- a hub that has lost what posts name ---- */

static void lose(struct scene *s, struct hs_id hashes[static LOST])
{
    enum hs_err err;
    struct hs_kv *backup = world_store_copy(s->hub);
    for (size_t i = 0; i < LOST; i++) {
        hashes[i] = world_put_all(s->room, s->bytes[i]);
        assert_ok(world_post_blobs(s->room, &hashes[i], 1));
        world_settle(s->w);
        assert_bytes(world_get_all(s->alices, &hashes[i], &err), s->bytes[i]);
        assert_bytes(world_get_all(s->bobs, &hashes[i], &err), s->bytes[i]);
    }
    world_node_restore(s->hub, backup);
    struct world_device *locals[] = {s->owner, s->mallorys->device};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(world_connect(locals[i], NULL));
        world_attach(locals[i]);
    }
    for (int64_t t = 0; t < HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS; t += 1000)
        world_pass(s->w, 1000);
    assert_ok(world_post(s->room, "we go on", NULL));
    world_settle(s->w);
    world_blobs_free(s->hub);
    s->hub->blobs = NULL; /* another disk */
}

/* NODE-93: a member who may post announces another size, and one who brings nothing the right one. */
static void a_member_holds_up_no_return(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[LOST];
    enum hs_err err;
    scene_new(w, &s);
    lose(&s, hashes);
    assert_ok(world_put(s.mallorys, HS_VIEW(hashes[0]), LEN + 1, 0, (struct hs_bytes){0}, NULL));
    assert_ok(world_put(s.mallorys, HS_VIEW(hashes[1]), LEN - 1, 0, noise(w, HS_BLOB_CHUNK), NULL));
    for (size_t i = 0; i < 2; i++)
        assert_bytes(world_get_all(s.room, &hashes[i], &err), s.bytes[i]);
}

/* Whoever is asked first for a lost blob announces another size, or other bytes. */
static enum world_verdict lie(void *ctx, struct world_node *from, struct world_node *to,
                              struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    if (from == s->hub && frame->body_case == HANSE__FRAME__BODY_ERROR && frame->id >= DRIPPED) {
        s->errors++;
        s->err = hs_err_from_wire(frame->error->code);
    }
    if (from == s->hub && frame->body_case == HANSE__FRAME__BODY_WANT_TAIL && s->asked++ == 0) {
        s->busy = to;
        return s->busy_once ? WORLD_DROP : WORLD_PASS;
    }
    if (to != s->hub || frame->body_case != HANSE__FRAME__BODY_PUT_CHUNK)
        return WORLD_PASS;
    if (s->liar == NULL)
        s->liar = from;
    if (from != s->liar && !s->all_mute)
        return WORLD_PASS;
    if (s->mute)
        return WORLD_DROP;
    Hanse__PutChunk *put = frame->put_chunk;
    if (put->data.len > 0 && hs_bytes_equal(hs_pb_bytes(put->hash), HS_VIEW(s->dripped)))
        put->data.data[0] ^= 1;
    else
        put->size += HS_BLOB_CHUNK;
    *bytes = world_pack(s->w, &frame->base);
    return WORLD_PASS;
}

/* NODE-93: a follower that was asked for it. */
static void a_follower_holds_up_no_return(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[LOST];
    enum hs_err err;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    s.dripped = hashes[1];
    for (size_t i = 0; i < 2; i++)
        assert_bytes(world_get_all(s.room, &hashes[i], &err), s.bytes[i]);
    assert_non_null(s.liar);
}

static void drip_into(struct scene *s, const struct world_room *room, const struct hs_id *hash, uint64_t n)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__PutChunk put = HANSE__PUT_CHUNK__INIT;
    struct hs_id none = {0};
    uint8_t bytes[HS_BLOB_CHUNK] = {0};
    put.hash = hs_pb_data(HS_VIEW(*hash));
    put.offset = n * HS_BLOB_CHUNK;
    put.size = HS_ATTACHMENT_MAX;
    put.data = hs_pb_data(hs_bytes(bytes, sizeof bytes));
    put.room = hs_pb_data(HS_VIEW(room->id));
    put.persona = hs_pb_data(HS_VIEW(none));
    frame.id = DRIPPED + n;
    frame.put_chunk = &put;
    frame.body_case = HANSE__FRAME__BODY_PUT_CHUNK;
    world_inject(s->liar, s->hub, &frame);
}

static void drip(struct scene *s, const struct hs_id *hash, uint64_t n)
{
    drip_into(s, s->room, hash, n);
}

/* NODE-93: one that brings a piece now and then, of something without end, is asked alone for a minute. */
static void a_slow_one_is_not_the_only_one(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[LOST];
    enum hs_err err = HS_ERR_BUSY;
    Hanse__Chunk *chunk;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    s.mute = true;
    for (uint64_t n = 0; n < 40 && err == HS_ERR_BUSY; n++) {
        err = world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[0]), 0, &chunk);
        world_pass(w, 2000);
        if (s.liar != NULL)
            drip(&s, &hashes[0], n);
        world_run(w);
    }
    assert_ok(err);
    assert_int_equal(chunk->size, LEN);
}

/* Nobody brings it but one, a piece now and then: what readers are told, and when. */
static int64_t told_after(bool next)
{
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[LOST];
    enum hs_err err = HS_ERR_BUSY;
    int64_t passed = 0;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    s.mute = s.all_mute = true;
    for (uint64_t n = 0; passed < 300000 && err == HS_ERR_BUSY; n++) {
        err = world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[0]), 0, NULL);
        world_pass(w, 2000);
        passed += 2000;
        if (s.liar != NULL)
            drip(&s, &hashes[0], next ? n : 0);
        world_run(w);
    }
    assert_err(err, HS_ERR_BLOB_UNKNOWN);
    assert_int_equal(s.errors, 0);
    return passed;
}

/* NODE-93: one that repeats a piece brings nothing. */
static void the_same_again_is_nothing(void **state)
{
    (void)state;
    assert_in_range(told_after(false), 10000, 30000);
}

/* NODE-93: nor does one that brings the next one each time keep readers waiting for good. */
static void readers_are_told_in_the_end(void **state)
{
    (void)state;
    assert_in_range(told_after(true), 60000, 140000);
}

/* NODE-93: who had too much to do when it was asked is asked again, also while another one brings pieces. */
static void who_was_busy_is_asked_again(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[LOST];
    enum hs_err err = HS_ERR_BUSY;
    Hanse__Chunk *chunk;
    uint64_t n = 0;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    s.mute = s.busy_once = true;
    for (int i = 0; i < 20 && err == HS_ERR_BUSY; i++) {
        err = world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[0]), 0, &chunk);
        world_pass(w, 2000);
        if (s.liar != NULL)
            drip(&s, &hashes[0], n++);
        world_run(w);
    }
    assert_ok(err);
    assert_int_equal(chunk->size, LEN);
    assert_ptr_not_equal(s.busy, s.liar);
}

/* NODE-94: who was asked may have so much under way at once, and is told to wait; then it goes on. */
static void so_much_at_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[LOST];
    enum hs_err err;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    s.mute = true;
    for (size_t i = 0; i < LOST; i++)
        assert_err(world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[i]), 0, NULL), HS_ERR_BUSY);
    world_pass(w, 1000);
    assert_non_null(s.liar);
    for (size_t i = 0; i < LOST; i++)
        drip(&s, &hashes[i], 0);
    assert_int_equal(s.errors, LOST - HS_BLOB_WAITING_BYTES / HS_ATTACHMENT_MAX);
    assert_err(s.err, HS_ERR_BUSY);
    for (size_t i = 0; i < LOST; i++) /* nobody else is kept from it */
        assert_bytes(world_get_all(s.room, &hashes[i], &err), s.bytes[i]);
}

/* NODE-94: what has come counts no more, however much it was: the lost ones are larger than that together. */
static void one_after_another(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[LOST];
    enum hs_err err;
    scene_new(w, &s);
    lose(&s, hashes);
    struct hs_turn *turn = raw_turn_begin(s.hub);
    for (uint8_t i = 0; i < 2; i++) { /* nearly all that each of them may have under way */
        struct hs_key *root = i == 0 ? &s.home->root.pub : &s.other->root.pub;
        assert_ok(hs_quota_hold(turn, &(struct hs_upload){.blob = {{i}}, .from = *root},
                                HS_BLOB_WAITING_BYTES - LEN));
    }
    raw_turn_end(turn);
    for (size_t i = 0; i < LOST; i++)
        assert_bytes(world_get_all(s.room, &hashes[i], &err), s.bytes[i]);
}

/* NODE-94: who was asked for it in one room has no right to bring it in another one. */
static void asked_for_one_room(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[LOST];
    scene_new(w, &s);
    struct world_room *second = world_room_new(s.owner, "landing");
    struct world_invite invite = world_invite(second, 10);
    (void)world_join(s.alices->device, second, &invite);
    (void)world_join(s.bobs->device, second, &invite);
    lose(&s, hashes);
    struct hs_turn *turn = raw_turn_begin(s.hub);
    hs_blob_ref(turn, &hashes[0], &second->id); /* it is named there, too */
    raw_turn_end(turn);
    w->hook = lie;
    w->hook_ctx = &s;
    s.mute = true;
    assert_err(world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[0]), 0, NULL), HS_ERR_BUSY);
    world_pass(w, 1000);
    assert_non_null(s.liar);
    drip(&s, &hashes[0], 0);
    world_run(w);
    assert_int_equal(s.errors, 0);
    drip_into(&s, second, &hashes[0], 0);
    world_run(w);
    assert_int_equal(s.errors, 1);
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
        cmocka_unit_test(at_the_hub),
        cmocka_unit_test(at_a_follower),
        cmocka_unit_test(both_at_once),
        cmocka_unit_test(anothers_refusal),
        cmocka_unit_test(a_member_holds_up_no_return),
        cmocka_unit_test(a_follower_holds_up_no_return),
        cmocka_unit_test(a_slow_one_is_not_the_only_one),
        cmocka_unit_test(the_same_again_is_nothing),
        cmocka_unit_test(readers_are_told_in_the_end),
        cmocka_unit_test(who_was_busy_is_asked_again),
        cmocka_unit_test(so_much_at_once),
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(asked_for_one_room),
        cmocka_unit_test(each_room_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
