#include "core/delivery/inbox.h"

#include "core/blobs/blob.h"
#include "core/blobs/held_welcome.h"
#include "core/delivery/due.h"
#include "core/internal.h"
#include "core/records/layout.h"
#include "core/records/register.h"
#include "core/records/spent.h"
#include "core/records/table.h"
#include "crypto/hash.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX };

static struct hs_kv_key next_key(const struct hs_key *subscriber)
{
    return hs_key_sub(HS_MISC_INBOX_NEXT, HS_VIEW(*subscriber), (struct hs_bytes){0});
}

uint64_t hs_inbox_next(struct hs_turn *turn, const struct hs_key *subscriber)
{
    struct hs_kv_key key = next_key(subscriber);
    return hs_number_get(turn, HS_T_MISC, &key, NULL);
}

void hs_inbox_pass(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t number)
{
    struct hs_kv_key next = next_key(subscriber);
    if (hs_inbox_next(turn, subscriber) < number)
        hs_number_put(turn, HS_T_MISC, &next, number);
}

void hs_inbox_put(struct hs_turn *turn, const struct hs_key *subscriber, Hanse__InboxItem *item)
{
    struct hs_kv_key next = next_key(subscriber);
    uint64_t first = hs_restored_first(hs_restored_since(turn)), seq = hs_inbox_next(turn, subscriber);
    bool fresh = seq == 0;
    item->seq = seq > first ? seq : first;
    if (fresh) /* its cursor takes no new space later, where there may be none */
        hs_register_put_number(turn, HS_REGISTER_INBOX, HS_VIEW(*subscriber), (struct hs_bytes){0}, 0);
    struct hs_kv_key key = hs_key_seq(HS_VIEW(*subscriber), item->seq);
    hs_view_put(turn, HS_T_INBOX, &key, &item->base);
    hs_number_put(turn, HS_T_MISC, &next, item->seq + 1);
    struct hs_session *session = hs_session_of(&turn->core->sessions, subscriber);
    if (session != NULL)
        hs_due_inbox(&turn->core->sessions, session, HS_DUE_NEW);
    else
        hs_wake_inbox(turn, subscriber);
}

/* Of several items about the same, the newest one counts. */
static struct hs_id about_of(const Hanse__InboxItem *item)
{
    struct hs_sha256 state;
    struct hs_id none = {0};
    hs_sha256_init(&state);
    if (item->body_case == HANSE__INBOX_ITEM__BODY_WELCOME) {
        hs_sha256_update(&state, hs_pb_bytes(item->welcome->hub_root)); /* a former hub's displaces none */
        hs_sha256_update(&state, hs_pb_bytes(item->welcome->room));
        hs_sha256_update(&state, hs_pb_bytes(item->welcome->persona));
        return hs_sha256_final(&state);
    }
    if (item->body_case == HANSE__INBOX_ITEM__BODY_MEMBER) {
        hs_sha256_update(&state, hs_pb_bytes(item->member->room));
        hs_sha256_update(&state, hs_pb_bytes(item->member->persona));
        if (item->member->persona.len == 0) /* where a telling begins, and where it ends */
            hs_sha256_update(&state, hs_pb_bytes(item->member->home_root));
        return hs_sha256_final(&state);
    }
    if (item->body_case != HANSE__INBOX_ITEM__BODY_COUNTER)
        return none;
    hs_sha256_update(&state, hs_pb_bytes(item->counter->persona));
    return hs_sha256_final(&state);
}

/* ---- what is told again and again: of MemberItems that wait for a brand's node ---- */

static struct hs_kv_key told_count_key(const struct hs_key *subscriber)
{
    return hs_key_sub(HS_MISC_SOURCE, HS_VIEW(*subscriber), (struct hs_bytes){0});
}

/* Those of one room lie together. */
static struct hs_kv_key told_key(const struct hs_key *subscriber, const Hanse__InboxItem *item)
{
    struct hs_id about = about_of(item);
    struct hs_kv_key key = hs_key_sub(HS_MISC_SOURCE, HS_VIEW(*subscriber), hs_pb_bytes(item->member->room));
    hs_kv_key_add(&key, HS_VIEW(about));
    return key;
}

uint64_t hs_inbox_told(struct hs_turn *turn, const struct hs_key *subscriber)
{
    struct hs_kv_key key = told_count_key(subscriber);
    return hs_number_get(turn, HS_T_MISC, &key, NULL);
}

static void told_add(struct hs_turn *turn, const struct hs_key *subscriber, int by)
{
    struct hs_kv_key key = told_count_key(subscriber);
    uint64_t count = hs_inbox_told(turn, subscriber) + (uint64_t)by;
    if (count > 0)
        hs_number_put(turn, HS_T_MISC, &key, count);
    else
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
}

static void told_forget(struct hs_turn *turn, const struct hs_key *subscriber, const Hanse__InboxItem *item)
{
    struct hs_kv_key newest = told_key(subscriber, item);
    bool there = false;
    if (hs_number_get(turn, HS_T_MISC, &newest, &there) != item->seq || !there)
        return; /* of before they were counted */
    hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&newest));
    told_add(turn, subscriber, -1);
}

void hs_inbox_tell(struct hs_turn *turn, const struct hs_key *subscriber, Hanse__InboxItem *item)
{
    struct hs_kv_key newest = told_key(subscriber, item);
    bool there = false;
    uint64_t older = hs_number_get(turn, HS_T_MISC, &newest, &there);
    struct hs_kv_key at = hs_key_seq(HS_VIEW(*subscriber), older);
    hs_inbox_put(turn, subscriber, item);
    hs_number_put(turn, HS_T_MISC, &newest, item->seq);
    if (there)
        hs_kv_del(turn->kv, HS_T_INBOX, hs_kv_key_bytes(&at));
    else
        told_add(turn, subscriber, 1);
}

/* The item isn't in the inbox any more. */
static void unref(struct hs_turn *turn, const struct hs_key *subscriber, struct hs_bytes value,
                  struct hs_arena *scratch)
{
    Hanse__InboxItem *item;
    if (HS_UNPACK(hanse__inbox_item, value, HS_LENIENT, scratch, &item) != HS_OK)
        return;
    hs_blob_unref_item(turn, item);
    if (item->body_case == HANSE__INBOX_ITEM__BODY_MEMBER)
        told_forget(turn, subscriber, item);
}

/* One item that isn't waited for any more. */
static void drop(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t number)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_kv_key key = hs_key_seq(HS_VIEW(*subscriber), number);
    struct hs_bytes value;
    if (!hs_kv_get(turn->kv, HS_T_INBOX, hs_kv_key_bytes(&key), &scratch, &value))
        return;
    unref(turn, subscriber, value, &scratch);
    hs_kv_del(turn->kv, HS_T_INBOX, hs_kv_key_bytes(&key));
    hs_spent_release(turn, subscriber, number, false);
}

static struct hs_kv_key told_prefix(const struct hs_key *subscriber, const struct hs_id *room)
{
    return hs_key_sub(HS_MISC_SOURCE, HS_VIEW(*subscriber), HS_VIEW(*room));
}

bool hs_inbox_is_told(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room)
{
    struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_KV_KEY_MAX);
    struct hs_kv_key first = told_prefix(subscriber, room);
    struct hs_bytes prefix = hs_kv_key_bytes(&first), key;
    return hs_kv_next(turn->kv, HS_T_MISC, prefix, prefix, &scratch, &key, NULL);
}

bool hs_inbox_told_at(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                      size_t many, struct hs_id *last)
{
    struct hs_kv_key first = told_prefix(subscriber, room), from = first;
    struct hs_bytes prefix = hs_kv_key_bytes(&first), key;
    for (size_t i = 0; i < many; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_KV_KEY_MAX);
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, hs_kv_key_bytes(&from), &scratch, &key, NULL) ||
            !HS_FIXED(hs_bytes(key.data + prefix.len, key.len - prefix.len), last))
            return false;
        from = hs_kv_after(key);
    }
    return true;
}

/* That many rows may be gone already, as they were acknowledged, when the views are made anew: so what says
 * how far is the index, and not how many. */
void hs_inbox_untell(struct hs_turn *turn, const struct hs_key *subscriber, const struct hs_id *room,
                     struct hs_bytes until)
{
    struct hs_kv_key first = told_prefix(subscriber, room);
    struct hs_bytes prefix = hs_kv_key_bytes(&first), key, value;
    int gone = 0;
    for (;; gone++) {
        struct hs_arena HS_ARENA scratch = hs_arena(8 * HS_KV_KEY_MAX);
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, prefix, &scratch, &key, &value) ||
            (until.len == HS_HASH_LEN && memcmp(key.data + prefix.len, until.data, HS_HASH_LEN) > 0))
            break;
        struct hs_kv_key item = hs_key_seq(HS_VIEW(*subscriber), hs_kv_u64(value));
        hs_kv_del(turn->kv, HS_T_INBOX, hs_kv_key_bytes(&item));
        hs_kv_del(turn->kv, HS_T_MISC, key);
    }
    if (gone > 0)
        told_add(turn, subscriber, -gone);
}

void hs_inbox_put_from(struct hs_turn *turn, const struct hs_key *subscriber, Hanse__InboxItem *item,
                       const struct hs_stream_at *from)
{
    struct hs_id about = about_of(item);
    hs_inbox_put(turn, subscriber, item);
    hs_blob_ref_item(turn, item);
    uint64_t older = hs_spent_hold(turn, subscriber, item->seq, from, &about);
    if (older != UINT64_MAX)
        drop(turn, subscriber, older);
}

void hs_inbox_prune(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t next)
{
    struct hs_bytes prefix = HS_VIEW(*subscriber), key, value;
    for (;;) {
        /* of its own for each item: a long inbox must not take the turn's memory */
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        if (!hs_kv_next(turn->kv, HS_T_INBOX, prefix, prefix, &scratch, &key, &value) ||
            hs_kv_u64(key) >= next)
            return;
        unref(turn, subscriber, value, &scratch);
        hs_kv_del(turn->kv, HS_T_INBOX, key);
        hs_spent_release(turn, subscriber, hs_kv_u64(key), true);
    }
}

uint64_t hs_inbox_waiting(struct hs_turn *turn, const struct hs_key *subscriber)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_bytes prefix = HS_VIEW(*subscriber), key, value;
    if (!hs_kv_next(turn->kv, HS_T_INBOX, prefix, prefix, &scratch, &key, &value))
        return 0;
    return hs_inbox_next(turn, subscriber) - hs_kv_u64(key);
}

/* Numbers jump where a node was restored or what waited was told anew, so where they say so the items are
 * counted: as many as a device or an invited node may leave there. */
bool hs_inbox_is_past(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t max)
{
    struct hs_kv_key from = hs_key1(HS_VIEW(*subscriber));
    uint64_t told = hs_inbox_told(turn, subscriber);
    if (hs_inbox_waiting(turn, subscriber) < max + told)
        return false;
    for (uint64_t i = 0; max + told <= 2 * HS_INBOX_MAX && i < max + told; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_bytes key, prefix = HS_VIEW(*subscriber);
        if (!hs_kv_next(turn->kv, HS_T_INBOX, prefix, hs_kv_key_bytes(&from), &scratch, &key, NULL))
            return false;
        from = hs_kv_after(key);
    }
    return true;
}

bool hs_inbox_is_full(struct hs_turn *turn, const struct hs_key *subscriber)
{
    uint64_t held = hs_held_welcome_count(turn, subscriber);
    return held >= HS_INBOX_MAX || hs_inbox_is_past(turn, subscriber, HS_INBOX_MAX - held);
}
