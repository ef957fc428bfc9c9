/* RFC 9420, 12.4 and 12.4.2: a commit and its path; the path's leaf is in rules_leaf_test.c. Rules that a
 * member can break:
 *
 * - 12.4: no path with an empty list, an Update, a Remove, GroupContextExtensions
 * - 12.4.2, the path's nodes: too few, too many; a key that is none; ciphertexts too few or too many; another
 *   key than the parent hash says
 * - members only: a ciphertext that was altered; a path secret that doesn't go with the key; the confirmation
 *   tag
 */
#include "unit/mls/bends.h"

/* The kit is in order: what it makes without being bent is taken. */
static void honest(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER message = writer(), HS_WRITER list = writer();
    const struct hs_mls_proposal add = evil_add(hs_writer_bytes(&e->erin.key_package));
    evil_commit(e, &(struct evil_commit){.by = &e->alice}, &message);
    evil_accepted(e, hs_writer_bytes(&message));
    evil_value(&list, &add);
    for (int i = 0; i < 2; i++) {
        evil_commit(e,
                    &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(&list), .no_path = i == 0},
                    &message);
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        assert_err(hs_mls_group_process(e->bob.group, hs_writer_bytes(&message), &event),
                   HS_ERR_MLS_EPOCH); /* alice forgot to merge her own */
    }
}

/* MLS-19 */
static void path_is_missing(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER removes = writer(), HS_WRITER updates = writer(), HS_WRITER sets = writer(),
                               HS_WRITER leaf = writer();
    const struct hs_mls_proposal remove = evil_remove(3), extensions = evil_extensions(nothing),
                                 update = evil_update(&e->carol, NULL, NULL, &leaf);
    evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .no_path = true}, HS_ERR_MLS_COMMIT);
    evil_value(&removes, &remove);
    evil_value(&sets, &extensions);
    const struct hs_mls_hash ref = evil_says(e, &e->carol, &update);
    evil_ref(&updates, &ref);
    const struct hs_writer *const all[] = {&removes, &updates, &sets};
    for (size_t i = 0; i < 3; i++)
        evil_commit_refused(
            e, &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(all[i]), .no_path = true},
            HS_ERR_MLS_COMMIT);
}

/* A parsed path, to be written again in another way: a full tree of four has two nodes. */
struct parsed {
    struct hs_bytes key;
    struct hs_mls_hpke_ciphertext secrets[3];
    size_t count;
};

static void parse(struct hs_bytes nodes, struct parsed out[2])
{
    struct hs_reader r = hs_reader(nodes);
    for (int i = 0; i < 2; i++) {
        struct hs_mls_path_node node;
        hs_mls_read_path_node(&r, &node);
        out[i] = (struct parsed){.key = node.encryption_key};
        struct hs_reader secrets = hs_reader(node.secrets);
        while (hs_reader_left(&secrets) > 0)
            hs_mls_read_hpke(&secrets, &out[i].secrets[out[i].count++]);
    }
    assert_ok(hs_reader_finish(&r));
}

static void unparse(const struct parsed *node, struct hs_writer *out)
{
    struct hs_writer HS_WRITER secrets = writer();
    for (size_t i = 0; i < node->count; i++)
        hs_mls_write_hpke(&secrets, &node->secrets[i]);
    hs_write_mls_vec(out, node->key);
    hs_write_mls_vec(out, hs_writer_bytes(&secrets));
}

static void node_short(struct hs_bytes nodes, struct hs_writer *out)
{
    struct parsed all[2];
    parse(nodes, all);
    unparse(&all[0], out);
}

static void node_more(struct hs_bytes nodes, struct hs_writer *out)
{
    struct parsed all[2];
    parse(nodes, all);
    hs_write_bytes(out, nodes);
    unparse(&all[1], out);
}

static void node_without_key(struct hs_bytes nodes, struct hs_writer *out)
{
    static const uint8_t zeros[32];
    struct parsed all[2];
    parse(nodes, all);
    all[1].key = hs_bytes(zeros, sizeof zeros);
    unparse(&all[0], out);
    unparse(&all[1], out);
}

static void node_with_other_key(struct hs_bytes nodes, struct hs_writer *out)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub pub;
    struct parsed all[2];
    parse(nodes, all);
    assert_ok(hs_mls_kem_generate(hs_mls_suite_find(EVIL_SUITE), &priv, &pub));
    all[1].key = HS_MLS_VIEW(pub);
    unparse(&all[0], out);
    unparse(&all[1], out);
}

static void secret_short(struct hs_bytes nodes, struct hs_writer *out)
{
    struct parsed all[2];
    parse(nodes, all);
    all[1].count--;
    unparse(&all[0], out);
    unparse(&all[1], out);
}

static void secret_more(struct hs_bytes nodes, struct hs_writer *out)
{
    struct parsed all[2];
    parse(nodes, all);
    all[0].secrets[all[0].count++] = all[1].secrets[0];
    unparse(&all[0], out);
    unparse(&all[1], out);
}

static void path_nodes(void **state)
{
    struct evil *e = *state;
    const struct {
        void (*bend)(struct hs_bytes nodes, struct hs_writer *out);
        enum hs_err want;
    } all[] = {
        {node_short, HS_ERR_MLS_COMMIT},       {node_more, HS_ERR_MLS_COMMIT},
        {node_without_key, HS_ERR_MLS_COMMIT}, {node_with_other_key, HS_ERR_MLS_TREE},
        {secret_short, HS_ERR_MLS_COMMIT},     {secret_more, HS_ERR_MLS_COMMIT},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .bend_nodes = all[i].bend},
                            all[i].want);
}

/* Bob's ciphertext is that of node 1, the rest is for carol and dave. */
static void secret_altered(struct hs_bytes nodes, struct hs_writer *out)
{
    struct parsed all[2];
    uint8_t copy[64];
    parse(nodes, all);
    memcpy(copy, all[0].secrets[0].ciphertext.data, all[0].secrets[0].ciphertext.len);
    copy[0] ^= 1;
    all[0].secrets[0].ciphertext.data = copy;
    unparse(&all[0], out);
    unparse(&all[1], out);
}

/* Of node 1: what bob gets isn't what its key was made of. */
static void other_secret(struct hs_mls_path_secrets *secrets)
{
    assert_true(secrets->have[1]);
    secrets->secret[1].v[0] ^= 1;
}

static void tag_altered(struct hs_mls_authed *authed)
{
    static uint8_t tag[32];
    memcpy(tag, authed->confirmation_tag.data, sizeof tag);
    tag[31] ^= 1;
    authed->confirmation_tag = hs_bytes(tag, sizeof tag);
}

static void tag_short(struct hs_mls_authed *authed)
{
    authed->confirmation_tag.len--;
}

static void tag_empty(struct hs_mls_authed *authed)
{
    authed->confirmation_tag = nothing;
}

/* What a hub can't see. MLS-21, MLS-34 */
static void for_members_only(void **state)
{
    struct evil *e = *state;
    evil_commit_judged(e, &(struct evil_commit){.by = &e->alice, .bend_nodes = secret_altered},
                       HS_ERR_DECRYPT, HS_OK);
    evil_commit_judged(e, &(struct evil_commit){.by = &e->alice, .bend_secrets = other_secret},
                       HS_ERR_MLS_COMMIT, HS_OK);
    evil_commit_judged(e, &(struct evil_commit){.by = &e->alice, .bend_authed = tag_altered},
                       HS_ERR_MLS_CONFIRMATION, HS_OK);
    evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .bend_authed = tag_short},
                        HS_ERR_MLS_CONFIRMATION);
    evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .bend_authed = tag_empty},
                        HS_ERR_MLS_CONFIRMATION);
}

/* Refused in the same way where no hub can see it; the key that it was opened with isn't used up. MLS-6 */
static void as_private_message(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
    const struct hs_mls_proposal remove = evil_remove(3);
    evil_value(&list, &remove);
    struct evil_commit plan = {
        .by = &e->alice, .list = hs_writer_bytes(&list), .no_path = true, .as_private = true};
    evil_commit_judged(e, &plan, HS_ERR_MLS_COMMIT, HS_ERR_UNEXPECTED);
    plan.no_path = false;
    plan.bend_leaf = source_is_update;
    evil_commit_judged(e, &plan, HS_ERR_MLS_LEAF, HS_ERR_UNEXPECTED);
    plan.bend_leaf = NULL;
    evil_commit(e, &plan, &message);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(e->bob.group, hs_writer_bytes(&message), &event));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(honest),           EVIL_TEST(path_is_missing),    EVIL_TEST(path_nodes),
        EVIL_TEST(for_members_only), EVIL_TEST(as_private_message),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
