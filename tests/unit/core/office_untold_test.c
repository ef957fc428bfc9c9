/* What a block of a brand's node costs a hub in office that has much to tell it of many rooms. */
#include "office_scene.h"

#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/office/told.h"
#include "core/office/way.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/standing/standing.h"
#include "peer_world.h"

enum { ROOMS = 30, ITEMS = 100 };

static const struct hs_kv_ops *real;
static size_t items_read, indexes_read;

static void count(unsigned table)
{
    items_read += table == HS_T_INBOX;
    indexes_read += table == HS_T_MISC;
}

static enum hs_err counting_get(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_arena *arena,
                                struct hs_bytes *value)
{
    count(table);
    return real->get(kv, table, key, arena, value);
}

static enum hs_err counting_next(struct hs_kv *kv, unsigned table, struct hs_bytes from,
                                 struct hs_arena *arena, struct hs_bytes *key, struct hs_bytes *value)
{
    count(table);
    return real->next(kv, table, from, arena, key, value);
}

static uint64_t waits(struct scene *s)
{
    struct hs_turn turn = {.core = s->new->core, .kv = s->new->kv, .arena = &s->w->arena};
    return hs_inbox_told(&turn, &s->old->root.pub);
}

/* As many as there would be with as many rooms that have moved and so many changes in each. */
static void rooms_with_items(struct scene *s)
{
    for (uint8_t i = 0; i < ROOMS; i++) {
        struct hs_turn *turn = raw_turn_begin(s->new);
        Hanse__State__RoomView *view = hs_room_view(turn, &s->room->id);
        struct hs_id room = s->room->id;
        struct hs_key persona = {{i}};
        room.b[0] ^= i;
        struct hs_kv_key moved = hs_key_seq(HS_VIEW(room), 1);
        hs_room_store(turn, &room, view);
        hs_kv_put(turn->kv, HS_T_OFFICE, hs_kv_key_bytes(&moved), (struct hs_bytes){0});
        for (uint8_t k = 0; k < ITEMS; k++) {
            persona.b[1] = k;
            hs_tell_brand(turn, &room, &persona, &s->third->root.pub);
        }
        raw_turn_end(turn);
    }
}

/* FED-81: a tick drops a bounded part of what waits, and looks at nothing twice. */
static void many_rooms(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct raw_rules rules = {0};
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    s.old->down = s.new->down = true;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && (w->links[i].node[0] == s.old || w->links[i].node[1] == s.old))
            world_close(w, w->links[i].id[0]);
    world_run(w);
    w->forged = true;
    rooms_with_items(&s);
    uint64_t all = waits(&s), ticks = 0;
    assert_true(all >= ROOMS * ITEMS && all > HS_TELL_ITEMS + ITEMS);
    raw_rule(w, &rules, HS_RULE_BLOCK, &s.old->root.pub, NULL);
    raw_rules_set(s.new, &rules);
    real = s.new->kv->ops;
    struct hs_kv_ops counting = *real;
    counting.get = counting_get;
    counting.next = counting_next;
    s.new->kv->ops = &counting;
    for (uint64_t left = all; left > 0; ticks++) {
        struct hs_core_input tick = {.kind = HS_INPUT_TICK};
        w->now.ms += 1000;
        world_input(s.new, &tick);
        uint64_t now = waits(&s);
        assert_true(now <= left && left - now < HS_TELL_ITEMS + ITEMS + 10);
        left = now;
        assert_true(ticks < 70);
    }
    s.new->kv->ops = real;
    assert_true(items_read < ROOMS + 100);
    assert_true(indexes_read < 4 * all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_rooms)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
