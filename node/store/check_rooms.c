/* The logs of rooms: each record continues the one before it, and its body is the one that it names. */
#include "base/text.h"
#include "core/federation/node_key.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "object/object.h"
#include "room/head.h"
#include "room/log.h"
#include "store/check.h"
#include "wire/unpack.h"

enum { VIEW_CAP = 8 << 20, STEP = 1000 };

struct room {
    struct hs_check *check;
    struct hs_kv *kv;
    struct hs_id id;
    char name[2 * sizeof(struct hs_id) + 1];
    Hanse__State__RoomView *view;
};

static bool get(struct hs_kv *kv, unsigned table, const struct hs_kv_key *key,
                const ProtobufCMessageDescriptor *type, struct hs_arena *arena, ProtobufCMessage **out)
{
    struct hs_bytes value;
    return hs_kv_get(kv, table, hs_kv_key_bytes(key), arena, &value) &&
           hs_unpack(type, value, HS_LENIENT, arena, out) == HS_OK;
}

/* A body is found by its hash, unless it was erased long ago. */
static void check_index(struct room *r, const struct hs_record_header *header)
{
    struct hs_arena HS_ARENA arena = hs_arena(VIEW_CAP);
    struct hs_kv_key key = hs_key2(HS_VIEW(r->id), HS_VIEW(header->body_hash));
    struct hs_bytes value;
    bool found = hs_kv_get(r->kv, HS_T_BODY, hs_kv_key_bytes(&key), &arena, &value);
    if (header->erased ? found && hs_kv_u64(value) < header->seq : !found || hs_kv_u64(value) != header->seq)
        hs_check_tell(r->check, "room %s: record %llu isn't found by its body", r->name,
                      (unsigned long long)header->seq);
}

/* False where the log doesn't go on. */
static bool check_record(struct room *r, struct hs_log_tip *tip)
{
    struct hs_arena HS_ARENA arena = hs_arena(VIEW_CAP);
    struct hs_kv_key key = hs_key_seq(HS_VIEW(r->id), tip->next_seq);
    uint64_t seq = tip->next_seq;
    struct hs_record_header header;
    ProtobufCMessage *message;
    if (!get(r->kv, HS_T_ROOM_LOG, &key, &hanse__state__room_entry__descriptor, &arena, &message)) {
        hs_check_tell(r->check, "room %s: record %llu is missing", r->name, (unsigned long long)seq);
        return false;
    }
    const Hanse__State__RoomEntry *entry = (const Hanse__State__RoomEntry *)message;
    enum hs_err err =
        hs_log_check_next(tip, &r->id, hs_pb_bytes(entry->header), hs_pb_bytes(entry->body), &header);
    if (err == HS_OK && header.erased && header.kind != HS_RECORD_POST)
        err = HS_ERR_LOG_GAP;
    if (err != HS_OK) {
        hs_check_tell(r->check, "room %s: record %llu: %s", r->name, (unsigned long long)seq,
                      hs_err_text(err));
        return false;
    }
    check_index(r, &header);
    return true;
}

/* The head that was kept is the hub's, and for this log. */
static void check_head(struct room *r)
{
    struct hs_arena HS_ARENA arena = hs_arena(VIEW_CAP);
    struct hs_kv_key key = hs_register_key(HS_REGISTER_HEAD, HS_VIEW(r->id), (struct hs_bytes){0});
    struct hs_bytes bytes;
    struct hs_key root;
    struct hs_head head;
    struct hs_record_header header;
    ProtobufCMessage *message;
    Hanse__SignedObject *object;
    if (r->view->hub || !hs_kv_get(r->kv, HS_T_REGISTER, hs_kv_key_bytes(&key), &arena, &bytes))
        return;
    if (!HS_FIXED(hs_pb_bytes(r->view->hub_root), &root) ||
        hs_object_unpack(bytes, &arena, &object) != HS_OK ||
        hs_node_key_head_in(r->kv, &root, object, &r->id, &head) != HS_OK) {
        hs_check_tell(r->check, "room %s: the head that is kept isn't signed by the hub", r->name);
        return;
    }
    struct hs_kv_key at = hs_key_seq(HS_VIEW(r->id), head.seq);
    if (head.seq >= r->view->next_seq ||
        !get(r->kv, HS_T_ROOM_LOG, &at, &hanse__state__room_entry__descriptor, &arena, &message))
        return; /* it covers more than is held */
    struct hs_bytes own = hs_pb_bytes(((const Hanse__State__RoomEntry *)message)->header);
    if (hs_record_header_parse(own, &header) != HS_OK || !hs_id_equal(&header.hash, &head.hash))
        hs_check_tell(r->check, "room %s: the head that is kept is for another log", r->name);
}

/* The chain hash of the record before a copy's first is what its Welcome said; it isn't kept, so the copy's
 * first record vouches for it. */
static bool begin(struct room *r, struct hs_log_tip *tip)
{
    struct hs_arena HS_ARENA arena = hs_arena(VIEW_CAP);
    struct hs_kv_key key = hs_key_seq(HS_VIEW(r->id), tip->next_seq);
    struct hs_record_header header;
    ProtobufCMessage *message;
    if (tip->next_seq == 0 || tip->next_seq == r->view->next_seq)
        return true;
    if (!get(r->kv, HS_T_ROOM_LOG, &key, &hanse__state__room_entry__descriptor, &arena, &message) ||
        hs_record_header_parse(hs_pb_bytes(((const Hanse__State__RoomEntry *)message)->header), &header) !=
            HS_OK) {
        hs_check_tell(r->check, "room %s: its first record is missing", r->name);
        return false;
    }
    tip->hash = header.prev;
    return true;
}

static void check_room(struct room *r)
{
    struct hs_log_tip tip = {.next_seq = r->view->first_seq};
    bool goes_on = begin(r, &tip);
    while (goes_on && tip.next_seq < r->view->next_seq) {
        goes_on = check_record(r, &tip);
        if (++r->check->result.room_records % STEP == 0 && r->check->progress != NULL)
            r->check->progress(r->check->arg, HS_CHECK_LOGS, r->check->result.room_records);
    }
    if (goes_on && tip.next_seq > r->view->first_seq &&
        !hs_bytes_equal(hs_pb_bytes(r->view->hash), HS_VIEW(tip.hash)))
        hs_check_tell(r->check, "room %s: its log ends otherwise than it says", r->name);
    check_head(r);
}

enum hs_err hs_check_rooms(struct hs_check *check, struct hs_kv *kv)
{
    struct hs_kv_key from = {0};
    for (;;) {
        struct hs_arena HS_ARENA arena = hs_arena(VIEW_CAP);
        struct hs_bytes key, value, none = {0};
        struct room r = {.check = check, .kv = kv};
        if (!hs_kv_next(kv, HS_T_ROOM, none, hs_kv_key_bytes(&from), &arena, &key, &value))
            return kv->err;
        from = hs_kv_after(key);
        check->result.rooms++;
        if (!HS_FIXED(key, &r.id) ||
            HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &arena, &r.view) != HS_OK) {
            hs_check_tell(check, "a room's view can't be read");
            continue;
        }
        hs_hex(key, r.name);
        check_room(&r);
    }
}
