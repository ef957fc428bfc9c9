/* MLS at several sizes of the group; identities of 16 bytes. */
#include "bench/mls_parts.h"

#include <stdio.h>

static void run(struct mls_world *world, size_t n)
{
    world->n = n;
    mls_measure_entry(world);
    mls_world_fill(world, n);
    mls_measure_commits(world, "", true);
    mls_measure_posts(world);
    mls_measure_newcomer(world);
    mls_measure_hub(world);
    mls_measure_store(world);
    if (n > 4 * MLS_BLANKS) {
        mls_world_thin_out(world);
        mls_measure_commits(world, "_blanks", false);
    }
    mls_world_leave(world);
}

static void run_suite(uint16_t suite_id, const size_t *sizes, size_t count)
{
    const struct hs_mls_suite *suite = hs_mls_suite_find(suite_id);
    struct mls_world world;
    if (suite == NULL) {
        fprintf(stderr, "this build has no suite %u\n", suite_id);
        return;
    }
    mls_world_init(&world, suite, sizes[count - 1]);
    for (size_t i = 0; i < count; i++)
        run(&world, sizes[i]);
    mls_world_free(&world);
}

void bench_mls(void)
{
    static const size_t sizes[] = {2, 10, 100, 500, 1000, 5000, 10000}, few[] = {10, 1000};
    run_suite(3, sizes, bench_quick ? 3 : sizeof sizes / sizeof *sizes);
    run_suite(1, few, bench_quick ? 1 : sizeof few / sizeof *few);
}
