/* A small world for the node's core: some nodes, each on a store in memory, and devices with real keys. There
 * are no sockets: effects become inputs by hand, one after another, and a virtual clock stands still unless
 * it is moved. Anything between two nodes can be seen, altered, dropped or cut by a hook.
 *
 * What holds for every refusal is checked here, for all tests: a request that was answered with an Error has
 * left the store byte for byte as it was. */
#ifndef TESTS_CORE_WORLD_H
#define TESTS_CORE_WORLD_H

#include "support/test.h"

#include "core/core.h"
#include "identity/derive.h"
#include "identity/grant.h"
#include "mls/group.h"
#include "room/log.h"
#include "room/policy.h"
#include "room/suite.h"
#include "schema/link.pb-c.h"
#include "store/blob_job.h"

enum {
    WORLD_NODES = 4,
    WORLD_DEVICES = 600,
    WORLD_PERSONAS = 4,
    WORLD_ROOMS = 16,
    WORLD_POSTS = 320,
    WORLD_WAITING = 32,
    WORLD_DAY_MS = 86400000
};

#define WORLD_REDO(kind) (1u << (kind))
#define WORLD_REDO_ALL   (~WORLD_REDO(HS_INPUT_ROOM))

struct world;
struct world_device;

struct world_node {
    struct world *world;
    char domain[64], address[80];
    struct hs_signer root, signer;
    struct hs_secret32 transport;
    struct hs_key transport_pub;
    Hanse__SignedObject *descriptor;
    struct hs_kv *kv;
    struct hs_core *core;
    struct hs_effects effects;
    struct hs_blob_files *blobs; /* in a directory of its own, from the first BLOB effect on */
    char blob_dir[64];
    bool full;       /* the store takes deletions only */
    bool down;       /* can't be dialled */
    unsigned redo;   /* inputs of these kinds are carried out, undone, and carried out again */
    bool mute;       /* dies after each commit: what it would send is lost */
    size_t dials;    /* that it asked for */
    size_t searches; /* of other nodes by their domains, and the last of them: */
    char searched[256];
    struct hs_key searched_root;
    size_t wakes; /* of devices, and the last one\'s URL */
    char woken[600];
    uint64_t incarnation;
    size_t closed;  /* sessions that it closed by itself */
    size_t refused; /* Error frames that it sent */
};

/* Whom a device is to one brand. */
struct world_persona {
    struct hs_key brand;
    struct hs_signer signer;
    struct hs_device_keys keys;
    struct hs_mls_signer mls; /* the same signature key */
    Hanse__SignedObject *certificate;
    struct hs_bytes credential;
};

/* A room as one device holds it. */
struct world_room {
    struct world_device *device;
    struct world_persona *persona;
    struct world_node *hub, *next_hub;
    struct hs_id id;
    struct hs_mls_group *group;
    struct hs_log_tip tip;
    uint64_t anchor; /* the record that it was added by: not processed */
    struct hs_bytes key_package;
    struct hs_mls_key_package_private priv;
    struct hs_bytes waiting[WORLD_WAITING]; /* JOIN bodies that no commit has admitted yet */
    size_t waiting_count;
    struct hs_bytes waited[WORLD_WAITING]; /* the same before the newest commit, for where that is void */
    size_t waited_count;
    struct hs_record_header newest; /* of that commit */
    char posts[WORLD_POSTS][32];    /* texts of posts, in their order; one's own too */
    size_t post_count;
    char sent[WORLD_POSTS][32]; /* one's own, as they were submitted */
    size_t sent_count, own_count;
    size_t records, commits;
    struct hs_key head_key; /* of the hub's heads, as its newest descriptor said; zeros: none came yet */
    bool joined;
};

struct world_device {
    struct world *world;
    struct world_node *node;
    char name[32];
    bool staff; /* one public identity for all brands */
    struct hs_secret32 seed, secret;
    struct hs_signer identity;
    Hanse__SignedObject *grants[8];
    size_t grant_count;
    struct world_persona personas[WORLD_PERSONAS];
    size_t persona_count;
    struct world_room rooms[WORLD_ROOMS];
    size_t room_count;
    uint64_t session; /* 0: not connected */
    uint64_t last_id;
    struct hs_bytes *rx; /* frames as they came */
    size_t rx_len, rx_size, rx_read;
    uint64_t inbox_next;
    Hanse__InboxItem *items[256];
    size_t item_count;
    uint64_t detail;    /* of the last Error */
    bool silent;        /* doesn't say what it made of commits */
    enum hs_err doubts; /* what it says of commits, and doesn't follow them */
    bool no_cursors;    /* doesn't say what it holds */
    bool gaps;          /* has left items unread for too long: some are missing (DELIVERY-72) */
    bool stalled;       /* reads nothing: its budget stays 0 */
    enum hs_err ended;  /* why its session was closed */
};

/* What becomes of a frame between two nodes. */
enum world_verdict { WORLD_PASS, WORLD_DROP, WORLD_CUT };
typedef enum world_verdict world_hook(void *ctx, struct world_node *from, struct world_node *to,
                                      struct hs_bytes *frame);

struct world_link {
    uint64_t id[2];
    struct world_node *node[2]; /* [0]: whom it was opened to by a device, or who dialled */
    struct world_device *device;
    bool open;
};

struct world {
    struct hs_arena arena;
    struct hs_time now;
    struct world_node nodes[WORLD_NODES];
    size_t node_count;
    struct world_device devices[WORLD_DEVICES];
    size_t device_count;
    struct world_link *links;
    size_t link_count, link_size;
    struct world_event *events;
    size_t event_len, event_size, event_read;
    uint64_t last_session;
    world_hook *hook;
    void *hook_ctx;
    void (*before_step)(struct world_node *node, const struct hs_core_input *input); /* may be NULL */
    bool unchecked; /* leave out the check of refusals: for floods */
    bool forged;    /* leave out the rebuilding: a test has written to a store */
};

/* The world's ground (world.c). */
struct world *world_new(void);

/* What new worlds do before each step; NULL. */
extern void (*world_before_step)(struct world_node *node, const struct hs_core_input *input);
void world_free(struct world *w);
struct world_node *world_node_new(struct world *w, const char *domain);
void world_node_restart(struct world_node *node);

/* New signing and transport keys under its root, and a start with them. */
void world_node_rotate(struct world_node *node);

/* The process dies, and comes back from that backup, which it takes over. */
void world_node_restore(struct world_node *node, struct hs_kv *backup);
struct hs_id world_store_hash(struct world_node *node);
struct hs_kv *world_store_copy(struct world_node *node);
void world_input(struct world_node *node, const struct hs_core_input *input);
void world_event_add(struct world_node *node, const struct hs_core_input *input);
void world_dial(struct world_node *from, const struct hs_effect *effect);
struct world_link *world_link_of(struct world *w, uint64_t session);
uint64_t world_open(struct world_device *d, const struct hs_key *remote_static,
                    const uint8_t hash[static 64]);
void world_close(struct world *w, uint64_t session);
void world_send(struct world *w, uint64_t session, struct hs_bytes frame);

/* As if the node to had got the frame from the node from, over the session that dialler opened. */
void world_inject(struct world_node *from, struct world_node *to, const Hanse__Frame *frame);
bool world_are_linked(struct world_node *dialler, struct world_node *to);

/* Carries out what is under way until nothing moves (world_device.c: devices take what came). */
void world_run(struct world *w);
void world_settle(struct world *w);

/* Moves the clock; nodes get their ticks. */
void world_pass(struct world *w, int64_t ms);

/* Memory that lives as long as the world. */
struct hs_bytes world_pack(struct world *w, const ProtobufCMessage *message);
struct hs_bytes world_take(struct world *w, struct hs_writer *writer);
struct hs_bytes world_copy(struct world *w, struct hs_bytes bytes);
void *world_alloc(struct world *w, size_t size, const ProtobufCMessageDescriptor *type);
#define WORLD_NEW(w, type, prefix) ((type *)world_alloc((w), sizeof(type), &prefix##__descriptor))
Hanse__Frame *world_frame(struct world *w);

/* Devices (world_device.c). */
struct world_device *world_device_new(struct world_node *node, const char *name);
struct world_persona *world_persona(struct world_device *d, const struct hs_key *brand);
void world_grant(struct world_device *d, Hanse__Role role);
enum hs_err world_connect(struct world_device *d, bool *has_account);
void world_attach(struct world_device *d);
void world_disconnect(struct world_device *d);

/* The ticket of a node for this key. */
Hanse__SignedObject *world_ticket(struct world_node *node, const struct hs_key *key, uint32_t uses);
enum hs_err world_sign_up(struct world_device *d, Hanse__SignedObject *ticket, const struct hs_signer *key);

/* Connected, signed up, attached. */
struct world_device *world_staff(struct world_node *node, const char *name, Hanse__Role role);
struct world_device *world_customer(struct world_node *node, const char *name);

/* One request and its answer: the error that came, HS_OK with *answer, or TIMEOUT without an answer. */
enum hs_err world_ask(struct world_device *d, Hanse__Frame *request, Hanse__Frame **answer);

/* The same at the hub: through Forward where it isn't the home. */
enum hs_err world_ask_hub(struct world_device *d, struct world_node *hub, Hanse__Frame *request,
                          Hanse__Frame **answer);
Hanse__Frame *world_forward_frame(struct world *w, struct world_node *hub, Hanse__Frame *request);
enum hs_err world_forward(struct world_device *d, struct world_node *hub, Hanse__Frame *request,
                          Hanse__Frame **answer);
enum hs_err world_bind(struct world_device *d, struct world_node *brand);

/* Rooms (world_room.c). */
struct world_room *world_room_of(struct world_device *d, const struct hs_id *id);
struct world_room *world_room_new(struct world_device *owner, const char *name);
Hanse__Frame *world_create_frame(struct world_device *owner, const struct hs_policy *policy,
                                 struct world_room **room);
struct hs_policy world_policy(struct world_device *owner, const char *name, struct hs_policy_role *role);

struct world_invite {
    struct world_node *hub;
    struct world_node *brand; /* of a room that has moved; else NULL */
    struct hs_id room;
    uint8_t seed[16];
    struct hs_signer signer;
    struct hs_bytes body;
};
struct world_invite world_invite_new(struct world_room *room, uint32_t uses, int64_t for_ms);
enum hs_err world_put_invite(struct world_room *room, const struct world_invite *invite);
struct world_invite world_invite(struct world_room *room, uint32_t uses);

/* A new room entry of d with a fresh key package, and the body of its JOIN. */
struct world_room *world_room_join(struct world_device *d, const struct world_invite *invite);
struct hs_bytes world_join_body(struct world_room *room, const struct world_invite *invite);
Hanse__Frame *world_join_frame(struct world_room *room, struct hs_bytes body);

/* Sign-up or bind as needed, join, admission by the moderator: the room as the joiner holds it. */
struct world_room *world_join(struct world_device *d, struct world_room *moderator,
                              const struct world_invite *invite);

struct world_commit {
    struct hs_bytes commit, welcome, group_info;
};
void world_commit_admit(struct world_room *room, struct world_commit *out);
void world_commit_add(struct world_room *room, struct hs_bytes key_package, struct world_commit *out);
void world_commit_remove(struct world_room *room, uint32_t leaf, struct world_commit *out);
void world_commit_update(struct world_room *room, struct world_commit *out);
void world_commit_policy(struct world_room *room, const struct hs_policy *policy, struct world_commit *out);
Hanse__Frame *world_commit_frame(struct world_room *room, const struct world_commit *c);
enum hs_err world_admit(struct world_room *room);
enum hs_err world_remove(struct world_room *room, struct world_room *whom);
enum hs_err world_update(struct world_room *room);

struct hs_bytes world_protect(struct world_room *room, const char *text);
Hanse__Frame *world_post_frame(struct world_room *room, struct hs_bytes message);
enum hs_err world_post(struct world_room *room, const char *text, Hanse__Frame **answer);

/* Rebuilding (world_rebuild.c): the store of node from its records up to the number end, in slices, into to,
 * which may hold a part of it; whether two stores are the same; both, for a node's whole store. The last is
 * done for every node when its world ends. */
void world_rebuild_upto(struct world_node *node, struct hs_kv *to, uint64_t end, size_t slice);
bool world_stores_equal(struct hs_kv *store, struct hs_kv *rebuilt);
void world_rebuild_check(struct world_node *node);

/* The node's store into a file, where somebody wants one (world_dump.c). */
void world_dump(struct world_node *node);

/* What a device does with what it gets (world_sync.c). */
struct hs_mls_settings world_settings(void);
Hanse__Frame *world_confirm_frame(struct world_room *room, const struct hs_record_header *commit,
                                  uint32_t leaf, enum hs_err err);
void world_take_records(struct world_device *d, const Hanse__Records *records);
void world_take_inbox(struct world_device *d, const Hanse__Inbox *inbox);

/* Carries a BLOB effect out (world_blob.c). */
void world_blob(struct world_node *node, const struct hs_effect *effect);
void world_blobs_free(struct world_node *node);
void world_session_send(struct world_node *node, uint64_t session, struct hs_bytes frame);

/* Puts one piece, or asks (data empty); the error that came. */
enum hs_err world_put(struct world_room *room, struct hs_bytes hash, uint64_t size, uint64_t offset,
                      struct hs_bytes data, Hanse__BlobStatus **status);

/* All of it, as a blob for the room; its hash. */
struct hs_id world_put_all(struct world_room *room, struct hs_bytes bytes);

/* All of it; empty where an error came, which is then in *err. */
struct hs_bytes world_get_all(struct world_room *room, const struct hs_id *hash, enum hs_err *err);

/* A post that names blobs. */
enum hs_err world_post_blobs(struct world_room *room, const struct hs_id *hashes, size_t count);

/* One piece of a blob from d's home; the error that came. */
enum hs_err world_chunk(struct world_device *d, const struct hs_id *room, struct hs_bytes hash,
                        uint64_t offset, Hanse__Chunk **chunk);

/* The tree of a Welcome, fetched where it is a blob. */
struct hs_bytes world_tree(struct world_device *d, const Hanse__WelcomeItem *item);

#define HS_WORLD HS_AUTO(world_free_at)
void world_free_at(struct world **w);

#endif
