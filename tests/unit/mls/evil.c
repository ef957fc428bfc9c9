#include "unit/mls/evil.h"

#include "mls/external.h"
#include "mls/key_package_check.h"

static void hub_follow(struct evil *e, struct hs_bytes commit)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(e->hub, commit, &event));
    assert_int_equal(event->kind, HS_MLS_EVENT_COMMIT);
    assert_ok(hs_mls_public_merge(e->hub, event->staged));
}

/* Alice's group, with a moderator outside. */
static void create(struct evil *e)
{
    struct hs_writer HS_WRITER senders = writer();
    const struct hs_mls_external_sender moderator = {.signature_key = HS_MLS_VIEW(e->moderator.pub),
                                                     .credential_type = HS_MLS_BASIC,
                                                     .identity = hs_bytes_str("moderator")};
    assert_ok(hs_mls_external_senders_write(&moderator, 1, &senders));
    const struct hs_mls_extension extensions[] = {
        {.type = ROOM_POLICY, .data = hs_bytes_str("policy")},
        {.type = HS_MLS_EXT_EXTERNAL_SENDERS, .data = hs_writer_bytes(&senders)},
    };
    const struct hs_mls_create request = {
        .leaf = person_params(&e->alice),
        .group_id = hs_bytes_str("room"),
        .extensions = extensions,
        .extension_count = 2,
        .settings = hs_mls_settings_default(),
    };
    assert_ok(hs_mls_group_create(&request, &e->alice.group));
}

/* Alice adds the three others; then each makes a path, so that no parent is blank. */
static void gather(struct evil *e)
{
    struct sent SENT s = sent_new();
    struct person *others[] = {&e->bob, &e->carol, &e->dave};
    struct person *all[] = {&e->alice, &e->bob, &e->carol, &e->dave};
    const struct hs_bytes adds[] = {hs_writer_bytes(&e->bob.key_package),
                                    hs_writer_bytes(&e->carol.key_package),
                                    hs_writer_bytes(&e->dave.key_package)};
    const struct hs_mls_commit_request request = {.adds = adds, .add_count = 3, .tree_in_welcome = true};
    person_commit(&e->alice, &request, &s);
    assert_ok(hs_mls_public_new(hs_writer_bytes(&s.group_info), (struct hs_bytes){0}, &e->hub));
    for (size_t i = 0; i < 3; i++)
        assert_ok(person_try_join(others[i], hs_writer_bytes(&s.welcome), (struct hs_bytes){0}));
    for (size_t i = 0; i < 4; i++) {
        struct sent SENT own = sent_new();
        person_commit(all[i], &empty, &own);
        for (size_t j = 0; j < 4; j++)
            if (j != i)
                person_follow(all[j], hs_writer_bytes(&own.commit));
        hub_follow(e, hs_writer_bytes(&own.commit));
    }
}

int evil_setup(void **state)
{
    static struct evil evil;
    struct evil *e = &evil;
    *e = (struct evil){0};
    person_init(&e->alice, "alice");
    person_init(&e->bob, "bob");
    person_init(&e->carol, "carol");
    person_init(&e->dave, "dave");
    person_init(&e->erin, "erin");
    person_init(&e->frank, "frank");
    assert_ok(hs_mls_signer_random(hs_mls_suite_find(EVIL_SUITE), &e->moderator));
    create(e);
    gather(e);
    e->hub_store = mls_store_new();
    *state = e;
    return 0;
}

int evil_teardown(void **state)
{
    struct evil *e = *state;
    struct person *all[] = {&e->alice, &e->bob, &e->carol, &e->dave, &e->erin, &e->frank};
    for (size_t i = 0; i < 6; i++)
        person_free(all[i]);
    hs_mls_public_free_at(&e->hub);
    hs_mls_signer_wipe(&e->moderator);
    mls_store_free_at(&e->hub_store);
    return 0;
}

/* What both judges' stores hold once everything is saved, and what the hub has in memory. */
struct snapshot {
    struct hs_id bob, hub;
    struct hs_mls_hash memory;
};

static struct snapshot snapshot(struct evil *e)
{
    struct snapshot s = {.bob = person_state(&e->bob)};
    struct hs_writer HS_WRITER w = writer();
    assert_ok(hs_mls_public_save(e->hub, &e->hub_store->store));
    s.hub = mls_store_hash(e->hub_store);
    hs_mls_state_write(&w, &e->hub->now);
    hs_mls_tree_write(&e->hub->now.tree, &w);
    for (size_t i = 0; i < e->hub->cached_count; i++)
        hs_write_mls_vec(&w, hs_mls_blob_bytes(e->hub->cached[i].raw));
    assert_ok(w.err);
    hs_mls_hash(e->hub->now.suite, hs_writer_bytes(&w), &s.memory);
    return s;
}

void evil_judged(struct evil *e, struct hs_bytes message, enum hs_err member, enum hs_err hub)
{
    struct hs_mls_event *event = NULL;
    const struct snapshot before = snapshot(e);
    enum hs_err bobs = hs_mls_group_process(e->bob.group, message, &event);
    hs_mls_event_free_at(&event);
    enum hs_err hubs = hs_mls_public_process(e->hub, message, &event);
    hs_mls_event_free_at(&event);
    if (bobs != member || hubs != hub)
        fail_msg("bob: %s, expected %s; hub: %s, expected %s", hs_err_name(bobs), hs_err_name(member),
                 hs_err_name(hubs), hs_err_name(hub));
    const struct snapshot after = snapshot(e);
    assert_bytes(HS_VIEW(after.bob), HS_VIEW(before.bob));
    assert_bytes(HS_VIEW(after.hub), HS_VIEW(before.hub));
    assert_bytes(HS_MLS_VIEW(after.memory), HS_MLS_VIEW(before.memory));
}

void evil_refused(struct evil *e, struct hs_bytes message, enum hs_err want)
{
    evil_judged(e, message, want, want);
}

struct hs_mls_hash evil_heard(struct evil *e, struct hs_bytes message)
{
    struct hs_mls_hash ref = {0};
    struct person *all[] = {&e->alice, &e->bob, &e->carol, &e->dave};
    for (size_t i = 0; i < 5; i++) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        assert_ok(i < 4 ? hs_mls_group_process(all[i]->group, message, &event)
                        : hs_mls_public_process(e->hub, message, &event));
        assert_int_equal(event->kind, HS_MLS_EVENT_PROPOSAL);
        ref = event->proposal.ref;
    }
    return ref;
}

void evil_accepted(struct evil *e, struct hs_bytes message)
{
    struct person *all[] = {&e->alice, &e->bob, &e->carol, &e->dave};
    struct hs_mls_peek peek;
    assert_ok(hs_mls_message_peek(message, &peek));
    for (uint32_t i = 0; i < 4; i++)
        if (peek.sender.type != HS_MLS_SENDER_MEMBER || peek.sender.index != i)
            person_follow(all[i], message);
    hub_follow(e, message);
    assert_bytes(hs_mls_public_context(e->hub), hs_mls_public_context(hs_mls_group_public(e->bob.group)));
}

void evil_value(struct hs_writer *list, const struct hs_mls_proposal *proposal)
{
    const struct hs_mls_proposal_or_ref item = {.proposal = *proposal};
    hs_mls_write_proposal_or_ref(list, &item);
}

void evil_ref(struct hs_writer *list, const struct hs_mls_hash *ref)
{
    const struct hs_mls_proposal_or_ref item = {.by_ref = true, .ref = HS_MLS_VIEW(*ref)};
    hs_mls_write_proposal_or_ref(list, &item);
}

struct hs_mls_proposal evil_add(struct hs_bytes key_package)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_ADD};
    assert_ok(hs_mls_key_package_read(key_package, &proposal.add));
    return proposal;
}

struct hs_mls_proposal evil_remove(uint32_t leaf)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_REMOVE};
    proposal.removed = leaf;
    return proposal;
}

struct hs_mls_proposal evil_extensions(struct hs_bytes extensions)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS};
    proposal.extensions = extensions;
    return proposal;
}

struct hs_mls_proposal evil_psk(const char *id, struct hs_bytes nonce)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_PSK};
    proposal.psk =
        (struct hs_mls_psk_id){.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str(id), .nonce = nonce};
    return proposal;
}

struct hs_mls_proposal evil_reinit(void)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_REINIT};
    proposal.reinit = (struct hs_mls_reinit){
        .group_id = hs_bytes_str("new room"), .version = HS_MLS_VERSION_10, .suite = EVIL_SUITE};
    return proposal;
}

struct hs_mls_proposal evil_external_init(struct hs_bytes kem_output)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_EXTERNAL_INIT};
    proposal.kem_output = kem_output;
    return proposal;
}

/* Bends the leaf, signs it anew and appends it to out. */
static void leaf_sign(struct evil_leaf *leaf, void (*bend)(struct evil_leaf *leaf), struct hs_writer *out)
{
    struct hs_mls_signature sig;
    struct hs_writer HS_WRITER tbs = writer();
    if (bend != NULL)
        bend(leaf);
    hs_mls_write_leaf_tbs(&tbs, &leaf->node, leaf->group_id, leaf->index);
    assert_ok(tbs.err);
    assert_ok(hs_mls_sign(leaf->signer, "LeafNodeTBS", hs_writer_bytes(&tbs), &sig));
    leaf->node.signature = HS_MLS_VIEW(sig);
    hs_mls_write_leaf_node(out, &leaf->node);
    assert_ok(out->err);
}

struct hs_mls_proposal evil_update(struct person *by, void (*bend)(struct evil_leaf *leaf), void *context,
                                   struct hs_writer *out)
{
    struct hs_mls_secret HS_MLS_SECRET priv = {0};
    struct hs_mls_pub pub;
    struct hs_mls_proposal proposal = {.type = HS_MLS_UPDATE};
    const uint32_t own = hs_mls_group_own_leaf(by->group);
    struct evil_leaf leaf = {
        .node = hs_mls_leaf_node(hs_mls_tree_leaf(&by->group->pub->now.tree, own)),
        .signer = &by->signer,
        .group_id = hs_mls_group_id(by->group),
        .index = own,
        .context = context,
    };
    assert_ok(hs_mls_kem_generate(by->signer.suite, &priv, &pub));
    leaf.node.encryption_key = HS_MLS_VIEW(pub);
    leaf.node.source = HS_MLS_LEAF_UPDATE;
    leaf.node.parent_hash = (struct hs_bytes){0};
    leaf_sign(&leaf, bend, out);
    struct hs_reader r = hs_reader(hs_writer_bytes(out));
    hs_mls_read_leaf_node(&r, &proposal.update);
    assert_ok(hs_reader_finish(&r));
    return proposal;
}

/* Writes MLSMessage(PublicMessage); with the tag of that member. */
static void frame(const struct hs_mls_group *group, const struct hs_mls_authed *authed, struct hs_writer *out)
{
    struct hs_mls_public_message m = {.authed = *authed};
    hs_writer_reset(out);
    if (authed->content.sender.type == HS_MLS_SENDER_MEMBER && group != NULL) {
        assert_ok(hs_mls_group_frame(group, authed, out));
        return;
    }
    hs_mls_write_head(out, HS_MLS_PUBLIC_MESSAGE);
    hs_mls_write_public_message(out, &m);
    assert_ok(out->err);
}

void evil_propose(struct evil *e, const struct evil_sender *sender, const struct hs_mls_proposal *proposal,
                  struct hs_writer *out)
{
    struct hs_mls_signature sig;
    const struct hs_mls_group *group = sender->person != NULL ? sender->person->group : NULL;
    const struct hs_mls_group_context *context = &e->hub->now.parsed;
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
    authed.content = (struct hs_mls_content){
        .group_id = context->group_id, .epoch = context->epoch, .sender = sender->author};
    authed.content.type = HS_MLS_PROPOSAL;
    authed.content.proposal = *proposal;
    if (sender->author.type == 0)
        authed.content.sender = (struct hs_mls_author){HS_MLS_SENDER_MEMBER, hs_mls_group_own_leaf(group)};
    if (sender->bend_content != NULL)
        sender->bend_content(&authed.content);
    const struct hs_mls_signer *signer = sender->signer != NULL ? sender->signer : &sender->person->signer;
    assert_ok(hs_mls_content_sign(signer, authed.wire_format, &authed.content, hs_mls_public_context(e->hub),
                                  &sig));
    authed.signature = HS_MLS_VIEW(sig);
    if (sender->bend != NULL)
        sender->bend(&authed);
    frame(group, &authed, out);
}

struct hs_mls_hash evil_says(struct evil *e, const struct person *by, const struct hs_mls_proposal *proposal)
{
    struct hs_writer HS_WRITER message = writer();
    evil_propose(e, &(struct evil_sender){.person = by}, proposal, &message);
    return evil_heard(e, hs_writer_bytes(&message));
}
