#include "room/log.h"

#include "crypto/hash.h"
#include "object/hdr.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

_Static_assert((int)HANSE__RECORD_KIND__RECORD_GENESIS == (int)HS_RECORD_GENESIS, "numbered as on the wire");
_Static_assert((int)HANSE__RECORD_KIND__RECORD_INVITE == (int)HS_RECORD_INVITE, "kinds");
_Static_assert((int)HANSE__RECORD_KIND__RECORD_HUB_MOVE == (int)HS_RECORD_HUB_MOVE, "kinds");
_Static_assert((int)HANSE__RECORD_KIND__RECORD_HOME_MOVE == (int)HS_RECORD_HOME_MOVE, "kinds");
_Static_assert((int)HANSE__RECORD_KIND__RECORD_JOIN == (int)HS_RECORD_JOIN, "kinds");
_Static_assert((int)HANSE__RECORD_KIND__RECORD_COMMIT == (int)HS_RECORD_COMMIT, "kinds");
_Static_assert((int)HANSE__RECORD_KIND__RECORD_POST == (int)HS_RECORD_POST, "kinds");
_Static_assert((int)HANSE__RECORD_KIND__RECORD_VOID == (int)HS_RECORD_VOID, "kinds");

struct hs_id hs_record_body_hash(struct hs_bytes body)
{
    return hs_hash_labelled("hanse-body-v1", body);
}

/* GENESIS begins a log and stands nowhere else. */
static bool kind_fits(enum hs_record_kind kind, uint64_t seq)
{
    return (kind == HS_RECORD_GENESIS) == (seq == 0);
}

static void tip_move(struct hs_log_tip *tip, const struct hs_record_header *header)
{
    *tip =
        (struct hs_log_tip){.next_seq = header->seq + 1, .hash = header->hash, .hub_time = header->hub_time};
}

static enum hs_err header_pack(const struct hs_record_header *header, struct hs_writer *out)
{
    Hanse__RecordHeader message = HANSE__RECORD_HEADER__INIT;
    message.room = hs_pb_data(HS_VIEW(header->room));
    message.seq = header->seq;
    message.prev = hs_pb_data(header->seq == 0 ? hs_bytes(NULL, 0) : HS_VIEW(header->prev));
    message.hub_time_ms = header->hub_time.ms;
    message.kind = (Hanse__RecordKind)header->kind;
    message.epoch = header->epoch;
    message.sender_node = hs_pb_data(HS_VIEW(header->sender_node));
    message.sender_persona = hs_pb_data(HS_VIEW(header->sender_persona));
    message.body_hash = hs_pb_data(HS_VIEW(header->body_hash));
    return HS_PACK(&message, out);
}

enum hs_err hs_log_build_next(struct hs_log_tip *tip, const struct hs_id *room,
                              const struct hs_record_spec *spec, struct hs_writer *out,
                              struct hs_record_header *header)
{
    bool known = spec->kind >= HS_RECORD_GENESIS && spec->kind <= HS_RECORD_HOME_MOVE;
    HS_REQUIRE(known && kind_fits(spec->kind, tip->next_seq), HS_ERR_INVALID_ARG);
    HS_REQUIRE(spec->body.len > 0 && spec->hub_time.ms >= 0, HS_ERR_INVALID_ARG);
    HS_REQUIRE(spec->body.len <= HS_RECORD_BODY_MAX, HS_ERR_TOO_LARGE);
    struct hs_record_header next = {.room = *room,
                                    .seq = tip->next_seq,
                                    .prev = tip->hash,
                                    .hub_time = spec->hub_time,
                                    .kind = spec->kind,
                                    .epoch = spec->epoch,
                                    .sender_node = spec->sender_node,
                                    .sender_persona = spec->sender_persona,
                                    .body_hash = hs_record_body_hash(spec->body)};
    if (next.hub_time.ms < tip->hub_time.ms)
        next.hub_time = tip->hub_time;
    struct hs_writer HS_WRITER w = hs_writer(HS_RECORD_HEADER_MAX);
    HS_TRY(header_pack(&next, &w));
    hs_write_bytes(out, hs_writer_bytes(&w));
    HS_TRY(out->err);
    next.hash = hs_hash_labelled("hanse-record-v1", hs_writer_bytes(&w));
    tip_move(tip, &next);
    if (header != NULL)
        *header = next;
    return HS_OK;
}

static enum hs_err header_read(const Hanse__RecordHeader *message, struct hs_record_header *out)
{
    bool fits = HS_FIXED(hs_pb_bytes(message->room), &out->room) &&
                HS_FIXED(hs_pb_bytes(message->sender_node), &out->sender_node) &&
                HS_FIXED(hs_pb_bytes(message->sender_persona), &out->sender_persona) &&
                HS_FIXED(hs_pb_bytes(message->body_hash), &out->body_hash);
    HS_REQUIRE(fits, HS_ERR_MALFORMED);
    struct hs_bytes prev = hs_pb_bytes(message->prev);
    HS_REQUIRE(message->seq == 0 ? prev.len == 0 : HS_FIXED(prev, &out->prev), HS_ERR_MALFORMED);
    HS_REQUIRE(message->hub_time_ms >= 0 && message->seq < UINT64_MAX, HS_ERR_MALFORMED);
    HS_REQUIRE(message->kind != HANSE__RECORD_KIND__RECORD_NONE, HS_ERR_MALFORMED);
    HS_REQUIRE((int)message->kind <= (int)HS_RECORD_HOME_MOVE, HS_ERR_UNSUPPORTED);
    out->seq = message->seq;
    out->hub_time.ms = message->hub_time_ms;
    out->kind = (enum hs_record_kind)message->kind;
    out->epoch = message->epoch;
    HS_REQUIRE(kind_fits(out->kind, out->seq), HS_ERR_MALFORMED);
    return HS_OK;
}

enum hs_err hs_record_header_parse(struct hs_bytes header, struct hs_record_header *out)
{
    *out = (struct hs_record_header){0};
    HS_REQUIRE(header.len <= HS_RECORD_HEADER_MAX, HS_ERR_TOO_LARGE);
    struct hs_arena HS_ARENA arena = hs_arena(hs_unpack_budget(header.len));
    Hanse__RecordHeader *message = NULL;
    HS_TRY(HS_UNPACK(hanse__record_header, header, HS_KNOWN_ENUMS, &arena, &message));
    struct hs_record_header read = {0};
    HS_TRY(header_read(message, &read));
    read.hash = hs_hash_labelled("hanse-record-v1", header);
    *out = read;
    return HS_OK;
}

static enum hs_err place_check(const struct hs_log_tip *tip, const struct hs_record_header *header)
{
    HS_REQUIRE(header->seq <= tip->next_seq, HS_ERR_LOG_GAP);
    HS_REQUIRE(header->seq >= tip->next_seq, HS_ERR_REPLAY);
    HS_REQUIRE(header->seq == 0 || hs_id_equal(&header->prev, &tip->hash), HS_ERR_LOG_FORK);
    HS_REQUIRE(header->hub_time.ms >= tip->hub_time.ms, HS_ERR_MALFORMED);
    return HS_OK;
}

enum hs_err hs_log_check_next(struct hs_log_tip *tip, const struct hs_id *room, struct hs_bytes header,
                              struct hs_bytes body, struct hs_record_header *out)
{
    *out = (struct hs_record_header){0};
    struct hs_record_header read = {0};
    HS_TRY(hs_record_header_parse(header, &read));
    HS_REQUIRE(hs_id_equal(&read.room, room), HS_ERR_MALFORMED);
    HS_REQUIRE(body.len <= HS_RECORD_BODY_MAX, HS_ERR_TOO_LARGE);
    read.erased = body.len == 0;
    if (!read.erased) {
        struct hs_id hash = hs_record_body_hash(body);
        HS_REQUIRE(hs_id_equal(&hash, &read.body_hash), HS_ERR_MALFORMED);
    }
    HS_TRY(place_check(tip, &read));
    tip_move(tip, &read);
    *out = read;
    return HS_OK;
}

enum hs_err hs_record_pack(struct hs_bytes header, struct hs_bytes body, struct hs_writer *out)
{
    HS_REQUIRE(header.len <= HS_RECORD_HEADER_MAX && body.len <= HS_RECORD_BODY_MAX, HS_ERR_TOO_LARGE);
    Hanse__Record message = HANSE__RECORD__INIT;
    message.header = hs_pb_data(header);
    message.body = hs_pb_data(body);
    return HS_PACK(&message, out);
}

enum hs_err hs_record_unpack(struct hs_bytes record, struct hs_arena *arena, struct hs_bytes *header,
                             struct hs_bytes *body)
{
    *header = *body = hs_bytes(NULL, 0);
    HS_REQUIRE(record.len <= HS_RECORD_HEADER_MAX + HS_RECORD_BODY_MAX + 16, HS_ERR_TOO_LARGE);
    Hanse__Record *message = NULL;
    HS_TRY(HS_UNPACK(hanse__record, record, HS_LENIENT, arena, &message));
    HS_REQUIRE(message->header.len > 0, HS_ERR_MALFORMED);
    HS_REQUIRE(message->header.len <= HS_RECORD_HEADER_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(message->body.len <= HS_RECORD_BODY_MAX, HS_ERR_TOO_LARGE);
    *header = hs_pb_bytes(message->header);
    *body = hs_pb_bytes(message->body);
    return HS_OK;
}
