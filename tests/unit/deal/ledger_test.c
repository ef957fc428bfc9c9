#include "deal/ledger.h"

#include "unit/deal/cast.h"

static struct hs_coupon_def def;
static Hanse__CouponDef def_msg;
static Hanse__Hdr def_hdr;

/* Ids by a letter: rids, requests and replies. */
static struct hs_id id(char letter)
{
    struct hs_id out = {{(uint8_t)letter}};
    return out;
}

enum unit_case { UNKNOWN, FRESH, FREED, RUN_OUT, HELD, OVERDUE, REDEEMED, UNIT_CASES };

/* Everything about reservation A: request 'a', reservation 'r', commit 'c', release 'l'. */
static struct hs_unit unit_of(enum unit_case which)
{
    struct hs_unit held = {
        .state = HS_UNIT_HELD,
        .rid = id('A'),
        .request_id = id('a'),
        .reservation_id = id('r'),
        .max_discount = euros(500),
        .decide_by = at(HS_DECIDE_MS),
        .settle_by = at(HS_DECIDE_MS + HS_SETTLE_MS),
    };
    struct hs_unit unit = held;
    switch (which) {
    case FREED:
        unit.state = HS_UNIT_AVAILABLE;
        unit.final_id = id('l');
        return unit;
    case RUN_OUT:
        unit.state = HS_UNIT_AVAILABLE;
        return unit;
    case HELD:
        return unit;
    case OVERDUE:
        unit.settle_by = now;
        return unit;
    case REDEEMED:
        unit.state = HS_UNIT_REDEEMED;
        unit.final_id = id('c');
        unit.discount = euros(400);
        return unit;
    default:
        return (struct hs_unit){0};
    }
}

enum request_case {
    RESERVE_SAME,  /* the very request that made A */
    RESERVE_OTHER, /* A's rid with other bytes */
    RESERVE_B,     /* another order */
    COMMIT_SAME,   /* c, for A */
    COMMIT_OTHER,  /* A's rid, other bytes, well formed */
    COMMIT_STRAY,  /* A's rid, another reservation's id */
    COMMIT_MORE,   /* A's rid, past the reservation */
    COMMIT_USD,
    COMMIT_B,
    RELEASE_SAME,
    RELEASE_OTHER,
    RELEASE_STRAY,
    RELEASE_B,
    REQUEST_CASES
};

static enum hs_err reserve(const struct hs_unit *unit, char rid, char request, struct hs_ledger_result *out)
{
    struct hs_reserve_request r = {
        .rid = id(rid), .id = id(request), .max_discount = euros(500), .min_met = true};
    return hs_ledger_reserve(unit, &def, &r, now, out);
}

static enum hs_err commit(const struct hs_unit *unit, char rid, char commit_id, char reservation,
                          struct hs_amount discount, struct hs_ledger_result *out)
{
    struct hs_commit r = {
        .rid = id(rid), .id = id(commit_id), .reservation_id = id(reservation), .discount = discount};
    return hs_ledger_commit(unit, &r, now, out);
}

static enum hs_err release(const struct hs_unit *unit, char rid, char release_id, char reservation,
                           struct hs_ledger_result *out)
{
    struct hs_release r = {.rid = id(rid), .id = id(release_id), .reservation_id = id(reservation)};
    return hs_ledger_release(unit, &r, now, out);
}

static enum hs_err ask(const struct hs_unit *unit, enum request_case which, struct hs_ledger_result *out)
{
    struct hs_amount usd = {.currency = "USD", .minor = 400};
    switch (which) {
    case RESERVE_SAME:
        return reserve(unit, 'A', 'a', out);
    case RESERVE_OTHER:
        return reserve(unit, 'A', 'x', out);
    case RESERVE_B:
        return reserve(unit, 'B', 'b', out);
    case COMMIT_SAME:
        return commit(unit, 'A', 'c', 'r', euros(400), out);
    case COMMIT_OTHER:
        return commit(unit, 'A', 'y', 'r', euros(500), out);
    case COMMIT_STRAY:
        return commit(unit, 'A', 'z', 's', euros(400), out);
    case COMMIT_MORE:
        return commit(unit, 'A', 'm', 'r', euros(501), out);
    case COMMIT_USD:
        return commit(unit, 'A', 'u', 'r', usd, out);
    case COMMIT_B:
        return commit(unit, 'B', 'd', 's', euros(400), out);
    case RELEASE_SAME:
        return release(unit, 'A', 'l', 'r', out);
    case RELEASE_OTHER:
        return release(unit, 'A', 'k', 'r', out);
    case RELEASE_STRAY:
        return release(unit, 'A', 'j', 's', out);
    default:
        return release(unit, 'B', 'i', 's', out);
    }
}

#define NEW_HELD     1001
#define NEW_REDEEMED 1002
#define NEW_FREE     1003
#define REPLAY       1004
#define NO(err)      HS_ERR_##err

/* DEAL-23, DEAL-24, DEAL-25: what each request gets in each state. */
static const int want[REQUEST_CASES][UNIT_CASES] = {
    /*                 UNKNOWN             FRESH           FREED            RUN_OUT          HELD  OVERDUE
       REDEEMED */
    [RESERVE_SAME] = {NO(COUPON_UNKNOWN), NEW_HELD, NO(COUPON_LATE), NO(COUPON_LATE), REPLAY, NO(COUPON_LATE),
                      REPLAY},
    [RESERVE_OTHER] = {NO(COUPON_UNKNOWN), NEW_HELD, NO(COUPON_LATE), NO(COUPON_LATE), NO(CONFLICT),
                       NO(COUPON_LATE), NO(CONFLICT)},
    [RESERVE_B] = {NO(COUPON_UNKNOWN), NEW_HELD, NEW_HELD, NEW_HELD, NO(COUPON_HELD), NEW_HELD,
                   NO(COUPON_USED)},
    [COMMIT_SAME] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE), NEW_REDEEMED,
                     NO(COUPON_LATE), REPLAY},
    [COMMIT_OTHER] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE), NEW_REDEEMED,
                      NO(COUPON_LATE), NO(CONFLICT)},
    [COMMIT_STRAY] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE),
                      NO(COUPON_INVALID), NO(COUPON_LATE), NO(CONFLICT)},
    [COMMIT_MORE] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_AMOUNT),
                     NO(COUPON_LATE), NO(CONFLICT)},
    [COMMIT_USD] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE), NO(CURRENCY),
                    NO(COUPON_LATE), NO(CONFLICT)},
    [COMMIT_B] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE),
                  NO(COUPON_LATE), NO(COUPON_LATE)},
    [RELEASE_SAME] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), REPLAY, NO(COUPON_LATE), NEW_FREE, NO(COUPON_LATE),
                      NO(COUPON_USED)},
    [RELEASE_OTHER] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE), NEW_FREE,
                       NO(COUPON_LATE), NO(COUPON_USED)},
    [RELEASE_STRAY] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE),
                       NO(COUPON_INVALID), NO(COUPON_LATE), NO(COUPON_USED)},
    [RELEASE_B] = {NO(COUPON_UNKNOWN), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE), NO(COUPON_LATE),
                   NO(COUPON_LATE), NO(COUPON_LATE)},
};

static int outcome(enum hs_err err, const struct hs_ledger_result *r)
{
    if (err != HS_OK)
        return (int)err;
    if (r->answer == HS_LEDGER_REPLAY)
        return REPLAY;
    return r->next.state == HS_UNIT_HELD       ? NEW_HELD
           : r->next.state == HS_UNIT_REDEEMED ? NEW_REDEEMED
                                               : NEW_FREE;
}

static void every_request_in_every_state(void **state)
{
    (void)state;
    for (int r = 0; r < REQUEST_CASES; r++) {
        for (int u = 0; u < UNIT_CASES; u++) {
            struct hs_unit unit = unit_of((enum unit_case)u), before = unit;
            struct hs_ledger_result result = {0};
            enum hs_err err = ask(u == UNKNOWN ? NULL : &unit, (enum request_case)r, &result);
            if (outcome(err, &result) != want[r][u])
                fail_msg("request %d in state %d: got %d, want %d", r, u, outcome(err, &result), want[r][u]);
            assert_memory_equal(&unit, &before, sizeof unit);
            if (err == HS_OK && result.answer == HS_LEDGER_REPLAY)
                assert_memory_equal(&result.next, &before, sizeof before);
        }
    }
}

/* DEAL-23: what a new reservation holds. */
static void reservation_has_deadlines(void **state)
{
    (void)state;
    struct hs_unit unit = unit_of(FRESH);
    struct hs_ledger_result r;
    assert_ok(reserve(&unit, 'A', 'a', &r));
    assert_int_equal(r.next.decide_by.ms, now.ms + HS_DECIDE_MS);
    assert_int_equal(r.next.settle_by.ms, now.ms + HS_DECIDE_MS + HS_SETTLE_MS);
    struct hs_id none = {{0}}, a = id('A');
    assert_true(hs_id_equal(&r.next.reservation_id, &none));
    assert_true(hs_id_equal(&r.next.rid, &a));
    assert_int_equal(r.next.max_discount.minor, 500);
}

/* DEAL-24: never freed early, never late: to the millisecond. */
static void settle_by_is_exact(void **state)
{
    (void)state;
    struct hs_unit unit = unit_of(HELD);
    assert_int_equal(hs_unit_settle(&unit, (struct hs_time){unit.settle_by.ms - 1}).state, HS_UNIT_HELD);
    assert_int_equal(hs_unit_settle(&unit, unit.settle_by).state, HS_UNIT_AVAILABLE);
    unit = unit_of(REDEEMED);
    assert_int_equal(hs_unit_settle(&unit, at(1000 * HOUR)).state, HS_UNIT_REDEEMED);
    struct hs_commit late = {.rid = id('A'), .id = id('c'), .reservation_id = id('r'), .discount = euros(1)};
    struct hs_ledger_result r;
    unit = unit_of(HELD);
    assert_err(hs_ledger_commit(&unit, &late, unit.settle_by, &r), HS_ERR_COUPON_LATE);
    assert_ok(hs_ledger_commit(&unit, &late, (struct hs_time){unit.settle_by.ms - 1}, &r));
    /* past the till's own deadline, but before the issuer's */
    assert_true(unit.settle_by.ms - 1 > unit.decide_by.ms);
}

/* DEAL-23: the definition's terms at the time of holding. */
static void reservation_keeps_the_terms(void **state)
{
    (void)state;
    struct hs_unit unit = unit_of(FRESH);
    struct hs_reserve_request req = {
        .rid = id('A'), .id = id('a'), .max_discount = euros(500), .min_met = true};
    struct hs_ledger_result r;
    assert_err(hs_ledger_reserve(&unit, &def, &req, at(-HOUR - 1), &r), HS_ERR_COUPON_NOT_YET);
    assert_ok(hs_ledger_reserve(&unit, &def, &req, at(HOUR - 1), &r));
    assert_err(hs_ledger_reserve(&unit, &def, &req, at(HOUR), &r), HS_ERR_COUPON_EXPIRED);
    req.max_discount = euros(501);
    assert_err(hs_ledger_reserve(&unit, &def, &req, now, &r), HS_ERR_COUPON_AMOUNT);
    req.max_discount = (struct hs_amount){.currency = "USD", .minor = 1};
    assert_err(hs_ledger_reserve(&unit, &def, &req, now, &r), HS_ERR_CURRENCY);
    req.max_discount = euros(500);
    req.min_met = false;
    assert_err(hs_ledger_reserve(&unit, &def, &req, now, &r), HS_ERR_COUPON_MIN_NOT_MET);
    /* a reservation in time may be repeated and committed after the coupon's own end */
    unit = unit_of(HELD);
    unit.settle_by = at(3 * HOUR);
    struct hs_commit last = {.rid = id('A'), .id = id('c'), .reservation_id = id('r'), .discount = euros(1)};
    assert_ok(hs_ledger_commit(&unit, &last, at(2 * HOUR), &r));
}

/* DEAL-26: one a customer, no more than the limit, until the end. */
static void claims_are_counted(void **state)
{
    (void)state;
    struct hs_coupon_claim claim = {.id = id('q'), .def_id = def.id};
    struct hs_claims claims = {0};
    enum hs_ledger_answer answer;
    uint32_t unit_no = 0;
    assert_ok(hs_ledger_claim(&claims, &def, &claim, now, &answer, &unit_no));
    assert_int_equal(answer, HS_LEDGER_NEW);
    assert_int_equal(unit_no, 1);
    claims.issued = 1;
    assert_ok(hs_ledger_claim(&claims, &def, &claim, at(-2 * HOUR), &answer, &unit_no));
    assert_int_equal(unit_no, 2);
    assert_err(hs_ledger_claim(&claims, &def, &claim, at(HOUR), &answer, &unit_no), HS_ERR_COUPON_EXPIRED);
    claims.issued = 2;
    assert_err(hs_ledger_claim(&claims, &def, &claim, now, &answer, &unit_no), HS_ERR_COUPON_EXHAUSTED);
    claims.has_claimed = true;
    claims.claim_id = id('q');
    assert_ok(hs_ledger_claim(&claims, &def, &claim, at(HOUR), &answer, &unit_no));
    assert_int_equal(answer, HS_LEDGER_REPLAY);
    claim.id = id('p');
    assert_err(hs_ledger_claim(&claims, &def, &claim, now, &answer, &unit_no), HS_ERR_COUPON_CLAIMED);
    claim.def_id = id('w');
    assert_err(hs_ledger_claim(&claims, &def, &claim, now, &answer, &unit_no), HS_ERR_COUPON_UNKNOWN);
    claims = (struct hs_claims){.issued = UINT32_MAX};
    claim.def_id = def.id;
    def_msg.limit_total = 0;
    assert_err(hs_ledger_claim(&claims, &def, &claim, now, &answer, &unit_no), HS_ERR_COUPON_EXHAUSTED);
    def_msg.limit_total = 2;
}

static void units_pack_and_unpack(void **state)
{
    (void)state;
    for (int u = FRESH; u < UNIT_CASES; u++) {
        struct hs_unit unit = unit_of((enum unit_case)u), back;
        uint8_t bytes[HS_UNIT_SIZE], again[HS_UNIT_SIZE];
        hs_unit_pack(&unit, bytes);
        assert_ok(hs_unit_unpack(hs_bytes(bytes, sizeof bytes), &back));
        hs_unit_pack(&back, again);
        assert_memory_equal(bytes, again, sizeof bytes);
        assert_int_equal(back.state, unit.state);
        assert_int_equal(back.settle_by.ms, unit.settle_by.ms);
        assert_true(hs_amount_equal(&back.max_discount, &unit.max_discount));
        assert_true(hs_id_equal(&back.final_id, &unit.final_id));
        assert_err(hs_unit_unpack(hs_bytes(bytes, sizeof bytes - 1), &back), HS_ERR_STORE);
        bytes[1] = 3;
        assert_err(hs_unit_unpack(hs_bytes(bytes, sizeof bytes), &back), HS_ERR_STORE);
        bytes[1] = 0;
        bytes[0] = 2;
        assert_err(hs_unit_unpack(hs_bytes(bytes, sizeof bytes), &back), HS_ERR_STORE);
        bytes[0] = 1;
        bytes[2 + 4 * 32] = 'e';
        assert_err(hs_unit_unpack(hs_bytes(bytes, sizeof bytes), &back), HS_ERR_STORE);
    }
}

/* --- every order of a few requests, against the one rule that counts --- */

enum { DEPTH = 5 };

/* DEAL-25: whatever comes in whatever order, at whatever time: one redemption at most, and never another's.
 */
static void explore(const struct hs_unit *unit, int depth, char redeemed_by, int64_t clock)
{
    if (depth == DEPTH)
        return;
    for (int step = 0; step < 7; step++) {
        struct hs_unit next = *unit;
        struct hs_ledger_result r;
        char who = step % 2 == 0 ? 'A' : 'B', by = redeemed_by;
        struct hs_time when = {now.ms + clock};
        struct hs_reserve_request reserve_it = {
            .rid = id(who), .id = id((char)(who + 32)), .max_discount = euros(500), .min_met = true};
        struct hs_commit commit_it = {
            .rid = id(who), .id = id((char)(who + 1)), .reservation_id = id(who), .discount = euros(1)};
        struct hs_release release_it = {.rid = id(who), .id = id((char)(who + 2)), .reservation_id = id(who)};
        enum hs_err err = HS_ERR_BUSY;
        if (step < 2)
            err = hs_ledger_reserve(unit, &def, &reserve_it, when, &r);
        else if (step < 4)
            err = hs_ledger_commit(unit, &commit_it, when, &r);
        else if (step < 6)
            err = hs_ledger_release(unit, &release_it, when, &r);
        if (err == HS_OK)
            next = r.next;
        if (err == HS_OK && r.answer == HS_LEDGER_NEW && step < 2)
            next.reservation_id = id(who);
        if (err == HS_OK && r.answer == HS_LEDGER_NEW && step >= 2 && step < 4) {
            assert_int_equal(redeemed_by, 0);
            assert_int_equal(unit->state, HS_UNIT_HELD);
            by = who;
        }
        if (redeemed_by != 0)
            assert_int_equal(next.state, HS_UNIT_REDEEMED);
        explore(&next, depth + 1, by, step == 6 ? clock + HS_DECIDE_MS + HS_SETTLE_MS : clock);
    }
}

static void any_order_redeems_once(void **state)
{
    (void)state;
    struct hs_unit fresh = {0};
    explore(&fresh, 0, 0, 0);
}

static int setup(void **state)
{
    (void)state;
    static Hanse__Amount most, least;
    hanse__coupon_def__init(&def_msg);
    hanse__hdr__init(&def_hdr);
    hanse__amount__init(&most);
    hanse__amount__init(&least);
    most.currency = least.currency = (char *)(uintptr_t) "EUR";
    most.minor = 500;
    least.minor = 2000;
    def_hdr.created_ms = at(-3 * HOUR).ms;
    def_hdr.not_after_ms = at(HOUR).ms;
    def_msg.hdr = &def_hdr;
    def_msg.kind = HANSE__COUPON_KIND__COUPON_PERCENT;
    def_msg.percent_bp = 1000;
    def_msg.max_discount = &most;
    def_msg.min_subtotal = &least;
    def_msg.not_before_ms = at(-HOUR).ms;
    def_msg.limit_total = 2;
    def = (struct hs_coupon_def){.id = id('D'), .msg = &def_msg};
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_in_every_state), cmocka_unit_test(reservation_has_deadlines),
        cmocka_unit_test(settle_by_is_exact),           cmocka_unit_test(reservation_keeps_the_terms),
        cmocka_unit_test(claims_are_counted),           cmocka_unit_test(units_pack_and_unpack),
        cmocka_unit_test(any_order_redeems_once),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
