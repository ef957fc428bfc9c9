/* Past epochs: how many are kept, and for how long. */
#include "mls/member.h"

void hs_mls_past_trim(struct hs_mls_group *group, size_t count)
{
    while (group->past_count > count)
        hs_mls_epoch_keys_free(&group->past[--group->past_count]);
}

/* An epoch that may have to come back isn't dropped. */
static size_t kept_at_least(const struct hs_mls_group *group)
{
    return group->unsettled != NULL ? 1 : 0;
}

void hs_mls_past_push(struct hs_mls_group *group)
{
    size_t limit = group->settings.past_epochs, least = kept_at_least(group);
    memmove(group->past + 1, group->past, group->past_count * sizeof *group->past);
    group->past[0] = group->now;
    group->now = (struct hs_mls_epoch_keys){0};
    group->past_count++;
    hs_mls_past_trim(group, limit > least ? limit : least);
}

void hs_mls_group_drop_past(struct hs_mls_group *group)
{
    hs_mls_past_trim(group, kept_at_least(group));
}

void hs_mls_group_expire(struct hs_mls_group *group, uint64_t now)
{
    uint64_t seconds = group->settings.past_seconds;
    size_t left = 0;
    if (seconds == 0)
        return;
    for (size_t i = 0; i < group->past_count; i++) {
        struct hs_mls_epoch_keys *past = &group->past[i];
        past->ended = past->ended != 0 ? past->ended : now;
        /* what is older ended earlier, whatever the clock said then */
        if (now > past->ended && now - past->ended > seconds)
            break;
        left = i + 1;
    }
    hs_mls_past_trim(group, left > kept_at_least(group) ? left : kept_at_least(group));
}
