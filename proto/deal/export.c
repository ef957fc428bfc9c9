#include "deal/export.h"

#include "deal/export_case.h"
#include "wire/unpack.h"

/* Each part is cited, and none is there twice. */
static enum hs_err ballast_check(const struct hs_export_case *c, size_t def_count)
{
    const struct hs_order_refs *refs = &c->refs;
    for (size_t i = 0; i < refs->offer_count; i++) {
        HS_REQUIRE(hs_export_case_cites_offer(c, &refs->offers[i].id), HS_ERR_ORDER_INVALID);
        for (size_t j = 0; j < i; j++)
            HS_REQUIRE(!hs_id_equal(&refs->offers[i].id, &refs->offers[j].id), HS_ERR_ORDER_INVALID);
    }
    for (size_t i = 0; i < refs->coupon_count; i++) {
        HS_REQUIRE(hs_export_case_cites_coupon(c, &refs->coupons[i].coupon.id), HS_ERR_ORDER_INVALID);
        for (size_t j = 0; j < i; j++)
            HS_REQUIRE(!hs_id_equal(&refs->coupons[i].coupon.id, &refs->coupons[j].coupon.id),
                       HS_ERR_ORDER_INVALID);
    }
    for (size_t i = 0; i < def_count; i++) {
        HS_REQUIRE(hs_export_case_cites_def(c, &c->defs[i].id), HS_ERR_ORDER_INVALID);
        for (size_t j = 0; j < i; j++)
            HS_REQUIRE(!hs_id_equal(&c->defs[i].id, &c->defs[j].id), HS_ERR_ORDER_INVALID);
    }
    return HS_OK;
}

/* The file's outer forms, each in its one encoding, and a signature by the key that it names over all of the
 * rest: whatever was altered is found here. Whose key that is, the chain says later. */
static enum hs_err export_unpack(struct hs_bytes bytes, struct hs_arena *arena, Hanse__SignedObject **obj,
                                 Hanse__OrderExport **msg)
{
    HS_REQUIRE(bytes.len <= HS_EXPORT_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(hs_pack_check(&hanse__signed_object__descriptor, bytes, HS_STRICT));
    HS_TRY(hs_object_unpack(bytes, arena, obj));
    struct hs_key signer;
    HS_REQUIRE(hs_object_claimed_signer(*obj, 0, &signer), HS_ERR_WRONG_SIGNER);
    HS_TRY(HS_OBJECT_OPEN(hanse__order_export, *obj, HS_KIND_ORDER_EXPORT, &signer, 1, arena, msg));
    return hs_pack_check(&hanse__order_export__descriptor, hs_pb_bytes((*obj)->payload), HS_STRICT);
}

/* The export's own signature, through the chain that it carries: a device of the customer whose order it is.
 */
static enum hs_err signer_check(struct hs_export_case *c, const Hanse__SignedObject *obj,
                                struct hs_arena *arena, struct hs_time *exported_at)
{
    struct hs_expect expect = {.kind = HS_KIND_ORDER_EXPORT};
    ProtobufCMessage *msg;
    struct hs_actor signer;
    HS_TRY(hs_chain_open_by_device(&c->chain, obj, &expect, arena, &msg, &signer));
    HS_REQUIRE(hs_key_equal(&signer.key, &c->thread.order.signer.key), HS_ERR_WRONG_SIGNER);
    hs_export_case_note(c, "export", &signer);
    *exported_at = hs_hdr_created(hs_hdr_of(msg));
    return hs_window_check(c->thread.head_at, (struct hs_time){0}, (struct hs_time){0}, *exported_at);
}

enum hs_err hs_export_verify(struct hs_bytes bytes, const struct hs_key *pinned, struct hs_arena *arena,
                             struct hs_export_report *report)
{
    Hanse__SignedObject *obj;
    Hanse__OrderExport *msg;
    HS_TRY(export_unpack(bytes, arena, &obj, &msg));
    struct hs_export_parts parts = hs_export_parts_of(msg);
    struct hs_export_case c;
    HS_TRY(hs_export_case_open(&parts, pinned, arena, &c));
    struct hs_export_report result = {.root_pinned = pinned != NULL};
    HS_TRY(signer_check(&c, obj, arena, &result.exported_at));
    HS_TRY(ballast_check(&c, parts.coupon_def_count));
    HS_REQUIRE(hs_chain_descriptor(&c.chain) != NULL, HS_ERR_BAD_CHAIN);
    HS_TRY(hs_chain_all_used(&c.chain));
    HS_TRY(hs_export_report_fill(&c, arena, &result));
    *report = result;
    return HS_OK;
}
