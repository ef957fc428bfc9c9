/* A session over a byte stream, with no I/O: opening, Noise handshake, then frames both ways
 * (spec/session.md).
 *
 * Use: feed what the stream brought to hs_link_input(), pull events with hs_link_next() until NONE, queue
 * frames with hs_link_send(), write what hs_link_output() shows and report it with hs_link_output_done(). Any
 * error of hs_link_input(), hs_link_next() or hs_link_tick() closes the link for good: its keys are wiped and
 * every later call of them gives CLOSED. Close the stream then, without a word.
 *
 * Time is any clock of the caller's, as long as it is always the same. */
#ifndef HS_LINK_LINK_H
#define HS_LINK_LINK_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"
#include "wire/limits.h"

/* An opening that takes longer than this is given up: a slow stranger must not hold a connection. */
enum { HS_LINK_OPENING_MS = 5000 };

/* The most that one hs_link_input() takes: a socket's usual read buffer. */
enum { HS_LINK_INPUT_MAX = 65536 };

enum { HS_LINK_HASH_LEN = 64 };

struct hs_link;

enum hs_link_event_kind {
    HS_LINK_NONE,       /* nothing more until there is more input */
    HS_LINK_DESCRIPTOR, /* bytes: the responder's descriptor, sent in clear: believe its signature only */
    HS_LINK_READY,      /* the handshake is done: remote, hash */
    HS_LINK_FRAME       /* bytes: one frame, 1 to HS_FRAME_MAX bytes */
};

struct hs_link_event {
    enum hs_link_event_kind kind;
    struct hs_key remote;           /* the other side's static X25519 key, proved */
    uint8_t hash[HS_LINK_HASH_LEN]; /* handshake hash, the same on both sides: what Authenticate signs */
    struct hs_bytes bytes; /* borrowed until the next hs_link_input(), hs_link_next() or hs_link_free() */
};

/* The side that connects, knowing the responder's static key. Keeps copies. BAD_KEY for a low-order key,
 * NOMEM. */
enum hs_err hs_link_new_initiator(const struct hs_secret32 *local_static, const struct hs_key *responder,
                                  struct hs_time now, struct hs_link **out);

/* The side that connects and knows only an address: asks for the descriptor in clear, gives DESCRIPTOR, and
 * then waits for hs_link_start(). NOMEM. */
enum hs_err hs_link_new_asker(struct hs_time now, struct hs_link **out);

/* An asker that has its descriptor goes on, on the same stream, as an initiator. INVALID_STATE before the
 * descriptor is there; BAD_KEY for a low-order key, NOMEM: closed for good. */
enum hs_err hs_link_start(struct hs_link *link, const struct hs_secret32 *local_static,
                          const struct hs_key *responder);

/* The side that is connected to. local_public is local_static's public key (given, so that a stranger costs
 * no public-key work before the gate). descriptor: what a descriptor request gets, at most HS_DESCRIPTOR_MAX
 * bytes (TOO_LARGE); empty where there is none, requests are then refused. Keeps copies. NOMEM. */
enum hs_err hs_link_new_responder(const struct hs_secret32 *local_static, const struct hs_key *local_public,
                                  struct hs_bytes descriptor, struct hs_time now, struct hs_link **out);

/* At most HS_LINK_INPUT_MAX bytes, else INVALID_ARG; INVALID_ARG too where the events of the input before
 * weren't pulled until NONE (nothing is taken, the link stays). CLOSED; NOMEM closes. */
enum hs_err hs_link_input(struct hs_link *link, struct hs_bytes bytes);

/* The next event; its kind is NONE where there is none, also after an error. MALFORMED, TOO_LARGE,
 * UNSUPPORTED, WRONG_PEER (the initiator looks for another responder key), DECRYPT, BAD_KEY, NOMEM: closed
 * for good; CLOSED. */
enum hs_err hs_link_next(struct hs_link *link, struct hs_link_event *event);

/* Bytes that came and that hs_link_next() hasn't looked at. */
size_t hs_link_unread(const struct hs_link *link);

/* Queues one frame. INVALID_STATE before READY; INVALID_ARG for an empty one; TOO_LARGE past the frame limit
 * (HS_FRAME_MAX; for an initiator before hs_link_set_authenticated() HS_FRAME_MAX_UNAUTHENTICATED); BUSY
 * where more than HS_QUEUE_MAX bytes would wait; CLOSED. After these nothing is queued; NOMEM closes the
 * link. */
enum hs_err hs_link_send(struct hs_link *link, struct hs_bytes frame);

/* hs_link_send() and hs_link_output() are called soon: what they touch comes into the cache meanwhile, so
 * that they don't wait for it. Changes nothing, may be called from any thread. */
void hs_link_expect(const struct hs_link *link);

/* The bytes to write next, sealed; empty where there are none. They stay where they are until
 * hs_link_output_done() has taken all of them, whatever else is called but hs_link_free(), also after the
 * link was closed: frames queued meanwhile gather for the next view. */
struct hs_bytes hs_link_output(struct hs_link *link);

/* The first len bytes of the last view were written. */
void hs_link_output_done(struct hs_link *link, size_t len);

/* Bytes queued and not yet reported written: past HS_QUEUE_HIGH stop reading from whoever causes them. */
size_t hs_link_queued(const struct hs_link *link);

/* The other side has proved who it is: the frame limit rises to HS_FRAME_MAX from the next frame on. To be
 * called by a responder that accepted an Authenticate, and by an initiator that was told so. */
void hs_link_set_authenticated(struct hs_link *link);

/* When hs_link_tick() wants to be called; INT64_MAX where never. */
struct hs_time hs_link_deadline(const struct hs_link *link);

/* TIMEOUT, and closed, where the deadline has come (now >= deadline). */
enum hs_err hs_link_tick(struct hs_link *link, struct hs_time now);

/* So many milliseconds of an opening were this side's own: the deadline is later by them. */
void hs_link_put_off(struct hs_link *link, int64_t ms);

/* True from READY until closed. */
bool hs_link_is_open(const struct hs_link *link);

/* Wipes the keys and drops what is queued. Views of events and of output stay until hs_link_free(). */
void hs_link_close(struct hs_link *link);

/* NULL is fine. Sets the pointer to NULL. */
void hs_link_free(struct hs_link **link);

#define HS_LINK HS_AUTO(hs_link_free)

#endif
