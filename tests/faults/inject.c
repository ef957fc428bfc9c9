/* Preloaded into a daemon: makes the calls fail that the table names. The calls themselves go to the kernel,
 * memory comes from the C library's own names. Here: the table and memory. */
#include "inject_ask.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t at, size_t size);
void __libc_free(void *block);

static struct inject *table;
static _Thread_local bool spared __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(INJECT_FILE);
    int fd = path != NULL ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map =
        (void *)syscall(SYS_mmap, NULL, sizeof *table, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)0);
    syscall(SYS_close, fd);
    if (map != MAP_FAILED)
        table = map;
}

EXPORT void inject_use(struct inject *other);
EXPORT void inject_use(struct inject *other)
{
    table = other;
}

EXPORT void inject_spare(bool is_spared);
EXPORT void inject_spare(bool is_spared)
{
    spared = is_spared;
}

struct inject *inject_table(void)
{
    return table;
}

/* From where the first call that fails was made, for addr2line. */
static void show_place(void)
{
    void *places[32];
    bool was = spared;
    spared = true;
    backtrace_symbols_fd(places, backtrace(places, 32), 2);
    spared = was;
}

bool inject_fails(enum inject_call call)
{
    if (table == NULL || spared || atomic_load(&table->call) != call)
        return false;
    long in = atomic_fetch_sub(&table->in, 1);
    bool now = in == 1 || (in < 1 && atomic_load(&table->on) != 0);
    if (call == INJECT_INTERRUPT && in % 2 == 0)
        now = false; /* nobody is interrupted for ever: whoever only tries again would never end */
    if (now && atomic_fetch_add(&table->hits, 1) == 0 && getenv(INJECT_TRACE) != NULL)
        show_place();
    return now;
}

bool inject_is_socket(int fd)
{
    struct stat info;
    int saved = errno;
    bool socket = fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
    errno = saved;
    return socket;
}

bool inject_is_file(int fd)
{
    struct stat info;
    int saved = errno;
    bool file = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
    errno = saved;
    return file && fd > 2; /* not the log */
}

void inject_next(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (found == NULL)
        abort();
    memcpy(function, &found, sizeof found);
}

/* ---- memory ---- */

static void *counted(void *block)
{
    if (block != NULL && table != NULL && !spared)
        atomic_fetch_add(&table->live, 1);
    return block;
}

static bool scarce(void)
{
    if (!inject_fails(INJECT_MALLOC))
        return false;
    errno = ENOMEM;
    return true;
}

EXPORT void *malloc(size_t size)
{
    return scarce() ? NULL : counted(__libc_malloc(size));
}

EXPORT void *calloc(size_t count, size_t size)
{
    return scarce() ? NULL : counted(__libc_calloc(count, size));
}

EXPORT void *realloc(void *old, size_t size)
{
    if (scarce())
        return NULL;
    void *block = __libc_realloc(old, size);
    if (old == NULL)
        return counted(block);
    if (block == NULL && size == 0 && table != NULL && !spared)
        atomic_fetch_sub(&table->live, 1);
    return block;
}

EXPORT void *memalign(size_t at, size_t size)
{
    return scarce() ? NULL : counted(__libc_memalign(at, size));
}

EXPORT void *aligned_alloc(size_t at, size_t size)
{
    return scarce() ? NULL : counted(__libc_memalign(at, size));
}

EXPORT int posix_memalign(void **out, size_t at, size_t size)
{
    void *block = scarce() ? NULL : counted(__libc_memalign(at, size));
    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

EXPORT void free(void *block)
{
    if (block != NULL && table != NULL && !spared)
        atomic_fetch_sub(&table->live, 1);
    __libc_free(block);
}

EXPORT void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (fd >= 0 && inject_fails(INJECT_MMAP)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}
