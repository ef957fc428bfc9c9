#include "link/gate.h"
#include "link/state.h"

#include <stdlib.h>

/* An opening begins with five bytes: the protocol's magic, and which of two things follows. */
static const uint8_t magic[] = {'H', 'N', 'S', '1'};
enum opening_kind { KIND_DESCRIPTOR = 0, KIND_SESSION = 1 };

/* Bound into the handshake: both sides mean the same major version. The zero byte ends the text. */
static const char prologue[] = "hanse/1";

/* What follows the kind of a session: gate, length and message 1. */
enum { SESSION_LEN = HS_GATE_LEN + 2 + HS_NOISE_MESSAGE1_LEN };

static enum hs_err handshake_init(struct hs_opening *o, const struct hs_key *responder)
{
    struct hs_handshake_params params = {
        .initiator = responder != NULL,
        .prologue = hs_bytes(prologue, sizeof prologue),
        .local_static = &o->local_static,
        .local_public = responder != NULL ? NULL : &o->local_public,
        .remote_static = responder,
    };
    return hs_handshake_init(&o->handshake, &params);
}

static enum hs_err send_message(struct hs_link *link)
{
    struct hs_writer HS_WRITER message = hs_writer(HS_NOISE_MESSAGE_MAX);
    HS_TRY(hs_handshake_write(&link->opening->handshake, (struct hs_bytes){0}, &message));
    uint8_t length[2] = {(uint8_t)(message.len >> 8), (uint8_t)message.len};
    HS_TRY(hs_outbox_add_clear(&link->out, hs_bytes(length, sizeof length)));
    return hs_outbox_add_clear(&link->out, hs_writer_bytes(&message));
}

/* Payloads of handshake messages are empty: a message of the right length has no room for one. */
static enum hs_err read_message(struct hs_link *link, struct hs_bytes message)
{
    struct hs_writer HS_WRITER payload = hs_writer(0);
    return hs_handshake_read(&link->opening->handshake, message, &payload);
}

static enum hs_err send_kind(struct hs_link *link, enum opening_kind kind)
{
    uint8_t head[sizeof magic + 1];
    memcpy(head, magic, sizeof magic);
    head[sizeof magic] = (uint8_t)kind;
    return hs_outbox_add_clear(&link->out, hs_bytes(head, sizeof head));
}

enum hs_err hs_opening_ask(struct hs_link *link)
{
    return send_kind(link, KIND_DESCRIPTOR);
}

enum hs_err hs_opening_call(struct hs_link *link, const struct hs_secret32 *local_static,
                            const struct hs_key *responder)
{
    struct hs_writer HS_WRITER message = hs_writer(HS_NOISE_MESSAGE_MAX);
    uint8_t mac[HS_GATE_LEN];
    link->opening->local_static = *local_static;
    HS_TRY(handshake_init(link->opening, responder));
    HS_TRY(hs_handshake_write(&link->opening->handshake, (struct hs_bytes){0}, &message));
    hs_gate_mac(responder, hs_writer_bytes(&message), mac);
    HS_TRY(send_kind(link, KIND_SESSION));
    HS_TRY(hs_outbox_add_clear(&link->out, hs_bytes(mac, sizeof mac)));
    const uint8_t length[2] = {0, HS_NOISE_MESSAGE1_LEN};
    HS_TRY(hs_outbox_add_clear(&link->out, hs_bytes(length, sizeof length)));
    return hs_outbox_add_clear(&link->out, hs_writer_bytes(&message));
}

/* Both sides, after message 3: from here on frames. */
static enum hs_err finish(struct hs_link *link, struct hs_link_event *event)
{
    struct hs_cipherstate HS_AUTO(hs_cipherstate_wipe) send, HS_AUTO(hs_cipherstate_wipe) receive;
    HS_TRY(hs_handshake_split(&link->opening->handshake, &send, &receive, event->hash));
    hs_channel_init(&link->send, &send);
    hs_channel_init(&link->receive, &receive);
    event->remote = link->opening->handshake.rs;
    event->kind = HS_LINK_READY;
    hs_opening_free(link->opening);
    link->opening = NULL;
    link->deadline = (struct hs_time){INT64_MAX};
    hs_link_set_state(link, LINK_OPEN);
    return HS_OK;
}

enum hs_err hs_opening_asking(struct hs_link *link, struct hs_link_event *event, bool *more)
{
    struct hs_bytes descriptor;
    HS_TRY(hs_link_take_message(link, 1, HS_DESCRIPTOR_MAX, &descriptor, more));
    if (!*more)
        return HS_OK;
    event->kind = HS_LINK_DESCRIPTOR;
    event->bytes = descriptor;
    hs_link_set_state(link, LINK_ASKED);
    return HS_OK;
}

/* The responder has nothing to say until the next opening. */
enum hs_err hs_opening_asked(struct hs_link *link, struct hs_link_event *event, bool *more)
{
    (void)event;
    *more = false;
    return link->in.len == link->taken ? HS_OK : HS_ERR_UNEXPECTED;
}

enum hs_err hs_opening_calling(struct hs_link *link, struct hs_link_event *event, bool *more)
{
    struct hs_bytes message;
    HS_TRY(hs_link_take_message(link, HS_NOISE_MESSAGE2_LEN, HS_NOISE_MESSAGE2_LEN, &message, more));
    if (!*more)
        return HS_OK;
    HS_TRY(read_message(link, message));
    HS_TRY(send_message(link));
    return finish(link, event);
}

/* Once a connection: the answer costs nothing but must not be asked for again and again. */
static enum hs_err answer_descriptor(struct hs_link *link)
{
    struct hs_writer *descriptor = &link->opening->descriptor;
    HS_REQUIRE(descriptor->len > 0, HS_ERR_UNEXPECTED);
    uint8_t length[2] = {(uint8_t)(descriptor->len >> 8), (uint8_t)descriptor->len};
    HS_TRY(hs_outbox_add_clear(&link->out, hs_bytes(length, sizeof length)));
    HS_TRY(hs_outbox_add_clear(&link->out, hs_writer_bytes(descriptor)));
    hs_writer_free(descriptor);
    return HS_OK;
}

static enum hs_err answer_session(struct hs_link *link, struct hs_bytes session)
{
    struct hs_bytes mac = hs_bytes(session.data, HS_GATE_LEN);
    const uint8_t *length = session.data + HS_GATE_LEN;
    struct hs_bytes message = hs_bytes(length + 2, HS_NOISE_MESSAGE1_LEN);
    HS_REQUIRE(length[0] == 0 && length[1] == HS_NOISE_MESSAGE1_LEN, HS_ERR_MALFORMED);
    HS_REQUIRE(hs_gate_check(&link->opening->local_public, message, mac), HS_ERR_WRONG_PEER);
    HS_TRY(handshake_init(link->opening, NULL));
    HS_TRY(read_message(link, message));
    HS_TRY(send_message(link));
    hs_link_set_state(link, LINK_ANSWERING);
    return HS_OK;
}

enum hs_err hs_opening_listening(struct hs_link *link, struct hs_link_event *event, bool *more)
{
    (void)event;
    const size_t head = sizeof magic + 1, start = link->taken;
    struct hs_bytes in;
    *more = hs_link_take(link, head, &in);
    if (!*more)
        return HS_OK;
    HS_REQUIRE(hs_bytes_equal(hs_bytes(in.data, sizeof magic), hs_bytes(magic, sizeof magic)),
               HS_ERR_MALFORMED);
    switch (in.data[sizeof magic]) {
    case KIND_DESCRIPTOR:
        return answer_descriptor(link);
    case KIND_SESSION:
        *more = hs_link_take(link, SESSION_LEN, &in);
        if (*more)
            return answer_session(link, in);
        link->taken = start;
        return HS_OK;
    default:
        return HS_ERR_UNSUPPORTED;
    }
}

enum hs_err hs_opening_answering(struct hs_link *link, struct hs_link_event *event, bool *more)
{
    struct hs_bytes message;
    HS_TRY(hs_link_take_message(link, HS_NOISE_MESSAGE3_LEN, HS_NOISE_MESSAGE3_LEN, &message, more));
    if (!*more)
        return HS_OK;
    HS_TRY(read_message(link, message));
    return finish(link, event);
}

void hs_opening_free(struct hs_opening *opening)
{
    if (opening == NULL)
        return;
    hs_writer_free(&opening->descriptor);
    hs_wipe(opening, sizeof *opening);
    free(opening);
}
