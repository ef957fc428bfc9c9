/* A stream that somebody alters after an honest handshake: whatever becomes of it, what comes out are the
 * frames that went in, in order and from the first on, until the link closes. Input: a choice, then edits of
 * four bytes (where, what to do, with which byte) and the frames' lengths. */
#include "fuzz/fuzz.h"

#include "crypto/dh.h"
#include "fuzz/random.h"
#include "link/link.h"

enum { STREAM_MAX = 1 << 21, FRAMES_MAX = 16, EDITS_MAX = 8 };

struct pair {
    struct hs_link *client, *node;
};

static void carry(struct hs_link *from, struct hs_link *to)
{
    struct hs_bytes out;
    while ((out = hs_link_output(from)).len > 0) {
        struct hs_link_event event;
        size_t len = out.len < HS_LINK_INPUT_MAX ? out.len : HS_LINK_INPUT_MAX;
        FUZZ_OK(hs_link_input(to, hs_bytes(out.data, len)));
        do
            FUZZ_OK(hs_link_next(to, &event));
        while (event.kind != HS_LINK_NONE);
        hs_link_output_done(from, len);
    }
}

static struct pair pair_open(void)
{
    static const struct hs_secret32 client = {{7}}, node = {{9}};
    const struct hs_time now = {1000};
    struct hs_key pub;
    struct pair p;
    hs_dh_public(&node, &pub);
    FUZZ_OK(hs_link_new_initiator(&client, &pub, now, &p.client));
    FUZZ_OK(hs_link_new_responder(&node, &pub, (struct hs_bytes){0}, now, &p.node));
    carry(p.client, p.node);
    carry(p.node, p.client);
    carry(p.client, p.node);
    HS_ASSERT(hs_link_is_open(p.client) && hs_link_is_open(p.node));
    return p;
}

/* The i-th frame is that long and full of its number. */
static size_t frame_len(struct hs_bytes lengths, size_t i, size_t max)
{
    size_t len = i < lengths.len ? 1 + ((size_t)lengths.data[i] * lengths.data[i] * 5) / 4 : 1;
    return len < max ? len : max;
}

/* Sends one frame a length, some in one record, some in records of their own. */
static size_t frames_send(struct hs_link *client, struct hs_bytes lengths, size_t max,
                          struct hs_writer *stream)
{
    size_t count = lengths.len < FRAMES_MAX ? lengths.len : FRAMES_MAX;
    for (size_t i = 0; i < count; i++) {
        uint8_t body[HS_FRAME_MAX];
        size_t len = frame_len(lengths, i, max);
        memset(body, (int)i, len);
        FUZZ_OK(hs_link_send(client, hs_bytes(body, len)));
        if (i % 3 == 2 || i + 1 == count) {
            struct hs_bytes out;
            while ((out = hs_link_output(client)).len > 0) {
                hs_write_bytes(stream, out);
                hs_link_output_done(client, out.len);
            }
        }
    }
    FUZZ_OK(stream->err);
    return count;
}

/* Alters, drops, doubles or cuts off; true where the stream isn't what it was. */
static void stream_edit(struct hs_writer *stream, struct hs_bytes edit)
{
    if (edit.len < 4 || stream->len == 0)
        return;
    size_t at = ((size_t)edit.data[0] << 8 | edit.data[1]) % stream->len;
    switch (edit.data[2] % 5) {
    case 0:
        stream->data[at] ^= edit.data[3];
        break;
    case 1:
        memmove(stream->data + at, stream->data + at + 1, stream->len - at - 1);
        stream->len--;
        break;
    case 2:
        stream->len = at;
        break;
    case 3: /* a part again */
        if (stream->len + at <= STREAM_MAX && hs_writer_reserve(stream, at) != NULL)
            memcpy(stream->data + stream->len - at, stream->data, at);
        break;
    default:
        stream->data[at] = edit.data[3];
    }
}

static void frames_check(struct hs_link *node, struct hs_bytes in, struct hs_bytes lengths, size_t max,
                         size_t piece, size_t count)
{
    enum hs_err err = HS_OK;
    size_t got = 0;
    while (err == HS_OK && in.len > 0) {
        struct hs_link_event event = {.kind = HS_LINK_FRAME};
        err = hs_link_input(node, fuzz_take(&in, piece));
        while (err == HS_OK && event.kind != HS_LINK_NONE) {
            err = hs_link_next(node, &event);
            if (event.kind != HS_LINK_FRAME)
                continue;
            HS_ASSERT(got < count && event.bytes.len == frame_len(lengths, got, max));
            for (size_t i = 0; i < event.bytes.len; i++)
                HS_ASSERT(event.bytes.data[i] == (uint8_t)got);
            got++;
        }
    }
    fuzz_accepted += got > 0;
    HS_ASSERT(hs_link_is_open(node) == (err == HS_OK));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    if (!ready) {
        fuzz_random_install();
        fuzz_begin();
        ready = true;
    }
    fuzz_random_restart();
    struct hs_bytes in = hs_bytes(data, size);
    uint8_t choice = fuzz_choice(&in);
    struct hs_bytes edits = fuzz_take(&in, 4 * (size_t)(choice % EDITS_MAX));
    struct pair p = pair_open();
    if ((choice & 0x80) != 0) {
        hs_link_set_authenticated(p.client);
        hs_link_set_authenticated(p.node);
    }
    size_t max = (choice & 0x80) != 0 ? HS_FRAME_MAX : HS_FRAME_MAX_UNAUTHENTICATED;
    struct hs_writer HS_WRITER stream = hs_writer(2 * STREAM_MAX);
    size_t count = frames_send(p.client, in, max, &stream);
    while (edits.len > 0)
        stream_edit(&stream, fuzz_take(&edits, 4));
    size_t piece = (choice & 0x40) != 0 ? 37 : HS_LINK_INPUT_MAX;
    frames_check(p.node, hs_writer_bytes(&stream), in, max, piece, count);
    hs_link_free(&p.client);
    hs_link_free(&p.node);
    return 0;
}
