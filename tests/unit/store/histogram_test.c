/* The histograms behind status and metrics. NODE-58 */
#include "support/test.h"

#include "store/histogram.h"

static void bounds_grow(void **state)
{
    static const uint64_t first[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32};
    (void)state;
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        assert_int_equal(hs_histogram_bound(i, 1), first[i]);
        assert_int_equal(hs_histogram_bound(i, 64), 64 * first[i]);
    }
    assert_int_equal(hs_histogram_bound(HS_HISTOGRAM_BOUNDS - 1, 1), 1048576);
}

/* A value at a bound counts with it, one past it with the next. */
static void values_find_their_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < HS_HISTOGRAM_BOUNDS; i++) {
        struct hs_histogram h = {0};
        hs_histogram_add(&h, hs_histogram_bound(i, 64), 64);
        assert_int_equal(h.counts[i], 1);
        hs_histogram_add(&h, hs_histogram_bound(i, 64) + 1, 64);
        assert_int_equal(h.counts[i + 1], 1);
        assert_int_equal(hs_histogram_count(&h), 2);
        assert_int_equal(h.sum, 2 * hs_histogram_bound(i, 64) + 1);
    }
}

static void quantiles_are_bounds(void **state)
{
    (void)state;
    struct hs_histogram h = {0}, before;
    assert_int_equal(hs_histogram_quantile(&h, 0.5, 1), 0);
    for (int i = 0; i < 99; i++)
        hs_histogram_add(&h, 3, 1);
    hs_histogram_add(&h, 1000, 1);
    assert_int_equal(hs_histogram_quantile(&h, 0.5, 1), 3);
    assert_int_equal(hs_histogram_quantile(&h, 0.99, 1), 3);
    assert_int_equal(hs_histogram_quantile(&h, 0.995, 1), 1024);
    before = h;
    hs_histogram_add(&h, UINT64_MAX / 2, 1);
    h = hs_histogram_since(&h, &before);
    assert_int_equal(hs_histogram_count(&h), 1);
    assert_int_equal(hs_histogram_quantile(&h, 0.5, 1), 1048576);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_grow),
        cmocka_unit_test(values_find_their_place),
        cmocka_unit_test(quantiles_are_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
