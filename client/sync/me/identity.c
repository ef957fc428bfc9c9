/* Who this device is, and its first account. */
#include "base/text.h"
#include "crypto/hash.h"
#include "identity/ticket.h"
#include "sync/rooms/join.h"

static enum hs_err set_name(struct hs_me *me, const char *name)
{
    size_t len = name != NULL ? strlen(name) : 0;
    HS_REQUIRE(len < sizeof me->name && (len == 0 || hs_text_is_clean(hs_bytes(name, len))),
               HS_ERR_INVALID_ARG);
    memset(me->name, 0, sizeof me->name);
    if (len > 0)
        memcpy(me->name, name, len);
    return HS_OK;
}

enum hs_err hs_want_identity(struct hs_step *s, const char *name)
{
    struct hs_me *me = &s->sync->me;
    HS_REQUIRE(!s->sync->has_me, HS_ERR_INVALID_STATE);
    HS_TRY(set_name(me, name));
    randombytes_buf(me->seed.b, sizeof me->seed.b);
    randombytes_buf(me->device_secret.b, sizeof me->device_secret.b);
    return hs_me_save(s);
}

enum hs_err hs_want_name(struct hs_step *s, const char *name)
{
    HS_REQUIRE(s->sync->has_me, HS_ERR_INVALID_STATE);
    HS_TRY(set_name(&s->sync->me, name));
    return hs_me_save(s);
}

/* A ticket with grants makes this device a role of the brand: one public identity, known as such everywhere.
 */
static enum hs_err take_role(struct hs_step *s, const struct hs_ticket_text *text)
{
    struct hs_me *me = &s->sync->me;
    Hanse__Chain grants = HANSE__CHAIN__INIT;
    if (text->grant_count == 0)
        return HS_OK;
    grants.objects = text->grant_objects;
    grants.n_objects = text->grant_count;
    HS_TRY(hs_chain_pack(s, &grants, &me->grants));
    me->has_role = true;
    me->role_seed = text->seed;
    me->roles = text->roles;
    memcpy(me->handle, text->handle, sizeof me->handle);
    return HS_OK;
}

static enum hs_err take_ticket(struct hs_step *s, const char *ticket, struct hs_ticket_text *text)
{
    struct hs_me *me = &s->sync->me;
    HS_REQUIRE(s->sync->has_me, HS_ERR_INVALID_STATE);
    HS_TRY(hs_home_unused(s)); /* its program may have ended before it was given up */
    HS_REQUIRE(!me->has_home, HS_ERR_INVALID_STATE);
    size_t len = strlen(ticket);
    while (len > 0 && strchr(" \t\r\n", ticket[len - 1]) != NULL)
        len--;
    struct hs_bytes bytes = hs_bytes(ticket, len);
    HS_TRY(hs_ticket_text_parse(bytes, s->now, s->arena, text));
    HS_TRY(hs_object_pack(text->descriptor_object, s->arena, &me->home_descriptor));
    HS_TRY(take_role(s, text));
    me->has_home = true;
    me->home_root = text->descriptor.root;
    me->ticket = bytes;
    HS_TRY(hs_joins_dropped_elsewhere(s, &me->home_root));
    return hs_me_save(s);
}

enum hs_err hs_want_sign_up(struct hs_step *s, const char *ticket, uint64_t *number)
{
    struct hs_op *op;
    struct hs_ticket_text text = {0};
    enum hs_err err = take_ticket(s, ticket, &text);
    hs_ticket_text_wipe(&text);
    HS_TRY(err);
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_SIGN_UP;
    op->stranger = true;
    return HS_OK;
}
