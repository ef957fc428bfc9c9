/* One turn of the core: everything a handler needs for one input. Handlers check first and write last, so
 * that a refusal changes nothing. */
#ifndef HS_CORE_TURN_H
#define HS_CORE_TURN_H

#include "core/core.h"
#include "core/session.h"
#include "object/hdr.h"
#include "schema/link.pb-c.h"

struct hs_turn {
    struct hs_core *core;
    struct hs_kv *kv;
    struct hs_time now;
    bool full;                  /* the store takes deletions and acknowledgements only */
    struct hs_session *session; /* NULL on a tick */
    struct hs_arena *arena;     /* of this turn */
    struct hs_effects *effects;
};

/* This node's root. */
const struct hs_key *hs_turn_root(const struct hs_turn *turn);

/* The node that answers for the sender of the turn's request: this one for a device, else the session's. */
const struct hs_key *hs_turn_sender_node(const struct hs_turn *turn);

/* 32 bytes of a request as an id or key: MALFORMED where the length differs. */
#define HS_TAKE32(field, out) HS_REQUIRE(HS_FIXED(hs_pb_bytes(field), (out)), HS_ERR_MALFORMED)

/* A reply that lives until the turn ends: type *name = HS_NEW(turn, Hanse__X, hanse__x); NULL without memory.
 */
#define HS_NEW(turn, type, prefix) ((type *)hs_turn_message((turn), sizeof(type), &prefix##__descriptor))
void *hs_turn_message(struct hs_turn *turn, size_t size, const ProtobufCMessageDescriptor *type);

/* Packs a message into the turn's arena; empty on NOMEM. */
struct hs_bytes hs_turn_pack(struct hs_turn *turn, const ProtobufCMessage *message);

/* Queues frame to session: an effect that is carried out once this turn is durable. */
void hs_turn_send(struct hs_turn *turn, struct hs_session *session, const Hanse__Frame *frame);

/* The same for bytes that are packed already, and that live in the effects' arena. */
void hs_effect_send(struct hs_effects *effects, uint64_t session, struct hs_bytes frame);
struct hs_bytes hs_effects_pack(struct hs_effects *effects, const ProtobufCMessage *message);

/* Answers the request id of session with an error; err may be HS_OK for none. detail: see Error.detail. */
void hs_turn_send_error(struct hs_turn *turn, struct hs_session *session, uint64_t id, enum hs_err err,
                        uint64_t detail);

/* The turn's outcome: what couldn't be kept, or couldn't be said, makes all of it void. */
enum hs_err hs_turn_end(struct hs_turn *turn);

/* A subscriber has one attached session, the newest: another one than the turn's is closed. */
void hs_session_replace_older(struct hs_turn *turn, const struct hs_key *subscriber);

/* Closes session once what was sent is out. */
void hs_turn_close(struct hs_turn *turn, struct hs_session *session, enum hs_err err);

void hs_turn_log(struct hs_turn *turn, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
