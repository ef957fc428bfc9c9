/* Devices: keys, accounts, and what they say until they are members. */
#include "load.h"

#include "identity/auth.h"
#include "identity/bind.h"
#include "identity/credential.h"
#include "identity/ticket.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdlib.h>
#include <time.h>

enum { WAVE = 200, DAY_MS = 86400000, CURSOR_MS = 1000, CURSOR_PARTS = 20 };

struct hs_arena *load_arena(void)
{
    static struct hs_arena arena;
    if (arena.cap == 0)
        arena = hs_arena(SIZE_MAX / 2);
    return &arena;
}

struct hs_time load_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct hs_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

static void persona_make(struct load_persona *p, Hanse__SignedObject **grant)
{
    struct hs_secret32 HS_SECRET secret = {0};
    randombytes_buf(&secret, sizeof secret);
    hs_device_keys_derive(&secret, &p->signer.pub, &p->keys);
    struct hs_certificate c = {
        .signature_key = p->keys.signature.pub, .transport_key = p->keys.transport_pub, .device_number = 1};
    LOAD_OK(hs_certificate_build(&p->signer, &c, load_now(), load_arena(), &p->certificate));
    LOAD_OK(hs_credential_pack(p->certificate, grant, *grant != NULL ? 1 : 0, "a member", load_arena(),
                               &p->credential));
}

void load_devices_make(struct load_device *devices, size_t count, struct load_node *node)
{
    for (size_t i = 0; i < count; i++) {
        devices[i] = (struct load_device){.node = node};
        hs_signer_random(&devices[i].home.signer);
        persona_make(&devices[i].home, &devices[i].grant);
    }
}

void load_device_make_staff(struct load_device *device)
{
    struct hs_grant grant = {.key = device->home.signer.pub, .role = HANSE__ROLE__ROLE_STAFF};
    device->staff = true;
    LOAD_OK(hs_grant_build(&device->node->root, &grant, load_now(), load_arena(), &device->grant));
    persona_make(&device->home, &device->grant);
}

struct load_persona *load_persona_at(struct load_device *device, const struct load_node *hub)
{
    return device->node == hub ? &device->home : &device->guest;
}

void load_device_authenticate(struct load_device *device)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Authenticate a = HANSE__AUTHENTICATE__INIT;
    struct hs_sig sig;
    hs_auth_sign(&device->home.keys.signature, hs_bytes(device->hash, sizeof device->hash), &sig);
    a.certificate = device->home.certificate;
    a.signature = hs_pb_data(HS_VIEW(sig));
    frame.authenticate = &a;
    frame.body_case = HANSE__FRAME__BODY_AUTHENTICATE;
    load_ask(device, &frame);
}

void load_devices_connect(struct load_device *devices, size_t count)
{
    for (size_t from = 0; from < count; from += WAVE) {
        size_t to = from + WAVE < count ? from + WAVE : count;
        for (size_t i = from; i < to; i++)
            load_connect(&devices[i]);
        while (load_opening > 0)
            load_run_once();
        for (size_t i = from; i < to; i++)
            load_device_authenticate(&devices[i]);
        load_settle();
    }
}

void load_devices_sign_up(struct load_device *devices, size_t count)
{
    struct hs_signer HS_SIGNER ticket_key = {0};
    Hanse__SignedObject *ticket;
    struct hs_time now = load_now(), end = {now.ms + DAY_MS};
    hs_signer_random(&ticket_key);
    LOAD_OK(hs_ticket_build(&devices->node->root, &ticket_key.pub, (uint32_t)count, now, end, load_arena(),
                            &ticket));
    for (size_t i = 0; i < count; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        struct load_device *d = &devices[i];
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__SignUp s = HANSE__SIGN_UP__INIT;
        s.ticket = ticket;
        LOAD_OK(hs_ticket_proof_build(&ticket_key, &d->node->root.pub, &d->home.signer.pub, now, end, &arena,
                                      &s.ticket_proof));
        s.grants = &d->grant;
        s.n_grants = d->staff ? 1 : 0;
        frame.sign_up = &s;
        frame.body_case = HANSE__FRAME__BODY_SIGN_UP;
        load_ask(d, &frame);
    }
    load_settle();
}

void load_devices_bind(struct load_device *devices, size_t count, struct load_node *hub)
{
    for (size_t i = 0; i < count; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        struct load_device *d = &devices[i];
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Bind bind = HANSE__BIND__INIT;
        Hanse__SignedObject *none = NULL;
        if (d->node == hub)
            continue;
        hs_signer_random(&d->guest.signer);
        persona_make(&d->guest, &none);
        d->hub = hub;
        LOAD_OK(hs_bind_build(&d->home.signer, &d->guest.signer, &d->node->root.pub, &hub->root.pub,
                              load_now(), (struct hs_time){0}, &arena, &bind.bind));
        bind.certificate = d->guest.certificate;
        frame.bind = &bind;
        frame.body_case = HANSE__FRAME__BODY_BIND;
        load_ask(d, &frame);
    }
    load_settle();
}

/* What a device says of its rooms; only where it has moved, if it has been told before. */
static size_t list_places(struct load_device *device, size_t from, Hanse__RoomCursor *list,
                          Hanse__RoomCursor **pointers, bool moved)
{
    size_t n = 0;
    for (size_t i = from; i < device->place_count && n < HS_REPEATED_MAX; i++) {
        struct load_place *place = &device->places[i];
        if (moved && place->next == place->told)
            continue;
        list[n] = (Hanse__RoomCursor)HANSE__ROOM_CURSOR__INIT;
        list[n].room = hs_pb_data(HS_VIEW(place->room->id));
        list[n].next_seq = place->told = place->next;
        pointers[n] = &list[n];
        n++;
    }
    return n;
}

void load_device_attach(struct load_device *device)
{
    static Hanse__RoomCursor list[HS_REPEATED_MAX];
    static Hanse__RoomCursor *pointers[HS_REPEATED_MAX];
    size_t from = 0;
    do {
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Attach attach = HANSE__ATTACH__INIT;
        attach.inbox_next = UINT32_MAX; /* Welcomes aren't read */
        attach.rooms = pointers;
        attach.n_rooms = list_places(device, from, list, pointers, false);
        from += attach.n_rooms;
        frame.attach = &attach;
        frame.body_case = HANSE__FRAME__BODY_ATTACH;
        load_ask(device, &frame);
    } while (from < device->place_count);
    device->untold = 0;
}

void load_devices_attach(struct load_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        load_device_attach(&devices[i]);
    load_settle();
}

void load_devices_await(struct load_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Attach attach = HANSE__ATTACH__INIT; /* the inbox alone, from its beginning */
        frame.attach = &attach;
        frame.body_case = HANSE__FRAME__BODY_ATTACH;
        load_ask(&devices[i], &frame);
    }
    load_settle();
    for (size_t i = 0; i < count; i++)
        while (!devices[i].welcomed)
            load_run_once();
}

void load_cursors_tell(struct load_device *device)
{
    static Hanse__RoomCursor list[HS_REPEATED_MAX];
    static Hanse__RoomCursor *pointers[HS_REPEATED_MAX];
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Cursors cursors = HANSE__CURSORS__INIT;
    cursors.rooms = pointers;
    cursors.n_rooms = list_places(device, 0, list, pointers, true);
    frame.cursors = &cursors;
    frame.body_case = HANSE__FRAME__BODY_CURSORS;
    if (cursors.n_rooms > 0)
        load_send(device, &frame);
    device->untold = 0;
}

/* As libhanse does: what was taken is told within a second, and after 64 records (frames.c). */
static struct {
    uv_timer_t timer;
    struct load_device *devices;
    size_t count, part;
} telling;

static void on_telling(uv_timer_t *timer)
{
    (void)timer;
    for (size_t i = telling.part++ % CURSOR_PARTS; i < telling.count; i += CURSOR_PARTS)
        if (telling.devices[i].open && telling.devices[i].untold > 0)
            load_cursors_tell(&telling.devices[i]);
}

void load_cursors_start(struct load_device *devices, size_t count)
{
    telling.devices = devices;
    telling.count = count;
    uv_timer_init(load_loop(), &telling.timer);
    uv_timer_start(&telling.timer, on_telling, CURSOR_MS / CURSOR_PARTS, CURSOR_MS / CURSOR_PARTS);
    uv_unref((uv_handle_t *)&telling.timer);
}

void load_cursors_stop(void)
{
    uv_close((uv_handle_t *)&telling.timer, NULL);
    uv_run(load_loop(), UV_RUN_NOWAIT);
}
