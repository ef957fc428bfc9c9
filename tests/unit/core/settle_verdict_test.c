/* What members say of commits: as long as it was when it came, and genuine when it is shown. */
#include "settle_scene.h"

#include "core/internal.h"
#include "object/object.h"
#include "wire/unpack.h"

static uint8_t one = 1;
static ProtobufCMessageUnknownField unknown = {
    .tag = 99, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = 1, .data = &one};

/* Asks the hub with a frame of a member's making. */
static enum hs_err say_so(struct world_room *room, Hanse__Frame *frame)
{
    enum hs_err err = world_ask_hub(room->device, room->hub, frame, NULL);
    world_settle(room->device->world);
    return err;
}

static Hanse__Frame *verdict_frame(struct world_room *room, enum hs_err verdict)
{
    return world_confirm_frame(room, &room->newest, hs_mls_group_own_leaf(room->group), verdict);
}

/* A genuine verdict in an envelope with a field that nobody knows is refused when it comes, not when it would
 * be quoted: the node goes on, and the others decide. OBJECT-10, ROOM-63 */
static void verdict_with_unknown_fields(void **state)
{
    (void)state;
    static const enum hs_err verdicts[] = {HS_OK, HS_ERR_DECRYPT};
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(commit(s.room));
    for (size_t i = 0; i < 4; i++) {
        Hanse__Frame *frame = verdict_frame(s.alices, verdicts[i % 2]);
        Hanse__SignedObject *verdict = frame->confirm->verdict;
        ProtobufCMessage *place = i < 2 ? &verdict->base : &verdict->signatures[0]->base;
        place->unknown_fields = &unknown;
        place->n_unknown_fields = 1;
        assert_err(say_so(s.alices, frame), HS_ERR_UNSUPPORTED);
        assert_true(is_unsettled(s.bobs));
    }
    assert_ok(say(s.bobs, HS_OK));
    assert_false(is_unsettled(s.bobs));
    assert_false(is_unsettled(s.alices));
    /* nor is one counted as bad when its time is up */
    assert_ok(commit(s.room));
    Hanse__Frame *frame = verdict_frame(s.alices, HS_ERR_DECRYPT);
    frame->confirm->verdict->base.unknown_fields = &unknown;
    frame->confirm->verdict->base.n_unknown_fields = 1;
    assert_err(say_so(s.alices, frame), HS_ERR_UNSUPPORTED);
    world_pass(w, HS_SETTLE_VOID_MS);
    world_settle(w);
    assert_false(is_unsettled(s.bobs));
    assert_int_equal(epoch(s.bobs), epoch(s.room));
}

/* The same verdict with a payload of the member's making. */
static Hanse__Frame *resigned(struct world_room *room, struct hs_bytes payload)
{
    struct hs_writer HS_WRITER pae = hs_writer(1 << 16);
    struct hs_sig sig;
    Hanse__Frame *frame = verdict_frame(room, HS_OK);
    Hanse__SignedObject *verdict = frame->confirm->verdict;
    verdict->payload = hs_pb_data(payload);
    hs_object_pae(&pae, hs_bytes_str(verdict->type), payload);
    hs_sign(&room->persona->keys.signature, hs_writer_bytes(&pae), &sig);
    verdict->signatures[0]->sig = hs_pb_data(hs_arena_copy(&room->device->world->arena, HS_VIEW(sig)));
    return frame;
}

/* What is signed can't be made long either: one encoding of a number, and no field that isn't known. ROOM-63,
 * OBJECT-9 */
static void verdict_that_is_long(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(commit(s.room));
    struct hs_bytes honest = hs_pb_bytes(verdict_frame(s.alices, HS_OK)->confirm->verdict->payload), all;
    struct hs_writer HS_WRITER padded = hs_writer(1 << 16);
    assert_int_equal(honest.data[0], 0x0a); /* the header's tag, in nine bytes more */
    hs_write_bytes(&padded, hs_bytes("\x8a\x80\x80\x80\x80\x80\x80\x80\x80\x00", 10));
    hs_write_bytes(&padded, hs_bytes(honest.data + 1, honest.len - 1));
    assert_err(say_so(s.alices, resigned(s.alices, hs_writer_bytes(&padded))), HS_ERR_MALFORMED);
    /* all that a payload may have, at its largest, fits */
    Hanse__Verdict *most;
    struct hs_id prev = s.room->id;
    assert_ok(HS_UNPACK(hanse__verdict, honest, HS_STRICT, &w->arena, &most));
    most->hdr->prev = hs_pb_data(HS_VIEW(prev));
    most->hdr->created_ms = most->hdr->not_after_ms = INT64_MAX;
    most->seq = UINT64_MAX;
    most->leaf = most->error = UINT32_MAX;
    Hanse__Frame *frame = resigned(s.bobs, world_pack(w, &most->base));
    assert_ok(hs_object_pack(frame->confirm->verdict, &w->arena, &all));
    assert_in_range(all.len, 1, HS_SETTLE_VERDICT_LEN);
    assert_ok(say(s.bobs, HS_OK));
    assert_false(is_unsettled(s.bobs));
}

/* A verdict in memory that can't be quoted, however it came there, is dropped; the others decide. */
static void verdict_that_rots(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(commit(s.room));
    assert_ok(say(s.alices, HS_ERR_DECRYPT));
    struct hs_settling *settling = s.node->core->settlings;
    assert_int_equal(settling->bad, 1);
    settling->votes[0].object[0] = 0xff;
    world_pass(w, HS_SETTLE_VOID_MS);
    world_settle(w);
    assert_false(is_unsettled(s.bobs)); /* as if nobody had spoken */
    assert_int_equal(epoch(s.bobs), epoch(s.room));
    assert_ok(commit(s.alices));
    assert_true(is_unsettled(s.bobs));
    assert_ok(say(s.bobs, HS_OK));
    assert_false(is_unsettled(s.bobs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verdict_with_unknown_fields),
        cmocka_unit_test(verdict_that_is_long),
        cmocka_unit_test(verdict_that_rots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
