#include "core/standing/rules.h"

#include "core/state.pb-c.h"
#include "crypto/hash.h"
#include "identity/descriptor.h"
#include "object/hdr.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <stdlib.h>

enum { RULES_ARENA_CAP = 32 * 1024 * 1024 };

struct hs_id hs_domain_hash(struct hs_bytes domain)
{
    return hs_hash_labelled("hanse-peer-domain-v1", domain);
}

static enum hs_err rule_take(const Hanse__State__PeerRule *from, struct hs_rule *out)
{
    struct hs_bytes domain = hs_bytes_str(from->domain);
    *out = (struct hs_rule){.kind = (enum hs_rule_kind)from->kind};
    HS_REQUIRE(from->kind >= HS_RULE_BLOCK && from->kind <= HS_RULE_NODE, HS_ERR_MALFORMED);
    out->has_root = from->root.len > 0;
    out->has_domain = domain.len > 0;
    HS_REQUIRE(!out->has_root || HS_FIXED(hs_pb_bytes(from->root), &out->root), HS_ERR_MALFORMED);
    HS_REQUIRE(!out->has_domain || hs_domain_is_valid(domain), HS_ERR_MALFORMED);
    bool both = out->has_root && out->has_domain, one = out->has_root || out->has_domain;
    HS_REQUIRE(from->kind == HS_RULE_NODE ? both : one && !both, HS_ERR_MALFORMED);
    out->domain = hs_domain_hash(domain);
    (void)snprintf(out->domain_name, sizeof out->domain_name, "%s", from->domain);
    HS_REQUIRE(from->n_addresses <= HS_DIAL_ADDRESSES, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < from->n_addresses; i++) {
        HS_REQUIRE(hs_address_is_valid(hs_bytes_str(from->addresses[i])), HS_ERR_MALFORMED);
        (void)snprintf(out->addresses[out->address_count++], HS_ADDRESS_SIZE, "%s", from->addresses[i]);
    }
    return HS_OK;
}

enum hs_err hs_rules_parse(struct hs_bytes packed, struct hs_rules *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(RULES_ARENA_CAP);
    Hanse__State__PeerRules *rules;
    struct hs_rules fresh = {0};
    enum hs_err err = HS_OK;
    if (packed.len > 0) {
        HS_TRY(HS_UNPACK(hanse__state__peer_rules, packed, HS_LENIENT, &arena, &rules));
        HS_REQUIRE(rules->n_rules <= HS_RULES_MAX, HS_ERR_TOO_LARGE);
        fresh.list = calloc(rules->n_rules + 1, sizeof *fresh.list);
        HS_REQUIRE(fresh.list != NULL, HS_ERR_NOMEM);
        for (; fresh.len < rules->n_rules && err == HS_OK; fresh.len++)
            err = rule_take(rules->rules[fresh.len], &fresh.list[fresh.len]);
    }
    if (err != HS_OK) {
        hs_rules_free(&fresh);
        return err;
    }
    hs_rules_free(out);
    *out = fresh;
    return HS_OK;
}

void hs_rules_free(struct hs_rules *rules)
{
    free(rules->list);
    *rules = (struct hs_rules){0};
}

bool hs_rules_name(const struct hs_rules *rules, enum hs_rule_kind kind, const struct hs_key *root,
                   const struct hs_id *domain)
{
    for (size_t i = 0; i < rules->len; i++) {
        const struct hs_rule *rule = &rules->list[i];
        if (rule->kind != kind)
            continue;
        if (rule->has_root && root != NULL && hs_key_equal(&rule->root, root))
            return true;
        if (rule->has_domain && domain != NULL && hs_id_equal(&rule->domain, domain))
            return true;
    }
    return false;
}

const struct hs_rule *hs_rules_node(const struct hs_rules *rules, const struct hs_key *root)
{
    for (size_t i = 0; i < rules->len; i++)
        if (rules->list[i].kind == HS_RULE_NODE && hs_key_equal(&rules->list[i].root, root))
            return &rules->list[i];
    return NULL;
}

struct hs_rule *hs_rules_find(struct hs_rules *rules, enum hs_rule_kind kind, const struct hs_id *domain)
{
    for (size_t i = 0; i < rules->len; i++)
        if (rules->list[i].kind == kind && rules->list[i].has_domain &&
            hs_id_equal(&rules->list[i].domain, domain))
            return &rules->list[i];
    return NULL;
}
