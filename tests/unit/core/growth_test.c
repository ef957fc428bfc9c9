/* What a store grows by: each table by so many rows for what was said and who came, and none by what was only
 * on its way. NODE-78; node/README.md tells operators. */
#include "world.h"

#include "core/federation/peer.h"
#include "core/records/table.h"

#include <stdio.h>

enum { ROUNDS = 10 };

struct rows {
    size_t n[HS_CORE_TABLES];
};

static struct rows rows_of(struct world_node *node)
{
    struct rows rows = {0};
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_kv_key from = {0};
        struct hs_bytes key, none = {0};
        for (;;) {
            struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
            if (!hs_kv_next(node->kv, table, none, hs_kv_key_bytes(&from), &scratch, &key, NULL))
                break;
            from = hs_kv_after(key);
            rows.n[table]++;
        }
    }
    return rows;
}

/* The store grew by these rows in each round, and by no others. */
struct expected {
    unsigned table;
    size_t rows;
};

static void assert_grew(struct world_node *node, const struct rows *before, const struct expected *expected,
                        size_t count)
{
    struct rows now = rows_of(node);
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        size_t each = 0;
        for (size_t i = 0; i < count; i++)
            each += expected[i].table == table ? expected[i].rows : 0;
        if (now.n[table] != before->n[table] + ROUNDS * each)
            print_error("%s: table %u\n", node->domain, table);
        assert_int_equal(now.n[table], before->n[table] + ROUNDS * each);
    }
}

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_room *room, *alices;
    struct world_invite invite;
};

static void come_and_go(struct scene *s, unsigned i)
{
    char name[16];
    (void)snprintf(name, sizeof name, "guest %u", i);
    struct world_room *guest = world_join(world_customer(s->home, name), s->room, &s->invite);
    world_settle(s->w);
    assert_ok(world_remove(s->room, guest));
    world_settle(s->w);
    world_pass(s->w, HS_RETRY_MAX_MS);
}

/* Somebody has come and gone before and something was said, so that leaf and outbox are there. */
static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.room = world_room_new(world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER), "launch");
    s.invite = world_invite(s.room, 100);
    s.alices = world_join(world_customer(s.home, "alice"), s.room, &s.invite);
    come_and_go(&s, 99);
    assert_ok(world_post(s.alices, "the first one", NULL));
    world_pass(w, HS_RETRY_MAX_MS);
    return s;
}

static void posts_leave_records(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const struct expected hub[] = {{HS_T_ROOM_LOG, 2}, {HS_T_BODY, 2}, {HS_T_JOURNAL, 2}};
    /* of its own post's time in the outbox nothing is left, but of the newest one's */
    const struct expected home[] = {{HS_T_ROOM_LOG, 2}, {HS_T_BODY, 2}, {HS_T_JOURNAL, 2}};
    struct rows at_hub = rows_of(s.hub), at_home = rows_of(s.home);
    for (unsigned i = 0; i < ROUNDS; i++) {
        assert_ok(world_post(s.alices, "from afar", NULL));
        assert_ok(world_post(s.room, "from here", NULL));
        world_settle(w);
    }
    world_pass(w, HS_RETRY_MAX_MS);
    assert_grew(s.hub, &at_hub, hub, 3);
    assert_grew(s.home, &at_home, home, 3);
}

static void members_leave_what_they_were(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    const struct expected hub[] = {{HS_T_ROOM_LOG, 5}, {HS_T_BODY, 5}, {HS_T_JOURNAL, 5}, {HS_T_JOIN, 1}};
    const struct expected home[] = {{HS_T_STREAM, 4},  {HS_T_STREAM_NEXT, 2}, {HS_T_ROOM_LOG, 5},
                                    {HS_T_BODY, 5},    {HS_T_JOURNAL, 9},     {HS_T_SUBSCRIPTION, 1},
                                    {HS_T_ACCOUNT, 1}, {HS_T_PERSONA, 2},     {HS_T_MISC, 2},
                                    {HS_T_REGISTER, 2}};
    struct rows at_hub = rows_of(s.hub), at_home = rows_of(s.home);
    for (unsigned i = 0; i < ROUNDS; i++)
        come_and_go(&s, i);
    assert_grew(s.hub, &at_hub, hub, sizeof hub / sizeof *hub);
    assert_grew(s.home, &at_home, home, sizeof home / sizeof *home);
    assert_int_equal(rows_of(s.hub).n[HS_T_INBOX] + rows_of(s.home).n[HS_T_INBOX], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_leave_records),
        cmocka_unit_test(members_leave_what_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
