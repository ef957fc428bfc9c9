/* The node's key files in its data directory: root.key (may be taken away), node.key, transport.key,
 * descriptor, incarnation. */
#ifndef HS_ADMIN_KEYS_H
#define HS_ADMIN_KEYS_H

#include "base/arena.h"
#include "crypto/sign.h"
#include "identity/descriptor.h"
#include "schema/object.pb-c.h"

struct hs_node_keys {
    struct hs_signer signer;      /* the node's signing key */
    struct hs_secret32 transport; /* Noise static key */
    struct hs_key transport_pub;
    struct hs_bytes descriptor; /* SignedObject, in the arena */
    struct hs_descriptor facts;
    uint64_t incarnation;
};

#define HS_NODE_KEYS HS_AUTO(hs_node_keys_wipe)

void hs_node_keys_wipe(struct hs_node_keys *keys);

/* Makes all of them in dir (0700, made where it is missing). IO where some are there already. */
enum hs_err hs_node_keys_make(const char *dir, const struct hs_descriptor *facts, struct hs_time now,
                              struct hs_signer *root, struct hs_arena *arena,
                              Hanse__SignedObject **descriptor);

/* Loads all but the root. IO; DENIED where others may read a key; BAD_CHAIN where descriptor and keys don't
 * fit together; EXPIRED. what: the file that the error is about. */
enum hs_err hs_node_keys_load(const char *dir, struct hs_time now, struct hs_arena *arena,
                              struct hs_node_keys *out, const char **what);

/* The root's key, for tickets and grants. NOT_FOUND where it was taken away. */
enum hs_err hs_root_key_load(const char *dir, struct hs_signer *root);

/* Writes a new file that only this user can read, synced. IO where it is there already. */
enum hs_err hs_private_file_write(const char *path, struct hs_bytes bytes);

#endif
