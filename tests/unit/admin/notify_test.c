/* What a service manager is told. NODE-62 */
#include "support/test.h"

#include "admin/notify.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void states_arrive(void **state)
{
    (void)state;
    for (int abstract = 0; abstract < 2; abstract++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        char name[sizeof address.sun_path], got[64] = "";
        snprintf(name, sizeof name, "%s/hanse-notify-%d", abstract ? "@" : "/tmp", getpid());
        size_t len = strlen(name);
        memcpy(address.sun_path, name, len);
        if (abstract)
            address.sun_path[0] = '\0';
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        assert_int_equal(
            bind(fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)),
            0);
        setenv("NOTIFY_SOCKET", name, 1);
        hs_notify_tell("READY=1\nSTATUS=x");
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, 10000), 1);
        assert_int_equal(read(fd, got, sizeof got - 1), 16);
        assert_string_equal(got, "READY=1\nSTATUS=x");
        close(fd);
        if (!abstract)
            unlink(name);
    }
    static const char *const odd[] = {"", "/", "relative", "/nobody/listens/here"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        setenv("NOTIFY_SOCKET", odd[i], 1);
        hs_notify_tell("READY=1");
    }
    unsetenv("NOTIFY_SOCKET");
    hs_notify_tell("READY=1");
}

static void intervals_are_halves(void **state)
{
    (void)state;
    assert_int_equal(hs_notify_interval(NULL, "30000000", 7), 15000);
    assert_int_equal(hs_notify_interval("7", "30000000", 7), 15000);
    assert_int_equal(hs_notify_interval("8", "30000000", 7), 0); /* somebody else's watchdog */
    assert_int_equal(hs_notify_interval(NULL, NULL, 7), 0);
    assert_int_equal(hs_notify_interval(NULL, "", 7), 0);
    assert_int_equal(hs_notify_interval(NULL, "nonsense", 7), 0);
}

/* A commit thread that stands still isn't vouched for. */
static void only_progress_pings(void **state)
{
    (void)state;
    struct hs_notify notify = {0};
    assert_false(hs_notify_progress(&notify, 0));
    assert_true(hs_notify_progress(&notify, 1));
    assert_false(hs_notify_progress(&notify, 1));
    assert_true(hs_notify_progress(&notify, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_arrive),
        cmocka_unit_test(intervals_are_halves),
        cmocka_unit_test(only_progress_pings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
