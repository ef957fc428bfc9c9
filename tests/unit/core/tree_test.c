/* Rooms whose tree is larger than a frame: the hub keeps it as a blob for as long as a Welcome needs it. */
#include "world.h"

#include "core/blobs/blob.h"
#include "wire/unpack.h"

#include <stdio.h>

enum { BATCH = 24 };

struct scene {
    struct world *w;
    struct world_node *hub;
    struct world_device *owner;
    struct world_room *room;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w, uint32_t members)
{
    struct scene s = {.w = w, .hub = world_node_new(w, "hub.example")};
    struct hs_policy_role role;
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct hs_policy policy = world_policy(s.owner, "launch", &role);
    policy.max_members = members;
    assert_ok(world_ask(s.owner, world_create_frame(s.owner, &policy, &s.room), NULL));
    s.room->joined = true;
    world_attach(s.owner);
    s.invite = world_invite(s.room, members);
    return s;
}

/* Somebody who asks to be let in and goes to sleep. */
static struct world_device *join(struct scene *s)
{
    struct world_device *d = world_customer(s->hub, "a guest with a name of some len");
    struct world_room *room = world_room_join(d, &s->invite);
    assert_ok(world_ask(d, world_join_frame(room, world_join_body(room, &s->invite)), NULL));
    world_disconnect(d);
    return d;
}

static void admit(struct scene *s)
{
    world_settle(s->w);
    assert_ok(world_admit(s->room));
}

static struct world_device *fill(struct scene *s, size_t count)
{
    struct world_device *last = NULL;
    for (size_t i = 1; i <= count; i++) {
        last = join(s);
        if (i % BATCH == 0 || i == count)
            admit(s);
    }
    return last;
}

static void wake(struct world_device *d)
{
    assert_ok(world_connect(d, NULL));
    world_attach(d);
}

static const Hanse__WelcomeItem *welcome_of(const struct world_device *d)
{
    assert_true(d->item_count > 0);
    return d->items[d->item_count - 1]->welcome;
}

/* DELIVERY-30, DELIVERY-31, DELIVERY-32: far more members than a frame has room for. */
static void five_hundred(void **state)
{
    (void)state;
    enum { MEMBERS = 500 };
    struct world HS_WORLD *w = world_new();
    w->unchecked = true; /* a look at the whole store for each refusal: there are none here */
    struct scene s = scene_new(w, 10000);
    struct world_device *last = fill(&s, MEMBERS - 1);
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(s.room->group)), MEMBERS);
    wake(last);
    assert_true(last->rooms[0].joined);
    assert_true(welcome_of(last)->tree->size > 3 * HS_FRAME_MAX);
    assert_int_equal(hs_mls_public_member_count(hs_mls_group_public(last->rooms[0].group)), MEMBERS);
    assert_ok(world_post(s.room, "welcome, all", NULL));
    world_settle(w);
    assert_string_equal(last->rooms[0].posts[0], "welcome, all");
    assert_ok(world_post(&last->rooms[0], "hello", NULL));
    world_settle(w);
    assert_string_equal(s.room->posts[1], "hello");
    /* what a commit without newcomers writes doesn't grow with the room: no tree is kept for it */
    assert_ok(world_update(&last->rooms[0]));
    assert_int_equal(hs_mls_group_epoch(s.room->group), hs_mls_group_epoch(last->rooms[0].group));
}

/* DELIVERY-31: the tree is within the item up to the limit, and a blob past it. */
static void small_and_large(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, 100);
    bool was_blob = false, was_inline = false;
    for (size_t i = 0; i < 40 && !was_blob; i++) {
        struct world_device *d = join(&s);
        admit(&s);
        wake(d);
        const Hanse__Tree *tree = welcome_of(d)->tree;
        struct hs_writer HS_WRITER nodes = hs_writer(HS_TREE_MAX);
        assert_ok(hs_mls_public_tree(hs_mls_group_public(s.room->group), &nodes));
        was_blob = tree->hash.len > 0;
        was_inline = was_inline || !was_blob;
        assert_int_equal(was_blob, nodes.len > HS_TREE_INLINE);
        assert_bytes(world_tree(d, welcome_of(d)), hs_writer_bytes(&nodes));
        world_disconnect(d);
    }
    assert_true(was_blob && was_inline);
}

/* DELIVERY-32: who may read what. */
static void not_for_everybody(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, 100);
    struct world_device *last = fill(&s, 90), *eve = world_customer(s.hub, "eve");
    struct world_room *other = world_room_new(s.owner, "other");
    struct world_invite invite = world_invite(other, 10);
    (void)world_join(eve, other, &invite);
    wake(last);
    const Hanse__Tree *tree = welcome_of(last)->tree;
    struct hs_bytes hash = hs_pb_bytes(tree->hash);
    struct hs_id nobodys = {{1, 2, 3}};
    assert_int_equal(hash.len, HS_HASH_LEN);
    assert_true(tree->size > HS_BLOB_CHUNK);
    assert_ok(world_chunk(last, &s.room->id, hash, HS_BLOB_CHUNK, NULL));
    assert_err(world_chunk(eve, &s.room->id, hash, 0, NULL), HS_ERR_BLOB_UNKNOWN);
    assert_err(world_chunk(eve, &other->id, hash, 0, NULL), HS_ERR_BLOB_UNKNOWN);
    assert_err(world_chunk(last, &other->id, hash, 0, NULL), HS_ERR_BLOB_UNKNOWN);
    assert_err(world_chunk(last, &s.room->id, HS_VIEW(nobodys), 0, NULL), HS_ERR_BLOB_UNKNOWN);
    uint64_t end = (tree->size + HS_BLOB_CHUNK - 1) / HS_BLOB_CHUNK * HS_BLOB_CHUNK;
    assert_ok(world_chunk(last, &s.room->id, hash, end - HS_BLOB_CHUNK, NULL));
    assert_err(world_chunk(last, &s.room->id, hash, end, NULL), HS_ERR_NOT_FOUND);
    assert_err(world_chunk(last, &s.room->id, hash, UINT64_MAX / HS_BLOB_CHUNK * HS_BLOB_CHUNK, NULL),
               HS_ERR_NOT_FOUND);
    assert_err(world_chunk(last, &s.room->id, hash, 1, NULL), HS_ERR_MALFORMED);
    wake(last);
    assert_ok(world_remove(s.room, &last->rooms[0]));
    assert_err(world_chunk(last, &s.room->id, hash, 0, NULL), HS_ERR_BLOB_UNKNOWN);
}

/* DELIVERY-33: as long as a Welcome waits, and a day longer. */
static void gone_after_a_day(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, 100);
    (void)fill(&s, 40);
    struct world_device *first = join(&s), *last = join(&s);
    admit(&s);
    world_pass(w, 3 * WORLD_DAY_MS);
    wake(last);
    struct hs_bytes hash = hs_pb_bytes(welcome_of(last)->tree->hash);
    assert_int_equal(hash.len, HS_HASH_LEN);
    world_pass(w, 3 * WORLD_DAY_MS); /* the first hasn't got its own yet */
    wake(first);
    assert_true(first->rooms[0].joined);
    assert_bytes(hs_pb_bytes(welcome_of(first)->tree->hash), hash);
    enum { MINUTE = 60000 };
    for (int i = 0; i < 10; i++)
        world_pass(w, MINUTE); /* the cursor is kept, and the node sees that nobody waits any more */
    world_pass(w, HS_BLOB_GRACE_MS - 10 * MINUTE);
    assert_ok(world_chunk(last, &s.room->id, hash, 0, NULL));
    for (int i = 0; i < 15; i++)
        world_pass(w, MINUTE);
    assert_err(world_chunk(last, &s.room->id, hash, 0, NULL), HS_ERR_BLOB_UNKNOWN);
}

struct meddler {
    struct world_node *hub;
    size_t chunks;
    size_t cut_at, alter_at, drop_at; /* the n-th piece that comes from the hub */
};

static enum world_verdict meddle(void *ctx, struct world_node *from, struct world_node *to,
                                 struct hs_bytes *bytes)
{
    struct meddler *m = ctx;
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &from->world->arena, &frame));
    if (from != m->hub || frame->body_case != HANSE__FRAME__BODY_CHUNK)
        return WORLD_PASS;
    m->chunks++;
    if (m->chunks == m->alter_at) {
        frame->chunk->data.data[9] ^= 1;
        *bytes = world_pack(from->world, &frame->base);
    }
    if (m->chunks == m->drop_at)
        return WORLD_DROP;
    return m->chunks == m->cut_at ? WORLD_CUT : WORLD_PASS;
}

static struct world_room *join_from_afar(struct scene *s, struct meddler *m)
{
    struct world_node *home = world_node_new(s->w, "home.example");
    struct world_device *alice = world_customer(home, "alice");
    (void)fill(s, 160);
    m->hub = s->hub;
    s->w->hook = meddle;
    s->w->hook_ctx = m;
    assert_ok(world_bind(alice, s->hub));
    struct world_room *room = world_room_join(alice, &s->invite);
    assert_ok(world_ask_hub(alice, s->hub, world_join_frame(room, world_join_body(room, &s->invite)), NULL));
    admit(s);
    world_settle(s->w);
    return room;
}

/* DELIVERY-34: a Welcome comes to the follower's user with the tree, whatever becomes of the way to the hub.
 */
static void follower_fetches(void **state)
{
    (void)state;
    static const struct meddler cases[] = {{0}, {.cut_at = 1}, {.cut_at = 2}, {.drop_at = 1}, {.drop_at = 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct world HS_WORLD *w = world_new();
        w->unchecked = true;
        struct meddler m = cases[i];
        struct scene s = scene_new(w, 1000);
        struct world_room *room = join_from_afar(&s, &m);
        if (cases[i].cut_at > 0 || cases[i].drop_at == 3) {
            assert_false(room->joined);
            if (i == 2)
                world_node_restart(room->device->node);
            world_pass(w, 2 * HS_FETCH_MS);
            world_settle(w);
            if (room->device->session == 0)
                wake(room->device);
        }
        assert_true(room->joined);
        assert_true(m.chunks >= 3);
        /* served by its home: the hub may be gone */
        s.hub->down = true;
        const Hanse__Tree *tree = welcome_of(room->device)->tree;
        assert_ok(world_chunk(room->device, &room->id, hs_pb_bytes(tree->hash), 0, NULL));
    }
}

/* DELIVERY-34: a hub that tells another tree than it named lets nobody wait for ever. */
static void hub_tells_another_tree(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    w->unchecked = true;
    struct meddler m = {.alter_at = 2};
    struct scene s = scene_new(w, 1000);
    struct world_node *home = world_node_new(w, "home.example");
    struct world_device *alice = world_customer(home, "alice");
    (void)fill(&s, 160);
    m.hub = s.hub;
    w->hook = meddle;
    w->hook_ctx = &m;
    assert_ok(world_bind(alice, s.hub));
    struct world_room *room = world_room_join(alice, &s.invite);
    assert_ok(world_ask_hub(alice, s.hub, world_join_frame(room, world_join_body(room, &s.invite)), NULL));
    world_disconnect(alice); /* a device of these tests takes no Welcome without tree */
    admit(&s);
    world_settle(w);
    assert_true(m.chunks >= 3);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_bytes key, value, all = {0};
    Hanse__InboxItem *item;
    assert_true(hs_kv_next(home->kv, 12, all, all, &arena, &key, &value)); /* the inboxes */
    assert_ok(HS_UNPACK(hanse__inbox_item, value, HS_LENIENT, &arena, &item));
    assert_int_equal(item->body_case, HANSE__INBOX_ITEM__BODY_WELCOME);
    struct hs_id hash;
    assert_true(HS_FIXED(hs_pb_bytes(item->welcome->tree->hash), &hash));
    assert_ok(world_connect(alice, NULL));
    assert_err(world_chunk(alice, &room->id, HS_VIEW(hash), 0, NULL), HS_ERR_BLOB_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_hundred),      cmocka_unit_test(small_and_large),
        cmocka_unit_test(not_for_everybody), cmocka_unit_test(gone_after_a_day),
        cmocka_unit_test(follower_fetches),  cmocka_unit_test(hub_tells_another_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
