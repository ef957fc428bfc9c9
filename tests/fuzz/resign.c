#include "fuzz/resign.h"

#include "fuzz/cast.h"
#include "fuzz/fuzz.h"
#include "object/object.h"
#include "wire/unpack.h"

enum { PACKED_MAX = 1 << 21, DEPTH_MAX = 8 };

static void message_resign(ProtobufCMessage *message, struct hs_arena *arena, unsigned depth);

static struct hs_bytes message_pack(const ProtobufCMessage *message, struct hs_arena *arena)
{
    struct hs_writer HS_WRITER w = hs_writer(PACKED_MAX);
    FUZZ_OK(hs_pack(message, &w));
    return hs_arena_copy(arena, hs_writer_bytes(&w));
}

/* The payload's own objects first: they are part of what is signed. */
static void payload_resign(Hanse__SignedObject *obj, struct hs_arena *arena, unsigned depth)
{
    enum hs_kind kind = hs_object_claimed_kind(obj);
    ProtobufCMessage *payload;
    if (kind == HS_KIND_NONE)
        return;
    if (hs_unpack(hs_kind_info(kind)->payload, hs_pb_bytes(obj->payload), HS_LENIENT, arena, &payload) !=
        HS_OK)
        return;
    message_resign(payload, arena, depth + 1);
    obj->payload = hs_pb_data(message_pack(payload, arena));
}

static void object_resign(Hanse__SignedObject *obj, struct hs_arena *arena, unsigned depth)
{
    payload_resign(obj, arena, depth);
    struct hs_writer HS_WRITER pae = hs_writer(PACKED_MAX);
    hs_object_pae(&pae, hs_bytes_str(obj->type), hs_pb_bytes(obj->payload));
    for (size_t i = 0; i < obj->n_signatures; i++) {
        struct hs_key key;
        struct hs_sig sig;
        const struct hs_signer *signer = hs_object_claimed_signer(obj, i, &key) ? cast_by_key(&key) : NULL;
        if (signer == NULL)
            continue;
        hs_sign(signer, hs_writer_bytes(&pae), &sig);
        obj->signatures[i]->sig = hs_pb_data(hs_arena_copy(arena, HS_VIEW(sig)));
    }
}

static void field_resign(ProtobufCMessage *message, const ProtobufCFieldDescriptor *field,
                         struct hs_arena *arena, unsigned depth)
{
    uint8_t *at = (uint8_t *)message + field->offset;
    size_t count = 1;
    ProtobufCMessage **list = (ProtobufCMessage **)(void *)at;
    if (field->label == PROTOBUF_C_LABEL_REPEATED) {
        memcpy(&count, (uint8_t *)message + field->quantifier_offset, sizeof count);
        memcpy(&list, at, sizeof list);
    } else if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0) {
        uint32_t which;
        memcpy(&which, (uint8_t *)message + field->quantifier_offset, sizeof which);
        count = which == field->id;
    }
    for (size_t i = 0; i < count; i++)
        if (list[i] != NULL)
            message_resign(list[i], arena, depth);
}

static void message_resign(ProtobufCMessage *message, struct hs_arena *arena, unsigned depth)
{
    if (depth > DEPTH_MAX)
        return;
    if (message->descriptor == &hanse__signed_object__descriptor) {
        object_resign((Hanse__SignedObject *)message, arena, depth);
        return;
    }
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        if (message->descriptor->fields[i].type == PROTOBUF_C_TYPE_MESSAGE)
            field_resign(message, &message->descriptor->fields[i], arena, depth);
}

struct hs_bytes fuzz_resign(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                            struct hs_arena *arena)
{
    ProtobufCMessage *message;
    if (hs_unpack(type, bytes, HS_LENIENT, arena, &message) != HS_OK)
        return bytes;
    message_resign(message, arena, 0);
    return message_pack(message, arena);
}
