/* Seeds of what a stream brings: frames, openings, transport, messages of every type. */
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"
#include "fuzz/types.h"

#include "crypto/dh.h"
#include "link/link.h"
#include "object/object.h"
#include "schema/link.pb-c.h"
#include "wire/frame.h"
#include "wire/unpack.h"

static void add_frames(void)
{
    static const uint8_t choices[] = {0, 3, 0, 100, 0, 255, 1, 7, 20};
    static const size_t lengths[] = {1, 127, 128, 300, 4096, 16383, 16384, 1};
    uint8_t body[16384] = {0};
    struct hs_writer HS_WRITER w = hs_writer(FUZZ_INPUT_MAX);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        hs_frame_write(&w, hs_bytes(body, lengths[i]));
    FUZZ_OK(w.err);
    corpus_add("frame_reader", "eight", hs_bytes(choices, sizeof choices), hs_writer_bytes(&w));
    struct hs_writer HS_WRITER small = hs_writer(FUZZ_INPUT_MAX);
    for (size_t i = 0; i < 40; i++)
        hs_frame_write(&small, hs_bytes(body, 1 + i));
    corpus_add("frame_reader", "small", hs_bytes(choices, sizeof choices), hs_writer_bytes(&small));
}

/* What a client first says, in both forms. */
static void add_openings(void)
{
    static const struct hs_secret32 client = {{5}}, node = {{7}};
    const struct hs_time now = {1000};
    struct hs_key pub;
    hs_dh_public(&node, &pub);
    struct hs_link HS_LINK *asker = NULL;
    struct hs_link HS_LINK *caller = NULL;
    FUZZ_OK(hs_link_new_asker(now, &asker));
    FUZZ_OK(hs_link_new_initiator(&client, &pub, now, &caller));
    struct hs_bytes ask = hs_link_output(asker), call = hs_link_output(caller);
    struct hs_writer HS_WRITER w = hs_writer(4096);
    hs_write_bytes(&w, ask);
    hs_write_bytes(&w, call);
    hs_write_bytes(&w, hs_bytes("\0\x40", 2));
    hs_write_bytes(&w, call);
    corpus_add1("link_responder", "ask", 0xfe, ask);
    corpus_add1("link_responder", "call", 0xff, call);
    corpus_add1("link_responder", "bytewise", 0x01, call);
    corpus_add1("link_responder", "both", 0xff, hs_writer_bytes(&w));
}

static void add_transport(void)
{
    static const uint8_t lengths[] = {1, 10, 60, 255, 3, 3, 90, 200, 1, 1};
    static const uint8_t edited[] = {0, 30, 0, 1, 1, 200, 3, 9, 2, 0, 2, 0, 5, 10, 60, 255, 3, 40};
    corpus_add1("link_transport", "honest", 0x00, hs_bytes(lengths, sizeof lengths));
    corpus_add1("link_transport", "authenticated", 0x80, hs_bytes(lengths, sizeof lengths));
    corpus_add1("link_transport", "bytewise", 0x40, hs_bytes(lengths, sizeof lengths));
    corpus_add1("link_transport", "edited", 0xc3, hs_bytes(edited, sizeof edited));
}

/* A value for every field, so that mutations start from all shapes: 1 level of submessages is filled too. */
static void fill(const ProtobufCMessageDescriptor *type, unsigned depth, struct hs_writer *w)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *f = &type->fields[i];
        bool is_bytes = f->type == PROTOBUF_C_TYPE_BYTES || f->type == PROTOBUF_C_TYPE_STRING;
        if (i > 0 && (f->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0 &&
            (type->fields[i - 1].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
            continue;
        hs_write_pb_varint(w,
                           (uint64_t)f->id << 3 | (is_bytes || f->type == PROTOBUF_C_TYPE_MESSAGE ? 2 : 0));
        if (is_bytes) {
            hs_write_pb_varint(w, 32);
            hs_write_bytes(w, hs_bytes("0123456789abcdef0123456789abcdef", 32));
        } else if (f->type == PROTOBUF_C_TYPE_MESSAGE) {
            struct hs_writer HS_WRITER inner = hs_writer(65536);
            if (depth > 0)
                fill(f->descriptor, depth - 1, &inner);
            hs_write_pb_varint(w, inner.len);
            hs_write_bytes(w, hs_writer_bytes(&inner));
        } else {
            hs_write_pb_varint(w, 1);
        }
    }
}

static void add_messages(void)
{
    for (unsigned i = 0; i < 256; i++) {
        const ProtobufCMessageDescriptor *type = fuzz_type((uint8_t)i);
        if (fuzz_type_choice(type) != i)
            break;
        struct hs_writer HS_WRITER w = hs_writer(65536);
        fill(type, 3, &w);
        uint8_t choices[] = {(uint8_t)i, 1};
        FUZZ_OK(hs_prewalk(type, hs_writer_bytes(&w), HS_STRICT));
        corpus_add("prewalk", type->short_name, hs_bytes(choices, sizeof choices), hs_writer_bytes(&w));
    }
}

/* A frame of every body. */
static void add_bodies(void)
{
    const ProtobufCMessageDescriptor *type = &hanse__frame__descriptor;
    for (unsigned i = 1; i < type->n_fields; i++) {
        struct hs_writer HS_WRITER inner = hs_writer(65536);
        struct hs_writer HS_WRITER w = hs_writer(65536);
        fill(type->fields[i].descriptor, 3, &inner);
        hs_write_u8(&w, 0x08);
        hs_write_u8(&w, 1);
        hs_write_pb_varint(&w, (uint64_t)type->fields[i].id << 3 | 2);
        hs_write_pb_varint(&w, inner.len);
        hs_write_bytes(&w, hs_writer_bytes(&inner));
        FUZZ_OK(w.err);
        uint8_t choices[] = {fuzz_type_choice(type), 0};
        corpus_add("prewalk", type->fields[i].name, hs_bytes(choices, sizeof choices), hs_writer_bytes(&w));
    }
}

void corpus_stream(struct hs_arena *arena)
{
    (void)arena;
    add_frames();
    add_openings();
    add_transport();
    add_messages();
    add_bodies();
}
