/* A room moves to its owner's new home: every member reads and writes on through the new hub, old and new
 * links lead there, and the policy follows by itself. */
#include "hub_scene.h"

#include "sync/state.h"
#include "wire/unpack.h"

/* CLIENT-67, CLIENT-68, CLIENT-69 */
static void the_room_goes_on(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    const char *old_link = town_link(c.rosa, &c.room, 5);
    TOWN_WANT_ERR(c.rosa, hs_want_hub_move(&s, &c.room, &op), HS_ERR_INVALID_ARG); /* it is there */
    TOWN_WANT_ERR(c.dora, hs_want_hub_move(&s, &c.room, &op), HS_ERR_POLICY);
    rosa_moves(&c);
    TOWN_WANT(c.rosa, hs_want_hub_move(&s, &c.room, &op));
    town_wait(c.t, 2000);
    assert_int_equal(town_done(c.rosa, op)->err,
                     HANSE_ERR_DENIED); /* the new node hasn't said that she may */
    grant(&c);
    the_room_moves(&c);
    struct town_device *devices[] = {c.rosa, c.ben, c.dora, c.cem};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(town_event_count(devices[i], HANSE_EVENT_HUB), 1);
        assert_int_equal(town_event_count(devices[i], HANSE_EVENT_FROZEN), 0);
        post(devices[i], &c.room, i == 0 ? "rosa" : i == 1 ? "ben" : i == 2 ? "dora" : "cem");
        town_wait(c.t, 3000);
    }
    all_see(&c, "rosa\nben\ndora\ncem\n");
    /* links from before and from now; where the joiner's home is doesn't matter */
    struct town_device *eva = town_customer(c.third, "Eva"), *fred = town_customer(c.old, "Fred");
    town_join(eva, old_link);
    town_join(fred, town_link(c.rosa, &c.room, 5));
    post(eva, &c.room, "eva");
    town_wait(c.t, 3000);
    post(fred, &c.room, "fred");
    town_wait(c.t, 3000);
    all_see(&c, "rosa\nben\ndora\ncem\neva\nfred\n");
    /* and without the old hub */
    c.old->down = true;
    town_node_cut(c.old);
    town_device_cut(c.ben);
    town_device_cut(fred);
    post(c.dora, &c.room, "alone");
    town_wait(c.t, 5000);
    assert_non_null(strstr(town_history(c.cem, &c.room), "alone"));
    c.old->down = false;
    town_wait(c.t, 120000);
    all_see(&c, "rosa\nben\ndora\ncem\neva\nfred\nalone\n");
    town_free(c.t);
}

/* What a device asks for, itself or in a Forward. */
static Hanse__Frame__BodyCase asks_for(struct hs_bytes frame)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *f;
    if (HS_UNPACK(hanse__frame, frame, HS_LENIENT, &arena, &f) != HS_OK)
        return HANSE__FRAME__BODY__NOT_SET;
    if (f->body_case == HANSE__FRAME__BODY_FORWARD &&
        HS_UNPACK(hanse__frame, hs_pb_bytes(f->forward->frame), HS_LENIENT, &arena, &f) != HS_OK)
        return HANSE__FRAME__BODY__NOT_SET;
    return f->body_case;
}

static bool no_commits(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    return asks_for(frame) != HANSE__FRAME__BODY_SUBMIT_COMMIT;
}

static bool no_joins(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    return asks_for(frame) != HANSE__FRAME__BODY_JOIN;
}

/* CLIENT-70: her node serves nobody else in the room, and had nothing to do with the new hub. */
static void who_waits_is_let_in(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_node *fourth = town_node_new(c.t, "fourth.example");
    struct town_device *eva = town_customer(fourth, "Eva");
    uint64_t op;
    const char *link = town_link(c.rosa, &c.room, 5);
    rosa_moves(&c);
    grant(&c);
    c.rosa->outgoing = no_commits;
    TOWN_WANT(eva, hs_want_join(&s, link, &op));
    town_wait(c.t, 3000);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_WAITING), 1);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_JOINED), 0);
    the_room_moves(&c);
    c.rosa->outgoing = NULL;
    town_device_cut(c.rosa);
    town_wait(c.t, 10000);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_JOINED), 0); /* her device doesn't know it yet */
    town_wait(c.t, 11 * 60 * 1000);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_JOINED), 1);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_FROZEN), 0);
    post(eva, &c.room, "eva");
    town_wait(c.t, 3000);
    all_see(&c, "eva\n");
    town_free(c.t);
}

static struct {
    uint64_t join;
    size_t joins, looks;
} said; /* what a device asked hubs through its home */

static bool takes_joins(struct town_device *d, struct hs_bytes frame)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *f;
    Hanse__Frame__BodyCase kind = asks_for(frame);
    (void)d;
    said.looks += kind == HANSE__FRAME__BODY_GET_INVITE;
    if (kind != HANSE__FRAME__BODY_JOIN || HS_UNPACK(hanse__frame, frame, HS_LENIENT, &arena, &f) != HS_OK)
        return true;
    said.join = f->id;
    said.joins++;
    return false;
}

static enum hs_err says_moved(struct hs_step *s)
{
    Hanse__Frame f = HANSE__FRAME__INIT;
    Hanse__Error e = HANSE__ERROR__INIT;
    f.id = said.join;
    said.join = 0;
    e.code = (uint32_t)hs_err_to_wire(HS_ERR_HUB_MOVED);
    f.error = &e;
    f.body_case = HANSE__FRAME__BODY_ERROR;
    return hs_request_answered(s, &f);
}

/* The device's only wait, as at that hub in that term. */
static enum hs_err waits_at(struct hs_step *s, const struct hs_key *hub, uint32_t term,
                            struct hs_join_row *was)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    HS_REQUIRE(hs_join_row_next(s->kv, &cursor, s->arena, &row), HS_ERR_NOT_FOUND);
    *was = row;
    row.office_root = *hub;
    row.hub_term = term;
    hs_join_row_put(s->kv, &row);
    return s->kv->err;
}

/* Hubs that send her to and fro, each to a later term or to an earlier one. CLIENT-70 */
static void who_waits_is_not_sent_to_and_fro(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_node *fourth = town_node_new(c.t, "fourth.example");
    struct town_device *eva = town_customer(fourth, "Eva");
    struct hs_join_row was;
    size_t led = 0;
    uint64_t op;
    const char *link = town_link(c.rosa, &c.room, 5);
    rosa_moves(&c);
    grant(&c);
    c.rosa->outgoing = no_commits;
    TOWN_WANT(eva, hs_want_join(&s, link, &op));
    town_wait(c.t, 3000);
    the_room_moves(&c);
    memset(&said, 0, sizeof said);
    eva->outgoing = takes_joins;
    town_wait(c.t, 40000);
    town_device_cut(eva);
    for (int i = 0; i < 300; i++) { /* each time to a later term than she knows */
        town_wait(c.t, 1000);
        TOWN_WANT(eva, waits_at(&s, &c.old->root.pub, 0, &was));
        led += was.hub_term == 2 && hs_key_equal(&was.office_root, &c.new->root.pub);
        if (said.join != 0)
            TOWN_WANT(eva, says_moved(&s));
    }
    assert_in_range(led, 1, 10);
    assert_in_range(said.looks, led, 11);
    assert_in_range(said.joins, 2, 22);
    TOWN_WANT(eva, waits_at(&s, &c.old->root.pub, 7, &was));
    size_t looks = said.looks;
    for (int i = 0; i < 700; i++) {
        town_wait(c.t, 1000);
        if (said.join != 0)
            TOWN_WANT(eva, says_moved(&s));
    }
    assert_in_range(said.looks - looks, 1, 3);
    TOWN_WANT(eva, waits_at(&s, &c.old->root.pub, 0, &was)); /* she wasn't led back */
    assert_int_equal(was.hub_term, 7);
    eva->outgoing = c.rosa->outgoing = NULL;
    town_device_cut(c.rosa);
    town_device_cut(eva);
    town_wait(c.t, 11 * 60 * 1000);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_JOINED), 1);
    town_free(c.t);
}

static enum hs_err new_keys(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish nothing = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &nothing);
}

static struct hs_room_row row_of(struct town_device *d, const struct hs_id *id)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_room_row row;
    assert_true(hs_room_get(town_look(d), id, &arena, &row));
    row.descriptor = (struct hs_bytes){0};
    town_looked(d);
    return row;
}

/* Rosa is gone right behind the move, so that the new hub has no GroupInfo: it asks for a commit, and Dora,
 * whose keys are lost, is back. ROOM-92, CLIENT-76 */
static void lost_keys_at_a_new_hub(void **state)
{
    (void)state;
    struct scene c = scene_new();
    rosa_moves(&c);
    grant(&c);
    town_device_kill(c.dora);
    struct hs_bytes copy = town_device_copy(c.dora);
    town_device_start(c.dora);
    hs_sync_stay_online(c.dora->sync, true);
    town_wait(c.t, 1000);
    TOWN_WANT(c.dora, new_keys(&s, &c.room));
    town_wait(c.t, 3000);
    c.rosa->outgoing = no_commits;
    the_room_moves(&c);
    town_device_kill(c.rosa);
    town_device_kill(c.dora);
    town_device_restore(c.dora, copy);
    town_device_start(c.dora);
    hs_sync_stay_online(c.dora->sync, true);
    town_wait(c.t, 30000);
    assert_int_equal(row_of(c.dora, &c.room).keys, HS_ROOM_KEYS_GOOD);
    post(c.dora, &c.room, "dora is back");
    town_wait(c.t, 3000);
    assert_string_equal(town_history(c.ben, &c.room), "dora is back\n");
    assert_string_equal(town_history(c.cem, &c.room), "dora is back\n");
    town_free(c.t);
}

/* CLIENT-70: whose device slept meanwhile finds the room at once. */
static void who_slept_at_the_door_is_let_in(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_node *fourth = town_node_new(c.t, "fourth.example");
    struct town_device *eva = town_customer(fourth, "Eva");
    uint64_t op;
    const char *link = town_link(c.rosa, &c.room, 5);
    rosa_moves(&c);
    grant(&c);
    c.rosa->outgoing = no_commits;
    TOWN_WANT(eva, hs_want_join(&s, link, &op));
    town_wait(c.t, 3000);
    the_room_moves(&c);
    c.rosa->outgoing = NULL;
    town_device_cut(c.rosa);
    town_device_cut(eva);
    town_wait(c.t, 20000);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_JOINED), 1);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_FROZEN), 0);
    post(eva, &c.room, "eva");
    town_wait(c.t, 3000);
    all_see(&c, "eva\n");
    town_free(c.t);
}

/* CLIENT-70: her JOIN comes when the room has gone already. */
static void who_asks_too_late_keeps_the_key_package(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_node *fourth = town_node_new(c.t, "fourth.example");
    struct town_device *eva = town_customer(fourth, "Eva");
    uint64_t op;
    const char *link = town_link(c.rosa, &c.room, 5);
    rosa_moves(&c);
    grant(&c);
    eva->outgoing = no_joins;
    TOWN_WANT(eva, hs_want_join(&s, link, &op));
    town_wait(c.t, 3000);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_WAITING), 0);
    the_room_moves(&c);
    eva->outgoing = NULL;
    town_device_cut(eva);
    town_wait(c.t, 10000);
    assert_int_equal(town_done(eva, op)->err, HANSE_OK);
    town_wait(c.t, 10000);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_JOINED), 1);
    assert_int_equal(town_event_count(eva, HANSE_EVENT_FROZEN), 0);
    town_free(c.t);
}

/* CLIENT-71, FED-42: her device and her home sleep through the move, and then another node is her home. */
static void home_moves_behind_a_missed_move(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_node *fourth = town_node_new(c.t, "fourth.example");
    uint64_t op;
    rosa_moves(&c);
    grant(&c);
    c.third->down = true;
    town_node_cut(c.third);
    town_device_cut(c.dora);
    the_room_moves(&c);
    assert_int_equal(town_event_count(c.dora, HANSE_EVENT_HUB), 0);
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(fourth, 0, NULL, 1), &op));
    town_wait(c.t, 20000);
    assert_non_null(town_done(c.dora, op));
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    assert_int_equal(town_event_count(c.dora, HANSE_EVENT_HUB), 1);
    assert_int_equal(town_event_count(c.dora, HANSE_EVENT_FROZEN), 0);
    post(c.dora, &c.room, "dora");
    town_wait(c.t, 5000);
    post(c.ben, &c.room, "ben");
    town_wait(c.t, 5000);
    all_see(&c, "dora\nben\n");
    town_free(c.t);
}

static struct {
    const struct hs_key *hub;
    uint64_t id; /* 0: it wasn't asked */
} kept;          /* what a device asked that hub through its home */

static bool keeps_what_that_hub_is_asked(struct town_device *d, struct hs_bytes frame)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *f;
    (void)d;
    if (HS_UNPACK(hanse__frame, frame, HS_LENIENT, &arena, &f) != HS_OK ||
        f->body_case != HANSE__FRAME__BODY_FORWARD ||
        !hs_bytes_equal(hs_pb_bytes(f->forward->node_root), HS_VIEW(*kept.hub)))
        return true;
    kept.id = f->id;
    return false;
}

static enum hs_err says_accepted(struct hs_step *s)
{
    struct hs_bytes packed;
    Hanse__Frame f = HANSE__FRAME__INIT, inner = HANSE__FRAME__INIT;
    Hanse__Accepted accepted = HANSE__ACCEPTED__INIT;
    Hanse__Forwarded forwarded = HANSE__FORWARDED__INIT;
    inner.id = 1;
    inner.accepted = &accepted;
    inner.body_case = HANSE__FRAME__BODY_ACCEPTED;
    HS_TRY(hs_frame_pack(s, &inner, &packed));
    f.id = kept.id;
    forwarded.frame = hs_pb_data(packed);
    f.forwarded = &forwarded;
    f.body_case = HANSE__FRAME__BODY_FORWARDED;
    return hs_request_answered(s, &f);
}

/* CLIENT-80: her next home is the hub that the room has left unseen, and what the hub in office has for that
 * home is late. The answer of the one in office isn't the word of the one that she knows. */
static void home_moves_to_the_hub_of_before(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    rosa_moves(&c);
    grant(&c);
    c.third->down = true;
    town_node_cut(c.third);
    town_device_cut(c.dora);
    the_room_moves(&c);
    kept.hub = &c.new->root.pub;
    c.dora->outgoing = keeps_what_that_hub_is_asked;
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(c.old, 0, NULL, 1), &op));
    town_wait(c.t, 20000);
    assert_int_not_equal(kept.id, 0);
    TOWN_WANT(c.dora, says_accepted(&s));
    c.dora->outgoing = NULL;
    town_wait(c.t, 5000);
    assert_true(row_of(c.dora, &c.room).unmoved);
    town_wait(c.t, 11 * 60 * 1000);
    assert_false(row_of(c.dora, &c.room).unmoved);
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    assert_int_equal(town_event_count(c.dora, HANSE_EVENT_HUB), 1);
    post(c.dora, &c.room, "dora");
    town_wait(c.t, 5000);
    post(c.ben, &c.room, "ben");
    town_wait(c.t, 5000);
    all_see(&c, "dora\nben\n");
    town_free(c.t);
}

/* CLIENT-72: the same, and then the old hub is gone for good: a link leads her on. */
static void a_link_leads_a_member_on(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_node *fourth = town_node_new(c.t, "fourth.example");
    uint64_t op, join;
    rosa_moves(&c);
    grant(&c);
    c.third->down = true;
    town_node_cut(c.third);
    town_device_cut(c.dora);
    the_room_moves(&c);
    c.old->down = true;
    town_node_cut(c.old);
    town_device_cut(c.ben);
    TOWN_WANT(c.dora, hs_want_move_home(&s, town_ticket(fourth, 0, NULL, 1), &op));
    town_wait(c.t, 60000);
    assert_null(town_done(c.dora, op)); /* nobody is left who could tell her */
    const char *link = town_link(c.rosa, &c.room, 5);
    TOWN_WANT(c.dora, hs_want_join(&s, link, &join));
    town_wait(c.t, 90000);
    assert_non_null(town_done(c.dora, join));
    assert_int_equal(town_done(c.dora, join)->err, HANSE_OK);
    assert_non_null(town_done(c.dora, op));
    assert_int_equal(town_done(c.dora, op)->err, HANSE_OK);
    assert_int_equal(town_event_count(c.dora, HANSE_EVENT_HUB), 1);
    assert_int_equal(town_event_count(c.dora, HANSE_EVENT_FROZEN), 0);
    post(c.dora, &c.room, "dora");
    town_wait(c.t, 5000);
    assert_string_equal(town_history(c.rosa, &c.room), "dora\n");
    town_free(c.t);
}

/* CLIENT-73, FED-63: a device is enough to keep its home from being a second hub. */
static void a_device_shows_its_home(void **state)
{
    (void)state;
    struct scene c = scene_new();
    rosa_moves(&c);
    grant(&c);
    struct hs_kv *backup = town_node_copy(c.old);
    the_room_moves(&c);
    c.new->down = c.third->down = true;
    town_node_cut(c.new);
    town_node_cut(c.third);
    town_node_restore(c.old, backup);
    town_device_cut(c.ben);
    town_wait(c.t, 10000);
    town_node_resume(c.old);
    town_wait(c.t, 300000);
    assert_true(town_node_is_frozen(c.old));
    c.new->down = c.third->down = false;
    town_wait(c.t, 150000);
    assert_false(town_node_is_frozen(c.old));
    post(c.ben, &c.room, "ben");
    town_wait(c.t, 5000);
    all_see(&c, "ben\n");
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_room_goes_on),
                                       cmocka_unit_test(lost_keys_at_a_new_hub),
                                       cmocka_unit_test(who_waits_is_let_in),
                                       cmocka_unit_test(who_waits_is_not_sent_to_and_fro),
                                       cmocka_unit_test(who_slept_at_the_door_is_let_in),
                                       cmocka_unit_test(who_asks_too_late_keeps_the_key_package),
                                       cmocka_unit_test(home_moves_behind_a_missed_move),
                                       cmocka_unit_test(home_moves_to_the_hub_of_before),
                                       cmocka_unit_test(a_link_leads_a_member_on),
                                       cmocka_unit_test(a_device_shows_its_home)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
