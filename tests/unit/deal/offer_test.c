#include "deal/offer.h"

#include "unit/deal/cast.h"

static struct cast c;
static struct trip t;

static int setup(void **state)
{
    (void)state;
    cast_init(&c);
    trip_init(&c, &t);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hs_arena_free(&c.arena);
    return 0;
}

static enum hs_err open_offer(const Hanse__SignedObject *obj)
{
    struct hs_offer offer;
    return hs_offer_open(&c.chain, obj, &c.arena, &offer);
}

/* Signed as it is, by whom the test says: what a hostile signer can make. */
static Hanse__SignedObject *raw(Hanse__Offer *msg, const struct actor *who, struct hs_time when)
{
    struct hs_author by = author(who, when);
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_OFFER, &msg->base, &by, &(struct hs_hdr_spec){.not_after = at(HOUR)},
                             &c.arena, &obj));
    return obj;
}

/* DEAL-1, DEAL-5 */
static void offer_is_a_merchants(void **state)
{
    (void)state;
    assert_string_equal(t.offers[0].msg->title, "Rose soap");
    assert_true(hs_key_equal(&t.offers[0].signer.key, &c.merchant.key.pub));
    assert_int_equal(t.offers[0].signer.role, HANSE__ROLE__ROLE_MERCHANT);
    Hanse__Offer draft = offer_draft(&c, 100);
    assert_ok(open_offer(raw(&draft, &c.merchant, now)));
    assert_err(open_offer(raw(&draft, &c.till, now)), HS_ERR_WRONG_SIGNER);
    assert_err(open_offer(raw(&draft, &c.kim, now)), HS_ERR_WRONG_SIGNER);
    /* the grant's window counts at the offer's creation */
    assert_err(open_offer(raw(&draft, &c.merchant, at(25 * HOUR))), HS_ERR_EXPIRED);
    assert_err(open_offer(raw(&draft, &c.merchant, at(-3 * HOUR))), HS_ERR_NOT_YET);
    assert_err(open_offer(t.def_object), HS_ERR_UNEXPECTED);
}

/* DEAL-5: altered in the price. */
static void altered_offer_is_refused(void **state)
{
    (void)state;
    Hanse__SignedObject *obj;
    assert_ok(hs_object_copy(t.offer_objects[0], &c.arena, &obj));
    obj->payload.data[obj->payload.len - 3] ^= 1;
    assert_err(open_offer(obj), HS_ERR_BAD_SIGNATURE);
}

/* DEAL-5: half-open, and before it begins too. */
static void offer_has_a_window(void **state)
{
    (void)state;
    const struct hs_offer *o = &t.offers[0];
    assert_err(hs_offer_check_live(o, at(-HOUR - 1)), HS_ERR_OFFER_EXPIRED);
    assert_ok(hs_offer_check_live(o, at(-HOUR)));
    assert_ok(hs_offer_check_live(o, at(HOUR - 1)));
    assert_err(hs_offer_check_live(o, at(HOUR)), HS_ERR_OFFER_EXPIRED);
}

static enum hs_err fields(Hanse__Offer *msg)
{
    struct hs_author by = author(&c.merchant, now);
    Hanse__SignedObject *obj;
    enum hs_err built = hs_offer_build(msg, &by, at(HOUR), &c.arena, &obj);
    enum hs_err opened = open_offer(raw(msg, &c.merchant, now));
    assert_int_equal(built, opened);
    return opened;
}

/* DEAL-6: field rules, the same for whoever builds and whoever opens. */
static void offer_fields_are_checked(void **state)
{
    (void)state;
    char name[HS_NAME_MAX + 2] = {0};
    memset(name, 'n', HS_NAME_MAX);
    Hanse__Offer good = offer_draft(&c, 1290), msg = good;
    msg.title = name;
    assert_ok(fields(&msg));
    name[HS_NAME_MAX] = 'n';
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg.title = (char *)(uintptr_t) "";
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    char **codes[] = {&msg.sku, &msg.gtin, &msg.lang, &msg.category};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        msg = good;
        name[64] = '\0';
        *codes[i] = name;
        assert_ok(fields(&msg));
        name[64] = 'n';
        name[65] = '\0';
        assert_err(fields(&msg), HS_ERR_MALFORMED);
        name[65] = 'n';
    }
    msg = good;
    msg.tax_bp = 10000;
    assert_ok(fields(&msg));
    msg.tax_bp = 10001;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg = good;
    msg.min_quantity = 4;
    msg.max_quantity = 4;
    assert_ok(fields(&msg));
    msg.max_quantity = 3;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg = good;
    msg.min_quantity = HS_QUANTITY_MAX + 1;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg = good;
    msg.not_before_ms = -1;
    assert_err(fields(&msg), HS_ERR_MALFORMED);
    msg = good;
    msg.price = NULL;
    assert_err(fields(&msg), HS_ERR_AMOUNT);
    msg.price = eur(&c, -1);
    assert_err(fields(&msg), HS_ERR_AMOUNT);
    msg.price = eur(&c, 0);
    assert_ok(fields(&msg));
    msg.price = eur(&c, HS_AMOUNT_MAX + 1);
    assert_err(fields(&msg), HS_ERR_AMOUNT);
    msg.price->currency = (char *)(uintptr_t) "eur";
    assert_err(fields(&msg), HS_ERR_CURRENCY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offer_is_a_merchants),
        cmocka_unit_test(altered_offer_is_refused),
        cmocka_unit_test(offer_has_a_window),
        cmocka_unit_test(offer_fields_are_checked),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
