/* What lies around the core under faults: attachments' files, pages, other domains, waking, the operator's
 * socket, the commands that keep a node's data, and what a device does, in a town and at nodes that run.
 * Every allocation and every call of the system fails in turn: nothing crashes, leaks or is closed twice, and
 * what was answered well is there.
 *
 *   sweep [--all] [--seed N] [--call KIND --at N] [SCENE...]
 *
 * Without --all a sample of the later ones is taken. With --call only calls of that kind fail, by its number
 * in inject.h, and with --at only that one. */
#include "sweep.h"

#include "support/rng.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    WORKERS = 24,  /* most of them wait */
    FEW = 3,       /* of those that don't */
    PARTS = 6,     /* of a kind's calls, where they were counted: some of each part fail */
    PARTS_FEW = 3, /* where an attempt has nodes of its own */
    PATIENCE_S = 60,
    DENSE = 12, /* so many of the first calls are all taken; then some */
    DENSE_FEW = 4
};

/* What an attempt leaves to the one that goes on after an abort. */
struct note {
    char dir[256];
    atomic_bool done; /* it was told so */
};

struct attempt {
    pid_t pid; /* 0: a free place */
    long n;
    bool on;
    bool second; /* nothing fails in it: the first one was aborted, and this one looks at what it left */
    struct inject *table;
    struct note *note; /* shared, too */
    char path[300];
};

struct series {
    const struct sweep_scene *scene;
    enum inject_call call;
    bool on;
    bool through;                          /* an attempt found nothing that failed */
    unsigned tries, hits, aborts, seconds; /* of the aborts, so many were looked at afterwards */
};

static struct options {
    bool all;
    long at; /* this call alone; 0: many */
    unsigned call;
} options;
static struct rng rng;
static struct attempt attempts[WORKERS];
static char dir[256], tables[256];
static inject_use_fn *use;
static inject_spare_fn *spare;
static inject_count_fn *count_blocks;
static struct inject *current; /* in the process of an attempt */
static struct note *note;      /* there, too */

const char *sweep_dir(void)
{
    return dir;
}

const char *sweep_table(void)
{
    for (size_t i = 0; i < WORKERS; i++)
        if (attempts[i].table == current)
            return attempts[i].path;
    return NULL;
}

/* One of the next part of all. */
static long some_of(const struct sweep_scene *scene, long total)
{
    return 1 + (long)rng_below(&rng, (uint64_t)(total / (scene->waits ? PARTS_FEW : PARTS)) + 1);
}

static long first_number(const struct sweep_scene *scene, long total)
{
    if (options.at > 0)
        return options.at;
    return options.all || scene->waits || total == 0 ? 1 : some_of(scene, total);
}

/* total: how many there are; 0: it wasn't counted. */
static long next_number(const struct sweep_scene *scene, long n, long total)
{
    bool few = scene->apart || scene->alone;
    if (options.at > 0)
        return LONG_MAX;
    if (!options.all && total > 0)
        return n + some_of(scene, total);
    if (options.all || n < (few ? DENSE_FEW : DENSE))
        return n + 1;
    return n + 1 + (long)rng_below(&rng, (uint64_t)(few ? 2 * n : n / 3 + 1));
}

enum inject_call sweep_call(void)
{
    return current != NULL ? (enum inject_call)atomic_load(&current->call) : INJECT_NONE;
}

bool sweep_has_failed(void)
{
    return atomic_load(&current->hits) != 0;
}

bool sweep_goes_on(void)
{
    return atomic_load(&current->on) != 0;
}

void sweep_move_to(const char *host)
{
    atomic_store(&current->host, inet_addr(host));
}

void sweep_calm(void)
{
    atomic_store(&current->call, INJECT_NONE);
}

__attribute__((weak)) void OPENSSL_thread_stop(void);

void sweep_thread_over(void)
{
    if (OPENSSL_thread_stop != NULL)
        OPENSSL_thread_stop();
}

void sweep_note_done(void)
{
    atomic_store(&note->done, true);
}

bool sweep_noted_done(void)
{
    return atomic_load(&note->done);
}

void sweep_spare(bool spared)
{
    spare(spared);
}

static unsigned open_files(void)
{
    unsigned count = 0;
    DIR *d = opendir("/proc/self/fd");
    FAULT_CHECK(d != NULL, "no /proc/self/fd");
    while (readdir(d) != NULL)
        count++;
    closedir(d);
    return count;
}

static void say_where(const struct series *s, const struct attempt *a)
{
    fault_at("%s: %s, the %ld. call %s%s", s->scene->name, inject_names[s->call], a->n,
             a->on ? "and on" : "only", a->second ? ", after the abort" : "");
}

static void enter(const struct series *s, const struct attempt *a)
{
    say_where(s, a);
    alarm(PATIENCE_S);
    current = a->table;
    note = a->note;
    use(current);
}

/* One attempt, in a process of its own. */
static void run(const struct series *s, const struct attempt *a)
{
    enter(s, a);
    fault_folder(dir, sizeof dir);
    memcpy(note->dir, dir, sizeof dir);
    s->scene->begin();
    unsigned files = open_files();
    count_blocks();
    inject_arm(current, s->call, a->n, a->on);
    enum hs_err told = s->scene->act();
    sweep_calm();
    sweep_thread_over();
    FAULT_CHECK(a->n != LONG_MAX || told == HS_OK, "without any fault it is told %s", hs_err_name(told));
    long blocks = atomic_load(&current->live);
    FAULT_CHECK(open_files() == files, "%u descriptors were open, %u are now", files, open_files());
    FAULT_CHECK(atomic_load(&current->bad_closes) == 0, "something was closed that wasn't open");
    FAULT_CHECK(s->scene->apart || blocks <= (s->call == INJECT_MALLOC ? s->scene->kept : 0),
                "%ld blocks of memory were kept", blocks);
    s->scene->check(told);
    s->scene->end();
    fault_folder_remove(dir);
    exit(0);
}

/* What an aborted one left is whole. */
static void run_second(const struct series *s, const struct attempt *a)
{
    enter(s, a);
    memcpy(dir, note->dir, sizeof dir);
    s->scene->again();
    s->scene->check(HS_ERR_IO);
    s->scene->end();
    fault_folder_remove(dir);
    exit(0);
}

/* Libraries abort where they can't do without. */
static bool may_abort(const struct series *s)
{
    return s->scene->may_abort && (s->call == INJECT_MALLOC || s->call == INJECT_RANDOM ||
                                   s->call == INJECT_WATCH || s->call == INJECT_THREAD);
}

static void fork_attempt(struct series *s, struct attempt *a)
{
    memset(a->table, 0, sizeof *a->table);
    fflush(NULL);
    a->pid = fork();
    FAULT_CHECK(a->pid >= 0, "fork failed");
    if (a->pid == 0 && a->second)
        run_second(s, a);
    if (a->pid == 0)
        run(s, a);
}

static void take_end(struct series *s)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    struct attempt *a = attempts;
    while (a < attempts + WORKERS && a->pid != pid)
        a++;
    if (a == attempts + WORKERS)
        return; /* a helper of a scene */
    a->pid = 0;
    unsigned hits = atomic_load(&a->table->hits);
    bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && hits > 0 && may_abort(s);
    if (!aborted && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
        say_where(s, a);
        fault_found("it ended with status %d%s", status,
                    WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? " (it took too long)" : "");
    }
    if (a->second) {
        s->seconds++;
        return;
    }
    s->tries++;
    s->hits += hits > 0 ? 1 : 0;
    s->aborts += aborted ? 1 : 0;
    s->through = s->through || hits == 0;
    a->second = aborted && s->scene->again != NULL;
    if (a->second)
        fork_attempt(s, a);
}

static void start(struct series *s, long n)
{
    struct attempt *a = attempts;
    while (a->pid != 0)
        a++;
    a->n = n;
    a->on = s->on;
    a->second = false;
    atomic_store(&a->note->done, false);
    fork_attempt(s, a);
}

static size_t running(void)
{
    size_t n = 0;
    for (size_t i = 0; i < WORKERS; i++)
        n += attempts[i].pid != 0 ? 1 : 0;
    return n;
}

/* How many calls of that kind there are, by an attempt in which none fails. */
static long count(const struct sweep_scene *scene, enum inject_call call)
{
    struct series s = {.scene = scene, .call = call};
    struct inject *table = attempts[0].table;
    start(&s, LONG_MAX);
    take_end(&s);
    return LONG_MAX - atomic_load(&table->in);
}

static size_t at_once(const struct sweep_scene *scene)
{
    if (scene->alone)
        return 1;
    return scene->apart || (scene->fresh && !scene->waits) ? FEW : WORKERS;
}

static unsigned sweep(const struct sweep_scene *scene, enum inject_call call, bool on, long total)
{
    struct series s = {.scene = scene, .call = call, .on = on};
    const long last = total > 0 ? total : LONG_MAX - 1;
    for (long n = first_number(scene, total); n <= last; n = next_number(scene, n, total)) {
        while (running() >= at_once(scene))
            take_end(&s);
        if (s.through && total == 0)
            break;
        start(&s, n);
    }
    while (running() > 0)
        take_end(&s);
    char of[32] = "";
    if (total > 0)
        snprintf(of, sizeof of, " %ld", total);
    if (s.hits > 0)
        printf("%-10s %-20s %-6s %5u of its%s calls failed, %u aborts, %u of them looked at\n", scene->name,
               inject_names[call], on ? "and on" : "once", s.hits, of, s.aborts, s.seconds);
    fflush(stdout);
    return s.hits;
}

/* Once without faults, here: what libraries make once and keep is there then, and counts for nobody. */
static void warm_up(const struct sweep_scene *scene)
{
    fault_folder(dir, sizeof dir);
    current = attempts[0].table;
    note = attempts[0].note;
    scene->begin();
    enum hs_err told = scene->act();
    FAULT_CHECK(told == HS_OK, "without any fault it is told %s", hs_err_name(told));
    scene->check(told);
    scene->end();
    fault_folder_remove(dir);
}

static bool wants(const struct sweep_scene *scene, unsigned call)
{
    if (options.call != INJECT_NONE)
        return options.call == call;
    return (scene->calls == 0 || (scene->calls >> call & 1) != 0) &&
           (options.all || (scene->rare >> call & 1) == 0);
}

/* Where sanitizers run, memory is theirs: see CONTRIBUTING.md. */
static bool must_fail(const struct sweep_scene *scene, unsigned call)
{
    bool theirs = dlsym(RTLD_DEFAULT, "__asan_init") != NULL || dlsym(RTLD_DEFAULT, "__tsan_init") != NULL;
    return wants(scene, call) && (scene->certain >> call & 1) != 0 && !(call == INJECT_MALLOC && theirs);
}

/* A sweep that nothing failed in shows nothing. */
static void check_hits(const struct sweep_scene *scene, const unsigned hits[static INJECT_CALLS])
{
    unsigned all = 0;
    for (unsigned call = 1; call < INJECT_CALLS; call++) {
        fault_at("%s: %s", scene->name, inject_names[call]);
        FAULT_CHECK(hits[call] > 0 || !must_fail(scene, call), "none of its calls failed");
        all += hits[call];
    }
    fault_at("%s", scene->name);
    FAULT_CHECK(all > 0 || options.call != INJECT_NONE, "no call of any kind failed");
}

static void sweep_all(const struct sweep_scene *scene)
{
    unsigned hits[INJECT_CALLS] = {0};
    int64_t began = fault_now_ms();
    fault_at("%s", scene->name);
    if (scene->found != NULL)
        scene->found();
    if (!scene->fresh)
        warm_up(scene);
    for (unsigned call = 1; call < INJECT_CALLS; call++) {
        if (!wants(scene, call))
            continue;
        long total = scene->fresh ? count(scene, call) : 0;
        if (scene->fresh && total == 0)
            continue;
        hits[call] += sweep(scene, call, false, total);
        hits[call] += sweep(scene, call, true, total);
    }
    check_hits(scene, hits);
    printf("%-10s done in %.1f s\n", scene->name, (double)(fault_now_ms() - began) / 1000);
    fflush(stdout);
}

static const struct sweep_scene *const scenes[] = {
    &sweep_blob,         &sweep_again,      &sweep_carry,       &sweep_http,        &sweep_find,
    &sweep_wake,         &sweep_backup,     &sweep_restore,     &sweep_check,       &sweep_init,
    &sweep_issue,        &sweep_asker,      &sweep_asked,       &sweep_client,      &sweep_join,
    &sweep_welcome,      &sweep_leave,      &sweep_rejoin,      &sweep_home,        &sweep_follow,
    &sweep_office,       &sweep_attach,     &sweep_fetch,       &sweep_claim,       &sweep_order,
    &sweep_real_join,    &sweep_real_leave, &sweep_real_attach, &sweep_real_fetch,  &sweep_real_claim,
    &sweep_real_order,   &sweep_real_home,  &sweep_real_rejoin, &sweep_real_follow, &sweep_real_office,
    &sweep_real_welcome, &sweep_admit,      &sweep_real_admit,  &sweep_witness,     &sweep_door};
enum { SCENES = sizeof scenes / sizeof *scenes };

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = optind; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return optind == argc;
}

/* In a file: commands that an attempt runs have it, too. */
static void share_table(struct attempt *a, size_t i)
{
    snprintf(a->path, sizeof a->path, "%s/%zu", tables, i);
    int fd = open(a->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    FAULT_CHECK(fd >= 0 && ftruncate(fd, sizeof *a->table) == 0, "no %s", a->path);
    a->table = mmap(NULL, sizeof *a->table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    FAULT_CHECK(a->table != MAP_FAILED, "no memory");
    close(fd);
    a->note = mmap(NULL, sizeof *a->note, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    FAULT_CHECK(a->note != MAP_FAILED, "no memory");
}

/* The library must be there before this program is. */
static void preload(char **argv)
{
    void *found = dlsym(RTLD_DEFAULT, "inject_use"), *sparing = dlsym(RTLD_DEFAULT, "inject_spare"),
         *counting = dlsym(RTLD_DEFAULT, "inject_count");
    if (found == NULL || sparing == NULL || counting == NULL) {
        FAULT_CHECK(getenv("LD_PRELOAD") == NULL, "%s isn't there", INJECT_LIBRARY);
        setenv("LD_PRELOAD", INJECT_LIBRARY, 1);
        execv("/proc/self/exe", argv);
        fault_found("can't start again");
    }
    memcpy(&use, &found, sizeof found);
    memcpy(&spare, &sparing, sizeof sparing);
    memcpy(&count_blocks, &counting, sizeof counting);
    unsetenv("LD_PRELOAD");
}

static int parse(int argc, char **argv)
{
    static const struct option known[] = {{"all", no_argument, NULL, 'a'},
                                          {"seed", required_argument, NULL, 's'},
                                          {"call", required_argument, NULL, 'c'},
                                          {"at", required_argument, NULL, 'n'},
                                          {0}};
    for (int option; (option = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (option == 'a')
            options.all = true;
        else if (option == 's')
            setenv("HANSE_SEED", optarg, 1);
        else if (option == 'c')
            options.call = (unsigned)strtoul(optarg, NULL, 10);
        else if (option == 'n')
            options.at = strtol(optarg, NULL, 10);
        else
            return 2;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (parse(argc, argv) != 0)
        return 2;
    preload(argv);
    rng = rng_new();
    fault_folder(tables, sizeof tables);
    for (size_t i = 0; i < WORKERS; i++)
        share_table(&attempts[i], i);
    for (size_t i = 0; i < SCENES; i++)
        if (wanted(scenes[i]->name, argc, argv))
            sweep_all(scenes[i]);
    fault_folder_remove(tables);
    return 0;
}
