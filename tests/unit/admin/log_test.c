#include "support/test.h"

#include "admin/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int saved, reader;

/* Standard error goes into a pipe from here on. */
static void capture(void)
{
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    saved = dup(STDERR_FILENO);
    dup2(fds[1], STDERR_FILENO);
    close(fds[1]);
    reader = fds[0];
}

static const char *captured(void)
{
    static char text[8192];
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t len = read(reader, text, sizeof text - 1);
    close(reader);
    text[len > 0 ? len : 0] = '\0';
    return text;
}

static void levels_filter(void **state)
{
    (void)state;
    unsetenv("JOURNAL_STREAM");
    capture();
    hs_log_init(HS_LOG_WARN);
    hs_log(HS_LOG_INFO, "event=quiet");
    hs_log(HS_LOG_WARN, "event=loud n=%d", 5);
    const char *text = captured();
    assert_null(strstr(text, "quiet"));
    assert_non_null(strstr(text, "Z warn  event=loud n=5\n"));
    assert_null(strchr(text, '\033')); /* no terminal, no colour */
}

static void journal_needs_no_time(void **state)
{
    (void)state;
    setenv("JOURNAL_STREAM", "1:2", 1);
    capture();
    hs_log_init(HS_LOG_DEBUG);
    hs_log(HS_LOG_DEBUG, "event=x");
    assert_string_equal(captured(), "debug event=x\n");
}

/* A value can't forge a second line; a long one is cut and still ends. */
static void one_event_is_one_line(void **state)
{
    (void)state;
    char big[4000];
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    setenv("JOURNAL_STREAM", "1:2", 1);
    capture();
    hs_log_init(HS_LOG_INFO);
    hs_log(HS_LOG_INFO, "a=%s", "1\nerror event=forged\033[2J");
    hs_log(HS_LOG_INFO, "b=%s", big);
    const char *text = captured();
    assert_non_null(strstr(text, "info  a=1 error event=forged [2J\n"));
    size_t lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 2);
    assert_int_equal(text[strlen(text) - 1], '\n');
    assert_true(strlen(text) < 1200);
}

static void names(void **state)
{
    (void)state;
    assert_int_equal(hs_log_level_of("error"), HS_LOG_ERROR);
    assert_int_equal(hs_log_level_of("debug"), HS_LOG_DEBUG);
    assert_int_equal(hs_log_level_of("Debug"), -1);
    assert_int_equal(hs_log_level_of(""), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_filter),
        cmocka_unit_test(journal_needs_no_time),
        cmocka_unit_test(one_event_is_one_line),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
