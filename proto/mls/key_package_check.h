/* KeyPackages as the rest of this stage sees them. */
#ifndef HS_MLS_KEY_PACKAGE_CHECK_H
#define HS_MLS_KEY_PACKAGE_CHECK_H

#include "mls/codec.h"
#include "mls/leaf.h"

/* Reads an MLSMessage that holds a KeyPackage. UNEXPECTED for another message, MALFORMED, MLS_VERSION. */
enum hs_err hs_mls_key_package_read(struct hs_bytes message, struct hs_mls_key_package *kp);

/* RFC 9420, 10.1, but for the lifetime, which is checked once, when a KeyPackage is taken from its publisher:
 * in a group all members must judge alike, whatever their clocks say. Gives the leaf with a reference of its
 * own. MLS_VERSION, MLS_KEY_PACKAGE, MLS_LEAF, NOMEM. */
enum hs_err hs_mls_key_package_verify(const struct hs_mls_suite *suite, const struct hs_mls_key_package *kp,
                                      struct hs_mls_leaf **out);

/* KeyPackageRef (RFC 9420, 5.2). */
enum hs_err hs_mls_key_package_ref(const struct hs_mls_suite *suite, const struct hs_mls_key_package *kp,
                                   struct hs_mls_hash *ref);

#endif
