#include "room/leaf.h"

#include "wire/unpack.h"

/* The numbers of fields in object.proto, as hs_room_leaf_persona() reads them. */
enum { CERTIFICATE = 1, SIGNATURES = 3, KEY_ID = 1 };

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
    HS_TRY(hs_prewalk(&hanse__credential__descriptor, identity, HS_STRICT));
    /* who signed the certificate is whom it speaks for: that was checked */
    struct hs_bytes certificate = hs_prewalked_field(identity, CERTIFICATE);
    struct hs_bytes signature = hs_prewalked_field(certificate, SIGNATURES);
    return HS_FIXED(hs_prewalked_field(signature, KEY_ID), persona) ? HS_OK : HS_ERR_MALFORMED;
}

bool hs_room_member_is_endorsed(const struct hs_room_member *member)
{
    return member->handle[0] != '\0' || member->roles != 0;
}
