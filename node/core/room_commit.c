/* SubmitCommit: the hub judges a commit by everything that is public, and lets one in for each epoch. */
#include "core/account.h"
#include "core/dispatch.h"
#include "core/inbox.h"
#include "core/internal.h"
#include "core/room.h"
#include "core/table.h"
#include "mls/message.h"
#include "mls/public.h"
#include "object/object.h"
#include "room/context.h"
#include "room/group_store.h"
#include "room/invite.h"
#include "room/judge_change.h"
#include "room/window.h"

/* What is known of a commit before it is let in. */
struct commit {
    struct hs_id room;
    struct hs_key persona;
    Hanse__State__RoomView *view;
    struct hs_group_store store; /* of the group, which reads on from it */
    struct hs_mls_public *group;
    struct hs_mls_event *event;
    const struct hs_mls_change *change;
    struct hs_time hub_time;
    struct hs_judge_facts facts;
    struct hs_bytes *welcomes; /* one for each who is added */
    Hanse__Tree *tree;         /* for all of them */
    struct hs_key *homes;      /* their home nodes */
};

static void commit_wipe(struct commit *c)
{
    hs_mls_event_free(c->event);
    hs_mls_public_free(c->group);
}

static Hanse__State__JoinView *join_of(struct hs_turn *turn, const struct hs_id *room,
                                       const struct hs_key *persona)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(*persona));
    return (Hanse__State__JoinView *)HS_VIEW_GET(turn, HS_T_JOIN, &key, hanse__state__join_view);
}

/* One JOIN record that the commit names, with its invite. */
static enum hs_err load_join(struct hs_turn *turn, const struct commit *c, const struct hs_id *body_hash,
                             struct hs_judge_join *out)
{
    uint64_t seq;
    struct hs_record_header header;
    HS_REQUIRE(hs_room_find_body(turn, &c->room, body_hash, &seq), HS_ERR_INVITE_UNKNOWN);
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, &c->room, seq);
    HS_REQUIRE(entry != NULL, HS_ERR_INVITE_UNKNOWN);
    HS_TRY(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
    HS_REQUIRE(header.kind == HS_RECORD_JOIN, HS_ERR_INVITE_UNKNOWN);
    HS_TRY(
        hs_join_verify(hs_pb_bytes(entry->body), &c->room, hs_turn_root(turn), header.hub_time, &out->join));
    out->hub_time = header.hub_time;
    Hanse__State__JoinView *join = join_of(turn, &c->room, &out->join.persona);
    HS_REQUIRE(join != NULL && join->seq == seq, HS_ERR_INVITE_REPLAYED);
    out->uses_before = join->uses_before;
    out->was_admitted = join->joined;
    struct hs_kv_key key = hs_key1(HS_VIEW(out->join.invite_key));
    Hanse__State__InviteView *invite =
        (Hanse__State__InviteView *)HS_VIEW_GET(turn, HS_T_INVITE, &key, hanse__state__invite_view);
    Hanse__State__RoomEntry *grant = invite != NULL ? hs_room_entry(turn, &c->room, invite->seq) : NULL;
    HS_REQUIRE(grant != NULL, HS_ERR_INVITE_UNKNOWN);
    HS_TRY(hs_record_header_parse(hs_pb_bytes(grant->header), &header));
    return hs_invite_open(hs_pb_bytes(grant->body), &c->room, header.hub_time, &out->invite);
}

struct membership {
    struct hs_turn *turn;
    const struct hs_id *room;
};

static bool is_member(void *index, const struct hs_key *persona)
{
    struct membership *m = index;
    return hs_member_view(m->turn, m->room, persona) != NULL;
}

/* The rules of the room, as every member will apply them. */
static enum hs_err judge(struct hs_turn *turn, struct commit *c)
{
    struct hs_message_context context;
    struct membership membership = {turn, &c->room};
    struct hs_policy policy;
    HS_TRY(hs_message_context_parse(c->event->authenticated_data, turn->arena, &context));
    HS_TRY(hs_room_policy(turn, c->view, &policy));
    /* Before each JOIN is verified: who may not admit costs no more than that. */
    HS_REQUIRE(context.join_count == 0 || hs_policy_allows(&policy, &c->persona, c->hub_time, HS_RIGHT_ADD),
               HS_ERR_POLICY);
    struct hs_judge_join *joins = hs_arena_alloc(turn->arena, (context.join_count + 1) * sizeof *joins);
    HS_REQUIRE(joins != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < context.join_count; i++)
        HS_TRY(load_join(turn, c, &context.joins[i], &joins[i]));
    struct hs_judge_input input = {
        .before = c->group,
        .change = c->change,
        .hub_time = c->hub_time,
        .joins = joins,
        .join_count = context.join_count,
        .is_member = is_member,
        .index = &membership,
    };
    return hs_judge_change(&input, turn->arena, &c->facts);
}

/* Where a newcomer's home is: as its JOIN says, as its request for a counter says, or here. */
static enum hs_err home_of(struct hs_turn *turn, const struct commit *c, const struct hs_key *persona,
                           struct hs_key *home)
{
    struct hs_key subscriber;
    struct hs_kv_key key = hs_key_sub(HS_MISC_COUNTER, HS_VIEW(*persona), (struct hs_bytes){0});
    Hanse__State__JoinView *join = join_of(turn, &c->room, persona);
    if (join != NULL && HS_FIXED(hs_pb_bytes(join->home_root), home))
        return HS_OK;
    Hanse__State__CounterView *counter =
        (Hanse__State__CounterView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__counter_view);
    if (counter != NULL && HS_FIXED(hs_pb_bytes(counter->home_root), home))
        return HS_OK;
    *home = *hs_turn_root(turn);
    return hs_persona_subscriber(turn, persona, &subscriber) ? HS_OK : HS_ERR_NO_ACCOUNT;
}

/* The tree that newcomers need beside their Welcome: this hub has it, so nobody needs to send it. */
static enum hs_err make_tree(struct hs_turn *turn, struct commit *c)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_BLOB_THRESHOLD);
    c->tree = HS_NEW(turn, Hanse__Tree, hanse__tree);
    HS_REQUIRE(c->tree != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_mls_staged_tree(c->event->staged, &w));
    c->tree->bytes = hs_pb_data(hs_arena_copy(turn->arena, hs_writer_bytes(&w)));
    return c->tree->bytes.data != NULL ? HS_OK : HS_ERR_NOMEM;
}

/* Each newcomer's own part of the Welcome, and its home. */
static enum hs_err cut_welcomes(struct hs_turn *turn, struct commit *c, struct hs_bytes welcome)
{
    size_t n = c->change->added_count;
    c->welcomes = hs_arena_alloc(turn->arena, (n + 1) * sizeof *c->welcomes);
    c->homes = hs_arena_alloc(turn->arena, (n + 1) * sizeof *c->homes);
    HS_REQUIRE(c->welcomes != NULL && c->homes != NULL, HS_ERR_NOMEM);
    if (n > 0)
        HS_TRY(make_tree(turn, c));
    for (size_t i = 0; i < n; i++) {
        struct hs_writer HS_WRITER w = hs_writer(HS_BLOB_THRESHOLD);
        enum hs_err err = hs_mls_welcome_cut(welcome, HS_MLS_VIEW(c->change->added[i].key_package_ref), &w);
        HS_REQUIRE(err == HS_OK, err == HS_ERR_NOT_FOUND ? HS_ERR_MLS_WELCOME : err);
        c->welcomes[i] = hs_arena_copy(turn->arena, hs_writer_bytes(&w));
        HS_REQUIRE(c->welcomes[i].data != NULL, HS_ERR_NOMEM);
        HS_REQUIRE(c->welcomes[i].len + c->tree->bytes.len <= HS_BLOB_THRESHOLD, HS_ERR_TOO_LARGE);
        HS_TRY(home_of(turn, c, &c->facts.added[i].persona, &c->homes[i]));
    }
    return HS_OK;
}

/* One's own records are never malformed, and never missing. */
static enum hs_err load_group(struct hs_turn *turn, struct commit *c)
{
    hs_group_store_init(&c->store, turn->kv, HS_T_GROUP, &c->room);
    enum hs_err err = hs_mls_public_load(&c->store.store, &c->group);
    return err == HS_OK || err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
}

/* Everything that can be said against the commit; nothing is written. */
static enum hs_err check(struct hs_turn *turn, const Hanse__SubmitCommit *s, struct commit *c,
                         uint64_t *detail)
{
    struct hs_mls_peek peek;
    struct hs_bytes message = hs_pb_bytes(s->commit);
    HS_REQUIRE(s->commit.len <= HS_BLOB_THRESHOLD && s->group_info.len <= HS_BLOB_THRESHOLD,
               HS_ERR_TOO_LARGE);
    HS_TRY(hs_mls_message_peek(message, &peek));
    HS_REQUIRE(peek.wire_format == HS_MLS_PUBLIC_MESSAGE && peek.content_type == HS_MLS_COMMIT,
               HS_ERR_UNSUPPORTED);
    HS_REQUIRE(hs_bytes_equal(peek.group_id, HS_VIEW(c->room)), HS_ERR_MLS_GROUP);
    *detail = c->view->epoch;
    HS_REQUIRE(peek.epoch == c->view->epoch, HS_ERR_WRONG_EPOCH);
    HS_TRY(load_group(turn, c));
    HS_TRY(hs_mls_public_process(c->group, message, &c->event));
    HS_REQUIRE(c->event->kind == HS_MLS_EVENT_COMMIT, HS_ERR_UNEXPECTED);
    c->change = hs_mls_staged_change(c->event->staged);
    HS_REQUIRE(!hs_mls_group_info_has_tree(hs_pb_bytes(s->group_info)), HS_ERR_MLS_COMMIT);
    HS_TRY(hs_mls_staged_matches(c->event->staged, hs_pb_bytes(s->group_info)));
    HS_TRY(judge(turn, c));
    HS_REQUIRE(hs_key_equal(&c->facts.committer.persona, &c->persona), HS_ERR_WRONG_SENDER);
    return cut_welcomes(turn, c, hs_pb_bytes(s->welcome));
}

/* Posts that were made before this commit may still arrive; after a removal none of them counts. */
static void keep_window(struct hs_turn *turn, struct commit *c)
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

static void add_member(struct hs_turn *turn, struct commit *c, size_t i, uint64_t seq)
{
    const struct hs_room_member *who = &c->facts.added[i];
    Hanse__State__MemberView member = HANSE__STATE__MEMBER_VIEW__INIT;
    struct hs_kv_key key = hs_key2(HS_VIEW(c->room), HS_VIEW(who->persona));
    struct hs_key subscriber = c->homes[i];
    Hanse__State__JoinView *join = join_of(turn, &c->room, &who->persona);
    member.home_root = hs_pb_data(HS_VIEW(c->homes[i]));
    member.leaf = c->change->added[i].member.leaf;
    member.device = hs_pb_data(HS_VIEW(who->device));
    hs_view_put(turn, HS_T_MEMBER, &key, &member.base);
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
    welcome.prev_hash = c->view->hash; /* set by the caller to the one before the commit */
    welcome.hub_root = hs_pb_data(HS_VIEW(*hs_turn_root(turn)));
    welcome.descriptor = turn->core->descriptor_object;
    item.welcome = &welcome;
    item.body_case = HANSE__INBOX_ITEM__BODY_WELCOME;
    hs_inbox_put(turn, &subscriber, &item);
}

static void remove_member(struct hs_turn *turn, struct commit *c, const struct hs_key *persona, uint64_t seq)
{
    struct hs_key subscriber;
    struct hs_kv_key key = hs_key2(HS_VIEW(c->room), HS_VIEW(*persona));
    Hanse__State__MemberView *member = hs_member_view(turn, &c->room, persona);
    if (member == NULL || !HS_FIXED(hs_pb_bytes(member->home_root), &subscriber))
        return;
    bool local = hs_key_equal(&subscriber, hs_turn_root(turn));
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

/* The commit is in: the record, the group, and what follows from them. */
static enum hs_err let_in(struct hs_turn *turn, const Hanse__SubmitCommit *s, struct commit *c,
                          struct hs_record_header *header)
{
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    struct hs_bytes prev = hs_pb_bytes(c->view->hash);
    struct hs_record_spec spec = {
        .kind = HS_RECORD_COMMIT,
        .epoch = c->view->epoch,
        .sender_persona = c->persona,
        .sender_node = *hs_turn_sender_node(turn),
        .body = hs_pb_bytes(s->commit),
        .hub_time = c->hub_time,
    };
    struct hs_writer HS_WRITER policy = hs_writer(HS_POLICY_MAX);
    HS_TRY(hs_policy_pack(&c->facts.policy, &policy));
    HS_TRY(hs_mls_public_merge(c->group, c->event->staged));
    keep_window(turn, c);
    c->view->epoch = c->change->epoch;
    c->view->members = hs_mls_public_member_count(c->group);
    c->view->policy = hs_pb_data(hs_arena_copy(turn->arena, hs_writer_bytes(&policy)));
    entry.welcome = s->welcome;
    entry.group_info = s->group_info;
    HS_TRY(hs_room_append(turn, &c->room, c->view, &spec, &entry, header));
    hs_room_group_info_put(turn, &c->room, hs_pb_bytes(s->group_info));
    hs_room_group_save(turn, &c->store, c->group);
    for (size_t i = 0; i < c->facts.removed_count; i++)
        remove_member(turn, c, &c->facts.removed[i], header->seq);
    c->view->hash = hs_pb_data(prev);
    for (size_t i = 0; i < c->facts.added_count; i++)
        add_member(turn, c, i, header->seq);
    return HS_OK;
}

enum hs_err hs_handle_submit_commit(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                    uint64_t *detail)
{
    const Hanse__SubmitCommit *s = request->submit_commit;
    struct commit HS_AUTO(commit_wipe) c = {0};
    struct hs_record_header header;
    HS_TAKE32(s->room, &c.room);
    HS_TAKE32(s->persona, &c.persona);
    HS_TRY(hs_room_hubbed(turn, &c.room, &c.view));
    HS_TRY(hs_room_speaker(turn, &c.room, &c.persona));
    if (hs_room_answer_known(turn, &c.room, hs_pb_bytes(s->commit), reply))
        return HS_OK;
    c.hub_time = hs_room_time(turn, c.view);
    HS_TRY(check(turn, s, &c, detail));
    HS_TRY(let_in(turn, s, &c, &header));
    return hs_reply_accepted(turn, &c.room, header.seq, reply);
}
