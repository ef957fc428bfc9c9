#include "room/context.h"

#include "object/object.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static bool joins_are_distinct(const struct hs_id *joins, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (hs_id_equal(&joins[i], &joins[j]))
                return false;
    return true;
}

enum hs_err hs_message_context_pack(const struct hs_message_context *context, struct hs_writer *out)
{
    HS_REQUIRE(context->join_count <= HS_JOIN_BATCH_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(joins_are_distinct(context->joins, context->join_count), HS_ERR_INVALID_ARG);
    Hanse__MessageContext message = HANSE__MESSAGE_CONTEXT__INIT;
    if (context->has_head) {
        message.head_seq = context->head_seq;
        message.head_hash = hs_pb_data(HS_VIEW(context->head_hash));
    }
    ProtobufCBinaryData joins[HS_JOIN_BATCH_MAX];
    for (size_t i = 0; i < context->join_count; i++)
        joins[i] = hs_pb_data(HS_VIEW(context->joins[i]));
    message.joins = joins;
    message.n_joins = context->join_count;
    message.signed_head = (Hanse__SignedObject *)(uintptr_t)context->signed_head;
    return HS_PACK(&message, out);
}

static enum hs_err joins_read(const Hanse__MessageContext *message, struct hs_arena *arena,
                              struct hs_message_context *out)
{
    HS_REQUIRE(message->n_joins <= HS_JOIN_BATCH_MAX, HS_ERR_TOO_LARGE);
    struct hs_id *joins = hs_arena_alloc(arena, (message->n_joins + 1) * sizeof *joins);
    HS_REQUIRE(joins != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < message->n_joins; i++)
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(message->joins[i]), &joins[i]), HS_ERR_MALFORMED);
    HS_REQUIRE(joins_are_distinct(joins, message->n_joins), HS_ERR_MALFORMED);
    out->joins = joins;
    out->join_count = message->n_joins;
    return HS_OK;
}

enum hs_err hs_message_context_parse(struct hs_bytes bytes, struct hs_arena *arena,
                                     struct hs_message_context *out)
{
    *out = (struct hs_message_context){0};
    HS_REQUIRE(bytes.len <= HS_CONTEXT_MAX, HS_ERR_TOO_LARGE);
    struct hs_arena HS_ARENA scratch = hs_arena(hs_unpack_budget(bytes.len));
    Hanse__MessageContext *message = NULL;
    HS_TRY(HS_UNPACK(hanse__message_context, bytes, HS_LENIENT, &scratch, &message));
    struct hs_message_context context = {.head_seq = message->head_seq,
                                         .has_head = message->head_hash.len > 0};
    if (context.has_head)
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(message->head_hash), &context.head_hash), HS_ERR_MALFORMED);
    else
        HS_REQUIRE(context.head_seq == 0, HS_ERR_MALFORMED);
    HS_TRY(joins_read(message, arena, &context));
    if (message->signed_head != NULL) {
        Hanse__SignedObject *copy;
        HS_TRY(hs_object_copy(message->signed_head, arena, &copy));
        context.signed_head = copy;
    }
    *out = context;
    return HS_OK;
}
