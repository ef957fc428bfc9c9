#include "core/standing/kept.h"

#include "core/blobs/blob.h"
#include "core/blobs/upload.h"
#include "core/federation/peer.h"
#include "core/internal.h"
#include "core/records/stream.h"
#include "core/records/table.h"
#include "core/standing/guest.h"
#include "core/standing/standing.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 8 * HS_FRAME_MAX }; /* one room's view */

/* ---- what comes ---- */

/* What has come from one that is blocked now stays, and others may show the rest of it. */
static uint64_t most_of(struct hs_turn *turn, const struct hs_peer *peer)
{
    const struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    enum hs_peer_standing standing =
        session != NULL ? session->standing : hs_standing_of(turn, &peer->root, NULL);
    return hs_quota_of(standing == HS_STANDING_BLOCKED ? HS_STANDING_INVITED : standing)->kept;
}

/* More may be there than there is place for: a room has gone to the hub, or its standing was lowered. What
 * takes none comes then, too. */
static bool has_place(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes, uint64_t spare)
{
    const struct hs_peer *peer = hs_peer_find(&turn->core->peers, hub);
    if (peer == NULL || bytes == 0)
        return true;
    uint64_t most = most_of(turn, peer) / (peer->kept_known ? 1 : HS_KEPT_UNKNOWN);
    most -= spare > 0 ? most / spare : 0;
    return peer->kept <= most && bytes <= most - peer->kept;
}

/* Is a lap? One that begins finds all that has come before. */
static bool is_under_way(const struct hs_core *core)
{
    return core->kept_of > 0 || core->kept_from.len > 0;
}

bool hs_kept_is_nothing(struct hs_turn *turn, const struct hs_key *hub, uint64_t copies)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*hub));
    return !hs_kv_has(turn->kv, HS_T_PEER, hs_kv_key_bytes(&key)) && hs_copies_count(turn, hub) <= copies &&
           turn->kv->err == HS_OK;
}

void hs_kept_count(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes)
{
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, hub);
    if (peer == NULL)
        return;
    peer->kept += bytes;
    if (is_under_way(turn->core))
        peer->kept_so_far += bytes; /* the lap may have passed by where it lies */
}

bool hs_kept_has_place(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes)
{
    return has_place(turn, hub, bytes, 0);
}

enum hs_err hs_kept_take(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes)
{
    HS_REQUIRE(has_place(turn, hub, bytes, 0), HS_ERR_QUOTA);
    hs_kept_count(turn, hub, bytes);
    return HS_OK;
}

enum hs_err hs_kept_take_file(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes)
{
    HS_REQUIRE(has_place(turn, hub, bytes, HS_KEPT_SPARE), HS_ERR_QUOTA);
    hs_kept_count(turn, hub, bytes);
    return HS_OK;
}

uint64_t hs_kept_size(Hanse__Record *const *records, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += records[i]->header.len + records[i]->body.len;
    return bytes;
}

enum hs_err hs_kept_check_sent(struct hs_turn *turn, uint64_t bytes)
{
    const struct hs_key *hub = &turn->session->subscriber;
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, hub);
    bool fits = has_place(turn, hub, bytes, 0);
    if (!fits && peer != NULL)
        peer->not_before.ms = turn->now.ms + HS_HUB_PAUSE_MS;
    return fits ? HS_OK : HS_ERR_QUOTA;
}

enum hs_err hs_kept_take_sent(struct hs_turn *turn, const Hanse__Records *records)
{
    uint64_t bytes = hs_kept_size(records->records, records->n_records);
    HS_TRY(hs_kept_check_sent(turn, bytes));
    hs_kept_count(turn, &turn->session->subscriber, bytes);
    return HS_OK;
}

/* ---- what is there ---- */

static void counted(struct hs_turn *turn, const struct hs_key *hub, uint64_t bytes)
{
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, hub);
    if (peer != NULL)
        peer->kept_so_far += bytes;
}

/* Whose copy the room is; false where it is no copy. */
static bool hub_of(struct hs_turn *turn, const struct hs_id *room, struct hs_key *hub)
{
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    return view != NULL && !view->hub && HS_FIXED(hs_pb_bytes(view->hub_root), hub);
}

static bool count_room(struct hs_turn *turn, struct hs_kv_key *from)
{
    struct hs_bytes key, value, none = {0};
    Hanse__State__RoomView *view;
    struct hs_key hub;
    if (!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(from), turn->arena, &key, &value))
        return false;
    *from = hs_kv_after(key);
    if (HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, turn->arena, &view) == HS_OK && !view->hub &&
        HS_FIXED(hs_pb_bytes(view->hub_root), &hub))
        counted(turn, &hub, view->log_bytes);
    return true;
}

/* An attachment, or a Welcome's tree: in each of the hub's rooms that has it. What somebody here has brought
 * counts for that one instead, whether the hub has it yet or not. */
static bool count_blob(struct hs_turn *turn, struct hs_kv_key *from)
{
    struct hs_id hash, room;
    struct hs_key hub;
    if (!hs_blob_room_next(turn, from, &hash, &room))
        return false;
    const Hanse__State__BlobView *view = hs_blob_view(turn, &hash);
    bool whole = view != NULL && (view->state == HS_BLOB_FILE || view->state == HS_BLOB_KEPT);
    bool put = hs_blob_is_at_hub(turn, &hash, &room) || hs_quota_waits(turn, &hash, &room);
    if (whole && !put && hub_of(turn, &room, &hub))
        counted(turn, &hub, view->size);
    return true;
}

/* A part of an attachment: as much as may be there of it. */
static bool count_part(struct hs_turn *turn, struct hs_kv_key *from)
{
    struct hs_upload upload;
    struct hs_key hub;
    uint64_t size;
    if (!hs_upload_next(turn, from, &upload, &size))
        return false;
    if (hs_upload_is_fetch(&upload) && hub_of(turn, &upload.room, &hub))
        counted(turn, &hub, size);
    return true;
}

static bool count_tree(struct hs_turn *turn, struct hs_kv_key *from)
{
    struct hs_key hub;
    uint64_t have;
    if (!hs_fetch_next(turn, from, &hub, &have))
        return false;
    counted(turn, &hub, have);
    return true;
}

/* What records here say of an item that it brought: all of it, or what stays once nobody needs the rest. */
static bool count_item(struct hs_turn *turn, struct hs_kv_key *from)
{
    const uint8_t stream = HS_STREAM_PEER;
    struct hs_bytes prefix = hs_bytes(&stream, 1), key, value;
    Hanse__State__StreamRecord *record;
    struct hs_stream_at at;
    struct hs_key hub;
    if (!hs_kv_next(turn->kv, HS_T_STREAM, prefix, from->len > 0 ? hs_kv_key_bytes(from) : prefix,
                    turn->arena, &key, &value))
        return false;
    *from = hs_kv_after(key);
    if (HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, turn->arena, &record) == HS_OK &&
        record->body_case == HANSE__STATE__STREAM_RECORD__BODY_HANDED_ON && hs_stream_at_parse(key, &at) &&
        HS_FIXED(HS_VIEW(at.id), &hub))
        counted(turn, &hub, record->handed_on->item.len);
    return true;
}

/* What a lap goes through; false at the end of one of them. */
static bool (*const counts[])(struct hs_turn *turn, struct hs_kv_key *from) = {
    count_room, count_blob, count_part, count_tree, count_item};

/* Returns how many rows are looked at. Only what a hub that is followed may bring is worth a fast lap. */
static size_t begin_tick(const struct hs_core *core)
{
    bool begins = !is_under_way(core), known = true;
    for (struct hs_peer *peer = core->peers.list; peer != NULL; peer = peer->next) {
        peer->kept_whole = peer->kept_whole || (begins && peer->followed);
        known = known && (peer->kept_known || !peer->followed);
    }
    return known && !core->kept_twice ? HS_KEPT_ROWS : HS_KEPT_ROWS_FIRST;
}

/* What came during a lap counts twice in it, perhaps, and a hub that isn't known, or wasn't followed before,
 * brings most then: the next lap is a fast one too. That is so once for each hub that is followed. */
static void end_lap(struct hs_core *core)
{
    core->kept_of = 0;
    core->kept_twice = false;
    for (struct hs_peer *peer = core->peers.list; peer != NULL; peer = peer->next) {
        bool was_known = peer->kept_known && peer->kept_whole;
        peer->kept = peer->kept_so_far;
        peer->kept_so_far = 0;
        core->kept_twice = core->kept_twice || (peer->followed && !was_known);
        peer->kept_known = peer->kept_known || peer->kept_whole;
    }
}

void hs_kept_tick(struct hs_turn *turn)
{
    struct hs_core *core = turn->core;
    size_t rows = begin_tick(core);
    for (size_t i = 0; i < rows && turn->kv->err == HS_OK; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        own.arena = &scratch;
        if (counts[core->kept_of](&own, &core->kept_from) || turn->kv->err != HS_OK)
            continue;
        core->kept_from.len = 0;
        if (++core->kept_of < sizeof counts / sizeof *counts)
            continue;
        end_lap(core);
        return;
    }
}
