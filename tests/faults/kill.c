/* Nodes are killed at any moment under load, again and again: nothing that they acknowledged is lost, doubled
 * or out of order, and everybody goes on by himself. (NODE-6, DELIVERY-1, DELIVERY-7, DELIVERY-60,
 * DELIVERY-61, FED-18, FED-19)
 *
 *   kill [--cycles N] [--fleets N] [--seed N] [--progress]
 *
 * Some fleets run side by side, since most of a cycle is waiting. Choices come from the seed; when exactly a
 * signal strikes is the machine's. */
#include "fault.h"
#include "fleet.h"
#include "support/rng.h"

#include <getopt.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LIMIT = 5, SETTLE_MS = 90000, FLEETS_MAX = 16, GUESTS = 8 };

struct options {
    unsigned cycles, fleets;
    bool progress;
};

/* What all fleets have done: shared by their processes. */
struct score {
    atomic_uint cycles, kills[2], quiet, posts, joins, removals, acks, queued;
};

static struct rng rng;
static struct score *score;

static struct member *anybody(struct fleet *f)
{
    return &f->members[rng_below(&rng, f->count)];
}

/* Some work of a moment: mostly posts. */
static void work(struct fleet *f)
{
    size_t posts = rng_below(&rng, 6);
    for (size_t i = 0; i < posts; i++)
        fleet_post(f, anybody(f));
    if (rng_below(&rng, 8) == 0)
        fleet_claim(f, anybody(f));
}

/* Somebody comes, or the newest guest goes. */
static void move(struct fleet *f)
{
    if (f->count < FLEET_MEMBERS && rng_below(&rng, 10) == 0) {
        fleet_join(f, rng_below(&rng, f->node_count));
        atomic_fetch_add(&score->joins, 1);
    } else if (f->count > GUESTS && rng_below(&rng, 12) == 0) {
        fleet_remove(f, &f->members[GUESTS + rng_below(&rng, f->count - GUESTS)]);
        atomic_fetch_add(&score->removals, 1);
    }
}

/* Until so many frames have come, or so much time has passed. */
static void run_for(struct fleet *f, uint64_t frames, int64_t ms)
{
    int64_t end = fault_now_ms() + ms;
    frames += f->frames;
    while (f->frames < frames && fault_now_ms() < end)
        fleet_turn(f, 5);
}

static void kill_and_look(struct fleet *f, unsigned victims)
{
    for (size_t i = 0; i < f->node_count; i++)
        if ((victims & 1u << i) != 0) {
            daemon_kill(&f->nodes[i]);
            atomic_fetch_add(&score->kills[i == 0 ? 0 : 1], 1);
        }
    fleet_look(f, victims);
    if (rng_below(&rng, 32) == 0)
        fleet_check_store(f, (victims & 1) != 0 ? 0 : 1, NULL);
    for (size_t i = 0; i < f->node_count; i++)
        if ((victims & 1u << i) != 0)
            daemon_start(&f->nodes[i]);
    for (size_t i = 0; i < f->count; i++) /* most people don't wait for their client's next attempt */
        if ((victims & 1u << f->members[i].acks.node) != 0 && rng_below(&rng, 8) != 0)
            fleet_reopen(&f->members[i]);
}

static void cycle(struct fleet *f)
{
    static const unsigned sets[] = {1, 2, 2, 3, 3};
    unsigned victims = sets[rng_below(&rng, sizeof sets / sizeof *sets)];
    move(f);
    work(f);
    run_for(f, rng_below(&rng, 40), 60);
    work(f);
    run_for(f, rng_below(&rng, 6), 10);
    kill_and_look(f, victims);
    atomic_fetch_add(&score->cycles, 1);
    if (rng_below(&rng, 3) != 0)
        return; /* once more while they recover */
    fleet_settle(f, SETTLE_MS);
    fleet_check(f);
    atomic_fetch_add(&score->quiet, 1);
}

static void finish(struct fleet *f)
{
    fleet_settle(f, SETTLE_MS);
    fleet_check(f);
    for (size_t i = 0; i < f->node_count; i++)
        daemon_stop(&f->nodes[i]);
    fleet_look(f, (1u << f->node_count) - 1);
    for (size_t i = 0; i < f->node_count; i++)
        fleet_check_store(f, i, NULL);
    for (size_t i = 0; i < f->count; i++)
        atomic_fetch_add(&score->posts, f->members[i].posts);
    for (size_t i = 0; i < acks_count; i++)
        atomic_fetch_add(acks[i].queued ? &score->queued : &score->acks, 1);
}

static void fleet_main(uint64_t seed, unsigned cycles)
{
    static struct fleet f;
    rng = (struct rng){seed};
    fault_at("seed %llu, founding", (unsigned long long)seed);
    fleet_make(&f, 2, NULL);
    fleet_start(&f, LIMIT);
    for (size_t i = 0; i < 3; i++)
        fleet_join(&f, i % 2 == 0 ? 1 : 0);
    fleet_settle(&f, SETTLE_MS);
    for (unsigned i = 0; i < cycles; i++) {
        fault_at("seed %llu, cycle %u, files in %s", (unsigned long long)seed, i, f.dir);
        cycle(&f);
    }
    finish(&f);
    fleet_free(&f);
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {{"cycles", required_argument, NULL, 'c'},
                                            {"fleets", required_argument, NULL, 'f'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"progress", no_argument, NULL, 'p'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c')
            o->cycles = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'f')
            o->fleets = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 's')
            setenv("HANSE_SEED", optarg, 1);
        else if (option == 'p')
            o->progress = true;
        else
            return 2;
    }
    return o->fleets >= 1 && o->fleets <= FLEETS_MAX && optind == argc ? 0 : 2;
}

static void report(void)
{
    printf(
        "%u cycles: the hub killed %u times, its follower %u times, %u times quiet; %u posts, %u joins, %u "
        "removals; %u Accepted, %u Queued\n",
        score->cycles, score->kills[0], score->kills[1], score->quiet, score->posts, score->joins,
        score->removals, score->acks, score->queued);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct options o = {.cycles = 200, .fleets = 4};
    int failed = 0, status;
    if (parse(argc, argv, &o) != 0) {
        fputs("kill [--cycles N] [--fleets N] [--seed N] [--progress]\n", stderr);
        return 2;
    }
    rng = rng_new();
    fflush(stdout);
    score = mmap(NULL, sizeof *score, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FAULT_CHECK(score != MAP_FAILED, "no memory");
    for (unsigned i = 0; i < o.fleets; i++)
        if (fork() == 0) {
            fleet_main(rng.state + i, o.cycles / o.fleets);
            exit(0);
        }
    for (unsigned left = o.fleets; left > 0;) {
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid > 0) {
            failed |= status;
            left--;
        } else {
            usleep(100000);
            static unsigned waits;
            if (o.progress && ++waits % 50 == 0)
                report();
        }
    }
    report();
    return failed != 0;
}
