/* Those who were away: one device far behind, thousands that return at once, and a node that starts again. */
#include "crowd.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

enum {
    BEHIND = 100000,
    WINDOW = 512,
    BACK = 5000,
    ROOM = 20, /* members of the rooms of those who return */
    WAITING = 20,
    LIVE_PER_S = 50,
    OPENING = 512, /* handshakes at once: this one program plays all devices, and mustn't be what the node
                      waits for */
    STATE_POST = 8000,
    STATE_BYTES = 1 << 30
};

static double ms_since(uint64_t start)
{
    return (double)(uv_hrtime() - start) / 1e6;
}

/* Many posts to those who are there. */
static void fill(struct load_room *room, struct load_node *node, size_t messages)
{
    static struct load_result r;
    struct load_plan plan = {.rooms = room,
                             .room_count = 1,
                             .posters = room->readers,
                             .window = WINDOW,
                             .messages = messages,
                             .nodes = node,
                             .node_count = 1};
    load_drive(&plan, &r);
}

void load_catch_up(void)
{
    enum { MEMBERS = 17 };
    size_t records = load_options.quick ? BEHIND / 20 : BEHIND;
    struct crowd c;
    struct load_room room;
    struct load_device *members[MEMBERS], *late;
    crowd_make(&c, "hub", MEMBERS, 1);
    for (size_t i = 0; i < MEMBERS; i++)
        members[i] = &c.devices[i];
    load_room_make(&room, members, MEMBERS);
    room.readers = MEMBERS - 1;
    late = members[MEMBERS - 1];
    load_devices_attach(c.devices, MEMBERS - 1);
    fill(&room, &c.node, records);
    double node = load_node_cpu_us(&c.node);
    uint64_t start = uv_hrtime();
    size_t bytes = room.len;
    load_device_attach(late);
    while (late->places[0].next < room.tip.next_seq)
        load_run_once();
    double ms = ms_since(start);
    load_line("catch_up", records);
    load_value("ms", ms);
    load_value("records_per_s", (double)records / ms * 1e3);
    load_value("mib_per_s", (double)bytes / ms * 1e3 / (1 << 20));
    load_value("node_us_per_record", (load_node_cpu_us(&c.node) - node) / (double)records);
    load_line_end();
    load_settle();
    load_room_free(&room);
    crowd_free(&c);
}

/* Everybody's room: those who return, and one of those who stay, whose posts are timed meanwhile. */
struct storm {
    struct crowd c;
    struct load_room *rooms, live;
    struct load_device **members, **live_members;
    size_t room_count, returned; /* returned: devices that have set out */
};

static void storm_make(struct storm *s)
{
    size_t back = load_options.quick ? BACK / 10 : BACK;
    *s = (struct storm){.room_count = back / (ROOM - 1)};
    size_t staff = s->room_count + ROOM;
    crowd_make(&s->c, "hub", staff + s->room_count * (ROOM - 1), staff);
    s->rooms = crowd_memory(s->room_count, sizeof *s->rooms);
    s->members = crowd_memory(s->room_count * ROOM, sizeof(void *));
    s->live_members = crowd_memory(ROOM, sizeof(void *));
    for (size_t r = 0; r < s->room_count; r++) {
        struct load_device **members = s->members + r * ROOM;
        members[0] = &s->c.devices[r];
        for (size_t i = 1; i < ROOM; i++)
            members[i] = &s->c.devices[staff + r * (ROOM - 1) + i - 1];
        s->rooms[r] = (struct load_room){.members = members, .member_count = ROOM};
    }
    load_rooms_make(s->rooms, s->room_count);
    for (size_t i = 0; i < ROOM; i++)
        s->live_members[i] = &s->c.devices[s->room_count + i];
    load_room_make(&s->live, s->live_members, ROOM);
    load_devices_close(s->c.devices + staff, s->room_count * (ROOM - 1));
    load_devices_attach(s->c.devices, staff);
    for (size_t r = 0; r < s->room_count; r++) {
        s->rooms[r].readers = 1;
        for (size_t i = 0; i < WAITING; i++)
            load_room_post(&s->rooms[r], 1);
    }
    load_settle();
}

static bool are_all_there(const struct storm *s)
{
    for (size_t r = 0; r < s->room_count; r++)
        for (size_t i = 0; i < ROOM; i++)
            if (s->rooms[r].members[i]->places[0].next < s->rooms[r].joined.next_seq + WAITING)
                return false;
    return true;
}

static void return_some(void *arg)
{
    struct storm *s = arg;
    for (; s->returned < s->c.count && load_opening < OPENING; s->returned++) {
        s->c.devices[s->returned].returning = true;
        load_connect(&s->c.devices[s->returned]);
    }
}

static bool is_over(void *arg)
{
    return_some(arg);
    return load_opening == 0 && are_all_there(arg);
}

void load_reconnect(void)
{
    struct storm s;
    static struct load_result r;
    storm_make(&s);
    struct load_plan plan = {.rooms = &s.live,
                             .room_count = 1,
                             .posters = ROOM,
                             .messages_per_second = LIVE_PER_S,
                             .warm_s = 1,
                             .seconds = 120,
                             .nodes = &s.c.node,
                             .node_count = 1,
                             .measured = return_some,
                             .is_over = is_over,
                             .arg = &s};
    s.returned = s.room_count + ROOM; /* the first of those who are away */
    load_drive(&plan, &r);
    size_t back = s.c.count - s.room_count - ROOM;
    load_line("reconnect", back);
    load_value("ms", r.seconds * 1e3);
    load_value("per_s", (double)back / r.seconds);
    load_value("again", (double)load_again);
    load_value("node_us_each", r.node_us / (double)back);
    load_value("p50_ms", load_times_at(&r.times, 0.5) / 1e6);
    load_value("p99_ms", load_times_at(&r.times, 0.99) / 1e6);
    load_line_end();
    for (size_t i = 0; i < s.room_count; i++)
        load_room_free(&s.rooms[i]);
    load_room_free(&s.live);
    crowd_free(&s.c);
    free(s.rooms);
    free(s.members);
    free(s.live_members);
}

static void kill_node(struct load_node *node)
{
    int status;
    kill(node->pid, SIGKILL);
    waitpid(node->pid, &status, 0);
    node->pid = 0;
}

void load_restart(void)
{
    enum { MEMBERS = 8 };
    size_t bytes = load_options.quick ? STATE_BYTES / 32 : STATE_BYTES;
    struct crowd c;
    struct load_room room;
    struct load_device *members[MEMBERS];
    crowd_make(&c, "hub", MEMBERS, 1);
    for (size_t i = 0; i < MEMBERS; i++)
        members[i] = &c.devices[i];
    load_room_make(&room, members, MEMBERS);
    room.post_size = STATE_POST;
    load_devices_attach(c.devices, MEMBERS);
    while (load_node_stored(&c.node) < bytes)
        fill(&room, &c.node, bytes / STATE_POST / 10);
    size_t stored = load_node_stored(&c.node);
    load_devices_close(c.devices, MEMBERS);
    kill_node(&c.node);
    double ready = load_node_start(&c.node);
    uint64_t start = uv_hrtime();
    load_devices_connect(c.devices, 1);
    load_devices_attach(c.devices, 1);
    double first = ms_since(start);
    load_line("restart", bytes >> 20);
    load_value("stored_mib", (double)stored / (1 << 20));
    load_value("asked_again", (double)load_asked_again);
    load_value("ready_ms", ready);
    load_value("first_session_ms", first);
    load_line_end();
    load_room_free(&room);
    crowd_free(&c);
}
