/* Inside the preloaded library: does this call fail? */
#ifndef TESTS_FAULTS_INJECT_ASK_H
#define TESTS_FAULTS_INJECT_ASK_H

#include "inject.h"

#include <errno.h>

#define EXPORT __attribute__((visibility("default")))

bool inject_fails(enum inject_call call);
bool inject_is_socket(int fd);
bool inject_is_file(int fd);

/* The table that counts; NULL: none. */
struct inject *inject_table(void);

/* The C library's own function of that name, into the pointer to a function at that place. */
void inject_next(const char *name, void *function);

#define FAIL_WITH(call, error)                                                                               \
    if (inject_fails(call)) {                                                                                \
        errno = (error);                                                                                     \
        return -1;                                                                                           \
    }

#endif
