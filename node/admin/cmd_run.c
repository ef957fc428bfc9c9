/* hansed --config FILE: the daemon. */
#include "admin/command.h"
#include "admin/config.h"
#include "admin/keys.h"
#include "admin/log.h"
#include "admin/now.h"
#include "core/core.h"
#include "crypto/selftest.h"
#include "net/net.h"
#include "store/lmdb_kv.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ARENA_CAP = 1 << 16 };

/* Address space only: the file is sparse and grows with what is in it. */
static const size_t MAP_SIZE = (size_t)64 << 30;
/* New data is refused while the disk has less than this left, so that what comes in can still be
 * acknowledged. */
static const size_t DISK_RESERVE = (size_t)64 << 20;

/* A failed sync can't be repeated: the kernel may have dropped the pages. The process ends; what was
 * acknowledged is on the disk. */
static void store_failed(enum hs_err err, const char *doing)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "store failed while %s: %s; nothing that was acknowledged is lost, start again "
                   "once the disk is well",
                   doing, hs_err_name(err));
    hs_log(HS_NET_ERROR, text);
    _exit(EXIT_FAILED);
}

/* Keys must not end up in a core file or in another process's hands. */
static void harden(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

struct daemon {
    struct hs_config config;
    struct hs_arena arena;
    struct hs_node_keys keys;
    struct hs_lmdb *store;
    struct hs_core *core;
    struct hs_net *net;
};

static void daemon_end(struct daemon *d)
{
    hs_net_free(d->net);
    hs_core_free(d->core);
    hs_lmdb_close(d->store);
    hs_node_keys_wipe(&d->keys);
    hs_arena_free(&d->arena);
}

static int open_state(struct daemon *d)
{
    char dir[HS_PATH_SIZE + 8];
    const char *what = "libsodium";
    (void)snprintf(dir, sizeof dir, "%s/state", d->config.data);
    struct hs_lmdb_options options = {.dir = dir,
                                      .tables = HS_CORE_TABLES,
                                      .map_size = MAP_SIZE,
                                      .map_max = MAP_SIZE,
                                      .disk_reserve = DISK_RESERVE};
    enum hs_err err = hs_crypto_init();
    if (err == HS_OK)
        err = hs_node_keys_load(d->config.data, hs_now(), &d->arena, &d->keys, &what);
    if (err == HS_OK && strcmp(d->keys.facts.domain, d->config.domain) != 0) {
        fprintf(stderr, "hansed: [node] domain is %s, but the descriptor in %s is for %s\n", d->config.domain,
                d->config.data, d->keys.facts.domain);
        return EXIT_CONFIG;
    }
    if (err == HS_OK) {
        what = dir;
        err = hs_lmdb_open(&options, &d->store);
    }
    struct hs_core_config core = {.root = d->keys.facts.root,
                                  .node_signer = d->keys.signer,
                                  .descriptor = d->keys.descriptor,
                                  .incarnation = d->keys.incarnation};
    if (err == HS_OK) {
        what = "descriptor";
        err = hs_core_new(&core, &d->core);
    }
    hs_signer_wipe(&core.node_signer);
    return err == HS_OK ? EXIT_DONE : hs_command_fail(what, err);
}

static int serve(struct daemon *d)
{
    struct hs_net_config net = {
        .transport = &d->keys.transport,
        .transport_pub = d->keys.transport_pub,
        .descriptor = d->keys.descriptor,
        .listen = d->config.listen,
        .limits = d->config.limits,
        .core = d->core,
        .store = d->store,
        .signals = true,
        .log = hs_log,
        .failed = store_failed,
    };
    enum hs_err err = hs_net_new(&net, &d->net);
    if (err != HS_OK)
        return hs_command_fail(d->config.listen, err);
    printf("ready domain=%s listen=%s\n", d->config.domain, hs_net_address(d->net));
    (void)fflush(stdout);
    hs_net_run(d->net);
    hs_log(HS_NET_INFO, "stopped");
    return EXIT_DONE;
}

static int start(const char *path, bool check_only)
{
    struct daemon d = {.arena = hs_arena(ARENA_CAP)};
    char error[HS_CONFIG_ERROR_SIZE];
    if (hs_config_load(path, &d.config, error) != HS_OK) {
        fprintf(stderr, "hansed: %s\n", error);
        return EXIT_CONFIG;
    }
    if (check_only) {
        printf("%s: good\n", path);
        return EXIT_DONE;
    }
    harden();
    hs_log_init(d.config.verbose);
    int code = open_state(&d);
    if (code == EXIT_DONE)
        code = serve(&d);
    daemon_end(&d);
    return code;
}

static int run(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"check-config", no_argument, NULL, 'n'},
                                            {NULL, 0, NULL, 0}};
    const char *path = NULL;
    bool check_only = false;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o == '?')
            return hs_command_usage(&hs_cmd_run, "see its options");
        path = o == 'c' ? optarg : path;
        check_only = check_only || o == 'n';
    }
    if (optind != argc || path == NULL)
        return hs_command_usage(&hs_cmd_run, "it wants --config FILE");
    return start(path, check_only);
}

const struct hs_command hs_cmd_run = {
    .name = "run",
    .summary = "serve, in the foreground (the same as hansed --config FILE)",
    .run = run,
    .help = "usage: hansed [run] --config FILE [--check-config]\n\n"
            "  --config FILE   made by hansed init\n"
            "  --check-config  only say whether the file is good\n\n"
            "Prints one line (\"ready domain=... listen=...\") when it accepts connections; logs to stderr; "
            "SIGTERM\n"
            "finishes what is under way and ends within a second.\n\n"
            "example:\n"
            "  hansed --config /srv/hanse/hansed.conf\n",
};
