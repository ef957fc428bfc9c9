/* The inside of the network side, shared by its parts. */
#ifndef HS_NET_STATE_H
#define HS_NET_STATE_H

#include "link/link.h"
#include "net/bucket.h"
#include "net/net.h"

#include <sys/queue.h>
#include <uv.h>

enum conn_state {
    CONN_NEW,       /* connecting, or just accepted */
    CONN_OPENING,   /* handshake */
    CONN_OPEN,      /* the core knows the session */
    CONN_LINGERING, /* sends its last bytes, hears nothing */
    CONN_CLOSING,   /* until libuv lets go of it */
};

struct hs_dial;
struct hs_blob_work;
struct hs_fanout;
struct hs_conn;
TAILQ_HEAD(hs_conns, hs_conn);

struct hs_conn {
    uv_tcp_t tcp;
    union {
        uv_connect_t connect;   /* CONN_NEW */
        uv_write_t write;       /* while writing */
        uv_shutdown_t shutdown; /* after the last write */
    } request;
    struct hs_net *net;
    struct hs_link *link;
    struct hs_dial *dial; /* an outbound connection until its handshake is done */
    uint64_t session;     /* its number; modulo the table's size its place */
    enum conn_state state;
    bool outbound, authenticated, writing, shut, due;
    bool waiting;                       /* in openings */
    bool lent, answered;                /* in the fan-out that is gathered; the round has an answer, too */
    bool held;                          /* what its link has sealed may not leave yet */
    struct hs_conns *stalled;           /* the list of those that it is in, or NULL */
    size_t frames_queued, bytes_queued; /* at the commit thread */
    size_t strange_queued;              /* of these frames, while nobody knew who sent them */
    size_t sent;                        /* bytes since the core was last told of room */
    size_t left;                        /* of a write under way, at the last sweep */
    uint64_t since, progress;           /* loop time: of this state, of the last byte written */
    uint64_t waits_since;
    TAILQ_ENTRY(hs_conn) due_entry, stalled_entry, openings_entry;
};

TAILQ_HEAD(hs_dials, hs_dial);
TAILQ_HEAD(hs_blob_works, hs_blob_work);

struct hs_net {
    struct hs_net_config config;
    struct hs_secret32 transport;
    uint8_t descriptor[HS_DESCRIPTOR_MAX];
    size_t descriptor_len;
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_async_t wake, stop;
    uv_prepare_t before_wait;
    uv_timer_t sweep, stop_timer;
    uv_signal_t signals[3];
    bool listening, listener_open, stopping, drained, ended;
    bool deaf; /* the system gives no descriptors: the listener is made anew with the next sweep */
    struct sockaddr_storage bound;
    char address[64];
    struct hs_buckets *buckets;
    struct hs_commit *commit;
    struct hs_fanout *fanout;
    struct hs_conn **conns;    /* by place */
    unsigned most_connections; /* that there are places and files for */
    size_t places, open, accepted;
    size_t free_place; /* where to look for a free one */
    uint64_t next_number;
    struct hs_conns due;       /* to be written at the end of this turn */
    struct hs_conns stalled;   /* not read, for lack of room at the commit thread */
    struct hs_conns strangers; /* the same, for those whom nobody knows yet */
    struct hs_conns openings;  /* with a step of a handshake to make, first come first served */
    uv_idle_t busy;            /* while they wait */
    size_t strange_queued;     /* frames of strangers at the commit thread */
    unsigned accepts_left;     /* in this turn */
    bool knocking;             /* the next connection waits to be accepted */
    uint64_t turns;            /* in which somebody's handshake went on */
    struct hs_dials dials;
    struct hs_blob_works blob_works;
    size_t blob_work_count;
    size_t dial_count, resolving;
    uint64_t refused, dropped, last_stats, bytes_in, bytes_out, sealed_ahead;
    uv_mutex_t shared_lock; /* guards what other threads may see */
    struct hs_net_stats shared;
    uint8_t read_buffer[HS_LINK_INPUT_MAX];
};

/* conn.c. A new connection has a number and a place, no link yet; NULL without memory or place. */
struct hs_conn *hs_conn_new(struct hs_net *net, bool outbound);
struct hs_conn *hs_conn_find(struct hs_net *net, uint64_t session);
/* Takes the link over and reads from now on. */
void hs_conn_begin(struct hs_conn *conn, struct hs_link *link);
void hs_conn_send(struct hs_conn *conn, struct hs_bytes frame);
/* So many bytes of frames were given to its link, or that failed: false where it is closed by that. */
bool hs_conn_sent(struct hs_conn *conn, size_t len, enum hs_err err);
/* Closes when what was sent before is written. */
void hs_conn_linger(struct hs_conn *conn);
/* At once. May be called at any time and more than once. */
void hs_conn_close(struct hs_conn *conn, enum hs_err why);
/* Has it written at the end of this turn of the loop. */
void hs_conn_due(struct hs_conn *conn);
void hs_conn_flush(struct hs_conn *conn);
void hs_conn_resume(struct hs_conn *conn);
/* Looks at what came for its handshake, and reads on. */
void hs_conn_take_turn(struct hs_conn *conn);
void hs_conn_stop_reading(struct hs_conn *conn);
/* Deadlines. */
void hs_conn_sweep(struct hs_conn *conn, uint64_t now);

/* listen.c */
enum hs_err hs_listen_start(struct hs_net *net);
void hs_listen_stop(struct hs_net *net);

/* What couldn't be accepted for lack of descriptors may be now. */
void hs_listen_sweep(struct hs_net *net);
/* Accepts what the last turn left. */
void hs_listen_go_on(struct hs_net *net);

/* turns.c. Something came for a handshake: it is looked at in its turn. */
enum hs_err hs_turns_init(struct hs_net *net);
void hs_turns_wait(struct hs_conn *conn);
void hs_turns_leave(struct hs_conn *conn);
/* Once a turn of the loop. */
void hs_turns_take(struct hs_net *net);
bool hs_turns_is_known(const struct hs_conn *conn);
/* Whether a frame of this one may go to the commit thread now, as far as strangers are concerned; it goes; it
 * is through. */
bool hs_turns_may_ask(const struct hs_conn *conn);
void hs_turns_asks(struct hs_conn *conn);
void hs_turns_asked(struct hs_conn *conn);

/* dial.c */
void hs_dial_start(struct hs_net *net, const struct hs_effect *effect);
void hs_dial_descriptor(struct hs_conn *conn, struct hs_bytes object);
/* The handshake is done: what the core is to be told goes into input; ends the dial. */
void hs_dial_done(struct hs_conn *conn, struct hs_core_input *input);
/* The attempt that this connection was has failed: the next address, or the end. */
void hs_dial_attempt_failed(struct hs_dial *dial);
void hs_dial_stop_all(struct hs_net *net);

/* blobs.c */
void hs_blobs_carry_out(struct hs_net *net, const struct hs_effect *effect);

/* fanout.c. With at most so many threads to help. NOMEM. */
enum hs_err hs_fanout_new(unsigned helpers, struct hs_fanout **out);
void hs_fanout_free(struct hs_fanout *fanout);
/* Carries out what is due from there on by several threads, as far as they are frames for sessions of which
 * none comes twice; returns where it ended: at from, where they are for too few. */
size_t hs_fanout_carry_out(struct hs_net *net, const struct hs_effects *due, size_t from);
/* Seals what a round will have, until the round is through; nothing where it has done so already. */
void hs_fanout_prepare(struct hs_net *net, const struct hs_syncing *syncing);
/* It came to nothing. The core believes that these sessions have got it: they are closed, come again, and say
 * where they are. */
void hs_fanout_withdraw(struct hs_net *net, const struct hs_effects *due, enum hs_err why);

/* rounds.c: what the commit thread has finished. */
void hs_rounds_take(struct hs_net *net);

/* Tells the core; other inputs than frames always arrive, or the process ends for lack of memory. */
void hs_net_tell(struct hs_net *net, const struct hs_core_input *input);
/* loop.c: goes on with stopping when the last connection and dial are gone. */
void hs_net_check_stopped(struct hs_net *net);

__attribute__((format(printf, 3, 4))) void hs_net_log(struct hs_net *net, enum hs_net_level level,
                                                      const char *format, ...);

#endif
