/* The core's tables: key layouts in one place, views as protobuf messages. */
#ifndef HS_CORE_TABLE_H
#define HS_CORE_TABLE_H

#include "core/state.pb-c.h"
#include "core/turn.h"

/* Numbers are the store's; a number is never used for something else. u64 are big-endian. */
enum hs_table {
    HS_T_STREAM = 0,       /* kind u8 | id 32 | seq u64        -> StreamRecord */
    HS_T_STREAM_NEXT = 1,  /* kind u8 | id 32                  -> u64; of an outbox journal's n u64 | u64 */
    HS_T_ROOM_LOG = 2,     /* room 32 | seq u64                -> RoomEntry */
    HS_T_ROOM = 3,         /* room 32                          -> RoomView */
    HS_T_GROUP = 4,        /* room 32 | record (mls/store.h)   -> public MLS group, at the hub */
    HS_T_ACCOUNT = 5,      /* persona 32                       -> AccountView */
    HS_T_PERSONA = 6,      /* persona 32                       -> PersonaView */
    HS_T_MEMBER = 7,       /* room 32 | persona 32             -> MemberView */
    HS_T_SUBSCRIPTION = 8, /* subscriber 32 | room 32          -> SubscriptionView */
    HS_T_BODY = 9,         /* room 32 | body hash 32           -> seq u64 */
    HS_T_INVITE = 10,      /* room 32 | invite key 32          -> InviteView */
    HS_T_JOIN = 11,        /* room 32 | persona 32             -> JoinView */
    HS_T_INBOX = 12,       /* subscriber 32 | seq u64          -> InboxItem */
    HS_T_LEDGER = 13,      /* kind u8 | id 32 ...              -> DefView, UnitView, ClaimView, reply */
    HS_T_PEER = 14,        /* root 32                          -> PeerView */
    HS_T_MISC = 15,    /* kind u8 | id 32 ...              -> TicketView, CounterView, tills, inbox numbers */
    HS_T_JOURNAL = 16, /* n u64                            -> kind u8 | id 32 | seq u64: a record */
    HS_T_REGISTER = 17, /* kind u8 | id 32 ...              -> the last record of its stream (register.h) */
    HS_T_EVIDENCE = 22, /* room 32 | signing key 32         -> EvidenceView */
    HS_T_GUEST = 24,    /* kind u8 | root 32 ...            -> GuestView, counts (guest.c) */
    HS_T_BLOB = 18, /* kind u8 | hash 32 ...            -> BlobView, BlobRoomView, ...: core/blobs/blob.c */
    HS_T_BLOB_BYTES = 19, /* kind u8 | hash 32 ...          -> what blobs are made of: no view */
    HS_T_UNSETTLED = 20,  /* room 32                          -> UnsettledView, at the hub */
    HS_T_BARS = 21,       /* room 32                          -> BarsView, at the hub */
    HS_T_DESCRIPTOR = 25, /* root 32 | sequence u64 [| key 32] -> DescriptorView: node_key.h */
    HS_T_OFFICE = 23,     /* room 32 | seq u64                -> nothing: that record is a HUB_MOVE */
};

/* The first byte of a key in HS_T_LEDGER and HS_T_MISC. */
enum hs_sub_table {
    HS_LEDGER_DEF = 1,      /* def 32                */
    HS_LEDGER_UNIT = 2,     /* coupon 32             */
    HS_LEDGER_CLAIM = 3,    /* def 32 | holder 32    */
    HS_LEDGER_REPLY = 4,    /* request id 32         */
    HS_LEDGER_RID = 5,      /* rid 32 -> coupon 32   */
    HS_MISC_TICKET = 1,     /* ticket key 32         */
    HS_MISC_COUNTER = 2,    /* persona 32            */
    HS_MISC_TILL = 3,       /* rank u8 | account 32 -> device: tills first, then owners */
    HS_MISC_INBOX_NEXT = 4, /* subscriber 32 -> u64 */
    HS_MISC_HANDED = 5,     /* peer 32 -> u64: inbox items taken from that hub */
    HS_MISC_ABSENT = 14,    /* persona 32 | room 32 -> u64: from where a member without account reads */
    HS_MISC_READS = 18,     /* room 32 | persona 32 -> u64: from where a user reads a followed room */
    HS_MISC_WAKE = 16,      /* device 32 -> WakeView */
    HS_MISC_DOMAIN = 15,    /* domain hash 32 -> root: as its own page has shown */
    HS_MISC_SOURCE = 29, /* subscriber 32 | number u64 -> the record of that inbox item, about 32; that one's
                            place -> u64: how many such wait; subscriber | about 32 -> u64: the newest;
                            subscriber 32 -> u64: MemberItems that wait (inbox.h); subscriber | room 32 |
                            about 32 -> u64: the newest of them */
    HS_MISC_QUEUED = 6,  /* room 32 | body hash 32 -> u64 | u64: its numbers in journal and outbox */
    HS_MISC_ROOT = 30,   /* domain hash 32 -> RootView: another root than the pinned one was seen there */
    HS_MISC_GROUPINFO = 13, /* room 32 -> the newest GroupInfo, at the hub */
    HS_MISC_RESUMED = 21,   /* -> u64: the incarnation since which the ledger goes on */
    HS_MISC_SHARED = 20,    /* node 32 | room 32: a followed room in which that node has users too */
    HS_MISC_INVITED = 24,   /* invite key 32 -> room: the first one here that has it (room.h) */
    HS_MISC_OFFICE = 22,    /* room 32 -> nothing: this node becomes its hub (office.h) */
    HS_MISC_WAY = 25,       /* room 32 -> Moved: who is in office behind the hub that is known (way.h) */
    HS_MISC_TOLD = 31,     /* room 32 | hub 32 | persona 32 -> its home, or nothing; hub 32 -> u64 (told.h) */
    HS_MISC_TAKEOVER = 26, /* room 32 -> TakeoverView: it is to become it (takeover.h) */
    HS_MISC_LAYOUT = 11,   /* -> u64: by which layout the store was made (layout.h) */
    HS_MISC_RESTORED = 12, /* -> u64: the incarnation since the last restoring; root 32 -> u64 (node_key.h) */
    HS_MISC_RESTORINGS = 33, /* incarnation u64 -> u64: the same of a restoring before that */
    HS_MISC_JOURNAL = 10,    /* -> u64: the next number of the journal */
};

/* Key parts: a borrowed view of 32 bytes each. */
struct hs_kv_key hs_key1(struct hs_bytes a);
struct hs_kv_key hs_key2(struct hs_bytes a, struct hs_bytes b);
struct hs_kv_key hs_key_sub(enum hs_sub_table sub, struct hs_bytes a, struct hs_bytes b);
struct hs_kv_key hs_key_seq(struct hs_bytes a, uint64_t seq);

/* The view under key in the turn's arena; NULL where there is none (or the store failed, which sticks). */
ProtobufCMessage *hs_view_get(struct hs_turn *turn, enum hs_table table, const struct hs_kv_key *key,
                              const ProtobufCMessageDescriptor *type);
#define HS_VIEW_GET(turn, table, key, prefix) hs_view_get((turn), (table), (key), &prefix##__descriptor)

void hs_view_put(struct hs_turn *turn, enum hs_table table, const struct hs_kv_key *key,
                 const ProtobufCMessage *view);

/* Numbers as values. */
uint64_t hs_number_get(struct hs_turn *turn, enum hs_table table, const struct hs_kv_key *key, bool *found);
void hs_number_put(struct hs_turn *turn, enum hs_table table, const struct hs_kv_key *key, uint64_t number);

/* The common ones. */
Hanse__State__RoomView *hs_room_view(struct hs_turn *turn, const struct hs_id *room);
Hanse__State__MemberView *hs_member_view(struct hs_turn *turn, const struct hs_id *room,
                                         const struct hs_key *persona);
Hanse__State__AccountView *hs_account_view(struct hs_turn *turn, const struct hs_key *account);
Hanse__State__PersonaView *hs_persona_view(struct hs_turn *turn, const struct hs_key *persona);
Hanse__State__SubscriptionView *hs_subscription_view(struct hs_turn *turn, const struct hs_key *subscriber,
                                                     const struct hs_id *room);

#endif
