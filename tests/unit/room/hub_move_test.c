#include "unit/room/group_fixture.h"

#include "room/head.h"
#include "room/hub_move.h"

static struct hs_signer node_of(const char *name)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%s's node", name);
    return signer_of(text);
}

static Hanse__SignedObject *descriptor_make(const char *root)
{
    struct hs_signer signer = signer_of(root);
    struct hs_descriptor d = {.signing_key = node_of(root).pub,
                              .transport_key = key_of("transport"),
                              .domain = "new.example",
                              .address_count = 1,
                              .sequence = 1,
                              .not_after = later(30 * day_ms)};
    (void)snprintf(d.addresses[0], sizeof d.addresses[0], "new.example:7700");
    Hanse__SignedObject *out = NULL;
    assert_ok(hs_descriptor_build(&signer, &d, now, &arena, &out));
    return out;
}

static struct hs_bytes move_make(const struct person *owner, const char *root, uint32_t term)
{
    struct hs_hub_move_spec spec = {.device = &owner->device,
                                    .certificate = owner->certificate,
                                    .descriptor = descriptor_make(root),
                                    .room = id_of("room"),
                                    .office = {key_of(root), term},
                                    .now = now};
    struct hs_writer HS_WRITER w = hs_writer(HS_HUB_MOVE_MAX);
    assert_ok(hs_hub_move_build(&spec, &w));
    return hs_arena_copy(&arena, hs_writer_bytes(&w));
}

/* ROOM-82 */
static void test_round_trip(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_id room = id_of("room"), other = id_of("other");
    struct hs_hub_move move;
    struct hs_bytes body = move_make(&rosa, "new root", 2);
    assert_ok(hs_hub_move_verify(body, &room, now, &arena, &move));
    struct hs_key root = key_of("new root");
    assert_true(hs_key_equal(&move.owner, &rosa.persona.pub) && hs_key_equal(&move.device, &rosa.device.pub));
    assert_true(hs_key_equal(&move.office.root, &root) && move.office.term == 2);
    assert_string_equal(move.new_hub.addresses[0], "new.example:7700");
    assert_err(hs_hub_move_verify(body, &other, now, &arena, &move), HS_ERR_MLS_GROUP);
    assert_true(move.office.term == 0);
    /* before it was made; after the descriptor's end */
    assert_err(hs_hub_move_verify(body, &room, later(-HS_CLOCK_SKEW_MS - 1), &arena, &move), HS_ERR_NOT_YET);
    assert_err(hs_hub_move_verify(body, &room, later(30 * day_ms), &arena, &move), HS_ERR_EXPIRED);
    /* ROOM-94 */
    assert_ok(hs_hub_move_verify(body, &room, later(HS_HUB_MOVE_AGE_MS), &arena, &move));
    assert_err(hs_hub_move_verify(body, &room, later(HS_HUB_MOVE_AGE_MS + 1), &arena, &move), HS_ERR_EXPIRED);
    for (size_t bit = 0; bit < body.len * 8; bit += 13) { /* every part is signed */
        uint8_t *bytes = bytes_copy(body);
        bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
        assert_true(hs_hub_move_verify(hs_bytes(bytes, body.len), &room, now, &arena, &move) != HS_OK);
    }
    uint8_t *large = bytes_copy(hs_bytes(hs_arena_alloc(&arena, HS_HUB_MOVE_MAX + 1), HS_HUB_MOVE_MAX + 1));
    assert_err(hs_hub_move_verify(hs_bytes(large, HS_HUB_MOVE_MAX + 1), &room, now, &arena, &move),
               HS_ERR_TOO_LARGE);
}

static void test_build_refuses(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa"), bob = person_make("bob", NULL);
    struct hs_writer HS_WRITER w = hs_writer(HS_HUB_MOVE_MAX);
    struct hs_hub_move_spec good = {.device = &rosa.device,
                                    .certificate = rosa.certificate,
                                    .descriptor = descriptor_make("new root"),
                                    .room = id_of("room"),
                                    .office = {key_of("new root"), 2},
                                    .now = now},
                            spec = good;
    spec.certificate = bob.certificate;
    assert_err(hs_hub_move_build(&spec, &w), HS_ERR_INVALID_ARG);
    spec = good;
    spec.office.term = 1;
    assert_err(hs_hub_move_build(&spec, &w), HS_ERR_INVALID_ARG);
    spec = good;
    spec.office.root = key_of("another");
    assert_err(hs_hub_move_build(&spec, &w), HS_ERR_INVALID_ARG);
    assert_int_equal(hs_writer_bytes(&w).len, 0);
}

/* ROOM-83: what a hub that goes leaves behind. */
static Hanse__HubMoved *moved_make(const char *from, struct hs_bytes body, uint32_t term, uint64_t seq)
{
    Hanse__HubMoved *out = hs_arena_alloc(&arena, sizeof *out);
    struct hs_signer node = node_of(from);
    struct hs_log_tip tip = {.next_seq = seq, .hash = id_of("before"), .hub_time = now};
    struct hs_id room = id_of("room");
    struct hs_record_spec spec = {.kind = HS_RECORD_HUB_MOVE, .body = body, .hub_time = now};
    struct hs_writer HS_WRITER w = hs_writer(HS_RECORD_HEADER_MAX);
    *out = (Hanse__HubMoved)HANSE__HUB_MOVED__INIT;
    assert_ok(hs_log_build_next(&tip, &room, &spec, &w, NULL));
    assert_ok(hs_head_build(&node, &room, &tip, term, 0, now, &arena, &out->head));
    out->header = hs_pb_data(hs_arena_copy(&arena, hs_writer_bytes(&w)));
    out->body = hs_pb_data(body);
    out->descriptor = descriptor_make(from);
    return out;
}

/* ROOM-83 */
static void test_chain(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_id room = id_of("room");
    struct hs_key brand, root = key_of("root"), last = key_of("third");
    struct hs_hub_office office;
    struct hs_bytes second = move_make(&rosa, "second", 2), third = move_make(&rosa, "third", 3), at;
    Hanse__HubMoved *list[] = {moved_make("root", second, 1, 7), moved_make("second", third, 2, 9)};
    assert_ok(hs_hub_moved_verify(list, 2, &room, &arena, &brand, &office, &at));
    assert_true(hs_key_equal(&brand, &root) && hs_key_equal(&office.root, &last) && office.term == 3);
    assert_ok(hs_hub_moved_verify(list, 1, &room, &arena, &brand, &office, NULL));
    assert_true(office.term == 2);
    assert_err(hs_hub_moved_verify(list, 0, &room, &arena, &brand, &office, NULL), HS_ERR_MALFORMED);
    assert_err(hs_hub_moved_verify(list, HS_HUB_MOVED_MAX + 1, &room, &arena, &brand, &office, NULL),
               HS_ERR_TOO_LARGE);
    /* a link that is missing; a hub that was never in office; a head of another term, of another record */
    assert_err(hs_hub_moved_verify(list + 1, 1, &room, &arena, &brand, &office, NULL), HS_ERR_MALFORMED);
    Hanse__HubMoved *stranger[] = {list[0], moved_make("stranger", third, 2, 9)};
    assert_err(hs_hub_moved_verify(stranger, 2, &room, &arena, &brand, &office, NULL), HS_ERR_MALFORMED);
    Hanse__HubMoved *term[] = {moved_make("root", second, 2, 7)};
    assert_err(hs_hub_moved_verify(term, 1, &room, &arena, &brand, &office, NULL), HS_ERR_MALFORMED);
    Hanse__HubMoved other = *list[0], *others[] = {&other};
    other.head = moved_make("root", second, 1, 8)->head;
    assert_err(hs_hub_moved_verify(others, 1, &room, &arena, &brand, &office, NULL), HS_ERR_MALFORMED);
    other = *list[0];
    other.body = hs_pb_data(third);
    assert_err(hs_hub_moved_verify(others, 1, &room, &arena, &brand, &office, NULL), HS_ERR_MALFORMED);
    other = *list[0];
    other.descriptor = descriptor_make("stranger");
    assert_err(hs_hub_moved_verify(others, 1, &room, &arena, &brand, &office, NULL), HS_ERR_WRONG_SIGNER);
}

/* ROOM-83: as long as a chain may be, it fits into a frame; without any of its links, with one twice, or with
 * one that comes before the one that it follows, it proves nothing. */
static void test_longest_chain(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_id room = id_of("room");
    struct hs_key brand;
    struct hs_hub_office office;
    Hanse__HubMoved *list[HS_HUB_MOVED_MAX + 1], *wrong[HS_HUB_MOVED_MAX];
    char names[HS_HUB_MOVED_MAX + 2][16];
    size_t len = 0;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        (void)snprintf(names[i], sizeof names[i], "hub %zu", i);
    for (size_t i = 0; i < HS_HUB_MOVED_MAX; i++) {
        struct hs_bytes body = move_make(&rosa, names[i + 1], (uint32_t)i + 2);
        list[i] = moved_make(names[i], body, (uint32_t)i + 1, 10 * (i + 1));
        len += hanse__hub_moved__get_packed_size(list[i]) + 4;
    }
    assert_true(len < 48 * 1024);
    assert_ok(hs_hub_moved_verify(list, HS_HUB_MOVED_MAX, &room, &arena, &brand, &office, NULL));
    assert_int_equal(office.term, HS_HUB_TERM_MAX);
    list[HS_HUB_MOVED_MAX] = list[0];
    assert_err(hs_hub_moved_verify(list, HS_HUB_MOVED_MAX + 1, &room, &arena, &brand, &office, NULL),
               HS_ERR_TOO_LARGE);
    for (size_t hole = 0; hole + 1 < HS_HUB_MOVED_MAX; hole++) {
        memcpy(wrong, list, sizeof wrong);
        memmove(wrong + hole, wrong + hole + 1, (HS_HUB_MOVED_MAX - hole - 1) * sizeof *wrong);
        assert_err(hs_hub_moved_verify(wrong, HS_HUB_MOVED_MAX - 1, &room, &arena, &brand, &office, NULL),
                   HS_ERR_MALFORMED);
        memcpy(wrong, list, sizeof wrong);
        wrong[hole + 1] = wrong[hole];
        assert_err(hs_hub_moved_verify(wrong, HS_HUB_MOVED_MAX, &room, &arena, &brand, &office, NULL),
                   HS_ERR_MALFORMED);
    }
    memcpy(wrong, list, sizeof wrong);
    wrong[1] = moved_make(names[1], move_make(&rosa, names[2], 3), 2, 10);
    assert_err(hs_hub_moved_verify(wrong, 2, &room, &arena, &brand, &office, NULL), HS_ERR_MALFORMED);
}

/* ROOM-1, ROOM-84: one encoding of the hub in office. */
static void test_policy(void **state)
{
    (void)state;
    struct hs_key owner = key_of("owner"), root = key_of("root"), new = key_of("new root");
    struct hs_policy policy = policy_make(&owner, HS_ROOM_GROUP), read;
    struct hs_hub_office office = hs_policy_office(&policy);
    struct hs_writer HS_WRITER w = hs_writer(HS_POLICY_MAX);
    assert_true(hs_key_equal(&office.root, &root) && office.term == 1);
    policy = hs_policy_set_office(&policy, &(struct hs_hub_office){new, 2});
    assert_ok(hs_policy_parse(policy_bytes(&policy), &arena, &read));
    office = hs_policy_office(&read);
    assert_true(hs_key_equal(&office.root, &new) && office.term == 2 && hs_key_equal(&read.hub_root, &root));
    policy = hs_policy_set_office(&policy, &(struct hs_hub_office){root, HS_HUB_TERM_MAX}); /* home again */
    assert_ok(hs_policy_parse(policy_bytes(&policy), &arena, &read));
    assert_true(hs_key_equal(&read.hub_office, &(struct hs_key){0}));
    policy.hub_office = root;
    assert_err(hs_policy_pack(&policy, &w), HS_ERR_INVALID_ARG);
    policy.hub_office = new;
    policy.hub_term = 1;
    assert_err(hs_policy_pack(&policy, &w), HS_ERR_INVALID_ARG);
    policy.hub_term = HS_HUB_TERM_MAX + 1;
    assert_err(hs_policy_pack(&policy, &w), HS_ERR_TOO_LARGE);
}

/* ROOM-84: nobody is added while the policy doesn't know the hub in office. */
static void test_judge(void **state)
{
    (void)state;
    struct room room;
    room_make(&room, HS_ROOM_GROUP);
    struct hs_hub_office office = {key_of("new root"), 2};
    struct hs_judge_join join = join_of(&room, &room.bob);
    struct hs_room_member max;
    struct hs_key root = key_of("root");
    assert_ok(hs_room_leaf_check(&room.max.leaf, &root, now, &max));
    struct hs_judge_added added = {.by = &max, .key_package_ref = join.join.key_package_ref};
    assert_ok(hs_room_leaf_check(&room.bob.leaf, &root, now, &added.member));
    struct hs_judge_commit c = {.policy = &room.policy,
                                .room = room.id,
                                .hub_time = now,
                                .committer = &max,
                                .members = 2,
                                .added = &added,
                                .added_count = 1,
                                .joins = &join,
                                .join_count = 1};
    assert_ok(hs_judge_commit(&c));
    c.office = &office;
    assert_err(hs_judge_commit(&c), HS_ERR_HUB_MOVED);
    struct hs_policy after = hs_policy_set_office(&room.policy, &office);
    c.policy = &after;
    assert_ok(hs_judge_commit(&c));
    room_free(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_build_refuses),
        cmocka_unit_test(test_chain),      cmocka_unit_test(test_longest_chain),
        cmocka_unit_test(test_policy),     cmocka_unit_test(test_judge),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
