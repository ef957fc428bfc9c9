#include "support/test.h"

#include "net/address.h"
#include "net/bucket.h"
#include "net/limits.h"

#include <sodium.h>
#include <stdio.h>

static void numeric_addresses_parse(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *again; /* NULL: refused */
    } cases[] = {
        {"127.0.0.1:7700", "127.0.0.1:7700"},
        {"0.0.0.0:0", "0.0.0.0:0"},
        {"[::1]:65535", "[::1]:65535"},
        {"[2001:db8::7]:1", "[2001:db8::7]:1"},
        {"rosa.example:7700", NULL},
        {"127.0.0.1:65536", NULL},
        {"127.0.0.1:07", NULL},
        {"127.0.0.1:-1", NULL},
        {"127.0.0.1: 1", NULL},
        {"127.0.0.1", NULL},
        {"::1:80", NULL},
        {"[127.0.0.1]:80", NULL},
        {"[]:80", NULL},
        {":80", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage address;
        char text[64];
        enum hs_err err = hs_address_parse(cases[i].text, &address);
        if (cases[i].again == NULL) {
            assert_err(err, HS_ERR_MALFORMED);
            continue;
        }
        assert_ok(err);
        hs_address_text((struct sockaddr *)&address, text);
        assert_string_equal(text, cases[i].again);
    }
}

static void hosts_have_a_longest_name(void **state)
{
    (void)state;
    char text[300], host[HS_HOST_SIZE], port[HS_PORT_SIZE];
    snprintf(text, sizeof text, "%0253d:1", 0);
    assert_ok(hs_address_split(text, host, port));
    assert_int_equal(strlen(host), 253);
    snprintf(text, sizeof text, "%0254d:1", 0);
    assert_err(hs_address_split(text, host, port), HS_ERR_MALFORMED);
}

static struct hs_bytes owner_of(const char *text, struct sockaddr_storage *address)
{
    assert_ok(hs_address_parse(text, address));
    return hs_address_owner(address);
}

/* One host may have a /64 full of addresses; an IPv4 address is one however it comes. */
static void owners(void **state)
{
    (void)state;
    struct sockaddr_storage a, b;
    assert_bytes(owner_of("[2001:db8::1]:1", &a), owner_of("[2001:db8::2:3:4:5]:2", &b));
    assert_false(hs_bytes_equal(owner_of("[2001:db8::1]:1", &a), owner_of("[2001:db8:0:1::1]:1", &b)));
    assert_bytes(owner_of("192.0.2.1:1", &a), owner_of("[::ffff:192.0.2.1]:5", &b));
    assert_false(hs_bytes_equal(owner_of("192.0.2.1:1", &a), owner_of("192.0.2.2:1", &b)));
}

/* NODE-17 */
static void buckets_run_dry_and_fill(void **state)
{
    (void)state;
    struct hs_buckets *buckets = hs_buckets_new(10, 3);
    struct hs_bytes a = hs_bytes_str("aaaa"), b = hs_bytes_str("bbbb");
    for (int i = 0; i < 3; i++)
        assert_true(hs_buckets_take(buckets, a, 1000));
    assert_false(hs_buckets_take(buckets, a, 1000));
    assert_true(hs_buckets_take(buckets, b, 1000));
    assert_false(hs_buckets_take(buckets, a, 1099));
    assert_true(hs_buckets_take(buckets, a, 1100));
    assert_false(hs_buckets_take(buckets, a, 1100));
    for (int i = 0; i < 3; i++) /* full again, and not more than full */
        assert_true(hs_buckets_take(buckets, a, UINT64_MAX / 1000));
    assert_false(hs_buckets_take(buckets, a, UINT64_MAX / 1000));
    hs_buckets_free(buckets);
}

/* A flood of addresses takes no memory, and one that it doesn't hit keeps its state for a while. */
static void many_addresses_take_turns(void **state)
{
    (void)state;
    struct hs_buckets *buckets = hs_buckets_new(1, 1);
    for (uint32_t i = 0; i < 50 * HS_NET_ADDRESSES; i++)
        assert_true(hs_buckets_take(buckets, hs_bytes(&i, sizeof i), 5));
    uint32_t last = 50 * HS_NET_ADDRESSES - 1;
    assert_false(hs_buckets_take(buckets, hs_bytes(&last, sizeof last), 5));
    hs_buckets_free(buckets);
}

int main(void)
{
    if (sodium_init() < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_addresses_parse),
        cmocka_unit_test(hosts_have_a_longest_name),
        cmocka_unit_test(owners),
        cmocka_unit_test(buckets_run_dry_and_fill),
        cmocka_unit_test(many_addresses_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
