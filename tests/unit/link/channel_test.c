#include "support/test.h"

#include "link/channel.h"

static const struct hs_secret32 key = {{42}};

static void channel_init(struct hs_channel *c, uint64_t messages, uint64_t bytes)
{
    struct hs_cipherstate cipher;
    hs_cipherstate_init(&cipher, &key);
    hs_channel_init(c, &cipher);
    assert_true(c->messages_per_key == HS_REKEY_MESSAGES && c->bytes_per_key == HS_REKEY_BYTES);
    c->messages_per_key = messages;
    c->bytes_per_key = bytes;
}

static bool has_first_key(const struct hs_channel *c)
{
    return hs_secret_equal(HS_VIEW(c->cipher.key), HS_VIEW(key));
}

static void pass(struct hs_channel *send, struct hs_channel *receive, size_t len)
{
    uint8_t text[64] = {0};
    assert_true(len + HS_NOISE_TAG_LEN <= sizeof text);
    assert_ok(hs_channel_seal(send, hs_bytes(text, len), text));
    assert_ok(hs_channel_open(receive, hs_bytes(text, len + HS_NOISE_TAG_LEN), text));
    assert_memory_equal(send->cipher.key.b, receive->cipher.key.b, 32);
}

/* SESSION-12: the key changes after message n, not before, and again after n more. */
static void rekey_by_messages(void **state)
{
    (void)state;
    struct hs_channel send, receive;
    channel_init(&send, 3, UINT64_MAX);
    channel_init(&receive, 3, UINT64_MAX);
    pass(&send, &receive, 1);
    pass(&send, &receive, 1);
    assert_true(has_first_key(&send));
    pass(&send, &receive, 1);
    assert_false(has_first_key(&send));
    struct hs_secret32 second = send.cipher.key;
    pass(&send, &receive, 1);
    pass(&send, &receive, 1);
    assert_memory_equal(send.cipher.key.b, second.b, 32);
    pass(&send, &receive, 1);
    assert_memory_not_equal(send.cipher.key.b, second.b, 32);
    assert_true(send.cipher.nonce == 6);
}

/* SESSION-12: tags count; the message that reaches the number is the last under its key. */
static void rekey_by_bytes(void **state)
{
    (void)state;
    struct hs_channel send, receive;
    channel_init(&send, UINT64_MAX, 2 * (10 + HS_NOISE_TAG_LEN));
    channel_init(&receive, UINT64_MAX, 2 * (10 + HS_NOISE_TAG_LEN));
    pass(&send, &receive, 10);
    assert_true(has_first_key(&send));
    pass(&send, &receive, 10);
    assert_false(has_first_key(&send));
    struct hs_secret32 second = send.cipher.key;
    pass(&send, &receive, 10);
    pass(&send, &receive, 9);
    assert_memory_equal(send.cipher.key.b, second.b, 32);
    pass(&send, &receive, 1);
    assert_memory_not_equal(send.cipher.key.b, second.b, 32);
    assert_true(send.bytes == 0 && receive.bytes == 0);
}

/* A receiver that doesn't rekey with the sender can't read on. */
static void rekey_is_needed(void **state)
{
    (void)state;
    struct hs_channel send, receive;
    uint8_t text[32] = {0};
    channel_init(&send, 1, UINT64_MAX);
    channel_init(&receive, 2, UINT64_MAX);
    for (size_t i = 0; i < 2; i++) {
        assert_ok(hs_channel_seal(&send, hs_bytes(text, 4), text));
        assert_err(hs_channel_open(&receive, hs_bytes(text, 4 + HS_NOISE_TAG_LEN), text),
                   i == 0 ? HS_OK : HS_ERR_DECRYPT);
    }
}

/* A message that fails isn't counted. */
static void failures_do_not_count(void **state)
{
    (void)state;
    struct hs_channel receive;
    uint8_t junk[40] = {0}, out[40];
    channel_init(&receive, 2, UINT64_MAX);
    assert_err(hs_channel_open(&receive, hs_bytes(junk, sizeof junk), out), HS_ERR_DECRYPT);
    assert_true(receive.messages == 0 && receive.bytes == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rekey_by_messages),
        cmocka_unit_test(rekey_by_bytes),
        cmocka_unit_test(rekey_is_needed),
        cmocka_unit_test(failures_do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
