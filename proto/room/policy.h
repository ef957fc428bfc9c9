/* The policy of a room: who may do what. It is an extension of the MLS GroupContext, so that all members
 * agree on its very bytes; there is one encoding of each policy.
 *
 * Whoever isn't listed is a plain member. A listed role counts until its end, by hub time. */
#ifndef HS_ROOM_POLICY_H
#define HS_ROOM_POLICY_H

#include "base/arena.h"
#include "base/writer.h"

enum {
    HS_POLICY_EXTENSION = 0xF4A1, /* its type in the GroupContext, from the range for private use */
    HS_POLICY_NAME_MAX = 128,     /* bytes: a room's name is a line on a phone */
    HS_POLICY_ROLES_MAX = 256,    /* people with a role: more is a staff list, kept elsewhere */
    HS_POLICY_BANNED_MAX = 1024,  /* each costs 32 bytes in every policy change */
    HS_POLICY_REVOKED_MAX =
        256, /* devices lost while their persona stays; they go when its certificate ends */
    HS_POLICY_MEMBERS_MIN = 2,
    HS_POLICY_MEMBERS_MAX = 10000, /* a commit stays O(log n) with a depth of 14 */
    HS_POLICY_HUB_TERM_FIRST = 1,  /* of the genesis */
    HS_HUB_TERM_MAX = 12, /* each move adds some 3 KiB to what is shown to newcomers: all fits into a frame */
    HS_POLICY_MAX = 49152 /* the largest policy, and a frame still holds its commit */
};

enum hs_room_kind {
    HS_ROOM_GROUP = 1,   /* all members talk */
    HS_ROOM_COUNTER = 2, /* one customer and a brand's agents */
    HS_ROOM_CHANNEL = 3, /* few talk */
};

/* Role numbers as on the wire. */
enum hs_room_role {
    HS_ROOM_MEMBER = 0,
    HS_ROOM_OWNER = 1,
    HS_ROOM_MODERATOR = 2,
    HS_ROOM_HOST = 3,
    HS_ROOM_AGENT = 4,
    HS_ROOM_LISTENER = 5,
};

/* What a role allows in a kind of room (spec/rooms.md has the table). */
enum hs_right {
    HS_RIGHT_POST = 1 << 0,
    HS_RIGHT_CREATE_OFFER = 1 << 1,
    HS_RIGHT_INVITE = 1 << 2,
    HS_RIGHT_ADD = 1 << 3, /* admit joiners */
    HS_RIGHT_REMOVE = 1 << 4,
    HS_RIGHT_CHANGE_POLICY = 1 << 5, /* name, bans, revoked devices, and roles below moderator */
    HS_RIGHT_GOVERN = 1 << 6,        /* everything that a policy change may change at all */
};

struct hs_policy_role {
    struct hs_key key; /* persona or public identity */
    enum hs_room_role role;
    struct hs_time until; /* 0 = no end */
};

/* Which node orders the room: as the log's newest HUB_MOVE says, or the genesis. */
struct hs_hub_office {
    struct hs_key root;
    uint32_t term;
};

/* A valid policy; pointers borrow from the arena that it was parsed into, or from the caller. */
struct hs_policy {
    struct hs_bytes name; /* clean text, 1 to HS_POLICY_NAME_MAX bytes */
    enum hs_room_kind kind;
    const struct hs_policy_role *roles; /* ascending by key, each key once */
    size_t role_count;
    uint32_t max_members;        /* leaves: devices counted */
    int64_t retention_ms;        /* 0 = for good */
    struct hs_key hub_root;      /* the brand's: its grants count, and its node is the first hub */
    struct hs_key hub_office;    /* of the hub in office; zeros: hub_root */
    uint32_t hub_term;           /* of the hub in office */
    const struct hs_key *banned; /* personas; ascending, each once */
    size_t banned_count;
    const struct hs_key *revoked; /* devices' signature keys; ascending, each once */
    size_t revoked_count;
};

/* From the extension's bytes, into the arena. MALFORMED for what isn't the one encoding of a valid policy
 * (name empty or not clean, no kind, roles, bans or revoked devices out of order, an owner with an end or
 * banned, no owner, fewer than HS_POLICY_MEMBERS_MIN members, a negative time, hub root not 32 bytes, term 0,
 * another hub in office than hub_root in the first term, or one that is named though it is hub_root);
 * TOO_LARGE past a limit; UNSUPPORTED for a kind, role or field that this version doesn't know; NOMEM. *out
 * is zeros after an error. */
enum hs_err hs_policy_parse(struct hs_bytes bytes, struct hs_arena *arena, struct hs_policy *out);

/* Appends the bytes of a policy, which must be valid as above (INVALID_ARG for what would be MALFORMED or
 * UNSUPPORTED; TOO_LARGE); NOMEM. */
enum hs_err hs_policy_pack(const struct hs_policy *policy, struct hs_writer *out);

/* The role of key at a hub time; HS_ROOM_MEMBER where it isn't listed or its role has ended. */
enum hs_room_role hs_policy_role(const struct hs_policy *policy, const struct hs_key *key, struct hs_time at);

bool hs_policy_is_banned(const struct hs_policy *policy, const struct hs_key *key);

/* device: a signature key. */
bool hs_policy_is_revoked(const struct hs_policy *policy, const struct hs_key *device);

/* Does the policy give this right to key at that hub time? Who is banned has none. Says nothing of
 * membership. */
bool hs_policy_allows(const struct hs_policy *policy, const struct hs_key *key, struct hs_time at,
                      enum hs_right right);

/* The hub in office as the policy knows it: the log may be ahead by one HUB_MOVE. */
struct hs_hub_office hs_policy_office(const struct hs_policy *policy);

/* The same policy with that hub in office. */
struct hs_policy hs_policy_set_office(const struct hs_policy *policy, const struct hs_hub_office *office);

/* The owner's key: the first in the list. There is always one. */
struct hs_key hs_policy_owner(const struct hs_policy *policy);

/* Changed copies for a policy change; they borrow from the arena and from the old policy. role HS_ROOM_MEMBER
 * takes the key off the list. TOO_LARGE past a limit, INVALID_ARG where the policy would have no owner, or a
 * banned one, or an owner with an end; NOMEM. */
enum hs_err hs_policy_set_role(const struct hs_policy *policy, const struct hs_policy_role *role,
                               struct hs_arena *arena, struct hs_policy *out);
enum hs_err hs_policy_set_banned(const struct hs_policy *policy, const struct hs_key *key, bool banned,
                                 struct hs_arena *arena, struct hs_policy *out);
enum hs_err hs_policy_set_revoked(const struct hs_policy *policy, const struct hs_key *device, bool revoked,
                                  struct hs_arena *arena, struct hs_policy *out);

/* What a policy change by key may turn before into (spec/rooms.md): kind and hub root stay, and the hub in
 * office becomes what the log says (NULL: stays); who may CHANGE_POLICY but not GOVERN changes only the name,
 * bans, revoked devices and roles below moderator, and bans no moderator or owner. POLICY where it isn't
 * allowed. (Whose device is revoked only the tree says: hs_judge_change().) */
enum hs_err hs_policy_change_check(const struct hs_policy *before, const struct hs_policy *after,
                                   const struct hs_key *by, struct hs_time at,
                                   const struct hs_hub_office *office);

#endif
