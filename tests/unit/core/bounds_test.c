/* What a hostile customer, and a hostile hub of one, can make a home keep. */
#include "peer_world.h"

#include "core/accounts/account.h"
#include "core/blobs/held_welcome.h"
#include "core/delivery/inbox.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/spent.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/records/thin.h"
#include "core/standing/kept.h"
#include "core/standing/standing.h"
#include "wire/unpack.h"

enum { TIMES = 20 };

#define WELCOME "as many bytes as there is room for"

struct scene {
    struct world *w;
    struct world_node *rival, *home;
    struct world_device *ben;
    uint64_t next; /* the number of the rival's next item */
};

/* Nothing of the rival's trees ever comes. */
static enum world_verdict swallow(void *ctx, struct world_node *from, struct world_node *to,
                                  struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    (void)to;
    (void)bytes;
    return from == s->rival && s->next > 1000 ? WORLD_DROP : WORLD_PASS;
}

/* The rival isn't asked for them. */
static enum world_verdict unasked(void *ctx, struct world_node *from, struct world_node *to,
                                  struct hs_bytes *bytes)
{
    const struct scene *s = ctx;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &arena, &frame));
    return from == s->home && frame->body_case == HANSE__FRAME__BODY_GET_CHUNK ? WORLD_DROP : WORLD_PASS;
}

static void scene_new(struct world *w, struct scene *s)
{
    *s = (struct scene){.w = w,
                        .rival = world_node_new(w, "rival.example"),
                        .home = world_node_new(w, "home.example"),
                        .next = 1000};
    s->ben = world_customer(s->home, "ben");
    struct world_device *owner = world_staff(s->rival, "rival", HANSE__ROLE__ROLE_OWNER);
    struct world_room *bait = world_room_new(owner, "bait");
    struct world_invite invite = world_invite(bait, 10);
    (void)world_join(s->ben, bait, &invite);
    world_settle(w);
    world_disconnect(s->ben);
    w->hook = swallow;
    w->hook_ctx = s;
}

/* A Welcome for Ben to a room of that number, with a tree of that number. Gives its size. */
static size_t send_welcome(struct scene *s, uint8_t room, uint8_t tree)
{
    struct world *w = s->w;
    uint8_t id[32] = {9, room}, prev[32] = {8}, hash[32] = {7, tree};
    Hanse__Frame *frame = world_frame(w);
    Hanse__InboxItem *item = WORLD_NEW(w, Hanse__InboxItem, hanse__inbox_item);
    Hanse__WelcomeItem *welcome = item->welcome = WORLD_NEW(w, Hanse__WelcomeItem, hanse__welcome_item);
    Hanse__Tree of = HANSE__TREE__INIT;
    of.hash = hs_pb_data(hs_bytes(hash, sizeof hash));
    of.size = HS_BLOB_THRESHOLD;
    welcome->room = hs_pb_data(hs_bytes(id, sizeof id));
    welcome->prev_hash = hs_pb_data(hs_bytes(prev, sizeof prev));
    welcome->commit_seq = 5;
    welcome->persona = hs_pb_data(HS_VIEW(world_persona(s->ben, &s->rival->root.pub)->signer.pub));
    welcome->hub_root = hs_pb_data(HS_VIEW(s->rival->root.pub));
    welcome->descriptor = s->rival->descriptor;
    welcome->welcome = hs_pb_data(hs_bytes_str(WELCOME));
    welcome->tree = &of;
    item->body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    item->seq = s->next++;
    frame->inbox = WORLD_NEW(w, Hanse__Inbox, hanse__inbox);
    frame->inbox->n_items = 1;
    frame->inbox->items = &item;
    frame->body_case = HANSE__FRAME__BODY_INBOX;
    world_inject(s->rival, s->home, frame);
    return protobuf_c_message_get_packed_size(&item->base);
}

static uint64_t held(struct scene *s)
{
    struct hs_key subscriber;
    struct hs_turn *turn = raw_turn_begin(s->home);
    assert_true(
        hs_persona_subscriber(turn, &world_persona(s->ben, &s->rival->root.pub)->signer.pub, &subscriber));
    uint64_t count = hs_held_welcome_count(turn, &subscriber);
    raw_turn_end(turn);
    return count;
}

/* Bytes of the rival's stream at the home, and of what waits for trees. */
static size_t bytes_of(struct world_node *node)
{
    size_t bytes = 0;
    static const unsigned tables[] = {HS_T_STREAM, HS_T_BLOB};
    for (size_t i = 0; i < 2; i++) {
        struct hs_kv_key from = {0};
        for (;;) {
            struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
            struct hs_bytes key, value, none = {0};
            if (!hs_kv_next(node->kv, tables[i], none, hs_kv_key_bytes(&from), &scratch, &key, &value))
                break;
            from = hs_kv_after(key);
            bytes += value.len;
        }
    }
    return bytes;
}

/* A lap, so much later. */
static void thins(struct scene *s, int64_t later)
{
    struct hs_turn *turn = raw_turn_begin(s->home);
    turn->now.ms += later;
    turn->core->thin_at = 0;
    turn->core->thin_lap_at.ms = 0;
    hs_thin_tick(turn);
    assert_int_equal(turn->core->thin_at, 0); /* to the end */
    raw_turn_end(turn);
}

/* How many of the rival's Welcomes its stream at the home has whole. */
static size_t whole(struct scene *s)
{
    struct hs_id rival;
    memcpy(rival.b, s->rival->root.pub.b, sizeof rival.b);
    struct hs_kv_key prefix = hs_stream_next_key(HS_STREAM_PEER, HS_VIEW(rival)), from = prefix;
    for (size_t count = 0;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value;
        Hanse__State__StreamRecord *record;
        Hanse__InboxItem *item;
        if (!hs_kv_next(s->home->kv, HS_T_STREAM, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(&from), &scratch,
                        &key, &value))
            return count;
        from = hs_kv_after(key);
        assert_ok(HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, &scratch, &record));
        if (record->body_case != HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON ||
            record->handed_on->item.len == 0)
            continue;
        assert_ok(
            HS_UNPACK(hanse__inbox_item, hs_pb_bytes(record->handed_on->item), HS_LENIENT, &scratch, &item));
        count += item->body_case == HANSE__INBOX_ITEM__BODY_WELCOME && item->welcome->welcome.len > 0 &&
                         item->welcome->commit_seq == 5
                     ? 1
                     : 0;
    }
}

/* DELIVERY-75, NODE-100: of Welcomes for one persona in one room the newest waits for its tree, and the
 * records of the others are cut a day later. */
static void the_newest_waits(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    send_welcome(&s, 1, 0);
    assert_int_equal(held(&s), 1);
    for (uint8_t i = 1; i < TIMES; i++)
        send_welcome(&s, 1, i);
    assert_int_equal(held(&s), 1);
    assert_int_equal(whole(&s), TIMES);
    send_welcome(&s, 2, 1);
    assert_int_equal(held(&s), 2);
    world_rebuild_check(s.home);
    size_t bytes = bytes_of(s.home);
    thins(&s, HS_THIN_AGE_MS - 1);
    assert_int_equal(whole(&s), TIMES + 1);
    assert_int_equal(bytes_of(s.home), bytes);
    thins(&s, HS_THIN_AGE_MS);
    assert_int_equal(whole(&s), 2);
    assert_true(bytes_of(s.home) <= bytes - (TIMES - 1) * strlen(WELCOME));
    world_rebuild_check(s.home);
}

/* The rival has said a Welcome, and said it anew. */
static struct hs_peer *said_anew(struct world *w, struct scene *s)
{
    scene_new(w, s);
    send_welcome(s, 1, 0);
    send_welcome(s, 1, 1);
    return hs_peer_find(&s->home->core->peers, &s->rival->root.pub);
}

/* NODE-100: of so many bytes of a hub's in a day, at the limit and one past it. */
static void so_many_stay_whole(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_peer *rival = said_anew(w, &s);
    uint64_t bytes = rival->spent_bytes;
    assert_true(bytes > strlen(WELCOME));
    rival->spent_bytes = HS_SPENT_WHOLE - bytes;
    send_welcome(&s, 1, 2);
    assert_int_equal(rival->spent_bytes, HS_SPENT_WHOLE);
    assert_int_equal(whole(&s), 3);
    rival->spent_bytes = HS_SPENT_WHOLE - bytes + 1;
    send_welcome(&s, 1, 3);
    assert_int_equal(rival->spent_bytes, HS_SPENT_WHOLE - bytes + 1);
    assert_int_equal(whole(&s), 3);
    world_rebuild_check(s.home);
    rival->spent_day--;
    send_welcome(&s, 1, 4);
    assert_int_equal(rival->spent_bytes, bytes);
    assert_int_equal(whole(&s), 4);
}

/* NODE-100: a start of the node begins that day anew, and what was whole before is cut when it is a day old.
 */
static void a_start_begins_the_day_anew(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_peer *rival = said_anew(w, &s);
    uint64_t bytes = rival->spent_bytes;
    rival->spent_bytes = HS_SPENT_WHOLE;
    w->hook = unasked;
    world_node_restart(s.home);
    world_pass(w, 1000);
    w->hook = swallow;
    rival = hs_peer_find(&s.home->core->peers, &s.rival->root.pub);
    send_welcome(&s, 1, 2);
    assert_int_equal(rival->spent_bytes, bytes);
    assert_int_equal(whole(&s), 3);
    rival->spent_bytes = HS_SPENT_WHOLE - bytes + 1; /* it isn't without an end */
    send_welcome(&s, 1, 3);
    assert_int_equal(whole(&s), 3);
    thins(&s, HS_THIN_AGE_MS);
    assert_int_equal(whole(&s), 1);
    world_rebuild_check(s.home);
}

/* FED-84: what its items leave in records counts in a hub's place, at the limit and one past it; past it the
 * hub is left, and says it once more when there is place. */
static void items_take_place(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    const struct hs_key *root = &s.rival->root.pub;
    struct hs_peer *rival = hs_peer_find(&s.home->core->peers, root);
    uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept, before = raw_items_of(s.home, root);
    size_t size = send_welcome(&s, 1, 0);
    uint64_t each = raw_items_of(s.home, root) - before;
    assert_true(each > strlen(WELCOME) && each <= size);
    rival->kept = most - size;
    assert_int_equal(send_welcome(&s, 2, 0), size);
    assert_int_equal(rival->kept, most - size + each);
    assert_int_equal(whole(&s), 2);
    rival->kept = most - size + 1;
    w->unchecked = true;
    (void)send_welcome(&s, 3, 0);
    assert_int_equal(whole(&s), 2);
    assert_false(world_are_linked(s.home, s.rival));
    s.next--;
    w->hook = unasked;
    world_pass(w, HS_HUB_PAUSE_MS);
    w->hook = swallow;
    assert_true(world_are_linked(s.home, s.rival));
    uint64_t all = rival->kept; /* it was counted meanwhile */
    assert_true(all >= before + 2 * each && all < most / 2);
    (void)send_welcome(&s, 3, 0);
    assert_int_equal(whole(&s), 3);
    (void)send_welcome(&s, 1, 1);
    assert_int_equal(rival->kept, all + 2 * each);
    thins(&s, HS_THIN_AGE_MS);
    struct hs_turn *turn = raw_turn_begin(s.home);
    hs_kept_tick(turn);
    raw_turn_end(turn);
    assert_int_equal(rival->kept, all + 2 * each - strlen(WELCOME) - 2); /* the rest stays for good */
}

/* The row that says how many of Ben's wait, as a program before it was kept left it: there is none. */
static void forget_count(struct scene *s)
{
    static const uint8_t kind = 'C';
    struct hs_key subscriber;
    struct hs_turn *turn = raw_turn_begin(s->home);
    assert_true(
        hs_persona_subscriber(turn, &world_persona(s->ben, &s->rival->root.pub)->signer.pub, &subscriber));
    struct hs_kv_key key = hs_key2(hs_bytes(&kind, 1), HS_VIEW(subscriber));
    assert_true(hs_kv_has(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&key)));
    hs_kv_del(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&key));
    raw_turn_end(turn);
}

/* DELIVERY-75: what waits and was never counted isn't counted when it goes either. */
static void held_before_they_were_counted(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    w->forged = true;
    send_welcome(&s, 1, 0);
    forget_count(&s);
    assert_int_equal(held(&s), 0);
    send_welcome(&s, 1, 1); /* the first one goes, this one comes */
    assert_int_equal(held(&s), 1);
    send_welcome(&s, 2, 1);
    assert_int_equal(held(&s), 2);
}

/* DELIVERY-73, DELIVERY-75: they count among what waits. */
static void they_count(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    struct hs_key subscriber;
    scene_new(w, &s);
    w->forged = true; /* the other items are of no record */
    struct hs_turn *turn = raw_turn_begin(s.home);
    assert_true(
        hs_persona_subscriber(turn, &world_persona(s.ben, &s.rival->root.pub)->signer.pub, &subscriber));
    for (size_t i = hs_inbox_waiting(turn, &subscriber); i < HS_INBOX_MAX - 2; i++) {
        Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
        hs_inbox_put(turn, &subscriber, &item);
    }
    raw_turn_end(turn);
    for (uint8_t i = 0; i < 4; i++)
        send_welcome(&s, i, i);
    assert_int_equal(held(&s), 2);
}

/* FED-6: personas are made at will, but an account serves so many and no more; more roles change nothing. */
static void personas(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *home = world_node_new(w, "home.example");
    struct world_node *brands[] = {world_node_new(w, "a.example"), world_node_new(w, "b.example")};
    struct world_device *ben = world_customer(home, "ben");
    struct hs_key account = world_persona(ben, &home->root.pub)->signer.pub;
    struct hs_turn *turn = raw_turn_begin(home);
    for (uint32_t i = 0; i + 1 < HS_BOUND_MAX; i++) {
        Hanse__State__Bound bound = HANSE__STATE__BOUND__INIT;
        Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
        struct hs_key persona = {{1, (uint8_t)(i >> 8), (uint8_t)i}};
        bound.account = hs_pb_data(HS_VIEW(account));
        bound.persona = hs_pb_data(HS_VIEW(persona));
        bound.device = bound.brand = bound.persona;
        record.bound = &bound;
        record.body_case = HANSE__STATE__STREAM_RECORD__BODY_BOUND;
        hs_stream_record(turn, HS_STREAM_ACCOUNT, HS_VIEW(account), &record);
    }
    raw_turn_end(turn);
    assert_ok(world_bind(ben, brands[0]));
    assert_err(world_bind(ben, brands[1]), HS_ERR_QUOTA);
    assert_ok(world_bind(ben, brands[0])); /* the same again */
    turn = raw_turn_begin(home);
    Hanse__State__SignedUp more = HANSE__STATE__SIGNED_UP__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    more.account = hs_pb_data(HS_VIEW(account));
    more.device = hs_account_view(turn, &account)->device;
    more.roles = 1u << HANSE__ROLE__ROLE_STAFF;
    record.signed_up = &more;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_SIGNED_UP;
    hs_stream_record(turn, HS_STREAM_ACCOUNT, HS_VIEW(account), &record);
    raw_turn_end(turn);
    assert_err(world_bind(ben, brands[1]), HS_ERR_QUOTA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_waits),
        cmocka_unit_test(so_many_stay_whole),
        cmocka_unit_test(a_start_begins_the_day_anew),
        cmocka_unit_test(items_take_place),
        cmocka_unit_test(held_before_they_were_counted),
        cmocka_unit_test(they_count),
        cmocka_unit_test(personas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
