#include "cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_LIMIT = 4 << 20 };

static uint8_t *read_file(const char *path, size_t *len)
{
    uint8_t *bytes = malloc(FILE_LIMIT + 1);
    FILE *file = fopen(path, "rb");
    *len = file != NULL && bytes != NULL ? fread(bytes, 1, FILE_LIMIT + 1, file) : 0;
    if (file != NULL && fclose(file) == 0 && bytes != NULL && *len <= FILE_LIMIT)
        return bytes;
    free(bytes);
    return NULL;
}

static json_t *report_json(const struct hanse_report *r)
{
    json_t *lines = json_array(), *signers = json_array(), *discounts = json_array();
    for (size_t i = 0; i < r->line_count; i++)
        (void)json_array_append_new(lines, json_pack("{s:s, s:I, s:I, s:I}", "title", r->lines[i].title,
                                                     "quantity", (json_int_t)r->lines[i].quantity, "price",
                                                     (json_int_t)r->lines[i].price_minor, "total",
                                                     (json_int_t)r->lines[i].total_minor));
    for (size_t i = 0; i < r->signer_count; i++)
        (void)json_array_append_new(
            signers, json_pack("{s:s, s:s, s:o, s:s, s:I, s:I}", "role", r->signers[i].role, "part",
                               r->signers[i].part, "key", json_id(&r->signers[i].key), "handle",
                               r->signers[i].handle, "from", (json_int_t)r->signers[i].from_ms, "until",
                               (json_int_t)r->signers[i].until_ms));
    for (size_t i = 0; i < r->discount_count; i++)
        (void)json_array_append_new(discounts,
                                    json_pack("{s:o, s:I, s:b}", "coupon", json_id(&r->discounts[i].coupon),
                                              "amount", (json_int_t)r->discounts[i].amount_minor, "redeemed",
                                              r->discounts[i].redeemed));
    return json_pack("{s:b, s:s, s:o, s:b, s:o, s:s, s:o, s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "valid", 1,
                     "domain", r->domain, "root", json_id(&r->root), "root_pinned", r->root_pinned, "order",
                     json_id(&r->order), "state", order_state_name(r->state), "customer",
                     json_id(&r->customer), "currency", r->currency, "subtotal",
                     (json_int_t)r->subtotal_minor, "discount", (json_int_t)r->discount_minor, "total",
                     (json_int_t)r->total_minor, "lines", lines, "discounts", discounts, "signers", signers);
}

static bool is_same(const struct hanse_report_signer *a, const struct hanse_report_signer *b)
{
    return memcmp(&a->key, &b->key, sizeof a->key) == 0 && strcmp(a->role, b->role) == 0;
}

/* Each signer once, with all that it signed. */
static void print_signers(const struct hanse_report *r)
{
    printf("\n  signed by\n");
    for (size_t i = 0; i < r->signer_count; i++) {
        const struct hanse_report_signer *s = &r->signers[i];
        bool shown = false;
        for (size_t j = 0; j < i; j++)
            shown = shown || is_same(s, &r->signers[j]);
        if (shown)
            continue;
        printf("    %s%-9s%s %s  ", colour(BOLD), s->role, colour(PLAIN), short_id(&s->key));
        for (size_t j = i; j < r->signer_count; j++)
            if (is_same(s, &r->signers[j]))
                printf("%s%s", j > i ? ", " : "", r->signers[j].part);
        printf("; entitled from %s", time_text(s->from_ms, false));
        if (s->until_ms > 0)
            printf(" until %s", time_text(s->until_ms, false));
        printf("\n");
    }
}

static void print_report(const char *path, const struct hanse_report *r)
{
    char root[65];
    hanse_id_text(&r->root, root);
    printf("%sGood:%s %s is order %s at %s%s%s, %s %s\n\n", colour(GREEN), colour(PLAIN), path,
           short_id(&r->order), colour(BOLD), r->domain, colour(PLAIN), order_state_name(r->state),
           time_text(r->decided_ms, false));
    for (size_t i = 0; i < r->line_count; i++)
        printf("  %llu x %-32s %12s\n", (unsigned long long)r->lines[i].quantity, r->lines[i].title,
               money_text(r->lines[i].subtotal_minor, r->currency));
    for (size_t i = 0; i < r->discount_count; i++)
        printf("  coupon %-29s %12s%s\n", short_id(&r->discounts[i].coupon),
               money_text(-r->discounts[i].amount_minor, r->currency),
               r->discounts[i].redeemed ? ", redeemed" : "");
    printf("  %s%-36s %12s%s\n", colour(BOLD), "total", money_text(r->total_minor, r->currency),
           colour(PLAIN));
    print_signers(r);
    printf("\n  all of it hangs on the root key %s\n", root);
    if (!r->root_pinned)
        printf("  %sCompare that key with what %s publishes, or give it: --root %.8s...%s\n", colour(YELLOW),
               r->domain, root, colour(PLAIN));
}

static void print_evidence(struct cli *c, const char *path, const struct hanse_evidence_report *r)
{
    char root[65];
    hanse_id_text(&r->root, root);
    if (c->json) {
        json_line(json_pack("{s:b, s:b, s:s, s:o, s:b, s:o, s:I, s:I, s:I}", "valid", 1, "evidence", 1,
                            "domain", r->domain, "root", json_id(&r->root), "root_pinned", r->root_pinned,
                            "room", json_id(&r->room), "seq", (json_int_t)r->seq, "first",
                            (json_int_t)r->first_ms, "second", (json_int_t)r->second_ms));
        return;
    }
    printf("%sProved:%s %s shows that %s%s%s told two stories of room %s\n\n", colour(GREEN), colour(PLAIN),
           path, colour(BOLD), r->domain, colour(PLAIN), short_id(&r->room));
    printf("  of record %llu; it signed the one on %s", (unsigned long long)r->seq,
           time_text(r->first_ms, false));
    printf(" and the other on %s\n", time_text(r->second_ms, false));
    printf("\n  both hang on the root key %s\n", root);
}

static int verify(struct cli *c, const char *path, const struct hanse_id *root)
{
    size_t len;
    struct hanse_report *report = NULL;
    struct hanse_evidence_report evidence;
    uint8_t *bytes = read_file(path, &len);
    if (bytes == NULL)
        return cli_fail(c, path, HANSE_ERR_IO);
    enum hanse_err err = hanse_evidence_verify(bytes, len, root, &evidence);
    bool is_evidence = err != HANSE_ERR_UNEXPECTED;
    if (!is_evidence)
        err = hanse_verify(bytes, len, root, &report);
    free(bytes);
    if (err != HANSE_OK) {
        (void)cli_fail(c, path, err);
        return EXIT_NOT_VERIFIED;
    }
    if (is_evidence)
        print_evidence(c, path, &evidence);
    else if (c->json)
        json_line(report_json(report));
    else
        print_report(path, report);
    hanse_report_free(report);
    return EXIT_DONE;
}

static int run(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"root", required_argument, NULL, 'r'}, {NULL, 0, NULL, 0}};
    struct hanse_id root;
    bool pinned = false;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        pinned = o == 'r' && hanse_id_parse(optarg, &root) == HANSE_OK;
        if (!pinned)
            return cli_usage(&cmd_verify, "--root wants the 64 hex digits of the brand's root key");
    }
    if (optind >= argc)
        return cli_usage(&cmd_verify, "name a file");
    int code = EXIT_DONE;
    for (int i = optind; i < argc; i++) {
        int one = verify(c, argv[i], pinned ? &root : NULL);
        code = one != EXIT_DONE ? one : code;
    }
    return code;
}

const struct command cmd_verify = {
    .name = "verify",
    .summary = "check an exported order or evidence, without network and without keys",
    .run = run,
    .help =
        "usage: hanse verify FILE [FILE...] [--root HEX]\n\n"
        "  --root HEX   the brand's root key as you know it (64 hex digits)\n\n"
        "Checks every signature, grant, price and receipt in the file; any alteration is found (exit 5).\n"
        "Of evidence against a hub (hanse evidence) it says what it proves.\n\n"
        "example:\n"
        "  hanse verify order.hanse\n",
};
