/* Grants that come later: roles or a handle for the key that this device has at its home node already. */
#include "base/text.h"
#include "identity/grant.h"
#include "object/object.h"
#include "sync/state.h"

#include <stdio.h>

static const char text_prefix[] = "hanse:g/";

enum { TEXT_MAX = 16384 /* a descriptor and HS_CREDENTIAL_GRANTS grants, base64url */ };

/* "hanse:g/" and the base64url of a Chain, as hansed grant prints it. */
static enum hs_err parse_text(struct hs_step *s, const char *text, Hanse__Chain **out)
{
    size_t prefix = sizeof text_prefix - 1, len = strcspn(text, " \t\r\n"), got;
    HS_REQUIRE(len > prefix && memcmp(text, text_prefix, prefix) == 0, HS_ERR_MALFORMED);
    HS_REQUIRE(len <= TEXT_MAX, HS_ERR_TOO_LARGE);
    uint8_t *bytes = hs_arena_alloc(s->arena, len);
    HS_REQUIRE(bytes != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_unbase64(hs_bytes(text + prefix, len - prefix), bytes, len, &got));
    return hs_chain_unpack(s->arena, hs_bytes(bytes, got), out);
}

/* What the grants come to. */
struct sum {
    uint32_t roles;
    char handle[HS_HANDLE_TEXT_SIZE];
};

/* One grant for this device's key by its home's root; *wanted: not the descriptor that comes along. */
static enum hs_err read_grant(struct hs_step *s, const struct hs_key *own, const Hanse__SignedObject *object,
                              struct sum *sum, bool *wanted)
{
    const struct hs_me *me = &s->sync->me;
    struct hs_grant grant;
    struct hs_handle_grant handle;
    enum hs_kind kind = hs_object_claimed_kind(object);
    *wanted = kind == HS_KIND_GRANT || kind == HS_KIND_HANDLE_GRANT;
    if (kind == HS_KIND_GRANT) {
        HS_TRY(hs_grant_verify(object, &me->home_root, s->now, &grant));
        HS_REQUIRE(hs_key_equal(&grant.key, own), HS_ERR_BAD_CHAIN);
        sum->roles |= hs_role_set(grant.role);
    }
    if (kind == HS_KIND_HANDLE_GRANT) {
        HS_TRY(hs_handle_grant_verify(object, &me->home_root, s->now, &handle));
        HS_REQUIRE(hs_key_equal(&handle.key, own), HS_ERR_BAD_CHAIN);
        HS_REQUIRE(sum->handle[0] == '\0', HS_ERR_NAME_REFUSED); /* one person, one handle */
        (void)snprintf(sum->handle, sizeof sum->handle, "%s@%s", handle.name, handle.domain);
    }
    return HS_OK;
}

static enum hs_err take(struct hs_step *s, const struct hs_key *own, const Hanse__Chain *came)
{
    struct hs_me *me = &s->sync->me;
    struct sum sum = {.roles = me->roles};
    Hanse__SignedObject *all[HS_CREDENTIAL_GRANTS];
    Hanse__Chain merged = HANSE__CHAIN__INIT, *before;
    memcpy(sum.handle, me->handle, sizeof sum.handle);
    HS_TRY(hs_chain_unpack(s->arena, me->grants, &before));
    for (size_t i = 0; i < before->n_objects && i < HS_CREDENTIAL_GRANTS; i++)
        all[merged.n_objects++] = before->objects[i];
    for (size_t i = 0; i < came->n_objects; i++) {
        bool wanted = true;
        for (size_t j = 0; j < merged.n_objects && wanted; j++)
            wanted = !hs_object_equal(all[j], came->objects[i]);
        if (wanted)
            HS_TRY(read_grant(s, own, came->objects[i], &sum, &wanted));
        HS_REQUIRE(!wanted || merged.n_objects < HS_CREDENTIAL_GRANTS, HS_ERR_TOO_LARGE);
        if (wanted)
            all[merged.n_objects++] = came->objects[i];
    }
    merged.objects = all;
    HS_TRY(hs_chain_pack(s, &merged, &me->grants));
    me->roles = sum.roles;
    memcpy(me->handle, sum.handle, sizeof me->handle);
    return hs_me_save(s);
}

static enum hs_err answered(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                            enum hs_err err)
{
    HS_REQUIRE(err != HS_OK || frame->body_case == HANSE__FRAME__BODY_ACK, HS_ERR_UNEXPECTED);
    return hs_op_done(s, hs_op_find(s->sync, request->op), err, NULL, 0, NULL);
}

/* The node learns of them, so that it lets this account do what they allow. */
static enum hs_err show(struct hs_step *s, struct hs_op *op)
{
    Hanse__Chain *grants;
    Hanse__SignUp sign_up = HANSE__SIGN_UP__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = answered, .op = op->number};
    HS_TRY(hs_chain_unpack(s->arena, s->sync->me.grants, &grants));
    sign_up.grants = grants->objects;
    sign_up.n_grants = grants->n_objects;
    frame.sign_up = &sign_up;
    frame.body_case = HANSE__FRAME__BODY_SIGN_UP;
    op->busy = true;
    return hs_request_send(s, &frame, &request);
}

enum hs_err hs_want_grants(struct hs_step *s, const char *text, uint64_t *number)
{
    struct hs_op *op;
    struct hs_key own;
    Hanse__Chain *came;
    HS_REQUIRE(s->sync->has_me && s->sync->me.has_home, HS_ERR_INVALID_STATE);
    HS_TRY(parse_text(s, text, &came));
    HS_TRY(hs_sync_persona(s->sync, &s->sync->me.home_root, &own));
    HS_TRY(take(s, &own, came));
    HS_TRY(hs_op_new(s, &op, number));
    op->resume = show;
    return hs_op_begin(s, op);
}
