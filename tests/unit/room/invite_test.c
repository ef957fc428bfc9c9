#include "unit/room/fixture.h"

#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static struct hs_invite_spec spec_make(const struct person *moderator)
{
    return (struct hs_invite_spec){.device = &moderator->device,
                                   .certificate = moderator->certificate,
                                   .room = id_of("room"),
                                   .invite_key = key_of("invite"),
                                   .max_uses = 50,
                                   .now = now,
                                   .not_after = later(7 * day_ms),
                                   .campaign = "spring"};
}

static struct hs_bytes invite_make(const struct hs_invite_spec *spec)
{
    struct hs_writer HS_WRITER w = hs_writer(65536);
    assert_ok(hs_invite_build(spec, &w));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

/* ROOM-22 */
static void test_round_trip(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_invite_spec spec = spec_make(&rosa);
    struct hs_bytes body = invite_make(&spec);
    struct hs_id room;
    struct hs_invite invite;
    assert_ok(hs_invite_claimed_room(body, &room));
    assert_true(hs_id_equal(&room, &spec.room));
    assert_ok(hs_invite_verify(body, &spec.room, now, &invite));
    assert_true(hs_key_equal(&invite.invite_key, &spec.invite_key));
    assert_true(hs_id_equal(&invite.room, &spec.room));
    assert_true(hs_key_equal(&invite.issuer, &rosa.persona.pub));
    assert_true(hs_key_equal(&invite.device, &rosa.device.pub));
    assert_int_equal(invite.max_uses, 50);
    assert_true(invite.created.ms == now.ms && invite.not_after.ms == spec.not_after.ms);
    assert_string_equal(invite.campaign, "spring");
    spec.campaign = NULL;
    assert_ok(hs_invite_verify(invite_make(&spec), &spec.room, now, &invite));
    assert_string_equal(invite.campaign, "");
}

/* ROOM-22: every limit, at it and one past it */
static void test_limits(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_invite_spec good = spec_make(&rosa), spec = good;
    struct hs_writer HS_WRITER w = hs_writer(65536);
    struct hs_invite invite;
    char campaign[HS_INVITE_CAMPAIGN_MAX + 2] = {0};
    memset(campaign, 'c', HS_INVITE_CAMPAIGN_MAX);
    spec.campaign = campaign;
    spec.max_uses = HS_INVITE_USES_MAX;
    spec.not_after = later(1);
    assert_ok(hs_invite_verify(invite_make(&spec), &spec.room, now, &invite));
    assert_string_equal(invite.campaign, campaign);
    campaign[HS_INVITE_CAMPAIGN_MAX] = 'c';
    assert_err(hs_invite_build(&spec, &w), HS_ERR_INVALID_ARG);
    spec = good;
    spec.campaign = "\x01";
    assert_err(hs_invite_build(&spec, &w), HS_ERR_INVALID_ARG);
    spec = good;
    spec.max_uses = HS_INVITE_USES_MAX + 1;
    assert_err(hs_invite_build(&spec, &w), HS_ERR_INVALID_ARG);
    spec.max_uses = 0;
    assert_err(hs_invite_build(&spec, &w), HS_ERR_INVALID_ARG);
    spec = good;
    spec.not_after = now;
    assert_err(hs_invite_build(&spec, &w), HS_ERR_INVALID_ARG);
    spec.not_after.ms = 0;
    assert_err(hs_invite_build(&spec, &w), HS_ERR_INVALID_ARG);
    spec = good;
    spec.certificate = person_make("bob", NULL).certificate;
    assert_err(hs_invite_build(&spec, &w), HS_ERR_INVALID_ARG);
    assert_int_equal(hs_writer_bytes(&w).len, 0);
}

/* ROOM-22 */
static void test_windows(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_invite_spec spec = spec_make(&rosa);
    struct hs_bytes body = invite_make(&spec);
    struct hs_invite invite;
    assert_ok(hs_invite_verify(body, &spec.room, later(7 * day_ms - 1), &invite));
    assert_err(hs_invite_verify(body, &spec.room, later(7 * day_ms), &invite), HS_ERR_INVITE_EXPIRED);
    assert_int_equal(invite.max_uses, 0);
    assert_ok(hs_invite_open(body, &spec.room, later(7 * day_ms), &invite));
    assert_ok(hs_invite_verify(body, &spec.room, later(-HS_CLOCK_SKEW_MS), &invite));
    assert_err(hs_invite_verify(body, &spec.room, later(-HS_CLOCK_SKEW_MS - 1), &invite),
               HS_ERR_INVITE_INVALID);
    /* the certificate must hold when the invite is made, not for ever after */
    spec.now = later(200 * day_ms - 1);
    spec.not_after = later(201 * day_ms);
    body = invite_make(&spec);
    assert_ok(hs_invite_verify(body, &spec.room, later(201 * day_ms - 1), &invite));
}

/* What dishonest programs could sign. */
struct forgery {
    struct hs_signer device;
    const Hanse__SignedObject *certificate;
    struct hs_key issuer;
    struct hs_bytes audience, invite_key;
    struct hs_time created, not_after;
    uint32_t max_uses;
    char *campaign;
};

static struct hs_bytes forged(const struct forgery *f)
{
    Hanse__InviteGrant payload = HANSE__INVITE_GRANT__INIT;
    payload.invite_key = hs_pb_data(f->invite_key);
    payload.max_uses = f->max_uses;
    payload.campaign = f->campaign;
    struct hs_author author = {&f->device, f->issuer, f->created, NULL};
    struct hs_hdr_spec hdr = {.audience = f->audience, .not_after = f->not_after};
    Hanse__InviteBody message = HANSE__INVITE_BODY__INIT;
    struct hs_writer HS_WRITER w = hs_writer(65536);
    assert_ok(hs_object_make(HS_KIND_INVITE_GRANT, &payload.base, &author, &hdr, &arena, &message.grant));
    assert_ok(hs_object_copy(f->certificate, &arena, &message.issuer_certificate));
    assert_ok(HS_PACK(&message, &w));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

/* ROOM-22 */
static void test_forgeries(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa"), eve = person_make("eve", NULL);
    struct hs_id room = id_of("room"), other_room = id_of("other room");
    struct hs_key invite_key = key_of("invite"), no_point = {.b = {2}};
    const struct forgery good = {.device = rosa.device,
                                 .certificate = rosa.certificate,
                                 .issuer = rosa.persona.pub,
                                 .audience = HS_VIEW(room),
                                 .invite_key = HS_VIEW(invite_key),
                                 .created = now,
                                 .not_after = later(day_ms),
                                 .max_uses = 1,
                                 .campaign = ""};
    struct hs_invite invite;
    assert_ok(hs_invite_verify(forged(&good), &room, now, &invite));
    assert_err(hs_invite_verify(forged(&good), &other_room, now, &invite), HS_ERR_INVITE_INVALID);
#define FORGED(...)                                                                                          \
    do {                                                                                                     \
        struct forgery f = good;                                                                             \
        __VA_ARGS__;                                                                                         \
        assert_err(hs_invite_verify(forged(&f), &room, now, &invite), HS_ERR_INVITE_INVALID);                \
        assert_int_equal(invite.max_uses, 0);                                                                \
    } while (0)
    FORGED(f.device = eve.device);                                  /* not the certified device */
    FORGED(f.device = rosa.persona);                                /* the persona itself is no device */
    FORGED(f.certificate = eve.certificate);                        /* not the signer's certificate */
    FORGED(f.device = eve.device, f.certificate = eve.certificate); /* in another's name */
    FORGED(f.audience = HS_VIEW(other_room));
    FORGED(f.audience = hs_bytes(NULL, 0));
    FORGED(f.invite_key = hs_bytes(invite_key.b, 31));
    FORGED(f.invite_key = HS_VIEW(no_point));
    FORGED(f.not_after = now);
    FORGED(f.not_after.ms = 0);
    FORGED(f.max_uses = 0);
    FORGED(f.max_uses = HS_INVITE_USES_MAX + 1);
    FORGED(f.campaign = "12345678901234567890123456789012345678901234567890123456789012345");
    FORGED(f.certificate = certificate_make(&rosa.persona, &rosa.device, later(-9 * day_ms), now));
    FORGED(f.certificate = certificate_make(&rosa.persona, &rosa.device, later(1), later(day_ms)));
    FORGED(f.certificate = certificate_make(&eve.persona, &rosa.device, now, later(day_ms)));
#undef FORGED
    assert_err(hs_invite_verify(hs_bytes(NULL, 0), &room, now, &invite), HS_ERR_INVITE_INVALID);
    uint8_t *big = hs_arena_alloc(&arena, 100000);
    assert_err(hs_invite_verify(hs_bytes(big, 100000), &room, now, &invite), HS_ERR_INVITE_INVALID);
}

/* ROOM-22: bodies that lack a part */
static void test_incomplete(void **state)
{
    (void)state;
    struct hs_id room = id_of("room"), claimed;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_invite_spec spec = spec_make(&rosa);
    struct hs_bytes body = invite_make(&spec);
    Hanse__InviteBody *whole = NULL;
    assert_ok(HS_UNPACK(hanse__invite_body, body, HS_STRICT, &arena, &whole));
    for (int part = 0; part < 3; part++) {
        Hanse__InviteBody message = *whole;
        Hanse__SignedObject without_payload = *whole->grant;
        struct hs_writer HS_WRITER w = hs_writer(65536);
        struct hs_invite invite;
        without_payload.payload.len = 0;
        if (part == 0)
            message.grant = NULL;
        else if (part == 1)
            message.issuer_certificate = NULL;
        else
            message.grant = &without_payload;
        assert_ok(HS_PACK(&message, &w));
        assert_err(hs_invite_open(hs_writer_bytes(&w), &room, now, &invite), HS_ERR_INVITE_INVALID);
        assert_err(hs_invite_claimed_room(hs_writer_bytes(&w), &claimed), HS_ERR_MALFORMED);
    }
    uint8_t *big = hs_arena_alloc(&arena, 49153);
    assert_err(hs_invite_claimed_room(hs_bytes(big, 49152), &claimed), HS_ERR_MALFORMED);
    assert_err(hs_invite_claimed_room(hs_bytes(big, 49153), &claimed), HS_ERR_TOO_LARGE);
}

/* ROOM-22: altered at each byte, cut at each byte */
static void test_altered(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_invite_spec spec = spec_make(&rosa);
    struct hs_bytes body = invite_make(&spec);
    uint8_t *copy = bytes_copy(body);
    struct hs_invite invite;
    for (size_t i = 0; i < body.len; i++) {
        for (int bit = 0; bit < 8; bit += 7) {
            copy[i] ^= (uint8_t)(1 << bit);
            assert_err(hs_invite_verify(hs_bytes(copy, body.len), &spec.room, now, &invite),
                       HS_ERR_INVITE_INVALID);
            copy[i] ^= (uint8_t)(1 << bit);
        }
        assert_err(hs_invite_verify(hs_bytes(copy, i), &spec.room, now, &invite), HS_ERR_INVITE_INVALID);
    }
    assert_ok(hs_invite_verify(hs_bytes(copy, body.len), &spec.room, now, &invite));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_limits),  cmocka_unit_test(test_windows),
        cmocka_unit_test(test_forgeries),  cmocka_unit_test(test_altered), cmocka_unit_test(test_incomplete),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
