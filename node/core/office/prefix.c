/* The copy of a follower begins where the first of its users came. What is before that is fetched backwards:
 * the hash of each record is in the one behind it, so that nothing is kept which isn't of this log. */
#include "core/blobs/blob.h"
#include "core/internal.h"
#include "core/office/link.h"
#include "core/office/office.h"
#include "core/office/office_check.h"
#include "core/office/takeover.h"
#include "core/records/register.h"
#include "core/records/retention.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/standing/kept.h"
#include "wire/limits.h"

enum { SCRATCH_CAP = 8 * HS_FRAME_MAX };

bool hs_prefix_is_next(const Hanse__State__RoomView *view, uint64_t seq)
{
    return view != NULL && !view->hub && view->first_seq > 0 && seq == view->first_seq - 1;
}

void hs_prefix_apply(struct hs_turn *turn, struct hs_room_record *r)
{
    struct hs_stream_at place = {HS_STREAM_ROOM, r->room, r->header.seq};
    struct hs_kv_key at = hs_key_seq(HS_VIEW(r->room), r->header.seq);
    struct hs_kv_key body = hs_key2(HS_VIEW(r->room), HS_VIEW(r->header.body_hash));
    r->view->first_seq = r->header.seq;
    if (r->header.kind == HS_RECORD_HUB_MOVE)
        hs_kv_put(turn->kv, HS_T_OFFICE, hs_kv_key_bytes(&at), (struct hs_bytes){0});
    hs_journal_add(turn, &place);
    turn->core->stats.records++;
    if (hs_kv_has(turn->kv, HS_T_ROOM_LOG, hs_kv_key_bytes(&at)))
        return; /* an earlier copy has left it */
    hs_view_put(turn, HS_T_ROOM_LOG, &at, &r->entry->base);
    if (r->header.kind != HS_RECORD_POST) /* nobody here has one of these in an outbox */
        hs_number_put(turn, HS_T_BODY, &body, r->header.seq);
    r->view->log_bytes += protobuf_c_message_get_packed_size(&r->entry->base);
    hs_copy_apply(turn, r);
}

/* What the first record of the copy says of the one before it. */
static enum hs_err joint_of(struct hs_turn *turn, const struct hs_id *room,
                            const Hanse__State__RoomView *view, struct hs_record_header *out)
{
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, view->first_seq);
    HS_REQUIRE(entry != NULL, HS_ERR_STORE);
    return hs_record_header_parse(hs_pb_bytes(entry->header), out) == HS_OK ? HS_OK : HS_ERR_STORE;
}

void hs_prefix_entry(const Hanse__Tail *tail, size_t i, const struct hs_record_header *header,
                     uint64_t erased, Hanse__State__RoomEntry *out)
{
    const Hanse__Record *record = tail->records[i];
    hanse__state__room_entry__init(out);
    out->header = record->header;
    out->body = record->body;
    if (header->kind == HS_RECORD_HUB_MOVE) {
        out->head = record->head;
        out->descriptor = record->descriptor;
    }
    if (header->seq == 0)
        out->group_info = tail->group_info;
    if (header->kind != HS_RECORD_POST)
        return;
    if (header->seq < erased) { /* of what is too old this copy keeps the headers only */
        out->body = (ProtobufCBinaryData){0};
        return;
    }
    out->blobs = record->blobs;
    out->n_blobs = hs_blobs_hinted(record);
}

/* What is special about some kinds. named: by the HUB_MOVE before in the same batch. */
static enum hs_err check_kind(struct hs_turn *turn, const struct hs_room_record *r,
                              struct hs_hub_office *named)
{
    struct hs_hub_link link;
    HS_REQUIRE(r->header.kind == HS_RECORD_POST || r->entry->body.len > 0, HS_ERR_LOG_GAP);
    HS_REQUIRE((r->header.kind == HS_RECORD_GENESIS) == (r->header.seq == 0), HS_ERR_MALFORMED);
    if (r->header.kind == HS_RECORD_GENESIS)
        return hs_office_check(turn, r);
    if (r->header.kind != HS_RECORD_HUB_MOVE)
        return HS_OK;
    HS_TRY(hs_link_check(turn, &r->room, r->view, r->entry, &link));
    HS_REQUIRE(link.to.office.term <= hs_room_term(r->view), HS_ERR_MALFORMED);
    HS_REQUIRE(named->term != link.from.term || hs_key_equal(&named->root, &link.from.root),
               HS_ERR_BAD_CHAIN);
    *named = link.to.office;
    return HS_OK;
}

/* What an earlier copy has left is the same. */
static enum hs_err as_held(struct hs_turn *turn, const struct hs_room_record *r)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn reading = *turn;
    struct hs_record_header held;
    reading.arena = &scratch;
    Hanse__State__RoomEntry *entry = hs_room_entry(&reading, &r->room, r->header.seq);
    if (entry == NULL)
        return HS_OK;
    HS_REQUIRE(hs_record_header_parse(hs_pb_bytes(entry->header), &held) == HS_OK, HS_ERR_STORE);
    return hs_id_equal(&held.hash, &r->header.hash) ? HS_OK : HS_ERR_LOG_FORK;
}

static enum hs_err check_chain(struct hs_turn *turn, struct hs_room_record *r, const Hanse__Tail *tail,
                               struct hs_record_header *headers)
{
    struct hs_record_header joint;
    struct hs_hub_office named = {0};
    struct hs_log_tip tip = {.next_seq = r->view->first_seq - tail->n_records};
    HS_TRY(joint_of(turn, &r->room, r->view, &joint));
    HS_TRY(hs_record_header_parse(hs_pb_bytes(tail->records[0]->header), &headers[0]));
    if (tip.next_seq > 0)
        tip.hash = headers[0].prev;
    for (size_t i = 0; i < tail->n_records; i++) {
        const Hanse__Record *record = tail->records[i];
        Hanse__State__RoomEntry entry;
        HS_TRY(hs_log_check_next(&tip, &r->room, hs_pb_bytes(record->header), hs_pb_bytes(record->body),
                                 &headers[i]));
        hs_prefix_entry(tail, i, &headers[i], 0, &entry);
        r->header = headers[i];
        r->entry = &entry;
        HS_TRY(check_kind(turn, r, &named));
        HS_TRY(as_held(turn, r));
    }
    HS_REQUIRE(hs_id_equal(&tip.hash, &joint.prev), HS_ERR_LOG_FORK);
    return tip.hub_time.ms <= joint.hub_time.ms ? HS_OK : HS_ERR_MALFORMED;
}

enum hs_err hs_prefix_take(struct hs_turn *turn, const struct hs_id *room, const Hanse__Tail *tail)
{
    struct hs_room_record r = {.room = *room, .view = hs_room_view(turn, room)};
    struct hs_key hub;
    HS_REQUIRE(r.view != NULL && !r.view->hub && r.view->first_seq < r.view->next_seq, HS_ERR_ROOM_UNKNOWN);
    HS_REQUIRE(tail->n_records > 0 && tail->n_records <= r.view->first_seq, HS_ERR_LOG_GAP);
    struct hs_record_header *headers = hs_arena_alloc(turn->arena, tail->n_records * sizeof *headers);
    HS_REQUIRE(headers != NULL, HS_ERR_NOMEM);
    HS_TRY(check_chain(turn, &r, tail, headers));
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(r.view->hub_root), &hub), HS_ERR_STORE);
    HS_TRY(hs_kept_take(turn, &hub, hs_kept_size(tail->records, tail->n_records) + tail->group_info.len));
    struct hs_kv_key key = hs_register_key(HS_REGISTER_RETAINED, HS_VIEW(*room), (struct hs_bytes){0});
    struct hs_bytes retained = {0};
    (void)hs_register_get(turn, &key, &retained);
    for (size_t i = tail->n_records; i-- > 0;) {
        Hanse__State__RoomEntry entry;
        hs_prefix_entry(tail, i, &headers[i], hs_retained_parse(retained).erased, &entry);
        r.header = headers[i];
        r.entry = &entry;
        hs_prefix_apply(turn, &r);
    }
    hs_room_store(turn, room, r.view);
    return turn->kv->err;
}
