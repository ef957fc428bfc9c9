/* The acceptance window at its limits: one function for hub and members. DELIVERY-5, DELIVERY-6 */
#include "unit/room/fixture.h"

#include "room/window.h"

static void test_limits(void **state)
{
    (void)state;
    struct hs_window window = {0};
    assert_ok(hs_window_takes(&window, 0, 0, now));
    assert_err(hs_window_takes(&window, 0, 1, now), HS_ERR_WRONG_EPOCH);
    hs_window_end(&window, 0, now, false);
    assert_ok(hs_window_takes(&window, 1, 0, now));
    assert_ok(hs_window_takes(&window, 1, 0, later(29999)));
    assert_err(hs_window_takes(&window, 1, 0, later(30000)), HS_ERR_EPOCH_TOO_OLD);
    assert_ok(hs_window_takes(&window, 1, 1, later(day_ms)));
    assert_err(hs_window_takes(&window, 1, 2, now), HS_ERR_WRONG_EPOCH);
    /* five past ones, and the sixth is gone */
    for (uint64_t epoch = 1; epoch < 5; epoch++)
        hs_window_end(&window, epoch, later((int64_t)epoch), false);
    assert_ok(hs_window_takes(&window, 5, 0, later(5)));
    hs_window_end(&window, 5, later(5), false);
    assert_err(hs_window_takes(&window, 6, 0, later(5)), HS_ERR_EPOCH_TOO_OLD);
    for (uint64_t epoch = 1; epoch <= 5; epoch++) {
        assert_ok(hs_window_takes(&window, 6, epoch, later(29999 + (int64_t)epoch)));
        assert_err(hs_window_takes(&window, 6, epoch, later(30000 + (int64_t)epoch)), HS_ERR_EPOCH_TOO_OLD);
    }
    /* a commit that takes something away ends all of them */
    hs_window_end(&window, 6, later(6), true);
    for (uint64_t epoch = 0; epoch <= 6; epoch++)
        assert_err(hs_window_takes(&window, 7, epoch, later(6)), HS_ERR_EPOCH_TOO_OLD);
    hs_window_end(&window, 7, later(7), false);
    assert_ok(hs_window_takes(&window, 8, 7, later(7)));
    assert_err(hs_window_takes(&window, 8, 6, later(7)), HS_ERR_EPOCH_TOO_OLD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
