/* What the operator says about other nodes: whom to refuse, whom to trust with more, which root a domain has.
 * A node is its root; the domain that it claims is enough to refuse it, but not to trust it. */
#ifndef HS_CORE_RULES_H
#define HS_CORE_RULES_H

#include "core/core.h"

enum hs_rule_kind { HS_RULE_BLOCK = 1, HS_RULE_ALLOW = 2, HS_RULE_NODE = 3 };

enum { HS_RULES_MAX = 4096 }; /* each is looked at for each new session of a node */

struct hs_rule {
    enum hs_rule_kind kind;
    bool has_root, has_domain; /* a NODE has both; the others one of them */
    struct hs_key root;
    struct hs_id domain; /* hs_domain_hash() */
    char domain_name[HS_ADDRESS_SIZE];
    struct hs_time asked_at; /* ALLOW by domain: its page isn't asked before */
    char addresses[HS_DIAL_ADDRESSES][HS_ADDRESS_SIZE];
    size_t address_count;
};

struct hs_rules {
    struct hs_rule *list;
    size_t len;
};

/* From the bytes of a PeerRules (core/state.proto); empty bytes are no rules. MALFORMED, TOO_LARGE, NOMEM:
 * out is as before then. */
enum hs_err hs_rules_parse(struct hs_bytes packed, struct hs_rules *out);
void hs_rules_free(struct hs_rules *rules);

/* Domains are compared by this. */
struct hs_id hs_domain_hash(struct hs_bytes domain);

/* True where a rule of that kind names the root or the domain; either may be NULL. */
bool hs_rules_name(const struct hs_rules *rules, enum hs_rule_kind kind, const struct hs_key *root,
                   const struct hs_id *domain);

/* The row of the operator's peer file for that root; NULL where there is none. */
const struct hs_rule *hs_rules_node(const struct hs_rules *rules, const struct hs_key *root);

/* The rule of that kind that names the domain; NULL where there is none. */
struct hs_rule *hs_rules_find(struct hs_rules *rules, enum hs_rule_kind kind, const struct hs_id *domain);

#endif
