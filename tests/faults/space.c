#include "space.h"

#include "fault.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NODES_MAX = 3, LISTEN_PORT = 7700, FOUND_PORT = 7800, ADDRESS_SIZE = 64 };

static int spaces[NODES_MAX];
static bool down[NODES_MAX];
static bool made;

__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
    char line[256], quiet[300];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    snprintf(quiet, sizeof quiet, "%s >/dev/null 2>&1", line);
    return system(quiet) == 0;
}

/* A fresh namespace's descriptor; this process stays where it is. */
static int fresh(void)
{
    int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    FAULT_CHECK(here >= 0 && unshare(CLONE_NEWNET) == 0, "no namespace");
    int there = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
    FAULT_CHECK(there >= 0 && setns(here, CLONE_NEWNET) == 0, "no way back from a namespace");
    close(here);
    return there;
}

static bool connect_node(size_t i)
{
    char in[64];
    spaces[i] = fresh();
    snprintf(in, sizeof in, "/proc/%d/fd/%d", (int)getpid(), spaces[i]);
    return run("ip link add node%zu type veth peer name cable netns %s", i, in) &&
           run("ip addr add 10.77.%zu.1/24 dev node%zu", i, i) && run("ip link set node%zu up", i) &&
           run("nsenter --net=%s ip addr add 10.77.%zu.2/24 dev cable", in, i) &&
           run("nsenter --net=%s ip link set lo up", in) &&
           run("nsenter --net=%s ip link set cable up", in) &&
           run("nsenter --net=%s ip route add default via 10.77.%zu.1", in, i);
}

bool space_new(size_t nodes)
{
    if (unshare(CLONE_NEWNET) != 0)
        return false;
    made = run("ip link set lo up");
    for (size_t i = 0; made && i < nodes; i++)
        made = connect_node(i);
    FAULT_CHECK(made || run("ip link set lo up"), "a namespace without network");
    return made;
}

void space_addresses(size_t node, char *target, char *found)
{
    char host[32];
    fault_host(host, sizeof host);
    if (made) {
        snprintf(target, ADDRESS_SIZE, "10.77.%zu.2:%d", node, LISTEN_PORT);
        snprintf(found, ADDRESS_SIZE, "10.77.%zu.1:%d", node, FOUND_PORT);
    } else {
        snprintf(target, ADDRESS_SIZE, "%s:%zu", host, LISTEN_PORT + node);
        snprintf(found, ADDRESS_SIZE, "%s:%zu", host, FOUND_PORT + node);
    }
}

void space_enter(size_t node)
{
    if (setns(spaces[node], CLONE_NEWNET) != 0)
        _exit(127);
}

bool space_toggle(size_t node)
{
    if (!made)
        return false;
    down[node] = !down[node];
    FAULT_CHECK(run("ip link set node%zu %s", node, down[node] ? "down" : "up"), "no such link");
    return true;
}

void space_heal(size_t node)
{
    if (made && down[node])
        space_toggle(node);
}
