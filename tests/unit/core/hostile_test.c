/* A hub, a follower's user or a stranger that wants to harm others. */
#include "world.h"

#include "core/federation/peer.h"
#include "identity/descriptor.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home, *evil;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices;
    struct world_invite invite;
};

/* Alice is in a room of the good hub, and in one of the evil hub: so her home keeps a session to both. */
static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w,
                      .hub = world_node_new(w, "hub.example"),
                      .home = world_node_new(w, "home.example"),
                      .evil = world_node_new(w, "evil.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.home, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    struct world_device *villain = world_staff(s.evil, "villain", HANSE__ROLE__ROLE_OWNER);
    struct world_room *trap = world_room_new(villain, "trap");
    struct world_invite bait = world_invite(trap, 10);
    (void)world_join(s.alice, trap, &bait);
    return s;
}

static void all_is_well(struct scene *s)
{
    size_t posts = s->alices->post_count;
    assert_ok(world_post(s->room, "well", NULL));
    world_settle(s->w);
    world_pass(s->w, HS_RETRY_MAX_MS);
    world_pass(s->w, 1000);
    assert_int_equal(s->alices->post_count, posts + 1);
    assert_ok(world_post(s->alices, "and back", NULL));
    world_settle(s->w);
    assert_string_equal(s->room->posts[s->room->post_count - 1], "and back");
}

static Hanse__Tree *tree_of(struct world *w, const char *bytes)
{
    Hanse__Tree *tree = WORLD_NEW(w, Hanse__Tree, hanse__tree);
    tree->bytes = hs_pb_data(hs_bytes_str(bytes));
    return tree;
}

static Hanse__Frame *inbox_of(struct world *w, uint64_t seq, Hanse__InboxItem **item)
{
    Hanse__Frame *frame = world_frame(w);
    frame->inbox = WORLD_NEW(w, Hanse__Inbox, hanse__inbox);
    frame->body_case = HANSE__FRAME__BODY_INBOX;
    frame->inbox->items = hs_arena_alloc(&w->arena, sizeof(void *));
    frame->inbox->items[0] = *item = WORLD_NEW(w, Hanse__InboxItem, hanse__inbox_item);
    frame->inbox->n_items = 1;
    (*item)->seq = seq;
    return frame;
}

/* FED-13: a hub speaks for its own rooms only. */
static void evil_hub_touches_no_others_room(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    Hanse__InboxItem *item;
    Hanse__Frame *frame = inbox_of(w, 50, &item);
    item->removed = WORLD_NEW(w, Hanse__RemovedItem, hanse__removed_item);
    item->body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
    item->removed->room = hs_pb_data(HS_VIEW(s.room->id));
    item->removed->persona = hs_pb_data(HS_VIEW(s.alices->persona->signer.pub));
    world_inject(s.evil, s.home, frame);
    all_is_well(&s);

    frame = inbox_of(w, 51, &item);
    item->welcome = WORLD_NEW(w, Hanse__WelcomeItem, hanse__welcome_item);
    item->body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    item->welcome->room = hs_pb_data(HS_VIEW(s.room->id));
    item->welcome->persona = hs_pb_data(HS_VIEW(s.alices->persona->signer.pub));
    item->welcome->welcome = hs_pb_data(hs_bytes_str("trap"));
    item->welcome->prev_hash = hs_pb_data(HS_VIEW(s.room->id));
    item->welcome->hub_root = hs_pb_data(HS_VIEW(s.evil->root.pub));
    item->welcome->descriptor = s.evil->descriptor;
    item->welcome->tree = tree_of(w, "of a trap");
    world_inject(s.evil, s.home, frame);
    all_is_well(&s);

    /* records of a room that isn't its own */
    frame = world_frame(w);
    frame->records = WORLD_NEW(w, Hanse__Records, hanse__records);
    frame->body_case = HANSE__FRAME__BODY_RECORDS;
    frame->records->room = hs_pb_data(HS_VIEW(s.room->id));
    world_inject(s.evil, s.home, frame);
    assert_int_equal(s.home->closed, 1);
    all_is_well(&s);
}

static enum world_verdict keep_inbox(void *ctx, struct world_node *from, struct world_node *to,
                                     struct hs_bytes *bytes)
{
    Hanse__Frame *frame, **kept = ctx;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &from->world->arena, &frame));
    (void)to;
    if (frame->body_case == HANSE__FRAME__BODY_INBOX)
        *kept = frame;
    return WORLD_PASS;
}

/* FED-17: an item that comes twice is handed on once. */
static void repeated_items_count_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    Hanse__Frame *kept = NULL;
    w->hook = keep_inbox;
    w->hook_ctx = &kept;
    (void)world_join(s.bob, s.room, &s.invite);
    assert_non_null(kept);
    size_t items = s.bob->item_count;
    struct hs_id before = world_store_hash(s.home);
    world_inject(s.hub, s.home, kept);
    world_settle(w);
    assert_int_equal(s.bob->item_count, items);
    struct hs_id after = world_store_hash(s.home);
    assert_memory_equal(before.b, after.b, 32);
    all_is_well(&s);
}

/* Answers and items of any size: what goes on to a device fits into its frames. */
static void evil_hub_cannot_block_an_inbox(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    char *long_text = hs_arena_alloc(&w->arena, 64001);
    memset(long_text, 'x', 64000);
    size_t items = s.alice->item_count;
    for (size_t len = HS_BLOB_THRESHOLD + 1; len < 65200; len += 4000) {
        Hanse__InboxItem *item;
        struct hs_id room = {{(uint8_t)(len / 256), (uint8_t)len}};
        Hanse__Frame *frame = inbox_of(w, 100 + len, &item);
        item->welcome = WORLD_NEW(w, Hanse__WelcomeItem, hanse__welcome_item);
        item->body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
        item->welcome->room = hs_pb_data(world_copy(w, HS_VIEW(room)));
        item->welcome->persona = hs_pb_data(HS_VIEW(s.alices->persona->signer.pub));
        item->welcome->welcome = hs_pb_data(hs_bytes(long_text, len < 64000 ? len : 64000));
        item->welcome->prev_hash = hs_pb_data(HS_VIEW(s.room->id));
        item->welcome->hub_root = hs_pb_data(HS_VIEW(s.evil->root.pub));
        item->welcome->descriptor = s.evil->descriptor;
        item->welcome->tree = tree_of(w, "x");
        if (protobuf_c_message_get_packed_size(&frame->base) <= HS_FRAME_MAX)
            world_inject(s.evil, s.home, frame);
    }
    world_settle(w);
    assert_int_equal(s.alice->item_count, items);
    all_is_well(&s);
}

/* The answer to a Forward that is as long as a frame can be. */
static enum world_verdict long_answers(void *ctx, struct world_node *from, struct world_node *to,
                                       struct hs_bytes *bytes)
{
    struct scene *s = ctx;
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &s->w->arena, &frame));
    if (from != s->hub || frame->body_case != HANSE__FRAME__BODY_ERROR)
        return WORLD_PASS;
    frame->error->message = hs_arena_alloc(&s->w->arena, HS_FRAME_MAX);
    memset(frame->error->message, 'x', HS_FRAME_MAX - 40);
    size_t left = HS_FRAME_MAX - world_pack(s->w, &frame->base).len;
    memset(frame->error->message + HS_FRAME_MAX - 40, 'x', left);
    *bytes = world_pack(s->w, &frame->base);
    assert_int_equal(bytes->len, HS_FRAME_MAX);
    return WORLD_PASS;
}

static void longest_answer_to_a_forward(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite unknown = world_invite_new(s.room, 1, 1000);
    Hanse__Frame *frame = world_frame(w);
    frame->get_invite = WORLD_NEW(w, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(HS_VIEW(unknown.signer.pub));
    assert_err(world_forward(s.alice, s.hub, frame, NULL), HS_ERR_INVITE_UNKNOWN);
    w->hook = long_answers;
    w->hook_ctx = &s;
    assert_err(world_forward(s.alice, s.hub, frame, NULL), HS_ERR_TOO_LARGE);
    /* as the outcome of a post */
    struct hs_bytes nonsense = hs_bytes_str("nonsense");
    size_t items = s.alice->item_count;
    assert_ok(world_ask(s.alice, world_post_frame(s.alices, nonsense), NULL));
    world_settle(w);
    assert_int_equal(s.alice->item_count, items + 1);
    w->hook = NULL;
    all_is_well(&s);
}

/* One user of a home sends what isn't MLS: the session between the nodes goes on for the others. */
static void garbage_of_one_user_ends_no_node_session(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_commit c = {hs_bytes_str("garbage"), hs_bytes_str("x"), hs_bytes_str("y")};
    assert_err(world_forward(s.alice, s.hub, world_commit_frame(s.alices, &c), NULL), HS_ERR_MLS_VERSION);
    uint8_t cut[] = {0, 1, 0, 1, 1};
    c.commit = hs_bytes(cut, sizeof cut);
    assert_err(world_forward(s.alice, s.hub, world_commit_frame(s.alices, &c), NULL), HS_ERR_MALFORMED);
    Hanse__Frame *frame = world_commit_frame(s.alices, &c);
    frame->submit_commit->room.len = 31;
    assert_err(world_forward(s.alice, s.hub, frame, NULL), HS_ERR_MALFORMED);
    assert_int_equal(s.hub->closed, 0);
    assert_int_equal(s.home->closed, 0);
    all_is_well(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evil_hub_touches_no_others_room),
        cmocka_unit_test(repeated_items_count_once),
        cmocka_unit_test(evil_hub_cannot_block_an_inbox),
        cmocka_unit_test(longest_answer_to_a_forward),
        cmocka_unit_test(garbage_of_one_user_ends_no_node_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
