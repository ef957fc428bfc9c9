#include "sync/log/hub_key.h"
#include "sync/log/rejoin.h"
#include "sync/move/move.h"

#include "room/context.h"
#include "room/suite.h"
#include "room/window.h"

#include <stdlib.h>

enum { ROW_ARENA = 1 << 20, POLICY_ARENA = 4 << 20 };

static void live_free(struct hs_live_room *room)
{
    hs_mls_group_free(room->group);
    hs_mls_public_free(room->pub);
    hs_arena_free(&room->row_arena);
    hs_arena_free(&room->policy_arena);
    free(room);
}

void hs_live_drop_all(struct hs_sync *sync)
{
    while (sync->rooms != NULL) {
        struct hs_live_room *first = sync->rooms;
        sync->rooms = first->next;
        live_free(first);
    }
}

void hs_live_forget(struct hs_sync *sync, const struct hs_id *room)
{
    for (struct hs_live_room **at = &sync->rooms; *at != NULL; at = &(*at)->next) {
        if (!hs_id_equal(&(*at)->row.id, room))
            continue;
        struct hs_live_room *gone = *at;
        *at = gone->next;
        live_free(gone);
        return;
    }
}

static struct hs_live_room *live_new(struct hs_sync *sync)
{
    struct hs_live_room *room = calloc(1, sizeof *room);
    if (room == NULL)
        return NULL;
    room->row_arena = hs_arena(ROW_ARENA);
    room->policy_arena = hs_arena(POLICY_ARENA);
    room->next = sync->rooms;
    sync->rooms = room;
    return room;
}

const struct hs_mls_public *hs_live_public(const struct hs_live_room *room)
{
    return room->group != NULL ? hs_mls_group_public(room->group) : room->pub;
}

/* Reads the policy out of the group; it was judged before it came in. */
static enum hs_err policy_load(struct hs_live_room *room)
{
    struct hs_bytes bytes;
    hs_arena_free(&room->policy_arena);
    room->policy_arena = hs_arena(POLICY_ARENA);
    HS_REQUIRE(hs_mls_public_extension(hs_live_public(room), HS_POLICY_EXTENSION, &bytes), HS_ERR_POLICY);
    return hs_policy_parse(bytes, &room->policy_arena, &room->policy);
}

/* Not every room has a group: before the Welcome there is none, nor after leaving. */
static enum hs_err group_load(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_self HS_SELF self = {0};
    if (hs_room_is_lost(room)) {
        HS_TRY(hs_lost_load(s, room));
        return policy_load(room);
    }
    hs_group_state_open(s->kv, &room->row.id, &room->store);
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    struct hs_mls_signer HS_MLS_SIGNER signer = hs_room_signer(&self.device.signature);
    enum hs_err err = hs_mls_group_load(&room->store.store, &signer, 1, &room->group);
    if (err == HS_ERR_NOT_FOUND)
        return s->kv->err;
    HS_TRY(err);
    return policy_load(room);
}

enum hs_err hs_live_get(struct hs_step *s, const struct hs_id *id, struct hs_live_room **out)
{
    for (struct hs_live_room *room = s->sync->rooms; room != NULL; room = room->next)
        if (hs_id_equal(&room->row.id, id)) {
            room->store.kv = room->pub_store.kv = s->kv; /* the group may still have pieces to read */
            *out = room;
            return HS_OK;
        }
    struct hs_live_room *room = live_new(s->sync);
    HS_REQUIRE(room != NULL, HS_ERR_NOMEM);
    enum hs_err err = HS_ERR_NOT_FOUND;
    if (hs_room_get(s->kv, id, &room->row_arena, &room->row)) {
        err = group_load(s, room);
        hs_live_unsettled(s, room);
    }
    if (err != HS_OK) {
        s->sync->rooms = room->next;
        live_free(room);
        return s->kv->err != HS_OK ? s->kv->err : err;
    }
    *out = room;
    return HS_OK;
}

enum hs_err hs_live_member(struct hs_step *s, const struct hs_id *id, struct hs_live_room **out)
{
    enum hs_err err = hs_live_get(s, id, out);
    HS_REQUIRE(err != HS_ERR_NOT_FOUND, HS_ERR_ROOM_UNKNOWN);
    HS_TRY(err);
    HS_REQUIRE((*out)->row.state != HS_ROOM_STATE_LEFT && (*out)->row.state != HS_ROOM_STATE_WAITING,
               HS_ERR_NOT_MEMBER);
    HS_REQUIRE((*out)->row.state != HS_ROOM_STATE_FROZEN, (enum hs_err)(*out)->row.frozen);
    HS_REQUIRE((*out)->row.state == HS_ROOM_STATE_MEMBER, HS_ERR_INVALID_STATE);
    HS_REQUIRE(!hs_room_is_lost(*out), HS_ERR_STATE_LOST);
    return (*out)->group != NULL ? HS_OK : HS_ERR_INVALID_STATE;
}

enum hs_err hs_live_poster(struct hs_step *s, const struct hs_id *id, struct hs_live_room **out)
{
    enum hs_err err = hs_live_member(s, id, out);
    return err == HS_ERR_STATE_LOST && (*out)->row.state == HS_ROOM_STATE_MEMBER ? HS_OK : err;
}

enum hs_err hs_live_add(struct hs_step *s, const struct hs_room_row *row, struct hs_mls_group *group,
                        struct hs_live_room **out)
{
    struct hs_live_room *room = live_new(s->sync);
    if (room == NULL) {
        hs_mls_group_free(group);
        return HS_ERR_NOMEM;
    }
    room->row = *row;
    room->newest.say_at = HS_NEVER;
    room->group = group;
    room->row.descriptor = hs_arena_copy(&room->row_arena, row->descriptor);
    HS_REQUIRE(room->row.descriptor.len == row->descriptor.len, HS_ERR_NOMEM);
    room->group_fresh = group != NULL;
    hs_group_state_open(s->kv, &row->id, &room->store);
    room->row_dirty = true;
    *out = room;
    return group != NULL ? hs_live_refresh(s, room) : HS_OK;
}

struct hs_mls_settings hs_live_settings(void)
{
    struct hs_mls_settings settings = hs_mls_settings_default();
    settings.past_epochs = HS_ROOM_PAST_EPOCHS;
    settings.past_seconds = HS_ROOM_WINDOW_S;
    settings.settling = true;
    return settings;
}

void hs_live_expire(struct hs_live_room *room, struct hs_time at)
{
    if (room->group == NULL || at.ms < 0)
        return;
    hs_mls_group_expire(room->group, (uint64_t)at.ms / 1000);
    room->group_dirty = true;
}

enum hs_err hs_live_refresh(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_room_row *row = &room->row;
    HS_TRY(policy_load(room));
    memcpy(row->name, room->policy.name.data, room->policy.name.len);
    row->name[room->policy.name.len] = '\0';
    row->kind = room->policy.kind;
    row->role = hs_policy_role(&room->policy, &row->self, s->now);
    row->epoch = hs_mls_public_epoch(hs_live_public(room));
    row->members = hs_mls_public_member_count(hs_live_public(room));
    room->row_dirty = room->group_dirty = true;
    return HS_OK;
}

enum hs_err hs_live_take_descriptor(struct hs_live_room *room, struct hs_bytes descriptor)
{
    struct hs_arena arena = hs_arena(ROW_ARENA);
    struct hs_bytes copy = hs_arena_copy(&arena, descriptor);
    HS_REQUIRE(copy.data != NULL, HS_ERR_NOMEM);
    hs_arena_free(&room->row_arena); /* nothing else of the row lies there */
    room->row_arena = arena;
    room->row.descriptor = copy;
    return HS_OK;
}

enum hs_err hs_live_set_descriptor(struct hs_step *s, struct hs_live_room *room, struct hs_bytes descriptor,
                                   struct hs_descriptor *facts)
{
    Hanse__SignedObject *object;
    struct hs_descriptor present;
    HS_TRY(hs_object_unpack(room->row.descriptor, s->arena, &object));
    HS_TRY(hs_descriptor_open(object, hs_row_hub(&room->row), &present));
    if (facts->sequence <= present.sequence) {
        *facts = present;
        return HS_OK;
    }
    HS_TRY(hs_hub_key_keep(s, hs_row_hub(&room->row), room->row.descriptor));
    HS_TRY(hs_live_take_descriptor(room, descriptor));
    if (hs_key_equal(hs_row_hub(&room->row), &room->row.hub_root)) /* handles are the brand's */
        memcpy(room->row.domain, facts->domain, sizeof room->row.domain);
    room->row_dirty = true;
    return HS_OK;
}

static enum hs_err group_save(struct hs_step *s, struct hs_live_room *room)
{
    room->store.kv = s->kv;
    if (room->group_fresh)
        hs_group_state_delete(s->kv, &room->row.id);
    room->group_fresh = false;
    HS_TRY(hs_mls_group_save(room->group, &room->store.store));
    return s->kv->err;
}

enum hs_err hs_live_save_all(struct hs_step *s)
{
    for (struct hs_live_room *room = s->sync->rooms; room != NULL; room = room->next) {
        if (room->group_dirty && room->group != NULL)
            HS_TRY(group_save(s, room));
        HS_TRY(hs_lost_save(s, room));
        if (room->row_dirty)
            hs_room_put(s->kv, &room->row);
        room->group_dirty = room->row_dirty = false;
        room->store.kv = room->pub_store.kv = NULL;
    }
    return s->kv->err;
}

enum hs_err hs_live_context(struct hs_step *s, struct hs_live_room *room, const struct hs_id *joins,
                            size_t count, struct hs_bytes *out)
{
    const struct hs_log_tip *tip = &room->row.tip;
    struct hs_message_context context = {.joins = joins, .join_count = count};
    if (tip->next_seq > 0) {
        context.has_head = true;
        context.head_seq = tip->next_seq - 1;
        context.head_hash = tip->hash;
    }
    /* Once in an epoch is often enough for members to find out whether they were told the same. */
    if (room->head_in != room->row.epoch + 1) {
        Hanse__SignedObject *head;
        HS_TRY(hs_evidence_own_head(s, room, &head));
        context.signed_head = head;
        room->head_in = room->row.epoch + 1;
    }
    struct hs_writer HS_WRITER w = hs_writer(HS_CONTEXT_MAX);
    HS_TRY(hs_message_context_pack(&context, &w));
    *out = hs_arena_copy(s->arena, hs_writer_bytes(&w));
    return out->data != NULL || out->len == 0 ? HS_OK : HS_ERR_NOMEM;
}
