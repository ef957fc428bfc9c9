/* What proves that a hub told two stories; and files that anybody can check. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>

int file_write(struct cli *c, const char *path, const uint8_t *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(bytes, 1, len, file) == len;
    if (file != NULL && fclose(file) != 0)
        good = false;
    if (!good)
        return cli_fail(c, path, HANSE_ERR_IO);
    if (c->json)
        json_line(json_pack("{s:s, s:I}", "file", path, "bytes", (json_int_t)len));
    else
        printf("%s: %zu bytes. Anybody can check it: hanse verify %s\n", path, len, path);
    return EXIT_DONE;
}

static int run(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"out", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    struct hanse_room room;
    const char *path = NULL;
    const uint8_t *bytes;
    size_t len;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL))
        path = o == 'o' ? optarg : NULL;
    if (optind + 1 != argc || path == NULL)
        return cli_usage(&cmd_evidence, "name a room and --out FILE");
    int code = cli_open(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[optind], &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_evidence(c->h, &room.id, &bytes, &len);
    return err == HANSE_OK ? file_write(c, path, bytes, len) : cli_fail(c, argv[optind], err);
}

const struct command cmd_evidence = {
    .name = "evidence",
    .summary = "what proves that a room's hub told two stories",
    .run = run,
    .help =
        "usage: hanse evidence ROOM --out FILE\n\n"
        "A room whose hub signed two versions of its log is frozen. This writes what proves it: anybody can\n"
        "check the file with hanse verify, without network and without keys.\n\n"
        "example:\n"
        "  hanse evidence 'Rosa VIP' --out rosa.evidence\n",
};
