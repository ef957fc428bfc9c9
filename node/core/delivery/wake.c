#include "core/delivery/wake.h"

#include "core/dispatch.h"
#include "core/federation/url.h"
#include "core/internal.h"
#include "core/records/apply.h"
#include "core/records/register.h"
#include "core/records/spent.h"
#include "core/records/table.h"
#include "crypto/hash.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdlib.h>
#include <utlist.h>

enum { SCRATCH_CAP = 4 * HS_FRAME_MAX };

static struct hs_kv_key wake_key(const struct hs_key *device)
{
    return hs_key_sub(HS_MISC_WAKE, HS_VIEW(*device), (struct hs_bytes){0});
}

static struct hs_waker *find(const struct hs_wakers *wakers, const struct hs_key *device)
{
    struct hs_waker *found = NULL;
    HASH_FIND(hh, wakers->by_device, device, sizeof *device, found);
    return found;
}

static void set_due(struct hs_wakers *wakers, struct hs_waker *waker, bool due)
{
    if (waker->due && !due)
        DL_DELETE(wakers->due, waker);
    if (!waker->due && due)
        DL_APPEND(wakers->due, waker);
    waker->due = due;
}

void hs_wakers_free(struct hs_wakers *wakers)
{
    struct hs_waker *waker, *next_waker;
    struct hs_waker_room *room, *next_room;
    HASH_ITER(hh, wakers->by_room, room, next_room)
    {
        HASH_DEL(wakers->by_room, room);
        free(room->list);
        free(room);
    }
    HASH_ITER(hh, wakers->by_device, waker, next_waker)
    {
        HASH_DEL(wakers->by_device, waker);
        free(waker);
    }
}

static struct hs_waker_room *room_of(struct hs_wakers *wakers, const struct hs_id *id)
{
    struct hs_waker_room *room = NULL;
    HASH_FIND(hh, wakers->by_room, id, sizeof *id, room);
    return room;
}

/* Without memory the device isn't woken for that room: it hears of it when it comes by itself. */
static void add_to_room(struct hs_wakers *wakers, struct hs_waker *waker, const struct hs_id *id)
{
    struct hs_waker_room *room = room_of(wakers, id);
    if (room == NULL) {
        room = calloc(1, sizeof *room);
        if (room == NULL)
            return;
        room->room = *id;
        HASH_ADD(hh, wakers->by_room, room, sizeof room->room, room);
    }
    for (size_t i = 0; i < room->len; i++)
        if (room->list[i] == waker)
            return;
    if (room->len == room->size) {
        size_t size = room->size > 0 ? 2 * room->size : 4;
        struct hs_waker **grown = realloc(room->list, size * sizeof *grown);
        if (grown == NULL)
            return;
        room->list = grown;
        room->size = size;
    }
    room->list[room->len++] = waker;
}

static bool is_behind(struct hs_turn *turn, const struct hs_key *device, const struct hs_id *room,
                      const Hanse__State__SubscriptionView *reads)
{
    uint64_t next = hs_register_number(turn, HS_REGISTER_CURSOR, HS_VIEW(*device), HS_VIEW(*room));
    Hanse__State__RoomView *view = hs_room_view(turn, room);
    return view != NULL && reads->until == UINT64_MAX && next < view->next_seq;
}

/* The rooms that the device reads; whether it is behind in one of them. */
static bool add_rooms(struct hs_turn *turn, struct hs_waker *waker)
{
    struct hs_bytes prefix = HS_VIEW(waker->device), key, value;
    struct hs_kv_key from = hs_key1(prefix);
    bool behind = false;
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_turn part = *turn;
        Hanse__State__SubscriptionView *reads;
        struct hs_id room;
        part.arena = &scratch;
        if (!hs_kv_next(turn->kv, HS_T_SUBSCRIPTION, prefix, hs_kv_key_bytes(&from), &scratch, &key,
                        &value) ||
            key.len != prefix.len + sizeof room ||
            HS_UNPACK(hanse__state__subscription_view, value, HS_LENIENT, &scratch, &reads) != HS_OK)
            return behind;
        from = hs_kv_after(key);
        memcpy(&room, key.data + prefix.len, sizeof room);
        add_to_room(&turn->core->wakers, waker, &room);
        behind = behind || is_behind(&part, &waker->device, &room, reads);
    }
}

static struct hs_waker *add(struct hs_turn *turn, const struct hs_key *device)
{
    struct hs_wakers *wakers = &turn->core->wakers;
    struct hs_waker *waker = find(wakers, device);
    if (waker == NULL && HASH_COUNT(wakers->by_device) < HS_WAKERS_MAX)
        waker = calloc(1, sizeof *waker);
    if (waker == NULL || waker->on)
        return waker;
    if (hs_key_equal(&waker->device, device)) {
        waker->on = true; /* was there before, and is in its rooms' lists */
    } else {
        waker->device = *device;
        HASH_ADD(hh, wakers->by_device, device, sizeof waker->device, waker);
    }
    waker->on = true;
    if (add_rooms(turn, waker) && hs_session_of(&turn->core->sessions, device) == NULL)
        set_due(wakers, waker, true);
    return waker;
}

void hs_wakers_load(struct hs_turn *turn)
{
    uint8_t kind = HS_MISC_WAKE;
    struct hs_bytes prefix = hs_bytes(&kind, 1), key, value;
    struct hs_kv_key from = hs_key1(prefix);
    for (;;) {
        struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
        struct hs_key device;
        if (!hs_kv_next(turn->kv, HS_T_MISC, prefix, hs_kv_key_bytes(&from), &scratch, &key, &value) ||
            !HS_FIXED(hs_bytes(key.data + 1, key.len - 1), &device))
            return;
        from = hs_kv_after(key);
        (void)add(turn, &device);
    }
}

void hs_wake_room(struct hs_turn *turn, const struct hs_id *id)
{
    struct hs_waker_room *room = room_of(&turn->core->wakers, id);
    if (room == NULL || room->due)
        return;
    room->due = true;
    DL_APPEND(turn->core->wakers.rooms_due, room);
}

void hs_wake_inbox(struct hs_turn *turn, const struct hs_key *device)
{
    struct hs_waker *waker = find(&turn->core->wakers, device);
    if (waker != NULL && waker->on && hs_session_of(&turn->core->sessions, device) == NULL)
        set_due(&turn->core->wakers, waker, true);
}

void hs_wake_subscribed(struct hs_turn *turn, const struct hs_key *device, const struct hs_id *room)
{
    struct hs_waker *waker = find(&turn->core->wakers, device);
    if (waker != NULL)
        add_to_room(&turn->core->wakers, waker, room);
}

void hs_wake_left(struct hs_turn *turn)
{
    const struct hs_session *session = turn->session;
    if (session->state == HS_SESSION_DEVICE && (session->inbox_due || session->first_due > 0)) {
        struct hs_waker *waker = find(&turn->core->wakers, &session->subscriber);
        if (waker != NULL && waker->on)
            set_due(&turn->core->wakers, waker, true);
    }
}

/* Who sleeps while there is something new in a room that it still reads. */
static void spread(struct hs_turn *turn, const struct hs_waker_room *room)
{
    for (size_t i = 0; i < room->len; i++) {
        struct hs_waker *waker = room->list[i];
        if (!waker->on || waker->due || hs_session_of(&turn->core->sessions, &waker->device) != NULL)
            continue;
        Hanse__State__SubscriptionView *reads = hs_subscription_view(turn, &waker->device, &room->room);
        if (reads != NULL && reads->until == UINT64_MAX)
            set_due(&turn->core->wakers, waker, true);
    }
}

static struct hs_id url_hash(const char *url)
{
    return hs_sha256(hs_bytes_str(url));
}

static void wake(struct hs_turn *turn, struct hs_waker *waker)
{
    struct hs_kv_key key = wake_key(&waker->device);
    Hanse__State__WakeView *view =
        (Hanse__State__WakeView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__wake_view);
    const char *url = view != NULL ? hs_arena_str(&turn->effects->arena, hs_bytes_str(view->url)) : NULL;
    struct hs_effect *effect = url != NULL ? hs_effect_add(turn->effects, HS_EFFECT_WAKE, 0) : NULL;
    if (effect == NULL)
        return;
    effect->root = waker->device;
    effect->text = url;
    waker->woken_at = url_hash(url);
}

void hs_wake_tick(struct hs_turn *turn)
{
    struct hs_wakers *wakers = &turn->core->wakers;
    struct hs_waker *waker, *next;
    while (wakers->rooms_due != NULL) {
        struct hs_waker_room *room = wakers->rooms_due;
        DL_DELETE(wakers->rooms_due, room);
        room->due = false;
        spread(turn, room);
    }
    DL_FOREACH_SAFE(wakers->due, waker, next)
    {
        bool awake = hs_session_of(&turn->core->sessions, &waker->device) != NULL;
        if (!awake && waker->on && turn->now.ms < waker->next_at.ms)
            continue; /* it was woken just now: once more, if it doesn't come */
        set_due(wakers, waker, false);
        if (awake || !waker->on)
            continue;
        waker->next_at.ms = turn->now.ms + HS_WAKE_MS;
        wake(turn, waker);
    }
}

void hs_wake_set_apply(struct hs_turn *turn, const struct hs_stream_at *at,
                       const Hanse__State__StreamRecord *record)
{
    Hanse__State__WakeView view = HANSE__STATE__WAKE_VIEW__INIT;
    struct hs_kv_key key = hs_key_sub(HS_MISC_WAKE, HS_VIEW(at->id), (struct hs_bytes){0});
    Hanse__State__WakeView *before =
        (Hanse__State__WakeView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__wake_view);
    if (before != NULL) { /* nobody asks for the former URL any more */
        struct hs_stream_at former = {.stream = at->stream, .id = at->id, .seq = before->seq};
        hs_spent_anew(turn, &former);
    }
    view.url = record->wake_set->url;
    view.seq = at->seq;
    if (view.url[0] != '\0')
        hs_view_put(turn, HS_T_MISC, &key, &view.base);
    else
        hs_kv_del(turn->kv, HS_T_MISC, hs_kv_key_bytes(&key));
}

bool hs_wake_is_from(struct hs_turn *turn, const struct hs_stream_at *at)
{
    struct hs_kv_key key = hs_key_sub(HS_MISC_WAKE, HS_VIEW(at->id), (struct hs_bytes){0});
    const Hanse__State__WakeView *view =
        (Hanse__State__WakeView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__wake_view);
    return view != NULL && view->seq == at->seq;
}

static void record_url(struct hs_turn *turn, const struct hs_key *device, char *url)
{
    Hanse__State__WakeSet set = HANSE__STATE__WAKE_SET__INIT;
    Hanse__State__StreamRecord record = HANSE__STATE__STREAM_RECORD__INIT;
    set.url = url;
    record.wake_set = &set;
    record.body_case = HANSE__STATE__STREAM_RECORD__BODY_WAKE_SET;
    hs_stream_record(turn, HS_STREAM_DEVICE, HS_VIEW(*device), &record);
}

static void turn_off(struct hs_turn *turn, const struct hs_key *device)
{
    struct hs_waker *waker = find(&turn->core->wakers, device);
    if (waker == NULL)
        return;
    waker->on = false;
    set_due(&turn->core->wakers, waker, false);
}

static bool has_url(struct hs_turn *turn, const struct hs_key *device, const char *url)
{
    struct hs_kv_key key = wake_key(device);
    Hanse__State__WakeView *view =
        (Hanse__State__WakeView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__wake_view);
    return strcmp(view != NULL ? view->url : "", url) == 0;
}

static bool is_at(struct hs_turn *turn, const struct hs_key *device, const struct hs_id *url)
{
    struct hs_kv_key key = wake_key(device);
    Hanse__State__WakeView *view =
        (Hanse__State__WakeView *)HS_VIEW_GET(turn, HS_T_MISC, &key, hanse__state__wake_view);
    if (view == NULL)
        return false;
    struct hs_id own = url_hash(view->url);
    return hs_id_equal(&own, url);
}

enum hs_err hs_handle_set_wake(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                               uint64_t *detail)
{
    (void)detail;
    char *url = request->set_wake->url;
    const struct hs_key *device = &turn->session->subscriber;
    HS_REQUIRE(url[0] == '\0' || hs_url_is_valid(hs_bytes_str(url), turn->core->wake_http),
               HS_ERR_UNSUPPORTED);
    if (url[0] != '\0')
        HS_REQUIRE(add(turn, device) != NULL, HS_ERR_QUOTA);
    else
        turn_off(turn, device);
    if (!has_url(turn, device, url))
        record_url(turn, device, url);
    hs_reply_ack(turn, reply);
    return HS_OK;
}

void hs_wake_done(struct hs_turn *turn, struct hs_bytes bytes)
{
    struct hs_key device;
    char none[] = "";
    if (bytes.len != sizeof device + 2 || !HS_FIXED(hs_bytes(bytes.data, sizeof device), &device))
        return;
    struct hs_waker *waker = find(&turn->core->wakers, &device);
    unsigned status = (unsigned)bytes.data[sizeof device] << 8 | bytes.data[sizeof device + 1];
    if (status != HS_WAKE_STATUS_GONE || waker == NULL || !is_at(turn, &device, &waker->woken_at))
        return; /* or it is about a URL that the device has replaced meanwhile */
    turn_off(turn, &device);
    record_url(turn, &device, none);
    hs_turn_log(turn, "event=wake-gone");
}
