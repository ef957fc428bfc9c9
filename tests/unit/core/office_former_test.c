/* A hub that has gone, and what it can still do to those who followed it: nothing but what was on its way.
 * And the hub in office can't tell a story under a name that isn't its own. */
#include "office_former_scene.h"

#include "core/accounts/account.h"
#include "core/federation/follow.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "room/home_move.h"
#include "wire/unpack.h"

#include <sodium.h>

static bool reads(struct scene *s, struct world_device *d)
{
    struct hs_turn turn = reading(s, d->node);
    struct hs_key subscriber;
    assert_true(hs_persona_subscriber(&turn, &world_persona(d, &s->old->root.pub)->signer.pub, &subscriber));
    Hanse__State__SubscriptionView *view = hs_subscription_view(&turn, &subscriber, &s->room->id);
    return view != NULL && view->until == UINT64_MAX;
}

static Hanse__Frame *inbox_frame(struct scene *s, Hanse__InboxItem **item)
{
    static uint64_t number = 1000; /* behind all that the old hub has said by itself */
    Hanse__Frame *frame = world_frame(s->w);
    frame->inbox = WORLD_NEW(s->w, Hanse__Inbox, hanse__inbox);
    frame->inbox->items = hs_arena_alloc(&s->w->arena, sizeof *frame->inbox->items);
    assert_non_null(frame->inbox->items);
    frame->inbox->n_items = 1;
    *item = frame->inbox->items[0] = WORLD_NEW(s->w, Hanse__InboxItem, hanse__inbox_item);
    (*item)->seq = number++;
    frame->body_case = HANSE__FRAME__BODY_INBOX;
    return frame;
}

/* The old hub says that somebody at home at the third node reads from there. */
static void says_home(struct scene *s, struct world_device *d, uint64_t next_seq)
{
    Hanse__InboxItem *item;
    Hanse__Frame *frame = inbox_frame(s, &item);
    uint8_t junk[HS_HASH_LEN];
    randombytes_buf(junk, sizeof junk);
    item->home = WORLD_NEW(s->w, Hanse__HomeItem, hanse__home_item);
    item->body_case = HANSE__INBOX_ITEM__BODY_HOME;
    item->home->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    item->home->persona =
        hs_pb_data(world_copy(s->w, HS_VIEW(world_persona(d, &s->old->root.pub)->signer.pub)));
    item->home->next_seq = next_seq;
    item->home->prev_hash = hs_pb_data(world_copy(s->w, hs_bytes(junk, sizeof junk)));
    item->home->hub_root = hs_pb_data(world_copy(s->w, HS_VIEW(s->old->root.pub)));
    item->home->descriptor = s->old->descriptor;
    world_inject(s->old, s->third, frame);
    world_settle(s->w);
}

/* The same, with a Welcome. */
static void says_welcome(struct scene *s, struct world_device *d, uint64_t seq)
{
    Hanse__InboxItem *item;
    Hanse__Frame *frame = inbox_frame(s, &item);
    uint8_t junk[HS_HASH_LEN];
    randombytes_buf(junk, sizeof junk);
    Hanse__WelcomeItem *welcome = item->welcome = WORLD_NEW(s->w, Hanse__WelcomeItem, hanse__welcome_item);
    item->body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    welcome->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    welcome->persona = hs_pb_data(world_copy(s->w, HS_VIEW(world_persona(d, &s->old->root.pub)->signer.pub)));
    welcome->welcome = welcome->prev_hash = hs_pb_data(world_copy(s->w, hs_bytes(junk, sizeof junk)));
    welcome->commit_seq = seq;
    welcome->hub_root = hs_pb_data(world_copy(s->w, HS_VIEW(s->old->root.pub)));
    welcome->descriptor = s->old->descriptor;
    welcome->tree = WORLD_NEW(s->w, Hanse__Tree, hanse__tree);
    welcome->tree->bytes = welcome->welcome;
    world_inject(s->old, s->third, frame);
    world_settle(s->w);
}

static void says_removed(struct scene *s, struct world_device *d, uint64_t seq)
{
    Hanse__InboxItem *item;
    Hanse__Frame *frame = inbox_frame(s, &item);
    item->removed = WORLD_NEW(s->w, Hanse__RemovedItem, hanse__removed_item);
    item->body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
    item->removed->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    item->removed->persona =
        hs_pb_data(world_copy(s->w, HS_VIEW(world_persona(d, &s->old->root.pub)->signer.pub)));
    item->removed->seq = seq;
    world_inject(s->old, s->third, frame);
    world_settle(s->w);
}

/* FED-47: a place that a former hub names makes no hub of it again, and begins no copy anew. */
static void former_hub_names_a_place(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *eve = world_customer(s.third, "eve"), *mia = world_customer(s.third, "mia");
    assert_ok(world_bind(eve, s.old));
    assert_ok(world_bind(mia, s.old));
    scene_rosa_moves(&s);
    uint64_t at = s.room->tip.next_seq;
    scene_room_moves(&s);
    uint64_t first = view_at(&s, s.third)->first_seq;
    assert_in_range(first, 2, at);
    says_home(&s, mia, at + 1); /* behind the end of its term */
    assert_false(reads(&s, mia));
    says_home(&s, s.alice, first - 1); /* who reads already begins nothing anew */
    assert_int_equal(view_at(&s, s.third)->first_seq, first);
    still_follows(&s, "one after");
    says_home(&s, eve, 1); /* no HOME_MOVE of hers says so */
    assert_false(reads(&s, eve));
    assert_int_equal(view_at(&s, s.third)->first_seq, first);
    still_follows(&s, "two after");
}

static enum world_verdict no_items(void *ctx, struct world_node *from, struct world_node *to,
                                   struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    return from == s->old && to == s->third && f->body_case == HANSE__FRAME__BODY_INBOX ? WORLD_DROP
                                                                                        : WORLD_PASS;
}

static size_t spoiled;

/* Bob's other device, at home at the third node. */
static struct world_device *bob_moves(struct scene *s, uint64_t next_seq)
{
    struct world_device *d = world_device_new(s->third, "bob");
    struct hs_writer HS_WRITER w = hs_writer(HS_HOME_MOVE_MAX);
    struct hs_signer HS_SIGNER key;
    Hanse__Frame *frame = world_frame(s->w);
    hs_signer_random(&key);
    assert_ok(world_connect(d, NULL));
    assert_ok(world_sign_up(d, world_ticket(s->third, &key.pub, 1), &key));
    world_attach(d);
    *world_persona(d, &s->old->root.pub) = *s->bobs->persona;
    assert_ok(world_bind(d, s->old));
    struct hs_home_move move = {
        .room = s->room->id, .home_root = s->third->root.pub, .number = 1, .next_seq = next_seq};
    assert_ok(hs_home_move_build(&s->bobs->persona->signer, &move, s->w->now, &w));
    frame->move_home = WORLD_NEW(s->w, Hanse__MoveHome, hanse__move_home);
    frame->move_home->room = hs_pb_data(world_copy(s->w, HS_VIEW(s->room->id)));
    frame->move_home->move = hs_pb_data(world_take(s->w, &w));
    frame->body_case = HANSE__FRAME__BODY_MOVE_HOME;
    assert_ok(world_forward(d, s->old, frame, NULL));
    world_settle(s->w);
    return d;
}

/* The head over the HUB_MOVE comes with a wrong byte from the hub in office. */
static enum world_verdict spoils_head(void *ctx, struct world_node *from, struct world_node *to,
                                      struct hs_bytes *frame)
{
    struct scene *s = ctx;
    Hanse__Frame *f;
    struct hs_record_header header;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (from != s->new || to != s->third || f->body_case != HANSE__FRAME__BODY_RECORDS ||
        f->records->n_records == 0)
        return WORLD_PASS;
    const Hanse__Record *last = f->records->records[f->records->n_records - 1];
    assert_ok(hs_record_header_parse(hs_pb_bytes(last->header), &header));
    if (header.kind != HS_RECORD_HUB_MOVE)
        return WORLD_PASS;
    Hanse__SignedObject *head = f->records->head;
    head->signatures[0]->sig = hs_pb_data(world_copy(s->w, hs_pb_bytes(head->signatures[0]->sig)));
    head->signatures[0]->sig.data[5] ^= 1;
    spoiled++;
    *frame = world_pack(s->w, &f->base);
    return WORLD_PASS;
}

/* FED-47: what was on its way counts: the copy goes back, at the hub in office. */
static void home_on_its_way(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    s.third = world_node_new(w, "fourth.example");
    struct world_invite invite = world_invite(s.room, 5);
    struct world_room *zeds = world_join(world_customer(s.third, "zed"), s.room, &invite);
    world_settle(w);
    s.alices = zeds;
    uint64_t first = view_at(&s, s.third)->first_seq, stands = s.bobs->anchor + 1;
    assert_true(stands < first);
    scene_rosa_moves(&s);
    w->hook = no_items;
    w->hook_ctx = &s;
    struct world_device *bob = bob_moves(&s, stands);
    uint64_t at = s.room->tip.next_seq;
    scene_room_moves(&s);
    assert_false(reads(&s, bob));
    w->hook = spoils_head;
    for (size_t i = 0; i < w->link_count; i++)
        if (w->links[i].open && w->links[i].node[0] == s.third && w->links[i].node[1] == s.old)
            world_close(w, w->links[i].id[0]);
    world_run(w);
    scene_pass(&s, 70);
    assert_true(spoiled > 0);
    assert_in_range(view_at(&s, s.third)->next_seq, stands, at);
    w->hook = NULL;
    scene_pass(&s, 140);
    assert_true(reads(&s, bob));
    assert_int_equal(view_at(&s, s.third)->first_seq, stands);
    still_follows(&s, "to both");
    says_removed(&s, bob, at - 1); /* by the record that brought him here */
    assert_true(reads(&s, bob));
    /* what shows the end of the old term is the old hub's */
    struct hs_turn turn = reading(&s, s.third);
    Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s.room->id, at);
    Hanse__SignedObject *descriptor;
    struct hs_descriptor d;
    assert_non_null(entry);
    assert_ok(hs_object_unpack(hs_pb_bytes(entry->descriptor), &w->arena, &descriptor));
    assert_ok(hs_descriptor_open(descriptor, &s.old->root.pub, &d));
}

/* The newest record of that kind before end in the third node's copy. */
static uint64_t last_of(struct scene *s, enum hs_record_kind kind, uint64_t end)
{
    struct hs_turn turn = reading(s, s->third);
    struct hs_record_header header = {0};
    for (uint64_t seq = end; seq-- > view_at(s, s->third)->first_seq;) {
        Hanse__State__RoomEntry *entry = hs_room_entry(&turn, &s->room->id, seq);
        assert_non_null(entry);
        assert_ok(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
        if (header.kind == kind)
            return seq;
    }
    fail_msg("no record of that kind");
    return 0;
}

/* FED-76: whom a commit has removed the hub in office says, also where the former one's item is lost; to
 * whoever the former one names instead nothing happens. */
static void removed_just_before(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_invite invite = world_invite(s.room, 5);
    struct world_device *mia = world_customer(s.third, "mia");
    struct world_room *mias = world_join(mia, s.room, &invite);
    world_settle(w);
    assert_true(reads(&s, mia));
    scene_rosa_moves(&s);
    w->hook = no_items;
    w->hook_ctx = &s;
    assert_ok(world_remove(s.room, mias));
    world_settle(w);
    uint64_t at = s.room->tip.next_seq;
    assert_true(reads(&s, mia));
    assert_ok(world_forward(s.rosa, s.old, scene_move_frame(&s, s.room, s.new, 2), NULL));
    world_settle(w);
    w->hook = NULL;
    assert_int_equal(view_at(&s, s.third)->hub_term, 2);
    const uint64_t settled = last_of(&s, HS_RECORD_SETTLED, at);
    says_removed(&s, s.alice, settled);
    assert_true(reads(&s, s.alice));
    scene_pass(&s, 70);
    assert_false(reads(&s, mia));
    assert_true(reads(&s, s.alice));
    still_follows(&s, "to those who are left");
}

/* What a hub may put into a device's inbox it can't put into another node's. */
static void other_items(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    for (int moved = 0; moved < 2; moved++) { /* in its term, and behind it */
        if (moved == 1)
            scene_room_moves(&s);
        size_t items = s.alice->item_count;
        ProtobufCBinaryData room = hs_pb_data(world_copy(w, HS_VIEW(s.room->id)));
        for (int i = 0; i < 3; i++) {
            Hanse__InboxItem *item;
            Hanse__Frame *frame = inbox_frame(&s, &item);
            if (i == 0) {
                item->counter = WORLD_NEW(w, Hanse__CounterItem, hanse__counter_item);
                item->body_case = HANSE__INBOX_ITEM__BODY_COUNTER;
            } else if (i == 1) {
                item->outcome = WORLD_NEW(w, Hanse__OutcomeItem, hanse__outcome_item);
                item->outcome->room = room;
                item->body_case = HANSE__INBOX_ITEM__BODY_OUTCOME;
            } else {
                item->evidence = WORLD_NEW(w, Hanse__EvidenceItem, hanse__evidence_item);
                item->evidence->room = room;
                item->body_case = HANSE__INBOX_ITEM__BODY_EVIDENCE;
            }
            world_inject(s.old, s.third, frame);
            world_settle(w);
        }
        assert_int_equal(s.alice->item_count, items);
        assert_false(view_at(&s, s.third)->forked);
    }
    still_follows(&s, "as before");
}

/* FED-47: a Welcome of the former hub makes it no hub again, and takes no reader further back. */
static void former_hub_welcomes(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct world_device *mia = world_customer(s.third, "mia");
    assert_ok(world_bind(mia, s.old));
    scene_rosa_moves(&s);
    uint64_t at = s.room->tip.next_seq;
    scene_room_moves(&s);
    uint64_t first = view_at(&s, s.third)->first_seq;
    uint64_t places[] = {0, first - 1, at, at + 1, HS_SEQ_END - 1, UINT64_MAX};
    for (size_t i = 0; i < 2 * sizeof places / sizeof places[0]; i++) {
        struct world_device *d = i % 2 == 0 ? mia : s.alice;
        says_welcome(&s, d, places[i / 2]);
        assert_int_equal(view_at(&s, s.third)->first_seq, first);
        assert_int_equal(reads(&s, d), d == s.alice);
    }
    still_follows(&s, "nobody new");
}

/* FED-47: nor does it cut off anybody who is a member. */
static void former_hub_removes(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    scene_rosa_moves(&s);
    uint64_t at = s.room->tip.next_seq;
    scene_room_moves(&s);
    assert_ok(world_post(s.room, "before", NULL));
    world_settle(w);
    uint64_t places[] = {at - 2, at - 1, at, at + 1, at + 1000}; /* a post, Rosa's home, the end, behind it */
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        says_removed(&s, s.alice, places[i]);
        assert_true(reads(&s, s.alice));
    }
    still_follows(&s, "all the same");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(former_hub_names_a_place),
        cmocka_unit_test(home_on_its_way),
        cmocka_unit_test(former_hub_removes),
        cmocka_unit_test(removed_just_before),
        cmocka_unit_test(other_items),
        cmocka_unit_test(former_hub_welcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
