#include "admin/reload.h"

#include "admin/finding.h"

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
    note(out, !hs_key_equal(&old->signing.pub, &new->signing.pub), "signing.key");
    note(out, !hs_key_equal(&old->transport_pub, &new->transport_pub), "transport.key");
    note(out, old->incarnation != new->incarnation, "incarnation");
}

/* A descriptor for other keys counts with them, from the next start on. */
static void take_descriptor(struct hs_control_node *node, const struct hs_site *site)
{
    const struct hs_descriptor *now = &node->site->descriptor, *next = &site->descriptor;
    if (!hs_key_equal(&now->signing_key, &next->signing_key) ||
        !hs_key_equal(&now->transport_key, &next->transport_key))
        return;
    if (hs_net_set_descriptor(node->net, site->descriptor_bytes) == HS_OK)
        hs_finding_show(node->finding, site->descriptor_bytes);
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
    hs_net_tell_core(node->net, HS_INPUT_PEER_RULES, site.peer_rules);
    take_descriptor(node, &site);
    hs_log_init(site.config.log, site.config.log_format);
    hs_log(HS_LOG_INFO, "event=reloaded restart=\"%s\"", out->restart);
    return HS_OK;
}
