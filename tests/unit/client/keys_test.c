/* Nodes that change their keys, and the devices that go on: at the hub, and at another home. */
#include "shop.h"

#include "crypto/dh.h"
#include "identity/descriptor.h"
#include "identity/grant.h"
#include "object/object.h"
#include "sync/log/hub_key.h"

static const uint32_t owner = HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER);

struct scene {
    struct town *t;
    struct town_node *rosa, *anna;
    struct town_device *alice, *ben, *cleo;
    struct hs_id room;
};

/* Alice and Cleo at the hub, Ben at another node. */
static struct scene scene_new(void)
{
    struct scene c = {.t = town_new()};
    c.rosa = town_node_new(c.t, "rosa.example");
    c.anna = town_node_new(c.t, "anna.example");
    c.alice = town_member_of_staff(c.rosa, "rosa", owner);
    c.room = town_room(c.alice, "VIP");
    c.ben = town_customer(c.anna, "Ben");
    town_join(c.ben, town_link(c.alice, &c.room, 5));
    c.cleo = town_guest(c.t, "Cleo", town_link(c.alice, &c.room, 5));
    town_wait(c.t, 3000);
    return c;
}

static void post(struct town_device *d, const struct hs_id *room, const char *text)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_text(&s, room, text, &op));
}

static void assert_all_read(struct scene *c, const char *texts)
{
    assert_string_equal(town_history(c->alice, &c->room), texts);
    assert_string_equal(town_history(c->ben, &c->room), texts);
    assert_string_equal(town_history(c->cleo, &c->room), texts);
}

/* FED-50, FED-51, CLIENT-17: who is there and who was away, whatever they hold of the node, go on; a link and
 * a ticket from before lead there. */
static void test_devices_go_on(void **state)
{
    (void)state;
    struct scene c = scene_new();
    const char *link = town_link(c.alice, &c.room, 5), *ticket = town_ticket(c.rosa, 0, NULL, 5);
    post(c.ben, &c.room, "one");
    town_wait(c.t, 3000);
    town_device_kill(c.cleo);
    town_node_rotate(c.rosa);
    post(c.alice, &c.room, "two");
    post(c.ben, &c.room, "three");
    town_wait(c.t, 60000);
    town_node_rotate(c.anna);
    town_node_rotate(c.rosa);
    post(c.ben, &c.room, "four");
    town_wait(c.t, 60000);
    town_device_start(c.cleo);
    hs_sync_stay_online(c.cleo->sync, true);
    town_wait(c.t, 60000);
    assert_string_equal(town_history(c.ben, &c.room), town_history(c.alice, &c.room));
    assert_string_equal(town_history(c.cleo, &c.room), town_history(c.alice, &c.room));
    post(c.cleo, &c.room, "five");
    town_wait(c.t, 3000);
    assert_non_null(strstr(town_history(c.ben, &c.room), "five"));
    struct town_device *dora = town_guest(c.t, "Dora", link);
    post(dora, &c.room, "six");
    town_wait(c.t, 3000);
    assert_non_null(strstr(town_history(c.ben, &c.room), "six"));
    struct town_device *emil = town_device_new(c.t);
    uint64_t op;
    TOWN_WANT(emil, hs_want_identity(&s, "Emil"));
    TOWN_WANT(emil, hs_want_sign_up(&s, ticket, &op));
    hs_sync_stay_online(emil->sync, true);
    town_wait(c.t, 5000);
    assert_int_equal(town_done(emil, op)->err, HANSE_OK);
    town_free(c.t);
}

/* FED-52: a device that knows newer keys doesn't take the old ones back. */
static void test_old_keys_are_refused(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_bytes before = c.rosa->descriptor;
    struct hs_key transport;
    town_node_rotate(c.rosa);
    town_wait(c.t, 60000);
    post(c.alice, &c.room, "all is well");
    town_wait(c.t, 3000);
    assert_all_read(&c, "all is well\n");
    TOWN_WANT_ERR(c.alice, hs_sync_descriptor(&s, before, &transport), HS_ERR_REPLAY);
    town_device_kill(c.cleo);
    town_device_start(c.cleo);
    TOWN_WANT_ERR(c.cleo, hs_sync_descriptor(&s, before, &transport), HS_ERR_REPLAY);
    TOWN_WANT(c.cleo, hs_sync_descriptor(&s, c.rosa->descriptor, &transport));
    town_free(c.t);
}

/* A head of the room as it stands at d, by that key. */
static enum hs_err head_by(struct hs_step *s, const struct scene *c, const struct hs_signer *signer,
                           struct hs_time now)
{
    struct hs_live_room *room;
    Hanse__SignedObject *object;
    struct hs_head head;
    HS_TRY(hs_live_get(s, &c->room, &room));
    HS_TRY(hs_head_build(signer, &c->room, &room->row.tip, 1, 1, now, s->arena, &object));
    return hs_hub_head(s, room, object, &head);
}

/* FED-51: what the earlier key signed counts, as far as it may have been in use then. */
static void test_earlier_heads_count(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct hs_signer old = c.rosa->signer, stranger;
    struct hs_time rotated = town_now(c.t);
    hs_signer_random(&stranger);
    TOWN_WANT(c.ben, head_by(&s, &c, &old, rotated));
    town_node_rotate(c.rosa);
    town_wait(c.t, 60000);
    TOWN_WANT_ERR(c.ben, head_by(&s, &c, &c.rosa->signer, rotated), HS_ERR_WRONG_SIGNER); /* not told yet */
    post(c.alice, &c.room, "tells it");
    town_wait(c.t, 3000);
    TOWN_WANT(c.ben, head_by(&s, &c, &c.rosa->signer, rotated));
    TOWN_WANT(c.ben, head_by(&s, &c, &old, (struct hs_time){rotated.ms + HS_HUB_KEY_LAG_MS}));
    TOWN_WANT_ERR(c.ben, head_by(&s, &c, &old, (struct hs_time){rotated.ms + HS_HUB_KEY_LAG_MS + 1}),
                  HS_ERR_WRONG_SIGNER);
    TOWN_WANT_ERR(c.ben, head_by(&s, &c, &stranger, rotated), HS_ERR_WRONG_SIGNER);
    town_free(c.t);
}

/* FED-51, IDENTITY-16: a coupon that was signed with the earlier key is good, at the till and in the ledger.
 */
static void test_coupons_stay_good(void **state)
{
    (void)state;
    struct shop shop;
    uint64_t op;
    shop_open(&shop, 1000);
    shop_claim(&shop);
    town_node_rotate(shop.rosa);
    town_wait(shop.t, 60000);
    TOWN_WANT(shop.ben, hs_want_order(&s, &shop.offer, 2, &shop.coupon, &op));
    town_wait(shop.t, 5000);
    struct hs_id id = shop_done_id(shop.ben, op);
    assert_int_equal(shop_coupon_row(shop.ben, &shop.coupon).state, HANSE_COUPON_USED);
    assert_int_equal(shop_order_row(shop.ben, &id).receipts, 1);
    town_free(shop.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_devices_go_on),
        cmocka_unit_test(test_old_keys_are_refused),
        cmocka_unit_test(test_earlier_heads_count),
        cmocka_unit_test(test_coupons_stay_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
