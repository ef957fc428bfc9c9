#include "hostile.h"

#include "identity/grant.h"
#include "wire/unpack.h"

static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER);

struct hostile hostile_new(void)
{
    struct hostile c = {.t = town_new()};
    c.rosa = town_node_new(c.t, "rosa.example");
    c.alice = town_member_of_staff(c.rosa, "rosa", owner);
    c.room = town_room(c.alice, "VIP");
    c.ben = town_guest(c.t, "Ben", town_link(c.alice, &c.room, 5));
    assert_ok(hs_sync_persona(c.alice->sync, &c.rosa->root.pub, &c.alices));
    town_wait(c.t, 2000);
    return c;
}

struct hs_room_row hostile_room(struct town_device *d, const struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_room_row row;
    assert_true(hs_room_get(town_look(d), room, &arena, &row));
    town_looked(d);
    return row;
}

struct hs_message_row hostile_line(struct town_device *d, const struct hs_id *room, uint64_t seq)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_message_row row = {0};
    if (!hs_message_next(town_look(d), room, seq, &arena, &row) || row.seq != seq)
        row = (struct hs_message_row){0};
    town_looked(d);
    return row;
}

enum hs_err hostile_protect(struct hs_step *s, const struct hs_id *id, struct hs_bytes content,
                            const struct hs_message_context *context, struct hs_arena *arena,
                            struct hs_bytes *out)
{
    struct hs_live_room *room;
    struct hs_writer HS_WRITER data = hs_writer(HS_CONTEXT_MAX), message = hs_writer(HS_FRAME_MAX);
    HS_TRY(hs_live_member(s, id, &room));
    HS_TRY(hs_message_context_pack(context, &data));
    HS_TRY(hs_mls_group_protect(room->group, content, hs_writer_bytes(&data), 256, &message));
    room->group_dirty = true;
    *out = hs_arena_copy(arena, hs_writer_bytes(&message));
    return HS_OK;
}

struct hs_bytes hostile_text(struct hostile *c, const char *text, const struct hs_message_context *context,
                             struct hs_arena *arena)
{
    struct hs_writer HS_WRITER content = hs_writer(HS_CONTENT_MAX);
    struct hs_content plain = hs_content_text(hs_bytes_str(text), town_now(c->t));
    struct hs_bytes body;
    assert_ok(hs_content_build(&plain, &content));
    TOWN_WANT(c->alice, hostile_protect(&s, &c->room, hs_writer_bytes(&content), context, arena, &body));
    return body;
}

void hostile_show(struct hostile *c, const struct shown *what, enum hs_err want)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_writer HS_WRITER header = hs_writer(HS_RECORD_HEADER_MAX), w = hs_writer(HS_FRAME_MAX);
    struct hs_log_tip tip = hostile_room(c->ben, &c->room).tip;
    Hanse__Record record = HANSE__RECORD__INIT, *list = &record;
    Hanse__Records records = HANSE__RECORDS__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    if (what->kind != 0) {
        struct hs_record_spec spec = {.kind = what->kind,
                                      .sender_node = c->rosa->root.pub,
                                      .sender_persona = what->persona,
                                      .body = what->body,
                                      .hub_time = town_now(c->t)};
        assert_ok(hs_log_build_next(&tip, &c->room, &spec, &header, NULL));
        record.header = hs_pb_data(hs_writer_bytes(&header));
        record.body = hs_pb_data(what->erased ? (struct hs_bytes){0} : what->body);
        records.records = &list;
        records.n_records = 1;
    }
    if (what->head.next_seq > 0)
        tip = what->head;
    assert_ok(hs_head_build(&c->rosa->signer, &c->room, &tip, 1, 1, town_now(c->t), &arena, &records.head));
    records.room = hs_pb_data(HS_VIEW(c->room));
    records.descriptor = what->descriptor;
    frame.body_case = HANSE__FRAME__BODY_RECORDS;
    frame.records = &records;
    assert_ok(HS_PACK(&frame, &w));
    TOWN_WANT_ERR(c->ben, hs_sync_frame(&s, hs_writer_bytes(&w)), want);
}
