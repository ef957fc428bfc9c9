/* NODE-89: what many sessions are due is written by several threads. */
#include "bench.h"

#include "wire/limits.h"

#include <stdlib.h>
#include <sys/socket.h>

enum { MANY = 80, FRAMES = 600, FRAME = FAKE_STREAM_FRAME, GONE = 3 /* every third */ };

static struct peer peers[MANY];

static void open_all(struct bench *b)
{
    for (size_t i = 0; i < MANY; i++) {
        assert_true(peer_open(&peers[i], b->port, &b->transport_pub));
        peer_authenticate(&peers[i]);
    }
}

/* All of the stream, in its order: more than the sockets hold, so that most of it waits for its reader. */
static void read_all(struct peer *p)
{
    uint8_t frame[FRAME];
    for (uint64_t left = (uint64_t)FRAMES * FRAME; left > 0; left -= FRAME) {
        assert_int_equal(peer_receive(p, frame, sizeof frame, PEER_TIMEOUT_MS), FRAME);
        assert_int_equal(frame[0], 's');
        assert_int_equal(hs_kv_u64(hs_bytes(frame + 1, 8)), left);
    }
}

static void check_all(struct bench *b, unsigned helpers)
{
    b->limits.helpers = helpers;
    bench_start(b);
    open_all(b);
    assert_true(peer_send_op(&peers[0], 'S', (uint64_t)FRAMES * FRAME, 0));
    for (size_t i = 0; i < MANY; i++) {
        read_all(&peers[i]);
        assert_true(peer_send(&peers[i], hs_bytes_str("e")));
        peer_expect(&peers[i], hs_bytes_str("e"));
        peer_close(&peers[i]);
    }
}

static void everybody_gets_all_in_order(void **state)
{
    check_all(*state, HS_NET_HELPERS);
}

static void one_thread_is_enough(void **state)
{
    check_all(*state, 0);
}

/* Some are gone at once, by a reset; nobody else notices. */
static void those_who_go_are_in_nobodys_way(void **state)
{
    struct bench *b = *state;
    bench_start(b);
    open_all(b);
    assert_true(peer_send_op(&peers[0], 'S', (uint64_t)FRAMES * FRAME, 0));
    for (size_t i = 1; i < MANY; i += GONE) {
        struct linger reset = {.l_onoff = 1};
        assert_int_equal(setsockopt(peers[i].fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        peer_close(&peers[i]);
    }
    for (size_t i = 0; i < MANY; i++) {
        if (peers[i].fd < 0)
            continue;
        read_all(&peers[i]);
        peer_close(&peers[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
        TEST(everybody_gets_all_in_order),
        TEST(one_thread_is_enough),
        TEST(those_who_go_are_in_nobodys_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
