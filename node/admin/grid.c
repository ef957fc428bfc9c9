#include "admin/grid.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

struct cell {
    char text[HS_GRID_TEXT];
    size_t width;
    enum hs_colour colour;
};

struct hs_grid {
    size_t columns, len, size;
    struct cell titles[HS_GRID_COLUMNS];
    bool right[HS_GRID_COLUMNS];
    struct cell *cells;
};

/* Code points, of which each is taken for one column wide. */
static size_t text_width(const char *text)
{
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += (*text & 0xc0) != 0x80;
    return width;
}

/* A name may hold what moves a terminal's cursor or turns its writing round: C0, DEL, C1 (as UTF-8), and the
 * marks of direction. */
static void make_harmless(char *text)
{
    unsigned char *t = (unsigned char *)text;
    for (; *t != '\0'; t++) {
        bool c1 = t[0] == 0xc2 && t[1] >= 0x80 && t[1] < 0xa0;
        bool direction =
            t[0] == 0xe2 &&
            ((t[1] == 0x80 && ((t[2] >= 0xaa && t[2] <= 0xae) || t[2] == 0x8e || t[2] == 0x8f)) ||
             (t[1] == 0x81 && t[2] >= 0xa6 && t[2] <= 0xa9));
        size_t len = direction ? 3 : c1 ? 2 : t[0] < ' ' || t[0] == 0x7f ? 1 : 0;
        if (len > 0)
            memset(t, '?', len);
    }
}

/* Cut at the end of a code point. */
static void cut(char *text, size_t most)
{
    static const char ellipsis[] = "…";
    size_t end = most - sizeof ellipsis;
    while (end > 0 && (text[end] & 0xc0) == 0x80)
        end--;
    memcpy(text + end, ellipsis, sizeof ellipsis);
}

__attribute__((format(printf, 3, 0))) static void set_cell(struct cell *cell, enum hs_colour colour,
                                                           const char *format, va_list args)
{
    int wanted = vsnprintf(cell->text, sizeof cell->text, format, args);
    if (wanted >= (int)sizeof cell->text)
        cut(cell->text, sizeof cell->text);
    make_harmless(cell->text);
    cell->width = text_width(cell->text);
    cell->colour = colour;
}

struct hs_grid *hs_grid_new(size_t columns, const char *const titles[])
{
    HS_ASSERT(columns > 0 && columns <= HS_GRID_COLUMNS);
    struct hs_grid *grid = calloc(1, sizeof *grid);
    if (grid == NULL)
        return NULL;
    grid->columns = columns;
    for (size_t i = 0; i < columns; i++) {
        grid->right[i] = titles[i][0] == '>';
        snprintf(grid->titles[i].text, sizeof grid->titles[i].text, "%s", titles[i] + 1);
        grid->titles[i].width = text_width(grid->titles[i].text);
    }
    return grid;
}

void hs_grid_free(struct hs_grid *grid)
{
    if (grid != NULL)
        free(grid->cells);
    free(grid);
}

void hs_grid_add(struct hs_grid *grid, enum hs_colour colour, const char *format, ...)
{
    if (grid->len == grid->size) {
        size_t size = grid->size > 0 ? 2 * grid->size : 16 * grid->columns;
        struct cell *grown = grid->len < (size_t)HS_GRID_ROWS * grid->columns
                                 ? realloc(grid->cells, size * sizeof *grown)
                                 : NULL;
        if (grown == NULL)
            return;
        grid->cells = grown;
        grid->size = size;
    }
    va_list args;
    va_start(args, format);
    set_cell(&grid->cells[grid->len++], colour, format, args);
    va_end(args);
}

bool hs_is_coloured(FILE *out)
{
    return isatty(fileno(out)) == 1 && getenv("NO_COLOR") == NULL;
}

const char *hs_colour_on(FILE *out, enum hs_colour colour)
{
    static const char *const codes[] = {
        [HS_PLAIN] = "", [HS_GOOD] = "\033[32m", [HS_BAD] = "\033[31m", [HS_FAINT] = "\033[2m"};
    return hs_is_coloured(out) ? codes[colour] : "";
}

const char *hs_colour_off(FILE *out)
{
    return hs_is_coloured(out) ? "\033[0m" : "";
}

static void print_row(const struct hs_grid *grid, const struct cell *cells, const size_t *widths, FILE *out)
{
    for (size_t i = 0; i < grid->columns; i++) {
        const struct cell *cell = &cells[i];
        int pad = (int)(widths[i] - cell->width);
        bool last = i + 1 == grid->columns;
        fprintf(out, "%*s%s%s%s", grid->right[i] ? pad : 0, "", hs_colour_on(out, cell->colour), cell->text,
                cell->colour != HS_PLAIN ? hs_colour_off(out) : "");
        fprintf(out, "%*s%s", grid->right[i] || last ? 0 : pad, "", last ? "\n" : "  ");
    }
}

void hs_grid_print(const struct hs_grid *grid, FILE *out)
{
    size_t widths[HS_GRID_COLUMNS];
    struct cell titles[HS_GRID_COLUMNS];
    size_t whole = grid->len / grid->columns * grid->columns;
    for (size_t i = 0; i < grid->columns; i++) {
        widths[i] = grid->titles[i].width;
        titles[i] = grid->titles[i];
        titles[i].colour = HS_FAINT;
    }
    for (size_t i = 0; i < whole; i++)
        if (grid->cells[i].width > widths[i % grid->columns])
            widths[i % grid->columns] = grid->cells[i].width;
    print_row(grid, titles, widths, out);
    for (size_t i = 0; i < whole; i += grid->columns)
        print_row(grid, grid->cells + i, widths, out);
}

__attribute__((format(printf, 1, 2))) static struct hs_figure figure(const char *format, ...)
{
    struct hs_figure f;
    va_list args;
    va_start(args, format);
    vsnprintf(f.text, sizeof f.text, format, args);
    va_end(args);
    return f;
}

struct hs_figure hs_figure_bytes(double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 1023.5 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    return figure(unit == 0 || bytes >= 99.95 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

struct hs_figure hs_figure_span(int64_t ms)
{
    int64_t s = ms / 1000;
    if (s < 60)
        return figure("%lld s", (long long)s);
    if (s < 60 * 60)
        return figure("%lld min", (long long)(s / 60));
    if (s < 24 * 60 * 60)
        return figure("%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
    return figure("%lld d %lld h", (long long)(s / 86400), (long long)(s / 3600 % 24));
}

struct hs_figure hs_figure_rate(double rate)
{
    return figure(rate > 0 && rate < 99.95 ? "%.1f" : "%.0f", rate);
}

struct hs_figure hs_figure_when(int64_t ms, struct hs_time now)
{
    if (ms == 0)
        return figure("-");
    struct hs_figure span = hs_figure_span(ms > now.ms ? ms - now.ms + 999 : now.ms - ms);
    return ms > now.ms ? figure("in %.20s", span.text) : figure("%.20s ago", span.text);
}
