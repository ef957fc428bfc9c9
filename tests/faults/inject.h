/* Calls of a process that are made to fail: inject.c, preloaded, asks this table, which the harness shares.
 */
#ifndef TESTS_FAULTS_INJECT_H
#define TESTS_FAULTS_INJECT_H

#include <stdatomic.h>

/* In the environment of a process: the file that holds struct inject. */
#define INJECT_FILE "HANSE_INJECT"

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
    INJECT_WATCH,      /* what waiting needs (epoll, eventfd): ENOMEM */
    INJECT_CALLS
};

struct inject {
    atomic_uint call;
    atomic_long in; /* the one that many calls from now fails */
    atomic_uint on; /* and all behind it */
    atomic_uint hits;
};

#endif
