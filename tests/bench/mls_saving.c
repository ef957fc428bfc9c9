/* What a member in a full tree writes to its store, and reads from it. */
#include "bench/mls_parts.h"

#include "support/mls_store.h"

enum { EPOCHS = 12 /* past the ones that are kept: from then on each commit forgets one, too */ };

static struct series saving, following, loading;
static const struct floor no_floor;

static void save(struct hs_mls_group *group, struct mls_store *store)
{
    mls_store_count_from_here(store);
    FUZZ_OK(hs_mls_group_save(group, &store->store));
}

static void report_save(const struct mls_world *world, const char *name, const struct mls_store *store)
{
    const struct series_facts facts = {name, world->suite, world->n, store->counts.bytes_written,
                                       store->counts.puts};
    series_report(&saving, &facts);
}

static void count_written(const struct mls_world *world, const char *name, const struct mls_store *store)
{
    mls_count(world, name, store->counts.bytes_written, store->counts.puts);
}

/* The whole group, once. */
static void save_join(const struct mls_world *world, struct mls_store *store)
{
    series_start(&saving, &no_floor);
    double start = bench_now_ns();
    save(mls_role(world, MLS_FAR)->group, store);
    series_add(&saving, start);
    report_save(world, "mls_save_join", store);
}

/* Saves after each of some commits; the last of them is told. */
static void save_commits(struct mls_world *world, struct mls_store *store)
{
    struct hs_mls_group *group = mls_role(world, MLS_FAR)->group;
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    series_start(&saving, &no_floor);
    for (int i = 0; i < EPOCHS || series_more(&saving); i++) {
        mls_group_turn(mls_role(world, MLS_COMMITTER)->group, &commit);
        mls_world_follow(world, &commit);
        double start = bench_now_ns();
        save(group, store);
        if (i >= EPOCHS)
            series_add(&saving, start);
    }
    const struct series_facts facts = {"mls_save_commit", world->suite, world->n, store->counts.bytes_written,
                                       store->counts.puts};
    series_report(&saving, &facts);
}

static void receive(struct hs_mls_group *group, struct mls_world *world)
{
    struct hs_writer HS_WRITER w = hs_writer(MLS_CAP);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    FUZZ_OK(hs_mls_group_protect(mls_role(world, MLS_COMMITTER)->group, hs_bytes_str("post"),
                                 (struct hs_bytes){0}, 0, &w));
    FUZZ_OK(hs_mls_group_process(group, hs_writer_bytes(&w), &event));
}

/* The first one of a sender goes down the secret tree, the next ones turn its ratchet. */
static void save_posts(struct mls_world *world, struct mls_store *store)
{
    struct hs_mls_group *group = mls_role(world, MLS_FAR)->group;
    receive(group, world);
    save(group, store);
    count_written(world, "mls_save_first_post", store);
    receive(group, world);
    save(group, store);
    count_written(world, "mls_save_post", store);
}

/* What is in memory of a member that read only what it needed. */
static void weigh_loaded(struct mls_world *world, const struct mls_store *store,
                         const struct hs_writer *commit)
{
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    const size_t before = bench_heap();
    FUZZ_OK(hs_mls_group_load(&store->store, &mls_role(world, MLS_FAR)->signer, 1, &group));
    mls_group_follow(group, commit);
    mls_count(world, "mls_memory_loaded", bench_heap() - before, 0);
}

/* A member that was away: loaded, and then a commit comes. */
static void load_and_follow(struct mls_world *world, struct mls_store *store)
{
    const struct mls_person *person = mls_role(world, MLS_FAR);
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    size_t bytes = 0, records = 0;
    mls_group_turn(mls_role(world, MLS_COMMITTER)->group, &commit);
    series_start(&loading, &no_floor);
    series_start(&following, &no_floor);
    while (series_more(&following)) {
        struct hs_mls_group HS_MLS_GROUP *group = NULL;
        mls_store_count_from_here(store);
        double start = bench_now_ns();
        FUZZ_OK(hs_mls_group_load(&store->store, &person->signer, 1, &group));
        series_add(&loading, start);
        bytes = store->counts.bytes_read;
        records = store->counts.gets;
        start = bench_now_ns();
        mls_group_follow(group, &commit);
        series_add(&following, start);
    }
    const struct series_facts load = {"mls_load", world->suite, world->n, bytes, records};
    const struct series_facts first = {"mls_load_process", world->suite, world->n, store->counts.bytes_read,
                                       store->counts.gets};
    series_report(&loading, &load);
    series_report(&following, &first);
    weigh_loaded(world, store, &commit);
    mls_world_follow(world, &commit);
}

void mls_measure_store(struct mls_world *world)
{
    struct mls_store MLS_STORE *store = mls_store_new();
    save_join(world, store);
    save_commits(world, store);
    save_posts(world, store);
    load_and_follow(world, store);
}
