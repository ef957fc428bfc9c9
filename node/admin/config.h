/* The configuration file: INI, every key known, every mistake named with its file and line. */
#ifndef HS_ADMIN_CONFIG_H
#define HS_ADMIN_CONFIG_H

#include "admin/file.h"
#include "admin/log.h"
#include "identity/descriptor.h"
#include "net/limits.h"

/* The parser's lines end at 200 characters: a longer value would be read as two lines. */
enum { HS_CONFIG_VALUE_MAX = 180 };

enum { HS_CONFIG_PEER_ROWS = 8192 }; /* more belong into the file */

enum {
    HS_CONFIG_WHY = 512,
    HS_STORE_GIB = 64,
    HS_STORE_GIB_MAX = 4096,
    HS_DISK_RESERVE_MIB = 256,
    HS_RECOVER_S = 60
};

struct hs_config {
    char domain[HS_DOMAIN_MAX + 1];
    char listen[HS_ADDRESS_MAX + 1];
    char advertise[HS_DESCRIPTOR_ADDRESSES][HS_ADDRESS_MAX + 1];
    size_t advertise_count;
    char data[HS_PATH_SIZE]; /* absolute, or relative to where the program runs */
    struct hs_net_limits limits;
    unsigned store_gib;        /* address space of the store: its most */
    unsigned disk_reserve_mib; /* below so much free disk new data is refused */
    unsigned recover_seconds;  /* after a restoring: how long rooms wait for those who read them */
    unsigned inbox_days;       /* so long waits what a device or node doesn't fetch */
    enum hs_log_level log;
    enum hs_log_format log_format;
    bool wake_http;   /* devices may be woken by http, too: for trials */
    bool private_too; /* addresses of this machine and private networks are dialled, too */
    char discovery_listen[HS_ADDRESS_MAX + 1]; /* where the node's own page is shown; empty: nowhere */
    char discovery_url[HS_CONFIG_VALUE_MAX + 1],
        discovery_dns[HS_ADDRESS_MAX + 1]; /* discover.h; empty: as usual */
    char peers_file[HS_PATH_SIZE]; /* of rows on other nodes (peers.h); empty: none. Relative to the file */
    char peer_rows[HS_CONFIG_PEER_ROWS]; /* rows of the same form, from the configuration itself */
    char metrics[HS_ADDRESS_MAX + 1];    /* where figures are shown; empty: nowhere */
};

/* Reads and checks. CONFIG, with a sentence that names file and line in why. A relative data directory is
 * relative to the file's. */
enum hs_err hs_config_read(const char *path, struct hs_config *out, char why[static HS_CONFIG_WHY]);

/* The text of a new configuration file, with comments. In the arena; NULL without memory. */
char *hs_config_text(const struct hs_config *config, struct hs_arena *arena);

/* False where it isn't a domain in A-labels of at most HS_CONFIG_VALUE_MAX characters; a numeric address and
 * port. */
bool hs_config_set_domain(struct hs_config *config, const char *value);
bool hs_config_set_listen(struct hs_config *config, const char *value);

/* Adds the addresses of a list separated by commas or spaces. MALFORMED for a bad one, TOO_LARGE past four.
 */
enum hs_err hs_config_add_addresses(struct hs_config *config, const char *list);

#endif
