/* A full tree of any size in moments. n/2 real commits, each followed by whoever has to keep up, take minutes
 * at 10,000 members, most of it encrypting to nobody. Here those whose group isn't needed only put their
 * paths into one tree, as their commits would have: keys, parent hashes, signed leaves. Then those in a role
 * are added, unmerged where they must be, and get in by a Welcome made by hand, which brings no path secret.
 * Each of them commits once, for real: from then on they know what members know, and nobody is unmerged. */
#include "bench/mls_world.h"

#include "mls/leaf.h"
#include "mls/schedule.h"
#include "mls/treekem.h"

static bool plays(const struct mls_world *world, size_t leaf)
{
    for (enum mls_role role = 0; role < MLS_ROLES; role++)
        if (mls_role_leaf(world, role) == leaf)
            return true;
    return false;
}

static struct hs_mls_key_package person_package(const struct mls_person *person)
{
    struct hs_reader r = hs_reader(hs_writer_bytes(&person->key_package));
    struct hs_mls_key_package package;
    HS_ASSERT(hs_mls_read_head(&r) == HS_MLS_KEY_PACKAGE);
    hs_mls_read_key_package(&r, &package);
    FUZZ_OK(hs_reader_finish(&r));
    return package;
}

static void tree_add(struct hs_mls_tree *tree, const struct mls_person *person, size_t at)
{
    struct hs_mls_key_package package = person_package(person);
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    uint32_t index;
    FUZZ_OK(hs_mls_leaf_new(tree->suite, &package.leaf, &leaf));
    FUZZ_OK(hs_mls_tree_add(tree, leaf, &index));
    HS_ASSERT(index == at);
}

/* The path of the member at that leaf, as a commit of it leaves it behind. */
static void tree_renew(struct hs_mls_tree *tree, const struct mls_person *person, uint32_t leaf,
                       struct hs_bytes group_id)
{
    struct hs_mls_path_keys HS_MLS_PATH_KEYS keys = {0};
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets = {0};
    struct hs_mls_leaf HS_MLS_LEAF *old = hs_mls_leaf_ref(hs_mls_tree_leaf(tree, leaf));
    struct hs_mls_leaf_renewal renewal = {
        .old = old, .signer = &person->signer, .group_id = group_id, .index = leaf};
    FUZZ_OK(hs_mls_path_make(tree, &renewal, &keys, &secrets));
}

/* One of each pair commits, unless one of them does it for real later. */
static void tree_make(const struct mls_world *world, struct hs_bytes group_id, struct hs_mls_tree *tree)
{
    FUZZ_OK(hs_mls_tree_init(world->suite, tree));
    for (size_t i = 0; i < world->n; i++)
        tree_add(tree, &world->people[i], i);
    for (size_t i = 0; i < world->n; i++)
        if (plays(world, i))
            FUZZ_OK(hs_mls_tree_replace(tree, (uint32_t)i, NULL));
    for (size_t i = 0; i + 1 < world->n; i += 2)
        if (!plays(world, i) && !plays(world, i + 1))
            tree_renew(tree, &world->people[i], (uint32_t)i, group_id);
    for (size_t i = 0; i < world->n; i++)
        if (plays(world, i))
            tree_add(tree, &world->people[i], i);
}

/* A GroupInfo of that tree, signed by the committer. */
static void info_make(const struct mls_world *world, struct hs_mls_tree *tree, struct hs_bytes group_id,
                      const struct hs_mls_secret *joiner, struct hs_writer *out)
{
    struct hs_mls_hash tree_hash, confirmed, tag;
    struct hs_writer HS_WRITER context = hs_writer(MLS_CAP);
    struct hs_writer HS_WRITER tbs = hs_writer(MLS_CAP);
    struct hs_mls_epoch_secrets HS_MLS_EPOCH_SECRETS secrets = {0};
    struct hs_mls_signature sig;
    FUZZ_OK(hs_mls_tree_hash(tree, &tree_hash));
    hs_mls_hash(world->suite, hs_bytes_str("what was before"), &confirmed);
    struct hs_mls_group_info info = {.context = {.version = HS_MLS_VERSION_10,
                                                 .suite = world->suite->id,
                                                 .group_id = group_id,
                                                 .epoch = 1,
                                                 .tree_hash = HS_MLS_VIEW(tree_hash),
                                                 .confirmed_transcript_hash = HS_MLS_VIEW(confirmed)}};
    hs_mls_write_group_context(&context, &info.context);
    FUZZ_OK(hs_mls_epoch_from_joiner(world->suite, joiner, NULL, hs_writer_bytes(&context), &secrets));
    hs_mls_mac(world->suite, HS_MLS_VIEW(secrets.confirmation), HS_MLS_VIEW(confirmed), &tag);
    info.confirmation_tag = HS_MLS_VIEW(tag);
    hs_mls_write_group_info_tbs(&tbs, &info);
    FUZZ_OK(
        hs_mls_sign(&mls_role(world, MLS_COMMITTER)->signer, "GroupInfoTBS", hs_writer_bytes(&tbs), &sig));
    info.signature = HS_MLS_VIEW(sig);
    hs_mls_write_group_info(out, &info);
    FUZZ_OK(out->err);
}

static void secrets_seal(const struct mls_world *world, const struct mls_person *to,
                         const struct hs_mls_secret *joiner, struct hs_bytes group_info,
                         struct hs_writer *out)
{
    uint8_t kem[HS_MLS_MAX_PUB], sealed[256];
    struct hs_writer HS_WRITER secrets = hs_writer(sizeof sealed - HS_MLS_TAG_LEN);
    struct hs_mls_key_package package = person_package(to);
    struct hs_mls_hash ref;
    hs_mls_write_group_secrets(&secrets,
                               &(struct hs_mls_group_secrets){.joiner_secret = HS_MLS_VIEW(*joiner)});
    FUZZ_OK(secrets.err);
    FUZZ_OK(hs_mls_seal(world->suite, package.init_key, "Welcome", group_info, hs_writer_bytes(&secrets), kem,
                        sealed));
    FUZZ_OK(hs_mls_ref_hash(world->suite, "MLS 1.0 KeyPackage Reference", package.raw, &ref));
    hs_mls_write_encrypted_secrets(
        out, &(struct hs_mls_encrypted_secrets){
                 .ref = HS_MLS_VIEW(ref),
                 .secrets = {.kem = hs_bytes(kem, world->suite->kem_enc_len),
                             .ciphertext = hs_bytes(sealed, secrets.len + HS_MLS_TAG_LEN)}});
}

/* A Welcome for all in a role. */
static void welcome_make(const struct mls_world *world, struct hs_mls_tree *tree, struct hs_bytes group_id,
                         struct hs_writer *out)
{
    const struct hs_mls_suite *suite = world->suite;
    struct hs_writer HS_WRITER info = hs_writer(MLS_CAP);
    struct hs_writer HS_WRITER secrets = hs_writer(MLS_CAP);
    struct hs_mls_secret HS_MLS_SECRET joiner = {0};
    struct hs_mls_secret HS_MLS_SECRET welcome = {0};
    uint8_t key[HS_MLS_MAX_AEAD_KEY], nonce[HS_MLS_NONCE_LEN];
    hs_mls_secret_random(suite, &joiner);
    info_make(world, tree, group_id, &joiner, &info);
    FUZZ_OK(hs_mls_welcome_secret(suite, &joiner, NULL, &welcome));
    FUZZ_OK(hs_mls_welcome_key(suite, &welcome, key, nonce));
    size_t len = info.len;
    HS_ASSERT(hs_writer_reserve(&info, HS_MLS_TAG_LEN) != NULL);
    FUZZ_OK(suite->seal(key, nonce, (struct hs_bytes){0}, hs_bytes(info.data, len), info.data));
    for (size_t i = 0; i < world->n; i++)
        if (plays(world, i))
            secrets_seal(world, &world->people[i], &joiner, hs_writer_bytes(&info), &secrets);
    hs_mls_write_head(out, HS_MLS_WELCOME);
    hs_mls_write_welcome(out, &(struct hs_mls_welcome){.suite = suite->id,
                                                       .secrets = hs_writer_bytes(&secrets),
                                                       .group_info = hs_writer_bytes(&info)});
    FUZZ_OK(out->err);
}

static void turn_all(const struct mls_world *world)
{
    struct hs_writer HS_WRITER commit = hs_writer(MLS_CAP);
    for (size_t by = 0; by < world->n; by++) {
        if (!plays(world, by))
            continue;
        mls_group_turn(world->people[by].group, &commit);
        for (size_t i = 0; i < world->n; i++)
            if (i != by && plays(world, i))
                mls_group_follow(world->people[i].group, &commit);
    }
}

void mls_world_fill(struct mls_world *world, size_t n)
{
    const struct hs_bytes group_id = hs_bytes_str("bench");
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    struct hs_writer HS_WRITER welcome = hs_writer(MLS_CAP);
    struct hs_writer HS_WRITER apart = hs_writer(MLS_CAP);
    mls_world_leave(world);
    world->n = n;
    tree_make(world, group_id, &tree);
    welcome_make(world, &tree, group_id, &welcome);
    hs_mls_tree_write(&tree, &apart);
    FUZZ_OK(apart.err);
    for (size_t i = 0; i < n; i++)
        if (plays(world, i))
            world->people[i].group =
                mls_person_join(&world->people[i], hs_writer_bytes(&welcome), hs_writer_bytes(&apart));
    turn_all(world);
}
