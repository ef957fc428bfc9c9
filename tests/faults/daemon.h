/* A real hansed of its own process. It ends with the process that started it. */
#ifndef TESTS_FAULTS_DAEMON_H
#define TESTS_FAULTS_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

struct daemon {
    char domain[64], address[64];
    char dir[128], store[160], config[160], log[160];
    char *const *environment; /* NULL: this process's */
    size_t index;
    void (*enter)(size_t index); /* what the child does first; NULL: nothing */
    pid_t pid;                   /* 0: not running */
    unsigned starts;
};

/* Makes the node of domain in its folder under under; advertise NULL: where it listens. */
void daemon_make(struct daemon *d, const char *under, const char *domain, const char *address,
                 const char *advertise);

/* Returns when it is ready. daemon_try: false where it ended instead. */
void daemon_start(struct daemon *d);
bool daemon_try(struct daemon *d);
void daemon_kill(struct daemon *d);

/* By SIGTERM; it must end well. */
void daemon_stop(struct daemon *d);

/* Still there; reaps it where not, and then *status is what waitpid() says. */
bool daemon_lives(struct daemon *d, int *status);

/* The text of a ticket; options: those of "hansed ticket", NULL at the end. */
void daemon_ticket(const struct daemon *d, char *out, size_t size, const char *const *options);

/* The text of a grant of that role to that key, 64 hex digits. */
void daemon_grant(const struct daemon *d, char *out, size_t size, const char *key, const char *role);

#endif
