#include "sync/log/hub_key.h"

#include "store/row.h"
#include "store/tables.h"

uint64_t hs_hub_sequence(const struct hs_room_row *row)
{
    struct hs_arena HS_ARENA scratch = hs_arena(32 * HS_DESCRIPTOR_MAX);
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    if (row->descriptor.len == 0 || hs_object_unpack(row->descriptor, &scratch, &object) != HS_OK ||
        hs_descriptor_claimed(object, &d) != HS_OK)
        return 0;
    return d.sequence;
}

enum hs_err hs_office_domain(const struct hs_room_row *row, char out[static HS_DOMAIN_MAX + 1])
{
    struct hs_arena HS_ARENA scratch = hs_arena(32 * HS_DESCRIPTOR_MAX);
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    memcpy(out, row->domain, sizeof row->domain);
    if (hs_key_equal(hs_row_hub(row), &row->hub_root) || row->descriptor.len == 0)
        return HS_OK;
    HS_TRY(hs_object_unpack(row->descriptor, &scratch, &object));
    HS_TRY(hs_descriptor_claimed(object, &d));
    memcpy(out, d.domain, sizeof d.domain);
    return HS_OK;
}

enum hs_err hs_hub_key_keep(struct hs_step *s, const struct hs_key *root, struct hs_bytes descriptor)
{
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    HS_TRY(hs_object_unpack(descriptor, s->arena, &object));
    HS_TRY(hs_descriptor_claimed(object, &d));
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*root), HS_VIEW(d.signing_key));
    hs_kv_put(s->kv, HS_TABLE_HUB_KEY, hs_kv_key_bytes(&key), descriptor);
    return s->kv->err;
}

enum hs_err hs_hub_key_newest(struct hs_step *s, const struct hs_key *root, struct hs_bytes *out)
{
    struct hs_kv_key first = hs_row_key1(HS_VIEW(*root)), from = first;
    struct hs_bytes prefix = hs_kv_key_bytes(&first), key, value;
    uint64_t newest = 0;
    *out = (struct hs_bytes){0};
    while (hs_kv_next(s->kv, HS_TABLE_HUB_KEY, prefix, hs_kv_key_bytes(&from), s->arena, &key, &value)) {
        Hanse__SignedObject *object;
        struct hs_descriptor d;
        from = hs_kv_after(key);
        HS_TRY(hs_object_unpack(value, s->arena, &object));
        HS_TRY(hs_descriptor_claimed(object, &d));
        if (out->len > 0 && d.sequence <= newest)
            continue;
        newest = d.sequence;
        *out = value;
    }
    HS_TRY(s->kv->err);
    return out->len > 0 ? HS_OK : HS_ERR_NOT_FOUND;
}

/* The newest descriptor, and the one that names key: the same where it is the newest. */
static enum hs_err find(struct hs_step *s, const struct hs_live_room *room, const struct hs_key *signer,
                        struct hs_descriptor *newest, Hanse__SignedObject **out)
{
    struct hs_bytes bytes;
    struct hs_kv_key key = hs_row_key2(HS_VIEW(*hs_row_hub(&room->row)), HS_VIEW(*signer));
    HS_TRY(hs_object_unpack(room->row.descriptor, s->arena, out));
    HS_TRY(hs_descriptor_claimed(*out, newest));
    if (hs_key_equal(&newest->signing_key, signer))
        return HS_OK;
    if (!hs_kv_get(s->kv, HS_TABLE_HUB_KEY, hs_kv_key_bytes(&key), s->arena, &bytes))
        return s->kv->err != HS_OK ? s->kv->err : HS_ERR_NOT_FOUND;
    return hs_object_unpack(bytes, s->arena, out);
}

enum hs_err hs_hub_descriptor_of(struct hs_step *s, const struct hs_live_room *room,
                                 const Hanse__SignedObject *head, Hanse__SignedObject **out)
{
    struct hs_descriptor newest;
    struct hs_key signer;
    HS_REQUIRE(hs_object_claimed_signer(head, 0, &signer), HS_ERR_NOT_FOUND);
    return find(s, room, &signer, &newest, out);
}

enum hs_err hs_hub_head(struct hs_step *s, const struct hs_live_room *room, const Hanse__SignedObject *object,
                        struct hs_head *head)
{
    Hanse__SignedObject *descriptor;
    struct hs_descriptor newest;
    struct hs_key signer;
    HS_REQUIRE(hs_object_claimed_signer(object, 0, &signer), HS_ERR_MALFORMED);
    enum hs_err err = find(s, room, &signer, &newest, &descriptor);
    HS_REQUIRE(err != HS_ERR_NOT_FOUND, HS_ERR_WRONG_SIGNER);
    HS_TRY(err);
    HS_TRY(hs_head_verify(object, &signer, &room->row.id, head));
    bool in_use = hs_key_equal(&signer, &newest.signing_key) ||
                  head->created.ms <= newest.created.ms + HS_HUB_KEY_LAG_MS;
    return in_use ? HS_OK : HS_ERR_WRONG_SIGNER;
}
