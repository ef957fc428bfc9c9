/* SubmitCommit: the hub judges a commit by everything that is public, and lets one in for each epoch. */
#include "core/accounts/account.h"
#include "core/dispatch.h"
#include "core/internal.h"
#include "core/rooms/settle.h"
#include "mls/message.h"
#include "mls/public.h"
#include "object/object.h"

/* Everything that can be said against the commit; nothing is written. */
static enum hs_err check(struct hs_turn *turn, const Hanse__SubmitCommit *s, struct hs_room_commit *c,
                         uint64_t *detail)
{
    struct hs_mls_peek peek;
    struct hs_bytes message = hs_pb_bytes(s->commit);
    HS_REQUIRE(s->commit.len <= HS_BLOB_THRESHOLD && s->group_info.len <= HS_BLOB_THRESHOLD,
               HS_ERR_TOO_LARGE);
    HS_TRY(hs_mls_message_peek(message, &peek));
    HS_REQUIRE(peek.wire_format == HS_MLS_PUBLIC_MESSAGE && peek.content_type == HS_MLS_COMMIT,
               HS_ERR_UNSUPPORTED);
    HS_REQUIRE(hs_bytes_equal(peek.group_id, HS_VIEW(c->room)), HS_ERR_MLS_GROUP);
    *detail = c->view->epoch;
    HS_REQUIRE(peek.epoch == c->view->epoch, HS_ERR_WRONG_EPOCH);
    HS_REQUIRE(c->view->unsettled == 0, HS_ERR_UNSETTLED);
    HS_TRY(hs_room_commit_stage(turn, c, message));
    HS_REQUIRE(!hs_mls_group_info_has_tree(hs_pb_bytes(s->group_info)), HS_ERR_MLS_COMMIT);
    HS_TRY(hs_mls_staged_matches(c->event->staged, hs_pb_bytes(s->group_info)));
    HS_TRY(hs_room_commit_judge(turn, c));
    HS_REQUIRE(hs_key_equal(&c->facts.committer.persona, &c->persona), HS_ERR_WRONG_SENDER);
    HS_TRY(hs_leave_admits(turn, c));
    HS_TRY(hs_settle_admits(turn, c));
    return hs_room_commit_cut(turn, c, hs_pb_bytes(s->welcome));
}

/* The commit is in: the record, and what follows from it. */
static enum hs_err let_in(struct hs_turn *turn, const Hanse__SubmitCommit *s, struct hs_room_commit *c,
                          struct hs_room_record *record)
{
    Hanse__State__RoomEntry entry = HANSE__STATE__ROOM_ENTRY__INIT;
    struct hs_bytes descriptor = {0};
    struct hs_record_spec spec = {
        .kind = HS_RECORD_COMMIT,
        .epoch = c->view->epoch,
        .sender_persona = c->persona,
        .sender_node = *hs_turn_sender_node(turn),
        .body = hs_pb_bytes(s->commit),
        .hub_time = c->hub_time,
    };
    if (c->facts.added_count > 0)
        HS_TRY(hs_object_pack(turn->core->descriptor_object, turn->arena, &descriptor));
    HS_TRY(hs_room_commit_merge(turn, c));
    entry.welcome = s->welcome;
    entry.group_info = s->group_info;
    entry.descriptor = hs_pb_data(descriptor);
    record->room = c->room;
    record->view = c->view;
    HS_TRY(hs_room_append(turn, &spec, &entry, record));
    hs_commit_apply(turn, record, c);
    hs_settle_try(turn, &c->room, false);
    return HS_OK;
}

enum hs_err hs_handle_submit_commit(struct hs_turn *turn, const Hanse__Frame *request, Hanse__Frame *reply,
                                    uint64_t *detail)
{
    const Hanse__SubmitCommit *s = request->submit_commit;
    struct hs_room_commit HS_ROOM_COMMIT c = {0};
    struct hs_room_record record = {0};
    HS_TAKE32(s->room, &c.room);
    HS_TAKE32(s->persona, &c.persona);
    HS_TRY(hs_room_hubbed(turn, &c.room, &c.view));
    HS_TRY(hs_room_speaker(turn, &c.room, &c.persona));
    if (hs_room_answer_known(turn, &c.room, hs_pb_bytes(s->commit), reply))
        return HS_OK;
    c.hub_time = hs_room_time(turn, c.view);
    HS_TRY(check(turn, s, &c, detail));
    HS_TRY(let_in(turn, s, &c, &record));
    return hs_reply_accepted(turn, &c.room, record.header.seq, reply);
}
