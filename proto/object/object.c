#include "object/object.h"

#include "base/writer.h"
#include "crypto/hash.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <string.h>

/* "DSSEv1 ", two lengths of at most 20 digits, three spaces: room for the frame around type and payload. */
enum { PAE_FRAME_MAX = 64, TYPE_MAX = 128 };

static void write_len(struct hs_writer *w, size_t len)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%zu ", len);
    hs_write_bytes(w, hs_bytes_str(digits));
}

void hs_object_pae(struct hs_writer *w, struct hs_bytes type, struct hs_bytes payload)
{
    hs_write_bytes(w, hs_bytes_str("DSSEv1 "));
    write_len(w, type.len);
    hs_write_bytes(w, type);
    hs_write_u8(w, ' ');
    write_len(w, payload.len);
    hs_write_bytes(w, payload);
}

struct hs_id hs_object_id(const Hanse__SignedObject *obj)
{
    struct hs_bytes type = hs_bytes_str(obj->type), payload = hs_pb_bytes(obj->payload);
    char lengths[2][24];
    snprintf(lengths[0], sizeof lengths[0], "%zu ", type.len);
    snprintf(lengths[1], sizeof lengths[1], " %zu ", payload.len);
    struct hs_sha256 h;
    hs_sha256_init(&h);
    hs_sha256_update(&h, hs_bytes("hanse-id-v1", sizeof "hanse-id-v1"));
    hs_sha256_update(&h, hs_bytes_str("DSSEv1 "));
    hs_sha256_update(&h, hs_bytes_str(lengths[0]));
    hs_sha256_update(&h, type);
    hs_sha256_update(&h, hs_bytes_str(lengths[1]));
    hs_sha256_update(&h, payload);
    return hs_sha256_final(&h);
}

/* Allocates the envelope around a payload and n empty signatures, all in the arena. */
static enum hs_err envelope_new(const struct hs_kind_info *info, struct hs_bytes payload,
                                struct hs_arena *arena, Hanse__SignedObject **out)
{
    Hanse__SignedObject *obj = hs_arena_alloc(arena, sizeof *obj);
    HS_REQUIRE(obj != NULL, HS_ERR_NOMEM);
    hanse__signed_object__init(obj);
    obj->type = hs_arena_str(arena, hs_bytes_str(info->type));
    obj->payload = hs_pb_data(hs_arena_copy(arena, payload));
    obj->signatures = hs_arena_alloc(arena, info->signatures * sizeof *obj->signatures);
    HS_REQUIRE(obj->type != NULL && obj->payload.len == payload.len && obj->signatures != NULL, HS_ERR_NOMEM);
    *out = obj;
    return HS_OK;
}

static enum hs_err signature_add(Hanse__SignedObject *obj, const struct hs_signer *signer,
                                 struct hs_bytes pae, struct hs_arena *arena)
{
    Hanse__Signature *signature = hs_arena_alloc(arena, sizeof *signature);
    HS_REQUIRE(signature != NULL, HS_ERR_NOMEM);
    hanse__signature__init(signature);
    struct hs_sig sig;
    hs_sign(signer, pae, &sig);
    signature->key_id = hs_pb_data(hs_arena_copy(arena, HS_VIEW(signer->pub)));
    signature->sig = hs_pb_data(hs_arena_copy(arena, HS_VIEW(sig)));
    HS_REQUIRE(signature->key_id.len == HS_KEY_LEN && signature->sig.len == HS_SIG_LEN, HS_ERR_NOMEM);
    obj->signatures[obj->n_signatures++] = signature;
    return HS_OK;
}

enum hs_err hs_object_sign(enum hs_kind kind, const ProtobufCMessage *payload,
                           const struct hs_signer *const *signers, size_t n, struct hs_arena *arena,
                           Hanse__SignedObject **out)
{
    *out = NULL;
    const struct hs_kind_info *info = hs_kind_info(kind);
    HS_REQUIRE(payload->descriptor == info->payload && n == info->signatures, HS_ERR_INVALID_ARG);
    HS_REQUIRE(hs_hdr_check(hs_hdr_of(payload)) == HS_OK, HS_ERR_INVALID_ARG);
    struct hs_writer HS_WRITER packed = hs_writer(info->max_payload);
    HS_TRY(hs_pack(payload, &packed));
    struct hs_bytes bytes = hs_writer_bytes(&packed);
    Hanse__SignedObject *obj;
    HS_TRY(envelope_new(info, bytes, arena, &obj));
    struct hs_writer HS_WRITER pae = hs_writer(bytes.len + TYPE_MAX + PAE_FRAME_MAX);
    hs_object_pae(&pae, hs_bytes_str(info->type), bytes);
    HS_TRY(pae.err);
    for (size_t i = 0; i < n; i++)
        HS_TRY(signature_add(obj, signers[i], hs_writer_bytes(&pae), arena));
    *out = obj;
    return HS_OK;
}

enum hs_err hs_object_make(enum hs_kind kind, ProtobufCMessage *payload, const struct hs_author *author,
                           const struct hs_hdr_spec *spec, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    Hanse__Hdr *hdr;
    HS_TRY(hs_hdr_new(arena, &author->issuer, author->now, spec, author->nonce, &hdr));
    memcpy((uint8_t *)payload + payload->descriptor->fields[0].offset, &hdr, sizeof hdr);
    return hs_object_sign(kind, payload, &author->signer, 1, arena, out);
}

static enum hs_err signatures_verify(const Hanse__SignedObject *obj, const struct hs_key *keys, size_t n)
{
    HS_REQUIRE(obj->n_signatures == n, HS_ERR_WRONG_SIGNER);
    for (size_t i = 0; i < n; i++)
        HS_REQUIRE(hs_bytes_equal(hs_pb_bytes(obj->signatures[i]->key_id), HS_VIEW(keys[i])),
                   HS_ERR_WRONG_SIGNER);
    struct hs_writer HS_WRITER pae = hs_writer(obj->payload.len + TYPE_MAX + PAE_FRAME_MAX);
    hs_object_pae(&pae, hs_bytes_str(obj->type), hs_pb_bytes(obj->payload));
    HS_TRY(pae.err);
    for (size_t i = 0; i < n; i++)
        HS_TRY(hs_verify(&keys[i], hs_writer_bytes(&pae), hs_pb_bytes(obj->signatures[i]->sig)));
    return HS_OK;
}

/* Whatever is stored or passed on with an object can be read by all who come later. */
static bool is_understood(const Hanse__SignedObject *obj)
{
    bool understood = obj->base.n_unknown_fields == 0;
    for (size_t i = 0; i < obj->n_signatures; i++)
        understood = understood && obj->signatures[i]->base.n_unknown_fields == 0;
    return understood;
}

enum hs_err hs_object_open(const Hanse__SignedObject *obj, enum hs_kind kind, const struct hs_key *keys,
                           size_t n, struct hs_arena *arena, ProtobufCMessage **payload)
{
    *payload = NULL;
    const struct hs_kind_info *info = hs_kind_info(kind);
    HS_REQUIRE(n == info->signatures, HS_ERR_INVALID_ARG);
    HS_REQUIRE(obj != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(strcmp(obj->type, info->type) == 0, HS_ERR_UNEXPECTED);
    HS_REQUIRE(obj->payload.len <= info->max_payload, HS_ERR_TOO_LARGE);
    HS_REQUIRE(is_understood(obj), HS_ERR_UNSUPPORTED);
    HS_TRY(signatures_verify(obj, keys, n));
    ProtobufCMessage *msg;
    HS_TRY(hs_unpack(info->payload, hs_pb_bytes(obj->payload), info->strictness, arena, &msg));
    HS_TRY(hs_hdr_check(hs_hdr_of(msg)));
    *payload = msg;
    return HS_OK;
}

enum hs_kind hs_object_claimed_kind(const Hanse__SignedObject *obj)
{
    return obj == NULL ? HS_KIND_NONE : hs_kind_of(hs_bytes_str(obj->type));
}

bool hs_object_claimed_signer(const Hanse__SignedObject *obj, size_t index, struct hs_key *key)
{
    return obj != NULL && index < obj->n_signatures &&
           HS_FIXED(hs_pb_bytes(obj->signatures[index]->key_id), key);
}
