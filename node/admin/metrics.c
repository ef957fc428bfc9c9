#include "admin/metrics.h"

#include "core/records/table.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_SIZE = 256, US_PER_S = 1000000, MS_PER_S = 1000 };

__attribute__((format(printf, 2, 3))) static void put(struct hs_writer *out, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    HS_ASSERT(len > 0 && len < (int)sizeof line);
    hs_write_bytes(out, hs_bytes(line, (size_t)len));
}

static void head(struct hs_writer *out, const char *name, const char *type, const char *help)
{
    put(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void number(struct hs_writer *out, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    head(out, name, type, help);
    put(out, "%s %llu\n", name, (unsigned long long)value);
}

static void labelled(struct hs_writer *out, const char *name, const char *label, const char *is,
                     uint64_t value)
{
    put(out, "%s{%s=\"%s\"} %llu\n", name, label, is, (unsigned long long)value);
}

/* scale: what one of the histogram's is worth less than one of the metric's. */
static void histogram(struct hs_writer *out, const char *name, const char *help, const struct hs_histogram *h,
                      uint64_t unit, double scale)
{
    uint64_t seen = 0;
    head(out, name, "histogram", help);
    for (size_t i = 0; i < HS_HISTOGRAM_BOUNDS; i++) {
        seen += h->counts[i];
        put(out, "%s_bucket{le=\"%.10g\"} %llu\n", name, (double)hs_histogram_bound(i, unit) / scale,
            (unsigned long long)seen);
    }
    seen += h->counts[HS_HISTOGRAM_BOUNDS];
    put(out, "%s_bucket{le=\"+Inf\"} %llu\n", name, (unsigned long long)seen);
    put(out, "%s_sum %.10g\n%s_count %llu\n", name, (double)h->sum / scale, name, (unsigned long long)seen);
}

static void put_process(const struct hs_metrics *metrics, struct hs_writer *out)
{
    head(out, "hanse_build_info", "gauge", "Always 1; the version is the label.");
    put(out, "hanse_build_info{version=\"%s\"} 1\n", metrics->version);
    head(out, "hanse_start_time_seconds", "gauge", "When the node was started, in Unix time.");
    put(out, "hanse_start_time_seconds %.3f\n", (double)metrics->started.ms / MS_PER_S);
}

static void put_net(const struct hs_net_stats *s, struct hs_writer *out)
{
    number(out, "hanse_connections", "gauge", "Open connections, both ways.", s->connections);
    number(out, "hanse_turned_away_total", "counter",
           "Connections that weren't taken: too many at once, or too many of one address.", s->turned_away);
    head(out, "hanse_bytes_total", "counter", "Bytes of all connections, encrypted.");
    labelled(out, "hanse_bytes_total", "direction", "in", s->bytes_in);
    labelled(out, "hanse_bytes_total", "direction", "out", s->bytes_out);
}

static void put_refusals(const struct hs_core_stats *s, struct hs_writer *out)
{
    head(out, "hanse_refused_total", "counter", "Requests that were refused, by the error that was told.");
    for (int i = 1; i < HS_STATS_ERRORS; i++)
        if (s->refused_by[i] > 0)
            labelled(out, "hanse_refused_total", "error", hs_err_name((enum hs_err) - i), s->refused_by[i]);
}

static void put_core(const struct hs_core_stats *s, struct hs_writer *out)
{
    static const char *const states[HS_STATS_PEER_STATES] = {"down", "dialling", "greeting", "up"};
    uint64_t known = s->devices + s->nodes;
    head(out, "hanse_sessions", "gauge", "Sessions by who is at the other end.");
    labelled(out, "hanse_sessions", "kind", "device", s->devices);
    labelled(out, "hanse_sessions", "kind", "node", s->nodes);
    labelled(out, "hanse_sessions", "kind", "unknown", s->sessions > known ? s->sessions - known : 0);
    number(out, "hanse_requests_total", "counter", "Requests that were carried out or refused.", s->requests);
    put_refusals(s, out);
    number(out, "hanse_records_total", "counter", "Records that were appended to rooms.", s->records);
    number(out, "hanse_deliveries_total", "counter", "Records that were sent to devices and nodes.",
           s->deliveries);
    head(out, "hanse_peers", "gauge", "Other nodes that this one dials, by the state of its session.");
    for (size_t i = 0; i < HS_STATS_PEER_STATES; i++)
        labelled(out, "hanse_peers", "state", states[i], s->peers[i]);
    number(out, "hanse_root_changes", "gauge",
           "Domains that show another root than the known one, and wait for the operator.", s->roots_waiting);
    static const char *const standings[HS_STATS_STANDINGS] = {"stranger", "invited", "allowed", "blocked"};
    head(out, "hanse_nodes", "gauge", "Other nodes that are dialled or connected, by what they may do here.");
    for (size_t i = 0; i < HS_STATS_STANDINGS; i++)
        labelled(out, "hanse_nodes", "standing", standings[i], s->standings[i]);
    head(out, "hanse_outbox_posts", "gauge", "Posts that wait for other nodes, by the state of the session.");
    for (size_t i = 0; i < HS_STATS_PEER_STATES; i++)
        labelled(out, "hanse_outbox_posts", "state", states[i], s->outbox[i]);
}

static void put_commits(const struct hs_commit_stats *s, struct hs_writer *out)
{
    number(out, "hanse_rounds_total", "counter", "Rounds of the commit thread.", s->rounds);
    number(out, "hanse_inputs_total", "counter", "Inputs that were carried out in them.", s->inputs);
    number(out, "hanse_rounds_retried_total", "counter",
           "Rounds that didn't fit and were carried out one input at a time.", s->retried);
    number(out, "hanse_inputs_dropped_total", "counter",
           "Inputs without effect for lack of memory or space; their sessions were closed.", s->dropped);
    histogram(out, "hanse_commit_seconds", "Writing and syncing what a round changed.", &s->commit_us,
              HS_COMMIT_UNIT, US_PER_S);
    histogram(out, "hanse_round_inputs", "Inputs of one round.", &s->round_inputs, 1, 1);
}

static void put_store(const struct hs_commit_stats *s, struct hs_writer *out)
{
    static const struct {
        unsigned table;
        const char *name;
    } tables[] = {{HS_T_ROOM, "rooms"},
                  {HS_T_ROOM_LOG, "records"},
                  {HS_T_ACCOUNT, "accounts"},
                  {HS_T_MEMBER, "members"},
                  {HS_T_INBOX, "inbox_items"},
                  {HS_T_INVITE, "invites"},
                  {HS_T_SUBSCRIPTION, "subscriptions"},
                  {HS_T_STREAM, "other_records"},
                  {HS_T_JOURNAL, "journal"},
                  {HS_T_BODY, "body_hashes"},
                  {HS_T_JOIN, "joins"},
                  {HS_T_LEDGER, "ledger"},
                  {HS_T_REGISTER, "registers"}};
    number(out, "hanse_store_used_bytes", "gauge", "Bytes of the store in use.", s->store.used_bytes);
    number(out, "hanse_store_file_bytes", "gauge", "Bytes that its file has grown to.", s->store.file_bytes);
    number(out, "hanse_store_limit_bytes", "gauge",
           "Bytes that it may have; new data is refused from 80 % on.", s->store.map_bytes);
    number(out, "hanse_inbox_dropped_total", "counter", "Inbox items that nobody has fetched in time.",
           s->core.inbox_dropped);
    number(out, "hanse_blobs", "gauge", "Blobs that are whole, when they were last counted.", s->core.blobs);
    number(out, "hanse_blob_bytes", "gauge", "Bytes of these; files beside the store for the most part.",
           s->core.blob_bytes);
    number(out, "hanse_store_full", "gauge", "1 while new data is refused.", s->full);
    head(out, "hanse_store_entries", "gauge", "What is in the store, by kind.");
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        labelled(out, "hanse_store_entries", "kind", tables[i].name, s->entries[tables[i].table]);
}

enum hs_err hs_metrics_write(const struct hs_metrics *metrics, const struct hs_net_stats *stats,
                             struct hs_writer *out)
{
    put_process(metrics, out);
    put_net(stats, out);
    put_core(&stats->commit.core, out);
    put_commits(&stats->commit, out);
    put_store(&stats->commit, out);
    return out->err;
}

enum hs_err hs_metrics_render(void *arg, struct hs_writer *out)
{
    const struct hs_metrics *metrics = arg;
    struct hs_net_stats stats;
    hs_net_stats(metrics->net, &stats);
    return hs_metrics_write(metrics, &stats, out);
}
