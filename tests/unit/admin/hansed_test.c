/* The program itself: its command line, its exit codes, its life as a daemon. HANSED is its path. */
#include "support/test.h"

#include "crypto/selftest.h"
#include "identity/ticket.h"
#include "support/tmpdir.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

struct result {
    int code;
    char out[16384], err[4096];
};

static void slurp(FILE *file, char *out, size_t size)
{
    rewind(file);
    out[fread(out, 1, size - 1, file)] = '\0';
    fclose(file);
}

static pid_t start(char *const argv[], int out, int err)
{
    posix_spawn_file_actions_t actions;
    pid_t pid = -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
    assert_int_equal(posix_spawn(&pid, HANSED, &actions, NULL, argv, environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

static struct result run(char *const argv[])
{
    struct result r = {0};
    FILE *out = tmpfile(), *err = tmpfile();
    int status = 0;
    pid_t pid = start(argv, fileno(out), fileno(err));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    r.code = WEXITSTATUS(status);
    slurp(out, r.out, sizeof r.out);
    slurp(err, r.err, sizeof r.err);
    return r;
}

#define RUN(...) run((char *const[]){"hansed", __VA_ARGS__, NULL})

static char *conf(void **state)
{
    return (char *)(uintptr_t)tmpdir_path(state, "hansed.conf");
}

static void init(void **state)
{
    struct result r = RUN("init", "--domain", "rosa.example", "--dir", *state, "--listen", "127.0.0.1:0",
                          "--advertise", "127.0.0.1:7700", "--owner", "rosa");
    assert_string_equal(r.err, "");
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.out, "rosa@rosa.example"));
}

static void parse_ticket(const char *text, struct hs_arena *arena, struct hs_ticket_text *out)
{
    struct hs_time now = {(int64_t)time(NULL) * 1000};
    assert_ok(hs_ticket_text_parse(hs_bytes(text, strcspn(text, "\n")), now, arena, out));
}

static void owner_ticket_is_made(void **state)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 18);
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) parsed = {0};
    char text[8192];
    struct stat info;
    init(state);
    assert_int_equal(stat(tmpdir_path(state, "owner.ticket"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    slurp(fopen(tmpdir_path(state, "owner.ticket"), "r"), text, sizeof text);
    parse_ticket(text, &arena, &parsed);
    assert_string_equal(parsed.handle, "rosa@rosa.example");
    assert_int_equal(parsed.roles, hs_role_set(HANSE__ROLE__ROLE_OWNER));
    struct result again = RUN("init", "--domain", "rosa.example", "--dir", *state);
    assert_int_equal(again.code, 1);
    assert_non_null(strstr(again.err, "nothing was changed"));
}

/* NODE-26: exit codes mean something. */
static void exit_codes(void **state)
{
    init(state);
    struct {
        struct result r;
        int code;
        const char *says;
    } cases[] = {
        {RUN("--version"), 0, ""},
        {RUN("--help"), 0, ""},
        {RUN("init", "--help"), 0, ""},
        {RUN("ticket", "--help"), 0, ""},
        {RUN("grant", "--help"), 0, ""},
        {RUN("--config", conf(state), "--check-config"), 0, ""},
        {RUN("--config"), 2, "--config"},
        {run((char *const[]){"hansed", NULL}), 2, "--config FILE"},
        {RUN("frobnicate"), 2, "frobnicate"},
        {RUN("--config", conf(state), "extra"), 2, "extra"},
        {RUN("--config", conf(state), "--ready-fd", "x"), 2, "--ready-fd"},
        {RUN("init", "--dir", "/tmp/x"), 2, "--domain"},
        {RUN("init", "--domain", "Rosa", "--dir", "/tmp/x"), 2, "--domain"},
        {RUN("init", "--domain", "a.example", "--dir", "/tmp/x", "--owner", "A B"), 2, "--owner"},
        {RUN("init", "--domain", "a.example", "--dir", "/tmp/x", "--listen", "here"), 2, "--listen"},
        {RUN("init", "--domain", "a.example", "--dir", "/tmp/x", "--advertise", "a:0"), 2, "--advertise"},
        {RUN("init", "--domain", "a.example", "--dir", "/tmp/x", "--listen", "127.0.0.1:0"), 2,
         "--advertise"},
        {RUN("init", "--domain", "a.example", "--dir", "/nowhere/at/all"), 1, "/nowhere/at/all"},
        {RUN("ticket"), 2, "--config"},
        {RUN("ticket", "--config", conf(state), "--role", "king"), 2, "king"},
        {RUN("ticket", "--config", conf(state), "--uses", "0"), 2, "--uses"},
        {RUN("ticket", "--config", conf(state), "--uses", "1000001"), 2, "--uses"},
        {RUN("ticket", "--config", conf(state), "--role", "till", "--uses", "2"), 2, "--uses"},
        {RUN("ticket", "--config", conf(state), "--handle", "A"), 2, "--handle"},
        {RUN("ticket", "--config", "/none"), 3, "/none"},
        {RUN("grant", "--config", conf(state), "--role", "staff"), 2, "--key"},
        {RUN("renew"), 2, "--config"},
        {RUN("renew", "--config", conf(state), "--days", "x"), 2, "--days"},
        {RUN("renew", "--config", "/none"), 3, "/none"},
        {RUN("renew", "--config", conf(state), "--succeeds", "/none"), 1, "/none"}, /* NODE-97 */
        {RUN("renew", "--config", conf(state)), 0, ""},                             /* NODE-50 */
        {RUN("renew", "--config", conf(state), "--days", "7"), 0, ""},
        {RUN("grant", "--config", conf(state), "--key", "00", "--role", "staff"), 2, "--key"},
        {RUN("--config", "/none"), 3, "/none"},
        {RUN("peers", "--help"), 0, ""}, /* NODE-96 */
        {RUN("peers", "approve", "rosa.example", "--config", conf(state)), 2, "64 hex digits"},
        {RUN("peers", "refuse", "Rosa", "--config", conf(state)), 2, "which domain"},
        {RUN("peers", "refuse", "rosa.example", "00", "--config", conf(state)), 2, "64 hex digits"},
        {RUN("peers", "rosa.example", "--config", conf(state)), 2, "approve or refuse"},
        {RUN("peers", "refuse", "rosa.example", "--config", conf(state)), 1, "no node answers"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (cases[i].r.code != cases[i].code || strstr(cases[i].r.err, cases[i].says) == NULL)
            fail_msg("case %zu: exit %d, expected %d, said: %s", i, cases[i].r.code, cases[i].code,
                     cases[i].r.err);
        assert_true(cases[i].code != 0 || cases[i].r.out[0] != '\0');
        assert_true(cases[i].code == 0 || strncmp(cases[i].r.err, "hansed: ", 8) == 0);
    }
}

static void config_mistakes_have_lines(void **state)
{
    char text[4096], where[64];
    int lines = 1;
    init(state);
    slurp(fopen(conf(state), "r"), text, sizeof text);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    FILE *file = fopen(conf(state), "a");
    fputs("colour = red\n", file);
    fclose(file);
    struct result r = RUN("--config", conf(state));
    assert_int_equal(r.code, 3);
    snprintf(where, sizeof where, "hansed.conf:%d:", lines);
    assert_non_null(strstr(r.err, where));
    assert_non_null(strstr(r.err, "colour"));
}

static void tickets_and_grants(void **state)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 18);
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) a = {0}, HS_AUTO(hs_ticket_text_wipe) b = {0};
    char text[8192];
    char path[512];
    snprintf(path, sizeof path, "%s", tmpdir_path(state, "till.ticket"));
    init(state);
    struct result r = RUN("ticket", "--config", conf(state), "--uses", "5", "--days", "1");
    assert_int_equal(r.code, 0);
    parse_ticket(r.out, &arena, &a);
    assert_int_equal(a.ticket.max_uses, 5);
    assert_int_equal(a.roles, 0);
    r = RUN("ticket", "--config", conf(state), "--role", "till", "--handle", "till1", "--out", path);
    assert_int_equal(r.code, 0);
    assert_string_equal(r.out, "");
    slurp(fopen(path, "r"), text, sizeof text);
    parse_ticket(text, &arena, &b);
    assert_string_equal(b.handle, "till1@rosa.example");
    r = RUN("ticket", "--config", conf(state), "--out", path);
    assert_int_equal(r.code, 1);
    assert_non_null(strstr(r.err, "nothing was changed"));
    r = RUN("ticket", "--config", conf(state), "--role", "staff", "--handle", "anna", "--json");
    assert_int_equal(r.code, 0);
    assert_non_null(strstr(r.out, "\"handle\":\"anna@rosa.example\""));
    assert_non_null(strstr(r.out, "\"roles\":[\"staff\"]"));
    r = RUN("grant", "--config", conf(state), "--role", "merchant", "--key",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    assert_int_equal(r.code, 0);
    assert_memory_equal(r.out, "hanse:g/", 8);
}

/* NODE-25 */
static void root_key_may_be_away(void **state)
{
    init(state);
    char away[512];
    snprintf(away, sizeof away, "%s", tmpdir_path(state, "usb"));
    assert_int_equal(rename(tmpdir_path(state, "root.key"), away), 0);
    assert_int_equal(RUN("--config", conf(state), "--check-config").code, 0);
    struct result r = RUN("ticket", "--config", conf(state));
    assert_int_equal(r.code, 1);
    assert_non_null(strstr(r.err, "root.key"));
    assert_int_equal(RUN("ticket", "--config", conf(state), "--root-key", away).code, 0);
}

/* A running daemon; its ready line has come. */
struct daemon {
    pid_t pid;
    int out;
    FILE *err;
    char ready[512];
};

static struct daemon serve(void **state)
{
    struct daemon d = {.err = tmpfile()};
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    d.pid = start((char *const[]){"hansed", "--config", conf(state), NULL}, fds[1], fileno(d.err));
    close(fds[1]);
    d.out = fds[0];
    for (size_t len = 0; len == 0 || d.ready[len - 1] != '\n';) {
        ssize_t got = read(d.out, d.ready + len, sizeof d.ready - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    return d;
}

static int end(struct daemon *d, int number, char *log, size_t size)
{
    int status = 0;
    kill(d->pid, number);
    assert_int_equal(waitpid(d->pid, &status, 0), d->pid);
    close(d->out);
    slurp(d->err, log, size);
    return status;
}

static void daemon_lives_and_stops(void **state)
{
    static const int numbers[] = {SIGTERM, SIGINT};
    char log[8192];
    init(state);
    for (size_t i = 0; i < 2; i++) {
        struct daemon d = serve(state);
        assert_memory_equal(d.ready, "ready domain=rosa.example listen=127.0.0.1:", 43);
        assert_true(atoi(d.ready + 43) > 0);
        kill(d.pid, SIGHUP); /* nothing to it */
        struct result second = RUN("--config", conf(state));
        assert_int_equal(second.code, 1);
        assert_non_null(strstr(second.err, "another hansed"));
        struct timespec before, after;
        clock_gettime(CLOCK_MONOTONIC, &before);
        int status = end(&d, numbers[i], log, sizeof log);
        clock_gettime(CLOCK_MONOTONIC, &after);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        assert_true(after.tv_sec - before.tv_sec < 2);
        assert_non_null(strstr(log, "event=started"));
        assert_non_null(strstr(log, "event=stopped"));
        assert_null(strstr(log, "127.0.0.1")); /* no addresses in the log */
    }
}

/* After kill -9 the lock is free and the store opens. */
static void killed_daemon_starts_again(void **state)
{
    char log[8192];
    init(state);
    for (int i = 0; i < 3; i++) {
        struct daemon d = serve(state);
        assert_true(WIFSIGNALED(end(&d, SIGKILL, log, sizeof log)));
    }
    struct daemon d = serve(state);
    assert_true(WIFEXITED(end(&d, SIGTERM, log, sizeof log)));
}

/* NODE-27: nothing of a running daemon can be read by a debugger of the same user, and it leaves no core. */
static void memory_is_closed(void **state)
{
    char path[64], log[8192];
    init(state);
    struct daemon d = serve(state);
    struct stat info;
    snprintf(path, sizeof path, "/proc/%d/mem", d.pid);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_uid, 0); /* not dumpable: its files in /proc are root's */
    snprintf(path, sizeof path, "/proc/%d/limits", d.pid);
    slurp(fopen(path, "r"), log, sizeof log);
    char *core = strstr(log, "Max core file size");
    assert_non_null(core);
    assert_int_equal(strtoul(core + 18, NULL, 10), 0);
    end(&d, SIGTERM, log, sizeof log);
}

static void ready_fd_is_told(void **state)
{
    char line[512] = "";
    int fds[2], status;
    init(state);
    assert_int_equal(pipe(fds), 0);
    char number[16];
    snprintf(number, sizeof number, "%d", fds[1]);
    FILE *out = tmpfile();
    pid_t pid = start((char *const[]){"hansed", "--config", conf(state), "--ready-fd", number, NULL},
                      fileno(out), fileno(out));
    close(fds[1]);
    assert_true(read(fds[0], line, sizeof line - 1) > 0);
    assert_memory_equal(line, "ready ", 6);
    assert_int_equal(read(fds[0], line, sizeof line), 0); /* closed afterwards */
    kill(pid, SIGTERM);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(fds[0]);
    fclose(out);
}

/* NODE-56: a running node is asked by the commands; where none runs they say what to do. */
static void running_node_is_asked(void **state)
{
    static const char *const commands[] = {"status", "peers", "rooms"};
    static const char *const said[] = {"rosa.example, hansed ", "no other node yet", "no rooms here yet"};
    char log[8192];
    init(state);
    for (size_t i = 0; i < 3; i++) {
        struct result r = RUN((char *)(uintptr_t)commands[i], "--config", conf(state));
        assert_int_equal(r.code, 1);
        assert_non_null(strstr(r.err, "is it running? Start it with: hansed --config "));
        assert_string_equal(r.out, "");
    }
    struct daemon d = serve(state);
    for (size_t i = 0; i < 3; i++) {
        struct result r = RUN((char *)(uintptr_t)commands[i], "--config", conf(state));
        assert_string_equal(r.err, "");
        assert_int_equal(r.code, 0);
        assert_non_null(strstr(r.out, said[i]));
        r = RUN((char *)(uintptr_t)commands[i], "--config", conf(state), "--json");
        assert_int_equal(r.code, 0);
        assert_int_equal(r.out[0], '{');
        assert_non_null(strstr(r.out, "\"ok\":true"));
    }
    assert_int_equal(RUN("rooms", "zz", "--config", conf(state)).code, 2);
    assert_int_equal(RUN("rooms", "ab", "cd", "--config", conf(state)).code, 2);
    assert_int_equal(RUN("rooms", "abc", "--config", conf(state)).code, 1); /* there is none */
    assert_int_equal(RUN("status").code, 2);
    static const char *const named[] = {"init",  "ticket", "grant",  "status",  "peers",
                                        "rooms", "reload", "backup", "restore", "check"};
    struct result help = RUN("--help");
    assert_int_equal(help.code, 0);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++) {
        char line[32];
        snprintf(line, sizeof line, "\n  hansed %s ", named[i]);
        assert_non_null(strstr(help.out, line));
        assert_int_equal(RUN((char *)(uintptr_t)named[i], "--help").code, 0);
    }
    assert_int_equal(RUN("status", "--help").code, 0);
    end(&d, SIGTERM, log, sizeof log);
}

/* NODE-23 */
static void readable_keys_are_refused(void **state)
{
    init(state);
    assert_int_equal(chmod(tmpdir_path(state, "transport.key"), 0640), 0);
    struct result r = RUN("--config", conf(state));
    assert_int_equal(r.code, 1);
    assert_non_null(strstr(r.err, "transport.key"));
    assert_non_null(strstr(r.err, "chmod 600"));
}

int main(void)
{
    if (hs_crypto_init() != HS_OK)
        return 1;
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
        TEST(owner_ticket_is_made),       TEST(exit_codes),
        TEST(config_mistakes_have_lines), TEST(tickets_and_grants),
        TEST(root_key_may_be_away),       TEST(daemon_lives_and_stops),
        TEST(killed_daemon_starts_again), TEST(memory_is_closed),
        TEST(ready_fd_is_told),           TEST(readable_keys_are_refused),
        TEST(running_node_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
