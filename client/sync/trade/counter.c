/* Counters: a room of one customer and the brand's till. The customer asks, the till makes it and lets them
 * in. */
#include "base/text.h"
#include "room/package.h"
#include "sync/trade/deal.h"

#include <stdio.h>

/* ---- the customer ---- */

static bool is_asked(struct hs_step *s, const struct hs_key *root, const struct hs_key *persona)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row))
        if (row.counter && hs_key_equal(&row.hub_root, root) && hs_key_equal(&row.persona, persona))
            return true;
    return false;
}

enum hs_err hs_counter_open(struct hs_step *s, const struct hs_key *root, const struct hs_id *room)
{
    struct hs_self HS_SELF self = {0};
    struct hs_own_package package;
    struct hs_live_room *entitles;
    HS_TRY(hs_self_for(s, root, &self));
    if (is_asked(s, root, &self.persona))
        return HS_OK;
    HS_TRY(hs_live_member(s, room, &entitles));
    HS_TRY(hs_self_key_package(s, &self, &package));
    struct hs_bytes where;
    HS_TRY(hs_brand_descriptor(s, root, &where));
    struct hs_join_row row = {.ref = package.ref,
                              .counter = true,
                              .room = *room,
                              .hub_root = *root,
                              .persona = self.persona,
                              .descriptor = where,
                              .key_package = package.message,
                              .priv = package.priv,
                              .bound = true, /* membership of that room took it */
                              .made = s->now};
    hs_join_row_put(s->kv, &row);
    HS_TRY(s->kv->err);
    return hs_join_go_on(s, &row);
}

enum hs_err hs_counter_joined(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_counter_row row = {.room = room->row.id, .open = true, .asked = s->now.ms};
    hs_counter_row_put(s->kv, &room->row.hub_root, &room->row.self, &row);
    HS_TRY(s->kv->err);
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (op->kind == HS_OP_ORDER && op->resume != NULL && hs_key_equal(&op->key, &room->row.hub_root))
            HS_TRY(op->resume(s, op));
    }
    return HS_OK;
}

enum hs_err hs_counter_refused(struct hs_step *s, const struct hs_key *root, const struct hs_key *persona,
                               enum hs_err err)
{
    (void)persona;
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (op->kind == HS_OP_ORDER && op->resume != NULL && hs_key_equal(&op->key, root))
            HS_TRY(hs_op_done(s, op, err, NULL, 0, NULL));
    }
    return HS_OK;
}

/* ---- the till ---- */

static bool is_till(const struct hs_sync *sync)
{
    return (sync->me.roles & HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL)) != 0;
}

/* The customer whose counter this room is. */
static bool find_customer(struct hs_step *s, const struct hs_id *room, struct hs_key *customer,
                          struct hs_counter_row *row)
{
    struct hs_kv_key cursor = hs_row_key1(HS_VIEW(s->sync->me.home_root));
    while (hs_counter_row_next(s->kv, &s->sync->me.home_root, &cursor, s->arena, customer, row))
        if (hs_id_equal(&row->room, room))
            return true;
    return false;
}

static enum hs_err make_counter(struct hs_step *s, const struct hs_key *customer, struct hs_counter_row *row)
{
    char name[HS_POLICY_NAME_MAX + 1];
    uint64_t outbox;
    snprintf(name, sizeof name, "Counter %s", hs_short(HS_VIEW(*customer)).text);
    const struct hanse_room_spec spec = {.name = name};
    HS_TRY(hs_create_room(s, &spec, HS_ROOM_COUNTER, &row->room, &outbox));
    hs_counter_row_put(s->kv, &s->sync->me.home_root, customer, row);
    return s->kv->err;
}

/* Makes the counter, or lets the customer into the one that is there. */
static enum hs_err serve(struct hs_step *s, const struct hs_key *customer, struct hs_counter_row *row)
{
    struct hs_live_room *room;
    enum hs_err err = hs_live_get(s, &row->room, &room);
    if (err == HS_ERR_NOT_FOUND)
        return make_counter(s, customer, row);
    HS_TRY(err);
    return hs_commit_next(s, room);
}

enum hs_err hs_counter_asked(struct hs_step *s, const Hanse__CounterItem *item)
{
    struct hs_key customer, home;
    struct hs_room_package package;
    struct hs_counter_row row = {0};
    struct hs_bytes key_package = hs_pb_bytes(item->key_package);
    if (!is_till(s->sync) || !HS_FIXED(hs_pb_bytes(item->persona), &customer) ||
        !HS_FIXED(hs_pb_bytes(item->home_root), &home))
        return HS_OK;
    enum hs_err err = hs_room_package_check(key_package, &s->sync->me.home_root, s->now, &package);
    if (err != HS_OK || !hs_key_equal(&package.member.persona, &customer))
        return hs_sync_is_own_trouble(err) ? err : HS_OK; /* the node let it through: nobody could add that */
    (void)hs_counter_row_get(s->kv, &s->sync->me.home_root, &customer, s->arena, &row);
    row.key_package = key_package;
    row.open = false;
    row.asked = s->now.ms;
    hs_counter_row_put(s->kv, &s->sync->me.home_root, &customer, &row);
    HS_TRY(s->kv->err);
    return s->sync->till ? serve(s, &customer, &row) : HS_OK;
}

enum hs_err hs_counter_admit(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_key customer;
    struct hs_counter_row row;
    if (!s->sync->till || !hs_root_is_home(s->sync, &room->row.hub_root) ||
        !find_customer(s, &room->row.id, &customer, &row) || row.key_package.len == 0)
        return HS_OK;
    if (hs_live_has_persona(room, &customer))
        return hs_counter_members_changed(s, room);
    struct hs_commit_wish wish = {.adds = &row.key_package, .add_count = 1};
    enum hs_err err = hs_commit_submit(s, room, &wish);
    return hs_sync_is_fault(err) ? HS_OK : err;
}

enum hs_err hs_counter_members_changed(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_key customer;
    struct hs_counter_row row;
    if (room->row.kind != HS_ROOM_COUNTER || !hs_root_is_home(s->sync, &room->row.hub_root) ||
        !find_customer(s, &room->row.id, &customer, &row) || row.open ||
        !hs_live_has_persona(room, &customer))
        return HS_OK;
    row.open = true;
    row.key_package = (struct hs_bytes){0};
    hs_counter_row_put(s->kv, &s->sync->me.home_root, &customer, &row);
    struct hanse_event event = {.kind = HANSE_EVENT_TILL};
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, "counter opened");
}

enum hs_err hs_counters_serve(struct hs_step *s)
{
    struct hs_kv_key cursor = hs_row_key1(HS_VIEW(s->sync->me.home_root));
    struct hs_key customer;
    struct hs_counter_row row;
    while (hs_counter_row_next(s->kv, &s->sync->me.home_root, &cursor, s->arena, &customer, &row))
        if (!row.open && row.key_package.len > 0)
            HS_TRY(serve(s, &customer, &row));
    return s->kv->err;
}
