#include "core/world.h"

#include "crypto/hash.h"
#include "crypto/dh.h"
#include "crypto/selftest.h"
#include "identity/descriptor.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { BUDGET = 262144, STEPS_MAX = 200000 };

struct world_event {
    struct world_node *node;
    struct hs_core_input input;
};

struct world *world_new(void)
{
    assert_ok(hs_crypto_init());
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->arena = hs_arena(SIZE_MAX / 2);
    w->now.ms = 1800000000000;
    return w;
}

static void device_free(struct world_device *d)
{
    for (size_t i = 0; i < d->room_count; i++)
        hs_mls_group_free(d->rooms[i].group);
    free(d->rx);
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < w->node_count; i++) {
        hs_core_free(w->nodes[i].core);
        hs_kv_memory_free(w->nodes[i].kv);
        hs_effects_free(&w->nodes[i].effects);
    }
    for (size_t i = 0; i < w->device_count; i++)
        device_free(&w->devices[i]);
    free(w->links);
    free(w->events);
    hs_arena_free(&w->arena);
    free(w);
}

void world_free_at(struct world **w)
{
    world_free(*w);
}

struct hs_bytes world_copy(struct world *w, struct hs_bytes bytes)
{
    struct hs_bytes copy = hs_arena_copy(&w->arena, bytes);
    assert_true(copy.data != NULL || bytes.len == 0);
    return copy;
}

struct hs_bytes world_pack(struct world *w, const ProtobufCMessage *message)
{
    struct hs_writer HS_WRITER out = hs_writer(SIZE_MAX / 2);
    assert_ok(hs_pack(message, &out));
    return world_copy(w, hs_writer_bytes(&out));
}

struct hs_bytes world_take(struct world *w, struct hs_writer *writer)
{
    assert_ok(writer->err);
    return world_copy(w, hs_writer_bytes(writer));
}

void *world_alloc(struct world *w, size_t size, const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = hs_arena_alloc(&w->arena, size);
    assert_non_null(message);
    protobuf_c_message_init(type, message);
    return message;
}

Hanse__Frame *world_frame(struct world *w)
{
    return WORLD_NEW(w, Hanse__Frame, hanse__frame);
}

static void core_start(struct world_node *node)
{
    struct hs_core_config config = {.root = node->root.pub, .node_signer = node->signer, .incarnation = 1};
    config.descriptor = world_pack(node->world, &node->descriptor->base);
    assert_ok(hs_core_new(&config, &node->core));
}

struct world_node *world_node_new(struct world *w, const char *domain)
{
    assert_true(w->node_count < WORLD_NODES);
    struct world_node *node = &w->nodes[w->node_count++];
    struct hs_descriptor d = {.sequence = 1, .address_count = 1};
    node->world = w;
    (void)snprintf(node->domain, sizeof node->domain, "%s", domain);
    (void)snprintf(node->address, sizeof node->address, "%s:4433", domain);
    hs_signer_random(&node->root);
    hs_signer_random(&node->signer);
    hs_dh_keypair(&node->transport, &node->transport_pub);
    d.signing_key = node->signer.pub;
    d.transport_key = node->transport_pub;
    (void)snprintf(d.domain, sizeof d.domain, "%s", domain);
    (void)snprintf(d.addresses[0], sizeof d.addresses[0], "%s", node->address);
    assert_ok(hs_descriptor_build(&node->root, &d, w->now, &w->arena, &node->descriptor));
    node->kv = hs_kv_memory_new();
    assert_non_null(node->kv);
    node->effects = hs_effects();
    core_start(node);
    return node;
}

struct hs_id world_store_hash(struct world_node *node)
{
    struct hs_sha256 h;
    hs_sha256_init(&h);
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_bytes key, value, none = {0};
        struct hs_kv_key from = {0};
        for (;;) {
            struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
            if (!hs_kv_next(node->kv, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
                break;
            uint64_t lens[3] = {table, key.len, value.len};
            hs_sha256_update(&h, hs_bytes(lens, sizeof lens));
            hs_sha256_update(&h, key);
            hs_sha256_update(&h, value);
            from = hs_kv_after(key);
        }
    }
    assert_ok(node->kv->err);
    return hs_sha256_final(&h);
}

static void event_add(struct world_node *node, const struct hs_core_input *input)
{
    struct world *w = node->world;
    if (w->event_len == w->event_size) {
        w->event_size = w->event_size > 0 ? 2 * w->event_size : 64;
        w->events = realloc(w->events, w->event_size * sizeof *w->events);
        assert_non_null(w->events);
    }
    struct world_event *event = &w->events[w->event_len++];
    *event = (struct world_event){.node = node, .input = *input};
    event->input.bytes = world_copy(w, input->bytes);
}

struct world_link *world_link_of(struct world *w, uint64_t session)
{
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].id[0] == session || (w->links[i].device == NULL && w->links[i].id[1] == session))
            return &w->links[i];
    return NULL;
}

static struct world_link *link_add(struct world *w)
{
    if (w->link_count == w->link_size) {
        w->link_size = w->link_size > 0 ? 2 * w->link_size : 16;
        w->links = realloc(w->links, w->link_size * sizeof *w->links);
        assert_non_null(w->links);
    }
    struct world_link *link = &w->links[w->link_count++];
    *link = (struct world_link){.open = true};
    return link;
}

uint64_t world_open(struct world_device *d, const struct hs_key *remote_static, const uint8_t hash[static 64])
{
    struct world *w = d->world;
    struct world_link *link = link_add(w);
    struct hs_core_input input = {.kind = HS_INPUT_OPEN, .session = ++w->last_session};
    link->id[0] = input.session;
    link->node[0] = d->node;
    link->device = d;
    input.remote_static = *remote_static;
    memcpy(input.handshake_hash, hash, 64);
    event_add(d->node, &input);
    return input.session;
}

/* Both ends learn that it is over, behind what was sent before. */
void world_close(struct world *w, uint64_t session)
{
    struct world_link *link = world_link_of(w, session);
    if (link == NULL || !link->open)
        return;
    link->open = false;
    for (size_t i = 0; i < 2; i++) {
        struct hs_core_input input = {.kind = HS_INPUT_CLOSED, .session = link->id[i]};
        if (link->node[i] != NULL && link->id[i] != 0)
            event_add(link->node[i], &input);
    }
    if (link->device != NULL && link->device->session == session)
        link->device->session = 0;
}

void world_send(struct world *w, uint64_t session, struct hs_bytes frame)
{
    struct world_link *link = world_link_of(w, session);
    struct hs_core_input input = {.kind = HS_INPUT_FRAME, .session = session, .bytes = frame};
    assert_non_null(link);
    event_add(link->node[0], &input);
}

static void dial(struct world_node *from, const struct hs_effect *effect)
{
    struct world *w = from->world;
    struct world_node *to = NULL;
    from->dials++;
    for (size_t n = 0; n < w->node_count; n++)
        for (size_t a = 0; a < effect->address_count; a++)
            if (strcmp(w->nodes[n].address, effect->addresses[a]) == 0 &&
                hs_key_equal(&w->nodes[n].root.pub, &effect->root) && !w->nodes[n].down)
                to = &w->nodes[n];
    struct hs_core_input input = {.kind = HS_INPUT_DIAL_FAILED, .dialled_root = effect->root};
    if (to == NULL) {
        event_add(from, &input);
        return;
    }
    struct world_link *link = link_add(w);
    link->node[0] = from;
    link->node[1] = to;
    link->id[0] = ++w->last_session;
    link->id[1] = ++w->last_session;
    struct hs_core_input theirs = {
        .kind = HS_INPUT_OPEN, .session = link->id[1], .remote_static = from->transport_pub};
    randombytes_buf(theirs.handshake_hash, sizeof theirs.handshake_hash);
    input = theirs;
    input.session = link->id[0];
    input.remote_static = to->transport_pub;
    input.outbound = true;
    input.dialled_root = effect->root;
    input.dialled_descriptor = world_pack(w, &to->descriptor->base);
    event_add(to, &theirs);
    event_add(from, &input);
}

static void receive(struct world_device *d, struct hs_bytes frame)
{
    if (d->rx_len == d->rx_size) {
        d->rx_size = d->rx_size > 0 ? 2 * d->rx_size : 64;
        d->rx = realloc(d->rx, d->rx_size * sizeof *d->rx);
        assert_non_null(d->rx);
    }
    d->rx[d->rx_len++] = world_copy(d->world, frame);
}

static void node_sends(struct world_node *node, const struct hs_effect *effect)
{
    struct world *w = node->world;
    struct world_link *link = world_link_of(w, effect->session);
    assert_non_null(link);
    assert_in_range(effect->bytes.len, 1, HS_FRAME_MAX); /* WIRE-2 */
    if (!link->open)
        return;
    if (link->device != NULL) {
        receive(link->device, effect->bytes);
        return;
    }
    size_t other = link->id[0] == effect->session ? 1 : 0;
    struct hs_bytes frame = effect->bytes;
    uint64_t ids[2] = {link->id[0], link->id[1]};
    enum world_verdict verdict =
        w->hook != NULL ? w->hook(w->hook_ctx, node, link->node[other], &frame) : WORLD_PASS;
    struct hs_core_input input = {.kind = HS_INPUT_FRAME, .session = ids[other], .bytes = frame};
    if (verdict == WORLD_PASS)
        event_add(world_link_of(w, ids[0])->node[other], &input);
    if (verdict == WORLD_CUT)
        world_close(w, ids[0]);
}

/* True where one of the effects is an Error for the request id of that session. */
static bool is_refusal(struct world_node *node, uint64_t session, uint64_t id)
{
    bool found = false;
    for (size_t i = 0; i < node->effects.len && !found; i++) {
        const struct hs_effect *effect = &node->effects.list[i];
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        Hanse__Frame *frame;
        if (effect->kind != HS_EFFECT_SEND || effect->session != session)
            continue;
        assert_ok(HS_UNPACK(hanse__frame, effect->bytes, HS_LENIENT, &scratch, &frame));
        found = frame->body_case == HANSE__FRAME__BODY_ERROR && frame->id == id;
    }
    node->refused += found ? 1 : 0;
    return found;
}

static void carry_out(struct world_node *node)
{
    struct hs_effects effects = node->effects;
    node->effects = hs_effects();
    for (size_t i = 0; i < effects.len && !node->mute; i++) {
        const struct hs_effect *effect = &effects.list[i];
        if (effect->kind == HS_EFFECT_SEND)
            node_sends(node, effect);
        if (effect->kind == HS_EFFECT_DIAL)
            dial(node, effect);
        if (effect->kind == HS_EFFECT_CLOSE) {
            struct world_link *link = world_link_of(node->world, effect->session);
            node->closed++;
            if (link != NULL && link->device != NULL)
                link->device->ended = effect->err;
            world_close(node->world, effect->session);
        }
    }
    hs_effects_free(&effects);
}

static void step(struct world_node *node, const struct hs_core_input *input)
{
    assert_ok(hs_core_step(node->core, node->kv, input, node->world->now, node->full, &node->effects));
}

/* Sessions may be sent to as far as their readers read; then what is due goes out. */
static void pump(struct world_node *node)
{
    struct world *w = node->world;
    bool more = true;
    for (size_t i = 0; i < w->link_count; i++)
        for (size_t end = 0; end < 2; end++) {
            const struct world_link *link = &w->links[i];
            bool stalled = link->device != NULL && link->device->stalled;
            struct hs_core_input room = {
                .kind = HS_INPUT_ROOM, .session = link->id[end], .budget = stalled ? 0 : BUDGET};
            if (link->open && link->node[end] == node)
                step(node, &room);
        }
    while (more)
        assert_ok(hs_core_pump(node->core, node->kv, w->now, &node->effects, &more));
}

void world_input(struct world_node *node, const struct hs_core_input *input)
{
    struct world *w = node->world;
    struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
    Hanse__Frame *frame = NULL;
    uint64_t id = 0;
    bool is_frame = input->kind == HS_INPUT_FRAME && !w->unchecked;
    struct hs_id before = {0};
    if (is_frame) {
        before = world_store_hash(node);
        id = HS_UNPACK(hanse__frame, input->bytes, HS_LENIENT, &scratch, &frame) == HS_OK ? frame->id : 0;
    }
    step(node, input);
    if (is_frame && is_refusal(node, input->session, id)) {
        struct hs_id after = world_store_hash(node);
        assert_memory_equal(before.b, after.b, sizeof before.b); /* DELIVERY-3 */
    }
    if (input->kind != HS_INPUT_CLOSED || node->core != NULL)
        pump(node);
    carry_out(node);
}

void world_run(struct world *w)
{
    size_t steps = 0;
    while (w->event_read < w->event_len) {
        struct world_event event = w->events[w->event_read++];
        assert_in_range(++steps, 1, STEPS_MAX);
        world_input(event.node, &event.input);
    }
    w->event_read = w->event_len = 0;
}
