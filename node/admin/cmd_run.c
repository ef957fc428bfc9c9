/* hansed --config FILE: the daemon, in the foreground. */
#include "admin/cmd.h"
#include "admin/commands.h"
#include "admin/finding.h"
#include "admin/metrics.h"
#include "admin/notify.h"
#include "admin/reload.h"

#include "core/core.h"
#include "core/records/layout.h"
#include "http/http.h"
#include "net/net.h"
#include "store/lmdb_kv.h"

#include <getopt.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static const char help[] =
    "hansed: a brand's node.\n"
    "\n"
    "Running it\n"
    "  hansed --config FILE   in the foreground, until SIGTERM or SIGINT. When it accepts connections it "
    "prints\n"
    "                         \"ready domain=DOMAIN listen=ADDRESS:PORT\"; the log goes to standard error\n"
    "    --check-config       reads configuration, keys and descriptor, says what is wrong, and ends\n"
    "    --ready-fd N         writes the ready line to this file descriptor as well, and closes it\n"
    "    --version            says its version and ends\n"
    "\n"
    "Setting it up (these take the root key)\n"
    "  hansed init            keys, descriptor, configuration and the owner's ticket, in a new directory\n"
    "  hansed ticket          a ticket: for one person with roles or a name, or for many customers\n"
    "  hansed grant           roles or a name for a key that exists\n"
    "  hansed renew           a new descriptor: after moving, with new keys, or under another root\n"
    "\n"
    "Asking and telling the running node\n"
    "  hansed status          sessions, rooms, how full its store is, what it does a second\n"
    "  hansed peers           other brands' nodes, and what waits for them; approve or refuse a new root\n"
    "  hansed rooms [ROOM]    its rooms, or one and where its members are at home; give-up ends a move\n"
    "  hansed evidence        hubs that were caught telling two stories\n"
    "  hansed resume          after a restoring: rooms, or the ledger, go on without what is lost\n"
    "  hansed reload          reads the configuration again\n"
    "\n"
    "Keeping its data\n"
    "  hansed backup          a running node's records in one file\n"
    "  hansed restore         a store from such a file\n"
    "  hansed check           looks at all of a store\n"
    "\n"
    "Each of them explains itself: hansed COMMAND --help.\n"
    "Exit codes: 0 done; 1 it failed, the message says why; 2 the command line is wrong; 3 the\n"
    "configuration file is wrong, the message names the line.\n"
    "\n"
    "Examples:\n"
    "  hansed init --domain rosa.example --dir rosa\n"
    "  hansed --config rosa/hansed.conf\n"
    "  hansed status --config rosa/hansed.conf\n";

enum { KEEP_MEMORY = 8 << 20 /* free memory that stays with the process */ };

struct options {
    const char *config;
    bool check;
    int ready_fd;
};

/* The running node: closed in the order that things depend on each other. */
struct node {
    struct hs_lmdb *store;
    struct hs_core *core;
    struct hs_net *net;
    struct hs_blob_files *blobs;
    struct hs_control *control;
    struct hs_metrics metrics;
    struct hs_http *metrics_http;
    struct hs_notify notify;
    struct hs_control_node open_to_control; /* what the operator's questions see */
    struct hs_finding *finding;
};

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},   {"check-config", no_argument, NULL, 'C'},
        {"ready-fd", required_argument, NULL, 'r'}, {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},           {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        unsigned long fd = 0;
        if (option == 'c') {
            o->config = optarg;
        } else if (option == 'C') {
            o->check = true;
        } else if (option == 'r') {
            if (!hs_cmd_number("--ready-fd", optarg, 0, 65535, &fd))
                return HS_EXIT_USAGE;
            o->ready_fd = (int)fd;
        } else if (option == 'v') {
            return printf("hansed %s\n", HANSE_VERSION) < 0 ? HS_EXIT_FAILURE : -1;
        } else if (option == 'h') {
            return fputs(help, stdout) < 0 ? HS_EXIT_FAILURE : -1;
        } else {
            return hs_cmd_usage("");
        }
    }
    if (optind < argc)
        return hs_cmd_fail(HS_EXIT_USAGE, "there is no command \"%s\"; see hansed --help", argv[optind]);
    if (o->config == NULL)
        return hs_cmd_fail(HS_EXIT_USAGE, "which node? --config FILE; see hansed --help");
    return HS_EXIT_OK;
}

static void on_log(enum hs_net_level level, const char *text)
{
    static const enum hs_log_level levels[] = {[HS_NET_ERROR] = HS_LOG_ERROR,
                                               [HS_NET_WARN] = HS_LOG_WARN,
                                               [HS_NET_INFO] = HS_LOG_INFO,
                                               [HS_NET_DEBUG] = HS_LOG_DEBUG};
    hs_log(levels[level], "%s", text);
}

static void on_failed(enum hs_err err, const char *doing)
{
    hs_log(HS_LOG_ERROR, "event=store-failed doing=%s error=%s text=\"%s\"", doing, hs_err_name(err),
           hs_err_text(err));
    _exit(HS_EXIT_FAILURE);
}

/* As many files as the system lets this user have: each connection is one. */
static void raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0)
        return;
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* A round's memory comes and goes a hundred times a second: giving it back to the system each time costs more
 * than all the rest that is done with it. */
static void keep_memory(void)
{
    mallopt(M_TRIM_THRESHOLD, KEEP_MEMORY);
    mallopt(M_MMAP_THRESHOLD, KEEP_MEMORY);
}

static int store_failed(enum hs_err err, const struct hs_site *site)
{
    if (err == HS_ERR_LOCKED)
        return hs_cmd_fail(HS_EXIT_FAILURE, "another hansed uses %s; stop it first", site->store);
    if (err == HS_ERR_UNSUPPORTED)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s is on a network file system; the store needs a local disk",
                           site->store);
    return hs_cmd_fail(HS_EXIT_FAILURE, "%s: %s", site->store, hs_err_text(err));
}

/* The operator's door; a node without it runs all the same. */
static void open_control(struct node *node)
{
    enum hs_err err = hs_control_listen(node->control);
    if (err != HS_OK)
        hs_log(HS_LOG_WARN, "event=no-control error=%s text=\"%s\"", hs_err_name(err),
               err == HS_ERR_INVALID_ARG ? "the data directory's path is too long for a socket"
                                         : "the socket can't be made");
}

static void on_stopping(void *arg)
{
    (void)arg;
    hs_notify_tell("STOPPING=1");
}

static void on_reload(void *arg)
{
    struct node *node = arg;
    struct hs_reloaded outcome;
    enum hs_err err = hs_reload(&node->open_to_control, &outcome);
    (void)err; /* it is in the log */
}

/* The store is one that this program knows, or becomes one. */
static int open_layout(const struct hs_site *site, struct hs_lmdb *store)
{
    struct hs_kv *txn;
    uint64_t found = 0;
    enum hs_err err = hs_lmdb_begin_write(store, &txn);
    if (err != HS_OK)
        return store_failed(err, site);
    err = hs_layout_open(txn, &found);
    if (err == HS_OK)
        err = hs_lmdb_commit(txn);
    else
        hs_lmdb_abort(txn);
    if (err == HS_ERR_UNSUPPORTED)
        return hs_cmd_fail(
            HS_EXIT_FAILURE,
            "%s was made by another version of hansed (layout %llu, this one has %d); run that one",
            site->store, (unsigned long long)found, HS_LAYOUT);
    return err == HS_OK ? HS_EXIT_OK : store_failed(err, site);
}

static int start(struct hs_site *site, struct node *node)
{
    size_t map = (size_t)site->config.store_gib << 30;
    struct hs_lmdb_options store = {.dir = site->store,
                                    .tables = HS_CORE_TABLES,
                                    .map_size = map,
                                    .map_max = map,
                                    .disk_reserve = (size_t)site->config.disk_reserve_mib << 20};
    struct hs_core_config core = {.root = site->descriptor.root,
                                  .node_signer = site->signing,
                                  .descriptor = site->descriptor_bytes,
                                  .incarnation = site->incarnation,
                                  .wake_http = site->config.wake_http,
                                  .recover_ms = (int64_t)site->config.recover_seconds * 1000,
                                  .inbox_ms = (int64_t)site->config.inbox_days * HS_INBOX_DAY_MS,
                                  .peer_rules = site->peer_rules};
    struct hs_net_config net = {.transport = &site->transport,
                                .transport_pub = site->transport_pub,
                                .descriptor = site->descriptor_bytes,
                                .listen = site->config.listen,
                                .limits = site->config.limits,
                                .signals = true,
                                .admin = hs_control_answered,
                                .public_only = !site->config.private_too,
                                .discover = hs_finding_ask,
                                .wake = hs_finding_wake,
                                .reload = on_reload,
                                .reload_arg = node,
                                .stopping = on_stopping,
                                .log = on_log,
                                .failed = on_failed};
    enum hs_err err = hs_lmdb_open(&store, &node->store);
    if (err != HS_OK)
        return store_failed(err, site);
    int code = open_layout(site, node->store);
    if (code != HS_EXIT_OK)
        return code;
    err = hs_core_new(&core, &node->core);
    hs_signer_wipe(&core.node_signer);
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
    char blobs[sizeof site->store + sizeof "/blobs"];
    (void)snprintf(blobs, sizeof blobs, "%s/blobs", site->store);
    if (hs_blob_files_open(blobs, (size_t)site->config.disk_reserve_mib << 20, &node->blobs) != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s: the directory can't be made", blobs);
    net.blobs = node->blobs;
    net.core = node->core;
    net.store = node->store;
    node->open_to_control.started = node->open_to_control.asked_at = hs_cmd_now();
    err = hs_control_new(site->config.data, hs_control_commands, hs_control_command_count,
                         &node->open_to_control, &node->control);
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
    net.admin_arg = node->control;
    char why[HS_CONFIG_WHY] = "";
    err = hs_finding_new(site, &node->finding, why);
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", why[0] != '\0' ? why : hs_err_text(err));
    net.discover_arg = net.wake_arg = node->open_to_control.finding = node->finding;
    err = hs_net_new(&net, &node->net);
    node->open_to_control.net = node->net;
    if (err != HS_OK)
        return hs_cmd_fail(HS_EXIT_FAILURE, "can't listen at %s: is it in use, or not this machine's?",
                           site->config.listen);
    err = hs_finding_connect(node->finding, node->net);
    return err == HS_OK ? HS_EXIT_OK : hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(err));
}

static int open_metrics(const struct hs_site *site, struct node *node)
{
    const struct hs_http_page page = {HS_METRICS_PATH, HS_METRICS_TYPE, hs_metrics_render, &node->metrics};
    node->metrics = (struct hs_metrics){node->net, node->open_to_control.started, HANSE_VERSION};
    if (site->config.metrics[0] == '\0' ||
        hs_http_start(site->config.metrics, &page, 1, &node->metrics_http) == HS_OK)
        return HS_EXIT_OK;
    return hs_cmd_fail(HS_EXIT_FAILURE, "can't show metrics at %s: is it in use?", site->config.metrics);
}

static void tell_ready(const struct options *o, const struct hs_site *site, const struct node *node)
{
    char line[512];
    int len = snprintf(line, sizeof line, "ready domain=%s listen=%s\n", site->config.domain,
                       hs_net_address(node->net));
    fputs(line, stdout);
    fflush(stdout);
    hs_notify_tell("READY=1");
    if (o->ready_fd < 0)
        return;
    (void)!write(o->ready_fd, line, (size_t)len);
    close(o->ready_fd);
}

/* The root signs addresses: what the configuration says since then is not what others are told. */
static void compare_addresses(const struct hs_site *site)
{
    bool same = site->config.advertise_count == site->descriptor.address_count;
    for (size_t i = 0; same && i < site->config.advertise_count; i++)
        same = strcmp(site->config.advertise[i], site->descriptor.addresses[i]) == 0;
    if (!same)
        hs_log(HS_LOG_WARN,
               "event=advertise-differs text=\"others are told the addresses of the descriptor\"");
}

static int serve(const struct options *o, struct hs_site *site)
{
    struct node node = {.open_to_control = {.site = site, .config_path = o->config}};
    signal(SIGHUP, SIG_IGN); /* until it is ready to read its files again */
    raise_files();
    keep_memory();
    compare_addresses(site);
    int code = start(site, &node);
    if (code == HS_EXIT_OK)
        code = open_metrics(site, &node);
    if (code == HS_EXIT_OK) {
        hs_log(HS_LOG_INFO, "event=started version=%s incarnation=%llu", HANSE_VERSION,
               (unsigned long long)site->incarnation);
        open_control(&node);
        hs_notify_watch(&node.notify, node.net);
        tell_ready(o, site, &node);
        hs_net_run(node.net);
    }
    hs_http_stop(node.metrics_http);
    hs_finding_stop(node.finding);
    hs_net_free(node.net);
    hs_finding_free(node.finding);
    hs_blob_files_close(node.blobs);
    hs_control_free(node.control);
    hs_core_free(node.core);
    hs_lmdb_close(node.store);
    if (code == HS_EXIT_OK)
        hs_log(HS_LOG_INFO, "event=stopped");
    return code;
}

int hs_cmd_run(int argc, char **argv)
{
    struct options o = {.ready_fd = -1};
    struct hs_site HS_SITE site = {0};
    char why[HS_CONFIG_WHY] = "";
    int code = parse(argc, argv, &o);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    if (!hs_cmd_prepare())
        return HS_EXIT_FAILURE;
    enum hs_err err = hs_site_open(o.config, &site, why);
    if (err != HS_OK)
        return hs_cmd_site_failed(err, why);
    hs_log_init(site.config.log, site.config.log_format);
    if (!o.check)
        return serve(&o, &site);
    printf("%s is fine: the node of %s\n", o.config, site.config.domain);
    return HS_EXIT_OK;
}
