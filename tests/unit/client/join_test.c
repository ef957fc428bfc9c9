/* Joining by an invite that brings the account, and what a refusal leaves behind: nothing. Commits that meet
 * at the hub. */
#include "town.h"

#include "identity/grant.h"
#include "sync/trade/deal.h"

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

/* New keys for one's own leaf, which any member may commit. */
static enum hs_err renew(struct hs_step *s, const struct hs_id *id)
{
    struct hs_live_room *room;
    const struct hs_commit_wish nothing = {0};
    HS_TRY(hs_live_member(s, id, &room));
    return hs_commit_submit(s, room, &nothing);
}

static struct hs_mls_secret authenticator(struct town_device *d, const struct hs_id *id, uint64_t *epoch)
{
    struct hs_mls_secret secret = {0};
    struct hs_step s;
    struct hs_arena HS_ARENA arena = hs_arena(HS_STEP_ARENA);
    struct hs_live_room *room;
    assert_ok(town_open(d, &s, &arena));
    assert_ok(hs_live_member(&s, id, &room));
    secret = hs_mls_group_authenticator(room->group);
    *epoch = hs_mls_group_epoch(room->group);
    assert_ok(town_close(d, &s, HS_OK));
    return secret;
}

/* Two commits for one epoch: the hub takes the first, whoever made the second makes it anew by itself, and
 * nobody is told of it. (CLIENT-11) */
static void the_loser_of_a_race_commits_anew(void **state)
{
    (void)state;
    struct town *t = town_new();
    struct town_node *node = town_node_new(t, "rosa.example");
    struct town_device *owner = town_member_of_staff(node, "mo", hs_role_set(HANSE__ROLE__ROLE_STAFF));
    struct hs_id room = town_room(owner, "VIP");
    const char *link = town_link(owner, &room, 5);
    struct town_device *ben = town_guest(t, "Ben", link), *cleo = town_guest(t, "Cleo", link);
    struct hs_key persona;
    uint64_t removal, before, ours, theirs;
    town_wait(t, 2000);
    (void)authenticator(owner, &room, &before);
    assert_ok(hs_sync_persona(cleo->sync, &node->root.pub, &persona));
    TOWN_WANT(ben, renew(&s, &room));
    TOWN_WANT(owner, hs_want_removal(&s, &room, &persona, &removal));
    uint64_t refused = hs_core_stats(node->core).refused;
    town_wait(t, 2000);
    assert_int_equal(hs_core_stats(node->core).refused, refused + 1); /* one lost the race */
    assert_non_null(town_done(owner, removal));
    assert_int_equal(town_done(owner, removal)->err, HANSE_OK);
    assert_non_null(town_event(cleo, HANSE_EVENT_REMOVED));
    struct hs_mls_secret a = authenticator(owner, &room, &ours), b = authenticator(ben, &room, &theirs);
    assert_int_equal(ours, before + 2);
    assert_int_equal(theirs, before + 2);
    assert_bytes(HS_MLS_VIEW(a), HS_MLS_VIEW(b));
    town_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_used_up_invite_leaves_nothing),
        cmocka_unit_test(the_loser_of_a_race_commits_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
