/* What the user waits for, and what the home node is asked for it. Part of sync/state.h. */
#ifndef HS_SYNC_OP_H
#define HS_SYNC_OP_H

#include "schema/link.pb-c.h"
#include "sync/sync.h"

enum { HS_REQUESTS_MAX = 64 /* in flight, as the link allows */ };

/* A request in flight. answer gets the frame, or an error and NULL. */
struct hs_request {
    uint64_t id; /* 0 = free */
    enum hs_err (*answer)(struct hs_step *s, const struct hs_request *request, const Hanse__Frame *frame,
                          enum hs_err err);
    struct hs_time sent;
    bool forwarded;
    bool moves;      /* is about the move of the room id_a to a new home */
    uint64_t op;     /* 0 = none */
    uint64_t number; /* of an outbox row */
    bool first;      /* and no earlier sending of it is unanswered */
    uint64_t offset; /* of a piece; moves: the number that the hub was told */
    struct hs_id id_a;
    struct hs_key hub;   /* moves: of that room, as the device knows it */
    struct hs_key asked; /* moves: who was told: the hub in office, which may be another one */
};

/* ---- request.c ---- */

/* Sends frame (its id is set here) and remembers whom the answer is for. BUSY with too many in flight. */
enum hs_err hs_request_send(struct hs_step *s, Hanse__Frame *frame, const struct hs_request *request);

/* The same from packed bytes without an id. */
enum hs_err hs_request_send_packed(struct hs_step *s, struct hs_bytes frame,
                                   const struct hs_request *request);

/* To the node of that root: through Forward where it isn't the home node. descriptor: says where it is; may
 * be empty. */
enum hs_err hs_request_send_to(struct hs_step *s, const struct hs_key *root, struct hs_bytes descriptor,
                               Hanse__Frame *frame, const struct hs_request *request);

enum hs_err hs_request_forward(struct hs_step *s, const struct hs_key *root, Hanse__Forward *forward,
                               Hanse__Frame *frame, const struct hs_request *request);

enum hs_err hs_request_answered(struct hs_step *s, const Hanse__Frame *frame);

/* What an Error says of the other side; never OK, and never a trouble of this machine. */
enum hs_err hs_err_of_answer(const Hanse__Error *error);

/* How many requests that are under way are of the outbox. */
size_t hs_requests_numbered(const struct hs_sync *sync);
bool hs_request_has_number(const struct hs_sync *sync, uint64_t number);
/* True where one is under way whose id_a is that. */
bool hs_request_is_about(const struct hs_sync *sync, const struct hs_id *id);
/* True where requests that can wait should: the last places are for answers that others wait for. */
bool hs_requests_are_scarce(const struct hs_sync *sync);
void hs_requests_drop(struct hs_sync *sync);

/* Those of the present step, which never was. */
void hs_requests_drop_fresh(struct hs_sync *sync);
struct hs_time hs_requests_deadline(const struct hs_sync *sync);

/* A notification. */
enum hs_err hs_notify(struct hs_step *s, Hanse__Frame *frame);

/* A Frame without id as bytes in the arena, for the outbox. */
enum hs_err hs_frame_pack(struct hs_step *s, const Hanse__Frame *frame, struct hs_bytes *out);

/* What the user waits for. resume starts or goes on with it whenever the session is up and it isn't busy. */
struct hs_op {
    struct hs_op *next;
    uint64_t number;
    enum hs_err (*resume)(struct hs_step *s, struct hs_op *op);
    bool busy;     /* a request is in flight, or something in the log is waited for */
    bool stranger; /* can go on without an account */
    bool fresh;    /* made in the present step */
    bool again;    /* begun anew already, which is done once */
    enum hs_op_kind {
        HS_OP_OTHER,
        HS_OP_SIGN_UP,
        HS_OP_JOIN,
        HS_OP_REMOVE,
        HS_OP_ORDER,
        HS_OP_MOVE,
        HS_OP_HUB_MOVE,
        HS_OP_REJOIN,
        HS_OP_POLICY,
        HS_OP_GRANT
    } kind;
    uint64_t outbox; /* ends when this row's effect is there; 0 = none */
    struct hs_id room, object, object2;
    struct hs_key key;
    uint64_t amount;
    struct hs_time started;
    char *text;                   /* link, free()d and wiped */
    struct hs_transfer *transfer; /* of a file, free()d and wiped: file.h */
    uint8_t *bytes;               /* a body to send, free()d and wiped */
    size_t bytes_len;
    struct hs_op_kept { /* what the steps before left: where the present one fails, it is so again */
        enum hs_err (*resume)(struct hs_step *s, struct hs_op *op);
        bool busy, again;
        uint64_t outbox;
        struct hs_id room, object, object2;
    } kept;
};

/* ---- op.c ---- */

enum hs_err hs_op_new(struct hs_step *s, struct hs_op **out, uint64_t *number);
struct hs_op *hs_op_find(struct hs_sync *sync, uint64_t number);
struct hs_op *hs_op_of_outbox(struct hs_sync *sync, uint64_t row);

/* DONE, and the end of it. id, seq, text as the operation says (0, NULL: none). op may be NULL. */
enum hs_err hs_op_done(struct hs_step *s, struct hs_op *op, enum hs_err err, const struct hs_id *id,
                       uint64_t seq, const char *text);

/* Starts it now where the session serves it; else it is started once one does. */
enum hs_err hs_op_begin(struct hs_step *s, struct hs_op *op);

/* Goes on with what isn't busy; only_stranger: with what needs no account. */
enum hs_err hs_ops_resume(struct hs_step *s, bool only_stranger);
void hs_ops_free(struct hs_sync *sync);

/* The present step ended: what it made of operations stays, or they are as they were. */
void hs_ops_settle(struct hs_sync *sync, bool keep);

/* The session is gone: requests in flight are to be made again; what waits for the log goes on waiting. */
void hs_ops_idle(struct hs_sync *sync);
enum hs_err hs_op_take_text(struct hs_op *op, const char *text);
enum hs_err hs_op_take_bytes(struct hs_op *op, struct hs_bytes bytes);

#endif
