/* What every unit test includes: cmocka and asserts that speak of errors by name. */
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/err.h"

#define assert_err(expr, want)                                                                               \
    do {                                                                                                     \
        enum hs_err got_ = (expr);                                                                           \
        if (got_ != (want))                                                                                  \
            fail_msg("%s: %s, expected %s", #expr, hs_err_name(got_), hs_err_name(want));                    \
    } while (0)

#define assert_ok(expr) assert_err(expr, HS_OK)

#define assert_bytes(got, want)                                                                              \
    do {                                                                                                     \
        struct hs_bytes a_ = (got), b_ = (want);                                                             \
        assert_int_equal(a_.len, b_.len);                                                                    \
        if (b_.len > 0)                                                                                      \
            assert_memory_equal(a_.data, b_.data, b_.len);                                                   \
    } while (0)

#endif
