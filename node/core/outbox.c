#include "core/outbox.h"

#include "core/inbox.h"
#include "core/internal.h"
#include "core/table.h"
#include "room/log.h"
#include "wire/unpack.h"

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

enum hs_err hs_outbox_put(struct hs_turn *turn, const struct hs_key *hub, const struct hs_id *room,
                          const Hanse__Frame *request)
{
    Hanse__State__QueuedRequest queued = HANSE__STATE__QUEUED_REQUEST__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    struct hs_id hash = hs_record_body_hash(hs_pb_bytes(request->submit_message->message));
    struct hs_bytes frame = hs_turn_pack(turn, &request->base);
    HS_REQUIRE(frame.len > 0, HS_ERR_NOMEM);
    queued.peer = hs_pb_data(HS_VIEW(*hub));
    queued.room = hs_pb_data(HS_VIEW(*room));
    queued.body_hash = hs_pb_data(HS_VIEW(hash));
    queued.subscriber = hs_pb_data(HS_VIEW(turn->session->subscriber));
    queued.frame = hs_pb_data(frame);
    record.queued = &queued;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_QUEUED;
    hs_stream_append(turn, HS_STREAM_OUTBOX, HS_VIEW(*hub), &record);
    return HS_OK;
}

bool hs_outbox_waits(struct hs_turn *turn, const struct hs_key *hub)
{
    struct hs_bytes key, value;
    struct hs_kv_key prefix = outbox_prefix(hub);
    struct hs_bytes p = hs_kv_key_bytes(&prefix);
    return hs_kv_next(turn->kv, HS_T_STREAM, p, p, turn->arena, &key, &value);
}

/* One post goes out; false where it can't. */
static bool send_post(struct hs_turn *turn, struct hs_peer *peer, uint64_t seq, struct hs_bytes value)
{
    Hanse__State__StreamRecord *record;
    Hanse__Frame *frame;
    struct hs_session *session = hs_session_find(&turn->core->sessions, peer->session);
    if (session == NULL ||
        HS_UNPACK(hanse__state__stream_record, value, HS_LENIENT, turn->arena, &record) != HS_OK ||
        record->queued == NULL ||
        HS_UNPACK(hanse__frame, hs_pb_bytes(record->queued->frame), HS_LENIENT, turn->arena, &frame) != HS_OK)
        return false;
    struct hs_asked *asked = hs_asked_add(peer);
    if (asked == NULL)
        return false;
    asked->is_post = true;
    asked->seq = seq;
    asked->id = frame->id = ++peer->last_id;
    peer->posts_asked++;
    hs_turn_send(turn, session, frame);
    return true;
}

void hs_outbox_send(struct hs_turn *turn, struct hs_peer *peer)
{
    struct hs_kv_key prefix = outbox_prefix(&peer->root), from = outbox_key(&peer->root, peer->outbox_next);
    struct hs_bytes key, value;
    while (peer->posts_asked < HS_OUTBOX_WINDOW &&
           hs_kv_next(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&prefix), hs_kv_key_bytes(&from), turn->arena,
                      &key, &value)) {
        uint64_t seq = hs_kv_u64(key);
        if (!send_post(turn, peer, seq, value))
            return;
        peer->outbox_next = seq + 1;
        from = outbox_key(&peer->root, peer->outbox_next);
    }
}

/* The sender learns of a refusal through its inbox; an acceptance it sees in the log. */
static void tell(struct hs_turn *turn, const Hanse__State__QueuedRequest *queued, Hanse__Error *error)
{
    struct hs_key subscriber;
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__OutcomeItem outcome = HANSE__OUTCOME_ITEM__INIT;
    outcome.room = queued->room;
    outcome.body_hash = queued->body_hash;
    outcome.error = error;
    item.outcome = &outcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_OUTCOME;
    if (HS_FIXED(hs_pb_bytes(queued->subscriber), &subscriber))
        hs_inbox_put(turn, &subscriber, &item);
}

void hs_outbox_answered(struct hs_turn *turn, struct hs_peer *peer, uint64_t seq, const Hanse__Frame *answer)
{
    struct hs_kv_key key = outbox_key(&peer->root, seq);
    Hanse__State__StreamRecord *record =
        (Hanse__State__StreamRecord *)HS_VIEW_GET(turn, HS_T_STREAM, &key, hanse__state__stream_record);
    bool refused = answer->body_case == HANSE__FRAME__BODY_ERROR;
    if (record == NULL || record->queued == NULL)
        return;
    if (refused && hs_err_is_transient(hs_err_from_wire(answer->error->code))) {
        if (seq < peer->outbox_next)
            peer->outbox_next = seq; /* once more, in order */
        peer->retry_at.ms = turn->now.ms + HS_RETRY_FIRST_MS;
        return;
    }
    if (refused)
        tell(turn, record->queued, answer->error);
    hs_kv_del(turn->kv, HS_T_STREAM, hs_kv_key_bytes(&key));
}
