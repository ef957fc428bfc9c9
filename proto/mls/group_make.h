/* A commit in the making, by a member or by one who comes in from outside (RFC 9420, 12.4.1 and 12.4.3.2). */
#ifndef HS_MLS_GROUP_MAKE_H
#define HS_MLS_GROUP_MAKE_H

#include "mls/member.h"

struct hs_mls_making {
    const struct hs_mls_public *pub;
    const struct hs_mls_suite *suite;
    struct hs_mls_content content;              /* its head is set beforehand */
    enum hs_mls_wire_format format;             /* of the message */
    const struct hs_mls_signer *signer, *after; /* of the commit; of the leaf after it */
    struct hs_mls_psk_source psks;
    struct hs_writer list; /* the proposals */

    struct hs_mls_staged *staged;
    struct hs_writer nodes;
    bool has_path;
    bool bare_group_info;
    struct hs_mls_path_keys keys; /* one's own before the commit, then after it */
    struct hs_mls_path_secrets secrets;
    struct hs_mls_epoch_inputs inputs; /* init is set beforehand */
    struct hs_mls_signature signature;
    struct hs_mls_hash tag;
    struct hs_mls_authed authed; /* the whole, at the end */
};

struct hs_mls_making hs_mls_making(void);
void hs_mls_making_free(struct hs_mls_making *making);
#define HS_MLS_MAKING HS_AUTO(hs_mls_making_free)

/* Stages the list of proposals. */
enum hs_err hs_mls_make_proposals(struct hs_mls_making *making);

/* Makes the path of the staged committer. old: its leaf before. */
enum hs_err hs_mls_make_path(struct hs_mls_making *making, const struct hs_mls_leaf *old,
                             struct hs_bytes identity);

/* After proposals and path: checks, secrets, signature, confirmation tag; all but the message. */
enum hs_err hs_mls_make_commit(struct hs_mls_making *making);

/* Writes Welcome and GroupInfo. */
enum hs_err hs_mls_make_results(const struct hs_mls_making *making, bool tree_in_welcome,
                                const struct hs_mls_commit_result *result);

#endif
