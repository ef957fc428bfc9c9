/* peers and rooms: the core's lists as JSON. */
#include "admin/commands.h"

#include "base/text.h"
#include "object/hdr.h"

enum hs_err hs_control_peers_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                 Hanse__State__AdminRequest *out)
{
    const char *domain = json_string_value(json_object_get(call->request, "domain"));
    if (domain != NULL)
        return hs_control_root_ask(call, domain, arena, out);
    out->peers = hs_arena_alloc(arena, sizeof *out->peers);
    HS_REQUIRE(out->peers != NULL, HS_ERR_NOMEM);
    hanse__state__admin_ask_peers__init(out->peers);
    out->body_case = HANSE__STATE__ADMIN_REQUEST__BODY_PEERS;
    return HS_OK;
}

static json_t *peer_row(const Hanse__State__AdminPeer *peer)
{
    return json_pack("{s:o, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:s, s:I, s:o}", "root",
                     hs_json_hex(hs_pb_bytes(peer->root)), "domain", peer->domain, "address", peer->address,
                     "state", peer->state, "since_ms", (json_int_t)peer->since_ms, "outbox",
                     (json_int_t)peer->outbox, "rooms", (json_int_t)peer->rooms, "failures",
                     (json_int_t)peer->failures, "retry_ms", (json_int_t)peer->retry_ms, "followed",
                     (int)peer->followed, "connected", (int)peer->connected, "standing", peer->standing,
                     "descriptor", (json_int_t)peer->descriptor, "other_root",
                     hs_json_hex(hs_pb_bytes(peer->other_root)));
}

enum hs_err hs_control_peers(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    if (facts->body_case == HANSE__STATE__ADMIN_ANSWER__BODY_ROOT)
        return hs_control_root(call, facts->root);
    json_t *rows = json_array();
    HS_REQUIRE(facts->peers != NULL, HS_ERR_UNSUPPORTED);
    HS_REQUIRE(json_object_set_new(call->answer, "peers", rows) == 0, HS_ERR_NOMEM);
    for (size_t i = 0; i < facts->peers->n_peers; i++)
        HS_REQUIRE(json_array_append_new(rows, peer_row(facts->peers->peers[i])) == 0, HS_ERR_NOMEM);
    return json_object_set_new(call->answer, "roots", hs_control_roots(facts->peers)) == 0 ? HS_OK
                                                                                           : HS_ERR_NOMEM;
}

/* The beginning of an id in hex, an odd number of digits too. */
enum hs_err hs_control_take_prefix(const char *text, struct hs_arena *arena, Hanse__State__AdminAskRoom *out)
{
    char even[HS_HEX_SIZE(HS_HASH_LEN)];
    size_t digits = strlen(text), len = (digits + 1) / 2;
    HS_REQUIRE(digits > 0 && digits < sizeof even, HS_ERR_MALFORMED);
    uint8_t *prefix = hs_arena_alloc(arena, len);
    HS_REQUIRE(prefix != NULL, HS_ERR_NOMEM);
    memcpy(even, text, digits);
    even[digits] = '0';
    even[2 * len] = '\0';
    HS_TRY(hs_unhex(even, prefix, len));
    out->prefix = hs_pb_data(hs_bytes(prefix, len));
    out->nibble = digits % 2 != 0;
    return HS_OK;
}

/* "room": the beginning of an id, or "after": a whole one, for the next page. */
enum hs_err hs_control_rooms_ask(const struct hs_control_call *call, struct hs_arena *arena,
                                 Hanse__State__AdminRequest *out)
{
    const char *room = json_string_value(json_object_get(call->request, "room"));
    const char *after = json_string_value(json_object_get(call->request, "after"));
    uint8_t *id = hs_arena_alloc(arena, HS_HASH_LEN);
    out->rooms = hs_arena_alloc(arena, sizeof *out->rooms);
    HS_REQUIRE(id != NULL && out->rooms != NULL, HS_ERR_NOMEM);
    if (room != NULL) {
        Hanse__State__AdminAskRoom *one = hs_arena_alloc(arena, sizeof *one);
        HS_REQUIRE(one != NULL, HS_ERR_NOMEM);
        hanse__state__admin_ask_room__init(one);
        out->room = one;
        one->give_up = json_is_true(json_object_get(call->request, "give_up"));
        out->body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOM;
        return hs_control_take_prefix(room, arena, one);
    }
    hanse__state__admin_ask_rooms__init(out->rooms);
    out->body_case = HANSE__STATE__ADMIN_REQUEST__BODY_ROOMS;
    if (after == NULL)
        return HS_OK;
    HS_TRY(hs_unhex(after, id, HS_HASH_LEN));
    out->rooms->after = hs_pb_data(hs_bytes(id, HS_HASH_LEN));
    return HS_OK;
}

static json_t *home_rows(const Hanse__State__AdminRoom *room)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < room->n_homes; i++)
        (void)json_array_append_new(rows, json_pack("{s:o, s:I}", "root",
                                                    hs_json_hex(hs_pb_bytes(room->homes[i]->root)), "members",
                                                    (json_int_t)room->homes[i]->members));
    return rows;
}

static json_t *room_row(const Hanse__State__AdminRoom *room)
{
    json_t *row = json_pack("{s:o, s:s, s:b, s:b, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "id",
                            hs_json_hex(hs_pb_bytes(room->id)), "name", room->name, "hub", (int)room->hub,
                            "waits", (int)room->waits, "hub_root", hs_json_hex(hs_pb_bytes(room->hub_root)),
                            "term", (json_int_t)room->term, "members", (json_int_t)room->members, "epoch",
                            (json_int_t)room->epoch, "next_seq", (json_int_t)room->next_seq, "bytes",
                            (json_int_t)room->bytes, "first_seq", (json_int_t)room->first_seq, "last_ms",
                            (json_int_t)room->last_ms, "devices", (json_int_t)room->devices, "followers",
                            (json_int_t)room->followers);
    if (row != NULL && room->n_homes > 0)
        (void)json_object_set_new(row, "homes", home_rows(room));
    return row;
}

enum hs_err hs_control_rooms(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts)
{
    json_t *rows = json_array();
    HS_REQUIRE(facts->rooms != NULL, HS_ERR_UNSUPPORTED);
    HS_REQUIRE(json_object_set_new(call->answer, "rooms", rows) == 0, HS_ERR_NOMEM);
    for (size_t i = 0; i < facts->rooms->n_rooms; i++)
        HS_REQUIRE(json_array_append_new(rows, room_row(facts->rooms->rooms[i])) == 0, HS_ERR_NOMEM);
    HS_REQUIRE(json_object_set_new(call->answer, "more", json_boolean(facts->rooms->more)) == 0,
               HS_ERR_NOMEM);
    return HS_OK;
}
