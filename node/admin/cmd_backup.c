/* hansed backup: all that the node holds, in one file, while it runs or not. */
#include "admin/cmd.h"
#include "admin/keep.h"
#include "admin/keep_blobs.h"

#include "core/core.h"
#include "store/dir.h"
#include "store/export.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char help[] =
    "hansed backup --config FILE --to FILE [--blobs DIR]\n"
    "\n"
    "Writes what the node holds into a new file, also while the node runs: rooms, "
    "accounts, coupons, and what\n"
    "waits for other nodes. The file has no keys. Keep it where nobody else reads it, "
    "and keep the keys, the\n"
    "configuration and the descriptor elsewhere. hansed restore makes a store of it.\n"
    "\n"
    "  --config FILE   the node's configuration\n"
    "  --to FILE       the backup; must not be there yet\n"
    "  --blobs DIR     where attachments go, each by its hash; FILE.blobs if not given. "
    "Several backups\n"
    "                  may share one: what is there isn't written again, so a backup "
    "that was broken\n"
    "                  off goes on. On the node's own disk they are links, and take no "
    "space\n"
    "\n"
    "Example:\n"
    "  hansed backup --config hansed.conf --to /var/backups/hanse-monday\n";

/* Into a file beside the wanted one, which gets its name once all is durable. */
static int write_to(const struct hs_site *site, struct hs_lmdb *store, const char *part,
                    struct hs_export_facts *facts)
{
    struct hs_keep_teller teller = {.what = "records"};
    struct hs_export e = hs_keep_export(site, &teller);
    int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (file == NULL) {
        if (fd >= 0)
            close(fd);
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s can't be made: %s", part, strerror(errno));
    }
    enum hs_err err = hs_export_write(&e, store, file, facts);
    if (err == HS_OK && fsync(fd) != 0)
        err = HS_ERR_IO;
    if (fclose(file) != 0 && err == HS_OK)
        err = HS_ERR_IO;
    hs_keep_told(&teller);
    if (err == HS_ERR_UNSUPPORTED)
        return hs_cmd_fail(HS_EXIT_FAILURE, "the store was made by another version of hansed; run that one");
    return err == HS_OK ? HS_EXIT_OK : hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
}

/* The wanted name, where all that it needs is durable; it goes again where it can't be made so itself. */
static int give_name(const char *part, const char *to)
{
    char dir[HS_PATH_SIZE];
    (void)snprintf(dir, sizeof dir, "%s", to);
    bool linked = link(part, to) == 0;
    if (linked && hs_dir_sync(dirname(dir)) == HS_OK)
        return HS_EXIT_OK;
    int why = errno;
    if (linked)
        (void)unlink(to);
    return hs_cmd_fail(HS_EXIT_FAILURE, "%s can't be made: %s", to, strerror(why));
}

/* Before the records are read and once more behind them: so all that they speak of is there, whatever comes
 * and goes meanwhile (what nothing refers to any more stays for a day). */
static int carry(const struct hs_site *site, struct hs_lmdb *store, const struct hs_keep_options *o,
                 struct hs_keep_blobs *done)
{
    char from[HS_PATH_SIZE], to[HS_PATH_SIZE];
    *done = (struct hs_keep_blobs){0};
    enum hs_err err = hs_keep_blobs_dir(site->store, from);
    if (err == HS_OK)
        err = hs_keep_blobs_beside(o->blobs, o->file, to);
    if (err == HS_OK)
        err = hs_keep_blobs_carry(store, from, to, done);
    return err == HS_OK ? HS_EXIT_OK : hs_cmd_fail(HS_EXIT_FAILURE, "attachments: %s", hs_err_text(err));
}

static int tell(const struct hs_keep_blobs *blobs)
{
    if (blobs->files > 0)
        printf("%llu attachment%s, %llu new\n", (unsigned long long)blobs->files,
               blobs->files == 1 ? "" : "s", (unsigned long long)(blobs->files - blobs->had));
    return blobs->missing + blobs->bad == 0
               ? HS_EXIT_OK
               : hs_cmd_fail(HS_EXIT_FAILURE,
                             "%llu attachments are missing here and %llu are damaged; the rest is saved",
                             (unsigned long long)blobs->missing, (unsigned long long)blobs->bad);
}

/* Only what is whole gets the name of a backup. */
static int save(const struct hs_site *site, struct hs_lmdb *store, const struct hs_keep_options *o,
                struct hs_keep_blobs *blobs)
{
    char part[HS_PATH_SIZE];
    struct hs_export_facts facts;
    struct hs_keep_blobs first;
    if (snprintf(part, sizeof part, "%s.part", o->file) >= (int)sizeof part)
        return hs_cmd_fail(HS_EXIT_USAGE, "the file's name is too long");
    if (access(o->file, F_OK) == 0)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s is there already; nothing was written", o->file);
    int code = carry(site, store, o, &first);
    if (code != HS_EXIT_OK)
        return code;
    (void)unlink(part); /* of a backup that was broken off */
    code = write_to(site, store, part, &facts);
    if (code == HS_EXIT_OK)
        code = carry(site, store, o, blobs);
    if (code == HS_EXIT_OK)
        code = give_name(part, o->file);
    (void)unlink(part);
    if (code == HS_EXIT_OK)
        printf("%s: %llu records of %s\n", o->file, (unsigned long long)facts.records, site->config.domain);
    blobs->had = first.had; /* what the first round has put there is new, too */
    return code;
}

int hs_cmd_backup(int argc, char **argv)
{
    static const char *const names[] = {"to"};
    struct hs_site HS_SITE site = {0};
    struct hs_lmdb *store = NULL;
    struct hs_keep_options o = {.help = help, .files = names, .file_count = 1, .may_have_blobs = true};
    struct hs_keep_blobs blobs;
    int code = hs_keep_open(argc, argv, &o, &site);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    enum hs_err err = hs_keep_store(&site, site.store, HS_LMDB_READ_BESIDE, &store);
    if (err != HS_OK)
        return hs_keep_store_failed(&site, err);
    code = save(&site, store, &o, &blobs);
    hs_lmdb_close(store);
    return code == HS_EXIT_OK ? tell(&blobs) : code;
}
