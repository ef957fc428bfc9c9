/* Making an export: whatever the customer has goes in, what the proof needs comes out. */
#include "deal/export.h"

#include "deal/export_case.h"
#include "wire/unpack.h"

typedef bool cites_fn(const struct hs_export_case *c, const struct hs_id *id);

/* The objects of a list that are cited, each once, in the arena. */
static enum hs_err keep_cited(const struct hs_export_case *c, cites_fn *cites, Hanse__SignedObject *const *in,
                              size_t in_count, struct hs_arena *arena, Hanse__SignedObject ***out,
                              size_t *count)
{
    struct hs_id *ids = hs_arena_alloc(arena, (in_count + 1) * sizeof *ids);
    *out = hs_arena_alloc(arena, (in_count + 1) * sizeof **out);
    HS_REQUIRE(ids != NULL && *out != NULL, HS_ERR_NOMEM);
    *count = 0;
    for (size_t i = 0; i < in_count; i++) {
        struct hs_id id = hs_object_id(in[i]);
        bool wanted = cites == NULL || cites(c, &id);
        for (size_t j = 0; j < *count && wanted; j++)
            wanted = !hs_id_equal(&ids[j], &id);
        if (!wanted)
            continue;
        ids[*count] = id;
        (*out)[(*count)++] = in[i];
    }
    return HS_OK;
}

/* The order is found by applying everything; then only what it cites is kept. */
static enum hs_err parts_select(const struct hs_key *root, const struct hs_export_parts *parts,
                                struct hs_arena *arena, Hanse__OrderExport *msg)
{
    struct hs_export_parts all = *parts;
    HS_TRY(keep_cited(NULL, NULL, parts->chain, parts->chain_count, arena, &msg->chain, &msg->n_chain));
    all.chain = msg->chain;
    all.chain_count = msg->n_chain;
    struct hs_export_case c;
    HS_TRY(hs_export_case_open(&all, root, arena, &c));
    HS_TRY(keep_cited(&c, hs_export_case_cites_offer, parts->offers, parts->offer_count, arena, &msg->offers,
                      &msg->n_offers));
    HS_TRY(keep_cited(&c, hs_export_case_cites_def, parts->coupon_defs, parts->coupon_def_count, arena,
                      &msg->coupon_defs, &msg->n_coupon_defs));
    HS_TRY(keep_cited(&c, hs_export_case_cites_coupon, parts->coupons, parts->coupon_count, arena,
                      &msg->coupons, &msg->n_coupons));
    msg->events = (Hanse__SignedObject **)(uintptr_t)parts->events;
    msg->n_events = parts->event_count;
    return HS_OK;
}

/* The links that the kept parts and the exporting device need. */
static enum hs_err chain_select(const struct hs_author *author, const struct hs_key *root,
                                struct hs_arena *arena, Hanse__OrderExport *msg)
{
    struct hs_export_parts kept = hs_export_parts_of(msg);
    struct hs_export_case c;
    HS_TRY(hs_export_case_open(&kept, root, arena, &c));
    struct hs_actor exporter;
    HS_TRY(hs_chain_device(&c.chain, &author->signer->pub, author->now, &exporter));
    HS_REQUIRE(hs_chain_descriptor(&c.chain) != NULL, HS_ERR_BAD_CHAIN);
    size_t count = 0;
    for (size_t i = 0; i < msg->n_chain; i++)
        if (hs_chain_is_used(&c.chain, i))
            msg->chain[count++] = msg->chain[i];
    msg->n_chain = count;
    return HS_OK;
}

enum hs_err hs_export_build(const struct hs_author *author, const struct hs_key *root,
                            const struct hs_export_parts *parts, struct hs_arena *arena, struct hs_bytes *out)
{
    *out = (struct hs_bytes){0};
    Hanse__OrderExport msg = HANSE__ORDER_EXPORT__INIT;
    HS_TRY(parts_select(root, parts, arena, &msg));
    HS_TRY(chain_select(author, root, arena, &msg));
    Hanse__SignedObject *obj;
    HS_TRY(hs_object_make(HS_KIND_ORDER_EXPORT, &msg.base, author, &(struct hs_hdr_spec){0}, arena, &obj));
    struct hs_bytes bytes;
    HS_TRY(hs_object_pack(obj, arena, &bytes));
    struct hs_export_report report;
    HS_TRY(hs_export_verify(bytes, root, arena, &report));
    *out = bytes;
    return HS_OK;
}
