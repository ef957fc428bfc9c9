/* A hub that tells two stories, and signs both: its followers prove it, tell their users and the operator,
 * and go no further. */
#include "world.h"

#include "core/delivery/inbox.h"
#include "core/federation/evidence.h"
#include "core/federation/heads.h"
#include "core/federation/peer.h"
#include "core/rooms/room.h"
#include "room/evidence.h"
#include "room/head.h"
#include "wire/unpack.h"

#include <stdio.h>

/* Alice and Bob are in a room of the hub, each with another home, and Alice in a room of Bob's home too: so
 * the two homes speak to each other. The clerk's room is another one of the same hub. */
struct scene {
    struct world *w;
    struct world_node *hub, *home[2];
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices, *bobs, *other, *alices_other;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w,
                      .hub = world_node_new(w, "hub.example"),
                      .home = {world_node_new(w, "one.example"), world_node_new(w, "two.example")}};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home[0], "alice");
    s.bob = world_customer(s.home[1], "bob");
    s.room = world_room_new(s.owner, "launch");
    struct world_invite invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &invite);
    s.bobs = world_join(s.bob, s.room, &invite);
    s.other = world_room_new(s.owner, "other");
    invite = world_invite(s.other, 10);
    s.alices_other = world_join(s.alice, s.other, &invite);
    struct world_device *host = world_staff(s.home[1], "host", HANSE__ROLE__ROLE_OWNER);
    struct world_room *bridge = world_room_new(host, "bridge");
    invite = world_invite(bridge, 10);
    (void)world_join(s.alice, bridge, &invite);
    world_pass(w, HS_HEADS_MS);
    return s;
}

/* The hub's second story, for one of the nodes: the same records, a millisecond later each. */
struct liar {
    struct world *w;
    struct world_node *hub, *to;
    struct hs_id room;
    struct hs_log_tip tip;
    uint32_t term;
    uint64_t ahead; /* its heads cover so many records more than there are */
    size_t told;
};

static void retell(struct liar *l, Hanse__Record *record)
{
    struct hs_record_header header;
    struct hs_writer HS_WRITER out = hs_writer(HS_RECORD_HEADER_MAX);
    assert_ok(hs_record_header_parse(hs_pb_bytes(record->header), &header));
    if (l->told++ == 0)
        l->tip = (struct hs_log_tip){header.seq, header.prev, header.hub_time};
    struct hs_record_spec spec = {.kind = header.kind,
                                  .epoch = header.epoch,
                                  .sender_node = header.sender_node,
                                  .sender_persona = header.sender_persona,
                                  .body = hs_pb_bytes(record->body),
                                  .hub_time = {header.hub_time.ms + 1}};
    assert_ok(hs_log_build_next(&l->tip, &header.room, &spec, &out, NULL));
    record->header = hs_pb_data(world_take(l->w, &out));
}

static enum world_verdict lie(void *ctx, struct world_node *from, struct world_node *to,
                              struct hs_bytes *bytes)
{
    struct liar *l = ctx;
    Hanse__Frame *frame;
    if (from != l->hub || to != l->to)
        return WORLD_PASS;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &l->w->arena, &frame));
    if (frame->body_case != HANSE__FRAME__BODY_RECORDS ||
        !hs_bytes_equal(hs_pb_bytes(frame->records->room), HS_VIEW(l->room)))
        return WORLD_PASS;
    for (size_t i = 0; i < frame->records->n_records; i++)
        retell(l, frame->records->records[i]);
    struct hs_log_tip tip = l->tip;
    tip.next_seq += l->ahead;
    assert_ok(hs_head_build(&l->hub->signer, &l->room, &tip, l->term, 1, l->w->now, &l->w->arena,
                            &frame->records->head));
    *bytes = world_pack(l->w, &frame->base);
    return WORLD_PASS;
}

static struct liar liar_new(struct scene *s, struct world_node *to)
{
    return (struct liar){.w = s->w, .hub = s->hub, .to = to, .room = s->room->id, .term = 1};
}

static size_t evidence_at(struct scene *s, struct world_node *node)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_core_evidence e;
    struct hs_evidence facts;
    size_t n = 0;
    for (; hs_core_evidence_next(node->kv, &cursor, &arena, &e); n++) {
        assert_true(hs_id_equal(&e.room, &s->room->id) && hs_key_equal(&e.hub_root, &s->hub->root.pub));
        assert_string_equal(e.domain, "hub.example");
        assert_ok(hs_evidence_verify(e.content, &s->hub->root.pub, &facts));
        assert_int_equal(facts.first.seq, e.seq);
    }
    return n;
}

/* How often that was told to d; checked by what it holds alone. */
static size_t evidence_told(struct scene *s, struct world_device *d)
{
    size_t n = 0;
    struct hs_evidence facts;
    for (size_t i = 0; i < d->item_count; i++) {
        if (d->items[i]->body_case != HANSE__INBOX_ITEM__BODY_EVIDENCE)
            continue;
        n++;
        assert_bytes(hs_pb_bytes(d->items[i]->evidence->room), HS_VIEW(s->room->id));
        assert_ok(
            hs_evidence_verify(hs_pb_bytes(d->items[i]->evidence->evidence), &s->hub->root.pub, &facts));
    }
    return n;
}

/* What holds wherever a copy is frozen: FED-40. */
static void is_frozen(struct scene *s, struct world_node *home, struct world_room *room)
{
    size_t posts = room->post_count;
    assert_int_equal(evidence_at(s, home), 1);
    assert_int_equal(evidence_told(s, room->device), 1);
    assert_err(world_post(room, "refused", NULL), HS_ERR_LOG_FORK);
    assert_ok(world_post(s->room, "not taken", NULL));
    world_settle(s->w);
    world_pass(s->w, HS_RETRY_MAX_MS);
    world_node_restart(home);
    world_pass(s->w, HS_RETRY_MAX_MS);
    assert_ok(world_connect(room->device, NULL)); /* what there is, is served on */
    world_attach(room->device);
    assert_int_equal(room->post_count, posts);
    assert_int_equal(evidence_at(s, home), 1);
    assert_int_equal(evidence_told(s, room->device), 1);
}

/* ROOM-80, FED-40, FED-41, NODE-70: two followers, two stories: both prove it as soon as they speak. */
static void two_followers(void **state)
{
    (void)state;
    for (size_t lied_to = 0; lied_to < 2; lied_to++)
        for (size_t more = 0; more < 3; more++) {
            struct world HS_WORLD *w = world_new();
            struct scene s = scene_new(w);
            struct liar l = liar_new(&s, s.home[lied_to]);
            w->hook = lie;
            w->hook_ctx = &l;
            for (size_t i = 0; i <= more; i++) {
                assert_ok(world_post(s.room, "hello", NULL));
                world_settle(w);
            }
            assert_int_equal(s.alices->post_count, more + 1); /* neither can know */
            assert_int_equal(s.bobs->post_count, more + 1);
            assert_int_equal(evidence_at(&s, s.home[0]) + evidence_at(&s, s.home[1]), 0);
            world_pass(w, HS_HEADS_MS);
            world_settle(w);
            is_frozen(&s, s.home[0], s.alices);
            is_frozen(&s, s.home[1], s.bobs);
            assert_int_equal(evidence_at(&s, s.hub), 0);
            assert_ok(world_post(s.other, "the other room goes on", NULL));
            world_settle(w);
            assert_int_equal(s.alices_other->post_count, 1);
        }
}

/* FED-41: one of them has seen less: whoever is ahead proves it, and tells the other. */
static void one_is_behind(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct liar l = liar_new(&s, s.home[1]);
    w->hook = lie;
    w->hook_ctx = &l;
    assert_ok(world_post(s.room, "hello", NULL));
    world_settle(w);
    s.hub->down = true;
    struct world_link *links = w->links;
    for (size_t i = 0; i < w->link_count; i++)
        if (links[i].open && links[i].device == NULL && links[i].node[0] == s.home[0] &&
            links[i].node[1] == s.hub)
            world_close(w, links[i].id[0]);
    world_run(w);
    assert_ok(world_post(s.room, "only for Bob", NULL));
    world_settle(w);
    assert_int_equal(s.alices->post_count, 1);
    assert_int_equal(s.bobs->post_count, 2);
    world_pass(w, HS_HEADS_MS);
    world_settle(w);
    assert_int_equal(evidence_at(&s, s.home[0]), 1);
    assert_int_equal(evidence_at(&s, s.home[1]), 1);
    assert_int_equal(evidence_told(&s, s.alice), 1);
}

/* ROOM-35, FED-40: what contradicts the head that is held is evidence at once. */
static void one_follower_alone(void **state)
{
    (void)state;
    for (int ahead = 0; ahead < 2; ahead++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct liar l = liar_new(&s, s.home[0]);
        l.ahead = (uint64_t)ahead; /* 1: a head that promises another record than the one that comes */
        w->hook = lie;
        w->hook_ctx = &l;
        assert_ok(world_post(s.room, "the second story", NULL));
        world_settle(w);
        assert_int_equal(s.alices->post_count, 1);
        w->hook = NULL;
        assert_ok(world_post(s.room, "the first one", NULL));
        world_settle(w);
        assert_int_equal(s.alices->post_count, 1);
        assert_int_equal(s.bobs->post_count, 2);
        is_frozen(&s, s.home[0], s.alices);
        assert_int_equal(evidence_at(&s, s.home[1]), 1); /* told by the other */
    }
}

/* ROOM-80, FED-51: a hub that tells the other story with other keys of its root has told two all the same. */
static void keys_change_between_two_stories(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct liar l = liar_new(&s, s.home[0]);
    w->hook = lie;
    w->hook_ctx = &l;
    assert_ok(world_post(s.room, "the second story", NULL));
    world_settle(w);
    assert_int_equal(s.alices->post_count, 1);
    w->hook = NULL;
    world_node_rotate(s.hub);
    world_pass(w, HS_HEADS_MS / 2); /* the two homes haven't compared what they heard yet */
    assert_ok(world_connect(s.owner, NULL));
    world_attach(s.owner);
    assert_ok(world_post(s.room, "the first one", NULL));
    world_settle(w);
    assert_int_equal(s.bobs->post_count, 2);
    is_frozen(&s, s.home[0], s.alices);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_core_evidence e;
    struct hs_evidence facts;
    assert_true(hs_core_evidence_next(s.home[0]->kv, &cursor, &arena, &e));
    assert_ok(hs_evidence_verify(e.content, &s.hub->root.pub, &facts));
    assert_false(hs_key_equal(&facts.first.signing_key, &facts.second.signing_key));
}

/* A hub that goes back: an older state of its store, and another log from there on. */
static void a_log_that_was_cut_off(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_kv *old = world_store_copy(s.hub);
    struct hs_log_tip tip = s.room->tip;
    assert_ok(world_post(s.room, "will be forgotten", NULL));
    assert_ok(world_post(s.room, "this too", NULL));
    world_settle(w);
    struct hs_kv *newer = s.hub->kv;
    s.hub->kv = old;
    world_node_restart(s.hub);
    hs_kv_memory_free(newer);
    world_pass(w, HS_RETRY_MAX_MS);
    s.room->tip = tip; /* the owner's device came from the same backup */
    assert_ok(world_connect(s.owner, NULL));
    for (int i = 0; i < 3; i++)
        assert_ok(world_post(s.room, "another story", NULL));
    world_run(w);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_int_equal(evidence_at(&s, s.home[0]), 1);
    assert_int_equal(evidence_at(&s, s.home[1]), 1);
}

/* FED-40: what isn't proved is refused as before, and keeps nothing: another term, another node's head. */
static void no_proof(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct liar l = liar_new(&s, s.home[0]);
    assert_ok(world_post(s.room, "well", NULL));
    world_settle(w);
    l.term = 2;
    l.told = 1; /* another story from the start */
    l.tip = (struct hs_log_tip){s.room->tip.next_seq, {{7}}, w->now};
    w->hook = lie;
    w->hook_ctx = &l;
    assert_ok(world_post(s.room, "hello", NULL));
    world_settle(w);
    assert_int_equal(evidence_at(&s, s.home[0]), 0);
    w->hook = NULL;
    world_pass(w, HS_RETRY_MAX_MS);
    world_settle(w);
    assert_int_equal(s.alices->post_count, 2);
    Hanse__Frame *frame = world_frame(w);
    frame->heads = WORLD_NEW(w, Hanse__Heads, hanse__heads);
    frame->body_case = HANSE__FRAME__BODY_HEADS;
    Hanse__SignedObject *heads[HS_HEADS_MAX + 1];
    struct hs_log_tip tip = {.next_seq = 2};
    for (size_t i = 0; i < HS_HEADS_MAX + 1; i++)
        assert_ok(hs_head_build(&s.home[1]->signer, &s.room->id, &tip, 1, 1, w->now, &w->arena, &heads[i]));
    frame->heads->heads = heads;
    frame->heads->n_heads = HS_HEADS_MAX;
    size_t closed = s.home[1]->closed;
    world_inject(s.home[0], s.home[1], frame);
    world_run(w);
    assert_int_equal(evidence_at(&s, s.home[1]), 0);
    ProtobufCBinaryData junk = hs_pb_data(hs_bytes_str("junk"));
    frame->heads->evidence = &junk;
    frame->heads->n_evidence = 1;
    world_inject(s.home[0], s.home[1], frame);
    world_run(w);
    assert_int_equal(evidence_at(&s, s.home[1]), 0);
    assert_int_equal(s.home[1]->refused, 0);
    frame->heads->n_heads = HS_HEADS_MAX + 1;
    world_inject(s.home[0], s.home[1], frame);
    world_run(w);
    assert_int_equal(s.home[1]->refused, 1);
    assert_int_equal(s.home[1]->closed, closed);
}

/* Counts the frames with heads between the two homes, and ends an exchange that has no end. */
static enum world_verdict count_heads(void *ctx, struct world_node *from, struct world_node *to,
                                      struct hs_bytes *bytes)
{
    struct liar *l = ctx;
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &l->w->arena, &frame));
    if (from != l->hub && frame->body_case == HANSE__FRAME__BODY_HEADS && ++l->told > 20)
        return WORLD_DROP;
    return WORLD_PASS;
}

/* FED-41: both hold a head of records that haven't come yet; an answer isn't answered. */
static void both_heads_are_ahead(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_log_tip tip = {s.room->tip.next_seq + 5, {{3}}, w->now};
    Hanse__SignedObject *head;
    struct liar l = liar_new(&s, NULL);
    assert_ok(hs_head_build(&s.hub->signer, &s.room->id, &tip, 1, 1, w->now, &w->arena, &head));
    for (int i = 0; i < 2; i++) {
        Hanse__Frame *frame = world_frame(w);
        frame->records = WORLD_NEW(w, Hanse__Records, hanse__records);
        frame->records->room = hs_pb_data(HS_VIEW(s.room->id));
        frame->records->head = head;
        frame->body_case = HANSE__FRAME__BODY_RECORDS;
        world_inject(s.hub, s.home[i], frame);
    }
    world_run(w);
    w->hook = count_heads;
    w->hook_ctx = &l;
    world_pass(w, HS_HEADS_MS);
    assert_in_range(l.told, 1, 4);
}

/* A head of the hub's to one of its followers, without records. */
static void show_head(struct scene *s, struct world_node *to, uint64_t next_seq, uint8_t hash, uint32_t term)
{
    struct world *w = s->w;
    struct hs_log_tip tip = {next_seq, {{hash}}, w->now};
    Hanse__Frame *frame = world_frame(w);
    frame->records = WORLD_NEW(w, Hanse__Records, hanse__records);
    frame->records->room = hs_pb_data(world_copy(w, HS_VIEW(s->room->id)));
    frame->body_case = HANSE__FRAME__BODY_RECORDS;
    const struct hs_signer *signer = term > 0 ? &s->hub->signer : &to->signer;
    assert_ok(hs_head_build(signer, &s->room->id, &tip, term, 1, w->now, &w->arena, &frame->records->head));
    world_inject(s->hub, to, frame);
}

/* DELIVERY-8: what was promised is compared when it comes, however many heads have come since. */
static void a_promise_is_kept_in_mind(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t next = s.room->tip.next_seq;
    show_head(&s, s.home[0], next + 4, 3,
              1); /* of the third one from here, behind two that are as they are */
    show_head(&s, s.home[0], next + 100, 4, 1);
    show_head(&s, s.home[0], next + 2, 5, 0); /* of no term, and signed by nobody who counts */
    for (int i = 0; i < 10; i++)
        world_pass(w, 1000);
    for (int i = 0; i < 5; i++) {
        assert_ok(world_post(s.room, "as it is", NULL));
        world_settle(w);
    }
    assert_int_equal(s.alices->post_count, 3);
    assert_int_equal(s.bobs->post_count, 5);
    assert_int_equal(evidence_at(&s, s.home[0]), 1);
    assert_int_equal(evidence_told(&s, s.alice), 1);
}

static void long_post(struct scene *s, const char *text)
{
    struct world_room *room = s->room;
    struct hs_bytes message = world_protect(room, text);
    (void)snprintf(room->sent[room->sent_count++], sizeof room->sent[0], "%.31s", text);
    assert_ok(world_ask(s->owner, world_post_frame(room, message), NULL));
    world_settle(s->w);
}

/* FED-41: a head that the hub hasn't signed makes nobody read the log. */
static void unsigned_heads_cost_nothing(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    char text[20000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = 0;
    w->unchecked = true;
    for (size_t i = 0; i < HS_EVIDENCE_HEADERS; i++)
        long_post(&s, text);
    Hanse__Frame *frame = world_frame(w);
    Hanse__SignedObject *heads[HS_HEADS_MAX];
    frame->heads = WORLD_NEW(w, Hanse__Heads, hanse__heads);
    frame->body_case = HANSE__FRAME__BODY_HEADS;
    frame->heads->heads = heads;
    frame->heads->n_heads = HS_HEADS_MAX;
    struct hs_log_tip tip = {.next_seq = s.room->tip.next_seq - 1, .hash = {{5}}};
    for (size_t i = 0; i < HS_HEADS_MAX; i++)
        assert_ok(hs_head_build(&s.home[0]->signer, &s.room->id, &tip, 1, 1, w->now, &w->arena, &heads[i]));
    world_inject(s.home[0], s.home[1], frame); /* a turn without memory would fail here */
    world_run(w);
    assert_int_equal(evidence_at(&s, s.home[1]), 0);
}

/* FED-40: telling many readers takes no more of a turn's memory than telling one. */
static void many_readers(void **state)
{
    (void)state;
    enum { READERS = 100, CAP = 32 * 1024 };
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct liar l = liar_new(&s, s.home[0]);
    struct hs_kv *copy = world_store_copy(s.home[0]);
    struct hs_arena HS_ARENA large = hs_arena(1 << 20), HS_ARENA small = hs_arena(CAP);
    struct hs_turn turn = {
        .core = s.home[0]->core, .kv = copy, .now = w->now, .arena = &large, .effects = &s.home[0]->effects};
    struct hs_key reader = {{0}};
    for (uint8_t i = 1; i <= READERS; i++) {
        reader.b[0] = i;
        hs_subscribe(&turn, &reader, &s.room->id, 0, 1);
    }
    w->hook = lie;
    w->hook_ctx = &l;
    assert_ok(world_post(s.room, "hello", NULL));
    world_settle(w);
    world_pass(w, HS_HEADS_MS);
    struct hs_kv_key cursor = {0};
    struct hs_core_evidence e;
    assert_true(hs_core_evidence_next(s.home[0]->kv, &cursor, &large, &e));
    turn.arena = &small;
    assert_true(hs_evidence_take(&turn, e.content));
    assert_ok(copy->err);
    turn.arena = &large;
    for (uint8_t i = 1; i <= READERS; i++) {
        reader.b[0] = i;
        assert_int_equal(hs_inbox_waiting(&turn, &reader), 1);
    }
    hs_kv_memory_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_followers),
        cmocka_unit_test(one_is_behind),
        cmocka_unit_test(one_follower_alone),
        cmocka_unit_test(keys_change_between_two_stories),
        cmocka_unit_test(a_log_that_was_cut_off),
        cmocka_unit_test(no_proof),
        cmocka_unit_test(many_readers),
        cmocka_unit_test(both_heads_are_ahead),
        cmocka_unit_test(a_promise_is_kept_in_mind),
        cmocka_unit_test(unsigned_heads_cost_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
