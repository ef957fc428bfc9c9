/* Wakes on their way: bounded, and never to where they mustn't go. */
#include "support/test.h"

#include "discover/wake.h"

#include <arpa/inet.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void woken(void *arg)
{
    sem_post(arg);
}

/* DELIVERY-49 */
static void private_addresses_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "http://127.0.0.1:9/",          "http://[::1]:9/",      "http://localhost:9/", "http://10.0.0.1/",
        "http://[::ffff:127.0.0.1]:9/", "http://2130706433:9/", "http://0x7f.1:9/"};
    struct hs_wake_post *p;
    struct hs_woken found;
    struct hs_key device = {{7}};
    sem_t there;
    sem_init(&there, 0, 0);
    struct hs_wake_config config = {.http = true, .wake = woken, .arg = &there};
    assert_ok(hs_wake_post_new(&config, &p));
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        assert_ok(hs_wake_post_start(p, &device, urls[i]));
        sem_wait(&there);
        assert_true(hs_wake_post_take(p, &found));
        if (found.err != HS_ERR_DENIED || found.status != 0)
            fail_msg("%s: %s", urls[i], hs_err_name(found.err));
        assert_memory_equal(&found.device, &device, sizeof device);
    }
    assert_err(hs_wake_post_start(p, &device, "ftp://a.example/"), HS_ERR_INVALID_ARG);
    assert_false(hs_wake_post_take(p, &found));
    hs_wake_post_free(p);
}

/* DELIVERY-48: HS_WAKE_QUEUE of them and one more, to somebody who takes the connection and says nothing. */
static void the_queue_is_bounded(void **state)
{
    (void)state;
    struct hs_wake_post *p;
    struct hs_key device = {{7}};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    char url[64];
    sem_t there;
    sem_init(&there, 0, 0);
    int silent = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(silent, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(silent, 64), 0);
    assert_int_equal(getsockname(silent, (struct sockaddr *)&address, &len), 0);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", ntohs(address.sin_port));
    struct hs_wake_config config = {.http = true, .private_too = true, .wake = woken, .arg = &there};
    assert_ok(hs_wake_post_new(&config, &p));
    for (size_t i = 0; i < HS_WAKE_QUEUE; i++)
        assert_ok(hs_wake_post_start(p, &device, url));
    assert_err(hs_wake_post_start(p, &device, url), HS_ERR_BUSY);
    hs_wake_post_free(p); /* with all of it under way, and without waiting for it */
    close(silent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(private_addresses_are_refused),
        cmocka_unit_test(the_queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
