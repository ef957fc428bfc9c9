#include "link/link.h"

#include "base/prefetch.h"
#include "link/state.h"

#include <stdlib.h>

enum {
    /* One record may be cut off by the end of an input; the next input is behind it. */
    IN_MAX = 2 + HS_RECORD_MAX + HS_LINK_INPUT_MAX,
    RECORD_MIN = HS_NOISE_TAG_LEN + 1
};

_Static_assert((int)HS_RECORD_MAX == (int)HS_NOISE_MESSAGE_MAX, "a record is a Noise message");

/* What is accepted from the other side, and what may be sent: the responder is known from READY on, the
 * initiator when it has authenticated itself. */
static bool peer_is_known(const struct hs_link *link)
{
    return link->initiator || link->authenticated;
}

static bool self_is_known(const struct hs_link *link)
{
    return !link->initiator || link->authenticated;
}

static size_t record_max(bool known)
{
    return known ? HS_RECORD_MAX : HS_RECORD_MAX_UNAUTHENTICATED;
}

static size_t frame_max(bool known)
{
    return known ? HS_FRAME_MAX : HS_FRAME_MAX_UNAUTHENTICATED;
}

static enum hs_err link_new(bool initiator, enum link_state state, struct hs_time now, struct hs_link **out)
{
    *out = NULL;
    struct hs_link *link = calloc(1, sizeof *link);
    struct hs_opening *opening = calloc(1, sizeof *opening);
    if (link == NULL || opening == NULL) {
        free(link);
        free(opening);
        return HS_ERR_NOMEM;
    }
    opening->descriptor = hs_writer(HS_DESCRIPTOR_MAX);
    *link = (struct hs_link){
        .initiator = initiator,
        .starved = true,
        .deadline = {now.ms + HS_LINK_OPENING_MS},
        .opening = opening,
        .in = hs_writer(IN_MAX),
        .out = hs_outbox(),
    };
    link->frames = hs_frames(frame_max(peer_is_known(link)));
    hs_link_set_state(link, state);
    *out = link;
    return HS_OK;
}

/* Hands the new link over, or frees it where its making failed. */
static enum hs_err link_made(enum hs_err err, struct hs_link **link)
{
    if (err != HS_OK)
        hs_link_free(link);
    return err;
}

enum hs_err hs_link_new_initiator(const struct hs_secret32 *local_static, const struct hs_key *responder,
                                  struct hs_time now, struct hs_link **out)
{
    HS_TRY(link_new(true, LINK_CALLING, now, out));
    return link_made(hs_opening_call(*out, local_static, responder), out);
}

enum hs_err hs_link_new_asker(struct hs_time now, struct hs_link **out)
{
    HS_TRY(link_new(true, LINK_ASKING, now, out));
    return link_made(hs_opening_ask(*out), out);
}

/* Passes err on; after one the link is closed. */
static enum hs_err closing(struct hs_link *link, enum hs_err err)
{
    if (err != HS_OK)
        hs_link_close(link);
    return err;
}

enum hs_err hs_link_start(struct hs_link *link, const struct hs_secret32 *local_static,
                          const struct hs_key *responder)
{
    HS_REQUIRE(link->state == LINK_ASKED, HS_ERR_INVALID_STATE);
    hs_link_set_state(link, LINK_CALLING);
    return closing(link, hs_opening_call(link, local_static, responder));
}

enum hs_err hs_link_new_responder(const struct hs_secret32 *local_static, const struct hs_key *local_public,
                                  struct hs_bytes descriptor, struct hs_time now, struct hs_link **out)
{
    HS_TRY(link_new(false, LINK_LISTENING, now, out));
    struct hs_opening *opening = (*out)->opening;
    opening->local_static = *local_static;
    opening->local_public = *local_public;
    hs_write_bytes(&opening->descriptor, descriptor);
    return link_made(opening->descriptor.err, out);
}

void hs_link_set_state(struct hs_link *link, enum link_state state)
{
    link->state = state;
}

bool hs_link_take(struct hs_link *link, size_t len, struct hs_bytes *out)
{
    if (link->in.len - link->taken < len)
        return false;
    *out = hs_bytes(link->in.data + link->taken, len);
    link->taken += len;
    return true;
}

enum hs_err hs_link_take_message(struct hs_link *link, size_t min, size_t max, struct hs_bytes *out,
                                 bool *got)
{
    const size_t start = link->taken;
    struct hs_bytes header;
    *got = hs_link_take(link, 2, &header);
    if (!*got)
        return HS_OK;
    size_t len = (size_t)header.data[0] << 8 | header.data[1];
    HS_REQUIRE(len >= min, HS_ERR_MALFORMED);
    HS_REQUIRE(len <= max, HS_ERR_TOO_LARGE);
    *got = hs_link_take(link, len, out);
    if (!*got)
        link->taken = start;
    return HS_OK;
}

/* LINK_OPEN: the next frame of the opened record, else the next record. */
static enum hs_err read_open(struct hs_link *link, struct hs_link_event *event, bool *more)
{
    HS_TRY(hs_frames_next(&link->frames, &link->plain, &event->bytes));
    if (event->bytes.len > 0) {
        event->kind = HS_LINK_FRAME;
        return HS_OK;
    }
    struct hs_bytes record;
    HS_TRY(hs_link_take_message(link, RECORD_MIN, record_max(peer_is_known(link)), &record, more));
    if (!*more)
        return HS_OK;
    uint8_t *text = link->in.data + (record.data - link->in.data);
    HS_TRY(hs_channel_open(&link->receive, record, text));
    link->plain = hs_bytes(text, record.len - HS_NOISE_TAG_LEN);
    return HS_OK;
}

/* Nothing more in the input: keeps what was cut off, in as little memory as it needs. */
static enum hs_err settle(struct hs_link *link)
{
    link->starved = true;
    link->plain = (struct hs_bytes){0};
    if (link->taken == 0)
        return HS_OK; /* a record that comes in small pieces isn't copied for each of them */
    struct hs_writer kept = hs_writer(IN_MAX);
    if (link->in.len > link->taken)
        hs_write_bytes(&kept, hs_bytes(link->in.data + link->taken, link->in.len - link->taken));
    hs_writer_free(&link->in);
    link->in = kept;
    link->taken = 0;
    return kept.err;
}

static enum hs_err next_event(struct hs_link *link, struct hs_link_event *event)
{
    static enum hs_err (*const steps[LINK_STATES])(struct hs_link *, struct hs_link_event *, bool *) = {
        [LINK_ASKING] = hs_opening_asking,       [LINK_ASKED] = hs_opening_asked,
        [LINK_CALLING] = hs_opening_calling,     [LINK_LISTENING] = hs_opening_listening,
        [LINK_ANSWERING] = hs_opening_answering, [LINK_OPEN] = read_open,
    };
    bool more = true;
    while (more && event->kind == HS_LINK_NONE)
        HS_TRY(steps[link->state](link, event, &more));
    return event->kind == HS_LINK_NONE && !link->starved ? settle(link) : HS_OK;
}

enum hs_err hs_link_input(struct hs_link *link, struct hs_bytes bytes)
{
    HS_REQUIRE(link->state != LINK_CLOSED, HS_ERR_CLOSED);
    HS_REQUIRE(link->starved && bytes.len <= HS_LINK_INPUT_MAX, HS_ERR_INVALID_ARG);
    if (bytes.len == 0)
        return HS_OK;
    link->starved = false;
    hs_write_bytes(&link->in, bytes);
    return closing(link, link->in.err);
}

enum hs_err hs_link_next(struct hs_link *link, struct hs_link_event *event)
{
    *event = (struct hs_link_event){.kind = HS_LINK_NONE};
    HS_REQUIRE(link->state != LINK_CLOSED, HS_ERR_CLOSED);
    enum hs_err err = next_event(link, event);
    if (err != HS_OK)
        *event = (struct hs_link_event){.kind = HS_LINK_NONE};
    return closing(link, err);
}

static enum hs_err queue_frame(struct hs_link *link, struct hs_bytes frame)
{
    size_t plain_max = record_max(self_is_known(link)) - HS_NOISE_TAG_LEN;
    uint8_t header[HS_FRAME_HEADER_MAX];
    struct hs_bytes head = hs_bytes(header, hs_frame_header(frame.len, header));
    hs_outbox_make_room(&link->out, head.len + frame.len);
    HS_TRY(hs_outbox_add(&link->out, &link->send, head, plain_max));
    return hs_outbox_add(&link->out, &link->send, frame, plain_max);
}

enum hs_err hs_link_send(struct hs_link *link, struct hs_bytes frame)
{
    HS_REQUIRE(link->state != LINK_CLOSED, HS_ERR_CLOSED);
    HS_REQUIRE(link->state == LINK_OPEN, HS_ERR_INVALID_STATE);
    HS_REQUIRE(frame.len > 0, HS_ERR_INVALID_ARG);
    HS_REQUIRE(frame.len <= frame_max(self_is_known(link)), HS_ERR_TOO_LARGE);
    HS_REQUIRE(hs_link_queued(link) + frame.len <= HS_QUEUE_MAX, HS_ERR_BUSY);
    return closing(link, queue_frame(link, frame));
}

void hs_link_expect(const struct hs_link *link)
{
    hs_prefetch(link, sizeof *link);
}

struct hs_bytes hs_link_output(struct hs_link *link)
{
    struct hs_bytes view = {0};
    if (link->state == LINK_CLOSED)
        return view;
    /* Sealing fails without memory, or after 2^64 messages: either way there is nothing left to say. */
    if (hs_outbox_next(&link->out, &link->send, &view) != HS_OK)
        hs_link_close(link);
    return view;
}

void hs_link_output_done(struct hs_link *link, size_t len)
{
    hs_outbox_written(&link->out, len);
}

size_t hs_link_queued(const struct hs_link *link)
{
    return hs_outbox_len(&link->out);
}

void hs_link_set_authenticated(struct hs_link *link)
{
    link->authenticated = true;
    hs_frames_set_limit(&link->frames, HS_FRAME_MAX);
}

struct hs_time hs_link_deadline(const struct hs_link *link)
{
    return link->deadline;
}

enum hs_err hs_link_tick(struct hs_link *link, struct hs_time now)
{
    HS_REQUIRE(link->state != LINK_CLOSED, HS_ERR_CLOSED);
    return closing(link, now.ms >= link->deadline.ms ? HS_ERR_TIMEOUT : HS_OK);
}

size_t hs_link_unread(const struct hs_link *link)
{
    return link->in.len - link->taken + link->plain.len;
}

void hs_link_put_off(struct hs_link *link, int64_t ms)
{
    if (link->deadline.ms != INT64_MAX)
        link->deadline.ms += ms;
}

bool hs_link_is_open(const struct hs_link *link)
{
    return link->state == LINK_OPEN;
}

void hs_link_close(struct hs_link *link)
{
    hs_opening_free(link->opening);
    link->opening = NULL;
    hs_channel_wipe(&link->send);
    hs_channel_wipe(&link->receive);
    hs_outbox_close(&link->out);
    link->deadline = (struct hs_time){INT64_MAX};
    hs_link_set_state(link, LINK_CLOSED);
}

void hs_link_free(struct hs_link **link)
{
    if (*link == NULL)
        return;
    hs_link_close(*link);
    hs_writer_free(&(*link)->in);
    hs_frames_free(&(*link)->frames);
    hs_outbox_free(&(*link)->out);
    hs_wipe(*link, sizeof **link);
    free(*link);
    *link = NULL;
}
