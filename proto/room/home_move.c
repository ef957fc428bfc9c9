#include "room/home_move.h"

#include "schema/room.pb-c.h"

enum { MOVE_ARENA = 65536 };

enum hs_err hs_home_move_build(const struct hs_signer *persona, const struct hs_home_move *move,
                               struct hs_time now, struct hs_writer *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(MOVE_ARENA);
    Hanse__HomeMove payload = HANSE__HOME_MOVE__INIT;
    Hanse__SignedObject *object;
    struct hs_bytes bytes;
    HS_REQUIRE(move->number > 0, HS_ERR_INVALID_ARG);
    payload.home_root = hs_pb_data(HS_VIEW(move->home_root));
    payload.number = move->number;
    payload.next_seq = move->next_seq;
    struct hs_author author = {persona, persona->pub, now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(move->room)};
    HS_TRY(hs_object_make(HS_KIND_HOME_MOVE, &payload.base, &author, &hdr, &arena, &object));
    HS_TRY(hs_object_pack(object, &arena, &bytes));
    hs_write_bytes(out, bytes);
    return out->err;
}

static enum hs_err move_read(const Hanse__SignedObject *object, struct hs_arena *arena,
                             struct hs_home_move *out)
{
    struct hs_key signer;
    Hanse__HomeMove *payload;
    HS_REQUIRE(hs_object_claimed_signer(object, 0, &signer), HS_ERR_WRONG_SIGNER);
    HS_TRY(HS_OBJECT_OPEN(hanse__home_move, object, HS_KIND_HOME_MOVE, &signer, 1, arena, &payload));
    out->persona = hs_hdr_issuer(payload->hdr);
    HS_REQUIRE(hs_key_equal(&out->persona, &signer), HS_ERR_WRONG_SIGNER);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(payload->hdr->audience), &out->room) &&
                   HS_FIXED(hs_pb_bytes(payload->home_root), &out->home_root) && payload->number > 0,
               HS_ERR_MALFORMED);
    out->number = payload->number;
    out->next_seq = payload->next_seq;
    return HS_OK;
}

enum hs_err hs_home_move_verify(struct hs_bytes bytes, const struct hs_id *room, struct hs_home_move *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(MOVE_ARENA);
    struct hs_home_move move = {0};
    Hanse__SignedObject *object;
    *out = move;
    HS_REQUIRE(bytes.len <= HS_HOME_MOVE_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(hs_object_unpack(bytes, &arena, &object));
    HS_TRY(move_read(object, &arena, &move));
    HS_REQUIRE(hs_id_equal(&move.room, room), HS_ERR_MLS_GROUP);
    *out = move;
    return HS_OK;
}
