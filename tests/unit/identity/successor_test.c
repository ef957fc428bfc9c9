#include "identity/successor.h"
#include "schema/identity.pb-c.h"
#include "unit/identity/people.h"

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

/* IDENTITY-17: both roots sign, the new one is the one that shows it. */
static void both_roots_sign(void **state)
{
    (void)state;
    Hanse__SignedObject *obj, *swapped;
    struct hs_key old;
    assert_ok(hs_successor_build(&p.root, &p.other_root, now, &p.arena, &obj));
    assert_ok(hs_successor_verify(obj, &p.other_root.pub, now, &old));
    assert_true(hs_key_equal(&old, &p.root.pub));
    assert_ok(hs_successor_verify(obj, &p.other_root.pub, at(1000 * HOUR), &old)); /* it has no end */
    assert_err(hs_successor_verify(obj, &p.other_root.pub, at(-HOUR), &old), HS_ERR_NOT_YET);
    assert_err(hs_successor_verify(obj, &p.node.pub, now, &old), HS_ERR_WRONG_SIGNER);
    assert_err(hs_successor_verify(obj, &p.root.pub, now, &old), HS_ERR_WRONG_SIGNER);
    assert_ok(hs_successor_build(&p.other_root, &p.root, now, &p.arena, &swapped));
    assert_err(hs_successor_verify(swapped, &p.other_root.pub, now, &old), HS_ERR_WRONG_SIGNER);
    assert_err(hs_successor_verify(describe(&p, &p.root), &p.root.pub, now, &old), HS_ERR_WRONG_SIGNER);
    assert_err(hs_successor_verify(NULL, &p.root.pub, now, &old), HS_ERR_WRONG_SIGNER);
    assert_err(hs_successor_build(&p.root, &p.root, now, &p.arena, &obj), HS_ERR_INVALID_ARG);
    assert_null(obj);
}

/* IDENTITY-17: a statement in which the header, the payload and the signatures don't say the same. */
static void nothing_may_differ(void **state)
{
    (void)state;
    const struct hs_signer *signers[2] = {&p.root, &p.other_root};
    struct hs_key old;
    for (int what = 0; what < 4; what++) {
        Hanse__RootSuccessor msg = HANSE__ROOT_SUCCESSOR__INIT;
        Hanse__SignedObject *obj;
        struct hs_hdr_spec spec = {0};
        assert_ok(hs_hdr_new(&p.arena, what == 1 ? &p.node.pub : &p.root.pub, now, &spec, NULL, &msg.hdr));
        msg.new_root = hs_pb_data(what == 2 ? HS_VIEW(p.node.pub) : HS_VIEW(p.other_root.pub));
        msg.new_root.len -= what == 3 ? 1 : 0;
        assert_ok(hs_object_sign(HS_KIND_ROOT_SUCCESSOR, &msg.base, signers, 2, &p.arena, &obj));
        static const enum hs_err errors[] = {HS_OK, HS_ERR_WRONG_SIGNER, HS_ERR_WRONG_SIGNER,
                                             HS_ERR_MALFORMED};
        assert_err(hs_successor_verify(obj, &p.other_root.pub, now, &old), errors[what]);
        obj->signatures[what % 2]->sig.data[7] ^= 1;
        assert_err(hs_successor_verify(obj, &p.other_root.pub, now, &old), HS_ERR_BAD_SIGNATURE);
    }
}

/* IDENTITY-17: it travels in the new root's descriptor, where the known root is read from it; there is room
 * for it beside usual names and addresses. */
static void the_descriptor_carries_it(void **state)
{
    (void)state;
    struct hs_descriptor d = descriptor_draft(&p), got;
    Hanse__SignedObject *statement, *obj;
    struct hs_key old;
    assert_ok(hs_successor_build(&p.root, &p.other_root, now, &p.arena, &statement));
    d.succeeds = statement;
    assert_ok(hs_descriptor_build(&p.other_root, &d, now, &p.arena, &obj));
    assert_ok(hs_descriptor_verify(obj, &p.other_root.pub, now, &got));
    assert_null(got.succeeds); /* what is read borrows nothing */
    assert_true(hs_descriptor_vouched(obj, now, &old));
    assert_true(hs_key_equal(&old, &p.root.pub));
    assert_false(hs_descriptor_vouched(describe(&p, &p.root), now, &old));
    /* somebody else's statement in one's own descriptor vouches for nobody, and the node is found all the
     * same */
    assert_ok(hs_descriptor_build(&p.node, &d, now, &p.arena, &obj));
    assert_ok(hs_descriptor_verify(obj, &p.node.pub, now, &got));
    assert_false(hs_descriptor_vouched(obj, now, &old));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_roots_sign, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_may_differ, setup, teardown),
        cmocka_unit_test_setup_teardown(the_descriptor_carries_it, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
