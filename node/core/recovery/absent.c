#include "core/recovery/absent.h"

#include "core/accounts/account.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "wire/limits.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX }; /* for one room: there may be many */

static struct hs_kv_key absent_key(const struct hs_key *persona, struct hs_bytes room)
{
    return hs_key_sub(HS_MISC_ABSENT, HS_VIEW(*persona), room);
}

void hs_absent_note(struct hs_turn *turn, const struct hs_key *persona, const struct hs_id *room,
                    uint64_t from)
{
    struct hs_kv_key key = absent_key(persona, HS_VIEW(*room));
    hs_number_put(turn, HS_T_MISC, &key, from);
}

void hs_absent_forget(struct hs_turn *turn, const struct hs_key *persona, const struct hs_id *room)
{
    struct hs_kv_key key = absent_key(persona, HS_VIEW(*room));
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
}

bool hs_absent_is(struct hs_turn *turn, const struct hs_key *persona)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key prefix = absent_key(persona, (struct hs_bytes){0});
    struct hs_bytes key, p = hs_kv_key_bytes(&prefix);
    return hs_kv_next(turn->kv, HS_T_MISC, p, p, &scratch, &key, NULL);
}

void hs_absent_came(struct hs_turn *turn, const struct hs_key *persona)
{
    struct hs_kv_key prefix = absent_key(persona, (struct hs_bytes){0});
    struct hs_bytes key, value, p = hs_kv_key_bytes(&prefix);
    struct hs_key subscriber;
    struct hs_id room;
    if (!hs_persona_subscriber(turn, persona, &subscriber))
        return;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_MISC, p, p, &scratch, &key, &value))
            return;
        if (HS_FIXED(hs_bytes(key.data + p.len, key.len - p.len), &room))
            hs_subscribe(&own, &subscriber, &room, hs_kv_u64(value), 1);
        hs_kv_del(turn->kv, HS_T_MISC, key);
    }
}
