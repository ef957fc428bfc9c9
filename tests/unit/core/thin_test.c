/* Records that nobody needs leave their streams and the journal, and the others make the same views: where a
 * world ends, its stores are made again. NODE-78 */
#include "pair_scene.h"
#include "peer_world.h"

#include "core/blobs/blob.h"
#include "core/delivery/inbox.h"
#include "core/federation/follow.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/replay.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/records/thin.h"
#include "room/blob.h"
#include "wire/unpack.h"

#include <stdio.h>

enum {
    TIMES = 12,
    BLOB_DAYS = 9 /* gone after one, settled after one more, then up to five until its last record goes */
};

/* Rows of a table that begin so; of the journal none. */
static size_t rows_of(struct world_node *node, unsigned table, struct hs_bytes prefix)
{
    struct hs_kv_key from = hs_key1(prefix);
    struct hs_bytes key;
    size_t count = 0;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        if (!hs_kv_next(node->kv, table, prefix, hs_kv_key_bytes(&from), &scratch, &key, NULL))
            return count;
        from = hs_kv_after(key);
        count++;
    }
}

static size_t stream_of(struct world_node *node, enum hs_stream stream, struct hs_bytes id)
{
    struct hs_kv_key prefix = hs_stream_next_key(stream, id);
    return rows_of(node, HS_T_STREAM, hs_kv_key_bytes(&prefix));
}

static size_t journal_of(struct world_node *node)
{
    return rows_of(node, HS_T_JOURNAL, (struct hs_bytes){0});
}

/* What there is becomes old enough; a lap and what of another one has begun. */
static void laps(struct world *w)
{
    world_pass(w, HS_THIN_AGE_MS);
    for (int i = 0; i < 8; i++)
        world_pass(w, HS_THIN_LAP_MS);
}

/* ---- refused posts ---- */

static void refuse_some(struct scene *s, size_t count)
{
    struct world *w = s->w;
    for (size_t i = 0; i < count; i++) {
        s->hub->down = true;
        for (size_t n = 0; n < w->link_count; n++)
            if (w->links[n].open && w->links[n].device == NULL)
                world_close(w, w->links[n].id[0]);
        world_run(w);
        assert_ok(world_ask(s->alice, world_post_frame(s->alices, world_protect(s->alices, "late")), NULL));
        assert_ok(world_update(s->room)); /* the epoch is over before it comes */
        s->hub->down = false;
        for (int n = 0; n < 3; n++)
            world_pass(w, HS_RETRY_MAX_MS);
        world_settle(w);
    }
}

static size_t told(struct world_node *node)
{
    uint8_t kind = HS_STREAM_DEVICE;
    return rows_of(node, HS_T_STREAM, hs_bytes(&kind, 1));
}

static void refused_posts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    size_t items = s.alice->item_count;
    refuse_some(&s, TIMES);
    assert_int_equal(s.alice->item_count, items + TIMES);
    s.alice->no_cursors = true; /* the last ones wait */
    uint64_t next = s.alice->inbox_next;
    refuse_some(&s, 3);
    laps(w);
    assert_int_equal(told(s.home), 1 + 3); /* the newest of those that she has, and what waits */
    world_disconnect(s.alice);
    assert_ok(world_connect(s.alice, NULL));
    items = s.alice->item_count;
    s.alice->inbox_next = next;
    s.alice->no_cursors = false;
    world_attach(s.alice);
    world_settle(w);
    assert_int_equal(s.alice->item_count, items + 3); /* with their numbers: the device would miss some */
    refuse_some(&s, 1);
    laps(w);
    assert_int_equal(told(s.home), 1);
    world_rebuild_check(s.home);
}

/* ---- items that make no sense ---- */

static void items_that_are_not_taken(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    struct hs_bytes root = HS_VIEW(s.hub->root.pub);
    size_t stream = stream_of(s.home, HS_STREAM_PEER, root), journal = journal_of(s.home);
    uint64_t next = 1000;
    for (size_t i = 0; i < TIMES; i++) {
        Hanse__Frame *frame = world_frame(w);
        Hanse__Inbox *inbox = WORLD_NEW(w, Hanse__Inbox, hanse__inbox);
        Hanse__InboxItem *item = WORLD_NEW(w, Hanse__InboxItem, hanse__inbox_item);
        item->seq = next++;
        item->removed = WORLD_NEW(w, Hanse__RemovedItem, hanse__removed_item);
        item->body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
        inbox->items = hs_arena_alloc(&w->arena, sizeof *inbox->items);
        inbox->items[0] = item;
        inbox->n_items = 1;
        frame->inbox = inbox;
        frame->body_case = HANSE__FRAME__BODY_INBOX;
        world_inject(s.hub, s.home, frame);
    }
    assert_int_equal(stream_of(s.home, HS_STREAM_PEER, root), stream + TIMES);
    laps(w);
    assert_int_equal(stream_of(s.home, HS_STREAM_PEER, root), stream + 1);
    assert_int_equal(journal_of(s.home), journal + 1);
    struct hs_turn *turn = raw_turn_begin(s.home);
    assert_int_equal(hs_handed_next(turn, &s.hub->root.pub), next);
    raw_turn_end(turn);
    world_rebuild_check(s.home);
}

/* ---- where a node is ---- */

static void addresses(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    struct hs_bytes root = HS_VIEW(s.hub->root.pub);
    size_t stream = stream_of(s.home, HS_STREAM_PEER, root);
    struct hs_turn *turn = raw_turn_begin(s.home);
    for (int i = 0; i < TIMES; i++) {
        Hanse__State__PeerFollowed followed = HANSE__STATE__PEER_FOLLOWED__INIT;
        Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
        char text[40], *list[] = {text};
        (void)snprintf(text, sizeof text, "other%d.example:7700", i);
        followed.addresses = list;
        followed.n_addresses = 1;
        record.followed = &followed;
        record.body_case = HANSE__STATE__STREAM_RECORD__BODY_FOLLOWED;
        hs_stream_record(turn, HS_STREAM_PEER, root, &record);
    }
    raw_turn_end(turn);
    laps(w);
    assert_int_equal(stream_of(s.home, HS_STREAM_PEER, root), stream); /* the first one went, too */
    world_rebuild_check(s.home);
}

/* ---- attachments ---- */

static size_t blob_rows(struct world_node *node)
{
    uint8_t kind = HS_STREAM_BLOB;
    return rows_of(node, HS_T_STREAM, hs_bytes(&kind, 1)) +
           rows_of(node, HS_T_STREAM_NEXT, hs_bytes(&kind, 1)) +
           rows_of(node, HS_T_BLOB, (struct hs_bytes){0}) +
           rows_of(node, HS_T_BLOB_BYTES, (struct hs_bytes){0});
}

static void days(struct world *w, int count)
{
    for (int i = 0; i < count * 24; i++)
        world_pass(w, WORLD_DAY_MS / 24);
}

/* Put for two rooms, gone, put again, named by a post: what nothing named leaves nothing. */
static void attachments(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    struct world_room *other = world_room_new(s.owner, "other");
    struct hs_bytes text = hs_bytes_str("a picture");
    enum hs_err err;
    size_t before = blob_rows(s.hub), journal = journal_of(s.hub);
    (void)world_put_all(s.room, text);
    (void)world_put_all(other, text);
    for (int i = 0; i < TIMES; i++) {
        char one[24];
        (void)snprintf(one, sizeof one, "nothing, %d times", i);
        (void)world_put_all(s.room, hs_bytes_str(one));
    }
    assert_int_equal(journal_of(s.hub), journal + TIMES + 2);
    days(w, BLOB_DAYS);
    assert_int_equal(blob_rows(s.hub), before + 1); /* what the person has put that day */
    assert_int_equal(journal_of(s.hub), journal);
    struct hs_id hash = world_put_all(s.room, text);
    assert_ok(world_post_blobs(s.room, &hash, 1));
    days(w, BLOB_DAYS);
    assert_bytes(world_get_all(s.room, &hash, &err), text);
    assert_int_equal(stream_of(s.hub, HS_STREAM_BLOB, HS_VIEW(hash)), 1);
    world_rebuild_check(s.hub);
}

/* One that was named once keeps what was said of it; how often it comes again for nothing, leaves no more. */
static void named_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    struct hs_policy_role role;
    struct hs_policy policy = world_policy(s.owner, "fleeting", &role);
    struct world_room *room;
    struct hs_bytes text = hs_bytes_str("a picture");
    policy.retention_ms = WORLD_DAY_MS;
    assert_ok(world_ask(s.owner, world_create_frame(s.owner, &policy, &room), NULL));
    room->joined = true;
    world_attach(s.owner);
    struct hs_id hash = world_put_all(room, text);
    assert_ok(world_post_blobs(room, &hash, 1));
    days(w, BLOB_DAYS);
    assert_int_equal(stream_of(s.hub, HS_STREAM_BLOB, HS_VIEW(hash)), 2);
    for (int i = 0; i < 4; i++) {
        (void)world_put_all(room, text);
        days(w, BLOB_DAYS);
        assert_int_equal(stream_of(s.hub, HS_STREAM_BLOB, HS_VIEW(hash)), 3);
    }
    world_rebuild_check(s.hub);
}

/* A backup that began before it went, and has read that it came, reads that it went; so does one that began
 * when it was still there. NODE-31 */
static void a_day_between(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    struct hs_id hash = world_put_all(s.room, hs_bytes_str("a picture"));
    int64_t went = 0, thinned = 0, nothing = 0; /* the attachment; what said that it came; all */
    size_t rows = stream_of(s.hub, HS_STREAM_BLOB, HS_VIEW(hash));
    assert_int_equal(rows, 1);
    for (int i = 0; i < BLOB_DAYS * 24; i++) {
        size_t before = rows;
        world_pass(w, WORLD_DAY_MS / 24);
        rows = stream_of(s.hub, HS_STREAM_BLOB, HS_VIEW(hash));
        if (rows > before)
            went = w->now.ms;
        else if (rows < before && rows > 0)
            thinned = w->now.ms;
        else if (rows < before)
            nothing = w->now.ms;
    }
    assert_true(went > 0 && thinned >= went + HS_THIN_AGE_MS);
    assert_true(nothing >= thinned + HS_THIN_AGE_MS);
}

/* A lap from its beginning, as far as one tick goes. */
static void ticks(struct hs_turn *turn)
{
    turn->core->thin_at = 0;
    turn->core->thin_lap_at.ms = 0;
    hs_thin_tick(turn);
}

static void follow(struct hs_turn *turn, struct hs_bytes root)
{
    Hanse__State__PeerFollowed followed = HANSE__STATE__PEER_FOLLOWED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    record.followed = &followed;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_FOLLOWED;
    hs_stream_record(turn, HS_STREAM_PEER, root, &record);
}

/* Where what says it too is as old as that, and a millisecond before. */
static void old_enough(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    struct hs_bytes root = HS_VIEW(s.hub->root.pub);
    laps(w);
    size_t stream = stream_of(s.home, HS_STREAM_PEER, root);
    struct hs_turn *turn = raw_turn_begin(s.home);
    follow(turn, root);
    int64_t at = turn->now.ms;
    for (int more = -1; more <= 0; more++) {
        turn->now.ms = at + HS_THIN_AGE_MS + more;
        ticks(turn);
        assert_int_equal(stream_of(s.home, HS_STREAM_PEER, root), stream + (more < 0 ? 1 : 0));
    }
    raw_turn_end(turn);
}

/* Does where the hub is go where its newer address is so many records behind it? */
static bool goes_over(size_t ahead)
{
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    struct hs_turn *turn = raw_turn_begin(s.home);
    struct hs_bytes root = HS_VIEW(s.hub->root.pub);
    struct hs_stream_at at;
    uint64_t n = s.home->core->thin_at = hs_journal_count(turn->kv), found = n;
    for (size_t i = 0; i <= ahead; i++) {
        Hanse__State__PeerFollowed followed = HANSE__STATE__PEER_FOLLOWED__INIT;
        Hanse__State__HandedOn handed = HANSE__STATE__HANDED_ON__INIT;
        Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
        bool here = i == 0 || i == ahead;
        handed.peer_seq = 1000 + i;
        if (here)
            record.followed = &followed;
        else
            record.handed_on = &handed;
        record.body_case =
            here ? HANSE__STATE__STREAM_RECORD__BODY_FOLLOWED : HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON;
        hs_stream_record(turn, HS_STREAM_PEER, root, &record);
    }
    turn->now.ms += HS_THIN_AGE_MS;
    hs_thin_tick(turn);
    assert_true(hs_journal_at(turn, &found, &at));
    raw_turn_end(turn);
    return found > n;
}

static void far_apart(void **state)
{
    (void)state;
    assert_true(goes_over(1));
    assert_true(goes_over(HS_THIN_AHEAD));
    assert_false(goes_over(HS_THIN_AHEAD + 1));
}

/* A tick takes so many and no more. */
static void some_in_each_tick(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    world_settle(w);
    laps(w);
    struct hs_turn *turn = raw_turn_begin(s.home);
    for (int i = 0; i <= HS_THIN_GONE + 1; i++)
        follow(turn, HS_VIEW(s.hub->root.pub));
    raw_turn_end(turn);
    size_t journal = journal_of(s.home);
    struct hs_turn *tick = raw_turn_begin(s.home);
    tick->now.ms += HS_THIN_AGE_MS;
    hs_thin_tick(tick);
    raw_turn_end(tick);
    assert_int_equal(journal_of(s.home), journal - HS_THIN_GONE);
    tick = raw_turn_begin(s.home);
    tick->now.ms += HS_THIN_AGE_MS;
    hs_thin_tick(tick);
    raw_turn_end(tick);
    assert_int_equal(journal_of(s.home), journal - HS_THIN_GONE - 2); /* the one of before and all but one */
}

/* A tick looks at so many rows, and between two laps there is an hour. */
static void rows_and_laps(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes root = HS_VIEW(s.hub->root.pub);
    struct hs_turn *turn = raw_turn_begin(s.home);
    w->forged = true;
    for (int i = 0; i <= HS_THIN_ROWS; i++) {
        const struct hs_id other = {{1, (uint8_t)(i >> 8), (uint8_t)i}};
        follow(turn, HS_VIEW(other));
    }
    uint64_t from = turn->core->thin_at = hs_journal_count(turn->kv) - HS_THIN_ROWS - 1;
    hs_thin_tick(turn);
    assert_int_equal(turn->core->thin_at, from + HS_THIN_ROWS);
    hs_thin_tick(turn);
    assert_int_equal(turn->core->thin_at, 0);
    follow(turn, root);
    size_t stream = stream_of(s.home, HS_STREAM_PEER, root);
    turn->now.ms += HS_THIN_AGE_MS;
    turn->core->thin_at = 0;
    turn->core->thin_lap_at.ms = turn->now.ms - HS_THIN_LAP_MS + 1;
    hs_thin_tick(turn);
    assert_int_equal(stream_of(s.home, HS_STREAM_PEER, root), stream);
    turn->now.ms++;
    hs_thin_tick(turn);
    assert_true(stream_of(s.home, HS_STREAM_PEER, root) < stream);
    raw_turn_end(turn);
}

static void refused(struct hs_turn *turn, const struct hs_id *device, uint64_t passed)
{
    Hanse__State__PostRefused what = HANSE__STATE__POST_REFUSED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    record.refused = &what;
    record.passed = passed;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_REFUSED;
    hs_stream_record(turn, HS_STREAM_DEVICE, HS_VIEW(*device), &record);
}

/* What was refused before stays while an item waits that was numbered before the newer refusal's. */
static void numbers_that_wait(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const struct hs_id device = {{5}};
    struct hs_kv_key waits = hs_key_seq(HS_VIEW(device), 9);
    struct hs_turn *turn = raw_turn_begin(s.home);
    w->forged = true;
    refused(turn, &device, 5);
    refused(turn, &device, 10);
    hs_kv_put(turn->kv, HS_T_INBOX, hs_kv_key_bytes(&waits), (struct hs_bytes){0});
    turn->now.ms += HS_THIN_AGE_MS;
    ticks(turn);
    assert_int_equal(stream_of(s.home, HS_STREAM_DEVICE, HS_VIEW(device)), 2);
    hs_kv_del(turn->kv, HS_T_INBOX, hs_kv_key_bytes(&waits));
    ticks(turn);
    assert_int_equal(stream_of(s.home, HS_STREAM_DEVICE, HS_VIEW(device)), 1);
    raw_turn_end(turn);
}

/* To the beginning of such a day, two days later at least. */
static void to_day(struct hs_turn *turn, int64_t of_three)
{
    int64_t day = turn->now.ms / HS_THIN_AGE_MS + 2;
    while (day % 3 != of_three)
        day++;
    turn->now.ms = day * HS_THIN_AGE_MS;
    ticks(turn);
}

static void gone(struct hs_turn *turn, const struct hs_id *hash)
{
    Hanse__State__BlobGone what = HANSE__STATE__BLOB_GONE__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    what.unnamed = true;
    record.blob_gone = &what;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_BLOB_GONE;
    hs_stream_record(turn, HS_STREAM_BLOB, HS_VIEW(*hash), &record);
}

/* That an attachment came goes on the first day of three, that it went on the third, and not before. */
static void each_on_its_day(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const struct hs_id hash = {{6}};
    struct hs_turn *turn = raw_turn_begin(s.hub);
    static const struct {
        int64_t day;
        size_t left;
    } steps[] = {{1, 3}, {2, 3}, {1, 3}, {0, 2}, {1, 2}, {0, 2}, {2, 1}};
    w->forged = true;
    hs_blob_record_stored(turn, &hash, &s.room->id, 100);
    gone(turn, &hash);
    hs_blob_record_stored(turn, &hash, &s.room->id, 100); /* and it came again */
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        to_day(turn, steps[i].day);
        assert_int_equal(stream_of(s.hub, HS_STREAM_BLOB, HS_VIEW(hash)), steps[i].left);
    }
    raw_turn_end(turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_posts),     cmocka_unit_test(items_that_are_not_taken),
        cmocka_unit_test(addresses),         cmocka_unit_test(attachments),
        cmocka_unit_test(named_once),        cmocka_unit_test(some_in_each_tick),
        cmocka_unit_test(a_day_between),     cmocka_unit_test(old_enough),
        cmocka_unit_test(far_apart),         cmocka_unit_test(rows_and_laps),
        cmocka_unit_test(numbers_that_wait), cmocka_unit_test(each_on_its_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
