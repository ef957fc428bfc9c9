/* Sessions: uv_tcp <-> hs_link, as cheap as they can be. */
#include "load.h"

#include "wire/unpack.h"

#include <stdlib.h>

size_t load_waiting, load_opening, load_again;

static struct {
    bool made;
    uv_loop_t loop;
    uv_prepare_t before_wait;
    struct load_device *due;
    uint64_t turn_ns;
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

uint64_t load_turn_ns(void)
{
    return net.turn_ns;
}

static void due(struct load_device *device)
{
    if (device->due)
        return;
    device->due = true;
    device->next_due = net.due;
    net.due = device;
}

static void on_written(uv_write_t *request, int status)
{
    struct load_device *device = request->handle->data;
    device->writing = false;
    if (!device->open)
        return;
    if (status != 0)
        return; /* the reader will learn it */
    hs_link_output_done(device->link, hs_link_output(device->link).len);
    due(device);
}

static void flush(struct load_device *device)
{
    while (device->connected && !device->writing && hs_link_queued(device->link) > 0) {
        struct hs_bytes out = hs_link_output(device->link);
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)out.data, (unsigned)out.len);
        int done = uv_try_write((uv_stream_t *)&device->tcp, &buf, 1);
        if (done > 0) {
            hs_link_output_done(device->link, (size_t)done);
            continue;
        }
        if (done < 0 && done != UV_EAGAIN)
            return; /* the reader will learn it */
        device->writing = true;
        uv_write(&device->write, (uv_stream_t *)&device->tcp, &buf, 1, on_written);
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

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init((char *)net.buffer, sizeof net.buffer);
}

static void on_read(uv_stream_t *stream, ssize_t got, const uv_buf_t *buf)
{
    struct load_device *device = stream->data;
    struct hs_link_event event;
    if (got < 0) {
        begin_again(device);
        return;
    }
    net.turn_ns = uv_hrtime();
    LOAD_OK(hs_link_input(device->link, hs_bytes(buf->base, (size_t)got)));
    do {
        LOAD_OK(hs_link_next(device->link, &event));
        if (event.kind == HS_LINK_READY)
            on_ready(device, &event);
        else if (event.kind == HS_LINK_FRAME)
            load_take(device, event.bytes);
    } while (event.kind != HS_LINK_NONE && device->open);
}

static void on_connected(uv_connect_t *request, int status)
{
    struct load_device *device = request->handle->data;
    if (status == UV_ECANCELED)
        return;
    if (status != 0)
        load_fail("can't connect: %s", uv_strerror(status));
    device->connected = true;
    uv_read_start((uv_stream_t *)&device->tcp, on_alloc, on_read);
    due(device);
}

void load_connect(struct load_device *device)
{
    struct sockaddr_in to;
    const struct hs_site *site = &device->node->site;
    LOAD_OK(hs_link_new_initiator(&device->home.keys.transport, &site->transport_pub, (struct hs_time){0},
                                  &device->link));
    uv_ip4_addr("127.0.0.1", device->node->port, &to);
    uv_tcp_init(load_loop(), &device->tcp);
    uv_tcp_nodelay(&device->tcp, 1);
    device->tcp.data = device;
    device->open = true;
    device->connected = device->ready = device->attached = false;
    device->asked = device->answered = 0;
    load_opening++;
    if (uv_tcp_connect(&device->connect, &device->tcp, (const struct sockaddr *)&to, on_connected) != 0)
        load_fail("can't connect");
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
    uv_close((uv_handle_t *)&device->tcp, on_closed);
}

void load_devices_close(struct load_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (devices[i].open)
            load_close(&devices[i]);
    while (load_waiting > 0)
        load_run_once();
}

void load_send(struct load_device *device, const Hanse__Frame *frame)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX);
    LOAD_OK(HS_PACK(frame, &w));
    LOAD_OK(hs_link_send(device->link, hs_writer_bytes(&w)));
    due(device);
}

void load_ask(struct load_device *device, Hanse__Frame *frame)
{
    frame->id = ++device->asked;
    load_waiting++;
    load_send(device, frame);
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
