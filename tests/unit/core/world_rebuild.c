/* Every world is made again when it ends: what its nodes hold must follow from their records alone. */
#include "world.h"

#include "core/records/layout.h"
#include "core/records/replay.h"
#include "core/records/table.h"

#include <stdio.h>

static void print_key(struct hs_bytes key)
{
    for (size_t i = 0; i < key.len; i++)
        (void)fprintf(stderr, "%02x", key.data[i]);
    (void)fprintf(stderr, "\n");
}

/* The first entry of a that b hasn't, or has otherwise. */
static bool has_all(struct hs_kv *a, struct hs_kv *b, unsigned table, const char *what)
{
    struct hs_kv_key from = {0};
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, other, none = {0};
        if (!hs_kv_next(a, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return true;
        bool there = hs_kv_get(b, table, key, &scratch, &other);
        if (!there || !hs_bytes_equal(value, other)) {
            (void)fprintf(stderr, "table %u: an entry %s %s, with key ", table, what,
                          there ? "differs" : "is missing");
            print_key(key);
            return false;
        }
        from = hs_kv_after(key);
    }
}

bool world_stores_equal(struct hs_kv *store, struct hs_kv *rebuilt)
{
    bool equal = true;
    for (unsigned table = 0; table < HS_CORE_TABLES; table++)
        if (table != HS_T_BLOB_BYTES) /* no views: what blobs are made of */
            equal = has_all(store, rebuilt, table, "of the store") &&
                    has_all(rebuilt, store, table, "of the rebuilt one") && equal;
    return equal;
}

void world_rebuild_upto(struct world_node *node, struct hs_kv *to, uint64_t end, size_t slice)
{
    struct hs_replay *replay;
    bool done = false;
    uint64_t found;
    assert_ok(hs_layout_open(to, &found));
    assert_ok(hs_replay_new(&node->root.pub, &replay));
    while (!done) {
        enum hs_err err = hs_replay_step(replay, node->kv, to, end, slice, &done);
        if (err != HS_OK)
            (void)fprintf(stderr, "replaying record %llu of a stream of kind %c: %s\n",
                          (unsigned long long)hs_replay_at(replay)->seq, (char)hs_replay_at(replay)->stream,
                          hs_err_name(err));
        assert_ok(err);
    }
    hs_replay_free(replay);
}

/* DELIVERY-16 */
void world_rebuild_check(struct world_node *node)
{
    struct hs_kv *rebuilt = hs_kv_memory_new();
    assert_non_null(rebuilt);
    world_rebuild_upto(node, rebuilt, hs_journal_count(node->kv), 100);
    assert_true(world_stores_equal(node->kv, rebuilt));
    hs_kv_memory_free(rebuilt);
}
