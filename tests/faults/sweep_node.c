#include "sweep_node.h"

#include "sweep.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_SIZE = 100000, POSTS = 20, PATIENCE_MS = 60000, ENVIRONMENT_MAX = 512 };

static struct fleet f;
static pid_t maker;
static char said[8192];
static bool hidden;

const struct daemon *sweep_node(void)
{
    return &f.nodes[0];
}

const struct member *sweep_member(void)
{
    return &f.members[0];
}

const struct hanse_id *sweep_room(void)
{
    return &f.room;
}

void sweep_node_run(void)
{
    if (f.nodes[0].pid == 0)
        daemon_start(&f.nodes[0]);
}

static enum hanse_err read_file(void *context, uint64_t offset, uint8_t *buffer, size_t length)
{
    (void)context;
    for (size_t i = 0; i < length; i++)
        buffer[i] = (uint8_t)((offset + i) * 31);
    return HANSE_OK;
}

static void attach(struct member *m)
{
    const struct hanse_file file = {.name = "film", .size = FILE_SIZE};
    int64_t end = fault_now_ms() + PATIENCE_MS;
    uint64_t op;
    enum hanse_err err = hanse_attach(m->h, &f.room, &file, read_file, NULL, &op);
    FAULT_CHECK(err == HANSE_OK, "nothing can be attached: %s", hanse_err_name(err));
    while (m->op != op) {
        FAULT_CHECK(fault_now_ms() < end, "attaching takes too long");
        fleet_turn(&f, 50);
    }
    FAULT_CHECK(m->done.err == HANSE_OK, "attaching: %s", hanse_err_name(m->done.err));
}

static void remove_node(void)
{
    if (getpid() == maker)
        fault_folder_remove(f.dir);
}

void sweep_node_make(void)
{
    if (maker != 0)
        return;
    fleet_make(&f, 1, NULL);
    fleet_start(&f, 5);
    for (size_t i = 0; i < POSTS; i++)
        fleet_post(&f, &f.members[0]);
    attach(&f.members[0]);
    fleet_settle(&f, PATIENCE_MS);
    hanse_close(f.members[0].h);
    daemon_stop(&f.nodes[0]);
    maker = getpid();
    atexit(remove_node);
}

char *const *sweep_environment(const char *of)
{
    static char preload[300], table[400], *out[ENVIRONMENT_MAX];
    size_t n = 0;
    snprintf(preload, sizeof preload, "LD_PRELOAD=%s", INJECT_LIBRARY);
    snprintf(table, sizeof table, INJECT_FILE "=%s", of);
    for (; environ[n] != NULL && n + 3 < ENVIRONMENT_MAX; n++)
        out[n] = environ[n];
    out[n++] = preload;
    out[n++] = table;
    out[n] = NULL;
    return out;
}

static _Noreturn void become(const char *const *args, int out)
{
    char *const *with = hidden || sweep_call() == INJECT_NONE ? environ : sweep_environment(sweep_table());
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    close_range(3, ~0U, 0);
    execve(HANSED, (char *const *)(uintptr_t)args, with);
    _exit(127);
}

void sweep_hide(bool hide)
{
    hidden = hide;
}

void sweep_node_stop(void)
{
    if (f.nodes[0].pid != 0)
        daemon_stop(&f.nodes[0]);
}

int sweep_run(const char *const *args)
{
    int fds[2], status = 0;
    size_t len = 0;
    enum inject_call call = sweep_call();
    sweep_spare(true);
    FAULT_CHECK(pipe2(fds, O_CLOEXEC) == 0, "no pipe");
    pid_t pid = fork();
    FAULT_CHECK(pid >= 0, "fork failed");
    if (pid == 0)
        become(args, fds[1]);
    close(fds[1]);
    for (ssize_t got; len + 1 < sizeof said && (got = read(fds[0], said + len, sizeof said - 1 - len)) > 0;)
        len += (size_t)got;
    said[len] = '\0';
    close(fds[0]);
    FAULT_CHECK(waitpid(pid, &status, 0) == pid, "it is gone");
    sweep_spare(false);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && call == INJECT_RANDOM)
        return SWEEP_ABORTED;
    FAULT_CHECK(WIFEXITED(status), "hansed %s ended with status %d: %s", args[1], status, said);
    return WEXITSTATUS(status);
}

enum hs_err sweep_told(int code)
{
    FAULT_CHECK(code == 0 || code == 1 || code == 3 || code == SWEEP_ABORTED, "it ended with %d: %s", code,
                said);
    FAULT_CHECK(code == 0 || code == SWEEP_ABORTED || said[0] != '\0', "it doesn't say why it failed");
    return code == 0 ? HS_OK : HS_ERR_IO;
}

const char *sweep_said(void)
{
    return said;
}

void sweep_shell(const char *format, ...)
{
    char command[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    sweep_spare(true);
    FAULT_CHECK(system(command) == 0, "%s", command);
    sweep_spare(false);
}
