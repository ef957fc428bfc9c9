/* Invites and joiners: made here or seen in the log, and let in by whoever may. */
#include "crypto/hash.h"
#include "room/context.h"
#include "room/invite.h"
#include "room/invite_link.h"
#include "room/join.h"
#include "room/judge.h"
#include "room/package.h"
#include "sync/state.h"

enum { WELCOME_ROOM = 24 /* joiners whose part of a commit surely fits a frame beside the tree */ };

/* ---- records ---- */

enum hs_err hs_invite_record(struct hs_step *s, struct hs_live_room *room,
                             const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_invite invite;
    HS_TRY(hs_invite_open(body, &room->row.id, header->hub_time, &invite));
    struct hs_invite_row row = {.body = body, .hub_time = header->hub_time};
    hs_invite_put(s->kv, &room->row.id, &invite.invite_key, &row);
    struct hs_message_row message = {.seq = header->seq,
                                     .kind = HANSE_MESSAGE_INVITED,
                                     .time = header->hub_time,
                                     .own = hs_key_equal(&invite.issuer, &room->row.self)};
    hs_person_by_key(room, &invite.issuer, header->hub_time, &message.sender);
    hs_message_put(s->kv, &room->row.id, &message);
    return s->kv->err;
}

enum hs_err hs_join_record(struct hs_step *s, struct hs_live_room *room,
                           const struct hs_record_header *header, struct hs_bytes body)
{
    struct hs_join join;
    struct hs_invite_row invite;
    HS_TRY(hs_join_verify(body, &room->row.id, &room->row.hub_root, header->hub_time, &join));
    struct hs_joiner_row row = {
        .body = body, .invite_key = join.invite_key, .seq = header->seq, .hub_time = header->hub_time};
    if (hs_invite_get(s->kv, &room->row.id, &join.invite_key, s->arena, &invite)) {
        row.uses_before = invite.uses++;
        hs_invite_put(s->kv, &room->row.id, &join.invite_key, &invite);
    }
    hs_joiner_put(s->kv, &room->row.id, &header->body_hash, &row);
    return s->kv->err;
}

/* One JOIN with its invite; not held where one of them lies before this member's anchor. */
static enum hs_err join_load(struct hs_step *s, struct hs_live_room *room, const struct hs_id *hash,
                             struct hs_judge_join *out, bool *held)
{
    struct hs_joiner_row row;
    struct hs_invite_row invite;
    *held = false;
    if (!hs_joiner_get(s->kv, &room->row.id, hash, s->arena, &row) ||
        !hs_invite_get(s->kv, &room->row.id, &row.invite_key, s->arena, &invite))
        return s->kv->err;
    *out = (struct hs_judge_join){
        .hub_time = row.hub_time, .uses_before = row.uses_before, .was_admitted = row.admitted};
    enum hs_err err = hs_join_verify(row.body, &room->row.id, &room->row.hub_root, row.hub_time, &out->join);
    if (err == HS_OK)
        err = hs_invite_open(invite.body, &room->row.id, invite.hub_time, &out->invite);
    HS_REQUIRE(!hs_sync_is_own_trouble(err), err);
    *held = err == HS_OK;
    return HS_OK;
}

enum hs_err hs_joins_named(struct hs_step *s, struct hs_live_room *room, const struct hs_id *hashes,
                           size_t count, struct hs_judge_join **out, size_t *found)
{
    *found = 0;
    *out = hs_arena_alloc(s->arena, (count + 1) * sizeof **out);
    HS_REQUIRE(*out != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < count; i++) {
        bool held;
        HS_TRY(join_load(s, room, &hashes[i], &(*out)[*found], &held));
        *found += held ? 1 : 0;
    }
    return HS_OK;
}

enum hs_err hs_joins_admitted(struct hs_step *s, struct hs_live_room *room, const struct hs_id *hashes,
                              size_t count)
{
    struct hs_joiner_row row;
    for (size_t i = 0; i < count; i++) {
        if (!hs_joiner_get(s->kv, &room->row.id, &hashes[i], s->arena, &row))
            continue;
        row.admitted = true;
        hs_joiner_put(s->kv, &room->row.id, &hashes[i], &row);
    }
    return s->kv->err;
}

/* ---- admitting ---- */

/* A joiner that can be let in now: its invite is known, and it isn't in the room. Who waited until the key
 * package or the certificate ran out can't be let in any more. */
static enum hs_err admissible(struct hs_step *s, struct hs_live_room *room, const struct hs_id *hash,
                              const struct hs_joiner_row *row, struct hs_bytes *key_package, bool *is)
{
    struct hs_judge_join join;
    struct hs_room_package package;
    bool held;
    *is = false;
    if (row->admitted || row->failed_in > room->row.epoch || hs_join_is_over(row->hub_time, s->now))
        return HS_OK;
    HS_TRY(join_load(s, room, hash, &join, &held));
    if (!held || join.uses_before >= join.invite.max_uses ||
        hs_policy_is_banned(&room->policy, &join.join.persona) ||
        !hs_policy_allows(&room->policy, &join.invite.issuer, s->now, HS_RIGHT_INVITE) ||
        hs_live_has_persona(room, &join.join.persona))
        return HS_OK;
    enum hs_err err = hs_join_key_package(row->body, s->arena, key_package);
    if (err == HS_OK)
        err = hs_room_package_check(*key_package, &room->row.hub_root, s->now, &package);
    *is = err == HS_OK;
    return hs_sync_is_own_trouble(err) ? err : HS_OK;
}

/* In this epoch it won't be tried again: those behind it get their turn. */
static enum hs_err mark_failed(struct hs_step *s, struct hs_live_room *room, const struct hs_id *hash)
{
    struct hs_joiner_row row;
    if (!hs_joiner_get(s->kv, &room->row.id, hash, s->arena, &row))
        return s->kv->err;
    row.failed_in = room->row.epoch + 1;
    hs_joiner_put(s->kv, &room->row.id, hash, &row);
    return s->kv->err;
}

/* Anything but this machine's own affairs: what odd key packages can bring about is theirs. */
static bool is_about_joiners(enum hs_err err)
{
    return err != HS_OK && !hs_sync_is_own_trouble(err) && !hs_err_is_transient(err);
}

/* All at once, or else one of them: a joiner that can't be let in doesn't hold up the others. done: a commit
 * is on its way. */
static enum hs_err commit_batch(struct hs_step *s, struct hs_live_room *room, const struct hs_id *hashes,
                                const struct hs_bytes *adds, size_t count, bool *done)
{
    *done = true;
    for (size_t n = count; n > 1; n /= 2) {
        struct hs_commit_wish wish = {.adds = adds, .add_count = n, .joins = hashes, .join_count = n};
        enum hs_err err = hs_commit_submit(s, room, &wish);
        if (!is_about_joiners(err))
            return err;
    }
    for (size_t i = 0; i < count; i++) {
        struct hs_commit_wish wish = {.adds = &adds[i], .add_count = 1, .joins = &hashes[i], .join_count = 1};
        enum hs_err err = hs_commit_submit(s, room, &wish);
        if (!is_about_joiners(err))
            return err;
        HS_TRY(mark_failed(s, room, &hashes[i]));
    }
    *done = false;
    return HS_OK;
}

/* The next that can be let in, as many as fit; in the order of their hashes. */
static enum hs_err gather(struct hs_step *s, struct hs_live_room *room, size_t max, struct hs_id *hashes,
                          struct hs_bytes *adds, size_t *count)
{
    struct hs_kv_key cursor = hs_row_key1(HS_VIEW(room->row.id));
    struct hs_joiner_row row;
    struct hs_id hash;
    *count = 0;
    while (*count < max && hs_joiner_next(s->kv, &room->row.id, &cursor, s->arena, &hash, &row)) {
        bool is;
        HS_TRY(admissible(s, room, &hash, &row, &adds[*count], &is));
        if (is)
            hashes[(*count)++] = hash;
    }
    return s->kv->err;
}

enum hs_err hs_joiners_admit(struct hs_step *s, struct hs_live_room *room)
{
    struct hs_id *hashes = hs_arena_alloc(s->arena, WELCOME_ROOM * sizeof *hashes);
    struct hs_bytes *adds = hs_arena_alloc(s->arena, WELCOME_ROOM * sizeof *adds);
    size_t count, free_places = room->policy.max_members > room->row.members
                                    ? room->policy.max_members - room->row.members
                                    : 0;
    size_t max = free_places < WELCOME_ROOM ? free_places : WELCOME_ROOM;
    HS_REQUIRE(hashes != NULL && adds != NULL, HS_ERR_NOMEM);
    if (max == 0 || !hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_ADD))
        return HS_OK;
    for (bool done = false; !done;) {
        HS_TRY(gather(s, room, max, hashes, adds, &count));
        if (count == 0)
            return HS_OK;
        HS_TRY(commit_batch(s, room, hashes, adds, count, &done));
    }
    return HS_OK;
}

/* ---- making an invite ---- */

static enum hs_err put_answered(struct hs_step *s, const struct hs_request *request,
                                const Hanse__Frame *frame, enum hs_err err)
{
    struct hs_op *op = hs_op_find(s->sync, request->op);
    if (err == HS_OK && frame->body_case != HANSE__FRAME__BODY_ACCEPTED)
        return HS_ERR_UNEXPECTED;
    if (op == NULL || err != HS_OK)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    char text[HS_INVITE_TEXT_SIZE];
    HS_REQUIRE(strlen(op->text) < sizeof text, HS_ERR_BUFFER);
    memcpy(text, op->text, strlen(op->text) + 1);
    enum hs_err done = hs_op_done(s, op, HS_OK, NULL, frame->accepted->seq, text);
    hs_wipe(text, sizeof text);
    return done;
}

static enum hs_err put_invite(struct hs_step *s, struct hs_op *op)
{
    struct hs_live_room *room;
    enum hs_err err = hs_live_member(s, &op->room, &room);
    if (err != HS_OK)
        return hs_op_done(s, op, err, NULL, 0, NULL);
    Hanse__PutInvite put = HANSE__PUT_INVITE__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    struct hs_request request = {.answer = put_answered, .op = op->number};
    put.room = hs_pb_data(HS_VIEW(room->row.id));
    put.persona = hs_pb_data(HS_VIEW(room->row.self));
    put.invite = hs_pb_data(hs_bytes(op->bytes, op->bytes_len));
    frame.body_case = HANSE__FRAME__BODY_PUT_INVITE;
    frame.put_invite = &put;
    op->busy = true;
    return hs_request_send_to(s, hs_row_hub(&room->row), room->row.descriptor, &frame, &request);
}

/* The link names the hub's first address that is short enough for it. */
static enum hs_err link_for(struct hs_step *s, struct hs_live_room *room, struct hs_invite_link *link)
{
    Hanse__SignedObject *object;
    struct hs_descriptor d;
    HS_TRY(hs_object_unpack(room->row.descriptor, s->arena, &object));
    HS_TRY(hs_descriptor_open(object, hs_row_hub(&room->row), &d));
    link->root = *hs_row_hub(&room->row);
    randombytes_buf(link->seed, sizeof link->seed);
    for (size_t i = 0; i < d.address_count; i++)
        if (strlen(d.addresses[i]) <= HS_INVITE_ADDRESS_MAX) {
            memcpy(link->address, d.addresses[i], strlen(d.addresses[i]) + 1);
            return HS_OK;
        }
    return HS_ERR_TOO_LARGE;
}

enum hs_err hs_want_invite(struct hs_step *s, const struct hs_id *id, uint32_t uses, struct hs_time until,
                           uint64_t *number)
{
    struct hs_live_room *room;
    struct hs_op *op;
    struct hs_self HS_SELF self;
    struct hs_signer HS_SIGNER invite;
    struct hs_invite_link HS_INVITE_LINK link = {0};
    char text[HS_INVITE_TEXT_SIZE];
    struct hs_writer HS_WRITER body = hs_writer(HS_FRAME_MAX);
    HS_TRY(hs_live_member(s, id, &room));
    HS_REQUIRE(uses > 0 && uses <= HS_INVITE_USES_MAX && until.ms > s->now.ms, HS_ERR_INVALID_ARG);
    HS_REQUIRE(hs_policy_allows(&room->policy, &room->row.self, s->now, HS_RIGHT_INVITE), HS_ERR_POLICY);
    HS_TRY(link_for(s, room, &link));
    hs_invite_signer(link.seed, &invite);
    HS_TRY(hs_self_for(s, &room->row.hub_root, &self));
    struct hs_invite_spec spec = {.device = &self.device.signature,
                                  .certificate = self.certificate,
                                  .room = *id,
                                  .invite_key = invite.pub,
                                  .max_uses = uses,
                                  .now = s->now,
                                  .not_after = until};
    HS_TRY(hs_invite_build(&spec, &body));
    HS_TRY(hs_invite_link_text(&link, text));
    HS_TRY(hs_op_new(s, &op, number));
    op->room = *id;
    op->resume = put_invite;
    enum hs_err err = hs_op_take_text(op, text);
    hs_wipe(text, sizeof text);
    HS_TRY(err);
    HS_TRY(hs_op_take_bytes(op, hs_writer_bytes(&body)));
    return hs_op_begin(s, op);
}
