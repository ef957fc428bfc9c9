/* Where the home node knocks when there is something and this device sleeps. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static int run(struct cli *c, int argc, char **argv)
{
    uint64_t op;
    struct outcome done;
    if (argc != 2)
        return cli_usage(&cmd_wake, "give a URL, or off");
    bool off = strcmp(argv[1], "off") == 0;
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_set_wake(c->h, off ? "" : argv[1], &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, "wake", err);
    if (c->json)
        json_line(json_pack("{s:b}", "wake", !off));
    else
        printf("%s\n", off ? "This device isn't woken any more." : "This device is woken there from now on.");
    return EXIT_DONE;
}

const struct command cmd_wake = {
    .name = "wake",
    .summary = "a URL that the node calls when there is something for this device",
    .run = run,
    .help = "usage: hanse wake URL|off\n\n"
            "The home node posts to the URL when there is something new and this device isn't connected: "
            "nothing but\n"
            "the fact itself, at most once in 30 seconds. Usually it is a push gateway's. off ends it.\n\n"
            "example:\n"
            "  hanse wake https://push.example/d/81f3a0\n",
};
