#include "room/group_store.h"

#include "mls/limits.h"
#include "room/group_undo.h"

_Static_assert(sizeof(struct hs_id) + HS_MLS_STORE_KEY <= HS_KV_KEY_MAX, "a room's id and a record's key");

static struct hs_kv_key key_of(const struct hs_group_store *store, struct hs_bytes key)
{
    struct hs_kv_key whole = {0};
    hs_kv_key_add(&whole, HS_VIEW(store->room));
    hs_kv_key_add(&whole, key);
    return whole;
}

static enum hs_err store_get(void *context, struct hs_bytes key, struct hs_writer *value)
{
    const struct hs_group_store *store = context;
    struct hs_arena HS_ARENA arena = hs_arena(HS_MLS_MAX_SAVED);
    struct hs_kv_key whole = key_of(store, key);
    struct hs_bytes found;
    HS_REQUIRE(store->kv != NULL, HS_ERR_INVALID_STATE);
    if (!hs_kv_get(store->kv, store->table, hs_kv_key_bytes(&whole), &arena, &found))
        return store->kv->err != HS_OK ? store->kv->err : HS_ERR_NOT_FOUND;
    hs_write_bytes(value, found);
    return value->err;
}

static enum hs_err store_put(void *context, struct hs_bytes key, struct hs_bytes value)
{
    const struct hs_group_store *store = context;
    struct hs_kv_key whole = key_of(store, key);
    HS_REQUIRE(store->kv != NULL, HS_ERR_INVALID_STATE);
    hs_group_undo_note(store, key);
    hs_kv_put(store->kv, store->table, hs_kv_key_bytes(&whole), value);
    return store->kv->err;
}

static enum hs_err store_del(void *context, struct hs_bytes prefix)
{
    const struct hs_group_store *store = context;
    struct hs_kv_key whole = key_of(store, prefix);
    HS_REQUIRE(store->kv != NULL, HS_ERR_INVALID_STATE);
    hs_group_undo_note_all(store, prefix);
    hs_kv_del_prefix(store->kv, store->table, hs_kv_key_bytes(&whole));
    return store->kv->err;
}

void hs_group_store_init(struct hs_group_store *store, struct hs_kv *kv, unsigned table,
                         const struct hs_id *room)
{
    *store = (struct hs_group_store){
        .store = {.context = store, .get = store_get, .put = store_put, .del = store_del},
        .kv = kv,
        .table = table,
        .room = *room};
}

void hs_group_store_delete(struct hs_kv *kv, unsigned table, const struct hs_id *room)
{
    hs_kv_del_prefix(kv, table, HS_VIEW(*room));
}
