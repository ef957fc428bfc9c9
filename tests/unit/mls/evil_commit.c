#include "unit/mls/evil.h"

#include "mls/key_package_check.h"
#include "mls/leaf.h"

/* What is at hand while a commit is made. */
struct forging {
    const struct evil_commit *plan;
    const struct hs_mls_public *pub;
    struct hs_mls_staged *staged;
    struct hs_mls_path_keys keys;
    struct hs_mls_path_secrets secrets;
    struct hs_mls_epoch_inputs inputs;
    struct hs_writer leaf, nodes, bent;
    uint32_t own;
};

static void forging_free(struct forging *f)
{
    hs_mls_staged_free(f->staged);
    hs_writer_free(&f->leaf);
    hs_writer_free(&f->nodes);
    hs_writer_free(&f->bent);
}

/* The path's leaf as plan bends it; in the tree too, where the tree can have such a leaf. */
static void bend_leaf(struct forging *f)
{
    struct hs_mls_signature sig;
    struct hs_mls_tree *tree = &f->staged->next.tree;
    struct hs_writer HS_WRITER tbs = writer();
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    struct evil_leaf bent = {
        .node = hs_mls_leaf_node(hs_mls_tree_leaf(tree, f->own)),
        .signer = &f->plan->by->signer,
        .group_id = f->pub->now.parsed.group_id,
        .index = f->own,
        .context = f->plan->context,
    };
    if (f->plan->bend_leaf != NULL)
        f->plan->bend_leaf(&bent);
    hs_mls_write_leaf_tbs(&tbs, &bent.node, bent.group_id, bent.index);
    assert_ok(hs_mls_sign(bent.signer, "LeafNodeTBS", hs_writer_bytes(&tbs), &sig));
    bent.node.signature = HS_MLS_VIEW(sig);
    hs_mls_write_leaf_node(&f->leaf, &bent.node);
    assert_ok(f->leaf.err);
    bent.node.raw = hs_writer_bytes(&f->leaf);
    if (hs_mls_leaf_new(f->staged->next.suite, &bent.node, &leaf) == HS_OK)
        assert_ok(hs_mls_tree_put(tree, f->own, leaf));
}

static void make_path(struct forging *f)
{
    struct hs_mls_tree *tree = &f->staged->next.tree;
    const struct hs_mls_leaf_renewal renewal = {
        .old = hs_mls_tree_leaf(tree, f->own),
        .signer = &f->plan->by->signer,
        .group_id = f->pub->now.parsed.group_id,
        .index = f->own,
    };
    assert_ok(hs_mls_path_make(tree, &renewal, &f->keys, &f->secrets));
    bend_leaf(f);
    f->inputs.commit = f->secrets.commit;
}

/* The leaf of one who comes from outside, where an Add would put it. */
static void enter(struct forging *f)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub pub;
    struct hs_mls_leaf HS_MLS_LEAF *leaf = NULL;
    const struct hs_mls_leaf_params params = person_params(f->plan->by);
    assert_ok(hs_mls_kem_generate(params.signer->suite, &priv, &pub));
    assert_ok(hs_mls_leaf_create(&params, HS_MLS_VIEW(pub), &leaf));
    assert_ok(hs_mls_stage_newcomer(f->staged, leaf));
    f->own = f->staged->committer;
}

static void stage(struct evil *e, struct forging *f)
{
    const struct evil_commit *plan = f->plan;
    const struct hs_mls_group *group = plan->external ? NULL : plan->by->group;
    f->pub = group != NULL ? group->pub : e->hub;
    f->own = group != NULL ? hs_mls_group_own_leaf(group) : 0;
    const struct hs_mls_author by = {
        .type = group != NULL ? HS_MLS_SENDER_MEMBER : HS_MLS_SENDER_NEW_MEMBER_COMMIT, .index = f->own};
    assert_ok(hs_mls_stage_begin(f->pub, &by, &f->staged));
    assert_ok(hs_mls_stage_proposals(f->pub, f->staged, plan->honest != NULL ? *plan->honest : plan->list));
    if (group != NULL) {
        f->keys = group->path;
        f->inputs.init = group->epoch.init;
    } else {
        f->inputs.init = *plan->init;
        enter(f);
    }
    hs_mls_secret_zero(f->pub->now.suite, &f->inputs.commit);
    if (!plan->no_path)
        make_path(f);
    else
        hs_mls_path_keys_prune(&f->staged->next.tree, f->own, &f->keys);
    assert_ok(hs_mls_stage_context(f->staged, f->staged->before.parsed.confirmed_transcript_hash));
    if (plan->no_path)
        return;
    if (plan->bend_secrets != NULL)
        plan->bend_secrets(&f->secrets);
    assert_ok(hs_mls_path_encrypt(&f->staged->next.tree, f->own, &f->secrets, &f->staged->newcomers,
                                  hs_mls_blob_bytes(f->staged->next.context), &f->nodes));
    if (plan->bend_nodes != NULL)
        plan->bend_nodes(hs_writer_bytes(&f->nodes), &f->bent);
    else
        hs_write_bytes(&f->bent, hs_writer_bytes(&f->nodes));
}

static struct hs_mls_content content(const struct forging *f)
{
    const struct hs_mls_group_context *context = &f->pub->now.parsed;
    struct hs_mls_content out = {
        .group_id = context->group_id, .epoch = context->epoch, .type = HS_MLS_COMMIT};
    out.sender = (struct hs_mls_author){.type = HS_MLS_SENDER_MEMBER, .index = f->own};
    if (f->plan->external)
        out.sender = (struct hs_mls_author){.type = HS_MLS_SENDER_NEW_MEMBER_COMMIT};
    out.commit.proposals = f->plan->list;
    out.commit.has_path = !f->plan->no_path;
    if (f->plan->no_path)
        return out;
    struct hs_reader r = hs_reader(hs_writer_bytes(&f->leaf));
    hs_mls_read_leaf_node(&r, &out.commit.path.leaf);
    assert_ok(hs_reader_finish(&r));
    out.commit.path.nodes = hs_writer_bytes(&f->bent);
    if (f->plan->bend_content != NULL)
        f->plan->bend_content(&out);
    return out;
}

static void write(const struct forging *f, const struct hs_mls_authed *authed, struct hs_writer *out)
{
    const struct hs_mls_public_message m = {.authed = *authed};
    hs_writer_reset(out);
    if (f->plan->as_private) {
        struct hs_mls_ratchet HS_MLS_RATCHET *turned = NULL; /* for ever the same key: nobody shall read it */
        assert_ok(hs_mls_group_seal(f->plan->by->group, authed, 0, &turned, out));
        return;
    }
    if (authed->content.sender.type == HS_MLS_SENDER_MEMBER) {
        assert_ok(hs_mls_group_frame(f->plan->by->group, authed, out));
        return;
    }
    hs_mls_write_head(out, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(out, &m);
    assert_ok(out->err);
}

/* Signed, with the tag that goes with the secrets of the epoch that it leads to. */
static void conclude(struct forging *f, struct hs_writer *out)
{
    struct hs_mls_signature sig;
    struct hs_mls_hash tag;
    struct hs_mls_staged *staged = f->staged;
    const struct hs_mls_group *group = f->plan->by->group;
    const struct hs_mls_psk_source psks = {.group = group,
                                           .list = group != NULL ? group->psks.list : NULL,
                                           .count = group != NULL ? group->psks.count : 0};
    struct hs_mls_authed authed = {
        .wire_format = f->plan->as_private ? HS_MLS_PRIVATE_MESSAGE : HS_MLS_PUBLIC_MESSAGE,
        .content = content(f),
    };
    assert_ok(hs_mls_content_sign(&f->plan->by->signer, authed.wire_format, &authed.content,
                                  hs_mls_public_context(f->pub), &sig));
    authed.signature = HS_MLS_VIEW(sig);
    assert_ok(hs_mls_stage_transcript(staged, &authed));
    assert_ok(hs_mls_psk_of_change(staged->next.suite, &psks, &staged->change, &f->inputs.psk));
    assert_ok(hs_mls_stage_secrets(staged, &f->inputs, &f->keys));
    hs_mls_confirmation(staged->next.suite, &staged->secrets->epoch,
                        staged->next.parsed.confirmed_transcript_hash, &tag);
    authed.confirmation_tag = HS_MLS_VIEW(tag);
    if (f->plan->bend_authed != NULL)
        f->plan->bend_authed(&authed);
    write(f, &authed, out);
}

void evil_commit(struct evil *e, const struct evil_commit *plan, struct hs_writer *out)
{
    struct forging HS_AUTO(forging_free)
        f = {.plan = plan, .leaf = writer(), .nodes = writer(), .bent = writer()};
    stage(e, &f);
    conclude(&f, out);
}

void evil_commit_judged(struct evil *e, const struct evil_commit *plan, enum hs_err member, enum hs_err hub)
{
    struct hs_writer HS_WRITER message = writer();
    evil_commit(e, plan, &message);
    evil_judged(e, hs_writer_bytes(&message), member, hub);
}

void evil_commit_refused(struct evil *e, const struct evil_commit *plan, enum hs_err want)
{
    evil_commit_judged(e, plan, want, want);
}

void evil_list_refused(struct evil *e, struct hs_bytes list, enum hs_err want)
{
    evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .list = list}, want);
}

void evil_split_refused(struct evil *e, struct hs_bytes list, struct hs_bytes honest, enum hs_err want)
{
    evil_commit_refused(e, &(struct evil_commit){.by = &e->alice, .list = list, .honest = &honest}, want);
}

struct hs_bytes evil_external(struct evil *e, uint8_t kem[static HS_MLS_MAX_PUB], struct hs_mls_secret *init)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub pub;
    const struct hs_mls_suite *suite = e->hub->now.suite;
    assert_ok(hs_mls_external_keys(suite, &e->alice.group->epoch, &priv, &pub));
    assert_ok(hs_mls_external_init_send(suite, HS_MLS_VIEW(pub), kem, init));
    return hs_bytes(kem, suite->kem_enc_len);
}

/* The leaf, of a new key pair, signed as plan bends it. */
static void package_leaf(const struct evil_package *plan, struct hs_bytes encryption_key,
                         struct hs_writer *out)
{
    struct hs_mls_signature sig;
    struct hs_mls_leaf HS_MLS_LEAF *first = NULL;
    struct hs_writer HS_WRITER tbs = writer();
    const struct hs_mls_leaf_params params = person_params(plan->by);
    assert_ok(hs_mls_leaf_create(&params, encryption_key, &first));
    struct evil_leaf leaf = {
        .node = hs_mls_leaf_node(first), .signer = &plan->by->signer, .context = plan->context};
    if (plan->bend_leaf != NULL)
        plan->bend_leaf(&leaf);
    hs_mls_write_leaf_tbs(&tbs, &leaf.node, leaf.group_id, leaf.index);
    assert_ok(hs_mls_sign(leaf.signer, "LeafNodeTBS", hs_writer_bytes(&tbs), &sig));
    leaf.node.signature = HS_MLS_VIEW(sig);
    hs_mls_write_leaf_node(out, &leaf.node);
    assert_ok(out->err);
}

void evil_key_package(const struct evil_package *plan, struct hs_writer *out)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub init, encryption;
    struct hs_mls_signature sig;
    struct hs_writer HS_WRITER leaf = writer(), HS_WRITER tbs = writer();
    struct hs_mls_key_package kp = {.version = HS_MLS_VERSION_10, .suite = plan->by->signer.suite->id};
    assert_ok(hs_mls_kem_generate(plan->by->signer.suite, &priv, &init));
    assert_ok(hs_mls_kem_generate(plan->by->signer.suite, &priv, &encryption));
    package_leaf(plan, HS_MLS_VIEW(encryption), &leaf);
    struct hs_reader r = hs_reader(hs_writer_bytes(&leaf));
    hs_mls_read_leaf_node(&r, &kp.leaf);
    assert_ok(hs_reader_finish(&r));
    kp.init_key = HS_MLS_VIEW(init);
    if (plan->bend != NULL)
        plan->bend(&kp);
    hs_mls_write_key_package_tbs(&tbs, &kp);
    assert_ok(hs_mls_sign(&plan->by->signer, "KeyPackageTBS", hs_writer_bytes(&tbs), &sig));
    sig.v[0] ^= plan->wrong_signature;
    kp.signature = HS_MLS_VIEW(sig);
    hs_writer_reset(out);
    hs_mls_write_head(out, HS_MLS_KEY_PACKAGE);
    hs_mls_write_key_package(out, &kp);
    assert_ok(out->err);
}
