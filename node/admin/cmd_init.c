/* hansed init: a new node's directory, and the ticket that makes somebody its owner. */
#include "admin/cmd.h"
#include "net/address.h"

#include <getopt.h>

enum { OWNER_DAYS = 30 };

static const char help[] =
    "hansed init --domain DOMAIN --dir DIR [--listen ADDRESS] [--advertise HOST:PORT]... [--owner NAME]\n"
    "\n"
    "Makes a node: root key, node keys, descriptor, DIR/hansed.conf, and DIR/owner.ticket, a text that makes "
    "whoever\n"
    "uses it first the owner NAME@DOMAIN. Nothing that is there already is changed.\n"
    "\n"
    "  --domain DOMAIN        the brand's domain, in A-labels: rosa.example\n"
    "  --dir DIR              where keys, configuration and store will be; made if missing\n"
    "  --listen ADDRESS       numeric address and port to accept connections at (127.0.0.1:7700)\n"
    "  --advertise HOST:PORT  where others reach the node; up to four, the listening address if none\n"
    "  --owner NAME           the owner's handle before the @ (owner)\n"
    "\n"
    "Afterwards, move DIR/root.key to a safe place if you can: the daemon runs without it, tickets and "
    "grants need it.\n"
    "\n"
    "Example:\n"
    "  hansed init --domain rosa.example --dir /var/lib/hanse --listen 0.0.0.0:7700 --advertise "
    "rosa.example:7700\n";

struct options {
    struct hs_config config;
    const char *dir, *owner;
};

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {{"domain", required_argument, NULL, 'd'},
                                            {"dir", required_argument, NULL, 'D'},
                                            {"listen", required_argument, NULL, 'l'},
                                            {"advertise", required_argument, NULL, 'a'},
                                            {"owner", required_argument, NULL, 'o'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *domain = NULL, *listen = "127.0.0.1:7700";
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'd')
            domain = optarg;
        else if (option == 'D')
            o->dir = optarg;
        else if (option == 'l')
            listen = optarg;
        else if (option == 'o')
            o->owner = optarg;
        else if (option == 'h')
            return fputs(help, stdout) < 0 ? HS_EXIT_FAILURE : -1;
        else if (option != 'a' || hs_config_add_addresses(&o->config, optarg) != HS_OK)
            return option == 'a' ? hs_cmd_fail(HS_EXIT_USAGE, "--advertise takes one to four of host:port")
                                 : hs_cmd_usage("init");
    }
    if (domain == NULL || o->dir == NULL || optind < argc)
        return hs_cmd_fail(HS_EXIT_USAGE, "init needs --domain and --dir, and nothing else but options");
    if (!hs_config_set_domain(&o->config, domain))
        return hs_cmd_fail(HS_EXIT_USAGE, "--domain takes a domain in lower case, such as rosa.example");
    if (!hs_handle_name_is_valid(hs_bytes_str(o->owner)))
        return hs_cmd_fail(HS_EXIT_USAGE, "--owner takes 1 to 64 of a-z, 0-9, '.', '_', '-'");
    return hs_config_set_listen(&o->config, listen)
               ? HS_EXIT_OK
               : hs_cmd_fail(HS_EXIT_USAGE,
                             "--listen takes a numeric address and a port, such as 127.0.0.1:7700");
}

/* Opened again from the files: what is told to be ready has been read as the daemon will read it. */
static int write_ticket(const struct options *o, const struct hs_signer *root, char why[static HS_CONFIG_WHY])
{
    struct hs_site HS_SITE site = {0};
    struct hs_arena HS_ARENA arena = hs_arena(256 * 1024);
    struct hs_time now = hs_cmd_now();
    struct hs_standing owner = {.roles = {HANSE__ROLE__ROLE_OWNER}, .role_count = 1, .handle = o->owner};
    char path[HS_PATH_SIZE], *text = NULL;
    enum hs_err err = hs_path_join(o->dir, "hansed.conf", path);
    if (err == HS_OK)
        err = hs_site_open(path, &site, why);
    if (err != HS_OK)
        return hs_cmd_site_failed(err, why);
    err = hs_issue_ticket(&site, root, &owner, 1, now, hs_cmd_days(now, OWNER_DAYS), &arena, &text);
    if (err == HS_OK)
        err = hs_path_join(o->dir, "owner.ticket", path);
    if (err == HS_OK)
        err = hs_file_write_new(path, hs_bytes_str(text));
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "the owner's ticket: %s", hs_err_text(err));
    printf("The node of %s is made in %s.\n"
           "Its owner is %s@%s: whoever first uses the ticket in %s, within %d days.\n"
           "Keep %s/root.key safe and elsewhere if you can; tickets and grants need it, the daemon doesn't.\n"
           "Start it: hansed --config %s/hansed.conf\n",
           o->config.domain, o->dir, o->owner, o->config.domain, path, OWNER_DAYS, o->dir, o->dir);
    return HS_EXIT_OK;
}

int hs_cmd_init(int argc, char **argv)
{
    struct options o = {.owner = "owner"};
    struct hs_signer HS_SIGNER root = {0};
    char why[HS_CONFIG_WHY] = "";
    int code = parse(argc, argv, &o);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    if (!hs_cmd_prepare())
        return HS_EXIT_FAILURE;
    strcpy(o.config.data, ".");
    struct sockaddr_storage listen;
    o.config.private_too = hs_address_parse(o.config.listen, &listen) == HS_OK &&
                           hs_address_is_inside((const struct sockaddr *)&listen);
    if (o.config.advertise_count == 0 && hs_config_add_addresses(&o.config, o.config.listen) != HS_OK)
        return hs_cmd_fail(HS_EXIT_USAGE, "where is the node reached? --advertise HOST:PORT");
    enum hs_err err = hs_site_create(o.dir, &o.config, hs_cmd_now(), &root, why);
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", why[0] != '\0' ? why : hs_err_text(err));
    return write_ticket(&o, &root, why);
}
