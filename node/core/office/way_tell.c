/* The hub in office tells the homes of the room's members that it is that, where they don't read the room
 * here: nobody else may be left to tell them. What there is to tell follows from the log and from who reads
 * here, so it is looked for again and again, and lost with no process; a home whose address isn't known is
 * asked for at the hubs that were in office before. */
#include "core/delivery/cursor.h"
#include "core/dispatch.h"
#include "core/federation/node_key.h"
#include "core/internal.h"
#include "core/office/office.h"
#include "core/office/told.h"
#include "core/office/way.h"
#include "core/records/register.h"
#include "core/records/table.h"
#include "core/rooms/room.h"
#include "object/object.h"
#include "wire/limits.h"
#include "wire/unpack.h"

enum { SCRATCH_CAP = 32 * HS_FRAME_MAX };

/* The homes that one tick lacks the addresses of, in one room. */
struct lacking {
    ProtobufCBinaryData roots[HS_WHERE_MAX];
    size_t count;
    struct hs_id room;
};

void hs_tell_again(struct hs_core *core)
{
    core->tell.lap_at.ms = 0;
}

void hs_tell_came(struct hs_core *core, const struct hs_key *home)
{
    struct hs_tell *tell = &core->tell;
    for (size_t i = 0; i < HS_TELL_NOTED; i++)
        if (hs_key_equal(&tell->told[i].home, home))
            tell->told[i].until.ms = 0;
    hs_tell_again(core);
}

/* ---- one home ---- */

static bool is_told(struct hs_turn *turn, const struct hs_key *home, const struct hs_id *room)
{
    const struct hs_tell *tell = &turn->core->tell;
    for (size_t i = 0; i < HS_TELL_NOTED; i++)
        if (tell->told[i].until.ms > turn->now.ms && hs_id_equal(&tell->told[i].room, room) &&
            hs_key_equal(&tell->told[i].home, home))
            return true;
    return false;
}

static void note(struct hs_turn *turn, const struct hs_key *home, const struct hs_id *room)
{
    struct hs_tell *tell = &turn->core->tell;
    size_t at = tell->next++ % HS_TELL_NOTED;
    tell->told[at].home = *home;
    tell->told[at].room = *room;
    tell->told[at].until.ms = turn->now.ms + HS_TELL_MS;
}

/* It has read something of this hub's own time. Who only reads here may do so since a term before. */
static bool reads_here(struct hs_turn *turn, const struct hs_session *session, const struct hs_key *home,
                       const struct hs_id *room, uint64_t began)
{
    const struct hs_position *position = session != NULL ? hs_session_position(session, room) : NULL;
    return (position != NULL && position->held > began + 1) ||
           hs_register_number(turn, HS_REGISTER_CURSOR, HS_VIEW(*home), HS_VIEW(*room)) > began + 1;
}

/* Dialled for a while, where its address is known. */
static bool call(struct hs_turn *turn, struct hs_peer *peer, const struct hs_key *home)
{
    struct hs_descriptor d;
    char *addresses[HS_DESCRIPTOR_ADDRESSES];
    if (peer == NULL && hs_node_key_newest(turn, home, &d) != NULL) {
        for (size_t i = 0; i < d.address_count; i++)
            addresses[i] = d.addresses[i];
        peer = hs_peer_get(turn, home, addresses, d.address_count);
    }
    if (peer == NULL)
        return false;
    peer->call_until.ms = turn->now.ms + HS_TELL_MS;
    hs_peer_work(turn, peer);
    return true;
}

/* True where something was said. */
static bool tell_home(struct hs_turn *turn, const struct hs_id *room, const Hanse__State__RoomView *view,
                      const struct hs_key *home, struct lacking *lacking)
{
    uint64_t began;
    struct hs_session *session = hs_session_of(&turn->core->sessions, home);
    if (!hs_office_began(turn, room, view, &began) || reads_here(turn, session, home, room, began) ||
        is_told(turn, home, room))
        return false;
    struct hs_peer *peer = hs_peer_find(&turn->core->peers, home);
    if (session == NULL && peer != NULL && peer->state == HS_PEER_UP)
        session = hs_session_find(&turn->core->sessions, peer->session);
    if (session != NULL) {
        note(turn, home, room);
        return hs_way_show(turn, session, room, view);
    }
    if (call(turn, peer, home) || lacking->count == HS_WHERE_MAX)
        return false;
    note(turn, home, room); /* asked for */
    struct hs_bytes root = hs_arena_copy(turn->arena, HS_VIEW(*home));
    if (root.len > 0)
        lacking->roots[lacking->count++] = hs_pb_data(root);
    lacking->room = *room;
    return true;
}

/* ---- all of them ---- */

/* The next room that has come here; false at the end. *items grows by what its brand's node is told, or isn't
 * any more. */
static bool next_room(struct hs_turn *turn, struct hs_tell *tell, size_t *items)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    struct hs_bytes key, none = {0};
    own.arena = &scratch;
    if (!hs_kv_next(turn->kv, HS_T_OFFICE, none, hs_kv_key_bytes(&tell->office_from), &scratch, &key, NULL) ||
        !HS_FIXED(hs_bytes(key.data, key.len < HS_HASH_LEN ? key.len : HS_HASH_LEN), &tell->room))
        return false;
    struct hs_kv_key last = hs_key_seq(HS_VIEW(tell->room), UINT64_MAX);
    tell->office_from = hs_kv_after(hs_kv_key_bytes(&last));
    const Hanse__State__RoomView *view = hs_room_view(&own, &tell->room);
    tell->in_room = view != NULL && view->hub && !hs_room_stands_still(&own, view);
    tell->member_from = hs_key1(HS_VIEW(tell->room));
    if (!tell->in_room)
        return true;
    *items += hs_brand_judge(&own, &tell->room, view);
    view = hs_room_view(&own, &tell->room);
    if (view == NULL || turn->full || !hs_brand_has_more(&own, &tell->room, view))
        return true;
    tell->in_room = false; /* its members later: there is more for its brand's node with the next tick */
    tell->office_from = hs_key_seq(HS_VIEW(tell->room), 0);
    *items = HS_TELL_ITEMS;
    return true;
}

/* The next member of that room. True where something was said. */
static bool next_member(struct hs_turn *turn, struct hs_tell *tell, struct lacking *lacking)
{
    struct hs_arena HS_ARENA scratch = hs_arena(SCRATCH_CAP);
    struct hs_turn own = *turn;
    struct hs_bytes key, value;
    Hanse__State__MemberView *member;
    struct hs_key home;
    own.arena = &scratch;
    tell->in_room = hs_kv_next(turn->kv, HS_T_MEMBER, HS_VIEW(tell->room),
                               hs_kv_key_bytes(&tell->member_from), &scratch, &key, &value);
    if (!tell->in_room)
        return false;
    tell->member_from = hs_kv_after(key);
    if (HS_UNPACK(hanse__state__member_view, value, HS_LENIENT, &scratch, &member) != HS_OK ||
        !HS_FIXED(hs_pb_bytes(member->home_root), &home) || member->left ||
        hs_key_equal(&home, hs_turn_root(turn)))
        return false;
    const Hanse__State__RoomView *view = hs_room_view(&own, &tell->room);
    size_t before = lacking->count;
    bool said = view != NULL && tell_home(&own, &tell->room, view, &home, lacking);
    if (lacking->count > before)
        lacking->roots[before] = hs_pb_data(hs_arena_copy(turn->arena, HS_VIEW(home)));
    return said;
}

/* The hubs of before are asked, as far as there is a session with them. */
static void ask_where(struct hs_turn *turn, const struct lacking *lacking)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Where where = HANSE__WHERE__INIT;
    struct hs_descriptor d;
    Hanse__SignedObject *object;
    where.roots = (ProtobufCBinaryData *)(uintptr_t)lacking->roots;
    where.n_roots = lacking->count;
    frame.where = &where;
    frame.body_case = HANSE__FRAME__BODY_WHERE;
    for (uint64_t at = 0; lacking->count > 0 && hs_office_move_at(turn, &lacking->room, at, &at); at++) {
        const Hanse__State__RoomEntry *entry = hs_room_entry(turn, &lacking->room, at);
        if (entry == NULL ||
            hs_object_unpack(hs_pb_bytes(entry->descriptor), turn->arena, &object) != HS_OK ||
            hs_descriptor_claimed(object, &d) != HS_OK)
            continue;
        const struct hs_peer *peer = hs_peer_find(&turn->core->peers, &d.root);
        struct hs_session *session = peer != NULL && peer->state == HS_PEER_UP
                                         ? hs_session_find(&turn->core->sessions, peer->session)
                                         : hs_session_of(&turn->core->sessions, &d.root);
        if (session != NULL)
            hs_turn_send(turn, session, &frame);
    }
}

void hs_tell_tick(struct hs_turn *turn)
{
    struct hs_tell *tell = &turn->core->tell;
    struct lacking lacking = {0};
    size_t said = 0, items = 0;
    if (turn->now.ms < tell->lap_at.ms)
        return;
    for (size_t i = 0; i < HS_TELL_LOOKS && said < HS_TELL_AT_ONCE && items < HS_TELL_ITEMS; i++) {
        if (tell->in_room) {
            said += next_member(turn, tell, &lacking) ? 1 : 0;
        } else if (lacking.count > 0) {
            break; /* they are of one room */
        } else if (!next_room(turn, tell, &items)) {
            tell->office_from.len = 0;
            tell->lap_at.ms = turn->now.ms + HS_TELL_MS;
            break;
        }
    }
    ask_where(turn, &lacking);
}

/* ---- where a node is ---- */

/* What is known of them: any node's own word for where it is, by its root's signature. */
static void answer(struct hs_turn *turn, const Hanse__Where *asked)
{
    Hanse__Frame frame = HANSE__FRAME__INIT;
    Hanse__Where where = HANSE__WHERE__INIT;
    Hanse__SignedObject *list[HS_WHERE_MAX];
    for (size_t i = 0; i < asked->n_roots; i++) {
        struct hs_key root;
        Hanse__SignedObject *object =
            HS_FIXED(hs_pb_bytes(asked->roots[i]), &root) ? hs_node_key_newest(turn, &root, NULL) : NULL;
        if (object != NULL)
            list[where.n_descriptors++] = object;
    }
    where.descriptors = list;
    frame.where = &where;
    frame.body_case = HANSE__FRAME__BODY_WHERE;
    if (where.n_descriptors > 0)
        hs_turn_send(turn, turn->session, &frame);
}

static bool is_wanted(struct hs_turn *turn, const struct hs_key *home)
{
    const struct hs_tell *tell = &turn->core->tell;
    for (size_t i = 0; i < HS_TELL_NOTED; i++)
        if (tell->told[i].until.ms > turn->now.ms && hs_key_equal(&tell->told[i].home, home))
            return hs_peer_find(&turn->core->peers, home) == NULL;
    return false;
}

static void take(struct hs_turn *turn, const Hanse__SignedObject *object)
{
    struct hs_descriptor d;
    struct hs_bytes bytes;
    if (hs_descriptor_claimed(object, &d) != HS_OK || !is_wanted(turn, &d.root) ||
        hs_descriptor_verify(object, NULL, turn->now, &d) != HS_OK || hs_node_key_check(turn, &d) != HS_OK ||
        hs_object_pack(object, turn->arena, &bytes) != HS_OK || bytes.len > HS_DESCRIPTOR_MAX)
        return;
    hs_node_key_learn(turn, bytes, &d);
    (void)call(turn, NULL, &d.root);
}

enum hs_err hs_handle_where(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                            uint64_t *detail)
{
    (void)reply;
    (void)detail;
    const Hanse__Where *where = request->where;
    HS_REQUIRE(where->n_roots <= HS_WHERE_MAX && where->n_descriptors <= HS_WHERE_MAX, HS_ERR_TOO_LARGE);
    answer(turn, where);
    for (size_t i = 0; i < where->n_descriptors && !turn->full; i++)
        take(turn, where->descriptors[i]);
    return HS_OK;
}
