/* Commits, and who follows them. */
#include "bench/mls_parts.h"

#include "mls/treekem.h"

#include <stdio.h>

/* A name that is told once, with its suffix; for the life of the program. */
static const char *name_of(const char *stem, const char *suffix)
{
    static char names[8][48];
    static size_t next;
    char *name = names[next++ % 8];
    HS_ASSERT(snprintf(name, sizeof names[0], "%s%s", stem, suffix) < (int)sizeof names[0]);
    return name;
}

/* Nodes of the committer's path from where the other's way meets it. Each of its levels has a node, since
 * there is a member beside it at every level. */
static size_t derived_of(const struct mls_world *world, enum mls_role role)
{
    unsigned met = hs_mls_common_level((uint32_t)mls_role_leaf(world, MLS_COMMITTER),
                                       (uint32_t)mls_role_leaf(world, role));
    return mls_levels(world->n) - met + 1;
}

static struct series make, follow[MLS_ROLES];

static void follow_all(struct mls_world *world, const struct hs_writer *commit)
{
    for (enum mls_role role = MLS_NEAR; role < MLS_ROLES; role++) {
        if (!mls_role_counts(world, role))
            continue;
        double start = bench_now_ns();
        mls_group_follow(mls_role(world, role)->group, commit);
        series_add(&follow[role], start);
    }
}

void mls_measure_commits(struct mls_world *world, const char *suffix, bool full)
{
    static const char *const names[MLS_ROLES] = {"mls_commit", "mls_process_near", "mls_process_middle",
                                                 "mls_process_far"};
    struct hs_mls_group *by = mls_role(world, MLS_COMMITTER)->group;
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    struct mls_shape shape = mls_shape_of(world, by, world->n, full);
    struct floor none = {0};
    series_start(&make, &none);
    for (enum mls_role role = MLS_NEAR; role < MLS_ROLES; role++)
        series_start(&follow[role], &none);
    mls_group_turn(by, &commit);
    mls_shape_commit(&shape, hs_writer_bytes(&commit));
    HS_ASSERT(shape.path_nodes == shape.levels);
    follow_all(world, &commit);
    struct floor floor = mls_floor_commit(&shape);
    series_start(&make, &floor);
    for (enum mls_role role = MLS_NEAR; role < MLS_ROLES; role++) {
        floor = mls_floor_process(&shape, derived_of(world, role));
        series_start(&follow[role], &floor);
    }
    while (series_more(&make)) {
        double start = bench_now_ns();
        mls_group_turn(by, &commit);
        series_add(&make, start);
        follow_all(world, &commit);
    }
    mls_report(&make, world, name_of(names[MLS_COMMITTER], suffix), commit.len);
    for (enum mls_role role = MLS_NEAR; role < MLS_ROLES; role++)
        if (mls_role_counts(world, role))
            mls_report(&follow[role], world, name_of(names[role], suffix), commit.len);
}

void mls_world_thin_out(struct mls_world *world)
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    struct hs_mls_group *by = mls_role(world, MLS_COMMITTER)->group;
    uint32_t removes[MLS_BLANKS];
    for (size_t i = 0; i < MLS_BLANKS; i++)
        removes[i] = (uint32_t)(i * world->n / MLS_BLANKS + world->n / (2 * MLS_BLANKS));
    struct hs_mls_commit_request request = {.removes = removes, .remove_count = MLS_BLANKS};
    struct hs_mls_commit_result result = {.commit = &commit};
    FUZZ_OK(hs_mls_group_commit(by, &request, &result));
    FUZZ_OK(hs_mls_group_accept(by));
    mls_world_follow(world, &commit);
}

static struct series protect, unprotect;

void mls_measure_posts(struct mls_world *world)
{
    static const uint8_t text[1024];
    struct hs_mls_group *from = mls_role(world, MLS_COMMITTER)->group, *to = mls_role(world, MLS_FAR)->group;
    struct hs_writer HS_WRITER w = hs_writer(MLS_CAP);
    struct mls_shape shape = mls_shape_of(world, from, world->n, true);
    struct floor floor = mls_floor_protect(&shape, sizeof text);
    series_start(&protect, &floor);
    floor = mls_floor_unprotect(&shape, sizeof text);
    series_start(&unprotect, &floor);
    while (series_more(&protect)) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        hs_writer_reset(&w);
        double start = bench_now_ns();
        FUZZ_OK(hs_mls_group_protect(from, hs_bytes(text, sizeof text), (struct hs_bytes){0}, 0, &w));
        series_add(&protect, start);
        start = bench_now_ns();
        FUZZ_OK(hs_mls_group_process(to, hs_writer_bytes(&w), &event));
        series_add(&unprotect, start);
    }
    mls_report(&protect, world, "mls_protect_1k", w.len);
    mls_report(&unprotect, world, "mls_unprotect_1k", w.len);
}
