/* Outbound connections: the addresses of a node in order, its descriptor in clear, checked against the root
 * that is pinned, then a session. */
#include "identity/descriptor.h"
#include "net/address.h"
#include "net/state.h"

#include <stdlib.h>
#include <time.h>

struct hs_dial {
    struct hs_net *net;
    struct hs_key root;
    char addresses[HS_DIAL_ADDRESSES][HS_ADDRESS_SIZE];
    size_t count, next;                              /* of addresses */
    struct sockaddr_storage targets[HS_NET_TARGETS]; /* of the address under way */
    size_t target_count, next_target;
    uv_getaddrinfo_t lookup;
    bool looking_up, waiting, ended;
    struct hs_conn *conn;
    uint8_t descriptor[HS_DESCRIPTOR_MAX];
    size_t descriptor_len;
    TAILQ_ENTRY(hs_dial) entry;
};

static void go_on(struct hs_dial *dial);

static struct hs_time wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct hs_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

/* A look-up that is under way holds on to the memory. */
static void end(struct hs_dial *dial)
{
    dial->ended = true;
    if (dial->looking_up)
        return;
    struct hs_net *net = dial->net;
    TAILQ_REMOVE(&net->dials, dial, entry);
    net->dial_count--;
    free(dial);
    hs_net_check_stopped(net);
}

static void tell_failed(struct hs_net *net, const struct hs_key *root)
{
    struct hs_core_input failed = {.kind = HS_INPUT_DIAL_FAILED, .dialled_root = *root};
    hs_net_tell(net, &failed);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct hs_conn *conn = request->handle->data;
    struct hs_link *link = NULL;
    if (conn->state == CONN_CLOSING)
        return;
    enum hs_err err = HS_ERR_UNREACHABLE;
    if (status == 0)
        err = hs_link_new_asker((struct hs_time){(int64_t)uv_now(&conn->net->loop)}, &link);
    if (err != HS_OK)
        hs_conn_close(conn, err);
    else
        hs_conn_begin(conn, link);
}

/* False where it fails at once. */
static bool connect_to(struct hs_dial *dial, const struct sockaddr_storage *target)
{
    struct hs_net *net = dial->net;
    if (net->config.public_only && !hs_address_is_public((const struct sockaddr *)target)) {
        hs_net_log(net, HS_NET_INFO,
                   "event=private-address-refused text=\"[network] private would allow it\"");
        return false;
    }
    if (net->open - net->accepted >= HS_NET_OUTBOUND)
        return false;
    struct hs_conn *conn = hs_conn_new(net, true);
    if (conn == NULL)
        return false;
    if (uv_tcp_connect(&conn->request.connect, &conn->tcp, (const struct sockaddr *)target, on_connect) !=
        0) {
        hs_conn_close(conn, HS_ERR_UNREACHABLE);
        return false;
    }
    conn->dial = dial;
    dial->conn = conn;
    return true;
}

static void look_up_waiting(struct hs_net *net);

static void on_found(uv_getaddrinfo_t *lookup, int status, struct addrinfo *found)
{
    struct hs_dial *dial = lookup->data;
    struct hs_net *net = dial->net;
    dial->looking_up = false;
    net->resolving--;
    dial->target_count = dial->next_target = 0;
    for (struct addrinfo *it = status == 0 ? found : NULL; it != NULL && dial->target_count < HS_NET_TARGETS;
         it = it->ai_next)
        memcpy(&dial->targets[dial->target_count++], it->ai_addr, it->ai_addrlen);
    uv_freeaddrinfo(found);
    if (dial->ended)
        end(dial);
    else
        go_on(dial);
    if (!net->stopping)
        look_up_waiting(net);
}

/* False where the address is no name either. */
static bool look_up(struct hs_dial *dial, const char *address)
{
    char host[HS_HOST_SIZE], port[HS_PORT_SIZE];
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG};
    if (hs_address_split(address, host, port) != HS_OK || !hs_domain_is_valid(hs_bytes_str(host)))
        return false;
    dial->waiting = dial->net->resolving >= HS_NET_RESOLVES;
    if (dial->waiting)
        return true;
    dial->lookup.data = dial;
    dial->looking_up = uv_getaddrinfo(&dial->net->loop, &dial->lookup, on_found, host, port, &hints) == 0;
    dial->net->resolving += dial->looking_up;
    return dial->looking_up;
}

static void look_up_waiting(struct hs_net *net)
{
    struct hs_dial *dial;
    TAILQ_FOREACH(dial, &net->dials, entry)
    {
        if (!dial->waiting || net->resolving >= HS_NET_RESOLVES)
            continue;
        dial->waiting = false;
        if (look_up(dial, dial->addresses[dial->next - 1]))
            continue;
        go_on(dial); /* may end it: the next of the list has its turn when the next look-up is done */
        return;
    }
}

/* Takes the next address or target until something is under way, or all were tried. */
static void go_on(struct hs_dial *dial)
{
    while (!dial->net->stopping) {
        if (dial->next_target < dial->target_count) {
            if (connect_to(dial, &dial->targets[dial->next_target++]))
                return;
            continue;
        }
        if (dial->next == dial->count) {
            tell_failed(dial->net, &dial->root);
            break;
        }
        const char *address = dial->addresses[dial->next++];
        dial->next_target = 0;
        dial->target_count = hs_address_parse(address, &dial->targets[0]) == HS_OK ? 1 : 0;
        if (dial->target_count == 0 && look_up(dial, address))
            return;
    }
    end(dial);
}

void hs_dial_start(struct hs_net *net, const struct hs_effect *effect)
{
    if (net->stopping)
        return;
    struct hs_dial *dial = net->dial_count < HS_NET_DIALS ? calloc(1, sizeof *dial) : NULL;
    if (dial == NULL) {
        tell_failed(net, &effect->root);
        return;
    }
    dial->net = net;
    dial->root = effect->root;
    dial->count = effect->address_count < HS_DIAL_ADDRESSES ? effect->address_count : HS_DIAL_ADDRESSES;
    for (size_t i = 0; i < dial->count; i++)
        memcpy(dial->addresses[i], effect->addresses[i], sizeof dial->addresses[i]);
    TAILQ_INSERT_TAIL(&net->dials, dial, entry);
    net->dial_count++;
    go_on(dial);
}

static enum hs_err check_descriptor(struct hs_dial *dial, struct hs_bytes bytes, struct hs_descriptor *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(HS_DESCRIPTOR_MAX * 16);
    Hanse__SignedObject *object = NULL;
    HS_REQUIRE(bytes.len <= sizeof dial->descriptor, HS_ERR_TOO_LARGE);
    HS_TRY(hs_object_unpack(bytes, &arena, &object));
    HS_TRY(hs_descriptor_verify(object, &dial->root, wall_clock(), out));
    memcpy(dial->descriptor, bytes.data, bytes.len);
    dial->descriptor_len = bytes.len;
    return HS_OK;
}

void hs_dial_descriptor(struct hs_conn *conn, struct hs_bytes object)
{
    struct hs_descriptor descriptor;
    enum hs_err err =
        conn->dial != NULL ? check_descriptor(conn->dial, object, &descriptor) : HS_ERR_UNEXPECTED;
    if (err == HS_OK)
        err = hs_link_start(conn->link, &conn->net->transport, &descriptor.transport_key);
    if (err != HS_OK)
        hs_conn_close(conn, err);
    else
        hs_conn_due(conn);
}

void hs_dial_done(struct hs_conn *conn, struct hs_core_input *input)
{
    struct hs_dial *dial = conn->dial;
    conn->dial = NULL;
    dial->conn = NULL;
    input->dialled_root = dial->root;
    input->dialled_descriptor = hs_bytes(dial->descriptor, dial->descriptor_len);
    hs_net_tell(conn->net, input);
    end(dial);
}

void hs_dial_attempt_failed(struct hs_dial *dial)
{
    dial->conn = NULL;
    go_on(dial);
}

void hs_dial_stop_all(struct hs_net *net)
{
    struct hs_dial *dial = TAILQ_FIRST(&net->dials);
    while (dial != NULL) {
        struct hs_dial *next = TAILQ_NEXT(dial, entry);
        if (dial->looking_up)
            (void)uv_cancel((uv_req_t *)&dial->lookup);
        if (dial->conn != NULL)
            hs_conn_close(dial->conn, HS_ERR_CLOSED); /* ends the dial */
        else
            end(dial);
        dial = next;
    }
}
