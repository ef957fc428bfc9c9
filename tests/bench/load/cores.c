/* Who runs on which core at a calm rate: this program on the last one, its nodes on the others. Left alone,
 * Linux may wake this program on the core of the node that writes to it while another one is idle, and then
 * all members read when everything is written. */
#include "load.h"

#include <dirent.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static cpu_set_t all, own, others;

/* False where there is one core only. */
static bool divide(void)
{
    static bool done;
    size_t last = CPU_SETSIZE - 1;
    if (done)
        return CPU_COUNT(&all) > 1;
    done = true;
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return false;
    while (last > 0 && !CPU_ISSET(last, &all))
        last--;
    others = all;
    CPU_CLR(last, &others);
    CPU_SET(last, &own);
    return CPU_COUNT(&all) > 1;
}

static void bind_threads(pid_t pid, const cpu_set_t *set)
{
    char name[64];
    const struct dirent *entry;
    (void)snprintf(name, sizeof name, "/proc/%d/task", (int)pid);
    DIR *dir = opendir(name);
    if (dir == NULL)
        load_fail("no %s", name);
    while ((entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            (void)sched_setaffinity((pid_t)strtol(entry->d_name, NULL, 10), sizeof *set, set);
    closedir(dir);
}

void load_cores_divide(const struct load_plan *plan, bool divided)
{
    if (!divide())
        return;
    (void)sched_setaffinity(0, sizeof own, divided ? &own : &all);
    for (size_t i = 0; i < plan->node_count; i++)
        bind_threads(plan->nodes[i].pid, divided ? &others : &all);
}

void load_cores_like_node(void)
{
    if (divide())
        (void)sched_setaffinity(0, sizeof others, &others);
}
