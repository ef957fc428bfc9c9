#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Two nodes: one is asked by a client to dial the other. */
struct pair {
    struct bench a, b;
    struct peer p;
};

static int setup(void **state)
{
    struct pair *pair = calloc(1, sizeof *pair);
    if (pair == NULL)
        return -1;
    bench_init(&pair->a);
    bench_init(&pair->b);
    bench_start(&pair->a);
    bench_start(&pair->b);
    if (!peer_open(&pair->p, pair->a.port, &pair->a.transport_pub))
        return -1;
    peer_authenticate(&pair->p);
    *state = pair;
    return 0;
}

static int teardown(void **state)
{
    struct pair *pair = *state;
    peer_close(&pair->p);
    bench_free(&pair->a);
    bench_free(&pair->b);
    free(pair);
    return 0;
}

/* The outcome: the number of the session, 0 where the dial failed. */
static uint64_t dial(struct pair *pair, const struct hs_key *root, const char *addresses)
{
    uint8_t frame[1024] = "D", got[64];
    memcpy(frame + 1, root->b, sizeof root->b);
    size_t len = 33 + strlen(addresses);
    memcpy(frame + 33, addresses, strlen(addresses));
    assert_true(peer_send(&pair->p, hs_bytes(frame, len)));
    long got_len = peer_receive(&pair->p, got, sizeof got, 30000);
    assert_true(got_len > 0);
    if (got[0] == 'x')
        return 0;
    assert_int_equal(got[0], 'o');
    return hs_kv_u64(hs_bytes(got + 1, 8));
}

/* Sends a frame over the outbound session and expects the answer of the other node's core to come back. */
static void talk_over(struct pair *pair, uint64_t session)
{
    uint8_t frame[64] = "f";
    for (int i = 0; i < 8; i++)
        frame[1 + i] = (uint8_t)(session >> (56 - 8 * i));
    memcpy(frame + 9, "p\0\0\0\0\0\0\0\7abc", 12);
    assert_true(peer_send(&pair->p, hs_bytes(frame, 21)));
    peer_expect(&pair->p, hs_bytes("a\0\0\0\0\0\0\0\7", 9));
}

/* NODE-19: the descriptor is fetched in clear, checked against the root, and a session follows. */
static void session_with_the_other_node(void **state)
{
    struct pair *pair = *state;
    uint64_t session = dial(pair, &pair->b.root.pub, pair->b.address);
    assert_true(session != 0);
    talk_over(pair, session);
    uint64_t second = dial(pair, &pair->b.root.pub, pair->b.address);
    assert_true(second != 0 && second != session);
    bench_stop(&pair->b);
    assert_true(bench_stored(&pair->b, 7));
    assert_int_equal(dial(pair, &pair->b.root.pub, pair->b.address), 0); /* nobody there now */
}

/* NODE-20: another root than the pinned one is refused, whoever answers. */
static void other_root_is_refused(void **state)
{
    struct pair *pair = *state;
    assert_int_equal(dial(pair, &pair->a.root.pub, pair->b.address), 0);
    assert_true(dial(pair, &pair->b.root.pub, pair->b.address) != 0);
}

/* NODE-21: addresses are tried in order, names too. */
static void addresses_in_order(void **state)
{
    struct pair *pair = *state;
    char text[300];
    snprintf(text, sizeof text, "127.0.0.1:1 nonsense %s %s", pair->a.address, pair->b.address);
    assert_true(dial(pair, &pair->b.root.pub, text) != 0);
    snprintf(text, sizeof text, "localhost:%d", pair->b.port);
    assert_true(dial(pair, &pair->b.root.pub, text) != 0);
    assert_int_equal(dial(pair, &pair->b.root.pub, "127.0.0.1:1 [::1]:1"), 0);
    assert_int_equal(dial(pair, &pair->b.root.pub, "no.such.host.invalid:7700"), 0);
    assert_int_equal(dial(pair, &pair->b.root.pub, "127.0.0.1:99999"), 0);
    assert_int_equal(dial(pair, &pair->b.root.pub, " "), 0);
}

/* A node that accepts and says nothing is given up after a while. */
static void silence_is_given_up(void **state)
{
    struct pair *pair = *state;
    uv_loop_t loop;
    uv_tcp_t mute;
    struct sockaddr_in any;
    struct sockaddr_storage name;
    int len = sizeof name;
    char text[128];
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(uv_tcp_init(&loop, &mute), 0);
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &any), 0);
    assert_int_equal(uv_tcp_bind(&mute, (struct sockaddr *)&any, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&mute, 5, (uv_connection_cb)abort), 0);
    assert_int_equal(uv_tcp_getsockname(&mute, (struct sockaddr *)&name, &len), 0);
    snprintf(text, sizeof text, "127.0.0.1:%d %s", ntohs(((struct sockaddr_in *)&name)->sin_port),
             pair->b.address);
    uint64_t start = uv_hrtime();
    assert_true(dial(pair, &pair->b.root.pub, text) != 0);
    uint64_t took = (uv_hrtime() - start) / 1000000;
    assert_true(took > 3500 && took < 9000);
    uv_close((uv_handle_t *)&mute, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_loop_close(&loop);
}

/* Stopping while dials are under way, in every phase of them. */
static void stop_while_dialling(void **state)
{
    struct pair *pair = *state;
    static const char *const kinds[] = {"no.such.host.invalid:1", "localhost:1", "192.0.2.1:7700"};
    for (unsigned n = 0; n < 12; n++) {
        uint8_t frame[200] = "D";
        memcpy(frame + 1, pair->b.root.pub.b, 32);
        const char *to = n % 4 == 3 ? pair->b.address : kinds[n % 4];
        memcpy(frame + 33, to, strlen(to));
        for (int i = 0; i < 5; i++)
            assert_true(peer_send(&pair->p, hs_bytes(frame, 33 + strlen(to))));
        uv_sleep(n);
        assert_true(bench_stop(&pair->a) < 2000);
        peer_close(&pair->p);
        bench_start(&pair->a);
        assert_true(peer_open(&pair->p, pair->a.port, &pair->a.transport_pub));
        peer_authenticate(&pair->p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(session_with_the_other_node), TEST(other_root_is_refused), TEST(addresses_in_order),
        TEST(silence_is_given_up),         TEST(stop_while_dialling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
