#include "identity/grant.h"

#include "identity/learn.h"
#include "identity/scratch.h"

static const char *const role_names[] = {
    [HANSE__ROLE__ROLE_NONE] = "none",
    [HANSE__ROLE__ROLE_OWNER] = "owner",
    [HANSE__ROLE__ROLE_MERCHANT] = "merchant",
    [HANSE__ROLE__ROLE_STAFF] = "staff",
    [HANSE__ROLE__ROLE_TILL] = "till",
    [HANSE__ROLE__ROLE_STEWARD] = "steward",
    [HANSE__ROLE__ROLE_PAYMENT_AGENT] = "payment-agent",
    [HANSE__ROLE__ROLE_FULFILLER] = "fulfiller",
};
enum { ROLE_COUNT = sizeof role_names / sizeof role_names[0] };

static bool role_is_valid(Hanse__Role role)
{
    return (unsigned)role > HANSE__ROLE__ROLE_NONE && (unsigned)role < ROLE_COUNT;
}

uint32_t hs_role_set(Hanse__Role role)
{
    if (!role_is_valid(role))
        return 0;
    return role == HANSE__ROLE__ROLE_OWNER ? (uint32_t)HS_ROLES_ALL : HS_ROLE_BIT(role);
}

const char *hs_role_name(Hanse__Role role)
{
    return role_is_valid(role) ? role_names[role] : role_names[HANSE__ROLE__ROLE_NONE];
}

Hanse__Role hs_role_of(struct hs_bytes name)
{
    for (unsigned role = HANSE__ROLE__ROLE_NONE + 1; role < ROLE_COUNT; role++)
        if (hs_bytes_equal(name, hs_bytes_str(role_names[role])))
            return (Hanse__Role)role;
    return HANSE__ROLE__ROLE_NONE;
}

enum hs_err hs_grant_build(const struct hs_signer *root, const struct hs_grant *g, struct hs_time now,
                           struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_REQUIRE(role_is_valid(g->role) && g->not_before.ms >= 0, HS_ERR_INVALID_ARG);
    HS_TRY(hs_sign_key_check(&g->key));
    Hanse__Grant msg = HANSE__GRANT__INIT;
    msg.key = hs_pb_data(HS_VIEW(g->key));
    msg.role = g->role;
    msg.not_before_ms = g->not_before.ms;
    struct hs_author author = {.signer = root, .issuer = root->pub, .now = now};
    return hs_object_make(HS_KIND_GRANT, &msg.base, &author, &(struct hs_hdr_spec){.not_after = g->not_after},
                          arena, out);
}

static enum hs_err grant_read(const Hanse__Grant *msg, const struct hs_key *root, struct hs_learned *learned,
                              struct hs_grant *out)
{
    struct hs_grant g = {
        .root = *root,
        .role = msg->role,
        .created = hs_hdr_created(msg->hdr),
        .not_before = {msg->not_before_ms},
        .not_after = {msg->hdr->not_after_ms},
    };
    struct hs_key issuer = hs_hdr_issuer(msg->hdr);
    HS_REQUIRE(hs_key_equal(&issuer, root), HS_ERR_WRONG_SIGNER);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->key), &g.key), HS_ERR_MALFORMED);
    HS_REQUIRE(role_is_valid(msg->role) && msg->not_before_ms >= 0, HS_ERR_MALFORMED);
    HS_TRY(hs_key_learn(learned, &g.key));
    *out = g;
    return HS_OK;
}

enum hs_err hs_grant_learn(const Hanse__SignedObject *obj, const struct hs_key *root,
                           struct hs_learned *learned, struct hs_grant *out)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__Grant *msg;
    HS_TRY(HS_OBJECT_OPEN(hanse__grant, obj, HS_KIND_GRANT, root, 1, &scratch, &msg));
    return grant_read(msg, root, learned, out);
}

enum hs_err hs_grant_open(const Hanse__SignedObject *obj, const struct hs_key *root, struct hs_grant *out)
{
    return hs_grant_learn(obj, root, NULL, out);
}

enum hs_err hs_grant_check_time(const struct hs_grant *g, struct hs_time at)
{
    return hs_window_check(g->created, g->not_before, g->not_after, at);
}

enum hs_err hs_grant_verify(const Hanse__SignedObject *obj, const struct hs_key *root, struct hs_time now,
                            struct hs_grant *out)
{
    struct hs_grant g;
    HS_TRY(hs_grant_open(obj, root, &g));
    HS_TRY(hs_grant_check_time(&g, now));
    *out = g;
    return HS_OK;
}
