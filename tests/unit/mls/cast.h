/* Alice, Bob, Carol and Dave, met anew before each test; the first of them share a room. */
#ifndef TESTS_MLS_CAST_H
#define TESTS_MLS_CAST_H

#include "unit/mls/world.h"

struct cast {
    struct person alice, bob, carol, dave;
    struct hs_mls_public *hub; /* NULL where none watches */
};

/* They have keys, and no group yet. settings: NULL for those that are usual. */
static inline struct cast *cast_meet(void **state, const struct hs_mls_settings *settings)
{
    static struct cast cast;
    struct person *all[] = {&cast.alice, &cast.bob, &cast.carol, &cast.dave};
    static const char *const names[] = {"alice", "bob", "carol", "dave"};
    for (size_t i = 0; i < 4; i++) {
        person_init(all[i], names[i]);
        if (settings != NULL)
            all[i]->settings = *settings;
    }
    *state = &cast;
    return &cast;
}

/* Alice, who created the room, adds the others one by one until so many are in. */
static inline void cast_gather(struct cast *c, size_t members)
{
    struct person *all[] = {&c->alice, &c->bob, &c->carol, &c->dave};
    for (size_t i = 1; i < members; i++) {
        world_add(all[0], all[i], all + 1, i - 1);
        for (size_t k = 0; k < i && all[k]->settings.settling; k++)
            assert_ok(hs_mls_group_settle(all[k]->group));
    }
}

static inline struct cast *cast_found(void **state, const struct hs_mls_settings *settings, size_t members)
{
    struct cast *c = cast_meet(state, settings);
    person_create(&c->alice, "policy");
    cast_gather(c, members);
    return c;
}

/* As above, and a hub follows the room from there. */
static inline struct cast *cast_found_watched(void **state, size_t members)
{
    struct cast *c = cast_found(state, NULL, members);
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &c->hub));
    return c;
}

/* What most tests begin with. */
static inline int cast_of_one(void **state)
{
    cast_found(state, NULL, 1);
    return 0;
}

static inline int cast_of_two(void **state)
{
    cast_found(state, NULL, 2);
    return 0;
}

static inline int cast_of_three(void **state)
{
    cast_found(state, NULL, 3);
    return 0;
}

static inline int cast_of_three_settling(void **state)
{
    struct hs_mls_settings settings = hs_mls_settings_default();
    settings.settling = true;
    cast_found(state, &settings, 3);
    return 0;
}

static inline int cast_teardown(void **state)
{
    struct cast *c = *state;
    person_free(&c->alice);
    person_free(&c->bob);
    person_free(&c->carol);
    person_free(&c->dave);
    hs_mls_public_free_at(&c->hub);
    return 0;
}

/* A test that begins with what setup makes. */
#define CAST_TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, cast_teardown)

#endif
