/* A hub that has a joiner ask for ever: what it says brings no request sooner, changes nothing that doesn't
 * fit, and keeps nobody else waiting. */
#include "hostile.h"

#include "mls/group.h"
#include "room/blob.h"
#include "sync/rooms/join.h"
#include "sync/rooms/late.h"
#include "wire/limits.h"
#include "wire/unpack.h"

struct scene {
    struct town *t;
    struct town_node *hub;
    struct town_device *rosa, *emil;
    struct hs_id room;
    const char *link;
};

static struct { /* the request of that kind that Emil made last, and that the hub never got */
    uint64_t id;
    struct hs_id room;
    struct hs_id a;
    size_t count, of_a, forwards;
} got;

/* Rosa owns a room; Emil has an account there, too. */
static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.hub = town_node_new(c.t, "rosa.example");
    c.rosa = town_member_of_staff(c.hub, "rosa", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    c.room = town_room(c.rosa, "VIP");
    c.link = town_link(c.rosa, &c.room, 10);
    c.emil = town_customer(c.hub, "Emil");
    memset(&got, 0, sizeof got);
    return c;
}

static void start(struct town_device *d)
{
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
}

static void asks(struct scene *c, const char *link)
{
    uint64_t op;
    TOWN_WANT(c->emil, hs_want_join(&s, link, &op));
    town_wait(c->t, 3000);
}

static bool takes(struct hs_bytes bytes, Hanse__Frame__BodyCase kind)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *f;
    if (HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &f) != HS_OK)
        return true;
    got.forwards += f->body_case == HANSE__FRAME__BODY_FORWARD;
    if (f->body_case != kind)
        return true;
    got.id = f->id;
    got.count++;
    HS_FIXED(hs_pb_bytes(kind == HANSE__FRAME__BODY_JOIN ? f->join->room : f->get_group_info->room),
             &got.room);
    got.of_a += hs_id_equal(&got.room, &got.a);
    return false;
}

static bool takes_info(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    return takes(frame, HANSE__FRAME__BODY_GET_GROUP_INFO);
}

static bool takes_join(struct town_device *d, struct hs_bytes frame)
{
    (void)d;
    return takes(frame, HANSE__FRAME__BODY_JOIN);
}

static enum hs_err answers(struct hs_step *s, Hanse__GroupInfo *info)
{
    Hanse__Frame f = HANSE__FRAME__INIT;
    f.id = got.id;
    got.id = 0;
    f.group_info = info;
    f.body_case = HANSE__FRAME__BODY_GROUP_INFO;
    return hs_request_answered(s, &f);
}

static enum hs_err refuses(struct hs_step *s, enum hs_err err)
{
    Hanse__Frame f = HANSE__FRAME__INIT;
    Hanse__Error e = HANSE__ERROR__INIT;
    f.id = got.id;
    got.id = 0;
    e.code = (uint32_t)hs_err_to_wire(err);
    e.retry_after_ms = 1;
    f.error = &e;
    f.body_case = HANSE__FRAME__BODY_ERROR;
    return hs_request_answered(s, &f);
}

static enum hs_err all_joined(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row))
        HS_TRY(hs_late_told(s, &row, true));
    return s->kv->err;
}

/* ---- how often it asks ---- */

/* A hub that says BUSY, and asks to be asked at once: neither it is, nor another. CLIENT-77 */
static void a_busy_hub(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_node *far = town_node_new(c.t, "far.example");
    struct town_device *fred = town_member_of_staff(far, "fred", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id other = town_room(fred, "FAR");
    const char *link = town_link(fred, &other, 10);
    town_device_kill(c.rosa);
    town_device_kill(fred);
    asks(&c, c.link);
    asks(&c, link);
    c.emil->outgoing = takes_join;
    town_wait(c.t, HS_JOIN_SOON_MS);
    town_device_cut(c.emil);
    town_wait(c.t, 2000);
    assert_int_equal(got.count, 1);
    size_t forwards = got.forwards;
    assert_in_range(forwards, 1, 2);
    for (int i = 0; i < 600; i++) {
        if (got.id != 0)
            TOWN_WANT(c.emil, refuses(&s, HS_ERR_BUSY));
        town_wait(c.t, 100);
    }
    assert_int_equal(got.count, 3); /* every 30 seconds */
    assert_int_equal(got.forwards, forwards);
    town_free(c.t);
}

/* Sessions that break all the time make nobody ask more often. CLIENT-77 */
static void a_home_that_hangs_up(void **state)
{
    (void)state;
    struct scene c = scene_new();
    town_device_kill(c.rosa);
    asks(&c, c.link);
    c.emil->outgoing = takes_join;
    for (int i = 0; i < 59; i++) {
        town_device_cut(c.emil);
        town_wait(c.t, 1000);
    }
    assert_in_range(got.count, 1, 2);
    town_free(c.t);
}

/* One room whose hub has no GroupInfo for it keeps no other waiting. CLIENT-77 */
static void a_room_that_cannot_be_had(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_id other = town_room(c.rosa, "TWO");
    const char *link = town_link(c.rosa, &other, 10);
    got.a = c.room;
    town_device_kill(c.rosa);
    asks(&c, c.link);
    asks(&c, link);
    c.emil->outgoing = takes_info;
    TOWN_WANT(c.emil, all_joined(&s));
    for (int i = 0; i < 300; i++) {
        town_wait(c.t, 1000);
        if (got.id != 0)
            TOWN_WANT(c.emil, refuses(&s, HS_ERR_RECOVERING));
    }
    assert_in_range(got.of_a, 8, 10);
    assert_in_range(got.count - got.of_a, 8, 10);
    town_free(c.t);
}

enum { CROWD = 150 }; /* more than there are places among the requests */

static struct {
    uint64_t ids[HS_REQUESTS_MAX];
    size_t count;
    size_t asked[CROWD];
} crowd;

static bool takes_crowd(struct town_device *d, struct hs_bytes frame)
{
    size_t before = got.count;
    (void)d;
    (void)takes(frame, HANSE__FRAME__BODY_JOIN);
    if (got.count == before)
        return true;
    assert_true(crowd.count < HS_REQUESTS_MAX);
    crowd.ids[crowd.count++] = got.id;
    if (got.room.b[1] == 0xcc && got.room.b[0] < CROWD)
        crowd.asked[got.room.b[0]]++;
    return false;
}

static enum hs_err crowd_add(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    HS_REQUIRE(hs_join_row_next(s->kv, &cursor, s->arena, &row), HS_ERR_NOT_FOUND);
    for (size_t i = 0; i < CROWD; i++) {
        row.ref.b[0] = row.room.b[0] = (uint8_t)i;
        row.ref.b[1] = row.room.b[1] = 0xcc;
        hs_join_row_put(s->kv, &row);
    }
    return s->kv->err;
}

/* Where more wait than can be asked at once, each has its turn, though all are put off. CLIENT-77 */
static void a_crowd(void **state)
{
    (void)state;
    struct scene c = scene_new();
    town_device_kill(c.rosa);
    asks(&c, c.link);
    memset(&crowd, 0, sizeof crowd);
    TOWN_WANT(c.emil, crowd_add(&s));
    c.emil->outgoing = takes_crowd;
    town_device_cut(c.emil);
    for (int i = 0; i < 90; i++) {
        town_wait(c.t, 1000);
        for (; crowd.count > 0; crowd.count--) {
            got.id = crowd.ids[crowd.count - 1];
            TOWN_WANT(c.emil, refuses(&s, HS_ERR_BUSY));
        }
    }
    for (size_t i = 0; i < CROWD; i++)
        assert_in_range(crowd.asked[i], 2, 3);
    town_free(c.t);
}

/* ---- what it is answered ---- */

struct answer { /* of a hub, and the tree in pieces */
    uint8_t info[65536], tree[65536];
    size_t info_len, tree_len;
    struct hs_log_tip tip;
    uint64_t epoch;
};

static enum hs_err answer_take(struct hs_step *s, const struct hs_id *id, struct answer *out)
{
    struct hs_live_room *room;
    struct hs_writer HS_WRITER info = hs_writer(sizeof out->info), tree = hs_writer(sizeof out->tree);
    HS_TRY(hs_live_member(s, id, &room));
    HS_TRY(hs_mls_group_info(room->group, false, &info));
    HS_TRY(hs_mls_public_tree(hs_mls_group_public(room->group), &tree));
    memcpy(out->info, info.data, out->info_len = info.len);
    memcpy(out->tree, tree.data, out->tree_len = tree.len);
    out->tip = room->row.tip;
    out->epoch = room->row.epoch;
    return HS_OK;
}

static struct answer honest, before_him, elsewhere;

enum spoil {
    NOTHING_SPOILT,
    NO_INFO,
    LEAVING,
    EPOCH_ZERO,
    EPOCH_OTHER,
    SEQ_ZERO,
    SHORT_HASH,
    INFO_CUT,
    TREE_FLIPPED,
    PIECE_EPOCH,
    PIECE_OFFSET,
    PIECE_OFFSET_BEYOND,
    PIECE_EMPTY,
    PIECE_OF_ONE_BYTE,
    PIECE_TOO_LONG,
    TREE_EMPTY,
    TREE_TOO_LARGE,
};

static Hanse__GroupInfo info_of(const struct answer *a, enum spoil spoil)
{
    Hanse__GroupInfo info = HANSE__GROUP_INFO__INIT;
    info.epoch = spoil == EPOCH_ZERO ? 0 : a->epoch + (spoil == EPOCH_OTHER);
    info.next_seq = spoil == SEQ_ZERO ? 0 : a->tip.next_seq;
    info.hub_time_ms = a->tip.hub_time.ms;
    info.leaving = spoil == LEAVING;
    info.hash = hs_pb_data(hs_bytes(a->tip.hash.b, sizeof a->tip.hash.b - (spoil == SHORT_HASH)));
    size_t len = spoil == NO_INFO ? 0 : a->info_len - (spoil == INFO_CUT);
    info.group_info = hs_pb_data(hs_bytes(a->info, len));
    return info;
}

static Hanse__GroupInfo piece_of(struct answer *a, enum spoil spoil)
{
    Hanse__GroupInfo part = HANSE__GROUP_INFO__INIT;
    size_t len = a->tree_len;
    assert_true(len <= HS_BLOB_CHUNK);
    part.epoch = a->epoch + (spoil == EPOCH_OTHER) + (spoil == PIECE_EPOCH);
    part.offset = spoil == PIECE_OFFSET ? 1 : spoil == PIECE_OFFSET_BEYOND ? len : 0;
    part.tree_size = spoil == TREE_TOO_LARGE ? HS_TREE_MAX + 1 : spoil == TREE_EMPTY ? 0 : len;
    if (spoil == PIECE_EMPTY || spoil == TREE_EMPTY)
        len = 0;
    if (spoil == PIECE_OF_ONE_BYTE)
        len = 1;
    if (spoil == TREE_TOO_LARGE)
        len = HS_BLOB_CHUNK;
    if (spoil == TREE_FLIPPED)
        a->tree[len / 2] ^= 1;
    part.tree = hs_pb_data(hs_bytes(a->tree, len + (spoil == PIECE_TOO_LONG)));
    return part;
}

static const struct hostile_answer {
    const struct answer *info, *tree;
    enum spoil spoil;
    bool early; /* the first answer is refused */
} table[] = {
    {&honest, &honest, NO_INFO, true},
    {&honest, &honest, LEAVING, true},
    {&honest, &honest, EPOCH_ZERO, true},
    {&honest, &honest, SEQ_ZERO, true},
    {&honest, &honest, SHORT_HASH, true},
    {&honest, &honest, EPOCH_OTHER, false},
    {&honest, &honest, INFO_CUT, false},
    {&honest, &honest, TREE_FLIPPED, false},
    {&honest, &honest, PIECE_EPOCH, false},
    {&honest, &honest, PIECE_OFFSET, false},
    {&honest, &honest, PIECE_OFFSET_BEYOND, false},
    {&honest, &honest, PIECE_EMPTY, false},
    {&honest, &honest, PIECE_OF_ONE_BYTE, false},
    {&honest, &honest, PIECE_TOO_LONG, false},
    {&honest, &honest, TREE_EMPTY, false},
    {&honest, &honest, TREE_TOO_LARGE, false},
    {&elsewhere, &elsewhere, NOTHING_SPOILT, false},
    {&honest, &elsewhere, NOTHING_SPOILT, false},
    {&before_him, &before_him, NOTHING_SPOILT, false},
    {&honest, &before_him, NOTHING_SPOILT, false},
};

/* He waits as before, and asks again after a while, not at once. */
static void still_waits(struct scene *c)
{
    assert_int_equal(got.id, 0);
    town_wait(c->t, 5000);
    assert_int_equal(got.id, 0);
    assert_int_equal(hostile_room(c->emil, &c->room).state, HS_ROOM_STATE_WAITING);
    assert_int_equal(town_event_count(c->emil, HANSE_EVENT_JOINED), 0);
    town_wait(c->t, HS_LATE_MS);
    assert_int_not_equal(got.id, 0);
}

/* Emil was let in, and his Welcome is lost. */
static struct scene late_new(void)
{
    struct scene c = scene_new();
    struct town_device *ben = town_customer(c.hub, "Ben");
    struct hs_id two = town_room(c.rosa, "TWO");
    town_join(ben, c.link); /* no epoch is the first */
    town_join(ben, town_link(c.rosa, &two, 10));
    town_wait(c.t, 5000);
    TOWN_WANT(c.rosa, answer_take(&s, &two, &elsewhere));
    TOWN_WANT(c.rosa, answer_take(&s, &c.room, &before_him));
    town_device_kill(c.rosa);
    asks(&c, c.link);
    struct hs_kv *backup = town_node_copy(c.hub);
    town_device_kill(c.emil);
    start(c.rosa);
    town_wait(c.t, 5000);
    town_node_restore(c.hub, backup);
    start(c.emil);
    c.emil->outgoing = takes_info;
    for (int i = 0; i < 300 && got.id == 0; i++)
        town_wait(c.t, 1000);
    assert_int_not_equal(got.id, 0);
    TOWN_WANT(c.rosa, answer_take(&s, &c.room, &honest));
    return c;
}

/* Nothing that doesn't fit brings him in, or changes anything; what fits does. ROOM-93, CLIENT-77 */
static void what_does_not_fit(void **state)
{
    (void)state;
    static struct answer a, b;
    struct scene c = late_new();
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        a = *table[i].info;
        b = *table[i].tree;
        b.epoch = a.epoch;
        Hanse__GroupInfo info = info_of(&a, table[i].spoil);
        TOWN_WANT(c.emil, answers(&s, &info));
        town_run(c.t);
        if (!table[i].early) {
            assert_int_not_equal(got.id, 0); /* now for the tree */
            Hanse__GroupInfo part = piece_of(&b, table[i].spoil);
            TOWN_WANT(c.emil, answers(&s, &part));
            town_run(c.t);
        }
        still_waits(&c);
    }
    Hanse__GroupInfo info = info_of(&honest, NOTHING_SPOILT), part = piece_of(&honest, NOTHING_SPOILT);
    TOWN_WANT(c.emil, answers(&s, &info));
    town_run(c.t);
    c.emil->outgoing = NULL;
    TOWN_WANT(c.emil, answers(&s, &part));
    town_wait(c.t, 60000);
    assert_int_equal(hostile_room(c.emil, &c.room).state, HS_ROOM_STATE_MEMBER);
    assert_int_equal(hostile_room(c.emil, &c.room).keys, HS_ROOM_KEYS_GOOD);
    assert_int_equal(town_event_count(c.emil, HANSE_EVENT_JOINED), 1);
    town_free(c.t);
}

static enum hs_err another_device(struct hs_step *s)
{
    s->sync->me.device_secret.b[0] ^= 1;
    return HS_OK;
}

static enum hs_err another_persona(struct hs_step *s, const struct hs_id *id)
{
    struct hs_room_row row;
    HS_REQUIRE(hs_room_get(s->kv, id, s->arena, &row), HS_ERR_NOT_FOUND);
    row.self.b[0] ^= 1;
    hs_room_put(s->kv, &row);
    return s->kv->err;
}

static void gets_the_room(struct scene *c)
{
    struct answer a = honest;
    Hanse__GroupInfo info = info_of(&a, NOTHING_SPOILT), part = piece_of(&a, NOTHING_SPOILT);
    TOWN_WANT(c->emil, answers(&s, &info));
    town_run(c->t);
    assert_int_not_equal(got.id, 0);
    TOWN_WANT(c->emil, answers(&s, &part));
    town_run(c->t);
}

/* The room is what it should be, and he isn't in it: his persona with another device, or his device for
 * another persona than the one that waits. Each is looked at by itself. ROOM-93, CLIENT-77 */
static void somebody_else_was_let_in(void **state)
{
    (void)state;
    struct scene c = late_new();
    TOWN_WANT(c.emil, another_device(&s));
    gets_the_room(&c);
    TOWN_WANT(c.emil, another_device(&s));
    still_waits(&c);
    TOWN_WANT(c.emil, another_persona(&s, &c.room));
    gets_the_room(&c);
    TOWN_WANT(c.emil, another_persona(&s, &c.room));
    still_waits(&c);
    TOWN_WANT(c.emil, refuses(&s, HS_ERR_BUSY));
    c.emil->outgoing = NULL;
    town_wait(c.t, 100000);
    assert_int_equal(hostile_room(c.emil, &c.room).state, HS_ROOM_STATE_MEMBER);
    town_free(c.t);
}

/* Refusals of any kind end nothing, and no answer at once brings a request at once. CLIENT-77 */
static void refusals(void **state)
{
    (void)state;
    static const enum hs_err all[] = {HS_ERR_RECOVERING, HS_ERR_BUSY,      HS_ERR_NOT_MEMBER,
                                      HS_ERR_HUB_MOVED,  HS_ERR_UNSETTLED, HS_ERR_WRONG_EPOCH,
                                      HS_ERR_NOT_FOUND,  HS_ERR_MALFORMED};
    struct scene c = late_new();
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        TOWN_WANT(c.emil, refuses(&s, all[i]));
        still_waits(&c);
        Hanse__GroupInfo info = info_of(&honest, NOTHING_SPOILT);
        TOWN_WANT(c.emil, answers(&s, &info));
        town_run(c.t);
        TOWN_WANT(c.emil, refuses(&s, all[i])); /* instead of the tree */
        still_waits(&c);
    }
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_busy_hub),
        cmocka_unit_test(a_home_that_hangs_up),
        cmocka_unit_test(a_crowd),
        cmocka_unit_test(a_room_that_cannot_be_had),
        cmocka_unit_test(somebody_else_was_let_in),
        cmocka_unit_test(what_does_not_fit),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
