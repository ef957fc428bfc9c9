#include "support/test.h"

#include "base/text.h"

static void hex(void **state)
{
    (void)state;
    const uint8_t in[] = {0x00, 0x9f, 0xff};
    char text[HS_HEX_SIZE(3)];
    uint8_t out[3];
    assert_string_equal(hs_hex(hs_bytes(in, 3), text), "009fff");
    assert_string_equal(hs_hex((struct hs_bytes){0}, text), "");
    assert_ok(hs_unhex("009fFF", out, 3));
    assert_memory_equal(out, in, 3);
    assert_err(hs_unhex("009f", out, 3), HS_ERR_MALFORMED);
    assert_err(hs_unhex("009fff00", out, 3), HS_ERR_MALFORMED);
    assert_err(hs_unhex("009ff", out, 3), HS_ERR_MALFORMED);
    assert_err(hs_unhex("009fgg", out, 3), HS_ERR_MALFORMED);
    assert_err(hs_unhex("00 9fff", out, 3), HS_ERR_MALFORMED);
    assert_err(hs_unhex("", out, 3), HS_ERR_MALFORMED);
}

/* RFC 4648, 5 and 10, without padding. */
static void base64(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *text;
    } rows[] = {{"", ""},        {"f", "Zg"},        {"fo", "Zm8"},
                {"foo", "Zm9v"}, {"foob", "Zm9vYg"}, {"\xfb\xff", "-_8"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[HS_BASE64_SIZE(8)];
        uint8_t out[8];
        size_t len = 99;
        assert_string_equal(hs_base64(hs_bytes_str(rows[i].plain), text), rows[i].text);
        assert_ok(hs_unbase64(hs_bytes_str(rows[i].text), out, sizeof out, &len));
        assert_bytes(hs_bytes(out, len), hs_bytes_str(rows[i].plain));
    }
}

static void base64_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"Z", "Zg==", "Zm9", "Zh", "+/8", "Zm 9v", "Zm9v\n"};
    uint8_t out[8];
    size_t len;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (hs_unbase64(hs_bytes_str(bad[i]), out, sizeof out, &len) != HS_ERR_MALFORMED)
            fail_msg("accepted: %s", bad[i]);
    assert_ok(hs_unbase64(hs_bytes_str("Zm9v"), out, 3, &len));
    assert_int_not_equal(hs_unbase64(hs_bytes_str("Zm9vYg"), out, 3, &len), HS_OK);
    assert_err(hs_unbase64(hs_bytes_str("Zm9vYmFyZm9vYmFy"), out, 3, &len), HS_ERR_TOO_LARGE);
}

static void short_id(void **state)
{
    (void)state;
    const struct hs_id id = {{0xde, 0xad, 0xbe, 0xef, 0x01}};
    assert_string_equal(hs_short(HS_VIEW(id)).text, "deadbeef");
    assert_string_equal(hs_short(hs_bytes(id.b, 2)).text, "dead");
    assert_string_equal(hs_short((struct hs_bytes){0}).text, "");
}

/* RFC 3629: the borders of every length, and what isn't a character. */
static void clean_text(void **state)
{
    (void)state;
    static const char *const clean[] = {
        "",
        "plain",
        "tab\tline\n",
        "Grüße",
        "\xc2\xa0",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf",
        "\xee\x80\x80",
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf",
        "~",
    };
    static const char *const unclean[] = {
        "\x1b[2J",
        "\r",
        "\x7f",
        "\xc2\x80",
        "\xc2\x9f",
        "\x80",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xff",
        "a\xc3",
        "\xe2\x82",
        "\xf0\x9f\x98",
        "\xc3(",
    };
    for (size_t i = 0; i < sizeof clean / sizeof clean[0]; i++)
        if (!hs_text_is_clean(hs_bytes_str(clean[i])))
            fail_msg("row %zu refused", i);
    for (size_t i = 0; i < sizeof unclean / sizeof unclean[0]; i++)
        if (hs_text_is_clean(hs_bytes_str(unclean[i])))
            fail_msg("row %zu passed", i);
    assert_false(hs_text_is_clean(hs_bytes("a\0b", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex),      cmocka_unit_test(base64),     cmocka_unit_test(base64_refused),
        cmocka_unit_test(short_id), cmocka_unit_test(clean_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
