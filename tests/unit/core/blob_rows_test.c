/* What a store holds of uploads: those that programs of before have begun, and what they count for. */
#include "peer_world.h"

#include "core/blobs/blob.h"
#include "core/blobs/upload.h"
#include "core/records/table.h"

/* A row under that kind and hash, as programs of before left them. */
static struct hs_kv_key former(struct hs_turn *turn, uint8_t kind, const struct hs_id *hash,
                               const struct hs_key *more, const struct hs_key *persona)
{
    Hanse__State__WaitingBlobView waiting = HANSE__STATE__WAITING_BLOB_VIEW__INIT;
    struct hs_kv_key key = hs_key2(hs_bytes(&kind, 1), HS_VIEW(*hash));
    if (more != NULL)
        hs_kv_key_add(&key, HS_VIEW(*more));
    if (persona != NULL)
        waiting.persona = hs_pb_data(HS_VIEW(*persona));
    waiting.bytes = 4096;
    hs_view_put(turn, HS_T_BLOB_BYTES, &key, &waiting.base);
    return key;
}

/* DELIVERY-36, DELIVERY-37: rows that a program of before has left hold up nothing, and go. */
static void rows_of_before(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example");
    const struct hs_key persona = {{7}}, *mallory = &persona, none = {0};
    const struct hs_id room = {{8}};
    const struct hs_upload upload = {{{1}}, room, persona}, of_before = {{{2}}, room, persona};
    struct hs_turn *turn = raw_turn_begin(hub);
    assert_ok(hs_upload_begin(turn, &upload, HS_BLOB_WAITING_BYTES / 4, false));
    assert_ok(hs_quota_hold(turn, &of_before, 4 * 4096)); /* what the rows of before were counted as */
    hs_blob_file_delete(turn, &(struct hs_id){{3}});
    struct hs_kv_key rows[] = {
        former(turn, 'U', &upload.blob, &none, NULL), former(turn, 'X', &upload.blob, &none, NULL),
        former(turn, 'N', &upload.blob, mallory, NULL), former(turn, 'U', &of_before.blob, &none, NULL),
        former(turn, 'N', &of_before.blob, NULL, mallory)};
    size_t before = turn->effects->len;
    turn->now.ms += HS_UPLOAD_MS;
    hs_uploads_tick(turn);
    hs_uploads_tick(turn);
    assert_int_equal(turn->effects->len, before + 2); /* what is left of both */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_false(hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&rows[i])));
    struct hs_kv_key named = former(turn, 'N', &of_before.blob, mallory, NULL);
    (void)former(turn, 'N', &of_before.blob, NULL, mallory);
    hs_quota_release(turn, &of_before.blob);
    assert_false(hs_kv_has(turn->kv, HS_T_BLOB_BYTES, hs_kv_key_bytes(&named)));
    const struct hs_upload next = {{{4}}, room, persona}; /* nothing of it counts any more */
    assert_ok(hs_quota_hold(turn, &next, HS_BLOB_WAITING_BYTES));
    raw_turn_end(turn);
}

/* No more may wait for the persona than bytes beside what does. */
static void waits_beside(struct hs_turn *turn, const struct hs_key *persona, uint64_t bytes)
{
    static uint8_t blobs;
    const struct hs_upload rest = {{{100, ++blobs}}, {{9}}, *persona};
    assert_err(hs_quota_hold(turn, &rest, bytes + 1), HS_ERR_BUSY);
    assert_ok(hs_quota_hold(turn, &rest, bytes));
    assert_err(hs_quota_hold(turn, &(struct hs_upload){{{99}}, {{9}}, *persona}, 1), HS_ERR_BUSY);
    hs_quota_release_of(turn, &rest);
}

/* DELIVERY-37: what is under way for other rooms, or by others, counts on where a post names the blob, or it
 * goes. */
static void what_is_under_way_counts_on(void **state)
{
    (void)state;
    enum { PART = HS_BLOB_WAITING_BYTES / 4 };
    for (int gone = 0; gone < 2; gone++) {
        struct world HS_WORLD *w = world_new();
        struct world_node *hub = world_node_new(w, "hub.example");
        const struct hs_key mallory = {{7}}, other = {{8}};
        const struct hs_id blob = {{1}}, room = {{2}}, elsewhere = {{3}};
        const struct hs_upload done = {blob, room, mallory}, more = {blob, elsewhere, mallory},
                               others = {blob, room, other};
        struct hs_turn *turn = raw_turn_begin(hub);
        assert_ok(hs_upload_begin(turn, &done, PART, false));
        assert_ok(hs_upload_begin(turn, &more, PART, false));
        assert_ok(hs_upload_begin(turn, &others, PART, false));
        waits_beside(turn, &mallory, HS_BLOB_WAITING_BYTES - 2 * PART);
        hs_blob_record_stored(turn, &blob, &room, PART);
        hs_upload_end(turn, &done);
        waits_beside(turn, &mallory, HS_BLOB_WAITING_BYTES - 2 * PART); /* no post names it */
        if (gone)
            hs_blob_forget(turn, &blob);
        else
            hs_blob_ref(turn, &blob, &room);
        waits_beside(turn, &mallory, HS_BLOB_WAITING_BYTES - PART);
        waits_beside(turn, &other, HS_BLOB_WAITING_BYTES - PART);
        hs_blob_record_stored(turn, &blob, &elsewhere, PART);
        hs_upload_end(turn, &more);
        waits_beside(turn, &mallory, HS_BLOB_WAITING_BYTES - (gone ? PART : 0));
        waits_beside(turn, &other, HS_BLOB_WAITING_BYTES - PART);
        turn->now.ms += HS_UPLOAD_MS;
        hs_uploads_tick(turn);
        waits_beside(turn, &other, HS_BLOB_WAITING_BYTES);
        raw_turn_end(turn);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_before),
        cmocka_unit_test(what_is_under_way_counts_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
