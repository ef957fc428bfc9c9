#include "world.h"

#include "room/content.h"
#include "room/context.h"
#include "room/join.h"
#include "room/settlement.h"
#include "wire/unpack.h"

#include <stdio.h>

static struct hs_bytes context_of(struct world_room *room, const struct hs_id *joins, size_t count)
{
    struct hs_writer HS_WRITER out = hs_writer(1 << 16);
    struct hs_message_context context = {.joins = joins, .join_count = count};
    context.has_head = room->tip.next_seq > 0;
    context.head_seq = context.has_head ? room->tip.next_seq - 1 : 0;
    context.head_hash = room->tip.hash;
    assert_ok(hs_message_context_pack(&context, &out));
    return world_take(room->device->world, &out);
}

static void commit(struct world_room *room, const struct hs_mls_commit_request *request,
                   struct world_commit *out)
{
    struct world *w = room->device->world;
    struct hs_writer HS_WRITER commit = hs_writer(1 << 20), welcome = hs_writer(1 << 20);
    struct hs_writer HS_WRITER info = hs_writer(1 << 20);
    struct hs_mls_commit_result result = {&commit, &welcome, &info};
    hs_mls_group_drop(room->group);
    assert_ok(hs_mls_group_commit(room->group, request, &result));
    out->commit = world_take(w, &commit);
    out->welcome = world_take(w, &welcome);
    out->group_info = world_take(w, &info);
}

void world_commit_admit(struct world_room *room, struct world_commit *out)
{
    struct world *w = room->device->world;
    struct hs_bytes adds[WORLD_WAITING];
    struct hs_id joins[WORLD_WAITING];
    for (size_t i = 0; i < room->waiting_count; i++) {
        joins[i] = hs_record_body_hash(room->waiting[i]);
        assert_ok(hs_join_key_package(room->waiting[i], &w->arena, &adds[i]));
    }
    struct hs_mls_commit_request request = {
        .adds = adds,
        .add_count = room->waiting_count,
        .authenticated_data = context_of(room, joins, room->waiting_count),
        .bare_group_info = true,
    };
    commit(room, &request, out);
}

void world_commit_add(struct world_room *room, struct hs_bytes key_package, struct world_commit *out)
{
    struct hs_mls_commit_request request = {.adds = &key_package,
                                            .add_count = 1,
                                            .authenticated_data = context_of(room, NULL, 0),
                                            .bare_group_info = true};
    commit(room, &request, out);
}

void world_commit_remove(struct world_room *room, uint32_t leaf, struct world_commit *out)
{
    struct hs_mls_commit_request request = {.removes = &leaf,
                                            .remove_count = 1,
                                            .bare_group_info = true,
                                            .authenticated_data = context_of(room, NULL, 0)};
    commit(room, &request, out);
}

void world_commit_update(struct world_room *room, struct world_commit *out)
{
    struct hs_mls_commit_request request = {
        .force_path = true, .bare_group_info = true, .authenticated_data = context_of(room, NULL, 0)};
    commit(room, &request, out);
}

void world_commit_policy(struct world_room *room, const struct hs_policy *policy, struct world_commit *out)
{
    struct hs_writer HS_WRITER bytes = hs_writer(1 << 16);
    assert_ok(hs_policy_pack(policy, &bytes));
    const struct hs_mls_extension extension = {HS_POLICY_EXTENSION, hs_writer_bytes(&bytes)};
    struct hs_mls_commit_request request = {.set_extensions = true,
                                            .extensions = &extension,
                                            .extension_count = 1,
                                            .bare_group_info = true,
                                            .authenticated_data = context_of(room, NULL, 0)};
    commit(room, &request, out);
}

Hanse__Frame *world_commit_frame(struct world_room *room, const struct world_commit *c)
{
    struct world *w = room->device->world;
    Hanse__Frame *frame = world_frame(w);
    Hanse__SubmitCommit *s = WORLD_NEW(w, Hanse__SubmitCommit, hanse__submit_commit);
    s->room = hs_pb_data(HS_VIEW(room->id));
    s->persona = hs_pb_data(HS_VIEW(room->persona->signer.pub));
    s->commit = hs_pb_data(c->commit);
    s->welcome = hs_pb_data(c->welcome);
    s->group_info = hs_pb_data(c->group_info);
    frame->submit_commit = s;
    frame->body_case = HANSE__FRAME__BODY_SUBMIT_COMMIT;
    return frame;
}

Hanse__Frame *world_confirm_frame(struct world_room *room, const struct hs_record_header *commit,
                                  uint32_t leaf, enum hs_err err)
{
    struct world *w = room->device->world;
    Hanse__Frame *frame = world_frame(w);
    const struct hs_settlement of = {.room = room->id, .seq = commit->seq, .commit = commit->hash};
    frame->confirm = WORLD_NEW(w, Hanse__Confirm, hanse__confirm);
    frame->body_case = HANSE__FRAME__BODY_CONFIRM;
    frame->confirm->room = hs_pb_data(HS_VIEW(room->id));
    assert_ok(hs_verdict_build(&of, &room->persona->keys.signature, &room->persona->signer.pub, leaf, err,
                               w->now, &w->arena, &frame->confirm->verdict));
    return frame;
}

static enum hs_err submit(struct world_room *room, const struct world_commit *c)
{
    enum hs_err err = world_ask_hub(room->device, room->hub, world_commit_frame(room, c), NULL);
    world_settle(room->device->world);
    return err;
}

enum hs_err world_admit(struct world_room *room)
{
    struct world_commit c;
    world_commit_admit(room, &c);
    return submit(room, &c);
}

enum hs_err world_remove(struct world_room *room, struct world_room *whom)
{
    struct world_commit c;
    struct hs_mls_member member;
    const struct hs_mls_public *group = hs_mls_group_public(room->group);
    assert_ok(hs_mls_public_member_by_key(group, HS_VIEW(whom->persona->keys.signature.pub), &member));
    world_commit_remove(room, member.leaf, &c);
    return submit(room, &c);
}

enum hs_err world_update(struct world_room *room)
{
    struct world_commit c;
    world_commit_update(room, &c);
    return submit(room, &c);
}

struct hs_bytes world_protect(struct world_room *room, const char *text)
{
    struct world *w = room->device->world;
    struct hs_writer HS_WRITER content = hs_writer(1 << 20), message = hs_writer(1 << 20);
    struct hs_content c = hs_content_text(hs_bytes_str(text), w->now);
    assert_ok(hs_content_build(&c, &content));
    assert_ok(
        hs_mls_group_protect(room->group, hs_writer_bytes(&content), context_of(room, NULL, 0), 0, &message));
    return world_take(w, &message);
}

Hanse__Frame *world_post_frame(struct world_room *room, struct hs_bytes message)
{
    struct world *w = room->device->world;
    Hanse__Frame *frame = world_frame(w);
    Hanse__SubmitMessage *s = WORLD_NEW(w, Hanse__SubmitMessage, hanse__submit_message);
    s->room = hs_pb_data(HS_VIEW(room->id));
    s->persona = hs_pb_data(HS_VIEW(room->persona->signer.pub));
    s->message = hs_pb_data(message);
    frame->submit_message = s;
    frame->body_case = HANSE__FRAME__BODY_SUBMIT_MESSAGE;
    return frame;
}

enum hs_err world_post(struct world_room *room, const char *text, Hanse__Frame **answer)
{
    struct hs_bytes message = world_protect(room, text);
    assert_true(room->sent_count < WORLD_POSTS);
    enum hs_err err = world_ask(room->device, world_post_frame(room, message), answer);
    if (err == HS_OK)
        (void)snprintf(room->sent[room->sent_count++], sizeof room->sent[0], "%s", text);
    return err;
}
