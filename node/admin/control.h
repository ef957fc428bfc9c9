/* The operator's door: a socket in the data directory (control.sock, mode 0600) on which a program of the
 * same user asks the running node. One line of JSON, an object with "command", one line of JSON back; then
 * the connection ends. It runs on the node's loop. */
#ifndef HS_ADMIN_CONTROL_H
#define HS_ADMIN_CONTROL_H

#include "admin/config.h"
#include "core/admin.pb-c.h"
#include "net/net.h"

#include <jansson.h>
#include <sys/un.h>

enum {
    HS_CONTROL_CALLERS = 8,              /* at once; more wait for a place */
    HS_CONTROL_REQUEST_MAX = 16 * 1024,  /* a command and its arguments */
    HS_CONTROL_REQUEST_MS = 5 * 1000,    /* until the request is there */
    HS_CONTROL_ANSWER_MS = 30 * 1000,    /* until the answer is; one that comes later says so itself */
    HS_CONTROL_WRITE_MS = 10 * 1000,     /* until it is taken */
    HS_CONTROL_ANSWER_MAX = 4096 * 1024, /* that a caller reads */
};

struct hs_control;

/* What commands work with. */
struct hs_control_node {
    struct hs_net *net;
    struct hs_finding *finding;
    struct hs_site *site;    /* as it was at the start */
    const char *config_path; /* the file */
    struct hs_time started;
    struct hs_commit_stats asked; /* as of the last status, for its rates */
    struct hs_time asked_at;
};

/* One question under way. */
struct hs_control_call {
    struct hs_control *control;
    struct hs_control_node *node;
    uint64_t asker;
    json_t *request; /* an object */
    json_t *answer;  /* an object: what answer() adds to it is said */
    bool later;      /* set by answer(): hs_control_finish() will be called */
};

struct hs_control_command {
    const char *name;
    /* What the core is asked; NULL where it isn't. */
    enum hs_err (*ask)(const struct hs_control_call *call, struct hs_arena *arena,
                       Hanse__State__AdminRequest *out);
    /* Fills in the answer. facts: the core's, NULL where it wasn't asked. An error is told as such. */
    enum hs_err (*answer)(struct hs_control_call *call, const Hanse__State__AdminAnswer *facts);
};

/* Ends a call that was to be answered later. answer: what is said, taken over; NULL for an error. why: a
 * sentence, or NULL for the error's own. Nothing happens where the caller is gone. On the loop's thread. */
void hs_control_finish(struct hs_control *control, uint64_t asker, enum hs_err err, json_t *answer,
                       const char *why);

/* A sentence for an error that answer() gives back, instead of the error's own. */
void hs_control_say(struct hs_control_call *call, const char *why);

/* dir: the data directory. The node's net comes with hs_control_attach(), since it is made later. NOMEM. */
enum hs_err hs_control_new(const char *dir, const struct hs_control_command *commands, size_t count,
                           struct hs_control_node *node, struct hs_control **out);

/* Binds the socket on the net's loop. A socket that a killed node has left is replaced: the store's lock says
 * that nobody uses it. INVALID_ARG where the directory's name is too long for a socket, IO. */
enum hs_err hs_control_listen(struct hs_control *control);

/* For hs_net_config: arg is the control. */
void hs_control_answered(void *arg, uint64_t asker, enum hs_err err, struct hs_bytes answer);

/* After hs_net_free(). NULL is fine. */
void hs_control_free(struct hs_control *control);

/* DATA/control.sock. INVALID_ARG where it doesn't fit. */
enum hs_err hs_control_address(const char *dir, struct sockaddr_un *out);

#endif
