/* What all harnesses of this folder share: how they end where something is wrong, and where their files are.
 */
#ifndef TESTS_FAULTS_FAULT_H
#define TESTS_FAULTS_FAULT_H

#include <stdbool.h>
#include <stdint.h>

/* What is going on, for the message: "cycle 17 of seed 5". Formatted at once. */
void fault_at(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says what doesn't hold and ends the process; daemons die with it, files stay where they are. */
_Noreturn void fault_found(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define FAULT_CHECK(condition, ...)                                                                          \
    do {                                                                                                     \
        if (!(condition))                                                                                    \
            fault_found(__VA_ARGS__);                                                                        \
    } while (0)

/* A new folder, in memory where the machine has such a disk: a sync costs nothing there; or in /tmp. The
 * first one of a process removes those of harnesses that were ended before they could, and found nothing
 * within the last day. */
void fault_folder(char *out, unsigned size);
void fault_folder_on_disk(char *out, unsigned size);
void fault_folder_remove(const char *folder);

/* Monotonic milliseconds. */
int64_t fault_now_ms(void);

/* An address of 127/8 that belongs to this process alone, so that ports never meet. */
void fault_host(char *out, unsigned size);

#endif
