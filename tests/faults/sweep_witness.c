/* A device that made its room and was away hears, under faults, of all that others have done meanwhile:
 * somebody was let in, was removed, has left, has moved home, is banned. It judges every commit
 * from the first one on, and takes none for a bad one. CLIENT-5, CLIENT-6 */
#include "sweep_town.h"

#include "identity/grant.h"
#include "sync/state.h"

enum { SETTLE_MS = 3000, MOVE_MS = 10000 };

static struct town *t;
static struct town_device *rosa, *ben, *eve, *fay;
static struct hs_id room;
static struct hs_key brand;

static struct hs_key persona_of(struct town_device *d)
{
    struct hs_key key;
    assert_ok(hs_sync_persona(d->sync, &brand, &key));
    return key;
}

static void moderates(struct town_device *d)
{
    struct hs_key key = persona_of(d);
    uint64_t op;
    TOWN_WANT(rosa, hs_want_role(&s, &room, &key, HANSE_ROLE_MODERATOR, &op));
    town_wait(t, SETTLE_MS);
    assert_int_equal(town_done(rosa, op)->err, HANSE_OK);
}

static void things_happen(struct town_node *elsewhere, struct town_device *gone, struct town_device *leaver,
                          const char *link)
{
    struct hs_key key = persona_of(gone);
    uint64_t op;
    TOWN_WANT(gone, hs_want_text(&s, &room, "here I am", &op));
    town_wait(t, SETTLE_MS);
    fay = town_guest(t, "Fay", link);
    town_wait(t, SETTLE_MS);
    TOWN_WANT(ben, hs_want_removal(&s, &room, &key, &op));
    town_wait(t, SETTLE_MS);
    TOWN_WANT(leaver, hs_want_leave(&s, &room, &op));
    town_wait(t, SETTLE_MS);
    TOWN_WANT(eve, hs_want_move_home(&s, town_ticket(elsewhere, 0, NULL, 1), &op));
    town_wait(t, MOVE_MS);
    TOWN_WANT(ben, hs_want_ban(&s, &room, &key, &op));
    town_wait(t, SETTLE_MS);
    TOWN_WANT(fay, hs_want_text(&s, &room, "and I", &op));
    town_wait(t, SETTLE_MS);
}

static struct town_device *found_witness(void)
{
    t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example"), *elsewhere = town_node_new(t, "else.example");
    rosa = town_member_of_staff(node, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    brand = node->root.pub;
    room = town_room(rosa, "VIP");
    const char *link = town_link(rosa, &room, 100);
    ben = town_member_of_staff(node, "ben", HS_ROLE_BIT(HANSE__ROLE__ROLE_STAFF));
    town_join(ben, link);
    struct town_device *carl = town_guest(t, "Carl", link), *dora = town_guest(t, "Dora", link);
    eve = town_guest(t, "Eve", link);
    town_wait(t, SETTLE_MS);
    moderates(ben);
    town_device_kill(rosa);
    things_happen(elsewhere, dora, carl, town_link(ben, &room, 5));
    FAULT_CHECK(town_room_row(ben, &room).members == 4, "%u are in", town_room_row(ben, &room).members);
    return rosa;
}

static bool knows_all(void)
{
    struct hs_room_row row = town_room_row(rosa, &room), theirs = town_room_row(ben, &room);
    return row.epoch == theirs.epoch && row.tip.next_seq == theirs.tip.next_seq;
}

static void check_known(void)
{
    FAULT_CHECK(town_room_row(rosa, &room).members == 4, "%u are in for it",
                town_room_row(rosa, &room).members);
    FAULT_CHECK(strcmp(town_history(rosa, &room), "here I am\nand I\n") == 0, "it has heard: %s",
                town_history(rosa, &room));
    FAULT_CHECK(town_lines(rosa, &room, HANSE_MESSAGE_JOINED) == 5, "it knows of %zu who came",
                town_lines(rosa, &room, HANSE_MESSAGE_JOINED));
    FAULT_CHECK(town_lines(rosa, &room, HANSE_MESSAGE_LEFT) == 2, "it knows of %zu who went",
                town_lines(rosa, &room, HANSE_MESSAGE_LEFT));
    town_talk(rosa, eve, &room);
    FAULT_CHECK(strstr(town_history(fay, &room), "a says\n") != NULL, "another member is cut off");
}

static const struct town_story hearing = {.found = found_witness, .is_done = knows_all, .check = check_known};
TOWN_SCENE(witness, hearing);
