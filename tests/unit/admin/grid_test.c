/* Tables and figures for people. NODE-56 */
#include "support/test.h"

#include "admin/grid.h"

#include <stdlib.h>

static char *printed(const struct hs_grid *grid)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = tmpfile();
    hs_grid_print(grid, file);
    len = (size_t)ftell(file);
    rewind(file);
    text = calloc(1, len + 1);
    assert_int_equal(fread(text, 1, len, file), len);
    fclose(file);
    return text;
}

static void columns_are_aligned(void **state)
{
    (void)state;
    struct hs_grid *grid = hs_grid_new(3, (const char *const[]){"<NAME", ">COUNT", "<LAST"});
    hs_grid_add(grid, HS_GOOD, "Grüße");
    hs_grid_add(grid, HS_PLAIN, "%d", 7);
    hs_grid_add(grid, HS_BAD, "x");
    hs_grid_add(grid, HS_PLAIN, "a");
    hs_grid_add(grid, HS_PLAIN, "%d", 1234567);
    hs_grid_add(grid, HS_PLAIN, "%s", "");
    hs_grid_add(grid, HS_PLAIN, "half a row isn't shown");
    char *text = printed(grid);
    assert_string_equal(text, "NAME     COUNT  LAST\n"
                              "Grüße        7  x\n"
                              "a      1234567  \n");
    free(text);
    hs_grid_free(grid);
}

/* What a name may not do to a terminal; a long one is cut between two letters. */
static void names_do_no_harm(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\033[2Jgone", "?[2Jgone"},
        {"a\nb\tc\x7f", "a?b?c?"},
        {"\xc2\x9b"
         "2J",
         "??2J"},
        {"\xe2\x80\xae"
         "evil",
         "???evil"},
        {"\xe2\x81\xa6"
         "x",
         "???x"},
        {"fine — “quotes”", "fine — “quotes”"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct hs_grid *grid = hs_grid_new(1, (const char *const[]){"<"});
        hs_grid_add(grid, HS_PLAIN, "%s", rows[i][0]);
        char *text = printed(grid);
        assert_memory_equal(text, "\n", 1);
        assert_int_equal(strlen(text), strlen(rows[i][1]) + 2);
        assert_memory_equal(text + 1, rows[i][1], strlen(rows[i][1]));
        free(text);
        hs_grid_free(grid);
    }
    struct hs_grid *grid = hs_grid_new(1, (const char *const[]){"<"});
    hs_grid_add(grid, HS_PLAIN, "%s", "ääääääääääääääääääääääääääääääääääääääää"); /* 80 bytes */
    char *text = printed(grid);
    assert_int_equal(strlen(text) - 2, HS_GRID_TEXT - 1 - (HS_GRID_TEXT - 4) % 2);
    assert_non_null(strstr(text, "ä…\n"));
    free(text);
    hs_grid_free(grid);
}

static void figures_are_short(void **state)
{
    (void)state;
    const struct hs_time now = {1800000000000};
    assert_string_equal(hs_figure_bytes(0).text, "0 B");
    assert_string_equal(hs_figure_bytes(1023).text, "1023 B");
    assert_string_equal(hs_figure_bytes(1024).text, "1.0 KiB");
    assert_string_equal(hs_figure_bytes(102400).text, "100 KiB");
    assert_string_equal(hs_figure_bytes(64.0 * 1024 * 1024 * 1024).text, "64.0 GiB");
    assert_string_equal(hs_figure_span(59999).text, "59 s");
    assert_string_equal(hs_figure_span(60000).text, "1 min");
    assert_string_equal(hs_figure_span(3600000).text, "1 h 0 min");
    assert_string_equal(hs_figure_span(90000000).text, "1 d 1 h");
    assert_string_equal(hs_figure_rate(0).text, "0");
    assert_string_equal(hs_figure_rate(12.345).text, "12.3");
    assert_string_equal(hs_figure_rate(12345.6).text, "12346");
    assert_string_equal(hs_figure_when(0, now).text, "-");
    assert_string_equal(hs_figure_when(now.ms - 61000, now).text, "1 min ago");
    assert_string_equal(hs_figure_when(now.ms + 200, now).text, "in 1 s");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned),
        cmocka_unit_test(names_do_no_harm),
        cmocka_unit_test(figures_are_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
