/* Load on real nodes: hansed runs in processes of its own, made with `hansed init`; this program is everybody
 * else. Its devices have accounts, sessions over Noise and places in rooms that were made through the node's
 * own protocol; each checks of every record that it is the next one of the hub's chain, byte for byte, but
 * only one member of a room, its owner, has an MLS group. What comes is compared with the first copy of it
 * that came, which was checked by its hashes: so the load costs little beside the node. */
#ifndef TESTS_BENCH_LOAD_H
#define TESTS_BENCH_LOAD_H

#include "admin/site.h"
#include "fuzz/fuzz.h"
#include "identity/derive.h"
#include "link/link.h"
#include "mls/group.h"
#include "room/log.h"
#include "room/policy.h"
#include "schema/link.pb-c.h"

#include <sys/queue.h>
#include <sys/types.h>
#include <uv.h>

#define LOAD_OK FUZZ_OK

struct load_device;
struct load_room;
struct load_request;

/* Says what went wrong, and ends. */
_Noreturn __attribute__((format(printf, 1, 2))) void load_fail(const char *format, ...);

/* What the command line says. */
struct load_options {
    const char *hansed;    /* the program */
    const char *dir;       /* where the nodes' folders are made: on a disk, for syncs count */
    bool quick;            /* a run to see whether everything works */
    unsigned seconds;      /* that a measurement takes */
    unsigned members;      /* 0: the part's own sizes */
    bool saturation_alone; /* for a profiler */
    bool calm_alone;       /* the same */
};
extern struct load_options load_options;

/* node.c: the daemon. */
struct load_node {
    char dir[256], config[300], address[32];
    int port;
    pid_t pid;
    struct hs_site site;
    struct hs_signer root;
};
void load_node_make(struct load_node *node, const char *name);
/* Starts it and waits until it takes connections; returns the milliseconds that it took. */
double load_node_start(struct load_node *node);
/* A running node's operator knows the other one: it may send as much as a brand does. */
void load_node_allow(struct load_node *node, const struct load_node *other);
void load_node_stop(struct load_node *node);
/* Stops it and deletes everything. */
void load_node_free(struct load_node *node);
double load_node_cpu_us(const struct load_node *node);
size_t load_node_memory(const struct load_node *node); /* resident bytes */
size_t load_node_stored(const struct load_node *node); /* bytes of its store on the disk */
double load_own_cpu_us(void);

/* Whom a device is to one brand. */
struct load_persona {
    struct hs_signer signer;
    struct hs_device_keys keys;
    Hanse__SignedObject *certificate;
    struct hs_bytes credential;
};

/* How far a device has come in a room. */
struct load_place {
    struct load_room *room;
    uint64_t next, told;
};

/* The last answer that a device got. */
struct load_answer {
    Hanse__Frame__BodyCase kind;
    struct hs_log_tip tip; /* ACCEPTED: behind the record */
};

/* One device and its session. */
struct load_device {
    struct load_node *node;
    struct load_persona home, guest; /* guest: at the hub, where that is another node */
    const struct load_node *hub;     /* of guest; NULL where there is none */
    bool staff;
    Hanse__SignedObject *grant;
    struct load_place *places;
    size_t place_count, place_size;
    struct hs_link *link;
    int fd;
    uv_poll_t poll;
    uint8_t hash[HS_LINK_HASH_LEN];
    uint64_t asked, answered;
    TAILQ_HEAD(, load_request) requests;
    size_t untold; /* records since the last Cursors */
    struct load_answer answer;
    bool returning; /* goes on by itself from the handshake to being attached, again where the node closes it
                       before */
    bool ready, attached, again;
    bool welcomed;                   /* something came into its inbox */
    bool open, connected, full, due; /* full: the socket takes no more for now */
    struct load_device *next_due;
};

/* device.c: who they are, and what they say until they are members. */
void load_devices_make(struct load_device *devices, size_t count, struct load_node *node);
void load_device_make_staff(struct load_device *device);
/* Connects, authenticates; a first time also signs up. In waves, so that no queue of the kernel overflows. */
void load_devices_connect(struct load_device *devices, size_t count);
void load_devices_sign_up(struct load_device *devices, size_t count);
/* Everybody of another node gets a persona at the hub, known to both nodes. */
void load_devices_bind(struct load_device *devices, size_t count, struct load_node *hub);
/* From where the device stands, in all of its rooms. */
void load_device_authenticate(struct load_device *device);
void load_device_attach(struct load_device *device);
void load_devices_attach(struct load_device *devices, size_t count);
/* Until everybody has a Welcome: where the hub is another node, the home learns of a member only then. */
void load_devices_await(struct load_device *devices, size_t count);
struct load_persona *load_persona_at(struct load_device *device, const struct load_node *hub);
struct hs_arena *load_arena(void); /* lives as long as the program */
struct hs_time load_now(void);
void load_cursors_tell(struct load_device *device);
void load_cursors_start(struct load_device *devices, size_t count);
void load_cursors_stop(void);

/* conn.c: sessions. */
uv_loop_t *load_loop(void);
/* When what is being taken was read, and when the kernel had it for this program. */
uint64_t load_read_ns(void);
uint64_t load_arrived_ns(void);
void load_connect(struct load_device *device);
void load_close(struct load_device *device);
void load_send(struct load_device *device, const Hanse__Frame *frame);
void load_send_bytes(struct load_device *device, struct hs_bytes frame);
/* The same with an id: an answer is expected, and what is refused for the moment asked again. */
void load_ask(struct load_device *device, Hanse__Frame *frame);
/* Runs until everybody has been answered; an Error that is for good ends the program. */
void load_settle(void);
void load_run_once(void);
extern size_t load_waiting; /* answers that are still to come */
extern size_t load_opening; /* sessions that aren't open yet */
extern size_t load_again;   /* sessions that were begun anew */
void load_devices_close(struct load_device *devices, size_t count);

/* Sends at once, and notes when its bytes came. */
void load_socket_set(int fd);
/* Reads once; when that was, and when the kernel had the last of these bytes. */
ssize_t load_socket_read(int fd, uint8_t *into, size_t size, uint64_t *read_ns, uint64_t *at_ns);

/* again.c: what was asked, until it is answered; what is refused for the moment is asked again. */
void load_requests_init(struct load_device *device);
void load_requests_drop(struct load_device *device);
void load_request_keep(struct load_device *device, uint64_t id, struct hs_bytes frame);
void load_request_done(struct load_device *device, uint64_t id);
void load_request_again(struct load_device *device, uint64_t id, uint32_t after_ms);
extern size_t load_asked_again;

/* frames.c: what comes. */
void load_take(struct load_device *device, struct hs_bytes frame);

/* Told of requests that are refused, instead of their being asked again or ending the program. */
extern void (*load_refused)(const struct load_device *device, uint64_t id, const Hanse__Error *error);

/* One record as the first who got it found it. */
struct load_entry {
    size_t at; /* in the room's bytes: the Record message */
    uint32_t len, seen;
    uint64_t sent_ns; /* 0: not a post of the present run */
    struct hs_id hash;
};

struct load_message {
    struct hs_bytes bytes;
};

/* room.c */
struct load_room {
    struct load_node *hub;
    struct hs_id id;
    struct load_device *owner;
    struct hs_mls_group *group;
    struct hs_log_tip joined; /* behind the record that admitted the last member: everybody reads from here */
    struct hs_log_tip tip;    /* of what was checked */
    struct load_entry *entries;
    size_t entry_count, entry_size;
    uint8_t *bytes;
    size_t len, size;
    struct hs_bytes head; /* the newest that came */
    size_t heads;
    struct load_device **members;
    size_t member_count, readers; /* readers: those who are attached and get each record */
    size_t post_size;             /* characters of a post */
    struct load_message *pool;    /* made before they are needed */
    size_t pool_len, pool_used;
    size_t poster;
};
/* The owner is members[0]; everybody else joins by an invite and is admitted in few commits. */
void load_room_make(struct load_room *room, struct load_device **members, size_t count);
/* The same for many, whose owners differ, at once; members and member_count are set, at most 20. */
void load_rooms_make(struct load_room *rooms, size_t count);
void load_room_free(struct load_room *room);
struct load_room *load_room_find(struct hs_bytes id);
/* Posts of 300 bytes, protected by the owner's group. */
void load_room_fill(struct load_room *room, size_t count);
/* Sends the next one by one of the first posters members in turn. */
void load_room_post(struct load_room *room, size_t posters);
/* A histogram of times, exact to 2 percent. */
enum { LOAD_BINS = 1600 };
struct load_times {
    uint64_t count, bins[LOAD_BINS];
};
void load_times_add(struct load_times *t, uint64_t ns, uint64_t count);
double load_times_at(const struct load_times *t, double part); /* nanoseconds */

/* floor.c: the same times where a bare program does what can't be avoided. */
/* drive.c: posts as fast as they are delivered, or at a rate. */
struct load_plan {
    struct load_room *rooms;
    size_t room_count, posters;
    size_t window;              /* messages that aren't with everybody yet */
    double messages_per_second; /* 0: as many as the window lets through */
    size_t messages;            /* 0: as long as seconds says; else so many, and nothing is measured */
    double warm_s, seconds;
    struct load_node *nodes; /* whose time is counted */
    size_t node_count;
    void (*measured)(void *arg); /* called when the measuring begins, or NULL */
    bool (*is_over)(void *arg);  /* ends it before its time, or NULL */
    void *arg;
};
struct load_result {
    double seconds, messages, deliveries; /* in the time measured */
    double node_us, own_us;
    struct load_times times;    /* from the sending of a post until a member has opened it */
    struct load_times arrivals; /* until it is in that member's socket */
    struct load_times firsts;   /* the same of the first member alone: nothing goes out before the sync */
};
void load_drive(const struct load_plan *plan, struct load_result *out);
/* floor.c: the same times where a bare program does what can't be avoided, with as many members and posts. */
struct load_floor {
    struct load_times times, arrivals;
};
void load_floor(size_t members, double posts_per_second, double seconds, struct load_floor *out);
/* cores.c: this program on the last core, the plan's nodes on the others, or everybody on all. */
void load_cores_divide(const struct load_plan *plan, bool divided);
/* This process where nodes are while cores are divided. */
void load_cores_like_node(void);
/* Drives at the plan's rate: with all cores for everybody, of which the arrivals count, and on divided cores,
 * of which all else does; then the floor on these, and reports. */
void load_calm(const char *name, size_t n, const struct load_plan *plan, struct load_result *r);
/* frames.c tells of each delivery. */
void load_delivered(struct load_room *room, struct load_entry *entry);
uint64_t load_sent_at(struct hs_bytes body);
void load_note_sent(struct hs_bytes body);

/* The parts. */
void load_room_fanout(void);
void load_idle_memory(void);
void load_catch_up(void);
void load_many_rooms(void);
void load_federated(void);
void load_reconnect(void);
void load_restart(void);
void load_overload(void);
void load_standstill(void);

/* One line of results: begin, values, end. */
void load_line(const char *name, size_t n);
void load_value(const char *key, double value);
void load_line_end(void);
void load_report_drive(const struct load_result *r);

#endif
