/* Running nodes and the devices of other people, made once; each attempt has a copy of its own, at an address
 * of its own, which nothing ever happens to. */
#ifndef TESTS_FAULTS_SWEEP_WORLD_H
#define TESTS_FAULTS_SWEEP_WORLD_H

#include "fleet.h"

/* In the first process: so many nodes run, and the founder has made a room, an invite and a campaign. What
 * was there before is gone. */
struct fleet *world_make(size_t nodes);

/* Everybody has stopped. */
void world_rest(void);

/* In an attempt: the copy runs, and everybody but one is online and has caught up. */
void world_wake(const struct member *but);

/* As much, in the copy of an attempt whose process has ended, and everybody with it. */
void world_wake_again(const struct member *but);
void world_stop(void);

#endif
