/* Backups: a whole store goes through a file and comes out the same; nothing else goes in. */
#include "export_scene.h"

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
        cmocka_unit_test(store_goes_through_a_file),
        cmocka_unit_test(restored_store_is_marked),

        cmocka_unit_test(altered_file_is_refused),
        cmocka_unit_test(damage_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
