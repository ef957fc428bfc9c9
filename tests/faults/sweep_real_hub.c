/* A room goes to another node, while the sockets, files and memory of a device fail: of one that follows it,
 * and of its owner's, which gives it there. Every text comes through, once. CLIENT-67, CLIENT-68 */
#include "sweep_real.h"

#include "api/handle.h"
#include "base/text.h"
#include "store/rooms.h"
#include "store/tables.h"

#include <string.h>

enum { SETTLE_MS = 30000 };

static struct fleet *f;
static struct member *owner, *other, *hero; /* the owner's home is the next hub; the others' is the hub */
static uint64_t epoch_before;               /* the policy that follows ends it */

static const char on_its_way[] = "on its way";

static struct hanse_room room_of(struct hanse *h)
{
    struct hanse_room room = {0};
    FAULT_CHECK(hanse_room_get(h, &f->room, &room) == HANSE_OK, "somebody hasn't got the room");
    return room;
}

/* The next hub's operator lets the owner have rooms there. */
static void next_hub_allows(void)
{
    char key[HS_HEX_SIZE(sizeof(struct hs_key))], text[8192];
    struct hanse_room room = room_of(owner->h);
    uint64_t op;
    hs_hex(hs_bytes(room.self.b, sizeof room.self.b), key);
    daemon_grant(&f->nodes[1], text, sizeof text, key, "merchant");
    enum hanse_err err = hanse_grants_add(owner->h, text, &op);
    fleet_await(f, owner, err, &op, "taking a grant");
}

static void owner_moves_home(void)
{
    static const char *const once[] = {"--uses", "1", NULL};
    char ticket[8192];
    uint64_t op;
    daemon_ticket(&f->nodes[1], ticket, sizeof ticket, once);
    enum hanse_err err = hanse_move_home(owner->h, ticket, &op);
    fleet_await(f, owner, err, &op, "moving home");
    owner->acks.node = 1;
}

static void found_people(struct fleet *fleet)
{
    f = fleet;
    owner = &f->members[0];
    hero = fleet_join(f, 0);
    other = fleet_join(f, 1);
    fleet_settle(f, SETTLE_MS);
    owner_moves_home();
    next_hub_allows();
    fleet_settle(f, SETTLE_MS);
    epoch_before = room_of(owner->h).epoch;
}

/* It has, and so has the policy. */
static bool has_followed(struct hanse *h)
{
    struct hanse_room room = room_of(h);
    return strcmp(room.hub, f->nodes[1].domain) == 0 && room.epoch > epoch_before;
}

/* ---- who follows ---- */

/* With a text that no node has heard of yet. */
static struct member *found_follower(struct fleet *fleet)
{
    uint64_t op;
    found_people(fleet);
    enum hanse_err err = hanse_post(hero->h, &f->room, on_its_way, &op);
    FAULT_CHECK(err == HANSE_OK, "it can't post: %s", hanse_err_name(err));
    return hero;
}

/* It may be there already, or on its way, where this is the second time. */
static void hub_moves(void)
{
    uint64_t op;
    enum hanse_err err = hanse_room_move(owner->h, &f->room, &op);
    FAULT_CHECK(err == HANSE_OK || has_followed(owner->h), "the hub doesn't move: %s", hanse_err_name(err));
}

static bool all_have_followed(struct hanse *h)
{
    return has_followed(h) && has_followed(owner->h) && has_followed(other->h) &&
           real_lines(h, &f->room, HANSE_MESSAGE_TEXT, on_its_way) > 0 &&
           real_lines(other->h, &f->room, HANSE_MESSAGE_TEXT, on_its_way) > 0;
}

static bool other_hears(struct hanse *h)
{
    (void)h;
    return real_lines(other->h, &f->room, HANSE_MESSAGE_TEXT, "it says") == 1 &&
           real_lines(other->h, &f->room, HANSE_MESSAGE_TEXT, "another says") == 1;
}

static uint32_t term_of(struct hanse *h)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_id id = hs_api_id(&f->room);
    struct hs_room_row row;
    struct hs_kv *kv;
    FAULT_CHECK(hs_db_begin_read(h->db, &kv) == HS_OK && hs_room_get(kv, &id, &arena, &row),
                "its room can't be read");
    hs_db_end_read(h->db);
    return row.hub_term;
}

/* Nothing is lost or doubled, and it can show others the way (CLIENT-73). */
static void check_move(struct hanse *h)
{
    FAULT_CHECK(term_of(h) == HS_POLICY_HUB_TERM_FIRST + 1, "it is the hub's term %u", (unsigned)term_of(h));
    FAULT_CHECK(real_rows(h, HS_TABLE_MOVED) == 1, "the way there isn't kept");
    FAULT_CHECK(room_of(h).epoch == epoch_before + 1, "the policy has followed %d times",
                (int)(room_of(h).epoch - epoch_before));
    FAULT_CHECK(room_of(h).members == 3 && room_of(other->h).members == 3, "somebody is lost");
}

static void check_followed(struct hanse *h)
{
    real_talk(owner, &f->room);
    FAULT_CHECK(real_until(other_hears, SETTLE_MS), "another follower is cut off");
    FAULT_CHECK(real_lines(h, &f->room, HANSE_MESSAGE_TEXT, on_its_way) == 1 &&
                    real_lines(owner->h, &f->room, HANSE_MESSAGE_TEXT, on_its_way) == 1 &&
                    real_lines(other->h, &f->room, HANSE_MESSAGE_TEXT, on_its_way) == 1,
                "what was on its way came twice, or is lost");
    check_move(h);
}

static const struct real_story following = {.nodes = 2,
                                            .found = found_follower,
                                            .begin = hub_moves,
                                            .is_done = all_have_followed,
                                            .check = check_followed};
REAL_SCENE(follow, following);

/* ---- and who gives it away ---- */

static struct member *found_owner(struct fleet *fleet)
{
    found_people(fleet);
    return owner;
}

static enum hanse_err want_office(struct hanse *h, uint64_t *op)
{
    return hanse_room_move(h, &f->room, op);
}

static bool has_moved(struct hanse *h)
{
    return has_followed(h) && has_followed(hero->h) && has_followed(other->h);
}

/* The record is there; the policy is yet to follow, and others to hear of both. */
static bool is_moving(struct hanse *h)
{
    return strcmp(room_of(h).hub, f->nodes[1].domain) == 0;
}

static void check_moved(struct hanse *h)
{
    real_talk(hero, &f->room);
    FAULT_CHECK(real_until(other_hears, SETTLE_MS), "another follower is cut off");
    check_move(h);
}

static const struct real_story giving = {.nodes = 2,
                                         .found = found_owner,
                                         .want = want_office,
                                         .is_done = has_moved,
                                         .is_under_way = is_moving,
                                         .check = check_moved};
REAL_SCENE(office, giving);
