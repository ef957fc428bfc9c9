#include "core/internal.h"
#include "core/turn.h"

#include "wire/limits.h"
#include "wire/unpack.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The effects of one batch: bounded by what the commit thread puts into one. */
enum { EFFECTS_ARENA_CAP = 512 * 1024 * 1024, LOG_LINE = 160 };

struct hs_effects hs_effects(void)
{
    return (struct hs_effects){.arena = hs_arena(EFFECTS_ARENA_CAP)};
}

void hs_effects_reset(struct hs_effects *effects)
{
    hs_arena_free(&effects->arena);
    effects->len = 0;
    effects->incomplete = false;
}

void hs_effects_free(struct hs_effects *effects)
{
    hs_arena_free(&effects->arena);
    free(effects->list);
    *effects = hs_effects();
}

struct hs_effect *hs_effect_add(struct hs_effects *effects, enum hs_effect_kind kind, uint64_t session)
{
    if (effects->len == effects->size) {
        size_t size = effects->size > 0 ? 2 * effects->size : 64;
        struct hs_effect *grown = realloc(effects->list, size * sizeof *grown);
        if (grown == NULL) {
            effects->incomplete = true;
            return NULL;
        }
        effects->list = grown;
        effects->size = size;
    }
    struct hs_effect *effect = &effects->list[effects->len++];
    *effect = (struct hs_effect){.kind = kind, .session = session};
    return effect;
}

void hs_effect_send(struct hs_effects *effects, uint64_t session, struct hs_bytes frame)
{
    struct hs_effect *effect = frame.len > 0 ? hs_effect_add(effects, HS_EFFECT_SEND, session) : NULL;
    if (effect != NULL)
        effect->bytes = frame;
}

struct hs_bytes hs_arena_pack(struct hs_arena *arena, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *out = hs_arena_alloc(arena, len + 1);
    if (out == NULL)
        return (struct hs_bytes){0};
    return hs_bytes(out, protobuf_c_message_pack(message, out));
}

struct hs_bytes hs_effects_pack(struct hs_effects *effects, const ProtobufCMessage *message)
{
    struct hs_bytes out = hs_arena_pack(&effects->arena, message);
    effects->incomplete = effects->incomplete || out.data == NULL;
    return out;
}

struct hs_bytes hs_turn_pack(struct hs_turn *turn, const ProtobufCMessage *message)
{
    struct hs_bytes out = hs_arena_pack(turn->arena, message);
    if (out.data == NULL && turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
    return out;
}

void *hs_turn_message(struct hs_turn *turn, size_t size, const ProtobufCMessageDescriptor *type)
{
    HS_ASSERT(size == type->sizeof_message);
    ProtobufCMessage *message = hs_arena_alloc(turn->arena, size);
    if (message != NULL)
        protobuf_c_message_init(type, message);
    else if (turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
    return message;
}

void hs_turn_send(struct hs_turn *turn, struct hs_session *session, const Hanse__Frame *frame)
{
    struct hs_bytes bytes = hs_effects_pack(turn->effects, &frame->base);
    if (bytes.data == NULL && turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
    hs_effect_send(turn->effects, session->id, bytes);
}

void hs_turn_send_error(struct hs_turn *turn, struct hs_session *session, uint64_t id, enum hs_err err,
                        uint64_t detail)
{
    Hanse__Error error = HANSE__ERROR__INIT;
    Hanse__Frame frame = HANSE__FRAME__INIT;
    error.code = hs_err_to_wire(err);
    error.message = (char *)(uintptr_t)hs_err_text(hs_err_from_wire(error.code));
    error.detail = detail;
    error.retry_after_ms = hs_err_again_ms(hs_err_from_wire(error.code)); /* as its reader sees it */
    frame.id = id;
    frame.body_case = HANSE__FRAME__BODY_ERROR;
    frame.error = &error;
    hs_turn_send(turn, session, &frame);
}

void hs_turn_close(struct hs_turn *turn, struct hs_session *session, enum hs_err err)
{
    struct hs_effect *effect =
        session->closed ? NULL : hs_effect_add(turn->effects, HS_EFFECT_CLOSE, session->id);
    if (effect != NULL)
        effect->err = err;
    session->closed = true;
    hs_session_detach(&turn->core->sessions, session);
}

enum hs_err hs_turn_end(struct hs_turn *turn)
{
    if (turn->effects->incomplete && turn->kv->err == HS_OK)
        turn->kv->err = HS_ERR_NOMEM;
    return turn->kv->err;
}

void hs_turn_log(struct hs_turn *turn, const char *format, ...)
{
    char text[LOG_LINE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *kept = hs_arena_str(&turn->effects->arena, hs_bytes_str(text));
    struct hs_effect *effect = kept != NULL ? hs_effect_add(turn->effects, HS_EFFECT_LOG, 0) : NULL;
    if (effect != NULL)
        effect->text = kept;
}
