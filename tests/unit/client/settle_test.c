/* A committer that locks others out, and a room that goes on: real clients, a real hub. */
#include "evil_client.h"

#include "hostile.h"
#include "identity/grant.h"
#include "room/settlement.h"
#include "store/tables.h"
#include "sync/state.h"

#include <stdio.h>

enum { GUESTS = 3 };

/* Rosa owns the room (leaf 0); Ben, Mallory and Carl are guests (leaves 1 to 3). */
struct scene {
    struct town *t;
    struct town_node *node;
    struct town_device *rosa, *ben, *mallory, *carl;
    struct hs_id room;
};

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.node = town_node_new(c.t, "rosa.example");
    c.rosa = town_member_of_staff(c.node, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    const char *link = town_link(c.rosa, &c.room, 20);
    struct town_device **all[] = {&c.ben, &c.mallory, &c.carl};
    static const char *const names[] = {"Ben", "Mallory", "Carl"};
    for (size_t i = 0; i < GUESTS; i++) {
        *all[i] = town_guest(c.t, names[i], link);
        town_wait(c.t, 2000);
    }
    return c;
}

static void start(struct town_device *d)
{
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

static struct hs_live_room *live(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    assert_ok(hs_live_get(s, id, &room));
    return room;
}

struct look {
    uint64_t epoch;
    bool unsettled, doubted;
    struct hs_mls_secret authenticator;
};

static enum hs_err look_at(struct hs_step *s, const struct hs_id *id, struct look *out)
{
    struct hs_live_room *room = live(s, id);
    *out = (struct look){hs_mls_group_epoch(room->group), room->newest.unsettled, room->newest.doubted,
                         hs_mls_group_authenticator(room->group)};
    return HS_OK;
}

static struct look look(struct town_device *d, const struct hs_id *room)
{
    struct look out;
    TOWN_WANT(d, look_at(&s, room, &out));
    return out;
}

static enum hs_err renew(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish none = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &none);
}

static void post(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
    town_run(d->town);
}

static void all_well(struct scene *c)
{
    struct town_device *all[] = {c->rosa, c->ben, c->carl};
    struct look first = look(c->rosa, &c->room);
    for (size_t i = 0; i < 3; i++) {
        struct look one = look(all[i], &c->room);
        assert_null(town_event(all[i], HANSE_EVENT_FROZEN));
        assert_int_equal(hostile_room(all[i], &c->room).state, HS_ROOM_STATE_MEMBER);
        assert_false(one.unsettled);
        assert_int_equal(one.epoch, first.epoch);
        assert_bytes(HS_MLS_VIEW(one.authenticator), HS_MLS_VIEW(first.authenticator));
    }
}

/* Nobody can follow; the room goes on without the committer's commits, and nobody sees anything of it.
 * CLIENT-41, CLIENT-42, CLIENT-43, ROOM-65, ROOM-66 */
static void wrong_for_all(void **state)
{
    (void)state;
    struct scene c = scene_new();
    const uint64_t before = look(c.rosa, &c.room).epoch;
    evil_client_commit(c.mallory, &c.room, EVIL_TAG);
    town_run(c.t);
    assert_true(look(c.rosa, &c.room).doubted && look(c.ben, &c.room).doubted);
    post(c.ben, &c.room, "is anybody there?");
    post(c.carl, &c.room, "I am");
    town_wait(c.t, HS_SETTLE_VOID_MS);
    all_well(&c);
    assert_int_equal(look(c.rosa, &c.room).epoch, before);
    const char *lines = town_history(c.rosa, &c.room);
    assert_non_null(strstr(lines, "is anybody there?\nI am\n"));
    assert_null(strchr(lines, '!'));
    /* barred, as the others know too; Ben may commit */
    TOWN_WANT_ERR(c.mallory, renew(&s, &c.room), HS_ERR_DENIED);
    evil_client_commit(c.mallory, &c.room, EVIL_HALF);
    town_wait(c.t, HS_SETTLE_VOID_MS);
    assert_int_equal(look(c.rosa, &c.room).epoch, before);
    TOWN_WANT(c.ben, renew(&s, &c.room));
    town_wait(c.t, 100);
    all_well(&c);
    assert_int_equal(look(c.rosa, &c.room).epoch, before + 1);
    town_free(c.t);
}

/* One side of the tree can follow, and talks meanwhile: after the way back all have all of it, once. Devices
 * die in the middle of it. CLIENT-40, CLIENT-41, CLIENT-43, ROOM-65 */
static void wrong_for_half(void **state)
{
    (void)state;
    struct scene c = scene_new();
    const uint64_t before = look(c.rosa, &c.room).epoch;
    post(c.ben, &c.room, "one");
    evil_client_commit(c.mallory, &c.room, EVIL_HALF);
    town_run(c.t);
    assert_true(look(c.rosa, &c.room).doubted && look(c.ben, &c.room).doubted);
    assert_false(look(c.carl, &c.room).doubted);
    assert_int_equal(look(c.carl, &c.room).epoch, before + 1);
    post(c.carl, &c.room, "two");
    post(c.ben, &c.room, "three");
    post(c.carl, &c.room, "four");
    town_device_kill(c.carl);
    town_device_kill(c.ben);
    start(c.ben);
    town_wait(c.t, HS_SETTLE_VOID_MS);
    start(c.carl);
    town_wait(c.t, 10000);
    all_well(&c);
    assert_int_equal(look(c.rosa, &c.room).epoch, before);
    struct town_device *all[] = {c.rosa, c.ben, c.carl};
    static const char *const texts[] = {"one\n", "two\n", "three\n", "four\n"};
    for (size_t i = 0; i < 3; i++) {
        const char *lines = town_history(all[i], &c.room);
        for (size_t k = 0; k < 4; k++) {
            const char *at = strstr(lines, texts[k]);
            assert_non_null(at);
            assert_null(strstr(at + 1, texts[k])); /* once */
        }
        assert_null(strchr(lines, '!'));
        assert_true(strstr(lines, "two\n") < strstr(lines, "four\n"));
    }
    /* the same room, with somebody new, and everybody talks */
    struct town_device *dora = town_guest(c.t, "Dora", town_link(c.rosa, &c.room, 5));
    town_wait(c.t, 3000);
    post(dora, &c.room, "hello all");
    post(c.carl, &c.room, "hello Dora");
    all_well(&c);
    assert_non_null(strstr(town_history(c.ben, &c.room), "hello all\nhello Dora\n"));
    town_free(c.t);
}

/* The hub settles what this device can't accept: nothing but freezing is left. CLIENT-41 */
static void settled_against_it(void **state)
{
    (void)state;
    struct scene c = scene_new();
    town_device_kill(c.rosa); /* who isn't there isn't asked */
    town_device_kill(c.ben);
    c.mallory->loses = HANSE__FRAME__BODY_GET_GROUP_INFO; /* it can't follow its own commit, and would come
                                                             back by another */
    evil_client_commit(c.mallory, &c.room, EVIL_HALF);
    town_wait(c.t, 1000);
    assert_false(look(c.carl, &c.room).unsettled);
    start(c.rosa);
    start(c.ben);
    town_wait(c.t, 2000);
    const struct hanse_event *frozen = town_event(c.ben, HANSE_EVENT_FROZEN);
    assert_non_null(frozen);
    assert_true(frozen->err == HANSE_ERR_DECRYPT || frozen->err == HANSE_ERR_MLS_COMMIT);
    assert_null(town_event(c.carl, HANSE_EVENT_FROZEN));
    town_free(c.t);
}

/* What a commit is for is shown when it is settled, and one's keys stay as long. CLIENT-40, CLIENT-44 */
static void removal_waits(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_key bens;
    uint64_t op;
    assert_ok(hs_sync_persona(c.ben->sync, &c.node->root.pub, &bens));
    town_device_kill(c.carl);
    TOWN_WANT(c.rosa, hs_want_removal(&s, &c.room, &bens, &op));
    town_run(c.t);
    /* Mallory alone was asked */
    assert_non_null(town_event(c.ben, HANSE_EVENT_REMOVED));
    assert_non_null(town_done(c.rosa, op));
    assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_LEFT);
    start(c.carl);
    town_wait(c.t, 2000);
    c.ben = c.carl;
    all_well(&c);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_for_all),
        cmocka_unit_test(wrong_for_half),
        cmocka_unit_test(settled_against_it),
        cmocka_unit_test(removal_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
