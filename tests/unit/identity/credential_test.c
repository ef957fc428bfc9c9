#include "identity/credential.h"
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

static struct hs_bytes pack(Hanse__SignedObject *const *grants, size_t count, const char *name)
{
    Hanse__SignedObject *certificate = certify(&p, &p.shop, &p.till, at(-HOUR), at(2 * HOUR));
    struct hs_bytes out;
    assert_ok(hs_credential_pack(certificate, grants, count, name, &p.arena, &out));
    return out;
}

static enum hs_err check(struct hs_bytes bytes, struct hs_credential *c)
{
    return hs_credential_verify(bytes, &p.till.signature.pub, &p.root.pub, "rosa.example", now, c);
}

/* IDENTITY-9 */
static void credential_tells_roles_and_handle(void **state)
{
    (void)state;
    Hanse__SignedObject *grants[] = {
        grant(&p, &p.root, &p.shop.pub, HANSE__ROLE__ROLE_TILL, now, at(HOUR)),
        grant(&p, &p.root, &p.shop.pub, HANSE__ROLE__ROLE_STAFF, now, at(HOUR)),
        name_grant(&p, &p.root, &p.shop.pub, "shop", "rosa.example"),
    };
    struct hs_credential c;
    assert_ok(check(pack(grants, 3, "Rosa \xc2\xb7 shop"), &c));
    assert_int_equal(c.roles, HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL) | HS_ROLE_BIT(HANSE__ROLE__ROLE_STAFF));
    assert_string_equal(c.handle, "shop@rosa.example");
    assert_string_equal(c.display_name, "Rosa \xc2\xb7 shop");
    assert_true(hs_key_equal(&c.certificate.persona, &p.shop.pub));
    assert_ok(check(pack(NULL, 0, ""), &c));
    assert_int_equal(c.roles, 0);
    assert_string_equal(c.handle, "");
}

/* IDENTITY-9: a leaf whose key isn't the certificate's, a certificate out of its window. */
static void credential_is_the_leafs(void **state)
{
    (void)state;
    struct hs_bytes bytes = pack(NULL, 0, "");
    struct hs_credential c;
    assert_err(hs_credential_verify(bytes, &p.phone.signature.pub, &p.root.pub, NULL, now, &c),
               HS_ERR_WRONG_SENDER);
    assert_err(hs_credential_verify(bytes, &p.till.signature.pub, &p.root.pub, NULL, at(2 * HOUR), &c),
               HS_ERR_EXPIRED);
    assert_err(hs_credential_verify(bytes, &p.till.signature.pub, &p.root.pub, NULL, at(-2 * HOUR), &c),
               HS_ERR_NOT_YET);
    assert_err(hs_credential_verify(hs_bytes(bytes.data, bytes.len - 1), &p.till.signature.pub, &p.root.pub,
                                    NULL, now, &c),
               HS_ERR_MALFORMED);
    assert_err(hs_credential_verify(hs_bytes(NULL, 0), &p.till.signature.pub, &p.root.pub, NULL, now, &c),
               HS_ERR_MALFORMED);
}

static enum hs_err with_grant(Hanse__SignedObject *g)
{
    struct hs_credential c;
    return check(pack(&g, 1, ""), &c);
}

/* IDENTITY-10: a grant that doesn't hold is refused, not ignored. */
static void foreign_grants_are_refused(void **state)
{
    (void)state;
    const Hanse__Role till = HANSE__ROLE__ROLE_TILL;
    assert_ok(with_grant(grant(&p, &p.root, &p.shop.pub, till, now, at(HOUR))));
    assert_err(with_grant(grant(&p, &p.other_root, &p.shop.pub, till, now, at(HOUR))), HS_ERR_WRONG_SIGNER);
    assert_err(with_grant(grant(&p, &p.root, &p.customer.pub, till, now, at(HOUR))), HS_ERR_BAD_CHAIN);
    assert_err(with_grant(grant(&p, &p.root, &p.shop.pub, till, at(-HOUR), now)), HS_ERR_EXPIRED);
    assert_err(with_grant(grant(&p, &p.root, &p.shop.pub, till, at(1), at(HOUR))), HS_ERR_NOT_YET);
    assert_err(with_grant(name_grant(&p, &p.other_root, &p.shop.pub, "a", "rosa.example")),
               HS_ERR_WRONG_SIGNER);
    assert_err(with_grant(name_grant(&p, &p.root, &p.customer.pub, "a", "rosa.example")), HS_ERR_BAD_CHAIN);
    assert_err(with_grant(name_grant(&p, &p.root, &p.shop.pub, "a", "mira.example")), HS_ERR_NAME_REFUSED);
    assert_err(with_grant(certify(&p, &p.shop, &p.till, now, at(HOUR))), HS_ERR_UNEXPECTED);
    Hanse__SignedObject *two[] = {name_grant(&p, &p.root, &p.shop.pub, "a", "rosa.example"),
                                  name_grant(&p, &p.root, &p.shop.pub, "b", "rosa.example")};
    struct hs_credential c;
    assert_err(check(pack(two, 2, ""), &c), HS_ERR_MALFORMED);
}

/* IDENTITY-9: limits, and one past them. */
static void credential_has_limits(void **state)
{
    (void)state;
    Hanse__SignedObject *grants[HS_CREDENTIAL_GRANTS + 1];
    for (size_t i = 0; i <= HS_CREDENTIAL_GRANTS; i++)
        grants[i] = grant(&p, &p.root, &p.shop.pub, HANSE__ROLE__ROLE_TILL, now, at(HOUR));
    struct hs_credential c;
    assert_ok(check(pack(grants, HS_CREDENTIAL_GRANTS, ""), &c));
    Hanse__SignedObject *certificate = certify(&p, &p.shop, &p.till, now, at(HOUR));
    struct hs_bytes out;
    assert_err(hs_credential_pack(certificate, grants, HS_CREDENTIAL_GRANTS + 1, "", &p.arena, &out),
               HS_ERR_INVALID_ARG);
    char name[HS_CREDENTIAL_NAME_MAX + 2] = {0};
    memset(name, 'n', HS_CREDENTIAL_NAME_MAX);
    assert_ok(check(pack(NULL, 0, name), &c));
    assert_string_equal(c.display_name, name);
    name[HS_CREDENTIAL_NAME_MAX] = 'n';
    assert_err(hs_credential_pack(certificate, NULL, 0, name, &p.arena, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_credential_pack(certificate, NULL, 0, "a\nb", &p.arena, &out), HS_ERR_INVALID_ARG);
    assert_err(hs_credential_pack(certificate, NULL, 0, "\xff", &p.arena, &out), HS_ERR_INVALID_ARG);
    uint8_t big[HS_CREDENTIAL_MAX + 1] = {0};
    assert_err(check(hs_bytes(big, sizeof big), &c), HS_ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credential_tells_roles_and_handle),
        cmocka_unit_test(credential_is_the_leafs),
        cmocka_unit_test(foreign_grants_are_refused),
        cmocka_unit_test(credential_has_limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
