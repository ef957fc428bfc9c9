/* A hub or a member that wants to harm: records, heads and posts made by hand, shown to a device that follows
 * the log. */
#ifndef TESTS_CLIENT_HOSTILE_H
#define TESTS_CLIENT_HOSTILE_H

#include "town.h"

#include "room/context.h"
#include "room/head.h"
#include "sync/trade/deal.h"

/* Alice and her guest Ben in a room of Rosa's hub. What the tests show to Ben alone, the hub doesn't know. */
struct hostile {
    struct town *t;
    struct town_node *rosa;
    struct town_device *alice, *ben;
    struct hs_id room;
    struct hs_key alices;
};

struct hostile hostile_new(void);

struct hs_room_row hostile_room(struct town_device *d, const struct hs_id *room);

/* The line with that number, without its text; kind 0: there is none. */
struct hs_message_row hostile_line(struct town_device *d, const struct hs_id *room, uint64_t seq);

/* A post of the step's device with that content and context, as a record's body in the arena. */
enum hs_err hostile_protect(struct hs_step *s, const struct hs_id *room, struct hs_bytes content,
                            const struct hs_message_context *context, struct hs_arena *arena,
                            struct hs_bytes *out);
struct hs_bytes hostile_text(struct hostile *c, const char *text, const struct hs_message_context *context,
                             struct hs_arena *arena);

/* What the hub shows to Ben: at most one record behind what he has, and a head. */
struct shown {
    enum hs_record_kind kind; /* 0: no record */
    struct hs_key persona;
    struct hs_bytes body;
    bool erased;
    struct hs_log_tip head; /* next_seq 0: right behind the record */
    Hanse__SignedObject *descriptor;
};

void hostile_show(struct hostile *c, const struct shown *what, enum hs_err want);

#endif
