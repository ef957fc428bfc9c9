/* The operator's rows on other nodes, as text. */
#include "support/test.h"

#include "admin/peers.h"
#include "core/standing/rules.h"

#include <stdio.h>
#include <stdlib.h>

#define ROOT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static enum hs_err parse(const char *text, struct hs_arena *arena, Hanse__State__PeerRules *rules,
                         char why[static HS_PEERS_WHY])
{
    *rules = (Hanse__State__PeerRules)HANSE__STATE__PEER_RULES__INIT;
    return hs_peers_parse("peers", hs_bytes_str(text), arena, rules, why);
}

/* NODE-45 */
static void rows_are_read(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__State__PeerRules rules;
    char why[HS_PEERS_WHY] = "";
    assert_ok(parse("# what we think of others\n\n"
                    "block evil.example # for good\n"
                    "  allow\t" ROOT "\r\n"
                    "node friend.example " ROOT " friend.example:7700 [::1]:7700 127.0.0.1:1 a:2\n"
                    "node other.example " ROOT,
                    &arena, &rules, why));
    assert_int_equal(rules.n_rules, 4);
    assert_int_equal(rules.rules[0]->kind, HS_RULE_BLOCK);
    assert_string_equal(rules.rules[0]->domain, "evil.example");
    assert_int_equal(rules.rules[0]->root.len, 0);
    assert_int_equal(rules.rules[1]->kind, HS_RULE_ALLOW);
    assert_int_equal(rules.rules[1]->root.len, 32);
    assert_int_equal(rules.rules[1]->root.data[1], 0x11);
    assert_int_equal(rules.rules[2]->kind, HS_RULE_NODE);
    assert_int_equal(rules.rules[2]->n_addresses, 4);
    assert_string_equal(rules.rules[2]->addresses[1], "[::1]:7700");
    assert_int_equal(rules.rules[3]->n_addresses, 0);
    assert_ok(parse("", &arena, &rules, why));
    assert_int_equal(rules.n_rules, 0);
}

/* NODE-45: every mistake names its line. */
static void mistakes_name_their_line(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "blocks evil.example",
        "block",
        "block Evil.example",
        "block evil.example other.example",
        "block 00_11",
        "allow " ROOT "0",
        "allow *",
        "node friend.example",
        "node " ROOT,
        "node friend.example " ROOT " nowhere",
        "node friend.example " ROOT " a:0",
        "node friend.example " ROOT " a:1 b:1 c:1 d:1 e:1",
        "node friend.example " ROOT " a:1 b:1 c:1 d:1 e:1 f:1 g:1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        Hanse__State__PeerRules rules;
        char why[HS_PEERS_WHY] = "", text[512];
        (void)snprintf(text, sizeof text, "block evil.example\n\n%s\nallow a.example\n", bad[i]);
        assert_err(parse(text, &arena, &rules, why), HS_ERR_CONFIG);
        if (strncmp(why, "peers:3: ", 9) != 0)
            fail_msg("%s: %s", bad[i], why);
    }
}

/* NODE-45: HS_RULES_MAX rows and one more. */
static void rows_are_limited(void **state)
{
    (void)state;
    enum { ROW_LEN = 16 };
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    Hanse__State__PeerRules rules;
    char why[HS_PEERS_WHY] = "", *text = malloc((HS_RULES_MAX + 1) * ROW_LEN + 1);
    assert_non_null(text);
    for (size_t i = 0; i <= HS_RULES_MAX; i++)
        (void)snprintf(text + i * ROW_LEN, ROW_LEN + 1, "block a%06u.b\n", (unsigned)(i % 1000000));
    assert_err(parse(text, &arena, &rules, why), HS_ERR_TOO_LARGE);
    text[HS_RULES_MAX * ROW_LEN] = '\0';
    assert_ok(parse(text, &arena, &rules, why));
    assert_int_equal(rules.n_rules, HS_RULES_MAX);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_read),
        cmocka_unit_test(mistakes_name_their_line),
        cmocka_unit_test(rows_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
