/* HandshakeState of the Noise specification (revision 34, 5.3) for Noise_XK_25519_ChaChaPoly_BLAKE2b: the
 * initiator knows the responder's static key beforehand, the responder learns the initiator's in message 3.
 */
#ifndef HS_NOISE_HANDSHAKE_H
#define HS_NOISE_HANDSHAKE_H

#include "base/writer.h"
#include "noise/symmetricstate.h"

#define HS_NOISE_PROTOCOL "Noise_XK_25519_ChaChaPoly_BLAKE2b"

/* Sizes of the three messages with empty payloads; a payload adds its own length. */
enum { HS_NOISE_MESSAGE1_LEN = 48, HS_NOISE_MESSAGE2_LEN = 48, HS_NOISE_MESSAGE3_LEN = 64 };

struct hs_handshake {
    struct hs_symmetricstate symmetric;
    struct hs_secret32 s, e;     /* own static and ephemeral private keys */
    struct hs_key s_pub, rs, re; /* own static public key, remote static and ephemeral keys */
    bool initiator, ephemeral_fixed;
    unsigned step; /* messages written and read so far */
};

#define HS_HANDSHAKE HS_AUTO(hs_handshake_wipe)

struct hs_handshake_params {
    bool initiator;
    struct hs_bytes prologue;                  /* any length, may be empty; equal on both sides */
    const struct hs_secret32 *local_static;    /* X25519 private key */
    const struct hs_key *local_public;         /* its public key; NULL to have it computed */
    const struct hs_key *remote_static;        /* the responder's; NULL on the responder's side */
    const struct hs_secret32 *fixed_ephemeral; /* NULL but in tests with known answers */
};

/* Copies what it needs of params. INVALID_ARG where remote_static is missing or too much. */
enum hs_err hs_handshake_init(struct hs_handshake *h, const struct hs_handshake_params *params);

/* WriteMessage: appends the next message to out. INVALID_STATE out of turn, TOO_LARGE past 65535 bytes or the
 * writer's cap, NOMEM; BAD_KEY where a remote key is of low order. After an error h is as before; out may
 * hold the writer's sticky error. */
enum hs_err hs_handshake_write(struct hs_handshake *h, struct hs_bytes payload, struct hs_writer *out);

/* ReadMessage: appends the payload to out. INVALID_STATE out of turn, MALFORMED where the message is shorter
 * than its keys and tags, TOO_LARGE past 65535 bytes, DECRYPT where it was altered or meant for another key,
 * BAD_KEY for a key of low order, NOMEM. After an error h is as before. */
enum hs_err hs_handshake_read(struct hs_handshake *h, struct hs_bytes message, struct hs_writer *out);

/* True when all three messages are through. */
bool hs_handshake_is_done(const struct hs_handshake *h);

/* Split, once done (INVALID_STATE before): the two directions as this side sees them, and the handshake hash
 * for channel binding (11.2). The remote static key is in h->rs. */
enum hs_err hs_handshake_split(const struct hs_handshake *h, struct hs_cipherstate *send,
                               struct hs_cipherstate *receive, uint8_t hash[static HS_NOISE_HASH_LEN]);

void hs_handshake_wipe(struct hs_handshake *h);

#endif
