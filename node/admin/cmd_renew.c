/* hansed renew: the root says anew where its node is. */
#include "admin/cmd.h"

#include <getopt.h>

static const char help[] =
    "hansed renew --config FILE [--keys] [--days D] [--succeeds FILE] [--root-key FILE]\n"
    "\n"
    "Signs a new descriptor, one number higher, with the addresses that the configuration advertises now. A "
    "running\n"
    "node takes it over on SIGHUP; others learn it from the node itself, or from its domain's page.\n"
    "\n"
    "  --config FILE    the node's configuration\n"
    "  --keys           for new signing and transport keys: restart the node afterwards\n"
    "  --days D         days for which it is good (0 = for ever, the default)\n"
    "  --succeeds FILE  the root key whose place this node's root takes: both sign that, and descriptors "
    "show it\n"
    "                   from now on. Other operators are told that the old root vouches for the new one, and "
    "still\n"
    "                   decide themselves\n"
    "  --root-key FILE  where the root key is, if not beside the configuration's data\n"
    "\n"
    "Example:\n"
    "  hansed renew --config hansed.conf && kill -HUP $(pidof hansed)\n";

enum { DAYS_MAX = 36500 };

struct options {
    const char *config, *root_key, *succeeds;
    bool keys;
    unsigned long days;
};

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"days", required_argument, NULL, 'd'},
                                            {"keys", no_argument, NULL, 'n'},
                                            {"root-key", required_argument, NULL, 'k'},
                                            {"succeeds", required_argument, NULL, 's'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c')
            o->config = optarg;
        else if (option == 'k')
            o->root_key = optarg;
        else if (option == 's')
            o->succeeds = optarg;
        else if (option == 'n')
            o->keys = true;
        else if (option == 'h')
            return fputs(help, stdout) < 0 ? HS_EXIT_FAILURE : -1;
        else if (option != 'd')
            return hs_cmd_usage("renew");
        else if (!hs_cmd_number("--days", optarg, 0, DAYS_MAX, &o->days))
            return HS_EXIT_USAGE;
    }
    return o->config != NULL && optind == argc
               ? HS_EXIT_OK
               : hs_cmd_fail(HS_EXIT_USAGE, "renew needs --config, and nothing else but options");
}

/* The statement comes first: where it is broken off behind it, the next renewal shows it. */
static enum hs_err renew(const struct options *o, const struct hs_site *site, const struct hs_signer *root,
                         char why[static HS_CONFIG_WHY])
{
    struct hs_signer HS_SIGNER old = {0};
    struct hs_time now = hs_cmd_now();
    if (o->succeeds != NULL) {
        HS_TRY(hs_site_read_root(o->succeeds, &old, why));
        HS_TRY(hs_site_succeed(site, &old, root, now, why));
    }
    return (o->keys ? hs_site_rotate : hs_site_renew)(site, root, now, hs_cmd_days(now, o->days), why);
}

int hs_cmd_renew(int argc, char **argv)
{
    struct options o = {0};
    struct hs_site HS_SITE site = {0};
    struct hs_signer HS_SIGNER root = {0};
    char why[HS_CONFIG_WHY] = "";
    if (!hs_cmd_prepare())
        return HS_EXIT_FAILURE;
    int code = parse(argc, argv, &o);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    code = hs_cmd_open_root(o.config, o.root_key, &site, &root);
    if (code != HS_EXIT_OK)
        return code;
    enum hs_err err = renew(&o, &site, &root, why);
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", why[0] != '\0' ? why : hs_err_text(err));
    printf("The descriptor of %s has number %llu now. %s\n", site.config.domain,
           (unsigned long long)site.descriptor.sequence + 1,
           o.keys ? "Its keys are new: restart the node now, so that it uses them."
                  : "A running node takes it over on SIGHUP.");
    return HS_EXIT_OK;
}
