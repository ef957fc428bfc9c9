/* What an issuer may have forgotten is shown by customers of other brands, too, through homes that may lie.
 */
#include "proof_scene.h"

#include "wire/unpack.h"

/* CLIENT-83: a customer of another brand learns of it by RECOVERING, or by a head. */
static void test_a_customer_of_another_brand(void **state)
{
    (void)state;
    struct shop shop;
    shop_open(&shop, 1000);
    struct hanse_campaign_spec spec = {.percent_bp = 500};
    struct town_node *linn = town_node_new(shop.t, "linn.example");
    struct town_device *cleo = town_customer(linn, "Cleo"), *dora = town_customer(linn, "Dora");
    struct hs_id late, second;
    uint64_t op;
    town_join(cleo, town_link(shop.alice, &shop.room, 5));
    town_join(dora, town_link(shop.alice, &shop.room, 5));
    TOWN_WANT(shop.alice, hs_want_campaign(&s, &shop.room, &spec, &op));
    town_wait(shop.t, 3000);
    second = shop_done_id(shop.alice, op);
    TOWN_WANT(shop.alice, hs_want_campaign(&s, &shop.room, &spec, &op));
    town_wait(shop.t, 3000);
    late = shop_done_id(shop.alice, op);
    struct hs_kv *backup = town_node_copy(shop.rosa);
    TOWN_WANT(cleo, hs_want_claim(&s, &late, &op));
    town_wait(shop.t, 3000);
    (void)shop_done_id(cleo, op);
    TOWN_WANT(dora, hs_want_claim(&s, &late, &op));
    town_wait(shop.t, 3000);
    (void)shop_done_id(dora, op);
    town_node_restore(shop.rosa, backup);
    town_wait(shop.t, 20000);
    assert_true(town_node_is_frozen(shop.rosa));
    assert_int_equal(proofs_at(shop.rosa).taken, 0);
    TOWN_WANT(cleo, hs_want_claim(&s, &second, &op));
    town_wait(shop.t, 20000);
    assert_int_equal(proofs_at(shop.rosa).taken, 1);
    town_wait(shop.t, 100000);
    assert_false(town_node_is_frozen(shop.rosa)); /* the ledger is, still */
    assert_true(ledger_is_frozen(shop.rosa));
    TOWN_WANT(shop.alice, hs_want_text(&s, &shop.room, "here we are again", &op));
    town_wait(shop.t, 10000);
    assert_int_equal(proofs_at(shop.rosa).taken, 2);
    town_free(shop.t);
}

/* Cleo of Linn's brand, who holds a coupon of Rosa's that is behind the backup, which has come back. */
static struct town_device *customer_from_afar(struct shop *shop, struct hs_id *campaigns)
{
    shop_open(shop, 1000);
    struct hanse_campaign_spec spec = {.percent_bp = 500};
    struct town_node *linn = town_node_new(shop->t, "linn.example");
    struct town_device *cleo = town_customer(linn, "Cleo");
    uint64_t op;
    town_join(cleo, town_link(shop->alice, &shop->room, 5));
    for (size_t i = 0; i < 2; i++) {
        TOWN_WANT(shop->alice, hs_want_campaign(&s, &shop->room, &spec, &op));
        town_wait(shop->t, 3000);
        campaigns[i] = shop_done_id(shop->alice, op);
    }
    struct hs_kv *backup = town_node_copy(shop->rosa);
    TOWN_WANT(cleo, hs_want_claim(&s, &campaigns[0], &op));
    town_wait(shop->t, 3000);
    (void)shop_done_id(cleo, op);
    town_node_restore(shop->rosa, backup);
    town_wait(shop->t, 100000);
    return cleo;
}

static void say(struct shop *shop)
{
    uint64_t op;
    TOWN_WANT(shop->alice, hs_want_text(&s, &shop->room, "here we are again", &op));
    town_wait(shop->t, 10000);
}

/* What a hostile home makes of the answer to what she shows. */
static uint64_t lie;        /* the incarnation, to begin with; one more each time */
static size_t unreachable;  /* so often there is none */
static size_t answers_seen; /* and all of them */

static struct hs_bytes pack(const ProtobufCMessage *message, struct hs_arena *arena)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX);
    assert_ok(hs_pack(message, &w));
    return hs_arena_copy(arena, hs_writer_bytes(&w));
}

static struct hs_bytes lie_about_answers(struct town_device *d, struct hs_bytes frame, struct hs_arena *arena)
{
    Hanse__Frame *outer, *inner;
    Hanse__Error error = HANSE__ERROR__INIT;
    struct hs_bytes packed;
    (void)d;
    assert_ok(HS_UNPACK(hanse__frame, frame, HS_LENIENT, arena, &outer));
    if (outer->body_case != HANSE__FRAME__BODY_FORWARDED)
        return frame;
    assert_ok(HS_UNPACK(hanse__frame, hs_pb_bytes(outer->forwarded->frame), HS_LENIENT, arena, &inner));
    if (inner->body_case != HANSE__FRAME__BODY_PROOFS_SHOWN)
        return frame;
    answers_seen++;
    if (unreachable > 0) {
        unreachable--;
        error.code = (uint32_t)-HS_ERR_UNREACHABLE;
        outer->error = &error;
        outer->body_case = HANSE__FRAME__BODY_ERROR;
    } else {
        inner->proofs_shown->incarnation = lie > 0 ? lie : inner->proofs_shown->incarnation;
        lie = lie > 0 && lie < UINT64_MAX ? lie + 1 : lie;
        packed = pack(&inner->base, arena);
        outer->forwarded->frame = hs_pb_data(packed);
    }
    return pack(&outer->base, arena);
}

static void lies_from_now(struct town_device *d, uint64_t incarnation, size_t times)
{
    lie = incarnation;
    unreachable = times;
    answers_seen = 0;
    d->incoming = lie_about_answers;
}

/* CLIENT-83: her home says that Rosa's node was restored so often that it can't be once more. */
static void test_a_home_that_says_it_was_the_last_time(void **state)
{
    (void)state;
    struct shop shop;
    struct hs_id campaigns[2];
    struct town_device *cleo = customer_from_afar(&shop, campaigns);
    struct hs_kv *backup = town_node_copy(shop.rosa);
    assert_int_equal(proofs_at(shop.rosa).taken, 0);
    lies_from_now(cleo, UINT64_MAX, 0);
    say(&shop);
    assert_int_equal(proofs_at(shop.rosa).taken, 1);
    assert_int_equal(shown_row(cleo, &shop.rosa->root.pub).seen, 2);
    town_node_restore(shop.rosa, backup);
    town_wait(shop.t, 100000);
    say(&shop);
    assert_int_equal(shown_row(cleo, &shop.rosa->root.pub).seen, 3);
    assert_int_equal(proofs_at(shop.rosa).taken, 0); /* it was only just shown it */
    town_wait(shop.t, 3600000);
    assert_int_equal(proofs_at(shop.rosa).taken, 1);
    assert_int_equal(answers_seen, 2);
    town_free(shop.t);
}

/* CLIENT-83: it says at each answer that it was restored meanwhile, and at each claim that it is RECOVERING.
 */
static void test_a_home_that_wants_it_shown_without_end(void **state)
{
    (void)state;
    struct shop shop;
    struct hs_id campaigns[2];
    uint64_t op;
    struct town_device *cleo = customer_from_afar(&shop, campaigns);
    lies_from_now(cleo, 3, 0);
    TOWN_WANT(cleo, hs_want_claim(&s, &campaigns[1], &op));
    town_wait(shop.t, 100000);
    assert_int_equal(proofs_at(shop.rosa).taken, 1);
    assert_int_equal(answers_seen, 1);
    assert_int_equal(shown_row(cleo, &shop.rosa->root.pub).seen, 1);
    town_free(shop.t);
}

/* CLIENT-83: in the same session it is shown later what it couldn't be shown at once. */
static void test_a_node_that_cannot_be_reached(void **state)
{
    (void)state;
    struct shop shop;
    struct hs_id campaigns[2];
    struct town_device *cleo = customer_from_afar(&shop, campaigns);
    lies_from_now(cleo, 0, 2);
    say(&shop);
    uint64_t session = cleo->session;
    assert_int_equal(answers_seen, 1);
    town_wait(shop.t, 310000);
    assert_int_equal(answers_seen, 2);
    struct hs_shown_row row = shown_row(cleo, &shop.rosa->root.pub);
    assert_true(row.seen == 2 && row.shown < 2);
    town_wait(shop.t, 310000);
    assert_int_equal(answers_seen, 3);
    assert_int_equal(shown_row(cleo, &shop.rosa->root.pub).shown, 2);
    town_wait(shop.t, 310000);
    assert_int_equal(answers_seen, 3);
    assert_int_equal(cleo->session, session);
    town_free(shop.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_customer_of_another_brand),
        cmocka_unit_test(test_a_home_that_says_it_was_the_last_time),
        cmocka_unit_test(test_a_home_that_wants_it_shown_without_end),
        cmocka_unit_test(test_a_node_that_cannot_be_reached),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
