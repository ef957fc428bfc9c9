#include "fault.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char at[256];

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
    fflush(NULL);
    _exit(1);
}

void fault_folder(char *out, unsigned size)
{
    snprintf(out, size, "%s/hanse-faults-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    FAULT_CHECK(mkdtemp(out) != NULL, "no folder %s", out);
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
