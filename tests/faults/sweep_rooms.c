/* A device joins a room, leaves it, comes back into it, under faults: it is in, or out, once, and whatever it
 * was told is so. CLIENT-5, CLIENT-6 */
#include "sweep_town.h"

#include "identity/grant.h"
#include "store/tables.h"
#include "sync/state.h"

static struct town_device *rosa, *ben, *carl;
static struct hs_id room;
static const char *link;

static uint32_t members; /* at the end */

static struct town *town_with_a_room(void)
{
    members = 2;
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    rosa = town_member_of_staff(node, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    room = town_room(rosa, "VIP");
    link = town_link(rosa, &room, 100);
    return t;
}

static struct town_device *guest(const char *name)
{
    struct town_device *d = town_guest(rosa->town, name, link);
    town_wait(rosa->town, 2000);
    return d;
}

/* ---- joining ---- */

static struct town_device *found_joiner(void)
{
    return ben = town_device_new(town_with_a_room());
}

static enum hs_err want_in(struct hs_step *s, uint64_t *op)
{
    enum hs_err err = hs_want_identity(s, "Ben");
    HS_REQUIRE(err == HS_OK || err == HS_ERR_INVALID_STATE, err); /* made the time before */
    return hs_want_join(s, link, op);
}

static bool is_in(void)
{
    return town_room_row(ben, &room).state == HS_ROOM_STATE_MEMBER;
}

static void check_in(void)
{
    town_talk(ben, rosa, &room);
    FAULT_CHECK(town_room_row(rosa, &room).members == members, "somebody is in twice, or not at all");
    FAULT_CHECK(town_room_row(ben, &room).members == members, "the newcomer knows of others");
}

static const struct town_story joining = {
    .found = found_joiner, .want = want_in, .is_done = is_in, .check = check_in};
TOWN_SCENE(join, joining);

/* ---- the same where the tree is larger than a Welcome: it comes in pieces (CLIENT-28) ---- */

static struct town_device *found_late_joiner(void)
{
    enum { MEMBERS = 72 };
    static const char name[] = "A name that is as long as a name may be, which is 64 bytes long.";
    struct town *t = town_with_a_room();
    for (members = 1; members < MEMBERS - 1; members++) {
        town_device_kill(town_guest(t, name, link));
        rosa->event_count = 0;
    }
    members = MEMBERS;
    return ben = town_device_new(t);
}

static const struct town_story welcome = {
    .found = found_late_joiner, .want = want_in, .is_done = is_in, .check = check_in};
TOWN_SCENE(welcome, welcome);

/* ---- letting in who has joined (CLIENT-12) ---- */

/* Rosa made the room, so that she has seen all of its log; Carl hasn't. */
static struct town_device *found_host(void)
{
    struct town *t = town_with_a_room();
    carl = guest("Carl");
    town_device_kill(rosa);
    ben = town_guest(t, "Ben", link);
    town_wait(t, 2000);
    return rosa;
}

static bool is_let_in(void)
{
    return town_room_row(ben, &room).state == HS_ROOM_STATE_MEMBER &&
           town_room_row(rosa, &room).members == 3 && town_room_row(carl, &room).members == 3;
}

static void check_let_in(void)
{
    FAULT_CHECK(town_room_row(ben, &room).members == 3, "somebody is in twice, or not at all");
    town_talk(rosa, ben, &room);
    FAULT_CHECK(strstr(town_history(carl, &room), "a says\n") != NULL, "another member is cut off");
}

static const struct town_story letting_in = {
    .found = found_host, .is_done = is_let_in, .check = check_let_in};
TOWN_SCENE(admit, letting_in);

/* ---- leaving (CLIENT-45, CLIENT-46) ---- */

static struct town_device *found_leaver(void)
{
    town_with_a_room();
    ben = guest("Ben");
    carl = guest("Carl");
    return ben;
}

static enum hs_err want_out(struct hs_step *s, uint64_t *op)
{
    return hs_want_leave(s, &room, op);
}

static bool is_out(void)
{
    return town_room_row(ben, &room).state == HS_ROOM_STATE_LEFT && town_room_row(carl, &room).members == 2;
}

static void check_out(void)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key from = {0};
    struct hs_bytes key;
    town_talk(carl, rosa, &room);
    FAULT_CHECK(strstr(town_history(ben, &room), "a says") == NULL, "who left hears on");
    bool any = hs_kv_next(town_look(ben), HS_TABLE_GROUP, (struct hs_bytes){0}, hs_kv_key_bytes(&from),
                          &arena, &key, NULL);
    town_looked(ben);
    FAULT_CHECK(!any, "who left has keys");
}

static const struct town_story leaving = {
    .found = found_leaver, .want = want_out, .is_done = is_out, .check = check_out};
TOWN_SCENE(leave, leaving);

/* ---- an old copy of a store comes back by an external commit (CLIENT-58) ---- */

static struct town_device *found_old_copy(void)
{
    struct hs_key dora;
    uint64_t op;
    struct town *t = town_with_a_room();
    ben = guest("Ben");
    struct town_device *gone = guest("Dora");
    town_device_kill(rosa);
    struct hs_bytes copy = town_device_copy(rosa);
    town_device_start(rosa);
    hs_sync_stay_online(rosa->sync, true);
    town_wait(t, 1000);
    assert_ok(hs_sync_persona(gone->sync, &town_node_at(t, 0)->root.pub, &dora));
    TOWN_WANT(rosa, hs_want_removal(&s, &room, &dora, &op));
    town_wait(t, 2000);
    town_device_kill(rosa);
    town_device_restore(rosa, copy);
    return rosa;
}

static bool is_back(void)
{
    struct hs_room_row row = town_room_row(rosa, &room);
    return row.keys == HS_ROOM_KEYS_GOOD && row.epoch == town_room_row(ben, &room).epoch && row.members == 2;
}

static void check_back(void)
{
    FAULT_CHECK(town_lines(rosa, &room, HANSE_MESSAGE_GAP) == 1, "%zu lines say what can't be read",
                town_lines(rosa, &room, HANSE_MESSAGE_GAP));
    FAULT_CHECK(town_lines(ben, &room, HANSE_MESSAGE_LEFT) == 1, "others see that somebody else left");
    town_talk(rosa, ben, &room);
}

static const struct town_story coming_back = {
    .found = found_old_copy, .is_done = is_back, .check = check_back};
TOWN_SCENE(rejoin, coming_back);
