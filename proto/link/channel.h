/* One direction of an open session: Noise transport messages, rekeyed now and then. */
#ifndef HS_LINK_CHANNEL_H
#define HS_LINK_CHANNEL_H

#include "noise/cipherstate.h"

/* A new key after so many messages, or so many bytes of them with their tags, whichever comes first: what a
 * stolen key opens stays small. Both sides count the same, so no message announces it. */
enum { HS_REKEY_MESSAGES = 1 << 16, HS_REKEY_BYTES = 1 << 30 };

struct hs_channel {
    struct hs_cipherstate cipher;
    uint64_t messages, bytes;                 /* with the present key */
    uint64_t messages_per_key, bytes_per_key; /* the constants above, smaller in tests */
};

/* Copies the cipher. */
void hs_channel_init(struct hs_channel *c, const struct hs_cipherstate *cipher);

/* Seals at most HS_NOISE_MESSAGE_MAX - HS_NOISE_TAG_LEN bytes in place or into out, which has room for the
 * tag too. INVALID_STATE when the nonces are used up. */
enum hs_err hs_channel_seal(struct hs_channel *c, struct hs_bytes plaintext, uint8_t *out);

/* Opens a message in place or into out. DECRYPT. */
enum hs_err hs_channel_open(struct hs_channel *c, struct hs_bytes message, uint8_t *out);

void hs_channel_wipe(struct hs_channel *c);

#endif
