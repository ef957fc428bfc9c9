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
static void rooms_with_items(struct scene *s, uint8_t rooms, size_t items)
{
    for (uint8_t i = 0; i < rooms; i++) {
        struct hs_turn *turn = raw_turn_begin(s->new);
        Hanse__State__RoomView *view = hs_room_view(turn, &s->room->id);
        struct hs_id room = s->room->id;
        struct hs_key persona = {{i}};
        room.b[0] ^= i;
        struct hs_kv_key moved = hs_key_seq(HS_VIEW(room), 1);
        hs_room_store(turn, &room, view);
        hs_kv_put(turn->kv, HS_T_OFFICE, hs_kv_key_bytes(&moved), (struct hs_bytes){0});
        for (size_t k = 0; k < items; k++) {
            persona.b[1] = (uint8_t)k;
            persona.b[2] = (uint8_t)(k >> 8);
            hs_tell_brand(turn, &room, &persona, &s->third->root.pub);
        }
        raw_turn_end(turn);
    }
}

/* The room has moved; the brand's node was told of all members, has acknowledged that, and goes. */
static struct scene moved_and_away(struct world *w)
{
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    s.old->down = s.new->down = true;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && (w->links[i].node[0] == s.old || w->links[i].node[1] == s.old))
            world_close(w, w->links[i].id[0]);
    world_run(w);
    return s;
}

/* The brand's node is blocked, and what waits for it goes; gives how many ticks that takes, of which none
 * drops so many. */
static uint64_t goes(struct scene *s, uint64_t never)
{
    struct world *w = s->w;
    struct raw_rules rules = {0};
    uint64_t ticks = 0;
    raw_rule(w, &rules, HS_RULE_BLOCK, &s->old->root.pub, NULL);
    raw_rules_set(s->new, &rules);
    real = s->new->kv->ops;
    struct hs_kv_ops counting = *real;
    counting.get = counting_get;
    counting.next = counting_next;
    s->new->kv->ops = &counting;
    items_read = indexes_read = 0;
    for (uint64_t left = waits(s); left > 0; ticks++) {
        struct hs_core_input tick = {.kind = HS_INPUT_TICK};
        w->now.ms += 1000;
        world_input(s->new, &tick);
        uint64_t now = waits(s);
        assert_true(now <= left && left - now < never);
        left = now;
        assert_true(ticks < 70);
    }
    s->new->kv->ops = real;
    return ticks;
}

/* FED-81: a tick drops a bounded part of what waits, and looks at nothing twice. */
static void many_rooms(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = moved_and_away(w);
    w->forged = true;
    rooms_with_items(&s, ROOMS, ITEMS);
    uint64_t all = waits(&s);
    assert_true(all >= ROOMS * ITEMS && all > HS_TELL_ITEMS + ITEMS);
    (void)goes(&s, HS_TELL_ITEMS + ITEMS + 10);
    assert_true(items_read < ROOMS + 100);
    assert_true(indexes_read < 4 * all);
}

/* FED-81: also where all of it is one room's: two pieces in two ticks, and one item more in three. */
static void one_large_room(void **state)
{
    (void)state;
    for (uint64_t past = 0; past < 2; past++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = moved_and_away(w);
        w->forged = true;
        uint64_t most = 2 * HS_TELL_ITEMS + past;
        rooms_with_items(&s, 1, most - waits(&s));
        assert_int_equal(waits(&s), most);
        assert_int_equal(goes(&s, HS_TELL_ITEMS + 1), 2 + past);
    }
}

/* A part of what waits is dropped, up to the first one in the index. */
static void drops_one(struct scene *s)
{
    Hanse__State__StreamRecord stream = HANSE__STATE__STREAM_RECORD__INIT;
    Hanse__State__HomeTold told = HANSE__STATE__HOME_TOLD__INIT;
    struct hs_id last;
    struct hs_turn *turn = raw_turn_begin(s->new);
    assert_true(hs_inbox_told_at(turn, &s->old->root.pub, &s->room->id, 1, &last));
    told.room = hs_pb_data(HS_VIEW(s->room->id));
    told.ends = true;
    told.until = hs_pb_data(HS_VIEW(last));
    stream.home_told = &told;
    stream.body_case = HANSE__STATE__STREAM_RECORD__BODY_HOME_TOLD;
    hs_stream_record(turn, HS_STREAM_DEVICE, HS_VIEW(s->old->root.pub), &stream);
    raw_turn_end(turn);
}

/* FED-81: what of it is gone already, as it was acknowledged, makes no difference when the views are made
 * anew; and where the block ends in between, the brand's node hears all of it anew, and nothing of what was
 * left. */
static void parts_are_the_same_anew(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = moved_and_away(w);
    s.new->down = false;
    assert_ok(world_remove(s.room, s.bobs));
    assert_ok(world_remove(s.room, s.carols));
    world_settle(w);
    uint64_t all = waits(&s);
    assert_true(all > 1);
    drops_one(&s);
    assert_int_equal(waits(&s), all - 1);
    world_rebuild_check(s.new);
    s.old->down = false;
    scene_pass(&s, 130);
    assert_int_equal(waits(&s), 0);
    struct hs_turn turn = {.core = s.old->core, .kv = s.old->kv, .now = w->now, .arena = &w->arena};
    struct hs_key home;
    assert_err(hs_brand_member(&turn, &s.room->id, &s.carols->persona->signer.pub, &home), HS_ERR_NOT_MEMBER);
    assert_err(hs_brand_member(&turn, &s.room->id, &s.bobs->persona->signer.pub, &home), HS_ERR_NOT_MEMBER);
    assert_ok(hs_brand_member(&turn, &s.room->id, &s.alices->persona->signer.pub, &home));
    world_rebuild_check(s.new);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_rooms),
        cmocka_unit_test(one_large_room),
        cmocka_unit_test(parts_are_the_same_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
