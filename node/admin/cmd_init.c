#include "admin/command.h"
#include "admin/config.h"
#include "admin/grants.h"
#include "admin/now.h"
#include "base/text.h"
#include "crypto/selftest.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { ARENA_CAP = 1 << 20, TICKET_DAYS = 30 };

struct wishes {
    const char *domain, *dir, *listen, *owner;
    struct hs_descriptor facts;
};

static void print_next(const struct wishes *w, const struct hs_signer *root)
{
    char hex[HS_HEX_SIZE(32)];
    printf("Made the node of %s in %s.\n\n"
           "  its root key   %s\n"
           "                 others pin it; %s/root.key is its private half: copy it to paper or an\n"
           "                 offline medium and take it away, only hansed ticket and hansed grant need it\n"
           "  the owner      %s@%s: %s/owner.ticket (30 days, once)\n\n"
           "Next:\n"
           "  hansed --config %s/hansed.conf\n"
           "  hanse init --ticket %s/owner.ticket      (in another terminal)\n"
           "  hanse room create 'My customers'\n",
           w->domain, w->dir, hs_hex(HS_VIEW(root->pub), hex), w->dir, w->owner, w->domain, w->dir, w->dir,
           w->dir);
}

static enum hs_err write_owner_ticket(const struct wishes *w, const struct hs_signer *root,
                                      struct hs_time now, struct hs_arena *arena)
{
    char path[HS_PATH_SIZE];
    char *text;
    const char *what;
    struct hs_node_keys HS_NODE_KEYS keys;
    struct hs_entitlement owner = {
        .roles = {HANSE__ROLE__ROLE_OWNER}, .role_count = 1, .handle = w->owner, .now = now};
    owner.ticket_not_after.ms = now.ms + TICKET_DAYS * HS_DAY_MS;
    HS_TRY(hs_node_keys_load(w->dir, now, arena, &keys, &what));
    HS_TRY(hs_ticket_make(root, &keys, &owner, arena, &text));
    (void)snprintf(path, sizeof path, "%s/owner.ticket", w->dir);
    return hs_private_file_write(path, hs_bytes_str(text));
}

static int make(const struct wishes *w)
{
    struct hs_arena HS_ARENA arena = hs_arena(ARENA_CAP);
    struct hs_signer HS_SIGNER root;
    struct hs_time now = hs_now();
    Hanse__SignedObject *descriptor;
    char path[HS_PATH_SIZE];
    if (!hs_handle_name_is_valid(hs_bytes_str(w->owner)))
        return hs_command_fail(w->owner, HS_ERR_NAME_REFUSED);
    enum hs_err err = hs_crypto_init();
    if (err != HS_OK)
        return hs_command_fail("libsodium", err);
    err = hs_node_keys_make(w->dir, &w->facts, now, &root, &arena, &descriptor);
    if (err != HS_OK)
        return hs_command_fail(w->dir, err);
    (void)snprintf(path, sizeof path, "%s/hansed.conf", w->dir);
    err = hs_config_write(path, w->domain, w->listen);
    if (err == HS_OK)
        err = write_owner_ticket(w, &root, now, &arena);
    if (err != HS_OK)
        return hs_command_fail(w->dir, err);
    print_next(w, &root);
    return EXIT_DONE;
}

/* "a:1,b:2" or one more address each time. */
static bool add_addresses(struct hs_descriptor *facts, const char *list)
{
    while (*list != '\0') {
        size_t len = strcspn(list, ",");
        if (facts->address_count == HS_DESCRIPTOR_ADDRESSES || len > HS_ADDRESS_MAX ||
            !hs_address_is_valid(hs_bytes(list, len)))
            return false;
        char *to = facts->addresses[facts->address_count++];
        memcpy(to, list, len);
        to[len] = '\0';
        list += len + (list[len] == ',' ? 1 : 0);
    }
    return true;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {
        {"domain", required_argument, NULL, 'd'}, {"dir", required_argument, NULL, 'D'},
        {"listen", required_argument, NULL, 'l'}, {"advertise", required_argument, NULL, 'a'},
        {"owner", required_argument, NULL, 'o'},  {NULL, 0, NULL, 0}};
    struct wishes w = {.listen = "127.0.0.1:7700", .owner = "owner"};
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o == 'd')
            w.domain = optarg;
        else if (o == 'D')
            w.dir = optarg;
        else if (o == 'l')
            w.listen = optarg;
        else if (o == 'o')
            w.owner = optarg;
        else if (o != 'a')
            return hs_command_usage(&hs_cmd_init, "see its options");
        else if (!add_addresses(&w.facts, optarg))
            return hs_command_usage(&hs_cmd_init,
                                    "--advertise wants up to 4 addresses like shop.example:7700");
    }
    if (optind != argc || w.domain == NULL || w.dir == NULL)
        return hs_command_usage(&hs_cmd_init, "it wants --domain and --dir");
    if (!hs_domain_is_valid(hs_bytes_str(w.domain)))
        return hs_command_usage(&hs_cmd_init, "'%s' isn't a domain name (lower case, IDNA as A-labels)",
                                w.domain);
    if (w.facts.address_count == 0 && !add_addresses(&w.facts, w.listen))
        return hs_command_usage(&hs_cmd_init, "--listen wants an address like 127.0.0.1:7700");
    (void)snprintf(w.facts.domain, sizeof w.facts.domain, "%s", w.domain);
    return make(&w);
}

const struct hs_command hs_cmd_init = {
    .name = "init",
    .summary = "make a new node: keys, descriptor, configuration, the owner's ticket",
    .run = run,
    .help =
        "usage: hansed init --domain DOMAIN --dir DIR [options]\n\n"
        "  --domain DOMAIN     the brand's DNS name\n"
        "  --dir DIR           where keys, configuration and state go (made where it is missing)\n"
        "  --listen ADDR:PORT  where the node listens (default: 127.0.0.1:7700)\n"
        "  --advertise LIST    how others reach it: host:port, up to 4, by commas (default: as --listen)\n"
        "  --owner NAME        the owner's handle is NAME@DOMAIN (default: owner)\n\n"
        "example:\n"
        "  hansed init --domain rosa.example --dir /srv/hanse --listen 0.0.0.0:7700 \\\n"
        "    --advertise rosa.example:7700\n",
};
