#include "store/me.h"

#include "store/tables.h"

static const struct hs_field fields[] = {
    HS_FIELD(FIXED, struct hs_me, seed),
    HS_FIELD(FIXED, struct hs_me, device_secret),
    HS_FIELD(BOOL, struct hs_me, has_role),
    HS_FIELD(FIXED, struct hs_me, role_seed),
    HS_FIELD(U32, struct hs_me, roles),
    HS_FIELD(TEXT, struct hs_me, name),
    HS_FIELD(TEXT, struct hs_me, handle),
    HS_FIELD(BYTES, struct hs_me, grants),
    HS_FIELD(BOOL, struct hs_me, has_home),
    HS_FIELD(BOOL, struct hs_me, has_account),
    HS_FIELD(FIXED, struct hs_me, home_root),
    HS_FIELD(BYTES, struct hs_me, home_descriptor),
    HS_FIELD(TEXT, struct hs_me, home_address),
    HS_FIELD(BYTES, struct hs_me, ticket),
    HS_FIELD(U64, struct hs_me, inbox_next),
    HS_FIELD(BOOL, struct hs_me, moving),
    HS_FIELD(U64, struct hs_me, home_number),
    HS_FIELD(FIXED, struct hs_me, old_root),
    HS_FIELD(BYTES, struct hs_me, old_descriptor),
    HS_FIELD(U64, struct hs_me, old_inbox_next),
};
static const struct hs_row_type type = HS_ROW_TYPE(HS_TABLE_META, struct hs_me, fields);

bool hs_me_get(struct hs_kv *kv, struct hs_arena *arena, struct hs_me *out)
{
    return hs_row_get(kv, &type, hs_bytes_str("me"), arena, out);
}

void hs_me_put(struct hs_kv *kv, const struct hs_me *me)
{
    hs_row_put(kv, &type, hs_bytes_str("me"), me);
}

void hs_me_wipe(struct hs_me *me)
{
    hs_wipe(me, sizeof *me);
}

uint64_t hs_number_next(struct hs_kv *kv)
{
    struct hs_arena HS_ARENA arena = hs_arena(4096);
    struct hs_bytes found;
    uint64_t number = 1;
    if (hs_kv_get(kv, HS_TABLE_META, hs_bytes_str("counter"), &arena, &found))
        number = hs_kv_u64(found) + 1;
    struct hs_kv_key value = {0};
    hs_kv_key_add_u64(&value, number);
    hs_kv_put(kv, HS_TABLE_META, hs_bytes_str("counter"), hs_kv_key_bytes(&value));
    return number;
}
