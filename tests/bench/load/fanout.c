/* One room at one node, or half of it at another. */
#include "crowd.h"

#include <stdlib.h>

enum { IN_FLIGHT = 65536, POSTERS = 32, CALM = 2500, IDLE_FROM = 500, IDLE_TO = 2500, FEDERATED = 120 };

/* Deliveries that are under way at most; so many messages as that makes. */
static struct load_plan plan_for(struct load_room *room, struct load_node *nodes, size_t node_count)
{
    return (struct load_plan){.rooms = room,
                              .room_count = 1,
                              .posters = POSTERS,
                              .window = IN_FLIGHT / room->member_count,
                              .warm_s = load_options.quick ? 0.5 : 2,
                              .seconds = load_options.seconds,
                              .nodes = nodes,
                              .node_count = node_count};
}

static void run_saturated(const char *name, struct load_plan *plan, struct load_result *r)
{
    size_t n = plan->rooms->member_count;
    load_room_fill(plan->rooms, (size_t)(plan->seconds * 200000 / (double)n));
    load_drive(plan, r);
    load_line(name, n);
    load_report_drive(r);
}

static void run_calm(const char *name, struct load_plan *plan, struct load_result *r)
{
    size_t n = plan->rooms->member_count;
    plan->messages_per_second = (double)CALM / (double)n;
    plan->seconds *= 2;
    load_calm(name, n, plan, r);
}

static void fanout(size_t n)
{
    struct crowd c;
    struct load_room room;
    static struct load_result r;
    struct load_device **members = crowd_memory(n, sizeof *members);
    crowd_make(&c, "hub", n, 1);
    for (size_t i = 0; i < n; i++)
        members[i] = &c.devices[i];
    load_room_make(&room, members, n);
    load_devices_attach(c.devices, n);
    load_cursors_start(c.devices, n);
    struct load_plan plan = plan_for(&room, &c.node, 1);
    if (!load_options.calm_alone)
        run_saturated("room_fanout", &plan, &r);
    if (!load_options.saturation_alone)
        run_calm("room_fanout_calm", &plan, &r);
    load_cursors_stop();
    load_room_free(&room);
    crowd_free(&c);
    free(members);
}

void load_room_fanout(void)
{
    static const size_t sizes[] = {20, 50, 100, 200, 500};
    if (load_options.members > 0) {
        fanout(load_options.members);
        return;
    }
    for (size_t i = 0; i < (load_options.quick ? 2 : 5); i++)
        fanout(sizes[i]);
}

/* The other node's members come with the last commit: a further one would have to be settled by verdicts, as
 * soon as somebody else is connected, and these devices have no group to judge by. So they are as many as one
 * commit takes. */
static void federated(size_t n)
{
    struct crowd at[2];
    struct load_room room;
    static struct load_result r;
    struct load_device **members = crowd_memory(n, sizeof *members);
    crowd_make(&at[0], "hub", n - n / 2, 1);
    crowd_make(&at[1], "other", n / 2, 0);
    load_node_allow(&at[0].node, &at[1].node);
    load_node_allow(&at[1].node, &at[0].node);
    for (size_t i = 0; i < n; i++)
        members[i] = i < n - n / 2 ? &at[0].devices[i] : &at[1].devices[i - (n - n / 2)];
    load_devices_bind(at[1].devices, at[1].count, &at[0].node);
    load_room_make(&room, members, n);
    for (size_t i = 0; i < n; i++)
        members[i] = &at[i % 2].devices[i / 2]; /* posts come from both in turn */
    load_devices_await(at[1].devices, at[1].count);
    for (size_t i = 0; i < 2; i++)
        load_devices_attach(at[i].devices, at[i].count);
    struct load_node nodes[2] = {at[0].node, at[1].node};
    struct load_plan plan = plan_for(&room, nodes, 2);
    run_saturated("federated", &plan, &r);
    if (!load_options.saturation_alone)
        run_calm("federated_calm", &plan, &r);
    load_room_free(&room);
    crowd_free(&at[0]);
    crowd_free(&at[1]);
    free(members);
}

void load_federated(void)
{
    size_t n = load_options.members > 0 ? load_options.members : load_options.quick ? 20 : FEDERATED;
    load_options.saturation_alone = true;
    fanout(n);
    load_options.saturation_alone = false;
    federated(n);
}

/* Attached devices that say nothing: what one more of them takes. */
void load_idle_memory(void)
{
    size_t from = load_options.quick ? 100 : IDLE_FROM, to = load_options.quick ? 600 : IDLE_TO;
    struct crowd c;
    crowd_make(&c, "idle", to, 0);
    load_devices_close(c.devices, to);
    load_node_stop(&c.node);
    (void)load_node_start(&c.node);
    load_devices_connect(c.devices, from);
    load_devices_attach(c.devices, from);
    size_t few = load_node_memory(&c.node);
    load_devices_connect(c.devices + from, to - from);
    load_devices_attach(c.devices + from, to - from);
    size_t many = load_node_memory(&c.node);
    load_line("idle_memory", to - from);
    load_value("bytes", ((double)many - (double)few) / (double)(to - from));
    load_line_end();
    crowd_free(&c);
}
