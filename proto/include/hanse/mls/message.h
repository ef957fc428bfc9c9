/* libhanse-mls: looking at messages from outside.
 *
 * Part of hanse/mls.h, whose rules of use and words on ownership, structs, threads, errors and units hold. */
#ifndef HANSE_MLS_MESSAGE_H
#define HANSE_MLS_MESSAGE_H

#include <hanse/mls/proposal.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RFC 9420, 6. */
enum hanse_mls_wire_format {
    HANSE_MLS_PUBLIC_MESSAGE = 1,
    HANSE_MLS_PRIVATE_MESSAGE = 2,
    HANSE_MLS_WELCOME = 3,
    HANSE_MLS_GROUP_INFO = 4,
    HANSE_MLS_KEY_PACKAGE = 5
};
enum hanse_mls_content_type { HANSE_MLS_APPLICATION = 1, HANSE_MLS_PROPOSAL = 2, HANSE_MLS_COMMIT = 3 };

struct hanse_mls_peek {
    enum hanse_mls_wire_format wire_format;
    struct hanse_mls_bytes group_id;          /* empty for Welcome and KeyPackage */
    uint64_t epoch;                           /* 0 for Welcome and KeyPackage */
    enum hanse_mls_content_type content_type; /* 0 where there is none */
    bool sender_known;                        /* a PublicMessage */
    struct hanse_mls_author sender;
    struct hanse_mls_bytes authenticated_data; /* of PublicMessage and PrivateMessage */
};

/* The head of an MLSMessage: where does it belong? Nothing is verified; views borrow from the message.
 * MALFORMED, MLS_VERSION. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_message_peek(struct hanse_mls_bytes message,
                                                                struct hanse_mls_peek *peek);

/* The Welcome for one joiner alone: a hub that knows who asks needs not send everybody's part to everybody.
 * NOT_FOUND where it has no part for that KeyPackageRef, MALFORMED. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_welcome_cut(struct hanse_mls_bytes welcome,
                                                               struct hanse_mls_bytes key_package_ref,
                                                               struct hanse_mls_buf *out);

/* The KeyPackageRef of the index-th joiner, borrowed. NOT_FOUND past the last, MALFORMED. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_welcome_ref(struct hanse_mls_bytes welcome, size_t index,
                                                               struct hanse_mls_bytes *key_package_ref);

#ifdef __cplusplus
}
#endif

#endif
