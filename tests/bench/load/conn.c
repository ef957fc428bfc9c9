/* Sessions: socket <-> hs_link, as cheap as they can be. */
#include "load.h"

#include "wire/unpack.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { NS_PER_S = 1000000000 };

size_t load_waiting, load_opening, load_again;

static struct {
    bool made;
    uv_loop_t loop;
    uv_prepare_t before_wait;
    struct load_device *due;
    uint64_t read_ns, arrived_ns;
    uint8_t buffer[HS_LINK_INPUT_MAX];
} net;

static void flush(struct load_device *device);

/* What became due in this turn goes out before the loop waits. */
static void before_wait(uv_prepare_t *handle)
{
    (void)handle;
    while (net.due != NULL) {
        struct load_device *device = net.due;
        net.due = device->next_due;
        device->due = false;
        if (device->open)
            flush(device);
    }
}

uv_loop_t *load_loop(void)
{
    if (!net.made) {
        net.made = true;
        if (uv_loop_init(&net.loop) != 0 || uv_prepare_init(&net.loop, &net.before_wait) != 0)
            load_fail("no loop");
        uv_prepare_start(&net.before_wait, before_wait);
        uv_unref((uv_handle_t *)&net.before_wait);
    }
    return &net.loop;
}

uint64_t load_read_ns(void)
{
    return net.read_ns;
}

uint64_t load_arrived_ns(void)
{
    return net.arrived_ns;
}

static void due(struct load_device *device)
{
    if (device->due)
        return;
    device->due = true;
    device->next_due = net.due;
    net.due = device;
}

static void on_poll(uv_poll_t *poll, int status, int events);

static void watch(struct load_device *device)
{
    bool writable = !device->connected || device->full;
    uv_poll_start(&device->poll, UV_READABLE | (writable ? UV_WRITABLE : 0), on_poll);
}

static void flush(struct load_device *device)
{
    while (device->connected && !device->full && hs_link_queued(device->link) > 0) {
        struct hs_bytes out = hs_link_output(device->link);
        ssize_t done = write(device->fd, out.data, out.len);
        if (done > 0) {
            hs_link_output_done(device->link, (size_t)done);
            continue;
        }
        if (errno != EAGAIN)
            return; /* the reader will learn it */
        device->full = true;
        watch(device);
    }
}

static void on_ready(struct load_device *device, const struct hs_link_event *event)
{
    device->ready = true;
    memcpy(device->hash, event->hash, sizeof device->hash);
    load_opening--;
    if (device->returning)
        load_device_authenticate(device);
    due(device);
}

/* As a device does whose node had no time for it. */
static void begin_again(struct load_device *device)
{
    if (!device->returning || device->attached)
        load_fail("the node closed a session");
    load_again++;
    load_opening -= device->ready ? 0 : 1;
    load_waiting -= device->asked - device->answered;
    device->again = true;
    load_close(device);
}

/* As the kernel noted it: of the last of these bytes. */
static uint64_t arrived_ns(struct msghdr *message, uint64_t read_ns)
{
    struct timespec now, at;
    const struct cmsghdr *control = CMSG_FIRSTHDR(message);
    if (control == NULL || control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS)
        return read_ns;
    memcpy(&at, CMSG_DATA(control), sizeof at);
    clock_gettime(CLOCK_REALTIME, &now);
    return read_ns - (uint64_t)((now.tv_sec - at.tv_sec) * NS_PER_S + now.tv_nsec - at.tv_nsec);
}

ssize_t load_socket_read(int fd, uint8_t *into, size_t size, uint64_t *read_ns, uint64_t *at_ns)
{
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct timespec))];
    struct iovec part = {into, size};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &message, 0);
    *read_ns = uv_hrtime();
    *at_ns = arrived_ns(&message, *read_ns);
    return got;
}

static void take_input(struct load_device *device)
{
    struct hs_link_event event;
    ssize_t got = load_socket_read(device->fd, net.buffer, sizeof net.buffer, &net.read_ns, &net.arrived_ns);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        begin_again(device);
        return;
    }
    LOAD_OK(hs_link_input(device->link, hs_bytes(net.buffer, (size_t)got)));
    do {
        LOAD_OK(hs_link_next(device->link, &event));
        if (event.kind == HS_LINK_READY)
            on_ready(device, &event);
        else if (event.kind == HS_LINK_FRAME)
            load_take(device, event.bytes);
    } while (event.kind != HS_LINK_NONE && device->open);
}

static void check_connected(struct load_device *device)
{
    int err = 0;
    socklen_t len = sizeof err;
    if (getsockopt(device->fd, SOL_SOCKET, SO_ERROR, &err, &len) != 0 || err != 0)
        load_fail("can't connect: %s", strerror(err));
    device->connected = true;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct load_device *device = poll->data;
    if (status != 0 || (events & UV_WRITABLE) != 0) {
        if (!device->connected)
            check_connected(device);
        device->full = false;
        watch(device);
        due(device);
    }
    if (device->connected && (status != 0 || (events & UV_READABLE) != 0))
        take_input(device);
}

void load_socket_set(int fd)
{
    int on = 1;
    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0)
        load_fail("can't set a socket: %s", strerror(errno));
}

static int socket_to(const struct load_node *node)
{
    struct sockaddr_in to;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    uv_ip4_addr("127.0.0.1", node->port, &to);
    if (fd < 0)
        load_fail("no socket: %s", strerror(errno));
    load_socket_set(fd);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS)
        load_fail("can't connect: %s", strerror(errno));
    return fd;
}

void load_connect(struct load_device *device)
{
    const struct hs_site *site = &device->node->site;
    LOAD_OK(hs_link_new_initiator(&device->home.keys.transport, &site->transport_pub, (struct hs_time){0},
                                  &device->link));
    device->fd = socket_to(device->node);
    if (uv_poll_init_socket(load_loop(), &device->poll, device->fd) != 0)
        load_fail("no loop");
    device->poll.data = device;
    device->open = true;
    device->connected = device->full = device->ready = device->attached = false;
    device->asked = device->answered = 0;
    load_requests_init(device);
    load_opening++;
    watch(device);
}

static void on_closed(uv_handle_t *handle)
{
    struct load_device *device = handle->data;
    hs_link_free(&device->link);
    load_waiting--;
    if (device->again) {
        device->again = false;
        load_connect(device);
    }
}

void load_close(struct load_device *device)
{
    load_waiting++;
    device->open = false;
    load_requests_drop(device);
    uv_close((uv_handle_t *)&device->poll, on_closed);
    close(device->fd);
}

void load_devices_close(struct load_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (devices[i].open)
            load_close(&devices[i]);
    while (load_waiting > 0)
        load_run_once();
}

void load_send_bytes(struct load_device *device, struct hs_bytes frame)
{
    LOAD_OK(hs_link_send(device->link, frame));
    due(device);
}

void load_send(struct load_device *device, const Hanse__Frame *frame)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX);
    LOAD_OK(HS_PACK(frame, &w));
    load_send_bytes(device, hs_writer_bytes(&w));
}

void load_ask(struct load_device *device, Hanse__Frame *frame)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX);
    frame->id = ++device->asked;
    load_waiting++;
    LOAD_OK(HS_PACK(frame, &w));
    load_request_keep(device, frame->id, hs_writer_bytes(&w));
    load_send_bytes(device, hs_writer_bytes(&w));
}

void load_run_once(void)
{
    uv_run(load_loop(), UV_RUN_ONCE);
}

void load_settle(void)
{
    while (load_waiting > 0)
        load_run_once();
}
