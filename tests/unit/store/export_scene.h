/* Stores that go through a file, for the tests of backups. */
#ifndef TESTS_STORE_EXPORT_SCENE_H
#define TESTS_STORE_EXPORT_SCENE_H

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
#include "support/tmpdir.h"
#include "wire/unpack.h"

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
[[maybe_unused]] static void scene_new(struct scene *s)
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

[[maybe_unused]] static void remove_tree(const char *name)
{
    assert_int_equal(nftw(name, tmpdir_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

[[maybe_unused]] static void scene_free(struct scene *s)
{
    world_free(s->w);
    remove_tree(s->dir);
}

[[maybe_unused]] static const char *path(const struct scene *s, const char *name)
{
    static char out[2][128];
    static int turn;
    turn = !turn;
    (void)snprintf(out[turn], sizeof out[turn], "%s/%s", s->dir, name);
    return out[turn];
}

[[maybe_unused]] static struct hs_lmdb *store_new(struct scene *s, const char *name)
{
    struct hs_lmdb *db;
    struct hs_lmdb_options options = {
        .dir = path(s, name), .tables = HS_CORE_TABLES, .map_size = 256 * MIB, .map_max = 256 * MIB};
    assert_ok(hs_lmdb_open(&options, &db));
    return db;
}

[[maybe_unused]] static void copy(struct hs_kv *from, struct hs_kv *to)
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
[[maybe_unused]] static struct hs_lmdb *on_disk(struct scene *s, struct world_node *node, const char *name)
{
    struct hs_lmdb *db = store_new(s, name);
    struct hs_kv *txn;
    assert_ok(hs_lmdb_begin_write(db, &txn));
    copy(node->kv, txn);
    assert_ok(hs_lmdb_commit(txn));
    return db;
}

[[maybe_unused]] static struct hs_export export_of(struct world_node *node)
{
    return (struct hs_export){.root = node->root.pub,
                              .signer = &node->signer,
                              .descriptor = world_pack(node->world, &node->descriptor->base),
                              .incarnation = 7,
                              .now = node->world->now};
}

[[maybe_unused]] static size_t rows_of(struct hs_kv *kv, unsigned table)
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

[[maybe_unused]] static void assert_equal_stores(struct world_node *node, struct hs_lmdb *db)
{
    struct hs_kv *txn;
    assert_ok(hs_lmdb_begin_read(db, &txn));
    assert_true(world_stores_equal(node->kv, txn));
    hs_lmdb_abort(txn);
}

[[maybe_unused]] static void count_problem(void *arg, const char *text)
{
    ++*(size_t *)arg;
    assert_int_not_equal(strlen(text), 0);
}

[[maybe_unused]] static struct hs_check_result check(struct scene *s, struct world_node *node,
                                                     struct hs_lmdb *db)
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
[[maybe_unused]] static bool damage(struct hs_lmdb *db, unsigned table, bool delete)
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

#endif
