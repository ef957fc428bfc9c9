/* What Prometheus asks for: the node's figures as text (exposition format 0.0.4). Nothing in it names a
 * person, a room, a brand or an address. spec/node.md lists the names. */
#ifndef HS_ADMIN_METRICS_H
#define HS_ADMIN_METRICS_H

#include "base/writer.h"
#include "net/net.h"

#define HS_METRICS_PATH "/metrics"
#define HS_METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct hs_metrics {
    struct hs_net *net;
    struct hs_time started;
    const char *version;
};

/* As struct hs_http_page has it: arg is a struct hs_metrics. From any thread. */
enum hs_err hs_metrics_render(void *arg, struct hs_writer *out);

/* The same of figures that are given. */
enum hs_err hs_metrics_write(const struct hs_metrics *metrics, const struct hs_net_stats *stats,
                             struct hs_writer *out);

#endif
