/* libhanse-mls: extensions (RFC 9420, 13).
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_EXTENSION_H
#define HANSE_MLS_EXTENSION_H

#include <hanse/mls/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of the RFC; the last two are of KeyPackages and of GroupInfos alone. Others are the application's. */
enum {
    HANSE_MLS_EXT_APPLICATION_ID = 1,
    HANSE_MLS_EXT_RATCHET_TREE = 2,
    HANSE_MLS_EXT_REQUIRED_CAPABILITIES = 3,
    HANSE_MLS_EXT_EXTERNAL_PUB = 4,
    HANSE_MLS_EXT_EXTERNAL_SENDERS = 5,
    HANSE_MLS_EXT_LAST_RESORT = 10
};

struct hanse_mls_extension {
    uint16_t type;
    struct hanse_mls_bytes data;
};

/* A list as it stands in messages comes as one view ("an encoded list"). The first of that type; false where
 * there is none. data borrows from the list. */
HANSE_API bool hanse_mls_extension_find(struct hanse_mls_bytes list, uint16_t type,
                                        struct hanse_mls_bytes *data);

/* Takes the first one off the list; false at its end, or where the bytes are no list. */
HANSE_API bool hanse_mls_extension_next(struct hanse_mls_bytes *list, struct hanse_mls_extension *extension);

/* Encodes a list, for struct hanse_mls_reinit. INVALID_ARG for a type twice or too many. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_extensions_write(const struct hanse_mls_extension *list,
                                                                    size_t count, struct hanse_mls_buf *out);

/* The data of required_capabilities (RFC 9420, 11.1): what every member's leaf must list. */
struct hanse_mls_required {
    const uint16_t *extensions, *proposals, *credentials;
    size_t extension_count, proposal_count, credential_count;
};
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_required_write(const struct hanse_mls_required *required,
                                                                  struct hanse_mls_buf *data);

/* One of external_senders (RFC 9420, 12.1.8.1): who may propose without being a member. */
struct hanse_mls_external_sender {
    struct hanse_mls_bytes signature_key;
    uint16_t credential_type;
    struct hanse_mls_bytes identity;
};

/* The data of external_senders. INVALID_ARG for too many or too long an identity. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_external_senders_write(
    const struct hanse_mls_external_sender *senders, size_t count, struct hanse_mls_buf *data);

/* The index-th of them, borrowed from data. NOT_FOUND past the last, MALFORMED. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_external_senders_read(
    struct hanse_mls_bytes data, uint32_t index, struct hanse_mls_external_sender *out);

#ifdef __cplusplus
}
#endif

#endif
