#include "support/test.h"

#include "admin/file.h"
#include "admin/issue.h"
#include "base/text.h"
#include "crypto/selftest.h"
#include "identity/chain.h"
#include "identity/derive.h"
#include "support/tmpdir.h"
#include "wire/unpack.h"

#include <fcntl.h>

static const struct hs_time now = {1800000000000};

static enum hs_err create(void **state, struct hs_signer *root, char why[HS_CONFIG_WHY])
{
    struct hs_config config = {.domain = "rosa.example", .data = "."};
    why[0] = '\0';
    assert_true(hs_config_set_listen(&config, "127.0.0.1:7700"));
    assert_ok(hs_config_add_addresses(&config, "rosa.example:7700"));
    return hs_site_create(*state, &config, now, root, why);
}

static enum hs_err open_site(void **state, struct hs_site *site, char why[HS_CONFIG_WHY])
{
    why[0] = '\0';
    return hs_site_open(tmpdir_path(state, "hansed.conf"), site, why);
}

static void made_site_opens(void **state)
{
    struct hs_signer HS_SIGNER root = {0}, HS_SIGNER again = {0};
    struct hs_site HS_SITE site = {0};
    char why[HS_CONFIG_WHY];
    assert_ok(create(state, &root, why));
    assert_ok(open_site(state, &site, why));
    assert_true(hs_key_equal(&site.descriptor.root, &root.pub));
    assert_string_equal(site.descriptor.domain, "rosa.example");
    assert_string_equal(site.descriptor.addresses[0], "rosa.example:7700");
    assert_int_equal(site.incarnation, 1);
    assert_true(hs_key_equal(&site.descriptor.signing_key, &site.signing.pub));
    assert_ok(hs_site_root(&site, NULL, &again, why));
    assert_memory_equal(again.sk, root.sk, sizeof root.sk);
    assert_false(hs_key_equal(&site.signing.pub, &root.pub));
}

static const char *const files[] = {"hansed.conf",   "root.key",   "signing.key",
                                    "transport.key", "descriptor", "incarnation"};

/* NODE-23 */
static void files_are_private(void **state)
{
    struct hs_signer HS_SIGNER root = {0};
    char why[HS_CONFIG_WHY];
    umask(0);
    assert_ok(create(state, &root, why));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct stat info;
        assert_int_equal(stat(tmpdir_path(state, files[i]), &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

/* Nothing that is there is overwritten, whatever it is. */
static void second_making_changes_nothing(void **state)
{
    struct hs_signer HS_SIGNER root = {0}, HS_SIGNER second = {0};
    struct hs_site HS_SITE site = {0};
    char why[HS_CONFIG_WHY];
    assert_ok(create(state, &root, why));
    assert_err(create(state, &second, why), HS_ERR_CONFLICT);
    assert_non_null(strstr(why, "hansed.conf"));
    for (size_t i = 0; i + 1 < sizeof files / sizeof *files; i++)
        assert_int_equal(unlink(tmpdir_path(state, files[i])), 0);
    assert_err(create(state, &second, why), HS_ERR_CONFLICT); /* the incarnation alone */
    assert_non_null(strstr(why, "incarnation"));
    assert_int_equal(access(tmpdir_path(state, "root.key"), F_OK), -1);
    assert_int_equal(unlink(tmpdir_path(state, "incarnation")), 0);
    assert_ok(create(state, &second, why));
    assert_ok(open_site(state, &site, why));
    assert_true(hs_key_equal(&site.descriptor.root, &second.pub));
}

/* NODE-23: keys that others could read are refused, links too. */
static void open_keys_are_refused(void **state)
{
    struct hs_signer HS_SIGNER root = {0}, HS_SIGNER again = {0};
    char why[HS_CONFIG_WHY];
    static const char *const keys[] = {"signing.key", "transport.key"};
    assert_ok(create(state, &root, why));
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s", tmpdir_path(state, keys[i]));
        static const mode_t modes[] = {0640, 0604, 0620, 0601};
        for (size_t m = 0; m < 4; m++) {
            struct hs_site HS_SITE site = {0};
            assert_int_equal(chmod(path, modes[m]), 0);
            assert_err(open_site(state, &site, why), HS_ERR_DENIED);
            assert_non_null(strstr(why, keys[i]));
        }
        assert_int_equal(chmod(path, 0400), 0);
        struct hs_site HS_SITE fine = {0};
        assert_ok(open_site(state, &fine, why));
    }
    struct hs_site HS_SITE site = {0};
    assert_ok(open_site(state, &site, why));
    assert_int_equal(chmod(tmpdir_path(state, "root.key"), 0644), 0);
    assert_err(hs_site_root(&site, NULL, &again, why), HS_ERR_DENIED);
    assert_int_equal(chmod(tmpdir_path(state, "root.key"), 0600), 0);
    assert_int_equal(symlink("root.key", tmpdir_path(state, "link.key")), 0);
    assert_err(hs_site_root(&site, tmpdir_path(state, "link.key"), &again, why), HS_ERR_DENIED);
    assert_int_equal(mkfifo(tmpdir_path(state, "fifo.key"), 0600), 0);
    assert_err(hs_site_root(&site, tmpdir_path(state, "fifo.key"), &again, why), HS_ERR_DENIED);
}

static void replace(void **state, const char *name, const char *content)
{
    int fd = open(tmpdir_path(state, name), O_WRONLY | O_TRUNC);
    assert_int_equal(write(fd, content, strlen(content)), strlen(content));
    close(fd);
}

/* NODE-24: keys, descriptor and configuration belong together. */
static void files_of_two_nodes_do_not_mix(void **state)
{
    struct hs_signer HS_SIGNER root = {0}, HS_SIGNER other = {0};
    char why[HS_CONFIG_WHY], hex[66], foreign[66];
    assert_ok(create(state, &root, why));
    hs_signer_random(&other);
    struct hs_secret32 HS_SECRET seed = {0};
    hs_signer_seed(&other, &seed);
    hs_hex(HS_VIEW(seed), foreign);
    static const char *const keys[] = {"signing.key", "transport.key"};
    for (size_t i = 0; i < 2; i++) {
        struct hs_site HS_SITE site = {0};
        int fd = open(tmpdir_path(state, keys[i]), O_RDONLY);
        assert_int_equal(read(fd, hex, 65), 65);
        hex[65] = '\0';
        close(fd);
        replace(state, keys[i], foreign);
        assert_err(open_site(state, &site, why), HS_ERR_MALFORMED);
        assert_non_null(strstr(why, keys[i]));
        replace(state, keys[i], "zz");
        struct hs_site HS_SITE again = {0};
        assert_err(open_site(state, &again, why), HS_ERR_MALFORMED);
        replace(state, keys[i], hex);
    }
    struct hs_site HS_SITE site = {0};
    assert_ok(open_site(state, &site, why));
    replace(state, "root.key", foreign);
    assert_err(hs_site_root(&site, NULL, &other, why), HS_ERR_WRONG_SIGNER);
    static const char *const bad[] = {"", "0\n", "-1\n", "x", "1 2", "99999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct hs_site HS_SITE again = {0};
        replace(state, "incarnation", bad[i]);
        assert_err(open_site(state, &again, why), HS_ERR_MALFORMED);
    }
    replace(state, "incarnation", "7");
    struct hs_site HS_SITE seventh = {0};
    assert_ok(open_site(state, &seventh, why));
    assert_int_equal(seventh.incarnation, 7);
    /* NODE-33: it is raised, and never falls. */
    assert_err(hs_site_set_incarnation(&seventh, 7, why), HS_ERR_INVALID_ARG);
    assert_ok(hs_site_set_incarnation(&seventh, 8, why));
    struct hs_site HS_SITE eighth = {0};
    assert_ok(hs_site_open(tmpdir_path(state, "hansed.conf"), &eighth, why));
    assert_int_equal(eighth.incarnation, 8);
    replace(state, "descriptor", "nonsense");
    struct hs_site HS_SITE broken = {0};
    assert_true(open_site(state, &broken, why) != HS_OK);
    assert_non_null(strstr(why, "descriptor"));
}

static void missing_files_are_named(void **state)
{
    struct hs_signer HS_SIGNER root = {0};
    char why[HS_CONFIG_WHY];
    assert_ok(create(state, &root, why));
    for (size_t i = 2; i < sizeof files / sizeof *files; i++) {
        struct hs_site HS_SITE site = {0};
        assert_int_equal(rename(tmpdir_path(state, files[i]), tmpdir_path(state, "away")), 0);
        assert_err(open_site(state, &site, why), HS_ERR_NOT_FOUND);
        assert_non_null(strstr(why, files[i]));
        assert_int_equal(rename(tmpdir_path(state, "away"), tmpdir_path(state, files[i])), 0);
    }
}

/* NODE-25: the daemon runs without the root key, which may lie elsewhere. */
static void root_key_may_be_elsewhere(void **state)
{
    struct hs_signer HS_SIGNER root = {0}, HS_SIGNER again = {0};
    struct hs_site HS_SITE site = {0};
    char why[HS_CONFIG_WHY];
    assert_ok(create(state, &root, why));
    assert_int_equal(rename(tmpdir_path(state, "root.key"), tmpdir_path(state, "usb-stick")), 0);
    assert_ok(open_site(state, &site, why));
    assert_err(hs_site_root(&site, NULL, &again, why), HS_ERR_NOT_FOUND);
    assert_ok(hs_site_root(&site, tmpdir_path(state, "usb-stick"), &again, why));
    assert_true(hs_key_equal(&again.pub, &root.pub));
}

static void role_tickets_carry_their_grants(void **state)
{
    struct hs_signer HS_SIGNER root = {0};
    struct hs_site HS_SITE site = {0};
    struct hs_arena HS_ARENA arena = hs_arena(1 << 18);
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) parsed = {0};
    struct hs_time until = {now.ms + 1000};
    char why[HS_CONFIG_WHY], *text = NULL;
    assert_ok(create(state, &root, why));
    assert_ok(open_site(state, &site, why));
    struct hs_standing standing = {
        .roles = {HANSE__ROLE__ROLE_TILL, HANSE__ROLE__ROLE_STAFF}, .role_count = 2, .handle = "till1"};
    assert_ok(hs_issue_ticket(&site, &root, &standing, 1, now, until, &arena, &text));
    assert_ok(hs_ticket_text_parse(hs_bytes_str(text), now, &arena, &parsed));
    assert_int_equal(parsed.roles,
                     HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL) | HS_ROLE_BIT(HANSE__ROLE__ROLE_STAFF));
    assert_string_equal(parsed.handle, "till1@rosa.example");
    assert_int_equal(parsed.ticket.max_uses, 1);
    assert_true(hs_key_equal(&parsed.descriptor.root, &root.pub));
    struct hs_arena HS_ARENA later_arena = hs_arena(1 << 18);
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) later = {0};
    assert_err(hs_ticket_text_parse(hs_bytes_str(text), until, &later_arena, &later), HS_ERR_EXPIRED);
    assert_err(hs_issue_ticket(&site, &root, &standing, 2, now, until, &arena, &text), HS_ERR_INVALID_ARG);
    standing.handle = "No Name";
    assert_err(hs_issue_ticket(&site, &root, &standing, 1, now, until, &arena, &text), HS_ERR_NAME_REFUSED);
}

static void customers_tickets_have_uses(void **state)
{
    struct hs_signer HS_SIGNER root = {0};
    struct hs_site HS_SITE site = {0};
    struct hs_arena HS_ARENA arena = hs_arena(1 << 18);
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) a = {0}, HS_AUTO(hs_ticket_text_wipe) b = {0};
    struct hs_standing nobody = {0};
    char why[HS_CONFIG_WHY], *first = NULL, *second = NULL;
    assert_ok(create(state, &root, why));
    assert_ok(open_site(state, &site, why));
    assert_ok(hs_issue_ticket(&site, &root, &nobody, 100, now, (struct hs_time){0}, &arena, &first));
    assert_ok(hs_issue_ticket(&site, &root, &nobody, 100, now, (struct hs_time){0}, &arena, &second));
    assert_ok(hs_ticket_text_parse(hs_bytes_str(first), now, &arena, &a));
    assert_ok(hs_ticket_text_parse(hs_bytes_str(second), now, &arena, &b));
    assert_int_equal(a.roles, 0);
    assert_int_equal(a.ticket.max_uses, 100);
    assert_int_equal(a.ticket.not_after.ms, 0);
    assert_false(hs_key_equal(&a.ticket.key, &b.ticket.key));
}

static void all_roles_fit_a_ticket(void **state)
{
    struct hs_signer HS_SIGNER root = {0};
    struct hs_site HS_SITE site = {0};
    struct hs_arena HS_ARENA arena = hs_arena(1 << 18);
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) parsed = {0};
    struct hs_standing all = {.handle = "everything"};
    char why[HS_CONFIG_WHY], *text = NULL;
    for (int role = 1; role <= HS_ISSUE_ROLES; role++)
        all.roles[all.role_count++] = (Hanse__Role)role;
    assert_ok(create(state, &root, why));
    assert_ok(open_site(state, &site, why));
    assert_ok(hs_issue_ticket(&site, &root, &all, 1, now, (struct hs_time){0}, &arena, &text));
    assert_ok(hs_ticket_text_parse(hs_bytes_str(text), now, &arena, &parsed));
    assert_int_equal(parsed.roles, HS_ROLES_ALL);
    print_message("a ticket with all roles has %zu characters\n", strlen(text));
}

static void grants_are_a_chain(void **state)
{
    struct hs_signer HS_SIGNER root = {0}, HS_SIGNER anna = {0};
    struct hs_site HS_SITE site = {0};
    struct hs_arena HS_ARENA arena = hs_arena(1 << 18);
    struct hs_standing standing = {.roles = {HANSE__ROLE__ROLE_MERCHANT}, .role_count = 1, .handle = "anna"};
    char why[HS_CONFIG_WHY], *text = NULL;
    static uint8_t bytes[8192];
    size_t len = 0;
    assert_ok(create(state, &root, why));
    assert_ok(open_site(state, &site, why));
    hs_signer_random(&anna);
    assert_ok(hs_issue_grants(&site, &root, &anna.pub, &standing, now, &arena, &text));
    assert_memory_equal(text, "hanse:g/", 8);
    assert_ok(hs_unbase64(hs_bytes_str(text + 8), bytes, sizeof bytes, &len));
    Hanse__Chain *chain = hanse__chain__unpack(NULL, len, bytes);
    assert_non_null(chain);
    assert_int_equal(chain->n_objects, 3);
    struct hs_chain opened;
    assert_ok(hs_chain_open(chain->objects, chain->n_objects, &root.pub, &arena, &opened));
    assert_int_equal(hs_chain_roles(&opened, &anna.pub, now), HS_ROLE_BIT(HANSE__ROLE__ROLE_MERCHANT));
    hanse__chain__free_unpacked(chain, NULL);
    struct hs_standing nothing = {0};
    assert_err(hs_issue_grants(&site, &root, &anna.pub, &nothing, now, &arena, &text), HS_ERR_INVALID_ARG);
    struct hs_key zero = {0};
    assert_err(hs_issue_grants(&site, &root, &zero, &standing, now, &arena, &text), HS_ERR_BAD_KEY);
}

/* What a node's directory holds of keys and descriptor: one file each, or none. */
enum { KEY_FILES = 5 };
static const char *const key_files[KEY_FILES] = {"signing.key", "transport.key", "descriptor",
                                                 "signing.key.next", "transport.key.next"};

struct keys_on_disk {
    struct hs_bytes file[KEY_FILES];
};

static struct keys_on_disk keys_read(void **state, struct hs_arena *arena)
{
    struct keys_on_disk keys = {0};
    for (size_t i = 0; i < KEY_FILES; i++)
        if (access(tmpdir_path(state, key_files[i]), F_OK) == 0)
            assert_ok(hs_file_read(tmpdir_path(state, key_files[i]), 4096, arena, &keys.file[i]));
    return keys;
}

static void keys_write(void **state, const struct keys_on_disk *keys)
{
    for (size_t i = 0; i < KEY_FILES; i++) {
        const char *path = tmpdir_path(state, key_files[i]);
        (void)unlink(path);
        if (keys->file[i].len > 0)
            assert_ok(hs_file_write_new(path, keys->file[i]));
    }
}

/* NODE-97: what both roots have signed is in every descriptor from the next one on; once. */
static void a_root_takes_anothers_place(void **state)
{
    struct hs_signer HS_SIGNER root = {0}, HS_SIGNER old = {0};
    struct hs_site HS_SITE site = {0}, HS_SITE renewed = {0}, HS_SITE again = {0};
    struct hs_key former;
    char why[HS_CONFIG_WHY];
    assert_ok(create(state, &root, why));
    hs_signer_random(&old);
    assert_ok(open_site(state, &site, why));
    assert_false(hs_descriptor_vouched(site.descriptor_object, now, &former));
    assert_err(hs_site_succeed(&site, &root, &root, now, why), HS_ERR_CONFLICT);
    assert_non_null(strstr(why, "own root"));
    assert_ok(hs_site_succeed(&site, &old, &root, now, why));
    assert_err(hs_site_succeed(&site, &old, &root, now, why), HS_ERR_CONFLICT);
    assert_non_null(strstr(why, "successor"));
    assert_ok(hs_site_renew(&site, &root, now, (struct hs_time){0}, why));
    assert_ok(open_site(state, &renewed, why));
    assert_true(hs_descriptor_vouched(renewed.descriptor_object, now, &former));
    assert_true(hs_key_equal(&former, &old.pub));
    assert_ok(hs_site_rotate(&renewed, &root, now, (struct hs_time){0}, why));
    assert_ok(open_site(state, &again, why));
    assert_int_equal(again.descriptor.sequence, 3);
    assert_true(hs_descriptor_vouched(again.descriptor_object, now, &former));
}

/* NODE-75: at whatever step a change of keys is broken off, the node has the keys that its descriptor names,
 * and the next change comes through. */
static void keys_are_changed_in_one_step(void **state)
{
    struct hs_signer HS_SIGNER root = {0};
    struct hs_site HS_SITE site = {0}, HS_SITE changed = {0};
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    char why[HS_CONFIG_WHY];
    assert_ok(create(state, &root, why));
    struct keys_on_disk old = keys_read(state, &arena);
    assert_ok(open_site(state, &site, why));
    assert_ok(hs_site_rotate(&site, &root, now, (struct hs_time){0}, why));
    struct keys_on_disk new = keys_read(state, &arena);
    assert_ok(open_site(state, &changed, why));
    assert_int_equal(changed.descriptor.sequence, 2);
    assert_true(hs_key_equal(&changed.descriptor.root, &root.pub));
    assert_false(hs_key_equal(&changed.signing.pub, &site.signing.pub));
    assert_false(hs_key_equal(&changed.transport_pub, &site.transport_pub));
    assert_true(new.file[3].len == 0 && new.file[4].len == 0);
    struct hs_bytes signing = new.file[0], transport = new.file[1], none = {0};
    const struct keys_on_disk steps[] = {
        {{old.file[0], old.file[1], old.file[2], signing, none}},
        {{old.file[0], old.file[1], old.file[2], signing, transport}},
        {{old.file[0], old.file[1], new.file[2], signing, transport}},
        {{signing, old.file[1], new.file[2], none, transport}},
        {{signing, transport, new.file[2], none, none}},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct hs_site HS_SITE found = {0}, HS_SITE again = {0};
        keys_write(state, &steps[i]);
        assert_ok(open_site(state, &found, why));
        assert_int_equal(found.descriptor.sequence, i < 2 ? 1 : 2);
        assert_true(hs_key_equal(&found.signing.pub, i < 2 ? &site.signing.pub : &changed.signing.pub));
        assert_true(hs_key_equal(&found.transport_pub, i < 2 ? &site.transport_pub : &changed.transport_pub));
        assert_ok(hs_site_rotate(&found, &root, now, (struct hs_time){0}, why));
        assert_ok(open_site(state, &again, why));
        assert_int_equal(again.descriptor.sequence, found.descriptor.sequence + 1);
        assert_true(hs_key_equal(&again.descriptor.signing_key, &again.signing.pub));
        assert_int_equal(access(tmpdir_path(state, "signing.key.next"), F_OK), -1);
        assert_int_equal(access(tmpdir_path(state, "transport.key.next"), F_OK), -1);
    }
    keys_write(state, &(struct keys_on_disk){{old.file[0], old.file[1], new.file[2], none, none}});
    struct hs_site HS_SITE torn = {0};
    assert_err(open_site(state, &torn, why),
               HS_ERR_MALFORMED); /* nobody has the new ones: said, not guessed */
    assert_non_null(strstr(why, "signing.key"));
}

int main(void)
{
    if (hs_crypto_init() != HS_OK)
        return 1;
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
        TEST(made_site_opens),
        TEST(files_are_private),
        TEST(second_making_changes_nothing),
        TEST(open_keys_are_refused),
        TEST(files_of_two_nodes_do_not_mix),
        TEST(missing_files_are_named),
        TEST(root_key_may_be_elsewhere),
        TEST(role_tickets_carry_their_grants),
        TEST(customers_tickets_have_uses),
        TEST(all_roles_fit_a_ticket),
        TEST(grants_are_a_chain),
        TEST(keys_are_changed_in_one_step),
        TEST(a_root_takes_anothers_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
