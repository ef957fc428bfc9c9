/* Devices: their keys, what they say of themselves, the PSKs that they were told. */
#include "peer.h"

#include "mls/suite.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A private-use extension type that all of this project's leaves know. */
enum { ROOM_POLICY = 0xF4A1, HOUR = 3600, TWELVE_WEEKS = 12 * 7 * 86400 };

enum hs_err device_leaf(struct call *c, struct hs_mls_leaf_params *leaf)
{
    static const uint16_t credentials[] = {HS_MLS_BASIC, HS_MLS_X509};
    const struct device *d = c->device;
    uint64_t now = (uint64_t)time(NULL);
    uint16_t *types = hs_arena_alloc(&c->arena, 2 * sizeof *types);
    struct hs_mls_extension *extensions = hs_arena_alloc(&c->arena, sizeof *extensions);
    HS_REQUIRE(types != NULL && extensions != NULL, HS_ERR_NOMEM);
    types[0] = ROOM_POLICY;
    types[1] = d->grease;
    *extensions = (struct hs_mls_extension){.type = ROOM_POLICY, .data = hs_bytes_str(d->name)};
    bool greasy = d->grease != 0;
    *leaf = (struct hs_mls_leaf_params){
        .signer = &d->signer,
        .identity = hs_bytes_str(d->name),
        .not_before = now - HOUR,
        .not_after = now + TWELVE_WEEKS,
        .extensions = extensions,
        .extension_count = d->with_extension ? 1 : 0,
        .extension_types = types,
        .extension_type_count = greasy ? 2 : 1,
        .proposal_types = types + 1,
        .proposal_type_count = greasy ? 1 : 0,
        .credential_types = credentials,
        .credential_type_count = 2,
        .suites = types + 1,
        .suite_count = greasy ? 1 : 0,
    };
    return HS_OK;
}

size_t device_psks(struct call *c, const struct hs_mls_psk **out)
{
    const struct device *d = c->device;
    struct hs_mls_psk *list = hs_arena_alloc(&c->arena, (d->psk_count + 1) * sizeof *list);
    HS_ASSERT(list != NULL);
    for (size_t i = 0; i < d->psk_count; i++)
        list[i] = (struct hs_mls_psk){
            .id = {.type = HS_MLS_PSK_EXTERNAL, .id = hs_writer_bytes(&d->psks[i].id)},
            .secret = hs_writer_bytes(&d->psks[i].secret),
        };
    *out = list;
    return d->psk_count;
}

void device_adopt_signer(struct device *d)
{
    struct hs_mls_member own;
    if (d->next_signer.suite == NULL ||
        hs_mls_public_member(hs_mls_group_public(d->group), hs_mls_group_own_leaf(d->group), &own) != HS_OK ||
        !hs_bytes_equal(own.signature_key, HS_MLS_VIEW(d->next_signer.pub)))
        return;
    struct hs_mls_signer HS_MLS_SIGNER former = d->signer;
    d->signer = d->next_signer;
    d->next_signer = former; /* the commit may be taken back */
}

static void device_leave(struct device *d)
{
    hs_mls_group_free_at(&d->group);
    hs_mls_group_free_at(&d->joining);
    hs_mls_group_free_at(&d->former);
    mls_store_free_at(&d->records);
    mls_store_free_at(&d->former_records);
}

void device_keep_former(struct device *d)
{
    struct hs_mls_group *group = d->group;
    struct mls_store *records = d->records;
    d->group = NULL;
    d->records = NULL;
    device_leave(d);
    d->former = group;
    d->former_records = records;
}

void device_free(struct device *d)
{
    device_leave(d);
    for (size_t i = 0; i < d->psk_count; i++) {
        hs_writer_free(&d->psks[i].id);
        hs_writer_free(&d->psks[i].secret);
    }
    hs_writer_free(&d->key_package);
    hs_mls_key_package_private_wipe(&d->priv);
    hs_mls_signer_wipe(&d->signer);
    hs_mls_signer_wipe(&d->next_signer);
    free(d->name);
    free(d);
}

static enum hs_err run_device(struct call *c)
{
    const char *name = call_text(c, "name");
    const struct hs_mls_suite *suite = hs_mls_suite_find((uint16_t)call_number(c, "suite"));
    HS_TRY(c->err);
    HS_REQUIRE(suite != NULL, HS_ERR_MLS_VERSION);
    struct device *d = calloc(1, sizeof *d);
    HS_REQUIRE(d != NULL, HS_ERR_NOMEM);
    *d = (struct device){
        .next = c->peer->devices,
        .name = strdup(name),
        .settings = hs_mls_settings_default(),
        .with_extension = call_flag(c, "extension"),
        .grease = call_has(c, "grease") ? (uint16_t)call_number(c, "grease") : 0,
        .key_package = hs_writer(CAP),
    };
    d->settings.private_handshakes = call_flag(c, "private_handshakes");
    d->settings.padding = call_has(c, "padding") ? (uint32_t)call_number(c, "padding") : 0;
    d->settings.settling = call_flag(c, "settling");
    c->peer->devices = d;
    HS_TRY(c->err);
    return hs_mls_signer_random(suite, &d->signer);
}

/* The suites that this build has. */
static enum hs_err run_suites(struct call *c)
{
    const struct hs_mls_suite *suites[HS_MLS_MAX_SUITES];
    size_t count = hs_mls_suites(suites);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_integer(suites[i]->id));
    json_object_set_new(c->out, "suites", list);
    return HS_OK;
}

/* New signature keys, of that suite, for what comes next; a group that the device is in has its own copy. */
static enum hs_err run_new_keys(struct call *c)
{
    const struct hs_mls_suite *suite = hs_mls_suite_find((uint16_t)call_number(c, "suite"));
    HS_TRY(c->err);
    HS_REQUIRE(suite != NULL, HS_ERR_MLS_VERSION);
    return hs_mls_signer_random(suite, &c->device->signer);
}

static enum hs_err run_forget(struct call *c)
{
    struct device **at = &c->peer->devices;
    while (*at != c->device)
        at = &(*at)->next;
    *at = c->device->next;
    device_free(c->device);
    return HS_OK;
}

/* Out of the group, as a device that may come back; with keep, that group is remembered as the former one. */
static enum hs_err run_leave(struct call *c)
{
    if (call_flag(c, "keep"))
        device_keep_former(c->device);
    else
        device_leave(c->device);
    return HS_OK;
}

static enum hs_err run_key_package(struct call *c)
{
    struct device *d = c->device;
    struct hs_mls_leaf_params leaf;
    HS_TRY(device_leaf(c, &leaf));
    hs_writer_reset(&d->key_package);
    HS_TRY(hs_mls_key_package_new(&leaf, call_flag(c, "last_resort"), &d->key_package, &d->priv));
    return answer_written(c, "message", &d->key_package);
}

/* What a member checks before it adds somebody. */
static enum hs_err run_check_key_package(struct call *c)
{
    struct hs_mls_key_package_facts facts;
    struct hs_bytes message = call_bytes(c, "message");
    HS_TRY(c->err);
    HS_TRY(hs_mls_key_package_check(message, (uint64_t)time(NULL), &facts));
    answer_bytes(c, "identity", facts.identity);
    answer_flag(c, "last_resort", facts.last_resort);
    return HS_OK;
}

static enum hs_err run_psk(struct call *c)
{
    struct device *d = c->device;
    struct hs_bytes id = call_bytes(c, "id"), secret = call_bytes(c, "secret");
    HS_TRY(c->err);
    HS_REQUIRE(d->psk_count < MAX_PSKS, HS_ERR_TOO_LARGE);
    struct psk *psk = &d->psks[d->psk_count++];
    *psk = (struct psk){.id = hs_writer(CAP), .secret = hs_writer(CAP)};
    hs_write_bytes(&psk->id, id);
    hs_write_bytes(&psk->secret, secret);
    const struct hs_mls_psk *psks;
    size_t count = device_psks(c, &psks);
    return d->group != NULL ? hs_mls_group_set_psks(d->group, psks, count) : HS_OK;
}

const struct op ops_device[] = {
    {"suites", ANY, run_suites},
    {"device", ANY, run_device},
    {"new_keys", DEVICE, run_new_keys},
    {"forget", DEVICE, run_forget},
    {"leave", DEVICE, run_leave},
    {"key_package", DEVICE, run_key_package},
    {"check_key_package", ANY, run_check_key_package},
    {"psk", DEVICE, run_psk},
    {0},
};
