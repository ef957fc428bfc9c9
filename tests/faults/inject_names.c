#include "inject.h"

const char *const inject_names[INJECT_CALLS] = {
    "nothing", "malloc",      "file write: EIO", "file write: ENOSPC", "sync",        "open",
    "mmap",    "socket read", "socket write",    "short write",        "accept",      "connect",
    "EINTR",   "randomness",  "epoll",           "file read",          "file's name", "socket",
    "thread",
};
