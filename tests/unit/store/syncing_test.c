/* What a round has for sessions is shown while it syncs, and may be taken back (NODE-105). */
#include "commit_scene.h"

#include "support/commit_gate.h"

enum { SESSIONS = 3 };

/* Some sessions with room for three frames each, of which everything was taken. */
static void scene_start(struct bench *b, size_t show_from)
{
    assert_true(gate_make());
    b->show_from = show_from;
    bench_start(b, 16 * MIB);
    for (uint64_t i = 0; i < SESSIONS; i++) {
        struct hs_core_input open = {.kind = HS_INPUT_OPEN, .session = SESSION + i};
        struct hs_core_input room = {
            .kind = HS_INPUT_ROOM, .session = SESSION + i, .budget = 3 * FAKE_STREAM_FRAME};
        assert_ok(hs_commit_push(b->commit, &open));
        assert_ok(hs_commit_push(b->commit, &room));
    }
    assert_ok(push_op(b, 'e', 1, 0));
    assert_true(take_until(b, &b->sent, 1));
    b->sent = 0;
}

static void scene_stop(struct bench *b)
{
    finish(b);
    bench_stop(b);
    gate_free();
}

/* A post that goes to all sessions is about to be written. */
static void post_until_written(struct bench *b, bool fails)
{
    gate.fails = fails;
    gate.number = 1;
    assert_ok(push_op(b, 'w', 1, 1));
    uv_sem_wait(&gate.reached);
}

static struct hs_round *take_waiting(struct bench *b)
{
    struct hs_round *round = hs_commit_take(b->commit);
    for (int i = 0; i < PATIENCE_MS && round == NULL; i++) {
        uv_sleep(1);
        round = hs_commit_take(b->commit);
    }
    assert_non_null(round);
    return round;
}

static void shown_but_not_handed_out(void **state)
{
    struct bench *b = *state;
    struct hs_syncing syncing;
    scene_start(b, SESSIONS);
    assert_false(hs_commit_syncing(b->commit, &syncing));
    post_until_written(b, false);
    assert_true(hs_commit_syncing(b->commit, &syncing));
    assert_int_equal(syncing.len, 1); /* the answer */
    assert_int_equal(syncing.effects[0].session, SESSION);
    assert_int_equal(syncing.round->due.len, SESSIONS);
    for (uint64_t i = 0; i < SESSIONS; i++)
        assert_int_equal(syncing.round->due.list[i].session, SESSION + i);
    assert_false(hs_round_is_through(syncing.round));
    assert_null(hs_commit_take(b->commit));
    assert_false(stored(b, 1));
    gate_open();
    struct hs_round *round = take_waiting(b);
    assert_ptr_equal(round, syncing.round);
    assert_true(hs_round_is_through(round));
    assert_int_equal(round->withdrawn, HS_OK);
    assert_false(hs_commit_syncing(b->commit, &syncing));
    hs_commit_give_back(b->commit, round);
    finish(b);
    assert_true(stored(b, 1));
    scene_stop(b);
}

/* One frame less than what is worth it. */
static void little_is_not_shown(void **state)
{
    struct bench *b = *state;
    struct hs_syncing syncing;
    scene_start(b, SESSIONS + 1);
    post_until_written(b, false);
    assert_false(hs_commit_syncing(b->commit, &syncing));
    gate_open();
    assert_true(take_until(b, &b->sent, 1 + SESSIONS));
    scene_stop(b);
}

/* What the core has counted as sent never happened; the request is carried out all the same, by itself, and
 * what was shown stays to be looked at until the round is given back. */
static void what_does_not_fit_is_withdrawn(void **state)
{
    struct bench *b = *state;
    struct hs_syncing syncing;
    scene_start(b, SESSIONS);
    post_until_written(b, true);
    assert_true(hs_commit_syncing(b->commit, &syncing));
    gate_open();
    struct hs_round *round = take_waiting(b);
    assert_ptr_equal(round, syncing.round);
    assert_int_equal(round->withdrawn, HS_ERR_STORE_FULL);
    assert_int_equal(round->due.len, SESSIONS);
    assert_int_equal(syncing.effects[0].session, SESSION);
    assert_int_equal(round->effects.len, 1);
    assert_true(hs_bytes_equal(round->effects.list[0].bytes, hs_bytes_str("F")));
    hs_commit_give_back(b->commit, round);
    assert_true(take_until(b, &b->sent, SESSIONS)); /* what came of the second try */
    assert_ok(push_op(b, 'w', 2, 1));               /* the next one is as ever */
    assert_true(take_until(b, &b->sent, SESSIONS + 1 + SESSIONS));
    assert_int_equal(b->last_acked, 2);
    scene_stop(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(shown_but_not_handed_out),
        TEST(little_is_not_shown),
        TEST(what_does_not_fit_is_withdrawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
