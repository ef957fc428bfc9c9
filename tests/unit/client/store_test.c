/* The sealed store: nothing readable on the disk, nothing in another's place, nothing with another key. */
#include "support/test.h"

#include "base/writer.h"
#include "crypto/selftest.h"
#include "hanse/hanse.h"
#include "store/db.h"
#include "store/me.h"
#include "store/posts.h"
#include "store/row.h"
#include "store/sealed_kv.h"
#include "store/tables.h"

#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64];
static uint8_t key[32];
static const char canary[] = "CANARY-7c1e0d5b-a4-secret-of-the-store";

static int setup(void **state)
{
    (void)state;
    assert_ok(hs_crypto_init());
    snprintf(dir, sizeof dir, "/tmp/hanse-store-XXXXXX");
    assert_non_null(mkdtemp(dir));
    memset(key, 7, sizeof key);
    return 0;
}

static int teardown(void **state)
{
    static const char *const files[] = {"data.mdb", "lock.mdb", "lock"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
    return 0;
}

static bool file_holds(const char *needle)
{
    char path[128];
    struct hs_writer HS_WRITER all = hs_writer(1 << 28);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t part[4096];
    for (size_t n; (n = fread(part, 1, sizeof part, file)) > 0;)
        hs_write_bytes(&all, hs_bytes(part, n));
    fclose(file);
    assert_ok(all.err);
    return memmem(all.data, all.len, needle, strlen(needle)) != NULL;
}

/* CLIENT-2: HKDF-Expand (RFC 5869) of one block: HMAC(key, label || 1). */
static void test_the_sealing_key_is_the_documented_one(void **state)
{
    (void)state;
    static const uint8_t input[] = "hanse-store-v1\x01";
    uint8_t expected[32];
    struct hs_secret32 HS_SECRET sealing;
    crypto_auth_hmacsha256(expected, input, sizeof input - 1, key);
    hs_sealed_key(key, &sealing);
    assert_memory_equal(sealing.b, expected, sizeof expected);
}

/* CLIENT-3 */
static void test_the_disk_shows_no_value(void **state)
{
    (void)state;
    struct hs_db *db;
    struct hs_kv *kv;
    assert_ok(hs_db_open(dir, key, &db));
    assert_ok(hs_db_begin(db, &kv));
    struct hs_id room = {{1}};
    struct hs_message_row row = {.seq = 1, .text = hs_bytes_str(canary)};
    snprintf(row.sender.name, sizeof row.sender.name, "%s", canary);
    hs_message_put(kv, &room, &row);
    struct hs_me me = {.has_home = true};
    memcpy(me.seed.b, canary, sizeof me.seed.b);
    hs_me_put(kv, &me);
    assert_ok(hs_db_commit(db));
    assert_false(file_holds(canary));
    char seed[33] = "";
    memcpy(seed, canary, 32);
    assert_false(file_holds(seed));
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    struct hs_message_row back;
    assert_ok(hs_db_begin_read(db, &kv));
    assert_true(hs_message_next(kv, &room, 0, &arena, &back));
    assert_bytes(back.text, hs_bytes_str(canary));
    hs_db_end_read(db);
    hs_db_close(db);
}

/* CLIENT-4 */
static void test_another_key_opens_nothing(void **state)
{
    (void)state;
    struct hs_db *db;
    assert_ok(hs_db_open(dir, key, &db));
    hs_db_close(db);
    key[31] ^= 1;
    assert_err(hs_db_open(dir, key, &db), HS_ERR_SEAL);
    key[31] ^= 1;
    assert_ok(hs_db_open(dir, key, &db));
    hs_db_close(db);
}

/* CLIENT-4 */
static void test_another_version_is_refused(void **state)
{
    (void)state;
    struct hs_db *db;
    struct hs_kv *kv;
    assert_ok(hs_db_open(dir, key, &db));
    assert_ok(hs_db_begin(db, &kv));
    hs_kv_put(kv, HS_TABLE_META, hs_bytes_str("seal"), hs_bytes_str("hanse-store-v1"));
    assert_ok(hs_db_commit(db));
    hs_db_close(db);
    assert_err(hs_db_open(dir, key, &db), HS_ERR_UNSUPPORTED);
}

static void test_one_program_at_a_time(void **state)
{
    (void)state;
    struct hs_db *db, *second;
    assert_ok(hs_db_open(dir, key, &db));
    assert_err(hs_db_open(dir, key, &second), HS_ERR_LOCKED);
    hs_db_close(db);
    assert_ok(hs_db_open(dir, key, &second));
    hs_db_close(second);
}

/* CLIENT-3: a value is bound to its table and key. */
static void test_a_value_in_another_place_is_refused(void **state)
{
    (void)state;
    struct hs_kv *inner = hs_kv_memory_new();
    struct hs_secret32 sealing;
    hs_sealed_key(key, &sealing);
    struct hs_sealed_kv sealed = hs_sealed_kv(inner, &sealing);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    struct hs_bytes a = hs_bytes_str("a"), b = hs_bytes_str("b"), bytes, value;
    hs_kv_put(&sealed.kv, 1, a, hs_bytes_str("value"));
    assert_true(hs_kv_get(inner, 1, a, &arena, &bytes));
    assert_int_equal(bytes.len, 5 + HS_SEALED_OVERHEAD);
    hs_kv_put(inner, 1, b, bytes);
    hs_kv_put(inner, 2, a, bytes);
    assert_true(hs_kv_get(&sealed.kv, 1, a, &arena, &value));
    assert_bytes(value, hs_bytes_str("value"));
    assert_false(hs_kv_get(&sealed.kv, 1, b, &arena, &value));
    assert_err(sealed.kv.err, HS_ERR_SEAL);
    sealed.kv.err = HS_OK;
    assert_false(hs_kv_get(&sealed.kv, 2, a, &arena, &value));
    assert_err(sealed.kv.err, HS_ERR_SEAL);
    sealed.kv.err = HS_OK;
    hs_kv_put(inner, 1, b, hs_bytes(bytes.data, HS_SEALED_OVERHEAD - 1));
    assert_false(hs_kv_get(&sealed.kv, 1, b, &arena, &value));
    assert_err(sealed.kv.err, HS_ERR_SEAL);
    hs_kv_memory_free(inner);
}

/* What can't be opened can be deleted, and counted. */
static void test_keys_alone_take_no_key(void **state)
{
    (void)state;
    struct hs_kv *inner = hs_kv_memory_new();
    struct hs_secret32 sealing;
    hs_sealed_key(key, &sealing);
    struct hs_sealed_kv sealed = hs_sealed_kv(inner, &sealing);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    struct hs_bytes found, value, a = hs_bytes_str("a");
    hs_kv_put(inner, 1, hs_bytes_str("a1"), hs_bytes_str("not sealed"));
    hs_kv_put(&sealed.kv, 1, hs_bytes_str("b"), hs_bytes_str("sealed"));
    assert_true(hs_kv_next(&sealed.kv, 1, a, a, &arena, &found, NULL));
    assert_bytes(found, hs_bytes_str("a1"));
    hs_kv_del_prefix(&sealed.kv, 1, a);
    assert_false(hs_kv_next(&sealed.kv, 1, a, a, &arena, &found, &value));
    assert_true(hs_kv_get(&sealed.kv, 1, hs_bytes_str("b"), &arena, &value));
    assert_ok(sealed.kv.err);
    hs_kv_put(inner, 1, hs_bytes_str("a1"), hs_bytes_str("not sealed"));
    assert_false(hs_kv_next(&sealed.kv, 1, a, a, &arena, &found, &value));
    assert_err(sealed.kv.err, HS_ERR_SEAL);
    hs_kv_memory_free(inner);
}

static void test_an_empty_value_is_there(void **state)
{
    (void)state;
    struct hs_kv *inner = hs_kv_memory_new();
    struct hs_secret32 sealing;
    hs_sealed_key(key, &sealing);
    struct hs_sealed_kv sealed = hs_sealed_kv(inner, &sealing);
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    struct hs_bytes value;
    hs_kv_put(&sealed.kv, 0, hs_bytes_str("k"), (struct hs_bytes){0});
    assert_true(hs_kv_get(&sealed.kv, 0, hs_bytes_str("k"), &arena, &value));
    assert_int_equal(value.len, 0);
    assert_non_null(value.data);
    assert_true(hs_kv_has(&sealed.kv, 0, hs_bytes_str("k")));
    hs_kv_del(&sealed.kv, 0, hs_bytes_str("k"));
    assert_false(hs_kv_has(&sealed.kv, 0, hs_bytes_str("k")));
    hs_kv_memory_free(inner);
}

/* CLIENT-4: what stands in stores that are there already keeps its number. */
static void test_numbers_of_older_stores_stay(void **state)
{
    (void)state;
    static const int tables[][2] = {
        {HS_TABLE_META, 0},      {HS_TABLE_MESSAGE, 3},   {HS_TABLE_OUTBOX, 6},       {HS_TABLE_STEP, 16},
        {HS_TABLE_COUNTER, 17},  {HS_TABLE_SELF, 18},     {HS_TABLE_OUTBOX_BODY, 19}, {HS_TABLE_OPEN, 20},
        {HS_TABLE_TAIL, 21},     {HS_TABLE_EVIDENCE, 22}, {HS_TABLE_TREE, 23},        {HS_TABLE_FILE, 25},
        {HS_TABLE_DOWNLOAD, 27}, {HS_TABLE_BARS, 32},     {HS_TABLE_PUBLIC, 34},      {HS_TABLE_GRANTS, 35},
    };
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        assert_int_equal(tables[i][0], tables[i][1]);
    assert_int_equal(HANSE_MESSAGE_TEXT, 1);
    assert_int_equal(HANSE_MESSAGE_OTHER, 9);
    assert_int_equal(HANSE_MESSAGE_REFUSED, 10);
    assert_int_equal(HANSE_MESSAGE_FILE, 11);
    assert_int_equal(HANSE_MESSAGE_GAP, 12);
    assert_int_equal(HS_OUTBOX_CREATE, 3);
    assert_int_equal(HS_OUTBOX_LEAVE, 4);
    assert_int_equal(HS_OUTBOX_REJOIN, 5);
}

/* A row of every kind of field, and one with fewer fields, as an older version wrote it. */
struct sample {
    uint32_t u32;
    int64_t i64;
    bool yes;
    uint8_t fixed[5];
    char text[8];
    struct hs_bytes bytes;
    uint64_t later;
};
static const struct hs_field fields[] = {
    HS_FIELD(U32, struct sample, u32),   HS_FIELD(U64, struct sample, i64),
    HS_FIELD(BOOL, struct sample, yes),  HS_FIELD(FIXED, struct sample, fixed),
    HS_FIELD(TEXT, struct sample, text), HS_FIELD(BYTES, struct sample, bytes),
    HS_FIELD(U64, struct sample, later),
};

static void test_rows_come_back_and_old_rows_do_too(void **state)
{
    (void)state;
    static const struct hs_row_type now = HS_ROW_TYPE(3, struct sample, fields);
    static const struct hs_row_type before = {3, sizeof(struct sample), fields, 6};
    struct hs_kv *kv = hs_kv_memory_new();
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    struct sample in = {UINT32_MAX, INT64_MIN, true, "four", "sevench", hs_bytes_str("bytes"), 9}, out;
    hs_row_put(kv, &now, hs_bytes_str("k"), &in);
    assert_true(hs_row_get(kv, &now, hs_bytes_str("k"), &arena, &out));
    assert_int_equal(out.u32, UINT32_MAX);
    assert_true(out.i64 == INT64_MIN && out.yes && out.later == 9);
    assert_memory_equal(out.fixed, in.fixed, sizeof in.fixed);
    assert_string_equal(out.text, "sevench");
    assert_bytes(out.bytes, in.bytes);
    hs_row_put(kv, &before, hs_bytes_str("k"), &in);
    assert_true(hs_row_get(kv, &now, hs_bytes_str("k"), &arena, &out));
    assert_int_equal(out.later, 0);
    assert_false(hs_row_get(kv, &now, hs_bytes_str("missing"), &arena, &out));
    assert_err(kv->err, HS_OK);
    hs_kv_put(kv, 3, hs_bytes_str("k"), hs_bytes_str("\x02garbage"));
    assert_false(hs_row_get(kv, &now, hs_bytes_str("k"), &arena, &out));
    assert_err(kv->err, HS_ERR_STORE);
    hs_kv_memory_free(kv);
}

static void test_what_was_not_committed_never_was(void **state)
{
    (void)state;
    struct hs_db *db;
    struct hs_kv *kv;
    assert_ok(hs_db_open(dir, key, &db));
    assert_ok(hs_db_begin(db, &kv));
    uint64_t first = hs_number_next(kv);
    hs_db_abort(db);
    assert_ok(hs_db_begin(db, &kv));
    assert_int_equal(hs_number_next(kv), first);
    assert_ok(hs_db_commit(db));
    assert_ok(hs_db_begin(db, &kv));
    assert_int_equal(hs_number_next(kv), first + 1);
    kv->err = HS_ERR_NOMEM; /* sticks: the commit undoes all of it */
    assert_err(hs_db_commit(db), HS_ERR_NOMEM);
    assert_ok(hs_db_begin(db, &kv));
    assert_int_equal(hs_number_next(kv), first + 1);
    assert_ok(hs_db_commit(db));
    hs_db_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_sealing_key_is_the_documented_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_disk_shows_no_value, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_key_opens_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_another_version_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_program_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_value_in_another_place_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_alone_take_no_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_an_empty_value_is_there, setup, teardown),
        cmocka_unit_test(test_numbers_of_older_stores_stay),
        cmocka_unit_test_setup_teardown(test_rows_come_back_and_old_rows_do_too, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_was_not_committed_never_was, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
