#include "fuzz/walker.h"

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "wire/limits.h"

enum { FIELDS_MAX = 64 };

struct cursor {
    struct hs_bytes left;
    bool bad;
};

struct walker {
    enum hs_strictness strictness;
    unsigned values;
};

static bool walk(struct walker *w, const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                 unsigned depth);

/* A varint in its shortest form. */
static uint64_t read_varint(struct cursor *c)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < 10; i++) {
        if (c->left.len == 0)
            break;
        uint8_t byte = fuzz_take(&c->left, 1).data[0];
        if (i == 9 && byte > 1)
            break;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte >= 0x80)
            continue;
        c->bad = c->bad || (byte == 0 && i > 0);
        return value;
    }
    c->bad = true;
    return 0;
}

static struct hs_bytes read_len(struct cursor *c, uint64_t len)
{
    c->bad = c->bad || len > c->left.len;
    return c->bad ? (struct hs_bytes){0} : fuzz_take(&c->left, (size_t)len);
}

/* The schema's scalars: bool, int64, sint64, uint32, uint64, enum. */
static bool scalar_fits(const struct walker *w, const ProtobufCFieldDescriptor *f, uint64_t value)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return value <= 1;
    case PROTOBUF_C_TYPE_UINT32:
        return value <= UINT32_MAX;
    case PROTOBUF_C_TYPE_ENUM:
        if (value > INT32_MAX && value < UINT64_MAX - INT32_MAX)
            return false;
        return w->strictness == HS_LENIENT ||
               protobuf_c_enum_descriptor_get_value(f->descriptor, (int)value) != NULL;
    default:
        HS_ASSERT(f->type == PROTOBUF_C_TYPE_INT64 || f->type == PROTOBUF_C_TYPE_SINT64 ||
                  f->type == PROTOBUF_C_TYPE_UINT64);
        return true;
    }
}

static bool walk_known(struct walker *w, const ProtobufCFieldDescriptor *f, unsigned wire, struct cursor *c,
                       unsigned depth)
{
    bool is_message = f->type == PROTOBUF_C_TYPE_MESSAGE, is_string = f->type == PROTOBUF_C_TYPE_STRING;
    bool has_length = is_message || is_string || f->type == PROTOBUF_C_TYPE_BYTES;
    if (wire != (has_length ? 2u : 0u))
        return false;
    if (!has_length) {
        uint64_t value = read_varint(c);
        return !c->bad && scalar_fits(w, f, value);
    }
    struct hs_bytes content = read_len(c, read_varint(c));
    if (c->bad)
        return false;
    if (is_message)
        return walk(w, f->descriptor, content, depth + 1);
    return !is_string || hs_text_is_clean(content);
}

static bool skip_unknown(struct cursor *c, unsigned wire)
{
    if (wire == 0)
        (void)read_varint(c);
    else if (wire == 1 || wire == 5)
        (void)read_len(c, wire == 1 ? 8 : 4);
    else if (wire == 2)
        (void)read_len(c, read_varint(c));
    else
        return false;
    return !c->bad;
}

/* How often a value may stand there: members of one oneof count together. */
static bool may_stand(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *f,
                      const unsigned seen[FIELDS_MAX])
{
    if (f->label == PROTOBUF_C_LABEL_REPEATED)
        return seen[f - type->fields] < HS_REPEATED_MAX;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *g = &type->fields[i];
        bool together = g == f || ((f->flags & g->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
                                   g->quantifier_offset == f->quantifier_offset);
        if (together && seen[i] > 0)
            return false;
    }
    return true;
}

static bool walk(struct walker *w, const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                 unsigned depth)
{
    unsigned seen[FIELDS_MAX] = {0}, unknown = 0;
    struct cursor c = {.left = bytes};
    HS_ASSERT(type->n_fields <= FIELDS_MAX);
    if (depth > HS_NESTING_MAX)
        return false;
    while (c.left.len > 0) {
        uint64_t key = read_varint(&c), number = key >> 3;
        if (c.bad || number == 0 || number > (1u << 29) - 1 || ++w->values > HS_VALUES_MAX)
            return false;
        const ProtobufCFieldDescriptor *f = NULL;
        for (unsigned i = 0; i < type->n_fields; i++)
            f = type->fields[i].id == number ? &type->fields[i] : f;
        if (f == NULL) {
            if (w->strictness == HS_STRICT || ++unknown > HS_UNKNOWN_MAX || !skip_unknown(&c, key & 7))
                return false;
            continue;
        }
        if (!may_stand(type, f, seen) || !walk_known(w, f, key & 7, &c, depth))
            return false;
        seen[f - type->fields]++;
    }
    return true;
}

bool walker_passes(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                   enum hs_strictness strictness)
{
    struct walker w = {.strictness = strictness};
    return walk(&w, type, bytes, 1);
}
