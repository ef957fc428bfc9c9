#include "support/test.h"

static const struct {
    enum hs_err err;
    int number;
    const char *name, *text;
} rows[] = {
#define ROW(name, number, text) {HS_ERR_##name, number, #name, text},
#include "base/errors.def"
#undef ROW
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* Numbers are in their bands, each once; every name and sentence is found. */
static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        assert_string_equal(hs_err_name(rows[i].err), rows[i].name);
        assert_string_equal(hs_err_text(rows[i].err), rows[i].text);
        assert_true(strlen(rows[i].text) > 10);
        assert_in_range(-rows[i].number, 1, 299);
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(rows[i].number, rows[j].number);
    }
    assert_string_equal(hs_err_name(HS_OK), "OK");
    assert_string_equal(hs_err_name((enum hs_err) - 999), "UNKNOWN");
    assert_non_null(hs_err_text((enum hs_err) - 999));
}

/* Faults of the other side are told, those of this machine are not, but for the few that help the other side.
 */
static void to_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        uint32_t code = hs_err_to_wire(rows[i].err);
        bool peer = rows[i].number <= -100 && rows[i].number > -200;
        if (peer)
            assert_int_equal(code, -rows[i].number);
        assert_true(code == 1 || code == (uint32_t)-rows[i].number);
        assert_err(hs_err_from_wire(code), code == 1 ? HS_ERR_IO : rows[i].err);
    }
    assert_int_equal(hs_err_to_wire(HS_ERR_NOMEM), 1);
    assert_int_equal(hs_err_to_wire(HS_ERR_STORE), 1);
    assert_int_equal(hs_err_to_wire(HS_ERR_INVALID_ARG), 1);
    assert_int_equal(hs_err_to_wire(HS_ERR_BUSY), 4);
    assert_int_equal(hs_err_to_wire(HS_ERR_NOT_FOUND), 5);
}

/* A peer can't make this side believe in a fault of its own, or in an error that there isn't. */
static void from_wire(void **state)
{
    (void)state;
    static const uint32_t codes[] = {0, 2, 3, 8, 12, 99, 199, 200, 201, 202, 1000, 0x80000000, UINT32_MAX};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        assert_err(hs_err_from_wire(codes[i]), HS_ERR_MALFORMED);
}

static void transient(void **state)
{
    (void)state;
    assert_true(hs_err_is_transient(HS_ERR_BUSY));
    assert_true(hs_err_is_transient(HS_ERR_CLOSED));
    assert_false(hs_err_is_transient(HS_ERR_MALFORMED));
    assert_false(hs_err_is_transient(HS_OK));
}

static enum hs_err tried(enum hs_err inner, bool held)
{
    HS_TRY(inner);
    HS_REQUIRE(held, HS_ERR_DENIED);
    return HS_OK;
}

static void control_flow(void **state)
{
    (void)state;
    assert_ok(tried(HS_OK, true));
    assert_err(tried(HS_ERR_NOMEM, false), HS_ERR_NOMEM);
    assert_err(tried(HS_OK, false), HS_ERR_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table),     cmocka_unit_test(to_wire),      cmocka_unit_test(from_wire),
        cmocka_unit_test(transient), cmocka_unit_test(control_flow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
