/* What an operator asks a running node, with faults at whoever asks, and at the node: an answer that says it
 * is one is whole, an order is carried out or changes nothing, and the node goes on. NODE-91 */
#include "sweep.h"
#include "sweep_node.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMANDS = 6, WHOLE = 4096, PATIENCE_MS = 10000 };

static const char *const commands[COMMANDS][4] = {{"status"},   {"rooms"},  {"peers"},
                                                  {"evidence"}, {"resume"}, {"reload"}};
static char expected[COMMANDS][WHOLE]; /* without faults, in which every number is 0 */
static struct daemon node;

/* What changes from one moment to the next is the same then. */
static void level(char *out, const char *text)
{
    size_t n = 0;
    for (; *text != '\0' && n + 2 < WHOLE; text++) {
        if (!isdigit((unsigned char)*text)) {
            out[n++] = *text;
            continue;
        }
        out[n++] = '0';
        text += strspn(text, "0123456789.eE+-") - 1;
    }
    out[n] = '\0';
}

static int ask(const struct daemon *d, const char *const *command)
{
    const char *args[] = {"hansed", command[0], "--config", d->config, "--json", NULL};
    return sweep_run(args);
}

static void expect_all(const struct daemon *d)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        int code = ask(d, commands[i]);
        FAULT_CHECK(code == 0, "hansed %s: %s", commands[i][0], sweep_said());
        level(expected[i], sweep_said());
    }
}

/* Everything is asked; what is answered is answered in full. */
static enum hs_err ask_all(const struct daemon *d)
{
    char is[WHOLE];
    enum hs_err err = HS_OK;
    for (size_t i = 0; i < COMMANDS; i++) {
        int code = ask(d, commands[i]);
        if (sweep_told(code) != HS_OK) {
            err = HS_ERR_IO;
            continue;
        }
        level(is, sweep_said());
        FAULT_CHECK(strcmp(is, expected[i]) == 0, "hansed %s says that it is all, and this: %s\nnot %s",
                    commands[i][0], is, expected[i]);
    }
    return err;
}

/* ---- faults at whoever asks ---- */

static void nothing(void) {}

static void found_asker(void)
{
    sweep_node_make();
    sweep_node_run();
    expect_all(sweep_node());
}

static enum hs_err asker_act(void)
{
    return ask_all(sweep_node());
}

static void asker_check(enum hs_err told)
{
    (void)told;
    FAULT_CHECK(ask(sweep_node(), commands[0]) == 0, "the node doesn't answer afterwards: %s", sweep_said());
}

const struct sweep_scene sweep_asker = {
    .name = "asker",
    .calls = 1u << INJECT_MALLOC | 1u << INJECT_OPEN | 1u << INJECT_FILE_READ | 1u << INJECT_READ |
             1u << INJECT_WRITE | 1u << INJECT_SHORT | 1u << INJECT_CONNECT | 1u << INJECT_SOCKET |
             1u << INJECT_INTERRUPT,
    .rare = 1u << INJECT_SHORT | 1u << INJECT_CONNECT | 1u << INJECT_SOCKET | 1u << INJECT_INTERRUPT,
    .found = found_asker,
    .begin = nothing,
    .act = asker_act,
    .check = asker_check,
    .end = nothing,
    .apart = true};

/* ---- faults at the node, while it is asked ---- */

static void found_asked(void)
{
    found_asker();
    sweep_node_stop();
}

/* A copy of the node at an address of this process. */
static void asked_begin(void)
{
    char host[32];
    fault_host(host, sizeof host);
    node = *sweep_node();
    node.pid = 0;
    snprintf(node.dir, sizeof node.dir, "%.60s/node", sweep_dir());
    snprintf(node.config, sizeof node.config, "%.60s/node/hansed.conf", sweep_dir());
    snprintf(node.log, sizeof node.log, "%.60s/log", sweep_dir());
    sweep_shell("cp -rp %s %s && sed -i 's/127[0-9.]*:[0-9]*/%s:7700/' %s", sweep_node()->dir, node.dir, host,
                node.config);
    node.environment = sweep_environment(sweep_table());
    daemon_start(&node);
    sweep_shell("printf '[peers]\nblock = evil.example\n' >>%s", node.config); /* to be read again */
}

static enum inject_call failed;

/* By itself, and well (NODE-5), or because libuv has nothing to wait with: then it is started again. */
static void start_again(void)
{
    int status;
    if (daemon_lives(&node, &status))
        return;
    bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    FAULT_CHECK((aborted && (failed == INJECT_MALLOC || failed == INJECT_RANDOM || failed == INJECT_WATCH)) ||
                    (WIFEXITED(status) && WEXITSTATUS(status) == 1),
                "the node ended with status %d", status);
    daemon_start(&node);
}

static enum hs_err asked_act(void)
{
    failed = sweep_call();
    sweep_hide(true); /* of the asker nothing fails */
    enum hs_err err = ask_all(&node);
    sweep_hide(false);
    return err;
}

static void asked_check(enum hs_err told)
{
    const char *args[] = {"hansed", "check", "--config", node.config, NULL};
    int64_t end = fault_now_ms() + PATIENCE_MS;
    (void)told;
    do { /* a node that could accept nobody waits before it tries again */
        start_again();
        FAULT_CHECK(fault_now_ms() < end, "the node doesn't answer afterwards: %s", sweep_said());
    } while (ask_all(&node) != HS_OK);
    daemon_stop(&node);
    FAULT_CHECK(sweep_run(args) == 0, "its store isn't well: %s", sweep_said());
}

const struct sweep_scene sweep_asked = {
    .name = "asked",
    .rare = ~(1u << INJECT_MALLOC | 1u << INJECT_OPEN | 1u << INJECT_FILE_READ | 1u << INJECT_ACCEPT),
    .found = found_asked,
    .begin = asked_begin,
    .act = asked_act,
    .check = asked_check,
    .end = nothing,
    .apart = true};
