/* A small live MLS group for fuzz targets: four members, the hub's public copy and somebody outside. Made
 * from the restarted random stream (random.h), so that the corpus's messages are messages of the very group
 * that the targets have. */
#ifndef TESTS_FUZZ_MLS_WORLD_H
#define TESTS_FUZZ_MLS_WORLD_H

#include "base/arena.h"
#include "base/writer.h"
#include "mls/codec.h"
#include "mls/group.h"

enum { MLS_MEMBERS = 4, MLS_WORLD_CAP = 1 << 22, MLS_ROOM_EXTENSION = 0xF4A1 };

/* Seconds. */
enum { MLS_WORLD_NOW = 1000 };

struct mls_person {
    struct hs_signer signer;
    struct hs_writer key_package;
    struct hs_mls_key_package_private priv;
};

struct mls_world {
    struct mls_person people[MLS_MEMBERS + 1]; /* the last one isn't a member */
    struct hs_writer saved[MLS_MEMBERS];       /* their groups; leaf i is people[i] */
    struct hs_writer hub;                      /* hs_mls_public_save() */
    struct hs_writer group_info;               /* with the tree */
};

/* Installs the random stream and builds the world once; the same pointer ever after. */
const struct mls_world *mls_world(void);

/* A member's group as it is in the world. */
struct hs_mls_group *mls_world_member(unsigned leaf);

struct hs_mls_public *mls_world_hub(void);

/* Repairs a PublicMessage as a malicious member could: the signatures of leaves in it (of a path, an Update,
 * a key package to be added), the message's signature and the membership tag are made anew over whatever the
 * content has become. The bytes as they are where they are no such message. */
struct hs_bytes mls_world_resign(struct hs_bytes message, struct hs_arena *arena);

/* Signs a key package and its leaf with the key of the person outside, which becomes the leaf's. The views
 * that are put in live in the arena. */
void mls_world_resign_key_package(struct hs_mls_key_package *kp, struct hs_arena *arena);

#endif
