#include "mls/treekem.h"

#include "mls/suite.h"
#include "mls/tree_node.h"

static const char path_label[] = "UpdatePathNode";

void hs_mls_path_keys_wipe(struct hs_mls_path_keys *keys)
{
    hs_wipe(keys, sizeof *keys);
}

void hs_mls_path_secrets_wipe(struct hs_mls_path_secrets *secrets)
{
    hs_wipe(secrets, sizeof *secrets);
}

unsigned hs_mls_common_level(uint32_t a, uint32_t b)
{
    unsigned level = 0;
    while (a >> level != b >> level)
        level++;
    return level;
}

void hs_mls_path_keys_prune(const struct hs_mls_tree *tree, uint32_t leaf, struct hs_mls_path_keys *keys)
{
    struct hs_mls_tree_path path;
    hs_mls_tree_path(tree, leaf, &path);
    if (hs_mls_tree_error(tree) != HS_OK)
        return; /* what looks blank may not be */
    for (unsigned level = 1; level < HS_MLS_MAX_DEPTH; level++) {
        if (level <= path.depth && path.on[level]->filled)
            continue;
        keys->have[level] = false;
        hs_mls_secret_wipe(&keys->priv[level]);
    }
}

/* Sets the parent hashes of the filled nodes from the root down; *last is the one for the leaf, empty where
 * there is none. */
static enum hs_err set_parent_hashes(const struct hs_mls_tree *tree, struct hs_mls_tree_path *path,
                                     struct hs_mls_hash *last)
{
    last->len = 0;
    for (unsigned level = path->depth; level > 0; level--) {
        struct hs_mls_node *node = path->on[level];
        if (!node->filled)
            continue;
        hs_mls_node_set_parent_hash(node, HS_MLS_VIEW(*last));
        HS_TRY(hs_mls_parent_hash(tree, node, path->co[level], last));
    }
    return HS_OK;
}

/* The key pair of a node from its path secret (RFC 9420, 7.4). */
static enum hs_err node_keypair(const struct hs_mls_suite *suite, const struct hs_mls_secret *path_secret,
                                struct hs_mls_secret *priv, struct hs_mls_pub *pub)
{
    struct hs_mls_secret HS_MLS_SECRET node_secret;
    HS_TRY(hs_mls_derive_secret(suite, path_secret, "node", &node_secret));
    return suite->kem_derive(HS_MLS_VIEW(node_secret), priv, pub);
}

/* Blanks the direct path and fills the nodes whose copath child has members; new secrets for all of them. */
static enum hs_err fill_new(const struct hs_mls_suite *suite, struct hs_mls_tree_path *path,
                            struct hs_mls_path_keys *keys, struct hs_mls_path_secrets *secrets)
{
    struct hs_mls_secret HS_MLS_SECRET secret;
    hs_mls_secret_random(suite, &secret);
    secrets->start = secret;
    for (unsigned level = 1; level <= path->depth; level++) {
        struct hs_mls_pub pub;
        hs_mls_node_blank(path->on[level]);
        if (path->co[level]->members == 0)
            continue;
        HS_TRY(node_keypair(suite, &secret, &keys->priv[level], &pub));
        hs_mls_node_fill(path->on[level], HS_MLS_VIEW(pub));
        keys->have[level] = secrets->have[level] = true;
        secrets->secret[level] = secret;
        HS_TRY(hs_mls_derive_secret(suite, &secret, "path", &secret));
    }
    secrets->commit = secret;
    return HS_OK;
}

enum hs_err hs_mls_path_make(struct hs_mls_tree *tree, const struct hs_mls_leaf_renewal *renewal,
                             struct hs_mls_path_keys *keys, struct hs_mls_path_secrets *secrets)
{
    struct hs_mls_tree_path path;
    struct hs_mls_leaf_renewal leaf_renewal = *renewal;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_mls_pub pub;
    struct hs_mls_hash hash;
    *keys = (struct hs_mls_path_keys){0};
    *secrets = (struct hs_mls_path_secrets){0};
    HS_TRY(hs_mls_tree_path_own(tree, renewal->index, &path));
    HS_TRY(fill_new(tree->suite, &path, keys, secrets));
    HS_TRY(set_parent_hashes(tree, &path, &hash));
    HS_TRY(hs_mls_kem_generate(tree->suite, &keys->priv[0], &pub));
    keys->have[0] = true;
    leaf_renewal.encryption_key = HS_MLS_VIEW(pub);
    leaf_renewal.source = HS_MLS_LEAF_COMMIT;
    leaf_renewal.parent_hash = HS_MLS_VIEW(hash);
    HS_TRY(hs_mls_leaf_renew(&leaf_renewal, &leaf));
    return hs_mls_tree_put(tree, renewal->index, leaf);
}

static bool is_newcomer(const struct hs_mls_newcomers *newcomers, const struct hs_mls_resolved *at)
{
    size_t low = 0, high = newcomers->count;
    uint32_t leaf = at->index / 2;
    if (at->node->level > 0)
        return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (newcomers->leaves[middle] == leaf)
            return true;
        if (newcomers->leaves[middle] < leaf)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The resolution of a copath node without the newcomers: who a path secret is encrypted to. */
static enum hs_err recipients(const struct hs_mls_tree *tree, struct hs_mls_node *co,
                              const struct hs_mls_newcomers *newcomers, struct hs_mls_resolution *out)
{
    HS_TRY(hs_mls_tree_error(tree)); /* co may only look blank */
    HS_TRY(hs_mls_resolve(tree, co, out));
    size_t kept = 0;
    for (size_t i = 0; i < out->count; i++)
        if (!is_newcomer(newcomers, &out->list[i]))
            out->list[kept++] = out->list[i];
    out->count = kept;
    return HS_OK;
}

static enum hs_err encrypt_one(const struct hs_mls_seal_info *info, struct hs_bytes to,
                               const struct hs_mls_secret *secret, struct hs_writer *w)
{
    uint8_t kem[HS_MLS_MAX_PUB], ciphertext[HS_MLS_MAX_SECRET + HS_MLS_TAG_LEN];
    HS_TRY(hs_mls_seal_to(info, to, HS_MLS_VIEW(*secret), kem, ciphertext));
    const struct hs_mls_hpke_ciphertext c = {.kem = hs_bytes(kem, info->suite->kem_enc_len),
                                             .ciphertext =
                                                 hs_bytes(ciphertext, (size_t)secret->len + HS_MLS_TAG_LEN)};
    hs_mls_write_hpke(w, &c);
    return w->err;
}

enum hs_err hs_mls_path_encrypt(const struct hs_mls_tree *tree, uint32_t sender,
                                const struct hs_mls_path_secrets *secrets,
                                const struct hs_mls_newcomers *newcomers, struct hs_bytes context,
                                struct hs_writer *nodes)
{
    struct hs_mls_tree_path path;
    struct hs_mls_seal_info info;
    HS_TRY(hs_mls_seal_info(tree->suite, path_label, context, &info));
    hs_mls_tree_path(tree, sender, &path);
    for (unsigned level = 1; level <= path.depth; level++) {
        if (!secrets->have[level])
            continue;
        struct hs_mls_resolution HS_MLS_RESOLUTION to = {0};
        HS_TRY(recipients(tree, path.co[level], newcomers, &to));
        hs_write_mls_vec(nodes, hs_mls_node_key(path.on[level]));
        size_t mark = hs_writer_open(nodes);
        for (size_t i = 0; i < to.count; i++)
            HS_TRY(encrypt_one(&info, hs_mls_node_key(to.list[i].node), &secrets->secret[level], nodes));
        hs_writer_close(nodes, mark);
    }
    return nodes->err;
}

static size_t count_secrets(const struct hs_mls_path_node *node)
{
    size_t count = 0;
    struct hs_reader r = hs_reader(node->secrets);
    for (; hs_reader_left(&r) > 0; count++) {
        struct hs_mls_hpke_ciphertext c;
        hs_mls_read_hpke(&r, &c);
    }
    return count;
}

/* Fills the filtered direct path with the keys that came; as many nodes, and as many ciphertexts in each, as
 * there must be. */
static enum hs_err fill_given(const struct hs_mls_tree *tree, struct hs_mls_tree_path *path,
                              struct hs_bytes nodes, const struct hs_mls_newcomers *newcomers)
{
    struct hs_reader r = hs_reader(nodes);
    for (unsigned level = 1; level <= path->depth; level++) {
        hs_mls_node_blank(path->on[level]);
        if (path->co[level]->members == 0)
            continue;
        struct hs_mls_path_node given;
        struct hs_mls_resolution HS_MLS_RESOLUTION to = {0};
        hs_mls_read_path_node(&r, &given);
        HS_REQUIRE(r.err == HS_OK, HS_ERR_MLS_COMMIT);
        HS_REQUIRE(given.encryption_key.len == tree->suite->kem_pub_len, HS_ERR_MLS_COMMIT);
        HS_REQUIRE(tree->suite->kem_check(given.encryption_key) == HS_OK, HS_ERR_MLS_COMMIT);
        HS_TRY(recipients(tree, path->co[level], newcomers, &to));
        HS_REQUIRE(count_secrets(&given) == to.count, HS_ERR_MLS_COMMIT);
        hs_mls_node_fill(path->on[level], given.encryption_key);
    }
    return hs_reader_finish(&r) == HS_OK ? HS_OK : HS_ERR_MLS_COMMIT;
}

static enum hs_err check_leaf(const struct hs_mls_tree *tree, const struct hs_mls_path_apply *apply,
                              const struct hs_mls_leaf *leaf)
{
    const struct hs_mls_leaf *old = hs_mls_tree_leaf(tree, apply->sender);
    HS_TRY(hs_mls_tree_error(tree));
    HS_REQUIRE(apply->path->leaf.source == HS_MLS_LEAF_COMMIT, HS_ERR_MLS_LEAF);
    HS_REQUIRE(old != NULL, HS_ERR_MLS_COMMIT);
    HS_REQUIRE(apply->newcomer ||
                   !hs_bytes_equal(hs_mls_leaf_encryption_key(old), apply->path->leaf.encryption_key),
               HS_ERR_MLS_COMMIT);
    HS_TRY(hs_mls_leaf_check(tree->suite, leaf));
    enum hs_err err = hs_mls_leaf_verify(tree->suite, leaf, apply->group_id, apply->sender);
    return err == HS_ERR_BAD_SIGNATURE ? HS_ERR_MLS_LEAF : err;
}

enum hs_err hs_mls_path_apply(struct hs_mls_tree *tree, const struct hs_mls_path_apply *apply)
{
    struct hs_mls_tree_path path;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct hs_mls_hash hash;
    HS_TRY(hs_mls_leaf_new(tree->suite, &apply->path->leaf, &leaf));
    HS_TRY(check_leaf(tree, apply, leaf));
    HS_TRY(hs_mls_tree_path_own(tree, apply->sender, &path));
    HS_TRY(fill_given(tree, &path, apply->path->nodes, apply->newcomers));
    HS_TRY(set_parent_hashes(tree, &path, &hash));
    HS_REQUIRE(hs_bytes_equal(apply->path->leaf.parent_hash, HS_MLS_VIEW(hash)), HS_ERR_MLS_TREE);
    return hs_mls_tree_put(tree, apply->sender, leaf);
}

enum hs_err hs_mls_path_derive(const struct hs_mls_tree *tree, uint32_t leaf, unsigned level,
                               const struct hs_mls_secret *start, struct hs_mls_path_keys *keys,
                               struct hs_mls_path_secrets *secrets)
{
    struct hs_mls_secret HS_MLS_SECRET secret = *start;
    struct hs_mls_tree_path path;
    hs_mls_tree_path(tree, leaf, &path);
    HS_TRY(hs_mls_tree_error(tree));
    for (; level <= path.depth; level++) {
        struct hs_mls_pub pub;
        keys->have[level] = path.on[level]->filled;
        hs_mls_secret_wipe(&keys->priv[level]);
        if (!path.on[level]->filled)
            continue;
        HS_TRY(node_keypair(tree->suite, &secret, &keys->priv[level], &pub));
        HS_REQUIRE(hs_bytes_equal(HS_MLS_VIEW(pub), hs_mls_node_key(path.on[level])), HS_ERR_MLS_COMMIT);
        secrets->have[level] = true;
        secrets->secret[level] = secret;
        HS_TRY(hs_mls_derive_secret(tree->suite, &secret, "path", &secret));
    }
    secrets->commit = secret;
    return HS_OK;
}

/* The ciphertexts of the path node at that level. */
static enum hs_err secrets_at(const struct hs_mls_path_open *open, unsigned level, struct hs_bytes *out)
{
    struct hs_mls_tree_path path;
    struct hs_reader r = hs_reader(open->path->nodes);
    hs_mls_tree_path(open->tree, open->sender, &path);
    HS_TRY(hs_mls_tree_error(open->tree));
    for (unsigned at = 1; at <= level; at++) {
        struct hs_mls_path_node node;
        if (!path.on[at]->filled)
            continue;
        hs_mls_read_path_node(&r, &node);
        *out = node.secrets;
    }
    return r.err == HS_OK && path.on[level]->filled ? HS_OK : HS_ERR_MLS_COMMIT;
}

/* Opens the ciphertext of the first recipient whose private key is one's own. */
static enum hs_err open_secret(const struct hs_mls_path_open *open, unsigned level,
                               struct hs_bytes ciphertexts, const struct hs_mls_path_keys *keys,
                               struct hs_mls_secret *secret)
{
    const struct hs_mls_suite *suite = open->tree->suite;
    struct hs_mls_tree_path path, own;
    struct hs_mls_resolution HS_MLS_RESOLUTION to = {0};
    hs_mls_tree_path(open->tree, open->sender, &path);
    hs_mls_tree_path(open->tree, open->own, &own);
    HS_TRY(recipients(open->tree, path.co[level], open->newcomers, &to));
    struct hs_reader r = hs_reader(ciphertexts);
    for (size_t i = 0; i < to.count; i++) {
        struct hs_mls_hpke_ciphertext c;
        unsigned at = to.list[i].node->level;
        hs_mls_read_hpke(&r, &c);
        if (to.list[i].node != own.on[at] || !keys->have[at])
            continue;
        HS_REQUIRE(c.ciphertext.len == (size_t)suite->hash_len + HS_MLS_TAG_LEN, HS_ERR_MLS_COMMIT);
        secret->len = suite->hash_len;
        return hs_mls_open(suite, &keys->priv[at], hs_mls_node_key(to.list[i].node), path_label,
                           open->context, c.kem, c.ciphertext, secret->v);
    }
    return HS_ERR_MLS_COMMIT;
}

enum hs_err hs_mls_path_open(const struct hs_mls_path_open *open, struct hs_mls_path_keys *keys,
                             struct hs_mls_path_secrets *secrets)
{
    struct hs_mls_secret HS_MLS_SECRET secret = {0};
    struct hs_bytes ciphertexts;
    unsigned level = hs_mls_common_level(open->own, open->sender);
    *secrets = (struct hs_mls_path_secrets){0};
    HS_REQUIRE(level > 0, HS_ERR_MLS_COMMIT);
    HS_TRY(secrets_at(open, level, &ciphertexts));
    HS_TRY(open_secret(open, level, ciphertexts, keys, &secret));
    return hs_mls_path_derive(open->tree, open->own, level, &secret, keys, secrets);
}
