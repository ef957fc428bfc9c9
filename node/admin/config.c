#include "admin/config.h"

#include "base/text.h"
#include "core/core.h"
#include "discover/discover.h"
#include "net/address.h"

#include <ini.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* One reading: the first mistake's sentence waits here for its line, which the parser tells at the end. */
struct reading {
    struct hs_config *config;
    char mistake[256];
    uint64_t seen; /* a bit a row of keys */
};

typedef bool set_fn(struct hs_config *config, const char *value);

bool hs_config_set_domain(struct hs_config *config, const char *value)
{
    if (!hs_domain_is_valid(hs_bytes_str(value)) || strlen(value) > HS_CONFIG_VALUE_MAX)
        return false;
    snprintf(config->domain, sizeof config->domain, "%s", value);
    return true;
}

bool hs_config_set_listen(struct hs_config *config, const char *value)
{
    struct sockaddr_storage address;
    if (strlen(value) >= sizeof config->listen || hs_address_parse(value, &address) != HS_OK)
        return false;
    snprintf(config->listen, sizeof config->listen, "%s", value);
    return true;
}

enum hs_err hs_config_add_addresses(struct hs_config *config, const char *list)
{
    for (list += strspn(list, ", "); *list != '\0'; list += strspn(list, ", ")) {
        struct hs_bytes one = hs_bytes(list, strcspn(list, ", "));
        HS_REQUIRE(hs_address_is_valid(one) && one.len <= HS_CONFIG_VALUE_MAX, HS_ERR_MALFORMED);
        HS_REQUIRE(config->advertise_count < HS_DESCRIPTOR_ADDRESSES, HS_ERR_TOO_LARGE);
        char *out = config->advertise[config->advertise_count++];
        memcpy(out, one.data, one.len);
        out[one.len] = '\0';
        list += one.len;
    }
    return HS_OK;
}

static bool set_advertise(struct hs_config *config, const char *value)
{
    return hs_config_add_addresses(config, value) == HS_OK && config->advertise_count > 0;
}

static bool set_data(struct hs_config *config, const char *value)
{
    return snprintf(config->data, sizeof config->data, "%s", value) < (int)sizeof config->data &&
           value[0] != '\0';
}

static bool set_log(struct hs_config *config, const char *value)
{
    int level = hs_log_level_of(value);
    if (level < 0)
        return false;
    config->log = (enum hs_log_level)level;
    return true;
}

static bool set_log_format(struct hs_config *config, const char *value)
{
    int format = hs_log_format_of(value);
    if (format < 0)
        return false;
    config->log_format = (enum hs_log_format)format;
    return true;
}

static bool number(const char *value, unsigned min, unsigned max, unsigned *out)
{
    size_t len = strlen(value);
    if (len == 0 || len > 9 || strspn(value, "0123456789") != len)
        return false;
    *out = (unsigned)strtoul(value, NULL, 10);
    return *out >= min && *out <= max;
}

static bool set_connections(struct hs_config *config, const char *value)
{
    return number(value, 1, HS_NET_CONNECTIONS_MAX, &config->limits.connections);
}

static bool set_rate(struct hs_config *config, const char *value)
{
    return number(value, 1, 1000000, &config->limits.address_rate);
}

static bool set_burst(struct hs_config *config, const char *value)
{
    return number(value, 1, 1000000, &config->limits.address_burst);
}

static bool set_store(struct hs_config *config, const char *value)
{
    return number(value, 1, HS_STORE_GIB_MAX, &config->store_gib);
}

static bool set_reserve(struct hs_config *config, const char *value)
{
    return number(value, 0, 1000000, &config->disk_reserve_mib);
}

static bool set_recover(struct hs_config *config, const char *value)
{
    return number(value, 1, 86400, &config->recover_seconds);
}

static bool set_inbox(struct hs_config *config, const char *value)
{
    return number(value, 30, 3650, &config->inbox_days);
}

static bool set_peers_file(struct hs_config *config, const char *value)
{
    return snprintf(config->peers_file, sizeof config->peers_file, "%s", value) <
               (int)sizeof config->peers_file &&
           value[0] != '\0';
}

static bool add_peer_row(struct hs_config *config, const char *verb, const char *value)
{
    size_t len = strlen(config->peer_rows), left = sizeof config->peer_rows - len;
    uint8_t root[HS_KEY_LEN];
    return (hs_domain_is_valid(hs_bytes_str(value)) || hs_unhex(value, root, sizeof root) == HS_OK) &&
           snprintf(config->peer_rows + len, left, "%s %s\n", verb, value) < (int)left;
}

static bool set_block(struct hs_config *config, const char *value)
{
    return add_peer_row(config, "block", value);
}

static bool set_allow(struct hs_config *config, const char *value)
{
    return add_peer_row(config, "allow", value);
}

/* This machine's own only: whoever reads the figures from elsewhere has a proxy in between. */
static bool set_metrics(struct hs_config *config, const char *value)
{
    struct sockaddr_storage address;
    if (strlen(value) >= sizeof config->metrics || hs_address_parse(value, &address) != HS_OK ||
        !hs_address_is_loopback(&address))
        return false;
    snprintf(config->metrics, sizeof config->metrics, "%s", value);
    return true;
}

static bool set_private(struct hs_config *config, const char *value)
{
    config->private_too = strcmp(value, "yes") == 0;
    return config->private_too || strcmp(value, "no") == 0;
}

static bool set_wake_http(struct hs_config *config, const char *value)
{
    config->wake_http = strcmp(value, "yes") == 0;
    return config->wake_http || strcmp(value, "no") == 0;
}

static bool set_numeric(char out[static HS_ADDRESS_MAX + 1], const char *value)
{
    struct sockaddr_storage address;
    if (strlen(value) > HS_ADDRESS_MAX || hs_address_parse(value, &address) != HS_OK)
        return false;
    snprintf(out, HS_ADDRESS_MAX + 1, "%s", value);
    return true;
}

static bool set_discovery_listen(struct hs_config *config, const char *value)
{
    return set_numeric(config->discovery_listen, value);
}

static bool set_discovery_dns(struct hs_config *config, const char *value)
{
    return set_numeric(config->discovery_dns, value);
}

static bool set_discovery_url(struct hs_config *config, const char *value)
{
    if (strlen(value) > HS_CONFIG_VALUE_MAX || !hs_discover_url_is_valid(value))
        return false;
    snprintf(config->discovery_url, sizeof config->discovery_url, "%s", value);
    return true;
}

static const struct {
    const char *section, *key;
    set_fn *set;
    const char *wants;
    bool required, repeats;
} keys[] = {
    {"node", "domain", hs_config_set_domain, "a domain name in lower case, such as rosa.example", true,
     false},
    {"node", "listen", hs_config_set_listen,
     "a numeric address and a port, such as 127.0.0.1:7700 or [::]:7700", true, false},
    {"node", "advertise", set_advertise, "one to four of host:port, separated by commas", true, true},
    {"node", "data", set_data, "a directory", true, false},
    {"node", "log", set_log, "error, warn, info or debug", false, false},
    {"node", "log_format", set_log_format, "text or json", false, false},
    {"limits", "connections", set_connections, "a number from 1 to 65536", false, false},
    {"limits", "connections_per_second", set_rate, "a number from 1 to 1000000", false, false},
    {"limits", "connections_burst", set_burst, "a number from 1 to 1000000", false, false},
    {"limits", "store_gib", set_store, "a number from 1 to 4096", false, false},
    {"limits", "disk_reserve_mib", set_reserve, "a number up to 1000000", false, false},
    {"limits", "recover_seconds", set_recover, "a number from 1 to 86400", false, false},
    {"limits", "inbox_days", set_inbox, "a number from 30 to 3650", false, false},
    {"metrics", "listen", set_metrics, "an address of this machine alone and a port, such as 127.0.0.1:9470",
     false, false},
    {"network", "private", set_private, "yes or no", false, false},
    {"wake", "http", set_wake_http, "yes or no", false, false},
    {"discovery", "listen", set_discovery_listen, "a numeric address and a port", false, false},
    {"discovery", "url", set_discovery_url, "a URL with %s in the place of the domain", false, false},
    {"discovery", "dns", set_discovery_dns, "a numeric address and a port", false, false},
    {"peers", "file", set_peers_file, "a file", false, false},
    {"peers", "block", set_block, "a domain, or a root of 64 hex digits", false, true},
    {"peers", "allow", set_allow, "a domain, or a root of 64 hex digits", false, true},
};
enum { KEYS = sizeof keys / sizeof *keys };

/* Keeps the first one; the parser goes on, and reports the first line for which this gave 0. */
__attribute__((format(printf, 2, 3))) static int mistake(struct reading *r, const char *format, ...)
{
    va_list args;
    if (r->mistake[0] != '\0')
        return 0;
    va_start(args, format);
    vsnprintf(r->mistake, sizeof r->mistake, format, args);
    va_end(args);
    return 0;
}

static int on_entry(void *arg, const char *section, const char *name, const char *value)
{
    struct reading *r = arg;
    for (size_t i = 0; i < KEYS; i++) {
        if (strcmp(section, keys[i].section) != 0 || strcmp(name, keys[i].key) != 0)
            continue;
        if ((r->seen >> i & 1) != 0 && !keys[i].repeats)
            return mistake(r, "%s is set twice", name);
        r->seen |= UINT64_C(1) << i;
        return keys[i].set(r->config, value) ? 1 : mistake(r, "%s must be %s", name, keys[i].wants);
    }
    return mistake(r, "there is no key \"%s\" in section [%s]", name, section);
}

static enum hs_err complain(const char *path, int line, const char *what, char why[static HS_CONFIG_WHY])
{
    if (line > 0)
        snprintf(why, HS_CONFIG_WHY, "%.200s:%d: %s", path, line, what);
    else
        snprintf(why, HS_CONFIG_WHY, "%.200s: %s", path, what);
    return HS_ERR_CONFIG;
}

/* What the file must say, and what follows from where it lies. */
static enum hs_err complete(const char *path, struct reading *r, char why[static HS_CONFIG_WHY])
{
    for (size_t i = 0; i < KEYS; i++) {
        if (!keys[i].required || (r->seen >> i & 1) != 0)
            continue;
        mistake(r, "%s is missing in section [%s]", keys[i].key, keys[i].section);
        return complain(path, 0, r->mistake, why);
    }
    char own[HS_PATH_SIZE], data[HS_PATH_SIZE], peers[HS_PATH_SIZE] = "";
    if (snprintf(own, sizeof own, "%s", path) >= (int)sizeof own)
        return complain(path, 0, "the path of the file is too long", why);
    const char *dir = dirname(own);
    if (hs_path_join(dir, r->config->data, data) != HS_OK)
        return complain(path, 0, "the path of the data directory is too long", why);
    if (r->config->peers_file[0] != '\0' && hs_path_join(dir, r->config->peers_file, peers) != HS_OK)
        return complain(path, 0, "the path of the peers' file is too long", why);
    memcpy(r->config->data, data, sizeof data);
    memcpy(r->config->peers_file, peers, sizeof peers);
    return HS_OK;
}

enum hs_err hs_config_read(const char *path, struct hs_config *out, char why[static HS_CONFIG_WHY])
{
    *out = (struct hs_config){.limits = hs_net_limits(),
                              .store_gib = HS_STORE_GIB,
                              .disk_reserve_mib = HS_DISK_RESERVE_MIB,
                              .recover_seconds = HS_RECOVER_S,
                              .inbox_days = HS_INBOX_AGE_DAYS,
                              .log = HS_LOG_INFO};
    struct reading r = {.config = out};
    why[0] = '\0';
    int line = ini_parse(path, on_entry, &r);
    if (line < 0)
        return complain(path, 0, "the file can't be read", why);
    if (line > 0)
        return complain(path, line, r.mistake[0] != '\0' ? r.mistake : "this is not key = value", why);
    return complete(path, &r, why);
}

char *hs_config_text(const struct hs_config *config, struct hs_arena *arena)
{
    static const char format[] =
        "# A node of Hanse. hansed --config FILE --check-config checks this file.\n"
        "\n"
        "[node]\n"
        "# The brand's domain; it stands in the node's descriptor and can't be changed.\n"
        "domain = %s\n"
        "# Where this process accepts connections: a numeric address and a port.\n"
        "listen = %s\n"
        "# Where others reach it, at most four of host:port; these stand in the descriptor as well.\n"
        "%s"
        "# Where keys and the store are; relative to this file.\n"
        "data = %s\n"
        "# error, warn, info or debug.\n"
        "#log = info\n"
        "# text (key=value) or json, one line an event on standard error.\n"
        "#log_format = text\n"
        "\n"
        "# Addresses of this machine and of private networks: invites may name any, and what runs there may "
        "trust\n"
        "# whoever connects. So they are dialled only where that is wanted, as in a trial on one machine.\n"
        "[network]\n"
        "private = %s\n"
        "\n"
        "# Where a reverse proxy finds what https://DOMAIN/.well-known/hanse is to show.\n"
        "[discovery]\n"
        "#listen = 127.0.0.1:7780\n"
        "\n"
        "# Other nodes. Whoever brings a valid invite may speak to this one, within small quotas; block wins "
        "over\n"
        "# everything, allow gives large quotas: a domain, or a root of 64 hex digits. A file may hold such "
        "rows\n"
        "# too, and rows like: node DOMAIN ROOT HOST:PORT. Read again on SIGHUP.\n"
        "[peers]\n"
        "#block = evil.example\n"
        "#allow = friend.example\n"
        "#file = peers\n"
        "\n"
        "[metrics]\n"
        "# Figures for Prometheus, to this machine alone: http://127.0.0.1:9470/metrics\n"
        "#listen = 127.0.0.1:9470\n"
        "\n"
        "[limits]\n"
        "# Connections at once.\n"
        "#connections = %d\n"
        "# New connections of one address a second, and at once.\n"
        "#connections_per_second = %d\n"
        "#connections_burst = %d\n"
        "# The most that the store may grow to, in GiB; from four fifths on new data is refused.\n"
        "#store_gib = %d\n"
        "# New data is refused where the disk has less left, in MiB.\n"
        "#disk_reserve_mib = %d\n";
    char advertise[HS_DESCRIPTOR_ADDRESSES * (HS_ADDRESS_MAX + 16)] = "";
    for (size_t i = 0, len = 0; i < config->advertise_count; i++)
        len += (size_t)snprintf(advertise + len, sizeof advertise - len, "advertise = %s\n",
                                config->advertise[i]);
    size_t size = sizeof format + 2 * sizeof config->domain + sizeof advertise + strlen(config->data) + 512;
    char *text = hs_arena_alloc(arena, size);
    if (text != NULL)
        snprintf(text, size, format, config->domain, config->listen, advertise, config->data,
                 config->private_too ? "yes" : "no", HS_NET_CONNECTIONS, HS_NET_ADDRESS_RATE,
                 HS_NET_ADDRESS_BURST, HS_STORE_GIB, HS_DISK_RESERVE_MIB);
    return text;
}
