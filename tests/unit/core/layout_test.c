/* A store says by which layout it was made; a restored node numbers its inboxes on from somewhere new. */
#include "world.h"

#include "core/delivery/inbox.h"
#include "core/records/layout.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "peer_world.h"

static void put_layout(struct hs_kv *kv, uint64_t layout)
{
    struct hs_kv_key key = hs_key_sub(HS_MISC_LAYOUT, (struct hs_bytes){0}, (struct hs_bytes){0}),
                     value = {0};
    hs_kv_key_add_u64(&value, layout);
    hs_kv_put(kv, HS_T_MISC, hs_kv_key_bytes(&key), hs_kv_key_bytes(&value));
}

/* NODE-29 */
static void layouts_are_known_or_refused(void **state)
{
    (void)state;
    struct hs_kv *kv = hs_kv_memory_new();
    uint64_t found = 9;
    assert_err(hs_layout_check(kv, &found), HS_ERR_UNSUPPORTED);
    assert_int_equal(found, 0);
    assert_ok(hs_layout_open(kv, &found));
    assert_int_equal(found, HS_LAYOUT);
    assert_ok(hs_layout_open(kv, &found));
    assert_ok(hs_layout_check(kv, &found));
    put_layout(kv, HS_LAYOUT + 1);
    assert_err(hs_layout_open(kv, &found), HS_ERR_UNSUPPORTED);
    assert_int_equal(found, HS_LAYOUT + 1);
    assert_err(hs_layout_check(kv, &found), HS_ERR_UNSUPPORTED);
    hs_kv_memory_free(kv);
}

/* NODE-29: something is there, and nothing says what. */
static void unknown_store_is_refused(void **state)
{
    (void)state;
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_kv *kv = hs_kv_memory_new();
        uint64_t found = 9;
        hs_kv_put(kv, table, hs_bytes("x", 1), hs_bytes("y", 1));
        assert_err(hs_layout_open(kv, &found), HS_ERR_UNSUPPORTED);
        assert_int_equal(found, 0);
        assert_err(hs_layout_check(kv, &found), HS_ERR_UNSUPPORTED);
        hs_kv_memory_free(kv);
    }
}

/* DELIVERY-18 */
static void inboxes_go_on_elsewhere(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "hub.example");
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(node, "alice"), *bob = world_customer(node, "bob");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 10);
    world_join(alice, room, &invite);
    assert_int_equal(alice->inbox_next, 1);
    struct hs_turn *turn = raw_turn_begin(node);
    assert_int_equal(hs_restored_since(turn), 0);
    hs_restored_record(turn, 3);
    assert_ok(hs_recover_resume(turn, NULL)); /* NODE-71 */
    raw_turn_end(turn);
    w->forged = false; /* it was a record */
    alice->inbox_next = bob->inbox_next = hs_restored_first(3);
    world_join(bob, room, &invite);
    assert_int_equal(bob->inbox_next, hs_restored_first(3) + 1);
    turn = raw_turn_begin(node);
    assert_int_equal(hs_restored_since(turn), 3);
    raw_turn_end(turn);
    w->forged = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_known_or_refused),
        cmocka_unit_test(unknown_store_is_refused),
        cmocka_unit_test(inboxes_go_on_elsewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
