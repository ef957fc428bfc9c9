/* Stories of a device at real nodes, over sockets: what it does is done under faults, while everybody else is
 * well. Each attempt begins in the same world (sweep_world.h). */
#ifndef TESTS_FAULTS_SWEEP_REAL_H
#define TESTS_FAULTS_SWEEP_REAL_H

#include "sweep.h"
#include "sweep_world.h"

struct real_story {
    size_t nodes;

    /* Once: the world as it is before. Returns whose story it is. */
    struct member *(*found)(struct fleet *f);

    /* In each attempt, without faults, when everybody else is online; NULL: nothing. */
    void (*begin)(void);

    /* What it wants, and again where that came to nothing. NULL: things come by themselves. */
    enum hanse_err (*want)(struct hanse *h, uint64_t *op);

    /* It came to what was wanted, as the device and others see it. */
    bool (*is_done)(struct hanse *h);

    /* It has begun, and somebody else is to go on with it: asking again now would be another wish. NULL: the
     * device says so itself. */
    bool (*is_under_way)(struct hanse *h);

    /* Nothing is lost or doubled. The device is online, and nothing fails. */
    void (*check)(struct hanse *h);
};

void real_found(const struct real_story *story);
void real_begin(void);
void real_again(void);
enum hs_err real_act(void);
void real_check(enum hs_err told);
void real_end(void);

/* Goes on, the device and everybody else, until that is so of it; false after ms. */
bool real_until(bool (*is_so)(struct hanse *h), int ms);

/* The device and another post and hear each other, once, and neither shows anything that was refused. */
void real_talk(struct member *other, const struct hanse_id *room);

/* How many lines of that kind somebody's history of the room has; text: that say this, or NULL. */
size_t real_lines(struct hanse *h, const struct hanse_id *room, enum hanse_message_kind kind,
                  const char *text);

/* How many entries that table of the store of somebody who is there has (store/tables.h). */
size_t real_rows(struct hanse *h, unsigned table);

/* Every entry of the store of somebody who isn't there can be read. */
void real_check_store(const struct member *m);

/* All of its calls may fail. With --all only: memory and files, which fail in a town, too, and randomness,
 * for lack of which libsodium aborts. */
#define REAL_RARE_CALLS                                                                                      \
    (1u << INJECT_RANDOM | 1u << INJECT_MALLOC | 1u << INJECT_FILE_WRITE | 1u << INJECT_FILE_FULL |          \
     1u << INJECT_SYNC | 1u << INJECT_OPEN | 1u << INJECT_MMAP | 1u << INJECT_FILE_READ | 1u << INJECT_NAME)

/* What each story does for certain. */
#define REAL_CERTAIN_CALLS                                                                                   \
    (1u << INJECT_MALLOC | 1u << INJECT_READ | 1u << INJECT_WRITE | 1u << INJECT_SHORT |                     \
     1u << INJECT_CONNECT | 1u << INJECT_INTERRUPT | 1u << INJECT_WATCH | 1u << INJECT_SOCKET |              \
     1u << INJECT_FILE_WRITE | 1u << INJECT_FILE_FULL | 1u << INJECT_SYNC | 1u << INJECT_OPEN |              \
     1u << INJECT_MMAP)

#define REAL_SCENE(called, story)                                                                            \
    static void called##_found(void)                                                                         \
    {                                                                                                        \
        real_found(&(story));                                                                                \
    }                                                                                                        \
    const struct sweep_scene sweep_real_##called = {.name = "real_" #called,                                 \
                                                    .rare = REAL_RARE_CALLS,                                 \
                                                    .certain = REAL_CERTAIN_CALLS,                           \
                                                    .found = called##_found,                                 \
                                                    .begin = real_begin,                                     \
                                                    .act = real_act,                                         \
                                                    .check = real_check,                                     \
                                                    .end = real_end,                                         \
                                                    .again = real_again,                                     \
                                                    .fresh = true,                                           \
                                                    .waits = true,                                           \
                                                    .may_abort = true}

#endif
