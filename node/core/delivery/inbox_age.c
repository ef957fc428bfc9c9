#include "core/delivery/inbox_age.h"

#include "core/delivery/inbox.h"
#include "core/internal.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "wire/limits.h"

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX };

/* What the register of an inbox says: its cursor, and since when items before upto are known to wait. A
 * cursor that comes leaves nothing of the mark: who acknowledges is there. */
struct mark {
    uint64_t upto, since_ms, cursor;
};

enum { MARK_LEN = 3 * sizeof(uint64_t) };

static struct hs_kv_key inbox_key(const struct hs_key *subscriber)
{
    return hs_register_key(HS_REGISTER_INBOX, HS_VIEW(*subscriber), (struct hs_bytes){0});
}

/* False where none is set. */
static bool mark_get(struct hs_turn *turn, const struct hs_key *subscriber, struct mark *out)
{
    struct hs_bytes value = {0};
    struct hs_kv_key key = inbox_key(subscriber);
    *out = (struct mark){0};
    if (!hs_register_get(turn, &key, &value))
        return false;
    out->cursor = hs_kv_u64(value);
    if (value.len != MARK_LEN)
        return false;
    out->upto = hs_kv_u64(hs_bytes(value.data, 8));
    out->since_ms = hs_kv_u64(hs_bytes(value.data, 16));
    return true;
}

static void mark_put(struct hs_turn *turn, const struct hs_key *subscriber, const struct mark *mark)
{
    struct hs_kv_key key = inbox_key(subscriber), value = {0};
    hs_kv_key_add_u64(&value, mark->upto);
    hs_kv_key_add_u64(&value, mark->since_ms);
    hs_kv_key_add_u64(&value, mark->cursor);
    hs_register_put(turn, &key, hs_kv_key_bytes(&value));
}

/* Behind how many items the limit ends, or the mark: the number of the next one. */
static uint64_t end_of(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t upto, size_t *left)
{
    struct hs_kv_key from = hs_key1(HS_VIEW(*subscriber));
    struct hs_bytes key, prefix = HS_VIEW(*subscriber);
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        if (!hs_kv_next(turn->kv, HS_T_INBOX, prefix, hs_kv_key_bytes(&from), &scratch, &key, NULL))
            return upto;
        uint64_t number = hs_kv_u64(key);
        if (number >= upto || *left == 0)
            return number < upto ? number : upto;
        from = hs_kv_after(key);
        --*left;
    }
}

static void drop(struct hs_turn *turn, const struct hs_key *subscriber, struct mark *mark, size_t *left)
{
    size_t before = *left;
    mark->cursor = end_of(turn, subscriber, mark->upto, left);
    if (mark->cursor < mark->upto)
        mark_put(turn, subscriber, mark);
    else
        hs_register_put_number(turn, HS_REGISTER_INBOX, HS_VIEW(*subscriber), (struct hs_bytes){0},
                               mark->upto);
    turn->core->stats.inbox_dropped += before - *left;
    hs_turn_log(turn, "event=inbox-dropped items=%zu text=\"nobody has fetched them\"", before - *left);
}

/* first: the number of the first item that waits. */
static void look_at(struct hs_turn *turn, const struct hs_key *subscriber, uint64_t first, size_t *left)
{
    struct mark mark;
    if (hs_session_of(&turn->core->sessions, subscriber) != NULL)
        return; /* it is being fetched */
    bool marked = mark_get(turn, subscriber, &mark) && mark.upto > first;
    int64_t waits_ms = marked ? turn->now.ms - (int64_t)mark.since_ms : 0;
    if (marked && waits_ms >= turn->core->inbox_ms)
        drop(turn, subscriber, &mark, left);
    if (marked || turn->full) /* a mark takes space */
        return;
    mark.upto = hs_inbox_next(turn, subscriber);
    mark.since_ms = (uint64_t)turn->now.ms;
    mark_put(turn, subscriber, &mark);
}

/* A lap begins some time after the start, when those who are in use have come. */
static bool rests(struct hs_turn *turn)
{
    int64_t since_ms = turn->now.ms - turn->core->inbox_lap_at.ms;
    if (turn->core->inbox_from.len > 0)
        return false;
    bool set = since_ms < 0 || since_ms >= HS_INBOX_AGE_SET_MS; /* the clock: it may be set once more soon */
    if (turn->core->inbox_lap_at.ms > 0 && !set && since_ms >= HS_INBOX_AGE_LAP_MS)
        return false;
    if (turn->core->inbox_lap_at.ms == 0 || set)
        turn->core->inbox_lap_at = turn->now;
    return true;
}

void hs_inbox_age_tick(struct hs_turn *turn)
{
    struct hs_kv_key *from = &turn->core->inbox_from;
    size_t left = HS_INBOX_AGE_ITEMS;
    if (rests(turn))
        return;
    for (size_t i = 0; i < HS_INBOX_AGE_LOOKS && left > 0; i++) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn own = *turn;
        struct hs_bytes key, none = {0};
        struct hs_key subscriber;
        own.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_INBOX, none, hs_kv_key_bytes(from), &scratch, &key, NULL) ||
            key.len <= sizeof subscriber) {
            from->len = 0;
            turn->core->inbox_lap_at = turn->now;
            return;
        }
        memcpy(subscriber.b, key.data, sizeof subscriber.b);
        look_at(&own, &subscriber, hs_kv_u64(key), &left);
        *from = hs_key_seq(HS_VIEW(subscriber), left > 0 ? UINT64_MAX : 0); /* there may be more of it */
    }
}
