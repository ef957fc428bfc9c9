/* Calls of a process that are made to fail: inject.c, preloaded, asks this table, which the harness shares.
 */
#ifndef TESTS_FAULTS_INJECT_H
#define TESTS_FAULTS_INJECT_H

#include <stdatomic.h>
#include <stdbool.h>

/* In the environment of a process: the file that holds struct inject. */
#define INJECT_FILE "HANSE_INJECT"

/* There, too, for people: the first call that fails says where it was made. */
#define INJECT_TRACE "HANSE_INJECT_TRACE"

enum inject_call {
    INJECT_NONE,
    INJECT_MALLOC,
    INJECT_FILE_WRITE, /* EIO */
    INJECT_FILE_FULL,  /* the same calls: ENOSPC */
    INJECT_SYNC,       /* EIO */
    INJECT_OPEN,       /* EMFILE */
    INJECT_MMAP,       /* ENOMEM */
    INJECT_READ,       /* of a socket: ECONNRESET */
    INJECT_WRITE,      /* to a socket: EPIPE */
    INJECT_SHORT,      /* to a socket: one byte goes */
    INJECT_ACCEPT,     /* EMFILE */
    INJECT_CONNECT,    /* ENETUNREACH */
    INJECT_INTERRUPT,  /* waiting, reading and writing: EINTR */
    INJECT_RANDOM,     /* getrandom: EIO */
    INJECT_WATCH,      /* what waiting needs (epoll, eventfd, poll): ENOMEM */
    INJECT_FILE_READ,  /* EIO */
    INJECT_NAME,       /* of a file or folder, made, changed or taken away: EIO */
    INJECT_SOCKET,     /* made, bound: EMFILE */
    INJECT_THREAD,     /* made: EAGAIN */
    INJECT_CALLS
};

/* What they are called, for people; inject_names.c. */
extern const char *const inject_names[INJECT_CALLS];

struct inject {
    atomic_uint call;
    atomic_long in; /* the one that many calls from now fails */
    atomic_uint on; /* and all behind it */
    atomic_uint hits;
    atomic_uint sync_ms;    /* every sync takes so much longer */
    atomic_long live;       /* blocks of memory that threads that aren't spared got, and nobody gave back */
    atomic_uint host;       /* 127.x.y.z as in_addr_t: sockets are bound and connected there that ask for
                             * another address of this machine; 0: where they ask for */
    atomic_uint bad_closes; /* of what wasn't open: it may be somebody else's by then */
};

/* From now on the next inth call of that kind fails; on: and all behind it. INJECT_NONE: nothing. */
static inline void inject_arm(struct inject *table, enum inject_call call, long in, bool on)
{
    atomic_store(&table->call, INJECT_NONE);
    atomic_store(&table->hits, 0);
    atomic_store(&table->in, in);
    atomic_store(&table->on, on);
    atomic_store(&table->call, call);
}

/* Of the library itself, which are looked up in a process that has it preloaded: another table counts; this
 * thread is spared: its calls don't fail, its memory isn't counted; what is got from now on counts, and
 * nothing from before. */
typedef void inject_use_fn(struct inject *table);
typedef void inject_spare_fn(bool spared);
typedef void inject_count_fn(void);

#endif
