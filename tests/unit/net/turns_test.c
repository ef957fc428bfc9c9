/* NODE-83, NODE-84: strangers who come at once take turns. */
#include "bench.h"

#include "crypto/dh.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { MANY = 100 };

static struct peer early[MANY];

/* Before the node takes a turn: MANY have connected, and message 1 of each is there. */
static void knock(struct bench *b)
{
    for (size_t i = 0; i < MANY; i++) {
        struct hs_secret32 HS_SECRET priv = {0};
        struct hs_key pub;
        hs_dh_keypair(&priv, &pub);
        early[i] = (struct peer){.fd = peer_socket(b->port)};
        assert_ok(hs_link_new_initiator(&priv, &b->transport_pub, (struct hs_time){0}, &early[i].link));
        struct hs_bytes out = hs_link_output(early[i].link);
        assert_int_equal(write(early[i].fd, out.data, out.len), out.len);
        hs_link_output_done(early[i].link, out.len);
    }
}

static bool is_answered(const struct peer *p, int timeout_ms)
{
    struct pollfd ready = {.fd = p->fd, .events = POLLIN};
    return poll(&ready, 1, timeout_ms) == 1;
}

/* How many of the first have an answer. Nobody has one before those who came earlier: they are looked at
 * after those who came later. */
static size_t answered_in_order(void)
{
    size_t count = 0;
    for (size_t i = MANY; i-- > 0;) {
        bool answered = is_answered(&early[i], 0);
        assert_true(answered || count == 0);
        count += answered;
    }
    return count;
}

static uint64_t turns_of(struct bench *b)
{
    struct hs_net_stats stats;
    uv_sleep(2 * HS_NET_SWEEP_MS); /* they are shared so often */
    hs_net_stats(b->net, &stats);
    return stats.turns;
}

/* Each step of a handshake has a turn of the loop for itself, and they come in the order of their messages.
 */
static void handshakes_take_turns(void **state)
{
    struct bench *b = *state;
    b->limits.openings = 1;
    b->before_run = knock;
    bench_start(b);
    while (answered_in_order() < MANY)
        uv_sleep(1);
    for (size_t i = 0; i < MANY; i++) {
        struct hs_link_event event = peer_finish(&early[i]);
        assert_int_equal(event.kind, HS_LINK_READY);
        assert_true(peer_send(&early[i], hs_bytes_str("e")));
        peer_expect(&early[i], hs_bytes_str("e"));
        peer_close(&early[i]);
    }
    assert_int_equal(turns_of(b), 2 * MANY);
}

/* With the limits of a node, all of them fit in few turns. */
static void turns_are_shared(void **state)
{
    struct bench *b = *state;
    b->before_run = knock;
    bench_start(b);
    for (size_t i = 0; i < MANY; i++) {
        assert_true(is_answered(&early[i], PEER_TIMEOUT_MS));
        peer_close(&early[i]);
    }
    assert_in_range(turns_of(b), (MANY + HS_NET_OPENINGS - 1) / HS_NET_OPENINGS, MANY - 1);
}

/* One who goes before its turn has none, and is in nobody's way. */
static void those_who_went_have_no_turn(void **state)
{
    struct bench *b = *state;
    b->limits.openings = 1;
    b->before_run = knock;
    bench_start(b);
    for (size_t i = 1; i < MANY; i++)
        peer_close(&early[MANY - i]);
    assert_true(is_answered(&early[0], PEER_TIMEOUT_MS));
    struct peer late;
    assert_true(peer_open(&late, b->port, &b->transport_pub));
    assert_true(peer_send(&late, hs_bytes_str("e")));
    peer_expect(&late, hs_bytes_str("e"));
    peer_close(&late);
    peer_close(&early[0]);
}

/* NODE-84: one frame of all strangers at a time: each has a round of its own, and all get through. */
static void frames_of_strangers_take_turns(void **state)
{
    struct bench *b = *state;
    struct hs_net_stats before, after;
    b->limits.strangers = 1;
    bench_start(b);
    struct peer known;
    assert_true(peer_open(&known, b->port, &b->transport_pub));
    peer_authenticate(&known);
    for (size_t i = 0; i < MANY; i++)
        assert_true(peer_open(&early[i], b->port, &b->transport_pub));
    hs_net_stats(b->net, &before);
    for (size_t i = 0; i < MANY; i++)
        assert_true(peer_send(&early[i], hs_bytes_str("e?")));
    assert_true(peer_send(&known, hs_bytes_str("e!")));
    peer_expect(&known, hs_bytes_str("e!"));
    for (size_t i = 0; i < MANY; i++) {
        peer_expect(&early[i], hs_bytes_str("e?"));
        peer_close(&early[i]);
    }
    hs_net_stats(b->net, &after);
    assert_true(after.commit.rounds - before.commit.rounds >= MANY);
    peer_close(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
        TEST(handshakes_take_turns),
        TEST(turns_are_shared),
        TEST(those_who_went_have_no_turn),
        TEST(frames_of_strangers_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
