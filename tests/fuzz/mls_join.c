/* Coming into a group: by Welcome, by an external commit, as a hub that takes a GroupInfo. The bytes come
 * from members that may be malicious, who can sign and encrypt whatever they like. Input: choice, bytes.
 * Choice: bits 0-1 what it is, bit 2 suite 1, bit 3 the GroupInfo is signed anew.
 *   0  a Welcome as it is, for member 1 (who hasn't joined yet)
 *   1  the plaintexts of a Welcome for the person outside: GroupSecrets with its length before it, GroupInfo
 *   2  a GroupInfo for an external join of the person outside
 *   3  a GroupInfo for a hub */
#include "fuzz/fuzz.h"

#include "fuzz/mls_repair.h"
#include "fuzz/random.h"
#include "mls/key_package_check.h"
#include "mls/ratchet.h"
#include "mls/schedule.h"

/* A group that somebody came into can be kept and used. */
static void check_usable(const struct mls_world *w, unsigned person, struct hs_mls_group *group)
{
    struct mls_live MLS_LIVE live = {.store = mls_store_new(), .group = group};
    struct hs_writer HS_WRITER out = hs_writer(MLS_WORLD_CAP);
    struct hs_id saved = mls_live_save(&live);
    struct mls_live MLS_LIVE again = {.store = mls_store_copy(live.store)};
    FUZZ_OK(hs_mls_group_load(&again.store->store, &w->people[person].signer, 1, &again.group));
    struct hs_id loaded = mls_live_save(&again);
    HS_ASSERT(hs_id_equal(&saved, &loaded));
    FUZZ_OK(hs_mls_group_protect(again.group, hs_bytes_str("hello"), (struct hs_bytes){0}, 0, &out));
    fuzz_accepted++;
}

static void join(const struct mls_world *w, unsigned person, struct hs_bytes welcome)
{
    struct hs_mls_group *group = NULL;
    const struct mls_person *p = &w->people[person];
    struct hs_mls_join how = {.welcome = welcome,
                              .key_package = hs_writer_bytes(&p->key_package),
                              .priv = &p->priv,
                              .signer = &p->signer,
                              .psks = &mls_world_psk,
                              .psk_count = 1,
                              .settings = hs_mls_settings_default()};
    if (hs_mls_group_join(&how, &group) == HS_OK)
        check_usable(w, person, group);
    else
        HS_ASSERT(group == NULL);
}

/* The MLSMessage of a GroupInfo, signed anew; as it is where it can't be read. */
static struct hs_bytes info_repair(const struct mls_world *w, struct hs_bytes message,
                                   const struct hs_mls_secret *joiner, struct hs_arena *arena)
{
    struct hs_mls_group_info info;
    struct hs_reader r = hs_reader(message);
    struct hs_writer HS_WRITER out = hs_writer(MLS_WORLD_CAP);
    if (hs_mls_read_head(&r) != HS_MLS_GROUP_INFO)
        return message;
    hs_mls_read_group_info(&r, &info);
    if (hs_reader_finish(&r) != HS_OK)
        return message;
    mls_repair_group_info(w, &info, joiner, arena);
    hs_mls_write_head(&out, HS_MLS_GROUP_INFO);
    hs_mls_write_group_info(&out, &info);
    FUZZ_OK(out.err);
    return hs_arena_copy(arena, hs_writer_bytes(&out));
}

/* Encrypts GroupSecrets to the person outside. */
static void secrets_seal(const struct mls_world *w, struct hs_bytes secrets, struct hs_bytes context,
                         struct hs_writer *out)
{
    uint8_t kem[HS_MLS_MAX_PUB];
    struct hs_mls_key_package kp;
    struct hs_mls_hash ref;
    struct hs_writer HS_WRITER sealed = hs_writer(MLS_WORLD_CAP);
    FUZZ_OK(hs_mls_key_package_read(hs_writer_bytes(&w->people[MLS_MEMBERS].key_package), &kp));
    FUZZ_OK(hs_mls_key_package_ref(w->suite, &kp, &ref));
    uint8_t *ciphertext = hs_writer_reserve(&sealed, secrets.len + HS_MLS_TAG_LEN);
    FUZZ_OK(hs_mls_seal(w->suite, kp.init_key, "Welcome", context, secrets, kem, ciphertext));
    const struct hs_mls_encrypted_secrets item = {
        .ref = HS_MLS_VIEW(ref),
        .secrets = {.kem = hs_bytes(kem, w->suite->kem_enc_len), .ciphertext = hs_writer_bytes(&sealed)}};
    hs_mls_write_encrypted_secrets(out, &item);
    FUZZ_OK(out->err);
}

/* The joiner secret that stands in GroupSecrets; false where they can't be read or it isn't one. */
static bool joiner_of(const struct mls_world *w, struct hs_bytes bytes, struct hs_mls_secret *joiner)
{
    struct hs_mls_group_secrets secrets;
    struct hs_reader r = hs_reader(bytes);
    hs_mls_read_group_secrets(&r, &secrets);
    return hs_reader_finish(&r) == HS_OK && secrets.joiner_secret.len == w->suite->hash_len &&
           HS_MLS_SET(secrets.joiner_secret, joiner);
}

static struct hs_bytes welcome_make(const struct mls_world *w, struct hs_bytes secrets, struct hs_bytes info,
                                    const struct hs_mls_secret *joiner, struct hs_arena *arena)
{
    struct hs_mls_secret HS_MLS_SECRET welcome = {0};
    uint8_t key[HS_MLS_MAX_AEAD_KEY], nonce[HS_MLS_NONCE_LEN];
    struct hs_writer HS_WRITER list = hs_writer(MLS_WORLD_CAP), HS_WRITER sealed = hs_writer(MLS_WORLD_CAP),
                               HS_WRITER out = hs_writer(MLS_WORLD_CAP);
    FUZZ_OK(hs_mls_welcome_secret(w->suite, joiner, NULL, &welcome));
    FUZZ_OK(hs_mls_welcome_key(w->suite, &welcome, key, nonce));
    uint8_t *ciphertext = hs_writer_reserve(&sealed, info.len + HS_MLS_TAG_LEN);
    FUZZ_OK(w->suite->seal(key, nonce, (struct hs_bytes){0}, info, ciphertext));
    secrets_seal(w, secrets, hs_writer_bytes(&sealed), &list);
    const struct hs_mls_welcome message = {
        .suite = w->suite->id, .secrets = hs_writer_bytes(&list), .group_info = hs_writer_bytes(&sealed)};
    hs_mls_write_head(&out, HS_MLS_WELCOME);
    hs_mls_write_welcome(&out, &message);
    FUZZ_OK(out.err);
    return hs_arena_copy(arena, hs_writer_bytes(&out));
}

enum { HEAD = 4 /* of an MLSMessage: version, wire format */ };

static void check_welcome_parts(const struct mls_world *w, struct hs_bytes in, bool repair,
                                struct hs_arena *arena)
{
    struct hs_mls_secret HS_MLS_SECRET joiner = {0};
    size_t len = fuzz_choice(&in);
    struct hs_bytes secrets = fuzz_take(&in, len);
    if (!joiner_of(w, secrets, &joiner))
        joiner.len = w->suite->hash_len;
    struct hs_bytes info = repair ? info_repair(w, in, &joiner, arena) : in;
    if (info.len > HEAD) /* it stands there without its head */
        join(w, MLS_MEMBERS,
             welcome_make(w, secrets, hs_bytes(info.data + HEAD, info.len - HEAD), &joiner, arena));
}

static void check_external(const struct mls_world *w, struct hs_bytes info)
{
    struct hs_mls_group *group = NULL;
    struct hs_writer HS_WRITER commit = hs_writer(MLS_WORLD_CAP);
    struct hs_mls_external_join how = {
        .group_info = info, .leaf = mls_world_leaf(w, MLS_MEMBERS), .settings = hs_mls_settings_default()};
    struct hs_mls_commit_result result = {.commit = &commit};
    if (hs_mls_group_join_external(&how, &result, &group) == HS_OK)
        check_usable(w, MLS_MEMBERS, group);
    else
        HS_ASSERT(group == NULL);
}

static void check_hub(struct hs_bytes info)
{
    struct mls_live_hub MLS_LIVE_HUB hub = {.store = mls_store_new()};
    if (hs_mls_public_new(info, (struct hs_bytes){0}, &hub.pub) != HS_OK)
        return;
    struct hs_id saved = mls_live_hub_save(&hub);
    struct mls_live_hub MLS_LIVE_HUB again = {.store = mls_store_copy(hub.store)};
    FUZZ_OK(hs_mls_public_load(&again.store->store, &again.pub));
    struct hs_id loaded = mls_live_hub_save(&again);
    HS_ASSERT(hs_id_equal(&saved, &loaded));
    fuzz_accepted++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hs_arena HS_ARENA arena = hs_arena(16 << 20);
    struct hs_bytes in = hs_bytes(data, size);
    unsigned choice = fuzz_choice(&in);
    const struct mls_world *w = mls_world((choice & 4) != 0 ? MLS_WORLD_SUITE_1 : 0);
    bool repair = (choice & 8) != 0;
    fuzz_random_branch(2);
    if ((choice & 3) >= 2 && repair)
        in = info_repair(w, in, NULL, &arena);
    if ((choice & 3) == 0)
        join(w, 1, in);
    else if ((choice & 3) == 1)
        check_welcome_parts(w, in, repair, &arena);
    else if ((choice & 3) == 2)
        check_external(w, in);
    else
        check_hub(in);
    return 0;
}
