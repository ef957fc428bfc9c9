/* What the room's policy says of people: who has which role, who is banned. A change is a commit like any
 * other, and made anew where another one wins. */
#include "sync/rooms/govern.h"

enum { BANNED = 0x100 /* in the place of a role */ };

static bool is_wanted(const struct hs_op *op, const struct hs_live_room *room)
{
    return op->kind == HS_OP_POLICY && hs_id_equal(&op->room, &room->row.id);
}

static bool is_done(const struct hs_step *s, const struct hs_live_room *room, const struct hs_op *op)
{
    if (op->amount == BANNED)
        return hs_policy_is_banned(&room->policy, &op->key);
    return (uint64_t)hs_policy_role(&room->policy, &op->key, s->now) == op->amount;
}

static enum hs_err policy_for(struct hs_step *s, const struct hs_live_room *room, const struct hs_op *op,
                              struct hs_policy *out)
{
    const struct hs_policy_role role = {.key = op->key, .role = (enum hs_room_role)op->amount};
    return op->amount == BANNED ? hs_policy_set_banned(&room->policy, &op->key, true, s->arena, out)
                                : hs_policy_set_role(&room->policy, &role, s->arena, out);
}

/* Who is banned goes with it. */
static enum hs_err submit(struct hs_step *s, struct hs_live_room *room, const struct hs_op *op)
{
    struct hs_policy policy;
    struct hs_mls_member member;
    struct hs_commit_wish wish = {.policy = &policy};
    HS_TRY(policy_for(s, room, op, &policy));
    if (op->amount == BANNED && hs_live_find(room, &op->key, &member)) {
        wish.removes = &member.leaf;
        wish.remove_count = 1;
    }
    return hs_commit_submit(s, room, &wish);
}

enum hs_err hs_policy_next(struct hs_step *s, struct hs_live_room *room)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (!is_wanted(op, room))
            continue;
        enum hs_err err = is_done(s, room, op) ? HS_OK : submit(s, room, op);
        if (hs_mls_group_has_pending(room->group) || hs_sync_is_own_trouble(err))
            return err;
        HS_TRY(hs_op_done(s, op, err, NULL, 0, NULL)); /* somebody else was faster, or it can't be */
    }
    return HS_OK;
}

enum hs_err hs_policy_settled(struct hs_step *s, struct hs_live_room *room, uint64_t seq)
{
    for (struct hs_op *op = s->sync->ops, *next; op != NULL; op = next) {
        next = op->next;
        if (is_wanted(op, room) && is_done(s, room, op))
            HS_TRY(hs_op_done(s, op, HS_OK, NULL, seq, NULL));
    }
    return HS_OK;
}

static enum hs_err want(struct hs_step *s, const struct hs_id *id, const struct hs_key *persona,
                        uint64_t what, uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_policy policy;
    struct hs_op *op;
    HS_TRY(hs_live_member(s, id, &room));
    HS_REQUIRE(hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_CHANGE_POLICY),
               HS_ERR_POLICY);
    const struct hs_op wish = {.key = *persona, .amount = what};
    HS_TRY(policy_for(s, room, &wish, &policy));
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_POLICY;
    op->room = *id;
    op->key = *persona;
    op->amount = what;
    op->resume = hs_op_commit;
    return hs_commit_next(s, room);
}

enum hs_err hs_want_role(struct hs_step *s, const struct hs_id *room, const struct hs_key *persona,
                         enum hanse_role role, uint64_t *op)
{
    struct hs_live_room *live;
    HS_REQUIRE(role >= HANSE_ROLE_MEMBER && role <= HANSE_ROLE_LISTENER, HS_ERR_INVALID_ARG);
    HS_TRY(hs_live_member(s, room, &live));
    HS_REQUIRE(hs_live_has_persona(live, persona), HS_ERR_NOT_MEMBER);
    return want(s, room, persona, (uint64_t)role, op);
}

enum hs_err hs_want_ban(struct hs_step *s, const struct hs_id *room, const struct hs_key *persona,
                        uint64_t *op)
{
    struct hs_live_room *live;
    HS_TRY(hs_live_member(s, room, &live));
    HS_REQUIRE(!hs_key_equal(persona, &live->row.self), HS_ERR_INVALID_ARG);
    return want(s, room, persona, BANNED, op);
}
