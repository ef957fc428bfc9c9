/* A hub that has lost what posts name gets it back from whoever has it, and nobody holds that up: no member
 * who brings something else by that name, and no node that was asked and lies, drips or does nothing. */
#include "blob_scene.h"

#include "core/blobs/upload.h"
#include "core/federation/peer.h"
#include "core/recovery/recover.h"
#include "wire/unpack.h"

enum { DRIPPED = 50000 };

/* What the hook does to those who bring something back, and has seen. */
static struct {
    struct world_node *liar; /* who was the first to bring something back */
    struct hs_id dripped;
    bool mute;      /* it brings nothing by itself */
    bool all_mute;  /* nor does anybody else */
    bool busy_once; /* who is asked first has too much to do: it does nothing about it */
    size_t asked;   /* that the hub has asked */
    struct world_node *busy;
    size_t errors; /* that what it dripped was answered with, and the last of them */
    enum hs_err err;
} lies;

static void lose(struct scene *s, struct hs_id hashes[static BLOBS])
{
    enum hs_err err;
    struct hs_kv *backup = world_store_copy(s->hub);
    memset(&lies, 0, sizeof lies);
    for (size_t i = 0; i < BLOBS; i++) {
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
    struct hs_id hashes[BLOBS];
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
        lies.errors++;
        lies.err = hs_err_from_wire(frame->error->code);
    }
    if (from == s->hub && frame->body_case == HANSE__FRAME__BODY_WANT_TAIL && lies.asked++ == 0) {
        lies.busy = to;
        return lies.busy_once ? WORLD_DROP : WORLD_PASS;
    }
    if (to != s->hub || frame->body_case != HANSE__FRAME__BODY_PUT_CHUNK)
        return WORLD_PASS;
    if (lies.liar == NULL)
        lies.liar = from;
    if (from != lies.liar && !lies.all_mute)
        return WORLD_PASS;
    if (lies.mute)
        return WORLD_DROP;
    Hanse__PutChunk *put = frame->put_chunk;
    if (put->data.len > 0 && hs_bytes_equal(hs_pb_bytes(put->hash), HS_VIEW(lies.dripped)))
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
    struct hs_id hashes[BLOBS];
    enum hs_err err;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    lies.dripped = hashes[1];
    for (size_t i = 0; i < 2; i++)
        assert_bytes(world_get_all(s.room, &hashes[i], &err), s.bytes[i]);
    assert_non_null(lies.liar);
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
    world_inject(lies.liar, s->hub, &frame);
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
    struct hs_id hashes[BLOBS];
    enum hs_err err = HS_ERR_BUSY;
    Hanse__Chunk *chunk;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    lies.mute = true;
    for (uint64_t n = 0; n < 40 && err == HS_ERR_BUSY; n++) {
        err = world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[0]), 0, &chunk);
        world_pass(w, 2000);
        if (lies.liar != NULL)
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
    struct hs_id hashes[BLOBS];
    enum hs_err err = HS_ERR_BUSY;
    int64_t passed = 0;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    lies.mute = lies.all_mute = true;
    for (uint64_t n = 0; passed < 300000 && err == HS_ERR_BUSY; n++) {
        err = world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[0]), 0, NULL);
        world_pass(w, 2000);
        passed += 2000;
        if (lies.liar != NULL)
            drip(&s, &hashes[0], next ? n : 0);
        world_run(w);
    }
    assert_err(err, HS_ERR_BLOB_UNKNOWN);
    assert_int_equal(lies.errors, 0);
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
    struct hs_id hashes[BLOBS];
    enum hs_err err = HS_ERR_BUSY;
    Hanse__Chunk *chunk;
    uint64_t n = 0;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    lies.mute = lies.busy_once = true;
    for (int i = 0; i < 20 && err == HS_ERR_BUSY; i++) {
        err = world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[0]), 0, &chunk);
        world_pass(w, 2000);
        if (lies.liar != NULL)
            drip(&s, &hashes[0], n++);
        world_run(w);
    }
    assert_ok(err);
    assert_int_equal(chunk->size, LEN);
    assert_ptr_not_equal(lies.busy, lies.liar);
}

/* NODE-94: who was asked may have so much under way at once, and is told to wait; then it goes on. */
static void so_much_at_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[BLOBS];
    enum hs_err err;
    scene_new(w, &s);
    lose(&s, hashes);
    w->hook = lie;
    w->hook_ctx = &s;
    lies.mute = true;
    for (size_t i = 0; i < BLOBS; i++)
        assert_err(world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[i]), 0, NULL), HS_ERR_BUSY);
    world_pass(w, 1000);
    assert_non_null(lies.liar);
    for (size_t i = 0; i < BLOBS; i++)
        drip(&s, &hashes[i], 0);
    assert_int_equal(lies.errors, BLOBS - HS_BLOB_WAITING_BYTES / HS_ATTACHMENT_MAX);
    assert_err(lies.err, HS_ERR_BUSY);
    for (size_t i = 0; i < BLOBS; i++) /* nobody else is kept from it */
        assert_bytes(world_get_all(s.room, &hashes[i], &err), s.bytes[i]);
}

/* NODE-94: what has come counts no more, however much it was: the lost ones are larger than that together. */
static void one_after_another(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[BLOBS];
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
    for (size_t i = 0; i < BLOBS; i++)
        assert_bytes(world_get_all(s.room, &hashes[i], &err), s.bytes[i]);
}

/* NODE-94: who was asked for it in one room has no right to bring it in another one. */
static void asked_for_one_room(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_id hashes[BLOBS];
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
    lies.mute = true;
    assert_err(world_chunk(s.owner, &s.room->id, HS_VIEW(hashes[0]), 0, NULL), HS_ERR_BUSY);
    world_pass(w, 1000);
    assert_non_null(lies.liar);
    drip(&s, &hashes[0], 0);
    world_run(w);
    assert_int_equal(lies.errors, 0);
    drip_into(&s, second, &hashes[0], 0);
    world_run(w);
    assert_int_equal(lies.errors, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_holds_up_no_return),
        cmocka_unit_test(a_follower_holds_up_no_return),
        cmocka_unit_test(a_slow_one_is_not_the_only_one),
        cmocka_unit_test(the_same_again_is_nothing),
        cmocka_unit_test(readers_are_told_in_the_end),
        cmocka_unit_test(who_was_busy_is_asked_again),
        cmocka_unit_test(so_much_at_once),
        cmocka_unit_test(one_after_another),
        cmocka_unit_test(asked_for_one_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
