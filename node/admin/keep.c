#include "admin/keep.h"

#include "admin/cmd.h"
#include "core/core.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

enum { TELL_MS = 1000 };

static int take(struct hs_keep_options *o, int option, const char *command)
{
    switch (option) {
    case 'c':
        o->config = optarg;
        return HS_EXIT_OK;
    case 'f':
        o->file = optarg;
        return HS_EXIT_OK;
    case 'b':
        o->blobs = optarg;
        return HS_EXIT_OK;
    case 'j':
        o->json = true;
        return HS_EXIT_OK;
    case 'h':
        return fputs(o->help, stdout) < 0 ? HS_EXIT_FAILURE : -1;
    default:
        return hs_cmd_usage(command);
    }
}

static int parse(int argc, char **argv, struct hs_keep_options *o)
{
    struct option options[6] = {{"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}};
    size_t n = 2;
    int code = HS_EXIT_OK;
    if (o->file_count > 0)
        options[n++] = (struct option){o->files[0], required_argument, NULL, 'f'};
    if (o->may_be_json)
        options[n++] = (struct option){"json", no_argument, NULL, 'j'};
    if (o->may_have_blobs)
        options[n++] = (struct option){"blobs", required_argument, NULL, 'b'};
    for (int option; code == HS_EXIT_OK && (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
        code = take(o, option, argv[0]);
    if (code != HS_EXIT_OK)
        return code;
    if (o->config == NULL || (o->file_count > 0 && o->file == NULL) || optind < argc)
        return hs_cmd_fail(HS_EXIT_USAGE, "%s needs --config%s%s, and nothing else but options", argv[0],
                           o->file_count > 0 ? " and --" : "", o->file_count > 0 ? o->files[0] : "");
    return HS_EXIT_OK;
}

int hs_keep_open(int argc, char **argv, struct hs_keep_options *o, struct hs_site *site)
{
    char why[HS_CONFIG_WHY] = "";
    if (!hs_cmd_prepare())
        return HS_EXIT_FAILURE;
    int code = parse(argc, argv, o);
    if (code != HS_EXIT_OK)
        return code;
    enum hs_err err = hs_site_open(o->config, site, why);
    return err == HS_OK ? HS_EXIT_OK : hs_cmd_site_failed(err, why);
}

enum hs_err hs_keep_store(const struct hs_site *site, const char *dir, enum hs_lmdb_mode mode,
                          struct hs_lmdb **out)
{
    size_t map = (size_t)site->config.store_gib << 30;
    struct hs_lmdb_options options = {
        .dir = dir, .mode = mode, .tables = HS_CORE_TABLES, .map_size = map, .map_max = map};
    return hs_lmdb_open(&options, out);
}

int hs_keep_store_failed(const struct hs_site *site, enum hs_err err)
{
    if (err == HS_ERR_LOCKED)
        return hs_cmd_fail(HS_EXIT_FAILURE, "hansed is running on %s; stop it first", site->store);
    if (err == HS_ERR_NOT_FOUND)
        return hs_cmd_fail(HS_EXIT_FAILURE, "there is no store at %s yet", site->store);
    return hs_cmd_fail(HS_EXIT_FAILURE, "%s: %s", site->store, hs_err_text(err));
}

void hs_keep_remove(const char *dir)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "lock", "new.mdb", "new.mdb-lock"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[HS_PATH_SIZE];
        if (hs_path_join(dir, names[i], path) == HS_OK)
            (void)unlink(path);
    }
    (void)rmdir(dir);
}

void hs_keep_tell(struct hs_keep_teller *teller, uint64_t done, uint64_t all)
{
    int64_t now = hs_cmd_now().ms;
    if (isatty(STDERR_FILENO) == 0 || now - teller->last_ms < TELL_MS)
        return;
    teller->last_ms = now;
    teller->open = true;
    if (all > 0)
        fprintf(stderr, "\r%llu of %llu %s\033[K", (unsigned long long)done, (unsigned long long)all,
                teller->what);
    else
        fprintf(stderr, "\r%llu %s\033[K", (unsigned long long)done, teller->what);
}

void hs_keep_told(struct hs_keep_teller *teller)
{
    if (teller->open)
        fputs("\r\033[K", stderr);
    teller->open = false;
}

static void on_progress(void *arg, uint64_t done, uint64_t all)
{
    hs_keep_tell(arg, done, all);
}

struct hs_export hs_keep_export(const struct hs_site *site, struct hs_keep_teller *teller)
{
    return (struct hs_export){.root = site->descriptor.root,
                              .signer = &site->signing,
                              .descriptor = site->descriptor_bytes,
                              .incarnation = site->incarnation,
                              .now = hs_cmd_now(),
                              .progress = on_progress,
                              .arg = teller};
}
