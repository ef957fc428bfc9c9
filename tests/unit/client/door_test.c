/* Whoever has no home yet, at the door of a room that has moved: a link is a ticket at the brand's own node
 * only, and one that leads nowhere leaves no home behind. CLIENT-16, CLIENT-69 */
#include "hub_scene.h"

#include "identity/grant.h"
#include "sync/state.h"

#include <stdio.h>

static struct town_device *stranger(struct scene *c, const char *link, enum hanse_err err)
{
    struct town_device *fay = town_device_new(c->t);
    uint64_t op;
    TOWN_WANT(fay, hs_want_identity(&s, "Fay"));
    TOWN_WANT(fay, hs_want_join(&s, link, &op));
    hs_sync_stay_online(fay->sync, true);
    town_wait(c->t, 10000);
    assert_non_null(town_done(fay, op));
    assert_int_equal(town_done(fay, op)->err, err);
    return fay;
}

static void at_the_next_hub(void **state)
{
    (void)state;
    struct scene c = scene_new();
    uint64_t op;
    rosa_moves(&c);
    grant(&c);
    the_room_moves(&c);
    const char *link = town_link(c.rosa, &c.room, 5);
    struct town_device *fay = stranger(&c, link, HANSE_ERR_NO_ACCOUNT);
    assert_false(fay->sync->me.has_home);
    assert_false(hs_sync_has_pending(fay->sync));
    /* a home somewhere is enough */
    TOWN_WANT(fay, hs_want_sign_up(&s, town_ticket(c.third, 0, NULL, 1), &op));
    town_wait(c.t, 3000);
    assert_int_equal(town_done(fay, op)->err, HANSE_OK);
    town_join(fay, link);
    town_free(c.t);
}

static void by_a_link_that_leads_nowhere(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *host = town_member_of_staff(c.third, "host", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id theirs = town_room(host, "Theirs");
    struct hs_time soon = {town_now(c.t).ms + 5000};
    char old[512];
    uint64_t op;
    TOWN_WANT(c.rosa, hs_want_invite(&s, &c.room, 1, soon, &op));
    town_wait(c.t, 2000);
    snprintf(old, sizeof old, "%s", town_done(c.rosa, op)->text);
    town_wait(c.t, 10000);
    struct town_device *fay = stranger(&c, old, HANSE_ERR_INVITE_EXPIRED);
    assert_false(fay->sync->me.has_home);
    town_join(fay, town_link(host, &theirs, 1)); /* and another one is as good as ever */
    assert_true(hs_key_equal(&fay->sync->me.home_root, &c.third->root.pub));
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(at_the_next_hub),
                                       cmocka_unit_test(by_a_link_that_leads_nowhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
