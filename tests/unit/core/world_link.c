/* Sessions: between a device and its node, and between two nodes. */
#include "world.h"

#include <sodium.h>
#include <stdlib.h>

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
    world_event_add(d->node, &input);
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
            world_event_add(link->node[i], &input);
    }
    if (link->device != NULL && link->device->session == session)
        link->device->session = 0;
}

void world_send(struct world *w, uint64_t session, struct hs_bytes frame)
{
    struct world_link *link = world_link_of(w, session);
    struct hs_core_input input = {.kind = HS_INPUT_FRAME, .session = session, .bytes = frame};
    assert_non_null(link);
    world_event_add(link->node[0], &input);
}

void world_dial(struct world_node *from, const struct hs_effect *effect)
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
        world_event_add(from, &input);
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
    world_event_add(to, &theirs);
    world_event_add(from, &input);
}
