/* HUB_MOVE records as a hub, a member or somebody else would like them: a device takes none but an owner's,
 * for its room and the next term, to a hub that its own root vouches for. Each other one freezes the room
 * with its own reason, and changes nothing of where the device looks for the hub. */
#include "hostile.h"

#include "identity/certificate.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "room/hub_move.h"
#include "wire/unpack.h"

#include <sodium.h>

enum how {
    GOOD,
    BY_MEMBER,
    BY_MEMBER_UNDER_OWNER,
    BY_OWNER_UNDER_MEMBER,
    BY_OTHER_DEVICE,
    BY_STRANGER,
    BY_HUB,
    FLIPPED,
    OTHER_ROOM,
    TERM_FIRST,
    TERM_SKIPPED,
    TERM_LAST,
    TERM_BEYOND,
    SAME_HUB,
    OTHER_ROOT,
    OTHER_DESCRIPTOR,
    DESCRIPTOR_OVER,
    FROM_THE_FUTURE,
    LONG_AGO,
    NO_MOVE,
    NO_CERTIFICATE,
    NO_DESCRIPTOR,
    UNKNOWN_FIELD,
    GARBAGE,
    TOO_LONG,
    ERASED,
};

static const struct {
    enum how how;
    enum hs_err want;
} forgeries[] = {
    {BY_MEMBER, HS_ERR_DENIED},
    {BY_MEMBER_UNDER_OWNER, HS_ERR_WRONG_SENDER},
    {BY_OWNER_UNDER_MEMBER, HS_ERR_WRONG_SENDER},
    {BY_OTHER_DEVICE, HS_ERR_WRONG_SENDER},
    {BY_STRANGER, HS_ERR_DENIED},
    {BY_HUB, HS_ERR_WRONG_SIGNER},
    {FLIPPED, HS_ERR_BAD_SIGNATURE},
    {OTHER_ROOM, HS_ERR_MLS_GROUP},
    {TERM_FIRST, HS_ERR_MALFORMED},
    {TERM_SKIPPED, HS_ERR_POLICY},
    {TERM_LAST, HS_ERR_POLICY},
    {TERM_BEYOND, HS_ERR_TOO_LARGE},
    {SAME_HUB, HS_ERR_POLICY},
    {OTHER_ROOT, HS_ERR_WRONG_SIGNER},
    {OTHER_DESCRIPTOR, HS_ERR_WRONG_SIGNER},
    {DESCRIPTOR_OVER, HS_ERR_EXPIRED},
    {FROM_THE_FUTURE, HS_ERR_NOT_YET},
    {LONG_AGO, HS_ERR_EXPIRED},
    {NO_MOVE, HS_ERR_MALFORMED},
    {NO_CERTIFICATE, HS_ERR_MALFORMED},
    {NO_DESCRIPTOR, HS_ERR_MALFORMED},
    {UNKNOWN_FIELD, HS_ERR_UNSUPPORTED},
    {GARBAGE, HS_ERR_MALFORMED},
    {TOO_LONG, HS_ERR_TOO_LARGE},
    {ERASED, HS_ERR_LOG_GAP},
};

struct scene {
    struct hostile c;
    struct town_device *cem;
    struct town_node *new;
    struct hs_key cems;
    struct hs_id other; /* another room of the owner's */
    struct hs_arena arena;
};

static struct scene scene_new(void)
{
    struct scene s = {.c = hostile_new(), .arena = hs_arena(1 << 22)};
    s.new = town_node_new(s.c.t, "new.example");
    s.cem = town_guest(s.c.t, "Cem", town_link(s.c.alice, &s.c.room, 5));
    s.other = town_room(s.c.alice, "other");
    assert_ok(hs_sync_persona(s.cem->sync, &s.c.rosa->root.pub, &s.cems));
    town_wait(s.c.t, 2000);
    return s;
}

static void scene_free(struct scene *s)
{
    town_free(s->c.t);
    hs_arena_free(&s->arena);
}

/* A device of that persona's that its persona vouches for, and no group knows. */
static Hanse__SignedObject *certify(struct scene *s, const struct hs_signer *persona,
                                    const struct hs_signer *device)
{
    Hanse__SignedObject *out;
    struct hs_certificate certificate = {.signature_key = device->pub, .device_number = 7};
    randombytes_buf(certificate.transport_key.b, sizeof certificate.transport_key.b);
    assert_ok(hs_certificate_build(persona, &certificate, town_now(s->c.t), &s->arena, &out));
    return out;
}

static Hanse__SignedObject *descriptor_over(struct scene *s)
{
    struct hs_descriptor d;
    Hanse__SignedObject *object, *out;
    struct hs_time then = {town_now(s->c.t).ms - 10 * (int64_t)TOWN_DAY_MS};
    assert_ok(hs_object_unpack(s->new->descriptor, &s->arena, &object));
    assert_ok(hs_descriptor_open(object, &s->new->root.pub, &d));
    d.not_after = (struct hs_time){town_now(s->c.t).ms - 1};
    assert_ok(hs_descriptor_build(&s->new->root, &d, then, &s->arena, &out));
    return out;
}

struct made {
    struct hs_signer signer;
    struct hs_key issuer;
    Hanse__SignedObject *certificate, *descriptor;
    struct hs_id room;
    struct hs_key hub;
    uint32_t term;
    struct hs_time at;
};

static enum hs_err self_of(struct hs_step *s, const struct hs_key *brand, struct scene *c, enum how how,
                           struct made *out)
{
    struct hs_self HS_SELF self = {0};
    struct hs_signer HS_SIGNER stranger;
    struct hs_bytes bytes;
    HS_TRY(hs_self_for(s, brand, &self));
    out->signer = self.device.signature;
    out->issuer = self.persona;
    HS_TRY(hs_object_pack(self.certificate, &c->arena, &bytes));
    HS_TRY(hs_object_unpack(bytes, &c->arena, &out->certificate));
    hs_signer_random(&stranger);
    if (how == BY_OTHER_DEVICE || how == BY_STRANGER) {
        const struct hs_signer *persona = how == BY_STRANGER ? &stranger : &self.persona_signer;
        hs_signer_random(&out->signer);
        out->issuer = persona->pub;
        out->certificate = certify(c, persona, &out->signer);
    }
    if (how == BY_HUB)
        out->signer = c->c.rosa->signer;
    return HS_OK;
}

static struct made made_of(struct scene *c, enum how how)
{
    const bool members = how == BY_MEMBER || how == BY_MEMBER_UNDER_OWNER;
    struct town_node *to = how == SAME_HUB ? c->c.rosa : c->new;
    struct made m = {.room = how == OTHER_ROOM ? c->other : c->c.room,
                     .hub = to->root.pub,
                     .term = how == TERM_FIRST     ? 1
                             : how == TERM_SKIPPED ? 3
                             : how == TERM_LAST    ? HS_HUB_TERM_MAX
                             : how == TERM_BEYOND  ? HS_HUB_TERM_MAX + 1
                                                   : 2,
                     .at = town_now(c->c.t)};
    m.at.ms += how == FROM_THE_FUTURE ? HS_CLOCK_SKEW_MS + 1 : 0;
    TOWN_WANT(members ? c->cem : c->c.alice, self_of(&s, &c->c.rosa->root.pub, c, how, &m));
    assert_ok(hs_object_unpack(how == OTHER_DESCRIPTOR ? c->c.rosa->descriptor : to->descriptor, &c->arena,
                               &m.descriptor));
    if (how == DESCRIPTOR_OVER)
        m.descriptor = descriptor_over(c);
    if (how == OTHER_ROOT)
        m.hub = c->cems;
    return m;
}

static struct hs_bytes body_of(struct scene *s, enum how how, struct hs_key *by)
{
    struct made m = made_of(s, how);
    struct hs_writer HS_WRITER w = hs_writer(2 * HS_HUB_MOVE_MAX);
    Hanse__HubMove payload = HANSE__HUB_MOVE__INIT;
    Hanse__HubMoveBody body = HANSE__HUB_MOVE_BODY__INIT;
    uint8_t filling[HS_HUB_MOVE_MAX] = {0};
    payload.hub_root = hs_pb_data(HS_VIEW(m.hub));
    payload.hub_term = m.term;
    struct hs_author author = {&m.signer, m.issuer, m.at, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(m.room)};
    assert_ok(hs_object_make(HS_KIND_HUB_MOVE, &payload.base, &author, &hdr, &s->arena, &body.move));
    body.owner_certificate = how == NO_CERTIFICATE ? NULL : m.certificate;
    body.descriptor = how == NO_DESCRIPTOR ? NULL : m.descriptor;
    if (how == FLIPPED)
        body.move->signatures[0]->sig.data[5] ^= 1;
    if (how == NO_MOVE)
        body.move = NULL;
    assert_ok(HS_PACK(&body, &w));
    if (how == UNKNOWN_FIELD || how == TOO_LONG) {
        size_t len = how == TOO_LONG ? HS_HUB_MOVE_MAX + 1 - hs_writer_bytes(&w).len - 4 : 3;
        hs_write_u8(&w, 0x9a); /* field 99, bytes */
        hs_write_u8(&w, 0x06);
        hs_write_pb_varint(&w, len);
        hs_write_bytes(&w, hs_bytes(filling, len));
    }
    assert_int_equal(w.err, HS_OK);
    *by = m.issuer;
    struct hs_bytes out = hs_arena_copy(&s->arena, hs_writer_bytes(&w));
    if (how == GARBAGE)
        out.len -= 3;
    if (how == TOO_LONG)
        assert_true(out.len > HS_HUB_MOVE_MAX && out.len < HS_HUB_MOVE_MAX + 4);
    return out;
}

static void show(struct scene *s, enum how how)
{
    const bool members = how == BY_MEMBER || how == BY_OWNER_UNDER_MEMBER;
    struct hs_key by;
    struct shown record = {.kind = HS_RECORD_HUB_MOVE, .body = body_of(s, how, &by), .erased = how == ERASED};
    record.persona = how == BY_STRANGER ? by : members ? s->cems : s->c.alices;
    if (how == LONG_AGO)
        town_skip(s->c.t, HS_HUB_MOVE_AGE_MS + 1);
    hostile_show(&s->c, &record, HS_OK);
}

/* ROOM-82, ROOM-94 */
static void only_an_owners(void **state)
{
    (void)state;
    static const struct hs_key none;
    for (size_t i = 0; i < sizeof forgeries / sizeof forgeries[0]; i++) {
        struct scene s = scene_new();
        struct hs_room_row before = hostile_room(s.c.ben, &s.c.room);
        show(&s, forgeries[i].how);
        struct hs_room_row row = hostile_room(s.c.ben, &s.c.room);
        if (row.state != HS_ROOM_STATE_FROZEN || row.frozen != forgeries[i].want)
            fail_msg("forgery %d: state %d, %s instead of %s", (int)forgeries[i].how, (int)row.state,
                     hs_err_name((enum hs_err)row.frozen), hs_err_name(forgeries[i].want));
        assert_true(hs_key_equal(&row.office_root, &none));
        assert_int_equal(row.hub_term, before.hub_term);
        assert_int_equal(row.tip.next_seq, before.tip.next_seq + 1);
        assert_int_equal(town_event_count(s.c.ben, HANSE_EVENT_HUB), 0);
        assert_int_equal(town_event_count(s.c.ben, HANSE_EVENT_FROZEN), 1);
        scene_free(&s);
    }
}

/* ROOM-82: behind the real one nothing of the hub that went counts, and the same one isn't the next. */
static void nothing_behind_it(void **state)
{
    (void)state;
    struct scene s = scene_new();
    show(&s, GOOD);
    struct hs_room_row row = hostile_room(s.c.ben, &s.c.room);
    assert_int_equal(row.state, HS_ROOM_STATE_MEMBER);
    assert_true(hs_key_equal(&row.office_root, &s.new->root.pub));
    assert_int_equal(row.hub_term, 2);
    assert_int_equal(town_event_count(s.c.ben, HANSE_EVENT_HUB), 1);
    struct shown head = {.head = row.tip};
    hostile_show(&s.c, &head, HS_ERR_WRONG_SIGNER); /* by the former hub's key */
    head.head.next_seq++;
    hostile_show(&s.c, &head, HS_ERR_WRONG_SIGNER);
    row = hostile_room(s.c.ben, &s.c.room);
    assert_int_equal(row.state, HS_ROOM_STATE_MEMBER);
    assert_false(row.has_promise);
    scene_free(&s);
}

/* ROOM-82: a head beyond the last record of the term was signed before. */
static void signed_beyond(void **state)
{
    (void)state;
    struct scene s = scene_new();
    struct shown head = {.head = hostile_room(s.c.ben, &s.c.room).tip};
    head.head.next_seq += 3;
    hostile_show(&s.c, &head, HS_OK);
    struct hs_key by;
    struct shown record = {.kind = HS_RECORD_HUB_MOVE, .body = body_of(&s, GOOD, &by), .head = head.head};
    record.persona = by;
    hostile_show(&s.c, &record, HS_OK);
    struct hs_room_row row = hostile_room(s.c.ben, &s.c.room);
    assert_int_equal(row.state, HS_ROOM_STATE_FROZEN);
    assert_int_equal(row.frozen, HS_ERR_LOG_FORK);
    assert_int_equal(hs_row_term(&row), 1);
    scene_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_an_owners), cmocka_unit_test(nothing_behind_it),
                                       cmocka_unit_test(signed_beyond)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
