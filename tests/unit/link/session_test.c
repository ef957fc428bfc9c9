/* An open session: frames both ways, limits, queue, rekeying, memory. */
#include "support/rng.h"
#include "unit/link/peers.h"

#include "link/state.h"
#include "wire/frame.h"

static uint8_t big[HS_FRAME_MAX + 1];

static void authenticate(struct peer *client, struct peer *node)
{
    hs_link_set_authenticated(node->link);
    hs_link_set_authenticated(client->link);
}

static void send(struct peer *from, struct peer *to, struct hs_bytes frame, size_t chunk)
{
    size_t before = to->frames;
    assert_ok(hs_link_send(from->link, frame));
    peers_talk(from, to, chunk);
    assert_ok(to->err);
    assert_int_equal(to->frames, before + 1);
    assert_bytes(hs_writer_bytes(&to->last), frame);
}

/* SESSION-9: sizes around every limit, in pieces down to one byte. */
static void sizes_and_pieces(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,     127,   128,   1000,  1022,  1023, 4096,
                                   16383, 16384, 65503, 65519, 65520, 65536};
    static const size_t chunks[] = {1, 3, 1000, 65536};
    struct rng rng = rng_new();
    rng_fill(&rng, big, sizeof big);
    for (size_t c = 0; c < sizeof chunks / sizeof chunks[0]; c++) {
        struct peer PEER client, PEER node;
        peers_open(&client, &node);
        authenticate(&client, &node);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            send(&client, &node, hs_bytes(big, sizes[i]), chunks[c]);
            send(&node, &client, hs_bytes(big + 1, sizes[i]), chunks[c]);
        }
    }
}

/* Random frames, random pieces, both ways at once: what arrives is what was sent, in order. */
static void random_traffic(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    authenticate(&client, &node);
    size_t sent[2] = {0, 0};
    for (size_t round = 0; round < 300; round++) {
        for (size_t n = rng_below(&rng, 4); n > 0; n--) {
            bool up = rng_below(&rng, 2) == 0;
            size_t len = 1 + rng_below(&rng, rng_below(&rng, 8) == 0 ? HS_FRAME_MAX : 300);
            memset(big, (int)sent[up], len);
            if (hs_link_send(up ? client.link : node.link, hs_bytes(big, len)) == HS_OK)
                sent[up]++;
        }
        peers_carry(&client, &node, 1 + rng_below(&rng, 3000));
        peers_carry(&node, &client, 1 + rng_below(&rng, 70000) % HS_LINK_INPUT_MAX);
        assert_ok(client.err);
        assert_ok(node.err);
        if (node.last.len > 0)
            assert_int_equal(node.last.data[0], (uint8_t)(node.frames - 1));
        if (client.last.len > 0)
            assert_int_equal(client.last.data[0], (uint8_t)(client.frames - 1));
    }
    peers_talk(&client, &node, HS_LINK_INPUT_MAX);
    assert_int_equal(node.frames, sent[1]);
    assert_int_equal(client.frames, sent[0]);
    assert_true(sent[0] > 50 && sent[1] > 50);
}

/* The records of a piece of stream. */
static size_t count_records(struct hs_bytes stream)
{
    size_t count = 0;
    for (size_t at = 0; at < stream.len; count++)
        at += 2 + ((size_t)stream.data[at] << 8 | stream.data[at + 1]);
    return count;
}

/* SESSION-10: what gathers goes into one record, or as few as hold it. */
static void few_records(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    for (size_t i = 0; i < 100; i++)
        assert_ok(hs_link_send(node.link, hs_bytes(big, 100)));
    struct hs_bytes view = hs_link_output(node.link);
    assert_int_equal(view.len, 2 + 100 * 101 + 16);
    assert_int_equal(count_records(view), 1);
    peers_talk(&client, &node, HS_LINK_INPUT_MAX);
    assert_int_equal(client.frames, 100);
    for (size_t i = 0; i < 3; i++)
        assert_ok(hs_link_send(node.link, hs_bytes(big, HS_FRAME_MAX)));
    assert_int_equal(count_records(hs_link_output(node.link)), 4); /* 3 * 65539 bytes, 65519 a record */
    peers_talk(&client, &node, HS_LINK_INPUT_MAX);
    assert_int_equal(client.frames, 103);
}

/* A view stays where it is while more is queued, and after the link closed. */
static void stable_view(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    assert_ok(hs_link_send(node.link, hs_bytes_str("one")));
    struct hs_bytes view = hs_link_output(node.link), again;
    uint8_t copy[64];
    assert_int_equal(view.len, 2 + 4 + 16);
    memcpy(copy, view.data, view.len);
    for (size_t i = 0; i < 1000; i++)
        assert_ok(hs_link_send(node.link, hs_bytes_str("two")));
    again = hs_link_output(node.link);
    assert_true(again.data == view.data && again.len == view.len);
    hs_link_output_done(node.link, 5);
    again = hs_link_output(node.link);
    assert_true(again.data == view.data + 5 && again.len == view.len - 5);
    hs_link_close(node.link);
    assert_memory_equal(view.data, copy, view.len);
    assert_int_equal(hs_link_output(node.link).len, 0);
    hs_link_output_done(node.link, view.len - 5);
    assert_int_equal(hs_link_queued(node.link), 0);
}

/* SESSION-11: an initiator sends and a responder accepts 4 KiB until authenticated; the other way 64 KiB. */
static void frame_limits(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    send(&client, &node, hs_bytes(big, HS_FRAME_MAX_UNAUTHENTICATED), 100);
    assert_err(hs_link_send(client.link, hs_bytes(big, HS_FRAME_MAX_UNAUTHENTICATED + 1)), HS_ERR_TOO_LARGE);
    send(&node, &client, hs_bytes(big, HS_FRAME_MAX), 100);
    assert_err(hs_link_send(node.link, hs_bytes(big, HS_FRAME_MAX + 1)), HS_ERR_TOO_LARGE);
    authenticate(&client, &node);
    send(&client, &node, hs_bytes(big, HS_FRAME_MAX), 100);
    assert_err(hs_link_send(client.link, hs_bytes(big, HS_FRAME_MAX + 1)), HS_ERR_TOO_LARGE);
    assert_err(hs_link_send(client.link, (struct hs_bytes){0}), HS_ERR_INVALID_ARG);
    assert_true(hs_link_is_open(client.link));
}

/* SESSION-11: a record past the limit is refused when its length is there, before its bytes. */
static void record_limits(void **state)
{
    (void)state;
    static const uint8_t fits[] = {4, 0}, over[] = {4, 1};
    struct peer PEER client, PEER node, PEER other_client, PEER other_node;
    peers_open(&client, &node);
    peer_give(&node, hs_bytes(fits, 2));
    assert_ok(node.err);
    peers_open(&other_client, &other_node);
    peer_give(&other_node, hs_bytes(over, 2));
    assert_err(other_node.err, HS_ERR_TOO_LARGE);
    /* A client that thinks itself authenticated, and isn't. */
    struct peer PEER eager, PEER slow;
    peers_open(&eager, &slow);
    hs_link_set_authenticated(eager.link);
    assert_ok(hs_link_send(eager.link, hs_bytes(big, 2000)));
    peers_talk(&eager, &slow, SIZE_MAX);
    assert_err(slow.err, HS_ERR_TOO_LARGE);
    assert_int_equal(slow.frames, 0);
}

static void queue_is_bounded(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    size_t count = 0;
    enum hs_err err = HS_OK;
    peers_open(&client, &node);
    while (err == HS_OK && count < 1000) {
        err = hs_link_send(node.link, hs_bytes(big, HS_FRAME_MAX));
        count += err == HS_OK;
    }
    assert_err(err, HS_ERR_BUSY);
    assert_int_equal(count, HS_QUEUE_MAX / (HS_FRAME_MAX + 21));
    size_t room = HS_QUEUE_MAX - hs_link_queued(node.link);
    assert_err(hs_link_send(node.link, hs_bytes(big, room + 1)), HS_ERR_BUSY);
    assert_ok(hs_link_send(node.link, hs_bytes(big, room)));
    peers_talk(&client, &node, HS_LINK_INPUT_MAX);
    assert_int_equal(client.frames, count + 1);
    assert_int_equal(hs_link_queued(node.link), 0);
}

static void too_early(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_init(&client, &node, (struct hs_bytes){0});
    assert_err(hs_link_send(client.link, hs_bytes(big, 1)), HS_ERR_INVALID_STATE);
    assert_err(hs_link_send(node.link, hs_bytes(big, 1)), HS_ERR_INVALID_STATE);
    assert_false(hs_link_is_open(client.link));
    peers_talk(&client, &node, SIZE_MAX);
    hs_link_close(client.link);
    assert_err(hs_link_send(client.link, hs_bytes(big, 1)), HS_ERR_CLOSED);
}

/* The caller's side of the contract: events are pulled before more is put in. */
static void input_contract(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    struct hs_link_event event;
    static uint8_t input[HS_LINK_INPUT_MAX + 1];
    peers_open(&client, &node);
    assert_ok(hs_link_send(client.link, hs_bytes_str("one")));
    assert_ok(hs_link_send(client.link, hs_bytes_str("two")));
    struct hs_bytes view = hs_link_output(client.link);
    assert_err(hs_link_input(node.link, hs_bytes(input, sizeof input)), HS_ERR_INVALID_ARG);
    assert_ok(hs_link_input(node.link, view));
    assert_err(hs_link_input(node.link, view), HS_ERR_INVALID_ARG);
    assert_ok(hs_link_next(node.link, &event));
    assert_bytes(event.bytes, hs_bytes_str("one"));
    assert_err(hs_link_input(node.link, view), HS_ERR_INVALID_ARG);
    assert_ok(hs_link_next(node.link, &event));
    assert_bytes(event.bytes, hs_bytes_str("two"));
    assert_ok(hs_link_next(node.link, &event));
    assert_int_equal(event.kind, HS_LINK_NONE);
    assert_ok(hs_link_input(node.link, (struct hs_bytes){0}));
    assert_ok(hs_link_input(node.link, (struct hs_bytes){0}));
}

/* SESSION-12: across the change of key after 2^16 messages, in one direction only. */
static void rekey_in_session(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    node.out.cap = SIZE_MAX / 4;
    struct hs_secret32 first = client.link->receive.cipher.key;
    for (size_t i = 0; i < HS_REKEY_MESSAGES - 1; i++)
        send(&node, &client, hs_bytes(&i, sizeof i), SIZE_MAX);
    assert_memory_equal(client.link->receive.cipher.key.b, first.b, 32);
    for (size_t i = 0; i < 3; i++)
        send(&node, &client, hs_bytes(&i, sizeof i), SIZE_MAX);
    assert_memory_not_equal(client.link->receive.cipher.key.b, first.b, 32);
    assert_int_equal(client.link->receive.messages, 2);
    assert_int_equal(client.link->send.messages, 0);
    send(&client, &node, hs_bytes_str("still here"), SIZE_MAX);
}

/* An idle link holds no buffer, whatever went through it. */
static void idle_memory(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    peers_open(&client, &node);
    authenticate(&client, &node);
    send(&client, &node, hs_bytes(big, HS_FRAME_MAX), 777);
    send(&node, &client, hs_bytes(big, HS_FRAME_MAX), 777);
    const struct hs_link *links[] = {client.link, node.link};
    for (size_t i = 0; i < 2; i++) {
        struct hs_link_event event;
        assert_ok(hs_link_next(i == 0 ? client.link : node.link, &event));
        assert_int_equal(event.kind, HS_LINK_NONE);
        assert_null(links[i]->opening);
        assert_null(links[i]->in.data);
        assert_null(links[i]->frames.part.data);
        assert_null(links[i]->out.pending.data);
        assert_null(links[i]->out.flight.data);
    }
    printf("idle link: %zu bytes\n", sizeof *links[0]);
    assert_true(sizeof *links[0] <= 1024);
}

/* SESSION-13: closing wipes the keys; that an error closes is what every peer_give() checks. */
static void close_wipes(void **state)
{
    (void)state;
    struct peer PEER client, PEER node;
    const struct hs_channel empty = {0};
    peers_open(&client, &node);
    hs_link_close(node.link);
    assert_memory_equal(&node.link->send, &empty, sizeof empty);
    assert_memory_equal(&node.link->receive, &empty, sizeof empty);
    hs_link_close(node.link);
    assert_false(hs_link_is_open(node.link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_pieces), cmocka_unit_test(random_traffic),
        cmocka_unit_test(few_records),      cmocka_unit_test(stable_view),
        cmocka_unit_test(frame_limits),     cmocka_unit_test(record_limits),
        cmocka_unit_test(queue_is_bounded), cmocka_unit_test(too_early),
        cmocka_unit_test(input_contract),   cmocka_unit_test(rekey_in_session),
        cmocka_unit_test(idle_memory),      cmocka_unit_test(close_wipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
