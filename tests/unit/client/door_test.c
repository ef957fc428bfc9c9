/* Whoever has no home yet, at the door of a room that has moved: a link is a ticket at the brand's own node
 * only, and one that leads nowhere leaves no home behind. CLIENT-16, CLIENT-69 */
#include "hub_scene.h"

#include "identity/grant.h"
#include "store/tables.h"
#include "sync/state.h"

#include <stdio.h>

/* The requests to join that its store has. */
static size_t joins_of(struct town_device *d)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key from = {0};
    struct hs_bytes key, at = hs_kv_key_bytes(&from);
    struct hs_kv *kv = town_look(d);
    size_t count = 0;
    while (hs_kv_next(kv, HS_TABLE_JOIN, (struct hs_bytes){0}, at, &arena, &key, NULL)) {
        from = hs_kv_after(key);
        at = hs_kv_key_bytes(&from);
        count++;
    }
    town_looked(d);
    return count;
}

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

/* Asked there, and the node went away before it had an account for her. */
static struct town_device *fay_is_stuck(struct scene *c, const char *link)
{
    struct town_device *fay = town_device_new(c->t);
    uint64_t op;
    TOWN_WANT(fay, hs_want_identity(&s, "Fay"));
    TOWN_WANT(fay, hs_want_join(&s, link, &op));
    fay->loses = HANSE__FRAME__BODY_SIGN_UP;
    hs_sync_stay_online(fay->sync, true);
    town_wait(c->t, 3000);
    assert_int_equal(joins_of(fay), 1);
    assert_null(town_done(fay, op));
    c->third->down = true;
    town_device_cut(fay);
    town_wait(c->t, 3000);
    fay->loses = 0;
    return fay;
}

/* CLIENT-16, CLIENT-87: whoever gives up the very first link is as free as before it: another node becomes
 * the home by a link or a ticket, or the same one by the request that it may have. */
static void by_a_link_that_is_given_up(void **state)
{
    (void)state;
    enum { BY_LINK, BY_TICKET, AS_BEFORE, WAYS };
    for (int way = BY_LINK; way < WAYS; way++)
        for (int starts = 0; starts < 2; starts++) {
            struct scene c = scene_new();
            struct town_device *host =
                town_member_of_staff(c.third, "host", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
            struct hs_id theirs = town_room(host, "Theirs");
            const char *link = town_link(host, &theirs, 5);
            const char *other = town_link(c.rosa, &c.room, 5);
            struct town_device *fay = fay_is_stuck(&c, link);
            uint64_t op;
            TOWN_WANT(fay, hs_want_leave_here(&s, &theirs));
            assert_false(fay->sync->me.has_home);
            assert_false(hs_sync_has_pending(fay->sync));
            if (starts == 1) {
                town_device_kill(fay);
                town_device_start(fay);
                hs_sync_stay_online(fay->sync, true);
            }
            assert_int_equal(joins_of(fay), 1);
            if (way == BY_TICKET) {
                TOWN_WANT(fay, hs_want_sign_up(&s, town_ticket(c.old, 0, NULL, 1), &op));
                town_wait(c.t, 3000);
                assert_non_null(town_done(fay, op));
                assert_int_equal(town_done(fay, op)->err, HANSE_OK);
            }
            c.third->down = way != AS_BEFORE;
            if (way == AS_BEFORE)
                town_wait(c.t, 60000);
            town_join(fay, way == AS_BEFORE ? link : other);
            const struct town_node *home = way == AS_BEFORE ? c.third : c.old;
            assert_true(hs_key_equal(&fay->sync->me.home_root, &home->root.pub));
            assert_int_equal(joins_of(fay), 0);
            town_free(c.t);
        }
}

/* CLIENT-16: nobody knows any more what was wanted there. */
static void by_a_link_that_was_never_answered(void **state)
{
    (void)state;
    struct scene c = scene_new();
    struct town_device *host = town_member_of_staff(c.third, "host", HS_ROLE_BIT(HANSE__ROLE__ROLE_OWNER));
    struct hs_id theirs = town_room(host, "Theirs");
    const char *link = town_link(host, &theirs, 5);
    struct town_device *fay = town_device_new(c.t);
    uint64_t op;
    c.third->down = true;
    TOWN_WANT(fay, hs_want_identity(&s, "Fay"));
    TOWN_WANT(fay, hs_want_join(&s, link, &op));
    town_wait(c.t, 3000);
    assert_null(town_done(fay, op));
    town_device_kill(fay);
    town_device_start(fay);
    town_join(fay, town_link(c.rosa, &c.room, 5));
    assert_true(hs_key_equal(&fay->sync->me.home_root, &c.old->root.pub));
    town_free(c.t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_the_next_hub), cmocka_unit_test(by_a_link_that_leads_nowhere),
        cmocka_unit_test(by_a_link_that_is_given_up), cmocka_unit_test(by_a_link_that_was_never_answered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
