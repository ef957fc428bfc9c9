/* What comes before the first frame: descriptor requests, gate, handshake, time. */
#include "unit/link/peers.h"

#include <sodium.h>

enum { OPENING_LEN = 5 + 16 + 2 + 48, ANSWER_LEN = 2 + 48, LAST_LEN = 2 + 64 };

/* SESSION-1, SESSION-3, SESSION-4: the bytes as the spec has them, the gate computed anew. */
static void bytes_of_the_opening(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    const uint8_t *out = client.out.data;
    assert_int_equal(client.out.len, OPENING_LEN + LAST_LEN);
    assert_int_equal(node.out.len, ANSWER_LEN);
    assert_memory_equal(out, "HNS1\x01", 5);
    uint8_t key[32], mac[16];
    crypto_generichash_state hash;
    crypto_generichash_init(&hash, NULL, 0, sizeof key);
    crypto_generichash_update(&hash, (const uint8_t *)"hanse-gate-v1", 13);
    crypto_generichash_update(&hash, node.pub.b, 32);
    crypto_generichash_final(&hash, key, sizeof key);
    crypto_generichash(mac, sizeof mac, out + 23, 48, key, sizeof key);
    assert_memory_equal(out + 5, mac, sizeof mac);
    assert_memory_equal(out + 21, "\0\x30", 2);
    assert_memory_equal(node.out.data, "\0\x30", 2);
    assert_memory_equal(out + OPENING_LEN, "\0\x40", 2);
}

/* SESSION-6: both sides know each other's key and agree on the hash. */
static void ready(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    assert_true(hs_key_equal(&client.ready.remote, &node.pub));
    assert_true(hs_key_equal(&node.ready.remote, &client.pub));
    assert_memory_equal(client.ready.hash, node.ready.hash, HS_LINK_HASH_LEN);
    assert_true(hs_link_is_open(client.link) && hs_link_is_open(node.link));
}

static void any_pieces(void **state)
{
    (void)state;
    for (size_t chunk = 1; chunk <= OPENING_LEN; chunk++) {
        struct peer PEER client, PEER node;
        peers_init(&client, &node, (struct hs_bytes){0});
        peers_talk(&client, &node, chunk);
        assert_int_equal(client.ready.kind, HS_LINK_READY);
        assert_int_equal(node.ready.kind, HS_LINK_READY);
    }
}

/* SESSION-4: an initiator that means another node is turned away before any public-key work. */
static void wrong_responder(void **state)
{
    (void)state;
    struct peer PEER client, PEER node, PEER other;
    peers_init(&client, &node, (struct hs_bytes){0});
    peer_init(&other);
    assert_ok(hs_link_new_responder(&other.priv, &other.pub, (struct hs_bytes){0}, peers_now, &other.link));
    peers_talk(&client, &other, SIZE_MAX);
    assert_err(other.err, HS_ERR_WRONG_PEER);
    assert_int_equal(other.out.len, 0);
    assert_int_equal(client.ready.kind, HS_LINK_NONE);
}

/* SESSION-5: somebody who knows the node's public key passes the gate and still isn't the node. */
static void responder_without_its_key(void **state)
{
    (void)state;
    struct peer PEER client, PEER node, PEER thief;
    peers_init(&client, &node, (struct hs_bytes){0});
    peer_init(&thief);
    assert_ok(hs_link_new_responder(&thief.priv, &node.pub, (struct hs_bytes){0}, peers_now, &thief.link));
    peers_talk(&client, &thief, SIZE_MAX);
    assert_err(thief.err, HS_ERR_DECRYPT);
    assert_int_equal(client.ready.kind, HS_LINK_NONE);
}

/* Every byte of the opening altered in turn: one side fails, and nobody is READY with a wrong idea of whom it
 * speaks to. SESSION-4, SESSION-5 */
static void altered_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < OPENING_LEN + ANSWER_LEN + LAST_LEN; i++) {
        struct peer PEER client, PEER node;
        peers_init(&client, &node, (struct hs_bytes){0});
        bool by_node = i >= OPENING_LEN && i < OPENING_LEN + ANSWER_LEN;
        if (by_node)
            node.flip = i - OPENING_LEN;
        else
            client.flip = i < OPENING_LEN ? i : i - ANSWER_LEN;
        peers_talk(&client, &node, SIZE_MAX);
        assert_int_equal(node.ready.kind, HS_LINK_NONE);
        if (client.ready.kind == HS_LINK_READY)
            assert_true(i >= OPENING_LEN + ANSWER_LEN && hs_key_equal(&client.ready.remote, &node.pub));
        assert_true(client.err != HS_OK || node.err != HS_OK);
    }
}

/* A stream that ends early leaves both sides without READY, until time is up. SESSION-7 */
static void truncated(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    for (size_t len = 0; len < client.out.len; len++) {
        struct peer PEER again;
        peer_init(&again);
        assert_ok(hs_link_new_responder(&node.priv, &node.pub, (struct hs_bytes){0}, peers_now, &again.link));
        peer_give(&again, hs_bytes(client.out.data, len < OPENING_LEN ? len : OPENING_LEN));
        assert_ok(again.err);
        assert_int_equal(again.ready.kind, HS_LINK_NONE);
        assert_true(hs_link_deadline(again.link).ms == peers_now.ms + HS_LINK_OPENING_MS);
    }
}

/* SESSION-5: the recorded stream of a whole session, played to the same node again, is no session. */
static void replay(void **state)
{
    (void)state;
    struct peer PEER client, PEER node, PEER again;
    peers_open(&client, &node);
    assert_ok(hs_link_send(client.link, hs_bytes_str("pay 100")));
    peers_talk(&client, &node, SIZE_MAX);
    assert_int_equal(node.frames, 1);
    peer_init(&again);
    assert_ok(hs_link_new_responder(&node.priv, &node.pub, (struct hs_bytes){0}, peers_now, &again.link));
    peer_give(&again, hs_writer_bytes(&client.out));
    assert_err(again.err, HS_ERR_DECRYPT);
    assert_int_equal(again.ready.kind, HS_LINK_NONE);
    assert_int_equal(again.frames, 0);
}

/* SESSION-2: ask, believe the answer or not, go on in the same stream. */
static void descriptor_then_session(void **state)
{
    (void)state;
    static uint8_t descriptor[HS_DESCRIPTOR_MAX];
    memset(descriptor, 7, sizeof descriptor);
    for (size_t chunk = 1; chunk < 2000; chunk *= 3) {
        struct peer PEER client, PEER node;
        peer_init(&client);
        peer_init(&node);
        struct hs_bytes view = hs_bytes(descriptor, sizeof descriptor);
        assert_ok(hs_link_new_asker(peers_now, &client.link));
        assert_ok(hs_link_new_responder(&node.priv, &node.pub, view, peers_now, &node.link));
        assert_err(hs_link_start(client.link, &client.priv, &node.pub), HS_ERR_INVALID_STATE);
        peers_talk(&client, &node, chunk);
        assert_bytes(hs_writer_bytes(&client.descriptor), view);
        assert_memory_equal(client.out.data, "HNS1\0", 5);
        assert_ok(hs_link_start(client.link, &client.priv, &node.pub));
        peers_talk(&client, &node, chunk);
        assert_int_equal(client.ready.kind, HS_LINK_READY);
        assert_int_equal(node.ready.kind, HS_LINK_READY);
    }
}

/* SESSION-2: once a connection, and not at all where there is none. */
static void descriptor_refused(void **state)
{
    (void)state;
    static uint8_t longer[HS_DESCRIPTOR_MAX + 1];
    struct peer PEER node, PEER bare;
    peer_init(&node);
    peer_init(&bare);
    assert_err(
        hs_link_new_responder(&node.priv, &node.pub, hs_bytes(longer, sizeof longer), peers_now, &node.link),
        HS_ERR_TOO_LARGE);
    assert_null(node.link);
    assert_ok(hs_link_new_responder(&node.priv, &node.pub, hs_bytes(longer, 1), peers_now, &node.link));
    assert_ok(hs_link_new_responder(&bare.priv, &bare.pub, (struct hs_bytes){0}, peers_now, &bare.link));
    peer_give(&bare, hs_bytes("HNS1", 5));
    assert_err(bare.err, HS_ERR_UNEXPECTED);
    peer_give(&node, hs_bytes("HNS1", 5));
    assert_ok(node.err);
    assert_int_equal(hs_link_output(node.link).len, 3);
    peer_give(&node, hs_bytes("HNS1", 5));
    assert_err(node.err, HS_ERR_UNEXPECTED);
}

/* SESSION-2: what an asker doesn't take for an answer. */
static void bad_answers(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[4];
        size_t len;
        enum hs_err err;
    } rows[] = {
        {{0, 0}, 2, HS_ERR_MALFORMED},
        {{4, 1}, 2, HS_ERR_TOO_LARGE}, /* 1025 */
        {{0, 1, 9, 9}, 4, HS_ERR_UNEXPECTED},
        {{4, 0}, 2, HS_OK}, /* 1024: on its way */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer PEER client;
        peer_init(&client);
        assert_ok(hs_link_new_asker(peers_now, &client.link));
        peer_give(&client, hs_bytes(rows[i].bytes, rows[i].len));
        assert_err(client.err, rows[i].err);
    }
}

/* SESSION-1: other protocols, other kinds, other lengths. */
static void strangers(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum hs_err err;
    } rows[] = {
        {"GET / HTTP/1.1\r\n", 16, HS_ERR_MALFORMED},
        {"HNS2\x01", 5, HS_ERR_MALFORMED},
        {"HNS1\x02", 5, HS_ERR_UNSUPPORTED},
        {"HNS1", 4, HS_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer PEER node;
        peer_init(&node);
        assert_ok(hs_link_new_responder(&node.priv, &node.pub, (struct hs_bytes){0}, peers_now, &node.link));
        peer_give(&node, hs_bytes(rows[i].bytes, rows[i].len));
        assert_err(node.err, rows[i].err);
        assert_int_equal(hs_link_output(node.link).len, 0);
    }
}

/* SESSION-7: the opening has 5 s, an open session has no deadline. */
static void deadlines(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    struct hs_time last = {peers_now.ms + HS_LINK_OPENING_MS - 1}, over = {peers_now.ms + HS_LINK_OPENING_MS};
    peers_init(&client, &node, (struct hs_bytes){0});
    assert_true(hs_link_deadline(client.link).ms == over.ms);
    assert_ok(hs_link_tick(client.link, last));
    peers_talk(&client, &node, SIZE_MAX);
    assert_true(hs_link_deadline(client.link).ms == INT64_MAX);
    assert_ok(hs_link_tick(client.link, over));
    assert_ok(hs_link_tick(node.link, over));

    /* NODE-83: what the node itself takes isn't the other side's. */
    struct peer PEER patient, PEER busy;
    peers_init(&patient, &busy, (struct hs_bytes){0});
    hs_link_put_off(busy.link, 7);
    assert_ok(hs_link_tick(busy.link, over));
    assert_err(hs_link_tick(busy.link, (struct hs_time){over.ms + 7}), HS_ERR_TIMEOUT);
    hs_link_put_off(client.link, 7);
    assert_true(hs_link_deadline(client.link).ms == INT64_MAX);

    struct peer PEER slow, PEER waiting;
    peers_init(&slow, &waiting, (struct hs_bytes){0});
    assert_err(hs_link_tick(waiting.link, over), HS_ERR_TIMEOUT);
    assert_err(hs_link_tick(waiting.link, over), HS_ERR_CLOSED);
    assert_true(hs_link_deadline(waiting.link).ms == INT64_MAX);
}

static void low_order_responder(void **state)
{
    (void)state;
    const struct hs_key low = {{1}};
    struct peer PEER client;
    peer_init(&client);
    assert_err(hs_link_new_initiator(&client.priv, &low, peers_now, &client.link), HS_ERR_BAD_KEY);
    assert_null(client.link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_the_opening),
        cmocka_unit_test(ready),
        cmocka_unit_test(any_pieces),
        cmocka_unit_test(wrong_responder),
        cmocka_unit_test(responder_without_its_key),
        cmocka_unit_test(altered_bytes),
        cmocka_unit_test(truncated),
        cmocka_unit_test(replay),
        cmocka_unit_test(descriptor_then_session),
        cmocka_unit_test(descriptor_refused),
        cmocka_unit_test(bad_answers),
        cmocka_unit_test(strangers),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(low_order_responder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
