/* A year in a busy room with retention, in leaps of the clock. Each month somebody comes at either node whose
 * device never returns, and is removed again; somebody's post is refused; an invite is made; a device names
 * another URL by which it is woken; attachments are put that no post names; all the others talk. What waits
 * or was done with has its plateau, in rows and in bytes; what grows on is named here, with how much.
 * NODE-78; node/README.md tells operators. */
#include "world.h"

#include "core/core.h"
#include "core/federation/peer.h"
#include "core/records/table.h"

#include <stdio.h>
#include <string.h>

enum { MONTHS = 14, STEADY = 9, DAYS = 30, SAID = 4, SLACK = 64 };

struct size {
    size_t rows, bytes;
};

struct sizes {
    struct size of[HS_CORE_TABLES];
};

static struct sizes sizes_of(struct world_node *node)
{
    struct sizes sizes = {0};
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_kv_key from = {0};
        struct hs_bytes key, value, none = {0};
        for (;;) {
            struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
            if (!hs_kv_next(node->kv, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
                break;
            from = hs_kv_after(key);
            sizes.of[table].rows++;
            sizes.of[table].bytes += key.len + value.len;
        }
    }
    return sizes;
}

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice;
    struct world_room *room, *alices;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    struct hs_policy_role role;
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct hs_policy policy = world_policy(s.owner, "launch", &role);
    policy.retention_ms = 7ll * WORLD_DAY_MS;
    assert_ok(world_ask(s.owner, world_create_frame(s.owner, &policy, &s.room), NULL));
    s.room->joined = true;
    world_attach(s.owner);
    s.alice = world_customer(s.home, "alice");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    world_settle(w);
    return s;
}

/* Asks to be let in, and is never seen again. */
static struct world_room *comes(struct scene *s, struct world_node *home, const char *name, unsigned month)
{
    char whole[32];
    (void)snprintf(whole, sizeof whole, "%s %u", name, month);
    struct world_device *d = world_customer(home, whole);
    if (home != s->hub)
        assert_ok(world_bind(d, s->hub));
    struct world_room *room = world_room_join(d, &s->invite);
    assert_ok(world_ask_hub(d, s->hub, world_join_frame(room, world_join_body(room, &s->invite)), NULL));
    world_settle(s->w);
    world_disconnect(d);
    assert_ok(world_admit(s->room));
    world_settle(s->w);
    return room;
}

static void come_back(struct world_device *d)
{
    bool account;
    if (d->session != 0)
        world_disconnect(d);
    assert_ok(world_connect(d, &account));
    world_attach(d);
    world_settle(d->world);
}

/* Alice's post doesn't reach the hub before the epoch is over. */
static void is_refused(struct scene *s, struct world_room *gone)
{
    struct world *w = s->w;
    s->hub->down = true;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].device == NULL)
            world_close(w, w->links[i].id[0]);
    world_run(w);
    assert_ok(world_ask(s->alice, world_post_frame(s->alices, world_protect(s->alices, "too late")), NULL));
    assert_ok(world_remove(s->room, gone));
    s->hub->down = false;
    for (int i = 0; i < 3; i++)
        world_pass(w, HS_RETRY_MAX_MS);
    world_settle(w);
}

static void say(struct scene *s)
{
    for (int i = 0; i < SAID; i++) {
        assert_ok(world_post(s->room, "from here", NULL));
        world_settle(s->w);
        assert_ok(world_post(s->alices, "from afar", NULL));
        world_settle(s->w);
    }
}

/* Alice's device is to be woken elsewhere, and two attachments are put that nobody sends. */
static void is_done_with(struct scene *s, unsigned month)
{
    struct world *w = s->w;
    struct world_room *both[] = {s->room, s->alices};
    Hanse__Frame *frame = world_frame(w);
    char url[40], text[40];
    (void)snprintf(url, sizeof url, "https://push%02u.example/", month);
    frame->set_wake = WORLD_NEW(w, Hanse__SetWake, hanse__set_wake);
    frame->set_wake->url = url;
    frame->body_case = HANSE__FRAME__BODY_SET_WAKE;
    assert_ok(world_ask(s->alice, frame, NULL));
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(text, sizeof text, "%zu of month %02u", i, month);
        (void)world_put_all(both[i], hs_bytes_str(text));
    }
}

static void month(struct scene *s, unsigned n)
{
    struct world_room *near, *far;
    come_back(s->owner);
    come_back(s->alice);
    s->invite = world_invite(s->room, 10);
    near = comes(s, s->hub, "near", n);
    far = comes(s, s->home, "far", n);
    say(s);
    is_done_with(s, n);
    assert_ok(world_remove(s->room, near));
    world_settle(s->w);
    is_refused(s, far);
    for (int i = 0; i < DAYS; i++)
        world_pass(s->w, WORLD_DAY_MS);
}

/* A table that grows on by records that stay, or by who came: rows a month, and the bytes that they take at
 * most. */
struct growing {
    unsigned table;
    size_t rows, bytes;
};

static void assert_table(const struct sizes *at, unsigned table, struct growing g, const char *domain)
{
    size_t rows = 0, bytes = 0; /* the highest before the steady months */
    for (unsigned n = 0; n < STEADY; n++) {
        rows = at[n].of[table].rows > rows ? at[n].of[table].rows : rows;
        bytes = at[n].of[table].bytes > bytes ? at[n].of[table].bytes : bytes;
    }
    for (unsigned n = STEADY; n < MONTHS; n++) {
        const struct size *was = &at[n - 1].of[table], *is = &at[n].of[table];
        bool bounded = g.rows == 0 && is->rows <= rows && is->bytes <= bytes + SLACK;
        bool grows = g.rows > 0 && is->rows == was->rows + g.rows && is->bytes <= was->bytes + g.bytes;
        if (!bounded && !grows)
            print_error(
                "%s, month %u: table %u had %zu rows with %zu bytes (at most %zu, %zu), has %zu with %zu\n",
                domain, n, table, was->rows, was->bytes, rows, bytes, is->rows, is->bytes);
        assert_true(bounded || grows);
    }
}

static void assert_year(const struct sizes *at, const struct growing *growing, size_t count,
                        const char *domain)
{
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct growing g = {.table = table};
        for (size_t i = 0; i < count; i++)
            g = growing[i].table == table ? growing[i] : g;
        assert_table(at, table, g, domain);
    }
}

/* Both logs: 8 posts without bodies; 2 JOINs, 2 admissions and 2 removals, each of these 4 with its
 * settlement; one invite. Of all but posts the hash stays known. Of those who came stays who
 * they were, by which JOIN they came and how far they read. */
static const struct growing
    at_hub[] =
        {
            {HS_T_STREAM, 1, 160},      /* one account */
            {HS_T_STREAM_NEXT, 1, 41},  /* of it */
            {HS_T_ROOM_LOG, 19, 11800}, /* the commits and JOINs, nearly all of it */
            {HS_T_ACCOUNT, 1, 110},     {HS_T_PERSONA, 1, 100}, {HS_T_SUBSCRIPTION, 1, 70},
            {HS_T_BODY, 11, 792},       {HS_T_INVITE, 1, 150},  {HS_T_JOIN, 2, 480},
            {HS_T_MISC, 3, 150},     /* the invite's room, the inbox's next number, and the ticket's uses */
            {HS_T_JOURNAL, 20, 980}, /* a row for each record */
            {HS_T_REGISTER, 2, 114}, /* what the device held */
};

/* At the home besides: what the hub handed on. */
static const struct growing at_home[] = {
    {HS_T_STREAM, 4, 1080}, /* account, binding, a Welcome's place, a removal */
    {HS_T_STREAM_NEXT, 2, 82},  {HS_T_ROOM_LOG, 19, 11800}, {HS_T_ACCOUNT, 1, 110},
    {HS_T_PERSONA, 2, 240}, /* one of them for the hub's brand */
    {HS_T_SUBSCRIPTION, 1, 70}, {HS_T_BODY, 11, 792},       {HS_T_MISC, 2, 82},
    {HS_T_JOURNAL, 23, 1127},   {HS_T_REGISTER, 2, 114},
};

static void what_waits_has_its_plateau(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct sizes hub[MONTHS], home[MONTHS];
    for (unsigned n = 0; n < MONTHS; n++) {
        month(&s, n);
        hub[n] = sizes_of(s.hub);
        home[n] = sizes_of(s.home);
    }
    assert_true(hub[MONTHS - 1].of[HS_T_INBOX].rows > 0); /* the latest ones' Welcomes */
    assert_true(home[MONTHS - 1].of[HS_T_INBOX].rows > 0);
    assert_year(hub, at_hub, sizeof at_hub / sizeof *at_hub, "hub");
    assert_year(home, at_home, sizeof at_home / sizeof *at_home, "home");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_has_its_plateau),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
