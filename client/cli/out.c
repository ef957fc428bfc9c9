/* Files that anybody can check. */
#include "cli.h"

#include <getopt.h>
#include <stdio.h>

const char *file_arguments(int argc, char **argv, const char **path)
{
    static const struct option options[] = {{"out", required_argument, NULL, 'o'}, {NULL, 0, NULL, 0}};
    bool good = true;
    *path = NULL;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        good = good && o == 'o';
        *path = optarg;
    }
    return good && *path != NULL && optind + 1 == argc ? argv[optind] : NULL;
}

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
