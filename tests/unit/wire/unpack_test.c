#include <stdio.h>

#include "support/hex.h"

#include "unit/wire/required.pb-c.h"
#include "unit/wire/sample.pb-c.h"
#include "wire/limits.h"
#include "wire/unpack.h"

static void round_trip(void **state)
{
    (void)state;
    uint8_t data[] = {1, 0, 2};
    char *strings[] = {"one", "zwei"};
    Sample__Leaf leaf = SAMPLE__LEAF__INIT;
    leaf.number = 77;
    leaf.data = (ProtobufCBinaryData){sizeof data, data};
    Sample__All all = SAMPLE__ALL__INIT, *back = NULL;
    all.a_int32 = -5;
    all.a_string = "Grüße";
    all.n_strings = 2;
    all.strings = strings;
    all.choice_case = SAMPLE__ALL__CHOICE_CHOICE_LEAF;
    all.choice_leaf = &leaf;
    struct hs_writer HS_WRITER w = hs_writer(1000);
    struct hs_arena HS_ARENA arena = hs_arena(hs_unpack_budget(1000));
    assert_ok(HS_PACK(&all, &w));
    assert_ok(HS_UNPACK(sample__all, hs_writer_bytes(&w), HS_STRICT, &arena, &back));
    assert_int_equal(back->a_int32, -5);
    assert_string_equal(back->a_string, "Grüße");
    assert_int_equal(back->n_strings, 2);
    assert_string_equal(back->strings[1], "zwei");
    assert_int_equal(back->choice_case, SAMPLE__ALL__CHOICE_CHOICE_LEAF);
    assert_true(back->choice_leaf->number == 77);
    assert_bytes(hs_bytes(back->choice_leaf->data.data, back->choice_leaf->data.len), hs_bytes(data, 3));
}

static void nothing(void **state)
{
    (void)state;
    Sample__All *back = NULL;
    struct hs_arena HS_ARENA arena = hs_arena(hs_unpack_budget(0));
    assert_ok(HS_UNPACK(sample__all, (struct hs_bytes){0}, HS_STRICT, &arena, &back));
    assert_non_null(back);
    assert_string_equal(back->a_string, "");
}

/* After a refusal there is no message and nothing was taken of the arena. */
static void refusal(void **state)
{
    (void)state;
    const uint8_t twice[] = {0x08, 1, 0x08, 1}, newer[] = {0x98, 0x06, 1};
    Sample__All *back = (Sample__All *)1;
    struct hs_arena HS_ARENA arena = hs_arena(hs_unpack_budget(100));
    assert_err(HS_UNPACK(sample__all, hs_bytes(twice, 4), HS_LENIENT, &arena, &back), HS_ERR_MALFORMED);
    assert_null(back);
    assert_err(HS_UNPACK(sample__all, hs_bytes(newer, 3), HS_STRICT, &arena, &back), HS_ERR_UNSUPPORTED);
    assert_null(back);
    assert_int_equal(arena.used, 0);
    assert_ok(HS_UNPACK(sample__all, hs_bytes(newer, 3), HS_LENIENT, &arena, &back));
    assert_int_equal(back->base.n_unknown_fields, 1);
}

/* The same value n times as length-prefixed field 'number'. */
static void fill(struct hs_writer *w, unsigned number, struct hs_bytes value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hs_write_pb_varint(w, number << 3 | 2);
        hs_write_pb_varint(w, value.len);
        hs_write_bytes(w, value);
    }
}

/* WIRE-11: the budget holds whatever the arena's own cap, and ends in NOMEM, not in a crash. */
static void budget(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(100000), HS_WRITER sub = hs_writer(1000);
    fill(&sub, 24, (struct hs_bytes){0}, HS_REPEATED_MAX - 1); /* 255 empty leaves in 765 bytes */
    fill(&w, 41, hs_writer_bytes(&sub), HS_VALUES_MAX / HS_REPEATED_MAX);
    const size_t limit = hs_unpack_budget(w.len);
    assert_int_equal(limit, 8 * w.len + 65536);
    struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
    Sample__All *back = NULL;
    assert_non_null(hs_arena_alloc(&arena, 4096));
    assert_err(HS_UNPACK(sample__all, hs_writer_bytes(&w), HS_LENIENT, &arena, &back), HS_ERR_TOO_LARGE);
    assert_true(arena.used - 4096 <= limit);
    assert_true(arena.cap == SIZE_MAX / 2);
    assert_true(hs_unpack_budget(SIZE_MAX) == SIZE_MAX);
}

/* The arena's own cap holds too. */
static void arena_cap(void **state)
{
    (void)state;
    const uint8_t in[] = {0x08, 1};
    Sample__All *back = NULL;
    struct hs_arena HS_ARENA small = hs_arena(sizeof(Sample__All) - 1);
    struct hs_arena HS_ARENA fits = hs_arena(sizeof(Sample__All) + 15);
    assert_err(HS_UNPACK(sample__all, hs_bytes(in, 2), HS_STRICT, &small, &back), HS_ERR_TOO_LARGE);
    assert_ok(HS_UNPACK(sample__all, hs_bytes(in, 2), HS_STRICT, &fits, &back));
}

/* WIRE-11: what honest messages take: long lists of small things stay within the budget. */
static void honest_lists(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 8, 32, 100};
    static uint8_t data[100];
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct hs_writer HS_WRITER w = hs_writer(100000), HS_WRITER leaf = hs_writer(300);
        hs_write_bytes(&leaf, hs_bytes("\x08\x05", 2));
        fill(&leaf, 2, hs_bytes(data, lens[i]), 1);
        fill(&w, 24, hs_writer_bytes(&leaf), HS_REPEATED_MAX);
        fill(&w, 23, hs_bytes(data, lens[i]), HS_REPEATED_MAX);
        struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
        Sample__All *back = NULL;
        assert_ok(HS_UNPACK(sample__all, hs_writer_bytes(&w), HS_STRICT, &arena, &back));
        printf("%zu bytes took %zu of %zu\n", w.len, arena.used, hs_unpack_budget(w.len));
        assert_int_equal(back->n_leaves, HS_REPEATED_MAX);
    }
}

/* The measured attacks on the unpacker, at a megabyte each, are refused by the walk. */
static void measured_attacks(void **state)
{
    (void)state;
    static const struct {
        unsigned number;
        size_t value_len;
        enum hs_err err;
        const char *what;
    } rows[] = {
        {99, 0, HS_ERR_MALFORMED, "unknown empty fields"},
        {24, 0, HS_ERR_TOO_LARGE, "repeated empty submessages"},
        {23, 0, HS_ERR_TOO_LARGE, "repeated empty bytes"},
        {17, 100, HS_ERR_MALFORMED, "a singular submessage again and again"},
        {20, 1 << 20, HS_ERR_TOO_LARGE, "packed numbers"},
    };
    static uint8_t zeros[1 << 20];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hs_writer HS_WRITER w = hs_writer(1 << 22);
        struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
        Sample__All *back = NULL;
        size_t one = 3 + rows[i].value_len;
        if (rows[i].number == 17)
            memcpy(zeros, "\x12\x62", 2); /* well-formed inside: 98 bytes of data */
        fill(&w, rows[i].number, hs_bytes(zeros, rows[i].value_len), (1 << 20) / one + 1);
        enum hs_err err = HS_UNPACK(sample__all, hs_writer_bytes(&w), HS_LENIENT, &arena, &back);
        if (err != rows[i].err)
            fail_msg("%s: %s", rows[i].what, hs_err_name(err));
        assert_int_equal(arena.used, 0);
    }
}

static void required_field(void **state)
{
    (void)state;
    const uint8_t without[] = {0x10, 1}, with[] = {0x08, 1};
    Sample__Required *back = NULL;
    struct hs_arena HS_ARENA arena = hs_arena(hs_unpack_budget(2));
    assert_err(HS_UNPACK(sample__required, hs_bytes(without, 2), HS_STRICT, &arena, &back), HS_ERR_MALFORMED);
    assert_ok(HS_UNPACK(sample__required, hs_bytes(with, 2), HS_STRICT, &arena, &back));
}

static void pack_limit(void **state)
{
    (void)state;
    Sample__Leaf leaf = SAMPLE__LEAF__INIT;
    leaf.number = 1;
    struct hs_writer HS_WRITER fits = hs_writer(2), HS_WRITER small = hs_writer(1);
    assert_ok(HS_PACK(&leaf, &fits));
    assert_err(HS_PACK(&leaf, &small), HS_ERR_TOO_LARGE);
    assert_int_equal(small.len, 0);
}

/* WIRE-12 */
static void one_encoding(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum hs_err err;
        const char *what;
    } rows[] = {
        {"", HS_OK, "nothing"},
        {"08011002", HS_OK, "in order"},
        {"10020801", HS_ERR_MALFORMED, "out of order"},
        {"0800", HS_ERR_MALFORMED, "a default spelled out"},
        {"a201020102", HS_OK, "packed as the schema says"},
        {"a00101a00102", HS_ERR_MALFORMED, "not packed"},
        {"a20100", HS_ERR_MALFORMED, "packed, empty"},
        {"8a01020801", HS_OK, "a submessage"},
        {"8a01020800", HS_ERR_MALFORMED, "a default within a submessage"},
        {"f00100", HS_OK, "a oneof's default, which is meant"},
        {"08010801", HS_ERR_MALFORMED, "twice"},
        {"980601", HS_ERR_UNSUPPORTED, "an unknown field"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct owned OWNED in = unhex(rows[i].hex);
        enum hs_err err = hs_pack_check(&sample__all__descriptor, OWNED_VIEW(in), HS_STRICT);
        if (err != rows[i].err)
            fail_msg("%s: %s, expected %s", rows[i].what, hs_err_name(err), hs_err_name(rows[i].err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),       cmocka_unit_test(nothing),        cmocka_unit_test(refusal),
        cmocka_unit_test(budget),           cmocka_unit_test(arena_cap),      cmocka_unit_test(honest_lists),
        cmocka_unit_test(measured_attacks), cmocka_unit_test(required_field), cmocka_unit_test(pack_limit),
        cmocka_unit_test(one_encoding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
