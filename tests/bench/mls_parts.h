/* What is measured of MLS, in parts. Each works on world->n members. */
#ifndef TESTS_BENCH_MLS_PARTS_H
#define TESTS_BENCH_MLS_PARTS_H

#include "bench/mls_floor.h"
#include "bench/series.h"

/* Creating by adding all, joining; then commits in that tree, in which all parents are blank. Leaves no group
 * behind. */
void mls_measure_entry(struct mls_world *world);

/* Commits and following them, where the people in a role have their groups. suffix: of the names. full: no
 * parent is blank. */
void mls_measure_commits(struct mls_world *world, const char *suffix, bool full);

/* In a full tree: one more joins by Welcome or by itself; what a member weighs. */
void mls_measure_newcomer(struct mls_world *world);

/* The public group of a hub; everybody in a role follows. */
void mls_measure_hub(struct mls_world *world);

void mls_measure_posts(struct mls_world *world);

/* What is written and read (store.h). */
void mls_measure_store(struct mls_world *world);

/* Takes ten members out, and everybody in a role follows. */
enum { MLS_BLANKS = 10 };
void mls_world_thin_out(struct mls_world *world);

static inline void mls_count(const struct mls_world *world, const char *name, size_t bytes, size_t records)
{
    const struct series_facts facts = {name, world->suite, world->n, bytes, records};
    series_report_count(&facts);
}

static inline void mls_report(struct series *s, const struct mls_world *world, const char *name, size_t bytes)
{
    const struct series_facts facts = {name, world->suite, world->n, bytes, 0};
    series_report(s, &facts);
}

#endif
