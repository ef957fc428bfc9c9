/* The commands that take the root key, under faults: what they say was made is whole, and a descriptor is the
 * old one or the new one. NODE-50, NODE-75, NODE-91 */
#include "sweep.h"
#include "sweep_node.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { COMMANDS = 5, TICKET_FILE = 2, FIRST_RENEWAL = 3 };

static char site[300], config[320], file[320];
static size_t lengths[COMMANDS]; /* of what each says without faults */
static bool well[COMMANDS];

static int command(size_t which)
{
    static const char key[] = "8c88e4f1f0c7d1a6f8d1a7f6a2c3c0a5d7d7f0b7e6c1c1f1e9b1a0c2d3e4f566";
    const char *const all[COMMANDS][12] = {
        {"hansed", "ticket", "--config", config, "--role", "till", "--json", NULL},
        {"hansed", "grant", "--config", config, "--key", key, "--role", "staff", "--handle", "anna", NULL},
        {"hansed", "ticket", "--config", config, "--uses", "5", "--out", file, NULL},
        {"hansed", "renew", "--config", config, NULL},
        {"hansed", "renew", "--config", config, "--keys", NULL}};
    return sweep_run(all[which]);
}

static void begin(void)
{
    snprintf(site, sizeof site, "%s/site", sweep_dir());
    snprintf(config, sizeof config, "%s/hansed.conf", site);
    snprintf(file, sizeof file, "%s/new.ticket", sweep_dir());
    sweep_shell("mkdir -m 700 %s && cd %s && cp -p hansed.conf *.key descriptor incarnation %s", site,
                sweep_node()->dir, site);
}

static enum hs_err act(void)
{
    bool all = true;
    for (size_t i = 0; i < COMMANDS; i++) {
        well[i] = sweep_told(command(i)) == HS_OK;
        all = all && well[i];
        if (lengths[i] == 0)
            lengths[i] = strlen(sweep_said()); /* in the first process, in which nothing fails */
        if (well[i] && i < FIRST_RENEWAL)
            FAULT_CHECK(strlen(sweep_said()) == lengths[i], "it says that it is done, and this: %s",
                        sweep_said());
    }
    return all ? HS_OK : HS_ERR_IO;
}

/* A file that is there is whole. */
static void check_file(void)
{
    char text[8192] = "";
    FILE *in = fopen(file, "r");
    FAULT_CHECK((in != NULL) == well[TICKET_FILE], "the ticket's file is%s there", in != NULL ? "" : "n't");
    if (in == NULL)
        return;
    size_t len = fread(text, 1, sizeof text - 1, in);
    fclose(in);
    FAULT_CHECK(len > 100 && strncmp(text, "hanse:t/", 8) == 0, "half a ticket: %s", text);
}

static void check(enum hs_err told)
{
    const char *args[] = {"hansed", "--config", config, "--check-config", NULL};
    unsigned number, least = 2;
    (void)told;
    check_file();
    FAULT_CHECK(sweep_run(args) == 0, "the node doesn't start on it: %s", sweep_said());
    FAULT_CHECK(command(COMMANDS - 1) == 0, "it can't be renewed afterwards: %s", sweep_said());
    const char *said = strstr(sweep_said(), "has number ");
    FAULT_CHECK(said != NULL && sscanf(said, "has number %u", &number) == 1, "it says %s", sweep_said());
    for (size_t i = FIRST_RENEWAL; i < COMMANDS; i++)
        least += well[i] ? 1 : 0;
    FAULT_CHECK(number >= least && number <= 4, "after %u renewals it has number %u", least - 2, number);
    FAULT_CHECK(sweep_run(args) == 0, "the node doesn't start on it: %s", sweep_said());
}

static void nothing(void) {}

const struct sweep_scene sweep_issue = {
    .name = "issue",
    .calls = 1u << INJECT_MALLOC | 1u << INJECT_FILE_WRITE | 1u << INJECT_FILE_FULL | 1u << INJECT_SYNC |
             1u << INJECT_OPEN | 1u << INJECT_FILE_READ | 1u << INJECT_NAME | 1u << INJECT_RANDOM,
    .rare = 1u << INJECT_FILE_WRITE | 1u << INJECT_FILE_READ | 1u << INJECT_RANDOM,
    .found = sweep_node_make,
    .begin = begin,
    .act = act,
    .check = check,
    .end = nothing,
    .apart = true};
