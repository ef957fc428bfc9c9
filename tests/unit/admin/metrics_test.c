/* The figures for Prometheus. NODE-59; that they parse is shown in tests/e2e. */
#include "support/test.h"

#include "admin/metrics.h"
#include "core/records/table.h"

#include <stdlib.h>

static const struct hs_metrics metrics = {.started = {1800000000123}, .version = "1.2.3"};

static char *rendered(const struct hs_net_stats *stats)
{
    struct hs_writer HS_WRITER out = hs_writer(1 << 20);
    size_t len;
    assert_ok(hs_metrics_write(&metrics, stats, &out));
    hs_write_u8(&out, '\0');
    return (char *)hs_writer_steal(&out, &len);
}

static void has_line(const char *text, const char *line)
{
    for (const char *at = strstr(text, line); at != NULL; at = strstr(at + 1, line))
        if ((at == text || at[-1] == '\n') && at[strlen(line)] == '\n')
            return;
    fail_msg("no line: %s", line);
}

static void figures_are_shown(void **state)
{
    (void)state;
    struct hs_net_stats stats = {.connections = 5, .turned_away = 6, .bytes_in = 7, .bytes_out = 8};
    struct hs_commit_stats *commit = &stats.commit;
    commit->core = (struct hs_core_stats){.sessions = 9, .devices = 4, .nodes = 3, .requests = 10};
    commit->core.refused_by[-HS_ERR_NOT_MEMBER] = 11;
    commit->core.peers[3] = 12;
    commit->core.outbox[0] = 13;
    commit->core.inbox_dropped = 15;
    commit->store = (struct hs_lmdb_stats){.map_bytes = UINT64_MAX, .file_bytes = 2, .used_bytes = 1};
    commit->full = true;
    commit->entries[HS_T_ROOM] = 14;
    char *text = rendered(&stats);
    has_line(text, "# TYPE hanse_build_info gauge");
    has_line(text, "hanse_build_info{version=\"1.2.3\"} 1");
    has_line(text, "hanse_start_time_seconds 1800000000.123");
    has_line(text, "hanse_connections 5");
    has_line(text, "hanse_turned_away_total 6");
    has_line(text, "hanse_bytes_total{direction=\"in\"} 7");
    has_line(text, "hanse_bytes_total{direction=\"out\"} 8");
    has_line(text, "hanse_sessions{kind=\"device\"} 4");
    has_line(text, "hanse_sessions{kind=\"node\"} 3");
    has_line(text, "hanse_sessions{kind=\"unknown\"} 2");
    has_line(text, "hanse_requests_total 10");
    has_line(text, "hanse_refused_total{error=\"NOT_MEMBER\"} 11");
    has_line(text, "hanse_peers{state=\"up\"} 12");
    has_line(text, "hanse_outbox_posts{state=\"down\"} 13");
    has_line(text, "hanse_store_limit_bytes 18446744073709551615");
    has_line(text, "hanse_store_full 1");
    has_line(text, "hanse_inbox_dropped_total 15");
    has_line(text, "hanse_store_entries{kind=\"rooms\"} 14");
    assert_null(strstr(text, "NOT_FOUND")); /* what never happened has no line */
    free(text);
}

/* Buckets are cumulative, in seconds, and end with all. */
static void histograms_add_up(void **state)
{
    (void)state;
    struct hs_net_stats stats = {0};
    hs_histogram_add(&stats.commit.commit_us, 64, HS_COMMIT_UNIT);
    hs_histogram_add(&stats.commit.commit_us, 1000, HS_COMMIT_UNIT);
    hs_histogram_add(&stats.commit.commit_us, 1000000000, HS_COMMIT_UNIT);
    char *text = rendered(&stats);
    has_line(text, "hanse_commit_seconds_bucket{le=\"6.4e-05\"} 1");
    has_line(text, "hanse_commit_seconds_bucket{le=\"0.000768\"} 1");
    has_line(text, "hanse_commit_seconds_bucket{le=\"0.001024\"} 2");
    has_line(text, "hanse_commit_seconds_bucket{le=\"67.108864\"} 2");
    has_line(text, "hanse_commit_seconds_bucket{le=\"+Inf\"} 3");
    has_line(text, "hanse_commit_seconds_sum 1000.001064");
    has_line(text, "hanse_commit_seconds_count 3");
    has_line(text, "hanse_round_inputs_bucket{le=\"1\"} 0");
    free(text);
}

static void a_small_buffer_is_told(void **state)
{
    (void)state;
    struct hs_net_stats stats = {0};
    struct hs_writer HS_WRITER out = hs_writer(1000);
    assert_err(hs_metrics_write(&metrics, &stats, &out), HS_ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_shown),
        cmocka_unit_test(histograms_add_up),
        cmocka_unit_test(a_small_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
