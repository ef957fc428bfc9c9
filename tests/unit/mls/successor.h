/* Groups that follow others: what the tests of ReInit and branches share. */
#ifndef TESTS_MLS_SUCCESSOR_H
#define TESTS_MLS_SUCCESSOR_H

#include "unit/mls/world.h"

/* A person's device in the new group: it has keys of its own for it. */
struct successor {
    struct person person;
    const struct person *from; /* who it was in the old group */
};

static inline void successor_init(struct successor *s, const struct person *from, uint16_t suite)
{
    person_init_with(&s->person, from->name, suite);
    s->from = from;
}

static inline enum hs_err successor_join(struct successor *s, struct hs_bytes welcome)
{
    const struct hs_mls_join join = {
        .welcome = welcome,
        .key_package = hs_writer_bytes(&s->person.key_package),
        .priv = &s->person.priv,
        .signer = &s->person.signer,
        .from = s->from->group,
        .settings = hs_mls_settings_default(),
    };
    person_leave(&s->person);
    return hs_mls_group_join(&join, &s->person.group);
}

static inline struct hs_mls_successor successor_plan(const struct successor *by, enum hs_mls_psk_usage usage,
                                                     const struct hs_bytes *adds, size_t add_count)
{
    return (struct hs_mls_successor){
        .from = by->from->group,
        .usage = usage,
        .leaf = person_params(&by->person),
        .adds = adds,
        .add_count = add_count,
        .tree_in_welcome = true,
        .settings = hs_mls_settings_default(),
    };
}

#endif
