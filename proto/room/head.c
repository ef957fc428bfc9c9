#include "room/head.h"

#include "schema/room.pb-c.h"

enum { HEAD_ARENA = 65536 };

enum hs_err hs_head_build(const struct hs_signer *node, const struct hs_id *room,
                          const struct hs_log_tip *tip, uint32_t hub_term, uint64_t incarnation,
                          struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out)
{
    HS_REQUIRE(tip->next_seq > 0, HS_ERR_INVALID_ARG);
    Hanse__Head payload = HANSE__HEAD__INIT;
    payload.room = hs_pb_data(HS_VIEW(*room));
    payload.seq = tip->next_seq - 1;
    payload.hash = hs_pb_data(HS_VIEW(tip->hash));
    payload.hub_term = hub_term;
    payload.incarnation = incarnation;
    struct hs_author author = {node, node->pub, now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(*room)};
    return hs_object_make(HS_KIND_HEAD, &payload.base, &author, &hdr, arena, out);
}

static enum hs_err head_read(const Hanse__SignedObject *obj, const struct hs_key *signing_key,
                             struct hs_arena *arena, struct hs_head *out)
{
    Hanse__Head *payload = NULL;
    HS_TRY(HS_OBJECT_OPEN(hanse__head, obj, HS_KIND_HEAD, signing_key, 1, arena, &payload));
    struct hs_key issuer = hs_hdr_issuer(payload->hdr);
    HS_REQUIRE(hs_key_equal(&issuer, signing_key), HS_ERR_WRONG_SIGNER);
    struct hs_id audience = {0};
    bool fits = HS_FIXED(hs_pb_bytes(payload->room), &out->room) &&
                HS_FIXED(hs_pb_bytes(payload->hash), &out->hash) &&
                HS_FIXED(hs_pb_bytes(payload->hdr->audience), &audience);
    HS_REQUIRE(fits && hs_id_equal(&audience, &out->room), HS_ERR_MALFORMED);
    HS_REQUIRE(payload->seq < UINT64_MAX, HS_ERR_MALFORMED);
    out->signing_key = *signing_key;
    out->seq = payload->seq;
    out->hub_term = payload->hub_term;
    out->incarnation = payload->incarnation;
    out->created = hs_hdr_created(payload->hdr);
    return HS_OK;
}

enum hs_err hs_head_open(const Hanse__SignedObject *obj, const struct hs_key *signing_key,
                         struct hs_head *out)
{
    *out = (struct hs_head){0};
    struct hs_arena HS_ARENA arena = hs_arena(HEAD_ARENA);
    struct hs_head head = {0};
    HS_TRY(head_read(obj, signing_key, &arena, &head));
    *out = head;
    return HS_OK;
}

enum hs_err hs_head_verify(const Hanse__SignedObject *obj, const struct hs_key *signing_key,
                           const struct hs_id *room, struct hs_head *out)
{
    *out = (struct hs_head){0};
    struct hs_head head;
    HS_TRY(hs_head_open(obj, signing_key, &head));
    HS_REQUIRE(hs_id_equal(&head.room, room), HS_ERR_MLS_GROUP);
    *out = head;
    return HS_OK;
}

enum hs_err hs_head_check_tip(const struct hs_head *head, const struct hs_log_tip *tip)
{
    HS_REQUIRE(head->seq < tip->next_seq, HS_ERR_LOG_GAP);
    if (head->seq + 1 < tip->next_seq)
        return HS_OK;
    return hs_head_check_at(&head->hash, &tip->hash);
}

enum hs_err hs_head_check_at(const struct hs_id *claimed, const struct hs_id *own)
{
    HS_REQUIRE(hs_id_equal(claimed, own), HS_ERR_LOG_FORK);
    return HS_OK;
}

bool hs_head_conflicts(const struct hs_head *a, const struct hs_head *b)
{
    bool same_story = hs_id_equal(&a->room, &b->room) && hs_key_equal(&a->signing_key, &b->signing_key) &&
                      a->hub_term == b->hub_term && a->seq == b->seq;
    return same_story && !hs_id_equal(&a->hash, &b->hash);
}
