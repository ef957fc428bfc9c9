#include "room/invite.h"

#include "base/text.h"
#include "room/body.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static bool campaign_is_valid(struct hs_bytes campaign)
{
    return campaign.len <= HS_INVITE_CAMPAIGN_MAX && hs_text_is_clean(campaign);
}

static bool window_is_valid(struct hs_time created, struct hs_time not_after)
{
    return created.ms >= 0 && not_after.ms > created.ms;
}

enum hs_err hs_invite_build(const struct hs_invite_spec *spec, struct hs_writer *body)
{
    const char *campaign = spec->campaign == NULL ? "" : spec->campaign;
    HS_REQUIRE(spec->max_uses > 0 && spec->max_uses <= HS_INVITE_USES_MAX, HS_ERR_INVALID_ARG);
    HS_REQUIRE(campaign_is_valid(hs_bytes_str(campaign)), HS_ERR_INVALID_ARG);
    HS_REQUIRE(window_is_valid(spec->now, spec->not_after), HS_ERR_INVALID_ARG);
    struct hs_arena HS_ARENA arena = hs_arena(HS_BODY_ARENA);
    struct hs_certificate certificate = {0};
    HS_TRY(hs_body_author_check(spec->device, spec->certificate, spec->now, &certificate));

    Hanse__InviteGrant payload = HANSE__INVITE_GRANT__INIT;
    payload.invite_key = hs_pb_data(HS_VIEW(spec->invite_key));
    payload.max_uses = spec->max_uses;
    payload.campaign = hs_arena_str(&arena, hs_bytes_str(campaign));
    HS_REQUIRE(payload.campaign != NULL, HS_ERR_NOMEM);
    struct hs_author author = {spec->device, certificate.persona, spec->now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(spec->room), .not_after = spec->not_after};
    Hanse__InviteBody message = HANSE__INVITE_BODY__INIT;
    HS_TRY(hs_object_make(HS_KIND_INVITE_GRANT, &payload.base, &author, &hdr, &arena, &message.grant));
    HS_TRY(hs_object_copy(spec->certificate, &arena, &message.issuer_certificate));
    return HS_PACK(&message, body);
}

static enum hs_err body_unpack(struct hs_bytes body, struct hs_arena *arena, Hanse__InviteBody **out)
{
    HS_REQUIRE(body.len <= HS_BODY_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(HS_UNPACK(hanse__invite_body, body, HS_STRICT, arena, out));
    HS_REQUIRE((*out)->grant != NULL && (*out)->issuer_certificate != NULL, HS_ERR_MALFORMED);
    return HS_OK;
}

static enum hs_err grant_read(const Hanse__InviteGrant *payload, struct hs_invite *out)
{
    struct hs_bytes campaign = hs_bytes_str(payload->campaign);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(payload->invite_key), &out->invite_key), HS_ERR_MALFORMED);
    HS_TRY(hs_sign_key_check(&out->invite_key));
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(payload->hdr->audience), &out->room), HS_ERR_MALFORMED);
    HS_REQUIRE(payload->max_uses > 0 && payload->max_uses <= HS_INVITE_USES_MAX, HS_ERR_MALFORMED);
    HS_REQUIRE(campaign_is_valid(campaign), HS_ERR_MALFORMED);
    out->max_uses = payload->max_uses;
    memcpy(out->campaign, campaign.data, campaign.len);
    out->created = hs_hdr_created(payload->hdr);
    out->not_after.ms = payload->hdr->not_after_ms;
    HS_REQUIRE(window_is_valid(out->created, out->not_after), HS_ERR_MALFORMED);
    return HS_OK;
}

static enum hs_err invite_read(struct hs_bytes body, const struct hs_id *room, struct hs_time at,
                               struct hs_invite *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(HS_BODY_ARENA);
    Hanse__InviteBody *message = NULL;
    HS_TRY(body_unpack(body, &arena, &message));
    struct hs_certificate certificate = {0};
    ProtobufCMessage *payload = NULL;
    HS_TRY(hs_body_open_by_device(message->grant, HS_KIND_INVITE_GRANT, message->issuer_certificate, at,
                                  &arena, &certificate, &payload));
    HS_TRY(grant_read((const Hanse__InviteGrant *)payload, out));
    out->issuer = certificate.persona;
    out->device = certificate.signature_key;
    HS_REQUIRE(hs_id_equal(&out->room, room), HS_ERR_INVITE_INVALID);
    return HS_OK;
}

enum hs_err hs_invite_open(struct hs_bytes body, const struct hs_id *room, struct hs_time at,
                           struct hs_invite *out)
{
    *out = (struct hs_invite){0};
    struct hs_invite invite = {0};
    enum hs_err err = invite_read(body, room, at, &invite);
    HS_REQUIRE(err == HS_OK || err == HS_ERR_NOMEM, HS_ERR_INVITE_INVALID);
    HS_TRY(err);
    *out = invite;
    return HS_OK;
}

enum hs_err hs_invite_verify(struct hs_bytes body, const struct hs_id *room, struct hs_time at,
                             struct hs_invite *out)
{
    struct hs_invite invite = {0};
    *out = invite;
    HS_TRY(hs_invite_open(body, room, at, &invite));
    HS_REQUIRE(at.ms < invite.not_after.ms, HS_ERR_INVITE_EXPIRED);
    *out = invite;
    return HS_OK;
}

enum hs_err hs_invite_claimed_room(struct hs_bytes body, struct hs_id *room)
{
    *room = (struct hs_id){0};
    struct hs_arena HS_ARENA arena = hs_arena(HS_BODY_ARENA);
    Hanse__InviteBody *message = NULL;
    HS_TRY(body_unpack(body, &arena, &message));
    Hanse__InviteGrant *payload = NULL;
    HS_TRY(HS_UNPACK(hanse__invite_grant, hs_pb_bytes(message->grant->payload), HS_STRICT, &arena, &payload));
    HS_REQUIRE(payload->hdr != NULL, HS_ERR_MALFORMED);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(payload->hdr->audience), room), HS_ERR_MALFORMED);
    return HS_OK;
}
