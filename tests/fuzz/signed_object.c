/* Opening objects of every kind. Input: kind, choice, bytes. By the choice the bytes are an envelope as it
 * came, an envelope that is signed anew, or a payload that gets an honest envelope: so the parsing behind the
 * signature is reached too. */
#include "fuzz/fuzz.h"

#include "fuzz/cast.h"
#include "fuzz/resign.h"
#include "object/object.h"
#include "wire/unpack.h"

enum { ARENA = 32 << 20 };

/* An object of that kind with that payload, signed by customer and friend, whatever the payload is. */
static Hanse__SignedObject *wrap(enum hs_kind kind, struct hs_bytes payload, struct hs_arena *arena)
{
    static const enum cast_member signers[] = {CAST_CUSTOMER, CAST_FRIEND};
    const struct hs_kind_info *info = hs_kind_info(kind);
    Hanse__SignedObject *obj = hs_arena_alloc(arena, sizeof *obj);
    struct hs_writer HS_WRITER pae = hs_writer(FUZZ_INPUT_MAX + 256);
    hanse__signed_object__init(obj);
    obj->type = hs_arena_str(arena, hs_bytes_str(info->type));
    obj->payload = hs_pb_data(payload);
    obj->n_signatures = info->signatures;
    obj->signatures = hs_arena_alloc(arena, info->signatures * sizeof *obj->signatures);
    hs_object_pae(&pae, hs_bytes_str(info->type), payload);
    for (size_t i = 0; i < info->signatures; i++) {
        struct hs_sig sig;
        hs_sign(cast(signers[i]), hs_writer_bytes(&pae), &sig);
        obj->signatures[i] = hs_arena_alloc(arena, sizeof(Hanse__Signature));
        hanse__signature__init(obj->signatures[i]);
        obj->signatures[i]->key_id = hs_pb_data(HS_VIEW(cast(signers[i])->pub));
        obj->signatures[i]->sig = hs_pb_data(hs_arena_copy(arena, HS_VIEW(sig)));
    }
    return obj;
}

/* What opens is what was signed: well formed, of the asked type, and unchanged by a trip through bytes. */
static void open_as(const Hanse__SignedObject *obj, enum hs_kind kind, struct hs_arena *arena)
{
    struct hs_key keys[HS_SIGNATURES_MAX] = {0};
    size_t n = hs_kind_info(kind)->signatures;
    ProtobufCMessage *payload;
    for (size_t i = 0; i < n; i++)
        (void)hs_object_claimed_signer(obj, i, &keys[i]);
    if (hs_object_open(obj, kind, keys, n, arena, &payload) != HS_OK) {
        HS_ASSERT(payload == NULL);
        return;
    }
    HS_ASSERT(payload->descriptor == hs_kind_info(kind)->payload);
    HS_ASSERT(hs_object_claimed_kind(obj) == kind);
    const Hanse__Hdr *hdr = hs_hdr_of(payload);
    FUZZ_OK(hs_hdr_check(hdr));
    HS_ASSERT(hdr->issuer_key.len == HS_KEY_LEN);
    struct hs_bytes packed;
    Hanse__SignedObject *again;
    FUZZ_OK(hs_object_pack(obj, arena, &packed));
    FUZZ_OK(hs_object_unpack(packed, arena, &again));
    HS_ASSERT(hs_object_equal(obj, again));
    struct hs_id a = hs_object_id(obj), b = hs_object_id(again);
    HS_ASSERT(hs_id_equal(&a, &b));
    FUZZ_OK(hs_object_open(again, kind, keys, n, arena, &payload));
    fuzz_accepted++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_begin();
    struct hs_arena HS_ARENA arena = hs_arena(ARENA);
    struct hs_bytes in = hs_bytes(data, size);
    enum hs_kind kind = (enum hs_kind)(1 + fuzz_choice(&in) % (HS_KIND_COUNT - 1));
    uint8_t choice = fuzz_choice(&in) % 3;
    Hanse__SignedObject *obj;
    if (choice == 2) {
        open_as(wrap(kind, in, &arena), kind, &arena);
        return 0;
    }
    if (choice == 1)
        in = fuzz_resign(&hanse__signed_object__descriptor, in, &arena);
    if (hs_object_unpack(in, &arena, &obj) != HS_OK)
        return 0;
    open_as(obj, kind, &arena);
    Hanse__SignedObject *copy;
    FUZZ_OK(hs_object_copy(obj, &arena, &copy));
    HS_ASSERT(hs_object_equal(obj, copy));
    return 0;
}
