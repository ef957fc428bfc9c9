/* hansed check: is the store what it should be? */
#include "admin/cmd.h"
#include "admin/json.h"
#include "admin/keep.h"
#include "admin/keep_blobs.h"

#include "core/core.h"
#include "store/check.h"

#include <jansson.h>

static const char help[] =
    "hansed check --config FILE [--json]\n"
    "\n"
    "Looks at everything in the store of a node that doesn't run: the chains and bodies of all rooms, "
    "signed\n"
    "heads, attachments, and whether all that follows from the node's records is what they make. It changes "
    "nothing; it\n"
    "needs as much free space beside the store as the store takes.\n"
    "\n"
    "  --config FILE   the node's configuration\n"
    "  --json          prints the verdict as JSON\n"
    "\n"
    "Exit codes: 0 all is well; 1 something is wrong, or couldn't be looked at.\n"
    "\n"
    "Example:\n"
    "  hansed check --config hansed.conf\n";

struct verdict {
    struct hs_keep_teller teller;
    json_t *problems;
    struct hs_keep_blobs blobs;
    bool json;
};

static void on_progress(void *arg, enum hs_check_stage stage, uint64_t done)
{
    static const char *const whats[] = {[HS_CHECK_LOGS] = "records of rooms read",
                                        [HS_CHECK_REBUILD] = "records applied again",
                                        [HS_CHECK_COMPARE] = "entries compared"};
    struct verdict *v = arg;
    v->teller.what = whats[stage];
    hs_keep_tell(&v->teller, done, 0);
}

static void on_problem(void *arg, const char *text)
{
    struct verdict *v = arg;
    hs_keep_told(&v->teller);
    if (v->json)
        json_array_append_new(v->problems, json_string(text));
    else
        printf("%s\n", text);
}

static enum hs_err print_json(const struct verdict *v, const struct hs_check_result *r)
{
    json_t *out =
        json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:O}", "ok", r->problems == 0, "attachments",
                  (json_int_t)v->blobs.files, "rooms", (json_int_t)r->rooms, "room_records",
                  (json_int_t)r->room_records, "records", (json_int_t)r->records, "views",
                  (json_int_t)r->views, "problem_count", (json_int_t)r->problems, "problems", v->problems);
    enum hs_err err = hs_json_is_scarce() ? HS_ERR_NOMEM : HS_OK;
    if (err == HS_OK && (json_dumpf(out, stdout, JSON_INDENT(2)) != 0 || putchar('\n') == EOF))
        err = HS_ERR_IO;
    json_decref(out);
    return err;
}

static void print_text(const struct verdict *v, const struct hs_check_result *r)
{
    if (r->problems > 0)
        printf("%llu problems\n", (unsigned long long)r->problems);
    else
        printf("all is well: %llu rooms with %llu records, %llu records in all, %llu entries, %llu "
               "attachments\n",
               (unsigned long long)r->rooms, (unsigned long long)r->room_records,
               (unsigned long long)r->records, (unsigned long long)r->views,
               (unsigned long long)v->blobs.files);
}

static int run(const struct hs_site *site, struct hs_lmdb *store, struct hs_lmdb *beside, bool json)
{
    hs_json_begin();
    struct verdict v = {.problems = json_array(), .json = json};
    struct hs_check check = {.root = site->descriptor.root,
                             .store = store,
                             .beside = beside,
                             .progress = on_progress,
                             .problem = on_problem,
                             .arg = &v};
    char blobs[HS_PATH_SIZE];
    enum hs_err err = hs_check_run(&check);
    if (err == HS_OK)
        err = hs_keep_blobs_dir(site->store, blobs);
    if (err == HS_OK)
        err = hs_keep_blobs_check(store, blobs, &v.blobs, on_problem, &v);
    check.result.problems += v.blobs.missing + v.blobs.bad;
    hs_keep_told(&v.teller);
    if (err == HS_OK && json)
        err = print_json(&v, &check.result);
    else if (err == HS_OK)
        print_text(&v, &check.result);
    json_decref(v.problems);
    if (err == HS_ERR_UNSUPPORTED)
        return hs_cmd_fail(HS_EXIT_FAILURE, "the store was made by another version of hansed; run that one");
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
    return check.result.problems == 0 ? HS_EXIT_OK : HS_EXIT_FAILURE;
}

int hs_cmd_check(int argc, char **argv)
{
    struct hs_site HS_SITE site = {0};
    struct hs_lmdb *store = NULL, *beside = NULL;
    struct hs_keep_options o = {.help = help, .may_be_json = true};
    char dir[HS_PATH_SIZE];
    int code = hs_keep_open(argc, argv, &o, &site);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    enum hs_err err = hs_keep_store(&site, site.store, HS_LMDB_READ, &store);
    if (err != HS_OK)
        return hs_keep_store_failed(&site, err);
    err = hs_path_join(site.config.data, "store.checking", dir);
    if (err == HS_OK) {
        hs_keep_remove(dir);
        err = hs_keep_store(&site, dir, HS_LMDB_WRITE, &beside);
    }
    code = err == HS_OK ? run(&site, store, beside, o.json) : hs_keep_store_failed(&site, err);
    hs_lmdb_close(beside);
    hs_lmdb_close(store);
    hs_keep_remove(dir);
    return code;
}
