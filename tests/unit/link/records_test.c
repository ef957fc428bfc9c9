/* A hostile initiator that speaks Noise properly and everything inside it wrongly. */
#include "unit/link/peers.h"

#include "link/gate.h"
#include "noise/handshake.h"
#include "wire/frame.h"

struct hostile {
    struct hs_cipherstate send, receive;
    struct peer node;
};

static void hostile_free(struct hostile *h)
{
    peer_free(&h->node);
}

#define HOSTILE HS_AUTO(hostile_free)

/* An opening made by hand from the spec. SESSION-1 to SESSION-6 */
static void hostile_open(struct hostile *h)
{
    struct hs_secret32 priv;
    struct hs_key pub;
    struct hs_handshake handshake;
    uint8_t hash[HS_NOISE_HASH_LEN], mac[HS_GATE_LEN];
    struct hs_writer HS_WRITER message = hs_writer(1000), HS_WRITER stream = hs_writer(1000);
    *h = (struct hostile){0};
    peer_init(&h->node);
    assert_ok(
        hs_link_new_responder(&h->node.priv, &h->node.pub, (struct hs_bytes){0}, peers_now, &h->node.link));
    hs_dh_keypair(&priv, &pub);
    struct hs_handshake_params params = {.initiator = true,
                                         .prologue = hs_bytes("hanse/1", 8),
                                         .local_static = &priv,
                                         .remote_static = &h->node.pub};
    assert_ok(hs_handshake_init(&handshake, &params));
    assert_ok(hs_handshake_write(&handshake, (struct hs_bytes){0}, &message));
    hs_gate_mac(&h->node.pub, hs_writer_bytes(&message), mac);
    hs_write_bytes(&stream, hs_bytes("HNS1\x01", 5));
    hs_write_bytes(&stream, hs_bytes(mac, sizeof mac));
    hs_write_u16(&stream, (uint16_t)message.len);
    hs_write_bytes(&stream, hs_writer_bytes(&message));
    peer_give(&h->node, hs_writer_bytes(&stream));

    struct hs_bytes answer = hs_link_output(h->node.link);
    hs_writer_reset(&message);
    assert_ok(hs_handshake_read(&handshake, hs_bytes(answer.data + 2, answer.len - 2), &message));
    hs_link_output_done(h->node.link, answer.len);
    assert_ok(hs_handshake_write(&handshake, (struct hs_bytes){0}, &message));
    hs_writer_reset(&stream);
    hs_write_u16(&stream, (uint16_t)message.len);
    hs_write_bytes(&stream, hs_writer_bytes(&message));
    peer_give(&h->node, hs_writer_bytes(&stream));
    assert_int_equal(h->node.ready.kind, HS_LINK_READY);
    assert_true(hs_key_equal(&h->node.ready.remote, &pub));
    assert_ok(hs_handshake_split(&handshake, &h->send, &h->receive, hash));
    assert_memory_equal(hash, h->node.ready.hash, sizeof hash);
}

/* Sends plaintext as one record; flip: which byte of the stream is altered, SIZE_MAX none; cut: how many of
 * its last bytes are missing. */
static void hostile_record(struct hostile *h, struct hs_bytes plaintext, size_t flip, size_t cut)
{
    struct hs_writer HS_WRITER stream = hs_writer(70000);
    hs_write_u16(&stream, (uint16_t)(plaintext.len + HS_NOISE_TAG_LEN));
    uint8_t *out = hs_writer_reserve(&stream, plaintext.len + HS_NOISE_TAG_LEN);
    assert_ok(hs_cipherstate_encrypt(&h->send, (struct hs_bytes){0}, plaintext, out));
    if (flip < stream.len)
        stream.data[flip] ^= 0x80;
    peer_give(&h->node, hs_bytes(stream.data, stream.len - cut));
}

/* SESSION-9: frames inside the stream of records. */
static void bad_frames(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[8];
        size_t len;
        enum hs_err err;
    } rows[] = {
        {{1, 'x'}, 2, HS_OK},
        {{0}, 1, HS_ERR_MALFORMED},                 /* an empty frame */
        {{0x80, 0}, 2, HS_ERR_MALFORMED},           /* a longer way to say so */
        {{0x81, 0, 'x'}, 3, HS_ERR_MALFORMED},      /* 1, overlong */
        {{0x80, 0x20}, 2, HS_OK},                   /* 4096: on its way */
        {{0x81, 0x20}, 2, HS_ERR_TOO_LARGE},        /* 4097 */
        {{0xff, 0xff, 0xff}, 3, HS_ERR_TOO_LARGE},  /* more than any frame */
        {{1, 'x', 1, 'y', 0}, 5, HS_ERR_MALFORMED}, /* after two good ones */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hostile HOSTILE h;
        hostile_open(&h);
        hostile_record(&h, hs_bytes(rows[i].bytes, rows[i].len), SIZE_MAX, 0);
        assert_err(h.node.err, rows[i].err);
    }
}

/* SESSION-11: the limit holds until set_authenticated, and rises then, to 65536 and not one more. */
static void limit_rises(void **state)
{
    (void)state;
    static const uint8_t fits[] = {0x80, 0x80, 0x04}, over[] = {0x81, 0x80, 0x04};
    struct hostile HOSTILE stranger, HOSTILE known, HOSTILE greedy;
    hostile_open(&stranger);
    hostile_record(&stranger, hs_bytes(fits, 3), SIZE_MAX, 0);
    assert_err(stranger.node.err, HS_ERR_TOO_LARGE);
    hostile_open(&known);
    hs_link_set_authenticated(known.node.link);
    hostile_record(&known, hs_bytes(fits, 3), SIZE_MAX, 0);
    assert_ok(known.node.err);
    hostile_open(&greedy);
    hs_link_set_authenticated(greedy.node.link);
    hostile_record(&greedy, hs_bytes(over, 3), SIZE_MAX, 0);
    assert_err(greedy.node.err, HS_ERR_TOO_LARGE);
}

/* SESSION-8: every byte of a record altered in turn; an altered length may only wait. */
static void altered_records(void **state)
{
    (void)state;
    static const uint8_t frame[] = {3, 'a', 'b', 'c'};
    for (size_t flip = 0; flip < 2 + sizeof frame + HS_NOISE_TAG_LEN; flip++) {
        struct hostile HOSTILE h;
        hostile_open(&h);
        hostile_record(&h, hs_bytes(frame, sizeof frame), flip, 0);
        assert_int_equal(h.node.frames, 0);
        bool waits = flip == 1;
        assert_err(h.node.err, waits ? HS_OK : flip == 0 ? HS_ERR_TOO_LARGE : HS_ERR_DECRYPT);
    }
}

/* SESSION-8: records left out, played twice or cut short. */
static void order_of_records(void **state)
{
    (void)state;
    static const uint8_t frame[] = {1, 'a'};
    struct hostile HOSTILE h, HOSTILE twice, HOSTILE cut;
    hostile_open(&h);
    h.send.nonce++;
    hostile_record(&h, hs_bytes(frame, sizeof frame), SIZE_MAX, 0);
    assert_err(h.node.err, HS_ERR_DECRYPT);
    hostile_open(&twice);
    hostile_record(&twice, hs_bytes(frame, sizeof frame), SIZE_MAX, 0);
    assert_int_equal(twice.node.frames, 1);
    twice.send.nonce--;
    hostile_record(&twice, hs_bytes(frame, sizeof frame), SIZE_MAX, 0);
    assert_err(twice.node.err, HS_ERR_DECRYPT);
    assert_int_equal(twice.node.frames, 1);
    hostile_open(&cut);
    hostile_record(&cut, hs_bytes(frame, sizeof frame), SIZE_MAX, 1);
    assert_ok(cut.node.err);
    assert_int_equal(cut.node.frames, 0);
}

/* SESSION-8: a record holds at least one byte, so that junk can't keep a node busy opening nothing. */
static void empty_records(void **state)
{
    (void)state;
    struct hostile HOSTILE h, HOSTILE shorter;
    static const uint8_t junk[] = {0, 15};
    hostile_open(&h);
    hostile_record(&h, (struct hs_bytes){0}, SIZE_MAX, 0);
    assert_err(h.node.err, HS_ERR_MALFORMED);
    hostile_open(&shorter);
    peer_give(&shorter.node, hs_bytes(junk, sizeof junk));
    assert_err(shorter.node.err, HS_ERR_MALFORMED);
}

/* SESSION-9: a frame may span records; several may share one; the limit is judged frame by frame. */
static void frames_and_records(void **state)
{
    (void)state;
    struct hostile HOSTILE h;
    struct hs_writer HS_WRITER stream = hs_writer(100000);
    static uint8_t body[HS_FRAME_MAX_UNAUTHENTICATED];
    hostile_open(&h);
    hs_frame_write(&stream, hs_bytes(body, 10));
    hs_frame_write(&stream, hs_bytes(body, sizeof body));
    hs_frame_write(&stream, hs_bytes(body, 1));
    for (size_t at = 0; at < stream.len; at += 700) {
        size_t len = stream.len - at < 700 ? stream.len - at : 700;
        hostile_record(&h, hs_bytes(stream.data + at, len), SIZE_MAX, 0);
    }
    assert_ok(h.node.err);
    assert_int_equal(h.node.frames, 3);
    assert_int_equal(h.node.last.len, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_frames),      cmocka_unit_test(limit_rises),
        cmocka_unit_test(altered_records), cmocka_unit_test(order_of_records),
        cmocka_unit_test(empty_records),   cmocka_unit_test(frames_and_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
