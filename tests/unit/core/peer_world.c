#include "peer_world.h"

#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/state.pb-c.h"
#include "core/turn.h"
#include "crypto/dh.h"
#include "identity/auth.h"
#include "wire/unpack.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

struct raw_node raw_node_new(struct world_device *mouth, const char *domain)
{
    struct world *w = mouth->world;
    struct raw_node raw = {.mouth = mouth};
    struct hs_descriptor d = {.sequence = 1, .address_count = 1};
    hs_signer_random(&raw.root);
    hs_signer_random(&raw.signer);
    hs_dh_keypair(&raw.transport, &raw.transport_pub);
    d.signing_key = raw.signer.pub;
    d.transport_key = raw.transport_pub;
    (void)snprintf(raw.domain, sizeof raw.domain, "%s", domain);
    (void)snprintf(d.domain, sizeof d.domain, "%s", domain);
    (void)snprintf(d.addresses[0], sizeof d.addresses[0], "%s:4433", domain);
    assert_ok(hs_descriptor_build(&raw.root, &d, w->now, &w->arena, &raw.descriptor));
    return raw;
}

uint64_t raw_node_connect(struct raw_node *raw, enum hs_err *err)
{
    struct world *w = raw->mouth->world;
    Hanse__Frame *frame = world_frame(w);
    Hanse__Authenticate *a = WORLD_NEW(w, Hanse__Authenticate, hanse__authenticate);
    uint8_t hash[64];
    struct hs_sig sig;
    randombytes_buf(hash, sizeof hash);
    raw->mouth->rx_read = raw->mouth->rx_len;
    raw->mouth->session = world_open(raw->mouth, &raw->transport_pub, hash);
    hs_auth_sign(&raw->signer, hs_bytes(hash, sizeof hash), &sig);
    a->descriptor = raw->descriptor;
    a->signature = hs_pb_data(world_copy(w, HS_VIEW(sig)));
    frame->authenticate = a;
    frame->body_case = HANSE__FRAME__BODY_AUTHENTICATE;
    uint64_t session = raw->mouth->session;
    enum hs_err got = world_ask(raw->mouth, frame, NULL);
    if (err != NULL)
        *err = got;
    else
        assert_ok(got);
    return got == HS_OK ? session : 0;
}

void raw_rule(struct world *w, struct raw_rules *rules, uint32_t kind, const struct hs_key *root,
              const char *domain)
{
    Hanse__State__PeerRule *rule = WORLD_NEW(w, Hanse__State__PeerRule, hanse__state__peer_rule);
    assert_true(rules->len < 64);
    rule->kind = kind;
    if (root != NULL)
        rule->root = hs_pb_data(world_copy(w, HS_VIEW(*root)));
    if (domain != NULL)
        rule->domain = (char *)(uintptr_t)hs_arena_str(&w->arena, hs_bytes_str(domain));
    rules->list[rules->len++] = rule;
}

void raw_rules_set(struct world_node *node, const struct raw_rules *rules)
{
    Hanse__State__PeerRules all = HANSE__STATE__PEER_RULES__INIT;
    struct hs_core_input input = {.kind = HS_INPUT_PEER_RULES};
    all.rules = (Hanse__State__PeerRule **)(uintptr_t)rules->list;
    all.n_rules = rules->len;
    input.bytes = world_pack(node->world, &all.base);
    world_input(node, &input);
    world_run(node->world);
}

void raw_discovered(struct world_node *node, const struct hs_key *root, const char *domain,
                    const Hanse__SignedObject *page, const char *address)
{
    Hanse__State__Discovered found = HANSE__STATE__DISCOVERED__INIT;
    struct hs_core_input input = {.kind = HS_INPUT_DISCOVERED};
    char *addresses[1] = {(char *)(uintptr_t)address};
    found.root = hs_pb_data(HS_VIEW(*root));
    found.domain = (char *)(uintptr_t)domain;
    if (page != NULL)
        found.descriptor = hs_pb_data(world_pack(node->world, &page->base));
    found.addresses = addresses;
    found.n_addresses = address != NULL ? 1 : 0;
    input.bytes = world_pack(node->world, &found.base);
    world_input(node, &input);
    world_run(node->world);
}

struct raw_turn {
    struct hs_turn turn;
    struct hs_arena arena;
    struct hs_effects effects;
};

struct hs_turn *raw_turn_begin(struct world_node *node)
{
    node->world->forged = true;
    struct raw_turn *raw = calloc(1, sizeof *raw);
    assert_non_null(raw);
    raw->arena = hs_arena(SIZE_MAX / 2);
    raw->effects = hs_effects();
    raw->turn = (struct hs_turn){.core = node->core,
                                 .kv = node->kv,
                                 .now = node->world->now,
                                 .arena = &raw->arena,
                                 .effects = &raw->effects};
    return &raw->turn;
}

void raw_turn_end(struct hs_turn *turn)
{
    struct raw_turn *raw = (struct raw_turn *)(void *)turn;
    assert_ok(turn->kv->err);
    hs_effects_free(&raw->effects);
    hs_arena_free(&raw->arena);
    free(raw);
}

uint64_t raw_items_of(struct world_node *node, const struct hs_key *hub)
{
    uint64_t bytes = 0;
    struct hs_kv_key prefix = hs_stream_next_key(HS_STREAM_PEER, HS_VIEW(*hub)), from = prefix;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value;
        Hanse__State__StreamRecord *record;
        if (!hs_kv_next(node->kv, HS_T_STREAM, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(&from), &scratch,
                        &key, &value))
            return bytes;
        from = hs_kv_after(key);
        assert_ok(HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, &scratch, &record));
        if (record->body_case == HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON)
            bytes += record->handed_on->item.len;
    }
}
