/* Blobs at the hub: put, named by a post, got, and gone. */
#include "world.h"

#include "core/blobs/blob.h"
#include "core/blobs/upload.h"
#include "room/blob.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

struct scene {
    struct world *w;
    struct world_node *node;
    struct world_device *owner, *alice, *eve;
    struct world_room *room, *alices, *other, *eves;
};

static struct scene scene_new(struct world *w)
{
    struct scene s = {.w = w, .node = world_node_new(w, "rosa.example")};
    s.owner = world_staff(s.node, "rosa", HANSE__ROLE__ROLE_OWNER);
    s.alice = world_customer(s.node, "alice");
    s.eve = world_customer(s.node, "eve");
    s.room = world_room_new(s.owner, "launch");
    s.other = world_room_new(s.owner, "other");
    struct world_invite invite = world_invite(s.room, 10), others = world_invite(s.other, 10);
    s.alices = world_join(s.alice, s.room, &invite);
    s.eves = world_join(s.eve, s.other, &others);
    return s;
}

static struct hs_bytes noise(struct world *w, size_t len)
{
    uint8_t *bytes = hs_arena_alloc(&w->arena, len + 1);
    assert_non_null(bytes);
    randombytes_buf(bytes, len);
    return hs_bytes(bytes, len);
}

static struct hs_bytes piece(struct hs_bytes all, size_t n)
{
    size_t at = n * HS_BLOB_CHUNK, left = all.len - at;
    return hs_bytes(all.data + at, left < HS_BLOB_CHUNK ? left : HS_BLOB_CHUNK);
}

static uint64_t have(struct world_room *room, struct hs_bytes all)
{
    struct hs_id hash = hs_blob_hash(all);
    Hanse__BlobStatus *status;
    assert_ok(world_put(room, HS_VIEW(hash), all.len, 0, (struct hs_bytes){0}, &status));
    return status->have;
}

/* DELIVERY-35, DELIVERY-36, DELIVERY-38: of any length. */
static void there_and_back(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    static const size_t lens[] = {1, HS_BLOB_CHUNK - 1, HS_BLOB_CHUNK, HS_BLOB_CHUNK + 1, 5 * HS_BLOB_CHUNK};
    enum hs_err err;
    for (size_t i = 0; i < sizeof lens / sizeof *lens; i++) {
        struct hs_bytes bytes = noise(w, lens[i]);
        struct hs_id hash = world_put_all(s.alices, bytes);
        assert_ok(world_post_blobs(s.alices, &hash, 1));
        world_settle(w);
        assert_bytes(world_get_all(s.room, &hash, &err), bytes);
        (void)world_get_all(s.eves, &hash, &err);
        assert_err(err, HS_ERR_BLOB_UNKNOWN);
        /* ... and the node goes on with it after a restart */
        if (i == 0) {
            world_node_restart(s.node);
            struct world_device *all[] = {s.owner, s.alice, s.eve};
            for (size_t n = 0; n < 3; n++) {
                assert_ok(world_connect(all[n], NULL));
                world_attach(all[n]);
            }
            assert_bytes(world_get_all(s.room, &hash, &err), bytes);
        }
    }
}

/* DELIVERY-35: pieces out of their order, again, and after a break. */
static void any_order(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes all = noise(w, 3 * HS_BLOB_CHUNK + 9);
    struct hs_id hash = hs_blob_hash(all);
    struct hs_bytes name = HS_VIEW(hash);
    Hanse__BlobStatus *status;
    assert_ok(world_put(s.alices, name, all.len, HS_BLOB_CHUNK, piece(all, 1), &status));
    assert_int_equal(status->have, 0); /* there is a gap before it */
    assert_ok(world_put(s.alices, name, all.len, 0, piece(all, 0), &status));
    assert_int_equal(status->have, HS_BLOB_CHUNK);
    assert_ok(world_put(s.alices, name, all.len, 0, piece(all, 1), &status)); /* another one in its place */
    assert_int_equal(status->have, HS_BLOB_CHUNK);
    world_node_restart(s.node);
    assert_ok(world_connect(s.alice, NULL));
    assert_int_equal(have(s.alices, all), HS_BLOB_CHUNK);
    for (size_t n = 1; n < 4; n++)
        assert_ok(world_put(s.alices, name, all.len, n * HS_BLOB_CHUNK, piece(all, n), &status));
    assert_true(status->complete);
    assert_ok(world_put(s.alices, name, all.len, 0, piece(all, 0), &status)); /* once more */
    assert_true(status->complete);
}

/* DELIVERY-35: what isn't a piece, or nobody's to put. */
static void refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes all = noise(w, 2 * HS_BLOB_CHUNK), most = noise(w, HS_BLOB_CHUNK);
    struct hs_id hash = hs_blob_hash(all);
    struct hs_bytes name = HS_VIEW(hash);
    assert_ok(world_put(s.alices, name, HS_ATTACHMENT_MAX, 0, most, NULL));
    struct hs_id other = {{7}};
    assert_err(world_put(s.alices, HS_VIEW(other), HS_ATTACHMENT_MAX + 1, 0, most, NULL), HS_ERR_TOO_LARGE);
    assert_err(world_put(s.alices, name, HS_ATTACHMENT_MAX - 1, 0, most, NULL), HS_ERR_CONFLICT);
    struct world_room eves = *s.eves;
    eves.id = s.room->id;
    assert_err(world_put(&eves, name, all.len, 0, piece(all, 0), NULL), HS_ERR_NOT_MEMBER);
    eves.persona = s.alices->persona;
    assert_err(world_put(&eves, name, all.len, 0, piece(all, 0), NULL), HS_ERR_WRONG_SENDER);
    struct {
        uint64_t size, offset;
        size_t len;
    } bad[] = {{0, 0, 0},
               {9, 0, 8},
               {9, 0, 10},
               {9, 1, 8},
               {9, HS_BLOB_CHUNK, 1},
               {3 * HS_BLOB_CHUNK, HS_BLOB_CHUNK + 1, HS_BLOB_CHUNK},
               {3 * HS_BLOB_CHUNK, 3 * HS_BLOB_CHUNK, HS_BLOB_CHUNK},
               {UINT64_MAX / 2, UINT64_MAX / HS_BLOB_CHUNK * HS_BLOB_CHUNK, 5}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        enum hs_err err = world_put(s.alices, HS_VIEW(other), bad[i].size, bad[i].offset,
                                    hs_bytes(all.data, bad[i].len), NULL);
        assert_true(err == HS_ERR_MALFORMED || err == HS_ERR_TOO_LARGE);
        if (s.alice->session == 0)
            assert_ok(world_connect(s.alice, NULL));
    }
}

/* DELIVERY-36: another hash; and what one room has, another hasn't. */
static void what_it_says(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes all = noise(w, HS_BLOB_CHUNK + 5), false_one = noise(w, HS_BLOB_CHUNK + 5);
    struct hs_id hash = hs_blob_hash(all);
    struct hs_bytes name = HS_VIEW(hash);
    enum hs_err err;
    assert_ok(world_put(s.alices, name, all.len, 0, piece(false_one, 0), NULL));
    assert_err(world_put(s.alices, name, all.len, HS_BLOB_CHUNK, piece(all, 1), NULL), HS_ERR_BLOB_HASH);
    assert_err(world_post_blobs(s.alices, &hash, 1), HS_ERR_BLOB_UNKNOWN);
    assert_int_equal(have(s.alices, all), 0); /* begun anew */
    (void)world_put_all(s.alices, all);
    /* Eve knows the name, and puts one byte less than all of it */
    assert_int_equal(have(s.eves, all), 0);
    assert_err(world_post_blobs(s.eves, &hash, 1), HS_ERR_BLOB_UNKNOWN);
    (void)world_get_all(s.eves, &hash, &err);
    assert_err(err, HS_ERR_BLOB_UNKNOWN);
    assert_ok(world_put(s.eves, name, all.len, 0, piece(all, 0), NULL));
    assert_err(world_put(s.eves, name, all.len, HS_BLOB_CHUNK, hs_bytes("1234", 5), NULL), HS_ERR_BLOB_HASH);
    assert_err(world_post_blobs(s.eves, &hash, 1), HS_ERR_BLOB_UNKNOWN);
    assert_bytes(world_get_all(s.room, &hash, &err), all); /* the room that has it isn't harmed */
    assert_ok(world_post_blobs(s.alices, &hash, 1));
    (void)world_put_all(s.eves, all); /* who has the bytes may name them */
    assert_ok(world_post_blobs(s.eves, &hash, 1));
}

/* DELIVERY-38 */
static void named_by_posts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_id hashes[HS_BLOBS_MAX + 1];
    enum hs_err err;
    for (size_t i = 0; i <= HS_BLOBS_MAX; i++)
        hashes[i] = world_put_all(s.alices, noise(w, 10 + i));
    assert_err(world_post_blobs(s.alices, hashes, HS_BLOBS_MAX + 1), HS_ERR_TOO_LARGE);
    assert_ok(world_post_blobs(s.alices, hashes, HS_BLOBS_MAX));
    world_settle(w);
    for (size_t i = 0; i < HS_BLOBS_MAX; i++)
        assert_int_equal(world_get_all(s.room, &hashes[i], &err).len, 10 + i);
    struct hs_id nobodys = {{9}};
    assert_err(world_post_blobs(s.alices, &nobodys, 1), HS_ERR_BLOB_UNKNOWN);
}

static size_t files_of(const struct world_node *node)
{
    char command[160], line[32] = "";
    (void)snprintf(command, sizeof command, "find '%s' -type f | wc -l", node->blob_dir);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(line, sizeof line, pipe));
    pclose(pipe);
    return (size_t)strtoul(line, NULL, 10);
}

static void days(struct world *w, int count)
{
    for (int i = 0; i < count * 24; i++)
        world_pass(w, WORLD_DAY_MS / 24);
}

/* DELIVERY-33, DELIVERY-36: what no post names, and what isn't whole, goes; what a post names stays. */
static void thrown_away(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    enum hs_err err;
    struct hs_bytes kept = noise(w, 100), half = noise(w, 2 * HS_BLOB_CHUNK);
    struct hs_id named = world_put_all(s.alices, kept), idle = world_put_all(s.alices, noise(w, 200));
    struct hs_id part = hs_blob_hash(half);
    assert_ok(world_post_blobs(s.alices, &named, 1));
    assert_ok(world_put(s.alices, HS_VIEW(part), half.len, 0, piece(half, 0), NULL));
    assert_int_equal(files_of(s.node), 3);
    world_pass(w, WORLD_DAY_MS / 2);
    assert_int_equal(have(s.alices, half), HS_BLOB_CHUNK);
    assert_int_equal(world_get_all(s.room, &idle, &err).len, 200);
    days(w, 3);
    assert_int_equal(files_of(s.node), 1);
    (void)world_get_all(s.room, &idle, &err);
    assert_err(err, HS_ERR_BLOB_UNKNOWN);
    assert_err(world_post_blobs(s.alices, &idle, 1), HS_ERR_BLOB_UNKNOWN);
    assert_bytes(world_get_all(s.room, &named, &err), kept);
    assert_int_equal(have(s.alices, half), 0);
}

/* DELIVERY-33: an erased post refers to nothing any more. */
static void erased_with_its_post(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct hs_policy_role role;
    struct hs_policy policy = world_policy(owner, "fleeting", &role);
    struct world_room *room;
    enum hs_err err;
    policy.retention_ms = 2 * (int64_t)WORLD_DAY_MS;
    assert_ok(world_ask(owner, world_create_frame(owner, &policy, &room), NULL));
    room->joined = true;
    world_attach(owner);
    struct hs_id hash = world_put_all(room, noise(w, 50));
    assert_ok(world_post_blobs(room, &hash, 1));
    world_settle(w);
    days(w, 1);
    assert_int_equal(world_get_all(room, &hash, &err).len, 50);
    days(w, 5);
    (void)world_get_all(room, &hash, &err);
    assert_err(err, HS_ERR_BLOB_UNKNOWN);
    assert_int_equal(files_of(node), 0);
}

/* DELIVERY-40: the process dies before the file is gone. */
static void deleted_in_the_end(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_bytes bytes = noise(w, 100);
    struct hs_id hash = world_put_all(s.alices, bytes);
    s.node->mute = true; /* what it wants done isn't done */
    days(w, 2);
    assert_int_equal(files_of(s.node), 1);
    world_node_restart(s.node);
    assert_ok(world_connect(s.alice, NULL));
    assert_err(world_put(s.alices, HS_VIEW(hash), 100, 0, bytes, NULL), HS_ERR_BUSY);
    world_pass(w, HS_DELETE_AGAIN_MS);
    assert_int_equal(files_of(s.node), 0);
    (void)world_put_all(s.alices, bytes);
}

/* DELIVERY-37 */
static void quotas(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    w->unchecked = true;
    struct scene s = scene_new(w);
    struct hs_id hash = {{1}};
    enum { WAITING = HS_BLOB_WAITING_BYTES / HS_ATTACHMENT_MAX };
    for (int i = 0; i < WAITING; i++) {
        hash.b[1] = (uint8_t)i;
        assert_ok(world_put(s.alices, HS_VIEW(hash), HS_ATTACHMENT_MAX, 0, (struct hs_bytes){0}, NULL));
        assert_ok(world_put(s.alices, HS_VIEW(hash), HS_ATTACHMENT_MAX, 0, (struct hs_bytes){0}, NULL));
    }
    hash.b[1] = WAITING;
    assert_err(world_put(s.alices, HS_VIEW(hash), 1, 0, (struct hs_bytes){0}, NULL), HS_ERR_QUOTA);
    assert_ok(world_put(s.room, HS_VIEW(hash), 1, 0, (struct hs_bytes){0}, NULL)); /* another's */
    days(w, 2);
    /* small ones that posts name don't wait, but count for the day */
    size_t put = 0;
    for (; put < 10; put++) {
        struct hs_id named = world_put_all(s.alices, noise(w, 10));
        assert_ok(world_post_blobs(s.alices, &named, 1));
    }
    for (int i = 0; i < WAITING; i++) {
        hash.b[1] = (uint8_t)(100 + i);
        assert_ok(world_put(s.alices, HS_VIEW(hash), HS_ATTACHMENT_MAX, 0, (struct hs_bytes){0}, NULL));
    }
}

/* A full store takes none. */
static void full_store(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_id hash = world_put_all(s.alices, noise(w, 10)), next = {{3}};
    enum hs_err err;
    s.node->full = true;
    assert_err(world_put(s.alices, HS_VIEW(next), 10, 0, (struct hs_bytes){0}, NULL), HS_ERR_STORE_FULL);
    assert_int_equal(world_get_all(s.room, &hash, &err).len, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(any_order),
        cmocka_unit_test(refused),
        cmocka_unit_test(what_it_says),
        cmocka_unit_test(named_by_posts),
        cmocka_unit_test(thrown_away),
        cmocka_unit_test(deleted_in_the_end),
        cmocka_unit_test(quotas),
        cmocka_unit_test(erased_with_its_post),
        cmocka_unit_test(full_store),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
