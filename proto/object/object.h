/* Signed objects: DSSE envelopes with protobuf as their outer form. The payload's bytes are what is signed,
 * hashed, stored and forwarded; what is read is those very bytes, after their signature was checked. */
#ifndef HS_OBJECT_OBJECT_H
#define HS_OBJECT_OBJECT_H

#include "base/arena.h"
#include "crypto/sign.h"
#include "object/hdr.h"
#include "object/kinds.h"
#include "schema/object.pb-c.h"

struct hs_writer;

/* "DSSEv1" SP len(type) SP type SP len(payload) SP payload, lengths in decimal (DSSE v1, protocol.md).
 * Appends; the writer's error is sticky. */
void hs_object_pae(struct hs_writer *w, struct hs_bytes type, struct hs_bytes payload);

/* The object's id: SHA-256("hanse-id-v1" || 0x00 || PAE). Signatures are not part of it. */
struct hs_id hs_object_id(const Hanse__SignedObject *obj);

/* Who makes an object: the issuer that its header names, and the key that signs (the issuer's own, or that of
 * one of its devices). nonce: 16 bytes, or NULL for random ones. */
struct hs_author {
    const struct hs_signer *signer;
    struct hs_key issuer;
    struct hs_time now;
    const uint8_t *nonce;
};

/* Packs the payload, whose header is set, and signs it with n signers in the kind's order. The object lives
 * in the arena and borrows nothing. INVALID_ARG for another number of signers than the kind's or an unfit
 * header; TOO_LARGE past the kind's size; NOMEM. */
enum hs_err hs_object_sign(enum hs_kind kind, const ProtobufCMessage *payload,
                           const struct hs_signer *const *signers, size_t n, struct hs_arena *arena,
                           Hanse__SignedObject **out);

/* Sets the payload's header for the author (it lives in the arena) and signs with the author's key: for kinds
 * with one signature. Errors as hs_object_sign(). */
enum hs_err hs_object_make(enum hs_kind kind, ProtobufCMessage *payload, const struct hs_author *author,
                           const struct hs_hdr_spec *spec, struct hs_arena *arena, Hanse__SignedObject **out);

/* Opens an object of an expected kind that n expected keys signed, in that order and nobody else: checks the
 * type, the size, every signature over the very payload bytes, unpacks those bytes, checks the header's
 * shape. The envelope may have come in a frame, where unknown fields pass: one that has any is UNSUPPORTED,
 * so that its bytes can be unpacked again. It says nothing of time (hs_hdr_window()) nor of who the keys
 * belong to. The payload lives in the arena. UNEXPECTED for another kind; TOO_LARGE; WRONG_SIGNER where the
 * number of signatures or a key differs; BAD_SIGNATURE; MALFORMED, UNSUPPORTED, NOMEM from unpacking.
 * *payload is NULL after an error. */
enum hs_err hs_object_open(const Hanse__SignedObject *obj, enum hs_kind kind, const struct hs_key *keys,
                           size_t n, struct hs_arena *arena, ProtobufCMessage **payload);

/* The same, typed: Hanse__Grant *grant; HS_OBJECT_OPEN(hanse__grant, obj, HS_KIND_GRANT, &root, 1, arena,
 * &grant). Doesn't compile where the message's name and the pointer's type differ. */
#define HS_OBJECT_OPEN(name, obj, kind, keys, n, arena, out)                                                 \
    hs_object_open((obj), (kind), (keys), (n), (arena),                                                      \
                   ((void)(0 ? name##__init(*(out)) : (void)0), (ProtobufCMessage **)(out)))

/* What an object claims to be: nothing here is checked, and no trust follows from it. HS_KIND_NONE where the
 * type isn't known or obj is NULL. */
enum hs_kind hs_object_claimed_kind(const Hanse__SignedObject *obj);

/* The key that the index-th signature names; false where there is none of 32 bytes. Unchecked too. */
bool hs_object_claimed_signer(const Hanse__SignedObject *obj, size_t index, struct hs_key *key);

/* The envelope's bytes, in the arena. TOO_LARGE, NOMEM. */
enum hs_err hs_object_pack(const Hanse__SignedObject *obj, struct hs_arena *arena, struct hs_bytes *out);

/* An envelope from bytes, in the arena; nothing of it is verified. TOO_LARGE, MALFORMED, UNSUPPORTED, NOMEM.
 */
enum hs_err hs_object_unpack(struct hs_bytes bytes, struct hs_arena *arena, Hanse__SignedObject **out);

/* A copy that lives in the arena and borrows nothing. NOMEM. */
enum hs_err hs_object_copy(const Hanse__SignedObject *obj, struct hs_arena *arena, Hanse__SignedObject **out);

/* Byte-equality of type, payload and signatures. */
bool hs_object_equal(const Hanse__SignedObject *a, const Hanse__SignedObject *b);

#endif
