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

#include <sys/types.h>
#include <uv.h>

#define LOAD_OK FUZZ_OK

struct load_device;
struct load_room;

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
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    uint8_t hash[HS_LINK_HASH_LEN];
    uint64_t asked, answered, refused;
    size_t untold; /* records since the last Cursors */
    struct load_answer answer;
    bool returning; /* goes on by itself from the handshake to being attached, again where the node closes it
                       before */
    bool ready, attached, again;
    bool welcomed; /* something came into its inbox */
    bool open, connected, writing, due;
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
uint64_t load_turn_ns(void); /* time, as of this turn of the loop */
void load_connect(struct load_device *device);
void load_close(struct load_device *device);
void load_send(struct load_device *device, const Hanse__Frame *frame);
/* The same with an id: an answer is expected. */
void load_ask(struct load_device *device, Hanse__Frame *frame);
/* Runs until everybody has been answered; an Error ends the program. */
void load_settle(void);
void load_run_once(void);
extern size_t load_waiting; /* answers that are still to come */
extern size_t load_opening; /* sessions that aren't open yet */
extern size_t load_again;   /* sessions that were begun anew */
void load_devices_close(struct load_device *devices, size_t count);

/* frames.c: what comes. */
void load_take(struct load_device *device, struct hs_bytes frame);

/* Told of requests that are refused; without it the first one ends the program. */
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
    struct load_times times; /* from the sending of a post to each delivery */
};
void load_drive(const struct load_plan *plan, struct load_result *out);
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
