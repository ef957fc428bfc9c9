#include "room/policy.h"

static int key_order(const struct hs_key *a, const struct hs_key *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

/* Where the key stands, or would stand, in an ascending list of items that begin with their key. */
static size_t key_place(const void *items, size_t count, size_t item_size, const struct hs_key *key)
{
    size_t place = 0;
    while (place < count) {
        const struct hs_key *at = (const struct hs_key *)((const uint8_t *)items + place * item_size);
        if (key_order(at, key) >= 0)
            break;
        place++;
    }
    return place;
}

/* INVALID_ARG, TOO_LARGE: what packing says of it. */
static enum hs_err policy_check_whole(const struct hs_policy *policy)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    return hs_policy_pack(policy, &w);
}

enum hs_err hs_policy_set_role(const struct hs_policy *policy, const struct hs_policy_role *role,
                               struct hs_arena *arena, struct hs_policy *out)
{
    struct hs_policy_role *roles = hs_arena_alloc(arena, (policy->role_count + 1) * sizeof *roles);
    HS_REQUIRE(roles != NULL, HS_ERR_NOMEM);
    size_t place = key_place(policy->roles, policy->role_count, sizeof *roles, &role->key), count = place;
    bool listed = place < policy->role_count && hs_key_equal(&policy->roles[place].key, &role->key);
    for (size_t i = 0; i < place; i++)
        roles[i] = policy->roles[i];
    if (role->role != HS_ROOM_MEMBER)
        roles[count++] = *role;
    for (size_t i = place + (listed ? 1 : 0); i < policy->role_count; i++)
        roles[count++] = policy->roles[i];
    struct hs_policy changed = *policy;
    changed.roles = roles;
    changed.role_count = count;
    HS_TRY(policy_check_whole(&changed));
    *out = changed;
    return HS_OK;
}

/* An ascending list with the key in it, or without. */
struct keys {
    const struct hs_key *list;
    size_t count;
};

static enum hs_err keys_set(struct keys before, const struct hs_key *key, bool listed, struct hs_arena *arena,
                            struct keys *after)
{
    struct hs_key *list = hs_arena_alloc(arena, (before.count + 1) * sizeof *list);
    HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
    size_t place = key_place(before.list, before.count, sizeof *list, key), count = place;
    bool was = place < before.count && hs_key_equal(&before.list[place], key);
    for (size_t i = 0; i < place; i++)
        list[i] = before.list[i];
    if (listed)
        list[count++] = *key;
    for (size_t i = place + (was ? 1 : 0); i < before.count; i++)
        list[count++] = before.list[i];
    *after = (struct keys){list, count};
    return HS_OK;
}

enum hs_err hs_policy_set_banned(const struct hs_policy *policy, const struct hs_key *key, bool banned,
                                 struct hs_arena *arena, struct hs_policy *out)
{
    struct keys keys;
    HS_TRY(keys_set((struct keys){policy->banned, policy->banned_count}, key, banned, arena, &keys));
    struct hs_policy changed = *policy;
    changed.banned = keys.list;
    changed.banned_count = keys.count;
    HS_TRY(policy_check_whole(&changed));
    *out = changed;
    return HS_OK;
}

enum hs_err hs_policy_set_revoked(const struct hs_policy *policy, const struct hs_key *device, bool revoked,
                                  struct hs_arena *arena, struct hs_policy *out)
{
    struct keys keys;
    HS_TRY(keys_set((struct keys){policy->revoked, policy->revoked_count}, device, revoked, arena, &keys));
    struct hs_policy changed = *policy;
    changed.revoked = keys.list;
    changed.revoked_count = keys.count;
    HS_TRY(policy_check_whole(&changed));
    *out = changed;
    return HS_OK;
}

static bool role_is_high(enum hs_room_role role)
{
    return role == HS_ROOM_OWNER || role == HS_ROOM_MODERATOR;
}

/* Entries that differ between the lists, on either side, must be of low roles. */
static enum hs_err roles_change_check(const struct hs_policy *before, const struct hs_policy *after)
{
    size_t i = 0, j = 0;
    while (i < before->role_count || j < after->role_count) {
        const struct hs_policy_role *old = i < before->role_count ? &before->roles[i] : NULL;
        const struct hs_policy_role *new = j < after->role_count ? &after->roles[j] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : key_order(&old->key, &new->key);
        if (order > 0)
            old = NULL;
        if (order < 0)
            new = NULL;
        i += old != NULL;
        j += new != NULL;
        if (old != NULL && new != NULL && old->role == new->role && old->until.ms == new->until.ms)
            continue;
        HS_REQUIRE(old == NULL || !role_is_high(old->role), HS_ERR_POLICY);
        HS_REQUIRE(new == NULL || !role_is_high(new->role), HS_ERR_POLICY);
    }
    return HS_OK;
}

/* No moderator is newly banned (owners never are). */
static enum hs_err bans_change_check(const struct hs_policy *before, const struct hs_policy *after,
                                     struct hs_time at)
{
    for (size_t i = 0; i < before->role_count; i++) {
        const struct hs_key *key = &before->roles[i].key;
        bool newly = hs_policy_is_banned(after, key) && !hs_policy_is_banned(before, key);
        HS_REQUIRE(!newly || !role_is_high(hs_policy_role(before, key, at)), HS_ERR_POLICY);
    }
    return HS_OK;
}

enum hs_err hs_policy_change_check(const struct hs_policy *before, const struct hs_policy *after,
                                   const struct hs_key *by, struct hs_time at,
                                   const struct hs_hub_office *office)
{
    struct hs_hub_office was = hs_policy_office(before), is = hs_policy_office(after);
    office = office != NULL ? office : &was;
    HS_REQUIRE(hs_policy_allows(before, by, at, HS_RIGHT_CHANGE_POLICY), HS_ERR_POLICY);
    HS_REQUIRE(before->kind == after->kind && is.term == office->term, HS_ERR_POLICY);
    HS_REQUIRE(hs_key_equal(&is.root, &office->root), HS_ERR_POLICY);
    HS_REQUIRE(hs_key_equal(&before->hub_root, &after->hub_root), HS_ERR_POLICY);
    if (hs_policy_allows(before, by, at, HS_RIGHT_GOVERN))
        return HS_OK;
    HS_REQUIRE(before->max_members == after->max_members, HS_ERR_POLICY);
    HS_REQUIRE(before->retention_ms == after->retention_ms, HS_ERR_POLICY);
    HS_TRY(roles_change_check(before, after));
    return bans_change_check(before, after, at);
}
