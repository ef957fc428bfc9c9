/* Handles: which key bears name@domain. */
#include "identity/learn.h"
#include "identity/scratch.h"

#include <string.h>

bool hs_handle_name_is_valid(struct hs_bytes name)
{
    if (name.len == 0 || name.len > HS_HANDLE_MAX)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
            return false;
    }
    return true;
}

enum hs_err hs_handle_grant_build(const struct hs_signer *root, const struct hs_handle_grant *g,
                                  struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_REQUIRE(hs_handle_name_is_valid(hs_bytes_str(g->name)), HS_ERR_NAME_REFUSED);
    HS_REQUIRE(hs_domain_is_valid(hs_bytes_str(g->domain)), HS_ERR_NAME_REFUSED);
    HS_TRY(hs_sign_key_check(&g->key));
    struct hs_handle_grant copy = *g;
    Hanse__HandleGrant msg = HANSE__HANDLE_GRANT__INIT;
    msg.key = hs_pb_data(HS_VIEW(copy.key));
    msg.name = copy.name;
    msg.domain = copy.domain;
    struct hs_author author = {.signer = root, .issuer = root->pub, .now = now};
    return hs_object_make(HS_KIND_HANDLE_GRANT, &msg.base, &author,
                          &(struct hs_hdr_spec){.not_after = g->not_after}, arena, out);
}

static enum hs_err handle_read(const Hanse__HandleGrant *msg, const struct hs_key *root,
                               struct hs_learned *learned, struct hs_handle_grant *out)
{
    struct hs_handle_grant g = {
        .root = *root,
        .created = hs_hdr_created(msg->hdr),
        .not_after = {msg->hdr->not_after_ms},
    };
    struct hs_key issuer = hs_hdr_issuer(msg->hdr);
    HS_REQUIRE(hs_key_equal(&issuer, root), HS_ERR_WRONG_SIGNER);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->key), &g.key), HS_ERR_MALFORMED);
    struct hs_bytes name = hs_bytes_str(msg->name), domain = hs_bytes_str(msg->domain);
    HS_REQUIRE(hs_handle_name_is_valid(name) && hs_domain_is_valid(domain), HS_ERR_NAME_REFUSED);
    HS_TRY(hs_key_learn(learned, &g.key));
    memcpy(g.name, name.data, name.len);
    memcpy(g.domain, domain.data, domain.len);
    *out = g;
    return HS_OK;
}

enum hs_err hs_handle_grant_learn(const Hanse__SignedObject *obj, const struct hs_key *root,
                                  struct hs_learned *learned, struct hs_handle_grant *out)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__HandleGrant *msg;
    HS_TRY(HS_OBJECT_OPEN(hanse__handle_grant, obj, HS_KIND_HANDLE_GRANT, root, 1, &scratch, &msg));
    return handle_read(msg, root, learned, out);
}

enum hs_err hs_handle_grant_open(const Hanse__SignedObject *obj, const struct hs_key *root,
                                 struct hs_handle_grant *out)
{
    return hs_handle_grant_learn(obj, root, NULL, out);
}

enum hs_err hs_handle_grant_verify(const Hanse__SignedObject *obj, const struct hs_key *root,
                                   struct hs_time now, struct hs_handle_grant *out)
{
    struct hs_handle_grant g;
    HS_TRY(hs_handle_grant_open(obj, root, &g));
    HS_TRY(hs_window_check(g.created, (struct hs_time){0}, g.not_after, now));
    *out = g;
    return HS_OK;
}
