/* Update paths by themselves: made, applied, opened by all; what a receiver refuses (RFC 9420, 7.5, 7.6 and
 * 12.4.2). */
#include "unit/mls/tree_kit.h"

#include "crypto/selftest.h"

enum { MEMBERS = 6 };

static const struct hs_mls_newcomers nobody = {0};

/* Six members with their keys after some paths; the first makes another one. */
struct cast {
    struct hs_mls_tree before, made;
    struct hs_mls_signer signers[MEMBERS + 1];
    struct hs_mls_path_keys keys[MEMBERS];
    struct hs_mls_path_keys new_keys;
    struct hs_mls_path_secrets secrets;
    struct hs_mls_newcomers newcomers;
    struct hs_writer nodes;
    struct hs_mls_update_path path;
    struct hs_mls_signature signature;
};

static void cast_free(struct cast *c)
{
    hs_mls_tree_free(&c->before);
    hs_mls_tree_free(&c->made);
    hs_writer_free(&c->nodes);
}

static const struct hs_bytes context = {(const uint8_t *)"context", 7};

static struct hs_mls_path_apply applied(const struct cast *c)
{
    return (struct hs_mls_path_apply){
        .path = &c->path, .newcomers = &c->newcomers, .group_id = hs_bytes_str("g")};
}

static enum hs_err try_apply(const struct cast *c)
{
    struct hs_mls_tree HS_MLS_TREE tree = hs_mls_tree_share(&c->before);
    const struct hs_mls_path_apply apply = applied(c);
    return hs_mls_path_apply(&tree, &apply);
}

static enum hs_err try_open(struct cast *c, uint32_t own, struct hs_mls_path_secrets *secrets)
{
    struct hs_mls_path_keys HS_MLS_PATH_KEYS keys = c->keys[own];
    const struct hs_mls_path_open open = {
        .tree = &c->made, .own = own, .path = &c->path, .newcomers = &c->newcomers, .context = context};
    return hs_mls_path_open(&open, &keys, secrets);
}

/* Writes the path's nodes from the secrets that are known. */
static void encrypt(struct cast *c)
{
    hs_writer_reset(&c->nodes);
    assert_ok(hs_mls_path_encrypt(&c->made, 0, &c->secrets, &c->newcomers, context, &c->nodes));
    c->path.nodes = hs_writer_bytes(&c->nodes);
}

static void make(struct cast *c)
{
    const struct hs_mls_leaf_renewal renewal = {
        .old = hs_mls_tree_leaf(&c->before, 0), .signer = &c->signers[0], .group_id = hs_bytes_str("g")};
    c->made = hs_mls_tree_share(&c->before);
    assert_ok(hs_mls_path_make(&c->made, &renewal, &c->new_keys, &c->secrets));
    c->path.leaf = hs_mls_leaf_node(hs_mls_tree_leaf(&c->made, 0));
    encrypt(c);
}

/* A leaf whose private key is known. */
static struct hs_mls_leaf *keyed_leaf(struct hs_mls_signer *signer, struct hs_mls_secret *priv)
{
    struct hs_mls_pub pub;
    struct hs_mls_leaf *leaf = NULL;
    assert_ok(hs_mls_signer_random(kit_suite, signer));
    assert_ok(hs_mls_kem_generate(kit_suite, priv, &pub));
    const struct hs_mls_leaf_params params = {
        .signer = signer, .identity = hs_bytes_str("x"), .not_after = 1};
    assert_ok(hs_mls_leaf_create(&params, HS_MLS_VIEW(pub), &leaf));
    return leaf;
}

static void cast_init(struct cast *c)
{
    *c = (struct cast){.nodes = hs_writer(KIT_CAP)};
    assert_ok(hs_mls_tree_init(kit_suite, &c->before));
    for (uint32_t i = 0, index; i < MEMBERS; i++) {
        struct hs_mls_leaf HS_MLS_LEAF *leaf = keyed_leaf(&c->signers[i], &c->keys[i].priv[0]);
        c->keys[i].have[0] = true;
        assert_ok(hs_mls_tree_add(&c->before, leaf, &index));
    }
    make(c);
}

static void all_open(struct cast *c)
{
    for (uint32_t own = 1; own < MEMBERS; own++) {
        struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets;
        assert_ok(try_open(c, own, &secrets));
        assert_bytes(HS_MLS_VIEW(secrets.commit), HS_MLS_VIEW(c->secrets.commit));
    }
}

static void agrees(void **state)
{
    (void)state;
    struct cast HS_AUTO(cast_free) c;
    cast_init(&c);
    struct hs_mls_tree HS_MLS_TREE tree = hs_mls_tree_share(&c.before);
    const struct hs_mls_path_apply apply = applied(&c);
    assert_ok(hs_mls_path_apply(&tree, &apply));
    assert_bytes(HS_MLS_VIEW(kit_hash(&tree)), HS_MLS_VIEW(kit_hash(&c.made)));
    assert_ok(hs_mls_tree_check(&tree));
    all_open(&c);
    struct hs_mls_path_secrets secrets;
    assert_err(try_open(&c, 0, &secrets), HS_ERR_MLS_COMMIT); /* one's own */
}

/* Those whom the commit adds get no ciphertext, and take none away from others. */
static void newcomers(void **state)
{
    (void)state;
    struct cast HS_AUTO(cast_free) c;
    struct hs_mls_secret priv;
    uint32_t index;
    cast_init(&c);
    struct hs_mls_leaf HS_MLS_LEAF *leaf = keyed_leaf(&c.signers[MEMBERS], &priv);
    assert_ok(hs_mls_tree_add(&c.before, leaf, &index));
    hs_mls_tree_free(&c.made);
    c.newcomers = (struct hs_mls_newcomers){.leaves = &index, .count = 1};
    make(&c);
    assert_ok(try_apply(&c));
    all_open(&c);
    c.newcomers = nobody;
    assert_err(try_apply(&c), HS_ERR_MLS_COMMIT); /* then a ciphertext is missing */
    encrypt(&c);
    assert_ok(try_apply(&c));
    c.newcomers = (struct hs_mls_newcomers){.leaves = &index, .count = 1};
    assert_err(try_apply(&c), HS_ERR_MLS_COMMIT); /* then there is one too many */
}

/* Signs the bent leaf again. */
static void sign_leaf(struct cast *c)
{
    struct hs_writer HS_WRITER tbs = hs_writer(KIT_CAP);
    hs_mls_write_leaf_tbs(&tbs, &c->path.leaf, hs_bytes_str("g"), 0);
    assert_ok(hs_mls_sign(&c->signers[0], "LeafNodeTBS", hs_writer_bytes(&tbs), &c->signature));
    c->path.leaf.signature = HS_MLS_VIEW(c->signature);
}

/* The leaf as it would come in a message. */
static enum hs_err apply_leaf(struct cast *c, bool newcomer)
{
    struct hs_writer HS_WRITER raw = hs_writer(KIT_CAP);
    struct hs_mls_tree HS_MLS_TREE tree = hs_mls_tree_share(&c->before);
    hs_mls_write_leaf_node(&raw, &c->path.leaf);
    c->path.leaf.raw = hs_writer_bytes(&raw);
    struct hs_mls_path_apply apply = applied(c);
    apply.newcomer = newcomer;
    return hs_mls_path_apply(&tree, &apply);
}

/* MLS-30 */
static void bad_leaf(void **state)
{
    (void)state;
    struct cast HS_AUTO(cast_free) c;
    cast_init(&c);
    const struct hs_mls_leaf_node good = c.path.leaf;
    sign_leaf(&c);
    assert_ok(apply_leaf(&c, false));
    c.path.leaf = good;
    c.path.leaf.encryption_key = hs_mls_leaf_encryption_key(hs_mls_tree_leaf(&c.before, 0));
    sign_leaf(&c);
    assert_err(apply_leaf(&c, false), HS_ERR_MLS_COMMIT); /* the old key again */
    assert_ok(apply_leaf(&c, true));                      /* which a newcomer doesn't have */
    c.path.leaf = good;
    c.path.leaf.source = HS_MLS_LEAF_UPDATE;
    sign_leaf(&c);
    assert_err(apply_leaf(&c, false), HS_ERR_MLS_LEAF);
    c.path.leaf = good;
    c.path.leaf.parent_hash = (struct hs_bytes){0};
    sign_leaf(&c);
    assert_err(apply_leaf(&c, false), HS_ERR_MLS_TREE);
    c.path.leaf = good;
    c.path.leaf.capabilities.suites = (struct hs_bytes){0};
    sign_leaf(&c);
    assert_err(apply_leaf(&c, false), HS_ERR_MLS_LEAF);
    c.path.leaf = good;
    c.path.leaf.signature = hs_bytes_str("none");
    assert_err(apply_leaf(&c, false), HS_ERR_MLS_LEAF);
    /* of a leaf that is blank */
    c.path.leaf = good;
    assert_ok(hs_mls_tree_replace(&c.before, 0, NULL));
    assert_err(apply_leaf(&c, false), HS_ERR_MLS_COMMIT);
}

/* The path's nodes, with one of them changed. */
static void rewrite(struct cast *c, struct hs_writer *w, size_t which, struct hs_bytes key, bool more)
{
    struct hs_reader r = hs_reader(hs_writer_bytes(&c->nodes));
    for (size_t i = 0; hs_reader_left(&r) > 0; i++) {
        struct hs_mls_path_node node;
        hs_mls_read_path_node(&r, &node);
        hs_write_mls_vec(w, i == which && key.data != NULL ? key : node.encryption_key);
        size_t mark = hs_writer_open(w);
        hs_write_bytes(w, node.secrets);
        if (i == which && more)
            hs_write_bytes(w, node.secrets);
        hs_writer_close(w, mark);
    }
    c->path.nodes = hs_writer_bytes(w);
}

static void bad_nodes(void **state)
{
    (void)state;
    struct cast HS_AUTO(cast_free) c;
    static const uint8_t low[32] = {1}, short_key[31] = {9};
    cast_init(&c);
    const struct hs_bytes good = c.path.nodes;
    for (size_t which = 0; which < 3; which++) {
        struct hs_writer HS_WRITER keys = hs_writer(KIT_CAP), HS_WRITER lengths = hs_writer(KIT_CAP),
                                   HS_WRITER twice = hs_writer(KIT_CAP), HS_WRITER other = hs_writer(KIT_CAP);
        rewrite(&c, &keys, which, hs_bytes(low, sizeof low), false); /* nobody can encrypt to it */
        assert_err(try_apply(&c), HS_ERR_MLS_COMMIT);
        rewrite(&c, &lengths, which, hs_bytes(short_key, sizeof short_key), false);
        assert_err(try_apply(&c), HS_ERR_MLS_COMMIT);
        rewrite(&c, &twice, which, (struct hs_bytes){0}, true); /* more ciphertexts than recipients */
        assert_err(try_apply(&c), HS_ERR_MLS_COMMIT);
        /* another key: the leaf's parent hash is of the right one */
        rewrite(&c, &other, which, hs_mls_leaf_encryption_key(hs_mls_tree_leaf(&c.before, 1)), false);
        assert_err(try_apply(&c), HS_ERR_MLS_TREE);
    }
    struct hs_writer HS_WRITER long_path = hs_writer(KIT_CAP);
    hs_write_bytes(&long_path, good);
    hs_write_bytes(&long_path, good);
    c.path.nodes = hs_writer_bytes(&long_path);
    assert_err(try_apply(&c), HS_ERR_MLS_COMMIT); /* too many nodes */
    c.path.nodes = (struct hs_bytes){0};
    assert_err(try_apply(&c), HS_ERR_MLS_COMMIT); /* too few */
    c.path.nodes = good;
    assert_ok(try_apply(&c));
}

/* A path that is well for some: the others find it out. */
static void bad_secrets(void **state)
{
    (void)state;
    struct cast HS_AUTO(cast_free) c;
    struct hs_mls_path_secrets secrets;
    cast_init(&c);
    hs_mls_secret_random(kit_suite, &c.secrets.secret[2]); /* members 2 and 3 get another secret */
    encrypt(&c);
    assert_ok(try_apply(&c));
    assert_ok(try_open(&c, 1, &secrets));
    assert_err(try_open(&c, 2, &secrets), HS_ERR_MLS_COMMIT);
    assert_err(try_open(&c, 3, &secrets), HS_ERR_MLS_COMMIT);
    assert_ok(try_open(&c, 4, &secrets));
    c.nodes.data[c.nodes.len - 1] ^= 1; /* the last ciphertext is for member 5 */
    assert_ok(try_open(&c, 4, &secrets));
    assert_err(try_open(&c, 5, &secrets), HS_ERR_DECRYPT);
    c.keys[4].have[0] = false;
    assert_err(try_open(&c, 4, &secrets), HS_ERR_MLS_COMMIT); /* no key to open it with */
}

static int setup(void **state)
{
    (void)state;
    return hs_crypto_init() == HS_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees),    cmocka_unit_test(newcomers),   cmocka_unit_test(bad_leaf),
        cmocka_unit_test(bad_nodes), cmocka_unit_test(bad_secrets),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
