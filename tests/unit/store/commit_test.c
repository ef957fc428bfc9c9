#include "commit_scene.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* NODE-7: everything queued is carried out, in order, in fewer rounds than inputs; also what was queued when
 * the end was asked for. */
static void rounds_keep_order(void **state)
{
    struct bench *b = *state;
    enum { COUNT = 20000 };
    bench_start(b, 64 * MIB);
    open_session(b);
    for (uint64_t i = 1; i <= COUNT; i++) {
        enum hs_err err = push_op(b, 'p', i, i % 50);
        for (; err == HS_ERR_BUSY; err = push_op(b, 'p', i, i % 50))
            if (!take_one(b))
                uv_sleep(1);
        assert_ok(err);
    }
    finish(b);
    assert_err(push_op(b, 'p', 1, 1), HS_ERR_INVALID_STATE);
    assert_int_equal(b->acked, COUNT);
    assert_int_equal(b->last_acked, COUNT);
    assert_false(b->out_of_order);
    struct hs_commit_stats stats = hs_commit_stats(b->commit);
    print_message("%d frames in %llu rounds\n", COUNT, (unsigned long long)stats.rounds);
    assert_true(stats.rounds < COUNT / 4);
    assert_int_equal(stats.core.requests, COUNT);
    bench_stop(b);
}

/* NODE-8: the queue is bounded; frames find no room while nobody takes rounds, other inputs do. */
static void queue_is_bounded(void **state)
{
    struct bench *b = *state;
    bench_start(b, 64 * MIB);
    open_session(b);
    uint64_t count = 0;
    for (int idle = 0; idle < 100;) {
        enum hs_err err = push_op(b, 'p', count + 1, 0);
        if (err == HS_OK) {
            count++;
            idle = 0;
            continue;
        }
        assert_err(err, HS_ERR_BUSY);
        assert_false(hs_commit_has_room(b->commit));
        idle++;
        uv_sleep(1);
    }
    assert_true(count <= (uint64_t)HS_ROUNDS * HS_ROUND_INPUTS);
    assert_true(count >= HS_ROUND_INPUTS);
    assert_ok(push(b, (struct hs_core_input){.kind = HS_INPUT_ROOM, .budget = 5}));
    assert_true(take_until(b, &b->acked, count));
    assert_true(hs_commit_has_room(b->commit));
    assert_ok(push_op(b, 'p', count + 1, 0));
    finish(b);
    assert_int_equal(b->acked, count + 1);
    bench_stop(b);
}

/* The bytes of a round are bounded too. */
static void bytes_are_bounded(void **state)
{
    struct bench *b = *state;
    bench_start(b, 256 * MIB);
    open_session(b);
    uint64_t count = 0;
    for (int idle = 0; idle < 100;) {
        if (push_op(b, 'e', count + 1, 65000) == HS_OK) {
            count++;
            idle = 0;
        } else {
            idle++;
            uv_sleep(1);
        }
    }
    assert_true(count * 65000 <= (uint64_t)HS_ROUNDS * (HS_ROUND_BYTES + 65536));
    finish(b);
    assert_int_equal(b->sent, count);
    bench_stop(b);
}

/* NODE-9: a round that doesn't fit is carried out one input at a time: deletions happen, puts are told
 * STORE_FULL. */
static void full_store_still_deletes(void **state)
{
    struct bench *b = *state;
    bench_start(b, 2 * MIB);
    open_session(b);
    uint64_t stored_count = 0;
    for (uint64_t i = 1; b->full == 0 && b->dropped == 0; i++) {
        uint64_t before = b->sent + b->dropped;
        assert_ok(push_op(b, 'p', i, 3000));
        while (b->sent + b->dropped == before)
            if (!take_one(b))
                uv_sleep(1);
        stored_count += b->full == 0;
    }
    assert_int_equal(b->full, 1);
    assert_true(hs_commit_stats(b->commit).full);
    b->acked = 0;
    for (uint64_t i = 1; i <= stored_count; i++)
        assert_ok(push_op(b, 'd', i, 0));
    assert_true(take_until(b, &b->acked, stored_count));
    assert_ok(push_op(b, 'p', stored_count + 1, 3000));
    assert_true(take_until(b, &b->acked, stored_count + 1));
    finish(b);
    assert_int_equal(b->dropped, 0);
    assert_true(stored(b, stored_count + 1));
    assert_false(stored(b, 1));
    bench_stop(b);
}

/* A transaction that fills the map is retried one by one with the core told that the store is full. */
static void round_too_large_is_retried(void **state)
{
    struct bench *b = *state;
    bench_start(b, 2 * MIB);
    open_session(b);
    assert_ok(push_op(b, 'p', 1, 100));
    assert_true(take_until(b, &b->acked, 1));
    assert_ok(push_op(b, 'p', 2, 3 * MIB)); /* fits no transaction, however the rounds are cut */
    for (uint64_t i = 3; i < 12; i++)
        assert_ok(push_op(b, 'p', i, 60000));
    assert_ok(push_op(b, 'd', 1, 0));
    finish(b);
    assert_false(stored(b, 1));
    assert_true(b->full > 0);
    assert_int_equal(b->acked + b->full + b->dropped, 12);
    assert_true(hs_commit_stats(b->commit).retried > 0);
    bench_stop(b);
}

/* One input that can't be carried out is dropped alone. */
static void shortage_drops_one(void **state)
{
    struct bench *b = *state;
    bench_start(b, 16 * MIB);
    for (int i = 0; i < HS_ROUNDS; i++) { /* until no round is spare, and the next ones gather in one */
        assert_ok(push(b, (struct hs_core_input){.kind = HS_INPUT_ROOM}));
        uv_sleep(30);
    }
    open_session(b); /* opened once, although its round is carried out again */
    for (uint64_t i = 1; i <= 50; i++)
        assert_ok(push_op(b, i == 25 ? 'm' : 'p', i, 10));
    finish(b);
    assert_int_equal(b->dropped, 1);
    assert_int_equal(b->acked, 49);
    assert_false(stored(b, 25));
    assert_true(stored(b, 50));
    bench_stop(b);
}

/* NODE-10: the core is told the time at its deadline, and about once a second. */
static void ticks_come_in_time(void **state)
{
    struct bench *b = *state;
    bench_start(b, 16 * MIB);
    open_session(b);
    uint64_t start = uv_hrtime();
    assert_ok(push_op(b, 't', 120, 0));
    assert_true(take_until(b, &b->sent, 1));
    uint64_t took = (uv_hrtime() - start) / 1000000;
    print_message("deadline of 120 ms met after %llu ms\n", (unsigned long long)took);
    assert_true(took >= 119 && took < 1000);
    uint64_t ticks = hs_commit_stats(b->commit).core.refused;
    start = uv_hrtime();
    for (int i = 0; i < 230; i++) {
        take_one(b);
        uv_sleep(10);
    }
    ticks = hs_commit_stats(b->commit).core.refused - ticks;
    assert_true(ticks >= 1 && ticks <= (uv_hrtime() - start) / 1000000 / HS_TICK_MS + 1);
    finish(b);
    bench_stop(b);
}

/* Deliveries go on while there is work, without any input. */
static void pump_goes_on(void **state)
{
    struct bench *b = *state;
    bench_start(b, 16 * MIB);
    open_session(b);
    assert_ok(push(b, (struct hs_core_input){.kind = HS_INPUT_ROOM, .budget = 500 * FAKE_STREAM_FRAME}));
    assert_ok(push_op(b, 's', 1000 * FAKE_STREAM_FRAME, 0));
    assert_true(take_until(b, &b->sent, 500));
    uv_sleep(20);
    take_one(b);
    assert_int_equal(b->sent, 500);
    assert_true(b->rounds >= 500 / 64);
    finish(b);
    bench_stop(b);
}

static void dropped_without_taking(void **state)
{
    struct bench *b = *state;
    bench_start(b, 16 * MIB);
    open_session(b);
    for (uint64_t i = 1; i <= 100; i++)
        assert_ok(push_op(b, 'p', i, 10));
    bench_stop(b);
    store_open(b, 16 * MIB);
    assert_true(stored(b, 100)); /* carried out nonetheless */
    hs_lmdb_close(b->store);
    hs_commit_free(NULL);
}

static int child_status(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

/* NODE-5: where writing fails the process ends, and what wasn't synced was never acknowledged. */
static void failed_write_ends_the_process(void **state)
{
    struct bench *b = *state;
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGXFSZ, SIG_IGN);
        bench_start(b, 16 * MIB);
        open_session(b);
        struct rlimit small = {.rlim_cur = 256 * 1024, .rlim_max = RLIM_INFINITY};
        if (setrlimit(RLIMIT_FSIZE, &small) != 0)
            _exit(1);
        for (uint64_t i = 1; i < 1000; i++) {
            (void)push_op(b, 'p', i, 4000);
            uv_sleep(1);
            take_one(b);
        }
        _exit(0);
    }
    int status = child_status(pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

static void tell_acknowledged(struct bench *b, int out)
{
    uint64_t before = b->last_acked;
    take_one(b);
    if (b->last_acked != before && write(out, &b->last_acked, sizeof b->last_acked) < 0)
        _exit(1);
}

/* Far more than a machine writes in the time of the test. */
static const size_t ENOUGH = (size_t)4096 * MIB;

static _Noreturn void acknowledge_until_killed(struct bench *b, uint64_t number, int out)
{
    bench_start(b, ENOUGH);
    open_session(b);
    for (;; number++) {
        while (push_op(b, 'p', number, 50) != HS_OK)
            tell_acknowledged(b, out);
        if (number % 7 == 0)
            tell_acknowledged(b, out);
        if (b->full > 0)
            _exit(1); /* what was refused may be missing: the test would show nothing */
    }
}

/* NODE-6, DELIVERY-1: kill -9 at any moment loses nothing that was acknowledged. */
static void kill_loses_nothing(void **state)
{
    struct bench *b = *state;
    uint64_t told = 0, number;
    for (int cycle = 0; cycle < 8; cycle++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        if (pid == 0)
            acknowledge_until_killed(b, told + 1, fds[1]);
        close(fds[1]);
        uv_sleep(30 + 11 * (unsigned)cycle);
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (read(fds[0], &number, sizeof number) == sizeof number)
            told = number > told ? number : told;
        close(fds[0]);
        assert_true(WIFSIGNALED(child_status(pid)));
        store_open(b, ENOUGH);
        for (uint64_t i = 1; i <= told; i++)
            if (!stored(b, i))
                fail_msg("cycle %d: %llu of %llu was acknowledged and isn't there", cycle,
                         (unsigned long long)i, (unsigned long long)told);
        hs_lmdb_close(b->store);
    }
    print_message("%llu acknowledged and held\n", (unsigned long long)told);
    assert_true(told > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(rounds_keep_order),          TEST(queue_is_bounded),
        TEST(bytes_are_bounded),          TEST(full_store_still_deletes),
        TEST(round_too_large_is_retried), TEST(shortage_drops_one),
        TEST(ticks_come_in_time),         TEST(pump_goes_on),
        TEST(dropped_without_taking),     TEST(failed_write_ends_the_process),
        TEST(kill_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
