/* A room's policy, and what a change of it may do. Input: two bytes with the first one's length, two
 * policies. */
#include "fuzz/fuzz.h"

#include "fuzz/cast.h"
#include "room/policy.h"

enum { ARENA = 16 << 20 };

/* There is one encoding of each policy. */
static bool policy_read(struct hs_bytes bytes, struct hs_arena *arena, struct hs_policy *out)
{
    if (hs_policy_parse(bytes, arena, out) != HS_OK)
        return false;
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    FUZZ_OK(hs_policy_pack(out, &w));
    HS_ASSERT(hs_bytes_equal(hs_writer_bytes(&w), bytes));
    HS_ASSERT(out->role_count <= HS_POLICY_ROLES_MAX && out->banned_count <= HS_POLICY_BANNED_MAX);
    struct hs_key owner = hs_policy_owner(out);
    HS_ASSERT(hs_policy_role(out, &owner, cast_at(0)) == HS_ROOM_OWNER);
    HS_ASSERT(!hs_policy_is_banned(out, &owner));
    for (size_t i = 0; i < out->banned_count; i++)
        HS_ASSERT(!hs_policy_allows(out, &out->banned[i], cast_at(0), HS_RIGHT_POST));
    return true;
}

/* Who governs nothing changes no owner and no moderator. */
static void change_check(const struct hs_policy *before, const struct hs_policy *after)
{
    for (size_t i = 0; i < before->role_count; i++) {
        const struct hs_key *by = &before->roles[i].key;
        if (hs_policy_change_check(before, after, by, cast_at(0), NULL) != HS_OK)
            continue;
        HS_ASSERT(before->kind == after->kind && before->hub_term == after->hub_term);
        HS_ASSERT(hs_key_equal(&before->hub_root, &after->hub_root));
        HS_ASSERT(hs_policy_allows(before, by, cast_at(0), HS_RIGHT_CHANGE_POLICY));
        if (hs_policy_allows(before, by, cast_at(0), HS_RIGHT_GOVERN))
            continue;
        struct hs_key owners[2] = {hs_policy_owner(before), hs_policy_owner(after)};
        HS_ASSERT(hs_key_equal(&owners[0], &owners[1]));
    }
    HS_ASSERT(hs_policy_change_check(before, after, &cast(CAST_INVITE)->pub, cast_at(0), NULL) != HS_OK ||
              hs_policy_role(before, &cast(CAST_INVITE)->pub, cast_at(0)) != HS_ROOM_MEMBER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    struct hs_arena HS_ARENA arena = hs_arena(ARENA);
    struct hs_bytes in = hs_bytes(data, size);
    size_t len = (size_t)fuzz_choice(&in) << 8;
    len |= fuzz_choice(&in);
    struct hs_policy before, after, changed;
    if (!policy_read(fuzz_take(&in, len), &arena, &before))
        return 0;
    fuzz_accepted++;
    if (hs_policy_set_banned(&before, &cast(CAST_FRIEND)->pub, true, &arena, &changed) == HS_OK)
        HS_ASSERT(hs_policy_is_banned(&changed, &cast(CAST_FRIEND)->pub));
    if (policy_read(in, &arena, &after))
        change_check(&before, &after);
    return 0;
}
