/* A device moves home, hears that its room has another hub, or gives the room to it, under faults: every text
 * comes through, once. CLIENT-53, CLIENT-67, CLIENT-68 */
#include "sweep_town.h"

#include "hub_scene.h"
#include "identity/grant.h"
#include "store/tables.h"
#include "sync/state.h"

enum { TICKETS = 8 };

static struct town_device *ben, *alice, *host;
static struct town_node *target;
static struct hs_id room, annas;

static void say(struct town_device *d, const struct hs_id *where, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, where, text, &op));
}

static bool hears(struct town_device *d, const struct hs_id *where, const char *texts)
{
    return strcmp(town_history(d, where), texts) == 0;
}

/* ---- another home: a room of a third node, one of the old home, and a text that waits in the outbox ---- */

static struct town_device *found_mover(void)
{
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example"), *anna = town_node_new(t, "anna.example");
    target = town_node_new(t, "cem.example");
    alice = town_member_of_staff(rosa, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    host = town_member_of_staff(anna, "anna", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    room = town_room(alice, "VIP");
    annas = town_room(host, "Anna's");
    ben = town_customer(anna, "Ben");
    town_join(ben, town_link(alice, &room, 5));
    town_join(ben, town_link(host, &annas, 5));
    anna->down = true;
    town_device_cut(ben);
    say(ben, &room, "on its way");
    town_device_kill(ben);
    anna->down = false;
    return ben;
}

static const char *tickets[TICKETS]; /* one for each attempt */
static size_t tickets_used;

static void operator_gives(void)
{
    for (tickets_used = 0; tickets_used < TICKETS; tickets_used++)
        tickets[tickets_used] = town_ticket(target, 0, NULL, 1);
    tickets_used = 0;
}

static enum hs_err want_home(struct hs_step *s, uint64_t *op)
{
    return hs_want_move_home(s, tickets[tickets_used++ % TICKETS], op);
}

static bool is_home(void)
{
    return hs_key_equal(&ben->sync->me.home_root, &target->root.pub) && !ben->sync->me.moving;
}

static void check_home(void)
{
    FAULT_CHECK(hears(alice, &room, "on its way\n") && hears(ben, &room, "on its way\n"),
                "what was on its way: %s", town_history(alice, &room));
    town_talk(ben, alice, &room);
    town_talk(ben, host, &annas);
}

static const struct town_story moving = {.found = found_mover,
                                         .begin = operator_gives,
                                         .want = want_home,
                                         .is_done = is_home,
                                         .check = check_home};
TOWN_SCENE(home, moving);

/* ---- the room's hub moves: whoever follows it ---- */

static struct scene c;

static struct town_device *found_follower(void)
{
    c = scene_new();
    rosa_moves(&c);
    grant(&c);
    return c.dora;
}

static void hub_moves(void)
{
    uint64_t op;
    TOWN_WANT(c.rosa, hs_want_hub_move(&s, &c.room, &op));
}

static bool knows_the_hub(struct town_device *d)
{
    struct hs_room_row row = town_room_row(d, &c.room);
    return hs_key_equal(hs_row_hub(&row), &c.new->root.pub);
}

static bool has_followed(void)
{
    return knows_the_hub(c.dora) && knows_the_hub(c.rosa);
}

/* It can show others the way (CLIENT-73). */
static void check_way(struct town_device *d)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key from = {0};
    struct hs_bytes key;
    bool any = hs_kv_next(town_look(d), HS_TABLE_MOVED, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena,
                          &key, NULL);
    town_looked(d);
    FAULT_CHECK(any, "the way there isn't kept");
}

static void check_followed(void)
{
    check_way(c.dora);
    town_talk(c.dora, c.rosa, &c.room);
    FAULT_CHECK(strstr(town_history(c.ben, &c.room), "a says\n") != NULL, "another follower is cut off");
}

static const struct town_story following = {
    .found = found_follower, .begin = hub_moves, .is_done = has_followed, .check = check_followed};
TOWN_SCENE(follow, following);

/* ---- and whoever gives it away ---- */

static struct town_device *found_owner(void)
{
    (void)found_follower();
    return c.rosa;
}

static enum hs_err want_office(struct hs_step *s, uint64_t *op)
{
    return hs_want_hub_move(s, &c.room, op);
}

static bool has_moved(void)
{
    return knows_the_hub(c.rosa) && knows_the_hub(c.ben);
}

static void check_moved(void)
{
    check_way(c.rosa);
    town_talk(c.rosa, c.dora, &c.room);
    FAULT_CHECK(town_room_row(c.ben, &c.room).hub_term == HS_POLICY_HUB_TERM_FIRST + 1, "it has moved twice");
}

static const struct town_story giving = {
    .found = found_owner, .want = want_office, .is_done = has_moved, .check = check_moved};
TOWN_SCENE(office, giving);

/* ---- and whoever comes afterwards, by a link of the next hub, to the brand's room (CLIENT-69) ---- */

static struct town_device *newcomer;
static const char *link;

static struct town_device *found_newcomer(void)
{
    (void)found_follower();
    the_room_moves(&c);
    town_wait(c.t, 3000);
    link = town_link(c.rosa, &c.room, 20);
    return newcomer = town_customer(c.third, "Fay");
}

static enum hs_err want_in(struct hs_step *s, uint64_t *op)
{
    return hs_want_join(s, link, op);
}

static bool is_in(void)
{
    return town_room_row(newcomer, &c.room).state == HS_ROOM_STATE_MEMBER;
}

static void check_in(void)
{
    town_talk(newcomer, c.ben, &c.room);
    FAULT_CHECK(town_room_row(newcomer, &c.room).members == 5 && town_room_row(c.ben, &c.room).members == 5,
                "somebody is in twice, or not at all");
}

static const struct town_story coming_after = {
    .found = found_newcomer, .want = want_in, .is_done = is_in, .check = check_in};
TOWN_SCENE(door, coming_after);
