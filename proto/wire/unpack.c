#include "wire/unpack.h"

size_t hs_unpack_budget(size_t len)
{
    return len > (SIZE_MAX - HS_UNPACK_BASE) / HS_UNPACK_FACTOR ? SIZE_MAX
                                                                : HS_UNPACK_FACTOR * len + HS_UNPACK_BASE;
}

/* protobuf-c's view of an arena. */
struct source {
    struct hs_arena *arena;
    bool over;      /* the bytes want more than they may: their fault, not this machine's */
    bool exhausted; /* this machine has no memory */
};

static void *source_alloc(void *data, size_t size)
{
    struct source *source = data;
    void *out = hs_arena_alloc(source->arena, size);
    bool over = out == NULL && !hs_arena_has_room(source->arena, size);
    source->over = source->over || over;
    source->exhausted = source->exhausted || (out == NULL && !over);
    return out;
}

static void source_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer; /* the arena goes as a whole */
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum hs_err hs_unpack(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                      enum hs_strictness strictness, struct hs_arena *arena, ProtobufCMessage **out)
{
    static const uint8_t nothing[1];
    *out = NULL;
    HS_TRY(hs_prewalk(type, bytes, strictness));
    struct source source = {.arena = arena};
    ProtobufCAllocator allocator = {.alloc = source_alloc, .free = source_free, .allocator_data = &source};
    const size_t cap = arena->cap;
    arena->cap = arena->used + min(cap - arena->used, hs_unpack_budget(bytes.len));
    *out = protobuf_c_message_unpack(type, &allocator, bytes.len, bytes.len > 0 ? bytes.data : nothing);
    arena->cap = cap;
    if (*out != NULL)
        return HS_OK;
    return source.over ? HS_ERR_TOO_LARGE : source.exhausted ? HS_ERR_NOMEM : HS_ERR_MALFORMED;
}

enum hs_err hs_pack(const ProtobufCMessage *message, struct hs_writer *out)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *to = hs_writer_reserve(out, len);
    HS_TRY(out->err);
    size_t written = protobuf_c_message_pack(message, to);
    HS_ASSERT(written == len);
    return HS_OK;
}

enum hs_err hs_pack_check(const ProtobufCMessageDescriptor *type, struct hs_bytes bytes,
                          enum hs_strictness strictness)
{
    struct hs_arena HS_ARENA arena = hs_arena(hs_unpack_budget(bytes.len));
    ProtobufCMessage *message = NULL;
    HS_TRY(hs_unpack(type, bytes, strictness, &arena, &message));
    size_t len = protobuf_c_message_get_packed_size(message);
    HS_REQUIRE(len == bytes.len, HS_ERR_MALFORMED);
    struct hs_writer HS_WRITER again = hs_writer(len);
    HS_TRY(hs_pack(message, &again));
    return hs_bytes_equal(hs_writer_bytes(&again), bytes) ? HS_OK : HS_ERR_MALFORMED;
}
