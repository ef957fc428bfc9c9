#include "admin/site.h"

#include "admin/peers.h"
#include "crypto/dh.h"
#include "identity/successor.h"
#include "wire/unpack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_MAX = 8 * 1024 * 1024, PEERS_ARENA_MAX = 16 * 1024 * 1024, NUMBER_MAX = 32 };

static enum hs_err say(enum hs_err err, const char *dir, const char *file, char why[static HS_CONFIG_WHY])
{
    const char *text = hs_err_text(err);
    if (err == HS_ERR_DENIED)
        text = "must be a file of this user that nobody else may read (chmod 600)";
    else if (err == HS_ERR_NOT_FOUND)
        text = "is missing";
    else if (err == HS_ERR_CONFLICT)
        text = "is there already; nothing was changed";
    else if (err == HS_ERR_MALFORMED)
        text = "doesn't hold what it should";
    else if (err == HS_ERR_IO)
        text = "can't be read or written";
    if (err != HS_OK)
        snprintf(why, HS_CONFIG_WHY, "%.200s%s%.200s %s", dir, dir[0] != '\0' ? "/" : "", file, text);
    return err;
}

static enum hs_err read_key(const char *dir, const char *name, struct hs_secret32 *out,
                            char why[static HS_CONFIG_WHY])
{
    char path[HS_PATH_SIZE];
    HS_TRY(hs_path_join(dir, name, path));
    return say(hs_key_file_read(path, out), dir, name, why);
}

static enum hs_err write_new(const char *dir, const char *name, struct hs_bytes bytes,
                             char why[static HS_CONFIG_WHY])
{
    char path[HS_PATH_SIZE];
    HS_TRY(hs_path_join(dir, name, path));
    return say(hs_file_write_new(path, bytes), dir, name, why);
}

static enum hs_err write_key(const char *dir, const char *name, const struct hs_secret32 *key,
                             char why[static HS_CONFIG_WHY])
{
    char path[HS_PATH_SIZE];
    HS_TRY(hs_path_join(dir, name, path));
    return say(hs_key_file_write_new(path, key), dir, name, why);
}

static bool has_file(const char *dir, const char *name)
{
    char path[HS_PATH_SIZE];
    struct stat info;
    return hs_path_join(dir, name, path) == HS_OK && lstat(path, &info) == 0;
}

/* Looked at before anything is written. */
static enum hs_err check_empty(const char *dir, char why[static HS_CONFIG_WHY])
{
    static const char *const names[] = {"hansed.conf",   "root.key",     "signing.key",
                                        "transport.key", "descriptor",   "incarnation",
                                        "store",         "owner.ticket", "successor"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (has_file(dir, names[i]))
            return say(HS_ERR_CONFLICT, dir, names[i], why);
    return HS_OK;
}

static enum hs_err make_descriptor(const struct hs_config *config, const struct hs_signer *root,
                                   struct hs_descriptor d, struct hs_time now, struct hs_arena *arena,
                                   struct hs_bytes *out)
{
    Hanse__SignedObject *object = NULL;
    d.address_count = config->advertise_count;
    memcpy(d.domain, config->domain, sizeof d.domain);
    memcpy(d.addresses, config->advertise, sizeof d.addresses);
    HS_TRY(hs_descriptor_build(root, &d, now, arena, &object));
    return hs_object_pack(object, arena, out);
}

enum hs_err hs_site_create(const char *dir, const struct hs_config *config, struct hs_time now,
                           struct hs_signer *root, char why[static HS_CONFIG_WHY])
{
    struct hs_arena HS_ARENA arena = hs_arena(ARENA_MAX);
    struct hs_secret32 HS_SECRET root_seed = {0}, HS_SECRET signing_seed = {0}, HS_SECRET transport = {0};
    struct hs_signer HS_SIGNER signing = {0};
    struct hs_key transport_pub;
    struct hs_bytes descriptor;
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return say(HS_ERR_IO, "", dir, why);
    HS_TRY(check_empty(dir, why));
    hs_signer_random(root);
    hs_signer_random(&signing);
    hs_signer_seed(root, &root_seed);
    hs_signer_seed(&signing, &signing_seed);
    hs_dh_keypair(&transport, &transport_pub);
    struct hs_descriptor d = {.signing_key = signing.pub, .transport_key = transport_pub, .sequence = 1};
    HS_TRY(say(make_descriptor(config, root, d, now, &arena, &descriptor), dir, "descriptor", why));
    char *text = hs_config_text(config, &arena);
    HS_REQUIRE(text != NULL, HS_ERR_NOMEM);
    HS_TRY(write_key(dir, "root.key", &root_seed, why));
    HS_TRY(write_key(dir, "signing.key", &signing_seed, why));
    HS_TRY(write_key(dir, "transport.key", &transport, why));
    HS_TRY(write_new(dir, "descriptor", descriptor, why));
    HS_TRY(write_new(dir, "incarnation", hs_bytes_str("1\n"), why));
    return write_new(dir, "hansed.conf", hs_bytes_str(text), why);
}

/* Where there was a root before this one. */
static enum hs_err read_successor(const char *dir, struct hs_arena *arena, const Hanse__SignedObject **out,
                                  char why[static HS_CONFIG_WHY])
{
    char path[HS_PATH_SIZE];
    struct hs_bytes bytes;
    Hanse__SignedObject *object = NULL;
    if (!has_file(dir, "successor"))
        return HS_OK;
    HS_TRY(hs_path_join(dir, "successor", path));
    enum hs_err err = hs_file_read(path, HS_DESCRIPTOR_MAX, arena, &bytes);
    if (err == HS_OK)
        err = hs_object_unpack(bytes, arena, &object);
    *out = object;
    return say(err, dir, "successor", why);
}

enum hs_err hs_site_succeed(const struct hs_site *site, const struct hs_signer *old_root,
                            const struct hs_signer *root, struct hs_time now, char why[static HS_CONFIG_WHY])
{
    struct hs_arena HS_ARENA arena = hs_arena(ARENA_MAX);
    Hanse__SignedObject *object;
    struct hs_bytes bytes;
    if (hs_key_equal(&old_root->pub, &root->pub)) {
        snprintf(why, HS_CONFIG_WHY, "that is this node's own root: nobody takes their own place");
        return HS_ERR_CONFLICT;
    }
    HS_TRY(hs_successor_build(old_root, root, now, &arena, &object));
    HS_TRY(hs_object_pack(object, &arena, &bytes));
    return write_new(site->config.data, "successor", bytes, why);
}

static enum hs_err replace_descriptor(const struct hs_site *site, const struct hs_signer *root,
                                      struct hs_descriptor d, struct hs_time now,
                                      char why[static HS_CONFIG_WHY])
{
    struct hs_arena HS_ARENA arena = hs_arena(ARENA_MAX);
    const char *dir = site->config.data;
    struct hs_bytes descriptor;
    char path[HS_PATH_SIZE];
    d.sequence = site->descriptor.sequence + 1;
    HS_TRY(read_successor(dir, &arena, &d.succeeds, why));
    HS_TRY(say(make_descriptor(&site->config, root, d, now, &arena, &descriptor), dir, "descriptor", why));
    HS_TRY(hs_path_join(dir, "descriptor", path));
    return say(hs_file_replace(path, descriptor), dir, "descriptor", why);
}

enum hs_err hs_site_renew(const struct hs_site *site, const struct hs_signer *root, struct hs_time now,
                          struct hs_time not_after, char why[static HS_CONFIG_WHY])
{
    struct hs_descriptor d = {.signing_key = site->descriptor.signing_key,
                              .transport_key = site->descriptor.transport_key,
                              .not_after = not_after};
    return replace_descriptor(site, root, d, now, why);
}

/* The one that the descriptor names takes its place where a change of keys was broken off; one that it
 * doesn't name goes. */
static enum hs_err settle_key(const struct hs_site *site, const char *name, const char *next,
                              bool descriptor_names_next, char why[static HS_CONFIG_WHY])
{
    const char *dir = site->config.data;
    char path[HS_PATH_SIZE], fresh[HS_PATH_SIZE];
    HS_TRY(hs_path_join(dir, name, path));
    HS_TRY(hs_path_join(dir, next, fresh));
    bool done =
        descriptor_names_next ? hs_file_rename(fresh, path) == HS_OK : unlink(fresh) == 0 || errno == ENOENT;
    return say(done ? HS_OK : HS_ERR_IO, dir, name, why);
}

enum hs_err hs_site_rotate(const struct hs_site *site, const struct hs_signer *root, struct hs_time now,
                           struct hs_time not_after, char why[static HS_CONFIG_WHY])
{
    const char *dir = site->config.data;
    struct hs_secret32 HS_SECRET seed = {0}, HS_SECRET transport = {0};
    struct hs_signer HS_SIGNER signing = {0};
    struct hs_descriptor d = {.not_after = not_after};
    HS_TRY(settle_key(site, "signing.key", "signing.key.next", site->signing_is_next, why));
    HS_TRY(settle_key(site, "transport.key", "transport.key.next", site->transport_is_next, why));
    hs_signer_random(&signing);
    hs_signer_seed(&signing, &seed);
    hs_dh_keypair(&transport, &d.transport_key);
    d.signing_key = signing.pub;
    HS_TRY(write_key(dir, "signing.key.next", &seed, why));
    HS_TRY(write_key(dir, "transport.key.next", &transport, why));
    HS_TRY(replace_descriptor(site, root, d, now, why));
    HS_TRY(settle_key(site, "signing.key", "signing.key.next", true, why));
    return settle_key(site, "transport.key", "transport.key.next", true, why);
}

static enum hs_err read_descriptor(struct hs_site *site, char why[static HS_CONFIG_WHY])
{
    char path[HS_PATH_SIZE];
    const char *dir = site->config.data;
    HS_TRY(hs_path_join(dir, "descriptor", path));
    enum hs_err err = hs_file_read(path, HS_DESCRIPTOR_MAX, &site->arena, &site->descriptor_bytes);
    if (err == HS_OK)
        err = hs_object_unpack(site->descriptor_bytes, &site->arena, &site->descriptor_object);
    if (err == HS_OK)
        err = hs_descriptor_open(site->descriptor_object, NULL, &site->descriptor);
    return say(err, dir, "descriptor", why);
}

static enum hs_err read_incarnation(struct hs_site *site, char why[static HS_CONFIG_WHY])
{
    char path[HS_PATH_SIZE], *end = NULL, *text;
    struct hs_bytes bytes;
    const char *dir = site->config.data;
    HS_TRY(hs_path_join(dir, "incarnation", path));
    HS_TRY(say(hs_file_read(path, NUMBER_MAX, &site->arena, &bytes), dir, "incarnation", why));
    text = hs_arena_str(&site->arena, bytes);
    HS_REQUIRE(text != NULL, HS_ERR_NOMEM);
    errno = 0;
    site->incarnation = strtoull(text, &end, 10);
    bool fits = errno == 0 && end != text && text[0] != '-' && (*end == '\0' || strcmp(end, "\n") == 0);
    return say(fits && site->incarnation > 0 ? HS_OK : HS_ERR_MALFORMED, dir, "incarnation", why);
}

enum hs_err hs_site_set_incarnation(struct hs_site *site, uint64_t incarnation,
                                    char why[static HS_CONFIG_WHY])
{
    char path[HS_PATH_SIZE], text[NUMBER_MAX];
    const char *dir = site->config.data;
    HS_REQUIRE(incarnation > site->incarnation, HS_ERR_INVALID_ARG);
    HS_TRY(hs_path_join(dir, "incarnation", path));
    (void)snprintf(text, sizeof text, "%llu\n", (unsigned long long)incarnation);
    HS_TRY(say(hs_file_replace(path, hs_bytes_str(text)), dir, "incarnation", why));
    site->incarnation = incarnation;
    return HS_OK;
}

/* Keys and configuration are those that the root's descriptor speaks of. */
static enum hs_err check_together(struct hs_site *site, char why[static HS_CONFIG_WHY])
{
    const struct hs_descriptor *d = &site->descriptor;
    if (strcmp(d->domain, site->config.domain) != 0) {
        snprintf(why, HS_CONFIG_WHY, "the descriptor is for %s, the configuration says %s", d->domain,
                 site->config.domain);
        return HS_ERR_CONFIG;
    }
    if (!hs_key_equal(&d->signing_key, &site->signing.pub))
        return say(HS_ERR_MALFORMED, site->config.data, "signing.key", why);
    if (!hs_key_equal(&d->transport_key, &site->transport_pub))
        return say(HS_ERR_MALFORMED, site->config.data, "transport.key", why);
    return HS_OK;
}

static enum hs_err read_peers(struct hs_site *site, char why[static HS_CONFIG_WHY])
{
    struct hs_arena HS_ARENA arena = hs_arena(PEERS_ARENA_MAX);
    const struct hs_config *config = &site->config;
    Hanse__State__PeerRules rules = HANSE__STATE__PEER_RULES__INIT;
    struct hs_writer HS_WRITER out = hs_writer(PEERS_ARENA_MAX);
    struct hs_bytes text;
    HS_TRY(hs_peers_parse("[peers]", hs_bytes_str(config->peer_rows), &arena, &rules, why));
    if (config->peers_file[0] != '\0') {
        HS_TRY(say(hs_file_read(config->peers_file, HS_PEERS_FILE_MAX, &arena, &text), "", config->peers_file,
                   why));
        HS_TRY(hs_peers_parse(config->peers_file, text, &arena, &rules, why));
    }
    HS_TRY(hs_pack(&rules.base, &out));
    site->peer_rules = hs_arena_copy(&site->arena, hs_writer_bytes(&out));
    return HS_OK;
}

/* Where a change of keys was broken off behind the new descriptor, its keys are those beside. */
static enum hs_err read_next_keys(struct hs_site *site, char why[static HS_CONFIG_WHY])
{
    struct hs_secret32 HS_SECRET seed = {0}, HS_SECRET transport = {0};
    struct hs_signer HS_SIGNER signing = {0};
    struct hs_key pub;
    const char *dir = site->config.data;
    const struct hs_descriptor *d = &site->descriptor;
    if (!hs_key_equal(&d->signing_key, &site->signing.pub) && has_file(dir, "signing.key.next")) {
        HS_TRY(read_key(dir, "signing.key.next", &seed, why));
        hs_signer_init(&signing, &seed);
        site->signing_is_next = hs_key_equal(&signing.pub, &d->signing_key);
        if (site->signing_is_next)
            site->signing = signing;
    }
    if (!hs_key_equal(&d->transport_key, &site->transport_pub) && has_file(dir, "transport.key.next")) {
        HS_TRY(read_key(dir, "transport.key.next", &transport, why));
        hs_dh_public(&transport, &pub);
        site->transport_is_next = hs_key_equal(&pub, &d->transport_key);
        if (site->transport_is_next) {
            site->transport = transport;
            site->transport_pub = pub;
        }
    }
    return HS_OK;
}

static enum hs_err open_files(struct hs_site *site, char why[static HS_CONFIG_WHY])
{
    struct hs_secret32 HS_SECRET seed = {0};
    const char *dir = site->config.data;
    HS_TRY(hs_path_join(dir, "store", site->store));
    HS_TRY(read_key(dir, "signing.key", &seed, why));
    hs_signer_init(&site->signing, &seed);
    HS_TRY(read_key(dir, "transport.key", &site->transport, why));
    hs_dh_public(&site->transport, &site->transport_pub);
    HS_TRY(read_descriptor(site, why));
    HS_TRY(read_next_keys(site, why));
    HS_TRY(read_incarnation(site, why));
    HS_TRY(read_peers(site, why));
    return check_together(site, why);
}

enum hs_err hs_site_open(const char *config_path, struct hs_site *out, char why[static HS_CONFIG_WHY])
{
    *out = (struct hs_site){.arena = hs_arena(ARENA_MAX)};
    HS_TRY(hs_config_read(config_path, &out->config, why));
    enum hs_err err = open_files(out, why);
    if (err != HS_OK && why[0] == '\0')
        snprintf(why, HS_CONFIG_WHY, "%s", hs_err_text(err));
    return err;
}

enum hs_err hs_site_read_root(const char *path, struct hs_signer *out, char why[static HS_CONFIG_WHY])
{
    struct hs_secret32 HS_SECRET seed = {0};
    HS_TRY(say(hs_key_file_read(path, &seed), "", path, why));
    hs_signer_init(out, &seed);
    return HS_OK;
}

enum hs_err hs_site_root(const struct hs_site *site, const char *path, struct hs_signer *out,
                         char why[static HS_CONFIG_WHY])
{
    struct hs_secret32 HS_SECRET seed = {0};
    if (path != NULL)
        HS_TRY(say(hs_key_file_read(path, &seed), "", path, why));
    else
        HS_TRY(read_key(site->config.data, "root.key", &seed, why));
    hs_signer_init(out, &seed);
    if (hs_key_equal(&out->pub, &site->descriptor.root))
        return HS_OK;
    hs_signer_wipe(out);
    snprintf(why, HS_CONFIG_WHY, "this root key is another node's");
    return HS_ERR_WRONG_SIGNER;
}

void hs_site_wipe(struct hs_site *site)
{
    hs_signer_wipe(&site->signing);
    hs_secret32_wipe(&site->transport);
    hs_arena_free(&site->arena);
}
