#include "core/federation/outbox.h"

#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/table.h"
#include "core/rooms/room_record.h"
#include "room/log.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdlib.h>

/* The stream of the outbox holds its records until they are answered; the number runs on. */
static struct hs_kv_key outbox_prefix(const struct hs_key *hub)
{
    uint8_t kind = HS_STREAM_OUTBOX;
    return hs_key2(hs_bytes(&kind, 1), HS_VIEW(*hub));
}

static struct hs_kv_key outbox_key(const struct hs_key *hub, uint64_t seq)
{
    struct hs_kv_key key = outbox_prefix(hub);
    hs_kv_key_add_u64(&key, seq);
    return key;
}

/* One record at a time: an outbox must not take the turn's memory. */
enum { SCRATCH_CAP = 8 * HS_FRAME_MAX };

static struct hs_kv_key queued_key(struct hs_bytes room, struct hs_bytes body_hash)
{
    return hs_key_sub(HS_MISC_QUEUED, room, body_hash);
}

uint64_t hs_outbox_count(struct hs_turn *turn, const struct hs_key *hub)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes key;
    struct hs_kv_key prefix = outbox_prefix(hub);
    struct hs_bytes p = hs_kv_key_bytes(&prefix);
    if (!hs_kv_next(turn->kv, HS_T_STREAM, p, p, &scratch, &key, NULL))
        return 0;
    return hs_number_get(turn, HS_T_STREAM_NEXT, &prefix, NULL) - hs_kv_u64(key);
}

enum hs_err hs_outbox_put(struct hs_turn *turn, const struct hs_key *hub, const struct hs_id *room,
                          const Hanse__Frame *request)
{
    Hanse__State__QueuedRequest queued = HANSE__STATE__QUEUED_REQUEST__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    struct hs_id hash = hs_record_body_hash(hs_pb_bytes(request->submit_message->message));
    struct hs_kv_key index = queued_key(HS_VIEW(*room), HS_VIEW(hash));
    if (hs_kv_has(turn->kv, HS_T_MISC, hs_kv_key_bytes(&index)))
        return HS_OK;
    HS_REQUIRE(hs_outbox_count(turn, hub) < HS_OUTBOX_MAX, HS_ERR_BUSY);
    HS_REQUIRE(!hs_inbox_is_full(turn, &turn->session->subscriber), HS_ERR_BUSY);
    struct hs_bytes frame = hs_turn_pack(turn, &request->base);
    HS_REQUIRE(frame.len > 0, HS_ERR_NOMEM);
    queued.peer = hs_pb_data(HS_VIEW(*hub));
    queued.room = hs_pb_data(HS_VIEW(*room));
    queued.body_hash = hs_pb_data(HS_VIEW(hash));
    queued.subscriber = hs_pb_data(HS_VIEW(turn->session->subscriber));
    queued.frame = hs_pb_data(frame);
    record.queued = &queued;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_QUEUED;
    hs_stream_record(turn, HS_STREAM_OUTBOX, HS_VIEW(*hub), &record);
    return HS_OK;
}

bool hs_outbox_waits(struct hs_turn *turn, const struct hs_key *hub)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes key, value;
    struct hs_kv_key prefix = outbox_prefix(hub);
    struct hs_bytes p = hs_kv_key_bytes(&prefix);
    return hs_kv_next(turn->kv, HS_T_STREAM, p, p, &scratch, &key, &value);
}

static struct hs_post_sent *sent_add(struct hs_peer *peer, size_t len)
{
    struct hs_post_sent *sent = calloc(1, sizeof *sent);
    if (sent == NULL)
        return NULL;
    if (peer->posts == NULL)
        peer->posts = sent;
    else
        peer->last_post->next = sent;
    peer->last_post = sent;
    sent->len = len;
    peer->post_count++;
    peer->post_bytes += len;
    return sent;
}

/* The post that was sent with this id is answered: its number in the outbox. False where there is none. The
 * hub answers in order, so it is the first one as a rule. */
static bool sent_take(struct hs_peer *peer, uint64_t id, uint64_t *seq)
{
    struct hs_post_sent **at = &peer->posts, *before = NULL;
    while (*at != NULL && (*at)->id != id) {
        before = *at;
        at = &before->next;
    }
    struct hs_post_sent *sent = *at;
    if (sent == NULL)
        return false;
    *at = sent->next;
    if (peer->last_post == sent)
        peer->last_post = before;
    peer->post_count--;
    peer->post_bytes -= sent->len;
    *seq = sent->seq;
    free(sent);
    return true;
}

void hs_outbox_restart(struct hs_peer *peer)
{
    uint64_t seq;
    while (peer->posts != NULL)
        (void)sent_take(peer, peer->posts->id, &seq);
    peer->outbox_next = 0;
}

/* The next post goes out; false where there is none, or it can't. */
static bool send_post(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key prefix = outbox_prefix(&peer->root), from = outbox_key(&peer->root, peer->outbox_next);
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    struct hs_bytes key, value;
    Hanse__State__StreamRecord *record;
    Hanse__Frame *frame;
    if (session == NULL ||
        !hs_kv_next(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(&from), &scratch, &key,
                    &value) ||
        HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, &scratch, &record) != HS_OK ||
        record->queued == NULL ||
        HS_UNPACK(hanse__frame, hs_pb_bytes(record->queued->frame), HS_LENIENT, &scratch, &frame) != HS_OK)
        return false;
    size_t len = record->queued->frame.len;
    if (peer->posts != NULL && peer->post_bytes + len > HS_OUTBOX_WINDOW_BYTES)
        return false;
    struct hs_post_sent *sent = sent_add(peer, len);
    if (sent == NULL)
        return false;
    sent->deadline.ms = turn->now.ms + HS_POST_MS;
    sent->seq = hs_kv_u64(key);
    sent->id = frame->id = ++peer->last_id;
    peer->outbox_next = sent->seq + 1;
    hs_turn_send(turn, session, frame);
    return true;
}

void hs_outbox_send(struct hs_turn *turn, struct hs_peer *peer)
{
    bool more = turn->now.ms >= peer->outbox_at.ms;
    if (more)
        peer->outbox_at.ms = 0;
    while (more && peer->post_count < peer->window)
        more = send_post(turn, peer);
}

/* A post that was answered is gone from the stream, which holds what waits. */
static void forget(struct hs_turn *turn, struct hs_bytes hub, uint64_t seq, struct hs_bytes room,
                   struct hs_bytes body_hash)
{
    struct hs_stream_at at = {.stream = HS_STREAM_OUTBOX, .seq = seq};
    struct hs_kv_key index = queued_key(room, body_hash);
    struct hs_bytes numbers;
    if (!HS_FIXED(hub, &at.id))
        return;
    struct hs_kv_key key = hs_stream_key(&at);
    hs_kv_del(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&key));
    if (hs_kv_get(turn->kv, HS_T_MISC, hs_kv_key_bytes(&index), turn->arena, &numbers) && numbers.len == 16 &&
        hs_kv_u64(numbers) == seq)
        hs_journal_drop(turn, &at, hs_kv_u64(hs_bytes(numbers.data, 8)));
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&index));
}

void hs_queued_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                     const Hanse__State__StreamRecord *record)
{
    const Hanse__State__QueuedRequest *queued = record->queued;
    struct hs_kv_key index = queued_key(hs_pb_bytes(queued->room), hs_pb_bytes(queued->body_hash));
    struct hs_kv_key numbers = {0};
    hs_kv_key_add_u64(&numbers, hs_journal_next(turn) - 1);
    hs_kv_key_add_u64(&numbers, at->seq);
    hs_kv_put(turn->kv, HS_T_MISC, hs_kv_key_bytes(&index), hs_kv_key_bytes(&numbers));
}

/* The sender learns of a refusal through its inbox; an acceptance it sees in the log. */
void hs_refused_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                      const Hanse__State__StreamRecord *record)
{
    const Hanse__State__PostRefused *refused = record->refused;
    struct hs_key subscriber = {0};
    Hanse__Error error = HANSE__ERROR__INIT; /* in our words: the hub's may be of any length */
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__OutcomeItem outcome = HANSE__OUTCOME_ITEM__INIT;
    memcpy(subscriber.b, at->id.b, sizeof subscriber.b);
    if (record->passed > 0) {
        hs_inbox_pass(turn, &subscriber, record->passed);
        return;
    }
    error.code = refused->code;
    error.message = (char *)(uintptr_t)hs_err_text(hs_err_from_wire(refused->code));
    error.detail = refused->detail;
    outcome.room = refused->room;
    outcome.body_hash = refused->body_hash;
    outcome.error = &error;
    item.outcome = &outcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_OUTCOME;
    hs_inbox_put_from(turn, &subscriber, &item, at);
    forget(turn, hs_pb_bytes(refused->hub), refused->queued_seq, hs_pb_bytes(refused->room),
           hs_pb_bytes(refused->body_hash));
}

static void refuse(struct hs_turn *turn, const struct hs_peer *peer, uint64_t seq,
                   const Hanse__State__QueuedRequest *queued, const Hanse__Error *why)
{
    Hanse__State__PostRefused refused = HANSE__STATE__POST_REFUSED__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    refused.hub = hs_pb_data(HS_VIEW(peer->root));
    refused.queued_seq = seq;
    refused.room = queued->room;
    refused.body_hash = queued->body_hash;
    refused.code = hs_err_to_wire(hs_err_from_wire(why->code));
    refused.detail = why->detail;
    record.refused = &refused;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_REFUSED;
    hs_stream_record(turn, HS_STREAM_DEVICE, hs_pb_bytes(queued->subscriber), &record);
}

/* Every post that waits for that hub, for one room. */
static bool next_of_room(struct hs_turn *turn, const struct hs_key *hub, const struct hs_id *room,
                         struct hs_kv_key *from, struct hs_arena *scratch, uint64_t *seq,
                         Hanse__State__StreamRecord **record)
{
    struct hs_kv_key prefix = outbox_prefix(hub);
    struct hs_bytes key, value;
    for (;;) {
        hs_arena_free(scratch);
        *scratch = hs_arena(SCRATCH_CAP);
        if (turn->kv->err != HS_OK || !hs_kv_next(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&prefix),
                                                  hs_kv_key_bytes(from), scratch, &key, &value))
            return false;
        *from = hs_kv_after(key);
        *seq = hs_kv_u64(key);
        if (HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, scratch, record) == HS_OK &&
            (*record)->queued != NULL && hs_bytes_equal(hs_pb_bytes((*record)->queued->room), HS_VIEW(*room)))
            return true;
    }
}

/* In their order, and before anything that is queued from now on. What the former hub took is in the log. */
void hs_outbox_move(struct hs_turn *turn, const struct hs_key *from, const struct hs_key *to,
                    const struct hs_id *room)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key at = outbox_prefix(from);
    Hanse__State__StreamRecord *record;
    uint64_t seq, known;
    while (next_of_room(turn, from, room, &at, &scratch, &seq, &record)) {
        Hanse__State__QueuedRequest *queued = record->queued;
        struct hs_id hash;
        bool taken =
            HS_FIXED(hs_pb_bytes(queued->body_hash), &hash) && hs_room_find_body(turn, room, &hash, &known);
        forget(turn, HS_VIEW(*from), seq, hs_pb_bytes(queued->room), hs_pb_bytes(queued->body_hash));
        if (taken)
            continue;
        queued->peer = hs_pb_data(HS_VIEW(*to));
        hs_stream_record(turn, HS_STREAM_OUTBOX, HS_VIEW(*to), record);
    }
}

void hs_outbox_take(struct hs_turn *turn, const struct hs_key *from, const struct hs_id *room)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key at = outbox_prefix(from);
    const struct hs_peer former = {.root = *from};
    Hanse__State__StreamRecord *record;
    uint64_t seq;
    while (next_of_room(turn, from, room, &at, &scratch, &seq, &record)) {
        struct hs_arena HS_ARENA own = hs_arena(16 * HS_FRAME_MAX);
        struct hs_turn one = *turn;
        Hanse__State__QueuedRequest *queued = record->queued;
        Hanse__Error why = HANSE__ERROR__INIT;
        Hanse__Frame *frame;
        one.arena = &own;
        enum hs_err err = HS_UNPACK(hanse__frame, hs_pb_bytes(queued->frame), HS_LENIENT, &own, &frame);
        if (err == HS_OK)
            err = frame->submit_message != NULL ? hs_post_queued(&one, room, frame->submit_message)
                                                : HS_ERR_UNEXPECTED;
        why.code = hs_err_to_wire(err);
        const Hanse__State__RoomView *view = hs_room_view(&one, room);
        why.detail = view != NULL ? view->epoch : 0;
        if (err == HS_OK)
            forget(&one, HS_VIEW(*from), seq, hs_pb_bytes(queued->room), hs_pb_bytes(queued->body_hash));
        else if (turn->kv->err == HS_OK)
            refuse(&one, &former, seq, queued, &why);
    }
}

/* One more may be under way after each that was taken, half as many where the hub has no room for them. */
static void widen(struct hs_peer *peer, bool taken)
{
    if (taken && peer->window < HS_OUTBOX_WINDOW_MAX)
        peer->window++;
    if (!taken && peer->window >= 2 * HS_OUTBOX_WINDOW_FIRST)
        peer->window /= 2;
}

bool hs_outbox_answered(struct hs_turn *turn, struct hs_peer *peer, const Hanse__Frame *answer)
{
    uint64_t seq;
    if (!sent_take(peer, answer->id, &seq))
        return false;
    struct hs_kv_key key = outbox_key(&peer->root, seq);
    Hanse__State__StreamRecord *record =
        (Hanse__State__StreamRecord *)HS_VIEW_GET(turn, HS_T_STREAM, &key, hanse__state__stream_record);
    bool refused = answer->body_case == HANSE__FRAME__BODY_ERROR;
    if (record == NULL || record->queued == NULL)
        return true;
    bool later = refused && hs_err_is_transient(hs_err_from_wire(answer->error->code));
    widen(peer, !later);
    if (later) {
        if (seq < peer->outbox_next)
            peer->outbox_next = seq; /* once more, in order */
        peer->outbox_at.ms = turn->now.ms + HS_RETRY_FIRST_MS;
        return true;
    }
    if (refused)
        refuse(turn, peer, seq, record->queued, answer->error);
    else
        forget(turn, HS_VIEW(peer->root), seq, hs_pb_bytes(record->queued->room),
               hs_pb_bytes(record->queued->body_hash));
    return true;
}
