#include "bench.h"

#include "crypto/dh.h"
#include "crypto/selftest.h"
#include "support/tmpdir.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAP = 256 << 20 };

static void failed(enum hs_err err, const char *doing)
{
    fprintf(stderr, "%s: %s\n", doing, hs_err_name(err));
    _exit(42);
}

static void note(enum hs_net_level level, const char *text)
{
    if (getenv("HANSE_TEST_LOG") != NULL)
        fprintf(stderr, "[%d] %s\n", (int)level, text);
}

void bench_init(struct bench *b)
{
    *b = (struct bench){.limits = hs_net_limits()};
    assert_ok(hs_crypto_init());
    signal(SIGPIPE, SIG_IGN);
    strcpy(b->dir, "/tmp/hanse-net-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    hs_signer_random(&b->root);
    hs_signer_random(&b->signing);
    hs_dh_keypair(&b->transport, &b->transport_pub);
    b->limits.address_rate = b->limits.address_burst = 1000000;
    b->limits.strangers = 4096; /* few of these tests' clients say who they are */
}

static struct hs_bytes make_descriptor(struct bench *b, struct hs_arena *arena)
{
    struct hs_descriptor d = {
        .signing_key = b->signing.pub, .transport_key = b->transport_pub, .sequence = 1};
    struct hs_time now = {(int64_t)time(NULL) * 1000};
    Hanse__SignedObject *object = NULL;
    struct hs_bytes bytes;
    strcpy(d.domain, "rosa.example");
    strcpy(d.addresses[d.address_count++], "127.0.0.1:7700");
    assert_ok(hs_descriptor_build(&b->root, &d, now, arena, &object));
    assert_ok(hs_object_pack(object, arena, &bytes));
    return bytes;
}

static void prepare(struct bench *b, bool signals)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    struct hs_lmdb_options options = {
        .dir = b->dir, .tables = HS_CORE_TABLES, .map_size = MAP, .map_max = MAP};
    struct hs_core_config core = {.root = b->root.pub};
    assert_ok(hs_lmdb_open(&options, &b->store));
    assert_ok(hs_core_new(&core, &b->core));
    struct hs_net_config config = {.transport = &b->transport,
                                   .transport_pub = b->transport_pub,
                                   .descriptor = make_descriptor(b, &arena),
                                   .listen = "127.0.0.1:0",
                                   .limits = b->limits,
                                   .core = b->core,
                                   .store = b->store,
                                   .signals = signals,
                                   .admin = b->admin,
                                   .admin_arg = b->admin_arg,
                                   .log = note,
                                   .failed = failed};
    assert_ok(hs_net_new(&config, &b->net));
    strcpy(b->address, hs_net_address(b->net));
    b->port = atoi(strrchr(b->address, ':') + 1);
}

static void serve(void *arg)
{
    hs_net_run(((struct bench *)arg)->net);
}

void bench_start(struct bench *b)
{
    prepare(b, false);
    if (b->before_run != NULL)
        b->before_run(b);
    assert_int_equal(uv_thread_create(&b->thread, serve, b), 0);
    b->running = true;
}

static void release(struct bench *b)
{
    hs_net_free(b->net);
    hs_core_free(b->core);
    hs_lmdb_close(b->store);
    b->net = NULL;
}

_Noreturn void bench_serve(struct bench *b, int tell_port)
{
    prepare(b, true);
    if (write(tell_port, &b->port, sizeof b->port) != sizeof b->port)
        _exit(1);
    hs_net_run(b->net);
    release(b);
    _exit(0);
}

uint64_t bench_stop(struct bench *b)
{
    if (!b->running)
        return 0;
    b->running = false;
    uint64_t start = uv_hrtime();
    hs_net_stop(b->net);
    uv_thread_join(&b->thread);
    uint64_t took = (uv_hrtime() - start) / 1000000;
    release(b);
    return took;
}

bool bench_stored(struct bench *b, uint64_t number)
{
    struct hs_lmdb_options options = {
        .dir = b->dir, .tables = HS_CORE_TABLES, .map_size = MAP, .map_max = MAP};
    struct hs_lmdb *store = NULL;
    struct hs_kv *txn = NULL;
    struct hs_kv_key key = {0};
    hs_kv_key_add_u64(&key, number);
    assert_ok(hs_lmdb_open(&options, &store));
    assert_ok(hs_lmdb_begin_read(store, &txn));
    bool has = hs_kv_has(txn, 0, hs_kv_key_bytes(&key));
    hs_lmdb_abort(txn);
    hs_lmdb_close(store);
    return has;
}

void bench_free(struct bench *b)
{
    bench_stop(b);
    nftw(b->dir, tmpdir_remove, 8, FTW_DEPTH | FTW_PHYS);
}

int bench_setup(void **state)
{
    struct bench *b = malloc(sizeof *b);
    if (b == NULL)
        return -1;
    bench_init(b);
    *state = b;
    return 0;
}

int bench_teardown(void **state)
{
    bench_free(*state);
    free(*state);
    return 0;
}

int peer_socket(int port)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool write_out(struct peer *p)
{
    for (struct hs_bytes out; (out = hs_link_output(p->link)).len > 0;) {
        ssize_t done = write(p->fd, out.data, out.len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        hs_link_output_done(p->link, (size_t)done);
    }
    return true;
}

/* The next event; 1, 0 at the end of the stream, -1 after the time. */
static int next_event(struct peer *p, struct hs_link_event *event, int timeout_ms)
{
    uint8_t buffer[HS_LINK_INPUT_MAX];
    for (;;) {
        if (p->started) {
            assert_ok(hs_link_next(p->link, event));
            if (event->kind != HS_LINK_NONE)
                return 1;
        }
        if (!write_out(p))
            return 0;
        struct pollfd ready = {.fd = p->fd, .events = POLLIN};
        if (poll(&ready, 1, timeout_ms) != 1)
            return -1;
        ssize_t got = read(p->fd, buffer, sizeof buffer);
        if (got <= 0)
            return 0;
        assert_ok(hs_link_input(p->link, hs_bytes(buffer, (size_t)got)));
        p->started = true;
    }
}

bool peer_open(struct peer *p, int port, const struct hs_key *transport)
{
    struct hs_secret32 HS_SECRET priv = {0};
    struct hs_key pub;
    struct hs_link_event event;
    hs_dh_keypair(&priv, &pub);
    *p = (struct peer){.fd = peer_socket(port)};
    if (p->fd < 0)
        return false;
    assert_ok(hs_link_new_initiator(&priv, transport, (struct hs_time){0}, &p->link));
    if (!write_out(p) || next_event(p, &event, PEER_TIMEOUT_MS) != 1) {
        peer_close(p);
        return false;
    }
    assert_int_equal(event.kind, HS_LINK_READY);
    return true;
}

struct hs_link_event peer_finish(struct peer *p)
{
    struct hs_link_event event;
    assert_int_equal(next_event(p, &event, PEER_TIMEOUT_MS), 1);
    assert_true(write_out(p));
    return event;
}

bool peer_send(struct peer *p, struct hs_bytes frame)
{
    assert_ok(hs_link_send(p->link, frame));
    return write_out(p);
}

bool peer_send_op(struct peer *p, char op, uint64_t number, size_t extra)
{
    uint8_t frame[9 + 60000] = {0};
    struct hs_kv_key head = {0};
    hs_kv_key_add(&head, hs_bytes(&op, 1));
    hs_kv_key_add_u64(&head, number);
    memcpy(frame, head.b, head.len);
    return peer_send(p, hs_bytes(frame, head.len + extra));
}

long peer_receive(struct peer *p, uint8_t *out, size_t size, int timeout_ms)
{
    struct hs_link_event event;
    int got = next_event(p, &event, timeout_ms);
    if (got != 1)
        return got;
    assert_int_equal(event.kind, HS_LINK_FRAME);
    assert_true(event.bytes.len <= size);
    memcpy(out, event.bytes.data, event.bytes.len);
    return (long)event.bytes.len;
}

void peer_expect(struct peer *p, struct hs_bytes frame)
{
    static uint8_t got[HS_FRAME_MAX];
    long len = peer_receive(p, got, sizeof got, PEER_TIMEOUT_MS);
    assert_true(len > 0);
    assert_bytes(hs_bytes(got, (size_t)len), frame);
}

void peer_authenticate(struct peer *p)
{
    assert_true(peer_send(p, hs_bytes_str("A")));
    peer_expect(p, hs_bytes_str("A"));
    hs_link_set_authenticated(p->link);
}

void peer_close(struct peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    hs_link_free(&p->link);
    p->fd = -1;
}

struct peer peer_opened(struct bench *b)
{
    struct peer p;
    assert_true(peer_open(&p, b->port, &b->transport_pub));
    return p;
}

bool peer_is_closed(struct peer *p, int ms)
{
    uint8_t frame[HS_FRAME_MAX];
    long got;
    while ((got = peer_receive(p, frame, sizeof frame, ms)) > 0)
        continue;
    return got == 0;
}
