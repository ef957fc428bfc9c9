#include "fake_core.h"

#include <stdio.h>
#include <stdlib.h>

struct fake_session {
    uint64_t number;
    size_t budget;
    uint64_t stream; /* bytes still to be sent */
    bool outbound;
};

struct hs_core {
    struct fake_session sessions[FAKE_SESSIONS_MAX];
    size_t count;
    uint64_t dialler; /* the session that asked for the dial under way */
    uint64_t tick_for;
    struct hs_time deadline;
    struct hs_core_stats stats;
};

struct hs_effects hs_effects(void)
{
    return (struct hs_effects){.arena = hs_arena(64 << 20)};
}

void hs_effects_reset(struct hs_effects *effects)
{
    effects->len = 0;
    hs_arena_free(&effects->arena);
}

void hs_effects_free(struct hs_effects *effects)
{
    hs_arena_free(&effects->arena);
    free(effects->list);
    *effects = (struct hs_effects){0};
}

static struct hs_effect *effect_add(struct hs_effects *effects, enum hs_effect_kind kind, uint64_t session)
{
    if (effects->len == effects->size) {
        effects->size = effects->size > 0 ? 2 * effects->size : 16;
        effects->list = realloc(effects->list, effects->size * sizeof *effects->list);
        HS_ASSERT(effects->list != NULL);
    }
    struct hs_effect *effect = &effects->list[effects->len++];
    *effect = (struct hs_effect){.kind = kind, .session = session};
    return effect;
}

static enum hs_err send(struct hs_effects *effects, uint64_t session, struct hs_bytes bytes)
{
    struct hs_bytes copy = hs_arena_copy(&effects->arena, bytes);
    HS_REQUIRE(copy.data != NULL, HS_ERR_NOMEM);
    effect_add(effects, HS_EFFECT_SEND, session)->bytes = copy;
    return HS_OK;
}

static enum hs_err send_number(struct hs_effects *effects, uint64_t session, char op, uint64_t number)
{
    struct hs_kv_key out = {0};
    hs_kv_key_add(&out, hs_bytes(&op, 1));
    hs_kv_key_add_u64(&out, number);
    return send(effects, session, hs_kv_key_bytes(&out));
}

static struct fake_session *find(struct hs_core *core, uint64_t number)
{
    for (size_t i = 0; i < core->count; i++)
        if (core->sessions[i].number == number)
            return &core->sessions[i];
    return NULL;
}

enum hs_err hs_core_new(const struct hs_core_config *config, struct hs_core **out)
{
    (void)config;
    *out = calloc(1, sizeof **out);
    HS_REQUIRE(*out != NULL, HS_ERR_NOMEM);
    (*out)->deadline.ms = INT64_MAX;
    return HS_OK;
}

void hs_core_free(struct hs_core *core)
{
    free(core);
}

static enum hs_err dial(struct hs_core *core, uint64_t session, struct hs_bytes rest,
                        struct hs_effects *effects)
{
    HS_REQUIRE(rest.len > 32 && rest.len < 1000, HS_ERR_INVALID_ARG);
    struct hs_effect *effect = effect_add(effects, HS_EFFECT_DIAL, 0);
    memcpy(effect->root.b, rest.data, 32);
    char text[1000] = {0}, *save = NULL;
    memcpy(text, rest.data + 32, rest.len - 32);
    char(*addresses)[HS_ADDRESS_SIZE] =
        hs_arena_alloc(&effects->arena, (size_t)HS_DIAL_ADDRESSES * HS_ADDRESS_SIZE);
    HS_REQUIRE(addresses != NULL, HS_ERR_NOMEM);
    effect->addresses = (const char(*)[HS_ADDRESS_SIZE])addresses;
    for (char *part = strtok_r(text, " ", &save); part != NULL && effect->address_count < HS_DIAL_ADDRESSES;
         part = strtok_r(NULL, " ", &save))
        snprintf(addresses[effect->address_count++], HS_ADDRESS_SIZE, "%s", part);
    core->dialler = session;
    return HS_OK;
}

static enum hs_err store(struct hs_kv *txn, const struct hs_core_input *input, bool full,
                         struct hs_effects *effects)
{
    struct hs_bytes in = input->bytes;
    HS_REQUIRE(in.len >= 9, HS_ERR_INVALID_ARG);
    struct hs_bytes key = hs_bytes(in.data + 1, 8);
    if (in.data[0] != 'd' && full)
        return send(effects, input->session, hs_bytes_str("F"));
    if (in.data[0] != 'd')
        hs_kv_put(txn, 0, key, hs_bytes(in.data + 9, in.len - 9));
    else
        hs_kv_del(txn, 0, key);
    HS_TRY(txn->err);
    return send_number(effects, input->session, 'a', hs_kv_u64(key));
}

static enum hs_err broadcast(struct hs_core *core, struct hs_bytes frame, struct hs_effects *effects)
{
    struct hs_bytes copy = hs_arena_copy(&effects->arena, frame);
    HS_REQUIRE(copy.data != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < core->count; i++)
        effect_add(effects, HS_EFFECT_SEND, core->sessions[i].number)->bytes = copy;
    core->stats.deliveries += core->count;
    return HS_OK;
}

static void add_streams(struct hs_core *core, uint64_t bytes)
{
    for (size_t i = 0; i < core->count; i++)
        core->sessions[i].stream += bytes;
}

static enum hs_err frame(struct hs_core *core, struct hs_kv *txn, const struct hs_core_input *input,
                         struct hs_time now, bool full, struct hs_effects *effects)
{
    struct hs_bytes in = input->bytes, rest = hs_bytes(in.data + 1, in.len - 1);
    struct fake_session *session = find(core, input->session);
    core->stats.requests++;
    HS_ASSERT(session != NULL);
    switch (in.data[0]) {
    case 'e':
        return send(effects, input->session, in);
    case 'p':
    case 'd':
        return store(txn, input, full, effects);
    case 'w':
        add_streams(core, (in.len - 9) * FAKE_STREAM_FRAME);
        return store(txn, input, full, effects);
    case 's':
        session->stream += hs_kv_u64(rest);
        return HS_OK;
    case 'S':
        add_streams(core, hs_kv_u64(rest));
        return HS_OK;
    case 'b':
        return broadcast(core, in, effects);
    case 'A':
        effect_add(effects, HS_EFFECT_AUTHENTICATED, input->session);
        return send(effects, input->session, in);
    case 'c':
        effect_add(effects, HS_EFFECT_CLOSE, input->session)->err = HS_ERR_DENIED;
        return HS_OK;
    case 'D':
        return dial(core, input->session, rest, effects);
    case 'f':
        return send(effects, hs_kv_u64(hs_bytes(rest.data, 8)), hs_bytes(rest.data + 8, rest.len - 8));
    case 'm':
        return HS_ERR_NOMEM;
    case 'l':
        effect_add(effects, HS_EFFECT_LOG, 0)->text = hs_arena_str(&effects->arena, rest);
        return HS_OK;
    case 't':
        core->tick_for = input->session;
        core->deadline.ms = now.ms + (int64_t)hs_kv_u64(rest);
        return HS_OK;
    default:
        if (core->dialler != 0) /* what the dialled node says goes to who asked for it */
            return send(effects, core->dialler, in);
        return HS_OK;
    }
}

static enum hs_err tick(struct hs_core *core, struct hs_time now, struct hs_effects *effects)
{
    core->stats.refused++; /* counts ticks here */
    if (now.ms < core->deadline.ms)
        return HS_OK;
    core->deadline.ms = INT64_MAX;
    return find(core, core->tick_for) != NULL ? send(effects, core->tick_for, hs_bytes_str("t")) : HS_OK;
}

static enum hs_err opened(struct hs_core *core, const struct hs_core_input *input, struct hs_effects *effects)
{
    HS_ASSERT(core->count < FAKE_SESSIONS_MAX && input->session != 0);
    HS_ASSERT(find(core, input->session) == NULL);
    core->sessions[core->count++] =
        (struct fake_session){.number = input->session, .outbound = input->outbound};
    core->stats.sessions = core->count;
    return input->outbound ? send_number(effects, core->dialler, 'o', input->session) : HS_OK;
}

enum hs_err hs_core_step(struct hs_core *core, struct hs_kv *txn, const struct hs_core_input *input,
                         struct hs_time now, bool full, struct hs_effects *effects)
{
    struct fake_session *session = find(core, input->session);
    switch (input->kind) {
    case HS_INPUT_OPEN:
        return opened(core, input, effects);
    case HS_INPUT_FRAME:
        return session != NULL ? frame(core, txn, input, now, full, effects) : HS_OK;
    case HS_INPUT_STOP:
        return HS_OK;
    case HS_INPUT_CLOSED:
        if (session != NULL)
            *session = core->sessions[--core->count];
        core->stats.sessions = core->count;
        return HS_OK;
    case HS_INPUT_ROOM:
        if (session != NULL)
            session->budget = input->budget;
        return HS_OK;
    case HS_INPUT_DIAL_FAILED:
        return find(core, core->dialler) != NULL ? send(effects, core->dialler, hs_bytes_str("x")) : HS_OK;
    case HS_INPUT_BLOB:
        return HS_OK;
    case HS_INPUT_PEER_RULES:
    case HS_INPUT_DISCOVERED:
    case HS_INPUT_WOKEN:
    case HS_INPUT_DESCRIPTOR:
    case HS_INPUT_TICK:
        return tick(core, now, effects);
    case HS_INPUT_ADMIN: { /* the question comes back as the answer */
        struct hs_effect *effect = effect_add(effects, HS_EFFECT_ADMIN, input->session);
        effect->bytes = hs_arena_copy(&effects->arena, input->bytes);
        return HS_OK;
    }
    }
    return HS_ERR_INVALID_ARG;
}

void hs_core_undone(struct hs_core *core)
{
    (void)core;
}

/* Some frames of a session's stream; each says how much was left before it. */
static enum hs_err pump_session(struct fake_session *session, struct hs_effects *effects, bool *more)
{
    enum { AT_ONCE = 32 };
    uint8_t chunk[FAKE_STREAM_FRAME] = {'s'};
    for (int n = 0; session->stream > 0 && session->budget >= sizeof chunk; n++) {
        if (n == AT_ONCE) { /* the next session's turn */
            *more = true;
            break;
        }
        for (size_t i = 0; i < 8; i++)
            chunk[1 + i] = (uint8_t)(session->stream >> (56 - 8 * i));
        HS_TRY(send(effects, session->number, hs_bytes(chunk, sizeof chunk)));
        session->budget -= sizeof chunk;
        session->stream -= session->stream < sizeof chunk ? session->stream : sizeof chunk;
    }
    return HS_OK;
}

/* Twice: a session may come again in a round. */
enum hs_err hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                         struct hs_effects *effects, bool *more)
{
    (void)txn;
    (void)now;
    for (int pass = 0; pass < 2; pass++) {
        *more = false;
        for (size_t i = 0; i < core->count; i++)
            HS_TRY(pump_session(&core->sessions[i], effects, more));
    }
    return HS_OK;
}

struct hs_time hs_core_deadline(const struct hs_core *core)
{
    return core->deadline;
}

struct hs_core_stats hs_core_stats(const struct hs_core *core)
{
    return core->stats;
}
