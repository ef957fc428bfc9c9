#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int issue(struct cli *c, const char *name, const struct hanse_campaign_spec *wanted,
                 const char *offer_text)
{
    struct hanse_campaign_spec spec = *wanted;
    struct hanse_room room;
    struct hanse_offer offer;
    struct outcome done;
    uint64_t op;
    int code = open_room(c, name, &room);
    if (code == EXIT_DONE && offer_text != NULL) {
        code = find_offer(c, offer_text, &offer);
        spec.offer = &offer.id;
    }
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_coupon_issue(c->h, &room.id, &spec, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err != HANSE_OK)
        return cli_fail(c, "coupon", err);
    if (c->json)
        json_line(json_pack("{s:o}", "campaign", json_id(&done.id)));
    else
        printf("%sThe room has a coupon:%s %s. Members claim it with: hanse coupon claim '%s'\n",
               colour(GREEN), colour(PLAIN), short_id(&done.id), name);
    return EXIT_DONE;
}

static int run_issue(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"percent", required_argument, NULL, 'p'},  {"amount", required_argument, NULL, 'a'},
        {"currency", required_argument, NULL, 'c'}, {"until", required_argument, NULL, 'u'},
        {"limit", required_argument, NULL, 'l'},    {"offer", required_argument, NULL, 'o'},
        {"title", required_argument, NULL, 't'},    {NULL, 0, NULL, 0}};
    struct hanse_campaign_spec spec = {0};
    const char *amount = NULL, *currency = "EUR", *offer = NULL;
    long long percent = 0, limit = 0;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        bool good = o != '?';
        if (o == 'p')
            good = number_parse(optarg, 1, 100, &percent);
        else if (o == 'a')
            amount = optarg;
        else if (o == 'c')
            currency = optarg;
        else if (o == 'u')
            good = until_parse(optarg, &spec.until_ms);
        else if (o == 'l')
            good = number_parse(optarg, 1, UINT32_MAX, &limit);
        else if (o == 'o')
            offer = optarg;
        else if (o == 't')
            spec.title = optarg;
        if (!good)
            return cli_usage(&cmd_coupon, "see its options");
    }
    if (optind + 1 != argc || (percent == 0) == (amount == NULL))
        return cli_usage(&cmd_coupon, "issue wants a room and either --percent or --amount");
    if (amount != NULL && !money_parse(amount, currency, &spec.amount_minor))
        return cli_usage(&cmd_coupon, "'%s' isn't an amount of %s", amount, currency);
    spec.percent_bp = (uint32_t)percent * 100;
    spec.currency = currency;
    spec.limit_total = (uint32_t)limit;
    return issue(c, argv[optind], &spec, offer);
}

static int run_claim(struct cli *c, int argc, char **argv)
{
    struct hanse_room room;
    struct hanse_campaign campaign;
    struct hanse_coupon coupon;
    struct outcome done;
    uint64_t op;
    if (argc < 2 || argc > 3)
        return cli_usage(&cmd_coupon, "claim wants a room, and a coupon where it has several");
    int code = cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[1], &room);
    if (code == EXIT_DONE)
        code = find_campaign(c, &room.id, argc > 2 ? argv[2] : NULL, &campaign);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_coupon_claim(c->h, &campaign.id, &op);
    if (err == HANSE_OK)
        err = cli_wait(c, op, &done);
    if (err == HANSE_OK)
        err = hanse_coupon_get(c->h, &done.id, &coupon);
    if (err != HANSE_OK)
        return cli_fail(c, "claim", err);
    if (c->json)
        json_line(json_pack("{s:o, s:i, s:s}", "coupon", json_id(&coupon.id), "unit", (int)coupon.unit_no,
                            "title", coupon.title));
    else
        printf("%sYours:%s %s, number %u, good until %s (coupon %s)\n", colour(GREEN), colour(PLAIN),
               coupon.title, coupon.unit_no,
               coupon.until_ms > 0 ? time_text(coupon.until_ms, false) : "further notice",
               short_id(&coupon.id));
    return EXIT_DONE;
}

static const char *coupon_state_name(enum hanse_coupon_state state)
{
    switch (state) {
    case HANSE_COUPON_HELD:
        return "unused";
    case HANSE_COUPON_ORDERED:
        return "in an order";
    case HANSE_COUPON_USED:
        return "used";
    }
    return "unknown";
}

static int run_show(struct cli *c)
{
    struct hanse_coupon coupon;
    json_t *all = json_array();
    int code = cli_open(c);
    for (enum hanse_err err = code == EXIT_DONE ? hanse_coupon_next(c->h, NULL, &coupon)
                                                : HANSE_ERR_NOT_FOUND;
         err == HANSE_OK; err = hanse_coupon_next(c->h, &coupon.id, &coupon)) {
        if (c->json)
            (void)json_array_append_new(
                all, json_pack("{s:o, s:o, s:s, s:s, s:I}", "coupon", json_id(&coupon.id), "campaign",
                               json_id(&coupon.campaign), "title", coupon.title, "state",
                               coupon_state_name(coupon.state), "until", (json_int_t)coupon.until_ms));
        else
            printf("%s  %s%-24s%s %s\n", short_id(&coupon.id), colour(BOLD), coupon.title, colour(PLAIN),
                   coupon_state_name(coupon.state));
    }
    if (c->json && code == EXIT_DONE)
        json_line(all);
    else
        json_decref(all);
    return code;
}

static int run(struct cli *c, int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "issue") == 0)
        return run_issue(c, argc - 1, argv + 1);
    if (argc >= 2 && strcmp(argv[1], "claim") == 0)
        return run_claim(c, argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "show") == 0)
        return run_show(c);
    return cli_usage(&cmd_coupon, "say what to do");
}

const struct command cmd_coupon = {
    .name = "coupon",
    .summary = "give out, claim and show coupons",
    .run = run,
    .help = "usage: hanse coupon issue ROOM (--percent N | --amount AMOUNT [--currency CUR]) [options]\n"
            "       hanse coupon claim ROOM [COUPON]\n"
            "       hanse coupon show\n\n"
            "  --until DATE   2026-12-24, or 30d, 12h from now on (default: no end)\n"
            "  --limit N      so many in all (default: no limit); each member gets one\n"
            "  --offer OFFER  only for this offer (default: for all)\n"
            "  --title TITLE  (default: made from the discount)\n\n"
            "issue needs the merchant's grant.\n\n"
            "examples:\n"
            "  hanse coupon issue 'Rosa VIP' --percent 10 --until 14d --limit 100\n"
            "  hanse coupon claim 'Rosa VIP'\n"
            "  hanse coupon show\n",
};
