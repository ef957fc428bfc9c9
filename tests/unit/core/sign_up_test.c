/* SignUp by ticket and by invite, Bind. */
#include "world.h"

#include "identity/bind.h"
#include "identity/ticket.h"
#include "room/join.h"

static Hanse__SignedObject *proof_of(struct world_device *d, const struct hs_signer *key)
{
    struct world *w = d->world;
    Hanse__SignedObject *proof;
    struct hs_time end = {w->now.ms + WORLD_DAY_MS};
    assert_ok(hs_ticket_proof_build(key, &d->node->root.pub,
                                    &world_persona(d, &d->node->root.pub)->signer.pub, w->now, end, &w->arena,
                                    &proof));
    return proof;
}

static Hanse__Frame *sign_up_frame(struct world *w, Hanse__SignedObject *ticket, Hanse__SignedObject *proof)
{
    Hanse__Frame *frame = world_frame(w);
    frame->sign_up = WORLD_NEW(w, Hanse__SignUp, hanse__sign_up);
    frame->body_case = HANSE__FRAME__BODY_SIGN_UP;
    frame->sign_up->ticket = ticket;
    frame->sign_up->ticket_proof = proof;
    return frame;
}

/* FED-4: a ticket makes as many accounts as it says, each once. */
static void ticket_counts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct hs_signer HS_SIGNER key;
    hs_signer_random(&key);
    Hanse__SignedObject *ticket = world_ticket(node, &key.pub, 2);
    const char *names[] = {"a", "b", "c"};
    enum hs_err want[] = {HS_OK, HS_OK, HS_ERR_TICKET_USED};
    struct world_device *devices[3];
    for (size_t i = 0; i < 3; i++) {
        devices[i] = world_device_new(node, names[i]);
        assert_ok(world_connect(devices[i], NULL));
        assert_err(world_sign_up(devices[i], ticket, &key), want[i]);
    }
    struct hs_id before = world_store_hash(node);
    assert_ok(world_sign_up(devices[0], ticket, &key)); /* again: as before */
    struct hs_id after = world_store_hash(node);
    assert_memory_equal(before.b, after.b, 32);
    world_node_restart(node);
    bool has_account = false;
    assert_ok(world_connect(devices[1], &has_account));
    assert_true(has_account);
    assert_ok(world_connect(devices[2], &has_account));
    assert_false(has_account);
    assert_err(world_sign_up(devices[2], ticket, &key), HS_ERR_TICKET_USED);
}

static void ticket_is_this_nodes_and_unaltered(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example"), *other = world_node_new(w, "hub.example");
    struct world_device *d = world_device_new(node, "alice"), *thief = world_device_new(node, "mallory");
    struct hs_signer HS_SIGNER key, HS_SIGNER wrong;
    hs_signer_random(&key);
    hs_signer_random(&wrong);
    assert_ok(world_connect(d, NULL));
    assert_ok(world_connect(thief, NULL));
    assert_err(world_sign_up(d, world_ticket(other, &key.pub, 1), &key), HS_ERR_TICKET_INVALID);
    Hanse__SignedObject *ticket = world_ticket(node, &key.pub, 1);
    assert_err(world_sign_up(d, ticket, &wrong), HS_ERR_TICKET_INVALID);
    /* a proof that was seen is of no use to another */
    assert_err(world_ask(thief, sign_up_frame(w, ticket, proof_of(d, &key)), NULL), HS_ERR_TICKET_INVALID);

    Hanse__SignedObject altered = *ticket;
    struct hs_bytes payload = world_copy(w, hs_pb_bytes(ticket->payload));
    ((uint8_t *)(uintptr_t)payload.data)[payload.len - 1] ^= 1;
    altered.payload = hs_pb_data(payload);
    assert_err(world_ask(d, sign_up_frame(w, &altered, proof_of(d, &key)), NULL), HS_ERR_TICKET_INVALID);

    w->now.ms += WORLD_DAY_MS;
    assert_err(world_sign_up(d, ticket, &key), HS_ERR_EXPIRED);
    assert_err(world_ask(d, sign_up_frame(w, NULL, NULL), NULL), HS_ERR_MALFORMED);
    assert_int_equal(d->session, 0);
}

/* Roles are what the root granted to this very key; a second sign-up adds roles and takes none away. */
static void roles_are_granted(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example"), *other = world_node_new(w, "hub.example");
    struct world_device *till = world_staff(node, "till", HANSE__ROLE__ROLE_TILL);
    struct world_device *foreign = world_device_new(other, "foreign"), *d = world_device_new(node, "alice");
    struct hs_signer HS_SIGNER key;
    hs_signer_random(&key);
    world_grant(foreign, HANSE__ROLE__ROLE_OWNER);
    assert_ok(world_connect(d, NULL));
    Hanse__SignedObject *ticket = world_ticket(node, &key.pub, 1);
    Hanse__Frame *frame = sign_up_frame(w, ticket, proof_of(d, &key));
    frame->sign_up->grants = foreign->grants; /* another root's */
    frame->sign_up->n_grants = 1;
    assert_err(world_ask(d, frame, NULL), HS_ERR_WRONG_SIGNER);
    frame->sign_up->grants = till->grants; /* another key's */
    assert_err(world_ask(d, frame, NULL), HS_ERR_BAD_CHAIN);
    frame->sign_up->n_grants = 0;
    assert_ok(world_ask(d, frame, NULL));

    /* the till gets another role and can still be found as the till */
    till->grant_count = 0;
    world_grant(till, HANSE__ROLE__ROLE_STEWARD);
    assert_ok(world_sign_up(till, NULL, &key));
    struct hs_id before = world_store_hash(node);
    assert_ok(world_sign_up(till, NULL, &key)); /* nothing new in it */
    struct hs_id after = world_store_hash(node);
    assert_memory_equal(before.b, after.b, 32);
    struct world_room *room = world_room_new(till, "made by the till");
    assert_int_equal(room->tip.next_seq, 1);
}

static Hanse__Frame *by_invite(struct world_device *d, const struct world_invite *invite)
{
    struct world *w = d->world;
    Hanse__Frame *frame = world_frame(w);
    struct hs_join_spec spec = {
        .invite = &invite->signer,
        .room = invite->room,
        .persona = world_persona(d, &invite->hub->root.pub)->signer.pub,
        .home_root = d->node->root.pub,
        .key_package = hs_bytes_str("any"),
        .now = w->now,
    };
    frame->sign_up = WORLD_NEW(w, Hanse__SignUp, hanse__sign_up);
    frame->body_case = HANSE__FRAME__BODY_SIGN_UP;
    assert_ok(hs_join_proof_build(&spec, &w->arena, &frame->sign_up->join_proof));
    return frame;
}

/* FED-5: the link is the ticket, for as many people as it invites. */
static void invite_is_a_ticket(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *owner = world_staff(node, "rosa", HANSE__ROLE__ROLE_OWNER);
    struct world_room *room = world_room_new(owner, "launch");
    struct world_invite invite = world_invite(room, 2), unknown = world_invite_new(room, 1, 1000);
    struct world_device *a = world_device_new(node, "a"), *b = world_device_new(node, "b"),
                        *c = world_device_new(node, "c");
    assert_ok(world_connect(a, NULL));
    assert_ok(world_connect(b, NULL));
    assert_ok(world_connect(c, NULL));
    assert_err(world_ask(a, by_invite(a, &unknown), NULL), HS_ERR_INVITE_UNKNOWN);
    assert_err(world_ask(b, by_invite(a, &invite), NULL), HS_ERR_INVITE_REPLAYED);
    assert_ok(world_ask(a, by_invite(a, &invite), NULL));
    assert_ok(world_ask(a, by_invite(a, &invite), NULL));
    world_attach(a);
    (void)world_join(a, room, &invite);
    assert_ok(world_ask(b, by_invite(b, &invite), NULL));
    /* two accounts were made with it, as many as it has uses */
    assert_err(world_ask(c, by_invite(c, &invite), NULL), HS_ERR_INVITE_USED_UP);
    w->now.ms += WORLD_DAY_MS;
    assert_err(world_ask(c, by_invite(c, &invite), NULL), HS_ERR_INVITE_EXPIRED);
}

/* FED-6: a persona is bound by its own key, to one account. */
static void bind_speaks_for_both_keys(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *home = world_node_new(w, "home.example"), *brand = world_node_new(w, "hub.example");
    struct world_device *d = world_customer(home, "alice"), *thief = world_customer(home, "mallory");
    struct world_persona *p = world_persona(d, &brand->root.pub);
    assert_ok(world_bind(d, brand));
    struct hs_id before = world_store_hash(home);
    assert_ok(world_bind(d, brand)); /* the same again */
    struct hs_id after = world_store_hash(home);
    assert_memory_equal(before.b, after.b, 32);

    Hanse__Frame *frame = world_frame(w);
    frame->bind = WORLD_NEW(w, Hanse__Bind, hanse__bind);
    frame->body_case = HANSE__FRAME__BODY_BIND;
    struct world_persona *own = world_persona(thief, &home->root.pub);
    assert_ok(hs_bind_build(&world_persona(d, &home->root.pub)->signer, &p->signer, &home->root.pub,
                            &brand->root.pub, w->now, (struct hs_time){0}, &w->arena, &frame->bind->bind));
    frame->bind->certificate = p->certificate;
    assert_err(world_ask(thief, frame, NULL), HS_ERR_WRONG_SIGNER);
    /* with the persona's key in hand (a shared seed): it belongs to another account */
    assert_ok(hs_bind_build(&own->signer, &p->signer, &home->root.pub, &brand->root.pub, w->now,
                            (struct hs_time){0}, &w->arena, &frame->bind->bind));
    assert_err(world_ask(thief, frame, NULL), HS_ERR_CONFLICT);
    /* meant for another home */
    assert_ok(hs_bind_build(&own->signer, &p->signer, &brand->root.pub, &brand->root.pub, w->now,
                            (struct hs_time){0}, &w->arena, &frame->bind->bind));
    assert_err(world_ask(thief, frame, NULL), HS_ERR_WRONG_PEER);
    /* the certificate of another persona */
    p = world_persona(thief, &brand->root.pub);
    assert_ok(hs_bind_build(&own->signer, &p->signer, &home->root.pub, &brand->root.pub, w->now,
                            (struct hs_time){0}, &w->arena, &frame->bind->bind));
    assert_err(world_ask(thief, frame, NULL), HS_ERR_WRONG_SIGNER);
    frame->bind->certificate = p->certificate;
    assert_ok(world_ask(thief, frame, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticket_counts),
        cmocka_unit_test(ticket_is_this_nodes_and_unaltered),
        cmocka_unit_test(roles_are_granted),
        cmocka_unit_test(invite_is_a_ticket),
        cmocka_unit_test(bind_speaks_for_both_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
