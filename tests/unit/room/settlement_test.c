/* Verdicts and what they decide: what is genuine, how many are enough, whom they bar. */
#include "unit/room/fixture.h"

#include "object/object.h"
#include "room/settlement.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

enum { PEOPLE = 80, LEAF_REMOVED = 5 };

static struct hs_signer devices[PEOPLE], personas[PEOPLE];

static bool member_at(void *index, uint32_t leaf, struct hs_settler *out)
{
    (void)index;
    if (leaf >= PEOPLE || leaf == LEAF_REMOVED)
        return false;
    *out = (struct hs_settler){devices[leaf].pub, personas[leaf].pub};
    return true;
}

/* Leaf 0 commits, leaf 1 moderates, leaf 5 is removed. */
static struct hs_settlement case_make(void)
{
    static struct hs_policy policy;
    for (size_t i = 0; i < PEOPLE; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "device %zu", i);
        devices[i] = signer_of(name);
        (void)snprintf(name, sizeof name, "persona %zu", i);
        personas[i] = signer_of(name);
    }
    policy = policy_make(&personas[0].pub, HS_ROOM_GROUP);
    policy = with_role(policy, &personas[1].pub, HS_ROOM_MODERATOR, 0);
    return (struct hs_settlement){.room = id_of("room"),
                                  .seq = 7,
                                  .commit = id_of("commit"),
                                  .time = now,
                                  .committer = devices[0].pub,
                                  .policy = &policy,
                                  .member = member_at};
}

static Hanse__SignedObject *verdict(const struct hs_settlement *of, uint32_t leaf, enum hs_err err)
{
    Hanse__SignedObject *out = NULL;
    assert_ok(hs_verdict_build(of, &devices[leaf], &personas[leaf].pub, leaf, err, now, &arena, &out));
    return out;
}

static enum hs_err open_it(const Hanse__SignedObject *object, const struct hs_settlement *of)
{
    struct hs_verdict out;
    return hs_verdict_open(object, of, &arena, &out);
}

/* ROOM-63 */
static void test_genuine(void **state)
{
    (void)state;
    struct hs_settlement of = case_make(), other = of;
    struct hs_verdict out;
    struct hs_verdict_claim claim;
    Hanse__SignedObject *good = verdict(&of, 3, HS_OK), *bad = verdict(&of, 4, HS_ERR_DECRYPT);
    assert_ok(hs_verdict_open(good, &of, &arena, &out));
    assert_int_equal(out.leaf, 3);
    assert_int_equal(out.err, HS_OK);
    assert_true(hs_key_equal(&out.by.persona, &personas[3].pub));
    assert_ok(hs_verdict_open(bad, &of, &arena, &out));
    assert_int_equal(out.err, HS_ERR_DECRYPT);
    assert_ok(hs_verdict_claim(bad, &claim));
    assert_true(hs_id_equal(&claim.room, &of.room) && hs_id_equal(&claim.commit, &of.commit));
    assert_int_equal(claim.seq, 7);
    assert_true(hs_key_equal(&claim.persona, &personas[4].pub));
    /* of another commit, another record, another room */
    other.commit = id_of("another");
    assert_err(open_it(good, &other), HS_ERR_UNEXPECTED);
    other = of;
    other.seq = 8;
    assert_err(open_it(good, &other), HS_ERR_UNEXPECTED);
    other = of;
    other.room = id_of("another");
    assert_err(open_it(good, &other), HS_ERR_UNEXPECTED);
    /* by the committer, by whom the commit removes, from no leaf, for another's leaf or persona */
    assert_err(open_it(verdict(&of, 0, HS_OK), &of), HS_ERR_NOT_MEMBER);
    assert_err(open_it(verdict(&of, LEAF_REMOVED, HS_ERR_DECRYPT), &of), HS_ERR_NOT_MEMBER);
    Hanse__SignedObject *odd = NULL;
    assert_ok(hs_verdict_build(&of, &devices[3], &personas[3].pub, PEOPLE, HS_OK, now, &arena, &odd));
    assert_err(open_it(odd, &of), HS_ERR_NOT_MEMBER);
    assert_ok(hs_verdict_build(&of, &devices[3], &personas[3].pub, 4, HS_OK, now, &arena, &odd));
    assert_err(open_it(odd, &of), HS_ERR_NOT_MEMBER);
    assert_ok(hs_verdict_build(&of, &devices[3], &personas[1].pub, 3, HS_OK, now, &arena, &odd));
    assert_err(open_it(odd, &of), HS_ERR_NOT_MEMBER);
    good->signatures[0]->sig.data[5] ^= 1;
    assert_err(open_it(good, &of), HS_ERR_BAD_SIGNATURE);
    assert_err(hs_verdict_claim(good, &claim), HS_ERR_BAD_SIGNATURE);
    assert_err(hs_verdict_claim(NULL, &claim), HS_ERR_MALFORMED);
}

/* ROOM-64 */
static void test_enough(void **state)
{
    (void)state;
    assert_true(hs_settle_is_enough(0, 0, 0, false)); /* nobody else is there */
    assert_false(hs_settle_is_enough(1, 0, 0, false));
    assert_true(hs_settle_is_enough(1, 1, 0, false));
    assert_true(hs_settle_is_enough(2, 1, 0, false));
    assert_false(hs_settle_is_enough(3, 1, 0, false));
    assert_true(hs_settle_is_enough(3, 2, 0, false));
    /* a moderator's alone, unless somebody says that it is bad: then the majority */
    assert_true(hs_settle_is_enough(500, 1, 0, true));
    assert_false(hs_settle_is_enough(500, 0, 0, true));
    assert_false(hs_settle_is_enough(500, 1, 1, true));
    assert_true(hs_settle_is_enough(3, 2, 1, true));
    assert_false(hs_settle_is_enough(2, 1, 1, true));
    assert_false(hs_settle_is_enough(0, 0, 1, false));
    /* at the limit and one before */
    assert_true(hs_settle_is_enough(10000, HS_SETTLE_VERDICTS_MAX, 0, false));
    assert_false(hs_settle_is_enough(10000, HS_SETTLE_VERDICTS_MAX - 1, 0, false));
    assert_false(hs_settle_is_enough(10000, HS_SETTLE_VERDICTS_MAX, HS_SETTLE_VERDICTS_MAX, false));
}

static enum hs_err settled(const struct hs_settlement *of, uint32_t connected, uint32_t bad,
                           Hanse__SignedObject **list, size_t count)
{
    struct hs_writer HS_WRITER body = hs_writer(HS_SETTLE_BODY_MAX);
    assert_ok(hs_settled_build(of, connected, bad, list, count, &body));
    return hs_settled_check(hs_writer_bytes(&body), of, now);
}

/* ROOM-64 */
static void test_settled(void **state)
{
    (void)state;
    struct hs_settlement of = case_make(), other = of;
    Hanse__SignedObject *many[HS_SETTLE_VERDICTS_MAX + 1];
    for (uint32_t i = 0; i < HS_SETTLE_VERDICTS_MAX + 1; i++)
        many[i] = verdict(&of, i + 6, HS_OK);
    Hanse__SignedObject *moderator = verdict(&of, 1, HS_OK), *bad = verdict(&of, 4, HS_ERR_DECRYPT);
    assert_ok(settled(&of, 0, 0, NULL, 0));
    assert_err(settled(&of, 1, 0, NULL, 0), HS_ERR_POLICY);
    assert_ok(settled(&of, 2, 0, many, 1));
    assert_err(settled(&of, 3, 0, many, 1), HS_ERR_POLICY);
    assert_ok(settled(&of, 3, 0, &moderator, 1));
    assert_err(settled(&of, 3, 1, &moderator, 1), HS_ERR_POLICY);
    assert_ok(settled(&of, 1000, 0, many, HS_SETTLE_VERDICTS_MAX));
    assert_err(settled(&of, 1000, 0, many, HS_SETTLE_VERDICTS_MAX - 1), HS_ERR_POLICY);
    /* twice the same, a bad one, one by whom the commit removes */
    Hanse__SignedObject *twice[] = {many[0], many[0]}, *mixed[] = {many[0], bad};
    Hanse__SignedObject *gone = verdict(&of, LEAF_REMOVED, HS_OK);
    assert_err(settled(&of, 4, 0, twice, 2), HS_ERR_POLICY);
    assert_err(settled(&of, 4, 0, mixed, 2), HS_ERR_POLICY);
    assert_err(settled(&of, 1, 0, &gone, 1), HS_ERR_NOT_MEMBER);
    /* whoever joined by it takes the verdicts on the word of the others, for this commit alone */
    other.member = NULL;
    assert_ok(settled(&other, 1, 0, &gone, 1));
    struct hs_writer HS_WRITER body = hs_writer(HS_SETTLE_BODY_MAX);
    assert_err(hs_settled_build(&of, 1, 0, many, HS_SETTLE_VERDICTS_MAX + 1, &body), HS_ERR_INVALID_ARG);
    assert_ok(hs_settled_build(&of, 2, 0, many, 1, &body));
    other.seq = 9;
    assert_err(hs_settled_check(hs_writer_bytes(&body), &other, now), HS_ERR_UNEXPECTED);
    assert_err(hs_settled_check(hs_bytes(body.data, body.len - 1), &of, now), HS_ERR_MALFORMED);
    uint8_t *large = hs_arena_alloc(&arena, HS_SETTLE_BODY_MAX + 1);
    assert_err(hs_settled_check(hs_bytes(large, HS_SETTLE_BODY_MAX + 1), &of, now), HS_ERR_TOO_LARGE);
    /* the largest fits the limit of a body */
    hs_writer_reset(&body);
    assert_ok(hs_settled_build(&of, UINT32_MAX, UINT32_MAX, many, HS_SETTLE_VERDICTS_MAX, &body));
}

/* ROOM-65 */
static void test_void(void **state)
{
    (void)state;
    struct hs_settlement of = case_make();
    Hanse__SignedObject *good = verdict(&of, 3, HS_OK), *bad[HS_SETTLE_BAD_QUOTED + 1];
    for (uint32_t i = 0; i < HS_SETTLE_BAD_QUOTED + 1; i++)
        bad[i] = verdict(&of, i + 6, HS_ERR_MLS_CONFIRMATION);
    struct hs_writer HS_WRITER body = hs_writer(HS_SETTLE_BODY_MAX);
    assert_ok(hs_void_build(&of, bad, 1, &body));
    assert_err(hs_void_check(hs_writer_bytes(&body), &of, later(HS_SETTLE_VOID_MS - 1)), HS_ERR_POLICY);
    assert_ok(hs_void_check(hs_writer_bytes(&body), &of, later(HS_SETTLE_VOID_MS)));
    hs_writer_reset(&body);
    assert_ok(hs_void_build(&of, bad, HS_SETTLE_BAD_QUOTED, &body));
    assert_ok(hs_void_check(hs_writer_bytes(&body), &of, later(HS_SETTLE_VOID_MS)));
    hs_writer_reset(&body);
    assert_err(hs_void_build(&of, bad, HS_SETTLE_BAD_QUOTED + 1, &body), HS_ERR_INVALID_ARG);
    assert_err(hs_void_build(&of, bad, 0, &body), HS_ERR_INVALID_ARG);
    assert_ok(hs_void_build(&of, &good, 1, &body));
    assert_err(hs_void_check(hs_writer_bytes(&body), &of, later(HS_SETTLE_VOID_MS)), HS_ERR_POLICY);
    Hanse__VoidBody none = HANSE__VOID_BODY__INIT;
    none.seq = of.seq;
    none.commit = hs_pb_data(HS_VIEW(of.commit));
    hs_writer_reset(&body);
    assert_ok(HS_PACK(&none, &body));
    assert_err(hs_void_check(hs_writer_bytes(&body), &of, later(HS_SETTLE_VOID_MS)), HS_ERR_POLICY);
}

/* ROOM-66 */
static void test_bars(void **state)
{
    (void)state;
    (void)case_make();
    struct hs_bars bars = {0};
    hs_bars_add(&bars, &devices[0].pub, now);
    assert_true(hs_bars_has(&bars, &devices[0].pub, later(HS_SETTLE_BAR_MS - 1)));
    assert_false(hs_bars_has(&bars, &devices[0].pub, later(HS_SETTLE_BAR_MS)));
    assert_false(hs_bars_has(&bars, &devices[1].pub, now));
    hs_bars_add(&bars, &devices[0].pub, later(10));
    assert_int_equal(bars.count, 1);
    assert_true(hs_bars_has(&bars, &devices[0].pub, later(HS_SETTLE_BAR_MS)));
    for (size_t i = 1; i < HS_SETTLE_BARS_MAX; i++)
        hs_bars_add(&bars, &devices[i].pub, later(20));
    assert_int_equal(bars.count, HS_SETTLE_BARS_MAX);
    hs_bars_add(&bars, &devices[HS_SETTLE_BARS_MAX].pub, later(20));
    assert_int_equal(bars.count, HS_SETTLE_BARS_MAX);
    assert_false(hs_bars_has(&bars, &devices[0].pub, later(20)));
    assert_true(hs_bars_has(&bars, &devices[HS_SETTLE_BARS_MAX].pub, later(20)));
    hs_bars_add(&bars, &devices[0].pub, later(HS_SETTLE_BAR_MS + 20));
    assert_int_equal(bars.count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_genuine), cmocka_unit_test(test_enough), cmocka_unit_test(test_settled),
        cmocka_unit_test(test_void),    cmocka_unit_test(test_bars),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
