#include "core/recovery/recover.h"

#include "core/accounts/account.h"
#include "core/blobs/blob.h"
#include "core/dispatch.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/way.h"
#include "core/records/apply.h"
#include "core/records/layout.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "core/recovery/recovery.h"
#include "core/rooms/room_record.h"
#include "core/rooms/settle.h"
#include "core/rooms/wanted.h"
#include "core/standing/standing.h"
#include "object/object.h"
#include "room/head.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum {
    SCRATCH_CAP = 4 * HS_FRAME_MAX,
    ROOM_CAP = 8 * 1024 * 1024 /* what one room takes to go on: there may be thousands in a turn */
};

/* ---- what stands still ---- */

static struct hs_kv_key ledger_key(void)
{
    return hs_key_sub(HS_MISC_RESUMED, (struct hs_bytes){0}, (struct hs_bytes){0});
}

bool hs_recover_is_frozen(struct hs_turn *turn, const Hanse__State__RoomView *view)
{
    return view->hub && view->resumed < hs_restored_since(turn);
}

bool hs_recover_ledger_is_frozen(struct hs_turn *turn)
{
    struct hs_kv_key key = ledger_key();
    return hs_number_get(turn, HS_T_MISC, &key, NULL) < hs_restored_since(turn);
}

void hs_resumed_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                      const Hanse__State__StreamRecord *record)
{
    (void)at;
    struct hs_id room;
    struct hs_kv_key ledger = ledger_key();
    if (!HS_FIXED(hs_pb_bytes(record->resumed->room), &room)) {
        hs_number_put(turn, HS_T_MISC, &ledger, record->resumed->incarnation);
        return;
    }
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    if (view == NULL)
        return;
    view->resumed = record->resumed->incarnation;
    hs_room_store(turn, &room, view);
}

/* room NULL: the ledger. */
static void resume(struct hs_turn *whole, const struct hs_id *room)
{
    struct hs_arena HS_ARENA scratch = hs_arena(ROOM_CAP);
    struct hs_turn own = *whole, *turn = &own;
    own.arena = &scratch;
    Hanse__State__Resumed resumed = HANSE__STATE__RESUMED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    if (room != NULL)
        resumed.room = hs_pb_data(HS_VIEW(*room));
    resumed.incarnation = hs_restored_since(turn);
    record.resumed = &resumed;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_RESUMED;
    hs_stream_record(turn, HS_STREAM_NODE, HS_VIEW(*hs_turn_root(turn)), &record);
    const Hanse__State__UnsettledView *unsettled = room != NULL ? hs_unsettled_view(turn, room) : NULL;
    if (unsettled != NULL)
        (void)hs_settling_of(turn->core, room, unsettled, turn->now);
    if (room != NULL)
        hs_wanted_note(turn, room, hs_room_view(turn, room));
}

/* ---- what comes back ---- */

/* What was to come back is in the log. It is looked up there: a turn that brought it may have come to
 * nothing. */
static void forget_if_back(struct hs_turn *turn, struct hs_recovery *r, const Hanse__State__RoomView *view)
{
    hs_recovery_check(turn->core, r, view->next_seq);
    if (r->count > 0 && view->next_seq >= r->first + r->count) {
        hs_recovery_drop(turn->core, r);
        hs_recovery_again(r); /* what nobody could lead to the log's end leads there now, perhaps */
    }
}

void hs_recover_attached(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                         uint64_t next, bool known)
{
    struct hs_recovery *r = hs_recovery_get(turn, room);
    if (r == NULL)
        return;
    hs_recovery_check(turn->core, r, view->next_seq);
    hs_recovery_came(r, &turn->session->subscriber, next, known);
    hs_recovery_go_on(turn, r, view);
}

void hs_recover_ahead(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    Hanse__WantTail want = HANSE__WANT_TAIL__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    want.room = hs_pb_data(HS_VIEW(*room));
    want.from = view->next_seq;
    want.headers = true;
    frame.want_tail = &want;
    frame.body_case = HANSE__FRAME__BODY_WANT_TAIL;
    hs_turn_send(turn, turn->session, &frame);
}

/* A head that this node has signed in this room and term is one that the reader claims. One of a later term
 * leads nowhere, but the room can't be let go on in this one; others are nothing. */
static void take_head(struct hs_turn *turn, struct hs_recovery *r, struct hs_recover_reader *reader,
                      const Hanse__State__RoomView *view, const Hanse__SignedObject *object, size_t which)
{
    struct hs_descriptor by;
    struct hs_head head;
    struct hs_key key;
    if (object == NULL || hs_node_key_head(turn, hs_turn_root(turn), object, &r->room, &head) != HS_OK)
        return;
    if (head.hub_term == hs_room_term(view))
        hs_recovery_claim(r, reader, which, head.seq, &head.hash);
    else if (head.hub_term > r->term && hs_object_claimed_signer(object, 0, &key) &&
             hs_node_key_of(turn, hs_turn_root(turn), &key, &by) != NULL &&
             by.sequence >= hs_node_key_forgotten(turn, true))
        r->term = head.hub_term;
}

/* Readers keep the hub's descriptors. Those by which it signed what they show it may have had behind the
 * backup, and none of them is anybody's but its root's. */
static void recall_keys(struct hs_turn *turn, const Hanse__Tail *tail)
{
    for (size_t i = 0; i < tail->n_descriptors && i < HS_RECOVER_CLAIMS; i++)
        hs_node_key_recall(turn, tail->descriptors[i]);
}

/* Headers from the newest to the oldest: each proves the one before it. True where there was a new one. */
static bool take_headers(struct hs_turn *turn, struct hs_recovery *r, const Hanse__State__RoomView *view,
                         const Hanse__Tail *tail)
{
    struct hs_record_header header;
    bool moved = false;
    for (size_t i = tail->n_records; i > 0 && r->count > 0 && !r->proved; i--) {
        if (hs_record_header_parse(hs_pb_bytes(tail->records[i - 1]->header), &header) != HS_OK ||
            header.seq != r->low || !hs_id_equal(&header.room, &r->room) ||
            !hs_id_equal(&header.hash, &r->hashes[r->low - r->first]))
            continue;
        moved = true;
        if (r->low > r->first) {
            r->hashes[--r->low - r->first] = header.prev;
            continue;
        }
        r->proved = hs_bytes_equal(HS_VIEW(header.prev), hs_pb_bytes(view->hash));
        if (!r->proved) {
            hs_turn_log(turn, "event=recovery this node has signed another log of a room than it restored");
            hs_recovery_refute(turn->core, r);
        }
    }
    return moved;
}

/* The body isn't there any more, and that is as the room's policy has it at this place of the log: it is an
 * old post in a room that keeps posts for a time. Anybody can leave out a body, and it would be gone for
 * good. */
static bool may_be_erased(struct hs_turn *turn, const struct hs_id *room,
                          const struct hs_record_header *header)
{
    struct hs_policy policy;
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    return header->kind == HS_RECORD_POST && view != NULL && hs_room_policy(turn, view, &policy) == HS_OK &&
           policy.retention_ms > 0 && header->hub_time.ms <= turn->now.ms - policy.retention_ms;
}

static struct hs_bytes own_descriptor(struct hs_turn *turn)
{
    struct hs_bytes bytes = {0};
    enum hs_err err = hs_object_pack(turn->core->descriptor_object, turn->arena, &bytes);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err;
    return bytes;
}

/* What the post names. Anybody may have written these beside it: none gives the room what is another one's.
 */
static void take_hints(struct hs_turn *turn, const struct hs_id *room, const Hanse__Record *record,
                       Hanse__State__RoomEntry *entry)
{
    size_t count = hs_blobs_hinted(record);
    entry->blobs = count > 0 ? hs_arena_alloc(turn->arena, count * sizeof *entry->blobs) : NULL;
    for (size_t i = 0; entry->blobs != NULL && i < count; i++) {
        struct hs_id hash;
        bool fits = HS_FIXED(hs_pb_bytes(record->blobs[i]), &hash);
        if (fits && (hs_blob_view(turn, &hash) == NULL || hs_blob_in_room(turn, &hash, room)))
            entry->blobs[entry->n_blobs++] = record->blobs[i];
    }
    if (count > 0 && entry->blobs == NULL && turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
}

/* This hub's own end in the room, with what shows it to others: the head that comes with the record, by no
 * key that was replaced before the backup was made. */
static bool take_move(struct hs_turn *turn, const struct hs_id *room, const struct hs_record_header *header,
                      const Hanse__Record *record, Hanse__State__RoomEntry *entry)
{
    Hanse__SignedObject *object, *descriptor = NULL;
    struct hs_descriptor by;
    struct hs_bytes bytes;
    struct hs_head head;
    struct hs_key key;
    if (hs_object_unpack(hs_pb_bytes(record->head), turn->arena, &object) != HS_OK ||
        hs_node_key_head(turn, hs_turn_root(turn), object, room, &head) != HS_OK || head.seq != header->seq ||
        !hs_id_equal(&head.hash, &header->hash))
        return false;
    if (hs_object_claimed_signer(object, 0, &key))
        descriptor = hs_node_key_of(turn, hs_turn_root(turn), &key, &by);
    if (descriptor == NULL || by.sequence < hs_node_key_forgotten(turn, true) ||
        hs_object_pack(descriptor, turn->arena, &bytes) != HS_OK)
        return false;
    entry->head = record->head;
    entry->descriptor = hs_pb_data(bytes);
    return true;
}

/* With the HUB_MOVE this node is a follower of the hub that came after it. */
static void has_gone(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomEntry *entry)
{
    struct hs_kv_key kept = hs_register_key(HS_REGISTER_HEAD, HS_VIEW(*room), (struct hs_bytes){0});
    hs_register_put(turn, &kept, hs_pb_bytes(entry->head)); /* as any follower has one */
    hs_turn_log(turn, "event=hub-moved text=\"a restored room had moved away: it is followed from its hub\"");
    hs_office_moved(turn, room, hs_turn_root(turn));
}

/* Records from the log's end on. What they make of the room has been judged when they came first: an error
 * means that something else is wrong, and the turn comes to nothing. */
static bool take_records(struct hs_turn *turn, struct hs_recovery *r, Hanse__State__RoomView *view,
                         const Hanse__Tail *tail)
{
    struct hs_log_tip tip = {.next_seq = view->next_seq, .hub_time = {view->hub_time_ms}};
    bool moved = false;
    if (tail->headers || !HS_FIXED(hs_pb_bytes(view->hash), &tip.hash))
        return false;
    for (size_t i = 0; i < tail->n_records && tip.next_seq < r->first + r->count; i++) {
        struct hs_record_header header;
        Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
        const Hanse__Record *record = tail->records[i];
        if (hs_log_check_next(&tip, &r->room, hs_pb_bytes(record->header), hs_pb_bytes(record->body),
                              &header) != HS_OK)
            continue;
        if (!hs_id_equal(&header.hash, &r->hashes[header.seq - r->first]) ||
            (header.erased && !may_be_erased(turn, &r->room, &header)))
            return moved; /* what comes is no record of this log, or not all of it */
        entry.header = record->header;
        entry.body = record->body;
        entry.recovered = true;
        if (header.kind == HS_RECORD_POST && !header.erased)
            take_hints(turn, &r->room, record, &entry);
        if (header.kind == HS_RECORD_HOME_MOVE) /* who moved is told by whom, as when it came first */
            entry.descriptor = hs_pb_data(own_descriptor(turn));
        if (header.kind == HS_RECORD_HUB_MOVE && !take_move(turn, &r->room, &header, record, &entry))
            return moved;
        struct hs_time now = turn->now;
        turn->now = header.hub_time; /* as it was when it came first, and as it will be when it is replayed */
        enum hs_err err = hs_room_apply(turn, &r->room, header.seq, &entry);
        turn->now = now;
        if (err != HS_OK) {
            r->broken = err != HS_ERR_NOMEM && turn->kv->err == HS_OK;
            turn->kv->err = turn->kv->err != HS_OK ? turn->kv->err : HS_ERR_NOMEM;
            return false;
        }
        moved = true;
        if (header.kind == HS_RECORD_HUB_MOVE) {
            has_gone(turn, &r->room, &entry);
            break;
        }
    }
    return moved;
}

/* The turn in which a record couldn't be applied came to nothing; nor does it in the next one. */
static enum hs_err give_up(struct hs_turn *turn, struct hs_recovery *r)
{
    if (!r->told)
        hs_turn_log(turn, "event=recovery a record of a room can't be taken back; see hansed resume");
    r->told = true;
    return HS_OK;
}

enum hs_err hs_handle_tail(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                           uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Tail *tail = request->tail;
    struct hs_id room;
    HS_TAKE32(tail->room, &room);
    Hanse__State__RoomView *view = hs_room_view(turn, &room);
    struct hs_recovery *r = hs_recovery_of(turn->core, &room);
    struct hs_recover_reader *reader = r != NULL ? hs_recovery_reader(r, &turn->session->subscriber) : NULL;
    if (view != NULL && !view->hub) {
        hs_way_told(turn, &room, tail);
        return turn->kv->err;
    }
    if (view == NULL || reader == NULL || !hs_recover_is_frozen(turn, view))
        return HS_OK; /* too late, or not asked for */
    if (r->broken)
        return give_up(turn, r);
    forget_if_back(turn, r, view);
    recall_keys(turn, tail);
    take_head(turn, r, reader, view, tail->head, 0);
    take_head(turn, r, reader, view, tail->held, 1);
    hs_recovery_try(turn, r, view->next_seq);
    bool proving = !r->proved;
    bool moved = proving ? take_headers(turn, r, view, tail) : take_records(turn, r, view, tail);
    HS_REQUIRE(turn->kv->err == HS_OK, turn->kv->err);
    view = hs_room_view(turn, &room);
    HS_REQUIRE(view != NULL, HS_ERR_STORE);
    if (!view->hub)
        return HS_OK;
    hs_recovery_answered(r, reader, moved, view->next_seq);
    if (moved && turn->session->state == HS_SESSION_NODE && turn->session->standing == HS_STANDING_STRANGER)
        hs_standing_again(turn, turn->session); /* the log may say by now that it was invited */
    if (moved && r->proved && turn->now.ms + HS_RECOVER_PROOF_MS > r->until.ms)
        r->until.ms = turn->now.ms + HS_RECOVER_PROOF_MS;
    if (r->count == 0 || view->next_seq < r->first + r->count)
        hs_recovery_go_on(turn, r, view);
    return HS_OK;
}

/* ---- going on ---- */

/* Have all other nodes with members come, and at least half of the devices here, and is what they hold back?
 */
static bool enough_came(struct hs_turn *turn, const struct hs_recovery *r, uint64_t next_seq)
{
    struct hs_bytes prefix = HS_VIEW(r->room), key, value;
    struct hs_kv_key from = hs_key1(prefix);
    uint64_t here = 0, came = 0;
    if (HASH_COUNT(r->readers) == 0 || hs_recovery_lacks(r, next_seq))
        return false;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        Hanse__State__MemberView *member;
        struct hs_key home, persona;
        if (!hs_kv_next(turn->kv, HS_T_MEMBER, prefix, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return 2 * came >= here;
        from = hs_kv_after(key);
        if (HS_UNPACK(hanse__state__member_view, value, HS_LENIENT, &scratch, &member) != HS_OK ||
            !HS_FIXED(hs_pb_bytes(member->home_root), &home) ||
            !HS_FIXED(hs_bytes(key.data + prefix.len, key.len - prefix.len), &persona))
            return false;
        bool local = hs_key_equal(&home, hs_turn_root(turn));
        if (!local && !hs_recovery_is_content(r, &home, next_seq))
            return false;
        here += local ? 1 : 0;
        came += local && hs_persona_subscriber(turn, &persona, &home) &&
                        hs_recovery_is_content(r, &home, next_seq)
                    ? 1
                    : 0;
    }
}

/* A room that has moved isn't this node's to let go on, nor one of which it has signed a later term: there
 * would be two hubs. */
static bool has_moved(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    const struct hs_recovery *r = hs_recovery_of(turn->core, room);
    own.arena = &scratch;
    return (r != NULL && r->term > hs_room_term(view)) || hs_way_get(&own, room) != NULL;
}

/* It isn't enough: whoever has come is asked again. Only the operator can know more. */
static void wait_on(struct hs_turn *turn, struct hs_recovery *r, uint64_t next_seq)
{
    if (hs_recovery_lacks(r, next_seq) && !r->told) {
        r->told = true;
        hs_turn_log(turn, "event=recovery a reader shows that this node signed more of a room, and nobody "
                          "brings it; see hansed resume");
    }
    hs_recovery_again(r);
}

void hs_recover_tick(struct hs_turn *turn)
{
    size_t looked = 0;
    for (struct hs_recovery *r = turn->core->recoveries, *next; r != NULL && looked < HS_RECOVER_TICK;
         r = next) {
        next = r->hh.next;
        const Hanse__State__RoomView *view = hs_room_view(turn, &r->room);
        if (view == NULL || !hs_recover_is_frozen(turn, view)) {
            hs_recovery_free(turn->core, r);
            continue;
        }
        forget_if_back(turn, r, view);
        hs_recovery_go_on(turn, r, view);
        if (r->count > 0 || turn->now.ms - r->since.ms < turn->core->recover_ms)
            continue;
        looked++;
        r->since.ms = turn->now.ms - turn->core->recover_ms / 2; /* and again in half that time */
        if (!has_moved(turn, &r->room, view) && enough_came(turn, r, view->next_seq)) {
            resume(turn, &r->room);
            hs_turn_log(turn, "event=resumed a restored room goes on: all that its readers hold is back");
        } else {
            wait_on(turn, r, view->next_seq);
        }
    }
}

/* Calls resume for every room that stands still, or counts them. */
static uint64_t all_frozen(struct hs_turn *turn, bool resumes)
{
    struct hs_bytes key, value, none = {0};
    struct hs_kv_key from = {0};
    uint64_t count = 0;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        Hanse__State__RoomView *view;
        struct hs_id room;
        if (!hs_kv_next(turn->kv, HS_T_ROOM, none, hs_kv_key_bytes(&from), &scratch, &key, &value))
            return count;
        from = hs_kv_after(key);
        if (HS_UNPACK(hanse__state__room_view, value, HS_LENIENT, &scratch, &view) != HS_OK ||
            !hs_recover_is_frozen(turn, view) || !HS_FIXED(key, &room))
            continue;
        bool moved = has_moved(turn, &room, view);
        count += resumes && moved ? 0 : 1;
        if (resumes && !moved)
            resume(turn, &room);
    }
}

uint64_t hs_recover_count(struct hs_turn *turn)
{
    return hs_restored_since(turn) > 0 ? all_frozen(turn, false) : 0;
}

enum hs_err hs_recover_resume(struct hs_turn *turn, const struct hs_id *room)
{
    if (room == NULL) {
        bool ledger = hs_recover_ledger_is_frozen(turn);
        if (ledger)
            resume(turn, NULL);
        return all_frozen(turn, true) > 0 || ledger ? HS_OK : HS_ERR_NOT_FOUND;
    }
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    HS_REQUIRE(view != NULL && hs_recover_is_frozen(turn, view), HS_ERR_NOT_FOUND);
    HS_REQUIRE(!has_moved(turn, room, view), HS_ERR_HUB_MOVED);
    resume(turn, room);
    return HS_OK;
}
