#include "unit/room/fixture.h"

static enum hs_err check(struct hs_bytes identity, const struct hs_key *key, const struct hs_key *root,
                         struct hs_time at, struct hs_room_member *out)
{
    struct hs_mls_member leaf = leaf_make(identity, key);
    return hs_room_leaf_check(&leaf, root, at, out);
}

static enum hs_err persona_of(struct hs_bytes identity, struct hs_key *out)
{
    struct hs_mls_member leaf = {.credential_type = HS_MLS_BASIC, .identity = identity};
    return hs_room_leaf_persona(&leaf, out);
}

/* ROOM-5 */
static void test_check(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa"), bob = person_make("bob", NULL);
    struct hs_key root = key_of("root"), persona;
    struct hs_room_member member;
    assert_ok(hs_room_leaf_check(&rosa.leaf, &root, now, &member));
    assert_true(hs_key_equal(&member.persona, &rosa.persona.pub));
    assert_true(hs_key_equal(&member.device, &rosa.device.pub));
    assert_int_equal(member.device_number, 1);
    assert_string_equal(member.handle, "rosa@rosa.example");
    assert_string_equal(member.display_name, "rosa");
    assert_true(hs_room_member_is_endorsed(&member));
    assert_ok(hs_room_leaf_check(&bob.leaf, &root, now, &member));
    assert_false(hs_room_member_is_endorsed(&member));
    member.roles = HS_ROLE_BIT(HANSE__ROLE__ROLE_STEWARD);
    assert_true(hs_room_member_is_endorsed(&member));
    assert_ok(hs_room_leaf_persona(&rosa.leaf, &persona));
    assert_true(hs_key_equal(&persona, &rosa.persona.pub));
}

/* ROOM-5 */
static void test_refused(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa"), bob = person_make("bob", NULL);
    struct hs_key root = key_of("root"), other_root = key_of("other root"), persona;
    struct hs_room_member member;
    assert_err(check(rosa.identity, &bob.device.pub, &root, now, &member), HS_ERR_WRONG_SENDER);
    assert_err(hs_room_leaf_check(&rosa.leaf, &other_root, now, &member), HS_ERR_WRONG_SIGNER);
    assert_ok(hs_room_leaf_check(&bob.leaf, &other_root, now, &member));
    assert_ok(hs_room_leaf_check(&bob.leaf, &root, later(200 * day_ms - 1), &member));
    assert_err(hs_room_leaf_check(&bob.leaf, &root, later(200 * day_ms), &member), HS_ERR_EXPIRED);
    assert_err(hs_room_leaf_check(&bob.leaf, &root, later(-day_ms), &member), HS_ERR_NOT_YET);
    assert_true(member.persona.b[0] == 0 && member.display_name[0] == 0);
    assert_err(check(hs_bytes(NULL, 0), &bob.device.pub, &root, now, &member), HS_ERR_MALFORMED);
    assert_err(persona_of(hs_bytes(NULL, 0), &persona), HS_ERR_MALFORMED);
    uint8_t *big = hs_arena_alloc(&arena, HS_CREDENTIAL_MAX + 1);
    assert_err(persona_of(hs_bytes(big, HS_CREDENTIAL_MAX + 1), &persona), HS_ERR_TOO_LARGE);

    struct hs_signer dave = signer_of("dave");
    struct hs_bytes stolen;
    struct hs_signer root_signer = signer_of("root");
    Hanse__SignedObject *grant = handle_make(&root_signer, &dave.pub, "dave");
    assert_ok(hs_credential_pack(bob.certificate, &grant, 1, "bob", &arena, &stolen));
    assert_err(check(stolen, &bob.device.pub, &root, now, &member), HS_ERR_BAD_CHAIN);
}

/* ROOM-5: only the chosen name may be altered without notice, as it is not signed by the brand; MLS signs it
 */
static void test_altered(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_key root = key_of("root");
    struct hs_room_member member;
    uint8_t *copy = bytes_copy(rosa.identity);
    size_t accepted = 0;
    for (size_t i = 0; i < rosa.identity.len; i++) {
        copy[i] ^= 1;
        if (check(hs_bytes(copy, rosa.identity.len), &rosa.device.pub, &root, now, &member) == HS_OK) {
            accepted++;
            assert_string_not_equal(member.display_name, "rosa");
            assert_string_equal(member.handle, "rosa@rosa.example");
        }
        copy[i] ^= 1;
    }
    assert_int_equal(accepted, 4); /* the letters of "rosa" */
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool scarce;

void *__wrap_calloc(size_t count, size_t size)
{
    return scarce ? NULL : __real_calloc(count, size);
}

/* Whoever is a member is one where there is no memory, too: else somebody would be let in twice. */
static void test_members_without_memory(void **state)
{
    (void)state;
    struct person rosa = person_make("rosa", "rosa");
    struct hs_key root = key_of("root"), persona;
    struct hs_room_member member;
    scarce = true;
    enum hs_err checked = hs_room_leaf_check(&rosa.leaf, &root, now, &member);
    enum hs_err found = hs_room_leaf_persona(&rosa.leaf, &persona);
    scarce = false;
    assert_err(checked, HS_ERR_NOMEM);
    assert_ok(found);
    assert_true(hs_key_equal(&persona, &rosa.persona.pub));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_altered),
        cmocka_unit_test(test_members_without_memory),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
