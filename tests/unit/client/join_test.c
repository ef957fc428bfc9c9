/* Joining by an invite that brings the account, and what a refusal leaves behind: nothing. */
#include "town.h"

#include "identity/grant.h"
#include "store/rooms.h"

static size_t rooms_of(struct town_device *d)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    size_t count = 0;
    struct hs_kv *kv = town_look(d);
    while (hs_room_next(kv, &cursor, &arena, &row))
        count++;
    town_looked(d);
    return count;
}

static enum hanse_err join(struct town_device *d, const char *link)
{
    uint64_t op;
    TOWN_WANT(d, hs_want_join(&s, link, &op));
    town_run(d->town);
    const struct hanse_event *done = town_done(d, op);
    return done != NULL ? done->err : HANSE_ERR_TIMEOUT;
}

/* A stranger's used-up invite is refused, no room waits and the node is left alone; the next invite works. */
static void a_used_up_invite_leaves_nothing(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    struct town_device *owner = town_member_of_staff(node, "mo", hs_role_set(HANSE__ROLE__ROLE_STAFF));
    struct hs_id room = town_room(owner, "VIP");
    const char *used = town_link(owner, &room, 1);
    (void)town_guest(t, "Anna", used);
    struct town_device *ben = town_device_new(t);
    TOWN_WANT(ben, hs_want_identity(&s, "Ben"));
    hs_sync_stay_online(ben->sync, true);
    assert_int_equal(join(ben, used), HANSE_ERR_INVITE_USED_UP);
    assert_int_equal(rooms_of(ben), 0);
    uint64_t before = hs_core_stats(node->core).requests;
    town_wait(t, 20000);
    assert_true(hs_core_stats(node->core).requests - before < 20); /* of the others, who ping */
    assert_int_equal(join(ben, town_link(owner, &room, 1)), HANSE_OK);
    town_run(t);
    assert_non_null(town_event(ben, HANSE_EVENT_JOINED));
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_used_up_invite_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
