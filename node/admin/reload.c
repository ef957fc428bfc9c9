#include "admin/reload.h"

#include "admin/site.h"

void hs_reload(struct hs_net *net, const char *config_path)
{
    struct hs_site HS_SITE site = {0};
    char why[HS_CONFIG_WHY] = "";
    enum hs_err err = hs_site_open(config_path, &site, why);
    if (err != HS_OK) {
        hs_log(HS_LOG_ERROR, "event=reload-refused error=%s text=\"%s\"", hs_err_name(err), why);
        return;
    }
    hs_net_tell_rules(net, site.peer_rules);
    hs_log(HS_LOG_INFO, "event=reloaded");
}
