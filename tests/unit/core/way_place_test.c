/* Ways that don't come to their end, or come there by a longer one: what they hold, and whom they keep
 * waiting. */
#include "way_scene.h"

#include "core/internal.h"
#include "room/head.h"
#include "room/home_move.h"
#include "room/hub_move.h"

/* ---- the copy moves on meanwhile ---- */

struct stop {
    struct scene *s;
    int stage;      /* 0: the old hub is away; 1: it delivers three records; 2: the new one answers again */
    size_t answers; /* that may come yet */
    bool delivered;
};

static enum world_verdict stops(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *frame)
{
    struct stop *stop = ctx;
    struct scene *s = stop->s;
    Hanse__Frame *f;
    if (stop->stage != 1 && third_is_away(s, from, to, frame) == WORLD_CUT)
        return WORLD_CUT;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (to != s->third)
        return WORLD_PASS;
    if (stop->stage < 2 && f->body_case == HANSE__FRAME__BODY_TAIL)
        return stop->answers > 0 && stop->answers-- > 0 ? WORLD_PASS : WORLD_DROP;
    if (from != s->old || f->body_case != HANSE__FRAME__BODY_RECORDS || f->records->n_records == 0)
        return WORLD_PASS;
    if (f->records->n_records <= 3 || stop->delivered)
        return WORLD_DROP;
    stop->delivered = true;
    f->records->n_records = 3;
    *frame = world_pack(s->w, &f->base);
    return WORLD_PASS;
}

/* FED-61: the old hub says some more while headers are fetched, and then nothing any more. */
static void moves_on(void **state)
{
    (void)state;
    for (size_t answers = 0; answers < 3; answers++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct stop stop = {.s = &s, .answers = answers};
        nobody_tells = true;
        scene_rosa_moves(&s);
        w->hook = stops;
        w->hook_ctx = &stop;
        for (size_t i = 0; i < 300; i++)
            assert_ok(world_post(s.bobs, i == 0 ? "missed 0" : "missed", NULL));
        world_settle(w);
        scene_room_moves(&s);
        scene_pass(&s, 5);
        uint64_t next = view_at(&s, s.third)->next_seq;
        shows(&s, s.alice, way_frame(&s, s.new));
        scene_pass(&s, 3);
        stop.stage = 1;
        scene_pass(&s, 130);
        assert_int_equal(stop.answers, 0);
        assert_int_equal(view_at(&s, s.third)->next_seq, next + 3);
        dies(&s, s.old);
        stop.stage = 2;
        scene_pass(&s, 140);
        goes_on(&s, s.new, 2);
        sees(s.alices, "missed 0");
    }
}

/* ---- rooms that lead nowhere ---- */

/* A hub says that it gave its room away far ahead of what anybody has. */
static Hanse__Frame *bait_frame(struct scene *s, struct world_room *bait, struct world_node *to,
                                uint64_t ahead)
{
    struct world *w = s->w;
    Hanse__Frame *move = scene_move_frame(s, bait, to, 2), *frame = world_frame(w);
    Hanse__HubMoved *link = WORLD_NEW(w, Hanse__HubMoved, hanse__hub_moved);
    struct world_node *hub = bait->device->node;
    struct hs_writer HS_WRITER header = hs_writer(HS_RECORD_HEADER_MAX);
    struct hs_log_tip tip = {bait->tip.next_seq + ahead, bait->tip.hash, w->now};
    struct hs_record_spec spec = {.kind = HS_RECORD_HUB_MOVE,
                                  .epoch = 1,
                                  .sender_node = to->root.pub,
                                  .sender_persona = bait->persona->signer.pub,
                                  .body = hs_pb_bytes(move->move_hub->move),
                                  .hub_time = w->now};
    assert_ok(hs_log_build_next(&tip, &bait->id, &spec, &header, NULL));
    link->body = move->move_hub->move;
    link->header = hs_pb_data(world_take(w, &header));
    assert_ok(hs_head_build(&hub->signer, &bait->id, &tip, 1, 1, w->now, &w->arena, &link->head));
    link->descriptor = hub->descriptor;
    frame->way = WORLD_NEW(w, Hanse__Moved, hanse__moved);
    frame->way->room = hs_pb_data(world_copy(w, HS_VIEW(bait->id)));
    frame->way->moves = hs_arena_alloc(&w->arena, sizeof *frame->way->moves);
    assert_non_null(frame->way->moves);
    frame->way->moves[0] = link;
    frame->way->n_moves = 1;
    frame->body_case = HANSE__FRAME__BODY_WAY;
    return frame;
}

struct silent {
    struct scene *s;
    struct world_node *node;
    bool away; /* the old hub is */
};

static enum world_verdict says_nothing(void *ctx, struct world_node *from, struct world_node *to,
                                       struct hs_bytes *frame)
{
    struct silent *silent = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &silent->s->w->arena, &f));
    if (from == silent->node && f->body_case == HANSE__FRAME__BODY_TAIL)
        return WORLD_DROP;
    if (from == silent->node && f->body_case == HANSE__FRAME__BODY_ERROR)
        return WORLD_DROP;
    return silent->away ? third_is_away(silent->s, from, to, frame) : WORLD_PASS;
}

/* FED-61: as many rooms as have a place at once, of a hub that leads to one that says nothing, keep no other
 * room from its way; nor does the length that they claim. */
static void baits(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *silent = world_node_new(w, "silent.example");
    struct world_device *mallory = NULL, *dupe = NULL;
    struct silent quiet = {.s = &s, .node = silent};
    nobody_tells = true;
    scene_rosa_moves(&s);
    w->hook = says_nothing;
    w->hook_ctx = &quiet;
    for (size_t i = 0; i < HS_WAY_ROOMS; i++) {
        if (i % WORLD_ROOMS == 0) {
            mallory = world_staff(i < HS_WAY_ROOMS / 2 ? s.old : s.new, "mallory", HANSE__ROLE__ROLE_OWNER);
            dupe = world_customer(s.third, "dupe");
        }
        struct world_room *bait = world_room_new(mallory, "bait");
        struct world_invite invite = world_invite(bait, 10);
        (void)world_join(dupe, bait, &invite);
        world_settle(w);
        shows(&s, s.alice, bait_frame(&s, bait, silent, HS_WAY_HASHES));
    }
    scene_pass(&s, 3);
    assert_int_equal(s.third->core->way_hashes, HS_WAY_ROOMS * HS_WAY_FIRST);
    quiet.away = true;
    for (size_t i = 0; i < 100; i++)
        assert_ok(world_post(s.bobs, i == 0 ? "missed 0" : "missed", NULL));
    world_settle(w);
    scene_room_moves(&s);
    scene_pass(&s, 5);
    dies(&s, s.old);
    shows(&s, s.alice, way_frame(&s, s.new));
    scene_pass(&s, 140);
    goes_on(&s, s.new, 2);
}

static struct world_room *bait_new(struct scene *s)
{
    struct world_room *bait = world_room_new(world_staff(s->old, "mallory", HANSE__ROLE__ROLE_OWNER), "bait");
    struct world_invite invite = world_invite(bait, 10);
    (void)world_join(world_customer(s->third, "dupe"), bait, &invite);
    world_settle(s->w);
    return bait;
}

/* FED-61: a way has as many records as that at most. */
static void as_many_records(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *silent = world_node_new(w, "silent.example");
    struct silent quiet = {.s = &s, .node = silent};
    struct world_room *at = bait_new(&s), *past = bait_new(&s);
    w->hook = says_nothing;
    w->hook_ctx = &quiet;
    shows(&s, s.alice, bait_frame(&s, past, silent, HS_WAY_RECORDS)); /* the HUB_MOVE is one of them */
    scene_pass(&s, 3);
    assert_int_equal(s.third->core->way_hashes, 0);
    shows(&s, s.alice, bait_frame(&s, at, silent, HS_WAY_RECORDS - 1));
    scene_pass(&s, 3);
    assert_int_equal(s.third->core->way_hashes, HS_WAY_FIRST);
}

/* FED-61: and all ways as many hashes; one more way waits until another one rests. */
static void as_many_hashes(void **state)
{
    (void)state;
    for (size_t past = 0; past < 2; past++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct world_node *silent = world_node_new(w, "silent.example");
        struct silent quiet = {.s = &s, .node = silent};
        struct world_room *one = bait_new(&s), *other = bait_new(&s);
        size_t *hashes = &s.third->core->way_hashes, taken = HS_WAY_HASHES - HS_WAY_FIRST + past;
        w->hook = says_nothing;
        w->hook_ctx = &quiet;
        shows(&s, s.alice, bait_frame(&s, one, silent, 10));
        scene_pass(&s, 3);
        assert_int_equal(*hashes, HS_WAY_FIRST);
        *hashes = taken; /* as if it had grown so far */
        shows(&s, s.alice, bait_frame(&s, other, silent, 10));
        scene_pass(&s, 3);
        assert_int_equal(*hashes, past == 0 ? HS_WAY_HASHES : taken);
        *hashes -= taken - HS_WAY_FIRST;
        assert_int_equal(*hashes, past == 0 ? 2 * HS_WAY_FIRST : HS_WAY_FIRST);
    }
}

/* FED-61: a way that grows takes them as well. */
static void as_many_grown(void **state)
{
    (void)state;
    for (size_t past = 0; past < 2; past++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct world_node *silent = world_node_new(w, "silent.example");
        struct silent quiet = {.s = &s, .node = silent, .away = true};
        struct world_room *bait = bait_new(&s);
        size_t *hashes = &s.third->core->way_hashes, taken = HS_WAY_HASHES - 2 * HS_WAY_FIRST + past;
        nobody_tells = true;
        scene_rosa_moves(&s);
        w->hook = says_nothing;
        w->hook_ctx = &quiet;
        for (size_t i = 0; i < HS_WAY_FIRST + 5; i++)
            assert_ok(world_post(s.bobs, "missed", NULL));
        world_settle(w);
        scene_room_moves(&s);
        scene_pass(&s, 5);
        dies(&s, s.old);
        shows(&s, s.alice, bait_frame(&s, bait, silent, 10));
        scene_pass(&s, 3);
        assert_int_equal(*hashes, HS_WAY_FIRST);
        *hashes = taken;
        shows(&s, s.alice, way_frame(&s, s.new));
        scene_pass(&s, 20);
        assert_int_equal(view_at(&s, s.third)->hub_term, past == 0 ? 2 : 0);
        scene_pass(&s, 140); /* the other one rests */
        goes_on(&s, s.new, 2);
    }
}

/* ---- who is dialled ---- */

static bool is_followed(struct scene *s, struct world_node *node, const struct world_node *hub)
{
    struct hs_turn turn = reading(s, node);
    struct hs_kv_key key = hs_key1(HS_VIEW(hub->root.pub));
    const struct hs_peer *peer = hs_peer_find(&node->core->peers, &hub->root.pub);
    assert_true(peer == NULL || peer->followed == hs_kv_has(turn.kv, HS_T_PEER, hs_kv_key_bytes(&key)));
    return peer != NULL && peer->followed;
}

/* FED-61: the hub in office is followed for good when the HUB_MOVE is there, and not by a chain's word. */
static void follows_late(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_away(w, 5);
    s.new->down = true;
    shows(&s, s.alice, way_frame(&s, s.new));
    scene_pass(&s, 5);
    assert_true(has_way(&s, s.third));
    assert_non_null(hs_peer_find(&s.third->core->peers, &s.new->root.pub));
    assert_false(is_followed(&s, s.third, s.new));
    s.new->down = false;
    scene_pass(&s, 140);
    assert_ok(world_connect(s.alice, NULL));
    world_attach(s.alice);
    goes_on(&s, s.new, 2);
    assert_true(is_followed(&s, s.third, s.new));
}

/* FED-61: an answer counts from the hub that is asked. */
static void unasked(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_away(w, 5);
    struct world_node *fourth = world_node_new(w, "fourth.example");
    struct world_device *dave = world_staff(fourth, "dave", HANSE__ROLE__ROLE_OWNER);
    struct world_room *other = world_room_new(dave, "other");
    struct world_invite invite = world_invite(other, 10);
    Hanse__Frame *way = way_frame(&s, s.new), *frame = world_frame(w);
    (void)world_join(s.alice, other, &invite);
    world_settle(w);
    s.new->down = true;
    shows(&s, s.alice, way);
    frame->tail = WORLD_NEW(w, Hanse__Tail, hanse__tail);
    frame->tail->room = hs_pb_data(world_copy(w, HS_VIEW(s.room->id)));
    frame->tail->headers = true;
    frame->body_case = HANSE__FRAME__BODY_TAIL;
    for (size_t i = 0; i < HS_WAY_ANSWERS; i++)
        world_inject(fourth, s.third, frame);
    world_settle(w);
    assert_true(has_way(&s, s.third));
    assert_null(s.third->core->ways);
}

/* ---- a copy that begins in a former term ---- */

static bool from_any; /* else nothing of the log comes to the late one */

struct late {
    struct scene *s;
    struct world_node *node;
};

static enum world_verdict comes_late(void *ctx, struct world_node *from, struct world_node *to,
                                     struct hs_bytes *frame)
{
    struct late *late = ctx;
    Hanse__Frame *f;
    (void)from;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &late->s->w->arena, &f));
    if (f->body_case == HANSE__FRAME__BODY_WHERE)
        return WORLD_DROP;
    if (!from_any && to == late->node &&
        (f->body_case == HANSE__FRAME__BODY_RECORDS || f->body_case == HANSE__FRAME__BODY_WAY))
        return WORLD_DROP;
    return WORLD_PASS;
}

/* Bob's other device, at another home, which is to read from that record on. */
static struct world_device *bob_moves(struct scene *s, struct world_node *to, uint64_t next_seq)
{
    struct world_device *d = world_device_new(to, "bob");
    struct hs_writer HS_WRITER packed = hs_writer(HS_HOME_MOVE_MAX);
    struct hs_signer HS_SIGNER key;
    Hanse__Frame *frame = world_frame(s->w);
    struct hs_home_move move = {
        .room = s->room->id, .home_root = to->root.pub, .number = 1, .next_seq = next_seq};
    hs_signer_random(&key);
    assert_ok(world_connect(d, NULL));
    assert_ok(world_sign_up(d, world_ticket(to, &key.pub, 1), &key));
    world_attach(d);
    *world_persona(d, &s->old->root.pub) = *s->bobs->persona;
    assert_ok(world_bind(d, s->old));
    assert_ok(hs_home_move_build(&s->bobs->persona->signer, &move, s->w->now, &packed));
    frame->move_home = WORLD_NEW(s->w, Hanse__MoveHome, hanse__move_home);
    frame->move_home->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->move_home->move = hs_pb_data(world_take(s->w, &packed));
    frame->body_case = HANSE__FRAME__BODY_MOVE_HOME;
    assert_ok(world_forward(d, s->new, frame, NULL));
    world_settle(s->w);
    return d;
}

/* FED-61, FED-47: it comes over the HUB_MOVE of the former term under that term's last head, and goes on. */
static void former_term(void **state)
{
    (void)state;
    for (int redo = 0; redo < 2; redo++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w), next;
        uint64_t before = view_at(&s, s.old)->next_seq - 2;
        from_any = false;
        scene_rosa_moves(&s);
        scene_room_moves(&s);
        next = s;
        next.old = s.new;
        next.new = s.third;
        struct late late = {&s, world_node_new(w, "late.example")};
        w->hook = comes_late;
        w->hook_ctx = &late;
        struct world_device *bob = bob_moves(&s, late.node, before);
        assert_int_equal(view_at(&s, late.node)->hub_term, 2);
        assert_int_equal(view_at(&s, late.node)->next_seq, before);
        scene_rosa_moves(&next);
        assert_ok(world_forward(s.rosa, s.new, scene_move_frame(&next, s.room, s.third, 3), NULL));
        world_settle(w);
        scene_pass(&s, 8);
        assert_int_equal(view_at(&s, s.third)->hub_term, 3);
        dies(&s, s.new);
        dies(&s, s.old);
        from_any = true;
        late.node->redo = redo == 1 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        shows(&s, bob, way_frame(&s, s.third));
        scene_pass(&s, 140);
        late.node->redo = 0;
        assert_int_equal(view_at(&s, late.node)->hub_term, 3);
        assert_false(has_way(&s, late.node));
        assert_ok(world_post(s.room, "to bob", NULL));
        world_settle(w);
        scene_pass(&s, 2);
        assert_int_equal(view_at(&s, late.node)->next_seq, view_at(&s, s.third)->next_seq);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moves_on),       cmocka_unit_test(baits),         cmocka_unit_test(follows_late),
        cmocka_unit_test(unasked),        cmocka_unit_test(former_term),   cmocka_unit_test(as_many_records),
        cmocka_unit_test(as_many_hashes), cmocka_unit_test(as_many_grown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
