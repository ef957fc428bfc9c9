/* Application messages: replay, order, past epochs, padding, what is wiped. */
#include "unit/mls/cast.h"

#include <sodium.h>

static void post(struct person *p, const char *text, struct hs_writer *w)
{
    assert_ok(hs_mls_group_protect(p->group, hs_bytes_str(text), (struct hs_bytes){0}, 0, w));
}

static enum hs_err get(struct person *p, struct hs_bytes message)
{
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    return hs_mls_group_process(p->group, message, &event);
}

/* The same bytes again are refused, and neither later nor skipped messages suffer. MLS-26 */
static void replay(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP), HS_WRITER two = hs_writer(CAP),
                               HS_WRITER three = hs_writer(CAP);
    post(&c->alice, "1", &one);
    post(&c->alice, "2", &two);
    post(&c->alice, "3", &three);
    assert_ok(get(&c->bob, hs_writer_bytes(&two)));
    const struct hs_id before = person_state(&c->bob);
    assert_err(get(&c->bob, hs_writer_bytes(&two)), HS_ERR_MLS_GENERATION);
    assert_err(get(&c->bob, hs_writer_bytes(&two)), HS_ERR_MLS_GENERATION);
    assert_same_state(&c->bob, before);
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
    const struct hs_id before = person_state(&c->bob);
    assert_err(get(&c->bob, hs_writer_bytes(&posts[2001])), HS_ERR_MLS_GENERATION);
    assert_same_state(&c->bob, before);
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
    person_commit(&c->alice, &request, &s);
    person_follow(&dave, hs_writer_bytes(&s.commit));
    struct hs_mls_member member;
    assert_ok(hs_mls_public_member(hs_mls_group_public(dave.group), 1, &member));
    assert_bytes(member.identity, hs_bytes_str("erin"));
    for (int i = 0; i < 2; i++) {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        assert_ok(hs_mls_group_process(dave.group, hs_writer_bytes(i == 0 ? &one : &two), &event));
        assert_bytes(event->sender.identity, hs_bytes_str("bob"));
        assert_bytes(event->sender.signature_key, HS_MLS_VIEW(c->bob.signer.pub));
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
    person_commit(&c->alice, &request, &s);
    assert_int_equal(hs_mls_public_width(hs_mls_group_public(c->alice.group)), 2);
    person_restart(&c->alice);
    assert_ok(get(&c->alice, hs_writer_bytes(&wide)));
}

/* encryption_secret lives on in the secret tree alone, however the epoch began. MLS-27 */
static void encryption_secret_goes(void **state)
{
    struct cast *c = *state;
    const struct person *all[] = {&c->alice, &c->bob};
    struct person HS_AUTO(person_free) founder;
    person_init(&founder, "founder");
    person_create(&founder, "policy");
    assert_true(founder.group->epoch.encryption.len == 0);
    for (int i = 0; i < 2; i++)
        assert_true(all[i]->group->epoch.encryption.len == 0);
    next_epoch(&c->alice, &c->bob);
    for (int i = 0; i < 2; i++)
        assert_true(all[i]->group->epoch.encryption.len == 0);
}

/* The key that a member's next post would have, at its reader. */
static struct hs_mls_message_key next_key(const struct person *reader, uint32_t sender)
{
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_mls_message_key key;
    assert_ok(hs_mls_ratchet_take(reader->group->now.secrets, sender, HS_MLS_RATCHET_APPLICATION, &ratchet));
    assert_ok(hs_mls_ratchet_next(ratchet, &key));
    hs_mls_ratchet_free(ratchet);
    return key;
}

/* A key that was passed over is kept: the post may still come. It goes with its epoch, as do the epoch's
 * secrets; those that lead to the next epoch go at once. MLS-27 */
static void secrets_go(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    const struct hs_mls_message_key key = next_key(&c->bob, 0);
    const struct hs_mls_secret sender_data = c->bob.group->now.sender_data, init = c->bob.group->epoch.init;
    const struct hs_bytes key_bytes = hs_bytes(key.key, 32);
    post(&c->alice, "skipped", &one);
    hs_writer_reset(&one);
    post(&c->alice, "read", &one);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
    person_save(&c->bob);
    assert_true(mls_store_holds(c->bob.store, key_bytes));
    assert_true(mls_store_holds(c->bob.store, HS_MLS_VIEW(init)));
    next_epoch(&c->alice, &c->bob);
    person_save(&c->bob);
    assert_true(mls_store_holds(c->bob.store, HS_MLS_VIEW(sender_data)));
    assert_true(mls_store_holds(c->bob.store, key_bytes));
    assert_false(mls_store_holds(c->bob.store, HS_MLS_VIEW(init)));
    for (int i = 0; i < 5; i++)
        next_epoch(&c->alice, &c->bob);
    person_save(&c->bob);
    assert_false(mls_store_holds(c->bob.store, HS_MLS_VIEW(sender_data)));
    assert_false(mls_store_holds(c->bob.store, key_bytes));
}

/* A sender's key goes with the sending; loaded again, it goes on with the next one. MLS-25, MLS-27 */
static void sender_keys_go(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    const struct hs_mls_message_key key = next_key(&c->alice, 0);
    person_save(&c->alice);
    post(&c->alice, "sent", &one);
    person_save(&c->alice);
    assert_false(mls_store_holds(c->alice.store, hs_bytes(key.key, 32)));
    person_restart(&c->alice);
    hs_writer_reset(&one);
    post(&c->alice, "sent 2", &one);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
}

/* A post writes its sender's ratchet, and no more, at either end. */
static void what_a_post_writes(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    post(&c->alice, "1", &one);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
    person_save(&c->alice);
    person_save(&c->bob);
    hs_writer_reset(&one);
    post(&c->alice, "2", &one);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
    struct person *both[] = {&c->alice, &c->bob};
    for (int i = 0; i < 2; i++) {
        mls_store_count_from_here(both[i]->store);
        person_save(both[i]);
        assert_int_equal(both[i]->store->counts.puts, 1);
        assert_true(both[i]->store->counts.bytes_written < 64);
    }
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
    /* At a multiple nothing is added: lengths of 2 bytes before content and signature, which has 64. */
    struct hs_writer HS_WRITER full = hs_writer(CAP), HS_WRITER over = hs_writer(CAP);
    static const uint8_t text[256];
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes(text, 256 - 2 - 2 - 64), none, 256, &full));
    assert_ok(hs_mls_group_protect(c->alice.group, hs_bytes(text, 256 - 2 - 2 - 64 + 1), none, 256, &over));
    assert_int_equal(full.len, one.len);
    assert_int_equal(over.len, one.len + 256);
    assert_ok(get(&c->bob, hs_writer_bytes(&full)));
    assert_ok(get(&c->bob, hs_writer_bytes(&over)));
    assert_err(hs_mls_group_protect(c->alice.group, none, none, HS_MLS_MAX_PADDING + 1, &two),
               HS_ERR_INVALID_ARG);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
}

/* What is wrong with a post that is made by hand. */
struct handmade {
    const struct hs_mls_signer *signer;
    struct hs_bytes padding;
    size_t more_sender_data; /* bytes */
    bool tiny;               /* a ciphertext that is shorter than a tag */
};

/* A post with p's next key, where p has leaf 0. */
static void handmade_post(struct person *p, const struct handmade *how, struct hs_writer *out)
{
    const uint8_t guard[4] = {0};
    const struct hs_mls_suite *suite = &hs_mls_suite_3;
    struct hs_mls_signature sig;
    struct hs_mls_message_key key, sender_key;
    struct hs_mls_ratchet *ratchet = NULL;
    struct hs_writer HS_WRITER plain = hs_writer(CAP), HS_WRITER aad = hs_writer(CAP),
                               HS_WRITER data = hs_writer(CAP);
    struct hs_mls_content content = hs_mls_group_content(p->group, HS_MLS_APPLICATION, (struct hs_bytes){0});
    content.application = hs_bytes_str("x");
    assert_ok(hs_mls_content_sign(how->signer, HS_MLS_PRIVATE_MESSAGE, &content,
                                  hs_mls_public_context(hs_mls_group_public(p->group)), &sig));
    assert_ok(hs_mls_ratchet_take(p->group->now.secrets, 0, HS_MLS_RATCHET_APPLICATION, &ratchet));
    assert_ok(hs_mls_ratchet_next(ratchet, &key));
    hs_mls_ratchet_free(ratchet);
    hs_write_mls_vec(&plain, content.application);
    hs_write_mls_vec(&plain, HS_MLS_VIEW(sig));
    hs_write_bytes(&plain, how->padding);
    hs_write_mls_vec(&aad, content.group_id);
    hs_write_u64(&aad, content.epoch);
    hs_write_u8(&aad, HS_MLS_APPLICATION);
    struct hs_bytes sender_aad = hs_writer_bytes(&aad);
    uint8_t sealed[256], sender[64], content_aad[64];
    assert_true(plain.len + 16 <= sizeof sealed && sender_aad.len < sizeof content_aad);
    memcpy(content_aad, sender_aad.data, sender_aad.len);
    content_aad[sender_aad.len] = 0; /* no authenticated data */
    assert_ok(suite->seal(key.key, key.nonce, hs_bytes(content_aad, sender_aad.len + 1),
                          hs_writer_bytes(&plain), sealed));
    hs_write_u32(&data, 0);
    hs_write_u32(&data, key.generation);
    hs_write_bytes(&data, hs_bytes(guard, 4));
    hs_write_bytes(&data, hs_bytes(sealed, how->more_sender_data));
    struct hs_bytes ciphertext =
        hs_bytes(sealed, how->tiny ? HS_MLS_TAG_LEN - 1 : plain.len + HS_MLS_TAG_LEN);
    assert_ok(hs_mls_sender_data_key(suite, &p->group->now.sender_data, ciphertext, &sender_key));
    assert_ok(suite->seal(sender_key.key, sender_key.nonce, sender_aad, hs_writer_bytes(&data), sender));
    const struct hs_mls_private_message m = {.group_id = content.group_id,
                                             .epoch = content.epoch,
                                             .type = HS_MLS_APPLICATION,
                                             .sender_data = hs_bytes(sender, data.len + HS_MLS_TAG_LEN),
                                             .ciphertext = ciphertext};
    hs_mls_write_head(out, HS_MLS_PRIVATE_MESSAGE);
    hs_mls_write_private_message(out, &m);
}

/* Padding is zeros, however much there is. MLS-8 */
static void bad_padding(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER bad = hs_writer(CAP), HS_WRITER good = hs_writer(CAP);
    const struct handmade spoilt = {.signer = &c->alice.signer, .padding = hs_bytes("\0\0\0\1", 4)},
                          sound = {.signer = &c->alice.signer, .padding = hs_bytes("\0\0\0\0", 4)};
    handmade_post(&c->alice, &spoilt, &bad);
    assert_err(get(&c->bob, hs_writer_bytes(&bad)), HS_ERR_MALFORMED);
    handmade_post(&c->alice, &sound, &good);
    assert_ok(get(&c->bob, hs_writer_bytes(&good)));
}

/* Ciphertexts that are cut, or too short for a tag, are no messages: each byte counts, in both of them. MLS-7
 */
static void cut_tags(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    struct hs_mls_private_message m;
    post(&c->alice, "x", &one);
    const struct hs_id before = person_state(&c->bob);
    struct hs_reader r = hs_reader(hs_writer_bytes(&one));
    assert_int_equal(hs_mls_read_head(&r), HS_MLS_PRIVATE_MESSAGE);
    hs_mls_read_private_message(&r, &m);
    assert_ok(hs_reader_finish(&r));
    struct hs_bytes *const fields[] = {&m.sender_data, &m.ciphertext};
    for (size_t i = 0; i < 2; i++) {
        const size_t len = fields[i]->len;
        for (fields[i]->len = 0; fields[i]->len < len; fields[i]->len++) {
            struct hs_writer HS_WRITER cut = hs_writer(CAP);
            hs_mls_write_head(&cut, HS_MLS_PRIVATE_MESSAGE);
            hs_mls_write_private_message(&cut, &m);
            assert_err(get(&c->bob, hs_writer_bytes(&cut)), HS_ERR_DECRYPT);
        }
    }
    assert_same_state(&c->bob, before);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
}

/* Whoever has the group's keys can encrypt as alice, but not sign. */
static void forged_post(void **state)
{
    struct cast *c = *state;
    struct hs_writer HS_WRITER forged = hs_writer(CAP);
    handmade_post(&c->alice, &(struct handmade){.signer = &c->carol.signer}, &forged);
    const struct hs_id before = person_state(&c->bob);
    assert_err(get(&c->bob, hs_writer_bytes(&forged)), HS_ERR_BAD_SIGNATURE);
    assert_same_state(&c->bob, before);
    assert_talks(&c->alice, &c->bob, "the real one");
}

/* What members alone can make, for they have the keys: sender data that is longer than it should be, a
 * ciphertext without room for its tag. MLS-7 */
static void bad_sizes(void **state)
{
    struct cast *c = *state;
    const struct handmade bad[] = {{.signer = &c->alice.signer, .more_sender_data = 1},
                                   {.signer = &c->alice.signer, .more_sender_data = 32},
                                   {.signer = &c->alice.signer, .tiny = true}};
    const struct hs_id before = person_state(&c->bob);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct hs_writer HS_WRITER one = hs_writer(CAP);
        handmade_post(&c->alice, &bad[i], &one);
        assert_err(get(&c->bob, hs_writer_bytes(&one)), HS_ERR_DECRYPT);
    }
    assert_same_state(&c->bob, before);
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

/* A post as alice's own program doesn't make it. */
static void post_unchecked(struct person *by, struct hs_bytes text, struct hs_writer *out)
{
    struct hs_mls_signature sig;
    struct hs_mls_ratchet HS_MLS_RATCHET *turned = NULL;
    struct hs_mls_authed authed = {.wire_format = HS_MLS_PRIVATE_MESSAGE};
    authed.content = hs_mls_group_content(by->group, HS_MLS_APPLICATION, (struct hs_bytes){0});
    authed.content.application = text;
    assert_ok(hs_mls_content_sign(&by->group->signer, authed.wire_format, &authed.content,
                                  hs_mls_public_context(by->group->pub), &sig));
    authed.signature = HS_MLS_VIEW(sig);
    hs_writer_reset(out);
    assert_ok(hs_mls_group_seal(by->group, &authed, 0, &turned, out));
}

/* A receiver refuses what is past the limit: by a byte, and by so much that it isn't decrypted at all. */
static void too_large_to_read(void **state)
{
    struct cast *c = *state;
    static uint8_t text[2 * HS_MLS_MAX_APPLICATION];
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    const struct hs_id before = person_state(&c->bob);
    for (size_t len = HS_MLS_MAX_APPLICATION + 1; len <= sizeof text; len = 2 * (len - 1)) {
        post_unchecked(&c->alice, hs_bytes(text, len), &one);
        assert_err(get(&c->bob, hs_writer_bytes(&one)), HS_ERR_TOO_LARGE);
    }
    one.data[one.len - 1] ^= 1; /* nor is it seen that this one can't be decrypted */
    assert_err(get(&c->bob, hs_writer_bytes(&one)), HS_ERR_TOO_LARGE);
    const struct hs_id after = person_state(&c->bob);
    assert_true(hs_id_equal(&before, &after));
    post_unchecked(&c->alice, hs_bytes(text, HS_MLS_MAX_APPLICATION), &one);
    assert_ok(get(&c->bob, hs_writer_bytes(&one)));
}

/* A post that can't be written changes nothing: the key isn't spent. */
static void no_room(void **state)
{
    struct cast *c = *state;
    const struct hs_bytes none = {0};
    struct hs_writer HS_WRITER one = hs_writer(CAP);
    post(&c->alice, "", &one);
    const struct hs_id before = person_state(&c->alice);
    for (size_t cap = 0; cap < one.len; cap++) {
        struct hs_writer HS_WRITER small = hs_writer(cap);
        assert_err(hs_mls_group_protect(c->alice.group, none, none, 0, &small), HS_ERR_TOO_LARGE);
        assert_int_equal(small.len, 0);
    }
    assert_same_state(&c->alice, before);
    struct hs_writer HS_WRITER enough = hs_writer(one.len);
    assert_ok(hs_mls_group_protect(c->alice.group, none, none, 0, &enough));
    assert_ok(get(&c->bob, hs_writer_bytes(&enough)));
}

int main(void)
{
#define TEST(name) CAST_TEST(name, cast_of_two)
    const struct CMUnitTest tests[] = {
        TEST(replay),      TEST(own_posts),          TEST(tolerances),     TEST(past_epochs),
        TEST(past_sender), TEST(past_width),         TEST(secrets_go),     TEST(encryption_secret_goes),
        TEST(bad_padding), TEST(forged_post),        TEST(sender_keys_go), TEST(padding),
        TEST(largest),     TEST(too_large_to_read),  TEST(no_room),        TEST(cut_tags),
        TEST(bad_sizes),   TEST(what_a_post_writes),
    };
    return cmocka_run_group_tests(tests, world_setup, NULL);
}
