/* The device's inbox at its home node: Welcomes, outcomes, customers at the door. */
#include "mls/message.h"
#include "room/leaf.h"
#include "room/suite.h"
#include "sync/move/move.h"
#include "sync/rooms/tree.h"

/* ---- Welcome ---- */

static bool find_package(struct hs_step *s, struct hs_bytes welcome, struct hs_join_row *row)
{
    struct hs_bytes ref;
    struct hs_id known;
    for (size_t i = 0; hs_mls_welcome_ref(welcome, i, &ref) == HS_OK; i++)
        if (HS_FIXED(ref, &known) && hs_join_row_get(s->kv, &known, s->arena, row))
            return true;
    return false;
}

/* Every leaf must be somebody's whom a persona certifies. A leaf that came in with a certificate that has run
 * out since is still a member's. */
static enum hs_err check_leaves(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_mls_member member;
    struct hs_room_member facts;
    for (uint32_t leaf = 0; hs_mls_public_member_next(hs_mls_group_public(room->group), &leaf, &member);) {
        enum hs_err err = hs_room_leaf_check(&member, &room->row.hub_root, s->now, &facts);
        if (err != HS_OK && err != HS_ERR_EXPIRED)
            return err;
    }
    return hs_mls_public_error(hs_mls_group_public(room->group));
}

static enum hs_err check_room(struct hs_step *s, struct hs_live_room *room, const struct hs_join_row *row)
{
    HS_TRY(hs_room_suite_check(hs_mls_public_suite(hs_mls_group_public(room->group))));
    HS_REQUIRE(hs_bytes_equal(hs_mls_group_id(room->group), HS_VIEW(room->row.id)), HS_ERR_MLS_GROUP);
    HS_REQUIRE(hs_key_equal(&room->policy.hub_root, &row->hub_root), HS_ERR_POLICY);
    struct hs_hub_office office = hs_policy_office(&room->policy);
    HS_REQUIRE(hs_key_equal(&office.root, hs_row_hub(&room->row)) && office.term == hs_row_term(&room->row),
               HS_ERR_POLICY);
    HS_REQUIRE(!row->counter || room->policy.kind == HS_ROOM_COUNTER, HS_ERR_POLICY);
    HS_REQUIRE(hs_live_has_persona(room, &row->persona), HS_ERR_MLS_WELCOME);
    return check_leaves(s, room);
}

static enum hs_err join_group(struct hs_step *s, const struct hs_join_row *row,
                              const Hanse__WelcomeItem *item, struct hs_mls_group **out)
{
    struct hs_self HS_SELF self = {0};
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    HS_TRY(hs_self_for(s, &row->hub_root, &self));
    struct hs_mls_signer HS_MLS_SIGNER signer = hs_room_signer(&self.device.signature);
    HS_TRY(hs_mls_key_package_private_load(row->priv, &priv));
    struct hs_mls_join join = {.welcome = hs_pb_bytes(item->welcome),
                               .key_package = row->key_package,
                               .priv = &priv,
                               .signer = &signer,
                               .tree = hs_pb_bytes(item->tree->bytes),
                               .settings = hs_live_settings()};
    return hs_mls_group_join(&join, out);
}

/* A Welcome makes a room anew only where this device waits for it, or was in it under the same hub before:
 * its sender names the id, and must not take any other room's place. CONFLICT. */
static enum hs_err check_place(struct hs_step *s, const struct hs_join_row *row, const struct hs_id *id)
{
    struct hs_room_row there;
    if (!hs_room_get(s->kv, id, s->arena, &there))
        return s->kv->err;
    HS_REQUIRE(hs_key_equal(&there.hub_root, &row->hub_root), HS_ERR_CONFLICT);
    if (row->counter)
        HS_REQUIRE(there.kind == HS_ROOM_COUNTER && there.state != HS_ROOM_STATE_WAITING, HS_ERR_CONFLICT);
    return there.state != HS_ROOM_STATE_MEMBER && there.state != HS_ROOM_STATE_CREATING ? HS_OK
                                                                                        : HS_ERR_CONFLICT;
}

enum hs_err hs_joined_tell(struct hs_step *s, const struct hs_live_room *room)
{
    struct hanse_event event = {.kind = HANSE_EVENT_JOINED};
    memcpy(event.room.b, room->row.id.b, sizeof event.room.b);
    return hs_out_event(s, &event, room->row.name);
}

static enum hs_err enter(struct hs_step *s, const Hanse__WelcomeItem *item, const struct hs_join_row *row)
{
    struct hs_mls_group *group;
    struct hs_live_room *room;
    struct hs_room_row made = {.state = HS_ROOM_STATE_MEMBER,
                               .hub_root = row->hub_root,
                               .self = row->persona,
                               .has_anchor = true,
                               .anchor = item->commit_seq};
    struct hs_descriptor d;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(item->room), &made.id), HS_ERR_MALFORMED);
    HS_REQUIRE(row->counter || hs_id_equal(&made.id, &row->room), HS_ERR_MLS_GROUP);
    HS_TRY(check_place(s, row, &made.id));
    made.tip.next_seq = item->commit_seq;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(item->prev_hash), &made.tip.hash), HS_ERR_MALFORMED);
    HS_REQUIRE(item->descriptor != NULL && item->tree != NULL, HS_ERR_MALFORMED);
    struct hs_key hub = row->hub_root;
    HS_REQUIRE(item->hub_root.len == 0 || HS_FIXED(hs_pb_bytes(item->hub_root), &hub), HS_ERR_MALFORMED);
    if (!hs_key_equal(&hub, &row->hub_root)) /* the policy must say the same (ROOM-84) */
        made.office_root = hub;
    made.hub_term = item->hub_term;
    HS_TRY(hs_descriptor_open(item->descriptor, &hub, &d));
    HS_TRY(hs_object_pack(item->descriptor, s->arena, &made.descriptor));
    struct hs_room_row waited;
    memcpy(made.domain, d.domain, sizeof made.domain);
    if (!hs_key_equal(&hub, &row->hub_root) && hs_room_get(s->kv, &made.id, s->arena, &waited))
        memcpy(made.domain, waited.domain, sizeof made.domain); /* the brand's */
    HS_TRY(join_group(s, row, item, &group));
    hs_live_forget(s->sync, &made.id);
    enum hs_err err = hs_live_add(s, &made, group, &room);
    if (err == HS_OK)
        err = check_room(s, room, row);
    if (err != HS_OK) {
        hs_live_forget(s->sync, &made.id); /* nothing of it may be saved */
        return err;
    }
    hs_join_row_delete(s->kv, &row->ref);
    if (row->dropped) { /* nobody wants in any more; only a member can say so */
        HS_TRY(hs_home_attach_room(s, room));
        return hs_leave_begin(s, room, true, &(uint64_t){0});
    }
    HS_TRY(hs_joined_tell(s, room));
    HS_TRY(hs_home_attach_room(s, room));
    return row->counter ? hs_counter_joined(s, room) : HS_OK;
}

/* A Welcome that can't be used ends the wait: the room stays, with the reason. */
static enum hs_err spoilt(struct hs_step *s, const struct hs_join_row *row, enum hs_err why)
{
    struct hs_room_row room;
    hs_join_row_delete(s->kv, &row->ref);
    if (row->counter)
        return hs_counter_refused(s, &row->hub_root, &row->persona, why);
    if (row->dropped)
        return s->kv->err;
    if (hs_room_get(s->kv, &row->room, s->arena, &room) && room.state == HS_ROOM_STATE_WAITING &&
        hs_key_equal(&room.hub_root, &row->hub_root)) {
        room.state = HS_ROOM_STATE_FROZEN;
        room.frozen = why;
        hs_room_put(s->kv, &room);
    }
    struct hanse_event event = {.kind = HANSE_EVENT_FROZEN, .err = (enum hanse_err)why};
    memcpy(event.room.b, row->room.b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

enum hs_err hs_welcome_received(struct hs_step *s, const Hanse__WelcomeItem *item)
{
    struct hs_join_row row;
    if (!find_package(s, hs_pb_bytes(item->welcome), &row))
        return s->kv->err; /* not asked for, or used already */
    bool apart = item->tree != NULL && item->tree->hash.len > 0;
    enum hs_err err = hs_sync_blame(apart ? hs_tree_fetch(s, item) : enter(s, item, &row));
    if (err == HS_ERR_CONFLICT)
        return HS_OK; /* not the one that is waited for */
    return hs_sync_is_fault(err) ? spoilt(s, &row, err) : err;
}

enum hs_err hs_welcome_refused(struct hs_step *s, const Hanse__WelcomeItem *item, enum hs_err why)
{
    struct hs_join_row row;
    return find_package(s, hs_pb_bytes(item->welcome), &row) ? spoilt(s, &row, why) : s->kv->err;
}

/* ---- the rest ---- */

static enum hs_err outcome_received(struct hs_step *s, const Hanse__OutcomeItem *item)
{
    struct hs_id room, body;
    struct hs_outbox_row row;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(item->room), &room) && HS_FIXED(hs_pb_bytes(item->body_hash), &body),
               HS_ERR_MALFORMED);
    if (item->error == NULL)
        return HS_OK;
    if (!hs_outbox_row_find(s->kv, &room, &body, s->arena, &row))
        return s->kv->err != HS_OK ? s->kv->err
                                   : hs_hub_move_refused(s, &room, &body, hs_err_of_answer(item->error));
    return hs_outbox_refused(s, &row, hs_err_of_answer(item->error));
}

static enum hs_err item_received(struct hs_step *s, const Hanse__InboxItem *item)
{
    switch (item->body_case) {
    case HANSE__INBOX_ITEM__BODY_WELCOME:
        return hs_welcome_received(s, item->welcome);
    case HANSE__INBOX_ITEM__BODY_OUTCOME:
        return outcome_received(s, item->outcome);
    case HANSE__INBOX_ITEM__BODY_COUNTER:
        return hs_counter_asked(s, item->counter);
    case HANSE__INBOX_ITEM__BODY_HOME:
        return hs_home_item_received(s, item->home);
    case HANSE__INBOX_ITEM__BODY_EVIDENCE:
        return hs_evidence_received(s, item->evidence);
    default:
        return HS_OK; /* of a removal the room's own log tells */
    }
}

enum hs_err hs_inbox_received(struct hs_step *s, const Hanse__Inbox *inbox)
{
    for (size_t i = 0; i < inbox->n_items; i++) {
        const Hanse__InboxItem *item = inbox->items[i];
        if (item->seq < s->sync->me.inbox_next)
            continue;
        HS_TRY(item_received(s, item));
        s->sync->me.inbox_next = item->seq + 1;
    }
    hs_cursor_moved(s, true, 0);
    return hs_me_save(s);
}
