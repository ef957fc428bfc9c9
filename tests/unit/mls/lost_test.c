/* A copy of a group that is older than what the group itself sent and committed: how far it can follow. */
#include "unit/mls/cast.h"

static void post(struct person *p, const char *text, struct hs_writer *w)
{
    assert_ok(hs_mls_group_protect(p->group, hs_bytes_str(text), (struct hs_bytes){0}, 0, w));
}

static enum hs_err get(struct person *p, const struct hs_writer *message, const char *want)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    HS_TRY(hs_mls_group_process(p->group, hs_writer_bytes(message), &event));
    assert_bytes(event->plaintext, hs_bytes_str(want));
    return HS_OK;
}

/* Alice's group as it is now, for later. */
static struct mls_store *copy_of(struct person *p)
{
    person_save(p);
    return mls_store_copy(p->store);
}

static void goes_back(struct person *p, struct mls_store *copy)
{
    hs_mls_group_free_at(&p->group);
    mls_store_free(p->store);
    p->store = copy;
    assert_ok(hs_mls_group_load(&copy->store, &p->signer, 1, &p->group));
}

/* What the copy didn't send it reads, also out of order, and no key is used twice. MLS-26 */
static void own_posts(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP), HS_WRITER two = hs_writer(CAP),
                               HS_WRITER three = hs_writer(CAP), HS_WRITER four = hs_writer(CAP);
    post(&c->alice, "1", &one);
    struct mls_store *copy = copy_of(&c->alice);
    post(&c->alice, "2", &two);
    post(&c->alice, "3", &three);
    assert_ok(get(&c->bob, &two, "2"));
    assert_ok(get(&c->bob, &three, "3"));
    goes_back(&c->alice, copy);
    assert_err(get(&c->alice, &one, "1"), HS_ERR_MLS_GENERATION); /* it sent that itself */
    assert_ok(get(&c->alice, &three, "3"));
    assert_ok(get(&c->alice, &two, "2"));
    assert_err(get(&c->alice, &two, "2"), HS_ERR_MLS_GENERATION);
    person_restart(&c->alice);
    post(&c->alice, "4", &four);
    assert_ok(get(&c->bob, &four, "4"));
    assert_err(get(&c->alice, &four, "4"), HS_ERR_MLS_GENERATION);
}

/* Bob can make Alice's message keys, but not her signature. */
static void forged(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER real = hs_writer(CAP), HS_WRITER forged = hs_writer(CAP);
    struct mls_store *copy = copy_of(&c->alice);
    post(&c->alice, "real", &real);
    struct hs_mls_signer mine = c->alice.group->signer;
    c->alice.group->signer = c->bob.group->signer;
    post(&c->alice, "forged", &forged);
    c->alice.group->signer = mine;
    goes_back(&c->alice, copy);
    assert_err(get(&c->alice, &forged, "forged"), HS_ERR_BAD_SIGNATURE);
    assert_ok(get(&c->alice, &real, "real"));
}

/* A commit with a path can't be followed by its own leaf's older copy, in public it can; one without can.
 * MLS-26 */
static void own_commits(void **state)
{
    struct cast *c = *state;
    struct sent SENT first = sent_new(), SENT s = sent_new();
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    struct hs_mls_public HS_MLS_PUBLIC *pub = NULL;
    struct hs_writer HS_WRITER info = hs_writer(CAP), HS_WRITER proposal = hs_writer(CAP);
    const struct hs_mls_commit_request update = {.force_path = true};
    const struct hs_mls_proposal_request leaving = {.type = HS_MLS_REMOVE, .leaf = 2};
    struct hs_bytes dave = hs_writer_bytes(&c->dave.key_package);
    const struct hs_mls_commit_request add = {.adds = &dave, .add_count = 1};
    struct mls_store *copy = copy_of(&c->alice);
    person_commit(&c->alice, &add, &first);
    goes_back(&c->alice, copy);
    assert_true(hs_mls_group_is_own_commit(c->alice.group, hs_writer_bytes(&first.commit)));
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&first.commit), &event));
    assert_ok(hs_mls_group_merge(c->alice.group, event->staged));
    person_follow(&c->bob, hs_writer_bytes(&first.commit));
    assert_int_equal(hs_mls_group_epoch(c->alice.group), hs_mls_group_epoch(c->bob.group));
    /* Carol leaves, and Alice's commit takes her out by that proposal */
    person_follow(&c->carol, hs_writer_bytes(&first.commit));
    assert_ok(hs_mls_group_propose(c->carol.group, &leaving, &proposal));
    hs_mls_event_free_at(&event);
    assert_ok(hs_mls_group_process(c->alice.group, hs_writer_bytes(&proposal), &event));
    copy = copy_of(&c->alice);
    person_commit(&c->alice, &update, &s);
    assert_ok(hs_mls_group_info(c->alice.group, false, &info));
    goes_back(&c->alice, copy);
    hs_mls_event_free_at(&event);
    assert_true(hs_mls_group_is_own_commit(c->alice.group, hs_writer_bytes(&s.commit)));
    assert_false(hs_mls_group_is_own_commit(c->bob.group, hs_writer_bytes(&s.commit)));
    assert_err(hs_mls_group_process(c->alice.group, hs_writer_bytes(&s.commit), &event), HS_ERR_MLS_COMMIT);
    assert_ok(hs_mls_group_public_copy(c->alice.group, &pub));
    assert_err(hs_mls_public_matches(pub, hs_writer_bytes(&info)), HS_ERR_MLS_COMMIT);
    assert_ok(hs_mls_public_process(pub, hs_writer_bytes(&s.commit), &event));
    assert_ok(hs_mls_public_merge(pub, event->staged));
    assert_ok(hs_mls_public_matches(pub, hs_writer_bytes(&info)));
    info.data[info.len - 1] ^= 1; /* the signature */
    assert_err(hs_mls_public_matches(pub, hs_writer_bytes(&info)), HS_ERR_MLS_COMMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CAST_TEST(own_posts, cast_of_two),
        CAST_TEST(forged, cast_of_two),
        CAST_TEST(own_commits, cast_of_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
