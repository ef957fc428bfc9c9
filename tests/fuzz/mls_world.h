/* Small live MLS groups for fuzz targets: four members, the hub's public copy, an external sender, and
 * somebody outside, who has a KeyPackage. Made from the restarted random stream (random.h), so that the
 * corpus's messages are messages of the very group that the targets have. */
#ifndef TESTS_FUZZ_MLS_WORLD_H
#define TESTS_FUZZ_MLS_WORLD_H

#include "base/writer.h"
#include "mls/external.h"
#include "mls/group.h"
#include "support/mls_store.h"

enum { MLS_MEMBERS = 4, MLS_WORLD_CAP = 1 << 22, MLS_ROOM_EXTENSION = 0xF4A1 };

/* Seconds. */
enum { MLS_WORLD_NOW = 1000 };

struct mls_person {
    struct hs_mls_signer signer;
    struct hs_writer key_package;
    struct hs_mls_key_package_private priv;
};

/* Which of them: bits. */
enum {
    MLS_WORLD_SUITE_1 = 1, /* else suite 3; the same where this build has no suite 1 */
    MLS_WORLD_WAITING = 2, /* proposals wait: a Remove, a policy, an Update, a PSK */
    MLS_WORLDS = 4,
};

struct mls_world {
    const struct hs_mls_suite *suite;
    struct mls_person people[MLS_MEMBERS + 1]; /* the last one isn't a member */
    struct hs_mls_signer outside;              /* of the external_senders extension */
    struct mls_store *stores[MLS_MEMBERS];     /* their groups; leaf i is people[i] */
    struct mls_store *hub;
    struct hs_writer group_info; /* with the tree */
    struct hs_writer context;    /* GroupContext */
    struct hs_mls_secret membership;
    struct hs_writer welcome; /* that brought the members in, its tree inside */
};

/* Installs the random stream and builds the world once; the same pointer ever after. */
const struct mls_world *mls_world(unsigned which);

/* The PSK that all of them know. */
extern const struct hs_mls_psk mls_world_psk;

/* A member's group as it is in the world, on a copy of its store. Member 0 settles its epochs, member 3 sends
 * handshakes as PrivateMessages. */
struct mls_live {
    struct mls_store *store;
    struct hs_mls_group *group;
};
struct mls_live mls_world_member(const struct mls_world *w, unsigned leaf);
void mls_live_free(struct mls_live *live);
#define MLS_LIVE HS_AUTO(mls_live_free)

/* Saves what changed, and gives the content's hash. */
struct hs_id mls_live_save(struct mls_live *live);

struct mls_live_hub {
    struct mls_store *store;
    struct hs_mls_public *pub;
};
struct mls_live_hub mls_world_hub(const struct mls_world *w);
void mls_live_hub_free(struct mls_live_hub *live);
#define MLS_LIVE_HUB HS_AUTO(mls_live_hub_free)
struct hs_id mls_live_hub_save(struct mls_live_hub *live);

/* The leaf of one of them, for a join from outside. */
struct hs_mls_leaf_params mls_world_leaf(const struct mls_world *w, unsigned person);

#endif
