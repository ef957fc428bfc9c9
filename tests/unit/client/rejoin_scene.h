/* A room whose members' stores go back to old copies. */
#ifndef TESTS_CLIENT_REJOIN_SCENE_H
#define TESTS_CLIENT_REJOIN_SCENE_H

#include "town.h"

/* Rosa owns a room with Ben, Carl and Dora. */
struct scene {
    struct town *t;
    struct town_node *node, *other;
    struct town_device *rosa, *ben, *carl, *dora;
    struct hs_id room;
    const char *link;
    uint64_t epoch;
};

/* Runs, and stays online. */
void start(struct town_device *d);

/* Its store as it is now; the device goes on. */
struct hs_bytes copy_of(struct town_device *d);

/* The room is made as spec says; scene_new(): as any. */
struct scene scene_of(const struct hanse_room_spec *spec);
struct scene scene_new(void);

/* Posts a text, and returns its place in the log; whether d shows that line. */
uint64_t post(struct town_device *d, const struct hs_id *room, const char *text);
bool has(struct town_device *d, const struct hs_id *room, const char *line);

/* How many lines of that kind d shows. */
size_t lines(struct town_device *d, const struct hs_id *room, enum hanse_message_kind kind);

/* Rosa does. */
void removes(struct scene *c, struct town_device *whom);

/* To that copy of its store, and runs with it. */
void goes_back(struct town_device *d, struct hs_bytes copy);

/* Everybody hears everybody, nobody was removed, nothing was refused. */
void all_is_well(struct scene *c, uint32_t members);

/* A commit that does nothing but give the device new keys. */
enum hs_err new_keys(struct hs_step *s, const struct hs_id *id);

/* A packed Frame's body_case and id. */
uint32_t frame_kind(struct hs_bytes bytes, uint64_t *id);

#endif
