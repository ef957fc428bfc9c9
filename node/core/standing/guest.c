#include "core/standing/guest.h"

#include "core/delivery/inbox.h"
#include "core/records/table.h"
#include "core/standing/standing.h"

/* The first byte of a key in HS_T_GUEST. */
enum { TOTALS = 1, USER = 2, ROOM = 3, COPIES = 4 };

#define DAY_MS (24 * 3600 * INT64_C(1000))

static struct hs_kv_key guest_key(uint8_t kind, const struct hs_key *root, struct hs_bytes rest)
{
    struct hs_kv_key key = hs_key2(hs_bytes(&kind, 1), HS_VIEW(*root));
    hs_kv_key_add(&key, rest);
    return key;
}

static Hanse__State__GuestView *totals_of(struct hs_turn *turn, const struct hs_key *root)
{
    struct hs_kv_key key = guest_key(TOTALS, root, (struct hs_bytes){0});
    return (Hanse__State__GuestView *)HS_VIEW_GET(turn, HS_T_GUEST, &key, hanse__state__guest_view);
}

static uint64_t count_of(struct hs_turn *turn, uint8_t kind, const struct hs_key *root, struct hs_bytes id)
{
    struct hs_kv_key key = guest_key(kind, root, id);
    return hs_number_get(turn, HS_T_GUEST, &key, NULL);
}

static void set_count(struct hs_turn *turn, uint8_t kind, const struct hs_key *root, struct hs_bytes id,
                      uint64_t count)
{
    struct hs_kv_key key = guest_key(kind, root, id);
    if (count > 0)
        hs_number_put(turn, HS_T_GUEST, &key, count);
    else
        hs_kv_del(turn->kv, HS_T_GUEST, hs_kv_key_bytes(&key));
}

bool hs_guest_is_known(struct hs_turn *turn, const struct hs_key *root)
{
    Hanse__State__GuestView *totals = totals_of(turn, root);
    if (totals != NULL)
        return totals->memberships > 0 || turn->now.ms - totals->used_ms < HS_GUEST_DAYS * DAY_MS;
    struct hs_bytes prefix = HS_VIEW(*root), key, value; /* a node that followed before this was counted */
    return hs_kv_next(turn->kv, HS_T_SUBSCRIPTION, prefix, prefix, turn->arena, &key, &value);
}

enum hs_err hs_guest_check(struct hs_turn *turn, const struct hs_key *root, const struct hs_key *persona,
                           const struct hs_id *room, const struct hs_quota *quota)
{
    Hanse__State__GuestView *totals = totals_of(turn, root);
    bool known_user = count_of(turn, USER, root, HS_VIEW(*persona)) > 0;
    bool known_room = room != NULL && count_of(turn, ROOM, root, HS_VIEW(*room)) > 0;
    HS_REQUIRE(!hs_inbox_is_past(turn, root, quota->inbox), HS_ERR_QUOTA);
    if (totals == NULL)
        return HS_OK;
    HS_REQUIRE(totals->memberships < quota->memberships, HS_ERR_QUOTA);
    HS_REQUIRE(known_user || totals->users < quota->users, HS_ERR_QUOTA);
    return known_room || totals->rooms < quota->rooms ? HS_OK : HS_ERR_QUOTA;
}

static void change(struct hs_turn *turn, const struct hs_key *root, const struct hs_key *persona,
                   const struct hs_id *room, int by)
{
    Hanse__State__GuestView fresh = HANSE__STATE__GUEST_VIEW__INIT, *totals = totals_of(turn, root);
    uint64_t user = count_of(turn, USER, root, HS_VIEW(*persona));
    uint64_t there = count_of(turn, ROOM, root, HS_VIEW(*room));
    struct hs_kv_key key = guest_key(TOTALS, root, (struct hs_bytes){0});
    if (totals == NULL)
        totals = &fresh;
    if (by < 0 && (user == 0 || there == 0 || totals->memberships == 0))
        return; /* a member from before this was counted */
    totals->users += (uint64_t)(user == (by > 0 ? 0 : 1) ? by : 0);
    totals->rooms += (uint64_t)(there == (by > 0 ? 0 : 1) ? by : 0);
    totals->memberships += (uint64_t)by;
    totals->used_ms = turn->now.ms;
    set_count(turn, USER, root, HS_VIEW(*persona), user + (uint64_t)by);
    set_count(turn, ROOM, root, HS_VIEW(*room), there + (uint64_t)by);
    hs_view_put(turn, HS_T_GUEST, &key, &totals->base);
}

void hs_guest_hold(struct hs_turn *turn, const struct hs_key *root, const struct hs_key *persona,
                   const struct hs_id *room)
{
    if (!hs_key_equal(root, hs_turn_root(turn)))
        change(turn, root, persona, room, 1);
}

void hs_guest_release(struct hs_turn *turn, const struct hs_key *root, const struct hs_key *persona,
                      const struct hs_id *room)
{
    if (!hs_key_equal(root, hs_turn_root(turn)))
        change(turn, root, persona, room, -1);
}

uint64_t hs_copies_count(struct hs_turn *turn, const struct hs_key *hub)
{
    return count_of(turn, COPIES, hub, (struct hs_bytes){0});
}

void hs_copies_add(struct hs_turn *turn, const struct hs_key *hub)
{
    set_count(turn, COPIES, hub, (struct hs_bytes){0}, hs_copies_count(turn, hub) + 1);
}
