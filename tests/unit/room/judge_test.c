#include "unit/room/fixture.h"

#include "room/judge.h"

/* Facts of a member; handle NULL: a plain customer. */
static struct hs_room_member member_of(const char *name, const char *handle)
{
    char device[64];
    (void)snprintf(device, sizeof device, "%s's phone", name);
    struct hs_room_member member = {.persona = key_of(name), .device = key_of(device), .device_number = 1};
    if (handle != NULL)
        (void)snprintf(member.handle, sizeof member.handle, "%s@rosa.example", handle);
    return member;
}

/* One commit with all that it may hold; tests alter it. */
struct story {
    struct hs_policy policy, new_policy;
    struct hs_room_member owner, mod, agent, bob, eve;
    struct hs_judge_added added[2];
    struct hs_judge_join joins[2];
    struct hs_judge_removed removed[2];
    struct hs_judge_updated updated[1];
    struct hs_judge_commit commit;
};

static void admit(struct story *s, size_t i, const struct hs_room_member *newcomer)
{
    s->added[i] = (struct hs_judge_added){
        .member = *newcomer, .key_package_ref = id_of(newcomer->handle[0] ? "kp h" : "kp"), .by = &s->mod};
    s->joins[i] = (struct hs_judge_join){.join = {.invite_key = key_of("invite"),
                                                  .room = id_of("room"),
                                                  .persona = newcomer->persona,
                                                  .key_package_ref = s->added[i].key_package_ref,
                                                  .member = *newcomer},
                                         .invite = {.invite_key = key_of("invite"),
                                                    .room = id_of("room"),
                                                    .issuer = s->mod.persona,
                                                    .max_uses = 5,
                                                    .not_after = later(100)},
                                         .hub_time = later(-10)};
    s->commit.added_count = s->commit.join_count = i + 1;
}

/* A group of three; nothing happens in the commit yet. */
static void story_make(struct story *s, enum hs_room_kind kind)
{
    *s = (struct story){.owner = member_of("owner", "rosa"),
                        .mod = member_of("mod", "mod"),
                        .agent = member_of("agent", "agent"),
                        .bob = member_of("bob", NULL),
                        .eve = member_of("eve", NULL)};
    s->policy = policy_make(&s->owner.persona, kind);
    s->policy = with_role(s->policy, &s->mod.persona, HS_ROOM_MODERATOR, 0);
    s->policy = with_role(s->policy, &s->agent.persona, HS_ROOM_AGENT, 0);
    s->commit = (struct hs_judge_commit){.policy = &s->policy,
                                         .room = id_of("room"),
                                         .hub_time = now,
                                         .committer = &s->mod,
                                         .members = 3,
                                         .added = s->added,
                                         .removed = s->removed,
                                         .updated = s->updated,
                                         .joins = s->joins};
}

#define JUDGE(make, want, ...)                                                                               \
    do {                                                                                                     \
        struct story s;                                                                                      \
        make(&s);                                                                                            \
        __VA_ARGS__;                                                                                         \
        assert_err(hs_judge_commit(&s.commit), (want));                                                      \
    } while (0)

static void empty(struct story *s)
{
    story_make(s, HS_ROOM_GROUP);
}

static void admission(struct story *s)
{
    story_make(s, HS_ROOM_GROUP);
    admit(s, 0, &s->bob);
}

/* ROOM-50: an empty commit takes no right but not to be banned */
static void test_empty(void **state)
{
    (void)state;
    JUDGE(empty, HS_OK, (void)0);
    JUDGE(empty, HS_OK, s.commit.committer = &s.bob);
    JUDGE(empty, HS_ERR_DENIED, s.policy = with_ban(s.policy, &s.mod.persona));
    JUDGE(empty, HS_OK, s.policy = with_ban(s.policy, &s.bob.persona));
    JUDGE(empty, HS_ERR_DENIED, s.policy = with_revoked(s.policy, &s.mod.device));
    JUDGE(empty, HS_OK, s.policy = with_revoked(s.policy, &s.bob.device));
}

/* ROOM-51 */
static void test_admission(void **state)
{
    (void)state;
    JUDGE(admission, HS_OK, (void)0);
    JUDGE(admission, HS_OK, admit(&s, 1, &s.eve));
    JUDGE(admission, HS_OK, s.added[0].by = &s.agent, s.commit.committer = &s.agent);
    JUDGE(admission, HS_ERR_POLICY, s.added[0].by = &s.eve); /* a proposal by a plain member */
    JUDGE(admission, HS_OK,
          s.commit.committer = &s.eve); /* committed by a plain member, proposed by another */
    JUDGE(admission, HS_ERR_DENIED, s.policy = with_ban(s.policy, &s.bob.persona));
    JUDGE(admission, HS_ERR_DENIED, s.policy = with_ban(s.policy, &s.agent.persona),
          s.added[0].by = &s.agent);
    JUDGE(admission, HS_ERR_DENIED, s.policy = with_revoked(s.policy, &s.bob.device));
    JUDGE(admission, HS_ERR_DENIED, s.policy = with_revoked(s.policy, &s.agent.device),
          s.added[0].by = &s.agent);
    JUDGE(admission, HS_ERR_POLICY, s.added[0].is_member = true);
    JUDGE(admission, HS_ERR_POLICY, admit(&s, 1, &s.bob));
    JUDGE(admission, HS_ERR_POLICY,
          s.policy = with_role(s.policy, &s.mod.persona, HS_ROOM_MODERATOR, now.ms));
    JUDGE(admission, HS_OK, s.policy = with_role(s.policy, &s.mod.persona, HS_ROOM_MODERATOR, now.ms + 1));
}

/* ROOM-52: who ranks above member, or acts by a role, shows a handle or grant of the hub's root */
static void test_endorsement(void **state)
{
    (void)state;
    JUDGE(admission, HS_ERR_NAME_REFUSED, s.mod.handle[0] = '\0');
    JUDGE(admission, HS_OK, s.mod.handle[0] = '\0', s.mod.roles = HS_ROLE_BIT(HANSE__ROLE__ROLE_STAFF));
    JUDGE(admission, HS_ERR_NAME_REFUSED, s.policy = with_role(s.policy, &s.bob.persona, HS_ROOM_HOST, 0));
    JUDGE(admission, HS_OK, s.policy = with_role(s.policy, &s.bob.persona, HS_ROOM_LISTENER, 0));
    JUDGE(admission, HS_OK, s.policy = with_role(s.policy, &s.bob.persona, HS_ROOM_HOST, now.ms));
    JUDGE(admission, HS_OK, s.policy = with_role(s.policy, &s.bob.persona, HS_ROOM_HOST, 0),
          strcpy(s.bob.handle, "bob@rosa.example"), admit(&s, 0, &s.bob));
    JUDGE(empty, HS_OK, s.mod.handle[0] = '\0'); /* nothing is done by role */
}

/* ROOM-53 */
static void test_joins(void **state)
{
    (void)state;
    JUDGE(admission, HS_ERR_INVITE_UNKNOWN, s.commit.join_count = 0);
    JUDGE(admission, HS_ERR_INVITE_UNKNOWN, s.joins[0].join.persona = s.eve.persona);
    JUDGE(admission, HS_ERR_INVITE_REPLAYED, s.joins[0].join.key_package_ref = id_of("another"));
    JUDGE(admission, HS_ERR_INVITE_REPLAYED, s.joins[0].join.member.device = s.eve.device);
    JUDGE(admission, HS_ERR_INVITE_REPLAYED, s.joins[0].was_admitted = true);
    JUDGE(admission, HS_ERR_INVITE_INVALID, s.joins[0].invite.invite_key = key_of("another"));
    JUDGE(admission, HS_ERR_INVITE_INVALID, s.joins[0].invite.room = id_of("another"));
    JUDGE(admission, HS_ERR_INVITE_INVALID, s.joins[0].join.room = id_of("another"));
    JUDGE(admission, HS_ERR_INVITE_INVALID, s.joins[0].invite.issuer = s.eve.persona);
    JUDGE(admission, HS_ERR_INVITE_INVALID, s.joins[0].invite.issuer = s.agent.persona);
    JUDGE(admission, HS_OK, s.joins[0].invite.issuer = s.owner.persona);
    /* the issuer's right is judged at the commit's hub time, the invite's end at the JOIN's */
    JUDGE(admission, HS_ERR_INVITE_INVALID, s.joins[0].invite.issuer = s.eve.persona,
          s.policy = with_role(s.policy, &s.eve.persona, HS_ROOM_MODERATOR, now.ms));
    JUDGE(admission, HS_OK, s.joins[0].invite.issuer = s.eve.persona,
          s.policy = with_role(s.policy, &s.eve.persona, HS_ROOM_MODERATOR, now.ms + 1));
    JUDGE(admission, HS_ERR_INVITE_EXPIRED, s.joins[0].invite.not_after = later(-10));
    JUDGE(admission, HS_OK, s.joins[0].invite.not_after = later(-9));
    JUDGE(admission, HS_ERR_INVITE_EXPIRED, s.joins[0].hub_time.ms = s.commit.hub_time.ms - HS_JOIN_WAIT_MS);
    JUDGE(admission, HS_OK, s.joins[0].hub_time.ms = s.commit.hub_time.ms - HS_JOIN_WAIT_MS + 1);
    JUDGE(admission, HS_OK, s.joins[0].uses_before = 4);
    JUDGE(admission, HS_ERR_INVITE_USED_UP, s.joins[0].uses_before = 5);
    /* a JOIN that admits nobody; two JOINs for one newcomer */
    JUDGE(admission, HS_ERR_POLICY, admit(&s, 1, &s.eve), s.commit.added_count = 1);
    JUDGE(admission, HS_ERR_POLICY, s.joins[1] = s.joins[0], s.commit.join_count = 2);
    JUDGE(admission, HS_ERR_POLICY, s.commit.added_count = 0);
}

/* ROOM-54: a member whose log begins after a JOIN takes the newcomer on the others' word */
static void test_joins_before_anchor(void **state)
{
    (void)state;
    JUDGE(admission, HS_OK, s.commit.join_count = 0, s.commit.joins_before_anchor = 1);
    JUDGE(admission, HS_OK, admit(&s, 1, &s.eve), s.commit.join_count = 1, s.commit.joins_before_anchor = 1);
    JUDGE(admission, HS_ERR_INVITE_UNKNOWN, admit(&s, 1, &s.eve), s.commit.join_count = 0,
          s.commit.joins_before_anchor = 1);
    JUDGE(admission, HS_ERR_POLICY, s.commit.joins_before_anchor = 1);
    JUDGE(admission, HS_ERR_DENIED, s.commit.join_count = 0, s.commit.joins_before_anchor = 1,
          s.policy = with_ban(s.policy, &s.bob.persona));
}

/* ROOM-55 */
static void test_full(void **state)
{
    (void)state;
    JUDGE(admission, HS_OK, s.policy.max_members = 4);
    JUDGE(admission, HS_ERR_ROOM_FULL, s.policy.max_members = 3);
    JUDGE(admission, HS_ERR_ROOM_FULL, s.policy.max_members = 4, admit(&s, 1, &s.eve));
    JUDGE(admission, HS_OK, s.policy.max_members = 3, s.commit.removed_count = 1,
          s.removed[0] = (struct hs_judge_removed){s.eve.persona, &s.mod});
    JUDGE(empty, HS_OK, s.policy.max_members = 2); /* a smaller room throws nobody out */
}

static void removal(struct story *s)
{
    story_make(s, HS_ROOM_GROUP);
    s->removed[0] = (struct hs_judge_removed){s->bob.persona, &s->mod};
    s->commit.removed_count = 1;
}

/* ROOM-56 */
static void test_removal(void **state)
{
    (void)state;
    JUDGE(removal, HS_OK, (void)0);
    JUDGE(removal, HS_ERR_POLICY, s.removed[0].by = &s.eve);
    JUDGE(removal, HS_ERR_POLICY, s.removed[0].by = &s.agent);
    JUDGE(removal, HS_ERR_NAME_REFUSED, s.mod.handle[0] = '\0');
    JUDGE(removal, HS_OK, s.removed[0].by = &s.bob); /* leaving */
    JUDGE(removal, HS_OK, s.removed[0].by = &s.bob, s.commit.committer = &s.eve);
    JUDGE(removal, HS_ERR_POLICY, s.removed[0].persona = s.owner.persona);
    JUDGE(removal, HS_OK, s.removed[0] = ((struct hs_judge_removed){s.owner.persona, &s.owner}));
    JUDGE(removal, HS_OK, s.removed[0].persona = s.agent.persona);
    JUDGE(removal, HS_OK, s.policy = with_ban(s.policy, &s.bob.persona));
    JUDGE(removal, HS_ERR_DENIED, s.policy = with_ban(s.policy, &s.eve.persona), s.removed[0].by = &s.eve);
}

/* ROOM-57: a new device takes the place of the lost one */
static void test_return(void **state)
{
    (void)state;
    JUDGE(admission, HS_OK, s.added[0].is_member = true, s.commit.removed_count = 1,
          s.removed[0] = (struct hs_judge_removed){s.bob.persona, &s.agent}, s.added[0].by = &s.agent);
    JUDGE(admission, HS_ERR_POLICY, s.added[0].is_member = true, s.commit.removed_count = 1,
          s.removed[0] = (struct hs_judge_removed){s.eve.persona, &s.mod});
}

/* ROOM-58 */
static void test_update(void **state)
{
    (void)state;
    JUDGE(empty, HS_OK, s.commit.updated_count = 1,
          s.updated[0] = (struct hs_judge_updated){s.bob.persona, member_of("bob", NULL)});
    JUDGE(empty, HS_ERR_POLICY, s.commit.updated_count = 1,
          s.updated[0] = (struct hs_judge_updated){s.bob.persona, member_of("eve", NULL)});
    JUDGE(empty, HS_ERR_DENIED, s.policy = with_revoked(s.policy, &s.bob.device), s.commit.updated_count = 1,
          s.updated[0] = (struct hs_judge_updated){s.bob.persona, member_of("bob", NULL)});
}

static void policy_change(struct story *s)
{
    story_make(s, HS_ROOM_GROUP);
    s->new_policy = s->policy;
    s->new_policy.name = hs_bytes_str("New name");
    s->commit.new_policy = &s->new_policy;
    s->commit.policy_by = &s->mod;
}

/* ROOM-8: judged by the policy before */
static void test_policy_change(void **state)
{
    (void)state;
    JUDGE(policy_change, HS_OK, (void)0);
    JUDGE(policy_change, HS_OK, s.commit.policy_by = &s.owner);
    JUDGE(policy_change, HS_ERR_POLICY, s.commit.policy_by = &s.bob);
    JUDGE(policy_change, HS_ERR_POLICY, s.commit.policy_by = &s.agent);
    JUDGE(policy_change, HS_ERR_NAME_REFUSED, s.mod.handle[0] = '\0');
    JUDGE(policy_change, HS_ERR_POLICY, s.new_policy.kind = HS_ROOM_CHANNEL);
    JUDGE(policy_change, HS_ERR_POLICY, s.new_policy.hub_term = 2);
    JUDGE(policy_change, HS_ERR_POLICY, s.new_policy.hub_root = key_of("another"));
    JUDGE(policy_change, HS_ERR_POLICY, s.commit.policy_by = &s.bob,
          s.new_policy = with_role(s.policy, &s.bob.persona, HS_ROOM_OWNER, 0));
    /* who is made moderator in this commit may not yet act as one in it */
    JUDGE(admission, HS_ERR_POLICY, s.new_policy = with_role(s.policy, &s.eve.persona, HS_ROOM_MODERATOR, 0),
          s.commit.new_policy = &s.new_policy, s.commit.policy_by = &s.owner, s.added[0].by = &s.eve);
}

static void counter(struct story *s)
{
    story_make(s, HS_ROOM_COUNTER);
    admit(s, 0, &s->bob);
    s->commit.join_count = 0;
}

/* ROOM-59 */
static void test_counter(void **state)
{
    (void)state;
    JUDGE(counter, HS_OK, (void)0);
    JUDGE(counter, HS_OK, s.added[0].by = &s.agent);
    JUDGE(counter, HS_OK, s.added[0].by = &s.owner);
    JUDGE(counter, HS_ERR_POLICY, s.added[0].by = &s.eve);
    JUDGE(counter, HS_ERR_POLICY, s.commit.has_customer = true);
    JUDGE(counter, HS_ERR_POLICY, admit(&s, 1, &s.eve), s.commit.join_count = 0);
    JUDGE(counter, HS_OK, admit(&s, 1, &s.agent), s.commit.join_count = 0);
    JUDGE(counter, HS_OK, admit(&s, 0, &s.agent), s.commit.join_count = 0, s.commit.has_customer = true);
    JUDGE(counter, HS_ERR_POLICY, s.commit.join_count = 1);
    JUDGE(counter, HS_ERR_POLICY, s.commit.joins_before_anchor = 1);
    JUDGE(counter, HS_ERR_NAME_REFUSED, s.agent.handle[0] = '\0', admit(&s, 1, &s.agent),
          s.commit.join_count = 0);
    JUDGE(counter, HS_ERR_DENIED, s.policy = with_ban(s.policy, &s.bob.persona));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),   cmocka_unit_test(test_admission),
        cmocka_unit_test(test_joins),   cmocka_unit_test(test_endorsement),
        cmocka_unit_test(test_full),    cmocka_unit_test(test_joins_before_anchor),
        cmocka_unit_test(test_removal), cmocka_unit_test(test_return),
        cmocka_unit_test(test_update),  cmocka_unit_test(test_policy_change),
        cmocka_unit_test(test_counter),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
