/* Groups of any size to measure: members with their KeyPackages, and trees in the states that matter. */
#ifndef TESTS_BENCH_MLS_WORLD_H
#define TESTS_BENCH_MLS_WORLD_H

#include "bench/bench.h"

#include "mls/external.h"
#include "mls/group.h"

/* The longest message of a run: a commit that adds 10,000. */
enum { MLS_CAP = 64 << 20, MLS_NOW = 1000 };

struct mls_person {
    struct hs_mls_signer signer;
    struct hs_writer key_package;
    struct hs_mls_key_package_private priv;
    uint8_t identity[16];
    struct hs_mls_group *group; /* NULL for most: only a few members of a large group are played */
};

/* Members that are played in a full tree: one that commits, one beside it, one in the other quarter of its
 * half, one in the other half. In a small group some of them are the same. */
enum mls_role { MLS_COMMITTER, MLS_NEAR, MLS_MIDDLE, MLS_FAR, MLS_ROLES };

struct mls_world {
    const struct hs_mls_suite *suite;
    struct mls_person *people; /* one more than may be members: the newcomer */
    size_t size, n;            /* n: members of the group at hand */
};

/* size people with KeyPackages, and a newcomer at people[size]. */
void mls_world_init(struct mls_world *world, const struct hs_mls_suite *suite, size_t size);
void mls_world_free(struct mls_world *world);

/* The newcomer's place among people is the world's size. */
static inline struct mls_person *mls_world_newcomer(const struct mls_world *world)
{
    return &world->people[world->size];
}

/* The place of that role in a group of world->n. */
size_t mls_role_leaf(const struct mls_world *world, enum mls_role role);
static inline struct mls_person *mls_role(const struct mls_world *world, enum mls_role role)
{
    return &world->people[mls_role_leaf(world, role)];
}

/* The levels above a leaf in a tree of n. */
size_t mls_levels(size_t n);

struct hs_mls_leaf_params mls_person_params(const struct mls_person *person);
struct hs_mls_group *mls_person_create(const struct mls_person *person);
struct hs_mls_group *mls_person_join(const struct mls_person *person, struct hs_bytes welcome,
                                     struct hs_bytes tree);

/* by adds those from first on, count of them; the commit is left pending. */
void mls_group_add(struct hs_mls_group *by, const struct mls_person *first, size_t count, bool with_tree,
                   const struct hs_mls_commit_result *result);

/* An empty commit, accepted; following it, to the merge. */
void mls_group_turn(struct hs_mls_group *by, struct hs_writer *commit);
void mls_group_follow(struct hs_mls_group *group, const struct hs_writer *commit);

/* A group of n with a full tree: no parent is blank (but where nobody is on one side), nobody is unmerged.
 * The people in a role have their groups, in the same epoch. Made without n commits: the others' paths are
 * put into one tree, which a handmade Welcome brings to those in a role; then each of these commits. */
void mls_world_fill(struct mls_world *world, size_t n);

/* All in a role but the committer follow that commit. */
void mls_world_follow(const struct mls_world *world, const struct hs_writer *commit);

/* True for those of the roles that are somebody else than the committer and the roles before, and have their
 * group. */
bool mls_role_counts(const struct mls_world *world, enum mls_role role);

/* Frees the groups. */
void mls_world_leave(struct mls_world *world);

#endif
