/* Real daemons and real clients around one room: a hub, a follower, people at both. The clients are libhanse
 * in this process, on real sockets. Every post says who made it and the how-manieth it is, so that histories
 * show loss, doubles and disorder by themselves. */
#ifndef TESTS_FAULTS_FLEET_H
#define TESTS_FAULTS_FLEET_H

#include "acks.h"
#include "daemon.h"
#include "hanse/hanse.h"
#include "look.h"

enum { FLEET_NODES = 3, FLEET_MEMBERS = 24, FLEET_TEXT = 32 };

/* Some device. */
struct member {
    struct hanse *h; /* NULL: not running */
    struct acks_client acks;
    char dir[128], name[16];
    uint8_t key[HANSE_KEY_LEN];
    size_t index;
    struct hanse_id persona; /* as the room knows it, once it is in */
    bool in, out;            /* of the room: was let in; was removed */
    bool caught_up;          /* it is online, and has what waited for it */
    unsigned posts;          /* made; each is text "p INDEX NUMBER" */
    uint64_t checked;        /* its history was, up to here */
    uint64_t anchor;         /* its history begins there */
    unsigned
        heard[FLEET_MEMBERS]; /* the next number of each member's posts; 0: none came yet, else one more */
    uint64_t op;              /* of the last DONE */
    struct hanse_event done;
    char text[HANSE_LINK_SIZE];
    unsigned claims, units; /* coupons asked for, got */
};

struct fleet {
    char dir[64], host[32];
    struct daemon nodes[FLEET_NODES]; /* [0] is the hub */
    size_t node_count;
    struct hs_key hub_key, roots[FLEET_NODES];
    struct member members[FLEET_MEMBERS];
    size_t count;
    struct hanse_id room, campaign;
    char link[HANSE_LINK_SIZE];
    char (*texts)[FLEET_TEXT]; /* by seq: what everybody must see there */
    uint64_t text_count;
    unsigned limit;      /* of the campaign */
    uint64_t acks_freed; /* acknowledgements before this one were found in the hub's log, which only grows */
    uint64_t frames;     /* that came to any client */
    int also;            /* another descriptor that is waited for; 0: none */
    short also_for;      /* and what for: POLLIN, POLLOUT */
};

/* The nodes' folders, keys and configuration; nothing runs yet. links: through which they are reached; may be
 * NULL. */
struct weather_link;
void fleet_make(struct fleet *f, size_t nodes, const struct weather_link *links);

/* Starts them; an owner at the hub makes a room, and a campaign of limit units. */
void fleet_start(struct fleet *f, unsigned limit);

/* Stops everything well and removes its files. */
void fleet_free(struct fleet *f);

/* A person at that node, signed up and asking to be let into the room; goes on by itself. */
struct member *fleet_join(struct fleet *f, size_t node);

/* Somebody with an account there that options of a ticket are for, who is in no room. */
struct member *fleet_hire(struct fleet *f, size_t node, const char *const *options);

/* Turns until *op is done; its outcome, and err, must be good. */
void fleet_await(struct fleet *f, struct member *m, enum hanse_err err, const uint64_t *op, const char *what);

/* A client dies and is there again, with what it had stored. */
void fleet_reopen(struct member *m);

void fleet_post(struct fleet *f, struct member *m);
void fleet_claim(struct fleet *f, struct member *m);
void fleet_remove(struct fleet *f, struct member *whom);

/* All clients go on, for at most ms. */
void fleet_turn(struct fleet *f, int ms);

/* Everybody has everything and nobody waits for anything. */
bool fleet_is_quiet(struct fleet *f);

/* Turns until it is quiet; more than ms: found. */
void fleet_settle(struct fleet *f, int ms);

/* Histories of all members: every post that was made, once, in the order of its sender, the same everywhere;
 * units within the limit. Only in a quiet fleet. */
void fleet_check(struct fleet *f);

/* The stores of dead nodes (dead: a set of bits) hold all that these nodes have promised. */
void fleet_look(struct fleet *f, unsigned dead);

/* The store of a node that is dead is whole in every part. store: another one than the node's own, or NULL.
 */
void fleet_check_store(struct fleet *f, size_t node, const char *store);

#endif
