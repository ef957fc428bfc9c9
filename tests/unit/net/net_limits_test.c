/* What one connection, or too many of them, can take from the others: nothing. */
#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* NODE-13: deliveries to one who doesn't read stop at the budget; after a while it is closed; others aren't
 * held up. */
static void reader_that_stops_is_closed(void **state)
{
    struct bench *b = *state;
    b->limits.stall_ms = 700;
    bench_start(b);
    struct peer slow = peer_opened(b), other = peer_opened(b);
    assert_true(peer_send_op(&slow, 's', 200 << 20, 0));
    for (int n = 0; n < 100; n++) {
        assert_true(peer_send(&other, hs_bytes_str("e")));
        peer_expect(&other, hs_bytes_str("e"));
    }
    uv_sleep(2500);
    assert_true(peer_is_closed(&slow, PEER_TIMEOUT_MS));
    peer_close(&slow);
    peer_close(&other);
}

/* A slow reader that goes on reading gets all of it. */
static void slow_reader_gets_everything(void **state)
{
    enum { FRAMES = 20000 };
    struct bench *b = *state;
    b->limits.stall_ms = 700;
    bench_start(b);
    struct peer p = peer_opened(b);
    uint8_t frame[HS_FRAME_MAX];
    assert_true(peer_send_op(&p, 's', FRAMES * FAKE_STREAM_FRAME, 0));
    for (int n = 0; n < FRAMES; n++) {
        if (n % 1000 == 0)
            uv_sleep(20);
        assert_int_equal(peer_receive(&p, frame, sizeof frame, PEER_TIMEOUT_MS), FAKE_STREAM_FRAME);
    }
    assert_int_equal(peer_receive(&p, frame, sizeof frame, 50), -1);
    peer_close(&p);
}

/* NODE-14: one who asks without reading the answers isn't read either, and then closed. */
static void asker_that_does_not_read_is_held(void **state)
{
    struct bench *b = *state;
    static uint8_t frame[60000] = "e";
    b->limits.stall_ms = 1500;
    bench_start(b);
    struct peer p = peer_opened(b);
    peer_authenticate(&p);
    size_t sent = 0;
    bool held = false;
    for (;;) {
        struct hs_bytes out = hs_link_output(p.link);
        if (out.len == 0) {
            assert_ok(hs_link_send(p.link, hs_bytes(frame, sizeof frame)));
            out = hs_link_output(p.link);
        }
        struct pollfd ready = {.fd = p.fd, .events = POLLOUT};
        if (poll(&ready, 1, 300) != 1) {
            held = true;
            break;
        }
        ssize_t done = send(p.fd, out.data, out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (done < 0)
            break;
        hs_link_output_done(p.link, (size_t)done);
        sent += (size_t)done;
    }
    print_message("held after %zu bytes\n", sent);
    assert_true(held);
    assert_true(sent < 32u << 20); /* the kernel's buffers, 64 frames and the queue */
    uv_sleep(3500);
    assert_true(send(p.fd, "x", 1, MSG_NOSIGNAL) < 0 || send(p.fd, "x", 1, MSG_NOSIGNAL) < 0 ||
                peer_is_closed(&p, PEER_TIMEOUT_MS));
    peer_close(&p);
}

/* More frames than a connection may have at the commit thread. */
static void many_unread_frames_wait(void **state)
{
    struct bench *b = *state;
    b->limits.frames_queued = 2;
    bench_start(b);
    struct peer p = peer_opened(b);
    for (uint64_t n = 1; n <= 3000; n++)
        assert_true(peer_send_op(&p, 'p', n, 20));
    for (uint64_t n = 1; n <= 3000; n++) {
        uint8_t got[64];
        assert_int_equal(peer_receive(&p, got, sizeof got, PEER_TIMEOUT_MS), 9);
        assert_int_equal(hs_kv_u64(hs_bytes(got + 1, 8)), n);
    }
    peer_close(&p);
}

static bool answers(struct bench *b)
{
    struct peer p;
    if (!peer_open(&p, b->port, &b->transport_pub))
        return false;
    peer_authenticate(&p);
    peer_close(&p);
    return true;
}

/* NODE-16: past the cap connections are closed unheard; when others go there is room again. */
static void connections_are_capped(void **state)
{
    struct bench *b = *state;
    struct peer peers[10], p;
    b->limits.connections = 10;
    bench_start(b);
    for (size_t i = 0; i < 10; i++)
        peers[i] = peer_opened(b);
    assert_false(peer_open(&p, b->port, &b->transport_pub));
    peer_close(&peers[3]);
    bool answered = false;
    for (int tries = 0; tries < 100 && !answered; tries++) {
        answered = answers(b);
        uv_sleep(10);
    }
    assert_true(answered);
    for (size_t i = 0; i < 10; i++)
        peer_close(&peers[i]);
}

/* NODE-16: the files run out before the connections do; the node turns away and recovers. */
static void few_files_are_survived(void **state)
{
    enum { SOCKETS = 150 };
    struct bench *b = *state;
    int fds[2], sockets[SOCKETS], status = 0;
    struct rlimit few = {.rlim_cur = 60, .rlim_max = 60};
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0 && setrlimit(RLIMIT_NOFILE, &few) == 0)
        bench_serve(b, fds[1]);
    assert_int_equal(read(fds[0], &b->port, sizeof b->port), sizeof b->port);
    for (int i = 0; i < SOCKETS; i++)
        sockets[i] = peer_socket(b->port);
    uv_sleep(100);
    for (int i = 0; i < SOCKETS; i++)
        close(sockets[i]);
    bool answered = false;
    for (int tries = 0; tries < 200 && !answered; tries++) {
        answered = answers(b);
        uv_sleep(10);
    }
    assert_true(answered);
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(fds[0]);
    close(fds[1]);
}

/* NODE-17: one address makes so many connections and no more for a while. */
static void addresses_are_limited(void **state)
{
    struct bench *b = *state;
    b->limits.address_burst = 5;
    b->limits.address_rate = 2;
    bench_start(b);
    for (int i = 0; i < 5; i++)
        assert_true(answers(b));
    assert_false(answers(b));
    uv_sleep(600);
    assert_true(answers(b));
}

/* NODE-18: a stranger who says nothing is closed within 5 s, one who doesn't authenticate after a while. */
static void strangers_are_closed(void **state)
{
    struct bench *b = *state;
    b->limits.unauthenticated_ms = 1000;
    bench_start(b);
    int silent[200];
    for (size_t i = 0; i < 200; i++)
        silent[i] = peer_socket(b->port);
    struct peer unknown = peer_opened(b), known = peer_opened(b);
    peer_authenticate(&known);
    uint64_t start = uv_hrtime();
    assert_true(peer_is_closed(&unknown, 4000));
    assert_true(uv_hrtime() - start >= 500000000ull);
    for (size_t i = 0; i < 200; i++) {
        struct pollfd ready = {.fd = silent[i], .events = POLLIN};
        assert_int_equal(poll(&ready, 1, 9000), 1);
        close(silent[i]);
    }
    uint64_t took = (uv_hrtime() - start) / 1000000;
    assert_true(took > 3000 && took < 9000);
    assert_true(peer_send(&known, hs_bytes_str("e")));
    peer_expect(&known, hs_bytes_str("e"));
    peer_close(&unknown);
    peer_close(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
        TEST(reader_that_stops_is_closed),
        TEST(slow_reader_gets_everything),
        TEST(asker_that_does_not_read_is_held),
        TEST(many_unread_frames_wait),
        TEST(connections_are_capped),
        TEST(few_files_are_survived),
        TEST(addresses_are_limited),
        TEST(strangers_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
