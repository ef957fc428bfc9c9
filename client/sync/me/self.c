#include "sync/state.h"

#include "crypto/dh.h"
#include "room/package.h"
#include "room/suite.h"
#include "store/tables.h"
#include "wire/unpack.h"

enum {
    DEVICE_NUMBER = 1,     /* the device with the seed; others come with their own certificates */
    KEY_PACKAGE_DAYS = 84, /* how long somebody may take to be let in */
    LEAF_SKEW_S = 3600,    /* a leaf is valid from an hour ago: clocks differ */
};

bool hs_root_is_home(const struct hs_sync *sync, const struct hs_key *root)
{
    return sync->has_me && sync->me.has_home && hs_key_equal(&sync->me.home_root, root);
}

enum hs_err hs_me_load(struct hs_step *s)
{
    struct hs_sync *sync = s->sync;
    hs_arena_free(&sync->me_arena);
    sync->me_arena = hs_arena(1 << 20);
    hs_me_wipe(&sync->me);
    sync->has_me = hs_me_get(s->kv, &sync->me_arena, &sync->me);
    sync->me_loaded = s->kv->err == HS_OK;
    return s->kv->err;
}

enum hs_err hs_me_save(struct hs_step *s)
{
    hs_me_put(s->kv, &s->sync->me);
    return hs_me_load(s);
}

/* The certificate is made once for each brand, so that what it proves stays proved by the same bytes. */
static enum hs_err certificate_for(struct hs_step *s, struct hs_self *self)
{
    struct hs_bytes bytes;
    if (hs_kv_get(s->kv, HS_TABLE_SELF, HS_VIEW(self->root), s->arena, &bytes))
        return hs_object_unpack(bytes, s->arena, &self->certificate);
    struct hs_certificate facts = {.signature_key = self->device.signature.pub,
                                   .transport_key = self->device.transport_pub,
                                   .device_number = DEVICE_NUMBER,
                                   .not_before = {s->now.ms - HS_CLOCK_SKEW_MS}};
    HS_TRY(hs_certificate_build(&self->persona_signer, &facts, s->now, s->arena, &self->certificate));
    HS_TRY(hs_object_pack(self->certificate, s->arena, &bytes));
    hs_kv_put(s->kv, HS_TABLE_SELF, HS_VIEW(self->root), bytes);
    return s->kv->err;
}

/* Each brand's grants mean something in its own rooms alone. */
static enum hs_err grants_for(struct hs_step *s, struct hs_self *self)
{
    Hanse__Chain *chain;
    struct hs_bytes grants = {0};
    if (hs_root_is_home(s->sync, &self->root))
        grants = s->sync->me.grants;
    else
        (void)hs_kv_get(s->kv, HS_TABLE_GRANTS, HS_VIEW(self->root), s->arena, &grants);
    HS_REQUIRE(grants.len > 0, s->kv->err);
    HS_TRY(hs_chain_unpack(s->arena, grants, &chain));
    for (size_t i = 0; i < chain->n_objects && i < HS_CREDENTIAL_GRANTS; i++)
        self->grants[self->grant_count++] = chain->objects[i];
    return HS_OK;
}

static void persona_for(const struct hs_me *me, const struct hs_key *root, struct hs_signer *out)
{
    if (me->has_role)
        hs_identity_derive(&me->role_seed, out);
    else
        hs_persona_derive(&me->seed, root, out);
}

enum hs_err hs_self_for(struct hs_step *s, const struct hs_key *root, struct hs_self *out)
{
    *out = (struct hs_self){.root = *root};
    HS_REQUIRE(s->sync->has_me, HS_ERR_INVALID_STATE);
    persona_for(&s->sync->me, root, &out->persona_signer);
    out->persona = out->persona_signer.pub;
    hs_device_keys_derive(&s->sync->me.device_secret, &out->persona, &out->device);
    HS_TRY(certificate_for(s, out));
    return grants_for(s, out);
}

void hs_self_wipe(struct hs_self *self)
{
    hs_signer_wipe(&self->persona_signer);
    hs_device_keys_wipe(&self->device);
}

enum hs_err hs_sync_persona(struct hs_sync *sync, const struct hs_key *root, struct hs_key *out)
{
    HS_REQUIRE(sync->has_me, HS_ERR_INVALID_STATE);
    struct hs_signer HS_SIGNER signer;
    persona_for(&sync->me, root, &signer);
    *out = signer.pub;
    return HS_OK;
}

struct hs_author hs_self_author(const struct hs_step *s, const struct hs_self *self)
{
    return (struct hs_author){.signer = &self->device.signature, .issuer = self->persona, .now = s->now};
}

enum hs_err hs_self_chain(struct hs_step *s, const struct hs_self *self, Hanse__Chain *out)
{
    Hanse__SignedObject **list = hs_arena_alloc(s->arena, (2 + HS_CREDENTIAL_GRANTS) * sizeof *list);
    HS_REQUIRE(list != NULL, HS_ERR_NOMEM);
    *out = (Hanse__Chain)HANSE__CHAIN__INIT;
    out->objects = list;
    if (hs_root_is_home(s->sync, &self->root) && s->sync->me.home_descriptor.len > 0)
        HS_TRY(hs_object_unpack(s->sync->me.home_descriptor, s->arena, &list[out->n_objects++]));
    for (size_t i = 0; i < self->grant_count; i++)
        list[out->n_objects++] = self->grants[i];
    list[out->n_objects++] = self->certificate;
    return HS_OK;
}

enum hs_err hs_self_credential(struct hs_step *s, const struct hs_self *self, struct hs_bytes *out)
{
    return hs_credential_pack(self->certificate, self->grants, self->grant_count, s->sync->me.name, s->arena,
                              out);
}

enum hs_err hs_self_key_package(struct hs_step *s, const struct hs_self *self, struct hs_own_package *out)
{
    static const uint16_t extensions[] = {HS_POLICY_EXTENSION};
    struct hs_mls_signer HS_MLS_SIGNER signer = hs_room_signer(&self->device.signature);
    struct hs_mls_leaf_params params = {.signer = &signer,
                                        .not_before = (uint64_t)(s->now.ms / 1000 - LEAF_SKEW_S),
                                        .not_after = (uint64_t)(s->now.ms / 1000 + KEY_PACKAGE_DAYS * 86400),
                                        .extension_types = extensions,
                                        .extension_type_count = 1};
    HS_TRY(hs_self_credential(s, self, &params.identity));
    struct hs_mls_key_package_private HS_MLS_KEY_PACKAGE_PRIVATE priv = {0};
    struct hs_writer HS_WRITER message = hs_writer(HS_FRAME_MAX),
                               secret = hs_writer(HS_MLS_KEY_PACKAGE_PRIVATE_MAX);
    HS_TRY(hs_mls_key_package_new(&params, false, &message, &priv));
    hs_mls_key_package_private_save(&priv, &secret);
    HS_TRY(secret.err);
    struct hs_room_package facts;
    HS_TRY(hs_room_package_check(hs_writer_bytes(&message), &self->root, s->now, &facts));
    *out = (struct hs_own_package){.message = hs_arena_copy(s->arena, hs_writer_bytes(&message)),
                                   .priv = hs_arena_copy(s->arena, hs_writer_bytes(&secret)),
                                   .ref = facts.ref};
    return out->message.data != NULL && out->priv.data != NULL ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_chain_pack(struct hs_step *s, const Hanse__Chain *chain, struct hs_bytes *out)
{
    struct hs_writer HS_WRITER w = hs_writer(HS_FRAME_MAX);
    HS_TRY(HS_PACK(chain, &w));
    *out = hs_arena_copy(s->arena, hs_writer_bytes(&w));
    return out->data != NULL || out->len == 0 ? HS_OK : HS_ERR_NOMEM;
}

enum hs_err hs_chain_unpack(struct hs_arena *arena, struct hs_bytes bytes, Hanse__Chain **out)
{
    return HS_UNPACK(hanse__chain, bytes, HS_LENIENT, arena, out);
}
