/* What may be asked of others' servers, and where. */
#include "support/test.h"

#include "core/federation/url.h"
#include "discover/discover.h"
#include "discover/request.h"
#include "net/address.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FED-34 */
static void urls(void **state)
{
    (void)state;
    static const char *const good[] = {"https://a.example/", "https://a.example:8443/push?id=1&x=%20#f",
                                       "https://[::1]/"};
    static const char *const bad[] = {"",
                                      "https://",
                                      "https:///x",
                                      "http://a.example/",
                                      "ftp://a.example/",
                                      "file:///etc/passwd",
                                      "https://user@a.example/",
                                      "https://a.example/ x",
                                      "https://a.example/\nX: y",
                                      "HTTPS://a.example/",
                                      "https://a\\b/",
                                      "https://:80/",
                                      "gopher://a",
                                      "https://a.example/\xc3\xa4"};
    char longest[HS_URL_MAX + 2] = "https://a.example/";
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(hs_url_is_valid(hs_bytes_str(good[i]), false));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (hs_url_is_valid(hs_bytes_str(bad[i]), false))
            fail_msg("%s", bad[i]);
    assert_true(hs_url_is_valid(hs_bytes_str("http://a.example/"), true));
    memset(longest + strlen(longest), 'x', sizeof longest - 1 - strlen(longest));
    assert_false(hs_url_is_valid(hs_bytes(longest, HS_URL_MAX + 1), false));
    assert_true(hs_url_is_valid(hs_bytes(longest, HS_URL_MAX), false));
}

/* FED-34 */
static void templates(void **state)
{
    (void)state;
    assert_true(hs_discover_url_is_valid(HS_WELL_KNOWN_URL));
    assert_true(hs_discover_url_is_valid("http://127.0.0.1:7780/of/%s"));
    assert_false(hs_discover_url_is_valid("https://a.example/"));
    assert_false(hs_discover_url_is_valid("https://%s/%s"));
    assert_false(hs_discover_url_is_valid("https://%s/%d"));
    assert_false(hs_discover_url_is_valid("ftp://%s/"));
    assert_false(hs_discover_url_is_valid("%s"));
}

/* NODE-47: addresses of which a stranger's word is no reason to connect. */
static void public_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        bool public, inside;
    } cases[] = {
        {"127.0.0.1:1", false, true},
        {"127.255.255.255:1", false, true},
        {"0.0.0.0:1", false, false},
        {"10.0.0.1:1", false, true},
        {"11.0.0.1:1", true, false},
        {"100.63.255.255:1", true, false},
        {"100.64.0.0:1", false, true},
        {"100.127.255.255:1", false, true},
        {"100.128.0.0:1", true, false},
        {"169.253.255.255:1", true, false},
        {"169.254.169.254:1", false, true},
        {"172.15.255.255:1", true, false},
        {"172.16.0.1:1", false, true},
        {"172.31.255.255:1", false, true},
        {"172.32.0.0:1", true, false},
        {"192.0.0.1:1", false, true},
        {"192.0.1.1:1", true, false},
        {"192.0.2.1:1", false, true},
        {"192.167.255.255:1", true, false},
        {"192.168.0.1:1", false, true},
        {"198.17.255.255:1", true, false},
        {"198.18.0.0:1", false, true},
        {"198.19.255.255:1", false, true},
        {"198.20.0.0:1", true, false},
        {"198.51.100.7:1", false, true},
        {"203.0.113.7:1", false, true},
        {"223.255.255.255:1", true, false},
        {"224.0.0.1:1", false, true},
        {"255.255.255.255:1", false, true},
        {"8.8.8.8:1", true, false},
        {"[::1]:1", false, true},
        {"[::]:1", false, false},
        {"[fe80::1]:1", false, true},
        {"[fc00::1]:1", false, true},
        {"[fdff::1]:1", false, true},
        {"[ff02::1]:1", false, true},
        {"[::ffff:127.0.0.1]:1", false, true},
        {"[::ffff:8.8.8.8]:1", true, false},
        {"[64:ff9b::a00:1]:1", false, true},
        {"[64:ff9b::808:808]:1", true, false},
        {"[2002:7f00:1::]:1", false, true},
        {"[2002:808:808::]:1", true, false},
        {"[2001:db8::1]:1", false, true},
        {"[2001::1]:1", false, true},
        {"[2001:200::1]:1", true, false},
        {"[2606:4700::1111]:1", true, false},
        {"[3fff:ffff::1]:1", true, false},
        {"[4000::1]:1", false, true},
        {"[::127.0.0.1]:1", false, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sockaddr_storage address;
        assert_ok(hs_address_parse(cases[i].address, &address));
        if (hs_address_is_public((const struct sockaddr *)&address) != cases[i].public ||
            hs_address_is_inside((const struct sockaddr *)&address) != cases[i].inside)
            fail_msg("%s", cases[i].address);
    }
}

static void woken(void *arg)
{
    sem_post(arg);
}

/* NODE-48: HS_DISCOVER_QUEUE questions and one more; all come back, and none is asked at a private address.
 */
static void the_queue_is_bounded(void **state)
{
    (void)state;
    struct hs_discover *d;
    struct hs_discovered found;
    struct hs_key root = {{1}};
    struct hs_discover_config config = {.url = "http://127.0.0.1:9/%s", .dns = "127.0.0.1:9", .wake = woken};
    size_t asked = 0;
    sem_t there;
    enum hs_err err;
    sem_init(&there, 0, 0);
    config.arg = &there;
    assert_ok(hs_discover_new(&config, &d));
    assert_err(hs_discover_ask(d, &root, "Not A Domain"), HS_ERR_INVALID_ARG);
    while ((err = hs_discover_ask(d, &root, "a.example")) == HS_OK)
        assert_in_range(++asked, 1, HS_DISCOVER_QUEUE); /* until they are taken they count */
    assert_err(err, HS_ERR_BUSY);
    assert_int_equal(asked, HS_DISCOVER_QUEUE);
    sem_wait(&there);
    assert_true(hs_discover_take(d, &found));
    assert_err(found.fetched, HS_ERR_DENIED);
    assert_string_equal(found.domain, "a.example");
    assert_ok(hs_discover_ask(d, &root, "b.example"));
    hs_discover_free(d); /* with the rest under way */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(templates),
        cmocka_unit_test(public_addresses),
        cmocka_unit_test(the_queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
