/* Nodes change their keys under their roots: what was signed before stays good, whoever follows goes on, and
 * nobody gets through with keys that were replaced. */
#include "pair_scene.h"

#include "core/federation/node_key.h"
#include "core/federation/peer.h"
#include "core/records/table.h"
#include "core/recovery/recover.h"
#include "crypto/dh.h"
#include "wire/unpack.h"

/* What makes a node who it is, besides its root. */
struct keys {
    struct hs_signer signer;
    struct hs_secret32 transport;
    struct hs_key transport_pub;
    Hanse__SignedObject *descriptor;
};

static struct keys keys_of(const struct world_node *node)
{
    return (struct keys){node->signer, node->transport, node->transport_pub, node->descriptor};
}

static void keys_set(struct world_node *node, const struct keys *keys)
{
    node->signer = keys->signer;
    node->transport = keys->transport;
    node->transport_pub = keys->transport_pub;
    node->descriptor = keys->descriptor;
    world_node_restart(node);
}

static struct keys keys_new(const struct world_node *node, uint64_t sequence)
{
    struct keys keys = {0};
    struct hs_descriptor d;
    hs_signer_random(&keys.signer);
    hs_dh_keypair(&keys.transport, &keys.transport_pub);
    assert_ok(hs_descriptor_open(node->descriptor, &node->root.pub, &d));
    d.signing_key = keys.signer.pub;
    d.transport_key = keys.transport_pub;
    d.sequence = sequence;
    assert_ok(hs_descriptor_build(&node->root, &d, node->world->now, &node->world->arena, &keys.descriptor));
    return keys;
}

/* New keys, and the next start with them; those that it had. */
static struct keys rotate(struct world_node *node)
{
    struct keys before = keys_of(node);
    world_node_rotate(node);
    return before;
}

static void returns(struct world_device *d)
{
    if (d->session == 0) {
        assert_ok(world_connect(d, NULL));
        world_attach(d);
    }
    world_settle(d->world);
}

static void everybody_returns(struct scene *s)
{
    world_pass(s->w, HS_RETRY_MAX_MS);
    returns(s->owner);
    returns(s->alice);
}

/* The newest Records that d got for its room, with a descriptor or without. */
static size_t descriptors_shown(struct world_device *d, uint64_t *sequence)
{
    size_t n = 0;
    struct hs_arena HS_ARENA arena = hs_arena(SIZE_MAX / 2);
    for (size_t i = 0; i < d->rx_len; i++) {
        Hanse__Frame *frame;
        struct hs_descriptor facts;
        assert_ok(HS_UNPACK(hanse__frame, d->rx[i], HS_LENIENT, &arena, &frame));
        if (frame->body_case != HANSE__FRAME__BODY_RECORDS || frame->records->descriptor == NULL)
            continue;
        assert_ok(hs_descriptor_open(frame->records->descriptor, NULL, &facts));
        *sequence = facts.sequence;
        n++;
    }
    return n;
}

/* FED-50, FED-51, DELIVERY-8: posts flow before, while and after; the readers are told the key once. */
static void everybody_goes_on(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    uint64_t sequence = 0;
    for (unsigned round = 1; round <= 3; round++) {
        assert_ok(world_post(s.alices, "before", NULL));
        assert_ok(world_post(s.room, "from the owner", NULL));
        (void)rotate(s.hub);
        if (s.alice->session != 0)
            (void)world_post(s.alices, "while it is away", NULL); /* waits in the outbox */
        size_t shown = descriptors_shown(s.alice, &sequence);
        everybody_returns(&s);
        assert_ok(world_post(s.room, "with the new key", NULL));
        assert_ok(world_post(s.alices, "and back", NULL));
        world_settle(w);
        assert_int_equal(s.alices->post_count, s.room->post_count);
        assert_int_equal(descriptors_shown(s.alice, &sequence), shown + 1);
        assert_int_equal(sequence, round + 1);
        assert_int_equal(descriptors_shown(s.owner, &sequence) > 0, true);
        assert_int_equal(sequence, round + 1);
        world_pass(w, HS_NODE_KEY_DAY_MS);
    }
    (void)rotate(s.home); /* whoever comes with new keys of its root is who it was */
    everybody_returns(&s);
    assert_ok(world_post(s.alices, "from the follower", NULL));
    world_settle(w);
    assert_int_equal(s.room->post_count, s.alices->post_count);
}

/* FED-52: whoever has the old keys, of the hub or of the follower, gets nowhere; also when both know each
 * other from before they were started again. */
static void old_keys_are_refused(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct keys old = rotate(s.hub);
    everybody_returns(&s);
    assert_true(world_are_linked(s.home, s.hub));
    struct keys now = keys_of(s.hub);
    world_node_restart(s.home);
    keys_set(s.hub, &old);
    for (unsigned i = 0; i < 4; i++)
        world_pass(w, HS_RETRY_MAX_MS);
    assert_false(world_are_linked(s.home, s.hub));
    struct keys rival = keys_new(s.hub, 2); /* another pair under the number that is taken */
    keys_set(s.hub, &rival);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_false(world_are_linked(s.home, s.hub));
    keys_set(s.hub, &now);
    everybody_returns(&s);
    assert_true(world_are_linked(s.home, s.hub));
    assert_ok(world_post(s.alices, "all is well", NULL));
    struct keys homes = rotate(s.home);
    everybody_returns(&s);
    assert_true(world_are_linked(s.home, s.hub));
    keys_set(s.home, &homes);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_false(world_are_linked(s.home, s.hub));
}

/* FED-53: what another node makes this one keep is bounded. */
static void changes_are_counted(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    for (unsigned i = 1; i < HS_NODE_KEYS_A_DAY; i++) {
        (void)rotate(s.hub);
        everybody_returns(&s);
        assert_true(world_are_linked(s.home, s.hub));
    }
    (void)rotate(s.hub);
    world_pass(w, HS_RETRY_MAX_MS);
    assert_false(world_are_linked(s.home, s.hub));
    world_pass(w, HS_NODE_KEY_DAY_MS);
    everybody_returns(&s);
    assert_true(world_are_linked(s.home, s.hub));
    for (unsigned i = 0; i < HS_NODE_KEYS; i++) {
        (void)rotate(s.hub);
        world_pass(w, HS_NODE_KEY_DAY_MS);
        everybody_returns(&s);
    }
    struct hs_kv_key from = {0};
    struct hs_bytes key, value;
    size_t kept = 0;
    struct hs_arena HS_ARENA arena = hs_arena(1 << 20);
    hs_kv_key_add(&from, HS_VIEW(s.hub->root.pub));
    for (struct hs_kv_key at = from; hs_kv_next(s.home->kv, HS_T_DESCRIPTOR, hs_kv_key_bytes(&from),
                                                hs_kv_key_bytes(&at), &arena, &key, &value);
         at = hs_kv_after(key))
        kept++;
    assert_int_equal(kept, HS_NODE_KEYS);
    assert_ok(world_post(s.alices, "still here", NULL));
}

/* NODE-72: what came back from a backup was signed with a key that this node had then. */
static void a_restored_hub_knows_its_earlier_heads(void **state)
{
    (void)state;
    struct world HS_WORLD *w = world_new();
    struct scene s = scene_new(w);
    struct hs_kv *backup = world_store_copy(s.hub);
    assert_ok(world_post(s.room, "behind the backup", NULL));
    world_settle(w);
    struct keys next = keys_new(s.hub, 2);
    keys_set(s.hub, &next);
    world_node_restore(s.hub, backup);
    w->forged = true;
    uint64_t held = s.alices->tip.next_seq;
    everybody_returns(&s);
    for (unsigned i = 0; i < 3; i++)
        world_pass(w, HS_RECOVER_MS);
    returns(s.owner);
    assert_ok(world_post(s.room, "and on", NULL));
    world_settle(w);
    assert_true(s.alices->tip.next_seq > held);
    assert_int_equal(s.alices->post_count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_goes_on),
        cmocka_unit_test(old_keys_are_refused),
        cmocka_unit_test(changes_are_counted),
        cmocka_unit_test(a_restored_hub_knows_its_earlier_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
