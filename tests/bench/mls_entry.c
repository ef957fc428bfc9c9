/* How groups begin: all added at once, then joining; the tree that this leaves behind. */
#include "bench/mls_parts.h"

static struct series series;

/* All in one commit; the messages are left behind. */
static struct hs_mls_group *create(const struct mls_world *world, bool with_tree, struct hs_writer *commit,
                                   struct hs_writer *welcome)
{
    struct hs_mls_commit_result result = {.commit = commit, .welcome = welcome};
    hs_writer_reset(commit);
    hs_writer_reset(welcome);
    struct hs_mls_group *group = mls_person_create(&world->people[0]);
    mls_group_add(group, &world->people[1], world->n - 1, with_tree, &result);
    FUZZ_OK(hs_mls_group_accept(group));
    return group;
}

static void measure_create(const struct mls_world *world, const char *name, bool with_tree,
                           struct mls_shape *shape, struct hs_writer *welcome)
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    struct hs_writer HS_WRITER info = hs_writer(MLS_CAP);
    struct hs_mls_group HS_MLS_GROUP *first = create(world, with_tree, &commit, welcome);
    FUZZ_OK(hs_mls_group_info(first, with_tree, &info));
    *shape = mls_shape_of(world, first, world->n, false);
    shape->commit = commit.len;
    shape->info = info.len;
    struct floor floor = mls_floor_create(shape);
    series_start(&series, &floor);
    while (series_more(&series)) {
        double start = bench_now_ns();
        struct hs_mls_group *group = create(world, with_tree, &commit, welcome);
        series_add(&series, start);
        hs_mls_group_free(group);
    }
    mls_report(&series, world, name, commit.len);
}

static void measure_join(const struct mls_world *world, const struct mls_shape *shape,
                         const struct hs_writer *welcome)
{
    struct floor floor = mls_floor_join(shape, 0);
    series_start(&series, &floor);
    while (series_more(&series)) {
        double start = bench_now_ns();
        struct hs_mls_group *group =
            mls_person_join(&world->people[world->n - 1], hs_writer_bytes(welcome), (struct hs_bytes){0});
        series_add(&series, start);
        hs_mls_group_free(group);
    }
    mls_report(&series, world, "mls_join", welcome->len);
}

/* The last one's part of the Welcome, with or without the tree. */
static void count_cut(const struct mls_world *world, const char *name, const struct hs_writer *welcome)
{
    struct hs_writer HS_WRITER cut = hs_writer(MLS_CAP);
    struct hs_bytes ref;
    FUZZ_OK(hs_mls_welcome_ref(hs_writer_bytes(welcome), world->n - 2, &ref));
    FUZZ_OK(hs_mls_welcome_cut(hs_writer_bytes(welcome), ref, &cut));
    mls_count(world, name, cut.len, 0);
}

/* The creator, and of the others two: the one beside it and the last. */
static void measure_first_commits(struct mls_world *world)
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    struct hs_writer HS_WRITER welcome = hs_writer(MLS_CAP);
    struct mls_person *near = &world->people[1], *far = &world->people[world->n - 1];
    world->people[0].group = create(world, true, &commit, &welcome);
    near->group = mls_person_join(near, hs_writer_bytes(&welcome), (struct hs_bytes){0});
    if (far != near)
        far->group = mls_person_join(far, hs_writer_bytes(&welcome), (struct hs_bytes){0});
    mls_measure_commits(world, "_bulk", false);
    mls_world_leave(world);
}

void mls_measure_entry(struct mls_world *world)
{
    struct hs_writer HS_WRITER welcome = hs_writer(MLS_CAP);
    struct mls_shape shape;
    measure_create(world, "mls_create_apart", false, &shape, &welcome);
    count_cut(world, "mls_welcome_apart_size", &welcome);
    measure_create(world, "mls_create", true, &shape, &welcome);
    count_cut(world, "mls_welcome_size", &welcome);
    measure_join(world, &shape, &welcome);
    measure_first_commits(world);
}
