#include "bench.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t rng_state;

static uint32_t rng(uint32_t below)
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng_state >> 33) % below;
}

static void seed_rng(void)
{
    const char *text = getenv("HANSE_SEED");
    rng_state = text != NULL ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) * 2654435761u;
    print_message("seed %llu\n", (unsigned long long)rng_state);
}

/* A second is what is promised; a busy machine takes its time. */
enum { STOP_LIMIT_MS = 2000 };

/* NODE-11: many frames in flight on several connections come back whole and in order. */
static void frames_come_back_in_order(void **state)
{
    enum { PEERS = 5, FRAMES = 3000, WINDOW = 50 };
    struct bench *b = *state;
    seed_rng();
    bench_start(b);
    struct peer peers[PEERS];
    uint8_t frame[HS_FRAME_MAX_UNAUTHENTICATED] = "e", got[HS_FRAME_MAX];
    for (size_t i = 0; i < PEERS; i++)
        peers[i] = peer_opened(b);
    for (uint32_t n = 0; n < FRAMES + WINDOW; n++) {
        for (size_t i = 0; i < PEERS; i++) {
            uint32_t tag = n * PEERS + (uint32_t)i;
            memcpy(frame + 1, &tag, sizeof tag);
            if (n < FRAMES)
                assert_true(peer_send(&peers[i], hs_bytes(frame, 5 + rng(n % 20 == 0 ? 4000 : 100))));
            if (n < WINDOW)
                continue;
            tag -= WINDOW * PEERS;
            assert_true(peer_receive(&peers[i], got, sizeof got, PEER_TIMEOUT_MS) >= 5);
            assert_memory_equal(got + 1, &tag, sizeof tag);
        }
    }
    for (size_t i = 0; i < PEERS; i++)
        peer_close(&peers[i]);
    assert_true(bench_stop(b) < STOP_LIMIT_MS);
}

/* SESSION: frames up to the limit after authentication, 4 KiB before. */
static void frame_limit_rises(void **state)
{
    struct bench *b = *state;
    static uint8_t frame[HS_FRAME_MAX] = "e";
    bench_start(b);
    struct peer p = peer_opened(b);
    assert_err(hs_link_send(p.link, hs_bytes(frame, HS_FRAME_MAX_UNAUTHENTICATED + 1)), HS_ERR_TOO_LARGE);
    hs_link_set_authenticated(p.link); /* of its own accord: the node doesn't take it */
    assert_true(peer_send(&p, hs_bytes(frame, HS_FRAME_MAX_UNAUTHENTICATED + 1)));
    assert_true(peer_is_closed(&p, PEER_TIMEOUT_MS));
    peer_close(&p);
    p = peer_opened(b);
    peer_authenticate(&p);
    assert_true(peer_send(&p, hs_bytes(frame, sizeof frame)));
    peer_expect(&p, hs_bytes(frame, sizeof frame));
    peer_close(&p);
}

static void everybody_hears_a_broadcast(void **state)
{
    enum { PEERS = 60, ROUNDS = 50 };
    struct bench *b = *state;
    bench_start(b);
    struct peer peers[PEERS];
    for (size_t i = 0; i < PEERS; i++)
        peers[i] = peer_opened(b);
    for (size_t i = 0; i < PEERS; i++)
        peer_authenticate(&peers[i]);
    for (int n = 0; n < ROUNDS; n++) {
        char text[32];
        snprintf(text, sizeof text, "b%d", n);
        assert_true(peer_send(&peers[0], hs_bytes_str(text)));
        for (size_t i = 0; i < PEERS; i++)
            peer_expect(&peers[i], hs_bytes_str(text));
    }
    for (size_t i = 0; i < PEERS; i++)
        peer_close(&peers[i]);
}

/* What was sent before the end arrives. */
static void last_words_arrive(void **state)
{
    struct bench *b = *state;
    bench_start(b);
    for (int n = 0; n < 50; n++) {
        struct peer p = peer_opened(b);
        for (int i = 0; i < 100; i++)
            assert_true(peer_send(&p, hs_bytes_str("echo")));
        assert_true(peer_send(&p, hs_bytes_str("c")));
        (void)peer_send(&p, hs_bytes_str("never heard"));
        for (int i = 0; i < 100; i++)
            peer_expect(&p, hs_bytes_str("echo"));
        assert_true(peer_is_closed(&p, PEER_TIMEOUT_MS));
        peer_close(&p);
    }
}

/* Everything that a client would send: opening, handshake, frames; as one piece of bytes of which a part is
 * sent. */
static void cut_off(struct bench *b, size_t limit, bool reset)
{
    struct peer p = {.fd = peer_socket(b->port)};
    struct hs_secret32 HS_SECRET priv = {.b = {1, 2, 3}};
    uint8_t in[4096];
    size_t sent = 0;
    assert_true(p.fd >= 0);
    assert_ok(hs_link_new_initiator(&priv, &b->transport_pub, (struct hs_time){0}, &p.link));
    for (bool asked = false; sent < limit;) {
        struct hs_bytes out = hs_link_output(p.link);
        size_t take = out.len < limit - sent ? out.len : limit - sent;
        if (take > 0 && send(p.fd, out.data, take, MSG_NOSIGNAL) != (ssize_t)take)
            break;
        hs_link_output_done(p.link, take);
        sent += take;
        struct pollfd ready = {.fd = p.fd, .events = POLLIN};
        if (take > 0)
            continue;
        if (asked)
            break;
        ssize_t got = poll(&ready, 1, PEER_TIMEOUT_MS) == 1 ? read(p.fd, in, sizeof in) : -1;
        struct hs_link_event event = {0};
        if (got <= 0 || hs_link_input(p.link, hs_bytes(in, (size_t)got)) != HS_OK)
            break;
        while (hs_link_next(p.link, &event) == HS_OK && event.kind != HS_LINK_NONE)
            if (event.kind == HS_LINK_READY)
                asked = hs_link_send(p.link, hs_bytes_str("s\0\0\0\0\0\1\0\0")) == HS_OK;
    }
    struct linger hard = {.l_onoff = 1};
    if (reset)
        setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer_close(&p);
}

/* NODE-12: a connection may end at any byte, gently or by reset. */
static void may_end_anywhere(void **state)
{
    struct bench *b = *state;
    bench_start(b);
    for (size_t limit = 0; limit < 260; limit++) {
        cut_off(b, limit, false);
        cut_off(b, limit, true);
    }
    struct peer p = peer_opened(b);
    assert_true(peer_send(&p, hs_bytes_str("e")));
    peer_expect(&p, hs_bytes_str("e"));
    peer_close(&p);
}

/* Every byte of a handshake altered, and noise: the node closes and goes on. */
static void garbage_closes(void **state)
{
    struct bench *b = *state;
    seed_rng();
    bench_start(b);
    for (int n = 0; n < 200; n++) {
        uint8_t junk[300];
        for (size_t i = 0; i < sizeof junk; i++)
            junk[i] = (uint8_t)rng(256);
        int fd = peer_socket(b->port);
        assert_true(fd >= 0);
        (void)!send(fd, junk, 1 + rng(sizeof junk), MSG_NOSIGNAL);
        close(fd);
    }
    struct hs_key other = b->signing.pub; /* another key than the node's: the gate doesn't open */
    struct peer p;
    assert_false(peer_open(&p, b->port, &other));
    p = peer_opened(b);
    peer_authenticate(&p);
    peer_close(&p);
}

/* NODE-15: a stop carries out what was received, sends the answers and takes less than a second. */
static void stop_is_graceful(void **state)
{
    struct bench *b = *state;
    bench_start(b);
    for (unsigned cycle = 0; cycle < 8; cycle++) {
        struct peer p = peer_opened(b), idle = peer_opened(b);
        peer_authenticate(&idle);
        uint64_t first = cycle * 10000 + 1, acked = 0;
        for (uint64_t n = 0; n < 2000; n++)
            assert_true(peer_send_op(&p, 'p', first + n, 100));
        uv_sleep(2 * cycle);
        uint64_t took = bench_stop(b);
        uint8_t got[64];
        while (peer_receive(&p, got, sizeof got, 100) == 9)
            acked++;
        print_message("stopped in %llu ms, %llu acknowledged\n", (unsigned long long)took,
                      (unsigned long long)acked);
        assert_true(took < STOP_LIMIT_MS);
        assert_true(peer_is_closed(&idle, 100));
        assert_true(acked == 0 || bench_stored(b, first + acked - 1));
        assert_false(bench_stored(b, first + acked)); /* whatever happened was told */
        peer_close(&p);
        peer_close(&idle);
        bench_start(b);
    }
}

/* Stopped at any moment of a busy life. */
static void stop_any_time(void **state)
{
    struct bench *b = *state;
    for (unsigned n = 0; n < 15; n++) {
        bench_start(b);
        struct peer peers[4];
        for (size_t i = 0; i < 4; i++) {
            peers[i] = peer_opened(b);
            assert_true(peer_send_op(&peers[i], 's', 50 << 20, 0));
            assert_true(peer_send_op(&peers[i], 'p', i, 2000));
        }
        int half = peer_socket(b->port);
        uv_sleep(3 * n);
        assert_true(bench_stop(b) < STOP_LIMIT_MS);
        for (size_t i = 0; i < 4; i++)
            peer_close(&peers[i]);
        close(half);
    }
    bench_start(b);
    assert_true(bench_stop(b) < STOP_LIMIT_MS);
}

/* The descriptor is given in clear, and the session goes on from it. */
static void descriptor_is_given(void **state)
{
    struct bench *b = *state;
    bench_start(b);
    uint8_t in[4096];
    int fd = peer_socket(b->port);
    struct hs_link HS_LINK *link = NULL;
    struct hs_link_event event;
    assert_ok(hs_link_new_asker((struct hs_time){0}, &link));
    struct hs_bytes out = hs_link_output(link);
    assert_int_equal(write(fd, out.data, out.len), out.len);
    hs_link_output_done(link, out.len);
    do {
        ssize_t got = read(fd, in, sizeof in);
        assert_true(got > 0);
        assert_ok(hs_link_input(link, hs_bytes(in, (size_t)got)));
        assert_ok(hs_link_next(link, &event));
    } while (event.kind == HS_LINK_NONE);
    assert_int_equal(event.kind, HS_LINK_DESCRIPTOR);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    Hanse__SignedObject *object = NULL;
    struct hs_descriptor d;
    assert_ok(hs_object_unpack(event.bytes, &arena, &object));
    assert_ok(hs_descriptor_open(object, &b->root.pub, &d));
    assert_true(hs_key_equal(&d.transport_key, &b->transport_pub));
    close(fd);
}

static void nothing_said(enum hs_net_level level, const char *text)
{
    (void)level;
    (void)text;
}

static void bad_addresses_are_refused(void **state)
{
    struct bench *b = *state;
    bench_start(b);
    static const struct {
        const char *listen;
        enum hs_err want;
    } cases[] = {
        {"localhost:1", HS_ERR_INVALID_ARG}, {"127.0.0.1", HS_ERR_INVALID_ARG},
        {"127.0.0.1:", HS_ERR_INVALID_ARG},  {"127.0.0.1:65536", HS_ERR_INVALID_ARG},
        {":1", HS_ERR_INVALID_ARG},          {"::1:5", HS_ERR_INVALID_ARG},
        {"192.0.2.1:7700", HS_ERR_IO}, /* not this machine's */
    };
    for (size_t i = 0; i <= sizeof cases / sizeof *cases; i++) {
        bool last = i == sizeof cases / sizeof *cases;
        struct hs_net *net = NULL;
        struct hs_net_config config = {.transport = &b->transport,
                                       .limits = b->limits,
                                       .listen = last ? b->address : cases[i].listen, /* in use */
                                       .log = nothing_said};
        assert_err(hs_net_new(&config, &net), last ? HS_ERR_IO : cases[i].want);
    }
}

/* NODE-6: whatever a client was told is there after kill -9. */
static void kill_loses_nothing(void **state)
{
    struct bench *b = *state;
    uint64_t number = 1;
    for (unsigned cycle = 0; cycle < 6; cycle++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0)
            bench_serve(b, fds[1]);
        assert_int_equal(read(fds[0], &b->port, sizeof b->port), sizeof b->port);
        close(fds[0]);
        close(fds[1]);
        struct peer p = peer_opened(b);
        uint64_t acked = number - 1, until = uv_hrtime() + (40 + 17 * cycle) * 1000000ull;
        uint8_t got[64];
        while (uv_hrtime() < until) {
            for (int i = 0; i < 20; i++)
                assert_true(peer_send_op(&p, 'p', number++, 30));
            for (int i = 0; i < 15 && peer_receive(&p, got, sizeof got, PEER_TIMEOUT_MS) == 9; i++)
                acked = hs_kv_u64(hs_bytes(got + 1, 8));
        }
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (peer_receive(&p, got, sizeof got, PEER_TIMEOUT_MS) == 9)
            acked = hs_kv_u64(hs_bytes(got + 1, 8));
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        peer_close(&p);
        for (uint64_t i = 1; i <= acked; i += i % 5 + 1)
            assert_true(bench_stored(b, i));
        assert_true(bench_stored(b, acked));
        number = acked + 1;
    }
    print_message("%llu acknowledged and held\n", (unsigned long long)(number - 1));
}

/* SIGTERM ends the process with 0. */
static void signal_stops(void **state)
{
    struct bench *b = *state;
    int fds[2], status = 0;
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0)
        bench_serve(b, fds[1]);
    assert_int_equal(read(fds[0], &b->port, sizeof b->port), sizeof b->port);
    struct peer p = peer_opened(b);
    uint64_t start = uv_hrtime();
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true((uv_hrtime() - start) / 1000000 < STOP_LIMIT_MS);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(peer_is_closed(&p, 100));
    peer_close(&p);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)
        TEST(frames_come_back_in_order), TEST(frame_limit_rises),  TEST(everybody_hears_a_broadcast),
        TEST(last_words_arrive),         TEST(may_end_anywhere),   TEST(garbage_closes),
        TEST(stop_is_graceful),          TEST(stop_any_time),      TEST(descriptor_is_given),
        TEST(bad_addresses_are_refused), TEST(kill_loses_nothing), TEST(signal_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
