#include "unit/room/fixture.h"

#include <sodium.h>

#include "schema/room.pb-c.h"
#include "wire/unpack.h"

static struct hs_writer packed(const struct hs_policy *policy)
{
    struct hs_writer w = hs_writer(2 * HS_POLICY_MAX);
    assert_ok(hs_policy_pack(policy, &w));
    return w;
}

/* The keys 1, 2, 3, ... in ascending order. */
static struct hs_key nth_key(size_t n)
{
    struct hs_key key = {.b = {(uint8_t)(n >> 8), (uint8_t)n, 1}};
    return key;
}

static struct hs_policy large_policy(size_t roles, size_t banned)
{
    struct hs_key owner = nth_key(1);
    struct hs_policy policy = policy_make(&owner, HS_ROOM_GROUP);
    struct hs_policy_role *list = hs_arena_alloc(&arena, roles * sizeof *list);
    struct hs_key *keys = hs_arena_alloc(&arena, banned * sizeof *keys + 1);
    for (size_t i = 0; i < roles; i++)
        list[i] = (struct hs_policy_role){.key = nth_key(i + 1), .role = HS_ROOM_HOST, .until = {INT64_MAX}};
    list[0] = (struct hs_policy_role){.key = owner, .role = HS_ROOM_OWNER};
    for (size_t i = 0; i < banned; i++)
        keys[i] = nth_key(i + 2000);
    policy.roles = list;
    policy.role_count = roles;
    policy.banned = keys;
    policy.banned_count = banned;
    return policy;
}

/* ROOM-1 */
static void test_round_trip(void **state)
{
    (void)state;
    struct hs_key owner = key_of("owner"), mod = key_of("mod"), bad = key_of("bad"), host = key_of("host");
    struct hs_policy policy = policy_make(&owner, HS_ROOM_CHANNEL), read;
    policy = with_role(policy, &mod, HS_ROOM_MODERATOR, 0);
    policy = with_role(policy, &host, HS_ROOM_HOST, now.ms + 5);
    policy = with_ban(policy, &bad);
    policy = with_revoked(policy, &host);
    policy.retention_ms = 30 * day_ms;
    struct hs_writer HS_WRITER w = packed(&policy);
    assert_ok(hs_policy_parse(hs_writer_bytes(&w), &arena, &read));
    assert_bytes(read.name, policy.name);
    assert_int_equal(read.kind, HS_ROOM_CHANNEL);
    assert_int_equal(read.role_count, 3);
    assert_int_equal(read.banned_count, 1);
    assert_int_equal(read.max_members, 500);
    assert_true(read.retention_ms == 30 * day_ms);
    assert_true(hs_key_equal(&read.hub_root, &policy.hub_root));
    assert_int_equal(read.hub_term, 1);
    assert_int_equal(hs_policy_role(&read, &owner, now), HS_ROOM_OWNER);
    assert_int_equal(hs_policy_role(&read, &mod, now), HS_ROOM_MODERATOR);
    assert_int_equal(hs_policy_role(&read, &bad, now), HS_ROOM_MEMBER);
    assert_true(hs_policy_is_banned(&read, &bad));
    assert_false(hs_policy_is_banned(&read, &mod));
    assert_int_equal(read.revoked_count, 1);
    assert_true(hs_policy_is_revoked(&read, &host));
    assert_false(hs_policy_is_revoked(&read, &bad));
    struct hs_key first = hs_policy_owner(&read);
    assert_true(hs_key_equal(&first, &owner));
    struct hs_writer HS_WRITER again = packed(&read);
    assert_bytes(hs_writer_bytes(&again), hs_writer_bytes(&w));
}

/* ROOM-3: a role ends at its hub time, to the millisecond */
static void test_role_ends(void **state)
{
    (void)state;
    struct hs_key owner = key_of("owner"), host = key_of("host");
    struct hs_policy policy = policy_make(&owner, HS_ROOM_CHANNEL);
    policy = with_role(policy, &host, HS_ROOM_HOST, now.ms + 1000);
    assert_true(hs_policy_allows(&policy, &host, later(999), HS_RIGHT_POST));
    assert_false(hs_policy_allows(&policy, &host, later(1000), HS_RIGHT_POST));
    assert_int_equal(hs_policy_role(&policy, &host, later(1000)), HS_ROOM_MEMBER);
}

/* ROOM-4: the table of rights, written out a second time */
static void test_rights(void **state)
{
    (void)state;
    /* post, offer, invite, add, remove, change policy, govern */
    static const char *const table[][6] = {
        /*                 member     owner      moderator  host       agent      listener */
        [HS_ROOM_GROUP] = {"P......", "POIARCG", "POIARC.", "PO.....", "PO.A...", "......."},
        [HS_ROOM_COUNTER] = {"P......", "PO.ARCG", "PO.ARC.", ".......", "PO.A...", "......."},
        [HS_ROOM_CHANNEL] = {".......", "POIARCG", "POIARC.", "PO.....", "...A...", "......."},
    };
    struct hs_key owner = key_of("owner"), other = key_of("other"), key = key_of("key");
    for (enum hs_room_kind kind = HS_ROOM_GROUP; kind <= HS_ROOM_CHANNEL; kind++) {
        for (enum hs_room_role role = HS_ROOM_MEMBER; role <= HS_ROOM_LISTENER; role++) {
            struct hs_policy policy = policy_make(&owner, kind);
            policy = with_role(policy, &key, role, 0);
            struct hs_policy banned = with_ban(policy, &other);
            for (int bit = 0; bit < 7; bit++) {
                bool want = table[kind][role][bit] != '.';
                assert_int_equal(hs_policy_allows(&policy, &key, now, 1 << bit), want);
                assert_int_equal(hs_policy_allows(&banned, &key, now, 1 << bit), want);
                assert_false(hs_policy_allows(&banned, &other, now, 1 << bit));
            }
        }
    }
}

static void expect_refused(const struct hs_policy *policy, enum hs_err pack_err)
{
    struct hs_writer HS_WRITER w = hs_writer(2 * HS_POLICY_MAX);
    assert_err(hs_policy_pack(policy, &w), pack_err);
    assert_int_equal(hs_writer_bytes(&w).len, 0);
}

static void expect_fine(const struct hs_policy *policy)
{
    struct hs_policy read;
    struct hs_writer HS_WRITER w = packed(policy);
    assert_ok(hs_policy_parse(hs_writer_bytes(&w), &arena, &read));
}

/* ROOM-2: every limit, at it and one past it */
static void test_limits(void **state)
{
    (void)state;
    struct hs_key owner = key_of("owner"), other_hub = key_of("other hub");
    struct hs_policy policy = policy_make(&owner, HS_ROOM_GROUP);
    char name[HS_POLICY_NAME_MAX + 1];
    memset(name, 'n', sizeof name);
    policy.name = hs_bytes(name, HS_POLICY_NAME_MAX);
    expect_fine(&policy);
    policy.name = hs_bytes(name, HS_POLICY_NAME_MAX + 1);
    expect_refused(&policy, HS_ERR_TOO_LARGE);
    policy.name = hs_bytes_str("Rosa");
    policy.max_members = HS_POLICY_MEMBERS_MIN;
    expect_fine(&policy);
    policy.max_members = HS_POLICY_MEMBERS_MIN - 1;
    expect_refused(&policy, HS_ERR_INVALID_ARG);
    policy.max_members = HS_POLICY_MEMBERS_MAX;
    expect_fine(&policy);
    policy.max_members = HS_POLICY_MEMBERS_MAX + 1;
    expect_refused(&policy, HS_ERR_TOO_LARGE);

    policy = large_policy(HS_POLICY_ROLES_MAX, HS_POLICY_BANNED_MAX);
    policy.name = hs_bytes(name, HS_POLICY_NAME_MAX);
    policy.max_members = HS_POLICY_MEMBERS_MAX;
    policy.retention_ms = INT64_MAX;
    policy.hub_office = other_hub;
    policy.hub_term = HS_HUB_TERM_MAX;
    expect_fine(&policy); /* the largest of all is under HS_POLICY_MAX */
    policy.hub_term = HS_HUB_TERM_MAX + 1;
    expect_refused(&policy, HS_ERR_TOO_LARGE);
    policy = large_policy(HS_POLICY_ROLES_MAX + 1, 0);
    expect_refused(&policy, HS_ERR_TOO_LARGE);
    policy = large_policy(1, HS_POLICY_BANNED_MAX + 1);
    expect_refused(&policy, HS_ERR_TOO_LARGE);
    struct hs_policy ignored;
    uint8_t *big = hs_arena_alloc(&arena, HS_POLICY_MAX + 1);
    assert_err(hs_policy_parse(hs_bytes(big, HS_POLICY_MAX + 1), &arena, &ignored), HS_ERR_TOO_LARGE);
}

/* ROOM-1: what isn't a policy */
static void test_invalid(void **state)
{
    (void)state;
    struct hs_key owner = key_of("owner");
    const struct hs_policy good = policy_make(&owner, HS_ROOM_GROUP);
    struct hs_policy_role one = good.roles[0], two[2] = {one, one};
    struct hs_key bans[2] = {nth_key(2), nth_key(1)};
#define REFUSED(...)                                                                                         \
    do {                                                                                                     \
        struct hs_policy p = good;                                                                           \
        __VA_ARGS__;                                                                                         \
        expect_refused(&p, HS_ERR_INVALID_ARG);                                                              \
    } while (0)
    REFUSED(p.name = hs_bytes_str(""));
    REFUSED(p.name = hs_bytes_str("two\nlines"));
    REFUSED(p.name = hs_bytes_str("bad \xc3"));
    REFUSED(p.name = hs_bytes("a\0b", 3));
    REFUSED(p.kind = (enum hs_room_kind)0);
    REFUSED(p.kind = (enum hs_room_kind)4);
    REFUSED(p.retention_ms = -1);
    REFUSED(p.hub_term = 0);
    REFUSED(memset(&p.hub_root, 0, sizeof p.hub_root));
    REFUSED(p.role_count = 0);
    REFUSED(p.roles = two, p.role_count = 2);
    REFUSED(p.banned = bans, p.banned_count = 2);
    REFUSED(p.revoked = bans, p.revoked_count = 2);
    bans[0] = bans[1];
    REFUSED(p.banned = bans, p.banned_count = 2);
    REFUSED(p.revoked = bans, p.revoked_count = 2);
    REFUSED(p.banned = &owner, p.banned_count = 1);
    one.role = HS_ROOM_MODERATOR;
    REFUSED(p.roles = &one);
    one.role = HS_ROOM_MEMBER;
    REFUSED(p.roles = &one);
    one.role = (enum hs_room_role)6;
    REFUSED(p.roles = &one);
    one = good.roles[0];
    one.until.ms = 1;
    REFUSED(p.roles = &one);
    one.until.ms = -1;
    REFUSED(p.roles = &one);
    two[0].key = nth_key(1);
    two[0].role = HS_ROOM_HOST;
    two[0].until.ms = -1;
    two[1] = good.roles[0];
    REFUSED(p.roles = two, p.role_count = 2);
    two[0].until.ms = 0;
    two[0].role = HS_ROOM_MEMBER;
    REFUSED(p.roles = two, p.role_count = 2);
#undef REFUSED
    expect_fine(&good);
}

/* ROOM-1: one encoding; a byte too many, too few or another one is another policy or none */
static void test_bytes(void **state)
{
    (void)state;
    struct hs_key owner = key_of("owner"), bad = key_of("bad");
    struct hs_policy policy = policy_make(&owner, HS_ROOM_GROUP), read;
    policy = with_ban(policy, &bad);
    struct hs_writer HS_WRITER w = packed(&policy);
    struct hs_bytes bytes = hs_writer_bytes(&w);
    for (size_t len = 0; len < bytes.len; len++) {
        enum hs_err err = hs_policy_parse(hs_bytes(bytes.data, len), &arena, &read);
        assert_true(err != HS_OK || len == bytes.len - 34); /* without its last field, the bans */
    }
    uint8_t *copy = bytes_copy(bytes);
    for (size_t i = 0; i < bytes.len; i++) {
        copy[i] ^= 1;
        if (hs_policy_parse(hs_bytes(copy, bytes.len), &arena, &read) == HS_OK) {
            struct hs_writer HS_WRITER again = packed(&read);
            assert_bytes(hs_writer_bytes(&again), hs_bytes(copy, bytes.len));
        }
        copy[i] ^= 1;
    }
    /* kind spelled out twice, a default spelled out, an unknown field, an unknown kind */
    static const struct {
        uint8_t tail[3];
        size_t len;
        enum hs_err err;
    } tails[] = {{{0x10, 0x01}, 2, HS_ERR_MALFORMED},
                 {{0x28, 0x00}, 2, HS_ERR_MALFORMED},
                 {{0x78, 0x01}, 2, HS_ERR_UNSUPPORTED}};
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        struct hs_writer HS_WRITER longer = hs_writer(65536);
        hs_write_bytes(&longer, bytes);
        hs_write_bytes(&longer, hs_bytes(tails[i].tail, tails[i].len));
        assert_err(hs_policy_parse(hs_writer_bytes(&longer), &arena, &read), tails[i].err);
        assert_int_equal(read.role_count, 0);
    }
    copy[2 + policy.name.len + 1] = 4; /* ROOM_LIVE */
    assert_err(hs_policy_parse(hs_bytes(copy, bytes.len), &arena, &read), HS_ERR_UNSUPPORTED);
    copy[2 + policy.name.len + 1] = 9;
    assert_err(hs_policy_parse(hs_bytes(copy, bytes.len), &arena, &read), HS_ERR_UNSUPPORTED);
}

/* ROOM-2: lists past their limits, and bans that are no list of keys, as bytes */
static void test_message(void **state)
{
    (void)state;
    struct hs_key owner = nth_key(1);
    struct hs_policy policy = policy_make(&owner, HS_ROOM_GROUP), read;
    struct hs_writer HS_WRITER w = packed(&policy);
    Hanse__Policy *message = NULL;
    assert_ok(HS_UNPACK(hanse__policy, hs_writer_bytes(&w), HS_STRICT, &arena, &message));
    uint8_t *bans = hs_arena_alloc(&arena, HS_KEY_LEN * (HS_POLICY_BANNED_MAX + 1));
    for (size_t i = 0; i <= HS_POLICY_BANNED_MAX; i++) {
        struct hs_key key = nth_key(i + 2);
        memcpy(bans + i * HS_KEY_LEN, key.b, HS_KEY_LEN);
    }
    static const struct {
        size_t len;
        enum hs_err err;
    } cases[] = {{32, HS_OK},
                 {31, HS_ERR_MALFORMED},
                 {33, HS_ERR_MALFORMED},
                 {HS_KEY_LEN * HS_POLICY_BANNED_MAX, HS_OK},
                 {HS_KEY_LEN * (HS_POLICY_BANNED_MAX + 1), HS_ERR_TOO_LARGE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        message->banned = hs_pb_data(hs_bytes(bans, cases[i].len));
        hs_writer_reset(&w);
        assert_ok(HS_PACK(message, &w));
        assert_err(hs_policy_parse(hs_writer_bytes(&w), &arena, &read), cases[i].err);
    }
    message->banned.len = 0;
    const size_t revoked[] = {HS_KEY_LEN * HS_POLICY_REVOKED_MAX, HS_KEY_LEN * (HS_POLICY_REVOKED_MAX + 1),
                              33};
    const enum hs_err said[] = {HS_OK, HS_ERR_TOO_LARGE, HS_ERR_MALFORMED};
    for (size_t i = 0; i < 3; i++) {
        message->revoked = hs_pb_data(hs_bytes(bans, revoked[i]));
        hs_writer_reset(&w);
        assert_ok(HS_PACK(message, &w));
        assert_err(hs_policy_parse(hs_writer_bytes(&w), &arena, &read), said[i]);
    }
    message->revoked.len = 0;
    Hanse__RoleEntry *roles[HS_POLICY_ROLES_MAX + 1];
    for (size_t i = 0; i <= HS_POLICY_ROLES_MAX; i++)
        roles[i] = message->roles[0];
    message->roles = roles;
    message->n_roles = HS_POLICY_ROLES_MAX + 1;
    hs_writer_reset(&w);
    assert_ok(HS_PACK(message, &w));
    assert_err(hs_policy_parse(hs_writer_bytes(&w), &arena, &read), HS_ERR_TOO_LARGE);
}

static void test_edit(void **state)
{
    (void)state;
    struct hs_key owner = nth_key(5), a = nth_key(1), b = nth_key(9);
    struct hs_policy policy = policy_make(&owner, HS_ROOM_GROUP), out;
    policy = with_role(policy, &b, HS_ROOM_HOST, 7);
    policy = with_role(policy, &a, HS_ROOM_AGENT, 0);
    assert_int_equal(policy.role_count, 3);
    policy = with_role(policy, &b, HS_ROOM_MODERATOR, 0);
    assert_int_equal(policy.role_count, 3);
    assert_int_equal(policy.roles[2].role, HS_ROOM_MODERATOR);
    policy = with_role(policy, &a, HS_ROOM_MEMBER, 0);
    assert_int_equal(policy.role_count, 2);
    struct hs_policy_role down = {.key = owner, .role = HS_ROOM_MEMBER};
    assert_err(hs_policy_set_role(&policy, &down, &arena, &out), HS_ERR_INVALID_ARG);
    down.role = HS_ROOM_OWNER;
    down.until.ms = 1;
    assert_err(hs_policy_set_role(&policy, &down, &arena, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_policy_set_banned(&policy, &owner, true, &arena, &out), HS_ERR_INVALID_ARG);
    policy = with_ban(policy, &b);
    policy = with_ban(policy, &a);
    policy = with_ban(policy, &a);
    assert_int_equal(policy.banned_count, 2);
    assert_true(hs_policy_is_banned(&policy, &a) && hs_policy_is_banned(&policy, &b));
    assert_ok(hs_policy_set_banned(&policy, &a, false, &arena, &out));
    assert_int_equal(out.banned_count, 1);
    assert_false(hs_policy_is_banned(&out, &a));
    policy = with_revoked(with_revoked(policy, &owner), &b);
    assert_ok(hs_policy_set_revoked(&policy, &owner, false, &arena, &out));
    assert_true(out.revoked_count == 1 && hs_policy_is_revoked(&out, &b));
    policy = large_policy(HS_POLICY_ROLES_MAX, HS_POLICY_BANNED_MAX);
    struct hs_policy_role more = {.key = nth_key(1999), .role = HS_ROOM_HOST};
    assert_err(hs_policy_set_role(&policy, &more, &arena, &out), HS_ERR_TOO_LARGE);
    assert_err(hs_policy_set_banned(&policy, &more.key, true, &arena, &out), HS_ERR_TOO_LARGE);
}

/* ROOM-8 */
static void test_change(void **state)
{
    (void)state;
    struct hs_key owner = key_of("owner"), mod = key_of("mod"), mod2 = key_of("mod2"), eve = key_of("eve");
    struct hs_policy before = policy_make(&owner, HS_ROOM_GROUP), after;
    const struct hs_hub_office *office = NULL, moved = {eve, 2};
    before = with_role(before, &mod, HS_ROOM_MODERATOR, 0);
    before = with_role(before, &mod2, HS_ROOM_MODERATOR, 0);
#define CHANGE(by, want, ...)                                                                                \
    do {                                                                                                     \
        after = before;                                                                                      \
        __VA_ARGS__;                                                                                         \
        assert_err(hs_policy_change_check(&before, &after, &(by), now, office), (want));                     \
    } while (0)
    CHANGE(owner, HS_OK, after.max_members = 7, after.retention_ms = 1);
    CHANGE(owner, HS_OK, after = with_role(after, &eve, HS_ROOM_OWNER, 0));
    CHANGE(owner, HS_OK, after = with_ban(after, &mod));
    CHANGE(owner, HS_ERR_POLICY, after.kind = HS_ROOM_CHANNEL);
    CHANGE(owner, HS_ERR_POLICY, after.hub_root = eve);
    CHANGE(owner, HS_ERR_POLICY, after.hub_term = 2);
    CHANGE(mod, HS_OK, after.name = hs_bytes_str("New"));
    CHANGE(mod, HS_OK, after = with_ban(after, &eve));
    CHANGE(mod, HS_OK, after = with_role(after, &eve, HS_ROOM_HOST, 99));
    CHANGE(mod, HS_OK, after = with_role(after, &eve, HS_ROOM_LISTENER, 0));
    CHANGE(mod, HS_ERR_POLICY, after.max_members = 7);
    CHANGE(mod, HS_ERR_POLICY, after.retention_ms = 7);
    CHANGE(mod, HS_ERR_POLICY, after = with_role(after, &eve, HS_ROOM_MODERATOR, 0));
    CHANGE(mod, HS_ERR_POLICY, after = with_role(after, &mod, HS_ROOM_OWNER, 0));
    CHANGE(mod, HS_ERR_POLICY, after = with_role(after, &mod2, HS_ROOM_MEMBER, 0));
    CHANGE(mod, HS_ERR_POLICY, after = with_role(after, &mod2, HS_ROOM_MODERATOR, 5));
    CHANGE(mod, HS_ERR_POLICY, after = with_ban(after, &mod2));
    CHANGE(eve, HS_ERR_POLICY, after.name = hs_bytes_str("New"));
    CHANGE(owner, HS_ERR_POLICY, after = hs_policy_set_office(&after, &moved)); /* the log doesn't say so */
    office = &moved; /* ROOM-84: whoever changes the policy lets it follow, and nothing else will do */
    CHANGE(mod, HS_OK, after = hs_policy_set_office(&after, &moved));
    CHANGE(owner, HS_OK, after = hs_policy_set_office(&after, &moved), after.max_members = 7);
    CHANGE(owner, HS_ERR_POLICY, after.max_members = 7);
    CHANGE(owner, HS_ERR_POLICY, after = hs_policy_set_office(&after, &(struct hs_hub_office){eve, 3}));
    CHANGE(owner, HS_ERR_POLICY, after = hs_policy_set_office(&after, &(struct hs_hub_office){mod, 2}));
    CHANGE(owner, HS_ERR_POLICY, after.hub_term = 2);
    CHANGE(eve, HS_ERR_POLICY, after = hs_policy_set_office(&after, &moved));
    office = NULL;
    struct hs_key first = {.b = {0}}, last = {.b = {0xff, 0xff}}; /* at either end of the list */
    CHANGE(mod, HS_ERR_POLICY, after = with_role(after, &first, HS_ROOM_MODERATOR, 0));
    CHANGE(mod, HS_ERR_POLICY, after = with_role(after, &last, HS_ROOM_MODERATOR, 0));
    before = with_role(with_role(before, &first, HS_ROOM_MODERATOR, 0), &last, HS_ROOM_MODERATOR, 0);
    CHANGE(mod, HS_ERR_POLICY, after = with_role(after, &first, HS_ROOM_MEMBER, 0));
    CHANGE(mod, HS_ERR_POLICY, after = with_role(after, &last, HS_ROOM_MEMBER, 0));
    before = with_ban(before, &mod2);
    CHANGE(mod, HS_OK, after.name = hs_bytes_str("New")); /* a ban that stood before may stay */
    CHANGE(mod2, HS_ERR_POLICY, after.name = hs_bytes_str("New"));
#undef CHANGE
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_role_ends), cmocka_unit_test(test_rights),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_invalid),   cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_edit),       cmocka_unit_test(test_message),   cmocka_unit_test(test_change),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
