/* Frames cut out of a stream that comes in arbitrary pieces: the same frames and the same error as from a
 * second, simple reader that has the whole stream at once. Input: limit, sizes of pieces, stream. */
#include "fuzz/fuzz.h"

#include "wire/frame.h"

#include <stdlib.h>

enum { PIECES = 8, NOTES_MAX = 1 << 20 };

/* The second reader: headers as numbers, no state. */
static enum hs_err frames_simple(struct hs_bytes in, size_t limit, struct hs_writer *notes)
{
    while (in.len > 0) {
        uint64_t len = 0;
        size_t used = 0;
        bool more = true;
        while (more && used < in.len) {
            uint8_t byte = in.data[used];
            len |= (uint64_t)(byte & 0x7f) << (7 * used);
            used++;
            more = byte >= 0x80;
            if ((more && used == HS_FRAME_HEADER_MAX) || len > limit)
                return HS_ERR_TOO_LARGE;
            if (!more && byte == 0)
                return HS_ERR_MALFORMED;
        }
        if (more || in.len - used < len)
            return HS_OK;
        hs_write_u32(notes, (uint32_t)len);
        hs_write_bytes(notes, hs_bytes(in.data + used, (size_t)len));
        in = hs_bytes(in.data + used + len, in.len - used - (size_t)len);
    }
    return HS_OK;
}

static enum hs_err give_piece(struct hs_frames *f, struct hs_bytes piece, struct hs_writer *notes)
{
    /* Memory of its own: a frame must not point into a piece that is gone. */
    uint8_t *copy = malloc(piece.len + 1);
    HS_ASSERT(copy != NULL);
    if (piece.len > 0)
        memcpy(copy, piece.data, piece.len);
    struct hs_bytes in = hs_bytes(copy, piece.len), frame;
    enum hs_err err;
    do {
        err = hs_frames_next(f, &in, &frame);
        if (err == HS_OK && frame.len > 0) {
            hs_write_u32(notes, (uint32_t)frame.len);
            hs_write_bytes(notes, frame);
        }
    } while (err == HS_OK && (frame.len > 0 || in.len > 0));
    free(copy);
    return err;
}

static enum hs_err frames_in_pieces(struct hs_bytes in, size_t limit, struct hs_bytes sizes,
                                    struct hs_writer *notes)
{
    struct hs_frames f = hs_frames(limit);
    enum hs_err err = HS_OK;
    for (size_t i = 0; err == HS_OK && in.len > 0; i++) {
        size_t size = sizes.len > 0 ? (size_t)1 + sizes.data[i % sizes.len] : in.len;
        err = give_piece(&f, fuzz_take(&in, size), notes);
    }
    hs_frames_free(&f);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_bytes in = hs_bytes(data, size);
    size_t limit = (size_t)HS_FRAME_MAX >> (fuzz_choice(&in) % 17);
    struct hs_bytes sizes = fuzz_take(&in, PIECES);
    struct hs_writer HS_WRITER whole = hs_writer(NOTES_MAX);
    struct hs_writer HS_WRITER pieces = hs_writer(NOTES_MAX);
    struct hs_writer HS_WRITER simple = hs_writer(NOTES_MAX);
    enum hs_err want = frames_simple(in, limit, &simple);
    HS_ASSERT(frames_in_pieces(in, limit, (struct hs_bytes){0}, &whole) == want);
    HS_ASSERT(frames_in_pieces(in, limit, sizes, &pieces) == want);
    HS_ASSERT(hs_bytes_equal(hs_writer_bytes(&whole), hs_writer_bytes(&simple)));
    HS_ASSERT(hs_bytes_equal(hs_writer_bytes(&pieces), hs_writer_bytes(&simple)));
    fuzz_accepted += simple.len > 0;
    return 0;
}
