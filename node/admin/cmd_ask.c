/* hansed status, peers, rooms, ...: asks the running node and shows what it says. */
#include "admin/ask.h"
#include "admin/cmd.h"
#include "admin/json.h"

#include <getopt.h>
#include <stdlib.h>

struct options {
    const char *config;
    bool json;
};

static int parse(const struct hs_ask_command *command, int argc, char **argv, struct options *o)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c') {
            o->config = optarg;
        } else if (option == 'j') {
            o->json = true;
        } else if (option == 'h') {
            printf("hansed %s %s%s--config FILE [--json]\n\n%s", command->name, command->args,
                   command->args[0] != '\0' ? " " : "", command->help);
            return -1;
        } else {
            return hs_cmd_usage(command->name);
        }
    }
    if (argc - optind > command->args_max)
        return hs_cmd_fail(HS_EXIT_USAGE, "hansed %s doesn't take \"%s\"; see hansed %s --help",
                           command->name, argv[optind + command->args_max], command->name);
    return HS_EXIT_OK;
}

static int not_asked(enum hs_err err, const struct options *o, const struct hs_config *config)
{
    if (err == HS_ERR_UNREACHABLE)
        return hs_cmd_fail(HS_EXIT_FAILURE,
                           "no node answers: is it running? Start it with: hansed --config %s", o->config);
    if (err == HS_ERR_DENIED)
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s/control.sock: only the node's own user may ask it",
                           config->data);
    if (err == HS_ERR_INVALID_ARG)
        return hs_cmd_fail(HS_EXIT_FAILURE, "the path %s/control.sock is too long for a socket",
                           config->data);
    return hs_cmd_fail(HS_EXIT_FAILURE, "the node didn't answer: %s", hs_err_text(err));
}

/* Asks until the last page is there; answer has the rows of all. */
static int ask_all(const struct hs_ask_command *command, const struct options *o,
                   const struct hs_config *config, json_t *request, json_t **answer)
{
    *answer = NULL;
    for (bool more = true; more;) {
        json_t *page = NULL;
        enum hs_err err = hs_ask(config->data, request, &page);
        if (err != HS_OK)
            return not_asked(err, o, config);
        if (!hs_ask_flag(page, "ok")) {
            int code = hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_ask_text(page, "text"));
            json_decref(page);
            return code;
        }
        json_t *rows = command->pages != NULL ? json_object_get(page, command->pages) : NULL;
        more = rows != NULL && hs_ask_flag(page, "more") && json_array_size(rows) > 0;
        if (more)
            (void)json_object_set(
                request, "after",
                json_object_get(json_array_get(rows, json_array_size(rows) - 1), command->after));
        if (*answer == NULL) {
            *answer = page;
            continue;
        }
        (void)json_array_extend(json_object_get(*answer, command->pages), rows);
        json_decref(page);
    }
    return HS_EXIT_OK;
}

/* All of it, or it isn't done. */
static int say(const struct hs_ask_command *command, const struct options *o, json_t *answer)
{
    bool said = true;
    if (hs_json_is_scarce())
        return hs_cmd_fail(HS_EXIT_FAILURE, "%s", hs_err_text(HS_ERR_NOMEM));
    if (o->json) {
        (void)json_object_del(answer, "more");
        said = json_dumpf(answer, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6)) == 0 && putchar('\n') != EOF;
    } else {
        command->show(answer, stdout);
    }
    if (fflush(stdout) != 0 || ferror(stdout) != 0 || !said)
        return hs_cmd_fail(HS_EXIT_FAILURE, "the answer can't be written");
    return HS_EXIT_OK;
}

static int run(const struct hs_ask_command *command, const struct options *o, const struct hs_config *config,
               json_t *request)
{
    json_t *answer = NULL;
    int code = ask_all(command, o, config, request, &answer);
    if (code == HS_EXIT_OK)
        code = say(command, o, answer);
    json_decref(answer);
    return code;
}

int hs_cmd_ask(const struct hs_ask_command *command, int argc, char **argv)
{
    struct options o = {0};
    struct hs_config config;
    char why[HS_CONFIG_WHY];
    int code = parse(command, argc, argv, &o);
    if (code != HS_EXIT_OK)
        return code < 0 ? HS_EXIT_OK : code;
    if (o.config == NULL)
        return hs_cmd_fail(HS_EXIT_USAGE, "which node? --config FILE; see hansed %s --help", command->name);
    if (hs_config_read(o.config, &config, why) != HS_OK)
        return hs_cmd_site_failed(HS_ERR_CONFIG, why);
    hs_json_begin();
    json_t *request = json_pack("{s:s}", "command", command->name);
    bool fits = command->request == NULL || command->request(argc - optind, argv + optind, request);
    code = fits ? run(command, &o, &config, request) : HS_EXIT_USAGE;
    json_decref(request);
    return code;
}
