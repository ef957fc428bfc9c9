/* Joining by a link: what is it for, bind the persona that the hub shall know, ask, wait. What the hub gets
 * is stored before it is sent, so that the Welcome finds its key package whenever it comes. */
#include "room/join.h"
#include "crypto/hash.h"
#include "identity/bind.h"
#include "room/hub_move.h"
#include "room/invite.h"
#include "room/invite_link.h"
#include "sync/log/hub_key.h"
#include "sync/move/move.h"
#include "sync/rooms/join.h"
#include "sync/rooms/late.h"
#include "sync/rooms/leave_here.h"

static enum hs_err waiting_event(struct hs_step *s, const struct hs_id *room)
{
    struct hanse_event event = {.kind = HANSE_EVENT_WAITING};
    memcpy(event.room.b, room->b, sizeof event.room.b);
    return hs_out_event(s, &event, NULL);
}

struct hs_op *hs_join_op(struct hs_sync *sync, const struct hs_id *room)
{
    for (struct hs_op *op = sync->ops; op != NULL; op = op->next)
        if (op->kind == HS_OP_JOIN && hs_id_equal(&op->room, room))
            return op;
    return NULL;
}

/* ---- asking the hub ---- */

/* The hub has it in its log, and lets nobody in by it any more: another one is made. */
static enum hs_err ask_anew(struct hs_step *s, struct hs_op *op)
{
    op->again = true;
    op->busy = false;
    return hs_op_begin(s, op);
}

static enum hs_err refused(struct hs_step *s, struct hs_join_row *row, enum hs_err err)
{
    struct hs_op *op = hs_join_op(s->sync, &row->room);
    if (hs_err_is_transient(err) && err != HS_ERR_HUB_MOVED) {
        hs_home_try_again(s);
        return HS_OK;
    }
    hs_join_row_delete(s->kv, &row->ref);
    if (row->counter)
        return hs_counter_refused(s, &row->hub_root, &row->persona, err);
    HS_TRY(hs_join_shown_no_more(s, &row->room));
    if (err == HS_ERR_INVITE_REPLAYED && op != NULL && !op->again)
        return ask_anew(s, op);
    return hs_op_done(s, op, err, NULL, 0, NULL);
}

enum hs_err hs_joins_refused(struct hs_step *s, enum hs_err err)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row))
        if (hs_root_is_home(s->sync, &row.hub_root))
            HS_TRY(refused(s, &row, err));
    return s->kv->err;
}

/* By this device for itself: nobody waits for the answer. */
static bool is_asked_again(struct hs_step *s, const struct hs_join_row *row)
{
    return row->asked && !row->counter && hs_join_op(s->sync, &row->room) == NULL;
}

static enum hs_err ask_answered(struct hs_step *s, const struct hs_request *request,
                                const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_join_row row;
    if (!hs_join_row_get(s->kv, &request->id_a, s->arena, &row))
        return s->kv->err; /* the Welcome was faster */
    if (row.dropped)
        return hs_join_dropped_answered(s, &row, err);
    bool again = is_asked_again(s, &row);
    if (err == HS_ERR_HUB_MOVED && !row.counter)
        return hs_join_gone(s, &row); /* its JOIN may be in the log: the same one goes to where the room is */
    if (err != HS_OK)
        return again ? hs_join_put_off(s, &row, err) : refused(s, &row, err);
    HS_REQUIRE(frame->body_case == (row.counter ? HANSE__FRAME__BODY_ACK : HANSE__FRAME__BODY_JOIN_STATUS),
               HS_ERR_UNEXPECTED);
    row.asked = true;
    row.soon = false;
    if (row.counter) {
        hs_join_row_put(s->kv, &row);
        return s->kv->err;
    }
    HS_TRY(hs_late_told(s, &row, frame->join_status->state == HANSE__JOIN_STATE__JOIN_JOINED));
    if (again)
        return s->kv->err;
    HS_TRY(hs_join_asked(s, &row));
    HS_TRY(waiting_event(s, &row.room));
    return hs_op_done(s, hs_join_op(s->sync, &row.room), HS_OK, &row.room, 0, NULL);
}

static enum hs_err ask(struct hs_step *s, const struct hs_join_row *row)
{
    Hanse__Join join = HANSE__JOIN__INIT;
    Hanse__OpenCounter counter = HANSE__OPEN_COUNTER__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = ask_answered, .id_a = row->ref};
    if (row->counter) {
        counter.persona = hs_pb_data(HS_VIEW(row->persona));
        counter.room = hs_pb_data(HS_VIEW(row->room));
        counter.key_package = hs_pb_data(row->key_package);
        frame.body_case = HANSE__FRAME__BODY_OPEN_COUNTER;
        frame.open_counter = &counter;
    } else {
        join.room = hs_pb_data(HS_VIEW(row->room));
        join.join = hs_pb_data(row->body);
        frame.body_case = HANSE__FRAME__BODY_JOIN;
        frame.join = &join;
    }
    return hs_request_send_to(s, hs_join_hub(row), row->descriptor, &frame, &request);
}

/* ---- binding ---- */

static enum hs_err bind_answered(struct hs_step *s, const struct hs_request *request,
                                 const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_join_row row;
    if (!hs_join_row_get(s->kv, &request->id_a, s->arena, &row) || row.dropped)
        return s->kv->err;
    if (err != HS_OK)
        return is_asked_again(s, &row) ? hs_join_put_off(s, &row, err) : refused(s, &row, err);
    HS_REQUIRE(frame->body_case == HANSE__FRAME__BODY_ACK, HS_ERR_UNEXPECTED);
    row.bound = true;
    hs_join_row_put(s->kv, &row);
    return ask(s, &row);
}

enum hs_err hs_bind_send(struct hs_step *s, const struct hs_key *hub_root, const struct hs_request *request)
{
    struct hs_self HS_SELF home, hub;
    const struct hs_key *home_root = &s->sync->me.home_root;
    home = hub = (struct hs_self){0};
    HS_TRY(hs_self_for(s, home_root, &home));
    HS_TRY(hs_self_for(s, hub_root, &hub));
    Hanse__Bind bound = HANSE__BIND__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    HS_TRY(hs_bind_build(&home.persona_signer, &hub.persona_signer, home_root, hub_root, s->now,
                         (struct hs_time){0}, s->arena, &bound.bind));
    bound.certificate = hub.certificate;
    frame.body_case = HANSE__FRAME__BODY_BIND;
    frame.bind = &bound;
    return hs_request_send(s, &frame, request);
}

static enum hs_err bind(struct hs_step *s, const struct hs_join_row *row)
{
    struct hs_request request = {.answer = bind_answered, .id_a = row->ref};
    return hs_bind_send(s, &row->hub_root, &request);
}

/* The next step that this row needs. A role is one identity everywhere, and the home node knows it already.
 */
enum hs_err hs_join_go_on(struct hs_step *s, const struct hs_join_row *row)
{
    bool known = (row->bound && !row->asked) || hs_root_is_home(s->sync, &row->hub_root) ||
                 s->sync->me.has_role; /* a home that is asked again may have forgotten it */
    return known ? ask(s, row) : bind(s, row);
}

enum hs_err hs_joins_resume(struct hs_step *s)
{
    struct hs_kv_key cursor = {0};
    struct hs_join_row row;
    while (hs_join_row_next(s->kv, &cursor, s->arena, &row)) {
        if (row.asked || row.dropped || hs_request_is_about(s->sync, &row.ref))
            continue;
        if (hs_requests_are_scarce(s->sync))
            hs_home_try_again(s);
        else
            HS_TRY(hs_join_go_on(s, &row));
    }
    return s->kv->err;
}

/* ---- the link ---- */

/* The join that is under way for this room already. */
static bool find_join(struct hs_step *s, const struct hs_id *room, struct hs_join_row *out)
{
    struct hs_kv_key cursor = {0};
    while (hs_join_row_next(s->kv, &cursor, s->arena, out))
        if (!out->counter && hs_id_equal(&out->room, room))
            return true;
    return false;
}

/* A room that was left, or whose hub broke the rules, has a history here. */
static bool was_here(struct hs_step *s, const struct hs_id *id)
{
    struct hs_room_row row;
    return hs_room_get(s->kv, id, s->arena, &row) &&
           (row.again || row.state == HS_ROOM_STATE_LEFT ||
            (row.state == HS_ROOM_STATE_FROZEN && row.tip.next_seq > 0));
}

/* What the person sees of it. */
static enum hs_err show_waiting(struct hs_step *s, const struct hs_join_row *row,
                                const Hanse__InviteInfo *info, const char *domain)
{
    struct hs_room_row waits = {.id = row->room,
                                .state = HS_ROOM_STATE_WAITING,
                                .hub_root = row->hub_root,
                                .self = row->persona,
                                .descriptor = row->descriptor,
                                .again = was_here(s, &row->room)};
    if (!hs_key_equal(hs_join_hub(row), &row->hub_root))
        waits.office_root = row->office_root; /* whose descriptor that is, and who is asked */
    size_t len = strlen(info->room_name);
    memcpy(waits.name, info->room_name, len < sizeof waits.name ? len : sizeof waits.name - 1);
    snprintf(waits.domain, sizeof waits.domain, "%s", domain);
    hs_live_forget(s->sync, &row->room);
    hs_room_put(s->kv, &waits);
    return s->kv->err;
}

/* Wanted again: by the same request, which the hub may have. */
static enum hs_err take_up(struct hs_step *s, struct hs_join_row *row, const Hanse__InviteInfo *info,
                           const char *domain)
{
    row->dropped = false;
    hs_join_row_put(s->kv, row);
    return show_waiting(s, row, info, domain);
}

/* Key package and proof, stored with a room that waits. */
static enum hs_err make_join(struct hs_step *s, const struct hs_invite_link *link, const struct hs_id *room,
                             const Hanse__InviteInfo *info, struct hs_join_row *row)
{
    struct hs_self HS_SELF self;
    struct hs_signer HS_SIGNER invite;
    struct hs_own_package package;
    struct hs_descriptor d;
    struct hs_writer HS_WRITER body = hs_writer(HS_FRAME_MAX);
    struct hs_hub_office office;
    struct hs_key brand;
    HS_TRY(hs_join_place(s, link, room, info, &brand, &office, d.domain));
    HS_TRY(hs_self_for(s, &brand, &self));
    HS_TRY(hs_self_key_package(s, &self, &package));
    hs_invite_signer(link->seed, &invite);
    struct hs_join_spec spec = {.invite = &invite,
                                .room = *room,
                                .persona = self.persona,
                                .home_root = s->sync->me.home_root,
                                .key_package = package.message,
                                .now = s->now};
    HS_TRY(hs_join_build(&spec, &body));
    *row = (struct hs_join_row){.ref = package.ref,
                                .room = *room,
                                .hub_root = brand,
                                .office_root = office.root,
                                .hub_term = office.term,
                                .persona = self.persona,
                                .key_package = package.message,
                                .priv = package.priv,
                                .body = hs_arena_copy(s->arena, hs_writer_bytes(&body)),
                                .made = s->now};
    HS_TRY(hs_object_pack(info->descriptor, s->arena, &row->descriptor));
    hs_join_row_put(s->kv, row);
    return show_waiting(s, row, info, d.domain);
}

/* What the hub says must be signed by the link's own keys. */
static enum hs_err check_info(struct hs_step *s, const struct hs_invite_link *link,
                              const Hanse__InviteInfo *info, struct hs_id *room)
{
    struct hs_signer HS_SIGNER signer;
    struct hs_invite invite;
    hs_invite_signer(link->seed, &signer);
    HS_REQUIRE(info->descriptor != NULL && HS_FIXED(hs_pb_bytes(info->room), room), HS_ERR_MALFORMED);
    HS_TRY(hs_invite_verify(hs_pb_bytes(info->invite), room, s->now, &invite));
    return hs_key_equal(&invite.invite_key, &signer.pub) ? HS_OK : HS_ERR_INVITE_INVALID;
}

/* Ledger and till stay with the brand's node, wherever the room is. */
static enum hs_err keep_brand(struct hs_step *s, const struct hs_key *brand, const Hanse__InviteInfo *info)
{
    struct hs_bytes descriptor;
    if (info->n_moves == 0)
        return HS_OK;
    HS_TRY(hs_object_pack(info->moves[0]->descriptor, s->arena, &descriptor));
    return hs_hub_key_keep(s, brand, descriptor);
}

/* A member is led to the hub in office, too: its own home may not know of it. Who is leaving stays, or waits
 * until it is out. */
static enum hs_err is_in(struct hs_step *s, struct hs_op *op, const Hanse__InviteInfo *info)
{
    struct hs_live_room *room;
    HS_TRY(hs_live_get(s, &op->room, &room));
    enum hs_err err = info->n_moves > 0 ? hs_way_learn(s, room, info->moves, info->n_moves) : HS_OK;
    if (hs_sync_is_own_trouble(err)) /* else it may be known already */
        return err;
    HS_TRY(hs_leave_take_back(s, room));
    return hs_op_done(s, op, HS_OK, &op->room, 0, NULL);
}

static enum hs_err info_received(struct hs_step *s, struct hs_op *op, const Hanse__InviteInfo *info)
{
    struct hs_invite_link HS_INVITE_LINK link = {0};
    struct hs_join_row row;
    struct hs_room_row known;
    HS_TRY(hs_invite_link_parse(op->text, &link));
    HS_TRY(check_info(s, &link, info, &op->room));
    bool here = hs_room_get(s->kv, &op->room, s->arena, &known);
    struct hs_hub_office office;
    struct hs_key brand;
    char domain[HS_DOMAIN_MAX + 1];
    HS_TRY(hs_join_place(s, &link, &op->room, info, &brand, &office, domain));
    HS_REQUIRE(!here || (hs_key_equal(&known.hub_root, &brand) && known.state != HS_ROOM_STATE_CREATING),
               HS_ERR_CONFLICT);
    if (here && known.state == HS_ROOM_STATE_MEMBER)
        return is_in(s, op, info);
    const struct hs_me *me = &s->sync->me; /* for its own rooms alone a node takes an invite for a ticket */
    HS_REQUIRE(me->has_account || me->ticket.len > 0 || hs_root_is_home(s->sync, &brand), HS_ERR_NO_ACCOUNT);
    HS_TRY(keep_brand(s, &brand, info));
    HS_TRY(hs_joins_dropped_end(s, false));
    if (!find_join(s, &op->room, &row)) {
        HS_TRY(hs_parting_over(s, &op->room)); /* rather in than out */
        HS_TRY(make_join(s, &link, &op->room, info, &row));
    } else if (office.term > hs_join_term(&row)) {
        HS_TRY(hs_join_moves(s, &row, &office, info));
    }
    if (row.dropped)
        HS_TRY(take_up(s, &row, info, domain));
    return hs_home_is_online(s->sync) ? hs_join_go_on(s, &row) : hs_home_sign_up(s);
}

static enum hs_err info_answered(struct hs_step *s, const struct hs_request *request,
                                 const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_op *op = hs_op_find(s->sync, request->op);
    if (op == NULL)
        return HS_OK;
    if (err == HS_OK)
        err = frame->body_case == HANSE__FRAME__BODY_INVITE_INFO ? info_received(s, op, frame->invite_info)
                                                                 : HS_ERR_UNEXPECTED;
    if (err == HS_OK || hs_sync_is_own_trouble(err))
        return err;
    if (!hs_err_is_transient(err)) {
        HS_TRY(hs_op_done(s, op, hs_sync_blame(err), NULL, 0, NULL));
        return hs_home_unused(s);
    }
    op->busy = false;
    hs_home_try_again(s);
    return HS_OK;
}

static enum hs_err get_invite(struct hs_step *s, struct hs_op *op)
{
    struct hs_invite_link HS_INVITE_LINK link = {0};
    struct hs_signer HS_SIGNER signer;
    HS_TRY(hs_invite_link_parse(op->text, &link));
    hs_invite_signer(link.seed, &signer);
    Hanse__GetInvite get = HANSE__GET_INVITE__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = info_answered, .op = op->number};
    get.invite_key = hs_pb_data(HS_VIEW(signer.pub));
    frame.body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame.get_invite = &get;
    op->busy = true;
    if (hs_root_is_home(s->sync, &link.root))
        return hs_request_send(s, &frame, &request);
    char *address = link.address;
    Hanse__Forward forward = HANSE__FORWARD__INIT;
    forward.addresses = &address;
    forward.n_addresses = 1;
    return hs_request_forward(s, &link.root, &forward, &frame, &request);
}

enum hs_err hs_want_join(struct hs_step *s, const char *text, uint64_t *number)
{
    struct hs_invite_link HS_INVITE_LINK link = {0};
    struct hs_op *op;
    HS_REQUIRE(hs_invite_link_parse(text, &link) == HS_OK, HS_ERR_INVITE_INVALID);
    if (!s->sync->has_me)
        HS_TRY(hs_want_identity(s, NULL));
    struct hs_me *me = &s->sync->me;
    if (!hs_root_is_home(s->sync, &link.root))
        HS_TRY(hs_home_unused(s)); /* its program may have ended before it was given up */
    if (!me->has_home) {
        me->has_home = true;
        me->home_root = link.root;
        memcpy(me->home_address, link.address, strlen(link.address) + 1);
        HS_TRY(hs_joins_dropped_elsewhere(s, &link.root));
        HS_TRY(hs_me_save(s));
    }
    HS_TRY(hs_op_new(s, &op, number));
    op->kind = HS_OP_JOIN;
    op->resume = get_invite;
    op->stranger = hs_root_is_home(s->sync, &link.root);
    HS_TRY(hs_op_take_text(op, text));
    return hs_op_begin(s, op);
}
