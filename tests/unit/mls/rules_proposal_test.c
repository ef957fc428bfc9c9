/* RFC 9420, 12.1.1 to 12.1.7: one proposal by itself, sent alone and within a commit. Rules that a member can
 * break:
 *
 * - 12.1.1 Add: version or suite of another group; the KeyPackage's signature, extensions; an init key that
 *   is the leaf's; an init or leaf key that is none; the leaf's source, its signature; an extension, a
 *   credential, the version or suite that its own capabilities lack; an extension type twice
 * - 12.1.2 Update: the source; a signature for another leaf or group; the same encryption key; an extension
 *   that the capabilities lack
 * - 12.1.3 Remove: of a blank leaf, of one past the tree
 * - 12.1.4 PreSharedKey: a nonce of another length; a usage that belongs to the start of a group, or unknown
 * - 12.1.5 ReInit: an older version, unsound extensions
 * - 12.1.6 ExternalInit: by a member
 * - 12.1.7 GroupContextExtensions: a type twice; required_capabilities or external_senders that can't be read
 */
#include "unit/mls/bends.h"

static const uint8_t zeros[64];

/* Refused alone by that person, and in a commit of alice's. */
static void refused(struct evil *e, struct person *by, const struct hs_mls_proposal *proposal,
                    enum hs_err want)
{
    struct hs_writer HS_WRITER message = writer(), HS_WRITER list = writer();
    evil_propose(e, &(struct evil_sender){.person = by}, proposal, &message);
    evil_refused(e, hs_writer_bytes(&message), want);
    if (proposal->type == HS_MLS_UPDATE) /* never by value */
        return;
    evil_value(&list, proposal);
    evil_split_refused(e, hs_writer_bytes(&list), nothing, want);
}

static void other_version(struct hs_mls_key_package *kp)
{
    kp->version = 2;
}

static void other_suite(struct hs_mls_key_package *kp)
{
    kp->suite = 0x0A0A;
}

static void known_suite(struct hs_mls_key_package *kp)
{
    kp->suite = 1;
}

static void init_is_leaf_key(struct hs_mls_key_package *kp)
{
    kp->init_key = kp->leaf.encryption_key;
}

static void short_init_key(struct hs_mls_key_package *kp)
{
    kp->init_key.len--;
}

static void null_init_key(struct hs_mls_key_package *kp)
{
    kp->init_key = hs_bytes(zeros, 32);
}

static void extension_twice(struct hs_mls_key_package *kp)
{
    static const uint8_t list[] = {0x0A, 0x0A, 0, 0x0A, 0x0A, 0};
    kp->extensions = hs_bytes(list, sizeof list);
}

/* 12.1.1, and 10.1 */
static void add_package(void **state)
{
    struct evil *e = *state;
    const struct {
        void (*bend)(struct hs_mls_key_package *kp);
        bool wrong_signature;
        enum hs_err want;
    } all[] = {
        {other_version, false, HS_ERR_MLS_VERSION},        {other_suite, false, HS_ERR_MLS_VERSION},
        {known_suite, false, HS_ERR_MLS_VERSION},          {NULL, true, HS_ERR_MLS_KEY_PACKAGE},
        {init_is_leaf_key, false, HS_ERR_MLS_KEY_PACKAGE}, {short_init_key, false, HS_ERR_MLS_KEY_PACKAGE},
        {null_init_key, false, HS_ERR_MLS_KEY_PACKAGE},    {extension_twice, false, HS_ERR_MLS_KEY_PACKAGE},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct hs_writer HS_WRITER package = writer();
        evil_key_package(&(struct evil_package){.by = &e->erin,
                                                .bend = all[i].bend,
                                                .wrong_signature = all[i].wrong_signature},
                         &package);
        const struct hs_mls_proposal add = evil_add(hs_writer_bytes(&package));
        refused(e, &e->alice, &add, all[i].want);
    }
}

static void source_is_commit(struct evil_leaf *leaf)
{
    leaf->node.source = HS_MLS_LEAF_COMMIT;
}

static void short_encryption_key(struct evil_leaf *leaf)
{
    leaf->node.encryption_key.len--;
}

static void null_encryption_key(struct evil_leaf *leaf)
{
    leaf->node.encryption_key = hs_bytes(zeros, 32);
}

static void null_signature_key(struct evil_leaf *leaf)
{
    leaf->node.signature_key = hs_bytes(zeros, 32);
}

static void twofold_extension(struct evil_leaf *leaf)
{
    static const uint8_t list[] = {0, 1, 0, 0, 1, 0};
    leaf->node.extensions = hs_bytes(list, sizeof list);
}

static void unlisted_version(struct evil_leaf *leaf)
{
    static const uint8_t list[] = {0x0A, 0x0A};
    leaf->node.capabilities.versions = hs_bytes(list, sizeof list);
}

static void unlisted_suite(struct evil_leaf *leaf)
{
    static const uint8_t list[] = {0x0A, 0x0A};
    leaf->node.capabilities.suites = hs_bytes(list, sizeof list);
}

/* 12.1.1, and 7.3 */
static void add_leaf(void **state)
{
    struct evil *e = *state;
    static void (*const all[])(struct evil_leaf *) = {
        short_encryption_key, null_encryption_key, null_signature_key, signed_by_frank, unlisted_extension,
        twofold_extension,    unlisted_credential, unlisted_version,   unlisted_suite,
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct hs_writer HS_WRITER package = writer();
        evil_key_package(&(struct evil_package){.by = &e->erin, .bend_leaf = all[i], .context = e}, &package);
        const struct hs_mls_proposal add = evil_add(hs_writer_bytes(&package));
        refused(e, &e->alice, &add, HS_ERR_MLS_LEAF);
    }
    static void (*const sources[])(struct evil_leaf *) = {source_is_update, source_is_commit};
    for (size_t i = 0; i < 2; i++) {
        struct hs_writer HS_WRITER package = writer();
        evil_key_package(&(struct evil_package){.by = &e->erin, .bend_leaf = sources[i]}, &package);
        const struct hs_mls_proposal add = evil_add(hs_writer_bytes(&package));
        refused(e, &e->alice, &add, HS_ERR_MLS_KEY_PACKAGE);
    }
}

static void same_encryption_key(struct evil_leaf *leaf)
{
    const struct evil *e = leaf->context;
    leaf->node.encryption_key = hs_mls_leaf_encryption_key(hs_mls_tree_leaf(&e->hub->now.tree, 2));
}

/* 12.1.2, and 7.3 */
static void update(void **state)
{
    struct evil *e = *state;
    const struct {
        void (*bend)(struct evil_leaf *leaf);
        enum hs_err want;
    } all[] = {
        {source_is_key_package, HS_ERR_MLS_LEAF}, {source_is_commit, HS_ERR_MLS_LEAF},
        {for_another_leaf, HS_ERR_MLS_LEAF},      {for_another_group, HS_ERR_MLS_LEAF},
        {signed_by_frank, HS_ERR_MLS_LEAF},       {same_encryption_key, HS_ERR_MLS_PROPOSAL},
        {short_encryption_key, HS_ERR_MLS_LEAF},  {null_encryption_key, HS_ERR_MLS_LEAF},
        {unlisted_extension, HS_ERR_MLS_LEAF},    {unlisted_credential, HS_ERR_MLS_LEAF},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct hs_writer HS_WRITER leaf = writer();
        const struct hs_mls_proposal bent = evil_update(&e->carol, all[i].bend, e, &leaf);
        refused(e, &e->carol, &bent, all[i].want);
    }
}

/* 12.1.3 */
static void remove_of_nobody(void **state)
{
    struct evil *e = *state;
    struct hs_writer HS_WRITER list = writer(), HS_WRITER message = writer();
    const struct hs_mls_proposal dave = evil_remove(3), past = evil_remove(4), far = evil_remove(UINT32_MAX);
    refused(e, &e->alice, &past, HS_ERR_MLS_PROPOSAL);
    refused(e, &e->alice, &far, HS_ERR_MLS_PROPOSAL);
    evil_value(&list, &dave);
    evil_commit(e, &(struct evil_commit){.by = &e->carol, .list = hs_writer_bytes(&list)}, &message);
    evil_accepted(e, hs_writer_bytes(&message));
    refused(e, &e->alice, &dave, HS_ERR_MLS_PROPOSAL);
}

/* 12.1.4 */
static void psk(void **state)
{
    struct evil *e = *state;
    const size_t lengths[] = {0, 31, 33, 64};
    for (size_t i = 0; i < 4; i++) {
        const struct hs_mls_proposal bad = evil_psk("word", hs_bytes(zeros, lengths[i]));
        refused(e, &e->alice, &bad, HS_ERR_MLS_PROPOSAL);
    }
    const uint8_t usages[] = {0, HS_MLS_PSK_REINIT, HS_MLS_PSK_BRANCH, 4, 255};
    for (size_t i = 0; i < sizeof usages; i++) {
        struct hs_mls_proposal bad = {.type = HS_MLS_PSK};
        bad.psk = (struct hs_mls_psk_id){.type = HS_MLS_PSK_RESUMPTION,
                                         .usage = usages[i],
                                         .group_id = hs_bytes_str("room"),
                                         .epoch = 1,
                                         .nonce = hs_bytes(zeros, 32)};
        refused(e, &e->alice, &bad, HS_ERR_MLS_PROPOSAL);
    }
}

/* 12.1.5 */
static void reinit(void **state)
{
    struct evil *e = *state;
    static const uint8_t twice[] = {0xAB, 0xCD, 0, 0xAB, 0xCD, 0};
    static const uint8_t long_id[HS_MLS_MAX_GROUP_ID + 1];
    struct hs_mls_proposal old = evil_reinit(), unsound = evil_reinit(), wide = evil_reinit();
    old.reinit.version = 0;
    refused(e, &e->alice, &old, HS_ERR_MLS_PROPOSAL);
    unsound.reinit.extensions = hs_bytes(twice, sizeof twice);
    refused(e, &e->alice, &unsound, HS_ERR_MLS_PROPOSAL);
    wide.reinit.group_id = hs_bytes(long_id, sizeof long_id);
    refused(e, &e->alice, &wide, HS_ERR_MLS_PROPOSAL);
}

/* 12.1.6 */
static void external_init(void **state)
{
    struct evil *e = *state;
    const struct hs_mls_proposal init = evil_external_init(hs_bytes(zeros, 32));
    refused(e, &e->alice, &init, HS_ERR_MLS_PROPOSAL);
}

static void put_extension(struct hs_writer *list, uint16_t type, const uint8_t *data, size_t len)
{
    hs_mls_write_extension(list, type, hs_bytes(data, len));
}

/* 12.1.7 */
static void extensions(void **state)
{
    struct evil *e = *state;
    static const uint8_t short_required[] = {0, 0}, odd_required[] = {1, 0, 0, 0},
                         long_required[] = {0, 0, 0, 0}, open_senders[] = {5, 1, 7, 0, 1},
                         strange_senders[] = {5, 1, 7, 0, 9, 0};
    const struct {
        uint16_t type;
        const uint8_t *data;
        size_t len;
    } all[] = {
        {HS_MLS_EXT_REQUIRED_CAPABILITIES, short_required, sizeof short_required},
        {HS_MLS_EXT_REQUIRED_CAPABILITIES, odd_required, sizeof odd_required},
        {HS_MLS_EXT_REQUIRED_CAPABILITIES, long_required, sizeof long_required},
        {HS_MLS_EXT_EXTERNAL_SENDERS, open_senders, sizeof open_senders},
        {HS_MLS_EXT_EXTERNAL_SENDERS, strange_senders, sizeof strange_senders},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct hs_writer HS_WRITER list = writer();
        put_extension(&list, all[i].type, all[i].data, all[i].len);
        const struct hs_mls_proposal bad = evil_extensions(hs_writer_bytes(&list));
        refused(e, &e->alice, &bad, HS_ERR_MLS_PROPOSAL);
    }
    struct hs_writer HS_WRITER twice = writer();
    put_extension(&twice, ROOM_POLICY, zeros, 1);
    put_extension(&twice, ROOM_POLICY, zeros, 2);
    const struct hs_mls_proposal bad = evil_extensions(hs_writer_bytes(&twice));
    refused(e, &e->alice, &bad, HS_ERR_MLS_PROPOSAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EVIL_TEST(add_package), EVIL_TEST(add_leaf), EVIL_TEST(update),        EVIL_TEST(remove_of_nobody),
        EVIL_TEST(psk),         EVIL_TEST(reinit),   EVIL_TEST(external_init), EVIL_TEST(extensions),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
