/* Keys that are learned from one chain or credential: each is checked once, however many objects name it. A
 * check of a point costs about as much as a signature. */
#ifndef HS_IDENTITY_LEARN_H
#define HS_IDENTITY_LEARN_H

#include "identity/certificate.h"
#include "identity/descriptor.h"
#include "identity/grant.h"

/* Two keys from each object of the longest chain, and its root. What is beyond is checked each time. */
enum { HS_LEARNED_MAX = 33 };

struct hs_learned {
    struct hs_key keys[HS_LEARNED_MAX];
    size_t count;
};

/* hs_sign_key_check(), but for a key that has passed it already. learned may be NULL: it is checked. BAD_KEY.
 */
enum hs_err hs_key_learn(struct hs_learned *learned, const struct hs_key *key);

/* hs_certificate_open(), hs_grant_open(), hs_handle_grant_open() and hs_descriptor_open(), where keys are
 * known already. */
enum hs_err hs_certificate_learn(const Hanse__SignedObject *obj, struct hs_learned *learned,
                                 struct hs_certificate *out);
enum hs_err hs_grant_learn(const Hanse__SignedObject *obj, const struct hs_key *root,
                           struct hs_learned *learned, struct hs_grant *out);
enum hs_err hs_handle_grant_learn(const Hanse__SignedObject *obj, const struct hs_key *root,
                                  struct hs_learned *learned, struct hs_handle_grant *out);
enum hs_err hs_descriptor_learn(const Hanse__SignedObject *obj, const struct hs_key *pinned,
                                struct hs_learned *learned, struct hs_descriptor *out);

#endif
