#include "sweep_world.h"

#include "sweep.h"
#include "sweep_node.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 30000, TURN_MS = 50, UNITS = 5 };

static struct fleet f;
static pid_t maker;
static bool awake[FLEET_MEMBERS]; /* when it came to rest */

static void remove_files(void)
{
    if (getpid() == maker && f.dir[0] != '\0')
        fault_folder_remove(f.dir);
    f.dir[0] = '\0';
}

struct fleet *world_make(size_t nodes)
{
    if (maker == 0)
        atexit(remove_files);
    maker = getpid();
    remove_files();
    fleet_make(&f, nodes, NULL);
    fleet_start(&f, UNITS);
    return &f;
}

void world_rest(void)
{
    for (size_t i = 0; i < f.count; i++) {
        awake[i] = f.members[i].h != NULL;
        hanse_close(f.members[i].h);
        f.members[i].h = NULL;
    }
    for (size_t i = 0; i < f.node_count; i++)
        daemon_stop(&f.nodes[i]);
}

/* ---- the copy ---- */

/* The same path, below another folder. */
static void move_path(char *path, size_t size, const char *to)
{
    char moved[300];
    int len = snprintf(moved, sizeof moved, "%s%s", to, path + strlen(f.dir));
    FAULT_CHECK(len > 0 && (size_t)len < size, "%s is too long", moved);
    memcpy(path, moved, (size_t)len + 1);
}

static void move_paths(void)
{
    for (size_t i = 0; i < f.node_count; i++) {
        struct daemon *node = &f.nodes[i];
        move_path(node->dir, sizeof node->dir, sweep_dir());
        move_path(node->store, sizeof node->store, sweep_dir());
        move_path(node->config, sizeof node->config, sweep_dir());
        move_path(node->log, sizeof node->log, sweep_dir());
    }
    for (size_t i = 0; i < f.count; i++)
        move_path(f.members[i].dir, sizeof f.members[i].dir, sweep_dir());
}

/* Nodes look up nothing but the host in their table: no call of theirs fails. */
static char *const *environment_at(const char *host)
{
    char path[300];
    struct inject table = {.host = inet_addr(host)};
    snprintf(path, sizeof path, "%s/table", sweep_dir());
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    FAULT_CHECK(fd >= 0 && write(fd, &table, sizeof table) == sizeof table, "no %s", path);
    close(fd);
    return sweep_environment(path);
}

static bool all_online(void)
{
    for (size_t i = 0; i < f.count; i++)
        if (f.members[i].h != NULL && !f.members[i].caught_up)
            return false;
    return true;
}

/* One of the same store may not have ended yet. */
static void start_node(struct daemon *node)
{
    const struct timespec pause = {.tv_nsec = TURN_MS * 1000000};
    for (int64_t end = fault_now_ms() + PATIENCE_MS; !daemon_try(node); nanosleep(&pause, NULL)) {
        waitpid(node->pid, NULL, 0);
        FAULT_CHECK(fault_now_ms() < end, "%s doesn't start: see %s", node->domain, node->log);
    }
}

static void wake(const struct member *but)
{
    char host[32];
    fault_host(host, sizeof host);
    sweep_move_to(host);
    move_paths();
    char *const *environment = environment_at(host);
    for (size_t i = 0; i < f.node_count; i++) {
        f.nodes[i].environment = environment;
        start_node(&f.nodes[i]);
    }
    for (size_t i = 0; i < f.count; i++)
        if (awake[i] && &f.members[i] != but)
            fleet_reopen(&f.members[i]);
    for (int64_t end = fault_now_ms() + PATIENCE_MS; !all_online(); fleet_turn(&f, TURN_MS))
        FAULT_CHECK(fault_now_ms() < end, "somebody doesn't come online");
    fleet_settle(&f, PATIENCE_MS);
}

void world_wake(const struct member *but)
{
    sweep_shell("cp -rp %s/. %s", f.dir, sweep_dir());
    wake(but);
}

void world_wake_again(const struct member *but)
{
    wake(but);
}

void world_stop(void)
{
    for (size_t i = 0; i < f.count; i++)
        hanse_close(f.members[i].h);
    for (size_t i = 0; i < f.node_count; i++)
        daemon_stop(&f.nodes[i]);
}
