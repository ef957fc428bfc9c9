/* The room log: records numbered by the hub and chained by hashes, so that two copies that agree at one
 * record agree on everything before it. Chain hash = SHA-256("hanse-record-v1" || 0x00 || header bytes). */
#ifndef HS_ROOM_LOG_H
#define HS_ROOM_LOG_H

#include "base/arena.h"
#include "base/writer.h"

enum {
    HS_RECORD_HEADER_MAX = 512,  /* some 250 bytes are used; room for what later versions add */
    HS_RECORD_BODY_MAX = 1 << 20 /* what is longer travels as a blob */
};

/* Record kinds as on the wire. */
enum hs_record_kind {
    HS_RECORD_GENESIS = 1,    /* body: GenesisBody; seq 0 and nothing else */
    HS_RECORD_INVITE = 2,     /* InviteBody */
    HS_RECORD_JOIN = 3,       /* JoinBody */
    HS_RECORD_COMMIT = 4,     /* MLSMessage (PublicMessage, commit) */
    HS_RECORD_POST = 5,       /* MLSMessage (PrivateMessage, application) */
    HS_RECORD_PROPOSAL = 6,   /* MLSMessage (PublicMessage, proposal) */
    HS_RECORD_SETTLED = 7,    /* SettledBody */
    HS_RECORD_VOID = 8,       /* VoidBody */
    HS_RECORD_HUB_MOVE = 9,   /* HubMoveBody; the last record of a hub's term */
    HS_RECORD_HOME_MOVE = 10, /* SignedObject with a HomeMove */
};

/* Where a copy of a log ends. {0} is an empty log. To start in the middle: next_seq and hash of an anchor
 * (the Welcome's), hub_time 0. */
struct hs_log_tip {
    uint64_t next_seq;
    struct hs_id hash;       /* chain hash of next_seq - 1; zeros where next_seq is 0 */
    struct hs_time hub_time; /* of next_seq - 1 */
};

/* What a header says. */
struct hs_record_header {
    struct hs_id room;
    uint64_t seq;
    struct hs_id prev; /* zeros where seq is 0 */
    struct hs_time hub_time;
    enum hs_record_kind kind;
    uint64_t epoch;
    struct hs_key sender_node, sender_persona;
    struct hs_id body_hash;
    struct hs_id hash; /* the chain hash of this header */
    bool erased;       /* the body isn't there any more */
};

/* What a new record shall be. */
struct hs_record_spec {
    enum hs_record_kind kind;
    uint64_t epoch;
    struct hs_key sender_node, sender_persona;
    struct hs_bytes body;    /* 1 to HS_RECORD_BODY_MAX bytes */
    struct hs_time hub_time; /* raised to the tip's where it is lower: hub time never decreases */
};

/* Appends the next record's header bytes and moves the tip behind it. INVALID_ARG for an empty body, a kind
 * that doesn't fit the place (GENESIS is seq 0 and seq 0 is GENESIS) or a negative time; TOO_LARGE, NOMEM.
 * header may be NULL. */
enum hs_err hs_log_build_next(struct hs_log_tip *tip, const struct hs_id *room,
                              const struct hs_record_spec *spec, struct hs_writer *out,
                              struct hs_record_header *header);

/* Does this record continue the log? Moves the tip behind it where it does. An empty body is one that was
 * erased. MALFORMED for a header that isn't one, of another room, with a body of another hash, or a hub time
 * before that of the tip; LOG_GAP where records are missing before it; REPLAY where the tip is past it
 * already; LOG_FORK where it stands at the tip but continues another log; TOO_LARGE; UNSUPPORTED for an
 * unknown kind or field; NOMEM. */
enum hs_err hs_log_check_next(struct hs_log_tip *tip, const struct hs_id *room, struct hs_bytes header,
                              struct hs_bytes body, struct hs_record_header *out);

/* A header alone, without its place and body. MALFORMED, TOO_LARGE, UNSUPPORTED, NOMEM. */
enum hs_err hs_record_header_parse(struct hs_bytes header, struct hs_record_header *out);

/* SHA-256("hanse-body-v1" || 0x00 || body): what a header says of its body, and how a body is named. */
struct hs_id hs_record_body_hash(struct hs_bytes body);

/* Record = header and body as they are stored and sent. Views borrow from the arena. MALFORMED, TOO_LARGE,
 * NOMEM. */
enum hs_err hs_record_pack(struct hs_bytes header, struct hs_bytes body, struct hs_writer *out);
enum hs_err hs_record_unpack(struct hs_bytes record, struct hs_arena *arena, struct hs_bytes *header,
                             struct hs_bytes *body);

#endif
