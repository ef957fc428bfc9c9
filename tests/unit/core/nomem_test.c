/* Memory runs out at every allocation of every input of some stories. The core says so and the transaction is
 * aborted, or the asker is told, or it didn't matter: what was answered well is in the store, and the same
 * input carried out again comes out as ever. (NODE-9, DELIVERY-1, DELIVERY-3) */
#include "world.h"

#include "core/internal.h"
#include "core/peer.h"
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

static size_t fail_in; /* that one from now fails; 0: none */
static bool fail_on;   /* and all behind it */
static size_t failures;

static bool fails(void)
{
    bool now = fail_in > 0 && --fail_in == 0;
    if (now && fail_on)
        fail_in = 1;
    failures += now ? 1 : 0;
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

enum { TRIES_MAX = 4096 };

static size_t sweeps, tries, aborted, refused;

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

/* Carried out with the n-th allocation failing, and undone. */
static struct outcome try_once(struct world_node *node, const struct hs_core_input *input, size_t n)
{
    struct outcome out = {0};
    struct hs_kv *before = world_store_copy(node);
    struct hs_effects effects = hs_effects();
    failures = 0;
    fail_in = n;
    out.err = hs_core_step(node->core, node->kv, input, node->world->now, node->full, &effects);
    fail_in = 0;
    refill(node->core);
    out.hit = failures > 0;
    if (out.err == HS_OK) {
        out.store = world_store_hash(node);
        out.answer = answer_in(&effects, input);
    }
    hs_core_undone(node->core);
    hs_effects_free(&effects);
    hs_kv_memory_free(node->kv);
    node->kv = before;
    return out;
}

static void sweep(struct world_node *node, const struct hs_core_input *input)
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
    for (size_t i = 0; i + 1 < count; i++) {
        const struct outcome *o = &seen[i];
        aborted += o->err != HS_OK ? 1 : 0;
        refused += o->answer == 1 && last.answer != 1 ? 1 : 0;
        if (o->err != HS_OK)
            continue;
        /* The first attempt may have had an answer to take, which an attempt that is undone forgets. */
        if (!hs_id_equal(&o->store, &last.store) && !hs_id_equal(&o->store, &first.store)) {
            assert_memory_equal(o->store.b, before.b, sizeof before.b); /* whole or not at all */
            assert_int_not_equal(o->answer, 2);
        }
    }
    sweeps++;
    tries += count;
}

static struct world *scarce_world(void)
{
    struct world *w = world_new();
    w->before_step = sweep;
    return w;
}

static void one_node(void **state)
{
    (void)state;
    struct world HS_WORLD *w = scarce_world();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(node, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    assert_ok(world_post(room, "0", NULL));
    assert_ok(world_post(alices, "1", NULL));
    world_settle(w);
    assert_int_equal(alices->post_count, 2);
    world_disconnect(alice);
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    assert_ok(world_update(alices));
    assert_ok(world_remove(room, alices));
    world_disconnect(owner);
    world_pass(w, 5000);
    printf("%zu inputs, %zu attempts: %zu aborted, %zu refused\n", sweeps, tries, aborted, refused);
}

/* What an attempt that is undone would have sent to the hub is lost, and asked again after a while. */
static void hub_and_home(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, "home.example");
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    w->before_step = sweep;
    assert_ok(world_post(alices, "0", NULL));
    assert_ok(world_post(room, "1", NULL));
    world_pass(w, 1000);
    w->before_step = NULL;
    for (int i = 0; i < 5; i++)
        world_pass(w, HS_POST_MS / 2);
    assert_int_equal(room->post_count, 2);
    assert_int_equal(alices->post_count, 2);
    world_node_restart(home);
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    w->before_step = sweep;
    world_pass(w, 1000);
    assert_ok(world_post(room, "2", NULL));
    world_settle(w);
    w->before_step = NULL;
    for (int i = 0; i < 5; i++)
        world_pass(w, HS_POST_MS / 2);
    assert_int_equal(alices->post_count, 3);
    printf("%zu inputs, %zu attempts: %zu aborted, %zu refused\n", sweeps, tries, aborted, refused);
}

/* A core that starts without memory knows whom it follows once there is some. */
static void a_start_without_memory(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *hub = world_node_new(w, "hub.example"), *home = world_node_new(w, "home.example");
    struct world_device *owner = world_staff(hub, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(home, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    w->before_step = sweep;
    world_node_restart(home); /* its first step reads whom it follows */
    w->before_step = NULL;
    for (int i = 0; i < 5; i++)
        world_pass(w, HS_DIAL_MS);
    assert_true(world_are_linked(home, hub));
    assert_ok(world_connect(alice, NULL));
    world_attach(alice);
    assert_ok(world_post(room, "0", NULL));
    world_settle(w);
    assert_int_equal(alices->post_count, 1);
}

enum hs_err __real_hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                                struct hs_effects *effects, bool *more);
enum hs_err __wrap_hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                                struct hs_effects *effects, bool *more);

static size_t pump_fails_at; /* at that allocation; 0: never */
static bool pump_hit, pump_ended;

/* Where the pump fails the process ends: nothing that it has found goes out. */
enum hs_err __wrap_hs_core_pump(struct hs_core *core, struct hs_kv *txn, struct hs_time now,
                                struct hs_effects *effects, bool *more)
{
    bool here = pump_fails_at > 0 && !pump_hit;
    failures = 0;
    fail_in = here ? pump_fails_at : 0;
    enum hs_err err = __real_hs_core_pump(core, txn, now, effects, more);
    fail_in = 0;
    pump_hit = pump_hit || failures > 0;
    assert_true(err == HS_OK || (failures > 0 && err == HS_ERR_NOMEM));
    if (err == HS_OK)
        return HS_OK;
    pump_ended = true;
    *more = false;
    txn->err = HS_OK;
    hs_effects_reset(effects);
    return HS_OK;
}

/* DELIVERY-7: a delivery that finds no memory is made, or the process ends and it is made later; no record is
 * passed over in silence. */
static void deliveries_without_memory(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_device *alice = world_customer(node, "alice");
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 1);
    struct world_room *alices = world_join(alice, room, &invite);
    size_t posts = 0, ended = 0;
    for (pump_hit = true; pump_hit;) {
        pump_hit = pump_ended = false;
        pump_fails_at = posts + 1;
        Hanse__Frame *frame = world_post_frame(room, world_protect(room, "x"));
        strcpy(room->sent[room->sent_count++], "x");
        enum hs_err err = world_ask(owner, frame, NULL);
        pump_fails_at = 0;
        posts++;
        ended += pump_ended ? 1 : 0;
        assert_true(err == HS_OK || pump_ended);
        if (pump_ended) {
            world_node_restart(node);
            assert_ok(world_connect(owner, NULL));
            world_attach(owner);
            assert_ok(world_connect(alice, NULL));
            world_attach(alice);
        }
        world_settle(w);
        assert_int_equal(alices->post_count, posts);
    }
    printf("%zu allocations of a delivery, %zu ends\n", posts - 1, ended);
    assert_true(posts > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_node),
        cmocka_unit_test(hub_and_home),
        cmocka_unit_test(a_start_without_memory),
        cmocka_unit_test(deliveries_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
