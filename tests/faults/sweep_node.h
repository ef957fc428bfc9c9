/* A node with a room, posts and an attachment, stopped, and commands that are run as an attempt's act. */
#ifndef TESTS_FAULTS_SWEEP_NODE_H
#define TESTS_FAULTS_SWEEP_NODE_H

#include "fleet.h"

#include "base/err.h"

enum { SWEEP_ABORTED = 200 /* for lack of randomness: libsodium does */ };

/* Once in the first process; again is fine. */
void sweep_node_make(void);
const struct daemon *sweep_node(void);

/* From now on it runs, and nothing of it ever fails; the device of its owner, which nobody has open, and its
 * room. */
void sweep_node_run(void);
void sweep_node_stop(void);
const struct member *sweep_member(void);
const struct hanse_id *sweep_room(void);

/* Runs hansed to its end, under the faults of this attempt while there are any; its exit code. */
int sweep_run(const char *const *args);

/* What it said, on whichever stream. */
const char *sweep_said(void);

/* Commands are spared, although something is to fail. */
void sweep_hide(bool hide);

/* Of a process that has the library and that table; sweep_table(): its calls are those of this attempt. */
char *const *sweep_environment(const char *table);

/* What a command's exit code came to; it must be one of a command that knows what happened, and say so. */
enum hs_err sweep_told(int code);

__attribute__((format(printf, 1, 2))) void sweep_shell(const char *format, ...);

#endif
