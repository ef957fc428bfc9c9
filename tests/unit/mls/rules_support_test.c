/* What must hold of all members after a commit (RFC 9420, 12.2, last rules). Rules that a member can break:
 *
 * - 7.3: leaves (of an Add, an Update; of the path: rules_commit_test.c) that lack what the GroupContext asks
 *   for; a credential type that somebody lacks
 * - 12.1.7: extensions, and required_capabilities, that a member lacks who stays or comes; not one who goes
 */
#include "unit/mls/bends.h"

#include "mls/external.h"

/* An Add and an Update whose leaf isn't for this group. MLS-15 */
static void poor_leaves(void **state)
{
    struct evil *e = *state;
    static void (*const all[])(struct evil_leaf *) = {forgotten_extension, strange_credential};
    for (size_t i = 0; i < 2; i++) {
        struct hs_writer HS_WRITER package = writer(), HS_WRITER leaf = writer(), HS_WRITER value = writer(),
                                   HS_WRITER ref = writer();
        evil_key_package(&(struct evil_package){.by = &e->erin, .bend_leaf = all[i]}, &package);
        const struct hs_mls_proposal add = evil_add(hs_writer_bytes(&package)),
                                     update = evil_update(&e->carol, all[i], NULL, &leaf);
        evil_value(&value, &add);
        evil_list_refused(e, hs_writer_bytes(&value), HS_ERR_MLS_LEAF);
        const struct hs_mls_hash heard = evil_says(e, &e->carol, &update);
        evil_ref(&ref, &heard);
        evil_list_refused(e, hs_writer_bytes(&ref), HS_ERR_MLS_LEAF);
    }
}

/* The policy, and what else is asked for. */
static void put_required(struct hs_writer *list, const struct hs_mls_required *required)
{
    struct hs_writer HS_WRITER data = writer();
    assert_ok(hs_mls_required_write(required, &data));
    hs_mls_write_extension(list, HS_MLS_EXT_REQUIRED_CAPABILITIES, hs_writer_bytes(&data));
}

/* 12.1.7 */
static void extensions_that_members_lack(void **state)
{
    struct evil *e = *state;
    const uint16_t extension[] = {0xABCD}, proposal[] = {0xABCE}, credential[] = {HS_MLS_X509},
                   plain[] = {ROOM_POLICY, HS_MLS_EXT_EXTERNAL_SENDERS}, basic[] = {HS_MLS_BASIC},
                   add[] = {HS_MLS_ADD};
    const struct hs_mls_required all[] = {
        {.extensions = extension, .extension_count = 1},
        {.proposals = proposal, .proposal_count = 1},
        {.credentials = credential, .credential_count = 1},
    };
    for (size_t i = 0; i < 4; i++) {
        struct hs_writer HS_WRITER data = writer(), HS_WRITER list = writer();
        if (i < 3)
            put_required(&data, &all[i]);
        else
            hs_mls_write_extension(&data, 0xABCD, nothing);
        const struct hs_mls_proposal extensions = evil_extensions(hs_writer_bytes(&data));
        evil_value(&list, &extensions);
        evil_list_refused(e, hs_writer_bytes(&list), HS_ERR_MLS_LEAF);
    }
    /* what all have may be asked for */
    struct hs_writer HS_WRITER data = writer(), HS_WRITER list = writer(), HS_WRITER message = writer();
    put_required(&data, &(struct hs_mls_required){.extensions = plain,
                                                  .extension_count = 2,
                                                  .proposals = add,
                                                  .proposal_count = 1,
                                                  .credentials = basic,
                                                  .credential_count = 1});
    const struct hs_mls_proposal extensions = evil_extensions(hs_writer_bytes(&data));
    evil_value(&list, &extensions);
    evil_commit(e, &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(&list)}, &message);
    evil_accepted(e, hs_writer_bytes(&message));
}

static void more_extensions(struct evil_leaf *leaf)
{
    static const uint8_t list[] = {0xF4, 0xA1, 0xAB, 0xCD};
    leaf->node.capabilities.extensions = hs_bytes(list, sizeof list);
}

/* Those who go needn't know the new extensions, those who come must: 12.1.7. Alice is alone with who knows
 * them in the end. */
static void extensions_of_another_circle(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER data = writer(), HS_WRITER list = writer(), HS_WRITER knows = writer(),
                               HS_WRITER first = writer(), HS_WRITER second = writer(),
                               HS_WRITER message = writer();
    hs_mls_write_extension(&data, 0xABCD, nothing);
    const struct hs_mls_proposal extensions = evil_extensions(hs_writer_bytes(&data));
    evil_key_package(&(struct evil_package){.by = &e->erin, .bend_leaf = more_extensions}, &knows);
    const struct hs_mls_proposal add = evil_add(hs_writer_bytes(&knows)),
                                 poor = evil_add(hs_writer_bytes(&e->frank.key_package));
    for (uint32_t i = 1; i < 4; i++) {
        const struct hs_mls_proposal remove = evil_remove(i);
        evil_value(&list, &remove);
    }
    evil_value(&list, &extensions);
    evil_value(&list, &add);
    /* alice's own leaf, by her path, knows it: the hub stages what bob, who is removed, can't judge */
    hs_write_bytes(&first, hs_writer_bytes(&list));
    evil_commit(
        e,
        &(struct evil_commit){.by = &e->alice, .list = hs_writer_bytes(&first), .bend_leaf = more_extensions},
        &message);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_public_process(e->hub, hs_writer_bytes(&message), &event));
    hs_write_bytes(&second, hs_writer_bytes(&list));
    evil_value(&second, &poor);
    evil_commit_refused(e,
                        &(struct evil_commit){
                            .by = &e->alice, .list = hs_writer_bytes(&second), .bend_leaf = more_extensions},
                        HS_ERR_MLS_LEAF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(poor_leaves),
        EVIL_TEST(extensions_that_members_lack),
        EVIL_TEST(extensions_of_another_circle),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
