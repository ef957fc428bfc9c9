/* A new room at the home node: genesis, a group of one, CreateRoom. */
#include "base/text.h"
#include "room/genesis.h"
#include "room/suite.h"
#include "sync/state.h"

enum {
    LEAF_YEARS = 10,
    YEAR_S = 365 * 86400,
    LEAF_SKEW_S = 3600,
};

static enum hs_err policy_for(struct hs_step *s, const struct hs_self *self,
                              const struct hanse_room_spec *room, enum hs_room_kind kind,
                              struct hs_policy *out)
{
    struct hs_policy_role *owner = hs_arena_alloc(s->arena, sizeof *owner);
    HS_REQUIRE(owner != NULL, HS_ERR_NOMEM);
    *owner = (struct hs_policy_role){.key = self->persona, .role = HS_ROOM_OWNER};
    *out = (struct hs_policy){.name = hs_bytes_str(room->name),
                              .kind = kind,
                              .retention_ms = room->keep_ms,
                              .roles = owner,
                              .role_count = 1,
                              .max_members = HS_GROUP_MEMBERS_MAX,
                              .hub_root = self->root,
                              .hub_term = HS_POLICY_HUB_TERM_FIRST};
    return HS_OK;
}

static enum hs_err group_for(struct hs_step *s, const struct hs_self *self, const struct hs_policy *policy,
                             const struct hs_id *room, struct hs_mls_group **out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    HS_TRY(hs_policy_pack(policy, &w));
    static const uint16_t types[] = {HS_POLICY_EXTENSION};
    struct hs_mls_extension extension = {HS_POLICY_EXTENSION, hs_writer_bytes(&w)};
    struct hs_mls_signer HS_MLS_SIGNER signer = hs_room_signer(&self->device.signature);
    struct hs_mls_create create = {
        .leaf = {.signer = &signer,
                 .not_before = (uint64_t)(s->now.ms / 1000 - LEAF_SKEW_S),
                 .not_after = (uint64_t)(s->now.ms / 1000) + LEAF_YEARS * (uint64_t)YEAR_S,
                 .extension_types = types,
                 .extension_type_count = 1},
        .group_id = HS_VIEW(*room),
        .extensions = &extension,
        .extension_count = 1,
        .settings = hs_live_settings()};
    HS_TRY(hs_self_credential(s, self, &create.leaf.identity));
    return hs_mls_group_create(&create, out);
}

static enum hs_err keep_room(struct hs_step *s, const struct hs_self *self, const struct hs_id *id,
                             struct hs_mls_group *group)
{
    struct hs_room_row row = {.id = *id,
                              .state = HS_ROOM_STATE_CREATING,
                              .hub_root = self->root,
                              .self = self->persona,
                              .descriptor = s->sync->me.home_descriptor};
    struct hs_live_room *room;
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    HS_TRY(hs_live_add(s, &row, group, &room));
    HS_TRY(hs_object_unpack(row.descriptor, s->arena, &object));
    HS_TRY(hs_descriptor_open(object, &self->root, &d));
    memcpy(room->row.domain, d.domain, sizeof room->row.domain);
    return HS_OK;
}

static enum hs_err keep_request(struct hs_step *s, const struct hs_id *id, struct hs_bytes genesis,
                                struct hs_bytes group_info, uint64_t *number)
{
    Hanse__CreateRoom create = HANSE__CREATE_ROOM__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_outbox_row row = {.kind = HS_OUTBOX_CREATE, .room = *id};
    create.genesis = hs_pb_data(genesis);
    create.group_info = hs_pb_data(group_info);
    frame.body_case = HANSE__FRAME__BODY_CREATE_ROOM;
    frame.create_room = &create;
    HS_TRY(hs_frame_pack(s, &frame, &row.frame));
    HS_TRY(hs_outbox_row_add(s, &row));
    *number = row.number;
    return HS_OK;
}

enum hs_err hs_create_room(struct hs_step *s, const struct hanse_room_spec *room, enum hs_room_kind kind,
                           struct hs_id *id, uint64_t *number)
{
    struct hs_self HS_SELF self;
    struct hs_policy policy;
    struct hs_writer HS_WRITER body = hs_writer(HS_FRAME_MAX), info = hs_writer(HS_FRAME_MAX);
    HS_REQUIRE(s->sync->me.home_descriptor.len > 0, HS_ERR_NO_ACCOUNT);
    HS_TRY(hs_self_for(s, &s->sync->me.home_root, &self));
    HS_TRY(policy_for(s, &self, room, kind, &policy));
    struct hs_genesis_spec spec = {
        .device = &self.device.signature, .certificate = self.certificate, .policy = &policy, .now = s->now};
    HS_TRY(hs_genesis_build(&spec, &body, id));
    struct hs_mls_group *group;
    HS_TRY(group_for(s, &self, &policy, id, &group));
    enum hs_err err = hs_mls_group_info(group, true, &info);
    if (err != HS_OK) {
        hs_mls_group_free(group);
        return err;
    }
    HS_TRY(keep_room(s, &self, id, group));
    return keep_request(s, id, hs_writer_bytes(&body), hs_writer_bytes(&info), number);
}

enum hs_err hs_create_accepted(struct hs_step *s, struct hs_outbox_row *row)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, &row->room, &room));
    room->row.state = HS_ROOM_STATE_MEMBER;
    room->row_dirty = true;
    hs_outbox_row_delete(s->kv, row->number);
    HS_TRY(hs_home_attach_room(s, room));
    HS_TRY(hs_op_done(s, hs_op_of_outbox(s->sync, row->number), HS_OK, &row->room, 0, NULL));
    return hs_commit_next(s, room);
}

enum hs_err hs_create_refused(struct hs_step *s, struct hs_outbox_row *row, enum hs_err err)
{
    hs_outbox_row_delete(s->kv, row->number);
    hs_live_forget(s->sync, &row->room);
    hs_room_delete(s->kv, &row->room);
    return hs_op_done(s, hs_op_of_outbox(s->sync, row->number), err, NULL, 0, NULL);
}

enum hs_err hs_want_room(struct hs_step *s, const struct hanse_room_spec *spec, uint64_t *number)
{
    struct hs_op *op;
    struct hs_id room;
    size_t len = strlen(spec->name);
    HS_REQUIRE(len > 0 && len <= HS_POLICY_NAME_MAX && hs_text_is_clean(hs_bytes_str(spec->name)) &&
                   spec->keep_ms >= 0,
               HS_ERR_INVALID_ARG);
    HS_REQUIRE(s->sync->has_me, HS_ERR_INVALID_STATE);
    HS_TRY(hs_op_new(s, &op, number));
    return hs_create_room(s, spec, HS_ROOM_GROUP, &room, &op->outbox);
}
