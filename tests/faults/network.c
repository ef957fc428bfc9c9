/* A bad network between clients and nodes, and between nodes: late, in drips, one-way, broken. Whatever it
 * does, nothing is lost, doubled or out of order, and once it is calm everybody has everything before long.
 * (DELIVERY-7, DELIVERY-60, DELIVERY-61, FED-12, FED-15, FED-19)
 *
 *   network [--rounds N] [--nodes N] [--seed N] [--no-namespaces]
 *
 * Where the machine allows it each node lives in a network namespace of its own, else at an address of its
 * own on the loopback device. */
#include "fault.h"
#include "fleet.h"
#include "space.h"
#include "support/rng.h"
#include "weather.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A home that was cut off often waits up to a minute before it dials again (FED-15). */
enum { REPORT = 10, LIMIT = 5, SETTLE_MS = 90000, STORM_MS = 1500, STEP_MS = 150 };

static struct rng rng;
static struct fleet f;
static struct weather_link *links;
static struct {
    unsigned storms, holds, cuts, shuts, outages;
    int64_t longest_ms;
} score;

static void worsen(struct weather_link *link)
{
    static const unsigned pieces[] = {0, 0, 1, 7, 64, 1024};
    atomic_store(&link->delay_ms, (unsigned)rng_below(&rng, 40));
    atomic_store(&link->piece, pieces[rng_below(&rng, sizeof pieces / sizeof *pieces)]);
    atomic_store(&link->breaks, rng_below(&rng, 3) == 0 ? 20 : 0);
}

/* One thing happens to one node's link. */
static void strike(size_t node)
{
    struct weather_link *link = &links[node];
    switch (rng_below(&rng, 8)) {
    case 0:
    case 1: { /* one direction only: a partition that isn't the same from both sides */
        size_t way = rng_below(&rng, WEATHER_WAYS);
        atomic_store(&link->hold[way], !atomic_load(&link->hold[way]));
        score.holds++;
        break;
    }
    case 2:
        atomic_fetch_add(&link->cuts, 1);
        score.cuts++;
        break;
    case 3:
        atomic_store(&link->shut, !atomic_load(&link->shut));
        score.shuts++;
        break;
    case 4:
        if (space_toggle(node))
            score.outages++;
        break;
    default:
        worsen(link);
    }
}

static void storm(void)
{
    int64_t end = fault_now_ms() + STORM_MS;
    while (fault_now_ms() < end) {
        strike(rng_below(&rng, f.node_count));
        for (size_t i = 0; i < 3; i++)
            fleet_post(&f, &f.members[rng_below(&rng, f.count)]);
        if (rng_below(&rng, 8) == 0)
            fleet_claim(&f, &f.members[rng_below(&rng, f.count)]);
        if (rng_below(&rng, 10) == 0)
            fleet_reopen(&f.members[rng_below(&rng, f.count)]);
        int64_t next = fault_now_ms() + (int64_t)rng_below(&rng, STEP_MS);
        while (fault_now_ms() < next)
            fleet_turn(&f, 5);
    }
    score.storms++;
}

static void heal(void)
{
    int64_t begin = fault_now_ms();
    for (size_t i = 0; i < f.node_count; i++) {
        weather_calm(&links[i]);
        space_heal(i);
    }
    fleet_settle(&f, SETTLE_MS);
    fleet_check(&f);
    if (fault_now_ms() - begin > score.longest_ms)
        score.longest_ms = fault_now_ms() - begin;
}

static void begin(size_t nodes, bool spaces)
{
    fault_at("founding");
    spaces = spaces && space_new(nodes);
    printf("%s\n",
           spaces ? "each node has a network namespace of its own" : "all nodes are on the loopback device");
    links = weather_new();
    for (size_t i = 0; i < nodes; i++)
        space_addresses(i, links[i].target, links[i].listen);
    fleet_make(&f, nodes, links);
    for (size_t i = 0; i < nodes; i++)
        f.nodes[i].enter = spaces ? space_enter : NULL;
    weather_start(links, nodes, rng_next(&rng));
    fleet_start(&f, LIMIT);
    for (size_t i = 0; i < 2 * nodes; i++)
        fleet_join(&f, i % nodes);
    heal();
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"rounds", required_argument, NULL, 'r'},
                                            {"nodes", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"no-namespaces", no_argument, NULL, 'l'},
                                            {0}};
    unsigned rounds = 5;
    size_t nodes = 3;
    bool spaces = true;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'r')
            rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'n')
            nodes = (size_t)strtoul(optarg, NULL, 10);
        else if (option == 's')
            setenv("HANSE_SEED", optarg, 1);
        else if (option == 'l')
            spaces = false;
        else
            return 2;
    }
    if (nodes < 2 || nodes > FLEET_NODES)
        return 2;
    rng = rng_new();
    begin(nodes, spaces);
    for (unsigned i = 0; i < rounds; i++) {
        fault_at("round %u (files in %s)", i, f.dir);
        storm();
        heal();
        if (i % REPORT == REPORT - 1) {
            printf("%u of %u rounds\n", i + 1, rounds);
            fflush(stdout);
        }
    }
    for (size_t i = 0; i < nodes; i++)
        daemon_stop(&f.nodes[i]);
    fleet_look(&f, (1u << nodes) - 1);
    for (size_t i = 0; i < nodes; i++)
        fleet_check_store(&f, i, NULL);
    printf("%u storms: %u holds, %u cuts, %u times shut, %u outages; quiet again after %lld ms at most\n",
           score.storms, score.holds, score.cuts, score.shuts, score.outages, (long long)score.longest_ms);
    fleet_free(&f);
    return 0;
}
