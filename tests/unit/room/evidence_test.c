#include "unit/room/fixture.h"

#include "room/evidence.h"
#include "schema/room.pb-c.h"

/* A log of ten records, and another story that leaves it at the number 5. */
enum { LENGTH = 10, PARTING = 5 };
struct story {
    struct hs_bytes headers[LENGTH];
    struct hs_log_tip tips[LENGTH]; /* behind each record */
};

static struct story story_make(const char *name)
{
    struct story s = {0};
    struct hs_log_tip tip = {0};
    struct hs_id room = id_of("room");
    for (size_t i = 0; i < LENGTH; i++) {
        struct hs_writer HS_WRITER w = hs_writer(HS_RECORD_HEADER_MAX);
        struct hs_record_spec spec = {.kind = i == 0 ? HS_RECORD_GENESIS : HS_RECORD_POST,
                                      .body = hs_bytes_str(i < PARTING ? "same" : name),
                                      .hub_time = now};
        assert_ok(hs_log_build_next(&tip, &room, &spec, &w, NULL));
        s.headers[i] = hs_arena_copy(&arena, hs_writer_bytes(&w));
        s.tips[i] = tip;
    }
    return s;
}

static Hanse__SignedObject *head_of_term(const struct story *s, size_t seq, const char *node, uint32_t term)
{
    struct hs_signer signer = signer_of(node);
    struct hs_id room = id_of("room");
    Hanse__SignedObject *out = NULL;
    assert_ok(hs_head_build(&signer, &room, &s->tips[seq], term, 1, now, &arena, &out));
    return out;
}

static Hanse__SignedObject *head_of(const struct story *s, size_t seq)
{
    return head_of_term(s, seq, "node", 1);
}

static Hanse__SignedObject *descriptor_for(const char *root, const char *node)
{
    struct hs_signer signer = signer_of(root);
    struct hs_descriptor d = {.signing_key = key_of(node), .transport_key = key_of("t"), .sequence = 1};
    Hanse__SignedObject *out = NULL;
    memcpy(d.domain, "hub.example", sizeof "hub.example");
    memcpy(d.addresses[0], "hub.example:1", sizeof "hub.example:1");
    d.address_count = 1;
    assert_ok(hs_descriptor_build(&signer, &d, now, &arena, &out));
    return out;
}

static Hanse__SignedObject *descriptor_of(const char *root)
{
    return descriptor_for(root, "node");
}

static enum hs_err build(const struct story *s, Hanse__SignedObject *one, Hanse__SignedObject *other,
                         struct hs_bytes *out)
{
    struct hs_evidence_parts parts = {one,        other, descriptor_of("root"), descriptor_of("root"),
                                      s->headers, LENGTH};
    return hs_evidence_build(&parts, &arena, out);
}

/* ROOM-80: in whatever order the heads come, and however far they lie apart. */
static void test_two_stories_are_proved(void **state)
{
    (void)state;
    struct story a = story_make("a"), b = story_make("b");
    struct hs_key root = key_of("root"), stranger = key_of("stranger");
    struct hs_id room = id_of("room");
    for (size_t first = PARTING; first < LENGTH; first++)
        for (size_t second = first; second < LENGTH; second++)
            for (int swap = 0; swap < 2; swap++) {
                struct hs_bytes bytes;
                struct hs_evidence e;
                Hanse__SignedObject *one = head_of(&a, first), *other = head_of(&b, second);
                assert_ok(build(&b, swap ? other : one, swap ? one : other, &bytes));
                assert_ok(hs_evidence_verify(bytes, &root, &e));
                assert_int_equal(e.second.seq, second);
                assert_true(hs_key_equal(&e.root, &root) && hs_id_equal(&e.room, &room));
                assert_string_equal(e.domain, "hub.example");
                assert_err(hs_evidence_verify(bytes, &stranger, &e), HS_ERR_WRONG_SIGNER);
                assert_int_equal(e.second.seq, 0);
            }
}

/* ROOM-80: two heads of one story prove nothing, nor do heads of two terms, nor a head of somebody else. */
static void test_one_story_proves_nothing(void **state)
{
    (void)state;
    struct story a = story_make("a"), b = story_make("b");
    struct hs_bytes bytes;
    assert_err(build(&a, head_of(&a, 6), head_of(&a, 6), &bytes), HS_ERR_NOT_FOUND);
    assert_err(build(&a, head_of(&a, 6), head_of(&a, 9), &bytes), HS_ERR_NOT_FOUND);
    assert_err(build(&b, head_of(&a, PARTING - 1), head_of(&b, 9), &bytes), HS_ERR_NOT_FOUND);
    assert_err(build(&b, head_of(&a, 6), head_of_term(&b, 6, "node", 2), &bytes), HS_ERR_NOT_FOUND);
    assert_err(build(&b, head_of(&a, 6), head_of_term(&b, 6, "mallory", 1), &bytes), HS_ERR_WRONG_SIGNER);
    /* headers of the earlier head's story lead nowhere; some that are missing neither */
    assert_err(build(&a, head_of(&a, 6), head_of(&b, 9), &bytes), HS_ERR_NOT_FOUND);
    struct hs_evidence_parts parts = {head_of(&a, 6),        head_of(&b, 9), descriptor_of("root"),
                                      descriptor_of("root"), b.headers + 8,  2};
    assert_err(hs_evidence_build(&parts, &arena, &bytes), HS_ERR_NOT_FOUND);
    parts.headers = b.headers + 7;
    parts.header_count = 3;
    assert_ok(hs_evidence_build(&parts, &arena, &bytes));
}

static void no_byte_can_be_altered(struct hs_bytes bytes)
{
    struct hs_key root = key_of("root");
    struct hs_evidence e;
    for (size_t i = 0; i < bytes.len; i++) {
        struct hs_bytes copy = hs_arena_copy(&arena, bytes);
        ((uint8_t *)(uintptr_t)copy.data)[i] ^= 1;
        assert_int_not_equal(hs_evidence_verify(copy, &root, &e), HS_OK);
        assert_int_not_equal(hs_evidence_verify(hs_bytes(bytes.data, i), &root, &e), HS_OK);
    }
}

/* ROOM-80: a hub that tells another story with another key has told two, if one root named both keys. */
static void test_two_keys_of_one_root(void **state)
{
    (void)state;
    struct story a = story_make("a"), b = story_make("b");
    struct hs_key root = key_of("root");
    struct hs_evidence e;
    struct hs_bytes bytes;
    struct hs_evidence_parts parts = {.one = head_of(&a, 6),
                                      .other = head_of_term(&b, 8, "next", 1),
                                      .one_descriptor = descriptor_of("root"),
                                      .other_descriptor = descriptor_for("root", "next"),
                                      .headers = b.headers,
                                      .header_count = LENGTH};
    assert_ok(hs_evidence_build(&parts, &arena, &bytes));
    assert_ok(hs_evidence_verify(bytes, &root, &e));
    assert_int_equal(e.first.seq, 6);
    assert_false(hs_key_equal(&e.first.signing_key, &e.second.signing_key));
    no_byte_can_be_altered(bytes);
    struct hs_evidence_parts swapped = parts;
    swapped.one = parts.other;
    swapped.other = parts.one;
    swapped.one_descriptor = parts.other_descriptor;
    swapped.other_descriptor = parts.one_descriptor;
    assert_ok(hs_evidence_build(&swapped, &arena, &bytes));
    assert_ok(hs_evidence_verify(bytes, &root, &e));
    parts.other_descriptor = descriptor_for("mallory", "next"); /* another root's word */
    assert_err(hs_evidence_build(&parts, &arena, &bytes), HS_ERR_WRONG_SIGNER);
    parts.other_descriptor = NULL;
    assert_err(hs_evidence_build(&parts, &arena, &bytes), HS_ERR_NOT_FOUND);
}

/* ROOM-80: no byte of it can be altered. */
static void test_every_byte_counts(void **state)
{
    (void)state;
    struct story a = story_make("a"), b = story_make("b");
    struct hs_key root = key_of("root");
    struct hs_bytes bytes;
    struct hs_evidence e;
    assert_ok(build(&b, head_of(&a, 6), head_of(&b, 8), &bytes));
    no_byte_can_be_altered(bytes);
    uint8_t *large = calloc(1, HS_EVIDENCE_MAX + 1);
    assert_non_null(large);
    assert_err(hs_evidence_verify(hs_bytes(large, HS_EVIDENCE_MAX + 1), &root, &e), HS_ERR_TOO_LARGE);
    assert_err(hs_evidence_verify(hs_bytes(large, HS_EVIDENCE_MAX), &root, &e), HS_ERR_MALFORMED);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_stories_are_proved),
        cmocka_unit_test(test_one_story_proves_nothing),
        cmocka_unit_test(test_two_keys_of_one_root),
        cmocka_unit_test(test_every_byte_counts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
