#include "noise/handshake.h"

#include "base/reader.h"
#include "crypto/dh.h"

enum token { TOKEN_NONE, TOKEN_E, TOKEN_S, TOKEN_EE, TOKEN_ES, TOKEN_SE };
enum { MESSAGES = 3, TOKENS = 2 };

/* XK (Noise, 7.5): <- s, ..., -> e, es, <- e, ee, -> s, se. Even rows are the initiator's. */
static const enum token pattern[MESSAGES][TOKENS] = {
    {TOKEN_E, TOKEN_ES},
    {TOKEN_E, TOKEN_EE},
    {TOKEN_S, TOKEN_SE},
};

enum hs_err hs_handshake_init(struct hs_handshake *h, const struct hs_handshake_params *params)
{
    HS_REQUIRE(params->initiator == (params->remote_static != NULL), HS_ERR_INVALID_ARG);
    *h = (struct hs_handshake){.initiator = params->initiator, .s = *params->local_static};
    if (params->local_public != NULL)
        h->s_pub = *params->local_public;
    else
        hs_dh_public(&h->s, &h->s_pub);
    if (params->initiator)
        h->rs = *params->remote_static;
    if (params->fixed_ephemeral != NULL) {
        h->e = *params->fixed_ephemeral;
        h->ephemeral_fixed = true;
    }
    hs_symmetricstate_init(&h->symmetric, HS_NOISE_PROTOCOL);
    hs_symmetricstate_mix_hash(&h->symmetric, params->prologue);
    /* The pre-message: the responder's static key. */
    hs_symmetricstate_mix_hash(&h->symmetric, params->initiator ? HS_VIEW(h->rs) : HS_VIEW(h->s_pub));
    return HS_OK;
}

bool hs_handshake_is_done(const struct hs_handshake *h)
{
    return h->step == MESSAGES;
}

static bool is_own_turn(const struct hs_handshake *h)
{
    return (h->step % 2 == 0) == h->initiator;
}

static enum hs_err mix_dh(struct hs_handshake *h, const struct hs_secret32 *priv, const struct hs_key *pub)
{
    struct hs_secret32 HS_SECRET shared;
    HS_TRY(hs_dh(priv, pub, &shared));
    hs_symmetricstate_mix_key(&h->symmetric, &shared);
    return HS_OK;
}

/* es: the initiator's ephemeral with the responder's static key; se: the other way round. */
static enum hs_err mix_token(struct hs_handshake *h, enum token token)
{
    if (token == TOKEN_EE)
        return mix_dh(h, &h->e, &h->re);
    if ((token == TOKEN_ES) == h->initiator)
        return mix_dh(h, &h->e, &h->rs);
    return mix_dh(h, &h->s, &h->re);
}

static void write_ephemeral(struct hs_handshake *h, struct hs_writer *out)
{
    struct hs_key pub;
    if (h->ephemeral_fixed)
        hs_dh_public(&h->e, &pub);
    else
        hs_dh_keypair(&h->e, &pub);
    hs_write_bytes(out, HS_VIEW(pub));
    hs_symmetricstate_mix_hash(&h->symmetric, HS_VIEW(pub));
}

static enum hs_err write_encrypted(struct hs_handshake *h, struct hs_bytes plaintext, struct hs_writer *out)
{
    uint8_t *to = hs_writer_reserve(out, plaintext.len + hs_cipherstate_overhead(&h->symmetric.cipher));
    return to == NULL ? out->err : hs_symmetricstate_encrypt(&h->symmetric, plaintext, to);
}

static enum hs_err write_message(struct hs_handshake *h, struct hs_bytes payload, struct hs_writer *out)
{
    for (size_t i = 0; i < TOKENS; i++) {
        enum token token = pattern[h->step][i];
        if (token == TOKEN_E)
            write_ephemeral(h, out);
        else if (token == TOKEN_S)
            HS_TRY(write_encrypted(h, HS_VIEW(h->s_pub), out));
        else
            HS_TRY(mix_token(h, token));
    }
    return write_encrypted(h, payload, out);
}

enum hs_err hs_handshake_write(struct hs_handshake *h, struct hs_bytes payload, struct hs_writer *out)
{
    HS_REQUIRE(!hs_handshake_is_done(h) && is_own_turn(h), HS_ERR_INVALID_STATE);
    struct hs_handshake HS_HANDSHAKE next = *h;
    struct hs_writer HS_WRITER message = hs_writer(HS_NOISE_MESSAGE_MAX);
    HS_TRY(write_message(&next, payload, &message));
    hs_write_bytes(out, hs_writer_bytes(&message));
    HS_TRY(out->err);
    next.step++;
    *h = next;
    return HS_OK;
}

static enum hs_err read_static(struct hs_handshake *h, struct hs_reader *r)
{
    struct hs_bytes in = hs_read_bytes(r, sizeof h->rs.b + hs_cipherstate_overhead(&h->symmetric.cipher));
    HS_TRY(r->err);
    return hs_symmetricstate_decrypt(&h->symmetric, in, h->rs.b);
}

static enum hs_err read_payload(struct hs_handshake *h, struct hs_bytes in, struct hs_writer *out)
{
    size_t overhead = hs_cipherstate_overhead(&h->symmetric.cipher);
    HS_REQUIRE(in.len >= overhead, HS_ERR_MALFORMED);
    uint8_t *to = hs_writer_reserve(out, in.len - overhead);
    return to == NULL ? out->err : hs_symmetricstate_decrypt(&h->symmetric, in, to);
}

static enum hs_err read_message(struct hs_handshake *h, struct hs_reader *r, struct hs_writer *payload)
{
    for (size_t i = 0; i < TOKENS; i++) {
        enum token token = pattern[h->step][i];
        if (token == TOKEN_E) {
            hs_read_fixed(r, h->re.b, sizeof h->re.b);
            HS_TRY(r->err);
            hs_symmetricstate_mix_hash(&h->symmetric, HS_VIEW(h->re));
        } else if (token == TOKEN_S) {
            HS_TRY(read_static(h, r));
        } else {
            HS_TRY(mix_token(h, token));
        }
    }
    return read_payload(h, hs_read_bytes(r, hs_reader_left(r)), payload);
}

enum hs_err hs_handshake_read(struct hs_handshake *h, struct hs_bytes message, struct hs_writer *out)
{
    HS_REQUIRE(!hs_handshake_is_done(h) && !is_own_turn(h), HS_ERR_INVALID_STATE);
    HS_REQUIRE(message.len <= HS_NOISE_MESSAGE_MAX, HS_ERR_TOO_LARGE);
    struct hs_handshake HS_HANDSHAKE next = *h;
    struct hs_writer HS_WRITER payload = hs_writer(HS_NOISE_MESSAGE_MAX);
    struct hs_reader r = hs_reader(message);
    HS_TRY(read_message(&next, &r, &payload));
    hs_write_bytes(out, hs_writer_bytes(&payload));
    HS_TRY(out->err);
    next.step++;
    *h = next;
    return HS_OK;
}

enum hs_err hs_handshake_split(const struct hs_handshake *h, struct hs_cipherstate *send,
                               struct hs_cipherstate *receive, uint8_t hash[static HS_NOISE_HASH_LEN])
{
    HS_REQUIRE(hs_handshake_is_done(h), HS_ERR_INVALID_STATE);
    hs_symmetricstate_split(&h->symmetric, h->initiator ? send : receive, h->initiator ? receive : send);
    memcpy(hash, h->symmetric.hash, HS_NOISE_HASH_LEN);
    return HS_OK;
}

void hs_handshake_wipe(struct hs_handshake *h)
{
    hs_wipe(h, sizeof *h);
}
