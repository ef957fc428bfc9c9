/* The nodes of a town: their cores, and what comes of what they want done. */
#include "town_inside.h"

#include "core/records/layout.h"
#include "core/recovery/recover.h"
#include "crypto/dh.h"
#include "identity/derive.h"
#include "identity/descriptor.h"
#include "identity/grant.h"
#include "identity/ticket.h"
#include "wire/limits.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct town_node *town_node_new(struct town *t, const char *domain)
{
    assert_true(t->node_count < TOWN_NODES);
    struct town_node *node = &t->nodes[t->node_count++];
    struct hs_descriptor d = {.sequence = 1, .address_count = 1};
    Hanse__SignedObject *object;
    node->town = t;
    node->incarnation = 1;
    snprintf(node->domain, sizeof node->domain, "%s", domain);
    hs_signer_random(&node->root);
    hs_signer_random(&node->signer);
    hs_dh_keypair(&node->transport, &node->transport_pub);
    d.signing_key = node->signer.pub;
    d.transport_key = node->transport_pub;
    snprintf(d.domain, sizeof d.domain, "%s", domain);
    snprintf(d.addresses[0], sizeof d.addresses[0], "%s:4433", domain);
    assert_ok(hs_descriptor_build(&node->root, &d, t->now, &t->arena, &object));
    assert_ok(hs_object_pack(object, &t->arena, &node->descriptor));
    node->kv = kv_count(hs_kv_memory_new());
    node->effects = hs_effects();
    struct hs_core_config config = {.root = node->root.pub,
                                    .node_signer = node->signer,
                                    .descriptor = node->descriptor,
                                    .incarnation = node->incarnation};
    assert_ok(hs_core_new(&config, &node->core));
    return node;
}

struct town_node *town_node_by_root(struct town *t, const struct hs_key *root)
{
    for (size_t i = 0; i < t->node_count; i++)
        if (hs_key_equal(&t->nodes[i].root.pub, root))
            return &t->nodes[i];
    return NULL;
}

void town_node_open(struct town_session *s, const struct hs_key *remote, const uint8_t *hash,
                    const struct town_node *dialled)
{
    struct hs_core_input input = {.kind = HS_INPUT_OPEN, .session = s->id, .remote_static = *remote};
    memcpy(input.handshake_hash, hash, sizeof input.handshake_hash);
    if (dialled != NULL) {
        input.outbound = true;
        input.dialled_root = dialled->root.pub;
        input.dialled_descriptor = dialled->descriptor;
    }
    uint64_t id = s->id;
    struct town_node *node = s->node;
    town_node_input(node, input);
    town_node_input(node,
                    (struct hs_core_input){.kind = HS_INPUT_ROOM, .session = id, .budget = TOWN_BUDGET});
}

static void node_dial(struct town_node *from, const struct hs_key *root)
{
    struct town *t = from->town;
    struct town_node *to = town_node_by_root(t, root);
    if (to != NULL && to->down && to->silent)
        return;
    if (to == NULL || to->down || from->down) {
        town_node_input(from, (struct hs_core_input){.kind = HS_INPUT_DIAL_FAILED, .dialled_root = *root});
        return;
    }
    uint8_t hash[64];
    randombytes_buf(hash, sizeof hash);
    struct town_session *a = town_session_add(t, from, NULL), *b = town_session_add(t, to, NULL);
    a->peer = b->id;
    b->peer = a->id;
    town_node_open(b, &from->transport_pub, hash, NULL);
    town_node_open(a, &to->transport_pub, hash, to);
}

static void effect_send(struct town_node *node, const struct hs_effect *effect)
{
    struct town_session *s = town_session_find(node->town, effect->session);
    if (s == NULL)
        return;
    if (s->device != NULL)
        town_item_add(node->town, TOWN_TO_DEVICE, s->id, effect->bytes);
    else
        town_item_add(node->town, TOWN_TO_NODE, s->peer, effect->bytes);
}

static void effect_close(struct town_node *node, const struct hs_effect *effect)
{
    struct town_session *s = town_session_find(node->town, effect->session);
    if (s == NULL)
        return;
    town_item_add(node->town, s->device != NULL ? TOWN_DEVICE_CLOSED : TOWN_NODE_CLOSED,
                  s->device != NULL ? s->id : s->peer, (struct hs_bytes){0});
    town_item_add(node->town, TOWN_NODE_CLOSED, s->id, (struct hs_bytes){0});
}

/* The real files, at once. */
static void effect_blob(struct town_node *node, const struct hs_effect *effect)
{
    struct hs_core_input input;
    struct hs_writer HS_WRITER frame = hs_writer(HS_FRAME_MAX);
    if (node->blobs == NULL) {
        snprintf(node->blob_dir, sizeof node->blob_dir, "%s/hanse-town-XXXXXX",
                 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
        assert_non_null(mkdtemp(node->blob_dir));
        assert_ok(hs_blob_files_open(node->blob_dir, 0, &node->blobs));
    }
    struct hs_blob_job *job = hs_blob_job_new(effect);
    assert_non_null(job);
    hs_blob_jobs_do(node->blobs, job);
    if (hs_blob_job_input(job, &input)) {
        town_node_input(node, input);
    } else {
        struct hs_effect send = {.kind = HS_EFFECT_SEND, .session = effect->session};
        assert_ok(hs_blob_job_frame(job, &frame));
        send.bytes = hs_writer_bytes(&frame);
        effect_send(node, &send);
    }
    hs_blob_jobs_free(job);
}

static void carry_out(struct town_node *node)
{
    struct hs_effects effects = node->effects;
    node->effects = hs_effects();
    for (size_t i = 0; i < effects.len; i++) {
        const struct hs_effect *effect = &effects.list[i];
        if (effect->kind == HS_EFFECT_SEND)
            effect_send(node, effect);
        else if (effect->kind == HS_EFFECT_CLOSE)
            effect_close(node, effect);
        else if (effect->kind >= HS_EFFECT_BLOB_WRITE && effect->kind <= HS_EFFECT_BLOB_DELETE)
            effect_blob(node, effect);
        else if (effect->kind == HS_EFFECT_DIAL)
            node_dial(node, &effect->root);
        else if (effect->kind == HS_EFFECT_LOG && getenv("TOWN_LOG") != NULL)
            printf("%s: %s\n", node->domain, effect->text);
    }
    hs_effects_free(&effects);
}

void town_node_input(struct town_node *node, struct hs_core_input input)
{
    bool more = true;
    if (node->core == NULL)
        return;
    assert_ok(hs_core_step(node->core, &node->kv.kv, &input, node->town->now, false, &node->effects));
    while (more)
        assert_ok(hs_core_pump(node->core, &node->kv.kv, node->town->now, &node->effects, &more));
    assert_ok(node->kv.kv.err);
    carry_out(node);
}

struct hs_kv *town_node_copy(struct town_node *node)
{
    struct hs_kv *copy = hs_kv_memory_new();
    assert_non_null(copy);
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, none = {0};
        struct hs_kv_key from = {0};
        while (hs_kv_next(node->kv.inner, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value)) {
            hs_kv_put(copy, table, key, value);
            from = hs_kv_after(key);
        }
    }
    assert_ok(copy->err);
    return copy;
}

static struct hs_turn raw_turn(struct town_node *node, struct hs_kv *kv, struct hs_arena *arena)
{
    return (struct hs_turn){.core = node->core, .kv = kv, .now = node->town->now, .arena = arena};
}

bool town_node_is_frozen(struct town_node *node)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = raw_turn(node, node->kv.inner, &arena);
    return hs_recover_count(&turn) > 0;
}

void town_node_resume(struct town_node *node)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = raw_turn(node, node->kv.inner, &arena);
    assert_ok(hs_recover_resume(&turn, NULL));
}

/* Ends, with its sessions, and begins anew. */
static void restart(struct town_node *node)
{
    struct hs_core_config config = {.root = node->root.pub,
                                    .node_signer = node->signer,
                                    .descriptor = node->descriptor,
                                    .incarnation = node->incarnation};
    for (struct town_session *s = node->town->sessions; s != NULL; s = s->next)
        if (s->node == node)
            town_item_add(node->town, s->device != NULL ? TOWN_DEVICE_CLOSED : TOWN_NODE_CLOSED,
                          s->device != NULL ? s->id : s->peer, (struct hs_bytes){0});
    hs_core_free(node->core);
    assert_ok(hs_core_new(&config, &node->core));
}

void town_node_restore(struct town_node *node, struct hs_kv *backup)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = raw_turn(node, backup, &arena);
    node->incarnation++; /* which no backup knows */
    hs_restored_record(&turn, node->incarnation);
    assert_ok(backup->err);
    hs_kv_memory_free(node->kv.inner);
    node->kv = kv_count(backup);
    restart(node);
}

void town_node_rotate(struct town_node *node)
{
    struct town *t = node->town;
    struct hs_descriptor d;
    Hanse__SignedObject *object;
    assert_ok(hs_object_unpack(node->descriptor, &t->arena, &object));
    assert_ok(hs_descriptor_open(object, &node->root.pub, &d));
    hs_signer_random(&node->signer);
    hs_dh_keypair(&node->transport, &node->transport_pub);
    d.signing_key = node->signer.pub;
    d.transport_key = node->transport_pub;
    d.sequence++;
    assert_ok(hs_descriptor_build(&node->root, &d, t->now, &t->arena, &object));
    assert_ok(hs_object_pack(object, &t->arena, &node->descriptor));
    restart(node);
}

void town_node_cut(struct town_node *node)
{
    for (struct town_session *s = node->town->sessions; s != NULL; s = s->next)
        if (s->node == node && s->device == NULL) {
            town_item_add(node->town, TOWN_NODE_CLOSED, s->peer, (struct hs_bytes){0});
            town_item_add(node->town, TOWN_NODE_CLOSED, s->id, (struct hs_bytes){0});
        }
}

const char *town_ticket(struct town_node *node, uint32_t roles, const char *handle, uint32_t uses)
{
    struct town *t = node->town;
    struct hs_secret32 seed;
    struct hs_signer key;
    Hanse__SignedObject *descriptor, *ticket, *grants[HS_TICKET_GRANTS];
    struct hs_time until = {t->now.ms + 365 * (int64_t)TOWN_DAY_MS};
    size_t count = 0;
    char *text;
    randombytes_buf(seed.b, sizeof seed.b);
    hs_identity_derive(&seed, &key);
    for (unsigned role = 1; role < 8; role++) {
        struct hs_grant grant = {.key = key.pub, .role = (Hanse__Role)role, .not_after = until};
        if ((roles & (1u << role)) != 0)
            assert_ok(hs_grant_build(&node->root, &grant, t->now, &t->arena, &grants[count++]));
    }
    if (handle != NULL) {
        struct hs_handle_grant grant = {.key = key.pub, .not_after = until};
        snprintf(grant.name, sizeof grant.name, "%s", handle);
        snprintf(grant.domain, sizeof grant.domain, "%s", node->domain);
        assert_ok(hs_handle_grant_build(&node->root, &grant, t->now, &t->arena, &grants[count++]));
    }
    assert_ok(hs_object_unpack(node->descriptor, &t->arena, &descriptor));
    assert_ok(hs_ticket_build(&node->root, &key.pub, uses, t->now, until, &t->arena, &ticket));
    assert_ok(hs_ticket_text_build(&seed, descriptor, ticket, grants, count, t->now, &t->arena, &text));
    return text;
}
