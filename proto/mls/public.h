/* The public side of a group: tree, context, transcript and waiting proposals, with no secret at all. A hub
 * keeps it to judge commits; a member's group contains one (hs_mls_group_public()). One thread at a time. */
#ifndef HS_MLS_PUBLIC_H
#define HS_MLS_PUBLIC_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/writer.h"
#include "mls/event.h"
#include "mls/key_package.h"
#include "mls/limits.h"
#include "mls/store.h"

struct hs_mls_public;

/* From a GroupInfo (MLSMessage). tree: the ratchet tree out of band, or empty where GroupInfo carries it. All
 * that is public is verified: signature, tree hash, parent hashes, leaves, capabilities, uniqueness of keys
 * (RFC 9420, 12.4.3.3 without the secrets). MALFORMED, MLS_VERSION, MLS_TREE, MLS_LEAF, BAD_SIGNATURE,
 * TOO_LARGE, NOMEM. */
enum hs_err hs_mls_public_new(struct hs_bytes group_info, struct hs_bytes tree, struct hs_mls_public **out);

/* Writes what changed since the last save into, or load from, this store (store.h). INVALID_ARG for another
 * store than before, which would get a part only; NOMEM and the store's errors: then free the group and load
 * it again. */
enum hs_err hs_mls_public_save(struct hs_mls_public *pub, const struct hs_mls_store *store);

/* From one's own records: structure is checked, signatures are not (they are trusted). Nodes are read when
 * they are needed. store stays the caller's and must outlive the group. NOT_FOUND where there is none,
 * MALFORMED, UNSUPPORTED for another version, MLS_VERSION for a suite that this build lacks, NOMEM. */
enum hs_err hs_mls_public_load(const struct hs_mls_store *store, struct hs_mls_public **out);

void hs_mls_public_free(struct hs_mls_public *pub);
void hs_mls_public_free_at(struct hs_mls_public **pub);
#define HS_MLS_PUBLIC HS_AUTO(hs_mls_public_free_at)

/* A PublicMessage proposal or commit of the current epoch, by a member, an external sender or a newcomer,
 * checked as far as it can be without secrets: signature, epoch, group, the list of proposals (RFC
 * 9420, 12.2), leaves, path keys and parent hashes; not the membership tag, the confirmation tag or the
 * path's ciphertexts. A proposal is kept; a commit comes staged. MALFORMED, TOO_LARGE, MLS_VERSION,
 * MLS_GROUP, MLS_EPOCH, MLS_PROPOSAL, MLS_COMMIT, MLS_LEAF, MLS_KEY_PACKAGE, MLS_TREE, MLS_CONFIRMATION (a
 * tag of another length), BAD_SIGNATURE, NOT_MEMBER (the sender's leaf is blank, or there is no such external
 * sender), UNEXPECTED (a PrivateMessage, or an application message), UNSUPPORTED (a proposal of an unknown
 * type), INVALID_STATE (after a ReInit), NOMEM, the store's errors. */
enum hs_err hs_mls_public_process(struct hs_mls_public *pub, struct hs_bytes message,
                                  struct hs_mls_event **out);

/* Makes the staged commit the current epoch. INVALID_STATE where it was staged in another epoch or merged
 * before. */
enum hs_err hs_mls_public_merge(struct hs_mls_public *pub, struct hs_mls_staged *staged);

/* Is this GroupInfo (MLSMessage) the one of the epoch that the staged commit leads to: same context, the
 * commit's confirmation tag, the committer's signature, the same tree where it carries one? MLS_COMMIT where
 * it isn't. */
enum hs_err hs_mls_staged_matches(const struct hs_mls_staged *staged, struct hs_bytes group_info);

/* Is this GroupInfo (MLSMessage) the one of the present epoch: same context, same confirmation tag, signed by
 * a member? MLS_COMMIT where it isn't; the store's errors. */
enum hs_err hs_mls_public_matches(const struct hs_mls_public *pub, struct hs_bytes group_info);

/* Whether that GroupInfo (MLSMessage) brings a ratchet tree; false for what is none. */
bool hs_mls_group_info_has_tree(struct hs_bytes group_info);

/* The ratchet tree of the epoch that the staged commit leads to, as it goes out of band (RFC 9420, 12.4.3.3):
 * reads and writes the whole tree. The writer's error, the store's errors. */
enum hs_err hs_mls_staged_tree(const struct hs_mls_staged *staged, struct hs_writer *out);

/* Drops one waiting proposal, as where policy forbids it. NOT_FOUND. */
enum hs_err hs_mls_public_drop_proposal(struct hs_mls_public *pub, struct hs_bytes ref);

/* How many proposals wait for a commit. */
size_t hs_mls_public_proposal_count(const struct hs_mls_public *pub);

struct hs_bytes hs_mls_public_id(const struct hs_mls_public *pub);
uint64_t hs_mls_public_epoch(const struct hs_mls_public *pub);

/* True, with what it said, after a commit with a ReInit: no further message is accepted (RFC 9420, 11.2). */
bool hs_mls_public_reinit(const struct hs_mls_public *pub, struct hs_mls_reinit *reinit);

/* The encoded GroupContext (RFC 9420, 8.1), borrowed until the next merge. */
struct hs_bytes hs_mls_public_context(const struct hs_mls_public *pub);
struct hs_bytes hs_mls_public_tree_hash(const struct hs_mls_public *pub);

const struct hs_mls_suite *hs_mls_public_suite(const struct hs_mls_public *pub);

/* A GroupContext extension, borrowed until the next merge; false where there is none of that type. */
bool hs_mls_public_extension(const struct hs_mls_public *pub, uint16_t type, struct hs_bytes *data);

/* Leaf indices run from 0 to below the width; blank leaves have no member. */
uint32_t hs_mls_public_width(const struct hs_mls_public *pub);
uint32_t hs_mls_public_member_count(const struct hs_mls_public *pub);

/* NOT_FOUND for a blank leaf or one past the width; the store's errors. Views are borrowed until the next
 * merge. */
enum hs_err hs_mls_public_member(const struct hs_mls_public *pub, uint32_t leaf,
                                 struct hs_mls_member *member);

/* The first member at leaf >= *leaf; moves *leaf past it. false at the end. Start with 0. A leaf that the
 * store can't give is passed over: hs_mls_public_error() says whether there was one. */
bool hs_mls_public_member_next(const struct hs_mls_public *pub, uint32_t *leaf, struct hs_mls_member *member);

/* The first error that the store answered with since the group was loaded: then free and load it again. */
enum hs_err hs_mls_public_error(const struct hs_mls_public *pub);

/* The member with that signature key; NOT_FOUND. Constant time in the group's size but for a tree descent. */
enum hs_err hs_mls_public_member_by_key(const struct hs_mls_public *pub, struct hs_bytes signature_key,
                                        struct hs_mls_member *member);

/* The ratchet tree (RFC 9420, 12.4.3.3) as it goes out of band. */
enum hs_err hs_mls_public_tree(const struct hs_mls_public *pub, struct hs_writer *out);

#endif
