#include "room/leaf.h"

#include "wire/unpack.h"

enum hs_err hs_room_leaf_check(const struct hs_mls_member *leaf, const struct hs_key *hub_root,
                               struct hs_time at, struct hs_room_member *out)
{
    *out = (struct hs_room_member){0};
    struct hs_credential credential = {0};
    struct hs_key key;
    HS_REQUIRE(leaf->credential_type == HS_MLS_BASIC, HS_ERR_UNSUPPORTED);
    HS_REQUIRE(HS_FIXED(leaf->signature_key, &key), HS_ERR_WRONG_SENDER);
    HS_TRY(hs_credential_verify(leaf->identity, &key, hub_root, NULL, at, &credential));
    out->persona = credential.certificate.persona;
    out->device = credential.certificate.signature_key;
    out->device_number = credential.certificate.device_number;
    out->roles = credential.roles;
    memcpy(out->handle, credential.handle, sizeof out->handle);
    memcpy(out->display_name, credential.display_name, sizeof out->display_name);
    return HS_OK;
}

enum hs_err hs_room_leaf_persona(const struct hs_mls_member *leaf, struct hs_key *persona)
{
    *persona = (struct hs_key){0};
    struct hs_bytes identity = leaf->identity;
    HS_REQUIRE(leaf->credential_type == HS_MLS_BASIC, HS_ERR_UNSUPPORTED);
    HS_REQUIRE(identity.len <= HS_CREDENTIAL_MAX, HS_ERR_TOO_LARGE);
    struct hs_arena HS_ARENA arena = hs_arena(2 * hs_unpack_budget(identity.len));
    Hanse__Credential *credential = NULL;
    HS_TRY(HS_UNPACK(hanse__credential, identity, HS_STRICT, &arena, &credential));
    /* who signed the certificate is whom it speaks for: that was checked */
    HS_REQUIRE(credential->certificate != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(hs_object_claimed_signer(credential->certificate, 0, persona), HS_ERR_MALFORMED);
    return HS_OK;
}

bool hs_room_member_is_endorsed(const struct hs_room_member *member)
{
    return member->handle[0] != '\0' || member->roles != 0;
}
