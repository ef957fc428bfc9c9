/* A hub that lies about its log: what a follower takes and what it refuses. */
#include "world.h"

#include "core/federation/peer.h"
#include "identity/descriptor.h"
#include "room/head.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdio.h>

struct scene {
    struct world *w;
    struct world_node *hub, *home, *evil;
    struct world_device *owner, *alice, *bob;
    struct world_room *room, *alices;
    struct world_invite invite;
};

/* Alice is in a room of the good hub, and in one of the evil hub: so her home keeps a session to both. */
static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w,
                      .hub = world_node_new(w, "hub.example"),
                      .home = world_node_new(w, "home.example"),
                      .evil = world_node_new(w, "evil.example")};
    s.owner = world_staff(s.hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.home, "alice");
    s.bob = world_customer(s.home, "bob");
    s.room = world_room_new(s.owner, "launch");
    s.invite = world_invite(s.room, 10);
    s.alices = world_join(s.alice, s.room, &s.invite);
    struct world_device *villain = world_staff(s.evil, "villain", HANSE__ROLE__ROLE_OWNER);
    struct world_room *trap = world_room_new(villain, "trap");
    struct world_invite bait = world_invite(trap, 10);
    (void)world_join(s.alice, trap, &bait);
    return s;
}

static void all_is_well(struct scene *s)
{
    size_t posts = s->alices->post_count;
    assert_ok(world_post(s->room, "well", NULL));
    world_settle(s->w);
    world_pass(s->w, HS_RETRY_MAX_MS);
    world_pass(s->w, 1000);
    assert_int_equal(s->alices->post_count, posts + 1);
    assert_ok(world_post(s->alices, "and back", NULL));
    world_settle(s->w);
    assert_string_equal(s->room->posts[s->room->post_count - 1], "and back");
}

/* What the hook does to the next frame of that kind from the hub. */
struct forgery {
    struct world_node *hub;
    struct world *w;
    enum forgery_kind {
        ALTER_HEADER,
        ALTER_BODY,
        ALTER_HEAD,
        NO_HEAD,
        OLD_HEAD,
        SKIP_ONE,
        ERASED_INVITE
    } kind;
    Hanse__SignedObject *old_head;
    size_t done;
};

static void flip_last(struct world *w, ProtobufCBinaryData *data)
{
    struct hs_bytes copy = world_copy(w, hs_pb_bytes(*data));
    ((uint8_t *)(uintptr_t)copy.data)[copy.len - 1] ^= 1;
    *data = hs_pb_data(copy);
}

/* A record without which the members couldn't go on, as if it had been erased. */
static void erase(struct forgery *f, Hanse__Records *records)
{
    struct hs_record_header header;
    struct hs_writer HS_WRITER out = hs_writer(1 << 16);
    Hanse__Record *first = records->records[0];
    assert_ok(hs_record_header_parse(hs_pb_bytes(first->header), &header));
    struct hs_log_tip tip = {.next_seq = header.seq, .hash = header.prev, .hub_time = header.hub_time};
    struct hs_record_spec spec = {.kind = HS_RECORD_INVITE,
                                  .sender_node = header.sender_node,
                                  .sender_persona = header.sender_persona,
                                  .body = hs_bytes_str("gone"),
                                  .hub_time = header.hub_time};
    assert_ok(hs_log_build_next(&tip, &header.room, &spec, &out, NULL));
    first->header = hs_pb_data(world_take(f->w, &out));
    first->body = hs_pb_data((struct hs_bytes){0});
    records->n_records = 1;
    assert_ok(
        hs_head_build(&f->hub->signer, &header.room, &tip, 1, 1, f->w->now, &f->w->arena, &records->head));
}

static enum world_verdict forge(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *bytes)
{
    struct forgery *f = ctx;
    Hanse__Frame *frame;
    (void)to;
    assert_ok(HS_UNPACK(hanse__frame, *bytes, HS_LENIENT, &f->w->arena, &frame));
    if (from != f->hub || frame->body_case != HANSE__FRAME__BODY_RECORDS)
        return WORLD_PASS;
    Hanse__Records *records = frame->records;
    f->done++;
    switch (f->kind) {
    case ALTER_HEADER:
        flip_last(f->w, &records->records[0]->header);
        break;
    case ALTER_BODY:
        flip_last(f->w, &records->records[0]->body);
        break;
    case ALTER_HEAD:
        flip_last(f->w, &records->head->payload);
        break;
    case NO_HEAD:
        records->head = NULL;
        break;
    case OLD_HEAD:
        records->head = f->old_head;
        break;
    case SKIP_ONE:
        return f->done == 1 ? WORLD_DROP : WORLD_PASS;
    case ERASED_INVITE:
        erase(f, records);
        break;
    }
    *bytes = world_pack(f->w, &frame->base);
    return WORLD_PASS;
}

/* DELIVERY-8, FED-12, ROOM-33: a forged record or head is refused whole; the copy stays as it was, and goes
 * on. What the hub itself signed is evidence: evidence_test.c. */
static void forged_records_are_refused(void **state)
{
    (void)state;
    for (enum forgery_kind kind = ALTER_HEADER; kind <= ERASED_INVITE; kind++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct forgery f = {.hub = s.hub, .w = w, .kind = kind};
        struct hs_log_tip tip = {.next_seq = 1};
        assert_ok(hs_head_build(&s.hub->signer, &s.room->id, &tip, 1, 1, w->now, &w->arena, &f.old_head));
        world_disconnect(s.alice); /* so that only the copy's own changes are seen */
        struct hs_id before = world_store_hash(s.home);
        w->hook = forge;
        w->hook_ctx = &f;
        assert_ok(world_post(s.room, "0", NULL));
        assert_ok(world_post(s.room, "1", NULL));
        world_run(w);
        assert_int_not_equal(f.done, 0);
        struct hs_id after = world_store_hash(s.home);
        assert_memory_equal(before.b, after.b, 32);
        assert_int_not_equal(s.home->closed, 0);
        /* dialled again, but not without a pause */
        size_t dials = s.home->dials;
        for (int i = 0; i < 100; i++)
            world_pass(w, 100);
        assert_in_range(s.home->dials - dials, 1, 8);
        w->hook = NULL;
        world_pass(w, HS_RETRY_MAX_MS);
        assert_ok(world_connect(s.alice, NULL));
        world_attach(s.alice);
        assert_int_equal(s.alices->post_count, 2);
        all_is_well(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forged_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
