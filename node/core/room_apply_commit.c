/* What a commit makes of a room's views: the group, members, who reads, and what newcomers and leavers get.
 */
#include "core/account.h"
#include "core/blob.h"
#include "core/guest.h"
#include "core/inbox.h"
#include "core/internal.h"
#include "core/room_record.h"
#include "core/table.h"
#include "object/object.h"
#include "room/window.h"

/* Posts that were made before this commit may still arrive; after a removal none of them counts. */
static void keep_window(struct hs_turn *turn, struct hs_room_commit *c)
{
    Hanse__State__RoomView *view = c->view;
    Hanse__State__EpochEnd *end = HS_NEW(turn, Hanse__State__EpochEnd, hanse__state__epoch_end);
    Hanse__State__EpochEnd **list = hs_arena_alloc(turn->arena, HS_ROOM_PAST_EPOCHS * sizeof *list);
    bool strict = c->change->removed_count > 0 || c->facts.policy_changed;
    if (end == NULL || list == NULL || strict) {
        view->n_past = 0;
        return;
    }
    size_t from = view->n_past >= HS_ROOM_PAST_EPOCHS ? view->n_past - HS_ROOM_PAST_EPOCHS + 1 : 0, n = 0;
    for (size_t i = from; i < view->n_past; i++)
        list[n++] = view->past[i];
    end->epoch = view->epoch;
    end->ended_ms = c->hub_time.ms;
    list[n++] = end;
    view->past = list;
    view->n_past = n;
}

static void add_member(struct hs_turn *turn, const struct hs_room_record *record, struct hs_room_commit *c,
                       size_t i, Hanse__SignedObject *descriptor)
{
    uint64_t seq = record->header.seq;
    const struct hs_room_member *who = &c->facts.added[i];
    Hanse__State__MemberView member = HANSE__STATE__MEMBER_VIEW__INIT;
    struct hs_kv_key key = hs_key2(HS_VIEW(c->room), HS_VIEW(who->persona));
    struct hs_key subscriber = c->homes[i];
    Hanse__State__JoinView *join = hs_join_view(turn, &c->room, &who->persona);
    member.home_root = hs_pb_data(HS_VIEW(c->homes[i]));
    member.leaf = c->change->added[i].member.leaf;
    member.device = hs_pb_data(HS_VIEW(who->device));
    member.since = seq;
    hs_view_put(turn, HS_T_MEMBER, &key, &member.base);
    if (join == NULL || join->joined) /* else its JOIN holds its place already */
        hs_guest_hold(turn, &c->homes[i], &who->persona, &c->room);
    if (join != NULL) {
        join->joined = true;
        hs_view_put(turn, HS_T_JOIN, &key, &join->base);
    }
    if (hs_key_equal(&c->homes[i], hs_turn_root(turn)) &&
        !hs_persona_subscriber(turn, &who->persona, &subscriber))
        return;
    hs_subscribe(turn, &subscriber, &c->room, seq, 1);
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__WelcomeItem welcome = HANSE__WELCOME_ITEM__INIT;
    welcome.room = hs_pb_data(HS_VIEW(c->room));
    welcome.persona = hs_pb_data(HS_VIEW(who->persona));
    welcome.welcome = hs_pb_data(c->welcomes[i]);
    welcome.tree = c->tree;
    welcome.commit_seq = seq;
    welcome.prev_hash = hs_pb_data(record->prev_hash);
    welcome.hub_root = hs_pb_data(HS_VIEW(*hs_turn_root(turn)));
    welcome.descriptor = descriptor;
    item.welcome = &welcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    hs_inbox_put(turn, &subscriber, &item);
    hs_blob_ref_item(turn, &item);
}

/* The tree is kept with the record that needs it; each Welcome's item refers to it. */
static void keep_tree(struct hs_turn *turn, const struct hs_room_commit *c)
{
    struct hs_id hash;
    if (c->tree != NULL && HS_FIXED(hs_pb_bytes(c->tree->hash), &hash))
        hs_blob_keep(turn, &hash, hs_writer_bytes(&c->nodes));
}

static void remove_member(struct hs_turn *turn, struct hs_room_commit *c, const struct hs_key *persona,
                          uint64_t seq)
{
    struct hs_key subscriber;
    struct hs_kv_key key = hs_key2(HS_VIEW(c->room), HS_VIEW(*persona));
    Hanse__State__MemberView *member = hs_member_view(turn, &c->room, persona);
    if (member == NULL || !HS_FIXED(hs_pb_bytes(member->home_root), &subscriber))
        return;
    bool local = hs_key_equal(&subscriber, hs_turn_root(turn));
    hs_guest_release(turn, &subscriber, persona, &c->room);
    hs_kv_del(turn->kv, HS_T_MEMBER, hs_kv_key_bytes(&key));
    if (local && !hs_persona_subscriber(turn, persona, &subscriber))
        return;
    hs_unsubscribe(turn, &subscriber, &c->room, seq);
    if (local)
        return; /* its device reads the commit itself */
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__RemovedItem removed = HANSE__REMOVED_ITEM__INIT;
    removed.room = hs_pb_data(HS_VIEW(c->room));
    removed.persona = hs_pb_data(HS_VIEW(*persona));
    removed.seq = seq;
    item.removed = &removed;
    item.body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
    hs_inbox_put(turn, &subscriber, &item);
}

/* The node's descriptor as it was then: newcomers' homes learn from it who the hub is. */
static Hanse__SignedObject *descriptor_of(struct hs_turn *turn, const Hanse__State__RoomEntry *entry)
{
    Hanse__SignedObject *object = NULL;
    if (entry->descriptor.len > 0 &&
        hs_object_unpack(hs_pb_bytes(entry->descriptor), turn->arena, &object) != HS_OK &&
        turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_STORE;
    return object;
}

void hs_commit_apply(struct hs_turn *turn, const struct hs_room_record *record, struct hs_room_commit *c)
{
    Hanse__State__RoomView *view = record->view;
    Hanse__SignedObject *descriptor = descriptor_of(turn, record->entry);
    keep_window(turn, c);
    view->epoch = c->change->epoch;
    view->members = hs_mls_public_member_count(c->group);
    view->policy = hs_pb_data(c->policy);
    hs_room_store(turn, &record->room, view);
    hs_room_group_info_put(turn, &record->room, hs_pb_bytes(record->entry->group_info));
    hs_room_group_save(turn, &c->store, c->group);
    for (size_t i = 0; i < c->facts.removed_count; i++)
        remove_member(turn, c, &c->facts.removed[i], record->header.seq);
    keep_tree(turn, c);
    for (size_t i = 0; i < c->facts.added_count; i++)
        add_member(turn, record, c, i, descriptor);
}
