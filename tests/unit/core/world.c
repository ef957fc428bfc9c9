#include "world.h"

#include "core/records/layout.h"
#include "crypto/dh.h"
#include "crypto/hash.h"
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

void (*world_before_step)(struct world_node *node, const struct hs_core_input *input);

struct world *world_new(void)
{
    assert_ok(hs_crypto_init());
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->arena = hs_arena(SIZE_MAX / 2);
    w->now.ms = 1800000000000;
    w->before_step = world_before_step;
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
        if (!w->forged) {
            world_rebuild_check(&w->nodes[i]);
            world_dump(&w->nodes[i]);
        }
        hs_core_free(w->nodes[i].core);
        hs_kv_memory_free(w->nodes[i].kv);
        hs_effects_free(&w->nodes[i].effects);
        world_blobs_free(&w->nodes[i]);
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
    struct hs_core_config config = {
        .root = node->root.pub, .node_signer = node->signer, .incarnation = node->incarnation};
    config.descriptor = world_pack(node->world, &node->descriptor->base);
    assert_ok(hs_core_new(&config, &node->core));
}

struct world_node *world_node_new(struct world *w, const char *domain)
{
    assert_true(w->node_count < WORLD_NODES);
    struct world_node *node = &w->nodes[w->node_count++];
    struct hs_descriptor d = {.sequence = 1, .address_count = 1};
    node->world = w;
    node->incarnation = 1;
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
    uint64_t found;
    assert_ok(hs_layout_open(node->kv, &found));
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

void world_event_add(struct world_node *node, const struct hs_core_input *input)
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

static void receive(struct world_device *d, struct hs_bytes frame)
{
    if (d->rx_len == d->rx_size) {
        d->rx_size = d->rx_size > 0 ? 2 * d->rx_size : 64;
        d->rx = realloc(d->rx, d->rx_size * sizeof *d->rx);
        assert_non_null(d->rx);
    }
    d->rx[d->rx_len++] = world_copy(d->world, frame);
}

static void node_sends(struct world_node *node, const struct hs_effect *effect);

void world_session_send(struct world_node *node, uint64_t session, struct hs_bytes frame)
{
    struct hs_effect effect = {.kind = HS_EFFECT_SEND, .session = session, .bytes = frame};
    if (world_link_of(node->world, session) != NULL)
        node_sends(node, &effect);
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
        world_event_add(world_link_of(w, ids[0])->node[other], &input);
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
        if (effect->kind == HS_EFFECT_WAKE) {
            node->wakes++;
            (void)snprintf(node->woken, sizeof node->woken, "%s", effect->text);
        }
        if (effect->kind == HS_EFFECT_DISCOVER) {
            node->searches++;
            node->searched_root = effect->root;
            (void)snprintf(node->searched, sizeof node->searched, "%s", effect->text);
        }
        if (effect->kind == HS_EFFECT_DIAL)
            world_dial(node, effect);
        if (effect->kind >= HS_EFFECT_BLOB_WRITE && effect->kind <= HS_EFFECT_BLOB_DELETE)
            world_blob(node, effect);
        if (effect->kind == HS_EFFECT_CLOSE) {
            struct world_link *link = world_link_of(node->world, effect->session);
            if (link == NULL || !link->open)
                continue;
            node->closed++;
            if (link->device != NULL)
                link->device->ended = effect->err;
            world_close(node->world, effect->session);
        }
    }
    hs_effects_free(&effects);
}

/* Room for a second attempt: the first one has left nothing but what the core remembers. */
static void step_in_vain(struct world_node *node, const struct hs_core_input *input)
{
    struct hs_kv *before = world_store_copy(node);
    struct hs_effects dropped = hs_effects();
    assert_ok(hs_core_step(node->core, node->kv, input, node->world->now, node->full, &dropped));
    hs_core_undone(node->core);
    hs_effects_free(&dropped);
    hs_kv_memory_free(node->kv);
    node->kv = before;
}

static void step(struct world_node *node, const struct hs_core_input *input)
{
    if ((node->redo & WORLD_REDO(input->kind)) != 0)
        step_in_vain(node, input);
    if (node->world->before_step != NULL)
        node->world->before_step(node, input);
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
