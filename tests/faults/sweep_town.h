/* Stories of devices in a town (unit/client/town.h: nodes and devices of one process, a clock of their own):
 * what one of them does is done under faults, while everybody else is well. Each attempt begins in the same
 * town. */
#ifndef TESTS_FAULTS_SWEEP_TOWN_H
#define TESTS_FAULTS_SWEEP_TOWN_H

#include "store/posts.h"
#include "store/rooms.h"
#include "sweep.h"
#include "town.h"

struct town_story {
    /* Once: the town as it is before. Returns whose story it is. */
    struct town_device *(*found)(void);

    /* In each attempt, without faults, while everybody but that one is up; NULL: nothing. */
    void (*begin)(void);

    /* What it wants, and again where that came to nothing. NULL: things come by themselves. */
    enum hs_err (*want)(struct hs_step *s, uint64_t *op);

    /* It came to what was wanted. */
    bool (*is_done)(void);

    /* Nothing is lost or doubled. The device is up, and nothing fails. */
    void (*check)(void);
};

void town_story_found(const struct town_story *story);
void town_story_begin(void);
enum hs_err town_story_act(void);
void town_story_check(enum hs_err told);
void town_story_end(void);

/* Its calls that may fail: memory and the store's file. */
#define TOWN_STORY_CALLS                                                                                     \
    (1u << INJECT_MALLOC | 1u << INJECT_FILE_WRITE | 1u << INJECT_FILE_FULL | 1u << INJECT_SYNC |            \
     1u << INJECT_OPEN | 1u << INJECT_MMAP | 1u << INJECT_FILE_READ | 1u << INJECT_NAME)

#define TOWN_SCENE(called, story)                                                                            \
    static void called##_found(void)                                                                         \
    {                                                                                                        \
        town_story_found(&(story));                                                                          \
    }                                                                                                        \
    const struct sweep_scene sweep_##called = {.name = #called,                                              \
                                               .calls = TOWN_STORY_CALLS,                                    \
                                               .found = called##_found,                                      \
                                               .begin = town_story_begin,                                    \
                                               .act = town_story_act,                                        \
                                               .check = town_story_check,                                    \
                                               .end = town_story_end,                                        \
                                               .fresh = true}

/* Both post and hear each other, once, and neither shows anything that was refused. */
void town_talk(struct town_device *a, struct town_device *b, const struct hs_id *room);

/* The room as d's store has it, without its descriptor; how many lines of that kind d shows. */
struct hs_room_row town_room_row(struct town_device *d, const struct hs_id *room);
size_t town_lines(struct town_device *d, const struct hs_id *room, enum hanse_message_kind kind);

#endif
