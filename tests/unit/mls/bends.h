/* Leaves, bent in ways that several rules forbid: those of an Add, an Update, and of a commit's path. */
#ifndef TESTS_MLS_BENDS_H
#define TESTS_MLS_BENDS_H

#include "unit/mls/evil.h"

static inline void source_is_update(struct evil_leaf *leaf)
{
    leaf->node.source = HS_MLS_LEAF_UPDATE;
}

static inline void source_is_key_package(struct evil_leaf *leaf)
{
    leaf->node.source = HS_MLS_LEAF_KEY_PACKAGE;
    leaf->node.not_after = UINT64_MAX;
}

static inline void for_another_leaf(struct evil_leaf *leaf)
{
    leaf->index++;
}

static inline void for_another_group(struct evil_leaf *leaf)
{
    leaf->group_id = hs_bytes_str("moor");
}

/* context: the evil */
static inline void signed_by_frank(struct evil_leaf *leaf)
{
    const struct evil *e = leaf->context;
    leaf->signer = &e->frank.signer;
}

static inline void unlisted_extension(struct evil_leaf *leaf)
{
    static const uint8_t list[] = {0xAB, 0xCD, 0};
    leaf->node.extensions = hs_bytes(list, sizeof list);
}

static inline void unlisted_credential(struct evil_leaf *leaf)
{
    static const uint8_t list[] = {0, HS_MLS_X509};
    leaf->node.capabilities.credentials = hs_bytes(list, sizeof list);
}

/* The group's own extension is one that it doesn't list any more. 7.3 */
static inline void forgotten_extension(struct evil_leaf *leaf)
{
    leaf->node.capabilities.extensions = nothing;
}

/* A type that nobody else lists. 7.3 */
static inline void strange_credential(struct evil_leaf *leaf)
{
    static const uint8_t types[] = {0, HS_MLS_BASIC, 0, HS_MLS_X509};
    leaf->node.credential_type = HS_MLS_X509;
    leaf->node.credential = nothing;
    leaf->node.capabilities.credentials = hs_bytes(types, sizeof types);
}

#endif
