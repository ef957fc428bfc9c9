#include "wire/scalar.h"

unsigned hs_scalar_wire_type(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
        return PROTOBUF_C_WIRE_TYPE_32BIT;
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return PROTOBUF_C_WIRE_TYPE_64BIT;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    default:
        return PROTOBUF_C_WIRE_TYPE_VARINT;
    }
}

bool hs_scalar_is_packable(ProtobufCType type)
{
    return hs_scalar_wire_type(type) != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
}

/* A negative int32 or enum is sign-extended to 64 bits. */
static bool fits_int32(uint64_t value)
{
    return value <= INT32_MAX || value >= (uint64_t)INT32_MIN;
}

static bool varint_fits(ProtobufCType type, uint64_t value)
{
    switch (type) {
    case PROTOBUF_C_TYPE_BOOL:
        return value <= 1;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
        return value <= UINT32_MAX;
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_ENUM:
        return fits_int32(value);
    default:
        return true;
    }
}

void hs_scalar_skip(struct hs_reader *r, const ProtobufCFieldDescriptor *field, bool known_enums)
{
    unsigned wire_type = hs_scalar_wire_type(field->type);
    if (wire_type != PROTOBUF_C_WIRE_TYPE_VARINT) {
        hs_read_bytes(r, wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8);
        return;
    }
    uint64_t value = hs_read_pb_varint(r);
    if (!varint_fits(field->type, value))
        hs_reader_fail(r, HS_ERR_MALFORMED);
    if (field->type == PROTOBUF_C_TYPE_ENUM && known_enums &&
        protobuf_c_enum_descriptor_get_value(field->descriptor, (int)(uint32_t)value) == NULL)
        hs_reader_fail(r, HS_ERR_UNSUPPORTED);
}
