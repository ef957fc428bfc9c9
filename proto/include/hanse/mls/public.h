/* libhanse-mls: the public group: what a hub keeps to judge handshakes, without any secret.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_PUBLIC_H
#define HANSE_MLS_PUBLIC_H

#include <hanse/mls/event.h>
#include <hanse/mls/store.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hanse_mls_public;

/* From a GroupInfo (MLSMessage). tree: where it goes out of band. All that is public is verified (RFC 9420,
 * 12.4.3.3). MALFORMED, MLS_VERSION, MLS_TREE, MLS_LEAF, BAD_SIGNATURE, TOO_LARGE, SELFTEST. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_new(struct hanse_mls_bytes group_info,
                                                              struct hanse_mls_bytes tree,
                                                              struct hanse_mls_public **out);

/* As with a member's group; the errors are the same. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_save(struct hanse_mls_public *pub,
                                                               const struct hanse_mls_store *store);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_load(const struct hanse_mls_store *store,
                                                               struct hanse_mls_public **out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_read_from(struct hanse_mls_public *pub,
                                                                    const struct hanse_mls_store *store);

/* Not for the one of hanse_mls_group_public(). */
HANSE_API void hanse_mls_public_free(struct hanse_mls_public *pub);

/* A PublicMessage proposal or commit of the current epoch, checked as far as that goes without secrets: not
 * the membership tag, the confirmation tag, the path's ciphertexts. A proposal is kept (changes the group); a
 * commit comes staged. MALFORMED, MLS_VERSION, MLS_GROUP, MLS_EPOCH, MLS_PROPOSAL, MLS_COMMIT, MLS_LEAF,
 * MLS_KEY_PACKAGE, MLS_TREE, BAD_SIGNATURE, NOT_MEMBER, UNEXPECTED (a PrivateMessage or another message),
 * UNSUPPORTED, TOO_LARGE, INVALID_STATE (after a ReInit). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_process(struct hanse_mls_public *pub,
                                                                  struct hanse_mls_bytes message,
                                                                  struct hanse_mls_event **out);

/* Makes the staged commit the current epoch. INVALID_STATE where it was staged in another or merged before,
 * INVALID_ARG for NULL. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_merge(struct hanse_mls_public *pub,
                                                                struct hanse_mls_staged *staged);

/* Drops a waiting proposal. NOT_FOUND. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_drop_proposal(struct hanse_mls_public *pub,
                                                                        struct hanse_mls_bytes ref);

/* How many proposals wait for a commit. */
HANSE_API size_t hanse_mls_public_waiting(const struct hanse_mls_public *pub);

/* What follows is borrowed until the next merge. */
HANSE_API struct hanse_mls_bytes hanse_mls_public_id(const struct hanse_mls_public *pub);
HANSE_API uint64_t hanse_mls_public_epoch(const struct hanse_mls_public *pub);
HANSE_API uint16_t hanse_mls_public_suite(const struct hanse_mls_public *pub);
HANSE_API struct hanse_mls_bytes hanse_mls_public_tree_hash(const struct hanse_mls_public *pub);

/* The encoded GroupContext (RFC 9420, 8.1), its extensions as an encoded list, and one of them (false where
 * there is none of that type). */
HANSE_API struct hanse_mls_bytes hanse_mls_public_context(const struct hanse_mls_public *pub);
HANSE_API struct hanse_mls_bytes hanse_mls_public_extensions(const struct hanse_mls_public *pub);
HANSE_API bool hanse_mls_public_extension(const struct hanse_mls_public *pub, uint16_t type,
                                          struct hanse_mls_bytes *data);

/* True, with what it said, after a commit with a ReInit: no further message is accepted (RFC 9420, 11.2). */
HANSE_API bool hanse_mls_public_reinit(const struct hanse_mls_public *pub, struct hanse_mls_reinit *reinit);

/* Leaves run from 0 to below the width; blank ones have no member. */
HANSE_API uint32_t hanse_mls_public_width(const struct hanse_mls_public *pub);
HANSE_API uint32_t hanse_mls_public_member_count(const struct hanse_mls_public *pub);

/* The member at that leaf, or with that signature key. NOT_FOUND. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_member(const struct hanse_mls_public *pub,
                                                                 uint32_t leaf,
                                                                 struct hanse_mls_member *member);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_member_by_key(const struct hanse_mls_public *pub,
                                                                        struct hanse_mls_bytes signature_key,
                                                                        struct hanse_mls_member *member);

/* The first member at leaf >= *leaf; moves *leaf past it. false at the end. Begin with 0. A leaf that the
 * store can't give is passed over: ask hanse_mls_public_error() before a list counts as complete. */
HANSE_API bool hanse_mls_public_member_next(const struct hanse_mls_public *pub, uint32_t *leaf,
                                            struct hanse_mls_member *member);

/* The first error that the store answered with when a piece of the group's tree was read. It stays: free the
 * group and load it again. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_error(const struct hanse_mls_public *pub);

/* The ratchet tree (RFC 9420, 12.4.3.3) as it goes out of band. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_public_tree(const struct hanse_mls_public *pub,
                                                               struct hanse_mls_buf *out);

#ifdef __cplusplus
}
#endif

#endif
