#include "support/test.h"

#include "admin/config.h"
#include "support/tmpdir.h"

static enum hs_err read_text(void **state, const char *text, struct hs_config *config,
                             char why[HS_CONFIG_WHY])
{
    const char *path = tmpdir_path(state, "hansed.conf");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return hs_config_read(path, config, why);
}

#define GOOD                                                                                                 \
    "[node]\ndomain = rosa.example\nlisten = 127.0.0.1:7700\nadvertise = rosa.example:7700\ndata = .\n"

static void good_file_is_read(void **state)
{
    struct hs_config c;
    char why[HS_CONFIG_WHY];
    assert_ok(read_text(state,
                        "# a comment\n" GOOD
                        "log = debug\n\n[limits]\nconnections = 5\nconnections_per_second = 6\n"
                        "connections_burst = 7\nstore_gib = 8\ndisk_reserve_mib = 0\ninbox_days = 30\n"
                        "[metrics]\nlisten = [::1]:9470\n",
                        &c, why));
    assert_string_equal(c.domain, "rosa.example");
    assert_string_equal(c.listen, "127.0.0.1:7700");
    assert_int_equal(c.advertise_count, 1);
    assert_string_equal(c.advertise[0], "rosa.example:7700");
    char data[512];
    snprintf(data, sizeof data, "%s/.", (const char *)*state);
    assert_string_equal(c.data, data);
    assert_int_equal(c.log, HS_LOG_DEBUG);
    assert_int_equal(c.limits.connections, 5);
    assert_int_equal(c.limits.address_rate, 6);
    assert_int_equal(c.limits.address_burst, 7);
    assert_int_equal(c.store_gib, 8);
    assert_int_equal(c.disk_reserve_mib, 0);
    assert_int_equal(c.inbox_days, 30);
    assert_string_equal(c.metrics, "[::1]:9470");
    assert_ok(read_text(state, GOOD "[metrics]\nlisten = 127.9.9.9:0\n", &c, why));
}

static void what_is_not_said_has_its_default(void **state)
{
    struct hs_config c;
    char why[HS_CONFIG_WHY];
    assert_ok(read_text(state, GOOD, &c, why));
    assert_int_equal(c.limits.connections, HS_NET_CONNECTIONS);
    assert_int_equal(c.store_gib, HS_STORE_GIB);
    assert_int_equal(c.log, HS_LOG_INFO);
    assert_string_equal(c.metrics, "");
}

/* NODE-22: every mistake is named with its line. */
static void mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *line, *says;
    } cases[] = {
        {GOOD "colour = red\n", ":6:", "\"colour\""},
        {GOOD "log_format = xml\n", ":6:", "text or json"},
        {GOOD "[metrics]\nlisten = 0.0.0.0:9470\n", ":7:", "of this machine alone"},
        {GOOD "[metrics]\nlisten = [::]:9470\n", ":7:", "of this machine alone"},
        {GOOD "[metrics]\nlisten = 128.0.0.1:9470\n", ":7:", "of this machine alone"},
        {GOOD "[metrics]\nlisten = localhost:9470\n", ":7:", "of this machine alone"},
        {"[node]\n\ndomain = Rosa.Example\n", ":3:", "domain must be"},
        {GOOD "domain = other.example\n", ":6:", "twice"},
        {"[node]\nlisten = localhost:80\n", ":2:", "listen must be"},
        {"[node]\nlisten = 127.0.0.1:80000\n", ":2:", "listen must be"},
        {"[node]\nadvertise = a:1, b:2, c:3, d:4, e:5\n", ":2:", "one to four"},
        {"[node]\nadvertise = a:0\n", ":2:", "host:port"},
        {"[node]\nadvertise = ,\n", ":2:", "host:port"},
        {"[node]\nthis is nothing\n", ":2:", "key = value"},
        {GOOD "[limits]\nconnections = 0\n", ":7:", "1 to 65536"},
        {GOOD "[limits]\nconnections = 65537\n", ":7:", "1 to 65536"},
        {GOOD "[limits]\nconnections = -3\n", ":7:", "1 to 65536"},
        {GOOD "[limits]\nconnections = many\n", ":7:", "1 to 65536"},
        {GOOD "[limits]\nstore_gib = 99999999999999\n", ":7:", "1 to 4096"},
        {GOOD "log = loud\n", ":6:", "debug"},
        {GOOD "[peers]\nother.example = 00\n", ":7:", "other.example"},
        {GOOD "[peers]\nblock = Not A Domain\n", ":7:", "block must be"},
        {GOOD "[peers]\nallow = 00\nblock = x y\n", ":8:", "block must be"},
        {GOOD "[peers]\nfile = a\nfile = b\n", ":8:", "twice"},
        {GOOD "[extra]\nx = 1\n", ":7:", "[extra]"},
        {"domain = rosa.example\n", ":1:", "section []"},
        {"[node]\ndomain = rosa.example\nlisten = 127.0.0.1:7700\ndata = .\n",
         "hansed.conf:", "advertise is missing"},
        {"", "hansed.conf:", "domain is missing"},
        {GOOD "log = info\nlog = loud\nlog = x\n", ":7:", "twice"}, /* the first of several */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct hs_config c;
        char why[HS_CONFIG_WHY];
        assert_err(read_text(state, cases[i].text, &c, why), HS_ERR_CONFIG);
        if (strstr(why, cases[i].line) == NULL || strstr(why, cases[i].says) == NULL)
            fail_msg("case %zu: \"%s\" doesn't say %s and \"%s\"", i, why, cases[i].line, cases[i].says);
    }
}

static void limits_at_their_ends(void **state)
{
    struct hs_config c;
    char why[HS_CONFIG_WHY];
    assert_ok(read_text(state, GOOD "[limits]\nconnections = 65536\nstore_gib = 4096\n", &c, why));
    assert_ok(read_text(state, GOOD "[limits]\nconnections = 1\nstore_gib = 1\n", &c, why));
    assert_err(read_text(state, GOOD "[limits]\nstore_gib = 4097\n", &c, why), HS_ERR_CONFIG);
    assert_err(read_text(state, GOOD "[limits]\nstore_gib = 0\n", &c, why), HS_ERR_CONFIG);
}

static void missing_file_is_said(void **state)
{
    struct hs_config c;
    char why[HS_CONFIG_WHY];
    assert_err(hs_config_read(tmpdir_path(state, "none.conf"), &c, why), HS_ERR_CONFIG);
    assert_non_null(strstr(why, "none.conf"));
}

/* What init writes is what is read. */
static void written_text_reads_the_same(void **state)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    struct hs_config in = {.domain = "xn--rsa-hoa.example", .data = "somewhere"}, out;
    char why[HS_CONFIG_WHY];
    assert_true(hs_config_set_listen(&in, "[::]:65535"));
    assert_ok(hs_config_add_addresses(&in, "a.example:1,127.0.0.1:2"));
    assert_ok(hs_config_add_addresses(&in, "[2001:db8::1]:3 d.example:4"));
    assert_err(hs_config_add_addresses(&in, "e.example:5"), HS_ERR_TOO_LARGE);
    char *text = hs_config_text(&in, &arena);
    assert_non_null(text);
    assert_ok(read_text(state, text, &out, why));
    assert_string_equal(out.domain, in.domain);
    assert_string_equal(out.listen, in.listen);
    assert_int_equal(out.advertise_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(out.advertise[i], in.advertise[i]);
    assert_non_null(strstr(out.data, "/somewhere"));
}

/* Values at the parser's line length, and one past it. */
static void longest_values_fit_a_line(void **state)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 16);
    struct hs_config in = {.data = "."}, out;
    char why[HS_CONFIG_WHY], name[HS_CONFIG_VALUE_MAX + 2], address[sizeof name];
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = i % 60 == 59 ? '.' : 'a';
    name[HS_CONFIG_VALUE_MAX + 1] = '\0';
    assert_false(hs_config_set_domain(&in, name));
    name[HS_CONFIG_VALUE_MAX] = '\0';
    name[HS_CONFIG_VALUE_MAX - 1] = 'a';
    assert_true(hs_config_set_domain(&in, name));
    assert_true(hs_config_set_listen(&in, "127.0.0.1:1"));
    snprintf(address, sizeof address, "%.*s:65535", HS_CONFIG_VALUE_MAX - 5, name);
    assert_err(hs_config_add_addresses(&in, address), HS_ERR_MALFORMED);
    snprintf(address, sizeof address, "%.*s:65535", HS_CONFIG_VALUE_MAX - 6, name);
    for (int i = 0; i < 4; i++)
        assert_ok(hs_config_add_addresses(&in, address));
    assert_ok(read_text(state, hs_config_text(&in, &arena), &out, why));
    assert_int_equal(out.advertise_count, 4);
    assert_string_equal(out.advertise[3], address);
    assert_string_equal(out.domain, name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
        TEST(good_file_is_read),         TEST(what_is_not_said_has_its_default),
        TEST(mistakes_are_named),        TEST(limits_at_their_ends),
        TEST(missing_file_is_said),      TEST(written_text_reads_the_same),
        TEST(longest_values_fit_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
