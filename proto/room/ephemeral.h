/* Ephemeral traffic of rooms: what is of no use a moment later, as that somebody is typing. It never touches
 * the application ratchet and is stored nowhere: sealed under a key from the MLS exporter for its sender and
 * epoch, with a random nonce and the device's signature inside (spec/rooms.md). */
#ifndef HS_ROOM_EPHEMERAL_H
#define HS_ROOM_EPHEMERAL_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/writer.h"
#include "crypto/sign.h"

enum {
    HS_EPHEMERAL_MAX = 512,         /* sealed: a hint, not a message */
    HS_EPHEMERAL_CONTENT_MAX = 256, /* of it, the content */
    HS_EPHEMERAL_CONTEXT = 4        /* of the exporter: the sender's leaf, big-endian */
};

#define HS_EPHEMERAL_LABEL "hanse-ephemeral-v1" /* of the exporter: 32 bytes */

/* What surrounds the content, and is authenticated with it. */
struct hs_ephemeral {
    struct hs_id room;
    uint64_t epoch;
    uint32_t leaf; /* the sender's */
};

/* sealed = leaf(4) nonce(12) ciphertext(signature(64) content) tag(16). key: the exporter's for that leaf.
 * TOO_LARGE for a content past the limit, NOMEM. */
enum hs_err hs_ephemeral_seal(const struct hs_ephemeral *about, const struct hs_secret32 *key,
                              const struct hs_signer *device, struct hs_bytes content, struct hs_writer *out);

/* The leaf that it claims to be of; MALFORMED, TOO_LARGE. */
enum hs_err hs_ephemeral_leaf(struct hs_bytes sealed, uint32_t *leaf);

/* The content, appended: MALFORMED, TOO_LARGE, DECRYPT, BAD_SIGNATURE where that leaf's device didn't sign
 * it, NOMEM. */
enum hs_err hs_ephemeral_open(const struct hs_ephemeral *about, const struct hs_secret32 *key,
                              const struct hs_key *device, struct hs_bytes sealed, struct hs_writer *content);

#endif
