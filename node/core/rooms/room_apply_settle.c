/* What the records that settle a commit, or make it void, make of a room's views: who is a member, who reads,
 * what newcomers and leavers get; or everything as it was before. */
#include "core/accounts/account.h"
#include "core/blobs/blob.h"
#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/told.h"
#include "core/records/spent.h"
#include "core/records/table.h"
#include "core/recovery/absent.h"
#include "core/rooms/room_record.h"
#include "core/standing/guest.h"
#include "mls/message.h"
#include "object/object.h"
#include "room/blob.h"
#include "room/group_undo.h"
#include "wire/limits.h"

Hanse__State__UnsettledView *hs_unsettled_view(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*room));
    return (Hanse__State__UnsettledView *)HS_VIEW_GET(turn, HS_T_UNSETTLED, &key,
                                                      hanse__state__unsettled_view);
}

static void unsettled_delete(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*room));
    hs_kv_del(turn->kv, HS_T_UNSETTLED, hs_kv_key_bytes(&key));
}

static bool list_newcomers(struct hs_turn *turn, const struct hs_room_commit *c,
                           Hanse__State__UnsettledView *out)
{
    out->added = hs_arena_alloc(turn->arena, (c->facts.added_count + 1) * sizeof *out->added);
    for (size_t i = 0; out->added != NULL && i < c->facts.added_count; i++) {
        Hanse__State__Newcomer *one = HS_NEW(turn, Hanse__State__Newcomer, hanse__state__newcomer);
        if (one == NULL)
            return false;
        one->persona = hs_pb_data(HS_VIEW(c->facts.added[i].persona));
        one->device = hs_pb_data(HS_VIEW(c->facts.added[i].device));
        one->home_root = hs_pb_data(HS_VIEW(c->homes[i]));
        one->leaf = c->change->added[i].member.leaf;
        one->key_package_ref = hs_pb_data(HS_MLS_VIEW(c->change->added[i].key_package_ref));
        out->added[out->n_added++] = one;
    }
    return out->added != NULL;
}

static bool list_removed(struct hs_turn *turn, const struct hs_room_commit *c,
                         Hanse__State__UnsettledView *out)
{
    size_t len = c->facts.removed_count * sizeof *c->facts.removed;
    struct hs_bytes copy = hs_arena_copy(turn->arena, hs_bytes((const uint8_t *)c->facts.removed, len));
    out->removed = hs_pb_data(copy);
    return copy.data != NULL || len == 0;
}

void hs_unsettled_put(struct hs_turn *turn, const struct hs_room_record *record,
                      const struct hs_room_commit *c)
{
    Hanse__State__UnsettledView out = HANSE__STATE__UNSETTLED_VIEW__INIT;
    const Hanse__State__RoomView *view = record->view;
    struct hs_kv_key key = hs_key1(HS_VIEW(record->room));
    out.seq = record->header.seq;
    out.commit = hs_pb_data(HS_VIEW(record->header.hash));
    out.prev_hash = hs_pb_data(record->prev_hash);
    out.time_ms = record->header.hub_time.ms;
    out.committer = hs_pb_data(HS_VIEW(c->facts.committer.device));
    out.committer_persona = hs_pb_data(HS_VIEW(c->facts.committer.persona));
    out.epoch = view->epoch;
    out.policy = view->policy;
    out.past = view->past;
    out.n_past = view->n_past;
    out.members = view->members;
    out.leaving = view->leaving;
    out.leaving_seq = view->leaving_seq;
    out.group_info = hs_pb_data(hs_room_group_info(turn, &record->room));
    out.rejoined = c->facts.rejoined;
    out.rejoined_leaf = c->facts.rejoined ? c->change->committer.leaf : 0;
    if (list_newcomers(turn, c, &out) && list_removed(turn, c, &out))
        hs_view_put(turn, HS_T_UNSETTLED, &key, &out.base);
    else if (turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
}

/* The parts of the Welcome, and what goes with each of them. */
struct welcome {
    struct hs_bytes whole;
    struct hs_bytes prev_hash;
    uint64_t seq; /* of the commit */
    Hanse__Tree tree;
    Hanse__SignedObject *descriptor;
    bool spent; /* all newcomers have had theirs: what they get holds their places in the inboxes */
    bool lost;  /* the commit came back after a restoring: its newcomers have had theirs, or ask again */
};

static enum hs_err send_welcome(struct hs_turn *turn, const struct hs_id *room,
                                const struct hs_key *subscriber, const Hanse__State__Newcomer *who,
                                struct welcome *welcome)
{
    struct hs_writer HS_WRITER part = hs_writer(HS_BLOB_THRESHOLD);
    struct hs_stream_at from = {HS_STREAM_ROOM, *room, welcome->seq};
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__WelcomeItem out = HANSE__WELCOME_ITEM__INIT;
    if (!welcome->spent)
        HS_TRY(hs_mls_welcome_cut(welcome->whole, hs_pb_bytes(who->key_package_ref), &part));
    out.room = hs_pb_data(HS_VIEW(*room));
    out.persona = who->persona;
    out.welcome = hs_pb_data(hs_writer_bytes(&part));
    out.tree = &welcome->tree;
    out.commit_seq = welcome->seq;
    out.prev_hash = hs_pb_data(welcome->prev_hash);
    out.hub_root = hs_pb_data(HS_VIEW(*hs_turn_root(turn)));
    out.descriptor = welcome->descriptor;
    const Hanse__State__RoomView *view = hs_room_view(turn, room);
    HS_REQUIRE(view != NULL, HS_ERR_NOMEM);
    out.brand_root = view->brand_root;
    out.hub_term = view->hub_term;
    item.welcome = &out;
    item.body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    hs_inbox_put_from(turn, subscriber, &item, &from);
    return HS_OK;
}

static enum hs_err add_member(struct hs_turn *turn, const struct hs_id *room,
                              const Hanse__State__Newcomer *who, struct welcome *welcome)
{
    Hanse__State__MemberView member = HANSE__STATE__MEMBER_VIEW__INIT;
    struct hs_key persona, subscriber;
    bool fits =
        HS_FIXED(hs_pb_bytes(who->persona), &persona) && HS_FIXED(hs_pb_bytes(who->home_root), &subscriber);
    HS_REQUIRE(fits, HS_ERR_STORE);
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(persona));
    Hanse__State__JoinView *join = hs_join_view(turn, room, &persona);
    member.home_root = who->home_root;
    member.leaf = who->leaf;
    member.device = who->device;
    member.since = welcome->seq;
    hs_view_put(turn, HS_T_MEMBER, &key, &member.base);
    if (join == NULL || join->joined) /* else its JOIN holds its place already */
        hs_guest_hold(turn, &subscriber, &persona, room);
    if (join != NULL) {
        join->joined = true;
        hs_view_put(turn, HS_T_JOIN, &key, &join->base);
    }
    hs_tell_brand(turn, room, &persona, &subscriber);
    bool local = hs_key_equal(&subscriber, hs_turn_root(turn));
    if (local && hs_office_is_coming(hs_room_view(turn, room)))
        return HS_OK;
    if (local && !hs_persona_subscriber(turn, &persona, &subscriber)) {
        hs_absent_note(turn, &persona, room, welcome->seq);
        return HS_OK;
    }
    hs_subscribe(turn, &subscriber, room, welcome->seq, 1);
    return welcome->lost ? HS_OK : send_welcome(turn, room, &subscriber, who, welcome);
}

void hs_room_tell_removed(struct hs_turn *turn, const struct hs_id *room, const struct hs_key *persona,
                          const struct hs_key *home, uint64_t seq)
{
    Hanse__InboxItem item = HANSE__INBOX_ITEM__INIT;
    Hanse__RemovedItem removed = HANSE__REMOVED_ITEM__INIT;
    if (!hs_office_tells(hs_room_view(turn, room), seq))
        return;
    removed.room = hs_pb_data(HS_VIEW(*room));
    removed.persona = hs_pb_data(HS_VIEW(*persona));
    removed.seq = seq;
    item.removed = &removed;
    item.body_case = HANSE__INBOX_ITEM__BODY_REMOVED;
    hs_inbox_put(turn, home, &item);
}

static void remove_member(struct hs_turn *turn, const struct hs_id *room, struct hs_bytes who, uint64_t seq)
{
    struct hs_key subscriber, persona;
    if (!HS_FIXED(who, &persona))
        return;
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(persona));
    Hanse__State__MemberView *member = hs_member_view(turn, room, &persona);
    if (member == NULL || !HS_FIXED(hs_pb_bytes(member->home_root), &subscriber))
        return;
    bool local = hs_key_equal(&subscriber, hs_turn_root(turn));
    hs_guest_release(turn, &subscriber, &persona, room);
    hs_kv_del(turn->kv, HS_T_MEMBER, hs_kv_key_bytes(&key));
    hs_tell_brand(turn, room, &persona, NULL);
    if (local)
        hs_absent_forget(turn, &persona, room);
    if (local && hs_office_is_coming(hs_room_view(turn, room)))
        return; /* what one's own users read is as the former hub's items say */
    if (member->left || (local && !hs_persona_subscriber(turn, &persona, &subscriber)))
        return; /* who left reads nothing since */
    hs_unsubscribe(turn, &subscriber, room, seq);
    if (!local) /* else its device reads the record itself */
        hs_room_tell_removed(turn, room, &persona, &subscriber, seq);
}

/* One's own records are never malformed, and never missing. */
static enum hs_err own(enum hs_err err)
{
    return err == HS_OK || err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
}

/* The tree of the new epoch, as newcomers need it beside their Welcome: the hub has it, so nobody sent it. A
 * large one is kept as a blob, to which each Welcome's item refers. */
static enum hs_err tree_of(struct hs_turn *turn, struct hs_group_store *store, Hanse__Tree *out)
{
    struct hs_mls_public HS_MLS_PUBLIC *group = NULL;
    struct hs_writer HS_WRITER tree = hs_writer(HS_TREE_MAX);
    HS_TRY(hs_mls_public_load(&store->store, &group));
    HS_TRY(hs_mls_public_tree(group, &tree));
    struct hs_bytes nodes = hs_writer_bytes(&tree);
    *out = (Hanse__Tree)HANSE__TREE__INIT;
    if (nodes.len <= HS_TREE_INLINE) {
        out->bytes = hs_pb_data(hs_arena_copy(turn->arena, nodes));
        return out->bytes.data != NULL ? HS_OK : HS_ERR_NOMEM;
    }
    struct hs_id hash = hs_blob_hash(nodes);
    out->hash = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(hash)));
    out->size = nodes.len;
    hs_blob_keep(turn, &hash, nodes);
    return out->hash.data != NULL ? HS_OK : HS_ERR_NOMEM;
}

static enum hs_err welcome_of(struct hs_turn *turn, const struct hs_id *room, struct hs_group_store *store,
                              const Hanse__State__UnsettledView *was, struct welcome *out)
{
    *out = (struct welcome){.prev_hash = hs_pb_bytes(was->prev_hash), .seq = was->seq};
    if (was->n_added == 0)
        return HS_OK;
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, room, was->seq);
    HS_REQUIRE(entry != NULL, HS_ERR_STORE);
    out->lost = entry->recovered || hs_office_is_coming(hs_room_view(turn, room));
    if (out->lost)
        return HS_OK;
    out->spent = entry->spent;
    out->whole = hs_pb_bytes(entry->welcome);
    if (!out->spent)
        HS_TRY(hs_object_unpack(hs_pb_bytes(entry->descriptor), turn->arena, &out->descriptor));
    return tree_of(turn, store, &out->tree);
}

/* A member is where its external commit has put it. */
static enum hs_err move_leaf(struct hs_turn *turn, const struct hs_id *room,
                             const Hanse__State__UnsettledView *was)
{
    struct hs_key persona;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(was->committer_persona), &persona), HS_ERR_STORE);
    Hanse__State__MemberView *member = hs_member_view(turn, room, &persona);
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(persona));
    HS_REQUIRE(member != NULL, HS_ERR_STORE);
    member->leaf = was->rejoined_leaf;
    hs_view_put(turn, HS_T_MEMBER, &key, &member->base);
    return HS_OK;
}

enum hs_err hs_settled_apply(struct hs_turn *turn, const struct hs_room_record *record)
{
    Hanse__State__RoomView *view = record->view;
    Hanse__State__UnsettledView *was = hs_unsettled_view(turn, &record->room);
    struct hs_group_store store;
    struct hs_policy policy;
    struct welcome welcome;
    HS_REQUIRE(was != NULL, HS_ERR_STORE);
    HS_TRY(own(hs_room_policy(turn, view, &policy)));
    hs_group_store_init(&store, turn->kv, HS_T_GROUP, &record->room);
    HS_TRY(own(welcome_of(turn, &record->room, &store, was, &welcome)));
    view->retention_ms = policy.retention_ms; /* not before: what is erased doesn't come back */
    view->unsettled = 0;
    view->voids = 0;
    hs_spent_group_info(turn, &record->room, view, view->info_seq);
    view->info_seq = was->seq;
    hs_room_store(turn, &record->room, view);
    hs_group_undo_forget(&store);
    unsettled_delete(turn, &record->room);
    for (size_t i = 0; i + sizeof(struct hs_key) <= was->removed.len; i += sizeof(struct hs_key))
        remove_member(turn, &record->room, hs_bytes(was->removed.data + i, sizeof(struct hs_key)),
                      record->header.seq);
    if (was->rejoined)
        HS_TRY(own(move_leaf(turn, &record->room, was)));
    for (size_t i = 0; i < was->n_added; i++)
        HS_TRY(own(add_member(turn, &record->room, was->added[i], &welcome)));
    return HS_OK;
}

enum hs_err hs_bars_load(struct hs_turn *turn, const struct hs_id *room, struct hs_bars *out)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*room));
    Hanse__State__BarsView *view =
        (Hanse__State__BarsView *)HS_VIEW_GET(turn, HS_T_BARS, &key, hanse__state__bars_view);
    out->count = 0;
    for (size_t i = 0; view != NULL && i < view->n_bars && i < HS_SETTLE_BARS_MAX; i++) {
        struct hs_bar *bar = &out->list[out->count++];
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(view->bars[i]->device), &bar->device), HS_ERR_STORE);
        bar->until.ms = view->bars[i]->until_ms;
    }
    return HS_OK;
}

static void bars_store(struct hs_turn *turn, const struct hs_id *room, const struct hs_bars *bars)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*room));
    Hanse__State__BarsView view = HANSE__STATE__BARS_VIEW__INIT;
    Hanse__State__BarEntry entries[HS_SETTLE_BARS_MAX], *list[HS_SETTLE_BARS_MAX];
    for (size_t i = 0; i < bars->count; i++) {
        entries[i] = (Hanse__State__BarEntry)HANSE__STATE__BAR_ENTRY__INIT;
        entries[i].device = hs_pb_data(HS_VIEW(bars->list[i].device));
        entries[i].until_ms = bars->list[i].until.ms;
        list[i] = &entries[i];
    }
    view.bars = list;
    view.n_bars = bars->count;
    hs_view_put(turn, HS_T_BARS, &key, &view.base);
}

enum hs_err hs_void_apply(struct hs_turn *turn, const struct hs_room_record *record)
{
    Hanse__State__RoomView *view = record->view;
    Hanse__State__UnsettledView *was = hs_unsettled_view(turn, &record->room);
    struct hs_group_store store;
    struct hs_bars bars;
    struct hs_key committer;
    HS_REQUIRE(was != NULL && HS_FIXED(hs_pb_bytes(was->committer), &committer), HS_ERR_STORE);
    HS_TRY(hs_bars_load(turn, &record->room, &bars));
    hs_bars_add(&bars, &committer, record->header.hub_time);
    bars_store(turn, &record->room, &bars);
    hs_group_store_init(&store, turn->kv, HS_T_GROUP, &record->room);
    hs_group_undo_apply(&store);
    view->unsettled = 0;
    view->voids++;
    view->epoch = was->epoch;
    view->policy = was->policy;
    view->past = was->past;
    view->n_past = was->n_past;
    view->members = was->members;
    view->leaving = was->leaving;
    view->leaving_seq = was->leaving_seq;
    hs_spent_void(turn, &record->room, view, was->seq);
    hs_room_store(turn, &record->room, view);
    hs_room_group_info_put(turn, &record->room, hs_pb_bytes(was->group_info));
    unsettled_delete(turn, &record->room);
    return HS_OK;
}
