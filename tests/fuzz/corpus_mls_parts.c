/* Seeds of MLS: structures by themselves, and what it takes to come into a group. */
#include "fuzz/corpus.h"
#include "fuzz/fuzz.h"
#include "fuzz/mls_repair.h"
#include "mls/key_package_check.h"
#include "mls/member.h"

#include <stdio.h>

/* The numbers in mls_message.c. */
enum { MESSAGE, TREE, LEAF, PARENT, PROPOSAL, COMMIT, PATH, SECRETS, CONTEXT, AUTHED, LIST, EXTENSIONS };

static void add(const char *name, unsigned what, unsigned which, const struct hs_writer *w)
{
    char file[64];
    FUZZ_OK(w->err);
    (void)snprintf(file, sizeof file, "%s_%u", name, which);
    corpus_add1("mls_message", file, (uint8_t)(what | which << 4), hs_writer_bytes(w));
}

#define ADD(name, what, which, write, value)                                                                 \
    do {                                                                                                     \
        struct hs_writer HS_WRITER add_ = hs_writer(MLS_WORLD_CAP);                                          \
        write(&add_, (value));                                                                               \
        add((name), (what), (which), &add_);                                                                 \
    } while (0)

/* A commit with all kinds of proposals, in its parts. */
static void add_commit_parts(const struct mls_world *w, unsigned which)
{
    struct mls_live MLS_LIVE ben = mls_world_member(w, 1);
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP), HS_WRITER list = hs_writer(MLS_WORLD_CAP);
    struct hs_bytes key_package = hs_writer_bytes(&w->people[MLS_MEMBERS].key_package);
    uint32_t remove = 2;
    struct hs_mls_commit_request request = {.adds = &key_package,
                                            .add_count = 1,
                                            .removes = &remove,
                                            .remove_count = 1,
                                            .psks = &mls_world_psk.id,
                                            .psk_count = 1};
    struct hs_mls_commit_result result = {.commit = &commit};
    struct hs_mls_public_message m;
    FUZZ_OK(hs_mls_group_commit(ben.group, &request, &result));
    struct hs_reader r = hs_reader(hs_writer_bytes(&commit));
    HS_ASSERT(hs_mls_read_head(&r) == HS_MLS_PUBLIC_MESSAGE);
    hs_mls_read_public_message(&r, &m);
    FUZZ_OK(hs_reader_finish(&r));
    const struct hs_mls_commit *c = &m.authed.content.commit;
    ADD("authed", AUTHED, which, hs_mls_write_authed, &m.authed);
    ADD("commit", COMMIT, which, hs_mls_write_commit, c);
    ADD("path", PATH, which, hs_mls_write_update_path, &c->path);
    ADD("leaf", LEAF, which, hs_mls_write_leaf_node, &c->path.leaf);
    hs_write_bytes(&list, c->proposals);
    add("list", LIST, which, &list);
    struct hs_mls_proposal_or_ref item;
    r = hs_reader(c->proposals);
    hs_mls_read_proposal_or_ref(&r, &item);
    FUZZ_OK(r.err);
    ADD("proposal", PROPOSAL, which, hs_mls_write_proposal, &item.proposal);
}

static void add_context_parts(const struct mls_world *w, unsigned which, struct hs_mls_group_info *info)
{
    struct hs_writer HS_WRITER extensions = hs_writer(MLS_WORLD_CAP),
                               HS_WRITER tree = hs_writer(MLS_WORLD_CAP);
    struct mls_live_hub MLS_LIVE_HUB hub = mls_world_hub(w);
    struct hs_mls_parent_node parent = {.encryption_key = HS_MLS_VIEW(w->outside.pub),
                                        .parent_hash = info->context.tree_hash,
                                        .unmerged = hs_bytes("\0\0\0\1\0\0\0\2", 8)};
    struct hs_mls_group_secrets secrets = {.joiner_secret = info->context.tree_hash,
                                           .has_path_secret = true,
                                           .path_secret = info->context.tree_hash};
    hs_write_bytes(&extensions, info->context.extensions);
    add("extensions", EXTENSIONS, which, &extensions);
    FUZZ_OK(hs_mls_public_tree(hub.pub, &tree));
    add("tree", TREE, which, &tree);
    ADD("context", CONTEXT, which, hs_mls_write_group_context, &info->context);
    ADD("parent", PARENT, which, hs_mls_write_parent_node, &parent);
    ADD("secrets", SECRETS, which, hs_mls_write_group_secrets, &secrets);
}

/* What the four choices of mls_join are given. */
static void add_join(const char *name, unsigned choice, unsigned which, struct hs_bytes bytes)
{
    char file[64];
    for (unsigned repair = 0; repair < 2; repair++) {
        (void)snprintf(file, sizeof file, "%s_%u_%u", name, which, repair);
        corpus_add1("mls_join", file, (uint8_t)(choice | which << 2 | repair << 3), bytes);
    }
}

/* GroupSecrets with a joiner secret of the sender's choice, and the GroupInfo of the world beside: as an
 * inviter might make it. */
static void add_welcome_parts(const struct mls_world *w, unsigned which, struct hs_bytes info)
{
    struct hs_mls_hash joiner = {.len = w->suite->hash_len, .v = {7}};
    struct hs_mls_group_secrets secrets = {.joiner_secret = HS_MLS_VIEW(joiner)};
    struct hs_writer HS_WRITER plain = hs_writer(MLS_WORLD_CAP), HS_WRITER both = hs_writer(MLS_WORLD_CAP);
    hs_mls_write_group_secrets(&plain, &secrets);
    hs_write_u8(&both, (uint8_t)plain.len);
    hs_write_bytes(&both, hs_writer_bytes(&plain));
    hs_write_bytes(&both, info);
    FUZZ_OK(both.err);
    add_join("welcome_parts", 1, which, hs_writer_bytes(&both));
}

/* The group with the person outside in it, as one who joins would find it. */
static void add_joins(const struct mls_world *w, unsigned which)
{
    struct mls_live MLS_LIVE ben = mls_world_member(w, 1);
    struct hs_writer HS_WRITER info = hs_writer(MLS_WORLD_CAP), HS_WRITER welcome = hs_writer(MLS_WORLD_CAP);
    struct hs_bytes key_package = hs_writer_bytes(&w->people[MLS_MEMBERS].key_package);
    struct hs_mls_commit_request request = {
        .adds = &key_package, .add_count = 1, .force_path = true, .tree_in_welcome = true};
    struct hs_mls_commit_result result = {.group_info = &info, .welcome = &welcome};
    FUZZ_OK(hs_mls_group_commit(ben.group, &request, &result));
    add_welcome_parts(w, which, hs_writer_bytes(&info));
    add_join("welcome", 0, which, hs_writer_bytes(&w->welcome));
    add_join("external", 2, which, hs_writer_bytes(&w->group_info));
    add_join("hub", 3, which, hs_writer_bytes(&w->group_info));
    add("welcome", MESSAGE, which, &welcome);
}

static void add_key_packages(const struct mls_world *w, unsigned which)
{
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_mls_leaf_params params = mls_world_leaf(w, MLS_MEMBERS);
    struct hs_writer HS_WRITER future = hs_writer(MLS_WORLD_CAP), HS_WRITER last = hs_writer(MLS_WORLD_CAP);
    char file[64];
    FUZZ_OK(hs_mls_key_package_new(&params, true, &last, &priv));
    params.not_before = MLS_WORLD_NOW + 1; /* good in all but its lifetime, which has yet to begin */
    FUZZ_OK(hs_mls_key_package_new(&params, false, &future, &priv));
    const struct hs_writer *all[] = {&w->people[0].key_package, &w->people[MLS_MEMBERS].key_package, &last,
                                     &future};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        (void)snprintf(file, sizeof file, "package%zu_%u", i, which);
        corpus_add1("key_package", file, (uint8_t)(which << 1 | (i & 1)), hs_writer_bytes(all[i]));
        corpus_add1("mls_message", file, 0, hs_writer_bytes(all[i]));
    }
}

void corpus_mls_parts(const struct mls_world *w, unsigned which)
{
    struct hs_mls_group_info info;
    struct hs_reader r = hs_reader(hs_writer_bytes(&w->group_info));
    HS_ASSERT(hs_mls_read_head(&r) == HS_MLS_GROUP_INFO);
    hs_mls_read_group_info(&r, &info);
    FUZZ_OK(hs_reader_finish(&r));
    add_commit_parts(w, which);
    add_context_parts(w, which, &info);
    add_joins(w, which);
    add_key_packages(w, which);
}
