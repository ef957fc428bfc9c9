/* Leaves, parents, KeyPackages, extensions; codec_commit.c has what commits and Welcomes are made of. */
#include "mls/codec.h"

#include "mls/key_package.h"
#include "mls/suite.h"

struct hs_bytes hs_mls_between(const struct hs_reader *r, const uint8_t *start)
{
    return r->err == HS_OK ? hs_bytes(start, (size_t)(r->pos - start)) : (struct hs_bytes){0};
}

bool hs_mls_u16_list_has(struct hs_bytes list, uint16_t value)
{
    for (size_t i = 0; i + 1 < list.len; i += 2)
        if ((list.data[i] << 8 | list.data[i + 1]) == value)
            return true;
    return false;
}

static struct hs_bytes read_u16_list(struct hs_reader *r)
{
    struct hs_bytes list = hs_read_mls_vec(r);
    if (list.len % 2 != 0)
        hs_reader_fail(r, HS_ERR_MALFORMED);
    return list;
}

void hs_mls_read_extension(struct hs_reader *r, uint16_t *type, struct hs_bytes *data)
{
    *type = hs_read_u16(r);
    *data = hs_read_mls_vec(r);
}

void hs_mls_write_extension(struct hs_writer *w, uint16_t type, struct hs_bytes data)
{
    hs_write_u16(w, type);
    hs_write_mls_vec(w, data);
}

static struct hs_bytes read_extensions(struct hs_reader *r)
{
    struct hs_bytes list = hs_read_mls_vec(r);
    struct hs_reader walk = hs_reader(list);
    while (hs_reader_left(&walk) > 0) {
        uint16_t type;
        struct hs_bytes data;
        hs_mls_read_extension(&walk, &type, &data);
    }
    if (walk.err != HS_OK)
        hs_reader_fail(r, walk.err);
    return list;
}

bool hs_mls_extensions_are_sound(struct hs_bytes extensions)
{
    uint16_t seen[HS_MLS_MAX_EXTENSIONS];
    size_t count = 0;
    struct hs_reader r = hs_reader(extensions);
    while (hs_reader_left(&r) > 0) {
        uint16_t type;
        struct hs_bytes data;
        hs_mls_read_extension(&r, &type, &data);
        for (size_t i = 0; i < count; i++)
            if (seen[i] == type)
                return false;
        if (count == HS_MLS_MAX_EXTENSIONS)
            return false;
        seen[count++] = type;
    }
    return r.err == HS_OK;
}

bool hs_mls_extension_find(struct hs_bytes extensions, uint16_t type, struct hs_bytes *data)
{
    struct hs_reader r = hs_reader(extensions);
    while (hs_reader_left(&r) > 0) {
        uint16_t got;
        hs_mls_read_extension(&r, &got, data);
        if (r.err == HS_OK && got == type)
            return true;
    }
    *data = (struct hs_bytes){0};
    return false;
}

bool hs_mls_credential_is_sound(uint16_t type, struct hs_bytes credential)
{
    struct hs_reader certificates = hs_reader(credential);
    if (type == HS_MLS_BASIC)
        return true;
    while (hs_reader_left(&certificates) > 0)
        (void)hs_read_mls_vec(&certificates);
    return type == HS_MLS_X509 && certificates.err == HS_OK;
}

void hs_mls_read_credential(struct hs_reader *r, uint16_t *type, struct hs_bytes *credential)
{
    *type = hs_read_u16(r);
    if (r->err == HS_OK && *type != HS_MLS_BASIC && *type != HS_MLS_X509)
        hs_reader_fail(r, HS_ERR_UNSUPPORTED);
    *credential = hs_read_mls_vec(r);
    if (r->err == HS_OK && !hs_mls_credential_is_sound(*type, *credential))
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

void hs_mls_write_credential(struct hs_writer *w, uint16_t type, struct hs_bytes credential)
{
    hs_write_u16(w, type);
    hs_write_mls_vec(w, credential);
}

static void read_capabilities(struct hs_reader *r, struct hs_mls_capabilities *c)
{
    c->versions = read_u16_list(r);
    c->suites = read_u16_list(r);
    c->extensions = read_u16_list(r);
    c->proposals = read_u16_list(r);
    c->credentials = read_u16_list(r);
}

static void write_capabilities(struct hs_writer *w, const struct hs_mls_capabilities *c)
{
    hs_write_mls_vec(w, c->versions);
    hs_write_mls_vec(w, c->suites);
    hs_write_mls_vec(w, c->extensions);
    hs_write_mls_vec(w, c->proposals);
    hs_write_mls_vec(w, c->credentials);
}

void hs_mls_read_leaf_node(struct hs_reader *r, struct hs_mls_leaf_node *leaf)
{
    const uint8_t *start = r->pos;
    *leaf = (struct hs_mls_leaf_node){0};
    leaf->encryption_key = hs_read_mls_vec(r);
    leaf->signature_key = hs_read_mls_vec(r);
    hs_mls_read_credential(r, &leaf->credential_type, &leaf->credential);
    read_capabilities(r, &leaf->capabilities);
    leaf->source = hs_read_u8(r);
    if (leaf->source == HS_MLS_LEAF_KEY_PACKAGE) {
        leaf->not_before = hs_read_u64(r);
        leaf->not_after = hs_read_u64(r);
    } else if (leaf->source == HS_MLS_LEAF_COMMIT) {
        leaf->parent_hash = hs_read_mls_vec(r);
    } else if (leaf->source != HS_MLS_LEAF_UPDATE) {
        hs_reader_fail(r, HS_ERR_MALFORMED);
    }
    leaf->extensions = read_extensions(r);
    leaf->signature = hs_read_mls_vec(r);
    leaf->raw = hs_mls_between(r, start);
}

static void write_leaf_unsigned(struct hs_writer *w, const struct hs_mls_leaf_node *leaf)
{
    hs_write_mls_vec(w, leaf->encryption_key);
    hs_write_mls_vec(w, leaf->signature_key);
    hs_mls_write_credential(w, leaf->credential_type, leaf->credential);
    write_capabilities(w, &leaf->capabilities);
    hs_write_u8(w, (uint8_t)leaf->source);
    if (leaf->source == HS_MLS_LEAF_KEY_PACKAGE) {
        hs_write_u64(w, leaf->not_before);
        hs_write_u64(w, leaf->not_after);
    } else if (leaf->source == HS_MLS_LEAF_COMMIT) {
        hs_write_mls_vec(w, leaf->parent_hash);
    }
    hs_write_mls_vec(w, leaf->extensions);
}

void hs_mls_write_leaf_node(struct hs_writer *w, const struct hs_mls_leaf_node *leaf)
{
    write_leaf_unsigned(w, leaf);
    hs_write_mls_vec(w, leaf->signature);
}

void hs_mls_write_leaf_tbs(struct hs_writer *w, const struct hs_mls_leaf_node *leaf, struct hs_bytes group_id,
                           uint32_t index)
{
    write_leaf_unsigned(w, leaf);
    if (leaf->source == HS_MLS_LEAF_KEY_PACKAGE)
        return;
    hs_write_mls_vec(w, group_id);
    hs_write_u32(w, index);
}

void hs_mls_read_parent_node(struct hs_reader *r, struct hs_mls_parent_node *parent)
{
    parent->encryption_key = hs_read_mls_vec(r);
    parent->parent_hash = hs_read_mls_vec(r);
    parent->unmerged = hs_read_mls_vec(r);
    if (parent->unmerged.len % 4 != 0)
        hs_reader_fail(r, HS_ERR_MALFORMED);
}

void hs_mls_write_parent_node(struct hs_writer *w, const struct hs_mls_parent_node *parent)
{
    hs_write_mls_vec(w, parent->encryption_key);
    hs_write_mls_vec(w, parent->parent_hash);
    hs_write_mls_vec(w, parent->unmerged);
}

void hs_mls_read_key_package(struct hs_reader *r, struct hs_mls_key_package *kp)
{
    const uint8_t *start = r->pos;
    kp->version = hs_read_u16(r);
    kp->suite = hs_read_u16(r);
    kp->init_key = hs_read_mls_vec(r);
    hs_mls_read_leaf_node(r, &kp->leaf);
    kp->extensions = read_extensions(r);
    kp->tbs = hs_mls_between(r, start);
    kp->signature = hs_read_mls_vec(r);
    kp->raw = hs_mls_between(r, start);
}

void hs_mls_write_key_package_tbs(struct hs_writer *w, const struct hs_mls_key_package *kp)
{
    hs_write_u16(w, kp->version);
    hs_write_u16(w, kp->suite);
    hs_write_mls_vec(w, kp->init_key);
    hs_mls_write_leaf_node(w, &kp->leaf);
    hs_write_mls_vec(w, kp->extensions);
}

void hs_mls_write_key_package(struct hs_writer *w, const struct hs_mls_key_package *kp)
{
    hs_mls_write_key_package_tbs(w, kp);
    hs_write_mls_vec(w, kp->signature);
}

void hs_mls_read_group_context(struct hs_reader *r, struct hs_mls_group_context *context)
{
    context->version = hs_read_u16(r);
    context->suite = hs_read_u16(r);
    context->group_id = hs_read_mls_vec(r);
    context->epoch = hs_read_u64(r);
    context->tree_hash = hs_read_mls_vec(r);
    context->confirmed_transcript_hash = hs_read_mls_vec(r);
    context->extensions = read_extensions(r);
}

void hs_mls_write_group_context(struct hs_writer *w, const struct hs_mls_group_context *context)
{
    hs_write_u16(w, context->version);
    hs_write_u16(w, context->suite);
    hs_write_mls_vec(w, context->group_id);
    hs_write_u64(w, context->epoch);
    hs_write_mls_vec(w, context->tree_hash);
    hs_write_mls_vec(w, context->confirmed_transcript_hash);
    hs_write_mls_vec(w, context->extensions);
}

void hs_mls_read_group_info(struct hs_reader *r, struct hs_mls_group_info *info)
{
    const uint8_t *start = r->pos;
    hs_mls_read_group_context(r, &info->context);
    info->context_raw = hs_mls_between(r, start);
    info->extensions = read_extensions(r);
    info->confirmation_tag = hs_read_mls_vec(r);
    info->signer = hs_read_u32(r);
    info->tbs = hs_mls_between(r, start);
    info->signature = hs_read_mls_vec(r);
}

void hs_mls_write_group_info_tbs(struct hs_writer *w, const struct hs_mls_group_info *info)
{
    hs_mls_write_group_context(w, &info->context);
    hs_write_mls_vec(w, info->extensions);
    hs_write_mls_vec(w, info->confirmation_tag);
    hs_write_u32(w, info->signer);
}

void hs_mls_write_group_info(struct hs_writer *w, const struct hs_mls_group_info *info)
{
    hs_mls_write_group_info_tbs(w, info);
    hs_write_mls_vec(w, info->signature);
}

enum hs_mls_wire_format hs_mls_read_head(struct hs_reader *r)
{
    uint16_t version = hs_read_u16(r);
    uint16_t format = hs_read_u16(r);
    if (r->err == HS_OK && version != HS_MLS_VERSION_10)
        hs_reader_fail(r, HS_ERR_MLS_VERSION);
    if (format < HS_MLS_PUBLIC_MESSAGE || format > HS_MLS_KEY_PACKAGE)
        hs_reader_fail(r, HS_ERR_MALFORMED);
    return format;
}

void hs_mls_write_head(struct hs_writer *w, enum hs_mls_wire_format format)
{
    hs_write_u16(w, HS_MLS_VERSION_10);
    hs_write_u16(w, (uint16_t)format);
}
