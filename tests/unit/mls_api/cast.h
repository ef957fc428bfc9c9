/* Anna, Ben, Cleo and Dora, met anew before each test; or Anna alone. */
#ifndef TESTS_MLS_API_CAST_H
#define TESTS_MLS_API_CAST_H

#include "unit/mls_api/club.h"

struct cast {
    struct person anna, ben, cleo, dora;
};

/* They have keys, and no group yet. */
static inline int cast_of_strangers(void **state)
{
    static struct cast cast;
    person_init(&cast.anna, "Anna");
    person_init(&cast.ben, "Ben");
    person_init(&cast.cleo, "Cleo");
    person_init(&cast.dora, "Dora");
    *state = &cast;
    return 0;
}

/* Anna has a club. */
static inline int cast_of_one(void **state)
{
    cast_of_strangers(state);
    struct cast *c = *state;
    person_create(&c->anna, NULL);
    return 0;
}

/* Ben is in it too. */
static inline int cast_of_two(void **state)
{
    cast_of_one(state);
    struct cast *c = *state;
    person_adds(&c->anna, &c->ben);
    return 0;
}

static inline int cast_teardown(void **state)
{
    struct cast *c = *state;
    person_free(&c->anna);
    person_free(&c->ben);
    person_free(&c->cleo);
    person_free(&c->dora);
    return 0;
}

/* A test that begins with what setup makes. */
#define CAST_TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, cast_teardown)

static inline int anna_setup(void **state)
{
    static struct person anna;
    person_init(&anna, "Anna");
    *state = &anna;
    return 0;
}

static inline int anna_teardown(void **state)
{
    person_free(*state);
    return 0;
}

#define ANNA_TEST(name, setup) cmocka_unit_test_setup_teardown(name, setup, anna_teardown)

#endif
