#include "bench/mls_world.h"

#include <stdlib.h>

static void person_init(struct mls_person *person, const struct hs_mls_suite *suite, size_t number)
{
    *person = (struct mls_person){.key_package = hs_writer(MLS_CAP)};
    memcpy(person->identity, &number, sizeof number);
    FUZZ_OK(hs_mls_signer_random(suite, &person->signer));
    struct hs_mls_leaf_params params = mls_person_params(person);
    FUZZ_OK(hs_mls_key_package_new(&params, false, &person->key_package, &person->priv));
}

void mls_world_init(struct mls_world *world, const struct hs_mls_suite *suite, size_t size)
{
    *world = (struct mls_world){.suite = suite, .size = size};
    world->people = malloc((size + 1) * sizeof *world->people);
    HS_ASSERT(world->people != NULL);
    for (size_t i = 0; i <= size; i++)
        person_init(&world->people[i], suite, i);
}

void mls_world_leave(struct mls_world *world)
{
    for (size_t i = 0; i <= world->size; i++)
        hs_mls_group_free_at(&world->people[i].group);
}

void mls_world_free(struct mls_world *world)
{
    mls_world_leave(world);
    for (size_t i = 0; i <= world->size; i++)
        hs_writer_free(&world->people[i].key_package);
    free(world->people);
    *world = (struct mls_world){0};
}

size_t mls_levels(size_t n)
{
    size_t levels = 0;
    while ((size_t)1 << levels < n)
        levels++;
    return levels;
}

size_t mls_role_leaf(const struct mls_world *world, enum mls_role role)
{
    const size_t width = (size_t)1 << mls_levels(world->n);
    switch (role) {
    case MLS_NEAR:
        return 1;
    case MLS_MIDDLE:
        return width / 4;
    case MLS_FAR:
        return world->n - 1;
    default:
        return 0;
    }
}

struct hs_mls_leaf_params mls_person_params(const struct mls_person *person)
{
    return (struct hs_mls_leaf_params){.signer = &person->signer,
                                       .identity = hs_bytes(person->identity, sizeof person->identity),
                                       .not_after = 2 * MLS_NOW};
}

struct hs_mls_group *mls_person_create(const struct mls_person *person)
{
    struct hs_mls_create create = {.leaf = mls_person_params(person),
                                   .group_id = hs_bytes_str("bench"),
                                   .settings = hs_mls_settings_default()};
    struct hs_mls_group *group;
    FUZZ_OK(hs_mls_group_create(&create, &group));
    return group;
}

struct hs_mls_group *mls_person_join(const struct mls_person *person, struct hs_bytes welcome,
                                     struct hs_bytes tree)
{
    struct hs_mls_join join = {.welcome = welcome,
                               .key_package = hs_writer_bytes(&person->key_package),
                               .priv = &person->priv,
                               .signer = &person->signer,
                               .tree = tree,
                               .settings = hs_mls_settings_default()};
    struct hs_mls_group *group;
    FUZZ_OK(hs_mls_group_join(&join, &group));
    return group;
}

void mls_group_add(struct hs_mls_group *by, const struct mls_person *first, size_t count, bool with_tree,
                   const struct hs_mls_commit_result *result)
{
    struct hs_bytes *adds = malloc((count + 1) * sizeof *adds);
    HS_ASSERT(adds != NULL);
    for (size_t i = 0; i < count; i++)
        adds[i] = hs_writer_bytes(&first[i].key_package);
    struct hs_mls_commit_request request = {.adds = adds, .add_count = count, .tree_in_welcome = with_tree};
    FUZZ_OK(hs_mls_group_commit(by, &request, result));
    free(adds);
}

void mls_group_turn(struct hs_mls_group *by, struct hs_writer *commit)
{
    struct hs_mls_commit_request request = {.force_path = true};
    struct hs_mls_commit_result result = {.commit = commit};
    hs_writer_reset(commit);
    FUZZ_OK(hs_mls_group_commit(by, &request, &result));
    FUZZ_OK(hs_mls_group_accept(by));
}

void mls_group_follow(struct hs_mls_group *group, const struct hs_writer *commit)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    FUZZ_OK(hs_mls_group_process(group, hs_writer_bytes(commit), &event));
    FUZZ_OK(hs_mls_group_merge(group, event->staged));
}

bool mls_role_counts(const struct mls_world *world, enum mls_role role)
{
    for (enum mls_role before = MLS_COMMITTER; before < role; before++)
        if (mls_role(world, before) == mls_role(world, role))
            return false;
    return role != MLS_COMMITTER && mls_role(world, role)->group != NULL;
}

void mls_world_follow(const struct mls_world *world, const struct hs_writer *commit)
{
    for (enum mls_role role = MLS_NEAR; role < MLS_ROLES; role++)
        if (mls_role_counts(world, role))
            mls_group_follow(mls_role(world, role)->group, commit);
}
