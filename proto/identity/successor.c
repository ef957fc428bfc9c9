#include "identity/successor.h"

#include "identity/scratch.h"
#include "schema/identity.pb-c.h"

enum hs_err hs_successor_build(const struct hs_signer *old_root, const struct hs_signer *new_root,
                               struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_REQUIRE(!hs_key_equal(&old_root->pub, &new_root->pub), HS_ERR_INVALID_ARG);
    Hanse__RootSuccessor msg = HANSE__ROOT_SUCCESSOR__INIT;
    struct hs_hdr_spec spec = {0};
    HS_TRY(hs_hdr_new(arena, &old_root->pub, now, &spec, NULL, &msg.hdr));
    msg.new_root = hs_pb_data(HS_VIEW(new_root->pub));
    const struct hs_signer *signers[2] = {old_root, new_root};
    return hs_object_sign(HS_KIND_ROOT_SUCCESSOR, &msg.base, signers, 2, arena, out);
}

enum hs_err hs_successor_verify(const Hanse__SignedObject *obj, const struct hs_key *new_root,
                                struct hs_time now, struct hs_key *old_root)
{
    /* The first key is learned here: the caller knows whether it has pinned that one. */
    struct hs_key keys[2] = {[1] = *new_root}, named;
    HS_REQUIRE(hs_object_claimed_signer(obj, 0, &keys[0]), HS_ERR_WRONG_SIGNER);
    HS_REQUIRE(!hs_key_equal(&keys[0], new_root), HS_ERR_WRONG_SIGNER);
    HS_TRY(hs_sign_key_check(&keys[0]));
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__RootSuccessor *msg;
    HS_TRY(HS_OBJECT_OPEN(hanse__root_successor, obj, HS_KIND_ROOT_SUCCESSOR, keys, 2, &scratch, &msg));
    struct hs_key issuer = hs_hdr_issuer(msg->hdr);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->new_root), &named), HS_ERR_MALFORMED);
    HS_REQUIRE(hs_key_equal(&issuer, &keys[0]) && hs_key_equal(&named, new_root), HS_ERR_WRONG_SIGNER);
    HS_TRY(hs_hdr_window(msg->hdr, 0, now));
    *old_root = keys[0];
    return HS_OK;
}
