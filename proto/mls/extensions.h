/* Extensions of the GroupContext that this stage understands itself: external_senders and
 * required_capabilities (RFC 9420, 12.1.8.1 and 11.1). */
#ifndef HS_MLS_EXTENSIONS_H
#define HS_MLS_EXTENSIONS_H

#include "mls/codec.h"

/* RequiredCapabilities: contents of vectors of uint16. MALFORMED. */
struct hs_mls_required_lists {
    struct hs_bytes extensions, proposals, credentials;
};
enum hs_err hs_mls_required_read(struct hs_bytes extension, struct hs_mls_required_lists *out);

/* Is a list of GroupContext extensions well formed: no type twice, at most HS_MLS_MAX_EXTENSIONS, sound
 * required_capabilities, at most HS_MLS_MAX_EXTERNAL_SENDERS sound external senders? MALFORMED. */
enum hs_err hs_mls_group_extensions_check(struct hs_bytes extensions);

#endif
