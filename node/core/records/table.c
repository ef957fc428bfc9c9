#include "core/records/table.h"

#include "wire/unpack.h"

struct hs_kv_key hs_key1(struct hs_bytes a)
{
    struct hs_kv_key key = {0};
    hs_kv_key_add(&key, a);
    return key;
}

struct hs_kv_key hs_key2(struct hs_bytes a, struct hs_bytes b)
{
    struct hs_kv_key key = hs_key1(a);
    hs_kv_key_add(&key, b);
    return key;
}

struct hs_kv_key hs_key_sub(enum hs_sub_table sub, struct hs_bytes a, struct hs_bytes b)
{
    uint8_t first = (uint8_t)sub;
    struct hs_kv_key key = hs_key2(hs_bytes(&first, 1), a);
    hs_kv_key_add(&key, b);
    return key;
}

struct hs_kv_key hs_key_seq(struct hs_bytes a, uint64_t seq)
{
    struct hs_kv_key key = hs_key1(a);
    hs_kv_key_add_u64(&key, seq);
    return key;
}

/* One's own bytes are never malformed; where a turn reads more than its arena holds, it is carried out alone.
 */
static enum hs_err view_error(enum hs_err err)
{
    return err == HS_ERR_NOMEM || err == HS_ERR_TOO_LARGE ? HS_ERR_NOMEM : HS_ERR_STORE;
}

ProtobufCMessage *hs_view_get(struct hs_turn *turn, enum hs_table table, const struct hs_kv_key *key,
                              const ProtobufCMessageDescriptor *type)
{
    struct hs_bytes value;
    ProtobufCMessage *view = NULL;
    if (!hs_kv_get(turn->kv, table, hs_kv_key_bytes(key), turn->arena, &value))
        return NULL;
    enum hs_err err = hs_unpack(type, value, HS_LENIENT, turn->arena, &view);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = view_error(err);
    return view;
}

void hs_view_put(struct hs_turn *turn, enum hs_table table, const struct hs_kv_key *key,
                 const ProtobufCMessage *view)
{
    struct hs_bytes packed = hs_turn_pack(turn, view);
    hs_kv_put(turn->kv, table, hs_kv_key_bytes(key), packed);
}

uint64_t hs_number_get(struct hs_turn *turn, enum hs_table table, const struct hs_kv_key *key, bool *found)
{
    struct hs_bytes value;
    bool there = hs_kv_get(turn->kv, table, hs_kv_key_bytes(key), turn->arena, &value);
    if (found != NULL)
        *found = there;
    return there ? hs_kv_u64(value) : 0;
}

void hs_number_put(struct hs_turn *turn, enum hs_table table, const struct hs_kv_key *key, uint64_t number)
{
    struct hs_kv_key value = {0};
    hs_kv_key_add_u64(&value, number);
    hs_kv_put(turn->kv, table, hs_kv_key_bytes(key), hs_kv_key_bytes(&value));
}

Hanse__State__RoomView *hs_room_view(struct hs_turn *turn, const struct hs_id *room)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*room));
    return (Hanse__State__RoomView *)HS_VIEW_GET(turn, HS_T_ROOM, &key, hanse__state__room_view);
}

Hanse__State__MemberView *hs_member_view(struct hs_turn *turn, const struct hs_id *room,
                                         const struct hs_key *persona)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(*room), HS_VIEW(*persona));
    return (Hanse__State__MemberView *)HS_VIEW_GET(turn, HS_T_MEMBER, &key, hanse__state__member_view);
}

Hanse__State__AccountView *hs_account_view(struct hs_turn *turn, const struct hs_key *account)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*account));
    return (Hanse__State__AccountView *)HS_VIEW_GET(turn, HS_T_ACCOUNT, &key, hanse__state__account_view);
}

Hanse__State__PersonaView *hs_persona_view(struct hs_turn *turn, const struct hs_key *persona)
{
    struct hs_kv_key key = hs_key1(HS_VIEW(*persona));
    return (Hanse__State__PersonaView *)HS_VIEW_GET(turn, HS_T_PERSONA, &key, hanse__state__persona_view);
}

Hanse__State__SubscriptionView *hs_subscription_view(struct hs_turn *turn, const struct hs_key *subscriber,
                                                     const struct hs_id *room)
{
    struct hs_kv_key key = hs_key2(HS_VIEW(*subscriber), HS_VIEW(*room));
    return (Hanse__State__SubscriptionView *)HS_VIEW_GET(turn, HS_T_SUBSCRIPTION, &key,
                                                         hanse__state__subscription_view);
}
