/* PreSharedKey proposals in a commit's list (RFC 9420, 12.1.4, 12.2), as all see them who don't know the
 * keys. What members make of the keys is in psk_test.c. */
#include "unit/mls/evil.h"

static struct hs_bytes nonce(uint8_t fill, uint8_t out[static 32])
{
    memset(out, fill, 32);
    return hs_bytes(out, 32);
}

static void give_psks(struct evil *e)
{
    const struct hs_mls_psk known[] = {
        {.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("one")}, .secret = hs_bytes_str("1")},
        {.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("two")}, .secret = hs_bytes_str("2")},
    };
    struct person *all[] = {&e->alice, &e->bob, &e->carol, &e->dave};
    for (size_t i = 0; i < 4; i++)
        assert_ok(hs_mls_group_set_psks(all[i]->group, known, 2));
}

static struct hs_mls_proposal resumption(const struct evil *e, enum hs_mls_psk_usage usage,
                                         struct hs_bytes with)
{
    struct hs_mls_proposal proposal = {.type = HS_MLS_PSK};
    proposal.psk = (struct hs_mls_psk_id){.type = HS_MLS_PSK_RESUMPTION,
                                          .usage = usage,
                                          .group_id = hs_mls_public_id(e->hub),
                                          .epoch = hs_mls_public_epoch(e->hub),
                                          .nonce = with};
    return proposal;
}

/* In their order, with their authors; one key under two nonces is two PSKs. What change says holds after the
 * merge, when nothing waits any more. MLS-20 */
static void order_and_authors(void **state)
{
    struct evil *e = *state;
    uint8_t n[4][32];
    struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
    const struct hs_mls_proposal one = evil_psk("one", nonce(1, n[0])),
                                 again = evil_psk("one", nonce(2, n[1])),
                                 two = evil_psk("two", nonce(3, n[2])),
                                 own = resumption(e, HS_MLS_PSK_APPLICATION, nonce(4, n[3]));
    give_psks(e);
    const struct hs_mls_hash ref = evil_says(e, &e->carol, &two);
    evil_value(&list, &one);
    evil_ref(&list, &ref);
    evil_value(&list, &again);
    evil_value(&list, &own);
    evil_commit(e, &(struct evil_commit){.by = &e->dave, .list = hs_writer_bytes(&list), .no_path = true},
                &message);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&message), &event));
    evil_accepted(e, hs_writer_bytes(&message));
    hs_writer_reset(&list);
    hs_writer_reset(&message);
    const struct hs_mls_change *change = hs_mls_staged_change(event->staged);
    assert_int_equal(change->psk_count, 4);
    assert_false(change->has_path);
    static const uint32_t by[] = {3, 2, 3, 3};
    static const char *const ids[] = {"one", "two", "one"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(change->psks[i].by.index, by[i]);
        if (i < 3)
            assert_bytes(change->psks[i].id.id, hs_bytes_str(ids[i]));
    }
    assert_bytes(change->psks[2].id.nonce, hs_bytes(n[1], 32));
    assert_int_equal(change->psks[3].id.type, HS_MLS_PSK_RESUMPTION);
    assert_bytes(change->psks[3].id.group_id, hs_bytes_str("room"));
}

/* The same id and nonce once by value, once by reference. */
static void value_and_reference(void **state)
{
    struct evil *e = *state;
    uint8_t n[32];
    struct hs_writer HS_WRITER list = writer(), HS_WRITER once = writer();
    const struct hs_mls_proposal one = evil_psk("one", nonce(1, n));
    give_psks(e);
    const struct hs_mls_hash ref = evil_says(e, &e->carol, &one);
    evil_value(&once, &one);
    evil_value(&list, &one);
    evil_ref(&list, &ref);
    evil_split_refused(e, hs_writer_bytes(&list), hs_writer_bytes(&once), HS_ERR_MLS_PROPOSAL);
}

/* The usages of a new group's start are for its creator, alone and at epoch 0 (RFC 9420, 11.2, 11.3). */
static void start_of_a_group(void **state)
{
    struct evil *e = *state;
    uint8_t n[32];
    static const enum hs_mls_psk_usage usages[] = {HS_MLS_PSK_REINIT, HS_MLS_PSK_BRANCH};
    struct hs_writer HS_WRITER info = writer();
    struct evil fresh = {.hub = e->hub};
    person_init(&fresh.alice, "alice");
    person_create(&fresh.alice, "policy");
    const struct hs_mls_psk_id id = resumption(e, HS_MLS_PSK_REINIT, nothing).psk;
    struct hs_mls_psk known[] = {{.id = id, .secret = hs_bytes_str("x")},
                                 {.id = id, .secret = hs_bytes_str("x")}};
    known[1].id.usage = HS_MLS_PSK_BRANCH;
    assert_ok(hs_mls_group_set_psks(fresh.alice.group, known, 2));
    assert_ok(hs_mls_group_info(fresh.alice.group, true, &info));
    struct hs_mls_public HS_MLS_PUBLIC *hub = NULL;
    assert_ok(hs_mls_public_new(hs_writer_bytes(&info), nothing, &hub));
    for (size_t i = 0; i < 2; i++) {
        struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        const struct hs_mls_proposal start = resumption(e, usages[i], nonce(1, n)),
                                     add = evil_add(hs_writer_bytes(&e->erin.key_package));
        evil_value(&list, &start);
        evil_value(&list, &add);
        evil_commit(&fresh, &(struct evil_commit){.by = &fresh.alice, .list = hs_writer_bytes(&list)},
                    &message);
        assert_ok(hs_mls_public_process(hub, hs_writer_bytes(&message), &event));
        assert_int_equal(hs_mls_staged_change(event->staged)->psks[0].id.usage, usages[i]);
    }
    /* usages that nobody knows are for no start either */
    for (uint8_t usage = 0; usage < 5; usage += 4) {
        struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
        struct hs_mls_event *event = NULL;
        const struct hs_mls_proposal strange = resumption(e, usage, nonce(1, n));
        evil_value(&list, &strange);
        const struct evil_commit plan = {
            .by = &fresh.alice, .list = hs_writer_bytes(&list), .honest = &nothing};
        evil_commit(&fresh, &plan, &message);
        assert_err(hs_mls_public_process(hub, hs_writer_bytes(&message), &event), HS_ERR_MLS_PROPOSAL);
    }
    person_free(&fresh.alice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(order_and_authors),
        EVIL_TEST(value_and_reference),
        EVIL_TEST(start_of_a_group),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
