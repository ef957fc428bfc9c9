/* What comes from the node. Records are read straight from the bytes: the first copy of one is checked as a
 * client does, with chain, body and (every sixteenth) the hub's signature; every other copy must be the same
 * bytes. */
#include "load.h"

#include "room/head.h"
#include "wire/unpack.h"

#include <stdlib.h>

enum { HEADS_BETWEEN = 16, UNTOLD = 64, TAG_RECORDS = 20 << 3 | 2, TAG_INBOX = 21 << 3 | 2 };

/* The bytes that are left of a message. */
struct rest {
    const uint8_t *at, *end;
};

static uint64_t varint(struct rest *r)
{
    uint64_t value = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        uint8_t byte = *r->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return value;
    }
    load_fail("a frame isn't protobuf");
}

/* The next field; its number with the wire type, 0 at the end. */
static uint64_t field(struct rest *r, struct hs_bytes *bytes, uint64_t *number)
{
    if (r->at == r->end)
        return 0;
    uint64_t tag = varint(r);
    if ((tag & 7) == 0) {
        *number = varint(r);
        return tag;
    }
    size_t len = (size_t)varint(r);
    if ((tag & 7) != 2 || len > (size_t)(r->end - r->at))
        load_fail("a frame isn't protobuf");
    *bytes = hs_bytes(r->at, len);
    r->at += len;
    return tag;
}

static struct rest rest_of(struct hs_bytes bytes)
{
    return (struct rest){bytes.data, bytes.data + bytes.len};
}

static struct load_entry *entry_add(struct load_room *room, struct hs_bytes record)
{
    if (room->entry_count == room->entry_size) {
        room->entry_size = room->entry_size > 0 ? 2 * room->entry_size : 1024;
        room->entries = realloc(room->entries, room->entry_size * sizeof *room->entries);
    }
    while (room->size - room->len < record.len) {
        room->size = room->size > 0 ? 2 * room->size : 1 << 16;
        room->bytes = realloc(room->bytes, room->size);
    }
    if (room->entries == NULL || room->bytes == NULL)
        load_fail("no memory");
    struct load_entry *entry = &room->entries[room->entry_count++];
    *entry = (struct load_entry){.at = room->len, .len = (uint32_t)record.len};
    memcpy(room->bytes + room->len, record.data, record.len);
    room->len += record.len;
    return entry;
}

/* The first copy of the next record. */
static struct load_entry *check_first(struct load_room *room, struct hs_bytes record)
{
    struct hs_bytes header = {0}, body = {0}, bytes = {0};
    struct hs_record_header facts;
    struct rest r = rest_of(record);
    uint64_t number;
    for (uint64_t tag; (tag = field(&r, &bytes, &number)) != 0;) {
        if (tag == (1 << 3 | 2))
            header = bytes;
        if (tag == (2 << 3 | 2))
            body = bytes;
    }
    enum hs_err err = hs_log_check_next(&room->tip, &room->id, header, body, &facts);
    if (err != HS_OK)
        load_fail("a record doesn't continue its room's chain: %s", hs_err_name(err));
    struct load_entry *entry = entry_add(room, record);
    entry->hash = facts.hash;
    if (facts.kind == HS_RECORD_POST)
        entry->sent_ns = load_sent_at(body);
    return entry;
}

static struct load_place *place_of(struct load_device *device, const struct load_room *room)
{
    for (size_t i = 0; i < device->place_count; i++)
        if (device->places[i].room == room)
            return &device->places[i];
    load_fail("a record of a room that its receiver doesn't read");
}

static void take_record(struct load_device *device, struct load_place *place, struct hs_bytes record)
{
    struct load_room *room = place->room;
    size_t index = (size_t)(place->next - room->joined.next_seq);
    struct load_entry *entry;
    if (index == room->entry_count) {
        entry = check_first(room, record);
    } else {
        entry = &room->entries[index];
        if (index > room->entry_count || entry->len != record.len ||
            memcmp(room->bytes + entry->at, record.data, record.len) != 0)
            load_fail("a record isn't the next one, or isn't the same for all");
    }
    place->next++;
    entry->seen++;
    device->untold++;
    load_delivered(room, entry);
}

static void check_head(struct load_room *room, struct hs_bytes bytes, uint64_t next)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    Hanse__SignedObject *object;
    struct hs_head head;
    if (hs_bytes_equal(room->head, bytes))
        return;
    free((void *)(uintptr_t)room->head.data);
    uint8_t *copy = malloc(bytes.len);
    if (copy == NULL)
        load_fail("no memory");
    memcpy(copy, bytes.data, bytes.len);
    room->head = hs_bytes(copy, bytes.len);
    if (room->heads++ % HEADS_BETWEEN != 0)
        return;
    LOAD_OK(hs_object_unpack(bytes, &arena, &object));
    LOAD_OK(hs_head_verify(object, &room->hub->site.descriptor.signing_key, &room->id, &head));
    if (head.seq + 1 < next)
        load_fail("a head doesn't cover the records that it comes with");
    size_t index = (size_t)(head.seq - room->joined.next_seq);
    if (index < room->entry_count)
        LOAD_OK(hs_head_check_at(&head.hash, &room->entries[index].hash));
}

static void take_records(struct load_device *device, struct hs_bytes message)
{
    struct rest r = rest_of(message);
    struct hs_bytes bytes = {0};
    struct load_place *place = NULL;
    uint64_t number;
    bool headed = false;
    for (uint64_t tag; (tag = field(&r, &bytes, &number)) != 0;) {
        if (tag == (1 << 3 | 2))
            place = place_of(device, load_room_find(bytes));
        if (place == NULL)
            load_fail("records of no room");
        if (tag == (2 << 3 | 2))
            take_record(device, place, bytes);
        if (tag == (3 << 3 | 2)) {
            check_head(place->room, bytes, place->next);
            headed = true;
        }
    }
    if (!headed)
        load_fail("records without a head");
}

static enum hs_err inner_error(const Hanse__Frame *frame, struct load_answer *answer)
{
    answer->kind = frame->body_case;
    if (frame->body_case == HANSE__FRAME__BODY_ERROR)
        return hs_err_from_wire(frame->error->code);
    if (frame->body_case == HANSE__FRAME__BODY_ACCEPTED) {
        answer->tip.next_seq = frame->accepted->seq + 1;
        answer->tip.hub_time.ms = frame->accepted->hub_time_ms;
        if (!HS_FIXED(hs_pb_bytes(frame->accepted->hash), &answer->tip.hash))
            return HS_ERR_MALFORMED;
    }
    return HS_OK;
}

void (*load_refused)(const struct load_device *device, uint64_t id, const Hanse__Error *error);

static void take_answer(struct load_device *device, struct hs_bytes bytes)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 22);
    Hanse__Frame *frame;
    LOAD_OK(HS_UNPACK(hanse__frame, bytes, HS_LENIENT, &arena, &frame));
    if (frame->id == 0)
        return;
    uint64_t id = frame->id;
    enum hs_err err = inner_error(frame, &device->answer);
    if (frame->body_case == HANSE__FRAME__BODY_FORWARDED) {
        LOAD_OK(HS_UNPACK(hanse__frame, hs_pb_bytes(frame->forwarded->frame), HS_LENIENT, &arena, &frame));
        err = inner_error(frame, &device->answer);
    }
    bool refused = frame->body_case == HANSE__FRAME__BODY_ERROR;
    if (refused && load_refused == NULL && hs_err_is_transient(err)) {
        load_request_again(device, id, frame->error->retry_after_ms);
        return;
    }
    if (err != HS_OK && (load_refused == NULL || !refused))
        load_fail("a request was refused: %s", hs_err_name(err));
    load_request_done(device, id);
    device->answered++;
    load_waiting--;
    if (err != HS_OK)
        load_refused(device, id, frame->error);
    device->attached = device->attached || frame->body_case == HANSE__FRAME__BODY_ACK;
    if (frame->body_case != HANSE__FRAME__BODY_AUTHENTICATED)
        return;
    hs_link_set_authenticated(device->link);
    if (device->returning)
        load_device_attach(device);
}

void load_take(struct load_device *device, struct hs_bytes frame)
{
    struct rest r = rest_of(frame);
    struct hs_bytes bytes = {0};
    uint64_t number = 0;
    uint64_t tag = field(&r, &bytes, &number);
    if (tag == TAG_RECORDS)
        take_records(device, bytes);
    else if (tag == TAG_INBOX)
        device->welcomed = true;
    else
        take_answer(device, frame);
    if (device->untold >= UNTOLD)
        load_cursors_tell(device);
}
