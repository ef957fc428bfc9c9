/* Secrets that were used are gone: from every record of the store, and from all of this process' memory but
 * its stack. All who know them are in this process, so each is looked for when the last one has used it; that
 * the search finds it before shows that it can. MLS-27 */
#include "unit/mls/world.h"

#include "mls/hpke.h"
#include "mls/tree_math.h"

#include <inttypes.h>
#include <sodium.h>

/* A secret to be looked for, kept with some bits turned over so that it isn't found here. */
struct needle {
    const char *name;
    size_t len;
    uint8_t hidden[HS_MLS_MAX_SECRET];
};

enum { TURNED = 0xa5, MAX_NEEDLES = 64, MAX_MAPS = 64 << 10 };

struct search {
    struct needle needles[MAX_NEEDLES];
    size_t count;
};

static void search_for(struct search *s, const char *name, struct hs_bytes secret)
{
    assert_true(s->count < MAX_NEEDLES && secret.len >= HS_MLS_NONCE_LEN && secret.len <= HS_MLS_MAX_SECRET);
    struct needle *needle = &s->needles[s->count++];
    *needle = (struct needle){.name = name, .len = secret.len};
    for (size_t i = 0; i < secret.len; i++)
        needle->hidden[i] = secret.data[i] ^ TURNED;
}

#if defined(__SANITIZE_ADDRESS__)
enum { CAN_SCAN = 0 }; /* its shadow is too large to look through, and looking is what it forbids */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
enum { CAN_SCAN = 0 };
#else
enum { CAN_SCAN = 1 };
#endif
#else
enum { CAN_SCAN = 1 };
#endif

static bool range_holds(const uint8_t *start, const uint8_t *end, const struct needle *needle)
{
    if ((size_t)(end - start) < needle->len)
        return false;
    const uint8_t *last = end - needle->len;
    const int first = needle->hidden[0] ^ TURNED;
    for (const uint8_t *p = start; p <= last; p++) {
        p = memchr(p, first, (size_t)(last - p) + 1);
        if (p == NULL)
            return false;
        size_t i = 1;
        while (i < needle->len && p[i] == (needle->hidden[i] ^ TURNED))
            i++;
        if (i == needle->len)
            return true;
    }
    return false;
}

/* Everything that can be written, but for the stack: heap, arenas, globals of program and libraries. */
static bool memory_holds(const struct needle *needle)
{
    static char maps[MAX_MAPS];
    FILE *file = fopen("/proc/self/maps", "r");
    assert_non_null(file);
    size_t len = fread(maps, 1, sizeof maps - 1, file);
    fclose(file);
    assert_true(len < sizeof maps - 1);
    maps[len] = '\0';
    for (char *line = maps; line != NULL && *line != '\0';) {
        uintptr_t start, end;
        char *next = strchr(line, '\n'), rights[5];
        if (next != NULL)
            *next++ = '\0';
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &start, &end, rights) == 3 &&
            strncmp(rights, "rw", 2) == 0 && strstr(line, "[stack") == NULL &&
            range_holds((const uint8_t *)start, (const uint8_t *)end, needle))
            return true;
        line = next;
    }
    return false;
}

static void visit(void *context, struct hs_bytes key, struct hs_bytes value)
{
    struct needle *needle = context;
    (void)key;
    if (range_holds(value.data, value.data + value.len, needle))
        fail_msg("%s is in a record", needle->name);
}

static void assert_gone(struct search *s, struct person *const *people, size_t count)
{
    for (size_t p = 0; p < count; p++)
        person_save(people[p]);
    for (size_t i = 0; i < s->count; i++) {
        for (size_t p = 0; p < count; p++)
            mls_store_each(people[p]->store, (struct hs_bytes){0}, visit, &s->needles[i]);
        if (CAN_SCAN && memory_holds(&s->needles[i]))
            fail_msg("%s is in memory", s->needles[i].name);
    }
    s->count = 0;
}

static void assert_there(const struct search *s, const char *name)
{
    for (size_t i = 0; i < s->count && CAN_SCAN; i++)
        if (strcmp(s->needles[i].name, name) == 0 && !memory_holds(&s->needles[i]))
            fail_msg("%s isn't even there before", name);
}

static struct person alice, bob;
static struct person *const both[] = {&alice, &bob};

static void begin(const struct hs_mls_suite *suite)
{
    struct person *others[] = {NULL};
    person_init_with(&alice, "alice", suite->id);
    person_init_with(&bob, "bob", suite->id);
    person_create(&alice, "policy");
    world_add(&alice, &bob, others, 0);
}

static void end(void)
{
    person_free(&alice);
    person_free(&bob);
}

static void with_each(void (*scenario)(const struct hs_mls_suite *suite))
{
    const struct hs_mls_suite *suites[HS_MLS_MAX_SUITES];
    size_t count = hs_mls_suites(suites);
    for (size_t i = 0; i < count; i++) {
        begin(suites[i]);
        scenario(suites[i]);
        end();
    }
}

/* What alice's next posts are encrypted with, and what that follows from. */
static void search_for_posts(struct search *s, const struct hs_mls_suite *suite, int count)
{
    struct hs_mls_message_key HS_MLS_MESSAGE_KEY key = {0};
    struct hs_mls_ratchet *ratchet = NULL;
    assert_ok(hs_mls_ratchet_take(alice.group->now.secrets, 0, HS_MLS_RATCHET_APPLICATION, &ratchet));
    for (int i = 0; i < count; i++) {
        search_for(s, "the ratchet's secret", HS_MLS_VIEW(ratchet->secret));
        assert_ok(hs_mls_ratchet_next(ratchet, &key));
        search_for(s, "the message key", hs_bytes(key.key, suite->key_len));
        search_for(s, "the nonce", hs_bytes(key.nonce, sizeof key.nonce));
    }
    hs_mls_ratchet_free(ratchet);
}

static void search_for_post(struct search *s, const struct hs_mls_suite *suite)
{
    search_for_posts(s, suite, 1);
}

/* The encryption secret and alice's leaf secret, made from the epoch's init secret and the commit's. */
static void search_for_tree(struct search *s, const struct hs_mls_suite *suite,
                            const struct hs_mls_secret *encryption)
{
    struct hs_mls_secret HS_MLS_SECRET leaf = {0};
    search_for(s, "the tree's root", HS_MLS_VIEW(*encryption));
    assert_ok(hs_mls_expand_secret(suite, HS_MLS_VIEW(*encryption), "tree", hs_bytes_str("left"), &leaf));
    search_for(s, "the leaf's secret", HS_MLS_VIEW(leaf));
}

static void say(struct hs_writer *w)
{
    hs_writer_reset(w);
    assert_ok(hs_mls_group_protect(alice.group, hs_bytes_str("text"), (struct hs_bytes){0}, 0, w));
}

static void hear(const struct hs_writer *w)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    assert_ok(hs_mls_group_process(bob.group, hs_writer_bytes(w), &event));
}

static void posts(const struct hs_mls_suite *suite)
{
    static struct search s;
    struct hs_writer HS_WRITER one = hs_writer(CAP), HS_WRITER two = hs_writer(CAP);
    for (int i = 0; i < 3; i++) {
        search_for_post(&s, suite);
        if (i > 0)
            assert_there(&s, "the ratchet's secret");
        say(&one);
        hear(&one);
        assert_gone(&s, both, 2);
    }
    /* Out of order: the key that was passed over goes when its post comes. */
    search_for_post(&s, suite);
    say(&one);
    say(&two);
    hear(&two);
    assert_there(&s, "the message key");
    hear(&one);
    assert_gone(&s, both, 2);
    /* After a load too. */
    search_for_post(&s, suite);
    person_crash(&bob);
    say(&one);
    hear(&one);
    assert_gone(&s, both, 2);
}

/* Keys that were kept for posts which come late, or never: many of them, so that their list grows. */
static void late_posts(const struct hs_mls_suite *suite)
{
    enum { LATE = 30, WINDOW = 32 };
    static struct search s;
    static struct hs_writer late[LATE];
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    search_for_posts(&s, suite, 12);
    for (int i = 0; i < LATE; i++) {
        late[i] = hs_writer(CAP);
        say(&late[i]);
    }
    say(&one);
    hear(&one);
    for (int i = 0; i < LATE; i++) {
        hear(&late[i]);
        hs_writer_free(&late[i]);
    }
    assert_gone(&s, both, 2);
    search_for_post(&s, suite);
    say(&one);
    for (int i = 0; i < WINDOW + 1; i++) {
        say(&one);
        hear(&one);
        if (i == WINDOW - 1)
            assert_there(&s, "the message key");
    }
    assert_gone(&s, both, 2);
}

static uint8_t text[5000];

static void search_for_text(struct search *s, size_t len)
{
    randombytes_buf(text, len);
    for (size_t at = 0; at + 32 <= len; at += 600)
        search_for(s, "the text", hs_bytes(text + at, 32));
    assert_there(s, "the text");
}

/* What was said goes with the event that brought it, however long it was. */
static void plaintexts(const struct hs_mls_suite *suite)
{
    static struct search s;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    struct hs_mls_signature sig;
    for (size_t len = 100; len <= sizeof text; len += sizeof text - 100) {
        search_for_text(&s, len);
        assert_ok(hs_mls_sign(&alice.signer, "label", hs_bytes(text, len), &sig));
        assert_ok(hs_mls_verify(suite, HS_MLS_VIEW(alice.signer.pub), "label", hs_bytes(text, len),
                                HS_MLS_VIEW(sig)));
        hs_wipe(text, sizeof text);
        assert_gone(&s, both, 0);
        search_for_text(&s, len);
        hs_writer_reset(&one);
        assert_ok(hs_mls_group_protect(alice.group, hs_bytes(text, len), (struct hs_bytes){0}, 64, &one));
        hs_wipe(text, sizeof text);
        hear(&one);
        assert_gone(&s, both, 2);
    }
}

/* All that leads from one epoch to the next: path secrets, joiner and epoch secret, and the new encryption
 * secret, made here as both sides make them. */
static void search_for_commit(struct search *s, const struct hs_mls_suite *suite,
                              const struct hs_mls_secret *start, const struct hs_mls_secret *init,
                              struct hs_bytes context)
{
    struct hs_mls_secret HS_MLS_SECRET node = {0}, HS_MLS_SECRET commit = {0}, HS_MLS_SECRET joiner = {0},
                                       HS_MLS_SECRET member = {0}, HS_MLS_SECRET epoch = {0},
                                       HS_MLS_SECRET zeros = {0}, HS_MLS_SECRET extracted = {0},
                                       HS_MLS_SECRET encryption = {0};
    assert_ok(hs_mls_derive_secret(suite, start, "node", &node));
    assert_ok(hs_mls_derive_secret(suite, start, "path", &commit));
    hs_mls_extract(suite, HS_MLS_VIEW(*init), HS_MLS_VIEW(commit), &extracted);
    assert_ok(hs_mls_joiner_secret(suite, init, &commit, context, &joiner));
    hs_mls_secret_zero(suite, &zeros);
    hs_mls_extract(suite, HS_MLS_VIEW(joiner), HS_MLS_VIEW(zeros), &member);
    assert_ok(hs_mls_expand_secret(suite, HS_MLS_VIEW(member), "epoch", context, &epoch));
    assert_ok(hs_mls_derive_secret(suite, &epoch, "encryption", &encryption));
    search_for(s, "the path secret", HS_MLS_VIEW(*start));
    search_for(s, "the node secret", HS_MLS_VIEW(node));
    search_for(s, "the commit secret", HS_MLS_VIEW(commit));
    search_for(s, "init and commit secret in one", HS_MLS_VIEW(extracted));
    search_for(s, "the joiner secret", HS_MLS_VIEW(joiner));
    search_for(s, "the member secret", HS_MLS_VIEW(member));
    search_for(s, "the epoch secret", HS_MLS_VIEW(epoch));
    search_for_tree(s, suite, &encryption);
}

/* Secrets of an epoch that end with it, and private keys that its last commit replaces. */
static void search_for_epoch(struct search *s, const struct person *p)
{
    const struct hs_mls_epoch_secrets *e = &p->group->epoch;
    search_for(s, "the init secret", HS_MLS_VIEW(e->init));
    search_for(s, "the exporter secret", HS_MLS_VIEW(e->exporter));
    search_for(s, "the external secret", HS_MLS_VIEW(e->external));
    search_for(s, "the confirmation key", HS_MLS_VIEW(e->confirmation));
    search_for(s, "the membership key", HS_MLS_VIEW(e->membership));
    search_for(s, "the authenticator", HS_MLS_VIEW(e->authenticator));
}

static void search_for_keys(struct search *s, const struct person *p, bool committer)
{
    const struct hs_mls_path_keys *path = &p->group->path;
    if (committer)
        search_for(s, "the committer's leaf key", HS_MLS_VIEW(path->priv[0]));
    if (path->have[1])
        search_for(s, "the root's key", HS_MLS_VIEW(path->priv[1]));
}

/* alice commits, bob follows; both post once, so that no secret of the new tree is left but those of the
 * ratchets. */
static void commits(const struct hs_mls_suite *suite)
{
    static struct search s;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    for (int i = 0; i < 3; i++) {
        struct sent SENT sent = sent_new();
        struct hs_mls_secret HS_MLS_SECRET init = alice.group->epoch.init, HS_MLS_SECRET start = {0};
        search_for_epoch(&s, &alice);
        search_for_keys(&s, &alice, true);
        search_for_keys(&s, &bob, false);
        assert_there(&s, "the init secret");
        assert_there(&s, "the committer's leaf key");
        assert_ok(person_try_commit(&alice, &empty, &sent));
        start = alice.group->pending->start;
        if (i == 1) { /* as it is stored, and staged again */
            person_save(&alice);
            person_crash(&alice);
        }
        assert_ok(hs_mls_group_accept(alice.group));
        person_follow(&bob, hs_writer_bytes(&sent.commit));
        search_for_commit(&s, suite, &start, &init, hs_mls_public_context(hs_mls_group_public(bob.group)));
        hs_mls_secret_wipe(&start);
        hs_mls_secret_wipe(&init);
        say(&one);
        hear(&one);
        assert_gone(&s, both, 2);
    }
}

/* A commit that another one overtook leaves nothing of its secrets. */
static void dropped(const struct hs_mls_suite *suite)
{
    static struct search s;
    struct sent SENT lost = sent_new(), SENT won = sent_new();
    (void)suite;
    assert_ok(person_try_commit(&alice, &empty, &lost));
    search_for(&s, "the lost path secret", HS_MLS_VIEW(alice.group->pending->start));
    search_for(&s, "the lost leaf key", HS_MLS_VIEW(alice.group->pending->leaf));
    search_for(&s, "the lost epoch's init secret",
               HS_MLS_VIEW(alice.group->pending->staged->secrets->epoch.init));
    search_for(&s, "the lost epoch's joiner secret or its place",
               HS_MLS_VIEW(alice.group->pending->staged->secrets->epoch.exporter));
    person_save(&alice);
    assert_there(&s, "the lost path secret");
    person_commit(&bob, &empty, &won);
    person_follow(&alice, hs_writer_bytes(&won.commit));
    assert_gone(&s, both, 2);
}

/* With the last past epoch go its message keys, also those that were kept for posts that didn't come. */
static void past(const struct hs_mls_suite *suite)
{
    static struct search s;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    struct sent SENT sent = sent_new();
    search_for_post(&s, suite);
    search_for(&s, "the sender data secret", HS_MLS_VIEW(alice.group->now.sender_data));
    say(&one);
    say(&one);
    hear(&one);
    person_commit(&alice, &empty, &sent);
    person_follow(&bob, hs_writer_bytes(&sent.commit));
    assert_there(&s, "the message key");
    assert_there(&s, "the sender data secret");
    hs_mls_group_drop_past(alice.group);
    hs_mls_group_drop_past(bob.group);
    assert_gone(&s, both, 2);
}

/* A group that is freed leaves nothing at all. */
static void freed(const struct hs_mls_suite *suite)
{
    static struct search s;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    say(&one);
    search_for_post(&s, suite);
    search_for_epoch(&s, &alice);
    search_for_keys(&s, &alice, true);
    search_for(&s, "the sender data secret", HS_MLS_VIEW(alice.group->now.sender_data));
    search_for(&s, "the resumption secret", HS_MLS_VIEW(alice.group->epoch.resumption));
    assert_there(&s, "the sender data secret");
    person_save(&alice);
    person_leave(&alice);
    person_leave(&bob);
    assert_gone(&s, both, 0);
}

#define EACH(name)                                                                                           \
    static void name##_(void **state)                                                                        \
    {                                                                                                        \
        (void)state;                                                                                         \
        with_each(name);                                                                                     \
    }

EACH(posts)
EACH(late_posts)
EACH(plaintexts)
EACH(commits)
EACH(dropped)
EACH(past)
EACH(freed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(posts_),   cmocka_unit_test(late_posts_), cmocka_unit_test(plaintexts_),
        cmocka_unit_test(commits_), cmocka_unit_test(dropped_),    cmocka_unit_test(past_),
        cmocka_unit_test(freed_),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
