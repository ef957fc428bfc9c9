#include "world.h"

#include "crypto/dh.h"
#include "identity/auth.h"
#include "identity/bind.h"
#include "identity/credential.h"
#include "identity/ticket.h"
#include "room/join.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdio.h>

struct world_device *world_device_new(struct world_node *node, const char *name)
{
    struct world *w = node->world;
    assert_true(w->device_count < WORLD_DEVICES);
    struct world_device *d = &w->devices[w->device_count++];
    d->world = w;
    d->node = node;
    (void)snprintf(d->name, sizeof d->name, "%s", name);
    randombytes_buf(&d->seed, sizeof d->seed);
    randombytes_buf(&d->secret, sizeof d->secret);
    hs_identity_derive(&d->seed, &d->identity);
    return d;
}

void world_grant(struct world_device *d, Hanse__Role role)
{
    struct hs_grant grant = {.key = d->identity.pub, .role = role};
    d->staff = true;
    assert_ok(hs_grant_build(&d->node->root, &grant, d->world->now, &d->world->arena,
                             &d->grants[d->grant_count++]));
}

struct world_persona *world_persona(struct world_device *d, const struct hs_key *brand)
{
    struct world *w = d->world;
    for (size_t i = 0; i < d->persona_count; i++)
        if (hs_key_equal(&d->personas[i].brand, brand))
            return &d->personas[i];
    assert_true(d->persona_count < WORLD_PERSONAS);
    struct world_persona *p = &d->personas[d->persona_count++];
    p->brand = *brand;
    if (d->staff)
        p->signer = d->identity;
    else
        hs_persona_derive(&d->seed, brand, &p->signer);
    hs_device_keys_derive(&d->secret, &p->signer.pub, &p->keys);
    p->mls = hs_room_signer(&p->keys.signature);
    struct hs_certificate c = {
        .signature_key = p->keys.signature.pub, .transport_key = p->keys.transport_pub, .device_number = 1};
    assert_ok(hs_certificate_build(&p->signer, &c, w->now, &w->arena, &p->certificate));
    bool at_home = hs_key_equal(brand, &d->node->root.pub);
    assert_ok(hs_credential_pack(p->certificate, d->grants, at_home ? d->grant_count : 0, d->name, &w->arena,
                                 &p->credential));
    return p;
}

static enum hs_err code_of(struct world_device *d, const Hanse__Frame *answer)
{
    if (answer->body_case != HANSE__FRAME__BODY_ERROR)
        return HS_OK;
    enum hs_err err = hs_err_from_wire(answer->error->code);
    uint32_t again = answer->error->retry_after_ms;
    d->detail = answer->error->detail;
    assert_true(hs_err_is_transient(err) ? again > 0 && again <= 4000 : again == 0); /* DELIVERY-58 */
    return err;
}

static Hanse__Frame *unpack(struct world *w, struct hs_bytes bytes)
{
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &w->arena, &frame));
    return frame;
}

enum hs_err world_ask(struct world_device *d, Hanse__Frame *request, Hanse__Frame **answer)
{
    struct world *w = d->world;
    size_t from = d->rx_len;
    if (d->session == 0)
        return HS_ERR_CLOSED;
    request->id = ++d->last_id;
    world_send(w, d->session, world_pack(w, &request->base));
    world_run(w);
    for (size_t i = from; i < d->rx_len; i++) {
        Hanse__Frame *frame = unpack(w, d->rx[i]);
        if (frame->id != request->id)
            continue;
        if (answer != NULL)
            *answer = frame;
        return code_of(d, frame);
    }
    return HS_ERR_TIMEOUT;
}

Hanse__Frame *world_forward_frame(struct world *w, struct world_node *hub, Hanse__Frame *request)
{
    Hanse__Frame *outer = world_frame(w);
    Hanse__Forward *forward = WORLD_NEW(w, Hanse__Forward, hanse__forward);
    char **addresses = hs_arena_alloc(&w->arena, sizeof *addresses);
    addresses[0] = hub->address;
    request->id = 77;
    forward->node_root = hs_pb_data(world_copy(w, HS_VIEW(hub->root.pub)));
    forward->addresses = addresses;
    forward->n_addresses = 1;
    forward->frame = hs_pb_data(world_pack(w, &request->base));
    outer->forward = forward;
    outer->body_case = HANSE__FRAME__BODY_FORWARD;
    return outer;
}

enum hs_err world_forward(struct world_device *d, struct world_node *hub, Hanse__Frame *request,
                          Hanse__Frame **answer)
{
    struct world *w = d->world;
    Hanse__Frame *reply, *outer = world_forward_frame(w, hub, request);
    HS_TRY(world_ask(d, outer, &reply));
    assert_int_equal(reply->body_case, HANSE__FRAME__BODY_FORWARDED);
    Hanse__Frame *inner = unpack(w, hs_pb_bytes(reply->forwarded->frame));
    assert_int_equal(inner->id, 77); /* FED-3 */
    if (answer != NULL)
        *answer = inner;
    return code_of(d, inner);
}

enum hs_err world_ask_hub(struct world_device *d, struct world_node *hub, Hanse__Frame *request,
                          Hanse__Frame **answer)
{
    return d->node == hub ? world_ask(d, request, answer) : world_forward(d, hub, request, answer);
}

enum hs_err world_connect(struct world_device *d, bool *has_account)
{
    struct world *w = d->world;
    struct world_persona *p = world_persona(d, &d->node->root.pub);
    Hanse__Frame *frame = world_frame(w), *answer;
    Hanse__Authenticate *a = WORLD_NEW(w, Hanse__Authenticate, hanse__authenticate);
    uint8_t hash[64];
    struct hs_sig sig;
    d->rx_read = d->rx_len; /* what wasn't read of the last session is lost */
    randombytes_buf(hash, sizeof hash);
    d->session = world_open(d, &p->keys.transport_pub, hash);
    hs_auth_sign(&p->keys.signature, hs_bytes(hash, sizeof hash), &sig);
    a->certificate = p->certificate;
    a->signature = hs_pb_data(world_copy(w, HS_VIEW(sig)));
    frame->authenticate = a;
    frame->body_case = HANSE__FRAME__BODY_AUTHENTICATE;
    HS_TRY(world_ask(d, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_AUTHENTICATED);
    if (has_account != NULL)
        *has_account = answer->authenticated->has_account;
    return HS_OK;
}

static Hanse__RoomCursor *cursor_of(struct world *w, struct world_room *room)
{
    Hanse__RoomCursor *cursor = WORLD_NEW(w, Hanse__RoomCursor, hanse__room_cursor);
    cursor->room = hs_pb_data(HS_VIEW(room->id));
    cursor->next_seq = room->tip.next_seq;
    return cursor;
}

void world_attach(struct world_device *d)
{
    struct world *w = d->world;
    Hanse__Frame *frame = world_frame(w);
    Hanse__Attach *attach = WORLD_NEW(w, Hanse__Attach, hanse__attach);
    attach->rooms = hs_arena_alloc(&w->arena, (d->room_count + 1) * sizeof *attach->rooms);
    attach->inbox_next = d->inbox_next;
    for (size_t i = 0; i < d->room_count; i++)
        if (d->rooms[i].joined)
            attach->rooms[attach->n_rooms++] = cursor_of(w, &d->rooms[i]);
    frame->attach = attach;
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    assert_ok(world_ask(d, frame, NULL));
    world_settle(w);
}

void world_disconnect(struct world_device *d)
{
    world_close(d->world, d->session);
    world_run(d->world);
}

Hanse__SignedObject *world_ticket(struct world_node *node, const struct hs_key *key, uint32_t uses)
{
    struct world *w = node->world;
    Hanse__SignedObject *ticket;
    struct hs_time end = {w->now.ms + WORLD_DAY_MS};
    assert_ok(hs_ticket_build(&node->root, key, uses, w->now, end, &w->arena, &ticket));
    return ticket;
}

enum hs_err world_sign_up(struct world_device *d, Hanse__SignedObject *ticket, const struct hs_signer *key)
{
    struct world *w = d->world;
    struct world_persona *p = world_persona(d, &d->node->root.pub);
    Hanse__Frame *frame = world_frame(w);
    Hanse__SignUp *s = WORLD_NEW(w, Hanse__SignUp, hanse__sign_up);
    struct hs_time end = {w->now.ms + WORLD_DAY_MS};
    s->ticket = ticket;
    assert_ok(hs_ticket_proof_build(key, &d->node->root.pub, &p->signer.pub, w->now, end, &w->arena,
                                    &s->ticket_proof));
    s->grants = d->grants;
    s->n_grants = d->grant_count;
    frame->sign_up = s;
    frame->body_case = HANSE__FRAME__BODY_SIGN_UP;
    return world_ask(d, frame, NULL);
}

struct world_device *world_staff(struct world_node *node, const char *name, Hanse__Role role)
{
    struct world_device *d = world_device_new(node, name);
    world_grant(d, role);
    assert_ok(world_connect(d, NULL));
    assert_ok(world_sign_up(d, world_ticket(node, &d->identity.pub, 1), &d->identity));
    world_attach(d);
    return d;
}

struct world_device *world_customer(struct world_node *node, const char *name)
{
    struct world_device *d = world_device_new(node, name);
    struct hs_signer HS_SIGNER key;
    hs_signer_random(&key);
    assert_ok(world_connect(d, NULL));
    assert_ok(world_sign_up(d, world_ticket(node, &key.pub, 1), &key));
    world_attach(d);
    return d;
}

enum hs_err world_bind(struct world_device *d, struct world_node *brand)
{
    struct world *w = d->world;
    struct world_persona *home = world_persona(d, &d->node->root.pub);
    struct world_persona *p = world_persona(d, &brand->root.pub);
    Hanse__Frame *frame = world_frame(w);
    frame->bind = WORLD_NEW(w, Hanse__Bind, hanse__bind);
    frame->body_case = HANSE__FRAME__BODY_BIND;
    assert_ok(hs_bind_build(&home->signer, &p->signer, &d->node->root.pub, &brand->root.pub, w->now,
                            (struct hs_time){0}, &w->arena, &frame->bind->bind));
    frame->bind->certificate = p->certificate;
    return world_ask(d, frame, NULL);
}

/* Says what it holds, in one frame. */
static void send_cursors(struct world_device *d)
{
    struct world *w = d->world;
    Hanse__Frame *frame = world_frame(w);
    Hanse__Cursors *cursors = WORLD_NEW(w, Hanse__Cursors, hanse__cursors);
    cursors->rooms = hs_arena_alloc(&w->arena, (d->room_count + 1) * sizeof *cursors->rooms);
    cursors->inbox_next = d->inbox_next;
    for (size_t i = 0; i < d->room_count; i++)
        if (d->rooms[i].joined)
            cursors->rooms[cursors->n_rooms++] = cursor_of(w, &d->rooms[i]);
    frame->cursors = cursors;
    frame->body_case = HANSE__FRAME__BODY_CURSORS;
    world_send(w, d->session, world_pack(w, &frame->base));
}

/* Takes what has come to d; false where there was nothing new. */
static bool take(struct world_device *d)
{
    bool moved = false, attach = false;
    while (d->rx_read < d->rx_len) {
        Hanse__Frame *frame = unpack(d->world, d->rx[d->rx_read++]);
        size_t rooms = d->room_count;
        if (frame->body_case == HANSE__FRAME__BODY_RECORDS)
            world_take_records(d, frame->records);
        else if (frame->body_case == HANSE__FRAME__BODY_INBOX)
            world_take_inbox(d, frame->inbox);
        else
            continue;
        moved = true;
        attach = attach || frame->body_case == HANSE__FRAME__BODY_INBOX || d->room_count != rooms;
    }
    if (moved && d->session != 0 && !d->no_cursors)
        send_cursors(d);
    if (attach && d->session != 0)
        world_attach(d);
    return moved;
}

void world_settle(struct world *w)
{
    bool moved = true;
    while (moved) {
        moved = false;
        world_run(w);
        for (size_t i = 0; i < w->device_count; i++)
            moved = take(&w->devices[i]) || moved;
    }
}
