/* Commits whose path or tag is not right, bent by a member and signed anew: refused, by the hub too as far as
 * it can see, and all stay in the epoch before. */
#include "unit/mls/cast.h"

#include "mls/leaf.h"
#include "mls/member.h"
#include "mls/suite.h"

/* The commit of alice, to be bent. */
static struct {
    struct sent sent;
    struct hs_mls_authed authed;
    struct hs_mls_leaf_node *leaf;
    struct hs_mls_signature leaf_sig, sig;
} bent;

static int setup(void **state)
{
    struct cast *c = cast_found_watched(state, 3);
    struct hs_mls_public_message m;
    bent.sent = sent_new();
    assert_ok(person_try_commit(&c->alice, &empty, &bent.sent));
    struct hs_reader r = hs_reader(hs_writer_bytes(&bent.sent.commit));
    (void)hs_mls_read_head(&r);
    hs_mls_read_public_message(&r, &m);
    assert_ok(hs_reader_finish(&r));
    bent.authed = m.authed;
    bent.leaf = &bent.authed.content.commit.path.leaf;
    return 0;
}

static int teardown(void **state)
{
    sent_free(&bent.sent);
    return cast_teardown(state);
}

static void sign_leaf(struct cast *c)
{
    struct hs_writer HS_WRITER tbs = hs_writer(CAP);
    hs_mls_write_leaf_tbs(&tbs, bent.leaf, hs_bytes_str("room"), 0);
    assert_ok(hs_mls_sign(&c->alice.signer, "LeafNodeTBS", hs_writer_bytes(&tbs), &bent.leaf_sig));
    bent.leaf->signature = HS_MLS_VIEW(bent.leaf_sig);
}

/* Signs and frames the bent commit; bob and the hub give those answers and don't change. */
static void expect(struct cast *c, enum hs_err member, enum hs_err hub)
{
    struct hs_mls_event *event = NULL;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    const struct hs_id before = person_state(&c->bob);
    assert_ok(hs_mls_content_sign(&c->alice.signer, HS_MLS_PUBLIC_MESSAGE, &bent.authed.content,
                                  hs_mls_public_context(hs_mls_group_public(c->alice.group)), &bent.sig));
    bent.authed.signature = HS_MLS_VIEW(bent.sig);
    assert_ok(hs_mls_group_frame(c->alice.group, &bent.authed, &w));
    assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event), hub);
    hs_mls_event_free_at(&event);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&w), &event), member);
    hs_mls_event_free_at(&event);
    assert_same_state(&c->bob, before);
}

static void unbent(void **state)
{
    expect(*state, HS_OK, HS_OK);
}

/* Valid for half of the tree: whoever can't open it says so and stays where it is; the hub can't see it.
 * MLS-21 */
static void bad_ciphertext(void **state)
{
    struct cast *c = *state;
    struct hs_bytes nodes = bent.authed.content.commit.path.nodes;
    uint8_t copy[4096];
    struct hs_reader r = hs_reader(nodes);
    struct hs_mls_path_node node;
    struct hs_mls_hpke_ciphertext ciphertext;
    assert_true(nodes.len <= sizeof copy);
    memcpy(copy, nodes.data, nodes.len);
    hs_mls_read_path_node(&r, &node);
    struct hs_reader list = hs_reader(node.secrets);
    hs_mls_read_hpke(&list, &ciphertext);
    copy[ciphertext.ciphertext.data - nodes.data] ^= 1;
    bent.authed.content.commit.path.nodes = hs_bytes(copy, nodes.len);
    expect(c, HS_ERR_DECRYPT, HS_OK);
    /* the one who was told otherwise still finds the tag wrong: the transcript is another */
    struct hs_mls_event *event = NULL;
    assert_err(hs_mls_group_process(c->carol.group, hs_writer_bytes(&bent.sent.commit), &event), HS_OK);
    hs_mls_event_free_at(&event);
}

static void node_counts(void **state)
{
    struct cast *c = *state;
    struct hs_bytes nodes = bent.authed.content.commit.path.nodes;
    struct hs_writer HS_WRITER more = hs_writer(CAP);
    struct hs_mls_path_node node;
    bent.authed.content.commit.path.nodes = (struct hs_bytes){0};
    expect(c, HS_ERR_MLS_COMMIT, HS_ERR_MLS_COMMIT);
    struct hs_reader r = hs_reader(nodes);
    hs_mls_read_path_node(&r, &node);
    hs_write_bytes(&more, nodes);
    hs_write_bytes(&more, hs_bytes(nodes.data, (size_t)(r.pos - nodes.data)));
    bent.authed.content.commit.path.nodes = hs_writer_bytes(&more);
    expect(c, HS_ERR_MLS_COMMIT, HS_ERR_MLS_COMMIT);
}

static void ciphertext_counts(void **state)
{
    struct cast *c = *state;
    struct hs_reader r = hs_reader(bent.authed.content.commit.path.nodes);
    struct hs_mls_path_node node;
    hs_mls_read_path_node(&r, &node);
    for (int twice = 0; twice < 2; twice++) {
        struct hs_writer HS_WRITER w = hs_writer(CAP);
        hs_write_mls_vec(&w, node.encryption_key);
        size_t mark = hs_writer_open(&w);
        for (int i = 0; i < 2 * twice; i++)
            hs_write_bytes(&w, node.secrets);
        hs_writer_close(&w, mark);
        hs_write_bytes(&w, hs_bytes(r.pos, (size_t)(r.end - r.pos)));
        bent.authed.content.commit.path.nodes = hs_writer_bytes(&w);
        expect(c, HS_ERR_MLS_COMMIT, HS_ERR_MLS_COMMIT);
    }
}

/* MLS-3 */
static void low_order_node(void **state)
{
    struct cast *c = *state;
    static const uint8_t low[32] = {1};
    struct hs_reader r = hs_reader(bent.authed.content.commit.path.nodes);
    struct hs_mls_path_node node;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    hs_mls_read_path_node(&r, &node);
    hs_write_mls_vec(&w, hs_bytes(low, sizeof low));
    hs_write_mls_vec(&w, node.secrets);
    hs_write_bytes(&w, hs_bytes(r.pos, (size_t)(r.end - r.pos)));
    bent.authed.content.commit.path.nodes = hs_writer_bytes(&w);
    expect(c, HS_ERR_MLS_COMMIT, HS_ERR_MLS_COMMIT);
}

/* MLS-19 */
static void leaves(void **state)
{
    struct cast *c = *state;
    const struct hs_mls_leaf_node good = *bent.leaf;
    static const uint8_t hash[32] = {1};
    const struct hs_mls_tree *tree = &c->hub->now.tree;
    bent.leaf->signature = hs_bytes(hash, sizeof hash);
    expect(c, HS_ERR_MLS_LEAF, HS_ERR_MLS_LEAF); /* not signed */
    bent.leaf->parent_hash = hs_bytes(hash, sizeof hash);
    sign_leaf(c);
    expect(c, HS_ERR_MLS_TREE, HS_ERR_MLS_TREE); /* another parent hash */
    bent.leaf->parent_hash = (struct hs_bytes){0};
    sign_leaf(c);
    expect(c, HS_ERR_MLS_TREE, HS_ERR_MLS_TREE); /* none */
    *bent.leaf = good;
    bent.leaf->source = HS_MLS_LEAF_UPDATE;
    sign_leaf(c);
    expect(c, HS_ERR_MLS_LEAF, HS_ERR_MLS_LEAF); /* of another source */
    *bent.leaf = good;
    bent.leaf->encryption_key = hs_mls_leaf_encryption_key(hs_mls_tree_leaf(tree, 0));
    sign_leaf(c);
    expect(c, HS_ERR_MLS_COMMIT, HS_ERR_MLS_COMMIT); /* the old key again */
    bent.leaf->encryption_key = hs_mls_leaf_encryption_key(hs_mls_tree_leaf(tree, 1));
    sign_leaf(c);
    expect(c, HS_ERR_MLS_COMMIT, HS_ERR_MLS_COMMIT); /* another member's key */
    *bent.leaf = good;
    bent.leaf->signature_key = HS_MLS_VIEW(c->bob.signer.pub);
    sign_leaf(c);
    expect(c, HS_ERR_MLS_LEAF, HS_ERR_MLS_LEAF); /* another member's signature key */
    *bent.leaf = good;
    bent.leaf->capabilities.extensions = (struct hs_bytes){0};
    sign_leaf(c);
    expect(c, HS_ERR_MLS_LEAF, HS_ERR_MLS_LEAF); /* no longer knows what the group asks for */
}

/* Tags of any other length, or other bytes. MLS-7 */
static void tags(void **state)
{
    struct cast *c = *state;
    static uint8_t tag[33];
    struct hs_bytes good = bent.authed.confirmation_tag;
    for (size_t len = 0; len < 32; len++) {
        bent.authed.confirmation_tag = hs_bytes(good.data, len);
        expect(c, HS_ERR_MLS_CONFIRMATION, HS_ERR_MLS_CONFIRMATION);
    }
    memcpy(tag, good.data, 32);
    bent.authed.confirmation_tag = hs_bytes(tag, 33);
    expect(c, HS_ERR_MLS_CONFIRMATION, HS_ERR_MLS_CONFIRMATION);
    tag[31] ^= 0x80;
    bent.authed.confirmation_tag = hs_bytes(tag, 32);
    expect(c, HS_ERR_MLS_CONFIRMATION, HS_OK);
}

/* Seals a handshake message of alice as PrivateMessage, which a peer of another make may send. */
static void seal(struct cast *c, struct hs_mls_authed *authed, struct hs_writer *out)
{
    struct hs_mls_message_key key;
    struct hs_mls_ratchet *ratchet = NULL;
    authed->wire_format = HS_MLS_PRIVATE_MESSAGE;
    assert_ok(hs_mls_content_sign(&c->alice.signer, HS_MLS_PRIVATE_MESSAGE, &authed->content,
                                  hs_mls_public_context(hs_mls_group_public(c->alice.group)), &bent.sig));
    authed->signature = HS_MLS_VIEW(bent.sig);
    assert_ok(hs_mls_ratchet_take(c->alice.group->now.secrets, 0, HS_MLS_RATCHET_HANDSHAKE, &ratchet));
    assert_ok(hs_mls_ratchet_next(ratchet, &key));
    assert_ok(hs_mls_ratchet_put(c->alice.group->now.secrets, ratchet));
    const struct hs_mls_private_seal s = {.suite = c->alice.group->suite,
                                          .authed = authed,
                                          .key = &key,
                                          .sender_data = &c->alice.group->now.sender_data};
    assert_ok(hs_mls_private_seal(&s, out));
}

/* MLS-6 */
static void private_handshakes(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER proposal = hs_writer(CAP), HS_WRITER commit = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    struct hs_mls_authed authed = {
        .content = hs_mls_group_content(c->alice.group, HS_MLS_PROPOSAL, hs_bytes_str("ad"))};
    authed.content.proposal.type = HS_MLS_REMOVE;
    authed.content.proposal.removed = 2;
    seal(c, &authed, &proposal);
    assert_int_equal(proposal.data[3], HS_MLS_PRIVATE_MESSAGE);
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&proposal), &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_PROPOSAL);
    assert_int_equal(event->proposal.target.leaf, 2);
    hs_mls_event_free_at(&event);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&proposal), &event), HS_ERR_MLS_GENERATION);
    /* its tag was made for a PublicMessage, so this commit is refused at the very last step, and again */
    seal(c, &bent.authed, &commit);
    for (int i = 0; i < 2; i++)
        assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&commit), &event),
                   HS_ERR_MLS_CONFIRMATION);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(unbent),         TEST(bad_ciphertext), TEST(node_counts), TEST(ciphertext_counts),
        TEST(low_order_node), TEST(leaves),         TEST(tags),        TEST(private_handshakes),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
