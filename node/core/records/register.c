#include "core/records/register.h"

#include "core/delivery/inbox.h"
#include "core/records/retention.h"
#include "core/records/table.h"

struct hs_kv_key hs_register_key(enum hs_register kind, struct hs_bytes a, struct hs_bytes b)
{
    uint8_t first = (uint8_t)kind;
    struct hs_kv_key key = hs_key2(hs_bytes(&first, 1), a);
    hs_kv_key_add(&key, b);
    return key;
}

bool hs_register_get(struct hs_turn *turn, const struct hs_kv_key *key, struct hs_bytes *value)
{
    return hs_kv_get(turn->kv, HS_T_REGISTER, hs_kv_key_bytes(key), turn->arena, value);
}

uint64_t hs_register_number(struct hs_turn *turn, enum hs_register kind, struct hs_bytes a, struct hs_bytes b)
{
    struct hs_kv_key key = hs_register_key(kind, a, b);
    return hs_number_get(turn, HS_T_REGISTER, &key, NULL);
}

/* What a subscriber holds of its inbox needn't be kept for it. */
static void apply_inbox(struct hs_turn *turn, struct hs_bytes rest, struct hs_bytes value)
{
    struct hs_key subscriber;
    if (HS_FIXED(rest, &subscriber))
        hs_inbox_prune(turn, &subscriber, hs_kv_u64(value));
}

static void apply_retained(struct hs_turn *turn, const struct hs_kv_key *key, struct hs_bytes rest,
                           struct hs_bytes value)
{
    struct hs_id room;
    struct hs_bytes before;
    (void)hs_register_get(turn, key, &before);
    if (HS_FIXED(rest, &room))
        hs_retained_apply(turn, &room, hs_retained_parse(before), hs_retained_parse(value));
}

void hs_register_put(struct hs_turn *turn, const struct hs_kv_key *key, struct hs_bytes value)
{
    struct hs_bytes rest = hs_bytes(key->b + 1, key->len - 1);
    if (key->b[0] == HS_REGISTER_RETAINED)
        apply_retained(turn, key, rest, value);
    if (key->b[0] == HS_REGISTER_INBOX)
        apply_inbox(turn, rest, value);
    hs_kv_put(turn->kv, HS_T_REGISTER, hs_kv_key_bytes(key), value);
}

void hs_register_put_number(struct hs_turn *turn, enum hs_register kind, struct hs_bytes a, struct hs_bytes b,
                            uint64_t number)
{
    struct hs_kv_key key = hs_register_key(kind, a, b), value = {0};
    hs_kv_key_add_u64(&value, number);
    hs_register_put(turn, &key, hs_kv_key_bytes(&value));
}
