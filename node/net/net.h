/* The node on its network: listens, carries bytes between sockets and sessions and frames between sessions
 * and the commit thread, makes the connections that the core asks for. One thread, one loop. */
#ifndef HS_NET_NET_H
#define HS_NET_NET_H

#include "base/secret.h"
#include "net/limits.h"
#include "store/blob.h"
#include "store/commit.h"

struct hs_net;

enum hs_net_level { HS_NET_ERROR, HS_NET_WARN, HS_NET_INFO, HS_NET_DEBUG };

struct hs_net_config {
    const struct hs_secret32 *transport; /* the node's Noise static key; copied, wiped at the end */
    struct hs_key transport_pub;
    struct hs_bytes descriptor; /* what strangers get who ask; copied */
    const char *listen;         /* "address:port", numeric; port 0 = any free one */
    struct hs_net_limits limits;
    struct hs_core *core; /* both borrowed, and used by another thread until hs_net_free() */
    struct hs_lmdb *store;
    struct hs_blob_files *blobs; /* borrowed, used by other threads; NULL: there are none */
    bool signals;                /* SIGTERM and SIGINT stop the node */
    /* The core's answer to hs_net_ask(): err, or bytes that are gone when this returns. From the loop's
     * thread. May be NULL. */
    void (*admin)(void *arg, uint64_t asker, enum hs_err err, struct hs_bytes answer);
    void *admin_arg;
    /* key=value text without names, addresses or bodies. From the loop's thread only. */
    void (*log)(enum hs_net_level level, const char *text);
    bool public_only; /* addresses of this machine and of private networks aren't dialled */
    /* The core wants to know what is at that domain; the outcome goes to hs_net_tell_core(), or is forgotten.
     * From the loop's thread. May be NULL. */
    void (*discover)(void *arg, const struct hs_key *root, const char *domain);
    /* The core wants a device woken; as with discover. */
    void (*wake)(void *arg, const struct hs_key *device, const char *url);
    void *wake_arg;
    void *discover_arg;
    /* SIGHUP came, where signals are taken: the configuration is to be read again. From the loop's thread. */
    void (*reload)(void *arg);
    void *reload_arg;
    /* It begins to stop. From the loop's thread. May be NULL. */
    void (*stopping)(void *arg);
    /* As in hs_commit_config: from the commit thread, must not return. */
    void (*failed)(enum hs_err err, const char *doing);
};

/* Binds and listens. INVALID_ARG for an address that isn't numeric, IO where it can't be bound (in use, or
 * not this machine's), NOMEM, TOO_LARGE for a descriptor past HS_DESCRIPTOR_MAX. */
enum hs_err hs_net_new(const struct hs_net_config *config, struct hs_net **out);

/* Where it listens, with the real port: "127.0.0.1:7700". Valid as long as net. */
const char *hs_net_address(const struct hs_net *net);

struct hs_net_stats {
    uint64_t connections;         /* open just now, both ways */
    uint64_t turned_away;         /* that weren't taken, since the start */
    uint64_t turns;               /* of the loop in which somebody's handshake went on */
    uint64_t bytes_in, bytes_out; /* of all connections, as they are on the wire */
    uint64_t sealed_ahead;        /* for so many sessions, while a round was syncing */
    struct hs_commit_stats commit;
};
/* From any thread; at most half a second old. */
void hs_net_stats(struct hs_net *net, struct hs_net_stats *out);

/* For other things of this process to run on, from before hs_net_run() on: a uv_loop_t. Their handles are
 * closed with the net's own, without a callback; their memory must live until hs_net_free(). */
struct uv_loop_s *hs_net_loop(struct hs_net *net);

/* Asks the core: an AdminRequest. The answer comes to admin() unless the node stops before. asker: not 0.
 * From the loop's thread. */
void hs_net_ask(struct hs_net *net, uint64_t asker, struct hs_bytes request);

/* The limits of connections from now on. False where more connections are asked for than this process had
 * room for when it started: then they stay as they were, and the rates count all the same. From the loop's
 * thread. */
bool hs_net_set_limits(struct hs_net *net, const struct hs_net_limits *limits);

/* Serves until it is stopped; then stops accepting and reading, carries out what is queued, sends the answers
 * and closes, all in less than a second. */
void hs_net_run(struct hs_net *net);

/* This node's descriptor was renewed: strangers who ask get this one, and so does the core. TOO_LARGE. From
 * the loop's thread. */
enum hs_err hs_net_set_descriptor(struct hs_net *net, struct hs_bytes descriptor);

/* An input of a kind that consists of bytes: PEER_RULES, DISCOVERED, WOKEN. Where too many are under way it
 * is dropped, and the log says so. From the loop's thread. */
void hs_net_tell_core(struct hs_net *net, enum hs_core_input_kind kind, struct hs_bytes bytes);

/* Asks for the end, from any thread. */
void hs_net_stop(struct hs_net *net);

/* After hs_net_run(), or without it. NULL is fine. */
void hs_net_free(struct hs_net *net);

#endif
