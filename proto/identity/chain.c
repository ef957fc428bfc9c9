#include "identity/chain.h"

#include "identity/learn.h"

#include <string.h>

struct hs_chain_item {
    enum hs_kind kind;
    bool used;
    struct hs_id id;
    union {
        struct hs_certificate certificate;
        struct hs_grant grant;
        struct hs_handle_grant handle;
        struct hs_descriptor descriptor;
    };
};

/* --- opening --- */

/* The root of the first descriptor; the others must then be by the same one. */
static enum hs_err root_find(Hanse__SignedObject *const *objects, size_t count, struct hs_key *root)
{
    for (size_t i = 0; i < count; i++) {
        if (hs_object_claimed_kind(objects[i]) != HS_KIND_NODE_DESCRIPTOR)
            continue;
        struct hs_descriptor d;
        HS_TRY(hs_descriptor_open(objects[i], NULL, &d));
        *root = d.root;
        return HS_OK;
    }
    return HS_ERR_BAD_CHAIN;
}

static enum hs_err item_open(const Hanse__SignedObject *obj, const struct hs_key *root,
                             struct hs_learned *learned, struct hs_chain_item *item)
{
    item->kind = hs_object_claimed_kind(obj);
    switch (item->kind) {
    case HS_KIND_DEVICE_CERTIFICATE:
        HS_TRY(hs_certificate_learn(obj, learned, &item->certificate));
        break;
    case HS_KIND_GRANT:
        HS_TRY(hs_grant_learn(obj, root, learned, &item->grant));
        break;
    case HS_KIND_HANDLE_GRANT:
        HS_TRY(hs_handle_grant_learn(obj, root, learned, &item->handle));
        break;
    case HS_KIND_NODE_DESCRIPTOR:
        HS_TRY(hs_descriptor_learn(obj, root, learned, &item->descriptor));
        break;
    default:
        return HS_ERR_BAD_CHAIN;
    }
    item->id = hs_object_id(obj);
    return HS_OK;
}

enum hs_err hs_chain_open(Hanse__SignedObject *const *objects, size_t count, const struct hs_key *pinned,
                          struct hs_arena *arena, struct hs_chain *out)
{
    HS_REQUIRE(count <= HS_CHAIN_MAX, HS_ERR_TOO_LARGE);
    struct hs_chain chain = {.count = count};
    struct hs_learned learned = {0};
    if (pinned == NULL)
        HS_TRY(root_find(objects, count, &chain.root));
    else
        chain.root = *pinned;
    HS_TRY(hs_key_learn(&learned, &chain.root));
    chain.items = hs_arena_alloc(arena, (count + 1) * sizeof *chain.items);
    HS_REQUIRE(chain.items != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < count; i++) {
        HS_TRY(item_open(objects[i], &chain.root, &learned, &chain.items[i]));
        for (size_t j = 0; j < i; j++)
            HS_REQUIRE(!hs_id_equal(&chain.items[i].id, &chain.items[j].id), HS_ERR_BAD_CHAIN);
    }
    *out = chain;
    return HS_OK;
}

/* --- questions --- */

static struct hs_time later(struct hs_time a, struct hs_time b)
{
    return a.ms > b.ms ? a : b;
}

/* The earlier end, where 0 is no end. */
static struct hs_time sooner_end(struct hs_time a, struct hs_time b)
{
    if (a.ms == 0 || b.ms == 0)
        return a.ms == 0 ? b : a;
    return a.ms < b.ms ? a : b;
}

/* A certificate proves nothing about the device's consent, so several personas may claim one device key:
 * where the object names its issuer, only that persona's certificate counts. */
static enum hs_err device_find(struct hs_chain *chain, const struct hs_key *device,
                               const struct hs_key *persona, struct hs_time at, struct hs_actor *out)
{
    enum hs_err err = HS_ERR_BAD_CHAIN;
    for (size_t i = 0; i < chain->count; i++) {
        struct hs_chain_item *item = &chain->items[i];
        const struct hs_certificate *c = &item->certificate;
        if (item->kind != HS_KIND_DEVICE_CERTIFICATE || !hs_key_equal(&c->signature_key, device))
            continue;
        bool other = persona != NULL && !hs_key_equal(&c->persona, persona);
        err = other ? HS_ERR_WRONG_SIGNER : hs_certificate_check_time(c, at);
        if (err != HS_OK)
            continue;
        item->used = true;
        *out = (struct hs_actor){
            .key = c->persona, .device = *device, .from = c->not_before, .until = c->not_after};
        return HS_OK;
    }
    return err;
}

enum hs_err hs_chain_device(struct hs_chain *chain, const struct hs_key *device, struct hs_time at,
                            struct hs_actor *out)
{
    return device_find(chain, device, NULL, at, out);
}

uint32_t hs_chain_roles(struct hs_chain *chain, const struct hs_key *key, struct hs_time at)
{
    uint32_t roles = 0;
    for (size_t i = 0; i < chain->count; i++) {
        struct hs_chain_item *item = &chain->items[i];
        if (item->kind != HS_KIND_GRANT || !hs_key_equal(&item->grant.key, key) ||
            hs_grant_check_time(&item->grant, at) != HS_OK)
            continue;
        item->used = true;
        roles |= hs_role_set(item->grant.role);
    }
    return roles;
}

enum hs_err hs_chain_require_role(struct hs_chain *chain, struct hs_actor *actor, uint32_t wanted,
                                  struct hs_time at)
{
    enum hs_err err = HS_ERR_WRONG_SIGNER;
    for (size_t i = 0; i < chain->count; i++) {
        struct hs_chain_item *item = &chain->items[i];
        const struct hs_grant *g = &item->grant;
        if (item->kind != HS_KIND_GRANT || !hs_key_equal(&g->key, &actor->key) ||
            (hs_role_set(g->role) & wanted) == 0)
            continue;
        err = hs_grant_check_time(g, at);
        if (err != HS_OK)
            continue;
        item->used = true;
        actor->role = g->role;
        actor->from = later(actor->from, g->not_before);
        actor->until = sooner_end(actor->until, g->not_after);
        return HS_OK;
    }
    return err;
}

enum hs_err hs_chain_node(struct hs_chain *chain, const struct hs_key *node_key, struct hs_time at,
                          struct hs_actor *out)
{
    enum hs_err err = HS_ERR_BAD_CHAIN;
    for (size_t i = 0; i < chain->count; i++) {
        struct hs_chain_item *item = &chain->items[i];
        const struct hs_descriptor *d = &item->descriptor;
        if (item->kind != HS_KIND_NODE_DESCRIPTOR || !hs_key_equal(&d->signing_key, node_key))
            continue;
        err = hs_descriptor_check_time(d, at);
        if (err != HS_OK)
            continue;
        item->used = true;
        *out = (struct hs_actor){
            .key = *node_key, .device = *node_key, .from = d->created, .until = d->not_after};
        return HS_OK;
    }
    return err;
}

const struct hs_descriptor *hs_chain_descriptor(struct hs_chain *chain)
{
    struct hs_chain_item *best = NULL;
    for (size_t i = 0; i < chain->count; i++) {
        struct hs_chain_item *item = &chain->items[i];
        if (item->kind == HS_KIND_NODE_DESCRIPTOR &&
            (best == NULL || item->descriptor.sequence > best->descriptor.sequence))
            best = item;
    }
    if (best == NULL)
        return NULL;
    best->used = true;
    return &best->descriptor;
}

bool hs_chain_is_used(const struct hs_chain *chain, size_t index)
{
    return chain->items[index].used;
}

void hs_chain_unuse(struct hs_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        chain->items[i].used = false;
}

enum hs_err hs_chain_all_used(const struct hs_chain *chain)
{
    for (size_t i = 0; i < chain->count; i++)
        HS_REQUIRE(chain->items[i].used, HS_ERR_BAD_CHAIN);
    return HS_OK;
}

/* --- opening through a chain --- */

static enum hs_err actor_find(struct hs_chain *chain, const struct hs_key *device,
                              const struct hs_key *persona, uint32_t roles, struct hs_time at,
                              struct hs_actor *out)
{
    struct hs_actor actor;
    HS_TRY(device_find(chain, device, persona, at, &actor));
    if (roles != 0)
        HS_TRY(hs_chain_require_role(chain, &actor, roles, at));
    *out = actor;
    return HS_OK;
}

/* By whom it says that it is. */
static enum hs_err signed_open(const Hanse__SignedObject *obj, const struct hs_expect *expect,
                               struct hs_arena *arena, struct hs_key *signer, ProtobufCMessage **msg)
{
    HS_REQUIRE(hs_object_claimed_signer(obj, 0, signer), HS_ERR_WRONG_SIGNER);
    return hs_object_open(obj, expect->kind, signer, 1, arena, msg);
}

enum hs_err hs_chain_open_by_device(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                    const struct hs_expect *expect, struct hs_arena *arena,
                                    ProtobufCMessage **payload, struct hs_actor *actor)
{
    *payload = NULL;
    struct hs_key signer;
    ProtobufCMessage *msg;
    HS_TRY(signed_open(obj, expect, arena, &signer, &msg));
    struct hs_key issuer = hs_hdr_issuer(hs_hdr_of(msg));
    struct hs_actor found, today;
    HS_TRY(actor_find(chain, &signer, &issuer, expect->roles, hs_hdr_created(hs_hdr_of(msg)), &found));
    if (expect->judge == HS_JUDGE_NOW)
        HS_TRY(actor_find(chain, &signer, &issuer, expect->roles, expect->now, &today));
    *payload = msg;
    *actor = found;
    return HS_OK;
}

enum hs_err hs_chain_open_by_node(struct hs_chain *chain, const Hanse__SignedObject *obj,
                                  const struct hs_expect *expect, struct hs_arena *arena,
                                  ProtobufCMessage **payload, struct hs_actor *actor)
{
    *payload = NULL;
    struct hs_key signer;
    ProtobufCMessage *msg;
    HS_TRY(signed_open(obj, expect, arena, &signer, &msg));
    const Hanse__Hdr *hdr = hs_hdr_of(msg);
    struct hs_actor found, today;
    HS_TRY(hs_chain_node(chain, &signer, hs_hdr_created(hdr), &found));
    struct hs_key issuer = hs_hdr_issuer(hdr);
    HS_REQUIRE(hs_key_equal(&issuer, &signer), HS_ERR_WRONG_SIGNER);
    if (expect->judge == HS_JUDGE_NOW)
        HS_TRY(hs_chain_node(chain, &signer, expect->now, &today));
    *payload = msg;
    *actor = found;
    return HS_OK;
}
