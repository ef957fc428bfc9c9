/* MLS messages looked at from outside, and every structure read and written again, which must give the same
 * bytes. Input: choice, bytes. Choice: bits 0-3 which structure, bit 4 suite 1. */
#include "fuzz/fuzz.h"

#include "mls/extensions.h"
#include "mls/external.h"
#include "mls/framing.h"
#include "mls/leaf.h"
#include "mls/tree.h"

enum { OUT_MAX = 1 << 22 };

static bool same(const struct hs_writer *w, struct hs_bytes in)
{
    FUZZ_OK(w->err);
    return hs_bytes_equal(hs_writer_bytes(w), in);
}

union body {
    struct hs_mls_public_message pub;
    struct hs_mls_private_message priv;
    struct hs_mls_welcome welcome;
    struct hs_mls_group_info info;
    struct hs_mls_key_package kp;
};

static void body_read(struct hs_reader *r, enum hs_mls_wire_format format, union body *m)
{
    switch (format) {
    case HS_MLS_PUBLIC_MESSAGE:
        hs_mls_read_public_message(r, &m->pub);
        return;
    case HS_MLS_PRIVATE_MESSAGE:
        hs_mls_read_private_message(r, &m->priv);
        return;
    case HS_MLS_WELCOME:
        hs_mls_read_welcome(r, &m->welcome);
        return;
    case HS_MLS_GROUP_INFO:
        hs_mls_read_group_info(r, &m->info);
        return;
    case HS_MLS_KEY_PACKAGE:
        hs_mls_read_key_package(r, &m->kp);
    }
}

static void body_write(struct hs_writer *w, enum hs_mls_wire_format format, const union body *m)
{
    switch (format) {
    case HS_MLS_PUBLIC_MESSAGE:
        hs_mls_write_public_message(w, &m->pub);
        return;
    case HS_MLS_PRIVATE_MESSAGE:
        hs_mls_write_private_message(w, &m->priv);
        return;
    case HS_MLS_WELCOME:
        hs_mls_write_welcome(w, &m->welcome);
        return;
    case HS_MLS_GROUP_INFO:
        hs_mls_write_group_info(w, &m->info);
        return;
    case HS_MLS_KEY_PACKAGE:
        hs_mls_write_key_package(w, &m->kp);
    }
}

/* Every joiner that a Welcome names can be cut out, and finds itself alone there. */
static void check_welcome(struct hs_bytes in)
{
    for (size_t i = 0; i < 4; i++) {
        struct hs_bytes ref, first;
        if (hs_mls_welcome_ref(in, i, &ref) != HS_OK)
            return;
        struct hs_writer HS_WRITER cut = hs_writer(OUT_MAX);
        FUZZ_OK(hs_mls_welcome_cut(in, ref, &cut));
        FUZZ_OK(hs_mls_welcome_ref(hs_writer_bytes(&cut), 0, &first));
        HS_ASSERT(hs_bytes_equal(ref, first));
        HS_ASSERT(hs_mls_welcome_ref(hs_writer_bytes(&cut), 1, &first) == HS_ERR_NOT_FOUND);
    }
}

static void check_message(const struct hs_mls_suite *suite, struct hs_bytes in)
{
    (void)suite;
    union body m;
    struct hs_mls_peek peek;
    struct hs_writer HS_WRITER w = hs_writer(OUT_MAX);
    struct hs_reader r = hs_reader(in);
    enum hs_err peeked = hs_mls_message_peek(in, &peek);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    HS_ASSERT(peeked != HS_OK || (r.err == HS_OK && peek.wire_format == format));
    if (r.err != HS_OK)
        return;
    body_read(&r, format, &m);
    if (hs_reader_finish(&r) != HS_OK)
        return;
    hs_mls_write_head(&w, format);
    body_write(&w, format, &m);
    HS_ASSERT(peeked == HS_OK && same(&w, in));
    fuzz_accepted++;
    if (format == HS_MLS_WELCOME)
        check_welcome(in);
}

static void check_tree(const struct hs_mls_suite *suite, struct hs_bytes in)
{
    struct hs_mls_tree HS_MLS_TREE tree = {0};
    struct hs_writer HS_WRITER w = hs_writer(OUT_MAX);
    struct hs_mls_hash hash;
    if (hs_mls_tree_read(suite, in, &tree) != HS_OK) {
        HS_ASSERT(tree.root == NULL);
        return;
    }
    hs_mls_tree_write(&tree, &w);
    HS_ASSERT(same(&w, in));
    FUZZ_OK(hs_mls_tree_hash(&tree, &hash));
    fuzz_accepted += hs_mls_tree_check(&tree) == HS_OK;
}

/* A structure by itself: what reads to its end writes as it was. */
#define CHECK(name, type, read, write)                                                                       \
    static void check_##name(const struct hs_mls_suite *suite, struct hs_bytes in)                           \
    {                                                                                                        \
        (void)suite;                                                                                         \
        type value;                                                                                          \
        struct hs_reader r = hs_reader(in);                                                                  \
        struct hs_writer HS_WRITER w = hs_writer(OUT_MAX);                                                   \
        read(&r, &value);                                                                                    \
        if (hs_reader_finish(&r) != HS_OK)                                                                   \
            return;                                                                                          \
        write(&w, &value);                                                                                   \
        HS_ASSERT(same(&w, in));                                                                             \
        fuzz_accepted++;                                                                                     \
    }
CHECK(leaf, struct hs_mls_leaf_node, hs_mls_read_leaf_node, hs_mls_write_leaf_node)
CHECK(parent, struct hs_mls_parent_node, hs_mls_read_parent_node, hs_mls_write_parent_node)
CHECK(proposal, struct hs_mls_proposal, hs_mls_read_proposal, hs_mls_write_proposal)
CHECK(commit, struct hs_mls_commit, hs_mls_read_commit, hs_mls_write_commit)
CHECK(path, struct hs_mls_update_path, hs_mls_read_update_path, hs_mls_write_update_path)
CHECK(secrets, struct hs_mls_group_secrets, hs_mls_read_group_secrets, hs_mls_write_group_secrets)
CHECK(context, struct hs_mls_group_context, hs_mls_read_group_context, hs_mls_write_group_context)
CHECK(authed, struct hs_mls_authed, hs_mls_read_authed, hs_mls_write_authed)

static void check_list(const struct hs_mls_suite *suite, struct hs_bytes in)
{
    (void)suite;
    struct hs_reader r = hs_reader(in);
    struct hs_writer HS_WRITER w = hs_writer(OUT_MAX);
    while (r.err == HS_OK && hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&r, &item);
        if (r.err == HS_OK)
            hs_mls_write_proposal_or_ref(&w, &item);
    }
    if (r.err != HS_OK)
        return;
    HS_ASSERT(same(&w, in));
    fuzz_accepted++;
}

/* A list of GroupContext extensions: what is sound can be walked and asked. */
static void check_extensions(const struct hs_mls_suite *suite, struct hs_bytes in)
{
    (void)suite;
    struct hs_bytes data;
    struct hs_mls_required_lists lists;
    struct hs_mls_external_sender sender;
    if (hs_mls_group_extensions_check(in) != HS_OK)
        return;
    fuzz_accepted++;
    HS_ASSERT(hs_mls_extensions_are_sound(in));
    if (hs_mls_extension_find(in, HS_MLS_EXT_REQUIRED_CAPABILITIES, &data))
        FUZZ_OK(hs_mls_required_read(data, &lists));
    if (!hs_mls_extension_find(in, HS_MLS_EXT_EXTERNAL_SENDERS, &data))
        return;
    for (uint32_t i = 0;; i++) {
        enum hs_err err = hs_mls_external_senders_read(data, i, &sender);
        HS_ASSERT(err == HS_OK || err == HS_ERR_NOT_FOUND);
        if (err != HS_OK)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const checks[])(const struct hs_mls_suite *, struct hs_bytes) = {
        check_message, check_tree,    check_leaf,    check_parent, check_proposal, check_commit,
        check_path,    check_secrets, check_context, check_authed, check_list,     check_extensions};
    fuzz_begin();
    struct hs_bytes in = hs_bytes(data, size);
    unsigned choice = fuzz_choice(&in);
    const struct hs_mls_suite *suite = (choice & 16) != 0 ? hs_mls_suite_find(1) : NULL;
    checks[(choice & 15) % (sizeof checks / sizeof *checks)](suite != NULL ? suite : &hs_mls_suite_3, in);
    return 0;
}
