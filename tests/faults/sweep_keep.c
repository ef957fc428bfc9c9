/* The commands that keep a node's data, under faults: each ends well, or says why not with exit code 1 (3
 * where it couldn't read the configuration). A backup that failed has no name that a whole one has, a
 * restored store that counts is whole, and a damaged one is never called well. NODE-77, NODE-32, NODE-33 */
#include "sweep.h"
#include "sweep_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char site[300], config[320], file[300];

static void nothing(void) {}

/* A node of the same keys without a store. */
static void begin(void)
{
    snprintf(site, sizeof site, "%s/site", sweep_dir());
    snprintf(config, sizeof config, "%s/hansed.conf", site);
    snprintf(file, sizeof file, "%s/backup", sweep_dir());
    sweep_shell(
        "mkdir -m 700 %s && cd %s && cp -p hansed.conf signing.key transport.key descriptor incarnation %s",
        site, sweep_node()->dir, site);
}

static int command(const char *name, const char *conf, const char *option, const char *value)
{
    const char *args[] = {"hansed", name, "--config", conf, option, value, NULL};
    return sweep_run(args);
}

static void well(const char *name, const char *conf, const char *option, const char *value)
{
    int code = command(name, conf, option, value);
    FAULT_CHECK(code == 0, "without faults, %s ends with %d: %s", name, code, sweep_said());
}

static void restore_and_check(void)
{
    well("restore", config, "--from", file);
    well("check", config, NULL, NULL);
}

/* ---- backup ---- */

static enum hs_err backup_act(void)
{
    return sweep_told(command("backup", sweep_node()->config, "--to", file));
}

static void backup_check(enum hs_err err)
{
    FAULT_CHECK((access(file, F_OK) == 0) == (err == HS_OK), "told %s, and the file is%s there",
                hs_err_name(err), access(file, F_OK) == 0 ? "" : "n't");
    if (err != HS_OK)
        well("backup", sweep_node()->config, "--to", file);
    restore_and_check();
}

const struct sweep_scene sweep_backup = {.name = "backup",
                                         .found = sweep_node_make,
                                         .begin = begin,
                                         .act = backup_act,
                                         .check = backup_check,
                                         .end = nothing,
                                         .apart = true};

/* ---- restore ---- */

static void restore_begin(void)
{
    begin();
    well("backup", sweep_node()->config, "--to", file);
}

static enum hs_err restore_act(void)
{
    return sweep_told(command("restore", config, "--from", file));
}

static void restore_check(enum hs_err err)
{
    char store[330];
    snprintf(store, sizeof store, "%s/store/data.mdb", site);
    FAULT_CHECK((access(store, F_OK) == 0) == (err == HS_OK), "told %s, and the store is%s there",
                hs_err_name(err), access(store, F_OK) == 0 ? "" : "n't");
    if (err != HS_OK)
        well("restore", config, "--from", file);
    well("check", config, NULL, NULL);
}

const struct sweep_scene sweep_restore = {.name = "restore",
                                          .found = sweep_node_make,
                                          .begin = restore_begin,
                                          .act = restore_act,
                                          .check = restore_check,
                                          .end = nothing,
                                          .apart = true};

/* ---- check ---- */

static void check_begin(void)
{
    begin();
    sweep_shell("cp -rp %s %s/store && rm -rf %s/store/blobs/??", sweep_node()->store, site, site);
}

/* An attachment is missing: whatever else fails, that isn't well. */
static enum hs_err check_act(void)
{
    int code = command("check", config, NULL, NULL);
    FAULT_CHECK(code != 0, "a damaged store is called well: %s", sweep_said());
    (void)sweep_told(code);
    return HS_OK;
}

static void check_check(enum hs_err err)
{
    (void)err;
    sweep_shell("cp -rp %s/blobs/* %s/store/blobs/", sweep_node()->store, site);
    well("check", config, NULL, NULL);
}

const struct sweep_scene sweep_check = {.name = "check",
                                        .found = sweep_node_make,
                                        .begin = check_begin,
                                        .act = check_act,
                                        .check = check_check,
                                        .end = nothing,
                                        .apart = true};

/* ---- init ---- */

static enum hs_err init_act(void)
{
    const char *args[] = {
        "hansed",         "init",    "--domain", "x.example",   "--dir",          site, "--listen",
        "127.0.0.1:7700", "--owner", "owner",    "--advertise", "127.0.0.1:7700", NULL};
    snprintf(site, sizeof site, "%s/new", sweep_dir());
    snprintf(config, sizeof config, "%s/hansed.conf", site);
    return sweep_told(sweep_run(args));
}

static void init_check(enum hs_err err)
{
    const char *args[] = {"hansed", "--config", config, "--check-config", NULL};
    if (err != HS_OK)
        return;
    FAULT_CHECK(sweep_run(args) == 0, "what it made isn't fine: %s", sweep_said());
}

const struct sweep_scene sweep_init = {
    .name = "init", .begin = nothing, .act = init_act, .check = init_check, .end = nothing, .apart = true};
