#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int post(struct cli *c, const char *name, const struct hanse_offer_spec *spec)
{
    struct hanse_room room;
    struct outcome done;
    uint64_t op;
    int code = open_room(c, name, &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_offer_post(c->h, &room.id, spec, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, spec->title, err);
    if (c->json)
        json_line(json_pack("{s:o, s:I}", "offer", json_id(&done.id), "seq", (json_int_t)done.seq));
    else
        printf("%sOffered:%s %s for %s (offer %s)\n", colour(GREEN), colour(PLAIN), spec->title,
               money_text(spec->price_minor, spec->currency), short_id(&done.id));
    return EXIT_DONE;
}

static int run(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"sku", required_argument, NULL, 's'},
                                            {"title", required_argument, NULL, 't'},
                                            {"price", required_argument, NULL, 'p'},
                                            {"currency", required_argument, NULL, 'c'},
                                            {"tax-bp", required_argument, NULL, 'x'},
                                            {"until", required_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    struct hanse_offer_spec spec = {.currency = "EUR"};
    const char *price = NULL;
    long long tax = 0;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o == 's')
            spec.sku = optarg;
        else if (o == 't')
            spec.title = optarg;
        else if (o == 'p')
            price = optarg;
        else if (o == 'c')
            spec.currency = optarg;
        else if (o == 'x' && number_parse(optarg, 0, 10000, &tax))
            spec.tax_bp = (uint32_t)tax;
        else if (o != 'u' || !until_parse(optarg, &spec.until_ms))
            return cli_usage(&cmd_offer, "see its options");
    }
    if (optind + 1 != argc || spec.sku == NULL || spec.title == NULL || price == NULL)
        return cli_usage(&cmd_offer, "it wants a room, --sku, --title and --price");
    if (!money_parse(price, spec.currency, &spec.price_minor))
        return cli_usage(&cmd_offer, "'%s' isn't an amount of %s", price, spec.currency);
    return post(c, argv[optind], &spec);
}

const struct command cmd_offer = {
    .name = "offer",
    .summary = "put a signed offer into a room",
    .run = run,
    .help = "usage: hanse offer ROOM --sku SKU --title TITLE --price AMOUNT [options]\n\n"
            "  --currency CUR  three letters (default: EUR)\n"
            "  --tax-bp N      tax that the price contains, in hundredths of a percent (1900 = 19 %)\n"
            "  --until DATE    2026-12-24, or 30d, 12h from now on (default: no end)\n\n"
            "Needs the merchant's grant.\n\n"
            "example:\n"
            "  hanse offer 'Rosa VIP' --sku LIP-07 --title 'Lipstick Rosewood' --price 12.90 --tax-bp 1900\n",
};
