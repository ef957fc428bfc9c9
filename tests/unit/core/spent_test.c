/* What records needn't say any more, they don't keep; and everything else is as before. Where a world ends,
 * its stores are made again from their records, which are cut by then. */
#include "peer_world.h"

#include "core/core.h"
#include "core/delivery/cursor.h"
#include "core/federation/peer.h"
#include "core/records/replay.h"
#include "core/records/spent.h"
#include "core/records/table.h"
#include "core/rooms/settle.h"
#include "room/log.h"
#include "wire/unpack.h"

/* Bytes of a node's records that only those need who haven't got them yet. */
struct carried {
    size_t welcomes, group_infos, handed_on, wishes, refusals;
};

static void add_entry(struct carried *c, struct hs_bytes bytes, struct hs_arena *arena)
{
    Hanse__State__RoomEntry *entry;
    struct hs_record_header header;
    assert_ok(HS_UNPACK(hanse__state__room_entry, bytes, HS_LENIENT, arena, &entry));
    assert_ok(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
    c->welcomes += entry->welcome.len;
    c->group_infos += header.kind == HS_RECORD_COMMIT && entry->group_info.len > 0;
}

static void add_handed(struct carried *c, const Hanse__State__HandedOn *handed, struct hs_arena *arena)
{
    Hanse__InboxItem *item;
    assert_ok(HS_UNPACK(hanse__inbox_item, hs_pb_bytes(handed->item), HS_LENIENT, arena, &item));
    if (item->body_case == HANSE__INBOX_ITEM__BODY_WELCOME)
        c->handed_on += item->welcome->welcome.len + item->welcome->tree->bytes.len;
}

static void add_record(struct carried *c, struct hs_bytes bytes, struct hs_arena *arena)
{
    Hanse__State__StreamRecord *record;
    assert_ok(HS_UNPACK(hanse__state__stream_record, bytes, HS_LENIENT, arena, &record));
    if (record->body_case == HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON)
        add_handed(c, record->handed_on, arena);
    if (record->body_case == HANSE__STATE__STREAM_RECORD__BODY_COUNTER_ASKED)
        c->wishes += record->counter_asked->key_package.len;
    if (record->body_case == HANSE__STATE__STREAM_RECORD__BODY_REFUSED)
        c->refusals += record->refused->room.len;
}

static struct carried carried(struct world_node *node)
{
    struct carried c = {0};
    for (uint64_t n = 0; n < hs_journal_count(node->kv); n++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        struct hs_turn turn = {.kv = node->kv, .arena = &arena};
        struct hs_stream_at at;
        struct hs_bytes bytes;
        assert_true(hs_journal_at(&turn, &n, &at));
        if (!hs_stream_bytes(node->kv, &at, &arena, &bytes))
            continue;
        if (at.stream == HS_STREAM_ROOM)
            add_entry(&c, bytes, &arena);
        else
            add_record(&c, bytes, &arena);
    }
    return c;
}

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices, *bobs;
    struct world_invite invite;
};

/* Alice and Bob wait to be let in. */
static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.hub, "bob");
    assert_ok(world_bind(s.alice, s.hub));
    s.alices = world_room_join(s.alice, &s.invite);
    s.bobs = world_room_join(s.bob, &s.invite);
    assert_ok(world_ask_hub(s.alice, s.hub, world_join_frame(s.alices, world_join_body(s.alices, &s.invite)),
                            NULL));
    assert_ok(
        world_ask_hub(s.bob, s.hub, world_join_frame(s.bobs, world_join_body(s.bobs, &s.invite)), NULL));
    world_settle(w);
    return s;
}

static void come_back(struct world_device *d)
{
    bool account;
    assert_ok(world_connect(d, &account));
    world_attach(d);
    world_settle(d->world);
}

static void cursors(struct world *w)
{
    for (int i = 0; i < 3; i++)
        world_pass(w, HS_CURSOR_MS);
}

/* DELIVERY-71: for as long as a newcomer hasn't got it, and no longer; at both nodes. */
static void welcomes_go_when_they_were_taken(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_disconnect(s.alice);
    world_disconnect(s.bob);
    assert_ok(world_admit(s.room));
    cursors(w);
    assert_true(carried(s.hub).welcomes > 0);
    assert_true(carried(s.home).handed_on > 0);
    come_back(s.alice);
    cursors(w);
    assert_true(s.alices->joined);
    assert_int_equal(carried(s.home).handed_on, 0);
    assert_true(carried(s.hub).welcomes > 0); /* Bob's */
    world_node_restart(s.hub);
    world_pass(w, HS_CURSOR_MS);
    come_back(s.owner);
    come_back(s.bob);
    assert_true(s.bobs->joined);
    cursors(w);
    assert_int_equal(carried(s.hub).welcomes, 0);
    assert_ok(world_post(s.bobs, "all are here", NULL));
    world_settle(w);
}

/* DELIVERY-71: the newest counts, and the one before it for as long as that may be void. */
static void superseded_group_infos_go(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(world_admit(s.room));
    world_settle(w);
    assert_int_equal(carried(s.hub).group_infos, 1);
    s.alice->silent = s.bob->silent = true;
    struct world_commit c;
    world_commit_update(s.room, &c);
    assert_ok(world_ask(s.owner, world_commit_frame(s.room, &c), NULL));
    assert_int_equal(carried(s.hub).group_infos, 2);
    world_pass(w, HS_SETTLE_VOID_MS);
    world_settle(w);
    assert_int_equal(carried(s.hub).group_infos, 1);
    for (int i = 0; i < 3; i++) {
        assert_ok(world_update(s.room));
        world_pass(w, HS_SETTLE_VOID_MS);
        world_settle(w);
        assert_int_equal(carried(s.hub).group_infos, 1);
    }
}

/* DELIVERY-71: of a void commit nothing stays but the commit. */
static void void_commits_keep_none(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_commit c;
    assert_ok(world_admit(s.room));
    world_settle(w);
    cursors(w);
    struct world_device *carol = world_customer(s.hub, "carol");
    struct world_room *carols = world_room_join(carol, &s.invite);
    assert_ok(
        world_ask_hub(carol, s.hub, world_join_frame(carols, world_join_body(carols, &s.invite)), NULL));
    world_settle(w);
    s.alice->doubts = HS_ERR_DECRYPT;
    s.bob->silent = true;
    world_commit_admit(s.room, &c);
    assert_ok(world_ask(s.owner, world_commit_frame(s.room, &c), NULL));
    assert_true(carried(s.hub).welcomes > 0);
    world_settle(w);
    world_pass(w, HS_SETTLE_VOID_MS);
    assert_false(carols->joined);
    assert_int_equal(carried(s.hub).welcomes, 0);
    assert_int_equal(carried(s.hub).group_infos, 1);
    world_rebuild_check(s.hub);
    s.alice->doubts = HS_OK;
    world_pass(w, HS_SETTLE_BAR_MS);
    assert_ok(world_admit(s.room));
    world_settle(w);
    assert_true(carols->joined);
}

/* DELIVERY-71: who was refused knows it. */
static void refusals_go_when_they_were_taken(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    assert_ok(world_admit(s.room));
    world_settle(w);
    s.hub->down = true;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].device == NULL)
            world_close(w, w->links[i].id[0]);
    world_run(w);
    assert_ok(world_ask(s.alice, world_post_frame(s.alices, world_protect(s.alices, "too late")), NULL));
    assert_ok(world_remove(s.room, s.bobs)); /* the epoch is over */
    world_disconnect(s.alice);
    s.hub->down = false;
    for (int i = 0; i < 3; i++)
        world_pass(w, HS_RETRY_MAX_MS);
    assert_true(carried(s.home).refusals > 0);
    come_back(s.alice);
    assert_int_equal(s.alice->items[s.alice->item_count - 1]->body_case, HANSE__INBOX_ITEM__BODY_OUTCOME);
    cursors(w);
    assert_int_equal(carried(s.home).refusals, 0);
}

/* DELIVERY-71: a refusal is cut with the number behind its item and not without: the views are made of one or
 * the other. The first number that there can be is one, and no second one takes its place. */
static void refusals_keep_what_they_are_made_of(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const struct hs_id device = {{5}};
    const struct hs_stream_at at = {.stream = HS_STREAM_DEVICE, .id = device, .seq = 0};
    Hanse__State__PostRefused what = HANSE__STATE__POST_REFUSED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    what.room = hs_pb_data(HS_VIEW(device));
    record.refused = &what;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_REFUSED;
    struct hs_turn *turn = raw_turn_begin(s.hub);
    hs_stream_record(turn, HS_STREAM_DEVICE, HS_VIEW(device), &record);
    struct hs_bytes before, after;
    assert_true(hs_stream_bytes(turn->kv, &at, turn->arena, &before));
    hs_spent_anew(turn, &at);
    hs_spent_cut(turn, &at, 0);
    assert_true(hs_stream_bytes(turn->kv, &at, turn->arena, &after));
    assert_bytes(after, before);
    hs_spent_cut(turn, &at, 1);
    assert_int_equal(carried(s.hub).refusals, 0);
    assert_true(hs_stream_bytes(turn->kv, &at, turn->arena, &before));
    hs_spent_anew(turn, &at);
    hs_spent_cut(turn, &at, 2);
    assert_true(hs_stream_bytes(turn->kv, &at, turn->arena, &after));
    assert_bytes(after, before);
    raw_turn_end(turn);
}

/* DELIVERY-71: a wish is its till's once the till has it. */
static void wishes_go_when_they_were_taken(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite none = {.hub = s.hub};
    assert_ok(world_admit(s.room));
    world_settle(w);
    struct world_device *till = world_staff(s.hub, "till", HANSE__ROLE__ROLE_TILL);
    world_disconnect(till);
    world_disconnect(s.owner); /* who would be asked in its place */
    struct world_room *counter = world_room_join(s.bob, &none);
    Hanse__Frame *frame = world_frame(w);
    frame->open_counter = WORLD_NEW(w, Hanse__OpenCounter, hanse__open_counter);
    frame->body_case = HANSE__FRAME__BODY_OPEN_COUNTER;
    frame->open_counter->persona = hs_pb_data(HS_VIEW(counter->persona->signer.pub));
    frame->open_counter->room = hs_pb_data(HS_VIEW(s.room->id));
    frame->open_counter->key_package = hs_pb_data(counter->key_package);
    assert_ok(world_ask(s.bob, frame, NULL));
    assert_true(carried(s.hub).wishes > 0);
    come_back(till);
    assert_int_equal(till->item_count, 1);
    cursors(w);
    assert_int_equal(carried(s.hub).wishes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(welcomes_go_when_they_were_taken),
        cmocka_unit_test(superseded_group_infos_go),
        cmocka_unit_test(void_commits_keep_none),
        cmocka_unit_test(refusals_go_when_they_were_taken),
        cmocka_unit_test(refusals_keep_what_they_are_made_of),
        cmocka_unit_test(wishes_go_when_they_were_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
