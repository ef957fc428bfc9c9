#include "look.h"

#include "core/core.h"
#include "core/records/register.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "fault.h"
#include "identity/descriptor.h"
#include "object/object.h"
#include "room/head.h"
#include "room/log.h"
#include "store/check.h"
#include "store/lmdb_kv.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCRATCH_CAP = 16 << 20 };

static void *allocate(size_t size)
{
    void *p = calloc(1, size);
    FAULT_CHECK(p != NULL, "no memory");
    return p;
}

struct hs_key look_signing_key(const char *descriptor_file, struct hs_key *root)
{
    uint8_t bytes[4096];
    struct hs_arena HS_ARENA arena = hs_arena(SCRATCH_CAP);
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    FILE *file = fopen(descriptor_file, "rb");
    FAULT_CHECK(file != NULL, "no %s", descriptor_file);
    size_t len = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    FAULT_CHECK(hs_object_unpack(hs_bytes(bytes, len), &arena, &object) == HS_OK &&
                    hs_descriptor_open(object, NULL, &d) == HS_OK,
                "%s is no descriptor", descriptor_file);
    *root = d.root;
    return d.signing_key;
}

/* The record seq: continues the tip, is the only one with its body, and is found by it. */
static void take_record(struct hs_kv *kv, const struct hs_id *room, uint64_t seq, struct hs_log_tip *tip,
                        struct look *look)
{
    struct hs_arena HS_ARENA arena = hs_arena(SCRATCH_CAP);
    struct hs_kv_key key = hs_key_seq(HS_VIEW(*room), seq);
    struct hs_bytes value;
    Hanse__State__RoomEntry *entry;
    struct hs_record_header header;
    FAULT_CHECK(hs_kv_get(kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&key), &arena, &value), "record %llu is missing",
                (unsigned long long)seq);
    FAULT_CHECK(HS_UNPACK(hanse__state__room_entry, value, HS_LENIENT, &arena, &entry) == HS_OK,
                "record %llu doesn't unpack", (unsigned long long)seq);
    enum hs_err err =
        hs_log_check_next(tip, room, hs_pb_bytes(entry->header), hs_pb_bytes(entry->body), &header);
    FAULT_CHECK(err == HS_OK, "record %llu: %s", (unsigned long long)seq, hs_err_name(err));
    struct look_record *record = allocate(2 * sizeof *record), *known = NULL;
    *record = (struct look_record){.seq = seq, .hash = header.hash, .body = header.body_hash};
    HASH_FIND(hh, look->by_body, &header.body_hash, sizeof header.body_hash, known);
    FAULT_CHECK(known == NULL, "records %llu and %llu have the same body",
                (unsigned long long)(known != NULL ? known->seq : 0), (unsigned long long)seq);
    HASH_ADD(hh, look->records, seq, sizeof record->seq, record);
    record[1] = record[0];
    record++;
    HASH_ADD(hh, look->by_body, body, sizeof record->body, record);
    struct hs_kv_key index = hs_key2(HS_VIEW(*room), HS_VIEW(header.body_hash));
    FAULT_CHECK(hs_kv_get(kv, HS_T_BODY, hs_kv_key_bytes(&index), &arena, &value) && hs_kv_u64(value) == seq,
                "record %llu isn't found by its body", (unsigned long long)seq);
}

/* What the hub signed of the copy: it covers all of it, or more. */
static void take_head(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *key, struct look *look)
{
    struct hs_arena HS_ARENA arena = hs_arena(SCRATCH_CAP);
    Hanse__SignedObject *object;
    struct hs_head head;
    struct look_record *record = NULL;
    struct hs_kv_key at = hs_register_key(HS_REGISTER_HEAD, HS_VIEW(*room), (struct hs_bytes){0});
    struct hs_bytes bytes;
    if (!hs_kv_get(kv, HS_T_REGISTER, hs_kv_key_bytes(&at), &arena, &bytes))
        return; /* the copy has begun, and nothing has come yet */
    FAULT_CHECK(hs_object_unpack(bytes, &arena, &object) == HS_OK &&
                    hs_head_verify(object, key, room, &head) == HS_OK,
                "the head at the follower isn't the hub's");
    FAULT_CHECK(head.seq + 1 >= look->next, "the head covers %llu, the copy has %llu",
                (unsigned long long)head.seq, (unsigned long long)look->next);
    HASH_FIND(hh, look->records, &head.seq, sizeof head.seq, record);
    FAULT_CHECK(record == NULL || hs_id_equal(&record->hash, &head.hash), "the head is for another log");
}

static void body_add(struct look_body **set, struct hs_bytes body)
{
    struct look_body *one = allocate(sizeof *one), *known = NULL;
    FAULT_CHECK(HS_FIXED(body, &one->body), "a body hash of %zu bytes", body.len);
    HASH_FIND(hh, *set, &one->body, sizeof one->body, known);
    FAULT_CHECK(known == NULL, "a post waits twice");
    HASH_ADD(hh, *set, body, sizeof one->body, one);
}

/* Posts that wait for the hub. */
static void take_outbox(struct hs_kv *kv, struct look *look)
{
    uint8_t kind = HS_STREAM_OUTBOX;
    struct hs_kv_key from = {0};
    struct hs_bytes key, value, prefix = hs_bytes(&kind, 1);
    hs_kv_key_add(&from, prefix);
    for (;;) {
        struct hs_arena HS_ARENA arena = hs_arena(SCRATCH_CAP);
        Hanse__State__StreamRecord *record;
        if (!hs_kv_next(kv, HS_T_STREAM, prefix, hs_kv_key_bytes(&from), &arena, &key, &value))
            return;
        FAULT_CHECK(HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, &arena, &record) == HS_OK,
                    "a record of the outbox doesn't unpack");
        if (record->queued != NULL)
            body_add(&look->queued, hs_pb_bytes(record->queued->body_hash));
        from = hs_kv_after(key);
    }
}

/* Refusals that wait for their senders; numbers in an inbox have no gaps. */
static void take_inboxes(struct hs_kv *kv, struct look *look)
{
    struct hs_kv_key from = {0};
    struct hs_bytes key, value, none = {0};
    uint8_t subscriber[32] = {0};
    uint64_t expected = 0;
    for (;;) {
        struct hs_arena HS_ARENA arena = hs_arena(SCRATCH_CAP);
        Hanse__InboxItem *item;
        struct look_body *known = NULL;
        if (!hs_kv_next(kv, HS_T_INBOX, none, hs_kv_key_bytes(&from), &arena, &key, &value))
            return;
        FAULT_CHECK(HS_UNPACK(hanse__inbox_item, value, HS_LENIENT, &arena, &item) == HS_OK,
                    "an inbox item doesn't unpack");
        FAULT_CHECK(memcmp(subscriber, key.data, 32) != 0 || item->seq == expected,
                    "an inbox has a gap at %llu", (unsigned long long)item->seq);
        memcpy(subscriber, key.data, 32);
        expected = item->seq + 1;
        if (item->body_case == HANSE__INBOX_ITEM__BODY_OUTCOME && item->outcome->body_hash.len == 32)
            HASH_FIND(hh, look->refused, item->outcome->body_hash.data, 32, known);
        if (item->body_case == HANSE__INBOX_ITEM__BODY_OUTCOME && known == NULL)
            body_add(&look->refused, hs_pb_bytes(item->outcome->body_hash));
        from = hs_kv_after(key);
    }
}

static void take_room(struct hs_kv *kv, const struct hs_id *room, const struct hs_key *hub_key,
                      struct look *look)
{
    struct hs_arena HS_ARENA arena = hs_arena(SCRATCH_CAP);
    struct hs_kv_key key = hs_key1(HS_VIEW(*room));
    struct hs_bytes value;
    Hanse__State__RoomView *view;
    struct hs_log_tip tip = {0};
    look->there = hs_kv_get(kv, HS_T_ROOM, hs_kv_key_bytes(&key), &arena, &value);
    if (!look->there)
        return;
    FAULT_CHECK(HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &arena, &view) == HS_OK,
                "the room doesn't unpack");
    look->hub = view->hub;
    look->first = view->first_seq;
    look->next = view->next_seq;
    tip.next_seq = look->first;
    if (look->first > 0 &&
        look->first < look->next) { /* a copy stands on the hash that its first record names */
        struct hs_record_header header;
        Hanse__State__RoomEntry *entry;
        struct hs_kv_key at = hs_key_seq(HS_VIEW(*room), look->first);
        FAULT_CHECK(hs_kv_get(kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&at), &arena, &value) &&
                        HS_UNPACK(hanse__state__room_entry, value, HS_LENIENT, &arena, &entry) == HS_OK &&
                        hs_record_header_parse(hs_pb_bytes(entry->header), &header) == HS_OK,
                    "the first record of the copy is missing");
        tip.hash = header.prev;
    }
    for (uint64_t seq = look->first; seq < look->next; seq++)
        take_record(kv, room, seq, &tip, look);
    FAULT_CHECK(look->first == look->next || hs_bytes_equal(hs_pb_bytes(view->hash), HS_VIEW(tip.hash)),
                "the room's hash isn't that of its last record");
    if (!view->hub)
        take_head(kv, room, hub_key, look);
}

static struct hs_lmdb *open_store(const char *store)
{
    struct hs_lmdb_options options = {
        .dir = store, .tables = HS_CORE_TABLES, .map_size = (size_t)1 << 30, .map_max = (size_t)1 << 30};
    struct hs_lmdb *db;
    enum hs_err err = hs_lmdb_open(&options, &db);
    FAULT_CHECK(err == HS_OK, "%s doesn't open: %s", store, hs_err_name(err));
    return db;
}

static void on_problem(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "%s\n", text);
}

void look_check(const char *store, const struct hs_key *root, const char *beside)
{
    struct hs_check check = {.root = *root, .problem = on_problem};
    fault_folder_remove(beside);
    check.store = open_store(store);
    check.beside = open_store(beside);
    enum hs_err err = hs_check_run(&check);
    FAULT_CHECK(err == HS_OK && check.result.problems == 0, "%s: %s, %llu problems", store, hs_err_name(err),
                (unsigned long long)check.result.problems);
    hs_lmdb_close(check.store);
    hs_lmdb_close(check.beside);
    fault_folder_remove(beside);
}

void look_at(const char *store, const struct hs_id *room, const struct hs_key *hub_key, struct look *out)
{
    struct hs_kv *kv;
    struct hs_lmdb *db = open_store(store);
    *out = (struct look){0};
    FAULT_CHECK(hs_lmdb_begin_read(db, &kv) == HS_OK, "%s can't be read", store);
    take_room(kv, room, hub_key, out);
    take_outbox(kv, out);
    take_inboxes(kv, out);
    FAULT_CHECK(kv->err == HS_OK, "%s: %s", store, hs_err_name(kv->err));
    hs_lmdb_abort(kv);
    hs_lmdb_close(db);
}

static void bodies_free(struct look_body **set)
{
    struct look_body *one, *next;
    HASH_ITER(hh, *set, one, next)
    {
        HASH_DEL(*set, one);
        free(one);
    }
}

void look_free(struct look *look)
{
    struct look_record *one, *next;
    HASH_CLEAR(hh, look->by_body);
    HASH_ITER(hh, look->records, one, next)
    {
        HASH_DEL(look->records, one);
        free(one); /* and its twin behind it */
    }
    bodies_free(&look->queued);
    bodies_free(&look->refused);
}

bool look_has(const struct look *look, const struct hs_id *body)
{
    struct look_record *record = NULL;
    HASH_FIND(hh, look->by_body, body, sizeof *body, record);
    return record != NULL;
}

static bool set_has(struct look_body *set, const struct hs_id *body)
{
    struct look_body *one = NULL;
    HASH_FIND(hh, set, body, sizeof *body, one);
    return one != NULL;
}

bool look_queued(const struct look *look, const struct hs_id *body)
{
    return set_has(look->queued, body);
}

bool look_refused(const struct look *look, const struct hs_id *body)
{
    return set_has(look->refused, body);
}

uint64_t look_same(const struct look *a, const struct look *b)
{
    uint64_t same = 0;
    struct look_record *record, *next;
    HASH_ITER(hh, a->records, record, next)
    {
        struct look_record *other = NULL;
        HASH_FIND(hh, b->records, &record->seq, sizeof record->seq, other);
        FAULT_CHECK(other == NULL || hs_id_equal(&record->hash, &other->hash),
                    "two nodes differ at record %llu", (unsigned long long)record->seq);
        same += other != NULL ? 1 : 0;
    }
    return same;
}
