#include "identity/chain.h"
#include "schema/room.pb-c.h"
#include "unit/identity/people.h"

static struct people p;
static Hanse__SignedObject *d, *cert, *till, *phone;

static int setup(void **state)
{
    (void)state;
    people_init(&p);
    d = describe(&p, &p.root);
    cert = certify(&p, &p.shop, &p.till, at(-HOUR), at(2 * HOUR));
    till = grant(&p, &p.root, &p.shop.pub, HANSE__ROLE__ROLE_TILL, at(-HOUR), at(HOUR));
    phone = certify(&p, &p.customer, &p.phone, at(-HOUR), at(HOUR));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    hs_arena_free(&p.arena);
    return 0;
}

static const uint32_t tills = HS_ROLE_BIT(HANSE__ROLE__ROLE_TILL);

/* IDENTITY-14: root -> grant -> identity -> certificate -> device; root -> descriptor -> node. */
static void chain_leads_to_the_root(void **state)
{
    (void)state;
    Hanse__SignedObject *objects[] = {d, cert, till, phone};
    struct hs_chain chain;
    assert_ok(hs_chain_open(objects, 4, NULL, &p.arena, &chain));
    assert_true(hs_key_equal(&chain.root, &p.root.pub));
    assert_err(hs_chain_all_used(&chain), HS_ERR_BAD_CHAIN);
    struct hs_actor actor;
    assert_ok(hs_chain_device(&chain, &p.till.signature.pub, now, &actor));
    assert_true(hs_key_equal(&actor.key, &p.shop.pub));
    assert_int_equal(actor.role, HANSE__ROLE__ROLE_NONE);
    assert_ok(hs_chain_require_role(&chain, &actor, tills, now));
    assert_int_equal(actor.role, HANSE__ROLE__ROLE_TILL);
    assert_int_equal(actor.until.ms, now.ms + HOUR);
    assert_int_equal(hs_chain_roles(&chain, &p.shop.pub, now), tills);
    assert_int_equal(hs_chain_roles(&chain, &p.shop.pub, at(HOUR)), 0);
    assert_err(hs_chain_require_role(&chain, &actor, HS_ROLE_BIT(HANSE__ROLE__ROLE_MERCHANT), now),
               HS_ERR_WRONG_SIGNER);
    assert_err(hs_chain_require_role(&chain, &actor, tills, at(HOUR)), HS_ERR_EXPIRED);
    assert_err(hs_chain_require_role(&chain, &actor, tills, at(-2 * HOUR)), HS_ERR_NOT_YET);
    assert_ok(hs_chain_node(&chain, &p.node.pub, now, &actor));
    assert_err(hs_chain_node(&chain, &p.root.pub, now, &actor), HS_ERR_BAD_CHAIN);
    assert_err(hs_chain_node(&chain, &p.node.pub, at(HOUR), &actor), HS_ERR_EXPIRED);
    assert_err(hs_chain_device(&chain, &p.node.pub, now, &actor), HS_ERR_BAD_CHAIN);
    assert_err(hs_chain_all_used(&chain), HS_ERR_BAD_CHAIN);
    assert_ok(hs_chain_device(&chain, &p.phone.signature.pub, now, &actor));
    assert_ok(hs_chain_all_used(&chain));
    assert_string_equal(hs_chain_descriptor(&chain)->domain, "rosa.example");
}

/* IDENTITY-14: an owner's grant serves for every role. */
static void owner_serves_for_all(void **state)
{
    (void)state;
    Hanse__SignedObject *objects[] = {
        cert, grant(&p, &p.root, &p.shop.pub, HANSE__ROLE__ROLE_OWNER, now, (struct hs_time){0})};
    struct hs_chain chain;
    assert_ok(hs_chain_open(objects, 2, &p.root.pub, &p.arena, &chain));
    struct hs_actor actor;
    assert_ok(hs_chain_device(&chain, &p.till.signature.pub, now, &actor));
    assert_ok(hs_chain_require_role(&chain, &actor, tills, now));
    assert_int_equal(actor.role, HANSE__ROLE__ROLE_OWNER);
    assert_int_equal(actor.until.ms, now.ms + 2 * HOUR);
    assert_null(hs_chain_descriptor(&chain));
}

static enum hs_err open_chain(Hanse__SignedObject *const *objects, size_t count, const struct hs_key *pinned)
{
    struct hs_chain chain;
    return hs_chain_open(objects, count, pinned, &p.arena, &chain);
}

/* IDENTITY-15: every object is valid and of one root; nothing twice; no more than the limit. */
static void foreign_objects_are_refused(void **state)
{
    (void)state;
    Hanse__SignedObject *two[] = {
        d, grant(&p, &p.other_root, &p.shop.pub, HANSE__ROLE__ROLE_TILL, now, at(HOUR))};
    assert_err(open_chain(two, 2, NULL), HS_ERR_WRONG_SIGNER);
    assert_err(open_chain(two, 2, &p.root.pub), HS_ERR_WRONG_SIGNER);
    two[1] = describe(&p, &p.other_root);
    assert_err(open_chain(two, 2, NULL), HS_ERR_WRONG_SIGNER);
    two[1] = d;
    assert_err(open_chain(two, 2, NULL), HS_ERR_BAD_CHAIN);
    assert_err(open_chain(&d, 1, &p.other_root.pub), HS_ERR_WRONG_SIGNER);
    assert_err(open_chain(&cert, 1, NULL), HS_ERR_BAD_CHAIN);
    assert_err(open_chain(NULL, 0, NULL), HS_ERR_BAD_CHAIN);
    assert_ok(open_chain(NULL, 0, &p.root.pub));
    Hanse__SignedObject *copy;
    assert_ok(hs_object_copy(till, &p.arena, &copy));
    copy->signatures[0]->sig.data[3] ^= 4;
    assert_err(open_chain(&copy, 1, &p.root.pub), HS_ERR_BAD_SIGNATURE);
    copy->type = (char *)(uintptr_t) "application/vnd.hanse.offer.v1+protobuf";
    assert_err(open_chain(&copy, 1, &p.root.pub), HS_ERR_BAD_CHAIN);
    Hanse__SignedObject *many[HS_CHAIN_MAX + 1];
    for (size_t i = 0; i <= HS_CHAIN_MAX; i++)
        many[i] = certify(&p, &p.customer, &p.phone, now, at(HOUR));
    assert_ok(open_chain(many, HS_CHAIN_MAX, &p.root.pub));
    assert_err(open_chain(many, HS_CHAIN_MAX + 1, &p.root.pub), HS_ERR_TOO_LARGE);
}

/* A log head stands for any object that a device signs. */
static Hanse__SignedObject *statement(const struct hs_signer *signer, const struct hs_key *issuer,
                                      struct hs_time created)
{
    Hanse__Head head = HANSE__HEAD__INIT;
    struct hs_author author = {.signer = signer, .issuer = *issuer, .now = created};
    Hanse__SignedObject *obj;
    assert_ok(hs_object_make(HS_KIND_HEAD, &head.base, &author, &(struct hs_hdr_spec){0}, &p.arena, &obj));
    return obj;
}

static enum hs_err by_device(Hanse__SignedObject *obj, enum hs_judge judge, struct hs_time when)
{
    Hanse__SignedObject *objects[] = {d, cert, till};
    struct hs_chain chain;
    assert_ok(hs_chain_open(objects, 3, NULL, &p.arena, &chain));
    struct hs_expect expect = {.kind = HS_KIND_HEAD, .roles = tills, .judge = judge, .now = when};
    ProtobufCMessage *payload;
    struct hs_actor actor;
    enum hs_err err = hs_chain_open_by_device(&chain, obj, &expect, &p.arena, &payload, &actor);
    assert_true((err == HS_OK) == (payload != NULL));
    return err;
}

/* IDENTITY-16: judged at the object's creation; where something is asked for now, also now. */
static void objects_are_judged_at_their_time(void **state)
{
    (void)state;
    const struct hs_signer *device = &p.till.signature;
    const struct hs_key *shop = &p.shop.pub;
    Hanse__SignedObject *obj = statement(device, shop, now);
    assert_ok(by_device(obj, HS_JUDGE_AT_CREATION, at(1000 * HOUR)));
    assert_ok(by_device(obj, HS_JUDGE_NOW, at(HOUR - 1)));
    assert_err(by_device(obj, HS_JUDGE_NOW, at(HOUR)), HS_ERR_EXPIRED);
    assert_err(by_device(statement(device, shop, at(HOUR)), HS_JUDGE_AT_CREATION, now), HS_ERR_EXPIRED);
    assert_err(by_device(statement(device, shop, at(-2 * HOUR)), HS_JUDGE_AT_CREATION, now), HS_ERR_NOT_YET);
    assert_err(by_device(statement(device, &p.customer.pub, now), HS_JUDGE_AT_CREATION, now),
               HS_ERR_WRONG_SIGNER);
    assert_err(by_device(statement(&p.shop, shop, now), HS_JUDGE_AT_CREATION, now), HS_ERR_BAD_CHAIN);
    assert_err(by_device(statement(&p.phone.signature, &p.customer.pub, now), HS_JUDGE_AT_CREATION, now),
               HS_ERR_BAD_CHAIN);
    assert_err(by_device(till, HS_JUDGE_AT_CREATION, now), HS_ERR_UNEXPECTED);
}

/* IDENTITY-16: somebody else's certificate for the same device key changes nothing. */
static void claimed_device_keys_do_no_harm(void **state)
{
    (void)state;
    struct hs_signer mallory = signer_of(66);
    Hanse__SignedObject *objects[] = {certify(&p, &mallory, &p.till, at(-HOUR), at(HOUR)), cert, till};
    struct hs_chain chain;
    assert_ok(hs_chain_open(objects, 3, &p.root.pub, &p.arena, &chain));
    struct hs_expect expect = {.kind = HS_KIND_HEAD, .roles = tills};
    ProtobufCMessage *payload;
    struct hs_actor actor;
    Hanse__SignedObject *obj = statement(&p.till.signature, &p.shop.pub, now);
    assert_ok(hs_chain_open_by_device(&chain, obj, &expect, &p.arena, &payload, &actor));
    assert_true(hs_key_equal(&actor.key, &p.shop.pub));
}

static enum hs_err by_node(Hanse__SignedObject *obj, enum hs_judge judge, struct hs_time when)
{
    struct hs_chain chain;
    assert_ok(hs_chain_open(&d, 1, &p.root.pub, &p.arena, &chain));
    struct hs_expect expect = {.kind = HS_KIND_HEAD, .judge = judge, .now = when};
    ProtobufCMessage *payload;
    struct hs_actor actor;
    return hs_chain_open_by_node(&chain, obj, &expect, &p.arena, &payload, &actor);
}

/* IDENTITY-16 */
static void node_signs_for_its_root(void **state)
{
    (void)state;
    assert_ok(by_node(statement(&p.node, &p.node.pub, now), HS_JUDGE_AT_CREATION, now));
    assert_ok(by_node(statement(&p.node, &p.node.pub, now), HS_JUDGE_NOW, at(HOUR - 1)));
    assert_err(by_node(statement(&p.node, &p.node.pub, now), HS_JUDGE_NOW, at(HOUR)), HS_ERR_EXPIRED);
    assert_err(by_node(statement(&p.node, &p.root.pub, now), HS_JUDGE_AT_CREATION, now), HS_ERR_WRONG_SIGNER);
    assert_err(by_node(statement(&p.root, &p.root.pub, now), HS_JUDGE_AT_CREATION, now), HS_ERR_BAD_CHAIN);
    assert_err(by_node(statement(&p.node, &p.node.pub, at(HOUR)), HS_JUDGE_AT_CREATION, now), HS_ERR_EXPIRED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chain_leads_to_the_root),        cmocka_unit_test(owner_serves_for_all),
        cmocka_unit_test(foreign_objects_are_refused),    cmocka_unit_test(objects_are_judged_at_their_time),
        cmocka_unit_test(claimed_device_keys_do_no_harm), cmocka_unit_test(node_signs_for_its_root),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
