/* Coming in by an external commit, and coming back by one. */
#include "unit/mls/cast.h"

#include "mls/external.h"

static int setup(void **state)
{
    cast_found_watched(state, 2);
    return 0;
}

static struct hs_mls_external_join request(const struct person *p, const struct hs_writer *info)
{
    return (struct hs_mls_external_join){
        .group_info = hs_writer_bytes(info), .leaf = person_params(p), .settings = hs_mls_settings_default()};
}

static enum hs_err try_join(struct person *p, const struct hs_mls_external_join *join, struct sent *s)
{
    const struct hs_mls_commit_result result = {
        .commit = &s->commit, .welcome = &s->welcome, .group_info = &s->group_info};
    person_leave(p);
    return hs_mls_group_join_external(join, &result, &p->group);
}

/* The hub takes the commit, and knows its GroupInfo. */
static void hub_takes(struct cast *c, const struct sent *s)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(c->hub, hs_writer_bytes(&s->commit), &event));
    assert_ok(hs_mls_staged_matches(event->staged, hs_writer_bytes(&s->group_info)));
    assert_ok(hs_mls_public_merge(c->hub, event->staged));
}

/* MLS-50 */
static void joins(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    assert_ok(hs_mls_group_info(c->bob.group, true, &info));
    struct hs_mls_external_join join = request(&c->carol, &info);
    join.authenticated_data = hs_bytes_str("proof");
    assert_ok(try_join(&c->carol, &join, &s));
    assert_int_equal(s.welcome.len, 0);
    assert_int_equal(hs_mls_group_own_leaf(c->carol.group), 2);
    assert_int_equal(hs_mls_group_inviter(c->carol.group), 1);
    assert_false(hs_mls_group_is_unsettled(c->carol.group));
    hub_takes(c, &s);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&s.commit), &event));
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_true(change->external && change->has_path && !change->resync);
    assert_int_equal(change->added_count + change->removed_count + change->updated_count, 0);
    assert_bytes(change->committer.identity, hs_bytes_str("carol"));
    assert_int_equal(change->committer.leaf, 2);
    assert_int_equal(event->author.type, HS_MLS_SENDER_NEW_MEMBER_COMMIT);
    assert_bytes(event->authenticated_data, hs_bytes_str("proof"));
    assert_ok(hs_mls_group_merge(c->alice.group, event->staged));
    person_follow(&c->bob, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->carol);
    assert_same_epoch(&c->bob, &c->carol);
    person_restart(&c->carol);
    assert_talks(&c->carol, &c->alice, "here I am");
    assert_talks(&c->bob, &c->carol, "welcome");
    /* the newcomer's group goes on like any other */
    person_commit(&c->carol, &empty, &t);
    person_follow(&c->alice, hs_writer_bytes(&t.commit));
    person_follow(&c->bob, hs_writer_bytes(&t.commit));
    hub_takes(c, &t);
    assert_same_epoch(&c->alice, &c->carol);
    assert_bytes(hs_mls_public_context(c->hub), hs_mls_public_context(hs_mls_group_public(c->bob.group)));
}

/* The newcomer takes the leftmost blank leaf, as one that is added would. */
static void takes_a_blank_leaf(void **state)
{
    struct cast *c = *state;
    struct sent SENT r = sent_new(), SENT s = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP), HS_WRITER tree = hs_writer(CAP);
    const uint32_t bob = 1;
    struct person *others[] = {&c->bob};
    world_add(&c->alice, &c->carol, others, 1);
    person_commit(&c->carol, &(struct hs_mls_commit_request){.removes = &bob, .remove_count = 1}, &r);
    person_follow(&c->alice, hs_writer_bytes(&r.commit));
    assert_ok(hs_mls_group_info(c->carol.group, false, &info));
    struct hs_mls_external_join join = request(&c->dave, &info);
    assert_err(try_join(&c->dave, &join, &s), HS_ERR_MLS_TREE); /* the tree isn't there */
    assert_ok(hs_mls_public_tree(hs_mls_group_public(c->alice.group), &tree));
    join.tree = hs_writer_bytes(&tree);
    assert_ok(try_join(&c->dave, &join, &s));
    assert_int_equal(hs_mls_group_own_leaf(c->dave.group), 1);
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    person_follow(&c->carol, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->dave);
    assert_same_epoch(&c->carol, &c->dave);
    assert_talks(&c->dave, &c->carol, "in between");
}

/* Who lost its state comes back in one step; its former self finds itself removed. MLS-51 */
static void resync(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    struct person *others[] = {&c->bob};
    world_add(&c->alice, &c->carol, others, 1);
    struct hs_mls_group *former = c->bob.group;
    c->bob.group = NULL;
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    struct hs_mls_external_join join = request(&c->bob, &info);
    assert_err(try_join(&c->bob, &join, &s), HS_ERR_MLS_PROPOSAL); /* its key is there already */
    join.resync = true;
    hs_writer_reset(&s.commit);
    assert_ok(try_join(&c->bob, &join, &s));
    assert_int_equal(hs_mls_group_own_leaf(c->bob.group), 1);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(c->carol.group, hs_writer_bytes(&s.commit), &event));
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_true(change->external && change->resync);
    assert_int_equal(change->removed_count, 1);
    assert_bytes(change->removed[0].member.identity, hs_bytes_str("bob"));
    assert_ok(hs_mls_group_merge(c->carol.group, event->staged));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->bob);
    assert_same_epoch(&c->carol, &c->bob);
    assert_talks(&c->bob, &c->carol, "back");
    struct hs_mls_event HS_MLS_EVENT *removal = NULL;
    assert_ok(hs_mls_group_process(former, hs_writer_bytes(&s.commit), &removal));
    assert_true(hs_mls_staged_change(removal->staged)->removes_self);
    assert_ok(hs_mls_group_merge(former, removal->staged));
    assert_true(hs_mls_group_is_removed(former));
    hs_mls_group_free(former);
}

/* With a PSK that only who was told of it has. MLS-53 */
static void with_a_psk(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    const struct hs_mls_psk psk = {.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("door")},
                                   .secret = hs_bytes_str("open sesame")};
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    struct hs_mls_external_join join = request(&c->carol, &info);
    join.psk_ids = &psk.id;
    join.psk_id_count = 1;
    assert_err(try_join(&c->carol, &join, &s), HS_ERR_NOT_FOUND);
    join.psks = &psk;
    join.psk_count = 1;
    hs_writer_reset(&s.commit);
    assert_ok(try_join(&c->carol, &join, &s));
    struct hs_mls_event *event = NULL;
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&s.commit), &event), HS_ERR_NOT_FOUND);
    assert_ok(hs_mls_group_set_psks(c->alice.group, &psk, 1));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_same_epoch(&c->alice, &c->carol);
}

/* Another commit came first: the newcomer throws its group away and joins the newer epoch. MLS-50 */
static void too_late(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new(), SENT again = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    struct hs_mls_external_join join = request(&c->carol, &info);
    assert_ok(try_join(&c->carol, &join, &s));
    person_commit(&c->bob, &empty, &t);
    hub_takes(c, &t);
    struct hs_mls_event *event = NULL;
    assert_err(hs_mls_public_process(c->hub, hs_writer_bytes(&s.commit), &event), HS_ERR_MLS_EPOCH);
    assert_err(hs_mls_group_process(c->bob.group, hs_writer_bytes(&s.commit), &event), HS_ERR_MLS_EPOCH);
    join.group_info = hs_writer_bytes(&t.group_info);
    assert_ok(try_join(&c->carol, &join, &again));
    hub_takes(c, &again);
    person_follow(&c->bob, hs_writer_bytes(&again.commit));
    assert_same_epoch(&c->bob, &c->carol);
}

/* A member's own pending commit goes when a newcomer's is merged. */
static void drops_a_pending_commit(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new(), SENT t = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    const struct hs_mls_external_join join = request(&c->carol, &info);
    assert_ok(person_try_commit(&c->alice, &empty, &t));
    assert_ok(try_join(&c->carol, &join, &s));
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
    assert_false(hs_mls_group_has_pending(c->alice.group));
    assert_same_epoch(&c->alice, &c->carol);
}

/* The GroupInfo of alice's group, its extensions replaced and signed anew. */
static void bent_info(struct cast *c, struct hs_bytes extensions, struct hs_writer *out)
{
    struct hs_mls_group_info info;
    struct hs_mls_signature sig;
    struct hs_writer HS_WRITER good = hs_writer(CAP), HS_WRITER tbs = hs_writer(CAP);
    assert_ok(hs_mls_group_info(c->alice.group, true, &good));
    struct hs_reader r = hs_reader(hs_writer_bytes(&good));
    (void)hs_mls_read_head(&r);
    hs_mls_read_group_info(&r, &info);
    assert_ok(hs_reader_finish(&r));
    info.extensions = extensions;
    hs_mls_write_group_info_tbs(&tbs, &info);
    assert_ok(hs_mls_sign(&c->alice.signer, "GroupInfoTBS", hs_writer_bytes(&tbs), &sig));
    hs_writer_reset(out);
    hs_mls_write_head(out, HS_MLS_GROUP_INFO);
    hs_write_bytes(out, hs_writer_bytes(&tbs));
    hs_write_mls_vec(out, HS_MLS_VIEW(sig));
}

/* What the newcomer refuses. MLS-50 */
static void refusals(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    static const uint8_t low[33] = {32, 1};
    struct hs_writer HS_WRITER info = hs_writer(CAP), HS_WRITER tree = hs_writer(CAP),
                               HS_WRITER list = hs_writer(CAP);
    assert_ok(hs_mls_public_tree(c->hub, &tree));
    struct hs_mls_external_join join = request(&c->carol, &info);
    join.tree = hs_writer_bytes(&tree);
    bent_info(c, (struct hs_bytes){0}, &info);
    join.group_info = hs_writer_bytes(&info);
    assert_err(try_join(&c->carol, &join, &s), HS_ERR_NOT_FOUND); /* without external_pub */
    hs_mls_write_extension(&list, HS_MLS_EXT_EXTERNAL_PUB, hs_bytes(low, sizeof low));
    bent_info(c, hs_writer_bytes(&list), &info);
    join.group_info = hs_writer_bytes(&info);
    assert_err(try_join(&c->carol, &join, &s), HS_ERR_BAD_KEY); /* a key that nobody can encrypt to */
    hs_writer_reset(&list);
    hs_mls_write_extension(&list, HS_MLS_EXT_EXTERNAL_PUB, hs_bytes(low + 1, 32));
    bent_info(c, hs_writer_bytes(&list), &info);
    join.group_info = hs_writer_bytes(&info);
    assert_err(try_join(&c->carol, &join, &s), HS_ERR_MALFORMED); /* without its length */
    hs_writer_reset(&info);
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    info.data[info.len - 1] ^= 1;
    join = request(&c->carol, &info);
    assert_err(try_join(&c->carol, &join, &s), HS_ERR_BAD_SIGNATURE);
    info.data[info.len - 1] ^= 1;
    join.resync = true;
    assert_err(try_join(&c->carol, &join, &s), HS_ERR_NOT_FOUND); /* was never a member */
    join.resync = false;
    join.group_info = hs_writer_bytes(&c->alice.key_package);
    assert_err(try_join(&c->carol, &join, &s), HS_ERR_UNEXPECTED);
    join = request(&c->carol, &info);
    join.leaf.extension_type_count = 0;
    assert_err(try_join(&c->carol, &join, &s), HS_ERR_MLS_LEAF); /* doesn't know what the group asks for */
}

/* The newcomer's group, too, says nothing to those who were there but in the new epoch. */
static void members_refuse_what_is_bent(void **state)
{
    struct cast *c = *state;
    struct sent SENT s = sent_new();
    struct hs_writer HS_WRITER info = hs_writer(CAP);
    struct hs_mls_event *event = NULL;
    assert_ok(hs_mls_group_info(c->alice.group, true, &info));
    const struct hs_mls_external_join join = request(&c->carol, &info);
    assert_ok(try_join(&c->carol, &join, &s));
    const struct hs_id before = person_state(&c->alice);
    for (size_t at = 0; at < s.commit.len; at++) {
        s.commit.data[at] ^= 0x40;
        enum hs_err err = hs_mls_group_process(c->alice.group, hs_writer_bytes(&s.commit), &event);
        assert_int_not_equal(err, HS_OK);
        s.commit.data[at] ^= 0x40;
    }
    assert_same_state(&c->alice, before);
    person_follow(&c->alice, hs_writer_bytes(&s.commit));
}

int main(void)
{
#define TEST(name) CAST_TEST(name, setup)
    const struct CMUnitTest tests[] = {
        TEST(joins),    TEST(takes_a_blank_leaf),     TEST(resync),   TEST(with_a_psk),
        TEST(too_late), TEST(drops_a_pending_commit), TEST(refusals), TEST(members_refuse_what_is_bent),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
