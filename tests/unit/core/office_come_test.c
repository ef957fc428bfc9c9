/* The office comes to a node that has other rooms, and users of its own: what the log that it takes over, or
 * the hub that had it, can do to those, and can't. */
#include "office_scene.h"

#include "core/accounts/account.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "room/invite.h"
#include "wire/unpack.h"

#include <sodium.h>

/* An invite of the room for another one's key, which everybody can read in a link's record. */
static struct world_invite invite_with_key(struct world_room *room, const struct world_invite *of)
{
    struct world_invite invite = *of;
    struct hs_writer HS_WRITER body = hs_writer(1 << 16);
    struct hs_invite_spec spec = {
        .device = &room->persona->keys.signature,
        .certificate = room->persona->certificate,
        .room = room->id,
        .invite_key = of->signer.pub,
        .max_uses = 3,
        .now = room->device->world->now,
        .not_after = {room->device->world->now.ms + WORLD_DAY_MS},
    };
    assert_ok(hs_invite_build(&spec, &body));
    invite.hub = room->hub;
    invite.room = room->id;
    invite.body = world_take(room->device->world, &body);
    return invite;
}

/* of: the room that is asked for; NULL: the key alone is known. */
static void names_room(struct world_device *d, const struct world_invite *invite, const struct hs_id *of,
                       const struct hs_id *room)
{
    Hanse__Frame *frame = world_frame(d->world), *answer;
    frame->get_invite = WORLD_NEW(d->world, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(HS_VIEW(invite->signer.pub));
    if (of != NULL)
        frame->get_invite->room = hs_pb_data(HS_VIEW(*of));
    assert_ok(world_ask_hub(d, invite->hub, frame, &answer));
    assert_bytes(hs_pb_bytes(answer->invite_info->room), HS_VIEW(*room));
}

/* ROOM-85: a log that comes here with another room's invite key does nothing to that room's links. */
static void no_room_takes_anothers_invites(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *nina = world_staff(s.new, "nina", HANSE__ROLE__ROLE_OWNER);
    struct world_room *other = world_room_new(nina, "other");
    struct world_invite link = world_invite(other, 10);
    struct world_invite stolen = invite_with_key(s.room, &link);
    assert_ok(world_put_invite(s.room, &stolen));
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    assert_true(s.alices->hub == s.new);
    names_room(nina, &link, NULL, &other->id);
    names_room(nina, &link, &other->id, &other->id);
    names_room(nina, &link, &s.room->id, &s.room->id); /* who knows the room gets its invite */
    struct world_room *daves = world_join(world_customer(s.new, "dave"), other, &link);
    assert_true(daves->joined);
    assert_ok(world_post(daves, "in the other one", NULL));
    world_settle(w);
    /* a sign-up by the link is one of the room that it says */
    struct world_room *erins = world_join(world_customer(s.third, "erin"), other, &link);
    assert_true(erins->joined);
    assert_ok(world_post(s.alices, "goes on", NULL));
    assert_err(world_put_invite(other, &link), HS_OK); /* the same again is answered as before */
}

/* A second room of rosa's, which is to go to the new node too. */
static struct scene second_room(struct scene *s)
{
    struct scene second = *s;
    second.room = world_room_new(s->rosa, "second");
    struct world_invite invite = world_invite(second.room, 10);
    second.bobs = world_join(s->bob, second.room, &invite);
    for (int i = 0; i < 5; i++)
        assert_ok(world_post(second.bobs, "early", NULL));
    second.carols = world_join(s->carol, second.room, &invite);
    return second;
}

static void both_move_home(struct scene *s, struct scene *second)
{
    scene_rosa_moves(s);
    assert_ok(world_forward(s->rosa, s->old, scene_home_frame(second, second->room->tip.next_seq), NULL));
    world_settle(s->w);
}

struct tails {
    struct scene *first, *second;
    size_t lose;            /* of the second room's */
    bool spoil;             /* the first room's log, when all of it has come */
    struct hs_bytes before; /* what is spoiled, as it was */
};

static struct hs_kv_key genesis_at(const struct scene *s)
{
    return hs_key_seq(HS_VIEW(s->room->id), 0);
}

/* What a hub couldn't have let in, though it is the log's: the genesis without its group. */
static void spoil_log(struct tails *t)
{
    struct scene *s = t->first;
    struct hs_kv_key key = genesis_at(s);
    Hanse__State__RoomEntry *entry;
    s->w->forged = true;
    assert_true(hs_kv_get(s->new->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), &s->w->arena, &t->before));
    assert_ok(HS_UNPACK(hanse__state__room_entry, t->before, HS_LENIENT, &s->w->arena, &entry));
    entry->group_info.len /= 2;
    hs_kv_put(s->new->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), world_pack(s->w, &entry->base));
    t->spoil = false;
}

static void heal_log(const struct tails *t)
{
    struct hs_kv_key key = genesis_at(t->first);
    hs_kv_put(t->first->new->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), t->before);
}

static enum world_verdict spoil_tails(void *ctx, struct world_node *from, struct world_node *to,
                                      struct hs_bytes *frame)
{
    struct tails *t = ctx;
    struct world *w = t->first->w;
    Hanse__Frame *f;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &w->arena, &f));
    if (from == t->first->new && f->body_case == HANSE__FRAME__BODY_MOVE_HUB &&
        t->spoil &&hs_bytes_equal(hs_pb_bytes(f->move_hub->room), HS_VIEW(t->first->room->id)))
        spoil_log(t);
    if (from != t->first->old || f->body_case != HANSE__FRAME__BODY_TAIL)
        return WORLD_PASS;
    if (hs_bytes_equal(hs_pb_bytes(f->tail->room), HS_VIEW(t->second->room->id)) && t->lose > 0) {
        t->lose--;
        return WORLD_DROP;
    }
    return WORLD_PASS;
}

static bool is_in_office(struct scene *s)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->new->core, .kv = s->new->kv, .arena = &arena};
    Hanse__State__RoomView *view = hs_room_view(&turn, &s->room->id);
    return view != NULL && view->hub && view->office_end == 0;
}

/* FED-46: a room whose log can't be taken over keeps no other one waiting, and is tried again later. */
static void one_log_is_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w), second = second_room(&s);
    struct tails tails = {&s, &second, .lose = 1, .spoil = true};
    both_move_home(&s, &second);
    w->hook = spoil_tails;
    w->hook_ctx = &tails;
    scene_room_moves(&s);
    scene_room_moves(&second);
    assert_int_equal(tails.lose, 0);
    scene_pass(&s, 15);
    assert_false(is_in_office(&s));
    assert_true(is_in_office(&second));
    assert_int_equal(hs_core_deadline(s.new->core).ms > w->now.ms, true); /* nothing to do at once */
    heal_log(&tails);
    scene_pass(&s, 70);
    assert_true(is_in_office(&s));
    assert_ok(world_post(s.alices, "in the end", NULL));
}

/* FED-46: more rooms that don't get on than one tick looks at. */
static void many_stand_still(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w), second = second_room(&s);
    struct tails tails = {&s, &second, .lose = 1};
    both_move_home(&s, &second);
    w->forged = true;
    for (uint8_t i = 0; i < 2 * HS_OFFICE_ROOMS; i++) {
        struct hs_id id = {{0, i}};
        struct hs_kv_key key = hs_key_sub(HS_MISC_OFFICE, HS_VIEW(id), (struct hs_bytes){0});
        hs_kv_put(s.new->kv, HS_T_MISC, hs_kv_key_bytes(&key), (struct hs_bytes){0});
    }
    w->hook = spoil_tails;
    w->hook_ctx = &tails;
    scene_room_moves(&second);
    assert_int_equal(tails.lose, 0);
    scene_pass(&s, 20);
    assert_true(is_in_office(&second));
}

static bool drop_removed;

static enum world_verdict no_removals(void *ctx, struct world_node *from, struct world_node *to,
                                      struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (!drop_removed || from != s->old || to != s->new || f->body_case != HANSE__FRAME__BODY_INBOX)
        return WORLD_PASS;
    return WORLD_DROP;
}

static uint64_t reads_until(struct world_room *room)
{
    struct world_device *d = room->device;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = d->node->core, .kv = d->node->kv, .arena = &arena};
    struct hs_key subscriber;
    assert_true(hs_persona_subscriber(&turn, &room->persona->signer.pub, &subscriber));
    Hanse__State__SubscriptionView *view = hs_subscription_view(&turn, &subscriber, &room->id);
    assert_non_null(view);
    return view->until;
}

/* The new hub says that it holds all of its inbox at the old one. */
static void says_it_holds(struct scene *s)
{
    Hanse__Frame *frame = world_frame(s->w);
    frame->cursors = WORLD_NEW(s->w, Hanse__Cursors, hanse__cursors);
    frame->body_case = HANSE__FRAME__BODY_CURSORS;
    frame->cursors->inbox_next = 1000;
    world_inject(s->new, s->old, frame);
    world_settle(s->w);
}

/* FED-46: what the former hub's inbox would have said, the log says, and once. */
static void a_removal_never_came(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    w->hook = no_removals;
    w->hook_ctx = &s;
    drop_removed = true;
    assert_ok(world_remove(s.room, s.carols));
    world_settle(w);
    scene_room_moves(&s);
    assert_false(is_in_office(&s)); /* FED-45: something about it waits for the new hub */
    says_it_holds(&s);
    scene_pass(&s, 3);
    assert_true(is_in_office(&s));
    assert_true(reads_until(s.room) == UINT64_MAX);
    uint64_t until = s.room->tip.next_seq;
    assert_int_equal(reads_until(s.carols), until);
    drop_removed = false;
    w->hook = NULL;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].device == NULL)
            world_close(w, w->links[i].id[0]);
    scene_pass(&s, 140); /* with the former hub at hand again, too */
    assert_int_equal(reads_until(s.carols), until);
    assert_ok(world_post(s.room, "not for carol", NULL));
    world_settle(w);
    for (size_t i = 0; i < s.carols->post_count; i++)
        assert_string_not_equal(s.carols->posts[i], "not for carol");
}

/* FED-46: nothing but the log says that she reads here; it is enough. */
static void a_member_wasnt_announced(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    w->forged = true;
    struct hs_turn turn = {.core = s.new->core, .kv = s.new->kv, .arena = &w->arena};
    struct hs_key subscriber;
    assert_true(hs_persona_subscriber(&turn, &s.carols->persona->signer.pub, &subscriber));
    struct hs_kv_key key = hs_key2(HS_VIEW(subscriber), HS_VIEW(s.room->id));
    hs_kv_del(s.new->kv, HS_T_SUBSCRIPTION, hs_kv_key_bytes(&key));
    scene_room_moves(&s);
    assert_true(is_in_office(&s));
    assert_true(reads_until(s.carols) == UINT64_MAX);
    assert_true(reads_until(s.room) == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_room_takes_anothers_invites),
        cmocka_unit_test(one_log_is_refused),
        cmocka_unit_test(many_stand_still),
        cmocka_unit_test(a_removal_never_came),
        cmocka_unit_test(a_member_wasnt_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
