/* Stores that were made by this layout once, kept as exports: what they make today is what they made then.
 *
 * golden make WORLDS DIR chooses among the stores in WORLDS (core's tests leave them there, world_dump.c) so
 * that every kind of record occurs, and writes their exports and digests into DIR. See script/golden. */
#include "support/test.h"

#include "base/text.h"
#include "core/core.h"
#include "core/records/layout.h"
#include "core/records/replay.h"
#include "core/records/table.h"
#include "crypto/hash.h"
#include "object/object.h"
#include "room/log.h"
#include "schema/room.pb-c.h"
#include "store/export.h"
#include "support/tmpdir.h"
#include "wire/unpack.h"

#include <dirent.h>
#include <sodium.h>

enum { MIB = 1 << 20, KINDS = 128, STREAM_KINDS = 64, WORLDS = 4096, LINE = 512 };

/* Which kinds of record a store has: of StreamRecord by their field number, of rooms behind them. */
struct kinds {
    bool has[KINDS];
};

static struct hs_lmdb *store_new(void **state, const char *name)
{
    struct hs_lmdb *db;
    struct hs_lmdb_options options = {.dir = tmpdir_path(state, name),
                                      .tables = HS_CORE_TABLES,
                                      .map_size = 256 * MIB,
                                      .map_max = 256 * MIB};
    assert_ok(hs_lmdb_open(&options, &db));
    return db;
}

static void store_free(void **state, struct hs_lmdb *db, const char *name)
{
    hs_lmdb_close(db);
    assert_int_equal(nftw(tmpdir_path(state, name), tmpdir_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

/* All that follows from records, and the records. */
static struct hs_id digest_of(struct hs_kv *kv)
{
    struct hs_sha256 h;
    hs_sha256_init(&h);
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_kv_key from = {0};
        while (table != HS_T_BLOB_BYTES) {
            struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
            struct hs_bytes key, value, none = {0};
            if (!hs_kv_next(kv, table, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
                break;
            uint64_t lens[3] = {table, key.len, value.len};
            hs_sha256_update(&h, hs_bytes(lens, sizeof lens));
            hs_sha256_update(&h, key);
            hs_sha256_update(&h, value);
            from = hs_kv_after(key);
        }
    }
    assert_ok(kv->err);
    return hs_sha256_final(&h);
}

static void add_kind(struct hs_kv *kv, const struct hs_stream_at *at, struct hs_arena *arena,
                     struct kinds *kinds)
{
    struct hs_bytes bytes;
    Hanse__State__StreamRecord *record;
    Hanse__State__RoomEntry *entry;
    struct hs_record_header header;
    if (!hs_stream_bytes(kv, at, arena, &bytes))
        return;
    if (at->stream == HS_STREAM_ROOM) {
        assert_ok(HS_UNPACK(hanse__state__room_entry, bytes, HS_LENIENT, arena, &entry));
        assert_ok(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
        assert_in_range(header.kind, 1, KINDS - STREAM_KINDS - 1);
        kinds->has[STREAM_KINDS + header.kind] = true;
        return;
    }
    assert_ok(HS_UNPACK(hanse__state__stream_record, bytes, HS_LENIENT, arena, &record));
    assert_in_range(record->body_case, 1, STREAM_KINDS - 1);
    kinds->has[record->body_case] = true;
}

static struct kinds kinds_of(struct hs_kv *kv)
{
    struct kinds kinds = {0};
    uint64_t end = hs_journal_count(kv);
    for (uint64_t n = 0; n < end; n++) {
        struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
        struct hs_turn turn = {.kv = kv, .arena = &arena};
        struct hs_stream_at at;
        if (!hs_journal_at(&turn, &n, &at))
            break;
        add_kind(kv, &at, &arena, &kinds);
    }
    return kinds;
}

/* ---- making them ---- */

struct dump {
    struct hs_signer root, signer;
    struct hs_bytes descriptor;
    struct hs_kv *kv;
    size_t bytes;
    struct kinds kinds;
};

static bool get_bytes(FILE *file, struct hs_arena *arena, struct hs_bytes *out)
{
    uint64_t len;
    if (fread(&len, sizeof len, 1, file) != 1)
        return false;
    uint8_t *data = hs_arena_alloc(arena, (size_t)len + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, (size_t)len, file), len);
    *out = hs_bytes(data, (size_t)len);
    return true;
}

static struct hs_signer get_signer(FILE *file, struct hs_arena *arena)
{
    struct hs_secret32 HS_SECRET seed = {0};
    struct hs_signer signer;
    struct hs_bytes bytes;
    assert_true(get_bytes(file, arena, &bytes) && bytes.len == sizeof seed.b);
    memcpy(seed.b, bytes.data, sizeof seed.b);
    hs_signer_init(&signer, &seed);
    return signer;
}

static void dump_read(const char *dir, const char *name, struct hs_arena *arena, struct dump *d)
{
    char path[LINE];
    uint64_t table;
    struct hs_bytes key, value;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    d->root = get_signer(file, arena);
    d->signer = get_signer(file, arena);
    assert_true(get_bytes(file, arena, &d->descriptor));
    d->kv = hs_kv_memory_new();
    while (fread(&table, sizeof table, 1, file) == 1) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        assert_true(get_bytes(file, &scratch, &key) && get_bytes(file, &scratch, &value));
        hs_kv_put(d->kv, (unsigned)table, key, value);
        d->bytes += value.len;
    }
    assert_int_equal(fclose(file), 0);
    d->kinds = kinds_of(d->kv);
}

static size_t news(const struct kinds *all, const struct kinds *more)
{
    size_t n = 0;
    for (size_t i = 0; i < KINDS; i++)
        n += more->has[i] && !all->has[i];
    return n;
}

/* The store that has most that is new for its size; NULL where none has anything new. */
static struct dump *choose(struct dump *dumps, size_t count, const struct kinds *all)
{
    struct dump *best = NULL;
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        double worth = (double)news(all, &dumps[i].kinds) / (double)(dumps[i].bytes + 1);
        if (worth > most) {
            most = worth;
            best = &dumps[i];
        }
    }
    return best;
}

static void write_golden(void **state, const struct dump *d, const char *dir, unsigned number, FILE *list)
{
    struct hs_lmdb *db = store_new(state, "from");
    struct hs_export_facts facts;
    struct hs_export e = {
        .root = d->root.pub, .signer = &d->signer, .descriptor = d->descriptor, .incarnation = 1};
    struct hs_kv *txn;
    char path[LINE], root[65], hex[65];
    assert_ok(hs_lmdb_begin_write(db, &txn));
    for (unsigned table = 0; table < HS_CORE_TABLES; table++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SIZE_MAX / 2);
        struct hs_bytes key, value, none = {0};
        struct hs_kv_key at = {0};
        while (hs_kv_next(d->kv, table, none, hs_kv_key_bytes(&at), &scratch, &key, &value)) {
            hs_kv_put(txn, table, key, value);
            at = hs_kv_after(key);
        }
    }
    assert_ok(hs_lmdb_commit(txn));
    (void)snprintf(path, sizeof path, "%s/layout-%d-%u.export", dir, HS_LAYOUT, number);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_ok(hs_export_write(&e, db, file, &facts));
    assert_int_equal(fclose(file), 0);
    struct hs_id digest = digest_of(d->kv);
    (void)fprintf(list, "layout-%d-%u.export %s %s\n", HS_LAYOUT, number, hs_hex(HS_VIEW(d->root.pub), root),
                  hs_hex(HS_VIEW(digest), hex));
    store_free(state, db, "from");
}

static int make(const char *worlds, const char *dir)
{
    static struct dump dumps[WORLDS];
    struct hs_arena arena = hs_arena(SIZE_MAX / 2);
    struct kinds all = {0};
    struct dump *d;
    char path[LINE];
    void *state;
    size_t count = 0;
    unsigned number = 0;
    assert_int_equal(tmpdir_setup(&state), 0);
    DIR *listing = opendir(worlds);
    assert_non_null(listing);
    for (const struct dirent *one; (one = readdir(listing)) != NULL && count < WORLDS;)
        if (one->d_name[0] != '.')
            dump_read(worlds, one->d_name, &arena, &dumps[count++]);
    closedir(listing);
    (void)snprintf(path, sizeof path, "%s/layout-%d.txt", dir, HS_LAYOUT);
    FILE *list = fopen(path, "w");
    assert_non_null(list);
    while ((d = choose(dumps, count, &all)) != NULL) {
        write_golden(&state, d, dir, number++, list);
        for (size_t i = 0; i < KINDS; i++)
            all.has[i] = all.has[i] || d->kinds.has[i];
    }
    assert_int_equal(fclose(list), 0);
    printf("%u stores of %zu\n", number, count);
    return tmpdir_teardown(&state);
}

/* ---- comparing ---- */

static void compare(void **state, const char *line, struct kinds *all)
{
    char name[128], root_hex[65], digest_hex[65], path[LINE];
    struct hs_export e = {0};
    struct hs_id digest;
    struct hs_export_facts facts;
    struct hs_kv *txn;
    assert_int_equal(sscanf(line, "%127s %64s %64s", name, root_hex, digest_hex), 3);
    assert_ok(hs_unhex(root_hex, e.root.b, sizeof e.root.b));
    assert_ok(hs_unhex(digest_hex, digest.b, sizeof digest.b));
    (void)snprintf(path, sizeof path, GOLDEN "/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct hs_lmdb *db = store_new(state, "to");
    assert_ok(hs_import_load(file, &e, db, 0, &facts));
    assert_int_equal(fclose(file), 0);
    assert_ok(hs_lmdb_begin_read(db, &txn));
    struct hs_id now = digest_of(txn);
    if (!hs_id_equal(&now, &digest))
        print_error(
            "%s: its records make something else than they made: see CONTRIBUTING.md, golden stores\n", name);
    assert_memory_equal(now.b, digest.b, sizeof now.b);
    struct kinds kinds = kinds_of(txn);
    for (size_t i = 0; i < KINDS; i++)
        all->has[i] = all->has[i] || kinds.has[i];
    hs_lmdb_abort(txn);
    store_free(state, db, "to");
}

static void assert_has(const struct kinds *all, size_t kind, const char *name)
{
    if (all->has[kind])
        return;
    print_error(
        "no golden store has a record of the kind %s: give a test of the core one, and run script/golden\n",
        name);
    fail();
}

static void restore_older(void **state, const char *line)
{
    char name[128], root_hex[65], path[LINE];
    struct hs_export e = {0};
    struct hs_export_facts facts;
    assert_int_equal(sscanf(line, "%127s %64s", name, root_hex), 2);
    assert_ok(hs_unhex(root_hex, e.root.b, sizeof e.root.b));
    (void)snprintf(path, sizeof path, GOLDEN "/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    struct hs_lmdb *db = store_new(state, "older");
    assert_ok(hs_import_load(file, &e, db, 0, &facts));
    assert_int_equal(fclose(file), 0);
    store_free(state, db, "older");
}

/* NODE-29: backups of every older layout are restored by this program. */
static void older_layouts_are_restored(void **state)
{
    char path[LINE], line[LINE];
    for (int layout = 1; layout <= HS_LAYOUT; layout++) {
        (void)snprintf(path, sizeof path, GOLDEN "/layout-%d.txt", layout);
        FILE *list = fopen(path, "r");
        assert_non_null(list); /* golden stores of a layout are kept for good */
        while (fgets(line, sizeof line, list) != NULL)
            restore_older(state, line);
        assert_int_equal(fclose(list), 0);
    }
}

/* NODE-35: also, none is forgotten: whoever adds a kind of record makes golden stores with it. */
static void golden_stores_make_what_they_made(void **state)
{
    char path[LINE], line[LINE];
    struct kinds all = {0};
    size_t count = 0;
    (void)snprintf(path, sizeof path, GOLDEN "/layout-%d.txt", HS_LAYOUT);
    FILE *list = fopen(path, "r");
    assert_non_null(list); /* the layout has changed: script/golden makes new ones */
    for (; fgets(line, sizeof line, list) != NULL; count++)
        compare(state, line, &all);
    assert_int_equal(fclose(list), 0);
    assert_int_not_equal(count, 0);
    const ProtobufCMessageDescriptor *type = &hanse__state__stream_record__descriptor;
    for (unsigned i = 0; i < type->n_fields; i++)
        if ((type->fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
            assert_has(&all, type->fields[i].id, type->fields[i].name);
    const ProtobufCEnumDescriptor *rooms = &hanse__record_kind__descriptor;
    for (unsigned i = 0; i < rooms->n_values; i++)
        if (rooms->values[i].value != HANSE__RECORD_KIND__RECORD_NONE)
            assert_has(&all, STREAM_KINDS + (size_t)rooms->values[i].value, rooms->values[i].name);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(golden_stores_make_what_they_made, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(older_layouts_are_restored, tmpdir_setup, tmpdir_teardown),
    };
    if (sodium_init() < 0)
        return 1;
    if (argc == 4 && strcmp(argv[1], "make") == 0)
        return make(argv[2], argv[3]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
