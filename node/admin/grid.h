/* Tables and figures for people: aligned columns, colours on a terminal only, nothing from outside that could
 * move the cursor. */
#ifndef HS_ADMIN_GRID_H
#define HS_ADMIN_GRID_H

#include "base/bytes.h"

#include <stdio.h>

enum { HS_GRID_COLUMNS = 12, HS_GRID_ROWS = 100000, HS_GRID_TEXT = 64 };

enum hs_colour { HS_PLAIN, HS_GOOD, HS_BAD, HS_FAINT };

struct hs_grid;

/* Column titles, each with its side: "<state" is aligned left, ">outbox" right. NULL without memory. */
struct hs_grid *hs_grid_new(size_t columns, const char *const titles[]);
void hs_grid_free(struct hs_grid *grid);

/* The next cell, row by row; longer texts are cut with an ellipsis. Without memory the grid stays shorter. */
__attribute__((format(printf, 3, 4))) void hs_grid_add(struct hs_grid *grid, enum hs_colour colour,
                                                       const char *format, ...);

/* Two blanks between columns, none at the end. */
void hs_grid_print(const struct hs_grid *grid, FILE *out);

/* True where colours are wanted there: a terminal, and NO_COLOR isn't set. */
bool hs_is_coloured(FILE *out);
const char *hs_colour_on(FILE *out, enum hs_colour colour);
const char *hs_colour_off(FILE *out);

/* Short texts for figures, in a buffer of 32 bytes, which they return: "1.4 GiB", "3 d 4 h", "12.5", "2 min
 * ago" or "in 4 s", "-" for none. */
struct hs_figure {
    char text[32];
};
struct hs_figure hs_figure_bytes(double bytes);
struct hs_figure hs_figure_span(int64_t ms);
struct hs_figure hs_figure_rate(double rate);
struct hs_figure hs_figure_when(int64_t ms, struct hs_time now);

#endif
