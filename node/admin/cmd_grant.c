/* hansed grant: roles and a handle for a key that exists. */
#include "admin/cmd.h"

#include "base/text.h"

#include <getopt.h>

static const char help[] =
    "hansed grant --config FILE --key HEX [--role ROLE]... [--handle NAME] [--days D] [--root-key FILE]\n"
    "\n"
    "Prints signed grants for the persona or identity key HEX, as a text for its bearer: hanse:g/...\n"
    "It holds no secret. The bearer takes it with: hanse grant FILE\n"
    "\n"
    "  --config FILE    the node's configuration\n"
    "  --key HEX        the key, 64 hex digits\n"
    "  --role ROLE      owner, merchant, staff, till or steward; may be given more than once\n"
    "  --handle NAME    the name before the @\n"
    "  --days D         days for which the grants are good (0 = for ever, the default)\n"
    "  --root-key FILE  where the root key is, if not beside the configuration's data\n"
    "\n"
    "Example:\n"
    "  hansed grant --config hansed.conf --key 8c1f...e2 --role staff --handle anna\n";

enum { DAYS_MAX = 36500 };

struct options {
    const char *config, *root_key;
    struct hs_key key;
    bool has_key;
    struct hs_standing standing;
    unsigned long days;
};

static int take(struct options *o, int option)
{
    switch (option) {
    case 'c':
        o->config = optarg;
        return HS_EXIT_OK;
    case 'K':
        o->has_key =
            hs_unhex(optarg, o->key.b, sizeof o->key.b) == HS_OK && hs_sign_key_check(&o->key) == HS_OK;
        return o->has_key ? HS_EXIT_OK
                          : hs_cmd_fail(HS_EXIT_USAGE, "--key takes a public key, 64 hex digits");
    case 'r':
        return hs_cmd_add_role(&o->standing, optarg) ? HS_EXIT_OK : HS_EXIT_USAGE;
    case 'n':
        o->standing.handle = optarg;
        return HS_EXIT_OK;
    case 'd':
        return hs_cmd_number("--days", optarg, 0, DAYS_MAX, &o->days) ? HS_EXIT_OK : HS_EXIT_USAGE;
    case 'k':
        o->root_key = optarg;
        return HS_EXIT_OK;
    case 'h':
        return fputs(help, stdout) < 0 ? HS_EXIT_FAILURE : -1;
    default:
        return hs_cmd_usage("grant");
    }
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'}, {"key", required_argument, NULL, 'K'},
        {"role", required_argument, NULL, 'r'},   {"handle", required_argument, NULL, 'n'},
        {"days", required_argument, NULL, 'd'},   {"root-key", required_argument, NULL, 'k'},
        {"help", no_argument, NULL, 'h'},         {0}};
    int code = HS_EXIT_OK;
    for (int option; code == HS_EXIT_OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        code = take(o, option);
    if (code != HS_EXIT_OK)
        return code;
    if (o->config == NULL || !o->has_key || optind < argc)
        return hs_cmd_fail(HS_EXIT_USAGE, "grant needs --config and --key, and nothing else but options");
    if (o->standing.role_count == 0 && o->standing.handle == NULL)
        return hs_cmd_fail(HS_EXIT_USAGE, "what is to be granted? --role or --handle");
    if (!hs_cmd_check_handle(o->standing.handle))
        return HS_EXIT_USAGE;
    return HS_EXIT_OK;
}

int hs_cmd_grant(int argc, char **argv)
{
    struct options o = {0};
    struct hs_site HS_SITE site = {0};
    struct hs_signer HS_SIGNER root = {0};
    struct hs_arena HS_ARENA arena = hs_arena(256 * 1024);
    char *text = NULL;
    if (!hs_cmd_prepare())
        return HS_EXIT_FAILURE;
    int code = parse(argc, argv, &o);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    code = hs_cmd_open_root(o.config, o.root_key, &site, &root);
    if (code != HS_EXIT_OK)
        return code;
    struct hs_time now = hs_cmd_now();
    o.standing.not_after = hs_cmd_days(now, o.days);
    enum hs_err err = hs_issue_grants(&site, &root, &o.key, &o.standing, now, &arena, &text);
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
    return puts(text) >= 0 && fflush(stdout) == 0 ? HS_EXIT_OK : HS_EXIT_FAILURE;
}
