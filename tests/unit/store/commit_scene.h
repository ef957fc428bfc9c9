/* A commit thread over a store in a fresh directory, with the fake core. */
#ifndef TESTS_STORE_COMMIT_SCENE_H
#define TESTS_STORE_COMMIT_SCENE_H

#include "support/test.h"
#include "support/tmpdir.h"

#include "../net/fake_core.h"
#include "store/commit.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

enum { MIB = 1 << 20, SESSION = 7, PATIENCE_MS = 20000 };

/* One commit thread over a store in a fresh directory, and what came back from it. */
struct bench {
    char dir[64];
    struct hs_lmdb *store;
    struct hs_core *core;
    struct hs_commit *commit;
    uv_sem_t woken;
    size_t show_from; /* 0: never */
    uint64_t sent, acked, full, dropped, last_acked, rounds;
    bool out_of_order;
};

[[maybe_unused]] static struct hs_time wall_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct hs_time){(int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
}

[[maybe_unused]] static void wake(void *arg)
{
    uv_sem_post(&((struct bench *)arg)->woken);
}

[[maybe_unused]] static void failed(enum hs_err err, const char *doing)
{
    fprintf(stderr, "%s: %s\n", doing, hs_err_name(err));
    _exit(err == HS_ERR_STORE ? 42 : 43);
}

[[maybe_unused]] static void store_open(struct bench *b, size_t map)
{
    struct hs_lmdb_options options = {
        .dir = b->dir, .tables = HS_CORE_TABLES, .map_size = map, .map_max = map};
    assert_ok(hs_lmdb_open(&options, &b->store));
}

[[maybe_unused]] static void bench_start(struct bench *b, size_t map)
{
    struct hs_core_config core_config = {0};
    store_open(b, map);
    assert_ok(hs_core_new(&core_config, &b->core));
    assert_int_equal(uv_sem_init(&b->woken, 0), 0);
    struct hs_commit_config config = {.core = b->core,
                                      .store = b->store,
                                      .wake = wake,
                                      .arg = b,
                                      .failed = failed,
                                      .now = wall_clock,
                                      .show_from = b->show_from > 0 ? b->show_from : SIZE_MAX};
    assert_ok(hs_commit_start(&config, &b->commit));
}

[[maybe_unused]] static void bench_stop(struct bench *b)
{
    hs_commit_free(b->commit);
    hs_core_free(b->core);
    hs_lmdb_close(b->store);
    uv_sem_destroy(&b->woken);
}

[[maybe_unused]] static void note_sent(struct bench *b, struct hs_bytes frame)
{
    b->sent++;
    if (frame.data[0] == 'F')
        b->full++;
    if (frame.data[0] != 'a')
        return;
    uint64_t number = hs_kv_u64(hs_bytes(frame.data + 1, 8));
    b->out_of_order |= b->acked > 0 && number <= b->last_acked;
    b->last_acked = number;
    b->acked++;
}

[[maybe_unused]] static void note_all_sent(struct bench *b, const struct hs_effects *effects)
{
    for (size_t i = 0; i < effects->len; i++)
        if (effects->list[i].kind == HS_EFFECT_SEND)
            note_sent(b, effects->list[i].bytes);
}

[[maybe_unused]] static bool take_one(struct bench *b)
{
    struct hs_round *round = hs_commit_take(b->commit);
    if (round == NULL)
        return false;
    b->rounds++;
    for (size_t i = 0; i < round->len; i++)
        b->dropped += round->inputs[i].dropped;
    note_all_sent(b, &round->effects);
    if (round->withdrawn == HS_OK)
        note_all_sent(b, &round->due);
    hs_commit_give_back(b->commit, round);
    return true;
}

[[maybe_unused]] static void finish(struct bench *b)
{
    hs_commit_finish(b->commit);
    while (!hs_commit_is_done(b->commit)) {
        if (!take_one(b))
            uv_sleep(1);
    }
}

/* False where it took too long. */
[[maybe_unused]] static bool take_until(struct bench *b, const uint64_t *count, uint64_t wanted)
{
    uint64_t start = uv_hrtime();
    while (*count < wanted) {
        if (!take_one(b))
            uv_sleep(1);
        if (uv_hrtime() - start > (uint64_t)PATIENCE_MS * 1000000)
            return false;
    }
    return true;
}

[[maybe_unused]] static enum hs_err push(struct bench *b, struct hs_core_input input)
{
    input.session = SESSION;
    return hs_commit_push(b->commit, &input);
}

[[maybe_unused]] static void open_session(struct bench *b)
{
    assert_ok(push(b, (struct hs_core_input){.kind = HS_INPUT_OPEN}));
}

[[maybe_unused]] static enum hs_err push_op(struct bench *b, char op, uint64_t number, size_t extra)
{
    static uint8_t frame[9 + 3 * MIB];
    struct hs_kv_key head = {0};
    hs_kv_key_add(&head, hs_bytes(&op, 1));
    hs_kv_key_add_u64(&head, number);
    memcpy(frame, head.b, head.len);
    return push(b,
                (struct hs_core_input){.kind = HS_INPUT_FRAME, .bytes = hs_bytes(frame, head.len + extra)});
}

/* While no commit thread uses the store. */
[[maybe_unused]] static bool stored(struct bench *b, uint64_t number)
{
    struct hs_kv *txn = NULL;
    struct hs_kv_key key = {0};
    hs_kv_key_add_u64(&key, number);
    assert_ok(hs_lmdb_begin_read(b->store, &txn));
    bool has = hs_kv_has(txn, 0, hs_kv_key_bytes(&key));
    hs_lmdb_abort(txn);
    return has;
}

[[maybe_unused]] static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    if (b == NULL)
        return -1;
    strcpy(b->dir, "/tmp/hanse-commit-XXXXXX");
    *state = b;
    return mkdtemp(b->dir) != NULL ? 0 : -1;
}

[[maybe_unused]] static int teardown(void **state)
{
    struct bench *b = *state;
    nftw(b->dir, tmpdir_remove, 8, FTW_DEPTH | FTW_PHYS);
    free(b);
    return 0;
}

#endif
