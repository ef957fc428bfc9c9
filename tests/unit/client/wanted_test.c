/* Commits that somebody has to make, and that nobody makes by himself: the hub asks for them. */
#include "hostile.h"

#include "sync/state.h"
#include "wire/unpack.h"

/* Rosa owns a room with Ben and Carl, whose home is the hub, and Dora, whose home is another node. */
struct scene {
    struct town *t;
    struct town_node *hub, *home;
    struct town_device *rosa, *ben, *carl, *dora;
    struct hs_id room;
};

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.hub = town_node_new(c.t, "rosa.example");
    c.home = town_node_new(c.t, "home.example");
    c.rosa = town_member_of_staff(c.hub, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    const char *link = town_link(c.rosa, &c.room, 10);
    c.ben = town_customer(c.hub, "Ben");
    c.carl = town_customer(c.hub, "Carl");
    c.dora = town_customer(c.home, "Dora");
    town_join(c.ben, link);
    town_join(c.carl, link);
    town_join(c.dora, link);
    town_wait(c.t, 2000);
    return c;
}

static void start(struct town_device *d)
{
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

static enum hs_err new_keys(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish nothing = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &nothing);
}

static void reads(struct scene *c, struct town_device *from, struct town_device *to, const char *text)
{
    uint64_t op;
    TOWN_WANT(from, hs_want_text(&s, &c->room, text, &op));
    town_wait(c->t, 5000);
    assert_non_null(strstr(town_history(to, &c->room), text));
}

static struct hs_room_row row_of(struct scene *c, struct town_device *d)
{
    return hostile_room(d, &c->room);
}

/* A copy of its store, and then a commit that this copy doesn't know. */
static struct hs_bytes goes_on_behind_a_copy(struct scene *c, struct town_device *d)
{
    town_device_kill(d);
    struct hs_bytes copy = town_device_copy(d);
    start(d);
    town_wait(c->t, 1000);
    TOWN_WANT(d, new_keys(&s, &c->room));
    town_wait(c->t, 3000);
    return copy;
}

static void goes_back(struct town_device *d, struct hs_bytes copy)
{
    town_device_kill(d);
    town_device_restore(d, copy);
    start(d);
}

/* The commit came back without its GroupInfo: who has lost its keys is back all the same. ROOM-92, CLIENT-76
 */
static void a_restored_hub(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_kv *backup = town_node_copy(c.hub);
    struct hs_bytes copy = goes_on_behind_a_copy(&c, c.ben);
    uint64_t epoch = row_of(&c, c.ben).epoch;
    town_node_restore(c.hub, backup);
    goes_back(c.ben, copy);
    town_wait(c.t, 200000);
    assert_false(town_node_is_frozen(c.hub));
    assert_int_equal(row_of(&c, c.ben).keys, HS_ROOM_KEYS_GOOD);
    assert_int_equal(row_of(&c, c.ben).epoch, epoch + 2); /* somebody's commit, and his own */
    assert_int_equal(row_of(&c, c.ben).members, 4);
    reads(&c, c.ben, c.dora, "ben is back");
    reads(&c, c.dora, c.ben, "hello ben");
    town_free(c.t);
}

static bool no_commits(struct town_device *d, struct hs_bytes frame)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *f;
    (void)d;
    return HS_UNPACK(hanse__frame, frame, HS_LENIENT, &arena, &f) != HS_OK ||
           f->body_case != HANSE__FRAME__BODY_SUBMIT_COMMIT;
}

/* Where those who are asked first don't make it, others are: a user of another node, through her home.
 * FED-67 */
static void through_a_home(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_kv *backup = town_node_copy(c.hub);
    struct hs_bytes copy = goes_on_behind_a_copy(&c, c.ben);
    uint64_t epoch = row_of(&c, c.ben).epoch;
    town_node_restore(c.hub, backup);
    goes_back(c.ben, copy);
    c.rosa->outgoing = c.carl->outgoing = no_commits;
    town_wait(c.t, 200000);
    assert_int_equal(row_of(&c, c.ben).keys, HS_ROOM_KEYS_GOOD);
    assert_int_equal(row_of(&c, c.ben).epoch, epoch + 2);
    reads(&c, c.ben, c.dora, "ben is back");
    town_free(c.t);
}

static uint64_t commits;

static bool counts_commits(struct town_device *d, struct hs_bytes frame)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *f;
    (void)d;
    if (HS_UNPACK(hanse__frame, frame, HS_LENIENT, &arena, &f) == HS_OK &&
        f->body_case == HANSE__FRAME__BODY_SUBMIT_COMMIT)
        commits++;
    return true;
}

/* Somebody leaves, and Rosa is away: one of the others takes it out, and one only. ROOM-92, CLIENT-46 */
static void a_leaver_and_nobody_in_charge(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op, epoch = row_of(&c, c.ben).epoch;
    town_device_kill(c.rosa);
    commits = 0;
    c.ben->outgoing = c.carl->outgoing = counts_commits;
    TOWN_WANT(c.dora, hs_want_leave(&s, &c.room, &op));
    town_wait(c.t, 5000);
    assert_int_equal(row_of(&c, c.ben).members, 4);
    town_wait(c.t, 60000);
    assert_int_equal(row_of(&c, c.ben).members, 3);
    assert_int_equal(row_of(&c, c.carl).members, 3);
    assert_int_equal(row_of(&c, c.ben).epoch, epoch + 1);
    assert_int_equal(commits, 1);
    reads(&c, c.ben, c.carl, "the two of us");
    town_free(c.t);
}

static struct {
    struct hs_id room;
    uint64_t epoch;
} question;

static enum hs_err asked(struct hs_step *s)
{
    Hanse__WantCommit want = HANSE__WANT_COMMIT__INIT;
    want.room = hs_pb_data(HS_VIEW(question.room));
    want.epoch = question.epoch;
    return hs_commit_wanted(s, &want);
}

/* A hub that asks for nothing gets a commit a minute, none for another epoch, and none from who may not.
 * CLIENT-76 */
static void a_hub_that_asks_for_nothing(void **state)
{
    (void)state;
    struct scene c = scene_new();
    question.room = c.room;
    question.epoch = row_of(&c, c.ben).epoch;
    uint64_t first = question.epoch;
    question.epoch--;
    TOWN_WANT(c.ben, asked(&s));
    question.epoch += 2;
    TOWN_WANT(c.ben, asked(&s));
    town_wait(c.t, 3000);
    assert_int_equal(row_of(&c, c.ben).epoch, first);
    for (int64_t t = 0; t < 119; t++) {
        question.epoch = row_of(&c, c.ben).epoch;
        TOWN_WANT(c.ben, asked(&s));
        town_wait(c.t, 1000);
    }
    assert_int_equal(row_of(&c, c.ben).epoch, first + 2);
    question.epoch = row_of(&c, c.ben).epoch;
    memset(&question.room, 7, sizeof question.room); /* of no room that he knows */
    TOWN_WANT(c.ben, asked(&s));
    town_free(c.t);
}

static enum hs_err nonsense(struct hs_step *s)
{
    Hanse__WantCommit want = HANSE__WANT_COMMIT__INIT;
    return hs_commit_wanted(s, &want);
}

/* The same where it makes the device forget what it has in memory each time, or the device dies. CLIENT-76 */
static void a_hub_that_asks_between_faults(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t first = row_of(&c, c.ben).epoch;
    question.room = c.room;
    for (int64_t t = 0; t < 59; t++) {
        question.epoch = row_of(&c, c.ben).epoch;
        TOWN_WANT(c.ben, asked(&s));
        town_wait(c.t, 500);
        if (t == 30) {
            town_device_kill(c.ben);
            start(c.ben);
        }
        TOWN_WANT_ERR(c.ben, nonsense(&s), HS_ERR_MALFORMED);
        town_wait(c.t, 500);
    }
    assert_int_equal(row_of(&c, c.ben).epoch, first + 1);
    town_wait(c.t, 2000);
    question.epoch = first + 1;
    TOWN_WANT(c.ben, asked(&s));
    town_wait(c.t, 3000);
    assert_int_equal(row_of(&c, c.ben).epoch, first + 2);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restored_hub),
        cmocka_unit_test(through_a_home),
        cmocka_unit_test(a_leaver_and_nobody_in_charge),
        cmocka_unit_test(a_hub_that_asks_for_nothing),
        cmocka_unit_test(a_hub_that_asks_between_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
