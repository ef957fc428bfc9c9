/* libhanse-mls: RFC 9420 (Messaging Layer Security) for members of groups and for the hub that orders their
 * messages. No sockets, no files, no clock: bytes and times go in, bytes and facts come out. C99 and C++.
 * "Using hanse-mls without Hanse" (proto/mls_api/README.md) leads through a whole program.
 *
 * The rules of use
 *
 * 1. A call that can change a group says so ("Changes the group"). After it, hanse_mls_group_save() has to
 *    have reached the disk BEFORE the ciphertext or plaintext that came out is released: else keys and nonces
 *    are used twice after a crash. A call that fails has changed nothing, unless it says so.
 * 2. One orderer a group (a server, a hub): it takes one commit an epoch. One's own commit stays pending:
 *    send it; accept it when the orderer took it; when another's comes first, merge that one: it drops it.
 * 3. A commit that came is staged: look at all that it does (struct hanse_mls_change), then merge it, or free
 *    the event to refuse it. Who may add, remove or change what is for the application to decide, here.
 *
 * Ownership: what a call gives through `struct x **` is freed with hanse_mls_x_free(), NULL is fine. A struct
 * hanse_mls_bytes in what is given borrows from the object that gave it, for as long as said there. A struct
 * hanse_mls_buf is the caller's: hanse_mls_buf_free(). Input is copied, nothing of the caller's is kept but
 * the store's context. After a failure what a call would have given is NULL or empty.
 *
 * Structs that a caller fills in and that may grow begin with their own size: {.size = sizeof x, .leaf = ...}
 * (C++: {sizeof x}, then the members). What is left zero has its default. INVALID_ARG for a wrong size,
 * UNSUPPORTED where a newer program asks for what this library doesn't know. Every other struct is fixed as
 * long as the library's soname is; those that the library gives by pointer may grow at their end.
 *
 * Threads: no global state. A group, a public group, and all events and staged commits that came out of it:
 * one thread at a time, reading included, for what isn't in memory yet is read from the store. A signer never
 * changes: any number of threads.
 *
 * Errors: enum hanse_err (hanse/err.h); comments name them without HANSE_ERR_. NOMEM can come from anything
 * that returns an error, and so can a store's own error from what touches a group that was loaded. An
 * MLSMessage of another kind than the one asked for is UNEXPECTED. The first use of cryptography checks the
 * system's libsodium: SELFTEST where it fails that.
 *
 * Secrets (private halves of KeyPackages, exported signers, all records of a store): wiped inside the library
 * when they are done with; to be sealed by the caller.
 *
 * Units: times are Unix seconds; sizes are bytes. "MLSMessage" is the encoding of RFC 9420, 6. */
#ifndef HANSE_MLS_H
#define HANSE_MLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <hanse/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The sentence for err, and its name without prefix ("MLS_EPOCH"). Static, never NULL. */
HANSE_API const char *hanse_mls_strerror(enum hanse_err err);
HANSE_API const char *hanse_mls_errname(enum hanse_err err);

/* The version of the library, "major.minor.patch". */
HANSE_API const char *hanse_mls_version(void);

/* ---- Bytes ---- */

/* A view: borrowed, never freed. data may be NULL where len is 0. */
struct hanse_mls_bytes {
    const uint8_t *data;
    size_t len;
};

/* Bytes that the library made and the caller owns. */
struct hanse_mls_buf {
    uint8_t *data;
    size_t len;
};

/* Wipes, frees and empties; an empty one is fine. */
HANSE_API void hanse_mls_buf_free(struct hanse_mls_buf *buf);

/* A hash, a tag, a reference: len depends on the suite. */
struct hanse_mls_hash {
    uint8_t len, v[64];
};

static inline struct hanse_mls_bytes hanse_mls_bytes(const void *data, size_t len)
{
    struct hanse_mls_bytes view = {(const uint8_t *)data, len};
    return view;
}

static inline struct hanse_mls_bytes hanse_mls_text(const char *text)
{
    return hanse_mls_bytes(text, strlen(text));
}

static inline struct hanse_mls_bytes hanse_mls_view(const struct hanse_mls_buf *buf)
{
    return hanse_mls_bytes(buf->data, buf->len);
}

static inline struct hanse_mls_bytes hanse_mls_hash_view(const struct hanse_mls_hash *hash)
{
    return hanse_mls_bytes(hash->v, hash->len);
}

/* For public bytes only: not in constant time. */
static inline bool hanse_mls_bytes_equal(struct hanse_mls_bytes a, struct hanse_mls_bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ---- Limits: what is larger is refused ---- */

enum {
    HANSE_MLS_MAX_LEAVES = 1 << 17,
    HANSE_MLS_MAX_MESSAGE = 96 << 20,
    HANSE_MLS_MAX_APPLICATION = 1 << 20, /* content of one application message */
    HANSE_MLS_MAX_IDENTITY = 16 << 10,   /* a credential */
    HANSE_MLS_MAX_GROUP_ID = 255,
    HANSE_MLS_MAX_EXTENSIONS = 64,    /* in one list */
    HANSE_MLS_MAX_CAPABILITIES = 256, /* types in one list */
    HANSE_MLS_MAX_WAITING = 1024,     /* proposals that wait for a commit */
    HANSE_MLS_MAX_OUT_OF_ORDER = 1024,
    HANSE_MLS_MAX_FORWARD = 100000,
    HANSE_MLS_MAX_PAST_EPOCHS = 64,
    HANSE_MLS_MAX_PADDING = 64 << 10,
    HANSE_MLS_MAX_PSKS = 256, /* of one commit or Welcome */
    HANSE_MLS_MAX_EXTERNAL_SENDERS = 64
};

/* ---- Suites and signers ---- */

/* Cipher suites (RFC 9420, 17.1). */
enum {
    HANSE_MLS_X25519_AES128GCM_SHA256_ED25519 = 0x0001, /* where the library was built with OpenSSL */
    HANSE_MLS_X25519_CHACHA20POLY1305_SHA256_ED25519 = 0x0003
};

/* The suites of this build, in order of preference: writes at most count of them, returns how many there are.
 */
HANSE_API size_t hanse_mls_suites(uint16_t *suites, size_t count);

/* The registry's name; NULL where this build doesn't have the suite. Static. */
HANSE_API const char *hanse_mls_suite_name(uint16_t suite);

/* What a member signs with: a signature key pair of one suite. */
struct hanse_mls_signer;

/* A new key pair. MLS_VERSION for a suite that this build lacks, SELFTEST. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_signer_generate(uint16_t suite,
                                                                   struct hanse_mls_signer **out);

/* From its private bytes (Ed25519: the 32-byte seed of RFC 8032), and back. The bytes are secret.
 * MLS_VERSION, INVALID_ARG for bytes that are no key, SELFTEST; UNSUPPORTED for a key that can't leave. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_signer_import(uint16_t suite, struct hanse_mls_bytes bytes,
                                                                 struct hanse_mls_signer **out);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_signer_export(const struct hanse_mls_signer *signer,
                                                                 struct hanse_mls_buf *bytes);

/* The public half, borrowed from the signer. */
HANSE_API struct hanse_mls_bytes hanse_mls_signer_public(const struct hanse_mls_signer *signer);
HANSE_API uint16_t hanse_mls_signer_suite(const struct hanse_mls_signer *signer);

HANSE_API void hanse_mls_signer_free(struct hanse_mls_signer *signer);

/* ---- Extensions (RFC 9420, 13) ---- */

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

/* ---- KeyPackages (RFC 9420, 10): what makes it possible to be added while away ---- */

/* Credential types (RFC 9420, 5.3). What an identity means, and whether a signature key belongs to it, is for
 * the application to judge. */
enum { HANSE_MLS_BASIC = 1, HANSE_MLS_X509 = 2 };

/* What a member says of itself in its leaf. Types that every implementation knows, or that are listed
 * already, are left out of the capabilities by themselves. */
struct hanse_mls_leaf {
    size_t size;
    const struct hanse_mls_signer *signer;        /* its suite is the leaf's */
    uint16_t credential_type;                     /* HANSE_MLS_BASIC (also for 0) or HANSE_MLS_X509 */
    struct hanse_mls_bytes identity;              /* basic: any bytes; X.509: the encoded certificate list */
    uint64_t not_before, not_after;               /* lifetime; both ends are within it */
    const struct hanse_mls_extension *extensions; /* leaf extensions; their types are supported, then */
    size_t extension_count;
    const uint16_t *extension_types; /* further types that this member supports */
    size_t extension_type_count;
    const uint16_t *proposal_types;
    size_t proposal_type_count;
    const uint16_t *credential_types; /* the credential's own type is always there */
    size_t credential_type_count;
    const uint16_t *suites; /* the signer's is always there */
    size_t suite_count;
};

/* A new KeyPackage as MLSMessage, to be published, and its private half, to be stored before that: needed
 * once, to join with a Welcome. last_resort: it may be used more than once, as the last one that is left.
 * INVALID_ARG for a lifetime that ends before it begins, too many extensions or too long an identity. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_key_package_new(const struct hanse_mls_leaf *leaf,
                                                                   bool last_resort,
                                                                   struct hanse_mls_buf *message,
                                                                   struct hanse_mls_buf *private_half);

/* What a valid KeyPackage says. Views borrow from the message. */
struct hanse_mls_key_package {
    uint16_t suite, credential_type;
    bool last_resort;
    struct hanse_mls_hash ref; /* KeyPackageRef (RFC 9420, 5.2): names it in a Welcome */
    struct hanse_mls_bytes identity, signature_key;
    uint64_t not_before, not_after;
    struct hanse_mls_bytes extensions; /* leaf extensions, encoded */
};

/* Checks all that RFC 9420, 10.1 asks for, its lifetime at the time now included: to be called by whoever
 * takes it from its publisher. MLS_VERSION (another version, or a suite that this build lacks),
 * MLS_KEY_PACKAGE (signature, lifetime), MLS_LEAF, MALFORMED, UNEXPECTED (another message), SELFTEST. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_key_package_check(struct hanse_mls_bytes message,
                                                                     uint64_t now,
                                                                     struct hanse_mls_key_package *out);

/* ---- Facts: members, proposals, changes, events ---- */

/* A member as its leaf says. */
struct hanse_mls_member {
    uint32_t leaf;
    uint16_t credential_type;
    struct hanse_mls_bytes identity, signature_key;
    struct hanse_mls_bytes extensions; /* leaf extensions, encoded */
};

/* Who sent a message or made a proposal (RFC 9420, 6). */
enum hanse_mls_sender_type {
    HANSE_MLS_SENDER_MEMBER = 1,
    HANSE_MLS_SENDER_EXTERNAL = 2,            /* one of external_senders */
    HANSE_MLS_SENDER_NEW_MEMBER_PROPOSAL = 3, /* proposes its own Add */
    HANSE_MLS_SENDER_NEW_MEMBER_COMMIT = 4    /* joins by an external commit */
};

/* index: a member's leaf, the place in external_senders, else 0. */
struct hanse_mls_author {
    enum hanse_mls_sender_type type;
    uint32_t index;
};

/* Proposals (RFC 9420, 12.1). */
enum hanse_mls_proposal_type {
    HANSE_MLS_ADD = 1,
    HANSE_MLS_UPDATE = 2,
    HANSE_MLS_REMOVE = 3,
    HANSE_MLS_PSK = 4,
    HANSE_MLS_REINIT = 5,
    HANSE_MLS_EXTERNAL_INIT = 6,
    HANSE_MLS_GROUP_CONTEXT_EXTENSIONS = 7
};

/* PreSharedKeyID (RFC 9420, 8.4). */
enum hanse_mls_psk_type { HANSE_MLS_PSK_EXTERNAL = 1, HANSE_MLS_PSK_RESUMPTION = 2 };
enum hanse_mls_psk_usage {
    HANSE_MLS_PSK_APPLICATION = 1,
    HANSE_MLS_PSK_REINIT = 2,
    HANSE_MLS_PSK_BRANCH = 3
};

struct hanse_mls_psk_id {
    enum hanse_mls_psk_type type;
    struct hanse_mls_bytes id;      /* EXTERNAL */
    enum hanse_mls_psk_usage usage; /* RESUMPTION: which epoch of which group */
    struct hanse_mls_bytes group_id;
    uint64_t epoch;
    struct hanse_mls_bytes nonce, encoded; /* in what came; in what is asked for they don't count */
};

/* A pre-shared key: an external one, or the resumption secret of another group. A group knows its own. */
struct hanse_mls_psk {
    struct hanse_mls_psk_id id;
    struct hanse_mls_bytes secret;
};

/* What a group shall begin anew with (RFC 9420, 12.1.5). */
struct hanse_mls_reinit {
    struct hanse_mls_bytes group_id;
    uint16_t version, suite;           /* version: 1 (also for 0) */
    struct hanse_mls_bytes extensions; /* encoded */
};

struct hanse_mls_added {
    struct hanse_mls_member member;
    struct hanse_mls_hash key_package_ref;
    struct hanse_mls_author by;
};

struct hanse_mls_removed {
    struct hanse_mls_member member;
    struct hanse_mls_author by;
};

struct hanse_mls_updated {
    struct hanse_mls_member before, after;
};

struct hanse_mls_psk_used {
    struct hanse_mls_psk_id id;
    struct hanse_mls_author by;
};

/* All that a commit does, proposal by proposal with whoever made it; a commit's own proposals are by its
 * committer. The state before it is the group's, as long as it isn't merged. */
struct hanse_mls_change {
    uint64_t epoch; /* that it leads to */
    struct hanse_mls_member
        committer; /* as before the commit; of an external one: the newcomer, as after it */
    bool external; /* the committer comes in by it */
    bool resync;   /* and its former leaf goes */
    const struct hanse_mls_added *added; /* by Add; an external committer isn't among them */
    const struct hanse_mls_removed *removed;
    const struct hanse_mls_updated *updated; /* by Update, and the committer where its commit has a path */
    const struct hanse_mls_psk_used *psks;
    size_t added_count, removed_count, updated_count, psk_count;
    bool has_path, removes_self;
    bool extensions_proposed;
    struct hanse_mls_author extensions_by;
    struct hanse_mls_bytes old_extensions, new_extensions; /* of the GroupContext, encoded; always both */
    bool reinit_proposed; /* after this commit nothing can be sent or committed any more */
    struct hanse_mls_author reinit_by;
    struct hanse_mls_reinit reinit;
};

/* A commit that was checked in full and changes nothing until it is merged. Part of its event. */
struct hanse_mls_staged;

/* What it does; valid as long as the event lives, also after the merge. NULL for NULL. */
HANSE_API const struct hanse_mls_change *hanse_mls_staged_change(const struct hanse_mls_staged *staged);

/* Is this GroupInfo (MLSMessage) the one of the epoch that the staged commit leads to: same context, the
 * commit's confirmation tag, the committer's signature, the same tree where it carries one? MLS_COMMIT,
 * INVALID_ARG for NULL. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_staged_matches(const struct hanse_mls_staged *staged,
                                                                  struct hanse_mls_bytes group_info);

/* A proposal that stands alone. */
struct hanse_mls_proposal {
    uint16_t type;
    struct hanse_mls_hash ref;      /* ProposalRef (RFC 9420, 5.2) */
    struct hanse_mls_member target; /* ADD: the newcomer (leaf 0); UPDATE: the new leaf; REMOVE: who goes */
    struct hanse_mls_bytes extensions; /* GROUP_CONTEXT_EXTENSIONS: the new list, encoded */
    struct hanse_mls_psk_id psk;
    struct hanse_mls_reinit reinit;
};

enum hanse_mls_event_kind {
    HANSE_MLS_EVENT_APPLICATION = 1, /* plaintext */
    HANSE_MLS_EVENT_PROPOSAL,        /* proposal; it waits in the group for a commit of this epoch */
    HANSE_MLS_EVENT_COMMIT,          /* staged: look, then merge, or free the event */
    HANSE_MLS_EVENT_OWN_COMMIT       /* one's own pending commit came back: hanse_mls_group_accept() */
};

/* What came out of a message. Views live as long as the event. */
struct hanse_mls_event {
    enum hanse_mls_event_kind kind;
    uint64_t epoch; /* of the message */
    struct hanse_mls_author author;
    struct hanse_mls_member sender; /* a member with the credential of that epoch; a newcomer's leaf, at
                                       UINT32_MAX; empty for an external sender */
    struct hanse_mls_bytes authenticated_data;
    struct hanse_mls_bytes plaintext;
    struct hanse_mls_proposal proposal;
    struct hanse_mls_staged *staged;
};

/* Frees the event with its staged commit, wipes the plaintext. */
HANSE_API void hanse_mls_event_free(struct hanse_mls_event *event);

/* ---- The store: small records ---- */

/* A map of the caller's, one a group; keys have at most HANSE_MLS_KEY_MAX bytes (put a group's name before
 * them where several share one map). A save writes what has changed and no more: O(log n) bytes after a
 * commit. It belongs into one transaction with whatever else the caller stores at that moment; where that
 * fails, free the group and load it again. A loaded or saved group reads its pieces from the store when it
 * needs them: context must stay, and be readable, as long as the group lives. Every value is secret. A group
 * that was never saved begins in an empty map: nothing of a former one is deleted by itself. Whoever is done
 * with a group deletes all of its records. */
enum { HANSE_MLS_KEY_MAX = 40 };

/* Where get() puts what it found, with one call or in parts. */
struct hanse_mls_value;
HANSE_API void hanse_mls_value_write(struct hanse_mls_value *value, const void *data, size_t len);

struct hanse_mls_store {
    size_t size;
    void *context;
    /* NOT_FOUND where there is no such record; other errors go up as they are. */
    enum hanse_err (*get)(void *context, struct hanse_mls_bytes key, struct hanse_mls_value *value);
    /* Writes or overwrites. */
    enum hanse_err (*put)(void *context, struct hanse_mls_bytes key, struct hanse_mls_bytes value);
    /* Deletes every record whose key begins with prefix (also: is prefix); none is fine. */
    enum hanse_err (*del)(void *context, struct hanse_mls_bytes prefix);
};

/* ---- A member's group ---- */

struct hanse_mls_group;

/* Tolerances and habits; saved with the group. hanse_mls_settings_init() fills in size and defaults. */
struct hanse_mls_settings {
    size_t size;
    uint32_t out_of_order; /* 32: how far behind a sender's newest message another may come */
    uint32_t forward;      /* 2000: how many messages of a sender may be missing before one */
    uint32_t past_epochs;  /* 5: epochs whose application messages can still be read */
    uint32_t
        past_seconds; /* 0: and for how long after they ended, see hanse_mls_group_expire(); 0: any time */
    bool private_handshakes; /* proposals and commits go as PrivateMessage: no hub can follow them */
    uint32_t padding;        /* of these, as in hanse_mls_group_protect() */
    bool settling;           /* keep the epoch before until hanse_mls_group_settle() */
};
HANSE_API void hanse_mls_settings_init(struct hanse_mls_settings *settings);

struct hanse_mls_create {
    size_t size;
    const struct hanse_mls_leaf *leaf;
    struct hanse_mls_bytes group_id;              /* 1 to HANSE_MLS_MAX_GROUP_ID bytes */
    const struct hanse_mls_extension *extensions; /* of the GroupContext; the leaf must support their types */
    size_t extension_count;
    const struct hanse_mls_settings *settings; /* NULL: the defaults; so everywhere */
};

/* A group of one, at epoch 0 (RFC 9420, 11). INVALID_ARG, MLS_LEAF (an extension that the leaf doesn't
 * support). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_create(const struct hanse_mls_create *create,
                                                                struct hanse_mls_group **out);

struct hanse_mls_join {
    size_t size;
    struct hanse_mls_bytes welcome;                   /* MLSMessage */
    struct hanse_mls_bytes key_package, private_half; /* of hanse_mls_key_package_new() */
    const struct hanse_mls_signer *signer;            /* the KeyPackage's */
    struct hanse_mls_bytes tree;                      /* ratchet tree, where it goes out of band */
    const struct hanse_mls_psk *psks;                 /* that the Welcome may name */
    size_t psk_count;
    const struct hanse_mls_group *from; /* the group that this one follows or branches from, or NULL */
    const struct hanse_mls_settings *settings;
};

/* Joins by Welcome and checks the whole group (RFC 9420, 12.4.3.1; 11.2 and 11.3 where it follows another).
 * Delete the KeyPackage's private half together with storing the group, but for a last-resort one. Whether
 * the inviter may invite is for the application: look at hanse_mls_group_inviter() and the members.
 * MLS_WELCOME (not for this KeyPackage, altered, or not what ReInit or branch allow), MLS_TREE, MLS_LEAF,
 * BAD_SIGNATURE, MLS_CONFIRMATION, MLS_VERSION, MALFORMED, NOT_FOUND (a PSK that isn't given), INVALID_ARG.
 */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_join(const struct hanse_mls_join *join,
                                                              struct hanse_mls_group **out);

/* The leaf that signed the Welcome's GroupInfo; one's own in a group that one created. */
HANSE_API uint32_t hanse_mls_group_inviter(const struct hanse_mls_group *group);

struct hanse_mls_external_join {
    size_t size;
    struct hanse_mls_bytes group_info; /* MLSMessage, of the current epoch, with external_pub */
    struct hanse_mls_bytes tree;       /* ratchet tree, where it goes out of band */
    const struct hanse_mls_leaf *leaf;
    bool resync; /* remove one's former leaf: the one with the same signature key */
    const struct hanse_mls_psk_id *psk_ids; /* to bring in */
    size_t psk_id_count;
    const struct hanse_mls_psk *psks; /* their secrets */
    size_t psk_count;
    struct hanse_mls_bytes authenticated_data;
    const struct hanse_mls_settings *settings;
};

/* Joins by an external commit (RFC 9420, 12.4.3.2). The commit goes to the orderer; the group, which is in
 * the next epoch already, counts only if it was accepted: else free it and join the newer epoch. group_info
 * (may be NULL): that of the new epoch, with tree. MLS_TREE, MLS_LEAF, BAD_SIGNATURE, MLS_VERSION, MALFORMED,
 * MLS_PROPOSAL (a key of one's own is in the group already), NOT_FOUND (no external_pub, former leaf or PSK),
 * INVALID_ARG. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_join_external(
    const struct hanse_mls_external_join *join, struct hanse_mls_buf *commit,
    struct hanse_mls_buf *group_info, struct hanse_mls_group **out);

/* Makes the group that a ReInit announced (RFC 9420, 11.2), or a branch (11.3): a new group with all of adds
 * in it, at epoch 1, bound to the old one by its resumption secret. */
struct hanse_mls_successor {
    size_t size;
    const struct hanse_mls_group *from;
    enum hanse_mls_psk_usage usage;     /* HANSE_MLS_PSK_REINIT or HANSE_MLS_PSK_BRANCH */
    const struct hanse_mls_leaf *leaf;  /* one's own; of the new suite */
    const struct hanse_mls_bytes *adds; /* KeyPackages of the others */
    size_t add_count;
    struct hanse_mls_bytes group_id;              /* BRANCH; a ReInit says it by itself */
    const struct hanse_mls_extension *extensions; /* BRANCH */
    size_t extension_count;
    bool tree_in_welcome;
    const struct hanse_mls_settings *settings;
};

/* welcome: one MLSMessage for all of adds. INVALID_STATE for a REINIT where none was committed, INVALID_ARG
 * for a BRANCH with a KeyPackage whose signature key isn't a member's; otherwise as create and commit. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_succeed(const struct hanse_mls_successor *successor,
                                                                 struct hanse_mls_buf *welcome,
                                                                 struct hanse_mls_group **out);

/* Writes what changed since the last save or load: the whole state, the pending commit included, signature
 * keys not. Always into the same records; store itself is copied and may be another each time. INVALID_ARG;
 * after the store's own errors free the group and load it again. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_save(struct hanse_mls_group *group,
                                                              const struct hanse_mls_store *store);

/* signers: the one of one's leaf and, where a pending commit or an Update brings another key, that one too.
 * NOT_FOUND where there is no group, MALFORMED, UNSUPPORTED (written by a newer library), INVALID_ARG (no
 * signer is the leaf's), MLS_VERSION. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_load(const struct hanse_mls_store *store,
                                                              const struct hanse_mls_signer *const *signers,
                                                              size_t signer_count,
                                                              struct hanse_mls_group **out);

/* From now on reads go there: the same records by another way, as in another transaction. INVALID_ARG, also
 * for a group that was never saved or loaded. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_read_from(struct hanse_mls_group *group,
                                                                   const struct hanse_mls_store *store);

/* Wipes and frees. */
HANSE_API void hanse_mls_group_free(struct hanse_mls_group *group);

/* ---- Commits ---- */

/* What a commit shall do. The proposals that wait in the group are in it by reference, but for one's own
 * Update and those that another in the list makes void. All zero: new keys, nothing else. */
struct hanse_mls_commit {
    size_t size;
    const struct hanse_mls_bytes *adds; /* KeyPackages, MLSMessage each; checked for their lifetime before */
    size_t add_count;
    const uint32_t *removes; /* leaves; one's own is refused */
    size_t remove_count;
    bool set_extensions; /* new GroupContext extensions: the whole list */
    const struct hanse_mls_extension *extensions;
    size_t extension_count;
    struct hanse_mls_bytes authenticated_data; /* told to all, sealed to nobody */
    bool force_path;                           /* new keys also where members are only added */
    bool tree_in_welcome;                      /* else the newcomers get the tree by another way */
    struct hanse_mls_bytes identity;           /* a new credential for one's own leaf, or empty */
    const struct hanse_mls_signer *signer;     /* a new signature key for it, or NULL */
    const struct hanse_mls_psk_id *psks;       /* their nonces are made here */
    size_t psk_count;
    const struct hanse_mls_reinit *reinit; /* ends the group; nothing else may stand beside it */
};

/* Makes the pending commit. welcome: one MLSMessage for all who are added, empty where nobody is; group_info:
 * that of the new epoch, with ratchet_tree and external_pub. Either may be NULL; the commit can be asked for
 * again. Changes the group (the pending commit). INVALID_STATE (one is pending, one's own removal waits, or
 * after a ReInit), MLS_REMOVED, MLS_KEY_PACKAGE, MLS_LEAF, MLS_VERSION, MLS_PROPOSAL, NOT_FOUND (an unknown
 * PSK), INVALID_ARG (a leaf that is blank or one's own), TOO_LARGE. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_commit(struct hanse_mls_group *group,
                                                                const struct hanse_mls_commit *request,
                                                                struct hanse_mls_buf *commit,
                                                                struct hanse_mls_buf *welcome,
                                                                struct hanse_mls_buf *group_info);

/* The pending commit, to be sent again or judged as anybody's; empty, or NULL, without one. Borrowed until it
 * is accepted or dropped. */
HANSE_API struct hanse_mls_bytes hanse_mls_group_pending(const struct hanse_mls_group *group);
HANSE_API const struct hanse_mls_change *hanse_mls_group_pending_change(const struct hanse_mls_group *group);

/* Merges it. Changes the group. INVALID_STATE without one. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_accept(struct hanse_mls_group *group);

/* Forgets it; no effect without one. Changes the group. */
HANSE_API void hanse_mls_group_drop(struct hanse_mls_group *group);

/* Makes a staged commit the current epoch; drops the pending one and all waiting proposals. Where it removes
 * oneself the group is "removed" from then on: old posts can be read, all else is MLS_REMOVED. Changes the
 * group. INVALID_STATE where it was staged in another epoch or merged before, INVALID_ARG for NULL (an event
 * of another kind). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_merge(struct hanse_mls_group *group,
                                                               struct hanse_mls_staged *staged);
HANSE_API bool hanse_mls_group_is_removed(const struct hanse_mls_group *group);

/* With settings.settling a merge leaves the epoch before in the group, whole, until settle() wipes what isn't
 * needed for reading old posts, or revert() makes it the current one again and forgets the newer. Meanwhile
 * no further commit can be merged (INVALID_STATE). For orderers that may void a commit which part of the
 * group couldn't process; what was voided is never merged again (MLS_COMMIT). Both change the group;
 * INVALID_STATE where nothing is unsettled, TOO_LARGE where 32 commits of one epoch were taken back. */
HANSE_API bool hanse_mls_group_is_unsettled(const struct hanse_mls_group *group);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_settle(struct hanse_mls_group *group);
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_revert(struct hanse_mls_group *group);

/* ---- Messages in and out ---- */

/* Any MLSMessage of this group. APPLICATION and PROPOSAL change the group; COMMIT changes nothing until it is
 * merged. MALFORMED, MLS_VERSION, MLS_GROUP, MLS_EPOCH (not this epoch nor a past one that is kept),
 * MLS_GENERATION (used before, too old, too far ahead, or one's own), DECRYPT, BAD_SIGNATURE, MLS_MEMBERSHIP,
 * MLS_CONFIRMATION, MLS_PROPOSAL, MLS_COMMIT, MLS_LEAF, MLS_KEY_PACKAGE, MLS_TREE, NOT_MEMBER (blank sender,
 * unknown external sender), MLS_REMOVED, UNEXPECTED (Welcome, GroupInfo, KeyPackage), NOT_FOUND (an unknown
 * PSK), UNSUPPORTED (a proposal of an unknown type), TOO_LARGE (HANSE_MLS_MAX_WAITING proposals wait
 * already), INVALID_STATE (after a ReInit). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_process(struct hanse_mls_group *group,
                                                                 struct hanse_mls_bytes message,
                                                                 struct hanse_mls_event **out);

/* An application message, as PrivateMessage. The content is padded with zeros to a multiple of padding (0 or
 * 1: none). Changes the group (one's own ratchet). MLS_REMOVED, TOO_LARGE, INVALID_ARG, INVALID_STATE (after
 * a ReInit). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_protect(struct hanse_mls_group *group,
                                                                 struct hanse_mls_bytes plaintext,
                                                                 struct hanse_mls_bytes authenticated_data,
                                                                 uint32_t padding, struct hanse_mls_buf *out);

/* What is proposed: which members count depends on the type. EXTERNAL_INIT can't be proposed by itself. */
struct hanse_mls_propose {
    size_t size;
    enum hanse_mls_proposal_type type;
    struct hanse_mls_bytes key_package;           /* ADD: MLSMessage */
    uint32_t leaf;                                /* REMOVE; one's own too (leaving) */
    struct hanse_mls_bytes identity;              /* UPDATE: a new credential, or empty */
    const struct hanse_mls_signer *signer;        /* UPDATE: a new signature key, or NULL */
    struct hanse_mls_psk_id psk;                  /* PSK */
    const struct hanse_mls_extension *extensions; /* GROUP_CONTEXT_EXTENSIONS: the whole list */
    size_t extension_count;
    struct hanse_mls_reinit reinit; /* REINIT */
    struct hanse_mls_bytes authenticated_data;
};

/* A proposal, as MLSMessage. It waits in this group once it comes back through process(): it counts when the
 * orderer has it. (As PrivateMessage it waits here at once, for one's own can't be read.) UPDATE and
 * PrivateMessages change the group. INVALID_ARG (a blank leaf, an unsound list, a type), MLS_KEY_PACKAGE,
 * MLS_LEAF, MLS_VERSION (of the KeyPackage), MLS_REMOVED, INVALID_STATE (after a ReInit), TOO_LARGE (as many
 * wait already, or too many Updates of one's own in this epoch). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_propose(struct hanse_mls_group *group,
                                                                 const struct hanse_mls_propose *request,
                                                                 struct hanse_mls_buf *out);

/* Drops a waiting proposal, as where the application forbids it. Changes the group. NOT_FOUND. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_drop_proposal(struct hanse_mls_group *group,
                                                                       struct hanse_mls_bytes ref);

/* The PSKs that proposals may name from now on, instead of those before: copied, not saved. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_set_psks(struct hanse_mls_group *group,
                                                                  const struct hanse_mls_psk *psks,
                                                                  size_t count);

/* Wipes the secrets of all past epochs, or of those that ended more than settings.past_seconds before now; an
 * epoch's end is noted by the first expire() after it. Both change the group. */
HANSE_API void hanse_mls_group_drop_past(struct hanse_mls_group *group);
HANSE_API void hanse_mls_group_expire(struct hanse_mls_group *group, uint64_t now);

/* Who proposes from outside (RFC 9420, 12.1.8): a sender of external_senders, or a newcomer that proposes its
 * own Add. */
struct hanse_mls_outsider {
    size_t size;
    const struct hanse_mls_signer *signer; /* a newcomer: that of the KeyPackage */
    bool newcomer;
    uint32_t index; /* in external_senders */
    struct hanse_mls_bytes group_id;
    uint64_t epoch;
};

/* The proposal as PublicMessage. INVALID_ARG for a type that isn't allowed from there: a newcomer may propose
 * an Add alone, an external sender no Update and no ExternalInit. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_outsider_propose(const struct hanse_mls_outsider *outsider,
                                                                    const struct hanse_mls_propose *request,
                                                                    struct hanse_mls_buf *out);

/* ---- What a member can ask ---- */

/* Members, extensions, context: the group's public side. Borrowed, as long as the group lives. */
struct hanse_mls_public;
HANSE_API const struct hanse_mls_public *hanse_mls_group_public(const struct hanse_mls_group *group);

HANSE_API struct hanse_mls_bytes hanse_mls_group_id(const struct hanse_mls_group *group);
HANSE_API uint64_t hanse_mls_group_epoch(const struct hanse_mls_group *group);
HANSE_API uint32_t hanse_mls_group_own_leaf(const struct hanse_mls_group *group);

/* The current epoch's GroupInfo (MLSMessage), with external_pub, and ratchet_tree where with_tree is set.
 * MLS_REMOVED, INVALID_STATE (after a ReInit). */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_info(const struct hanse_mls_group *group,
                                                              bool with_tree, struct hanse_mls_buf *out);

/* RFC 9420, 8.7: equal at all members of an epoch, for comparing out of band. */
HANSE_API struct hanse_mls_hash hanse_mls_group_authenticator(const struct hanse_mls_group *group);

/* RFC 9420, 8.6: the secret that another group may name as a resumption PSK of usage APPLICATION, with this
 * group's id and epoch. MLS_REMOVED. */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_resumption(const struct hanse_mls_group *group,
                                                                    struct hanse_mls_buf *secret);

/* RFC 9420, 8.5: len bytes (at most 255 hashes) of key for this label and context. INVALID_ARG, MLS_REMOVED.
 */
HANSE_API HANSE_NODISCARD enum hanse_err hanse_mls_group_export(const struct hanse_mls_group *group,
                                                                const char *label,
                                                                struct hanse_mls_bytes context, uint8_t *out,
                                                                size_t len);

/* ---- The public group: what a hub keeps to judge handshakes, without any secret ---- */

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

/* ---- Looking at messages from outside ---- */

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
