#include "support/rng.h"
#include "support/test.h"

#include "base/reader.h"
#include "base/writer.h"

static void integers(void **state)
{
    (void)state;
    static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct hs_writer HS_WRITER w = hs_writer(sizeof want);
    hs_write_u8(&w, 1);
    hs_write_u16(&w, 0x0203);
    hs_write_u32(&w, 0x04050607);
    hs_write_u64(&w, 0x08090a0b0c0d0e0f);
    assert_ok(w.err);
    assert_bytes(hs_writer_bytes(&w), hs_bytes(want, sizeof want));
}

/* The cap is exact; past it the error stays and nothing more is written. */
static void cap(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(4);
    hs_write_u32(&w, 1);
    assert_ok(w.err);
    hs_write_u8(&w, 1);
    assert_err(w.err, HS_ERR_TOO_LARGE);
    assert_int_equal(w.len, 4);
    assert_int_equal(hs_writer_bytes(&w).len, 0);
    assert_null(hs_writer_reserve(&w, 0));
    hs_writer_fail(&w, HS_ERR_NOMEM);
    assert_err(w.err, HS_ERR_TOO_LARGE);
    hs_writer_reset(&w);
    assert_null(hs_writer_reserve(&w, SIZE_MAX));
    assert_err(w.err, HS_ERR_TOO_LARGE);
    hs_writer_reset(&w);
    assert_ok(w.err);
    assert_int_equal(w.len, 0);
    assert_non_null(hs_writer_reserve(&w, 4));
}

static void grows(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(100000);
    for (size_t i = 0; i < 50000; i++)
        hs_write_u16(&w, (uint16_t)i);
    assert_ok(w.err);
    struct hs_reader r = hs_reader(hs_writer_bytes(&w));
    for (size_t i = 0; i < 50000; i++)
        assert_int_equal(hs_read_u16(&r), (uint16_t)i);
    assert_ok(hs_reader_finish(&r));
}

/* RFC 9420, 2.1.2: what is written is read again, at the borders of each length, also as open and close. */
static void mls_vectors(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 63, 64, 16383, 16384, 70000};
    static const size_t headers[] = {1, 1, 1, 2, 2, 4, 4};
    static uint8_t content[70000];
    struct rng rng = rng_new();
    rng_fill(&rng, content, sizeof content);
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        struct hs_writer HS_WRITER w = hs_writer(200000);
        hs_write_u8(&w, 0xaa);
        hs_write_mls_vec(&w, hs_bytes(content, lens[i]));
        assert_int_equal(w.len, 1 + headers[i] + lens[i]);
        size_t mark = hs_writer_open(&w);
        hs_write_bytes(&w, hs_bytes(content, lens[i]));
        hs_writer_close(&w, mark);
        hs_write_u8(&w, 0xbb);
        assert_ok(w.err);
        struct hs_reader r = hs_reader(hs_writer_bytes(&w));
        assert_int_equal(hs_read_u8(&r), 0xaa);
        assert_bytes(hs_read_mls_vec(&r), hs_bytes(content, lens[i]));
        assert_bytes(hs_read_mls_vec(&r), hs_bytes(content, lens[i]));
        assert_int_equal(hs_read_u8(&r), 0xbb);
        assert_ok(hs_reader_finish(&r));
    }
}

static void nested_blocks(void **state)
{
    (void)state;
    static const uint8_t want[] = {5, 1, 7, 2, 8, 9};
    struct hs_writer HS_WRITER w = hs_writer(100);
    size_t outer = hs_writer_open(&w), inner = hs_writer_open(&w);
    hs_write_u8(&w, 7);
    hs_writer_close(&w, inner);
    inner = hs_writer_open(&w);
    hs_write_u16(&w, 0x0809);
    hs_writer_close(&w, inner);
    hs_writer_close(&w, outer);
    assert_bytes(hs_writer_bytes(&w), hs_bytes(want, sizeof want));
    hs_write_mls_len(&w, (size_t)1 << 30);
    assert_err(w.err, HS_ERR_TOO_LARGE);
}

static void pb_varints(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    struct hs_writer HS_WRITER w = hs_writer(100);
    for (size_t i = 0; i < 10000; i++) {
        uint64_t value = rng_next(&rng) >> rng_below(&rng, 64);
        hs_writer_reset(&w);
        hs_write_pb_varint(&w, value);
        struct hs_reader r = hs_reader(hs_writer_bytes(&w));
        assert_true(hs_read_pb_varint(&r) == value);
        assert_ok(hs_reader_finish(&r));
    }
}

static void drop_and_steal(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(100);
    size_t len;
    hs_write_bytes(&w, hs_bytes_str("abcdef"));
    hs_writer_drop(&w, 0);
    hs_writer_drop(&w, 2);
    assert_bytes(hs_writer_bytes(&w), hs_bytes_str("cdef"));
    assert_memory_equal(w.data + 4, "\0\0", 2); /* what was dropped is wiped */
    uint8_t *data = hs_writer_steal(&w, &len);
    assert_bytes(hs_bytes(data, len), hs_bytes_str("cdef"));
    assert_int_equal(w.len, 0);
    assert_int_equal(w.cap, 100);
    free(data);
    hs_write_u8(&w, 1);
    assert_ok(w.err);
}

static void reset_wipes(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(100);
    hs_write_bytes(&w, hs_bytes_str("secret"));
    hs_writer_reset(&w);
    assert_memory_equal(w.data, "\0\0\0\0\0\0", 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),       cmocka_unit_test(cap),           cmocka_unit_test(grows),
        cmocka_unit_test(mls_vectors),    cmocka_unit_test(nested_blocks), cmocka_unit_test(pb_varints),
        cmocka_unit_test(drop_and_steal), cmocka_unit_test(reset_wipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
