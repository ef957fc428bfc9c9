#include "room/genesis.h"

#include "crypto/hash.h"
#include "identity/certificate.h"
#include "room/body.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static enum hs_err first_policy_check(const struct hs_policy *policy, const struct hs_key *owner,
                                      struct hs_time at)
{
    HS_REQUIRE(policy->hub_term == HS_POLICY_HUB_TERM_FIRST,
               HS_ERR_POLICY); /* and so hub_root is in office */
    HS_REQUIRE(hs_policy_role(policy, owner, at) == HS_ROOM_OWNER, HS_ERR_POLICY);
    return HS_OK;
}

/* The policy as a message: by way of its bytes, of which there is one form. */
static enum hs_err policy_message(const struct hs_policy *policy, struct hs_arena *arena, Hanse__Policy **out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    HS_TRY(hs_policy_pack(policy, &w));
    return HS_UNPACK(hanse__policy, hs_writer_bytes(&w), HS_STRICT, arena, out);
}

enum hs_err hs_genesis_build(const struct hs_genesis_spec *spec, struct hs_writer *body, struct hs_id *room)
{
    struct hs_arena HS_ARENA arena = hs_arena(HS_BODY_ARENA);
    struct hs_certificate certificate = {0};
    HS_TRY(hs_body_author_check(spec->device, spec->certificate, spec->now, &certificate));
    Hanse__Genesis payload = HANSE__GENESIS__INIT;
    HS_TRY(policy_message(spec->policy, &arena, &payload.policy));
    HS_REQUIRE(first_policy_check(spec->policy, &certificate.persona, spec->now) == HS_OK,
               HS_ERR_INVALID_ARG);

    struct hs_author author = {spec->device, certificate.persona, spec->now, spec->nonce};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(spec->policy->hub_root)};
    Hanse__GenesisBody message = HANSE__GENESIS_BODY__INIT;
    HS_TRY(hs_object_make(HS_KIND_GENESIS, &payload.base, &author, &hdr, &arena, &message.genesis));
    HS_TRY(hs_object_copy(spec->certificate, &arena, &message.owner_certificate));
    HS_TRY(HS_PACK(&message, body));
    *room = hs_hash_labelled("hanse-room-v1", hs_pb_bytes(message.genesis->payload));
    return HS_OK;
}

/* The first policy as the GroupContext extension must hold it. */
static enum hs_err genesis_policy(const Hanse__Genesis *payload, struct hs_arena *arena,
                                  struct hs_genesis *out)
{
    HS_REQUIRE(payload->policy != NULL, HS_ERR_MALFORMED);
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    HS_TRY(HS_PACK(payload->policy, &w));
    out->policy_bytes = hs_arena_copy(arena, hs_writer_bytes(&w));
    HS_REQUIRE(out->policy_bytes.data != NULL, HS_ERR_NOMEM);
    return hs_policy_parse(out->policy_bytes, arena, &out->policy);
}

static enum hs_err genesis_read(const Hanse__GenesisBody *message, struct hs_time at,
                                struct hs_arena *scratch, struct hs_arena *arena, struct hs_genesis *out)
{
    HS_REQUIRE(message->genesis != NULL && message->owner_certificate != NULL, HS_ERR_MALFORMED);
    struct hs_certificate certificate = {0};
    ProtobufCMessage *opened = NULL;
    HS_TRY(hs_body_open_by_device(message->genesis, HS_KIND_GENESIS, message->owner_certificate, at, scratch,
                                  &certificate, &opened));
    const Hanse__Genesis *payload = (const Hanse__Genesis *)opened;
    HS_TRY(genesis_policy(payload, arena, out));
    out->room = hs_hash_labelled("hanse-room-v1", hs_pb_bytes(message->genesis->payload));
    out->owner = certificate.persona;
    out->device = certificate.signature_key;
    out->created = hs_hdr_created(payload->hdr);
    HS_REQUIRE(hs_hdr_is_for(payload->hdr, &out->policy.hub_root), HS_ERR_POLICY);
    return first_policy_check(&out->policy, &out->owner, out->created);
}

enum hs_err hs_genesis_verify(struct hs_bytes body, struct hs_time at, struct hs_arena *arena,
                              struct hs_genesis *out)
{
    *out = (struct hs_genesis){0};
    struct hs_arena HS_ARENA scratch = hs_arena(HS_BODY_ARENA);
    Hanse__GenesisBody *message = NULL;
    HS_REQUIRE(body.len <= HS_BODY_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(HS_UNPACK(hanse__genesis_body, body, HS_STRICT, &scratch, &message));
    struct hs_genesis genesis = {0};
    HS_TRY(genesis_read(message, at, &scratch, arena, &genesis));
    *out = genesis;
    return HS_OK;
}
