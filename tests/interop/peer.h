/* mls_peer: members of MLS groups, driven by JSON lines on stdin, answered line by line on stdout. Bytes are
 * base64url. A request names an "op" and, for most, a "device"; the answer is an object with what came out,
 * or with "error". A test program: its devices live in memory only. */
#ifndef TESTS_INTEROP_PEER_H
#define TESTS_INTEROP_PEER_H

#include "base/arena.h"
#include "base/writer.h"
#include "mls/external.h"
#include "mls/group.h"
#include "support/mls_store.h"

#include <jansson.h>

enum { CAP = 64 << 20, MAX_PSKS = 64, MAX_EXTENSIONS = 16, MAX_TYPES = 32 };

struct psk {
    struct hs_writer id, secret;
};

struct device {
    struct device *next;
    char *name;
    struct hs_mls_signer signer,
        next_signer; /* next: brought by a commit or an Update that isn't merged yet */
    struct hs_mls_settings settings;
    bool with_extension;
    uint16_t grease; /* a value to be listed wherever unknown ones are allowed, or 0 */
    struct hs_writer key_package;
    struct hs_mls_key_package_private priv;
    struct psk psks[MAX_PSKS];
    size_t psk_count;
    struct hs_mls_group *group, *joining; /* joining: by an external commit that isn't accepted yet */
    struct hs_mls_group *former;          /* the group that this one follows */
    struct mls_store *records;            /* of the saved group, or NULL */
    struct mls_store *former_records;     /* which the former group reads on from, or NULL */
};

/* The public group that a hub keeps. */
struct hub {
    struct hs_mls_public *group;
    struct mls_store *records; /* of the saved group, or NULL */
};

struct peer {
    struct device *devices;
    struct hub hub;
};

/* One request. The getters leave their mark in err where an argument is missing or bad. */
struct call {
    struct peer *peer;
    struct device *device;
    const json_t *in;
    json_t *out;
    struct hs_arena arena;
    enum hs_err err;
};

bool call_has(const struct call *c, const char *key);
bool call_flag(const struct call *c, const char *key);
uint64_t call_number(struct call *c, const char *key);
const char *call_text(struct call *c, const char *key);
struct hs_bytes call_bytes(struct call *c, const char *key);
struct hs_bytes call_bytes_or_none(struct call *c, const char *key);
size_t call_list(struct call *c, const char *key, const struct hs_bytes **out);
size_t call_leaves(struct call *c, const char *key, const uint32_t **out);
size_t call_extensions(struct call *c, const char *key, const struct hs_mls_extension **out);
size_t call_psk_ids(struct call *c, const char *key, const struct hs_mls_psk_id **out);

json_t *json_bytes(struct hs_bytes bytes);
void answer_bytes(struct call *c, const char *key, struct hs_bytes bytes);
void answer_number(struct call *c, const char *key, uint64_t number);
void answer_flag(struct call *c, const char *key, bool flag);
enum hs_err answer_written(struct call *c, const char *key, const struct hs_writer *w);

/* What a device says of itself in a new leaf; borrows from the call's arena and the device. */
enum hs_err device_leaf(struct call *c, struct hs_mls_leaf_params *leaf);
/* The PSKs that the device knows. */
size_t device_psks(struct call *c, const struct hs_mls_psk **out);
/* After a merge: is the new signature key that of one's leaf now? */
void device_adopt_signer(struct device *d);
/* Out of the group, which is the former one from now on, with the records that it was saved in. */
void device_keep_former(struct device *d);
void device_free(struct device *d);

enum scope { ANY, DEVICE, MEMBER };

struct op {
    const char *name;
    enum scope scope; /* DEVICE: "device" must be known; MEMBER: and in a group */
    enum hs_err (*run)(struct call *c);
};

extern const struct op ops_device[], ops_join[], ops_commit[], ops_process[], ops_view[], ops_hub[];

#endif
