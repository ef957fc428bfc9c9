/* Files: sent with hanse send --file, got with hanse save. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4300, QUIET_MS = 1000, SHOWN_EVERY_MS = 200 };

static enum hanse_err file_read(void *context, uint64_t offset, uint8_t *buffer, size_t length)
{
    const int *fd = context;
    while (length > 0) {
        ssize_t n = pread(*fd, buffer, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? HANSE_ERR_BLOB_HASH : HANSE_ERR_IO; /* it became shorter */
        buffer += n;
        length -= (size_t)n;
        offset += (uint64_t)n;
    }
    return HANSE_OK;
}

static enum hanse_err file_take(void *context, uint64_t offset, const uint8_t *data, size_t length)
{
    const int *fd = context;
    while (length > 0) {
        ssize_t n = pwrite(*fd, data, length, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return HANSE_ERR_IO;
        data += n;
        length -= (size_t)n;
        offset += (uint64_t)n;
    }
    return HANSE_OK;
}

/* A file under way: its end, and on a terminal how far it is. */
struct moving {
    uint64_t op, size, through, heard_of;
    int64_t begun_ms, shown_ms, moved_ms;
    struct hanse_event done;
    enum hanse_err offline;
    bool over, shown;
};

static void show(struct moving *m)
{
    int64_t now = cli_now_ms();
    if (!isatty(STDERR_FILENO) || now - m->begun_ms < QUIET_MS || now - m->shown_ms < SHOWN_EVERY_MS)
        return;
    m->shown_ms = now;
    m->shown = true;
    fprintf(stderr, "\r%3u %%  %.1f of %.1f MB ", (unsigned)(m->size > 0 ? m->through * 100 / m->size : 100),
            (double)m->through / 1e6, (double)m->size / 1e6);
}

static bool is_over(void *context, const struct hanse_event *event)
{
    struct moving *m = context;
    if (event->kind == HANSE_EVENT_OFFLINE)
        m->offline = event->err;
    if (event->kind == HANSE_EVENT_ONLINE)
        m->offline = HANSE_OK;
    if (event->kind == HANSE_EVENT_FILE && event->op == m->op) {
        m->through = event->seq < m->size ? event->seq : m->size;
        m->moved_ms = cli_now_ms();
        show(m);
    }
    if (event->kind == HANSE_EVENT_DONE && event->op == m->op) {
        m->done = *event;
        m->over = true;
    }
    return m->over;
}

/* As long as it moves, --timeout doesn't end it. */
static enum hanse_err wait_for(struct cli *c, struct moving *m)
{
    enum hanse_err err = HANSE_OK;
    m->begun_ms = m->moved_ms = cli_now_ms();
    while (err == HANSE_OK && !m->over) {
        err = cli_run(c, 1, is_over, m);
        if (err == HANSE_ERR_TIMEOUT && cli_now_ms() - m->moved_ms < (int64_t)c->timeout_s * 1000)
            err = HANSE_OK;
    }
    if (m->shown)
        fputs("\r                                        \r", stderr);
    if (err == HANSE_ERR_TIMEOUT && m->offline != HANSE_OK)
        err = m->offline;
    return err != HANSE_OK ? err : m->done.err;
}

/* ---- sending ---- */

static const char *media_type_of(const char *name)
{
    static const char *const types[][2] = {
        {".jpg", "image/jpeg"},  {".jpeg", "image/jpeg"},     {".png", "image/png"},  {".gif", "image/gif"},
        {".webp", "image/webp"}, {".pdf", "application/pdf"}, {".txt", "text/plain"}, {".mp4", "video/mp4"},
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static bool describe(const char *path, int fd, struct hanse_file *file)
{
    struct stat info;
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || strlen(name) >= sizeof file->name)
        return false;
    (void)snprintf(file->name, sizeof file->name, "%s", name);
    (void)snprintf(file->media_type, sizeof file->media_type, "%s", media_type_of(name));
    file->size = (uint64_t)info.st_size;
    return true;
}

static int send_open(struct cli *c, const char *where, int fd, const struct hanse_file *file)
{
    struct hanse_room room;
    struct moving m = {.size = file->size};
    int code = cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, where, &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_attach(c->h, &room.id, file, file_read, &fd, &m.op);
    if (err == HANSE_OK)
        err = wait_for(c, &m);
    if (err != HANSE_OK)
        return cli_fail(c, file->name, err);
    if (c->json)
        json_line(json_pack("{s:o, s:s, s:I}", "room", json_id(&room.id), "file", file->name, "seq",
                            (json_int_t)m.done.seq));
    else
        printf("In the room's log as number %llu.\n", (unsigned long long)m.done.seq);
    return EXIT_DONE;
}

int file_send(struct cli *c, const char *room, const char *path)
{
    struct hanse_file file = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_usage(&cmd_send, "%s: %s", path, strerror(errno));
    int code = describe(path, fd, &file) ? send_open(c, room, fd, &file)
                                         : cli_usage(&cmd_send, "%s isn't a file that can be sent", path);
    close(fd);
    return code;
}

/* ---- saving ---- */

/* PATH.part holds what has come so far; it becomes PATH when all of it is here. */
static enum hanse_err save(struct cli *c, const struct hanse_id *room, uint64_t seq, const char *path,
                           struct moving *m)
{
    char part[PATH_SIZE];
    struct stat info;
    (void)snprintf(part, sizeof part, "%s.part", path);
    int fd = open(part, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fstat(fd, &info) != 0)
        return HANSE_ERR_IO;
    enum hanse_err err = hanse_fetch(c->h, room, seq, (uint64_t)info.st_size, file_take, &fd, &m->op);
    if (err == HANSE_OK)
        err = wait_for(c, m);
    if (err == HANSE_OK && (ftruncate(fd, (off_t)m->size) != 0 || fsync(fd) != 0 || rename(part, path) != 0))
        err = HANSE_ERR_IO;
    close(fd);
    return err;
}

static int run_save(struct cli *c, int argc, char **argv)
{
    static const struct option options[] = {{"to", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    struct hanse_room room;
    struct hanse_file file;
    long long seq = 0;
    const char *path = NULL;
    for (int o = getopt_long(argc, argv, "", options, NULL); o != -1;
         o = getopt_long(argc, argv, "", options, NULL)) {
        if (o != 't')
            return cli_usage(&cmd_save, "see its options");
        path = optarg;
    }
    if (optind + 2 != argc || !number_parse(argv[optind + 1], 0, INT64_MAX, &seq))
        return cli_usage(&cmd_save, "name a room and the number of a message with a file");
    int code = cli_open_fresh(c);
    if (code == EXIT_DONE)
        code = find_room(c, argv[optind], &room);
    if (code != EXIT_DONE)
        return code;
    enum hanse_err err = hanse_file_get(c->h, &room.id, (uint64_t)seq, &file);
    if (err != HANSE_OK)
        return cli_fail(c, "save", err);
    if (path == NULL)
        path = file.name;
    if (access(path, F_OK) == 0)
        return cli_usage(&cmd_save, "%s is there already; name another with --to", path);
    struct moving m = {.size = file.size};
    err = save(c, &room.id, (uint64_t)seq, path, &m);
    if (err != HANSE_OK)
        return cli_fail(c, path, err);
    if (c->json)
        json_line(json_pack("{s:s, s:I}", "file", path, "size", (json_int_t)file.size));
    else
        printf("Saved as %s, %llu bytes.\n", path, (unsigned long long)file.size);
    return EXIT_DONE;
}

const struct command cmd_save = {
    .name = "save",
    .summary = "save a file that somebody sent",
    .run = run_save,
    .help = "usage: hanse save ROOM SEQ [--to PATH]\n\n"
            "SEQ is the number that hanse log shows beside the file.\n\n"
            "  --to PATH  where to; without it the name that its sender gave it, here\n\n"
            "What has come stands in PATH.part; after a break the same command goes on there.\n\n"
            "example:\n"
            "  hanse save 'Rosa VIP' 128 --to lipstick.jpg\n",
};
