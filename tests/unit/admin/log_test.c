#include "support/test.h"

#include "admin/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    hs_log_init(HS_LOG_WARN, HS_LOG_TEXT);
    hs_log(HS_LOG_INFO, "event=quiet");
    hs_log(HS_LOG_WARN, "event=loud n=%d", 5);
    const char *text = captured();
    assert_null(strstr(text, "quiet"));
    assert_non_null(strstr(text, "Z warn  event=loud n=5\n"));
    assert_null(strchr(text, '\033')); /* no terminal, no colour */
}

/* Standard error is the journal's stream from here on. */
static void capture_journal(void)
{
    struct stat info;
    char stream[64];
    capture();
    assert_int_equal(fstat(STDERR_FILENO, &info), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)info.st_dev,
             (unsigned long long)info.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
}

/* NODE-60: the journal has times of its own, and is told the priority. */
static void journal_is_told_priorities(void **state)
{
    (void)state;
    capture_journal();
    hs_log_init(HS_LOG_DEBUG, HS_LOG_TEXT);
    hs_log(HS_LOG_ERROR, "event=a");
    hs_log(HS_LOG_WARN, "event=b");
    hs_log(HS_LOG_INFO, "event=c");
    hs_log(HS_LOG_DEBUG, "event=d");
    assert_string_equal(captured(), "<3>event=a\n<4>event=b\n<6>event=c\n<7>event=d\n");
    setenv("JOURNAL_STREAM", "1:2", 1); /* inherited from somebody else's */
    capture();
    hs_log_init(HS_LOG_DEBUG, HS_LOG_TEXT);
    hs_log(HS_LOG_INFO, "event=e");
    assert_non_null(strstr(captured(), "Z info  event=e\n"));
}

/* A value can't forge a second line; a long one is cut and still ends. */
static void one_event_is_one_line(void **state)
{
    (void)state;
    for (int format = HS_LOG_TEXT; format <= HS_LOG_JSON; format++) {
        char big[4000];
        memset(big, 'x', sizeof big - 1);
        big[sizeof big - 1] = '\0';
        unsetenv("JOURNAL_STREAM");
        capture();
        hs_log_init(HS_LOG_INFO, (enum hs_log_format)format);
        hs_log(HS_LOG_INFO, "a=%s", "1\nerror event=forged\033[2J");
        hs_log(HS_LOG_INFO, "b=%s", big);
        const char *text = captured();
        if (format == HS_LOG_TEXT)
            assert_non_null(strstr(text, "info  a=1 error event=forged [2J\n"));
        size_t lines = 0;
        for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
            lines++;
        assert_int_equal(lines, 2);
        assert_int_equal(text[strlen(text) - 1], '\n');
        assert_true(strlen(text) < 1200);
        assert_null(strchr(text, '\033'));
    }
}

/* NODE-60: the same pairs as JSON. */
static void pairs_become_json(void **state)
{
    static const struct {
        const char *text, *json;
    } rows[] = {
        {"event=stats n=5", "\"event\":\"stats\",\"n\":5"},
        {"event=x text=\"two words\" b=c", "\"event\":\"x\",\"text\":\"two words\",\"b\":\"c\""},
        {"a=007 b= c=-1", "\"a\":\"007\",\"b\":\"\",\"c\":\"-1\""},
        {"a=\"never closed", "\"a\":\"never closed\""},
        {"event=x no pair here", "\"event\":\"x\",\"text\":\"no pair here\""},
        {"a=b\"c\\d", "\"a\":\"b\\\"c\\\\d\""},
        {"a=\xff\x80", "\"a\":\"??\""},
        {"", ""},
        {"=", "\"text\":\"=\""},
    };
    char out[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len = hs_log_pairs_to_json(rows[i].text, out, sizeof out);
        out[len] = '\0';
        assert_string_equal(out, rows[i].json);
    }
    size_t len = hs_log_pairs_to_json("a=1 bcd=2", out, 12); /* the second pair doesn't fit */
    out[len] = '\0';
    assert_string_equal(out, "\"a\":1");
    unsetenv("JOURNAL_STREAM");
    capture();
    hs_log_init(HS_LOG_INFO, HS_LOG_JSON);
    hs_log(HS_LOG_WARN, "event=x n=%d", 1);
    const char *text = captured();
    assert_memory_equal(text, "{\"time\":\"2", 10);
    assert_non_null(strstr(text, "Z\",\"level\":\"warn\",\"event\":\"x\",\"n\":1}\n"));
}

static void names(void **state)
{
    (void)state;
    assert_int_equal(hs_log_level_of("error"), HS_LOG_ERROR);
    assert_int_equal(hs_log_level_of("debug"), HS_LOG_DEBUG);
    assert_int_equal(hs_log_level_of("Debug"), -1);
    assert_int_equal(hs_log_level_of(""), -1);
    assert_int_equal(hs_log_format_of("json"), HS_LOG_JSON);
    assert_int_equal(hs_log_format_of("xml"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_filter),
        cmocka_unit_test(journal_is_told_priorities),
        cmocka_unit_test(one_event_is_one_line),
        cmocka_unit_test(pairs_become_json),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
