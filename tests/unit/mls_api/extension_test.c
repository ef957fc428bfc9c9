/* Lists of extensions; the data of required_capabilities and external_senders. */
#include "unit/mls_api/club.h"

static void lists(void **state)
{
    (void)state;
    const struct hanse_mls_extension given[] = {{0xF001, hanse_mls_text("one")}, {7, nothing}};
    struct hanse_mls_extension each;
    BUF list = {0};
    assert_good(hanse_mls_extensions_write(given, 2, &list));
    struct hanse_mls_bytes rest = hanse_mls_view(&list), data;
    for (size_t i = 0; i < 2; i++) {
        assert_true(hanse_mls_extension_next(&rest, &each));
        assert_int_equal(each.type, given[i].type);
        assert_same(each.data, given[i].data);
    }
    assert_false(hanse_mls_extension_next(&rest, &each));
    assert_true(hanse_mls_extension_find(hanse_mls_view(&list), 0xF001, &data));
    assert_text(data, "one");
    assert_false(hanse_mls_extension_find(hanse_mls_view(&list), 0xF002, &data));
    assert_int_equal(data.len, 0);
}

static void unsound_lists(void **state)
{
    (void)state;
    struct hanse_mls_extension given[HANSE_MLS_MAX_EXTENSIONS + 1] = {0};
    BUF list = {0};
    for (size_t i = 0; i < HANSE_MLS_MAX_EXTENSIONS + 1; i++)
        given[i].type = (uint16_t)(0xF000 + i);
    assert_good(hanse_mls_extensions_write(given, HANSE_MLS_MAX_EXTENSIONS, &list));
    hanse_mls_buf_free(&list);
    assert_fault(hanse_mls_extensions_write(given, HANSE_MLS_MAX_EXTENSIONS + 1, &list),
                 HANSE_ERR_INVALID_ARG);
    given[1].type = given[0].type;
    assert_fault(hanse_mls_extensions_write(given, 2, &list), HANSE_ERR_INVALID_ARG);
    assert_null(list.data);
    assert_good(hanse_mls_extensions_write(NULL, 0, &list));
    assert_int_equal(list.len, 0);
}

/* Bytes that are no list end the walk, wherever they are cut. */
static void cut_lists(void **state)
{
    (void)state;
    const struct hanse_mls_extension given = {0xF001, hanse_mls_text("something")};
    BUF list = {0};
    assert_good(hanse_mls_extensions_write(&given, 1, &list));
    for (size_t len = 0; len < list.len; len++) {
        struct hanse_mls_bytes rest = hanse_mls_bytes(list.data, len);
        struct hanse_mls_extension each;
        assert_false(hanse_mls_extension_next(&rest, &each));
        assert_int_equal(rest.len, len);
    }
}

static void required(void **state)
{
    (void)state;
    const uint16_t types[] = {CLUB_RULES}, credentials[] = {HANSE_MLS_BASIC};
    const struct hanse_mls_required given = {
        .extensions = types, .extension_count = 1, .credentials = credentials, .credential_count = 1};
    const uint8_t want[] = {2, 0xF4, 0xA1, 0, 2, 0, 1}; /* RFC 9420, 11.1: three vectors of uint16 */
    BUF data = {0};
    assert_good(hanse_mls_required_write(&given, &data));
    assert_same(hanse_mls_view(&data), hanse_mls_bytes(want, sizeof want));
}

static void external_senders(void **state)
{
    (void)state;
    struct hanse_mls_external_sender given[HANSE_MLS_MAX_EXTERNAL_SENDERS + 1], got;
    uint8_t key[32] = {1};
    BUF data = {0};
    for (size_t i = 0; i < HANSE_MLS_MAX_EXTERNAL_SENDERS + 1; i++)
        given[i] = (struct hanse_mls_external_sender){hanse_mls_bytes(key, sizeof key), HANSE_MLS_BASIC,
                                                      hanse_mls_text("hub")};
    given[1].identity = hanse_mls_text("moderator");
    assert_good(hanse_mls_external_senders_write(given, 2, &data));
    assert_good(hanse_mls_external_senders_read(hanse_mls_view(&data), 1, &got));
    assert_text(got.identity, "moderator");
    assert_same(got.signature_key, given[1].signature_key);
    assert_fault(hanse_mls_external_senders_read(hanse_mls_view(&data), 2, &got), HANSE_ERR_NOT_FOUND);
    assert_fault(hanse_mls_external_senders_read(hanse_mls_bytes(data.data, data.len - 1), 1, &got),
                 HANSE_ERR_MALFORMED);
    hanse_mls_buf_free(&data);
    assert_good(hanse_mls_external_senders_write(given, HANSE_MLS_MAX_EXTERNAL_SENDERS, &data));
    hanse_mls_buf_free(&data);
    assert_fault(hanse_mls_external_senders_write(given, HANSE_MLS_MAX_EXTERNAL_SENDERS + 1, &data),
                 HANSE_ERR_INVALID_ARG);
    assert_null(data.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists),    cmocka_unit_test(unsound_lists),    cmocka_unit_test(cut_lists),
        cmocka_unit_test(required), cmocka_unit_test(external_senders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
