#include "support/test.h"

#include "base/arena.h"

#include <stdalign.h>

/* The cap is exact, and counts what alignment adds. */
static void cap(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(64);
    assert_non_null(hs_arena_alloc(&arena, 1));
    assert_int_equal(arena.used, 16);
    assert_non_null(hs_arena_alloc(&arena, 48));
    assert_null(hs_arena_alloc(&arena, 1));
    assert_null(hs_arena_alloc(&arena, SIZE_MAX));
    assert_null(hs_arena_alloc(&arena, SIZE_MAX - 8));
    assert_non_null(hs_arena_alloc(&arena, 0));
    assert_int_equal(arena.used, 64);
}

static void zeroed_aligned_apart(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    uint8_t *last = NULL;
    for (size_t len = 1; len < 10000; len = len * 2 + 1) {
        uint8_t *p = hs_arena_alloc(&arena, len);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % alignof(max_align_t), 0);
        for (size_t i = 0; i < len; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xff, len);
        assert_true(p != last);
        last = p;
    }
}

static void copies(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(32);
    struct hs_bytes copy = hs_arena_copy(&arena, hs_bytes_str("0123456789abcdef"));
    assert_bytes(copy, hs_bytes_str("0123456789abcdef"));
    assert_null(hs_arena_copy(&arena, (struct hs_bytes){0}).data);
    assert_null(hs_arena_str(&arena, hs_bytes_str("0123456789abcdef"))); /* no room for the NUL */
    assert_string_equal(hs_arena_str(&arena, hs_bytes_str("0123456789abcde")), "0123456789abcde");
    assert_null(hs_arena_copy(&arena, hs_bytes_str("x")).data);
}

static void free_and_use_again(void **state)
{
    (void)state;
    struct hs_arena HS_ARENA arena = hs_arena(10000);
    for (size_t round = 0; round < 3; round++) {
        assert_non_null(hs_arena_alloc(&arena, 5000));
        assert_non_null(hs_arena_alloc(&arena, 4000));
        assert_null(hs_arena_alloc(&arena, 2000));
        hs_arena_free(&arena);
        assert_int_equal(arena.used, 0);
        assert_null(arena.blocks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cap),
        cmocka_unit_test(zeroed_aligned_apart),
        cmocka_unit_test(copies),
        cmocka_unit_test(free_and_use_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
