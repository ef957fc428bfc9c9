/* Evidence: what proves to anybody that a hub told two stories of one room. Two heads of the same number with
 * other hashes are enough; where one is of a later number, the headers between them show that its story is
 * another one. */
#ifndef HS_ROOM_EVIDENCE_H
#define HS_ROOM_EVIDENCE_H

#include "identity/descriptor.h"
#include "room/head.h"

enum {
    HS_EVIDENCE_HEADERS = 128,  /* between the two heads: what one batch of records brings */
    HS_EVIDENCE_MAX = 44 * 1024 /* fits an inbox item: 128 headers of 250 bytes and the three objects */
};

/* A file with evidence is this and the bytes. */
#define HS_EVIDENCE_MAGIC "hanse-evidence-v1\n"

/* What evidence is made of; all borrowed. headers: some of the later head's story, in the order of their
 * numbers; those that aren't needed are left out. */
struct hs_evidence_parts {
    const Hanse__SignedObject *one, *other;
    /* Of the hub: its root vouches for the keys of these heads. The two may be one. */
    const Hanse__SignedObject *one_descriptor, *other_descriptor;
    const struct hs_bytes *headers;
    size_t header_count;
};

struct hs_evidence {
    struct hs_key root; /* of the hub */
    char domain[HS_DOMAIN_MAX + 1];
    struct hs_id room;
    struct hs_head first, second; /* second.seq >= first.seq */
};

/* Packs what proves that the heads contradict each other, into the arena. NOT_FOUND where they don't, or
 * where a header is missing that it takes; TOO_LARGE; the errors of hs_evidence_verify(). */
enum hs_err hs_evidence_build(const struct hs_evidence_parts *parts, struct hs_arena *arena,
                              struct hs_bytes *out);

/* From the bytes alone. pinned NULL: any root, which out->root then names. MALFORMED, TOO_LARGE; NOT_FOUND
 * where both heads may be of one story; WRONG_SIGNER, BAD_SIGNATURE and the like. */
enum hs_err hs_evidence_verify(struct hs_bytes bytes, const struct hs_key *pinned, struct hs_evidence *out);

#endif
