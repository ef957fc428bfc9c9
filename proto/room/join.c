#include "room/join.h"

#include "crypto/hash.h"
#include "room/body.h"
#include "room/package.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static struct hs_id key_package_hash(struct hs_bytes key_package)
{
    return hs_hash_labelled("hanse-key-package-v1", key_package);
}

enum hs_err hs_join_proof_build(const struct hs_join_spec *spec, struct hs_arena *arena,
                                Hanse__SignedObject **out)
{
    HS_REQUIRE(spec->key_package.len > 0, HS_ERR_INVALID_ARG);
    struct hs_id hash = key_package_hash(spec->key_package);
    Hanse__JoinProof payload = HANSE__JOIN_PROOF__INIT;
    payload.persona_key = hs_pb_data(HS_VIEW(spec->persona));
    payload.key_package_hash = hs_pb_data(HS_VIEW(hash));
    payload.home_root = hs_pb_data(HS_VIEW(spec->home_root));
    struct hs_author author = {spec->invite, spec->invite->pub, spec->now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(spec->room)};
    return hs_object_make(HS_KIND_JOIN_PROOF, &payload.base, &author, &hdr, arena, out);
}

enum hs_err hs_join_build(const struct hs_join_spec *spec, struct hs_writer *body)
{
    struct hs_arena HS_ARENA arena = hs_arena(HS_BODY_ARENA);
    Hanse__JoinBody message = HANSE__JOIN_BODY__INIT;
    HS_TRY(hs_join_proof_build(spec, &arena, &message.proof));
    message.key_package = hs_pb_data(spec->key_package);
    return HS_PACK(&message, body);
}

static enum hs_err proof_read(const Hanse__SignedObject *proof, struct hs_arena *arena,
                              struct hs_join_proof *out)
{
    struct hs_key *key = &out->invite_key;
    HS_REQUIRE(hs_object_claimed_signer(proof, 0, key), HS_ERR_WRONG_SIGNER);
    HS_TRY(hs_sign_key_check(key));
    Hanse__JoinProof *payload = NULL;
    HS_TRY(HS_OBJECT_OPEN(hanse__join_proof, proof, HS_KIND_JOIN_PROOF, key, 1, arena, &payload));
    struct hs_key issuer = hs_hdr_issuer(payload->hdr);
    HS_REQUIRE(hs_key_equal(&issuer, key), HS_ERR_WRONG_SIGNER);
    out->created = hs_hdr_created(payload->hdr);
    bool fits = HS_FIXED(hs_pb_bytes(payload->hdr->audience), &out->room) &&
                HS_FIXED(hs_pb_bytes(payload->persona_key), &out->persona) &&
                HS_FIXED(hs_pb_bytes(payload->home_root), &out->home_root) &&
                HS_FIXED(hs_pb_bytes(payload->key_package_hash), &out->key_package_hash);
    HS_REQUIRE(fits, HS_ERR_MALFORMED);
    return HS_OK;
}

enum hs_err hs_join_proof_verify(const Hanse__SignedObject *proof, struct hs_join_proof *out)
{
    *out = (struct hs_join_proof){0};
    struct hs_arena HS_ARENA arena = hs_arena(HS_BODY_ARENA);
    struct hs_join_proof read = {0};
    enum hs_err err = proof_read(proof, &arena, &read);
    HS_REQUIRE(err == HS_OK || err == HS_ERR_NOMEM, HS_ERR_INVITE_INVALID);
    HS_TRY(err);
    *out = read;
    return HS_OK;
}

static enum hs_err body_unpack(struct hs_bytes body, struct hs_arena *arena, Hanse__JoinBody **out)
{
    HS_REQUIRE(body.len <= HS_BODY_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(HS_UNPACK(hanse__join_body, body, HS_STRICT, arena, out));
    HS_REQUIRE((*out)->proof != NULL, HS_ERR_MALFORMED);
    return HS_OK;
}

/* What the key package says of the joiner, checked. */
static enum hs_err key_package_read(struct hs_bytes key_package, const struct hs_key *hub_root,
                                    struct hs_time at, struct hs_join *out)
{
    struct hs_room_package package;
    HS_TRY(hs_room_package_check(key_package, hub_root, at, &package));
    out->key_package_ref = package.ref;
    out->member = package.member;
    return HS_OK;
}

enum hs_err hs_join_verify(struct hs_bytes body, const struct hs_id *room, const struct hs_key *hub_root,
                           struct hs_time at, struct hs_join *out)
{
    *out = (struct hs_join){0};
    struct hs_arena HS_ARENA arena = hs_arena(HS_BODY_ARENA);
    Hanse__JoinBody *message = NULL;
    HS_TRY(body_unpack(body, &arena, &message));
    struct hs_join_proof proof = {0};
    HS_TRY(hs_join_proof_verify(message->proof, &proof));
    HS_REQUIRE(hs_id_equal(&proof.room, room), HS_ERR_INVITE_INVALID);

    struct hs_bytes key_package = hs_pb_bytes(message->key_package);
    struct hs_id hash = key_package_hash(key_package);
    HS_REQUIRE(hs_id_equal(&hash, &proof.key_package_hash), HS_ERR_INVITE_REPLAYED);
    struct hs_join join = {.invite_key = proof.invite_key,
                           .room = proof.room,
                           .persona = proof.persona,
                           .home_root = proof.home_root};
    HS_TRY(key_package_read(key_package, hub_root, at, &join));
    HS_REQUIRE(hs_key_equal(&join.member.persona, &proof.persona), HS_ERR_INVITE_REPLAYED);
    *out = join;
    return HS_OK;
}

enum hs_err hs_join_key_package(struct hs_bytes body, struct hs_arena *arena, struct hs_bytes *key_package)
{
    *key_package = hs_bytes(NULL, 0);
    Hanse__JoinBody *message = NULL;
    HS_TRY(body_unpack(body, arena, &message));
    HS_REQUIRE(message->key_package.len > 0, HS_ERR_MALFORMED);
    *key_package = hs_pb_bytes(message->key_package);
    return HS_OK;
}
