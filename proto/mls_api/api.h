/* How the handles of hanse/mls.h stand on the MLS stage's own, and what all of its functions share. */
#ifndef HS_MLS_API_API_H
#define HS_MLS_API_API_H

#include "hanse/mls.h"
#include "mls/external.h"

/* A store of the caller's as the stage sees it: inner.context is user. */
struct hs_mls_api_store {
    struct hanse_mls_store user;
    struct hs_mls_store inner;
};

/* Of a hub, or the view of a member's group (then group is set). */
struct hanse_mls_public {
    struct hs_mls_public *inner;
    const struct hanse_mls_group *group;
    struct hs_mls_api_store store;
};

struct hanse_mls_group {
    struct hs_mls_group *inner;
    struct hanse_mls_public pub;
    struct hs_mls_api_store store;
};

/* Opaque on both sides: struct hanse_mls_signer is a struct hs_mls_signer, hanse_mls_staged an hs_mls_staged,
 * hanse_mls_value an hs_writer. Structs that are cast one by one to their twins are compared in layout.c. */

static inline struct hs_bytes hs_mls_api_in(struct hanse_mls_bytes bytes)
{
    return hs_bytes(bytes.data, bytes.len);
}

static inline struct hanse_mls_bytes hs_mls_api_out(struct hs_bytes bytes)
{
    return hanse_mls_bytes(bytes.data, bytes.len);
}

/* The errors are the same, by number (error.c). */
static inline enum hanse_err hs_mls_api_err(enum hs_err err)
{
    return (enum hanse_err)err;
}

static inline const struct hs_mls_signer *hs_mls_api_signer(const struct hanse_mls_signer *signer)
{
    return (const struct hs_mls_signer *)signer;
}

/* What every first use of cryptography asks for. SELFTEST. */
enum hs_err hs_mls_api_ready(void);

/* Hands what was written over to the caller; out is empty on failure. The writer's error. */
enum hs_err hs_mls_api_give(struct hs_writer *w, struct hanse_mls_buf *out);

/* Copies a struct that begins with its own size. known: the size that this library knows. INVALID_ARG for
 * NULL or a smaller or absurd size, UNSUPPORTED where what lies behind isn't zero. */
enum hs_err hs_mls_api_take(void *to, size_t known, const void *from);

/* INVALID_ARG, UNSUPPORTED. settings may be NULL: the defaults. */
enum hs_err hs_mls_api_leaf(const struct hanse_mls_leaf *from, struct hs_mls_leaf_params *to);
enum hs_err hs_mls_api_settings(const struct hanse_mls_settings *from, struct hs_mls_settings *to);
enum hs_err hs_mls_api_propose(const struct hanse_mls_propose *from, struct hs_mls_proposal_request *to);

/* By value, with a version of 0 as mls10. */
struct hs_mls_reinit hs_mls_api_reinit(const struct hanse_mls_reinit *reinit);

/* Sets the store to a copy of from. INVALID_ARG, UNSUPPORTED: then it is as before. */
enum hs_err hs_mls_api_store_set(struct hs_mls_api_store *store, const struct hanse_mls_store *from);

/* True once it was set. */
bool hs_mls_api_store_is_set(const struct hs_mls_api_store *store);

/* A handle for a group of the stage's, which it takes, also on failure. NOMEM. */
enum hs_err hs_mls_api_group_new(struct hs_mls_group *inner, struct hanse_mls_group **out);

#endif
