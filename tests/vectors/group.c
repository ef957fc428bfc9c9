/* welcome, passive-client-*: a member that joins and follows. */
#include "vector.h"

#include "framing.h"
#include "support/mls_store.h"

#include "mls/codec.h"
#include "mls/framing.h"
#include "mls/group.h"
#include "mls/key_package_check.h"
#include "mls/schedule.h"

#include <stdlib.h>

/* The joiner secret for that key package, from the Welcome's own part. */
static enum outcome open_welcome_secrets(const json_t *entry, const struct hs_mls_welcome *welcome,
                                         struct hs_mls_secret *joiner)
{
    uint8_t plain[512];
    struct hs_mls_hash ref;
    struct hs_mls_key_package kp;
    struct hs_mls_encrypted_secrets item;
    struct hs_mls_group_secrets secrets;
    const struct hs_mls_suite *suite = vector_suite(entry);
    const struct hs_mls_secret priv = vector_secret(entry, "init_priv");
    CHECK_OK(hs_mls_key_package_read(vector_hex(entry, "key_package"), &kp));
    CHECK_OK(hs_mls_key_package_ref(suite, &kp, &ref));
    struct hs_reader list = hs_reader(welcome->secrets);
    do
        hs_mls_read_encrypted_secrets(&list, &item);
    while (list.err == HS_OK && !hs_bytes_equal(item.ref, HS_MLS_VIEW(ref)));
    CHECK_OK(list.err);
    CHECK(item.secrets.ciphertext.len >= 16 && item.secrets.ciphertext.len <= sizeof plain);
    CHECK_OK(hs_mls_open(suite, &priv, kp.init_key, "Welcome", welcome->group_info, item.secrets.kem,
                         item.secrets.ciphertext, plain));
    struct hs_reader r = hs_reader(hs_bytes(plain, item.secrets.ciphertext.len - 16));
    hs_mls_read_group_secrets(&r, &secrets);
    CHECK_OK(hs_reader_finish(&r));
    CHECK(secrets.psks.len == 0);
    CHECK(HS_MLS_SET(secrets.joiner_secret, joiner));
    return PASSED;
}

static enum outcome check_info(const json_t *entry, const struct hs_mls_welcome *welcome,
                               const struct hs_mls_secret *joiner, struct hs_writer *plain)
{
    uint8_t key[HS_MLS_MAX_AEAD_KEY], nonce[HS_MLS_NONCE_LEN];
    struct hs_mls_secret secret;
    struct hs_mls_group_info info;
    struct hs_mls_epoch_secrets epoch;
    const struct hs_mls_suite *suite = vector_suite(entry);
    CHECK_OK(hs_mls_welcome_secret(suite, joiner, NULL, &secret));
    CHECK_OK(hs_mls_welcome_key(suite, &secret, key, nonce));
    CHECK(welcome->group_info.len >= HS_MLS_TAG_LEN);
    uint8_t *out = hs_writer_reserve(plain, welcome->group_info.len - HS_MLS_TAG_LEN);
    CHECK(out != NULL);
    CHECK_OK(suite->open(key, nonce, (struct hs_bytes){0}, welcome->group_info, out));
    struct hs_reader r = hs_reader(hs_writer_bytes(plain));
    hs_mls_read_group_info(&r, &info);
    CHECK_OK(hs_reader_finish(&r));
    CHECK_OK(hs_mls_verify(suite, vector_hex(entry, "signer_pub"), "GroupInfoTBS", info.tbs, info.signature));
    CHECK_OK(hs_mls_epoch_from_joiner(suite, joiner, NULL, info.context_raw, &epoch));
    CHECK(hs_mls_mac_verify(suite, HS_MLS_VIEW(epoch.confirmation), info.context.confirmed_transcript_hash,
                            info.confirmation_tag));
    return PASSED;
}

static enum outcome welcome(const json_t *entry)
{
    struct hs_mls_secret joiner;
    struct hs_mls_welcome w;
    struct hs_writer HS_WRITER plain = hs_writer(1 << 20);
    struct hs_reader r = hs_reader(vector_hex(entry, "welcome"));
    CHECK(hs_mls_read_head(&r) == HS_MLS_WELCOME);
    hs_mls_read_welcome(&r, &w);
    CHECK_OK(hs_reader_finish(&r));
    CHECK(w.suite == vector_suite(entry)->id);
    CHECK(open_welcome_secrets(entry, &w, &joiner) == PASSED);
    return check_info(entry, &w, &joiner, &plain);
}

/* The one who follows, and what it knows from elsewhere. */
struct client {
    struct hs_mls_signer signer;
    struct hs_mls_psk *psks;
    size_t psk_count;
    struct hs_mls_group *group;
    struct mls_store *store;
};

static void client_free(struct client *client)
{
    hs_mls_group_free(client->group);
    free(client->psks);
    mls_store_free(client->store);
    hs_mls_signer_wipe(&client->signer);
}

static enum outcome read_psks(const json_t *entry, struct client *client)
{
    const json_t *psk;
    size_t i;
    client->psks = calloc(json_array_size(vector_list(entry, "external_psks")) + 1, sizeof *client->psks);
    CHECK(client->psks != NULL);
    json_array_foreach(vector_list(entry, "external_psks"), i, psk)
    {
        struct hs_mls_psk *out = &client->psks[client->psk_count++];
        out->id.type = HS_MLS_PSK_EXTERNAL;
        out->id.id = vector_hex(psk, "psk_id");
        out->secret = vector_hex(psk, "psk");
    }
    return PASSED;
}

/* Saves and loads the group, so that every epoch is also one after a restart. */
static enum outcome restart(struct client *client)
{
    CHECK_OK(hs_mls_group_save(client->group, &client->store->store));
    hs_mls_group_free_at(&client->group);
    CHECK_OK(hs_mls_group_load(&client->store->store, &client->signer, 1, &client->group));
    CHECK_OK(hs_mls_group_set_psks(client->group, client->psks, client->psk_count));
    return PASSED;
}

static enum outcome follow_epoch(struct client *client, const json_t *epoch)
{
    const json_t *proposal;
    size_t i;
    json_array_foreach(vector_list(epoch, "proposals"), i, proposal)
    {
        struct hs_mls_event HS_MLS_EVENT *event = NULL;
        CHECK_OK(hs_mls_group_process(client->group, vector_hex_of(proposal), &event));
        CHECK(event->kind == HS_MLS_EVENT_PROPOSAL);
    }
    CHECK(restart(client) == PASSED);
    struct hs_mls_event HS_MLS_EVENT *event = NULL;
    CHECK_OK(hs_mls_group_process(client->group, vector_hex(epoch, "commit"), &event));
    CHECK(event->kind == HS_MLS_EVENT_COMMIT);
    CHECK_OK(hs_mls_group_merge(client->group, event->staged));
    const struct hs_mls_secret authenticator = hs_mls_group_authenticator(client->group);
    CHECK_BYTES(HS_MLS_VIEW(authenticator), epoch, "epoch_authenticator");
    return PASSED;
}

static enum outcome follow_all(const json_t *entry, struct client *client)
{
    const json_t *epoch;
    size_t at;
    const struct hs_mls_secret authenticator = hs_mls_group_authenticator(client->group);
    CHECK_BYTES(HS_MLS_VIEW(authenticator), entry, "initial_epoch_authenticator");
    json_array_foreach(vector_list(entry, "epochs"), at, epoch) CHECK(follow_epoch(client, epoch) == PASSED);
    return restart(client);
}

static enum outcome passive_client(const json_t *entry)
{
    struct client HS_AUTO(client_free) client = {.store = mls_store_new()};
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {
        .init = vector_secret(entry, "init_priv"), .leaf = vector_secret(entry, "encryption_priv")};
    CHECK_OK(hs_mls_signer_import(vector_suite(entry), vector_hex(entry, "signature_priv"), &client.signer));
    CHECK(read_psks(entry, &client) == PASSED);
    struct hs_mls_settings settings = hs_mls_settings_default();
    settings.past_epochs = HS_MLS_MAX_PAST_EPOCHS; /* whose resumption secrets a commit may name */
    const struct hs_mls_join join = {
        .psks = client.psks,
        .psk_count = client.psk_count,
        .welcome = vector_hex(entry, "welcome"),
        .key_package = vector_hex(entry, "key_package"),
        .priv = &priv,
        .signer = &client.signer,
        .tree = vector_has(entry, "ratchet_tree") ? vector_hex(entry, "ratchet_tree") : (struct hs_bytes){0},
        .settings = settings,
    };
    CHECK_OK(hs_mls_group_join(&join, &client.group));
    CHECK_OK(hs_mls_group_set_psks(client.group, client.psks, client.psk_count));
    return follow_all(entry, &client);
}

const struct family families_group[] = {
    {"message-protection", false, message_protection},
    {"welcome", false, welcome},
    {"passive-client-handling-commit", false, passive_client},
    {"passive-client-welcome", false, passive_client},
    {"passive-client-random", false, passive_client},
    {0},
};
