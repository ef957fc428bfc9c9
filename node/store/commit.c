#include "store/commit.h"

#include "store/round.h"

#include <stdlib.h>
#include <uv.h>

enum { NS_PER_MS = 1000000, NS_PER_US = 1000 };

struct hs_commit {
    struct hs_commit_config config;
    uv_thread_t thread;
    bool started;

    uv_mutex_t lock; /* guards what follows */
    uv_cond_t changed;
    struct hs_round *gathering;
    struct hs_round *spare; /* a list */
    struct hs_round *finished, **finished_end;
    struct hs_syncing syncing; /* round: NULL where none is shown */
    bool finishing, done;
    struct hs_commit_stats stats;

    /* of the commit thread alone */
    bool more; /* the last pump left work */
    struct hs_time last_tick, last_reader_check;
    struct hs_commit_stats counted;
};

/* The commit thread's side of a lock that const callers take too. */
static void lock(const struct hs_commit *c)
{
    uv_mutex_lock((uv_mutex_t *)&c->lock);
}

static void unlock(const struct hs_commit *c)
{
    uv_mutex_unlock((uv_mutex_t *)&c->lock);
}

static enum hs_err commit(struct hs_commit *c, struct hs_kv *txn)
{
    uint64_t begin = uv_hrtime(), syncs = hs_lmdb_stats(c->config.store).syncs;
    enum hs_err err = hs_lmdb_commit(txn);
    if (hs_lmdb_stats(c->config.store).syncs > syncs)
        hs_histogram_add(&c->counted.commit_us, (uv_hrtime() - begin) / NS_PER_US, HS_COMMIT_UNIT);
    return err;
}

/* What is due to sessions as things stand in the transaction. */
static void pump(struct hs_commit *c, struct hs_kv *txn, struct hs_round *round)
{
    enum hs_err err = hs_core_pump(c->config.core, txn, c->config.now(), &round->due, &c->more);
    if (err == HS_OK)
        err = txn->err;
    hs_lmdb_entries(txn, c->counted.entries, HS_CORE_TABLES);
    if (err != HS_OK)
        c->config.failed(err, "reading");
}

/* While it is written and synced, what is due can be made ready. */
static void show(struct hs_commit *c, const struct hs_round *round)
{
    if (round->due.len < c->config.show_from)
        return;
    lock(c);
    c->syncing = (struct hs_syncing){round, round->effects.list, round->effects.len};
    c->config.wake(c->config.arg);
    unlock(c);
}

/* Inputs [from, to) in one transaction, and what is due after them. Where it fails, nothing happened and the
 * effects are as before. */
static enum hs_err apply(struct hs_commit *c, struct hs_round *round, size_t from, size_t to, bool full,
                         bool with_due)
{
    struct hs_kv *txn = NULL;
    size_t effects = round->effects.len;
    struct hs_time now = c->config.now();
    enum hs_err err = hs_lmdb_begin_write(c->config.store, &txn);
    if (err != HS_OK)
        return err;
    full = full || hs_lmdb_full(c->config.store);
    c->counted.full = full;
    for (size_t i = from; i < to && err == HS_OK; i++) {
        err = hs_core_step(c->config.core, txn, &round->inputs[i].input, now, full, &round->effects);
        if (err == HS_OK)
            err = txn->err;
    }
    if (err == HS_OK && with_due) {
        pump(c, txn, round);
        show(c, round);
    }
    if (err == HS_OK)
        err = commit(c, txn);
    else
        hs_lmdb_abort(txn);
    if (err != HS_OK) {
        round->effects.len = effects;
        hs_core_undone(c->config.core);
    }
    return err;
}

static bool is_shortage(enum hs_err err)
{
    return err == HS_ERR_STORE_FULL || err == HS_ERR_NOMEM;
}

/* The round that failed has opened sessions in the core's memory, where no transaction takes them back. */
static enum hs_err forget_session(struct hs_commit *c, struct hs_round *round, uint64_t session)
{
    struct hs_kv *txn = NULL;
    struct hs_core_input closed = {.kind = HS_INPUT_CLOSED, .session = session};
    HS_TRY(hs_lmdb_begin_write(c->config.store, &txn));
    size_t effects = round->effects.len;
    enum hs_err err = hs_core_step(c->config.core, txn, &closed, c->config.now(), true, &round->effects);
    hs_lmdb_abort(txn);
    round->effects.len = effects;
    return err;
}

/* A round that didn't fit goes one input at a time, so that only the one that doesn't fit is lost; the others
 * add nothing new, since the core is told that the store is full. */
static enum hs_err apply_singly(struct hs_commit *c, struct hs_round *round, bool full)
{
    c->counted.retried++;
    for (size_t i = 0; i < round->len; i++) {
        const struct hs_core_input *input = &round->inputs[i].input;
        enum hs_err err = HS_OK;
        if (input->kind == HS_INPUT_OPEN)
            err = forget_session(c, round, input->session);
        if (err == HS_OK)
            err = apply(c, round, i, i + 1, full, false);
        if (is_shortage(err)) {
            round->inputs[i].dropped = true;
            c->counted.dropped++;
        } else if (err != HS_OK) {
            return err;
        }
    }
    return HS_OK;
}

/* The core doesn't take back what was due, and somebody may be looking at it just now. Its sessions will be
 * closed; the next round sees to the others. */
static void withdraw(struct hs_commit *c, struct hs_round *round, enum hs_err err)
{
    round->former = round->effects;
    round->effects = hs_effects();
    round->withdrawn = round->due.len > 0 ? err : HS_OK;
    c->more = true;
}

static void carry_out(struct hs_commit *c, struct hs_round *round)
{
    hs_histogram_add(&c->counted.round_inputs, round->len, 1);
    enum hs_err err = apply(c, round, 0, round->len, false, true);
    if (is_shortage(err)) {
        withdraw(c, round, err);
        err = apply_singly(c, round, err == HS_ERR_STORE_FULL);
    }
    if (err != HS_OK)
        c->config.failed(err, "committing");
}

/* A round without inputs. */
static void go_on(struct hs_commit *c, struct hs_round *round)
{
    struct hs_kv *txn = NULL;
    enum hs_err err = hs_lmdb_begin_read(c->config.store, &txn);
    if (err != HS_OK) {
        c->config.failed(err, "reading");
        return;
    }
    pump(c, txn, round);
    hs_lmdb_abort(txn);
}

/* What the core has kept for later is written; where there is no space for it, it wasn't needed. */
static void stop_core(struct hs_commit *c)
{
    struct hs_round last = {.effects = hs_effects()};
    struct hs_round_input stop = {.input.kind = HS_INPUT_STOP};
    last.inputs = &stop;
    enum hs_err err = apply(c, &last, 0, 1, false, false);
    hs_effects_free(&last.effects);
    if (err != HS_OK && !is_shortage(err))
        c->config.failed(err, "committing");
}

/* Milliseconds until the core wants to be told the time. */
static int64_t tick_in(const struct hs_commit *c, struct hs_time now)
{
    int64_t since = now.ms - c->last_tick.ms, in = hs_core_deadline(c->config.core).ms;
    if (since < 0 || since >= HS_TICK_MS)
        return 0; /* also where the clock was set back */
    in = in > now.ms ? in - now.ms : 0;
    if (in == 0 && since == 0)
        return 1; /* a deadline that stays in the past doesn't spin */
    return in < HS_TICK_MS - since ? in : HS_TICK_MS - since;
}

static void add_tick(struct hs_commit *c, struct hs_round *round, struct hs_time now)
{
    const struct hs_core_input tick = {.kind = HS_INPUT_TICK};
    c->last_tick = now;
    if (now.ms - c->last_reader_check.ms >= HS_READER_CHECK_MS) {
        c->last_reader_check = now;
        hs_lmdb_check_readers(c->config.store);
    }
    (void)hs_round_add(round, &tick); /* without memory now, there will be another second */
}

/* The first spare round gathers from now on. */
static void gather_next(struct hs_commit *c)
{
    c->gathering = c->spare;
    c->spare = c->spare->next;
    c->gathering->next = NULL;
}

/* Waits for work. Called with the lock held; NULL at the end. */
static struct hs_round *next_round(struct hs_commit *c)
{
    for (;;) {
        struct hs_time now = c->config.now();
        int64_t wait = tick_in(c, now);
        if (c->finishing && c->gathering->len == 0)
            return NULL;
        if (c->spare == NULL) {
            uv_cond_wait(&c->changed, &c->lock);
            continue;
        }
        if (c->gathering->len > 0 || c->more || wait == 0) {
            struct hs_round *round = c->gathering;
            if (wait == 0 && !c->finishing)
                add_tick(c, round, now);
            gather_next(c);
            return round;
        }
        (void)uv_cond_timedwait(&c->changed, &c->lock, (uint64_t)wait * NS_PER_MS);
    }
}

static void run(void *arg)
{
    struct hs_commit *c = arg;
    struct hs_round *round;
    lock(c);
    while ((round = next_round(c)) != NULL) {
        unlock(c);
        hs_round_settle(round);
        if (round->len > 0)
            carry_out(c, round);
        else
            go_on(c, round);
        c->counted.rounds++;
        c->counted.inputs += round->len;
        c->counted.core = hs_core_stats(c->config.core);
        c->counted.store = hs_lmdb_stats(c->config.store);
        lock(c);
        c->stats = c->counted;
        round->next = NULL;
        c->syncing.round = NULL;
        atomic_store(&round->is_through, true);
        *c->finished_end = round;
        c->finished_end = &round->next;
        c->config.wake(c->config.arg);
    }
    unlock(c);
    stop_core(c);
    lock(c);
    c->done = true;
    c->config.wake(c->config.arg);
    unlock(c);
}

static enum hs_err rounds_new(struct hs_commit *c)
{
    for (int i = 0; i < HS_ROUNDS; i++) {
        struct hs_round *round = hs_round_new();
        HS_REQUIRE(round != NULL, HS_ERR_NOMEM);
        round->next = c->spare;
        c->spare = round;
    }
    gather_next(c);
    return HS_OK;
}

enum hs_err hs_commit_start(const struct hs_commit_config *config, struct hs_commit **out)
{
    struct hs_commit *c = calloc(1, sizeof *c);
    HS_REQUIRE(c != NULL, HS_ERR_NOMEM);
    c->config = *config;
    c->finished_end = &c->finished;
    c->last_reader_check = config->now();
    HS_ASSERT(uv_mutex_init(&c->lock) == 0 && uv_cond_init(&c->changed) == 0);
    enum hs_err err = rounds_new(c);
    if (err == HS_OK) {
        c->started = uv_thread_create(&c->thread, run, c) == 0;
        err = c->started ? HS_OK : HS_ERR_BUSY;
    }
    if (err != HS_OK) {
        hs_commit_free(c);
        return err;
    }
    *out = c;
    return HS_OK;
}

bool hs_commit_has_room(const struct hs_commit *c)
{
    lock(c);
    bool room = hs_round_has_room(c->gathering);
    unlock(c);
    return room;
}

enum hs_err hs_commit_push(struct hs_commit *c, const struct hs_core_input *input)
{
    enum hs_err err;
    lock(c);
    if (c->finishing)
        err = HS_ERR_INVALID_STATE;
    else if (input->kind == HS_INPUT_FRAME && !hs_round_has_room(c->gathering))
        err = HS_ERR_BUSY;
    else
        err = hs_round_add(c->gathering, input);
    if (err == HS_OK && c->gathering->len == 1)
        uv_cond_signal(&c->changed);
    unlock(c);
    return err;
}

struct hs_round *hs_commit_take(struct hs_commit *c)
{
    lock(c);
    struct hs_round *round = c->finished;
    if (round != NULL)
        c->finished = round->next;
    if (c->finished == NULL)
        c->finished_end = &c->finished;
    unlock(c);
    return round;
}

bool hs_commit_syncing(const struct hs_commit *c, struct hs_syncing *out)
{
    lock(c);
    *out = c->syncing;
    bool next = c->finished == NULL && out->round != NULL;
    unlock(c);
    return next;
}

bool hs_round_is_through(const struct hs_round *round)
{
    return atomic_load(&round->is_through);
}

void hs_commit_give_back(struct hs_commit *c, struct hs_round *round)
{
    hs_round_reset(round);
    lock(c);
    round->next = c->spare;
    c->spare = round;
    uv_cond_signal(&c->changed);
    unlock(c);
}

void hs_commit_finish(struct hs_commit *c)
{
    lock(c);
    c->finishing = true;
    uv_cond_signal(&c->changed);
    unlock(c);
}

bool hs_commit_is_done(const struct hs_commit *c)
{
    lock(c);
    bool done = c->done && c->finished == NULL;
    unlock(c);
    return done;
}

struct hs_commit_stats hs_commit_stats(const struct hs_commit *c)
{
    lock(c);
    struct hs_commit_stats stats = c->stats;
    unlock(c);
    return stats;
}

static void drain(struct hs_commit *c)
{
    hs_commit_finish(c);
    lock(c);
    while (!c->done) {
        unlock(c);
        struct hs_round *round = hs_commit_take(c);
        if (round != NULL)
            hs_commit_give_back(c, round);
        else
            uv_sleep(1);
        lock(c);
    }
    unlock(c);
    uv_thread_join(&c->thread);
}

void hs_commit_free(struct hs_commit *c)
{
    if (c == NULL)
        return;
    if (c->started)
        drain(c);
    hs_rounds_free(c->gathering);
    hs_rounds_free(c->spare);
    hs_rounds_free(c->finished);
    uv_cond_destroy(&c->changed);
    uv_mutex_destroy(&c->lock);
    free(c);
}
