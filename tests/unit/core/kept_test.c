/* What comes from a hub counts in what its follower keeps of it: attachments, parts of them, trees. */
#include "peer_world.h"

#include "core/blobs/upload.h"
#include "core/federation/follow.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/table.h"
#include "core/standing/kept.h"
#include "core/standing/standing.h"
#include "room/blob.h"
#include "wire/unpack.h"

#include <sodium.h>

enum { LEN = 3 * HS_BLOB_CHUNK - 77, DAY_MS = 24 * 3600 * 1000 };

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice;
    struct world_room *room, *alices;
    struct hs_peer *peer; /* the hub, at Alice's home */
    size_t asked;         /* GetChunks of her home */
    uint64_t asked_id;    /* of the first one */
    bool deaf;            /* the hub hears none of them, and of PutChunks */
    size_t cut;           /* the way breaks at this piece */
    bool stalls;          /* of the hub's pieces so many come still: */
    size_t pieces;
    uint64_t acknowledged; /* items of the hub's, by the home's last Cursors that names them */
};

static enum world_verdict look(void *ctx, struct world_node *from, struct world_node *to,
                               struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &arena, &frame));
    if (frame->body_case == HANSE__FRAME__BODY_CHUNK && s->cut > 0 && --s->cut == 0)
        return WORLD_CUT;
    if (frame->body_case == HANSE__FRAME__BODY_CHUNK && s->stalls && from == s->hub) {
        if (s->pieces == 0)
            return WORLD_DROP;
        s->pieces--;
    }
    if (from == s->home && frame->body_case == HANSE__FRAME__BODY_PUT_CHUNK)
        return s->deaf ? WORLD_DROP : WORLD_PASS;
    if (from == s->home && frame->body_case == HANSE__FRAME__BODY_CURSORS && frame->cursors->inbox_next > 0)
        s->acknowledged = frame->cursors->inbox_next;
    if (from != s->home || frame->body_case != HANSE__FRAME__BODY_GET_CHUNK)
        return WORLD_PASS;
    s->asked_id = s->asked++ == 0 ? frame->id : s->asked_id;
    return s->deaf ? WORLD_DROP : WORLD_PASS;
}

static void scene_new(struct world *w, struct scene *s)
{
    *s = (struct scene){
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    w->unchecked = true;
    s->owner = world_staff(s->hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s->alice = world_customer(s->home, "alice");
    s->room = world_room_new(s->owner, "launch");
    struct world_invite invite = world_invite(s->room, 10);
    s->alices = world_join(s->alice, s->room, &invite);
    struct hs_turn *turn = raw_turn_begin(s->home);
    s->peer = hs_peer_find(&turn->core->peers, &s->hub->root.pub);
    raw_turn_end(turn);
    w->hook = look;
    w->hook_ctx = s;
}

static uint64_t log_bytes(struct scene *s)
{
    struct hs_turn *turn = raw_turn_begin(s->home);
    uint64_t bytes = hs_room_view(turn, &s->room->id)->log_bytes;
    raw_turn_end(turn);
    return bytes;
}

/* What the log takes, and what records say of the hub's items. */
static uint64_t logged(struct scene *s)
{
    return log_bytes(s) + raw_items_of(s->home, &s->hub->root.pub);
}

/* A lap is over with each tick: there is little here. */
static void lap_finds(struct scene *s, uint64_t beside)
{
    world_pass(s->w, 1000);
    assert_int_equal(s->peer->kept, logged(s) + beside);
}

static struct hs_bytes random_bytes(struct scene *s)
{
    uint8_t *bytes = hs_arena_alloc(&s->w->arena, LEN);
    randombytes_buf(bytes, LEN);
    return hs_bytes(bytes, LEN);
}

/* A post of that room names it. */
static struct hs_id posted(struct scene *s, struct world_room *by, struct hs_bytes bytes)
{
    struct hs_id hash = world_put_all(by, bytes);
    assert_ok(world_post_blobs(by, &hash, 1));
    world_settle(s->w);
    return hash;
}

static enum hs_err ask(struct scene *s, const struct hs_id *hash)
{
    return world_chunk(s->alice, &s->room->id, HS_VIEW(*hash), 0, NULL);
}

/* FED-84: an attachment, at the limit and one past it; the spare part is for records. */
static void attachments_count(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    struct hs_bytes bytes = random_bytes(&s);
    struct hs_id hash = posted(&s, s.room, bytes);
    uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept;
    lap_finds(&s, 0);
    s.peer->kept = most - most / HS_KEPT_SPARE - LEN + 1;
    assert_err(ask(&s, &hash), HS_ERR_BUSY);
    assert_err(ask(&s, &hash), HS_ERR_QUOTA);
    assert_int_equal(s.peer->kept, most - most / HS_KEPT_SPARE - LEN + 1);
    assert_ok(world_post(s.room, "goes on", NULL));
    world_settle(w);
    assert_string_equal(s.alices->posts[s.alices->post_count - 1], "goes on");
    s.peer->kept = most - most / HS_KEPT_SPARE - LEN;
    assert_err(ask(&s, &hash), HS_ERR_BUSY);
    assert_int_equal(s.peer->kept, most - most / HS_KEPT_SPARE);
    assert_bytes(world_get_all(s.alices, &hash, &err), bytes);
    lap_finds(&s, LEN);
    (void)posted(&s, s.alices, random_bytes(&s)); /* her own counts for her */
    lap_finds(&s, LEN);
}

/* FED-84: of one that doesn't come to an end what is there counts until it goes, a day later. */
static void parts_count(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    struct hs_bytes bytes = random_bytes(&s);
    struct hs_id hash = posted(&s, s.room, bytes);
    lap_finds(&s, 0);
    s.cut = 2;
    s.hub->down = true; /* it isn't dialled again */
    assert_err(ask(&s, &hash), HS_ERR_BUSY);
    lap_finds(&s, LEN);
    world_node_restart(s.home);
    s.peer = hs_peer_find(&s.home->core->peers, &s.hub->root.pub);
    lap_finds(&s, LEN);
    assert_ok(world_connect(s.alice, NULL));
    w->now.ms += DAY_MS;
    world_pass(w, 1000);
    lap_finds(&s, 0);
    s.hub->down = false;
    for (size_t i = 0; i < 60; i++)
        world_pass(w, 1000);
    if (s.alice->session == 0)
        assert_ok(world_connect(s.alice, NULL));
    assert_bytes(world_get_all(s.alices, &hash, &err), bytes);
    lap_finds(&s, LEN);
}

static void pass_seconds(struct scene *s, size_t count)
{
    for (size_t i = 0; i < count; i++)
        world_pass(s->w, 1000);
}

/* FED-84: a hub that shows a piece and no more of it: what there is of a fetch that goes on past its day goes
 * then, and what comes anew counts, and goes again. */
static void stalled_parts_count(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    struct hs_bytes bytes = random_bytes(&s);
    struct hs_id hash = posted(&s, s.room, bytes);
    s.stalls = true;
    for (size_t day = 0; day < 2; day++) {
        s.pieces = 1;
        if (day == 0)
            assert_err(ask(&s, &hash), HS_ERR_BUSY);
        pass_seconds(&s, 60);
        assert_int_equal(s.pieces, 0);
        lap_finds(&s, LEN);
        for (size_t hour = 0; hour < 24; hour++) {
            w->now.ms += DAY_MS / 24;
            world_pass(w, 1000);
        }
        pass_seconds(&s, 60);
        lap_finds(&s, 0);
    }
    s.stalls = false;
    pass_seconds(&s, 60);
    if (s.alice->session == 0)
        assert_ok(world_connect(s.alice, NULL));
    assert_bytes(world_get_all(s.alices, &hash, &err), bytes);
    lap_finds(&s, LEN);
}

/* FED-84: what a hub has said of its size keeps nobody from fetching what the next one has. */
static void size_is_learnt_anew(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    struct hs_bytes bytes = random_bytes(&s);
    struct hs_id hash = posted(&s, s.room, bytes);
    struct hs_turn *turn = raw_turn_begin(s.home);
    const struct hs_upload part = {.blob = hash, .room = s.room->id};
    assert_ok(hs_upload_fetch(turn, &part, &s.hub->root.pub, LEN + 1));
    raw_turn_end(turn);
    assert_bytes(world_get_all(s.alices, &hash, &err), bytes);
    lap_finds(&s, LEN);
}

/* FED-84: until a lap is over that it was there for, a hub has a part of its place, at the limit and one past
 * it. */
static void known_after_a_lap(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    enum hs_err err;
    scene_new(w, &s);
    struct hs_bytes bytes = random_bytes(&s);
    struct hs_id hash = posted(&s, s.room, bytes);
    uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept / HS_KEPT_UNKNOWN;
    world_node_restart(s.home);
    s.peer = hs_peer_find(&s.home->core->peers, &s.hub->root.pub);
    assert_false(s.peer->kept_known);
    lap_finds(&s, 0);
    assert_true(s.peer->kept_known);
    s.peer->kept_known = s.peer->kept_whole = false;
    s.home->core->kept_of = 1; /* as if it had come in the middle of a lap */
    struct hs_turn *turn = raw_turn_begin(s.home);
    hs_kept_count(turn, &s.hub->root.pub, LEN); /* and this where the lap has been */
    raw_turn_end(turn);
    world_pass(w, 1000);
    assert_false(s.peer->kept_known);
    assert_int_equal(s.peer->kept, LEN + raw_items_of(s.home, &s.hub->root.pub));
    world_pass(w, 1000);
    assert_true(s.peer->kept_known);
    assert_true(s.home->core->kept_twice); /* what came in this lap: the next one is fast, too */
    world_pass(w, 1000);
    assert_false(s.home->core->kept_twice);
    pass_seconds(&s, 60);
    if (s.alice->session == 0)
        assert_ok(world_connect(s.alice, NULL));
    s.peer->kept_known = false;
    s.peer->kept = most - most / HS_KEPT_SPARE - LEN + 1;
    assert_err(ask(&s, &hash), HS_ERR_BUSY);
    assert_err(ask(&s, &hash), HS_ERR_QUOTA);
    s.peer->kept = most - most / HS_KEPT_SPARE - LEN;
    assert_err(ask(&s, &hash), HS_ERR_BUSY);
    assert_int_equal(s.peer->kept, most - most / HS_KEPT_SPARE);
    assert_bytes(world_get_all(s.alices, &hash, &err), bytes);
    lap_finds(&s, LEN);
}

/* FED-84: what a user of this home has put counts as that one's, while the hub is away too. */
static void put_counts_not(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    struct hs_bytes bytes = random_bytes(&s);
    struct hs_id hash = hs_blob_hash(bytes);
    Hanse__BlobStatus *status = NULL;
    s.deaf = true;
    for (size_t at = 0; at < LEN; at += HS_BLOB_CHUNK) {
        size_t len = LEN - at < HS_BLOB_CHUNK ? LEN - at : HS_BLOB_CHUNK;
        struct hs_bytes piece = hs_bytes(bytes.data + at, len);
        assert_ok(world_put(s.alices, HS_VIEW(hash), LEN, at, piece, &status));
    }
    assert_int_equal(status->have, LEN);
    assert_false(status->complete);
    lap_finds(&s, 0);
    s.deaf = false;
    for (size_t i = 0; i < 60 && !status->complete; i++) {
        world_pass(w, 1000);
        assert_ok(world_put(s.alices, HS_VIEW(hash), LEN, 0, (struct hs_bytes){0}, &status));
    }
    assert_true(status->complete);
    assert_ok(world_post_blobs(s.alices, &hash, 1));
    world_settle(w);
    lap_finds(&s, 0);
}

/* The hub welcomes Alice to another room, with a tree of that size. */
static Hanse__InboxItem *welcome_item(struct scene *s, uint64_t seq, uint64_t size, struct hs_id hash)
{
    struct world *w = s->w;
    static uint8_t room[32] = {7}, prev[32] = {8};
    Hanse__InboxItem *item = WORLD_NEW(w, Hanse__InboxItem, hanse__inbox_item);
    Hanse__WelcomeItem *welcome = WORLD_NEW(w, Hanse__WelcomeItem, hanse__welcome_item);
    Hanse__Tree *tree = WORLD_NEW(w, Hanse__Tree, hanse__tree);
    tree->hash = hs_pb_data(hs_arena_copy(&w->arena, HS_VIEW(hash)));
    tree->size = size;
    welcome->room = hs_pb_data(hs_bytes(room, sizeof room));
    welcome->prev_hash = hs_pb_data(hs_bytes(prev, sizeof prev));
    welcome->commit_seq = 5;
    welcome->persona = hs_pb_data(HS_VIEW(s->alices->persona->signer.pub));
    welcome->hub_root = hs_pb_data(HS_VIEW(s->hub->root.pub));
    welcome->descriptor = s->hub->descriptor;
    welcome->welcome = hs_pb_data(hs_bytes_str("?"));
    welcome->tree = tree;
    item->welcome = welcome;
    item->body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    item->seq = seq;
    return item;
}

static void send_items(struct scene *s, Hanse__InboxItem **items, size_t count)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->inbox = WORLD_NEW(s->w, Hanse__Inbox, hanse__inbox);
    frame->inbox->n_items = count;
    frame->inbox->items = items;
    frame->body_case = HANSE__FRAME__BODY_INBOX;
    world_inject(s->hub, s->home, frame);
}

static void welcome(struct scene *s, uint64_t size, struct hs_id hash)
{
    Hanse__InboxItem *item = welcome_item(s, 1000, size, hash);
    send_items(s, &item, 1);
}

/* FED-84: a Welcome's tree, at the limit and one past it: it waits for its day until there is place. */
static void trees_count(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    world_disconnect(s.alice);
    uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept;
    lap_finds(&s, 0);
    s.deaf = true;
    s.peer->kept = most - LEN + 1;
    welcome(&s, LEN, (struct hs_id){{9}});
    assert_int_equal(s.asked, 0);
    s.peer->kept_so_far = most - logged(&s) - LEN + 1; /* its item counted, too */
    world_pass(w, 1000);
    assert_int_equal(s.asked, 0);
    s.peer->kept_so_far = most - logged(&s) - LEN; /* that is what the lap will find */
    world_pass(w, 1000);
    assert_int_equal(s.asked, 3);
    Hanse__Frame *frame = world_frame(w);
    frame->id = s.asked_id;
    frame->chunk = WORLD_NEW(w, Hanse__Chunk, hanse__chunk);
    frame->chunk->size = LEN;
    frame->chunk->data = hs_pb_data(hs_bytes(random_bytes(&s).data, HS_BLOB_CHUNK));
    frame->body_case = HANSE__FRAME__BODY_CHUNK;
    world_inject(s.hub, s.home, frame);
    assert_int_equal(s.peer->kept, most - LEN + HS_BLOB_CHUNK);
    lap_finds(&s, HS_BLOB_CHUNK);
}

/* FED-84: that somebody was removed is heard, and counts, where there is no more place, and where more is
 * there than there is place for. */
static void removals_are_heard(void **state)
{
    (void)state;
    for (uint64_t past = 0; past < 2; past++) {
        struct world HS_WORLD *w = world_new();
        struct scene s;
        scene_new(w, &s);
        uint64_t most = hs_quota_of(HS_STANDING_INVITED)->kept + past;
        uint64_t said = raw_items_of(s.home, &s.hub->root.pub);
        s.peer->kept = most;
        assert_ok(world_remove(s.room, s.alices));
        world_settle(w);
        struct hs_turn *turn = raw_turn_begin(s.home);
        assert_int_equal(hs_room_view(turn, &s.room->id)->members, 0);
        raw_turn_end(turn);
        assert_true(raw_items_of(s.home, &s.hub->root.pub) > said);
        assert_int_equal(s.peer->kept, most + raw_items_of(s.home, &s.hub->root.pub) - said);
    }
}

static Hanse__InboxItem *removed_item(struct scene *s, uint64_t seq)
{
    Hanse__InboxItem *item = WORLD_NEW(s->w, Hanse__InboxItem, hanse__inbox_item);
    item->removed = WORLD_NEW(s->w, Hanse__RemovedItem, hanse__removed_item);
    item->removed->room = hs_pb_data(HS_VIEW(s->room->id));
    item->removed->persona = hs_pb_data(HS_VIEW(s->alices->persona->signer.pub));
    item->removed->seq = 100;
    item->body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
    item->seq = seq;
    return item;
}

static uint64_t next_item(struct scene *s)
{
    struct hs_turn *turn = raw_turn_begin(s->home);
    uint64_t next = hs_handed_next(turn, &s->hub->root.pub);
    raw_turn_end(turn);
    return next;
}

static uint32_t members(struct scene *s)
{
    struct hs_turn *turn = raw_turn_begin(s->home);
    uint32_t count = hs_room_view(turn, &s->room->id)->members;
    raw_turn_end(turn);
    return count;
}

/* FED-84: the first item without place ends the session. Those before it are taken and acknowledged, at the
 * limit and one past it; those behind it, removals too, come when there is place. */
static void items_before_the_first_without_place(void **state)
{
    (void)state;
    for (uint64_t past = 0; past < 2; past++) {
        struct world HS_WORLD *w = world_new();
        struct scene s;
        scene_new(w, &s);
        s.deaf = true;
        uint64_t next = next_item(&s);
        Hanse__InboxItem *items[] = {
            welcome_item(&s, 1000, LEN, (struct hs_id){{9}}),
            welcome_item(&s, 1001, LEN, (struct hs_id){{10}}),
            removed_item(&s, 1002),
        };
        uint64_t size = protobuf_c_message_get_packed_size(&items[0]->base);
        s.peer->kept = hs_quota_of(HS_STANDING_INVITED)->kept - size + past;
        send_items(&s, items, 3);
        assert_int_equal(next_item(&s), past ? next : 1001);
        assert_int_equal(s.acknowledged, past ? next : 1001);
        assert_int_equal(members(&s), 1);
        assert_false(world_are_linked(s.home, s.hub));
        world_pass(w, HS_HUB_PAUSE_MS);
        assert_true(world_are_linked(s.home, s.hub));
        send_items(&s, items, 3); /* there is place: it was counted meanwhile */
        assert_int_equal(next_item(&s), 1003);
        assert_int_equal(members(&s), 0);
    }
}

/* FED-84: a removal alone takes no place and ends no session; one in front of a Welcome without place is
 * heard at once. */
static void a_removal_in_front_is_heard(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s;
    scene_new(w, &s);
    Hanse__InboxItem *items[] = {removed_item(&s, 1000), welcome_item(&s, 1001, LEN, (struct hs_id){{9}})};
    s.peer->kept = hs_quota_of(HS_STANDING_INVITED)->kept + 1;
    send_items(&s, items, 1);
    assert_true(world_are_linked(s.home, s.hub));
    assert_int_equal(members(&s), 0);
    items[0]->seq++; /* it makes no sense anymore, and comes through as well */
    items[1]->seq++;
    send_items(&s, items, 2);
    assert_int_equal(next_item(&s), 1002);
    assert_int_equal(s.acknowledged, 1002);
    assert_false(world_are_linked(s.home, s.hub));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attachments_count),
        cmocka_unit_test(parts_count),
        cmocka_unit_test(stalled_parts_count),
        cmocka_unit_test(size_is_learnt_anew),
        cmocka_unit_test(put_counts_not),
        cmocka_unit_test(known_after_a_lap),
        cmocka_unit_test(trees_count),
        cmocka_unit_test(removals_are_heard),
        cmocka_unit_test(items_before_the_first_without_place),
        cmocka_unit_test(a_removal_in_front_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
