#include "support/hex.h"

#include "crypto/dh.h"
#include "noise/handshake.h"

struct pair {
    struct hs_secret32 client_priv, node_priv;
    struct hs_key client_pub, node_pub;
    struct hs_handshake client, node;
};

static void pair_init(struct pair *p, const char *client_prologue, const char *node_prologue)
{
    hs_dh_keypair(&p->client_priv, &p->client_pub);
    hs_dh_keypair(&p->node_priv, &p->node_pub);
    struct hs_handshake_params client = {.initiator = true,
                                         .prologue = hs_bytes_str(client_prologue),
                                         .local_static = &p->client_priv,
                                         .remote_static = &p->node_pub};
    struct hs_handshake_params node = {
        .prologue = hs_bytes_str(node_prologue), .local_static = &p->node_priv, .local_public = &p->node_pub};
    assert_ok(hs_handshake_init(&p->client, &client));
    assert_ok(hs_handshake_init(&p->node, &node));
}

/* One message with an empty payload; flip: the byte altered on its way, or SIZE_MAX. */
static enum hs_err pass(struct hs_handshake *from, struct hs_handshake *to, size_t flip)
{
    struct hs_writer HS_WRITER message = hs_writer(HS_NOISE_MESSAGE_MAX);
    struct hs_writer HS_WRITER payload = hs_writer(HS_NOISE_MESSAGE_MAX);
    assert_ok(hs_handshake_write(from, (struct hs_bytes){0}, &message));
    if (flip < message.len)
        message.data[flip] ^= 0x40;
    return hs_handshake_read(to, hs_writer_bytes(&message), &payload);
}

static void sizes_and_keys(void **state)
{
    (void)state;
    struct pair p;
    struct hs_writer HS_WRITER message = hs_writer(HS_NOISE_MESSAGE_MAX);
    struct hs_writer HS_WRITER payload = hs_writer(HS_NOISE_MESSAGE_MAX);
    struct hs_handshake *from[] = {&p.client, &p.node, &p.client}, *to[] = {&p.node, &p.client, &p.node};
    const size_t sizes[] = {HS_NOISE_MESSAGE1_LEN, HS_NOISE_MESSAGE2_LEN, HS_NOISE_MESSAGE3_LEN};
    pair_init(&p, "p", "p");
    for (size_t i = 0; i < 3; i++) {
        hs_writer_reset(&message);
        assert_err(hs_handshake_write(to[i], (struct hs_bytes){0}, &message), HS_ERR_INVALID_STATE);
        assert_err(hs_handshake_read(from[i], (struct hs_bytes){0}, &payload), HS_ERR_INVALID_STATE);
        assert_ok(hs_handshake_write(from[i], (struct hs_bytes){0}, &message));
        assert_int_equal(message.len, sizes[i]);
        assert_ok(hs_handshake_read(to[i], hs_writer_bytes(&message), &payload));
    }
    assert_true(hs_key_equal(&p.node.rs, &p.client_pub));
    assert_err(hs_handshake_write(&p.node, (struct hs_bytes){0}, &message), HS_ERR_INVALID_STATE);
}

/* Every byte of every message, altered: refused, and the reader's state is as before. */
static void altered_bytes(void **state)
{
    (void)state;
    const size_t sizes[] = {HS_NOISE_MESSAGE1_LEN, HS_NOISE_MESSAGE2_LEN, HS_NOISE_MESSAGE3_LEN};
    for (size_t message = 0; message < 3; message++) {
        for (size_t flip = 0; flip < sizes[message]; flip++) {
            struct pair p;
            pair_init(&p, "p", "p");
            for (size_t i = 0; i < message; i++)
                assert_ok(i % 2 == 0 ? pass(&p.client, &p.node, SIZE_MAX)
                                     : pass(&p.node, &p.client, SIZE_MAX));
            struct hs_handshake *from = message % 2 == 0 ? &p.client : &p.node;
            struct hs_handshake *to = message % 2 == 0 ? &p.node : &p.client, before = *to;
            assert_int_not_equal(pass(from, to, flip), HS_OK);
            assert_memory_equal(&before, to, sizeof before);
        }
    }
}

static void other_prologue_or_key(void **state)
{
    (void)state;
    struct pair p, q;
    pair_init(&p, "hanse/1", "hanse/2");
    assert_err(pass(&p.client, &p.node, SIZE_MAX), HS_ERR_DECRYPT);
    pair_init(&p, "p", "p");
    pair_init(&q, "p", "p");
    assert_err(pass(&p.client, &q.node, SIZE_MAX), HS_ERR_DECRYPT);
}

/* Keys of low order give everybody the same secret (RFC 7748, 6.1). */
static void low_order_keys(void **state)
{
    (void)state;
    static const struct hs_key low[] = {
        {{0}},
        {{1}},
        {{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
          0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00}},
    };
    for (size_t i = 0; i < sizeof low / sizeof low[0]; i++) {
        struct pair p;
        struct hs_writer HS_WRITER out = hs_writer(HS_NOISE_MESSAGE_MAX);
        uint8_t message[HS_NOISE_MESSAGE1_LEN] = {0};
        pair_init(&p, "p", "p");
        memcpy(message, low[i].b, sizeof low[i].b);
        assert_err(hs_handshake_read(&p.node, hs_bytes(message, sizeof message), &out), HS_ERR_BAD_KEY);
        struct hs_handshake_params params = {
            .initiator = true, .local_static = &p.client_priv, .remote_static = &low[i]};
        assert_ok(hs_handshake_init(&p.client, &params));
        assert_err(hs_handshake_write(&p.client, (struct hs_bytes){0}, &out), HS_ERR_BAD_KEY);
    }
}

static void limits(void **state)
{
    (void)state;
    static uint8_t big[HS_NOISE_MESSAGE_MAX + 1];
    struct pair p;
    struct hs_writer HS_WRITER out = hs_writer(SIZE_MAX / 4);
    const size_t most = HS_NOISE_MESSAGE_MAX - HS_NOISE_MESSAGE1_LEN;
    pair_init(&p, "p", "p");
    assert_err(hs_handshake_write(&p.client, hs_bytes(big, most + 1), &out), HS_ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    assert_ok(hs_handshake_write(&p.client, hs_bytes(big, most), &out));
    assert_int_equal(out.len, HS_NOISE_MESSAGE_MAX);
    struct hs_writer HS_WRITER payload = hs_writer(HS_NOISE_MESSAGE_MAX);
    assert_err(hs_handshake_read(&p.node, hs_bytes(big, sizeof big), &payload), HS_ERR_TOO_LARGE);
    for (size_t len = 0; len < HS_NOISE_MESSAGE1_LEN; len++)
        assert_int_not_equal(hs_handshake_read(&p.node, hs_bytes(out.data, len), &payload), HS_OK);
    assert_ok(hs_handshake_read(&p.node, hs_writer_bytes(&out), &payload));
    assert_int_equal(payload.len, most);
}

static void wrong_params(void **state)
{
    (void)state;
    struct hs_handshake h;
    struct hs_secret32 priv;
    struct hs_key pub;
    hs_dh_keypair(&priv, &pub);
    struct hs_handshake_params without = {.initiator = true, .local_static = &priv};
    struct hs_handshake_params with = {.local_static = &priv, .remote_static = &pub};
    assert_err(hs_handshake_init(&h, &without), HS_ERR_INVALID_ARG);
    assert_err(hs_handshake_init(&h, &with), HS_ERR_INVALID_ARG);
}

/* Split only at the end; then both sides have the same keys crosswise, and the same hash. */
static void split(void **state)
{
    (void)state;
    struct pair p;
    struct hs_cipherstate a, b, c, d;
    uint8_t ours[HS_NOISE_HASH_LEN], theirs[HS_NOISE_HASH_LEN];
    pair_init(&p, "p", "p");
    assert_ok(pass(&p.client, &p.node, SIZE_MAX));
    assert_ok(pass(&p.node, &p.client, SIZE_MAX));
    assert_err(hs_handshake_split(&p.client, &a, &b, ours), HS_ERR_INVALID_STATE);
    assert_ok(pass(&p.client, &p.node, SIZE_MAX));
    assert_ok(hs_handshake_split(&p.client, &a, &b, ours));
    assert_ok(hs_handshake_split(&p.node, &c, &d, theirs));
    assert_memory_equal(a.key.b, d.key.b, 32);
    assert_memory_equal(b.key.b, c.key.b, 32);
    assert_memory_not_equal(a.key.b, b.key.b, 32);
    assert_memory_equal(ours, theirs, sizeof ours);
    hs_handshake_wipe(&p.client);
    const struct hs_handshake empty = {0};
    assert_memory_equal(&p.client, &empty, sizeof empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_keys),
        cmocka_unit_test(altered_bytes),
        cmocka_unit_test(other_prologue_or_key),
        cmocka_unit_test(low_order_keys),
        cmocka_unit_test(limits),
        cmocka_unit_test(wrong_params),
        cmocka_unit_test(split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
