/* Who a session is: Authenticate, and what may be asked before and without an account. */
#include "world.h"

#include "identity/auth.h"
#include "wire/limits.h"
#include "wire/unpack.h"

#include <sodium.h>

struct fake {
    struct hs_key remote_static;
    uint8_t hash[64], signed_hash[64];
    const Hanse__SignedObject *certificate, *descriptor;
    const struct hs_signer *signer;
};

static struct fake honest(struct world_device *d)
{
    struct world_persona *p = world_persona(d, &d->node->root.pub);
    struct fake f = {.remote_static = p->keys.transport_pub, .certificate = p->certificate};
    randombytes_buf(f.hash, sizeof f.hash);
    memcpy(f.signed_hash, f.hash, sizeof f.hash);
    f.signer = &p->keys.signature;
    return f;
}

static Hanse__Frame *authenticate_frame(struct world *w, const struct fake *f)
{
    Hanse__Frame *frame = world_frame(w);
    struct hs_sig sig;
    hs_auth_sign(f->signer, hs_bytes(f->signed_hash, sizeof f->signed_hash), &sig);
    frame->authenticate = WORLD_NEW(w, Hanse__Authenticate, hanse__authenticate);
    frame->body_case = HANSE__FRAME__BODY_AUTHENTICATE;
    frame->authenticate->certificate = (Hanse__SignedObject *)(uintptr_t)f->certificate;
    frame->authenticate->descriptor = (Hanse__SignedObject *)(uintptr_t)f->descriptor;
    frame->authenticate->signature = hs_pb_data(world_copy(w, HS_VIEW(sig)));
    return frame;
}

static enum hs_err authenticate(struct world_device *d, const struct fake *f)
{
    d->session = world_open(d, &f->remote_static, f->hash);
    return world_ask(d, authenticate_frame(d->world, f), NULL);
}

static Hanse__Frame *ping(struct world *w)
{
    Hanse__Frame *frame = world_frame(w);
    frame->ping = WORLD_NEW(w, Hanse__Ping, hanse__ping);
    frame->body_case = HANSE__FRAME__BODY_PING;
    return frame;
}

/* SESSION-6: the session is whose keys it was opened with. */
static void device_proves_its_session(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *d = world_device_new(node, "alice"), *other = world_device_new(node, "mallory");
    struct fake f = honest(d), theirs = honest(other);
    assert_ok(authenticate(d, &f));
    assert_ok(world_ask(d, ping(w), NULL));

    f = honest(d);
    f.remote_static = theirs.remote_static; /* a certificate that was seen elsewhere */
    assert_err(authenticate(d, &f), HS_ERR_WRONG_PEER);
    assert_int_equal(d->session, 0);
    assert_int_equal(d->ended, HS_ERR_WRONG_PEER);

    f = honest(d);
    f.signed_hash[0] ^= 1; /* made for another session */
    assert_err(authenticate(d, &f), HS_ERR_BAD_SIGNATURE);
    assert_int_equal(d->session, 0);

    f = honest(d);
    f.signer = theirs.signer;
    assert_err(authenticate(d, &f), HS_ERR_BAD_SIGNATURE);

    f = honest(d);
    f.certificate = NULL; /* neither device nor node */
    assert_err(authenticate(d, &f), HS_ERR_MALFORMED);

    f = honest(d);
    f.descriptor = node->descriptor; /* both */
    assert_err(authenticate(d, &f), HS_ERR_MALFORMED);
    assert_int_equal(d->session, 0);
}

/* A node is its root; nobody is this node itself. */
static void node_proves_its_session(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example"), *b = world_node_new(w, "hub.example");
    struct world_device *d = world_device_new(node, "as-node");
    struct fake f = honest(d);
    f.certificate = NULL;
    f.descriptor = b->descriptor;
    f.remote_static = b->transport_pub;
    f.signer = &b->signer;
    assert_ok(authenticate(d, &f));

    f.remote_static = node->transport_pub;
    assert_err(authenticate(d, &f), HS_ERR_WRONG_PEER);
    f.remote_static = b->transport_pub;
    f.signer = &node->signer;
    assert_err(authenticate(d, &f), HS_ERR_BAD_SIGNATURE);
    f.descriptor = node->descriptor;
    f.remote_static = node->transport_pub;
    assert_err(authenticate(d, &f), HS_ERR_WRONG_PEER);
}

/* FED-1: nothing before Authenticate, and Authenticate once. */
static void authenticate_comes_first_and_once(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *d = world_device_new(node, "alice");
    struct fake f = honest(d);
    d->session = world_open(d, &f.remote_static, f.hash);
    assert_err(world_ask(d, ping(w), NULL), HS_ERR_UNEXPECTED);
    assert_int_equal(d->session, 0);

    assert_ok(authenticate(d, &f));
    /* the same again is nothing new */
    uint64_t session = d->session;
    Hanse__Frame *frame = authenticate_frame(w, &f);
    assert_ok(world_ask(d, frame, NULL));
    assert_ok(world_ask(d, ping(w), NULL));
    /* another persona of the same device */
    struct world_device *other = world_device_new(node, "other");
    struct world_persona *p = world_persona(other, &node->root.pub);
    struct hs_certificate c = {.signature_key = f.signer->pub, .transport_key = f.remote_static};
    Hanse__SignedObject *certificate;
    assert_ok(hs_certificate_build(&p->signer, &c, w->now, &w->arena, &certificate));
    f.certificate = certificate;
    assert_err(world_ask(d, authenticate_frame(w, &f), NULL), HS_ERR_UNEXPECTED);
    assert_int_equal(d->session, 0);
    assert_false(world_link_of(w, session)->open);
}

/* FED-2: without an account there is little to ask. */
static void account_is_needed(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *d = world_device_new(node, "alice");
    bool has_account = true;
    assert_ok(world_connect(d, &has_account));
    assert_false(has_account);
    assert_ok(world_ask(d, ping(w), NULL));
    Hanse__Frame *frame = world_frame(w);
    frame->attach = WORLD_NEW(w, Hanse__Attach, hanse__attach);
    frame->body_case = HANSE__FRAME__BODY_ATTACH;
    assert_err(world_ask(d, frame, NULL), HS_ERR_NO_ACCOUNT);
    assert_err(world_bind(d, node), HS_ERR_NO_ACCOUNT);

    frame = world_frame(w);
    frame->get_invite = WORLD_NEW(w, Hanse__GetInvite, hanse__get_invite);
    frame->body_case = HANSE__FRAME__BODY_GET_INVITE;
    frame->get_invite->invite_key = hs_pb_data(HS_VIEW(d->identity.pub));
    assert_err(world_ask(d, frame, NULL), HS_ERR_INVITE_UNKNOWN);
    assert_int_not_equal(d->session, 0);
}

/* One device a user for now: another certificate of the same persona is refused. */
static void second_device_is_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *first = world_device_new(node, "phone"), *second = world_device_new(node, "laptop");
    struct hs_signer HS_SIGNER ticket;
    hs_signer_random(&ticket);
    second->seed = first->seed;
    assert_ok(world_connect(first, NULL));
    assert_ok(world_connect(second, NULL)); /* both before there is an account */
    Hanse__SignedObject *object = world_ticket(node, &ticket.pub, 2);
    assert_ok(world_sign_up(first, object, &ticket));
    assert_err(world_sign_up(second, object, &ticket), HS_ERR_DENIED);
    assert_err(world_connect(second, NULL), HS_ERR_DENIED);
    bool has_account = false;
    assert_ok(world_connect(first, &has_account));
    assert_true(has_account);
}

/* DELIVERY-15: a newer session of the same device takes the older one's place. */
static void newest_session_counts(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct world_node *node = world_node_new(w, "rosa.example");
    struct world_device *d = world_staff(node, "alice", HANSE__ROLE__ROLE_STAFF);
    uint64_t older = d->session;
    assert_ok(world_connect(d, NULL));
    assert_false(world_link_of(w, older)->open);
    world_attach(d);
    assert_ok(world_ask(d, ping(w), NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_proves_its_session),         cmocka_unit_test(node_proves_its_session),
        cmocka_unit_test(authenticate_comes_first_and_once), cmocka_unit_test(account_is_needed),
        cmocka_unit_test(second_device_is_refused),          cmocka_unit_test(newest_session_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
