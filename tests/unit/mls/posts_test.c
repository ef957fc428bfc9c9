/* Application messages: replay, order, past epochs, padding, what is wiped. */
#include "unit/mls/world.h"

#include "mls/member.h"

#include "crypto/aead.h"

#include <sodium.h>

struct cast {
    struct person alice, bob, carol;
};

static int cast_setup(void **state)
{
    static struct cast cast;
    person_init(&cast.alice, "alice");
    person_init(&cast.bob, "bob");
    person_init(&cast.carol, "carol");
    person_create(&cast.alice, "policy");
    world_add(&cast.alice, &cast.bob, NULL, 0);
    *state = &cast;
    return 0;
}

static int cast_teardown(void **state)
{
    struct cast *cast = *state;
    person_free(&cast->alice);
    person_free(&cast->bob);
    person_free(&cast->carol);
    return 0;
}

static void post(struct person *p, const char *text, struct hs_writer *w)
{
    assert_ok(hs_mls_group_protect(p->group, hs_bytes_str(text), (struct hs_bytes){0}, 0, w));
}

static enum hs_err get(struct person *p, struct hs_bytes message)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    return hs_mls_group_process(p->group, message, &event);
}

static void next_epoch(struct person *by, struct person *other)
{
    struct sent SENT s = sent_new();
    assert_ok(person_try_commit(by, &(struct hs_mls_commit_request){0}, &s));
    assert_ok(hs_mls_group_accept(by->group));
    person_follow(other, hs_writer_bytes(&s.commit));
}

/* The same bytes again are refused, and neither later nor skipped messages suffer. MLS-26 */
static void replay(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP), HS_WRITER two = hs_writer(CAP),
                               HS_WRITER three = hs_writer(CAP);
    struct hs_writer HS_WRITER before = hs_writer(CAP), HS_WRITER after = hs_writer(CAP);
    post(&c->alice, "1", &one);
    post(&c->alice, "2", &two);
    post(&c->alice, "3", &three);
    assert_ok(get(&c->bob, hs_writer_bytes(&two)));
    assert_ok(hs_mls_group_save(c->bob.group, &before));
    assert_err(get(&c->bob, hs_writer_bytes(&two)), HS_ERR_MLS_GENERATION);
    assert_err(get(&c->bob, hs_writer_bytes(&two)), HS_ERR_MLS_GENERATION);
    assert_ok(hs_mls_group_save(c->bob.group, &after));
    assert_bytes(hs_writer_bytes(&after), hs_writer_bytes(&before));
    person_restart(&c->bob);
    assert_err(get(&c->bob, hs_writer_bytes(&two)), HS_ERR_MLS_GENERATION);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
    assert_ok(get(&c->bob, hs_writer_bytes(&three)));
    assert_err(get(&c->bob, hs_writer_bytes(&one)), HS_ERR_MLS_GENERATION);
}

/* One's own posts can't be read: their keys are gone with the sending. MLS-26 */
static void own_posts(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    post(&c->alice, "1", &one);
    assert_err(get(&c->alice, hs_writer_bytes(&one)), HS_ERR_MLS_GENERATION);
}

/* At the settings' limits, and one past them. MLS-26 */
static void tolerances(void **state)
{
    struct cast *c = *state;
    enum { COUNT = 2003 };
    static struct hs_writer posts[COUNT];
    for (int i = 0; i < COUNT; i++) {
        posts[i] = hs_writer(CAP);
        post(&c->alice, "x", &posts[i]);
    }
    struct hs_writer HS_WRITER before = hs_writer(CAP), HS_WRITER after = hs_writer(CAP);
    assert_ok(hs_mls_group_save(c->bob.group, &before));
    assert_err(get(&c->bob, hs_writer_bytes(&posts[2001])), HS_ERR_MLS_GENERATION);
    assert_ok(hs_mls_group_save(c->bob.group, &after));
    assert_bytes(hs_writer_bytes(&after), hs_writer_bytes(&before));
    assert_ok(get(&c->bob, hs_writer_bytes(&posts[2000])));
    assert_err(get(&c->bob, hs_writer_bytes(&posts[2000 - 33])), HS_ERR_MLS_GENERATION);
    assert_ok(get(&c->bob, hs_writer_bytes(&posts[2000 - 32])));
    assert_ok(get(&c->bob, hs_writer_bytes(&posts[2002])));
    assert_ok(get(&c->bob, hs_writer_bytes(&posts[2001])));
    assert_err(get(&c->bob, hs_writer_bytes(&posts[2000 - 31])), HS_ERR_MLS_GENERATION);
    for (int i = 0; i < COUNT; i++)
        hs_writer_free(&posts[i]);
}

/* Posts of the last five epochs are read, older ones aren't, and none after the past was dropped. MLS-28 */
static void past_epochs(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER oldest = hs_writer(CAP), HS_WRITER old = hs_writer(CAP),
                               HS_WRITER older = hs_writer(CAP);
    post(&c->alice, "oldest", &oldest);
    next_epoch(&c->alice, &c->bob);
    post(&c->alice, "older", &older);
    post(&c->alice, "old", &old);
    for (int i = 0; i < 4; i++)
        next_epoch(i % 2 == 0 ? &c->bob : &c->alice, i % 2 == 0 ? &c->alice : &c->bob);
    person_restart(&c->bob);
    assert_ok(get(&c->bob, hs_writer_bytes(&oldest)));
    next_epoch(&c->bob, &c->alice);
    assert_err(get(&c->bob, hs_writer_bytes(&oldest)), HS_ERR_MLS_EPOCH);
    assert_ok(get(&c->bob, hs_writer_bytes(&older)));
    assert_err(get(&c->bob, hs_writer_bytes(&older)), HS_ERR_MLS_GENERATION);
    hs_mls_group_drop_past(c->bob.group);
    assert_err(get(&c->bob, hs_writer_bytes(&old)), HS_ERR_MLS_EPOCH);
    assert_talks(&c->alice, &c->bob, "now");
}

/* A leaf that was given to somebody else: the old post still is the old member's, before and after a restart.
 MLS-28 */
static void past_sender(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP), HS_WRITER two = hs_writer(CAP);
    struct sent SENT s = sent_new();
    struct person HS_AUTO(person_free) dave, HS_AUTO(person_free) erin;
    person_init(&dave, "dave");
    person_init(&erin, "erin");
    struct person *others[] = {&c->bob};
    world_add(&c->alice, &dave, others, 1);
    struct hs_bytes add = hs_writer_bytes(&erin.key_package);
    const uint32_t remove = 1;
    const struct hs_mls_commit_request request = {
        .adds = &add, .add_count = 1, .removes = &remove, .remove_count = 1};
    post(&c->bob, "bob was here", &one);
    post(&c->bob, "again", &two);
    assert_ok(person_try_commit(&c->alice, &request, &s));
    assert_ok(hs_mls_group_accept(c->alice.group));
    person_follow(&dave, hs_writer_bytes(&s.commit));
    struct hs_mls_member member;
    assert_ok(hs_mls_public_member(hs_mls_group_public(dave.group), 1, &member));
    assert_bytes(member.identity, hs_bytes_str("erin"));
    for (int i = 0; i < 2; i++) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        assert_ok(hs_mls_group_process(dave.group, hs_writer_bytes(i == 0 ? &one : &two), &event));
        assert_bytes(event->sender.identity, hs_bytes_str("bob"));
        assert_memory_equal(event->sender.signature_key.b, c->bob.signer.pub.b, 32);
        assert_int_equal(event->epoch, 2);
        person_restart(&dave);
    }
}

/* What the message's epoch had as its tree may have been wider or narrower than today's. */
static void past_width(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER wide = hs_writer(CAP), HS_WRITER narrow = hs_writer(CAP);
    struct sent SENT s = sent_new();
    post(&c->bob, "two of us", &narrow);
    struct person *others[] = {&c->bob};
    world_add(&c->alice, &c->carol, others, 1);
    person_restart(&c->alice);
    assert_ok(get(&c->alice, hs_writer_bytes(&narrow)));
    post(&c->carol, "three", &wide);
    const uint32_t remove = 2;
    const struct hs_mls_commit_request request = {.removes = &remove, .remove_count = 1};
    assert_ok(person_try_commit(&c->alice, &request, &s));
    assert_ok(hs_mls_group_accept(c->alice.group));
    assert_int_equal(hs_mls_public_width(hs_mls_group_public(c->alice.group)), 2);
    person_restart(&c->alice);
    assert_ok(get(&c->alice, hs_writer_bytes(&wide)));
}

static bool contains(struct hs_bytes hay, struct hs_bytes needle)
{
    for (size_t i = 0; i + needle.len <= hay.len; i++)
        if (memcmp(hay.data + i, needle.data, needle.len) == 0)
            return true;
    return false;
}

/* encryption_secret lives on in the secret tree alone, however the epoch began. MLS-27 */
static void encryption_secret_goes(void **state)
{
    struct cast *c = *state;
    const struct person *all[] = {&c->alice, &c->bob};
    struct person HS_AUTO(person_free) founder;
    person_init(&founder, "founder");
    person_create(&founder, "policy");
    assert_true(sodium_is_zero(founder.group->epoch.encryption.b, 32));
    for (int i = 0; i < 2; i++)
        assert_true(sodium_is_zero(all[i]->group->epoch.encryption.b, 32));
    next_epoch(&c->alice, &c->bob);
    for (int i = 0; i < 2; i++)
        assert_true(sodium_is_zero(all[i]->group->epoch.encryption.b, 32));
}

/* Used keys and old epochs' secrets are in the saved bytes no more. MLS-27 */
static void secrets_go(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP), HS_WRITER saved = hs_writer(CAP);
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_mls_message_key key;
    const struct hs_secret32 sender_data = c->bob.group->now.sender_data, init = c->bob.group->epoch.init;
    assert_ok(hs_mls_ratchet_take(c->bob.group->now.secrets, 0, HS_MLS_RATCHET_APPLICATION, &ratchet));
    assert_ok(hs_mls_ratchet_next(ratchet, &key));
    hs_mls_ratchet_free(ratchet);
    post(&c->alice, "skipped", &one);
    hs_writer_reset(&one);
    post(&c->alice, "read", &one);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
    assert_ok(hs_mls_group_save(c->bob.group, &saved));
    assert_true(contains(hs_writer_bytes(&saved), HS_VIEW(key.key))); /* kept: it may still come */
    assert_true(contains(hs_writer_bytes(&saved), HS_VIEW(init)));
    next_epoch(&c->alice, &c->bob);
    hs_writer_reset(&saved);
    assert_ok(hs_mls_group_save(c->bob.group, &saved));
    assert_true(contains(hs_writer_bytes(&saved), HS_VIEW(sender_data)));
    assert_false(contains(hs_writer_bytes(&saved), HS_VIEW(init)));
    for (int i = 0; i < 5; i++)
        next_epoch(&c->alice, &c->bob);
    hs_writer_reset(&saved);
    assert_ok(hs_mls_group_save(c->bob.group, &saved));
    assert_false(contains(hs_writer_bytes(&saved), HS_VIEW(sender_data)));
    assert_false(contains(hs_writer_bytes(&saved), HS_VIEW(key.key)));
}

/* The root of the secret tree goes with the first key that is taken out of it. MLS-27 */
static void sender_keys_go(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP), HS_WRITER saved = hs_writer(CAP);
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_mls_message_key key;
    assert_ok(hs_mls_ratchet_take(c->alice.group->now.secrets, 0, HS_MLS_RATCHET_APPLICATION, &ratchet));
    assert_ok(hs_mls_ratchet_next(ratchet, &key));
    hs_mls_ratchet_free(ratchet);
    post(&c->alice, "sent", &one);
    assert_ok(hs_mls_group_save(c->alice.group, &saved));
    assert_false(contains(hs_writer_bytes(&saved), HS_VIEW(key.key)));
    /* loaded again, the sender goes on with the next key */
    person_restart(&c->alice);
    hs_writer_reset(&one);
    post(&c->alice, "sent 2", &one);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
}

/* Padded contents of different length can't be told apart. MLS-8 */
static void padding(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP), HS_WRITER two = hs_writer(CAP);
    const struct hs_bytes none = {0};
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("a"), none, 256, &one));
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes_str("a much longer text"), none, 256, &two));
    assert_int_equal(one.len, two.len);
    assert_err(hs_mls_group_protect(c->alice.group, none, none, HS_MLS_MAX_PADDING + 1, &two),
               HS_ERR_INVALID_ARG);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
}

/* A post with alice's next key, that padding, and a signature by signer, made by hand. */
static void handmade_post(struct person *p, const struct hs_signer *signer, struct hs_bytes padding,
                          struct hs_writer *out)
{
    const uint8_t guard[4] = {0};
    struct hs_sig sig;
    struct hs_mls_message_key key, sender_key;
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_writer HS_WRITER plain = hs_writer(CAP), HS_WRITER aad = hs_writer(CAP),
                               HS_WRITER data = hs_writer(CAP);
    struct hs_mls_content content = hs_mls_group_content(p->group, HS_MLS_APPLICATION, (struct hs_bytes){0});
    content.application = hs_bytes_str("x");
    assert_ok(hs_mls_content_sign(signer, HS_MLS_PRIVATE_MESSAGE, &content,
                                  hs_mls_public_context(hs_mls_group_public(p->group)), &sig));
    assert_ok(hs_mls_ratchet_take(p->group->now.secrets, 0, HS_MLS_RATCHET_APPLICATION, &ratchet));
    assert_ok(hs_mls_ratchet_next(ratchet, &key));
    hs_mls_ratchet_free(ratchet);
    hs_write_mls_vec(&plain, content.application);
    hs_write_mls_vec(&plain, HS_VIEW(sig));
    hs_write_bytes(&plain, padding);
    hs_write_mls_vec(&aad, content.group_id);
    hs_write_u64(&aad, content.epoch);
    hs_write_u8(&aad, HS_MLS_APPLICATION);
    struct hs_bytes sender_aad = hs_writer_bytes(&aad);
    uint8_t sealed[256], sender[12 + 16], content_aad[64];
    assert_true(plain.len + 16 <= sizeof sealed && sender_aad.len < sizeof content_aad);
    memcpy(content_aad, sender_aad.data, sender_aad.len);
    content_aad[sender_aad.len] = 0; /* no authenticated data */
    hs_aead_seal(key.key.b, key.nonce, hs_bytes(content_aad, sender_aad.len + 1), hs_writer_bytes(&plain),
                 sealed);
    hs_write_u32(&data, 0);
    hs_write_u32(&data, key.generation);
    hs_write_bytes(&data, hs_bytes(guard, 4));
    struct hs_bytes ciphertext = hs_bytes(sealed, plain.len + 16);
    assert_ok(hs_mls_sender_data_key(&p->group->now.sender_data, ciphertext, &sender_key));
    hs_aead_seal(sender_key.key.b, sender_key.nonce, sender_aad, hs_writer_bytes(&data), sender);
    const struct hs_mls_private_message m = {.group_id = content.group_id,
                                             .epoch = content.epoch,
                                             .type = HS_MLS_APPLICATION,
                                             .sender_data = hs_bytes(sender, sizeof sender),
                                             .ciphertext = ciphertext};
    hs_mls_write_head(out, HS_MLS_PRIVATE_MESSAGE);
    hs_mls_write_private_message(out, &m);
}

/* Padding is zeros, however much there is. MLS-8 */
static void bad_padding(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER bad = hs_writer(CAP), HS_WRITER good = hs_writer(CAP);
    handmade_post(&c->alice, &c->alice.signer, hs_bytes("\0\0\0\1", 4), &bad);
    assert_err(get(&c->bob, hs_writer_bytes(&bad)), HS_ERR_MALFORMED);
    handmade_post(&c->alice, &c->alice.signer, hs_bytes("\0\0\0\0", 4), &good);
    assert_ok(get(&c->bob, hs_writer_bytes(&good)));
}

/* Whoever has the group's keys can encrypt as alice, but not sign. */
static void forged_post(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER forged = hs_writer(CAP), HS_WRITER before = hs_writer(CAP),
                               HS_WRITER after = hs_writer(CAP);
    handmade_post(&c->alice, &c->carol.signer, (struct hs_bytes){0}, &forged);
    assert_ok(hs_mls_group_save(c->bob.group, &before));
    assert_err(get(&c->bob, hs_writer_bytes(&forged)), HS_ERR_BAD_SIGNATURE);
    assert_ok(hs_mls_group_save(c->bob.group, &after));
    assert_bytes(hs_writer_bytes(&after), hs_writer_bytes(&before));
    assert_talks(&c->alice, &c->bob, "the real one");
}

/* The largest post, and one byte more. MLS-10 */
static void largest(void **state)
{
    struct cast *c = *state;
    static uint8_t text[HS_MLS_MAX_APPLICATION + 1];
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    const struct hs_bytes none = {0};
    assert_err(hs_mls_group_protect(c->alice.group, hs_bytes(text, sizeof text), none, 0, &one),
               HS_ERR_TOO_LARGE);
    hs_writer_reset(&one);
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes(text, sizeof text - 1), none, 0, &one));
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
}

/* A post that can't be written changes nothing: the key isn't spent. */
static void no_room(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER small = hs_writer(10), HS_WRITER before = hs_writer(CAP),
                               HS_WRITER after = hs_writer(CAP);
    const struct hs_bytes none = {0};
    assert_ok(hs_mls_group_save(c->alice.group, &before));
    assert_err(hs_mls_group_protect(c->alice.group, none, none, 0, &small), HS_ERR_TOO_LARGE);
    assert_ok(hs_mls_group_save(c->alice.group, &after));
    assert_bytes(hs_writer_bytes(&after), hs_writer_bytes(&before));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, cast_setup, cast_teardown)
    const struct CMUnitTest tests[] = {
        TEST(replay),      TEST(own_posts),   TEST(tolerances),     TEST(past_epochs),
        TEST(past_sender), TEST(past_width),  TEST(secrets_go),     TEST(encryption_secret_goes),
        TEST(bad_padding), TEST(forged_post), TEST(sender_keys_go), TEST(padding),
        TEST(largest),     TEST(no_room),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
