/* deserialization, messages: what can be read is written again as the same bytes. */
#include "vector.h"

#include "mls/framing.h"
#include "mls/tree.h"

#include <string.h>

static enum outcome deserialization(const json_t *entry)
{
    struct hs_reader r = hs_reader(vector_hex(entry, "vlbytes_header"));
    CHECK(hs_read_mls_len(&r) == vector_number(entry, "length"));
    CHECK_OK(hs_reader_finish(&r));
    struct hs_writer HS_WRITER w = hs_writer(16);
    hs_write_mls_len(&w, vector_number(entry, "length"));
    CHECK_BYTES(hs_writer_bytes(&w), entry, "vlbytes_header");
    return PASSED;
}

static void copy_tree(struct hs_reader *r, struct hs_writer *w)
{
    struct hs_reader nodes = hs_read_mls_sub(r);
    size_t mark = hs_writer_open(w);
    while (hs_reader_left(&nodes) > 0) {
        struct hs_mls_leaf_node leaf;
        struct hs_mls_parent_node parent;
        uint8_t present = hs_read_u8(&nodes);
        hs_write_u8(w, present);
        uint8_t type = present == 1 ? hs_read_u8(&nodes) : 0;
        if (present == 1)
            hs_write_u8(w, type);
        if (type == 1) {
            hs_mls_read_leaf_node(&nodes, &leaf);
            hs_mls_write_leaf_node(w, &leaf);
        } else if (type == 2) {
            hs_mls_read_parent_node(&nodes, &parent);
            hs_mls_write_parent_node(w, &parent);
        }
    }
    hs_writer_close(w, mark);
    if (hs_reader_finish(&nodes) != HS_OK)
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

/* A message with its head, of any wire format. */
static void copy_message(struct hs_reader *r, struct hs_writer *w)
{
    struct hs_mls_public_message pub;
    struct hs_mls_private_message priv;
    struct hs_mls_welcome welcome;
    struct hs_mls_group_info info;
    struct hs_mls_key_package kp;
    enum hs_mls_wire_format format = hs_mls_read_head(r);
    hs_mls_write_head(w, format);
    switch (format) {
    case HS_MLS_PUBLIC_MESSAGE:
        hs_mls_read_public_message(r, &pub);
        hs_mls_write_public_message(w, &pub);
        break;
    case HS_MLS_PRIVATE_MESSAGE:
        hs_mls_read_private_message(r, &priv);
        hs_mls_write_private_message(w, &priv);
        break;
    case HS_MLS_WELCOME:
        hs_mls_read_welcome(r, &welcome);
        hs_mls_write_welcome(w, &welcome);
        break;
    case HS_MLS_GROUP_INFO:
        hs_mls_read_group_info(r, &info);
        hs_mls_write_group_info(w, &info);
        break;
    case HS_MLS_KEY_PACKAGE:
        hs_mls_read_key_package(r, &kp);
        hs_mls_write_key_package(w, &kp);
        break;
    }
}

static void copy_secrets(struct hs_reader *r, struct hs_writer *w)
{
    struct hs_mls_group_secrets secrets;
    hs_mls_read_group_secrets(r, &secrets);
    hs_mls_write_group_secrets(w, &secrets);
}

static void copy_commit(struct hs_reader *r, struct hs_writer *w)
{
    struct hs_mls_commit commit;
    hs_mls_read_commit(r, &commit);
    size_t mark = hs_writer_open(w);
    struct hs_reader list = hs_reader(commit.proposals);
    while (hs_reader_left(&list) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&list, &item);
        hs_mls_write_proposal_or_ref(w, &item);
    }
    hs_writer_close(w, mark);
    hs_write_u8(w, commit.has_path ? 1 : 0);
    if (commit.has_path)
        hs_mls_write_update_path(w, &commit.path);
}

static const struct {
    const char *key;
    void (*copy)(struct hs_reader *, struct hs_writer *);
    uint16_t proposal; /* the type that the entry leaves out */
} rows[] = {
    {"mls_welcome", copy_message, 0},
    {"mls_group_info", copy_message, 0},
    {"mls_key_package", copy_message, 0},
    {"ratchet_tree", copy_tree, 0},
    {"group_secrets", copy_secrets, 0},
    {"add_proposal", NULL, HS_MLS_ADD},
    {"update_proposal", NULL, HS_MLS_UPDATE},
    {"remove_proposal", NULL, HS_MLS_REMOVE},
    {"pre_shared_key_proposal", NULL, HS_MLS_PSK},
    {"re_init_proposal", NULL, HS_MLS_REINIT},
    {"external_init_proposal", NULL, HS_MLS_EXTERNAL_INIT},
    {"group_context_extensions_proposal", NULL, HS_MLS_GROUP_CONTEXT_EXTENSIONS},
    {"commit", copy_commit, 0},
    {"public_message_application", copy_message, 0},
    {"public_message_proposal", copy_message, 0},
    {"public_message_commit", copy_message, 0},
    {"private_message", copy_message, 0},
};

static enum outcome messages(const json_t *entry)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hs_writer HS_WRITER in = hs_writer(1 << 20), HS_WRITER out = hs_writer(1 << 20);
        if (rows[i].proposal != 0)
            hs_write_u16(&in, rows[i].proposal);
        hs_write_bytes(&in, vector_hex(entry, rows[i].key));
        struct hs_reader r = hs_reader(hs_writer_bytes(&in));
        if (rows[i].proposal != 0) {
            struct hs_mls_proposal proposal;
            hs_mls_read_proposal(&r, &proposal);
            hs_mls_write_proposal(&out, &proposal);
        } else {
            rows[i].copy(&r, &out);
        }
        CHECK_OK(hs_reader_finish(&r));
        CHECK(hs_bytes_equal(hs_writer_bytes(&in), hs_writer_bytes(&out)));
    }
    return PASSED;
}

const struct family families_codec[] = {
    {"deserialization", true, deserialization},
    {"messages", true, messages},
    {0},
};
