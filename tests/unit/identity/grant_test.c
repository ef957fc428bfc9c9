#include "unit/identity/people.h"

#include <string.h>

static struct people p;

static int setup(void **state)
{
    (void)state;
    people_init(&p);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hs_arena_free(&p.arena);
    return 0;
}

/* IDENTITY-6 */
static void grant_names_key_and_role(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = grant(&p, &p.root, &p.shop.pub, HANSE__ROLE__ROLE_TILL, at(-HOUR), at(HOUR));
    struct hs_grant g;
    assert_ok(hs_grant_verify(obj, &p.root.pub, now, &g));
    assert_true(hs_key_equal(&g.key, &p.shop.pub));
    assert_int_equal(g.role, HANSE__ROLE__ROLE_TILL);
    assert_err(hs_grant_verify(obj, &p.other_root.pub, now, &g), HS_ERR_WRONG_SIGNER);
    assert_err(hs_grant_verify(obj, &p.root.pub, at(HOUR), &g), HS_ERR_EXPIRED);
    assert_err(hs_grant_verify(obj, &p.root.pub, at(-2 * HOUR), &g), HS_ERR_NOT_YET);
}

static void grant_without_role_is_refused(void **state)
{
    (void)state;
    struct hs_grant g = {.key = p.shop.pub, .role = HANSE__ROLE__ROLE_NONE};
    Hanse__SignedObject *obj;
    assert_err(hs_grant_build(&p.root, &g, now, &p.arena, &obj), HS_ERR_INVALID_ARG);
    Hanse__Grant msg = HANSE__GRANT__INIT;
    msg.key = hs_pb_data(HS_VIEW(p.shop.pub));
    struct hs_author author = {.signer = &p.root, .issuer = p.root.pub, .now = now};
    assert_ok(hs_object_make(HS_KIND_GRANT, &msg.base, &author, &(struct hs_hdr_spec){0}, &p.arena, &obj));
    assert_err(hs_grant_verify(obj, &p.root.pub, now, &g), HS_ERR_MALFORMED);
}

/* IDENTITY-6: an owner has every role, nobody else any but his own. */
static void owner_implies_every_role(void **state)
{
    (void)state;
    for (unsigned role = HANSE__ROLE__ROLE_OWNER; role <= HANSE__ROLE__ROLE_FULFILLER; role++) {
        assert_true((hs_role_set(HANSE__ROLE__ROLE_OWNER) & HS_ROLE_BIT(role)) != 0);
        if (role != HANSE__ROLE__ROLE_OWNER)
            assert_int_equal(hs_role_set((Hanse__Role)role), HS_ROLE_BIT(role));
        assert_int_equal(hs_role_of(hs_bytes_str(hs_role_name((Hanse__Role)role))), role);
    }
    assert_int_equal(hs_role_set(HANSE__ROLE__ROLE_NONE), 0);
    assert_int_equal(hs_role_set((Hanse__Role)8), 0);
    assert_string_equal(hs_role_name((Hanse__Role)8), "none");
    assert_int_equal(hs_role_of(hs_bytes_str("none")), HANSE__ROLE__ROLE_NONE);
    assert_int_equal(hs_role_of(hs_bytes_str("king")), HANSE__ROLE__ROLE_NONE);
}

/* IDENTITY-7 */
static void handle_belongs_to_key(void **state)
{
    (void)state;
    Hanse__SignedObject *obj = name_grant(&p, &p.root, &p.shop.pub, "support", "rosa.example");
    struct hs_handle_grant g;
    assert_ok(hs_handle_grant_verify(obj, &p.root.pub, now, &g));
    assert_string_equal(g.name, "support");
    assert_string_equal(g.domain, "rosa.example");
    assert_true(hs_key_equal(&g.key, &p.shop.pub));
    assert_err(hs_handle_grant_verify(obj, &p.other_root.pub, now, &g), HS_ERR_WRONG_SIGNER);
    assert_err(hs_handle_grant_verify(obj, &p.root.pub, at(HOUR), &g), HS_ERR_EXPIRED);
}

static enum hs_err foreign_name(const char *name, const char *domain)
{
    Hanse__HandleGrant msg = HANSE__HANDLE_GRANT__INIT;
    msg.key = hs_pb_data(HS_VIEW(p.shop.pub));
    msg.name = (char *)(uintptr_t)name;
    msg.domain = (char *)(uintptr_t)domain;
    struct hs_author author = {.signer = &p.root, .issuer = p.root.pub, .now = now};
    Hanse__SignedObject *obj;
    assert_ok(
        hs_object_make(HS_KIND_HANDLE_GRANT, &msg.base, &author, &(struct hs_hdr_spec){0}, &p.arena, &obj));
    struct hs_handle_grant g;
    return hs_handle_grant_verify(obj, &p.root.pub, now, &g);
}

/* IDENTITY-7: [a-z0-9._-]{1,64}, at the limit and one past it. */
static void handle_syntax_is_exact(void **state)
{
    (void)state;
    char longest[HS_HANDLE_MAX + 2] = {0};
    memset(longest, 'a', HS_HANDLE_MAX);
    assert_ok(foreign_name(longest, "rosa.example"));
    longest[HS_HANDLE_MAX] = 'a';
    assert_err(foreign_name(longest, "rosa.example"), HS_ERR_NAME_REFUSED);
    const char *bad[] = {"", "A", "a b", "a@b", "\xc3\xa9", "a/b", "a\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_err(foreign_name(bad[i], "rosa.example"), HS_ERR_NAME_REFUSED);
    assert_ok(foreign_name("a.b_c-9", "rosa.example"));
    assert_err(foreign_name("a", "Rosa.example"), HS_ERR_NAME_REFUSED);
    assert_err(foreign_name("a", ""), HS_ERR_NAME_REFUSED);
    struct hs_handle_grant g = {.key = p.shop.pub, .name = "A", .domain = "rosa.example"};
    Hanse__SignedObject *obj;
    assert_err(hs_handle_grant_build(&p.root, &g, now, &p.arena, &obj), HS_ERR_NAME_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grant_names_key_and_role), cmocka_unit_test(grant_without_role_is_refused),
        cmocka_unit_test(owner_implies_every_role), cmocka_unit_test(handle_belongs_to_key),
        cmocka_unit_test(handle_syntax_is_exact),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
