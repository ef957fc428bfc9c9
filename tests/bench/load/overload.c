/* Not for speed: what a node does that has too much to do, and what one follower that stands still costs its
 * hub. Ends where something isn't as the spec says. DELIVERY-58, DELIVERY-64, DELIVERY-65 */
#include "crowd.h"

#include <signal.h>
#include <stdlib.h>

enum {
    PINGS_MAX = 200000, /* a node that takes so many isn't limited at all */
    WINDOW = 64,
    POSTS = 600,
    AGAIN_MAX_MS = 4000,
    POST_SIZE = 6000,    /* of a follower's backlog */
    BACKLOG = 1500,      /* posts: 9 MiB */
    MEMORY_MAX = 4 << 20 /* a session's queue and budget, and what the node takes for others meanwhile */
};

/* What was refused for the moment, by its request. */
static struct {
    uint64_t first;        /* the request of posts[0] in this volley */
    bool refused[POSTS];   /* by its place among the posts */
    size_t place[POSTS];   /* the volley's n-th is the place[n]-th post */
    size_t count, limited; /* of the volley; refusals in all */
} volley;

static void on_refused(const struct load_device *device, uint64_t id, const Hanse__Error *error)
{
    (void)device;
    enum hs_err err = hs_err_from_wire(error->code);
    if (!hs_err_is_transient(err) || error->retry_after_ms == 0 || error->retry_after_ms > AGAIN_MAX_MS)
        load_fail("refused with %s, to be asked again in %u ms", hs_err_name(err), error->retry_after_ms);
    volley.limited++;
    if (volley.first != 0 && id >= volley.first && id < volley.first + volley.count)
        volley.refused[volley.place[id - volley.first]] = true;
}

static void ping_until_refused(struct load_device *device)
{
    for (size_t i = 0; i < PINGS_MAX && volley.limited == 0; i++) {
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Ping ping = HANSE__PING__INIT;
        frame.ping = &ping;
        frame.body_case = HANSE__FRAME__BODY_PING;
        load_ask(device, &frame);
        while (load_waiting >= WINDOW)
            load_run_once();
    }
    if (volley.limited == 0)
        load_fail("nothing was refused");
}

static void post(struct load_device *device, struct load_room *room, struct hs_bytes message)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__SubmitMessage s = HANSE__SUBMIT_MESSAGE__INIT;
    s.room = hs_pb_data(HS_VIEW(room->id));
    s.persona = hs_pb_data(HS_VIEW(load_persona_at(device, room->hub)->signer.pub));
    s.message = hs_pb_data(message);
    frame.submit_message = &s;
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    load_ask(device, &frame);
}

/* All that isn't taken yet, in its order; returns how many that were. */
static size_t post_volley(struct load_device *device, struct load_room *room,
                          const struct load_message *posts)
{
    volley.count = 0;
    volley.first = device->asked + 1;
    for (size_t i = 0; i < POSTS; i++) {
        if (!volley.refused[i])
            continue;
        volley.refused[i] = false;
        volley.place[volley.count++] = i;
        post(device, room, posts[i].bytes);
    }
    load_settle();
    return volley.count;
}

static void wait_ms(unsigned ms)
{
    for (uint64_t end = uv_hrtime() + ms * 1000000ull; uv_hrtime() < end;)
        uv_run(load_loop(), UV_RUN_NOWAIT);
}

/* The posts are the log's last records: all of them, once, in their order. */
static void check_order(const struct load_room *room, const struct load_message *posts)
{
    for (size_t i = 0; i < POSTS; i++) {
        const struct load_entry *entry = &room->entries[room->entry_count - POSTS + i];
        if (memmem(room->bytes + entry->at, entry->len, posts[i].bytes.data, posts[i].bytes.len) == NULL)
            load_fail("post %zu isn't where it belongs", i);
    }
}

void load_overload(void)
{
    enum { MEMBERS = 3 };
    struct crowd c;
    struct load_room room;
    struct load_device *members[MEMBERS];
    size_t volleys = 0;
    crowd_make(&c, "hub", MEMBERS, 1);
    for (size_t i = 0; i < MEMBERS; i++)
        members[i] = &c.devices[i];
    load_room_make(&room, members, MEMBERS);
    load_devices_attach(c.devices, MEMBERS);
    uint64_t end = room.tip.next_seq + POSTS;
    load_room_fill(&room, POSTS);
    load_refused = on_refused;
    ping_until_refused(members[0]);
    for (size_t i = 0; i < POSTS; i++) {
        volley.refused[i] = true;
        load_note_sent(room.pool[i].bytes);
    }
    while (post_volley(members[0], &room, room.pool) > 0) {
        volleys++;
        wait_ms(1100);
    }
    while (members[1]->places[0].next < end || members[2]->places[0].next < end)
        load_run_once();
    if (room.tip.next_seq != end || volleys < 2)
        load_fail("%llu records instead of %llu in %zu volleys", (unsigned long long)room.tip.next_seq,
                  (unsigned long long)end, volleys);
    check_order(&room, room.pool);
    load_refused = NULL;
    load_line("overload", POSTS);
    load_value("refused", (double)volley.limited);
    load_value("volleys", (double)volleys);
    load_line_end();
    load_room_free(&room);
    crowd_free(&c);
}

/* ---- a follower that stands still ---- */

struct cost {
    size_t memory, stored;
};

static struct cost cost_of(const struct load_node *node)
{
    return (struct cost){load_node_memory(node), load_node_stored(node)};
}

/* The hub's own members post to each other; how much larger the hub is then. */
static struct cost backlog(struct load_room *room, struct load_node *hub, size_t readers)
{
    static struct load_result r;
    struct load_plan plan = {
        .rooms = room, .room_count = 1, .window = WINDOW, .messages = BACKLOG, .nodes = hub, .node_count = 1};
    plan.posters = readers;
    room->readers = readers;
    struct cost before = cost_of(hub);
    load_drive(&plan, &r);
    struct cost after = cost_of(hub);
    return (struct cost){after.memory > before.memory ? after.memory - before.memory : 0,
                         after.stored - before.stored};
}

static void until_all_have(struct load_device *devices, size_t count, const struct load_room *room)
{
    for (size_t i = 0; i < count; i++)
        while (devices[i].places[0].next < room->tip.next_seq)
            load_run_once();
}

void load_standstill(void)
{
    enum { HERE = 3, THERE = 3 };
    struct crowd at[2];
    struct load_room room;
    struct load_device *members[HERE + THERE];
    crowd_make(&at[0], "hub", HERE, 1);
    crowd_make(&at[1], "other", THERE, 0);
    for (size_t i = 0; i < HERE + THERE; i++)
        members[i] = i < HERE ? &at[0].devices[i] : &at[1].devices[i - HERE];
    load_devices_bind(at[1].devices, THERE, &at[0].node);
    load_room_make(&room, members, HERE + THERE);
    load_devices_await(at[1].devices, THERE);
    for (size_t i = 0; i < 2; i++)
        load_devices_attach(at[i].devices, at[i].count);
    room.post_size = POST_SIZE;
    struct cost live = backlog(&room, &at[0].node, HERE);
    until_all_have(at[1].devices, THERE, &room);
    kill(at[1].node.pid, SIGSTOP);
    struct cost still = backlog(&room, &at[0].node, HERE);
    kill(at[1].node.pid, SIGCONT);
    if (still.memory > MEMORY_MAX)
        load_fail("a follower that stands still costs %zu bytes of memory", still.memory);
    if (still.stored > live.stored + live.stored / 2)
        load_fail("a log takes %zu bytes with a follower that stands still, and %zu with one that reads",
                  still.stored, live.stored);
    until_all_have(at[1].devices, THERE, &room);
    load_line("standstill", BACKLOG);
    load_value("memory_bytes", (double)still.memory);
    load_value("stored_bytes", (double)still.stored);
    load_value("stored_bytes_live", (double)live.stored);
    load_line_end();
    load_settle();
    load_room_free(&room);
    crowd_free(&at[0]);
    crowd_free(&at[1]);
}
