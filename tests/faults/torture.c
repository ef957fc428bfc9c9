/* Calls of a real daemon fail, one at a time or from one on, while it starts, talks and stops: it goes on, or
 * it ends as NODE-5 says; what it acknowledged is there when it is looked for without faults.
 *
 *   torture [--tries N] [--all] [--seed N]
 *
 * Without --all a sample is taken; with it calls of every kind are made to fail until none is left. */
#include "fault.h"
#include "fleet.h"
#include "inject.h"
#include "support/rng.h"
#include "sweep_ask.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LIMIT = 5,
    SETTLE_MS = 90000,
    NODES = 2,
    TALK_MS = 40,
    ENVIRONMENT_MAX = 512,
    EVERY = 12,
    DENSE = 128,
    STOP_MS = 5000,
    PAGE_MS = 200,
    PAGES_PORT = 7800
};

static struct rng rng;
static struct fleet f;
static struct inject *tables[NODES];
static char pages[NODES][64];
static char settings[NODES][2][256];
static char *environments[NODES][ENVIRONMENT_MAX];
static struct {
    unsigned tries, hits, ends, aborts;
} score[INJECT_CALLS];

static void share_table(size_t node)
{
    char path[128];
    char **out = environments[node];
    size_t n = 0;
    snprintf(path, sizeof path, "%s/inject%zu", f.dir, node);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    FAULT_CHECK(fd >= 0 && ftruncate(fd, sizeof *tables[node]) == 0, "no %s", path);
    tables[node] = mmap(NULL, sizeof *tables[node], PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FAULT_CHECK(tables[node] != MAP_FAILED, "no memory");
    close(fd);
    snprintf(settings[node][0], sizeof settings[node][0], "LD_PRELOAD=%s", INJECT_LIBRARY);
    snprintf(settings[node][1], sizeof settings[node][1], INJECT_FILE "=%s", path);
    for (; environ[n] != NULL && n + 3 < ENVIRONMENT_MAX; n++)
        out[n] = environ[n];
    out[n++] = settings[node][0];
    out[n++] = settings[node][1];
    f.nodes[node].environment = out;
}

/* libuv aborts where it has no memory for its own lists, no threads, no pipe for signals, or can't wait;
 * libsodium where there is no randomness. */
static bool may_abort(enum inject_call call)
{
    return call == INJECT_MALLOC || call == INJECT_RANDOM || call == INJECT_WATCH || call == INJECT_THREAD ||
           call == INJECT_SOCKET;
}

/* It ended by itself: as it may where such a call failed. */
static void check_end(enum inject_call call, int status, bool up)
{
    bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    score[call].ends++;
    if (aborted && may_abort(call) && (call != INJECT_SOCKET || !up)) {
        score[call].aborts++;
        return;
    }
    /* A start says what it can't read; who serves already has one way to end. */
    FAULT_CHECK(WIFEXITED(status) && (WEXITSTATUS(status) == 1 || (!up && WEXITSTATUS(status) == 3)),
                "the daemon ended with status %d", status);
}

/* What a node says to its operator, and shows; both or why not. */
static enum hs_err ask_operator(size_t node, int patience_ms)
{
    enum hs_err err = sweep_ask_operator(f.nodes[node].dir, patience_ms);
    enum hs_err page = sweep_get(pages[node], "/metrics", "hanse_store_entries", patience_ms);
    FAULT_CHECK(page != HS_ERR_INVALID_STATE, "it shows something else");
    return err != HS_OK ? err : page;
}

static void show_pages(size_t node)
{
    FILE *file = fopen(f.nodes[node].config, "a");
    FAULT_CHECK(file != NULL, "no %s", f.nodes[node].config);
    snprintf(pages[node], sizeof pages[node], "%s:%zu", f.host, PAGES_PORT + node);
    fprintf(file, "[metrics]\nlisten = %s\n", pages[node]);
    fclose(file);
}

static void talk(size_t node)
{
    (void)ask_operator(node, PAGE_MS); /* whatever it says now */
    int64_t end = fault_now_ms() + TALK_MS;
    for (size_t i = 0; i < 3; i++)
        fleet_post(&f, &f.members[rng_below(&rng, f.count)]);
    while (fault_now_ms() < end)
        fleet_turn(&f, 5);
}

/* The daemon's end: by itself where the fault demands it, else by a signal. Returns its status. */
static int end(struct daemon *d, bool by_itself)
{
    int status;
    int64_t until = fault_now_ms() + STOP_MS;
    if (!by_itself && daemon_lives(d, &status))
        kill(d->pid, rng_below(&rng, 4) == 0 ? SIGTERM : SIGKILL);
    while (d->pid != 0 && daemon_lives(d, &status)) {
        FAULT_CHECK(fault_now_ms() < until, "the daemon doesn't end%s", by_itself ? " by itself" : "");
        usleep(500);
    }
    return status;
}

static void start_again(size_t node)
{
    daemon_start(&f.nodes[node]);
    FAULT_CHECK(ask_operator(node, SETTLE_MS) == HS_OK, "its operator isn't answered afterwards");
    for (size_t i = 0; i < f.count; i++)
        if (f.members[i].acks.node == node)
            fleet_reopen(&f.members[i]);
}

/* One fault at a node that is up, or that starts. */
static unsigned try_one(size_t node, enum inject_call call, long in, bool on, bool at_start)
{
    struct daemon *d = &f.nodes[node];
    bool up = true;
    if (at_start)
        daemon_kill(d);
    inject_arm(tables[node], call, in, on);
    if (at_start)
        up = daemon_try(d);
    if (up)
        talk(node);
    unsigned hits = atomic_load(&tables[node]->hits);
    bool must_end = !up || (hits > 0 && (call == INJECT_SYNC || call == INJECT_FILE_WRITE));
    int status = end(d, must_end);
    inject_arm(tables[node], INJECT_NONE, 0, false);
    if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) &&
        !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        check_end(call, status, up);
    score[call].tries++;
    score[call].hits += hits;
    fleet_look(&f, 1u << node);
    if (rng_below(&rng, 16) == 0)
        fleet_check_store(&f, node, NULL);
    start_again(node);
    return hits;
}

static void settle(void)
{
    fleet_settle(&f, SETTLE_MS);
    fleet_check(&f);
}

/* Small numbers are as likely as large ones. */
static long some_number(enum inject_call call)
{
    bool rare = call == INJECT_OPEN || call == INJECT_MMAP || call == INJECT_ACCEPT || call == INJECT_CONNECT;
    long most = call == INJECT_MALLOC ? 4096 : rare ? 4 : 64, n = 1;
    while (n < most && rng_below(&rng, 4) != 0)
        n = 2 * n + (long)rng_below(&rng, 2);
    return n;
}

/* Who can accept nobody doesn't try for ever: it does all else, and ends when it is told to. */
static void accept_nobody(void)
{
    struct daemon *d = &f.nodes[0];
    fault_at("nobody can be accepted any more (files in %s)", f.dir);
    inject_arm(tables[0], INJECT_ACCEPT, 1, true);
    (void)ask_operator(0, PAGE_MS);
    kill(d->pid, SIGTERM);
    int status = end(d, true);
    FAULT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the daemon ended with status %d", status);
    inject_arm(tables[0], INJECT_NONE, 0, false);
    start_again(0);
}

static void sample(unsigned tries)
{
    accept_nobody();
    for (unsigned i = 0; i < tries; i++) {
        enum inject_call call = (enum inject_call)(1 + i % (INJECT_CALLS - 1));
        size_t node = rng_below(&rng, NODES);
        bool on = rng_below(&rng, 3) == 0, at_start = rng_below(&rng, 2) == 0;
        long in = some_number(call);
        fault_at("%s, the %ld. call %s, at node %zu %s (files in %s)", inject_names[call], in,
                 on ? "and on" : "only", node, at_start ? "from its start" : "under way", f.dir);
        try_one(node, call, in, on, at_start);
        if (i % EVERY == EVERY - 1)
            settle();
    }
}

/* Every one of the first calls of every kind, from the start of a daemon to the end of a talk, and then some
 * of the others: there are thousands of allocations, and an attempt takes a quarter of a second. */
static long next_number(long in)
{
    return in < DENSE ? in + 1 : in + 1 + (long)rng_below(&rng, (uint64_t)in / 4);
}

static void all(void)
{
    for (unsigned round = 0; round < 2 * NODES * (INJECT_CALLS - 1); round++) {
        enum inject_call call = (enum inject_call)(1 + round / (2 * NODES));
        size_t node = round % NODES;
        bool on = (round / NODES) % 2 != 0;
        unsigned hits = 1;
        for (long in = 1, tries = 1; hits > 0; in = next_number(in), tries++) {
            fault_at("%s, the %ld. call %s, at node %zu from its start (files in %s)", inject_names[call], in,
                     on ? "and on" : "only", node, f.dir);
            hits = try_one(node, call, in, on, true);
            if (tries % EVERY == 0)
                settle();
        }
        printf("%s %s, node %zu: done\n", inject_names[call], on ? "and on" : "only", node);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"tries", required_argument, NULL, 't'},
                                            {"all", no_argument, NULL, 'a'},
                                            {"seed", required_argument, NULL, 's'},
                                            {0}};
    unsigned tries = 126;
    bool whole = false;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 't')
            tries = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'a')
            whole = true;
        else if (option == 's')
            setenv("HANSE_SEED", optarg, 1);
        else
            return 2;
    }
    rng = rng_new();
    fflush(stdout);
    fault_at("founding");
    fleet_make(&f, NODES, NULL);
    for (size_t i = 0; i < NODES; i++) {
        share_table(i);
        show_pages(i);
    }
    fleet_start(&f, LIMIT);
    for (size_t i = 0; i < 3; i++)
        fleet_join(&f, 1 - i % NODES);
    settle();
    if (whole)
        all();
    else
        sample(tries);
    fault_at("the end");
    settle();
    for (size_t i = 1; i < INJECT_CALLS; i++)
        printf("%-20s %4u tries, %5u calls failed, the daemon ended %u times (%u of them by abort)\n",
               inject_names[i], score[i].tries, score[i].hits, score[i].ends, score[i].aborts);
    fleet_free(&f);
    return 0;
}
