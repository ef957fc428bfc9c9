/* A network namespace for each node, and one for this process, so that links can go down as they do between
 * machines. Needs the right to make namespaces; without it everything is on the loopback device. */
#ifndef TESTS_FAULTS_SPACE_H
#define TESTS_FAULTS_SPACE_H

#include <stdbool.h>
#include <stddef.h>

/* False, and nothing is changed, where this machine doesn't allow it. */
bool space_new(size_t nodes);

/* Where the node listens, and where others find it: 64 bytes each. */
void space_addresses(size_t node, char *target, char *found);

/* In the child that becomes the node's daemon. */
void space_enter(size_t node);

/* The node's cable is pulled or put back; false where there is none. */
bool space_toggle(size_t node);
void space_heal(size_t node);

#endif
