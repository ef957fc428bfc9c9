#include "fault.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LOOKED_AT_S = 86400 /* so long somebody may want to see the files of what was found */ };

#define NAME "hanse-faults-%d-"

static char at[256];
static pid_t harness; /* the first of its processes that made a folder: its number is in the names of all */

static const char *memory_disk(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

/* That something was found by that harness. */
static void mark_path(char *out, size_t size, pid_t pid)
{
    snprintf(out, size, "%s/" NAME "found", memory_disk(), (int)pid);
}

void fault_at(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(at, sizeof at, format, args);
    va_end(args);
}

void fault_found(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "FOUND %s: ", at);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    char mark[64];
    mark_path(mark, sizeof mark, harness);
    if (harness != 0)
        (void)mkdir(mark, 0700);
    fflush(NULL);
    _exit(1);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *ftw)
{
    (void)info;
    (void)type;
    (void)ftw;
    return remove(path);
}

void fault_folder_remove(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* It was ended before it could tidy up. */
static bool is_left(pid_t pid)
{
    char mark[64];
    struct stat info;
    if (pid <= 0 || kill(pid, 0) == 0 || errno != ESRCH)
        return false;
    mark_path(mark, sizeof mark, pid);
    return stat(mark, &info) != 0 || time(NULL) - info.st_mtime > LOOKED_AT_S;
}

static void remove_left(const char *where)
{
    DIR *d = opendir(where);
    if (d == NULL)
        return;
    for (const struct dirent *entry; (entry = readdir(d)) != NULL;) {
        char path[300], end;
        int pid;
        if (sscanf(entry->d_name, "hanse-faults-%d%c", &pid, &end) != 2 || end != '-' || !is_left(pid))
            continue;
        snprintf(path, sizeof path, "%s/%s", where, entry->d_name);
        fault_folder_remove(path);
    }
    closedir(d);
}

static void folder_make(const char *where, char *out, unsigned size)
{
    if (harness == 0) {
        harness = getpid();
        remove_left("/tmp");
        remove_left("/dev/shm");
    }
    snprintf(out, size, "%s/" NAME "XXXXXX", where, (int)harness);
    FAULT_CHECK(mkdtemp(out) != NULL, "no folder %s", out);
}

void fault_folder(char *out, unsigned size)
{
    folder_make(memory_disk(), out, size);
}

void fault_folder_on_disk(char *out, unsigned size)
{
    folder_make("/tmp", out, size);
}

int64_t fault_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void fault_host(char *out, unsigned size)
{
    unsigned pid = (unsigned)getpid();
    snprintf(out, size, "127.%u.%u.%u", 100 + (pid >> 14) % 64, (pid >> 7) % 128, 1 + pid % 128);
}
