/* status: the node at a glance, with rates since the last asking. */
#include "admin/cmd.h"
#include "admin/commands.h"

#include "core/records/table.h"

enum { SOFT_PERCENT = 80, MS_PER_S = 1000, US_PER_MS = 1000 }; /* the soft limit of store/lmdb_kv.h */

enum hs_err hs_control_status_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                  Hanse__State__AdminRequest *out)
{
    (void)call;
    out->status = hs_arena_alloc(arena, sizeof *out->status);
    HS_REQUIRE(out->status != NULL, HS_ERR_NOMEM);
    hanse__state__admin_ask_status__init(out->status);
    out->body_case = HANSE__STATE__ADMIN_REQUEST__BODY_STATUS;
    return HS_OK;
}

static double per_second(uint64_t now, uint64_t before, int64_t ms)
{
    return ms > 0 ? (double)(now - before) * MS_PER_S / (double)ms : 0;
}

static json_t *quantiles(const struct hs_histogram *h, uint64_t unit)
{
    return json_pack("{s:f, s:f}", "p50", (double)hs_histogram_quantile(h, 0.5, unit) / US_PER_MS, "p99",
                     (double)hs_histogram_quantile(h, 0.99, unit) / US_PER_MS);
}

/* What happened since somebody asked the last time. */
static json_t *pace(struct hs_control_node *node, const struct hs_commit_stats *now, struct hs_time at)
{
    const struct hs_commit_stats *before = &node->asked;
    int64_t ms = at.ms - node->asked_at.ms;
    struct hs_histogram commits = hs_histogram_since(&now->commit_us, &before->commit_us);
    return json_pack("{s:I, s:f, s:f, s:f, s:f, s:o}", "of_ms", (json_int_t)ms, "rounds",
                     per_second(now->rounds, before->rounds, ms), "requests",
                     per_second(now->core.requests, before->core.requests, ms), "records",
                     per_second(now->core.records, before->core.records, ms), "deliveries",
                     per_second(now->core.deliveries, before->core.deliveries, ms), "commit_ms",
                     quantiles(&commits, HS_COMMIT_UNIT));
}

static json_t *store(const struct hs_commit_stats *now)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:b}", "used_bytes", (json_int_t)now->store.used_bytes,
                     "soft_limit_bytes", (json_int_t)(now->store.map_bytes / 100 * SOFT_PERCENT),
                     "limit_bytes", (json_int_t)now->store.map_bytes, "file_bytes",
                     (json_int_t)now->store.file_bytes, "full", (int)now->full);
}

enum hs_err hs_control_status(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    struct hs_control_node *node = call->node;
    const Hanse__State__AdminStatus *s = facts->status;
    struct hs_time now = hs_cmd_now();
    struct hs_net_stats stats;
    HS_REQUIRE(s != NULL, HS_ERR_UNSUPPORTED);
    hs_net_stats(node->net, &stats);
    const struct hs_commit_stats *commit = &stats.commit;
    json_t *answer = json_pack(
        "{s:s, s:s, s:o, s:I, s:I, s:{s:I, s:I, s:I}, s:I, s:I, s:o, s:o, s:o, s:o}", "version",
        HANSE_VERSION, "domain", s->domain, "root", hs_json_hex(hs_pb_bytes(s->root)), "incarnation",
        (json_int_t)s->incarnation, "uptime_ms", (json_int_t)(now.ms - node->started.ms), "sessions",
        "devices", (json_int_t)s->devices, "nodes", (json_int_t)s->nodes, "strangers",
        (json_int_t)s->strangers, "connections", (json_int_t)stats.connections, "peers", (json_int_t)s->peers,
        "rooms", hs_json_number(commit->entries[HS_T_ROOM]), "records",
        hs_json_number(commit->entries[HS_T_ROOM_LOG]), "store", store(commit), "per_second",
        pace(node, commit, now));
    HS_REQUIRE(answer != NULL && json_object_update(call->answer, answer) == 0, HS_ERR_NOMEM);
    json_decref(answer);
    node->asked = *commit;
    node->asked_at = now;
    return hs_control_proofs(call, s->proofs);
}
