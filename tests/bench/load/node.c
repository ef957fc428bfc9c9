/* The daemon as a process of its own, and what the system says of it. */
#include "load.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t spawn(char *const *args, const char *log, int ready)
{
    pid_t pid = fork();
    if (pid < 0)
        load_fail("fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(out, 1);
    dup2(out, 2);
    if (ready >= 0)
        dup2(ready, 3);
    execv(args[0], args);
    _exit(127);
}

/* A port that is free now. */
static int free_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) != 0)
        load_fail("no free port: %s", strerror(errno));
    close(fd);
    return ntohs(at.sin_port);
}

static void path(char *out, size_t size, const char *dir, const char *name)
{
    if (snprintf(out, size, "%s/%s", dir, name) >= (int)size)
        load_fail("%s is too long a path", dir);
}

void load_node_make(struct load_node *node, const char *name)
{
    char domain[64], log[300], why[HS_CONFIG_WHY] = "";
    int status = 0;
    *node = (struct load_node){.port = free_port()};
    path(node->dir, sizeof node->dir, load_options.dir, "hanse-load-XXXXXX");
    if (mkdtemp(node->dir) == NULL)
        load_fail("%s: %s", node->dir, strerror(errno));
    path(node->config, sizeof node->config, node->dir, "hansed.conf");
    path(log, sizeof log, node->dir, "log");
    (void)snprintf(domain, sizeof domain, "%s.example", name);
    (void)snprintf(node->address, sizeof node->address, "127.0.0.1:%d", node->port);
    char *args[] = {(char *)(uintptr_t)load_options.hansed,
                    "init",
                    "--domain",
                    domain,
                    "--dir",
                    node->dir,
                    "--listen",
                    node->address,
                    NULL};
    if (waitpid(spawn(args, log, -1), &status, 0) < 0 || status != 0)
        load_fail("%s init failed: see %s", load_options.hansed, log);
    FILE *config = fopen(node->config, "a"); /* its last section is [limits] */
    if (config == NULL)
        load_fail("%s: %s", node->config, strerror(errno));
    fprintf(config,
            "connections = 20000\nconnections_per_second = 1000000\nconnections_burst = 1000000\n[peers]\n");
    (void)fclose(config);
    if (hs_site_open(node->config, &node->site, why) != HS_OK ||
        hs_site_root(&node->site, NULL, &node->root, why) != HS_OK)
        load_fail("%s", why);
}

void load_node_allow(struct load_node *node, const struct load_node *other)
{
    char root[2 * sizeof other->root.pub.b + 1];
    FILE *config = fopen(node->config, "a"); /* its last section is [peers] */
    if (config == NULL)
        load_fail("%s: %s", node->config, strerror(errno));
    fprintf(config, "allow = %s\n", hs_hex(HS_VIEW(other->root.pub), root));
    (void)fclose(config);
    kill(node->pid, SIGHUP);
}

double load_node_start(struct load_node *node)
{
    char log[300], line[256];
    int ends[2];
    uint64_t start = uv_hrtime();
    path(log, sizeof log, node->dir, "log");
    if (pipe(ends) != 0)
        load_fail("pipe: %s", strerror(errno));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    char *args[] = {
        (char *)(uintptr_t)load_options.hansed, "--config", node->config, "--ready-fd", "3", NULL};
    node->pid = spawn(args, log, ends[1]);
    close(ends[1]);
    if (read(ends[0], line, sizeof line) <= 0)
        load_fail("%s didn't start: see %s", load_options.hansed, log);
    close(ends[0]);
    return (double)(uv_hrtime() - start) / 1e6;
}

void load_node_stop(struct load_node *node)
{
    int status;
    if (node->pid == 0)
        return;
    kill(node->pid, SIGTERM);
    waitpid(node->pid, &status, 0);
    node->pid = 0;
    if (status != 0)
        load_fail("hansed ended with %d: see %s/log", status, node->dir);
}

static int remove_entry(const char *name, const struct stat *info, int kind, struct FTW *walk)
{
    (void)info;
    (void)kind;
    (void)walk;
    return remove(name);
}

void load_node_free(struct load_node *node)
{
    load_node_stop(node);
    nftw(node->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    hs_signer_wipe(&node->root);
    hs_site_wipe(&node->site);
}

double load_node_cpu_us(const struct load_node *node)
{
    char name[64], text[1024] = "";
    unsigned long user = 0, system = 0;
    (void)snprintf(name, sizeof name, "/proc/%d/stat", (int)node->pid);
    FILE *file = fopen(name, "r");
    if (file == NULL || fgets(text, sizeof text, file) == NULL)
        load_fail("%s: %s", name, strerror(errno));
    (void)fclose(file);
    /* Behind the name: state and ten more numbers come first. */
    if (sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &system) != 2)
        load_fail("%s is not as expected", name);
    return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

size_t load_node_memory(const struct load_node *node)
{
    char name[64], line[256];
    size_t anon = 0;
    (void)snprintf(name, sizeof name, "/proc/%d/status", (int)node->pid);
    FILE *file = fopen(name, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "RssAnon: %zu", &anon) ==
            1) /* without the mapped store, which is the disk's cache */
            break;
    if (file == NULL || anon == 0)
        load_fail("%s: no RssAnon", name);
    (void)fclose(file);
    return anon * 1024;
}

size_t load_node_stored(const struct load_node *node)
{
    char name[300];
    struct stat info;
    path(name, sizeof name, node->dir, "store/data.mdb");
    if (stat(name, &info) != 0)
        load_fail("%s: %s", name, strerror(errno));
    return (size_t)info.st_blocks * 512;
}

double load_own_cpu_us(void)
{
    struct rusage own;
    getrusage(RUSAGE_SELF, &own);
    return (double)(own.ru_utime.tv_sec + own.ru_stime.tv_sec) * 1e6 +
           (double)(own.ru_utime.tv_usec + own.ru_stime.tv_usec);
}
