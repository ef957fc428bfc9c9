/* Backups that are made while the node goes on. */
#include "export_scene.h"

struct running {
    struct world_node *node;
    struct hs_lmdb *db;
    struct hs_id peer;
    Hanse__SignedObject *descriptor; /* of the peer */
    bool went_on;
};

/* Where the peer is now. */
static void followed(struct hs_turn *turn, const struct hs_id *peer, char *address)
{
    Hanse__State__PeerFollowed followed = HANSE__STATE__PEER_FOLLOWED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    followed.addresses = &address;
    followed.n_addresses = 1;
    record.followed = &followed;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_FOLLOWED;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(*peer), &record);
}

/* Behind the first slice: the peer moves again, and a lap goes through the journal. */
static void node_goes_on(void *arg, uint64_t done, uint64_t all)
{
    struct running *r = arg;
    struct world *w = r->node->world;
    struct hs_kv *txn;
    if (r->went_on)
        return;
    r->went_on = true;
    assert_true(done < all);
    assert_ok(hs_lmdb_begin_write(r->db, &txn));
    struct hs_turn turn = {.core = r->node->core, .kv = txn, .now = w->now, .arena = &w->arena};
    followed(&turn, &r->peer, "newest.example:7700");
    turn.now.ms += 2 * HS_THIN_LAP_MS;
    r->node->core->thin_at = 0;
    for (size_t i = 0; i < 2 * all / HS_THIN_ROWS + 2; i++)
        hs_thin_tick(&turn);
    assert_ok(hs_lmdb_commit(txn));
}

/* NODE-31: what was durable when the backup began is in it, also where a record made later takes its place.
 */
static void thinned_meanwhile(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    struct running r = {.node = s.home};
    struct hs_turn turn = {.core = s.home->core, .kv = s.home->kv, .now = s.w->now, .arena = &s.w->arena};
    s.w->forged = true;
    memcpy(r.peer.b, s.hub->root.pub.b, sizeof r.peer.b);
    for (uint64_t i = 0; i <= HS_EXPORT_SLICE; i++) {
        const struct hs_id other = {{1, (uint8_t)(i >> 8), (uint8_t)i}};
        followed(&turn, &other, "other.example:7700");
    }
    followed(&turn, &r.peer, "newer.example:7700");
    r.db = on_disk(&s, s.home, "from");
    struct hs_export e = export_of(s.home);
    struct hs_export_facts facts;
    FILE *file = fopen(path(&s, "backup"), "w+b");
    assert_non_null(file);
    e.progress = node_goes_on;
    e.arg = &r;
    assert_ok(hs_export_write(&e, r.db, file, &facts));
    assert_true(r.went_on);
    hs_lmdb_close(r.db);
    struct hs_lmdb *db = store_new(&s, "to");
    assert_ok(hs_import_load(file, &e, db, 0, &facts));
    assert_equal_stores(s.home, db); /* as it was when the backup began */
    hs_lmdb_close(db);
    assert_int_equal(fclose(file), 0);
    scene_free(&s);
}

/* ---- what says it anew comes while a backup is made ---- */

static const struct hs_id sleeper = {{2}};

static void woken_at(struct hs_turn *turn, char *url)
{
    Hanse__State__WakeSet set = HANSE__STATE__WAKE_SET__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    set.url = url;
    record.wake_set = &set;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_WAKE_SET;
    hs_stream_record(turn, HS_STREAM_DEVICE, HS_VIEW(sleeper), &record);
}

/* A Welcome of the peer's for the sleeper, always to the same room; its tree is fetched, or (small) with it.
 */
static void welcomed(struct hs_turn *turn, const struct hs_id *peer, Hanse__SignedObject *descriptor,
                     uint64_t number, bool small)
{
    static uint8_t room[32] = {9}, prev[32] = {8}, hash[32] = {7}, persona[32] = {6};
    Hanse__WelcomeItem welcome = HANSE__WELCOME_ITEM__INIT;
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__Tree tree = HANSE__TREE__INIT;
    Hanse__State__HandedOn handed = HANSE__STATE__HANDED_ON__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    if (small) {
        tree.bytes = hs_pb_data(hs_bytes_str("leaves"));
    } else {
        tree.hash = hs_pb_data(hs_bytes(hash, sizeof hash));
        tree.size = HS_BLOB_THRESHOLD;
    }
    room[1] = small ? 1 : 0;
    welcome.room = hs_pb_data(hs_bytes(room, sizeof room));
    welcome.prev_hash = hs_pb_data(hs_bytes(prev, sizeof prev));
    welcome.persona = hs_pb_data(hs_bytes(persona, sizeof persona));
    welcome.hub_root = hs_pb_data(HS_VIEW(*peer));
    welcome.descriptor = descriptor;
    welcome.welcome = hs_pb_data(hs_bytes_str("secrets"));
    welcome.tree = &tree;
    item.welcome = &welcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    handed.peer_seq = number;
    handed.subscriber = hs_pb_data(HS_VIEW(sleeper));
    handed.item = hs_pb_data(hs_turn_pack(turn, &item.base));
    record.handed_on = &handed;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON;
    hs_stream_record(turn, HS_STREAM_PEER, HS_VIEW(*peer), &record);
}

/* So many Welcomes that are whole, and URLs, a store's records have. */
static void count_whole(struct hs_kv *kv, size_t *welcomes, size_t *urls)
{
    struct hs_kv_key from = {0};
    *welcomes = *urls = 0;
    for (;;) {
        struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, none = {0};
        Hanse__State__StreamRecord *record;
        Hanse__InboxItem *item;
        if (!hs_kv_next(kv, HS_T_STREAM, none, hs_kv_key_bytes(&from), &arena, &key, &value))
            return;
        from = hs_kv_after(key);
        assert_ok(HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, &arena, &record));
        if (record->body_case == HANSE__STATE__STREAM_RECORD__BODY_WAKE_SET)
            *urls += record->wake_set->url[0] != '\0' ? 1 : 0;
        if (record->body_case != HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON ||
            HS_UNPACK(hanse__inbox_item, hs_pb_bytes(record->handed_on->item), HS_LENIENT, &arena, &item) !=
                HS_OK ||
            item->body_case != HANSE__INBOX_ITEM__BODY_WELCOME)
            continue;
        *welcomes += hs_bytes_equal(hs_pb_bytes(item->welcome->welcome), hs_bytes_str("secrets")) ? 1 : 0;
    }
}

static void says_it_anew(void *arg, uint64_t done, uint64_t all)
{
    struct running *r = arg;
    struct world *w = r->node->world;
    struct hs_kv *txn;
    if (r->went_on)
        return;
    r->went_on = true;
    assert_true(done < all);
    assert_ok(hs_lmdb_begin_write(r->db, &txn));
    struct hs_turn turn = {.core = r->node->core, .kv = txn, .now = w->now, .arena = &w->arena};
    woken_at(&turn, (char *)(uintptr_t) "https://two.example/");
    welcomed(&turn, &r->peer, r->descriptor, 2000, false);
    welcomed(&turn, &r->peer, r->descriptor, 2001, true);
    turn.now.ms += 2 * HS_THIN_LAP_MS;
    r->node->core->thin_at = 0;
    for (size_t i = 0; i < 2 * all / HS_THIN_ROWS + 2; i++)
        hs_thin_tick(&turn);
    assert_ok(hs_lmdb_commit(txn));
}

static void much_later(struct running *r, struct hs_lmdb *db)
{
    struct world *w = r->node->world;
    struct hs_kv *txn;
    assert_ok(hs_lmdb_begin_write(db, &txn));
    struct hs_turn turn = {.core = r->node->core, .kv = txn, .now = w->now, .arena = &w->arena};
    turn.now.ms += 3 * HS_THIN_AGE_MS;
    turn.core->thin_at = 0;
    turn.core->thin_lap_at.ms = 0;
    for (uint64_t i = 0; i < 2 * hs_journal_count(txn) / HS_THIN_ROWS + 2; i++)
        hs_thin_tick(&turn);
    assert_ok(hs_lmdb_commit(txn));
}

/* NODE-31, NODE-100: the Welcomes that wait, and the URL that wakes, are in a backup as they were when it
 * began, although newer ones come meanwhile. */
static void said_anew_meanwhile(void **state)
{
    (void)state;
    struct scene s;
    size_t welcomes, urls;
    struct hs_kv *txn;
    scene_new(&s);
    struct running r = {.node = s.home, .descriptor = s.hub->descriptor};
    struct hs_turn turn = {.core = s.home->core, .kv = s.home->kv, .now = s.w->now, .arena = &s.w->arena};
    s.w->forged = true;
    memcpy(r.peer.b, s.hub->root.pub.b, sizeof r.peer.b);
    for (uint64_t i = 0; i <= HS_EXPORT_SLICE; i++) {
        const struct hs_id other = {{1, (uint8_t)(i >> 8), (uint8_t)i}};
        followed(&turn, &other, "other.example:7700");
    }
    woken_at(&turn, (char *)(uintptr_t) "https://one.example/");
    welcomed(&turn, &r.peer, r.descriptor, 1000, false);
    welcomed(&turn, &r.peer, r.descriptor, 1001, true);
    assert_ok(s.home->kv->err);
    r.db = on_disk(&s, s.home, "from");
    struct hs_export e = export_of(s.home);
    struct hs_export_facts facts;
    FILE *file = fopen(path(&s, "backup"), "w+b");
    assert_non_null(file);
    e.progress = says_it_anew;
    e.arg = &r;
    assert_ok(hs_export_write(&e, r.db, file, &facts));
    assert_true(r.went_on);
    hs_lmdb_close(r.db);
    struct hs_lmdb *db = store_new(&s, "to");
    assert_ok(hs_import_load(file, &e, db, 0, &facts));
    assert_ok(hs_lmdb_begin_read(db, &txn));
    count_whole(txn, &welcomes, &urls);
    hs_lmdb_abort(txn);
    assert_int_equal(welcomes, 2);
    assert_int_equal(urls, 1);
    assert_int_equal(check(&s, s.home, db).problems, 0);
    much_later(&r, db); /* the newer ones were never there: nothing is cut for them */
    assert_int_equal(check(&s, s.home, db).problems, 0);
    assert_ok(hs_lmdb_begin_read(db, &txn));
    count_whole(txn, &welcomes, &urls);
    hs_lmdb_abort(txn);
    assert_int_equal(welcomes, 2);
    assert_int_equal(urls, 1);
    hs_lmdb_close(db);
    assert_int_equal(fclose(file), 0);
    scene_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thinned_meanwhile),
        cmocka_unit_test(said_anew_meanwhile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
