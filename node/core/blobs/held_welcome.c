#include "core/blobs/held_welcome.h"

#include "core/internal.h"
#include "core/records/spent.h"
#include "core/records/table.h"
#include "crypto/hash.h"
#include "wire/limits.h"
#include "wire/unpack.h"

/* The first byte of a key in HS_T_BLOB. */
enum {
    HELD = 'W',   /* hub 32 | hash 32 | number u64 -> HeldWelcome */
    NEWEST = 'O', /* hash of hub, room and persona 32 -> the key of their Welcome that waits */
    COUNT = 'C',  /* subscriber 32 -> u64: how many wait for it */
    SCRATCH_CAP = 4 * HS_FRAME_MAX, /* one item, and its record */
};

struct hs_kv_key hs_held_welcome_key(struct hs_bytes hub)
{
    uint8_t kind = HELD;
    return hs_key2(hs_bytes(&kind, 1), hub);
}

static struct hs_kv_key count_key(const struct hs_key *subscriber)
{
    uint8_t kind = COUNT;
    return hs_key2(hs_bytes(&kind, 1), HS_VIEW(*subscriber));
}

uint64_t hs_held_welcome_count(struct hs_turn *turn, const struct hs_key *subscriber)
{
    struct hs_kv_key key = count_key(subscriber);
    return hs_number_get(turn, HS_T_BLOB, &key, NULL);
}

/* Never below none: a program before this one held Welcomes that it didn't count. */
static void count(struct hs_turn *turn, const struct hs_key *subscriber, bool more)
{
    struct hs_kv_key key = count_key(subscriber);
    uint64_t held = hs_held_welcome_count(turn, subscriber);
    if (more)
        held++;
    else if (held > 0)
        held--;
    if (held > 0)
        hs_number_put(turn, HS_T_BLOB, &key, held);
    else
        hs_kv_del(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&key));
}

static struct hs_kv_key newest_key(struct hs_bytes hub, const Hanse__WelcomeItem *welcome)
{
    uint8_t kind = NEWEST;
    struct hs_sha256 state;
    hs_sha256_init(&state);
    hs_sha256_update(&state, hub);
    hs_sha256_update(&state, hs_pb_bytes(welcome->room));
    hs_sha256_update(&state, hs_pb_bytes(welcome->persona));
    struct hs_id about = hs_sha256_final(&state);
    return hs_key2(hs_bytes(&kind, 1), HS_VIEW(about));
}

/* It waits no more: it goes on, or a newer one waits in its place. */
static void let_go(struct hs_turn *turn, struct hs_bytes key, const struct hs_key *subscriber,
                   const struct hs_kv_key *newest)
{
    struct hs_bytes value;
    if (hs_kv_get(turn->kv, HS_T_BLOB, hs_kv_key_bytes(newest), turn->arena, &value) &&
        hs_bytes_equal(value, key))
        hs_kv_del(turn->kv, HS_T_BLOB, hs_kv_key_bytes(newest));
    hs_kv_del(turn->kv, HS_T_BLOB, key);
    count(turn, subscriber, false);
}

/* The Welcome of before for that persona in that room is of no use any more. */
static void displace(struct hs_turn *turn, const struct hs_id *hub, const struct hs_kv_key *newest)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    struct hs_bytes value;
    struct hs_key subscriber;
    own.arena = &scratch;
    if (!hs_kv_get(turn->kv, HS_T_BLOB, hs_kv_key_bytes(newest), &scratch, &value))
        return;
    struct hs_kv_key key = hs_key1(value);
    const Hanse__State__HeldWelcome *held =
        (Hanse__State__HeldWelcome *)HS_VIEW_GET(&own, HS_T_BLOB, &key, hanse__state__held_welcome);
    if (held == NULL || !HS_FIXED(hs_pb_bytes(held->subscriber), &subscriber))
        return;
    struct hs_stream_at at = {.stream = HS_STREAM_PEER, .id = *hub, .seq = held->handed_seq};
    let_go(&own, hs_kv_key_bytes(&key), &subscriber, newest);
    hs_spent_anew(&own, &at);
}

bool hs_held_welcome_is_from(struct hs_turn *turn, const struct hs_stream_at *at,
                             const Hanse__State__HandedOn *handed)
{
    Hanse__InboxItem *item;
    struct hs_kv_key key = hs_held_welcome_key(HS_VIEW(at->id));
    if (HS_UNPACK(hanse__inbox_item, hs_pb_bytes(handed->item), HS_LENIENT, turn->arena, &item) != HS_OK ||
        item->body_case != HANSE__INBOX_ITEM__BODY_WELCOME || item->welcome->tree == NULL ||
        item->welcome->tree->hash.len == 0)
        return false;
    hs_kv_key_add(&key, hs_pb_bytes(item->welcome->tree->hash));
    hs_kv_key_add_u64(&key, handed->peer_seq);
    return hs_kv_has(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&key));
}

void hs_held_welcome_let_go(struct hs_turn *turn, const struct hs_id *hub, struct hs_bytes key,
                            const struct hs_key *subscriber, const Hanse__InboxItem *item)
{
    struct hs_kv_key newest = newest_key(HS_VIEW(*hub), item->welcome);
    let_go(turn, key, subscriber, &newest);
}

void hs_held_welcome_put(struct hs_turn *turn, const struct hs_stream_at *from, uint64_t number,
                         const struct hs_key *subscriber, const Hanse__InboxItem *item)
{
    Hanse__State__HeldWelcome held = HANSE__STATE__HELD_WELCOME__INIT;
    struct hs_kv_key key = hs_held_welcome_key(HS_VIEW(from->id));
    struct hs_kv_key newest = newest_key(HS_VIEW(from->id), item->welcome);
    hs_kv_key_add(&key, hs_pb_bytes(item->welcome->tree->hash));
    hs_kv_key_add_u64(&key, number);
    held.subscriber = hs_pb_data(HS_VIEW(*subscriber));
    held.item = hs_pb_data(hs_turn_pack(turn, &item->base));
    held.handed_seq = from->seq;
    displace(turn, &from->id, &newest);
    hs_view_put(turn, HS_T_BLOB, &key, &held.base);
    hs_kv_put(turn->kv, HS_T_BLOB, hs_kv_key_bytes(&newest), hs_kv_key_bytes(&key));
    count(turn, subscriber, true);
}

/* The first Welcome at or behind prefix that waits; false where there is none. */
bool hs_held_welcome_first(struct hs_turn *turn, const struct hs_kv_key *prefix, struct hs_bytes *key,
                           Hanse__State__HeldWelcome **held)
{
    struct hs_bytes value, p = hs_kv_key_bytes(prefix);
    if (!hs_kv_next(turn->kv, HS_T_BLOB, p, p, turn->arena, key, &value))
        return false;
    enum hs_err err = HS_UNPACK(hanse__state__held_welcome, value, HS_LENIENT, turn->arena, held);
    if (err != HS_OK && turn->kv->err == HS_OK)
        turn->kv->err = err == HS_ERR_NOMEM ? err : HS_ERR_STORE;
    return err == HS_OK;
}

Hanse__InboxItem *hs_held_welcome_item(struct hs_turn *turn, const Hanse__State__HeldWelcome *held)
{
    Hanse__InboxItem *item = NULL;
    if (HS_UNPACK(hanse__inbox_item, hs_pb_bytes(held->item), HS_LENIENT, turn->arena, &item) != HS_OK &&
        turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM; /* one's own bytes */
    return item;
}
