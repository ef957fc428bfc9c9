/* Twelve people, sixty epochs, whatever comes to their minds; members and hub must stay of one mind. The seed
 * is printed, and taken from the first argument where there is one. */
#include "unit/mls/world.h"

#include <stdlib.h>
#include <time.h>

enum { PEOPLE = 12, EPOCHS = 60 };

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % below;
}

struct world {
    struct person people[PEOPLE];
    struct hs_mls_public *hub;
};

static bool is_in(const struct person *p)
{
    return p->group != NULL && !hs_mls_group_is_removed(p->group);
}

static struct person *some_member(struct world *w)
{
    struct person *p;
    do
        p = &w->people[draw(PEOPLE)];
    while (!is_in(p));
    return p;
}

static size_t count_members(struct world *w)
{
    size_t count = 0;
    for (size_t i = 0; i < PEOPLE; i++)
        count += is_in(&w->people[i]);
    return count;
}

/* The hub and all members take a proposal. */
static void spread_proposal(struct world *w, struct hs_bytes message)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(w->hub, message, &event));
    for (size_t i = 0; i < PEOPLE; i++)
        if (is_in(&w->people[i]))
            person_hear(&w->people[i], message);
}

static void propose_something(struct world *w)
{
    struct hs_writer HS_WRITER message = hs_writer(CAP);
    struct person *p = some_member(w);
    const struct hs_mls_extension policy = {.type = ROOM_POLICY, .data = hs_bytes(&seed, 4)};
    switch (draw(4)) {
    case 0:
        assert_ok(propose_update(p, "", &message));
        break;
    case 1: /* leaving, if somebody stays to commit it */
        if (count_members(w) < 4)
            return;
        assert_ok(propose_remove(p, hs_mls_group_own_leaf(p->group), &message));
        break;
    case 2:
        assert_ok(propose_extensions(p, &policy, 1, &message));
        break;
    default:
        return;
    }
    spread_proposal(w, hs_writer_bytes(&message));
}

struct plan {
    struct hs_mls_commit_request request;
    struct hs_bytes adds[PEOPLE];
    uint32_t removes[PEOPLE];
    struct person *joiners[PEOPLE];
};

static void make_plan(struct world *w, const struct person *by, struct plan *plan)
{
    struct hs_mls_commit_request *r = &plan->request;
    *plan = (struct plan){.request = {.adds = plan->adds, .removes = plan->removes, .tree_in_welcome = true}};
    r->force_path = draw(2) == 0;
    for (size_t i = 0; i < PEOPLE; i++) {
        struct person *p = &w->people[i];
        if (!is_in(p) && draw(4) == 0) {
            person_leave(p);
            person_key_package(p);
            plan->adds[r->add_count] = hs_writer_bytes(&p->key_package);
            plan->joiners[r->add_count++] = p;
        } else if (is_in(p) && p != by && draw(8) == 0 && count_members(w) > 3) {
            plan->removes[r->remove_count++] = hs_mls_group_own_leaf(p->group);
        }
    }
}

static void all_follow(struct world *w, const struct person *by, struct hs_bytes commit)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        struct person *p = &w->people[i];
        if (!is_in(p) || p == by)
            continue;
        if (draw(3) == 0)
            person_restart(p);
        person_follow(p, commit);
    }
}

static void one_epoch(struct world *w)
{
    struct sent SENT s = sent_new();
    struct plan plan;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    for (uint32_t i = draw(3); i > 0; i--)
        propose_something(w);
    struct person *by = some_member(w);
    make_plan(w, by, &plan);
    enum hs_err err = person_try_commit(by, &plan.request, &s);
    while (err == HS_ERR_INVALID_STATE) { /* it is about to leave */
        by = some_member(w);
        for (uint32_t i = 0; i < plan.request.remove_count; i++)
            if (plan.removes[i] == hs_mls_group_own_leaf(by->group))
                plan.request.remove_count = 0;
        err = person_try_commit(by, &plan.request, &s);
    }
    assert_ok(err);
    if (draw(3) == 0)
        person_restart(by);
    assert_ok(hs_mls_public_process(w->hub, hs_writer_bytes(&s.commit), &event));
    assert_ok(hs_mls_staged_matches(event->staged, hs_writer_bytes(&s.group_info)));
    assert_ok(hs_mls_public_merge(w->hub, event->staged));
    assert_ok(hs_mls_group_accept(by->group));
    all_follow(w, by, hs_writer_bytes(&s.commit));
    for (size_t i = 0; i < plan.request.add_count; i++)
        assert_ok(person_try_join(plan.joiners[i], hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
}

static void check_world(struct world *w)
{
    struct person *a = some_member(w), *b = some_member(w);
    for (size_t i = 0; i < PEOPLE; i++)
        if (is_in(&w->people[i]))
            assert_same_epoch(a, &w->people[i]);
    assert_bytes(hs_mls_public_context(w->hub), hs_mls_public_context(hs_mls_group_public(a->group)));
    assert_int_equal(hs_mls_public_member_count(w->hub), count_members(w));
    if (a != b)
        assert_talks(a, b, "are we of one mind?");
    /* whoever comes new to the public state finds it valid */
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    struct hs_mls_public HS_MLS_PUBLIC *fresh = NULL;
    assert_ok(hs_mls_group_info(a->group, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &fresh));
}

static void of_one_mind(void **state)
{
    (void)state;
    static struct world w;
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < PEOPLE; i++) {
        char name[16];
        snprintf(name, sizeof name, "person %d", i);
        person_init(&w.people[i], name);
    }
    person_create(&w.people[0], "policy");
    assert_ok(hs_mls_group_info(w.people[0].group, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &w.hub));
    for (int i = 0; i < EPOCHS; i++) {
        one_epoch(&w);
        check_world(&w);
    }
    assert_int_equal(hs_mls_public_epoch(w.hub), EPOCHS);
    for (int i = 0; i < PEOPLE; i++)
        person_free(&w.people[i]);
    hs_mls_public_free(w.hub);
}

int main(int argc, char **argv)
{
    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    const struct CMUnitTest tests[] = {cmocka_unit_test(of_one_mind)};
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
