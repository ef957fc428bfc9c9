/* The inside of a link, shared by its parts: link.c (bytes in, events out) and opening.c (what comes before
 * the first frame). */
#ifndef HS_LINK_STATE_H
#define HS_LINK_STATE_H

#include "base/writer.h"
#include "link/channel.h"
#include "link/link.h"
#include "link/outbox.h"
#include "noise/handshake.h"
#include "wire/frame.h"

_Static_assert((int)HS_LINK_HASH_LEN == (int)HS_NOISE_HASH_LEN, "handshake hash");

enum link_state {
    LINK_ASKING,    /* asker: waits for the descriptor */
    LINK_ASKED,     /* asker: has it, waits for hs_link_start() */
    LINK_CALLING,   /* initiator: waits for message 2 */
    LINK_LISTENING, /* responder: waits for an opening */
    LINK_ANSWERING, /* responder: waits for message 3 */
    LINK_OPEN,      /* frames */
    LINK_CLOSED,
    LINK_STATES
};

/* What only the opening needs: freed, and wiped, when the link is open. */
struct hs_opening {
    struct hs_secret32 local_static;
    struct hs_key local_public;  /* responder */
    struct hs_writer descriptor; /* responder: what a request gets; emptied by the first request */
    struct hs_handshake handshake;
};

struct hs_link {
    enum link_state state;
    bool initiator, authenticated;
    bool starved; /* the input so far holds no further event */
    struct hs_time deadline;
    struct hs_opening *opening;
    struct hs_channel send, receive;
    struct hs_writer in;   /* input; the records in it are opened in place */
    size_t taken;          /* of in */
    struct hs_bytes plain; /* the rest of the record opened last, inside in */
    struct hs_frames frames;
    struct hs_outbox out;
};

/* Takes the next len bytes of the input; false, taking nothing, where they aren't there yet. */
bool hs_link_take(struct hs_link *link, size_t len, struct hs_bytes *out);

/* Takes a u16 length between min and max and as many bytes. got is false while they aren't there. MALFORMED
 * below min, TOO_LARGE past max: as soon as the length is there. */
enum hs_err hs_link_take_message(struct hs_link *link, size_t min, size_t max, struct hs_bytes *out,
                                 bool *got);

/* The only writer of link->state. */
void hs_link_set_state(struct hs_link *link, enum link_state state);

/* Writes the initiator's opening and message 1. NOMEM, BAD_KEY. */
enum hs_err hs_opening_call(struct hs_link *link, const struct hs_secret32 *local_static,
                            const struct hs_key *responder);

/* Writes the descriptor request. NOMEM. */
enum hs_err hs_opening_ask(struct hs_link *link);

/* One step of the opening in the state of that name. *more is false where the input doesn't reach. */
enum hs_err hs_opening_asking(struct hs_link *link, struct hs_link_event *event, bool *more);
enum hs_err hs_opening_asked(struct hs_link *link, struct hs_link_event *event, bool *more);
enum hs_err hs_opening_calling(struct hs_link *link, struct hs_link_event *event, bool *more);
enum hs_err hs_opening_listening(struct hs_link *link, struct hs_link_event *event, bool *more);
enum hs_err hs_opening_answering(struct hs_link *link, struct hs_link_event *event, bool *more);

/* NULL is fine. */
void hs_opening_free(struct hs_opening *opening);

#endif
