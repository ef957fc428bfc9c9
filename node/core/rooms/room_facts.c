/* What a commit means, as far as it is public: the change of the MLS group, the room's verdict on it, where
 * its newcomers are at home. The same where it comes and where its record is applied again. */
#include "core/accounts/account.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/records/table.h"
#include "core/rooms/room_record.h"
#include "mls/message.h"
#include "mls/public.h"
#include "room/blob.h"
#include "room/context.h"
#include "room/group_store.h"
#include "wire/limits.h"

void hs_room_commit_wipe(struct hs_room_commit *c)
{
    hs_mls_event_free(c->event);
    hs_mls_public_free(c->group);
    hs_writer_free(&c->nodes);
}

/* One JOIN record that the commit names, with its invite. */
static enum hs_err load_join(struct hs_turn *turn, const struct hs_room_commit *c,
                             const struct hs_id *body_hash, struct hs_judge_join *out)
{
    uint64_t seq;
    struct hs_record_header header;
    HS_REQUIRE(hs_room_find_body(turn, &c->room, body_hash, &seq), HS_ERR_INVITE_UNKNOWN);
    Hanse__State__RoomEntry *entry = hs_room_entry(turn, &c->room, seq);
    HS_REQUIRE(entry != NULL, HS_ERR_INVITE_UNKNOWN);
    HS_TRY(hs_record_header_parse(hs_pb_bytes(entry->header), &header));
    HS_REQUIRE(header.kind == HS_RECORD_JOIN, HS_ERR_INVITE_UNKNOWN);
    struct hs_key brand = hs_room_brand(turn, c->view);
    HS_TRY(hs_join_verify(hs_pb_bytes(entry->body), &c->room, &brand, header.hub_time, &out->join));
    out->hub_time = header.hub_time;
    Hanse__State__JoinView *join = hs_join_view(turn, &c->room, &out->join.persona);
    HS_REQUIRE(join != NULL && join->seq == seq, HS_ERR_INVITE_REPLAYED);
    out->uses_before = join->uses_before;
    out->was_admitted = join->joined;
    Hanse__State__InviteView *invite = hs_invite_view(turn, &c->room, &out->join.invite_key);
    Hanse__State__RoomEntry *grant = invite != NULL ? hs_room_entry(turn, &c->room, invite->seq) : NULL;
    HS_REQUIRE(grant != NULL, HS_ERR_INVITE_UNKNOWN);
    HS_TRY(hs_record_header_parse(hs_pb_bytes(grant->header), &header));
    return hs_invite_open(hs_pb_bytes(grant->body), &c->room, header.hub_time, &out->invite);
}

struct membership {
    struct hs_turn *turn;
    const struct hs_id *room;
    const Hanse__State__RoomView *view;
};

static bool is_member(void *index, const struct hs_key *persona)
{
    struct membership *m = index;
    return hs_member_view(m->turn, m->room, persona) != NULL;
}

static bool has_left(void *index, const struct hs_key *persona)
{
    const struct membership *m = index;
    return hs_leave_is_listed(m->view, persona);
}

/* The rules of the room, as every member will apply them. */
enum hs_err hs_room_commit_judge(struct hs_turn *turn, struct hs_room_commit *c)
{
    struct hs_message_context context;
    struct membership membership = {turn, &c->room, c->view};
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
    struct hs_hub_office office = hs_room_office(turn, &c->room, c->view);
    struct hs_judge_input input = {
        .before = c->group,
        .office = &office,
        .change = c->change,
        .hub_time = c->hub_time,
        .joins = joins,
        .join_count = context.join_count,
        .is_member = is_member,
        .has_left = has_left,
        .index = &membership,
    };
    return hs_judge_change(&input, turn->arena, &c->facts);
}

/* Where a newcomer's home is: as its JOIN says, as its request for a counter says, or here. */
static enum hs_err home_of(struct hs_turn *turn, const struct hs_room_commit *c, const struct hs_key *persona,
                           struct hs_key *home)
{
    struct hs_key subscriber;
    struct hs_kv_key key = hs_key_sub(HS_MISC_COUNTER, HS_VIEW(*persona), (struct hs_bytes){0});
    Hanse__State__JoinView *join = hs_join_view(turn, &c->room, persona);
    if (join != NULL && HS_FIXED(hs_pb_bytes(join->home_root), home))
        return HS_OK;
    Hanse__State__CounterView *counter =
        (Hanse__State__CounterView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__counter_view);
    if (counter != NULL && HS_FIXED(hs_pb_bytes(counter->home_root), home))
        return HS_OK;
    *home = *hs_turn_root(turn);
    bool may_be_absent = c->recovered; /* its account was lost, and the room's readers can't bring that */
    return may_be_absent || hs_persona_subscriber(turn, persona, &subscriber) ? HS_OK : HS_ERR_NO_ACCOUNT;
}

/* The tree that newcomers need beside their Welcome: this hub has it, so nobody needs to send it. */
static enum hs_err make_tree(struct hs_turn *turn, struct hs_room_commit *c)
{
    c->nodes = hs_writer(HS_TREE_MAX);
    c->tree = HS_NEW(turn, Hanse__Tree, hanse__tree);
    HS_REQUIRE(c->tree != NULL, HS_ERR_NOMEM);
    HS_TRY(hs_mls_staged_tree(c->event->staged, &c->nodes));
    struct hs_bytes nodes = hs_writer_bytes(&c->nodes);
    if (nodes.len <= HS_TREE_INLINE) {
        c->tree->bytes = hs_pb_data(nodes);
        return HS_OK;
    }
    struct hs_id hash = hs_blob_hash(nodes);
    c->tree->hash = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(hash)));
    c->tree->size = nodes.len;
    return c->tree->hash.data != NULL ? HS_OK : HS_ERR_NOMEM;
}

/* Each newcomer's own part of the Welcome, and its home. */
enum hs_err hs_room_commit_cut(struct hs_turn *turn, struct hs_room_commit *c, struct hs_bytes welcome)
{
    size_t n = c->change->added_count;
    c->welcomes = hs_arena_alloc(turn->arena, (n + 1) * sizeof *c->welcomes);
    c->homes = hs_arena_alloc(turn->arena, (n + 1) * sizeof *c->homes);
    HS_REQUIRE(c->welcomes != NULL && c->homes != NULL, HS_ERR_NOMEM);
    if (n > 0 && !c->recovered && !c->spent)
        HS_TRY(make_tree(turn, c));
    for (size_t i = 0; i < n; i++) {
        HS_TRY(home_of(turn, c, &c->facts.added[i].persona, &c->homes[i]));
        c->welcomes[i] = (struct hs_bytes){0};
        if (c->recovered || c->spent)
            continue;
        struct hs_writer HS_WRITER w = hs_writer(HS_BLOB_THRESHOLD - c->tree->bytes.len);
        enum hs_err err = hs_mls_welcome_cut(welcome, HS_MLS_VIEW(c->change->added[i].key_package_ref), &w);
        HS_REQUIRE(err == HS_OK, err == HS_ERR_NOT_FOUND ? HS_ERR_MLS_WELCOME : err);
        c->welcomes[i] = hs_arena_copy(turn->arena, hs_writer_bytes(&w));
        HS_REQUIRE(c->welcomes[i].data != NULL, HS_ERR_NOMEM);
    }
    return HS_OK;
}

/* One's own records are never malformed, and never missing. */
static enum hs_err load_group(struct hs_turn *turn, struct hs_room_commit *c)
{
    hs_group_store_init(&c->store, turn->kv, HS_T_GROUP, &c->room);
    enum hs_err err = hs_mls_public_load(&c->store.store, &c->group);
    return err == HS_OK || err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
}

enum hs_err hs_room_commit_stage(struct hs_turn *turn, struct hs_room_commit *c, struct hs_bytes message)
{
    HS_TRY(load_group(turn, c));
    HS_TRY(hs_mls_public_process(c->group, message, &c->event));
    HS_REQUIRE(c->event->kind == HS_MLS_EVENT_COMMIT, HS_ERR_UNEXPECTED);
    c->change = hs_mls_staged_change(c->event->staged);
    return HS_OK;
}

enum hs_err hs_room_commit_merge(struct hs_turn *turn, struct hs_room_commit *c)
{
    struct hs_writer HS_WRITER policy = hs_writer(HS_POLICY_MAX);
    HS_TRY(hs_policy_pack(&c->facts.policy, &policy));
    c->policy = hs_arena_copy(turn->arena, hs_writer_bytes(&policy));
    HS_REQUIRE(c->policy.data != NULL, HS_ERR_NOMEM);
    return hs_mls_public_merge(c->group, c->event->staged);
}
