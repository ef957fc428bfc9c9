#include "acks.h"

#include "fault.h"
#include "net/conn.h"
#include "room/log.h"
#include "schema/link.pb-c.h"
#include "sync/sync.h"
#include "wire/unpack.h"

#include <stdlib.h>

enum { FRAME_CAP = 4 << 20 };

struct acks_client *acks_current;
void (*acks_told)(const struct ack *ack);
struct ack *acks;
size_t acks_count;
static size_t acks_size;

enum hs_err __real_hs_conn_send(struct hs_conn *conn, struct hs_bytes frame);
enum hs_err __wrap_hs_conn_send(struct hs_conn *conn, struct hs_bytes frame);
enum hs_err __real_hs_sync_frame(struct hs_step *s, struct hs_bytes bytes);
enum hs_err __wrap_hs_sync_frame(struct hs_step *s, struct hs_bytes bytes);

static struct hs_bytes view(ProtobufCBinaryData data)
{
    return hs_bytes(data.data, data.len);
}

static void ack_add(struct ack ack)
{
    if (acks_count == acks_size) {
        acks_size = acks_size == 0 ? 1024 : 2 * acks_size;
        acks = realloc(acks, acks_size * sizeof *acks);
        FAULT_CHECK(acks != NULL, "no memory");
    }
    acks[acks_count++] = ack;
    if (acks_told != NULL)
        acks_told(&ack);
}

/* The frame, and where it is wrapped for another node, what is in there. */
static Hanse__Frame *unpack(struct hs_bytes bytes, struct hs_arena *arena, uint64_t *id)
{
    Hanse__Frame *frame = NULL;
    if (HS_UNPACK(hanse__frame, bytes, HS_LENIENT, arena, &frame) != HS_OK)
        return NULL;
    *id = frame->id;
    struct hs_bytes inner = {0};
    if (frame->body_case == HANSE__FRAME__BODY_FORWARD)
        inner = view(frame->forward->frame);
    if (frame->body_case == HANSE__FRAME__BODY_FORWARDED)
        inner = view(frame->forwarded->frame);
    if (inner.len > 0 && HS_UNPACK(hanse__frame, inner, HS_LENIENT, arena, &frame) != HS_OK)
        return NULL;
    return frame;
}

enum hs_err __wrap_hs_conn_send(struct hs_conn *conn, struct hs_bytes bytes)
{
    struct acks_client *c = acks_current;
    struct hs_arena HS_ARENA arena = hs_arena(FRAME_CAP);
    struct hs_bytes body = {0};
    uint64_t id = 0;
    const Hanse__Frame *frame = unpack(bytes, &arena, &id);
    if (frame != NULL && frame->body_case == HANSE__FRAME__BODY_SUBMIT_MESSAGE)
        body = view(frame->submit_message->message);
    if (frame != NULL && frame->body_case == HANSE__FRAME__BODY_SUBMIT_COMMIT)
        body = view(frame->submit_commit->commit);
    if (c != NULL && body.len > 0) {
        size_t at = c->next++ % ACKS_ASKED;
        c->asked[at].id = id;
        c->asked[at].body = hs_record_body_hash(body);
    }
    return __real_hs_conn_send(conn, bytes);
}

static void answered(struct acks_client *c, uint64_t id, bool queued)
{
    for (size_t i = 0; i < ACKS_ASKED; i++)
        if (c->asked[i].id == id && id != 0) {
            ack_add((struct ack){.body = c->asked[i].body, .node = c->node, .queued = queued});
            c->asked[i].id = 0;
        }
}

/* A post that the hub refused isn't lost: its sender knows. */
static void outcomes(const Hanse__Inbox *inbox)
{
    for (size_t i = 0; i < inbox->n_items; i++) {
        const Hanse__InboxItem *item = inbox->items[i];
        struct hs_id body;
        if (item->body_case != HANSE__INBOX_ITEM__BODY_OUTCOME ||
            !HS_FIXED(view(item->outcome->body_hash), &body))
            continue;
        for (size_t k = acks_count; k > 0; k--)
            if (hs_id_equal(&acks[k - 1].body, &body) && !acks[k - 1].refused) {
                acks[k - 1].refused = true;
                if (acks_told != NULL)
                    acks_told(&acks[k - 1]);
            }
    }
}

static void refused(struct acks_client *c, const Hanse__Error *error)
{
    if (hs_err_from_wire(error->code) != HS_ERR_BUSY)
        return;
    c->busy++;
    c->busy_alone += error->retry_after_ms == 0 ? 1 : 0;
}

enum hs_err __wrap_hs_sync_frame(struct hs_step *s, struct hs_bytes bytes)
{
    struct acks_client *c = acks_current;
    struct hs_arena HS_ARENA arena = hs_arena(FRAME_CAP);
    uint64_t id = 0;
    const Hanse__Frame *frame = c != NULL ? unpack(bytes, &arena, &id) : NULL;
    if (frame != NULL) {
        c->frames++;
        if (frame->body_case == HANSE__FRAME__BODY_ACCEPTED)
            answered(c, id, false);
        if (frame->body_case == HANSE__FRAME__BODY_QUEUED)
            answered(c, id, true);
        if (frame->body_case == HANSE__FRAME__BODY_INBOX)
            outcomes(frame->inbox);
        if (frame->body_case == HANSE__FRAME__BODY_ERROR)
            refused(c, frame->error);
    }
    return __real_hs_sync_frame(s, bytes);
}
