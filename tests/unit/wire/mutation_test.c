/* Random messages made from the descriptor, then altered: what the walk lets through, protobuf-c takes,
 * within the budget; what it doesn't stays away from protobuf-c. */
#include "support/rng.h"
#include "support/test.h"

#include "unit/wire/sample.pb-c.h"
#include "wire/limits.h"
#include "wire/scalar.h"
#include "wire/unpack.h"

enum { ROUNDS = 4000, MUTANTS = 10, MESSAGE_MAX = 1 << 16 };

static void random_message(struct rng *rng, const ProtobufCMessageDescriptor *type, unsigned depth,
                           struct hs_writer *w);

static uint64_t random_varint(struct rng *rng, const ProtobufCFieldDescriptor *field)
{
    uint64_t value = rng_next(rng) >> rng_below(rng, 64);
    switch (field->type) {
    case PROTOBUF_C_TYPE_BOOL:
        return value & 1;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
        return (uint32_t)value;
    case PROTOBUF_C_TYPE_INT32:
        return (uint64_t)(int64_t)(int32_t)value;
    case PROTOBUF_C_TYPE_ENUM: {
        const ProtobufCEnumDescriptor *type = field->descriptor;
        return (uint64_t)(int64_t)type->values[rng_below(rng, type->n_values)].value;
    }
    default:
        return value;
    }
}

/* A value without its key. */
static void random_value(struct rng *rng, const ProtobufCFieldDescriptor *field, unsigned depth,
                         struct hs_writer *w)
{
    static const uint8_t text[] = "Hamburg, Lübeck, Visby";
    uint8_t junk[40];
    rng_fill(rng, junk, sizeof junk);
    struct hs_writer HS_WRITER sub = hs_writer(MESSAGE_MAX);
    unsigned wire_type = hs_scalar_wire_type(field->type);
    if (wire_type == PROTOBUF_C_WIRE_TYPE_VARINT)
        hs_write_pb_varint(w, random_varint(rng, field));
    else if (wire_type != PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED)
        hs_write_bytes(w, hs_bytes(junk, wire_type == PROTOBUF_C_WIRE_TYPE_32BIT ? 4 : 8));
    else if (field->type == PROTOBUF_C_TYPE_STRING)
        hs_write_bytes(&sub, hs_bytes(text, rng_below(rng, 2) == 0 ? 0 : sizeof text - 1));
    else if (field->type == PROTOBUF_C_TYPE_BYTES)
        hs_write_bytes(&sub, hs_bytes(junk, rng_below(rng, sizeof junk)));
    else
        random_message(rng, field->descriptor, depth + 1, &sub);
    if (wire_type == PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED) {
        hs_write_pb_varint(w, sub.len);
        hs_write_bytes(w, hs_writer_bytes(&sub));
    }
}

static void random_field(struct rng *rng, const ProtobufCFieldDescriptor *field, unsigned depth,
                         struct hs_writer *w)
{
    size_t count = field->label == PROTOBUF_C_LABEL_REPEATED ? rng_below(rng, 4) : 1;
    bool packed = field->label == PROTOBUF_C_LABEL_REPEATED && hs_scalar_is_packable(field->type) &&
                  rng_below(rng, 4) > 0;
    struct hs_writer HS_WRITER values = hs_writer(MESSAGE_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!packed)
            hs_write_pb_varint(w, (uint64_t)field->id << 3 | hs_scalar_wire_type(field->type));
        random_value(rng, field, depth, packed ? &values : w);
    }
    if (packed) {
        hs_write_pb_varint(w, (uint64_t)field->id << 3 | PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED);
        hs_write_pb_varint(w, values.len);
        hs_write_bytes(w, hs_writer_bytes(&values));
    }
}

static void random_message(struct rng *rng, const ProtobufCMessageDescriptor *type, unsigned depth,
                           struct hs_writer *w)
{
    unsigned taken[64] = {0}; /* oneofs, by where they say which member is set */
    size_t oneofs = 0;
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        bool is_message = field->type == PROTOBUF_C_TYPE_MESSAGE, is_taken = false;
        if (rng_below(rng, is_message ? 4 : 2) != 0 || (is_message && depth >= HS_NESTING_MAX))
            continue;
        for (size_t n = 0; n < oneofs; n++)
            is_taken = is_taken || taken[n] == field->quantifier_offset;
        if (is_taken)
            continue;
        if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
            taken[oneofs++] = field->quantifier_offset;
        random_field(rng, field, depth, w);
    }
}

/* One of: a bit flipped, a byte replaced, a piece cut out, a piece doubled, the end cut off. */
static void mutate(struct rng *rng, struct hs_writer *w)
{
    if (w->len == 0)
        return;
    size_t at = rng_below(rng, w->len), left = w->len - at;
    size_t len = 1 + rng_below(rng, left < 16 ? left : 16);
    switch (rng_below(rng, 5)) {
    case 0:
        w->data[at] ^= (uint8_t)(1 << rng_below(rng, 8));
        break;
    case 1:
        w->data[at] = (uint8_t)rng_next(rng);
        break;
    case 2:
        memmove(w->data + at, w->data + at + len, left - len);
        w->len -= len;
        break;
    case 3:
        if (hs_writer_reserve(w, len) != NULL)
            memmove(w->data + at + len, w->data + at, left);
        break;
    default:
        w->len = at;
    }
}

/* What the walk let through: unpacks in the budget, or says NOMEM; packs to bytes that pass again, and that
 * are the one encoding of themselves. */
static void check_accepted(struct hs_bytes in)
{
    struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
    struct hs_writer HS_WRITER packed = hs_writer(4 * MESSAGE_MAX);
    Sample__All *message = NULL;
    enum hs_err err = HS_UNPACK(sample__all, in, HS_LENIENT, &arena, &message);
    assert_true(arena.used <= hs_unpack_budget(in.len));
    if (err == HS_ERR_TOO_LARGE)
        return;
    assert_ok(err);
    assert_ok(HS_PACK(message, &packed));
    assert_ok(hs_prewalk(&sample__all__descriptor, hs_writer_bytes(&packed), HS_LENIENT));
    assert_ok(hs_pack_check(&sample__all__descriptor, hs_writer_bytes(&packed), HS_LENIENT));
}

/* WIRE-4 to WIRE-11 */
static void mutants(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    size_t accepted = 0, refused = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct hs_writer HS_WRITER w = hs_writer(4 * MESSAGE_MAX);
        random_message(&rng, &sample__all__descriptor, 1, &w);
        assert_ok(w.err);
        assert_ok(hs_prewalk(&sample__all__descriptor, hs_writer_bytes(&w), HS_STRICT));
        check_accepted(hs_writer_bytes(&w));
        for (size_t i = 0; i < MUTANTS; i++) {
            mutate(&rng, &w);
            assert_ok(w.err);
            if (hs_prewalk(&sample__all__descriptor, hs_writer_bytes(&w), HS_LENIENT) != HS_OK) {
                refused++;
                break;
            }
            accepted++;
            check_accepted(hs_writer_bytes(&w));
        }
    }
    printf("%zu altered messages let through, %zu refused\n", accepted, refused);
    assert_true(accepted > 1000 && refused > 1000);
}

/* Nothing but noise: never past its bytes, never a crash. */
static void noise(void **state)
{
    (void)state;
    struct rng rng = rng_new();
    for (size_t i = 0; i < 100000; i++) {
        uint8_t junk[24];
        size_t len = rng_below(&rng, sizeof junk + 1);
        rng_fill(&rng, junk, len);
        uint8_t *exact = malloc(len + 1); /* so that a sanitizer sees a read past the end */
        assert_non_null(exact);
        uint8_t *end = exact + 1;
        memcpy(end, junk, len);
        if (hs_prewalk(&sample__all__descriptor, hs_bytes(end, len), HS_LENIENT) == HS_OK)
            check_accepted(hs_bytes(end, len));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutants), cmocka_unit_test(noise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
