/* Files: out, in, after breaks, and what is wrong with them. CLIENT-34, CLIENT-35 */
#include "town.h"

#include "identity/grant.h"
#include "room/attachment.h"
#include "sync/talk/file.h"
#include "wire/unpack.h"

enum { PIECE = HS_ATTACHMENT_PIECE, LEN = 20 * PIECE + 5, CAP = 24 * PIECE };

struct scene {
    struct town *t;
    struct town_device *alice, *ben;
    struct hs_id room;
};

static uint8_t original[CAP], copy[CAP];
static size_t reads, writes, sent_pieces, got_pieces, cut_at_put, cut_at_get;

static enum hanse_err read_it(void *context, uint64_t offset, uint8_t *buffer, size_t length)
{
    (void)context;
    reads++;
    assert_true(offset + length <= CAP);
    memcpy(buffer, original + offset, length);
    return HANSE_OK;
}

static enum hanse_err write_it(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
    (void)context;
    writes++;
    assert_true(offset + length <= CAP);
    if (length > 0)
        memcpy(copy + offset, data, length);
    return HANSE_OK;
}

/* Counts pieces; from one on they are lost. */
static bool watch(struct town_device *d, struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__Frame *frame;
    (void)d;
    assert_ok(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    if (frame->body_case == HANSE__FRAME__BODY_PUT_CHUNK && frame->put_chunk->data.len > 0)
        return cut_at_put == 0 || ++sent_pieces < cut_at_put;
    if (frame->body_case == HANSE__FRAME__BODY_GET_CHUNK)
        return cut_at_get == 0 || ++got_pieces < cut_at_get;
    return true;
}

static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    struct town_node *rosa = town_node_new(c.t, "rosa.example");
    c.alice = town_member_of_staff(rosa, "rosa", hs_role_set(HANSE__ROLE__ROLE_STAFF));
    c.room = town_room(c.alice, "VIP");
    c.ben = town_guest(c.t, "Ben", town_link(c.alice, &c.room, 5));
    hs_sync_stay_online(c.alice->sync, true);
    c.alice->outgoing = c.ben->outgoing = watch;
    randombytes_buf(original, sizeof original);
    memset(copy, 0, sizeof copy);
    reads = writes = sent_pieces = got_pieces = cut_at_put = cut_at_get = 0;
    return c;
}

static struct hanse_file file_of(uint64_t size)
{
    struct hanse_file file = {.name = "lipstick.jpg", .media_type = "image/jpeg", .size = size};
    return file;
}

static uint64_t send(struct scene *c, uint64_t size)
{
    struct hanse_file file = file_of(size);
    uint64_t op;
    TOWN_WANT(c->alice, hs_want_attach(&s, &c->room, &file, read_it, NULL, &op));
    town_run(c->t);
    return op;
}

static uint64_t seq_of(struct scene *c, uint64_t op)
{
    const struct hanse_event *done = town_done(c->alice, op);
    assert_non_null(done);
    assert_int_equal(done->err, HANSE_OK);
    return done->seq;
}

static uint64_t fetch(struct scene *c, uint64_t seq, uint64_t have)
{
    uint64_t op;
    TOWN_WANT(c->ben, hs_want_fetch(&s, &c->room, seq, have, write_it, NULL, &op));
    town_run(c->t);
    return op;
}

static void assert_fetched(struct scene *c, uint64_t op, uint64_t size)
{
    const struct hanse_event *done = town_done(c->ben, op);
    assert_non_null(done);
    assert_int_equal(done->err, HANSE_OK);
    assert_memory_equal(copy, original, size);
}

static void test_sizes(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {0, 1, PIECE - 1, PIECE, PIECE + 1, LEN};
    struct scene c = scene_new();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t seq = seq_of(&c, send(&c, sizes[i]));
        struct hanse_file file;
        TOWN_WANT(c.ben, hs_sync_file(&s, &c.room, seq, &file));
        assert_string_equal(file.name, "lipstick.jpg");
        assert_string_equal(file.media_type, "image/jpeg");
        assert_int_equal(file.size, sizes[i]);
        memset(copy, 0, sizeof copy);
        assert_fetched(&c, fetch(&c, seq, 0), sizes[i]);
    }
    assert_non_null(town_event(c.alice, HANSE_EVENT_FILE));
    assert_non_null(town_event(c.ben, HANSE_EVENT_FILE));
    TOWN_WANT_ERR(c.ben, hs_sync_file(&s, &c.room, 0, &(struct hanse_file){0}), HS_ERR_NOT_FOUND);
    town_free(c.t);
}

/* CLIENT-36: the program dies in the middle; the session breaks in the middle. */
static void test_out_after_a_break(void **state)
{
    (void)state;
    struct scene c = scene_new();
    cut_at_put = 10;
    (void)send(&c, LEN);
    town_device_kill(c.alice);
    town_device_start(c.alice);
    hs_sync_stay_online(c.alice->sync, true);
    cut_at_put = 0;
    town_run(c.t);
    reads = sent_pieces = 0;
    cut_at_put = 7; /* now the session breaks */
    uint64_t op = send(&c, LEN);
    cut_at_put = SIZE_MAX;
    sent_pieces = 0;
    town_device_cut(c.alice);
    town_wait(c.t, 5000);
    uint64_t seq = seq_of(&c, op);
    assert_in_range(sent_pieces, 1, 21 - 9 - 6);
    assert_fetched(&c, fetch(&c, seq, 0), LEN);
    town_free(c.t);
}

/* CLIENT-37 */
static void test_in_after_a_break(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t seq = seq_of(&c, send(&c, LEN));
    cut_at_get = 14;
    (void)fetch(&c, seq, 0);
    size_t before = writes;
    assert_in_range(before, 1, 14);
    town_device_kill(c.ben);
    town_device_start(c.ben);
    hs_sync_stay_online(c.ben->sync, true);
    cut_at_get = 0;
    town_run(c.t);
    assert_fetched(&c, fetch(&c, seq, before * PIECE), LEN);
    assert_int_equal(writes, 21); /* each once */
    /* what the application has lost is written again */
    cut_at_get = got_pieces = 0;
    memset(copy, 0, sizeof copy);
    assert_fetched(&c, fetch(&c, seq, 0), LEN);
    assert_int_equal(writes, 42);
    town_free(c.t);
}

/* CLIENT-36: it changes between the two readings. */
static void test_a_file_that_changes(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hanse_file file = file_of(LEN);
    uint64_t op;
    town_device_cut(c.alice);
    hs_sync_stay_online(c.alice->sync, false);
    TOWN_WANT(c.alice, hs_want_attach(&s, &c.room, &file, read_it, NULL, &op));
    original[3 * PIECE] ^= 1;
    hs_sync_stay_online(c.alice->sync, true);
    town_wait(c.t, 5000);
    assert_int_equal(town_done(c.alice, op)->err, HANSE_ERR_BLOB_HASH);
    (void)seq_of(&c, send(&c, LEN)); /* as it is now */
    town_free(c.t);
}

static void test_refused(void **state)
{
    (void)state;
    struct scene c = scene_new();
    static const char *const names[] = {"", "a/b", "..", ".bashrc", "a\\b", "a\nb"};
    struct hanse_file file = file_of(HANSE_FILE_MAX + 1);
    uint64_t op;
    TOWN_WANT_ERR(c.alice, hs_want_attach(&s, &c.room, &file, read_it, NULL, &op), HS_ERR_TOO_LARGE);
    assert_int_equal(hs_attachment_blob_size(HANSE_FILE_MAX), HS_ATTACHMENT_MAX);
    file.size = 1;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(file.name, sizeof file.name, "%s", names[i]);
        TOWN_WANT_ERR(c.alice, hs_want_attach(&s, &c.room, &file, read_it, NULL, &op), HS_ERR_INVALID_ARG);
    }
    assert_int_equal(reads, 0);
    TOWN_WANT_ERR(c.ben, hs_want_fetch(&s, &c.room, 0, 0, write_it, NULL, &op), HS_ERR_NOT_FOUND);
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_out_after_a_break),
        cmocka_unit_test(test_in_after_a_break),
        cmocka_unit_test(test_a_file_that_changes),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
