/* What can happen to a world: time, restarts, foreign frames. */
#include "world.h"

#include "core/records/layout.h"
#include "crypto/dh.h"
#include "identity/descriptor.h"

struct hs_kv *world_store_copy(struct world_node *node)
{
    struct hs_kv *copy = hs_kv_memory_new();
    assert_non_null(copy);
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, none = {0};
        struct hs_kv_key from = {0};
        while (hs_kv_next(node->kv, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value)) {
            hs_kv_put(copy, table, key, value);
            from = hs_kv_after(key);
        }
    }
    assert_ok(copy->err);
    return copy;
}

void world_pass(struct world *w, int64_t ms)
{
    w->now.ms += ms;
    for (size_t i = 0; i < w->node_count; i++) {
        struct hs_core_input tick = {.kind = HS_INPUT_TICK};
        world_input(&w->nodes[i], &tick);
    }
    world_settle(w);
}

/* The process dies, with everything that wasn't in the store; its sessions end. */
void world_node_restart(struct world_node *node)
{
    struct world *w = node->world;
    struct hs_core_config config = {
        .root = node->root.pub, .node_signer = node->signer, .incarnation = node->incarnation};
    hs_core_free(node->core);
    config.descriptor = world_pack(w, &node->descriptor->base);
    assert_ok(hs_core_new(&config, &node->core));
    node->mute = false;
    for (size_t i = 0; i < w->link_count; i++) {
        const struct world_link *link = &w->links[i];
        if (link->open && (link->node[0] == node || link->node[1] == node))
            world_close(w, link->id[0]);
    }
    world_run(w);
}

void world_node_rotate(struct world_node *node)
{
    struct world *w = node->world;
    struct hs_descriptor d;
    assert_ok(hs_descriptor_open(node->descriptor, &node->root.pub, &d));
    hs_signer_random(&node->signer);
    hs_dh_keypair(&node->transport, &node->transport_pub);
    d.signing_key = node->signer.pub;
    d.transport_key = node->transport_pub;
    d.sequence++;
    assert_ok(hs_descriptor_build(&node->root, &d, w->now, &w->arena, &node->descriptor));
    world_node_restart(node);
}

void world_node_restore(struct world_node *node, struct hs_kv *backup)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = node->core, .kv = backup, .now = node->world->now, .arena = &arena};
    node->incarnation++; /* which no backup knows */
    hs_restored_record(&turn, node->incarnation);
    assert_ok(backup->err);
    hs_kv_memory_free(node->kv);
    node->kv = backup;
    world_node_restart(node);
}

static struct world_link *between(struct world_node *a, struct world_node *b)
{
    struct world *w = a->world;
    for (size_t i = w->link_count; i-- > 0;) {
        struct world_link *link = &w->links[i];
        if (link->open && link->device == NULL && link->node[0] == a && link->node[1] == b)
            return link;
    }
    return NULL;
}

bool world_are_linked(struct world_node *dialler, struct world_node *to)
{
    return between(dialler, to) != NULL;
}

void world_inject(struct world_node *from, struct world_node *to, const Hanse__Frame *frame)
{
    struct world_link *link = between(to, from);
    size_t end = 0;
    if (link == NULL) {
        link = between(from, to);
        end = 1;
    }
    assert_non_null(link);
    struct hs_core_input input = {.kind = HS_INPUT_FRAME, .session = link->id[end]};
    input.bytes = world_pack(from->world, &frame->base);
    world_input(to, &input);
    world_run(from->world);
}
