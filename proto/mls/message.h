/* Looking at MLS messages from outside: what kind, for which group and epoch; cutting a Welcome. */
#ifndef HS_MLS_MESSAGE_H
#define HS_MLS_MESSAGE_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/writer.h"
#include "mls/event.h"

/* RFC 9420, 6. */
enum hs_mls_wire_format {
    HS_MLS_PUBLIC_MESSAGE = 1,
    HS_MLS_PRIVATE_MESSAGE = 2,
    HS_MLS_WELCOME = 3,
    HS_MLS_GROUP_INFO = 4,
    HS_MLS_KEY_PACKAGE = 5,
};

/* RFC 9420, 6. */
enum hs_mls_content_type { HS_MLS_APPLICATION = 1, HS_MLS_PROPOSAL = 2, HS_MLS_COMMIT = 3 };

struct hs_mls_peek {
    enum hs_mls_wire_format wire_format;
    struct hs_bytes group_id;              /* empty for Welcome and KeyPackage; borrowed */
    uint64_t epoch;                        /* 0 for Welcome and KeyPackage */
    enum hs_mls_content_type content_type; /* 0 where there is none */
    bool sender_known;                     /* a PublicMessage */
    struct hs_mls_author sender;
    struct hs_bytes authenticated_data; /* of PublicMessage and PrivateMessage; not verified, borrowed */
};

/* Reads the head of an MLSMessage; nothing is verified. MALFORMED, MLS_VERSION. */
enum hs_err hs_mls_message_peek(struct hs_bytes message, struct hs_mls_peek *peek);

/* The Welcome (MLSMessage) for one joiner alone: with the one EncryptedGroupSecrets of that KeyPackageRef.
 * NOT_FOUND where the Welcome has none for it; MALFORMED. */
enum hs_err hs_mls_welcome_cut(struct hs_bytes welcome, struct hs_bytes key_package_ref,
                               struct hs_writer *out);

/* The KeyPackageRef of the index-th joiner, borrowed; NOT_FOUND past the last, MALFORMED. */
enum hs_err hs_mls_welcome_ref(struct hs_bytes welcome, size_t index, struct hs_bytes *key_package_ref);

#endif
