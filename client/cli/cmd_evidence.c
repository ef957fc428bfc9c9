/* What proves that a hub told two stories. */
#include "cli.h"

static int run(struct cli *c, int argc, char **argv)
{
    struct hanse_room room;
    const char *path, *name = file_arguments(argc, argv, &path);
    const uint8_t *bytes;
    size_t len;
    if (name == NULL)
        return cli_usage(&cmd_evidence, "name a room and --out FILE");
    int code = open_room(c, name, &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_evidence(c->h, &room.id, &bytes, &len);
    return err == HANSE_OK ? file_write(c, path, bytes, len) : cli_fail(c, name, err);
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
