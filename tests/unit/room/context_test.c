#include "unit/room/fixture.h"

#include "room/context.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static struct hs_id joins[HS_JOIN_BATCH_MAX + 1];

static void joins_fill(void)
{
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
        joins[i] = (struct hs_id){.b = {(uint8_t)(i >> 8), (uint8_t)i}};
}

static enum hs_err round_trip(const struct hs_message_context *context, struct hs_message_context *read)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTEXT_MAX);
    HS_TRY(hs_message_context_pack(context, &w));
    return hs_message_context_parse(hs_writer_bytes(&w), &arena, read);
}

/* ROOM-36 */
static void test_round_trip(void **state)
{
    (void)state;
    joins_fill();
    struct hs_message_context read, context = {.has_head = true,
                                               .head_seq = 77,
                                               .head_hash = id_of("head"),
                                               .joins = joins,
                                               .join_count = HS_JOIN_BATCH_MAX};
    assert_ok(round_trip(&context, &read));
    assert_true(read.has_head && read.head_seq == 77 && hs_id_equal(&read.head_hash, &context.head_hash));
    assert_int_equal(read.join_count, HS_JOIN_BATCH_MAX);
    assert_memory_equal(read.joins, joins, HS_JOIN_BATCH_MAX * sizeof *joins);
    context = (struct hs_message_context){0};
    assert_ok(round_trip(&context, &read));
    assert_true(!read.has_head && read.join_count == 0);
    assert_ok(hs_message_context_parse(hs_bytes(NULL, 0), &arena, &read));
    assert_ok(hs_message_context_parse(hs_bytes("\xa2\x01\x02hi", 5), &arena, &read)); /* a later version's */
}

/* ROOM-36 */
static void test_refused(void **state)
{
    (void)state;
    joins_fill();
    struct hs_message_context read, context = {.joins = joins, .join_count = HS_JOIN_BATCH_MAX + 1};
    assert_err(round_trip(&context, &read), HS_ERR_TOO_LARGE);
    context.join_count = 9;
    joins[8] = joins[3];
    assert_err(round_trip(&context, &read), HS_ERR_INVALID_ARG);

    ProtobufCBinaryData views[HS_JOIN_BATCH_MAX + 1];
    for (size_t i = 0; i <= HS_JOIN_BATCH_MAX; i++)
        views[i] = hs_pb_data(HS_VIEW(joins[i]));
    Hanse__MessageContext m = HANSE__MESSAGE_CONTEXT__INIT;
    m.joins = views;
#define PARSE(want)                                                                                          \
    do {                                                                                                     \
        struct hs_writer HS_WRITER w = hs_writer(HS_CONTEXT_MAX);                                            \
        assert_ok(HS_PACK(&m, &w));                                                                          \
        assert_err(hs_message_context_parse(hs_writer_bytes(&w), &arena, &read), (want));                    \
        assert_int_equal(read.join_count, 0);                                                                \
    } while (0)
    m.n_joins = 9;
    PARSE(HS_ERR_MALFORMED); /* the same JOIN twice */
    joins_fill();
    m.n_joins = HS_JOIN_BATCH_MAX + 1;
    PARSE(HS_ERR_TOO_LARGE);
    m.n_joins = 3;
    views[2].len = 31;
    PARSE(HS_ERR_MALFORMED);
    m.n_joins = 0;
    m.head_seq = 5;
    PARSE(HS_ERR_MALFORMED); /* a number without its hash */
    m.head_hash = views[2];
    PARSE(HS_ERR_MALFORMED);
#undef PARSE
    uint8_t *big = hs_arena_alloc(&arena, HS_CONTEXT_MAX + 1);
    assert_err(hs_message_context_parse(hs_bytes(big, HS_CONTEXT_MAX + 1), &arena, &read), HS_ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
