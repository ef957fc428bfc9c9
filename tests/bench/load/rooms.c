/* Many rooms at one node. */
#include "crowd.h"

#include <stdlib.h>

enum { ROOMS = 2000, MEMBERS = 20, DEVICES = 1000, STAFF = 50, IN_FLIGHT = 65536, CALM = 2500 };

struct town {
    struct crowd c;
    struct load_room *rooms;
    struct load_device **members;
    size_t count;
};

/* Each device is in as many rooms as every other: neighbours of ever wider steps. */
static void town_make(struct town *t)
{
    *t = (struct town){.count = load_options.quick ? ROOMS / 20 : ROOMS};
    size_t devices = load_options.quick ? DEVICES / 5 : DEVICES, others = devices - STAFF;
    crowd_make(&t->c, "hub", devices, STAFF);
    t->rooms = crowd_memory(t->count, sizeof *t->rooms);
    t->members = crowd_memory(t->count * MEMBERS, sizeof(void *));
    for (size_t r = 0; r < t->count; r++) {
        struct load_device **members = t->members + r * MEMBERS;
        members[0] = &t->c.devices[r % STAFF];
        for (size_t i = 1; i < MEMBERS; i++)
            members[i] = &t->c.devices[STAFF + (r * (MEMBERS - 1) + i - 1) % others];
        t->rooms[r] = (struct load_room){.members = members, .member_count = MEMBERS};
    }
    for (size_t r = 0; r < t->count; r += STAFF)
        load_rooms_make(t->rooms + r, t->count - r < STAFF ? t->count - r : STAFF);
    load_devices_attach(t->c.devices, devices);
    load_cursors_start(t->c.devices, devices);
}

void load_many_rooms(void)
{
    struct town t;
    static struct load_result r;
    town_make(&t);
    struct load_plan plan = {.rooms = t.rooms,
                             .room_count = t.count,
                             .posters = MEMBERS,
                             .window = IN_FLIGHT / MEMBERS,
                             .warm_s = load_options.quick ? 0.5 : 2,
                             .seconds = load_options.seconds,
                             .nodes = &t.c.node,
                             .node_count = 1};
    for (size_t i = 0; i < t.count; i++)
        load_room_fill(&t.rooms[i], 16 + (size_t)(plan.seconds * 10000) / t.count);
    load_drive(&plan, &r);
    load_line("many_rooms", t.count);
    load_report_drive(&r);
    plan.messages_per_second = (double)CALM / MEMBERS;
    load_calm("many_rooms_calm", t.count, &plan, &r);
    load_cursors_stop();
    for (size_t i = 0; i < t.count; i++)
        load_room_free(&t.rooms[i]);
    crowd_free(&t.c);
    free(t.rooms);
    free(t.members);
}
