/* A node with the fake core in a thread of its own, and clients with blocking sockets, for the tests of net/.
 */
#ifndef TESTS_NET_BENCH_H
#define TESTS_NET_BENCH_H

#include "support/test.h"

#include "fake_core.h"
#include "identity/descriptor.h"
#include "link/link.h"
#include "net/net.h"

#include <uv.h>

struct bench {
    char dir[64];
    struct hs_signer root, signing;
    struct hs_secret32 transport;
    struct hs_key transport_pub;
    struct hs_lmdb *store;
    struct hs_core *core;
    struct hs_net *net;
    struct hs_net_limits limits;
    /* As in hs_net_config; and what is called before the net runs. */
    void (*admin)(void *arg, uint64_t asker, enum hs_err err, struct hs_bytes answer);
    void *admin_arg;
    void (*before_run)(struct bench *b);
    uv_thread_t thread;
    bool running;
    char address[64];
    int port;
};

/* A directory and keys; limits that don't stand in the way. */
void bench_init(struct bench *b);
/* Opens the store and serves on a free port. */
void bench_start(struct bench *b);
/* The same in this process without a thread, until it is stopped by a signal; tells its port through the
 * pipe. */
_Noreturn void bench_serve(struct bench *b, int tell_port);
/* Stops; returns how many milliseconds that took. */
uint64_t bench_stop(struct bench *b);
void bench_free(struct bench *b);
/* True where the number is stored; the node must be stopped. */
bool bench_stored(struct bench *b, uint64_t number);

int bench_setup(void **state);
int bench_teardown(void **state);

enum { PEER_TIMEOUT_MS = 10000 };

struct peer {
    int fd;
    struct hs_link *link;
    bool started; /* its link has events to be pulled */
};

/* Connects; no handshake yet. fd -1 on failure. */
int peer_socket(int port);
/* Connects and shakes hands; false where the node closes instead. */
bool peer_open(struct peer *p, int port, const struct hs_key *transport);
/* The same, which must do. */
struct peer peer_opened(struct bench *b);
/* The rest of a handshake whose first message was written. */
struct hs_link_event peer_finish(struct peer *p);
/* False where the node has closed. */
bool peer_send(struct peer *p, struct hs_bytes frame);
bool peer_send_op(struct peer *p, char op, uint64_t number, size_t extra);
/* The next frame, copied, at most size bytes; its length, 0 at the end of the stream, -1 after timeout_ms. */
long peer_receive(struct peer *p, uint8_t *out, size_t size, int timeout_ms);
/* Receives one frame and checks it. */
void peer_expect(struct peer *p, struct hs_bytes frame);
/* Asks to be authenticated and waits for it. */
void peer_authenticate(struct peer *p);
/* Reads on; true where the node closes, and is silent for less than so long before. */
bool peer_is_closed(struct peer *p, int ms);
void peer_close(struct peer *p);

#endif
