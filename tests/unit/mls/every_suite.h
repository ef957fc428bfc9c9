/* All suites of this build, and one in which every size is another. */
#ifndef TESTS_MLS_EVERY_SUITE_H
#define TESTS_MLS_EVERY_SUITE_H

#include "support/test.h"
#include "unit/mls/odd_suite.h"

#include "crypto/selftest.h"
#include "mls/suite.h"

static const struct hs_mls_suite *suites[HS_MLS_MAX_SUITES];
static size_t suite_count;

#define EACH_SUITE(s)                                                                                        \
    for (size_t i_ = 0; i_ < suite_count; i_++)                                                              \
        for (const struct hs_mls_suite *s = suites[i_]; s != NULL; s = NULL)

static inline int suites_setup(void **state)
{
    (void)state;
    if (hs_crypto_init() != HS_OK || hs_mls_suite_add(&odd_suite) != HS_OK)
        return -1;
    suite_count = hs_mls_suites(suites);
    return 0;
}

#endif
