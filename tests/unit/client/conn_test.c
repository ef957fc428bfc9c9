/* The socket under a session: connecting, the next address, asking for a descriptor, frames both ways, an
 * end. */
#include "support/test.h"

#include "crypto/dh.h"
#include "crypto/selftest.h"
#include "net/conn.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS = 2000 };
static const struct hs_time now = {1000};

/* A node's end: a listening socket and, once connected, a responder. */
struct node {
    int listener, fd, port;
    struct hs_secret32 key;
    struct hs_key pub;
    struct hs_link *link;
    char heard[64];
};

static void node_listen(struct node *node)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *node = (struct node){.fd = -1, .listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
    assert_int_equal(bind(node->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(node->listener, 4), 0);
    assert_int_equal(getsockname(node->listener, (struct sockaddr *)&at, &len), 0);
    node->port = ntohs(at.sin_port);
    hs_dh_keypair(&node->key, &node->pub);
}

static void node_free(struct node *node)
{
    hs_link_free(&node->link);
    close(node->listener);
    if (node->fd >= 0)
        close(node->fd);
}

/* Accepts, reads, answers "pong" to every frame, writes. */
static void node_turn(struct node *node)
{
    uint8_t bytes[4096];
    struct hs_link_event event;
    if (node->fd < 0) {
        node->fd = accept4(node->listener, NULL, NULL, SOCK_NONBLOCK);
        if (node->fd < 0)
            return;
        assert_ok(
            hs_link_new_responder(&node->key, &node->pub, hs_bytes_str("descriptor"), now, &node->link));
    }
    ssize_t n = recv(node->fd, bytes, sizeof bytes, 0);
    if (n > 0)
        assert_ok(hs_link_input(node->link, hs_bytes(bytes, (size_t)n)));
    do {
        assert_ok(hs_link_next(node->link, &event));
        if (event.kind == HS_LINK_FRAME) {
            snprintf(node->heard, sizeof node->heard, "%.*s", (int)event.bytes.len,
                     (const char *)event.bytes.data);
            assert_ok(hs_link_send(node->link, hs_bytes_str("pong")));
        }
    } while (event.kind != HS_LINK_NONE);
    for (struct hs_bytes out; (out = hs_link_output(node->link)).len > 0;) {
        ssize_t sent = send(node->fd, out.data, out.len, MSG_NOSIGNAL);
        assert_true(sent > 0);
        hs_link_output_done(node->link, (size_t)sent);
    }
}

static struct hs_dial dial_for(const struct node *node, bool knows_node)
{
    struct hs_dial dial = {.knows_node = knows_node, .node = node->pub, .address_count = 1};
    struct hs_key own;
    hs_dh_keypair(&dial.own, &own);
    snprintf(dial.addresses[0], sizeof dial.addresses[0], "127.0.0.1:%d", node->port);
    return dial;
}

/* Until the connection's next event; the view is valid until the next turn. */
static enum hs_err next_event(struct hs_conn *conn, struct node *node, struct hs_link_event *event)
{
    for (int i = 0; i < TURNS; i++) {
        HS_TRY(hs_conn_next(conn, event));
        if (event->kind != HS_LINK_NONE)
            return HS_OK;
        if (node != NULL)
            node_turn(node);
        struct pollfd fd = {.fd = hs_conn_fd(conn), .events = POLLIN};
        poll(&fd, 1, 1);
        HS_TRY(hs_conn_step(conn, now));
    }
    return HS_ERR_TIMEOUT;
}

static void talk(struct hs_conn *conn, struct node *node)
{
    struct hs_link_event event;
    assert_ok(next_event(conn, node, &event));
    assert_int_equal(event.kind, HS_LINK_READY);
    assert_true(hs_key_equal(&event.remote, &node->pub));
    hs_conn_set_authenticated(conn);
    assert_ok(hs_conn_send(conn, hs_bytes_str("ping")));
    assert_true(hs_conn_wants_write(conn));
    assert_ok(next_event(conn, node, &event));
    assert_int_equal(event.kind, HS_LINK_FRAME);
    assert_bytes(event.bytes, hs_bytes_str("pong"));
    assert_string_equal(node->heard, "ping");
}

static void test_a_node_whose_key_is_known(void **state)
{
    (void)state;
    struct node node;
    struct hs_conn *conn;
    node_listen(&node);
    struct hs_dial dial = dial_for(&node, true);
    assert_ok(hs_conn_open(&dial, now, &conn));
    talk(conn, &node);
    hs_conn_free(conn);
    node_free(&node);
}

static void test_a_node_that_is_asked_first(void **state)
{
    (void)state;
    struct node node;
    struct hs_conn *conn;
    struct hs_link_event event;
    node_listen(&node);
    struct hs_dial dial = dial_for(&node, false);
    assert_ok(hs_conn_open(&dial, now, &conn));
    assert_ok(next_event(conn, &node, &event));
    assert_int_equal(event.kind, HS_LINK_DESCRIPTOR);
    assert_bytes(event.bytes, hs_bytes_str("descriptor"));
    assert_ok(hs_conn_start(conn, &node.pub));
    talk(conn, &node);
    hs_conn_free(conn);
    node_free(&node);
}

static void test_the_next_address_is_tried(void **state)
{
    (void)state;
    struct node node, gone;
    struct hs_conn *conn;
    node_listen(&node);
    node_listen(&gone);
    node_free(&gone);
    struct hs_dial dial = dial_for(&node, true);
    memcpy(dial.addresses[2], dial.addresses[0], sizeof dial.addresses[0]);
    snprintf(dial.addresses[0], sizeof dial.addresses[0], "127.0.0.1:%d", gone.port);
    snprintf(dial.addresses[1], sizeof dial.addresses[1], "no port here");
    dial.address_count = 3;
    assert_ok(hs_conn_open(&dial, now, &conn));
    talk(conn, &node);
    hs_conn_free(conn);
    node_free(&node);
}

static void test_nobody_is_there(void **state)
{
    (void)state;
    struct node gone;
    struct hs_conn *conn;
    struct hs_link_event event;
    node_listen(&gone);
    node_free(&gone);
    struct hs_dial dial = dial_for(&gone, true);
    enum hs_err err = hs_conn_open(&dial, now, &conn);
    if (err == HS_OK) {
        err = next_event(conn, NULL, &event);
        hs_conn_free(conn);
    }
    assert_err(err, HS_ERR_UNREACHABLE);
    dial.address_count = 0;
    assert_err(hs_conn_open(&dial, now, &conn), HS_ERR_UNREACHABLE);
}

static void test_a_node_that_hangs_up(void **state)
{
    (void)state;
    struct node node;
    struct hs_conn *conn;
    struct hs_link_event event;
    node_listen(&node);
    struct hs_dial dial = dial_for(&node, true);
    assert_ok(hs_conn_open(&dial, now, &conn));
    talk(conn, &node);
    close(node.fd);
    node.fd = -1;
    assert_err(next_event(conn, NULL, &event), HS_ERR_CLOSED);
    hs_conn_free(conn);
    node_free(&node);
}

static void test_a_node_that_says_nothing(void **state)
{
    (void)state;
    struct node node;
    struct hs_conn *conn;
    node_listen(&node);
    struct hs_dial dial = dial_for(&node, true);
    assert_ok(hs_conn_open(&dial, now, &conn));
    for (int i = 0; i < 10; i++) {
        usleep(1000);
        assert_ok(hs_conn_step(conn, now));
    }
    assert_true(hs_conn_deadline(conn).ms > now.ms);
    assert_err(hs_conn_step(conn, hs_conn_deadline(conn)), HS_ERR_TIMEOUT);
    hs_conn_free(conn);
    node_free(&node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_node_whose_key_is_known), cmocka_unit_test(test_a_node_that_is_asked_first),
        cmocka_unit_test(test_the_next_address_is_tried), cmocka_unit_test(test_nobody_is_there),
        cmocka_unit_test(test_a_node_that_hangs_up),      cmocka_unit_test(test_a_node_that_says_nothing),
    };
    assert_ok(hs_crypto_init());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
