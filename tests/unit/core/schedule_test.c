/* Random schedules: devices at three nodes post and commit, commits race for one epoch, nodes die behind
 * their transactions or have them undone, sessions between nodes break in the midst of things, time passes.
 * In the end all is healed, and then: what was acknowledged is in the log once, all copies and all devices
 * agree to the byte, the posts of each sender are in order, and nobody waits for anything. (DELIVERY-1,
 * DELIVERY-2, DELIVERY-4, DELIVERY-7, FED-18, FED-19; HANSE_SEEDS says how many schedules) */
#include "world.h"

#include "core/records/table.h"
#include "support/rng.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODES = 3, ACTORS = 6, POSTS_MAX = 12, STEPS = 40, SEEDS = 25, HEAL_TURNS = 60 };

struct made {
    Hanse__Frame *frame;
    char text[32];
    struct hs_id body;
    bool acked, refused;
};

struct actor {
    struct world_device *d;
    struct world_room *room;
    struct made made[POSTS_MAX];
    size_t count;
    size_t items_seen;
    Hanse__Frame *commit; /* waits for its answer */
    uint64_t commit_epoch;
    size_t commits;
};

struct schedule {
    struct world *w;
    struct rng rng;
    struct world_node *nodes[NODES];
    struct actor actors[ACTORS];
    bool calm;
    size_t wins, losses;
};

/* ---- faults ---- */

static enum world_verdict weather(void *ctx, struct world_node *from, struct world_node *to,
                                  struct hs_bytes *frame)
{
    struct schedule *s = ctx;
    (void)from;
    (void)to;
    (void)frame;
    return !s->calm && rng_below(&s->rng, 20) == 0 ? WORLD_CUT : WORLD_PASS;
}

static void back_online(struct actor *a)
{
    if (a->d->session != 0 || a->d->node->mute)
        return;
    if (world_connect(a->d, NULL) == HS_OK)
        world_attach(a->d);
}

/* The node dies behind its next transactions; before it is up again, others may notice. */
static void crash(struct schedule *s, struct world_node *node, void (*act)(struct schedule *, struct actor *))
{
    node->mute = true;
    act(s, &s->actors[rng_below(&s->rng, ACTORS)]);
    world_node_restart(node);
}

/* ---- what people do ---- */

/* The hub refused it for its epoch, and the sender knows: one post less will come. Which of them it is
 * matters to the sender's own list alone, where records and outcomes may cross. */
static void forget(struct actor *a, const struct made *made)
{
    struct world_room *room = a->room;
    size_t at = room->own_count;
    assert_true(at < room->sent_count);
    for (size_t i = at; i < room->sent_count; i++)
        if (strcmp(room->sent[i], made->text) == 0)
            at = i;
    memmove(room->sent[at], room->sent[at + 1], (room->sent_count - at - 1) * sizeof room->sent[0]);
    room->sent_count--;
}

static void take_outcomes(struct actor *a)
{
    for (; a->items_seen < a->d->item_count; a->items_seen++) {
        const Hanse__InboxItem *item = a->d->items[a->items_seen];
        for (size_t i = 0; item->body_case == HANSE__INBOX_ITEM__BODY_OUTCOME && i < a->count; i++)
            if (!a->made[i].refused && /* said again before it was known, it is refused once more */
                hs_bytes_equal(hs_pb_bytes(item->outcome->body_hash), HS_VIEW(a->made[i].body))) {
                a->made[i].refused = true;
                forget(a, &a->made[i]);
            }
    }
}

static void settle(struct schedule *s)
{
    world_settle(s->w);
    for (size_t i = 0; i < ACTORS; i++)
        take_outcomes(&s->actors[i]);
}

static void say(struct schedule *s, struct made *made, struct actor *a)
{
    enum hs_err err = world_ask(a->d, made->frame, NULL);
    made->acked = made->acked || err == HS_OK;
    if (err == HS_ERR_EPOCH_TOO_OLD || err == HS_ERR_WRONG_EPOCH) {
        assert_false(made->acked); /* DELIVERY-2 */
        made->refused = true;
        forget(a, made);
    } else if (err != HS_OK && err != HS_ERR_TIMEOUT && err != HS_ERR_CLOSED) {
        fail_msg("%s: %s", made->text, hs_err_name(err));
    }
    (void)s;
}

/* The newest post is said again until it is answered; then comes another one. */
static void post(struct schedule *s, struct actor *a)
{
    struct made *made = a->count > 0 ? &a->made[a->count - 1] : NULL;
    back_online(a);
    if (made != NULL && !made->acked && !made->refused) {
        say(s, made, a);
        return;
    }
    if (a->count == POSTS_MAX || s->calm)
        return;
    made = &a->made[a->count++];
    (void)snprintf(made->text, sizeof made->text, "%zu.%zu", (size_t)(a - s->actors), a->count);
    struct hs_bytes message = world_protect(a->room, made->text);
    made->body = hs_record_body_hash(message);
    made->frame = world_post_frame(a->room, message);
    (void)snprintf(a->room->sent[a->room->sent_count++], sizeof a->room->sent[0], "%s", made->text);
    say(s, made, a);
}

/* The commit is said again until its fate is known: merged by its record, or beaten by another one. */
static void push_commit(struct schedule *s, struct actor *a)
{
    if (a->commit == NULL)
        return;
    back_online(a);
    enum hs_err err = world_ask_hub(a->d, s->nodes[0], a->commit, NULL);
    settle(s);
    bool over = hs_mls_group_epoch(a->room->group) > a->commit_epoch;
    if (err == HS_ERR_WRONG_EPOCH && hs_mls_group_has_pending(a->room->group))
        hs_mls_group_drop(a->room->group);
    s->losses += err == HS_ERR_WRONG_EPOCH ? 1 : 0;
    s->wins += err == HS_OK ? 1 : 0;
    if (over || err == HS_OK || err == HS_ERR_WRONG_EPOCH)
        a->commit = NULL;
}

static void make_commit(struct actor *a)
{
    struct world_commit c;
    if (a->commit != NULL || hs_mls_group_has_pending(a->room->group))
        return;
    world_commit_update(a->room, &c);
    a->commit_epoch = hs_mls_group_epoch(a->room->group);
    a->commit = world_commit_frame(a->room, &c);
    a->commits++;
}

static void commit(struct schedule *s, struct actor *a)
{
    if (!s->calm)
        make_commit(a);
    push_commit(s, a);
}

/* Several want the same epoch. */
static void race(struct schedule *s)
{
    for (size_t i = 0; i < ACTORS; i += 2)
        make_commit(&s->actors[i]);
    size_t first = rng_below(&s->rng, ACTORS);
    for (size_t i = 0; i < ACTORS; i++)
        push_commit(s, &s->actors[(first + i) % ACTORS]);
}

static void act(struct schedule *s)
{
    struct actor *a = &s->actors[rng_below(&s->rng, ACTORS)];
    struct world_node *node = s->nodes[rng_below(&s->rng, NODES)];
    switch (rng_below(&s->rng, 12)) {
    case 0:
        crash(s, node, rng_below(&s->rng, 3) == 0 ? commit : post);
        break;
    case 1:
        node->redo = WORLD_REDO_ALL;
        post(s, a);
        node->redo = 0;
        break;
    case 2:
        commit(s, a);
        break;
    case 3:
        race(s);
        break;
    case 4:
        if (a->d->session != 0)
            world_disconnect(a->d);
        break;
    case 5:
        node->down = !node->down;
        break;
    case 6:
    case 7:
        world_pass(s->w, (int64_t)rng_below(&s->rng, 3000));
        break;
    default:
        post(s, a);
    }
    if (rng_below(&s->rng, 2) == 0)
        settle(s);
}

/* ---- in the end ---- */

static uint64_t records_of(struct world_node *node, const struct hs_id *room)
{
    uint64_t count = 0;
    struct hs_kv_key from = hs_key1(HS_VIEW(*room));
    for (;; count++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value;
        if (!hs_kv_next(node->kv, HS_T_ROOM_LOG, HS_VIEW(*room), hs_kv_key_bytes(&from), &scratch, &key,
                        &value))
            return count;
        from = hs_kv_after(key);
    }
}

static bool is_quiet(struct schedule *s)
{
    const struct actor *first = &s->actors[0];
    for (size_t i = 0; i < ACTORS; i++) {
        const struct actor *a = &s->actors[i];
        const struct made *last = a->count > 0 ? &a->made[a->count - 1] : NULL;
        if (a->commit != NULL || a->room->own_count != a->room->sent_count ||
            (last != NULL && !last->acked && !last->refused) ||
            a->room->tip.next_seq != first->room->tip.next_seq || a->d->session == 0)
            return false;
    }
    return first->room->tip.next_seq == records_of(s->nodes[0], &first->room->id);
}

static void heal(struct schedule *s)
{
    s->calm = true;
    for (size_t i = 0; i < NODES; i++)
        s->nodes[i]->down = false;
    for (size_t turn = 0; turn < HEAL_TURNS; turn++) {
        for (size_t i = 0; i < ACTORS; i++) {
            back_online(&s->actors[i]);
            post(s, &s->actors[i]);
            push_commit(s, &s->actors[i]);
        }
        settle(s);
        if (is_quiet(s))
            return;
        world_pass(s->w, 10000);
        settle(s);
    }
    fail_msg("it isn't quiet after %d turns", HEAL_TURNS);
}

/* Wherever two nodes have a record, it is the same. */
static void compare_copies(struct schedule *s, struct world_node *copy, const struct hs_id *room)
{
    struct hs_kv_key from = hs_key1(HS_VIEW(*room));
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, other;
        Hanse__State__RoomEntry *mine, *hubs;
        if (!hs_kv_next(copy->kv, HS_T_ROOM_LOG, HS_VIEW(*room), hs_kv_key_bytes(&from), &scratch, &key,
                        &value))
            return;
        assert_true(hs_kv_get(s->nodes[0]->kv, HS_T_ROOM_LOG, key, &scratch, &other));
        assert_ok(HS_UNPACK(hanse__state__room_entry, value, HS_LENIENT, &scratch, &mine));
        assert_ok(HS_UNPACK(hanse__state__room_entry, other, HS_LENIENT, &scratch, &hubs));
        assert_bytes(hs_pb_bytes(mine->header), hs_pb_bytes(hubs->header));
        assert_bytes(hs_pb_bytes(mine->body), hs_pb_bytes(hubs->body));
        from = hs_kv_after(key);
    }
}

static size_t times_in(const struct world_room *room, const char *text)
{
    size_t times = 0;
    for (size_t i = 0; i < room->post_count; i++)
        times += strcmp(room->posts[i], text) == 0 ? 1 : 0;
    return times;
}

/* The posts that a reads, but for its own: those of each sender in order. */
static void check_order(struct schedule *s, const struct actor *a)
{
    size_t newest[ACTORS] = {0}, who, number;
    for (size_t i = 0; i < a->room->post_count; i++) {
        assert_int_equal(sscanf(a->room->posts[i], "%zu.%zu", &who, &number), 2);
        if (&s->actors[who] == a)
            continue;
        if (number <= newest[who])
            fail_msg("post %zu of actor %zu stands behind post %zu", number, who, newest[who]);
        newest[who] = number;
    }
}

static void check(struct schedule *s)
{
    for (size_t i = 0; i < ACTORS; i++) {
        const struct actor *a = &s->actors[i], *other = &s->actors[(i + 1) % ACTORS];
        assert_int_equal(a->room->post_count, other->room->post_count);
        for (size_t k = 0; k < a->count; k++)
            assert_int_equal(times_in(other->room, a->made[k].text), a->made[k].refused ? 0 : 1);
        assert_int_equal(hs_mls_group_epoch(a->room->group), hs_mls_group_epoch(other->room->group));
        check_order(s, a);
    }
    for (size_t i = 1; i < NODES; i++)
        compare_copies(s, s->nodes[i], &s->actors[0].room->id);
}

static void found(struct schedule *s)
{
    static const char *const domains[NODES] = {"hub.example", "east.example", "west.example"};
    for (size_t i = 0; i < NODES; i++)
        s->nodes[i] = world_node_new(s->w, domains[i]);
    s->actors[0].d = world_staff(s->nodes[0], "rosa", HANSE__ROLE__ROLE_OWNER);
    s->actors[0].room = world_room_new(s->actors[0].d, "harbour");
    struct world_invite invite = world_invite(s->actors[0].room, ACTORS);
    for (size_t i = 1; i < ACTORS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "a%zu", i);
        s->actors[i].d = world_customer(s->nodes[i % NODES], name);
        s->actors[i].room = world_join(s->actors[i].d, s->actors[0].room, &invite);
    }
    settle(s);
    s->w->hook = weather;
    s->w->hook_ctx = s;
    s->w->unchecked = true;
}

static void test_schedules(void **state)
{
    (void)state;
    struct rng seeds = rng_new();
    const char *given = getenv("HANSE_SEEDS");
    size_t count = given != NULL ? strtoull(given, NULL, 0) : SEEDS, wins = 0, losses = 0, posts = 0;
    for (size_t i = 0; i < count; i++) {
        struct schedule *s = calloc(1, sizeof *s);
        assert_non_null(s);
        s->rng.state = seeds.state + i;
        s->w = world_new();
        if (getenv("HANSE_SEED") != NULL)
            printf("schedule of HANSE_SEED=%llu HANSE_SEEDS=1\n", (unsigned long long)s->rng.state);
        found(s);
        for (size_t step = 0; step < STEPS; step++)
            act(s);
        heal(s);
        check(s);
        wins += s->wins;
        losses += s->losses;
        posts += s->actors[0].room->post_count;
        world_free(s->w);
        free(s);
    }
    printf("%zu schedules: %zu posts, %zu commits let in, %zu beaten\n", count, posts, wins, losses);
    assert_true(losses > 0 && wins > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_schedules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
