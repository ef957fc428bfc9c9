/* Records frames written by hand are those that protobuf-c would write. */
#include "support/rng.h"
#include "support/test.h"

#include "core/delivery/pack.h"
#include "core/state.pb-c.h"
#include "object/hdr.h"
#include "schema/link.pb-c.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { RECORDS = 12, CAP = 1 << 20 };

static struct hs_bytes random_bytes(struct rng *rng, struct hs_arena *arena, size_t max)
{
    size_t len = 1 + rng_below(rng, max);
    uint8_t *out = hs_arena_alloc(arena, len);
    assert_non_null(out);
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)rng_below(rng, 256);
    return hs_bytes(out, len);
}

static struct hs_bytes packed(const ProtobufCMessage *message, struct hs_arena *arena)
{
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    assert_ok(hs_pack(message, &w));
    return hs_arena_copy(arena, hs_writer_bytes(&w));
}

/* A hub's entry: what only the node needs stands behind the record. Every fourth has lost its body. */
static struct hs_bytes entry(struct rng *rng, struct hs_arena *arena, Hanse__Record *record, size_t i)
{
    Hanse__State__RoomEntry e = HANSE__STATE__ROOM_ENTRY__INIT;
    e.header = record->header = hs_pb_data(random_bytes(rng, arena, 300));
    if (i % 4 != 3)
        e.body = record->body = hs_pb_data(random_bytes(rng, arena, 1 << rng_below(rng, 13)));
    if (i % 3 == 1) { /* a post with attachments */
        ProtobufCBinaryData *blobs = hs_arena_alloc(arena, 4 * sizeof *blobs);
        for (size_t n = 0; n < 1 + i % 4; n++)
            blobs[n] = hs_pb_data(random_bytes(rng, arena, 1));
        e.blobs = record->blobs = blobs;
        e.n_blobs = record->n_blobs = 1 + i % 4;
    } else if (i % 2 == 0)
        e.welcome = hs_pb_data(random_bytes(rng, arena, 2000));
    return packed(&e.base, arena);
}

static void frames_are_those_of_protobuf_c(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    for (size_t count = 1; count <= RECORDS; count++) {
        struct hs_arena HS_ARENA arena = hs_arena(CAP);
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Records records = HANSE__RECORDS__INIT;
        Hanse__Record record[RECORDS], *list[RECORDS];
        Hanse__SignedObject head = HANSE__SIGNED_OBJECT__INIT;
        struct hs_id room = {{(uint8_t)count}};
        struct hs_pack pack = hs_pack_begin(&w, &room);
        for (size_t i = 0; i < count; i++) {
            record[i] = (Hanse__Record)HANSE__RECORD__INIT;
            list[i] = &record[i];
            assert_true(hs_pack_add(&pack, entry(&rng, &arena, &record[i], i), CAP));
        }
        head.payload = hs_pb_data(random_bytes(&rng, &arena, 300));
        records.room = hs_pb_data(HS_VIEW(room));
        records.records = list;
        records.n_records = count;
        records.head = &head;
        Hanse__SignedObject descriptor = HANSE__SIGNED_OBJECT__INIT;
        struct hs_bytes shown = {0};
        descriptor.payload = hs_pb_data(random_bytes(&rng, &arena, 200));
        if (rng_below(&rng, 2) == 0) {
            records.descriptor = &descriptor;
            shown = packed(&descriptor.base, &arena);
        }
        records.retention_ms = rng_below(&rng, 2) == 0 ? 0 : (int64_t)(rng_next(&rng) >> 1);
        frame.records = &records;
        frame.body_case = HANSE__FRAME__BODY_RECORDS;
        assert_bytes(hs_pack_end(&pack, packed(&head.base, &arena), shown, records.retention_ms),
                     packed(&frame.base, &arena));
        assert_int_equal(pack.records, count);
    }
}

/* DELIVERY-13: one record always, another one only where it fits. */
static void a_frame_is_filled_so_far(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_arena HS_ARENA arena = hs_arena(CAP);
    Hanse__State__RoomEntry e = HANSE__STATE__ROOM_ENTRY__INIT;
    struct hs_id room = {{7}};
    uint8_t bytes[1000] = {1};
    e.header = e.body = hs_pb_data(hs_bytes(bytes, sizeof bytes));
    struct hs_bytes thousand = packed(&e.base, &arena);
    struct hs_pack pack = hs_pack_begin(&w, &room);
    assert_true(hs_pack_add(&pack, thousand, 100));
    size_t one = w.len;
    assert_false(hs_pack_add(&pack, thousand, one + 2005));
    assert_int_equal(w.len, one);
    assert_true(hs_pack_add(&pack, thousand, one + 2006));
    assert_ok(w.err);
    assert_false(hs_pack_add(&pack, random_bytes(&rng, &arena, 1), CAP)); /* not an entry */
    assert_int_equal(w.err, HS_ERR_STORE);
    assert_int_equal(hs_pack_end(&pack, thousand, thousand, 0).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_those_of_protobuf_c),
        cmocka_unit_test(a_frame_is_filled_so_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
