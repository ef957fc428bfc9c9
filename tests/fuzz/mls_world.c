#include "fuzz/mls_world.h"

#include "crypto/selftest.h"
#include "fuzz/fuzz.h"
#include "fuzz/random.h"
#include "mls/member.h"
#include "mls/public.h"
#include "mls/suite.h"

#include <stdio.h>

static const uint16_t types[] = {MLS_ROOM_EXTENSION};
static const char *const names[] = {"anna", "ben", "cleo", "dan", "eve"};

static struct hs_mls_leaf_params params_of(const struct mls_person *p, const char *name)
{
    return (struct hs_mls_leaf_params){.signer = &p->signer,
                                       .identity = hs_bytes_str(name),
                                       .not_after = 2 * MLS_WORLD_NOW,
                                       .extension_types = types,
                                       .extension_type_count = 1};
}

static void person_init(struct mls_person *p, const char *name)
{
    hs_signer_random(&p->signer);
    p->key_package = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_leaf_params params = params_of(p, name);
    FUZZ_OK(hs_mls_key_package_new(&params, &p->key_package, &p->priv));
}

static struct hs_mls_group *group_create(const struct mls_person *p)
{
    const struct hs_mls_extension extension = {MLS_ROOM_EXTENSION, hs_bytes_str("policy")};
    struct hs_mls_create create = {.leaf = params_of(p, names[0]),
                                   .group_id = hs_bytes_str("a room's id has thirty-two bytes"),
                                   .extensions = &extension,
                                   .extension_count = 1,
                                   .settings = hs_mls_settings_default()};
    struct hs_mls_group *group;
    FUZZ_OK(hs_mls_group_create(&create, &group));
    return group;
}

/* The first adds the others, and everybody joins. */
static void world_fill(struct mls_world *w, struct hs_mls_group *groups[MLS_MEMBERS])
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP);
    struct hs_writer HS_WRITER welcome = hs_writer(MLS_WORLD_CAP);
    struct hs_bytes adds[MLS_MEMBERS - 1];
    for (unsigned i = 1; i < MLS_MEMBERS; i++)
        adds[i - 1] = hs_writer_bytes(&w->people[i].key_package);
    struct hs_mls_commit_request request = {
        .adds = adds, .add_count = MLS_MEMBERS - 1, .tree_in_welcome = true};
    struct hs_mls_commit_result result = {.commit = &commit, .welcome = &welcome};
    groups[0] = group_create(&w->people[0]);
    FUZZ_OK(hs_mls_group_commit(groups[0], &request, &result));
    FUZZ_OK(hs_mls_group_accept(groups[0]));
    for (unsigned i = 1; i < MLS_MEMBERS; i++) {
        struct hs_mls_join join = {.welcome = hs_writer_bytes(&welcome),
                                   .key_package = adds[i - 1],
                                   .priv = &w->people[i].priv,
                                   .signer = &w->people[i].signer,
                                   .settings = hs_mls_settings_default()};
        FUZZ_OK(hs_mls_group_join(&join, &groups[i]));
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
        for (unsigned i = 0; i < MLS_MEMBERS; i++) {
            struct hs_mls_event HS_MLS_EVENT *event = NULL;
            if (i == by)
                continue;
            FUZZ_OK(hs_mls_group_process(groups[i], hs_writer_bytes(&commit), &event));
            FUZZ_OK(hs_mls_group_merge(groups[i], event->staged));
        }
    }
}

static void world_save(struct mls_world *w, struct hs_mls_group *groups[MLS_MEMBERS])
{
    struct hs_mls_public HS_MLS_PUBLIC *hub = NULL;
    w->group_info = hs_writer(MLS_WORLD_CAP);
    w->hub = hs_writer(MLS_WORLD_CAP);
    FUZZ_OK(hs_mls_group_info(groups[0], true, &w->group_info));
    FUZZ_OK(hs_mls_public_new(hs_writer_bytes(&w->group_info), (struct hs_bytes){0}, &hub));
    FUZZ_OK(hs_mls_public_save(hub, &w->hub));
    for (unsigned i = 0; i < MLS_MEMBERS; i++) {
        HS_ASSERT(hs_mls_group_own_leaf(groups[i]) == i);
        w->saved[i] = hs_writer(MLS_WORLD_CAP);
        FUZZ_OK(hs_mls_group_save(groups[i], &w->saved[i]));
        hs_mls_group_free(groups[i]);
    }
}

const struct mls_world *mls_world(void)
{
    static struct mls_world world;
    static bool made;
    if (made)
        return &world;
    struct hs_mls_group *groups[MLS_MEMBERS] = {0};
    fuzz_random_install();
    FUZZ_OK(hs_crypto_init());
    fuzz_random_restart();
    for (unsigned i = 0; i <= MLS_MEMBERS; i++)
        person_init(&world.people[i], names[i]);
    world_fill(&world, groups);
    world_turn(groups);
    world_save(&world, groups);
    made = true;
    return &world;
}

struct hs_mls_group *mls_world_member(unsigned leaf)
{
    const struct mls_world *w = mls_world();
    struct hs_mls_group *group;
    FUZZ_OK(hs_mls_group_load(hs_writer_bytes(&w->saved[leaf]), &w->people[leaf].signer, &group));
    return group;
}

struct hs_mls_public *mls_world_hub(void)
{
    struct hs_mls_public *hub;
    FUZZ_OK(hs_mls_public_load(hs_writer_bytes(&mls_world()->hub), &hub));
    return hub;
}

static struct hs_bytes sign_label(const struct hs_signer *signer, const char *label,
                                  const struct hs_writer *tbs, struct hs_arena *arena)
{
    struct hs_sig sig;
    FUZZ_OK(tbs->err);
    FUZZ_OK(hs_mls_sign(signer, label, hs_writer_bytes(tbs), &sig));
    return hs_arena_copy(arena, HS_VIEW(sig));
}

static void leaf_resign(struct hs_mls_leaf_node *leaf, const struct hs_signer *signer,
                        struct hs_bytes group_id, uint32_t index, struct hs_arena *arena)
{
    struct hs_writer HS_WRITER tbs = hs_writer(MLS_WORLD_CAP);
    hs_mls_write_leaf_tbs(&tbs, leaf, group_id, index);
    leaf->signature = sign_label(signer, "LeafNodeTBS", &tbs, arena);
}

void mls_world_resign_key_package(struct hs_mls_key_package *kp, struct hs_arena *arena)
{
    const struct hs_signer *signer = &mls_world()->people[MLS_MEMBERS].signer;
    struct hs_writer HS_WRITER tbs = hs_writer(MLS_WORLD_CAP);
    kp->leaf.signature_key = HS_VIEW(signer->pub);
    leaf_resign(&kp->leaf, signer, (struct hs_bytes){0}, 0, arena);
    hs_mls_write_key_package_tbs(&tbs, kp);
    kp->signature = sign_label(signer, "KeyPackageTBS", &tbs, arena);
}

static void content_resign(struct hs_mls_content *content, const struct hs_signer *signer,
                           struct hs_arena *arena)
{
    if (content->type == HS_MLS_COMMIT && content->commit.has_path)
        leaf_resign(&content->commit.path.leaf, signer, content->group_id, content->sender, arena);
    if (content->type != HS_MLS_PROPOSAL)
        return;
    if (content->proposal.type == HS_MLS_UPDATE)
        leaf_resign(&content->proposal.update, signer, content->group_id, content->sender, arena);
    if (content->proposal.type == HS_MLS_ADD)
        mls_world_resign_key_package(&content->proposal.add, arena);
}

static struct hs_bytes message_write(const struct hs_mls_public_message *m, struct hs_arena *arena)
{
    struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
    hs_mls_write_head(&w, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(&w, m);
    FUZZ_OK(w.err);
    return hs_arena_copy(arena, hs_writer_bytes(&w));
}

static bool message_read(struct hs_bytes message, struct hs_mls_public_message *m)
{
    struct hs_reader r = hs_reader(message);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    if (r.err != HS_OK || format != HS_MLS_PUBLIC_MESSAGE)
        return false;
    hs_mls_read_public_message(&r, m);
    return hs_reader_finish(&r) == HS_OK && m->authed.content.sender_type == HS_MLS_SENDER_MEMBER;
}

struct hs_bytes mls_world_resign(struct hs_bytes message, struct hs_arena *arena)
{
    struct hs_mls_public_message m;
    if (!message_read(message, &m))
        return message;
    struct hs_mls_group HS_MLS_GROUP *group = mls_world_member(m.authed.content.sender % MLS_MEMBERS);
    struct hs_bytes context = hs_mls_public_context(group->pub);
    struct hs_sig sig;
    uint8_t tag[32];
    content_resign(&m.authed.content, &group->signer, arena);
    /* Read again, so that the raw parts are those of the new bytes. */
    if (!message_read(message_write(&m, arena), &m))
        return message;
    FUZZ_OK(hs_mls_content_sign(&group->signer, m.authed.wire_format, &m.authed.content, context, &sig));
    m.authed.signature = HS_VIEW(sig);
    FUZZ_OK(hs_mls_membership_tag(&group->epoch.membership, &m.authed, context, tag));
    m.membership_tag = hs_bytes(tag, sizeof tag);
    return message_write(&m, arena);
}
