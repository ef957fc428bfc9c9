#include "fuzz/mls_repair.h"

#include "fuzz/fuzz.h"
#include "mls/member.h"
#include "mls/suite.h"

static struct hs_bytes sign_label(const struct hs_mls_signer *signer, const char *label,
                                  const struct hs_writer *tbs, struct hs_arena *arena)
{
    struct hs_mls_signature sig;
    FUZZ_OK(tbs->err);
    FUZZ_OK(hs_mls_sign(signer, label, hs_writer_bytes(tbs), &sig));
    return hs_arena_copy(arena, HS_MLS_VIEW(sig));
}

static void leaf_resign(struct hs_mls_leaf_node *leaf, const struct hs_mls_signer *signer,
                        struct hs_bytes group_id, uint32_t index, struct hs_arena *arena)
{
    struct hs_writer HS_WRITER tbs = hs_writer(MLS_WORLD_CAP);
    hs_mls_write_leaf_tbs(&tbs, leaf, group_id, index);
    leaf->signature = sign_label(signer, "LeafNodeTBS", &tbs, arena);
}

void mls_repair_key_package(const struct mls_world *w, struct hs_mls_key_package *kp, struct hs_arena *arena)
{
    const struct hs_mls_signer *signer = &w->people[MLS_MEMBERS].signer;
    struct hs_writer HS_WRITER tbs = hs_writer(MLS_WORLD_CAP);
    kp->leaf.signature_key = HS_MLS_VIEW(signer->pub);
    leaf_resign(&kp->leaf, signer, (struct hs_bytes){0}, 0, arena);
    hs_mls_write_key_package_tbs(&tbs, kp);
    kp->signature = sign_label(signer, "KeyPackageTBS", &tbs, arena);
}

/* Whoever has the leaf's signature key; else the person outside. */
static const struct hs_mls_signer *bearer_of(const struct mls_world *w, const struct hs_mls_leaf_node *leaf)
{
    for (unsigned i = 0; i < MLS_MEMBERS; i++)
        if (hs_bytes_equal(HS_MLS_VIEW(w->people[i].signer.pub), leaf->signature_key))
            return &w->people[i].signer;
    return &w->people[MLS_MEMBERS].signer;
}

static const struct hs_mls_signer *signer_of(const struct mls_world *w, const struct hs_mls_content *content)
{
    const struct hs_mls_author *sender = &content->sender;
    switch (sender->type) {
    case HS_MLS_SENDER_MEMBER:
        return &w->people[sender->index % MLS_MEMBERS].signer;
    case HS_MLS_SENDER_EXTERNAL:
        return &w->outside;
    case HS_MLS_SENDER_NEW_MEMBER_COMMIT: /* a member comes back, or somebody new */
        if (content->type == HS_MLS_COMMIT && content->commit.has_path)
            return bearer_of(w, &content->commit.path.leaf);
        break;
    case HS_MLS_SENDER_NEW_MEMBER_PROPOSAL:
        break;
    }
    return &w->people[MLS_MEMBERS].signer;
}

/* Where a newcomer's leaf goes: into the first place that its commit makes free, or behind all. */
static uint32_t newcomer_leaf(struct hs_bytes proposals)
{
    struct hs_reader r = hs_reader(proposals);
    uint32_t leaf = MLS_MEMBERS;
    while (r.err == HS_OK && hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&r, &item);
        bool removes = r.err == HS_OK && !item.by_ref && item.proposal.type == HS_MLS_REMOVE;
        if (removes && item.proposal.removed < leaf)
            leaf = item.proposal.removed;
    }
    return leaf;
}

/* The Adds of a commit's list. */
static struct hs_bytes list_resign(const struct mls_world *w, struct hs_bytes list, struct hs_arena *arena)
{
    struct hs_reader r = hs_reader(list);
    struct hs_writer HS_WRITER out = hs_writer(MLS_WORLD_CAP);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&r, &item);
        if (r.err != HS_OK)
            return list;
        if (!item.by_ref && item.proposal.type == HS_MLS_ADD)
            mls_repair_key_package(w, &item.proposal.add, arena);
        hs_mls_write_proposal_or_ref(&out, &item);
    }
    FUZZ_OK(out.err);
    return hs_arena_copy(arena, hs_writer_bytes(&out));
}

static void content_resign(const struct mls_world *w, struct hs_mls_content *content, struct hs_arena *arena)
{
    const struct hs_mls_signer *signer = signer_of(w, content);
    bool member = content->sender.type == HS_MLS_SENDER_MEMBER;
    if (content->type == HS_MLS_COMMIT) {
        content->commit.proposals = list_resign(w, content->commit.proposals, arena);
        uint32_t leaf = member ? content->sender.index : newcomer_leaf(content->commit.proposals);
        if (content->commit.has_path)
            leaf_resign(&content->commit.path.leaf, signer, content->group_id, leaf, arena);
    }
    if (content->type != HS_MLS_PROPOSAL)
        return;
    if (content->proposal.type == HS_MLS_UPDATE)
        leaf_resign(&content->proposal.update, signer, content->group_id, content->sender.index, arena);
    if (content->proposal.type == HS_MLS_ADD)
        mls_repair_key_package(w, &content->proposal.add, arena);
}

static struct hs_bytes message_write(const struct hs_mls_public_message *m, struct hs_arena *arena)
{
    struct hs_writer HS_WRITER w = hs_writer(MLS_WORLD_CAP);
    hs_mls_write_head(&w, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(&w, m);
    FUZZ_OK(w.err);
    return hs_arena_copy(arena, hs_writer_bytes(&w));
}

static bool message_read(struct hs_bytes message, struct hs_mls_public_message *m)
{
    struct hs_reader r = hs_reader(message);
    enum hs_mls_wire_format format = hs_mls_read_head(&r);
    if (r.err != HS_OK || format != HS_MLS_PUBLIC_MESSAGE)
        return false;
    hs_mls_read_public_message(&r, m);
    return hs_reader_finish(&r) == HS_OK;
}

static void sign(const struct mls_world *w, struct hs_mls_authed *authed, struct hs_arena *arena)
{
    struct hs_mls_signature sig;
    FUZZ_OK(hs_mls_content_sign(signer_of(w, &authed->content), authed->wire_format, &authed->content,
                                hs_writer_bytes(&w->context), &sig));
    authed->signature = hs_arena_copy(arena, HS_MLS_VIEW(sig));
}

static enum hs_err external_init(const struct hs_mls_group *group, struct hs_bytes kem_output,
                                 struct hs_mls_secret *init)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub pub;
    HS_TRY(hs_mls_external_keys(group->suite, &group->epoch, &priv, &pub));
    return hs_mls_external_init_open(group->suite, &priv, HS_MLS_VIEW(pub), kem_output, init);
}

/* The epoch's secrets as a member that isn't the committer finds them, up to the tag that it would expect. */
static enum hs_err expected_tag(const struct hs_mls_group *group, const struct hs_mls_authed *authed,
                                struct hs_mls_hash *tag)
{
    struct hs_mls_staged HS_MLS_STAGED *staged = NULL;
    struct hs_mls_path_keys HS_MLS_PATH_KEYS keys = group->path;
    struct hs_mls_path_secrets HS_MLS_PATH_SECRETS secrets = {0};
    struct hs_mls_epoch_inputs HS_MLS_EPOCH_INPUTS inputs = {.init = group->epoch.init};
    const struct hs_mls_psk_source psks = {.group = group, .list = &mls_world_psk, .count = 1};
    HS_TRY(hs_mls_stage_commit(group->pub, authed, &staged));
    if (staged->change.external)
        HS_TRY(external_init(group, staged->kem_output, &inputs.init));
    hs_mls_path_keys_prune(&staged->next.tree, group->own, &keys);
    HS_TRY(hs_mls_psk_of_change(group->suite, &psks, &staged->change, &inputs.psk));
    hs_mls_secret_zero(group->suite, &inputs.commit);
    const struct hs_mls_path_open open = {.tree = &staged->next.tree,
                                          .own = group->own,
                                          .sender = staged->committer,
                                          .path = &authed->content.commit.path,
                                          .newcomers = &staged->newcomers,
                                          .context = hs_mls_blob_bytes(staged->next.context)};
    if (authed->content.commit.has_path) {
        HS_TRY(hs_mls_path_open(&open, &keys, &secrets));
        inputs.commit = secrets.commit;
    }
    HS_TRY(hs_mls_stage_transcript(staged, authed));
    HS_TRY(hs_mls_stage_secrets(staged, &inputs, &keys));
    hs_mls_confirmation(group->suite, &staged->secrets->epoch, staged->next.parsed.confirmed_transcript_hash,
                        tag);
    return HS_OK;
}

static void tag_repair(const struct mls_world *w, struct hs_mls_authed *authed, struct hs_arena *arena)
{
    struct mls_live MLS_LIVE anna = mls_world_member(w, 0);
    struct hs_mls_hash tag;
    if (authed->content.type == HS_MLS_COMMIT && expected_tag(anna.group, authed, &tag) == HS_OK)
        authed->confirmation_tag = hs_arena_copy(arena, HS_MLS_VIEW(tag));
}

/* With the sender's next key, as its own client would. */
static struct hs_bytes seal(const struct mls_world *w, const struct hs_mls_authed *authed,
                            struct hs_arena *arena)
{
    struct mls_live MLS_LIVE sender = mls_world_member(w, authed->content.sender.index % MLS_MEMBERS);
    struct hs_mls_ratchet HS_MLS_RATCHET *turned = NULL;
    struct hs_writer HS_WRITER out = hs_writer(MLS_WORLD_CAP);
    FUZZ_OK(hs_mls_group_seal(sender.group, authed, 16, &turned, &out));
    return hs_arena_copy(arena, hs_writer_bytes(&out));
}

struct hs_bytes mls_repair(const struct mls_world *w, enum mls_repair how, struct hs_bytes message,
                           struct hs_arena *arena)
{
    struct hs_mls_public_message m;
    struct hs_mls_hash tag;
    if (how == MLS_REPAIR_NONE || !message_read(message, &m))
        return message;
    struct hs_mls_authed *authed = &m.authed;
    content_resign(w, &authed->content, arena);
    /* Read again, so that the raw parts are those of the new bytes. */
    if (!message_read(message_write(&m, arena), &m))
        return message;
    bool sealed = how == MLS_REPAIR_SEAL && authed->content.sender.type == HS_MLS_SENDER_MEMBER;
    authed->wire_format = sealed ? HS_MLS_PRIVATE_MESSAGE : HS_MLS_PUBLIC_MESSAGE;
    sign(w, authed, arena);
    if (how != MLS_REPAIR_SIGN)
        tag_repair(w, authed, arena);
    if (sealed)
        return seal(w, authed, arena);
    if (authed->content.sender.type == HS_MLS_SENDER_MEMBER) {
        FUZZ_OK(hs_mls_membership_tag(w->suite, &w->membership, authed, hs_writer_bytes(&w->context), &tag));
        m.membership_tag = hs_arena_copy(arena, HS_MLS_VIEW(tag));
    }
    return message_write(&m, arena);
}

void mls_repair_group_info(const struct mls_world *w, struct hs_mls_group_info *info,
                           const struct hs_mls_secret *joiner, struct hs_arena *arena)
{
    struct hs_writer HS_WRITER tbs = hs_writer(MLS_WORLD_CAP), HS_WRITER context = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_epoch_secrets HS_MLS_EPOCH_SECRETS epoch = {0};
    struct hs_mls_hash tag;
    hs_mls_write_group_context(&context, &info->context);
    FUZZ_OK(context.err);
    if (joiner != NULL) {
        FUZZ_OK(hs_mls_epoch_from_joiner(w->suite, joiner, NULL, hs_writer_bytes(&context), &epoch));
        hs_mls_confirmation(w->suite, &epoch, info->context.confirmed_transcript_hash, &tag);
        info->confirmation_tag = hs_arena_copy(arena, HS_MLS_VIEW(tag));
    }
    hs_mls_write_group_info_tbs(&tbs, info);
    info->signature = sign_label(&w->people[info->signer % MLS_MEMBERS].signer, "GroupInfoTBS", &tbs, arena);
}
