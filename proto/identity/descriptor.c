#include "identity/descriptor.h"

#include "identity/learn.h"
#include "identity/scratch.h"
#include "identity/successor.h"
#include "schema/identity.pb-c.h"
#include "wire/unpack.h"

#include <string.h>

static bool descriptor_is_valid(const struct hs_descriptor *d)
{
    if (!hs_domain_is_valid(hs_bytes_str(d->domain)) || d->address_count > HS_DESCRIPTOR_ADDRESSES)
        return false;
    for (size_t i = 0; i < d->address_count; i++)
        if (!hs_address_is_valid(hs_bytes_str(d->addresses[i])))
            return false;
    return true;
}

static enum hs_err check_size(const Hanse__SignedObject *obj)
{
    HS_REQUIRE(hanse__signed_object__get_packed_size(obj) <= HS_DESCRIPTOR_MAX, HS_ERR_TOO_LARGE);
    return HS_OK;
}

enum hs_err hs_descriptor_build(const struct hs_signer *root, const struct hs_descriptor *d,
                                struct hs_time now, struct hs_arena *arena, Hanse__SignedObject **out)
{
    *out = NULL;
    HS_REQUIRE(descriptor_is_valid(d), HS_ERR_INVALID_ARG);
    HS_TRY(hs_sign_key_check(&d->signing_key));
    struct hs_descriptor copy = *d;
    char *addresses[HS_DESCRIPTOR_ADDRESSES];
    for (size_t i = 0; i < copy.address_count; i++)
        addresses[i] = copy.addresses[i];
    Hanse__NodeDescriptor msg = HANSE__NODE_DESCRIPTOR__INIT;
    msg.domain = copy.domain;
    msg.signing_key = hs_pb_data(HS_VIEW(copy.signing_key));
    msg.transport_key = hs_pb_data(HS_VIEW(copy.transport_key));
    msg.n_addresses = copy.address_count;
    msg.addresses = addresses;
    msg.sequence = copy.sequence;
    msg.succeeds = (Hanse__SignedObject *)(uintptr_t)copy.succeeds;
    struct hs_author author = {.signer = root, .issuer = root->pub, .now = now};
    Hanse__SignedObject *obj;
    HS_TRY(hs_object_make(HS_KIND_NODE_DESCRIPTOR, &msg.base, &author,
                          &(struct hs_hdr_spec){.not_after = d->not_after}, arena, &obj));
    HS_TRY(check_size(obj));
    *out = obj;
    return HS_OK;
}

static enum hs_err addresses_read(const Hanse__NodeDescriptor *msg, struct hs_descriptor *d)
{
    HS_REQUIRE(msg->n_addresses <= HS_DESCRIPTOR_ADDRESSES, HS_ERR_MALFORMED);
    for (size_t i = 0; i < msg->n_addresses; i++) {
        struct hs_bytes address = hs_bytes_str(msg->addresses[i]);
        HS_REQUIRE(hs_address_is_valid(address), HS_ERR_MALFORMED);
        memcpy(d->addresses[i], address.data, address.len);
    }
    d->address_count = msg->n_addresses;
    return HS_OK;
}

static enum hs_err descriptor_read(const Hanse__NodeDescriptor *msg, const struct hs_key *root,
                                   struct hs_learned *learned, struct hs_descriptor *out)
{
    struct hs_descriptor d = {
        .root = *root,
        .sequence = msg->sequence,
        .created = hs_hdr_created(msg->hdr),
        .not_after = {msg->hdr->not_after_ms},
    };
    struct hs_key issuer = hs_hdr_issuer(msg->hdr);
    HS_REQUIRE(hs_key_equal(&issuer, root), HS_ERR_WRONG_SIGNER);
    struct hs_bytes domain = hs_bytes_str(msg->domain);
    HS_REQUIRE(hs_domain_is_valid(domain), HS_ERR_MALFORMED);
    memcpy(d.domain, domain.data, domain.len);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->signing_key), &d.signing_key), HS_ERR_MALFORMED);
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->transport_key), &d.transport_key), HS_ERR_MALFORMED);
    HS_TRY(hs_key_learn(learned, &d.signing_key));
    HS_TRY(addresses_read(msg, &d));
    *out = d;
    return HS_OK;
}

enum hs_err hs_descriptor_learn(const Hanse__SignedObject *obj, const struct hs_key *pinned,
                                struct hs_learned *learned, struct hs_descriptor *out)
{
    struct hs_key root;
    HS_REQUIRE(hs_object_claimed_signer(obj, 0, &root), HS_ERR_MALFORMED);
    HS_REQUIRE(pinned == NULL || hs_key_equal(&root, pinned), HS_ERR_WRONG_SIGNER);
    HS_TRY(hs_key_learn(learned, &root));
    HS_TRY(check_size(obj));
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__NodeDescriptor *msg;
    HS_TRY(HS_OBJECT_OPEN(hanse__node_descriptor, obj, HS_KIND_NODE_DESCRIPTOR, &root, 1, &scratch, &msg));
    return descriptor_read(msg, &root, learned, out);
}

enum hs_err hs_descriptor_open(const Hanse__SignedObject *obj, const struct hs_key *pinned,
                               struct hs_descriptor *out)
{
    return hs_descriptor_learn(obj, pinned, NULL, out);
}

enum hs_err hs_descriptor_claimed(const Hanse__SignedObject *obj, struct hs_descriptor *out)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    struct hs_learned unchecked = {0};
    struct hs_descriptor d;
    Hanse__NodeDescriptor *msg;
    struct hs_key root;
    HS_REQUIRE(hs_object_claimed_kind(obj) == HS_KIND_NODE_DESCRIPTOR &&
                   hs_object_claimed_signer(obj, 0, &root),
               HS_ERR_MALFORMED);
    HS_TRY(HS_UNPACK(hanse__node_descriptor, hs_pb_bytes(obj->payload), HS_KNOWN_ENUMS, &scratch, &msg));
    HS_TRY(hs_hdr_check(msg->hdr));
    HS_REQUIRE(HS_FIXED(hs_pb_bytes(msg->signing_key), &unchecked.keys[0]), HS_ERR_MALFORMED);
    unchecked.count = 1; /* it was looked at when it came */
    HS_TRY(descriptor_read(msg, &root, &unchecked, &d));
    *out = d;
    return HS_OK;
}

bool hs_descriptor_vouched(const Hanse__SignedObject *obj, struct hs_time now, struct hs_key *old_root)
{
    struct hs_arena HS_ARENA scratch = hs_arena(HS_IDENTITY_SCRATCH);
    Hanse__NodeDescriptor *msg;
    struct hs_key root;
    return hs_object_claimed_signer(obj, 0, &root) &&
           HS_UNPACK(hanse__node_descriptor, hs_pb_bytes(obj->payload), HS_KNOWN_ENUMS, &scratch, &msg) ==
               HS_OK &&
           msg->succeeds != NULL && hs_successor_verify(msg->succeeds, &root, now, old_root) == HS_OK;
}

enum hs_err hs_descriptor_check_time(const struct hs_descriptor *d, struct hs_time at)
{
    return hs_window_check(d->created, (struct hs_time){0}, d->not_after, at);
}

enum hs_err hs_descriptor_verify(const Hanse__SignedObject *obj, const struct hs_key *pinned,
                                 struct hs_time now, struct hs_descriptor *out)
{
    struct hs_descriptor d;
    HS_TRY(hs_descriptor_open(obj, pinned, &d));
    HS_TRY(hs_descriptor_check_time(&d, now));
    *out = d;
    return HS_OK;
}
