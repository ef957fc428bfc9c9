#include "fuzz/mls_world.h"

#include "crypto/selftest.h"
#include "fuzz/fuzz.h"
#include "fuzz/random.h"
#include "mls/leaf.h"
#include "mls/member.h"

#include <stdlib.h>

const struct hs_mls_psk mls_world_psk = {
    .id = {.type = HS_MLS_PSK_EXTERNAL, .id = {(const uint8_t *)"word", 4}},
    .secret = {(const uint8_t *)"that all of them know", 21}};

static const uint16_t types[] = {MLS_ROOM_EXTENSION};
static const char *const names[] = {"anna", "ben", "cleo", "dan", "eve"};

struct hs_mls_leaf_params mls_world_leaf(const struct mls_world *w, unsigned person)
{
    return (struct hs_mls_leaf_params){.signer = &w->people[person].signer,
                                       .identity = hs_bytes_str(names[person]),
                                       .not_after = 2 * MLS_WORLD_NOW,
                                       .extension_types = types,
                                       .extension_type_count = 1};
}

static void person_init(struct mls_world *w, unsigned i)
{
    struct mls_person *p = &w->people[i];
    FUZZ_OK(hs_mls_signer_random(w->suite, &p->signer));
    p->key_package = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_leaf_params params = mls_world_leaf(w, i);
    FUZZ_OK(hs_mls_key_package_new(&params, false, &p->key_package, &p->priv));
}

static struct hs_mls_settings settings_of(unsigned person)
{
    struct hs_mls_settings settings = hs_mls_settings_default();
    settings.settling = person == 0;
    settings.private_handshakes = person == MLS_MEMBERS - 1;
    settings.padding = 16;
    return settings;
}

static struct hs_mls_group *group_create(const struct mls_world *w)
{
    const struct hs_mls_external_sender sender = {.signature_key = HS_MLS_VIEW(w->outside.pub),
                                                  .credential_type = HS_MLS_BASIC,
                                                  .identity = hs_bytes_str("the hub")};
    struct hs_writer HS_WRITER senders = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_group *group;
    FUZZ_OK(hs_mls_external_senders_write(&sender, 1, &senders));
    const struct hs_mls_extension extensions[] = {{MLS_ROOM_EXTENSION, hs_bytes_str("policy")},
                                                  {HS_MLS_EXT_EXTERNAL_SENDERS, hs_writer_bytes(&senders)}};
    struct hs_mls_create create = {.leaf = mls_world_leaf(w, 0),
                                   .group_id = hs_bytes_str("a room's id has thirty-two bytes"),
                                   .extensions = extensions,
                                   .extension_count = 2,
                                   .settings = settings_of(0)};
    FUZZ_OK(hs_mls_group_create(&create, &group));
    return group;
}

static void settle(struct hs_mls_group *group)
{
    if (hs_mls_group_is_unsettled(group))
        FUZZ_OK(hs_mls_group_settle(group));
}

/* The first adds the others, and everybody joins. */
static void world_fill(struct mls_world *w, struct hs_mls_group *groups[MLS_MEMBERS])
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP);
    struct hs_bytes adds[MLS_MEMBERS - 1];
    for (unsigned i = 1; i < MLS_MEMBERS; i++)
        adds[i - 1] = hs_writer_bytes(&w->people[i].key_package);
    struct hs_mls_commit_request request = {
        .adds = adds, .add_count = MLS_MEMBERS - 1, .tree_in_welcome = true};
    w->welcome = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_commit_result result = {.commit = &commit, .welcome = &w->welcome};
    groups[0] = group_create(w);
    FUZZ_OK(hs_mls_group_commit(groups[0], &request, &result));
    FUZZ_OK(hs_mls_group_accept(groups[0]));
    settle(groups[0]);
    for (unsigned i = 1; i < MLS_MEMBERS; i++) {
        struct hs_mls_join join = {.welcome = hs_writer_bytes(&w->welcome),
                                   .key_package = adds[i - 1],
                                   .priv = &w->people[i].priv,
                                   .signer = &w->people[i].signer,
                                   .settings = settings_of(i)};
        FUZZ_OK(hs_mls_group_join(&join, &groups[i]));
    }
    for (unsigned i = 0; i < MLS_MEMBERS; i++)
        FUZZ_OK(hs_mls_group_set_psks(groups[i], &mls_world_psk, 1));
}

/* Everybody but one, who has it already, takes a message; a commit is merged. */
static void spread(struct hs_mls_group *groups[MLS_MEMBERS], unsigned but, const struct hs_writer *message)
{
    for (unsigned i = 0; i < MLS_MEMBERS; i++) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        if (i == but)
            continue;
        FUZZ_OK(hs_mls_group_process(groups[i], hs_writer_bytes(message), &event));
        if (event->kind == HS_MLS_EVENT_COMMIT)
            FUZZ_OK(hs_mls_group_merge(groups[i], event->staged));
        settle(groups[i]);
    }
}

/* An empty commit by each, so that the tree is full and past epochs are kept. */
static void world_turn(struct hs_mls_group *groups[MLS_MEMBERS])
{
    for (unsigned by = 0; by < MLS_MEMBERS; by++) {
        struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP);
        struct hs_mls_commit_request request = {.force_path = true};
        struct hs_mls_commit_result result = {.commit = &commit};
        FUZZ_OK(hs_mls_group_commit(groups[by], &request, &result));
        FUZZ_OK(hs_mls_group_accept(groups[by]));
        settle(groups[by]);
        spread(groups, by, &commit);
    }
}

static void propose(struct hs_mls_group *groups[MLS_MEMBERS], struct hs_mls_public *hub, unsigned by,
                    const struct hs_mls_proposal_request *request)
{
    struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    FUZZ_OK(hs_mls_group_propose(groups[by], request, &w));
    spread(groups, MLS_MEMBERS, &w);
    FUZZ_OK(hs_mls_public_process(hub, hs_writer_bytes(&w), &event));
}

static void world_wait(struct hs_mls_group *groups[MLS_MEMBERS], struct hs_mls_public *hub)
{
    propose(groups, hub, 0, &(struct hs_mls_proposal_request){.type = HS_MLS_REMOVE, .leaf = 3});
    propose(groups, hub, 0, &(struct hs_mls_proposal_request){.type = HS_MLS_PSK, .psk = mls_world_psk.id});
    propose(groups, hub, 2, &(struct hs_mls_proposal_request){.type = HS_MLS_UPDATE});
}

static void world_save(struct mls_world *w, struct hs_mls_group *groups[MLS_MEMBERS],
                       struct hs_mls_public *hub)
{
    w->hub = mls_store_new();
    FUZZ_OK(hs_mls_public_save(hub, &w->hub->store));
    w->context = hs_writer(MLS_WORLD_CAP);
    hs_write_bytes(&w->context, hs_mls_public_context(hub));
    w->membership = groups[0]->epoch.membership;
    for (unsigned i = 0; i < MLS_MEMBERS; i++) {
        HS_ASSERT(hs_mls_group_own_leaf(groups[i]) == i);
        w->stores[i] = mls_store_new();
        FUZZ_OK(hs_mls_group_save(groups[i], &w->stores[i]->store));
        hs_mls_group_free(groups[i]);
    }
}

static void world_build(struct mls_world *w, unsigned which)
{
    struct hs_mls_group *groups[MLS_MEMBERS] = {0};
    struct hs_mls_public HS_MLS_PUBLIC *hub = NULL;
    fuzz_random_restart();
    w->suite = (which & MLS_WORLD_SUITE_1) != 0 ? hs_mls_suite_find(1) : NULL;
    if (w->suite == NULL)
        w->suite = &hs_mls_suite_3;
    for (unsigned i = 0; i <= MLS_MEMBERS; i++)
        person_init(w, i);
    FUZZ_OK(hs_mls_signer_random(w->suite, &w->outside));
    world_fill(w, groups);
    world_turn(groups);
    w->group_info = hs_writer(MLS_WORLD_CAP);
    FUZZ_OK(hs_mls_group_info(groups[0], true, &w->group_info));
    FUZZ_OK(hs_mls_public_new(hs_writer_bytes(&w->group_info), (struct hs_bytes){0}, &hub));
    if ((which & MLS_WORLD_WAITING) != 0)
        world_wait(groups, hub);
    world_save(w, groups, hub);
}

const struct mls_world *mls_world(unsigned which)
{
    static struct mls_world *worlds[MLS_WORLDS];
    struct mls_world **w = &worlds[which % MLS_WORLDS];
    if (*w != NULL)
        return *w;
    fuzz_random_install();
    FUZZ_OK(hs_crypto_init());
    *w = calloc(1, sizeof **w);
    HS_ASSERT(*w != NULL);
    world_build(*w, which);
    return *w;
}

struct mls_live mls_world_member(const struct mls_world *w, unsigned leaf)
{
    struct mls_live live = {.store = mls_store_copy(w->stores[leaf])};
    FUZZ_OK(hs_mls_group_load(&live.store->store, &w->people[leaf].signer, 1, &live.group));
    FUZZ_OK(hs_mls_group_set_psks(live.group, &mls_world_psk, 1));
    return live;
}

void mls_live_free(struct mls_live *live)
{
    hs_mls_group_free(live->group);
    mls_store_free(live->store);
}

struct hs_id mls_live_save(struct mls_live *live)
{
    FUZZ_OK(hs_mls_group_save(live->group, &live->store->store));
    return mls_store_hash(live->store);
}

struct mls_live_hub mls_world_hub(const struct mls_world *w)
{
    struct mls_live_hub live = {.store = mls_store_copy(w->hub)};
    FUZZ_OK(hs_mls_public_load(&live.store->store, &live.pub));
    return live;
}

void mls_live_hub_free(struct mls_live_hub *live)
{
    hs_mls_public_free(live->pub);
    mls_store_free(live->store);
}

struct hs_id mls_live_hub_save(struct mls_live_hub *live)
{
    FUZZ_OK(hs_mls_public_save(live->pub, &live->store->store));
    return mls_store_hash(live->store);
}
