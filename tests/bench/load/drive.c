/* Posts, and what becomes of them. */
#include "load.h"

#include <math.h>
#include <stdlib.h>

enum {
    SENT = 1 << 16,
    PIECE = 64,
    TAG = 8,
    AT_ONCE = 1000, /* of one poster: a node lets a device ask 2,000 times at once ... */
    A_SECOND = 450  /* ... and 500 times a second, with its Cursors */
};

/* Posts that haven't come from the node yet, by the last bytes of their ciphertexts. */
static struct sent {
    uint8_t tag[TAG];
    uint64_t at_ns;
} sent[SENT];
static size_t sent_count;

static struct {
    const struct load_plan *plan;
    struct load_result *result;
    size_t outstanding, room;
    uint64_t begin_ns, measure_ns, end_ns, posted;
    bool measuring;
    uv_timer_t timer;
} run;

void load_note_sent(struct hs_bytes body)
{
    if (sent_count == SENT)
        load_fail("too many posts are under way");
    struct sent *slot = &sent[sent_count++];
    memcpy(slot->tag, body.data + body.len - TAG, TAG);
    slot->at_ns = uv_hrtime();
}

uint64_t load_sent_at(struct hs_bytes body)
{
    for (size_t i = 0; i < sent_count; i++) {
        if (memcmp(sent[i].tag, body.data + body.len - TAG, TAG) != 0)
            continue;
        uint64_t at_ns = sent[i].at_ns;
        sent[i] = sent[--sent_count];
        return run.plan != NULL ? at_ns : 0;
    }
    load_fail("a post that nobody sent");
}

static void post(void)
{
    struct load_room *room = &run.plan->rooms[run.room++ % run.plan->room_count];
    run.outstanding++;
    run.posted++;
    load_room_post(room, run.plan->posters);
}

void load_delivered(struct load_room *room, struct load_entry *entry)
{
    if (run.plan == NULL || entry->sent_ns == 0)
        return;
    if (run.measuring) {
        run.result->deliveries++;
        load_times_add(&run.result->times, load_read_ns() - entry->sent_ns, 1);
        load_times_add(&run.result->arrivals, load_arrived_ns() - entry->sent_ns, 1);
        if (entry->seen == 1)
            load_times_add(&run.result->firsts, load_arrived_ns() - entry->sent_ns, 1);
    }
    if (entry->seen != room->readers)
        return;
    run.outstanding--;
    if (run.measuring)
        run.result->messages++;
}

/* A room's posters take turns; none of them asks more often than its node lets a device. */
static bool may_post(uint64_t now)
{
    const struct load_room *room = &run.plan->rooms[0];
    size_t posters = run.plan->posters < room->member_count ? run.plan->posters : room->member_count;
    double each = AT_ONCE + A_SECOND * ((double)(now - run.begin_ns) / 1e9);
    return (double)run.posted < each * (double)(posters * run.plan->room_count);
}

/* Posts what is due now. */
static void post_due(uint64_t now)
{
    const struct load_plan *plan = run.plan;
    if (now >= run.end_ns || (plan->messages > 0 && run.posted >= plan->messages))
        return;
    if (plan->messages_per_second > 0) {
        double due = (double)(now - run.begin_ns) / 1e9 * plan->messages_per_second;
        while ((double)run.posted < due)
            post();
        return;
    }
    for (size_t i = 0; i < PIECE && run.outstanding < plan->window && may_post(now); i++)
        post();
}

static double nodes_us(void)
{
    double sum = 0;
    for (size_t i = 0; i < run.plan->node_count; i++)
        sum += load_node_cpu_us(&run.plan->nodes[i]);
    return sum;
}

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

void load_drive(const struct load_plan *plan, struct load_result *out)
{
    double node = 0, own = 0;
    *out = (struct load_result){0};
    run.plan = plan;
    run.result = out;
    run.outstanding = run.room = 0;
    run.posted = 0;
    run.measuring = false;
    run.begin_ns = uv_hrtime();
    run.measure_ns = run.begin_ns + (uint64_t)(plan->warm_s * 1e9);
    run.end_ns = run.measure_ns + (uint64_t)(plan->seconds * 1e9);
    uv_timer_init(load_loop(), &run.timer);
    uv_timer_start(&run.timer, on_timer, 1, 1); /* the loop turns at least so often */
    if (plan->messages > 0)
        run.end_ns = run.measure_ns = UINT64_MAX;
    for (uint64_t now = run.begin_ns; now < run.end_ns; now = uv_hrtime()) {
        if (plan->messages > 0 && run.posted >= plan->messages)
            break;
        if (!run.measuring && now >= run.measure_ns) {
            node = nodes_us();
            own = load_own_cpu_us();
            run.measuring = true;
            run.measure_ns = now;
            if (plan->measured != NULL)
                plan->measured(plan->arg);
        }
        if (run.measuring && plan->is_over != NULL && plan->is_over(plan->arg))
            break;
        post_due(now);
        load_run_once();
    }
    run.measuring = false;
    run.end_ns = 0;
    out->seconds = (double)(uv_hrtime() - run.measure_ns) / 1e9;
    out->node_us = nodes_us() - node;
    out->own_us = load_own_cpu_us() - own;
    while (run.outstanding > 0 || load_waiting > 0)
        load_run_once();
    uv_close((uv_handle_t *)&run.timer, NULL);
    uv_run(load_loop(), UV_RUN_NOWAIT);
    run.plan = NULL;
}

/* 50 bins for each doubling. */
static size_t bin_of(uint64_t ns)
{
    size_t bin = ns < 2 ? 0 : (size_t)(log2((double)ns) * 50);
    return bin < LOAD_BINS ? bin : LOAD_BINS - 1;
}

void load_times_add(struct load_times *t, uint64_t ns, uint64_t count)
{
    t->count += count;
    t->bins[bin_of(ns)] += count;
}

double load_times_at(const struct load_times *t, double part)
{
    uint64_t before = 0;
    for (size_t i = 0; i < LOAD_BINS; i++) {
        before += t->bins[i];
        if (before > 0 && (double)before >= part * (double)t->count)
            return exp2(((double)i + 0.5) / 50);
    }
    return 0;
}
