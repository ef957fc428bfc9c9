/* HUB_MOVE records that a follower's hub makes up: each is refused for its own reason, and leaves the copy,
 * and whom it is followed from, as they were. */
#include "office_scene.h"

#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "object/object.h"
#include "room/head.h"
#include "room/hub_move.h"
#include "wire/unpack.h"

enum how {
    FLIPPED,        /* nobody's signature */
    UNDER_ANOTHER,  /* the header names somebody else than who signed */
    BY_THE_HUB,     /* the hub's key instead of an owner's device */
    OF_ANOTHER,     /* room */
    TERM_SKIPPED,   /* the next but one */
    TO_ITSELF,      /* the hub that it is */
    DESCRIPTOR,     /* of another root than the one that is named */
    LONG_AGO,       /* said when somebody wanted it */
    CUT,            /* some bytes are missing */
    ERASED,         /* all of them are */
    NOT_THE_LAST,   /* another record of that hub is behind it */
    HEAD_BEFORE,    /* the head is over the record before it */
    HEAD_BEHIND,    /* or covers more */
    HEAD_OF_OTHERS, /* or is another node's */
    HOWS,
    GOOD = HOWS
};

/* What is wrong with the body alone; OK where it is the batch. */
static const enum hs_err wants[HOWS] = {
    [FLIPPED] = HS_ERR_BAD_SIGNATURE,   [UNDER_ANOTHER] = HS_ERR_MALFORMED,
    [BY_THE_HUB] = HS_ERR_WRONG_SIGNER, [OF_ANOTHER] = HS_ERR_MLS_GROUP,
    [TERM_SKIPPED] = HS_ERR_MALFORMED,  [TO_ITSELF] = HS_ERR_MALFORMED,
    [DESCRIPTOR] = HS_ERR_WRONG_SIGNER, [LONG_AGO] = HS_ERR_EXPIRED,
    [CUT] = HS_ERR_MALFORMED,           [ERASED] = HS_ERR_MALFORMED,
};

static struct hs_bytes body_of(struct scene *s, enum how how)
{
    struct world_room *by = s->room;
    struct world_room other = *s->room;
    if (how == OF_ANOTHER)
        other.id.b[0] ^= 1;
    Hanse__Frame *frame = scene_move_frame(s, how == OF_ANOTHER ? &other : by,
                                           how == TO_ITSELF ? s->old : s->new, how == TERM_SKIPPED ? 3 : 2);
    struct hs_bytes body = hs_pb_bytes(frame->move_hub->move);
    Hanse__HubMoveBody *parts;
    assert_ok(HS_UNPACK(hanse__hub_move_body, body, HS_LENIENT, &s->w->arena, &parts));
    if (how == FLIPPED)
        parts->move->signatures[0]->sig.data[9] ^= 1;
    if (how == DESCRIPTOR)
        parts->descriptor = s->third->descriptor;
    if (how == BY_THE_HUB) {
        Hanse__HubMove *payload;
        struct hs_author author = {&s->old->signer, by->persona->signer.pub, s->w->now, NULL};
        struct hs_hdr_spec hdr = {.audience = HS_VIEW(by->id)};
        assert_ok(HS_UNPACK(hanse__hub_move, hs_pb_bytes(parts->move->payload), HS_LENIENT, &s->w->arena,
                            &payload));
        payload->hdr = NULL;
        assert_ok(
            hs_object_make(HS_KIND_HUB_MOVE, &payload->base, &author, &hdr, &s->w->arena, &parts->move));
    }
    body = world_pack(s->w, &parts->base);
    if (how == CUT)
        body.len -= 5;
    return body;
}

/* The next record of the third node's copy, as the old hub would write it. */
static struct hs_record_header next_record(struct scene *s, struct hs_log_tip *tip, enum hs_record_kind kind,
                                           const struct hs_key *persona, struct hs_bytes body,
                                           Hanse__Record *out)
{
    struct hs_writer HS_WRITER header = hs_writer(HS_RECORD_HEADER_MAX);
    struct hs_record_header made;
    struct hs_record_spec spec = {.kind = kind,
                                  .epoch = 1,
                                  .sender_node = s->new->root.pub,
                                  .sender_persona = *persona,
                                  .body = body,
                                  .hub_time = s->w->now};
    assert_ok(hs_log_build_next(tip, &s->room->id, &spec, &header, &made));
    out->header = hs_pb_data(world_take(s->w, &header));
    out->body = hs_pb_data(world_copy(s->w, body));
    return made;
}

static struct hs_log_tip tip_at(struct scene *s, struct hs_turn *turn)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, &s->room->id);
    struct hs_log_tip tip = {.next_seq = view->next_seq, .hub_time = {view->hub_time_ms}};
    assert_true(HS_FIXED(hs_pb_bytes(view->hash), &tip.hash));
    return tip;
}

/* True where the third node's copy has stayed as it was. */
static bool is_refused(enum how how)
{
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_turn turn = {.core = s.third->core, .kv = s.third->kv, .arena = &w->arena};
    struct hs_bytes body = body_of(&s, how);
    if (how == LONG_AGO)
        w->now.ms += HS_HUB_MOVE_AGE_MS + 1;
    turn.now = w->now;
    struct hs_log_tip before = tip_at(&s, &turn), tip = before;
    Hanse__Frame *frame = world_frame(w);
    frame->records = WORLD_NEW(w, Hanse__Records, hanse__records);
    frame->body_case = HANSE__FRAME__BODY_RECORDS;
    frame->records->room = hs_pb_data(world_copy(w, HS_VIEW(s.room->id)));
    frame->records->records = hs_arena_alloc(&w->arena, 2 * sizeof *frame->records->records);
    assert_non_null(frame->records->records);
    for (size_t i = 0; i < 2; i++)
        frame->records->records[i] = WORLD_NEW(w, Hanse__Record, hanse__record);
    frame->records->n_records = how == NOT_THE_LAST ? 2 : 1;
    const struct hs_key *persona = &(how == UNDER_ANOTHER ? s.alices : s.room)->persona->signer.pub;
    struct hs_record_header move =
        next_record(&s, &tip, HS_RECORD_HUB_MOVE, persona, body, frame->records->records[0]);
    if (how == ERASED)
        frame->records->records[0]->body = (ProtobufCBinaryData){0};
    else
        assert_err(hs_office_check_move(&turn, &s.room->id, hs_room_view(&turn, &s.room->id), &move, body),
                   how < HOWS ? wants[how] : HS_OK);
    if (how == NOT_THE_LAST)
        (void)next_record(&s, &tip, HS_RECORD_POST, persona, hs_bytes_str("more"),
                          frame->records->records[1]);
    tip = how == HEAD_BEFORE ? before : tip;
    tip.next_seq += how == HEAD_BEHIND ? 1 : 0;
    const struct hs_signer *signer = how == HEAD_OF_OTHERS ? &s.new->signer : &s.old->signer;
    assert_ok(hs_head_build(signer, &s.room->id, &tip, 1, 1, w->now, &w->arena, &frame->records->head));
    struct hs_id was = world_store_hash(s.third);
    world_inject(s.old, s.third, frame);
    struct hs_id is = world_store_hash(s.third);
    return hs_id_equal(&was, &is);
}

/* ROOM-82, FED-47 */
static void made_up_moves(void **state)
{
    (void)state;
    for (int how = 0; how < HOWS; how++)
        if (!is_refused((enum how)how))
            fail_msg("the forgery %d was taken", how);
    assert_false(is_refused(GOOD));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(made_up_moves)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
