/* What is looked up often is found without reading everything else: memory doesn't grow with the store. */
#include "support/test.h"

#include "store/deals.h"

enum { ROWS = 100, FRAME_LEN = 60000, LITTLE = 3 * FRAME_LEN /* room for one row, not for all */ };

static struct hs_id id_of(uint8_t first, uint8_t second)
{
    return (struct hs_id){{first, second, 1}};
}

static void outbox_fill(struct hs_kv *kv, const struct hs_id *room)
{
    static uint8_t frame[FRAME_LEN];
    for (uint8_t i = 0; i < ROWS; i++) {
        struct hs_outbox_row row = {.number = (uint64_t)i + 1,
                                    .kind = HS_OUTBOX_POST,
                                    .room = *room,
                                    .body_hash = id_of(9, i),
                                    .frame = hs_bytes(frame, sizeof frame)};
        hs_outbox_row_put(kv, &row);
    }
}

static bool found(struct hs_kv *kv, const struct hs_id *room, struct hs_id body, struct hs_outbox_row *row)
{
    struct hs_arena HS_ARENA arena = hs_arena(LITTLE);
    bool there = hs_outbox_row_find(kv, room, &body, &arena, row);
    row->frame = (struct hs_bytes){0};
    assert_ok(kv->err);
    return there;
}

static void test_an_outbox_row_is_found_by_its_body(void **state)
{
    (void)state;
    struct hs_kv *kv = hs_kv_memory_new();
    struct hs_id room = id_of(1, 1), other = id_of(1, 2);
    struct hs_outbox_row row;
    outbox_fill(kv, &room);
    assert_true(found(kv, &room, id_of(9, ROWS - 1), &row));
    assert_int_equal(row.number, ROWS);
    assert_false(found(kv, &other, id_of(9, ROWS - 1), &row));
    assert_false(found(kv, &room, id_of(9, ROWS), &row));
    hs_outbox_row_delete(kv, ROWS);
    assert_false(found(kv, &room, id_of(9, ROWS - 1), &row));
    assert_ok(kv->err);
    hs_kv_memory_free(kv);
}

/* Encrypted anew, a row has another body; before it is encrypted it has none. */
static void test_a_row_is_found_by_its_newest_body_alone(void **state)
{
    (void)state;
    struct hs_kv *kv = hs_kv_memory_new();
    struct hs_id room = id_of(1, 1);
    struct hs_outbox_row row = {.number = 5, .kind = HS_OUTBOX_POST, .room = room, .stale = true}, read;
    hs_outbox_row_put(kv, &row);
    assert_false(found(kv, &room, (struct hs_id){0}, &read));
    row.body_hash = id_of(2, 1);
    hs_outbox_row_put(kv, &row);
    row.body_hash = id_of(2, 2);
    hs_outbox_row_put(kv, &row);
    assert_false(found(kv, &room, id_of(2, 1), &read));
    assert_true(found(kv, &room, id_of(2, 2), &read));
    assert_int_equal(read.number, 5);
    hs_kv_memory_free(kv);
}

static void test_only_open_orders_are_looked_at(void **state)
{
    (void)state;
    struct hs_kv *kv = hs_kv_memory_new();
    struct hs_order_row open = {.id = id_of(3, 3)}, row = {.id = id_of(3, 1), .own = true};
    struct hs_kv_key cursor = {0};
    struct hs_id id;
    hs_order_row_put(kv, &row);
    hs_order_row_put(kv, &open);
    row = (struct hs_order_row){.id = id_of(3, 2)};
    hs_order_row_put(kv, &row);
    row.done = true;
    hs_order_row_put(kv, &row);
    assert_true(hs_open_order_next(kv, &cursor, &id));
    assert_true(hs_id_equal(&id, &open.id));
    assert_false(hs_open_order_next(kv, &cursor, &id));
    assert_ok(kv->err);
    hs_kv_memory_free(kv);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_outbox_row_is_found_by_its_body),
        cmocka_unit_test(test_a_row_is_found_by_its_newest_body_alone),
        cmocka_unit_test(test_only_open_orders_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
