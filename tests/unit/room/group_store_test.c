/* A group's records in a key-value store: each room's by itself, prefixes, what fails. */
#include "unit/room/fixture.h"

#include "room/group_store.h"

enum { TABLE = 3 };

static struct hs_mls_store_key key_for(enum hs_mls_record record, uint32_t number)
{
    struct hs_mls_store_key key = hs_mls_store_key(record);
    hs_mls_store_key_u32(&key, number);
    return key;
}

static void put(struct hs_group_store *s, const struct hs_mls_store_key *key, const char *text)
{
    struct hs_writer HS_WRITER w = hs_writer(100);
    hs_write_bytes(&w, hs_bytes_str(text));
    assert_ok(hs_mls_store_put(&s->store, key, &w));
}

static enum hs_err get(struct hs_group_store *s, const struct hs_mls_store_key *key, struct hs_writer *w)
{
    hs_writer_reset(w);
    return hs_mls_store_get(&s->store, key, w);
}

static void test_records(void **state)
{
    (void)state;
    struct hs_kv *kv = hs_kv_memory_new();
    struct hs_group_store one, other;
    struct hs_id a = id_of("a"), b = id_of("b");
    struct hs_writer HS_WRITER w = hs_writer(100);
    hs_group_store_init(&one, kv, TABLE, &a);
    hs_group_store_init(&other, kv, TABLE, &b);
    struct hs_mls_store_key first = key_for(HS_MLS_RECORD_NODE, 1), second = key_for(HS_MLS_RECORD_NODE, 2),
                            nodes = hs_mls_store_key(HS_MLS_RECORD_NODE),
                            head = hs_mls_store_key(HS_MLS_RECORD_HEAD);
    assert_err(get(&one, &first, &w), HS_ERR_NOT_FOUND);
    put(&one, &first, "one");
    put(&one, &second, "two");
    put(&one, &head, "head");
    put(&other, &first, "the other's");
    assert_ok(get(&one, &first, &w));
    assert_bytes(hs_writer_bytes(&w), hs_bytes_str("one"));
    assert_ok(get(&other, &first, &w));
    assert_bytes(hs_writer_bytes(&w), hs_bytes_str("the other's"));
    put(&one, &first, "once more");
    assert_ok(get(&one, &first, &w));
    assert_bytes(hs_writer_bytes(&w), hs_bytes_str("once more"));
    /* a whole key, then a prefix, then nothing */
    assert_ok(hs_mls_store_del(&one.store, &first));
    assert_err(get(&one, &first, &w), HS_ERR_NOT_FOUND);
    assert_ok(get(&one, &second, &w));
    assert_ok(hs_mls_store_del(&one.store, &nodes));
    assert_ok(hs_mls_store_del(&one.store, &nodes));
    assert_err(get(&one, &second, &w), HS_ERR_NOT_FOUND);
    assert_ok(get(&one, &head, &w));
    assert_ok(get(&other, &first, &w));
    hs_group_store_delete(kv, TABLE, &a);
    assert_err(get(&one, &head, &w), HS_ERR_NOT_FOUND);
    assert_ok(get(&other, &first, &w));
    assert_ok(kv->err);
    hs_kv_memory_free(kv);
}

/* Between two transactions there is no store; the error of one sticks, as everywhere. */
static void test_transactions(void **state)
{
    (void)state;
    struct hs_kv *kv = hs_kv_memory_new();
    struct hs_group_store store;
    struct hs_id a = id_of("a");
    struct hs_writer HS_WRITER w = hs_writer(100), HS_WRITER small = hs_writer(2);
    struct hs_mls_store_key head = hs_mls_store_key(HS_MLS_RECORD_HEAD);
    hs_group_store_init(&store, kv, TABLE, &a);
    put(&store, &head, "head");
    assert_err(get(&store, &head, &small), HS_ERR_TOO_LARGE);
    store.kv = NULL;
    assert_err(get(&store, &head, &w), HS_ERR_INVALID_STATE);
    assert_err(hs_mls_store_put(&store.store, &head, &w), HS_ERR_INVALID_STATE);
    assert_err(hs_mls_store_del(&store.store, &head), HS_ERR_INVALID_STATE);
    store.kv = kv;
    assert_ok(get(&store, &head, &w));
    kv->err = HS_ERR_STORE_FULL;
    assert_err(get(&store, &head, &w), HS_ERR_STORE_FULL);
    assert_err(hs_mls_store_put(&store.store, &head, &w), HS_ERR_STORE_FULL);
    assert_err(hs_mls_store_del(&store.store, &head), HS_ERR_STORE_FULL);
    kv->err = HS_OK;
    assert_ok(get(&store, &head, &w));
    hs_kv_memory_free(kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_transactions),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
