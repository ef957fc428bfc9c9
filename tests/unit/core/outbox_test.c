/* Posts from a follower: kept until the hub has answered. */
#include "world.h"

#include "core/delivery/cursor.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "wire/unpack.h"

#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.home, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    return s;
}

static struct scene scene_joined(struct world *w)
{
    struct scene s = scene_new(w);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}

static void post_many(struct world_room *room, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_ok(world_post(room, text, NULL));
    }
}

static void has_exactly(struct world_room *room, size_t count)
{
    assert_int_equal(room->post_count, count);
    for (size_t i = 0; i < count; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%zu", i);
        assert_string_equal(room->posts[i], text);
    }
}

static void reconnect(struct world_device *d)
{
    if (d->session != 0)
        world_disconnect(d);
    assert_ok(world_connect(d, NULL));
    world_attach(d);
}

/* The link between the two is cut, and can't be made again until it is mended. */
static void cut(struct scene *s)
{
    s->hub->down = true;
    for (size_t i = 0; i < s->w->link_count; i++)
        if (s->w->links[i].open && s->w->links[i].device == NULL)
            world_close(s->w, s->w->links[i].id[0]);
    world_run(s->w);
}

static void mend(struct scene *s)
{
    s->hub->down = false;
    world_pass(s->w, HS_RETRY_MAX_MS);
    world_pass(s->w, 1000);
}

/* FED-8: Forward answers UNREACHABLE; posts wait, in order, and go out once there is a way. */
static void posts_wait_for_the_hub(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    post_many(s.alices, 0, 1);
    world_settle(w);
    cut(&s);
    struct world_commit c;
    world_commit_update(s.alices, &c);
    assert_err(world_forward(s.alice, s.hub, world_commit_frame(s.alices, &c), NULL), HS_ERR_TIMEOUT);
    hs_mls_group_drop(s.alices->group);
    world_pass(w, 1000); /* dialled, without success */
    size_t told = 0;
    for (size_t i = 0; i < s.alice->rx_len; i++) {
        struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
        Hanse__Frame *frame;
        assert_ok(HS_UNPACK(hanse__frame, s.alice->rx[i], HS_LENIENT, &arena, &frame));
        if (frame->body_case == HANSE__FRAME__BODY_ERROR && frame->id == s.alice->last_id)
            told += hs_err_from_wire(frame->error->code) == HS_ERR_UNREACHABLE ? 1 : 0;
    }
    assert_int_equal(told, 1);
    post_many(s.alices, 1, 100);
    world_node_restart(s.home); /* the outbox is durable */
    reconnect(s.alice);
    has_exactly(s.room, 1);
    mend(&s);
    has_exactly(s.room, 100);
    has_exactly(s.alices, 100);
}

struct breaker {
    struct world_node *home;
    size_t left;
};

/* Every third post from the home is lost with the session. */
static enum world_verdict cut_some(void *ctx, struct world_node *from, struct world_node *to,
                                   struct hs_bytes *bytes)
{
    struct breaker *b = ctx;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &arena, &frame));
    bool post = from == b->home && frame->body_case == HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    return post && ++b->left % 3 == 0 ? WORLD_CUT : WORLD_PASS;
}

/* FED-19: what was under way when a session ended is sent again, and counts once. */
static void posts_survive_cut_sessions(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    struct breaker b = {.home = s.home};
    w->hook = cut_some;
    w->hook_ctx = &b;
    post_many(s.alices, 0, 20);
    world_settle(w);
    for (int i = 0; i < 30; i++)
        world_pass(w, HS_RETRY_MAX_MS);
    w->hook = NULL;
    mend(&s);
    has_exactly(s.room, 20);
    has_exactly(s.alices, 20);
}

/* FED-18: the same post handed in again, before the hub has answered, waits once. */
static void outbox_keeps_each_post_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    cut(&s);
    struct hs_bytes message = world_protect(s.alices, "0");
    strcpy(s.alices->sent[s.alices->sent_count++], "0");
    assert_ok(world_ask(s.alice, world_post_frame(s.alices, message), NULL));
    world_pass(w, 2 * HS_CURSOR_MS);
    struct hs_id before = world_store_hash(s.home);
    for (int i = 0; i < 3; i++) {
        reconnect(s.alice);
        assert_ok(world_ask(s.alice, world_post_frame(s.alices, message), NULL));
    }
    struct hs_id after = world_store_hash(s.home);
    assert_memory_equal(before.b, after.b, 32);
    mend(&s);
    has_exactly(s.room, 1);
    has_exactly(s.alices, 1);
}

/* A refusal of the hub comes as an item of the inbox, once. */
static void refused_post_is_told(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    struct world_room *bobs = world_join(s.bob, s.room, &s.invite);
    cut(&s);
    struct hs_bytes message = world_protect(s.alices, "too late");
    assert_ok(world_ask(s.alice, world_post_frame(s.alices, message), NULL));
    assert_ok(world_remove(s.room, bobs));
    mend(&s);
    const Hanse__InboxItem *item = s.alice->items[s.alice->item_count - 1];
    assert_int_equal(item->body_case, HANSE__INBOX_ITEM__BODY_OUTCOME);
    assert_int_equal(hs_err_from_wire(item->outcome->error->code), HS_ERR_EPOCH_TOO_OLD);
    struct hs_id hash = hs_record_body_hash(message);
    assert_bytes(hs_pb_bytes(item->outcome->body_hash), HS_VIEW(hash));
    size_t items = s.alice->item_count;
    world_node_restart(s.home);
    reconnect(s.alice);
    mend(&s);
    assert_int_equal(s.alice->item_count, items);
    /* the same bytes once more are asked once more */
    assert_ok(world_ask(s.alice, world_post_frame(s.alices, message), NULL));
    world_settle(w);
    assert_int_equal(s.alice->item_count, items + 1);
}

struct deaf {
    struct world_node *home;
    size_t posts, bytes;
};

/* The hub's answers are lost; posts are counted. */
static enum world_verdict count_unanswered(void *ctx, struct world_node *from, struct world_node *to,
                                           struct hs_bytes *bytes)
{
    struct deaf *d = ctx;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 24);
    Hanse__Frame *frame;
    (void)to;
    if (from != d->home)
        return WORLD_DROP;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &arena, &frame));
    if (frame->body_case != HANSE__FRAME__BODY_SUBMIT_MESSAGE)
        return WORLD_PASS;
    d->posts++;
    d->bytes += bytes->len;
    return WORLD_PASS;
}

static const struct hs_peer *hub_of(const struct scene *s)
{
    return hs_peer_find(&s->home->core->peers, &s->hub->root.pub);
}

/* FED-19: as many posts are under way as the window has places; it grows with those that the hub takes. */
static void window_grows_with_what_is_taken(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    struct deaf d = {.home = s.home};
    w->hook = count_unanswered;
    w->hook_ctx = &d;
    post_many(s.alices, 0, HS_OUTBOX_WINDOW_FIRST + 20);
    world_settle(w);
    assert_int_equal(d.posts, HS_OUTBOX_WINDOW_FIRST);
    w->hook = NULL;
    cut(&s); /* what was under way is sent again */
    mend(&s);
    has_exactly(s.room, HS_OUTBOX_WINDOW_FIRST + 20);
    assert_int_equal(hub_of(&s)->window, HS_OUTBOX_WINDOW_FIRST + HS_OUTBOX_WINDOW_FIRST + 20);
    assert_int_equal(hub_of(&s)->post_count, 0);
    assert_int_equal(hub_of(&s)->post_bytes, 0);
    w->hook = count_unanswered;
    d.posts = 0;
    post_many(s.alices, HS_OUTBOX_WINDOW_FIRST + 20, 320);
    world_settle(w);
    assert_int_equal(d.posts, HS_OUTBOX_WINDOW_FIRST + HS_OUTBOX_WINDOW_FIRST + 20);
    w->hook = NULL;
    cut(&s);
    assert_null(hub_of(&s)->posts);
    mend(&s);
    has_exactly(s.room, 320);
}

/* FED-19: a hub that has no room for posts gets fewer at once, 64 at least; one that has gets 1024 at most.
 */
static void window_has_its_bounds(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    struct hs_peer *peer = hs_peer_find(&s.home->core->peers, &s.hub->root.pub);
    peer->window = HS_OUTBOX_WINDOW_MAX - 1;
    post_many(s.alices, 0, 1);
    assert_int_equal(peer->window, HS_OUTBOX_WINDOW_MAX);
    post_many(s.alices, 1, 2);
    assert_int_equal(peer->window, HS_OUTBOX_WINDOW_MAX);
    s.hub->full = true;
    for (size_t i = 2; i < 12; i++) {
        post_many(s.alices, i, i + 1);
        world_pass(w, HS_RETRY_FIRST_MS);
    }
    assert_int_equal(peer->window, HS_OUTBOX_WINDOW_FIRST);
    s.hub->full = false;
    world_pass(w, HS_RETRY_FIRST_MS);
    has_exactly(s.room, 12);
}

/* FED-19: the bytes under way are bounded, too: a session's queue holds them. */
static void window_is_bounded_in_bytes(void **state)
{
    enum { BIG = 30000, POSTS = 40 };
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_joined(w);
    struct deaf d = {.home = s.home};
    char text[BIG + 1];
    memset(text, 'x', BIG);
    text[BIG] = 0;
    w->hook = count_unanswered;
    w->hook_ctx = &d;
    for (size_t i = 0; i < POSTS; i++)
        assert_ok(world_post(s.alices, text, NULL));
    world_settle(w);
    assert_in_range(d.bytes, HS_OUTBOX_WINDOW_BYTES - 2 * BIG, HS_OUTBOX_WINDOW_BYTES + BIG);
    assert_true(d.posts < POSTS);
    w->hook = NULL;
    uint64_t next = s.room->tip.next_seq;
    cut(&s);
    mend(&s);
    assert_int_equal(s.room->tip.next_seq, next + POSTS - d.posts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_wait_for_the_hub),          cmocka_unit_test(posts_survive_cut_sessions),
        cmocka_unit_test(outbox_keeps_each_post_once),     cmocka_unit_test(refused_post_is_told),
        cmocka_unit_test(window_grows_with_what_is_taken), cmocka_unit_test(window_has_its_bounds),
        cmocka_unit_test(window_is_bounded_in_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
