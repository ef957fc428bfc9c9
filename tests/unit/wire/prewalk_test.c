/* What the pre-walk lets through and what it refuses, message by message. Bytes are written by hand, because
 * no encoder makes the hostile ones. */
#include "support/hex.h"

#include "base/writer.h"
#include "unit/wire/sample.pb-c.h"
#include "wire/limits.h"
#include "wire/prewalk.h"

enum { VARINT, FIXED64, LENGTH, GROUP, END_GROUP, FIXED32 };

static void key(struct hs_writer *w, uint64_t number, unsigned wire_type)
{
    hs_write_pb_varint(w, number << 3 | wire_type);
}

static void varint(struct hs_writer *w, uint64_t number, uint64_t value)
{
    key(w, number, VARINT);
    hs_write_pb_varint(w, value);
}

static void bytes(struct hs_writer *w, uint64_t number, struct hs_bytes value)
{
    key(w, number, LENGTH);
    hs_write_pb_varint(w, value.len);
    hs_write_bytes(w, value);
}

static enum hs_err walk(struct hs_writer *w, enum hs_strictness strictness)
{
    assert_ok(w->err);
    return hs_prewalk(&sample__all__descriptor, hs_writer_bytes(w), strictness);
}

#define MESSAGE struct hs_writer HS_WRITER w = hs_writer(1 << 20)

/* WIRE-5: rows of whole messages in hex. */
static void small_messages(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum hs_err err;
        const char *what;
    } rows[] = {
        {"", HS_OK, "nothing"},
        {"0801", HS_OK, "int32 1"},
        {"08ffffffffffffffffff01", HS_OK, "int32 -1, sign-extended"},
        {"08ffffffff0f", HS_ERR_MALFORMED, "int32 of 2^32-1, not sign-extended"},
        {"08ffffffff07", HS_OK, "int32 2^31-1"},
        {"088080808008", HS_ERR_MALFORMED, "int32 of 2^31"},
        {"0880808080f8ffffffff01", HS_OK, "int32 -2^31"},
        {"08fffffffff7ffffffff01", HS_ERR_MALFORMED, "int32 of -2^31-1"},
        {"10ffffffffffffffffff01", HS_OK, "int64 -1"},
        {"18ffffffff0f", HS_OK, "uint32 2^32-1"},
        {"188080808010", HS_ERR_MALFORMED, "uint32 of 2^32"},
        {"20ffffffffffffffffff01", HS_OK, "uint64 2^64-1"},
        {"20ffffffffffffffffff02", HS_ERR_MALFORMED, "a varint past 64 bits"},
        {"20ffffffffffffffffffff01", HS_ERR_MALFORMED, "a varint of 11 bytes"},
        {"208000", HS_ERR_MALFORMED, "0, overlong"},
        {"208100", HS_ERR_MALFORMED, "1, overlong"},
        {"20", HS_ERR_MALFORMED, "no value"},
        {"2080", HS_ERR_MALFORMED, "half a varint"},
        {"28ffffffff0f", HS_OK, "sint32"},
        {"288080808010", HS_ERR_MALFORMED, "sint32 of 33 bits"},
        {"3d01020304", HS_OK, "fixed32"},
        {"3d010203", HS_ERR_MALFORMED, "fixed32, cut"},
        {"410102030405060708", HS_OK, "fixed64"},
        {"4101020304050607", HS_ERR_MALFORMED, "fixed64, cut"},
        {"3801", HS_ERR_MALFORMED, "fixed32 as varint"},
        {"0d01000000", HS_ERR_MALFORMED, "int32 as fixed32"},
        {"0a0101", HS_ERR_MALFORMED, "singular int32 as packed"},
        {"6801", HS_OK, "true"},
        {"6802", HS_ERR_MALFORMED, "a bool of 2"},
        {"7005", HS_OK, "an enum value"},
        {"70ffffffffffffffffff01", HS_OK, "a negative enum value"},
        {"7a0161", HS_OK, "a string"},
        {"7a0100", HS_ERR_MALFORMED, "a string with NUL"},
        {"7a021b5b", HS_ERR_MALFORMED, "a string with an escape character"},
        {"7a01ff", HS_ERR_MALFORMED, "a string that isn't UTF-8"},
        {"7a0261", HS_ERR_MALFORMED, "a string past the end"},
        {"82010100", HS_OK, "bytes with NUL"},
        {"8201ffffffffffffffffff01", HS_ERR_MALFORMED, "a length of 2^64-1"},
        {"8201810061", HS_ERR_MALFORMED, "an overlong length"},
        {"8a0100", HS_OK, "an empty submessage"},
        {"8a01020801", HS_OK, "a submessage"},
        {"8a01030801", HS_ERR_MALFORMED, "a submessage past the end"},
        {"8a01010801", HS_ERR_MALFORMED, "a field past its submessage"},
        {"8b01", HS_ERR_MALFORMED, "a group where a message should be"},
        {"0b0c", HS_ERR_MALFORMED, "a known field as group"},
        {"0e", HS_ERR_MALFORMED, "wire type 6"},
        {"0f", HS_ERR_MALFORMED, "wire type 7"},
        {"0001", HS_ERR_MALFORMED, "field number 0"},
        {"880001", HS_ERR_MALFORMED, "an overlong key"},
        {"faffffff0f00", HS_OK, "the largest field number"},
        {"808080801001", HS_ERR_MALFORMED, "one past it"},
        {"ffffffffffffffffff01", HS_ERR_MALFORMED, "a key of 64 bits"},
    };
    const size_t count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < count; i++) {
        struct owned OWNED in = unhex(rows[i].hex);
        enum hs_err err = hs_prewalk(&sample__all__descriptor, OWNED_VIEW(in), HS_LENIENT);
        if (err != rows[i].err)
            fail_msg("%s (%s): %s, expected %s", rows[i].what, rows[i].hex, hs_err_name(err),
                     hs_err_name(rows[i].err));
    }
}

/* WIRE-5 */
static void unknown_fields(void **state)
{
    (void)state;
    static const unsigned good[] = {VARINT, FIXED64, LENGTH, FIXED32}, bad[] = {GROUP, END_GROUP, 6, 7};
    const uint8_t value[8] = {1};
    for (size_t i = 0; i < 4; i++) {
        MESSAGE;
        key(&w, 99, good[i]);
        hs_write_bytes(&w, hs_bytes(value, good[i] == FIXED64 ? 8 : good[i] == FIXED32 ? 4 : 1));
        if (good[i] == LENGTH)
            hs_write_u8(&w, 7);
        assert_ok(walk(&w, HS_LENIENT));
        assert_ok(walk(&w, HS_KNOWN_ENUMS));
        assert_err(walk(&w, HS_STRICT), HS_ERR_UNSUPPORTED);
        hs_writer_reset(&w);
        key(&w, 99, good[i]);
        assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
        hs_writer_reset(&w);
        key(&w, 99, bad[i]);
        hs_write_bytes(&w, hs_bytes(value, 8));
        assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
    }
}

/* WIRE-6: 16 in each message, not 17; counted for each message by itself. */
static void unknown_limit(void **state)
{
    (void)state;
    MESSAGE;
    struct hs_writer HS_WRITER sub = hs_writer(1000);
    for (uint64_t i = 0; i < HS_UNKNOWN_MAX; i++)
        varint(&sub, 99 + i, 1);
    hs_write_bytes(&w, hs_writer_bytes(&sub));
    bytes(&w, 17, hs_writer_bytes(&sub));
    bytes(&w, 32, hs_writer_bytes(&sub));
    assert_ok(walk(&w, HS_LENIENT));
    size_t len = w.len;
    varint(&w, 99, 1);
    assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
    w.len = len;
    varint(&sub, 99, 1);
    bytes(&w, 24, hs_writer_bytes(&sub));
    assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
}

/* WIRE-7 */
static void duplicates(void **state)
{
    (void)state;
    static const unsigned singular[] = {1, 4, 13, 14, 30};
    for (size_t i = 0; i < sizeof singular / sizeof singular[0]; i++) {
        MESSAGE;
        varint(&w, singular[i], 1);
        assert_ok(walk(&w, HS_LENIENT));
        varint(&w, singular[i], 1);
        assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
    }
    static const unsigned prefixed[] = {15, 16, 17, 31, 34, 40};
    for (size_t i = 0; i < sizeof prefixed / sizeof prefixed[0]; i++) {
        MESSAGE;
        bytes(&w, prefixed[i], (struct hs_bytes){0});
        assert_ok(walk(&w, HS_LENIENT));
        bytes(&w, prefixed[i], (struct hs_bytes){0});
        assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
    }
}

/* WIRE-7: one member of a oneof; another oneof is another matter. */
static void oneofs(void **state)
{
    (void)state;
    MESSAGE;
    varint(&w, 30, 1);
    varint(&w, 33, 1);
    assert_ok(walk(&w, HS_LENIENT));
    size_t len = w.len;
    bytes(&w, 31, hs_bytes_str("x"));
    assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
    w.len = len;
    bytes(&w, 32, (struct hs_bytes){0});
    assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
    w.len = len;
    bytes(&w, 34, (struct hs_bytes){0});
    assert_err(walk(&w, HS_LENIENT), HS_ERR_MALFORMED);
}

/* n messages within each other; the innermost is empty. */
static void nest(struct hs_writer *out, size_t n)
{
    struct hs_writer HS_WRITER inner = hs_writer(1 << 20);
    for (size_t i = 1; i < n; i++) {
        struct hs_writer outer = hs_writer(1 << 20);
        bytes(&outer, i + 1 < n ? 1 : 40, hs_writer_bytes(&inner));
        hs_writer_free(&inner);
        inner = outer;
    }
    hs_write_bytes(out, hs_writer_bytes(&inner));
}

/* WIRE-8: 8 messages deep, not 9; and the stack-smashing depths of the unpacker's recursion. */
static void nesting(void **state)
{
    (void)state;
    static const size_t deep[] = {HS_NESTING_MAX + 1, 100, 2000, 16000};
    MESSAGE;
    nest(&w, HS_NESTING_MAX);
    assert_ok(walk(&w, HS_LENIENT));
    for (size_t i = 0; i < sizeof deep / sizeof deep[0]; i++) {
        hs_writer_reset(&w);
        nest(&w, deep[i]);
        assert_err(walk(&w, HS_LENIENT), HS_ERR_TOO_LARGE);
    }
}

/* WIRE-9: 256 values of a field, however they are written. */
static void repeated(void **state)
{
    (void)state;
    static const uint8_t ones[HS_REPEATED_MAX + 1] = {0};
    static const unsigned prefixed[] = {22, 23, 24};
    for (size_t i = 0; i < sizeof prefixed / sizeof prefixed[0]; i++) {
        MESSAGE;
        for (size_t n = 0; n < HS_REPEATED_MAX; n++)
            bytes(&w, prefixed[i], (struct hs_bytes){0});
        assert_ok(walk(&w, HS_LENIENT));
        bytes(&w, prefixed[i], (struct hs_bytes){0});
        assert_err(walk(&w, HS_LENIENT), HS_ERR_TOO_LARGE);
    }
    static const unsigned packable[] = {20, 21, 26};
    for (size_t i = 0; i < sizeof packable / sizeof packable[0]; i++) {
        MESSAGE;
        bytes(&w, packable[i], hs_bytes(ones, HS_REPEATED_MAX));
        assert_ok(walk(&w, HS_LENIENT));
        varint(&w, packable[i], 0);
        assert_err(walk(&w, HS_LENIENT), HS_ERR_TOO_LARGE);
        hs_writer_reset(&w);
        bytes(&w, packable[i], hs_bytes(ones, HS_REPEATED_MAX + 1));
        assert_err(walk(&w, HS_LENIENT), HS_ERR_TOO_LARGE);
        hs_writer_reset(&w);
        for (size_t n = 0; n < 4; n++)
            bytes(&w, packable[i], hs_bytes(ones, HS_REPEATED_MAX / 4));
        assert_ok(walk(&w, HS_LENIENT));
        bytes(&w, packable[i], hs_bytes(ones, 1));
        assert_err(walk(&w, HS_LENIENT), HS_ERR_TOO_LARGE);
    }
}

/* WIRE-5: values inside a packed field are judged as if they stood alone. */
static void packed_values(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        enum hs_err err;
    } rows[] = {
        {"a20103010203", HS_OK},
        {"a201028000", HS_ERR_MALFORMED},
        {"a2010180", HS_ERR_MALFORMED},
        {"d201020001", HS_OK},
        {"d201020002", HS_ERR_MALFORMED},
        {"ca010401020304", HS_OK},
        {"ca0103010203", HS_ERR_MALFORMED},
        {"a20100", HS_OK},
        {"cd0101020304", HS_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct owned OWNED in = unhex(rows[i].hex);
        assert_err(hs_prewalk(&sample__all__descriptor, OWNED_VIEW(in), HS_STRICT), rows[i].err);
    }
}

/* WIRE-9: all values of a frame together, packed and nested ones included. */
static void all_values(void **state)
{
    (void)state;
    static const uint8_t zeros[HS_REPEATED_MAX] = {0};
    MESSAGE;
    struct hs_writer HS_WRITER sub = hs_writer(1000);
    bytes(&sub, 20, hs_bytes(zeros, HS_REPEATED_MAX - 1)); /* with the message that holds it: 256 values */
    for (size_t i = 0; i < HS_VALUES_MAX / HS_REPEATED_MAX; i++)
        bytes(&w, 41, hs_writer_bytes(&sub));
    assert_ok(walk(&w, HS_LENIENT));
    varint(&w, 4, 1);
    assert_err(walk(&w, HS_LENIENT), HS_ERR_TOO_LARGE);
}

/* WIRE-10 */
static void enums(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        enum hs_err strict;
    } rows[] = {{0, HS_OK},
                {1, HS_OK},
                {5, HS_OK},
                {UINT64_MAX, HS_OK},
                {2, HS_ERR_UNSUPPORTED},
                {6, HS_ERR_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        MESSAGE;
        varint(&w, 14, rows[i].value);
        varint(&w, 21, rows[i].value);
        assert_ok(walk(&w, HS_LENIENT));
        assert_err(walk(&w, HS_STRICT), rows[i].strict);
        assert_err(walk(&w, HS_KNOWN_ENUMS), rows[i].strict);
        hs_writer_reset(&w);
        struct hs_writer HS_WRITER packed = hs_writer(100);
        hs_write_pb_varint(&packed, rows[i].value);
        bytes(&w, 21, hs_writer_bytes(&packed));
        assert_err(walk(&w, HS_STRICT), rows[i].strict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_messages), cmocka_unit_test(unknown_fields), cmocka_unit_test(unknown_limit),
        cmocka_unit_test(duplicates),     cmocka_unit_test(oneofs),         cmocka_unit_test(nesting),
        cmocka_unit_test(repeated),       cmocka_unit_test(packed_values),  cmocka_unit_test(all_values),
        cmocka_unit_test(enums),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
