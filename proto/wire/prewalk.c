#include "wire/prewalk.h"

#include "base/reader.h"
#include "base/text.h"
#include "wire/limits.h"
#include "wire/scalar.h"

/* Fields that a message type may declare: what the walk counts in one level of its stack. */
enum { FIELDS_MAX = 256, FIELD_NUMBER_MAX = (1 << 29) - 1 };

/* One message under way. */
struct level {
    const ProtobufCMessageDescriptor *type;
    struct hs_reader r;
    unsigned unknown;
    uint16_t seen[FIELDS_MAX]; /* values of each declared field so far */
};

struct walk {
    struct level levels[HS_NESTING_MAX];
    size_t depth; /* levels in use */
    size_t values;
    bool known_fields, known_enums;
};

static enum hs_err push(struct walk *w, const ProtobufCMessageDescriptor *type, struct hs_bytes bytes)
{
    HS_REQUIRE(w->depth < HS_NESTING_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(type->n_fields <= FIELDS_MAX, HS_ERR_INVALID_ARG);
    struct level *level = &w->levels[w->depth++];
    level->type = type;
    level->r = hs_reader(bytes);
    level->unknown = 0;
    memset(level->seen, 0, type->n_fields * sizeof level->seen[0]);
    return HS_OK;
}

static enum hs_err count_value(struct walk *w)
{
    HS_REQUIRE(w->values < HS_VALUES_MAX, HS_ERR_TOO_LARGE);
    w->values++;
    return HS_OK;
}

/* Another member of the same oneof, already seen? Members share the place that says which one is set. */
static bool oneof_is_taken(const struct level *level, const ProtobufCFieldDescriptor *field)
{
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) == 0)
        return false;
    for (unsigned i = 0; i < level->type->n_fields; i++) {
        const ProtobufCFieldDescriptor *other = &level->type->fields[i];
        if ((other->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 && level->seen[i] > 0 &&
            other->quantifier_offset == field->quantifier_offset)
            return true;
    }
    return false;
}

/* One more value of the field. */
static enum hs_err count_field(struct walk *w, struct level *level, const ProtobufCFieldDescriptor *field)
{
    uint16_t *seen = &level->seen[field - level->type->fields];
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        HS_REQUIRE(*seen < HS_REPEATED_MAX, HS_ERR_TOO_LARGE);
    else
        HS_REQUIRE(*seen == 0 && !oneof_is_taken(level, field), HS_ERR_MALFORMED);
    ++*seen;
    return count_value(w);
}

static struct hs_bytes read_length_prefixed(struct hs_reader *r)
{
    uint64_t len = hs_read_pb_varint(r);
    if (len > hs_reader_left(r)) {
        hs_reader_fail(r, HS_ERR_MALFORMED);
        return (struct hs_bytes){0};
    }
    return hs_read_bytes(r, (size_t)len);
}

static enum hs_err walk_unknown(struct walk *w, struct level *level, unsigned wire_type)
{
    HS_REQUIRE(!w->known_fields, HS_ERR_UNSUPPORTED);
    HS_REQUIRE(level->unknown < HS_UNKNOWN_MAX, HS_ERR_MALFORMED);
    level->unknown++;
    HS_TRY(count_value(w));
    switch (wire_type) {
    case PROTOBUF_C_WIRE_TYPE_VARINT:
        hs_read_pb_varint(&level->r);
        break;
    case PROTOBUF_C_WIRE_TYPE_64BIT:
        hs_read_bytes(&level->r, 8);
        break;
    case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
        read_length_prefixed(&level->r);
        break;
    case PROTOBUF_C_WIRE_TYPE_32BIT:
        hs_read_bytes(&level->r, 4);
        break;
    default: /* groups, and the two numbers that mean nothing */
        return HS_ERR_MALFORMED;
    }
    return level->r.err;
}

static enum hs_err walk_packed(struct walk *w, struct level *level, const ProtobufCFieldDescriptor *field)
{
    struct hs_bytes content = read_length_prefixed(&level->r);
    HS_TRY(level->r.err);
    struct hs_reader r = hs_reader(content);
    while (hs_reader_left(&r) > 0) {
        HS_TRY(count_field(w, level, field));
        hs_scalar_skip(&r, field, w->known_enums);
    }
    return hs_reader_finish(&r);
}

static enum hs_err walk_length_prefixed(struct walk *w, struct level *level,
                                        const ProtobufCFieldDescriptor *field)
{
    struct hs_bytes content = read_length_prefixed(&level->r);
    HS_TRY(level->r.err);
    HS_TRY(count_field(w, level, field));
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return push(w, field->descriptor, content);
    if (field->type == PROTOBUF_C_TYPE_STRING)
        HS_REQUIRE(hs_text_is_clean(content), HS_ERR_MALFORMED);
    return HS_OK;
}

static enum hs_err walk_known(struct walk *w, struct level *level, const ProtobufCFieldDescriptor *field,
                              unsigned wire_type)
{
    bool length_prefixed = wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED;
    if (length_prefixed && field->label == PROTOBUF_C_LABEL_REPEATED && hs_scalar_is_packable(field->type))
        return walk_packed(w, level, field);
    HS_REQUIRE(wire_type == hs_scalar_wire_type(field->type), HS_ERR_MALFORMED);
    if (length_prefixed)
        return walk_length_prefixed(w, level, field);
    HS_TRY(count_field(w, level, field));
    hs_scalar_skip(&level->r, field, w->known_enums);
    return level->r.err;
}

static enum hs_err walk_field(struct walk *w, struct level *level)
{
    uint64_t key = hs_read_pb_varint(&level->r);
    HS_TRY(level->r.err);
    uint64_t number = key >> 3;
    unsigned wire_type = key & 7;
    HS_REQUIRE(number >= 1 && number <= FIELD_NUMBER_MAX, HS_ERR_MALFORMED);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(level->type, (unsigned)number);
    return field == NULL ? walk_unknown(w, level, wire_type) : walk_known(w, level, field, wire_type);
}

enum hs_err hs_prewalk(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                       enum hs_strictness strictness)
{
    struct walk w;
    w.depth = 0;
    w.values = 0;
    w.known_fields = strictness == HS_STRICT;
    w.known_enums = strictness != HS_LENIENT;
    HS_TRY(push(&w, type, bytes));
    while (w.depth > 0) {
        struct level *level = &w.levels[w.depth - 1];
        if (hs_reader_left(&level->r) == 0)
            w.depth--;
        else
            HS_TRY(walk_field(&w, level));
    }
    return HS_OK;
}

struct hs_bytes hs_prewalked_field(struct hs_bytes message, unsigned number)
{
    struct hs_reader r = hs_reader(message);
    while (hs_reader_left(&r) > 0 && r.err == HS_OK) {
        uint64_t key = hs_read_pb_varint(&r);
        struct hs_bytes value = {0};
        switch (key & 7) {
        case PROTOBUF_C_WIRE_TYPE_VARINT:
            hs_read_pb_varint(&r);
            break;
        case PROTOBUF_C_WIRE_TYPE_64BIT:
            hs_read_bytes(&r, 8);
            break;
        case PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED:
            value = read_length_prefixed(&r);
            break;
        default:
            hs_read_bytes(&r, 4);
        }
        if (r.err == HS_OK && key >> 3 == number && (key & 7) == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
            return value;
    }
    return (struct hs_bytes){0};
}
