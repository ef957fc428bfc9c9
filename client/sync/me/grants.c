/* Grants that come later: roles or a handle for the key that this device has at its home node already. */
#include "base/text.h"
#include "identity/grant.h"
#include "object/object.h"
#include "store/tables.h"
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

/* One grant for this device's key by that root; *wanted: not the descriptor that comes along. */
static enum hs_err read_grant(struct hs_step *s, const struct hs_key *root, const struct hs_key *own,
                              const Hanse__SignedObject *object, struct sum *sum, bool *wanted)
{
    struct hs_grant grant;
    struct hs_handle_grant handle;
    enum hs_kind kind = hs_object_claimed_kind(object);
    *wanted = kind == HS_KIND_GRANT || kind == HS_KIND_HANDLE_GRANT;
    if (kind == HS_KIND_GRANT) {
        HS_TRY(hs_grant_verify(object, root, s->now, &grant));
        HS_REQUIRE(hs_key_equal(&grant.key, own), HS_ERR_BAD_CHAIN);
        sum->roles |= hs_role_set(grant.role);
    }
    if (kind == HS_KIND_HANDLE_GRANT) {
        HS_TRY(hs_handle_grant_verify(object, root, s->now, &handle));
        HS_REQUIRE(hs_key_equal(&handle.key, own), HS_ERR_BAD_CHAIN);
        HS_REQUIRE(sum->handle[0] == '\0', HS_ERR_NAME_REFUSED); /* one person, one handle */
        (void)snprintf(sum->handle, sizeof sum->handle, "%s@%s", handle.name, handle.domain);
    }
    return HS_OK;
}

/* What is held already, and what came: all of it or nothing. */
static enum hs_err merge(struct hs_step *s, const struct hs_key *root, struct hs_bytes held,
                         const Hanse__Chain *came, struct sum *sum, struct hs_bytes *out)
{
    Hanse__SignedObject *all[HS_CREDENTIAL_GRANTS];
    Hanse__Chain merged = HANSE__CHAIN__INIT, *before;
    struct hs_key own;
    HS_TRY(hs_sync_persona(s->sync, root, &own));
    HS_TRY(hs_chain_unpack(s->arena, held, &before));
    for (size_t i = 0; i < before->n_objects && i < HS_CREDENTIAL_GRANTS; i++)
        all[merged.n_objects++] = before->objects[i];
    for (size_t i = 0; i < came->n_objects; i++) {
        bool wanted = true;
        for (size_t j = 0; j < merged.n_objects && wanted; j++)
            wanted = !hs_object_equal(all[j], came->objects[i]);
        if (wanted)
            HS_TRY(read_grant(s, root, &own, came->objects[i], sum, &wanted));
        HS_REQUIRE(!wanted || merged.n_objects < HS_CREDENTIAL_GRANTS, HS_ERR_TOO_LARGE);
        if (wanted)
            all[merged.n_objects++] = came->objects[i];
    }
    merged.objects = all;
    return hs_chain_pack(s, &merged, out);
}

static enum hs_err take_home(struct hs_step *s, const Hanse__Chain *came)
{
    struct hs_me *me = &s->sync->me;
    struct sum sum = {.roles = me->roles};
    memcpy(sum.handle, me->handle, sizeof sum.handle);
    HS_TRY(merge(s, &me->home_root, me->grants, came, &sum, &me->grants));
    me->roles = sum.roles;
    memcpy(me->handle, sum.handle, sizeof me->handle);
    return hs_me_save(s);
}

/* Of another brand, in one of whose rooms this device is: the root that signed the grants. */
static bool room_root(struct hs_step *s, const Hanse__Chain *came, struct hs_key *root)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    for (size_t i = 0; i < came->n_objects; i++) {
        enum hs_kind kind = hs_object_claimed_kind(came->objects[i]);
        if ((kind == HS_KIND_GRANT || kind == HS_KIND_HANDLE_GRANT) &&
            hs_object_claimed_signer(came->objects[i], 0, root))
            break;
    }
    while (hs_room_next(s->kv, &cursor, s->arena, &row))
        if (row.state == HS_ROOM_STATE_MEMBER && hs_key_equal(&row.hub_root, root))
            return !hs_root_is_home(s->sync, root);
    return false;
}

static enum hs_err take_foreign(struct hs_step *s, const struct hs_key *root, const Hanse__Chain *came)
{
    struct sum sum = {0};
    struct hs_bytes held = {0}, merged;
    (void)hs_kv_get(s->kv, HS_TABLE_GRANTS, HS_VIEW(*root), s->arena, &held);
    HS_TRY(s->kv->err);
    HS_TRY(merge(s, root, held, came, &sum, &merged));
    hs_kv_put(s->kv, HS_TABLE_GRANTS, HS_VIEW(*root), merged);
    return s->kv->err;
}

/* Rooms of that brand see it with the next commit, which this device makes for that where it has no other to
 * make. */
static enum hs_err show_rooms(struct hs_step *s, const struct hs_key *root)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    struct hs_live_room *room;
    while (hs_room_next(s->kv, &cursor, s->arena, &row)) {
        if (row.state != HS_ROOM_STATE_MEMBER || !hs_key_equal(&row.hub_root, root) ||
            hs_live_member(s, &row.id, &room) != HS_OK)
            continue;
        room->row.recredential = hs_mls_group_has_pending(room->group) ? 2 : 1;
        room->row_dirty = true;
        HS_TRY(hs_commit_next(s, room));
    }
    return s->kv->err;
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
    struct hs_self HS_SELF self = {0};
    Hanse__SignUp sign_up = HANSE__SIGN_UP__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = answered, .op = op->number};
    HS_TRY(hs_self_for(s, &s->sync->me.home_root, &self));
    sign_up.grants = self.grants;
    sign_up.n_grants = self.grant_count;
    frame.sign_up = &sign_up;
    frame.body_case = HANSE__FRAME__BODY_SIGN_UP;
    op->busy = true;
    return hs_request_send(s, &frame, &request);
}

/* All rooms have seen what this device was granted. */
static bool all_shown(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_room_row row;
    for (const struct hs_live_room *room = s->sync->rooms; room != NULL; room = room->next)
        if (room->row.state == HS_ROOM_STATE_MEMBER && room->row.recredential > 0)
            return false;
    while (hs_room_next(s->kv, &cursor, s->arena, &row)) {
        struct hs_live_room *room; /* what is in memory may be newer, and was looked at */
        if (row.recredential > 0 && row.state == HS_ROOM_STATE_MEMBER &&
            (hs_live_get(s, &row.id, &room) != HS_OK || room->row.recredential > 0))
            return false;
    }
    return true;
}

enum hs_err hs_grants_shown(struct hs_step *s)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (op->kind == HS_OP_GRANT && all_shown(s))
            HS_TRY(hs_op_done(s, op, HS_OK, NULL, 0, NULL));
    }
    return s->kv->err;
}

static enum hs_err shown(struct hs_step *s, struct hs_op *op)
{
    (void)op;
    return hs_grants_shown(s);
}

enum hs_err hs_want_grants(struct hs_step *s, const char *text, uint64_t *number)
{
    struct hs_op *op;
    struct hs_key root;
    Hanse__Chain *came;
    HS_REQUIRE(s->sync->has_me && s->sync->me.has_home, HS_ERR_INVALID_STATE);
    HS_TRY(parse_text(s, text, &came));
    bool foreign = room_root(s, came, &root);
    if (!foreign)
        root = s->sync->me.home_root;
    HS_TRY(foreign ? take_foreign(s, &root, came) : take_home(s, came));
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = foreign ? HS_OP_GRANT : HS_OP_OTHER;
    op->resume = foreign ? shown : show;
    HS_TRY(show_rooms(s, &root));
    return hs_op_begin(s, op);
}
