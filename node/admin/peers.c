#include "admin/peers.h"

#include "base/text.h"
#include "core/standing/rules.h"
#include "identity/descriptor.h"
#include "object/hdr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 3 + HS_DIAL_ADDRESSES };

struct line {
    struct hs_bytes words[WORDS + 1];
    size_t count;
};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct line split(struct hs_bytes text)
{
    struct line line = {0};
    size_t at = 0;
    while (at < text.len && line.count <= WORDS) {
        while (at < text.len && is_space(text.data[at]))
            at++;
        size_t from = at;
        while (at < text.len && !is_space(text.data[at]))
            at++;
        if (at > from)
            line.words[line.count++] = hs_bytes(text.data + from, at - from);
    }
    return line;
}

static bool is_word(struct hs_bytes word, const char *text)
{
    return hs_bytes_equal(word, hs_bytes_str(text));
}

static bool take_root(struct hs_bytes word, struct hs_arena *arena, Hanse__State__PeerRule *rule)
{
    uint8_t root[HS_KEY_LEN];
    char text[HS_HEX_SIZE(HS_KEY_LEN)] = "";
    if (word.len != sizeof text - 1)
        return false;
    memcpy(text, word.data, word.len);
    if (hs_unhex(text, root, sizeof root) != HS_OK)
        return false;
    rule->root = hs_pb_data(hs_arena_copy(arena, hs_bytes(root, sizeof root)));
    return rule->root.data != NULL;
}

static bool take_domain(struct hs_bytes word, struct hs_arena *arena, Hanse__State__PeerRule *rule)
{
    if (!hs_domain_is_valid(word))
        return false;
    rule->domain = hs_arena_str(arena, word);
    return rule->domain != NULL;
}

static bool take_addresses(const struct line *line, struct hs_arena *arena, Hanse__State__PeerRule *rule)
{
    rule->addresses = hs_arena_alloc(arena, HS_DIAL_ADDRESSES * sizeof *rule->addresses);
    for (size_t i = 3; i < line->count && rule->addresses != NULL; i++) {
        if (rule->n_addresses == HS_DIAL_ADDRESSES || !hs_address_is_valid(line->words[i]))
            return false;
        rule->addresses[rule->n_addresses++] = hs_arena_str(arena, line->words[i]);
    }
    return rule->addresses != NULL;
}

/* NULL, or what the line should have been. */
static const char *take(const struct line *line, struct hs_arena *arena, Hanse__State__PeerRule *rule)
{
    bool block = is_word(line->words[0], "block"), allow = is_word(line->words[0], "allow");
    if (block || allow) {
        rule->kind = block ? HS_RULE_BLOCK : HS_RULE_ALLOW;
        bool good = line->count == 2 &&
                    (take_root(line->words[1], arena, rule) || take_domain(line->words[1], arena, rule));
        return good ? NULL : "behind block or allow stands one domain, or one root of 64 hex digits";
    }
    if (!is_word(line->words[0], "node"))
        return "a row begins with block, allow or node";
    rule->kind = HS_RULE_NODE;
    if (line->count < 3 || !take_domain(line->words[1], arena, rule) ||
        !take_root(line->words[2], arena, rule))
        return "behind node stand a domain, its root of 64 hex digits, and addresses";
    return line->count <= WORDS && take_addresses(line, arena, rule)
               ? NULL
               : "at most four of host:port stand there";
}

static enum hs_err add(struct hs_arena *arena, Hanse__State__PeerRules *rules, Hanse__State__PeerRule **out)
{
    HS_REQUIRE(rules->n_rules < HS_RULES_MAX, HS_ERR_TOO_LARGE);
    if (rules->rules == NULL)
        rules->rules = hs_arena_alloc(arena, HS_RULES_MAX * sizeof *rules->rules);
    *out = hs_arena_alloc(arena, sizeof **out);
    HS_REQUIRE(rules->rules != NULL && *out != NULL, HS_ERR_NOMEM);
    hanse__state__peer_rule__init(*out);
    rules->rules[rules->n_rules++] = *out;
    return HS_OK;
}

enum hs_err hs_peers_parse(const char *name, struct hs_bytes text, struct hs_arena *arena,
                           Hanse__State__PeerRules *rules, char why[static HS_PEERS_WHY])
{
    size_t number = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);
        struct hs_bytes row = hs_bytes(text.data, end != NULL ? (size_t)(end - text.data) : text.len);
        size_t used = row.len + (end != NULL ? 1 : 0);
        const uint8_t *comment = memchr(row.data, '#', row.len);
        row.len = comment != NULL ? (size_t)(comment - row.data) : row.len;
        struct line line = split(row);
        text = hs_bytes(text.data + used, text.len - used);
        number++;
        if (line.count == 0)
            continue;
        Hanse__State__PeerRule *rule;
        enum hs_err err = add(arena, rules, &rule);
        const char *wrong = err == HS_OK ? take(&line, arena, rule) : "there are too many rows";
        if (wrong == NULL)
            continue;
        (void)snprintf(why, HS_PEERS_WHY, "%.120s:%zu: %s", name, number, wrong);
        return err == HS_OK ? HS_ERR_CONFIG : err;
    }
    return HS_OK;
}
