#include "identity/ticket.h"
#include "unit/identity/people.h"

#include <string.h>

static struct people p;
static const struct hs_secret32 seed = {{77}};

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

static Hanse__SignedObject *make_ticket(const struct hs_signer *root, uint32_t max_uses)
{
    struct hs_signer key;
    hs_identity_derive(&seed, &key);
    Hanse__SignedObject *obj;
    assert_ok(hs_ticket_build(root, &key.pub, max_uses, now, at(HOUR / 2), &p.arena, &obj));
    return obj;
}

/* IDENTITY-12: what the node checks. */
static void ticket_and_proof(void **state)
{
    (void)state;
    struct hs_signer key;
    hs_identity_derive(&seed, &key);
    Hanse__SignedObject *obj = make_ticket(&p.root, 5), *proof;
    struct hs_ticket t;
    assert_ok(hs_ticket_verify(obj, &p.root.pub, now, &t));
    assert_int_equal(t.max_uses, 5);
    assert_err(hs_ticket_verify(obj, &p.other_root.pub, now, &t), HS_ERR_TICKET_INVALID);
    assert_err(hs_ticket_verify(obj, &p.root.pub, at(HOUR / 2), &t), HS_ERR_EXPIRED);
    assert_err(hs_ticket_verify(describe(&p, &p.root), &p.root.pub, now, &t), HS_ERR_TICKET_INVALID);

    const struct hs_key *persona = &p.customer.pub;
    assert_ok(hs_ticket_proof_build(&key, &p.root.pub, persona, now, at(1000), &p.arena, &proof));
    assert_ok(hs_ticket_proof_verify(proof, &t, persona, now));
    assert_err(hs_ticket_proof_verify(proof, &t, &p.shop.pub, now), HS_ERR_TICKET_INVALID);
    assert_err(hs_ticket_proof_verify(proof, &t, persona, at(1000)), HS_ERR_EXPIRED);
    struct hs_ticket elsewhere = t;
    elsewhere.root = p.other_root.pub;
    assert_err(hs_ticket_proof_verify(proof, &elsewhere, persona, now), HS_ERR_TICKET_INVALID);
    assert_ok(hs_ticket_proof_build(&p.customer, &p.root.pub, persona, now, at(1000), &p.arena, &proof));
    assert_err(hs_ticket_proof_verify(proof, &t, persona, now), HS_ERR_TICKET_INVALID);
    assert_err(hs_ticket_proof_verify(NULL, &t, persona, now), HS_ERR_TICKET_INVALID);
    Hanse__SignedObject *none;
    assert_err(hs_ticket_build(&p.root, &key.pub, 0, now, at(1), &p.arena, &none), HS_ERR_INVALID_ARG);
}

/* IDENTITY-13: a customers' ticket. */
static void text_of_a_customers_ticket(void **state)
{
    (void)state;
    char *text;
    assert_ok(hs_ticket_text_build(&seed, describe(&p, &p.root), make_ticket(&p.root, 100), NULL, 0, now,
                                   &p.arena, &text));
    assert_memory_equal(text, "hanse:t/", 8);
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) t;
    assert_ok(hs_ticket_text_parse(hs_bytes_str(text), now, &p.arena, &t));
    assert_true(hs_key_equal(&t.descriptor.root, &p.root.pub));
    assert_string_equal(t.descriptor.domain, "rosa.example");
    assert_int_equal(t.ticket.max_uses, 100);
    assert_int_equal(t.roles, 0);
    assert_true(hs_secret_equal(HS_VIEW(t.seed), HS_VIEW(seed)));
    assert_err(hs_ticket_text_parse(hs_bytes_str(text), at(HOUR / 2), &p.arena, &t), HS_ERR_EXPIRED);
    assert_err(hs_ticket_text_parse(hs_bytes_str("hanse:t/"), now, &p.arena, &t), HS_ERR_TICKET_INVALID);
    assert_err(hs_ticket_text_parse(hs_bytes_str("hanse:x/abcd"), now, &p.arena, &t), HS_ERR_TICKET_INVALID);
    for (size_t i = 0; text[i] != '\0'; i++) {
        char kept = text[i];
        text[i] = kept == 'A' ? 'B' : 'A';
        assert_true(hs_ticket_text_parse(hs_bytes_str(text), now, &p.arena, &t) != HS_OK);
        text[i] = kept;
        p.arena.used = 0; /* the memory itself is kept until the end */
    }
}

/* IDENTITY-13: a role's ticket: the seed is the identity that the grants name. */
static void text_of_a_roles_ticket(void **state)
{
    (void)state;
    struct hs_signer key;
    hs_identity_derive(&seed, &key);
    Hanse__SignedObject *grants[] = {
        grant(&p, &p.root, &key.pub, HANSE__ROLE__ROLE_OWNER, now, (struct hs_time){0}),
        name_grant(&p, &p.root, &key.pub, "rosa", "rosa.example"),
    };
    Hanse__SignedObject *d = describe(&p, &p.root);
    char *text;
    assert_ok(hs_ticket_text_build(&seed, d, make_ticket(&p.root, 1), grants, 2, now, &p.arena, &text));
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) t;
    assert_ok(hs_ticket_text_parse(hs_bytes_str(text), now, &p.arena, &t));
    assert_int_equal(t.roles, HS_ROLES_ALL);
    assert_string_equal(t.handle, "rosa@rosa.example");
    assert_int_equal(t.grant_count, 2);

    /* more than one use, another root's ticket, grants for another key or by another root */
    assert_err(hs_ticket_text_build(&seed, d, make_ticket(&p.root, 2), grants, 2, now, &p.arena, &text),
               HS_ERR_INVALID_ARG);
    assert_err(hs_ticket_text_build(&seed, d, make_ticket(&p.other_root, 1), grants, 2, now, &p.arena, &text),
               HS_ERR_INVALID_ARG);
    grants[0] = grant(&p, &p.root, &p.shop.pub, HANSE__ROLE__ROLE_OWNER, now, at(HOUR));
    assert_err(hs_ticket_text_build(&seed, d, make_ticket(&p.root, 1), grants, 2, now, &p.arena, &text),
               HS_ERR_INVALID_ARG);
    grants[0] = grant(&p, &p.other_root, &key.pub, HANSE__ROLE__ROLE_OWNER, now, at(HOUR));
    assert_err(hs_ticket_text_build(&seed, d, make_ticket(&p.root, 1), grants, 2, now, &p.arena, &text),
               HS_ERR_INVALID_ARG);
    struct hs_secret32 other = {{78}};
    assert_err(hs_ticket_text_build(&other, d, make_ticket(&p.root, 1), NULL, 0, now, &p.arena, &text),
               HS_ERR_INVALID_ARG);
}

/* IDENTITY-13: grants and length, at the limit and one past it. */
static void text_has_limits(void **state)
{
    (void)state;
    struct hs_signer key;
    hs_identity_derive(&seed, &key);
    Hanse__SignedObject *grants[HS_TICKET_GRANTS + 1];
    for (size_t i = 0; i <= HS_TICKET_GRANTS; i++)
        grants[i] = grant(&p, &p.root, &key.pub, HANSE__ROLE__ROLE_TILL, now, at(HOUR));
    Hanse__SignedObject *d = describe(&p, &p.root), *ticket = make_ticket(&p.root, 1);
    char *text;
    struct hs_ticket_text HS_AUTO(hs_ticket_text_wipe) t = {0};
    assert_err(hs_ticket_text_build(&seed, d, ticket, grants, HS_TICKET_GRANTS + 1, now, &p.arena, &text),
               HS_ERR_INVALID_ARG);
    assert_ok(hs_ticket_text_build(&seed, d, ticket, grants, HS_TICKET_GRANTS, now, &p.arena, &text));
    assert_ok(hs_ticket_text_parse(hs_bytes_str(text), now, &p.arena, &t));
    char longer[HS_TICKET_TEXT_MAX + 1];
    memset(longer, 'A', sizeof longer);
    memcpy(longer, "hanse:t/", 8);
    assert_err(hs_ticket_text_parse(hs_bytes(longer, sizeof longer), now, &p.arena, &t),
               HS_ERR_TICKET_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticket_and_proof),
        cmocka_unit_test(text_of_a_customers_ticket),
        cmocka_unit_test(text_of_a_roles_ticket),
        cmocka_unit_test(text_has_limits),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
