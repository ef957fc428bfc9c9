/* Grants that come after the account: roles and a handle for a key that exists. */
#include "grant_text.h"

static struct grant_wish wish_for(struct town_node *node, struct town_device *d)
{
    struct grant_wish w = {.root = &node->root, .role = HANSE__ROLE__ROLE_STAFF};
    assert_ok(hs_sync_persona(d->sync, &node->root.pub, &w.key));
    return w;
}

static struct town_device *customer(struct town_node *node)
{
    uint64_t op;
    struct town_device *d = town_device_new(node->town);
    TOWN_WANT(d, hs_want_identity(&s, "Uwe"));
    TOWN_WANT(d, hs_want_sign_up(&s, town_ticket(node, 0, NULL, 1), &op));
    hs_sync_stay_online(d->sync, true);
    town_run(node->town);
    assert_int_equal(town_done(d, op)->err, HANSE_OK);
    return d;
}

static enum hanse_err create(struct town_device *d)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_room(&s, &(struct hanse_room_spec){.name = "staff"}, &op));
    town_run(d->town);
    return town_done(d, op)->err;
}

/* CLIENT-29: a customer who was made staff founds a room; the same text again is nothing new; it holds over a
 * restart. */
static void a_role_comes_later(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    struct town_device *d = customer(node);
    char text[GRANT_TEXT_SIZE];
    uint64_t op;
    assert_int_equal(create(d), HANSE_ERR_DENIED);
    struct grant_wish w = wish_for(node, d);
    w.handle = "uwe";
    grant_text(node, &w, text);
    for (size_t i = 0; i < 2; i++) {
        TOWN_WANT(d, hs_want_grants(&s, text, &op));
        town_run(t);
        assert_int_equal(town_done(d, op)->err, HANSE_OK);
    }
    town_device_kill(d);
    town_device_start(d);
    hs_sync_stay_online(d->sync, true);
    town_run(t);
    assert_int_equal(create(d), HANSE_OK);
    town_free(t);
}

/* CLIENT-29: another brand's, another key's, one that has run out, a second handle, other text: refused, and
 * nothing is kept. */
static void what_is_not_a_grant_is_refused(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example"), *other = town_node_new(t, "kaffee.example");
    struct town_device *d = customer(node);
    char text[GRANT_TEXT_SIZE];
    uint64_t op;
    struct grant_wish w = wish_for(node, d), bad = w;
    bad.root = &other->root;
    grant_text(node, &bad, text);
    TOWN_WANT_ERR(d, hs_want_grants(&s, text, &op), HS_ERR_WRONG_SIGNER);
    bad = w;
    bad.key = node->root.pub;
    grant_text(node, &bad, text);
    TOWN_WANT_ERR(d, hs_want_grants(&s, text, &op), HS_ERR_BAD_CHAIN);
    bad = w;
    bad.not_after.ms = town_now(t).ms;
    grant_text(node, &bad, text);
    TOWN_WANT_ERR(d, hs_want_grants(&s, text, &op), HS_ERR_EXPIRED);
    TOWN_WANT_ERR(d, hs_want_grants(&s, "hanse:g/", &op), HS_ERR_MALFORMED);
    TOWN_WANT_ERR(d, hs_want_grants(&s, "hanse:t/AAAA", &op), HS_ERR_MALFORMED);
    assert_int_equal(create(d), HANSE_ERR_DENIED);
    w.handle = "uwe";
    grant_text(node, &w, text);
    TOWN_WANT(d, hs_want_grants(&s, text, &op));
    w.handle = "udo";
    grant_text(node, &w, text);
    TOWN_WANT_ERR(d, hs_want_grants(&s, text, &op), HS_ERR_NAME_REFUSED);
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_comes_later),
        cmocka_unit_test(what_is_not_a_grant_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
