#include "base/writer.h"
#include "unit/identity/people.h"

#include <string.h>

static struct people p;

static int setup(void **state)
{
    (void)state;
    people_init(&p);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hs_arena_free(&p.arena);
    return 0;
}

/* IDENTITY-4 */
static void descriptor_comes_from_its_root(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = describe(&p, &p.root);
    struct hs_descriptor d;
    assert_ok(hs_descriptor_verify(obj, &p.root.pub, now, &d));
    assert_string_equal(d.domain, "rosa.example");
    assert_int_equal(d.address_count, 2);
    assert_string_equal(d.addresses[1], "[2001:db8::1]:7300");
    assert_true(hs_key_equal(&d.signing_key, &p.node.pub));
    assert_true(hs_key_equal(&d.transport_key, &p.till.transport_pub));
    assert_int_equal(d.sequence, 1);
    assert_ok(hs_descriptor_verify(obj, NULL, now, &d));
    assert_true(hs_key_equal(&d.root, &p.root.pub));
    assert_err(hs_descriptor_verify(obj, &p.other_root.pub, now, &d), HS_ERR_WRONG_SIGNER);
    assert_err(hs_descriptor_verify(obj, &p.root.pub, at(HOUR), &d), HS_ERR_EXPIRED);
    assert_err(hs_descriptor_verify(obj, &p.root.pub, at(-HOUR), &d), HS_ERR_NOT_YET);
    obj->payload.data[50] ^= 1;
    assert_err(hs_descriptor_verify(obj, &p.root.pub, now, &d), HS_ERR_BAD_SIGNATURE);
}

/* IDENTITY-4: at most 4 addresses and 1 KiB in all. */
static void descriptor_is_small(void **state)
{
    (void)state;
    struct hs_descriptor d = descriptor_draft(&p), got;
    Hanse__SignedObject *obj;
    d.address_count = HS_DESCRIPTOR_ADDRESSES + 1;
    assert_err(hs_descriptor_build(&p.root, &d, now, &p.arena, &obj), HS_ERR_INVALID_ARG);
    d.address_count = HS_DESCRIPTOR_ADDRESSES;
    snprintf(d.addresses[2], sizeof d.addresses[2], "c.example:1");
    snprintf(d.addresses[3], sizeof d.addresses[3], "d.example:65535");
    assert_ok(hs_descriptor_build(&p.root, &d, now, &p.arena, &obj));
    assert_ok(hs_descriptor_verify(obj, &p.root.pub, now, &got));
    assert_int_equal(got.address_count, 4);
    for (size_t i = 0; i < 4; i++) {
        memset(d.addresses[i], 'a', 240);
        for (size_t dot = 60; dot < 240; dot += 60)
            d.addresses[i][dot] = '.';
        snprintf(d.addresses[i] + 240, 8, ":7300");
        assert_true(hs_address_is_valid(hs_bytes_str(d.addresses[i])));
    }
    assert_err(hs_descriptor_build(&p.root, &d, now, &p.arena, &obj), HS_ERR_TOO_LARGE);
    assert_null(obj);
}

/* IDENTITY-4: a later version's field passes: an older client must still find the node. */
static void unknown_fields_pass(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = describe(&p, &p.root);
    struct hs_writer HS_WRITER payload = hs_writer(1024), HS_WRITER pae = hs_writer(2048);
    hs_write_bytes(&payload, hs_pb_bytes(obj->payload));
    hs_write_bytes(&payload, hs_bytes("\xfa\x01\x03new", 6)); /* field 31, three bytes */
    obj->payload = hs_pb_data(hs_writer_bytes(&payload));
    hs_object_pae(&pae, hs_bytes_str(obj->type), hs_pb_bytes(obj->payload));
    struct hs_sig sig;
    hs_sign(&p.root, hs_writer_bytes(&pae), &sig);
    obj->signatures[0]->sig = hs_pb_data(HS_VIEW(sig));
    struct hs_descriptor d;
    assert_ok(hs_descriptor_verify(obj, &p.root.pub, now, &d));
    assert_string_equal(d.domain, "rosa.example");
    assert_ok(hs_descriptor_claimed(obj, &d)); /* and from a store, where it was kept */
    assert_string_equal(d.domain, "rosa.example");
}

static bool domain(const char *text)
{
    return hs_domain_is_valid(hs_bytes_str(text));
}

/* IDENTITY-5 */
static void domains_are_a_labels(void **state)
{
    (void)state;
    assert_true(domain("rosa.example"));
    assert_true(domain("localhost"));
    assert_true(domain("xn--bcher-kva.example"));
    assert_true(domain("127.0.0.1"));
    const char *bad[] = {"",           ".",          "a..b",  ".a",      "a.",
                         "-a.example", "a-.example", "A.com", "a_b.com", "b\xc3\xbck.example",
                         "a b",        "a:1",        "a/b",   "a@b"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(domain(bad[i]));
    char label[65] = {0};
    memset(label, 'a', 63);
    assert_true(domain(label));
    label[63] = 'a';
    assert_false(domain(label));
    char longest[255] = {0};
    for (size_t i = 0; i < 253; i++)
        longest[i] = i % 2 == 1 ? '.' : 'a';
    assert_true(domain(longest));
    longest[253] = '.';
    longest[254] = '\0';
    assert_false(domain(longest));
    assert_false(hs_domain_is_valid(hs_bytes("a\0b", 3)));
}

static bool address(const char *text)
{
    return hs_address_is_valid(hs_bytes_str(text));
}

/* IDENTITY-5 */
static void addresses_are_host_and_port(void **state)
{
    (void)state;
    assert_true(address("rosa.example:7300"));
    assert_true(address("127.0.0.1:1"));
    assert_true(address("[::1]:65535"));
    assert_true(address("[::ffff:10.0.0.1]:80"));
    const char *bad[] = {"",        "rosa.example", "rosa.example:", ":7300",   "a:0",    "a:07",
                         "a:65536", "a:100000",     "a:-1",          "a:1x",    "::1:80", "[::1]",
                         "[]:80",   "[:]:80",       "[g::]:80",      "[::1]80", "a b:80", "A.example:80",
                         "a:+1",    "[::1:80",      "a: 1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(address(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptor_comes_from_its_root),
        cmocka_unit_test(descriptor_is_small),
        cmocka_unit_test(unknown_fields_pass),
        cmocka_unit_test(domains_are_a_labels),
        cmocka_unit_test(addresses_are_host_and_port),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
