#include "room/hub_move.h"

#include "room/body.h"
#include "room/head.h"
#include "wire/unpack.h"

enum { MOVED_ARENA = 1 << 20 };

enum hs_err hs_hub_move_build(const struct hs_hub_move_spec *spec, struct hs_writer *out)
{
    struct hs_arena HS_ARENA arena = hs_arena(HS_BODY_ARENA);
    struct hs_certificate certificate = {0};
    struct hs_descriptor descriptor;
    Hanse__HubMove payload = HANSE__HUB_MOVE__INIT;
    Hanse__HubMoveBody body = HANSE__HUB_MOVE_BODY__INIT;
    HS_TRY(hs_body_author_check(spec->device, spec->certificate, spec->now, &certificate));
    HS_REQUIRE(spec->office.term > HS_POLICY_HUB_TERM_FIRST, HS_ERR_INVALID_ARG);
    enum hs_err err = hs_descriptor_open(spec->descriptor, &spec->office.root, &descriptor);
    HS_REQUIRE(err == HS_OK || err == HS_ERR_NOMEM, HS_ERR_INVALID_ARG);
    HS_TRY(err);
    payload.hub_root = hs_pb_data(HS_VIEW(spec->office.root));
    payload.hub_term = spec->office.term;
    struct hs_author author = {spec->device, certificate.persona, spec->now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(spec->room)};
    HS_TRY(hs_object_make(HS_KIND_HUB_MOVE, &payload.base, &author, &hdr, &arena, &body.move));
    body.owner_certificate = (Hanse__SignedObject *)(uintptr_t)spec->certificate;
    body.descriptor = (Hanse__SignedObject *)(uintptr_t)spec->descriptor;
    HS_REQUIRE(hanse__hub_move_body__get_packed_size(&body) <= HS_HUB_MOVE_MAX, HS_ERR_TOO_LARGE);
    return HS_PACK(&body, out);
}

static enum hs_err move_read(const Hanse__HubMoveBody *body, const struct hs_id *room, struct hs_time at,
                             struct hs_arena *scratch, struct hs_hub_move *out)
{
    struct hs_certificate certificate = {0};
    ProtobufCMessage *opened = NULL;
    struct hs_key audience;
    HS_REQUIRE(body->move != NULL && body->owner_certificate != NULL && body->descriptor != NULL,
               HS_ERR_MALFORMED);
    HS_TRY(hs_body_open_by_device(body->move, HS_KIND_HUB_MOVE, body->owner_certificate, at, scratch,
                                  &certificate, &opened));
    const Hanse__HubMove *payload = (const Hanse__HubMove *)opened;
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(payload->hdr->audience), &audience) &&
                   HS_FIXED(hs_pb_bytes(payload->hub_root), &out->office.root) &&
                   payload->hub_term > HS_POLICY_HUB_TERM_FIRST,
               HS_ERR_MALFORMED);
    HS_REQUIRE(payload->hub_term <= HS_HUB_TERM_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(hs_bytes_equal(HS_VIEW(audience), HS_VIEW(*room)), HS_ERR_MLS_GROUP);
    HS_REQUIRE(at.ms - hs_hdr_created(payload->hdr).ms <= HS_HUB_MOVE_AGE_MS, HS_ERR_EXPIRED);
    out->office.term = payload->hub_term;
    out->owner = certificate.persona;
    out->device = certificate.signature_key;
    return hs_descriptor_verify(body->descriptor, &out->office.root, at, &out->new_hub);
}

enum hs_err hs_hub_move_verify(struct hs_bytes bytes, const struct hs_id *room, struct hs_time at,
                               struct hs_arena *arena, struct hs_hub_move *out)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_BODY_ARENA);
    struct hs_hub_move move = {0};
    Hanse__HubMoveBody *body = NULL;
    *out = move;
    HS_REQUIRE(bytes.len <= HS_HUB_MOVE_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(HS_UNPACK(hanse__hub_move_body, bytes, HS_STRICT, &scratch, &body));
    HS_TRY(move_read(body, room, at, &scratch, &move));
    HS_TRY(hs_object_pack(body->descriptor, arena, &move.descriptor));
    *out = move;
    return HS_OK;
}

enum hs_err hs_hub_moved_link(const Hanse__HubMoved *moved, const struct hs_id *room, struct hs_arena *arena,
                              struct hs_hub_link *out)
{
    struct hs_descriptor d;
    struct hs_head head;
    struct hs_record_header header;
    HS_REQUIRE(moved->descriptor != NULL && moved->head != NULL, HS_ERR_MALFORMED);
    HS_TRY(hs_descriptor_open(moved->descriptor, NULL, &d));
    HS_TRY(hs_head_verify(moved->head, &d.signing_key, room, &head));
    HS_TRY(hs_record_header_parse(hs_pb_bytes(moved->header), &header));
    struct hs_id body = hs_record_body_hash(hs_pb_bytes(moved->body));
    HS_REQUIRE(header.kind == HS_RECORD_HUB_MOVE && head.seq == header.seq &&
                   hs_id_equal(&head.hash, &header.hash) && hs_id_equal(&header.body_hash, &body) &&
                   hs_id_equal(&header.room, room),
               HS_ERR_MALFORMED);
    struct hs_hub_link link = {.from = {d.root, head.hub_term}, .seq = header.seq};
    HS_TRY(hs_hub_move_verify(hs_pb_bytes(moved->body), room, header.hub_time, arena, &link.to));
    HS_REQUIRE(link.to.office.term - 1 == head.hub_term, HS_ERR_MALFORMED);
    *out = link;
    return HS_OK;
}

enum hs_err hs_hub_moved_verify(Hanse__HubMoved *const *list, size_t count, const struct hs_id *room,
                                struct hs_arena *arena, struct hs_key *brand, struct hs_hub_office *office,
                                struct hs_bytes *descriptor)
{
    struct hs_hub_link link = {0};
    struct hs_key first = {0};
    HS_REQUIRE(count > 0, HS_ERR_MALFORMED);
    HS_REQUIRE(count <= HS_HUB_MOVED_MAX, HS_ERR_TOO_LARGE);
    for (size_t i = 0; i < count; i++) {
        struct hs_key named = link.to.office.root;
        uint64_t behind = link.seq;
        HS_TRY(hs_hub_moved_link(list[i], room, arena, &link));
        HS_REQUIRE(link.from.term == HS_POLICY_HUB_TERM_FIRST + i && link.seq > behind, HS_ERR_MALFORMED);
        HS_REQUIRE(i == 0 || hs_key_equal(&link.from.root, &named), HS_ERR_MALFORMED);
        first = i == 0 ? link.from.root : first;
    }
    *brand = first;
    *office = link.to.office;
    if (descriptor != NULL)
        *descriptor = link.to.descriptor;
    return HS_OK;
}

enum hs_err hs_hub_moved_on(Hanse__HubMoved *const *list, size_t count, const struct hs_id *room,
                            struct hs_arena *arena, const struct hs_key *brand,
                            const struct hs_hub_office *known, struct hs_hub_office *office,
                            struct hs_bytes *descriptor)
{
    size_t before = known->term - HS_POLICY_HUB_TERM_FIRST;
    struct hs_key first;
    struct hs_descriptor d;
    HS_REQUIRE(known->term >= HS_POLICY_HUB_TERM_FIRST && count > before, HS_ERR_UNEXPECTED);
    HS_TRY(hs_hub_moved_verify(list, count, room, arena, &first, office, descriptor));
    HS_REQUIRE(hs_key_equal(&first, brand), HS_ERR_UNEXPECTED);
    HS_TRY(hs_descriptor_open(list[before]->descriptor, NULL, &d));
    return hs_key_equal(&d.root, &known->root) ? HS_OK : HS_ERR_UNEXPECTED;
}
