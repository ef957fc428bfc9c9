#include "support/rng.h"
#include "support/test.h"

#include "wire/frame.h"

#define FRAMES HS_AUTO(hs_frames_free)

static uint8_t body[HS_FRAME_MAX + 1];

/* Reads all frames of the stream given in pieces of chunk bytes; checks that each is the next n bytes of 1,
 * 2, ... */
static enum hs_err read_all(struct hs_frames *f, struct hs_bytes stream, size_t chunk, size_t *count)
{
    *count = 0;
    while (stream.len > 0) {
        struct hs_bytes piece = hs_bytes(stream.data, stream.len < chunk ? stream.len : chunk), frame;
        stream = hs_bytes(stream.data + piece.len, stream.len - piece.len);
        do {
            HS_TRY(hs_frames_next(f, &piece, &frame));
            for (size_t i = 0; i < frame.len; i++)
                assert_int_equal(frame.data[i], *count + 1);
            *count += frame.len > 0;
        } while (frame.len > 0);
        assert_int_equal(piece.len, 0);
    }
    return HS_OK;
}

/* WIRE-1: any pieces give the same frames, at the sizes where headers and limits turn. */
static void any_pieces(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 127, 128, 4096, 16383, 16384, 65536, 1};
    static const size_t chunks[] = {1, 2, 100, 4095, 65536, SIZE_MAX};
    const size_t count = sizeof sizes / sizeof sizes[0];
    struct hs_writer HS_WRITER stream = hs_writer(200000);
    for (size_t i = 0; i < count; i++) {
        memset(body, (int)i + 1, sizeof body);
        hs_frame_write(&stream, hs_bytes(body, sizes[i]));
    }
    assert_ok(stream.err);
    for (size_t i = 0; i < sizeof chunks / sizeof chunks[0]; i++) {
        struct hs_frames FRAMES f = hs_frames(HS_FRAME_MAX);
        size_t got;
        assert_ok(read_all(&f, hs_writer_bytes(&stream), chunks[i], &got));
        assert_int_equal(got, count);
    }
}

/* WIRE-1, WIRE-2 */
static void bad_headers(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[4];
        size_t len;
        enum hs_err err;
    } rows[] = {
        {{0}, 1, HS_ERR_MALFORMED},
        {{0x80, 0}, 2, HS_ERR_MALFORMED},
        {{0x80, 0x80, 0}, 3, HS_ERR_MALFORMED},
        {{0x85, 0}, 2, HS_ERR_MALFORMED},
        {{0x80, 0x80, 0x04}, 3, HS_OK},            /* 65536 */
        {{0x81, 0x80, 0x04}, 3, HS_ERR_TOO_LARGE}, /* 65537 */
        {{0x80, 0x80, 0x80}, 3, HS_ERR_TOO_LARGE}, /* a fourth byte follows */
        {{0xff, 0xff, 0x7f}, 3, HS_ERR_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hs_frames FRAMES f = hs_frames(HS_FRAME_MAX);
        size_t got;
        assert_err(read_all(&f, hs_bytes(rows[i].bytes, rows[i].len), 1, &got), rows[i].err);
        assert_int_equal(got, 0);
    }
}

/* WIRE-2: the limit and one past it; a new limit counts from the next frame on. */
static void limit(void **state)
{
    (void)state;
    struct hs_frames FRAMES f = hs_frames(HS_FRAME_MAX_UNAUTHENTICATED);
    struct hs_bytes in, frame;
    const uint8_t fits[] = {0x80, 0x20}, over[] = {0x81, 0x20};
    in = hs_bytes(fits, 2);
    assert_ok(hs_frames_next(&f, &in, &frame));
    assert_int_equal(frame.len, 0);
    assert_null(f.part.data);
    in = hs_bytes(body, HS_FRAME_MAX_UNAUTHENTICATED);
    assert_ok(hs_frames_next(&f, &in, &frame));
    assert_int_equal(frame.len, HS_FRAME_MAX_UNAUTHENTICATED);
    hs_frames_set_limit(&f, HS_FRAME_MAX_UNAUTHENTICATED + 1);
    in = hs_bytes(over, 2);
    assert_ok(hs_frames_next(&f, &in, &frame));
    in = hs_bytes(body, HS_FRAME_MAX_UNAUTHENTICATED + 1);
    assert_ok(hs_frames_next(&f, &in, &frame));
    assert_int_equal(frame.len, HS_FRAME_MAX_UNAUTHENTICATED + 1);
    hs_frames_set_limit(&f, HS_FRAME_MAX_UNAUTHENTICATED);
    in = hs_bytes(over, 2);
    assert_err(hs_frames_next(&f, &in, &frame), HS_ERR_TOO_LARGE);
}

/* A whole frame isn't copied; a partial one takes no more memory than came in. */
static void memory(void **state)
{
    (void)state;
    struct hs_frames FRAMES f = hs_frames(HS_FRAME_MAX);
    struct hs_bytes in, frame;
    const uint8_t header[] = {0x80, 0x80, 0x04}, small[] = {2, 'a', 'b'};
    in = hs_bytes(small, 3);
    assert_ok(hs_frames_next(&f, &in, &frame));
    assert_true(frame.data == small + 1 && frame.len == 2);
    in = hs_bytes(header, 3);
    assert_ok(hs_frames_next(&f, &in, &frame));
    in = hs_bytes(body, 100);
    assert_ok(hs_frames_next(&f, &in, &frame));
    assert_int_equal(frame.len, 0);
    assert_true(f.part.size <= 256);
}

static void write_refuses(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(200000);
    hs_frame_write(&w, hs_bytes(body, HS_FRAME_MAX));
    assert_ok(w.err);
    hs_frame_write(&w, hs_bytes(body, HS_FRAME_MAX + 1));
    assert_err(w.err, HS_ERR_INVALID_ARG);
    hs_writer_reset(&w);
    hs_frame_write(&w, (struct hs_bytes){0});
    assert_err(w.err, HS_ERR_INVALID_ARG);
}

/* Junk never gives an empty frame, one past the limit, or a view outside the input. */
static void junk(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    for (size_t i = 0; i < 20000; i++) {
        struct hs_frames FRAMES f = hs_frames(HS_FRAME_MAX_UNAUTHENTICATED);
        uint8_t stream[64];
        rng_fill(&rng, stream, sizeof stream);
        struct hs_bytes in = hs_bytes(stream, sizeof stream), frame;
        while (hs_frames_next(&f, &in, &frame) == HS_OK && frame.len > 0) {
            assert_true(frame.len <= HS_FRAME_MAX_UNAUTHENTICATED);
            assert_true(frame.data >= stream && frame.data + frame.len <= stream + sizeof stream);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_pieces), cmocka_unit_test(bad_headers),   cmocka_unit_test(limit),
        cmocka_unit_test(memory),     cmocka_unit_test(write_refuses), cmocka_unit_test(junk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
