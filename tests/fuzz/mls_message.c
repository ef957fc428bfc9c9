/* MLS messages looked at from outside: peek, cut, and read and write of every structure, which must give the
 * same bytes. Input: choice, bytes: an MLSMessage, a ratchet tree, a saved public state, or a GroupInfo for a
 * hub. */
#include "fuzz/fuzz.h"

#include "crypto/selftest.h"
#include "mls/framing.h"
#include "mls/public.h"
#include "mls/tree.h"

enum { OUT_MAX = 1 << 22 };

static bool same(const struct hs_writer *w, struct hs_bytes in)
{
    FUZZ_OK(w->err);
    return hs_bytes_equal(hs_writer_bytes(w), in);
}

static void write_body(struct hs_reader *r, enum hs_mls_wire_format format, struct hs_writer *w)
{
    union {
        struct hs_mls_public_message pub;
        struct hs_mls_private_message priv;
        struct hs_mls_welcome welcome;
        struct hs_mls_group_info info;
        struct hs_mls_key_package kp;
    } m;
    switch (format) {
    case HS_MLS_PUBLIC_MESSAGE:
        hs_mls_read_public_message(r, &m.pub);
        if (hs_reader_finish(r) == HS_OK)
            hs_mls_write_public_message(w, &m.pub);
        return;
    case HS_MLS_PRIVATE_MESSAGE:
        hs_mls_read_private_message(r, &m.priv);
        if (hs_reader_finish(r) == HS_OK)
            hs_mls_write_private_message(w, &m.priv);
        return;
    case HS_MLS_WELCOME:
        hs_mls_read_welcome(r, &m.welcome);
        if (hs_reader_finish(r) == HS_OK)
            hs_mls_write_welcome(w, &m.welcome);
        return;
    case HS_MLS_GROUP_INFO:
        hs_mls_read_group_info(r, &m.info);
        if (hs_reader_finish(r) == HS_OK)
            hs_mls_write_group_info(w, &m.info);
        return;
    case HS_MLS_KEY_PACKAGE:
        hs_mls_read_key_package(r, &m.kp);
        if (hs_reader_finish(r) == HS_OK)
            hs_mls_write_key_package(w, &m.kp);
    }
}

/* Every joiner that a Welcome names can be cut out, and finds itself alone there. */
static void check_welcome(struct hs_bytes in)
{
    for (size_t i = 0; i < 4; i++) {
        struct hs_id ref, first;
        if (hs_mls_welcome_ref(in, i, &ref) != HS_OK)
            return;
        struct hs_writer HS_WRITER cut = hs_writer(OUT_MAX);
        FUZZ_OK(hs_mls_welcome_cut(in, &ref, &cut));
        FUZZ_OK(hs_mls_welcome_ref(hs_writer_bytes(&cut), 0, &first));
        HS_ASSERT(hs_id_equal(&ref, &first));
        HS_ASSERT(hs_mls_welcome_ref(hs_writer_bytes(&cut), 1, &first) == HS_ERR_NOT_FOUND);
    }
}

static void check_message(struct hs_bytes in)
{
    struct hs_mls_peek peek;
    struct hs_writer HS_WRITER w = hs_writer(OUT_MAX);
    struct hs_reader r = hs_reader(in);
    enum hs_err peeked = hs_mls_message_peek(in, &peek);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_ASSERT(peeked != HS_OK || (r.err == HS_OK && peek.wire_format == format));
    if (r.err != HS_OK)
        return;
    hs_mls_write_head(&w, format);
    write_body(&r, format, &w);
    if (hs_reader_finish(&r) != HS_OK)
        return;
    HS_ASSERT(peeked == HS_OK && same(&w, in));
    fuzz_accepted++;
    if (format == HS_MLS_WELCOME)
        check_welcome(in);
}

static void check_tree(struct hs_bytes in)
{
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    struct hs_writer HS_WRITER w = hs_writer(OUT_MAX);
    struct hs_id hash;
    if (hs_mls_tree_read(in, &tree) != HS_OK) {
        HS_ASSERT(tree.root == NULL);
        return;
    }
    hs_mls_tree_write(&tree, &w);
    HS_ASSERT(same(&w, in));
    FUZZ_OK(hs_mls_tree_hash(&tree, &hash));
    fuzz_accepted += hs_mls_tree_check(&tree) == HS_OK;
}

/* Saved bytes are trusted, but what loads is whole: it can be walked and saved again. */
static void check_saved(struct hs_bytes in)
{
    struct hs_mls_public HS_MLS_PUBLIC *pub = NULL;
    struct hs_writer HS_WRITER w = hs_writer(OUT_MAX);
    struct hs_mls_member member;
    if (hs_mls_public_load(in, &pub) != HS_OK)
        return;
    for (uint32_t leaf = 0; hs_mls_public_member_next(pub, &leaf, &member);)
        FUZZ_OK(hs_mls_public_member_by_key(pub, &member.signature_key, &member));
    FUZZ_OK(hs_mls_public_save(pub, &w));
    fuzz_accepted++;
}

static void check_info(struct hs_bytes in)
{
    struct hs_mls_public HS_MLS_PUBLIC *pub = NULL, *again = NULL;
    struct hs_writer HS_WRITER w = hs_writer(OUT_MAX);
    if (hs_mls_public_new(in, (struct hs_bytes){0}, &pub) != HS_OK)
        return;
    FUZZ_OK(hs_mls_public_save(pub, &w));
    FUZZ_OK(hs_mls_public_load(hs_writer_bytes(&w), &again));
    fuzz_accepted++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(struct hs_bytes) = {check_message, check_tree, check_saved, check_info};
    FUZZ_OK(hs_crypto_init());
    struct hs_bytes in = hs_bytes(data, size);
    checks[fuzz_choice(&in) % (sizeof checks / sizeof *checks)](in);
    return 0;
}
