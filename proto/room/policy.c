#include "room/policy.h"

#include "base/text.h"
#include "object/hdr.h"
#include "schema/room.pb-c.h"
#include "wire/unpack.h"

_Static_assert((int)HANSE__ROOM_KIND__ROOM_GROUP == (int)HS_ROOM_GROUP, "kinds are numbered as on the wire");
_Static_assert((int)HANSE__ROOM_KIND__ROOM_COUNTER == (int)HS_ROOM_COUNTER, "kinds");
_Static_assert((int)HANSE__ROOM_KIND__ROOM_CHANNEL == (int)HS_ROOM_CHANNEL, "kinds");
_Static_assert((int)HANSE__ROOM_ROLE__ROOM_ROLE_OWNER == (int)HS_ROOM_OWNER, "roles");
_Static_assert((int)HANSE__ROOM_ROLE__ROOM_ROLE_MODERATOR == (int)HS_ROOM_MODERATOR, "roles");
_Static_assert((int)HANSE__ROOM_ROLE__ROOM_ROLE_HOST == (int)HS_ROOM_HOST, "roles");
_Static_assert((int)HANSE__ROOM_ROLE__ROOM_ROLE_AGENT == (int)HS_ROOM_AGENT, "roles");
_Static_assert((int)HANSE__ROOM_ROLE__ROOM_ROLE_LISTENER == (int)HS_ROOM_LISTENER, "roles");

enum {
    POST = HS_RIGHT_POST,
    OFFER = HS_RIGHT_CREATE_OFFER,
    ADD = HS_RIGHT_ADD,
    /* a counter has no invites: its owner adds whom it serves */
    COUNTER_MODERATOR = POST | OFFER | ADD | HS_RIGHT_REMOVE | HS_RIGHT_CHANGE_POLICY,
    MODERATOR = COUNTER_MODERATOR | HS_RIGHT_INVITE,
};

static const int rights[][HS_ROOM_LISTENER + 1] = {
    [HS_ROOM_GROUP] = {[HS_ROOM_MEMBER] = POST,
                       [HS_ROOM_OWNER] = MODERATOR | HS_RIGHT_GOVERN,
                       [HS_ROOM_MODERATOR] = MODERATOR,
                       [HS_ROOM_HOST] = POST | OFFER,
                       [HS_ROOM_AGENT] = POST | OFFER | ADD},
    [HS_ROOM_COUNTER] = {[HS_ROOM_MEMBER] = POST,
                         [HS_ROOM_OWNER] = COUNTER_MODERATOR | HS_RIGHT_GOVERN,
                         [HS_ROOM_MODERATOR] = COUNTER_MODERATOR,
                         [HS_ROOM_AGENT] = POST | OFFER | ADD},
    [HS_ROOM_CHANNEL] = {[HS_ROOM_OWNER] = MODERATOR | HS_RIGHT_GOVERN,
                         [HS_ROOM_MODERATOR] = MODERATOR,
                         [HS_ROOM_HOST] = POST | OFFER,
                         [HS_ROOM_AGENT] = ADD},
};

static int key_order(const struct hs_key *a, const struct hs_key *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

static const struct hs_policy_role *role_find(const struct hs_policy *policy, const struct hs_key *key)
{
    size_t low = 0, high = policy->role_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = key_order(&policy->roles[mid].key, key);
        if (order == 0)
            return &policy->roles[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

enum hs_room_role hs_policy_role(const struct hs_policy *policy, const struct hs_key *key, struct hs_time at)
{
    const struct hs_policy_role *role = role_find(policy, key);
    bool holds = role != NULL && (role->until.ms == 0 || at.ms < role->until.ms);
    return holds ? role->role : HS_ROOM_MEMBER;
}

/* Is the key in an ascending list? */
static bool keys_have(const struct hs_key *keys, size_t count, const struct hs_key *key)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = key_order(&keys[mid], key);
        if (order == 0)
            return true;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

bool hs_policy_is_banned(const struct hs_policy *policy, const struct hs_key *key)
{
    return keys_have(policy->banned, policy->banned_count, key);
}

bool hs_policy_is_revoked(const struct hs_policy *policy, const struct hs_key *device)
{
    return keys_have(policy->revoked, policy->revoked_count, device);
}

bool hs_policy_allows(const struct hs_policy *policy, const struct hs_key *key, struct hs_time at,
                      enum hs_right right)
{
    if (hs_policy_is_banned(policy, key))
        return false;
    return (rights[policy->kind][hs_policy_role(policy, key, at)] & (int)right) != 0;
}

struct hs_hub_office hs_policy_office(const struct hs_policy *policy)
{
    static const struct hs_key no_key = {0};
    bool moved = !hs_key_equal(&policy->hub_office, &no_key);
    return (struct hs_hub_office){moved ? policy->hub_office : policy->hub_root, policy->hub_term};
}

struct hs_policy hs_policy_set_office(const struct hs_policy *policy, const struct hs_hub_office *office)
{
    struct hs_policy changed = *policy;
    bool first = hs_key_equal(&office->root, &policy->hub_root);
    changed.hub_office = first ? (struct hs_key){0} : office->root;
    changed.hub_term = office->term;
    return changed;
}

struct hs_key hs_policy_owner(const struct hs_policy *policy)
{
    size_t i = 0;
    while (i < policy->role_count && policy->roles[i].role != HS_ROOM_OWNER)
        i++;
    HS_ASSERT(i < policy->role_count); /* a valid policy has an owner */
    return policy->roles[i].key;
}

static enum hs_err name_check(struct hs_bytes name)
{
    HS_REQUIRE(name.len <= HS_POLICY_NAME_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(name.len > 0 && hs_text_is_clean(name), HS_ERR_MALFORMED);
    for (size_t i = 0; i < name.len; i++)
        HS_REQUIRE(name.data[i] >= 0x20, HS_ERR_MALFORMED); /* a name is one line */
    return HS_OK;
}

static enum hs_err roles_check(const struct hs_policy *policy)
{
    HS_REQUIRE(policy->role_count <= HS_POLICY_ROLES_MAX, HS_ERR_TOO_LARGE);
    bool has_owner = false;
    for (size_t i = 0; i < policy->role_count; i++) {
        const struct hs_policy_role *role = &policy->roles[i];
        HS_REQUIRE(i == 0 || key_order(&role[-1].key, &role->key) < 0, HS_ERR_MALFORMED);
        HS_REQUIRE(role->role > HS_ROOM_MEMBER && role->until.ms >= 0, HS_ERR_MALFORMED);
        HS_REQUIRE(role->role <= HS_ROOM_LISTENER, HS_ERR_UNSUPPORTED);
        if (role->role != HS_ROOM_OWNER)
            continue;
        /* a room whose owners could all lapse or be banned would be nobody's */
        HS_REQUIRE(role->until.ms == 0 && !hs_policy_is_banned(policy, &role->key), HS_ERR_MALFORMED);
        has_owner = true;
    }
    HS_REQUIRE(has_owner, HS_ERR_MALFORMED);
    return HS_OK;
}

static enum hs_err keys_check(const struct hs_key *keys, size_t count, size_t max)
{
    HS_REQUIRE(count <= max, HS_ERR_TOO_LARGE);
    for (size_t i = 1; i < count; i++)
        HS_REQUIRE(key_order(&keys[i - 1], &keys[i]) < 0, HS_ERR_MALFORMED);
    return HS_OK;
}

static enum hs_err policy_check(const struct hs_policy *policy)
{
    static const struct hs_key no_key = {0};
    HS_TRY(name_check(policy->name));
    HS_REQUIRE((int)policy->kind > 0, HS_ERR_MALFORMED);
    HS_REQUIRE(policy->kind <= HS_ROOM_CHANNEL, HS_ERR_UNSUPPORTED);
    HS_REQUIRE(policy->max_members <= HS_POLICY_MEMBERS_MAX, HS_ERR_TOO_LARGE);
    HS_REQUIRE(policy->max_members >= HS_POLICY_MEMBERS_MIN, HS_ERR_MALFORMED);
    HS_REQUIRE(policy->retention_ms >= 0, HS_ERR_MALFORMED);
    HS_REQUIRE(!hs_key_equal(&policy->hub_root, &no_key), HS_ERR_MALFORMED);
    HS_REQUIRE(policy->hub_term >= HS_POLICY_HUB_TERM_FIRST, HS_ERR_MALFORMED);
    HS_REQUIRE(policy->hub_term <= HS_HUB_TERM_MAX, HS_ERR_TOO_LARGE);
    bool moved = !hs_key_equal(&policy->hub_office, &no_key);
    HS_REQUIRE(!moved || (policy->hub_term > HS_POLICY_HUB_TERM_FIRST &&
                          !hs_key_equal(&policy->hub_office, &policy->hub_root)),
               HS_ERR_MALFORMED);
    HS_TRY(keys_check(policy->banned, policy->banned_count, HS_POLICY_BANNED_MAX));
    HS_TRY(keys_check(policy->revoked, policy->revoked_count, HS_POLICY_REVOKED_MAX));
    return roles_check(policy);
}

/* Keys one behind the other, as an array in the arena. */
static enum hs_err keys_from_bytes(struct hs_bytes bytes, size_t max, struct hs_arena *arena,
                                   const struct hs_key **out, size_t *count)
{
    HS_REQUIRE(bytes.len % HS_KEY_LEN == 0, HS_ERR_MALFORMED);
    *count = bytes.len / HS_KEY_LEN;
    HS_REQUIRE(*count <= max, HS_ERR_TOO_LARGE);
    struct hs_key *keys = hs_arena_alloc(arena, bytes.len + sizeof *keys);
    HS_REQUIRE(keys != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < *count; i++)
        memcpy(keys[i].b, bytes.data + i * HS_KEY_LEN, HS_KEY_LEN);
    *out = keys;
    return HS_OK;
}

/* The message's fixed-size parts and lists, copied into the arena; policy_check() judges them. */
static enum hs_err policy_from_message(const Hanse__Policy *message, struct hs_arena *arena,
                                       struct hs_policy *out)
{
    HS_REQUIRE(message->n_roles <= HS_POLICY_ROLES_MAX, HS_ERR_TOO_LARGE);
    HS_TRY(keys_from_bytes(hs_pb_bytes(message->banned), HS_POLICY_BANNED_MAX, arena, &out->banned,
                           &out->banned_count));
    HS_TRY(keys_from_bytes(hs_pb_bytes(message->revoked), HS_POLICY_REVOKED_MAX, arena, &out->revoked,
                           &out->revoked_count));
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(message->hub_root), &out->hub_root), HS_ERR_MALFORMED);
    static const struct hs_key no_key = {0};
    HS_REQUIRE(message->hub_office.len == 0 ||
                   (HS_FIXED(hs_pb_bytes(message->hub_office), &out->hub_office) &&
                    !hs_key_equal(&out->hub_office, &no_key)),
               HS_ERR_MALFORMED);
    struct hs_policy_role *roles = hs_arena_alloc(arena, (message->n_roles + 1) * sizeof *roles);
    char *name = hs_arena_str(arena, hs_bytes_str(message->name));
    HS_REQUIRE(roles != NULL && name != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < message->n_roles; i++) {
        const Hanse__RoleEntry *entry = message->roles[i];
        HS_REQUIRE(HS_FIXED(hs_pb_bytes(entry->key), &roles[i].key), HS_ERR_MALFORMED);
        roles[i].role = (enum hs_room_role)entry->role;
        roles[i].until.ms = entry->until_ms;
    }
    out->name = hs_bytes_str(name);
    out->kind = (enum hs_room_kind)message->kind;
    out->roles = roles;
    out->role_count = message->n_roles;
    out->max_members = message->max_members;
    out->retention_ms = message->retention_ms;
    out->hub_term = message->hub_term;
    return HS_OK;
}

/* A protobuf message has many encodings; members compare policies by their bytes, so one of them counts. */
static enum hs_err policy_encoding_check(const struct hs_policy *policy, struct hs_bytes bytes)
{
    struct hs_writer HS_WRITER again = hs_writer(HS_POLICY_MAX);
    HS_TRY(hs_policy_pack(policy, &again));
    HS_REQUIRE(hs_bytes_equal(hs_writer_bytes(&again), bytes), HS_ERR_MALFORMED);
    return HS_OK;
}

enum hs_err hs_policy_parse(struct hs_bytes bytes, struct hs_arena *arena, struct hs_policy *out)
{
    *out = (struct hs_policy){0};
    HS_REQUIRE(bytes.len <= HS_POLICY_MAX, HS_ERR_TOO_LARGE);
    struct hs_arena HS_ARENA scratch = hs_arena(hs_unpack_budget(bytes.len));
    Hanse__Policy *message = NULL;
    HS_TRY(HS_UNPACK(hanse__policy, bytes, HS_STRICT, &scratch, &message));
    struct hs_policy policy = {0};
    HS_TRY(policy_from_message(message, arena, &policy));
    HS_TRY(policy_check(&policy));
    HS_TRY(policy_encoding_check(&policy, bytes));
    *out = policy;
    return HS_OK;
}

static enum hs_err policy_write(const struct hs_policy *policy, struct hs_arena *arena, struct hs_writer *out)
{
    Hanse__Policy message = HANSE__POLICY__INIT;
    Hanse__RoleEntry *entries = hs_arena_alloc(arena, (policy->role_count + 1) * sizeof *entries);
    Hanse__RoleEntry **pointers = hs_arena_alloc(arena, (policy->role_count + 1) * sizeof *pointers);
    message.name = hs_arena_str(arena, policy->name);
    HS_REQUIRE(entries != NULL && pointers != NULL && message.name != NULL, HS_ERR_NOMEM);
    for (size_t i = 0; i < policy->role_count; i++) {
        hanse__role_entry__init(&entries[i]);
        entries[i].key = hs_pb_data(HS_VIEW(policy->roles[i].key));
        entries[i].role = (Hanse__RoomRole)policy->roles[i].role;
        entries[i].until_ms = policy->roles[i].until.ms;
        pointers[i] = &entries[i];
    }
    message.kind = (Hanse__RoomKind)policy->kind;
    message.n_roles = policy->role_count;
    message.roles = pointers;
    message.max_members = policy->max_members;
    message.retention_ms = policy->retention_ms;
    message.hub_root = hs_pb_data(HS_VIEW(policy->hub_root));
    message.hub_term = policy->hub_term;
    struct hs_hub_office office = hs_policy_office(policy);
    if (!hs_key_equal(&office.root, &policy->hub_root))
        message.hub_office = hs_pb_data(HS_VIEW(policy->hub_office));
    message.banned = hs_pb_data(hs_bytes(policy->banned, policy->banned_count * sizeof *policy->banned));
    message.revoked = hs_pb_data(hs_bytes(policy->revoked, policy->revoked_count * sizeof *policy->revoked));
    return HS_PACK(&message, out);
}

enum hs_err hs_policy_pack(const struct hs_policy *policy, struct hs_writer *out)
{
    enum hs_err err = policy_check(policy);
    HS_REQUIRE(err == HS_OK || err == HS_ERR_TOO_LARGE, HS_ERR_INVALID_ARG);
    HS_TRY(err);
    struct hs_arena HS_ARENA arena = hs_arena(4 * HS_POLICY_MAX);
    return policy_write(policy, &arena, out);
}
