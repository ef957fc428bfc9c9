#include "evil_client.h"

#include "unit/mls/evil.h"

#include "sync/state.h"

static void tag_altered(struct hs_mls_authed *authed)
{
    static uint8_t tag[32];
    memcpy(tag, authed->confirmation_tag.data, sizeof tag);
    tag[31] ^= 1;
    authed->confirmation_tag = hs_bytes(tag, sizeof tag);
}

static void top_altered(struct hs_mls_path_secrets *secrets)
{
    size_t top = HS_MLS_MAX_DEPTH;
    while (top > 0 && !secrets->have[top - 1])
        top--;
    assert_true(top > 0);
    secrets->secret[top - 1].v[0] ^= 1;
}

/* The GroupInfo that goes with the commit, as far as a hub can see. */
static void info_of(const struct hs_mls_group *group, const struct hs_mls_signer *signer,
                    struct hs_bytes commit, struct hs_writer *out)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_mls_public HS_MLS_PUBLIC *copy = NULL;
    struct hs_writer HS_WRITER now = hs_writer(CAP);
    assert_ok(hs_mls_group_info(group, true, &now));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&now), nothing, &copy));
    assert_ok(hs_mls_public_process(copy, commit, &event));
    hs_mls_write_head(out, HS_MLS_GROUP_INFO);
    assert_ok(hs_mls_group_info_write(&event->staged->next, &group->epoch, signer,
                                      hs_mls_group_own_leaf(group), false, out));
}

enum hs_err evil_client_submit(struct hs_step *s, const struct hs_id *id, enum evil_kind kind)
{
    struct hs_live_room *room;
    struct evil nobody = {0};
    struct person self = {0};
    struct hs_writer HS_WRITER commit = hs_writer(CAP), info = hs_writer(CAP);
    struct hs_outbox_row row = {.kind = HS_OUTBOX_COMMIT, .room = *id};
    Hanse__SubmitCommit body = HANSE__SUBMIT_COMMIT__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    HS_TRY(hs_live_member(s, id, &room));
    self.group = room->group;
    self.signer = room->group->signer;
    const struct evil_commit plan = {.by = &self,
                                     .bend_authed = kind == EVIL_TAG ? tag_altered : NULL,
                                     .bend_secrets = kind == EVIL_HALF ? top_altered : NULL};
    evil_commit(&nobody, &plan, &commit);
    info_of(room->group, &self.signer, hs_writer_bytes(&commit), &info);
    body.room = hs_pb_data(HS_VIEW(*id));
    body.persona = hs_pb_data(HS_VIEW(room->row.self));
    body.commit = hs_pb_data(hs_writer_bytes(&commit));
    body.group_info = hs_pb_data(hs_writer_bytes(&info));
    frame.body_case = HANSE__FRAME__BODY_SUBMIT_COMMIT;
    frame.submit_commit = &body;
    row.epoch = hs_mls_group_epoch(room->group);
    row.body_hash = hs_record_body_hash(hs_writer_bytes(&commit));
    HS_TRY(hs_frame_pack(s, &frame, &row.frame));
    return hs_outbox_row_add(s, &row);
}

void evil_client_commit(struct town_device *d, const struct hs_id *room, enum evil_kind kind)
{
    TOWN_WANT(d, evil_client_submit(&s, room, kind));
}
