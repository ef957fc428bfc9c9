/* The power fails under load: whatever a disk may hold then, the store opens, its logs are whole, and all
 * that was acknowledged by then is there, attachments by their names. (NODE-6, DELIVERY-1, DELIVERY-40)
 *
 *   power [--states N] [--rounds N] [--seed N]
 *
 * Daemons run under load, with everything that they do to their files noted in a journal, and with it what
 * their clients were promised. Then disks are made as they may be behind random entries of the journal. */
#include "base/text.h"
#include "fault.h"
#include "fleet.h"
#include "journal.h"
#include "replay.h"
#include "store/blob.h"

#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    LIMIT = 5,
    SETTLE_MS = 60000,
    NODES = 2,
    RESTARTS = 12,
    BEGINNING = 60,
    ENVIRONMENT_MAX = 512,
    FILES_MAX = 512,
    FOLDER_SIZE = 128,
    REPORT = 1000
};

static struct rng rng;
static struct fleet f;
static char journal_path[128];
static int journal_fd;
static char settings[NODES][4][512];
static char *environments[NODES][ENVIRONMENT_MAX];

/* ---- under load ---- */

static void note(enum journal_kind kind, size_t node, uint64_t number, struct hs_id body)
{
    struct journal_entry entry = {
        .magic = JOURNAL_MAGIC, .kind = kind, .node = (uint32_t)node, .len = sizeof body, .number = number};
    struct iovec parts[] = {{.iov_base = &entry, .iov_len = sizeof entry},
                            {.iov_base = body.b, .iov_len = sizeof body.b}};
    FAULT_CHECK(writev(journal_fd, parts, 2) == (ssize_t)(sizeof entry + sizeof body), "no space");
}

static void note_ack(const struct ack *ack)
{
    note(ack->refused ? JOURNAL_REFUSED : JOURNAL_ACKED, ack->node, ack->queued ? 1 : 0, ack->body);
}

static void record_node(size_t node)
{
    char **out = environments[node];
    size_t n = 0;
    snprintf(settings[node][0], sizeof settings[node][0], "LD_PRELOAD=%s", JOURNAL_LIBRARY);
    snprintf(settings[node][1], sizeof settings[node][1], JOURNAL_FILE "=%s", journal_path);
    snprintf(settings[node][2], sizeof settings[node][2], JOURNAL_FOLDER "=%s", f.nodes[node].dir);
    snprintf(settings[node][3], sizeof settings[node][3], JOURNAL_NODE "=%zu", node);
    for (; environ[n] != NULL && n + 5 < ENVIRONMENT_MAX; n++)
        out[n] = environ[n];
    for (size_t i = 0; i < 4; i++)
        out[n++] = settings[node][i];
    f.nodes[node].environment = out;
}

static void some_posts(void)
{
    for (size_t i = 0; i < 4; i++)
        fleet_post(&f, &f.members[rng_below(&rng, f.count)]);
    for (size_t turns = rng_below(&rng, 6); turns > 0; turns--)
        fleet_turn(&f, 2);
}

/* ---- attachments ---- */

static enum hanse_err read_file(void *context, uint64_t offset, uint8_t *buffer, size_t length)
{
    const unsigned *seed = context;
    for (size_t i = 0; i < length; i++)
        buffer[i] = (uint8_t)((offset + i) * (2 * *seed + 1) >> 3);
    return HANSE_OK;
}

/* The files that a node has; whichever weren't noted yet are, where it is told. Their names are their hashes.
 */
static void note_files(size_t node)
{
    static struct hs_id noted[FILES_MAX];
    static size_t count;
    char path[256];
    glob_t found;
    snprintf(path, sizeof path, "%s/blobs/*/*", f.nodes[node].store);
    if (glob(path, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct hs_id hash;
        size_t at = 0;
        if (hs_unhex(strrchr(found.gl_pathv[i], '/') + 1, hash.b, sizeof hash.b) != HS_OK)
            continue; /* a part: its name goes on */
        while (at < count && !hs_id_equal(&noted[at], &hash))
            at++;
        if (at < count)
            continue;
        FAULT_CHECK(count < FILES_MAX, "too many files");
        noted[count++] = hash;
        note(JOURNAL_ACKED, node, 2, hash);
    }
    globfree(&found);
}

/* Somebody at the hub sends a file; when they are told that it is there, it is. */
static void some_file(void)
{
    static unsigned seed;
    struct hanse_file file = {.name = "film", .size = 3 * 32768 + rng_below(&rng, 1000)};
    struct member *m = &f.members[0];
    uint64_t op;
    int64_t end = fault_now_ms() + SETTLE_MS;
    seed++;
    enum hanse_err err = hanse_attach(m->h, &f.room, &file, read_file, &seed, &op);
    FAULT_CHECK(err == HANSE_OK, "nothing can be attached: %s", hanse_err_name(err));
    while (m->op != op) {
        FAULT_CHECK(fault_now_ms() < end, "attaching takes too long");
        fleet_turn(&f, 5);
    }
    FAULT_CHECK(m->done.err == HANSE_OK, "attaching: %s", hanse_err_name(m->done.err));
    note_files(0);
}

static void run_under_load(unsigned rounds)
{
    fleet_make(&f, NODES, NULL);
    snprintf(journal_path, sizeof journal_path, "%s/journal", f.dir);
    journal_fd = open(journal_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FAULT_CHECK(journal_fd >= 0, "no %s", journal_path);
    for (size_t i = 0; i < NODES; i++)
        record_node(i);
    acks_told = note_ack;
    fleet_start(&f, LIMIT);
    for (size_t i = 0; i < 4; i++)
        fleet_join(&f, i % NODES);
    for (unsigned i = 0; i < rounds; i++) {
        some_posts();
        if (i % 16 == 8 && f.count < 8)
            fleet_join(&f, rng_below(&rng, NODES));
        if (i % 8 == 4)
            some_file();
        if (i % 16 == 0)
            fleet_claim(&f, &f.members[rng_below(&rng, f.count)]);
        if (i == rounds / 3 || i == rounds / 2) { /* what a restart does to the files is part of it */
            struct daemon *d = &f.nodes[i == rounds / 3 ? 0 : 1];
            daemon_kill(d);
            daemon_start(d);
        }
    }
    fleet_settle(&f, SETTLE_MS);
    fleet_check(&f);
    for (size_t i = 0; i < NODES; i++)
        daemon_stop(&f.nodes[i]);
    acks_told = NULL;
    close(journal_fd);
}

/* ---- what the disks may hold ---- */

/* Its name is there, and what is in it is what the name says. */
static void check_file(const struct replay_mark *mark, const char *folder)
{
    char path[256];
    struct hs_blob_files *files;
    struct stat info;
    char text[HS_HEX_SIZE(sizeof mark->body.b)];
    hs_hex(HS_VIEW(mark->body), text);
    snprintf(path, sizeof path, "%s/store/blobs/%.2s/%s", folder, text, text);
    FAULT_CHECK(stat(path, &info) == 0, "the attachment %s, whole in entry %zu, has no name any more", text,
                mark->at);
    snprintf(path, sizeof path, "%s/store/blobs", folder);
    FAULT_CHECK(hs_blob_files_open(path, 0, &files) == HS_OK, "no %s", path);
    FAULT_CHECK(hs_blob_file_check(files, &mark->body, (uint64_t)info.st_size) == HS_OK,
                "the attachment %s isn't what its name says", text);
    hs_blob_files_close(files);
}

static void check_marks(const struct replay *r, size_t at, const struct look *looks,
                        char (*folders)[FOLDER_SIZE])
{
    size_t count;
    const struct replay_mark *marks = replay_marks(r, &count);
    for (size_t i = 0; i < count && marks[i].at <= at; i++) {
        const struct replay_mark *mark = &marks[i];
        if (mark->attachment) {
            check_file(mark, folders[mark->node]);
            continue;
        }
        bool there = look_has(&looks[0], &mark->body) || mark->refused;
        for (size_t k = i + 1; mark->queued && !there && k < count && marks[k].at <= at; k++)
            there = marks[k].refused && hs_id_equal(&marks[k].body, &mark->body);
        if (mark->queued && !there)
            there =
                look_queued(&looks[mark->node], &mark->body) || look_refused(&looks[mark->node], &mark->body);
        FAULT_CHECK(there, "what node %u acknowledged in entry %zu (%s) is lost", mark->node, mark->at,
                    mark->queued ? "Queued" : "Accepted");
    }
}

static void copy(const char *from, const char *to, const char *name)
{
    char path[256], bytes[16384];
    snprintf(path, sizeof path, "%s/%s", from, name);
    int in = open(path, O_RDONLY | O_CLOEXEC);
    FAULT_CHECK(in >= 0, "no %s", path);
    ssize_t len = read(in, bytes, sizeof bytes);
    close(in);
    snprintf(path, sizeof path, "%s/%s", to, name);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    FAULT_CHECK(out >= 0 && len >= 0 && write(out, bytes, (size_t)len) == len, "no %s", path);
    close(out);
}

/* The daemon itself starts on what the disk holds, and ends well. */
static void restart_on(size_t node, const char *folder)
{
    static const char *const names[] = {"hansed.conf", "signing.key", "transport.key", "descriptor",
                                        "incarnation"};
    struct daemon d = f.nodes[node];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        copy(d.dir, folder, names[i]);
    snprintf(d.config, sizeof d.config, "%s/hansed.conf", folder);
    d.environment = NULL;
    daemon_start(&d);
    daemon_stop(&d);
}

static void check_state(struct replay *r, size_t at, bool restart)
{
    struct look looks[NODES];
    char folders[NODES][FOLDER_SIZE], store[160];
    struct hs_id room;
    memcpy(room.b, f.room.b, sizeof room.b);
    for (size_t i = 0; i < NODES; i++) {
        snprintf(folders[i], sizeof folders[i], "%s/state%zu", f.dir, i);
        fault_folder_remove(folders[i]);
        FAULT_CHECK(mkdir(folders[i], 0700) == 0, "no %s", folders[i]);
        replay_state(r, (uint32_t)i, at, &rng, folders[i]);
        fault_at("%s (files in %s)", replay_how(r), folders[i]);
        snprintf(store, sizeof store, "%s/store", folders[i]);
        if (restart)
            restart_on(i, folders[i]);
        look_at(store, &room, &f.hub_key, &looks[i]);
        if (restart && looks[i].there)
            fleet_check_store(&f, i, store);
    }
    check_marks(r, at, looks, folders);
    (void)look_same(&looks[0], &looks[1]);
    FAULT_CHECK(looks[1].next <= looks[0].next, "the follower has more than its hub");
    for (size_t i = 0; i < NODES; i++)
        look_free(&looks[i]);
}

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

static int compare(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void check_states(unsigned states)
{
    struct replay *r = replay_open(journal_path);
    size_t *moments = calloc(states, sizeof *moments), marks;
    FAULT_CHECK(moments != NULL, "no memory");
    for (unsigned i = 0; i < states; i++) /* a store's first steps are few */
        moments[i] = rng_below(&rng, i % 8 == 0 && replay_len(r) > BEGINNING ? BEGINNING : replay_len(r));
    qsort(moments, states, sizeof *moments, compare);
    for (unsigned i = 0; i < states; i++) {
        check_state(r, moments[i], i % (states / RESTARTS + 1) == 0);
        if (i % REPORT == REPORT - 1)
            say("%u states, up to entry %zu of %zu\n", i + 1, moments[i], replay_len(r));
    }
    replay_marks(r, &marks);
    printf("%u states of %zu entries, %zu acknowledgements\n", states, replay_len(r), marks);
    free(moments);
    replay_free(r);
}

/* A file that is too short for what it says of itself ends like this. */
static void on_fault(int number)
{
    signal(number, SIG_DFL);
    fault_found("signal %d", number);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"states", required_argument, NULL, 's'},
                                            {"rounds", required_argument, NULL, 'r'},
                                            {"seed", required_argument, NULL, 'S'},
                                            {0}};
    unsigned states = 1000, rounds = 60;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            states = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'r')
            rounds = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'S')
            setenv("HANSE_SEED", optarg, 1);
        else
            return 2;
    }
    signal(SIGBUS, on_fault);
    rng = rng_new();
    fflush(stdout);
    fault_at("under load");
    run_under_load(rounds);
    check_states(states);
    fleet_free(&f);
    return 0;
}
