/* The public group, which a hub keeps: made from a GroupInfo, following an empty commit in a full tree. */
#include "bench/mls_parts.h"

static struct series series;

static struct hs_mls_public *measure_new(const struct mls_world *world, struct hs_bytes info)
{
    struct mls_shape shape = mls_shape_of(world, mls_role(world, MLS_COMMITTER)->group, world->n, true);
    struct hs_mls_public *pub = NULL;
    const size_t before = bench_heap();
    shape.info = info.len;
    struct floor floor = mls_floor_tree(&shape);
    series_start(&series, &floor);
    do {
        hs_mls_public_free_at(&pub);
        double start = bench_now_ns();
        FUZZ_OK(hs_mls_public_new(info, (struct hs_bytes){0}, &pub));
        series_add(&series, start);
    } while (series_more(&series));
    mls_report(&series, world, "mls_public_new", info.len);
    mls_count(world, "mls_public_memory", bench_heap() - before, 0);
    return pub;
}

static void measure_process(struct mls_world *world, struct hs_mls_public *pub)
{
    struct hs_mls_group *by = mls_role(world, MLS_COMMITTER)->group;
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    struct mls_shape shape = mls_shape_of(world, by, world->n, true);
    for (bool first = true; first || series_more(&series); first = false) {
        mls_group_turn(by, &commit);
        mls_world_follow(world, &commit);
        if (first) {
            mls_shape_commit(&shape, hs_writer_bytes(&commit));
            struct floor floor = mls_floor_public(&shape);
            series_start(&series, &floor);
        }
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        double start = bench_now_ns();
        FUZZ_OK(hs_mls_public_process(pub, hs_writer_bytes(&commit), &event));
        FUZZ_OK(hs_mls_public_merge(pub, event->staged));
        series_add(&series, start);
    }
    mls_report(&series, world, "mls_public_process", commit.len);
}

void mls_measure_hub(struct mls_world *world)
{
    struct hs_writer HS_WRITER info = hs_writer(MLS_CAP);
    FUZZ_OK(hs_mls_group_info(mls_role(world, MLS_COMMITTER)->group, true, &info));
    struct hs_mls_public HS_MLS_PUBLIC *pub = measure_new(world, hs_writer_bytes(&info));
    measure_process(world, pub);
}
