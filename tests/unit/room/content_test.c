#include "unit/room/fixture.h"

#include "room/content.h"
#include "schema/room.pb-c.h"
#include "support/rng.h"
#include "wire/unpack.h"

static struct hs_bytes built(const struct hs_content *content)
{
    struct hs_writer HS_WRITER w = hs_writer(2 * HS_CONTENT_MAX);
    assert_ok(hs_content_build(content, &w));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

/* ROOM-40 */
static void test_text(void **state)
{
    (void)state;
    struct hs_content content = hs_content_text(hs_bytes_str("Gr\xc3\xbc\xc3\x9f\x65, *Rosa*\n"), now), read;
    content.is_reply = true;
    content.in_reply_to = id_of("question");
    content.fallback = hs_bytes_str("fallback");
    struct hs_bytes bytes = built(&content);
    assert_ok(hs_content_parse(bytes, &arena, &read));
    assert_int_equal(read.kind, HS_CONTENT_TEXT);
    assert_bytes(read.text, content.text);
    assert_bytes(read.fallback, content.fallback);
    assert_memory_equal(read.salt, content.salt, sizeof read.salt);
    assert_true(read.sent.ms == now.ms && read.is_reply);
    assert_true(hs_id_equal(&read.in_reply_to, &content.in_reply_to));
    struct hs_content again = hs_content_text(content.text, now);
    assert_memory_not_equal(again.salt, content.salt, sizeof again.salt);
    again.is_reply = false;
    assert_ok(hs_content_parse(built(&again), &arena, &read));
    assert_false(read.is_reply);
}

/* ROOM-40 */
static void test_deal(void **state)
{
    (void)state;
    struct person bob = person_make("bob", NULL);
    Hanse__SignedObject *chain[HS_CONTENT_CHAIN_MAX + 1];
    for (size_t i = 0; i <= HS_CONTENT_CHAIN_MAX; i++)
        chain[i] = bob.certificate;
    struct hs_content read, content = hs_content_deal(bob.certificate, chain, HS_CONTENT_CHAIN_MAX,
                                                      hs_bytes_str("an offer"), now);
    assert_ok(hs_content_parse(built(&content), &arena, &read));
    assert_int_equal(read.kind, HS_CONTENT_DEAL);
    assert_true(hs_object_equal(read.deal, bob.certificate));
    assert_int_equal(read.chain_count, HS_CONTENT_CHAIN_MAX);
    assert_true(hs_object_equal(read.chain[HS_CONTENT_CHAIN_MAX - 1], bob.certificate));
    assert_bytes(read.fallback, content.fallback);
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    content.chain_count++;
    assert_err(hs_content_build(&content, &w), HS_ERR_INVALID_ARG);
    content = hs_content_deal(NULL, NULL, 0, hs_bytes_str("nothing"), now);
    assert_err(hs_content_build(&content, &w), HS_ERR_INVALID_ARG);

    Hanse__Content message = HANSE__CONTENT__INIT;
    Hanse__Deal deal = HANSE__DEAL__INIT;
    message.salt = hs_pb_data(hs_bytes(content.salt, sizeof content.salt));
    message.body_case = HANSE__CONTENT__BODY_DEAL;
    message.deal = &deal;
    assert_ok(HS_PACK(&message, &w));
    assert_err(hs_content_parse(hs_writer_bytes(&w), &arena, &read), HS_ERR_MALFORMED);
    deal.object = bob.certificate;
    deal.chain = chain;
    deal.n_chain = HS_CONTENT_CHAIN_MAX + 1;
    hs_writer_reset(&w);
    assert_ok(HS_PACK(&message, &w));
    assert_err(hs_content_parse(hs_writer_bytes(&w), &arena, &read), HS_ERR_TOO_LARGE);
    assert_null(read.deal);
}

/* ROOM-41: at 32 KiB and one byte past it */
static void test_limit(void **state)
{
    (void)state;
    char *text = hs_arena_alloc(&arena, HS_CONTENT_MAX + 2);
    memset(text, 't', HS_CONTENT_MAX + 1);
    struct hs_content probe = hs_content_text(hs_bytes(text, 30000), now), content, read;
    size_t most = 30000 + HS_CONTENT_MAX - built(&probe).len;
    content = hs_content_text(hs_bytes(text, most), now);
    struct hs_bytes bytes = built(&content);
    assert_int_equal(bytes.len, HS_CONTENT_MAX);
    assert_ok(hs_content_parse(bytes, &arena, &read));
    assert_int_equal(read.text.len, most);
    struct hs_writer HS_WRITER w = hs_writer(2 * HS_CONTENT_MAX);
    content.text.len++;
    assert_err(hs_content_build(&content, &w), HS_ERR_TOO_LARGE);
    content.text.len = HS_CONTENT_MAX + 1;
    assert_err(hs_content_build(&content, &w), HS_ERR_TOO_LARGE);
    assert_int_equal(hs_writer_bytes(&w).len, 0);
    uint8_t *longer = hs_arena_alloc(&arena, HS_CONTENT_MAX + 1);
    memcpy(longer, bytes.data, bytes.len);
    assert_err(hs_content_parse(hs_bytes(longer, HS_CONTENT_MAX + 1), &arena, &read), HS_ERR_TOO_LARGE);
}

static enum hs_err parse_message(const Hanse__Content *message, struct hs_content *read)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    assert_ok(HS_PACK(message, &w));
    return hs_content_parse(hs_writer_bytes(&w), &arena, read);
}

/* ROOM-40 */
static void test_refused(void **state)
{
    (void)state;
    uint8_t salt[17] = {0}, reply[33] = {0};
    Hanse__Text text = HANSE__TEXT__INIT;
    text.text = "hello";
    Hanse__Content good = HANSE__CONTENT__INIT, m;
    good.salt = hs_pb_data(hs_bytes(salt, 16));
    good.sent_ms = 5;
    good.body_case = HANSE__CONTENT__BODY_TEXT;
    good.text = &text;
    struct hs_content read;
    assert_ok(parse_message(&good, &read));
#define REFUSED(...)                                                                                         \
    do {                                                                                                     \
        m = good;                                                                                            \
        __VA_ARGS__;                                                                                         \
        assert_err(parse_message(&m, &read), HS_ERR_MALFORMED);                                              \
        assert_true(read.kind == HS_CONTENT_OTHER && read.sent.ms == 0);                                     \
    } while (0)
    REFUSED(m.salt.len = 15);
    REFUSED(m.salt = hs_pb_data(hs_bytes(salt, 17)));
    REFUSED(m.sent_ms = -1);
    REFUSED(m.in_reply_to = hs_pb_data(hs_bytes(reply, 31)));
    REFUSED(m.in_reply_to = hs_pb_data(hs_bytes(reply, 33)));
    REFUSED(m.body_case = HANSE__CONTENT__BODY__NOT_SET);
    REFUSED(text.text = "");
    REFUSED(text.text = "bad \xff");
    REFUSED(text.text = "bell \x07");
    text.text = "hello";
    REFUSED(m.fallback = "\x1b[2J");
#undef REFUSED
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    struct hs_content content = hs_content_text(hs_bytes_str(""), now);
    assert_err(hs_content_build(&content, &w), HS_ERR_INVALID_ARG);
    content.text = hs_bytes_str("bad \xff");
    assert_err(hs_content_build(&content, &w), HS_ERR_INVALID_ARG);
    content = hs_content_text(hs_bytes_str("hello"), (struct hs_time){-1});
    assert_err(hs_content_build(&content, &w), HS_ERR_INVALID_ARG);
}

/* ROOM-42: a body of a later version shows its fallback */
static void test_later_version(void **state)
{
    (void)state;
    struct hs_content content = {.fallback = hs_bytes_str("a poll: yes or no?"), .sent = now}, read;
    struct hs_bytes bytes = built(&content);
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTENT_MAX);
    hs_write_bytes(&w, bytes);
    hs_write_bytes(&w, hs_bytes("\xa2\x01\x02hi", 5)); /* field 20 */
    assert_ok(hs_content_parse(hs_writer_bytes(&w), &arena, &read));
    assert_int_equal(read.kind, HS_CONTENT_OTHER);
    assert_bytes(read.fallback, content.fallback);
}

/* ROOM-43 */
static void test_id(void **state)
{
    (void)state;
    struct hs_id room = id_of("room"), other_room = id_of("other room"), all;
    struct hs_key bob = key_of("bob"), eve = key_of("eve");
    struct hs_bytes bytes = hs_bytes_str("content");
    struct hs_id id = hs_content_id(&room, &bob, bytes);
    uint8_t joined[32 + 32 + 7];
    memcpy(joined, room.b, 32);
    memcpy(joined + 32, bob.b, 32);
    memcpy(joined + 64, "content", 7);
    all = hs_hash_labelled("hanse-content-v1", hs_bytes(joined, sizeof joined));
    assert_true(hs_id_equal(&id, &all));
    all = hs_content_id(&other_room, &bob, bytes);
    assert_false(hs_id_equal(&id, &all));
    all = hs_content_id(&room, &eve, bytes);
    assert_false(hs_id_equal(&id, &all));
    all = hs_content_id(&room, &bob, hs_bytes_str("Content"));
    assert_false(hs_id_equal(&id, &all));
}

static void test_random(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    struct person bob = person_make("bob", NULL);
    struct hs_content content =
        hs_content_deal(bob.certificate, &bob.certificate, 1, hs_bytes_str("fallback"), now);
    struct hs_bytes from = built(&content);
    uint8_t *bytes = bytes_copy(from);
    for (int i = 0; i < 20000; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(1 << 20);
        struct hs_content read;
        size_t at = rng_below(&rng, from.len);
        bytes[at] ^= (uint8_t)rng_next(&rng);
        if (hs_content_parse(hs_bytes(bytes, from.len), &scratch, &read) == HS_OK)
            assert_true(read.deal != NULL || read.fallback.len > 0 || read.text.len > 0);
        bytes[at] = from.data[at];
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),    cmocka_unit_test(test_deal),          cmocka_unit_test(test_limit),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_later_version), cmocka_unit_test(test_id),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
