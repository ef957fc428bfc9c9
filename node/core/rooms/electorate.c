#include "core/rooms/electorate.h"

#include "core/accounts/account.h"
#include "core/internal.h"
#include "core/records/table.h"

static bool is_removed(const Hanse__State__UnsettledView *was, const struct hs_key *persona)
{
    for (size_t i = 0; i + sizeof *persona <= was->removed.len; i += sizeof *persona)
        if (memcmp(was->removed.data + i, persona->b, sizeof *persona) == 0)
            return true;
    return false;
}

static bool member_at(void *index, uint32_t leaf, struct hs_settler *out)
{
    const struct hs_electorate *e = index;
    Hanse__State__MemberView *member = hs_member_view(e->turn, e->room, &e->persona);
    if (member == NULL || member->left || member->leaf != leaf || is_removed(e->was, &e->persona))
        return false;
    out->persona = e->persona;
    return HS_FIXED(hs_pb_bytes(member->device), &out->device);
}

enum hs_err hs_electorate_settlement(struct hs_electorate *e, struct hs_policy *policy,
                                     struct hs_settlement *out)
{
    *out = (struct hs_settlement){.room = *e->room,
                                  .seq = e->was->seq,
                                  .time = {e->was->time_ms},
                                  .policy = policy,
                                  .member = member_at,
                                  .index = e};
    bool fits = HS_FIXED(hs_pb_bytes(e->was->commit), &out->commit) &&
                HS_FIXED(hs_pb_bytes(e->was->committer), &out->committer);
    HS_REQUIRE(fits, HS_ERR_STORE);
    return hs_policy_parse(hs_pb_bytes(e->was->policy), e->turn->arena, policy);
}

bool hs_is_session_of(struct hs_turn *turn, const struct hs_session *session, const struct hs_key *persona)
{
    struct hs_key subscriber;
    return hs_persona_subscriber(turn, persona, &subscriber) &&
           hs_key_equal(&session->subscriber, &subscriber);
}

static bool is_left_out(const struct hs_electorate *e, const struct hs_session *session)
{
    struct hs_key persona;
    if (HS_FIXED(hs_pb_bytes(e->was->committer_persona), &persona) &&
        hs_is_session_of(e->turn, session, &persona))
        return true;
    for (size_t i = 0; i + sizeof persona <= e->was->removed.len; i += sizeof persona) {
        memcpy(persona.b, e->was->removed.data + i, sizeof persona);
        if (hs_is_session_of(e->turn, session, &persona))
            return true;
    }
    return false;
}

/* Is that persona, whom nobody asks, at home at that node? */
static bool is_home_of(const struct hs_electorate *e, const struct hs_key *node, struct hs_bytes bytes)
{
    struct hs_key persona;
    Hanse__State__MemberView *member =
        HS_FIXED(bytes, &persona) ? hs_member_view(e->turn, e->room, &persona) : NULL;
    return member != NULL && !member->left && hs_bytes_equal(hs_pb_bytes(member->home_root), HS_VIEW(*node));
}

/* All its members, until it has said how many of them are connected. */
static size_t connected_at(const struct hs_electorate *e, const struct hs_settling *settling,
                           const struct hs_key *node)
{
    Hanse__State__SubscriptionView *view = hs_subscription_view(e->turn, node, e->room);
    size_t members = view != NULL ? view->members : 0;
    size_t left_out = is_home_of(e, node, hs_pb_bytes(e->was->committer_persona)) ? 1 : 0;
    for (size_t i = 0; i + sizeof *node <= e->was->removed.len; i += sizeof *node)
        left_out += is_home_of(e, node, hs_bytes(e->was->removed.data + i, sizeof *node)) ? 1 : 0;
    members -= left_out < members ? left_out : members;
    for (size_t i = 0; i < settling->presence_count; i++)
        if (hs_key_equal(&settling->presences[i].node, node))
            return settling->presences[i].connected < members ? settling->presences[i].connected : members;
    return members;
}

size_t hs_electorate_connected(const struct hs_electorate *e, const struct hs_settling *settling)
{
    const struct hs_readers *readers = hs_session_readers(&e->turn->core->sessions, e->room);
    size_t connected = 0;
    for (size_t i = 0; readers != NULL && i < readers->len; i++) {
        const struct hs_session *session = readers->list[i].session;
        if (!session->attached || session->closed ||
            session->positions[readers->list[i].position].until != UINT64_MAX)
            continue;
        if (session->state == HS_SESSION_NODE)
            connected += connected_at(e, settling, &session->subscriber);
        else
            connected += is_left_out(e, session) ? 0 : 1;
    }
    return connected;
}
