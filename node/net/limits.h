/* What bounds the network side, each with its reason. Sizes of queues are the protocol's (wire/limits.def).
 */
#ifndef HS_NET_LIMITS_H
#define HS_NET_LIMITS_H

enum {
    HS_NET_CONNECTIONS = 10000,       /* accepted at once; more are closed unheard */
    HS_NET_CONNECTIONS_MAX = 65536,   /* what the configuration may ask for */
    HS_NET_ADDRESS_RATE = 50,         /* new connections a second from one address: each may cost four DH */
    HS_NET_ADDRESS_BURST = 200,       /* at once: a shop's customers behind one router */
    HS_NET_ADDRESSES = 4096,          /* addresses remembered; the bucket of the one seen longest ago goes */
    HS_NET_FRAMES_QUEUED = 64,        /* frames of one connection at the commit thread: then it isn't read */
    HS_NET_BYTES_QUEUED = 128 * 1024, /* of these frames: their answers must fit the session's queue */
    HS_NET_STALL_MS = 30 * 1000,      /* nothing of a full queue was taken: the reader is gone */
    HS_NET_UNAUTHENTICATED_MS = 120 * 1000, /* a stranger may stay so long in all */
    HS_NET_LINGER_MS = 2000,                /* the other side's time to read the last words */
    HS_NET_STOP_MS = 400,  /* for flushing when the node stops: the whole stop stays below a second */
    HS_NET_SWEEP_MS = 500, /* how exactly deadlines are kept */
    HS_NET_STATS_MS = 10 * 60 * 1000, /* between two lines of statistics in the log */
    HS_NET_BACKLOG = 4096,            /* connections that the kernel holds until they are accepted */
    HS_NET_ACCEPTS = 64,              /* in a turn of the loop: some two milliseconds */
    HS_NET_OPENINGS = 16,             /* steps of handshakes in a turn: as much */
    HS_NET_STRANGERS = 64, /* frames of strangers at the commit thread: two signatures each, some 10 ms */
    HS_NET_STRANGER_SHARE = 16, /* of one stranger: the 16th part of it */
    HS_NET_FANOUT_MIN =
        64, /* sessions: half a millisecond of writing; waking who helps takes a tenth of it */
    HS_NET_AHEAD_BYTES = 1 << 20, /* sealed while a round syncs: as much as stays in a core's cache until it
                                     is written, and as long as a sync takes */
    HS_NET_HELPERS = 3,           /* threads that help to write, where there are as many cores */
    HS_NET_KEEPALIVE_S = 60,      /* TCP's own probe finds a host that vanished */
    HS_NET_OUTBOUND = 1024,       /* open outbound connections: nodes that this one talks to */
    HS_NET_DIALS = 64,            /* outbound connections being made */
    HS_NET_DIAL_MS = 5000,        /* for one address, connecting and handshake each */
    HS_NET_RESOLVES = 2,          /* names being looked up: libuv does it on the threads of its file work */
    HS_NET_TARGETS = 4,           /* addresses taken of one name */
    HS_NET_SPARE_PLACES = 256,    /* for connections that are being closed */
    HS_NET_SPARE_FILES = 64,      /* descriptors kept for the store, the log and dials */
};

/* Those that an operator or a test may choose. */
struct hs_net_limits {
    unsigned connections, address_rate, address_burst, frames_queued;
    unsigned stall_ms, unauthenticated_ms, linger_ms;
    unsigned openings, strangers, helpers;
};

static inline struct hs_net_limits hs_net_limits(void)
{
    return (struct hs_net_limits){.connections = HS_NET_CONNECTIONS,
                                  .address_rate = HS_NET_ADDRESS_RATE,
                                  .address_burst = HS_NET_ADDRESS_BURST,
                                  .frames_queued = HS_NET_FRAMES_QUEUED,
                                  .stall_ms = HS_NET_STALL_MS,
                                  .unauthenticated_ms = HS_NET_UNAUTHENTICATED_MS,
                                  .linger_ms = HS_NET_LINGER_MS,
                                  .openings = HS_NET_OPENINGS,
                                  .strangers = HS_NET_STRANGERS,
                                  .helpers = HS_NET_HELPERS};
}

#endif
