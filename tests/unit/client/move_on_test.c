/* A customer whose move isn't over, for one room's hub is away, moves on to another home, or goes back. */
#include "hostile.h"

#include "identity/ticket.h"
#include "sync/state.h"

#include <stdio.h>

enum {
    DEATHS_MAX = 60,
    HOUR_MS = 3600000,
    MANY = 33 /* more than a node asks others for one device at a time */
};

/* Anna's node is Ben's home and the hub of one of his rooms, and it's away. Rosa's node is the other's hub.
 */
struct scene {
    struct town *t;
    struct town_node *rosa, *anna, *cem, *dan;
    struct town_device *alice, *host, *ben;
    struct hs_id room, annas;
};

static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER);

static void goes_away(struct town_node *node)
{
    node->down = true;
    town_node_cut(node);
}

static void post(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
}

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.rosa = town_node_new(c.t, "rosa.example");
    c.anna = town_node_new(c.t, "anna.example");
    c.cem = town_node_new(c.t, "cem.example");
    c.dan = town_node_new(c.t, "dan.example");
    c.alice = town_member_of_staff(c.rosa, "rosa", owner);
    c.host = town_member_of_staff(c.anna, "anna", owner);
    c.room = town_room(c.alice, "VIP");
    c.annas = town_room(c.host, "Anna's");
    c.ben = town_customer(c.anna, "Ben");
    town_join(c.ben, town_link(c.alice, &c.room, 5));
    town_join(c.ben, town_link(c.host, &c.annas, 5));
    post(c.ben, &c.annas, "before");
    town_wait(c.t, 3000);
    goes_away(c.anna);
    town_device_cut(c.ben);
    return c;
}

static uint64_t move(struct scene *c, struct town_node *to)
{
    uint64_t op;
    TOWN_WANT(c->ben, hs_want_move_home(&s, town_ticket(to, 0, NULL, 1), &op));
    return op;
}

static bool is_at_home(const struct scene *c, const struct town_node *node)
{
    return hs_key_equal(&c->ben->sync->me.home_root, &node->root.pub) && c->ben->sync->me.has_account;
}

/* What each has posted is there once, in the same order for both. */
static void both_have(struct town_device *a, struct town_device *b, const struct hs_id *room,
                      const char *history)
{
    assert_string_equal(town_history(a, room), history);
    assert_string_equal(town_history(b, room), history);
}

/* Anna comes back: her room follows, with what waits. */
static void comes_back(struct scene *c, const char *annas)
{
    char text[256];
    c->anna->down = false;
    town_wait(c->t, 120000);
    assert_false(c->ben->sync->me.moving);
    assert_false(hostile_room(c->ben, &c->annas).unmoved);
    post(c->ben, &c->annas, "out");
    town_wait(c->t, 5000);
    post(c->host, &c->annas, "in");
    town_wait(c->t, 5000);
    snprintf(text, sizeof text, "%sout\nin\n", annas);
    both_have(c->ben, c->host, &c->annas, text);
    assert_false(hs_sync_has_pending(c->ben->sync));
}

/* CLIENT-80: what can follow does so at once, however often; the rest when its hub is back. */
static void moves_on_while_a_hub_is_away(void **state)
{
    (void)state;
    struct scene c = scene_new();
    size_t waited = town_event_count(c.ben, HANSE_EVENT_WAITING);
    uint64_t first = move(&c, c.cem);
    post(c.ben, &c.annas, "waits");
    town_wait(c.t, 10000);
    assert_true(is_at_home(&c, c.cem));
    assert_null(town_done(c.ben, first));
    const struct hanse_event *waits = town_event(c.ben, HANSE_EVENT_WAITING);
    assert_non_null(waits);
    assert_int_equal(waits->op, first);
    assert_memory_equal(waits->room.b, c.annas.b, sizeof c.annas.b);
    assert_int_equal(town_event_count(c.ben, HANSE_EVENT_WAITING), waited + 1);
    uint64_t second = move(&c, c.dan);
    assert_int_equal(town_done(c.ben, first)->err, HANSE_ERR_CONFLICT);
    town_wait(c.t, 10000);
    assert_true(is_at_home(&c, c.dan));
    assert_null(town_done(c.ben, second));
    goes_away(c.cem);
    post(c.ben, &c.room, "from dan's");
    town_wait(c.t, 5000);
    post(c.alice, &c.room, "to dan's");
    town_wait(c.t, 5000);
    both_have(c.ben, c.alice, &c.room, "from dan's\nto dan's\n");
    comes_back(&c, "before\nwaits\n");
    assert_int_equal(town_done(c.ben, second)->err, HANSE_OK);
    town_free(c.t);
}

/* CLIENT-80: the present home is no place to move to, the former one is. */
static void and_back_to_the_former_home(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    move(&c, c.cem);
    town_wait(c.t, 10000);
    TOWN_WANT_ERR(c.ben, hs_want_move_home(&s, town_ticket(c.cem, 0, NULL, 1), &op), HS_ERR_INVALID_ARG);
    op = move(&c, c.anna);
    town_wait(c.t, 10000);
    post(c.ben, &c.room, "waits for a home");
    comes_back(&c, "before\n");
    assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
    both_have(c.ben, c.alice, &c.room, "waits for a home\n");
    town_free(c.t);
}

/* CLIENT-54, CLIENT-80: refused there, he is where he was, and what waited waits on. */
static void refused_on_the_way(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    const char *ticket = town_ticket(c.dan, 0, NULL, 1);
    struct town_device *dora = town_device_new(c.t);
    TOWN_WANT(dora, hs_want_identity(&s, "Dora"));
    TOWN_WANT(dora, hs_want_sign_up(&s, ticket, &op));
    move(&c, c.cem);
    town_wait(c.t, 10000);
    uint64_t next = hostile_room(c.ben, &c.room).tip.next_seq;
    TOWN_WANT(c.ben, hs_want_move_home(&s, ticket, &op));
    town_wait(c.t, 10000);
    assert_int_equal(town_done(c.ben, op)->err, HANSE_ERR_TICKET_USED);
    assert_true(is_at_home(&c, c.cem));
    assert_true(c.ben->sync->me.moving);
    assert_true(hostile_room(c.ben, &c.annas).unmoved);
    assert_false(hostile_room(c.ben, &c.room).unmoved);
    assert_int_equal(hostile_room(c.ben, &c.room).tip.next_seq, next); /* no hub has heard of it */
    post(c.ben, &c.room, "here");
    town_wait(c.t, 5000);
    both_have(c.ben, c.alice, &c.room, "here\n");
    comes_back(&c, "before\n");
    town_free(c.t);
}

/* CLIENT-81: the new node never answers. He goes back, by his own word, to where his rooms are served. */
static void goes_back_to_the_old_home(void **state)
{
    (void)state;
    for (int restarts = 0; restarts < 2; restarts++) {
        struct scene c = scene_new();
        TOWN_WANT_ERR(c.ben, hs_want_home_back(&s), HS_ERR_INVALID_STATE);
        move(&c, c.cem);
        town_wait(c.t, 10000);
        TOWN_WANT_ERR(c.ben, hs_want_home_back(&s), HS_ERR_INVALID_STATE); /* hubs have been told */
        goes_away(c.dan);
        uint64_t op = move(&c, c.dan);
        town_wait(c.t, 120000);
        assert_false(is_at_home(&c, c.cem));
        if (restarts) {
            town_device_kill(c.ben);
            town_device_start(c.ben);
            hs_sync_stay_online(c.ben->sync, true);
            town_wait(c.t, 1000);
        }
        TOWN_WANT(c.ben, hs_want_home_back(&s));
        if (!restarts)
            assert_int_equal(town_done(c.ben, op)->err, HANSE_ERR_CONFLICT);
        post(c.ben, &c.room, "again");
        town_wait(c.t, 5000);
        assert_true(is_at_home(&c, c.cem));
        both_have(c.ben, c.alice, &c.room, "again\n");
        c.dan->down = false;
        comes_back(&c, "before\n");
        assert_true(is_at_home(&c, c.cem));
        town_free(c.t);
    }
}

/* Lasts for an hour. */
static const char *short_ticket(const struct scene *c, const struct town_node *node, struct hs_arena *arena)
{
    struct hs_secret32 seed;
    struct hs_signer HS_SIGNER key;
    Hanse__SignedObject *descriptor, *ticket;
    struct hs_time now = town_now(c->t), until = {now.ms + HOUR_MS};
    char *text;
    randombytes_buf(seed.b, sizeof seed.b);
    hs_identity_derive(&seed, &key);
    assert_ok(hs_object_unpack(node->descriptor, arena, &descriptor));
    assert_ok(hs_ticket_build(&node->root, &key.pub, 1, now, until, arena, &ticket));
    assert_ok(hs_ticket_text_build(&seed, descriptor, ticket, NULL, 0, now, arena, &text));
    return text;
}

/* CLIENT-81: he had an account there once, and the node is away until the ticket has run out. It confirms the
 * account, and the ticket isn't needed. */
static void back_with_a_ticket_that_ran_out(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint64_t op;
    move(&c, c.cem);
    town_wait(c.t, 10000);
    move(&c, c.dan);
    town_wait(c.t, 10000);
    assert_true(is_at_home(&c, c.dan));
    goes_away(c.cem);
    TOWN_WANT(c.ben, hs_want_move_home(&s, short_ticket(&c, c.cem, &arena), &op));
    town_wait(c.t, 10000);
    town_skip(c.t, HOUR_MS);
    c.cem->down = false;
    town_wait(c.t, 120000);
    assert_true(is_at_home(&c, c.cem));
    assert_int_equal(c.ben->sync->me.ticket.len, 0);
    assert_null(town_done(c.ben, op)); /* anna's room waits */
    post(c.ben, &c.room, "here again");
    town_wait(c.t, 5000);
    both_have(c.ben, c.alice, &c.room, "here again\n");
    comes_back(&c, "before\n");
    assert_int_equal(town_done(c.ben, op)->err, HANSE_OK);
    town_free(c.t);
}

/* He dies at his n-th commit of the second move. True where it had that many. */
static bool death_story(size_t n, bool before)
{
    struct scene c = scene_new();
    move(&c, c.cem);
    post(c.ben, &c.annas, "waits");
    town_wait(c.t, 5000);
    post(c.ben, &c.room, "one");
    move(&c, c.dan);
    post(c.ben, &c.room, "two");
    c.ben->die_after = n;
    c.ben->die_before_commit = before;
    town_wait(c.t, 10000);
    bool died = c.ben->dead;
    c.ben->die_after = 0;
    if (died) {
        town_device_start(c.ben);
        hs_sync_stay_online(c.ben->sync, true);
    }
    town_wait(c.t, 10000);
    assert_true(is_at_home(&c, c.dan));
    both_have(c.ben, c.alice, &c.room, "one\ntwo\n");
    assert_true(hostile_room(c.ben, &c.annas).unmoved);
    comes_back(&c, "before\nwaits\n");
    town_free(c.t);
    return died;
}

static void through_deaths(void **state)
{
    (void)state;
    size_t n = 1;
    for (bool died = true; died; n += n < 12 ? 1 : 3) {
        died = death_story(n, true);
        died |= death_story(n, false);
        assert_true(n < DEATHS_MAX);
    }
    printf("deaths up to %zu\n", n);
    assert_true(n > 8);
}

/* CLIENT-80: however many rooms a hub that is away has, and however long it takes to find out that it is, the
 * rooms of others don't wait behind them. */
static void many_rooms_of_a_hub_that_is_away(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_id last = {0};
    c.anna->down = false;
    town_wait(c.t, 30000);
    while (last.b[0] < 0xE0) /* rooms take their turns in the order of their ids */
        last = town_room(c.alice, "Last");
    town_join(c.ben, town_link(c.alice, &last, 5));
    for (size_t before = 0; before < MANY;) {
        struct hs_id id = town_room(c.host, "one of many");
        town_join(c.ben, town_link(c.host, &id, 5));
        before += memcmp(id.b, last.b, sizeof id.b) < 0 ? 1 : 0;
    }
    c.anna->silent = true;
    goes_away(c.anna);
    town_device_cut(c.ben);
    move(&c, c.cem);
    post(c.ben, &last, "not last");
    town_wait(c.t, 10000);
    both_have(c.ben, c.alice, &last, "not last\n");
    c.anna->down = false;
    town_wait(c.t, 120000);
    assert_false(c.ben->sync->me.moving);
    town_free(c.t);
}

/* CLIENT-57, CLIENT-78: a copy of the device from before it moved knows the numbers of its moves no more. It
 * is at home where it was then, and its rooms come there. */
static void a_copy_from_before_the_moves(void **state)
{
    (void)state;
    struct scene c = scene_new();
    c.anna->down = false;
    town_wait(c.t, 30000);
    town_device_kill(c.ben);
    struct hs_bytes copy = town_device_copy(c.ben);
    town_device_start(c.ben);
    hs_sync_stay_online(c.ben->sync, true);
    for (int i = 0; i < 5; i++) {
        move(&c, i % 2 == 0 ? c.cem : c.dan);
        town_wait(c.t, 10000);
        assert_false(c.ben->sync->me.moving);
    }
    town_device_kill(c.ben);
    town_device_restore(c.ben, copy);
    town_device_start(c.ben);
    hs_sync_stay_online(c.ben->sync, true);
    town_wait(c.t, 30000);
    assert_true(is_at_home(&c, c.anna));
    assert_false(hostile_room(c.ben, &c.room).unmoved);
    assert_int_equal(hostile_room(c.ben, &c.room).frozen, HS_OK);
    post(c.ben, &c.room, "as of old");
    town_wait(c.t, 10000);
    both_have(c.ben, c.alice, &c.room, "as of old\n");
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_on_while_a_hub_is_away),
        cmocka_unit_test(and_back_to_the_former_home),
        cmocka_unit_test(refused_on_the_way),
        cmocka_unit_test(goes_back_to_the_old_home),
        cmocka_unit_test(back_with_a_ticket_that_ran_out),
        cmocka_unit_test(through_deaths),
        cmocka_unit_test(a_copy_from_before_the_moves),
        cmocka_unit_test(many_rooms_of_a_hub_that_is_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
