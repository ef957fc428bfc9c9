/* Who is served when: lists of sessions, of rooms, and of a session's rooms. */
#include "support/test.h"

#include "core/delivery/due.h"

static struct hs_session *reader(struct hs_sessions *all, uint64_t id, size_t rooms)
{
    struct hs_session *s = hs_session_add(all, id);
    struct hs_key key = {{(uint8_t)id}};
    assert_non_null(s);
    assert_true(hs_session_become(s, HS_SESSION_DEVICE, &key));
    for (size_t i = 0; i < rooms; i++) {
        struct hs_id room = {{(uint8_t)i}};
        assert_non_null(hs_session_read(all, s, &room));
    }
    hs_session_attach(all, s);
    hs_due_budget(all, s, 1000);
    return s;
}

static void something_new_in(struct hs_sessions *all, uint8_t number)
{
    struct hs_id room = {{number}};
    hs_due_room(all, &room);
}

/* The rooms come in the order in which something came, each once. */
static void rooms_wait_in_their_order(void **state)
{
    (void)state;
    struct hs_sessions all = {0};
    struct hs_session *s = reader(&all, 1, 5);
    static const uint8_t order[] = {3, 0, 4};
    for (size_t i = 0; i < 3; i++) {
        something_new_in(&all, order[i]);
        something_new_in(&all, 3);
    }
    something_new_in(&all, 99); /* nobody reads it */
    assert_null(all.due[HS_DUE_NEW]);
    hs_due_spread(&all);
    assert_ptr_equal(all.due[HS_DUE_NEW], s);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(hs_due_take(s)->room.b[0], order[i]);
    assert_null(hs_due_take(s));
    something_new_in(&all, 0);
    hs_due_spread(&all);
    assert_int_equal(hs_due_take(s)->room.b[0], 0);
    assert_null(hs_due_take(s));
    hs_sessions_free(&all);
}

/* NODE-40: who is behind waits in a list of its own. */
static void who_is_behind_is_in_nobodys_way(void **state)
{
    (void)state;
    struct hs_sessions all = {0};
    struct hs_session *back[3], *live = reader(&all, 9, 1);
    for (size_t i = 0; i < 3; i++) {
        back[i] = reader(&all, i + 1, 1);
        hs_due_position(&all, back[i], &back[i]->positions[0], HS_DUE_BEHIND);
        hs_due_inbox(&all, back[i], HS_DUE_BEHIND);
    }
    something_new_in(&all, 0);
    hs_due_spread(&all);
    assert_ptr_equal(all.due[HS_DUE_NEW], live);
    assert_null(live->due_next);
    assert_ptr_equal(all.due[HS_DUE_BEHIND], back[0]); /* they keep their places */
    hs_due_leave(&all, back[0]);
    hs_due_enter(&all, back[0], HS_DUE_BEHIND);
    assert_ptr_equal(all.due[HS_DUE_BEHIND], back[1]);
    assert_ptr_equal(back[2]->due_next, back[0]);
    hs_sessions_free(&all);
}

/* NODE-13: without a budget nobody is in a list, and what is due isn't forgotten. */
static void only_who_can_take_something_is_listed(void **state)
{
    (void)state;
    struct hs_sessions all = {0};
    struct hs_session *s = reader(&all, 1, 1);
    hs_due_budget(&all, s, 0);
    something_new_in(&all, 0);
    hs_due_spread(&all);
    assert_null(all.due[HS_DUE_NEW]);
    assert_null(all.due[HS_DUE_BEHIND]);
    hs_due_budget(&all, s, 1);
    assert_ptr_equal(all.due[HS_DUE_BEHIND], s);
    hs_due_budget(&all, s, 0);
    assert_null(all.due[HS_DUE_BEHIND]);
    hs_due_budget(&all, s, 1);
    hs_session_detach(&all, s);
    assert_null(all.due[HS_DUE_BEHIND]);
    hs_sessions_free(&all);
}

/* Sessions and rooms go at any time: no list keeps them. */
static void who_is_gone_is_in_no_list(void **state)
{
    (void)state;
    struct hs_sessions all = {0};
    struct hs_session *a = reader(&all, 1, 2), *b = reader(&all, 2, 1);
    something_new_in(&all, 0);
    hs_due_spread(&all);
    something_new_in(&all, 0);
    something_new_in(&all, 1);
    hs_session_remove(&all, a); /* the only one who read room 1 */
    assert_ptr_equal(all.due[HS_DUE_NEW], b);
    hs_due_spread(&all);
    assert_null(all.rooms_due);
    hs_session_remove(&all, b);
    assert_null(all.due[HS_DUE_NEW]);
    assert_null(all.by_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_wait_in_their_order),
        cmocka_unit_test(who_is_behind_is_in_nobodys_way),
        cmocka_unit_test(only_who_can_take_something_is_listed),
        cmocka_unit_test(who_is_gone_is_in_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
