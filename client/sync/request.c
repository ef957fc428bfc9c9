#include "sync/state.h"

#include "wire/unpack.h"

/* A Frame whose id comes in front: protobuf fields stand in the order of their numbers, and the id is the
 * first. */
static enum hs_err send_with_id(struct hs_step *s, uint64_t id, struct hs_bytes frame)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX);
    if (id != 0) {
        hs_write_u8(&w, 0x08);
        hs_write_pb_varint(&w, id);
    }
    hs_write_bytes(&w, frame);
    HS_TRY(w.err);
    return hs_out_frame(s, hs_writer_bytes(&w));
}

enum hs_err hs_frame_pack(struct hs_step *s, const Hanse__Frame *frame, struct hs_bytes *out)
{
    enum { ID_LEN = 11 }; /* tag and the longest varint */
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX - ID_LEN);
    HS_TRY(HS_PACK(frame, &w));
    *out = hs_arena_copy(s->arena, hs_writer_bytes(&w));
    return out->data != NULL ? HS_OK : HS_ERR_NOMEM;
}

static struct hs_request *slot_find(struct hs_sync *sync, uint64_t id)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].id == id)
            return &sync->requests[i];
    return NULL;
}

static enum hs_err remember(struct hs_step *s, const struct hs_request *request, bool forwarded, uint64_t *id)
{
    struct hs_request *slot = slot_find(s->sync, 0);
    HS_REQUIRE(slot != NULL, HS_ERR_BUSY);
    *slot = *request;
    slot->id = *id = ++s->sync->next_request;
    slot->sent = s->now;
    slot->forwarded = forwarded;
    return HS_OK;
}

enum hs_err hs_request_send_packed(struct hs_step *s, struct hs_bytes frame, const struct hs_request *request)
{
    uint64_t id;
    HS_TRY(remember(s, request, false, &id));
    return send_with_id(s, id, frame);
}

enum hs_err hs_request_send(struct hs_step *s, Hanse__Frame *frame, const struct hs_request *request)
{
    struct hs_bytes packed;
    HS_TRY(hs_frame_pack(s, frame, &packed));
    return hs_request_send_packed(s, packed, request);
}

/* Where a descriptor says that its node is; none where it is empty. */
static enum hs_err addresses_of(struct hs_step *s, struct hs_bytes bytes, Hanse__Forward *forward)
{
    if (bytes.len == 0)
        return HS_OK;
    Hanse__SignedObject *object;
    struct hs_descriptor *d = hs_arena_alloc(s->arena, sizeof *d);
    char **list = hs_arena_alloc(s->arena, HS_DESCRIPTOR_ADDRESSES * sizeof *list);
    HS_REQUIRE(d != NULL && list != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_object_unpack(bytes, s->arena, &object));
    HS_TRY(hs_descriptor_open(object, NULL, d));
    for (size_t i = 0; i < d->address_count; i++)
        list[i] = d->addresses[i];
    forward->addresses = list;
    forward->n_addresses = d->address_count;
    return HS_OK;
}

enum hs_err hs_request_forward(struct hs_step *s, const struct hs_key *root, Hanse__Forward *forward,
                               Hanse__Frame *frame, const struct hs_request *request)
{
    struct hs_bytes inner;
    uint64_t id;
    frame->id = 1;
    HS_TRY(hs_frame_pack(s, frame, &inner));
    forward->node_root = hs_pb_data(HS_VIEW(*root));
    forward->frame = hs_pb_data(inner);
    Hanse__Frame outer = HANSE__FRAME__INIT;
    outer.body_case = HANSE__FRAME__BODY_FORWARD;
    outer.forward = forward;
    struct hs_bytes packed;
    HS_TRY(hs_frame_pack(s, &outer, &packed));
    HS_TRY(remember(s, request, true, &id));
    return send_with_id(s, id, packed);
}

enum hs_err hs_request_send_to(struct hs_step *s, const struct hs_key *root, struct hs_bytes descriptor,
                               Hanse__Frame *frame, const struct hs_request *request)
{
    if (hs_root_is_home(s->sync, root))
        return hs_request_send(s, frame, request);
    Hanse__Forward forward = HANSE__FORWARD__INIT;
    HS_TRY(addresses_of(s, descriptor, &forward));
    return hs_request_forward(s, root, &forward, frame, request);
}

enum hs_err hs_notify(struct hs_step *s, Hanse__Frame *frame)
{
    struct hs_bytes packed;
    HS_TRY(hs_frame_pack(s, frame, &packed));
    return send_with_id(s, 0, packed);
}

enum hs_err hs_err_of_answer(const Hanse__Error *error)
{
    enum hs_err err = hs_err_from_wire(error->code);
    if (hs_sync_is_own_trouble(err))
        return HS_ERR_BUSY; /* another machine's trouble: this one's disk and memory are well */
    return err != HS_OK ? err : HS_ERR_MALFORMED;
}

static enum hs_err answer(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame)
{
    if (frame->body_case != HANSE__FRAME__BODY_ERROR)
        return request->answer(s, request, frame, HS_OK);
    uint32_t after = frame->error->retry_after_ms;
    if (after > 0 && after < HS_AGAIN_MIN_MS)
        after = HS_AGAIN_MIN_MS;
    s->sync->again_ms = after < HS_AGAIN_MAX_MS ? after : HS_AGAIN_MAX_MS;
    enum hs_err err = request->answer(s, request, NULL, hs_err_of_answer(frame->error));
    s->sync->again_ms = 0;
    return err;
}

/* Another brand's node answered through one's own: what is wrong with that ends what was asked for, never the
 * session. */
static enum hs_err answer_forwarded(struct hs_step *s, const struct hs_request *request,
                                    const Hanse__Frame *frame, enum hs_err err)
{
    err = err == HS_OK ? answer(s, request, frame) : request->answer(s, request, NULL, err);
    if (err == HS_OK || hs_sync_is_own_trouble(err) || s->kv->err != HS_OK)
        return err;
    err = request->answer(s, request, NULL, hs_err_is_transient(err) ? err : HS_ERR_UNEXPECTED);
    return hs_sync_is_own_trouble(err) ? err : HS_OK;
}

enum hs_err hs_request_answered(struct hs_step *s, const Hanse__Frame *frame)
{
    struct hs_request *slot = slot_find(s->sync, frame->id);
    HS_REQUIRE(slot != NULL, HS_ERR_UNEXPECTED);
    struct hs_request request = *slot;
    *slot = (struct hs_request){0};
    if (!request.forwarded)
        return answer(s, &request, frame);
    if (frame->body_case == HANSE__FRAME__BODY_ERROR)
        return answer_forwarded(s, &request, frame,
                                HS_OK); /* one's own node passes on why it got no answer */
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_FORWARDED, HS_ERR_UNEXPECTED);
    Hanse__Frame *inner;
    enum hs_err err =
        HS_UNPACK(hanse__frame, hs_pb_bytes(frame->forwarded->frame), HS_LENIENT, s->arena, &inner);
    HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    return answer_forwarded(s, &request, inner, err);
}

bool hs_request_has_number(const struct hs_sync *sync, uint64_t number)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].id != 0 && sync->requests[i].number == number)
            return true;
    return false;
}

bool hs_request_is_about(const struct hs_sync *sync, const struct hs_id *id)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].id != 0 && hs_id_equal(&sync->requests[i].id_a, id))
            return true;
    return false;
}

size_t hs_requests_numbered(const struct hs_sync *sync)
{
    size_t count = 0;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        count += sync->requests[i].id != 0 && sync->requests[i].number != 0 ? 1 : 0;
    return count;
}

bool hs_requests_are_scarce(const struct hs_sync *sync)
{
    enum { KEPT_FREE = 6 };
    size_t used = 0;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        used += sync->requests[i].id != 0;
    return used >= HS_REQUESTS_MAX - KEPT_FREE;
}

void hs_requests_drop_fresh(struct hs_sync *sync)
{
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].id > sync->requests_durable)
            sync->requests[i] = (struct hs_request){0};
}

void hs_requests_drop(struct hs_sync *sync)
{
    sync->outbox_held = false;
    memset(sync->requests, 0, sizeof sync->requests);
}

struct hs_time hs_requests_deadline(const struct hs_sync *sync)
{
    struct hs_time first = HS_NEVER;
    for (size_t i = 0; i < HS_REQUESTS_MAX; i++)
        if (sync->requests[i].id != 0 && sync->requests[i].sent.ms + HS_REQUEST_MS < first.ms)
            first.ms = sync->requests[i].sent.ms + HS_REQUEST_MS;
    return first;
}
