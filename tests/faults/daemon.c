#include "daemon.h"

#include "fault.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READY_FD = 3, ARGS_MAX = 24 };

/* In the child: out and err go there, ready becomes READY_FD; the child never outlives its parent. */
static _Noreturn void become(const char *const *args, char *const *environment, int out, int err, int ready,
                             pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    dup2(out, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    if (ready >= 0 && ready != READY_FD)
        dup2(ready, READY_FD);
    close_range(ready >= 0 ? READY_FD + 1 : READY_FD, ~0U, 0);
    execve(HANSED, (char *const *)(uintptr_t)args, environment != NULL ? environment : environ);
    _exit(127);
}

static pid_t spawn(const struct daemon *d, const char *const *args, char *const *environment, int out,
                   int err, int ready)
{
    pid_t parent = getpid(), pid = fork();
    FAULT_CHECK(pid >= 0, "fork failed");
    if (pid == 0 && d != NULL && d->enter != NULL)
        d->enter(d->index);
    if (pid == 0)
        become(args, environment, out, err, ready, parent);
    return pid;
}

/* Runs it to its end; what it prints goes to out. */
static void run(const char *const *args, char *out, size_t size)
{
    int fds[2], status = 0;
    size_t len = 0;
    FAULT_CHECK(pipe2(fds, O_CLOEXEC) == 0, "no pipe");
    pid_t pid = spawn(NULL, args, NULL, fds[1], STDERR_FILENO, -1);
    close(fds[1]);
    for (ssize_t got; len + 1 < size && (got = read(fds[0], out + len, size - 1 - len)) > 0;)
        len += (size_t)got;
    out[len] = '\0';
    close(fds[0]);
    FAULT_CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0,
                "hansed %s failed", args[1]);
}

void daemon_make(struct daemon *d, const char *under, const char *domain, const char *address,
                 const char *advertise)
{
    char said[4096];
    *d = (struct daemon){0};
    snprintf(d->domain, sizeof d->domain, "%s", domain);
    snprintf(d->address, sizeof d->address, "%s", address);
    snprintf(d->dir, sizeof d->dir, "%s/%s", under, domain);
    snprintf(d->store, sizeof d->store, "%s/store", d->dir);
    snprintf(d->config, sizeof d->config, "%s/hansed.conf", d->dir);
    snprintf(d->log, sizeof d->log, "%s.log", d->dir);
    const char *args[] = {
        "hansed",  "init",     "--domain", domain,        "--dir",
        d->dir,    "--listen", address,    "--advertise", advertise != NULL ? advertise : address,
        "--owner", "owner",    NULL};
    run(args, said, sizeof said);
    FILE *file = fopen(d->config, "a"); /* its last section is the one of limits */
    FAULT_CHECK(file != NULL, "no %s", d->config);
    fputs("connections_per_second = 1000000\nconnections_burst = 1000000\ndisk_reserve_mib = 1\nstore_gib = "
          "1\n",
          file);
    fclose(file);
}

bool daemon_try(struct daemon *d)
{
    const char *args[] = {"hansed", "--config", d->config, "--ready-fd", "3", NULL};
    char line[256] = "";
    int fds[2];
    int log = open(d->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FAULT_CHECK(log >= 0 && pipe2(fds, O_CLOEXEC) == 0, "no log of %s", d->domain);
    d->pid = spawn(d, args, d->environment, log, log, fds[1]);
    close(fds[1]);
    close(log);
    ssize_t got = read(fds[0], line, sizeof line - 1);
    close(fds[0]);
    d->starts++;
    return got > 0 && strncmp(line, "ready ", 6) == 0;
}

void daemon_start(struct daemon *d)
{
    FAULT_CHECK(daemon_try(d), "%s doesn't start: see %s", d->domain, d->log);
}

void daemon_kill(struct daemon *d)
{
    int status;
    if (d->pid == 0)
        return;
    FAULT_CHECK(daemon_lives(d, &status), "%s ended by itself (status %d): see %s", d->domain, status,
                d->log);
    kill(d->pid, SIGKILL);
    waitpid(d->pid, &status, 0);
    d->pid = 0;
}

void daemon_stop(struct daemon *d)
{
    int status = 0;
    kill(d->pid, SIGTERM);
    waitpid(d->pid, &status, 0);
    d->pid = 0;
    FAULT_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s stopped with status %d: see %s", d->domain,
                status, d->log);
}

bool daemon_lives(struct daemon *d, int *status)
{
    *status = 0;
    if (waitpid(d->pid, status, WNOHANG) == 0)
        return true;
    d->pid = 0;
    return false;
}

void daemon_ticket(const struct daemon *d, char *out, size_t size, const char *const *options)
{
    const char *args[ARGS_MAX] = {"hansed", "ticket", "--config", d->config};
    size_t n = 4;
    for (; *options != NULL && n + 1 < ARGS_MAX; options++)
        args[n++] = *options;
    run(args, out, size);
    out[strcspn(out, "\n")] = '\0';
}

void daemon_grant(const struct daemon *d, char *out, size_t size, const char *key, const char *role)
{
    const char *args[] = {"hansed", "grant", "--config", d->config, "--key", key, "--role", role, NULL};
    run(args, out, size);
    out[strcspn(out, "\n")] = '\0';
}
