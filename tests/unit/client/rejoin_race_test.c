/* The way back into a room meets others: commits that come first, commits that turn out void, refusals, and a
 * hub that lies about the group. */
#include "rejoin_scene.h"

#include "hostile.h"
#include "room/settlement.h"
#include "sync/state.h"
#include "wire/unpack.h"

static void leaves(struct town_device *d, const struct hs_id *room)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_leave(&s, room, &op));
    town_wait(d->town, 2000);
    assert_int_equal(town_done(d, op)->err, HANSE_OK);
}

/* Somebody leaves while the keys of the only one who could take it out are lost: that device comes back,
 * takes it out, and the room goes on. ROOM-68, ROOM-90 */
static void somebody_leaves_meanwhile(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_bytes copy = copy_of(c.rosa);
    TOWN_WANT(c.rosa, new_keys(&s, &c.room));
    town_wait(c.t, 2000);
    town_device_kill(c.rosa);
    leaves(c.dora, &c.room);
    goes_back(c.rosa, copy);
    town_wait(c.t, 5000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_GOOD);
    all_is_well(&c, 3);
    assert_int_equal(lines(c.ben, &c.room, HANSE_MESSAGE_LEFT), 1);
    /* the same with the last of the others: she is alone, and lets somebody in */
    leaves(c.carl, &c.room);
    copy = copy_of(c.rosa);
    TOWN_WANT(c.rosa, new_keys(&s, &c.room));
    town_wait(c.t, 2000);
    town_device_kill(c.rosa);
    leaves(c.ben, &c.room);
    goes_back(c.rosa, copy);
    town_wait(c.t, 5000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_GOOD);
    assert_int_equal(hostile_room(c.rosa, &c.room).members, 1);
    struct town_device *emil = town_guest(c.t, "Emil", town_link(c.rosa, &c.room, 1));
    town_wait(c.t, 2000);
    post(emil, &c.room, "hello");
    assert_true(has(c.rosa, &c.room, "hello\n"));
    town_free(c.t);
}

static struct {
    struct scene *scene;
    int left, done;
} race;

/* Right before Rosa's commit reaches the hub, Carl's does. */
static bool carl_is_faster(struct town_device *d, struct hs_bytes frame)
{
    uint64_t id;
    (void)d;
    if (frame_kind(frame, &id) != HANSE__FRAME__BODY_SUBMIT_COMMIT || race.left == 0 ||
        hostile_room(race.scene->carl, &race.scene->room).epoch < race.scene->epoch + (uint64_t)race.done)
        return true;
    race.left--;
    race.done++;
    TOWN_WANT(race.scene->carl, new_keys(&s, &race.scene->room));
    return true;
}

/* Another change of the room wins, again and again: it is made anew behind that. CLIENT-60 */
static void lost_races(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_bytes copy = copy_of(c.rosa);
    removes(&c, c.dora);
    c.epoch = hostile_room(c.carl, &c.room).epoch;
    race.scene = &c;
    race.left = 3;
    race.done = 0;
    c.rosa->outgoing = carl_is_faster;
    goes_back(c.rosa, copy);
    town_wait(c.t, 20000);
    assert_int_equal(race.done, 3);
    assert_int_equal(hostile_room(c.ben, &c.room).epoch, c.epoch + 4);
    all_is_well(&c, 3);
    town_free(c.t);
}

static bool liars_are_silent;

static bool says_nothing(struct town_device *d, struct hs_bytes frame)
{
    uint64_t id;
    (void)d;
    return !liars_are_silent || frame_kind(frame, &id) != HANSE__FRAME__BODY_CONFIRM;
}

static enum hs_err ignored(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                           enum hs_err err)
{
    (void)s;
    (void)request;
    (void)frame;
    (void)err;
    return HS_OK;
}

/* The device says of the commit that it followed that it couldn't. */
static enum hs_err lie(struct hs_step *s, const struct hs_id *id)
{
    struct hs_self HS_SELF self = {0};
    struct hs_settlement of;
    struct hs_unsettled_row row;
    struct hs_live_room *room;
    Hanse__Confirm confirm = HANSE__CONFIRM__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    const struct hs_request request = {.answer = ignored};
    HS_TRY(hs_live_member(s, id, &room));
    assert_true(hs_unsettled_row_get(s->kv, id, s->arena, &row));
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    HS_TRY(hs_settlement_of(s, room, &row, &of));
    HS_TRY(hs_verdict_build(&of, &self.device.signature, &room->row.self, row.leaf, HS_ERR_MLS_COMMIT, s->now,
                            s->arena, &confirm.verdict));
    confirm.room = hs_pb_data(HS_VIEW(*id));
    frame.body_case = HANSE__FRAME__BODY_CONFIRM;
    frame.confirm = &confirm;
    return hs_request_send_to(s, hs_row_hub(&room->row), room->row.descriptor, &frame, &request);
}

/* Liars make its way back void: it is barred for an hour, as the hub has it, and then comes back by itself.
 * CLIENT-59, ROOM-66 */
static void a_void_way_back(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_bytes copy = copy_of(c.rosa);
    removes(&c, c.dora);
    liars_are_silent = true;
    c.ben->outgoing = c.carl->outgoing = says_nothing;
    goes_back(c.rosa, copy);
    town_wait(c.t, 1000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_NEW);
    liars_are_silent = false;
    TOWN_WANT(c.ben, lie(&s, &c.room));
    TOWN_WANT(c.carl, lie(&s, &c.room));
    town_wait(c.t, HS_SETTLE_VOID_MS + 5000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_LOST);
    assert_int_equal(hostile_room(c.rosa, &c.room).state, HS_ROOM_STATE_MEMBER);
    town_wait(c.t, HS_SETTLE_BAR_MS - 60000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_LOST);
    town_wait(c.t, 120000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_GOOD);
    all_is_well(&c, 3);
    town_free(c.t);
}

/* The way back is void, and she who left before it is taken out by the next commit all the same, with the
 * proposal that counts again. ROOM-65, ROOM-68, ROOM-92 */
static void who_left_before_a_void_way_back(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_bytes copy = copy_of(c.rosa);
    TOWN_WANT(c.rosa, new_keys(&s, &c.room));
    town_wait(c.t, 2000);
    town_device_kill(c.rosa);
    leaves(c.dora, &c.room);
    liars_are_silent = true;
    c.ben->outgoing = c.carl->outgoing = says_nothing;
    goes_back(c.rosa, copy);
    town_wait(c.t, 1000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_NEW);
    liars_are_silent = false;
    TOWN_WANT(c.ben, lie(&s, &c.room));
    TOWN_WANT(c.carl, lie(&s, &c.room));
    town_wait(c.t, HS_SETTLE_VOID_MS + 10000); /* the hub asks somebody for that commit (ROOM-92) */
    assert_int_equal(hostile_room(c.carl, &c.room).members, 3);
    town_wait(c.t, HS_SETTLE_BAR_MS + 5000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_GOOD);
    all_is_well(&c, 3);
    town_free(c.t);
}

static struct {
    uint64_t asked; /* id of the request that was held back */
    size_t commits;
} held;

static bool question_is_held(struct town_device *d, struct hs_bytes frame)
{
    uint64_t id;
    uint32_t kind = frame_kind(frame, &id);
    (void)d;
    held.commits += kind == HANSE__FRAME__BODY_SUBMIT_COMMIT;
    if (kind != HANSE__FRAME__BODY_GET_GROUP_INFO)
        return true;
    held.asked = id;
    return false;
}

static enum hs_err info_of(struct hs_step *s, const struct hs_id *id, struct hs_writer *out)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_member(s, id, &room));
    return hs_mls_group_info(room->group, false, out);
}

/* What the hub says of the group isn't what the log led to: the room is frozen, and stays so. CLIENT-60 */
static void another_group_is_refused(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_id other = town_room(c.rosa, "another");
    struct hs_writer HS_WRITER info = hs_writer(1 << 16), w = hs_writer(1 << 16);
    uint64_t op;
    TOWN_WANT(c.rosa, info_of(&s, &other, &info));
    struct hs_bytes copy = copy_of(c.rosa);
    removes(&c, c.dora);
    held.asked = 0;
    c.rosa->outgoing = question_is_held;
    goes_back(c.rosa, copy);
    town_wait(c.t, 2000);
    assert_int_not_equal(held.asked, 0);
    held.commits = 0;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__GroupInfo answer = HANSE__GROUP_INFO__INIT;
    answer.epoch = hostile_room(c.carl, &c.room).epoch;
    answer.group_info = hs_pb_data(hs_writer_bytes(&info));
    frame.id = held.asked;
    frame.body_case = HANSE__FRAME__BODY_GROUP_INFO;
    frame.group_info = &answer;
    assert_ok(HS_PACK(&frame, &w));
    TOWN_WANT(c.rosa, hs_sync_frame(&s, hs_writer_bytes(&w)));
    town_wait(c.t, 3000);
    assert_int_equal(held.commits, 0);
    assert_int_equal(hostile_room(c.rosa, &c.room).frozen, HS_ERR_MLS_COMMIT);
    TOWN_WANT_ERR(c.rosa, hs_want_rejoin(&s, &c.room, &op), HS_ERR_MLS_COMMIT);
    town_free(c.t);
}

/* The hub's answer to the question that is held. */
static void refuse_held(struct scene *c, enum hs_err why)
{
    struct hs_writer HS_WRITER w = hs_writer(1 << 16);
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Error error = HANSE__ERROR__INIT;
    assert_int_not_equal(held.asked, 0);
    error.code = hs_err_to_wire(why);
    frame.id = held.asked;
    frame.body_case = HANSE__FRAME__BODY_ERROR;
    frame.error = &error;
    assert_ok(HS_PACK(&frame, &w));
    TOWN_WANT(c->rosa, hs_sync_frame(&s, hs_writer_bytes(&w)));
}

static bool commit_is_held(struct town_device *d, struct hs_bytes frame)
{
    uint64_t id;
    (void)d;
    if (frame_kind(frame, &id) != HANSE__FRAME__BODY_SUBMIT_COMMIT)
        return true;
    held.asked = id;
    return false;
}

/* The way back is refused: that may pass, and then it is back by itself, or because its person asks.
 * CLIENT-60
 */
static void refusals_pass(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    struct hs_bytes copy = copy_of(c.rosa);
    removes(&c, c.dora);
    held.asked = 0;
    c.rosa->outgoing = question_is_held;
    goes_back(c.rosa, copy);
    town_wait(c.t, 2000);
    refuse_held(&c, HS_ERR_DENIED);
    assert_int_equal(hostile_room(c.rosa, &c.room).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(hostile_room(c.rosa, &c.room).frozen, HS_ERR_DENIED);
    held.asked = 0;
    town_wait(c.t, 60000);
    assert_int_equal(held.asked, 0); /* not at once again */
    TOWN_WANT(c.rosa, hs_want_rejoin(&s, &c.room, &op));
    town_wait(c.t, 1000);
    refuse_held(&c, HS_ERR_NOT_MEMBER);
    assert_int_equal(town_done(c.rosa, op)->err, HANSE_ERR_NOT_MEMBER);
    held.asked = 0;
    c.rosa->outgoing = commit_is_held;
    town_wait(c.t, 301000);
    refuse_held(&c, HS_ERR_DENIED);
    assert_int_equal(hostile_room(c.rosa, &c.room).frozen, HS_ERR_DENIED);
    c.rosa->outgoing = NULL;
    assert_null(town_event(c.rosa, HANSE_EVENT_FROZEN));
    town_wait(c.t, 301000);
    assert_int_equal(hostile_room(c.rosa, &c.room).keys, HS_ROOM_KEYS_GOOD);
    assert_int_equal(hostile_room(c.rosa, &c.room).frozen, HS_OK);
    all_is_well(&c, 3);
    town_free(c.t);
}

/* Where the rules were broken there is no way back. CLIENT-61 */
static void a_lying_hub_stays_one(void **state)
{
    (void)state;
    struct hostile c = hostile_new();
    struct shown other = {.head = hostile_room(c.ben, &c.room).tip};
    uint64_t op;
    other.head.hash.b[0] ^= 1;
    hostile_show(&c, &other, HS_OK);
    assert_int_equal(hostile_room(c.ben, &c.room).frozen, HS_ERR_LOG_FORK);
    TOWN_WANT_ERR(c.ben, hs_want_rejoin(&s, &c.room, &op), HS_ERR_LOG_FORK);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_races),
        cmocka_unit_test(a_void_way_back),
        cmocka_unit_test(who_left_before_a_void_way_back),
        cmocka_unit_test(somebody_leaves_meanwhile),
        cmocka_unit_test(refusals_pass),
        cmocka_unit_test(another_group_is_refused),
        cmocka_unit_test(a_lying_hub_stays_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
