/* A hub that comes back from a backup: its rooms stand still until a follower has brought what is lost, or
 * the operator lets them go on without it. */
#include "world.h"

#include "core/federation/peer.h"
#include "core/recovery/recover.h"
#include "core/standing/standing.h"
#include "room/head.h"
#include "wire/unpack.h"

#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices, *bobs;
    struct world_invite invite;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.home, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}

static void pass(struct scene *s, int64_t ms)
{
    for (int64_t t = 0; t < ms; t += 1000)
        world_pass(s->w, 1000);
}

/* The owner's device finds its node again. */
static void owner_returns(struct scene *s)
{
    assert_ok(world_connect(s->owner, NULL));
    world_attach(s->owner);
}

static bool is_frozen(struct scene *s)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->hub->core, .kv = s->hub->kv, .now = s->w->now, .arena = &arena};
    return hs_recover_count(&turn) > 0;
}

static enum hs_err operator_resumes(struct scene *s, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->hub->core, .kv = s->hub->kv, .now = s->w->now, .arena = &arena};
    return hs_recover_resume(&turn, room);
}

/* A backup, and a story behind it that the hub forgets: posts, an invite, a newcomer, the newcomer's posts.
 */
static struct hs_kv *backup_and_go_on(struct scene *s, size_t posts)
{
    struct hs_kv *backup = world_store_copy(s->hub);
    assert_ok(world_post(s->room, "first", NULL));
    struct world_invite second = world_invite(s->room, 5);
    s->bobs = world_join(s->bob, s->room, &second);
    assert_ok(world_post(s->bobs, "from Bob", NULL));
    world_settle(s->w);
    for (size_t i = 0; i < posts; i++) {
        assert_ok(world_post(s->room, "more", NULL));
        world_settle(s->w);
    }
    return backup;
}

/* NODE-71, NODE-72, FED-44: the follower brings back what it copied; then everything goes on, in one log. */
static void a_follower_brings_it_back(void **state)
{
    (void)state;
    static const size_t posts[] = {0, 40};
    for (size_t i = 0; i < 2; i++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct hs_kv *backup = backup_and_go_on(&s, posts[i]);
        uint64_t next = s.room->tip.next_seq;
        struct hs_id hash = s.room->tip.hash;
        s.hub->redo = i == 0 ? WORLD_REDO(HS_INPUT_FRAME) : 0;
        world_node_restore(s.hub, backup);
        assert_true(is_frozen(&s));
        owner_returns(&s);
        assert_err(world_post(s.room, "too early", NULL), HS_ERR_RECOVERING);
        pass(&s, HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS);
        assert_false(is_frozen(&s));
        s.hub->redo = 0;
        Hanse__Frame *answer;
        assert_ok(world_post(s.room, "after", &answer));
        world_settle(w);
        assert_int_equal(answer->accepted->seq, next); /* the very log goes on */
        assert_int_not_equal(memcmp(hash.b, s.room->tip.hash.b, sizeof hash.b), 0);
        assert_ok(world_post(s.alices, "Alice is here", NULL));
        assert_ok(world_post(s.bobs, "Bob too", NULL)); /* whom the restored hub didn't know */
        world_settle(w);
        assert_string_equal(s.room->posts[s.room->post_count - 1], "Bob too");
        assert_ok(world_update(s.room)); /* its group is that of the newest epoch */
        world_settle(w);
        assert_ok(world_post(s.room, "new keys", NULL));
        world_settle(w);
        assert_string_equal(s.bobs->posts[s.bobs->post_count - 1], "new keys");
        assert_int_equal(s.bobs->commits, s.room->commits > 1 ? 1 : 0);
    }
}

/* NODE-71: nobody comes, so it stands still, until the operator says that it shall go on. */
static void nobody_brings_it_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_kv *backup = world_store_copy(s.hub);
    struct hs_id other = {{1}};
    s.home->down = true;
    assert_err(operator_resumes(&s, &s.room->id), HS_ERR_NOT_FOUND);
    world_node_restore(s.hub, backup);
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].device == NULL)
            world_close(w, w->links[i].id[0]);
    s.hub->down = true; /* to its follower */
    owner_returns(&s);
    pass(&s, 3 * HS_RECOVER_MS);
    assert_true(is_frozen(&s)); /* a node with members hasn't come */
    assert_err(world_post(s.room, "no", NULL), HS_ERR_RECOVERING);
    assert_err(operator_resumes(&s, &other), HS_ERR_NOT_FOUND);
    assert_ok(operator_resumes(&s, &s.room->id));
    assert_false(is_frozen(&s));
    assert_ok(world_post(s.room, "on", NULL));
    world_node_restart(s.hub);
    assert_false(is_frozen(&s));           /* that was a record */
    assert_ok(operator_resumes(&s, NULL)); /* the ledger */
    assert_err(operator_resumes(&s, NULL), HS_ERR_NOT_FOUND);
    struct world_room *fresh = NULL;
    owner_returns(&s);
    fresh = world_room_new(s.owner, "new rooms don't wait");
    assert_ok(world_post(fresh, "well", NULL));
}

/* ROOM-96: of a room that was made after the backup nothing is known here; the same genesis doesn't make
 * another one, with another story under the same keys. */
static void a_room_of_after_the_backup(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_policy_role role;
    struct hs_policy policy = world_policy(s.owner, "later", &role);
    struct world_room *later;
    struct hs_kv *backup = world_store_copy(s.hub);
    Hanse__Frame *frame = world_create_frame(s.owner, &policy, &later);
    assert_ok(world_ask(s.owner, frame, NULL));
    assert_ok(world_ask(s.owner, frame, NULL)); /* that is the same room */
    later->joined = true;
    world_attach(s.owner);
    assert_ok(world_post(later, "signed", NULL));
    world_settle(w);
    world_pass(w, 1000);
    world_node_restore(s.hub, backup);
    assert_ok(world_connect(s.owner, NULL));
    assert_err(world_ask(s.owner, frame, NULL), HS_ERR_EXPIRED);
    w->now.ms += 3600000;
    assert_err(world_ask(s.owner, frame, NULL), HS_ERR_EXPIRED);
    frame = world_create_frame(s.owner, &policy, &later);
    assert_ok(world_ask(s.owner, frame, NULL));
    world_node_restart(s.hub);
    assert_ok(world_connect(s.owner, NULL));
    assert_ok(world_ask(s.owner, frame, NULL));
}

struct forger {
    struct scene *s;
    int kind;
    size_t done;
};

static void leave_out(Hanse__Record *record)
{
    struct hs_record_header header;
    assert_ok(hs_record_header_parse(hs_pb_bytes(record->header), &header));
    if (header.kind == HS_RECORD_POST)
        record->body = (ProtobufCBinaryData){0};
}

/* What a follower would like the hub to have said. */
static enum world_verdict forge(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *bytes)
{
    struct forger *f = ctx;
    struct world *w = f->s->w;
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &w->arena, &frame));
    if (from != f->s->home || frame->body_case != HANSE__FRAME__BODY_TAIL)
        return WORLD_PASS;
    Hanse__Tail *tail = frame->tail;
    struct hs_log_tip tip = {.next_seq = f->s->room->tip.next_seq + 3, .hash = {{9}}};
    bool bodies = tail->n_records > 0 && tail->records[0]->body.len > 0;
    f->done++;
    if (f->kind == 0) { /* signed by somebody else */
        assert_ok(hs_head_build(&from->signer, &f->s->room->id, &tip, 1, 1, w->now, &w->arena, &tail->head));
        tail->held = tail->head;
    }
    if (f->kind == 1 && tail->n_records > 0) { /* another header */
        struct hs_bytes copy = world_copy(w, hs_pb_bytes(tail->records[0]->header));
        ((uint8_t *)(uintptr_t)copy.data)[copy.len - 1] ^= 1;
        tail->records[0]->header = hs_pb_data(copy);
    }
    if (f->kind == 2 && bodies) { /* another body */
        struct hs_bytes copy = world_copy(w, hs_pb_bytes(tail->records[0]->body));
        ((uint8_t *)(uintptr_t)copy.data)[copy.len - 1] ^= 1;
        tail->records[0]->body = hs_pb_data(copy);
    }
    if (f->kind == 3) /* nothing but a claim */
        tail->n_records = 0;
    for (size_t i = 0; f->kind == 4 && i < tail->n_records; i++) /* posts as if they were erased */
        leave_out(tail->records[i]);
    *bytes = world_pack(w, &frame->base);
    return WORLD_PASS;
}

/* NODE-72: nothing is believed that the hub hasn't signed; what comes genuinely later is taken all the same.
 */
static void nothing_forged_is_taken(void **state)
{
    (void)state;
    for (int kind = 0; kind < 5; kind++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct hs_kv *backup = backup_and_go_on(&s, 3);
        struct forger f = {.s = &s, .kind = kind};
        w->hook = forge;
        w->hook_ctx = &f;
        world_node_restore(s.hub, backup);
        owner_returns(&s);
        pass(&s, HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS);
        assert_in_range(f.done, 1, 100); /* nor is it asked for without end */
        assert_true(is_frozen(&s));
        w->hook = NULL;
        world_node_restart(s.home);
        pass(&s, HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS);
        assert_false(is_frozen(&s));
        assert_ok(world_connect(s.bob, NULL));
        world_attach(s.bob);
        assert_ok(world_post(s.bobs, "Bob is back", NULL));
        world_settle(w);
        assert_string_equal(s.room->posts[s.room->post_count - 1], "Bob is back");
    }
}

enum { HOUR = 3600000 };

static struct scene kept_for_an_hour(struct world *w)
{
    struct scene s = {
        .w = w, .hub = world_node_new(w, "hub.example"), .home = world_node_new(w, "home.example")};
    struct hs_policy_role role;
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct hs_policy policy = world_policy(s.owner, "launch", &role);
    policy.retention_ms = HOUR;
    assert_ok(world_ask(s.owner, world_create_frame(s.owner, &policy, &s.room), NULL));
    s.room->joined = true;
    world_attach(s.owner);
    s.alice = world_customer(s.home, "alice");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    return s;
}

/* NODE-72: what the policy has erased is no longer there, and doesn't hold up the room; what is younger has
 * to come with its body. */
static void an_erased_post(void **state)
{
    (void)state;
    for (int old = 0; old < 2; old++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = kept_for_an_hour(w);
        struct hs_kv *backup = world_store_copy(s.hub);
        struct forger f = {.s = &s, .kind = 4};
        assert_ok(world_post(s.room, "soon forgotten", NULL));
        world_settle(w);
        if (old)
            world_pass(w, HOUR + 1);
        w->hook = forge;
        w->hook_ctx = &f;
        world_node_restore(s.hub, backup);
        owner_returns(&s);
        pass(&s, HS_RETRY_MAX_MS + 2 * HS_RECOVER_MS);
        assert_in_range(f.done, 1, 100);
        assert_int_equal(is_frozen(&s), !old);
    }
}

enum { LONG_POST = 20000, LONG_POSTS = 128 };

static void ask_for_headers(struct scene *s, bool known)
{
    struct world *w = s->w;
    Hanse__Frame *frame = world_frame(w);
    static const struct hs_id other = {{9}};
    frame->want_tail = WORLD_NEW(w, Hanse__WantTail, hanse__want_tail);
    frame->want_tail->room = hs_pb_data(known ? HS_VIEW(s->room->id) : HS_VIEW(other));
    frame->want_tail->headers = true;
    frame->body_case = HANSE__FRAME__BODY_WANT_TAIL;
    world_inject(s->hub, s->home, frame);
    world_run(w);
}

/* FED-44: a hub that asks without end is left: by the number of its questions, and by what they make read. */
static void a_hub_asks_too_much(void **state)
{
    (void)state;
    const struct hs_flow *flows = hs_quota_of(HS_STANDING_INVITED)->flows;
    for (int known = 0; known < 2; known++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        char text[LONG_POST];
        memset(text, 'a', sizeof text - 1);
        text[sizeof text - 1] = 0;
        w->unchecked = true;
        for (size_t i = 0; known && i < LONG_POSTS; i++) {
            struct hs_bytes message = world_protect(s.room, text);
            (void)snprintf(s.room->sent[s.room->sent_count++], sizeof s.room->sent[0], "%.31s", text);
            assert_ok(world_ask(s.owner, world_post_frame(s.room, message), NULL));
            world_settle(w);
        }
        size_t closed = s.home->closed, asked = 0;
        size_t most = known ? (size_t)flows[HS_FLOW_HUB_BYTES].burst / (LONG_POST * LONG_POSTS) + 1
                            : (size_t)flows[HS_FLOW_REQUESTS].burst + 1;
        for (; s.home->closed == closed && asked < most; asked++)
            ask_for_headers(&s, known);
        assert_int_equal(s.home->closed, closed + 1);
        assert_in_range(asked, most / 2, most); /* and none too few */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_erased_post),
        cmocka_unit_test(a_hub_asks_too_much),
        cmocka_unit_test(a_follower_brings_it_back),
        cmocka_unit_test(a_room_of_after_the_backup),
        cmocka_unit_test(nobody_brings_it_back),
        cmocka_unit_test(nothing_forged_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
