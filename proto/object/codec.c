/* Envelopes to bytes and back, and copies of them. */
#include "object/object.h"

#include "wire/unpack.h"

#include <string.h>

/* The largest kind there is, with its envelope. */
enum { ENVELOPE_MAX = HS_PAYLOAD_EXPORT + HS_OBJECT_OVERHEAD };

enum hs_err hs_object_pack(const Hanse__SignedObject *obj, struct hs_arena *arena, struct hs_bytes *out)
{
    *out = (struct hs_bytes){0};
    struct hs_writer HS_WRITER w = hs_writer(ENVELOPE_MAX);
    HS_TRY(HS_PACK(obj, &w));
    struct hs_bytes copy = hs_arena_copy(arena, hs_writer_bytes(&w));
    HS_REQUIRE(copy.len == w.len, HS_ERR_NOMEM);
    *out = copy;
    return HS_OK;
}

enum hs_err hs_object_unpack(struct hs_bytes bytes, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_REQUIRE(bytes.len <= ENVELOPE_MAX, HS_ERR_TOO_LARGE);
    return HS_UNPACK(hanse__signed_object, bytes, HS_STRICT, arena, out);
}

static enum hs_err signature_copy(const Hanse__Signature *in, struct hs_arena *arena, Hanse__Signature **out)
{
    Hanse__Signature *copy = hs_arena_alloc(arena, sizeof *copy);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    hanse__signature__init(copy);
    copy->key_id = hs_pb_data(hs_arena_copy(arena, hs_pb_bytes(in->key_id)));
    copy->sig = hs_pb_data(hs_arena_copy(arena, hs_pb_bytes(in->sig)));
    HS_REQUIRE(copy->key_id.len == in->key_id.len && copy->sig.len == in->sig.len, HS_ERR_NOMEM);
    *out = copy;
    return HS_OK;
}

enum hs_err hs_object_copy(const Hanse__SignedObject *obj, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    Hanse__SignedObject *copy = hs_arena_alloc(arena, sizeof *copy);
    HS_REQUIRE(copy != NULL, HS_ERR_NOMEM);
    hanse__signed_object__init(copy);
    copy->type = hs_arena_str(arena, hs_bytes_str(obj->type));
    copy->payload = hs_pb_data(hs_arena_copy(arena, hs_pb_bytes(obj->payload)));
    copy->signatures = hs_arena_alloc(arena, (obj->n_signatures + 1) * sizeof *copy->signatures);
    HS_REQUIRE(copy->type != NULL && copy->payload.len == obj->payload.len && copy->signatures != NULL,
               HS_ERR_NOMEM);
    for (size_t i = 0; i < obj->n_signatures; i++)
        HS_TRY(signature_copy(obj->signatures[i], arena, &copy->signatures[i]));
    copy->n_signatures = obj->n_signatures;
    *out = copy;
    return HS_OK;
}

bool hs_object_equal(const Hanse__SignedObject *a, const Hanse__SignedObject *b)
{
    if (strcmp(a->type, b->type) != 0 || a->n_signatures != b->n_signatures)
        return false;
    if (!hs_bytes_equal(hs_pb_bytes(a->payload), hs_pb_bytes(b->payload)))
        return false;
    for (size_t i = 0; i < a->n_signatures; i++)
        if (!hs_bytes_equal(hs_pb_bytes(a->signatures[i]->key_id), hs_pb_bytes(b->signatures[i]->key_id)) ||
            !hs_bytes_equal(hs_pb_bytes(a->signatures[i]->sig), hs_pb_bytes(b->signatures[i]->sig)))
            return false;
    return true;
}
