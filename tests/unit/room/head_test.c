#include "unit/room/fixture.h"

#include "room/head.h"
#include "schema/room.pb-c.h"

static struct hs_log_tip tip_at(uint64_t next_seq, const char *story)
{
    return (struct hs_log_tip){.next_seq = next_seq, .hash = id_of(story), .hub_time = now};
}

static Hanse__SignedObject *head_make(const char *node, const char *room_name, struct hs_log_tip tip)
{
    struct hs_signer signer = signer_of(node);
    struct hs_id room = id_of(room_name);
    Hanse__SignedObject *out = NULL;
    assert_ok(hs_head_build(&signer, &room, &tip, 1, 7, now, &arena, &out));
    return out;
}

static struct hs_head head_of(uint64_t next_seq, const char *story)
{
    struct hs_id room = id_of("room");
    struct hs_key key = key_of("node");
    struct hs_head head;
    assert_ok(hs_head_verify(head_make("node", "room", tip_at(next_seq, story)), &key, &room, &head));
    return head;
}

/* ROOM-34 */
static void test_round_trip(void **state)
{
    (void)state;
    struct hs_head head = head_of(10, "a");
    struct hs_id room = id_of("room"), hash = id_of("a");
    struct hs_key key = key_of("node");
    assert_true(head.seq == 9 && head.hub_term == 1 && head.incarnation == 7 && head.created.ms == now.ms);
    assert_true(hs_id_equal(&head.room, &room) && hs_id_equal(&head.hash, &hash));
    assert_true(hs_key_equal(&head.signing_key, &key));
    struct hs_log_tip empty = {0};
    struct hs_signer signer = signer_of("node");
    Hanse__SignedObject *out = NULL;
    assert_err(hs_head_build(&signer, &room, &empty, 1, 7, now, &arena, &out), HS_ERR_INVALID_ARG);
}

/* What a copy keeps and shows to others can be read again. OBJECT-10 */
static void test_unknown_fields(void **state)
{
    (void)state;
    uint8_t one = 1;
    ProtobufCMessageUnknownField unknown = {
        .tag = 99, .wire_type = PROTOBUF_C_WIRE_TYPE_VARINT, .len = 1, .data = &one};
    struct hs_id room = id_of("room");
    struct hs_key key = key_of("node");
    struct hs_head head;
    Hanse__SignedObject *object = head_make("node", "room", tip_at(10, "a"));
    ProtobufCMessage *places[] = {&object->base, &object->signatures[0]->base};
    for (size_t i = 0; i < 2; i++) {
        places[i]->unknown_fields = &unknown;
        places[i]->n_unknown_fields = 1;
        assert_err(hs_head_verify(object, &key, &room, &head), HS_ERR_UNSUPPORTED);
        places[i]->n_unknown_fields = 0;
    }
    assert_ok(hs_head_verify(object, &key, &room, &head));
}

/* ROOM-34 */
static void test_verify_refuses(void **state)
{
    (void)state;
    struct hs_id room = id_of("room");
    struct hs_key key = key_of("node"), root = key_of("root");
    struct hs_head head;
    Hanse__SignedObject *object = head_make("node", "room", tip_at(10, "a"));
    assert_err(hs_head_verify(object, &root, &room, &head), HS_ERR_WRONG_SIGNER);
    assert_err(hs_head_verify(head_make("node", "other room", tip_at(10, "a")), &key, &room, &head),
               HS_ERR_MLS_GROUP);
    assert_err(hs_head_verify(person_make("bob", NULL).certificate, &key, &room, &head), HS_ERR_UNEXPECTED);
    assert_true(head.seq == 0);

    Hanse__Head payload = HANSE__HEAD__INIT;
    struct hs_id hash = id_of("a");
    payload.room = hs_pb_data(HS_VIEW(room));
    payload.hash = hs_pb_data(HS_VIEW(hash));
    struct hs_signer signer = signer_of("node");
    struct hs_author author = {&signer, key, now, NULL};
    struct hs_hdr_spec hdr = {.audience = HS_VIEW(room)};
    assert_ok(hs_object_make(HS_KIND_HEAD, &payload.base, &author, &hdr, &arena, &object));
    assert_ok(hs_head_verify(object, &key, &room, &head));
    author.issuer = root;
    assert_ok(hs_object_make(HS_KIND_HEAD, &payload.base, &author, &hdr, &arena, &object));
    assert_err(hs_head_verify(object, &key, &room, &head), HS_ERR_WRONG_SIGNER);
    author.issuer = key;
    hdr.audience = hs_bytes(NULL, 0);
    assert_ok(hs_object_make(HS_KIND_HEAD, &payload.base, &author, &hdr, &arena, &object));
    assert_err(hs_head_verify(object, &key, &room, &head), HS_ERR_MALFORMED);
    hdr.audience = HS_VIEW(room);
    payload.hash.len = 31;
    assert_ok(hs_object_make(HS_KIND_HEAD, &payload.base, &author, &hdr, &arena, &object));
    assert_err(hs_head_verify(object, &key, &room, &head), HS_ERR_MALFORMED);
    payload.hash.len = 32;
    payload.seq = UINT64_MAX;
    assert_ok(hs_object_make(HS_KIND_HEAD, &payload.base, &author, &hdr, &arena, &object));
    assert_err(hs_head_verify(object, &key, &room, &head), HS_ERR_MALFORMED);
}

/* ROOM-34 */
static void test_altered(void **state)
{
    (void)state;
    struct hs_id room = id_of("room");
    struct hs_key key = key_of("node");
    struct hs_head head;
    Hanse__SignedObject *object = head_make("node", "room", tip_at(10, "a"));
    for (size_t i = 0; i < object->payload.len; i++) {
        object->payload.data[i] ^= 1;
        assert_err(hs_head_verify(object, &key, &room, &head), HS_ERR_BAD_SIGNATURE);
        object->payload.data[i] ^= 1;
    }
    assert_ok(hs_head_verify(object, &key, &room, &head));
}

/* ROOM-35: a hub that tells two stories is caught */
static void test_equivocation(void **state)
{
    (void)state;
    struct hs_head head = head_of(10, "a"), other = head_of(10, "b"), later_head = head_of(11, "c");
    struct hs_log_tip same = tip_at(10, "a"), forked = tip_at(10, "b"), behind = tip_at(9, "x"),
                      ahead = tip_at(11, "x");
    assert_ok(hs_head_check_tip(&head, &same));
    assert_err(hs_head_check_tip(&head, &forked), HS_ERR_LOG_FORK);
    assert_err(hs_head_check_tip(&head, &behind), HS_ERR_LOG_GAP);
    assert_ok(hs_head_check_tip(&head, &ahead));
    struct hs_id a = id_of("a"), b = id_of("b");
    assert_ok(hs_head_check_at(&head.hash, &a));
    assert_err(hs_head_check_at(&head.hash, &b), HS_ERR_LOG_FORK);

    assert_true(hs_head_conflicts(&head, &other));
    assert_false(hs_head_conflicts(&head, &head));
    assert_false(hs_head_conflicts(&head, &later_head));
    struct hs_head moved = other;
    moved.hub_term = 2; /* another hub in office */
    assert_false(hs_head_conflicts(&head, &moved));
    moved = other;
    moved.room = id_of("other room");
    assert_false(hs_head_conflicts(&head, &moved));
    moved = other;
    moved.signing_key = key_of("other node");
    assert_false(hs_head_conflicts(&head, &moved));
    moved = other;
    moved.incarnation = 8; /* a restored hub is bound by what it signed before */
    assert_true(hs_head_conflicts(&head, &moved));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_verify_refuses), cmocka_unit_test(test_altered),
        cmocka_unit_test(test_equivocation),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
