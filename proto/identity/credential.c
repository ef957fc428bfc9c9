#include "identity/credential.h"

#include "base/text.h"
#include "identity/learn.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <string.h>

enum { CREDENTIAL_SCRATCH = HS_UNPACK_FACTOR * HS_CREDENTIAL_MAX + HS_UNPACK_BASE };

/* One line: a name that breaks the line could pretend to be something else. */
static bool name_is_valid(struct hs_bytes name)
{
    if (name.len > HS_CREDENTIAL_NAME_MAX || !hs_text_is_clean(name))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (name.data[i] < ' ')
            return false;
    return true;
}

enum hs_err hs_credential_pack(const Hanse__SignedObject *certificate, Hanse__SignedObject *const *grants,
                               size_t grant_count, const char *display_name, struct hs_arena *arena,
                               struct hs_bytes *out)
{
    *out = (struct hs_bytes){0};
    HS_REQUIRE(grant_count <= HS_CREDENTIAL_GRANTS, HS_ERR_INVALID_ARG);
    HS_REQUIRE(name_is_valid(hs_bytes_str(display_name)), HS_ERR_INVALID_ARG);
    Hanse__Credential msg = HANSE__CREDENTIAL__INIT;
    /* protobuf-c's types don't say that packing only reads. */
    msg.certificate = (Hanse__SignedObject *)(uintptr_t)certificate;
    msg.n_grants = grant_count;
    msg.grants = (Hanse__SignedObject **)(uintptr_t)grants;
    msg.display_name = (char *)(uintptr_t)display_name;
    struct hs_writer HS_WRITER w = hs_writer(HS_CREDENTIAL_MAX);
    HS_TRY(HS_PACK(&msg, &w));
    struct hs_bytes copy = hs_arena_copy(arena, hs_writer_bytes(&w));
    HS_REQUIRE(copy.len == w.len, HS_ERR_NOMEM);
    *out = copy;
    return HS_OK;
}

static enum hs_err role_add(const Hanse__SignedObject *obj, const struct hs_key *root, struct hs_time now,
                            struct hs_learned *learned, struct hs_credential *c)
{
    struct hs_grant grant;
    HS_TRY(hs_grant_learn(obj, root, learned, &grant));
    HS_TRY(hs_grant_check_time(&grant, now));
    HS_REQUIRE(hs_key_equal(&grant.key, &c->certificate.persona), HS_ERR_BAD_CHAIN);
    c->roles |= hs_role_set(grant.role);
    return HS_OK;
}

static enum hs_err handle_add(const Hanse__SignedObject *obj, const struct hs_key *root, const char *domain,
                              struct hs_time now, struct hs_learned *learned, struct hs_credential *c)
{
    struct hs_handle_grant grant;
    HS_TRY(hs_handle_grant_learn(obj, root, learned, &grant));
    HS_TRY(hs_window_check(grant.created, (struct hs_time){0}, grant.not_after, now));
    HS_REQUIRE(hs_key_equal(&grant.key, &c->certificate.persona), HS_ERR_BAD_CHAIN);
    HS_REQUIRE(domain == NULL || hs_bytes_equal(hs_bytes_str(domain), hs_bytes_str(grant.domain)),
               HS_ERR_NAME_REFUSED);
    HS_REQUIRE(c->handle[0] == '\0', HS_ERR_MALFORMED);
    snprintf(c->handle, sizeof c->handle, "%s@%s", grant.name, grant.domain);
    return HS_OK;
}

enum hs_err hs_credential_verify(struct hs_bytes bytes, const struct hs_key *leaf_key,
                                 const struct hs_key *root, const char *domain, struct hs_time now,
                                 struct hs_credential *out)
{
    HS_REQUIRE(bytes.len <= HS_CREDENTIAL_MAX, HS_ERR_TOO_LARGE);
    struct hs_arena HS_ARENA scratch = hs_arena(CREDENTIAL_SCRATCH);
    Hanse__Credential *msg;
    HS_TRY(HS_UNPACK(hanse__credential, bytes, HS_STRICT, &scratch, &msg));
    HS_REQUIRE(msg->certificate != NULL && msg->n_grants <= HS_CREDENTIAL_GRANTS, HS_ERR_MALFORMED);
    struct hs_bytes name = hs_bytes_str(msg->display_name);
    HS_REQUIRE(name_is_valid(name), HS_ERR_MALFORMED);
    struct hs_credential c = {0};
    struct hs_learned learned = {0};
    HS_TRY(hs_certificate_learn(msg->certificate, &learned, &c.certificate));
    HS_TRY(hs_certificate_check_time(&c.certificate, now));
    HS_REQUIRE(hs_key_equal(&c.certificate.signature_key, leaf_key), HS_ERR_WRONG_SENDER);
    for (size_t i = 0; i < msg->n_grants; i++) {
        if (hs_object_claimed_kind(msg->grants[i]) == HS_KIND_HANDLE_GRANT)
            HS_TRY(handle_add(msg->grants[i], root, domain, now, &learned, &c));
        else
            HS_TRY(role_add(msg->grants[i], root, now, &learned, &c));
    }
    memcpy(c.display_name, name.data, name.len);
    *out = c;
    return HS_OK;
}
