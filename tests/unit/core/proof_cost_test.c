/* What it costs a ledger that was put back to look at what it is shown. */
#include "proof_scene.h"

#include "core/ledger.h"
#include "crypto/sign.h"

static size_t checks; /* of signatures, in this process */

enum hs_err __real_hs_verify(const struct hs_key *key, struct hs_bytes message, struct hs_bytes sig);
enum hs_err __wrap_hs_verify(const struct hs_key *key, struct hs_bytes message, struct hs_bytes sig);

enum hs_err __wrap_hs_verify(const struct hs_key *key, struct hs_bytes message, struct hs_bytes sig)
{
    checks++;
    return __real_hs_verify(key, message, sig);
}

/* The chain of the frame with these descriptors of the hub beside: all of them genuine, and of no use. */
static Hanse__Frame *stuffed(struct scene *s, struct shown *list, Hanse__SignedObject **ballast, size_t count)
{
    Hanse__Frame *frame = frame_of(s, list);
    Hanse__SignedObject **chain = hs_arena_alloc(&s->w->arena, (HS_CHAIN_MAX + 1) * sizeof *chain);
    size_t n = frame->show_proofs->n_chain;
    memcpy(chain, frame->show_proofs->chain, n * sizeof *chain);
    for (size_t i = 0; n < count; i++)
        chain[n++] = ballast[i];
    frame->show_proofs->chain = chain;
    frame->show_proofs->n_chain = n;
    return frame;
}

/* As many objects of the hub's root as make any chain too long. */
static Hanse__SignedObject **ballast_new(struct scene *s)
{
    Hanse__SignedObject **ballast = hs_arena_alloc(&s->w->arena, (HS_CHAIN_MAX + 1) * sizeof *ballast);
    struct hs_descriptor d;
    assert_ok(hs_descriptor_open(s->hub->descriptor, &s->hub->root.pub, &d));
    for (size_t i = 0; i <= HS_CHAIN_MAX; i++) {
        d.sequence++;
        assert_ok(hs_descriptor_build(&s->hub->root, &d, s->w->now, &s->w->arena, &ballast[i]));
    }
    return ballast;
}

static size_t cost_of(struct scene *s, Hanse__Frame *frame, uint32_t taken)
{
    Hanse__Frame *answer;
    checks = 0;
    assert_ok(world_ask_hub(s->till, s->hub, frame, &answer));
    assert_int_equal(answer->body_case, HANSE__FRAME__BODY_PROOFS_SHOWN);
    assert_int_equal(answer->proofs_shown->taken, taken);
    return checks;
}

static size_t cost_of_refused(struct scene *s, Hanse__Frame *frame)
{
    Hanse__Frame *answer;
    checks = 0;
    assert_err(world_ask_hub(s->till, s->hub, frame, &answer), HS_ERR_TOO_LARGE);
    return checks;
}

static void put(struct scene *s, Hanse__SignedObject *def, Hanse__SignedObject **ballast)
{
    struct shown none = {0};
    Hanse__Frame *frame = world_frame(s->w), *answer;
    frame->ledger = WORLD_NEW(s->w, Hanse__Ledger, hanse__ledger);
    frame->body_case = HANSE__FRAME__BODY_LEDGER;
    frame->ledger->request = def;
    Hanse__ShowProofs *with = stuffed(s, &none, ballast, HS_CHAIN_MAX)->show_proofs;
    frame->ledger->chain = with->chain;
    frame->ledger->n_chain = with->n_chain;
    assert_ok(world_ask_hub(s->owner, s->hub, frame, &answer));
}

static size_t kept_with(struct scene *s, Hanse__SignedObject *object)
{
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    struct hs_turn turn = {.core = s->hub->core, .kv = s->hub->kv, .now = s->w->now, .arena = &arena};
    struct hs_id id = hs_object_id(object);
    Hanse__State__DefView *view;
    struct hs_coupon_def def;
    Hanse__Chain *kept;
    assert_ok(hs_ledger_def(&turn, &id, &def, &view));
    assert_ok(HS_UNPACK(hanse__chain, hs_pb_bytes(view->chain), HS_LENIENT, &arena, &kept));
    return kept->n_objects;
}

static Hanse__SignedObject *numbered_def(struct scene *s, size_t i)
{
    return def_new(s, s->owner, (uint32_t)i + 2);
}

/* DEAL-43: of what comes along with a definition the ledger keeps what proves it; of one that it knows the id
 * is enough. */
static void known_definitions_cost_nothing(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct shown list = {0};
    Hanse__SignedObject **ballast = ballast_new(&s);
    for (size_t i = 0; i < HS_PROOFS_MAX; i++) {
        Hanse__SignedObject *def = numbered_def(&s, i);
        put(&s, def, ballast);
        assert_int_equal(kept_with(&s, def), 2); /* certificate and grant */
        add(&s, &list, def);
        w->now.ms += 1000; /* so much may be asked */
    }
    restore(&s, world_store_copy(s.hub));
    Hanse__Frame *frame = frame_of(&s, &list);
    assert_int_equal(cost_of(&s, frame, 0), frame->show_proofs->n_chain);
}

/* DEAL-43: nor does a definition that coupons refer to, also where they are of many. */
static void coupons_cost_one_each(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct shown list = {0};
    struct hs_kv *backup = NULL;
    enum { DEFS = 4, CLAIMS = 2 };
    struct hs_id ids[DEFS];
    for (size_t i = 0; i < DEFS; i++) {
        Hanse__SignedObject *def = numbered_def(&s, i);
        ids[i] = hs_object_id(def);
        assert_ok(ledger(&s, s.owner, def, s.owner, NULL, NULL));
    }
    (void)world_join(s.bob, s.room, &s.invite);
    backup = world_store_copy(s.hub);
    for (size_t i = 0; i < CLAIMS * DEFS; i++) { /* the next one is always of another definition */
        struct world_device *who = i < DEFS ? s.alice : s.bob;
        Hanse__SignedObject *coupon;
        s.def_id = ids[i % DEFS];
        assert_ok(ledger(&s, who, claim_new(&s, who), who, NULL, &coupon));
        add(&s, &list, coupon);
    }
    restore(&s, backup);
    Hanse__Frame *frame = frame_of(&s, &list);
    size_t first = cost_of(&s, frame, CLAIMS * DEFS);
    assert_int_equal(first, frame->show_proofs->n_chain + CLAIMS * DEFS);
    assert_int_equal(cost_of(&s, frame, 0), frame->show_proofs->n_chain);
}

/* DEAL-43: the longest frame there may be takes as many checks as the limit says; a longer one none. */
static void a_frame_at_the_limit(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w, false);
    struct shown list = {0};
    Hanse__SignedObject **ballast = ballast_new(&s);
    restore(&s, world_store_copy(s.hub));
    for (size_t i = 0; i < HS_PROOFS_MAX; i++)
        add(&s, &list, numbered_def(&s, i));
    assert_int_equal(cost_of_refused(&s, stuffed(&s, &list, ballast, HS_CHAIN_MAX + 1)), 0);
    assert_int_equal(cost_of(&s, stuffed(&s, &list, ballast, HS_CHAIN_MAX), HS_PROOFS_MAX), HS_PROOFS_CHECKS);
    add(&s, &list, numbered_def(&s, HS_PROOFS_MAX));
    assert_int_equal(cost_of_refused(&s, stuffed(&s, &list, ballast, HS_CHAIN_MAX)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_definitions_cost_nothing),
        cmocka_unit_test(coupons_cost_one_each),
        cmocka_unit_test(a_frame_at_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
