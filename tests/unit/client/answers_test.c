/* What other nodes answer, and who wants to come in: answers out of place, Welcomes to rooms that are taken,
 * joiners that can't be let in. */
#include "hostile.h"

#include "identity/grant.h"
#include "room/invite.h"
#include "room/invite_link.h"
#include "room/join.h"
#include "room/suite.h"
#include "wire/unpack.h"

static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER);

/* The newest request in flight. */
static const struct hs_request *newest(const struct town_device *d)
{
    const struct hs_request *found = NULL;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (d->sync->requests[i].id != 0 && (found == NULL || d->sync->requests[i].id > found->id))
            found = &d->sync->requests[i];
    assert_non_null(found);
    return found;
}

/* That request is answered by hand; where it was forwarded, by the other node. */
static void answer(struct town_device *d, Hanse__Frame *frame, enum hs_err want)
{
    struct hs_writer HS_WRITER inner = hs_writer(65536), outer = hs_writer(65536);
    const struct hs_request *request = newest(d);
    Hanse__Forwarded forwarded = HANSE__FORWARDED__INIT;
    Hanse__Frame through = HANSE__FRAME__INIT;
    frame->id = 1;
    assert_ok(HS_PACK(frame, &inner));
    forwarded.frame = hs_pb_data(hs_writer_bytes(&inner));
    through.body_case = HANSE__FRAME__BODY_FORWARDED;
    through.forwarded = &forwarded;
    Hanse__Frame *shown = request->forwarded ? &through : frame;
    shown->id = request->id;
    assert_ok(HS_PACK(shown, &outer));
    TOWN_WANT_ERR(d, hs_sync_frame(&s, hs_writer_bytes(&outer)), want);
}

static enum hs_err ask_again(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    assert_true(hs_join_row_next(s->kv, &cursor, s->arena, &row));
    row.asked = false; /* as if the first answer was lost */
    hs_join_row_put(s->kv, &row);
    return hs_join_go_on(s, &row);
}

static size_t posts_out;

static bool keep_posts(struct town_device *d, struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    bool post = frame->body_case == HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    posts_out += post ? 1 : 0;
    return d->outgoing != NULL && !post;
}

/* DELIVERY-58: a node that has no time says when it will, and isn't asked before; what it can't mean isn't
 * believed. */
static void test_a_busy_node_is_asked_again_when_it_says(void **state)
{
    (void)state;
    static const struct {
        uint32_t says;
        int64_t waits;
    } cases[] = {{300, 300},
                 {HS_AGAIN_MAX_MS, HS_AGAIN_MAX_MS},
                 {0, HS_AGAIN_MS},
                 {UINT32_MAX, HS_AGAIN_MAX_MS},
                 {1, HS_AGAIN_MIN_MS}};
    struct town *t = town_new();
    struct town_device *alice = town_member_of_staff(town_node_new(t, "rosa.example"), "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    uint64_t op;
    town_run(t);
    alice->outgoing = keep_posts;
    TOWN_WANT(alice, hs_want_text(&s, &room, "hello", &op));
    town_run(t);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        Hanse__Error busy = HANSE__ERROR__INIT;
        Hanse__Frame frame = HANSE__FRAME__INIT;
        busy.code = hs_err_to_wire(HS_ERR_BUSY);
        busy.retry_after_ms = cases[i].says;
        frame.body_case = HANSE__FRAME__BODY_ERROR;
        frame.error = &busy;
        assert_int_equal(posts_out, i + 1);
        answer(alice, &frame, HS_OK);
        town_wait(t, cases[i].waits - 100);
        assert_int_equal(posts_out, i + 1);
        town_wait(t, 200);
    }
    assert_int_equal(posts_out, sizeof cases / sizeof cases[0] + 1);
    town_free(t);
}

/* CLIENT-5: another brand's node that answers nonsense spoils what it was asked for, not the session. */
static void test_another_brand_s_odd_answer(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example"), *linn = town_node_new(t, "linn.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner), *dora = town_device_new(t);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    Hanse__Frame ack = HANSE__FRAME__INIT;
    Hanse__Ack body = HANSE__ACK__INIT;
    uint64_t op;
    ack.body_case = HANSE__FRAME__BODY_ACK;
    ack.ack = &body;
    town_device_kill(alice);
    TOWN_WANT(dora, hs_want_identity(&s, "Dora"));
    TOWN_WANT(dora, hs_want_sign_up(&s, town_ticket(linn, 0, NULL, 1), &op));
    hs_sync_stay_online(dora->sync, true);
    town_run(t);
    TOWN_WANT(dora, hs_want_join(&s, link, &op));
    answer(dora, &ack, HS_OK);
    assert_int_equal(town_done(dora, op)->err, HANSE_ERR_UNEXPECTED);
    town_device_cut(dora);
    town_wait(t, 2000);
    TOWN_WANT(dora, hs_want_join(&s, link, &op));
    town_wait(t, 5000);
    assert_int_equal(town_done(dora, op)->err, HANSE_OK);
    TOWN_WANT(dora, ask_again(&s));
    answer(dora, &ack, HS_OK);
    assert_int_equal(dora->sync->session, HS_SESSION_ONLINE);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    assert_false(hs_join_row_next(town_look(dora), &cursor, &arena, &row));
    town_looked(dora);
    town_free(t);
}

/* Another machine's full disk isn't this one's. */
static void test_another_machine_s_trouble(void **state)
{
    (void)state;
    static const enum hs_err troubles[] = {HS_ERR_STORE_FULL, HS_ERR_IO};
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    town_wait(t, 2000);
    for (size_t i = 0; i < 2; i++) {
        Hanse__Frame frame = HANSE__FRAME__INIT;
        Hanse__Error error = HANSE__ERROR__INIT;
        uint64_t op;
        error.code = hs_err_to_wire(troubles[i]);
        frame.body_case = HANSE__FRAME__BODY_ERROR;
        frame.error = &error;
        TOWN_WANT(alice, hs_want_ping(&s, &op));
        answer(alice, &frame, HS_OK);
        assert_int_equal(town_done(alice, op)->err, HANSE_ERR_BUSY);
    }
    town_free(t);
}

static enum hs_err plant_room(struct hs_step *s, const struct hs_room_row *row)
{
    hs_room_put(s->kv, row);
    return s->kv->err;
}

/* A link leads to a room that this device has from somewhere else, or is making itself. */
static void test_a_link_to_a_room_that_is_taken(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 9);
    struct hs_room_row rows[] = {
        {.id = room, .state = HS_ROOM_STATE_LEFT, .name = "other", .hub_root = {{7}}},
        {.id = room, .state = HS_ROOM_STATE_MEMBER, .name = "other", .hub_root = {{7}}},
        {.id = room, .state = HS_ROOM_STATE_CREATING, .name = "other"}};
    rows[2].hub_root = rosa->root.pub;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct town_device *ben = town_device_new(t);
        uint64_t op;
        TOWN_WANT(ben, hs_want_identity(&s, "Ben"));
        TOWN_WANT(ben, plant_room(&s, &rows[i]));
        TOWN_WANT(ben, hs_want_join(&s, link, &op));
        town_run(t);
        assert_int_equal(town_done(ben, op)->err, HANSE_ERR_CONFLICT);
        assert_int_equal(hostile_room(ben, &room).state, rows[i].state);
        assert_string_equal(hostile_room(ben, &room).name, "other");
    }
    town_free(t);
}

/* Ben asked for a counter, and its Welcome waits for him; the counter's id. */
static struct hs_id counter_made(struct hostile *c)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct town_device *till = town_member_of_staff(c->rosa, "till", HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL));
    TOWN_WANT(till, hs_want_till(&s, true));
    town_run(c->t);
    TOWN_WANT(c->ben, hs_counter_open(&s, &c->rosa->root.pub, &c->room));
    c->ben->die_after = 1;
    c->ben->die_before_commit = true;
    town_wait(c->t, 2000);
    assert_true(c->ben->dead);
    while (hs_room_next(town_look(till), &cursor, &arena, &row) && row.kind != HS_ROOM_COUNTER)
        town_looked(till);
    town_looked(till);
    assert_int_equal(row.kind, HS_ROOM_COUNTER);
    return row.id;
}

/* CLIENT-13: a Welcome takes no other room's place. */
static void test_a_welcome_to_a_room_that_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct hostile c = hostile_new();
        struct hs_room_row row = {.id = counter_made(&c), .state = HS_ROOM_STATE_LEFT, .name = "other"};
        row.hub_root = c.rosa->root.pub;
        row.kind = i == 1 ? HS_ROOM_GROUP : HS_ROOM_COUNTER;
        row.state = i == 2 ? HS_ROOM_STATE_CREATING : HS_ROOM_STATE_LEFT;
        row.hub_root.b[0] ^= i == 0 ? 1 : 0;
        town_device_start(c.ben);
        TOWN_WANT(c.ben, plant_room(&s, &row));
        hs_sync_stay_online(c.ben->sync, true);
        town_wait(c.t, 2000);
        bool replaced = i == 3; /* a counter that was left */
        assert_int_equal(hostile_room(c.ben, &row.id).state, replaced ? HS_ROOM_STATE_MEMBER : row.state);
        assert_int_equal(strcmp(hostile_room(c.ben, &row.id).name, "other") != 0, replaced);
        assert_int_equal(hostile_room(c.ben, &c.room).state, HS_ROOM_STATE_MEMBER);
        town_free(c.t);
    }
}

/* A Welcome for this device to a group of that name, which has no policy. */
static enum hs_err foreign_welcome(struct hs_step *s, const struct hs_id *room, struct hs_bytes *welcome,
                                   struct hs_bytes *tree)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    struct hs_mls_signer HS_MLS_SIGNER signer = {0};
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX), HS_WRITER nodes = hs_writer(HS_FRAME_MAX);
    HS_REQUIRE(hs_join_row_next(s->kv, &cursor, s->arena, &row), HS_ERR_NOT_FOUND);
    HS_TRY(hs_mls_signer_random(&hs_mls_suite_3, &signer));
    const struct hs_mls_create create = {.leaf = {.signer = &signer, .not_after = UINT64_MAX},
                                         .group_id = HS_VIEW(*room),
                                         .settings = hs_mls_settings_default()};
    const struct hs_mls_commit_request add = {
        .adds = &row.key_package, .add_count = 1, .bare_group_info = true};
    HS_TRY(hs_mls_group_create(&create, &group));
    HS_TRY(hs_mls_group_commit(group, &add, &(struct hs_mls_commit_result){.welcome = &w}));
    HS_TRY(hs_mls_group_accept(group));
    HS_TRY(hs_mls_public_tree(hs_mls_group_public(group), &nodes));
    *welcome = hs_arena_copy(s->arena, hs_writer_bytes(&w));
    *tree = hs_arena_copy(s->arena, hs_writer_bytes(&nodes));
    return HS_OK;
}

static enum hs_err foreign_enter(struct hs_step *s, const struct hs_id *room, struct hs_bytes descriptor)
{
    Hanse__WelcomeItem item = HANSE__WELCOME_ITEM__INIT;
    struct hs_id before = {0};
    Hanse__Tree tree = HANSE__TREE__INIT;
    struct hs_bytes welcome, nodes;
    HS_TRY(foreign_welcome(s, room, &welcome, &nodes));
    tree.bytes = hs_pb_data(nodes);
    item.tree = &tree;
    HS_TRY(hs_object_unpack(descriptor, s->arena, &item.descriptor));
    item.room = hs_pb_data(HS_VIEW(*room));
    item.welcome = hs_pb_data(welcome);
    item.prev_hash = hs_pb_data(HS_VIEW(before));
    item.commit_seq = 1;
    return hs_welcome_received(s, &item);
}

/* CLIENT-13: a Welcome to what is no room ends the wait, and nothing of that group is kept. */
static void test_a_welcome_to_no_room(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner), *ben = town_device_new(t);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 5);
    uint64_t op;
    town_device_kill(alice); /* who would let Ben in */
    TOWN_WANT(ben, hs_want_identity(&s, "Ben"));
    TOWN_WANT(ben, hs_want_join(&s, link, &op));
    town_run(t);
    assert_int_equal(hostile_room(ben, &room).state, HS_ROOM_STATE_WAITING);
    TOWN_WANT(ben, foreign_enter(&s, &room, rosa->descriptor));
    assert_int_equal(hostile_room(ben, &room).state, HS_ROOM_STATE_FROZEN);
    assert_int_equal(hostile_room(ben, &room).frozen, HS_ERR_POLICY);
    town_free(t);
}

/* ---- joiners ---- */

enum { BAD = 30 /* more than one commit takes */ };

/* A use of the link whose key package doesn't know rooms: nobody can add it. */
static enum hs_err bad_join(struct hs_step *s, const struct hs_id *room, const char *link,
                            struct hs_arena *arena, struct hs_joiner_row *out)
{
    struct hs_invite_link HS_INVITE_LINK parts = {0};
    struct hs_signer HS_SIGNER invite;
    struct hs_self HS_SELF self = {0};
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_writer HS_WRITER package = hs_writer(HS_FRAME_MAX), body = hs_writer(HS_FRAME_MAX);
    HS_TRY(hs_invite_link_parse(link, &parts));
    hs_invite_signer(parts.seed, &invite);
    HS_TRY(hs_self_for(s, &parts.root, &self));
    struct hs_mls_signer HS_MLS_SIGNER signer = hs_room_signer(&self.device.signature);
    struct hs_mls_leaf_params params = {.signer = &signer,
                                        .not_before = (uint64_t)(s->now.ms / 1000 - 3600),
                                        .not_after = (uint64_t)(s->now.ms / 1000 + 86400)};
    HS_TRY(hs_self_credential(s, &self, &params.identity));
    HS_TRY(hs_mls_key_package_new(&params, false, &package, &priv));
    struct hs_join_spec spec = {.invite = &invite,
                                .room = *room,
                                .persona = self.persona,
                                .home_root = parts.root,
                                .key_package = hs_writer_bytes(&package),
                                .now = s->now};
    HS_TRY(hs_join_build(&spec, &body));
    *out = (struct hs_joiner_row){
        .body = hs_arena_copy(arena, hs_writer_bytes(&body)), .invite_key = invite.pub, .hub_time = s->now};
    return HS_OK;
}

/* They wait in front of everybody: joiners stand in the order of their hashes. */
static enum hs_err plant_joiners(struct hs_step *s, const struct hs_id *room, const struct hs_joiner_row *row)
{
    for (uint8_t i = 0; i < BAD; i++) {
        struct hs_id hash = {{0, 0, 0, 0, i}};
        hs_joiner_put(s->kv, room, &hash, row);
    }
    return s->kv->err;
}

/* CLIENT-12: those who can't be let in hold up nobody. */
static void test_joiners_behind_many_bad_ones(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner), *eve = town_device_new(t);
    struct hs_id room = town_room(alice, "VIP");
    const char *link = town_link(alice, &room, 100);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_joiner_row bad;
    TOWN_WANT(eve, hs_want_identity(&s, "Eve"));
    TOWN_WANT(eve, bad_join(&s, &room, link, &arena, &bad));
    TOWN_WANT(alice, plant_joiners(&s, &room, &bad));
    struct town_device *cleo = town_guest(t, "Cleo", link);
    assert_non_null(town_event(cleo, HANSE_EVENT_JOINED));
    town_free(t);
}

/* CLIENT-12: who waited too long isn't tried, whatever else waits. */
static void test_joiners_that_have_run_out(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *rosa = town_node_new(t, "rosa.example");
    struct town_device *alice = town_member_of_staff(rosa, "rosa", owner);
    struct hs_id room = town_room(alice, "VIP");
    struct hs_time until = {town_now(t).ms + 200 * (int64_t)TOWN_DAY_MS};
    uint64_t op;
    TOWN_WANT(alice, hs_want_invite(&s, &room, 100, until, &op));
    town_run(t);
    const char *link = town_done(alice, op)->text;
    town_device_kill(alice);
    struct town_device *ben = town_guest(t, "Ben", link);
    town_device_kill(ben);
    town_run(t);
    town_skip(t, 85 * (int64_t)TOWN_DAY_MS);
    town_device_start(alice);
    hs_sync_stay_online(alice->sync, true);
    town_wait(t, 2000);
    assert_int_equal(hostile_room(alice, &room).members, 1);
    struct town_device *cleo = town_guest(t, "Cleo", link);
    assert_non_null(town_event(cleo, HANSE_EVENT_JOINED));
    assert_int_equal(hostile_room(alice, &room).members, 2);
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_busy_node_is_asked_again_when_it_says),
        cmocka_unit_test(test_another_brand_s_odd_answer),
        cmocka_unit_test(test_another_machine_s_trouble),
        cmocka_unit_test(test_a_link_to_a_room_that_is_taken),
        cmocka_unit_test(test_a_welcome_to_a_room_that_is_taken),
        cmocka_unit_test(test_a_welcome_to_no_room),
        cmocka_unit_test(test_joiners_behind_many_bad_ones),
        cmocka_unit_test(test_joiners_that_have_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
