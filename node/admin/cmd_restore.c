/* hansed restore: a store from a backup. */
#include "admin/cmd.h"
#include "admin/keep.h"
#include "admin/keep_blobs.h"

#include "core/core.h"
#include "store/dir.h"
#include "store/export.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "hansed restore --config FILE --from FILE [--blobs DIR]\n"
    "\n"
    "Makes the node's store from a backup. The node must have its keys, descriptor and configuration, and "
    "no\n"
    "store. What happened after the backup was made is lost here; other nodes may know of it, so the node's\n"
    "incarnation is raised, which tells them.\n"
    "\n"
    "  --config FILE   the node's configuration\n"
    "  --from FILE     the backup, made by hansed backup\n"
    "  --blobs DIR     where its attachments are; FILE.blobs if not given. The directory blobs of a store "
    "that\n"
    "                  was moved away does, too\n"
    "\n"
    "Example:\n"
    "  hansed restore --config hansed.conf --from /var/backups/hanse-monday\n";

static int refuse(const char *file, const struct hs_export_facts *facts)
{
    return hs_cmd_fail(HS_EXIT_FAILURE, "%s: %s; nothing was restored", file, facts->why);
}

/* Attachments that the store speaks of, before it counts. */
static enum hs_err bring_blobs(struct hs_lmdb *store, const char *fresh, const char *from, const char *blobs,
                               struct hs_keep_blobs *out)
{
    char source[HS_PATH_SIZE], target[HS_PATH_SIZE];
    HS_TRY(hs_keep_blobs_dir(fresh, target));
    HS_TRY(hs_keep_blobs_beside(blobs, from, source));
    return hs_keep_blobs_carry(store, source, target, out);
}

/* A node without some attachment is better than none: it is said, and everything else is there. */
static void tell(const struct hs_keep_blobs *blobs)
{
    if (blobs->files > 0)
        printf("%llu attachment%s\n", (unsigned long long)blobs->files, blobs->files == 1 ? "" : "s");
    if (blobs->missing + blobs->bad > 0)
        printf(
            "%llu attachments are lost: %llu aren't in the backup, %llu are damaged there. Whoever asks for "
            "one is\ntold that it isn't known. hansed check names them\n",
            (unsigned long long)(blobs->missing + blobs->bad), (unsigned long long)blobs->missing,
            (unsigned long long)blobs->bad);
}

/* It isn't the store where that might not last. */
static enum hs_err put_in_place(const struct hs_site *site, const char *fresh)
{
    HS_REQUIRE(rename(fresh, site->store) == 0, HS_ERR_IO);
    if (hs_dir_sync(site->config.data) == HS_OK)
        return HS_OK;
    (void)rename(site->store, fresh);
    return HS_ERR_IO;
}

/* Everything in a directory of its own, which becomes the store once all is durable. */
static int load(const struct hs_site *site, FILE *in, const char *from, const char *blobs,
                uint64_t incarnation)
{
    char fresh[HS_PATH_SIZE];
    struct hs_lmdb *store = NULL;
    struct hs_keep_teller teller = {.what = "records"};
    struct hs_export e = hs_keep_export(site, &teller);
    struct hs_export_facts facts = {0};
    struct hs_keep_blobs brought = {0};
    if (hs_path_join(site->config.data, "store.restoring", fresh) != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "the data directory's name is too long");
    hs_keep_remove(fresh);
    enum hs_err err = hs_keep_store(site, fresh, HS_LMDB_WRITE, &store);
    if (err != HS_OK)
        return hs_keep_store_failed(site, err);
    err = hs_import_load(in, &e, store, incarnation, &facts);
    if (err == HS_OK)
        err = bring_blobs(store, fresh, from, blobs, &brought);
    hs_lmdb_close(store);
    hs_keep_told(&teller);
    if (err == HS_OK)
        err = put_in_place(site, fresh);
    if (err == HS_OK) {
        printf("%s: %llu records of %s; incarnation %llu\n", from, (unsigned long long)facts.records,
               site->config.domain, (unsigned long long)incarnation);
        tell(&brought);
        return HS_EXIT_OK;
    }
    hs_keep_remove(fresh);
    return facts.why != NULL ? refuse(from, &facts) : hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
}

static int restore(struct hs_site *site, FILE *in, const char *from, const char *blobs)
{
    struct hs_export_facts facts;
    char why[HS_CONFIG_WHY] = "";
    if (hs_import_check(in, &site->descriptor.root, &facts) != HS_OK)
        return refuse(from, &facts);
    uint64_t last = facts.incarnation > site->incarnation ? facts.incarnation : site->incarnation;
    enum hs_err err = hs_site_set_incarnation(site, last + 1, why);
    return err == HS_OK ? load(site, in, from, blobs, last + 1) : hs_cmd_site_failed(err, why);
}

/* An empty directory of a store may be there; a store may not. */
static int make_way(const struct hs_site *site)
{
    char path[HS_PATH_SIZE];
    if (hs_path_join(site->store, "data.mdb", path) != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "the data directory's name is too long");
    if (access(path, F_OK) == 0)
        return hs_cmd_fail(HS_EXIT_FAILURE,
                           "%s is a store already; nothing was restored. Move it away if it isn't wanted",
                           site->store);
    hs_keep_remove(site->store);
    return access(site->store, F_OK) != 0
               ? HS_EXIT_OK
               : hs_cmd_fail(HS_EXIT_FAILURE, "%s is in the way; nothing was restored", site->store);
}

int hs_cmd_restore(int argc, char **argv)
{
    static const char *const names[] = {"from"};
    struct hs_site HS_SITE site = {0};
    struct hs_keep_options o = {.help = help, .files = names, .file_count = 1, .may_have_blobs = true};
    int code = hs_keep_open(argc, argv, &o, &site);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    code = make_way(&site);
    if (code != HS_EXIT_OK)
        return code;
    FILE *in = fopen(o.file, "rb");
    if (in == NULL)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s can't be read: %s", o.file, strerror(errno));
    code = restore(&site, in, o.file, o.blobs);
    fclose(in);
    return code;
}
