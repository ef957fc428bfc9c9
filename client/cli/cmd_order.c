#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static json_t *order_json(struct cli *c, const struct hanse_order *order)
{
    json_t *lines = json_array();
    struct hanse_order_line line;
    for (uint32_t i = 0; i < order->lines && hanse_order_line(c->h, &order->id, i, &line) == HANSE_OK; i++)
        (void)json_array_append_new(
            lines, json_pack("{s:o, s:s, s:I, s:I}", "offer", json_id(&line.offer), "title", line.title,
                             "quantity", (json_int_t)line.quantity, "total", (json_int_t)line.total_minor));
    json_t *out =
        json_pack("{s:o, s:s, s:s, s:I, s:I, s:I, s:i, s:o}", "order", json_id(&order->id), "state",
                  order_state_name(order->state), "currency", order->currency, "subtotal",
                  (json_int_t)order->subtotal_minor, "discount", (json_int_t)order->discount_minor, "total",
                  (json_int_t)order->total_minor, "receipts", (int)order->receipts, "lines", lines);
    if (order->reason != HANSE_OK)
        (void)json_object_set_new(out, "reason", json_string(hanse_err_name(order->reason)));
    return out;
}

static void print_order(struct cli *c, const struct hanse_order *order)
{
    struct hanse_order_line line;
    printf("%sOrder %s%s: %s%s%s, placed %s\n", colour(BOLD), short_id(&order->id), colour(PLAIN),
           colour(order->state == HANSE_ORDER_REJECTED ? RED : GREEN), order_state_name(order->state),
           colour(PLAIN), time_text(order->placed_ms, false));
    for (uint32_t i = 0; i < order->lines && hanse_order_line(c->h, &order->id, i, &line) == HANSE_OK; i++)
        printf("  %llu x %-32s %12s\n", (unsigned long long)line.quantity, line.title,
               money_text(line.subtotal_minor, order->currency));
    if (order->discount_minor != 0)
        printf("  %-36s %12s\n", "discount", money_text(-order->discount_minor, order->currency));
    printf("  %s%-36s %12s%s\n", colour(BOLD), "total", money_text(order->total_minor, order->currency),
           colour(PLAIN));
    if (order->reason != HANSE_OK)
        printf("  %s%s%s [%s]\n", colour(RED), hanse_err_text(order->reason), colour(PLAIN),
               hanse_err_name(order->reason));
}

/* What an order is to hold. */
struct wish {
    const char *offer, *coupon;
    long long quantity;
};

/* A refused order is shown too: the reason is in it. */
static int show_placed(struct cli *c, const struct outcome *done, enum hanse_err err)
{
    struct hanse_order order;
    bool known = hanse_order_get(c->h, &done->id, &order) == HANSE_OK;
    if (known && c->json && err == HANSE_OK)
        json_line(order_json(c, &order));
    else if (known && !c->json)
        print_order(c, &order);
    if (err == HANSE_OK)
        return EXIT_DONE;
    return known && order.state <= HANSE_ORDER_PLACED ? cli_fail_kept(c, "order", err)
                                                      : cli_fail(c, "order", err);
}

static int place(struct cli *c, const char *room_text, const struct wish *wish)
{
    struct hanse_room room;
    struct hanse_offer offer;
    struct hanse_coupon coupon;
    struct outcome done = {0};
    uint64_t op;
    int code = cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, room_text, &room);
    if (code == EXIT_DONE)
        code = find_offer(c, wish->offer, &offer);
    if (code == EXIT_DONE && wish->coupon != NULL)
        code = find_coupon(c, wish->coupon, &coupon);
    if (code != EXIT_DONE)
        return code;
    if (memcmp(&offer.room, &room.id, sizeof room.id) != 0)
        return cli_fail(c, wish->offer, HANSE_ERR_OFFER_UNKNOWN);
    enum hanse_err err = hanse_order_place(c->h, &offer.id, (uint64_t)wish->quantity,
                                           wish->coupon != NULL ? &coupon.id : NULL, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    return show_placed(c, &done, err);
}

static int run_place(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"offer", required_argument, NULL, 'o'},
                                            {"quantity", required_argument, NULL, 'q'},
                                            {"coupon", required_argument, NULL, 'c'},
                                            {NULL, 0, NULL, 0}};
    struct wish wish = {.quantity = 1};
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o == 'o')
            wish.offer = optarg;
        else if (o == 'c')
            wish.coupon = optarg;
        else if (o != 'q')
            return cli_usage(&cmd_order, "see its options");
        else if (!number_parse(optarg, 1, 1000000, &wish.quantity))
            return cli_usage(&cmd_order, "--quantity wants a number from 1 to 1000000");
    }
    if (optind + 1 != argc || wish.offer == NULL)
        return cli_usage(&cmd_order, "place wants a room and --offer");
    return place(c, argv[optind], &wish);
}

static int run_show(struct cli *c, const char *text)
{
    struct hanse_order order;
    int code = cli_open(c);
    if (code == EXIT_DONE && text != NULL) {
        code = find_order(c, text, &order);
        if (code == EXIT_DONE && c->json)
            json_line(order_json(c, &order));
        else if (code == EXIT_DONE)
            print_order(c, &order);
        return code;
    }
    json_t *all = json_array();
    for (enum hanse_err err = code == EXIT_DONE ? hanse_order_next(c->h, NULL, &order) : HANSE_ERR_NOT_FOUND;
         err == HANSE_OK; err = hanse_order_next(c->h, &order.id, &order)) {
        if (c->json)
            (void)json_array_append_new(all, order_json(c, &order));
        else
            print_order(c, &order);
    }
    if (c->json && code == EXIT_DONE)
        json_line(all);
    else
        json_decref(all);
    return code;
}

static int run_export(struct cli *c, int argc, char **argv)
{
    struct hanse_order order;
    const char *path, *name = file_arguments(argc, argv, &path);
    const uint8_t *bytes;
    size_t len;
    if (name == NULL)
        return cli_usage(&cmd_order, "export wants an order and --out FILE");
    int code = cli_open(c);
    if (code == EXIT_DONE)
        code = find_order(c, name, &order);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_order_export(c->h, &order.id, &bytes, &len);
    return err == HANSE_OK ? file_write(c, path, bytes, len) : cli_fail(c, name, err);
}

static int run(struct cli *c, int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "place") == 0)
        return run_place(c, argc - 1, argv + 1);
    if ((argc == 2 || argc == 3) && strcmp(argv[1], "show") == 0)
        return run_show(c, argc > 2 ? argv[2] : NULL);
    if (argc >= 2 && strcmp(argv[1], "export") == 0)
        return run_export(c, argc - 1, argv + 1);
    return cli_usage(&cmd_order, "say what to do");
}

const struct command cmd_order = {
    .name = "order",
    .summary = "place, show and export orders",
    .run = run,
    .help =
        "usage: hanse order place ROOM --offer OFFER [--quantity N] [--coupon COUPON]\n"
        "       hanse order show [ORDER]\n"
        "       hanse order export ORDER --out FILE\n\n"
        "  --offer OFFER    its id, SKU or title\n"
        "  --coupon COUPON  one that you hold (see hanse coupon show)\n\n"
        "place opens a counter room with the shop's till, signs the order and waits for the till's answer.\n"
        "An order that the till refuses exits with 3 and says why.\n\n"
        "examples:\n"
        "  hanse order place 'Rosa VIP' --offer LIP-07 --quantity 2 --coupon 4fe1\n"
        "  hanse order show\n"
        "  hanse order export 9ac0 --out order.hanse\n",
};
