#include "bench/mls_floor.h"

#include "mls/framing.h"
#include "mls/leaf.h"

/* Lengths that hardly vary, in bytes, for suites with 32-byte keys and hashes. */
enum {
    SHORT = 64,        /* labelled derivations */
    PATH_SECRET = 32,  /* what is encrypted to each node */
    PARENT = 136,      /* TreeHashInput of a parent that isn't blank */
    BLANK_PARENT = 69, /* of a blank one */
    BLANK_LEAF = 6,
    PARENT_HASH = 99, /* ParentHashInput: key, parent hash, hash of the sibling */
    INTERIM = 66,     /* InterimTranscriptHashInput with the hash before */
    GROUP_SECRETS = 36,
    SENDER_DATA = 12,
    POST_HEAD = 70, /* content besides the text: signature, lengths */
};

struct mls_shape mls_shape_of(const struct mls_world *world, const struct hs_mls_group *group, size_t n,
                              bool full)
{
    struct hs_reader r = hs_reader(hs_writer_bytes(&mls_world_newcomer(world)->key_package));
    struct hs_mls_key_package package;
    HS_ASSERT(hs_mls_read_head(&r) == HS_MLS_KEY_PACKAGE);
    hs_mls_read_key_package(&r, &package);
    return (struct mls_shape){.suite = world->suite,
                              .n = n,
                              .levels = mls_levels(n),
                              .full = full,
                              .leaf = package.leaf.raw.len,
                              .key_package = package.raw.len,
                              .context = hs_mls_public_context(hs_mls_group_public(group)).len};
}

void mls_shape_commit(struct mls_shape *shape, struct hs_bytes commit)
{
    struct hs_reader r = hs_reader(commit);
    struct hs_mls_public_message message;
    HS_ASSERT(hs_mls_read_head(&r) == HS_MLS_PUBLIC_MESSAGE);
    hs_mls_read_public_message(&r, &message);
    FUZZ_OK(hs_reader_finish(&r));
    shape->commit = commit.len;
    shape->path_nodes = shape->sent = 0;
    r = hs_reader(message.authed.content.commit.path.nodes);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_path_node node;
        hs_mls_read_path_node(&r, &node);
        shape->path_nodes++;
        struct hs_reader list = hs_reader(node.secrets);
        for (struct hs_mls_hpke_ciphertext one; hs_reader_left(&list) > 0; shape->sent++)
            hs_mls_read_hpke(&list, &one);
        FUZZ_OK(list.err);
    }
    FUZZ_OK(r.err);
}

/* All tree hashes, those of blank leaves at the end included. */
static void floor_tree_hash(struct floor *f, const struct mls_shape *s)
{
    const size_t blank = ((size_t)1 << s->levels) - s->n;
    floor_each(f, FLOOR_HASH, 1, s->leaf);
    floor_each(f, FLOOR_HASH, 1, s->full ? PARENT : BLANK_PARENT);
    floor_once(f, FLOOR_HASH, blank, BLANK_LEAF);
    floor_once(f, FLOOR_HASH, blank, BLANK_PARENT);
}

/* From the init secret to the epoch's nine secrets, and the confirmation tag. */
static void floor_epoch(struct floor *f, const struct mls_shape *s)
{
    floor_once(f, FLOOR_HMAC, 2, s->context + SHORT); /* joiner_secret, epoch_secret */
    floor_once(f, FLOOR_HMAC, 2 + 9 + 1, SHORT);
}

/* The transcript hashes, and the tree hashes and parent hashes of one leaf's way up. */
static void floor_hashes(struct floor *f, const struct mls_shape *s)
{
    floor_once(f, FLOOR_HASH, 1, s->commit);
    floor_once(f, FLOOR_HASH, 1, INTERIM);
    floor_once(f, FLOOR_HASH, 1, s->leaf);
    floor_once(f, FLOOR_HASH, s->levels, PARENT);
    floor_once(f, FLOOR_HASH, s->path_nodes, PARENT_HASH);
}

/* A node of a path: its secret, the next one, and the key pair. */
static void floor_derive(struct floor *f, size_t nodes)
{
    floor_once(f, FLOOR_HMAC, 4 * nodes, SHORT);
    floor_once(f, FLOOR_BASE, nodes, 0);
}

/* HPKE to each of so many: the KEM's two HMACs, then secret, key and nonce. */
static void floor_encrypt(struct floor *f, size_t len)
{
    floor_each(f, FLOOR_BASE, 1, 0);
    floor_each(f, FLOOR_DH, 1, 0);
    floor_each(f, FLOOR_HMAC, 5, SHORT);
    floor_each(f, FLOOR_SEAL, 1, len);
}

/* The info is hashed once, however many it goes to. */
static void floor_decrypt(struct floor *f, size_t info_len, size_t len)
{
    floor_once(f, FLOOR_HMAC, 1, info_len);
    floor_once(f, FLOOR_DH, 1, 0);
    floor_once(f, FLOOR_HMAC, 5, SHORT);
    floor_once(f, FLOOR_OPEN, 1, len);
}

/* The path of a new leaf, encrypted, and the commit around it, but for the membership tag. */
static void floor_make(struct floor *f, const struct mls_shape *s)
{
    floor_once(f, FLOOR_SIGN, 1, s->commit + s->context);
    floor_once(f, FLOOR_SIGN, 1, s->leaf);
    floor_once(f, FLOOR_BASE, 1, 0);
    floor_derive(f, s->path_nodes);
    floor_once(f, FLOOR_HMAC, 1, s->context);
    f->each = s->sent;
    floor_encrypt(f, PATH_SECRET);
    floor_hashes(f, s);
    floor_epoch(f, s);
}

struct floor mls_floor_commit(const struct mls_shape *s)
{
    struct floor f = {.suite = s->suite};
    floor_make(&f, s);
    floor_once(&f, FLOOR_HMAC, 1, s->commit + s->context);
    return f;
}

struct floor mls_floor_process(const struct mls_shape *s, size_t derived)
{
    struct floor f = {.suite = s->suite};
    floor_once(&f, FLOOR_VERIFY, 1, s->commit + s->context);
    floor_once(&f, FLOOR_VERIFY, 1, s->leaf);
    floor_once(&f, FLOOR_HMAC, 1, s->commit + s->context);
    floor_decrypt(&f, s->context, PATH_SECRET);
    floor_derive(&f, derived);
    floor_hashes(&f, s);
    floor_epoch(&f, s);
    return f;
}

struct floor mls_floor_create(const struct mls_shape *s)
{
    struct floor f = {.suite = s->suite, .each = s->n - 1};
    floor_each(&f, FLOOR_VERIFY, 1, s->key_package);
    floor_each(&f, FLOOR_VERIFY, 1, s->leaf);
    floor_each(&f, FLOOR_HASH, 1, s->key_package);
    floor_tree_hash(&f, s);
    floor_encrypt(&f, GROUP_SECRETS);
    floor_once(&f, FLOOR_BASE, 1, 0); /* the creator's leaf */
    floor_once(&f, FLOOR_SIGN, 1, s->leaf);
    floor_once(&f, FLOOR_SIGN, 1, s->commit + s->context);
    floor_once(&f, FLOOR_HMAC, 1, s->commit + s->context);
    floor_once(&f, FLOOR_HASH, 1, s->commit);
    floor_once(&f, FLOOR_SIGN, 1, s->info);
    floor_once(&f, FLOOR_SEAL, 1, s->info);
    floor_once(&f, FLOOR_HMAC, 1, s->info);
    /* The first epoch's secrets and tag, and the Welcome's secret, key and nonce. */
    floor_once(&f, FLOOR_HMAC, 9 + 1 + 3, SHORT);
    floor_once(&f, FLOOR_HASH, 2, INTERIM);
    floor_epoch(&f, s);
    return f;
}

/* The whole tree, checked: leaves' signatures, tree hash, parent hashes; and the GroupInfo's signature. */
static void floor_tree(struct floor *f, const struct mls_shape *s)
{
    f->each = s->n;
    floor_each(f, FLOOR_VERIFY, 1, s->leaf);
    floor_tree_hash(f, s);
    if (s->full)
        floor_each(f, FLOOR_HASH, 1, PARENT_HASH);
    floor_once(f, FLOOR_VERIFY, 1, s->info);
}

struct floor mls_floor_tree(const struct mls_shape *s)
{
    struct floor f = {.suite = s->suite};
    floor_tree(&f, s);
    return f;
}

struct floor mls_floor_public(const struct mls_shape *s)
{
    struct floor f = {.suite = s->suite};
    floor_once(&f, FLOOR_VERIFY, 1, s->commit + s->context);
    floor_once(&f, FLOOR_VERIFY, 1, s->leaf);
    floor_hashes(&f, s);
    return f;
}

struct floor mls_floor_join(const struct mls_shape *s, size_t derived)
{
    struct floor f = {.suite = s->suite};
    floor_tree(&f, s);
    floor_once(&f, FLOOR_HASH, 1, s->key_package);
    floor_decrypt(&f, s->info, GROUP_SECRETS);
    floor_once(&f, FLOOR_OPEN, 1, s->info);
    floor_derive(&f, derived);
    /* With the PSK secret: the Welcome's secret, key and nonce, the epoch's nine, the confirmation tag. */
    floor_once(&f, FLOOR_HMAC, 1 + 3 + 9 + 1, SHORT);
    floor_once(&f, FLOOR_HMAC, 1, s->context + SHORT);
    floor_once(&f, FLOOR_HASH, 1, INTERIM);
    return f;
}

/* The tree is the one without the newcomer, the path the one with it. */
struct floor mls_floor_join_external(const struct mls_shape *s)
{
    /* The ciphertexts of the path are few: one a level. */
    struct floor f = {.suite = s->suite}, path = {.suite = s->suite};
    struct mls_shape before = *s;
    before.n--;
    before.levels = mls_levels(before.n);
    floor_tree(&f, &before);
    floor_once(&f, FLOOR_BASE, 1, 0); /* the init secret: KEM, secret, exporter */
    floor_once(&f, FLOOR_DH, 1, 0);
    floor_once(&f, FLOOR_HMAC, 5, SHORT);
    floor_make(&path, s);
    for (size_t i = 0; i < path.count; i++)
        floor_once(&f, path.items[i].call, path.items[i].times * (path.items[i].each ? path.each : 1),
                   path.items[i].len);
    return f;
}

/* Three derivations turn the ratchet, two make the key and nonce of the sender data. */
struct floor mls_floor_protect(const struct mls_shape *s, size_t len)
{
    struct floor f = {.suite = s->suite};
    floor_once(&f, FLOOR_SIGN, 1, len + s->context + SHORT);
    floor_once(&f, FLOOR_HMAC, 3 + 2, SHORT);
    floor_once(&f, FLOOR_SEAL, 1, len + POST_HEAD);
    floor_once(&f, FLOOR_SEAL, 1, SENDER_DATA);
    return f;
}

struct floor mls_floor_unprotect(const struct mls_shape *s, size_t len)
{
    struct floor f = {.suite = s->suite};
    floor_once(&f, FLOOR_VERIFY, 1, len + s->context + SHORT);
    floor_once(&f, FLOOR_HMAC, 3 + 2, SHORT);
    floor_once(&f, FLOOR_OPEN, 1, len + POST_HEAD);
    floor_once(&f, FLOOR_OPEN, 1, SENDER_DATA);
    return f;
}
