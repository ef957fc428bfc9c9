#include "unit/room/fixture.h"

#include "base/text.h"
#include "support/rng.h"

static struct hs_invite_link link_make(const char *address)
{
    struct hs_invite_link link = {.root = key_of("root")};
    memset(link.seed, 0x5a, sizeof link.seed);
    strncpy(link.address, address, sizeof link.address - 1);
    return link;
}

/* ROOM-20 */
static void test_round_trip(void **state)
{
    (void)state;
    static const char *const addresses[] = {"rosa.example:7447", "127.0.0.1:1", "[::1]:65535", "a:1"};
    for (size_t i = 0; i < 4; i++) {
        struct hs_invite_link link = link_make(addresses[i]), read;
        char text[HS_INVITE_TEXT_SIZE], url[HS_INVITE_URL_SIZE];
        assert_ok(hs_invite_link_text(&link, text));
        assert_int_equal(strncmp(text, "hanse:i/", 8), 0);
        assert_ok(hs_invite_link_parse(text, &read));
        assert_memory_equal(&read, &link, sizeof link);
        assert_ok(hs_invite_link_url(&link, "rosa.example", url));
        assert_int_equal(strncmp(url, "https://rosa.example/i#", 23), 0);
        assert_string_equal(url + 23, text + 8);
        assert_ok(hs_invite_link_parse(url, &read));
        assert_memory_equal(&read, &link, sizeof link);
    }
}

/* ROOM-20: the longest address, and one character more */
static void test_limit(void **state)
{
    (void)state;
    char host[80] = "a.234567890123456789012345678901234567890123456789.123456789:7447",
         text[HS_INVITE_TEXT_SIZE];
    assert_int_equal(strlen(host), HS_INVITE_ADDRESS_MAX);
    struct hs_invite_link link = link_make(host), read;
    assert_ok(hs_invite_link_text(&link, text));
    assert_int_equal(strlen(text), HS_INVITE_TEXT_MAX);
    assert_ok(hs_invite_link_parse(text, &read));
    assert_memory_equal(&read, &link, sizeof link);
    struct hs_writer HS_WRITER w = hs_writer(256);
    hs_write_u8(&w, 1);
    hs_write_bytes(&w, HS_VIEW(link.root));
    hs_write_bytes(&w, hs_bytes(link.seed, sizeof link.seed));
    hs_write_bytes(&w, hs_bytes_str("1"));
    hs_write_bytes(&w, hs_bytes_str(host));
    char longer[512] = "hanse:i/";
    hs_base64(hs_writer_bytes(&w), longer + 8);
    assert_err(hs_invite_link_parse(longer, &read), HS_ERR_TOO_LARGE);
    memset(longer, 'a', sizeof longer - 1);
    assert_err(hs_invite_link_parse(longer, &read), HS_ERR_TOO_LARGE);
    memset(link.address, 'a', sizeof link.address);
    assert_err(hs_invite_link_text(&link, text), HS_ERR_INVALID_ARG);
}

/* ROOM-20 */
static void test_refused(void **state)
{
    (void)state;
    char text[HS_INVITE_TEXT_SIZE], url[HS_INVITE_URL_SIZE];
    static const char *const bad[] = {"",   "host",   "host:", "host:0", "host:65536",
                                      ":1", "Host:1", "a b:1", "[::1:1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hs_invite_link link = link_make(bad[i]);
        assert_err(hs_invite_link_text(&link, text), HS_ERR_INVALID_ARG);
    }
    struct hs_invite_link link = link_make("rosa.example:7447"), read;
    assert_err(hs_invite_link_url(&link, "", url), HS_ERR_INVALID_ARG);
    assert_err(hs_invite_link_url(&link, "rosa.example/x", url), HS_ERR_INVALID_ARG);
    assert_ok(hs_invite_link_text(&link, text));

    static const char *const prefixes[] = {"",
                                           "i/",
                                           "hanse:",
                                           "hanse:t/",
                                           "HANSE:i/",
                                           "http://rosa.example/i#",
                                           "https://",
                                           "https:///i#",
                                           "https://a",
                                           "https://rosa.example/i?",
                                           "https://a/b/i#"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        (void)snprintf(url, sizeof url, "%s%s", prefixes[i], text + 8);
        assert_err(hs_invite_link_parse(url, &read), HS_ERR_MALFORMED);
    }
    link.root = (struct hs_key){.b = {1}}; /* the neutral element: nobody's key */
    assert_ok(hs_invite_link_text(&link, text));
    assert_err(hs_invite_link_parse(text, &read), HS_ERR_BAD_KEY);
    static const struct hs_invite_link zeros;
    assert_memory_equal(&read, &zeros, sizeof read);
}

/* ROOM-20: no character can be changed, left out or added so that the same link comes out */
static void test_mutations(void **state)
{
    (void)state;
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=#. ";
    struct hs_invite_link link = link_make("rosa.example:7447"), read;
    char text[HS_INVITE_TEXT_SIZE], altered[HS_INVITE_TEXT_SIZE + 1];
    assert_ok(hs_invite_link_text(&link, text));
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        strcpy(altered, text);
        for (const char *c = alphabet; *c != '\0'; c++) {
            altered[i] = *c;
            if (*c != text[i] && hs_invite_link_parse(altered, &read) == HS_OK)
                assert_memory_not_equal(&read, &link, sizeof link);
        }
        strcpy(altered + i, text + i + 1);
        if (hs_invite_link_parse(altered, &read) == HS_OK)
            assert_memory_not_equal(&read, &link, sizeof link);
        memcpy(altered, text, i);
        altered[i] = 'A';
        strcpy(altered + i + 1, text + i);
        if (hs_invite_link_parse(altered, &read) == HS_OK)
            assert_memory_not_equal(&read, &link, sizeof link);
        memcpy(altered, text, i);
        altered[i] = '\0';
        if (hs_invite_link_parse(altered, &read) == HS_OK)
            assert_memory_not_equal(&read, &link, sizeof link);
    }
    text[8] = 'B'; /* version 5 */
    assert_err(hs_invite_link_parse(text, &read), HS_ERR_UNSUPPORTED);
}

/* ROOM-20: what a link holds is judged when it is read, too */
static void test_content(void **state)
{
    (void)state;
    struct hs_key root = key_of("root");
    static const struct {
        const char *address;
        size_t len;
        enum hs_err err;
    } cases[] = {{"a:1", 3, HS_OK},
                 {"", 0, HS_ERR_MALFORMED},
                 {"host", 4, HS_ERR_MALFORMED},
                 {"a:1\0", 4, HS_ERR_MALFORMED},
                 {"A:1", 3, HS_ERR_MALFORMED}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hs_writer HS_WRITER w = hs_writer(256);
        hs_write_u8(&w, 1);
        hs_write_bytes(&w, HS_VIEW(root));
        hs_write_bytes(&w, hs_bytes("0123456789abcdef", HS_INVITE_SEED_LEN));
        hs_write_bytes(&w, hs_bytes(cases[i].address, cases[i].len));
        char text[HS_INVITE_TEXT_SIZE] = "hanse:i/";
        hs_base64(hs_writer_bytes(&w), text + 8);
        struct hs_invite_link read;
        assert_err(hs_invite_link_parse(text, &read), cases[i].err);
    }
    struct hs_invite_link read;
    assert_err(hs_invite_link_parse("hanse:i/", &read), HS_ERR_MALFORMED);
    assert_err(hs_invite_link_parse("hanse:i/AQ", &read), HS_ERR_MALFORMED);
}

static void test_random(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    for (int i = 0; i < 2000; i++) {
        char text[HS_INVITE_URL_SIZE + 8] = "hanse:i/AQ";
        size_t len = 10 + rng_below(&rng, 180);
        for (size_t j = rng_below(&rng, 11); j < len; j++)
            text[j] = (char)(1 + rng_below(&rng, 255));
        struct hs_invite_link read;
        (void)!hs_invite_link_parse(text, &read);
    }
}

/* ROOM-21 */
static void test_signer(void **state)
{
    (void)state;
    struct hs_signer a, b;
    uint8_t seed[HS_INVITE_SEED_LEN] = {0};
    hs_invite_signer(seed, &a);
    hs_invite_signer(seed, &b);
    assert_true(hs_key_equal(&a.pub, &b.pub));
    assert_ok(hs_sign_key_check(&a.pub));
    seed[15] = 1;
    hs_invite_signer(seed, &b);
    assert_false(hs_key_equal(&a.pub, &b.pub));
    /* from HKDF-SHA256 (RFC 5869) with an empty salt and RFC 8032, computed with Python's cryptography */
    char hex[HS_HEX_SIZE(HS_KEY_LEN)];
    assert_string_equal(hs_hex(HS_VIEW(a.pub), hex),
                        "07c57d99770f648baafe71e5a3c7fa98094668c22d077017120d256249af992e");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_limit),  cmocka_unit_test(test_refused),
        cmocka_unit_test(test_mutations),  cmocka_unit_test(test_random), cmocka_unit_test(test_signer),
        cmocka_unit_test(test_content),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
