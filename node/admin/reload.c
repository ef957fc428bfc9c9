#include "admin/reload.h"

#include <stdio.h>
#include <stdlib.h>

/* The line that a sentence names ("file:LINE: ..."); 0 where it names none. The log gets no more of it: paths
 * and values may hold names. */
static unsigned long line_of(const char *why)
{
    for (const char *colon = strchr(why, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        size_t digits = strspn(colon + 1, "0123456789");
        if (digits > 0 && colon[1 + digits] == ':')
            return strtoul(colon + 1, NULL, 10);
    }
    return 0;
}

static void refused(enum hs_err err, const char *why)
{
    hs_log(HS_LOG_ERROR, "event=reload-refused error=%s line=%lu text=\"all stays as it was\"",
           hs_err_name(err), line_of(why));
}

static void note(struct hs_reloaded *out, bool differs, const char *key)
{
    size_t len = strlen(out->restart);
    if (differs)
        snprintf(out->restart + len, sizeof out->restart - len, "%s%s", len > 0 ? ", " : "", key);
}

/* What is taken once, when the node starts. */
static void compare(const struct hs_site *old, const struct hs_site *new, struct hs_reloaded *out)
{
    const struct hs_config *a = &old->config, *b = &new->config;
    note(out, strcmp(a->listen, b->listen) != 0, "listen");
    note(out, strcmp(a->data, b->data) != 0, "data");
    note(out, strcmp(a->metrics, b->metrics) != 0, "metrics listen");
    note(out, a->store_gib != b->store_gib, "store_gib");
    note(out, a->disk_reserve_mib != b->disk_reserve_mib, "disk_reserve_mib");
    note(out, !hs_key_equal(&old->transport_pub, &new->transport_pub), "transport.key");
    note(out, !hs_bytes_equal(old->descriptor_bytes, new->descriptor_bytes), "descriptor");
    note(out, old->incarnation != new->incarnation, "incarnation");
}

enum hs_err hs_reload(struct hs_control_node *node, struct hs_reloaded *out)
{
    struct hs_site HS_SITE site = {0};
    *out = (struct hs_reloaded){0};
    enum hs_err err = hs_site_open(node->config_path, &site, out->why);
    if (err != HS_OK) {
        refused(err, out->why);
        return err;
    }
    compare(node->site, &site, out);
    note(out, !hs_net_set_limits(node->net, &site.config.limits), "connections");
    hs_net_tell_rules(node->net, site.peer_rules);
    hs_log_init(site.config.log, site.config.log_format);
    hs_log(HS_LOG_INFO, "event=reloaded restart=\"%s\"", out->restart);
    return HS_OK;
}
