/* hansed ticket and hansed grant: what the root key signs for people. */
#include "admin/command.h"
#include "admin/config.h"
#include "admin/grants.h"
#include "admin/now.h"
#include "base/text.h"
#include "crypto/selftest.h"
#include "object/object.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_CAP = 1 << 20, DAYS_DEFAULT = 30, DAYS_MAX = 36500, USES_MAX = 1000000 };

/* What both commands take. */
struct wishes {
    const char *config, *out;
    struct hs_entitlement e;
    struct hs_key key;
    bool has_key, json;
    long days, valid_days; /* valid_days 0: roles and handle have no end */
};

static bool number(const char *text, long min, long max, long *out)
{
    char *end;
    *out = strtol(text, &end, 10);
    return end != text && *end == '\0' && *out >= min && *out <= max;
}

/* One option; false where its value can't be used. */
static bool take(struct wishes *w, int option, const char *value)
{
    long uses;
    switch (option) {
    case 'c':
        w->config = value;
        return true;
    case 'o':
        w->out = value;
        return true;
    case 'h':
        w->e.handle = value;
        return hs_handle_name_is_valid(hs_bytes_str(value));
    case 'r':
        if (w->e.role_count == HS_ROLES_WANTED_MAX)
            return false;
        w->e.roles[w->e.role_count] = hs_role_of(hs_bytes_str(value));
        return w->e.roles[w->e.role_count++] != HANSE__ROLE__ROLE_NONE;
    case 'u':
        if (!number(value, 1, USES_MAX, &uses))
            return false;
        w->e.uses = (uint32_t)uses;
        return true;
    case 'd':
        return number(value, 1, DAYS_MAX, &w->days);
    case 'v':
        return number(value, 1, DAYS_MAX, &w->valid_days);
    case 'k':
        w->has_key = hs_unhex(value, w->key.b, sizeof w->key.b) == HS_OK;
        return w->has_key;
    case 'j':
        return w->json = true;
    default:
        return false;
    }
}

static bool take_all(struct wishes *w, int argc, char **argv, const struct option *options)
{
    w->e.uses = 1;
    w->days = DAYS_DEFAULT;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL))
        if (!take(w, o, optarg))
            return false;
    return optind == argc && w->config != NULL;
}

/* Configuration, node keys and root key. */
static int load(struct wishes *w, struct hs_arena *arena, struct hs_node_keys *node, struct hs_signer *root)
{
    struct hs_config config;
    char error[HS_CONFIG_ERROR_SIZE];
    const char *what;
    if (hs_config_load(w->config, &config, error) != HS_OK) {
        fprintf(stderr, "hansed: %s\n", error);
        return EXIT_CONFIG;
    }
    enum hs_err err = hs_crypto_init();
    if (err != HS_OK)
        return hs_command_fail("libsodium", err);
    w->e.now = hs_now();
    w->e.ticket_not_after.ms = w->e.now.ms + (int64_t)w->days * HS_DAY_MS;
    if (w->valid_days > 0)
        w->e.not_after.ms = w->e.now.ms + (int64_t)w->valid_days * HS_DAY_MS;
    err = hs_node_keys_load(config.data, w->e.now, arena, node, &what);
    if (err != HS_OK)
        return hs_command_fail(what, err);
    err = hs_root_key_load(config.data, root);
    if (err == HS_ERR_NOT_FOUND)
        fprintf(stderr, "hansed: put root.key back into %s for this, then take it away again\n", config.data);
    return err == HS_OK ? EXIT_DONE : hs_command_fail("root.key", err);
}

static int give(const struct wishes *w, const char *kind, const char *text)
{
    if (w->out != NULL && strcmp(w->out, "-") != 0) {
        enum hs_err err = hs_private_file_write(w->out, hs_bytes_str(text));
        if (err != HS_OK)
            return hs_command_fail(w->out, err);
        if (!w->json)
            printf("%s (readable by you alone; whoever has it can use it)\n", w->out);
        return EXIT_DONE;
    }
    if (w->json) {
        json_t *value = json_pack("{s:s, s:I}", kind, text, "until",
                                  (json_int_t)(w->has_key ? w->e.not_after.ms : w->e.ticket_not_after.ms));
        (void)json_dumpf(value, stdout, JSON_COMPACT);
        json_decref(value);
        printf("\n");
    } else {
        printf("%s\n", text);
    }
    return EXIT_DONE;
}

static int run_ticket(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"role", required_argument, NULL, 'r'},
                                            {"handle", required_argument, NULL, 'h'},
                                            {"uses", required_argument, NULL, 'u'},
                                            {"days", required_argument, NULL, 'd'},
                                            {"valid-days", required_argument, NULL, 'v'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    struct wishes w = {0};
    struct hs_arena HS_ARENA arena = hs_arena(ARENA_CAP);
    struct hs_node_keys HS_NODE_KEYS node = {0};
    struct hs_signer HS_SIGNER root = {0};
    char *text;
    if (!take_all(&w, argc, argv, options))
        return hs_command_usage(&hs_cmd_ticket, "see its options");
    if (w.e.uses > 1 && (w.e.role_count > 0 || w.e.handle != NULL))
        return hs_command_usage(&hs_cmd_ticket,
                                "a ticket with a role or handle is for one person: leave --uses out");
    int code = load(&w, &arena, &node, &root);
    if (code != EXIT_DONE)
        return code;
    enum hs_err err = hs_ticket_make(&root, &node, &w.e, &arena, &text);
    return err == HS_OK ? give(&w, "ticket", text) : hs_command_fail("ticket", err);
}

/* "hanse:g/" and the base64url of a Chain. */
static enum hs_err grant_text(const struct wishes *w, const struct hs_signer *root,
                              const struct hs_node_keys *node, struct hs_arena *arena, char **out)
{
    Hanse__SignedObject *objects[HS_ROLES_WANTED_MAX + 2];
    Hanse__Chain chain = HANSE__CHAIN__INIT;
    size_t count;
    HS_TRY(hs_object_unpack(node->descriptor, arena, &objects[0]));
    HS_TRY(hs_grants_make(root, &node->facts, &w->key, &w->e, arena, objects + 1, &count));
    chain.objects = objects;
    chain.n_objects = count + 1;
    size_t len = hanse__chain__get_packed_size(&chain);
    uint8_t *packed = hs_arena_alloc(arena, len);
    char *text = hs_arena_alloc(arena, 8 + HS_BASE64_SIZE(len));
    HS_REQUIRE(packed != NULL && text != NULL, HS_ERR_NOMEM);
    (void)hanse__chain__pack(&chain, packed);
    memcpy(text, "hanse:g/", 8);
    hs_base64(hs_bytes(packed, len), text + 8);
    *out = text;
    return HS_OK;
}

static int run_grant(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"key", required_argument, NULL, 'k'},
                                            {"role", required_argument, NULL, 'r'},
                                            {"handle", required_argument, NULL, 'h'},
                                            {"valid-days", required_argument, NULL, 'v'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"json", no_argument, NULL, 'j'},
                                            {NULL, 0, NULL, 0}};
    struct wishes w = {0};
    struct hs_arena HS_ARENA arena = hs_arena(ARENA_CAP);
    struct hs_node_keys HS_NODE_KEYS node = {0};
    struct hs_signer HS_SIGNER root = {0};
    char *text;
    if (!take_all(&w, argc, argv, options) || !w.has_key || (w.e.role_count == 0 && w.e.handle == NULL))
        return hs_command_usage(&hs_cmd_grant, "it wants --config, --key and a --role or --handle");
    int code = load(&w, &arena, &node, &root);
    if (code != EXIT_DONE)
        return code;
    enum hs_err err = grant_text(&w, &root, &node, &arena, &text);
    return err == HS_OK ? give(&w, "grant", text) : hs_command_fail("grant", err);
}

#define ROLES "owner, merchant, staff, till, steward, payment-agent, fulfiller"

const struct hs_command hs_cmd_ticket = {
    .name = "ticket",
    .summary = "make a ticket: an account for staff (with roles) or customers",
    .run = run_ticket,
    .help = "usage: hansed ticket --config FILE [options]\n\n"
            "  --role ROLE    " ROLES ";\n"
            "                 may be given more than once\n"
            "  --handle NAME  the bearer is NAME@ your domain\n"
            "  --uses N       without role and handle: so many customers may sign up with it (default: 1)\n"
            "  --days N       it can be used for so many days (default: 30)\n"
            "  --valid-days N the role and handle end after so many days (default: no end)\n"
            "  --out FILE     write it there instead of showing it\n"
            "  --json         as JSON\n\n"
            "example:\n"
            "  hansed ticket --config hansed.conf --role staff --role merchant --handle mo --out mo.ticket\n",
};

const struct hs_command hs_cmd_grant = {
    .name = "grant",
    .summary = "give roles or a handle to a key that exists",
    .run = run_grant,
    .help = "usage: hansed grant --config FILE --key HEX (--role ROLE | --handle NAME) [options]\n\n"
            "  --key HEX      the person's public key (64 hex digits)\n"
            "  --role ROLE    " ROLES "\n"
            "  --handle NAME  the bearer is NAME@ your domain\n"
            "  --valid-days N end it after so many days (default: no end)\n"
            "  --out FILE     write it there instead of showing it\n"
            "  --json         as JSON\n\n"
            "example:\n"
            "  hansed grant --config hansed.conf --key 3f2a... --role till --valid-days 365\n",
};
