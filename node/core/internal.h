/* The core's own state in memory, for its files only. */
#ifndef HS_CORE_INTERNAL_H
#define HS_CORE_INTERNAL_H

#include "core/delivery/wake.h"
#include "core/federation/discover.h"
#include "core/federation/peer.h"
#include "core/office/office.h"
#include "core/office/way.h"
#include "core/session.h"
#include "core/standing/meter.h"
#include "core/standing/rules.h"
#include "core/turn.h"
#include "identity/descriptor.h"

struct hs_settling;
struct hs_way;

struct hs_core {
    struct hs_key root;
    struct hs_signer signer;
    struct hs_descriptor descriptor;
    Hanse__SignedObject *descriptor_object; /* in the arena below */
    struct hs_arena arena;
    uint64_t incarnation;
    struct hs_sessions sessions;
    struct hs_peers peers;
    struct hs_rules rules;
    struct hs_page_asked pages[HS_DISCOVER_NOTED];
    struct hs_wakers wakers;
    bool wake_http; /* as configured */
    struct hs_meters meters;
    struct hs_settling *settlings; /* commits that aren't settled: settle.h */
    struct hs_core_stats stats;
    int64_t recover_ms;
    struct hs_time restored_at; /* 0: not looked up yet */
    int64_t inbox_ms;
    struct hs_recovery *recoveries;      /* of a hub that was restored, by room (recovery.h) */
    uint64_t recover_hashes;             /* that they hold */
    struct hs_office_walk office;        /* through the rooms that come here */
    struct hs_way *ways;                 /* to hubs in office, by room (way_take.c) */
    uint64_t way_hashes;                 /* that they hold */
    struct hs_kv_key way_from;           /* the room that the next tick looks at */
    struct hs_tell tell;                 /* who is told that rooms have come here */
    struct hs_time gauged_at;            /* sessions and peers were counted for it */
    uint64_t rounds;                     /* of hs_core_pump() */
    bool full;                           /* as the log was told last */
    bool described;                      /* this node's own descriptor is in its stream */
    bool started;                        /* the first tick has dialled the hubs that are followed */
    struct hs_time inbox_lap_at;         /* when the last lap ended */
    struct hs_kv_key inbox_from;         /* the inbox that it looks at, for what nobody fetches */
    uint64_t thin_at;                    /* of the journal: what it looks at, for what nobody needs */
    struct hs_time thin_lap_at;          /* when the last lap ended */
    struct hs_kv_key retention_from;     /* the room that the next tick looks at, for what is too old */
    struct hs_kv_key kept_from;          /* what it counts next, for what hubs make this node keep */
    size_t kept_of;                      /* and of what: rooms first */
    bool kept_twice;                     /* what came in the lap before may have been counted twice */
    struct hs_kv_key blob_walk;          /* where the next look for blobs that nobody needs begins */
    uint64_t walked_blobs, walked_bytes; /* of those that are whole, so far */
    struct hs_kv_key upload_walk;
    struct hs_time delete_at; /* files that should be gone are asked to go again */
    struct hs_move *moves;    /* blobs on their way to or from hubs */
    struct hs_want *wants;    /* blobs that this hub has lost (blob_want.c) */
    struct hs_wanted *wanted; /* commits that somebody has to make, by room (wanted.h) */
    size_t wanted_turn;       /* who is asked for one in another hub's name */
};

struct hs_effect *hs_effect_add(struct hs_effects *effects, enum hs_effect_kind kind, uint64_t session);
struct hs_bytes hs_arena_pack(struct hs_arena *arena, const ProtobufCMessage *message);

#endif
