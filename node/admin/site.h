/* A node's directory: its configuration, keys, descriptor and incarnation.
 *
 *   hansed.conf     the configuration
 *   root.key        the root key; may be kept elsewhere, the daemon runs without it
 *   signing.key     the node's signing key (heads, coupons, receipts)
 *   transport.key   the node's Noise static key
 *   *.key.next      new ones of these two, while they are changed
 *   descriptor      what the root says of these two, a SignedObject
 *   successor       what the root before has signed of this one, a SignedObject; only where there was one
 *   incarnation     a number that grows with each restore; not to be part of a backup
 *   store/          the database */
#ifndef HS_ADMIN_SITE_H
#define HS_ADMIN_SITE_H

#include "admin/config.h"
#include "crypto/sign.h"

struct hs_site {
    struct hs_config config;
    char store[HS_PATH_SIZE];
    struct hs_signer signing;
    struct hs_secret32 transport;
    struct hs_key transport_pub;
    bool signing_is_next, transport_is_next; /* a change of keys was broken off: they were read from beside */
    struct hs_descriptor descriptor;         /* its root is the node's */
    Hanse__SignedObject *descriptor_object;  /* in the arena, and its bytes */
    struct hs_bytes descriptor_bytes;
    uint64_t incarnation;
    struct hs_bytes peer_rules; /* PeerRules bytes: what the configuration says of other nodes */
    struct hs_arena arena;
};

#define HS_SITE HS_AUTO(hs_site_wipe)

/* Makes the directory and everything in it but the store, and gives the root key. The configuration's data
 * directory is dir. why: a sentence. CONFLICT where one of the files is there already; INVALID_ARG for a bad
 * domain or address; IO, NOMEM. Nothing that was there is touched. */
enum hs_err hs_site_create(const char *dir, const struct hs_config *config, struct hs_time now,
                           struct hs_signer *root, char why[static HS_CONFIG_WHY]);

/* Reads a node's files and checks that they belong together. why: a sentence that names the file.
 * CONFIG for the configuration file; else the error of the file. */
enum hs_err hs_site_open(const char *config_path, struct hs_site *out, char why[static HS_CONFIG_WHY]);

/* Any root key from a file. NOT_FOUND, DENIED, MALFORMED, IO, with a sentence. */
enum hs_err hs_site_read_root(const char *path, struct hs_signer *out, char why[static HS_CONFIG_WHY]);

/* The root key, from the file at path or (NULL) from the data directory, where it is the site's. */
enum hs_err hs_site_root(const struct hs_site *site, const char *path, struct hs_signer *out,
                         char why[static HS_CONFIG_WHY]);

/* The number is raised, durably; it never falls. INVALID_ARG where it isn't higher, IO; with a sentence. */
enum hs_err hs_site_set_incarnation(struct hs_site *site, uint64_t incarnation,
                                    char why[static HS_CONFIG_WHY]);

/* A new descriptor for the same keys, one number higher, with the addresses of the configuration, in the
 * place of the old one. The site stays as it was read. */
enum hs_err hs_site_renew(const struct hs_site *site, const struct hs_signer *root, struct hs_time now,
                          struct hs_time not_after, char why[static HS_CONFIG_WHY]);

/* The same for new keys. They lie beside the old ones, as signing.key.next and transport.key.next, before the
 * descriptor is replaced, and take their place behind that: at whatever moment it is broken off, the keys
 * that the descriptor names are there, and hs_site_open() finds them. */
enum hs_err hs_site_rotate(const struct hs_site *site, const struct hs_signer *root, struct hs_time now,
                           struct hs_time not_after, char why[static HS_CONFIG_WHY]);

/* The statement that this node's root takes the place of another one, signed by both; descriptors carry it
 * from the next renewal on. CONFLICT where both are one or such a statement is there already; IO, NOMEM, with
 * a sentence. */
enum hs_err hs_site_succeed(const struct hs_site *site, const struct hs_signer *old_root,
                            const struct hs_signer *root, struct hs_time now, char why[static HS_CONFIG_WHY]);

void hs_site_wipe(struct hs_site *site);

#endif
