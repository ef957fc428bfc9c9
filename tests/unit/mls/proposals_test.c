/* Lists of proposals that no honest member commits (RFC 9420, 12.2), forged and signed by a member. */
#include "unit/mls/world.h"

#include "mls/key_package_check.h"
#include "mls/leaf.h"
#include "mls/member.h"
#include "mls/suite.h"

struct cast {
    struct person alice, bob, carol, dave;
    struct hs_mls_public *hub;
    struct hs_writer list;
};

static int cast_setup(void **state)
{
    static struct cast cast;
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    person_init(&cast.alice, "alice");
    person_init(&cast.bob, "bob");
    person_init(&cast.carol, "carol");
    person_init(&cast.dave, "dave");
    person_create(&cast.alice, "policy");
    world_add(&cast.alice, &cast.bob, NULL, 0);
    struct person *others[] = {&cast.bob};
    world_add(&cast.alice, &cast.carol, others, 1);
    assert_ok(hs_mls_group_info(cast.alice.group, true, &info));
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), (struct hs_bytes){0}, &cast.hub));
    cast.list = hs_writer(CAP);
    *state = &cast;
    return 0;
}

static int cast_teardown(void **state)
{
    struct cast *cast = *state;
    person_free(&cast->alice);
    person_free(&cast->bob);
    person_free(&cast->carol);
    person_free(&cast->dave);
    hs_mls_public_free_at(&cast->hub);
    hs_writer_free(&cast->list);
    return 0;
}

static void put(struct cast *c, const struct hs_mls_proposal *proposal)
{
    const struct hs_mls_proposal_or_ref item = {.proposal = *proposal};
    hs_mls_write_proposal_or_ref(&c->list, &item);
}

static void put_ref(struct cast *c, struct hs_bytes ref)
{
    const struct hs_mls_proposal_or_ref item = {.by_ref = true, .ref = ref};
    hs_mls_write_proposal_or_ref(&c->list, &item);
}

static void put_remove(struct cast *c, uint32_t leaf)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_REMOVE};
    proposal.removed = leaf;
    put(c, &proposal);
}

static void put_extensions(struct cast *c, struct hs_bytes list)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_GROUP_CONTEXT_EXTENSIONS};
    proposal.extensions = list;
    put(c, &proposal);
}

static void put_add(struct cast *c, struct hs_bytes key_package)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_ADD};
    assert_ok(hs_mls_key_package_read(key_package, &proposal.add));
    put(c, &proposal);
}

/* Signs content as alice and frames it. */
static void forge(struct cast *c, struct hs_mls_authed *authed, struct hs_writer *out)
{
    static const uint8_t tag[32];
    struct hs_sig sig;
    assert_ok(hs_mls_content_sign(&c->alice.signer, authed->wire_format, &authed->content,
                                  hs_mls_public_context(hs_mls_group_public(c->alice.group)), &sig));
    authed->signature = HS_VIEW(sig);
    authed->confirmation_tag = hs_bytes(tag, sizeof tag);
    assert_ok(hs_mls_group_frame(c->alice.group, authed, out));
}

/* A commit by alice of the list so far, without a path: bob and the hub must both give the answer. The list
 * is empty again afterwards. */
static void refused(struct cast *c, enum hs_err want)
{
    struct hs_mls_event *event = NULL;
    struct hs_writer HS_WRITER message = hs_writer(CAP);
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
    authed.content = hs_mls_group_content(c->alice.group, HS_MLS_COMMIT, (struct hs_bytes){0});
    authed.content.commit.proposals = hs_writer_bytes(&c->list);
    forge(c, &authed, &message);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&message), &event), want);
    assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&message), &event), want);
    hs_writer_reset(&c->list);
}

/* MLS-15 */
static void lists(void **state)
{
    struct cast *c = *state;
    refused(c, HS_ERR_MLS_COMMIT); /* empty and without a path */
    put_remove(c, 1);
    refused(c, HS_ERR_MLS_COMMIT); /* a Remove without a path */
    put_remove(c, 0);
    refused(c, HS_ERR_MLS_PROPOSAL); /* of the committer itself */
    put_remove(c, 3);
    refused(c, HS_ERR_MLS_PROPOSAL); /* of a blank leaf */
    put_remove(c, UINT32_MAX);
    refused(c, HS_ERR_MLS_PROPOSAL); /* past the tree */
    put_remove(c, 1);
    put_remove(c, 1);
    refused(c, HS_ERR_MLS_PROPOSAL); /* twice */
    put_extensions(c, (struct hs_bytes){0});
    put_extensions(c, (struct hs_bytes){0});
    refused(c, HS_ERR_MLS_PROPOSAL); /* two sets of extensions */
    put_ref(c, hs_bytes_str("unknown"));
    refused(c, HS_ERR_MLS_PROPOSAL); /* a proposal that nobody has seen */
    put_add(c, hs_writer_bytes(&c->dave.key_package));
    put_add(c, hs_writer_bytes(&c->dave.key_package));
    refused(c, HS_ERR_MLS_PROPOSAL); /* the same client twice */
    put_add(c, hs_writer_bytes(&c->carol.key_package));
    refused(c, HS_ERR_MLS_PROPOSAL); /* who is a member already */
}

/* A list that is valid with a tag that isn't: the hub can't see it and stages, a member refuses. MLS-34 */
static void forged_tag(void **state)
{
    struct cast *c = *state;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_mls_event *none = NULL;
    struct hs_writer HS_WRITER message = hs_writer(CAP);
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
    authed.content = hs_mls_group_content(c->alice.group, HS_MLS_COMMIT, (struct hs_bytes){0});
    put_add(c, hs_writer_bytes(&c->dave.key_package));
    authed.content.commit.proposals = hs_writer_bytes(&c->list);
    forge(c, &authed, &message);
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&message), &event));
    assert_int_equal(hs_mls_staged_change(event->staged)->added_count, 1);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&message), &none), HS_ERR_MLS_CONFIRMATION);
}

/* Types that are read but not carried out yet. MLS-4, MLS-14 */
static void unsupported(void **state)
{
    struct cast *c = *state;
    struct hs_mls_proposal psk = {.type = HS_MLS_PSK}, reinit = {.type = HS_MLS_REINIT},
                           external = {.type = HS_MLS_EXTERNAL_INIT};
    psk.psk = (struct hs_mls_psk_id){.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("id")};
    reinit.reinit = (struct hs_mls_reinit){.version = HS_MLS_VERSION_10, .suite = HS_MLS_SUITE};
    external.kem_output = hs_bytes_str("kem");
    const struct hs_mls_proposal *const all[] = {&psk, &reinit, &external};
    for (size_t i = 0; i < 3; i++) {
        put(c, all[i]);
        refused(c, HS_ERR_UNSUPPORTED);
        struct hs_writer HS_WRITER message = hs_writer(CAP);
        struct hs_mls_event *event = NULL;
        struct hs_mls_authed authed = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
        authed.content = hs_mls_group_content(c->alice.group, HS_MLS_PROPOSAL, (struct hs_bytes){0});
        authed.content.proposal = *all[i];
        forge(c, &authed, &message);
        assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&message), &event), HS_ERR_UNSUPPORTED);
    }
    hs_write_u8(&c->list, 1);
    hs_write_u16(&c->list, 0x0A0A); /* GREASE as a proposal: its end can't be known */
    refused(c, HS_ERR_UNSUPPORTED);
}

/* An Update by value, and one's own by reference, are refused. MLS-15 */
static void updates(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_public_message m;
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_propose_update(c->alice.group, (struct hs_bytes){0}, (struct hs_bytes){0}, &w));
    struct hs_reader r = hs_reader(hs_writer_bytes(&w));
    (void)hs_mls_read_head(&r);
    hs_mls_read_public_message(&r, &m);
    put(c, &m.authed.content.proposal);
    refused(c, HS_ERR_MLS_PROPOSAL);
    assert_ok(hs_mls_group_process(c->bob.group, hs_writer_bytes(&w), &event));
    struct hs_mls_event HS_MLS_EVENT *at_hub = NULL;
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &at_hub));
    put_ref(c, HS_VIEW(event->proposal.ref));
    refused(c, HS_ERR_MLS_PROPOSAL);
}

/* An Update and a Remove of the same leaf: invalid together; an honest committer keeps the Remove. MLS-15,
 * MLS-17 */
static void update_and_remove(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER update = hs_writer(CAP), HS_WRITER remove = hs_writer(CAP);
    struct sent SENT s = sent_new();
    const struct hs_bytes none = {0};
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_propose_update(c->carol.group, none, none, &update));
    assert_ok(hs_mls_group_propose_remove(c->bob.group, 2, none, &remove));
    struct person *all[] = {&c->alice, &c->bob};
    for (size_t i = 0; i < 2; i++) {
        person_hear(all[i], hs_writer_bytes(&update));
        person_hear(all[i], hs_writer_bytes(&remove));
    }
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&update), &event));
    put_ref(c, HS_VIEW(event->proposal.ref));
    put_remove(c, 2);
    refused(c, HS_ERR_MLS_PROPOSAL);
    assert_ok(person_try_commit(&c->alice, &(struct hs_mls_commit_request){0}, &s));
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->removed_count, 1);
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->updated_count, 1); /* the path */
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
}

/* Waiting proposals that clash: the honest committer takes what can stand together, and drops what is
 * forbidden. MLS-17 */
static void clashing_proposals(void **state)
{
    struct cast *c = *state;
    const struct hs_bytes none = {0};
    struct hs_writer messages[6];
    const struct hs_mls_extension one = {.type = ROOM_POLICY, .data = hs_bytes_str("one")},
                                  two = {.type = ROOM_POLICY, .data = hs_bytes_str("two")};
    for (size_t i = 0; i < 6; i++)
        messages[i] = hs_writer(CAP);
    assert_ok(
        hs_mls_group_propose_add(c->bob.group, hs_writer_bytes(&c->dave.key_package), none, &messages[0]));
    assert_ok(
        hs_mls_group_propose_add(c->carol.group, hs_writer_bytes(&c->dave.key_package), none, &messages[1]));
    assert_ok(hs_mls_group_propose_extensions(c->bob.group, &one, 1, none, &messages[2]));
    assert_ok(hs_mls_group_propose_extensions(c->carol.group, &two, 1, none, &messages[3]));
    assert_ok(hs_mls_group_propose_update(c->bob.group, none, none, &messages[4]));
    assert_ok(hs_mls_group_propose_update(c->bob.group, none, none, &messages[5]));
    struct person *all[] = {&c->alice, &c->bob, &c->carol};
    for (size_t i = 0; i < 18; i++)
        person_hear(all[i % 3], hs_writer_bytes(&messages[i / 3]));
    person_hear(&c->alice, hs_writer_bytes(&messages[0])); /* heard twice, kept once */
    assert_int_equal(hs_mls_public_proposal_count(hs_mls_group_public(c->alice.group)), 6);
    struct sent SENT s = sent_new();
    assert_ok(person_try_commit(&c->alice, &(struct hs_mls_commit_request){.tree_in_welcome = true}, &s));
    const struct hs_mls_change *change = hs_mls_group_pending_change(c->alice.group);
    struct hs_bytes policy;
    assert_int_equal(change->added_count, 1);
    assert_int_equal(change->added[0].by, 1);
    assert_int_equal(change->updated_count, 2);
    assert_int_equal(change->extensions_by, 2);
    assert_true(hs_mls_extension_find(change->new_extensions, ROOM_POLICY, &policy));
    assert_bytes(policy, hs_bytes_str("two"));
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_ok(person_try_join(&c->dave, hs_writer_bytes(&s.welcome), none));
    for (size_t i = 1; i < 3; i++)
        assert_same_epoch(&c->alice, all[i]);
    assert_same_epoch(&c->alice, &c->dave);
    for (size_t i = 0; i < 6; i++)
        hs_writer_free(&messages[i]);
}

/* No proposal keeps others from committing: an Add that the group can't take is refused at once, and one that
 * somebody adds by value at the same time is left out. MLS-16 */
static void hindering_proposals(void **state)
{
    struct cast *c = *state;
    const struct hs_bytes none = {0};
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP), HS_WRITER good = hs_writer(CAP),
                               HS_WRITER poor = hs_writer(CAP);
    struct hs_mls_key_package_private priv;
    struct hs_mls_event *event = NULL;
    struct hs_mls_leaf_params params = person_params(&c->dave);
    params.extension_type_count = 0; /* doesn't know the room's policy */
    assert_ok(hs_mls_key_package_new(&params, &poor, &priv));
    assert_ok(hs_mls_group_propose_add(c->bob.group, hs_writer_bytes(&poor), none, &w));
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event), HS_ERR_MLS_LEAF);
    assert_ok(hs_mls_group_propose_add(c->bob.group, hs_writer_bytes(&c->dave.key_package), none, &good));
    person_hear(&c->alice, hs_writer_bytes(&good));
    struct hs_bytes add = hs_writer_bytes(&c->dave.key_package);
    assert_ok(
        person_try_commit(&c->alice, &(struct hs_mls_commit_request){.adds = &add, .add_count = 1}, &s));
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->added_count, 1);
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->added[0].by, 0);
    /* extensions that a member doesn't know */
    const struct hs_mls_extension unknown = {.type = 0xABCD};
    hs_writer_reset(&w);
    assert_ok(hs_mls_group_propose_extensions(c->bob.group, &unknown, 1, none, &w));
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event), HS_ERR_MLS_LEAF);
}

/* A proposal that policy forbids is dropped, and not committed. */
static void dropped_proposal(void **state)
{
    struct cast *c = *state;
    const struct hs_bytes none = {0};
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_propose_remove(c->bob.group, 2, none, &w));
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&w), &event));
    assert_ok(hs_mls_group_drop_proposal(c->alice.group, &event->proposal.ref));
    assert_err(hs_mls_group_drop_proposal(c->alice.group, &event->proposal.ref), HS_ERR_NOT_FOUND);
    assert_ok(person_try_commit(&c->alice, &(struct hs_mls_commit_request){0}, &s));
    assert_int_equal(hs_mls_group_pending_change(c->alice.group)->removed_count, 0);
}

/* Keep at most so many, and then say so. MLS-10 */
static void too_many(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER w = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    for (int i = 0; i < HS_MLS_MAX_CACHED_PROPOSALS; i++) {
        hs_writer_reset(&w);
        char data[16];
        snprintf(data, sizeof data, "%d", i);
        assert_ok(hs_mls_group_propose_remove(c->bob.group, 2, hs_bytes_str(data), &w));
        assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event));
        hs_mls_event_free_at(&event);
    }
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event)); /* known already */
    hs_mls_event_free_at(&event);
    hs_writer_reset(&w);
    assert_ok(hs_mls_group_propose_remove(c->bob.group, 2, hs_bytes_str("one more"), &w));
    assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event), HS_ERR_TOO_LARGE);
}

/* Messages of another group, another epoch, another kind, another sender. MLS-6, MLS-9 */
static void misplaced(void **state)
{
    struct cast *c = *state;
    struct hs_mls_event *event = NULL;
    const struct hs_bytes none = {0};
    struct hs_mls_authed base = {.wire_format = HS_MLS_PUBLIC_MESSAGE};
    base.content = hs_mls_group_content(c->alice.group, HS_MLS_PROPOSAL, none);
    base.content.proposal.type = HS_MLS_REMOVE;
    base.content.proposal.removed = 2;
    const struct {
        const char *group_id;
        uint64_t epoch;
        enum hs_mls_content_type type;
        enum hs_mls_sender_type sender_type;
        uint32_t sender;
        enum hs_err want;
    } rows[] = {
        {"moor", 2, HS_MLS_PROPOSAL, HS_MLS_SENDER_MEMBER, 0, HS_ERR_MLS_GROUP},
        {"room", 1, HS_MLS_PROPOSAL, HS_MLS_SENDER_MEMBER, 0, HS_ERR_MLS_EPOCH},
        {"room", 3, HS_MLS_PROPOSAL, HS_MLS_SENDER_MEMBER, 0, HS_ERR_MLS_EPOCH},
        {"room", 2, HS_MLS_APPLICATION, HS_MLS_SENDER_MEMBER, 0, HS_ERR_UNEXPECTED},
        {"room", 2, HS_MLS_PROPOSAL, HS_MLS_SENDER_EXTERNAL, 0, HS_ERR_UNSUPPORTED},
        {"room", 2, HS_MLS_PROPOSAL, HS_MLS_SENDER_NEW_MEMBER_PROPOSAL, 0, HS_ERR_UNSUPPORTED},
        {"room", 2, HS_MLS_COMMIT, HS_MLS_SENDER_NEW_MEMBER_COMMIT, 0, HS_ERR_UNSUPPORTED},
        {"room", 2, HS_MLS_PROPOSAL, HS_MLS_SENDER_MEMBER, 3, HS_ERR_NOT_MEMBER},
        {"room", 2, HS_MLS_PROPOSAL, HS_MLS_SENDER_MEMBER, UINT32_MAX, HS_ERR_NOT_MEMBER},
        {"room", 2, HS_MLS_PROPOSAL, HS_MLS_SENDER_MEMBER, 1, HS_ERR_BAD_SIGNATURE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hs_writer HS_WRITER w = hs_writer(CAP);
        struct hs_mls_authed authed = base;
        authed.content.group_id = hs_bytes_str(rows[i].group_id);
        authed.content.epoch = rows[i].epoch;
        authed.content.type = rows[i].type;
        authed.content.sender_type = rows[i].sender_type;
        authed.content.sender = rows[i].sender;
        forge(c, &authed, &w);
        assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&w), &event), rows[i].want);
        assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&w), &event), rows[i].want);
    }
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&c->dave.key_package), &event),
               HS_ERR_UNEXPECTED);
    assert_err(hs_mls_group_process(c->bob.group, none, &event), HS_ERR_MALFORMED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cast_setup, cast_teardown)
    const struct CMUnitTest tests[] = {
        TEST(lists),
        TEST(forged_tag),
        TEST(unsupported),
        TEST(updates),
        TEST(update_and_remove),
        TEST(clashing_proposals),
        TEST(hindering_proposals),
        TEST(dropped_proposal),
        TEST(too_many),
        TEST(misplaced),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
