/* welcome, passive-client-*: a member that joins and follows. */
#include "vector.h"

#include "framing.h"

#include "crypto/aead.h"
#include "crypto/dh.h"
#include "mls/codec.h"
#include "mls/framing.h"
#include "mls/group.h"
#include "mls/key_package_check.h"
#include "mls/schedule.h"
#include "mls/suite.h"

#include <sodium.h>

/* The joiner secret for that key package, from the Welcome's own part. */
static enum outcome open_welcome_secrets(const json_t *entry, const struct hs_mls_welcome *welcome,
                                         struct hs_secret32 *joiner)
{
    uint8_t plain[512];
    struct hs_id ref;
    struct hs_key init;
    struct hs_secret32 priv;
    struct hs_mls_key_package kp;
    struct hs_mls_encrypted_secrets item;
    struct hs_mls_group_secrets secrets;
    CHECK(HS_FIXED(vector_hex(entry, "init_priv"), &priv));
    CHECK_OK(hs_mls_key_package_read(vector_hex(entry, "key_package"), &kp));
    CHECK_OK(hs_mls_key_package_ref(&kp, &ref));
    CHECK(HS_FIXED(kp.init_key, &init));
    struct hs_reader list = hs_reader(welcome->secrets);
    do
        hs_mls_read_encrypted_secrets(&list, &item);
    while (list.err == HS_OK && !hs_bytes_equal(item.ref, HS_VIEW(ref)));
    CHECK_OK(list.err);
    CHECK(item.secrets.ciphertext.len >= 16 && item.secrets.ciphertext.len <= sizeof plain);
    CHECK_OK(hs_mls_open(&priv, &init, "Welcome", welcome->group_info, item.secrets.kem,
                         item.secrets.ciphertext, plain));
    struct hs_reader r = hs_reader(hs_bytes(plain, item.secrets.ciphertext.len - 16));
    hs_mls_read_group_secrets(&r, &secrets);
    CHECK_OK(hs_reader_finish(&r));
    CHECK(secrets.psks.len == 0);
    CHECK(HS_FIXED(secrets.joiner_secret, joiner));
    return PASSED;
}

static enum outcome check_info(const json_t *entry, const struct hs_mls_welcome *welcome,
                               const struct hs_secret32 *joiner, struct hs_writer *plain)
{
    uint8_t nonce[12], tag[32];
    struct hs_secret32 secret, key;
    struct hs_key signer;
    struct hs_mls_group_info info;
    struct hs_mls_epoch_secrets epoch;
    CHECK_OK(hs_mls_welcome_secret(joiner, NULL, &secret));
    CHECK_OK(hs_mls_welcome_key(&secret, &key, nonce));
    CHECK(welcome->group_info.len >= 16);
    uint8_t *out = hs_writer_reserve(plain, welcome->group_info.len - 16);
    CHECK(out != NULL);
    CHECK_OK(hs_aead_open(key.b, nonce, (struct hs_bytes){0}, welcome->group_info, out));
    struct hs_reader r = hs_reader(hs_writer_bytes(plain));
    hs_mls_read_group_info(&r, &info);
    CHECK_OK(hs_reader_finish(&r));
    CHECK(HS_FIXED(vector_hex(entry, "signer_pub"), &signer));
    CHECK_OK(hs_mls_verify(&signer, "GroupInfoTBS", info.tbs, info.signature));
    CHECK_OK(hs_mls_epoch_from_joiner(joiner, NULL, info.context_raw, &epoch));
    crypto_auth_hmacsha256(tag, info.context.confirmed_transcript_hash.data,
                           info.context.confirmed_transcript_hash.len, epoch.confirmation.b);
    CHECK(hs_bytes_equal(info.confirmation_tag, hs_bytes(tag, sizeof tag)));
    return PASSED;
}

static enum outcome welcome(const json_t *entry)
{
    struct hs_secret32 joiner;
    struct hs_mls_welcome w;
    struct hs_writer HS_WRITER plain = hs_writer(1 << 20);
    struct hs_reader r = hs_reader(vector_hex(entry, "welcome"));
    CHECK(hs_mls_read_head(&r) == HS_MLS_WELCOME);
    hs_mls_read_welcome(&r, &w);
    CHECK_OK(hs_reader_finish(&r));
    CHECK(w.suite == HS_MLS_SUITE);
    CHECK(open_welcome_secrets(entry, &w, &joiner) == PASSED);
    return check_info(entry, &w, &joiner, &plain);
}

static bool commit_has_psk(const struct hs_mls_commit *commit)
{
    struct hs_reader r = hs_reader(commit->proposals);
    while (hs_reader_left(&r) > 0) {
        struct hs_mls_proposal_or_ref item;
        hs_mls_read_proposal_or_ref(&r, &item);
        if (r.err == HS_OK && !item.by_ref && item.proposal.type == HS_MLS_PSK)
            return true;
    }
    return false;
}

/* True for a PublicMessage that is, or commits, a PreSharedKey proposal. */
static bool message_has_psk(struct hs_bytes message)
{
    struct hs_mls_public_message m;
    struct hs_reader r = hs_reader(message);
    if (hs_mls_read_head(&r) != HS_MLS_PUBLIC_MESSAGE)
        return false;
    hs_mls_read_public_message(&r, &m);
    if (hs_reader_finish(&r) != HS_OK)
        return false;
    if (m.authed.content.type == HS_MLS_PROPOSAL)
        return m.authed.content.proposal.type == HS_MLS_PSK;
    return commit_has_psk(&m.authed.content.commit);
}

static bool needs_psk(const json_t *entry)
{
    const json_t *epoch, *proposal;
    size_t at, i;
    json_array_foreach(vector_list(entry, "epochs"), at, epoch)
    {
        json_array_foreach(vector_list(epoch, "proposals"), i,
                           proposal) if (message_has_psk(vector_hex_of(proposal))) return true;
        if (message_has_psk(vector_hex(epoch, "commit")))
            return true;
    }
    return false;
}

/* Saves and loads the group, so that every epoch is also one after a restart. */
static enum outcome restart(struct hs_mls_group **group, const struct hs_signer *signer)
{
    struct hs_mls_group *loaded = NULL;
    struct hs_writer HS_WRITER saved = hs_writer(HS_MLS_MAX_SAVED);
    CHECK_OK(hs_mls_group_save(*group, &saved));
    CHECK_OK(hs_mls_group_load(hs_writer_bytes(&saved), signer, &loaded));
    hs_mls_group_free(*group);
    *group = loaded;
    return PASSED;
}

static enum outcome follow_epoch(struct hs_mls_group **group, const struct hs_signer *signer,
                                 const json_t *epoch)
{
    const json_t *proposal;
    size_t i;
    json_array_foreach(vector_list(epoch, "proposals"), i, proposal)
    {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        CHECK_OK(hs_mls_group_process(*group, vector_hex_of(proposal), &event));
        CHECK(event->kind == HS_MLS_EVENT_PROPOSAL);
    }
    CHECK(restart(group, signer) == PASSED);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    CHECK_OK(hs_mls_group_process(*group, vector_hex(epoch, "commit"), &event));
    CHECK(event->kind == HS_MLS_EVENT_COMMIT);
    CHECK_OK(hs_mls_group_merge(*group, event->staged));
    const struct hs_secret32 authenticator = hs_mls_group_authenticator(*group);
    CHECK_BYTES(HS_VIEW(authenticator), epoch, "epoch_authenticator");
    return PASSED;
}

static enum outcome follow_all(const json_t *entry, struct hs_mls_group **group,
                               const struct hs_signer *signer)
{
    const json_t *epoch;
    size_t at;
    const struct hs_secret32 authenticator = hs_mls_group_authenticator(*group);
    CHECK_BYTES(HS_VIEW(authenticator), entry, "initial_epoch_authenticator");
    json_array_foreach(vector_list(entry, "epochs"), at, epoch)
        CHECK(follow_epoch(group, signer, epoch) == PASSED);
    return PASSED;
}

static enum outcome passive_client(const json_t *entry)
{
    struct hs_signer HS_SIGNER signer;
    struct hs_secret32 seed;
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv;
    struct hs_mls_group HS_MLS_GROUP *group = NULL;
    if (needs_psk(entry))
        return SKIPPED;
    CHECK(HS_FIXED(vector_hex(entry, "signature_priv"), &seed));
    CHECK(HS_FIXED(vector_hex(entry, "init_priv"), &priv.init));
    CHECK(HS_FIXED(vector_hex(entry, "encryption_priv"), &priv.leaf));
    hs_signer_init(&signer, &seed);
    struct hs_mls_psk psks[8];
    const json_t *list = vector_list(entry, "external_psks");
    CHECK(json_array_size(list) <= sizeof psks / sizeof psks[0]);
    for (size_t i = 0; i < json_array_size(list); i++)
        psks[i] = (struct hs_mls_psk){.id = vector_hex(json_array_get(list, i), "psk_id"),
                                      .secret = vector_hex(json_array_get(list, i), "psk")};
    const struct hs_mls_join join = {
        .psks = psks,
        .psk_count = json_array_size(list),
        .welcome = vector_hex(entry, "welcome"),
        .key_package = vector_hex(entry, "key_package"),
        .priv = &priv,
        .signer = &signer,
        .tree = vector_has(entry, "ratchet_tree") ? vector_hex(entry, "ratchet_tree") : (struct hs_bytes){0},
        .settings = hs_mls_settings_default(),
    };
    CHECK_OK(hs_mls_group_join(&join, &group));
    return follow_all(entry, &group, &signer);
}

const struct family families_group[] = {
    {"message-protection", false, message_protection},
    {"welcome", false, welcome},
    {"passive-client-handling-commit", false, passive_client},
    {"passive-client-welcome", false, passive_client},
    {"passive-client-random", false, passive_client},
    {0},
};
