/* WIRE-3: the table of the specification and the table of the code are the same. */
#include <stdio.h>

#include "support/test.h"

#include "wire/limits.h"

static const struct {
    const char *name;
    unsigned long value;
    const char *reason;
} limits[] = {
#define LIMIT(name, value, reason) {#name, HS_##name, reason},
#include "wire/limits.def"
#undef LIMIT
};
enum { LIMITS = sizeof limits / sizeof limits[0] };

static bool spec_has(FILE *spec, const char *want)
{
    char line[512];
    rewind(spec);
    while (fgets(line, sizeof line, spec) != NULL)
        if (strcmp(line, want) == 0)
            return true;
    return false;
}

static size_t spec_rows(FILE *spec)
{
    char line[512];
    size_t rows = 0;
    rewind(spec);
    while (fgets(line, sizeof line, spec) != NULL)
        rows += strncmp(line, "| `", 3) == 0;
    return rows;
}

static void table_of_the_spec(void **state)
{
    (void)state;
    FILE *spec = fopen(HANSE_WIRE_SPEC, "r");
    assert_non_null(spec);
    for (size_t i = 0; i < LIMITS; i++) {
        char want[512];
        snprintf(want, sizeof want, "| `%s` | %lu | %s |\n", limits[i].name, limits[i].value,
                 limits[i].reason);
        if (!spec_has(spec, want))
            fail_msg("spec/wire.md lacks the row: %s", want);
    }
    assert_int_equal(spec_rows(spec), LIMITS);
    fclose(spec);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(table_of_the_spec)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
