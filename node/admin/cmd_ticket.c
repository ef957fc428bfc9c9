/* hansed ticket: a text with which people sign up. */
#include "admin/cmd.h"
#include "admin/json.h"

#include <getopt.h>
#include <jansson.h>

static const char help[] =
    "hansed ticket --config FILE [--role ROLE]... [--handle NAME] [--uses N] [--days D] [--out FILE] "
    "[--json]\n"
    "\n"
    "Makes a ticket. With a role or a handle it makes one person part of the brand: its secret is that "
    "person's\n"
    "identity, so hand it over as you would a password. Without, it lets N customers sign up.\n"
    "\n"
    "  --config FILE    the node's configuration\n"
    "  --role ROLE      owner, merchant, staff, till or steward; may be given more than once\n"
    "  --handle NAME    the person's name before the @\n"
    "  --uses N         customers who may use it (1)\n"
    "  --days D         days for which it is good (30; 0 = for ever)\n"
    "  --out FILE       a new file for it, readable by you only, instead of standard output\n"
    "  --root-key FILE  where the root key is, if not beside the configuration's data\n"
    "  --json           an object with ticket, roles, handle, uses and not_after_ms\n"
    "\n"
    "Examples:\n"
    "  hansed ticket --config hansed.conf --uses 100                       # for a poster at the door\n"
    "  hansed ticket --config hansed.conf --role till --handle till1 --out till1.ticket\n";

enum { TICKET_DAYS = 30, USES_MAX = 1000000, DAYS_MAX = 36500 };

struct options {
    const char *config, *out, *root_key;
    struct hs_standing standing;
    unsigned long uses, days;
    bool json;
};

static int take(struct options *o, int option)
{
    switch (option) {
    case 'c':
        o->config = optarg;
        return HS_EXIT_OK;
    case 'r':
        return hs_cmd_add_role(&o->standing, optarg) ? HS_EXIT_OK : HS_EXIT_USAGE;
    case 'n':
        o->standing.handle = optarg;
        return HS_EXIT_OK;
    case 'u':
        return hs_cmd_number("--uses", optarg, 1, USES_MAX, &o->uses) ? HS_EXIT_OK : HS_EXIT_USAGE;
    case 'd':
        return hs_cmd_number("--days", optarg, 0, DAYS_MAX, &o->days) ? HS_EXIT_OK : HS_EXIT_USAGE;
    case 'o':
        o->out = optarg;
        return HS_EXIT_OK;
    case 'k':
        o->root_key = optarg;
        return HS_EXIT_OK;
    case 'j':
        o->json = true;
        return HS_EXIT_OK;
    case 'h':
        return fputs(help, stdout) < 0 ? HS_EXIT_FAILURE : -1;
    default:
        return hs_cmd_usage("ticket");
    }
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},   {"role", required_argument, NULL, 'r'},
        {"handle", required_argument, NULL, 'n'},   {"uses", required_argument, NULL, 'u'},
        {"days", required_argument, NULL, 'd'},     {"out", required_argument, NULL, 'o'},
        {"root-key", required_argument, NULL, 'k'}, {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},           {0}};
    int code = HS_EXIT_OK;
    for (int option; code == HS_EXIT_OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        code = take(o, option);
    if (code != HS_EXIT_OK)
        return code;
    if (o->config == NULL || optind < argc)
        return hs_cmd_fail(HS_EXIT_USAGE, "ticket needs --config, and nothing else but options");
    if (!hs_cmd_check_handle(o->standing.handle))
        return HS_EXIT_USAGE;
    if (o->uses > 1 && (o->standing.role_count > 0 || o->standing.handle != NULL))
        return hs_cmd_fail(HS_EXIT_USAGE, "a ticket with a role or a handle is one person's: no --uses");
    return HS_EXIT_OK;
}

static char *to_json(const struct options *o, const struct hs_site *site, const char *ticket,
                     struct hs_time not_after)
{
    char handle[HS_HANDLE_TEXT_SIZE] = "";
    hs_json_begin();
    json_t *roles = json_array();
    for (size_t i = 0; i < o->standing.role_count; i++)
        json_array_append_new(roles, json_string(hs_role_name(o->standing.roles[i])));
    if (o->standing.handle != NULL)
        snprintf(handle, sizeof handle, "%s@%s", o->standing.handle, site->descriptor.domain);
    json_t *object = json_pack("{s:s, s:o, s:s, s:I, s:I}", "ticket", ticket, "roles", roles, "handle",
                               handle, "uses", (json_int_t)o->uses, "not_after_ms", (json_int_t)not_after.ms);
    char *text = object != NULL ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    if (text == NULL || !hs_json_is_scarce())
        return text;
    hs_wipe(text, strlen(text)); /* it lacks something */
    free(text);
    return NULL;
}

static int deliver(const struct options *o, const char *text)
{
    if (o->out == NULL)
        return puts(text) >= 0 && fflush(stdout) == 0 ? HS_EXIT_OK : HS_EXIT_FAILURE;
    enum hs_err err = hs_file_write_new(o->out, hs_bytes_str(text));
    if (err == HS_ERR_CONFLICT)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s is there already; nothing was changed", o->out);
    return err == HS_OK ? HS_EXIT_OK : hs_cmd_fail(HS_EXIT_FAILURE, "%s can't be written", o->out);
}

static int make(const struct options *o, const struct hs_site *site, const struct hs_signer *root)
{
    struct hs_arena HS_ARENA arena = hs_arena(256 * 1024);
    struct hs_time now = hs_cmd_now(), not_after = hs_cmd_days(now, o->days);
    char *text = NULL;
    enum hs_err err =
        hs_issue_ticket(site, root, &o->standing, (uint32_t)o->uses, now, not_after, &arena, &text);
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
    if (!o->json)
        return deliver(o, text);
    char *json = to_json(o, site, text, not_after);
    if (json == NULL)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(HS_ERR_NOMEM));
    int code = deliver(o, json);
    hs_wipe(json, strlen(json));
    free(json);
    return code;
}

int hs_cmd_ticket(int argc, char **argv)
{
    struct options o = {.uses = 1, .days = TICKET_DAYS};
    struct hs_site HS_SITE site = {0};
    struct hs_signer HS_SIGNER root = {0};
    int code = parse(argc, argv, &o);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    if (!hs_cmd_prepare())
        return HS_EXIT_FAILURE;
    code = hs_cmd_open_root(o.config, o.root_key, &site, &root);
    return code == HS_EXIT_OK ? make(&o, &site, &root) : code;
}
