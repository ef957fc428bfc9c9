/* Ways to a new hub that are made up, and new hubs that lie on the way. */
#include "way_scene.h"

#include "core/federation/evidence.h"
#include "room/head.h"

/* ---- forged chains ---- */

static Hanse__SignedObject *head_by(struct scene *s, const struct hs_signer *signer,
                                    const struct hs_record_header *over, uint64_t seq, uint32_t term)
{
    struct hs_log_tip tip = {.next_seq = seq + 1, .hash = over->hash, .hub_time = s->w->now};
    Hanse__SignedObject *head;
    assert_ok(hs_head_build(signer, &s->room->id, &tip, term, 1, s->w->now, &s->w->arena, &head));
    return head;
}

static void flip(struct scene *s, ProtobufCBinaryData *bytes, size_t at)
{
    *bytes = hs_pb_data(world_copy(s->w, hs_pb_bytes(*bytes)));
    bytes->data[at < bytes->len ? at : bytes->len - 1] ^= 1;
}

enum {
    FLIP_HEADER,
    FLIP_BODY,
    FLIP_HEAD,
    FLIP_DESCRIPTOR,
    OTHERS_DESCRIPTOR,
    OTHERS_HEAD,
    OTHER_SEQ,
    OTHER_TERM,
    NO_HEAD,
    NO_DESCRIPTOR,
    NO_BODY,
    NO_LINK,
    TWICE,
    FROM_THE_NEW,
    FORGED_COUNT
};

static void forge(struct scene *s, Hanse__Frame *frame, int how)
{
    Hanse__HubMoved *link = frame->way->moves[0];
    struct hs_record_header header;
    assert_ok(hs_record_header_parse(hs_pb_bytes(link->header), &header));
    switch (how) {
    case FLIP_HEADER:
        flip(s, &link->header, link->header.len / 2);
        break;
    case FLIP_BODY:
        flip(s, &link->body, link->body.len / 2);
        break;
    case FLIP_HEAD:
        flip(s, &link->head->payload, link->head->payload.len - 1);
        break;
    case FLIP_DESCRIPTOR:
        flip(s, &link->descriptor->payload, link->descriptor->payload.len / 2);
        break;
    case OTHERS_DESCRIPTOR:
        link->descriptor = s->new->descriptor;
        break;
    case OTHERS_HEAD:
        link->head = head_by(s, &s->new->signer, &header, header.seq, 1);
        break;
    case OTHER_SEQ:
        link->head = head_by(s, &s->old->signer, &header, header.seq + 1, 1);
        break;
    case OTHER_TERM:
        link->head = head_by(s, &s->old->signer, &header, header.seq, 2);
        break;
    case NO_HEAD:
        link->head = NULL;
        break;
    case NO_DESCRIPTOR:
        link->descriptor = NULL;
        break;
    case NO_BODY:
        link->body = (ProtobufCBinaryData){0};
        break;
    case NO_LINK:
        frame->way->n_moves = 0;
        break;
    case TWICE:
        frame->way->moves[1] = link;
        frame->way->n_moves = 2;
        break;
    case FROM_THE_NEW: /* a chain of its own, from a brand that isn't the room's */
        link->descriptor = s->new->descriptor;
        link->head = head_by(s, &s->new->signer, &header, header.seq, 1);
        break;
    }
}

/* FED-60: nothing is changed by a chain that isn't one. */
static void forged_chains(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_away(w, 3);
    for (int how = 0; how < FORGED_COUNT; how++) {
        Hanse__Frame *frame = way_frame(&s, s.new);
        forge(&s, frame, how);
        struct hs_id before = world_store_hash(s.third);
        shows(&s, s.alice, frame);
        struct hs_id after = world_store_hash(s.third);
        if (!hs_id_equal(&before, &after))
            fail_msg("the forged chain %d was taken", how);
    }
    Hanse__Frame *frame = way_frame(&s, s.new); /* of another room that is here */
    frame->way->room = hs_pb_data(world_copy(w, HS_VIEW(s.new->root.pub)));
    shows(&s, s.alice, frame);
    assert_false(has_way(&s, s.third));
    shows(&s, s.alice, way_frame(&s, s.new));
    scene_pass(&s, 10);
    goes_on(&s, s.new, 2);
    frame = way_frame(&s, s.new); /* and the true one, once more, changes nothing either */
    struct hs_id before = world_store_hash(s.third);
    shows(&s, s.alice, frame);
    struct hs_id after = world_store_hash(s.third);
    assert_true(hs_id_equal(&before, &after));
}

/* ---- a new hub that lies about the old one's time ---- */

struct liar {
    struct scene *s;
    int how; /* 0: in headers; 1: in records; 2: leaves records out */
    size_t spoiled;
};

static enum world_verdict spoil(void *ctx, struct world_node *from, struct world_node *to,
                                struct hs_bytes *frame)
{
    struct liar *liar = ctx;
    struct scene *s = liar->s;
    Hanse__Frame *f;
    if (third_is_away(s, from, to, frame) == WORLD_CUT)
        return WORLD_CUT;
    assert_ok(HS_UNPACK(hanse__frame, *frame, HS_LENIENT, &s->w->arena, &f));
    if (from != s->new || to != s->third || f->body_case != HANSE__FRAME__BODY_TAIL ||
        f->tail->n_records == 0)
        return WORLD_PASS;
    Hanse__Record *first = f->tail->records[0];
    if (liar->how == 0 && f->tail->headers)
        flip(s, &first->header, first->header.len / 2);
    else if (liar->how == 1 && !f->tail->headers)
        flip(s, &first->body, first->body.len / 2);
    else if (liar->how == 2 && !f->tail->headers)
        f->tail->records[0] = f->tail->records[f->tail->n_records - 1];
    else
        return WORLD_PASS;
    liar->spoiled++;
    *frame = world_pack(s->w, &f->base);
    return WORLD_PASS;
}

/* FED-61: not one record comes into the copy that the hub which went didn't sign for. */
static void the_new_hub_lies(void **state)
{
    (void)state;
    for (int how = 0; how < 3; how++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_away(w, 12);
        struct liar liar = {.s = &s, .how = how};
        uint64_t next = view_at(&s, s.third)->next_seq;
        w->hook = spoil;
        w->hook_ctx = &liar;
        shows(&s, s.alice, way_frame(&s, s.new));
        scene_pass(&s, 20);
        assert_true(liar.spoiled > 0);
        assert_int_equal(view_at(&s, s.third)->next_seq, next);
        assert_int_equal(view_at(&s, s.third)->hub_term, 0);
        w->hook = third_is_away;
        w->hook_ctx = &s;
        scene_pass(&s, 140);
        goes_on(&s, s.new, 2);
    }
}

/* ---- a room that was given away twice ---- */

static size_t evidence_at(struct world_node *node)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_core_evidence e;
    size_t n = 0;
    while (hs_core_evidence_next(node->kv, &cursor, &arena, &e))
        n++;
    return n;
}

/* The same record once more, with another time and to another node, as the old hub would sign it. */
static Hanse__Frame *other_way(struct scene *s, struct world_node *to, uint64_t back)
{
    Hanse__Frame *frame = way_frame(s, s->new), *move = scene_move_frame(s, s->room, to, 2);
    Hanse__HubMoved *link = frame->way->moves[0];
    struct hs_writer HS_WRITER header = hs_writer(HS_RECORD_HEADER_MAX);
    struct hs_record_header was;
    assert_ok(hs_record_header_parse(hs_pb_bytes(link->header), &was));
    struct hs_log_tip tip = {was.seq - back, was.prev, s->w->now};
    struct hs_record_spec spec = {.kind = HS_RECORD_HUB_MOVE,
                                  .epoch = was.epoch,
                                  .sender_node = to->root.pub,
                                  .sender_persona = was.sender_persona,
                                  .body = hs_pb_bytes(move->move_hub->move),
                                  .hub_time = s->w->now};
    assert_ok(hs_log_build_next(&tip, &s->room->id, &spec, &header, NULL));
    link->body = move->move_hub->move;
    link->header = hs_pb_data(world_take(s->w, &header));
    assert_ok(hs_head_build(&s->old->signer, &s->room->id, &tip, 1, 1, s->w->now, &s->w->arena, &link->head));
    return frame;
}

/* FED-79: the operator has it proved, and a hub that has gone stops nobody by it. */
static void given_away_twice(void **state)
{
    (void)state;
    for (uint64_t back = 0; back < 2; back++) {
        struct world HS_WORLD *w = world_new();
        struct scene s = scene_new(w);
        struct world_node *fourth = world_node_new(w, "fourth.example");
        scene_rosa_moves(&s);
        scene_room_moves(&s);
        shows(&s, s.alice, way_frame(&s, s.new)); /* its own */
        assert_int_equal(evidence_at(s.third), 0);
        Hanse__Frame *forged = other_way(&s, fourth, back);
        forged->way->moves[0]->head->signatures[0]->sig.data[3] ^= 1;
        shows(&s, s.alice, forged);
        assert_int_equal(evidence_at(s.third), 0);
        for (int i = 0; i < 2; i++) /* once */
            shows(&s, s.alice, other_way(&s, fourth, back));
        assert_int_equal(evidence_at(s.third), 1);
        assert_false(has_way(&s, s.third));
        goes_on(&s, s.new, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forged_chains),
        cmocka_unit_test(given_away_twice),
        cmocka_unit_test(the_new_hub_lies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
