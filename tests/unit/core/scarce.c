/* Every input of some stories, and of each scene of other tests some attempts (scarce_sample): see scarce.h.
 */
#include "scarce.h"

#include "support/rng.h"

#include "core/federation/peer.h"
#include "core/internal.h"
#include "wire/unpack.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- allocations ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

size_t scarce_in, scarce_hits, scarce_at;
bool scarce_met;

static bool fails(void)
{
    bool now = scarce_in > 0 && --scarce_in == 0;
    scarce_hits += now ? 1 : 0;
    return now;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

/* ---- every input ---- */

enum { TRIES_MAX = 4096, SAMPLE_INPUTS = 4 /* the first of so many, then fewer */, SAMPLE_TRIES = 8 };

struct scarce_score scarce_score;

/* The answer to the input's request among the effects: 0 none, 1 an error, 2 a good one. */
static int answer_in(const struct hs_effects *effects, const struct hs_core_input *input)
{
    struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
    Hanse__Frame *request, *frame;
    if (input->kind != HS_INPUT_FRAME ||
        HS_UNPACK(hanse__frame, input->bytes, HS_LENIENT, &arena, &request) != HS_OK || request->id == 0)
        return 0;
    for (size_t i = 0; i < effects->len; i++) {
        const struct hs_effect *effect = &effects->list[i];
        if (effect->kind != HS_EFFECT_SEND || effect->session != input->session)
            continue;
        assert_ok(HS_UNPACK(hanse__frame, effect->bytes, HS_LENIENT, &arena, &frame));
        if (frame->id == request->id)
            return frame->body_case == HANSE__FRAME__BODY_ERROR ? 1 : 2;
    }
    return 0;
}

struct outcome {
    bool hit;
    enum hs_err err;
    struct hs_id store;
    int answer;
};

/* Attempts cost nothing: the flows of all who are connected are full again. */
static void refill(struct hs_core *core)
{
    struct hs_session *session, *next;
    struct hs_metered *metered, *next_metered;
    HASH_ITER(hh, core->sessions.by_id, session, next)
    {
        session->meter.begun = false;
    }
    HASH_ITER(hh, core->meters.by_root, metered, next_metered)
    {
        metered->meter.begun = false;
    }
}

/* The attempt's refusal ended its session; the input itself is to be told, too. */
static void reopen(struct hs_core *core, uint64_t id)
{
    struct hs_session *session = NULL;
    HASH_FIND(hh, core->sessions.by_id, &id, sizeof id, session);
    if (session != NULL)
        session->closed = false;
}

/* Carried out with the n-th allocation failing, and undone. */
static struct outcome try_once(struct world_node *node, const struct hs_core_input *input, size_t n)
{
    struct outcome out = {0};
    struct hs_kv *before = world_store_copy(node);
    struct hs_effects effects = hs_effects();
    scarce_hits = 0;
    scarce_in = n;
    out.err = hs_core_step(node->core, node->kv, input, node->world->now, node->full, &effects);
    scarce_in = 0;
    refill(node->core);
    out.hit = scarce_hits > 0;
    if (out.err == HS_OK) {
        out.store = world_store_hash(node);
        out.answer = answer_in(&effects, input);
    }
    hs_core_undone(node->core);
    reopen(node->core, input->session);
    hs_effects_free(&effects);
    hs_kv_memory_free(node->kv);
    node->kv = before;
    return out;
}

/* An attempt that went well is the whole input or nothing of it. */
static void judge(const struct outcome *o, const struct outcome *first, const struct outcome *last,
                  const struct hs_id *before)
{
    scarce_score.aborted += o->err != HS_OK ? 1 : 0;
    scarce_score.refused += o->answer == 1 && last->answer != 1 ? 1 : 0;
    if (o->err != HS_OK)
        return;
    if (o->answer == 2 && !hs_id_equal(&first->store, &last->store))
        return; /* it draws lots: a coupon's unit has a random number */
    /* The first attempt may have had an answer to take, which an attempt that is undone forgets. */
    if (!hs_id_equal(&o->store, &last->store) && !hs_id_equal(&o->store, &first->store)) {
        assert_memory_equal(o->store.b, before->b, sizeof before->b);
        assert_int_not_equal(o->answer, 2);
    }
}

void scarce_once(struct world_node *node, const struct hs_core_input *input)
{
    struct outcome o = try_once(node, input, scarce_at);
    scarce_met = scarce_met || o.hit;
    assert_true(o.err == HS_OK || (o.hit && o.err == HS_ERR_NOMEM));
}

void scarce_sweep(struct world_node *node, const struct hs_core_input *input)
{
    static struct outcome seen[TRIES_MAX];
    struct hs_id before = world_store_hash(node);
    size_t count = 0;
    struct outcome first = try_once(node, input, 0), last = {.hit = true};
    while (last.hit) {
        assert_true(count < TRIES_MAX);
        last = seen[count] = try_once(node, input, count + 1);
        count++;
        assert_true(last.err == HS_OK || (last.hit && last.err == HS_ERR_NOMEM));
    }
    for (size_t i = 0; i + 1 < count; i++)
        judge(&seen[i], &first, &last, &before);
    scarce_score.sweeps++;
    scarce_score.tries += count;
}

/* A request whose refusal ends its session, and one that a home passes on, leave something behind: a session
 * that is over, a question that nobody hears. Attempts can be made of all others. */
static bool leaves_nothing(struct world_node *node, const struct hs_core_input *input)
{
    struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
    struct hs_session *session = NULL;
    Hanse__Frame *frame;
    HASH_FIND(hh, node->core->sessions.by_id, &input->session, sizeof input->session, session);
    if (input->kind != HS_INPUT_FRAME || session == NULL || session->state == HS_SESSION_NEW ||
        session->closed || HS_UNPACK(hanse__frame, input->bytes, HS_LENIENT, &arena, &frame) != HS_OK)
        return false;
    if (node->core->peers.count > 0)
        return session->outbound && (frame->body_case == HANSE__FRAME__BODY_RECORDS ||
                                     frame->body_case == HANSE__FRAME__BODY_INBOX);
    return !session->outbound && frame->body_case != HANSE__FRAME__BODY_FORWARD;
}

void scarce_sample(struct world_node *node, const struct hs_core_input *input)
{
    static struct rng rng;
    if (rng.state == 0)
        rng = rng_new();
    if (!leaves_nothing(node, input) || rng_below(&rng, SAMPLE_INPUTS + scarce_score.sweeps / 4) != 0)
        return;
    struct hs_id before = world_store_hash(node);
    struct outcome first = try_once(node, input, 0), last = try_once(node, input, 0);
    for (size_t i = 0, n = 1; i < SAMPLE_TRIES; i++, n += 1 + rng_below(&rng, n)) {
        struct outcome one = try_once(node, input, n);
        assert_true(one.err == HS_OK || (one.hit && one.err == HS_ERR_NOMEM));
        scarce_score.tries++;
        if (!one.hit)
            break;
        judge(&one, &first, &last, &before);
    }
    scarce_score.sweeps++;
}

void scarce_report(void)
{
    printf("%zu inputs, %zu attempts: %zu aborted, %zu refused\n", scarce_score.sweeps, scarce_score.tries,
           scarce_score.aborted, scarce_score.refused);
}
