/* RFC 9420, 12.2: a commit's list of proposals as a whole. Rules that a member can break:
 *
 * - an Update by value, or the committer's own by reference
 * - a Remove of the committer, by value or by reference
 * - several Updates or Removes of one leaf
 * - several Adds of one client; of one encryption key
 * - an Add of a member (but not where the list removes it); of a key that some node has
 * - an Update with a key that is somebody else's
 * - one PreSharedKeyID twice; more PSKs than there may be
 * - two GroupContextExtensions
 * - a ReInit beside anything else
 * - an ExternalInit
 * - a reference to what nobody has seen; a proposal of an unknown type
 */
#include "unit/mls/evil.h"

/* MLS-15 */
static void own_updates(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER leaf = writer(), HS_WRITER value = writer(), HS_WRITER ref = writer();
    const struct hs_mls_proposal update = evil_update(&e->alice, NULL, NULL, &leaf);
    evil_value(&value, &update);
    evil_split_refused(e, hs_writer_bytes(&value), nothing, HS_ERR_MLS_PROPOSAL);
    const struct hs_mls_hash heard = evil_says(e, &e->alice, &update);
    evil_ref(&ref, &heard);
    evil_split_refused(e, hs_writer_bytes(&ref), nothing, HS_ERR_MLS_PROPOSAL);
}

static void own_removal(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER value = writer(), HS_WRITER ref = writer();
    const struct hs_mls_proposal leave = evil_remove(0);
    evil_value(&value, &leave);
    evil_split_refused(e, hs_writer_bytes(&value), nothing, HS_ERR_MLS_PROPOSAL);
    const struct hs_mls_hash heard = evil_says(e, &e->alice, &leave);
    evil_ref(&ref, &heard);
    evil_split_refused(e, hs_writer_bytes(&ref), nothing, HS_ERR_MLS_PROPOSAL);
}

static void one_leaf_twice(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER a = writer(), HS_WRITER b = writer(), HS_WRITER removes = writer(),
                               HS_WRITER updates = writer(), HS_WRITER both = writer(),
                               HS_WRITER one = writer(), HS_WRITER first = writer();
    const struct hs_mls_proposal remove = evil_remove(2), x = evil_update(&e->carol, NULL, NULL, &a),
                                 y = evil_update(&e->carol, NULL, NULL, &b);
    evil_value(&one, &remove);
    evil_value(&removes, &remove);
    evil_value(&removes, &remove);
    evil_split_refused(e, hs_writer_bytes(&removes), hs_writer_bytes(&one), HS_ERR_MLS_PROPOSAL);
    const struct hs_mls_hash heard_x = evil_says(e, &e->carol, &x), heard_y = evil_says(e, &e->carol, &y);
    evil_ref(&first, &heard_x);
    evil_ref(&updates, &heard_x);
    evil_ref(&updates, &heard_y);
    evil_split_refused(e, hs_writer_bytes(&updates), hs_writer_bytes(&first), HS_ERR_MLS_PROPOSAL);
    evil_ref(&both, &heard_x);
    evil_value(&both, &remove);
    evil_split_refused(e, hs_writer_bytes(&both), hs_writer_bytes(&one), HS_ERR_MLS_PROPOSAL);
}

static void take_encryption_key(struct evil_leaf *leaf)
{
    leaf->node.encryption_key = *(const struct hs_bytes *)leaf->context;
}

static void one_client_twice(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER other = writer(), HS_WRITER keys = writer();
    const struct hs_mls_proposal first = evil_add(hs_writer_bytes(&e->erin.key_package));
    evil_value(&list, &first);
    evil_key_package(&(struct evil_package){.by = &e->erin}, &other);
    const struct hs_mls_proposal second = evil_add(hs_writer_bytes(&other));
    evil_value(&list, &second);
    evil_list_refused(e, hs_writer_bytes(&list), HS_ERR_MLS_PROPOSAL);
    /* another client, with the same encryption key */
    struct hs_bytes key = first.add.leaf.encryption_key;
    evil_key_package(
        &(struct evil_package){.by = &e->frank, .bend_leaf = take_encryption_key, .context = &key}, &other);
    const struct hs_mls_proposal third = evil_add(hs_writer_bytes(&other));
    evil_value(&keys, &first);
    evil_value(&keys, &third);
    evil_list_refused(e, hs_writer_bytes(&keys), HS_ERR_MLS_PROPOSAL);
}

static void add_of_a_member(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER package = writer(), HS_WRITER stolen = writer(),
                               HS_WRITER message = writer();
    const struct hs_mls_proposal remove = evil_remove(2);
    evil_key_package(&(struct evil_package){.by = &e->carol}, &package);
    const struct hs_mls_proposal add = evil_add(hs_writer_bytes(&package));
    evil_value(&list, &add);
    evil_list_refused(e, hs_writer_bytes(&list), HS_ERR_MLS_PROPOSAL);
    /* keys that a leaf and a parent have */
    const uint32_t nodes[] = {2 * 2, 5};
    for (size_t i = 0; i < 2; i++) {
        struct hs_writer HS_WRITER one = writer();
        struct hs_bytes key = hs_mls_node_key(hs_mls_tree_node(&e->hub->now.tree, nodes[i]));
        evil_key_package(
            &(struct evil_package){.by = &e->erin, .bend_leaf = take_encryption_key, .context = &key},
            &stolen);
        const struct hs_mls_proposal theft = evil_add(hs_writer_bytes(&stolen));
        evil_value(&one, &theft);
        evil_list_refused(e, hs_writer_bytes(&one), HS_ERR_MLS_PROPOSAL);
    }
    /* but she may come anew where she goes */
    evil_value(&list, &remove);
    evil_commit(e, &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(&list)}, &message);
    evil_accepted(e, hs_writer_bytes(&message));
}

/* Signed by dave, whose key it is: the two are in league. */
static void take_daves_signature_key(struct evil_leaf *leaf)
{
    const struct evil *e = leaf->context;
    leaf->node.signature_key = HS_MLS_VIEW(e->dave.signer.pub);
    leaf->signer = &e->dave.signer;
}

static void update_with_anothers_key(void **state)
{
    struct evil *e = *state;
    struct hs_bytes key = hs_mls_leaf_encryption_key(hs_mls_tree_leaf(&e->hub->now.tree, 3));
    for (int i = 0; i < 2; i++) {
        struct hs_writer HS_WRITER leaf = writer(), HS_WRITER list = writer();
        const struct hs_mls_proposal update =
            i == 0 ? evil_update(&e->carol, take_encryption_key, &key, &leaf)
                   : evil_update(&e->carol, take_daves_signature_key, e, &leaf);
        const struct hs_mls_hash heard = evil_says(e, &e->carol, &update);
        evil_ref(&list, &heard);
        evil_list_refused(e, hs_writer_bytes(&list), HS_ERR_MLS_PROPOSAL);
    }
}

/* MLS-10 */
static void psks(void **state)
{
    struct evil *e = *state;
    static const uint8_t zeros[32];
    struct hs_writer HS_WRITER twice = writer(), HS_WRITER once = writer(), HS_WRITER many = writer(),
                               HS_WRITER message = writer();
    const struct hs_mls_psk known = {.id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_bytes_str("word")},
                                     .secret = hs_bytes_str("friend")};
    struct person *all[] = {&e->alice, &e->bob, &e->carol, &e->dave};
    for (size_t i = 0; i < 4; i++)
        assert_ok(hs_mls_group_set_psks(all[i]->group, &known, 1));
    const struct hs_mls_proposal psk = evil_psk("word", hs_bytes(zeros, sizeof zeros));
    evil_value(&once, &psk);
    evil_value(&twice, &psk);
    evil_value(&twice, &psk);
    evil_split_refused(e, hs_writer_bytes(&twice), hs_writer_bytes(&once), HS_ERR_MLS_PROPOSAL);
    /* as many as there may be, each with its own nonce, and one more */
    for (uint16_t i = 0; i <= HS_MLS_MAX_PSKS; i++) {
        uint8_t nonce[32] = {(uint8_t)(i >> 8), (uint8_t)i};
        const struct hs_mls_proposal one = evil_psk("word", hs_bytes(nonce, sizeof nonce));
        if (i == HS_MLS_MAX_PSKS) {
            evil_commit(e, &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(&many)}, &message);
            struct hs_mls_event HS_MLS_EVENT *event = NULL;
            assert_ok(hs_mls_group_process(e->bob.group, hs_writer_bytes(&message), &event));
            assert_int_equal(hs_mls_staged_change(event->staged)->psk_count, HS_MLS_MAX_PSKS);
        }
        evil_value(&many, &one);
    }
    evil_split_refused(e, hs_writer_bytes(&many), hs_writer_bytes(&once), HS_ERR_TOO_LARGE);
}

static void two_sets_of_extensions(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER one = writer();
    const struct hs_mls_proposal extensions = evil_extensions(nothing);
    evil_value(&one, &extensions);
    evil_value(&list, &extensions);
    evil_value(&list, &extensions);
    evil_split_refused(e, hs_writer_bytes(&list), hs_writer_bytes(&one), HS_ERR_MLS_PROPOSAL);
}

static void reinit_in_company(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER one = writer(), HS_WRITER two = writer();
    const struct hs_mls_proposal reinit = evil_reinit(),
                                 add = evil_add(hs_writer_bytes(&e->erin.key_package));
    evil_value(&one, &add);
    evil_value(&list, &reinit);
    evil_value(&list, &add);
    evil_split_refused(e, hs_writer_bytes(&list), hs_writer_bytes(&one), HS_ERR_MLS_PROPOSAL);
    evil_value(&two, &reinit);
    evil_value(&two, &reinit);
    evil_split_refused(e, hs_writer_bytes(&two), nothing, HS_ERR_MLS_PROPOSAL);
}

static void external_init_by_a_member(void **state)
{
    struct evil *e = *state;
    uint8_t kem[HS_MLS_MAX_PUB];
    struct hs_mls_secret HS_MLS_SECRET init = {0};
    struct hs_writer HS_WRITER list = writer();
    const struct hs_mls_proposal external = evil_external_init(evil_external(e, kem, &init));
    evil_value(&list, &external);
    evil_split_refused(e, hs_writer_bytes(&list), nothing, HS_ERR_MLS_PROPOSAL);
}

/* MLS-4 */
static void unknown(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER grease = writer();
    const struct hs_mls_hash ref = {.len = 32};
    evil_ref(&list, &ref);
    evil_split_refused(e, hs_writer_bytes(&list), nothing, HS_ERR_MLS_PROPOSAL);
    hs_write_u8(&grease, 1);
    hs_write_u16(&grease, 0x0A0A); /* its end can't be known */
    evil_split_refused(e, hs_writer_bytes(&grease), nothing, HS_ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(own_updates),
        EVIL_TEST(own_removal),
        EVIL_TEST(one_leaf_twice),
        EVIL_TEST(one_client_twice),
        EVIL_TEST(add_of_a_member),
        EVIL_TEST(update_with_anothers_key),
        EVIL_TEST(psks),
        EVIL_TEST(two_sets_of_extensions),
        EVIL_TEST(reinit_in_company),
        EVIL_TEST(external_init_by_a_member),
        EVIL_TEST(unknown),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
