/* What the brand's node learns of the members of a room that has moved, and from whom. */
#include "office_view.h"

#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/office/told.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "core/standing/guest.h"
#include "core/standing/standing.h"
#include "peer_world.h"
#include "wire/unpack.h"

/* As the ledger of the brand's node sees it. */
static bool is_member(struct scene *s, struct world_node *brand, const struct hs_key *persona,
                      struct hs_key *home)
{
    struct hs_turn turn = reading(s, brand);
    enum hs_err err = hs_brand_member(&turn, &s->room->id, persona, home);
    assert_true(err == HS_OK || err == HS_ERR_NOT_MEMBER || err == HS_ERR_BUSY);
    return err == HS_OK;
}

static const struct hs_key *persona_of(const struct world_room *room)
{
    return &room->persona->signer.pub;
}

static Hanse__Frame *member_frame(struct scene *s, struct hs_bytes persona, struct hs_bytes home)
{
    static uint64_t number = 1000; /* behind all that a hub says by itself */
    Hanse__Frame *frame = world_frame(s->w);
    frame->inbox = WORLD_NEW(s->w, Hanse__Inbox, hanse__inbox);
    frame->inbox->items = hs_arena_alloc(&s->w->arena, sizeof *frame->inbox->items);
    assert_non_null(frame->inbox->items);
    frame->inbox->n_items = 1;
    Hanse__InboxItem *item = frame->inbox->items[0] = WORLD_NEW(s->w, Hanse__InboxItem, hanse__inbox_item);
    item->seq = number++;
    item->member = WORLD_NEW(s->w, Hanse__MemberItem, hanse__member_item);
    item->body_case = HANSE__INBOX_ITEM__BODY_MEMBER;
    item->member->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    item->member->persona = hs_pb_data(world_copy(s->w, persona));
    item->member->home_root = hs_pb_data(world_copy(s->w, home));
    frame->body_case = HANSE__FRAME__BODY_INBOX;
    return frame;
}

static void says(struct scene *s, struct world_node *hub, struct world_node *brand,
                 const struct hs_key *persona, struct hs_bytes home)
{
    world_inject(hub, brand, member_frame(s, HS_VIEW(*persona), home));
    world_settle(s->w);
}

static uint64_t told_by(struct scene *s, const struct world_node *hub)
{
    struct hs_turn turn = reading(s, s->old);
    struct hs_kv_key key = hs_key_sub(HS_MISC_TOLD, HS_VIEW(hub->root.pub), (struct hs_bytes){0});
    return hs_number_get(&turn, HS_T_MISC, &key, NULL);
}

static struct hs_key somebody(void)
{
    struct hs_signer HS_SIGNER key;
    hs_signer_random(&key);
    return key.pub;
}

/* FED-77: the hub in office is believed, and each of its words replaces the one before. */
static void hub_in_office_tells(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key eve = somebody(), home;
    const struct hs_bytes third = HS_VIEW(s.third->root.pub), new = HS_VIEW(s.new->root.pub), none = {0};
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    assert_false(is_member(&s, s.old, &eve, &home));
    says(&s, s.new, s.old, &eve, third);
    assert_true(is_member(&s, s.old, &eve, &home));
    assert_bytes(HS_VIEW(home), third);
    says(&s, s.new, s.old, &eve, new);
    assert_true(is_member(&s, s.old, &eve, &home));
    assert_bytes(HS_VIEW(home), new);
    says(&s, s.new, s.old, &eve, none);
    says(&s, s.new, s.old, &eve, none);
    assert_false(is_member(&s, s.old, &eve, &home));
    assert_true(is_member(&s, s.old, persona_of(s.alices), &home)); /* as it was when this hub went */
    assert_bytes(HS_VIEW(home), third);
    says(&s, s.new, s.old, persona_of(s.alices), none);
    assert_false(is_member(&s, s.old, persona_of(s.alices), &home));
    says(&s, s.new, s.old, persona_of(s.alices), third);
    assert_true(is_member(&s, s.old, persona_of(s.alices), &home));
}

/* FED-77: whom the brand's node doesn't know while it can't ask waits. */
static void hub_in_office_is_away(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key eve = somebody(), home;
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    struct hs_turn turn = reading(&s, s.old);
    assert_err(hs_brand_member(&turn, &s.room->id, &eve, &home), HS_ERR_NOT_MEMBER);
    s.new->down = true;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].node[0] == s.old && w->links[i].node[1] == s.new)
            world_close(w, w->links[i].id[0]);
    world_run(w);
    assert_err(hs_brand_member(&turn, &s.room->id, &eve, &home), HS_ERR_BUSY);
    assert_ok(hs_brand_member(&turn, &s.room->id, persona_of(s.alices), &home));
    s.new->down = false;
    scene_pass(&s, 70);
    assert_err(hs_brand_member(&turn, &s.room->id, &eve, &home), HS_ERR_NOT_MEMBER);
}

/* FED-77: the room comes back, and who is in it isn't known again before all of its log is applied. */
static void the_room_comes_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key home;
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    w->forged = true;
    struct hs_turn *turn = raw_turn_begin(s.old);
    Hanse__State__RoomView *view = hs_room_view(turn, &s.room->id);
    view->hub = true;
    view->office_end = view->next_seq;
    hs_room_store(turn, &s.room->id, view);
    assert_err(hs_brand_member(turn, &s.room->id, persona_of(s.alices), &home), HS_ERR_BUSY);
    raw_turn_end(turn);
}

/* FED-77: nobody else, nor does what makes no sense harm. */
static void nobody_else_is_believed(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_node *fourth = world_node_new(w, "fourth.example");
    struct world_device *zoe = world_staff(fourth, "zoe", HANSE__ROLE__ROLE_OWNER);
    struct world_room *other = world_room_new(zoe, "elsewhere");
    struct world_invite invite = world_invite(other, 5);
    (void)world_join(s.bob, other, &invite); /* so that the old node follows the fourth */
    struct hs_key eve = somebody(), home;
    const struct hs_bytes third = HS_VIEW(s.third->root.pub), none = {0};
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    uint64_t everybody = told_by(&s, s.new);
    assert_true(everybody > 0);
    says(&s, fourth, s.old, &eve, third);
    assert_false(is_member(&s, s.old, &eve, &home));
    says(&s, fourth, s.old, persona_of(s.alices), none);
    world_inject(fourth, s.old, member_frame(&s, none, none));
    assert_true(is_member(&s, s.old, persona_of(s.alices), &home));
    assert_int_equal(told_by(&s, fourth), 0); /* nor is it kept: it may never come into office */
    uint8_t many[33] = {1};
    const size_t wrong[] = {1, 31, 33};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        says(&s, s.new, s.old, &eve, hs_bytes(many, wrong[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        world_inject(s.new, s.old, member_frame(&s, hs_bytes(many, wrong[i]), third));
    assert_int_equal(told_by(&s, s.new), everybody);
    assert_false(is_member(&s, s.old, &eve, &home));
    says(&s, s.new, s.third, &eve, third); /* to a node whose room it never was */
    assert_false(is_member(&s, s.third, &eve, &home));
    says(&s, s.new, s.old, &eve, third);
    assert_true(is_member(&s, s.old, &eve, &home));
}

/* FED-77: one hub's word fills no store. */
static void so_many_of_one_hub(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key first = somebody(), last = somebody(), home;
    const struct hs_bytes third = HS_VIEW(s.third->root.pub);
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    w->forged = true;
    struct hs_turn *turn = raw_turn_begin(s.old);
    struct hs_kv_key count = hs_key_sub(HS_MISC_TOLD, HS_VIEW(s.new->root.pub), (struct hs_bytes){0});
    hs_number_put(turn, HS_T_MISC, &count, HS_TOLD_MAX - 1);
    raw_turn_end(turn);
    says(&s, s.new, s.old, &first, third);
    says(&s, s.new, s.old, &last, third);
    assert_true(is_member(&s, s.old, &first, &home));
    assert_false(is_member(&s, s.old, &last, &home));
    says(&s, s.new, s.old, &first, HS_VIEW(s.new->root.pub)); /* who is known moves, and goes */
    assert_true(is_member(&s, s.old, &first, &home));
    assert_bytes(HS_VIEW(home), HS_VIEW(s.new->root.pub));
    says(&s, s.new, s.old, persona_of(s.alices), (struct hs_bytes){0});
    assert_false(is_member(&s, s.old, persona_of(s.alices), &home));
    says(&s, s.new, s.old, &first, (struct hs_bytes){0});
    assert_false(is_member(&s, s.old, &first, &home));
}

static enum world_verdict no_items(void *ctx, struct world_node *from, struct world_node *to,
                                   struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    return from == s->new &&to == s->old && f->body_case == HANSE__FRAME__BODY_INBOX ? WORLD_DROP
                                                                                     : WORLD_PASS;
}

/* FED-77: a brand's node that has no member left reads on, and so learns of each next hub, which tells
 * everything anew. */
static void the_next_hub_tells_anew(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w), next;
    struct hs_key home;
    assert_ok(world_remove(s.room, s.bobs));
    world_settle(w);
    scene_rosa_moves(&s);
    w->hook = no_items;
    w->hook_ctx = &s;
    scene_room_moves(&s);
    scene_pass(&s, 5);
    assert_ok(world_remove(s.room, s.carols));
    scene_pass(&s, 5);
    assert_true(is_member(&s, s.old, persona_of(s.carols), &home)); /* it hasn't heard */
    next = s;
    next.old = s.new;
    next.new = s.third;
    scene_rosa_moves(&next);
    scene_room_moves(&next);
    scene_pass(&next, 70);
    struct hs_turn turn = reading(&s, s.old);
    const Hanse__State__RoomView *view = hs_room_view(&turn, &s.room->id);
    assert_bytes(hs_pb_bytes(view->hub_root), HS_VIEW(s.third->root.pub));
    assert_false(is_member(&s, s.old, persona_of(s.carols), &home));
    assert_true(is_member(&s, s.old, persona_of(s.alices), &home));
    assert_int_equal(told_by(&s, s.new), 0); /* what it said isn't kept */
    assert_true(told_by(&s, s.third) > 0);
}

/* FED-81: while all of it is told, whoever isn't named yet isn't refused for good, and who was a member
 * counts as one; then nobody does who isn't named. */
static void all_is_told(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key eve = somebody(), home;
    const struct hs_bytes third = HS_VIEW(s.third->root.pub), new = HS_VIEW(s.new->root.pub), none = {0};
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    says(&s, s.new, s.old, &eve, third);
    assert_true(is_member(&s, s.old, &eve, &home));
    world_inject(s.new, s.old, member_frame(&s, none, none));
    assert_int_equal(told_by(&s, s.new), 1);
    struct hs_turn turn = reading(&s, s.old);
    assert_err(hs_brand_member(&turn, &s.room->id, &eve, &home), HS_ERR_BUSY);
    assert_ok(hs_brand_member(&turn, &s.room->id, persona_of(s.alices), &home));
    says(&s, s.new, s.old, persona_of(s.carols), new);
    world_inject(s.new, s.old, member_frame(&s, none, new));
    assert_int_equal(told_by(&s, s.new), 2);
    assert_err(hs_brand_member(&turn, &s.room->id, &eve, &home), HS_ERR_NOT_MEMBER);
    assert_err(hs_brand_member(&turn, &s.room->id, persona_of(s.alices), &home), HS_ERR_NOT_MEMBER);
    assert_ok(hs_brand_member(&turn, &s.room->id, persona_of(s.carols), &home));
}

static size_t waiting_for(struct scene *s, struct world_node *node, const struct hs_key *subscriber)
{
    struct hs_kv_key from = hs_key1(HS_VIEW(*subscriber));
    struct hs_bytes prefix = HS_VIEW(*subscriber), key;
    size_t n = 0;
    for (; hs_kv_next(node->kv, HS_T_INBOX, prefix, hs_kv_key_bytes(&from), &s->w->arena, &key, NULL); n++)
        from = hs_kv_after(key);
    return n;
}

static void old_is_away(struct scene *s, bool away)
{
    struct world *w = s->w;
    s->old->down = away;
    for (size_t i = 0; i < w->link_count; i++)
        if (away && w->links[i].open && (w->links[i].node[0] == s->old || w->links[i].node[1] == s->old))
            world_close(w, w->links[i].id[0]);
    world_run(w);
}

/* FED-81: for a brand's node that is blocked nothing waits; when it no longer is, it hears who is a member.
 */
static void blocked_brands(void **state)
{
    (void)state;
    for (int by_domain = 0; by_domain < 2; by_domain++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct hs_key home;
        const struct hs_key *brand = &s.old->root.pub;
        struct raw_rules rules = {0}, none = {0};
        struct hs_turn turn = reading(&s, s.old);
        scene_rosa_moves(&s);
        scene_room_moves(&s);
        old_is_away(&s, true);
        assert_ok(world_update(s.room));
        assert_ok(world_remove(s.room, s.bobs));
        world_settle(w);
        assert_true(waiting_for(&s, s.new, brand) > 0);
        raw_rule(w, &rules, HS_RULE_BLOCK, by_domain ? NULL : brand, by_domain ? "old.example" : NULL);
        raw_rules_set(s.new, &rules);
        scene_pass(&s, 2);
        size_t removed = waiting_for(&s, s.new, brand); /* the RemovedItem, for Bob's home */
        old_is_away(&s, false);
        assert_ok(world_remove(s.room, s.carols));
        scene_pass(&s, 70);
        assert_int_equal(removed, 1);
        assert_int_equal(waiting_for(&s, s.new, brand), removed);
        assert_ok(hs_brand_member(&turn, &s.room->id, persona_of(s.carols), &home)); /* it hasn't heard */
        raw_rules_set(s.new, &none);
        scene_pass(&s, 130);
        assert_int_equal(waiting_for(&s, s.new, brand), 0);
        assert_err(hs_brand_member(&turn, &s.room->id, persona_of(s.carols), &home), HS_ERR_NOT_MEMBER);
        assert_err(hs_brand_member(&turn, &s.room->id, persona_of(s.bobs), &home), HS_ERR_NOT_MEMBER);
        assert_ok(hs_brand_member(&turn, &s.room->id, persona_of(s.alices), &home));
    }
}

static enum hs_err has_place(struct scene *s, const struct hs_key *persona)
{
    struct hs_turn turn = reading(s, s->new);
    return hs_guest_check(&turn, &s->old->root.pub, persona, NULL, hs_quota_of(HS_STANDING_INVITED));
}

enum { MANY = 5500 }; /* more than an invited hub has other items at once */

/* FED-77, FED-25: what a hub has to tell the brand's node fills no inbox, keeps out no user of the brand, and
 * ends no session. */
static void very_much_to_tell(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_key eve = somebody(), last = {{0}}, home;
    const struct hs_key *brand = &s.old->root.pub;
    scene_rosa_moves(&s);
    scene_room_moves(&s);
    old_is_away(&s, true);
    w->forged = w->unchecked = true; /* that takes longer than all else: the stores are large */
    assert_int_equal(waiting_for(&s, s.new, brand), 0);
    struct hs_turn *turn = raw_turn_begin(s.new);
    for (int i = 0; i < 30; i++) {
        hs_tell_brand(turn, &s.room->id, &eve, NULL);
        hs_tell_brand(turn, &s.room->id, &eve, &s.third->root.pub);
    }
    raw_turn_end(turn);
    assert_int_equal(waiting_for(&s, s.new, brand), 1);
    for (size_t i = 0; i < MANY; i++) {
        turn = i % 50 == 0 ? raw_turn_begin(s.new) : turn;
        memcpy(last.b, &i, sizeof i);
        hs_tell_brand(turn, &s.room->id, &last, &s.third->root.pub);
        if (i % 50 == 49)
            raw_turn_end(turn);
    }
    assert_int_equal(waiting_for(&s, s.new, brand), MANY + 1);
    turn = raw_turn_begin(s.new);
    for (size_t i = 0; i < hs_quota_of(HS_STANDING_INVITED)->inbox; i++) {
        Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
        assert_ok(has_place(&s, &eve));
        hs_inbox_put(turn, brand, &item);
    }
    raw_turn_end(turn);
    assert_err(has_place(&s, &eve), HS_ERR_QUOTA);
    old_is_away(&s, false);
    scene_pass(&s, 70);
    assert_int_equal(waiting_for(&s, s.new, brand), 0);
    assert_true(is_member(&s, s.old, &eve, &home));
    assert_true(is_member(&s, s.old, &last, &home));
    turn = raw_turn_begin(s.new);
    struct hs_kv_key told = hs_key_sub(HS_MISC_SOURCE, HS_VIEW(*brand), (struct hs_bytes){0});
    struct hs_bytes prefix = hs_kv_key_bytes(&told), key;
    assert_false(hs_kv_next(s.new->kv, HS_T_MISC, prefix, prefix, &w->arena, &key, NULL));
    raw_turn_end(turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hub_in_office_tells),     cmocka_unit_test(hub_in_office_is_away),
        cmocka_unit_test(nobody_else_is_believed), cmocka_unit_test(so_many_of_one_hub),
        cmocka_unit_test(the_next_hub_tells_anew), cmocka_unit_test(the_room_comes_back),
        cmocka_unit_test(very_much_to_tell),       cmocka_unit_test(all_is_told),
        cmocka_unit_test(blocked_brands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
