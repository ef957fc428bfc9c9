#include "room/group_undo.h"

#include "mls/limits.h"

/* Beside the records of mls/store.h, whose keys begin with other bytes: 'u' | key -> was there u8 | value. */
enum { UNDO = 'u' };

static struct hs_kv_key undo_key(const struct hs_group_store *store, struct hs_bytes key)
{
    const uint8_t undo = UNDO;
    struct hs_kv_key whole = {0};
    hs_kv_key_add(&whole, HS_VIEW(store->room));
    hs_kv_key_add(&whole, hs_bytes(&undo, 1));
    hs_kv_key_add(&whole, key);
    return whole;
}

static struct hs_kv_key own_key(const struct hs_group_store *store, struct hs_bytes key)
{
    struct hs_kv_key whole = {0};
    hs_kv_key_add(&whole, HS_VIEW(store->room));
    hs_kv_key_add(&whole, key);
    return whole;
}

void hs_group_undo_begin(struct hs_group_store *store)
{
    store->undo = true;
}

void hs_group_undo_note(const struct hs_group_store *store, struct hs_bytes key)
{
    struct hs_arena HS_ARENA arena = hs_arena(2 * HS_MLS_MAX_SAVED);
    struct hs_kv_key whole = own_key(store, key), undo = undo_key(store, key);
    struct hs_bytes value = {0};
    if (!store->undo || hs_kv_has(store->kv, store->table, hs_kv_key_bytes(&undo)))
        return; /* what counts is the value before the first change */
    bool there = hs_kv_get(store->kv, store->table, hs_kv_key_bytes(&whole), &arena, &value);
    uint8_t *kept = hs_arena_alloc(&arena, value.len + 1);
    if (kept == NULL) {
        store->kv->err = store->kv->err == HS_OK ? HS_ERR_NOMEM : store->kv->err;
        return;
    }
    kept[0] = there;
    if (value.len > 0)
        memcpy(kept + 1, value.data, value.len);
    hs_kv_put(store->kv, store->table, hs_kv_key_bytes(&undo), hs_bytes(kept, value.len + 1));
}

void hs_group_undo_note_all(const struct hs_group_store *store, struct hs_bytes prefix)
{
    struct hs_kv_key whole = own_key(store, prefix), from = whole;
    const size_t room = sizeof store->room;
    while (store->undo) {
        struct hs_arena HS_ARENA arena = hs_arena(HS_MLS_MAX_SAVED);
        struct hs_bytes key;
        if (!hs_kv_next(store->kv, store->table, hs_kv_key_bytes(&whole), hs_kv_key_bytes(&from), &arena,
                        &key, NULL))
            return;
        hs_group_undo_note(store, hs_bytes(key.data + room, key.len - room));
        from = hs_kv_after(key);
    }
}

void hs_group_undo_apply(struct hs_group_store *store)
{
    const struct hs_kv_key all = undo_key(store, (struct hs_bytes){0});
    struct hs_kv_key from = all;
    for (;;) {
        struct hs_arena HS_ARENA arena = hs_arena(2 * HS_MLS_MAX_SAVED);
        struct hs_bytes key, value;
        if (!hs_kv_next(store->kv, store->table, hs_kv_key_bytes(&all), hs_kv_key_bytes(&from), &arena, &key,
                        &value))
            break;
        struct hs_kv_key own = own_key(store, hs_bytes(key.data + all.len, key.len - all.len));
        if (value.len > 0 && value.data[0] != 0)
            hs_kv_put(store->kv, store->table, hs_kv_key_bytes(&own),
                      hs_bytes(value.data + 1, value.len - 1));
        else
            hs_kv_del(store->kv, store->table, hs_kv_key_bytes(&own));
        from = hs_kv_after(key);
    }
    hs_group_undo_forget(store);
}

void hs_group_undo_forget(struct hs_group_store *store)
{
    const struct hs_kv_key all = undo_key(store, (struct hs_bytes){0});
    hs_kv_del_prefix(store->kv, store->table, hs_kv_key_bytes(&all));
    store->undo = false;
}
