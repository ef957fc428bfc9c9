#include "unit/room/fixture.h"

#include "object/hdr.h"
#include "room/log.h"
#include "schema/room.pb-c.h"
#include "support/rng.h"
#include "wire/unpack.h"

struct record {
    struct hs_bytes header, body;
};

static struct hs_record_spec spec_make(enum hs_record_kind kind, const char *body, int64_t at)
{
    return (struct hs_record_spec){.kind = kind,
                                   .epoch = 3,
                                   .sender_node = key_of("node"),
                                   .sender_persona = key_of("bob"),
                                   .body = hs_bytes_str(body),
                                   .hub_time = later(at)};
}

static struct record append(struct hs_log_tip *tip, enum hs_record_kind kind, const char *body, int64_t at)
{
    struct hs_id room = id_of("room");
    struct hs_record_spec spec = spec_make(kind, body, at);
    struct hs_writer HS_WRITER w = hs_writer(HS_RECORD_HEADER_MAX);
    assert_ok(hs_log_build_next(tip, &room, &spec, &w, NULL));
    return (struct record){hs_arena_copy(&arena, hs_writer_bytes(&w)), hs_bytes_str(body)};
}

static enum hs_err check(struct hs_log_tip *tip, struct record record, struct hs_record_header *out)
{
    struct hs_id room = id_of("room");
    return hs_log_check_next(tip, &room, record.header, record.body, out);
}

enum { RECORDS = 6 };

static struct hs_log_tip log_make(struct record records[static RECORDS])
{
    struct hs_log_tip tip = {0};
    records[0] = append(&tip, HS_RECORD_GENESIS, "genesis", 0);
    records[1] = append(&tip, HS_RECORD_INVITE, "invite", 5);
    records[2] = append(&tip, HS_RECORD_JOIN, "join", 5);
    records[3] = append(&tip, HS_RECORD_COMMIT, "commit", 9);
    records[4] = append(&tip, HS_RECORD_POST, "post", 20);
    records[5] = append(&tip, HS_RECORD_PROPOSAL, "proposal", 30);
    return tip;
}

static void assert_tip(const struct hs_log_tip *got, const struct hs_log_tip *want)
{
    assert_true(got->next_seq == want->next_seq && got->hub_time.ms == want->hub_time.ms);
    assert_true(hs_id_equal(&got->hash, &want->hash));
}

/* ROOM-30 */
static void test_chain(void **state)
{
    (void)state;
    struct record records[RECORDS];
    struct hs_log_tip end = log_make(records), tip = {0};
    struct hs_record_header header;
    for (uint64_t i = 0; i < RECORDS; i++) {
        struct hs_id prev = tip.hash;
        assert_ok(check(&tip, records[i], &header));
        assert_true(header.seq == i && header.epoch == 3);
        assert_int_equal(header.kind, i + 1);
        assert_true(hs_id_equal(&header.prev, &prev));
        assert_true(hs_id_equal(&header.hash, &tip.hash));
        struct hs_id hash = hs_hash_labelled("hanse-record-v1", records[i].header);
        assert_true(hs_id_equal(&header.hash, &hash));
        hash = hs_record_body_hash(records[i].body);
        assert_true(hs_id_equal(&header.body_hash, &hash));
        struct hs_key node = key_of("node"), bob = key_of("bob");
        assert_true(hs_key_equal(&header.sender_node, &node) && hs_key_equal(&header.sender_persona, &bob));
        assert_false(header.erased);
    }
    assert_tip(&tip, &end);
    assert_true(tip.hub_time.ms == later(30).ms);
}

/* ROOM-31: hub time never decreases */
static void test_hub_time(void **state)
{
    (void)state;
    struct hs_log_tip tip = {0};
    struct record records[3];
    records[0] = append(&tip, HS_RECORD_GENESIS, "genesis", 100);
    struct hs_log_tip after = tip;
    records[1] = append(&tip, HS_RECORD_POST, "post", 50); /* the hub's clock went back */
    assert_true(tip.hub_time.ms == later(100).ms);
    struct hs_log_tip copy = after;
    struct hs_record_header header;
    assert_ok(check(&copy, records[1], &header));
    assert_true(header.hub_time.ms == later(100).ms);
    struct hs_log_tip lying = after;
    lying.hub_time.ms = 0;
    records[2] = append(&lying, HS_RECORD_POST, "post", 50); /* a hub that doesn't raise it */
    copy = after;
    assert_err(check(&copy, records[2], &header), HS_ERR_MALFORMED);
    assert_tip(&copy, &after);
}

/* ROOM-32: order, gaps and forks */
static void test_order(void **state)
{
    (void)state;
    struct record records[RECORDS], others[RECORDS];
    log_make(records);
    struct hs_log_tip tip = {0}, other = {0}, before;
    struct hs_record_header header;
    assert_err(check(&tip, records[1], &header), HS_ERR_LOG_GAP);
    assert_ok(check(&tip, records[0], &header));
    assert_ok(check(&tip, records[1], &header));
    before = tip;
    assert_err(check(&tip, records[3], &header), HS_ERR_LOG_GAP);
    assert_err(check(&tip, records[1], &header), HS_ERR_REPLAY);
    assert_err(check(&tip, records[0], &header), HS_ERR_REPLAY);
    assert_tip(&tip, &before);
    others[0] = append(&other, HS_RECORD_GENESIS, "genesis", 0);
    others[1] = append(&other, HS_RECORD_POST, "another story", 5);
    others[2] = append(&other, HS_RECORD_JOIN, "join", 5);
    assert_err(check(&tip, others[2], &header), HS_ERR_LOG_FORK);
    assert_true(header.seq == 0 && header.hub_time.ms == 0);
    assert_tip(&tip, &before);
    assert_ok(check(&tip, records[2], &header));
}

/* ROOM-32: a newcomer starts in the middle */
static void test_anchor(void **state)
{
    (void)state;
    struct record records[RECORDS];
    struct hs_log_tip end = log_make(records), tip = {0};
    struct hs_record_header header;
    assert_ok(hs_record_header_parse(records[2].header, &header));
    tip = (struct hs_log_tip){.next_seq = 3, .hash = header.hash};
    for (size_t i = 3; i < RECORDS; i++)
        assert_ok(check(&tip, records[i], &header));
    assert_tip(&tip, &end);
    tip = (struct hs_log_tip){.next_seq = 3, .hash = id_of("elsewhere")};
    assert_err(check(&tip, records[3], &header), HS_ERR_LOG_FORK);
}

/* ROOM-33: an erased body leaves its header */
static void test_erased(void **state)
{
    (void)state;
    struct record records[RECORDS];
    struct hs_log_tip end = log_make(records), tip = {0};
    struct hs_record_header header;
    for (size_t i = 0; i < RECORDS; i++) {
        if (i == 4)
            records[i].body = hs_bytes(NULL, 0);
        assert_ok(check(&tip, records[i], &header));
        assert_int_equal(header.erased, i == 4);
    }
    assert_tip(&tip, &end);
}

/* ROOM-30: every altered byte of a header or body is noticed, at once or by the next record */
static void test_altered(void **state)
{
    (void)state;
    struct record records[RECORDS];
    log_make(records);
    struct hs_log_tip tip = {0}, copy;
    struct hs_record_header header;
    assert_ok(check(&tip, records[0], &header));
    assert_ok(check(&tip, records[1], &header));
    uint8_t *bytes = bytes_copy(records[2].header);
    for (size_t i = 0; i < records[2].header.len; i++) {
        bytes[i] ^= 1;
        copy = tip;
        struct record altered = {hs_bytes(bytes, records[2].header.len), records[2].body};
        if (check(&copy, altered, &header) == HS_OK)
            assert_err(check(&copy, records[3], &header), HS_ERR_LOG_FORK);
        bytes[i] ^= 1;
        copy = tip;
        assert_true(check(&copy, (struct record){hs_bytes(bytes, i), records[2].body}, &header) != HS_OK);
    }
    copy = tip;
    assert_err(check(&copy, (struct record){records[2].header, hs_bytes_str("joim")}, &header),
               HS_ERR_MALFORMED);
    assert_err(check(&copy, (struct record){records[2].header, hs_bytes_str("join2")}, &header),
               HS_ERR_MALFORMED);
    uint8_t *big = hs_arena_alloc(&arena, HS_RECORD_BODY_MAX + 1);
    struct record huge = {records[2].header, hs_bytes(big, HS_RECORD_BODY_MAX)};
    assert_err(check(&copy, huge, &header), HS_ERR_MALFORMED);
    huge.body.len++;
    assert_err(check(&copy, huge, &header), HS_ERR_TOO_LARGE);
    struct hs_id other_room = id_of("other room");
    assert_err(hs_log_check_next(&copy, &other_room, records[2].header, records[2].body, &header),
               HS_ERR_MALFORMED);
    assert_tip(&copy, &tip);
}

/* ROOM-30 */
static void test_build_refuses(void **state)
{
    (void)state;
    struct hs_id room = id_of("room");
    struct hs_log_tip tip = {0}, none = {0};
    struct hs_writer HS_WRITER w = hs_writer(HS_RECORD_HEADER_MAX);
    struct hs_record_spec spec = spec_make(HS_RECORD_POST, "post", 0);
    assert_err(hs_log_build_next(&tip, &room, &spec, &w, NULL), HS_ERR_INVALID_ARG);
    spec.kind = (enum hs_record_kind)0;
    assert_err(hs_log_build_next(&tip, &room, &spec, &w, NULL), HS_ERR_INVALID_ARG);
    spec = spec_make(HS_RECORD_GENESIS, "", 0);
    assert_err(hs_log_build_next(&tip, &room, &spec, &w, NULL), HS_ERR_INVALID_ARG);
    uint8_t *big = hs_arena_alloc(&arena, HS_RECORD_BODY_MAX + 1);
    spec.body = hs_bytes(big, HS_RECORD_BODY_MAX + 1);
    assert_err(hs_log_build_next(&tip, &room, &spec, &w, NULL), HS_ERR_TOO_LARGE);
    spec.hub_time.ms = -1;
    assert_err(hs_log_build_next(&tip, &room, &spec, &w, NULL), HS_ERR_INVALID_ARG);
    struct hs_writer HS_WRITER small = hs_writer(16);
    spec = spec_make(HS_RECORD_GENESIS, "genesis", 0);
    assert_err(hs_log_build_next(&tip, &room, &spec, &small, NULL), HS_ERR_TOO_LARGE);
    assert_tip(&tip, &none);
    spec.body = hs_bytes(big, HS_RECORD_BODY_MAX);
    assert_ok(hs_log_build_next(&tip, &room, &spec, &w, NULL));
    assert_err(hs_log_build_next(&tip, &room, &spec, &w, NULL), HS_ERR_INVALID_ARG); /* a second genesis */
    spec.kind = (enum hs_record_kind)(HS_RECORD_HOME_MOVE + 1);
    assert_err(hs_log_build_next(&tip, &room, &spec, &w, NULL), HS_ERR_INVALID_ARG);
    assert_true(tip.next_seq == 1);
}

/* A header that a hub's program could write. */
static enum hs_err header_with(void (*edit)(Hanse__RecordHeader *))
{
    struct hs_id id = id_of("x");
    Hanse__RecordHeader m = HANSE__RECORD_HEADER__INIT;
    m.room = m.prev = m.sender_node = m.sender_persona = m.body_hash = hs_pb_data(HS_VIEW(id));
    m.seq = 7;
    m.kind = HANSE__RECORD_KIND__RECORD_POST;
    edit(&m);
    struct hs_record_header header;
    struct hs_writer HS_WRITER w = hs_writer(HS_RECORD_HEADER_MAX);
    assert_ok(HS_PACK(&m, &w));
    return hs_record_header_parse(hs_writer_bytes(&w), &header);
}

static void as_is(Hanse__RecordHeader *m)
{
    (void)m;
}
static void short_room(Hanse__RecordHeader *m)
{
    m->room.len = 31;
}
static void no_prev(Hanse__RecordHeader *m)
{
    m->prev.len = 0;
}
static void early_prev(Hanse__RecordHeader *m)
{
    m->seq = 0;
    m->kind = HANSE__RECORD_KIND__RECORD_GENESIS;
}
static void early_post(Hanse__RecordHeader *m)
{
    m->seq = 0;
    m->prev.len = 0;
}
static void late_genesis(Hanse__RecordHeader *m)
{
    m->kind = HANSE__RECORD_KIND__RECORD_GENESIS;
}
static void last_seq(Hanse__RecordHeader *m)
{
    m->seq = UINT64_MAX;
}
static void negative_time(Hanse__RecordHeader *m)
{
    m->hub_time_ms = -1;
}
static void no_kind(Hanse__RecordHeader *m)
{
    m->kind = HANSE__RECORD_KIND__RECORD_NONE;
}
static void next_kind(Hanse__RecordHeader *m)
{
    m->kind = (Hanse__RecordKind)(HS_RECORD_HOME_MOVE + 1);
}
static void unknown_kind(Hanse__RecordHeader *m)
{
    m->kind = (Hanse__RecordKind)99;
}
static void no_node(Hanse__RecordHeader *m)
{
    m->sender_node.len = 0;
}
static void no_persona(Hanse__RecordHeader *m)
{
    m->sender_persona.len = 0;
}
static void no_body_hash(Hanse__RecordHeader *m)
{
    m->body_hash.len = 0;
}

/* ROOM-30 */
static void test_header(void **state)
{
    (void)state;
    assert_ok(header_with(as_is));
    void (*const malformed[])(Hanse__RecordHeader *) = {short_room,   no_prev,    early_prev,    early_post,
                                                        late_genesis, last_seq,   negative_time, no_kind,
                                                        no_node,      no_persona, no_body_hash};
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++)
        assert_err(header_with(malformed[i]), HS_ERR_MALFORMED);
    assert_err(header_with(next_kind), HS_ERR_UNSUPPORTED);
    assert_err(header_with(unknown_kind), HS_ERR_UNSUPPORTED);
    struct hs_record_header header;
    uint8_t *big = hs_arena_alloc(&arena, HS_RECORD_HEADER_MAX + 1);
    assert_err(hs_record_header_parse(hs_bytes(big, HS_RECORD_HEADER_MAX + 1), &header), HS_ERR_TOO_LARGE);
    assert_err(hs_record_header_parse(hs_bytes(NULL, 0), &header), HS_ERR_MALFORMED);
}

static void test_record(void **state)
{
    (void)state;
    struct hs_writer HS_WRITER w = hs_writer(2 * HS_RECORD_BODY_MAX);
    struct hs_bytes header, body;
    assert_ok(hs_record_pack(hs_bytes_str("header"), hs_bytes_str("body"), &w));
    assert_ok(hs_record_unpack(hs_writer_bytes(&w), &arena, &header, &body));
    assert_bytes(header, hs_bytes_str("header"));
    assert_bytes(body, hs_bytes_str("body"));
    hs_writer_reset(&w);
    assert_ok(hs_record_pack(hs_bytes_str("header"), hs_bytes(NULL, 0), &w));
    assert_ok(hs_record_unpack(hs_writer_bytes(&w), &arena, &header, &body));
    assert_int_equal(body.len, 0);
    assert_err(hs_record_unpack(hs_bytes(NULL, 0), &arena, &header, &body), HS_ERR_MALFORMED);
    uint8_t *big = hs_arena_alloc(&arena, HS_RECORD_BODY_MAX + 1);
    struct hs_bytes full_header = hs_bytes(big, HS_RECORD_HEADER_MAX);
    hs_writer_reset(&w);
    assert_ok(hs_record_pack(full_header, hs_bytes(big, HS_RECORD_BODY_MAX), &w));
    assert_ok(hs_record_unpack(hs_writer_bytes(&w), &arena, &header, &body));
    assert_int_equal(body.len, HS_RECORD_BODY_MAX);
    Hanse__Record message = HANSE__RECORD__INIT;
    message.header = hs_pb_data(hs_bytes(big, 1));
    message.body = hs_pb_data(hs_bytes(big, HS_RECORD_BODY_MAX + 1));
    struct hs_writer HS_WRITER past = hs_writer(2 * HS_RECORD_BODY_MAX);
    assert_ok(HS_PACK(&message, &past));
    assert_err(hs_record_unpack(hs_writer_bytes(&past), &arena, &header, &body), HS_ERR_TOO_LARGE);
    message.header = hs_pb_data(hs_bytes(big, HS_RECORD_HEADER_MAX + 1));
    message.body.len = 1;
    hs_writer_reset(&past);
    assert_ok(HS_PACK(&message, &past));
    assert_err(hs_record_unpack(hs_writer_bytes(&past), &arena, &header, &body), HS_ERR_TOO_LARGE);
    hs_writer_reset(&w);
    assert_err(hs_record_pack(full_header, hs_bytes(big, HS_RECORD_BODY_MAX + 1), &w), HS_ERR_TOO_LARGE);
    assert_err(hs_record_pack(hs_bytes(big, HS_RECORD_HEADER_MAX + 1), full_header, &w), HS_ERR_TOO_LARGE);
}

static void test_random(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    struct record records[RECORDS];
    log_make(records);
    uint8_t bytes[HS_RECORD_HEADER_MAX];
    for (int i = 0; i < 20000; i++) {
        struct hs_bytes from = records[rng_below(&rng, RECORDS)].header;
        struct hs_record_header header;
        memcpy(bytes, from.data, from.len);
        for (size_t j = rng_below(&rng, 6); j > 0; j--)
            bytes[rng_below(&rng, from.len)] = (uint8_t)rng_next(&rng);
        (void)!hs_record_header_parse(hs_bytes(bytes, rng_below(&rng, from.len + 1)), &header);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),  cmocka_unit_test(test_hub_time),      cmocka_unit_test(test_order),
        cmocka_unit_test(test_anchor), cmocka_unit_test(test_erased),        cmocka_unit_test(test_altered),
        cmocka_unit_test(test_header), cmocka_unit_test(test_build_refuses), cmocka_unit_test(test_record),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
