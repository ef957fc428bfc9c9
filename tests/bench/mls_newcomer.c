/* One more member of a full tree: added, or by itself; and what it weighs. */
#include "bench/mls_parts.h"

static struct series series;

/* Adds the newcomer with a path, and forgets the commit: the Welcome stays. */
static void invite(const struct mls_world *world, struct hs_writer *commit, struct hs_writer *welcome)
{
    struct hs_mls_group *by = mls_role(world, MLS_COMMITTER)->group;
    struct hs_bytes add = hs_writer_bytes(&mls_world_newcomer(world)->key_package);
    struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .tree_in_welcome = true, .force_path = true};
    struct hs_mls_commit_result result = {.commit = commit, .welcome = welcome};
    FUZZ_OK(hs_mls_group_commit(by, &request, &result));
    hs_mls_group_drop(by);
}

/* The newcomer is at the right end: its way meets the committer's at the root. */
static void measure_join(const struct mls_world *world, const struct mls_shape *shape,
                         struct hs_bytes welcome)
{
    struct floor floor = mls_floor_join(shape, 1);
    series_start(&series, &floor);
    while (series_more(&series)) {
        double start = bench_now_ns();
        struct hs_mls_group *group =
            mls_person_join(mls_world_newcomer(world), welcome, (struct hs_bytes){0});
        series_add(&series, start);
        hs_mls_group_free(group);
    }
    mls_report(&series, world, "mls_join_full", welcome.len);
}

static void weigh_join(const struct mls_world *world, struct hs_bytes welcome)
{
    size_t before = bench_heap();
    struct hs_mls_group *group = mls_person_join(mls_world_newcomer(world), welcome, (struct hs_bytes){0});
    mls_count(world, "mls_memory", bench_heap() - before, 0);
    hs_mls_group_free(group);
}

static struct hs_mls_group *join_external(const struct mls_world *world, struct hs_bytes info,
                                          struct hs_writer *commit)
{
    struct hs_mls_external_join join = {.group_info = info,
                                        .leaf = mls_person_params(mls_world_newcomer(world)),
                                        .settings = hs_mls_settings_default()};
    struct hs_mls_commit_result result = {.commit = commit};
    struct hs_mls_group *group;
    hs_writer_reset(commit);
    FUZZ_OK(hs_mls_group_join_external(&join, &result, &group));
    return group;
}

static void measure_join_external(const struct mls_world *world, struct mls_shape shape, struct hs_bytes info)
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    hs_mls_group_free(join_external(world, info, &commit));
    mls_shape_commit(&shape, hs_writer_bytes(&commit));
    struct floor floor = mls_floor_join_external(&shape);
    series_start(&series, &floor);
    while (series_more(&series)) {
        double start = bench_now_ns();
        struct hs_mls_group *group = join_external(world, info, &commit);
        series_add(&series, start);
        hs_mls_group_free(group);
    }
    mls_report(&series, world, "mls_join_external", commit.len);
}

void mls_measure_newcomer(struct mls_world *world)
{
    const struct hs_mls_group *group = mls_role(world, MLS_COMMITTER)->group;
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    struct hs_writer HS_WRITER welcome = hs_writer(MLS_CAP);
    struct hs_writer HS_WRITER info = hs_writer(MLS_CAP);
    struct mls_shape with = mls_shape_of(world, group, world->n + 1, true);
    FUZZ_OK(hs_mls_group_info(group, true, &info));
    with.info = info.len;
    mls_count(world, "mls_group_info_size", info.len, 0);
    mls_count(world, "mls_key_package_size", mls_world_newcomer(world)->key_package.len, 0);
    invite(world, &commit, &welcome);
    measure_join(world, &with, hs_writer_bytes(&welcome));
    weigh_join(world, hs_writer_bytes(&welcome));
    measure_join_external(world, with, hs_writer_bytes(&info));
}
