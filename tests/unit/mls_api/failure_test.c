/* After a failure there is nothing to free: what would have been given is NULL or empty, whatever was there.
 */
#include "unit/mls_api/cast.h"

static uint8_t rubbish[8];

/* Looks like something, until a call says that it isn't. */
static struct hanse_mls_buf stale(void)
{
    return (struct hanse_mls_buf){rubbish, sizeof rubbish};
}

#define STALE(type) ((type *)(void *)rubbish)

#define assert_emptied(buf)                                                                                  \
    do {                                                                                                     \
        assert_null((buf).data);                                                                             \
        assert_int_equal((buf).len, 0);                                                                      \
        (buf) = stale();                                                                                     \
    } while (0)

#define assert_nulled(pointer, type)                                                                         \
    do {                                                                                                     \
        assert_null(pointer);                                                                                \
        (pointer) = STALE(type);                                                                             \
    } while (0)

static int setup(void **state)
{
    anna_setup(state);
    person_create(*state, NULL);
    return 0;
}

static void groups(void **state)
{
    struct person *anna = *state;
    struct hanse_mls_group *group = STALE(struct hanse_mls_group);
    struct hanse_mls_buf a = stale(), b = stale();
    const struct hanse_mls_signer *signer = anna->signer;
    assert_fault(hanse_mls_group_create(NULL, &group), HANSE_ERR_INVALID_ARG);
    assert_nulled(group, struct hanse_mls_group);
    assert_fault(hanse_mls_group_join(NULL, &group), HANSE_ERR_INVALID_ARG);
    assert_nulled(group, struct hanse_mls_group);
    assert_fault(hanse_mls_group_load(NULL, &signer, 1, &group), HANSE_ERR_INVALID_ARG);
    assert_nulled(group, struct hanse_mls_group);
    assert_fault(hanse_mls_group_join_external(NULL, &a, &b, &group), HANSE_ERR_INVALID_ARG);
    assert_nulled(group, struct hanse_mls_group);
    assert_emptied(a);
    assert_emptied(b);
    assert_fault(hanse_mls_group_succeed(NULL, &a, &group), HANSE_ERR_INVALID_ARG);
    assert_nulled(group, struct hanse_mls_group);
    assert_emptied(a);
}

static void messages(void **state)
{
    struct person *anna = *state;
    struct hanse_mls_buf a = stale(), b = stale(), c = stale();
    struct hanse_mls_event *event = STALE(struct hanse_mls_event);
    assert_fault(hanse_mls_group_commit(anna->group, NULL, &a, &b, &c), HANSE_ERR_INVALID_ARG);
    assert_emptied(a);
    assert_emptied(b);
    assert_emptied(c);
    assert_fault(hanse_mls_group_propose(anna->group, NULL, &a), HANSE_ERR_INVALID_ARG);
    assert_emptied(a);
    assert_fault(hanse_mls_outsider_propose(NULL, NULL, &a), HANSE_ERR_INVALID_ARG);
    assert_emptied(a);
    assert_fault(hanse_mls_group_protect(anna->group, nothing, nothing, UINT32_MAX, &a),
                 HANSE_ERR_INVALID_ARG);
    assert_emptied(a);
    assert_fault(hanse_mls_welcome_cut(nothing, nothing, &a), HANSE_ERR_MALFORMED);
    assert_emptied(a);
    assert_fault(hanse_mls_group_process(anna->group, nothing, &event), HANSE_ERR_MALFORMED);
    assert_nulled(event, struct hanse_mls_event);
    assert_fault(hanse_mls_group_merge(anna->group, NULL), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_staged_matches(NULL, nothing), HANSE_ERR_INVALID_ARG);
    assert_null(hanse_mls_staged_change(NULL));
}

static void smaller_things(void **state)
{
    (void)state;
    struct hanse_mls_buf a = stale(), b = stale();
    struct hanse_mls_signer *signer = STALE(struct hanse_mls_signer);
    const struct hanse_mls_extension twice[] = {{7, nothing}, {7, nothing}};
    const uint16_t type = 1;
    const struct hanse_mls_required many = {.extensions = &type,
                                            .extension_count = HANSE_MLS_MAX_CAPABILITIES + 1};
    const struct hanse_mls_external_sender sender = {.credential_type = HANSE_MLS_BASIC,
                                                     .identity = {rubbish, HANSE_MLS_MAX_IDENTITY + 1}};
    assert_fault(hanse_mls_signer_generate(0xFFFF, &signer), HANSE_ERR_MLS_VERSION);
    assert_nulled(signer, struct hanse_mls_signer);
    assert_fault(hanse_mls_signer_import(SUITE, nothing, &signer), HANSE_ERR_INVALID_ARG);
    assert_nulled(signer, struct hanse_mls_signer);
    assert_fault(hanse_mls_key_package_new(NULL, false, &a, &b), HANSE_ERR_INVALID_ARG);
    assert_emptied(a);
    assert_emptied(b);
    assert_fault(hanse_mls_extensions_write(twice, 2, &a), HANSE_ERR_INVALID_ARG);
    assert_emptied(a);
    assert_fault(hanse_mls_required_write(&many, &a), HANSE_ERR_INVALID_ARG);
    assert_emptied(a);
    assert_fault(hanse_mls_external_senders_write(&sender, 1, &a), HANSE_ERR_INVALID_ARG);
    assert_emptied(a);
}

static void hubs(void **state)
{
    struct person *anna = *state;
    const struct hanse_mls_public *own = hanse_mls_group_public(anna->group);
    struct hanse_mls_store store = shelf_store(anna->shelf);
    struct hanse_mls_public *pub = STALE(struct hanse_mls_public);
    struct hanse_mls_event *event = STALE(struct hanse_mls_event);
    struct hanse_mls_member member = {.identity = {rubbish, 8}};
    struct hanse_mls_reinit reinit = {.group_id = {rubbish, 8}};
    BUF info = {0};
    assert_fault(hanse_mls_public_new(nothing, nothing, &pub), HANSE_ERR_MALFORMED);
    assert_nulled(pub, struct hanse_mls_public);
    assert_fault(hanse_mls_public_load(NULL, &pub), HANSE_ERR_INVALID_ARG);
    assert_nulled(pub, struct hanse_mls_public);
    assert_good(hanse_mls_group_info(anna->group, true, &info));
    assert_good(hanse_mls_public_new(hanse_mls_view(&info), nothing, &pub));
    assert_fault(hanse_mls_public_process(pub, nothing, &event), HANSE_ERR_MALFORMED);
    assert_nulled(event, struct hanse_mls_event);
    assert_fault(hanse_mls_public_merge(pub, NULL), HANSE_ERR_INVALID_ARG);
    assert_fault(hanse_mls_public_read_from(pub, &store), HANSE_ERR_INVALID_ARG);
    hanse_mls_public_free(pub);
    assert_fault(hanse_mls_public_member(own, 9, &member), HANSE_ERR_NOT_FOUND);
    assert_null(member.identity.data);
    assert_false(hanse_mls_public_reinit(own, &reinit));
    assert_null(reinit.group_id.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ANNA_TEST(groups, setup),
        ANNA_TEST(messages, setup),
        ANNA_TEST(smaller_things, setup),
        ANNA_TEST(hubs, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
