#include "cli.h"

#include <stdio.h>
#include <string.h>

static bool show_step(void *context, const struct hanse_event *event)
{
    struct cli *c = context;
    struct hanse_order order;
    if (event->kind != HANSE_EVENT_TILL && event->kind != HANSE_EVENT_ONLINE &&
        event->kind != HANSE_EVENT_OFFLINE)
        return false;
    const char *what = event->kind == HANSE_EVENT_ONLINE    ? "online"
                       : event->kind == HANSE_EVENT_OFFLINE ? "offline"
                                                            : event->text;
    bool known = event->kind == HANSE_EVENT_TILL && hanse_order_get(c->h, &event->id, &order) == HANSE_OK;
    if (c->json) {
        json_line(json_pack("{s:s, s:o, s:s}", "event", what, "order", json_id(&event->id), "error",
                            event->err == HANSE_OK ? "" : hanse_err_name(event->err)));
    } else if (known) {
        printf("order %s of %s, %s: %s%s%s%s%s\n", short_id(&event->id), person_text(&order.customer),
               money_text(order.total_minor, order.currency), colour(BOLD), what, colour(PLAIN),
               event->err == HANSE_OK ? "" : " ", event->err == HANSE_OK ? "" : hanse_err_name(event->err));
    } else {
        printf("%s* %s%s\n", colour(DIM), what, colour(PLAIN));
    }
    (void)fflush(stdout);
    return false;
}

static int run(struct cli *c, int argc, char **argv)
{
    if (argc != 2 || strcmp(argv[1], "run") != 0)
        return cli_usage(&cmd_till, "say what to do");
    cli_catch_signals();
    int code = cli_open(c);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_till_enable(c->h, true);
    if (err == HANSE_OK) {
        hanse_stay_online(c->h, true);
        err = cli_run(c, -1, show_step, c);
    }
    return err == HANSE_OK || err == HANSE_ERR_CLOSED ? EXIT_DONE : cli_fail(c, "till", err);
}

const struct command cmd_till = {
    .name = "till",
    .summary = "answer orders: check prices, redeem coupons, accept",
    .run = run,
    .help =
        "usage: hanse till run\n\n"
        "Runs until SIGTERM or Ctrl-C and prints a line for each step of an order. Needs the till's grant.\n"
        "A till that was ended in the middle of an order goes on where it stood.\n\n"
        "example:\n"
        "  hanse --dir till till run\n",
};
