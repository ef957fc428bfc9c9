/* The published vectors of cacophony and snow for this protocol: every message, the payloads back, the
 * handshake hash. */
#include "support/vectors.h"

#include "noise/handshake.h"

static const char *const files[] = {"noise/cacophony-25519-ChaChaPoly.json",
                                    "noise/snow-25519-ChaChaPoly.json"};
enum { FILES = sizeof files / sizeof files[0], HANDSHAKE_MESSAGES = 3 };

struct side {
    struct hs_handshake handshake;
    struct hs_cipherstate send, receive;
    uint8_t hash[HS_NOISE_HASH_LEN];
};

static void side_init(struct side *side, const json_t *vector, bool initiator)
{
    struct hs_secret32 HS_SECRET local, HS_SECRET ephemeral;
    struct hs_key remote;
    struct owned OWNED prologue = vectors_hex(vector, initiator ? "init_prologue" : "resp_prologue");
    UNHEX_FIXED(vectors_text(vector, initiator ? "init_static" : "resp_static"), &local);
    UNHEX_FIXED(vectors_text(vector, initiator ? "init_ephemeral" : "resp_ephemeral"), &ephemeral);
    if (initiator)
        UNHEX_FIXED(vectors_text(vector, "init_remote_static"), &remote);
    struct hs_handshake_params params = {
        .initiator = initiator,
        .prologue = OWNED_VIEW(prologue),
        .local_static = &local,
        .remote_static = initiator ? &remote : NULL,
        .fixed_ephemeral = &ephemeral,
    };
    assert_ok(hs_handshake_init(&side->handshake, &params));
}

static void handshake_message(struct side *from, struct side *to, struct hs_bytes payload,
                              struct hs_bytes want)
{
    struct hs_writer HS_WRITER message = hs_writer(HS_NOISE_MESSAGE_MAX);
    struct hs_writer HS_WRITER back = hs_writer(HS_NOISE_MESSAGE_MAX);
    assert_ok(hs_handshake_write(&from->handshake, payload, &message));
    assert_bytes(hs_writer_bytes(&message), want);
    assert_ok(hs_handshake_read(&to->handshake, want, &back));
    assert_bytes(hs_writer_bytes(&back), payload);
}

static void transport_message(struct side *from, struct side *to, struct hs_bytes payload,
                              struct hs_bytes want)
{
    uint8_t sealed[256], opened[256];
    assert_true(payload.len + HS_NOISE_TAG_LEN <= sizeof sealed);
    assert_ok(hs_cipherstate_encrypt(&from->send, (struct hs_bytes){0}, payload, sealed));
    assert_bytes(hs_bytes(sealed, payload.len + HS_NOISE_TAG_LEN), want);
    assert_ok(hs_cipherstate_decrypt(&to->receive, (struct hs_bytes){0}, want, opened));
    assert_bytes(hs_bytes(opened, payload.len), payload);
}

static void split(struct side *side)
{
    assert_true(hs_handshake_is_done(&side->handshake));
    assert_ok(hs_handshake_split(&side->handshake, &side->send, &side->receive, side->hash));
}

static void run(const json_t *vector)
{
    struct side sides[2];
    const json_t *messages = json_object_get(vector, "messages");
    assert_true(json_array_size(messages) > HANDSHAKE_MESSAGES);
    side_init(&sides[0], vector, true);
    side_init(&sides[1], vector, false);
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *message = json_array_get(messages, i);
        struct owned OWNED payload = vectors_hex(message, "payload");
        struct owned OWNED want = vectors_hex(message, "ciphertext");
        struct side *from = &sides[i % 2], *to = &sides[1 - i % 2];
        if (i < HANDSHAKE_MESSAGES)
            handshake_message(from, to, OWNED_VIEW(payload), OWNED_VIEW(want));
        else
            transport_message(from, to, OWNED_VIEW(payload), OWNED_VIEW(want));
        if (i == HANDSHAKE_MESSAGES - 1) {
            split(&sides[0]);
            split(&sides[1]);
        }
    }
    assert_memory_equal(sides[0].hash, sides[1].hash, HS_NOISE_HASH_LEN);
    if (json_object_get(vector, "handshake_hash") != NULL)
        assert_hex(hs_bytes(sides[0].hash, HS_NOISE_HASH_LEN), vectors_text(vector, "handshake_hash"));
}

/* SESSION-3 */
static void published_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < FILES; i++) {
        json_t *root = vectors_load(files[i]);
        const json_t *vectors = json_object_get(root, "vectors");
        size_t count = 0;
        for (size_t j = 0; j < json_array_size(vectors); j++) {
            const json_t *vector = json_array_get(vectors, j);
            if (strcmp(vectors_text(vector, "protocol_name"), HS_NOISE_PROTOCOL) != 0)
                continue;
            run(vector);
            count++;
        }
        printf("%s: %zu vectors\n", files[i], count);
        assert_true(count > 0);
        json_decref(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(published_vectors)};
    if (!vectors_are_there(files, FILES))
        return TEST_SKIPPED;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
