#include "support/hex.h"

#include "base/reader.h"

static void integers(void **state)
{
    (void)state;
    const uint8_t in[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct hs_reader r = hs_reader(hs_bytes(in, sizeof in));
    assert_int_equal(hs_read_u8(&r), 1);
    assert_int_equal(hs_read_u16(&r), 0x0203);
    assert_int_equal(hs_read_u32(&r), 0x04050607);
    assert_true(hs_read_u64(&r) == 0x08090a0b0c0d0e0f);
    assert_int_equal(hs_reader_left(&r), 0);
    assert_ok(hs_reader_finish(&r));
}

/* After the first failure: zeros, empty views, and the first error. */
static void sticky_error(void **state)
{
    (void)state;
    const uint8_t in[] = {1, 2, 3};
    uint8_t fixed[2] = {9, 9};
    struct hs_reader r = hs_reader(hs_bytes(in, sizeof in));
    assert_int_equal(hs_read_u32(&r), 0);
    assert_int_equal(hs_read_u8(&r), 0);
    assert_int_equal(hs_read_bytes(&r, 1).len, 0);
    hs_read_fixed(&r, fixed, sizeof fixed);
    assert_memory_equal(fixed, "\0\0", 2);
    assert_int_equal(hs_read_pb_varint(&r), 0);
    assert_int_equal(hs_read_mls_vec(&r).len, 0);
    struct hs_reader sub = hs_read_mls_sub(&r);
    assert_err(hs_reader_finish(&sub), HS_ERR_MALFORMED);
    assert_int_equal(hs_reader_left(&r), 0);
    hs_reader_fail(&r, HS_ERR_TOO_LARGE);
    assert_err(hs_reader_finish(&r), HS_ERR_MALFORMED);
}

static void left_over(void **state)
{
    (void)state;
    const uint8_t in[] = {1, 2};
    struct hs_reader r = hs_reader(hs_bytes(in, sizeof in));
    hs_read_u8(&r);
    assert_err(hs_reader_finish(&r), HS_ERR_MALFORMED);
    hs_read_u8(&r);
    assert_ok(hs_reader_finish(&r));
    struct hs_reader none = hs_reader((struct hs_bytes){0});
    assert_ok(hs_reader_finish(&none));
    assert_int_equal(hs_read_bytes(&none, 0).len, 0);
    assert_ok(hs_reader_finish(&none));
    assert_int_equal(hs_read_bytes(&none, SIZE_MAX).len, 0);
    assert_err(hs_reader_finish(&none), HS_ERR_MALFORMED);
}

struct row {
    const char *hex;
    uint64_t value;
    enum hs_err err;
};

/* RFC 9420, 2.1.2: its examples, the borders, and longer forms than needed. */
static void mls_lengths(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"00", 0, HS_OK},
        {"25", 37, HS_OK},
        {"3f", 63, HS_OK},
        {"4040", 64, HS_OK},
        {"7bbd", 15293, HS_OK},
        {"7fff", 16383, HS_OK},
        {"80004000", 16384, HS_OK},
        {"9d7f3e7d", 494878333, HS_OK},
        {"bfffffff", 1073741823, HS_OK},
        {"4025", 0, HS_ERR_MALFORMED},
        {"403f", 0, HS_ERR_MALFORMED},
        {"80003fff", 0, HS_ERR_MALFORMED},
        {"c000000000000000", 0, HS_ERR_MALFORMED},
        {"ff", 0, HS_ERR_MALFORMED},
        {"40", 0, HS_ERR_MALFORMED},
        {"800040", 0, HS_ERR_MALFORMED},
        {"", 0, HS_ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct owned OWNED in = unhex(rows[i].hex);
        struct hs_reader r = hs_reader(OWNED_VIEW(in));
        assert_true(hs_read_mls_len(&r) == rows[i].value);
        assert_err(hs_reader_finish(&r), rows[i].err);
    }
}

static void mls_vectors(void **state)
{
    (void)state;
    const uint8_t in[] = {2, 'a', 'b', 3, 1, 'c', 0, 9};
    struct hs_reader r = hs_reader(hs_bytes(in, sizeof in));
    assert_bytes(hs_read_mls_vec(&r), hs_bytes_str("ab"));
    struct hs_reader sub = hs_read_mls_sub(&r);
    assert_int_equal(hs_reader_left(&sub), 3);
    assert_bytes(hs_read_mls_vec(&sub), hs_bytes_str("c"));
    assert_int_equal(hs_read_mls_vec(&sub).len, 0);
    assert_ok(hs_reader_finish(&sub));
    assert_int_equal(hs_reader_left(&r), 1);
    assert_int_equal(hs_read_mls_vec(&r).len, 0); /* 9 bytes that aren't there */
    assert_err(hs_reader_finish(&r), HS_ERR_MALFORMED);
}

static void pb_varints(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"00", 0, HS_OK},
        {"7f", 127, HS_OK},
        {"8001", 128, HS_OK},
        {"ac02", 300, HS_OK},
        {"ffffffffffffffffff01", UINT64_MAX, HS_OK},
        {"80808080808080808001", (uint64_t)1 << 63, HS_OK},
        {"8000", 0, HS_ERR_MALFORMED},
        {"ac8200", 0, HS_ERR_MALFORMED},
        {"ffffffffffffffffff02", 0, HS_ERR_MALFORMED},
        {"ffffffffffffffffff81", 0, HS_ERR_MALFORMED},
        {"80808080808080808000", 0, HS_ERR_MALFORMED},
        {"8080808080808080808001", 0, HS_ERR_MALFORMED},
        {"ff", 0, HS_ERR_MALFORMED},
        {"", 0, HS_ERR_MALFORMED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct owned OWNED in = unhex(rows[i].hex);
        struct hs_reader r = hs_reader(OWNED_VIEW(in));
        uint64_t value = hs_read_pb_varint(&r);
        enum hs_err err = hs_reader_finish(&r);
        if (value != rows[i].value || err != rows[i].err)
            fail_msg("%s: %s", rows[i].hex, hs_err_name(err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),    cmocka_unit_test(sticky_error), cmocka_unit_test(left_over),
        cmocka_unit_test(mls_lengths), cmocka_unit_test(mls_vectors),  cmocka_unit_test(pb_varints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
