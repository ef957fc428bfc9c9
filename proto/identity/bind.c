#include "identity/bind.h"

#include "identity/scratch.h"
#include "schema/identity.pb-c.h"

enum hs_err hs_bind_build(const struct hs_signer *account, const struct hs_signer *persona,
                          const struct hs_key *home_root, const struct hs_key *brand_root, struct hs_time now,
                          struct hs_time not_after, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    struct hs_hdr_spec spec = {.audience = HS_VIEW(*home_root), .not_after = not_after};
    Hanse__BindPersona msg = HANSE__BIND_PERSONA__INIT;
    HS_TRY(hs_hdr_new(arena, &account->pub, now, &spec, NULL, &msg.hdr));
    msg.persona_key = hs_pb_data(HS_VIEW(persona->pub));
    msg.brand_root = hs_pb_data(HS_VIEW(*brand_root));
    const struct hs_signer *signers[2] = {account, persona};
    return hs_object_sign(HS_KIND_BIND_PERSONA, &msg.base, signers, 2, arena, out);
}

static enum hs_err bind_read(const Hanse__BindPersona *msg, const struct hs_key keys[static 2],
                             const struct hs_key *home_root, struct hs_time now, struct hs_bind *out)
{
    struct hs_bind b = {
        .account = hs_hdr_issuer(msg->hdr),
        .home_root = *home_root,
        .created = hs_hdr_created(msg->hdr),
        .not_after = {msg->hdr->not_after_ms},
    };
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->persona_key), &b.persona), HS_ERR_MALFORMED);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->brand_root), &b.brand_root), HS_ERR_MALFORMED);
    HS_REQUIRE(hs_key_equal(&b.account, &keys[0]) && hs_key_equal(&b.persona, &keys[1]), HS_ERR_WRONG_SIGNER);
    HS_REQUIRE(hs_hdr_is_for(msg->hdr, home_root), HS_ERR_WRONG_PEER);
    HS_TRY(hs_hdr_window(msg->hdr, 0, now));
    *out = b;
    return HS_OK;
}

enum hs_err hs_bind_verify(const Hanse__SignedObject *obj, const struct hs_key *account,
                           const struct hs_key *home_root, struct hs_time now, struct hs_bind *out)
{
    /* The second key is learned here; that it is the persona is compared below. */
    struct hs_key keys[2] = {*account};
    HS_REQUIRE(hs_object_claimed_signer(obj, 1, &keys[1]), HS_ERR_WRONG_SIGNER);
    HS_TRY(hs_sign_key_check(&keys[1]));
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__BindPersona *msg;
    HS_TRY(HS_OBJECT_OPEN(hanse__bind_persona, obj, HS_KIND_BIND_PERSONA, keys, 2, &scratch, &msg));
    return bind_read(msg, keys, home_root, now, out);
}
