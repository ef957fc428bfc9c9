/* Backups: a whole store goes through a file and comes out the same; nothing else goes in. */
#include "unit/core/world.h"

#include "core/core.h"
#include "core/internal.h"
#include "core/records/layout.h"
#include "core/records/replay.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/records/thin.h"
#include "store/check.h"
#include "store/export.h"
#include "unit/admin/tmpdir.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MIB = 1 << 20, POSTS = 30 };

struct scene {
    char dir[64];
    struct world *w;
    struct world_node *hub, *home;
};

/* Local and remote members, one of them removed, posts, and one that still waits for its hub. */
static void scene_new(struct scene *s)
{
    *s = (struct scene){.dir = "/tmp/hanse-export-XXXXXX", .w = world_new()};
    assert_non_null(mkdtemp(s->dir));
    s->hub = world_node_new(s->w, "hub.example");
    s->home = world_node_new(s->w, "home.example");
    struct world_device *owner = world_staff(s->hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(s->home, "alice"), *bob = world_customer(s->hub, "bob");
    struct world_device *carol = world_customer(s->home, "carol");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 10);
    struct world_room *alices = world_join(alice, room, &invite);
    world_join(bob, room, &invite);
    struct world_room *carols = world_join(carol, room, &invite);
    for (int i = 0; i < POSTS; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        assert_ok(world_post(i % 2 == 0 ? room : alices, text, NULL));
        world_settle(s->w);
    }
    assert_ok(world_remove(room, carols));
    world_settle(s->w);
    s->hub->down = true;
    world_node_restart(s->hub);
    assert_ok(world_post(alices, "later", NULL));
    world_run(s->w);
}

static void remove_tree(const char *name)
{
    assert_int_equal(nftw(name, tmpdir_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void scene_free(struct scene *s)
{
    world_free(s->w);
    remove_tree(s->dir);
}

static const char *path(const struct scene *s, const char *name)
{
    static char out[2][128];
    static int turn;
    turn = !turn;
    (void)snprintf(out[turn], sizeof out[turn], "%s/%s", s->dir, name);
    return out[turn];
}

static struct hs_lmdb *store_new(struct scene *s, const char *name)
{
    struct hs_lmdb *db;
    struct hs_lmdb_options options = {
        .dir = path(s, name), .tables = HS_CORE_TABLES, .map_size = 256 * MIB, .map_max = 256 * MIB};
    assert_ok(hs_lmdb_open(&options, &db));
    return db;
}

static void copy(struct hs_kv *from, struct hs_kv *to)
{
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, none = {0};
        struct hs_kv_key at = {0};
        while (hs_kv_next(from, table, none, hs_kv_key_bytes(&at), &scratch, &key, &value)) {
            hs_kv_put(to, table, key, value);
            at = hs_kv_after(key);
        }
    }
    assert_ok(to->err);
}

/* The node's store, in a file. */
static struct hs_lmdb *on_disk(struct scene *s, struct world_node *node, const char *name)
{
    struct hs_lmdb *db = store_new(s, name);
    struct hs_kv *txn;
    assert_ok(hs_lmdb_begin_write(db, &txn));
    copy(node->kv, txn);
    assert_ok(hs_lmdb_commit(txn));
    return db;
}

static struct hs_export export_of(struct world_node *node)
{
    return (struct hs_export){.root = node->root.pub,
                              .signer = &node->signer,
                              .descriptor = world_pack(node->world, &node->descriptor->base),
                              .incarnation = 7,
                              .now = node->world->now};
}

static size_t rows_of(struct hs_kv *kv, unsigned table)
{
    struct hs_kv_key from = {0};
    struct hs_bytes key, none = {0};
    for (size_t rows = 0;; rows++) {
        struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
        if (!hs_kv_next(kv, table, none, hs_kv_key_bytes(&from), &arena, &key, NULL))
            return rows;
        from = hs_kv_after(key);
    }
}

static void write_file(struct scene *s, struct world_node *node, const char *name)
{
    struct hs_lmdb *db = on_disk(s, node, "from");
    struct hs_export e = export_of(node);
    struct hs_export_facts facts;
    FILE *file = fopen(path(s, name), "wb");
    assert_non_null(file);
    assert_ok(hs_export_write(&e, db, file, &facts));
    assert_int_equal(fclose(file), 0);
    assert_int_not_equal(facts.registers, 0);
    assert_int_equal(facts.records, rows_of(node->kv, HS_T_JOURNAL));
    assert_true(facts.records < hs_journal_count(node->kv) ||
                node == s->hub); /* posts have left its outbox */
    hs_lmdb_close(db);
    remove_tree(path(s, "from"));
}

static void assert_equal_stores(struct world_node *node, struct hs_lmdb *db)
{
    struct hs_kv *txn;
    assert_ok(hs_lmdb_begin_read(db, &txn));
    assert_true(world_stores_equal(node->kv, txn));
    hs_lmdb_abort(txn);
}

/* NODE-31, NODE-32: of the hub and of the follower, with a post that waits. */
static void store_goes_through_a_file(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    struct world_node *nodes[] = {s.hub, s.home};
    for (size_t i = 0; i < 2; i++) {
        struct hs_export e = export_of(nodes[i]);
        struct hs_export_facts facts;
        write_file(&s, nodes[i], "backup");
        FILE *file = fopen(path(&s, "backup"), "rb");
        assert_ok(hs_import_check(file, &e.root, &facts));
        assert_int_equal(facts.incarnation, 7);
        assert_int_equal(facts.layout, HS_LAYOUT);
        assert_int_equal(facts.made.ms, s.w->now.ms);
        struct hs_lmdb *db = store_new(&s, "to");
        assert_ok(hs_import_load(file, &e, db, 0, &facts));
        assert_equal_stores(nodes[i], db);
        hs_lmdb_close(db);
        remove_tree(path(&s, "to"));
        assert_int_equal(fclose(file), 0);
    }
    scene_free(&s);
}

/* NODE-33: what was restored knows it. */
static void restored_store_is_marked(void **state)
{
    (void)state;
    struct scene s;
    struct hs_kv *txn;
    struct hs_export_facts facts;
    scene_new(&s);
    struct hs_export e = export_of(s.hub);
    write_file(&s, s.hub, "backup");
    FILE *file = fopen(path(&s, "backup"), "rb");
    struct hs_lmdb *db = store_new(&s, "to");
    assert_ok(hs_import_load(file, &e, db, 8, &facts));
    assert_ok(hs_lmdb_begin_read(db, &txn));
    struct hs_turn turn = {.kv = txn, .arena = &s.w->arena};
    assert_int_equal(hs_restored_since(&turn), 8);
    hs_lmdb_abort(txn);
    hs_lmdb_close(db);
    assert_int_equal(fclose(file), 0);
    scene_free(&s);
}

/* ---- while the node runs ---- */

struct running {
    struct world_node *node;
    struct hs_lmdb *db;
    struct hs_id peer;
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

static size_t read_whole(const char *name, uint8_t *out, size_t size)
{
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    size_t len = fread(out, 1, size, file);
    assert_int_equal(fclose(file), 0);
    return len;
}

static enum hs_err check_bytes(struct scene *s, const uint8_t *bytes, size_t len, const struct hs_key *root)
{
    struct hs_export_facts facts;
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    enum hs_err err = hs_import_check(file, root, &facts);
    assert_true((err == HS_OK) == (facts.why == NULL));
    assert_int_equal(fclose(file), 0);
    (void)s;
    return err;
}

/* NODE-32: no byte may be missing, other, or too many. */
static void altered_file_is_refused(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    write_file(&s, s.home, "backup");
    uint8_t *bytes = malloc(16 * MIB);
    assert_non_null(bytes);
    size_t len = read_whole(path(&s, "backup"), bytes, 16 * MIB - 1), step = len / 150 + 1;
    assert_ok(check_bytes(&s, bytes, len, &s.home->root.pub));
    assert_err(check_bytes(&s, bytes, len, &s.hub->root.pub), HS_ERR_WRONG_PEER);
    for (size_t i = 0; i < len; i += i < 300 || i + 300 > len ? 7 : step) {
        bytes[i] ^= 1;
        assert_int_not_equal(check_bytes(&s, bytes, len, &s.home->root.pub), HS_OK);
        bytes[i] ^= 1;
        assert_err(check_bytes(&s, bytes, i, &s.home->root.pub), HS_ERR_MALFORMED);
    }
    bytes[len] = 0;
    assert_err(check_bytes(&s, bytes, len + 1, &s.home->root.pub), HS_ERR_MALFORMED);
    free(bytes);
    scene_free(&s);
}

static void count_problem(void *arg, const char *text)
{
    ++*(size_t *)arg;
    assert_int_not_equal(strlen(text), 0);
}

static struct hs_check_result check(struct scene *s, struct world_node *node, struct hs_lmdb *db)
{
    size_t problems = 0;
    struct hs_check c = {.root = node->root.pub,
                         .store = db,
                         .beside = store_new(s, "beside"),
                         .problem = count_problem,
                         .arg = &problems};
    assert_ok(hs_check_run(&c));
    assert_int_equal(problems, c.result.problems < HS_CHECK_PROBLEMS ? c.result.problems : HS_CHECK_PROBLEMS);
    hs_lmdb_close(c.beside);
    remove_tree(path(s, "beside"));
    return c.result;
}

/* Writes one entry of table otherwise, or deletes it. False where the table is empty. */
static bool damage(struct hs_lmdb *db, unsigned table, bool delete)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
    struct hs_bytes key, value, none = {0};
    struct hs_kv *txn;
    assert_ok(hs_lmdb_begin_write(db, &txn));
    bool there = hs_kv_next(txn, table, none, none, &scratch, &key, &value);
    if (there && delete)
        hs_kv_del(txn, table, key);
    if (there && !delete) {
        struct hs_bytes other = hs_arena_copy(&scratch, hs_bytes(value.data, value.len));
        if (value.len > 0)
            ((uint8_t *)(uintptr_t)other.data)[value.len - 1] ^= 1;
        hs_kv_put(txn, table, key, value.len > 0 ? other : hs_bytes("x", 1));
    }
    assert_ok(hs_lmdb_commit(txn));
    return there;
}

/* NODE-34: a good store is found good, and one with anything wrong in any table isn't. */
static void damage_is_found(void **state)
{
    (void)state;
    struct scene s;
    scene_new(&s);
    struct hs_lmdb *good = on_disk(&s, s.home, "good");
    struct hs_check_result result = check(&s, s.home, good);
    assert_int_equal(result.problems, 0);
    assert_int_equal(result.rooms, 1);
    assert_true(result.room_records > POSTS && result.records > result.room_records && result.views > 100);
    hs_lmdb_close(good);
    for (unsigned i = 0; i < 2 * HS_CORE_TABLES; i++) {
        unsigned table = i / 2;
        if (table == HS_T_BLOB_BYTES)
            continue;
        struct hs_lmdb *bad = on_disk(&s, table == HS_T_GROUP ? s.hub : s.home, "bad");
        if (damage(bad, table, i % 2 == 0) && table != HS_T_REGISTER)
            assert_int_not_equal(check(&s, table == HS_T_GROUP ? s.hub : s.home, bad).problems, 0);
        hs_lmdb_close(bad);
        remove_tree(path(&s, "bad"));
    }
    scene_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(store_goes_through_a_file), cmocka_unit_test(restored_store_is_marked),
        cmocka_unit_test(thinned_meanwhile),         cmocka_unit_test(altered_file_is_refused),
        cmocka_unit_test(damage_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
