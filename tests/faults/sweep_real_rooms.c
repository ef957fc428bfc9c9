/* A device joins a room, leaves it, comes back into it, moves to another home, at nodes that run, while its
 * sockets, files and memory fail: it is there, or out, once, and whatever it was told is so. CLIENT-5,
 * CLIENT-6
 */
#include "sweep_real.h"

#include "sweep_node.h"

#include <stdio.h>
#include <string.h>

enum { SETTLE_MS = 30000 };

static struct fleet *f;
static struct member *hero, *other, *late;

static struct member *newcomer(size_t node)
{
    struct member *m = fleet_join(f, node);
    fleet_settle(f, SETTLE_MS);
    return m;
}

static struct hanse_room room_of(struct hanse *h)
{
    struct hanse_room room = {0};
    if (hanse_room_get(h, &f->room, &room) != HANSE_OK)
        room.state = 0;
    return room;
}

/* ---- joining ---- */

static struct member *found_joiner(struct fleet *fleet)
{
    f = fleet;
    other = &f->members[0];
    hero = &f->members[f->count++];
    char dir[sizeof hero->dir];
    snprintf(dir, sizeof dir, "%.60s/joiner", f->dir);
    memcpy(hero->dir, dir, sizeof dir);
    return hero;
}

static enum hanse_err want_in(struct hanse *h, uint64_t *op)
{
    return hanse_join(h, f->link, op);
}

static bool is_in(struct hanse *h)
{
    return room_of(h).state == HANSE_ROOM_MEMBER;
}

static void check_in(struct hanse *h)
{
    real_talk(other, &f->room);
    FAULT_CHECK(room_of(h).members == 2 && room_of(other->h).members == 2,
                "somebody is in twice, or not at all");
}

static const struct real_story joining = {
    .nodes = 1, .found = found_joiner, .want = want_in, .is_done = is_in, .check = check_in};
REAL_SCENE(join, joining);

/* ---- letting in who has joined (CLIENT-12) ---- */

/* The founder has seen all of the room's log, the other member hasn't. */
static struct member *found_host(struct fleet *fleet)
{
    f = fleet;
    hero = &f->members[0];
    other = newcomer(0);
    hanse_close(hero->h);
    hero->h = NULL;
    late = fleet_join(f, 0);
    late->out = true; /* it waits, as long as nobody lets it in */
    return hero;
}

static bool is_let_in(struct hanse *h)
{
    return room_of(h).members == 3 && room_of(other->h).members == 3 && is_in(late->h);
}

static void check_let_in(struct hanse *h)
{
    real_talk(late, &f->room);
    FAULT_CHECK(room_of(h).members == 3 && room_of(late->h).members == 3,
                "somebody is in twice, or not at all");
    fleet_post(f, other);
    fleet_settle(f, SETTLE_MS);
}

static const struct real_story letting_in = {
    .nodes = 1, .found = found_host, .is_done = is_let_in, .check = check_let_in};
REAL_SCENE(admit, letting_in);

/* ---- leaving (CLIENT-45, CLIENT-46) ---- */

static struct member *found_leaver(struct fleet *fleet)
{
    f = fleet;
    other = newcomer(0);
    return newcomer(0);
}

static enum hanse_err want_out(struct hanse *h, uint64_t *op)
{
    return hanse_leave(h, &f->room, op);
}

static bool is_out(struct hanse *h)
{
    return room_of(h).state == HANSE_ROOM_LEFT && room_of(other->h).members == 2;
}

/* The others are yet to hear it. */
static bool is_leaving(struct hanse *h)
{
    return room_of(h).state == HANSE_ROOM_LEFT;
}

static void check_out(struct hanse *h)
{
    uint64_t op;
    FAULT_CHECK(hanse_post(h, &f->room, "x", &op) == HANSE_ERR_NOT_MEMBER, "who left may post");
    fleet_post(f, other);
    fleet_settle(f, SETTLE_MS);
    FAULT_CHECK(real_lines(h, &f->room, HANSE_MESSAGE_TEXT, NULL) == 0, "who left hears on");
}

static const struct real_story leaving = {.nodes = 1,
                                          .found = found_leaver,
                                          .want = want_out,
                                          .is_done = is_out,
                                          .is_under_way = is_leaving,
                                          .check = check_out};
REAL_SCENE(leave, leaving);

/* ---- an old copy of a store comes back by an external commit (CLIENT-58) ---- */

static uint64_t epoch_before; /* the way back ends it */

static struct member *found_old_copy(struct fleet *fleet)
{
    f = fleet;
    hero = &f->members[0];
    other = newcomer(0);
    struct member *gone = newcomer(0);
    hanse_close(hero->h);
    sweep_shell("cp -rp %s %s.old", hero->dir, hero->dir);
    hero->h = NULL;
    fleet_reopen(hero);
    fleet_remove(f, gone);
    fleet_settle(f, SETTLE_MS);
    epoch_before = room_of(other->h).epoch;
    hanse_close(gone->h);
    gone->h = NULL;
    hanse_close(hero->h);
    hero->h = NULL;
    sweep_shell("rm -r %s && mv %s.old %s", hero->dir, hero->dir, hero->dir);
    return hero;
}

static bool is_back(struct hanse *h)
{
    struct hanse_room room = room_of(h), theirs = room_of(other->h);
    return room.state == HANSE_ROOM_MEMBER && room.epoch > epoch_before && room.epoch == theirs.epoch &&
           room.next_seq == theirs.next_seq && room.members == 2;
}

static void check_back(struct hanse *h)
{
    FAULT_CHECK(real_lines(h, &f->room, HANSE_MESSAGE_GAP, NULL) == 1, "more than one gap is shown");
    FAULT_CHECK(real_lines(other->h, &f->room, HANSE_MESSAGE_LEFT, NULL) == 1,
                "others see that somebody else left");
    real_talk(other, &f->room);
}

static const struct real_story coming_back = {
    .nodes = 1, .found = found_old_copy, .is_done = is_back, .check = check_back};
REAL_SCENE(rejoin, coming_back);

/* ---- another home (CLIENT-53) ---- */

static char ticket[8192];

static struct member *found_mover(struct fleet *fleet)
{
    static const char *const customers[] = {"--uses", "100", NULL};
    f = fleet;
    other = newcomer(1);
    daemon_ticket(&f->nodes[1], ticket, sizeof ticket, customers);
    return newcomer(0);
}

static enum hanse_err want_home(struct hanse *h, uint64_t *op)
{
    return hanse_move_home(h, ticket, op);
}

static bool is_home(struct hanse *h)
{
    struct hanse_identity me;
    return hanse_identity(h, &me) == HANSE_OK && !me.moving && me.has_account &&
           strcmp(me.home, f->nodes[1].domain) == 0;
}

static void check_home(struct hanse *h)
{
    (void)h;
    real_talk(&f->members[0], &f->room);
    FAULT_CHECK(room_of(other->h).members == 3, "somebody is in twice, or not at all");
}

static const struct real_story moving = {
    .nodes = 2, .found = found_mover, .want = want_home, .is_done = is_home, .check = check_home};
REAL_SCENE(home, moving);
