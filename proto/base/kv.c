#include "base/kv.h"

/* Sticks any failure but "not there". */
static bool settle(struct hs_kv *kv, enum hs_err err)
{
    if (err != HS_OK && err != HS_ERR_NOT_FOUND)
        kv->err = err;
    return err == HS_OK;
}

bool hs_kv_get(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_arena *arena,
               struct hs_bytes *value)
{
    *value = (struct hs_bytes){0};
    return kv->err == HS_OK && settle(kv, kv->ops->get(kv, table, key, arena, value));
}

bool hs_kv_has(struct hs_kv *kv, unsigned table, struct hs_bytes key)
{
    return kv->err == HS_OK && settle(kv, kv->ops->get(kv, table, key, NULL, NULL));
}

void hs_kv_put(struct hs_kv *kv, unsigned table, struct hs_bytes key, struct hs_bytes value)
{
    if (kv->err == HS_OK)
        (void)settle(kv, kv->ops->put(kv, table, key, value));
}

void hs_kv_del(struct hs_kv *kv, unsigned table, struct hs_bytes key)
{
    if (kv->err == HS_OK)
        (void)settle(kv, kv->ops->del(kv, table, key));
}

bool hs_kv_next(struct hs_kv *kv, unsigned table, struct hs_bytes prefix, struct hs_bytes from,
                struct hs_arena *arena, struct hs_bytes *key, struct hs_bytes *value)
{
    if (kv->err != HS_OK || !settle(kv, kv->ops->next(kv, table, from, arena, key, value)))
        return false;
    return key->len >= prefix.len && (prefix.len == 0 || memcmp(key->data, prefix.data, prefix.len) == 0);
}

void hs_kv_del_prefix(struct hs_kv *kv, unsigned table, struct hs_bytes prefix)
{
    for (;;) {
        struct hs_arena HS_ARENA arena = hs_arena(2 * HS_KV_KEY_MAX);
        struct hs_bytes key;
        if (!hs_kv_next(kv, table, prefix, prefix, &arena, &key, NULL))
            return;
        hs_kv_del(kv, table, key);
    }
}

void hs_kv_key_add(struct hs_kv_key *key, struct hs_bytes part)
{
    HS_ASSERT(part.len <= sizeof key->b - key->len);
    if (part.len > 0)
        memcpy(key->b + key->len, part.data, part.len);
    key->len += part.len;
}

void hs_kv_key_add_u64(struct hs_kv_key *key, uint64_t number)
{
    uint8_t be[8];
    for (size_t i = 0; i < sizeof be; i++)
        be[i] = (uint8_t)(number >> (56 - 8 * i));
    hs_kv_key_add(key, hs_bytes(be, sizeof be));
}

struct hs_kv_key hs_kv_after(struct hs_bytes key)
{
    struct hs_kv_key next = {0};
    hs_kv_key_add(&next, key);
    hs_kv_key_add(&next, hs_bytes("", 1));
    return next;
}

uint64_t hs_kv_u64(struct hs_bytes bytes)
{
    uint64_t number = 0;
    for (size_t i = bytes.len < 8 ? 0 : bytes.len - 8; i < bytes.len; i++)
        number = number << 8 | bytes.data[i];
    return number;
}
