/* What the commands that keep a store (backup, restore, check) share. */
#ifndef HS_ADMIN_KEEP_H
#define HS_ADMIN_KEEP_H

#include "admin/site.h"
#include "store/export.h"

/* The command line: --config, --help, one file by its name where there is one, --json and --blobs where they
 * may be. */
struct hs_keep_options {
    const char *help;
    const char *const *files; /* the name of the option */
    size_t file_count;        /* 0 or 1 */
    bool may_be_json, may_have_blobs;
    const char *config, *file, *blobs; /* what was said */
    bool json;
};

/* Reads the command line and opens the site. An exit code; -1 where help was printed and all is done. */
int hs_keep_open(int argc, char **argv, struct hs_keep_options *o, struct hs_site *site);

/* A store of the site's size in dir. Errors of hs_lmdb_open(). */
enum hs_err hs_keep_store(const struct hs_site *site, const char *dir, enum hs_lmdb_mode mode,
                          struct hs_lmdb **out);

/* Says what is wrong; the exit code. */
int hs_keep_store_failed(const struct hs_site *site, enum hs_err err);

/* Removes a store's directory with the files of a store that are in it, and nothing else. */
void hs_keep_remove(const char *dir);

/* Says how far it is, on standard error where that is a terminal, once a second. */
struct hs_keep_teller {
    const char *what;
    int64_t last_ms;
    bool open; /* a line is there that can be written over */
};
void hs_keep_tell(struct hs_keep_teller *teller, uint64_t done, uint64_t all); /* all 0: not known */
void hs_keep_told(struct hs_keep_teller *teller);

/* The site's side of an export, with progress told. */
struct hs_export hs_keep_export(const struct hs_site *site, struct hs_keep_teller *teller);

#endif
