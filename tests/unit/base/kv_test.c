/* The store in memory, and what every store shares: sticky errors, keys, ranges. */
#include "support/test.h"

#include "base/kv.h"

static void kv_free(struct hs_kv **kv)
{
    hs_kv_memory_free(*kv);
}

#define KV HS_AUTO(kv_free)

static void put_get_del(void **state)
{
    (void)state;
    struct hs_kv *KV kv = hs_kv_memory_new();
    struct hs_arena HS_ARENA arena = hs_arena(1000);
    struct hs_bytes value;
    assert_false(hs_kv_get(kv, 1, hs_bytes_str("a"), &arena, &value));
    hs_kv_put(kv, 1, hs_bytes_str("a"), hs_bytes_str("one"));
    hs_kv_put(kv, 2, hs_bytes_str("a"), (struct hs_bytes){0});
    hs_kv_put(kv, 1, hs_bytes_str("a"), hs_bytes_str("two"));
    assert_true(hs_kv_get(kv, 1, hs_bytes_str("a"), &arena, &value));
    assert_bytes(value, hs_bytes_str("two"));
    assert_true(hs_kv_get(kv, 2, hs_bytes_str("a"), &arena, &value));
    assert_true(value.len == 0 && value.data != NULL);
    hs_kv_del(kv, 1, hs_bytes_str("a"));
    hs_kv_del(kv, 1, hs_bytes_str("never there"));
    assert_false(hs_kv_has(kv, 1, hs_bytes_str("a")));
    assert_true(hs_kv_has(kv, 2, hs_bytes_str("a")));
    assert_ok(kv->err);
}

/* Numbers in keys sort as numbers; a range ends with its prefix and its table. */
static void ranges(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {300, 1, 256, 255, UINT64_MAX};
    static const uint64_t sorted[] = {1, 255, 256, 300, UINT64_MAX};
    struct hs_kv *KV kv = hs_kv_memory_new();
    struct hs_arena HS_ARENA arena = hs_arena(10000);
    struct hs_bytes key, value;
    for (size_t i = 0; i < 5; i++) {
        struct hs_kv_key k = {0};
        hs_kv_key_add(&k, hs_bytes_str("x"));
        hs_kv_key_add_u64(&k, numbers[i]);
        hs_kv_put(kv, 1, hs_kv_key_bytes(&k), hs_bytes_str("v"));
    }
    hs_kv_put(kv, 1, hs_bytes_str("y"), hs_bytes_str("v"));
    struct hs_kv_key from = {0};
    hs_kv_key_add(&from, hs_bytes_str("x"));
    for (size_t i = 0; i < 5; i++) {
        assert_true(hs_kv_next(kv, 1, hs_bytes_str("x"), hs_kv_key_bytes(&from), &arena, &key, &value));
        assert_true(hs_kv_u64(hs_bytes(key.data + 1, key.len - 1)) == sorted[i]);
        from = hs_kv_after(key);
    }
    assert_false(hs_kv_next(kv, 1, hs_bytes_str("x"), hs_kv_key_bytes(&from), &arena, &key, &value));
    assert_true(hs_kv_next(kv, 1, (struct hs_bytes){0}, hs_kv_key_bytes(&from), &arena, &key, &value));
    assert_bytes(key, hs_bytes_str("y"));
    assert_false(hs_kv_next(kv, 2, (struct hs_bytes){0}, (struct hs_bytes){0}, &arena, &key, &value));
}

/* All with a prefix, and no value is read for it. */
static void prefixes_are_deleted(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "ab", "abc", "abd", "ac", "b"};
    struct hs_kv *KV kv = hs_kv_memory_new();
    struct hs_arena HS_ARENA arena = hs_arena(1000);
    struct hs_bytes key;
    for (size_t i = 0; i < 6; i++)
        hs_kv_put(kv, 1, hs_bytes_str(keys[i]), hs_bytes_str("v"));
    hs_kv_put(kv, 2, hs_bytes_str("ab"), hs_bytes_str("v"));
    hs_kv_del_prefix(kv, 1, hs_bytes_str("ab"));
    hs_kv_del_prefix(kv, 1, hs_bytes_str("never there"));
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(hs_kv_has(kv, 1, hs_bytes_str(keys[i])), keys[i][0] != 'a' || keys[i][1] != 'b');
    assert_true(hs_kv_has(kv, 2, hs_bytes_str("ab")));
    assert_true(hs_kv_next(kv, 1, hs_bytes_str("a"), hs_bytes_str("ab"), &arena, &key, NULL));
    assert_bytes(key, hs_bytes_str("ac"));
    hs_kv_del_prefix(kv, 1, (struct hs_bytes){0});
    assert_false(hs_kv_next(kv, 1, (struct hs_bytes){0}, (struct hs_bytes){0}, &arena, &key, NULL));
    assert_ok(kv->err);
}

/* After a failure nothing is read or written any more. */
static void sticky_error(void **state)
{
    (void)state;
    struct hs_kv *KV kv = hs_kv_memory_new();
    struct hs_arena HS_ARENA small = hs_arena(1), HS_ARENA arena = hs_arena(1000);
    struct hs_bytes value, key;
    hs_kv_put(kv, 1, hs_bytes_str("a"), hs_bytes_str("a value that doesn't fit"));
    assert_false(hs_kv_get(kv, 1, hs_bytes_str("a"), &small, &value));
    assert_err(kv->err, HS_ERR_NOMEM);
    assert_false(hs_kv_get(kv, 1, hs_bytes_str("a"), &arena, &value));
    assert_false(hs_kv_has(kv, 1, hs_bytes_str("a")));
    assert_false(hs_kv_next(kv, 1, (struct hs_bytes){0}, (struct hs_bytes){0}, &arena, &key, &value));
    hs_kv_put(kv, 1, hs_bytes_str("b"), (struct hs_bytes){0});
    hs_kv_del(kv, 1, hs_bytes_str("a"));
    kv->err = HS_OK;
    assert_true(hs_kv_has(kv, 1, hs_bytes_str("a")));
    assert_false(hs_kv_has(kv, 1, hs_bytes_str("b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_get_del),
        cmocka_unit_test(ranges),
        cmocka_unit_test(prefixes_are_deleted),
        cmocka_unit_test(sticky_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
