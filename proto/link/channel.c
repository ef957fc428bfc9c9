#include "link/channel.h"

void hs_channel_init(struct hs_channel *c, const struct hs_cipherstate *cipher)
{
    *c = (struct hs_channel){
        .cipher = *cipher, .messages_per_key = HS_REKEY_MESSAGES, .bytes_per_key = HS_REKEY_BYTES};
}

/* Counts a message that went through. */
static void count(struct hs_channel *c, size_t message_len)
{
    c->messages++;
    c->bytes += message_len;
    if (c->messages < c->messages_per_key && c->bytes < c->bytes_per_key)
        return;
    hs_cipherstate_rekey(&c->cipher);
    c->messages = 0;
    c->bytes = 0;
}

enum hs_err hs_channel_seal(struct hs_channel *c, struct hs_bytes plaintext, uint8_t *out)
{
    HS_ASSERT(plaintext.len <= HS_NOISE_MESSAGE_MAX - HS_NOISE_TAG_LEN);
    HS_TRY(hs_cipherstate_encrypt(&c->cipher, (struct hs_bytes){0}, plaintext, out));
    count(c, plaintext.len + HS_NOISE_TAG_LEN);
    return HS_OK;
}

enum hs_err hs_channel_open(struct hs_channel *c, struct hs_bytes message, uint8_t *out)
{
    HS_TRY(hs_cipherstate_decrypt(&c->cipher, (struct hs_bytes){0}, message, out));
    count(c, message.len);
    return HS_OK;
}

void hs_channel_wipe(struct hs_channel *c)
{
    hs_wipe(c, sizeof *c);
}
