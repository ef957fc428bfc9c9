/* Preloaded into a daemon: makes the calls fail that the table names. The calls themselves go to the kernel,
 * memory comes from the C library's own names. Here: the table and memory. */
#include "inject_ask.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
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

/* Behind each block lies whether it counts: got by an unspared thread since the counting began. So it doesn't
 * matter who gives it back, or when. */
enum { TAG = sizeof(uint64_t) };

static atomic_uint_fast64_t era; /* of counting */

EXPORT void inject_count(void);
EXPORT void inject_count(void)
{
    atomic_fetch_add(&era, 1);
    if (table != NULL)
        atomic_store(&table->live, 0);
}

static void *tag_place(void *block)
{
    return (uint8_t *)block + malloc_usable_size(block) - TAG;
}

/* What nobody else writes there by chance. */
static uint64_t tag_of(const void *block)
{
    return (uint64_t)(uintptr_t)block ^ (0x9e3779b97f4a7c15u * (atomic_load(&era) + 1));
}

static void *tagged(void *block, bool counts)
{
    uint64_t tag = counts ? tag_of(block) : 0;
    if (block == NULL)
        return NULL;
    memcpy(tag_place(block), &tag, sizeof tag);
    if (counts)
        atomic_fetch_add(&table->live, 1);
    return block;
}

/* It counts no longer; whether it did. */
static bool untagged(void *block)
{
    static const uint64_t none = 0;
    uint64_t tag;
    memcpy(&tag, tag_place(block), sizeof tag);
    if (table == NULL || tag != tag_of(block))
        return false;
    memcpy(tag_place(block), &none, sizeof none);
    atomic_fetch_sub(&table->live, 1);
    return true;
}

static void *counted(void *block)
{
    return tagged(block, table != NULL && !spared);
}

static size_t with_tag(size_t size)
{
    return size <= SIZE_MAX - TAG ? size + TAG : SIZE_MAX; /* which nobody gets */
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
    return scarce() ? NULL : counted(__libc_malloc(with_tag(size)));
}

EXPORT void *calloc(size_t count, size_t size)
{
    size_t all;
    if (__builtin_mul_overflow(count, size, &all))
        all = SIZE_MAX;
    return scarce() ? NULL : counted(__libc_calloc(1, with_tag(all)));
}

EXPORT void *realloc(void *old, size_t size)
{
    if (old != NULL && size == 0) {
        free(old);
        return NULL;
    }
    if (scarce())
        return NULL;
    if (old == NULL)
        return counted(__libc_realloc(NULL, with_tag(size)));
    bool counts = untagged(old);
    void *block = __libc_realloc(old, with_tag(size));
    tagged(block != NULL ? block : old, counts);
    return block;
}

EXPORT void *memalign(size_t at, size_t size)
{
    return scarce() ? NULL : counted(__libc_memalign(at, with_tag(size)));
}

EXPORT void *aligned_alloc(size_t at, size_t size)
{
    return memalign(at, size);
}

EXPORT int posix_memalign(void **out, size_t at, size_t size)
{
    void *block = memalign(at, size);
    if (block == NULL)
        return ENOMEM;
    *out = block;
    return 0;
}

EXPORT void free(void *block)
{
    int saved = errno;
    if (block != NULL)
        untagged(block);
    __libc_free(block);
    errno = saved;
}

EXPORT void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
    if (fd >= 0 && inject_fails(INJECT_MMAP)) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}
