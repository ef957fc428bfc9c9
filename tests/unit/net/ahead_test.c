/* NODE-105: what many sessions are due is sealed while the round syncs, and leaves only afterwards. */
#include "bench.h"

#include "support/commit_gate.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { MANY = 80, FRAME = FAKE_STREAM_FRAME, AT_ONCE = 32 /* frames that the fake core gives a session */ };

static struct peer peers[MANY];

static int setup(void **state)
{
    return gate_make() ? bench_setup(state) : -1;
}

static int teardown(void **state)
{
    gate_open(); /* a test that failed has left it shut */
    int failed = bench_teardown(state);
    gate_free();
    return failed;
}

static void open_some(struct bench *b, size_t count)
{
    bench_start(b);
    for (size_t i = 0; i < MANY; i++)
        peers[i].fd = -1;
    for (size_t i = 0; i < count; i++) {
        assert_true(peer_open(&peers[i], b->port, &b->transport_pub));
        peer_authenticate(&peers[i]);
    }
}

static void open_all(struct bench *b)
{
    open_some(b, MANY);
}

static void close_all(void)
{
    for (size_t i = 0; i < MANY; i++)
        if (peers[i].fd >= 0)
            peer_close(&peers[i]);
}

/* The first one stores the number, and has so many frames sent to everybody: for how many sessions they are
 * sealed before it is written. Who asked isn't one of them: it gets its answer first. */
static uint64_t ask_and_stop(struct bench *b, uint64_t number, size_t frames, uint64_t at_least)
{
    struct hs_net_stats stats;
    gate.number = number;
    assert_true(peer_send_op(&peers[0], 'w', number, frames));
    uv_sem_wait(&gate.reached);
    for (int waited = 0; waited < PEER_TIMEOUT_MS; waited += 10) {
        hs_net_stats(b->net, &stats);
        if (stats.sealed_ahead >= at_least)
            break;
        uv_sleep(10);
    }
    return stats.sealed_ahead;
}

static void expect_nothing(void)
{
    struct pollfd fds[MANY];
    for (size_t i = 0; i < MANY; i++)
        fds[i] = (struct pollfd){.fd = peers[i].fd, .events = POLLIN};
    assert_int_equal(poll(fds, MANY, 100), 0);
}

static void expect_answer(const char *op)
{
    uint8_t answer[16];
    assert_true(peer_receive(&peers[0], answer, sizeof answer, PEER_TIMEOUT_MS) > 0);
    assert_int_equal(answer[0], op[0]);
}

static void expect_stream(struct peer *p, uint64_t left)
{
    uint8_t frame[FRAME];
    for (; left > 0; left -= FRAME) {
        assert_int_equal(peer_receive(p, frame, sizeof frame, PEER_TIMEOUT_MS), FRAME);
        assert_int_equal(frame[0], 's');
        assert_int_equal(hs_kv_u64(hs_bytes(frame + 1, 8)), left);
    }
}

/* Also to one that asks something meanwhile: that makes its connection write what it has. */
static void nothing_leaves_before_it_is_durable(void **state)
{
    struct bench *b = *state;
    open_all(b);
    assert_int_equal(ask_and_stop(b, 7, 1, MANY - 1), MANY - 1);
    assert_true(peer_send(&peers[1], hs_bytes_str("e")));
    expect_nothing();
    gate_open();
    expect_answer("a");
    for (size_t i = 0; i < MANY; i++)
        expect_stream(&peers[i], FRAME);
    peer_expect(&peers[1], hs_bytes_str("e"));
    close_all();
    bench_stop(b);
    assert_true(bench_stored(b, 7));
}

/* No more than is worth it: the last one may go past the limit. */
static void bounded_bytes_are_sealed(void **state)
{
    struct bench *b = *state;
    enum { EACH = AT_ONCE * FRAME, SEALED = (HS_NET_AHEAD_BYTES + EACH - 1) / EACH };
    open_all(b);
    assert_int_equal(ask_and_stop(b, 1, AT_ONCE, SEALED), SEALED);
    gate_open();
    expect_answer("a");
    for (size_t i = 0; i < MANY; i++)
        expect_stream(&peers[i], EACH);
    close_all();
}

/* One session less, though it is more frames; and as many. */
static void few_are_not_worth_it(void **state)
{
    struct bench *b = *state;
    struct hs_net_stats stats;
    open_some(b, HS_NET_FANOUT_MIN - 1);
    (void)ask_and_stop(b, 1, 2, 0);
    uv_sleep(2 * HS_NET_SWEEP_MS);
    hs_net_stats(b->net, &stats);
    assert_int_equal(stats.sealed_ahead, 0);
    gate_open();
    expect_answer("a");
    for (size_t i = 0; i < HS_NET_FANOUT_MIN - 1; i++)
        expect_stream(&peers[i], 2 * FRAME);
    assert_true(peer_open(&peers[HS_NET_FANOUT_MIN - 1], b->port, &b->transport_pub));
    peer_authenticate(&peers[HS_NET_FANOUT_MIN - 1]);
    assert_int_equal(ask_and_stop(b, 2, 1, HS_NET_FANOUT_MIN - 1), HS_NET_FANOUT_MIN - 1);
    gate_open();
    expect_answer("a");
    for (size_t i = 0; i < HS_NET_FANOUT_MIN; i++)
        expect_stream(&peers[i], FRAME);
    close_all();
}

static void those_who_go_meanwhile_are_in_nobodys_way(void **state)
{
    struct bench *b = *state;
    open_all(b);
    assert_int_equal(ask_and_stop(b, 1, 1, MANY - 1), MANY - 1);
    for (size_t i = 1; i < MANY; i += 3) {
        struct linger reset = {.l_onoff = 1};
        assert_int_equal(setsockopt(peers[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        peer_close(&peers[i]);
    }
    uv_sleep(50);
    gate_open();
    expect_answer("a");
    for (size_t i = 0; i < MANY; i++)
        if (peers[i].fd >= 0)
            expect_stream(&peers[i], FRAME);
    close_all();
}

/* Not a byte of it, but what became of the request; who came meanwhile isn't concerned. */
static void what_is_withdrawn_closes(void **state)
{
    struct bench *b = *state;
    struct peer late;
    uint8_t byte;
    open_all(b);
    gate.fails = true;
    assert_int_equal(ask_and_stop(b, 1, 1, MANY - 1), MANY - 1);
    assert_true(peer_open(&late, b->port, &b->transport_pub));
    gate_open();
    expect_answer("F");
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(peer_receive(&peers[i], &byte, 1, PEER_TIMEOUT_MS), 0);
    assert_true(peer_send(&late, hs_bytes_str("e")));
    peer_expect(&late, hs_bytes_str("e"));
    peer_close(&late);
    close_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(nothing_leaves_before_it_is_durable),
        TEST(bounded_bytes_are_sealed),
        TEST(few_are_not_worth_it),
        TEST(those_who_go_meanwhile_are_in_nobodys_way),
        TEST(what_is_withdrawn_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
