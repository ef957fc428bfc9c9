/* Seeds of MLS: every message that the world's members can send (mls_world.h). */
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"
#include "fuzz/mls_world.h"

#include "mls/member.h"

#include <stdio.h>

/* As it came and, for the targets with a live group, to be signed anew. */
static void add_message(const char *name, struct hs_bytes message)
{
    char file[64];
    corpus_add1("mls_message", name, 0, message);
    corpus_add1("mls_process", name, 0x00, message);
    corpus_add1("mls_public", name, 0x00, message);
    (void)snprintf(file, sizeof file, "%s.signed", name);
    corpus_add1("mls_process", file, 0x01, message);
    corpus_add1("mls_public", file, 0x01, message);
}

static void add_commit(const char *name, unsigned by, const struct hs_mls_commit_request *request)
{
    struct hs_mls_group HS_MLS_GROUP *group = mls_world_member(by);
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP);
    struct hs_writer HS_WRITER welcome = hs_writer(MLS_WORLD_CAP);
    struct hs_writer HS_WRITER info = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_commit_result result = {.commit = &commit, .welcome = &welcome, .group_info = &info};
    FUZZ_OK(hs_mls_group_commit(group, request, &result));
    add_message(name, hs_writer_bytes(&commit));
    if (welcome.len > 0)
        corpus_add1("mls_message", "welcome", 0, hs_writer_bytes(&welcome));
    corpus_add1("mls_message", "group_info", 0, hs_writer_bytes(&info));
}

static void add_commits(void)
{
    const struct mls_world *w = mls_world();
    const struct hs_mls_extension extension = {MLS_ROOM_EXTENSION, hs_bytes_str("another policy")};
    const struct hs_bytes add = hs_writer_bytes(&w->people[MLS_MEMBERS].key_package);
    const uint32_t remove = 2;
    struct hs_mls_commit_request empty = {.force_path = true};
    struct hs_mls_commit_request adding = {.adds = &add, .add_count = 1, .tree_in_welcome = true};
    struct hs_mls_commit_request removing = {.removes = &remove, .remove_count = 1};
    struct hs_mls_commit_request policy = {.set_extensions = true,
                                           .extensions = &extension,
                                           .extension_count = 1,
                                           .identity = hs_bytes_str("Ben")};
    struct hs_mls_commit_request all = {.adds = &add,
                                        .add_count = 1,
                                        .removes = &remove,
                                        .remove_count = 1,
                                        .set_extensions = true,
                                        .extensions = &extension,
                                        .extension_count = 1};
    add_commit("commit_empty", 1, &empty);
    add_commit("commit_add", 1, &adding);
    add_commit("commit_remove", 3, &removing);
    add_commit("commit_policy", 1, &policy);
    add_commit("commit_all", 3, &all);
}

static void add_proposals(void)
{
    const struct hs_mls_extension extension = {MLS_ROOM_EXTENSION, hs_bytes_str("another policy")};
    struct hs_bytes key_package = hs_writer_bytes(&mls_world()->people[MLS_MEMBERS].key_package);
    struct hs_bytes none = {0}, ad = hs_bytes_str("context");
    struct hs_mls_group HS_MLS_GROUP *group = mls_world_member(1);
    struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
    FUZZ_OK(hs_mls_group_propose_remove(group, 2, ad, &w));
    add_message("propose_remove", hs_writer_bytes(&w));
    hs_writer_reset(&w);
    FUZZ_OK(hs_mls_group_propose_add(group, key_package, ad, &w));
    add_message("propose_add", hs_writer_bytes(&w));
    hs_writer_reset(&w);
    FUZZ_OK(hs_mls_group_propose_extensions(group, &extension, 1, none, &w));
    add_message("propose_extensions", hs_writer_bytes(&w));
    hs_writer_reset(&w);
    FUZZ_OK(hs_mls_group_propose_update(group, hs_bytes_str("Benjamin"), none, &w));
    add_message("propose_update", hs_writer_bytes(&w));
}

static void add_posts(void)
{
    struct hs_mls_group HS_MLS_GROUP *group = mls_world_member(1);
    struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
    for (unsigned i = 0; i < 3; i++) {
        char name[32];
        hs_writer_reset(&w);
        FUZZ_OK(hs_mls_group_protect(group, hs_bytes_str("a post"), hs_bytes_str("context"), i * 32, &w));
        (void)snprintf(name, sizeof name, "post%u", i);
        add_message(name, hs_writer_bytes(&w));
    }
}

/* The choices of mls_message beyond 0: structures by themselves. */
static void add_structures(void)
{
    const struct mls_world *w = mls_world();
    struct hs_writer HS_WRITER tree = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_public HS_MLS_PUBLIC *hub = mls_world_hub();
    FUZZ_OK(hs_mls_public_tree(hub, &tree));
    corpus_add1("mls_message", "tree", 1, hs_writer_bytes(&tree));
    corpus_add1("mls_message", "saved_public", 2, hs_writer_bytes(&w->hub));
    corpus_add1("mls_message", "info", 3, hs_writer_bytes(&w->group_info));
    corpus_add1("mls_message", "key_package", 0, hs_writer_bytes(&w->people[0].key_package));
    corpus_add1("key_package", "plain", 0, hs_writer_bytes(&w->people[0].key_package));
    corpus_add1("key_package", "signed", 1, hs_writer_bytes(&w->people[MLS_MEMBERS].key_package));
}

/* Good in all but its lifetime, which has yet to begin. */
static void add_future(void)
{
    static const uint16_t types[] = {MLS_ROOM_EXTENSION};
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_mls_leaf_params params = {.signer = &mls_world()->people[MLS_MEMBERS].signer,
                                        .identity = hs_bytes_str("eve"),
                                        .not_before = MLS_WORLD_NOW + 1,
                                        .not_after = 2 * MLS_WORLD_NOW,
                                        .extension_types = types,
                                        .extension_type_count = 1};
    struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
    FUZZ_OK(hs_mls_key_package_new(&params, &w, &priv));
    corpus_add1("key_package", "future", 1, hs_writer_bytes(&w));
}

void corpus_mls(struct hs_arena *arena)
{
    (void)arena;
    (void)mls_world();
    add_commits();
    add_proposals();
    add_posts();
    add_structures();
    add_future();
}
