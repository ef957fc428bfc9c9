/* The floors of MLS: which calls RFC 9420 makes unavoidable, with their lengths; README.md lists them. */
#ifndef TESTS_BENCH_MLS_FLOOR_H
#define TESTS_BENCH_MLS_FLOOR_H

#include "bench/floor.h"
#include "bench/mls_world.h"

/* Lengths and numbers of one group and its messages; what an operation hasn't is 0. */
struct mls_shape {
    const struct hs_mls_suite *suite;
    size_t n, levels;                /* leaves in use, no gaps; levels of the tree above a leaf */
    bool full;                       /* parents aren't blank: each has a parent hash to be checked */
    size_t leaf, key_package;        /* bytes of an encoded LeafNode and KeyPackage */
    size_t context;                  /* bytes of the GroupContext */
    size_t commit, path_nodes, sent; /* bytes of a commit; nodes and ciphertexts of its path */
    size_t info;                     /* bytes of a GroupInfo */
};

/* The shape of a group of n without messages; group: one of that kind, for its context. */
struct mls_shape mls_shape_of(const struct mls_world *world, const struct hs_mls_group *group, size_t n,
                              bool full);

/* Fills in the facts of a commit, as PublicMessage. */
void mls_shape_commit(struct mls_shape *shape, struct hs_bytes commit);

struct floor mls_floor_commit(const struct mls_shape *shape);

/* derived: the nodes of the path whose keys the receiver derives. */
struct floor mls_floor_process(const struct mls_shape *shape, size_t derived);

/* The public group: made from a GroupInfo, and following a commit. */
struct floor mls_floor_tree(const struct mls_shape *shape);
struct floor mls_floor_public(const struct mls_shape *shape);

/* All but the creator added in one commit without a path. */
struct floor mls_floor_create(const struct mls_shape *shape);

/* derived: as in mls_floor_process(), 0 without a path. */
struct floor mls_floor_join(const struct mls_shape *shape, size_t derived);
struct floor mls_floor_join_external(const struct mls_shape *shape);

/* A post of so many bytes. */
struct floor mls_floor_protect(const struct mls_shape *shape, size_t len);
struct floor mls_floor_unprotect(const struct mls_shape *shape, size_t len);

#endif
